"""Who leaves our JOINs unanswered: a room, a connection or the server. Each has another cure.

* A *room* that does not answer is asked again, first at once and then ever more seldom; and Helix, where it is. If it
  is where we asked, the room is refused for a while.
* A *connection* that left several JOINs in a row unanswered is *mute*: some long-lived ones stop taking JOINs, without
  an error, and only a new one helps. It is given no more of them, but its rooms stay with it: nothing speaks against
  those, and should it be the server, moving them loses them. An answer, however late, takes the doubt away. Where
  another connection is answered and this one is not, for long, it is replaced.
* The *server*: several rooms were asked often, and nobody at all answered since. Then only one of them, in turn, is
  asked now and then, and the first answer, whosever it is, lets all of them ask again; a connection that was doubted
  meanwhile is so no more. There is no other sign of its end: each for itself would ask for hours, and come back
  minutes late.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from allthepoints.base.types import UserId
from allthepoints.core.closing import relent
from allthepoints.core.model import Why
from allthepoints.core.observed import Channel, Connection, Observed, Room
from allthepoints.core.policy import Policy
from allthepoints.core.records import Record

SEVERAL = 3
"""So many JOINs speak against their connection, so many rooms against the server."""

LATEST_ANSWER = 180.0
"""Seconds within which a mute connection may still answer: 60 s proved too short for a burst of 94 JOINs."""

SLOWEST_REASK = 300.0
"""A room that never answers is asked again at most this seldom, in seconds."""

TIRED, REFUSED = 10, 3
"""A room that was asked, or refused, more often than this in a row is silent by itself, whatever the others do."""


def unanswered(o: Observed, policy: Policy, room: Room, now: float) -> None:
    """A JOIN was not answered in time. Its connection is suspected before its room is, once."""
    channel, connection = o.channels[room.channel], o.connections[room.conn]
    channel.silent_at = now
    if channel.silent_on is None:
        channel.silent_on = room.conn
    if channel.silent_on == room.conn:
        connection.unanswered += 1
        if _is_mute(o, policy, connection, now):
            connection.mute_since = now
            o.changes.of_everybody()
    if connection.usable:
        _ask_slower(policy, channel, now)
        o.changes.of_channel(channel.ref.id)
    else:
        _on_another(o, room.conn)


def answered(o: Observed, conn: int, at: float) -> Iterator[Record]:
    """A JOIN was answered on this connection, by a yes or a no."""
    waited = hush(o, o.live)
    for channel in (o.channels[channel_id] for channel_id in waited):
        channel.ask_not_before = 0.0
        if _is_refused(channel):
            yield from relent(channel, at)
        o.changes.of_channel(channel.ref.id)
    for connection in o.connections.values():
        mute_since = connection.mute_since
        if connection.conn == conn or (waited and mute_since is not None and mute_since > o.answered_at):
            connection.unanswered, connection.mute_since = 0, None  # it was the server, for all we know
            if mute_since is not None:
                o.changes.of_everybody()
    o.answered_at = at


def replace_mute(o: Observed, now: float) -> None:
    """Connections that stayed mute while another was answered are given up, with their rooms; not while the server may
    be silent, for then these would be lost on the way."""
    for connection in o.connections.values():
        since = connection.mute_since
        if since is None or now < since + LATEST_ANSWER or o.answered_at <= since:
            continue
        if all(o.channels[i].silent_at <= o.answered_at for i in o.live):
            connection.mute_since, connection.retiring = None, True
            o.changes.of_everybody()


def hush(o: Observed, among: Iterable[UserId]) -> list[UserId]:
    """Of these the rooms that wait while the server answers nobody, the next to be asked first; none if it does."""
    channels, answered_at = o.channels, o.answered_at
    lately = [i for i in among if channels[i].silent_at > answered_at]  # of thousands a few: a JOIN's answer costs this
    silent = [i for i in lately if waits_in_silence(o, channels[i])]
    return sorted(silent, key=lambda i: (channels[i].silent_at, i)) if len(silent) >= SEVERAL else []


def waits_in_silence(o: Observed, channel: Channel) -> bool:
    """Whether it was asked often, and nobody at all answered since."""
    if channel.silent_at <= o.answered_at or channel.unanswered > TIRED:
        return False
    return channel.ask_not_before > 0 or _is_refused(channel)


def is_stable(policy: Policy, connection: Connection, now: float) -> bool:
    """A connection that stayed a while was a success: its loss is the first failure, not a further one."""
    return connection.welcomed_at is not None and now >= connection.welcomed_at + policy.stable_after


def _is_refused(channel: Channel) -> bool:
    refusal = channel.refusal
    return refusal is not None and refusal.why is Why.UNANSWERED and refusal.tries <= REFUSED


def _is_mute(o: Observed, policy: Policy, connection: Connection, now: float) -> bool:
    """Whether it is to be suspected; if another one was, and nobody answered since, it is the server."""
    if connection.unanswered < SEVERAL or not connection.usable or not is_stable(policy, connection, now):
        return False
    since = (other.mute_since for other in o.connections.values() if other.mute_since is not None)
    return max(since, default=o.answered_at) <= o.answered_at


def _on_another(o: Observed, conn: int) -> None:
    """What this connection left unanswered is asked for on another at once: nothing of it is held against the rooms."""
    for channel in (o.channels[i] for i in o.live):
        if channel.silent_on == conn:
            channel.unanswered, channel.ask_not_before = 0, 0.0
            o.changes.of_channel(channel.ref.id)


def _ask_slower(policy: Policy, channel: Channel, now: float) -> None:
    channel.unanswered += 1
    if channel.unanswered < policy.ask_tries:
        return
    if channel.unanswered % policy.ask_tries == 0:
        channel.look_up = True
    spacing = policy.ask_timeout * 2.0 ** min(channel.unanswered - policy.ask_tries, 10)
    channel.ask_not_before = now + min(spacing, SLOWEST_REASK)
