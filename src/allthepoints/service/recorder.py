"""Record before acting, but never stand still for a disk.

Theory. A batch is handed to storage before its actions are performed, and waited for, because a budget that is spent
and not written is forgotten by a crash. A disk that is slow, full or locked must not cost presence: after `PATIENCE`
the loop goes on, what was not written waits its turn in memory, in order and bounded, and the state says so. One batch
is on its way to the disk at any time; all that comes meanwhile is the next.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from allthepoints.base.clock import Clock
from allthepoints.base.errors import FaultError
from allthepoints.base.types import JSON, UserId
from allthepoints.core.facts import Fact, StorageFailed, StorageWorks
from allthepoints.core.records import Record
from allthepoints.ports import ChannelRow, Storage
from allthepoints.service.supervise import Tasks

log = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds that the loop waits for the disk. Less than any deadline of the chat."""

STALLED = 10.0
"""Seconds after which a disk that does not answer is called failing. A worn SD card may take a few."""

RETRY = 10.0
"""Seconds between tries while the disk refuses."""

BACKLOG = 50_000
"""Records kept while the disk takes none; about a day's. Beyond it the oldest are let go, and counted."""


@dataclass(slots=True)
class Batch:
    """What one call of `Storage.record` writes."""

    records: list[Record] = field(default_factory=list)
    rows: dict[UserId, ChannelRow] = field(default_factory=dict)
    gone: set[UserId] = field(default_factory=set)
    service: dict[str, JSON] = field(default_factory=dict)
    done: list[int] = field(default_factory=list)

    def take(self, newer: Batch) -> None:
        """Take in what came later. Records all count, in order; of what readers see, the later counts."""
        self.records += newer.records
        self.rows = {channel: row for channel, row in self.rows.items() if channel not in newer.gone} | newer.rows
        self.gone = (self.gone - newer.rows.keys()) | newer.gone
        self.service |= newer.service
        self.done += newer.done


def batch(
    records: Sequence[Record] = (),
    rows: Sequence[ChannelRow] = (),
    gone: Sequence[UserId] = (),
    service: Mapping[str, JSON] | None = None,
    done: Sequence[int] = (),
) -> Batch:
    """A batch of its parts."""
    return Batch(list(records), {row.id: row for row in rows}, set(gone), dict(service or {}), list(done))


class Recorder:
    """Writes to storage, one batch at a time."""

    def __init__(self, storage: Storage, clock: Clock, put: Callable[[Fact], None]) -> None:
        self._storage = storage
        self._clock = clock
        self._put = put
        self._waiting: Batch | None = None
        self._writing: asyncio.Task[None] | None = None
        self._late = False
        """Patience has ended for the batch on its way."""
        self._failed = False
        self._dropped = 0
        self._lost = 0
        """Batches that storage could make nothing of."""
        self._hurry = asyncio.Event()
        self._tasks = Tasks()

    async def keep(self, newer: Batch) -> bool:
        """Write this after all that waits, also where it is but a sign of life; return when it is on the disk, or when
        patience ends. Answers whether it is on the disk."""
        lost = self._lost
        self._enqueue(newer)
        if not (self._late or self._failed) and self._writing is not None:
            await asyncio.wait({self._writing}, timeout=PATIENCE)
            self._late = self._writing is not None
        return self._writing is None and not self._failed and self._lost == lost

    async def flush(self, newer: Batch, seconds: float) -> bool:
        """Write this too, and try for so many seconds to get everything written; whether the disk still owes an answer.
        No task is left."""
        self._hurry.set()
        self._enqueue(newer)
        if self._writing is not None:
            await asyncio.wait({self._writing}, timeout=max(0.0, seconds))
        owed = self._writing is not None
        if owed:
            log.error("the database did not take everything before the end")
        await self._tasks.cancel()
        return owed

    def _enqueue(self, newer: Batch) -> None:
        if self._waiting is None:
            self._waiting = newer
        else:
            self._waiting.take(newer)
        self._bound(self._waiting)
        if self._writing is None:
            self._writing = self._tasks.start("write to the database", self._write())

    def _bound(self, waiting: Batch) -> None:
        if (excess := len(waiting.records) - BACKLOG) > 0:
            if not self._dropped:
                log.error("the database takes nothing, and memory for what it should take is used up")
            self._dropped += excess
            del waiting.records[:excess]

    async def _write(self) -> None:
        try:
            while (current := self._waiting) is not None:
                self._waiting = None
                await self._write_one(current)
        finally:
            self._writing, self._late = None, False

    async def _write_one(self, current: Batch) -> None:
        try:
            await self._store(current)
        except FaultError as error:
            if self._waiting is not None:
                current.take(self._waiting)
            self._waiting = current
            self._bound(current)
            self._tell_failed(str(error))
            await self._pause()
        except Exception:
            self._lost += 1
            log.exception("%d records could not be written, and are lost", len(current.records))
        else:
            self._tell_works()

    async def _store(self, current: Batch) -> None:
        loop = asyncio.get_running_loop()
        stalled = loop.call_later(STALLED, self._tell_failed, f"the disk has not answered for {STALLED:.0f} s")
        try:
            await self._storage.record(
                current.records,
                self._clock.now(),
                channel_rows=list(current.rows.values()),
                gone=list(current.gone),
                service=current.service,
                done=current.done,
            )
        finally:
            stalled.cancel()

    async def _pause(self) -> None:
        """Until the next try; the end of the program hurries it once."""
        try:
            async with asyncio.timeout(RETRY):
                await self._hurry.wait()
        except TimeoutError:
            pass
        self._hurry.clear()

    def _tell_failed(self, error: str) -> None:
        if not self._failed:
            self._failed = True
            log.info("nothing can be written down: %s", error)
            self._put(StorageFailed(self._clock.now(), error))

    def _tell_works(self) -> None:
        if self._failed:
            self._failed = False
            log.info("it can be written down again")
            self._put(StorageWorks(self._clock.now()))
        if self._dropped:
            log.error("the database works again; %d records were lost", self._dropped)
            self._dropped = 0
