"""Time and chance: the only module that asks the machine for either.

Theory. The program thinks on one time line, `now()`: seconds since the Unix epoch that never go back while the
process lives, so that deadlines, budgets and recorded intervals all use the same number. It runs on the event loop's
monotonic clock from an anchor read off the wall clock at start. When the wall clock is found ahead of it (the host
slept, or NTP set a clock that was behind) the line jumps ahead with it, and `jumped()` says by how much. When the wall
clock is set back, the line does not follow: an interval must not end before it began.

An event loop on simulated time (`sim.timelapse`) carries everything with it, because `monotonic` is the loop's own.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

JUMP = 2.0
"""Seconds that the wall clock may drift ahead before the time line is moved up to it. NTP slews stay far below."""

LOOK = 5.0
"""Seconds between looks at the time while sleeping: the loop's timers stand still while the host sleeps, and whoever
waited for a time that has passed meanwhile is to go on soon after."""


class Clock(Protocol):
    """What the program knows of time."""

    def now(self) -> float:
        """Seconds since the Unix epoch, never going back."""
        ...

    def jumped(self) -> float:
        """How far the time line was moved ahead since the last call, in seconds: the host slept, or was set right."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds of this clock."""
        ...


class SystemClock:
    """The real clock. `monotonic` and `wall` can be given for tests."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._offset = wall() - monotonic()
        self._jumped = 0.0

    def now(self) -> float:
        at = self._monotonic() + self._offset
        ahead = self._wall() - at
        if ahead > JUMP:
            self._offset += ahead
            self._jumped += ahead
            at += ahead
        return at

    def jumped(self) -> float:
        self.now()
        jumped, self._jumped = self._jumped, 0.0
        return jumped

    async def sleep(self, seconds: float) -> None:
        end = self.now() + seconds
        while (left := end - self.now()) > 0:
            await _sleep(min(left, LOOK))


class LoopClock:
    """The running event loop's own time, counted from `epoch`: for an event loop whose time is simulated."""

    def __init__(self, loop: asyncio.AbstractEventLoop, epoch: float) -> None:
        self._loop = loop
        self._epoch = epoch - loop.time()

    def now(self) -> float:
        return self._epoch + self._loop.time()

    def jumped(self) -> float:
        return 0.0  # simulated hosts do not sleep by themselves

    async def sleep(self, seconds: float) -> None:
        await _sleep(seconds)


async def _sleep(seconds: float) -> None:
    import asyncio  # noqa: PLC0415 - a third of the start-up time of commands that only read, and they never sleep

    await asyncio.sleep(max(0.0, seconds))


def pause(seconds: float) -> None:
    """Block this thread. Never on the event loop's."""
    time.sleep(seconds)


class Chance:
    """Chance as a value in [0, 1). Seeded in tests and simulations."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed) if seed is not None else random.SystemRandom()

    def draw(self) -> float:
        """A number in [0, 1)."""
        return self._random.random()


def new_key() -> str:
    """A name that nothing else ever had: 32 hexadecimal digits."""
    return uuid.uuid4().hex


class Stopwatch:
    """Real seconds since it was made: for what must keep to the person's time while the program's own is simulated."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def elapsed(self) -> float:
        return time.perf_counter() - self._start
