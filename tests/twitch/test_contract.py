"""The ports' contracts, kept by the fakes and by the adapters against the sandbox; and OAuth against the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
import pytest
from stub_twitch import Env, MemoryStore, stored

from allthepoints.base.errors import Limited, Refused, SignInNeeded, Unauthorised, Unknown
from allthepoints.base.secret import Secret
from allthepoints.base.types import Login, StreamId, UserId
from allthepoints.core.actions import ReadLive
from allthepoints.core.facts import HelixPoints
from allthepoints.core.model import ChannelRef, StreamKind
from allthepoints.sim.scenario import Limits, Scenario
from allthepoints.sim.server import Sandbox
from allthepoints.testing import contracts
from allthepoints.testing.clock import ManualClock
from allthepoints.testing.contracts import LiveStage, TokensStage
from allthepoints.testing.fakes import FakeLiveApi, FakeTokens, FakeTwitch
from allthepoints.twitch.helix import Helix
from allthepoints.twitch.oauth import DeviceCode, DeviceDead, OAuth, Pending, sign_in_by_device
from allthepoints.twitch.tokens import TokenKeeper
from allthepoints.web import Client

pytestmark = pytest.mark.anyio

BASE = "http://sandbox.test"


@dataclass
class Bench:
    """The adapters on a sandbox without sockets. A stage for both contracts."""

    sandbox: Sandbox
    clock: ManualClock
    oauth: OAuth
    tokens: TokenKeeper
    store: MemoryStore
    api: Helix
    points: list[HelixPoints]
    login: Login = field(default=Login("me"))

    @property
    def me(self) -> UserId:
        return UserId(self.sandbox.account.id)

    def add(self, login: str, *, followed: bool = True) -> ChannelRef:
        self.clock.advance(1)
        user = self.sandbox.add_channel(login, followed=followed)
        return ChannelRef(UserId(user.id), Login(user.login), user.display_name)

    def go_live(self, login: str, *, kind: StreamKind = StreamKind.LIVE) -> StreamId:
        stream = self.sandbox.world.go_live(self.sandbox.world.find(login), self.clock.now(), kind=kind.value)
        return StreamId(stream.id)

    def go_offline(self, login: str) -> None:
        self.sandbox.world.go_offline(self.sandbox.world.find(login), self.clock.now())

    def rename(self, login: str, to: str) -> None:
        self.sandbox.fault("rename", channel=login, to=to)

    def delete(self, login: str) -> None:
        self.sandbox.fault("delete", channel=login)

    def make_doubtful(self, login: str) -> None:
        self.sandbox.fault("odd_type", channel=login, seconds=1e6)

    def outage(self, on: bool) -> None:
        if on:
            self.sandbox.fault("status", seconds=1e6, code=503)
        else:
            self.sandbox.hub.troubles.disarm("status")

    def expire(self) -> None:
        self.sandbox.fault("expire_token")

    def revoke(self) -> None:
        self.sandbox.fault("revoke")

    @property
    def odd(self) -> object:
        """What the sandbox found wrong with our requests."""
        return self.sandbox.journal.errors


@asynccontextmanager
async def sandboxed(
    limits: Limits | None = None, env: Env | None = None, client_id: str = "sandbox"
) -> AsyncIterator[Bench]:
    clock = ManualClock()
    sandbox = Sandbox(Scenario(limits=limits or Limits()), clock)
    sandbox.begin()
    client = Client(httpx2.ASGITransport(app=sandbox.app))
    access, refresh = sandbox.issue_tokens(client_id="sandbox")
    store = MemoryStore(stored(access, refresh, client_id="sandbox", login="me", user_id=sandbox.account.id))
    oauth = OAuth(client, f"{BASE}/oauth2", client_id, clock)
    tokens = TokenKeeper(oauth, store, clock, client_id=client_id, environment=env or Env())
    points: list[HelixPoints] = []
    api = Helix(client, f"{BASE}/helix", tokens, clock, points.append)
    try:
        yield Bench(sandbox, clock, oauth, tokens, store, api, points)
    finally:
        await tokens.aclose()
        await client.aclose()
        await sandbox.stop()


class FakeStage(FakeTwitch):
    """The fakes as a stage."""

    def __init__(self) -> None:
        super().__init__(ManualClock())
        self.api = FakeLiveApi(self)
        self.tokens = FakeTokens(self)
        self.me = self.account.user_id
        self.login = self.account.login
        self.expire = self.tokens.expire
        self.revoke = self.tokens.revoke

    def make_doubtful(self, login: str) -> None:
        self.doubtful.add(self.find(login).id)

    def outage(self, on: bool) -> None:
        self.trouble = Unknown("out") if on else None


@pytest.mark.parametrize("case", contracts.LIVE_API, ids=lambda case: case.__name__)
async def test_live_api_fake(case: Callable[[LiveStage], Awaitable[None]]) -> None:
    await case(FakeStage())


@pytest.mark.parametrize("case", contracts.LIVE_API, ids=lambda case: case.__name__)
async def test_live_api_sandbox(case: Callable[[LiveStage], Awaitable[None]]) -> None:
    async with sandboxed() as bench:
        await case(bench)
        assert not bench.odd


@pytest.mark.parametrize("case", contracts.TOKENS, ids=lambda case: case.__name__)
async def test_tokens_fake(case: Callable[[TokensStage], Awaitable[None]]) -> None:
    await case(FakeStage())


@pytest.mark.parametrize("case", contracts.TOKENS, ids=lambda case: case.__name__)
async def test_tokens_sandbox(case: Callable[[TokensStage], Awaitable[None]]) -> None:
    async with sandboxed() as bench:
        await case(bench)
        assert not bench.odd
        assert bench.sandbox.journal.refresh_reuse == 0


# -- what only the sandbox can play --------------------------------------------------------------------------------
def ask(*channels: ChannelRef, followed_by: UserId | None = None) -> ReadLive:
    found = frozenset(channel.id for channel in channels)
    if followed_by is not None:
        return ReadLive(followed_by, found, frozenset(), frozenset())
    return ReadLive(None, frozenset(), found, frozenset())


async def test_fc_46_a_reads_with_an_expired_token_make_one_refresh() -> None:
    async with sandboxed() as bench:
        alpha = bench.add("alpha")
        bench.expire()
        reads = [bench.api.live(ask(alpha, followed_by=bench.me)), bench.api.live(ask(alpha))]
        await asyncio.gather(*reads, bench.api.follows(bench.me), bench.api.users(frozenset({alpha.id}), frozenset()))
        assert bench.sandbox.journal.refreshes == 1
        assert bench.sandbox.journal.refresh_reuse == 0


async def test_fc_46_c_a_refresh_whose_answer_is_lost() -> None:
    async with sandboxed() as bench:
        bench.sandbox.fault("refresh_lost")
        old = bench.tokens.chat_token()
        with pytest.raises(Unknown):
            await bench.tokens.renew(old)
        assert bench.store.tokens is not None
        assert bench.store.tokens.refresh_spent
        with pytest.raises(Unknown):
            await bench.tokens.renew(old)
        await bench.tokens.check()
        assert bench.sandbox.journal.refresh_reuse == 0
        bench.expire()
        with pytest.raises(SignInNeeded):
            await bench.tokens.check()
        assert bench.sandbox.journal.refresh_reuse == 1


async def test_fc_46_f_a_refresh_without_a_new_refresh_token() -> None:
    async with sandboxed() as bench:
        bench.sandbox.fault("refresh_no_pair")
        bench.expire()
        await bench.tokens.check()
        bench.expire()
        await bench.tokens.check()
        assert bench.sandbox.journal.refresh_reuse == 0


@pytest.mark.parametrize("fault", ["page_fails", "repeat_cursor", "repeat_row"])
async def test_fc_12_pages_in_trouble(fault: str) -> None:
    async with sandboxed() as bench:
        added = [bench.add(f"channel_{n}") for n in range(241)]
        bench.sandbox.fault(fault, path="/helix/channels/followed")
        if fault == "page_fails":
            with pytest.raises(Unknown):
                await bench.api.follows(bench.me)
        assert list(await bench.api.follows(bench.me)) == added[::-1]


async def test_fc_13_a_bad_id_is_set_aside() -> None:
    async with sandboxed() as bench:
        channels = [bench.add(f"channel_{n}") for n in range(120)]
        bench.go_live("channel_7")
        bench.sandbox.fault("bad_id", channel="channel_9", seconds=1e6)
        read = await bench.api.live(ask(*channels))
        assert read.asked == {channel.id for channel in channels} - {channels[9].id}
        assert [stream.channel for stream in read.streams] == [channels[7]]
        assert read.error is not None


@pytest.mark.parametrize("kind", ["empty", "html", "truncated", "two_values", "data_null", "broken_gzip"])
async def test_fc_21_odd_bodies(kind: str) -> None:
    async with sandboxed() as bench:
        alpha = bench.add("alpha")
        bench.sandbox.fault("body", kind=kind, seconds=10)
        for work in (bench.api.live(ask(alpha)), bench.api.follows(bench.me), bench.tokens.check()):
            with pytest.raises(Unknown):
                await work
        assert bench.sandbox.journal.refreshes == 0


async def test_fc_21_a_foreign_error_in_a_200_does_not_end_the_sign_in() -> None:
    async with sandboxed() as bench:
        alpha = bench.add("alpha")
        bench.sandbox.fault("body", kind="foreign", seconds=10)
        for work in (bench.api.live(ask(alpha)), bench.tokens.check()):
            with pytest.raises(Unknown):
                await work
        bench.clock.advance(11)
        await bench.tokens.check()
        await bench.api.live(ask(alpha))


async def test_fc_53_limits() -> None:
    async with sandboxed(Limits(helix_points=50)) as bench:
        alpha = bench.add("alpha")
        with pytest.raises(Limited) as caught:
            for _ in range(60):
                await bench.api.live(ask(alpha))
        assert bench.clock.now() < caught.value.until <= bench.clock.now() + 300
        assert bench.points[-1].limit == 50
        assert 0 < bench.points[-1].remaining <= 5  # the reserve is left
        bench.clock.advance(caught.value.until - bench.clock.now())
        await bench.api.live(ask(alpha))
        bench.sandbox.fault("status", code=429, reset=20, path="/helix")
        with pytest.raises(Limited) as again:
            await bench.api.live(ask(alpha))
        assert 19 <= again.value.until - bench.clock.now() <= 22


async def test_fc_19_device_flow() -> None:
    async with sandboxed() as bench:
        shown: list[DeviceCode] = []
        bench.sandbox.fault("device_slow_down")
        task = asyncio.create_task(sign_in_by_device(bench.oauth, bench.clock, shown.append))
        await bench.clock.elapse(60)
        sign_in = await bench.tokens.adopt(await task)
        assert sign_in.account.login == "me"
        assert shown[0].verification_uri
        assert bench.tokens.chat_token() != Secret("T0")
        assert not bench.odd


async def test_fc_19_device_flow_in_trouble() -> None:
    async with sandboxed() as bench:
        bench.sandbox.fault("device_missing_code")
        with pytest.raises((Refused, Unknown)):
            await bench.oauth.device_start()
        code = await bench.oauth.device_start()
        assert await bench.oauth.device_poll(code) == Pending()
        bench.clock.advance(code.expires_in + 1)
        assert isinstance(await bench.oauth.device_poll(code), DeviceDead)


async def test_validate_and_revoke() -> None:
    async with sandboxed() as bench:
        token = bench.tokens.chat_token()
        assert (await bench.oauth.validate(token)).user_id == bench.me
        assert await bench.tokens.sign_out()
        with pytest.raises(Unauthorised):
            await bench.oauth.validate(token)
        await bench.oauth.revoke(token)
        assert not bench.odd


async def test_article_client_credentials() -> None:
    env = Env(client_secret=Secret("sandbox-secret"))
    async with sandboxed(env=env, client_id="sandbox-confidential") as bench:
        alpha = bench.add("alpha")
        bench.go_live("alpha")
        assert (await bench.tokens.bearer(own=False)).app
        read = await bench.api.live(ask(alpha, followed_by=bench.me))
        assert len(read.streams) == 1
        assert len((await bench.api.live(ask(alpha))).streams) == 1
        assert await bench.api.follows(bench.me) == (alpha,)
        assert not bench.odd
