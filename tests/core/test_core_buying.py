"""Buying without asking, look by look: what begins, what does not, and what is stopped just before it is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core.apply_redeem import AUTO_ALLOWED, auto_key
from allthepoints.core.apply_wishes import AUTO_DOUBTS, AUTO_RESTS, FRESH, look, of_channel, review, unmet, wished
from allthepoints.core.apply_wishes import within_reach as reach
from allthepoints.core.loyalty import Balance, Item, JwtState, Loyalty, Viewer
from allthepoints.core.model import ChannelRef
from allthepoints.core.observed import Channel, Observed
from allthepoints.core.policy import Policy, Wish
from allthepoints.core.records import Event, EventKind, Noted
from allthepoints.core.redeem import Reason, Redemption, State

T = 1_700_000_000.0
DAY = 86_400.0
ID, OTHER, ALPHA, MUG, CUP = UserId("7"), UserId("8"), Login("alpha"), ItemId("mug"), ItemId("cup")
WISH = Wish(ALPHA, "mug", auto=True, max_cost=100, count=9)
ONE = Redemption("k", ID, ALPHA, MUG, 100, T - 50_000, name="Mug", auto=True, state=State.ACCEPTED)
KEY = auto_key(ID, MUG)


def shop(*redemptions: Redemption, points: int = 500, count: int | None = None, **changes: Any) -> Observed:
    """A mug for 100 that may be bought without asking, in a store read at T."""
    ref = ChannelRef(ID, ALPHA, "Alpha")
    o = Observed(addresses={ALPHA: ID}, names={ALPHA: ID}, channels={ID: Channel(ref)})
    o.elements.notes = {AUTO_ALLOWED: "yes"} | ({} if count is None else {KEY: str(count)})
    o.elements.jwt.state, o.elements.jwt.viewer = JwtState.GOOD, Viewer(SeId("me"), "me", "1")
    o.elements.redemptions = {one.key: one for one in redemptions}
    purse = o.elements.purse(ID)
    purse.items = {MUG: Item(MUG, "Mug", 100), CUP: Item(CUP, "Cup", 50)}
    purse.items_at, purse.balance, purse.loyalty = T, Balance(points), Loyalty("beans")
    for name, value in changes.items():
        setattr(purse, name, value)
    return o


def begun(o: Observed, wish: Wish = WISH, at: float = T) -> list[Redemption]:
    before = set(o.elements.redemptions)
    list(look(o, Policy(wishes=(wish,)), ID, at))
    return [one for key, one in o.elements.redemptions.items() if key not in before]


def test_what_is_begun() -> None:
    o = shop(count=2)
    (one,) = begun(o, at=T + FRESH)
    told = (one.channel, one.login, one.item, one.cost, one.asked_at, one.name, one.auto, one.state, one.account)
    assert told == (ID, ALPHA, MUG, 100, T + FRESH, "Mug", True, State.CONFIRMED, "me")
    assert o.elements.notes[KEY] == "3", "it counts from here on"
    assert begun(o, at=T + FRESH) == []
    assert begun(shop(), at=T + FRESH + 1) == [], "the price is too old"
    later = shop()
    assert begun(later, at=T + 1)[0].key != one.key
    same = shop()
    assert begun(same, at=T + FRESH)[0].key == one.key, "the same look is the same intent"


def test_the_count_is_written_down_before_the_intent() -> None:
    o = shop()
    records = list(look(o, Policy(wishes=(WISH,)), ID, T))
    assert Noted(T, KEY, "1") in records


@pytest.mark.parametrize("at", [T + FRESH + 0.1, T - 0.1])
def test_an_old_store_is_read_again_first(at: float) -> None:
    o = shop()
    assert begun(o, at=at) == []
    assert o.elements.purse(ID).items_wanted
    too_dear = shop()
    assert begun(too_dear, replace(WISH, max_cost=99), at) == []
    assert not too_dear.elements.purse(ID).items_wanted, "nobody waits for what is not bought anyway"


@pytest.mark.parametrize(
    ("points", "spent", "promised", "keep", "bought"),
    [
        (100, 0, 0, 0, True),
        (199, 0, 0, 100, False),
        (200, 0, 0, 100, True),
        (200, 1, 0, 100, False),
        (250, 0, 50, 100, True),
        (249, 0, 50, 100, False),
        (200, 0, 50, 0, True),
    ],
)
def test_fc_48_what_is_kept_is_kept(points: int, spent: int, promised: int, keep: int, bought: bool) -> None:
    under_way = replace(ONE, key="p", item=CUP, cost=promised, state=State.CONFIRMED, asked_at=T)
    o = shop(*([under_way] if promised else []), points=points, spent=spent)
    assert bool(begun(o, replace(WISH, keep=keep))) is bought


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"state": State.SENT}, True),
        ({"state": State.UNKNOWN}, False),  # it is in `spent`
        ({"state": State.ACCEPTED}, False),
        ({"dry": True}, False),
        ({"channel": OTHER}, False),
    ],
)
def test_what_is_promised_is_not_there_any_more(changes: dict[str, Any], counts: bool) -> None:
    one = replace(ONE, item=CUP, cost=50, state=State.CONFIRMED, asked_at=T)
    o = shop(replace(one, **changes), points=240)
    assert bool(begun(o, replace(WISH, keep=100))) is not counts


@pytest.mark.parametrize(
    ("changes", "bought"),
    [
        ({}, True),
        ({"asked_at": T - AUTO_RESTS}, True),
        ({"asked_at": T - AUTO_RESTS + 1}, False),
        ({"asked_at": T - AUTO_RESTS + 1, "item": CUP}, True),
        ({"asked_at": T - AUTO_RESTS + 1, "channel": OTHER}, True),
        ({"asked_at": T - AUTO_RESTS + 1, "auto": False}, True),
        ({"state": State.REJECTED, "reason": Reason.NEVER_ARRIVED, "asked_at": T - AUTO_DOUBTS + 1}, False),
        ({"state": State.REJECTED, "reason": Reason.NEVER_ARRIVED, "asked_at": T - AUTO_DOUBTS}, True),
        ({"state": State.REJECTED, "reason": Reason.REFUSED, "asked_at": T - AUTO_DOUBTS + 1}, True),
        ({"state": State.UNKNOWN}, False),
    ],
)
def test_fc_48_one_after_the_other(changes: dict[str, Any], bought: bool) -> None:
    assert bool(begun(shop(replace(ONE, **changes)))) is bought


@pytest.mark.parametrize(
    ("one", "bought"),
    [
        (replace(ONE, asked_at=T - DAY + 1), False),
        (replace(ONE, asked_at=T - DAY), True),
        (replace(ONE, asked_at=T - DAY - 9, settled_at=T - DAY + 1), False),
        (replace(ONE, asked_at=T - DAY + 1, state=State.REJECTED), True),
        (replace(ONE, asked_at=T - DAY + 1, auto=False), True),
        (replace(ONE, asked_at=T - DAY + 1, item=CUP), True),
        (replace(ONE, asked_at=T - DAY + 1, cost=50), True),
        (replace(ONE, asked_at=T - DAY + 1, cost=51), False),
    ],
)
def test_fc_48_the_budget_of_a_day(one: Redemption, bought: bool) -> None:
    assert bool(begun(shop(one), replace(WISH, per_day=150))) is bought


@pytest.mark.parametrize(("count", "bought"), [(None, True), (8, True), (9, False), (10, False)])
def test_fc_48_as_many_as_were_wanted(count: int | None, bought: bool) -> None:
    assert bool(begun(shop(count=count))) is bought


def test_fc_48_nothing_without_a_yes_or_a_token() -> None:
    o = shop()
    del o.elements.notes[AUTO_ALLOWED]
    assert begun(o) == []
    o = shop()
    o.elements.jwt.state = JwtState.EXPIRED
    assert begun(o) == []
    o = shop()
    o.elements.jwt.expires_at = T
    assert begun(o) == [], "its end has come"
    assert begun(shop(), replace(WISH, auto=False)) == []
    assert begun(shop(points=99)) == []


# -- just before it is sent ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wish", "changes", "holds"),
    [
        (WISH, {}, True),
        (replace(WISH, max_cost=99), {}, False),
        (replace(WISH, keep=400), {}, True),
        (replace(WISH, keep=401), {}, False),
        (replace(WISH, keep=400), {"spent": 1}, False),
        (replace(WISH, count=1), {}, True),
        (replace(WISH, count=0), {}, False),
        (replace(WISH, item="cup"), {}, False),
        (replace(WISH, channel=Login("beta")), {}, False),
        (replace(WISH, max_cost=99), {"balance": None}, True),
        (replace(WISH, max_cost=99), {"items": {}}, True),
        (replace(WISH, max_cost=99), {"items": {}, "balance": None}, True),
        (WISH, {"items": {MUG: Item(MUG, "Mug", 900)}}, True),  # what the store says is judged elsewhere
    ],
)
def test_fc_48_the_bounds_must_hold_still(wish: Wish, changes: dict[str, Any], holds: bool) -> None:
    one = replace(ONE, state=State.CONFIRMED, asked_at=T)
    o = shop(one, count=1, **changes)
    records = list(review(o, Policy(wishes=(wish,)), T + 1))
    now = o.elements.redemptions["k"]
    assert (now.state, now.reason, now.settled_at) == (
        (State.CONFIRMED, None, None) if holds else (State.REJECTED, Reason.NOT_ALLOWED, T + 1)
    )
    assert {record.at for record in records} == (set() if holds else {T + 1})


def test_fc_48_a_yes_that_is_taken_back_and_what_is_no_automatic_one() -> None:
    one = replace(ONE, state=State.CONFIRMED, asked_at=T)
    o = shop(one, count=1)
    del o.elements.notes[AUTO_ALLOWED]
    list(review(o, Policy(wishes=(WISH,)), T))
    assert o.elements.redemptions["k"].reason is Reason.NOT_ALLOWED
    for other in (replace(one, auto=False), replace(one, state=State.SENT), replace(one, state=State.UNKNOWN)):
        assert list(review(shop(other), Policy(wishes=()), T)) == []


def test_the_budget_of_a_day_holds_when_it_is_sent() -> None:
    one, today = replace(ONE, state=State.CONFIRMED, asked_at=T), replace(ONE, key="t", asked_at=T - 9)
    for per_day, reason in ((200, None), (199, Reason.NOT_ALLOWED)):
        o = shop(one, today, count=2)
        list(review(o, Policy(wishes=(replace(WISH, per_day=per_day),)), T))
        assert o.elements.redemptions["k"].reason is reason


# -- what is told --------------------------------------------------------------------------------------------------
def test_a_look_tells_what_is_news_once() -> None:
    o, policy = shop(), Policy(wishes=(replace(WISH, auto=False),))
    noted, event = look(o, policy, ID, T)
    assert isinstance(noted, Noted)
    assert noted.at == T
    assert (noted.key, o.elements.notes[noted.key]) == ("wish:7:mug", noted.value)
    data: dict[str, Any] = {"item": "Mug", "id": "mug", "cost": 100, "currency": "beans"}
    assert event == Event(T, EventKind.WISH_OBTAINABLE, ID, data)
    assert list(look(o, policy, ID, T + 1)) == []
    o.elements.purse(ID).items = {}
    o.elements.purse(ID).loyalty = None
    _, event = look(o, policy, ID, T + 2)
    assert event == Event(T + 2, EventKind.WISH_GONE, ID, {"item": "mug", "cost": None, "currency": None})


def test_the_end_of_a_cooldown_counts_from_what_we_bought() -> None:
    item = Item(MUG, "Mug", 100, cooldown_user=60.0)
    sent = replace(ONE, sent_at=T - 59)
    for one, count in (
        (sent, 0),
        (replace(sent, sent_at=T - 60), 1),
        (replace(sent, state=State.REJECTED), 1),
        (replace(sent, item=CUP), 1),
        (replace(sent, channel=OTHER), 1),
        (replace(sent, sent_at=None), 1),
    ):
        assert reach(Policy(wishes=(WISH,)), shop(one, items={MUG: item}), T) == count
    assert (
        reach(Policy(wishes=(WISH,)), shop(replace(sent, key="old", sent_at=T - 999), sent, items={MUG: item}), T) == 0
    )


@pytest.mark.parametrize(
    ("wish", "changes", "expect"),
    [
        (WISH, {}, (1, False)),
        (WISH, {"balance": Balance(99)}, (0, True)),
        (WISH, {"items_at": 0.0}, (0, False)),
        (replace(WISH, channel=Login("beta")), {}, (0, False)),
    ],
)
def test_what_is_within_reach(wish: Wish, changes: dict[str, Any], expect: tuple[int, bool]) -> None:
    o, policy = shop(**changes), Policy(wishes=(wish,))
    assert (reach(policy, o, T), unmet(policy, o, ID, T)) == expect
    assert not unmet(policy, o, OTHER, T)


def test_whom_a_wish_is_about_need_not_be_known() -> None:
    assert wished(Policy(wishes=(WISH, replace(WISH, channel=Login("beta")))), shop()) == {ID}


def test_fc_16_a_wish_follows_who_has_the_name_now() -> None:
    o = shop()
    o.addresses = {ALPHA: OTHER}
    assert list(of_channel(Policy(wishes=(WISH,)), o, ID)) == []
    o.addresses = {}
    assert [wish for wish, _ in of_channel(Policy(wishes=(WISH,)), o, ID)] == [WISH]
    assert reach(Policy(wishes=(WISH,)), o, T) == 1
    o.addresses, o.names = {ALPHA: ID}, {ALPHA: OTHER}
    assert reach(Policy(wishes=(WISH,)), o, T) == 1, "and not who had it first"


def test_what_was_bought_before_says_nothing_of_another_wish() -> None:
    bought = replace(ONE, sent_at=T - 9)
    o = shop(bought, points=99)
    assert unmet(Policy(wishes=(WISH,)), o, ID, T)
    assert reach(Policy(wishes=(replace(WISH, item="hat"),)), o, T) == 0, "there is no such item"
