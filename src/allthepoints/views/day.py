"""How the demo's day is shown while it goes by, and what is said of it at the end.

On a terminal: the sentence, a bar, a board of all channels, and the last things that went wrong and were mended.
Elsewhere: one line for each thing that happened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TextIO

from allthepoints.core.records import Event, EventKind
from allthepoints.service.snapshot import Snapshot
from allthepoints.views.columns import Column, table
from allthepoints.views.event_text import event_in
from allthepoints.views.sentence import Glance
from allthepoints.views.sentence import sentence as first_line
from allthepoints.views.text import STYLES, count, duration, number, standing

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

LAST = 8
"""Events kept in sight."""

EVERYDAY = frozenset({EventKind.LIVE, EventKind.OFFLINE, EventKind.PRESENT, EventKind.LEFT})
"""What the board shows anyway."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What the sandbox counted of the day so far. Durations in seconds."""

    simulated_s: float
    live_s: float
    present_s: float
    points_paid: int
    points_possible: int
    reconnects: int
    refreshes: int
    joins_worst: int
    chat_lines_sent: int
    redemptions: int = 0

    @property
    def capture(self) -> float:
        return self.present_s / self.live_s if self.live_s else 1.0


@dataclass(frozen=True, slots=True)
class ChannelDay:
    """One channel's day."""

    login: str
    live_s: float
    present_s: float
    points_paid: int
    points_possible: int
    note: str = ""


def note_of(event: Event, gone: float) -> str | None:
    """What a channel's line in the summary says of `event`; None for what needs no word."""
    if event.kind is EventKind.REFUSED:
        return f"{event.data['why']} at {_hour(gone)}, and left alone".replace("_", " ")
    if event.kind is EventKind.REDEEMED:
        return f"bought {event.data['item']} at {_hour(gone)}"
    if event.kind is EventKind.FLAT:
        return f"found at {_hour(gone)} to pay nothing"
    if event.kind is EventKind.RENAMED:
        return f"was {event.data['from']} until {_hour(gone)}"
    return None


class Face(Protocol):
    """Who watches the day."""

    wants_frames: bool

    def happened(self, event: Event, snapshot: Snapshot, gone: float) -> None:
        """`event` came to pass `gone` seconds into the day."""
        ...

    def show(self, snapshot: Snapshot, totals: Totals, gone: float, whole: float) -> None:
        """The state `gone` seconds into a day of `whole` seconds."""
        ...

    def close(self) -> None:
        """The day is over."""
        ...


def face_for(stream: TextIO, *, quiet: bool) -> Face:
    """The face that suits the stream."""
    if quiet:
        return _Nobody()
    if not stream.isatty():
        return _Lines(stream)
    from rich.console import Console  # noqa: PLC0415 -- only a terminal needs it

    console = Console(file=stream)
    return _Board(console) if console.is_terminal and not console.is_dumb_terminal else _Lines(stream)


def summary(channels: Sequence[ChannelDay], totals: Totals, width: int | None) -> list[str]:
    """The table of the day, how it was kept, and one plain sentence: captured x of y."""
    on_air = sorted((c for c in channels if c.live_s), key=lambda c: -c.live_s)
    rows = [
        (
            c.login,
            duration(c.live_s),
            duration(c.present_s),
            percent(c.present_s / c.live_s),
            f"{number(c.points_paid)} of {number(c.points_possible)}",
            c.note,
        )
        for c in on_air
    ]
    lines = table(
        [
            Column("channel", keep=5),
            Column("live", keep=2, right=True),
            Column("present", keep=3, right=True),
            Column("captured", keep=4, right=True),
            Column("points", keep=1, right=True),
            Column("what happened", flexible=True),
        ],
        rows,
        width,
    )
    return [*lines, "", _kept(totals), sentence(totals)]


def sentence(totals: Totals) -> str:
    """The one sentence."""
    return (
        f"Captured {duration(totals.present_s)} of {duration(totals.live_s)} of live time ({percent(totals.capture)}), "
        f"and {number(totals.points_paid)} of {count(totals.points_possible, 'point')}."
    )


def percent(share: float) -> str:
    """`97.9 %`; never 100 when something is missing."""
    tenths = int(share * 1000)
    return f"{tenths // 10}.{tenths % 10} %"


def _kept(totals: Totals) -> str:
    return (
        f"In {duration(totals.simulated_s)}: {count(totals.reconnects, 'connection')} replaced, "
        f"{count(totals.refreshes, 'token')} renewed, {count(totals.redemptions, 'item')} bought, "
        f"at most {totals.joins_worst} of 20 JOINs in 10 s, "
        f"{count(totals.chat_lines_sent, 'line')} said in chat."
    )


def _hour(gone: float) -> str:
    minutes = int(gone // 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


class _Nobody:
    wants_frames = False

    def happened(self, event: Event, snapshot: Snapshot, gone: float) -> None:
        """Nobody hears it."""

    def show(self, snapshot: Snapshot, totals: Totals, gone: float, whole: float) -> None:
        """Nobody looks."""

    def close(self) -> None:
        """Nobody was there."""


class _Lines:
    wants_frames = False

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def happened(self, event: Event, snapshot: Snapshot, gone: float) -> None:
        self._stream.write(f"{_hour(gone)} {event_in(event, snapshot)}\n")

    def show(self, snapshot: Snapshot, totals: Totals, gone: float, whole: float) -> None:
        """Lines have no frames."""

    def close(self) -> None:
        self._stream.flush()


class _Board:
    wants_frames = True

    def __init__(self, console: Console) -> None:
        from rich.live import Live  # noqa: PLC0415 -- only a terminal needs it

        self._console = console
        self._last: deque[str] = deque(maxlen=LAST)
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._live.start()

    def happened(self, event: Event, snapshot: Snapshot, gone: float) -> None:
        if event.kind not in EVERYDAY:
            self._last.append(f"{_hour(gone)}  {event_in(event, snapshot)}")

    def show(self, snapshot: Snapshot, totals: Totals, gone: float, whole: float) -> None:
        self._live.update(self._picture(snapshot, totals, gone, whole), refresh=True)

    def close(self) -> None:
        self._live.stop()

    def _picture(self, snapshot: Snapshot, totals: Totals, gone: float, whole: float) -> RenderableType:
        from rich.console import Group  # noqa: PLC0415
        from rich.progress_bar import ProgressBar  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        glance = Glance.of(snapshot.rows.values(), (), snapshot.account is not None, snapshot.wishes)
        head = Text.assemble((_hour(gone), "bold"), f"  {first_line(glance, snapshot.at)} ")
        head.append(f"Captured {percent(totals.capture)}; {number(totals.points_paid)} points.")
        last = [Text(line, overflow="ellipsis", no_wrap=True) for line in self._last]
        last += [Text("")] * (LAST - len(last))
        width = min(self._console.width, 100)
        return Group(head, ProgressBar(whole, gone, width=width), Text(""), self._grid(snapshot), Text(""), *last)

    def _grid(self, snapshot: Snapshot) -> RenderableType:
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        columns = max(1, min(self._console.width, 120) // 19)
        grid = Table.grid(padding=(0, 1))
        cells = []
        for row in sorted(snapshot.rows.values(), key=lambda row: row.login):
            shown = standing(row.state, row.live)
            style = STYLES.get(row.state, "dim")
            cells.append(Text(f"{shown.sign} {row.display[:15]:15}", style=style, no_wrap=True))
        rows = max(1, -(-len(cells) // columns))
        for at in range(rows):
            grid.add_row(*cells[at::rows])
        return grid
