"""Wishes: which item, within reach or not, told once, and what may be bought without asking."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.base.types import ItemId, Login, UserId
from allthepoints.core.loyalty import Item
from allthepoints.core.policy import Wish
from allthepoints.core.records import EventKind
from allthepoints.core.wishes import (
    REST,
    SELDOM,
    Away,
    Hold,
    Standing,
    Told,
    Within,
    changes,
    eta,
    find,
    hold,
    may_buy,
    note_key,
    standing,
    told,
)

T0 = 1_790_000_000.0
HOUR = 3600.0
DAY = 24 * HOUR
MAP = Item(ItemId("a1"), "Pick the next map 🗺", 1500)
WISH = Wish(Login("alpha"), MAP.name)
AUTO = replace(WISH, auto=True, max_cost=2000)

HAVE, BACK = EventKind.WISH_OBTAINABLE, EventKind.WISH_BACK
CHEAPER, GONE = EventKind.WISH_CHEAPER, EventKind.WISH_GONE


# -- which item ----------------------------------------------------------------------------------------------------
def named(id: str, cost: int = 100, *, enabled: bool = True, name: str = "hat") -> Item:
    return Item(ItemId(id), name, cost, enabled=enabled)


@pytest.mark.parametrize(
    ("items", "wanted", "expect"),
    [
        pytest.param([], "hat", None, id="an empty store"),
        pytest.param([named("1")], "hat", "1", id="by name"),
        pytest.param([named("1")], "Hat", None, id="the exact name"),
        pytest.param([named("1"), named("2", name="1")], "1", "1", id="the id before a name"),
        pytest.param([named("1", 50, enabled=False), named("2", 90)], "hat", "2", id="twice: the enabled one"),
        pytest.param([named("1", 90), named("2", 50)], "hat", "2", id="twice: the cheapest"),
        pytest.param([named("2"), named("1")], "hat", "1", id="twice alike: always the same"),
        pytest.param([named("1", enabled=False)], "hat", "1", id="disabled is better than none"),
    ],
)
def test_fc_49_which_item_a_wish_names(items: list[Item], wanted: str, expect: str | None) -> None:
    found = find(replace(WISH, item=wanted), {item.id: item for item in items})
    assert (found and found.id) == expect


# -- how it stands -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("item", "points", "bought_ago", "within", "missing"),
    [
        pytest.param(MAP, 1500, None, Within.OBTAINABLE, 0, id="just enough"),
        pytest.param(MAP, 1499, None, Within.NOT_ENOUGH, 1, id="one is missing"),
        pytest.param(replace(MAP, cost=0), 0, None, Within.OBTAINABLE, 0, id="free"),
        pytest.param(MAP, None, None, Within.UNREAD, 1500, id="no balance yet"),
        pytest.param(None, 1500, None, Within.GONE, 0, id="gone"),
        pytest.param(replace(MAP, stock=0), 1500, None, Within.SOLD_OUT, 0, id="sold out"),
        pytest.param(replace(MAP, stock=1), 1500, None, Within.OBTAINABLE, 0, id="the last one"),
        pytest.param(replace(MAP, enabled=False), 0, None, Within.DISABLED, 1500, id="disabled"),
        pytest.param(replace(MAP, sources=frozenset({"bot"})), 1500, None, Within.NOT_ON_WEBSITE, 0, id="chat only"),
        pytest.param(replace(MAP, subscriber_only=True), 1500, None, Within.OBTAINABLE, 0, id="we may subscribe"),
        pytest.param(replace(MAP, cooldown_user=600.0), 1500, 599.0, Within.COOLING_DOWN, 0, id="our cooldown"),
        pytest.param(replace(MAP, cooldown_user=600.0), 1500, 600.0, Within.OBTAINABLE, 0, id="our cooldown is over"),
        pytest.param(replace(MAP, cooldown_global=60.0), 1500, 30.0, Within.COOLING_DOWN, 0, id="global after ours"),
        pytest.param(replace(MAP, cooldown_user=600.0), 1500, None, Within.OBTAINABLE, 0, id="never bought"),
    ],
)
def test_how_a_wish_stands(
    item: Item | None, points: int | None, bought_ago: float | None, within: Within, missing: int
) -> None:
    stands = standing(item, points, T0, None if bought_ago is None else T0 - bought_ago)
    assert (stands.within, stands.missing) == (within, missing)
    assert (stands.ready_at is not None) == (within is Within.COOLING_DOWN)
    if stands.ready_at is not None and item is not None and bought_ago is not None:
        assert stands.ready_at == T0 - bought_ago + max(item.cooldown_user, item.cooldown_global)
    assert stands.subscribers_only == (item is not None and item.subscriber_only)


@pytest.mark.parametrize(
    ("missing", "rate", "expect"),
    [(0, None, 0.0), (-5, 30.0, 0.0), (100, None, None), (100, 0.0, None), (100, 30.0, 12_000.0), (1, 30.0, 120.0)],
)
def test_how_long_until_it_is_affordable(missing: int, rate: float | None, expect: float | None) -> None:
    assert eta(missing, rate) == expect


# -- news ----------------------------------------------------------------------------------------------------------
OFF = replace(MAP, enabled=False)
OUT = replace(MAP, stock=0)
Look = tuple[float, Item | None, int]
"""After so many seconds since the look before: the item, and our points."""


def news(*looks: Look, bought_at: float | None = None) -> list[EventKind | None]:
    """What each look tells; the memory goes through a note in between, as over a restart."""
    note, now, heard = None, T0, []
    for after, item, points in looks:
        now += after
        memory, said = changes(told(note), now, standing(item, points, now, bought_at))
        note = str(memory)
        heard.append(said)
    return heard


@pytest.mark.parametrize(
    ("looks", "expect"),
    [
        pytest.param([(0, MAP, 1500), (900, MAP, 1505)], [HAVE, None], id="told once"),
        pytest.param([(0, MAP, 1495), (900, MAP, 1500)], [None, HAVE], id="affordable now"),
        pytest.param([(0, OUT, 2000), (900, MAP, 2000)], [None, HAVE], id="in stock now"),
        pytest.param([(0, OUT, 0), (900, MAP, 0)], [None, BACK], id="in stock, not affordable"),
        pytest.param([(0, MAP, 2000), (60, OUT, 2000), (60, MAP, 2000)], [HAVE, None, HAVE], id="a short sell-out"),
        pytest.param([(0, None, 0), (900, None, 0), (900, MAP, 0)], [GONE, None, BACK], id="gone and listed again"),
        pytest.param([(0, MAP, 0), (900, None, 0), (9, MAP, 2000)], [None, GONE, HAVE], id="listed again, affordable"),
        pytest.param([(0, MAP, 0), (9, replace(MAP, cost=900), 0), (9, MAP, 0)], [None, CHEAPER, None], id="cheaper"),
        pytest.param([(0, MAP, 1000), (900, replace(MAP, cost=900), 1000)], [None, HAVE], id="cheaper: affordable"),
        pytest.param([(0, MAP, 9000), (900, replace(MAP, cost=900), 9000)], [HAVE, CHEAPER], id="cheaper still"),
        pytest.param(
            [(0, MAP, 0), (900, replace(OFF, cost=900), 0), (900, replace(MAP, cost=900), 0)],
            [None, None, CHEAPER],
            id="made cheaper while disabled",
        ),
        pytest.param([(0, MAP, 2000), (60, OFF, 2000), (900, MAP, 2000)], [HAVE, None, None], id="a short closing"),
        pytest.param([(0, MAP, 0), (60, OFF, 0), (HOUR, MAP, 0)], [None, None, BACK], id="enabled after an hour"),
        pytest.param([(0, OFF, 2000), (60, MAP, 2000)], [None, HAVE], id="never told: a short closing hides nothing"),
        pytest.param(
            [(0, OUT, 0), (60, replace(OFF, stock=0), 0), (60, OFF, 0), (60, MAP, 0)],
            [None, None, None, BACK],
            id="restocked while disabled",
        ),
        pytest.param(
            [(0, MAP, 0), (9, None, 0), (9, OUT, 0), (9, MAP, 0)], [None, GONE, None, BACK], id="gone, sold out"
        ),
        pytest.param(
            [(0, MAP, 0), (9, OFF, 0), (9, None, 0), (9, OFF, 0)], [None, None, GONE, None], id="disabled, gone"
        ),
        pytest.param(
            [(0, MAP, 1500), (300, MAP, 1490), (300, MAP, 1500), (HOUR, MAP, 1500)],
            [HAVE, None, None, HAVE],
            id="points around the price: once an hour",
        ),
        pytest.param([(0, MAP, 1500), (9, MAP, 0), (REST - 9, MAP, 1500)], [HAVE, None, HAVE], id="an hour later"),
    ],
)
def test_what_is_told_of_a_wish(looks: list[Look], expect: list[EventKind | None]) -> None:
    assert news(*looks) == expect


def test_a_store_that_closes_every_night_is_told_once_a_week() -> None:
    nights = [look for _ in range(28) for look in ((10 * HOUR, OFF, 2000), (14 * HOUR, MAP, 2000))]
    heard = news((0, MAP, 2000), *nights)
    assert heard[0] is HAVE
    assert heard[1:].count(HAVE) == 28 * DAY / SELDOM
    assert set(heard) == {HAVE, None}


@pytest.mark.parametrize(
    ("away", "since_news", "news"),
    [(REST, SELDOM, EventKind.WISH_BACK), (REST - 1, SELDOM, None), (REST, SELDOM - 1, None)],
)
def test_an_item_that_is_enabled_again_is_news_at_most_so_often(
    away: float, since_news: float, news: EventKind | None
) -> None:
    at = float(int(T0))
    knows = Told(1500, False, Away.DISABLED, away_at=int(at - away), opened_at=int(at - since_news))
    assert changes(knows, at, standing(MAP, 0, at))[1] is news


def test_flips_within_an_hour_are_never_told() -> None:
    flips = [look for _ in range(100) for look in ((900, OFF, 2000), (REST - 1, MAP, 2000))]
    assert news((0, MAP, 2000), *flips) == [HAVE, *[None] * 200]


@pytest.mark.parametrize(
    ("cooldown", "expect"),
    [
        pytest.param(600.0, [None, None], id="short: no news"),
        pytest.param(HOUR, [None, HAVE], id="an hour: news"),
        pytest.param(DAY, [None, HAVE], id="long: news"),
    ],
)
def test_the_end_of_our_own_cooldown(cooldown: float, expect: list[EventKind | None]) -> None:
    item = replace(MAP, cooldown_user=cooldown)
    assert news((0, item, 9000)) == [HAVE]
    knows = Told(cost=1500, had=True, told_at=int(T0 - DAY))
    for after, said in zip((1.0, cooldown), expect, strict=True):
        knows, heard = changes(knows, T0 + after, standing(item, 9000, T0 + after, T0))
        assert heard is said


def test_back_in_stock_while_our_own_cooldown_runs() -> None:
    """First that it is back, and then, for that is something else, that it can be had."""
    item = replace(MAP, cooldown_user=600.0)
    knows, heard = Told(cost=1500, had=True, told_at=int(T0 - DAY)), []
    for at, stands in ((1.0, replace(item, stock=0)), (9.0, item), (600.0, item)):
        knows, said = changes(knows, T0 + at, standing(stands, 9000, T0 + at, T0))
        heard.append(said)
    assert heard == [None, BACK, HAVE]


def test_nothing_is_told_before_the_balance_is_read() -> None:
    assert changes(None, T0, standing(MAP, None, T0)) == (Told(), None)
    assert changes(None, T0, Standing(Within.GONE))[1] is GONE


def test_what_was_never_seen_cannot_get_cheaper() -> None:
    free = replace(MAP, cost=0, cooldown_user=HOUR)
    knows, news = changes(None, T0, standing(free, 0, T0, T0 - 1))
    assert (knows.cost, news) == (0, None)


def test_fc_34_a_clock_that_was_set_back_silences_nothing_for_long() -> None:
    knows = Told(cost=1500, told_at=int(T0 + DAY))
    assert changes(knows, T0, standing(MAP, 2000, T0))[1] is HAVE


def test_the_same_second_tells_nothing_again() -> None:
    knows = Told(cost=1500, told_at=int(T0))
    assert changes(knows, float(int(T0)), standing(MAP, 2000, T0))[1] is None


# -- memory --------------------------------------------------------------------------------------------------------
times = st.integers(0, 2**40)
memories = st.builds(
    Told,
    cost=st.integers(-1, 2**31),
    had=st.booleans(),
    away=st.sampled_from(Away),
    away_at=times,
    told_at=times,
    opened_at=times,
)
stands = st.builds(
    lambda item, points, ago: standing(item, points, T0, None if ago is None else T0 - ago),
    st.none()
    | st.builds(
        Item,
        id=st.just(ItemId("a1")),
        name=st.just("hat"),
        cost=st.integers(0, 2000),
        stock=st.none() | st.integers(0, 2),
        cooldown_user=st.sampled_from([0.0, 600.0, DAY]),
        enabled=st.booleans(),
        sources=st.sampled_from([frozenset(), frozenset({"bot"})]),
    ),
    st.none() | st.integers(0, 2000),
    st.none() | st.floats(0, 1000),
)


@given(memories)
def test_what_was_told_fits_into_a_note(memory: Told) -> None:
    assert told(str(memory)) == memory


def test_the_note_of_what_was_never_told() -> None:
    assert str(Told()) == "-1 0 - 0 0 0"


@pytest.mark.parametrize("note", [None, "", "x", "1 2 3", "1500 1 lost 0 0 0", "1500 1 - 0 0", "1 1 - 0 0 0 0"])
def test_a_note_that_cannot_be_read_is_none(note: str | None) -> None:
    assert told(note) is None


@given(st.none() | memories, stands)
def test_the_same_look_tells_nothing_twice_and_changes_nothing_twice(before: Told | None, look: Standing) -> None:
    after, _ = changes(before, T0, look)
    again, news = changes(after, T0, look)
    assert (again, news) == (after, None)


@given(st.none() | memories, stands)
def test_obtainable_is_told_only_of_what_can_be_had(before: Told | None, look: Standing) -> None:
    after, said = changes(before, T0, look)
    if said is HAVE:
        assert look.within is Within.OBTAINABLE
        assert after.had
    if said is GONE:
        assert look.within is Within.GONE
    if said in (BACK, CHEAPER):
        assert look.within in (Within.OBTAINABLE, Within.NOT_ENOUGH, Within.COOLING_DOWN)


def test_the_key_of_a_note() -> None:
    assert note_key(UserId("42"), WISH) == "wish:42:Pick the next map 🗺"


# -- buying without asking -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wish", "points", "today", "count", "expect"),
    [
        pytest.param(AUTO, 1500, 0, 0, None, id="may"),
        pytest.param(WISH, 9000, 0, 0, Hold.NOT_AUTO, id="off by default"),
        pytest.param(replace(AUTO, max_cost=None), 9000, 0, 0, Hold.NO_MAX_COST, id="the highest price must be set"),
        pytest.param(replace(AUTO, max_cost=1499), 9000, 0, 0, Hold.TOO_DEAR, id="too dear"),
        pytest.param(replace(AUTO, max_cost=1500), 9000, 0, 0, None, id="as dear as allowed"),
        pytest.param(AUTO, 9000, 0, 1, Hold.COUNT, id="one is enough"),
        pytest.param(replace(AUTO, count=2), 9000, 0, 1, None, id="another"),
        pytest.param(replace(AUTO, count=0), 9000, 0, 0, Hold.COUNT, id="none"),
        pytest.param(replace(AUTO, count=9, per_day=4500), 9000, 3000, 2, None, id="the day's last"),
        pytest.param(replace(AUTO, count=9, per_day=4499), 9000, 3000, 2, Hold.PER_DAY, id="the day is spent"),
        pytest.param(replace(AUTO, keep=500), 2000, 0, 0, None, id="just what is to be kept"),
        pytest.param(replace(AUTO, keep=501), 2000, 0, 0, Hold.KEEP, id="some are to be kept"),
        pytest.param(replace(AUTO, keep=-5000), 1499, 0, 0, Hold.KEEP, id="never below nothing"),
    ],
)
def test_what_may_be_bought_without_asking(
    wish: Wish, points: int, today: int, count: int, expect: Hold | None
) -> None:
    assert hold(wish, MAP, points, today, count) is expect
    assert may_buy(wish, MAP, points, today, count) == (expect is None)


def test_an_item_that_asks_something_waits_for_a_person() -> None:
    assert hold(AUTO, replace(MAP, asks=("Map name",)), 9000, 0, 0) is Hold.ASKS
