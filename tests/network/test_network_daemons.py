"""Chat servers that nobody here wrote, at the wire's other end: ngircd and InspIRCd, with TLS, under the same cuts."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
from keep_alive import hurry
from netns import Wire, wired
from network_seconds import BACK, IN, OUT, Tell

from allthepoints.base.clock import Stopwatch, SystemClock
from allthepoints.base.secret import Secret
from allthepoints.core.model import Lost
from allthepoints.irc.events import Ended, RoomJoined, RoomParted, SessionEvent, Welcome
from allthepoints.irc.session import Session, SessionOptions
from allthepoints.twitch.chat import TcpChat
from allthepoints.twitch.link import ChatUnreachable, Link
from irc_daemons import DAEMONS, Daemon, DaemonServer, installed

pytestmark = [pytest.mark.anyio, pytest.mark.daemon]

CLOCK = SystemClock()
TOKEN = "testtoken"
ROOMS = [f"room{number:02}" for number in range(20)]
KEEP = 0.6
"""Seconds of idle_ping and pong_timeout once a wire is cut."""
SPARE = 8.0
"""Seconds for two busy cores. What it takes with PATIENT is still more than both."""
CUT = 60.0
"""Seconds of the long cut."""
PING = 2
"""Seconds after which a daemon that was cut off asks for itself."""
PATIENT = 20.0
"""The same until then: neither a busy machine nor a wire that only loses some must be taken for a dead one."""


@pytest.fixture(params=DAEMONS, ids=lambda daemon: daemon.name)
def daemon(request: pytest.FixtureRequest) -> Daemon:
    return installed(request.param)


class Caller:
    """Our transport on the client's machine. Its nick is another each time, unless told: daemons keep a lost one's."""

    def __init__(self, wire: Wire, server: DaemonServer) -> None:
        self.wire, self.server = wire, server
        self.events: list[SessionEvent] = []
        self.lost: list[str] = []
        self._calls = 0
        self._chat = TcpChat(f"ircs://127.0.0.1:{server.port}", CLOCK, server.context)

    async def sits(self, nick: str = "") -> Link:
        """In all rooms, on a new connection. Raises ChatUnreachable, also where it is lost on the way."""
        self._calls += 1
        self.events, self.lost = [], []
        nick, caps = nick or f"viewer{self._calls}", self.server.daemon.caps
        half = PATIENT / 2
        options = SessionOptions(idle_ping=half, pong_timeout=half, asked_ping=half, user_line=True, caps=caps)
        with self.wire.client.inside():
            link = await self._chat.open(
                Session(nick, Secret(TOKEN), CLOCK.now(), options), self._on_events, self.lost.append
            )
        await self._told(lambda: Welcome(nick) in self.events)
        link.session.join(ROOMS, CLOCK.now())
        link.flush()
        await self._told(lambda: self.rooms(RoomJoined) == set(ROOMS))
        return link

    def rooms(self, kind: type[RoomJoined | RoomParted]) -> set[str]:
        """Of which that was told."""
        return {event.channel for event in self.events if isinstance(event, kind)}

    async def sits_after(self, nick: str = "") -> tuple[Link, float]:
        """The same, and the seconds that it took."""
        watch = Stopwatch()
        return await self.sits(nick), watch.elapsed()

    async def found_out(self, link: Link) -> float:
        """Seconds until the connection, whose way was cut just now, is lost."""
        hurry(link, KEEP / 2, KEEP / 2)
        return await self.until(lambda: self.lost)

    async def _told(self, done: Callable[[], object]) -> None:
        await self.until(lambda: self.lost or done())
        if self.lost:
            raise ChatUnreachable(self.lost[0], Lost.CLOSED)

    async def until(self, done: Callable[[], object]) -> float:
        watch = Stopwatch()
        while not done():
            assert watch.elapsed() < 60, (self.events[-3:], self.lost)
            await CLOCK.sleep(0.02)
        return watch.elapsed()

    def _on_events(self, events: Sequence[SessionEvent]) -> None:
        self.events += events


@contextlib.asynccontextmanager
async def running(daemon: Daemon, ping: int = 60) -> AsyncIterator[Caller]:
    with wired() as wire, tempfile.TemporaryDirectory() as folder:
        server = DaemonServer(daemon, Path(folder), f"oauth:{TOKEN}", ping)
        try:
            with wire.server.inside():
                await server.start()
            yield Caller(wire, server)
        finally:
            await server.kill()


async def test_fc_05_the_same_cuts(daemon: Daemon, tell: Tell) -> None:
    async with running(daemon) as caller:
        port = caller.server.port
        link = await caller.sits()
        for ways in (("up",), ("down",), ("up", "down")):
            cut = f"{daemon.name}, cut {' and '.join(ways)}"
            caller.wire.drop(port, *ways)
            tell(cut, OUT, found := await caller.found_out(link))
            assert found < KEEP + SPARE
            assert link.lost is Lost.SILENT
            assert isinstance(caller.events[-1], Ended)
            caller.wire.heal()
            link, seconds = await caller.sits_after()
            tell(cut, BACK, seconds)
        await _reset_and_lossy(caller, link, lambda cut, what, seconds: tell(f"{daemon.name}, {cut}", what, seconds))


@pytest.mark.timeout(300)
async def test_fc_05_a_cut_of_a_minute_and_a_server_that_has_put_us_out(daemon: Daemon, tell: Tell) -> None:
    """Found out in time, and taken back afterwards under the same name: so the server has let go of the old one."""
    async with running(daemon, ping=PING) as caller:
        port = caller.server.port
        link = await caller.sits(nick="viewer")
        caller.wire.reset(port, "down")
        cut = f"{daemon.name}, reset towards the server"
        tell(cut, OUT, found := await caller.found_out(link))
        assert found < KEEP + SPARE
        await CLOCK.sleep(1.0)
        caller.wire.heal()
        link, seconds = await caller.sits_after(nick="viewer")
        tell(cut, BACK, seconds)
        link.abandon()

        link, watch = await caller.sits(nick="other"), Stopwatch()
        caller.wire.drop(port, "up", "down")
        cut = f"{daemon.name}, cut of {CUT:g} s"
        tell(cut, OUT, found := await caller.found_out(link))
        assert found < KEEP + SPARE
        assert link.lost is Lost.SILENT
        with pytest.raises(ChatUnreachable):
            await caller.sits()
        await CLOCK.sleep(CUT - watch.elapsed())
        caller.wire.heal()
        link, seconds = await caller.sits_after(nick="other")
        tell(cut, BACK, seconds)
        link.abandon()


async def _reset_and_lossy(caller: Caller, link: Link, tell: Tell) -> None:
    port = caller.server.port
    caller.wire.reset(port, "up")
    tell("reset towards us", OUT, found := await caller.found_out(link))
    assert found < KEEP + SPARE
    assert link.lost is Lost.RESET
    with pytest.raises(ChatUnreachable) as caught:
        await caller.sits()
    assert caught.value.lost is Lost.CONNECT
    caller.wire.heal()

    caller.wire.drop(port, "up", "down", share=0.1)
    for _ in range(3):
        link, seconds = await caller.sits_after()
        tell("10 % of all packets lost", IN, seconds)
        link.abandon()
    caller.wire.heal()
    caller.wire.slow(200)
    link, seconds = await caller.sits_after()
    assert caller.wire.held_back() > 0
    tell("200 kbit/s", IN, seconds)
    link.session.part(ROOMS, CLOCK.now())
    link.flush()
    await caller.until(lambda: caller.lost or caller.rooms(RoomParted) == set(ROOMS))
    assert not caller.lost
    link.close()
    await caller.until(lambda: caller.lost)
    assert link.lost is Lost.OURS
