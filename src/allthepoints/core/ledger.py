"""The ledger of one channel's points: readings become earned, spent or adjusted. Pure values.

Theory. A reading tells a balance, not a change. What it rose by while we were in the chat was earned; what it rose by
otherwise, or by more than could have been earned, was given or set back to an old value: adjusted. What it fell by was
spent where we know of a redemption, else adjusted (a bet, a refund taken back, a reset). So the sum of all postings is
always the last reading less the first, and nobody else's doing becomes an earning, nor a negative one.
"""

from __future__ import annotations

from dataclasses import dataclass

from allthepoints.core.records import Change

WINDOW = 3 * 3600.0
"""Seconds of earnings from which the interval and the rate are learned."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One change of a balance, to `points`."""

    change: Change
    delta: int
    points: int


@dataclass(frozen=True, slots=True)
class Rise:
    """What was earned between two readings; `at` is the later one, `present_s` our presence between them."""

    at: float
    delta: int
    present_s: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """The last reading, and the readings of the last WINDOW seconds of presence, rises and flat ones (delta 0)."""

    points: int | None = None
    at: float = 0.0
    recent: tuple[Rise, ...] = ()

    @property
    def rose_at(self) -> float | None:
        """When something was last earned."""
        return next((rise.at for rise in reversed(self.recent) if rise.delta > 0), None)
