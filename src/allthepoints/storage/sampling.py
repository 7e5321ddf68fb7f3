"""Fewer points for a chart, from which nothing that stands out is missing. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class ChartPoint(NamedTuple):
    """From `at` (epoch seconds) on the balance was `points`, until the next one."""

    at: float
    points: int


LEAST = 4
"""First, last, and one bucket's lowest and highest."""


def sampled(points: Sequence[ChartPoint], most: int) -> list[ChartPoint]:
    """At most `most` of `points` (ascending in time; a `most` below LEAST counts as that).

    The first and the last are kept. The time between is cut into equal buckets, of each of which the lowest and the
    highest point are kept, in their order.
    """
    most = max(LEAST, most)
    if len(points) <= most:
        return list(points)
    first, last = points[0], points[-1]
    buckets = (most - 2) // 2
    width = (last.at - first.at) / buckets
    found: dict[int, tuple[int, int]] = {}
    for index in range(1, len(points) - 1):
        at, value = points[index]
        bucket = min(int((at - first.at) / width), buckets - 1) if width > 0 else 0
        low, high = found.get(bucket, (index, index))
        if value < points[low].points:
            low = index
        elif value > points[high].points:
            high = index
        found[bucket] = (low, high)
    kept = sorted({index for pair in found.values() for index in pair})
    return [first, *(points[index] for index in kept), last]
