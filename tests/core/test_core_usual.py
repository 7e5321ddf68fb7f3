"""Who usually starts next: tables, and what holds for any starts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.base.types import UserId
from allthepoints.core.usual import LOOKED_AHEAD, Usual, usual_next

BERLIN = ZoneInfo("Europe/Berlin")
ALPHA, BETA = UserId("1"), UserId("2")

Starts = list[tuple[UserId, float]]


def at(text: str, zone: tzinfo = UTC) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


NOW = at("2026-11-25 12:00")
"""A Wednesday."""


def each(*texts: str, channel: UserId = ALPHA, zone: tzinfo = UTC) -> Starts:
    """Starts at these local times."""
    return [(channel, at(text, zone)) for text in texts]


def days(time: str, *back: int, channel: UserId = ALPHA, zone: tzinfo = UTC, today: str = "2026-11-25") -> Starts:
    """Starts at this time of day, so many days before today."""
    day = datetime.fromisoformat(f"{today} {time}")
    return [(channel, (day - timedelta(days=n)).replace(tzinfo=zone).timestamp()) for n in back]


DAILY = days("19:00", *range(1, 15))
WORKDAYS = days("19:00", *(n for n in range(1, 27) if n % 7 not in (3, 4)))
"""Today is a Wednesday: three and four days ago were a Sunday and a Saturday."""


@pytest.mark.parametrize(
    ("starts", "now", "expected"),
    [
        ([], NOW, None),
        (DAILY, NOW, "2026-11-25 19:00"),
        (DAILY, at("2026-11-25 19:00"), "2026-11-26 19:00"),
        ([*DAILY, *each("2026-11-25 18:10")], at("2026-11-25 18:30"), "2026-11-26 19:00"),  # that was it, a bit early
        (days("19:00", 7, 14, 21), NOW, "2026-11-25 19:00"),
        (days("19:00", 7, 14, 21), at("2026-11-25 20:00"), "2026-12-02 19:00"),
        (days("19:00", 5, 12, 19), NOW, "2026-11-27 19:00"),
        (days("19:00", 7, 14), NOW, None),  # two are a coincidence
        (days("19:00", 7, 14, 35), NOW, None),  # too long ago
        (days("19:00", 1, 3, 6), NOW, None),  # neither most days, nor a day of the week
        (days("19:00", 1, 2, 3, 4), NOW, "2026-11-25 19:00"),  # a channel that is new here
        ([*days("18:20", 7), *days("19:00", 14), *days("19:40", 21)], NOW, "2026-11-25 19:00"),
        ([*days("17:00", 7), *days("19:00", 14), *days("21:00", 21)], NOW, None),
        ([*days("18:57", 7, 14), *days("19:04", 21)], NOW, "2026-11-25 19:00"),
        ([*days("19:00", 7), *days("19:20", 7), *days("19:40", 7)], NOW, None),  # thrice in one evening is once
        ([*days("23:45", 7, 21), *each("2026-11-12 00:15")], NOW, "2026-11-25 23:45"),  # on both sides of midnight
        ([*days("00:10", 2, 9, 16)], NOW, "2026-11-30 00:15"),
        (WORKDAYS, at("2026-11-27 20:00"), "2026-11-30 19:00"),  # not on Saturday
        ([*days("14:00", 4, 11, 18), *WORKDAYS], at("2026-11-27 20:00"), "2026-11-28 14:00"),
        ([*DAILY, *days("17:00", 7, 14, 21, channel=BETA)], NOW, "2026-11-25 17:00"),
    ],
)
def test_when(starts: Starts, now: float, expected: str | None) -> None:
    found = usual_next(starts, now, UTC)
    assert (None if found is None else f"{datetime.fromtimestamp(found.at, UTC):%Y-%m-%d %H:%M}") == expected


def test_who() -> None:
    both = [*DAILY, *days("17:00", 7, 14, 21, channel=BETA)]
    assert usual_next(both, NOW, UTC) == Usual(BETA, at("2026-11-25 17:00"))
    assert usual_next(both, at("2026-11-25 17:30"), UTC) == Usual(ALPHA, at("2026-11-25 19:00"))
    same = [*DAILY, *days("19:00", 7, 14, 21, channel=BETA)]
    assert usual_next(same, NOW, UTC) == Usual(ALPHA, at("2026-11-25 19:00")), "the firmer habit"


@pytest.mark.parametrize(
    ("today", "back", "time", "expected"),
    [
        ("2026-10-25", (7, 14, 21), "19:00", "2026-10-25 19:00"),  # a day of 25 hours
        ("2026-10-25", (1, 2, 3, 4, 5), "19:00", "2026-10-25 19:00"),
        ("2026-03-29", (7, 14, 21), "19:00", "2026-03-29 19:00"),  # one of 23
        ("2026-03-29", (1, 2, 3, 4, 5), "02:30", "2026-03-29 03:30"),  # a time that is left out
        ("2026-10-25", (1, 2, 3, 4, 5), "02:30", "2026-10-25 02:30"),  # one that comes twice
    ],
)
def test_hours_are_those_of_the_clock(today: str, back: tuple[int, ...], time: str, expected: str) -> None:
    starts = days(time, *back, zone=BERLIN, today=today)
    found = usual_next(starts, at(f"{today} 00:30", BERLIN), BERLIN)
    assert found is not None
    assert f"{datetime.fromtimestamp(found.at, BERLIN):%Y-%m-%d %H:%M}" == expected


def test_a_week_with_an_hour_more_is_not_looked_across() -> None:
    starts = days("19:30", 1, 8, 15, zone=BERLIN, today="2026-10-25")
    assert usual_next(starts, at("2026-10-24 19:45", BERLIN), BERLIN) is None, "seven days of 24 hours, and more"
    assert usual_next(starts, at("2026-10-24 20:45", BERLIN), BERLIN) == Usual(ALPHA, at("2026-10-31 19:30", BERLIN))
    early = [(channel, moment - 86_400 * 7) for channel, moment in starts]
    assert usual_next(early, at("2026-10-24 19:15", BERLIN), BERLIN) == Usual(ALPHA, at("2026-10-24 19:30", BERLIN))


ZONES = st.sampled_from([UTC, BERLIN, ZoneInfo("America/St_Johns"), ZoneInfo("Australia/Lord_Howe")])
ANY = st.tuples(
    st.sampled_from([ALPHA, BETA]), st.floats(NOW - 60 * 86_400, NOW + 86_400, allow_nan=False, allow_infinity=False)
)
HABITS = st.builds(
    lambda channel, time, back: days(f"{time:02}:30", *back, channel=channel),
    st.sampled_from([ALPHA, BETA]),
    st.integers(0, 23),
    st.lists(st.integers(0, 30), max_size=20),
)


@given(st.lists(ANY, max_size=30), HABITS, st.floats(-40 * 86_400, 86_400), ZONES, st.randoms(use_true_random=False))
def test_never_past_never_far_and_in_any_order(
    some: Starts, habit: Starts, later: float, zone: tzinfo, chance: object
) -> None:
    starts, now = [*some, *habit], NOW + later
    found = usual_next(starts, now, zone)
    assert found is None or now < found.at <= now + LOOKED_AHEAD
    chance.shuffle(starts)  # type: ignore[attr-defined]
    assert usual_next([*starts, *starts], now, zone) == found


def test_the_future_and_the_far_past_say_nothing() -> None:
    starts = days("19:00", -1, -2, -3, -4, 40, 41, 42, 43)
    assert usual_next(starts, NOW, UTC) is None
