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
    check(starts, now, expected)


def check(starts: Starts, now: float, expected: str | None) -> None:
    found = usual_next(starts, now, UTC)
    assert (None if found is None else f"{datetime.fromtimestamp(found.at, UTC):%Y-%m-%d %H:%M}") == expected


FRIDAY = at("2026-11-27 20:00")
OFFICE = [n for n in range(26) if n % 7 not in (5, 6)]
"""Days before that Friday that are no Saturday and no Sunday."""


@pytest.mark.parametrize(
    ("back", "expected"),
    [
        (OFFICE, "2026-11-30 19:00"),  # never on a Saturday
        ([*OFFICE, 6], "2026-11-28 19:00"),  # last Saturday
        ([*OFFICE, 13], "2026-11-28 19:00"),  # the one before: it was left out once
        ([*OFFICE, 20], "2026-11-30 19:00"),  # not any more
        ([0, 1, 2, 3], "2026-11-28 19:00"),  # no Saturday was seen yet
        ([0, 1, 2, 3, 6], "2026-11-28 19:00"),
        ([5, 4, 3, 2], "2026-11-28 19:00"),
    ],
)
def test_a_habit_of_every_day_skips_a_day_that_is_left_out(back: list[int], expected: str) -> None:
    check(days("19:00", *back, today="2026-11-27"), FRIDAY, expected)


@pytest.mark.parametrize(
    ("back", "expected"),
    [
        ((4, 5, 6, 7), "2026-11-26 19:00"),  # before the evening that has just begun
        ((5, 6, 7, 8), None),
    ],
)
def test_four_days_of_the_last_seven_are_a_habit_of_every_day(back: tuple[int, ...], expected: str | None) -> None:
    check(days("19:00", *back), at("2026-11-25 20:00"), expected)


@pytest.mark.parametrize(
    ("starts", "now", "expected"),
    [
        (days("12:00", 14, 21, 28), NOW, "2026-12-02 12:00"),
        (days("12:00", 0, 7, 14), NOW, "2026-12-02 12:00"),  # one of this very moment, and just a week ahead
        (days("11:59:50", 14, 21, 28), NOW, None),  # 28 days are looked back, and no more
        ([*days("19:00", 7, 14, 21), *each("2026-11-25 18:50")], at("2026-11-25 18:59:56"), None),  # a week ahead
        ([*days("18:00", 7), *days("18:45", 14), *days("19:30", 21)], NOW, "2026-11-25 18:45"),
        ([*days("18:00", 7), *days("18:45", 14), *days("19:31", 21)], NOW, None),
        ([*DAILY, *each("2026-11-25 17:30")], at("2026-11-25 17:45"), "2026-11-25 19:00"),  # it came too early for that
        ([*DAILY, *each("2026-11-25 17:31")], at("2026-11-25 17:45"), "2026-11-26 19:00"),
        (days("19:08", 7, 14, 21), NOW, "2026-11-25 19:15"),
        (days("19:07", 7, 14, 21), NOW, "2026-11-25 19:00"),
    ],
)
def test_how_far_and_how_near(starts: Starts, now: float, expected: str | None) -> None:
    check(starts, now, expected)


@pytest.mark.parametrize(
    ("starts", "now", "expected"),
    [
        # It comes back two hours after it came: no other time, and nobody waits for it in the evening.
        ([*days("19:00", *range(8)), *days("21:00", *range(1, 8))], at("2026-11-25 20:30"), "2026-11-26 19:00"),
        # Three hours after is another time, and here the third at which it came at 22:00.
        ([*each("2026-11-18 19:00"), *days("22:00", 7, 14, 21)], NOW, "2026-11-25 22:00"),
        ([*each("2026-11-18 19:01"), *days("22:00", 7, 14, 21)], NOW, None),
        # Mornings are no evenings.
        ([*days("19:00", 5, 6, 7), *days("08:00", 1, 2)], at("2026-11-25 20:00"), None),
        # Two habits a day; what lies within AGREE of one is none beside it.
        ([*days("17:00", *range(8)), *days("20:30", *range(1, 8))], at("2026-11-25 18:45"), "2026-11-25 20:30"),
        ([*days("17:00", *range(8)), *days("20:00", *range(1, 8))], at("2026-11-25 18:45"), "2026-11-26 17:00"),
        # Where as many agree here as there: the closest together.
        (
            [*days("17:30", 7), *days("18:50", 14), *days("19:00", 21), *days("20:15", 28)],
            NOW,
            "2026-11-25 19:00",
        ),
        (
            [*days("17:35", 7), *days("18:50", 14), *days("19:00", 21), *days("20:18", 28)],
            NOW,
            "2026-11-25 18:45",
        ),
        # It may still come when the first of its hours has gone by.
        (
            [*days("18:20", 7), *days("19:00", 14), *days("19:40", 21)],
            at("2026-11-25 18:30"),
            "2026-11-25 19:00",
        ),
    ],
)
def test_which_starts_are_one_habit(starts: Starts, now: float, expected: str | None) -> None:
    check(starts, now, expected)


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


def test_the_evening_begins_by_the_clock_of_the_wall() -> None:
    """At half past seven in Berlin one of its evenings has begun: of the seven before it, three had a start."""
    starts = days("19:00", 5, 6, 7, 8, zone=BERLIN)
    assert usual_next(starts, at("2026-11-25 18:30", BERLIN), BERLIN) is not None
    assert usual_next(starts, at("2026-11-25 19:30", BERLIN), BERLIN) is None


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
