"""How long to wait before trying again: exponential, capped, with full jitter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """`first` and `cap` in seconds. Full jitter spreads the tries of many clients best, and keeps no two in step."""

    first: float
    cap: float
    floor: float = 0.0
    """No delay is shorter than this, so that chance cannot make a tight loop."""

    def delay(self, failures: int, luck: float) -> float:
        """Seconds to wait after the `failures`-th failure in a row (1 is the first); `luck` is in [0, 1)."""
        ceiling = min(self.cap, self.first * 2.0 ** min(max(failures, 1) - 1, 30))
        return max(self.floor, luck * ceiling)
