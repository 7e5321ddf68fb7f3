"""A page that is only read: help, and all warnings in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from allthepoints.views.terminal.listing import Row, folded
from allthepoints.views.terminal.page import Frame, Keys, Page
from allthepoints.views.text import STATES, STYLES, VERDICTS

KEYS = (
    ("1 2 3, Tab", "Now, Store, Activity"),
    ("Up Down, j k", "move; also PageUp, PageDown, Home, End"),
    ("Enter", "open a channel; redeem an item"),
    ("/", "find: only what has these words; Escape shows all again"),
    ("p", "pause the channel, or end that; it is written into your config"),
    ("t", "ask a chat again that is closed to you"),
    ("s, f, o", "Now: sort; next filter; show offline channels too"),
    ("!", "Now: all warnings in full"),
    ("d, u", "Channel: today, 7 days, 30 days, all; read its points and store anew"),
    ("w", "wish for an item, or take that back; it is written into your config"),
    ("r", "redeem an item; nothing is sent before you said yes to the price"),
    ("h", "what an item cost before"),
    ("f, a, i, v", "Store: next filter; affordable, in stock, wished"),
    ("f", "Activity: follow, or stay"),
    ("Esc", "back"),
    ("q", "quit; the service goes on"),
)

MEANT = {
    "present": "the server itself said that you are in",
    "asked": "asked to be let in, no answer yet",
    "leaving": "asked to leave, no answer yet",
    "waiting": "not asked yet; the reason stands beside it",
    "refused": "the chat is closed to you; the reason stands beside it",
    "absent": "live, and you are not in its chat",
}

JUDGED = {
    "earning": "points came",
    "early": "too early to tell",
    "flat": "points should have come, and did not",
    "not_offered": "nothing can come here",
    "unknown": "nothing can be said yet",
}


def help_rows(width: int, ascii_only: bool) -> list[Row]:
    """Keys, and what the signs mean."""
    head = max(len(key) for key in [*(key for key, _ in KEYS), *(one.shown(ascii_only) for one in VERDICTS.values())])
    rows = [Row("Keys", "bold")]
    for key, what in KEYS:
        rows += _told(key, head, what, width)
    rows += [Row(), Row("Where you stand", "bold")]
    for word, text in MEANT.items():
        rows += _told(STATES[word].shown(ascii_only), head, text, width, STYLES[word])
    rows += [Row(), Row("Whether points come", "bold")]
    for word, text in JUDGED.items():
        rows += _told(VERDICTS[word].shown(ascii_only), head, text, width)
    return rows


def _told(word: str, head: int, text: str, width: int, style: str = "") -> list[Row]:
    first, *rest = folded(text, max(1, width - head - 2))
    return [Row(f"{word:<{head}}  {first}", style, len(word)), *(Row(" " * (head + 2) + more) for more in rest)]


class ReadingPage(Page):
    """Text under a title; with none it is the help."""

    OVER = True
    FINDS = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark", "back", show=False)]

    def __init__(self, title: str = "", texts: Sequence[str] = (), close: bool = False) -> None:
        super().__init__()
        self.heading = title
        self.texts = tuple(texts)
        self.close_together = close

    def lay(self, frame: Frame) -> tuple[Sequence[Row], Sequence[Row]]:
        width = frame.width
        if not self.heading:
            return (), help_rows(width, self.face.ascii_only)
        if self.close_together:  # lines of a table, in which spaces count
            return [Row(self.heading, "bold")], [Row(), *(Row(text) for text in self.texts)]
        rows = [Row(line) for text in self.texts for line in [*folded(text, width), ""]]
        return [Row(self.heading, "bold")], rows

    def keys(self) -> Keys:
        return [("Esc", "back")]
