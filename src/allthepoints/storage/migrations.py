"""Numbered migrations: all that are due run, each with its own record, in one transaction, after a copy of the file was
made. Nobody ever sees a file between two versions, not even a new one that is being made.

`PRAGMA user_version` is the file's version; it is part of the transaction. The table `migrations` tells when each ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import apsw

from allthepoints.base.errors import FaultError
from allthepoints.storage import schema
from allthepoints.storage.copying import free_name, whole_copy


@dataclass(frozen=True, slots=True)
class Migration:
    """`number` is the version that the file has afterwards."""

    number: int
    name: str
    sql: str


MIGRATIONS = (
    Migration(1, "channels, sessions, presence, events, refusals", schema.V1),
    Migration(2, "points, stores, redemptions", schema.V2),
    Migration(3, "whose a redemption is, and who settled it", schema.V3),
)

LATEST = MIGRATIONS[-1].number


def version_of(connection: apsw.Connection) -> int:
    """The schema's version; 0 is an empty file."""
    return int(connection.execute("PRAGMA user_version").get)


def migrate(
    connection: apsw.Connection, path: Path, now: float, migrations: Sequence[Migration] = MIGRATIONS
) -> Path | None:
    """Bring the database to the newest of `migrations`. Answers where the copy from before is, if one was needed.

    Raises FaultError if the database is newer than this program.
    """
    have, newest = version_of(connection), migrations[-1].number
    refuse_newer(have, newest, path)
    due = [migration for migration in migrations if migration.number > have]
    copy = free_name(path.with_name(f"{path.name}.before-v{newest}")) if due and have > 0 else None
    if copy is not None:
        whole_copy(connection, copy, replaces=False)
    try:
        if due:
            _run(connection, due, now)
    except BaseException:
        if copy is not None:
            copy.unlink(missing_ok=True)  # nothing was changed, and a service that is started again makes another
        raise
    return copy


def refuse_newer(have: int, newest: int, path: Path) -> None:
    """Raises FaultError if version `have` is beyond `newest`."""
    if have > newest:
        raise FaultError(
            f"{path} has schema {have}, this program knows schemas up to {newest}",
            "A newer allthepoints wrote it. Install that version or a later one, or choose another --data-dir.",
        )


def _run(connection: apsw.Connection, due: Sequence[Migration], now: float) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        have = version_of(connection)  # another process may have been faster
        for migration in due:
            if migration.number > have:
                _step(connection, migration, now)
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID:d}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _step(connection: apsw.Connection, migration: Migration, now: float) -> None:
    connection.execute(migration.sql).fetchall()  # a statement with an answer would stop the rest
    connection.execute(
        "INSERT INTO migrations (number, name, at) VALUES (?, ?, ?)", (migration.number, migration.name, now)
    )
    connection.execute(f"PRAGMA user_version = {migration.number:d}")
