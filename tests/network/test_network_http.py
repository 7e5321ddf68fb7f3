"""What we ask on the web, on the same network: it left or not, was answered whole, or nobody knows; never half."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest
from fault_proxy import FaultProxy, faulty

from allthepoints.base.clock import SystemClock
from allthepoints.base.errors import NotSent, Unknown
from allthepoints.base.secret import Secret
from allthepoints.base.types import ItemId, SeId, UserId
from allthepoints.sim.days import demo_day
from allthepoints.sim.scenario import ChannelPlan, ItemPlan, Scenario
from allthepoints.sim.server import Sandbox
from allthepoints.streamelements.jwt import JwtKeeper
from allthepoints.streamelements.store import ElementsStore
from allthepoints.twitch.helix import Helix
from allthepoints.twitch.oauth import OAuth
from allthepoints.twitch.tokens import Bearer
from allthepoints.web import Client

pytestmark = pytest.mark.anyio

CLOCK = SystemClock()

PATIENT = 20.0
HASTY = 2.0
"""Seconds of a client that gives up; half of them to connect, for which a busy machine must find the time."""


class Auth:
    def __init__(self, sandbox: Sandbox) -> None:
        self._token = Secret(sandbox.issue_tokens().access)
        self._client_id = sandbox.scenario.client_id

    async def bearer(self, own: bool) -> Bearer:
        return Bearer(self._token, self._client_id, None)

    async def renew(self, refused: Secret) -> None:
        raise AssertionError("nothing was refused")


class Stage:
    """Our clients, and a sandbox behind a proxy."""

    def __init__(self, sandbox: Sandbox, proxy: FaultProxy) -> None:
        self.sandbox, self.proxy = sandbox, proxy
        self.client, self._hasty = Client(timeout=PATIENT), Client(timeout=HASTY)
        base = f"http://127.0.0.1:{proxy.port}"
        auth = Auth(sandbox)
        self.helix, self._hasty_helix = (
            Helix(client, f"{base}/helix", auth, CLOCK) for client in (self.client, self._hasty)
        )
        self.oauth = OAuth(self.client, f"{base}/oauth2", sandbox.scenario.client_id, CLOCK)
        self.me = UserId(sandbox.account.id)
        jwt = JwtKeeper(CLOCK, given=Secret(sandbox.issue_jwt()))
        self.store = ElementsStore(self.client, f"{base}/kappa/v2", CLOCK, jwt)
        self.follows = len(sandbox.world.follows[self.me])

    async def names(self) -> int:
        return len(await self.helix.follows(self.me))

    async def names_soon(self) -> int:
        """The same, or given up after HASTY seconds."""
        return len(await self._hasty_helix.follows(self.me))

    async def aclose(self) -> None:
        await self.client.aclose()
        await self._hasty.aclose()


@contextlib.asynccontextmanager
async def staged(scenario: Scenario | None = None) -> AsyncIterator[Stage]:
    sandbox = Sandbox(scenario or demo_day(seed=1), CLOCK)
    ends = await sandbox.start()
    port = int(ends.control.split(":")[2].partition("/")[0])
    try:
        async with faulty(port) as proxy:
            stage = Stage(sandbox, proxy)
            try:
                yield stage
            finally:
                await stage.aclose()
    finally:
        await sandbox.stop()


@pytest.mark.parametrize(("step", "delay", "jitter"), [(1, 0.0, 0.0), (50, 0.0, 0.002), (0, 0.01, 0.02)])
async def test_a_trickle_is_read_to_its_end(step: int, delay: float, jitter: float) -> None:
    async with staged() as stage:
        for way in (stage.proxy.up, stage.proxy.down):
            way.step, way.delay, way.jitter = step, delay, jitter
        assert await stage.names() == stage.follows


async def test_a_trickle_that_would_never_end_is_given_up() -> None:
    """Each byte comes in time; the whole does not."""
    async with staged() as stage:
        stage.proxy.down.step, stage.proxy.down.delay = 1, 0.01
        with pytest.raises(Unknown, match="no whole answer"):
            await stage.names_soon()


@pytest.mark.parametrize("end", ["close_after", "reset_after"])
async def test_fc_19_an_answer_that_breaks_off_anywhere_is_none(end: str) -> None:
    async with staged() as stage:
        assert await stage.names() == stage.follows
        whole = stage.proxy.passed["down"]
        for count in range(0, whole, max(1, whole // 40)):
            stage.proxy.close()
            setattr(stage.proxy.down, end, count)
            with pytest.raises(Unknown):
                await stage.names()
        stage.proxy.heal()
        stage.proxy.close()
        assert await stage.names() == stage.follows


@pytest.mark.parametrize("kind", ["reset", "close"])
async def test_a_connection_that_was_kept_and_broke_meanwhile_costs_one_answer_at_most(kind: str) -> None:
    async with staged() as stage:
        for _ in range(3):
            assert await stage.names() == stage.follows
            getattr(stage.proxy, kind)()
            with contextlib.suppress(Unknown):
                await stage.names()


@pytest.mark.parametrize("ways", [("up",), ("down",), ("up", "down")], ids="+".join)
async def test_fc_21_silence_is_given_up(ways: tuple[str, ...]) -> None:
    async with staged() as stage:
        for way in ways:
            getattr(stage.proxy, way).swallow = True
        with pytest.raises(Unknown) as caught:
            await stage.names_soon()
        assert not isinstance(caught.value, NotSent), "it left; nobody knows how far it came"
        stage.proxy.heal()
        assert await stage.names() == stage.follows


async def test_nobody_there_is_known_as_not_sent() -> None:
    async with staged() as stage:
        await stage.proxy.stop()
        with pytest.raises(NotSent):
            await stage.names()


# -- what must not be done twice ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("way", ["up", "down"])
@pytest.mark.parametrize("end", ["close_after", "reset_after"])
async def test_a_redemption_that_breaks_off_anywhere_is_never_called_unsent_if_it_arrived(way: str, end: str) -> None:
    shop = ChannelPlan(login="alpha", balance=1_000_000, store=(ItemPlan(name="Map", cost=10),))
    async with staged(scenario=Scenario(channels=(shop,))) as stage:
        box = stage.sandbox
        channel = box.elements.of(box.world.find("alpha"))
        assert channel is not None
        se, item = SeId(channel.id), ItemId(next(iter(channel.items)))
        own = (await stage.store.me()).id
        stage.proxy.close()
        ends = {"accepted": 0, "not sent": 0, "unknown": 0}
        for count in range(0, 1200, 60):
            setattr(getattr(stage.proxy, way), end, count)
            before = box.journal.redemption_calls
            try:
                await stage.store.redeem(own, se, item, (), "")
                told = "accepted"
            except NotSent:
                told = "not sent"
            except Unknown:
                told = "unknown"
            arrived = box.journal.redemption_calls - before
            assert arrived in {"accepted": {1}, "not sent": {0}, "unknown": {0, 1}}[told], told
            ends[told] += 1
            stage.proxy.close()
        assert ends["accepted"], ends
        assert ends["unknown"], ends
