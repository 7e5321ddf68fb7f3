"""What will happen when: one heap, one task, one sleep at a time.

Everything timed in the sandbox (streams, faults, PINGs, late answers) stands here, so that a simulated day costs as
many wake-ups as it has events, and so that time is the clock's alone, whether that is real, simulated or moved by hand.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable

from allthepoints.base.clock import Clock


class Entry:
    """One thing that will happen; `cancel()` takes it off the agenda."""

    __slots__ = ("call", "due", "order")

    def __init__(self, due: float, order: int, call: Callable[[], None] | None) -> None:
        self.due = due
        self.order = order
        self.call = call

    def cancel(self) -> None:
        self.call = None

    def __lt__(self, other: Entry) -> bool:
        return (self.due, self.order) < (other.due, other.order)


class Agenda:
    """Calls things at their time; what falls on the same instant happens in the order in which it was entered."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[Entry] = []
        self._order = 0
        self._sleep: asyncio.Future[None] | None = None

    def at(self, due: float, call: Callable[[], None]) -> Entry:
        """Call it at `due` (epoch seconds), or as soon as possible if that has passed."""
        self._order += 1
        entry = Entry(due, self._order, call)
        heapq.heappush(self._heap, entry)
        if self._heap[0] is entry and self._sleep is not None:
            self._sleep.cancel()
        return entry

    def later(self, seconds: float, call: Callable[[], None]) -> Entry:
        """Call it in so many seconds."""
        return self.at(self._clock.now() + seconds, call)

    def run_due(self) -> None:
        """Call everything whose time has come."""
        while self._heap and (self._heap[0].call is None or self._heap[0].due <= self._clock.now()):
            entry = heapq.heappop(self._heap)
            if entry.call is not None:
                entry.call()

    async def run(self) -> None:
        """Run until cancelled. An error in a call ends it: a sandbox that is wrong must not go on."""
        while True:
            self.run_due()
            self._sleep = self._until_next()
            try:
                await asyncio.wait([self._sleep])
            finally:
                self._sleep.cancel()
                self._sleep = None

    def _until_next(self) -> asyncio.Future[None]:
        """Done when the next entry is due; cancelled when an earlier one is entered."""
        if self._heap:
            return asyncio.ensure_future(self._clock.sleep(self._heap[0].due - self._clock.now()))
        return asyncio.get_running_loop().create_future()
