"""The calm table of `run` on a terminal: the sentence, the channels that matter, and what is wrong.

Drawn only when it would look otherwise, and once a minute for the durations in it. Colour is an extra: every state has
a word and a sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from allthepoints.ports import ChannelRow
from allthepoints.service.snapshot import Snapshot
from allthepoints.views.channels import Line, channel_lines, in_order, matters, quiet
from allthepoints.views.columns import fit, wrapped
from allthepoints.views.sentence import Glance, sentence
from allthepoints.views.text import STYLES, clean, count

REDRAW = 60.0
"""Seconds after which the picture is drawn again although nothing changed."""


@dataclass(frozen=True, slots=True)
class Shown:
    """All of a snapshot that can be seen in the picture. `who`: the account's login."""

    glance: Glance
    rows: tuple[ChannelRow, ...]
    who: str
    connections: int
    quiet: str
    """What is said of the channels that are not shown."""

    @classmethod
    def of(cls, snapshot: Snapshot) -> Shown:
        glance = Glance.of(snapshot.rows.values(), snapshot.warnings, snapshot.account is not None, snapshot.wishes)
        rows = tuple(in_order(filter(matters, snapshot.rows.values())))
        who = snapshot.account.login if snapshot.account is not None else "no account yet"
        return cls(glance, rows, who, snapshot.census.connections, quiet(snapshot.rows.values()))


SMALL = 12
"""Lines."""

ECHO = 2
"""Cells behind the last line, where the terminal writes a ^C: were it to wrap, the picture could not be taken away."""


class LivePicture:
    """The newest snapshot, drawn to the size of the terminal at hand. A Rich renderable."""

    def __init__(self, zone: tzinfo | None = None, ascii_only: bool = False) -> None:
        self._zone = zone
        self._ascii_only = ascii_only
        self._shown: Shown | None = None
        self._now = 0.0
        self._fresh = True
        self._snapshot: Snapshot | None = None
        self._usual = ""

    @property
    def snapshot(self) -> Snapshot | None:
        """The newest."""
        return self._snapshot

    @property
    def nobody_live(self) -> bool:
        """See `Glance.nobody_live`."""
        return self._shown is not None and self._shown.glance.nobody_live

    def expect(self, usual: str) -> None:
        """Who usually starts next, in words; said where no channel is live."""
        self._fresh |= usual != self._usual
        self._usual = usual

    def take(self, snapshot: Snapshot) -> None:
        """A newer snapshot. If it shows anything new, the picture is due."""
        shown = Shown.of(snapshot)
        self._fresh |= shown != self._shown
        self._shown, self._snapshot = shown, snapshot

    def due(self, now: float) -> bool:
        """Whether it should be drawn now; if so, it is `now` in the picture from here on."""
        if not self._fresh and now - self._now < REDRAW:
            return False
        self._fresh, self._now = False, now
        return True

    def lines(self, width: int, height: int) -> list[Line]:
        """The whole picture, in at most so many cells and lines."""
        if self._shown is None:
            return [Line("Starting.")]
        said = sentence(self._shown.glance, self._now, self._usual)
        head = [Line(fit(part, width)) for part in wrapped(said, width)]
        foot = _foot(self._shown, width, height)
        table = self._table(self._shown.rows, width, height - len(head) - len(foot) - 2)
        gap = [Line("")]
        return [*head, *(gap + table if table else []), *gap, *foot][:height]

    def _table(self, rows: Sequence[ChannelRow], width: int, height: int) -> list[Line]:
        if height < 2:
            return []
        return channel_lines(rows, self._now, width=width, height=height, zone=self._zone, ascii_only=self._ascii_only)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        # One line and one column stay free: a terminal that is filled to its last cell scrolls.
        for line in self.lines(max(1, options.max_width - 1), max(1, console.size.height - 1)):
            yield Text(line.text, style=STYLES.get(line.state, ""), no_wrap=True, end="\n")


def _foot(shown: Shown, width: int, height: int) -> list[Line]:
    """The titles of as many warnings as a sixth of the screen holds, and the account. A small screen is for chats."""
    troubles = shown.glance.troubles
    told = troubles[: max(1, height // 6)]
    foot = [
        Line(fit(f"{t.severity}: {clean(t.title)}", width), "refused" if t.severity == "error" else "asked")
        for t in told
    ]
    if (more := len(troubles) - len(told)) and height >= SMALL:
        foot.append(Line(fit(f"and {count(more, 'more warning')}", width)))
    text = f"{shown.who}; {count(shown.connections, 'chat connection')}; {shown.quiet}"
    return [*foot, Line(fit(text, width - ECHO), "absent")]
