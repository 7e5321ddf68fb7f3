"""What the chat said, folded into the state: connections, rooms, refusals and the budgets that JOINs use up."""

from __future__ import annotations

from collections.abc import Iterator

from allthepoints.base.types import Login, UserId
from allthepoints.core.closing import close, only_by_hand, reopen
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
from allthepoints.core.policy import JOIN_IN_FLIGHT, WINDOW, WINDOW_MARGIN, Policy
from allthepoints.core.presence import Input, State, step
from allthepoints.core.records import (
    Event,
    EventKind,
    PresenceClosed,
    PresenceOpened,
    Record,
)
from allthepoints.core.refusals import RULES, Retry, delay
from allthepoints.core.silence import answered, is_stable, replace_mute, unanswered

PART_OWED = 60.0
"""How long a PART echo may be late and still be the answer to our own PART."""

OVERTAKEN = 10.0
"""The same, once a newer JOIN of the room was acknowledged: lines overtake each other, but not by much."""


# -- connections ---------------------------------------------------------------------------------------------------
def welcomed(o: Observed, fact: Welcomed) -> Iterator[Record]:
    """The server took our login."""
    connection = o.connections.get(fact.conn)
    if connection is None or connection.phase is not Phase.OPENING:
        return
    connection.phase, connection.welcomed_at = Phase.READY, fact.at
    o.login_times = (*o.login_times, fact.at)
    o.disconnected_since = None
    o.sign_in.chat_refusals, o.sign_in.refused_since = 0, None
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
    if connection.welcomed_at is None:
        o.login_times = (*o.login_times, fact.at)
    for room in o.rooms_on(fact.conn):
        book_lost_join(o, room, fact.at)
        del o.rooms[room.conn, room.login]
        yield from _presence(o, room.channel, fact.at, "lost" if fact.lost is not Lost.OURS else "closed")
    if fact.lost is Lost.LOGIN:
        _doubt_sign_in(o, fact)
    if fact.lost is not Lost.OURS:
        _back_off(o, policy, connection, fact)
        yield Event(fact.at, EventKind.DISCONNECTED, data={"conn": fact.conn, "why": fact.lost, "text": fact.text})
    if not any(c.phase is Phase.READY for c in o.connections.values()):
        o.disconnected_since = o.disconnected_since or fact.at


def no_longer_there(o: Observed, conn: int, at: float, why: str) -> Iterator[Record]:
    """The connection is as good as gone; the server's word on its rooms, up to `at`, proves nothing any more."""
    for room in o.rooms_on(conn):
        room.proven = False
        yield from _presence(o, room.channel, at, why)


def keep_budgets(o: Observed, gap: float) -> None:
    """The time line jumped ahead. Where only a clock was set right, no time went by for the server: what was spent and
    asked before counts as spent and asked so much later."""
    o.join_times = tuple(at + gap for at in o.join_times)
    o.login_times = tuple(at + gap for at in o.login_times)
    for room in o.rooms.values():
        if room.written_at is not None:
            room.written_at += gap


def _doubt_sign_in(o: Observed, fact: ConnectionLost) -> None:
    standing = o.sign_in
    standing.chat_refusals += 1
    standing.refused_since = standing.refused_since or fact.at
    if standing.state is SignIn.GOOD:
        standing.state, standing.since, standing.text = SignIn.DOUBTED, fact.at, fact.text


def _back_off(o: Observed, policy: Policy, connection: Connection, fact: ConnectionLost) -> None:
    """Judged by the newest connection alone: that an older one stands for days says nothing of those that fall."""
    if connection.conn == o.last_conn and is_stable(policy, connection, fact.at):
        o.connect_failures = 0
    o.connect_failures += 1
    often = fact.lost is Lost.CONNECT and o.connect_failures <= policy.redials
    backoff = policy.redial if often else policy.reconnect
    o.open_not_before = fact.at + backoff.delay(o.connect_failures, fact.luck)


# -- rooms ---------------------------------------------------------------------------------------------------------
def join_written(o: Observed, fact: JoinWritten) -> None:
    """The ack timers start when the JOIN leaves, not when it was decided."""
    for login in fact.logins:
        room = o.rooms.get((fact.conn, login))
        if room is not None and room.state is State.ASKED:
            room.written_at = fact.at


def joined(o: Observed, fact: Joined) -> Iterator[Record]:
    """The server has us in the room."""
    room = o.rooms.get((fact.conn, fact.login)) or _unasked(o, fact)
    if room is None:
        return
    _book_join(o, room, fact.at)
    _to(room, Input.JOINED)
    room.joined_at = fact.at
    yield from answered(o, fact.conn, fact.at)
    if o.cap is not None and o.slots_held() > o.cap.rooms:
        o.cap = None
    channel = o.channels[room.channel]
    if fact.room_id not in (None, room.channel, channel.settled):
        room.stranger, room.proven = fact.room_id, False
        channel.look_up = True
        yield from _presence(o, room.channel, fact.at, "moved")
    elif room.stranger is None:
        yield from _is_ours(o, room, fact.at)


def _is_ours(o: Observed, room: Room, at: float) -> Iterator[Record]:
    channel = o.channels[room.channel]
    room.proven = True
    room.part_owed_until = (
        min(room.part_owed_until, at + OVERTAKEN) if room.state is State.PRESENT else room.part_owed_until
    )
    channel.ask_afresh()
    if room.state is State.PRESENT and not only_by_hand(channel):
        yield from reopen(channel, at)
    yield from _presence(o, room.channel, at, "")


def settle(o: Observed, channel: Channel, at: float) -> Iterator[Record]:
    """Helix says that the channel is where we sit, whatever id the chat gave to the room: then we are in."""
    for room in [room for room in o.rooms_of(channel.ref.id) if room.stranger is not None]:
        channel.settled, room.stranger = room.stranger, None
        if room.state is State.PRESENT:
            yield from _is_ours(o, room, at)


def parted(o: Observed, policy: Policy, fact: Parted) -> Iterator[Record]:
    """The server has us out of the room: as we asked, or put out."""
    room = o.rooms.get((fact.conn, fact.login))
    if room is None:
        return
    owed = fact.at < room.part_owed_until
    room.part_owed_until = 0.0
    before = room.state
    if not owed:
        _book_join(o, room, fact.at)
    _to(room, Input.ECHOED if owed else Input.PARTED)
    forced = not owed and before in (State.ASKED, State.PRESENT) and not _left_elsewhere(o, room, fact.at)
    if forced and policy.forced_part_is_ban:
        yield from close(o.channels[room.channel], Why.PUT_OUT, fact.at)
    _drop_if_absent(o, room)
    yield from _presence(o, room.channel, fact.at, "put_out" if not owed else "parted")


def _left_elsewhere(o: Observed, room: Room, at: float) -> bool:
    """Whether we have just left the same chat on another connection. Should Twitch tell an account's PART to all its
    connections, then that is no ban: we ask again, and the answer tells."""
    left = o.channels[room.channel].left
    return left is not None and left[0] != room.conn and at < left[1] + OVERTAKEN


def join_refused(o: Observed, fact: JoinRefused) -> Iterator[Record]:
    """The server said no to a JOIN."""
    room = o.rooms.get((fact.conn, fact.login))
    if room is None:
        yield from _refused_late(o, fact)
        return
    yield from answered(o, fact.conn, fact.at)
    _book_join(o, room, fact.at)
    _to(room, Input.REFUSED)
    _drop_if_absent(o, room)
    channel = o.channels[room.channel]
    if fact.why is Why.ROOM_LIMIT:
        yield from _rooms_full(o, channel, fact.at)
    else:
        yield from close(channel, fact.why, fact.at, fact.text)
    yield from _presence(o, room.channel, fact.at, fact.why)


def _refused_late(o: Observed, fact: JoinRefused) -> Iterator[Record]:
    """The no to a JOIN that we had given up. It is true all the same, unless we are in by a newer JOIN; and a ban even
    then: that JOIN's connection may be dead, and the next one would ask again."""
    if fact.conn not in o.connections:
        return
    yield from answered(o, fact.conn, fact.at)
    channel = o.called(fact.login)
    if channel is None or fact.why is Why.ROOM_LIMIT:
        return
    if RULES[fact.why].retry is Retry.BY_HAND or channel.present_since is None:
        yield from close(channel, fact.why, fact.at, fact.text)


def banned(o: Observed, fact: Banned) -> Iterator[Record]:
    """A ban while we are in: the forced PART follows, or has come already."""
    if (channel := spoken_of(o, fact.conn, fact.login)) is not None:
        yield from close(channel, Why.BANNED, fact.at)


def timed_out(o: Observed, fact: TimedOut) -> Iterator[Record]:
    """Only talking is blocked, and we never talk."""
    if (channel := spoken_of(o, fact.conn, fact.login)) is not None:
        yield Event(fact.at, EventKind.TIMED_OUT, channel.ref.id, {"seconds": fact.seconds})


def expire(o: Observed, policy: Policy, now: float) -> Iterator[Record]:
    """JOINs and PARTs that nobody answered in time; spent budget that no longer counts is forgotten."""
    unsettled = [room for room in o.rooms.values() if room.state is not State.PRESENT]
    for room in unsettled:
        if room.written_at is None:
            continue
        if room.state is State.ASKED and now >= room.written_at + policy.ask_timeout:
            book_lost_join(o, room, now)
            _to(room, Input.EXPIRED)
            unanswered(o, policy, room, now)
        elif room.state is State.LEAVING and now >= room.written_at + policy.leave_timeout:
            answered_late = room.joined_at > room.written_at
            _to(room, Input.EXPIRED)
            if answered_late:  # a JOIN that took effect after our PART had found nothing to leave
                _to(room, Input.JOINED)
                room.proven = True
            yield from _presence(o, room.channel, now, "parted")
            o.changes.of_channel(room.channel)
    for room in unsettled:
        if room.state is State.ABSENT and now >= room.part_owed_until:
            del o.rooms[room.conn, room.login]
            o.changes.of_channel(room.channel)
    replace_mute(o, now)
    _forget_spent(o, now)
    newest = o.connections.get(o.last_conn)
    if o.connect_failures and newest is not None and is_stable(policy, newest, now):
        o.connect_failures = 0
        o.changes.of_chat()


def _forget_spent(o: Observed, now: float) -> None:
    horizon = now - WINDOW - WINDOW_MARGIN
    if o.join_times:
        o.join_times = tuple(at for at in o.join_times if at > horizon)
    if o.login_times:
        o.login_times = tuple(at for at in o.login_times if at > horizon)


def _unasked(o: Observed, fact: Joined) -> Room | None:
    """The server says that we are in a room that we did not ask for: believe it, if we know whose room it is. It
    will be a JOIN that we had given up, and that the server counts now."""
    channel = o.called(fact.login)
    if channel is None or fact.conn not in o.connections:
        return None
    o.join_times = tuple(sorted((*o.join_times, fact.at)))
    room = o.rooms[fact.conn, fact.login] = Room(fact.conn, fact.login, channel.ref.id, State.ABSENT)
    return room


def _to(room: Room, happened: Input) -> None:
    room.state = step(room.state, happened)
    if room.state is State.ABSENT:
        room.written_at, room.proven, room.stranger = None, False, None


def _drop_if_absent(o: Observed, room: Room) -> None:
    if room.state is State.ABSENT and room.part_owed_until == 0.0:
        o.rooms.pop((room.conn, room.login), None)


def _book_join(o: Observed, room: Room, now: float) -> None:
    """The server answered it, or the time in which it can have arrived is over."""
    if not room.spent:
        o.join_times = tuple(sorted((*o.join_times, arrival(room, now))))
        room.spent = True


def book_lost_join(o: Observed, room: Room, now: float) -> None:
    """Nobody will tell when, or whether, it arrived: the latest time is taken, which may be still to come."""
    if not room.spent:
        latest = now if room.written_at is None else room.written_at + JOIN_IN_FLIGHT
        o.join_times = tuple(sorted((*o.join_times, latest)))
        room.spent = True


def _rooms_full(o: Observed, channel: Channel, at: float) -> Iterator[Record]:
    """The account's rooms are full, whatever we think: keep to the rooms we have, and try one more later."""
    rooms = o.slots_held()
    rule = RULES[Why.ROOM_LIMIT]
    if o.cap is not None and at < o.cap.until:
        o.cap.rooms = min(o.cap.rooms, rooms)
        return
    tries = o.cap.tries + 1 if o.cap is not None else 1
    since = o.cap.since if o.cap is not None else at
    o.cap = RoomCap(rooms, at + delay(rule, tries), since, tries)
    if tries == 1:
        yield Event(at, EventKind.REFUSED, channel.ref.id, {"why": Why.ROOM_LIMIT, "rooms": rooms})


def spoken_of(o: Observed, conn: int, login: Login) -> Channel | None:
    """The channel that a line of this connection speaks about, whether or not we are still in its room."""
    room = o.rooms.get((conn, login))
    return o.channels[room.channel] if room is not None else o.called(login)


def _presence(o: Observed, channel_id: UserId, at: float, why: str) -> Iterator[Record]:
    """Open or close the channel's presence, which is being PRESENT on any connection."""
    channel = o.channels[channel_id]
    present = any(room.proven for room in o.rooms_of(channel_id))
    if present and channel.present_since is None:
        channel.present_since = at
        yield PresenceOpened(at, channel_id, channel.stream_id())
        yield Event(at, EventKind.PRESENT, channel_id)
    elif not present and channel.present_since is not None:
        at = max(at, channel.present_since)
        if (purse := o.elements.purses.get(channel_id)) is not None:
            purse.left(channel.present_since, at)
        channel.present_since = None
        yield PresenceClosed(at, channel_id, why)
        yield Event(at, EventKind.LEFT, channel_id, {"why": why})
