"""Who gets a room, where rooms are scarce: by value, and without a swap for trifles."""

from __future__ import annotations

import pytest
from core_world import T0, Core, World, at_work, logins, ref
from hypothesis import given, settings
from hypothesis import strategies as st

from allthepoints.base.types import ItemId, Login, SeId
from allthepoints.core import facts as f
from allthepoints.core import facts_points as fp
from allthepoints.core import presence
from allthepoints.core.actions import ElementsRead, FindLoyalty, JoinRooms, PartRooms, ReadBalance, ReadLoyalty
from allthepoints.core.desired import desired
from allthepoints.core.loyalty import Balance, Item, Loyalty, LoyaltyChannel
from allthepoints.core.model import Why
from allthepoints.core.observed import Room
from allthepoints.core.policy import Policy, Wish
from allthepoints.core.records import EventKind
from allthepoints.core.redeem import Redemption, State
from allthepoints.core.refusals import refuse

A, B, C, D = logins(0, 1, 2, 3)


def tell(core: Core, number: int, *, rate: int | None = 30, points: int | None = None, there: bool = True) -> None:
    """What StreamElements says of a channel: so many points an hour (None: loyalty is off)."""
    channel = ref(number)
    core.turn(fp.LoyaltyFound(T0, channel.login, LoyaltyChannel(SeId(f"se{number}"), channel) if there else None))
    if there:
        core.turn(fp.LoyaltyRead(T0, channel.id, Loyalty(amount=rate or 5, interval=3600.0, enabled=rate is not None)))
    if points is not None:
        core.turn(fp.BalanceRead(T0, channel.id, Balance(points)))


def ranked(core: Core) -> list[str]:
    return [core.observed.channels[i].ref.login for i in desired(core.policy, core.observed, core.now)]


def test_by_priority_then_pay_then_a_wish_then_the_rate_then_the_follows() -> None:
    policy = Policy(priority=(D,), wishes=(Wish(C, "Mug"),))
    core = at_work(*range(7), policy=policy, connected=False)
    tell(core, 0, rate=30)
    tell(core, 1, rate=30)
    tell(core, 2, rate=6, points=10)
    core.turn(fp.ItemsRead(T0, ref(2).id, (Item(ItemId("i"), "Mug", 100),)))
    tell(core, 3, there=False)
    tell(core, 4, rate=None)
    tell(core, 5, rate=60)
    assert ranked(core) == ["c3", "c2", "c5", "c0", "c1", "c6", "c4"]
    core.turn(fp.BalanceRead(T0, ref(2).id, Balance(100)))
    assert ranked(core) == ["c3", "c5", "c0", "c1", "c2", "c6", "c4"], "the wish is within reach"


def test_of_equals_the_include_list_goes_first_in_its_order() -> None:
    core = at_work(0, 1, 2, 3, policy=Policy(include=(D, C)), connected=False)
    for number in range(4):
        tell(core, number)
    assert ranked(core) == ["c3", "c2", "c0", "c1"]


def test_who_ignores_us_pays_nobody() -> None:
    core = at_work(0, 1, connected=False)
    tell(core, 0, rate=90)
    assert core.observed.account is not None
    shy = Loyalty(amount=90, interval=3600.0, ignored=frozenset({core.observed.account.login}))
    core.turn(fp.LoyaltyRead(T0, ref(0).id, shy))
    assert ranked(core) == ["c1", "c0"]


def test_the_order_is_found_anew_only_when_something_changed() -> None:
    core = at_work(0, 1)
    o = core.observed
    core.turn(now=T0 + 1)
    queue, order = o.queue, desired(core.policy, o, T0 + 1)
    core.turn(now=T0 + 2)
    assert o.queue is queue
    assert desired(core.policy, o, T0 + 2) is order
    tell(core, 0, rate=30)
    assert o.queue is queue, "one of them changed"
    tell(core, 1, rate=300)
    assert o.queue is queue
    assert ranked(core) == ["c1", "c0"]
    core.policy = Policy(priority=(A,))
    core.turn(f.ConfigTaken(T0 + 3))
    assert o.queue is not queue
    assert ranked(core) == ["c0", "c1"]


@pytest.mark.parametrize("stands", presence.State)
def test_who_is_in_or_on_the_way_goes_before_one_that_pays_a_trifle_more(stands: presence.State) -> None:
    """Whose room is only kept because an echo is owed, is out."""
    core = at_work(0, 1, connected=False)
    o, out = core.observed, stands is presence.State.ABSENT
    tell(core, 0, rate=30)
    tell(core, 1, rate=35)
    assert ranked(core) == ["c1", "c0"]
    o.rooms[1, A] = Room(1, A, ref(0).id, stands, part_owed_until=T0 + 60.0 if out else 0.0)
    o.changes.of_channel(ref(0).id)
    assert ranked(core) == (["c1", "c0"] if out else ["c0", "c1"])


def test_a_refusal_ends_at_its_time_and_changes_the_order_once() -> None:
    core = at_work(0, 1, connected=False)
    o = core.observed
    refusal = refuse(Why.NEEDS_EMAIL, T0, "", None, None)
    o.channels[ref(0).id].refusal = refusal
    o.changes.of_channel(ref(0).id)
    assert refusal.until is not None
    before = desired(core.policy, o, T0)
    assert desired(core.policy, o, refusal.until - 1) is before
    after = desired(core.policy, o, refusal.until)
    assert desired(core.policy, o, refusal.until) is after
    assert desired(core.policy, o, refusal.until + 1) is after
    assert (before, after) == ([ref(1).id], [ref(0).id, ref(1).id])


@pytest.mark.parametrize(("points", "first"), [(10, "c1"), (100, "c0")])
def test_a_wish_that_rests_after_it_was_had_is_met_or_not_as_any_other(points: int, first: str) -> None:
    core = at_work(0, 1, policy=Policy(wishes=(Wish(B, "Mug"),)), connected=False)
    tell(core, 0)
    tell(core, 1, points=points)
    mug = Item(ItemId("i"), "Mug", 100, cooldown_user=3600.0)
    had = Redemption("k", ref(1).id, B, mug.id, 100, T0 - 9, State.ACCEPTED, sent_at=T0 - 8)
    core.observed.elements.redemptions["k"] = had
    core.turn(fp.ItemsRead(T0, ref(1).id, (mug,)))
    assert ranked(core)[0] == first


def sitting(rate_in: int, rate_out: int) -> Core:
    """In c0, with one room; c1 waits."""
    core = at_work(0, 1, policy=Policy(max_rooms=1))
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0, 1, A))
    tell(core, 1, rate=rate_out)
    tell(core, 0, rate=rate_in)
    return core


def test_no_swap_for_trifles() -> None:
    """Half as much again and 10 an hour more is worth a JOIN, and no less."""
    assert sitting(30, 55).did(PartRooms) == []
    assert sitting(30, 56).did(PartRooms) == [PartRooms(1, (A,))]
    assert sitting(1, 11).did(PartRooms) == []


class Rates(World):
    """Each channel pays its own."""

    rates: tuple[int | None, ...] = ()

    def _elements(self, action: ElementsRead) -> f.Fact:
        if isinstance(action, ReadLoyalty):
            rate = self.rates[int(action.channel) - 1000]
            return fp.LoyaltyRead(
                self.now, action.channel, Loyalty(amount=rate or 5, interval=3600.0, enabled=bool(rate))
            )
        return super()._elements(action)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    rates=st.lists(st.sampled_from([None, 0, 5, 30, 30, 31, 44, 60, 300]), min_size=6, max_size=12),
    rooms=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_constant_rates_are_not_swapped_for_ever(rates: list[int | None], rooms: int, seed: int) -> None:
    world = Rates(Policy(max_rooms=rooms), seed)
    world.rates = tuple(rates)
    world.add(*range(len(rates)))
    for number in range(len(rates)):
        world.go_live(number)
    world.run(4 * 3600.0)
    before, sits = len(world.core.done), world.sit_in()
    world.run(4 * 3600.0)
    assert [a for _, a in world.core.done[before:] if isinstance(a, JoinRooms | PartRooms)] == []
    assert world.sit_in() == sits
    assert len(sits) == rooms
    if sum(1 for rate in rates if rate) >= rooms:
        assert all(rates[int(login[1:])] for login in sits), "who pays nobody has no room while another waits"


def test_a_chat_that_pays_nobody_gives_its_room_away() -> None:
    """Loyalty is on, and nothing comes: told after half an hour, and the next one has its turn."""

    class Mean(World):
        def _elements(self, action: ElementsRead) -> f.Fact:
            if action == ReadBalance(ref(0).id, SeId(f"se{ref(0).id}"), Login("me")):
                return fp.BalanceRead(self.now, ref(0).id, Balance(7))
            return super()._elements(action)

    world = Mean(Policy(max_rooms=1))
    world.add(0, 1)
    world.go_live(0)
    world.go_live(1)
    world.run(1500)
    assert world.sit_in() == [A]
    world.run(1200)
    assert world.sit_in() == [B]
    assert [e.channel for e in world.core.events(EventKind.FLAT)] == [ref(0).id]
    world.run(4 * 3600)
    assert world.sit_in() == [B]


def test_nobody_makes_way_for_one_of_whom_nothing_is_known() -> None:
    """A first start where hardly a channel has StreamElements: nobody goes in and out while they are looked up."""

    class Poor(World):
        def _elements(self, action: ElementsRead) -> f.Fact:
            if isinstance(action, FindLoyalty) and action.login != "c17":
                return fp.LoyaltyFound(self.now, action.login, None)
            return super()._elements(action)

    world = Poor(Policy(max_rooms=5))
    world.add(*range(20))
    for number in range(20):
        world.go_live(number)
    world.run(600)
    parts = [login for action in world.core.did(PartRooms) if isinstance(action, PartRooms) for login in action.logins]
    assert len(parts) == 1
    assert Login("c17") in world.sit_in()
