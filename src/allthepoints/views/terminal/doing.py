"""Pages on which a channel, or an item of a store, can be chosen and something be done with it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from allthepoints.ports import ChannelRow
from allthepoints.views.shelf import Shelf
from allthepoints.views.store import Offer
from allthepoints.views.terminal.page import Page
from allthepoints.views.text import clean, name


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
        self.face.do(lambda: self.face.asks.retry(row.login), f"{who}'s chat is asked again.")


class ItemDoing(Page):
    """`w` and `r` on the item that is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "wish", show=False),
        Binding("r", "redeem", show=False),
    ]

    def offered(self) -> tuple[Shelf, Offer] | None:
        """The item, and the store that it is of."""
        raise NotImplementedError

    def action_wish(self) -> None:
        if (chosen := self.offered()) is None:
            return
        shelf, offer = chosen
        what = f"{clean(offer.item.name) or offer.item.id} of {shelf.who}"
        said = f"You do not wish for {what} any more." if offer.wished else f"You wish for {what}."
        self.face.do(lambda: self.face.asks.wish(shelf, offer), said)

    def action_redeem(self) -> None:
        if (chosen := self.offered()) is None:
            return
        if not self.face.seen.report.running:
            self.face.tell("No service runs that could redeem it. Start it with `allthepoints run`.")
            return
        self.face.buy(*chosen)
