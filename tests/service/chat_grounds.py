"""Three chat servers with one face, for the same tests: our own sandbox, and two IRC daemons that nobody here wrote.

All run over TLS and in real time. In front of each is a relay, by which the way to it can be cut, or fall silent. Who
sits in which room is the server's own word: the daemons are asked by NAMES, as a second client.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import trustme

from allthepoints.base.clock import Chance, SystemClock
from allthepoints.base.secret import Secret
from allthepoints.sim.scenario import Scenario
from allthepoints.sim.server import Sandbox
from irc_daemons import Daemon, DaemonServer

CLOCK = SystemClock()
WITHIN = 30.0


class Ground(Protocol):
    """A chat server. `token` is the one that it takes; USER and `caps` are what it wants to hear."""

    context: ssl.SSLContext
    token: Secret
    user_line: bool
    caps: tuple[str, ...]

    @property
    def port(self) -> int:
        """Where it listens, also after a new start."""
        ...

    def add(self, login: str, channel_id: str) -> None:
        """There may be such a room."""
        ...

    def rename(self, login: str, to: str) -> None:
        """The channel is called otherwise from now on."""
        ...

    async def start(self) -> None:
        """Begin, or begin again."""
        ...

    async def kill(self) -> None:
        """Gone at once, and all connections with it."""
        ...

    async def rooms(self, *logins: str) -> set[str]:
        """In which of these our account sits."""
        ...

    async def talk(self, login: str, *texts: str) -> None:
        """Somebody else comes, says this, and goes."""
        ...

    async def aclose(self) -> None:
        """Nothing is left of it."""
        ...


class SandboxGround:
    """The sandbox."""

    user_line = False
    caps = ("twitch.tv/tags", "twitch.tv/commands")

    def __init__(self) -> None:
        authority = trustme.CA()
        server, self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
        authority.issue_cert("127.0.0.1").configure_cert(server)
        authority.configure_trust(self.context)
        self._sandbox = Sandbox(Scenario(), CLOCK, chance=Chance(1), ssl_context=server)
        self.token = Secret(self._sandbox.issue_tokens().access)
        self._port = 0

    @property
    def port(self) -> int:
        return self._port

    def add(self, login: str, channel_id: str) -> None:
        self._sandbox.add_channel(login, channel_id=channel_id)

    def rename(self, login: str, to: str) -> None:
        self._sandbox.fault("rename", channel=login, to=to)

    async def start(self) -> None:
        if self._port == 0:
            self._port = int((await self._sandbox.start()).irc.rsplit(":", 1)[1])
        else:
            await self._sandbox._chat_server.start(self._port)

    async def kill(self) -> None:
        await self._sandbox._chat_server.stop()

    async def rooms(self, *logins: str) -> set[str]:
        world = self._sandbox.world
        return {world.users[channel].login for channel in world.rooms(self._sandbox.account.id)} & set(logins)

    async def talk(self, login: str, *texts: str) -> None:
        for connection in self._sandbox.hub.of(self._sandbox.account):
            for text in texts:
                connection.say(f":bob!bob@bob.tmi.twitch.tv PRIVMSG #{login} :{text}")

    async def aclose(self) -> None:
        await self._sandbox.stop()
        assert not self._sandbox.tally().protocol_errors


class DaemonGround:
    """One of the daemons; its password is our token."""

    user_line = True

    def __init__(self, daemon: Daemon, folder: Path) -> None:
        self.token = Secret("good")
        self.caps = daemon.caps
        self._server = DaemonServer(daemon, folder, f"oauth:{self.token.reveal()}")
        self.context = self._server.context
        self._watcher = Client(self, "watcher")

    @property
    def port(self) -> int:
        return self._server.port

    def add(self, login: str, channel_id: str) -> None:
        """Whoever joins first makes the room."""

    def rename(self, login: str, to: str) -> None:
        """The old room stands as long as somebody sits in it."""

    async def start(self) -> None:
        await self._server.start()
        await self._watcher.connect()

    async def kill(self) -> None:
        await self._watcher.aclose()
        await self._server.kill()

    async def rooms(self, *logins: str) -> set[str]:
        found = set()
        for login in logins:
            lines = await self._watcher.ask(f"NAMES #{login}", " 366 ")
            names = [name.lstrip("@+%&~") for line in lines if " 353 " in line for name in line.split(" :")[-1].split()]
            if "me" in names:
                found.add(login)
        return found

    async def talk(self, login: str, *texts: str) -> None:
        client = Client(self, "bob")
        await client.connect()
        await client.ask(f"JOIN #{login}", " 366 ")
        for text in texts:
            await client.ask(f"PRIVMSG #{login} :{text}\r\nPING done", "PONG")
        await client.aclose()

    async def aclose(self) -> None:
        await self.kill()


class Client:
    """Another client of a daemon, of plain asyncio streams."""

    def __init__(self, ground: DaemonGround, nick: str) -> None:
        self._ground = ground
        self._nick = nick
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self._ground.port, ssl=self._ground.context
        )
        password = f"oauth:{self._ground.token.reveal()}"
        await self.ask(f"PASS {password}\r\nNICK {self._nick}\r\nUSER {self._nick} 0 * :w", " 001 ")

    async def ask(self, text: str, until: str) -> list[str]:
        """Say it; what comes, to the line with `until` in it."""
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


class Relay:
    """The network between: it carries bytes both ways, until it is told otherwise."""

    def __init__(self, ground: Ground) -> None:
        self.port = 0
        self.carried = 0
        """Connections so far that reached the server."""
        self._ground = ground
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._silent: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Every connection is reset."""
        for end in self._ends:
            if (sock := end.get_extra_info("socket")) is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.transport.abort()

    def fall_silent(self) -> None:
        """What is connected now stays so, and nothing is carried any more."""
        self._silent |= self._ends

    async def aclose(self) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(OSError):
            beyond, onward = await asyncio.open_connection("127.0.0.1", self._ground.port)
            self.carried += 1
            ends = {writer, onward}
            self._ends |= ends
            try:
                await asyncio.gather(self._copy(reader, onward), self._copy(beyond, writer))
            finally:
                self._ends -= ends
                onward.transport.abort()
        writer.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if writer not in self._silent:
                writer.write(data)
        if writer not in self._silent and not writer.is_closing():
            writer.write_eof()


@contextlib.asynccontextmanager
async def relayed(ground: Ground) -> AsyncIterator[Relay]:
    """A relay in front of the server; both end with it."""
    relay = Relay(ground)
    try:
        await ground.start()
        await relay.start()
        yield relay
    finally:
        await relay.aclose()
        await ground.aclose()
