"""When channels went live: the right ones, and never too many."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from allthepoints.base.types import StreamId, UserId
from allthepoints.core import records as r
from allthepoints.core.model import Stream, StreamKind
from allthepoints.storage import read_sessions
from allthepoints.storage.database import Database
from allthepoints.storage.read_sessions import StartsReader
from allthepoints.testing.storage_contract import ALPHA, BETA, T0

HOUR = 3600.0


def reader_of(path: Path, *streams: Stream) -> StartsReader:
    database = Database(path, T0)
    database.record([r.SessionOpened(T0, stream) for stream in streams], T0)
    database.close()
    return StartsReader(path)


def streams(number: int) -> list[Stream]:
    return [
        Stream(StreamId(f"{of.login}{n}"), of, StreamKind.LIVE, "a title", T0 - n * HOUR)
        for of in (ALPHA, BETA)
        for n in range(number)
    ]


def test_nothing_yet(tmp_path: Path) -> None:
    assert StartsReader(tmp_path / "x.db").starts((ALPHA.id,), 0.0) == ()
    assert reader_of(tmp_path / "x.db").starts((ALPHA.id,), 0.0) == ()


def test_of_the_channels_that_are_named_since_then_and_no_rerun(tmp_path: Path) -> None:
    rerun = replace(streams(1)[0], id=StreamId("again"), kind=StreamKind.RERUN, started_at=T0 - 60)
    reader = reader_of(tmp_path / "x.db", *streams(4), rerun)
    assert reader.starts((ALPHA.id,), T0 - 2 * HOUR) == tuple((ALPHA.id, T0 - n * HOUR) for n in range(3))
    assert {id_ for id_, _ in reader.starts((BETA.id, ALPHA.id, UserId("404")), 0.0)} == {ALPHA.id, BETA.id}
    assert reader.starts((), 0.0) == ()


def test_there_are_never_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = reader_of(tmp_path / "x.db", *streams(9))
    monkeypatch.setattr(read_sessions, "STARTS_EACH", 5)
    assert [at for _, at in reader.starts((ALPHA.id, BETA.id), 0.0)] == [T0 - n * HOUR for n in range(5)] * 2
    monkeypatch.setattr(read_sessions, "STARTS_ALL", 5)
    assert {id_ for id_, _ in reader.starts((BETA.id, ALPHA.id), 0.0)} == {BETA.id}


def test_an_index_answers(tmp_path: Path) -> None:
    reader_of(tmp_path / "x.db", *streams(1))
    db = apsw.Connection(str(tmp_path / "x.db"))
    plan = db.execute(f"EXPLAIN QUERY PLAN {read_sessions.STARTS}", ("1", 0.0, "rerun", 5)).fetchall()
    db.close()
    assert [row[-1] for row in plan] == ["SEARCH sessions USING INDEX sessions_by_channel (channel=? AND started_at>?)"]
