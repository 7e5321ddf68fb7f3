"""Whatever happens, whosever token is there and wherever the process dies: a confirmed intent is sent once, and ends as
what really became of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_memory import remembered
from core_store import ALPHA, OTHER, Crash, Outcome, Store
from core_world import OWN
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from allthepoints.core import facts_points as fp
from allthepoints.core.loyalty import JwtState, Viewer
from allthepoints.core.records import Change, LedgerEntry
from allthepoints.core.redeem import ABSENT_AFTER, FINAL, Reason, State
from allthepoints.core.settling import MEASURED

KEYS = st.sampled_from([f"k{n}" for n in range(8)])
ITEMS = st.sampled_from(["mug", "cup"])


class Shopping(RuleBasedStateMachine):
    """The world, a person with two faces and little patience, and a process that dies now and then."""

    @initialize(
        seed=st.integers(0, 2**16),
        signed_in=st.booleans(),
        tells_time=st.booleans(),
        ahead=st.sampled_from([0.0, 5.0, -7000.0, 7000.0]),
    )
    def start(self, seed: int, signed_in: bool, tells_time: bool, ahead: float) -> None:
        self.count = 0
        self.store = Store(seed, signed_in=signed_in)
        self.store.tells_time, self.store.ahead = tells_time, ahead if tells_time else 0.0
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
        store.jwt, store.whose, store.points = JwtState.GOOD, OWN, store.points + 300
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

    @rule(whose=st.sampled_from([OWN, OTHER]), told=st.booleans(), seconds=st.sampled_from([0.0, 10.0, 300.0, 4000.0]))
    def the_token_is_anothers(self, whose: Viewer, told: bool, seconds: float) -> None:
        """The person has two accounts, and signs in with one or the other."""
        self.store.whose = whose
        if told:
            self.store.tell(fp.JwtGiven(self.store.now))
        self.store.run(seconds)

    @rule(key=KEYS)
    def the_person_says(self, key: str) -> None:
        """What is true, as it stands on the website; it is asked of anything, at any time."""
        store = self.store
        store.tell(fp.SettleAsked(store.now, key, any(key == of for of, _ in store.booked)))

    @rule(item=st.sampled_from(["mug", "cup"]))
    def buys_the_same_by_hand(self, item: str) -> None:
        """Long after the POST of what is unclear: where it is told when, it is nobody's but the person's."""
        store = self.store
        doubts = [one for one in store.redemptions().values() if one.item == item and one.open]
        after = ABSENT_AFTER + MEASURED + 2.0
        told = all(one.sent_at is not None and one.ahead is not None for one in doubts)
        if told and all(store.now > (one.sent_at or 0.0) + after for one in doubts):
            store.buys_by_hand(item)

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
            if one.sent_at is not None:
                assert one.account is not None
            if one.state is State.ACCEPTED:
                assert booked.count(key) == 1
                assert one.by_hand or (key, one.bought) in [(of, bought.id) for of, bought in self.store.booked]
            if one.state in (State.REJECTED, State.CHECKED, State.CONFIRMED):
                assert key not in booked
            if one.dry:
                assert not self.store.posts[key]

    def teardown(self) -> None:
        """All is well again; points that went for something else come back, which alone would leave a doubt. Each
        account has its turn; what still is unclear then (something was bought by hand), the person says.
        """
        if not hasattr(self, "store"):
            return
        store = self.store
        store.down = store.disk_fails = False
        store.jwt, store.crash, store.outcomes = JwtState.GOOD, None, []
        store.points += 100_000
        store.move(OTHER.login, 100_000)
        for whose in (OTHER, OWN):
            store.whose = whose
            store.run(7200.0)
        self.what_is_settled_is_true()
        for key, one in store.redemptions().items():
            if one.open:
                assert any(of == "by hand" and bought.item == one.item for of, bought in store.booked)
                store.tell(fp.SettleAsked(store.now, key, any(key == of for of, _ in store.booked)))
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
    store.tell(fp.LookAsked(store.now, ALPHA.login))
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
    store.tell(fp.LookAsked(store.now, ALPHA.login))
    store.run(20)
    store.ask("k", "mug")
    while store.redemptions()["k"].state is not State.ACCEPTED:
        store.run(0.05)
    store.restart(away)
    store.tell(fp.LookAsked(store.now, ALPHA.login))
    store.run(20)
    entries = [(one.change, one.delta) for one in store.disk if isinstance(one, LedgerEntry)]
    assert entries == [(Change.OPENING, 0), (Change.SPENT, -100)]


def unclear(*, signed_in: bool = False) -> Store:
    """The POST was booked and its answer lost; before anything is read, another account signs in."""
    store = Store(0, signed_in=signed_in)
    store.tell(fp.LookAsked(store.now, ALPHA.login))
    store.run(20)
    store.outcomes = [Outcome.UNKNOWN_BOOKED]
    store.ask("k", "mug")
    while not store.booked:
        store.run(0.1)
    store.whose = OTHER
    store.tell(fp.JwtGiven(store.now))
    return store


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("signed_in", [False, True])
def test_fc_48_another_account_does_not_prove_that_it_never_arrived(restarts: bool, signed_in: bool) -> None:
    store = unclear(signed_in=signed_in)
    if restarts:
        store.restart(10)
    for _ in range(20):
        store.run(400)
        store.tell(fp.LookAsked(store.now, ALPHA.login))
    assert store.redemptions()["k"].state is State.UNKNOWN
    store.whose = OWN
    store.tell(fp.JwtGiven(store.now))
    store.run(60)
    assert (store.redemptions()["k"].state, store.redemptions()["k"].bought) == (State.ACCEPTED, "b0")


def test_fc_48_what_was_confirmed_as_one_account_is_not_sent_as_another() -> None:
    store = Store(0, signed_in=False)
    store.tell(fp.LookAsked(store.now, ALPHA.login))
    store.run(20)
    store.ask("k", "mug")
    store.whose = OTHER  # and nobody says so
    store.run(80)
    one = store.redemptions()["k"]
    assert (one.state, one.reason, store.posts.total()) == (State.REJECTED, Reason.WRONG_ACCOUNT, 0)
    store.ask("again", "mug")
    store.run(20)
    assert (store.redemptions()["again"].state, store.booked_as) == (State.ACCEPTED, {"b0": OTHER.id})


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("restarts", [False, True])
def test_fc_48_the_persons_word_ends_it_and_frees_the_channel(taken: bool, restarts: bool) -> None:
    """Booked, gone from the list, and the price is gone too: readings never settle it."""
    store = unclear()
    store.whose = OWN
    store.booked.clear()
    store.run(4000)
    assert store.redemptions()["k"].state is State.UNKNOWN
    store.ask("beside", "cup")
    store.run(100)
    assert store.redemptions()["beside"].reason is Reason.UNCHECKED, "nothing is bought beside what is unclear"
    store.tell(fp.SettleAsked(store.now, "k", taken), fp.SettleAsked(store.now, "k", not taken))
    one = store.redemptions()["k"]
    assert (one.state, one.by_hand) == (State.ACCEPTED if taken else State.REJECTED, True)
    if restarts:
        store.restart(5)
    store.run(4000)
    assert {row.key: row for row in remembered(store.disk).redemptions}["k"] == store.redemptions()["k"] == one
    assert store.posts == {"k": 1}
    store.ask("next", "cup")
    store.run(30)
    assert store.redemptions()["next"].state is State.ACCEPTED


def test_fc_48_a_word_about_one_that_died_with_its_process_is_heard_at_once() -> None:
    """The command is the service for this errand: it says so in its first turn."""
    store = unclear()
    store.restart(300)
    store.core.observed.elements.redemptions["k"] = replace(store.redemptions()["k"], state=State.SENT)
    store.tell(fp.SettleAsked(store.now, "k", True))
    assert (store.redemptions()["k"].state, store.redemptions()["k"].by_hand) == (State.ACCEPTED, True)


@pytest.mark.parametrize("ahead", [7200.0, -7200.0])
def test_fc_48_a_clock_that_is_hours_off_settles_all_the_same(ahead: float) -> None:
    store = Store(0)
    store.tells_time, store.ahead = True, ahead
    store.tell(fp.LookAsked(store.now, ALPHA.login))
    store.run(20)
    store.outcomes = [Outcome.UNKNOWN_BOOKED, Outcome.UNKNOWN_LOST]
    for key, state in (("k1", State.ACCEPTED), ("k2", State.REJECTED)):
        store.ask(key, "mug")
        store.run(300)
        assert store.redemptions()[key].state is state


@pytest.mark.parametrize("seconds", [10.0, 25.0, 40.0])
def test_an_outage_shorter_than_the_checks_does_not_end_them(seconds: float) -> None:
    store = Store(3)
    store.tell(fp.LookAsked(store.now, ALPHA.login))
    store.run(20)
    store.down = True
    store.run(1200)  # so long that it is asked seldom
    store.ask("k", "mug")
    store.run(seconds)
    store.down = False
    store.run(20)
    assert store.redemptions()["k"].state is State.ACCEPTED
