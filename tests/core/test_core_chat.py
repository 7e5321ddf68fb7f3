"""What the chat said, and what it never said, line by line: rooms, connections, and what they cost."""

from __future__ import annotations

from typing import Any

import pytest
from core_room import ALPHA, BETA, HORIZON, ID, OWED, POLICY, T, shown, state

from allthepoints.base.types import Login
from allthepoints.core import facts as f
from allthepoints.core.apply_chat import (
    OVERTAKEN,
    expire,
    join_refused,
    joined,
    keep_budgets,
    parted,
    settle,
)
from allthepoints.core.model import Why
from allthepoints.core.observed import Connection, Phase, Room, RoomCap
from allthepoints.core.policy import Policy
from allthepoints.core.presence import State
from allthepoints.core.records import (
    Event,
    EventKind,
    PresenceClosed,
    PresenceOpened,
    RefusalCleared,
    RefusalSet,
)
from allthepoints.core.refusals import Refusal


# -- what nobody answered ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("stands", "written", "room", "after", "becomes"),
    [
        (State.ASKED, T, {}, 14.9, State.ASKED),
        (State.ASKED, T, {}, 15.0, None),
        (State.ASKED, None, {}, 9_000.0, State.ASKED),  # it has not left us yet
        (State.ASKED, T, {"part_owed_until": OWED}, 15.0, State.ABSENT),  # of an earlier room
        (State.LEAVING, T, {"part_owed_until": OWED}, 9.9, State.LEAVING),
        (State.LEAVING, T, {"part_owed_until": OWED}, 10.0, State.ABSENT),
        (State.LEAVING, T, {"part_owed_until": OWED}, 60.0, None),
        (State.LEAVING, T, {"part_owed_until": OWED, "joined_at": T}, 10.0, State.ABSENT),
        (State.LEAVING, T, {"part_owed_until": OWED, "joined_at": T + 1}, 10.0, State.PRESENT),
        (State.ABSENT, None, {"part_owed_until": OWED}, 59.9, State.ABSENT),
        (State.ABSENT, None, {"part_owed_until": OWED}, 60.0, None),
        (State.PRESENT, T, {}, 9_000.0, State.PRESENT),
    ],
)
def test_fc_10_what_becomes_of_a_room_that_nobody_answers(
    stands: State, written: float | None, room: dict[str, Any], after: float, becomes: State | None
) -> None:
    o = state(stands, written, **room)
    counted = o.changes.chat
    list(expire(o, POLICY, T + after))
    assert shown(o) is becomes
    assert (o.changes.chat > counted) is (becomes is not stands)
    assert o.changes.since(counted) == ([] if becomes is stands else [ID])


def test_fc_10_in_after_all_is_being_in() -> None:
    """Our PART found nothing to leave, and the JOIN took effect after it."""
    o = state(State.LEAVING, joined_at=T + 1)
    told = list(expire(o, POLICY, T + 10))
    assert o.rooms[1, ALPHA].proven
    assert told == [PresenceOpened(T + 10, ID, None), Event(T + 10, EventKind.PRESENT, ID)]


def test_a_part_that_nobody_answers_ends_the_presence_all_the_same() -> None:
    o = state(State.LEAVING, proven=True)
    o.channels[ID].present_since = T - 50
    told = list(expire(o, POLICY, T + 10))
    assert told == [PresenceClosed(T + 10, ID, "parted"), Event(T + 10, EventKind.LEFT, ID, {"why": "parted"})]
    assert o.channels[ID].present_since is None


def test_one_room_that_waits_hides_no_other() -> None:
    o = state(State.ASKED, None)
    o.rooms[1, Login("beta")] = Room(1, Login("beta"), BETA, State.ASKED, T)
    list(expire(o, POLICY, T + 15))
    assert list(o.rooms) == [(1, ALPHA)]


@pytest.mark.parametrize(
    ("welcomed_at", "phase", "kept"),
    [(T - 60, Phase.READY, 0), (T - 59, Phase.READY, 3), (None, Phase.OPENING, 3)],
)
def test_the_newest_connection_says_whether_they_stand_again(
    welcomed_at: float | None, phase: Phase, kept: int
) -> None:
    o = state()
    o.connections[2], o.last_conn, o.connect_failures = Connection(2, phase, welcomed_at), 2, 3
    counted = o.changes.chat
    list(expire(o, POLICY, T))
    assert o.connect_failures == kept
    assert (o.changes.chat > counted) is (kept == 0)
    o = state()
    o.last_conn, o.connect_failures = 2, 3
    list(expire(o, POLICY, T))
    assert o.connect_failures == 3, "it is gone already"


def test_fc_02_what_was_spent_is_forgotten_when_it_no_longer_counts() -> None:
    o = state()
    o.join_times = o.login_times = (T - HORIZON - 1, T - HORIZON, T - HORIZON + 0.1, T)
    list(expire(o, POLICY, T))
    assert o.join_times == o.login_times == (T - HORIZON + 0.1, T)


# -- out -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("stands", "room", "left", "becomes", "refused"),
    [
        (State.PRESENT, {}, None, None, True),
        (State.ASKED, {}, None, None, True),
        (State.LEAVING, {"part_owed_until": OWED}, None, None, False),
        (State.LEAVING, {"part_owed_until": T + 1}, None, None, False),  # late, and asked for all the same
        (State.PRESENT, {"part_owed_until": OWED}, None, State.PRESENT, False),  # an old echo, overtaken
        (State.ASKED, {"part_owed_until": OWED}, None, State.ASKED, False),
        (State.ABSENT, {"part_owed_until": OWED}, None, None, False),
        (State.PRESENT, {"part_owed_until": T + 1}, None, None, True),
        (State.PRESENT, {}, (2, T + 1.1 - OVERTAKEN), None, False),  # the echo of another connection
        (State.PRESENT, {}, (2, T + 1 - OVERTAKEN), None, True),
        (State.PRESENT, {}, (1, T), None, True),
    ],
)
def test_fc_10_a_part_is_our_own_or_somebody_elses(
    stands: State, room: dict[str, Any], left: tuple[int, float] | None, becomes: State | None, refused: bool
) -> None:
    o = state(stands, **room)
    o.channels[ID].left = left
    list(parted(o, POLICY, f.Parted(T + 1, 1, ALPHA)))
    assert shown(o) is becomes
    refusal = o.channels[ID].refusal
    assert (None if refusal is None else refusal.why) is (Why.PUT_OUT if refused else None)
    if becomes is not None:
        assert o.rooms[1, ALPHA].part_owed_until == 0.0, "one PART, one echo"


def test_a_part_where_nobody_is() -> None:
    o = state()
    assert list(parted(o, POLICY, f.Parted(T, 1, ALPHA))) == []
    o = state(State.PRESENT)
    list(parted(o, Policy(forced_part_is_ban=False), f.Parted(T, 1, ALPHA)))
    assert (shown(o), o.channels[ID].refusal) == (None, None)


@pytest.mark.parametrize(("owed", "why", "times"), [(0.0, "put_out", (T + 1,)), (OWED, "parted", ())])
def test_why_a_presence_ended_and_what_its_join_cost(owed: float, why: str, times: tuple[float, ...]) -> None:
    o = state(State.LEAVING, part_owed_until=owed, proven=True, spent=False)
    o.channels[ID].present_since = T - 50
    told = list(parted(o, POLICY, f.Parted(T + 1, 1, ALPHA)))
    assert told == [PresenceClosed(T + 1, ID, why), Event(T + 1, EventKind.LEFT, ID, {"why": why})]
    assert o.join_times == times, "our own echo says nothing of a JOIN"


# -- in, and no ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("stands", "owed", "becomes"),
    [
        (State.ASKED, OWED, T + 1 + OVERTAKEN),  # an echo that is still out may be overtaken, but not by much
        (State.ASKED, T + 3, T + 3),
        (State.LEAVING, OWED, OWED),  # it is the echo of this very leave
    ],
)
def test_fc_10_how_long_an_echo_is_waited_for_once_we_are_in(stands: State, owed: float, becomes: float) -> None:
    o = state(stands, part_owed_until=owed)
    list(joined(o, f.Joined(T + 1, 1, ALPHA)))
    assert o.rooms[1, ALPHA].part_owed_until == becomes


@pytest.mark.parametrize(("rooms", "stays"), [(1, True), (0, False)])
def test_a_limit_is_lifted_by_more_rooms_than_it_allows(rooms: int, stays: bool) -> None:
    o = state(State.ASKED)
    o.cap = RoomCap(rooms, T + 99, T)
    list(joined(o, f.Joined(T + 1, 1, ALPHA)))
    assert (o.cap is not None) is stays


def test_a_yes_clears_all_that_was_held_against_the_room() -> None:
    o = state(State.ASKED, spent=False)
    channel = o.channels[ID]
    channel.unanswered, channel.ask_not_before, channel.look_up = 5, T + 99, True
    channel.silent_on, channel.silent_at = 2, T - 9
    o.connections[1].unanswered = 2
    told = list(joined(o, f.Joined(T + 1, 1, ALPHA)))
    assert (channel.unanswered, channel.ask_not_before, channel.look_up) == (0, 0.0, False)
    assert (channel.silent_on, channel.silent_at) == (None, 0.0)
    assert (o.connections[1].unanswered, o.rooms[1, ALPHA].joined_at, o.join_times) == (0, T + 1, (T + 1,))
    assert told == [PresenceOpened(T + 1, ID, None), Event(T + 1, EventKind.PRESENT, ID)]


@pytest.mark.parametrize(
    ("cap", "expect"),
    [
        (None, RoomCap(0, T + 31, T + 1, 1)),
        (RoomCap(5, T + 60, T - 9, 2), RoomCap(0, T + 60, T - 9, 2)),  # it still stands, and is lower than we thought
        (RoomCap(5, T + 1, T - 9, 2), RoomCap(0, T + 121, T - 9, 3)),
        (RoomCap(5, T, T - 9, 9), RoomCap(0, T + 301, T - 9, 10)),
    ],
)
def test_a_no_for_want_of_rooms_lasts_longer_each_time(cap: RoomCap | None, expect: RoomCap) -> None:
    o = state(State.ASKED)
    o.cap = cap
    told = [record for record in join_refused(o, f.JoinRefused(T + 1, 1, ALPHA, Why.ROOM_LIMIT)) if record]
    assert o.cap == expect
    event = Event(T + 1, EventKind.REFUSED, ID, {"why": Why.ROOM_LIMIT, "rooms": 0})
    assert told == ([event] if cap is None else []), "told once"
    assert o.channels[ID].refusal is None, "it says nothing of the room"


def test_a_no_ends_the_room_and_is_told() -> None:
    o = state(State.PRESENT, spent=False)
    o.connections[1].unanswered = 2
    told = list(join_refused(o, f.JoinRefused(T + 1, 1, ALPHA, Why.SUSPENDED, "words")))
    assert (o.rooms, o.join_times, o.connections[1].unanswered) == ({}, (T + 1,), 0)
    refusal = o.channels[ID].refusal
    assert refusal is not None
    assert (refusal.why, refusal.at, refusal.text) == (Why.SUSPENDED, T + 1, "words")
    assert told == [
        RefusalSet(T + 1, ID, Why.SUSPENDED, "words", None, None, 1),
        Event(T + 1, EventKind.REFUSED, ID, {"why": Why.SUSPENDED, "text": "words"}),
        PresenceClosed(T + 1, ID, Why.SUSPENDED),
        Event(T + 1, EventKind.LEFT, ID, {"why": Why.SUSPENDED}),
    ]


def test_a_room_that_nobody_asked_for_is_believed_where_it_is_known_whose_it_is() -> None:
    o = state()
    o.join_times = (T + 5,)
    told = list(joined(o, f.Joined(T + 1, 1, ALPHA)))
    assert o.rooms == {(1, ALPHA): Room(1, ALPHA, ID, State.PRESENT, joined_at=T + 1, proven=True)}
    assert o.join_times == (T + 1, T + 5), "that was a JOIN that we had given up"
    assert told[0] == PresenceOpened(T + 1, ID, None)
    for fact in (f.Joined(T + 1, 1, Login("nobody")), f.Joined(T + 1, 9, ALPHA)):
        o = state()
        assert list(joined(o, fact)) == []
        assert (o.rooms, o.join_times) == ({}, ())


def test_what_is_known_of_a_room_ends_with_it() -> None:
    o = state(State.ASKED)
    list(joined(o, f.Joined(T + 1, 1, ALPHA)))
    list(joined(o, f.Joined(T + 2, 1, ALPHA)))
    assert o.rooms[1, ALPHA].joined_at == T + 2, "the last word counts"
    o = state(State.LEAVING, part_owed_until=OWED)
    list(expire(o, POLICY, T + 10))
    room = o.rooms[1, ALPHA]
    assert (room.written_at, room.proven) == (None, False)


def test_the_room_of_a_stranger_is_no_presence_until_helix_has_spoken() -> None:
    o = state(State.PRESENT)
    told = list(joined(o, f.Joined(T + 1, 1, ALPHA, BETA)))
    assert (o.rooms[1, ALPHA].stranger, o.rooms[1, ALPHA].proven, o.channels[ID].look_up) == (BETA, False, True)
    assert told[0] == PresenceClosed(T + 1, ID, "moved")
    assert list(joined(o, f.Joined(T + 2, 1, ALPHA))) == [], "another word without an id changes nothing of that"
    told = list(settle(o, o.channels[ID], T + 3))
    assert (o.rooms[1, ALPHA].stranger, o.channels[ID].settled, o.rooms[1, ALPHA].proven) == (None, BETA, True)
    assert told[0] == PresenceOpened(T + 3, ID, None)
    assert list(joined(o, f.Joined(T + 4, 1, ALPHA, BETA))) == [], "that id is settled"


@pytest.mark.parametrize(
    ("why", "stands", "opened"),
    [
        (Why.SUSPENDED, State.ASKED, True),
        (Why.BANNED, State.ASKED, False),  # only by hand
        (Why.SUSPENDED, State.LEAVING, False),  # we are on our way out
    ],
)
def test_being_in_ends_a_refusal_that_time_would_end(why: Why, stands: State, opened: bool) -> None:
    o = state(stands)
    o.channels[ID].refusal = Refusal(why, T - 9, "", None, None)
    told = list(joined(o, f.Joined(T + 1, 1, ALPHA)))
    assert (o.channels[ID].refusal is None) is opened
    assert (RefusalCleared(T + 1, ID) in told) is opened


def test_a_presence_that_ends_is_counted_in_its_purse() -> None:
    o = state(State.PRESENT)
    purse = o.elements.purse(ID)
    list(parted(o, POLICY, f.Parted(T + 10, 1, ALPHA)))
    assert (purse.present_s, purse.left_at) == (60.0, T + 10)


def test_a_clock_that_jumped_gives_no_budget_back() -> None:
    o = state(State.ASKED)
    o.rooms[1, Login("beta")] = Room(1, Login("beta"), BETA, State.ASKED, None)
    o.join_times, o.login_times = (T - 2, T - 1), (T - 3,)
    keep_budgets(o, 100.0)
    assert (o.join_times, o.login_times) == ((T + 98, T + 99), (T + 97,))
    assert [room.written_at for room in o.rooms.values()] == [T + 100, None]
