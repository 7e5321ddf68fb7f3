"""What was settled long ago is forgotten, and nothing is bought anew because of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_store import ALPHA, Outcome, Store
from core_world import T0

from allthepoints.core import facts_points as fp
from allthepoints.core.apply_wishes import DAY
from allthepoints.core.policy import Policy, Wish
from allthepoints.core.redeem import KEPT, State

DAYS = round(KEPT / DAY)


def asked_daily(days: int, store: Store | None = None) -> Store:
    """A mug a day by hand, the last of them a moment ago."""
    store = store or Store()
    store.points = 100_000
    for day in range(days):
        store.run(DAY)
        store.ask(f"day-{day}", "mug")
        store.run(60)
    return store


def kept(store: Store) -> list[str]:
    return [key for key in store.redemptions() if not key.startswith("auto-")]


def test_only_the_last_days_are_kept() -> None:
    store = asked_daily(12)
    assert kept(store) == [f"day-{day}" for day in range(12 - DAYS, 12)]
    assert store.posts.total() == len(store.booked) == 12


def test_fc_48_a_form_that_is_sent_again_after_days_buys_nothing() -> None:
    store = asked_daily(12)
    store.ask("day-0", "mug")
    store.ask("day-11", "mug")
    store.run(600)
    assert store.posts.total() == len(store.booked) == 12
    assert "day-0" not in store.redemptions()


def test_the_last_of_an_item_stays_for_its_cooldown() -> None:
    store = Store()
    store.items["hat"] = replace(store.items["hat"], cooldown_user=30 * DAY)
    store.ask("the-hat", "hat")
    store.run(60)
    asked_daily(12, store)
    assert store.redemptions()["the-hat"].state is State.ACCEPTED


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN_BOOKED, Outcome.UNKNOWN_LOST])
def test_what_is_unclear_stays_and_so_does_what_is_beside_it(outcome: Outcome) -> None:
    store = asked_daily(1)
    store.outcomes = [outcome]
    store.ask("unclear", "cup")
    while store.redemptions()["unclear"].state is not State.UNKNOWN:
        store.run(0.5)
    store.down = True  # nothing can be read that would settle it
    for number in range(9):
        store.run(DAY)
        store.ask(f"later-{number}", "hat")
    assert store.redemptions()["unclear"].state is State.UNKNOWN
    assert "day-0" in store.redemptions()
    store.down = False
    store.run(DAY)
    asked_daily(1, store)
    assert store.redemptions()["unclear"].state is not State.UNKNOWN
    assert store.posts["unclear"] == 1


def test_wishes_keep_their_count() -> None:
    """What was bought without asking is counted by a note; its redemptions may go."""
    store = Store(0, Policy(presence=False, wishes=(Wish(ALPHA.login, "hat", auto=True, max_cost=50, count=20),)))
    store.points = 100_000
    store.tell(fp.AutoAllowed(T0, True))
    store.run(12 * DAY)
    assert sum(key.startswith("auto-") for key, _ in store.booked) == 20
    asked_daily(1, store)
    assert [key for key in store.redemptions() if key.startswith("auto-")][1:] == []
    assert all(not key.startswith("auto-") for key in store.core.observed.elements.settled)
