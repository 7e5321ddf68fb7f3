"""The ledger: what a balance moved by, and why; the interval and the rate that the rises tell."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allthepoints.base.types import UserId
from allthepoints.core.ledger import (
    ENOUGH,
    MOST_ROWS,
    STALE,
    WINDOW,
    Ledger,
    Posting,
    expected,
    learned_interval,
    most_earned,
    post,
    rate_per_hour,
    restore,
)
from allthepoints.core.loyalty import INTERVAL, LAG, Loyalty
from allthepoints.core.records import Change, LedgerEntry

T0 = 1_790_000_000.0
POLL = 300.0
AT_100 = Ledger(100, T0)
SETTINGS = Loyalty(amount=5, interval=600.0)
MOST = 30
"""What POLL seconds can have brought by SETTINGS."""


def moves(postings: tuple[Posting, ...]) -> dict[Change, int]:
    return {posting.change: posting.delta for posting in postings}


# -- one reading after another -------------------------------------------------------------------------------------
def test_the_first_reading_opens() -> None:
    ledger, postings = post(Ledger(), T0, 1840, present_s=POLL, spent=500, most=10)
    assert postings == (Posting(Change.OPENING, 0, 1840),)
    assert (ledger.points, ledger.at, ledger.rose_at) == (1840, T0, None)


@pytest.mark.parametrize(
    ("points", "present_s", "spent", "most", "expect"),
    [
        pytest.param(100, POLL, 0, MOST, {}, id="nothing moved"),
        pytest.param(105, POLL, 0, MOST, {Change.EARNED: 5}, id="pay"),
        pytest.param(105, POLL, 0, None, {Change.EARNED: 5}, id="pay, settings unknown"),
        pytest.param(105, 0.0, 0, MOST, {Change.ADJUSTED: 5}, id="a gift while away"),
        pytest.param(105, 0.0, 0, None, {Change.ADJUSTED: 5}, id="a gift while away, settings unknown"),
        pytest.param(1105, POLL, 0, MOST, {Change.ADJUSTED: 1005}, id="a raffle"),
        pytest.param(0, POLL, 0, MOST, {Change.ADJUSTED: -100}, id="a reset"),
        pytest.param(90, 0.0, 0, MOST, {Change.ADJUSTED: -10}, id="a bet"),
        pytest.param(40, POLL, 60, MOST, {Change.SPENT: -60}, id="the price"),
        pytest.param(45, POLL, 60, MOST, {Change.SPENT: -60, Change.EARNED: 5}, id="the price, and pay"),
        pytest.param(45, POLL, 60, None, {Change.SPENT: -60, Change.EARNED: 5}, id="the same, settings unknown"),
        pytest.param(40, 0.0, 60, MOST, {Change.SPENT: -60}, id="the price, while away"),
        pytest.param(30, POLL, 60, MOST, {Change.SPENT: -60, Change.ADJUSTED: -10}, id="the price, and a bet"),
        pytest.param(100, POLL, 60, MOST, {}, id="not booked yet"),
        pytest.param(105, POLL, 60, MOST, {Change.EARNED: 5}, id="not booked yet, and pay"),
        pytest.param(105, POLL, 60, None, {Change.EARNED: 5}, id="the same, settings unknown"),
        pytest.param(100, POLL, 20, MOST, {Change.SPENT: -20, Change.EARNED: 20}, id="the price was earned"),
        pytest.param(95, POLL, 60, MOST, {Change.SPENT: -5}, id="a part of what is owed"),
        pytest.param(200, POLL, 60, MOST, {Change.ADJUSTED: 100}, id="a gift while something is owed"),
    ],
)
def test_fc_50_what_moved_a_balance(
    points: int, present_s: float, spent: int, most: int | None, expect: dict[Change, int]
) -> None:
    ledger, postings = post(AT_100, T0 + POLL, points, present_s=present_s, spent=spent, most=most)
    assert moves(postings) == expect
    assert sum(posting.delta for posting in postings) == points - 100
    assert [posting.points for posting in postings[-1:]] == ([points] if postings else [])
    assert ledger.points == points


def test_fc_50_a_balance_that_is_set_back_and_restored_is_no_pay() -> None:
    ledger, seen = AT_100, []
    for i, points in enumerate((105, 0, 5, 105, 110), start=1):
        ledger, postings = post(ledger, T0 + i * POLL, points, present_s=POLL, most=MOST)
        seen += [(posting.change, posting.delta) for posting in postings]
    earned, adjusted = Change.EARNED, Change.ADJUSTED
    assert seen == [(earned, 5), (adjusted, -105), (earned, 5), (adjusted, 100), (earned, 5)]


def test_half_an_hour_without_an_answer_stays_earned() -> None:
    most = most_earned(SETTINGS, 1800.0)
    _, postings = post(AT_100, T0 + 1800.0, 115, present_s=1800.0, most=most)
    assert moves(postings) == {Change.EARNED: 15}


def test_what_is_owed_is_right_in_the_end_though_a_bet_came_first() -> None:
    owed, ledger, spent, adjusted = 60, AT_100, 0, 0
    for i, points in enumerate((95, 40, 40), start=1):  # a bet of 5; then the price of 60, and 5 earned
        ledger, postings = post(ledger, T0 + i * POLL, points, present_s=POLL, spent=owed, most=MOST)
        paid = -moves(postings).get(Change.SPENT, 0)
        owed, spent = owed - paid, spent + paid
        adjusted += moves(postings).get(Change.ADJUSTED, 0)
    assert (owed, spent, adjusted) == (0, 60, 0)


def test_readings_that_do_not_tell_what_was_earned_are_left_out_of_the_rate() -> None:
    ledger, _ = post(AT_100, T0 + POLL, 105, present_s=POLL, most=MOST)
    for points in (90, 5000):
        after, _ = post(ledger, T0 + 2 * POLL, points, present_s=POLL, most=MOST)
        assert after.recent == ledger.recent


# -- properties ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Reading:
    points: int
    gap: float
    present: bool
    spent: int
    most: int | None


readings = st.lists(
    st.builds(
        Reading,
        points=st.integers(-10, 2**31),
        gap=st.floats(-7200, 86_400),
        present=st.booleans(),
        spent=st.integers(0, 5000),
        most=st.none() | st.integers(0, 1000),
    ),
    min_size=1,
    max_size=40,
)


@given(readings)
@example([Reading(100, 0, True, 0, None), Reading(105, -3600, True, 0, 30)])
def test_fc_34_sums_are_right_for_any_order_of_readings_and_gaps(read: list[Reading]) -> None:
    ledger, at, seen = Ledger(), T0, []
    for reading in read:
        at += reading.gap
        present_s = max(0.0, reading.gap) if reading.present else 0.0
        before = ledger
        ledger, postings = post(ledger, at, reading.points, present_s=present_s, spent=reading.spent, most=reading.most)
        assert ledger.at == at
        if not present_s:
            assert Change.EARNED not in moves(postings), "who was not there earned nothing"
        assert 0 <= -moves(postings).get(Change.SPENT, 0) <= reading.spent
        if before.points is not None and reading.most is not None:
            assert moves(postings).get(Change.EARNED, 0) <= reading.most
        seen += postings
        rate_per_hour(ledger, at)
        assert 60 <= learned_interval(ledger, None) <= 600
    assert sum(posting.delta for posting in seen) == read[-1].points - read[0].points
    assert all(posting.delta > 0 for posting in seen if posting.change is Change.EARNED)
    assert all(posting.delta != 0 for posting in seen[1:])
    assert all(rise.present_s >= 0 and rise.delta >= 0 for rise in ledger.recent)


def test_fc_34_a_clock_that_was_set_back_makes_no_time() -> None:
    ledger, postings = post(AT_100, T0 - 3600.0, 105, present_s=POLL, most=MOST)
    assert moves(postings) == {Change.EARNED: 5}
    assert [rise.present_s for rise in ledger.recent] == [0.0]
    assert ledger.rose_at == T0 - 3600.0
    after, postings = post(ledger, T0 - 3300.0, 110, present_s=POLL, most=MOST)
    assert moves(postings) == {Change.EARNED: 5}
    assert after.recent[-1].present_s == POLL


# -- what can have been earned -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("loyalty", "present_s", "expect"),
    [
        pytest.param(None, POLL, None, id="settings unknown"),
        pytest.param(Loyalty(interval=600.0), POLL, None, id="amount not told"),
        pytest.param(SETTINGS, 0.0, 0, id="not there"),
        pytest.param(SETTINGS, 0.5, MOST, id="there for a moment"),
        pytest.param(SETTINGS, POLL, MOST, id="two payments of a subscriber"),
        pytest.param(Loyalty(amount=5, interval=600.0, subscriber_multiplier=10), POLL, 100, id="its own multiplier"),
        pytest.param(Loyalty(amount=5), POLL, 105, id="interval not told: the shortest"),
        pytest.param(Loyalty(enabled=False, amount=5, interval=600.0), POLL, MOST, id="a rise is newer than settings"),
    ],
)
def test_the_most_that_can_have_been_earned(loyalty: Loyalty | None, present_s: float, expect: int | None) -> None:
    assert most_earned(loyalty, present_s) == expect


@given(
    tick=st.integers(1, 10),
    phase=st.floats(0, 1, exclude_max=True),
    late=st.floats(0, 59),
    polls=st.lists(st.floats(60, 3600), min_size=1, max_size=30),
    subscribed=st.booleans(),
)
def test_honest_pay_is_always_earned(
    tick: int, phase: float, late: float, polls: list[float], subscribed: bool
) -> None:
    """Whatever the phase of the payments and the gaps of the readings, and though payments are booked late."""
    every = tick * 60.0
    settings = Loyalty(amount=5, interval=every, subscriber_multiplier=2)

    def balance(at: float) -> int:
        return int((at + phase * every) // every) * (10 if subscribed else 5)

    ledger, _ = post(Ledger(), T0, balance(0.0), present_s=0)
    at = 0.0
    for i, gap in enumerate(polls):
        at += gap
        booked = at - (late if i % 2 else 0.0)
        ledger, postings = post(ledger, T0 + at, balance(booked), present_s=gap, most=most_earned(settings, gap))
        assert set(moves(postings)) <= {Change.EARNED}


@pytest.mark.parametrize(
    ("loyalty", "present_s", "expect"),
    [
        pytest.param(None, 3600.0, None, id="settings unknown"),
        pytest.param(Loyalty(), 3600.0, None, id="amount not told"),
        pytest.param(Loyalty(enabled=False, amount=5), 3600.0, 0, id="off"),
        pytest.param(SETTINGS, LAG, 0, id="the list lags"),
        pytest.param(SETTINGS, LAG + 3599.0, 25, id="whole intervals only"),
        pytest.param(SETTINGS, LAG + 3600.0, 30, id="an hour"),
    ],
)
def test_what_a_stay_should_have_brought(loyalty: Loyalty | None, present_s: float, expect: int | None) -> None:
    assert expected(loyalty, 600.0, present_s) == expect


# -- interval and rate ---------------------------------------------------------------------------------------------
def watched(tick: float, seconds: float, *, amount: int = 5, phase: float = 0.3, poll: float = POLL) -> Ledger:
    """The ledger of a stay in a channel that pays `amount` each `tick` seconds."""

    def balance(at: float) -> int:
        return 1000 + int((at + phase * tick) // tick) * amount

    ledger, _ = post(Ledger(), T0, balance(0.0), present_s=0)
    for i in range(1, int(seconds // poll) + 1):
        ledger, _ = post(ledger, T0 + i * poll, balance(i * poll), present_s=poll)
    return ledger


@pytest.mark.parametrize("phase", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("minutes", range(1, 11))
def test_the_interval_is_learned_from_the_rises(minutes: int, phase: float) -> None:
    ledger = watched(minutes * 60.0, WINDOW, phase=phase)
    assert learned_interval(ledger, Loyalty(amount=5)) == minutes * 60.0
    if minutes > 1:  # five payments at every reading look like one, where the amount is not told
        assert learned_interval(ledger, None) == minutes * 60.0


@pytest.mark.parametrize("minutes", range(2, 11))
def test_a_subscribers_interval_is_learned_too(minutes: int) -> None:
    settings = Loyalty(amount=5, subscriber_multiplier=3)
    assert learned_interval(watched(minutes * 60.0, WINDOW, amount=15), settings) == minutes * 60.0


def test_one_odd_rise_does_not_hide_the_interval() -> None:
    ledger = watched(600.0, WINDOW)
    assert ledger.points is not None
    ledger, _ = post(ledger, ledger.at + POLL, ledger.points + 7, present_s=POLL)
    assert learned_interval(ledger, None) == 600.0


def test_told_is_better_than_learned_and_nothing_is_guessed() -> None:
    assert learned_interval(watched(600.0, WINDOW), Loyalty(interval=120.0)) == 120.0
    assert learned_interval(Ledger(), None) == INTERVAL
    assert learned_interval(watched(240.0, 600.0), None) == INTERVAL


@pytest.mark.parametrize("phase", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("minutes", range(1, 11))
@pytest.mark.parametrize("hours", [1, 3, 8])
def test_the_rate_is_what_the_channel_pays(minutes: int, hours: int, phase: float) -> None:
    ledger = watched(minutes * 60.0, hours * 3600.0, phase=phase)
    rate = rate_per_hour(ledger, ledger.at)
    assert rate is not None
    assert rate == pytest.approx(300 / minutes, rel=0.12 if hours == 1 else 0.04)


@pytest.mark.parametrize(
    ("ledger", "expect"),
    [
        pytest.param(Ledger(), None, id="no reading"),
        pytest.param(watched(600.0, POLL), None, id="one reading"),
        pytest.param(watched(600.0, 1200.0), None, id="two payments, one interval"),
        pytest.param(watched(600.0, 1800.0), 30.0, id="three payments"),
        pytest.param(watched(86_400.0, ENOUGH - POLL), None, id="nothing, not long enough"),
        pytest.param(watched(86_400.0, ENOUGH), 0.0, id="nothing, for long"),
    ],
)
def test_fc_50_a_rate_needs_enough_readings(ledger: Ledger, expect: float | None) -> None:
    assert rate_per_hour(ledger, ledger.at) == expect


def test_fc_50_the_rate_is_from_the_rises_alone() -> None:
    ledger = watched(600.0, 3600.0)
    assert ledger.points is not None
    for i, change in enumerate((-500, 2000), start=1):
        ledger, _ = post(ledger, ledger.at + i * POLL, ledger.points + change, present_s=POLL, most=MOST)
        assert ledger.points is not None
    assert rate_per_hour(ledger, ledger.at) == 30.0


def test_a_channel_that_stops_paying_loses_its_rate() -> None:
    ledger, rates = watched(600.0, WINDOW), []
    assert ledger.points is not None
    for _ in range(int(WINDOW // POLL)):
        ledger, _ = post(ledger, ledger.at + POLL, ledger.points or 0, present_s=POLL)
        rates.append(rate_per_hour(ledger, ledger.at))
    assert rates[1] == 30.0, "the next payment may be due"
    assert rates[-1] == 0.0
    assert all(rate is not None for rate in rates)


def test_the_rate_outlives_the_night_and_not_a_fortnight() -> None:
    ledger = watched(600.0, WINDOW)
    assert rate_per_hour(ledger, ledger.at + 12 * 3600.0) == 30.0
    assert rate_per_hour(ledger, ledger.at + STALE + WINDOW) is None


def test_what_is_kept_is_bounded() -> None:
    ledger = watched(600.0, 10 * WINDOW)
    assert sum(rise.present_s for rise in ledger.recent) == WINDOW
    for _ in range(2 * MOST_ROWS):
        ledger, _ = post(ledger, ledger.at, (ledger.points or 0) + 1, present_s=1.0)
    assert len(ledger.recent) <= MOST_ROWS


# -- a restart -----------------------------------------------------------------------------------------------------
def entries(*rows: tuple[float, Change, int]) -> list[LedgerEntry]:
    return [LedgerEntry(T0 + at, UserId("1"), change, delta, 0) for at, change, delta in rows]


def test_a_restart_keeps_the_rate() -> None:
    earned = [(i * 600.0, Change.EARNED, 5) for i in range(12)]
    ledger = restore(1840, T0 + 7000.0, entries((0.0, Change.OPENING, 0), *earned, (6700.0, Change.SPENT, -500)))
    assert (ledger.points, ledger.at, ledger.rose_at) == (1840, T0 + 7000.0, T0 + 6600.0)
    assert rate_per_hour(ledger, T0 + 7000.0) == 30.0


def test_the_hours_between_two_stays_are_no_presence() -> None:
    ledger = restore(
        100, T0 + 50_000.0, entries(*((at, Change.EARNED, 5) for at in (0.0, 600.0, 1200.0, 40_000.0, 40_600.0)))
    )
    assert [rise.present_s for rise in ledger.recent] == [0.0, 600.0, 600.0, 0.0, 600.0]
    assert rate_per_hour(ledger, T0 + 50_000.0) == 30.0


def test_fc_34_entries_of_a_clock_that_was_set_back_since_say_nothing() -> None:
    ledger = restore(100, T0, entries((-600.0, Change.EARNED, 5), (3600.0, Change.EARNED, 5)))
    assert ledger.rose_at == T0 - 600.0
