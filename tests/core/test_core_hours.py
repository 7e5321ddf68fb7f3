"""Times of day, where clocks are changed too: each comes once a day, and no hours go on for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.core.hours import Hours, last_time, next_time, quiet_until

ROME, NUUK, APIA = map(ZoneInfo, ("Europe/Rome", "America/Nuuk", "Pacific/Apia"))
SAINT_JOHNS = ZoneInfo("America/St_Johns")
ZONES = [UTC, ROME, APIA, *map(ZoneInfo, ("America/New_York", "Australia/Lord_Howe", "Asia/Beirut"))]
NIGHT = Hours(23 * 60, 7 * 60 + 30)
HOUR = 3600.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("time", "now", "zone", "last", "later"),
    [
        pytest.param(
            "08:00", "2026-11-25T08:00+01:00", ROME, "2026-11-25T08:00+01:00", "2026-11-26T08:00+01:00", id="now"
        ),
        pytest.param(
            "08:00", "2026-11-25T07:59+01:00", ROME, "2026-11-24T08:00+01:00", "2026-11-25T08:00+01:00", id="before"
        ),
        # On Saturday it was 00:00 after 22:59, so 23:30 came at 00:30 on Sunday.
        pytest.param(
            "23:30",
            "2024-03-31T00:10-01:00",
            NUUK,
            "2024-03-29T23:30-02:00",
            "2024-03-31T00:30-01:00",
            id="that of yesterday is still to come",
        ),
        # On Sunday it was 23:01 on Saturday after 00:00.
        pytest.param(
            "00:00",
            "2010-11-06T23:30-03:30",
            SAINT_JOHNS,
            "2010-11-07T00:00-02:30",
            "2010-11-08T00:00-03:30",
            id="that of tomorrow is over",
        ),
        # There was no 30th of December.
        pytest.param(
            "08:00",
            "2011-12-31T00:10+14:00",
            APIA,
            "2011-12-29T08:00-10:00",
            "2011-12-31T08:00+14:00",
            id="a day is left out",
        ),
    ],
)
def test_fc_34_when_it_was_and_will_be_that_time(time: str, now: str, zone: ZoneInfo, last: str, later: str) -> None:
    hours, minutes = map(int, time.split(":"))
    assert [ask(hours * 60 + minutes, at(now), zone) for ask in (last_time, next_time)] == [at(last), at(later)]


def test_quiet_hours_are_of_the_days_of_the_persons_own_zone() -> None:
    """Be it tomorrow there, or yesterday."""
    morning = Hours(7 * 60, 9 * 60)
    assert quiet_until(morning, at("2026-11-25T08:00+13:00"), APIA) == at("2026-11-25T09:00+13:00")
    long = Hours(20 * 60, 19 * 60)
    west = ZoneInfo("Pacific/Pago_Pago")
    assert quiet_until(long, at("2026-11-25T18:30-11:00"), west) == at("2026-11-25T19:00-11:00")


moments = st.floats(at("2011-12-20T00:00+00:00"), at("2027-12-31T00:00+00:00"))


@given(moments, st.integers(0, 1439), st.sampled_from(ZONES))
def test_the_last_time_and_the_next_are_about_a_day_apart(now: float, minutes: int, zone: ZoneInfo) -> None:
    last, later = last_time(minutes, now, zone), next_time(minutes, now, zone)
    assert last <= now < later
    assert timedelta(hours=22) <= timedelta(seconds=later - last) <= timedelta(hours=26)


@given(moments, st.integers(0, 1439), st.integers(0, 1439), st.sampled_from(ZONES))
def test_quiet_hours_end(now: float, begin: int, end: int, zone: ZoneInfo) -> None:
    until = quiet_until(Hours(begin, end), now, zone)
    if until is not None:
        assert now < until <= now + 26 * HOUR
        shown = datetime.fromtimestamp(until, zone)
        assert shown.hour * 60 + shown.minute in {end, end + 60, end + 30}, "or as much later as was left out"


@pytest.mark.parametrize(
    ("now", "until"),
    [
        pytest.param("2026-11-25T22:59+01:00", None, id="before"),
        pytest.param("2026-11-25T23:00+01:00", "2026-11-26T07:30+01:00", id="they begin"),
        pytest.param("2026-11-26T07:29+01:00", "2026-11-26T07:30+01:00", id="the last minute"),
        pytest.param("2026-11-26T07:30+01:00", None, id="they end"),
        pytest.param("2026-10-25T02:30+02:00", "2026-10-25T07:30+01:00", id="02:30 the first time"),
        pytest.param("2026-10-25T02:30+01:00", "2026-10-25T07:30+01:00", id="02:30 the second time"),
    ],
)
def test_when_it_is_quiet(now: str, until: str | None) -> None:
    assert quiet_until(NIGHT, at(now), ROME) == (None if until is None else at(until))


def test_hours_that_end_in_an_hour_that_comes_twice_end_the_first_time() -> None:
    hours = Hours(22 * 60, 2 * 60 + 30)
    assert quiet_until(hours, at("2026-10-25T02:20+02:00"), ROME) == at("2026-10-25T02:30+02:00")
    assert quiet_until(hours, at("2026-10-25T02:20+01:00"), ROME) is None
