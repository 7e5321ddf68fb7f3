"""Opening the database for writing: a fresh one, ours, or what to do with a file that is neither.

Theory. Whatever stands at our path is either a database of ours, or it is kept under another name and a fresh one takes
its place: the service must go on without its history rather than not at all, and nothing of a person's is overwritten.
Only what time or a person can mend (locked, newer schema, no access, a folder) is an error.

Durability: WAL with synchronous=FULL. A commit is on the disk when it returns, also if the power goes; NORMAL would
survive only the death of the process. We write a few times a minute, so it costs nothing that anyone feels.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import apsw

from allthepoints.base.errors import FaultError
from allthepoints.base.files import set_aside
from allthepoints.storage.faults import refuse_folder, told
from allthepoints.storage.migrations import migrate
from allthepoints.storage.schema import APPLICATION_ID

BUSY_MS = 10_000
"""How long a write waits for another writer. Ours take milliseconds; a person's database browser may take seconds."""

CHECK_BELOW = 64 * 1024 * 1024
"""Bytes. A database up to this size is read whole when it is opened; a bigger one would delay the start too long."""

_WAL_KEPT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Opened:
    """An open database of the newest schema. `warnings` are sentences for the person."""

    connection: apsw.Connection
    warnings: tuple[str, ...]


def open_database(path: Path, now: float, busy_ms: int = BUSY_MS, *, durable: bool = True) -> Opened:
    """Open or make the database at `path`, whose folder exists. Raises FaultError.

    `durable` False: a power cut may lose the last commits. For data that is thrown away anyway.
    """
    warnings = []
    with told(path):
        refuse_folder(path)
        if problem := problem_of(path):
            warnings.append(_fresh_start(path, problem))
        elif _is_empty(path):
            warnings.append(f"{path} was empty; a fresh database was begun")
        connection = _connect(path, busy_ms, durable)
        try:
            if copy := migrate(connection, path, now):
                warnings.append(f"the database was brought to the newest schema; a copy from before is {copy}")
        except BaseException:
            connection.close()
            raise
    return Opened(connection, tuple(warnings))


def problem_of(path: Path) -> str | None:
    """Why the file at `path` cannot be used by us; None if it can, or if there is none."""
    if not path.is_file():
        return None
    if _is_empty(path):
        return "is empty" if _beside(path, "-wal").exists() else None  # the journal may still be of use to somebody
    size = path.stat().st_size
    try:
        return _look(path, size)
    except (apsw.NotADBError, apsw.CorruptError) as error:
        return "is not a database" if isinstance(error, apsw.NotADBError) else "is damaged"


def _look(path: Path, size: int) -> str | None:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # looking must change nothing in a foreign file
        connection.set_busy_timeout(BUSY_MS)
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
        mark = connection.execute("PRAGMA application_id").get
        if mark != APPLICATION_ID and (mark or tables):
            return "belongs to another program"
        if size <= CHECK_BELOW and connection.execute("PRAGMA quick_check(1)").get != "ok":
            return "is damaged"
    finally:
        connection.close()
    return None


def _fresh_start(path: Path, problem: str) -> str:
    try:
        aside = set_aside(path, _beside(path, "-wal"), _beside(path, "-shm"))
    except OSError as error:
        raise FaultError(
            f"{path} {problem}, and could not be renamed: {error.strerror}", "Move the file away by hand."
        ) from error
    return f"{path} {problem}; it is kept as {aside.name}, and a fresh database was begun"


def _connect(path: Path, busy_ms: int, durable: bool) -> apsw.Connection:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise FaultError(
            f"{path} cannot be opened for writing: {error.strerror}",
            "Make the file and its folder writable for this user, or choose another --data-dir.",
        ) from error
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.set_busy_timeout(busy_ms)
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT:d}").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _is_empty(path: Path) -> bool:
    return path.is_file() and path.stat().st_size == 0


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
