"""Errors of SQLite and of the file system, in our words."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import apsw
import pytest

from allthepoints.base.errors import FaultError
from allthepoints.core import records as r
from allthepoints.storage.database import Database
from allthepoints.storage.faults import told
from allthepoints.storage.read import Reader


@pytest.mark.parametrize(
    ("number", "words", "hint"),
    [
        (errno.ENOSPC, "the disk is full", "Make room"),
        (errno.EDQUOT, "the disk is full", "Make room"),
        (errno.EFBIG, "the disk is full", "Make room"),
        (errno.EROFS, "Read-only file system", "who may use"),
        (errno.EACCES, "Permission denied", "who may use"),
    ],
)
def test_what_the_system_says(number: int, words: str, hint: str) -> None:
    with pytest.raises(FaultError, match=f"/x: {words}") as caught, told(Path("/x")):
        raise OSError(number, os.strerror(number))
    assert hint in caught.value.hint


def test_an_error_without_a_number_keeps_its_words() -> None:
    with pytest.raises(FaultError, match="/x: odd"), told(Path("/x")):
        raise OSError("odd")


def test_fc_33_a_database_that_becomes_read_only_heals(tmp_path: Path) -> None:
    """As a file system does when its disk fails: what is open can be read on, and takes nothing."""
    database = Database(tmp_path / "allthepoints.db", 0.0)
    database.record([r.Event(1.0, r.EventKind.STARTED)], 1.0)
    database._connection.execute("PRAGMA query_only = ON").fetchall()
    with pytest.raises(FaultError, match="it is read-only"):
        database.record([r.Event(2.0, r.EventKind.LIVE), r.Event(3.0, r.EventKind.STOPPED)], 2.0)
    assert [event.kind for event in Reader(database.path).events()] == ["started"]
    database._connection.execute("PRAGMA query_only = OFF").fetchall()
    database.record([r.Event(2.0, r.EventKind.LIVE)], 2.0)
    assert [event.kind for event in Reader(database.path).events()] == ["started", "live"]
    database.close()


@pytest.mark.parametrize("kind", [apsw.FullError, apsw.BusyError, apsw.ReadOnlyError, apsw.CorruptError, apsw.IOError])
def test_every_error_has_a_cure(kind: type[apsw.Error]) -> None:
    with pytest.raises(FaultError) as caught, told(Path("/x")):
        raise kind("words of the library")
    assert caught.value.hint
    assert "words of the library" not in str(caught.value)
