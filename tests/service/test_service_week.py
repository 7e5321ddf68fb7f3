"""A week of the whole program, on simulated time, in which nothing may grow but what is kept on purpose.

What runs: everything that `allthepoints run` puts together (`testing/household.py` says what is left out), against the
sandbox: chat over loopback sockets; Helix, sign-in and StreamElements in process; SQLite. 12 channels, of which two are
live at once. Balances and stores are read as often as by default, who is live and what commands ask more seldom (every
5 and 10 minutes). Six wishes, of which three buy by themselves and others come within reach and out of it; redemptions
from the dashboard and from another process, some unclear, some refused. The config is saved six times a day, once so
that it cannot be used; follows go and come. Pages of each kind listen; one is stuck, one is cut, one polls, one asks
for what there is not; API and metrics are asked. Notifications go by Apprise to three places: one takes, one refuses,
one hangs (in simulated time, by a double: a real socket hangs in real time), with quiet hours and a digest. Log files
rotate. There are fifteen troubles a day.

What is counted, at the same quiet moment of each day after the first: tasks by what they run, threads, sockets, open
files; and of each day after the second: objects by type without the sandbox's own, entries of each table of ours by the
path to it (`testing/census.py`), and memory. The memory is the process': the sandbox and what SQLite keeps are in it.

What is not: what is no Python object is seen in the memory alone, and there a few bytes an hour are less than what the
allocator breathes. Caches and rings that have a length may fill up to it. The database grows, as history does; what a
day adds to it is counted in `test_service_soak`. `python bench/soak.py --everything --days 30` does all this with more
channels, with every default, for a month.
"""

from __future__ import annotations

import warnings
from math import inf
from pathlib import Path

import pytest

from allthepoints.base.logfile import LOG_FILES
from allthepoints.core.records import EventKind
from allthepoints.core.redeem import KEPT
from allthepoints.storage.read import Reader
from allthepoints.testing.census import Look, grown_kinds, grown_tables
from allthepoints.testing.household import DAY, LOG_BYTES, Household, days_of, household
from allthepoints.views.web.board import EVENTS_KEPT
from allthepoints.views.web.pages import drawing, kit

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(1800)]

DAYS = 7
ASKED_DAILY = 5
"""Redemptions that people ask for: three by the dashboard, two from another process."""

ELEMENTS = "service._observed.elements."
SEEN = "allthepoints.views.web.pages.pushed:_boards[].seen[]"


@pytest.fixture
def apprise() -> None:
    """Loaded once: some of what it loads itself is deprecated, which is not our test's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import apprise

        apprise.Apprise.instantiate("json://127.0.0.1")


@pytest.mark.usefixtures("apprise")
async def test_a_week_of_the_whole_program_in_which_nothing_grows(tmp_path: Path) -> None:
    async with household(days_of(DAYS + 1, 12, 2), tmp_path, poll_live=300.0, requests_every=600.0, seldom=12) as house:
        for day in range(1, DAYS + 1):
            await house.until(day)
            house.look()
        happened(house)
    _are_flat(house.looks)


def _are_flat(looks: list[Look]) -> None:
    """Tasks, threads, sockets and files from the first day on; the rest from the second: until then a channel's points,
    stores and chart are met for the first time."""
    _, first, *_, last = looks
    for look in looks[1:]:
        assert (look.tasks, look.threads, look.sockets, look.files) == (
            first.tasks,
            first.threads,
            first.sockets,
            first.files,
        )
    history = last.tables[f"{ELEMENTS}history"]
    assert history <= 9 * DAYS + 9, "the sandbox' list of what was bought is as long as the week"
    kept = last.tables[f"{ELEMENTS}redemptions"]
    assert kept <= looks[round(KEPT / DAY)].tables[f"{ELEMENTS}redemptions"] + 6
    may = {
        f"{ELEMENTS}redemptions": kept,
        f"{ELEMENTS}redemptions[].known": kept * history,
        f"{ELEMENTS}history": history,
        f"{ELEMENTS}settled": ASKED_DAILY * DAYS,
        # What a page shows of an item's prices, of which two are new each day.
        f"{SEEN}.marks[][]": first.tables[f"{SEEN}.marks[][]"] + 2 * DAYS,
        f"{SEEN}.marks[][][]": first.tables[f"{SEEN}.marks[][][]"] + 4 * DAYS,
    }
    assert grown_tables(first, last, may) == {}
    caches = kit._clock.cache_info().maxsize, drawing._bars.cache_info().maxsize
    types = {
        "markupsafe.Markup": sum(size for size in caches if size),
        "allthepoints.storage.read.EventRow": EVENTS_KEPT,
        # Beside what earlier tests of this process left.
        "allthepoints.core.loyalty.Bought": first.kinds.get("allthepoints.core.loyalty.Bought", 0) + history,
        "allthepoints.core.redeem.Redemption": first.kinds.get("allthepoints.core.redeem.Redemption", 0) + 2 * kept,
        "logging.LogRecord": inf,  # pytest keeps all that is logged in a test, and the program keeps none
    }
    assert grown_kinds(first, last, types) == {}
    # An allocator takes some more now and then, in a process in which other tests ran; what leaks is there each day.
    late = [look.rss for look in looks[-3:] if look.rss is not None]
    if first.rss is not None and late:
        assert min(late) - first.rss <= 8e6, [look.rss for look in looks]


def happened(house: Household) -> None:
    """The week was what it says."""
    did, places = house.people.did, house.alerts._alerting._places
    assert not [what for what in did if what.startswith(("FAILED", "POST 4", "POST 5"))], did
    assert did["GET 503"] <= 1, "of the program's health, before its first turn"
    assert did["pages that listened"] >= 8 * DAYS
    assert did["messages pushed"] >= 100 * DAYS
    assert did["bytes by the port"] >= 10_000 * DAYS
    assert (did["saved the config"], did["asked by the database"]) == (6 * DAYS, 2 * DAYS)
    assert house.post.answered[200] >= 5 * DAYS
    assert house.post.answered[403] >= 5 * DAYS
    assert places[0].plain()["error"] is None
    assert all(place.plain()["error"] for place in places[1:])
    assert len(list(house.data.log.parent.iterdir())) == LOG_FILES + 1
    assert sum(file.stat().st_size for file in house.data.log.parent.iterdir()) <= LOG_BYTES * (LOG_FILES + 1)
    kinds = {event.kind for event in Reader(house.data.database).events(limit=10_000)}
    wanted = {
        *(EventKind.WISH_OBTAINABLE, EventKind.REDEEMED, EventKind.REDEMPTION_UNKNOWN),
        *(EventKind.FLAT, EventKind.REFUSED, EventKind.RECONNECT_ASKED, EventKind.SIGN_IN_RENEWED),
    }
    assert {str(kind) for kind in wanted} - kinds == set()
