"""Pages on which a channel, or an item of a store, can be chosen and something be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from allthepoints.base.errors import AllThePointsError
from allthepoints.ports import ChannelRow
from allthepoints.views.prices import price_before, price_lines
from allthepoints.views.shelf import Shelf
from allthepoints.views.store import Offer
from allthepoints.views.terminal.page import Page
from allthepoints.views.terminal.seen import Seen
from allthepoints.views.terminal.sure import SurePage
from allthepoints.views.text import clean, name
from allthepoints.views.wishes import bounds, wish_command

if TYPE_CHECKING:
    from allthepoints.core.policy import Wish


class ChannelDoing(Page):
    """`p` and `t` on the channel that is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", show=False),
        Binding("t", "retry", show=False),
    ]

    def chosen(self) -> ChannelRow | None:
        """The channel."""
        raise NotImplementedError

    def action_pause(self) -> None:
        if (row := self.chosen()) is None:
            return
        who, pausing = name(row.display, row.login), row.login not in self.face.seen.paused
        taken_up = " The service leaves its chat by itself." if pausing else " The service takes it up by itself."
        done = f"{who} is paused." if pausing else f"{who} is not paused any more."
        self.face.do(
            lambda: self.face.asks.pause(row.login, pausing),
            f"{done}{taken_up if self.face.seen.report.running else ''}",
        )

    def action_retry(self) -> None:
        if (row := self.chosen()) is None:
            return
        who = name(row.display, row.login)
        if row.state != "refused":
            self.face.tell(f"{who}'s chat is not closed to you.")
            return
        again = "is asked again" if self.face.seen.report.running else "is asked again when the service starts"
        self.face.do(lambda: self.face.asks.retry(row.login), f"{who}'s chat {again}.")


class ItemDoing(Page):
    """`w` and `r` on the item that is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "wish", show=False),
        Binding("r", "redeem", show=False),
        Binding("h", "history", show=False),
    ]

    def offered(self) -> tuple[Shelf, Offer] | None:
        """The item, and the store that it is of."""
        raise NotImplementedError

    def action_wish(self) -> None:
        if (chosen := self.offered()) is None:
            return
        shelf, offer = chosen
        if offer.wished:
            self.run_worker(self._take_back(shelf, offer))
        else:
            self.face.do(lambda: self.face.asks.wish(shelf, offer), f"You wish for {_named(shelf, offer)}.")

    async def _take_back(self, shelf: Shelf, offer: Offer) -> None:
        """At once, where nothing is lost with it; else a yes is asked for."""
        face, what = self.face, _named(shelf, offer)

        def take_back() -> None:
            face.do(lambda: face.asks.wish(shelf, offer), f"You do not wish for {what} any more.")

        try:
            wishes = await face.aside(lambda: face.asks.bounded(shelf, offer))
        except AllThePointsError as error:
            face.fail(error)
            return
        if wishes:
            title = f"Take back your wish for {what}?"
            face.push_screen(SurePage(title, _lost_with(wishes), "take it back", "Nothing was changed.", take_back))
        else:
            take_back()

    def action_redeem(self) -> None:
        if (chosen := self.offered()) is not None:
            self.face.buy(*chosen)

    def action_history(self) -> None:
        if (chosen := self.offered()) is not None:
            self.run_worker(self._history(*chosen))

    async def _history(self, shelf: Shelf, offer: Offer) -> None:
        face, item = self.face, offer.item
        try:
            prices = await face.aside(lambda: face.asks.prices(shelf.channel, item.id))
        except AllThePointsError as error:
            face.fail(error)
            return
        lines = price_lines(prices, shelf.currency, face.now(), None, face.seen.zone, face.ascii_only)
        face.read(f"What {_named(shelf, offer)} cost", lines, close=True)


def priced(shelf: Shelf, offer: Offer, seen: Seen) -> str:
    """What an item cost before; empty where nothing is known of that."""
    told = price_before(seen.prices.get((shelf.channel, offer.item.id), ()), seen.at, seen.zone)
    return f"{clean(offer.item.name) or offer.item.id}. {told}" if told else ""


def _named(shelf: Shelf, offer: Offer) -> str:
    return f"{clean(offer.item.name) or offer.item.id} of {shelf.who}"


def _lost_with(wishes: Sequence[Wish]) -> list[str]:
    """What goes with a wish that is taken back, and how it comes again."""
    texts = []
    for wish in wishes:
        itself = f": redeemed by itself, {bounds(wish)}" if wish.auto else ""
        texts += [
            f"It has bounds in your config, which go with it{itself}.",
            f"To have it so again: `{clean(wish_command(wish))}`.",
        ]
    return texts
