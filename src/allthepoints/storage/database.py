"""The memory on disk: `Database` is the synchronous core, `SqliteStorage` the same off the event loop.

One writer. Every call of `record` is one transaction, committed to the disk before it returns.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from allthepoints.base.threads import OneByOne
from allthepoints.base.types import JSON, UserId
from allthepoints.core.records import Record, Restored
from allthepoints.ports import ChannelRow, Request
from allthepoints.storage import restore, writing
from allthepoints.storage.faults import told
from allthepoints.storage.opening import BUSY_MS, open_database

log = logging.getLogger(__name__)

T = TypeVar("T")


class Database:
    """The database at `path`, opened (made, migrated, or begun afresh) at `now`. Raises FaultError, here and below.

    `warnings`: sentences for the person about what had to be done on the way. `account`: whom it was about by then.
    """

    def __init__(self, path: Path, now: float, busy_ms: int = BUSY_MS, *, durable: bool = True) -> None:
        self.path = path
        opened = open_database(path, now, busy_ms, durable=durable)
        self.warnings = opened.warnings
        self._connection = opened.connection
        with told(path):
            self.account = restore.account(opened.connection)

    def load(self) -> Restored:
        """See `ports.Storage.load`."""
        with told(self.path), self._transaction():
            restore.settle(self._connection)
            return restore.restored(self._connection)

    def record(
        self,
        records: Sequence[Record],
        at: float,
        *,
        channel_rows: Sequence[ChannelRow] = (),
        gone: Sequence[UserId] = (),
        service: Mapping[str, JSON] | None = None,
        done: Sequence[int] = (),
    ) -> None:
        """See `ports.Storage.record`."""
        db = self._connection
        with told(self.path), self._transaction():
            for record in records:
                writing.write_record(db, record)
            writing.write_rows(db, channel_rows, gone)
            writing.write_service(db, service or {}, at)
            writing.write_done(db, done, at)
            writing.prune(db, at)
        log.debug("written: records %d, rows %d, requests done %d", len(records), len(channel_rows), len(done))

    def requests(self) -> tuple[Request, ...]:
        """See `ports.Storage.requests`."""
        with told(self.path):
            return restore.open_requests(self._connection)

    def close(self) -> None:
        """Fold the journal into the file and let go. May be called again."""
        with told(self.path):
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # SQLite has rolled back by itself when the disk was full
                self._connection.execute("ROLLBACK")
            raise


class SqliteStorage:
    """Fulfils `ports.Storage`. All work is done on one thread of its own, so that a slow disk never stops the loop.

    The jobs go through the running loop's `run_in_executor`, in the order in which they were asked for. The end of the
    program waits for none of them: whoever holds the database locked would hold it up too.
    """

    def __init__(self, database: Database, thread: OneByOne) -> None:
        self.warnings, self.account = database.warnings, database.account
        self._database = database
        self._thread = thread
        self._closed = False

    @classmethod
    async def open(cls, path: Path, now: float, busy_ms: int = BUSY_MS, *, durable: bool = True) -> SqliteStorage:
        """Open the database at `path`. Raises FaultError. `durable`: see `opening.open_database`."""
        thread = OneByOne("storage")
        try:
            database = await asyncio.get_running_loop().run_in_executor(
                thread, lambda: Database(path, now, busy_ms, durable=durable)
            )
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(database, thread)

    async def load(self) -> Restored:
        """See `ports.Storage.load`."""
        return await self._do(self._database.load)

    async def record(
        self,
        records: Sequence[Record],
        at: float,
        *,
        channel_rows: Sequence[ChannelRow] = (),
        gone: Sequence[UserId] = (),
        service: Mapping[str, JSON] | None = None,
        done: Sequence[int] = (),
    ) -> None:
        """See `ports.Storage.record`."""
        await self._do(
            lambda: self._database.record(records, at, channel_rows=channel_rows, gone=gone, service=service, done=done)
        )

    async def requests(self) -> tuple[Request, ...]:
        """See `ports.Storage.requests`."""
        return await self._do(self._database.requests)

    async def aclose(self) -> None:
        """See `ports.Storage.aclose`. May be called again."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._do(self._database.close)
        finally:
            self._thread.shutdown(wait=False)

    async def _do(self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)
