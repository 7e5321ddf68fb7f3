"""What StreamElements says of a channel: where it is, what it pays, what it sells. All records, and the state after."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_room import ALPHA, BETA, ID, T, state
from core_world import OWN

from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core import facts_points as fp
from allthepoints.core.apply_points import NO_MEANS, apply
from allthepoints.core.elements import Purse
from allthepoints.core.loyalty import Balance, Bought, Item, Loyalty, LoyaltyChannel
from allthepoints.core.model import ChannelRef
from allthepoints.core.observed import Observed
from allthepoints.core.policy import Policy, Wish
from allthepoints.core.records import (
    ChannelKnown,
    Event,
    EventKind,
    ItemGone,
    ItemKnown,
    LoyaltyKnown,
    Noted,
    Record,
    RedemptionKept,
)
from allthepoints.core.redeem import Redemption, State

SE, SE8 = SeId("se7"), SeId("se8")
GAMMA, OLD = Login("gamma"), Login("old")
ME = ChannelRef(ID, ALPHA, "Alpha")
OTHER = ChannelRef(UserId("9"), GAMMA, "Gamma")
PAYS = Loyalty(amount=5, interval=1200.0)
READ = Purse(ID, SE, ALPHA, T - 9000, PAYS, T - 600, items_at=T - 500, interval=1200.0, looked_at=T - 700, doubted=True)
"""Of a channel that was found and read before, and is doubted now. What it says no to is not in it."""
NO = {"balance": T + 60}
NOWHERE = [Noted(T, "nowhere:alpha", "1700000000.000"), LoyaltyKnown(T, ID, None, None)]


def known(*purses: Purse) -> Observed:
    """Two channels, at alpha and beta; the first was called old."""
    o = state()
    o.addresses[Login("beta")] = o.names[Login("beta")] = BETA
    o.names[OLD] = ID
    for purse in purses:
        o.elements.purses[purse.channel] = replace(purse, refused=dict(NO) if purse.se else {})
    return o


def tell(o: Observed, fact: fp.ElementsFact) -> list[Record]:
    return list(apply(o, Policy(), fact))


# -- where it is ---------------------------------------------------------------------------------------------------
FRESH = Purse(ID, SE, ALPHA, T, changed_at=T)
STILL = replace(READ, found_at=T, doubted=False, changed_at=T)
MOVED = replace(STILL, loyalty_at=0.0, items_at=0.0)
GONE = replace(MOVED, se=None)


@pytest.mark.parametrize(
    ("before", "login", "found", "records", "after"),
    [
        ([], ALPHA, (ME, SE), [LoyaltyKnown(T, ID, SE, None)], [FRESH]),
        ([READ], ALPHA, (ME, SE), [LoyaltyKnown(T, ID, SE, PAYS)], [replace(STILL, refused=NO)]),
        ([READ], ALPHA, (ME, SE8), [LoyaltyKnown(T, ID, SE8, PAYS)], [replace(MOVED, se=SE8)]),
        ([READ], ALPHA, None, NOWHERE, [GONE]),
        ([replace(READ, se=None)], ALPHA, None, NOWHERE, [replace(STILL, se=None)]),
        # its name is another's there
        ([READ], ALPHA, (OTHER, SE8), NOWHERE, [GONE]),
        (
            [READ],
            ALPHA,
            (ChannelRef(BETA, ALPHA, "A"), SE8),
            [*NOWHERE, LoyaltyKnown(T, BETA, SE8, None)],
            [GONE, Purse(BETA, SE8, ALPHA, T, changed_at=T)],
        ),
        # a name that nobody has, for all we know: only who looks asks about it
        (
            [READ],
            GAMMA,
            (ME, SE),
            [LoyaltyKnown(T, ID, SE, PAYS)],
            [replace(STILL, login=GAMMA, looked_at=T, refused=NO)],
        ),
        (
            [],
            GAMMA,
            (OTHER, SE8),
            [ChannelKnown(T, OTHER, None), LoyaltyKnown(T, OTHER.id, SE8, None)],
            [Purse(OTHER.id, SE8, GAMMA, T, looked_at=T, changed_at=T)],
        ),
        ([], GAMMA, None, [Noted(T, "nowhere:gamma", "1700000000.000")], []),
    ],
)
def test_fc_16_where_a_channel_is_at_streamelements(
    before: list[Purse], login: Login, found: tuple[ChannelRef, SeId] | None, records: list[Record], after: list[Purse]
) -> None:
    o = known(*before)
    count = o.changes.count
    there = None if found is None else LoyaltyChannel(found[1], found[0])
    assert tell(o, fp.LoyaltyFound(T, login, there)) == records
    assert o.elements.purses == {purse.channel: purse for purse in after}
    assert set(o.changes.since(count)) == set(o.elements.purses)
    assert o.elements.nowhere == ({GAMMA: T} if (login, found) == (GAMMA, None) else {})
    assert o.elements.notes == {record.key: record.value for record in records if isinstance(record, Noted)}
    assert (OTHER.id in o.channels) is any(isinstance(record, ChannelKnown) for record in records)


@pytest.mark.parametrize(
    ("waited_for", "looked_at", "then"),
    [(False, T - 700, T - 700), (True, T - 700, T), (True, T + 5, T + 5), (False, 0.0, 0.0)],
)
def test_who_waits_for_a_name_is_answered_by_it(waited_for: bool, looked_at: float, then: float) -> None:
    o = known(replace(READ, looked_at=looked_at))
    o.elements.looking_up = {OLD: T - 1, **({ALPHA: T - 1} if waited_for else {})}
    tell(o, fp.LoyaltyFound(T, ALPHA, LoyaltyChannel(SE, ME)))
    assert o.elements.purses[ID].looked_at == then
    assert o.elements.looking_up == {OLD: T - 1}


# -- what it pays --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("before", [None, PAYS, Loyalty(amount=9)])
def test_its_settings_are_told_when_they_are_others(before: Loyalty | None) -> None:
    purse = replace(READ, loyalty=before, interval=1200.0 if before == PAYS else 600.0)
    o = known(purse)
    assert tell(o, fp.LoyaltyRead(T, ID, PAYS)) == ([] if before == PAYS else [LoyaltyKnown(T, ID, SE, PAYS)])
    after = replace(READ, loyalty_at=T, changed_at=T, refused=NO)
    assert o.elements.purses == {ID: after}
    assert tell(o, fp.LoyaltyRead(T + 9, ID, PAYS)) == []
    assert o.elements.purses == {ID: replace(after, loyalty_at=T + 9, changed_at=T + 9)}


def test_settings_that_are_not_there_leave_those_that_were() -> None:
    o = known(READ)
    assert tell(o, fp.LoyaltyRead(T, ID, None)) == []
    assert o.elements.purses == {
        ID: replace(READ, changed_at=T, doubted=False, refused={**NO, "loyalty": T + NO_MEANS})
    }


# -- what it sells -------------------------------------------------------------------------------------------------
MUG, CUP, HAT = Item(ItemId("mug"), "Mug", 100), Item(ItemId("cup"), "Cup", 250), Item(ItemId("hat"), "Hat", 5)
CHEAP = replace(MUG, cost=90)


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ((MUG, CUP), []),
        ((CUP, MUG), []),
        ((MUG,), [ItemGone(T, ID, CUP.id)]),
        ((CUP, CHEAP, HAT), [ItemKnown(T, ID, CHEAP), ItemKnown(T, ID, HAT)]),
        ((HAT, CUP), [ItemKnown(T, ID, HAT), ItemGone(T, ID, MUG.id)]),
    ],
)
def test_a_store_tells_what_is_new_in_it_and_what_is_gone(items: tuple[Item, ...], told: list[Record]) -> None:
    o = known(replace(READ, items={MUG.id: MUG, CUP.id: CUP}, items_wanted=True))
    assert tell(o, fp.ItemsRead(T, ID, items)) == [Noted(T, "items:7", "1700000000.000"), *told]
    after = replace(READ, items={item.id: item for item in items}, items_at=T, changed_at=T, refused=NO)
    assert o.elements.purses == {ID: after}
    assert o.elements.notes == {"items:7": "1700000000.000"}


def test_a_store_that_is_not_there_is_kept_as_it_was() -> None:
    o = known(replace(READ, items={MUG.id: MUG}, items_wanted=True))
    assert tell(o, fp.ItemsRead(T, ID, None)) == []
    refused = {**NO, "items": T + NO_MEANS}
    assert o.elements.purses == {ID: replace(READ, items={MUG.id: MUG}, changed_at=T, doubted=False, refused=refused)}


# -- any answer ----------------------------------------------------------------------------------------------------
BOUGHT = (Bought("b1", SE, MUG.id, T - 5),)


@pytest.mark.parametrize(
    "fact",
    [
        fp.LoyaltyFound(T, ALPHA, None),
        fp.LoyaltyRead(T, ID, PAYS),
        fp.BalanceRead(T, ID, None),
        fp.BalanceRead(T, ID, None, Login("other")),
        fp.ItemsRead(T, ID, ()),
        fp.HistoryRead(T, BOUGHT, OWN.id, 1.5),
        fp.ElementsFailed(T, "items", "403", 0.5, ID, refused=True),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_fc_50_any_answer_is_the_end_of_an_outage(fact: fp.ElementsFact) -> None:
    o = known(READ)
    o.elements.pending, o.elements.failures, o.elements.failing_since, o.elements.error = True, 5, T - 99, "503"
    back = [record for record in tell(o, fact) if isinstance(record, Event)]
    assert back == [Event(T, EventKind.ELEMENTS_BACK)]
    elements = o.elements
    assert (elements.pending, elements.failures, elements.failing_since, elements.error) == (False, 0, None, "")


def test_what_we_bought_is_kept_with_whose_it_is_and_their_clock() -> None:
    o = known()
    assert tell(o, fp.HistoryRead(T, BOUGHT, OWN.id, 1.5)) == []
    elements = o.elements
    assert (elements.history, elements.history_at) == (BOUGHT, T)
    assert (elements.history_of, elements.ahead) == (OWN.id, 1.5)


def test_fc_48_what_we_bought_settles_what_is_unclear() -> None:
    o = known(READ)
    lost = Redemption("k", ID, ALPHA, MUG.id, 100, T - 60, State.UNKNOWN, SE, sent_at=T - 6, account=OWN.id)
    o.elements.redemptions = {"k": lost}
    records = tell(o, fp.HistoryRead(T, BOUGHT, OWN.id, 0.0))
    one = o.elements.redemptions["k"]
    assert (one.state, one.bought, one.settled_at) == (State.ACCEPTED, "b1", T)
    assert records[0] == RedemptionKept(T, one)
    assert {record.at for record in records} == {T}


@pytest.mark.parametrize("store", [True, False])
def test_a_wish_is_told_of_as_soon_as_a_reading_says_so(store: bool) -> None:
    """The balance comes after the store, or the store after the balance."""
    o = known(replace(READ, items={} if store else {MUG.id: MUG}, balance=Balance(100) if store else None))
    policy = Policy(wishes=(Wish(ALPHA, "mug"),))
    fact = fp.ItemsRead(T, ID, (MUG,)) if store else fp.BalanceRead(T, ID, Balance(100))
    *_, news = apply(o, policy, fact)
    data: dict[str, str | int | float | None] = {"item": "Mug", "id": "mug", "cost": 100, "currency": "points"}
    assert news == Event(T, EventKind.WISH_OBTAINABLE, ID, data)


# -- a person looks ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("login", "looks_at"),
    [(ALPHA, ID), (OLD, ID), (Login("beta"), BETA), (GAMMA, None)],
)
def test_what_a_person_looks_at_is_asked_whatever_it_said_no_to(login: Login, looks_at: UserId | None) -> None:
    o = known(READ, Purse(BETA, SE8))
    o.elements.nowhere = {GAMMA: T - 5, OLD: T - 5}
    before = {i: replace(purse) for i, purse in o.elements.purses.items()}
    assert tell(o, fp.LookAsked(T, login)) == []
    if looks_at is not None:
        before[looks_at] = replace(before[looks_at], looked_at=T, refused={})
    assert o.elements.purses == before
    assert o.elements.looking_up == ({GAMMA: T} if looks_at is None else {})
    assert o.elements.nowhere == {name: T - 5 for name in (GAMMA, OLD) if name != login}


def test_fc_16_a_name_means_who_has_it_now() -> None:
    o = known(READ, Purse(BETA, SE8))
    o.addresses[OLD] = BETA
    tell(o, fp.LookAsked(T, OLD))
    assert [purse.looked_at for purse in o.elements.purses.values()] == [T - 700, T]
