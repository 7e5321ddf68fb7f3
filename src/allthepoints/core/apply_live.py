"""What Helix said, folded into the state: who exists, who is followed, who is live.

Theory of live. First sight makes a channel live at once. Offline needs misses that last `offline_after`, because Get
Streams drops live channels for a poll or two. Unknown (a failed poll, an odd row) is neither a sight nor a miss. After
a gap in which nobody looked (restart, sleep) one miss is enough: there is no continuity to protect.
A session is one stream id; it is announced once, ever. Re-runs are sessions too, but earn nothing: nobody is told.
"""

from __future__ import annotations

from collections.abc import Iterator

from allthepoints.base.types import UserId
from allthepoints.core.facts import FollowsRead, LiveRead, ReadFailed, UsersRead
from allthepoints.core.model import ChannelRef, Stream, StreamKind, Why
from allthepoints.core.observed import UNRANKED, Channel, Observed
from allthepoints.core.policy import Policy
from allthepoints.core.records import (
    ChannelKnown,
    Event,
    EventKind,
    Record,
    RefusalCleared,
    RefusalSet,
    SessionClosed,
    SessionOpened,
)
from allthepoints.core.refusals import refuse

NOBODY = UserId("")
TOLD_AFTER = 3
"""Failures in a row of one kind of read before it is an event: one lost poll is nothing."""


def live_read(o: Observed, policy: Policy, fact: LiveRead) -> Iterator[Record]:
    """One poll of who is live."""
    yield from _read_done(o, "live", fact.at, fact.error)
    gap = o.stale
    sighted: set[UserId] = set()
    for stream in fact.streams:
        if channel := _channel_of(o, policy, stream.channel):
            sighted.add(stream.channel.id)
            yield from _ref_seen(o, channel, stream.channel, fact.at)
            yield from _seen(o, channel, stream, fact.at)
    for channel_id in fact.asked - sighted - fact.doubtful:
        if (channel := o.channels.get(channel_id)) is not None:
            yield from _missed(o, policy, channel, fact.at, gap)
    o.stale = False


def follows_read(o: Observed, fact: FollowsRead) -> Iterator[Record]:
    """All the follows: places are new, who is not listed is followed no longer."""
    yield from _read_done(o, "follows", fact.at, None)
    listed = {ref.id for ref in fact.channels}
    for channel in o.channels.values():
        if channel.followed is not None and channel.ref.id not in listed:
            channel.followed = None
            yield ChannelKnown(fact.at, channel.ref, None)
    for place, ref in enumerate(fact.channels):
        channel = o.channels.get(ref.id) or _new(o, ref)
        yield from _renamed(o, channel, ref, fact.at)
        if channel.followed != place or channel.ref != ref:
            channel.followed, channel.ref = place, ref
            yield ChannelKnown(fact.at, ref, place)
    o.roster = None


def users_read(o: Observed, fact: UsersRead) -> Iterator[Record]:
    """Who exists, and under which login."""
    yield from _read_done(o, "users", fact.at, None)
    o.users_checked_at = fact.at
    for ref in fact.found:
        o.not_found.pop(ref.login, None)
        if (channel := o.channels.get(ref.id)) is None:
            channel = _new(o, ref)
            yield ChannelKnown(fact.at, ref, None)
        yield from _ref_seen(o, channel, ref, fact.at)
        if channel.look_up:
            channel.look_up = False
            yield from _refused(channel, Why.UNANSWERED, fact.at)
    for login in fact.missing_logins:
        if login not in o.not_found:
            yield Event(fact.at, EventKind.NOT_FOUND, data={"login": login})
        o.not_found[login] = fact.at
    for channel_id in fact.missing_ids:
        if (channel := o.channels.get(channel_id)) is not None and channel.look_up:
            channel.look_up = False
            yield from _refused(channel, Why.NO_SUCH_CHANNEL, fact.at)
    o.roster = None


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


def _read_done(o: Observed, what: str, at: float, error: str | None) -> Iterator[Record]:
    read = o.reads[what]
    read.pending = False
    if read.failures >= TOLD_AFTER:
        yield Event(at, EventKind.HELIX_BACK, data={"what": what})
    read.done_at, read.failures, read.failing_since, read.error = at, 0, None, error or ""


def _channel_of(o: Observed, policy: Policy, ref: ChannelRef) -> Channel | None:
    """The channel of a row; one we did not know is taken in, if we may have asked for it."""
    if channel := o.channels.get(ref.id):
        return channel
    included = ref.login in policy.include
    if not included and not policy.followed:
        return None
    channel = _new(o, ref)
    channel.followed = None if included else UNRANKED
    o.roster = None
    return channel


def _new(o: Observed, ref: ChannelRef) -> Channel:
    channel = o.channels[ref.id] = Channel(ref)
    o.names.setdefault(ref.login, ref.id)
    o.not_found.pop(ref.login, None)
    o.roster = None
    return channel


def _ref_seen(o: Observed, channel: Channel, ref: ChannelRef, at: float) -> Iterator[Record]:
    """Helix wrote the channel this way: a new login is a rename, a new display name is just that."""
    yield from _renamed(o, channel, ref, at)
    if channel.ref != ref:
        channel.ref = ref
        yield ChannelKnown(at, ref, channel.followed)


def _renamed(o: Observed, channel: Channel, ref: ChannelRef, at: float) -> Iterator[Record]:
    if channel.ref.login == ref.login:
        return
    yield Event(at, EventKind.RENAMED, ref.id, {"from": channel.ref.login, "to": ref.login})
    o.names.setdefault(ref.login, ref.id)
    o.roster = None
    channel.look_up = False
    if channel.refusal and channel.refusal.why in (Why.NO_SUCH_CHANNEL, Why.UNANSWERED):
        channel.refusal = None
        yield RefusalCleared(at, ref.id)


def _seen(o: Observed, channel: Channel, stream: Stream, at: float) -> Iterator[Record]:
    before = channel.stream
    new = before is None or before.id != stream.id
    if new and channel.live and before is not None:
        yield from _close(channel, before, at)
    channel.stream, channel.seen_at, channel.missed_since = stream, at, None
    if new or not channel.live:
        channel.live = True
        o.live.add(channel.ref.id)
        yield SessionOpened(at, stream)
        if stream.kind is StreamKind.LIVE and o.told.get(channel.ref.id) != stream.id:
            o.told[channel.ref.id] = stream.id
            yield Event(at, EventKind.LIVE, channel.ref.id, {"stream": stream.id, "started_at": stream.started_at})


def _missed(o: Observed, policy: Policy, channel: Channel, at: float, gap: bool) -> Iterator[Record]:
    if channel.live is False:
        return
    if channel.live is None:
        channel.live = False
        return
    if channel.missed_since is None:
        channel.missed_since = at
    lasting = at - channel.missed_since >= policy.offline_after
    if lasting or (gap and at - channel.seen_at >= policy.offline_after):
        channel.live, channel.missed_since = False, None
        o.live.discard(channel.ref.id)
        if channel.stream is not None:
            yield from _close(channel, channel.stream, at)


def _close(channel: Channel, stream: Stream, at: float) -> Iterator[Record]:
    """The session ended when it was last seen; that is known only now."""
    yield SessionClosed(channel.seen_at, channel.ref.id, stream.id)
    if stream.kind is StreamKind.LIVE:
        yield Event(at, EventKind.OFFLINE, channel.ref.id, {"stream": stream.id})


def _refused(channel: Channel, why: Why, at: float) -> Iterator[Record]:
    channel.refusal = said = refuse(why, at, "", channel.stream_id(), channel.refusal)
    yield RefusalSet(at, channel.ref.id, why, "", said.stream, said.until, said.tries)
    if said.tries == 1:
        yield Event(at, EventKind.REFUSED, channel.ref.id, {"why": why})
