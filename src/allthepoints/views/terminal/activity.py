"""Activity: what happened, oldest first, and what happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.binding import Binding, BindingType

from allthepoints.storage.read import EventRow
from allthepoints.views.columns import fit
from allthepoints.views.event_text import event_text
from allthepoints.views.terminal.listing import Listing, Row, folded
from allthepoints.views.terminal.page import Frame, Keys, Page, found
from allthepoints.views.terminal.seen import Seen
from allthepoints.views.text import DAY, MINUTE, clean, count, local, name

WIDE = 50
"""Cells from which on seconds are told."""


class ActivityPage(Page):
    """The third page. It follows what happens until one moves away from the end."""

    PLACE = "activity"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f", "follow", show=False)]

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[int, str] = {}
        self.number = 0
        """Of events that are shown."""

    def on_mount(self) -> None:
        self.listing.follows = True

    def shown(self, seen: Seen) -> list[EventRow]:
        """The events that are meant."""
        if not self.sought:
            return list(seen.events)
        return [row for row in seen.events if found(self.sought, row.login, row.kind, self._text(row))]

    def lay(self, frame: Frame) -> tuple[Sequence[Row], Sequence[Row]]:
        seen, width = frame.seen, frame.width
        self._forget(seen)
        key = (seen.events, seen.at // MINUTE, seen.zone, width, self.sought)
        return self.laid(key, lambda: self._lay(seen, width))

    def _lay(self, seen: Seen, width: int) -> tuple[Sequence[Row], Sequence[Row]]:
        events = self.shown(seen)
        self.number = len(events)
        if not events:
            sought = f"No event has {clean(self.sought)!r} in it. Escape shows all again."
            text = sought if self.sought else "Nothing was recorded yet."
            return (), [Row(line) for line in folded(text, width)]
        return (), [Row(self._line(row, seen, width), key=row.id) for row in events]

    def remarks(self, frame: Frame) -> Sequence[Row]:
        seen, width, rows = frame.seen, frame.width, []
        chosen = next((row for row in reversed(seen.events) if row.id == self.listing.key), None)
        if chosen is not None and cell_len(self._line(chosen, seen, width)) > width:
            rows = [Row(line) for line in folded(self._text(chosen), width)[: frame.told]]
        parts = [count(self.number, "event")]
        if self.sought:
            parts[0] += f" with {clean(self.sought)!r}"
        parts.append("following" if self.listing.follows else "not following: f does")
        parts += filter(None, [self.place])
        return [*rows, Row(fit("; ".join(parts), width), "dim")]

    def keys(self) -> Keys:
        return [("f", "stay here" if self.listing.follows else "follow"), ("/", "find"), ("Enter", "open channel")]

    def action_follow(self) -> None:
        self.listing.follows = not self.listing.follows
        if self.listing.follows:
            self.listing.action_edge(1)
        self.lay_out()

    @on(Listing.Moved)
    def stay(self, event: Listing.Moved) -> None:
        """Who moves away from the end stays there."""
        last = self.listing.rows[-1].key if self.listing.rows else None
        if self.listing.follows and event.by_hand and self.listing.key != last:
            self.listing.follows = False

    def on_listing_chosen(self, event: Listing.Chosen) -> None:
        row = next((row for row in self.seen.events if row.id == event.key), None)
        if row is not None and row.channel is not None:
            self.face.open_channel(row.channel)

    def _line(self, row: EventRow, seen: Seen, width: int) -> str:
        there, today = local(row.at, seen.zone), abs(seen.at - row.at) < DAY
        if width < WIDE:
            time = f"{there:%H:%M}" if today else f"{there:%d %b}"
        else:
            time = f"{there:%H:%M:%S}" if today else f"{there:%d %b %H:%M}"
        head = len("25 Nov" if width < WIDE else "25 Nov 20:59") if self._days(seen) else len(time)
        return f"{time:<{head}}  {self._text(row)}"

    @staticmethod
    def _days(seen: Seen) -> bool:
        """Whether days must be told."""
        return bool(seen.events) and abs(seen.at - seen.events[0].at) >= DAY

    def _text(self, row: EventRow) -> str:
        """What an event says never changes."""
        if row.id not in self.texts:
            names = {row.channel: name(row.display, row.login)} if row.channel is not None and row.login else {}
            self.texts[row.id] = event_text(row, names)
        return self.texts[row.id]

    def _forget(self, seen: Seen) -> None:
        if len(self.texts) > 2 * len(seen.events):
            kept = {row.id for row in seen.events}
            self.texts = {key: text for key, text in self.texts.items() if key in kept}
