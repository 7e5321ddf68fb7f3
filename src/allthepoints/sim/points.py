"""Loyalty points by StreamElements' rules: every so many minutes of a live stream, an amount for each login in the
chatter list. Pure.

The list is read anew only every `lag` seconds, so a payment goes to those who were there at the last reading: someone
who came a moment ago waits, someone who just left is still paid. Repetitions pay nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Spans = Sequence[tuple[float, float | None]]


@dataclass(frozen=True, slots=True)
class Loyalty:
    """A channel's settings. `interval` in seconds; `lag`: age of the chatter list at most, in seconds (0: none)."""

    enabled: bool = True
    amount: int = 5
    interval: float = 600.0
    ignored: frozenset[str] = frozenset()
    """Logins that get nothing here."""
    lag: float = 300.0


def payments(loyalty: Loyalty, started_at: float, ended_at: float) -> Iterator[tuple[float, float]]:
    """Each payment of one stream: when it is made, and when the chatter list it goes by was read."""
    if not loyalty.enabled:
        return
    for number in range(1, int((ended_at - started_at) / loyalty.interval) + 1):
        paid_at = started_at + number * loyalty.interval
        yield paid_at, math.floor(paid_at / loyalty.lag) * loyalty.lag if loyalty.lag else paid_at


def paid(loyalty: Loyalty, login: str, streams: Spans, sat: Spans, since: float, now: float) -> int:
    """Points that a login got between `since` and `now` in a channel whose live streams and its own stay are given."""
    if login in loyalty.ignored:
        return 0
    starts = [start for start, _ in sat]
    total = 0
    for started_at, ended_at in streams:
        for paid_at, read_at in payments(loyalty, started_at, now if ended_at is None else min(ended_at, now)):
            if paid_at > since and _inside(starts, sat, read_at):
                total += loyalty.amount
    return total


def _inside(starts: list[float], sat: Spans, at: float) -> bool:
    index = bisect_right(starts, at) - 1
    if index < 0:
        return False
    end = sat[index][1]
    return end is None or at < end
