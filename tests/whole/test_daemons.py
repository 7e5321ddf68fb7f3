"""Our chat transport against IRC daemons that nobody here wrote: ngircd (untagged) and InspIRCd (tagged, colon forms).

They are Debian's packages `ngircd` and `inspircd`. Where one is missing its tests are skipped with a reason; in CI they
fail. TLS is on, the password is our token, and the token never goes anywhere but to loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from allthepoints.base.clock import SystemClock
from allthepoints.base.secret import Secret
from allthepoints.core.model import Lost
from allthepoints.irc.events import Ended, LoginRefused, RoomJoined, RoomParted, SessionEvent, Welcome
from allthepoints.irc.scan import Buffer
from allthepoints.irc.session import Session, SessionOptions
from allthepoints.twitch.chat import TcpChat
from allthepoints.twitch.link import ChatUnreachable, Link
from irc_daemons import DAEMONS, Daemon, DaemonServer, installed

pytestmark = [pytest.mark.anyio, pytest.mark.daemon]

CLOCK = SystemClock()
TOKEN = "testtoken"
ROOMS = [f"room{number:03}" for number in range(100)]


@pytest.fixture(params=DAEMONS, ids=lambda daemon: daemon.name)
def daemon(request: pytest.FixtureRequest) -> Daemon:
    return installed(request.param)


class Running:
    """A daemon that runs, and a way to it."""

    def __init__(self, daemon: DaemonServer) -> None:
        self.daemon = daemon
        self._chat = TcpChat(f"ircs://127.0.0.1:{daemon.port}", CLOCK, daemon.context)
        self._links: list[Link] = []

    async def link(self, ear: Ear, token: str = TOKEN, **options: float) -> Link:
        own = SessionOptions(user_line=True, caps=self.daemon.daemon.caps, **options)  # type: ignore[arg-type]
        try:
            return await self.open(Listening(ear, token, own), ear)
        except ChatUnreachable as error:
            if error.lost is not Lost.DEADLINE:
                raise
            # On a busy machine a daemon that has just started may leave its first caller waiting.
            return await self.open(Listening(ear, token, own), ear)

    async def open(self, session: Session, ear: Ear) -> Link:
        link = await self._chat.open(session, ear.on_events, ear.on_lost)
        self._links.append(link)
        return link

    async def aclose(self) -> None:
        await self.daemon.kill()
        for link in self._links:
            link.abandon()
        await CLOCK.sleep(0)


class Ear:
    """What the transport told, and the bytes beneath."""

    def __init__(self) -> None:
        self.events: list[SessionEvent] = []
        self.lost: list[str] = []
        self.heard = b""
        self.changed = asyncio.Event()

    def on_events(self, events: Sequence[SessionEvent]) -> None:
        self.events += events
        self.changed.set()

    def on_lost(self, text: str) -> None:
        self.lost.append(text)
        self.changed.set()

    async def until(self, done: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not done():
                self.changed.clear()
                await self.changed.wait()

    def rooms(self, kind: type[RoomJoined] | type[RoomParted]) -> list[str]:
        return [event.channel for event in self.events if isinstance(event, kind)]


class Listening(Session):
    """A session that lets the test hear what it hears."""

    def __init__(self, ear: Ear, token: str, options: SessionOptions) -> None:
        super().__init__("justviewer", Secret(token), CLOCK.now(), options)
        self._ear = ear

    def receive(self, data: Buffer, now: float) -> list[SessionEvent]:
        self._ear.heard += bytes(data)
        self._ear.changed.set()
        return super().receive(data, now)


@contextlib.asynccontextmanager
async def running(daemon: Daemon) -> AsyncIterator[Running]:
    """Start it on a free port; end it by its own id."""
    with tempfile.TemporaryDirectory() as folder:
        server = Running(DaemonServer(daemon, Path(folder), f"oauth:{TOKEN}", ping=1))
        try:
            await server.daemon.start()
            yield server
        finally:
            await server.aclose()


async def test_a_hundred_rooms(daemon: Daemon) -> None:
    async with running(daemon) as server:
        ear = Ear()
        link = await server.link(ear, idle_ping=0.05)
        await ear.until(lambda: Welcome("justviewer") in ear.events)
        link.session.join(ROOMS, CLOCK.now())
        link.flush()
        # Two proofs for each: the echo and 366.
        await ear.until(lambda: len(ear.rooms(RoomJoined)) == 200)
        assert sorted(set(ear.rooms(RoomJoined))) == ROOMS
        assert len(ear.events) == 201

        link.session.part(ROOMS[:10], CLOCK.now())
        link.flush()
        await ear.until(lambda: len(ear.rooms(RoomParted)) == 10)
        assert sorted(ear.rooms(RoomParted)) == ROOMS[:10]

        # Our PING, as soon as it is silent for a moment.
        await ear.until(lambda: b":allthepoints-1\r\n" in ear.heard)
        tagged = [line.startswith(b"@time=") for line in ear.heard.split(b"\r\n") if b" JOIN " in line]
        assert len(tagged) == 100
        assert set(tagged) == {daemon.tagged}

        link.session.quit(CLOCK.now())
        link.close()
        await ear.until(lambda: ear.lost)
        assert (link.lost, ear.lost) == (Lost.OURS, ["closed by us"])


async def test_the_servers_ping_is_answered(daemon: Daemon) -> None:
    """Both are told to ask soon; whoever does not answer is not served any longer."""
    async with running(daemon) as server:
        ear = Ear()
        link = await server.link(ear)
        await ear.until(lambda: Welcome("justviewer") in ear.events)
        await ear.until(lambda: re.search(rb"(?:^|\n)(?:@\S+ )?(?::\S+ )?PING ", ear.heard))
        link.session.join(["after"], CLOCK.now())
        link.flush()
        await ear.until(lambda: "after" in ear.rooms(RoomJoined))
        link.close()
        await ear.until(lambda: ear.lost)


async def test_another_user_proves_nothing(daemon: Daemon) -> None:
    async with running(daemon) as server:
        mine, theirs = Ear(), Ear()
        link = await server.link(mine)
        await mine.until(lambda: Welcome("justviewer") in mine.events)
        link.session.join(["room"], CLOCK.now())
        link.flush()
        await mine.until(lambda: len(mine.rooms(RoomJoined)) == 2)
        own = SessionOptions(user_line=True, caps=daemon.caps)
        other = Session("somebody", Secret(TOKEN), CLOCK.now(), own)
        second = await server.open(other, theirs)
        await theirs.until(lambda: theirs.events)
        other.join(["room"], CLOCK.now())
        second.flush()
        await theirs.until(lambda: len(theirs.rooms(RoomJoined)) == 2)
        await mine.until(lambda: b":somebody!" in mine.heard)
        assert len(mine.rooms(RoomJoined)) == 2
        for one, ear in ((link, mine), (second, theirs)):
            one.close()
            await ear.until(lambda ear=ear: ear.lost)  # type: ignore[misc]


async def test_the_daemon_dies(daemon: Daemon) -> None:
    async with running(daemon) as server:
        ear = Ear()
        link = await server.link(ear)
        await ear.until(lambda: Welcome("justviewer") in ear.events)
        await server.daemon.kill()
        await ear.until(lambda: ear.lost)
        assert link.lost in (Lost.CLOSED, Lost.RESET)
        assert isinstance(ear.events[-1], Ended)
        with pytest.raises(ChatUnreachable) as caught:
            await server.link(Ear())
        # A dying daemon's port may still take a connection, and drop it.
        assert caught.value.lost in (Lost.CONNECT, Lost.TLS)


async def test_fc_17_a_wrong_password(daemon: Daemon) -> None:
    async with running(daemon) as server:
        ear = Ear()
        link = await server.link(ear, token="wrong")
        await ear.until(lambda: ear.lost)
        assert [type(event) for event in ear.events] == [LoginRefused, Ended], ear.heard
        assert link.lost is Lost.LOGIN
        assert "wrong" not in ear.lost[0]
