"""What a reading of our balance leaves: all records, and the state after them; what a verdict looks at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from core_room import ID, T, state
from core_world import stream

from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core import facts_points as fp
from allthepoints.core.apply_points import DAY, LOYALTY_STALE, TOLD_AFTER, apply, sight
from allthepoints.core.earning import Sight
from allthepoints.core.elements import SHOWS_WITHIN, Purse
from allthepoints.core.ledger import Ledger, Rise
from allthepoints.core.loyalty import Balance, Loyalty
from allthepoints.core.model import Account, ChannelRef, StreamKind
from allthepoints.core.observed import Observed
from allthepoints.core.policy import Policy
from allthepoints.core.records import BalanceKnown, Change, Event, EventKind, LedgerEntry, Noted, Record, RedemptionKept
from allthepoints.core.redeem import Redemption, State

SE, ME = SeId("se7"), Login("me")
PAYS = Loyalty(amount=5, interval=1200.0)
EARLIER = T - 300.0
READ = Purse(
    ID,
    SE,
    Login("alpha"),
    T - 9000,
    PAYS,
    T - 600,
    Balance(500, rank=9),
    EARLIER,
    ME,
    ledger=Ledger(500, EARLIER),
    interval=1200.0,
    changed_at=EARLIER,
)
"""500 points were read five minutes ago."""


def known(*purses: Purse, present_since: float | None = T - 900) -> Observed:
    """We are in its chat; whether it is live is not known."""
    o = state()
    o.account = Account(UserId("1"), ME)
    o.channels[ID].present_since = present_since
    o.elements.purses = {purse.channel: replace(purse) for purse in purses}
    return o


def tell(o: Observed, fact: fp.ElementsFact, policy: Policy | None = None) -> list[Record]:
    return list(apply(o, policy or Policy(), fact))


def entry(change: Change, delta: int, points: int) -> Record:
    return LedgerEntry(T, ID, change, delta, points)


# -- a balance -----------------------------------------------------------------------------------------------------
PAID = {"spent": 100, "spent_at": T - 60}
LONG_AGO = {"spent": 100, "spent_at": T - SHOWS_WITHIN - 1}
UNPAID = replace(PAYS, amount=0)
STALE = {"loyalty_at": T - LOYALTY_STALE}


@pytest.mark.parametrize(
    ("before", "there", "points", "entries", "after"),
    [
        ({"ledger": Ledger()}, True, 500, [entry(Change.OPENING, 0, 500)], {}),
        ({}, True, 500, [], {}),
        ({}, True, 505, [entry(Change.EARNED, 5, 505)], {}),
        ({}, True, 450, [entry(Change.ADJUSTED, -50, 450)], {}),
        # more than they say that they pay: perhaps they pay more now
        ({}, True, 5500, [entry(Change.ADJUSTED, 5000, 5500)], STALE),
        ({"loyalty_at": T - 3300}, True, 5500, [entry(Change.ADJUSTED, 5000, 5500)], {"loyalty_at": T - 3300}),
        ({"loyalty": UNPAID}, True, 501, [entry(Change.ADJUSTED, 1, 501)], STALE),
        ({}, False, 505, [entry(Change.ADJUSTED, 5, 505)], {}),
        # what was there before we came to know it
        ({"present_s": 60.0}, False, 505, [entry(Change.EARNED, 5, 505)], {}),
        # paid for a redemption
        (PAID, True, 400, [entry(Change.SPENT, -100, 400)], {"spent": 0}),
        (PAID, True, 405, [entry(Change.SPENT, -100, 400), entry(Change.EARNED, 5, 405)], {"spent": 0}),
        (PAID, True, 470, [entry(Change.SPENT, -30, 470)], {"spent": 70}),
        (PAID, True, 505, [entry(Change.EARNED, 5, 505)], {"spent": 100}),
        (LONG_AGO, True, 400, [entry(Change.ADJUSTED, -100, 400)], {"spent": 0}),
    ],
)
def test_what_a_reading_leaves(
    before: dict[str, Any], there: bool, points: int, entries: list[Record], after: dict[str, Any]
) -> None:
    purse = replace(READ, viewer=None, unknown_viewer=True, **before)
    o = known(purse, present_since=T - 900 if there else None)
    balance = Balance(points, rank=8)
    assert tell(o, fp.BalanceRead(T, ID, balance, ME)) == [*entries, BalanceKnown(T, ID, balance)]
    found = o.elements.purses[ID]
    assert (found.ledger.points, found.ledger.at, found.ledger.rose_at) == (
        points,
        T,
        T if entries and getattr(entries[-1], "change", None) is Change.EARNED else None,
    )
    read = {"balance": balance, "balance_at": T, "viewer": ME, "unknown_viewer": False}
    assert found == replace(purse, ledger=found.ledger, present_s=0.0, changed_at=T, **{**read, **after})


@pytest.mark.parametrize(
    ("balance", "found_at", "doubted"),
    [
        (None, T - DAY, True),
        (None, T - DAY + 1, False),
        (None, T + 1, False),
        (Balance(500), T - 9 * DAY, False),
    ],
)
def test_who_is_not_known_there_has_nothing_and_after_a_day_is_looked_up(
    balance: Balance | None, found_at: float, doubted: bool
) -> None:
    o = known(replace(READ, found_at=found_at))
    records = tell(o, fp.BalanceRead(T, ID, balance, ME))
    assert records[-1] == BalanceKnown(T, ID, balance or Balance(0))
    purse = o.elements.purses[ID]
    assert (purse.doubted, purse.unknown_viewer, purse.balance) == (doubted, balance is None, balance or Balance(0))


def test_what_is_earned_is_learned_from() -> None:
    """The interval, where they do not tell it, and the rate, as of this reading."""
    rows = tuple(Rise(T - 300 - 600 * n, 5, 600.0) for n in range(5, 0, -1))
    o = known(replace(READ, loyalty=replace(PAYS, interval=None), ledger=Ledger(500, EARLIER, rows)))
    tell(o, fp.BalanceRead(T, ID, Balance(505), ME))
    purse = o.elements.purses[ID]
    assert purse.ledger.recent == (*rows, Rise(T, 5, 300.0))
    assert (purse.interval, purse.rate) == (600.0 - 60.0, 25 * 3600 / (4 * 600 + 300))


def test_nobody_elses_points_are_ours() -> None:
    o = known(READ)
    assert tell(o, fp.BalanceRead(T, ID, Balance(900), Login("other"))) == []
    assert o.elements.purses == {ID: READ}
    assert tell(o, fp.BalanceRead(T, ID, Balance(500))) == [BalanceKnown(T, ID, Balance(500))]


def test_fc_48_what_is_earned_meanwhile_hides_no_price() -> None:
    lost = Redemption("k", ID, Login("alpha"), ItemId("mug"), 100, T - 60, State.UNKNOWN, SE, sent_at=T - 50)
    o = known(READ)
    o.elements.redemptions = {"k": replace(lost, points_before=500)}
    known_now = BalanceKnown(T, ID, Balance(505))
    kept = RedemptionKept(T, replace(lost, points_before=505))
    assert tell(o, fp.BalanceRead(T, ID, Balance(505), ME)) == [entry(Change.EARNED, 5, 505), known_now, kept]
    o = known(READ)
    o.elements.redemptions = {"k": replace(lost, points_before=500)}
    tell(o, fp.BalanceRead(T, ID, Balance(5500), ME))
    assert o.elements.redemptions["k"].points_before == 500, "a raffle is not earned"


# -- flat ----------------------------------------------------------------------------------------------------------
ON = stream(ChannelRef(ID, Login("alpha"), "Alpha"), started_at=T - 5000)
ROSE = replace(READ, ledger=Ledger(500, EARLIER, (Rise(T - 900, 5, 300.0),)))


@pytest.mark.parametrize(
    ("purse", "points", "told_at", "events", "note"),
    [
        (READ, 500, None, [EventKind.FLAT], "1700000001"),
        (READ, 500, T - 6000, [], "1700000001"),  # in an earlier session: told, and of this one from now on
        (READ, 500, T - 5000, [], None),
        (READ, 505, T - 5000, [EventKind.EARNING_AGAIN], ""),
        (READ, 505, T - 6000, [EventKind.EARNING_AGAIN], ""),
        (READ, 505, None, [], None),
        (ROSE, 500, None, [], None),
        (replace(READ, loyalty=replace(PAYS, enabled=False)), 500, T - 5000, [], None),
    ],
)
def test_fc_50_nothing_comes_and_it_comes_again(
    purse: Purse, points: int, told_at: float | None, events: list[EventKind], note: str | None
) -> None:
    """`note`: what is remembered now; empty if it is forgotten, and None if nothing is said of it."""
    at = T + 0.6
    o = known(purse, present_since=T - 4000)
    channel = o.channels[ID]
    channel.live, channel.stream = True, ON
    if told_at is not None:
        o.elements.flat, o.elements.notes = {ID: told_at}, {"flat:7": f"{told_at:.0f}"}
    before = dict(o.elements.flat)
    records = tell(o, fp.BalanceRead(at, ID, Balance(points), ME))
    said = [record for record in records if isinstance(record, Event | Noted)]
    noted: list[Record] = [] if note is None else [Noted(at, "flat:7", note or None)]
    assert said == [*(Event(at, kind, ID) for kind in events), *noted]
    assert o.elements.flat == (before if note is None else {ID: T + 1} if note else {})


def test_fc_50_how_long_nothing_may_come_is_the_persons_choice() -> None:
    for flat_after, flat in ((4200.0, False), (3600.0, True)):
        o = known(READ, present_since=T - 4000)
        o.channels[ID].live, o.channels[ID].stream = True, ON
        tell(o, fp.BalanceRead(T, ID, Balance(500), ME), Policy(flat_after=flat_after))
        assert (ID in o.elements.flat) is flat


UNSEEN = Sight(ME, None, False, None, None, None, None, None, 600.0, False)
SEEN = Sight(ME, True, False, T - 900, True, PAYS, EARLIER, T - 900, 1200.0, False, paid_before=True)


@pytest.mark.parametrize(
    ("purse", "channel", "failures", "expect"),
    [
        (None, {}, 0, UNSEEN),
        (None, {"live": False, "stream": ON}, TOLD_AFTER - 1, replace(UNSEEN, live=False)),
        (Purse(ID, found_at=T), {}, TOLD_AFTER, replace(UNSEEN, found=False, failing=True)),
        (ROSE, {"live": True, "stream": ON}, 9, replace(SEEN, failing=True)),
        (ROSE, {"live": True}, 0, replace(SEEN, present_since=None)),
        (ROSE, {"live": False, "stream": ON}, 0, replace(SEEN, live=False, present_since=None)),
        (
            ROSE,
            {"live": True, "stream": replace(ON, kind=StreamKind.RERUN)},
            0,
            replace(SEEN, rerun=True, present_since=None),
        ),
        (
            ROSE,
            {"live": False, "stream": replace(ON, kind=StreamKind.RERUN)},
            0,
            replace(SEEN, live=False, present_since=None),
        ),
        (
            replace(ROSE, balance=Balance(0)),
            {"live": True, "stream": ON},
            0,
            replace(SEEN, paid_before=False),
        ),
        (replace(ROSE, balance=Balance(1)), {"live": True, "stream": ON}, 0, SEEN),
    ],
)
def test_what_a_verdict_looks_at(purse: Purse | None, channel: dict[str, Any], failures: int, expect: Sight) -> None:
    o = known(*([purse] if purse else []))
    o.elements.failures = failures
    for name, value in channel.items():
        setattr(o.channels[ID], name, value)
    assert sight(o, o.channels[ID]) == expect
    o.account = None
    assert sight(o, o.channels[ID]) == replace(expect, viewer=None)
    assert set(o.elements.purses) == ({ID} if purse else set()), "a look makes no purse"
