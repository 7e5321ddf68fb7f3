"""A balance over time in block characters, and beneath it, on the same axis, when the channel was live and we were in.

Pure: values in, lines of text out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from rich.cells import cell_len

from allthepoints.views.sparkline import BARS
from allthepoints.views.text import DAY, local, number

Interval = tuple[float, float]

NARROWEST = 10
"""Columns below which nothing can be seen in a chart."""

ASCII = "_.:-=+*#"

BOUGHT, BOUGHT_PLAIN = "▾", "v"
"""Stands where something was bought."""

YEAR = 300 * DAY
"""Spans from which on the axis tells years."""


@dataclass(frozen=True, slots=True)
class Graph:
    """What is drawn. `steps`: (from when on, balance), ascending. Times in epoch seconds."""

    begin: float
    end: float
    steps: Sequence[tuple[float, int]]
    live: Sequence[Interval] = ()
    present: Sequence[Interval] = ()
    bought: Sequence[float] = ()


def graph_lines(graph: Graph, width: int, height: int, zone: tzinfo, ascii_only: bool = False) -> list[str]:
    """The chart in `height` lines and at most `width` cells; then the bands and the axis. Nothing where none fits."""
    values = [value for _, value in graph.steps]
    high, low = (max(values), min(values)) if values else (0, 0)
    marks = [("spent", graph.bought)] if graph.bought else []
    head = max(cell_len(word) for word in (number(high), number(low), "live", *(word for word, _ in marks)))
    columns = width - head - 1
    if columns < NARROWEST:
        return []
    lines = _bars(graph, columns, height, high, low, ascii_only) if values else []
    titles = [number(high), *[""] * (height - 2), number(low) if low != high else ""]
    chart = [f"{title:>{head}} {line}".rstrip() for title, line in zip(titles, lines, strict=False)]
    chart += [f"{word:>{head}} {_marks(graph, times, columns, ascii_only)}".rstrip() for word, times in marks]
    bands = [
        f"{word:>{head}} {_band(graph, intervals, columns, ascii_only)}".rstrip()
        for word, intervals in (("live", graph.live), ("in", graph.present))
    ]
    return [*chart, *bands, f"{'':>{head}} {_axis(graph, columns, zone)}".rstrip()]


def _columns(graph: Graph, columns: int) -> list[Interval]:
    step = (graph.end - graph.begin) / columns
    return [(graph.begin + at * step, graph.begin + (at + 1) * step) for at in range(columns)]


def _bars(graph: Graph, columns: int, height: int, high: int, low: int, ascii_only: bool) -> list[str]:
    """From the top down. A balance stands until the next one; before the first nothing is known."""
    signs = ASCII if ascii_only else BARS
    full, levels = len(signs), []
    at, value = 0, None
    for _, end in _columns(graph, columns):
        while at < len(graph.steps) and graph.steps[at][0] < end:
            value = graph.steps[at][1]
            at += 1
        levels.append(0 if value is None else _level(value, high, low, full * height))
    lines = []
    for below in reversed(range(height)):
        filled = [min(full, level - below * full) for level in levels]
        lines.append("".join(signs[part - 1] if part > 0 else " " for part in filled))
    return lines


def _level(value: int, high: int, low: int, levels: int) -> int:
    """At least 1: what is known is seen."""
    return levels // 2 if high == low else 1 + round((value - low) / (high - low) * (levels - 1))


def _band(graph: Graph, intervals: Sequence[Interval], columns: int, ascii_only: bool) -> str:
    whole, part = ("=", "-") if ascii_only else ("━", "╌")
    line = []
    for begin, end in _columns(graph, columns):
        covered = sum(max(0.0, min(end, until) - max(begin, since)) for since, until in intervals)
        line.append(whole if covered >= (end - begin) / 2 else part if covered > 0 else " ")
    return "".join(line)


def _marks(graph: Graph, times: Sequence[float], columns: int, ascii_only: bool) -> str:
    line = [" "] * columns
    for at in times:
        if graph.begin <= at <= graph.end and graph.end > graph.begin:
            place = int((at - graph.begin) / (graph.end - graph.begin) * columns)
            line[min(columns - 1, place)] = BOUGHT_PLAIN if ascii_only else BOUGHT
    return "".join(line)


def _axis(graph: Graph, columns: int, zone: tzinfo) -> str:
    """The time at each quarter, as far as there is room; `now` at the end."""
    span = graph.end - graph.begin
    line = [" "] * columns
    for quarter in range(4):
        there = local(graph.begin + span * quarter / 4, zone)
        day = f"{there:%b %Y}" if span > YEAR else f"{there.day} {there:%b}"
        text = f"{there:%H:%M}" if span <= DAY else day
        start = columns * quarter // 4
        if start + len(text) <= columns - 5 and all(sign == " " for sign in line[max(0, start - 1) : start]):
            line[start : start + len(text)] = text
    line[columns - 3 :] = "now"
    return "".join(line)
