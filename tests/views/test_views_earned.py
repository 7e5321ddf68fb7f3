"""What was earned, and the bars of a day: SQLite adds up what is in the entries."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable
from datetime import UTC
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from allthepoints.base.types import Login, SeId, UserId
from allthepoints.core import days
from allthepoints.core import records as r
from allthepoints.core.loyalty import Loyalty
from allthepoints.core.model import ChannelRef
from allthepoints.storage.database import Database
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.earned import read_points
from allthepoints.views.sparkline import SLOTS
from allthepoints.views.text import DAY

NOW = 1_795_640_400.0
ALPHA, BETA = UserId("1"), UserId("2")

ENTRIES = st.lists(
    st.tuples(
        st.sampled_from([ALPHA, BETA]),
        st.integers(0, int(1.5 * DAY * 1000)),
        st.sampled_from([r.Change.EARNED, r.Change.EARNED, r.Change.SPENT, r.Change.OPENING, r.Change.ADJUSTED]),
        st.integers(1, 500),
    ),
    max_size=25,
)


SINCES = (NOW - DAY, NOW - 3600.5, NOW - DAY, 0.0, NOW + 1)


def earned_since(entries: Iterable[tuple[float, UserId, r.Change, int]], since: float) -> dict[UserId, int]:
    found: Counter[UserId] = Counter()
    for at, id_, change, delta in entries:
        if change is r.Change.EARNED and round(at * 1000) >= since * 1000:
            found[id_] += delta
    return dict(found)


@given(ENTRIES, st.booleans())
@settings(max_examples=25, deadline=None)
def test_sums_and_bars_are_those_of_the_entries(
    found: list[tuple[UserId, int, r.Change, int]], with_month: bool
) -> None:
    entries = sorted(((NOW - ago / 1000, id_, change, delta) for id_, ago, change, delta in found), key=lambda e: e[0])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "allthepoints.db"
        database = Database(path, NOW)
        database.load()
        known = [r.ChannelKnown(NOW, ChannelRef(id_, Login(f"c{id_}"), "C"), 0) for id_ in (ALPHA, BETA)]
        known += [r.LoyaltyKnown(NOW, id_, SeId(f"{id_:0>24}"), Loyalty()) for id_ in (ALPHA, BETA)]
        database.record(
            (*known, *(r.LedgerEntry(at, id_, change, delta, 100) for at, id_, change, delta in entries)), NOW
        )
        database.close()
        reader = PointsReader(path)
        each, points = reader.earned_each(SINCES), read_points(reader, NOW, UTC, with_month=with_month)
        (alpha,) = read_points(reader, NOW, UTC, only=ALPHA, with_month=with_month)
    assert each == tuple(earned_since(entries, since) for since in SINCES)
    assert points[0] == alpha
    periods = days.periods(NOW, UTC)
    for one in points:
        sums = [earned_since(entries, since).get(one.id, 0) for since in (periods.today, periods.week, periods.month)]
        assert [one.earned_today, one.earned_7d, one.earned_30d] == [*sums[:2], sums[2] if with_month else 0]
        assert one.bars == bars([(at, change, delta) for at, id_, change, delta in entries if id_ == one.id])


def bars(entries: list[tuple[float, r.Change, int]]) -> tuple[int | None, ...]:
    """As one would draw them from the entries, oldest first."""
    begin, length = NOW - DAY, DAY / SLOTS
    within = [(at, change, delta) for at, change, delta in entries if round(at * 1000) >= begin * 1000]
    sums = Counter[int]()
    for at, change, delta in within:
        if change is r.Change.EARNED:
            sums[min(SLOTS - 1, int((at - begin) / length))] += delta
    opened = within[0][0] if within and within[0][1] is r.Change.OPENING else None
    known_from = opened or (begin if any(change is r.Change.EARNED for _, change, _ in within) else NOW)
    return tuple(sums[slot] or (None if begin + (slot + 1) * length <= known_from else 0) for slot in range(SLOTS))
