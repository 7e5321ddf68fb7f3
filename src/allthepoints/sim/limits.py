"""Twitch's limits, and how the server keeps them: sliding windows of attempts, and Helix' bucket of points. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

import msgspec


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Twitch's limits, and how the server reacts where the documentation does not say."""

    joins: int = 20
    logins: int = 20
    window: float = 10.0
    """JOIN attempts and logins of an account in so many seconds."""
    join_mode: Literal["silent", "disconnect", "accept"] = "silent"
    """A JOIN too many: unanswered, or the connection is closed, or taken all the same. Always counted."""
    login_mode: Literal["close", "accept"] = "close"
    rooms: int = 100
    rooms_per: Literal["room", "socket"] = "room"
    """Whether a room joined on two connections uses one slot or two (unknown at Twitch)."""
    unknown_join: Literal["silent", "notice"] = "silent"
    """A JOIN of a login that nobody has (the documentation says both)."""
    ping_every: float = 285.0
    pong_within: float = 30.0
    helix_points: int = 800
    elements_per_minute: int = 120
    """Calls for points and redemptions that StreamElements answers in one minute (its number is not published)."""
    store_page: int = 0
    """Items that an answer holds where the client names no limit; 0: all of them (unknown at StreamElements)."""


@dataclass(slots=True)
class AttemptWindow:
    """At most `limit` attempts in any `span` seconds; refused attempts count too, as they do at Twitch."""

    limit: int
    span: float
    attempts: int = 0
    violations: int = 0
    """Attempts that were more than the window holds."""
    worst: int = 0
    """The most attempts that any window of `span` seconds held."""
    violated_at: list[float] = field(default_factory=list)
    _recent: deque[float] = field(default_factory=deque)

    def attempt(self, now: float) -> bool:
        """Count one attempt; False if it was one too many. Attempts exactly `span` seconds apart are in two windows."""
        while self._recent and self._recent[0] <= now - self.span:
            self._recent.popleft()
        self._recent.append(now)
        self.attempts += 1
        self.worst = max(self.worst, len(self._recent))
        if len(self._recent) <= self.limit:
            return True
        self.violations += 1
        self.violated_at.append(now)
        return False


@dataclass(slots=True)
class PointBucket:
    """Helix' rate limit: `limit` points that come back evenly within `period` seconds."""

    limit: int
    period: float = 60.0
    _left: float = -1.0
    _at: float = 0.0

    def take(self, now: float, points: int = 1) -> bool:
        """Spend points; False (and nothing spent) if there are not enough."""
        self._refill(now)
        if self._left < points:
            return False
        self._left -= points
        return True

    def headers(self, now: float) -> dict[str, str]:
        """The three Ratelimit headers; Reset is in whole epoch seconds, when the bucket will be full again."""
        self._refill(now)
        full_at = now + (self.limit - self._left) * self.period / self.limit
        return {
            "Ratelimit-Limit": str(self.limit),
            "Ratelimit-Remaining": str(int(self._left)),
            "Ratelimit-Reset": str(int(full_at) + 1),
        }

    def _refill(self, now: float) -> None:
        if self._left < 0:
            self._left = float(self.limit)
        else:
            self._left = min(self.limit, self._left + (now - self._at) * self.limit / self.period)
        self._at = now


@dataclass(slots=True)
class MinuteWindow:
    """StreamElements' rate limit: so many calls from one full minute to the next."""

    limit: int
    _minute: int = 0
    _taken: int = 0

    def take(self, now: float) -> bool:
        """Count one call; False if it was one too many."""
        if (minute := int(now // 60)) != self._minute:
            self._minute, self._taken = minute, 0
        self._taken += 1
        return self._taken <= self.limit

    def headers(self, now: float) -> dict[str, str]:
        """The three headers; reset is in epoch milliseconds."""
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(max(0, self.limit - self._taken)),
            "x-ratelimit-reset": str((int(now // 60) + 1) * 60_000),
        }
