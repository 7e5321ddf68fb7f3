"""What pages that listen are told: made once for all that are owed the same, on a thread, one after the other.

Theory. Pages of the same kind that know the same are owed the same HTML, so the first that asks for it has it made and
the others wait for the same task. What is made is pure: of a snapshot that does not change, and of the database. It is
made on a thread, for the loop has a PING to answer, and one at a time, for a thread still takes its share of the one
interpreter. What is remembered is of the newest state alone. Whoever asks too much at once is sent away (`Busy`).
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from allthepoints.base.errors import AllThePointsError, FaultError
from allthepoints.views.web.board import Board
from allthepoints.views.web.change import Change

log = logging.getLogger(__name__)

Told = Sequence[tuple[str, str]]
"""Names of server-sent events, and HTML."""

Fragments = Callable[[Board, Change, str], Awaitable[Told]]
"""`pages.fragments`: what of a page of this topic is different. It is awaited in the loop, and does its work on
threads."""

Failing = Callable[[Board, AllThePointsError], Told]
"""`pages.failing`: what is told where that cannot be made."""

MOST_KEPT = 16
"""Tellings of the newest state that are kept: pages that were away know less than others."""

MOST_AT_ONCE = 12
"""Tellings under way. A page that listens waits; one that asks is sent away."""


class Busy(Exception):
    """Too much is asked at once."""


class Teller:
    """One for all listeners of a board."""

    def __init__(self, board: Board, fragments: Fragments, failing: Failing) -> None:
        self._board = board
        self._fragments = fragments
        self._failing = failing
        self._made: OrderedDict[tuple[object, ...], asyncio.Task[Told]] = OrderedDict()
        self._one = asyncio.Lock()

    async def told(self, topic: str, change: Change, patient: bool = True) -> Told:
        """What a page of this topic is owed. Raises Busy for who is not `patient`; never anything else."""
        key = topic, change.known, change.number, change.sentence
        task = self._made.get(key)
        if task is None:
            self._forget(change.number)
            if not patient and sum(not one.done() for one in self._made.values()) >= MOST_AT_ONCE:
                raise Busy
            task = asyncio.ensure_future(self._make(topic, change))
            self._made[key] = task
        # Who hangs up meanwhile takes it away from nobody else.
        return await asyncio.shield(task)

    async def begin(self, topic: str, since: str) -> None:
        """Take note of how a page looks to who knows `since`, so that later only what differs is told."""
        change = self._board.since(since)
        if change is not None and not change.whole:
            await self.told(topic, change)

    async def aclose(self) -> None:
        """Give up what is under way."""
        tasks = list(self._made.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _make(self, topic: str, change: Change) -> Told:
        async with self._one:
            try:
                return await self._fragments(self._board, change, topic)
            except AllThePointsError as error:
                return self._failing(self._board, error)
            except Exception:
                log.exception("the dashboard could not make what changed")
                return self._failing(self._board, FaultError("Something went wrong here. It is in the log file"))

    def _forget(self, number: int) -> None:
        for key in [key for key, task in self._made.items() if key[2] != number and task.done()]:
            del self._made[key]
        while len(self._made) > MOST_KEPT and next(iter(self._made.values())).done():
            self._made.popitem(last=False)
