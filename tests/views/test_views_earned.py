"""What was earned, and the bars of a day: SQLite adds up what is in the entries."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from allthepoints.base.types import Login, UserId
from allthepoints.core import records as r
from allthepoints.core.model import ChannelRef
from allthepoints.storage.database import Database
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.sparkline import SLOTS, in_slots, laid
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


@given(ENTRIES)
@settings(max_examples=25, deadline=None)
def test_sums_and_bars_are_those_of_the_entries(found: list[tuple[UserId, int, r.Change, int]]) -> None:
    entries = sorted(((NOW - ago / 1000, id_, change, delta) for id_, ago, change, delta in found), key=lambda e: e[0])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "allthepoints.db"
        database = Database(path, NOW)
        database.load()
        known = [r.ChannelKnown(NOW, ChannelRef(id_, Login(f"c{id_}"), "C"), 0) for id_ in (ALPHA, BETA)]
        database.record(
            (*known, *(r.LedgerEntry(at, id_, change, delta, 100) for at, id_, change, delta in entries)), NOW
        )
        database.close()
        parts = PointsReader(path).earned_in_parts(NOW - DAY, NOW, SLOTS)
        only = PointsReader(path).earned_in_parts(NOW - DAY, NOW, SLOTS, ALPHA)
        each = PointsReader(path).earned_each(SINCES)
    assert only == {id_: one for id_, one in parts.items() if id_ == ALPHA}
    assert each == tuple(earned_since(entries, since) for since in SINCES)
    within = [entry for entry in entries if round(entry[0] * 1000) >= (NOW - DAY) * 1000]
    assert parts.keys() == {id_ for _, id_, change, _ in within if change in (r.Change.EARNED, r.Change.OPENING)}
    for id_, one in parts.items():
        earned = [(at, delta) for at, of, change, delta in within if of == id_ and change is r.Change.EARNED]
        assert laid(one.sums, NOW - DAY, NOW) == in_slots(earned, NOW - DAY, NOW)
        opened = [at for at, of, change, _ in within if of == id_ and change is r.Change.OPENING]
        assert one.opened_at == (min(opened) if opened else None)
