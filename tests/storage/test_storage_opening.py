"""Damaged, foreign, newer, older, full and locked files; and what a migration leaves."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from allthepoints.base.errors import FaultError
from allthepoints.base.types import Login, SeId, StreamId, UserId
from allthepoints.core import records as r
from allthepoints.core.loyalty import Balance, Loyalty
from allthepoints.core.model import ChannelRef
from allthepoints.storage import migrations as m
from allthepoints.storage.ask import ask
from allthepoints.storage.database import Database
from allthepoints.storage.migrations import LATEST, MIGRATIONS, Migration, migrate, version_of
from allthepoints.storage.read import Reader
from allthepoints.storage.schema import APPLICATION_ID
from allthepoints.testing.storage_contract import SENT

T0 = 1_700_000_000.0
ALPHA = ChannelRef(UserId("1"), Login("alpha"), "Alpha")
SCHEMAS = Path(__file__).with_name("schemas")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "allthepoints.db"


def filled(path: Path) -> Path:
    """A database with some pages in it."""
    database = Database(path, T0)
    database.record([r.ChannelKnown(T0, ALPHA, 0)], T0)
    database.record([r.Event(T0 + n, r.EventKind.LIVE, ALPHA.id, {"padding": "x" * 400}) for n in range(200)], T0)
    database.close()
    return path


def cut(path: Path, size: int) -> None:
    with filled(path).open("r+b") as file:
        file.truncate(size)


def scribble(path: Path) -> None:
    size = filled(path).stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x5a" * (size - 4096))


def foreign(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
    connection.close()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "half": lambda path: cut(path, filled(path).stat().st_size // 2),
    "head_only": lambda path: cut(path, 100),
    "odd_size": lambda path: cut(path, 5000),
    "scribbled": scribble,
    "text": lambda path: path.write_text("this is not a database, but long enough to be read as one\n" * 40),
    "short_text": lambda path: path.write_text("{}"),
    "foreign": foreign,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_fc_33_a_bad_database_is_set_aside(path: Path, damage: Callable[[Path], object]) -> None:
    damage(path)
    content = path.read_bytes()
    os.utime(path, (T0, T0))
    database = Database(path, T0)
    aside = path.with_name("allthepoints.db.unreadable-20231114T221320Z")
    assert aside.read_bytes() == content
    assert len(database.warnings) == 1
    assert aside.name in database.warnings[0]
    database.record([r.Event(T0, r.EventKind.STARTED)], T0)
    assert database.load() == r.Restored(alive_at=T0)
    database.close()
    assert Database(path, T0).warnings == ()


def test_fc_33_a_second_bad_database_does_not_replace_the_first(path: Path) -> None:
    for content in ("first", "second"):
        path.write_text(content)
        os.utime(path, (T0, T0))
        Database(path, T0).close()
    found = sorted(entry.read_text() for entry in path.parent.glob("*.unreadable-*"))
    assert found == ["first", "second"]


def test_fc_33_the_journal_goes_with_its_database(path: Path) -> None:
    path.write_text("not a database")
    path.with_name("allthepoints.db-wal").write_text("journal")
    os.utime(path, (T0, T0))
    Database(path, T0).close()
    assert path.with_name("allthepoints.db.unreadable-20231114T221320Z-wal").read_text() == "journal"


def test_fc_33_an_empty_file_is_begun_and_told(path: Path) -> None:
    path.touch()
    database = Database(path, T0)
    assert database.warnings == (f"{path} was empty; a fresh database was begun",)
    assert database.load() == r.Restored()
    database.close()


def test_fc_33_a_folder_in_its_place(path: Path) -> None:
    path.mkdir()
    with pytest.raises(FaultError, match="is a folder") as caught:
        Database(path, T0)
    assert "mount the data directory" in caught.value.hint


def test_fc_33_a_read_only_file() -> None:
    """Tried as another user than the superuser, for whom nothing is read-only."""
    code = (
        "import os, sys; from pathlib import Path\n"
        "from allthepoints.storage.database import Database\n"
        "from allthepoints.base.errors import FaultError\n"
        "if os.geteuid() == 0: os.chdir('/'); os.seteuid(65534)\n"
        "try: Database(Path(sys.argv[1]), 0.0)\n"
        "except FaultError as error: print(error, '|', error.hint)\n"
    )
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to other users
        path = filled(Path(folder) / "allthepoints.db")
        path.chmod(0o444)
        path.parent.chmod(0o555)
        done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
        path.parent.chmod(0o755)
    assert done.stderr == ""
    assert "it is read-only" in done.stdout
    assert "--data-dir" in done.stdout


def test_fc_33_a_full_disk_loses_nothing_and_heals(path: Path) -> None:
    database = Database(path, T0)
    database.record([r.SessionClosed(T0, ALPHA.id, StreamId("s1")), r.Event(T0, r.EventKind.STARTED)], T0)
    pages = database._connection.execute("PRAGMA page_count").get
    database._connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    big = [r.PresenceOpened(T0, ALPHA.id, None)]
    big += [r.Event(T0, r.EventKind.LIVE, ALPHA.id, {"padding": "x" * 400}) for _ in range(100)]
    with pytest.raises(FaultError, match="the disk is full"):
        database.record(big, T0 + 1)
    assert [event.kind for event in Reader(path).events()] == ["started"]
    assert Reader(path).presence(ALPHA.id, 0, T0 * 2) == ()
    database._connection.execute("PRAGMA max_page_count = 100000").fetchall()
    database.record(big, T0 + 2)
    assert len(Reader(path).events(limit=1000)) == 101
    database.close()


def test_fc_33_a_lock_of_another_writer_is_waited_for(path: Path) -> None:
    database = Database(path, T0)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    waiting = threading.Timer(0.03, lambda: other.execute("COMMIT"))
    waiting.start()
    database.record([r.Event(T0, r.EventKind.STARTED)], T0)
    waiting.join()
    other.close()
    assert len(Reader(path).events()) == 1
    database.close()


def test_fc_33_a_lock_that_stays_is_told(path: Path) -> None:
    database = Database(path, T0, busy_ms=1)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(FaultError, match="another program holds it locked"):
        database.record([], T0)
    other.close()
    database.record([], T0)
    database.close()


def test_fc_33_a_reader_stops_nobody(path: Path) -> None:
    database = Database(path, T0, busy_ms=1)
    other = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    other.execute("BEGIN")
    before = other.execute("SELECT count(*) FROM events").get
    database.record([r.Event(T0, r.EventKind.STARTED)], T0)
    assert other.execute("SELECT count(*) FROM events").get == before
    assert len(Reader(path).events()) == 1
    other.close()
    database.close()


def test_a_database_damaged_while_it_runs_is_a_fault(path: Path) -> None:
    database = Database(filled(path), T0)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x5a" * (path.stat().st_size - 4096))
    with pytest.raises(FaultError, match="damaged"):
        database.load()
    with pytest.raises(FaultError):
        Reader(path).events()


def test_a_newer_schema_is_refused_by_all(path: Path) -> None:
    connection = apsw.Connection(str(filled(path)))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    content = path.read_bytes()
    asks = (lambda: Database(path, T0), Reader(path).status, lambda: ask(path, "retry", None, T0))
    for attempt in asks:
        with pytest.raises(FaultError, match=f"has schema 99, this program knows schemas up to {LATEST}") as caught:
            attempt()
        assert "newer" in caught.value.hint
    assert path.read_bytes() == content


def test_the_file_is_its_owners_and_marked(path: Path) -> None:
    database = Database(path, T0)
    assert {entry.stat().st_mode & 0o777 for entry in path.parent.iterdir()} == {0o600}
    connection = database._connection
    assert connection.execute("PRAGMA application_id").get == APPLICATION_ID
    assert connection.execute("PRAGMA journal_mode").get == "wal"
    assert connection.execute("PRAGMA synchronous").get == 2
    ran = connection.execute("SELECT number, at FROM migrations").fetchall()
    assert ran == [(number, T0) for number in range(1, LATEST + 1)]
    database.close()


NEXT = Migration(LATEST + 1, "one more", "ALTER TABLE channels ADD COLUMN colour TEXT")


def test_a_migration_copies_first(path: Path) -> None:
    connection = apsw.Connection(str(filled(path)))
    copy = migrate(connection, path, T0 + 5, (*MIGRATIONS, NEXT))
    assert copy == path.with_name(f"allthepoints.db.before-v{LATEST + 1}")
    assert version_of(connection) == LATEST + 1
    last = connection.execute("SELECT number, name, at FROM migrations ORDER BY number DESC LIMIT 1").get
    assert last == (LATEST + 1, "one more", T0 + 5)
    connection.close()
    before = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READONLY)
    assert version_of(before) == LATEST
    assert before.execute("SELECT login FROM channels").get == "alpha"
    before.close()
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(entry.name for entry in path.parent.iterdir()) == [path.name, copy.name]


def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    connection = apsw.Connection(str(filled(path)))
    broken = Migration(LATEST + 1, "broken", NEXT.sql + "; CREATE TABLE channels (x)")
    with pytest.raises(apsw.SQLError):
        migrate(connection, path, T0, (*MIGRATIONS, broken))
    assert version_of(connection) == LATEST
    assert connection.execute("SELECT count(*) FROM migrations").get == LATEST
    assert "colour" not in [row[1] for row in connection.execute("PRAGMA table_info(channels)")]
    connection.close()


def test_nobody_sees_a_file_between_two_versions(path: Path) -> None:
    """`status` while the service starts for the first time: the database is whole, or it is not there yet."""
    seen: list[int] = []

    def look(_: object, statement: str, __: object) -> bool:
        watcher = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        seen.append(version_of(watcher))
        watcher.close()
        return bool(statement)

    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.exec_trace = look
    migrate(connection, path, T0)
    connection.exec_trace = None
    assert version_of(connection) == LATEST
    assert len(seen) > 2 * LATEST
    assert set(seen) == {0}
    connection.close()


def test_a_first_run_makes_no_copy(path: Path) -> None:
    Database(path, T0).close()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_the_person_is_told_of_the_copy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path)
    monkeypatch.setattr(m.migrate, "__defaults__", ((*MIGRATIONS, NEXT),))
    database = Database(path, T0)
    assert database.warnings == (
        f"the database was brought to the newest schema; a copy from before is {path}.before-v{LATEST + 1}",
    )
    database.close()


def kept(path: Path, version: int) -> None:
    """The file of an older version, as it was."""
    connection = apsw.Connection(str(path))
    connection.execute((SCHEMAS / f"v{version}.sql").read_text()).fetchall()
    connection.close()


def schema_of(connection: apsw.Connection) -> list[str]:
    rows = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
    return sorted(" ".join(sql.split()) for (sql,) in rows)


@pytest.mark.parametrize("version", range(1, LATEST + 1))
def test_a_kept_file_of_each_schema_can_be_used(path: Path, version: int) -> None:
    kept(path, version)
    database = Database(path, T0)
    restored, restored_requests = database.load(), database.requests()
    assert restored.account == UserId("9")
    assert [known.ref.login for known in restored.channels] == ["alpha2", "beta"]
    assert restored.names == (("alpha", "1"), ("beta", "2"), ("alpha2", "1"))
    assert [refusal.why for refusal in restored.refusals] == ["banned"]
    assert [opened.stream.title for opened in restored.open_sessions] == ["Prestige 4 🌊 휴"]
    assert restored.told == (("1", "s2"),)
    assert restored.joins == (T0 - 5, T0 - 5)
    fresh = Database(path.with_name("fresh.db"), T0)
    assert schema_of(database._connection) == schema_of(fresh._connection)
    database.close()
    fresh.close()
    assert [interval.why for interval in Reader(path).presence(UserId("1"), 0, T0)] == ["offline", "crash"]
    assert [request.kind for request in restored_requests] == ["retry"]


def test_a_kept_file_of_schema_1_is_upgraded_with_a_copy(path: Path) -> None:
    kept(path, 1)
    database = Database(path, T0)
    copy = path.with_name(f"allthepoints.db.before-v{LATEST}")
    assert database.warnings == (f"the database was brought to the newest schema; a copy from before is {copy}",)
    before = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READONLY)
    assert version_of(before) == 1
    now = database._connection
    for table in ("channels", "logins", "sessions", "told", "presence", "events", "refusals", "attempts"):
        everything = f"SELECT * FROM {table}"
        assert now.execute(everything).fetchall() == before.execute(everything).fetchall() != []
    before.close()
    row = Reader(path).status().channels[0]
    assert (row.login, row.state, row.points, row.verdict, row.causes) == ("alpha2", "present", None, "unknown", ())
    restored = database.load()
    assert restored.purses == restored.redemptions == restored.notes == ()
    database.record([r.RedemptionKept(T0, SENT), r.LedgerEntry(T0, ALPHA.id, r.Change.EARNED, 5, 5)], T0)
    assert database.load().redemptions == (SENT,)
    database.close()


def test_a_kept_file_of_schema_2_gives_back_its_points(path: Path) -> None:
    kept(path, 2)
    database = Database(path, T0)
    restored = database.load()
    purse, nowhere = restored.purses
    assert purse.loyalty == Loyalty("acorns", True, 5, 600.0, 2, frozenset({Login("nightbot")}))
    assert (purse.balance, purse.seen_at) == (Balance(1845, 615, 212, 1290), T0 - 9.5)
    assert [(entry.change, entry.delta) for entry in purse.entries] == [("opening", 0), ("earned", 5), ("earned", 5)]
    assert [(item.name, item.cost, item.stock, item.asks) for item in purse.items] == [
        ("Pick the next map 🗺", 1500, 3, ("Map name",))
    ]
    assert nowhere == r.PurseKept(UserId("2"), T0 - 900, None)
    assert [(known.key, known.state, known.known) for known in restored.redemptions] == [("k1", "sent", ("r0",))]
    assert restored.notes == (("flat:1", "told"),)
    assert ask(path, "redeem", ALPHA.login, T0, key="k1") == 1
    database.close()


def test_fc_48_whose_a_redemption_of_schema_2_is_is_not_known(path: Path) -> None:
    """And so no reading settles it; of schema 3 it is known."""
    kept(path, 2)
    database = Database(path, T0)
    (old,) = database.load().redemptions
    assert (old.account, old.account_login, old.ahead, old.by_hand) == (None, "", None, False)
    mine = replace(old, account=SeId("5f0e0d0c0b0a090807060504"), account_login="me", ahead=0.5)
    database.record([r.RedemptionKept(T0, mine)], T0)
    database.close()
    kept(other := path.with_name("other.db"), 3)
    for file in (path, other):
        database = Database(file, T0)
        assert database.load().redemptions == (mine,)
        database.close()
