"""Store: what can I get? The items of all channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from allthepoints.views.columns import fit, table
from allthepoints.views.prices import price_before, read_when
from allthepoints.views.shelf import Shelf, within_reach
from allthepoints.views.store import COLUMNS, Offer, in_stock, offer_cells
from allthepoints.views.terminal.doing import ItemDoing
from allthepoints.views.terminal.listing import Row, folded
from allthepoints.views.terminal.page import Frame, Keys, found
from allthepoints.views.terminal.seen import Seen, Wanted
from allthepoints.views.text import amount, clean, count, number

Entry = tuple[Shelf, Offer]

ALL, AFFORDABLE, IN_STOCK, WISHED = range(4)
FILTERS = ("all", "affordable", "in stock", "wished")

NOTHING = (
    "No store is known yet.",
    "",
    "Those of channels with a wish are read by themselves. Another one is read when you open its channel (1, Enter) "
    "and press `u`.",
)


class StorePage(ItemDoing):
    """The second page."""

    PLACE = "store"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "filter", show=False),
        Binding("a", "only(1)", show=False),
        Binding("i", "only(2)", show=False),
        Binding("v", "only(3)", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.filter = ALL
        self.total = 0
        self.entries: dict[str, Entry] = {}
        """Those that are shown."""

    @property
    def wanted(self) -> Wanted:
        return Wanted(stores=True)

    def offered(self) -> Entry | None:
        key = self.listing.key
        return self.entries.get(str(key)) if key is not None else None

    def shown(self, seen: Seen) -> list[Entry]:
        """The items that are meant: wished ones first, then what can be had now, then what comes soonest."""
        entries = [entry for entry in _entries(seen) if _passes(entry[1], self.filter)]
        if self.sought:
            entries = [entry for entry in entries if found(self.sought, *_texts(*entry))]
        return sorted(entries, key=_rank)

    def lay(self, frame: Frame) -> tuple[Sequence[Row], Sequence[Row]]:
        seen = frame.seen
        if seen.shelves is None:
            return (), [Row("Reading.")]
        key = (seen.shelves, frame.width, self.filter, self.sought)
        return self.laid(key, lambda: self._lay(seen, frame.width))

    def _lay(self, seen: Seen, width: int) -> tuple[Sequence[Row], Sequence[Row]]:
        self.total = len(_entries(seen))
        entries = self.shown(seen)
        self.entries = {_key(entry): entry for entry in entries}
        if not entries:
            return (), [Row(line) for text in self._empty(seen) for line in folded(text, width)]
        ascii_only = self.face.ascii_only
        cells = [offer_cells(offer, shelf.points, ascii_only, shelf.who) for shelf, offer in entries]
        title, *lines = table(COLUMNS, cells, width)
        return [Row(title, "dim")], [
            Row(line, "" if within_reach(entry[1]) else "dim", key=_key(entry))
            for line, entry in zip(lines, entries, strict=True)
        ]

    def remarks(self, frame: Frame) -> Sequence[Row]:
        seen, width, rows = frame.seen, frame.width, []
        if (chosen := self.offered()) is not None:
            about = folded(_about(*chosen, seen), width)
            most = max(1, frame.told // 2)
            kept = about if len(about) <= most else [*about[: most - 1], fit(" ".join(about[most - 1 :]), width)]
            rows += [Row(line) for line in kept]
        return [*rows, Row(fit(self._foot(seen), width), "dim")]

    def keys(self) -> Keys:
        keys = [("r", "redeem"), ("w", "wish"), ("h", "prices")] if self.offered() is not None else []
        return [*keys, ("f", "filter"), ("/", "find"), ("a", "affordable"), ("i", "in stock"), ("v", "wished")]

    def _foot(self, seen: Seen) -> str:
        what = count(len(self.entries), "item")
        parts = [f"{what} of {number(self.total)}" if self.filter or self.sought else what]
        if self.filter:
            parts.append(FILTERS[self.filter])
        if self.sought:
            parts[0] += f" with {clean(self.sought)!r}"
        parts.append(count(len(seen.shelves or ()), "store"))
        return "; ".join([*parts, *filter(None, [self.place])])

    def _empty(self, seen: Seen) -> Sequence[str]:
        if not _entries(seen):
            return NOTHING
        if self.sought:
            return (f"No item has {clean(self.sought)!r} in it. Escape shows all again.",)
        soonest = min(
            ((offer.eta_s, shelf, offer) for shelf, offer in _entries(seen) if offer.eta_s), default=None, key=_soon
        )
        if self.filter == AFFORDABLE and soonest is not None:
            _, shelf, offer = soonest
            cells = offer_cells(offer, shelf.points, self.face.ascii_only)
            return (
                "Nothing can be had now.",
                "",
                f"First comes {clean(offer.item.name)} in {shelf.who}'s store, {cells[4]}.",
            )
        return (f"No item is {FILTERS[self.filter]}. `f` goes on to the next filter.",)

    def action_filter(self) -> None:
        self.action_only((self.filter + 1) % len(FILTERS))

    def action_only(self, which: int) -> None:
        self.filter = ALL if which == self.filter else which
        self.lay_out()

    def on_listing_chosen(self) -> None:
        self.action_redeem()


def _entries(seen: Seen) -> list[Entry]:
    return [(shelf, offer) for shelf in seen.shelves or () for offer in shelf.offers if not offer.gone]


def _key(entry: Entry) -> str:
    shelf, offer = entry
    return f"{shelf.channel} {offer.item.id}"


def _passes(offer: Offer, which: int) -> bool:
    if which == AFFORDABLE:
        return within_reach(offer)
    if which == IN_STOCK:
        return in_stock(offer.item)
    return offer.wished if which == WISHED else True


def _rank(entry: Entry) -> tuple[object, ...]:
    shelf, offer = entry
    item = offer.item
    there = in_stock(item)
    soon = offer.eta_s if offer.eta_s is not None else float("inf")
    return not offer.wished, not within_reach(offer), not there, soon, item.cost, shelf.login, item.name, item.id


def _soon(one: tuple[float | None, Shelf, Offer]) -> float:
    return one[0] or 0.0


def _texts(shelf: Shelf, offer: Offer) -> tuple[str, ...]:
    return shelf.login, shelf.who, offer.item.name, offer.item.description


def _about(shelf: Shelf, offer: Offer, seen: Seen) -> str:
    """The item that is chosen, in words."""
    item = offer.item
    texts = [f"{clean(item.name) or item.id}."]
    if described := clean(item.description):
        texts.append(described if described.endswith((".", "!", "?")) else f"{described}.")
    texts.append(price_before(seen.prices.get((shelf.channel, item.id), ()), seen.at, seen.zone))
    if shelf.points is not None:
        texts.append(f"You have {amount(shelf.points, shelf.currency)} in {shelf.who}.")
    if read := read_when(shelf, seen.at, seen.zone):
        texts.append(f"Read: {read}.")
    return " ".join(text for text in texts if text)
