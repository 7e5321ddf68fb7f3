"""Single flight: however many want a thing done at once, it is done once, and all get its outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """`run(work)` joins the work that is under way, or starts it.

    The work is a task of its own: a caller that is cancelled leaves it running, because a request that was sent
    cannot be taken back, and its answer may be the only copy of a token.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._task: asyncio.Task[T] | None = None

    async def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The outcome of the work under way; `work` is called only if there is none."""
        if self._task is None:
            self._task = asyncio.create_task(work(), name=self._name)
            self._task.add_done_callback(self._landed)
        return await asyncio.shield(self._task)

    async def aclose(self, patience: float) -> None:
        """Wait so many seconds for the work under way, then cancel it."""
        if self._task is not None:
            task = self._task
            await asyncio.wait([task], timeout=patience)
            task.cancel()
            await asyncio.wait([task])

    def _landed(self, task: asyncio.Task[T]) -> None:
        self._task = None
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not complain when nobody waits any more
