"""A sandbox on real sockets in a thread of its own, for commands that run their own event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from allthepoints.base.clock import SystemClock
from allthepoints.sim.scenario import Scenario
from allthepoints.sim.server import Endpoints, Sandbox
from allthepoints.testing.clock import settle

T = TypeVar("T")

WITHIN = 60.0
"""Seconds for what takes well under one: two cores are shared with other tests."""


class SharedTime:
    """Real time, and what was slept away since: `hurried` sleeps at once, and the sandbox sees the time go by."""

    def __init__(self) -> None:
        self.slept = 0.0
        self.real = _Real(self)
        self.hurried = _Hurried(self)


class _Real(SystemClock):
    def __init__(self, shared: SharedTime) -> None:
        super().__init__()
        self._shared = shared

    def now(self) -> float:
        return super().now() + self._shared.slept


class _Hurried(_Real):
    async def sleep(self, seconds: float) -> None:
        self._shared.slept += max(0.0, seconds)
        await settle(1)


class RunningSandbox:
    """The sandbox, and how to reach it from another thread."""

    def __init__(self, sandbox: Sandbox, endpoints: Endpoints, loop: asyncio.AbstractEventLoop) -> None:
        self.sandbox = sandbox
        self.endpoints = endpoints
        self._loop = loop

    def call(self, ask: Callable[[Sandbox], T]) -> T:
        """`ask` in the sandbox's own thread."""

        async def asked() -> T:
            return ask(self.sandbox)

        return asyncio.run_coroutine_threadsafe(asked(), self._loop).result(WITHIN)

    def fault(self, name: str, **parameters: object) -> None:
        self.call(lambda sandbox: sandbox.fault(name, **parameters))

    @property
    def config(self) -> str:
        """What a config says to use it."""
        e = self.endpoints
        return (
            f'[twitch]\nclient_id = "{self.sandbox.scenario.client_id}"\n[poll]\nlive = "200ms"\n'
            f'[endpoints]\nirc = "{e.irc}"\nhelix = "{e.helix}"\noauth = "{e.oauth}"\n'
            f'streamelements = "{e.streamelements}"\n'
        )


@contextmanager
def running_sandbox(scenario: Scenario, time: SharedTime | None = None) -> Iterator[RunningSandbox]:
    """Started, and ended with everything in it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sandbox")
    thread.start()

    async def begin() -> RunningSandbox:
        sandbox = Sandbox(scenario, (time or SharedTime()).real)
        return RunningSandbox(sandbox, await sandbox.start(), loop)

    async def end(running: RunningSandbox) -> None:
        await running.sandbox.stop()

    try:
        running = asyncio.run_coroutine_threadsafe(begin(), loop).result(WITHIN)
        try:
            yield running
        finally:
            asyncio.run_coroutine_threadsafe(end(running), loop).result(WITHIN)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(WITHIN)
        loop.close()
