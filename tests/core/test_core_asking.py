"""From the wish to the server's word: asking, pacing, asking again, refusals, leaving."""

from __future__ import annotations

import itertools

import pytest
from core_world import T0, Core, World, at_work, check, check_agrees, check_window, live, logins, ref, stream

from allthepoints.base.types import Login, StreamId, UserId
from allthepoints.core import facts as f
from allthepoints.core.actions import Action, CloseConnection, JoinRooms, OpenConnection, PartRooms, ReadLive, ReadUsers
from allthepoints.core.model import Account, ChannelRef, Lost, Why
from allthepoints.core.policy import Policy
from allthepoints.core.records import EventKind, PresenceClosed, PresenceOpened
from allthepoints.core.silence import LATEST_ANSWER

A, B, C = logins(0, 1, 2)


def test_fc_01_first_wish_is_a_join_and_nothing_is_claimed() -> None:
    core = at_work(0, 1)
    assert core.did(JoinRooms) == [JoinRooms(1, (A, B))]
    assert set(core.states().values()) == {"asked"}
    core.turn(f.JoinWritten(T0 + 1, 1, (A, B)), f.Joined(T0 + 1.2, 1, B))
    assert core.states() == {(1, "c0"): "asked", (1, "c1"): "present"}
    assert [r.channel for r in core.records if isinstance(r, PresenceOpened)] == [ref(1).id]


def test_fc_01_asked_again_15_s_after_the_write_not_after_the_decision() -> None:
    core = at_work(0)
    core.turn(f.JoinWritten(T0 + 3, 1, (A,)))
    assert core.wake_at == T0 + 18
    check(core, [f.Ticked(T0 + 17.9)], T0 + 18, [JoinRooms(1, (A,))])


def test_fc_01_after_three_tries_helix_is_asked() -> None:
    core = at_work(0)
    at = T0
    for _ in range(2):
        core.turn(f.JoinWritten(at, 1, (A,)))
        at += 15
        assert core.turn(now=at)[-1] == JoinRooms(1, (A,))
    core.turn(f.JoinWritten(at, 1, (A,)))
    at += 15
    assert ReadUsers(frozenset({ref(0).id}), frozenset()) in core.turn(now=at)


def silent_room(core: Core, at: float = T0) -> float:
    """The room of channel 0 does not answer three JOINs; the time of the look-up."""
    while not any(ref(0).id in ask.ids for ask in core.did(ReadUsers) if isinstance(ask, ReadUsers)):
        core.turn(f.JoinWritten(at, 1, (A,)))
        at += 15
        core.turn(now=at)
    return at


@pytest.mark.parametrize(("found", "why", "until"), [(True, Why.UNANSWERED, 60.0), (False, Why.NO_SUCH_CHANNEL, 300.0)])
def test_fc_01_what_helix_says_of_a_silent_room(found: bool, why: Why, until: float) -> None:
    core = at_work(0)
    at = silent_room(core) + 1
    who = frozenset({ref(0).id})
    core.turn(f.UsersRead(at, (ref(0),) if found else (), frozenset() if found else who, frozenset()))
    refusal = core.observed.channels[ref(0).id].refusal
    assert refusal is not None
    assert refusal.why is why
    assert refusal.until == at + until
    assert [e.data["why"] for e in core.events(EventKind.REFUSED)] == [why]
    assert JoinRooms(1, (A,)) not in core.turn(now=at + until - 1)
    core.turn(live(at + until - 1, 0))
    assert JoinRooms(1, (A,)) in core.turn(now=at + until), "it is live, whatever the look-up said"


def test_fc_01_helix_down_slows_the_asking_and_never_ends_it() -> None:
    world = World(Policy())
    world.add(0)
    world.go_live(0)
    world.silent.add(ref(0).id)
    world.run(30)
    world.helix_down = True
    world.run(3600)
    times = [at for at, action in world.core.done if isinstance(action, JoinRooms)]
    gaps = [b - a for a, b in itertools.pairwise(times)]
    slow = [round(gap) for gap in gaps[6:]]
    assert slow[:6] == [30, 45, 75, 135, 255, 315]
    assert set(slow[6:]) == {315}
    assert len(world.core.did(OpenConnection)) == 2, "the connection was tried first, once"
    world.silent.clear()
    world.run(330)
    assert world.sit_in() == [A]


def test_fc_01_a_connection_that_swallows_joins_is_replaced_before_helix_is_asked() -> None:
    world = World(Policy())
    world.add(0, 1)
    world.go_live(0)
    world.run(120)
    assert world.sit_in() == [A]
    world.lines[1].deaf_to_joins = True
    world.go_live(1)
    world.run(120)
    assert world.sit_in() == [A, B]
    assert world.core.did(OpenConnection) == [OpenConnection(1), OpenConnection(2)]
    assert world.core.did(CloseConnection) == [], "its room is as good as ever, and its answer may be late"
    world.run(LATEST_ANSWER)
    assert world.sit_in() == [A, B]
    assert world.core.did(CloseConnection) == [CloseConnection(1)]
    assert not [ask for ask in world.core.did(ReadUsers) if isinstance(ask, ReadUsers) and ask.ids]
    assert world.core.observed.channels[ref(1).id].refusal is None


def test_fc_01_a_room_that_never_answers_does_not_end_connections_for_ever() -> None:
    world = World(Policy())
    world.add(0, 1)
    world.go_live(0)
    world.go_live(1)
    world.silent.add(ref(1).id)
    world.run(6 * 3600)
    assert len(world.core.did(OpenConnection)) <= 2
    assert world.sit_in() == [A]
    assert len(world.core.events(EventKind.REFUSED)) == 1
    assert len(world.core.did(JoinRooms)) < 130, "ever more slowly: three JOINs in ten minutes at last"


# -- pacing --------------------------------------------------------------------------------------------------------
def test_fc_02_pacing_survives_a_drop() -> None:
    world = World(Policy(), slow=0.1)
    world.add(*range(65))
    for number in range(62):
        world.go_live(number)
    world.run(4)
    assert len(world.sit_in()) == 20
    world.end(1, lost=Lost.RESET)
    world.run(26)
    for number in (62, 63, 64):
        world.go_live(number)
    world.run(30)
    check_window(world.all_joins, 20)
    assert len(world.sit_in()) == 65
    assert len(world.all_joins) == 20 + 65
    last = max(r.at for r in world.core.records if isinstance(r, PresenceOpened))
    assert last < T0 + 44, "85 JOINs at 20 in 10.5 s"


def test_fc_02_62_channels_are_confirmed_by_40_s_without_time_outs() -> None:
    world = World(Policy(), slow=0.1)
    world.add(*range(62))
    for number in range(62):
        world.go_live(number)
    world.run(40)
    assert len(world.sit_in()) == 62
    assert len(world.all_joins) == 62
    check_agrees(world)


def test_fc_02_who_goes_off_while_queued_is_not_asked() -> None:
    core = at_work(*range(25))
    asked = [login for join in core.did(JoinRooms) if isinstance(join, JoinRooms) for login in join.logins]
    assert len(asked) == 20
    queued = sorted({ref(n).login for n in range(25)} - set(asked))
    core.turn(f.JoinWritten(T0, 1, tuple(asked)), *(f.Joined(T0 + 0.2, 1, login) for login in asked))
    off = int(queued[0].removeprefix("c"))
    stay = [n for n in range(25) if n != off]
    core.turn(live(T0 + 1, *stay, asked=range(25)))
    core.observed.channels[ref(off).id].missed_since = T0 - 600
    core.turn(live(T0 + 2, *stay, asked=range(25)))
    joins = [a for a in core.turn(now=T0 + 12) if isinstance(a, JoinRooms)]
    assert sorted(login for join in joins for login in join.logins) == queued[1:]


def test_fc_02_wake_up_when_the_window_opens() -> None:
    core = at_work(*range(21))
    core.turn(f.JoinWritten(T0, 1, logins(*range(20))), *(f.Joined(T0, 1, login) for login in logins(*range(20))))
    assert core.wake_at == T0 + 10.5


def test_unacknowledged_joins_hold_the_budget_while_they_may_still_arrive() -> None:
    """A stalled network must not squeeze two of our windows into one of the server's."""
    core = at_work(*range(40))
    first = [login for join in core.did(JoinRooms) if isinstance(join, JoinRooms) for login in join.logins]
    core.turn(f.JoinWritten(T0, 1, tuple(first)))
    assert not [a for a in core.turn(now=T0 + 11) if isinstance(a, JoinRooms)]
    later = [a for a in core.turn(now=T0 + 25.5) if isinstance(a, JoinRooms)]
    assert sum(len(join.logins) for join in later) == 20


def test_a_join_that_is_taken_back_at_once_is_still_counted() -> None:
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)))
    core.policy = Policy(exclude=frozenset({A}))
    assert core.turn(f.ConfigTaken(T0 + 1))[-1] == PartRooms(1, (A,))
    core.turn(f.Parted(T0 + 1.2, 1, A))
    assert core.observed.rooms == {}
    assert core.observed.join_window(T0 + 6).free(T0 + 6) == 19


def test_a_restart_remembers_the_window() -> None:
    from allthepoints.core.records import Restored
    from allthepoints.core.restore import restore

    observed = restore(Restored(joins=(T0 - 1,) * 20, logins=(T0 - 1,) * 20), T0)
    assert observed.join_window(T0).free_at(T0) == T0 - 1 + 15 + 10.5
    assert observed.login_window(T0).free_at(T0) == T0 - 1 + 10.5
    set_back = restore(Restored(joins=(T0 + 3600,) * 20), T0)
    assert set_back.join_window(T0).free_at(T0) == T0 + 25.5, "a clock that was set back blocks nothing for an hour"


# -- refusals ------------------------------------------------------------------------------------------------------
def test_fc_03_refusals_are_named_and_block_nobody() -> None:
    world = World(Policy())
    world.add(*range(6))
    for number in range(6):
        world.go_live(number)
    world.suspended.add(ref(0).id)
    world.banned.add(ref(1).id)
    world.silent.add(ref(2).id)
    world.run(240)
    assert world.sit_in() == list(logins(3, 4, 5))
    refused = {e.channel: e.data["why"] for e in world.core.events(EventKind.REFUSED)}
    assert refused == {ref(0).id: Why.SUSPENDED, ref(1).id: Why.BANNED, ref(2).id: Why.UNANSWERED}
    assert len(world.core.events(EventKind.REFUSED)) == 3, "one alert each, not one a retry"


# -- live, off, live again -----------------------------------------------------------------------------------------
def present(*numbers: int, policy: Policy | None = None) -> Core:
    """In the chats of these channels, on connection 1, from T0 + 0.2."""
    core = at_work(*numbers, policy=policy)
    written = tuple(login for join in core.did(JoinRooms) if isinstance(join, JoinRooms) for login in join.logins)
    core.turn(f.JoinWritten(T0, 1, written), *(f.Joined(T0 + 0.2, 1, login) for login in written))
    return core


def leave(core: Core, at: float) -> None:
    """Channel 0 is seen off; the PART is decided."""
    core.observed.channels[ref(0).id].missed_since = T0 - 600
    assert PartRooms(1, (A,)) in core.turn(live(at, asked=[0]))


@pytest.mark.parametrize("echo_at", [25.5, 27.0, 31.0, None])
def test_fc_10_live_again_before_the_part_echo(echo_at: float | None) -> None:
    """The last wish wins: one JOIN, confirmed, whenever the echo comes, or never."""
    core = present(0)
    leave(core, T0 + 20)
    again = stream(0, "s2", started_at=T0 + 21)
    core.turn(live(T0 + 25, again))
    assert core.states() == {(1, "c0"): "leaving"}, "no JOIN while the PART is on its way"
    facts: list[f.Fact] = []
    if echo_at is not None:
        facts.append(f.Parted(T0 + echo_at, 1, A))
    core.turn(*facts, now=max(T0 + 30, T0 + (echo_at or 0)))
    core.turn(f.JoinWritten(core.now, 1, (A,)), f.Joined(core.now + 0.3, 1, A))
    assert len(core.did(JoinRooms)) == 2
    assert core.states() == {(1, "c0"): "present"}
    assert core.observed.channels[ref(0).id].refusal is None


def test_fc_10_an_echo_that_is_overtaken_by_the_new_ack_ends_nothing() -> None:
    core = present(0)
    leave(core, T0 + 20)
    core.turn(live(T0 + 25, stream(0, "s2", started_at=T0 + 21)))
    assert core.turn(now=T0 + 30) == (JoinRooms(1, (A,)),)
    core.turn(f.JoinWritten(T0 + 30, 1, (A,)))
    core.turn(f.Parted(T0 + 31, 1, A))
    assert core.states() == {(1, "c0"): "asked"}
    core = present(0)
    leave(core, T0 + 20)
    core.turn(live(T0 + 25, stream(0, "s2", started_at=T0 + 21)))
    core.turn(now=T0 + 30)
    core.turn(f.JoinWritten(T0 + 30, 1, (A,)), f.Joined(T0 + 31, 1, A), f.Parted(T0 + 32, 1, A))
    assert core.states() == {(1, "c0"): "present"}


@pytest.mark.parametrize("later", [12.0, 100.0])
def test_fc_10_an_echo_lost_for_ever_does_not_hide_a_forced_part(later: float) -> None:
    core = present(0)
    leave(core, T0 + 20)
    core.turn(live(T0 + 25, stream(0, "s2", started_at=T0 + 21)))
    core.turn(now=T0 + 30)
    core.turn(f.JoinWritten(T0 + 30, 1, (A,)), f.Joined(T0 + 31, 1, A))
    core.turn(f.Parted(T0 + 31 + later, 1, A))
    assert core.states() == {}
    assert core.observed.channels[ref(0).id].refusal is not None


def test_fc_10_quick_restart_within_one_poll_keeps_the_presence() -> None:
    core = present(0)
    actions = core.turn(live(T0 + 40, stream(0, "s2", started_at=T0 + 35)))
    assert not [a for a in actions if not isinstance(a, ReadLive)]
    sessions = [r for r in core.records if type(r).__name__ in ("SessionOpened", "SessionClosed")]
    assert [type(r).__name__ for r in sessions] == ["SessionOpened", "SessionClosed", "SessionOpened"]
    assert not [r for r in core.records if isinstance(r, PresenceClosed)]


# -- rooms are scarce ----------------------------------------------------------------------------------------------
def test_fc_11_live_only_and_a_cap() -> None:
    world = World(Policy(max_rooms=90), slow=0.1)
    world.add(*range(300))
    for number in range(140):
        world.go_live(number)
    world.run(120)
    assert world.sit_in() == sorted(logins(*range(90))), "the newest follows come first"
    world.go_off(7)
    world.run(300)
    assert world.sit_in() == sorted([*logins(*(n for n in range(90) if n != 7)), Login("c90")])


def test_priority_comes_first_then_who_sits_then_include_then_follows() -> None:
    policy = Policy(max_rooms=2, priority=(C,), include=(B,))
    world = World(policy)
    world.add(0, 1, 2, 3)
    for number in (0, 3):
        world.go_live(number)
    world.run(60)
    assert world.sit_in() == sorted(logins(0, 3))
    world.go_live(1)
    world.run(60)
    assert world.sit_in() == sorted(logins(0, 3)), "a swap is not worth a gap"
    world.go_live(2)
    world.run(60)
    assert world.sit_in() == sorted(logins(0, 2)), "explicit priority is"


def test_a_room_that_nobody_asked_for_is_believed_and_left() -> None:
    core = present(0)
    core.turn(f.FollowsRead(T0 + 1, (ref(0), ref(5))))
    assert core.turn(f.Joined(T0 + 2, 1, Login("c5"))) == (PartRooms(1, (Login("c5"),)),)
    core.turn(f.Joined(T0 + 3, 9, Login("c5")), f.Joined(T0 + 3, 1, Login("stranger")))
    assert set(core.states()) == {(1, "c0"), (1, "c5")}, "a connection that is gone and a channel nobody knows"


# -- names ---------------------------------------------------------------------------------------------------------
def test_fc_16_a_rename_while_live_moves_the_room() -> None:
    core = present(0)
    moved = ref(0, "alpha2")
    actions = core.turn(live(T0 + 30, stream(moved)))
    assert actions == (JoinRooms(1, (Login("alpha2"),)), PartRooms(1, (A,)))
    core.turn(
        f.JoinWritten(T0 + 30, 1, (Login("alpha2"),)),
        f.Joined(T0 + 30.2, 1, Login("alpha2"), ref(0).id),
        f.Parted(T0 + 30.3, 1, A),
    )
    assert core.states() == {(1, "alpha2"): "present"}
    assert len(core.observed.channels) == 1
    assert [e.data for e in core.events(EventKind.RENAMED)] == [{"from": "c0", "to": "alpha2"}]
    assert not core.events(EventKind.LEFT), "the person sees no gap where there is none"


def test_fc_16_whoever_takes_the_old_login_is_somebody_else() -> None:
    """42 is alpha, then alpha2; 77 takes alpha. The include list goes on to mean 42, also after a restart."""
    from allthepoints.core.records import ChannelKnown, Restored
    from allthepoints.core.restore import restore

    alpha = Login("alpha")
    before, after, thief = (
        ChannelRef(UserId("42"), alpha, "Alpha"),
        ChannelRef(UserId("42"), Login("alpha2"), "Alpha2"),
        ChannelRef(UserId("77"), alpha, "alpha"),
    )
    policy = Policy(followed=False, include=(alpha,))
    core = Core(policy)
    core.turn(f.SignedIn(T0, Account(UserId("1"), Login("me")), True))
    core.turn(f.UsersRead(T0, (before,), frozenset(), frozenset()))
    core.turn(live(T0 + 1, stream(before)), f.Welcomed(T0 + 1, 1))
    core.turn(live(T0 + 31, stream(after)))
    core.turn(f.UsersRead(T0 + 32, (thief,), frozenset(), frozenset()))
    known = tuple(r for r in core.records if isinstance(r, ChannelKnown))
    last = {k.ref.id: k for k in known}
    names = tuple((k.ref.login, k.ref.id) for k in known)
    again = Core(policy, restore(Restored(channels=tuple(last.values()), names=names), T0 + 100), T0 + 100)
    for side in (core, again):
        side.turn(f.SignedIn(T0 + 100, Account(UserId("1"), Login("me")), True))
        reads = [a for a in (*side.did(ReadLive), *side.turn(now=T0 + 200)) if isinstance(a, ReadLive)]
        assert reads[-1].ids == {UserId("42")}
        assert reads[-1].logins == frozenset()
        side.turn(f.LiveRead(T0 + 201, frozenset({UserId("42")}), frozenset(), (stream(after), stream(thief))))
        assert UserId("42") in side.observed.live
        wanted = [a for a in side.done if isinstance(a[1], JoinRooms) and alpha in a[1].logins and a[0] > T0 + 31]
        assert not wanted, "nobody asks for 77"


def test_fc_16_the_room_of_a_stranger_is_not_ours() -> None:
    """Nobody told of the rename, but ROOMSTATE has another room-id: no presence, a look-up, and then the new place."""
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0 + 0.1, 1, A))
    assert core.observed.channels[ref(0).id].present_since is not None
    actions = core.turn(f.Joined(T0 + 0.2, 1, A, UserId("77")), f.Joined(T0 + 0.2, 1, A))
    assert core.observed.channels[ref(0).id].present_since is None
    assert actions == (ReadUsers(frozenset({ref(0).id}), frozenset()),)
    moved = core.turn(f.UsersRead(T0 + 1, (ref(0, "alpha2"),), frozenset(), frozenset()))
    assert set(moved) == {JoinRooms(1, (Login("alpha2"),)), PartRooms(1, (A,))}


def test_a_doubt_that_goes_with_its_connection_costs_nothing() -> None:
    """The room in doubt is gone before Helix answers: it is asked for anew at once, and was refused by nobody."""
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0 + 0.1, 1, A, UserId("77")))
    core.turn(f.ConnectionLost(T0 + 0.5, 1, Lost.RESET, 0.0))
    assert core.turn(f.UsersRead(T0 + 1, (ref(0),), frozenset(), frozenset())) == (OpenConnection(2),)
    assert core.observed.channels[ref(0).id].refusal is None
    assert core.turn(f.Welcomed(T0 + 3, 2)) == (JoinRooms(2, (A,)),)


def test_a_server_that_numbers_rooms_in_its_own_way_is_asked_about_once() -> None:
    """Helix confirms the login: then it is our room, and that id is not doubted again."""
    core = at_work(0)
    channel = core.observed.channels[ref(0).id]
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0 + 0.1, 1, A, UserId("1")))
    assert channel.present_since is None
    assert core.turn(f.UsersRead(T0 + 1, (ref(0),), frozenset(), frozenset())) == ()
    assert channel.present_since == T0 + 1
    assert channel.refusal is None
    assert core.turn(f.Joined(T0 + 2, 1, A, UserId("1"))) == ()
    assert channel.present_since == T0 + 1


def test_two_channels_that_swap_their_logins() -> None:
    world = World(Policy())
    world.add(0, 1)
    world.go_live(0)
    world.go_live(1)
    world.run(60)
    world.rename(0, "spare")
    world.rename(1, "c0")
    world.rename(0, "c1")
    world.run(120)
    assert world.sit_in() == [A, B]
    check_agrees(world)
    rooms = {login: room.channel for (_, login), room in world.core.observed.rooms.items()}
    assert rooms == {A: ref(1).id, B: ref(0).id}


def test_an_old_answer_out_of_a_cache_is_not_a_new_session() -> None:
    core = present(0)
    core.turn(live(T0 + 30, stream(0, "s2", started_at=T0 + 20)))
    records = core.fold(live(T0 + 60, stream(0, "s1", started_at=T0)))
    assert records == []
    assert core.observed.channels[ref(0).id].stream_id() == StreamId(f"{ref(0).id}-s2")


def test_only_what_the_union_of_actions_names_is_ever_done() -> None:
    """There is no action that speaks."""
    assert {kind.__name__ for kind in Action.__args__} == {  # type: ignore[attr-defined]
        "RenewSignIn",
        "ReadFollows",
        "ReadLive",
        "ReadUsers",
        "OpenConnection",
        "CloseConnection",
        "JoinRooms",
        "PartRooms",
        "FindLoyalty",
        "ReadLoyalty",
        "ReadBalance",
        "ReadItems",
        "ReadHistory",
        "CheckJwt",
        "SendRedemption",
    }


# -- a changed config ----------------------------------------------------------------------------------------------
def test_fc_37_only_the_difference_acts() -> None:
    core = present(0, 1)
    core.policy = Policy(exclude=frozenset({A}), priority=(B,))
    actions = core.turn(f.ConfigTaken(T0 + 5))
    assert [a for a in actions if not isinstance(a, ReadLive)] == [PartRooms(1, (A,))]
    core.turn(f.ConfigRejected(T0 + 6, "line 3"), f.Parted(T0 + 6, 1, A))
    assert core.states() == {(1, "c1"): "present"}


def test_fc_37_a_channel_removed_while_it_is_asked() -> None:
    """Before the JOIN is written there is nothing to take back; then it is."""
    core = at_work(0)
    core.policy = Policy(exclude=frozenset({A}))
    assert not [a for a in core.turn(f.ConfigTaken(T0 + 1)) if isinstance(a, PartRooms)]
    assert core.turn(f.JoinWritten(T0 + 2, 1, (A,))) == (PartRooms(1, (A,)),)
    core.turn(f.Joined(T0 + 3, 1, A))
    assert core.states() == {(1, "c0"): "leaving"}
    core.turn(f.Parted(T0 + 4, 1, A))
    assert core.states() == {}
    assert core.observed.channels[ref(0).id].refusal is None
    assert core.observed.channels[ref(0).id].present_since is None


def test_two_live_channels_cannot_be_at_one_login() -> None:
    """The newer word of Helix counts; where the other went is asked, and its room is not taken over while it stands."""
    core = present(0)
    core.turn(f.FollowsRead(T0 + 1, (ref(0), ref(5))))
    thief = stream(ref(5, "c0"), started_at=T0 + 5)
    actions = core.turn(live(T0 + 10, thief))
    assert set(actions) == {PartRooms(1, (A,)), ReadUsers(frozenset({ref(0).id}), frozenset())}
    assert core.turn(f.UsersRead(T0 + 11, (ref(0, "alpha2"),), frozenset(), frozenset())) == (
        JoinRooms(1, (Login("alpha2"),)),
    )
    assert core.turn(f.Parted(T0 + 12, 1, A)) == (JoinRooms(1, (A,)),)
    assert core.observed.rooms[1, A].channel == ref(5).id


def test_a_room_that_waits_for_its_echo_is_given_to_the_channel_that_is_there_now() -> None:
    core = present(0)
    leave(core, T0 + 20)
    core.turn(now=T0 + 30)
    assert core.states() == {(1, "c0"): "absent"}
    core.turn(f.FollowsRead(T0 + 31, (ref(0, "alpha2"), ref(5, "c0"))))
    assert JoinRooms(1, (A,)) in core.turn(live(T0 + 32, stream(ref(5, "c0"), started_at=T0 + 31)))
    core.turn(f.JoinWritten(T0 + 32, 1, (A,)), f.Joined(T0 + 33, 1, A))
    opened = [r.channel for r in core.records if isinstance(r, PresenceOpened)]
    assert opened == [ref(0).id, ref(5).id]


def test_a_join_that_arrives_long_after_it_was_given_up_is_booked_then() -> None:
    """The network stalled for 18 s: the server counted all of it at once, just now."""
    core = at_work(*range(40))
    first = core.did(JoinRooms)[0]
    assert isinstance(first, JoinRooms)
    core.turn(f.JoinWritten(T0, 1, first.logins))
    core.turn(now=T0 + 15)
    core.turn(*[f.Joined(T0 + 18, 1, login) for login in first.logins])
    assert len(core.did(JoinRooms)) == 1
    assert core.observed.join_window(T0 + 18).free_at(T0 + 18) == T0 + 28.5
