"""When a channel's points and store were last read anew: how one who asked for it sees that it is done."""

from __future__ import annotations

from dataclasses import dataclass

from allthepoints.base.types import Login, UserId
from allthepoints.core.elements import nowhere_key, read_key
from allthepoints.storage.read_points import PointsReader

WITHIN = 15.0
"""Seconds for reading a store anew: channel, settings, balance and items, a second and a half apart."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of reading a channel anew. `channel` None: it is not known here."""

    channel: UserId | None
    fresh: bool
    nowhere: bool = False
    """StreamElements has no such channel."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """When each was last read, in the service's time: only that it changes says anything."""

    channel: UserId | None
    items: str | None
    balance: float | None
    nowhere: str | None

    def done_since(self, before: Freshness) -> bool:
        """Whether all of it was read since `before`, or it was learned that there is nothing to read."""
        return self.nowhere != before.nowhere or (self.items != before.items and self.balance != before.balance)

    def since(self, before: Freshness) -> Looked:
        """What came of it."""
        nowhere = self.nowhere != before.nowhere and self.items == before.items
        return Looked(self.channel, self.items != before.items, nowhere)


def freshness(reader: PointsReader, login: Login) -> Freshness:
    """As of now. Raises FaultError."""
    notes, channel = reader.notes(), reader.named(login)
    if channel is None:
        return Freshness(None, None, None, notes.get(nowhere_key(login)))
    balance = next((row.seen_at for row in reader.points() if row.channel == channel), None)
    return Freshness(channel, notes.get(read_key(channel)), balance, notes.get(nowhere_key(login)))
