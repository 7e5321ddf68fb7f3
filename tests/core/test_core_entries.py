"""The ledger, whole: what each reading leaves in it, what a restart makes of its entries, what its rows tell."""

from __future__ import annotations

import pytest

from allthepoints.base.types import UserId
from allthepoints.core.ledger import (
    ENOUGH,
    STALE,
    WINDOW,
    Ledger,
    Posting,
    Rise,
    expected,
    learned_interval,
    post,
    rate_per_hour,
    restore,
)
from allthepoints.core.loyalty import INTERVAL, LAG, Loyalty
from allthepoints.core.records import Change, LedgerEntry

T = 1_790_000_000.0
POLL = 300.0
NOW = T + POLL
BEFORE = (Rise(T, 5, POLL),)
"""What the ledger knows of the hours before."""

EARNED, SPENT, ADJUSTED, OPENING = Change.EARNED, Change.SPENT, Change.ADJUSTED, Change.OPENING


def rows(*told: tuple[int, float]) -> tuple[Rise, ...]:
    """Readings, one after another, the last of them NOW: what each earned, and our presence before it."""
    made: list[Rise] = []
    at = NOW
    for delta, present_s in reversed(told):
        made.append(Rise(at, delta, present_s))
        at -= present_s
    return tuple(reversed(made))


# -- a reading -----------------------------------------------------------------------------------------------------
Postings = list[tuple[Change, int, int]]


@pytest.mark.parametrize(
    ("points", "present_s", "spent", "most", "expect", "tells"),
    [
        # nothing is owed
        (100, POLL, 0, 30, [], 0),
        (100, POLL, 0, None, [], 0),
        (100, 0.0, 0, 30, [], None),
        (101, POLL, 0, 30, [(EARNED, 1, 101)], 1),
        (130, POLL, 0, 30, [(EARNED, 30, 130)], 30),
        (131, POLL, 0, 30, [(ADJUSTED, 31, 131)], None),
        (131, POLL, 0, None, [(EARNED, 31, 131)], 31),
        (101, 0.0, 0, 30, [(ADJUSTED, 1, 101)], None),
        (101, 0.0, 0, None, [(ADJUSTED, 1, 101)], None),
        (99, POLL, 0, 30, [(ADJUSTED, -1, 99)], None),
        (99, POLL, 0, None, [(ADJUSTED, -1, 99)], None),
        (99, 0.0, 0, None, [(ADJUSTED, -1, 99)], None),
        # a price of 60 is owed, and what can have been earned is known
        (40, POLL, 60, 30, [(SPENT, -60, 40)], 0),
        (41, POLL, 60, 30, [(SPENT, -60, 40), (EARNED, 1, 41)], 1),
        (70, POLL, 60, 30, [(SPENT, -60, 40), (EARNED, 30, 70)], 30),
        (71, POLL, 60, 30, [(SPENT, -29, 71)], None),
        (99, POLL, 60, 30, [(SPENT, -1, 99)], None),
        (100, POLL, 60, 30, [], 0),
        (101, POLL, 60, 30, [(EARNED, 1, 101)], 1),
        (131, POLL, 60, 30, [(ADJUSTED, 31, 131)], None),
        (39, POLL, 60, 30, [(SPENT, -60, 40), (ADJUSTED, -1, 39)], None),
        (100, POLL, 20, 30, [(SPENT, -20, 80), (EARNED, 20, 100)], 20),
        (100, POLL, 1, 30, [(SPENT, -1, 99), (EARNED, 1, 100)], 1),
        (99, POLL, 1, 30, [(SPENT, -1, 99)], 0),
        # the same while away
        (40, 0.0, 60, 30, [(SPENT, -60, 40)], None),
        (41, 0.0, 60, 30, [(SPENT, -59, 41)], None),
        (39, 0.0, 60, 30, [(SPENT, -60, 40), (ADJUSTED, -1, 39)], None),
        (100, 0.0, 60, None, [], None),
        # the same without settings: a fall of less than half of the price is no price
        (40, POLL, 60, None, [(SPENT, -60, 40)], 0),
        (70, POLL, 60, None, [(SPENT, -60, 40), (EARNED, 30, 70)], 30),
        (71, POLL, 60, None, [(SPENT, -29, 71)], None),
        (75, POLL, 60, None, [(SPENT, -25, 75)], None),
        (100, POLL, 60, None, [], 0),
        (105, POLL, 60, None, [(EARNED, 5, 105)], 5),
        (39, POLL, 60, None, [(SPENT, -60, 40), (ADJUSTED, -1, 39)], None),
    ],
)
def test_what_a_reading_leaves(
    points: int, present_s: float, spent: int, most: int | None, expect: Postings, tells: int | None
) -> None:
    """Its postings, and a row for the rate where it tells what was earned."""
    ledger, postings = post(Ledger(100, T, BEFORE), NOW, points, present_s=present_s, spent=spent, most=most)
    assert postings == tuple(Posting(*one) for one in expect)
    new = () if tells is None else (Rise(NOW, tells, present_s),)
    assert ledger == Ledger(points, NOW, BEFORE + new)


@pytest.mark.parametrize(
    ("gap", "present_s", "elapsed"), [(300.0, 299.0, 299.0), (300.0, 400.0, 300.0), (0.0, 300.0, 0.0), (-9.0, 1.0, 0.0)]
)
def test_presence_is_no_longer_than_the_time_between_two_readings(gap: float, present_s: float, elapsed: float) -> None:
    ledger, _ = post(Ledger(100, T, BEFORE), T + gap, 105, present_s=present_s, most=30)
    assert ledger.recent == (*BEFORE, Rise(T + gap, 5, elapsed))


def test_the_last_three_hours_of_presence_are_kept() -> None:
    short = rows((5, 1.0), (5, 0.5), *[(5, 300.0)] * 35)
    ledger, _ = post(Ledger(100, NOW, short), NOW + 299.5, 105, present_s=299.5, most=30)
    assert ledger.recent == (*short[1:], Rise(NOW + 299.5, 5, 299.5))
    assert sum(row.present_s for row in ledger.recent) == WINDOW
    less, _ = post(Ledger(100, NOW, short), NOW + 299.0, 105, present_s=299.0, most=30)
    assert less.recent == (*short, Rise(NOW + 299.0, 5, 299.0)), "half a second is missing without the first"


@pytest.mark.parametrize(
    ("recent", "rose_at"),
    [((), None), (rows((0, POLL)), None), (rows((1, POLL)), NOW), (rows((5, POLL), (1, POLL), (0, POLL)), T)],
)
def test_when_something_was_last_earned(recent: tuple[Rise, ...], rose_at: float | None) -> None:
    assert Ledger(100, NOW, recent).rose_at == rose_at


# -- a restart -----------------------------------------------------------------------------------------------------
def test_what_a_restart_makes_of_the_entries() -> None:
    stay = INTERVAL + 2 * LAG
    told = [
        (0.0, OPENING, 0),
        (10.0, EARNED, 5),
        (10.5, EARNED, 1),
        (610.5, EARNED, 5),
        (700.0, SPENT, -60),
        (800.0, ADJUSTED, 9),
        (610.5 + stay, EARNED, 7),
        (611.0 + 2 * stay, EARNED, 8),
        (611.0 + 2 * stay, EARNED, 4),
        (600.0 + 2 * stay, EARNED, 3),
        (9000.0, EARNED, 6),
        (9000.5, EARNED, 2),
    ]
    entries = [LedgerEntry(T + at, UserId("1"), change, delta, 0) for at, change, delta in told]
    assert restore(1840, T + 9000.0, entries) == Ledger(
        1840,
        T + 9000.0,
        (
            Rise(T + 10.0, 5, 0.0),
            Rise(T + 10.5, 1, 0.5),
            Rise(T + 610.5, 5, 600.0),
            Rise(T + 610.5 + stay, 7, stay),
            Rise(T + 611.0 + 2 * stay, 8, 0.0),  # half a second more is another stay
            Rise(T + 611.0 + 2 * stay, 4, 0.0),
            Rise(T + 600.0 + 2 * stay, 3, 0.0),
            Rise(T + 9000.0, 6, 0.0),
        ),
    )
    assert restore(5, T) == Ledger(5, T)


# -- what is to be expected ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("interval", "present_s", "points"),
    [(1.0, LAG, 0), (1.0, 0.0, 0), (1.0, LAG + 2.0, 10), (600.0, LAG + 600.0, 5), (600.0, LAG + 1800.0 - 0.5, 10)],
)
def test_what_so_long_a_stay_brings(interval: float, present_s: float, points: int) -> None:
    assert expected(Loyalty(amount=5), interval, present_s) == points


# -- the interval --------------------------------------------------------------------------------------------------
FIVES = rows((5, 300.0), (5, 240.0), (5, 240.0))
TENS = rows((10, 300.0), (10, 240.0), (10, 240.0))


@pytest.mark.parametrize(
    ("recent", "loyalty", "interval"),
    [
        ((), None, INTERVAL),
        (rows((0, 300.0), (0, 300.0)), None, INTERVAL),
        (rows((0, 900.0), (0, 900.0)), None, INTERVAL),
        (rows((5, 300.0), (5, 240.0)), None, INTERVAL),
        (FIVES, None, 240.0),
        (FIVES, Loyalty(), 240.0),
        (FIVES, Loyalty(interval=120.0), 120.0),
        (rows((1, 300.0), (1, 240.0), (1, 240.0)), None, 240.0),
        (rows((5, 300.0), (5, 0.5), (5, 0.5)), None, 60.0),
        (rows((5, 300.0), (5, 1.0), (5, 599.0)), None, 300.0),
        (rows((5, 300.0), (5, 0.0), (5, 600.0)), None, INTERVAL),  # the middle one's time is not known
        (rows((5, 300.0), (5, 900.0), (5, 900.0)), None, 600.0),
        # what divides all of them; where some came more than once, what divides those
        (rows((10, 300.0), (15, 360.0), (5, 120.0)), None, 120.0),
        (rows((20, 300.0), (10, 240.0), (20, 480.0), (10, 240.0), (7, 180.0)), None, 240.0),
        # an amount that fits is better than what is common to all rises: two payments at every reading
        (TENS, None, 240.0),
        (TENS, Loyalty(amount=5), 120.0),
        (TENS, Loyalty(amount=5, subscriber_multiplier=2), 240.0),
        (TENS, Loyalty(amount=5, subscriber_multiplier=3), 120.0),
        (TENS, Loyalty(amount=5, subscriber_multiplier=0), 120.0),
        (TENS, Loyalty(amount=10), 240.0),
        (TENS, Loyalty(amount=4), 240.0),
        (TENS, Loyalty(amount=0), 240.0),
        (TENS, Loyalty(amount=1, subscriber_multiplier=10), 240.0),
    ],
)
def test_the_interval_that_the_rows_tell(recent: tuple[Rise, ...], loyalty: Loyalty | None, interval: float) -> None:
    assert learned_interval(Ledger(100, NOW, recent), loyalty) == interval


# -- the rate ------------------------------------------------------------------------------------------------------
QUIET = INTERVAL + LAG
"""Seconds after which the next payment is late."""


@pytest.mark.parametrize(
    ("recent", "rate"),
    [
        ((), None),
        # nothing came
        (rows((0, ENOUGH - 1)), None),
        (rows((0, ENOUGH)), 0.0),
        # one came
        (rows((0, 600.0), (5, 300.0)), None),
        (rows((0, ENOUGH), (5, 300.0)), None),
        (rows((0, 600.0), (5, 300.0), (0, QUIET)), None),
        (rows((0, 600.0), (5, 300.0), (0, 450.0), (0, 451.0)), 5 * 3600.0 / 1801.0),
        (rows((1, 899.0), (0, QUIET + 1)), 1 * 3600.0 / 1800.0),
        (rows((5, 300.0), (0, QUIET + 1)), None),
        # two
        (rows((5, 900.0), (0, 300.0), (5, 300.0)), 30.0),
        (rows((5, 899.0), (0, 300.0), (5, 300.0)), None),
        (rows((5, 300.0), (5, 600.0), (0, 600.0)), 30.0),  # until the next one may be due
        (rows((5, 300.0), (5, 600.0), (0, QUIET)), 30.0),
        (rows((5, 300.0), (5, 600.0), (0, QUIET + 300)), 10.0),
        (rows((1, 900.0), (0, 300.0), (1, 300.0)), 6.0),
        (rows((5, 1500.0), (5, 0.0)), None),
        # three
        (rows((5, 300.0), (5, 300.0), (5, 300.0)), 60.0),
        (rows((5, 300.0), (5, 0.5), (5, 0.5)), 36_000.0),
        (rows((5, 300.0), (5, 0.25), (5, 0.25)), 72_000.0),
        (rows((5, 0.0), (5, 0.0), (5, 0.0)), None),
        (rows((7, 300.0), (5, 0.0), (5, 600.0)), 30.0),
        (rows((1, 300.0), (1, 360.0), (1, 360.0)), 10.0),
    ],
)
def test_the_rate_that_the_rows_tell(recent: tuple[Rise, ...], rate: float | None) -> None:
    assert rate_per_hour(Ledger(100, NOW, recent), NOW) == rate


def test_rows_of_a_week_ago_still_tell_the_rate() -> None:
    ledger = Ledger(100, NOW, rows((5, 900.0), (0, 300.0), (5, 300.0)))
    first = ledger.recent[0].at
    assert rate_per_hour(ledger, first + STALE) == 30.0
    assert rate_per_hour(ledger, first + STALE + 0.5) is None
