"""When a closed chat may be asked again: the rule of each reason, by hand, next session, later; and full rooms."""

from __future__ import annotations

import itertools

import pytest
from core_world import T0, Core, World, at_work, check_window, live, logins, ref, stream
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.base.types import StreamId
from allthepoints.core import facts as f
from allthepoints.core.actions import JoinRooms, PartRooms
from allthepoints.core.model import Lost, Why
from allthepoints.core.policy import Policy
from allthepoints.core.records import ChannelKnown, EventKind, RefusalCleared, RefusalSet, Restored
from allthepoints.core.refusals import RULES, Refusal, Retry, refuse
from allthepoints.core.restore import restore

A, B = logins(0, 1)
BY_HAND = {Why.BANNED, Why.PUT_OUT}
LATER = {
    Why.ROOM_LIMIT,
    Why.UNANSWERED,
    Why.ACCOUNT_SUSPENDED,
    Why.NEEDS_EMAIL,
    Why.NEEDS_PHONE,
}


def refused(why: Why) -> Core:
    """Channel 0 refused us at T0 + 1."""
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)), f.JoinRefused(T0 + 1, 1, A, why, "their words"))
    return core


def joins(core: Core, since: float) -> int:
    return sum(isinstance(action, JoinRooms) for at, action in core.done if at >= since)


# -- the table -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("why", Why)
def test_every_reason_has_a_rule(why: Why) -> None:
    expected = Retry.BY_HAND if why in BY_HAND else Retry.LATER if why in LATER else Retry.NEXT_SESSION
    assert RULES[why].retry is expected


@pytest.mark.parametrize("why", sorted(set(Why) - {Why.ROOM_LIMIT}))
def test_what_opens_a_chat_again(why: Why) -> None:
    core = refused(why)
    assert core.states() == {}
    core.turn(live(T0 + 10, 0))
    assert joins(core, T0 + 1) == 0, "not in this session, not soon"
    core.turn(live(T0 + 20, stream(0, "s2", started_at=T0 + 15)))
    assert joins(core, T0 + 1) == (1 if RULES[why].retry is Retry.NEXT_SESSION else 0)
    core.turn(now=T0 + 86_400)
    assert joins(core, T0 + 1) == (0 if RULES[why].retry is Retry.BY_HAND else 1)


@pytest.mark.parametrize("why", sorted(set(Why) - {Why.ROOM_LIMIT}))
def test_by_hand_always_helps(why: Why) -> None:
    core = refused(why)
    assert core.turn(f.RetryAsked(T0 + 2, A))[-1] == JoinRooms(1, (A,))
    assert [r.channel for r in core.records if isinstance(r, RefusalCleared)] == [ref(0).id]
    assert len(core.events(EventKind.RETRIED)) == 1


# -- a no that comes late ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("why", [Why.BANNED, Why.SUSPENDED, Why.OTHER])
def test_a_no_to_a_join_that_was_given_up_counts(why: Why) -> None:
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)))
    core.fold(f.Ticked(T0 + 15))
    assert core.states() == {}, "given up"
    core.turn(f.JoinRefused(T0 + 16, 1, A, why, "their words"))
    assert joins(core, T0 + 1) == 0
    assert [(r.channel, r.why) for r in core.records if isinstance(r, RefusalSet)] == [(ref(0).id, why)]


@pytest.mark.parametrize(("why", "stays"), [(Why.SUSPENDED, True), (Why.ROOM_LIMIT, True), (Why.BANNED, False)])
def test_a_late_no_against_a_newer_yes(why: Why, stays: bool) -> None:
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0 + 1, 1, A), f.ReconnectAsked(T0 + 2, 1))
    core.turn(f.Welcomed(T0 + 3, 2))
    core.turn(f.JoinWritten(T0 + 3, 2, (A,)), f.Joined(T0 + 4, 2, A))
    core.turn(f.Parted(T0 + 5, 1, A))
    core.turn(f.JoinRefused(T0 + 6, 1, A, why, "their words"))
    assert core.states() == {(2, "c0"): "present" if stays else "leaving"}


def test_a_channel_that_helix_does_not_know_is_looked_for_twice_a_session() -> None:
    first = refuse(Why.NO_SUCH_CHANNEL, 0.0, "", StreamId("s1"), None)
    assert first.stands(StreamId("s1"), RULES[Why.NO_SUCH_CHANNEL].first - 1)
    assert not first.stands(StreamId("s1"), RULES[Why.NO_SUCH_CHANNEL].first)
    second = refuse(Why.NO_SUCH_CHANNEL, 400.0, "", StreamId("s1"), first)
    assert second.stands(StreamId("s1"), 400.0 + 86_400)
    assert not second.stands(StreamId("s2"), 401.0)
    third = refuse(Why.NO_SUCH_CHANNEL, 900.0, "", StreamId("s2"), second)
    assert not third.stands(StreamId("s2"), 900.0 + RULES[Why.NO_SUCH_CHANNEL].first)


@given(why=st.sampled_from(sorted(LATER)), times=st.integers(1, 60))
def test_delays_double_up_to_the_cap(why: Why, times: int) -> None:
    said: Refusal | None = None
    waits = []
    for _ in range(times):
        said = refuse(why, 0.0, "", None, said)
        assert said.until is not None
        waits.append(said.until)
    rule = RULES[why]
    assert waits[0] == rule.first
    assert all(b == min(rule.cap, 2 * a) for a, b in itertools.pairwise(waits))


def test_a_refusal_outlives_the_process() -> None:
    core = refused(Why.BANNED)
    told = tuple(r for r in core.records if isinstance(r, RefusalSet))
    again = Core(observed=restore(Restored((ref(0).id), (ChannelKnown(T0, ref(0), 0),), told), T0 + 100))
    again.turn(f.SignedIn(T0 + 100, f.Account(f.UserId("1"), A), True))
    again.turn(live(T0 + 101, stream(0, "s9", started_at=T0 + 90)), f.Welcomed(T0 + 101, 1))
    assert joins(again, 0) == 0


# -- bans ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("order", ["ban, part", "part, ban", "part alone", "ban alone"])
def test_a_ban_while_present(order: str) -> None:
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0 + 1, 1, A))
    for what in order.removesuffix(" alone").split(", "):
        core.turn(f.Banned(T0 + 2, 1, A) if what == "ban" else f.Parted(T0 + 2, 1, A))
    refusal = core.observed.channels[ref(0).id].refusal
    assert refusal is not None
    assert refusal.why is (Why.PUT_OUT if order == "part alone" else Why.BANNED)
    core.turn(live(T0 + 30, stream(0, "s2", started_at=T0 + 20)), now=T0 + 90_000)
    assert joins(core, T0 + 2) == 0
    assert core.observed.channels[ref(0).id].present_since is None or core.did(PartRooms)


def test_a_ban_is_not_undone_by_a_line_that_was_overtaken() -> None:
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0 + 1, 1, A))
    core.turn(f.Banned(T0 + 2, 1, A), f.Joined(T0 + 2, 1, A, ref(0).id))
    assert core.did(PartRooms) == [PartRooms(1, (A,))]
    core.turn(f.Parted(T0 + 3, 1, A), f.Joined(T0 + 3, 1, A))
    assert core.observed.channels[ref(0).id].refusal is not None
    core.turn(live(T0 + 30, stream(0, "s2", started_at=T0 + 20)))
    assert joins(core, T0 + 1) == 0


def test_a_ban_is_not_made_milder_by_a_look_up() -> None:
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)))
    core.observed.channels[ref(0).id].look_up = True
    core.turn(f.Banned(T0 + 1, 1, A), f.UsersRead(T0 + 2, (ref(0),), frozenset(), frozenset()))
    refusal = core.observed.channels[ref(0).id].refusal
    assert refusal is not None
    assert refusal.why is Why.BANNED


def test_a_forced_part_may_be_taken_for_less_than_a_ban() -> None:
    core = at_work(0, policy=Policy(forced_part_is_ban=False))
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0 + 1, 1, A))
    assert core.turn(f.Parted(T0 + 2, 1, A)) == (JoinRooms(1, (A,)),)


def test_a_timeout_changes_nothing_but_is_told() -> None:
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0 + 1, 1, A))
    assert core.turn(f.TimedOut(T0 + 2, 1, A, 350)) == ()
    assert [e.data for e in core.events(EventKind.TIMED_OUT)] == [{"seconds": 350}]
    assert core.states() == {(1, "c0"): "present"}


def test_one_alert_for_one_reason() -> None:
    core = refused(Why.SUSPENDED)
    for session in range(2, 6):
        at = T0 + 100 * session
        core.turn(live(at, stream(0, f"s{session}", started_at=at)))
        core.turn(f.JoinWritten(at, 1, (A,)), f.JoinRefused(at + 1, 1, A, Why.SUSPENDED))
    assert joins(core, T0 + 1) == 4
    assert len(core.events(EventKind.REFUSED)) == 1


# -- full rooms ----------------------------------------------------------------------------------------------------
def crowded(live_now: int, allowed: int) -> World:
    world = World(Policy(), slow=0.2)
    world.add(*range(live_now))
    for number in range(live_now):
        world.go_live(number)
    world.rooms_allowed = allowed
    return world


def test_the_servers_cap_is_kept_and_tried_with_one_at_a_time() -> None:
    world = crowded(30, allowed=10)
    world.run(600)
    assert len(world.sit_in()) == 10
    cap = world.core.observed.cap
    assert cap is not None
    assert cap.rooms == 10
    probes = [a for at, a in world.core.done if isinstance(a, JoinRooms) and at > T0 + 11]
    assert all(len(a.logins) == 1 for a in probes)
    assert 3 <= len(probes) <= 6, "30, 60, 120, 240, 300 s"
    assert len(world.core.events(EventKind.REFUSED)) == 1
    assert not any(c.refusal for c in world.core.observed.channels.values())


def test_the_cap_is_lifted_by_success() -> None:
    world = crowded(30, allowed=10)
    world.run(300)
    world.rooms_allowed = 100
    world.run(360)
    assert len(world.sit_in()) == 30
    assert world.core.observed.cap is None
    check_window(world.all_joins, 20)


def test_slots_of_a_dead_connection_are_freed_late() -> None:
    """`freed_late`: for 45 s the server counts the rooms of the connection that is gone."""
    world = crowded(90, allowed=100)
    world.run(90)
    assert len(world.sit_in()) == 90
    for conn in [c for c, line in world.lines.items() if not line.gone]:
        world.end(conn, Lost.SILENT, freed_late=True)
    world.run(30)
    assert len(world.sit_in()) <= 20
    world.run(200)
    assert len(world.sit_in()) == 90
    assert world.core.observed.cap is None


def test_whoever_goes_off_under_a_cap_makes_room() -> None:
    world = crowded(12, allowed=10)
    world.run(60)
    gone = world.sit_in()[0]
    world.go_off(int(gone.removeprefix("c")))
    world.run(400)
    assert len(world.sit_in()) == 10
    assert gone not in world.sit_in()


def test_stream_of_a_refusal() -> None:
    said = refuse(Why.SUSPENDED, T0, "", StreamId("s1"), None)
    assert [said.stands(s, T0) for s in (None, StreamId("s1"), StreamId("s2"))] == [True, True, False]
