"""Buying: what is said before a yes, the yes, and how it ends. What is sent, and that it is sent once, is decided by
the service (`core/redeem.py`); a page has a key of its own, so that two clicks are one redemption."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request

from allthepoints.base.clock import new_key
from allthepoints.core.loyalty import Item
from allthepoints.core.redeem import FINAL, Redemption, State
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.intent import Intent
from allthepoints.views.redemptions import outcome_lines
from allthepoints.views.store import Filled, against, question
from allthepoints.views.text import amount, clean, name
from allthepoints.views.web.board import Board
from allthepoints.views.web.pages.kit import Doing, View, fragment, login_in, login_in_path
from allthepoints.views.web.pages.store import item_in
from allthepoints.views.web.parts import Fragment, NotFound
from allthepoints.views.words import REDEMPTIONS, told

KEY = re.compile(r"[0-9a-zA-Z_-]{8,64}\Z")

LONGEST = 500
"""Letters of an answer or a message."""


async def propose(board: Board, request: Request) -> Mapping[str, Any]:
    """The dialog: price, balance, what is left, what it asks, and that it cannot be undone."""
    login = login_in_path(request)
    try:
        shelf, item = await item_in(board, login, request.path_params["item"], board.settings())
    except ValueError as error:
        raise NotFound(str(error)) from None
    return {
        "shelf": shelf,
        "item": item,
        "key": new_key(),
        "button": f"Spend {amount(item.cost, shelf.currency)}",
        "left": None if shelf.points is None else shelf.points - item.cost,
        "question": question(item, shelf.currency),
        "against": [f"{text[:1].upper()}{text[1:]}." for text in against(item)],
        "balance_at": None if shelf.row is None else shelf.row.seen_at,
    }


async def redeem(board: Board, form: Mapping[str, str]) -> Fragment:
    """The yes. `cost`: the price that was read; `answer`: one for each question."""
    login, key = login_in(form), form.get("key", "")
    if not KEY.match(key):
        raise ValueError("This form is damaged. Open it again.")
    shelf, item = await item_in(board, login, form.get("item", ""), board.settings())
    filled = _filled(item, form)
    cost = form.get("cost", "")
    if not (cost.isascii() and cost.isdecimal() and len(cost) < 12):
        raise ValueError("This form is damaged. Open it again.")
    intent = Intent(shelf.channel, login, replace(item, cost=int(cost)), filled, board.now(), key=key)
    await board.ask("redeem", login, intent.data)
    return fragment(board, "parts/outcome.html", **_outcome(intent.asked, shelf.who, shelf.currency, found=False))


async def follow(board: Board, request: Request) -> Mapping[str, Any]:
    """How it ends; asked again and again until it is settled."""
    key = request.path_params["key"]

    def ask(reader: PointsReader) -> tuple[Redemption, str, str] | None:
        found = reader.redemption(key)
        if found is None:
            return None
        names = {channel.id: name(channel.display, channel.login) for channel in reader.channels()}
        rows = {row.channel: row.currency for row in reader.points()}
        return found, names.get(found.channel, found.login), rows.get(found.channel, "")

    found = await board.read(ask) if KEY.match(key) else None
    if found is None:
        return {"outcome": None, "key": key if KEY.match(key) else "", "settled": False}
    return _outcome(*found, found=True)


def _outcome(redemption: Redemption, who: str, currency: str, *, found: bool) -> dict[str, Any]:
    lines = outcome_lines(redemption, who, currency)
    if redemption.state is State.UNKNOWN:
        lines = [*lines[:1], "It is not sent again. Your redemptions and your balance are read until it is certain."]
    return {
        "outcome": redemption,
        "key": redemption.key,
        "who": who,
        "lines": [clean(line) for line in lines],
        "word": told(REDEMPTIONS, redemption.state) if found else "handed to the service",
        "code": redemption.code if redemption.state is State.ACCEPTED else None,
        "settled": redemption.state in FINAL,
    }


def _filled(item: Item, form: Mapping[str, str]) -> Filled:
    """Raises ValueError with what misses."""
    given = form.get("answer", "")
    answers = tuple(text.strip()[:LONGEST] for text in given.split("\n")) if item.asks else ()
    if len(answers) != len(item.asks) or not all(answers):
        raise ValueError("Every question of the item wants an answer.")
    return Filled(answers, form.get("message", "").strip()[:LONGEST] if item.takes_message else "")


PAGES = {
    "redeem": View("/redeem/{login}/{item}", "redeem.html", propose),
    "redemption": View("/redemption/{key}", "redemption.html", follow),
}
ACTIONS = {"/redeem/{login}/{item}": Doing(redeem)}
