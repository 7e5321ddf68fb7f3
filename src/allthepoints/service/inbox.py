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

    def knock(self) -> None:
        """Wake the loop without a fact."""
        self._arrived.set()

    async def take(self, until: float | None) -> list[Fact]:
        """All facts there are, as soon as there is one; none when `until` has come."""
        if not self._arrived.is_set():
            try:
                async with asyncio.timeout(None if until is None else max(0.0, until - self._clock.now())):
                    await self._arrived.wait()
            except TimeoutError:
                pass
        self._arrived.clear()
        facts, self._facts = self._facts, []
        return facts
