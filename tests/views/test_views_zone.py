import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.core.days import day_start
from allthepoints.views.text import clock_time
from allthepoints.views.zone import MachineZone, zone_of

ROME = ZoneInfo("Europe/Rome")


@pytest.fixture(scope="module", autouse=True)
def in_rome() -> Iterator[None]:
    """The machine's zone is that of Rome."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Europe/Rome")
        time.tzset()
        yield
    time.tzset()


@given(st.integers(1_700_000_000, 1_830_000_000))
def test_fc_34_the_machines_zone_is_the_zone_of_its_name(at: int) -> None:
    mine, rome = datetime.fromtimestamp(at, MachineZone()), datetime.fromtimestamp(at, ROME)
    assert mine.replace(tzinfo=None) == rome.replace(tzinfo=None)
    assert (mine.fold, mine.utcoffset(), mine.tzname()) == (rome.fold, rome.utcoffset(), rome.tzname())
    assert mine.timestamp() == at
    assert day_start(at, MachineZone()) == day_start(at, ROME)


@pytest.mark.parametrize(("date", "hours"), [((2026, 10, 25), 25), ((2026, 3, 29), 23), ((2026, 11, 25), 24)])
def test_fc_34_days_of_25_and_23_hours(date: tuple[int, int, int], hours: int) -> None:
    noon = datetime(*date, 12, tzinfo=MachineZone()).timestamp()
    begin, end = day_start(noon, MachineZone()), day_start(noon + 86_400, MachineZone())
    assert end - begin == hours * 3600


def test_zones_by_name() -> None:
    assert zone_of("Europe/Rome") == ROME
    assert isinstance(zone_of(""), MachineZone)
    assert clock_time(1_795_640_400.0, 1_795_640_400.0, zone_of("")) == "22:00"
    assert zone_of("").utcoffset(None) is None
    assert datetime.fromtimestamp(0, timezone(timedelta(hours=1))).astimezone(zone_of("")).hour == 1
