"""The ledger: its order, what folding keeps, and how big a year is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allthepoints.base.types import StreamId, UserId
from allthepoints.core import records as r
from allthepoints.core.model import Stream, StreamKind
from allthepoints.storage import folding
from allthepoints.storage.database import Database
from allthepoints.storage.read_points import ChartPoint, PointsReader
from allthepoints.storage.sampling import sampled
from allthepoints.storage.writing_points import CHANGES
from allthepoints.testing.storage_contract import ALPHA, BETA

HOUR, DAY = 3600.0, 86_400.0
T0 = 1_700_006_400.0  # a midnight in UTC
NOW = T0 + 100 * DAY


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "allthepoints.db"


def earned(at: float, delta: int, points: int, channel: UserId = ALPHA.id) -> r.LedgerEntry:
    return r.LedgerEntry(at, channel, r.Change.EARNED, delta, points)


def rows(path: Path) -> list[tuple[float, str, int, int]]:
    return [(row.at - T0, row.change, row.delta, row.points) for row in PointsReader(path).entries()]


def test_earnings_of_an_hour_become_one(path: Path) -> None:
    database = Database(path, T0)
    database.record(
        [
            r.LedgerEntry(T0 + 60, ALPHA.id, r.Change.OPENING, 0, 100),
            earned(T0 + 600, 5, 105),
            earned(T0 + 1200, 5, 110),
            r.LedgerEntry(T0 + 1500, ALPHA.id, r.Change.SPENT, -50, 60),
            earned(T0 + 3599.999, 7, 67),
            earned(T0 + 3600, 5, 72),
            r.LedgerEntry(T0 + 3700, ALPHA.id, r.Change.ADJUSTED, 9, 81),
            r.LedgerEntry(T0 + 3800, ALPHA.id, r.Change.ADJUSTED, 9, 90),
        ],
        T0 + 4000,
    )
    before = rows(path)
    database.record([], T0 + 35 * DAY + DAY - 1)
    assert rows(path) == before  # the day is not over 35 days old yet
    database.record([], T0 + 36 * DAY)
    after = [
        (60.0, "opening", 0, 100),
        (1500.0, "spent", -50, 60),
        (3599.999, "earned", 17, 67),
        (3600.0, "earned", 5, 72),
        (3700.0, "adjusted", 9, 81),
        (3800.0, "adjusted", 9, 90),
    ]
    assert [(round(at, 3), *rest) for at, *rest in rows(path)] == after
    database.close()


def test_no_fold_reaches_over_the_ends_of_a_sessions_earnings(path: Path) -> None:
    """Two sessions in one hour, and a rise that belongs to none: each keeps its own."""
    database = Database(path, T0)
    first = Stream(StreamId("s1"), ALPHA, StreamKind.LIVE, "", T0)
    second = Stream(StreamId("s2"), ALPHA, StreamKind.LIVE, "", T0 + 2400)
    times = [300, 600, 900, 1300, 1600, 2399, 2400, 2700, 3000]
    database.record(
        [
            r.SessionOpened(T0, first),
            r.SessionClosed(T0 + 600, ALPHA.id, first.id),
            r.SessionOpened(T0 + 2400, second),
            r.SessionClosed(T0 + 9000, ALPHA.id, second.id),
            *(earned(T0 + at, 1, n) for n, at in enumerate(times, 1)),
        ],
        T0 + 4000,
    )
    sessions = [session.earned for session in PointsReader(path).sessions_earned()]
    assert sessions == [4, 3]
    database.record([], NOW)
    assert [(at, delta) for at, _, delta, _ in rows(path)] == [(1300, 4), (2399, 2), (3000, 3)]
    assert [session.earned for session in PointsReader(path).sessions_earned()] == sessions
    database.close()


moves = st.lists(
    st.tuples(
        st.floats(0, 3 * DAY),
        st.sampled_from([ALPHA.id, BETA.id]),
        st.sampled_from(r.Change),
        st.integers(-500, 500),
    ),
    max_size=60,
)
sessions = st.lists(st.tuples(st.floats(0, 3 * DAY), st.floats(0, 2 * HOUR)), max_size=6)


def sums(db: apsw.Connection, what: str) -> list[object]:
    return list(db.execute(f"SELECT {what}, change, sum(delta) FROM ledger GROUP BY 1, 2 ORDER BY 1, 2"))


@settings(max_examples=80, deadline=None)
@given(moves, moves, sessions)
def test_folding_changes_no_sum(
    tmp_path_factory: pytest.TempPathFactory,
    first: Sequence[tuple[float, UserId, r.Change, int]],
    second: Sequence[tuple[float, UserId, r.Change, int]],
    streams: Sequence[tuple[float, float]],
) -> None:
    """For any order of times; also for what is made, with a clock set back, in days that were folded already."""
    path = tmp_path_factory.mktemp("fold") / "allthepoints.db"
    database = Database(path, T0, durable=False)
    for number, (begin, length) in enumerate(streams):
        stream = Stream(StreamId(f"s{number}"), ALPHA, StreamKind.LIVE, "", T0 + begin)
        database.record([r.SessionOpened(T0 + begin, stream)], T0)
        database.record([r.SessionClosed(T0 + begin + length, ALPHA.id, stream.id)], T0)
    db, points = database._connection, Counter[UserId]()
    everything: list[tuple[float, UserId, r.Change, int]] = []
    for batch in (first, second):
        for at, channel, change, delta in batch:
            points[channel] += delta
            database.record([r.LedgerEntry(T0 + at, channel, change, delta, points[channel])], T0)
        everything += batch
        before = [sums(db, what) for what in ("ledger", "ledger * 1000000 + at / 3600000")]
        reader = PointsReader(path)
        shown = (reader.sessions_earned(), reader.earned(T0 + HOUR), reader.earned(T0 + DAY), others(db))
        for _ in range(6):
            database.record([], NOW)
        assert [sums(db, what) for what in ("ledger", "ledger * 1000000 + at / 3600000")] == before
        again = (reader.sessions_earned(), reader.earned(T0 + HOUR), reader.earned(T0 + DAY), others(db))
        assert again == shown
        totals = Counter[UserId]()
        for _, channel, change, delta in everything:
            totals[channel] += delta if change is r.Change.EARNED else 0
        assert dict(db.execute("SELECT channel, earned FROM ledgers")) == {
            channel: totals[channel] for _, channel, _, _ in everything
        }
        borders = 3 * len(streams)
        kept = db.execute("SELECT count(*) FROM ledger WHERE change = 0").get
        assert kept <= 2 * 3 * 24 + 1 + borders
        last = "SELECT points FROM ledger JOIN ledgers ON ledger = no WHERE n = entries ORDER BY no"
        assert [value for (value,) in db.execute(last)] == [
            points[UserId(channel)] for (channel,) in db.execute("SELECT channel FROM ledgers ORDER BY no")
        ]
    database.close()


def others(db: apsw.Connection) -> list[object]:
    return list(db.execute("SELECT * FROM ledger WHERE change != 0"))


def test_folding_is_bounded_and_comes_to_rest(path: Path) -> None:
    database = Database(path, T0, durable=False)
    every = [earned(T0 + 300 * n + number, 1, n + 1, UserId(str(number))) for n in range(2880) for number in range(3)]
    database.record(every, T0 + 10 * DAY)
    db, calls, left = database._connection, 0, 3 * 2880
    while left > 3 * 240:
        database.record([], NOW)
        now = db.execute("SELECT count(*) FROM ledger").get
        assert 0 < left - now <= folding.AT_ONCE + 288
        calls, left = calls + 1, now
    assert 6 <= calls <= 12
    before = db.totalchanges()
    database.record([], NOW)
    database.record([], NOW)
    assert db.totalchanges() - before <= 4 + 6  # the signs of life, and the channels' marks set to today
    database.close()


def test_fc_34_order_is_that_of_making(path: Path) -> None:
    """The clock is set back an hour, and two entries have the same time."""
    database = Database(path, T0)
    times = [T0, T0 + 10, T0 - 3590, T0 - 3580, T0 - 3580]
    database.record([earned(at, 5, 5 * n) for n, at in enumerate(times, 1)], T0)
    reader = PointsReader(path)
    assert [(row.at, row.points) for row in reader.entries()] == [(at, 5 * n) for n, at in enumerate(times, 1)]
    assert [entry.at for entry in database.load().purses[0].entries] == times
    assert reader.earned(T0) == {ALPHA.id: 10}
    assert reader.earned(T0 - 3585) == {ALPHA.id: 20}
    chart = reader.chart(ALPHA.id, T0 - DAY, T0 + DAY)
    assert [point.points for point in chart] == [15, 20, 25, 5, 10]  # a chart's axis is time
    database.close()


def test_fc_34_both_hours_of_an_autumn_night_are_counted(path: Path) -> None:
    """2026-10-25 02:30 happens twice in Rome: totals are asked for by moments, and an hour is an hour in UTC."""
    first = 1_792_888_200.0
    database = Database(path, T0)
    database.record([earned(first, 5, 5), earned(first + HOUR, 7, 12)], first + HOUR)
    reader = PointsReader(path)
    midnight = first - 2.5 * HOUR
    sinces = (midnight, first + 1, midnight + 25 * HOUR)
    assert reader.earned_each(sinces) == ({ALPHA.id: 12}, {ALPHA.id: 7}, {})
    assert reader.earned_each(()) == ()
    database.record([], first + 40 * DAY)
    assert [row.delta for row in reader.entries()] == [5, 7]
    database.close()


def test_a_chart_of_few_is_what_it_is(path: Path) -> None:
    database = Database(path, T0)
    database.record([earned(T0 + n, 1, n) for n in range(10)], T0)
    reader = PointsReader(path)
    assert reader.chart(ALPHA.id, T0 + 2, T0 + 5) == ((T0 + 2, 1), (T0 + 2, 2), (T0 + 3, 3), (T0 + 4, 4))
    assert reader.chart(ALPHA.id, T0 - 9, T0 + 1) == (ChartPoint(T0, 0),)
    assert reader.chart(ALPHA.id, T0 + 50, T0 + 60) == (ChartPoint(T0 + 50, 9),)
    assert reader.chart(ALPHA.id, T0 - 9, T0) == reader.chart(BETA.id, T0, T0 + 9) == ()
    assert [len(reader.chart(ALPHA.id, T0 + 1, T0 + 20, most=most)) for most in (0, 5, 7, 9, 10, 99)] == [
        5, 5, 7, 9, 10, 10
    ]  # fmt: skip
    database.close()


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(-1000, 1000)), max_size=300).map(
        lambda steps: sorted(steps, key=lambda step: step[0])
    ),
    st.integers(0, 120),
)
def test_fc_44_what_stands_out_is_kept(steps: list[tuple[int, int]], most: int) -> None:
    few = sampled(steps, most)
    assert len(few) <= max(4, most)
    rest = iter(steps)
    assert all(step in rest for step in few)  # some of them, in their order
    if steps:
        assert (few[0], few[-1]) == (steps[0], steps[-1])
        values, kept = [value for _, value in steps], [value for _, value in few]
        assert (min(kept), max(kept)) == (min(values), max(values))
    if len(steps) <= most:
        assert few == steps


def test_fc_44_a_year_of_the_worst_case_is_small(path: Path) -> None:
    """A hundred channels, live at all hours, paid every ten minutes: by a sample of channels, each a whole year."""
    sample, days, a_day = 4, 365, 144
    database = Database(path, T0, durable=False)
    db = database._connection
    db.executemany(
        "INSERT INTO ledgers VALUES (?, ?, ?, 0, ?, ?)",
        [(no, str(100_000_000 + no), days * a_day, 5 * days * a_day, int(T0 * 1000)) for no in range(1, sample + 1)],
    )
    for day in range(days):
        db.execute("BEGIN")
        db.executemany(
            "INSERT INTO ledger VALUES (?, ?, ?, 5, ?, 0)",
            (
                (no, int((T0 + day * DAY + turn * 600) * 1000) + no * 713, day * a_day + turn, 5 * (day * a_day + turn))
                for turn in range(a_day)
                for no in range(1, sample + 1)
            ),
        )
        db.execute("COMMIT")
        database.record([], T0 + (day + 1) * DAY)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    kept = db.execute("SELECT count(*) FROM ledger").get
    assert kept == sample * (a_day * 35 + 24 * (days - 35))
    pages = db.execute("PRAGMA page_count").get * db.execute("PRAGMA page_size").get
    assert pages / sample * 100 < 60e6
    reader, end = PointsReader(path), T0 + days * DAY
    chart = reader.chart(UserId("100000001"), T0, end)
    assert 1500 <= len(chart) <= 2000
    assert chart[-1].points == 5 * (days * a_day - 1)
    assert reader.earned(end - 30 * DAY) == {UserId(str(100_000_000 + n)): 5 * a_day * 30 for n in range(1, sample + 1)}
    assert reader.earned(end - DAY) == {UserId(str(100_000_000 + n)): 5 * a_day for n in range(1, sample + 1)}
    assert db.execute("SELECT sum(delta) FROM ledger").get == sample * 5 * days * a_day
    database.close()


def test_changes_are_never_reordered() -> None:
    assert CHANGES == ("earned", "adjusted", "spent", "opening")
    assert set(CHANGES) == set(r.Change)
