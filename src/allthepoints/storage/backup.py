"""`backup` and `restore`: the memory as one file, and such a file as the memory.

Theory. A backup is a whole copy of a moment (`copying.py`), so it can be made while the service writes. It holds no
token: those stand in files of their own. It does hold what was bought, access codes too.

A restore takes the machine back in time, and the world does not go along. So what the backup says is about to happen
has happened since, or never will: requests that were open are closed, a redemption that was confirmed and not sent is
given up, and automatic wishes wait for a new word, for what they bought since is forgotten. What protects us from
others is not taken back: JOINs and logins of the last minutes still count, and a chat that sent us away stays closed.
And what was not made by us does not come in at all (`genuine.py`).

Restoring ends with one rename. Before it the old memory is whole in its place, its journal folded in, because a journal
beside a file that it does not belong to would destroy that file; and it is kept under another name. A kill at any
moment leaves the one or the other.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import apsw

from allthepoints.base.errors import Declined, FaultError, UsageError
from allthepoints.base.files import drop_leftovers, flush_folder
from allthepoints.base.types import JSON
from allthepoints.storage.copying import PART, free_name, whole_copy
from allthepoints.storage.faults import fault, refuse_folder, told
from allthepoints.storage.genuine import refuse_strange
from allthepoints.storage.migrations import LATEST, refuse_newer, version_of
from allthepoints.storage.opening import BUSY_MS, problem_of
from allthepoints.storage.restore import restored
from allthepoints.storage.schema import ALIVE, APPLICATION_ID
from allthepoints.storage.text import json_object

HEAD = 72
"""Bytes of a database up to the end of the mark that says whose it is; the mark is the last four."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is in a database. `account`: the login; `alive_at`: the last sign of life of the service that wrote it."""

    schema: int
    channels: int
    events: int
    redemptions: int
    account: str | None
    alive_at: float | None


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made, of `size` bytes."""

    path: Path
    size: int
    content: Content


@dataclass(frozen=True, slots=True)
class Put:
    """A restored database. `kept`: where the one from before is; `paused`: automatic wishes wait for a new word."""

    path: Path
    size: int
    content: Content
    kept: Path | None
    paused: bool


def back_up(database: Path, target: Path, ours: tuple[Path, ...], *, force: bool = False) -> Made:
    """Copy the database, which may be in use, to `target`. `ours`: files that are never overwritten.

    `force`: an older backup in its place is replaced. Raises UsageError, Declined, FaultError; `target` is as it was
    then.
    """
    target = Path(os.path.realpath(target))
    _refuse_target(target, ours, force)
    with told(database):
        refuse_folder(database)
        if not database.is_file() or database.stat().st_size == 0:
            raise FaultError(f"there is no database at {database} yet", "Start the service once: allthepoints run")
        with _reading(database) as source:
            content = _content(source, database)
            with _told_of_either(database, target, locked=database):
                size = whole_copy(source, target, replaces=force)
    return Made(target, size, content)


def look_into(file: Path) -> Content:
    """What is in a file that is to be restored, all of which is read and checked. Raises UsageError, FaultError."""
    if file.is_dir():
        raise UsageError(f"{file} is a folder", "Name the backup's file.")
    if not file.is_file():
        raise UsageError(f"there is no file {file}", "Name the backup's file.")
    if not _is_ours(file):
        raise UsageError(f"{file} is no backup of allthepoints", "Backups are made by: allthepoints backup FILE")
    with told(file), _reading(file, still=True) as source:
        content = _content(source, file, strict=True)
        if (found := source.execute("PRAGMA integrity_check(1)").get) != "ok":
            raise FaultError(f"{file} is damaged ({found}); nothing was changed", "Take an older backup.")
    return content


def restore(file: Path, database: Path, now: float) -> Put:
    """Put a copy of `file` in the place of `database`, whose lock is held. Raises UsageError, FaultError."""
    if database.exists() and file.exists() and file.samefile(database):
        raise UsageError(f"{file} is the database in use", "Name the backup's file.")
    content = look_into(file)
    refuse_folder(database)
    with told(database), _reading(file, still=True) as source, _Present(database, now) as present:
        settled = _Settled(present, now, file)
        with _told_of_either(file, database, locked=database):
            size = whole_copy(source, database, settled.settle, last=present.keep)
    return Put(database, size, content, present.kept, settled.paused)


# -- what may be overwritten, and what is in a file --------------------------------------------------------------------
def _refuse_target(target: Path, ours: tuple[Path, ...], force: bool) -> None:
    if target.is_dir():
        raise UsageError(f"{target} is a folder", "Name the file that the backup is to have.")
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {target.parent}", "Make it first, or name another file.")
    if any(target == Path(os.path.realpath(one)) for one in _with_journals(ours)):
        raise UsageError(f"{target} is a file that allthepoints itself works with", "Name another file.")
    if not target.exists():
        return
    if not force:
        raise Declined(f"{target} exists already; it is as it was", "Name another file, or add --force to replace it.")
    if not (target.is_file() and (target.stat().st_size == 0 or _is_ours(target))):
        raise Declined(f"{target} is no backup; it is as it was", "--force replaces older backups, and nothing else.")


def _with_journals(paths: tuple[Path, ...]) -> list[Path]:
    return [path.with_name(path.name + ending) for path in paths for ending in ("", "-wal", "-shm", "-journal")]


def _is_ours(file: Path) -> bool:
    """By its first bytes alone: for a file that nobody must open as a database just to look."""
    try:
        with file.open("rb") as opened:
            head = opened.read(HEAD)
    except OSError as error:
        raise FaultError(f"{file} cannot be read: {error.strerror}", "Check who may use the file.") from error
    return len(head) == HEAD and head.startswith(b"SQLite format 3\0") and _mark(head) == APPLICATION_ID


def _mark(head: bytes) -> int:
    return int.from_bytes(head[HEAD - 4 :], "big", signed=True)


def _content(db: apsw.Connection, path: Path, *, strict: bool = False) -> Content:
    if db.execute("PRAGMA application_id").get != APPLICATION_ID:
        raise FaultError(f"{path} belongs to another program", "Choose another --data-dir, or move the file away.")
    schema = version_of(db)
    refuse_newer(schema, LATEST, path)
    if strict:
        refuse_strange(db, schema, path)
    account = db.execute("SELECT value FROM service_state WHERE key = 'account'").get
    return Content(
        schema,
        db.execute("SELECT count(*) FROM channels").get,
        db.execute("SELECT count(*) FROM events").get,
        db.execute("SELECT count(*) FROM redemptions").get if schema >= _POINTS else 0,
        _login(account),
        db.execute("SELECT at FROM service_state WHERE key = ?", (ALIVE,)).get,
    )


def _login(account: object) -> str | None:
    login = _object(account).get("login")
    return str(login) if login else None


def _object(text: object) -> Mapping[str, JSON]:
    """What stands there as JSON; an empty one for anything else."""
    try:
        return json_object(text) if isinstance(text, str) else {}
    except ValueError:
        return {}


_POINTS = 2
"""The schema from which on there are redemptions and notes."""


@contextmanager
def _reading(path: Path, *, still: bool = False) -> Iterator[apsw.Connection]:
    """Open to be read only. `still`: nobody writes to it, so that it may lie where nothing can be written, and nothing
    is made beside it."""
    still = still and not _has_journal(path)
    connection = _opened(path, "mode=ro&immutable=1" if still else "mode=ro")
    try:
        connection.set_busy_timeout(BUSY_MS)
        yield connection
    finally:
        connection.close()


def _has_journal(path: Path) -> bool:
    journal = _beside(path, "-wal")
    return journal.exists() and journal.stat().st_size > 0


def _opened(path: Path, how: str) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    return apsw.Connection(f"{path.absolute().as_uri()}?{how}", flags=flags)


@contextmanager
def _told_of_either(source: Path, target: Path, locked: Path) -> Iterator[None]:
    """What cannot be read is the source's fault, everything else the target's; `locked` is what others may hold."""
    try:
        with told(target):
            yield
    except FaultError as error:
        match error.__cause__:
            case apsw.CorruptError() | apsw.NotADBError() as cause:
                raise fault(source, cause) from cause
            case apsw.BusyError() as cause:
                raise fault(locked, cause) from cause
        raise


# -- the database that is there ----------------------------------------------------------------------------------------
class _Present:
    """The database whose place is taken. `kept`: where it is then, once `keep` has run; None where there was none."""

    def __init__(self, path: Path, now: float) -> None:
        self.kept: Path | None = None
        self._path = path
        self._stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        self._connection: apsw.Connection | None = None

    def __enter__(self) -> _Present:
        if self._path.exists() and problem_of(self._path) is None and self._path.stat().st_size:
            self._connection = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READWRITE)
            self._connection.set_busy_timeout(BUSY_MS)
        return self

    def __exit__(self, *_: object) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def read(self, query: str) -> list[tuple[apsw.SQLiteValue, ...]]:
        """Rows of it; none where it cannot be read, or where a later version has no such thing."""
        if self._connection is not None:
            with suppress(apsw.SQLError):
                return list(self._connection.execute(query))
        return []

    def keep(self) -> None:
        """Keep it under another name. It stays in its place too, without a journal, and nobody can use it any more."""
        if not self._path.exists():
            return
        for part in self._path.parent.glob(f"{self._path.name}.before-restore-*.{PART}"):  # of any time
            drop_leftovers(part.with_suffix("").with_suffix(""), PART)
        kept = free_name(self._path.with_name(f"{self._path.name}.before-restore-{self._stamp}"))
        try:
            if self._connection is not None:
                self._keep(self._connection, kept)
        except (FaultError, apsw.CorruptError, apsw.NotADBError):  # too big to have been checked, and damaged
            self.__exit__()
        if self._connection is None:
            self._keep_unusable(kept)
        self.kept = kept if kept.exists() else None

    def _keep(self, connection: apsw.Connection, kept: Path) -> None:
        mode = connection.execute("PRAGMA journal_mode = DELETE").get
        if mode != "delete":
            raise apsw.BusyError("somebody has it open")
        whole_copy(connection, kept, replaces=False)
        if os.name == "nt":  # an open file keeps its place there
            connection.close()  # closing it twice is allowed
        else:
            connection.execute("BEGIN EXCLUSIVE")

    def _keep_unusable(self, kept: Path) -> None:
        """Nothing can be read of it, so all of it is kept as it is."""
        if self._path.stat().st_size == 0 and not _has_journal(self._path):
            for ending in ("", "-wal", "-shm"):
                _beside(self._path, ending).unlink(missing_ok=True)
            return
        shutil.copyfile(self._path, kept)
        kept.chmod(0o600)
        for ending in ("-wal", "-shm"):
            if _beside(self._path, ending).exists():
                os.rename(_beside(self._path, ending), _beside(kept, ending))
        flush_folder(kept.parent)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


# -- what the past does not know ---------------------------------------------------------------------------------------
class _Settled:
    """Makes a copy of the past fit for the present. `paused`: automatic wishes were allowed, and are no more."""

    def __init__(self, present: _Present, now: float, file: Path) -> None:
        self.paused = False
        self._file = file
        self._present = present
        self._now = now

    def settle(self, db: apsw.Connection) -> None:
        """See the theory above. Raises FaultError for what nobody but us may have written, and cannot be read."""
        refuse_strange(db, version_of(db), self._file)  # the copy counts: the file may be another by now
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE requests SET done_at = ? WHERE done_at IS NULL", (self._now,))
        if version_of(db) >= _POINTS:
            db.execute(
                "UPDATE redemptions SET state = 'rejected', reason = 'unchecked', settled_at = ?1, at = ?1"
                " WHERE state = 'confirmed'",
                (self._now,),
            )
            self.paused = bool(db.execute("DELETE FROM notes WHERE key = 'auto_allowed' RETURNING 1").fetchall())
        self._carry(db)
        self._understand(db)
        db.execute("COMMIT")

    def _understand(self, db: apsw.Connection) -> None:
        """The service would fail at its start. What an older schema holds is read when it has been brought up."""
        if version_of(db) != LATEST:
            return
        try:
            restored(db)
        except (ValueError, TypeError, LookupError) as error:
            raise FaultError(
                f"something in {self._file} cannot be understood; nothing was changed", "Take an older backup."
            ) from error

    def _carry(self, db: apsw.Connection) -> None:
        account = "SELECT value FROM service_state WHERE key = 'account'"
        mine, theirs = db.execute(account).fetchall(), self._present.read(account)
        same = {_user(value) for (value,) in [*mine, *theirs]}
        db.executemany(
            "INSERT INTO attempts (what, at, count) VALUES (?, ?, ?)",
            self._present.read("SELECT what, at, count FROM attempts"),
        )
        if len(same) <= 1:
            db.executemany(
                "INSERT OR IGNORE INTO refusals (channel, at, why, text, stream, until, tries)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                self._present.read("SELECT channel, at, why, text, stream, until, tries FROM refusals"),
            )


def _user(value: object) -> object:
    return _object(value).get("user_id")
