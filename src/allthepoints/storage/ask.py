"""How a command asks something of the running service: a row that the service looks for, and marks as done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import apsw

from allthepoints.base.errors import FaultError
from allthepoints.base.types import JSON, Login
from allthepoints.storage.faults import told
from allthepoints.storage.migrations import LATEST, refuse_newer, version_of
from allthepoints.storage.opening import BUSY_MS
from allthepoints.storage.text import to_json, valid


def ask(
    path: Path,
    kind: str,
    login: Login | None,
    at: float,
    data: Mapping[str, JSON] | None = None,
    key: str | None = None,
) -> int:
    """Leave a request; answers its id. A service that is not running finds it when it starts. Raises FaultError.

    `data` is what more the kind needs. Asking again with a `key` that was ever used leaves nothing, and answers the id
    of the first.
    """
    if not path.is_file() or path.stat().st_size == 0:
        raise FaultError(f"there is no database at {path}", "Start the service once: allthepoints run")
    with told(path):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.set_busy_timeout(BUSY_MS)
            have = version_of(connection)
            refuse_newer(have, LATEST, path)
            if have < LATEST:
                raise FaultError(f"{path} has schema {have}, an older one", "Start the service once: allthepoints run")
            return _leave(connection, (at, kind, login, to_json(data or {}), None if key is None else valid(key)))
        finally:
            connection.close()


def _leave(db: apsw.Connection, row: tuple[float, str, str | None, str, str | None]) -> int:
    new = db.execute(
        "INSERT INTO requests (at, kind, login, data, key) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING RETURNING id",
        row,
    ).get
    return int(new or db.execute("SELECT id FROM requests WHERE key = ?", (row[-1],)).get)
