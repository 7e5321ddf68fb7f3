"""Wishes in the state: told once, and bought without asking only as far as it was allowed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_memory import remembered
from core_store import ALPHA, Outcome, Store
from core_world import OWN, T0
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allthepoints.base.types import ItemId, Login
from allthepoints.core import facts as f
from allthepoints.core import facts_points as fp
from allthepoints.core.actions import ReadItems
from allthepoints.core.apply_wishes import AUTO_DOUBTS, AUTO_RESTS, DAY, FRESH
from allthepoints.core.loyalty import Balance, JwtState
from allthepoints.core.policy import Policy, Wish
from allthepoints.core.records import Change, EventKind, LedgerEntry, Noted
from allthepoints.core.redeem import Reason, State

OWN_LOGIN = Login(OWN.login)
MUG = Wish(ALPHA.login, "mug", auto=True, max_cost=100)


def shop(wish: Wish, points: int = 1000, *, allowed: bool = True) -> Store:
    store = Store(0, Policy(presence=False, wishes=(wish,), poll_store=60.0))
    store.points = points
    if allowed:
        store.tell(fp.AutoAllowed(T0, True))
    store.run(30)
    return store


def bought(store: Store) -> int:
    return sum(1 for key, _ in store.booked if key.startswith("auto-"))


@pytest.mark.parametrize(
    ("wish", "points", "allowed", "seconds", "expected"),
    [
        (MUG, 1000, True, 30, 1),
        (MUG, 1000, True, 20_000, 1),
        (MUG, 1000, False, 20_000, 0),
        (replace(MUG, auto=False), 1000, True, 20_000, 0),
        (replace(MUG, max_cost=99), 1000, True, 20_000, 0),
        (replace(MUG, max_cost=None), 1000, True, 20_000, 0),
        (replace(MUG, count=3), 1000, True, 20_000, 3),
        (replace(MUG, count=5, keep=750), 1000, True, 20_000, 2),
        (replace(MUG, count=5, per_day=250), 1000, True, 20_000, 2),
        (replace(MUG, count=5, per_day=250), 1000, True, 100_000, 4),
        (MUG, 99, True, 20_000, 0),
    ],
)
def test_how_much_is_bought(wish: Wish, points: int, allowed: bool, seconds: float, expected: int) -> None:
    store = shop(wish, points, allowed=allowed)
    store.run(seconds)
    assert bought(store) == expected
    assert store.posts.total() == expected


def test_a_yes_can_be_taken_back() -> None:
    store = shop(replace(MUG, count=9), allowed=True)
    store.tell(fp.AutoAllowed(store.now, False))
    store.run(20_000)
    assert bought(store) == 1
    assert Noted(store.now - 20_000, "auto_allowed", None) in store.core.records


def test_count_outlives_restarts() -> None:
    store = shop(replace(MUG, count=2))
    for _ in range(10):
        store.restart(2000.0)
        store.run(60)
    assert bought(store) == 2


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.NOT_SENT])
def test_a_refused_one_rests(outcome: Outcome) -> None:
    store = shop(MUG, 0)
    store.outcomes = [outcome] * 50
    store.points = 1000
    store.run(4 * AUTO_RESTS)
    assert 3 <= store.posts.total() <= 4
    store.outcomes = []
    store.run(2 * AUTO_RESTS)
    assert bought(store) == 1, "what was refused did not count"


def test_fc_48_an_unclear_one_counts_until_it_is_clear() -> None:
    store = shop(replace(MUG, count=1), 0)
    store.outcomes = [Outcome.UNKNOWN_LOST]
    store.points = 1000
    store.run(150)
    assert [one.state for one in store.redemptions().values()] == [State.UNKNOWN]
    store.run(120)
    assert [one.state for one in store.redemptions().values()] == [State.REJECTED]
    store.run(2 * AUTO_RESTS)
    assert store.posts.total() == 1, "should it be taken later than anybody would think, no second one was sent"
    store.restart(AUTO_DOUBTS / 2)
    store.run(AUTO_RESTS)
    assert store.posts.total() == 1
    store.restart(AUTO_DOUBTS / 2)
    store.run(AUTO_RESTS)
    assert bought(store) == 1


def test_fc_48_a_price_that_rises_meanwhile_is_not_paid() -> None:
    store = shop(MUG, 0)
    store.points = 1000
    store.run(28)
    store.items["mug"] = replace(store.items["mug"], cost=130)
    store.run(20_000)
    assert store.posts.total() == 0


def test_what_can_be_had_is_told_once() -> None:
    store = shop(replace(MUG, auto=False), 10)
    store.points = 100
    store.run(3600)
    store.restart(10.0)
    store.run(3600)
    told = store.core.events(EventKind.WISH_OBTAINABLE)
    assert len([r for r in store.disk if r in told or getattr(r, "kind", None) is EventKind.WISH_OBTAINABLE]) == 1
    assert remembered(store.disk).notes != ()
    assert ItemId("mug") in store.core.observed.elements.purses[ALPHA.id].items


CUP = Wish(ALPHA.login, "cup", auto=True, max_cost=250)


def shop_of(*wishes: Wish) -> Store:
    store = Store(0, Policy(presence=False, wishes=wishes, poll_store=60.0))
    store.tell(fp.AutoAllowed(T0, True))
    return store


def test_two_wishes_of_one_channel_keep_what_each_is_to_keep() -> None:
    """Each alone leaves enough; both together would not."""
    store = shop_of(replace(MUG, keep=850), replace(CUP, keep=700))
    store.run(5000)
    assert store.points == 900
    assert [one.state for one in store.redemptions().values()] == [State.ACCEPTED], "the other was not even begun"


def test_points_that_were_spent_by_hand_are_not_there_to_be_spent_below_the_floor() -> None:
    """The store was read before the balance was: the wish is confirmed on old points, and looked at again."""
    store = shop_of(replace(CUP, keep=700))
    store.items["cup"] = replace(store.items["cup"], enabled=False)
    store.run(30)
    store.buys_by_hand("mug")
    store.items["cup"] = replace(store.items["cup"], enabled=True)
    store.run(3000)
    assert store.points == 900
    assert {one.reason for one in store.redemptions().values()} == {Reason.NOT_ALLOWED}


def begun() -> Store:
    store = shop_of(CUP)
    while not store.redemptions():
        store.run(0.05)
    assert [one.state for one in store.redemptions().values()] == [State.CONFIRMED]
    return store


@pytest.mark.parametrize("wishes", [(), (replace(CUP, auto=False),), (replace(CUP, max_cost=249),), (MUG,)])
def test_a_wish_that_is_taken_back_is_not_bought(wishes: tuple[Wish, ...]) -> None:
    store = begun()
    store.policy = store.core.policy = replace(store.policy, wishes=wishes)
    store.tell(f.ConfigTaken(store.now))
    store.run(10)
    assert next(iter(store.redemptions().values())).reason is Reason.NOT_ALLOWED
    assert "cup" not in {store.redemptions()[key].item for key in store.posts}


def test_a_yes_that_is_taken_back_holds_at_once() -> None:
    store = begun()
    store.tell(fp.AutoAllowed(store.now, False))
    store.run(300)
    assert store.posts.total() == 0
    assert store.core.observed.elements.notes[f"auto:{ALPHA.id}:cup"] == "0", "and it does not count"


# -- a store that is old -------------------------------------------------------------------------------------------
def stale() -> Store:
    """Points come in when the store was read ten minutes ago."""
    store = Store(0, Policy(presence=False, wishes=(MUG,), poll_store=900.0))
    store.points = 0
    store.tell(fp.AutoAllowed(T0, True))
    store.run(30)
    read_at = store.core.observed.elements.purses[ALPHA.id].items_at
    store.points = 1000
    store.run(read_at + 600.0 - store.now)
    return store


def shows(store: Store, points: int) -> None:
    """A balance comes in."""
    store.pending += 1
    store.tell(fp.BalanceRead(store.now, ALPHA.id, Balance(points), OWN_LOGIN))


def test_a_price_that_is_old_is_read_anew_before_anything_is_confirmed() -> None:
    """It rose above the bound: nothing is begun, so that nothing has to rest when it falls again."""
    store = stale()
    store.items["mug"] = replace(store.items["mug"], cost=130)
    shows(store, 1000)
    store.run(20)
    assert store.redemptions() == {}
    assert store.core.observed.elements.purses[ALPHA.id].items["mug"].cost == 130, "it was read at once"
    store.items["mug"] = replace(store.items["mug"], cost=90)
    store.run(1000)
    assert [one.cost for one in store.redemptions().values()] == [90]
    assert bought(store) == 1


def test_a_store_that_is_old_and_unchanged_costs_one_reading_more() -> None:
    store = stale()
    before = len([1 for _, action in store.reads if isinstance(action, ReadItems)])
    shows(store, 1000)
    store.run(FRESH)
    assert bought(store) == 1
    assert len([1 for _, action in store.reads if isinstance(action, ReadItems)]) <= before + 2
    assert [one.reason for one in store.redemptions().values()] == [None]


# -- bounds, over everything ---------------------------------------------------------------------------------------
@settings(max_examples=120, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_fc_48_the_budget_of_a_day_and_the_floor_hold_over_restarts(data: st.DataObject) -> None:
    """Whatever becomes of the POSTs, however late a balance shows them, and whenever the process dies."""
    mug = replace(MUG, count=data.draw(st.integers(1, 12)), per_day=250, keep=data.draw(st.sampled_from([0, 450])))
    cup = replace(CUP, count=12, per_day=500, keep=data.draw(st.sampled_from([0, 600, 700])))
    store = Store(data.draw(st.integers(0, 99)), Policy(presence=False, wishes=(mug, cup), poll_store=600.0))
    store.lag = data.draw(st.sampled_from([0.0, 40.0, 800.0]))
    store.tell(fp.AutoAllowed(T0, True))
    for _ in range(data.draw(st.integers(1, 12))):
        match data.draw(st.sampled_from(["run", "restart", "points", "outcomes", "token"])):
            case "run":
                store.run(data.draw(st.sampled_from([1.0, 5.0, 12.0, 20.0, 700.0, 4000.0, 40_000.0])))
            case "restart":
                store.restart(data.draw(st.sampled_from([0.0, 1.0, 60.0, 1000.0, 50_000.0])))
            case "points":
                store.points += data.draw(st.sampled_from([10, 300, 2000]))
            case "outcomes":
                store.outcomes = data.draw(st.lists(st.sampled_from(Outcome), max_size=4))
            case "token":
                store.jwt = JwtState.EXPIRED
                store.run(100)
                store.jwt = JwtState.GOOD
    store.run(2000)
    for item, wish in (("mug", mug), ("cup", cup)):
        paid = [(one.created_at, one.cost or 0) for key, one in store.booked if one.item == item]
        assert len(paid) <= wish.count
        for at, _ in paid:
            assert sum(cost for other, cost in paid if at <= other < at + DAY) <= (wish.per_day or 0)
        had = [store.balance("me", at) for at, _ in paid]
        assert all(left >= wish.keep for left in had), "what was left when it was paid"


@pytest.mark.parametrize("away", [1.0, 100.0])
def test_what_no_balance_has_shown_yet_is_spent_after_a_restart_too(away: float) -> None:
    """The balance was read just after the POST, and was an old one."""
    store = Store(0, Policy(presence=False))
    store.tell(fp.LookAsked(store.now, ALPHA.login))
    store.run(20)
    store.lag = 300.0
    store.ask("k", "mug")
    store.run(10)
    assert store.redemptions()["k"].state is State.ACCEPTED
    purse = store.core.observed.elements.purses[ALPHA.id]
    assert (purse.spent, purse.balance_at > (store.redemptions()["k"].sent_at or 0)) == (100, True)
    store.restart(away)
    assert store.core.observed.elements.purses[ALPHA.id].spent == 100
    for _ in range(3):
        store.run(200)
        store.tell(fp.LookAsked(store.now, ALPHA.login))
    store.run(20)
    entries = [(one.change, one.delta) for one in store.disk if isinstance(one, LedgerEntry)]
    assert entries == [(Change.OPENING, 0), (Change.SPENT, -100)]
    store.restart(1)
    assert store.core.observed.elements.purses[ALPHA.id].spent == 0


@pytest.mark.parametrize("away", [0.0, 60.0])
def test_fc_48_the_floor_holds_where_a_restart_reads_a_balance_that_is_old(away: float) -> None:
    """The first is paid, no balance shows it yet, and the process dies: the second would go below what is kept."""
    store = Store(0, Policy(presence=False, wishes=(MUG, replace(CUP, keep=700)), poll_store=60.0))
    store.lag = 800.0
    store.tell(fp.AutoAllowed(T0, True))
    while not store.booked:
        store.run(0.5)
    store.run(5)
    store.restart(away)
    store.run(5000)
    assert [one.item for _, one in store.booked] == ["mug"]
    assert store.points == 900
