"""The books of redemptions, fact by fact: what a click leaves, what may be sent, what an answer changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core import facts_points as fp
from allthepoints.core import redeem
from allthepoints.core.actions import SendRedemption
from allthepoints.core.apply_redeem import (
    AUTO_ALLOWED,
    NOBODY_HEARD,
    apply,
    auto_key,
    confirm,
    earned,
    is_own,
    jwt_state,
    keep,
    read_since,
    ready,
    review,
    settle_unknown,
    viewer_login,
)
from allthepoints.core.intend import intend
from allthepoints.core.loyalty import Balance, Bought, Item, JwtState, Loyalty, Viewer
from allthepoints.core.model import Account
from allthepoints.core.observed import Observed
from allthepoints.core.records import Event, EventKind, Noted, Record, RedemptionKept
from allthepoints.core.redeem import ABSENT_AFTER, CHECK_WITHIN, FOUND, KEPT, Reason, Redemption, State

T = 1_700_000_000.0
ID, ALPHA, SE, MUG, CUP = UserId("7"), Login("alpha"), SeId("se7"), ItemId("mug"), ItemId("cup")
ME = Viewer(SeId("me"), "Me", "1")
ASKED = fp.RedeemAsked(T, "k", ALPHA, MUG, 100, ("Dust",), "hi", False)
ONE = Redemption("k", ID, ALPHA, MUG, 100, T, se=SE, name="Mug", account=ME.id, account_login="Me")
SENT = replace(ONE, state=State.SENT, sent_at=T + 1, points_before=500, se=None)
LOST = replace(SENT, state=State.UNKNOWN, text="lost")


def state(*redemptions: Redemption, **jwt: Any) -> Observed:
    """A channel of which everything was read at T, with a good token."""
    o = Observed(account=Account(UserId("1"), Login("me")), addresses={ALPHA: ID}, names={ALPHA: ID})
    purse = o.elements.purse(ID)
    purse.se, purse.found_at, purse.items_at, purse.balance_at = SE, T, T, T
    purse.items = {MUG: Item(MUG, "Mug", 100), CUP: Item(CUP, "Cup", 250)}
    purse.balance, purse.viewer, purse.loyalty = Balance(500), Login("me"), Loyalty("beans")
    o.elements.history_at, o.elements.history_of = T, ME.id
    for name, value in {"state": JwtState.GOOD, "viewer": ME, "checked_at": T, **jwt}.items():
        setattr(o.elements.jwt, name, value)
    o.elements.redemptions = {one.key: one for one in redemptions}
    return o


def do(o: Observed, fact: fp.RedemptionFact) -> list[Record]:
    return list(apply(o, fact))


def only(o: Observed) -> Redemption:
    (one,) = o.elements.redemptions.values()
    return one


def ended(one: Redemption) -> tuple[State, Reason | None, str, float | None]:
    return one.state, one.reason, one.text, one.settled_at


# -- a click -------------------------------------------------------------------------------------------------------
def test_fc_48_a_click_is_a_row_before_anything_else() -> None:
    o = state()
    expect = replace(ONE, se=None, answers=("Dust",), message="hi")
    assert do(o, ASKED) == [RedemptionKept(T, expect)]
    assert only(o) == expect
    assert do(o, ASKED) == [], "the same key is the same click"
    assert do(o, replace(ASKED, at=T + 5)) == []
    o.elements.redemptions.clear()
    o.elements.settled.add("k")
    assert do(o, ASKED) == [], "nor is one that was settled days ago"


@pytest.mark.parametrize(
    ("addresses", "names", "channel"),
    [
        ({ALPHA: ID}, {}, ID),
        ({}, {ALPHA: ID}, ID),
        ({ALPHA: ID}, {ALPHA: UserId("8")}, ID),
        ({}, {}, UserId("")),
    ],
)
def test_fc_16_whose_item_it_is(addresses: dict[Login, UserId], names: dict[Login, UserId], channel: UserId) -> None:
    o = state()
    o.addresses, o.names = addresses, names
    do(o, ASKED)
    one = only(o)
    assert one.channel == channel
    assert one.name == ("Mug" if channel else "")
    assert ended(one) == (
        (State.CONFIRMED, None, "", None) if channel else (State.REJECTED, Reason.NOT_AT_STREAMELEMENTS, "", T)
    )


def test_a_person_who_waits_ends_the_pauses_but_for_theirs() -> None:
    o = state(not_before=T + 600)
    o.elements.purse(ID).refused["items"] = T + 3600
    o.elements.not_before, o.elements.limited_until = T + 600, T + 20
    do(o, ASKED)
    assert o.elements.purse(ID).refused == {}
    assert (o.elements.not_before, o.elements.jwt.not_before) == (T + 20, T)
    o = state(not_before=T - 600)
    o.elements.not_before = T - 600
    do(o, ASKED)
    assert (o.elements.not_before, o.elements.jwt.not_before) == (T - 600, T - 600), "and makes none longer"


def test_fc_48_a_second_of_an_item_waits_for_the_first() -> None:
    o = state(replace(ONE, key="first"))
    do(o, ASKED)
    assert ended(o.elements.redemptions["k"]) == (State.REJECTED, Reason.IN_PROGRESS, "", T)
    for other in (replace(ONE, key="first", item=CUP), replace(ONE, key="first", channel=UserId("8"))):
        o = state(other)
        do(o, ASKED)
        assert o.elements.redemptions["k"].state is State.CONFIRMED
    o = state(replace(ONE, key="first", state=State.ACCEPTED))
    do(o, ASKED)
    assert o.elements.redemptions["k"].state is State.CONFIRMED


@pytest.mark.parametrize(
    ("jwt", "account"),
    [
        ({}, (ME.id, "Me")),
        ({"state": JwtState.REFUSED}, (None, "")),
        ({"expires_at": T}, (None, "")),
        ({"expires_at": T + 1}, (ME.id, "Me")),
        ({"viewer": None}, (None, "")),
        ({"viewer": Viewer(SeId("other"), "other", "2")}, (None, "")),
    ],
)
def test_fc_48_it_is_confirmed_as_who_is_known_to_be_there(jwt: dict[str, Any], account: tuple[Any, str]) -> None:
    o = state(**jwt)
    do(o, ASKED)
    assert (only(o).account, only(o).account_login) == account


@pytest.mark.parametrize(
    ("old", "stays", "settled"),
    [
        (replace(ONE, key="o", state=State.REJECTED, asked_at=T - KEPT), False, True),
        (replace(ONE, key="o", state=State.REJECTED, asked_at=T - KEPT + 1), True, False),
        (replace(ONE, key="o", state=State.REJECTED, asked_at=T - 2 * KEPT, settled_at=T - KEPT + 1), True, False),
        (replace(ONE, key="o", state=State.REJECTED, asked_at=T - 2 * KEPT, settled_at=T - KEPT), False, True),
        (replace(ONE, key="o", state=State.REJECTED, asked_at=T - KEPT, auto=True), False, False),
        (replace(ONE, key="o", state=State.ACCEPTED, asked_at=T - KEPT, sent_at=T - KEPT), True, False),
        (replace(ONE, key="o", state=State.CHECKED, asked_at=T - KEPT), False, True),
        (replace(ONE, key="o", state=State.REJECTED, asked_at=T - KEPT, sent_at=T - KEPT), False, True),
    ],
)
def test_what_is_long_over_is_forgotten_but_for_its_key(old: Redemption, stays: bool, settled: bool) -> None:
    o = state(old)
    list(confirm(o, replace(ONE, item=CUP, channel=UserId("9"))))
    assert ("o" in o.elements.redemptions, "o" in o.elements.settled) == (stays, settled)


def test_fc_48_nothing_is_forgotten_where_something_is_unclear() -> None:
    """What it became stands among our redemptions, and must not be taken for the unclear one."""
    old = replace(ONE, key="o", state=State.REJECTED, asked_at=T - KEPT)
    o = state(old, replace(LOST, item=CUP))
    list(confirm(o, replace(ONE, key="n", channel=UserId("9"))))
    assert "o" in o.elements.redemptions


# -- may it be sent ------------------------------------------------------------------------------------------------
def change(o: Observed, **changes: Any) -> Observed:
    """`history_at` and the like are of all; the rest is the purse's."""
    for name, value in changes.items():
        setattr(o.elements if hasattr(o.elements, name) else o.elements.purse(ID), name, value)
    return o


@pytest.mark.parametrize(
    ("changes", "is_ready"),
    [
        ({}, True),
        ({"items_at": T - 1}, False),
        ({"balance_at": T - 1}, False),
        ({"history_at": T - 1}, False),
        ({"history_of": SeId("other")}, False),
        ({"viewer": Login("other")}, False),
        ({"viewer": None}, False),
        ({"se": None}, False),
    ],
)
def test_fc_48_everything_is_read_anew_before_a_post(changes: dict[str, Any], is_ready: bool) -> None:
    assert ready(change(state(ONE), **changes), ONE, T + 1) is is_ready


def test_fc_48_nothing_is_sent_beside_what_is_unclear() -> None:
    other = replace(ONE, key="other", item=CUP)
    assert ready(state(ONE, other), ONE, T)
    for under_way in (State.SENT, State.UNKNOWN):
        assert not ready(state(ONE, replace(other, state=under_way)), ONE, T)
        assert ready(state(ONE, replace(other, state=under_way, channel=UserId("8"))), ONE, T)
    assert not ready(state(ONE, expires_at=T), ONE, T)
    assert not ready(state(ONE, viewer=None), ONE, T)
    assert not ready(Observed(), ONE, T)


def test_fc_48_what_was_bought_meanwhile_makes_all_readings_old() -> None:
    done = replace(ONE, key="done", state=State.ACCEPTED, sent_at=T + 2, settled_at=T + 3)
    assert read_since(state(ONE, done), ONE) == T + 3
    assert read_since(state(ONE, replace(done, settled_at=T - 3)), ONE) == T
    assert read_since(state(ONE, replace(done, channel=UserId("8"))), ONE) == T
    assert read_since(state(ONE, replace(done, sent_at=None)), ONE) == T
    assert not ready(state(ONE, done), ONE, T + 4)


@pytest.mark.parametrize(
    ("account", "viewer", "expires_at", "expect"),
    [
        (("1", "me"), ME, None, JwtState.GOOD),
        (("1", "renamed"), ME, None, JwtState.GOOD),
        (("2", "me"), ME, None, JwtState.WRONG_ACCOUNT),
        (("2", "other"), ME, None, JwtState.WRONG_ACCOUNT),
        (("1", "me"), replace(ME, user_id=None), None, JwtState.GOOD),
        (("1", "other"), replace(ME, user_id=None), None, JwtState.WRONG_ACCOUNT),
        (None, ME, None, JwtState.GOOD),
        (("2", "other"), None, None, JwtState.GOOD),
        (("1", "me"), ME, T + 0.1, JwtState.GOOD),
        (("1", "me"), ME, T, JwtState.EXPIRED),
    ],
)
def test_what_the_token_is_worth_now(
    account: tuple[str, str] | None, viewer: Viewer | None, expires_at: float | None, expect: JwtState
) -> None:
    o = state(viewer=viewer, expires_at=expires_at)
    o.account = None if account is None else Account(UserId(account[0]), Login(account[1]))
    assert jwt_state(o, T) is expect
    o.elements.jwt.state = JwtState.MALFORMED
    assert jwt_state(o, T) is JwtState.MALFORMED


def test_whose_points_are_read() -> None:
    o = state()
    assert viewer_login(o) == "me"
    o.account = Account(UserId("1"), Login("renamed"))
    assert viewer_login(o) == "renamed"
    assert [is_own(o, Login(name)) for name in ("renamed", "me", "other")] == [True, True, False]
    assert not is_own(o, None)
    o.account = Account(UserId("2"), Login("renamed"))
    assert not is_own(o, Login("renamed"))
    o.account = None
    assert viewer_login(o) == "me"
    assert is_own(o, Login("me"))
    o.elements.jwt.viewer = None
    assert viewer_login(o) is None
    assert not is_own(o, Login("me"))


@pytest.mark.parametrize(
    ("at", "changes", "jwt", "reason"),
    [
        (T + 1, {}, {}, None),
        (T + CHECK_WITHIN - 1, {"items_at": 0.0}, {}, None),
        (T + CHECK_WITHIN, {"items_at": 0.0}, {}, Reason.UNCHECKED),
        (T - CHECK_WITHIN, {"items_at": 0.0}, {}, Reason.UNCHECKED),
        (T + 1, {"se": None}, {}, Reason.NOT_AT_STREAMELEMENTS),
        (T + 1, {"se": None, "found_at": T - 1}, {}, None),
        (T + 1, {}, {"state": JwtState.REFUSED}, Reason.JWT_REFUSED),
        (T + 1, {}, {"state": JwtState.REFUSED, "checked_at": T - 1}, None),
        (T + 1, {}, {"viewer": Viewer(SeId("me2"), "me", "1")}, Reason.WRONG_ACCOUNT),
        (T + 1, {"balance": Balance(99)}, {}, Reason.NOT_ENOUGH),
        (T + 1, {"balance": Balance(100)}, {}, None),
        (T + 1, {"balance": Balance(99), "balance_at": T - 1}, {}, None),
        (T + 1, {"balance": None}, {}, None),
        (T + 1, {"items": {}}, {}, Reason.NO_SUCH_ITEM),
    ],
)
def test_fc_48_what_may_not_be_sent_ends_at_once(
    at: float, changes: dict[str, Any], jwt: dict[str, Any], reason: Reason | None
) -> None:
    o = change(state(ONE, **jwt), error="they are down", **changes)
    records = list(review(o, at))
    text = "they are down" if reason is Reason.UNCHECKED else ""
    expect = (State.CONFIRMED, None, "", None) if reason is None else (State.REJECTED, reason, text, at)
    assert ended(only(o)) == expect
    assert bool(records) is (reason is not None)


def test_why_it_could_not_be_checked() -> None:
    o = change(state(ONE, error="no answer of theirs"), items_at=0.0)
    list(review(o, T + CHECK_WITHIN))
    assert only(o).text == "no answer of theirs"


def test_one_that_is_only_checked_is_settled_by_that() -> None:
    o = state(replace(ONE, dry=True))
    list(review(o, T + 2))
    assert ended(only(o)) == (State.CHECKED, None, "", T + 2)
    o = change(state(replace(ONE, dry=True)), items_at=0.0)
    assert list(review(o, T + 2)) == []


def test_fc_48_what_nobody_will_answer_any_more_is_unclear() -> None:
    o = state(SENT)
    o.elements.in_flight.add("k")
    assert list(review(o, T + 5)) == []
    o.elements.in_flight.clear()
    list(review(o, T + 5))
    assert ended(only(o)) == (State.UNKNOWN, None, NOBODY_HEARD, None)
    assert (o.elements.purse(ID).spent, o.elements.purse(ID).spent_at) == (100, T + 5), "it may have been paid"


def test_fc_48_the_row_that_says_sent_keeps_what_was_known_before() -> None:
    old, others = Bought("old", SE, MUG, T - 9), Bought("cup", SE, CUP, T - 9)
    o = change(state(replace(ONE, se=None)), history=(old, others), ahead=2.5)
    records = intend(o, SendRedemption("k", ME.id, SE, MUG, (), ""), T + 5)
    sent = replace(ONE, state=State.SENT, sent_at=T + 5, known=("old",), points_before=500, ahead=2.5)
    assert only(o) == sent
    assert records[0] == RedemptionKept(T + 5, sent)
    assert {record.at for record in records} == {T + 5}
    assert o.elements.in_flight == {"k"}


def test_fc_48_a_balance_that_is_not_there_is_none() -> None:
    o = change(state(ONE), balance=None)
    intend(o, SendRedemption("k", ME.id, SE, MUG, (), ""), T + 5)
    assert only(o).points_before == 0


# -- answers -------------------------------------------------------------------------------------------------------
BOUGHT = Bought("b1", SE, MUG, T + 2, code="CODE")


@pytest.mark.parametrize(
    ("answer", "expect", "paid"),
    [
        ({"bought": BOUGHT}, (State.ACCEPTED, None, "", T + 3), 100),
        ({"refusal": "too fast"}, (State.REJECTED, Reason.REFUSED, "too fast", T + 3), 0),
        (
            {"unsent": Reason.NOT_SENT, "error": "no line"},
            (State.REJECTED, Reason.NOT_SENT, "no line", T + 3),
            0,
        ),
        ({"error": "a time-out"}, (State.UNKNOWN, None, "a time-out", None), 100),
    ],
)
def test_fc_48_what_an_answer_changes(answer: dict[str, Any], expect: Any, paid: int) -> None:
    o = state(SENT)
    o.elements.in_flight.add("k")
    records = do(o, fp.RedemptionAnswered(T + 3, "k", **answer))
    assert ended(only(o)) == expect
    assert {record.at for record in records} == {T + 3}
    purse = o.elements.purse(ID)
    assert (purse.spent, purse.spent_at, purse.looked_at) == (paid, T + 3 if paid else 0.0, T + 3)
    assert o.elements.in_flight == set()
    assert o.elements.jwt.checked_at == T


@pytest.mark.parametrize("stands", [ONE, LOST])
def test_fc_48_an_answer_to_what_was_not_sent_changes_nothing(stands: Redemption) -> None:
    o = state(stands)
    assert do(o, fp.RedemptionAnswered(T + 3, "k", bought=BOUGHT)) == []
    assert do(o, fp.RedemptionAnswered(T + 3, "unheard of", bought=BOUGHT)) == []
    assert only(o) == stands


@pytest.mark.parametrize(("reason", "doubted"), [(Reason.WRONG_ACCOUNT, True), (Reason.NOT_SENT, False)])
def test_a_token_that_changed_meanwhile_is_checked_again(reason: Reason, doubted: bool) -> None:
    o = state(SENT)
    do(o, fp.RedemptionAnswered(T + 3, "k", unsent=reason))
    assert (o.elements.jwt.checked_at == 0.0) is doubted


def test_what_was_looked_at_later_stays_so() -> None:
    o = change(state(SENT), looked_at=T + 90)
    do(o, fp.RedemptionAnswered(T + 3, "k", refusal="no"))
    assert o.elements.purse(ID).looked_at == T + 90


@pytest.mark.parametrize(
    ("one", "points", "before"),
    [
        (LOST, 7, 507),
        (LOST, 1, 501),
        (SENT, 7, 507),
        (LOST, 0, None),
        (LOST, -7, None),
        (replace(LOST, points_before=None), 7, None),
    ],
)
def test_fc_48_what_is_earned_counts_before_the_price(one: Redemption, points: int, before: int | None) -> None:
    o = state(one)
    records = list(earned(o, ID, points, T + 9))
    assert records == ([] if before is None else [RedemptionKept(T + 9, replace(one, points_before=before))])
    assert only(o).points_before == (one.points_before if before is None else before)


# -- what settles --------------------------------------------------------------------------------------------------
LATE = T + 1 + ABSENT_AFTER


@pytest.mark.parametrize(
    ("changes", "expect"),
    [
        ({"history": (Bought("b", SE, MUG, T + 2, code="C"),)}, (State.ACCEPTED, None, FOUND, LATE)),
        ({"history": (Bought("other's", SE, MUG, T + 2),)}, (State.REJECTED, Reason.NEVER_ARRIVED, "lost", LATE)),
        ({}, (State.REJECTED, Reason.NEVER_ARRIVED, "lost", LATE)),
        ({"balance_at": T + 1}, None),
        ({"balance_at": LATE - 1}, None),
        ({"balance": None}, None),
        ({"balance": Balance(400)}, None),
        ({"viewer": Login("other")}, None),
        ({"history_of": SeId("other")}, None),
        ({"history_at": LATE - 1}, None),
        ({"ahead": -5.0}, None),
        ({"history_at": T - 3400, "balance_at": T - 3400, "ahead": 3600.0}, None),  # our clock was set back since:
        ({"history_at": T - 3400, "balance_at": T - 10, "ahead": 3600.0}, None),  # that balance was read before
    ],
)
def test_fc_48_readings_settle_what_is_unclear(changes: dict[str, Any], expect: Any) -> None:
    other = replace(ONE, key="o", item=CUP, state=State.ACCEPTED, bought="other's")
    lost = replace(LOST, se=SE, ahead=0.0)
    o = change(state(lost, other), **{"history_at": LATE, "balance_at": LATE, "spent": 130} | changes)
    list(settle_unknown(o, LATE))
    one = o.elements.redemptions["k"]
    assert ended(one) == (expect or (State.UNKNOWN, None, "lost", None))
    assert o.elements.redemptions["o"] == other
    assert o.elements.purse(ID).spent == (30 if one.state is State.REJECTED else 130), "what was not taken was not paid"


def test_what_is_given_back_is_never_more_than_was_spent() -> None:
    o = change(state(LOST), spent=30)
    do(o, fp.SettleAsked(LATE, "k", False))
    assert o.elements.purse(ID).spent == 0


@pytest.mark.parametrize(
    ("one", "at", "taken", "expect"),
    [
        (LOST, T + 2, True, State.ACCEPTED),
        (LOST, LATE - 1, False, State.UNKNOWN),
        (LOST, LATE, False, State.REJECTED),
        (SENT, T + 2, True, State.ACCEPTED),
        (SENT, T + 2, False, State.UNKNOWN),
        (ONE, LATE, True, State.CONFIRMED),
    ],
)
def test_fc_48_the_persons_word(one: Redemption, at: float, taken: bool, expect: State) -> None:
    o = state(one)
    records = do(o, fp.SettleAsked(at, "k", taken))
    assert only(o).state is expect
    assert {record.at for record in records} == ({at} if expect is not one.state else set())
    assert only(o).by_hand is (expect in redeem.FINAL)
    assert do(o, fp.SettleAsked(at, "unheard of", taken)) == []


def test_fc_48_the_persons_word_waits_for_a_post_that_is_under_way() -> None:
    o = state(SENT)
    o.elements.in_flight.add("k")
    assert do(o, fp.SettleAsked(LATE, "k", True)) == []
    assert only(o) == SENT
    o.elements.in_flight.clear()
    do(o, fp.SettleAsked(T + 2, "k", False))
    assert ended(only(o)) == (State.UNKNOWN, None, NOBODY_HEARD, None)


def test_a_yes_and_a_no_to_automatic_wishes() -> None:
    o = state()
    assert do(o, fp.AutoAllowed(T, True)) == [Noted(T, AUTO_ALLOWED, "yes")]
    assert o.elements.notes == {AUTO_ALLOWED: "yes"}
    assert do(o, fp.AutoAllowed(T, False)) == [Noted(T, AUTO_ALLOWED, None)]
    assert o.elements.notes == {}
    assert do(o, fp.AutoAllowed(T, False)) == [Noted(T, AUTO_ALLOWED, None)]


# -- what is told --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("stands", "kind"),
    [
        (State.SENT, EventKind.REDEMPTION_SENT),
        (State.ACCEPTED, EventKind.REDEEMED),
        (State.REJECTED, EventKind.REDEMPTION_REFUSED),
        (State.UNKNOWN, EventKind.REDEMPTION_UNKNOWN),
        (State.CONFIRMED, None),
        (State.CHECKED, None),
    ],
)
def test_what_is_told_of_a_redemption_and_never_its_code(stands: State, kind: EventKind | None) -> None:
    one = replace(ONE, state=stands, reason=Reason.REFUSED, text="words", code="CODE", by_hand=True)
    kept, *events = list(keep(state(), one, T + 1))
    assert kept == RedemptionKept(T + 1, one)
    expect: dict[str, Any] = {"key": "k", "item": "Mug", "cost": 100, "currency": "beans", "reason": Reason.REFUSED}
    expect |= {"login": ALPHA, "text": "words", "auto": 0, "by_hand": 1}
    told = [(e.at, e.kind, e.channel, e.data) for e in events if isinstance(e, Event)]
    assert [what[:3] for what in told] == ([] if kind is None else [(T + 1, kind, ID)])
    assert all(expect.items() <= data.items() for *_, data in told)
    assert "CODE" not in repr(told)


def test_what_is_told_where_little_is_known() -> None:
    one = replace(ONE, state=State.REJECTED, name="", channel=UserId(""))
    (event,) = list(keep(Observed(), one, T))[1:]
    assert isinstance(event, Event)
    assert (event.channel, event.data["item"], event.data["currency"]) == (None, MUG, None)


@pytest.mark.parametrize(("count", "left"), [("3", "2"), ("1", "0"), ("0", "0"), (None, "0")])
def test_an_automatic_one_that_was_not_bought_does_not_count(count: str | None, left: str) -> None:
    o, key = state(), auto_key(ID, MUG)
    o.elements.notes = {} if count is None else {key: count}
    records = list(keep(o, replace(ONE, auto=True, state=State.REJECTED), T))
    assert Noted(T, key, left) in records
    assert o.elements.notes[key] == left
    for other in (replace(ONE, auto=True, state=State.ACCEPTED), replace(ONE, state=State.REJECTED)):
        assert not [record for record in keep(o, other, T) if isinstance(record, Noted)]
