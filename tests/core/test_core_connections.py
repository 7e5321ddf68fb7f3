"""Connections: every kind of loss, replacement, load, back-off, sign-in."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from core_world import T0, Core, World, at_work, check, check_agrees, check_window, live, logins, ref, signed_in

from allthepoints.base.types import Login, UserId
from allthepoints.core import facts as f
from allthepoints.core.actions import CloseConnection, JoinRooms, OpenConnection, PartRooms, ReadLive, RenewSignIn
from allthepoints.core.intend import intend
from allthepoints.core.model import Account, Lost, Why
from allthepoints.core.policy import Policy
from allthepoints.core.records import AttemptsSpent, EventKind, PresenceClosed, PresenceOpened

A, B = logins(0, 1)
LOSSES = [lost for lost in Lost if lost is not Lost.OURS]


def settled(*numbers: int, policy: Policy | None = None, slow: float = 0.2) -> World:
    """A world in which these channels are live and we sit in them all, connected for a good while."""
    world = World(policy or Policy(), slow=slow)
    world.add(*numbers)
    for number in numbers:
        world.go_live(number)
    world.run(120)
    assert world.sit_in() == sorted(logins(*numbers))
    return world


# -- loss ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lost", [lost for lost in LOSSES if lost is not Lost.LOGIN])
def test_fc_05_joined_again_after_every_kind_of_loss(lost: Lost) -> None:
    world = settled(*range(30))
    at = world.now
    world.end(1, lost, delay=0.0)
    world.run(0.0)
    assert not [c for c in world.core.observed.channels.values() if c.present_since is not None], "at once"
    world.run(60)
    assert world.sit_in() == sorted(logins(*range(30)))
    check_agrees(world)
    closed = [r for r in world.core.records if isinstance(r, PresenceClosed)]
    assert len(closed) == 30
    assert {r.at for r in closed} == {at}
    assert len([r for r in world.core.records if isinstance(r, PresenceOpened)]) == 60


def test_fc_05_a_second_and_a_third_drop_in_a_row() -> None:
    world = settled(*range(30))
    for wait in (3.0, 0.5, 6.0):
        newest = max(world.lines)
        world.end(newest, Lost.RESET, delay=0.0)
        world.run(wait)
    world.run(120)
    assert world.sit_in() == sorted(logins(*range(30)))
    check_window(world.all_joins, 20)


@pytest.mark.parametrize("deadline", [Lost.CONNECT, Lost.TLS, Lost.DEADLINE])
def test_fc_05_a_connection_that_never_came_to_be_is_tried_again(deadline: Lost) -> None:
    core = at_work(0, connected=False)
    core.turn(f.ConnectionLost(T0 + 20, 1, deadline, 0.5))
    assert core.wake_at == T0 + 20.5
    check(core, [], T0 + 20.5, [OpenConnection(2)])


def test_fc_05_after_sleep_the_poll_comes_before_any_join() -> None:
    """Two channels were live; the host slept 8 h; one has ended meanwhile."""
    world = settled(0, 1)
    world.go_off(1)
    slept_at = world.now
    world.now += 8 * 3600
    world.tell(f.Woke(world.now, 8 * 3600))
    closed = [r for r in world.core.records if isinstance(r, PresenceClosed)]
    assert {r.at for r in closed} == {slept_at}, "the gap begins when the host fell asleep"
    woke = world.now
    world.run(60)
    assert world.sit_in() == [A]
    joins = [(at, join) for at, join in world.core.done if isinstance(join, JoinRooms) and at >= woke]
    reads = [at for at, read in world.core.done if isinstance(read, ReadLive) and at >= woke]
    assert [join.logins for _, join in joins] == [(A,)]
    assert reads[0] == woke
    assert reads[0] < joins[0][0]
    assert world.core.did(CloseConnection)[0] == CloseConnection(1)


def test_fc_05_an_answer_from_before_the_sleep_proves_nothing() -> None:
    core = at_work(0)
    core.turn(now=T0 + 30)
    assert core.observed.reads["live"].pending
    core.turn(f.Woke(T0 + 4000, 3900))
    assert OpenConnection(2) in core.did(OpenConnection)
    actions = core.turn(live(T0 + 4001, 0), f.ConnectionLost(T0 + 4001, 1, Lost.OURS, 0.0), f.Welcomed(T0 + 4001, 2))
    assert core.observed.stale
    assert [type(a) for a in actions] == [ReadLive]
    assert JoinRooms(2, (A,)) in core.turn(live(T0 + 4002, 0))


def test_a_short_sleep_keeps_the_connections_and_asks_who_is_live() -> None:
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0, 1, A))
    actions = core.turn(f.Woke(T0 + 10, 5.0))
    assert [type(a) for a in actions] == [ReadLive]
    assert core.states() == {(1, "c0"): "present"}


def test_a_clock_that_is_set_right_frees_no_budget() -> None:
    """NTP finds a clock 20 s behind just after the first 20 JOINs: for the server half a second went by."""
    core = at_work(*range(30))
    first = core.did(JoinRooms)[0]
    assert isinstance(first, JoinRooms)
    core.turn(f.JoinWritten(T0, 1, first.logins), *[f.Joined(T0 + 0.2, 1, login) for login in first.logins[:10]])
    core.turn(f.Woke(T0 + 20.5, 20.0))
    assert core.did(JoinRooms) == [first]
    core.turn(live(T0 + 21, *range(30)))
    assert core.did(JoinRooms) == [first]
    core.turn(*[f.Joined(T0 + 21, 1, login) for login in first.logins[10:]])
    assert core.wake_at == T0 + 20.2 + 10.5
    second = core.turn(now=T0 + 20.2 + 10.5)
    assert [len(join.logins) for join in second if isinstance(join, JoinRooms)] == [10]


# -- storms --------------------------------------------------------------------------------------------------------
def test_fc_06_one_attempt_in_flight_and_growing_delays() -> None:
    world = World(Policy(), seed=3)
    world.add(0)
    world.go_live(0)
    world.chat_down = True
    world.run(3600)
    opened = [at for at, action in world.core.done if isinstance(action, OpenConnection)]
    delays = [b - a for a, b in itertools.pairwise(opened)]
    assert max(delays[:3]) < 5
    assert max(delays) > 60
    assert max(delays) <= 121
    assert len(opened) < 160, "about one a minute on average, after the first eighty"
    check_window(world.all_logins, 20)
    assert len(world.core.events(EventKind.DISCONNECTED)) in (len(opened), len(opened) - 1), "one line an attempt"


@pytest.mark.parametrize("luck", [0.0, 0.5, 0.999])
def test_fc_06_closed_ten_times_straight_after_the_welcome(luck: float) -> None:
    """Welcomed is not stable: delays grow although each login is taken."""
    core = at_work(0, connected=False)
    at, delays = T0, []
    for conn in range(1, 11):
        core.turn(f.Welcomed(at + 0.1, conn))
        lost = f.ConnectionLost(at + 0.2, conn, Lost.CLOSED, luck)
        core.turn(lost, replace(lost, lost=Lost.RESET))
        assert core.observed.connect_failures == conn, "a loss that is told twice is one"
        while not any(isinstance(a, OpenConnection) for a in core.turn(now=core.wake_at)):
            pass
        delays.append(core.now - at - 0.2)
        at = core.now
    assert delays == pytest.approx([max(0.25, luck * min(120.0, 2.0**n)) for n in range(10)], abs=1e-5)
    assert len(core.did(OpenConnection)) == 11


@pytest.mark.parametrize("luck", [0.0, 0.5, 0.999])
def test_who_reached_nobody_tries_again_soon_for_a_while(luck: float) -> None:
    """Such a try costs no server anything, and a cut of a minute must not cost another. Later as FC-06 has it."""
    core = at_work(0, connected=False)
    delays = []
    for conn in range(1, 83):
        lost_at = core.now + 1
        core.turn(f.ConnectionLost(lost_at, conn, Lost.CONNECT, luck))
        while OpenConnection(conn + 1) not in core.turn(now=core.wake_at):
            pass
        delays.append(core.now - lost_at)
    caps = [1.0, 2.0, 4.0, 8.0, *[15.0] * 76, 120.0, 120.0]
    assert delays == pytest.approx([max(0.25, luck * cap) for cap in caps], abs=1e-5)


def test_who_was_turned_away_waits_as_long_as_the_tries_before_say() -> None:
    """Whoever answers can be stormed: nine tries that reached nobody count for the tenth, which did."""
    core = at_work(0, connected=False)
    for conn in range(1, 10):
        core.turn(f.ConnectionLost(core.now + 1, conn, Lost.CONNECT, 0.0))
        core.turn(now=core.now + 0.25)
    core.turn(f.ConnectionLost(core.now, 10, Lost.CLOSED, 0.5))
    assert core.observed.open_not_before == core.now + 60.0


def test_fc_06_a_stable_stay_makes_the_next_loss_a_first_one() -> None:
    core = at_work(0, connected=False)
    for conn in (1, 2, 3):
        core.turn(f.ConnectionLost(core.now + 1, conn, Lost.CONNECT, 0.0))
        core.turn(now=core.now + 0.25)
    core.turn(f.Welcomed(core.now, 4))
    core.turn(now=core.now + 59)
    assert core.observed.connect_failures == 3
    core.turn(now=core.now + 1)
    assert core.observed.connect_failures == 0
    core.turn(f.ConnectionLost(core.now + 1, 4, Lost.RESET, 0.5))
    assert core.wake_at == core.now + 0.5


def test_fc_06_an_old_connection_that_stands_does_not_excuse_new_ones_that_fall() -> None:
    world = settled(*range(60))
    assert len(world.lines) == 2
    for _ in range(6):
        world.end(max(world.lines), Lost.RESET, delay=0.0)
        world.run(0.0)
        while world.lines[max(world.lines)].gone or not world.lines[max(world.lines)].welcomed:
            world.run(1.0)
    assert world.core.observed.connect_failures >= 6


def test_no_more_than_20_logins_in_10_s_whatever_luck_says() -> None:
    core = at_work(0, policy=Policy(reconnect=replace(Policy().reconnect, first=0.0, floor=0.0)), connected=False)
    for conn in range(1, 21):
        core.turn(f.ConnectionLost(T0 + conn * 0.01, conn, Lost.CLOSED, 0.0))
    assert len(core.did(OpenConnection)) == 20
    assert core.wake_at == T0 + 0.01 + 10.5
    assert OpenConnection(21) in core.turn(now=core.wake_at)


# -- load ----------------------------------------------------------------------------------------------------------
def test_rooms_are_split_so_that_a_dead_socket_costs_half() -> None:
    world = settled(*range(60))
    loads = sorted(len(line.rooms) for line in world.lines.values())
    assert loads == [30, 30]
    world = World(Policy(rooms_per_connection=20))
    world.add(*range(60))
    for number in range(60):
        world.go_live(number)
    world.run(90)
    assert sorted(len(line.rooms) for line in world.lines.values()) == [20, 20, 20]


def test_an_empty_connection_is_let_go_once_the_demand_is_well_below() -> None:
    world = settled(*range(60))
    for number in range(10, 60):
        world.go_off(number)
    world.run(600)
    standing = [line for line in world.lines.values() if not line.gone]
    assert len(world.sit_in()) == 10
    assert len(standing) in (1, 2)
    for number in range(10):
        world.go_off(number)
    world.run(600)
    assert len([line for line in world.lines.values() if not line.gone]) == 1, "one is always kept"
    assert len(world.core.did(OpenConnection)) == 2


def test_of_two_empty_connections_one_goes_and_gets_no_rooms_as_it_goes() -> None:
    policy = Policy(rooms_per_connection=1)
    core = at_work(0, 1, policy=policy, now=T0)
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0, 1, A), f.Welcomed(T0, 2))
    core.policy = Policy()
    core.turn(f.ConfigTaken(T0 + 1))
    core.turn(f.JoinRefused(T0 + 2, 2, B, Why.BANNED), f.JoinRefused(T0 + 2, 1, A, Why.BANNED))
    closed = core.did(CloseConnection)
    assert len(closed) == 1
    gone = closed[0].conn  # type: ignore[attr-defined]
    core.turn(f.RetryAsked(T0 + 2, A), f.RetryAsked(T0 + 2, B))
    joins = [(at, a) for at, a in core.done if isinstance(a, JoinRooms) and at >= T0 + 2]
    assert all(join.conn != gone for _, join in joins)
    assert len(joins) == 1


# -- RECONNECT -----------------------------------------------------------------------------------------------------
def test_reconnect_replacement_first_then_the_new_room_then_the_old_one_goes() -> None:
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0, 1, A))
    check(core, [], T0 + 5, [])
    assert core.turn(f.ReconnectAsked(T0 + 6, 1)) == (OpenConnection(2),)
    assert core.turn(f.Welcomed(T0 + 7, 2)) == (JoinRooms(2, (A,)),)
    assert core.turn(f.JoinWritten(T0 + 7, 2, (A,))) == ()
    assert core.turn(f.Joined(T0 + 8, 2, A)) == (PartRooms(1, (A,)),)
    assert core.turn(f.Parted(T0 + 9, 1, A)) == (CloseConnection(1),)
    core.turn(f.ConnectionLost(T0 + 9, 1, Lost.OURS, 0.0))
    assert core.states() == {(2, "c0"): "present"}
    assert not [r for r in core.records if isinstance(r, PresenceClosed)], "no gap"
    assert not core.events(EventKind.DISCONNECTED)


def test_a_part_that_twitch_tells_to_all_our_connections_is_no_ban() -> None:
    """The old room is left once the new one stands; the echo comes on the new connection too: ask again, no more."""
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0 + 0.1, 1, A))
    core.turn(f.ReconnectAsked(T0 + 6, 1))
    core.turn(f.Welcomed(T0 + 7, 2))
    core.turn(f.JoinWritten(T0 + 7, 2, (A,)))
    assert core.turn(f.Joined(T0 + 7.1, 2, A)) == (PartRooms(1, (A,)),)
    actions = core.turn(f.Parted(T0 + 7.2, 1, A), f.Parted(T0 + 7.2, 2, A))
    assert JoinRooms(2, (A,)) in actions
    assert core.observed.channels[ref(0).id].refusal is None
    core.turn(f.JoinWritten(T0 + 7.2, 2, (A,)), f.Joined(T0 + 7.3, 2, A))
    core.turn(f.Parted(T0 + 60, 2, A))
    refusal = core.observed.channels[ref(0).id].refusal
    assert refusal is not None
    assert refusal.why is Why.PUT_OUT


def test_fc_04_reconnect_asked_twice_or_before_the_welcome() -> None:
    core = at_work(0, connected=False)
    core.turn(f.ReconnectAsked(T0 + 1, 1), f.ReconnectAsked(T0 + 1, 1))
    assert len(core.events(EventKind.RECONNECT_ASKED)) == 1
    assert core.turn(f.Welcomed(T0 + 2, 1)) == (OpenConnection(2),)
    assert CloseConnection(1) in core.turn(f.Welcomed(T0 + 3, 2))


@pytest.mark.parametrize("rooms", [30, 60, 90])
def test_reconnect_under_a_full_house_makes_way_in_groups(rooms: int) -> None:
    """`World` watches that never more than max_rooms are held, and the JOIN window."""
    world = settled(*range(rooms), policy=Policy(max_rooms=rooms, rooms_per_connection=100), slow=0.2)
    began = world.now
    world.tell(f.ReconnectAsked(world.now, 1))
    most_out = 0
    for _ in range(120):
        world.run(0.5)
        most_out = max(most_out, rooms - len(set(world.sit_in())))
    assert world.sit_in() == sorted(logins(*range(rooms)))
    assert world.lines[1].gone
    assert most_out <= 20, "no more are left at once than may be asked at once"
    assert len([span for span in world.all_joins if span.earliest >= began]) == rooms
    check_agrees(world)


def test_reconnect_with_room_to_spare_shows_no_gap() -> None:
    world = settled(*range(40), policy=Policy(max_rooms=90))
    world.tell(f.ReconnectAsked(world.now, 1))
    world.run(90)
    assert world.sit_in() == sorted(logins(*range(40)))
    assert not [r for r in world.core.records if isinstance(r, PresenceClosed)]


def test_reconnect_when_the_server_does_not_wait() -> None:
    world = settled(*range(40))
    world.tell(f.ReconnectAsked(world.now, 1))
    world.run(1.0)
    world.end(1, Lost.CLOSED, delay=0.0)
    world.run(60)
    assert world.sit_in() == sorted(logins(*range(40)))


# -- sign-in -------------------------------------------------------------------------------------------------------
def test_fc_17_a_refused_login_refreshes_once_and_goes_on() -> None:
    core = at_work(0, connected=False)
    refused = f.ConnectionLost(T0 + 1, 1, Lost.LOGIN, 0.0, "Login authentication failed")
    assert RenewSignIn(refused=True) in core.turn(refused)
    assert core.turn(signed_in(T0 + 2)) == (OpenConnection(2),)
    core.turn(f.Welcomed(T0 + 3, 2))
    assert core.observed.sign_in.chat_refusals == 0


def test_fc_17_a_plain_check_does_not_answer_the_doubt() -> None:
    """The hourly check was under way when the chat refused: its yes is not the refresh that is needed."""
    core = at_work(0, connected=False)
    assert RenewSignIn() in core.turn(now=T0 + 3600)
    core.turn(f.ConnectionLost(T0 + 3601, 1, Lost.LOGIN, 0.0))
    assert core.turn(signed_in(T0 + 3602)) == (RenewSignIn(refused=True),)


def test_a_sign_in_that_is_new_is_looked_at_at_once() -> None:
    core = at_work(0)
    assert RenewSignIn() not in core.turn(now=T0 + 5)
    assert RenewSignIn() in core.turn(f.SignInGiven(T0 + 6))


def test_fc_17_no_refresh_helps_and_a_person_is_asked_once() -> None:
    world = settled(0)
    world.token, world.login_refused = "lost", True
    world.end(1, Lost.LOGIN, delay=0.0)
    world.run(3600)
    assert len(world.core.did(OpenConnection)) == 1, "no login loop"
    assert len(world.core.events(EventKind.SIGN_IN_LOST)) == 1
    world.token, world.login_refused = "good", False
    world.run(60)
    assert world.sit_in() == [A]


def test_fc_17_a_chat_that_refuses_good_tokens_for_a_minute_costs_minutes() -> None:
    world = settled(0)
    world.login_refused = True
    world.end(1, Lost.CLOSED, delay=0.0)
    world.run(60)
    assert world.sit_in() == []
    world.login_refused = False
    world.run(90)
    assert world.sit_in() == [A]


def test_fc_17_the_token_validates_and_the_chat_will_not_have_it() -> None:
    world = World(Policy())
    world.add(0)
    world.go_live(0)
    world.login_refused = True
    world.run(3600)
    renewals = [a for a in world.core.did(RenewSignIn) if a == RenewSignIn(refused=True)]
    assert len(renewals) <= 13, "seven within a quarter of an hour, then one in 10 minutes"
    assert len(world.core.did(OpenConnection)) <= 13
    assert len(world.core.did(ReadLive)) > 100, "who is live goes on being known"
    world.login_refused = False
    world.run(660)
    assert world.sit_in() == [A]


def test_fc_18_the_checker_is_down_at_the_start_and_the_remembered_sign_in_is_used() -> None:
    core = Core()
    core.turn()
    actions = core.turn(f.SignInUnknown(T0 + 1, "503", 0.5, signed_in(T0 + 1)))
    assert OpenConnection(1) in actions
    assert RenewSignIn() not in actions
    assert RenewSignIn() in core.turn(now=T0 + 3)


def test_fc_18_unknown_keeps_what_was_known() -> None:
    world = settled(0)
    world.token = "unknown"
    world.run(2 * 3600)
    assert world.sit_in() == [A]
    assert not world.core.events(EventKind.SIGN_IN_LOST)
    assert len(world.core.did(RenewSignIn)) > 5


def test_another_account_starts_over() -> None:
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0, 1, A))
    other = Account(UserId("2"), Login("other"))
    actions = core.turn(f.SignedIn(T0 + 5, other, True))
    assert CloseConnection(1) in actions
    assert OpenConnection(2) in actions
    assert core.observed.channels[ref(0).id].present_since is None


def test_a_welcome_that_comes_after_we_let_go_changes_nothing() -> None:
    core = at_work(0, connected=False)
    assert CloseConnection(1) in core.turn(f.Woke(T0 + 100, 90.0))
    core.turn(f.Welcomed(T0 + 100.1, 1))
    assert core.observed.usable() == []
    core.turn(f.ConnectionLost(T0 + 101, 1, Lost.OURS, 0.0), f.Welcomed(T0 + 101, 1))
    assert core.events(EventKind.CONNECTED) == []


def test_a_connection_that_is_let_go_is_given_nothing_in_the_same_turn() -> None:
    """Two empty connections and one room to ask for: one goes, the other asks."""
    core = at_work(0, 1, policy=Policy(rooms_per_connection=1))
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Welcomed(T0, 2))
    core.turn(f.JoinWritten(T0, 2, (B,)))
    core.policy = Policy()
    core.fold(f.ConfigTaken(T0 + 1))
    core.fold(f.JoinRefused(T0 + 1, 1, A, Why.OTHER), f.JoinRefused(T0 + 1, 2, B, Why.OTHER), f.RetryAsked(T0 + 1, A))
    actions = [a for a in core.turn(now=T0 + 1) if isinstance(a, CloseConnection | JoinRooms)]
    assert actions == [CloseConnection(1), JoinRooms(2, (A,))]


def test_an_older_connection_that_falls_does_not_excuse_the_newest() -> None:
    core = at_work(0, 1, policy=Policy(rooms_per_connection=1))
    core.turn(now=T0 + 100)
    conn = 1
    for failures in range(1, 5):
        conn += 1
        core.turn(f.ConnectionLost(core.now + 1, conn, Lost.CONNECT, 0.0))
        core.turn(now=core.now + 1)
        assert core.observed.connect_failures == failures
    core.turn(f.ConnectionLost(core.now + 1, 1, Lost.RESET, 0.0))
    assert core.observed.connect_failures == 5


def test_a_connection_that_answers_some_joins_is_no_ghost() -> None:
    core = at_work(*range(6))
    at = T0 + 100
    core.turn(f.JoinWritten(at, 1, logins(*range(6))))
    core.turn(*(f.Joined(at + 1, 1, login) for login in logins(0, 1, 2)))
    core.turn(now=at + 15)
    core.observed.connections[1].unanswered = 2
    core.turn(f.Joined(at + 16, 1, logins(3)[0]))
    assert core.observed.connections[1].unanswered == 0


# -- what is booked before it is done ------------------------------------------------------------------------------
def test_fc_02_budgets_are_booked_in_words_that_a_restart_reads() -> None:
    core = at_work(0, 1)
    spent = [(record.what, record.count) for record in core.records if isinstance(record, AttemptsSpent)]
    assert spent == [("login", 1), ("join", 2)]


def test_another_connection_beside_one_that_stands_is_no_outage() -> None:
    core = at_work(0)
    assert core.observed.disconnected_since is None
    intend(core.observed, OpenConnection(2), T0 + 9)
    assert core.observed.disconnected_since is None
    bare = Core()
    intend(bare.observed, OpenConnection(1), T0 + 9)
    assert bare.observed.disconnected_since == T0 + 9


def test_a_join_that_left_counts_only_where_it_is_awaited() -> None:
    core = at_work(0)
    (room,) = core.observed.rooms.values()
    core.turn(f.JoinWritten(T0 + 1, 1, logins(0, 5)), f.JoinWritten(T0 + 1, 9, logins(0)))
    assert room.written_at == T0 + 1
    core.turn(f.Joined(T0 + 2, 1, room.login, None))
    core.turn(f.JoinWritten(T0 + 3, 1, logins(0)))
    assert room.written_at != T0 + 3
