"""A purse between two readings: what is paid, how long we were there, and whether it is anywhere at all."""

from __future__ import annotations

import pytest
from core_room import ID, T
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.base.types import SeId
from allthepoints.core.elements import SHOWS_WITHIN, Purse
from allthepoints.core.loyalty import LAG


@pytest.mark.parametrize(
    ("se", "found_at", "nowhere"),
    [(None, 0.0, False), (None, T, True), (SeId("se7"), T, False), (SeId("se7"), 0.0, False)],
)
def test_who_was_never_looked_up_may_be_there(se: SeId | None, found_at: float, nowhere: bool) -> None:
    assert Purse(ID, se=se, found_at=found_at).nowhere is nowhere


# -- paid ----------------------------------------------------------------------------------------------------------
def test_what_is_paid_adds_up() -> None:
    purse = Purse(ID)
    purse.pay(100, T)
    purse.pay(50, T + 9)
    assert purse == Purse(ID, spent=150, spent_at=T + 9)


@pytest.mark.parametrize(
    ("after", "read", "forgotten"),
    [
        (SHOWS_WITHIN + 1, 1.0, True),
        (SHOWS_WITHIN, 1.0, False),
        (SHOWS_WITHIN + 1, 0.0, False),  # no balance was read since
        (SHOWS_WITHIN + 1, -1.0, False),
        (1.0, 0.5, False),
    ],
)
def test_fc_48_what_no_balance_showed_for_long_is_forgotten(after: float, read: float, forgotten: bool) -> None:
    purse = Purse(ID, spent=100, spent_at=T, balance_at=T + read)
    purse.forget_spent(T + after)
    assert purse == Purse(ID, spent=0 if forgotten else 100, spent_at=T, balance_at=T + read)


# -- there ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("balance_at", "present_s"),
    [(0.0, 60.0), (T - 60, 60.0), (T - 20, 20.0), (T, 0.0), (T + 5, 0.0)],
)
def test_a_stay_that_ended_counts_from_the_last_reading_on(balance_at: float, present_s: float) -> None:
    purse = Purse(ID, balance_at=balance_at, present_s=7.0)
    purse.left(T - 60, T)
    assert purse == Purse(ID, balance_at=balance_at, present_s=7.0 + present_s, left_at=T)


@pytest.mark.parametrize(
    ("balance_at", "left_at", "present_since", "now", "stayed"),
    [
        # we are there
        (0.0, 0.0, T - 60, T, 60.0),
        (T - 20, 0.0, T - 60, T, 20.0),
        (T - 90, T - 80, T - 60, T, 60.0),  # it left the list, and came back to it
        (T + 5, 0.0, T - 60, T, 0.0),  # a clock that was set back
        # we have left, and its list may lag
        (T - 90, T - 60, None, T, 60.0),
        (T - 20, T - 60, None, T, 20.0),
        (T - 900, T - LAG - 60, None, T, LAG),
        (T - 900, T - LAG, None, T, LAG),
        (T - 60, T - LAG - 120, None, T, 0.0),
        (T + 5, T - 60, None, T, 0.0),
    ],
)
def test_how_long_we_may_have_been_seen_there(
    balance_at: float, left_at: float, present_since: float | None, now: float, stayed: float
) -> None:
    for before in (0.0, 7.0):
        purse = Purse(ID, balance_at=balance_at, left_at=left_at, present_s=before)
        assert purse.stayed(present_since, now) == before + stayed


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=6), st.integers(0, 2000))
def test_nobody_is_seen_longer_than_since_the_last_reading(stays: list[tuple[int, int]], read: int) -> None:
    """Away, there, away, ... and read at some second: the stay is counted, and beyond it no more than the list lags."""
    purse, now, there = Purse(ID, balance_at=T + read), 0, 0
    for away, stay in stays:
        begin, now = now + away, now + away + stay
        purse.left(T + begin, T + now)
        there += len([second for second in range(begin, now) if second >= read])
    assert purse.present_s == there
    assert there <= purse.stayed(None, T + now) <= there + LAG
    assert purse.stayed(T + now, T + now + 60) <= max(0, now + 60 - read)
