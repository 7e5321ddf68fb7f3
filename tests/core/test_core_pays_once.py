"""Whatever happens, and wherever the process dies: a confirmed intent is sent once, and ends as what really became of
it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_memory import remembered
from core_store import ALPHA, Crash, Outcome, Store
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from allthepoints.core import facts as f
from allthepoints.core.loyalty import JwtState
from allthepoints.core.records import Change, LedgerEntry
from allthepoints.core.redeem import FINAL, State

KEYS = st.sampled_from([f"k{n}" for n in range(8)])
ITEMS = st.sampled_from(["mug", "cup"])


class Shopping(RuleBasedStateMachine):
    """The world, a person with two faces and little patience, and a process that dies now and then."""

    @initialize(seed=st.integers(0, 2**16))
    def start(self, seed: int) -> None:
        self.count = 0
        self.store = Store(seed)
        self.store.run(5.0)

    @rule(key=KEYS, item=ITEMS, dry=st.integers(0, 5), off=st.integers(0, 7))
    def asks(self, key: str, item: str, dry: int, off: int) -> None:
        cost = self.store.items[item].cost
        self.store.ask(key, item, cost + 10 if off == 0 else cost, dry=dry == 0)

    @rule(key=KEYS, other=KEYS, item=ITEMS, again=ITEMS)
    def asks_twice_at_once(self, key: str, other: str, item: str, again: str) -> None:
        self.store.ask(key, item)
        self.store.ask(other, again)

    @rule(outcomes=st.lists(st.sampled_from(Outcome), min_size=1, max_size=3))
    def posts_will_end_so(self, outcomes: list[Outcome]) -> None:
        self.store.outcomes = outcomes

    @rule(
        item=ITEMS,
        outcomes=st.lists(st.sampled_from(Outcome), min_size=1, max_size=3),
        seconds=st.sampled_from([3.0, 8.0, 20.0, 80.0, 240.0]),
    )
    def buys(self, item: str, outcomes: list[Outcome], seconds: float) -> None:
        """On a good day, but for what becomes of it."""
        store = self.store
        store.down = store.disk_fails = False
        store.jwt, store.points = JwtState.GOOD, store.points + 300
        store.items[item] = replace(store.items[item], stock=None, enabled=True)
        store.run(70.0)
        store.outcomes = outcomes
        self.count += 1
        store.ask(f"good{self.count}", item)
        store.run(seconds)

    @rule(seconds=st.sampled_from([0.0, 0.3, 1.5, 4.0, 15.0, 70.0, 190.0, 900.0]))
    def wait(self, seconds: float) -> None:
        self.store.run(seconds)

    @rule(away=st.sampled_from([0.0, 1.0, 30.0, 300.0]))
    def the_process_dies(self, away: float) -> None:
        self.store.restart(away)

    @rule(crash=st.sampled_from(Crash), seconds=st.sampled_from([2.0, 5.0, 12.0]))
    def the_process_will_die(self, crash: Crash, seconds: float) -> None:
        self.store.crash = crash
        self.store.run(seconds)

    @rule(fails=st.booleans())
    def the_disk(self, fails: bool) -> None:
        self.store.disk_fails = fails

    @rule(down=st.booleans())
    def streamelements(self, down: bool) -> None:
        self.store.down = down

    @rule(jwt=st.sampled_from([JwtState.EXPIRED, JwtState.REFUSED, JwtState.MISSING]), seconds=st.integers(0, 900))
    def the_token_is_bad_for_a_while(self, jwt: JwtState, seconds: int) -> None:
        self.store.jwt = jwt
        self.store.run(seconds)
        self.store.jwt = JwtState.GOOD

    @rule(item=ITEMS, cost=st.sampled_from([90, 100, 250]), stock=st.sampled_from([None, None, 0, 1]))
    def the_store_changes(self, item: str, cost: int, stock: int | None) -> None:
        self.store.items[item] = replace(self.store.items[item], cost=cost, stock=stock, enabled=cost != 90)

    @rule(points=st.integers(0, 400))
    def points_come(self, points: int) -> None:
        self.store.points += points

    @rule()
    def buys_something_else_by_hand(self) -> None:
        self.store.buys_by_hand("hat")

    # -- what always holds -------------------------------------------------------------------------------------------
    @invariant()
    def what_is_settled_is_true(self) -> None:
        """`Store` itself watches every POST."""
        if not hasattr(self, "store"):
            return
        booked = [key for key, _ in self.store.booked]
        for key, one in self.store.redemptions().items():
            assert booked.count(key) <= self.store.posts[key] <= 1
            if one.state is State.ACCEPTED:
                assert booked.count(key) == 1
                assert (key, one.bought) in [(of, bought.id) for of, bought in self.store.booked]
            if one.state in (State.REJECTED, State.CHECKED, State.CONFIRMED):
                assert key not in booked
            if one.dry:
                assert not self.store.posts[key]

    def teardown(self) -> None:
        """All is well again; points that went for something else come back, which alone would leave a doubt."""
        if not hasattr(self, "store"):
            return
        store = self.store
        store.down = store.disk_fails = False
        store.jwt, store.crash, store.outcomes = JwtState.GOOD, None, []
        store.points += 100_000
        store.run(7200.0)
        self.what_is_settled_is_true()
        assert all(one.state in FINAL for one in store.redemptions().values())
        assert {one.key: one for one in remembered(store.disk).redemptions} == store.redemptions()
        keys = {key for key, _ in store.booked} - {"by hand"}
        assert keys <= store.redemptions().keys(), "what was bought is known"
        store.restart(1.0)
        posts = store.posts.total()
        store.run(600.0)
        self.what_is_settled_is_true()
        assert store.posts.total() == posts


TestFc48Shopping = Shopping.TestCase
TestFc48Shopping.settings = settings(
    max_examples=150,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("restarts", [False, True])
def test_fc_48_what_is_earned_meanwhile_does_not_hide_what_was_paid(restarts: bool) -> None:
    """Booked, no answer, and not in the list: the balance is all that speaks for it, and it goes on rising."""
    store = Store(0)
    store.tell(f.LookAsked(store.now, ALPHA.login))
    store.run(20)
    store.outcomes = [Outcome.UNKNOWN_BOOKED]
    store.core.observed.channels[ALPHA.id].present_since = store.now - 600
    store.ask("k", "mug")
    while not store.booked:
        store.run(0.1)
    store.booked.clear()
    store.points += 5
    if restarts:
        store.restart(1)
        store.core.observed.channels[ALPHA.id].present_since = store.now - 600
    for _ in range(3):
        store.run(200)
        store.points += 5
    assert store.redemptions()["k"].state is State.UNKNOWN
    assert {one.key: one for one in remembered(store.disk).redemptions} == store.redemptions()


@pytest.mark.parametrize("away", [1.0, 3 * 3600.0])
def test_what_was_bought_before_a_restart_is_spent_not_adjusted(away: float) -> None:
    """A command that bought without a service is gone before a balance shows it."""
    store = Store(0)
    store.tell(f.LookAsked(store.now, ALPHA.login))
    store.run(20)
    store.ask("k", "mug")
    while store.redemptions()["k"].state is not State.ACCEPTED:
        store.run(0.05)
    store.restart(away)
    store.tell(f.LookAsked(store.now, ALPHA.login))
    store.run(20)
    entries = [(one.change, one.delta) for one in store.disk if isinstance(one, LedgerEntry)]
    assert entries == [(Change.OPENING, 0), (Change.SPENT, -100)]
