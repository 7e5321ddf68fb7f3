"""What Helix said, folded into the state: who exists, who is followed, who is live.

Theory of live. First sight makes a channel live at once. Offline needs misses that last `offline_after`, because Get
Streams drops live channels for a poll or two. Unknown (a failed poll, an odd row) is neither a sight nor a miss. After
a gap in which nobody looked (restart, sleep) one miss is enough: there is no continuity to protect.
A session is one stream id; it is announced once, ever. Re-runs are sessions too, but earn nothing: nobody is told.
"""

from __future__ import annotations

from collections.abc import Iterator

from allthepoints.base.types import UserId
from allthepoints.core.apply_chat import settle
from allthepoints.core.closing import close, reopen
from allthepoints.core.desired import desired, room_cap
from allthepoints.core.facts import FollowsRead, LiveRead, ReadFailed, UsersRead
from allthepoints.core.model import ChannelRef, Stream, StreamKind, Why
from allthepoints.core.observed import UNRANKED, Channel, Observed, Roster, roster
from allthepoints.core.policy import Policy
from allthepoints.core.records import (
    ChannelKnown,
    Event,
    EventKind,
    Record,
    SessionClosed,
    SessionOpened,
)
from allthepoints.core.silence import LATEST_ANSWER, hush

NOBODY = UserId("")
TOLD_AFTER = 3
"""Failures in a row of one kind of read before it is an event: one lost poll is nothing."""

OF_A_LOGIN = frozenset((Why.NO_SUCH_CHANNEL, Why.SUSPENDED, Why.UNANSWERED))
"""What is also said of a login that nobody has any more ("does not exist or has been suspended")."""


def live_read(o: Observed, policy: Policy, fact: LiveRead) -> Iterator[Record]:
    """One poll of who is live."""
    began_at = o.reads["live"].begun_at
    yield from _read_done(o, "live", fact.at, fact.error)
    gap = o.stale
    sighted: set[UserId] = set()
    for stream in fact.streams:
        known = stream.channel.id in o.channels
        if channel := _channel_of(o, policy, stream.channel):
            sighted.add(stream.channel.id)
            yield from _ref_seen(o, channel, stream.channel, fact.at, told=not known)
            yield from _seen(o, channel, stream, fact.at)
    for channel_id in fact.asked - o.offline - sighted - fact.doubtful:
        if channel := o.channels.get(channel_id):
            yield from _missed(o, policy, channel, fact.at, gap)
    yield from _forget_unasked(o, roster(policy, o), sighted)
    o.stale = o.stale and began_at < o.stale_since  # what was asked before the host slept proves nothing now
    if o.stale != gap:
        o.changes.of_everybody()


def follows_read(o: Observed, fact: FollowsRead) -> Iterator[Record]:
    """All the follows: places are new, who is not listed is followed no longer."""
    yield from _read_done(o, "follows", fact.at, None)
    listed = {ref.id for ref in fact.channels}
    for channel in o.channels.values():
        if channel.followed is not None and channel.ref.id not in listed:
            channel.followed = None
            yield ChannelKnown(fact.at, channel.ref, None)
    for place, ref in enumerate(fact.channels):
        if ref.id not in o.channels:
            ask_again(o)
        channel = o.channels.get(ref.id) or _new(o, ref)
        before, channel.followed = channel.followed, place
        yield from _ref_seen(o, channel, ref, fact.at, told=before != place)
    o.roster = None


def users_read(o: Observed, policy: Policy, fact: UsersRead) -> Iterator[Record]:
    """Who exists, and under which login."""
    yield from _read_done(o, "users", fact.at, None)
    if roster(policy, o).others <= fact.missing_ids | {ref.id for ref in fact.found}:
        o.users_checked_at = fact.at
    # While nobody is answered a look-up says nothing of a room; but it must not keep others waiting for its slot.
    contested = len(desired(policy, o, fact.at)) > room_cap(policy, o, fact.at)
    no_late_answer = fact.at >= o.answered_at + LATEST_ANSWER
    unheard = [] if contested and no_late_answer else hush(o, o.live)
    for ref in fact.found:
        o.not_found.pop(ref.login, None)
        known = ref.id in o.channels
        resolved = o.channels[ref.id] if known else _new(o, ref)
        yield from _ref_seen(o, resolved, ref, fact.at, told=not known)
        if resolved.look_up:
            resolved.look_up = False
            if any(room.stranger is not None for room in o.rooms_of(ref.id)):
                yield from settle(o, resolved, fact.at)
            elif resolved.unanswered and resolved.present_since is None and ref.id not in unheard:
                # Else it is not the room: another JOIN will tell.
                yield from close(resolved, Why.UNANSWERED, fact.at)
    for login in fact.missing_logins:
        if login not in o.not_found:
            yield Event(fact.at, EventKind.NOT_FOUND, data={"login": login})
        o.not_found[login] = fact.at
    for channel_id in fact.missing_ids:
        if (channel := o.channels.get(channel_id)) is not None and channel.look_up:
            channel.look_up = False
            yield from close(channel, Why.NO_SUCH_CHANNEL, fact.at)


def read_failed(o: Observed, policy: Policy, fact: ReadFailed) -> Iterator[Record]:
    """A read brought nothing. Nothing changes but the time of the next try."""
    read = o.reads[fact.what]
    read.pending = False
    read.failures += 1
    read.failing_since = read.failing_since or fact.at
    read.error = fact.error
    read.not_before = fact.at + policy.reread.delay(read.failures, fact.luck)
    if fact.until is not None:
        read.not_before = max(read.not_before, fact.until)
    if fact.what == "live" and read.failures >= TOLD_AFTER:
        # Better to join on old knowledge than to stay out of every chat for as long as Helix is down.
        o.stale = False
    if read.failures == TOLD_AFTER:
        yield Event(fact.at, EventKind.HELIX_FAILED, data={"what": fact.what, "error": fact.error})


def ask_again(o: Observed) -> None:
    """Whoever came to be meant just now may be live: do not wait for the next poll."""
    read = o.reads["live"]
    read.done_at, read.again = None, read.pending


def _read_done(o: Observed, what: str, at: float, error: str | None) -> Iterator[Record]:
    read = o.reads[what]
    read.pending = False
    if read.failures >= TOLD_AFTER:
        yield Event(at, EventKind.HELIX_BACK, data={"what": what})
    if read.failures:
        o.changes.of_everybody()
    read.done_at, read.failures, read.failing_since, read.error = at, 0, None, error or ""
    if read.again:
        read.done_at, read.again = None, False


def taken_in(o: Observed, ref: ChannelRef, at: float) -> Iterator[Record]:
    """A channel that a person looks at, whom nobody told us of before."""
    yield from _ref_seen(o, _new(o, ref), ref, at, told=True)


def _channel_of(o: Observed, policy: Policy, ref: ChannelRef) -> Channel | None:
    """The channel of a row; one we did not know is taken in, if we may have asked for it."""
    if channel := o.channels.get(ref.id):
        return channel
    included = ref.login in policy.include and o.names.get(ref.login, ref.id) == ref.id
    if not included and not policy.followed:
        return None
    channel = _new(o, ref)
    channel.followed = None if included else UNRANKED
    return channel


def _new(o: Observed, ref: ChannelRef) -> Channel:
    channel = o.channels[ref.id] = Channel(ref)
    o.changes.of_everybody()
    o.names.setdefault(ref.login, ref.id)
    o.not_found.pop(ref.login, None)
    o.roster = None
    return channel


def _ref_seen(o: Observed, channel: Channel, ref: ChannelRef, at: float, *, told: bool) -> Iterator[Record]:
    """Helix wrote the channel this way: a new login is a rename, a new display name is just that.

    `told`: there is something new to be remembered in any case.
    """
    if channel.ref.login != ref.login:
        yield from _renamed(o, channel, ref, at)
    before = o.addresses.get(ref.login, ref.id)
    if before != ref.id:
        o.channels[before].look_up = True  # it cannot be there any more: ask where it is
    if o.addresses.get(ref.login) != ref.id:
        o.addresses[ref.login] = ref.id
        o.changes.of_everybody()
    if channel.ref != ref or told:
        o.changes.of_everybody()
        channel.ref = ref
        yield ChannelKnown(at, ref, channel.followed)


def _renamed(o: Observed, channel: Channel, ref: ChannelRef, at: float) -> Iterator[Record]:
    yield Event(at, EventKind.RENAMED, ref.id, {"from": channel.ref.login, "to": ref.login})
    if o.addresses.get(channel.ref.login) == ref.id:
        del o.addresses[channel.ref.login]
    o.names.setdefault(ref.login, ref.id)
    o.roster = None
    channel.ask_afresh()
    if channel.refusal and channel.refusal.why in OF_A_LOGIN:
        yield from reopen(channel, at)


def _seen(o: Observed, channel: Channel, stream: Stream, at: float) -> Iterator[Record]:
    before = channel.stream
    if before is not None and before.id != stream.id and stream.started_at < before.started_at:
        return  # an answer out of an old cache: that session is over
    new = before is None or before.id != stream.id
    if new:
        channel.ask_afresh()
    if new and channel.live and before is not None:
        yield from _close(o, channel, before, at)
    if new or not channel.live or stream != before:
        o.changes.of_channel(channel.ref.id)
    channel.stream, channel.seen_at, channel.missed_since = stream, at, None
    if new or not channel.live:
        channel.live = True
        o.live.add(channel.ref.id)
        o.offline.discard(channel.ref.id)
        yield SessionOpened(at, stream)
    if stream.kind is StreamKind.LIVE and o.told.get(channel.ref.id) != stream.id:
        o.told[channel.ref.id] = stream.id
        yield Event(at, EventKind.LIVE, channel.ref.id, {"stream": stream.id, "started_at": stream.started_at})


def _missed(o: Observed, policy: Policy, channel: Channel, at: float, gap: bool) -> Iterator[Record]:
    if channel.live is None:
        channel.live = False
        o.offline.add(channel.ref.id)
        o.changes.of_channel(channel.ref.id)
        return
    if channel.missed_since is None:
        channel.missed_since = at
    lasting = at - channel.missed_since >= policy.offline_after
    if lasting or (gap and at - channel.seen_at >= policy.offline_after):
        channel.live, channel.missed_since = False, None
        o.changes.of_channel(channel.ref.id)
        o.live.discard(channel.ref.id)
        o.offline.add(channel.ref.id)
        channel.ask_afresh()
        if channel.stream is not None:
            yield from _close(o, channel, channel.stream, at)


def _forget_unasked(o: Observed, names: Roster, sighted: set[UserId]) -> Iterator[Record]:
    """Nobody asks any more about a channel that the person no longer means: whether it is live is unknown again."""
    for channel_id in o.live - names.followed - names.others - sighted:
        channel = o.channels[channel_id]
        channel.live, channel.missed_since = None, None
        o.changes.of_channel(channel_id)
        o.live.discard(channel_id)
        channel.ask_afresh()
        if channel.stream is not None:
            yield SessionClosed(channel.seen_at, channel_id, channel.stream.id)


def _close(o: Observed, channel: Channel, stream: Stream, at: float) -> Iterator[Record]:
    """The session ended when it was last seen; that is known only now. Whose begin was not told, his end is not."""
    yield SessionClosed(channel.seen_at, channel.ref.id, stream.id)
    if o.told.get(channel.ref.id) == stream.id:
        yield Event(at, EventKind.OFFLINE, channel.ref.id, {"stream": stream.id})
