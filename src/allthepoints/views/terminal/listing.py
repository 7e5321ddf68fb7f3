"""Lines of text on the screen: some that are only told, and a list that one moves through.

Everything that is shown passes `harmless` and is cut to measured cells here, and nothing is ever read as markup: names,
titles and items are other people's text. A list repaints only the lines that changed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import chop_cells, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from allthepoints.views.columns import fit, wrapped


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `style` colours its first `lead` characters, all of it where that is None: an extra, never the only
    sign. `key`: what the line stands for; with None it cannot be chosen."""

    text: str = ""
    style: str = ""
    lead: int | None = None
    key: Hashable = None


def harmless(text: str) -> str:
    """`text` without anything that could steer a terminal. What the views make is so already."""
    if text.isprintable():
        return text
    return "".join(c for c in text if unicodedata.category(c) not in _STEERING or c == "\u200d")


def folded(text: str, width: int) -> list[str]:
    """`text` on as many lines as it needs: broken between words, and within one that is wider than a line."""
    lines = wrapped(text, width) or [""]
    return [part for line in lines for part in (chop_cells(line, width) if width > 0 and line else [line])]


_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def _strip(row: Row, width: int, base: Style, chosen: bool, plain: str) -> Strip:
    text = fit(harmless(row.text), width)
    if plain:
        text = text.encode(plain, "replace").decode(plain)
    text = set_cell_size(text, width) if width > 0 else ""
    if chosen:
        return Strip([Segment(text, base + Style(reverse=True))], width)
    lead = len(text) if row.lead is None else row.lead
    return Strip([Segment(text[:lead], base + Style.parse(row.style)), Segment(text[lead:], base)], width)


class Words(Widget):
    """Lines that are told. As high as they are many; with none of them it is not there."""

    DEFAULT_CSS = "Words { height: auto; width: 100%; }"

    def __init__(self, *, id: str, plain: str = "") -> None:
        super().__init__(id=id)
        self.rows: tuple[Row, ...] = ()
        self._plain = plain
        self.display = False

    def show(self, rows: Sequence[Row]) -> None:
        """Show these instead. Nothing moves where as many stay."""
        new = tuple(rows)
        if new == self.rows:
            return
        if len(new) != len(self.rows):
            self.styles.height = len(new)
            self.display = bool(new)
        self.rows = new
        self.refresh()

    def render_line(self, y: int) -> Strip:
        row = self.rows[y] if y < len(self.rows) else Row()
        return _strip(row, self.size.width, self.rich_style, False, self._plain)


class Listing(ScrollView, can_focus=True):
    """A list that one moves through. The cursor stays with what it stands on, wherever that goes."""

    DEFAULT_CSS = "Listing { height: 1fr; width: 100%; scrollbar-size: 0 0; overflow-x: hidden; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup,ctrl+b", "leap(-1)", show=False),
        Binding("pagedown,space,ctrl+f", "leap(1)", show=False),
        Binding("home,g", "edge(-1)", show=False),
        Binding("end,G", "edge(1)", show=False),
        Binding("enter", "choose", show=False),
    ]

    class Chosen(Message):
        """Enter, or a click on what the cursor stands on already."""

        def __init__(self, key: Hashable) -> None:
            super().__init__()
            self.key = key

    class Moved(Message):
        """The cursor, or what of the list is on the screen. `by_hand`: by a key."""

        def __init__(self, by_hand: bool = False) -> None:
            super().__init__()
            self.by_hand = by_hand

    def __init__(self, *, id: str = "listing", plain: str = "") -> None:
        super().__init__(id=id)
        self.rows: tuple[Row, ...] = ()
        self.follows = False
        """Whether it stays at its end when lines come."""
        self._cursor: int | None = None
        self._plain = plain

    @property
    def key(self) -> Hashable:
        """What the cursor stands on, where that is in sight; None: nothing."""
        return self.rows[self._cursor].key if self._cursor is not None and self._in_sight(self._cursor) else None

    @property
    def shown(self) -> tuple[int, int]:
        """The first and the last line (from 1) that are on the screen."""
        first = self.scroll_offset.y
        return first + 1, min(len(self.rows), first + self.size.height)

    def show(self, rows: Sequence[Row]) -> None:
        """Show these instead, and repaint what differs."""
        old, was = self.rows, self._cursor
        key = None if was is None else old[was].key
        self.rows = tuple(rows)
        self._cursor = self._find(key, was)
        if len(old) != len(self.rows):
            self.virtual_size = Size(1, len(self.rows))
        if self.follows:
            self._cursor = self._nearest(len(self.rows) - 1, -1)
        if self._cursor != was and self._cursor is not None and (was is not None or self.follows):
            self._go_with(self._cursor)
        if self.follows and self._cursor is None and len(old) != len(self.rows):
            self._scroll(len(self.rows))
        first, last = self.scroll_offset.y, self.scroll_offset.y + self.size.height
        for at in range(first, last):
            if _row(old, at) != _row(self.rows, at) or (at in (was, self._cursor) and was != self._cursor):
                self.refresh_line(at)

    def render_line(self, y: int) -> Strip:
        at = y + self.scroll_offset.y
        chosen = at == self._cursor and self.has_focus
        return _strip(_row(self.rows, at), self.size.width, self.rich_style, chosen, self._plain)

    # -- moving ----------------------------------------------------------------------------------------------------
    def action_move(self, step: int) -> None:
        """To the next line that can be chosen, if it is in sight; else the list moves by a line."""
        first, end = self.scroll_offset.y, self.scroll_offset.y + self.size.height
        if self._cursor is not None and self._in_sight(self._cursor):
            start = self._cursor + step
        else:
            start = first if step > 0 else end - 1
        to = self._nearest(start, step)
        if to is not None and first - 1 <= to <= end:
            self._stand_on(to)
        else:
            self._scroll(first + step)

    def action_leap(self, step: int) -> None:
        """By a screen."""
        height = max(1, self.size.height - 1)
        if self._cursor is None:
            self._scroll(self.scroll_offset.y + step * height)
            return
        target = min(max(0, self._cursor + step * height), len(self.rows) - 1)
        self._scroll(self.scroll_offset.y + step * height)
        to = self._nearest(target, step)
        self._stand_on(self._nearest(target, -step) if to is None else to)

    def action_edge(self, step: int) -> None:
        """To the first or the last line."""
        last = len(self.rows) - 1
        self._stand_on(self._nearest(0, 1) if step < 0 else self._nearest(last, -1))
        self._scroll(0 if step < 0 else last)

    def action_choose(self) -> None:
        if self.key is not None:
            self.post_message(self.Chosen(self.key))

    def on_click(self, event: Click) -> None:
        at = event.y + self.scroll_offset.y
        if at >= len(self.rows) or self.rows[at].key is None:
            return
        if at == self._cursor:
            self.action_choose()
        self._stand_on(at)

    def on_focus(self) -> None:
        self._repaint(self._cursor)

    def on_blur(self) -> None:
        self._repaint(self._cursor)

    def on_resize(self) -> None:
        if self.follows:
            self._scroll(len(self.rows)) if self._cursor is None else self._reveal(self._cursor)
        self.post_message(self.Moved())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Moved())

    def _stand_on(self, at: int | None) -> None:
        if at is None:
            return
        was, self._cursor = self._cursor, at
        self._reveal(at)
        self._repaint(was, at)
        self.post_message(self.Moved(by_hand=True))

    def _in_sight(self, at: int) -> bool:
        return self.scroll_offset.y <= at < self.scroll_offset.y + self.size.height

    def _repaint(self, *lines: int | None) -> None:
        for at in lines:
            if at is not None:
                self.refresh_line(at)

    def _reveal(self, at: int) -> None:
        first, height = self.scroll_offset.y, max(1, self.size.height)
        if at < first:
            self._scroll(at)
        elif at >= first + height:
            self._scroll(at - height + 1)

    def _go_with(self, at: int) -> None:
        """The list goes where its cursor went: to its top where that will do, for what comes first is seen there."""
        if not self._in_sight(at) and at < self.size.height:
            self._scroll(0)
        else:
            self._reveal(at)

    def _scroll(self, y: int) -> None:
        self.scroll_to(y=min(max(0, y), self.max_scroll_y), animate=False, immediate=True, force=True)

    def _nearest(self, start: int, step: int) -> int | None:
        """The first line from `start` on that can be chosen."""
        for at in range(start, len(self.rows)) if step > 0 else range(min(start, len(self.rows) - 1), -1, -1):
            if at >= 0 and self.rows[at].key is not None:
                return at
        return None

    def _find(self, key: Hashable, was: int | None) -> int | None:
        """Where what the cursor stood on is now; gone: what took its place."""
        if key is not None:
            found = next((at for at, row in enumerate(self.rows) if row.key == key), None)
            if found is not None:
                return found
        start = was or 0
        after = self._nearest(start, 1)
        return self._nearest(start, -1) if after is None else after


def _row(rows: Sequence[Row], at: int) -> Row:
    return rows[at] if 0 <= at < len(rows) else Row()
