"""A plain table for a terminal: measured in cells, and narrowed by leaving columns out in a fixed order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

GAP = "  "

NARROWEST = 12
"""Cells to which a flexible column shrinks before a column goes."""

TINY = 4
"""The same of one of the last two columns: a state without a name says nothing."""


@dataclass(frozen=True, slots=True)
class Column:
    """`keep`: where space is short, the lowest goes first. `flexible`: its cells may be cut. `least`: it may be cut to
    so many cells together with others that say so, before any column goes."""

    title: str
    keep: int = 0
    flexible: bool = False
    right: bool = False
    least: int = 0


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Lines of at most `width` cells (None: as wide as it wants), the titles first. Empty columns are left out."""
    widths = [max((cell_len(row[at]) for row in rows), default=0) for at in range(len(columns))]
    kept = [at for at in range(len(columns)) if widths[at]]
    for at in kept:
        widths[at] = max(widths[at], cell_len(columns[at].title))
    while kept and width is not None and (over := _total(kept, widths) - width) > 0:
        soft = [at for at in kept if columns[at].flexible and widths[at] > _least(columns[at])]
        together = [at for at in soft if columns[at].least]
        if soft and widths[soft[-1]] - over >= _least(columns[soft[-1]]):
            widths[soft[-1]] -= over
        elif sum(widths[at] - columns[at].least for at in together) >= over:
            for at in reversed(together):
                cut = min(over, widths[at] - columns[at].least)
                widths[at], over = widths[at] - cut, over - cut
        elif len(kept) == 2 and (tiny := [at for at in kept if columns[at].flexible and widths[at] - over >= TINY]):
            widths[tiny[-1]] -= over
        elif len(kept) > 1:
            kept.remove(min(kept, key=lambda at: columns[at].keep))
        else:
            widths[kept[0]] = width
    lines = [tuple(column.title for column in columns), *rows] if kept else []
    return [GAP.join(_cell(line[at], widths[at], columns[at]) for at in kept).rstrip() for line in lines]


def fit(text: str, width: int) -> str:
    """`text` in at most `width` cells, its end cut off where it is longer."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def wrapped(text: str, width: int | None) -> list[str]:
    """`text` on as many lines as it needs, broken between words; on one where there is no `width`."""
    lines: list[str] = []
    for word in text.split() if width is not None else [text]:
        if lines and width is not None and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines


def _least(column: Column) -> int:
    return column.least or NARROWEST


def _total(kept: Sequence[int], widths: Sequence[int]) -> int:
    return sum(widths[at] for at in kept) + len(GAP) * (len(kept) - 1)


def _cell(text: str, width: int, column: Column) -> str:
    text = fit(text, width)
    space = " " * (width - cell_len(text))
    return space + text if column.right else text + space
