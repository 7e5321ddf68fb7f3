"""What a room is worth, where rooms are scarce: a wish that is not met, whether anything is paid, and how much an hour.

Rates are the channel's own word (amount and interval) or, better, what was really earned. An unknown channel is taken
for an ordinary one, once it has a room.
"""

from __future__ import annotations

from collections.abc import Mapping

from allthepoints.base.types import UserId
from allthepoints.core.observed import Observed

ORDINARY = 30.0
"""Points an hour of a channel that nobody has read yet: StreamElements' own default, 5 in 10 minutes."""

STAYS, STAYS_BY = 1.5, 10.0
"""Who is in is given up only for one that pays half as much again and 10 an hour more: a swap costs a JOIN, and the
wait until the list of viewers has us."""


def hope(o: Observed, channel: UserId, held: bool) -> int:
    """Whether points are to be expected there: the less, the better.

    Who pays nobody gives way to one who pays, and not to one of whom nothing is known: that is looked up in a moment.
    """
    pays = _pays(o, channel)
    if pays is None:
        return 0 if held else 2
    if not pays:
        return 1 if held else 3
    return 0


def _pays(o: Observed, channel: UserId) -> bool | None:
    """Whether it pays us, by its settings and by what came; None: it was not looked up yet."""
    if flat_since(o, channel) is not None:
        return False
    purse = o.elements.purses.get(channel)
    if purse is None:
        return None
    if purse.nowhere:
        return False
    loyalty = purse.loyalty
    if loyalty is None:
        return None
    return loyalty.enabled and (o.account is None or o.account.login not in loyalty.ignored)


def per_hour(o: Observed, channel: UserId, held: bool) -> float:
    """Points an hour, for comparing; who is in (`held`) counts for more."""
    purse = o.elements.purses.get(channel)
    rate = None
    if purse is not None:
        rate = purse.rate or (None if purse.loyalty is None else purse.loyalty.per_hour)
    rate = ORDINARY if rate is None else rate
    return rate * STAYS + STAYS_BY if held else rate


FLAT = "flat:"


def flat_key(channel: UserId) -> str:
    """The key of the note that a channel was found not to pay."""
    return f"{FLAT}{channel}"


def flat_by(notes: Mapping[str, str]) -> dict[UserId, float]:
    """The channels that were found not to pay, and when, by these notes."""
    return {UserId(key.removeprefix(FLAT)): float(at) for key, at in notes.items() if key.startswith(FLAT)}


def flat_since(o: Observed, channel: UserId) -> float | None:
    """Since when it is known that the present session pays nothing; what an earlier one did says little of this."""
    told, known = o.elements.flat.get(channel), o.channels.get(channel)
    if told is None or known is None or known.stream is None:
        return None
    return told if told >= known.stream.started_at else None
