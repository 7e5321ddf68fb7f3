"""What the doctor measures of the database: whose it is, of which schema, whether it is whole. It is only read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import apsw

from allthepoints.base.clock import Stopwatch
from allthepoints.base.errors import FaultError
from allthepoints.core import checkup_here as c
from allthepoints.core.policy import LOGIN_LIMIT, WINDOW
from allthepoints.storage.faults import fault, refuse_folder, told
from allthepoints.storage.migrations import LATEST, version_of
from allthepoints.storage.schema import ALIVE, APPLICATION_ID
from allthepoints.storage.text import from_json

READ_WITHIN = 5.0
"""Seconds for reading the database whole. It does some 300 MB/s from a good disk."""

BUSY_MS = 1_000

LOOK_EVERY = 100_000
"""Steps of SQLite's machine between looks at the time: some milliseconds."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the service left in the database. `account`: (user id, login). `logins`: made in the last window."""

    account: tuple[str, str] | None = None
    alive: float | None = None
    connections: int | None = None
    logins: int = 0


def read_memory(path: Path, running: bool, now: float) -> Memory:
    """What of it concerns the doctor; nothing where it cannot be read: `look_at_database` tells why."""
    try:
        if not path.is_file() or not path.stat().st_size:
            return Memory()
        connection = _opened(path, running)
        try:
            if connection.execute("PRAGMA application_id").get != APPLICATION_ID:
                return Memory()
            return _memory(connection, now)
        finally:
            connection.close()
    except (apsw.Error, OSError):
        return Memory()


def look_at_database(path: Path, running: bool, within: float = READ_WITHIN) -> c.Database:
    """Whether it is ours, of which schema, and whole, as far as it can be read `within` so many seconds."""
    text = str(path)
    try:
        with told(path):
            refuse_folder(path)
            if not path.exists():
                return c.Database(text, c.DatabaseState.MISSING)
            size = path.stat().st_size
            if not size:
                return c.Database(text, c.DatabaseState.EMPTY)
            try:
                return _examined(path, size, running, within)
            except apsw.CorruptError:
                return c.Database(text, c.DatabaseState.DAMAGED, size=size, text="it cannot be read to its end")
            except apsw.NotADBError as error:
                raise fault(path, error) from None
    except FaultError as error:
        return c.Database(text, c.DatabaseState.UNREADABLE, text=str(error).removeprefix(f"{path}: "), hint=error.hint)


def _examined(path: Path, size: int, running: bool, within: float) -> c.Database:
    connection = _opened(path, running)
    try:
        version = version_of(connection)
        mark = connection.execute("PRAGMA application_id").get
        if mark != APPLICATION_ID:
            empty = not mark and not connection.execute("SELECT count(*) FROM sqlite_schema").get
            return c.Database(str(path), c.DatabaseState.EMPTY if empty else c.DatabaseState.FOREIGN)
        if version > LATEST:
            return c.Database(str(path), c.DatabaseState.NEWER, version, LATEST, size)
        problem = _problem(connection, within)
        state = c.DatabaseState.GOOD if version == LATEST else c.DatabaseState.OLDER
        if problem:
            return c.Database(str(path), c.DatabaseState.DAMAGED, version, LATEST, size, text=problem)
        return c.Database(str(path), state, version, LATEST, size, whole=problem is not None)
    finally:
        connection.close()


def _problem(connection: apsw.Connection, within: float) -> str | None:
    """What SQLite finds wrong with it; "" for nothing, None if it could not be read whole in time."""
    watch = Stopwatch()
    connection.set_progress_handler(lambda: watch.elapsed() > within, LOOK_EVERY)
    try:
        said = str(connection.execute("PRAGMA integrity_check(1)").get)
    except apsw.InterruptError:
        return None
    finally:
        connection.set_progress_handler(None)
    return "" if said == "ok" else " ".join(said.removeprefix("*** in database main ***").split())[:100]


def _opened(path: Path, running: bool) -> apsw.Connection:
    """For reading. Where nobody writes and no journal is left, SQLite is told so: then it makes no files beside it, and
    reads also where it could make none."""
    wal = path.with_name(path.name + "-wal")
    still = not running and not (wal.exists() and wal.stat().st_size)
    address = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if still else ''}"
    connection = apsw.Connection(address, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    connection.set_busy_timeout(BUSY_MS)
    return connection


def _memory(connection: apsw.Connection, now: float) -> Memory:
    state = {key: from_json(value) for key, value in connection.execute("SELECT key, value FROM service_state")}
    chat, alive = state.get("chat"), state.get(ALIVE)
    logins = connection.execute(
        "SELECT coalesce(sum(count), 0) FROM attempts WHERE what = 'login' AND at > ?", (now - WINDOW,)
    ).get
    connections = chat.get("connections") if isinstance(chat, dict) else None
    return Memory(
        _account(state.get("account")),
        float(alive) if isinstance(alive, int | float) else None,
        connections if isinstance(connections, int) else None,
        min(int(logins), LOGIN_LIMIT),
    )


def _account(value: object) -> tuple[str, str] | None:
    if not isinstance(value, dict) or not (value.get("user_id") and value.get("login")):
        return None
    return str(value["user_id"]), str(value["login"])
