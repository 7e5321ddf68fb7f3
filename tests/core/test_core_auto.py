"""Wishes in the state: told once, and bought without asking only as far as it was allowed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_memory import remembered
from core_store import ALPHA, Outcome, Store
from core_world import T0

from allthepoints.base.types import ItemId
from allthepoints.core import facts as f
from allthepoints.core.apply_wishes import AUTO_RESTS
from allthepoints.core.policy import Policy, Wish
from allthepoints.core.records import EventKind, Noted
from allthepoints.core.redeem import Reason, State

MUG = Wish(ALPHA.login, "mug", auto=True, max_cost=100)


def shop(wish: Wish, points: int = 1000, *, allowed: bool = True) -> Store:
    store = Store(0, Policy(presence=False, wishes=(wish,), poll_store=60.0))
    store.points = points
    if allowed:
        store.tell(f.AutoAllowed(T0, True))
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
    store.tell(f.AutoAllowed(store.now, False))
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
    store.tell(f.AutoAllowed(T0, True))
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
    store.tell(f.AutoAllowed(store.now, False))
    store.run(300)
    assert store.posts.total() == 0
    assert store.core.observed.elements.notes[f"auto:{ALPHA.id}:cup"] == "0", "and it does not count"
