"""What readers see of points, stores, redemptions and sessions; questions with data and keys."""

from __future__ import annotations

import threading
from dataclasses import fields, replace
from pathlib import Path

import pytest

from allthepoints.base.errors import FaultError
from allthepoints.base.types import ItemId, Login, StreamId, UserId
from allthepoints.core import records as r
from allthepoints.core.loyalty import Balance, Item
from allthepoints.core.model import ChannelRef, Stream, StreamKind
from allthepoints.core.redeem import FINAL, Redemption, State
from allthepoints.ports import ChannelRow, Request
from allthepoints.storage import nouns, restore_points
from allthepoints.storage.ask import ask
from allthepoints.storage.database import Database
from allthepoints.storage.read import Reader
from allthepoints.storage.read_points import EntryRow, PointsReader, PointsRow, Price, StoreItem
from allthepoints.storage.read_sessions import SessionEarned
from allthepoints.testing.memory_storage import Memory
from allthepoints.testing.storage_contract import ACORNS, ALPHA, BETA, CODE, MAP, SE, SENT, T0

HOUR = 3600.0
ROW = ChannelRow(
    ALPHA.id,
    ALPHA.login,
    "Alpha",
    True,
    "present",
    points=1845,
    rate_per_hour=30.5,
    verdict="flat",
    causes=("rerun", "never_typed"),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "allthepoints.db"


def written(path: Path, *records: r.Record, at: float = T0, row: ChannelRow | None = None) -> PointsReader:
    database = Database(path, at)
    database.record(records, at, channel_rows=() if row is None else (row,))
    database.close()
    return PointsReader(path)


def earned(at: float, delta: int, points: int, channel: UserId = ALPHA.id) -> r.LedgerEntry:
    return r.LedgerEntry(at, channel, r.Change.EARNED, delta, points)


def test_no_file_has_empty_answers(path: Path) -> None:
    reader = PointsReader(path)
    for _ in range(2):
        assert reader.points() == reader.store(ALPHA.id) == reader.prices(ALPHA.id, MAP.id) == ()
        assert reader.redemptions() == reader.chart(ALPHA.id, 0, T0) == reader.sessions_earned() == ()
        assert reader.earned(0.0) == reader.notes() == {}
        assert reader.earned_each((0.0, 1.0)) == ({}, {})
        assert reader.redemption("k1") is reader.done_at(1) is None
        assert reader.loyalty(ALPHA.id) == (None, None)
        assert list(reader.entries()) == []
        Database(path, T0).close()


def test_points_of_each_channel(path: Path) -> None:
    gamma = UserId("3")
    reader = written(
        path,
        r.ChannelKnown(T0, ALPHA, 0),
        r.ChannelKnown(T0, BETA, 1),
        r.LoyaltyKnown(T0, ALPHA.id, SE, ACORNS),
        r.BalanceKnown(T0 + 0.5, ALPHA.id, Balance(1845, 615, 212, 1290)),
        r.LedgerEntry(T0, ALPHA.id, r.Change.OPENING, 0, 1800),
        r.LedgerEntry(T0, ALPHA.id, r.Change.ADJUSTED, 35, 1835),
        earned(T0, 5, 1840),
        earned(T0, 5, 1845),
        r.LedgerEntry(T0, ALPHA.id, r.Change.SPENT, -5, 1840),
        r.LoyaltyKnown(T0, BETA.id, SE),
        r.LoyaltyKnown(T0, UserId("4"), None),
        r.BalanceKnown(T0, gamma, Balance(0)),
        row=ROW,
    )
    assert reader.points() == (
        PointsRow(gamma, None, None, None, "points", 0, None, None, None, T0, 0),
        PointsRow(
            ALPHA.id,
            ALPHA.login,
            ALPHA.display,
            SE,
            "acorns 🌰",
            1845,
            615,
            212,
            1290,
            T0 + 0.5,
            10,
            30.5,
            "flat",
            ("rerun", "never_typed"),
            True,
            5,
            600.0,
        ),
        PointsRow(BETA.id, BETA.login, BETA.display, SE, "points", None, None, None, None, None, 0),
    )
    assert reader.status().channels == (ROW,)
    assert reader.loyalty(ALPHA.id) == (SE, ACORNS)
    assert reader.loyalty(BETA.id) == (SE, None)


def test_fc_49_an_item_is_its_id_and_keeps_its_prices(path: Path) -> None:
    """The same name twice, `<script>`, a price that moves, bulk flips, an item that goes and comes back."""
    twin = Item(ItemId("i9"), MAP.name, 10, description="<script>alert(1)</script> 🗺", enabled=False, stock=0)
    cheaper, flipped = replace(MAP, cost=1000), replace(MAP, enabled=False)
    database = Database(path, T0)
    told: list[r.Record] = [
        r.ItemKnown(T0, ALPHA.id, MAP),
        r.ItemKnown(T0, ALPHA.id, twin),
        r.ItemKnown(T0 + 1, ALPHA.id, flipped),
        r.ItemKnown(T0 + 2, ALPHA.id, MAP),
        r.ItemKnown(T0 + 3, ALPHA.id, cheaper),
        r.ItemGone(T0 + 4, ALPHA.id, MAP.id),
        r.ItemKnown(T0, BETA.id, CODE),
    ]
    database.record(told, T0)
    reader = PointsReader(path)
    assert reader.store(ALPHA.id) == (
        StoreItem(twin, T0, T0),
        StoreItem(cheaper, T0, T0 + 3, T0 + 4),
    )
    assert [item.gone for item in reader.store(ALPHA.id)] == [False, True]
    assert reader.prices(ALPHA.id, MAP.id) == (Price(T0, 1500), Price(T0 + 3, 1000))
    assert reader.prices(ALPHA.id, twin.id) == (Price(T0, 10),)
    database.record([r.ItemKnown(T0 + 5, ALPHA.id, cheaper), r.ItemKnown(T0 - HOUR, ALPHA.id, MAP)], T0)
    assert reader.store(ALPHA.id)[1] == StoreItem(MAP, T0, T0 - HOUR)
    assert reader.prices(ALPHA.id, MAP.id)[1:] == (Price(T0 + 3, 1000), Price(T0 - HOUR, 1500))
    assert reader.prices(BETA.id, MAP.id) == ()
    database.close()


@pytest.mark.parametrize("number", [2**31 - 1, 2**63, -(10**40)])
def test_fc_49_absurd_numbers_stop_nothing(path: Path, number: int) -> None:
    item = replace(MAP, cost=number, stock=number, order=number)
    redemption = replace(SENT, cost=number, points_before=number)
    reader = written(
        path,
        r.ItemKnown(T0, ALPHA.id, item),
        r.BalanceKnown(T0, ALPHA.id, Balance(number, number, number, number)),
        r.LedgerEntry(T0, ALPHA.id, r.Change.ADJUSTED, number, number),
        r.LoyaltyKnown(T0, ALPHA.id, SE, replace(ACORNS, amount=number, subscriber_multiplier=number)),
        r.RedemptionKept(T0, redemption),
        row=replace(ROW, points=number),
    )
    expected = max(-(2**63) + 1, min(2**63 - 1, number))
    assert reader.points()[0].points == reader.points()[0].amount == expected
    assert reader.store(ALPHA.id)[0].item.cost == expected
    assert next(reader.entries()).delta == expected


def test_fc_49_long_and_odd_words_are_bounded_but_never_what_we_send(path: Path) -> None:
    long, lone = "x" * 5000, "a\ud800b"
    item = replace(MAP, name=lone, description=long, asks=(long, lone), sources=frozenset({lone}))
    redemption = replace(SENT, name=long, answers=(long, lone), message=long, code=long, text=long)
    reader = written(path, r.ItemKnown(T0, ALPHA.id, item), r.RedemptionKept(T0, redemption))
    kept = reader.store(ALPHA.id)[0].item
    assert (kept.name, len(kept.description), [len(ask) for ask in kept.asks]) == ("a?b", 500, [500, 3])
    again = reader.redemption("k1")
    assert again == replace(redemption, name=again.name, text=again.text, answers=(long, "a?b"))
    assert len(again.name) == len(again.text) == 500


def test_redemptions_newest_first(path: Path) -> None:
    kept = [replace(SENT, key=f"k{n}", channel=(ALPHA.id, BETA.id)[n % 2], asked_at=T0 - n) for n in range(6)]
    settled = replace(kept[0], state=State.ACCEPTED, code="ABCD")
    reader = written(path, *(r.RedemptionKept(T0, redemption) for redemption in [*kept, settled]))
    assert reader.redemptions() == (*reversed(kept[1:]), settled)
    assert [redemption.key for redemption in reader.redemptions(limit=2)] == ["k5", "k4"]
    assert [redemption.key for redemption in reader.redemptions(channel=BETA.id)] == ["k5", "k3", "k1"]
    assert reader.redemption("k0") == settled
    assert reader.redemption("none") is None
    assert reader.redemptions(limit=-1) == ()
    assert "ABCD" not in repr(reader.redemptions())


def test_what_only_a_later_version_knows_is_never_taken_for_unsent(path: Path) -> None:
    written(path, r.RedemptionKept(T0, replace(SENT, state=State.CONFIRMED, sent_at=None)))
    database = Database(path, T0)
    database._connection.execute("UPDATE redemptions SET state = 'haunted', reason = 'ghosts'")
    (found,) = database.load().redemptions
    assert (found.state, found.sent_at, found.reason) == (State.UNKNOWN, SENT.asked_at, None)
    database.close()


def test_rows_have_all_fields() -> None:
    for columns, noun in ((nouns.ITEM, Item), (nouns.REDEMPTION, Redemption), (nouns.BALANCE, Balance)):
        assert len(columns.split(", ")) == len(fields(noun))
    for state in FINAL:
        assert f"'{state}'" in restore_points.OPEN
    assert restore_points.OPEN.count("'") == 2 * len(FINAL)


def test_sessions_with_what_came_of_each(path: Path) -> None:
    def stream(name: str, channel: ChannelRef, begin: float, kind: StreamKind = StreamKind.LIVE) -> Stream:
        return Stream(StreamId(name), channel, kind, f"title {name}", T0 + begin)

    reader = written(
        path,
        r.ChannelKnown(T0, replace(ALPHA, login=Login("alpha2"), display="Alpha2"), 0),
        r.LoyaltyKnown(T0, ALPHA.id, SE, ACORNS),
        r.SessionOpened(T0, stream("s1", ALPHA, 0)),
        r.PresenceOpened(T0 - 50, ALPHA.id, None),
        r.PresenceClosed(T0 + 100, ALPHA.id, "lost"),
        r.PresenceOpened(T0 + 200, ALPHA.id, StreamId("s1")),
        r.PresenceClosed(T0 + 1100, ALPHA.id, "offline"),
        earned(T0 - 1, 100, 100),
        earned(T0, 5, 105),
        r.LedgerEntry(T0 + 500, ALPHA.id, r.Change.SPENT, -50, 55),
        earned(T0 + 1899, 5, 60),
        earned(T0 + 1900, 100, 160),
        r.SessionClosed(T0 + 1000, ALPHA.id, StreamId("s1")),
        r.SessionOpened(T0 + 5000, stream("s2", ALPHA, 5000)),
        r.SessionClosed(T0 + 5500, ALPHA.id, StreamId("s2")),
        earned(T0 + 5700, 7, 167),
        r.SessionOpened(T0 + 6000, stream("s3", ALPHA, 6000, StreamKind.RERUN)),
        earned(T0 + 6000, 9, 176),
        earned(T0 + 99_999, 9, 185),
        r.PresenceOpened(T0 + 6100, ALPHA.id, StreamId("s3")),
        r.SessionOpened(T0 + 4000, stream("b1", BETA, 4000)),
        at=T0 + 7000,
    )
    s1, b1, s2, s3 = reader.sessions_earned()
    title = "title s1"
    assert s1 == SessionEarned(
        StreamId("s1"), ALPHA.id, Login("alpha2"), "Alpha2", "live", title, T0, T0 + 1000,
        1000.0, 900.0, 10, True, 5, 600.0,
    )  # fmt: skip
    assert (b1.login, b1.live_s, b1.present_s, b1.earned, b1.enabled, b1.ended_at) == ("beta", 3000.0, 0, 0, None, None)
    assert (s2.earned, s2.present_s, s2.live_s) == (7, 0.0, 500.0)
    assert (s3.earned, s3.present_s, s3.live_s, s3.kind) == (18, 900.0, 1000.0, "rerun")
    assert reader.sessions_earned(channel=BETA.id) == (b1,)
    assert reader.sessions_earned(since=T0 + 1001) == (b1, s2, s3)
    assert reader.sessions_earned(channel=ALPHA.id, since=T0 + 5501) == (s3,)


def test_a_session_under_a_clock_set_back(path: Path) -> None:
    """Intervals that overlap count once, and nothing is below nothing."""
    stream = Stream(StreamId("s1"), ALPHA, StreamKind.LIVE, "", T0)
    reader = written(
        path,
        r.SessionOpened(T0, stream),
        *(
            record
            for begin, end in ((100, 900), (50, 400), (300, 300), (950, 1200))
            for record in (
                r.PresenceOpened(T0 + begin, ALPHA.id, stream.id),
                r.PresenceClosed(T0 + end, ALPHA.id, "lost"),
            )
        ),
        r.SessionClosed(T0 + 1000, ALPHA.id, stream.id),
        r.SessionOpened(T0 + 5000, replace(stream, id=StreamId("s2"), started_at=T0 + 5000)),
        at=T0 + 2000,
    )
    first, second = reader.sessions_earned()
    assert (first.live_s, first.present_s) == (1000.0, 900.0)
    assert (second.live_s, second.present_s, second.earned) == (0.0, 0.0, 0)


def test_entries_for_an_export(path: Path) -> None:
    entries = [earned(T0 + n, n, n, (BETA.id, ALPHA.id)[n % 2]) for n in range(1, 7)]
    reader = written(path, r.ChannelKnown(T0, ALPHA, 0), r.ChannelKnown(T0, BETA, 1), *entries)
    assert next(reader.entries()) == EntryRow(ALPHA.id, ALPHA.login, ALPHA.display, T0 + 1, "earned", 1, 1)
    assert [entry.delta for entry in reader.entries()] == [1, 3, 5, 2, 4, 6]
    assert [entry.delta for entry in reader.entries(since=T0 + 4)] == [5, 4, 6]
    assert [entry.delta for entry in reader.entries(BETA.id, T0 + 3)] == [4, 6]


def test_entries_are_of_one_moment_and_hold_nobody_up(path: Path) -> None:
    database = Database(path, T0, busy_ms=1)
    database.record([earned(T0 + n, 1, n) for n in range(100)], T0)
    export = PointsReader(path).entries()
    found = [next(export)]
    database.record([earned(T0 + 500, 1, 500)], T0 + 50 * 86_400)  # and what was there is folded now
    assert sum(1 for _ in PointsReader(path).entries()) == 1
    found += export
    assert [entry.points for entry in found] == list(range(100))
    database.close()


def test_a_request_has_data(path: Path) -> None:
    database = Database(path, T0)
    data = {"item": "i1", "answers": ["Dust", "🗺"], "cost": 1500, "yes": True, "lone": "\ud800"}
    first = ask(path, "redeem", ALPHA.login, T0 + 1, data=data)
    second = ask(path, "look", None, T0 + 2)
    assert database.requests() == (
        Request(first, T0 + 1, "redeem", ALPHA.login, {**data, "lone": "?"}),
        Request(second, T0 + 2, "look", None, {}),
    )
    reader = PointsReader(path)
    assert reader.done_at(first) is None
    database.record([], T0 + 3, done=[first])
    assert (reader.done_at(first), reader.done_at(second)) == (T0 + 3, None)
    database.close()


def test_fc_48_a_key_is_asked_once_for_ever(path: Path) -> None:
    """Two clicks, a command asked again, the same long after it was done: one request."""
    database = Database(path, T0)
    first = ask(path, "redeem", ALPHA.login, T0, {"n": 1}, key="k1")
    other = ask(path, "redeem", ALPHA.login, T0, {"n": 2}, key="k2")
    assert ask(path, "redeem", ALPHA.login, T0 + 1, {"n": 3}, key="k1") == first
    assert [request.data for request in database.requests()] == [{"n": 1}, {"n": 2}]
    plain = [ask(path, "retry", None, T0) for _ in range(2)]
    database.record([], T0 + 2, done=[first, *plain])
    database.record([], T0 + 400 * 86_400)
    assert ask(path, "redeem", ALPHA.login, T0 + 401 * 86_400, key="k1") == first
    assert [request.id for request in database.requests()] == [other]
    reader = PointsReader(path)
    assert [reader.done_at(id_) for id_ in (first, *plain)] == [T0 + 2, None, None]
    with pytest.raises(FaultError, match="no database"):
        ask(path.with_name("none.db"), "redeem", None, T0, key="k1")
    database.close()


def test_fc_48_many_ask_with_one_key_at_once(path: Path) -> None:
    database, ids = Database(path, T0), list[int]()
    asking = [threading.Thread(target=lambda: ids.append(ask(path, "redeem", None, T0, key="same"))) for _ in range(8)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert len(ids) == 8
    assert set(ids) == {database.requests()[0].id}
    database.close()


def test_memory_asks_the_same_way() -> None:
    memory = Memory()
    ids = [memory.ask("redeem", ALPHA.login, T0, {"n": n}, key=key) for n, key in enumerate(["a", "b", "a", None])]
    assert ids == [1, 2, 1, 3]
    assert [request.data for request in memory.asked] == [{"n": 0}, {"n": 1}, {"n": 3}]


def test_an_older_file_is_not_read_half(path: Path) -> None:
    database = Database(path, T0)
    database._connection.execute("PRAGMA user_version = 1")
    database.close()
    for attempt in (PointsReader(path).points, Reader(path).status, lambda: list(PointsReader(path).entries())):
        with pytest.raises(FaultError, match="has schema 1, an older one"):
            attempt()
