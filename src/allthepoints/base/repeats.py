"""The same thing told once, and then counted: so that a fault that comes every second fills no disk and hides nothing.

Theory. What is told has a key. The first time it is told whole. After that it is counted, and the count is told every
so often while it goes on, and as soon as something else is told for the first time: whoever reads on knows how things
stood then. What was not met for long is news again. Time is an argument; at most `MOST` things are remembered, and of
those that go the count is told.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

EVERY = 600.0
"""Seconds between two counts of the same thing."""

FORGET = 3600.0
"""Seconds without it after which it is told whole again."""

MOST = 200


@dataclass(frozen=True, slots=True)
class More:
    """What has `key` came `count` more times, first at `since` and last at `until`. `what` as it was told first."""

    key: str
    what: str
    count: int
    since: float
    until: float


@dataclass(slots=True)
class _Known:
    what: str
    told_at: float
    last: float
    since: float = 0.0
    more: int = 0


class Repeats:
    """What was told lately."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def due(self, at: float) -> list[More]:
        """The counts that have to be told by now. Ask before `take`."""
        told = [self._count(key, known, at) for key, known in self._known.items() if _is_due(known, at)]
        for key in [key for key, known in self._known.items() if abs(at - known.last) >= FORGET]:
            del self._known[key]
        return told

    def take(self, key: str, what: str, at: float) -> list[More] | None:
        """What to tell before this is told whole; None: it is not told, but counted."""
        known = self._known.get(key)
        if known is not None:
            known.since = known.since if known.more else at
            known.more, known.last = known.more + 1, at
            self._known.move_to_end(key)
            return None
        before = self.rest(at)
        self._known[key] = _Known(what, at, at)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return before

    def rest(self, at: float) -> list[More]:
        """All counts that were not told yet."""
        return [self._count(key, known, at) for key, known in self._known.items() if known.more]

    def _count(self, key: str, known: _Known, at: float) -> More:
        more = More(key, known.what, known.more, known.since, known.last)
        known.more, known.told_at = 0, at
        return more


def _is_due(known: _Known, at: float) -> bool:
    return known.more > 0 and abs(at - known.told_at) >= EVERY  # a clock may be set back
