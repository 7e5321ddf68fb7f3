"""Record before acting, but never stand still for a disk.

Theory. A batch is handed to storage before its actions are performed, and waited for, because a budget that is spent
and not written is forgotten by a crash. A disk that is slow, full or locked must not cost presence: after `PATIENCE`
the loop goes on, what was not written waits its turn in memory, in order and bounded, and the state says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

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

RETRY = 10.0
"""Seconds between tries while the disk refuses."""

BACKLOG = 50_000
"""Records kept while the disk refuses; about a day's. Beyond it the oldest are let go, and counted."""


class Recorder:
    """Writes to storage, one batch at a time."""

    def __init__(self, storage: Storage, clock: Clock, put: Callable[[Fact], None]) -> None:
        self._storage = storage
        self._clock = clock
        self._put = put
        self._records: list[Record] = []
        self._rows: dict[UserId, ChannelRow] = {}
        self._gone: set[UserId] = set()
        self._service: dict[str, JSON] = {}
        self._done: list[int] = []
        self._failed = False
        self._tasks = Tasks()
        self._writing: asyncio.Task[None] | None = None

    async def keep(
        self,
        records: Sequence[Record] = (),
        rows: Sequence[ChannelRow] = (),
        gone: Sequence[UserId] = (),
        service: Mapping[str, JSON] | None = None,
        done: Sequence[int] = (),
    ) -> None:
        """Write this and whatever waits; return when it is on the disk, or when patience ends."""
        self._take(records, rows, gone, service, done)
        if not (self._records or self._rows or self._gone or self._service or self._done):
            return
        late = self._writing is not None
        if self._writing is None:
            self._writing = self._tasks.start("write to the database", self._write())
        if not (late or self._failed):
            await asyncio.wait({self._writing}, timeout=PATIENCE)

    async def flush(self, seconds: float) -> None:
        """Try for so many seconds to get everything written."""
        await self.keep()
        if self._writing is not None:
            await asyncio.wait({self._writing}, timeout=seconds)
        await self._tasks.cancel()

    def _take(
        self,
        records: Sequence[Record],
        rows: Sequence[ChannelRow],
        gone: Sequence[UserId],
        service: Mapping[str, JSON] | None,
        done: Sequence[int],
    ) -> None:
        self._records.extend(records)
        if (excess := len(self._records) - BACKLOG) > 0:
            log.error("the database takes nothing: %d records are lost", excess)
            del self._records[:excess]
        for row in rows:
            self._rows[row.id] = row
            self._gone.discard(row.id)
        for channel in gone:
            self._rows.pop(channel, None)
            self._gone.add(channel)
        self._service.update(service or {})
        self._done.extend(done)

    async def _write(self) -> None:
        try:
            while self._records or self._rows or self._gone or self._service or self._done:
                await self._write_batch()
        finally:
            self._writing = None

    async def _write_batch(self) -> None:
        records, self._records = self._records, []
        rows, self._rows = self._rows, {}
        gone, self._gone = self._gone, set()
        service, self._service = self._service, {}
        done, self._done = self._done, []
        try:
            await self._storage.record(
                records,
                self._clock.now(),
                channel_rows=list(rows.values()),
                gone=list(gone),
                service=service,
                done=done,
            )
        except FaultError as error:
            self._records = records + self._records
            self._rows = rows | self._rows
            self._gone = (gone - self._rows.keys()) | self._gone
            self._service = service | self._service
            self._done = done + self._done
            if not self._failed:
                self._failed = True
                self._put(StorageFailed(self._clock.now(), str(error)))
            await self._clock.sleep(RETRY)
        else:
            if self._failed:
                self._failed = False
                self._put(StorageWorks(self._clock.now()))
