"""Reads of StreamElements, fact by fact: what an answer, a no and a silence change, and which read goes first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from core_world import T0, Core, at_work, follows, logins, ref

from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core import facts as f
from allthepoints.core import facts_points as fp
from allthepoints.core.actions import ElementsRead, FindLoyalty, ReadBalance, ReadItems, ReadLoyalty
from allthepoints.core.apply_points import HISTORY_RESTS, HURRY, NO_MEANS, TOLD_AFTER, apply
from allthepoints.core.elements import jwt_ended
from allthepoints.core.loyalty import LAG, Balance, Loyalty, LoyaltyChannel
from allthepoints.core.observed import Observed
from allthepoints.core.plan_points import GAP, GAP_WAITED_FOR
from allthepoints.core.policy import Policy, Wish
from allthepoints.core.records import Event, EventKind, Noted, Record
from allthepoints.core.redeem import Redemption, State

A, B = logins(0, 1)
ID, ALPHA, SE = UserId("7"), Login("alpha"), SeId("se7")
CALM = Policy(poll_live=90_000.0, poll_follows=90_000.0, check_sign_in=90_000.0)
FAILED = fp.ElementsFailed(T0, "balance", "503", 0.5, ID)
REFUSED = replace(FAILED, refused=True)
ONE = Redemption("k", ID, ALPHA, ItemId("mug"), 100, T0)


def asking(failures: int = 0, **changes: Any) -> Observed:
    """A read is under way, after so many that failed."""
    o = Observed()
    o.elements.pending, o.elements.failures = True, failures
    if failures:
        o.elements.failing_since, o.elements.error = T0 - 99, "before"
    for name, value in changes.items():
        setattr(o.elements, name, value)
    return o


def tell(o: Observed, fact: Any) -> list[Record]:
    return list(apply(o, Policy(), fact))


# -- nothing came --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("failures", [0, 1, TOLD_AFTER - 1, TOLD_AFTER, 7])
def test_what_brought_nothing_changes_the_time_of_the_next_try(failures: int) -> None:
    o = asking(failures)
    told = tell(o, FAILED)
    elements = o.elements
    assert (elements.pending, elements.failures, elements.error) == (False, failures + 1, "503")
    assert elements.failing_since == (T0 - 99 if failures else T0)
    assert elements.not_before == T0 + Policy().reread.delay(failures + 1, 0.5)
    assert elements.limited_until == 0.0
    assert elements.purses == {}, "it says nothing of any channel"
    event = Event(T0, EventKind.ELEMENTS_FAILED, data={"what": "balance", "error": "503"})
    assert told == ([event] if failures + 1 == TOLD_AFTER else []), "once an outage"


@pytest.mark.parametrize(
    ("until", "not_before"), [(T0 + 900.0, T0 + 900.0), (T0 + 0.1, T0 + Policy().reread.delay(1, 0.5))]
)
def test_fc_53_they_ask_us_to_wait_and_we_do(until: float, not_before: float) -> None:
    o = asking()
    tell(o, replace(FAILED, until=until))
    assert (o.elements.not_before, o.elements.limited_until) == (not_before, until)


@pytest.mark.parametrize(
    ("state", "hurries"), [(State.CONFIRMED, True), (State.UNKNOWN, False), (State.ACCEPTED, False), (None, False)]
)
def test_a_redemption_that_waits_to_be_checked_sits_out_no_long_pause(state: State | None, hurries: bool) -> None:
    o = asking(9)
    if state is not None:
        o.elements.redemptions = {"k": replace(ONE, state=state)}
    tell(o, FAILED)
    assert o.elements.not_before == T0 + (HURRY if hurries else Policy().reread.delay(10, 0.5))
    o = asking(0, redemptions=o.elements.redemptions)
    tell(o, replace(FAILED, luck=0.0))
    assert o.elements.not_before == T0 + min(HURRY, Policy().reread.delay(1, 0.0)), "and none that is longer"


# -- a clear no ----------------------------------------------------------------------------------------------------
def test_a_no_about_a_channel_rests_and_is_no_outage() -> None:
    o = asking(1)
    assert tell(o, REFUSED) == []
    assert (o.elements.pending, o.elements.failures, o.elements.failing_since, o.elements.error) == (False, 0, None, "")
    assert o.elements.purses[ID].refused == {"balance": T0 + NO_MEANS}
    assert o.elements.not_before == 0.0, "the others are read on"
    assert o.elements.history_not_before == 0.0


@pytest.mark.parametrize("known", [True, False])
def test_a_no_about_a_name_answers_whoever_waits_for_it(known: bool) -> None:
    o = asking(looking_up={ALPHA: T0 - 1, B: T0 - 1})
    o.addresses = {ALPHA: ID} if known else {}
    tell(o, replace(REFUSED, what="channel", channel=None, login=ALPHA))
    assert o.elements.looking_up == {B: T0 - 1}
    assert o.elements.nowhere == {ALPHA: T0}
    assert {i: purse.refused for i, purse in o.elements.purses.items()} == (
        {ID: {"channel": T0 + NO_MEANS}} if known else {}
    )
    tell(o, replace(REFUSED, what="channel", channel=None, login=Login("nobody waits")))
    assert o.elements.looking_up == {B: T0 - 1}


def test_fc_31_a_no_about_our_redemptions_doubts_the_token() -> None:
    o = asking()
    o.elements.jwt.checked_at = T0 - 9
    tell(o, replace(REFUSED, what="history", channel=None))
    assert o.elements.history_not_before == T0 + HISTORY_RESTS
    assert o.elements.jwt.checked_at == 0.0
    assert o.elements.purses == {}


@pytest.mark.parametrize(("failures", "told"), [(0, 0), (TOLD_AFTER - 1, 0), (TOLD_AFTER, 1), (9, 1)])
@pytest.mark.parametrize("fact", [REFUSED, fp.LoyaltyRead(T0, ID, Loyalty()), fp.LoyaltyFound(T0, ALPHA, None)])
def test_an_answer_of_any_kind_ends_an_outage(fact: Any, failures: int, told: int) -> None:
    o = asking(failures)
    back = [record for record in tell(o, fact) if isinstance(record, Event)]
    assert back == [Event(T0, EventKind.ELEMENTS_BACK)] * told
    assert (o.elements.pending, o.elements.failures, o.elements.failing_since, o.elements.error) == (False, 0, None, "")
    assert (o.changes.everybody > 0) is (failures > 0), "what stood still because of it is looked at again"


@pytest.mark.parametrize(("found_at", "doubted"), [(T0 - 86_400.0, True), (T0 - 86_399.0, False)])
@pytest.mark.parametrize("what", ["loyalty", "items"])
def test_a_channel_that_is_not_there_is_looked_up_again_after_a_day(what: str, found_at: float, doubted: bool) -> None:
    o = asking()
    o.elements.purse(ID).found_at = found_at
    tell(o, fp.LoyaltyRead(T0, ID, None) if what == "loyalty" else fp.ItemsRead(T0, ID, None))
    purse = o.elements.purses[ID]
    assert (purse.doubted, purse.refused, purse.changed_at) == (doubted, {what: T0 + NO_MEANS}, T0)
    assert (purse.loyalty_at, purse.items_at) == (0.0, 0.0), "it was not read"


def test_a_name_that_nobody_has_there_is_remembered() -> None:
    o = asking(looking_up={ALPHA: T0 - 1})
    assert tell(o, fp.LoyaltyFound(T0, ALPHA, None)) == [Noted(T0, "nowhere:alpha", f"{T0:.3f}")]
    assert (o.elements.nowhere, o.elements.looking_up) == ({ALPHA: T0}, {})
    assert o.elements.notes == {"nowhere:alpha": f"{T0:.3f}"}


@pytest.mark.parametrize(
    ("note", "ended"), [(None, None), ("", None), ("1700000000:0", T0), ("1700000000:7", None), ("1700000000:1", None)]
)
def test_fc_31_when_the_token_ended_as_its_note_says(note: str | None, ended: float | None) -> None:
    assert jwt_ended(note) == ended


# -- which goes first ----------------------------------------------------------------------------------------------
def read(*numbers: int, policy: Policy = CALM) -> Core:
    """All of these are read once, and we are in their chats."""
    core = at_work(*numbers, policy=policy)
    for number in numbers:
        channel, se = ref(number), SeId(f"se{number}")
        core.fold(f.JoinWritten(T0, 1, (channel.login,)), f.Joined(T0, 1, channel.login))
        core.fold(fp.LoyaltyFound(T0, channel.login, LoyaltyChannel(se, channel)))
        core.fold(fp.LoyaltyRead(T0, channel.id, Loyalty(amount=5, interval=600.0)))
        core.fold(fp.BalanceRead(T0, channel.id, Balance(10), Login("me")))
    core.turn(now=T0 + 1)
    return core


def reads(core: Core, now: float) -> list[ElementsRead]:
    return [action for action in core.turn(now=now) if isinstance(action, ElementsRead)]


def test_what_a_person_looks_at_this_moment_goes_before_all_that_is_overdue() -> None:
    core = read(0, 1)
    assert reads(core, T0 + 299) == []
    late = read(0, 1)
    late.fold(fp.LookAsked(T0 + 900, Login("new")))
    assert reads(late, T0 + 900) == [FindLoyalty(Login("new"))]
    late = read(0, 1)
    late.fold(fp.LookAsked(T0 + 900, B))
    assert reads(late, T0 + 900) == [ReadBalance(ref(1).id, SeId("se1"), Login("me"))]


def test_the_most_overdue_goes_first() -> None:
    core = read(0, 1, 2)
    core.fold(fp.BalanceRead(T0 - 100, ref(1).id, Balance(10), Login("me")))
    assert reads(core, T0 + 400) == [ReadBalance(ref(1).id, SeId("se1"), Login("me"))]


@pytest.mark.parametrize("first", [0, 1])
def test_of_equals_who_is_wanted_most(first: int) -> None:
    policy = replace(CALM, priority=logins(first))
    assert reads(read(0, 1, policy=policy), T0 + 400) == [balance(first)]
    core = read(0, 1, policy=policy)
    core.fold(fp.LookAsked(T0 + 9, A), fp.LookAsked(T0 + 9, B))
    assert reads(core, T0 + 9) == [balance(first)]


@pytest.mark.parametrize("wished", [0, 1])
def test_who_is_on_the_air_goes_before_a_wish_elsewhere(wished: int) -> None:
    policy = replace(CALM, wishes=(Wish(Login(f"c{wished}"), "mug"),))
    core = at_work(1 - wished, followed=[0, 1], policy=policy)
    assert core.did(FindLoyalty) == [FindLoyalty(Login(f"c{1 - wished}"))]


def balance(number: int) -> ReadBalance:
    return ReadBalance(ref(number).id, SeId(f"se{number}"), Login("me"))


def test_one_at_a_time_and_not_in_a_row() -> None:
    core = read(0)
    core.observed.elements.pending = True
    assert reads(core, T0 + 400) == []
    core.observed.elements.pending, core.observed.elements.not_before = False, T0 + 410
    assert reads(core, T0 + 401) == []
    assert core.wake_at == T0 + 410
    core.observed.elements.asked_at = T0 + 409
    assert reads(core, T0 + 410) == []
    assert core.wake_at == T0 + 409 + GAP
    assert reads(core, T0 + 409 + GAP) == [balance(0)]
    core = read(0)
    core.fold(fp.LookAsked(T0 + 9, A))
    core.observed.elements.asked_at = T0 + 9
    assert reads(core, T0 + 9) == []
    assert core.wake_at == T0 + 9 + GAP_WAITED_FOR, "a person waits"


def test_of_who_is_off_the_air_only_what_somebody_wants_is_read() -> None:
    def off(**purse: Any) -> Core:
        core = read(0)
        core.fold(follows(T0 + 2, 0, 5), fp.LoyaltyFound(T0 + 2, Login("c5"), LoyaltyChannel(SeId("se5"), ref(5))))
        for name, value in purse.items():
            setattr(core.observed.elements.purse(ref(5).id), name, value)
        core.observed.elements.purse(ref(0).id).refused["balance"] = T0 + 90_000
        return core

    assert reads(off(), T0 + 250) == []
    assert reads(off(looked_at=T0 + 9), T0 + 250) == [ReadLoyalty(ref(5).id, SeId("se5"))]
    assert reads(off(items_wanted=True), T0 + 250) == [ReadItems(ref(5).id, SeId("se5"))]
    assert reads(off(left_at=T0 + 9, balance_at=T0 + 8), T0 + 9 + LAG - 1) == []
    assert reads(off(left_at=T0 + 9, balance_at=T0 + 8), T0 + 9 + LAG) == [balance(5)]
    core = off(items_wanted=True)
    core.observed.elements.asked_at = T0 + 249.9
    assert reads(core, T0 + 250) == []
    core.observed.elements.purse(ref(5).id).items_wanted = False
    core.observed.changes.of_points(ref(5).id)
    assert reads(core, T0 + 251) == [], "nobody wants it any more"


def test_a_store_is_kept_fresh_for_half_an_hour_after_a_look() -> None:
    core = read(0)
    purse = core.observed.elements.purse(ref(0).id)
    core.fold(fp.LookAsked(T0 + 2, A), fp.ItemsRead(T0 + 2 + 900, ref(0).id, ()))
    purse.loyalty_at = purse.balance_at = T0 + 1800
    assert reads(core, T0 + 1801) == []
    assert reads(core, T0 + 1802) == []


def test_what_comes_later_is_in_nobodys_way() -> None:
    """A person waits for something that rests for an hour: all else is read meanwhile."""
    core = read(0, 1)
    core.fold(fp.LookAsked(T0 + 290, B))
    core.observed.elements.purses[ref(1).id].refused = {"balance": T0 + 4000, "items": T0 + 4000}
    assert reads(core, T0 + 300) == [ReadBalance(ref(0).id, SeId("se0"), Login("me"))]


def test_settings_are_read_once_an_hour() -> None:
    core = read(0)
    for purse in core.observed.elements.purses.values():
        purse.refused["balance"] = T0 + 90_000
    core.fold(f.ConfigTaken(T0 + 2))
    core.turn(now=T0 + 2)
    assert core.wake_at == T0 + 3600
    assert reads(core, T0 + 3599) == []
    assert reads(core, T0 + 3600) == [ReadLoyalty(ref(0).id, SeId("se0"))]


# -- what is kept --------------------------------------------------------------------------------------------------
def test_what_is_due_is_worked_out_anew_only_for_what_changed() -> None:
    core = read(0, 1)
    found = core.observed.elements.agenda
    assert found is not None
    firsts = found.firsts
    core.turn(now=T0 + 1)
    core.turn(now=T0 + 2)
    assert core.observed.elements.agenda is found
    assert found.firsts is firsts
    core.turn(fp.BalanceRead(T0 + 3, ref(0).id, Balance(15), Login("me")))
    assert core.observed.elements.agenda is found
    assert found.firsts is not firsts
    core.observed.changes.of_points(UserId("one that is forgotten"))
    assert reads(core, T0 + 4) == []
    core.policy = replace(CALM, poll_balance=60.0)
    core.turn(f.ConfigTaken(T0 + 5))
    assert core.observed.elements.agenda is not found
    found = core.observed.elements.agenda
    core.turn(now=T0 + 6)
    assert core.observed.elements.agenda is found
