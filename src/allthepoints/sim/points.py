"""Loyalty points by StreamElements' rules: every so many minutes of a live stream, an amount for each login in the
chatter list. Pure.

The list is read anew only every `lag` seconds, so a payment goes to those who were there at the last reading: someone
who came a moment ago waits, someone who just left is still paid. Repetitions pay nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

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
    currency: str = "points"
    subscriber_multiplier: int = 1
    tells_interval: bool = True
    """Whether the settings say `interval`; those written before 2024-07-25 do not."""


class Terms:
    """A channel's settings over time, and when StreamElements' bot was away from its chat."""

    def __init__(self, loyalty: Loyalty) -> None:
        self._since = [-math.inf]
        self._loyalties = [loyalty]
        self._absences: list[tuple[float, float]] = []

    @property
    def now(self) -> Loyalty:
        """The newest settings. The interval is the same in all of them."""
        return self._loyalties[-1]

    def change(self, at: float, loyalty: Loyalty) -> None:
        """Other settings after `at`: a payment of that very moment is made already. Raises ValueError for another
        interval: StreamElements' clock is not re-set."""
        if loyalty.interval != self.now.interval:
            raise ValueError("the interval of a channel stays what it is for the day")
        self._since.append(at)
        self._loyalties.append(loyalty)

    def away(self, since: float, until: float) -> None:
        """The bot is gone for a while, and nobody is paid."""
        self._absences.append((since, until))

    def at(self, paid_at: float) -> Loyalty | None:
        """The settings by which a payment is made; None if nobody is there to make it."""
        if any(since < paid_at <= until for since, until in self._absences):
            return None
        return self._loyalties[bisect_left(self._since, paid_at) - 1]


def payments(loyalty: Loyalty, started_at: float, ended_at: float, first: int = 1) -> Iterator[tuple[float, float]]:
    """Each payment of one stream, from number `first` on: when it is made, and when the chatter list it goes by was
    read. Whether it is made at all, the settings of that moment say."""
    for number in range(first, int((ended_at - started_at) / loyalty.interval) + 1):
        paid_at = started_at + number * loyalty.interval
        yield paid_at, math.floor(paid_at / loyalty.lag) * loyalty.lag if loyalty.lag else paid_at


@dataclass(frozen=True, slots=True)
class Earned:
    """Points that were paid, and by how many payments."""

    points: int = 0
    payments: int = 0


@dataclass(slots=True)
class Wages:
    """What one login gets in one channel, derived anew when asked, without adding up twice what can change no more.

    Exact: streams, stays and settings only ever change at the present moment. So payments that are past are settled:
    of streams before number `_stream` all, of that one those before number `_payment`. Payments at this very moment
    are not, for whoever was paid may leave in it yet.
    """

    login: str
    since: float
    """Payments up to then do not count."""
    subscribed: bool = False
    _settled: Earned = Earned()
    _stream: int = 0
    _payment: int = 1
    _starts: list[float] = field(default_factory=list)

    def so_far(self, terms: Terms, streams: Spans, sat: Spans, now: float) -> Earned:
        """All of it until `now`. `streams` (the live ones) and `sat`: those of the last time, and what came since."""
        self._starts.extend(start for start, _ in sat[len(self._starts) :])
        total = self._settled
        for index in range(self._stream, len(streams)):
            started_at, ended_at = streams[index]
            end = now if ended_at is None else min(ended_at, now)
            for paid_at, read_at in payments(terms.now, started_at, end, self._payment):
                amount = self._amount(terms, paid_at) if _inside(self._starts, sat, read_at) else 0
                if amount:
                    total = Earned(total.points + amount, total.payments + 1)
                if paid_at < now:
                    self._settled, self._payment = total, self._payment + 1
            if ended_at is None or ended_at >= now or index + 1 == len(streams):
                break
            self._stream, self._payment = index + 1, 1
        return total

    def _amount(self, terms: Terms, paid_at: float) -> int:
        loyalty = terms.at(paid_at)
        if paid_at <= self.since or loyalty is None or not loyalty.enabled or self.login in loyalty.ignored:
            return 0
        return loyalty.amount * (loyalty.subscriber_multiplier if self.subscribed else 1)


def paid(loyalty: Loyalty, login: str, streams: Spans, sat: Spans, since: float, now: float) -> int:
    """Points that a login got between `since` and `now` in a channel whose live streams and its own stay are given."""
    return Wages(login, since).so_far(Terms(loyalty), streams, sat, now).points


def _inside(starts: list[float], sat: Spans, at: float) -> bool:
    index = bisect_right(starts, at) - 1
    if index < 0:
        return False
    end = sat[index][1]
    return end is None or at < end
