"""A line of small bars: how a number went over a day, in the height of one line of text."""

from __future__ import annotations

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
ASCII = "_.:-=+*#"
"""The lowest is for nothing at all; a console that has only ASCII gets the second."""

SLOTS = 12
"""Bars of a day: two hours each."""


def sparkline(values: Sequence[int | None], ascii_only: bool = False) -> str:
    """A bar for each value, the highest one full. None is a gap: nothing is known of then. Below 0 counts as 0."""
    signs = ASCII if ascii_only else BARS
    highest = max((value for value in values if value is not None), default=0)
    return "".join(" " if value is None else signs[_height(value, highest, len(signs))] for value in values)


def with_gaps(sums: Sequence[int], begin: float, end: float, known_from: float | None) -> list[int | None]:
    """Sums of equal parts of [begin, end), without those in which nothing can be known: where there is none, and the
    part ended before `known_from`."""
    length = (end - begin) / len(sums)
    gaps = len(sums) if known_from is None else (known_from - begin) // length
    return [value or (None if slot < gaps else 0) for slot, value in enumerate(sums)]


def _height(value: int, highest: int, heights: int) -> int:
    if value <= 0:
        return 0
    return max(1, -(-value * (heights - 1) // highest))
