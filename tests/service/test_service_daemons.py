"""The service's chat against IRC daemons that nobody here wrote, over TLS and in real time.

They are Debian's packages `ngircd` and `inspircd`. Where one is missing its tests are skipped with a reason; in CI they
fail. Who is live is a fake's word; who sits in which room is the daemon's, as a second client asks it by NAMES.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

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

pytestmark = [pytest.mark.anyio, pytest.mark.daemon]

CLOCK = SystemClock()
PASSWORD = "oauth:T0"
WITHIN = 30.0

NGIRCD = """
[Global]
Name = irc.example.net
Info = test
Listen = 127.0.0.1
Ports = {plain}
Password = {password}
MotdPhrase = hello
[Limits]
MaxJoins = 0
MaxConnections = 0
MaxConnectionsIP = 0
MaxPenaltyTime = 0
MaxNickLength = 31
[Options]
DNS = no
Ident = no
PAM = no
NoticeBeforeRegistration = no
[SSL]
CertFile = {folder}/cert.pem
KeyFile = {folder}/key.pem
Ports = {port}
"""

INSPIRCD = """
<server name="irc.example.net" description="test" network="test" id="00A">
<admin name="test" nick="test" email="test@example.net">
<module name="ssl_gnutls">
<module name="cap">
<module name="ircv3">
<module name="ircv3_ctctags">
<module name="ircv3_servertime">
<sslprofile name="tls" provider="gnutls" certfile="{folder}/cert.pem" keyfile="{folder}/key.pem">
<bind address="127.0.0.1" port="{port}" type="clients" sslprofile="tls">
<connect name="all" allow="*" password="{password}" recvq="1M" softsendq="10M" hardsendq="50M" threshold="100000"
 commandrate="1000000" fakelag="no" resolvehostnames="no" maxchans="10000" localmax="1000" globalmax="1000"
 timeout="30" pingfreq="60" useident="no">
<channels users="10000" opers="10000">
<performance softlimit="100">
<pid file="{folder}/pid">
"""


@dataclass(frozen=True)
class Daemon:
    """How to run one."""

    name: str
    config: str
    arguments: Callable[[Path], list[str]]
    caps: tuple[str, ...]


DAEMONS = (
    Daemon("ngircd", NGIRCD, lambda file: ["-n", "-f", str(file)], ("twitch.tv/tags", "twitch.tv/commands")),
    Daemon(
        "inspircd",
        INSPIRCD,
        lambda file: ["--nofork", "--nolog", "--runasroot", "--config", str(file)],
        ("message-tags", "server-time"),
    ),
)


@pytest.fixture
def anyio_backend() -> str:
    """Other people's daemons live in real time."""
    return "asyncio"


@pytest.fixture(params=DAEMONS, ids=lambda daemon: daemon.name)
def daemon(request: pytest.FixtureRequest) -> Daemon:
    found: Daemon = request.param
    if _binary(found.name) is None:
        reason = f"{found.name} is not installed (Debian package {found.name})"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def _binary(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")


class Server:
    """A daemon that can be killed and started again on the same port."""

    def __init__(self, daemon: Daemon, folder: Path, authority: trustme.CA) -> None:
        self.port = _free_port()
        self.context = ssl.create_default_context()
        authority.configure_trust(self.context)
        self._daemon = daemon
        self._config = folder / "daemon.conf"
        text = daemon.config.format(port=self.port, plain=_free_port(), folder=folder, password=PASSWORD)
        self._config.write_text(text)
        cert = authority.issue_cert("127.0.0.1")
        cert.private_key_pem.write_to_path(folder / "key.pem")
        for blob in cert.cert_chain_pems:
            blob.write_to_path(folder / "cert.pem", append=True)
        folder.chmod(0o755)
        for file in folder.iterdir():
            file.chmod(0o644)
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        binary = _binary(self._daemon.name)
        assert binary is not None
        null = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(
            binary, *self._daemon.arguments(self._config), stdin=null, stdout=null, stderr=null
        )
        async with asyncio.timeout(WITHIN):
            while True:
                assert self._process.returncode is None, "the daemon did not start"
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    await writer.wait_closed()
                    return
                await CLOCK.sleep(0.05)

    async def kill(self) -> None:
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


class Watcher:
    """A second client, of plain asyncio streams: who is in a room, by the daemon's word."""

    def __init__(self, server: Server) -> None:
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

    server: Server
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
        server = Server(daemon, Path(folder), trustme.CA())
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
