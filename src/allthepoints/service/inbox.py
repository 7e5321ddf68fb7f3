"""The inbox: the only queue of the program. What is in it when the loop looks is one batch."""

from __future__ import annotations

import asyncio

from allthepoints.base.clock import Clock
from allthepoints.core.facts import Fact


class Inbox:
    """Facts on their way to the loop. Anyone puts; only the loop takes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._facts: list[Fact] = []
        self._arrived = asyncio.Event()

    def put(self, fact: Fact) -> None:
        """Hand over a fact, in order."""
        self._facts.append(fact)
        self._arrived.set()

    def note(self, fact: Fact) -> None:
        """Hand over a fact that nothing hangs on: it waits for whatever wakes the loop next."""
        self._facts.append(fact)

    def knock(self) -> None:
        """Wake the loop without a fact."""
        self._arrived.set()

    async def take(self, until: float) -> list[Fact]:
        """All facts there are, as soon as somebody wakes the loop, or when `until` has come."""
        if not self._arrived.is_set():
            alarm = asyncio.get_running_loop().create_task(self._ring(until), name="alarm of the inbox")
            try:
                await self._arrived.wait()
            finally:
                alarm.cancel()
        return self.drain()

    def drain(self) -> list[Fact]:
        """All facts there are, now."""
        self._arrived.clear()
        facts, self._facts = self._facts, []
        return facts

    async def _ring(self, until: float) -> None:
        await self._clock.sleep(until - self._clock.now())
        self._arrived.set()
