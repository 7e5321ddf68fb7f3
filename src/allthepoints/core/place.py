"""Where we stand with each channel, in the words that every face shows; and the count of it all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from allthepoints.base.types import Login, UserId
from allthepoints.core.desired import is_meant
from allthepoints.core.model import StreamKind
from allthepoints.core.observed import Channel, Observed, Phase, Room, SignIn, roster
from allthepoints.core.policy import Policy
from allthepoints.core.presence import State
from allthepoints.core.silence import waits_in_silence


class Mark(StrEnum):
    """The states of the outside contract."""

    PRESENT = "present"
    ASKED = "asked"
    WAITING = "waiting"
    REFUSED = "refused"
    LEAVING = "leaving"
    ABSENT = "absent"


class Reason(StrEnum):
    """Why a channel waits, or is absent. A refused channel's reason is a `model.Why`."""

    SIGNED_OUT = "signed_out"
    CONNECTING = "connecting"
    CHECKING = "checking"
    """We were away: who is live is asked first."""
    NO_SLOT = "no_slot"
    ROOM_LIMIT = "room_limit"
    JOIN_BUDGET = "join_budget"
    UNANSWERED = "unanswered"
    MOVED = "moved"
    """Its login is somebody else's now; Helix is asked where it went."""
    OFFLINE = "offline"
    PAUSED = "paused"
    EXCLUDED = "excluded"
    RERUN = "rerun"


_WANTED = frozenset((Mark.PRESENT, Mark.ASKED, Mark.WAITING))


@dataclass(frozen=True, slots=True)
class Place:
    """`state` is a Mark, `reason` a Reason or a Why, or None where there is nothing to say."""

    state: str
    reason: str | None = None


_SHOWN = tuple(
    (state, Place(mark))
    for state, mark in (
        (State.PRESENT, Mark.PRESENT),
        (State.ASKED, Mark.ASKED),
        (State.LEAVING, Mark.LEAVING),
    )
)
"""What a room shows, the most telling first."""


@dataclass(frozen=True, slots=True)
class Census:
    """`wanted` = present + asked + waiting, of live channels that we mean to be in; the refused are counted beside."""

    connections: int
    wanted: int
    present: int
    waiting: int
    refused: int


def place(
    policy: Policy,
    observed: Observed,
    channel: Channel,
    slots: AbstractSet[UserId],
    now: float,
    rooms: Iterable[Room] | None = None,
) -> Place:
    """Where we stand with one channel; `slots` are those that may have a room now, `rooms` its own, where known."""
    own = list(observed.rooms_of(channel.ref.id) if rooms is None else rooms)
    states = [room.state for room in own if room.proven or room.state is not State.PRESENT]
    for state, shown in _SHOWN:
        if state in states:
            return shown
    names = roster(policy, observed)
    if is_meant(names, channel.ref.id):
        if channel.refusal is not None and channel.refusal.stands(channel.stream_id(), now):
            return Place(Mark.REFUSED, channel.refusal.why)
        if channel.earns:
            return Place(Mark.WAITING, _waits_for(observed, channel, own, slots, now))
    return Place(Mark.ABSENT, _absent_because(policy, observed, channel))


def census(policy: Policy, observed: Observed, now: float, places: Mapping[UserId, Place] | None = None) -> Census:
    """How many stand where. `places`, if they are known already: at least of all channels that are not absent."""
    if places is None:
        places = _places(policy, observed, now)
    names = roster(policy, observed)
    counts: dict[str, int] = dict.fromkeys(Mark, 0)
    wanted = 0
    for channel_id, where in places.items():
        counts[where.state] += 1
        if where.state in _WANTED and observed.channels[channel_id].earns and is_meant(names, channel_id):
            wanted += 1
    return Census(
        connections=sum(connection.phase is Phase.READY for connection in observed.connections.values()),
        wanted=wanted,
        present=counts[Mark.PRESENT],
        waiting=counts[Mark.WAITING],
        refused=counts[Mark.REFUSED],
    )


def _places(policy: Policy, observed: Observed, now: float) -> dict[UserId, Place]:
    """Without slots: who has one decides why a channel waits, not where it stands."""
    rooms = observed.rooms_by_channel()
    return {
        i: place(policy, observed, channel, frozenset(), now, rooms.get(i, ()))
        for i, channel in observed.channels.items()
        if channel.live or channel.refusal is not None or i in rooms
    }


def _waits_for(
    observed: Observed, channel: Channel, rooms: Iterable[Room], slots: AbstractSet[UserId], now: float
) -> Reason:
    """What stands first in the way."""
    if observed.stale:
        return Reason.CHECKING
    if observed.addresses.get(channel.ref.login) != channel.ref.id:
        return Reason.MOVED
    if any(room.stranger is not None for room in rooms):
        return Reason.MOVED
    if channel.ref.id not in slots:
        return Reason.NO_SLOT if observed.cap is None else Reason.ROOM_LIMIT
    if not observed.usable():
        return Reason.CONNECTING if observed.sign_in.state is SignIn.GOOD else Reason.SIGNED_OUT
    if now < channel.ask_not_before or waits_in_silence(observed, channel):
        return Reason.UNANSWERED
    if observed.join_window(now).free(now) == 0:
        return Reason.JOIN_BUDGET
    return Reason.CONNECTING


def _absent_because(policy: Policy, observed: Observed, channel: Channel) -> Reason | None:
    def named(logins: AbstractSet[Login]) -> bool:
        return channel.ref.login in logins or any(observed.names.get(n) == channel.ref.id for n in logins)

    if named(policy.paused):
        return Reason.PAUSED
    if named(policy.exclude):
        return Reason.EXCLUDED
    if channel.live is False:
        return Reason.OFFLINE
    if channel.live and channel.stream is not None and channel.stream.kind is StreamKind.RERUN:
        return Reason.RERUN
    return None
