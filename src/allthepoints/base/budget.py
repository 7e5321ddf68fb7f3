"""Sliding windows: at most so many attempts in any window of so many seconds.

A window is a value: the ascending times of the attempts that still count. It outlives connections because nobody's
connection owns it, and it outlives the process because it is stored with the other facts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` attempts within any `span` seconds."""

    limit: int
    span: float
    times: tuple[float, ...] = ()

    def free(self, now: float) -> int:
        """How many attempts may be made now."""
        return max(0, self.limit - len(self._counted(now)))

    def free_at(self, now: float) -> float:
        """The earliest time, now or later, at which one more attempt is allowed."""
        counted = self._counted(now)
        if len(counted) < self.limit:
            return now
        return counted[len(counted) - self.limit] + self.span

    def spend(self, at: float, count: int = 1) -> Window:
        """The window after `count` attempts at `at`; attempts that no longer count are forgotten."""
        return Window(self.limit, self.span, tuple(sorted((*self._counted(at), *([at] * count)))))

    def _counted(self, now: float) -> list[float]:
        """Compared as `free_at` adds, so that what rounding makes of the sum cannot leave a wait without an end."""
        return [at for at in self.times if at + self.span > now]
