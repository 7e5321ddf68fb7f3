"""A channel's store as you meet it, read back from the memory: for every face that shows stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from allthepoints.base.types import ItemId, Login, UserId
from allthepoints.config.policy import policy
from allthepoints.core.elements import read_key
from allthepoints.core.loyalty import Item
from allthepoints.core.policy import Wish
from allthepoints.core.wishes import eta, find
from allthepoints.storage.read import KnownChannel
from allthepoints.storage.read_points import PointsReader, PointsRow, StoreItem
from allthepoints.views.store import Offer, in_stock
from allthepoints.views.text import name
from allthepoints.views.wishes import bounds

if TYPE_CHECKING:
    from allthepoints.config.settings import Settings


@dataclass(frozen=True, slots=True)
class Shelf:
    """A channel's store, and what you have there. `row` None: nothing is known of points there.

    `read_at`: when it was last read whole, in epoch seconds; None: never."""

    channel: UserId
    login: Login
    who: str
    row: PointsRow | None
    offers: tuple[Offer, ...]
    logins: tuple[Login, ...] = ()
    """All names that the channel ever had: a wish may stand under each."""
    read_at: float | None = None

    @property
    def points(self) -> int | None:
        return None if self.row is None else self.row.points

    @property
    def currency(self) -> str:
        return "" if self.row is None else self.row.currency

    def items(self) -> list[Item]:
        """Those that are there."""
        return [offer.item for offer in self.offers if not offer.gone]

    def affordable(self) -> list[Offer]:
        """What could be had now, but for what only StreamElements knows."""
        return [offer for offer in self.offers if within_reach(offer)]


def within_reach(offer: Offer) -> bool:
    """Whether it could be had now, but for what only StreamElements knows."""
    return offer.affordable and not offer.gone and in_stock(offer.item)


def shelf_of(reader: PointsReader, channel: UserId, settings: Settings) -> Shelf:
    """The store of a channel that is known. Raises StopIteration for one that is not."""
    known = next(found for found in reader.channels() if found.id == channel)
    row = next((row for row in reader.points() if row.channel == channel), None)
    return _shelf(reader.store(channel), known, row, settings, reader.notes())


def shelves(reader: PointsReader, settings: Settings) -> list[Shelf]:
    """All stores that were ever read and have something in them, by login."""
    known = {found.id: found for found in reader.channels()}
    rows, stores, notes = reader.points(), reader.stores(), reader.notes()
    found = (
        _shelf(stores[row.channel], known[row.channel], row, settings, notes)
        for row in rows
        if row.channel in known and row.channel in stores
    )
    return [shelf for shelf in found if shelf.items()]


def wishes_in(items: Mapping[ItemId, Item], logins: Sequence[Login], settings: Settings) -> dict[ItemId, Wish]:
    """Which items of the channel with these logins the config's wishes are about."""
    wishes = (wish for wish in policy(settings).wishes if wish.channel in logins)
    return {item.id: wish for wish in wishes if (item := find(wish, items)) is not None}


def _shelf(
    found: Sequence[StoreItem],
    known: KnownChannel,
    row: PointsRow | None,
    settings: Settings,
    notes: Mapping[str, str],
) -> Shelf:
    there = {one.item.id: one.item for one in found if not one.gone}
    wishes = wishes_in(there, known.logins, settings)
    offers = tuple(_offer(one, row, wishes.get(one.item.id)) for one in found)
    read_at = _time(notes.get(read_key(known.id)))
    return Shelf(known.id, known.login, name(known.display, known.login), row, offers, known.logins, read_at)


def _time(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _offer(found: StoreItem, row: PointsRow | None, wish: Wish | None) -> Offer:
    points, rate = (None, None) if row is None else (row.points, row.rate_per_hour)
    wished, said = wish is not None, "" if wish is None else bounds(wish)
    if points is None:
        return Offer(found.item, wished=wished, gone=found.gone, bounds=said)
    missing = found.item.cost - points
    return Offer(found.item, missing <= 0, eta(missing, rate), wished, found.gone, said)
