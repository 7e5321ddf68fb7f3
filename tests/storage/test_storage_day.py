"""The sums of a stretch of time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from allthepoints.base.types import StreamId, UserId
from allthepoints.core import records as r
from allthepoints.core.model import Stream, StreamKind
from allthepoints.core.redeem import State
from allthepoints.storage.database import Database
from allthepoints.storage.read_day import Day, DayReader, Earned
from allthepoints.testing.storage_contract import ALPHA, BETA, SENT, T0

HOUR = 3600.0
STREAM = Stream(StreamId("s1"), ALPHA, StreamKind.LIVE, "a title", T0 - HOUR)


def written(path: Path, *records: r.Record, at: float = T0) -> DayReader:
    database = Database(path, at)
    database.record(records, at)
    database.close()
    return DayReader(path)


def earned(at: float, delta: int, points: int, channel: UserId = ALPHA.id) -> r.LedgerEntry:
    return r.LedgerEntry(at, channel, r.Change.EARNED, delta, points)


def test_nothing_yet(tmp_path: Path) -> None:
    assert DayReader(tmp_path / "x.db").day(T0, T0 + HOUR) == Day()
    assert written(tmp_path / "x.db").day(T0, T0 + HOUR) == Day(events={})


def test_what_was_earned_in_it_and_nothing_before_or_after(tmp_path: Path) -> None:
    reader = written(
        tmp_path / "x.db",
        r.ChannelKnown(T0, ALPHA, 0),
        r.ChannelKnown(T0, BETA, 1),
        earned(T0 - 1, 100, 100),
        earned(T0, 5, 105),
        earned(T0 + HOUR, 5, 110),
        earned(T0 + 9, 50, 50, BETA.id),
        r.LedgerEntry(T0 + 10, ALPHA.id, r.Change.SPENT, -100, 10),
    )
    assert reader.day(T0, T0 + HOUR).earned == (
        Earned(BETA.login, BETA.display, "points", 50),
        Earned(ALPHA.login, ALPHA.display, "points", 5),
    )


def test_how_much_of_the_live_time_was_caught(tmp_path: Path) -> None:
    """A session from an hour before until an hour within; present for half an hour of it, and before."""
    reader = written(
        tmp_path / "x.db",
        r.SessionOpened(STREAM.started_at, STREAM),
        r.PresenceOpened(T0 - HOUR, STREAM.channel.id, STREAM.id),
        r.PresenceClosed(T0 + HOUR / 2, STREAM.channel.id, "lost"),
        r.SessionClosed(T0 + HOUR, STREAM.channel.id, STREAM.id),
        r.Event(T0 + 1, r.EventKind.DISCONNECTED),
        r.Event(T0 + 2, r.EventKind.DISCONNECTED),
        r.Event(T0 - 2, r.EventKind.DISCONNECTED),
        at=T0 + 2 * HOUR,
    )
    began = max(T0, STREAM.started_at)
    day = reader.day(T0, T0 + 24 * HOUR)
    assert (day.live_s, day.sessions, day.events) == (T0 + HOUR - began, 1, {"disconnected": 2})
    assert day.present_s == T0 + HOUR / 2 - began
    assert reader.day(T0 + 2 * HOUR, T0 + 3 * HOUR).sessions == 0


def test_a_session_that_goes_on_is_counted_up_to_the_last_sign_of_life(tmp_path: Path) -> None:
    reader = written(
        tmp_path / "x.db",
        r.SessionOpened(STREAM.started_at, STREAM),
        r.PresenceOpened(STREAM.started_at, STREAM.channel.id, STREAM.id),
        at=T0 + HOUR,
    )
    day = reader.day(T0, T0 + 24 * HOUR)
    assert day.live_s == day.present_s == T0 + HOUR - max(T0, STREAM.started_at)


def test_what_was_bought(tmp_path: Path) -> None:
    bought = replace(SENT, state=State.ACCEPTED, settled_at=T0 + 5)
    reader = written(tmp_path / "x.db", r.RedemptionKept(T0 + 5, bought))
    assert reader.day(T0, T0 + HOUR).bought == 1
    assert reader.day(T0 + 6, T0 + HOUR).bought == 0
