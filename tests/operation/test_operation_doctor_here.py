"""What the doctor measures of this machine: real directories, files, databases and ports."""

from __future__ import annotations

import os
import socket
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from allthepoints.base.clock import SystemClock
from allthepoints.config.paths import DataDir
from allthepoints.config.settings import Dashboard
from allthepoints.core.checkup_here import DatabaseState, Port
from allthepoints.operation import doctor_database, doctor_here
from allthepoints.operation.doctor_database import look_at_database
from allthepoints.operation.doctor_here import look_at_folder, look_at_port, look_at_secrets
from allthepoints.storage.database import Database
from allthepoints.storage.migrations import LATEST

NOW = SystemClock().now()

NOBODY = 65_534

posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="users and modes")


# -- the data directory ----------------------------------------------------------------------------------------------
def test_a_directory_is_probed_and_nothing_is_left(tmp_path: Path) -> None:
    seen = look_at_folder(tmp_path)
    assert (seen.exists, seen.is_folder, seen.error) == (True, True, "")
    assert list(tmp_path.iterdir()) == []


@posix
@pytest.mark.parametrize("mode", [0o700, 0o755, 0o777])
def test_whose_it_is_and_who_may(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    seen = look_at_folder(tmp_path)
    assert (seen.owner, seen.me, seen.mode) == (os.geteuid(), os.geteuid(), mode)


@contextmanager
def somebody() -> Iterator[None]:
    """Not root, who may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@posix
def test_a_read_only_directory() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as text:  # one that any user may look into
        path = Path(text)
        path.chmod(0o555)
        with somebody():
            seen, inner = look_at_folder(path), look_at_folder(path / "data")
        path.chmod(0o755)
    assert seen.error == "permission denied"
    assert (inner.exists, inner.makeable, inner.parent) == (False, False, text)


def test_a_probe_that_does_not_fit_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert look_at_folder(tmp_path).error == "no space left on device"
    assert list(tmp_path.iterdir()) == []


def test_not_there_and_a_file_in_the_way(tmp_path: Path) -> None:
    seen = look_at_folder(tmp_path / "a" / "b")
    assert (seen.exists, seen.makeable, seen.parent) == (False, True, str(tmp_path))
    assert not (tmp_path / "a").exists()
    file = tmp_path / "file"
    file.write_text("x")
    assert not look_at_folder(file).is_folder
    assert not look_at_folder(file / "data").makeable


# -- files with secrets ----------------------------------------------------------------------------------------------
@posix
def test_secret_files_are_left_as_they_are(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    data.tokens.write_text('{"access": "canary"')
    data.tokens.chmod(0o644)
    data.jwt.write_text('{"jwt": "a.b.c"}')
    data.jwt.chmod(0o600)
    data.password.mkdir()
    tokens, jwt, password = look_at_secrets(data)
    assert (tokens.mode, tokens.error) == (0o644, "cannot be understood")
    assert (jwt.mode, jwt.error) == (0o600, "")
    assert (password.exists, password.error) == (True, "is a folder")
    assert "canary" not in repr((tokens, jwt, password))
    assert data.tokens.stat().st_mode & 0o777 == 0o644


def test_a_secret_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor_here, "read_secret", denied)
    assert {one.error for one in look_at_secrets(DataDir(tmp_path))} == {"cannot be read (permission denied)"}


# -- the database ----------------------------------------------------------------------------------------------------
@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "allthepoints.db"


def fill(path: Path) -> None:
    database = Database(path, NOW)
    database.record((), NOW, service={"account": {"user_id": "1", "login": "me"}})
    database.close()


def beside(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir())


def test_a_good_one_is_read_and_nothing_appears_beside_it(path: Path) -> None:
    fill(path)
    before = beside(path), path.read_bytes()
    seen = look_at_database(path, running=False)
    assert (seen.state, seen.version, seen.whole) == (DatabaseState.GOOD, LATEST, True)
    assert doctor_database.read_memory(path, False, NOW).account == ("1", "me")
    assert (beside(path), path.read_bytes()) == before


def test_beside_a_writer(path: Path) -> None:
    database = Database(path, NOW)
    try:
        database.record((), NOW, service={"chat": {"connections": 2}})
        assert look_at_database(path, running=True).state is DatabaseState.GOOD
        memory = doctor_database.read_memory(path, True, NOW)
        assert (memory.connections, memory.logins) == (2, 0)
        assert memory.alive is not None
    finally:
        database.close()


def test_a_journal_that_was_left_is_read_too(path: Path, tmp_path: Path) -> None:
    database = Database(path, NOW)
    try:
        database.record((), NOW, service={"chat": {"connections": 3}})
        copy = tmp_path / "copy"
        copy.mkdir()
        for name in ("allthepoints.db", "allthepoints.db-wal"):
            (copy / name).write_bytes((tmp_path / name).read_bytes())
    finally:
        database.close()
    assert doctor_database.read_memory(copy / path.name, False, NOW).connections == 3


def test_missing_empty_and_not_yet_filled(path: Path) -> None:
    assert look_at_database(path, False).state is DatabaseState.MISSING
    path.touch()
    assert look_at_database(path, False).state is DatabaseState.EMPTY
    with sqlite3.connect(path) as db:
        db.execute("VACUUM")
    assert look_at_database(path, False).state is DatabaseState.EMPTY


def test_a_foreign_one(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE cookies (x)")
    db.close()
    assert look_at_database(path, False).state is DatabaseState.FOREIGN
    assert doctor_database.read_memory(path, False, NOW) == doctor_database.Memory()


@pytest.mark.parametrize(("change", "state"), [(1, DatabaseState.NEWER), (-1, DatabaseState.OLDER)])
def test_schemas(path: Path, change: int, state: DatabaseState) -> None:
    fill(path)
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {LATEST + change}")
    db.close()
    seen = look_at_database(path, False)
    assert (seen.state, seen.version, seen.newest) == (state, LATEST + change, LATEST)


def test_damaged_ones(path: Path) -> None:
    fill(path)
    good = path.read_bytes()
    path.write_bytes(good[:8192] + b"\xff" * (len(good) - 8192))
    seen = look_at_database(path, False)
    assert seen.state is DatabaseState.DAMAGED
    assert seen.text
    path.write_bytes(good[: len(good) // 2])
    assert look_at_database(path, False).state is DatabaseState.DAMAGED
    path.write_bytes(b"this is a letter, not a database. " * 200)
    seen = look_at_database(path, False)
    assert (seen.state, seen.text) == (DatabaseState.UNREADABLE, "it is not a database")
    assert doctor_database.read_memory(path, False, NOW) == doctor_database.Memory()


def test_a_folder(path: Path) -> None:
    path.mkdir()
    seen = look_at_database(path, False)
    assert (seen.state, "folder" in seen.text) == (DatabaseState.UNREADABLE, True)


def test_one_that_takes_too_long_is_not_called_damaged(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(path)
    monkeypatch.setattr(doctor_database, "LOOK_EVERY", 10)
    seen = look_at_database(path, False, within=-1.0)
    assert (seen.state, seen.whole) == (DatabaseState.GOOD, False)


def test_locked_by_another(path: Path) -> None:
    fill(path)
    db = apsw.Connection(str(path))
    try:
        db.execute("PRAGMA journal_mode = DELETE").fetchall()
        db.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        db.execute("BEGIN EXCLUSIVE")
        seen = look_at_database(path, running=True)
    finally:
        db.close()
    assert (seen.state, seen.text) == (DatabaseState.UNREADABLE, "another program holds it locked")


# -- the dashboard's port --------------------------------------------------------------------------------------------
def test_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_here, "ANSWER_WITHIN", 0.05)
    data = DataDir(tmp_path)
    assert look_at_port(Dashboard(""), data).listen == ""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
        assert look_at_port(Dashboard(f"127.0.0.1:{port}"), data).port is Port.TAKEN
        one.listen()
        taken = look_at_port(Dashboard(f"127.0.0.1:{port}"), data)
        assert (taken.port, taken.local) == (Port.TAKEN, True)
        assert look_at_port(Dashboard(f"127.0.0.1:{port}"), data, running=True).port is Port.TAKEN
    assert look_at_port(Dashboard(f"127.0.0.1:{port}"), data, running=True).port is Port.FREE
    assert look_at_port(Dashboard(f"127.0.0.1:{port}"), data).port is Port.FREE
    assert look_at_port(Dashboard("203.0.113.9:7771"), data).port is Port.NO_ADDRESS
    far = look_at_port(Dashboard("0.0.0.0:0", ("points.example",)), data)
    assert (far.local, far.proxied, far.password) == (False, True, False)
    data.password.write_text("{}")
    assert look_at_port(Dashboard("0.0.0.0:0"), data).password


OURS = b"HTTP/1.1 200 OK\r\nContent-Security-Policy: default-src 'none'; x\r\n\r\nok\n"
"""As the dashboard's own tests have it: tests/whole/test_whole_doctor.py asks a real one."""


@pytest.mark.parametrize(("said", "port"), [(OURS, Port.OURS), (b"HTTP/1.1 200 OK\r\n\r\nok\n", Port.TAKEN)])
def test_a_web_server_that_says_ok_is_not_ours(tmp_path: Path, said: bytes, port: Port) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_say, args=(server, said))
        thread.start()
        seen = look_at_port(Dashboard(f"127.0.0.1:{server.getsockname()[1]}"), DataDir(tmp_path))
        thread.join(10)
    assert seen.port is port


def _say(server: socket.socket, said: bytes) -> None:
    one, _ = server.accept()
    with one:
        one.recv(4096)
        one.sendall(said)
