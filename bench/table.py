"""How every bench prints its table: plain text, aligned, one header. And what it says of what it left out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

Row = Sequence[str]

LEFT_OUT = "BENCH_LEFT_OUT"
"""The variable that names the file from which scripts/bench takes it."""


def lines(head: Row, rows: Sequence[Row]) -> list[str]:
    """The table; the first column is words, the others are set to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return [_line(head, widths), "  ".join("-" * width for width in widths), *(_line(row, widths) for row in rows)]


def show(title: str, head: Row, rows: Sequence[Row], notes: Sequence[str] = ()) -> None:
    """Print title, table and notes."""
    print(f"\n{title}\n")
    for line in lines(head, rows):
        print(line.rstrip())
    print()
    for note in notes:
        print(note)


def show_json(value: object) -> None:
    """Print one line of JSON."""
    print(json.dumps(value))


def holds(good: bool) -> str:
    """Whether a goal is met, in a word."""
    return "holds" if good else "MISSED"


def left_out(what: str, why: str) -> None:
    """Say that something could not be done here, and let scripts/bench say it again where all of it has ended."""
    line = f"left out: {what}: {why}"
    print(line, file=sys.stderr)
    if path := os.environ.get(LEFT_OUT):
        with Path(path).open("a", encoding="utf-8") as file:
            print(line, file=file)


def _line(row: Row, widths: Sequence[int]) -> str:
    first = f"{row[0]:{widths[0]}}"
    return "  ".join([first, *(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))])
