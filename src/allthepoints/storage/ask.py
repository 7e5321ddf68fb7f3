"""How a command asks something of the running service: a row that the service looks for, and marks as done."""

from __future__ import annotations

from pathlib import Path

import apsw

from allthepoints.base.errors import FaultError
from allthepoints.base.types import Login
from allthepoints.storage.faults import told
from allthepoints.storage.migrations import LATEST, refuse_newer, version_of
from allthepoints.storage.opening import BUSY_MS


def ask(path: Path, kind: str, login: Login | None, at: float) -> int:
    """Leave a request; answers its id. A service that is not running finds it when it starts. Raises FaultError."""
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
            connection.execute("INSERT INTO requests (at, kind, login) VALUES (?, ?, ?)", (at, kind, login))
            return connection.last_insert_rowid()
        finally:
            connection.close()
