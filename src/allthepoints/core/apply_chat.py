"""What the chat said, folded into the state: connections, rooms, refusals and the budgets that JOINs use up."""

from __future__ import annotations

from collections.abc import Iterator

from allthepoints.base.types import Login, UserId
from allthepoints.core.facts import (
    Banned,
    ConnectionLost,
    Joined,
    JoinRefused,
    JoinWritten,
    Parted,
    ReconnectAsked,
    TimedOut,
    Welcomed,
)
from allthepoints.core.model import Lost, Why
from allthepoints.core.observed import Channel, Connection, Observed, Phase, Room, RoomCap, SignIn, arrival
from allthepoints.core.policy import WINDOW, WINDOW_MARGIN, Policy
from allthepoints.core.presence import Input, State, step
from allthepoints.core.records import (
    Event,
    EventKind,
    PresenceClosed,
    PresenceOpened,
    Record,
    RefusalCleared,
    RefusalSet,
)
from allthepoints.core.refusals import RULES, delay, refuse

PART_OWED = 60.0
"""How long a PART echo may be late and still be the answer to our own PART."""

GHOST_RUN = 3
"""JOINs in a row that a connection does not answer before it is given up: some long-lived connections stop taking
JOINs, without an error, and only a new one helps."""

SLOWEST_REASK = 300.0
"""A room that never answers is asked again at most this seldom, in seconds."""


# -- connections ---------------------------------------------------------------------------------------------------
def welcomed(o: Observed, fact: Welcomed) -> Iterator[Record]:
    """The server took our login."""
    connection = o.connections.get(fact.conn)
    if connection is None or connection.phase is not Phase.OPENING:
        return
    connection.phase, connection.welcomed_at = Phase.READY, fact.at
    o.disconnected_since = None
    o.sign_in.chat_refusals = 0
    yield Event(fact.at, EventKind.CONNECTED, data={"conn": fact.conn})


def reconnect_asked(o: Observed, fact: ReconnectAsked) -> Iterator[Record]:
    """The server will close this connection: a replacement comes first."""
    connection = o.connections.get(fact.conn)
    if connection is not None and not connection.retiring:
        connection.retiring = True
        yield Event(fact.at, EventKind.RECONNECT_ASKED, data={"conn": fact.conn})


def connection_lost(o: Observed, policy: Policy, fact: ConnectionLost) -> Iterator[Record]:
    """A connection is gone, and with it every presence it held."""
    connection = o.connections.pop(fact.conn, None)
    if connection is None:
        return  # told twice: a read error and a write error are one loss
    for room in [room for room in o.rooms.values() if room.conn == fact.conn]:
        _book_join(o, room, fact.at)
        del o.rooms[room.conn, room.login]
        yield from _presence(o, room.channel, fact.at, "lost" if fact.lost is not Lost.OURS else "closed")
    if fact.lost is Lost.LOGIN:
        o.sign_in.state = SignIn.DOUBTED
        o.sign_in.chat_refusals += 1
        o.sign_in.text = fact.text
    if fact.lost is not Lost.OURS:
        _back_off(o, policy, connection, fact)
        yield Event(fact.at, EventKind.DISCONNECTED, data={"conn": fact.conn, "why": fact.lost, "text": fact.text})
    if not any(c.phase is Phase.READY for c in o.connections.values()):
        o.disconnected_since = o.disconnected_since or fact.at


def _back_off(o: Observed, policy: Policy, connection: Connection, fact: ConnectionLost) -> None:
    """A connection that stayed a while was a success: its loss is the first failure, not a further one."""
    stayed = connection.welcomed_at is not None and fact.at - connection.welcomed_at >= policy.stable_after
    o.connect_failures = 1 if stayed else o.connect_failures + 1
    o.open_not_before = fact.at + policy.reconnect.delay(o.connect_failures, fact.luck)


# -- rooms ---------------------------------------------------------------------------------------------------------
def join_written(o: Observed, fact: JoinWritten) -> None:
    """The ack timers start when the JOIN leaves, not when it was decided."""
    for login in fact.logins:
        room = o.rooms.get((fact.conn, login))
        if room is not None and room.state is State.ASKED:
            room.written_at = fact.at


def joined(o: Observed, fact: Joined) -> Iterator[Record]:
    """The server has us in the room."""
    room = o.rooms.get((fact.conn, fact.login))
    if room is None:
        if (room := _unasked(o, fact.conn, fact.login, fact.at)) is None:
            return
        o.rooms[fact.conn, fact.login] = room
    _book_join(o, room, fact.at)
    _to(room, Input.JOINED, fact.at)
    room.tries, room.not_before, room.proven = 0, 0.0, True
    if connection := o.connections.get(fact.conn):
        connection.unanswered = 0
    channel = o.channels[room.channel]
    if room.state is State.PRESENT:
        channel.look_up = False
        if channel.refusal is not None:
            channel.refusal = None
            yield RefusalCleared(fact.at, channel.ref.id)
        if o.cap is not None and o.slots_held() > o.cap.rooms:
            o.cap = None
    if fact.room_id is not None and fact.room_id != room.channel and fact.room_id in o.channels:
        channel.look_up = True  # this login is another of our channels now: find out where this one went
    yield from _presence(o, room.channel, fact.at, "")


def parted(o: Observed, policy: Policy, fact: Parted) -> Iterator[Record]:
    """The server has us out of the room: as we asked, or put out."""
    room = o.rooms.get((fact.conn, fact.login))
    if room is None:
        return
    owed = fact.at < room.part_owed_until
    room.part_owed_until = 0.0
    before = room.state
    _to(room, Input.ECHOED if owed else Input.PARTED, fact.at)
    if not owed and before in (State.ASKED, State.PRESENT):
        _book_join(o, room, fact.at)
        if policy.forced_part_is_ban:
            yield from _refuse(o.channels[room.channel], Why.PUT_OUT, fact.at, "")
    _drop_if_absent(o, room)
    yield from _presence(o, room.channel, fact.at, "put_out" if not owed else "parted")


def join_refused(o: Observed, fact: JoinRefused) -> Iterator[Record]:
    """The server said no to a JOIN."""
    room = o.rooms.get((fact.conn, fact.login))
    if room is None:
        return
    if connection := o.connections.get(fact.conn):
        connection.unanswered = 0
    _book_join(o, room, fact.at)
    _to(room, Input.REFUSED, fact.at)
    _drop_if_absent(o, room)
    channel = o.channels[room.channel]
    if fact.why is Why.ROOM_LIMIT:
        yield from _rooms_full(o, channel, fact.at)
    else:
        yield from _refuse(channel, fact.why, fact.at, fact.text)
    yield from _presence(o, room.channel, fact.at, fact.why)


def banned(o: Observed, fact: Banned) -> Iterator[Record]:
    """A ban while we are in: the forced PART follows, or has come already."""
    if (channel := _channel_at(o, fact.conn, fact.login)) is None:
        return
    yield from _refuse(channel, Why.BANNED, fact.at, "")


def timed_out(o: Observed, fact: TimedOut) -> Iterator[Record]:
    """Only talking is blocked, and we never talk."""
    if (channel := _channel_at(o, fact.conn, fact.login)) is not None:
        yield Event(fact.at, EventKind.TIMED_OUT, channel.ref.id, {"seconds": fact.seconds})


def expire(o: Observed, policy: Policy, now: float) -> Iterator[Record]:
    """JOINs and PARTs that nobody answered in time; spent budget that no longer counts is forgotten."""
    for room in list(o.rooms.values()):
        if room.written_at is None:
            continue
        if room.state is State.ASKED and now - room.written_at >= policy.ask_timeout:
            _unanswered(o, policy, room, now)
        elif room.state is State.LEAVING and now - room.written_at >= policy.leave_timeout:
            _to(room, Input.EXPIRED, now)
            yield from _presence(o, room.channel, now, "parted")
    for room in [room for room in o.rooms.values() if room.state is State.ABSENT]:
        if now >= room.part_owed_until and not (room.tries and o.channels[room.channel].live):
            del o.rooms[room.conn, room.login]
    horizon = now - WINDOW - WINDOW_MARGIN
    o.join_times = tuple(at for at in o.join_times if at > horizon)
    o.login_times = tuple(at for at in o.login_times if at > horizon)


def _unanswered(o: Observed, policy: Policy, room: Room, now: float) -> None:
    _book_join(o, room, now)
    _to(room, Input.EXPIRED, now)
    room.tries += 1
    if room.tries >= policy.ask_tries:
        if room.tries == policy.ask_tries:
            o.channels[room.channel].look_up = True
        spacing = policy.ask_timeout * 2.0 ** min(room.tries - policy.ask_tries, 10)
        room.not_before = now + min(spacing, SLOWEST_REASK)
    connection = o.connections.get(room.conn)
    if connection is None:
        return
    connection.unanswered += 1
    long_lived = connection.welcomed_at is not None and now - connection.welcomed_at >= policy.stable_after
    if connection.unanswered >= GHOST_RUN and long_lived:
        connection.retiring = True


def _unasked(o: Observed, conn: int, login: Login, at: float) -> Room | None:
    """The server says that we are in a room that we did not ask for: believe it, if we know whose room it is."""
    channel = _channel_now_called(o, login)
    return None if channel is None else Room(conn, login, channel.ref.id, State.ABSENT, at)


def _to(room: Room, happened: Input, at: float) -> None:
    state = step(room.state, happened)
    if state is not room.state:
        room.state, room.since = state, at
        if state is State.ABSENT:
            room.written_at, room.proven = None, False


def _drop_if_absent(o: Observed, room: Room) -> None:
    if room.state is State.ABSENT and room.part_owed_until == 0.0:
        o.rooms.pop((room.conn, room.login), None)


def _book_join(o: Observed, room: Room, now: float) -> None:
    if not room.spent:
        o.join_times = tuple(sorted((*o.join_times, arrival(room, now))))
        room.spent = True


def _rooms_full(o: Observed, channel: Channel, at: float) -> Iterator[Record]:
    """The account's rooms are full, whatever we think: keep to the rooms we have, and try one more later."""
    rooms = o.slots_held()
    rule = RULES[Why.ROOM_LIMIT]
    if o.cap is not None and at < o.cap.until:
        o.cap.rooms = min(o.cap.rooms, rooms)
        return
    tries = o.cap.tries + 1 if o.cap is not None else 1
    o.cap = RoomCap(rooms, at + delay(rule, tries), tries)
    if tries == 1:
        yield Event(at, EventKind.REFUSED, channel.ref.id, {"why": Why.ROOM_LIMIT, "rooms": rooms})


def _refuse(channel: Channel, why: Why, at: float, text: str) -> Iterator[Record]:
    """A ban that was seen is not made milder by the PART that follows it; a reason already told is not told again."""
    before = channel.refusal
    if before is not None and before.why is Why.BANNED and why is Why.PUT_OUT:
        return
    channel.refusal = said = refuse(why, at, text, channel.stream_id(), before)
    yield RefusalSet(at, channel.ref.id, why, text, said.stream, said.until, said.tries)
    if before is None or before.why is not why:
        yield Event(at, EventKind.REFUSED, channel.ref.id, {"why": why, "text": text})


def _channel_at(o: Observed, conn: int, login: Login) -> Channel | None:
    """The channel that a line of this connection speaks about, whether or not we are still in its room."""
    room = o.rooms.get((conn, login))
    return o.channels[room.channel] if room is not None else _channel_now_called(o, login)


def _channel_now_called(o: Observed, login: Login) -> Channel | None:
    return next((channel for channel in o.channels.values() if channel.ref.login == login), None)


def _presence(o: Observed, channel_id: UserId, at: float, why: str) -> Iterator[Record]:
    """Open or close the channel's presence, which is being PRESENT on any connection."""
    channel = o.channels[channel_id]
    present = any(room.proven for room in o.rooms_of(channel_id))
    if present and channel.present_since is None:
        channel.present_since = at
        yield PresenceOpened(at, channel_id, channel.stream_id())
        yield Event(at, EventKind.PRESENT, channel_id)
    elif not present and channel.present_since is not None:
        channel.present_since = None
        yield PresenceClosed(at, channel_id, why)
        yield Event(at, EventKind.LEFT, channel_id, {"why": why})
