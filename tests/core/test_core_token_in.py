"""What a look at our token leaves, and another account: all records, and the state after them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from core_room import BETA, ID, T, state
from core_world import OWN

from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core import facts_points as fp
from allthepoints.core.apply_points import DAY, HURRY, another_account, apply
from allthepoints.core.elements import Jwt, Purse
from allthepoints.core.ledger import Ledger, Rise
from allthepoints.core.loyalty import Balance, JwtState, Loyalty, Viewer
from allthepoints.core.model import Account
from allthepoints.core.observed import Observed
from allthepoints.core.policy import Policy
from allthepoints.core.records import Event, EventKind, Noted, Record
from allthepoints.core.redeem import Redemption, State

READ = Purse(ID, SeId("se7"), Login("alpha"), T - 9000, Loyalty(amount=5), T - 600, Balance(500), T - 300, Login("me"))


def tell(o: Observed, fact: fp.ElementsFact) -> list[Record]:
    return list(apply(o, Policy(), fact))


# -- another account -----------------------------------------------------------------------------------------------
def test_of_another_account_nothing_is_kept_but_what_is_everybodys() -> None:
    ledger = Ledger(500, T - 300, (Rise(T - 900, 5, 300.0),))
    ours = replace(READ, ledger=ledger, present_s=60.0, rate=15.0, spent=100, spent_at=T - 60, left_at=T - 70)
    o = Observed()
    o.elements.purses = {ID: replace(ours), BETA: Purse(BETA, balance=Balance(3), balance_at=T)}
    another_account(o)
    assert o.elements.purses == {
        ID: replace(
            ours,
            ledger=Ledger(),
            balance=None,
            balance_at=0.0,
            viewer=None,
            present_s=0.0,
            rate=None,
            spent=0,
        ),
        BETA: Purse(BETA),
    }


# -- our token -----------------------------------------------------------------------------------------------------
END = T + 30 * DAY
OTHER = Viewer(SeId("6f0e0d0c0b0a090807060504"), "other", "2")
ASKED = Jwt(JwtState.GOOD, END, OWN, T - 9000, True, 3, T + 5, "503")
"""It is being asked about, after three failures."""


def holder(**jwt: Any) -> Observed:
    o = state()
    o.account = Account(UserId("1"), Login("me"))
    o.elements.purses = {ID: replace(READ)}
    o.elements.jwt, o.elements.history_not_before = replace(ASKED, **jwt), T + 60
    return o


@pytest.mark.parametrize(
    ("before", "whose", "seen", "viewer", "asks"),
    [
        (JwtState.GOOD, OWN, JwtState.GOOD, OWN, False),
        (JwtState.GOOD, OWN, JwtState.GOOD, None, False),
        (JwtState.GOOD, OWN, JwtState.GOOD, OTHER, True),
        (JwtState.GOOD, None, JwtState.GOOD, OWN, True),
        (JwtState.REFUSED, OWN, JwtState.GOOD, OWN, True),
        (JwtState.MISSING, None, JwtState.GOOD, None, True),
        (JwtState.GOOD, OWN, JwtState.WRONG_ACCOUNT, OTHER, False),
        (JwtState.GOOD, OWN, JwtState.REFUSED, None, False),
    ],
)
def test_fc_31_what_a_token_is_worth(
    before: JwtState, whose: Viewer | None, seen: JwtState, viewer: Viewer | None, asks: bool
) -> None:
    """With another one our redemptions are asked for again."""
    o = holder(state=before, viewer=whose)
    assert tell(o, fp.JwtSeen(T, seen, END, viewer)) == []
    assert o.elements.jwt == Jwt(seen, END, viewer, T, not_before=T + 5)
    assert o.elements.history_not_before == (0.0 if asks else T + 60)


@pytest.mark.parametrize(
    ("account", "noted", "viewer", "notes", "keeps"),
    [
        (False, None, OWN, True, True),
        (False, OWN.id, OWN, False, True),
        (False, OTHER.id, OWN, True, False),
        (False, OTHER.id, None, False, True),
        (True, OTHER.id, OWN, False, True),  # balances are read by the account's name
    ],
)
def test_without_an_account_balances_are_whose_the_token_is(
    account: bool, noted: SeId | None, viewer: Viewer | None, notes: bool, keeps: bool
) -> None:
    o = holder()
    o.account = o.account if account else None
    o.elements.notes = {} if noted is None else {"jwt_viewer": noted}
    assert tell(o, fp.JwtSeen(T, JwtState.GOOD, None, viewer)) == ([Noted(T, "jwt_viewer", OWN.id)] if notes else [])
    assert (o.elements.purses[ID] == READ) is keeps
    assert o.elements.notes.get("jwt_viewer") == (OWN.id if notes else noted)


@pytest.mark.parametrize("failures", [0, 3])
@pytest.mark.parametrize("waits", [True, False])
def test_a_token_that_nobody_could_be_asked_about_is_worth_what_it_was(failures: int, waits: bool) -> None:
    o = holder(failures=failures)
    one = Redemption("k", ID, Login("alpha"), ItemId("mug"), 100, T)
    o.elements.redemptions = {"k": replace(one, state=State.CONFIRMED if waits else State.ACCEPTED)}
    assert tell(o, fp.JwtUnknown(T, "502", 0.9, END + 1)) == []
    pause = Policy().reread.delay(failures + 1, 0.9)
    not_before = T + (min(HURRY, pause) if waits else pause)
    assert o.elements.jwt == Jwt(JwtState.GOOD, END + 1, OWN, T - 9000, False, failures + 1, not_before, "502")


def test_another_token_is_looked_at_at_once() -> None:
    o = holder()
    assert tell(o, fp.JwtGiven(T)) == []
    assert o.elements.jwt == replace(ASKED, checked_at=0.0, not_before=0.0)


@pytest.mark.parametrize("known_whose", [True, False])
@pytest.mark.parametrize(
    ("left", "noted", "days", "then"),
    [
        (8 * DAY, "", None, ""),
        (8 * DAY, "1699000000:0", None, None),  # of an older one
        (7 * DAY + 1, "", None, ""),
        (7 * DAY, "", 7, "1700604800:7"),
        (7 * DAY, "1700604800:7", None, "1700604800:7"),
        (7 * DAY, "1700604800:0", 7, "1700604800:7"),  # the clock was set back
        (2 * DAY, "1699000000:7", 7, "1700172800:7"),
        (DAY, "1700086400:7", 1, "1700086400:1"),
        (0.6, "", 1, "1700000001:1"),
        (0.0, "1700000000:1", 0, "1700000000:0"),
        (-60.0, "", 0, "1699999940:0"),
        (-60.0, "1699999940:0", None, "1699999940:0"),
    ],
)
def test_fc_31_the_end_of_a_token_is_told_a_week_and_a_day_before_and_when_it_comes(
    known_whose: bool, left: float, noted: str, days: int | None, then: str | None
) -> None:
    o = holder()
    o.elements.notes = {"jwt": noted} if noted else {}
    fact = fp.JwtSeen(T, JwtState.GOOD, T + left, OWN) if known_whose else fp.JwtUnknown(T, "502", 0.5, T + left)
    told: list[Record] = []
    if days is not None:
        data: dict[str, str | int | float | None] = {"days": days} if days else {}
        kind = EventKind.JWT_EXPIRES if days else EventKind.JWT_EXPIRED
        told = [Event(T, kind, data={**data, "expires_at": T + left})]
    if then != noted:
        told.append(Noted(T, "jwt", then))
    assert tell(o, fact) == told
    assert o.elements.notes == ({"jwt": then} if then else {})


def test_of_a_token_without_an_end_none_is_told() -> None:
    o = holder()
    assert tell(o, fp.JwtSeen(T, JwtState.GOOD, None, OWN)) == []
    assert tell(o, fp.JwtUnknown(T, "502", 0.5)) == []
    assert o.elements.notes == {}
