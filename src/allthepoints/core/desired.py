"""Who gets a slot: rooms are scarce (100 for the account, and the person's own chat client uses some)."""

from __future__ import annotations

from allthepoints.base.types import UserId
from allthepoints.core.apply_wishes import unmet
from allthepoints.core.observed import UNRANKED, Channel, Observed, Roster, roster
from allthepoints.core.policy import Policy
from allthepoints.core.worth import hope, per_hour

NO_PLACE = UNRANKED + 1


def desired(policy: Policy, observed: Observed, now: float) -> list[UserId]:
    """The channels whose chat we want to be in, best first; the first `room_cap` of them get a slot."""
    known = observed.queue
    if known is None or known[0] is not policy or known[1] != now:
        known = observed.queue = (policy, now, _desired(policy, observed, now))
    return known[2]


def is_meant(names: Roster, channel_id: UserId) -> bool:
    """Whether the config means this channel at all."""
    return (channel_id in names.followed or channel_id in names.included) and channel_id not in names.barred


def _desired(policy: Policy, observed: Observed, now: float) -> list[UserId]:
    names = roster(policy, observed)
    held = {room.channel for room in observed.rooms.values() if room.holds_slot}
    meant = ((observed.live & names.followed) | (observed.live & names.included.keys())) - names.barred
    wished = {i for i in observed.live if policy.wishes and unmet(policy, observed, i, now)}
    ranked = [
        _rank(names, observed, channel, channel.ref.id in held, channel.ref.id in wished)
        for channel in map(observed.channels.__getitem__, meant)
        if _eligible(observed, channel, now)
    ]
    return [channel for *_, channel in sorted(ranked)]


def _eligible(observed: Observed, channel: Channel, now: float) -> bool:
    ref, refusal = channel.ref, channel.refusal
    return (
        channel.earns
        and observed.addresses.get(ref.login) == ref.id
        and (refusal is None or not refusal.stands(channel.stream_id(), now))
    )


def _rank(
    names: Roster, o: Observed, channel: Channel, held: bool, wished: bool
) -> tuple[int, int, bool, float, int, int, UserId]:
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
