"""Store: what can I get? Every item of every store that was read, wishes, and buying."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from markupsafe import Markup
from starlette.requests import Request

from allthepoints.base.types import ItemId, Login, UserId
from allthepoints.config.edit import WishChange
from allthepoints.config.settings import Settings, Wish
from allthepoints.core.loyalty import Item
from allthepoints.storage.read_points import PointsReader, Price
from allthepoints.views.shelf import Shelf, shelf_of, shelves, within_reach
from allthepoints.views.store import Offer, in_stock, obtainable, traits
from allthepoints.views.text import clean
from allthepoints.views.web.board import Board
from allthepoints.views.web.change import Change
from allthepoints.views.web.pages.drawing import prices
from allthepoints.views.web.pages.kit import Doing, View, fragment, login_in, piece
from allthepoints.views.web.pages.pushed import Look, Part, topics
from allthepoints.views.web.parts import Fragment

SHOWS = (("all", "All"), ("affordable", "Affordable"), ("stock", "In stock"), ("wished", "Wished"))

MOST = 400
"""Items on one page; more is not read by anybody. What is left out is said."""


Changed = Mapping[tuple[UserId, ItemId], tuple[Price, ...]]
"""Prices over time, of items that ever cost something else."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One item, in its channel's store."""

    shelf: Shelf
    offer: Offer
    history: tuple[Price, ...] = ()
    at: float = 0.0

    @property
    def item(self) -> Item:
        return self.offer.item

    @property
    def when(self) -> str:
        return obtainable(self.offer, self.shelf.points)

    @property
    def now(self) -> bool:
        return within_reach(self.offer)

    @property
    def was(self) -> Price | None:
        """The price before this one."""
        return self.history[-2] if len(self.history) > 1 else None

    @property
    def drawn(self) -> Markup:
        """The price, as a small picture."""
        return prices(self.history, self.at)

    @property
    def notes(self) -> list[str]:
        return traits(self.item)

    @property
    def mark(self) -> object:
        """As long as it is the same, the item looks the same."""
        return self.item, self.when, self.now, self.offer.wished, self.offer.bounds, self.history


async def show(board: Board, request: Request) -> Mapping[str, Any]:
    """The page."""
    query = request.query_params
    chosen, text = query.get("show", "all"), query.get("q", "")[:80]
    only = query.get("channel", "")[:40].lower()
    chosen = chosen if chosen in dict(SHOWS) else "all"
    settings, now = board.settings(), board.now()

    found, changed = await board.read(lambda reader: (shelves(reader, settings), reader.changed_prices()))
    picked = [shelf for shelf in found if only in ("", shelf.login)]
    everything = choices_of(picked, changed, now)
    choices = [choice for choice in everything if _passes(choice, chosen, text)]
    one = picked[0] if only and picked else None
    return {
        "choices": choices[:MOST],
        "left_out": max(0, len(choices) - MOST),
        "shelves": found,
        "known": bool(found),
        "soonest": _soonest(choice for choice in everything if _passes(choice, "all", text)),
        "one": one,
        "shows": SHOWS,
        "show": chosen,
        "q": text,
        "channel": only,
    }


async def look(board: Board, change: Change, _subject: str) -> Look | None:
    """How the page looks now, whatever of it somebody chose to see."""
    if not topics(board).concerned("store", change, change.rows, change.head, change.read, change.events):
        return None
    settings, now = board.settings(), board.now()
    found, changed = await board.read(lambda reader: (shelves(reader, settings), reader.changed_prices()))
    return await asyncio.to_thread(
        lambda: Look([*item_parts(board, choices_of(found, changed, now)), *_purses(board, found)])
    )


def item_parts(board: Board, choices: Sequence[Choice]) -> list[Part]:
    """A part for each item; and which items there are in which filter, for that moves them."""
    rows = [Part(f"{one.shelf.login} {one.item.id}", one.mark, _drawing(board, one), bulk=True) for one in choices]
    there = frozenset((one.shelf.login, one.item.id, one.now, in_stock(one.item), one.offer.wished) for one in choices)
    return [*rows, Part.stale("items", there)]


def _purses(board: Board, found: Iterable[Shelf]) -> Iterable[Part]:
    for shelf in found:
        mark = shelf.who, shelf.points, shelf.currency, shelf.read_at
        yield Part(f"purse {shelf.login}", mark, partial(piece, board, "parts/purse.html", one=shelf), bulk=True)


def _drawing(board: Board, choice: Choice) -> Callable[[], str]:
    return lambda: piece(board, "parts/item.html", choice=choice)


def choices_of(found: Iterable[Shelf], changed: Changed | None = None, now: float = 0.0) -> list[Choice]:
    """All items that are there: wished ones first, then what can be had now, then what comes first."""
    choices = []
    for shelf in found:
        for offer in shelf.offers:
            if not offer.gone:
                history = (changed or {}).get((shelf.channel, offer.item.id), ())
                choices.append(Choice(shelf, offer, history, now))
    return sorted(choices, key=_first)


async def wish(board: Board, form: Mapping[str, str]) -> Fragment:
    """Wish for an item, or take the wish back (`on`: what is wanted, "1" or "0").

    The bounds of one that is redeemed by itself go with it: that must be meant (`sure`).
    """
    login, wanted = login_in(form), form.get("on") == "1"
    shelf, item = await item_in(board, login, form.get("item", ""), board.settings())
    if wanted:
        await board.edit([WishChange(login, item.id, remark=clean(item.name))])
    else:
        made = _made_of(await board.fresh_settings(), shelf, item)
        if any(one.auto for one in made) and form.get("sure") != "1":
            raise ValueError(
                "This wish is redeemed by itself, within bounds that would go with it. Take it back in Settings."
            )
        await board.edit([WishChange(one.channel, one.item, present=False) for one in made])
    return fragment(board, "parts/wish.html", login=shelf.login, item=item, wished=wanted, bounds="")


async def look_anew(board: Board, form: Mapping[str, str]) -> Fragment:
    """Have a channel's store and balance read anew."""
    login = login_in(form)
    await board.ask("look", login)
    return fragment(board, "parts/looking.html", login=login)


async def item_in(board: Board, login: Login, item: str, settings: Settings) -> tuple[Shelf, Item]:
    """An item that is there. Raises ValueError."""

    def ask(reader: PointsReader) -> Shelf | None:
        id_ = reader.named(login)
        try:
            return None if id_ is None else shelf_of(reader, id_, settings)
        except StopIteration:
            return None

    shelf = await board.read(ask)
    found = None if shelf is None else next((one for one in shelf.items() if one.id == item), None)
    if shelf is None or found is None:
        raise ValueError("This item is not in the store any more.")
    return shelf, found


def _made_of(settings: Settings, shelf: Shelf, item: Item) -> Sequence[Wish]:
    """How the config wishes for it."""
    names = {item.id.casefold(), item.name.strip().casefold()}
    return [
        w for w in settings.wish if w.channel in (shelf.login, *shelf.logins) and w.item.strip().casefold() in names
    ]


def _passes(choice: Choice, show_: str, text: str) -> bool:
    item = choice.item
    if text and text.casefold() not in f"{item.name} {choice.shelf.who} {item.description}".casefold():
        return False
    match show_:
        case "affordable":
            return choice.now
        case "stock":
            return in_stock(item)
        case "wished":
            return choice.offer.wished
        case _:
            return True


def _soonest(choices: Iterable[Choice]) -> Choice | None:
    """What can be had first, of what cannot be had now."""
    waiting = [(choice.offer.eta_s, choice) for choice in choices if choice.offer.eta_s is not None and not choice.now]
    return min(waiting, key=lambda one: one[0])[1] if waiting else None


def _first(choice: Choice) -> tuple[object, ...]:
    offer, item = choice.offer, choice.item
    eta = offer.eta_s if offer.eta_s is not None else 1e12
    return not offer.wished, not choice.now, not in_stock(item), eta, item.cost, item.name, item.id


PAGE = View("/store", "store.html", show)
ACTIONS = {"/wish/{login}/{item}": Doing(wish), "/look/{login}": Doing(look_anew)}
