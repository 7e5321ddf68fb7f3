"""A file of every old schema comes up to the newest, with all that is in it, and a copy from before stays."""

from __future__ import annotations

import sys
from pathlib import Path

import apsw
import pytest

from allthepoints.base.errors import FaultError
from allthepoints.base.types import Login, UserId
from allthepoints.core import records as r
from allthepoints.core.redeem import State
from allthepoints.storage import migrations as m
from allthepoints.storage.backup import back_up, restore
from allthepoints.storage.database import Database
from allthepoints.storage.migrations import LATEST, MIGRATIONS, Migration, version_of
from allthepoints.storage.read_points import PointsReader

sys.path.insert(0, str(Path(__file__).parent))

from old_files import ALIVE, VERSIONS, old_file

NOW = ALIVE + 3600
BIRCH, CEDAR, EMBER = UserId("20000001"), UserId("20000002"), UserId("20000004")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "allthepoints.db"


def rows_of(connection: apsw.Connection, table: str, columns: str) -> list[object]:
    return list(connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1"))


def test_every_schema_that_was_ever_released_is_kept() -> None:
    assert VERSIONS[0] == 1
    assert [*range(1, len(VERSIONS) + 1)] == VERSIONS
    assert set(range(1, LATEST)) <= set(VERSIONS), "keep a file of each schema before the newest"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_file_is_upgraded_and_nothing_of_it_is_lost(path: Path, version: int) -> None:
    old_file(path, version)
    before = apsw.Connection(str(old_file(path.with_name("as-it-was.db"), version)))
    database = Database(path, NOW)
    connection = database._connection
    assert version_of(connection) == LATEST
    assert connection.execute("PRAGMA integrity_check").get == "ok"
    for (table,) in before.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
        columns = ", ".join(row[1] for row in before.execute(f"PRAGMA table_info({table})"))
        if table != "migrations":
            assert rows_of(connection, table, columns) == rows_of(before, table, columns), table
    assert [number for (number,) in connection.execute("SELECT number FROM migrations")] == [*range(1, LATEST + 1)]
    before.close()
    database.close()


@pytest.mark.parametrize("version", [version for version in VERSIONS if version < LATEST])
def test_the_copy_from_before_is_whole_and_as_old(path: Path, version: int) -> None:
    database = Database(old_file(path, version), NOW)
    database.close()
    copy = path.with_name(f"allthepoints.db.before-v{LATEST}")
    assert database.warnings == (f"the database was brought to the newest schema; a copy from before is {copy}",)
    assert copy.stat().st_mode & 0o777 == 0o600
    before = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READONLY)
    assert version_of(before) == version
    assert before.execute("PRAGMA integrity_check").get == "ok"
    assert before.execute("PRAGMA journal_mode").get == "delete"
    before.close()
    assert sorted(entry.name for entry in path.parent.iterdir()) == [path.name, copy.name]


@pytest.mark.parametrize("version", VERSIONS)
def test_readers_see_what_was_there(path: Path, version: int) -> None:
    Database(old_file(path, version), NOW).close()
    reader = PointsReader(path)
    status = reader.status()
    assert status.account == {"user_id": "1001", "login": "me"}
    assert status.alive == ALIVE
    shown = {row.login: (row.state, row.title) for row in status.channels}
    assert shown["birch_ibis"] == ("present", "Prestige 4 🌊 휴")
    assert [known.login for known in reader.channels() if known.id == EMBER] == ["ember_falcon_tv"]
    assert reader.named(Login("ember_falcon")) == EMBER, "its old name still finds it"
    assert [refusal.why for refusal in reader.refusals()] == ["banned"]
    assert [session.title for session in reader.sessions(CEDAR)] == ["new map, who dis"]
    assert len(reader.presence(BIRCH, 0, NOW)) == 1
    assert reader.events(limit=1000)[0].kind == "started"


@pytest.mark.parametrize("version", [version for version in VERSIONS if version >= 2])
def test_readers_see_the_points_that_were_there(path: Path, version: int) -> None:
    Database(old_file(path, version), NOW).close()
    reader = PointsReader(path)
    points = {row.login: row for row in reader.points()}
    assert points["fern_marten"].points is not None
    assert sum(reader.earned(0.0).values()) == sum(row.earned_total for row in points.values()) > 0
    bought = {one.key: one for one in reader.redemptions(100)}
    assert bought["33f0-code"].code == "AAAA-BBBB-CCCC"
    assert bought["33f0-code"].answers == ("Dust",)
    assert bought["7d0c-sent"].state is State.SENT
    assert reader.notes()["auto_allowed"] == "yes"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_service_goes_on_where_it_was(path: Path, version: int) -> None:
    """What was open is closed at the last sign of life, and everything may be written."""
    database = Database(old_file(path, version), NOW)
    restored = database.load()
    assert restored.account == UserId("1001")
    assert len(restored.channels) == 7
    assert [opened.stream.title for opened in restored.open_sessions] == [
        "first playthrough, no spoilers",
        *(["building a keyboard"] if len(restored.open_sessions) > 1 else []),
    ]
    assert [request.kind for request in database.requests()] == ["retry" if version == 1 else "redeem"]
    database.record(
        [
            r.Event(NOW, r.EventKind.STARTED),
            r.PresenceOpened(NOW, BIRCH, None),
            r.LedgerEntry(NOW, BIRCH, r.Change.EARNED, 5, 12_345),
        ],
        NOW,
    )
    database.close()
    first, second = PointsReader(path).presence(BIRCH, 0, NOW + 1)
    assert (first.ended_at, first.why) == (ALIVE, "crash")
    assert (second.began_at, second.ended_at) == (NOW, None)
    assert PointsReader(path).earned(NOW) == {BIRCH: 5}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_backup_of_an_old_version_is_restored_and_upgraded_when_it_is_opened(path: Path, version: int) -> None:
    backup = path.with_name("backup.db")
    made = back_up(old_file(path, version), backup, ())
    assert made.content.schema == version
    path.unlink()
    put = restore(backup, path, NOW)
    assert (put.content.schema, put.kept) == (version, None)
    database = Database(path, NOW)
    assert version_of(database._connection) == LATEST
    assert len(database.load().channels) == 7
    database.close()


NEXT = Migration(LATEST + 1, "one more", "ALTER TABLE channels ADD COLUMN colour TEXT")


def test_an_older_copy_is_never_overwritten(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two upgrades to the same schema (a backup was restored in between) leave two copies."""
    old_file(path, VERSIONS[-1])
    Database(path, NOW).close()
    target = LATEST + 1
    monkeypatch.setattr(m.migrate, "__defaults__", ((*MIGRATIONS, NEXT),))
    for copy in (f"allthepoints.db.before-v{target}", f"allthepoints.db.before-v{target}-2"):
        Database(path, NOW).close()
        assert path.with_name(copy).exists()
        path.unlink()
        monkeypatch.setattr(m.migrate, "__defaults__", (MIGRATIONS,))
        Database(path, NOW).close()
        monkeypatch.setattr(m.migrate, "__defaults__", ((*MIGRATIONS, NEXT),))


def test_an_upgrade_that_fails_again_and_again_leaves_no_heap_of_copies(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Database(path, NOW).close()
    broken = Migration(LATEST + 1, "broken", "ALTER TABLE nothing ADD COLUMN colour TEXT")
    monkeypatch.setattr(m.migrate, "__defaults__", ((*MIGRATIONS, broken),))
    for _ in range(3):
        with pytest.raises(FaultError):
            Database(path, NOW)
    monkeypatch.undo()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert Database(path, NOW).warnings == ()
