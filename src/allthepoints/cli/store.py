"""`store`: what can I get? One channel's store, read anew; or which stores are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from allthepoints.base.errors import NotSent, Refused, UsageError
from allthepoints.base.types import JSON, ItemId, Login, UserId
from allthepoints.cli import output
from allthepoints.cli.fresh import LOOK_WITHIN, look
from allthepoints.cli.here import Here, here, login_of
from allthepoints.cli.known import channel_named, zone_in
from allthepoints.cli.options import AsJson
from allthepoints.config.policy import policy
from allthepoints.core.loyalty import Item
from allthepoints.core.wishes import eta, find
from allthepoints.storage.read_points import PointsReader, PointsRow, StoreItem
from allthepoints.views.columns import Column, table
from allthepoints.views.store import Offer, store_lines
from allthepoints.views.text import amount, count, name, number, when

if TYPE_CHECKING:
    from allthepoints.config.settings import Settings

NOTHING = """No store is known yet.

`allthepoints store CHANNEL` reads one; those of channels with a wish are read by themselves."""


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
        output.say_json([as_plain(offer) for offer in sorted(offers, key=lambda offer: offer.item.cost)])
        return
    _show(where, shelf, offers)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A channel's store, and what you have there. `row` None: nothing is known of points there."""

    channel: UserId
    login: Login
    who: str
    row: PointsRow | None
    offers: tuple[Offer, ...]

    @property
    def points(self) -> int | None:
        return None if self.row is None else self.row.points

    @property
    def currency(self) -> str:
        return "" if self.row is None else self.row.currency

    def items(self) -> list[Item]:
        """Those that are there."""
        return [offer.item for offer in self.offers if not offer.gone]


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
    return _shelf(where, PointsReader(where.data.database), looked.channel)


def known_shelf(where: Here, text: str) -> Shelf:
    """The same as it is known, without asking. Raises UsageError."""
    reader = PointsReader(where.data.database)
    return _shelf(where, reader, channel_named(reader, text))


def as_plain(offer: Offer) -> dict[str, JSON]:
    """An item as the contract has it."""
    item = offer.item
    return {
        "id": item.id,
        "name": item.name,
        "cost": item.cost,
        "stock": item.stock,
        "cooldown_s": int(offer.cooldown),
        "subscriber_only": item.subscriber_only,
        "asks": list(item.asks),
        "affordable": offer.affordable,
        "eta_s": None if offer.eta_s is None else int(offer.eta_s),
        "wished": offer.wished,
        "enabled": item.enabled,
        "gone": offer.gone,
        "kind": item.kind,
        "takes_message": item.takes_message,
        "on_website": item.on_website,
    }


def wished_in(items: Mapping[ItemId, Item], logins: Sequence[Login], settings: Settings) -> set[ItemId]:
    """Which items of the channel with these logins the config's wishes are about."""
    wishes = (wish for wish in policy(settings).wishes if wish.channel in logins)
    return {item.id for wish in wishes if (item := find(wish, items)) is not None}


def _shelf(where: Here, reader: PointsReader, channel: UserId) -> Shelf:
    known = next(found for found in reader.channels() if found.id == channel)
    row = next((row for row in reader.points() if row.channel == channel), None)
    found = reader.store(channel)
    there = {one.item.id: one.item for one in found if not one.gone}
    wished = wished_in(there, known.logins, where.load().settings)
    offers = tuple(_offer(one, row, one.item.id in wished) for one in found)
    return Shelf(channel, known.login, name(known.display, known.login), row, offers)


def _offer(found: StoreItem, row: PointsRow | None, wished: bool) -> Offer:
    points, rate = (None, None) if row is None else (row.points, row.rate_per_hour)
    if points is None:
        return Offer(found.item, wished=wished, gone=found.gone)
    missing = found.item.cost - points
    return Offer(found.item, missing <= 0, eta(missing, rate), wished, found.gone)


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
    shelves = [shelf for row in reader.points() if (shelf := _shelf(where, reader, row.channel)).items()]
    if as_json:
        output.say_json([_summary(shelf) for shelf in shelves])
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
    rows = [_cells(shelf) for shelf in sorted(shelves, key=lambda shelf: (-len(_affordable(shelf)), shelf.login))]
    for line in table(columns, rows, output.width()):
        output.say(line)
    output.say()
    output.say(
        f"{count(len(shelves), 'store')} known, each as it was last read; `allthepoints store CHANNEL` reads one anew."
    )


def _affordable(shelf: Shelf) -> list[Offer]:
    """What could be had now, but for what only StreamElements knows."""
    return [
        offer
        for offer in shelf.offers
        if offer.affordable
        and not offer.gone
        and offer.item.enabled
        and offer.item.on_website
        and not offer.item.sold_out
    ]


def _cells(shelf: Shelf) -> tuple[str, ...]:
    wished = sum(offer.wished and not offer.gone for offer in shelf.offers)
    return (
        shelf.who,
        "" if shelf.points is None else number(shelf.points),
        number(len(shelf.items())),
        number(len(_affordable(shelf))),
        number(wished) if wished else "",
    )


def _summary(shelf: Shelf) -> dict[str, JSON]:
    return {
        "channel": shelf.login,
        "id": shelf.channel,
        "currency": shelf.currency,
        "points": shelf.points,
        "items": len(shelf.items()),
        "affordable": len(_affordable(shelf)),
        "wished": sum(offer.wished and not offer.gone for offer in shelf.offers),
    }


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
