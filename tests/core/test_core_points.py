"""What StreamElements is asked, in which order and how often; what its answers and silences change."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
from core_world import OWN, T0, Core, World, at_work, live, logins, ref, stream

from allthepoints.base.types import ItemId, Login, SeId
from allthepoints.core import facts as f
from allthepoints.core import facts_points as fp
from allthepoints.core.actions import (
    CheckJwt,
    ElementsRead,
    FindLoyalty,
    ReadBalance,
    ReadHistory,
    ReadItems,
    ReadLoyalty,
)
from allthepoints.core.apply_points import NO_MEANS
from allthepoints.core.loyalty import Balance, JwtState, Loyalty, LoyaltyChannel
from allthepoints.core.model import ChannelRef, Stream
from allthepoints.core.plan_points import GAP, GAP_WAITED_FOR
from allthepoints.core.policy import Policy, Wish
from allthepoints.core.records import (
    Change,
    ChannelKnown,
    EventKind,
    LedgerEntry,
    LoyaltyKnown,
    PurseKept,
    Restored,
)
from allthepoints.core.redeem import Redemption, State
from allthepoints.core.restore import restore

A, B = logins(0, 1)
ID, SE = ref(0).id, SeId("se0")
PAYS = Loyalty(amount=5, interval=600.0)
DAY = 86_400.0


def at_home(core: Core, number: int = 0, loyalty: Loyalty = PAYS) -> Core:
    """It is known where the channel is and what it pays, and we are in its chat."""
    now, login = core.now, ref(number).login
    core.turn(f.JoinWritten(now, 1, (login,)), f.Joined(now, 1, login))
    core.turn(fp.LoyaltyFound(now, login, LoyaltyChannel(SeId(f"se{number}"), ref(number))))
    core.turn(fp.LoyaltyRead(now, ref(number).id, loyalty))
    return core


class Told(World):
    """A world in which StreamElements says what a test wants."""

    says: Callable[[ElementsRead], f.Fact | None] = staticmethod(lambda _: None)

    def _elements(self, action: ElementsRead) -> f.Fact:
        said = self.says(action)
        return super()._elements(action) if said is None else replace(said, at=self.now)


def told_world(*numbers: int, policy: Policy | None = None) -> Told:
    world = Told(policy or Policy())
    world.add(*numbers)
    for number in numbers:
        world.go_live(number)
    return world


def times(world: World, *wanted: ElementsRead) -> list[float]:
    return [at for at, action in world.core.done if action in wanted]


def asked(core: Core, since: int = 0) -> list[ElementsRead]:
    return [a for _, a in core.done[since:] if isinstance(a, ElementsRead)]


# -- pace and order ------------------------------------------------------------------------------------------------
def test_reads_go_out_one_by_one() -> None:
    world = World(Policy(), slow=4.0)
    world.add(*range(30))
    for number in range(30):
        world.go_live(number)
    world.run(3600)
    times = [at for at, action in world.core.done if isinstance(action, ElementsRead)]
    assert len(times) > 300
    assert all(after - before >= GAP for before, after in itertools.pairwise(times))
    read = {a.channel for a in asked(world.core) if isinstance(a, ReadBalance)}
    assert len(read) == 30, "nobody is forgotten"
    each = [at for at, a in world.core.done if isinstance(a, ReadBalance) and a.channel == ID]
    assert all(300 <= after - before <= 360 for before, after in itertools.pairwise(each[1:]))


def test_never_two_at_a_time() -> None:
    core = at_work(0, 1)
    assert len(asked(core)) == 1
    core.turn(now=T0 + 60)
    assert len(asked(core)) == 1, "it has not answered yet"


def test_what_a_person_waits_for_goes_first() -> None:
    world = told_world(*range(40))
    world.run(20)
    before = len(world.core.done)
    world.tell(fp.LookAsked(world.now, Login("c39")))
    world.run(4)
    mine = {FindLoyalty(Login("c39")), *(a for a in asked(world.core) if getattr(a, "channel", "") == ref(39).id)}
    first = [type(action) for action in asked(world.core, before) if action in mine]
    assert first == [FindLoyalty, ReadLoyalty, ReadBalance, ReadItems]
    assert len([a for a in asked(world.core, before)[:5] if a not in mine]) <= 1, "but for what was on its way"
    spans = [at for at, action in world.core.done[before:] if isinstance(action, ElementsRead)]
    assert min(after - one for one, after in itertools.pairwise(spans)) >= GAP_WAITED_FOR


def test_what_rests_is_in_nobodys_way() -> None:
    """A person waits for a balance that says no, and for a doubt that is looked at later: the others are read on."""
    world = told_world(*range(5))
    world.run(60)
    world.says = lambda read: (
        fp.ElementsFailed(0, "balance", "403", 0.5, ID, refused=True)
        if isinstance(read, ReadBalance) and read.channel == ID
        else None
    )
    doubt = Redemption(
        "k", ID, A, ItemId("i"), 5, T0, State.UNKNOWN, SE, sent_at=T0, known=(), points_before=0, account=OWN.id
    )
    world.core.observed.elements.redemptions["k"] = doubt
    world.tell(fp.LookAsked(world.now, A))
    world.run(1800)
    others = [action for action in asked(world.core) if isinstance(action, ReadBalance) and action.channel != ID]
    assert len(others) >= 4 * 6
    history = [at for at, action in world.core.done if isinstance(action, ReadHistory)]
    assert len(history) < 30
    assert all(after - one >= 20.0 for one, after in itertools.pairwise(history))


def test_without_us_there_one_last_reading() -> None:
    world = World(Policy())
    world.add(0)
    world.go_live(0)
    world.run(1200)
    world.go_off(0)
    world.run(7200)
    last = max(at for at, a in world.core.done if isinstance(a, ReadBalance))
    left_at = world.core.observed.elements.purses[ID].left_at
    assert left_at + 300 <= last <= left_at + 310
    assert last + 3600 < world.now


@pytest.mark.parametrize(("says", "every"), [(replace(PAYS, enabled=False), 1200), (PAYS, 300)])
def test_what_pays_nobody_is_read_more_seldom(says: Loyalty, every: float) -> None:
    world = told_world(0)
    world.says = lambda read: fp.LoyaltyRead(0, ID, says) if isinstance(read, ReadLoyalty) else None
    world.run(3 * 3600)
    at = [at for at, action in world.core.done if isinstance(action, ReadBalance)]
    assert all(every <= after - one <= every + 10 for one, after in itertools.pairwise(at[1:]))


# -- who is where --------------------------------------------------------------------------------------------------
def test_fc_16_a_rename_is_looked_up_again() -> None:
    core = at_home(at_work(0))
    core.turn(fp.BalanceRead(T0 + 1, ID, Balance(7)))
    core.turn(live(T0 + 30, stream_of("new")))
    assert FindLoyalty(Login("new")) in asked(core)
    core.turn(fp.LoyaltyFound(T0 + 31, Login("new"), LoyaltyChannel(SE, ChannelRef(ID, Login("new"), "New"))))
    purse = core.observed.elements.purses[ID]
    assert (purse.se, purse.login, purse.balance) == (SE, "new", Balance(7))


def stream_of(login: str) -> Stream:
    return stream(ChannelRef(ID, Login(login), login))


def test_fc_16_a_name_that_is_anothers_there() -> None:
    """StreamElements knows the new login as the one who had it before: nothing of that one is ours."""
    core = at_home(at_work(0))
    core.turn(fp.BalanceRead(T0 + 1, ID, Balance(7)))
    core.turn(live(T0 + 30, stream_of("new")))
    other = ChannelRef(ref(77).id, Login("new"), "New")
    core.turn(fp.LoyaltyFound(T0 + 31, Login("new"), LoyaltyChannel(SeId("se77"), other)))
    purse = core.observed.elements.purses[ID]
    assert (purse.se, purse.nowhere) == (None, True)
    assert other.id not in core.observed.channels, "nobody asked about that one"
    assert core.observed.addresses[Login("new")] == ID, "Helix says who is at a login"
    before = len(core.done)
    for minute in range(1, 60):
        core.turn(live(T0 + 60 * minute, stream_of("new")))
        core.observed.elements.pending = False
    assert asked(core, before) == [], "asked again in a day"


def test_not_here_is_doubted_after_a_day() -> None:
    core = at_home(at_work(0))
    core.turn(fp.BalanceRead(T0 + 1, ID, None))
    assert core.observed.elements.purses[ID].balance == Balance(0)
    core.turn(fp.BalanceRead(T0 + DAY + 1, ID, None), live(T0 + DAY + 1, 0))
    core.turn(now=T0 + DAY + 4)
    assert asked(core)[-1] == FindLoyalty(A)
    core.turn(fp.LoyaltyFound(T0 + DAY + 5, A, None))
    assert core.observed.elements.purses[ID].nowhere
    assert LoyaltyKnown(T0 + DAY + 5, ID, None) in core.records


@pytest.mark.parametrize("what", ["channel", "loyalty", "balance", "items"])
def test_a_clear_no_rests_for_an_hour(what: str) -> None:
    """And concerns that request alone."""
    read: dict[str, ElementsRead] = {
        "channel": FindLoyalty(A),
        "loyalty": ReadLoyalty(ID, SeId(f"se{ID}")),
        "balance": ReadBalance(ID, SeId(f"se{ID}"), Login("me")),
        "items": ReadItems(ID, SeId(f"se{ID}")),
    }
    world = told_world(0, 1, policy=Policy(wishes=(Wish(A, "Mug"),)))
    no = fp.ElementsFailed(0, what, "403", 0.5, refused=True)
    no = replace(no, login=A) if what == "channel" else replace(no, channel=ID)
    world.says = lambda action: no if action == read[what] else None
    world.run(2.5 * NO_MEANS)
    at = times(world, read[what])
    assert len(at) == 3
    assert all(NO_MEANS <= after - one <= NO_MEANS + 20 for one, after in itertools.pairwise(at))
    others = [a for a in asked(world.core) if isinstance(a, ReadBalance) and a.channel == ref(1).id]
    assert len(others) >= 25
    assert world.core.events(EventKind.ELEMENTS_FAILED) == []


def test_fc_31_a_history_that_is_refused_doubts_the_token() -> None:
    """What needs no token goes on meanwhile."""
    world = told_world(*range(3))
    world.run(60)
    world.says = lambda read: (
        fp.ElementsFailed(0, "history", "401", 0.5, refused=True) if isinstance(read, ReadHistory) else None
    )
    doubt = Redemption("k", ID, A, ItemId("i"), 5, T0, State.UNKNOWN, SE, sent_at=T0, account=OWN.id)
    world.core.observed.elements.redemptions["k"] = doubt
    before = len(world.core.done)
    world.run(1500)
    assert 2 <= [type(a) for _, a in world.core.done[before:]].count(ReadHistory) <= 4
    assert 2 <= [type(a) for _, a in world.core.done[before:]].count(CheckJwt) <= 4
    assert [type(a) for _, a in world.core.done[before:]].count(ReadBalance) >= 12
    before = len(world.core.done)
    world.tell(fp.JwtSeen(world.now, JwtState.REFUSED), fp.JwtSeen(world.now, JwtState.GOOD, None, OWN))
    world.run(5)
    assert ReadHistory in [type(a) for _, a in world.core.done[before:]], "another token"


# -- outages -------------------------------------------------------------------------------------------------------
def test_fc_50_down_is_one_event_and_no_storm() -> None:
    world = World(Policy())
    world.add(*range(10))
    for number in range(10):
        world.go_live(number)
    world.run(1500)
    world.elements_down = True
    before = len(asked(world.core))
    world.run(3 * 3600)
    assert len(asked(world.core)) - before < 3 * 3600 / 55, "backed off"
    world.elements_down = False
    world.run(900)
    kinds = (EventKind.ELEMENTS_FAILED, EventKind.ELEMENTS_BACK, EventKind.FLAT)
    assert [e.kind for e in world.core.events(*kinds)] == [EventKind.ELEMENTS_FAILED, EventKind.ELEMENTS_BACK]


def test_they_ask_us_to_wait() -> None:
    core = at_work(0, 1)
    core.turn(fp.ElementsFailed(T0 + 1, "channel", "429", 0.5, login=A, until=T0 + 500))
    before = len(core.done)
    core.turn(live(T0 + 499, 0, 1))
    assert asked(core, before) == []
    core.turn(live(T0 + 500, 0, 1))
    assert len(asked(core, before)) == 1


def test_what_came_before_a_restart_was_earned_whoever_reads_it() -> None:
    """A command without any chat reads the balance after the service has stopped."""
    kept = PurseKept(ID, T0, SE, PAYS, Balance(75), T0, present_s=300.0, left_at=T0 + 300)
    observed = restore(Restored(channels=(ChannelKnown(T0, ref(0), None),), purses=(kept,)), T0 + 330)
    core = Core(Policy(presence=False), observed, T0 + 330)
    core.turn(fp.BalanceRead(T0 + 340, ID, Balance(80)))
    entries = [(entry.change, entry.delta) for entry in core.records if isinstance(entry, LedgerEntry)]
    assert entries == [(Change.EARNED, 5)]
