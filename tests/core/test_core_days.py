"""Days of the configured zone: long ones, short ones, and those without a midnight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.core.days import Periods, day_start, periods

HOUR = 3600.0
ROME = ZoneInfo("Europe/Rome")
ZONES = [
    UTC,
    timezone(timedelta(hours=5, minutes=45)),
    *map(
        ZoneInfo,
        (
            "Europe/Rome",
            "America/New_York",
            "America/Santiago",
            "America/Havana",
            "America/Nuuk",
            "America/Sao_Paulo",
            "Asia/Beirut",
            "Asia/Kathmandu",
            "Asia/Tehran",
            "Africa/Cairo",
            "Africa/Casablanca",
            "Australia/Lord_Howe",
            "Pacific/Apia",
            "Pacific/Chatham",
        ),
    ),
]


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("now", "zone", "start", "hours"),
    [
        pytest.param("2026-11-25T12:00+01:00", "Europe/Rome", "2026-11-25T00:00+01:00", 24, id="a day"),
        pytest.param("2026-10-25T02:30+02:00", "Europe/Rome", "2026-10-25T00:00+02:00", 25, id="02:30, first time"),
        pytest.param("2026-10-25T02:30+01:00", "Europe/Rome", "2026-10-25T00:00+02:00", 25, id="02:30, second time"),
        pytest.param("2026-03-29T03:30+02:00", "Europe/Rome", "2026-03-29T00:00+01:00", 23, id="spring"),
        pytest.param("2026-11-24T23:30+00:00", "Europe/Rome", "2026-11-25T00:00+01:00", 24, id="tomorrow already"),
        pytest.param("2026-11-25T12:00+00:00", "UTC", "2026-11-25T00:00+00:00", 24, id="UTC"),
        pytest.param("2026-09-06T12:00-03:00", "America/Santiago", "2026-09-06T01:00-03:00", 23, id="no midnight"),
        pytest.param("2026-04-04T12:00-03:00", "America/Santiago", "2026-04-04T00:00-03:00", 25, id="23:30 twice"),
        pytest.param("2026-03-29T12:00+03:00", "Asia/Beirut", "2026-03-29T01:00+03:00", 23, id="none in Beirut"),
    ],
)
def test_fc_34_when_a_day_began_and_how_long_it_is(now: str, zone: str, start: str, hours: int) -> None:
    began = day_start(at(now), ZoneInfo(zone))
    assert began == at(start)
    assert day_start(began + 30 * HOUR, ZoneInfo(zone)) - began == hours * HOUR


def test_fc_34_weeks_over_a_change_of_clocks() -> None:
    expect = Periods(
        today=at("2026-10-27T00:00+01:00"), week=at("2026-10-21T00:00+02:00"), month=at("2026-09-28T00:00+02:00")
    )
    assert periods(at("2026-10-27T08:00+01:00"), ROME) == expect
    assert expect.today - expect.week == 6 * 24 * HOUR + HOUR


def test_fc_34_another_zone_is_another_day() -> None:
    now = at("2026-11-25T23:30+00:00")
    assert day_start(now, ZoneInfo("Asia/Kathmandu")) == at("2026-11-26T00:00+05:45")
    assert day_start(now, ZoneInfo("America/New_York")) == at("2026-11-25T00:00-05:00")


@given(zone=st.sampled_from(ZONES), now=st.integers(946_684_800, 2_200_000_000))
def test_fc_34_a_day_begins_with_its_first_moment(zone: tzinfo, now: int) -> None:
    start = day_start(now, zone)
    day = datetime.fromtimestamp(now, zone).date()
    assert start <= now
    assert datetime.fromtimestamp(start, zone).date() == day
    assert datetime.fromtimestamp(start - 1, zone).date() < day
    assert day_start(start, zone) == start


@given(zone=st.sampled_from(ZONES), now=st.integers(946_684_800, 2_200_000_000), back=st.integers(0, 60))
def test_fc_34_earlier_days_begin_earlier(zone: tzinfo, now: int, back: int) -> None:
    later, earlier = day_start(now, zone, back), day_start(now, zone, back + 1)
    assert earlier <= later  # equal where a zone left out a whole day (Apia, 2011-12-30)
    assert later - earlier <= 48 * HOUR
