"""Who gets a slot: rooms are scarce (100 for the account, and the person's own chat client uses some)."""

from __future__ import annotations

from allthepoints.base.types import UserId
from allthepoints.core.observed import UNRANKED, Channel, Observed, Roster, roster
from allthepoints.core.policy import Policy

NO_PLACE = UNRANKED + 1


def desired(policy: Policy, observed: Observed, now: float) -> list[UserId]:
    """The channels whose chat we want to be in, best first; the first `room_cap` of them get a slot."""
    names = roster(policy, observed)
    eligible = (i for i in observed.live if _eligible(names, observed, observed.channels[i], now))
    held = {room.channel for room in observed.rooms.values() if room.holds_slot}
    return sorted(eligible, key=lambda i: _rank(names, observed.channels[i], i in held))


def is_meant(names: Roster, channel_id: UserId) -> bool:
    """Whether the config means this channel at all."""
    return (channel_id in names.followed or channel_id in names.included) and channel_id not in names.barred


def _eligible(names: Roster, observed: Observed, channel: Channel, now: float) -> bool:
    return (
        is_meant(names, channel.ref.id)
        and channel.earns
        and observed.addresses.get(channel.ref.login) == channel.ref.id
        and (channel.refusal is None or not channel.refusal.stands(channel.stream_id(), now))
    )


def _rank(names: Roster, channel: Channel, held: bool) -> tuple[int, bool, int, int, str]:
    """Explicit priority; then who is in stays in, because a swap costs a JOIN and a gap and gains a trifle; then the
    include list, in its order; then the follows, newest first as Twitch lists them."""
    place = channel.followed if channel.followed is not None else NO_PLACE
    return (
        names.rank.get(channel.ref.id, NO_PLACE),
        not held,
        names.included.get(channel.ref.id, NO_PLACE),
        place,
        channel.ref.id,
    )
