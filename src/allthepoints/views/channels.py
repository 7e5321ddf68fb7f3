"""The rows of channels as every text face shows them: what matters first, the same columns, the same signs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from allthepoints.base.types import UserId
from allthepoints.ports import ChannelRow
from allthepoints.views.columns import Column, table
from allthepoints.views.sparkline import sparkline
from allthepoints.views.text import change, clean, clock_time, count, name, number, per_hour, standing, verdict
from allthepoints.views.words import CAUSES, PLACE, told

COLUMNS = (
    Column("state", keep=12),
    Column("channel", keep=11, flexible=True),
    Column("verdict", keep=10),
    Column("points", keep=9, right=True),
    Column("today", keep=8, right=True),
    Column("rate", keep=7, right=True),
    Column("about", keep=6, flexible=True, least=14),
    Column("since", keep=5),
    Column("next wish", keep=4, flexible=True, least=14),
    Column("last", keep=3),
    Column("24 h", keep=2),
    Column("live since", keep=1),
)
"""Where the terminal is narrow, they go from the right."""

FILTERS = (
    ("now", "Here now"),
    ("live", "Live"),
    ("earning", "Earning"),
    ("wrong", "Not earning"),
    ("waiting", "Waiting"),
    ("closed", "Closed to you"),
    ("all", "All"),
)
"""What a table of channels can be narrowed to: a name, and the words for it."""

_ORDER = {"refused": 0, "asked": 1, "leaving": 2, "present": 3, "waiting": 4}
"""A live chat that is closed to you is rare, and the one thing that you can do something about."""


NOWHERE = 9_999_999
"""The place of one that has none."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table, and the state it speaks of (empty for titles and remarks): for colour, which is an extra."""

    text: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class Gain:
    """What came of a channel, beside its row. `last`: when something was earned last; `next`: the wish that can be had
    first, in words, and `soon`: how soon, the lower the sooner; `bars`: of the last day."""

    today: int = 0
    week: int = 0
    last: float | None = None
    next: str = ""
    soon: tuple[int, float] = (9, 0.0)
    bars: tuple[int | None, ...] = ()


NO_GAIN = Gain()


def matters(row: ChannelRow) -> bool:
    """Whether a row belongs on the first screen: we are in, ask, wait or are refused, or it is live at all."""
    return row.live is True or row.state != "absent"


def passes(row: ChannelRow, which: str) -> bool:
    """Whether a row belongs to a filter of FILTERS."""
    match which:
        case "now":
            return matters(row)
        case "live":
            return row.live is True
        case "earning":
            return row.state == "present" and row.verdict == "earning"
        case "wrong":
            untold = row.state == "present" and row.verdict in ("early", "unknown")
            return row.live is True and not untold and not passes(row, "earning")
        case "waiting":
            return row.state == "waiting"
        case "closed":
            return row.state == "refused"
        case _:
            return True


def quiet(rows: Iterable[ChannelRow]) -> str:
    """What is said of the channels that do not matter now: "34 channels offline", "30 channels offline, 4 unknown"."""
    live = [row.live for row in rows if not matters(row)]
    offline, unknown = live.count(False), live.count(None)
    if unknown and not offline:
        return f"{count(unknown, 'channel')} unknown"
    return f"{count(offline, 'channel')} offline" + (f", {number(unknown)} unknown" if unknown else "")


def in_order(rows: Iterable[ChannelRow]) -> list[ChannelRow]:
    """Those that need you first, offline ones last; within a state by who comes first for a slot, then by name."""
    return sorted(rows, key=lambda row: (*rank(row), row.login))


def rank(row: ChannelRow) -> tuple[int, int]:
    """What it is ordered by: the group of its state, and its place there."""
    outside = 5 if row.live else 7 if row.live is None else 8
    group = 6 if row.state == "refused" and row.live is False else _ORDER.get(row.state, outside)
    return group, row.place if row.place is not None else NOWHERE


def channel_lines(
    rows: Sequence[ChannelRow],
    now: float,
    *,
    width: int | None,
    height: int | None = None,
    zone: tzinfo | None = None,
    ascii_only: bool = False,
    gains: Mapping[UserId, Gain] | None = None,
) -> list[Line]:
    """A table of `rows`, in at most `width` cells and `height` lines; what does not fit is counted.

    `gains`: what came of each; where it is not given, there are no such columns.
    """
    shown = list(rows)
    if height is not None and len(shown) + 1 > height:
        shown = shown[: max(0, height - 2)]
    cells = [_cells(row, now, zone, ascii_only, (gains or {}).get(row.id, NO_GAIN)) for row in shown]
    texts = table(COLUMNS, cells, width)
    lines = [Line(text, row.state) for text, row in zip(texts[1:], shown, strict=True)] if texts else []
    titles = [Line(texts[0])] if texts else []
    rest = len(rows) - len(shown)
    return [*titles, *lines, *([Line(f"and {count(rest, 'more', 'more')}")] if rest else [])]


def _cells(row: ChannelRow, now: float, zone: tzinfo | None, ascii_only: bool, gain: Gain) -> tuple[str, ...]:
    return (
        standing(row.state, row.live).shown(ascii_only),
        name(row.display, row.login),
        verdict(row.verdict).shown(ascii_only) if _judged(row) else "",
        "" if row.points is None else number(row.points),
        change(gain.today) if gain.today else "",
        per_hour(row.rate_per_hour) if row.state == "present" else "",
        about(row),
        clock_time(row.since, now, zone),
        gain.next,
        clock_time(gain.last, now, zone),
        sparkline(gain.bars, ascii_only).rstrip() if any(gain.bars) else "",
        clock_time(row.live_since or None, now, zone) if row.live is not False else "",
    )


def _judged(row: ChannelRow) -> bool:
    """Where we are not, nothing can come, and the state says why."""
    return row.state == "present" and (row.verdict != "unknown" or row.points is not None)


def about(row: ChannelRow) -> str:
    """Why it is not as it should be, else the stream's title."""
    if row.reason and row.reason != "offline":  # the state says that already
        return told(PLACE, row.reason)
    if row.state == "present" and row.verdict == "flat" and row.causes:
        cause = CAUSES.get(row.causes[0])
        return f"perhaps: {cause.short if cause else told({}, row.causes[0])}"
    return clean(row.title or "")
