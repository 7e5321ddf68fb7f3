"""A person's machine that the doctor looks at, with the sandbox or small servers of its own on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from pathlib import Path
from socket import AF_INET, AddressFamily

import trustme

from allthepoints.base.clock import SystemClock
from allthepoints.base.secret import Secret
from allthepoints.base.types import Login, UserId
from allthepoints.config.environment import Environment
from allthepoints.config.paths import ConfigPath, DataDir
from allthepoints.core.checkup import NAMES, Finding, Grade
from allthepoints.operation.doctor import PATIENCE, examine
from allthepoints.operation.doctor_net import Patience, Resolve
from allthepoints.ports import StoredTokens
from allthepoints.sim.scenario import AccountPlan, Scenario
from allthepoints.sim.server import Sandbox
from allthepoints.storage.tokenfile import TokenFile

CLOCK = SystemClock()

SHORT = Patience(names=0.2, shake=0.2, answer=0.2, welcome=0.2)
"""For what hangs."""

NOTHING_SET = Environment()

OK, WARNING, FAULT = Grade.OK, Grade.WARNING, Grade.FAULT

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

NOWHERE = "127.0.0.1:1"
"""Nobody listens there."""


@dataclass
class Stage:
    """The config is what `endpoints` says; `environment` what the person set."""

    home: Path
    endpoints: dict[str, str]
    box: Sandbox | None = None
    environment: Environment = NOTHING_SET
    more: str = '[dashboard]\nlisten = ""\n'
    last: dict[str, Finding] = field(default_factory=dict)

    @property
    def data(self) -> DataDir:
        return DataDir(self.home / "data")

    @property
    def sandbox(self) -> Sandbox:
        assert self.box is not None
        return self.box

    async def examine(
        self, *, chat: bool = False, resolve: Resolve | None = None, patience: Patience = PATIENCE
    ) -> dict[str, Finding]:
        """Every finding by its name; each name once, in the order of the list."""
        config = self.home / "config.toml"
        lines = "".join(f'{name} = "{url}"\n' for name, url in self.endpoints.items())
        config.write_text(f'[twitch]\nclient_id = "sandbox"\n{self.more}[endpoints]\n{lines}')
        given = {} if resolve is None else {"resolve": resolve}
        found = await examine(
            ConfigPath(config, True), self.data, self.environment, CLOCK, chat=chat, patience=patience, **given
        )
        self.last = {finding.name: finding for finding in found}
        assert [*self.last] == [name for name in NAMES if name in self.last]
        assert len(self.last) == len(found)
        return self.last

    def see(self, name: str, grade: Grade, *words: str, cure: str = "") -> None:
        """What was found last under that name."""
        found = self.last[name]
        assert found.grade is grade, found
        assert all(word in found.text for word in words), found.text
        assert cure in found.cure, found.cure

    def sign_in(self, *scopes: str, account: str = "me", refresh: bool = True, **changed: object) -> StoredTokens:
        """What `login` leaves behind."""
        pair = self.sandbox.issue_tokens(scopes or ("chat:read", "user:read:follows"), account=account)
        now = CLOCK.now()
        tokens = StoredTokens(
            *(Secret(pair.access), Secret(pair.refresh) if refresh else None, "sandbox"),
            *(Login("me"), UserId("1001"), scopes, now, now + 14400.0),
        )
        tokens = replace(tokens, **changed)  # type: ignore[arg-type]
        self.data.path.mkdir(mode=0o700, exist_ok=True)
        TokenFile(self.data.tokens).save(tokens)
        return tokens

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Everything in the data directory."""
        if not self.data.path.exists():
            return {}
        return {
            path.name: (path.read_bytes(), path.stat().st_mode) for path in self.data.path.iterdir() if path.is_file()
        }


@contextlib.asynccontextmanager
async def sandboxed(home: Path, scenario: Scenario | None = None) -> AsyncIterator[Stage]:
    """With the sandbox."""
    box = Sandbox(scenario or Scenario(others=(AccountPlan("other", id="1002"),)), CLOCK)
    at = await box.start()
    endpoints = {name: getattr(at, name) for name in ("irc", "helix", "oauth", "streamelements")}
    try:
        yield Stage(home, endpoints, box)
    finally:
        await box.stop()


def closed(home: Path, **endpoints: str) -> Stage:
    """Without: an endpoint that is not given is one where nobody listens."""
    given = {"irc": f"irc://{NOWHERE}"}
    given |= {name: f"http://{NOWHERE}/{name}" for name in ("helix", "oauth", "streamelements")}
    return Stage(home, {**given, **endpoints})


@contextlib.asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on loopback; answers its port. Everything is closed at the end."""
    writers: set[asyncio.StreamWriter] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(run, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes everything and says nothing."""
    while await reader.read(4096):
        pass


def answering(
    status: str = "401 Unauthorized",
    body: str = '{"status":401,"message":"missing token"}',
    off: float = 0.0,
    headers: str = "",
) -> Serve:
    """HTTP; its clock is `off` by so many seconds."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        date = formatdate(CLOCK.now() + off, usegmt=True)
        writer.write(
            f"HTTP/1.1 {status}\r\nDate: {date}\r\n{headers}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            f"{body}".encode()
        )
        await writer.drain()

    return serve


def leading(**hosts: Sequence[str]) -> Resolve:
    """A resolver that knows these names (`_` stands for a dot), and localhost."""

    async def resolve(host: str, port: int, family: AddressFamily) -> Sequence[str]:
        found = hosts.get(host.replace(".", "_"), ("127.0.0.1",) if host == "localhost" else ())
        return [address for address in found if (":" in address) is (family != AF_INET)]

    return resolve


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context
