"""The calm table of `run` on a terminal: the sentence, the channels that matter, and what is wrong.

Drawn only when something changed, and once a minute for the durations in it. Colour is an extra: every state has a word
and a sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from allthepoints.ports import ChannelRow
from allthepoints.service.snapshot import Snapshot
from allthepoints.views.channels import Line, channel_lines, in_order, matters
from allthepoints.views.columns import fit
from allthepoints.views.sentence import Glance, sentence
from allthepoints.views.text import clean, count

STYLES = {"present": "green", "asked": "yellow", "leaving": "yellow", "refused": "red", "absent": "dim"}

REDRAW = 60.0
"""Seconds after which the picture is drawn again although nothing changed."""


class LivePicture:
    """The newest snapshot, drawn to the size of the terminal at hand. A Rich renderable."""

    def __init__(self, zone: tzinfo | None = None, ascii_only: bool = False) -> None:
        self._zone = zone
        self._ascii_only = ascii_only
        self._now = 0.0
        self._snapshot: Snapshot | None = None
        self._rows: tuple[ChannelRow, ...] = ()
        self._fresh = False

    def take(self, snapshot: Snapshot) -> None:
        """A newer snapshot. It is drawn when somebody asks `due`."""
        self._snapshot = snapshot
        self._rows = tuple(in_order(filter(matters, snapshot.rows.values())))
        self._fresh = True

    def due(self, now: float) -> bool:
        """Whether it should be drawn now; if so, it is `now` in the picture from here on."""
        if not self._fresh and now - self._now < REDRAW:
            return False
        self._fresh, self._now = False, now
        return True

    def lines(self, width: int, height: int) -> list[Line]:
        """The whole picture, in at most so many cells and lines."""
        if self._snapshot is None:
            return [Line("Starting.")]
        snapshot = self._snapshot
        glance = Glance.of(snapshot.rows.values(), snapshot.warnings, snapshot.account is not None)
        head = [Line(fit(part, width)) for part in _wrapped(sentence(glance, self._now), width)]
        foot = self._foot(width, height)
        room = height - len(head) - len(foot) - 2
        table = (
            channel_lines(self._rows, self._now, width=width, height=room, zone=self._zone, ascii_only=self._ascii_only)
            if room >= 2
            else []
        )
        gap = [Line("")]
        return [*head, *(gap + table if table else []), *(gap + foot if foot else [])][:height]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        # One line and one column stay free: a terminal that is filled to its last cell scrolls.
        for line in self.lines(max(1, options.max_width - 1), max(1, console.size.height - 1)):
            yield Text(line.text, style=STYLES.get(line.state, ""), no_wrap=True, end="\n")

    def _foot(self, width: int, height: int) -> list[Line]:
        """The warnings' titles, as many as a quarter of the screen holds, and the account."""
        assert self._snapshot is not None
        snapshot = self._snapshot
        shown = snapshot.warnings[: max(1, height // 4)]
        foot = [
            Line(fit(f"{w.severity}: {clean(w.title)}", width), "refused" if w.severity == "error" else "asked")
            for w in shown
        ]
        if len(snapshot.warnings) > len(shown):
            foot.append(Line(f"and {len(snapshot.warnings) - len(shown)} more warnings"))
        who = snapshot.account.login if snapshot.account is not None else "no account yet"
        quiet = len(snapshot.rows) - len(self._rows)
        text = f"{who}; {count(snapshot.census.connections, 'chat connection')}; {count(quiet, 'channel')} offline"
        return [*foot, Line(fit(text, width), "absent")]


def _wrapped(text: str, width: int) -> Sequence[str]:
    """`text` on as many lines as it needs, broken between words."""
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]
