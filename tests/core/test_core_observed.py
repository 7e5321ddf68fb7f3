"""What the state answers about itself: slots, budgets with what is on its way, whom the policy means."""

from __future__ import annotations

import pytest
from core_room import ALPHA, BETA, HORIZON, ID, T, state

from allthepoints.base.budget import Window
from allthepoints.base.types import Login, StreamId, UserId
from allthepoints.core.model import ChannelRef, Stream, StreamKind
from allthepoints.core.observed import Channel, Connection, Observed, Phase, Room, Roster, roster
from allthepoints.core.policy import JOIN_IN_FLIGHT, JOIN_LIMIT, LOGIN_LIMIT, Policy
from allthepoints.core.presence import State

OLD, NEW, NOBODY = Login("old"), Login("new"), Login("nobody")
SECOND = Login("beta")


# -- rooms and connections -----------------------------------------------------------------------------------------
def rooms() -> Observed:
    """A room in each state, two of them of one channel."""
    o = state()
    for conn, login, channel, stands in (
        (1, ALPHA, ID, State.PRESENT),
        (2, ALPHA, ID, State.LEAVING),
        (1, SECOND, BETA, State.ASKED),
        (2, SECOND, BETA, State.ABSENT),
    ):
        o.rooms[conn, login] = Room(conn, login, channel, stands)
    return o


def test_every_room_but_those_we_are_out_of_holds_a_slot() -> None:
    o = rooms()
    assert o.slots_held() == 3
    assert [room.holds_slot for room in o.rooms.values()] == [True, True, True, False]


def test_rooms_by_channel_and_by_connection() -> None:
    o = rooms()
    one, also, other, out = o.rooms.values()
    assert list(o.rooms_of(ID)) == [one, also]
    assert o.rooms_on(2) == [also, out]
    assert o.rooms_by_channel() == {ID: [one, also], BETA: [other, out]}


@pytest.mark.parametrize(
    ("connection", "stands", "usable"),
    [
        (Connection(1, Phase.READY), True, True),
        (Connection(1), False, False),
        (Connection(1, Phase.CLOSING), False, False),
        (Connection(1, Phase.READY, retiring=True), False, False),
        (Connection(1, Phase.READY, doomed=True), False, False),
        (Connection(1, Phase.READY, mute_since=0.0), True, False),
    ],
)
def test_which_connections_may_be_given_rooms(connection: Connection, stands: bool, usable: bool) -> None:
    assert (connection.stands, connection.usable) == (stands, usable)
    o = Observed(connections={1: connection, 2: Connection(2, Phase.READY)})
    assert [one.conn for one in o.usable()] == ([1, 2] if usable else [2])


# -- budgets -------------------------------------------------------------------------------------------------------
def test_joins_on_their_way_count_as_late_as_they_may_arrive() -> None:
    o = state()
    o.join_times = (T - 9, T - 1)
    for login, written, spent in (
        ("unwritten", None, False),
        ("just", T - 2, False),
        ("long", T - JOIN_IN_FLIGHT - 3, False),
        ("booked", T - 2, True),
    ):
        o.rooms[1, Login(login)] = Room(1, Login(login), ID, State.ASKED, written, spent=spent)
    assert o.join_window(T) == Window(JOIN_LIMIT, HORIZON, (T - 9, T - 3, T - 1, T, T))


def test_who_is_not_welcomed_yet_may_log_in_at_any_moment() -> None:
    o = state()
    o.login_times = (T + 1, T - 1)
    o.connections |= {2: Connection(2), 3: Connection(3)}
    assert o.login_window(T) == Window(LOGIN_LIMIT, HORIZON, (T - 1, T, T, T + 1))


# -- channels ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("live", "kind", "session", "earns"),
    [
        (True, StreamKind.LIVE, "s", True),
        (True, StreamKind.RERUN, "s", False),
        (True, None, None, False),
        (False, StreamKind.LIVE, None, False),
        (None, StreamKind.LIVE, None, False),
    ],
)
def test_what_is_on_the_air(live: bool | None, kind: StreamKind | None, session: str | None, earns: bool) -> None:
    ref = ChannelRef(ID, ALPHA, "Alpha")
    channel = Channel(ref, live=live, stream=None if kind is None else Stream(StreamId("s"), ref, kind, "", T))
    assert (channel.stream_id(), channel.earns) == (session, earns)


def test_who_asks_afresh_is_as_one_that_was_never_asked() -> None:
    ref = ChannelRef(ID, ALPHA, "Alpha")
    asked = Channel(ref, 4, unanswered=5, ask_not_before=T + 9, silent_on=1, silent_at=T, look_up=True)
    asked.ask_afresh()
    assert asked == Channel(ref, 4)


def test_whom_helix_is_asked_about_in_silence() -> None:
    o = state()
    o.live, o.channels[ID].look_up, o.channels[BETA].look_up = {ID}, True, True
    assert o.silent_now() == {ID}
    o.live.add(BETA)
    o.changes.of_channel(BETA)
    assert o.silent_now() == {ID, BETA}


def test_a_channel_is_called_by_its_present_login_alone() -> None:
    o = state()
    o.names[OLD] = ID
    assert (o.called(ALPHA), o.called(OLD)) == (o.channels[ID], None)


# -- whom the policy means -----------------------------------------------------------------------------------------
FOLLOWED, INCLUDED, MOVED, OTHER = (UserId(name) for name in ("11", "12", "13", "14"))


def known() -> Observed:
    """Two followed, two others; one of these was called `old` and is `new` now."""
    o = Observed()
    for user, login, place in (
        (FOLLOWED, Login("followed"), 0),
        (INCLUDED, Login("included"), None),
        (MOVED, NEW, None),
        (OTHER, Login("other"), 7),
    ):
        o.channels[user] = Channel(ChannelRef(user, login, login), place)
        o.names[login] = user
    o.names[OLD] = MOVED
    return o


def logins(*names: str) -> tuple[Login, ...]:
    return tuple(Login(name) for name in names)


ALL = frozenset({FOLLOWED, OTHER})
NO: frozenset[UserId] = frozenset()


@pytest.mark.parametrize(
    ("policy", "followed", "others", "unresolved", "rank", "included", "barred"),
    [
        (Policy(), ALL, NO, (), {}, {}, NO),
        (Policy(followed=False), NO, NO, (), {}, {}, NO),
        (
            Policy(include=logins("followed", "old", "nobody", "included", "new")),
            ALL,
            frozenset({MOVED, INCLUDED}),
            ("nobody",),
            {},
            {FOLLOWED: 0, MOVED: 1, INCLUDED: 3},
            NO,
        ),
        (
            Policy(followed=False, include=logins("followed", "included"), exclude=frozenset(logins("included"))),
            NO,
            frozenset({FOLLOWED}),
            (),
            {},
            {FOLLOWED: 0, INCLUDED: 1},
            frozenset({INCLUDED}),
        ),
        (
            Policy(priority=logins("nobody", "other", "included", "other")),
            ALL,
            NO,
            (),
            {OTHER: 1, INCLUDED: 2},
            {},
            NO,
        ),
        (
            Policy(exclude=frozenset(logins("old", "nobody")), paused=frozenset(logins("other", "nobody"))),
            ALL,
            NO,
            (),
            {},
            {},
            frozenset({MOVED, OTHER}),
        ),
        (
            Policy(include=logins("old"), paused=frozenset(logins("old"))),
            ALL,
            NO,
            (),
            {},
            {MOVED: 0},
            frozenset({MOVED}),
        ),
    ],
)
def test_whom_the_policy_means(
    policy: Policy,
    followed: frozenset[UserId],
    others: frozenset[UserId],
    unresolved: tuple[str, ...],
    rank: dict[UserId, int],
    included: dict[UserId, int],
    barred: frozenset[UserId],
) -> None:
    meant = Roster(policy, followed, others, frozenset(logins(*unresolved)), rank, included, barred)
    assert roster(policy, known()) == meant


@pytest.mark.parametrize("way", ["exclude", "paused"])
def test_who_bears_a_barred_name_now_is_barred_as_well_as_who_bore_it_first(way: str) -> None:
    o = known()
    o.channels[OTHER].ref = ChannelRef(OTHER, OLD, "Old")
    policy = Policy(exclude=frozenset({OLD})) if way == "exclude" else Policy(paused=frozenset({OLD}))
    assert roster(policy, o).barred == {MOVED, OTHER}


def test_whom_it_means_is_worked_out_anew_with_another_policy_only() -> None:
    o, policy = known(), Policy()
    first = roster(policy, o)
    assert roster(policy, o) is first is o.roster
    assert roster(Policy(followed=False), o).followed == NO
    assert o.roster is not first
