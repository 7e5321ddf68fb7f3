"""Who gets a slot: rooms are scarce (100 for the account, and the person's own chat client uses some)."""

from __future__ import annotations

from math import inf

from allthepoints.base.types import UserId
from allthepoints.core.apply_wishes import unmet, wished
from allthepoints.core.observed import UNRANKED, Channel, Observed, Queue, Rank, Roster, roster
from allthepoints.core.policy import Policy
from allthepoints.core.presence import State
from allthepoints.core.worth import hope, per_hour

NO_PLACE = UNRANKED + 1


def desired(policy: Policy, observed: Observed, now: float) -> list[UserId]:
    """The channels whose chat we want to be in, best first; the first `room_cap` of them get a slot. Not to be changed:
    as long as the answer is the same, it is the same list."""
    queue, names = observed.queue, roster(policy, observed)
    not_met = _unmet(policy, observed, now)
    if queue is None or not _holds(queue, policy, names, observed, not_met, now):
        queue = observed.queue = _queue(policy, names, observed, not_met, now)
    elif queue.count != observed.changes.count:
        _move(queue, observed, now)
    return queue.order


def room_cap(policy: Policy, observed: Observed, now: float) -> int:
    """How many rooms we may hold now: the person's limit, or the server's where it told us a lower one."""
    cap = observed.cap
    if cap is None:
        return policy.max_rooms
    return min(policy.max_rooms, cap.rooms if now < cap.until else cap.rooms + 1)


def is_meant(names: Roster, channel_id: UserId) -> bool:
    """Whether the config means this channel at all."""
    return (channel_id in names.followed or channel_id in names.included) and channel_id not in names.barred


# -- the queue, and what becomes of it -----------------------------------------------------------------------------
def _holds(queue: Queue, policy: Policy, names: Roster, o: Observed, wished: frozenset[UserId], now: float) -> bool:
    """Whether the queue is right but for channels that changed since."""
    return (
        queue.policy is policy
        and queue.names is names
        and queue.count >= o.changes.everybody
        and queue.at <= now < queue.until
        and queue.wished == wished
    )


def _queue(policy: Policy, names: Roster, o: Observed, wished: frozenset[UserId], now: float) -> Queue:
    queue = Queue(policy, names, o.changes.count, now, inf, wished, {}, [])
    held = _held(o)
    for channel_id in o.live:
        _place(queue, o, channel_id, held, now)
    queue.order = _sorted(queue)
    return queue


def _move(queue: Queue, o: Observed, now: float) -> None:
    """Put those who changed where they belong now."""
    changed, queue.count = o.changes.since(queue.count), o.changes.count
    held = _held(o)
    moved = [channel_id for channel_id in changed if _place(queue, o, channel_id, held, now)]
    if moved and (order := _sorted(queue)) != queue.order:
        queue.order = order


def _sorted(queue: Queue) -> list[UserId]:
    return [rank[-1] for rank in sorted(queue.ranks.values())]


def _place(queue: Queue, o: Observed, channel_id: UserId, held: set[UserId], now: float) -> bool:
    """Rank one channel anew, or take it out. Answers whether that is another rank than before."""
    before = queue.ranks.get(channel_id)
    if channel_id in o.live and is_meant(queue.names, channel_id):
        channel = o.channels[channel_id]
        refusal = channel.refusal
        if refusal is not None and refusal.until is not None and refusal.until > now:
            queue.until = min(queue.until, refusal.until)
        if _eligible(o, channel, now):
            rank = _rank(queue.names, o, channel, channel_id in held, channel_id in queue.wished)
            queue.ranks[channel_id] = rank
            return rank != before
    return queue.ranks.pop(channel_id, None) is not None


def _held(o: Observed) -> set[UserId]:
    return {room.channel for room in o.rooms.values() if room.state is not State.ABSENT}


def _unmet(policy: Policy, o: Observed, now: float) -> frozenset[UserId]:
    """Live channels where a wish is not met yet."""
    return frozenset(i for i in wished(policy, o) if i in o.live and unmet(policy, o, i, now))


def _eligible(observed: Observed, channel: Channel, now: float) -> bool:
    ref, refusal = channel.ref, channel.refusal
    return (
        channel.earns
        and observed.addresses.get(ref.login) == ref.id
        and (refusal is None or not refusal.stands(channel.stream_id(), now))
    )


def _rank(names: Roster, o: Observed, channel: Channel, held: bool, wished: bool) -> Rank:
    """Explicit priority; then who may pay anything; then where a wish is not met yet; then what it pays an hour, where
    who is in counts for more, because a swap costs a JOIN and a gap and gains a trifle; then the include list, in its
    order; then the follows, newest first as Twitch lists them."""
    channel_id, place = channel.ref.id, channel.followed
    return (
        names.rank.get(channel_id, NO_PLACE),
        hope(o, channel_id, held),
        not wished,
        -per_hour(o, channel_id, held),
        names.included.get(channel_id, NO_PLACE),
        NO_PLACE if place is None else place,
        channel_id,
    )
