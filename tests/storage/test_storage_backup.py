"""`backup` and `restore` below the command: whole copies of a file in use, and one rename."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from allthepoints.base.errors import Declined, FaultError, UsageError
from allthepoints.base.types import Login, UserId
from allthepoints.core import records as r
from allthepoints.core.model import ChannelRef, Why
from allthepoints.core.redeem import Reason, State
from allthepoints.storage import copying
from allthepoints.storage.backup import back_up, look_into, restore
from allthepoints.storage.database import Database
from allthepoints.storage.migrations import LATEST
from allthepoints.storage.read_points import PointsReader

sys.path.insert(0, str(Path(__file__).parent))

from old_files import ALIVE, old_file

T0 = 1_700_000_000.0
ALPHA = ChannelRef(UserId("1"), Login("alpha"), "Alpha")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "allthepoints.db"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "backup.db"


def filled(path: Path, events: int = 50, at: float = T0) -> Path:
    path.parent.mkdir(exist_ok=True)
    database = Database(path, at)
    database.record([r.ChannelKnown(at, ALPHA, 0)], at)
    database.record([r.Event(at + n, r.EventKind.LIVE, ALPHA.id, {"padding": "x" * 400}) for n in range(events)], at)
    database.close()
    return path


def told(path: Path) -> int:
    return len(PointsReader(path).events(limit=10**6))


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir())


# -- backup ------------------------------------------------------------------------------------------------------------
def test_a_backup_is_one_private_file_that_passes_every_check(path: Path, target: Path) -> None:
    old = os.umask(0)
    try:
        made = back_up(filled(path), target, ())
    finally:
        os.umask(old)
    assert (made.path, made.size) == (target, target.stat().st_size)
    assert (made.content.schema, made.content.channels, made.content.events) == (LATEST, 1, 50)
    assert (made.content.account, made.content.alive_at) == (None, T0)
    assert target.stat().st_mode & 0o777 == 0o600
    assert names(target) == ["backup.db", "data"]
    copy = apsw.Connection(str(target), flags=apsw.SQLITE_OPEN_READONLY)
    assert copy.execute("PRAGMA integrity_check").get == "ok"
    assert copy.execute("PRAGMA journal_mode").get == "delete"
    copy.close()
    assert look_into(target) == made.content


def test_a_backup_while_it_is_written_to(path: Path, target: Path) -> None:
    """The journal counts, an open transaction does not, and the writer waits for nobody."""
    writer = Database(filled(path), T0, busy_ms=1)
    writer.record([r.Event(T0 + 100, r.EventKind.STARTED)], T0)
    writer._connection.execute("BEGIN IMMEDIATE")
    writer._connection.execute("DELETE FROM events")
    assert back_up(path, target, ()).content.events == 51
    writer._connection.execute("ROLLBACK")
    assert told(target) == 51
    writer.record([r.Event(T0 + 101, r.EventKind.STOPPED)], T0)
    writer.close()
    assert (told(path), told(target)) == (52, 51)


def a_folder(target: Path) -> None:
    target.mkdir()


def an_older_backup(target: Path) -> None:
    filled(target, 3)


def somebodys_file(target: Path) -> None:
    target.write_text("precious " * 100)


def a_loop(target: Path) -> None:
    target.symlink_to("/dev/null")


@pytest.mark.parametrize(
    ("before", "force", "kind", "words"),
    [
        (a_folder, True, UsageError, "is a folder"),
        (an_older_backup, False, Declined, "exists already; it is as it was"),
        (somebodys_file, False, Declined, "exists already; it is as it was"),
        (somebodys_file, True, Declined, "is no backup; it is as it was"),
        (a_loop, True, Declined, "is no backup; it is as it was"),
    ],
)
def test_what_is_in_the_way_stays(
    path: Path, target: Path, before: Callable[[Path], None], force: bool, kind: type[Exception], words: str
) -> None:
    filled(path)
    before(target)
    content = target.read_bytes() if target.is_file() else None
    with pytest.raises(kind, match=words):
        back_up(path, target, (), force=force)
    assert names(target) == ["backup.db", "data"]
    assert content is None or target.read_bytes() == content


def test_force_replaces_an_older_backup_through_a_link_too(path: Path, target: Path, tmp_path: Path) -> None:
    filled(path)
    real = tmp_path / "elsewhere.db"
    filled(real, 3)
    target.symlink_to(real)
    back_up(path, target, (), force=True)
    assert target.is_symlink()
    assert told(real) == 50


def test_our_own_files_are_never_a_target(path: Path, tmp_path: Path) -> None:
    filled(path)
    tokens = path.parent / "tokens.json"
    for one in (path, path.with_name("allthepoints.db-wal"), tokens):
        with pytest.raises(UsageError, match="itself works with"):
            back_up(path, one, (path, tokens), force=True)
    assert told(path) == 50
    with pytest.raises(UsageError, match=r"there is no folder .*nowhere"):
        back_up(path, tmp_path / "nowhere" / "backup.db", ())
    assert not (tmp_path / "nowhere").exists()


def test_there_may_be_nothing_to_back_up(path: Path, target: Path) -> None:
    for make in (lambda: None, path.parent.mkdir, path.touch):
        make()
        with pytest.raises(FaultError, match=r"there is no database at .* yet"):
            back_up(path, target, ())
    path.unlink()
    path.mkdir()
    with pytest.raises(FaultError, match="is a folder"):
        back_up(path, target, ())
    assert not target.exists()


def test_a_database_of_somebody_else_or_of_the_future_is_not_ours_to_copy(path: Path, target: Path) -> None:
    connection = apsw.Connection(str(filled(path)))
    connection.execute("PRAGMA user_version = 99")
    with pytest.raises(FaultError, match="has schema 99"):
        back_up(path, target, ())
    connection.execute("PRAGMA application_id = 7")
    connection.close()
    with pytest.raises(FaultError, match="belongs to another program"):
        back_up(path, target, ())
    path.write_text("not a database " * 100)
    with pytest.raises(FaultError, match="is not a database"):
        back_up(path, target, ())
    assert not target.exists()


def test_a_damaged_database_makes_no_backup(path: Path, target: Path) -> None:
    with filled(path, 200).open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\x5a" * 8192)
    with pytest.raises(FaultError, match="damaged"):
        back_up(path, target, ())
    assert names(target) == ["data"]


FULL = """
import resource, sys
from pathlib import Path
from allthepoints.base.errors import FaultError
from allthepoints.storage.backup import back_up, restore
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
try:
    if sys.argv[1] == "backup":
        back_up(Path(sys.argv[2]), Path(sys.argv[3]), (), force=True)
    else:
        restore(Path(sys.argv[3]), Path(sys.argv[2]), 0.0)
except FaultError as error:
    print(error, "|", error.hint)
"""
"""Files of this process may have 40 kB and no more: what a full disk is like, for real."""


@pytest.mark.parametrize("what", ["backup", "restore"])
def test_fc_33_a_disk_that_is_full_leaves_nothing_half(path: Path, target: Path, what: str) -> None:
    filled(path, 200)
    filled(target, 300)
    before = {file: file.read_bytes() for file in (path, target)}
    done = subprocess.run(
        [sys.executable, "-c", FULL, what, str(path), str(target)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert "the disk" in done.stdout
    assert {file: file.read_bytes() for file in (path, target)} == before
    assert {name.removesuffix("-wal").removesuffix("-shm") for name in names(path)} == {"allthepoints.db"}
    assert names(target) == ["backup.db", "data"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_fc_33_a_place_that_takes_nothing(
    path: Path, target: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    filled(path)
    real: Callable[..., int] = os.open

    def fail(file: object, *args: object) -> int:
        if str(file).endswith(".part"):
            raise OSError(number, os.strerror(number))
        return real(file, *args)

    monkeypatch.setattr(os, "open", fail)
    words = "the disk is full" if number == errno.ENOSPC else os.strerror(number)
    with pytest.raises(FaultError, match=words):
        back_up(path, target, ())
    assert names(target) == ["data"]


def test_who_comes_second_to_a_name_does_not_take_it(path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = copying._flush

    def meanwhile(part: Path) -> None:
        real(part)
        target.write_text("theirs")

    monkeypatch.setattr(copying, "_flush", meanwhile)
    with pytest.raises(FaultError, match="was made by another program meanwhile"):
        back_up(filled(path), target, ())
    assert target.read_text() == "theirs"
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "no links here")))
    with pytest.raises(FaultError, match="was made by another program meanwhile"):
        copying.whole_copy(apsw.Connection(str(path)), target, replaces=False)
    target.unlink()
    monkeypatch.setattr(copying, "_flush", real)
    back_up(path, target, ())
    assert told(target) == 50
    assert names(target) == ["backup.db", "data"]


def test_what_a_killed_backup_left_is_removed_by_the_next(path: Path, target: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    target.with_name(f"backup.db.{dead.pid}.part").write_text("half")
    back_up(filled(path), target, ())
    assert names(target) == ["backup.db", "data"]


# -- restore -----------------------------------------------------------------------------------------------------------
def test_a_restore_keeps_what_was_there_under_another_name(path: Path, target: Path) -> None:
    back_up(filled(path), target, ())
    database = Database(path, T0)
    database.record([r.Event(T0 + 200, r.EventKind.STARTED)], T0)
    database.close()
    put = restore(target, path, T0)
    assert put.kept == path.with_name("allthepoints.db.before-restore-20231114T221320Z")
    assert put.size == path.stat().st_size
    assert (told(path), told(put.kept)) == (50, 51)
    assert {file.stat().st_mode & 0o777 for file in (path, put.kept)} == {0o600}
    again = restore(put.kept, path, T0)
    assert again.kept == path.with_name("allthepoints.db.before-restore-20231114T221320Z-2")
    assert (told(path), told(again.kept)) == (51, 50)
    assert names(path) == sorted([path.name, put.kept.name, again.kept.name])
    assert Database(path, T0).warnings == ()


def test_a_restore_where_nothing_is_yet(path: Path, target: Path) -> None:
    back_up(filled(path), target, ())
    path.unlink()
    assert restore(target, path, T0).kept is None
    path.write_bytes(b"")
    assert restore(target, path, T0).kept is None
    assert told(path) == 50
    assert names(path) == [path.name]


def test_the_journal_of_a_killed_service_goes_with_its_database(path: Path, target: Path) -> None:
    """A journal beside a database that it does not belong to would destroy it."""
    back_up(filled(path), target, ())
    code = (
        "import os, sys; from pathlib import Path; from allthepoints.core import records as r\n"
        "from allthepoints.storage.database import Database\n"
        "database = Database(Path(sys.argv[1]), 0.0)\n"
        "database.record([r.Event(float(n), r.EventKind.LIVE, None, {'padding': 'y' * 400}) for n in range(99)], 0.0)\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert path.with_name("allthepoints.db-wal").stat().st_size > 0
    put = restore(target, path, T0)
    assert put.kept is not None
    assert (told(path), told(put.kept)) == (50, 149)
    assert not path.with_name("allthepoints.db-wal").exists()
    assert Database(path, T0)._connection.execute("PRAGMA integrity_check").get == "ok"


def foreign(path: Path) -> None:
    path.unlink()
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()


def text(path: Path) -> None:
    path.write_text("no database, but long enough to be read as one " * 20)
    path.with_name(path.name + "-wal").write_text("journal")


def newer(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA user_version = 99; DROP TABLE refusals")
    connection.close()


def damaged(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x5a" * (size - 4096))


@pytest.mark.parametrize("spoil", [foreign, text, newer, damaged])
def test_a_restore_over_something_that_cannot_be_used(path: Path, target: Path, spoil: Callable[[Path], None]) -> None:
    back_up(filled(path), target, ())
    spoil(path)
    before = path.read_bytes()
    put = restore(target, path, T0)
    assert put.kept is not None
    assert spoil is newer or put.kept.read_bytes() == before
    assert put.kept.stat().st_mode & 0o777 == 0o600
    assert told(path) == 50
    if spoil is text:
        assert put.kept.with_name(put.kept.name + "-wal").read_text() == "journal"
    assert Database(path, T0).warnings == ()


def test_damage_that_only_the_copy_finds(path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database too big to be read whole at the start."""
    back_up(filled(path, 200), target, ())
    monkeypatch.setattr("allthepoints.storage.opening.CHECK_BELOW", 0)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\x5a" * 8192)
    put = restore(target, path, T0)
    assert put.kept is not None
    assert told(path) == 200


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda file: None, UsageError, "there is no file"),
        (lambda file: file.mkdir(), UsageError, "is a folder"),
        (lambda file: file.touch(), UsageError, "is no backup of allthepoints"),
        (lambda file: file.write_text("{}" * 100), UsageError, "is no backup of allthepoints"),
        (lambda file: foreign(filled(file)), UsageError, "is no backup of allthepoints"),
        (lambda file: newer(filled(file)), FaultError, "has schema 99"),
        (lambda file: damaged(filled(file)), FaultError, "damaged"),
    ],
)
def test_what_is_no_backup_changes_nothing(
    path: Path, target: Path, make: Callable[[Path], object], kind: type[Exception], words: str
) -> None:
    filled(path)
    content = path.read_bytes()
    make(target)
    with pytest.raises(kind, match=words):
        restore(target, path, T0)
    assert path.read_bytes() == content
    assert names(path) == [path.name]


def test_the_database_itself_is_no_backup_of_itself(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(filled(path))
    with pytest.raises(UsageError, match="is the database in use"):
        restore(link, path, T0)


def test_a_database_that_somebody_reads_is_not_taken_from_under_them(
    path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("allthepoints.storage.backup.BUSY_MS", 1)
    back_up(filled(path), target, ())
    filled(path)
    other = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    other.execute("BEGIN; SELECT count(*) FROM events").fetchall()
    with pytest.raises(FaultError, match=f"{path}: another program holds it locked"):
        restore(target, path, T0)
    other.close()
    assert told(path) == 100
    assert restore(target, path, T0).kept is not None


def test_a_backup_on_a_medium_that_cannot_be_written(path: Path, target: Path) -> None:
    """As somebody who may only read: the file, in the mode of a live database, and its folder."""
    filled(path)
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.close()
    code = (
        "import os, sys; from pathlib import Path; from allthepoints.storage.backup import look_into\n"
        "if os.geteuid() == 0: os.seteuid(65534)\n"
        "print(look_into(Path(sys.argv[1])).events)"
    )
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "backup.db"
        copy.write_bytes(path.read_bytes())
        copy.chmod(0o444)
        copy.parent.chmod(0o555)
        done = subprocess.run([sys.executable, "-c", code, str(copy)], capture_output=True, text=True, check=False)
        copy.parent.chmod(0o755)
    assert (done.stdout, done.stderr) == ("50\n", "")


# -- what the past does not know ---------------------------------------------------------------------------------------
def test_nothing_that_was_about_to_be_bought_is_bought_now(path: Path, target: Path) -> None:
    """A request, a confirmed redemption, an automatic wish: what came of them since, the backup does not know."""
    path.parent.mkdir()
    back_up(old_file(path, 2), target, ())
    put = restore(target, path, ALIVE + 5)
    assert put.paused
    database = Database(path, ALIVE + 6)
    assert database.requests() == ()
    restored = {one.key: one for one in database.load().redemptions}
    assert "91ab-confirmed" not in restored or restored["91ab-confirmed"].state is State.REJECTED
    assert restored["7d0c-sent"].state is State.SENT, "whether it was booked is read back, as after any crash"
    database.close()
    shown = {one.key: one for one in PointsReader(path).redemptions(10)}
    given_up = shown["91ab-confirmed"]
    assert (given_up.state, given_up.reason, given_up.settled_at) == (State.REJECTED, Reason.UNCHECKED, ALIVE + 5)
    assert "auto_allowed" not in PointsReader(path).notes()


def test_limits_and_bans_are_not_taken_back(path: Path, target: Path) -> None:
    back_up(filled(path), target, ())
    database = Database(path, T0)
    database.record(
        [
            r.AttemptsSpent(T0 + 1, "join", 20),
            r.RefusalSet(T0 + 1, ALPHA.id, Why.BANNED, "You are banned", None, None),
        ],
        T0 + 1,
    )
    database.close()
    restore(target, path, T0 + 2)
    database = Database(path, T0 + 3)
    restored = database.load()
    assert len(restored.joins) == 20
    assert [refusal.why for refusal in restored.refusals] == [Why.BANNED]
    database.close()


def test_bans_of_another_account_do_not_count(path: Path, target: Path) -> None:
    filled(path)
    database = Database(path, T0)
    database.record([], T0, service={"account": {"user_id": "1", "login": "me"}})
    database.close()
    back_up(path, target, ())
    database = Database(path, T0)
    database.record(
        [r.RefusalSet(T0, ALPHA.id, Why.BANNED, "", None, None)],
        T0,
        service={"account": {"user_id": "2", "login": "other"}},
    )
    database.close()
    assert restore(target, path, T0).content.account == "me"
    database = Database(path, T0)
    assert database.load().refusals == ()
    database.close()


# -- a kill at any moment ----------------------------------------------------------------------------------------------
DIES = """
import os, signal, sys
from pathlib import Path
import apsw
from allthepoints.storage.backup import restore

left = int(sys.argv[3])

def step(frame, event, argument):
    global left
    name = frame.f_code.co_filename
    if event == "line" and name.endswith(("backup.py", "copying.py")):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return step

sys.settrace(step)
restore(Path(sys.argv[1]), Path(sys.argv[2]), 1.0)
sys.settrace(None)
print("done")
"""
"""Dies after so many lines of the code that restores."""


def test_fc_33_a_kill_at_any_line_of_a_restore_leaves_the_old_or_the_new(path: Path, target: Path) -> None:
    back_up(filled(path, 20), target, ())
    filled(path, 5)  # 25 from now on
    seen, lines = set(), 1
    while True:
        done = subprocess.run(
            [sys.executable, "-c", DIES, str(target), str(path), str(lines)], capture_output=True, check=False
        )
        found = told(path)
        assert found in (20, 25), lines
        database = Database(path, T0)
        assert database.warnings == ()
        assert database._connection.execute("PRAGMA integrity_check").get == "ok"
        database.close()
        seen.add(found)
        for kept in path.parent.glob("*.before-restore-*"):
            if not kept.name.endswith(".part"):
                assert told(kept) in (20, 25)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        lines += 16
        if found == 20:  # the rest of the way is beyond the rename: begin anew, with the old one in its place
            restore(next(path.parent.glob("*.before-restore-*Z")), path, T0)
    assert seen == {20, 25}
    restore(target, path, T0)
    assert [name for name in names(path) if name.endswith((".part", "-journal", "-wal"))] == []
