"""What the chat said, and what it never said, line by line: rooms, connections, and what they cost."""

from __future__ import annotations

from typing import Any

import pytest

from allthepoints.base.types import Login, UserId
from allthepoints.core import facts as f
from allthepoints.core.apply_chat import (
    GHOST_RUN,
    OVERTAKEN,
    SLOWEST_REASK,
    connection_lost,
    expire,
    join_refused,
    joined,
    parted,
    welcomed,
)
from allthepoints.core.model import ChannelRef, Lost, Why
from allthepoints.core.observed import Channel, Connection, Observed, Phase, Room, RoomCap, SignIn
from allthepoints.core.policy import JOIN_IN_FLIGHT, WINDOW, WINDOW_MARGIN, Policy
from allthepoints.core.presence import State
from allthepoints.core.records import Event, EventKind, PresenceClosed, PresenceOpened, Record

T = 1_700_000_000.0
ID, BETA, ALPHA = UserId("7"), UserId("8"), Login("alpha")
POLICY = Policy()
OWED = T + 60.0
HORIZON = WINDOW + WINDOW_MARGIN


def state(stands: State | None = None, written: float | None = T, **room: Any) -> Observed:
    """A channel, and our room of it on connection 1, which stands for ten minutes."""
    o = Observed(addresses={ALPHA: ID}, names={ALPHA: ID}, last_conn=1)
    o.channels = {ID: Channel(ChannelRef(ID, ALPHA, "Alpha")), BETA: Channel(ChannelRef(BETA, Login("beta"), "Beta"))}
    o.connections[1] = Connection(1, Phase.READY, T - 600)
    o.sign_in.state = SignIn.GOOD
    if stands is not None:
        o.rooms[1, ALPHA] = Room(1, ALPHA, ID, stands, T - 5, written, **room)
        if stands is State.PRESENT:
            o.rooms[1, ALPHA].proven, o.channels[ID].present_since = True, T - 50
    return o


def shown(o: Observed) -> State | None:
    room = o.rooms.get((1, ALPHA))
    return None if room is None else room.state


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
    o.rooms[1, Login("beta")] = Room(1, Login("beta"), BETA, State.ASKED, T, T)
    list(expire(o, POLICY, T + 15))
    assert list(o.rooms) == [(1, ALPHA)]


@pytest.mark.parametrize(
    ("before", "unanswered", "look_up", "pause"),
    [
        (0, 1, False, 0.0),
        (1, 2, False, 0.0),
        (2, 3, True, 15.0),
        (3, 4, False, 30.0),
        (4, 5, False, 60.0),
        (5, 6, True, 120.0),
        (6, 7, False, 240.0),
        (7, 8, False, SLOWEST_REASK),
        (2_000, 2_001, True, SLOWEST_REASK),
    ],
)
def test_fc_01_three_joins_in_a_row_then_slower_and_each_third_asks_helix(
    before: int, unanswered: int, look_up: bool, pause: float
) -> None:
    o = state(State.ASKED)
    o.channels[ID].unanswered = before
    list(expire(o, POLICY, T + 15))
    channel = o.channels[ID]
    assert (channel.unanswered, channel.look_up) == (unanswered, look_up)
    assert channel.ask_not_before == (T + 15 + pause if pause else 0.0)
    assert (channel.silent_on, o.connections[1].unanswered) == (1, 1)


@pytest.mark.parametrize(
    ("in_a_row", "welcomed_at", "silent_on", "retires"),
    [
        (GHOST_RUN - 1, T - 600, None, True),
        (GHOST_RUN - 1, T - 600, 1, True),
        (GHOST_RUN - 1, T - 600, 2, False),  # that room does not answer anybody
        (GHOST_RUN - 2, T - 600, None, False),
        (GHOST_RUN - 1, T + 15 - POLICY.stable_after, None, True),
        (GHOST_RUN - 1, T + 16 - POLICY.stable_after, None, False),
    ],
)
def test_fc_01_a_connection_that_answers_nobody_is_given_up(
    in_a_row: int, welcomed_at: float, silent_on: int | None, retires: bool
) -> None:
    o = state(State.ASKED)
    connection, channel = o.connections[1], o.channels[ID]
    connection.unanswered, connection.welcomed_at, channel.silent_on = in_a_row, welcomed_at, silent_on
    everybody = o.changes.everybody
    list(expire(o, POLICY, T + 15))
    assert connection.retiring is retires
    assert (channel.unanswered, channel.ask_not_before) == ((0, 0.0) if retires else (1, 0.0))
    assert (o.changes.everybody > everybody) is retires
    assert channel.silent_on == (silent_on or 1)


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
    channel.unanswered, channel.ask_not_before, channel.look_up, channel.silent_on = 5, T + 99, True, 2
    o.connections[1].unanswered = 2
    told = list(joined(o, f.Joined(T + 1, 1, ALPHA)))
    assert (channel.unanswered, channel.ask_not_before, channel.look_up, channel.silent_on) == (0, 0.0, False, None)
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


# -- connections ---------------------------------------------------------------------------------------------------
def lost(o: Observed, why: Lost = Lost.RESET, at: float = T, luck: float = 1.0) -> list[Record]:
    return list(connection_lost(o, POLICY, f.ConnectionLost(at, 1, why, luck, "words")))


def test_a_connection_that_falls_takes_its_rooms_along() -> None:
    o = state(State.PRESENT)
    o.rooms[1, Login("beta")] = Room(1, Login("beta"), BETA, State.ASKED, T, T - 1, spent=False)
    told = lost(o)
    assert (o.rooms, o.connections) == ({}, {})
    assert o.join_times == (T - 1 + JOIN_IN_FLIGHT,), "the latest time at which it may arrive"
    assert told == [
        PresenceClosed(T, ID, "lost"),
        Event(T, EventKind.LEFT, ID, {"why": "lost"}),
        Event(T, EventKind.DISCONNECTED, data={"conn": 1, "why": Lost.RESET, "text": "words"}),
    ]
    assert lost(o) == [], "told twice, it is one loss"
    o = state(State.PRESENT)
    assert lost(o, Lost.OURS)[0] == PresenceClosed(T, ID, "closed")
    assert (o.connect_failures, o.open_not_before) == (0, 0.0), "that was no failure"


@pytest.mark.parametrize(
    ("welcomed_at", "newest", "before", "failures"),
    [(T - 60, 1, 5, 1), (T - 59, 1, 5, 6), (T - 600, 2, 5, 6), (None, 1, 0, 1)],
)
def test_how_long_to_wait_before_the_next_one(
    welcomed_at: float | None, newest: int, before: int, failures: int
) -> None:
    o = state()
    o.connections[1].welcomed_at, o.last_conn, o.connect_failures = welcomed_at, newest, before
    lost(o)
    assert o.connect_failures == failures
    assert o.open_not_before == T + POLICY.reconnect.delay(failures, 1.0)
    assert o.login_times == ((T,) if welcomed_at is None else ()), "it may have logged in all the same"


def test_since_when_no_connection_stands() -> None:
    o = state()
    lost(o)
    assert o.disconnected_since == T
    o.connections[1] = Connection(1)
    lost(o, at=T + 9)
    assert o.disconnected_since == T
    o.connections[2] = Connection(2)
    assert list(welcomed(o, f.Welcomed(T + 20, 2))) == [Event(T + 20, EventKind.CONNECTED, data={"conn": 2})]
    assert (o.disconnected_since, o.login_times[-1], o.connections[2].usable) == (None, T + 20, True)
    o.connections[1] = Connection(1)
    lost(o, at=T + 30)
    assert o.disconnected_since is None, "the other one stands"


@pytest.mark.parametrize("before", [SignIn.GOOD, SignIn.LOST, SignIn.UNCHECKED])
def test_fc_17_a_login_that_is_refused_doubts_a_good_sign_in(before: SignIn) -> None:
    o = state()
    o.sign_in.state = before
    lost(o, Lost.LOGIN)
    standing = o.sign_in
    doubted = before is SignIn.GOOD
    assert (standing.state, standing.text) == ((SignIn.DOUBTED, "words") if doubted else (before, ""))
    assert standing.since == (T if doubted else 0.0)
    assert (standing.chat_refusals, standing.refused_since) == (1, T)
    o.connections[1] = Connection(1)
    lost(o, Lost.LOGIN, at=T + 9)
    assert (standing.chat_refusals, standing.refused_since) == (2, T)
