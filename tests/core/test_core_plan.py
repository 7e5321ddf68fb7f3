"""What is planned, decision by decision, where a whole day in a world does not show which of two rules made it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_world import ME, T0, Core, at_work, follows, live, logins, ref, signed_in

from allthepoints.base.types import Login
from allthepoints.core import facts as f
from allthepoints.core import facts_points as fp
from allthepoints.core.actions import (
    CloseConnection,
    JoinRooms,
    OpenConnection,
    PartRooms,
    ReadFollows,
    ReadLive,
    ReadUsers,
    RenewSignIn,
)
from allthepoints.core.desired import room_cap
from allthepoints.core.loyalty import Balance
from allthepoints.core.model import Why
from allthepoints.core.observed import Connection, Observed, Phase, RoomCap, SignIn
from allthepoints.core.policy import Policy
from allthepoints.core.presence import State
from allthepoints.core.silence import LATEST_ANSWER

A, B, C = logins(0, 1, 2)
CALM = Policy(poll_live=9_000.0, poll_follows=9_000.0, check_sign_in=9_000.0)
"""Nothing is due by itself."""


def sitting(*numbers: int, policy: Policy = CALM) -> Core:
    """In all of these rooms, on connection 1."""
    core = at_work(*numbers, policy=policy)
    at = T0
    while asked := [login for (_, login), room in core.observed.rooms.items() if room.written_at is None]:
        core.turn(f.JoinWritten(at, 1, tuple(asked)), *(f.Joined(at, 1, login) for login in asked), now=at)
        core.turn(now=(at := at + 10.5))
    return core


# -- sign-in -------------------------------------------------------------------------------------------------------
def test_signed_out_it_looks_every_15_s_and_asks_nobody_anything() -> None:
    core = sitting(0, policy=Policy())
    core.turn(f.SignInLost(T0 + 20, "revoked"))
    assert core.wake_at == T0 + 35
    core.turn(now=T0 + 34.9)
    assert core.did(RenewSignIn)[1:] == []
    assert RenewSignIn() in core.turn(now=T0 + 35)
    core.turn(f.SignInLost(T0 + 36, "revoked"))
    core.turn(now=T0 + 45)
    assert [at for at, a in core.done if isinstance(a, ReadLive) and at > T0 + 20] == []


@pytest.mark.parametrize(
    ("refusals", "seconds"),
    [
        (1, 0.0),
        (2, 15.0),
        (3, 30.0),
        (4, 60.0),
        (5, 120.0),
        (6, 240.0),
        (7, 480.0),
        (8, 600.0),
        (9, 600.0),
        (2000, 600.0),
    ],
)
def test_fc_17_each_pause_after_a_refusal_of_the_chat_is_twice_the_one_before(refusals: int, seconds: float) -> None:
    core = Core(CALM)
    core.turn(signed_in(T0))
    core.observed.sign_in.state, core.observed.sign_in.chat_refusals = SignIn.DOUBTED, refusals
    if seconds:
        assert RenewSignIn(refused=True) not in core.turn(now=T0 + seconds - 0.1)
    assert RenewSignIn(refused=True) in core.turn(now=T0 + seconds)


# -- what is read --------------------------------------------------------------------------------------------------
def test_a_read_that_failed_is_tried_again_soon_however_seldom_it_is_due() -> None:
    core = sitting(0, policy=replace(CALM, poll_follows=3600.0))
    assert ReadFollows(ME.user_id) in core.turn(now=T0 + 3600)
    core.policy = CALM
    core.turn(f.ReadFailed(T0 + 3601, "follows", "503", 0.0))
    before = len(core.did(ReadFollows))
    core.turn(now=T0 + 3601 + CALM.reread.cap)
    assert len(core.did(ReadFollows)) == before + 1


def test_whose_renames_show_nowhere_else_is_looked_up_once_an_hour() -> None:
    core = at_work(policy=Policy(include=(B,), poll_live=90_000.0), connected=False)
    looked_up = f.UsersRead(T0 + 10, (ref(1),), frozenset(), frozenset())
    core.turn(looked_up)
    for minutes in range(1, 130):
        if core.observed.reads["users"].pending:
            core.turn(replace(looked_up, at=core.now))
        core.turn(now=T0 + 10 + 60 * minutes)
    times = [at - T0 for at, action in core.done if isinstance(action, ReadUsers) and ref(1).id in action.ids]
    assert times == [3610, 7210]


# -- which connections ---------------------------------------------------------------------------------------------
def test_a_room_that_only_waits_for_its_echo_keeps_no_connection() -> None:
    core = sitting(0)
    core.policy = replace(CALM, paused=frozenset({A}))
    assert PartRooms(1, (A,)) in core.turn(f.ConfigTaken(T0 + 20))
    core.turn(now=T0 + 30)
    assert core.states() == {(1, "c0"): "absent"}
    core.turn(f.ReconnectAsked(T0 + 40, 1))
    assert core.turn(f.Welcomed(T0 + 41, 2)) == (CloseConnection(1),)


def test_each_connection_is_let_go_once_and_none_hides_another() -> None:
    core = sitting(0, 1, policy=replace(CALM, rooms_per_connection=1))
    core.turn(f.Welcomed(T0 + 20, 2))
    for conn in (1, 2):
        core.observed.connections[conn].doomed = True
        core.fold(f.ConfigTaken(T0 + 20 + conn))
        closed = [a for a in core.turn(now=T0 + 20 + conn) if isinstance(a, CloseConnection)]
        assert closed == [CloseConnection(conn)]


# -- how many rooms ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("told", "most", "now", "rooms"),
    [
        (None, 90, T0, 90),
        (RoomCap(3, T0, T0), 90, T0 - 1, 3),
        (RoomCap(3, T0, T0), 90, T0, 4),  # one more is tried
        (RoomCap(3, T0, T0), 2, T0, 2),
        (RoomCap(3, T0, T0), 2, T0 - 1, 2),
    ],
)
def test_how_many_rooms_there_may_be(told: RoomCap | None, most: int, now: float, rooms: int) -> None:
    assert room_cap(Policy(max_rooms=most), Observed(cap=told), now) == rooms


def test_a_full_house_leaves_as_many_as_may_be_asked_and_looks_again_when_more_may() -> None:
    core = sitting(*range(25), policy=Policy(max_rooms=25, poll_live=9_000.0))
    assert core.turn(f.ReconnectAsked(T0 + 40, 1)) == (OpenConnection(2),)
    (left,) = core.turn(f.Welcomed(T0 + 41, 2))
    assert isinstance(left, PartRooms)
    assert len(left.logins) == 20
    assert core.wake_at == T0 + 51.5, "that is when twenty more may be asked"


def test_a_full_house_that_is_left_at_once_has_nothing_to_wait_for_but_the_echoes() -> None:
    core = sitting(*range(20), policy=replace(CALM, max_rooms=20))
    core.turn(f.ReconnectAsked(T0 + 40, 1))
    (left,) = core.turn(f.Welcomed(T0 + 41, 2))
    assert isinstance(left, PartRooms)
    assert len(left.logins) == 20
    assert core.wake_at == T0 + 9_000


def test_nobody_makes_way_while_there_is_one_more_room() -> None:
    core = sitting(0, 1, policy=replace(CALM, max_rooms=3))
    core.turn(f.ReconnectAsked(T0 + 40, 1))
    assert core.turn(f.Welcomed(T0 + 41, 2)) == (JoinRooms(2, (A,)),)


# -- who is asked --------------------------------------------------------------------------------------------------
def test_who_is_out_is_asked_before_who_must_only_move() -> None:
    """Both connections fell silent for good; a window is nearly spent; c1 still sits in its room on the old one."""
    core = sitting(0, 1, policy=Policy(poll_live=9_000.0))
    core.turn(f.ReconnectAsked(T0 + 40, 1), f.Parted(T0 + 40, 1, A))
    core.turn(f.RetryAsked(T0 + 40.5, A))
    core.observed.join_times = (T0 + 40.9,) * 19
    assert core.turn(f.Welcomed(T0 + 41, 2)) == (JoinRooms(2, (A,)),)
    core = sitting(0, 1, policy=Policy(poll_live=9_000.0))
    core.turn(f.ReconnectAsked(T0 + 40, 1), f.Parted(T0 + 40, 1, B))
    core.turn(f.RetryAsked(T0 + 40.5, B))
    core.observed.join_times = (T0 + 40.9,) * 19
    assert core.turn(f.Welcomed(T0 + 41, 2)) == (JoinRooms(2, (B,)),)


def test_where_nobody_waits_for_the_window_it_is_no_reason_to_wake() -> None:
    core = at_work(*range(20), policy=CALM)
    assert len(core.observed.rooms) == 20
    assert core.wake_at == T0 + 9_000
    assert at_work(*range(21), policy=CALM).wake_at == T0 + 10.5


ONE_EACH = replace(CALM, rooms_per_connection=1)


def test_past_its_share_a_connection_waits_for_one_that_is_being_opened() -> None:
    """c0 is to be asked on connection 1, which then has its share; c1 on the next, unless none can be hoped for."""
    both, one = [JoinRooms(1, (A, B))], [JoinRooms(1, (A,))]

    def asked(core: Core) -> list[object]:
        core.turn(f.Welcomed(T0, 1))
        return list(core.did(JoinRooms))

    assert asked(at_work(0, 1, policy=ONE_EACH, connected=False)) == one, "it is opened in this very turn"
    core = at_work(0, 1, policy=ONE_EACH, connected=False)
    core.observed.connections[2] = Connection(2)
    assert asked(core) == one, "it is being opened"
    core = at_work(0, 1, policy=ONE_EACH, connected=False)
    core.observed.connections[2], core.observed.connect_failures = Connection(2), 1
    assert asked(core) == both, "the last one did not come to be"
    core = at_work(0, 1, policy=ONE_EACH, connected=False)
    core.observed.open_not_before = T0 + 60
    assert asked(core) == both, "none may be opened now"


def test_one_that_goes_while_another_is_opened_changes_nothing_of_that() -> None:
    core = at_work(0, 1, policy=ONE_EACH, connected=False)
    core.observed.connections[7] = Connection(7, Phase.READY, T0, doomed=True)
    assert core.turn(f.Welcomed(T0, 1)) == (CloseConnection(7), OpenConnection(2), JoinRooms(1, (A,)))


def test_rooms_go_where_the_fewest_are() -> None:
    core = sitting(*range(4))
    core.observed.connections[2] = Connection(2, Phase.READY, T0)
    core.fold(follows(T0 + 30, *range(10)), live(T0 + 30, *range(10)), f.Joined(T0 + 30, 2, Login("c4")))
    joins = [action for action in core.turn(now=T0 + 31) if isinstance(action, JoinRooms)]
    assert joins == [JoinRooms(2, logins(5, 6, 7, 9)), JoinRooms(1, logins(8))], "four and one make five and five"


# -- what is left --------------------------------------------------------------------------------------------------
def parts(core: Core, *paused: Login) -> list[object]:
    core.policy = replace(core.policy, paused=frozenset(paused))
    return [a for a in core.turn(f.ConfigTaken(core.now)) if isinstance(a, PartRooms)]


def test_nothing_is_asked_of_a_connection_that_is_being_closed() -> None:
    core = sitting(0)
    core.observed.connections[1].phase = Phase.CLOSING
    assert parts(core, A) == []


def test_a_join_that_has_not_left_yet_is_waited_for_and_hides_no_other_room() -> None:
    core = at_work(0, 1, policy=CALM)
    core.turn(f.JoinWritten(T0, 1, (B,)))
    assert parts(core, A, B) == [PartRooms(1, (B,))]
    core.turn(f.JoinWritten(T0, 1, (A,)))
    assert core.did(PartRooms)[1:] == [PartRooms(1, (A,))]


@pytest.mark.parametrize(("other", "left"), [(2, 2), (0, 1)])
def test_of_two_rooms_of_a_chat_the_one_on_the_older_connection_stays(other: int, left: int) -> None:
    core = sitting(0)
    core.observed.connections[other] = Connection(other, Phase.READY, T0)
    login = core.observed.rooms[1, A].login
    core.turn(f.Joined(core.now, other, login))
    assert core.did(PartRooms) == [PartRooms(left, (login,))]


def full_house() -> Core:
    """Two rooms, both of them on a connection that must go; another one stands."""
    core = sitting(0, 1, policy=replace(CALM, max_rooms=2))
    core.observed.connections[1].retiring = True
    core.observed.connections[2] = Connection(2, Phase.READY, T0)
    core.fold(f.ConfigTaken(T0 + 40))
    return core


def test_who_makes_way_is_in_and_can_be_left() -> None:
    core = full_house()
    assert core.turn(now=T0 + 40)[-1] == PartRooms(1, (A, B))
    core = full_house()
    core.observed.rooms[1, B].state, core.observed.rooms[1, B].written_at = State.LEAVING, T0 + 39
    assert core.turn(now=T0 + 40)[-1] == PartRooms(1, (A,))
    core = full_house()
    core.observed.connections[1].phase = Phase.CLOSING
    assert core.turn(now=T0 + 40) == (ReadLive("1", frozenset((ref(0).id, ref(1).id)), frozenset(), frozenset()),)


# -- who is silent ---------------------------------------------------------------------------------------------------
def hushed(*numbers: int) -> Core:
    """Nobody answers: each was asked in vain three times, the last time at T0 + 20 and as many seconds as its number.
    The JOIN budget is free again at T0 + 30."""
    core = at_work(*numbers, policy=CALM)
    core.observed.rooms.clear()
    for number in numbers:
        channel = core.observed.channels[ref(number).id]
        channel.unanswered, channel.ask_not_before, channel.silent_at = 3, T0 + 500, T0 + 20 + number
    core.fold(f.ConfigTaken(T0 + 30))
    return core


def test_fc_01_while_nobody_is_answered_the_first_asks_for_all() -> None:
    core = hushed(3, 2, 1)
    core.turn(now=T0 + 37.9)
    assert core.wake_at == T0 + 38, "15 s after the last of them was given up"
    assert core.did(JoinRooms)[1:] == []
    core.turn(now=T0 + 38)
    assert core.did(JoinRooms)[1:] == [JoinRooms(1, logins(1))]


def test_fc_01_two_who_do_not_answer_ask_for_themselves() -> None:
    core = hushed(1, 2)
    core.turn(now=T0 + 40)
    assert core.wake_at == T0 + 500
    core.turn(now=T0 + 500)
    assert core.did(JoinRooms)[1:] == [JoinRooms(1, logins(1, 2))]


def test_fc_01_who_is_not_among_the_silent_asks_as_ever() -> None:
    core = hushed(1, 2, 3, 4)
    core.observed.channels[ref(4).id].ask_not_before = core.observed.channels[ref(4).id].unanswered = 0
    core.turn(now=T0 + 31)
    assert core.did(JoinRooms)[1:] == [JoinRooms(1, logins(4))]


def test_fc_01_who_sits_on_a_mute_connection_stays_and_is_not_asked_for_elsewhere() -> None:
    core = sitting(0, 1)
    core.observed.connections[1].mute_since = T0 + 11
    core.observed.connections[2] = Connection(2, Phase.READY, T0)
    core.observed.rooms[1, B].state = State.ASKED
    core.observed.rooms[1, B].written_at = T0 + 11
    core.fold(f.ConfigTaken(T0 + 20))
    actions = [one for one in core.turn(now=T0 + 20) if isinstance(one, JoinRooms | PartRooms | CloseConnection)]
    assert actions == [JoinRooms(2, (B,))]
    core = sitting(0)
    core.observed.connections[2] = Connection(2, Phase.READY, T0)
    core.fold(f.ConfigTaken(T0 + 20))
    assert core.turn(now=T0 + 20)[-1:] != [JoinRooms(2, (A,))]


def test_fc_01_a_mute_connection_is_looked_at_again_when_its_answers_can_no_longer_come() -> None:
    core = sitting(0)
    core.observed.connections[1].mute_since, core.observed.answered_at = T0 + 11, T0 + 12
    core.observed.connections[2] = Connection(2, Phase.READY, T0)
    core.fold(f.ConfigTaken(T0 + 20))
    core.turn(now=T0 + 20)
    assert core.wake_at == T0 + 11 + LATEST_ANSWER
    assert JoinRooms(2, (A,)) in core.turn(now=T0 + 11 + LATEST_ANSWER), "it is given up, and its room moves"


def test_a_stable_connection_is_no_reason_to_look_again() -> None:
    core = sitting(0)
    core.fold(f.ConfigTaken(T0 + 20))
    core.turn(now=T0 + 20)
    assert core.wake_at is None or core.wake_at > T0 + 1_000


# -- when to look again --------------------------------------------------------------------------------------------
def test_each_wait_has_its_hour() -> None:
    core = at_work(0, policy=CALM)
    core.turn(f.JoinWritten(T0 + 1, 1, (A,)))
    assert core.wake_at == T0 + 16, "a JOIN that nobody answers"
    core.turn(f.JoinRefused(T0 + 2, 1, A, Why.NO_SUCH_CHANNEL))
    assert core.wake_at == T0 + 302, "a refusal that ends by itself"
    core = sitting(0)
    core.policy = replace(CALM, paused=frozenset({A}))
    core.turn(f.ConfigTaken(T0 + 20))
    core.turn(live(T0 + 20, 0))
    assert core.wake_at == T0 + 30, "a PART that nobody answers"
    core = sitting(0)
    core.observed.cap = RoomCap(1, T0 + 60, T0)
    core.fold(f.ConfigTaken(T0 + 20))
    core.turn(live(T0 + 20, 0))
    assert core.wake_at == T0 + 60, "a limit that may be over"


# -- what is kept --------------------------------------------------------------------------------------------------
def test_what_was_found_at_rest_is_not_looked_for_again() -> None:
    """Most turns are about points, or about nothing: they do not look through a hundred rooms."""
    core = sitting(0, 1)
    core.turn(f.ConfigTaken(T0 + 20))
    found = core.observed.rest
    assert found is not None
    core.turn(now=T0 + 20)
    core.turn(now=T0 + 21)
    core.turn(fp.BalanceRead(T0 + 22, ref(0).id, Balance(10)))
    assert core.observed.rest is found
    core.turn(f.Parted(T0 + 23, 1, A))
    assert core.observed.rest is not found
    found = core.observed.rest
    core.policy = Policy(max_rooms=1)
    core.turn(f.ConfigTaken(T0 + 24))
    assert core.observed.rest is not found
