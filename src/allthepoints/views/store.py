"""A channel's store: its table, and what is said before something is bought."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from allthepoints.core.loyalty import Item
from allthepoints.core.redeem import Reason
from allthepoints.views.columns import Column, table
from allthepoints.views.text import amount, clean, count, duration, number
from allthepoints.views.words import REASONS


@dataclass(frozen=True, slots=True)
class Offer:
    """An item as you meet it. `eta_s`: seconds until you have its price at the present rate; 0 where you have it,
    None where nothing can be said. `gone`: it is not in the store any more. `bounds`: those of a wish that is redeemed
    by itself, in words."""

    item: Item
    affordable: bool = False
    eta_s: float | None = None
    wished: bool = False
    gone: bool = False
    bounds: str = ""

    @property
    def cooldown(self) -> float:
        """Seconds after a redemption of yours until you may have it again."""
        return max(self.item.cooldown_user, self.item.cooldown_global)


def in_stock(item: Item) -> bool:
    """Whether the store would hand it out now, to who has its price: what every "in stock" means."""
    return item.enabled and item.on_website and not item.sold_out


@dataclass(frozen=True, slots=True)
class Filled:
    """What the person answered to an item's questions, and the message beside it."""

    answers: tuple[str, ...] = ()
    message: str = ""

    def pairs(self, item: Item) -> list[tuple[str, str]]:
        """Each question with its answer."""
        return list(zip(item.asks, self.answers, strict=False))


COLUMNS = (
    Column("", keep=4),
    Column("channel", keep=6, flexible=True),
    Column("item", keep=9, flexible=True),
    Column("cost", keep=8, right=True),
    Column("when", keep=7),
    Column("stock", keep=5, right=True),
    Column("cooldown", keep=2, right=True),
    Column("notes", keep=3, flexible=True),
)
"""Where the terminal is narrow, they go in this order: cooldown, notes, the mark of a wish, stock, channel."""

WISHED, WISHED_PLAIN = "★", "*"


def store_lines(offers: Sequence[Offer], points: int | None, width: int | None, ascii_only: bool = False) -> list[str]:
    """The table, cheapest first, those that are gone last. `points`: what you have."""
    return table(COLUMNS, [offer_cells(offer, points, ascii_only) for offer in in_order(offers)], width)


def in_order(offers: Iterable[Offer]) -> list[Offer]:
    """Cheapest first, those that are gone last."""
    return sorted(offers, key=lambda offer: (offer.gone, offer.item.cost, offer.item.name, offer.item.id))


def obtainable(offer: Offer, points: int | None) -> str:
    """When it can be had: `now`, `in about 3 h 20 min`, or what stands in the way."""
    item = offer.item
    if offer.gone:
        return "gone"
    if not item.enabled:
        return "turned off"
    if item.sold_out:
        return "sold out"
    if not item.on_website:
        return "in chat only"
    if offer.affordable:
        return "now"
    if offer.eta_s is not None:
        return f"in about {duration(offer.eta_s)}"
    return "" if points is None else f"{number(item.cost - points)} missing"


def proposal(
    item: Item, channel: str, currency: str, points: int | None, filled: Filled, *, dry: bool = False
) -> list[str]:
    """What is said before a yes: the price, what is left afterwards, what it asks, and that it cannot be undone.

    `dry`: nothing is going to be sent.
    """
    lines = [f"{clean(item.name)}, in {channel}'s store", f"  price    {amount(item.cost, currency)}"]
    lines.append(f"  balance  {_balance(item, currency, points)}")
    lines += [f"  note     {note}" for note in _notes(item)]
    lines += [f"  answer   {_asked(asked)} {clean(answer)}" for asked, answer in filled.pairs(item)]
    if filled.message:
        lines.append(f"  message  {clean(filled.message)}")
    return lines if dry else [*lines, "It cannot be undone."]


def _asked(text: str) -> str:
    """A question before its answer."""
    asked = clean(text).rstrip()
    return asked if asked.endswith(("?", ":", "!", ".")) else f"{asked}:"


def question(item: Item, currency: str) -> str:
    """What a yes is asked for."""
    return f"Spend {amount(item.cost, currency)} on {clean(item.name)}?"


def _balance(item: Item, currency: str, points: int | None) -> str:
    if points is None:
        return "not known; it is read before anything is sent"
    if points < item.cost:
        return f"{amount(points, currency)}, which is {number(item.cost - points)} too few"
    return f"{amount(points, currency)}, of which {number(points - item.cost)} are left afterwards"


def against(item: Item) -> list[str]:
    """What may speak against buying it. Whether it does, only StreamElements knows."""
    found = [
        (not item.enabled, REASONS[Reason.DISABLED]),
        (item.sold_out, REASONS[Reason.SOLD_OUT]),
        (not item.on_website, "it can be had in the chat only, where this program never writes"),
        (item.subscriber_only, "for subscribers only"),
    ]
    return [text for holds, text in found if holds]


def _notes(item: Item) -> list[str]:
    """All that is worth knowing before it is bought."""
    notes = against(item)
    if item.stock is not None and not item.sold_out:
        notes.append(f"{number(item.stock)} left")
    if item.cooldown_user:
        notes.append(f"once in {duration(item.cooldown_user)} for each viewer")
    if item.cooldown_global:
        notes.append(f"once in {duration(item.cooldown_global)} for everyone together")
    return notes


def traits(item: Item) -> list[str]:
    """What an item is like, in a few words each."""
    found = [
        (item.subscriber_only, "subscribers"),
        (bool(item.asks), f"asks {count(len(item.asks), 'question')}"),
        (item.kind == "code", "access code"),
    ]
    return [text for holds, text in found if holds]


def offer_cells(offer: Offer, points: int | None, ascii_only: bool, who: str = "") -> tuple[str, ...]:
    """A line of the table. `who`: the channel, where several channels' items stand in it."""
    item = offer.item
    return (
        (WISHED_PLAIN if ascii_only else WISHED) if offer.wished else "",
        who,
        clean(item.name) or item.id,
        number(item.cost),
        obtainable(offer, points),
        "" if item.stock is None else number(max(0, item.stock)),
        duration(offer.cooldown) if offer.cooldown else "",
        ", ".join(traits(item)),
    )
