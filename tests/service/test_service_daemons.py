"""The service's chat against IRC daemons that nobody here wrote, over TLS and in real time.

They are Debian's packages `ngircd` and `inspircd`. Where one is missing its tests are skipped with a reason; in CI they
fail. Who is live is a fake's word; who sits in which room is the daemon's, as a second client asks it by NAMES.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from allthepoints.base.backoff import Backoff
from allthepoints.base.clock import Chance, SystemClock
from allthepoints.base.secret import Secret
from allthepoints.base.types import Login, UserId
from allthepoints.core.model import Account
from allthepoints.core.policy import Policy
from allthepoints.irc.session import SessionOptions
from allthepoints.service.loop import Outside, Service
from allthepoints.testing.fakes import FakeLiveApi, FakeTokens, FakeTwitch
from allthepoints.testing.memory_storage import MemoryStorage
from allthepoints.twitch.chat import TcpChat
from irc_daemons import DAEMONS, Daemon, DaemonServer, installed

pytestmark = [pytest.mark.anyio, pytest.mark.daemon]

CLOCK = SystemClock()
PASSWORD = "oauth:T0"
WITHIN = 30.0


@pytest.fixture
def anyio_backend() -> str:
    """Other people's daemons live in real time."""
    return "asyncio"


@pytest.fixture(params=DAEMONS, ids=lambda daemon: daemon.name)
def daemon(request: pytest.FixtureRequest) -> Daemon:
    return installed(request.param)


class Watcher:
    """A second client, of plain asyncio streams: who is in a room, by the daemon's word."""

    def __init__(self, server: DaemonServer) -> None:
        self._server = server
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self) -> None:
        await self.aclose()
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self._server.port, ssl=self._server.context
        )
        await self._ask(f"PASS {PASSWORD}\r\nNICK watcher\r\nUSER watcher 0 * :w", " 001 ")

    async def rooms(self, *logins: str) -> set[str]:
        """Those of the rooms in which our account is."""
        found = set()
        for login in logins:
            lines = await self._ask(f"NAMES #{login}", " 366 ")
            names = [name.lstrip("@+%&~") for line in lines if " 353 " in line for name in line.split(" :")[-1].split()]
            if "me" in names:
                found.add(login)
        return found

    async def _ask(self, text: str, until: str) -> list[str]:
        assert self._reader is not None
        assert self._writer is not None
        self._writer.write(f"{text}\r\n".encode())
        lines: list[str] = []
        async with asyncio.timeout(WITHIN):
            while not lines or until not in lines[-1]:
                line = (await self._reader.readuntil(b"\n")).decode().strip()
                if line.startswith("PING"):
                    self._writer.write(line.replace("PING", "PONG", 1).encode() + b"\r\n")
                lines.append(line)
        return lines

    async def aclose(self) -> None:
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError, ssl.SSLError):
                await self._writer.wait_closed()
            self._writer = None


@dataclass
class Scene:
    """The daemon, and the service in front of it."""

    server: DaemonServer
    watcher: Watcher
    twitch: FakeTwitch
    service: Service
    storage: MemoryStorage

    async def until(self, *rooms: str) -> None:
        """Wait until the account is in these of all rooms, by the daemon's word and by ours."""
        everyone = [channel.login for channel in self.twitch.channels.values()]
        async with asyncio.timeout(WITHIN):
            while await self.watcher.rooms(*everyone) != set(rooms) or self.present() != set(rooms):
                await CLOCK.sleep(0.02)

    def present(self) -> set[str]:
        snapshot = self.service.snapshot
        return {row.login for row in snapshot.rows.values() if row.state == "present"} if snapshot else set()


@contextlib.asynccontextmanager
async def scene(daemon: Daemon) -> AsyncIterator[Scene]:
    with tempfile.TemporaryDirectory() as folder:
        server = DaemonServer(daemon, Path(folder), PASSWORD)
        watcher = Watcher(server)
        twitch = FakeTwitch(CLOCK, Account(UserId("1001"), Login("me")))
        storage = MemoryStorage()
        chat = TcpChat(f"ircs://127.0.0.1:{server.port}", CLOCK, server.context)
        outside = Outside(FakeLiveApi(twitch), chat, FakeTokens(twitch), storage, CLOCK, Chance(1))
        quick = Policy(poll_live=0.1, offline_after=0.2, reconnect=Backoff(first=0.1, cap=0.2))
        service = Service(outside, quick, SessionOptions(user_line=True, caps=daemon.caps))
        assert FakeTokens(twitch).chat_token() == Secret(PASSWORD.removeprefix("oauth:"))
        running: asyncio.Task[None] | None = None
        try:
            await server.start()
            await watcher.connect()
            running = asyncio.ensure_future(service.run())
            yield Scene(server, watcher, twitch, service, storage)
        finally:
            service.stop()
            if running is not None:
                await running
            await watcher.aclose()
            await server.kill()


async def test_joins_what_is_live_and_leaves_what_is_not(daemon: Daemon) -> None:
    async with scene(daemon) as s:
        for login in ("alpha", "beta", "gamma"):
            s.twitch.add(login)
        s.twitch.go_live("alpha")
        s.twitch.go_live("beta")
        await s.until("alpha", "beta")
        s.twitch.go_offline("alpha")
        s.twitch.go_live("gamma")
        await s.until("beta", "gamma")
        s.twitch.rename("gamma", "delta")
        await s.until("beta", "delta")


async def test_survives_a_kill_and_a_restart_of_the_daemon(daemon: Daemon) -> None:
    async with scene(daemon) as s:
        for login in ("alpha", "beta", "gamma"):
            s.twitch.add(login)
            s.twitch.go_live(login)
        await s.until("alpha", "beta", "gamma")
        await s.server.kill()
        async with asyncio.timeout(WITHIN):
            while s.present():
                await CLOCK.sleep(0.02)
        s.twitch.go_offline("beta")
        await s.server.start()
        await s.watcher.connect()
        await s.until("alpha", "gamma")


async def test_a_stop_leaves_the_rooms(daemon: Daemon) -> None:
    async with scene(daemon) as s:
        s.twitch.add("alpha")
        s.twitch.go_live("alpha")
        await s.until("alpha")
        s.service.stop()
        async with asyncio.timeout(WITHIN):
            while await s.watcher.rooms("alpha") or s.storage.memory.presence[-1].ended_at is None:
                await CLOCK.sleep(0.02)
