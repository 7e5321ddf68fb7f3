"""`store`: what can I get? One channel's store, read anew; or which stores are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from allthepoints.base.errors import NotSent, Refused, UsageError
from allthepoints.cli import output
from allthepoints.cli.fresh import LOOK_WITHIN, look
from allthepoints.cli.here import Here, here, login_of
from allthepoints.cli.known import channel_named, zone_in
from allthepoints.cli.options import AsJson
from allthepoints.core.loyalty import Item
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.columns import Column, table
from allthepoints.views.plain import Field, Shape, offer_plain, same
from allthepoints.views.shelf import Shelf, shelf_of
from allthepoints.views.shelf import shelves as known_shelves
from allthepoints.views.store import Offer, store_lines
from allthepoints.views.text import amount, count, number, when

NOTHING = """No store is known yet.

`allthepoints store CHANNEL` reads one; those of channels with a wish are read by themselves."""


def _wished(shelf: Shelf) -> int:
    return sum(offer.wished and not offer.gone for offer in shelf.offers)


STORE: Shape[Shelf] = Shape(
    "A known store",
    "`store --json`: a list",
    (
        Field("channel", "str", "The login.", lambda shelf: shelf.login),
        Field("id", "str", "Twitch's id.", lambda shelf: shelf.channel),
        same("currency", "str", "What the channel calls its points; may be empty."),
        same("points", "int|null", "Your balance there."),
        Field("items", "int", "How many items it has.", lambda shelf: len(shelf.items())),
        Field("affordable", "int", "How many of them your balance reaches.", lambda shelf: len(shelf.affordable())),
        Field("wished", "int", "How many of them you wish for.", _wished),
    ),
)


def store(
    context: typer.Context,
    channel: Annotated[str | None, typer.Argument(metavar="[CHANNEL]", help="Whose store.")] = None,
    cached: Annotated[
        bool, typer.Option("--cached", help="Show what is known, without asking StreamElements.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Show items too that are not there any more.")] = False,
    as_json: AsJson = False,
) -> None:
    """What can I get? A channel's store with what you can afford now, or when; without CHANNEL: the stores known."""
    where = here(context)
    if channel is None:
        _stores(where, as_json)
        return
    shelf = known_shelf(where, channel) if cached else read_shelf(where, channel)
    offers = [offer for offer in shelf.offers if everything or not offer.gone]
    if as_json:
        output.say_json([offer_plain(offer) for offer in sorted(offers, key=lambda offer: offer.item.cost)])
        return
    _show(where, shelf, offers)


def read_shelf(where: Here, text: str) -> Shelf:
    """The store of the channel that a person named, read anew.

    Raises UsageError, Refused (StreamElements has no such channel), NotSent (it does not answer).
    """
    login = login_of(text)
    looked = look(where, login)
    if looked.nowhere:
        raise Refused(f"StreamElements has no channel {login}", 404)
    if looked.channel is None or not looked.fresh:
        raise NotSent(
            f"{login}'s store could not be read at StreamElements within {LOOK_WITHIN:.0f} s",
            "`allthepoints status` tells what is wrong; `--cached` shows what was known before.",
        )
    return shelf_of(PointsReader(where.data.database), looked.channel, where.load().settings)


def known_shelf(where: Here, text: str) -> Shelf:
    """The same as it is known, without asking. Raises UsageError."""
    reader = PointsReader(where.data.database)
    return shelf_of(reader, channel_named(reader, text), where.load().settings)


def _show(where: Here, shelf: Shelf, offers: Sequence[Offer]) -> None:
    now = where.now()
    seen = shelf.row.seen_at if shelf.row is not None else None
    have = (
        f"You have {amount(shelf.points, shelf.currency)}" if shelf.points is not None else "What you have is not known"
    )
    output.say(
        f"{shelf.who}'s store. {have}{f' (read {when(seen, now, zone_in(where))})' if seen is not None else ''}."
    )
    output.say()
    if not offers:
        output.say("There is nothing in it.")
        return
    for line in store_lines(offers, shelf.points, output.width(), output.ascii_only()):
        output.say(line)


# -- all stores ----------------------------------------------------------------------------------------------------
def _stores(where: Here, as_json: bool) -> None:
    reader = PointsReader(where.data.database)
    shelves = known_shelves(reader, where.load().settings)
    if as_json:
        output.say_json([STORE.of(shelf) for shelf in shelves])
        return
    if not shelves:
        output.say(NOTHING)
        return
    columns = (
        Column("channel", keep=4, flexible=True),
        Column("points", keep=3, right=True),
        Column("items", keep=1, right=True),
        Column("affordable", keep=2, right=True),
        Column("wished", right=True),
    )
    rows = [_cells(shelf) for shelf in sorted(shelves, key=lambda shelf: (-len(shelf.affordable()), shelf.login))]
    for line in table(columns, rows, output.width()):
        output.say(line)
    output.say()
    output.say(
        f"{count(len(shelves), 'store')} known, each as it was last read; `allthepoints store CHANNEL` reads one anew."
    )


def _cells(shelf: Shelf) -> tuple[str, ...]:
    wished = _wished(shelf)
    return (
        shelf.who,
        "" if shelf.points is None else number(shelf.points),
        number(len(shelf.items())),
        number(len(shelf.affordable())),
        number(wished) if wished else "",
    )


def item_named(shelf: Shelf, text: str) -> Item:
    """The item that a person named by its id or its name. Raises UsageError, with the ids where several would do."""
    wanted, items = text.strip(), shelf.items()
    for found in (
        [item for item in items if item.id == wanted],
        [item for item in items if item.name.strip() == wanted],
        [item for item in items if item.name.strip().casefold() == wanted.casefold()],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(f"{item.id} ({number(item.cost)})" for item in found)
            raise UsageError(
                f"{shelf.who}'s store has {len(found)} items called {text!r}", f"Name one by its id: {ids}."
            )
    raise UsageError(f"{shelf.who}'s store has no item {text!r}{_near(wanted, items)}", _what_there_is(shelf))


def _near(wanted: str, items: Sequence[Item]) -> str:
    from difflib import get_close_matches

    names = {item.name.strip().casefold(): item.name.strip() for item in items}
    near = get_close_matches(wanted.casefold(), names, n=1)
    return f"; did you mean {names[near[0]]!r}?" if near else ""


def _what_there_is(shelf: Shelf) -> str:
    return f"`allthepoints store {shelf.login}` lists {count(len(shelf.items()), 'item')}."
