"""Fewer points for a chart, from which nothing that stands out is missing. Pure."""

from __future__ import annotations

from collections.abc import Sequence

Step = tuple[int, int]
"""A time and a value."""

LEAST = 4
"""First, last, and one bucket's lowest and highest."""


def sampled(steps: Sequence[Step], most: int) -> list[Step]:
    """At most `most` of `steps`, which ascend in time (a `most` below LEAST counts as LEAST).

    The first and the last are kept. The time between is cut into equal buckets, of each of which the lowest and the
    highest are kept, in their order.
    """
    most = max(LEAST, most)
    if len(steps) <= most:
        return list(steps)
    begin, buckets = steps[0][0], (most - 2) // 2
    span = steps[-1][0] - begin + 1
    kept, present = [0], -1
    low = high = 0
    for index in range(1, len(steps) - 1):
        at, value = steps[index]
        bucket = (at - begin) * buckets // span
        if bucket != present:
            if present >= 0:
                kept += (low, high) if low < high else (high, low)
            present, low, high = bucket, index, index
        elif value < steps[low][1]:
            low = index
        elif value > steps[high][1]:
            high = index
    kept += (low, high) if low < high else (high, low)
    kept.append(len(steps) - 1)
    return [steps[index] for place, index in enumerate(kept) if place == 0 or index != kept[place - 1]]
