"""Time that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
import itertools

TURNS = 50
"""Turns of the event loop after which tasks that wait for nothing outside have gone as far as they can."""


class ManualClock:
    """A `base.clock.Clock` moved by hand.

    `advance` moves it in one leap and releases every sleeper that is due. `elapse` moves it from one sleeper to the
    next and lets the tasks run in between, so that a loop that sleeps 30 s turns ten times in 300 s.
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._jumped = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> float:
        return self._now

    def jumped(self) -> float:
        """Seconds given to `jump` since the last call."""
        jumped, self._jumped = self._jumped, 0.0
        return jumped

    async def sleep(self, seconds: float) -> None:
        """Return once the clock has been moved that far; at once (but not before a turn of the loop) for 0 or less."""
        if seconds <= 0:
            await settle(1)
            return
        waiter = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), waiter))
        await waiter

    @property
    def sleepers(self) -> int:
        """How many tasks sleep on this clock."""
        return sum(not waiter.done() for _, _, waiter in self._sleepers)

    @property
    def next_at(self) -> float | None:
        """When the first sleeper is due."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def advance(self, seconds: float) -> None:
        """Move the clock in one leap; sleepers that are due go on at the loop's next turn, earliest first."""
        self._now += seconds
        while (due := self.next_at) is not None and due <= self._now:
            heapq.heappop(self._sleepers)[2].set_result(None)

    def jump(self, seconds: float) -> None:
        """As if the host had slept: the clock leaps and `jumped` tells."""
        self._jumped += seconds
        self.advance(seconds)

    async def elapse(self, seconds: float, turns: int = TURNS) -> None:
        """Let so much time go by, from one sleeper to the next, with `turns` turns of the loop after each."""
        end = self._now + seconds
        await settle(turns)
        while (due := self.next_at) is not None and due <= end:
            self.advance(max(0.0, due - self._now))
            await settle(turns)
        self.advance(max(0.0, end - self._now))
        await settle(turns)


async def settle(turns: int = TURNS) -> None:
    """Give the event loop so many turns, without letting time pass."""
    loop = asyncio.get_running_loop()
    for _ in range(turns):
        turn: asyncio.Future[None] = loop.create_future()
        loop.call_soon(_release, turn)
        await turn


def _release(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
