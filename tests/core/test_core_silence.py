"""Who leaves our JOINs unanswered: a room, a connection or the server."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from core_room import ALPHA, ID, POLICY, T, state
from core_world import World, check_window, logins, ref, stream

from allthepoints.base.types import Login, StreamId, UserId
from allthepoints.core import facts as f
from allthepoints.core.actions import CloseConnection, JoinRooms, OpenConnection, PartRooms
from allthepoints.core.apply_chat import expire, join_refused, joined
from allthepoints.core.apply_live import users_read
from allthepoints.core.closing import close
from allthepoints.core.model import ChannelRef, Why
from allthepoints.core.observed import Channel, Connection, Observed, Phase, Room
from allthepoints.core.place import Place, place
from allthepoints.core.policy import JOIN_IN_FLIGHT, Policy
from allthepoints.core.presence import State
from allthepoints.core.records import RefusalSet
from allthepoints.core.refusals import Refusal
from allthepoints.core.silence import (
    LATEST_ANSWER,
    REFUSED,
    SEVERAL,
    SLOWEST_REASK,
    TIRED,
    answered,
    hush,
    replace_mute,
)

A, B, C = logins(0, 1, 2)


# -- a room ----------------------------------------------------------------------------------------------------------
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
    o = state(State.ASKED, spent=False)
    o.channels[ID].unanswered = before
    o.live.add(ID)
    list(expire(o, POLICY, T + 15))
    channel = o.channels[ID]
    assert o.join_times == (T + 15,), "it may have arrived as late as that"
    assert (channel.unanswered, channel.look_up) == (unanswered, look_up)
    assert channel.ask_not_before == (T + 15 + pause if pause else 0.0)
    assert (channel.silent_on, o.connections[1].unanswered) == (1, 1)


@pytest.mark.parametrize("patience", [5.0, 15.0, 20.0])
def test_fc_02_a_join_that_is_given_up_early_may_still_arrive(patience: float) -> None:
    o = state(State.ASKED, spent=False)
    list(expire(o, replace(POLICY, ask_timeout=patience), T + patience))
    assert o.join_times == (T + JOIN_IN_FLIGHT,), "whenever we lose patience"


# -- a connection ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("in_a_row", "welcomed_at", "silent_on", "mute"),
    [
        (SEVERAL - 1, T - 600, None, True),
        (SEVERAL - 1, T - 600, 1, True),
        (SEVERAL - 1, T - 600, 2, False),  # that room does not answer anybody
        (SEVERAL - 2, T - 600, None, False),
        (SEVERAL - 1, T + 15 - POLICY.stable_after, None, True),
        (SEVERAL - 1, T + 16 - POLICY.stable_after, None, False),
    ],
)
def test_fc_01_a_connection_that_answers_nobody_is_mute(
    in_a_row: int, welcomed_at: float, silent_on: int | None, mute: bool
) -> None:
    o = state(State.ASKED)
    connection, channel = o.connections[1], o.channels[ID]
    connection.unanswered, connection.welcomed_at, channel.silent_on = in_a_row, welcomed_at, silent_on
    everybody = o.changes.everybody
    list(expire(o, POLICY, T + 15))
    assert connection.mute_since == (T + 15 if mute else None)
    assert connection.stands, "its rooms stay"
    assert (channel.unanswered, channel.ask_not_before) == ((0, 0.0) if mute else (1, 0.0))
    assert (o.changes.everybody > everybody) is mute
    assert channel.silent_on == (silent_on or 1)


@pytest.mark.parametrize(
    ("other_since", "answered_at", "mute"),
    [
        (None, 0.0, True),
        (T - 5, T - 6, False),  # two at once: it is the server
        (T - 5, T - 5, True),  # somebody answered meanwhile, so it is not
        (T - 5, T, True),
    ],
)
def test_two_that_are_mute_at_once_speak_against_the_server(
    other_since: float | None, answered_at: float, mute: bool
) -> None:
    o = state(State.ASKED)
    o.connections[2] = Connection(2, Phase.READY, T - 600, mute_since=other_since)
    o.answered_at, o.connections[1].unanswered = answered_at, SEVERAL - 1
    list(expire(o, POLICY, T + 15))
    assert (o.connections[1].mute_since is not None) is mute


def test_what_a_mute_connection_left_unanswered_is_asked_for_at_once_elsewhere() -> None:
    o = several(4)
    here, also_here, elsewhere, last = (o.channels[UserId(str(n))] for n in range(4))
    here.silent_on = also_here.silent_on = 1
    elsewhere.silent_on = 7
    o.connections[1].unanswered = SEVERAL - 1
    o.rooms[1, last.ref.login] = Room(1, last.ref.login, last.ref.id, State.ASKED, T)
    counted = o.changes.chat
    list(expire(o, POLICY, T + 15))
    assert [one.ask_not_before for one in (here, also_here, elsewhere, last)] == [0.0, 0.0, T + 99, 0.0]
    assert [one.unanswered for one in (here, also_here, elsewhere, last)] == [0, 0, 3, 0]
    assert {here.ref.id, also_here.ref.id, last.ref.id} <= set(o.changes.since(counted) or o.live)


@pytest.mark.parametrize("yes", [True, False])
def test_a_late_answer_takes_the_doubt_away(yes: bool) -> None:
    o = state(State.ASKED)
    connection = o.connections[1]
    connection.mute_since, connection.unanswered, everybody = T - 20, 3, o.changes.everybody
    fact = f.Joined(T + 40, 1, ALPHA) if yes else f.JoinRefused(T + 40, 1, ALPHA, Why.BANNED)
    list(joined(o, fact) if isinstance(fact, f.Joined) else join_refused(o, fact))
    assert (connection.mute_since, connection.unanswered, o.answered_at) == (None, 0, T + 40)
    assert connection.usable
    assert o.changes.everybody > everybody


def test_a_late_no_of_a_join_that_was_given_up_takes_the_doubt_away_too() -> None:
    for why in (Why.SUSPENDED, Why.ROOM_LIMIT):
        o = state()
        o.connections[1].mute_since = T - 20
        list(join_refused(o, f.JoinRefused(T + 40, 1, ALPHA, why)))
        assert (o.connections[1].mute_since, o.answered_at) == (None, T + 40)
    o = state()
    list(join_refused(o, f.JoinRefused(T + 40, 2, ALPHA, Why.SUSPENDED)))
    assert (o.answered_at, o.channels[ID].refusal) == (0.0, None), "of a connection that is gone"


@pytest.mark.parametrize(
    ("since", "answered_at", "now", "replaced"),
    [
        (T, T + 1, T + LATEST_ANSWER, True),
        (T, T + 1, T + LATEST_ANSWER - 1, False),  # it may still answer
        (T, T, T + 9_000, False),  # nobody answers
        (None, T + 1, T + 9_000, False),
    ],
)
def test_a_mute_connection_is_replaced_once_another_is_answered(
    since: float | None, answered_at: float, now: float, replaced: bool
) -> None:
    o = state(State.PRESENT)
    o.connections[1].mute_since, o.answered_at, counted = since, answered_at, o.changes.everybody
    replace_mute(o, now)
    assert o.connections[1].retiring is replaced
    assert o.connections[1].mute_since == (None if replaced else since)
    assert (o.changes.everybody > counted) is replaced


@pytest.mark.parametrize(("silent_at", "replaced"), [(T + 1, True), (T + 2, False)])
def test_a_mute_connection_is_not_replaced_while_the_server_may_be_silent(silent_at: float, replaced: bool) -> None:
    """Its rooms would be left, and nobody would let us in elsewhere."""
    o = several(1)
    o.connections[1].mute_since, o.answered_at = T, T + 1
    o.channels[UserId("0")].silent_at = silent_at
    replace_mute(o, T + 9_000)
    assert o.connections[1].retiring is replaced


@pytest.mark.parametrize(
    ("rooms", "since", "trusted"),
    [
        (SEVERAL, T - 50, True),
        (SEVERAL, T - 60, False),  # another was answered meanwhile
        (SEVERAL - 1, T - 50, False),
    ],
)
def test_who_was_mute_only_while_the_server_was_silent_is_so_no_more(rooms: int, since: float, trusted: bool) -> None:
    o = several(rooms)
    o.connections[2] = Connection(2, Phase.READY, T - 600, unanswered=3, mute_since=since)
    o.connections[3] = Connection(3, Phase.READY, T - 600, unanswered=2)
    counted = o.changes.everybody
    list(answered(o, 1, T))
    assert (o.connections[2].mute_since, o.connections[2].unanswered) == ((None, 0) if trusted else (since, 3))
    assert o.connections[3].unanswered == 2
    assert (o.changes.everybody > counted) is trusted


def test_a_server_that_is_silent_for_long_costs_no_room() -> None:
    """At the limit of rooms, where each must be left before it can be had elsewhere."""
    world = World(Policy(max_rooms=10), slow=0.1)
    world.add(*range(10))
    for number in range(6):
        world.go_live(number)
    world.run(120)
    world.lose_joins = 10**6
    for number in range(6, 10):
        world.go_live(number)
    world.run(2 * LATEST_ANSWER)
    assert world.core.observed.connections[1].mute_since is not None
    world.lose_joins = 0
    world.run(2 * LATEST_ANSWER)
    assert world.sit_in() == sorted(logins(*range(10)))
    assert world.core.did(PartRooms) == []


def test_fc_01_a_mute_connection_keeps_its_rooms_and_gets_no_more() -> None:
    """At the limit of rooms as well, where it would have to leave them first."""
    world = World(Policy(max_rooms=5), slow=0.1)
    world.add(*range(6))
    for number in range(4):
        world.go_live(number)
    world.run(120)
    world.lines[1].deaf_to_joins = True
    world.lose_joins = 10**6
    world.go_live(4)
    world.run(400)
    assert world.sit_in() == sorted(logins(0, 1, 2, 3))
    assert world.core.did(CloseConnection) == []
    world.lose_joins = 0
    world.run(SLOWEST_REASK + 30)
    assert world.sit_in() == sorted(logins(0, 1, 2, 3, 4))
    assert len(world.core.did(OpenConnection)) == 2
    assert not [join for join in world.core.done[-1:] if isinstance(join[1], JoinRooms) and join[1].conn == 1]
    world.run(LATEST_ANSWER + 60)
    assert world.core.did(CloseConnection) == [CloseConnection(1)]
    assert world.sit_in() == sorted(logins(0, 1, 2, 3, 4))


# -- the server ------------------------------------------------------------------------------------------------------
def several(count: int) -> Observed:
    """So many live channels, each of which was asked three times, one second after the other; nobody answered."""
    o = state()
    o.channels, o.addresses, o.answered_at = {}, {}, T - 60
    for number in range(count):
        user, login = UserId(str(number)), Login(f"c{number}")
        o.channels[user] = Channel(ChannelRef(user, login, login), live=True)
        o.channels[user].unanswered, o.channels[user].ask_not_before = 3, T + 99
        o.channels[user].silent_at = T - 30 + number
        o.addresses[login] = user
        o.live.add(user)
    return o


@pytest.mark.parametrize(
    ("changed", "waits"),
    [
        ({}, True),
        ({"ask_not_before": 0.0}, False),  # it has not been asked often
        ({"silent_at": T - 60}, False),  # somebody answered since
        ({"silent_at": T - 59}, True),
        ({"unanswered": TIRED}, True),
        ({"unanswered": TIRED + 1}, False),  # it answers nobody, whatever the others do
        ({"ask_not_before": 0.0, "refusal": (Why.UNANSWERED, REFUSED)}, True),
        ({"ask_not_before": 0.0, "refusal": (Why.UNANSWERED, REFUSED + 1)}, False),
        ({"ask_not_before": 0.0, "refusal": (Why.BANNED, 1)}, False),
    ],
)
def test_who_waits_in_silence(changed: dict[str, object], waits: bool) -> None:
    o = several(SEVERAL + 1)
    for name, value in changed.items():
        given = Refusal(value[0], T, "", None, T + 60, value[1]) if isinstance(value, tuple) else value
        setattr(o.channels[UserId("1")], name, given)
    assert set(hush(o, o.live)) == {"0", "2", "3", *(["1"] if waits else [])}
    assert hush(o, ["0", "1"]) == [], "two speak for themselves alone"


def test_the_first_answer_lets_all_ask_again() -> None:
    o = several(5)
    tired, refused = o.channels[UserId("3")], o.channels[UserId("4")]
    tired.unanswered = TIRED + 1
    refused.ask_not_before, refused.refusal = 0.0, Refusal(Why.UNANSWERED, T - 9, "why", StreamId("s"), T + 60, 2)
    counted = o.changes.chat
    assert list(answered(o, 1, T)) == [RefusalSet(T, UserId("4"), Why.UNANSWERED, "why", StreamId("s"), T, 2)]
    assert [one.ask_not_before for one in o.channels.values()] == [0.0, 0.0, 0.0, T + 99, 0.0]
    assert set(o.changes.since(counted)) == {"0", "1", "2", "4"}
    assert refused.refusal == Refusal(Why.UNANSWERED, T - 9, "why", StreamId("s"), T, 2), "how often is remembered"
    assert not refused.refusal.stands(None, T)
    assert hush(o, o.live) == []


def test_a_refusal_that_is_over_is_not_written_again() -> None:
    o = several(SEVERAL)
    o.channels[UserId("0")].refusal = over = Refusal(Why.UNANSWERED, T - 90, "", None, T)
    o.channels[UserId("1")].refusal = banned = Refusal(Why.BANNED, T - 90, "", None, None)
    assert list(answered(o, 1, T)) == []
    assert (o.channels[UserId("0")].refusal, o.channels[UserId("1")].refusal) == (over, banned)


def test_answers_to_others_do_not_have_dead_rooms_ask_for_ever() -> None:
    o = several(SEVERAL)
    dead = o.channels[UserId("0")]
    for tries in range(1, REFUSED + 2):
        dead.silent_at = T + tries
        list(close(dead, Why.UNANSWERED, T + tries))
        for number in (1, 2):
            o.channels[UserId(str(number))].silent_at = T + tries
            o.channels[UserId(str(number))].ask_not_before = T + 99
        told = list(answered(o, 1, T + tries + 0.5))
        assert len(told) == (tries <= REFUSED)
    assert dead.refusal is not None
    assert dead.refusal.stands(None, T + 99)


def test_who_waits_longest_is_next() -> None:
    o = several(4)
    o.channels[UserId("0")].silent_at = T
    assert hush(o, o.live) == ["1", "2", "3", "0"]


def test_of_two_an_answer_says_nothing() -> None:
    o = several(2)
    assert list(answered(o, 1, T)) == []
    assert [one.ask_not_before for one in o.channels.values()] == [T + 99, T + 99]


def test_a_look_up_refuses_no_room_where_nobody_is_answered() -> None:
    for count, refused in ((SEVERAL - 1, True), (SEVERAL, False)):
        world = World(Policy(), slow=0.1)
        world.add(*range(count))
        for number in range(count):
            world.go_live(number)
        world.lose_joins = 10**6
        world.run(180)
        assert any(channel.refusal is not None for channel in world.core.observed.channels.values()) is refused


def test_who_never_answers_keeps_nobody_else_out_of_a_slot() -> None:
    """Even if they are all that are asked, so that it looks as if the server were silent."""
    world = World(Policy(max_rooms=SEVERAL), slow=0.1)
    world.add(*range(SEVERAL + 1))
    for number in range(SEVERAL + 1):
        world.go_live(number)
    world.silent = {ref(number).id for number in range(SEVERAL)}
    world.run(120)
    assert world.sit_in() == [Login(f"c{SEVERAL}")]


@pytest.mark.parametrize(
    ("rooms", "after", "refused"),
    [
        (SEVERAL, LATEST_ANSWER, True),
        (SEVERAL, LATEST_ANSWER - 1, False),  # it may still be answered, and then it needs its slot
        (SEVERAL + 1, LATEST_ANSWER, False),  # nobody else wants it
    ],
)
def test_a_slot_that_others_want_is_kept_for_who_may_still_be_answered(rooms: int, after: float, refused: bool) -> None:
    o, policy = several(SEVERAL + 1), Policy(include=logins(*range(SEVERAL + 1)), max_rooms=rooms)
    o.names = dict(o.addresses)
    for channel in o.channels.values():
        channel.stream = stream(channel.ref)
    silent = o.channels[UserId("0")]
    silent.look_up = True
    list(users_read(o, policy, f.UsersRead(o.answered_at + after, (silent.ref,), frozenset(), frozenset())))
    assert (silent.refusal is not None, silent.look_up) == (refused, False)


def test_a_room_that_must_move_and_is_not_let_in_stays_where_it_is() -> None:
    world = World(Policy(), slow=0.1)
    world.add(0, 1)
    world.go_live(0)
    world.run(120)
    world.tell(f.ReconnectAsked(world.now, 1))
    world.silent = {ref(0).id}
    world.run(600)
    assert world.sit_in() == [A]
    assert world.core.observed.channels[ref(0).id].refusal is None
    world.silent = set()
    world.run(SLOWEST_REASK)
    assert world.sit_in() == [A]
    assert (1, A) not in world.core.observed.rooms


def test_who_waits_in_silence_is_shown_so_after_a_refusal_too() -> None:
    o, policy = several(SEVERAL + 1), Policy(include=logins(*range(SEVERAL + 1)))
    o.names, o.stale = dict(o.addresses), False
    for number, since in ((0, T - 30), (1, T - 60)):
        one = o.channels[UserId(str(number))]
        one.ask_not_before, one.silent_at, one.refusal = 0.0, since, Refusal(Why.UNANSWERED, T - 90, "", None, T - 30)
        one.stream = stream(one.ref)
        shown = place(policy, o, one, o.live, T)
        assert shown == Place("waiting", "unanswered" if number == 0 else "connecting")


def test_while_nobody_is_answered_one_room_asks_for_all_in_turn() -> None:
    world = World(Policy(), slow=0.1)
    world.add(*range(40))
    for number in range(40):
        world.go_live(number)
    world.lose_joins = 10**6
    world.run(300)
    world.core.done.clear()
    world.run(600)
    asked = [(at, action.logins) for at, action in world.core.done if isinstance(action, JoinRooms)]
    assert all(len(names) == 1 for _, names in asked)
    assert all(29 < b - a < 32 for (a, _), (b, _) in pairwise(asked)), "15 s until it is given up, 15 s of rest"
    assert len({names for _, names in asked}) == len(asked)
    observed = world.core.observed
    waiting = {place(world.core.policy, observed, one, observed.live, world.now) for one in observed.channels.values()}
    assert {(one.state, one.reason) for one in waiting} <= {("waiting", "unanswered"), ("asked", None)}
    world.lose_joins = 0
    world.run(32 + 21 + 1)
    assert len(world.sit_in()) == 40, "the next that asks is answered, and the others follow as the budget allows"
    check_window(world.all_joins, 20)


def test_three_rooms_that_never_answer_do_not_ask_for_ever() -> None:
    world = World(Policy(), slow=0.1)
    world.add(*range(4))
    for number in range(4):
        world.go_live(number)
    world.silent = {ref(number).id for number in (1, 2, 3)}
    world.run(3 * 3600)
    world.core.done.clear()
    world.run(3600)
    assert world.sit_in() == [A]
    joins = [action for _, action in world.core.done if isinstance(action, JoinRooms)]
    assert len(joins) <= 3 * 3 * 7, "three JOINs, and then ten minutes of rest"
    assert len(world.core.did(OpenConnection)) <= 3


def test_who_answers_nobody_lets_the_others_go_first() -> None:
    world = World(Policy(), slow=0.1)
    world.add(*range(45))
    for number in range(20):
        world.go_live(number)
    world.silent = {ref(number).id for number in range(20)}
    world.run(29)
    for number in range(20, 45):
        world.go_live(number)
    world.run(23)
    assert len(world.sit_in()) == 20, "two times 20 in vain took the budget until 51 s"
    world.run(11)
    assert len(world.sit_in()) == 25
