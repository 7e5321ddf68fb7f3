"""What is said of each channel, and of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from core_room import ALPHA, BETA, ID, POLICY, T, state
from core_world import T0, Core, World, at_work, follows, live, logins, ref, signed_in, stream

from allthepoints.base.types import Login, StreamId, UserId
from allthepoints.core import facts as f
from allthepoints.core.desired import desired, room_cap
from allthepoints.core.model import ChannelRef, Lost, Stream, StreamKind, Why
from allthepoints.core.observed import Observed
from allthepoints.core.place import Census, Place, census, place
from allthepoints.core.policy import Policy
from allthepoints.core.presence import State
from allthepoints.core.refusals import Refusal

A, B = logins(0, 1)
MEANT = Policy(include=(ALPHA,))


def told(core: Core, number: int = 0) -> Place:
    o = core.observed
    slots = set(desired(core.policy, o, core.now)[: room_cap(core.policy, o, core.now)])
    return place(core.policy, o, o.channels[ref(number).id], slots, core.now)


def asked() -> Core:
    core = at_work(0, 1)
    core.turn(f.JoinWritten(T0, 1, (A, B)))
    return core


def present() -> Core:
    core = asked()
    core.turn(f.Joined(T0 + 1, 1, A), f.Joined(T0 + 1, 1, B))
    return core


def leaving() -> Core:
    core = present()
    core.policy = Policy(paused=frozenset({A}))
    core.turn(f.ConfigTaken(T0 + 2))
    return core


def paused() -> Core:
    core = leaving()
    core.turn(f.Parted(T0 + 3, 1, A))
    return core


def excluded() -> Core:
    core = at_work(0, policy=Policy(exclude=frozenset({A})))
    core.turn(now=T0 + 1)
    return core


def refused() -> Core:
    core = asked()
    core.turn(f.JoinRefused(T0 + 1, 1, A, Why.SUSPENDED))
    return core


def refused_later_is_over() -> Core:
    core = asked()
    core.turn(f.JoinRefused(T0 + 1, 1, A, Why.NEEDS_EMAIL))
    core.observed.connections.clear()
    core.now = T0 + 90_000
    return core


def offline() -> Core:
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0, 1, A))
    core.turn(live(T0 + 30, asked=[0]), live(T0 + 211, asked=[0]))
    core.turn(f.Parted(T0 + 212, 1, A))
    return core


def never_looked() -> Core:
    core = Core()
    core.turn(signed_in(), follows(T0, 0))
    return core


def no_slot() -> Core:
    return at_work(1, 0, policy=Policy(max_rooms=1))


def room_limit() -> Core:
    core = at_work(1, 0)
    core.turn(f.JoinWritten(T0, 1, (A, B)), f.Joined(T0, 1, B), f.JoinRefused(T0 + 1, 1, A, Why.ROOM_LIMIT))
    return core


def budget() -> Core:
    return at_work(*range(1, 21), 0)


def unanswered() -> Core:
    core = at_work(0)
    for _ in range(3):
        core.turn(f.JoinWritten(core.now, 1, (A,)))
        core.turn(now=core.now + 15)
    return core


def signed_out() -> Core:
    core = at_work(0)
    core.turn(f.SignInLost(T0 + 1, "revoked"), f.ConnectionLost(T0 + 1, 1, Lost.CLOSED, 0.0))
    return core


def woke() -> Core:
    core = present()
    core.turn(f.Woke(T0 + 9000, 8000.0))
    core.turn(f.ConnectionLost(T0 + 9000, 1, Lost.OURS, 0.0))
    return core


def moved() -> Core:
    core = at_work(0, followed=[0, 5], connected=False)
    core.turn(live(T0 + 5, stream(ref(5, "c0"))))
    return core


CASES: list[tuple[Callable[[], Core], str, str | None]] = [
    (asked, "asked", None),
    (present, "present", None),
    (leaving, "leaving", None),
    (paused, "absent", "paused"),
    (excluded, "absent", "excluded"),
    (refused, "refused", "suspended"),
    (refused_later_is_over, "waiting", "connecting"),
    (offline, "absent", "offline"),
    (never_looked, "absent", None),
    (lambda: at_work(stream(0, kind=StreamKind.RERUN)), "absent", "rerun"),
    (no_slot, "waiting", "no_slot"),
    (room_limit, "waiting", "room_limit"),
    (budget, "waiting", "join_budget"),
    (unanswered, "waiting", "unanswered"),
    (lambda: at_work(0, connected=False), "waiting", "connecting"),
    (signed_out, "waiting", "signed_out"),
    (woke, "waiting", "checking"),
    (moved, "waiting", "moved"),
]


@pytest.mark.parametrize(("make", "state", "reason"), CASES, ids=[f"{s}-{r}-{n}" for n, (_, s, r) in enumerate(CASES)])
def test_what_is_said(make: Callable[[], Core], state: str, reason: str | None) -> None:
    assert told(make()) == Place(state, reason)


@pytest.mark.parametrize(
    ("stands", "proven", "told"),
    [
        (State.ASKED, False, Place("asked")),
        (State.PRESENT, True, Place("present")),
        (State.PRESENT, False, Place("absent")),
        (State.LEAVING, True, Place("leaving")),
        (State.LEAVING, False, Place("leaving")),
        (State.ABSENT, False, Place("absent")),
    ],
)
def test_fc_01_a_room_of_which_nobody_says_any_more_that_we_are_in_it_is_none(
    stands: State, proven: bool, told: Place
) -> None:
    o = state(stands)
    o.rooms[1, ALPHA].proven = proven
    assert place(POLICY, o, o.channels[ID], frozenset(), T) == told


OLD = Login("old")
"""Under which the channel was known before."""


def shown(room: dict[str, Any] | None = None, **channel: Any) -> Observed:
    """On the air, and known by another name as well, in which the config may mean it."""
    o = state() if room is None else state(State.PRESENT, **room)
    o.names[OLD], o.stale = ID, False
    o.channels[ID].live = True
    o.channels[ID].stream = Stream(StreamId("s2"), o.channels[ID].ref, StreamKind.LIVE, "", T)
    for name, value in channel.items():
        setattr(o.channels[ID], name, value)
    return o


RERUN = Stream(StreamId("s2"), ChannelRef(ID, ALPHA, "Alpha"), StreamKind.RERUN, "", T)


@pytest.mark.parametrize(
    ("policy", "changes", "told"),
    [
        (MEANT, {}, Place("waiting", "connecting")),
        (MEANT, {"ask_not_before": T}, Place("waiting", "connecting")),
        (MEANT, {"ask_not_before": T + 1}, Place("waiting", "unanswered")),
        (MEANT, {"refusal": Refusal(Why.SUSPENDED, T, "", StreamId("s2"), None)}, Place("refused", "suspended")),
        (MEANT, {"refusal": Refusal(Why.SUSPENDED, T, "", StreamId("s1"), None)}, Place("waiting", "connecting")),
        (MEANT, {"room": {"stranger": BETA}}, Place("waiting", "moved")),
        (MEANT, {"room": {}}, Place("waiting", "connecting")),
        (Policy(paused=frozenset({OLD})), {}, Place("absent", "paused")),
        (Policy(exclude=frozenset({OLD})), {}, Place("absent", "excluded")),
        (Policy(paused=frozenset({ALPHA}), exclude=frozenset({ALPHA})), {}, Place("absent", "paused")),
        (Policy(paused=frozenset({Login("beta")})), {"live": False}, Place("absent", "offline")),
        (POLICY, {}, Place("absent")),
        (POLICY, {"stream": RERUN}, Place("absent", "rerun")),
        (MEANT, {"stream": RERUN}, Place("absent", "rerun")),
        (MEANT, {"stream": RERUN, "live": None}, Place("absent")),
        (MEANT, {"stream": None}, Place("absent")),
    ],
)
def test_what_is_said_of_one_that_is_on_the_air(policy: Policy, changes: dict[str, Any], told: Place) -> None:
    """Its room, if there is one, is on a connection of which nobody knows whether it still stands."""
    o = shown(**changes)
    if (room := o.rooms.get((1, ALPHA))) is not None:
        room.proven = False
    assert place(policy, o, o.channels[ID], {ID}, T) == told


LATER = Refusal(Why.NEEDS_EMAIL, T - 9, "", None, T)
BANNED = Refusal(Why.BANNED, T - 9, "", None, None)


@pytest.mark.parametrize(
    ("o", "now", "expected"),
    [
        (state(), T, Census(1, 0, 0, 0, 0)),
        (state(State.PRESENT), T, Census(1, 0, 1, 0, 0)),
        (state(State.LEAVING), T, Census(1, 0, 0, 0, 0)),
        (shown(), T, Census(1, 1, 0, 1, 0)),
        (shown(room={}), T, Census(1, 1, 1, 0, 0)),
        (shown(live=False, refusal=BANNED), T, Census(1, 0, 0, 0, 1)),
        (shown(refusal=LATER), T - 1, Census(1, 0, 0, 0, 1)),
        (shown(refusal=LATER), T, Census(1, 1, 0, 1, 0)),
    ],
)
def test_census_of_one(o: Observed, now: float, expected: Census) -> None:
    """Where we still are counts, be it off the air; so does a no, though nobody waits for it."""
    assert census(MEANT, o, now) == expected


def test_in_two_rooms_the_better_word_counts() -> None:
    core = present()
    core.turn(f.ReconnectAsked(T0 + 2, 1), f.Welcomed(T0 + 3, 2))
    core.turn(f.Welcomed(T0 + 3, 2))
    assert told(core).state == "present"


def test_census_counts_wanted_as_what_we_mean_to_be_in() -> None:
    world = World(Policy(max_rooms=3))
    world.add(*range(7))
    for number in range(6):
        world.go_live(number)
    world.go_live(6, StreamKind.RERUN)
    world.banned.add(ref(0).id)
    world.run(60)
    counts = census(world.core.policy, world.core.observed, world.now)
    assert counts == Census(connections=1, wanted=5, present=3, waiting=2, refused=1)


def test_fc_01_asked_is_not_present() -> None:
    core = asked()
    core.turn(f.Joined(T0 + 1, 1, B))
    counts = census(core.policy, core.observed, core.now)
    assert (counts.wanted, counts.present) == (2, 1)


def test_census_of_nothing() -> None:
    core = Core()
    assert census(core.policy, core.observed, core.now) == Census(0, 0, 0, 0, 0)
    assert UserId("9") not in core.observed.channels
