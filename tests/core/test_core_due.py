"""What StreamElements is asked next and when, decision by decision, of states made by hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from core_world import ME, OWN, T0, ref, stream

from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core.actions import (
    Action,
    CheckJwt,
    FindLoyalty,
    ReadBalance,
    ReadHistory,
    ReadItems,
    ReadLoyalty,
    SendRedemption,
)
from allthepoints.core.elements import Jwt, Purse
from allthepoints.core.ledger import Ledger, Rise
from allthepoints.core.loyalty import LAG, Balance, JwtState, Loyalty
from allthepoints.core.observed import Channel, Observed
from allthepoints.core.plan_points import GAP, GAP_WAITED_FOR, LOOKED_FOR, NOWHERE_EVERY, plan_points
from allthepoints.core.policy import Policy, Wish
from allthepoints.core.redeem import Redemption, State

ALPHA, BETA = ref(0), ref(1)
SE, SE_BETA = SeId("se0"), SeId("se1")
POLICY = Policy(poll_store=900.0)
KNOWN = Purse(
    ALPHA.id,
    SE,
    ALPHA.login,
    found_at=T0 - 100,
    loyalty=Loyalty(),
    loyalty_at=T0 - 100,
    balance=Balance(500),
    balance_at=T0 - 100,
    viewer=ME.login,
    items_at=T0 - 100,
)
"""Off the air, and all of it was read 100 s ago."""
ELSEWHERE = replace(KNOWN, channel=BETA.id, se=SE_BETA, login=BETA.login)
ONE = Redemption("k", ALPHA.id, ALPHA.login, ItemId("mug"), 100, T0 - 5, account=OWN.id)

FIND = FindLoyalty(ALPHA.login)
SETTINGS = ReadLoyalty(ALPHA.id, SE)
BALANCE = ReadBalance(ALPHA.id, SE, ME.login)
ITEMS = ReadItems(ALPHA.id, SE)
HISTORY = ReadHistory(OWN.id)

SOON = GAP_WAITED_FOR
"""What somebody waits for is read so many seconds after the last read."""


@dataclass
class Notes:
    """A plan in the making."""

    now: float
    actions: list[Action] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def do(self, action: Action) -> None:
        self.actions.append(action)

    def wake(self, at: float) -> None:
        if at > self.now:
            self.times.append(at)

    def due(self, at: float) -> bool:
        self.wake(at)
        return at <= self.now


def state(*purses: Purse, **elements: Any) -> Observed:
    """Signed in, with nothing under way; of the token nothing is to be asked."""
    o = Observed(account=ME)
    for channel in (ALPHA, BETA):
        o.channels[channel.id] = Channel(channel)
        o.addresses[channel.login] = o.names[channel.login] = channel.id
    o.elements.purses = {purse.channel: replace(purse) for purse in purses}
    o.elements.jwt.pending = True
    for name, value in elements.items():
        setattr(o.elements, name, value)
    return o


def first(o: Observed, policy: Policy = POLICY) -> tuple[float, Action] | None:
    """What is done first if nothing happens, and in how many seconds from T0."""
    now = T0
    while True:
        draft = Notes(now)
        plan_points(policy, o, draft)
        if draft.actions:
            return now - T0, draft.actions[0]
        if not draft.times:
            return None
        now = min(draft.times)


# -- a person looks ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("purse", "expect"),
    [
        ({}, (SOON, BALANCE)),
        ({"loyalty_at": 0.0}, (SOON, SETTINGS)),
        ({"loyalty_at": 0.0, "refused": {"loyalty": T0 + 50}}, (SOON, BALANCE)),
        ({"refused": {"balance": T0 + 50}}, (SOON, ITEMS)),
        ({"balance_at": T0}, (SOON, ITEMS)),
        ({"balance_at": T0, "refused": {"items": T0 + 50}}, (800, ITEMS)),
        ({"balance_at": T0, "items_at": T0}, (900, ITEMS)),
        ({"login": Login("before")}, (SOON, FIND)),
        ({"doubted": True}, (SOON, FIND)),
        ({"found_at": 0.0, "se": None}, (SOON, FIND)),
        ({"se": None}, (SOON, FIND)),
        ({"se": None, "refused": {"channel": T0 + 50}}, (50, FIND)),
        ({"se": None, "found_at": T0, "loyalty_at": 0.0}, None),
    ],
)
def test_what_is_older_than_the_look_is_read_anew(purse: dict[str, Any], expect: Any) -> None:
    """A clear no rests; what was found nowhere is looked up again."""
    assert first(state(replace(KNOWN, looked_at=T0, **purse), asked_at=T0)) == expect


@pytest.mark.parametrize(
    ("looked_at", "expect"),
    [
        (0.0, None),
        (T0 - LOOKED_FOR, None),
        (T0 - LOOKED_FOR + 1, (0, ITEMS)),
    ],
)
def test_how_long_after_a_look_a_store_is_kept_fresh(looked_at: float, expect: Any) -> None:
    purse = replace(KNOWN, looked_at=looked_at, items_at=T0 - 1000)
    assert first(state(purse)) == expect


def test_a_name_that_nobody_of_ours_has_is_looked_up_at_once() -> None:
    stranger = Login("stranger")
    o = state(replace(KNOWN, left_at=T0 - 1), looking_up={stranger: T0}, asked_at=T0)
    assert first(o) == (SOON, FindLoyalty(stranger))


# -- nobody waits --------------------------------------------------------------------------------------------------
def test_a_store_out_of_which_something_would_be_bought_is_read_at_once() -> None:
    wanted = replace(KNOWN, items_wanted=True)
    assert first(state(wanted, asked_at=T0)) == (SOON, ITEMS)
    no = replace(wanted, refused={"items": T0 + 50})
    assert first(state(no)) == (50, ITEMS), "but for a clear no"


@pytest.mark.parametrize(
    ("left_at", "read_at", "expect"),
    [
        (0.0, 0.0, (0, ITEMS)),
        (T0 - 10, T0 - 10, (890, ITEMS)),
        (T0 - 20, T0 - 10, (890, ITEMS)),
        (T0 - 10, T0 - 20, (LAG - 10, BALANCE)),
    ],
)
def test_after_we_left_a_balance_is_read_once_more(left_at: float, read_at: float, expect: Any) -> None:
    """And where we were never, or it was read since, as often as the wish of its store wants."""
    purse = replace(KNOWN, left_at=left_at, balance_at=read_at, items_at=read_at)
    assert first(state(purse), replace(POLICY, wishes=(Wish(ALPHA.login, "mug"),))) == expect


def test_nobody_waits_for_the_last_balance() -> None:
    assert first(state(replace(KNOWN, left_at=T0 - 2), asked_at=T0 + LAG)) == (LAG + GAP, BALANCE)


NOWHERE = {"se": None, "found_at": T0 - 100}
NEVER = {"se": None, "found_at": 0.0}


@pytest.mark.parametrize(
    ("purse", "expect"),
    [
        ({}, (800, ITEMS)),
        ({"balance_at": T0 - 200}, (700, BALANCE)),
        ({"balance_at": T0 - 200, "refused": {"balance": T0 + 750}}, (750, BALANCE)),
        ({"refused": {"items": T0 + 850}}, (800, BALANCE)),
        ({"items_at": 0.0}, (GAP, ITEMS)),
        ({"items_at": 0.0, "balance_at": 0.0}, (GAP, ITEMS)),
        ({"items_at": 0.0, "refused": {"items": T0 + 50}}, (50, ITEMS)),
        ({"balance_at": 0.0}, (GAP, BALANCE)),
        (NEVER, (GAP, FIND)),
        (NOWHERE, (NOWHERE_EVERY - 100, FIND)),
    ],
)
def test_a_store_that_somebody_wishes_something_of(purse: dict[str, Any], expect: Any) -> None:
    policy = replace(POLICY, wishes=(Wish(ALPHA.login, "mug"),))
    assert first(state(replace(KNOWN, **purse), asked_at=T0), policy) == expect


def on_air(present_since: float | None = None, asked_at: float = T0, **purse: Any) -> Observed:
    """One that is followed, and whose settings were read just now."""
    o = state(replace(KNOWN, **{"loyalty_at": T0, **purse}), asked_at=asked_at)
    o.channels[ALPHA.id] = Channel(ALPHA, 0, True, stream(ALPHA), present_since=present_since)
    o.live, o.stale = {ALPHA.id}, False
    return o


@pytest.mark.parametrize(
    ("purse", "expect"),
    [
        ({}, (3600, SETTINGS)),
        ({"loyalty_at": 0.0}, (GAP, SETTINGS)),
        ({"loyalty_at": 0.0, "refused": {"loyalty": T0 + 50}}, (50, SETTINGS)),
        (NEVER, (GAP, FIND)),
        ({**NEVER, "refused": {"channel": T0 + 50}}, (50, FIND)),
        ({"doubted": True}, (GAP, FIND)),
        ({"login": Login("before")}, (GAP, FIND)),
        (NOWHERE, (NOWHERE_EVERY - 100, FIND)),
        ({**NOWHERE, "found_at": T0 - NOWHERE_EVERY}, (GAP, FIND)),
        ({**NOWHERE, "refused": {"channel": T0 + 2 * NOWHERE_EVERY}}, (2 * NOWHERE_EVERY, FIND)),
    ],
)
def test_of_who_is_on_the_air_it_is_read_what_it_pays(purse: dict[str, Any], expect: Any) -> None:
    assert first(on_air(**purse)) == expect


OFF = Loyalty(enabled=False)
ROSE = Ledger(recent=(Rise(T0 - 3000, 5, 600.0),))


@pytest.mark.parametrize(
    ("present_since", "purse", "expect"),
    [
        (T0 - 50, {}, 200),
        (T0 - 50, {"balance_at": 0.0}, GAP),
        (T0 - 50, {"refused": {"balance": T0 + 250}}, 250),
        (T0 - 50, {"loyalty": OFF}, 1100),
        (T0 - 50, {"loyalty": None}, 200),
        (T0 - 3700, {}, 200),
        (T0 - 3701, {}, 1100),
        (T0 - 3701, {"ledger": ROSE}, 200),
        (T0 - 50, {"ledger": ROSE}, 200),
    ],
)
def test_where_we_are_it_is_read_what_we_have(present_since: float, purse: dict[str, Any], expect: float) -> None:
    """More seldom where nothing is paid, or nothing has come for more than an hour."""
    assert first(on_air(present_since, **purse)) == (expect, BALANCE)


def test_of_what_was_never_read_what_it_pays_goes_first() -> None:
    assert first(on_air(T0 - 50, loyalty_at=0.0, balance_at=0.0)) == (GAP, SETTINGS)


def test_of_who_was_never_read_the_one_that_is_wanted_most_goes_first() -> None:
    """Whatever it is that was never read."""
    o = on_air(T0 - 50, balance_at=0.0)
    o.channels[BETA.id] = Channel(BETA, 1, True, stream(BETA))
    o.live.add(BETA.id)
    o.elements.purses[BETA.id] = replace(ELSEWHERE, loyalty_at=0.0)
    assert first(o) == (GAP, BALANCE)
    wishes = Wish(ALPHA.login, "mug"), Wish(BETA.login, "mug")
    o = state(replace(KNOWN, balance_at=0.0), replace(ELSEWHERE, items_at=0.0), asked_at=T0)
    assert first(o, replace(POLICY, wishes=wishes)) == (GAP, BALANCE)


def test_whose_balance_is_read() -> None:
    o = on_air(T0 - 50)
    o.account = None
    assert first(o) == (3600, SETTINGS), "nobody's"
    o.elements.jwt.viewer = replace(OWN, login="Other")
    o.changes.of_everybody()
    assert first(o) == (200, ReadBalance(ALPHA.id, SE, Login("other"))), "the token's"


# -- our token, and what is bought with it -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("redemptions", "jwt", "checks"),
    [
        ((), JwtState.REFUSED, False),
        ((ONE,), JwtState.REFUSED, True),
        ((ONE,), JwtState.GOOD, False),
        ((replace(ONE, state=State.REJECTED),), JwtState.REFUSED, False),
        ((replace(ONE, asked_at=T0 - 10),), JwtState.REFUSED, False),
        ((replace(ONE, asked_at=T0 - 20),), JwtState.REFUSED, False),
        ((replace(ONE, key="old", asked_at=T0 - 20), ONE), JwtState.REFUSED, True),
    ],
)
def test_for_what_was_asked_since_a_token_that_is_not_good_is_looked_at_again(
    redemptions: tuple[Redemption, ...], jwt: JwtState, checks: bool
) -> None:
    o = state(redemptions={one.key: one for one in redemptions}, pending=True)
    o.elements.jwt.state, o.elements.jwt.pending, o.elements.jwt.checked_at = jwt, False, T0 - 10
    draft = Notes(T0)
    plan_points(POLICY, o, draft)
    assert draft.actions == ([CheckJwt()] if checks else [])


@pytest.mark.parametrize(
    ("jwt", "expect"),
    [
        ({"state": JwtState.GOOD}, 3600),
        ({"state": JwtState.GOOD, "expires_at": T0}, 60),
        ({"state": JwtState.REFUSED}, 600),
        ({"state": JwtState.WRONG_ACCOUNT}, 600),
        ({"state": JwtState.MISSING}, 60),
        ({"state": JwtState.MALFORMED}, 60),
        ({"state": JwtState.MISSING, "not_before": T0 + 70}, 70),
    ],
)
def test_how_often_a_token_is_looked_at(jwt: dict[str, Any], expect: float) -> None:
    o = state()
    o.elements.jwt = Jwt(checked_at=T0, **jwt)
    assert first(o) == (expect, CheckJwt())


def buying(*redemptions: Redemption, **purse: Any) -> Observed:
    """All was read at T0, with a good token: what is confirmed may be sent."""
    read = replace(KNOWN, **{"found_at": T0, "items_at": T0, "balance_at": T0, **purse})
    o = state(read, history_at=T0, history_of=OWN.id, redemptions={one.key: one for one in redemptions})
    o.elements.jwt.state, o.elements.jwt.viewer = JwtState.GOOD, OWN
    return o


def test_one_is_sent_at_a_time() -> None:
    o = buying(ONE)
    assert first(o) == (0, SendRedemption("k", OWN.id, SE, ONE.item, (), ""))
    o.elements.in_flight = {"another, elsewhere"}
    assert first(o) is None


NEWLY = {"se": None, "found_at": T0 - 6}


@pytest.mark.parametrize(
    ("purse", "history", "expect"),
    [
        ({}, {}, None),
        ({"balance_at": T0 - 6}, {}, (SOON, BALANCE)),
        ({"balance_at": T0 - 5}, {}, None),
        ({"viewer": Login("other")}, {}, (SOON, BALANCE)),
        ({"items_at": T0 - 6}, {}, (SOON, ITEMS)),
        ({"items_at": T0 - 6, "refused": {"items": T0 + 50}}, {}, (50, ITEMS)),
        ({"items_at": T0 - 5}, {}, None),
        ({}, {"history_at": T0 - 6}, (SOON, HISTORY)),
        ({}, {"history_at": T0 - 6, "history_not_before": T0 + 50}, (50, HISTORY)),
        ({}, {"history_at": T0 - 5}, None),
        ({}, {"history_of": SE}, (SOON, HISTORY)),
        (NEWLY, {}, (SOON, FIND)),
        ({**NEWLY, "found_at": T0 - 5}, {}, None),
        ({**NEWLY, "refused": {"channel": T0 + 50}}, {}, (50, FIND)),
        ({"doubted": True}, {}, (SOON, FIND)),
        ({"login": Login("before")}, {}, (SOON, FIND)),
    ],
)
def test_fc_48_before_a_post_what_is_older_than_the_yes_is_read_anew(
    purse: dict[str, Any], history: dict[str, Any], expect: Any
) -> None:
    o = buying(ONE, **purse)
    o.elements.in_flight, o.elements.asked_at = {"another, elsewhere"}, T0
    for name, value in history.items():
        setattr(o.elements, name, value)
    assert first(o) == expect


def test_nobody_is_asked_about_a_channel_that_is_not_known() -> None:
    assert first(buying(replace(ONE, channel=UserId("gone")))) is None


LOST = replace(ONE, state=State.UNKNOWN, asked_at=T0 - 80, sent_at=T0 - 30)


@pytest.mark.parametrize(
    ("sent_at", "read_at", "viewer", "expect"),
    [
        (T0, T0 - 100, ME.login, 1),
        (T0 - 30, T0 - 100, ME.login, 0),
        (T0 - 30, T0 - 29.5, ME.login, 0),
        (T0 - 30, T0 - 29, ME.login, 0),
        (T0 - 30, T0 - 28.5, ME.login, 31.5),
        (T0 - 30, T0 - 28.5, Login("other"), 0),
        (T0 - 359, T0 - 60, ME.login, 0),
        (T0 - 360, T0 - 60, ME.login, 540),
    ],
)
def test_fc_48_what_is_unclear_is_settled_by_balances(
    sent_at: float, read_at: float, viewer: Login, expect: float
) -> None:
    """A second after the POST, once a minute, and after six minutes once in ten."""
    o = buying(replace(LOST, sent_at=sent_at), balance_at=read_at, viewer=viewer)
    o.elements.history_not_before, o.elements.asked_at = T0 + 9000, T0 - SOON
    assert first(o) == (expect, BALANCE)


@pytest.mark.parametrize(
    ("sent_at", "read_at", "whose", "expect"),
    [
        (T0, T0 - 100, OWN.id, 1),
        (T0, T0 - 100, SE, 1),
        (T0, T0 - 5, OWN.id, 15),
        (T0 - 30, T0 - 5, SE, 0),
        (T0 - 359, T0 - 30, OWN.id, 0),
        (T0 - 360, T0 - 30, OWN.id, 570),
    ],
)
def test_fc_48_what_is_unclear_is_settled_by_our_redemptions(
    sent_at: float, read_at: float, whose: SeId, expect: float
) -> None:
    """The same, every twenty seconds at first."""
    o = buying(replace(LOST, sent_at=sent_at), refused={"balance": T0 + 9000})
    o.elements.history_at, o.elements.history_of, o.elements.asked_at = read_at, whose, T0 - SOON
    assert first(o) == (expect, HISTORY)


@pytest.mark.parametrize(("account", "jwt"), [(SE, JwtState.GOOD), (OWN.id, JwtState.REFUSED)])
def test_fc_48_of_what_another_account_bought_nothing_is_asked(account: SeId, jwt: JwtState) -> None:
    o = buying(replace(LOST, account=account))
    o.elements.jwt.state = jwt
    assert first(o) is None
