"""What a restart finds: the records of a run, as storage would give them back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from allthepoints.base.types import UserId
from allthepoints.core import records as r
from allthepoints.core.redeem import Redemption


def remembered(records: Iterable[r.Record]) -> r.Restored:
    """What storage would give back at start, of what concerns points."""
    purses: dict[UserId, r.PurseKept] = {}
    channels: dict[UserId, r.ChannelKnown] = {}
    redemptions: dict[str, Redemption] = {}
    notes: dict[str, str] = {}
    for record in records:
        match record:
            case r.ChannelKnown(_, channel):
                channels[channel.id] = record
            case r.LoyaltyKnown(at, who, se, loyalty):
                purses[who] = replace(_purse(purses, who, at), known_at=at, se=se, loyalty=loyalty)
            case r.BalanceKnown(at, who, balance):
                purses[who] = replace(_purse(purses, who, at), balance=balance, seen_at=at)
            case r.LedgerEntry(at, who):
                purse = _purse(purses, who, at)
                purses[who] = replace(purse, entries=(*purse.entries, record))
            case r.ItemKnown(at, who, item):
                purse = _purse(purses, who, at)
                kept = tuple(one for one in purse.items if one.id != item.id)
                purses[who] = replace(purse, items=(*kept, item), items_at=at)
            case r.ItemGone(at, who, gone):
                purse = _purse(purses, who, at)
                purses[who] = replace(purse, items=tuple(one for one in purse.items if one.id != gone))
            case r.RedemptionKept(_, redemption):
                redemptions[redemption.key] = redemption
            case r.Noted(_, key, value):
                notes.pop(key, None) if value is None else notes.update({key: value})
    return r.Restored(
        channels=tuple(channels.values()),
        names=tuple((known.ref.login, known.ref.id) for known in channels.values()),
        purses=tuple(purses.values()),
        redemptions=tuple(redemptions.values()),
        notes=tuple(notes.items()),
    )


def _purse(purses: dict[UserId, r.PurseKept], channel: UserId, at: float) -> r.PurseKept:
    return purses.get(channel) or r.PurseKept(channel, at, None)
