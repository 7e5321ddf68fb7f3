"""A day is made as small as it can be and still show something; and TOML says all of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

from shrink import as_toml, fewest, shrink, until

from allthepoints.sim import days
from allthepoints.sim.scenario import Broadcast, ChannelPlan, FaultPlan, ItemPlan, LoyaltyPlan, Scenario, parse

STORMY = days.stormy_day(8, 3)


@given(st.lists(st.integers(0, 30), unique=True), st.sets(st.integers(0, 30), max_size=4))
def test_fewest_leaves_what_is_needed(parts: list[int], needed: set[int]) -> None:
    def shows(some: Sequence[int]) -> bool:
        return needed <= set(some)

    found = fewest(parts, shows)
    if needed <= set(parts):
        assert list(found) == [part for part in parts if part in needed]
    else:
        assert list(found) == parts


def test_a_day_shrinks_to_what_shows_it() -> None:
    asked = []

    def shows(day: Scenario) -> bool:
        asked.append(day)
        resets = [fault for fault in day.faults if fault.name == "reset"]
        return len(resets) >= 2 and any(channel.login == STORMY.channels[5].login for channel in day.channels)

    small = shrink(STORMY, shows, 300)
    assert [fault.name for fault in small.faults] == ["reset", "reset"]
    assert [channel.login for channel in small.channels] == [STORMY.channels[5].login]
    assert small.duration < STORMY.duration
    assert shows(small)
    assert len(asked) <= 301


def test_no_more_trials_than_are_given() -> None:
    asked = []

    def shows(day: Scenario) -> bool:
        asked.append(day)
        return True

    shrink(STORMY, shows, 5)
    assert len(asked) == 5


def test_what_shows_nothing_stays_as_it_is() -> None:
    assert shrink(STORMY, lambda _: False) == STORMY


@pytest.mark.parametrize(
    "day",
    [
        STORMY,
        until(STORMY, 4000),
        days.demo_day(2),
        Scenario(),
        Scenario(
            name='a "day"\nof two lines',
            channels=(
                ChannelPlan(
                    "alpha",
                    broadcasts=(Broadcast(-5.0, 7.5, kind="rerun", tags=("a", "b")),),
                    loyalty=LoyaltyPlan(ignored=("x",), amount=7),
                    store=(ItemPlan("🗺 x", 5, type="code", codes=("A", "B")),),
                ),
            ),
            faults=(FaultPlan(1.25, "lose_join", {"n": 2, "channel": "alpha"}), FaultPlan(2.0, "reset")),
        ),
    ],
    ids=["stormy", "its beginning", "demo", "empty", "odd"],
)
def test_toml_says_all_of_a_day(day: Scenario) -> None:
    text = as_toml(day, "Why it is kept.\nTwo lines.")
    assert text.startswith("# Why it is kept.\n# Two lines.\n")
    assert parse(text) == day
