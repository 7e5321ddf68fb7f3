"""Store: what can I get? Every item of every store that was read, wishes, and buying."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from starlette.requests import Request

from allthepoints.base.types import ItemId, Login, UserId
from allthepoints.config.edit import WishChange
from allthepoints.config.settings import Settings
from allthepoints.core.elements import read_key
from allthepoints.core.loyalty import Item
from allthepoints.storage.read_points import PointsReader, Price
from allthepoints.views.shelf import Shelf, shelf_of, shelves, within_reach
from allthepoints.views.store import Offer, obtainable
from allthepoints.views.text import clean
from allthepoints.views.web.board import Board
from allthepoints.views.web.pages.drawing import prices
from allthepoints.views.web.pages.kit import Doing, View, fragment, login_in
from allthepoints.views.web.parts import Fragment

SHOWS = (("all", "All"), ("affordable", "Affordable"), ("stock", "In stock"), ("wished", "Wished"))

MOST = 400
"""Items on one page; more is not read by anybody. What is left out is said."""


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
        item = self.item
        found = [
            "subscribers only" if item.subscriber_only else "",
            "asks a question" if item.asks else "",
            "access code" if item.kind == "code" else "",
        ]
        return [note for note in found if note]


async def show(board: Board, request: Request) -> Mapping[str, Any]:
    """The page."""
    query = request.query_params
    chosen, text = query.get("show", "all"), query.get("q", "")[:80]
    only = query.get("channel", "")[:40].lower()
    chosen = chosen if chosen in dict(SHOWS) else "all"
    settings, now = board.settings(), board.now()

    def ask(reader: PointsReader) -> tuple[list[Shelf], Mapping[tuple[UserId, ItemId], tuple[Price, ...]], Any]:
        return shelves(reader, settings), reader.changed_prices(), reader.notes()

    found, changed, notes = await board.read(ask)
    picked = [shelf for shelf in found if only in ("", shelf.login)]
    choices = [choice for choice in choices_of(picked, changed, now) if _passes(choice, chosen, text)]
    one = picked[0] if only and picked else None
    return {
        "choices": choices[:MOST],
        "left_out": max(0, len(choices) - MOST),
        "shelves": found,
        "known": bool(found),
        "one": one,
        "one_read": _number(notes.get(read_key(one.channel))) if one is not None else None,
        "shows": SHOWS,
        "show": chosen,
        "q": text,
        "channel": only,
    }


def choices_of(
    found: Iterable[Shelf], changed: Mapping[tuple[UserId, ItemId], tuple[Price, ...]] | None = None, now: float = 0.0
) -> list[Choice]:
    """All items that are there: wished ones first, then what can be had now, then what comes first."""
    choices = []
    for shelf in found:
        for offer in shelf.offers:
            if not offer.gone:
                history = (changed or {}).get((shelf.channel, offer.item.id), ())
                choices.append(Choice(shelf, offer, history, now))
    return sorted(choices, key=_first)


async def wish(board: Board, form: Mapping[str, str]) -> Fragment:
    """Wish for an item, or take the wish back (`on`: what is wanted, "1" or "0")."""
    login, wanted = login_in(form), form.get("on") == "1"
    settings = board.settings()
    shelf, item = await item_in(board, login, form.get("item", ""), settings)
    if wanted:
        await board.edit([WishChange(login, item.id, remark=clean(item.name))])
    else:
        texts = _texts(await board.fresh_settings(), login, item)
        await board.edit([WishChange(login, text, present=False) for text in texts])
    return fragment(board, "parts/wish.html", login=shelf.login, item=item, wished=wanted)


async def look(board: Board, form: Mapping[str, str]) -> Fragment:
    """Have a channel's store and balance read anew."""
    login = login_in(form)
    await board.ask("look", login)
    return fragment(board, "parts/looking.html", login=login)


async def item_in(board: Board, login: Login, item: str, settings: Settings) -> tuple[Shelf, Item]:
    """An item that is there. Raises ValueError."""

    def ask(reader: PointsReader) -> Shelf | None:
        id_ = reader.named(login)
        return None if id_ is None else shelf_of(reader, id_, settings)

    try:
        shelf = await board.read(ask)
    except StopIteration:
        shelf = None
    found = None if shelf is None else next((one for one in shelf.items() if one.id == item), None)
    if shelf is None or found is None:
        raise ValueError("This item is not in the store any more.")
    return shelf, found


def _texts(settings: Settings, login: Login, item: Item) -> Sequence[str]:
    """How the config's wishes name it."""
    names = {item.id.casefold(), item.name.strip().casefold()}
    return sorted({w.item for w in settings.wish if w.channel == login and w.item.strip().casefold() in names})


def _passes(choice: Choice, show_: str, text: str) -> bool:
    item = choice.item
    if text and text.casefold() not in f"{item.name} {choice.shelf.who} {item.description}".casefold():
        return False
    match show_:
        case "affordable":
            return choice.now
        case "stock":
            return item.enabled and item.on_website and not item.sold_out
        case "wished":
            return choice.offer.wished
        case _:
            return True


def _first(choice: Choice) -> tuple[object, ...]:
    offer, item = choice.offer, choice.item
    open_ = item.enabled and item.on_website and not item.sold_out
    eta = offer.eta_s if offer.eta_s is not None else 1e12
    return not offer.wished, not choice.now, not open_, eta, item.cost, item.name, item.id


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


PAGE = View("/store", "store.html", show)
ACTIONS = {"/wish/{login}/{item}": Doing(wish), "/look/{login}": Doing(look)}
