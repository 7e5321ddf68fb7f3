"""Whether a database's schema is what our migrations make, and nothing beside it.

Theory. A schema is code: a trigger runs with our next write, a view answers for a table, a default may call a function.
In a file that came from elsewhere such a thing could ask for a redemption. So a schema is compared with the one that
the migrations up to its version make, and nothing is asked of the file before that but the schema itself.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import apsw

from allthepoints.base.errors import FaultError
from allthepoints.storage.migrations import MIGRATIONS

Thing = tuple[str, str, str]
"""What it is, its name, and how it is made."""


def refuse_strange(connection: apsw.Connection, version: int, path: Path) -> None:
    """Raises FaultError if the schema of `version` in the file at `path` is not ours."""
    found, ours = _things(connection), _made(version)
    if found == ours:
        return
    strange = sorted({f"{kind} {name[:40]!r}" for kind, name, _ in found ^ ours})
    more = f" and {len(strange) - 3} more" if len(strange) > 3 else ""
    raise FaultError(
        f"{path} is not as allthepoints makes it ({', '.join(strange[:3])}{more}); nothing was changed",
        "Somebody else has worked on this file: what is in it might act by itself. Take a backup of your own.",
    )


@cache
def _made(version: int) -> frozenset[Thing]:
    connection = apsw.Connection(":memory:")
    try:
        for migration in MIGRATIONS:
            if migration.number <= version:
                connection.execute(migration.sql).fetchall()
        return _things(connection)
    finally:
        connection.close()


def _things(connection: apsw.Connection) -> frozenset[Thing]:
    """All but SQLite's own: its tables cannot be made by hand, and do nothing."""
    rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_schema")
    return frozenset(
        (str(kind), str(name), " ".join(str(sql).split()))
        for kind, name, sql in rows
        if kind == "trigger" or not str(name).lower().startswith("sqlite_")
    )
