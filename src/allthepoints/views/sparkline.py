"""A line of small bars: how a number went over a day, in the height of one line of text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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


def in_slots(
    entries: Iterable[tuple[float, int]], begin: float, end: float, slots: int = SLOTS, known_from: float | None = None
) -> list[int | None]:
    """The sums of (at, value) in equal parts of [begin, end). Parts that ended before `known_from` are gaps."""
    length = (end - begin) / slots
    sums: dict[int, int] = {}
    for at, value in entries:
        if begin <= at <= end:
            slot = min(slots - 1, int((at - begin) / length))
            sums[slot] = sums.get(slot, 0) + value
    return laid(sums, begin, end, slots, known_from)


def laid(
    sums: Mapping[int, int], begin: float, end: float, slots: int = SLOTS, known_from: float | None = None
) -> list[int | None]:
    """The same of sums that are known already, by the number of their part."""
    length = (end - begin) / slots
    gaps = slots if known_from is None else max(0, min(slots, int((known_from - begin) // length)))
    return [sums.get(slot, None if slot < gaps else 0) for slot in range(slots)]


def _height(value: int, highest: int, heights: int) -> int:
    if value <= 0:
        return 0
    return max(1, -(-value * (heights - 1) // highest))
