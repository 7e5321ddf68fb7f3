"""What a database is made of, for whoever has to find out what is wrong with it, and whose names stand in it.

Nothing of what people did is told: tables, how many rows, whether it is whole. Each value is read for itself, so that a
damaged database tells what it still can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw

from allthepoints.base.errors import FaultError
from allthepoints.base.types import JSON
from allthepoints.storage.faults import fault, told

BUSY_MS = 2_000

CHECK_BELOW = 256 * 1024 * 1024
"""Bytes. A bigger database is not read whole for this."""


@dataclass(frozen=True, slots=True)
class Known:
    """Whose names stand in the database. `names`: those of each channel by its id, in the order of first sight.

    `account`: all that the account was ever called. `currencies` by channel id. `since`: the oldest moment it tells of;
    what is older may name others. None: nothing is known.
    """

    names: dict[str, tuple[str, ...]]
    account: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    currencies: dict[str, str] | None = None
    since: float | None = None


def anatomy(path: Path) -> dict[str, JSON]:
    """Tables, rows, sizes, and whether it is whole. Raises FaultError where not even that can be read."""
    if not path.exists():
        return {"there": False}
    wal = path.with_name(path.name + "-wal")
    with _opened(path) as db:
        one = _pragma(db)
        tables = [str(name) for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")]
        return {
            "there": True,
            "bytes": path.stat().st_size,
            "journal_bytes": wal.stat().st_size if wal.exists() else 0,
            "application_id": one("application_id"),
            "schema": one("user_version"),
            "journal": one("journal_mode"),
            "pages": one("page_count"),
            "page_bytes": one("page_size"),
            "free_pages": one("freelist_count"),
            "integrity": _told(lambda: _integrity(db, path)),
            "migrations": _told(lambda: [list(row) for row in db.execute("SELECT number, name, at FROM migrations")]),
            "rows": {name: _told(lambda name=name: _rows(db, name)) for name in tables},  # type: ignore[misc]
            "sql": [str(sql) for (sql,) in db.execute("SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY 1")],
        }


def known(path: Path) -> Known:
    """All names in it. Raises FaultError if they cannot all be read. No database: nothing."""
    if not path.exists():
        return Known({})
    with _opened(path) as db:
        if not db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'channels'").get:
            return Known({})
        names: dict[str, dict[str, None]] = {}
        for channel, *called in db.execute(_NAMES):
            names.setdefault(channel, {}).update(dict.fromkeys(filter(None, called)))
        has_points = db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'loyalty'").get
        if has_points:
            for channel, called in db.execute("SELECT channel, login FROM redemptions ORDER BY id"):
                names.setdefault(channel, {})[called] = None
            for channel, se in db.execute("SELECT channel, se FROM loyalty WHERE se NOT NULL ORDER BY channel"):
                names.setdefault(channel, {})[se] = None
        currencies = (
            dict(db.execute("SELECT channel, currency FROM loyalty WHERE currency NOT NULL")) if has_points else {}
        )
        return Known(
            {channel: tuple(called) for channel, called in names.items()},
            _words(db, _ACCOUNT),
            _words(db, _OTHERS),
            currencies,
            db.execute(
                "SELECT min(at) FROM (SELECT min(at) AS at FROM events UNION SELECT min(first_seen) FROM channels)"
            ).get,
        )


_NAMES = """
SELECT id, login, display FROM (
    SELECT 0 AS turn, rowid AS n, id, login, display FROM channels
    UNION ALL SELECT 1, id, channel, login, NULL FROM logins
    UNION ALL SELECT 2, rowid, channel, login, display FROM sessions
    UNION ALL SELECT 3, rowid, channel, login, display FROM channel_state
) ORDER BY turn, n
"""

_ACCOUNT = """
SELECT json_extract(value, '$.login'), json_extract(value, '$.user_id') FROM service_state
    WHERE key = 'account' AND json_valid(value)
UNION SELECT json_extract(data, '$.login'), json_extract(data, '$.user_id') FROM events
    WHERE kind = 'signed_in' AND json_valid(data)
ORDER BY 1
"""

_OTHERS = """
SELECT login FROM requests WHERE login NOT NULL
UNION SELECT json_extract(data, '$.login') FROM events WHERE json_valid(data) AND kind != 'signed_in'
UNION SELECT json_extract(data, '$.from') FROM events WHERE json_valid(data)
UNION SELECT json_extract(data, '$.to') FROM events WHERE json_valid(data)
ORDER BY 1
"""


def _words(db: apsw.Connection, question: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(value) for row in db.execute(question) for value in row if value))


def _integrity(db: apsw.Connection, path: Path) -> JSON:
    if path.stat().st_size > CHECK_BELOW:
        return "not read: it is big"
    return [str(line) for (line,) in db.execute("PRAGMA quick_check(20)")]


def _rows(db: apsw.Connection, table: str) -> JSON:
    quoted = table.replace('"', '""')
    return int(db.execute(f'SELECT count(*) FROM "{quoted}"').get)  # noqa: S608 -- a name that SQLite gave us


def _pragma(db: apsw.Connection) -> Callable[[str], JSON]:
    def one(name: str) -> JSON:
        return _told(lambda: db.execute(f"PRAGMA {name}").get)

    return one


def _told(look: Callable[[], JSON]) -> JSON:
    try:
        return look()
    except apsw.Error as error:
        return f"cannot be read: {type(error).__name__}"


@contextmanager
def _opened(path: Path) -> Iterator[apsw.Connection]:
    with told(path):
        if path.is_dir():
            raise FaultError(f"{path} is a folder, where a database file is expected")
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            db.set_busy_timeout(BUSY_MS)
            yield db
        except apsw.Error as error:
            raise fault(path, error) from error
        finally:
            db.close()
