"""plan(policy, observed, now): what to do now, and when to look again. The whole program in one pure function.

Theory. We compare what is wanted with what is confirmed, and plan the difference away, within budgets that Twitch sets.
Nothing here remembers anything but what it would find again: call it twice with the same state and it answers the same;
do what it says, and a state is reached in which it says nothing. That is kept (`Rest`) until something changes or its
time comes: most turns are about points. It never asks for what is already under way (`intend` books every action):
every performer answers with a fact, come what may, and what the server leaves unanswered ends by a deadline in `apply`.

Five planners, in this order, each for itself: the sign-in, what to read from Helix, which connections to have, which
rooms to be in; and what to ask of StreamElements (`plan_points`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil

from allthepoints.base.types import Login, UserId
from allthepoints.core.actions import (
    Action,
    CloseConnection,
    JoinRooms,
    OpenConnection,
    PartRooms,
    ReadFollows,
    ReadLive,
    ReadUsers,
    RenewSignIn,
)
from allthepoints.core.apply import CHAT_REFUSALS
from allthepoints.core.desired import desired, room_cap
from allthepoints.core.observed import Channel, Connection, Observed, Phase, Read, Rest, Room, SignIn, roster
from allthepoints.core.plan_points import plan_points
from allthepoints.core.policy import Policy
from allthepoints.core.presence import State
from allthepoints.core.silence import LATEST_ANSWER, hush

DAY = 86_400.0

LOOK_FOR_SIGN_IN = 15.0
"""Signed out: how often to look whether the person has signed in again. Reads a file; asks nobody."""

CHAT_REFUSED_FIRST, CHAT_REFUSED_CAP = 15.0, 600.0
"""The token validates but the chat will not have it: in passing, or something that a person must see. Each pause before
the next try is twice the one before."""

USERS_EVERY = 5.0
"""Look-ups of names are gathered for so many seconds."""

SLACK = 10
"""Rooms by which the demand must fall short of a connection before an empty one is closed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`wake_at`: ask again then at the latest, whatever happens; None when only a fact can change anything."""

    actions: tuple[Action, ...]
    wake_at: float | None


def plan(policy: Policy, observed: Observed, now: float) -> Plan:
    """What to do now."""
    draft = _Draft(now)
    _plan_sign_in(policy, observed, draft)
    if policy.presence:
        _plan_presence(policy, observed, draft)
    plan_points(policy, observed, draft)
    return draft.plan()


def _plan_presence(policy: Policy, observed: Observed, draft: _Draft) -> None:
    if observed.sign_in.state in (SignIn.GOOD, SignIn.DOUBTED) and observed.account is not None:
        _plan_reads(policy, observed, draft)
    wanted = [] if observed.stale else desired(policy, observed, draft.now)
    slots = wanted[: room_cap(policy, observed, draft.now)]
    if not _rests(policy, observed, slots, draft.now):
        _plan_chat(policy, observed, slots, draft)
    elif observed.rest is not None and observed.rest.until is not None:
        draft.wake(observed.rest.until)


def _rests(policy: Policy, o: Observed, slots: list[UserId], now: float) -> bool:
    """Whether the chat was looked at with nothing found to do, and neither it nor the slots changed since, nor has the
    time come at which to look again."""
    rest = o.rest
    return (
        rest is not None
        and rest.policy is policy
        and rest.count >= o.changes.chat
        and rest.at <= now
        and (rest.until is None or now < rest.until)
        and rest.slots == slots
    )


def _plan_chat(policy: Policy, o: Observed, slots: list[UserId], draft: _Draft) -> None:
    chat = _Draft(draft.now)
    closing = _plan_connections(policy, o, slots, chat)
    _plan_rooms(policy, o, slots, closing, chat)
    _wake_for_timers(policy, o, chat)
    o.rest = None if chat.actions else Rest(policy, o.changes.count, slots, draft.now, chat.wake_at)
    draft.actions += chat.actions
    if chat.wake_at is not None:
        draft.wake(chat.wake_at)


@dataclass(slots=True)
class _Draft:
    now: float
    actions: list[Action] = field(default_factory=list)
    wake_at: float | None = None

    def do(self, action: Action) -> None:
        self.actions.append(action)

    def wake(self, at: float) -> None:
        """Look again at `at`. A time that has passed is no reason: what was due then is planned already."""
        if at > self.now and (self.wake_at is None or at < self.wake_at):
            self.wake_at = at

    def due(self, at: float) -> bool:
        """Whether `at` has come; if not, it is a reason to wake."""
        self.wake(at)
        return at <= self.now

    def plan(self) -> Plan:
        return Plan(tuple(self.actions), self.wake_at)


# -- sign-in -------------------------------------------------------------------------------------------------------
def _plan_sign_in(policy: Policy, o: Observed, draft: _Draft) -> None:
    standing = o.sign_in
    if standing.pending or not draft.due(standing.not_before):
        return
    match standing.state:
        case SignIn.UNCHECKED:
            draft.do(RenewSignIn())
        case SignIn.DOUBTED:
            if draft.due(standing.checked_at + _refused_pause(standing.chat_refusals)):
                draft.do(RenewSignIn(refused=True))
        case SignIn.LOST:
            if draft.due(standing.checked_at + LOOK_FOR_SIGN_IN):
                draft.do(RenewSignIn())
        case SignIn.GOOD:
            if draft.due(standing.checked_at + policy.check_sign_in):
                draft.do(RenewSignIn())


def _refused_pause(refusals: int) -> float:
    """Seconds before the next try after so many refusals in a row; the first few are answered at once."""
    more = refusals - CHAT_REFUSALS
    return min(CHAT_REFUSED_CAP, CHAT_REFUSED_FIRST * 2.0 ** min(more - 1, 30)) if more > 0 else 0.0


# -- Helix ---------------------------------------------------------------------------------------------------------
def _plan_reads(policy: Policy, o: Observed, draft: _Draft) -> None:
    assert o.account is not None
    names = roster(policy, o)
    may_list = policy.followed and o.may_read_follows
    if may_list and _read_due(o.reads["follows"], policy.poll_follows, draft):
        draft.do(ReadFollows(o.account.user_id))
    if (ids_logins := _users_to_read(policy, o, draft)) is not None and _read_due(o.reads["users"], USERS_EVERY, draft):
        draft.do(ReadUsers(*ids_logins))
    ask = ReadLive(
        followed_by=o.account.user_id if may_list else None,
        followed=names.followed,
        ids=names.others,
        logins=frozenset(n for n in names.unresolved if n not in o.not_found),
    )
    anybody = ask.followed_by or ask.followed or ask.ids or ask.logins
    if anybody and _live_due(policy, o, draft):
        draft.do(ask)


def _read_due(read: Read, every: float, draft: _Draft) -> bool:
    if read.pending or not draft.due(read.not_before):
        return False
    return read.failures > 0 or read.done_at is None or draft.due(read.done_at + every)


def _live_due(policy: Policy, o: Observed, draft: _Draft) -> bool:
    read = o.reads["live"]
    if o.stale and not read.pending:
        return draft.due(read.not_before)
    return _read_due(read, policy.poll_live, draft)


def _users_to_read(policy: Policy, o: Observed, draft: _Draft) -> tuple[frozenset[UserId], frozenset[Login]] | None:
    """Names of the config that nobody has resolved, channels that do not answer, and now and then all that are not
    followed: their renames show nowhere else while they are offline."""
    names = roster(policy, o)
    unresolved = frozenset(n for n in names.unresolved if draft.due(o.not_found.get(n, draft.now - DAY) + DAY))
    silent = o.silent_now()
    others = names.others if names.others and draft.due(o.users_checked_at + policy.poll_follows) else frozenset()
    ids = silent | others
    return (ids, unresolved) if ids or unresolved else None


# -- connections ---------------------------------------------------------------------------------------------------
def _plan_connections(policy: Policy, o: Observed, slots: list[UserId], draft: _Draft) -> set[int]:
    """Answers the connections that are let go: nothing may be asked of them any more."""
    closing: set[int] = set()
    busy = {room.conn for room in o.rooms.values() if room.holds_slot}
    for connection in o.connections.values():
        if connection.phase is Phase.CLOSING:
            continue
        if connection.doomed or (connection.conn not in busy and _is_spare(policy, o, connection, closing, slots)):
            closing.add(connection.conn)
            draft.do(CloseConnection(connection.conn))
    login_at = max(o.open_not_before, o.login_window(draft.now).free_at(draft.now))
    if _needs_another(policy, o, slots) and draft.due(login_at):
        draft.do(OpenConnection(o.last_conn + 1))
    return closing


def _needs_another(policy: Policy, o: Observed, slots: list[UserId]) -> bool:
    """One is opened at a time. A replacement is opened while the connection that must go still stands."""
    if o.sign_in.state is not SignIn.GOOD or o.account is None:
        return False
    opening = any(connection.phase is Phase.OPENING for connection in o.connections.values())
    return not opening and len(o.usable()) < _needed(policy, len(slots))


def _needed(policy: Policy, rooms: int) -> int:
    """One connection is always kept, so that the first channel to go live finds it open."""
    return max(1, ceil(rooms / policy.rooms_per_connection))


def _is_spare(policy: Policy, o: Observed, connection: Connection, closing: set[int], slots: list[UserId]) -> bool:
    """Whether nothing is lost with this connection, which has no rooms: the others carry the load."""
    others = [other for other in o.usable() if other is not connection and other.conn not in closing]
    if connection.retiring:
        return bool(others)
    return connection.usable and len(others) >= _needed(policy, len(slots) + SLACK)


# -- rooms ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Rooms:
    """The rooms there are, by channel, and the connections that may be given more.

    `mute`: connections that may not, though what rooms they have shall stay. `hush`: who waits while the server answers
    nobody, the next to be asked first. `more_to_come`: another connection is being opened, and there is no reason to
    think that it will not stand.
    """

    of: Mapping[UserId, list[Room]]
    usable: Mapping[int, Connection]
    mute: list[int]
    hush: list[UserId]
    more_to_come: bool


def _plan_rooms(policy: Policy, o: Observed, slots: list[UserId], closing: set[int], draft: _Draft) -> None:
    rooms = _survey(o, slots, closing, draft)
    leave: set[tuple[int, Login]] = set() if o.stale else _not_wanted(o, set(slots), rooms, closing)
    ready = [i for i in slots if _may_ask(policy, o.channels[i], o, rooms, draft)] if rooms.usable else []
    if ready:
        window = o.join_window(draft.now)
        free = window.free(draft.now)
        headroom = room_cap(policy, o, draft.now) - o.slots_held()
        # Who is out loses points now; who must only move, does not. Who was asked in vain lets the others go first.
        ready.sort(key=lambda i: (_is_in(i, rooms), o.channels[i].silent_at))
        joins = _assign(policy, o, ready[: max(0, min(free, headroom))], rooms)
        for conn, logins in joins.items():
            draft.do(JoinRooms(conn, tuple(logins)))
        asked = sum(map(len, joins.values()))
        if len(ready) > asked:
            draft.wake(window.spend(draft.now, asked).free_at(draft.now))
        if headroom <= 0:
            leave |= _make_way(o, ready[:free], rooms)
            if len(ready) > free:
                draft.wake(window.spend(draft.now, free).free_at(draft.now))
    for conn, logins in _by_connection(leave).items():
        draft.do(PartRooms(conn, tuple(logins)))


def _survey(o: Observed, slots: list[UserId], closing: set[int], draft: _Draft) -> _Rooms:
    opening = any(isinstance(action, OpenConnection) for action in draft.actions) or any(
        connection.phase is Phase.OPENING for connection in o.connections.values()
    )
    standing = [one for one in o.connections.values() if one.stands and one.conn not in closing]
    return _Rooms(
        of=o.rooms_by_channel(),
        usable={connection.conn: connection for connection in standing if connection.usable},
        mute=[connection.conn for connection in standing if not connection.usable],
        hush=hush(o, slots),
        more_to_come=opening and o.connect_failures == 0,
    )


def _not_wanted(o: Observed, slots: set[UserId], rooms: _Rooms, closing: set[int]) -> set[tuple[int, Login]]:
    """Rooms to leave: of channels without a slot, under an old login, and on a retiring connection once a usable one
    has confirmed."""
    leave = set()
    for address, room in o.rooms.items():
        connection = o.connections[room.conn]
        on_its_way = room.state is State.ASKED and room.written_at is None
        if connection.phase is not Phase.READY or connection.conn in closing or on_its_way:
            continue
        if room.state in (State.ASKED, State.PRESENT) and not _is_worth_keeping(o, room, slots, rooms):
            leave.add(address)
    return leave


def _is_worth_keeping(o: Observed, room: Room, slots: set[UserId], rooms: _Rooms) -> bool:
    channel = o.channels[room.channel]
    if room.channel not in slots or room.login != channel.ref.login:
        return False
    confirmed = [r.conn for r in rooms.of[room.channel] if r.state is State.PRESENT and r.login == room.login]
    return min((conn for conn in confirmed if conn in rooms.usable), default=room.conn) == room.conn


def _may_ask(policy: Policy, channel: Channel, o: Observed, rooms: _Rooms, draft: _Draft) -> bool:
    """Whether its chat is to be asked for, and now: no usable connection has a room of that name, has asked for one or
    is still leaving one, be it somebody else's; we are not in on a mute one; nor does an unanswered JOIN forbid it."""
    there = (o.rooms.get((conn, channel.ref.login)) for conn in rooms.usable)
    kept = (o.rooms.get((conn, channel.ref.login)) for conn in rooms.mute)
    if any(room is not None and room.holds_slot for room in there):
        return False
    if any(room is not None and room.state is State.PRESENT for room in kept):
        return False
    if channel.ref.id not in rooms.hush:
        return draft.due(channel.ask_not_before)
    last = o.channels[rooms.hush[-1]]  # one asks for all, some time after it went unanswered for another
    return channel.ref.id == rooms.hush[0] and draft.due(last.silent_at + policy.ask_timeout)


def _is_in(channel: UserId, rooms: _Rooms) -> bool:
    return any(room.state is State.PRESENT for room in rooms.of.get(channel, ()))


def _assign(policy: Policy, o: Observed, channels: Iterable[UserId], rooms: _Rooms) -> dict[int, list[Login]]:
    """Give each channel to the connection with the fewest rooms; past its share, wait for one that is being opened."""
    load = dict.fromkeys(rooms.usable, 0)
    for room in o.rooms.values():
        if room.holds_slot and room.conn in load:
            load[room.conn] += 1
    joins: dict[int, list[Login]] = {}
    for channel in channels:
        conn = min(load, key=lambda c: (load[c], c))
        if load[conn] >= policy.rooms_per_connection and rooms.more_to_come:
            break
        load[conn] += 1
        joins.setdefault(conn, []).append(o.channels[channel].ref.login)
    return joins


def _make_way(o: Observed, channels: Iterable[UserId], rooms: _Rooms) -> set[tuple[int, Login]]:
    """The room limit forbids to be in the old and the new room at once: leave the old ones first, as many as can be
    asked for at once."""
    return {
        (room.conn, room.login)
        for channel in channels
        for room in rooms.of.get(channel, ())
        if room.conn not in rooms.usable
        and room.state is State.PRESENT
        and o.connections[room.conn].phase is Phase.READY
    }


def _by_connection(addresses: set[tuple[int, Login]]) -> dict[int, list[Login]]:
    by_connection: dict[int, list[Login]] = {}
    for conn, login in sorted(addresses):
        by_connection.setdefault(conn, []).append(login)
    return by_connection


# -- timers --------------------------------------------------------------------------------------------------------
def _wake_for_timers(policy: Policy, o: Observed, draft: _Draft) -> None:
    for room in o.rooms.values():
        _wake_for_room(policy, room, draft)
    for channel_id in o.live:
        refusal = o.channels[channel_id].refusal
        if refusal is not None and refusal.until is not None:
            draft.wake(refusal.until)
    if o.cap is not None:
        draft.wake(o.cap.until)
    for connection in o.connections.values():
        if connection.mute_since is not None:
            draft.wake(connection.mute_since + LATEST_ANSWER)


def _wake_for_room(policy: Policy, room: Room, draft: _Draft) -> None:
    if room.written_at is not None and room.state is State.ASKED:
        draft.wake(room.written_at + policy.ask_timeout)
    elif room.written_at is not None and room.state is State.LEAVING:
        draft.wake(room.written_at + policy.leave_timeout)
