"""One chat connection, with TLS and without, on a network that is slow, cuts anywhere, breaks, lies or falls silent."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import pytest
import trustme
from fault_proxy import FaultProxy, faulty
from keep_alive import hurry
from network_seconds import BACK, IN, OUT, Tell

from allthepoints.base.clock import Stopwatch, SystemClock
from allthepoints.base.secret import Secret
from allthepoints.core.model import Lost
from allthepoints.irc.events import Ended, RoomJoined, SessionEvent, Welcome
from allthepoints.irc.session import Session, SessionOptions
from allthepoints.sim.scenario import Broadcast, ChannelPlan, Limits, Scenario
from allthepoints.sim.server import Sandbox
from allthepoints.twitch.chat import TcpChat
from allthepoints.twitch.link import ChatUnreachable, Link

pytestmark = pytest.mark.anyio

CLOCK = SystemClock()
CA = trustme.CA()
CERT = CA.issue_cert("localhost", "127.0.0.1")

ROOMS = [f"room{number}" for number in range(15)]

SOON = 0.1
"""Seconds of idle_ping, and of pong_timeout, once nothing gets through any more."""

PATIENT = SessionOptions(idle_ping=20.0, pong_timeout=20.0, welcome_timeout=20.0)


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def tls(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@dataclass
class Ear:
    """What the transport told."""

    events: list[SessionEvent] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def on_events(self, events: Sequence[SessionEvent]) -> None:
        assert not self.lost, "nothing is told after the end"
        self.events += events
        self.changed.set()

    def on_lost(self, text: str) -> None:
        self.lost.append(text)
        self.changed.set()

    async def until(self, done: Callable[[], object]) -> float:
        """Answers the seconds."""
        watch = Stopwatch()
        async with asyncio.timeout(60):
            while not done():
                self.changed.clear()
                await self.changed.wait()
        return watch.elapsed()

    def rooms(self) -> set[str]:
        return {event.channel for event in self.events if isinstance(event, RoomJoined)}


class Stage:
    """A sandbox whose chat is reached through a proxy."""

    def __init__(self, sandbox: Sandbox, proxy: FaultProxy, endpoint: str, context: ssl.SSLContext | None) -> None:
        self.sandbox, self.proxy = sandbox, proxy
        self._chat = TcpChat(endpoint, CLOCK, context, tick=0.001)
        self._links: list[Link] = []

    async def link(self, ear: Ear, options: SessionOptions = PATIENT) -> Link:
        token = Secret(self.sandbox.issue_tokens().access)
        link = await self._chat.open(Session("me", token, CLOCK.now(), options), ear.on_events, ear.on_lost)
        self._links.append(link)
        return link

    async def sits(self, ear: Ear, options: SessionOptions = PATIENT) -> Link:
        """In all rooms."""
        link = await self.link(ear, options)
        await ear.until(lambda: Welcome("me") in ear.events)
        link.session.join(ROOMS, CLOCK.now())
        link.flush()
        await ear.until(lambda: ear.rooms() == set(ROOMS))
        return link

    async def sits_after(self, ear: Ear, options: SessionOptions = PATIENT) -> tuple[Link, float]:
        """The same, and the seconds that it took."""
        watch = Stopwatch()
        return await self.sits(ear, options), watch.elapsed()

    def close(self) -> None:
        for link in self._links:
            link.abandon()

    @property
    def connections(self) -> int:
        """Those that the server has."""
        return len(self.sandbox.hub.of(self.sandbox.account))


@contextlib.asynccontextmanager
async def staged(tls: bool) -> AsyncIterator[Stage]:
    channels = tuple(ChannelPlan(login=room, broadcasts=(Broadcast(-60.0, 86400.0),)) for room in ROOMS)
    context = client = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        CERT.configure_cert(context)
        client = ssl.create_default_context()
        CA.configure_trust(client)
    limits = Limits(logins=10_000, joins=10_000)
    sandbox = Sandbox(Scenario(channels=channels, limits=limits), CLOCK, ssl_context=context)
    port = int((await sandbox.start()).irc.rpartition(":")[2])
    try:
        async with faulty(port) as proxy:
            stage = Stage(sandbox, proxy, f"irc{'s' if tls else ''}://127.0.0.1:{proxy.port}", client)
            try:
                yield stage
            finally:
                stage.close()
                await CLOCK.sleep(0)
    finally:
        await sandbox.stop()


# -- slow, and cut anywhere --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("step", "delay", "jitter"), [(1, 0.0, 0.0), (7, 0.0, 0.001), (0, 0.01, 0.02), (100, 0.0, 0.003)]
)
async def test_fc_29_a_trickle_cuts_lines_and_nothing_else(
    tls: bool, step: int, delay: float, jitter: float, tell: Tell
) -> None:
    async with staged(tls) as stage:
        for way in (stage.proxy.up, stage.proxy.down):
            way.step, way.delay, way.jitter = step, delay, jitter
        ear = Ear()
        link, seconds = await stage.sits_after(ear)
        tell(_slowness(step, delay, jitter), IN, seconds)
        stage.sandbox.fault("chat_noise", rate=6)
        stage.sandbox.fault("server_ping")
        link.session.part([ROOMS[0]], CLOCK.now())
        link.flush()
        await ear.until(lambda: len(stage.sandbox.world.rooms(stage.sandbox.account.id)) == len(ROOMS) - 1)
        assert not ear.lost
        assert stage.sandbox.tally().protocol_errors == ()
        link.close()
        await ear.until(lambda: ear.lost)


def _slowness(step: int, delay: float, jitter: float) -> str:
    """In words: lines are split wherever a piece ends."""
    words = [{0: "", 1: "byte by byte"}.get(step, f"split after every {step} bytes")]
    words += [f"{delay * 1000:g} ms late" if delay else "", f"up to {jitter * 1000:g} ms of jitter" if jitter else ""]
    return "Proxy, " + ", ".join(word for word in words if word)


async def test_an_answer_that_is_late_but_in_time_ends_nothing(tls: bool) -> None:
    async with staged(tls) as stage:
        ear = Ear()
        link = await stage.sits(ear, SessionOptions(idle_ping=0.02, pong_timeout=20.0, asked_ping=0.02))
        stage.proxy.up.delay = stage.proxy.down.delay = 0.05
        before = stage.proxy.passed["up"]
        await ear.until(lambda: stage.proxy.passed["up"] > before + 100 or _poke(ear))
        assert not ear.lost
        assert link.lost is None


def _poke(ear: Ear) -> bool:
    """Look again soon, also when nothing is told."""
    asyncio.get_running_loop().call_later(0.01, ear.changed.set)
    return False


# -- breaks ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["reset", "close"])
async def test_fc_05_a_break_is_told_once(tls: bool, kind: str, tell: Tell) -> None:
    async with staged(tls) as stage:
        ear = Ear()
        link = await stage.sits(ear)
        getattr(stage.proxy, kind)()
        tell(cut := f"Proxy, {'RST' if kind == 'reset' else 'FIN'} to both", OUT, await ear.until(lambda: ear.lost))
        assert link.lost in ((Lost.RESET,) if kind == "reset" else (Lost.CLOSED, Lost.TLS))
        assert isinstance(ear.events[-1], Ended)
        assert len(ear.lost) == 1
        again = Ear()
        tell(cut, BACK, (await stage.sits_after(again))[1])
        assert again.rooms() == set(ROOMS)


@pytest.mark.parametrize("way", ["up", "down"])
@pytest.mark.parametrize("end", ["close_after", "reset_after"])
async def test_fc_06_an_end_after_any_number_of_bytes(tls: bool, way: str, end: str, tell: Tell) -> None:
    """During TLS, the sign-in, the joins: an error or an end, and nothing told that the server did not say."""
    async with staged(tls) as stage:
        ear = Ear()
        link = await stage.sits(ear)
        whole = stage.proxy.passed[way]
        link.abandon()
        for count in range(0, whole, max(1, whole // 20)):
            setattr(getattr(stage.proxy, way), end, count)
            await _tries(stage)
        stage.proxy.heal()
        kind = "RST" if end == "reset_after" else "FIN"
        tell(f"Proxy, {kind} after any number of bytes {way}", BACK, (await stage.sits_after(Ear()))[1])


async def _tries(stage: Stage) -> None:
    ear = Ear()
    try:
        link = await stage.link(ear)
    except ChatUnreachable as error:
        ear.lost.append(str(error.lost))
    if ear.lost:
        assert set(ear.lost) <= {Lost.CONNECT, Lost.TLS, Lost.CLOSED, Lost.RESET}
        assert not ear.events
        return
    await ear.until(lambda: Welcome("me") in ear.events or ear.lost)
    if not ear.lost:
        link.session.join(ROOMS, CLOCK.now())
        link.flush()
        await ear.until(lambda: ear.lost or ear.rooms() == set(ROOMS))
    link.abandon()
    assert len(ear.lost) <= 1
    assert ear.rooms() <= set(ROOMS)


async def test_the_servers_half_close_is_an_end(tls: bool, tell: Tell) -> None:
    async with staged(tls) as stage:
        ear = Ear()
        link = await stage.sits(ear)
        stage.proxy.half_close("client")
        tell("Proxy, half-closed by the server", OUT, await ear.until(lambda: ear.lost))
        assert link.lost in (Lost.CLOSED, Lost.TLS)


async def test_a_half_close_of_ours_that_we_did_not_make_is_an_end(tls: bool, tell: Tell) -> None:
    """Somebody between us said FIN in our name: the server closes."""
    async with staged(tls) as stage:
        ear = Ear()
        await stage.sits(ear)
        stage.proxy.half_close("server")
        tell("Proxy, half-closed in our name", OUT, await ear.until(lambda: ear.lost))
        assert stage.connections == 0


# -- silence -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("ways", [("up",), ("down",), ("up", "down")], ids="+".join)
async def test_fc_05_a_way_on_which_nothing_gets_through(tls: bool, ways: tuple[str, ...], tell: Tell) -> None:
    """Either way alone: asked for after idle_ping, and let go of pong_timeout later."""
    async with staged(tls) as stage:
        ear = Ear()
        link = await stage.sits(ear)
        for way in ways:
            getattr(stage.proxy, way).swallow = True
        hurry(link, SOON, SOON)
        tell(cut := f"Proxy, half-open: nothing gets {' and '.join(ways)}", OUT, await ear.until(lambda: ear.lost))
        assert link.lost is Lost.SILENT
        stage.proxy.heal()
        tell(cut, BACK, (await stage.sits_after(Ear()))[1])


async def test_fc_05_a_server_that_accepts_and_says_nothing(tls: bool) -> None:
    async with staged(tls) as stage:
        stage.proxy.mute = True
        ear = Ear()
        options = SessionOptions(welcome_timeout=1.0)
        if tls:
            with pytest.raises(ChatUnreachable) as caught:
                await stage.link(ear, options)
            assert caught.value.lost is Lost.DEADLINE
            return
        link = await stage.link(ear, options)
        await ear.until(lambda: ear.lost)
        assert link.lost is Lost.DEADLINE


# -- lies --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("way", ["up", "down"])
async def test_a_corrupt_record_ends_tls_and_forges_nothing(way: str) -> None:
    async with staged(True) as stage:
        ear = Ear()
        link = await stage.sits(ear)
        whole = stage.proxy.passed[way]
        link.abandon()
        for at in range(0, whole, max(1, whole // 15)):
            getattr(stage.proxy, way).corrupt_after = at
            await _tries(stage)
        stage.proxy.heal()
        ear = Ear()
        link = await stage.sits(ear)
        told = len(ear.events)
        # Any byte of what comes next is another.
        stage.proxy.down.corrupt_after = next(iter(stage.proxy._pairs)).passed["down"] + 9
        stage.sandbox.fault("server_ping")
        await ear.until(lambda: ear.lost)
        assert link.lost is Lost.TLS
        assert [type(event) for event in ear.events[told:]] == [Ended]
