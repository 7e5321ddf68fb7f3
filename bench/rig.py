"""The real service against the sandbox on simulated time: over loopback sockets, or all in memory.

In memory everything of ours runs but the kernel's sockets: HTTP calls the sandbox's app, and the chat's `Link` is given
a transport that hands bytes to the sandbox's end. A day then costs what our own code costs.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from allthepoints import wiring
from allthepoints.base.clock import Chance, LoopClock
from allthepoints.base.secret import Secret
from allthepoints.config.paths import DataDir
from allthepoints.config.settings import Channels, Endpoints, Settings, Twitch, Wish
from allthepoints.core.policy import ACCOUNT_ROOMS
from allthepoints.ports import ChatTransport
from allthepoints.service.loop import Service
from allthepoints.sim.scenario import Scenario
from allthepoints.sim.server import Sandbox
from allthepoints.sim.timelapse import TimelapseLoop
from allthepoints.testing.inprocess import InProcess
from allthepoints.twitch.chat import TcpChat
from allthepoints.twitch.link import Link

EPOCH = 1_795_564_800.0
"""Every simulated day is 25 November 2026, UTC."""

NOWHERE = "irc://127.0.0.1:6667"
"""Where the chat would be, if there were sockets."""

EVERYONE = Channels()

EVERY_ROOM = Channels(max_rooms=ACCOUNT_ROOMS)
"""No room is left to the person's own client: the account's limit is ours to keep."""


@dataclass(frozen=True, slots=True)
class Rig:
    """A running service and the sandbox it runs in."""

    service: Service
    sandbox: Sandbox
    clock: LoopClock
    running: asyncio.Task[None]

    async def pass_time(self, seconds: float) -> None:
        """Let simulated seconds go by. Raises what ends the service."""
        await asyncio.wait({self.running}, timeout=seconds)
        if self.running.done():
            self.running.result()
            raise RuntimeError("the service ended by itself")


def simulated() -> asyncio.Runner:
    """A runner whose loop lets time go by as fast as the machine can."""
    return asyncio.Runner(loop_factory=TimelapseLoop)


def without_sockets() -> asyncio.Runner:
    """The same where nothing can be in flight in the kernel, so that nothing has to be waited for before a jump."""
    return asyncio.Runner(loop_factory=_MemoryLoop)


@asynccontextmanager
async def by_sockets(
    scenario: Scenario, folder: Path, channels: Channels = EVERYONE, wishes: tuple[Wish, ...] = ()
) -> AsyncIterator[Rig]:
    """The service as `wiring` makes it, on loopback. With wishes it has a JWT, and may buy by itself."""
    clock = LoopClock(asyncio.get_running_loop(), EPOCH)
    sandbox = Sandbox(scenario, clock, chance=Chance(scenario.seed))
    ends = await sandbox.start()
    endpoints = Endpoints(irc=ends.irc, helix=ends.helix, oauth=ends.oauth, streamelements=ends.streamelements)
    try:
        async with _running(sandbox, clock, endpoints, folder, channels, wishes=wishes) as rig:
            yield rig
    finally:
        await sandbox.stop()


@asynccontextmanager
async def in_memory(scenario: Scenario, folder: Path, channels: Channels = EVERYONE) -> AsyncIterator[Rig]:
    """The same without sockets."""
    clock = LoopClock(asyncio.get_running_loop(), EPOCH)
    sandbox = Sandbox(scenario, clock, chance=Chance(scenario.seed))
    sandbox.begin()
    endpoints = Endpoints(
        irc=NOWHERE,
        helix="http://127.0.0.1/helix",
        oauth="http://127.0.0.1/oauth2",
        streamelements="http://127.0.0.1/kappa/v2",
    )
    chat = _MemoryChat(sandbox, clock)
    try:
        async with _running(sandbox, clock, endpoints, folder, channels, chat, InProcess(sandbox.app)) as rig:
            yield rig
    finally:
        await sandbox.stop()


@asynccontextmanager
async def _running(
    sandbox: Sandbox,
    clock: LoopClock,
    endpoints: Endpoints,
    folder: Path,
    channels: Channels,
    chat: ChatTransport | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
    wishes: tuple[Wish, ...] = (),
) -> AsyncIterator[Rig]:
    scenario, tokens = sandbox.scenario, sandbox.issue_tokens()
    twitch = Twitch(client_id=scenario.client_id)
    settings = Settings(twitch=twitch, channels=channels, endpoints=endpoints, wish=wishes)
    jwt = Secret(sandbox.issue_jwt()) if wishes else None
    given, chance = wiring.Given(Secret(tokens.access), Secret(tokens.refresh), jwt=jwt), Chance(scenario.seed)
    async with wiring.assembled(
        settings, given, DataDir(folder), clock, chance, chat=chat, transport=transport, durable=False
    ) as service:
        running = asyncio.ensure_future(service.run())
        if wishes:
            service.ask("allow_auto", data={"allowed": True})
        try:
            yield Rig(service, sandbox, clock, running)
        finally:
            service.stop()
            await running


class _MemoryLoop(TimelapseLoop):
    def idle(self, inner: selectors.BaseSelector, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or self._jobs:
            return super().idle(inner, timeout)
        self._now += timeout
        return []


class _MemoryChat(TcpChat):
    """The chat transport, but for the dialling."""

    def __init__(self, sandbox: Sandbox, clock: LoopClock) -> None:
        super().__init__(NOWHERE, clock)
        self._sandbox = sandbox

    async def _dial(self, link: Link) -> None:
        link.connection_made(_MemoryTransport(self._sandbox, link))


class _MemoryTransport(asyncio.Transport):
    """What asyncio would give a `Link`, with the sandbox's end of the chat behind it. It takes all at once."""

    def __init__(self, sandbox: Sandbox, link: Link) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._link = link
        self._wire = sandbox.connect_chat(self._arrived, self._ended)
        self._closing = False
        self._paused = False
        self._waiting = bytearray()
        self._end: str | None = None

    def write(self, data: Any) -> None:
        self._wire.send(bytes(data))

    def write_eof(self) -> None:
        self.close()  # the server answers the half close by closing

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        self._hand_over()

    def close(self) -> None:
        self._close(None)

    def abort(self) -> None:
        self._close(None)

    def _close(self, error: Exception | None) -> None:
        if not self._closing:
            self._closing = True
            self._wire.close()
            self._loop.call_soon(self._link.connection_lost, error)

    def _arrived(self, data: bytes) -> None:
        self._waiting += data
        self._hand_over()

    def _ended(self, text: str) -> None:
        self._end = text
        self._hand_over()

    def _hand_over(self) -> None:
        while self._waiting and not self._paused and not self._closing:
            room = self._link.get_buffer(-1)
            size = min(len(room), len(self._waiting))
            room[:size] = self._waiting[:size]
            del self._waiting[:size]
            self._link.buffer_updated(size)
        if self._end is not None and not self._waiting:
            self._close(ConnectionResetError("reset") if "reset" in self._end else None)
