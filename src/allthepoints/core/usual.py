"""Who usually starts next, and when: from when channels went live in the last weeks.

Theory. People keep their hours by the clock of their wall, so starts are minutes of local time, laid on a circle: one
of a day, and one of a week. Where the starts of at least three rounds lie within AGREE there is a *habit*, of every day
or of that day of the week, and the middle one of them tells its time. A round in which a channel starts twice counts
once. A habit of every day skips a day of the week on which the channel lately did not start. Where nothing agrees,
nothing is said: a wrong promise is worse than none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from allthepoints.base.types import UserId

DAY = 24 * 60
WEEK = 7 * DAY
"""Minutes of the clock."""

LOOKED_BACK = 28 * 86_400.0
"""Seconds: what was longer ago says little of next week."""

LOOKED_AHEAD = 7 * 86_400.0
"""Seconds."""

AGREE = 90
"""Minutes within which starts agree."""

LEAST = 3
"""So many of them are a habit, and no coincidence."""

MOST_DAYS = 4
"""Of the last seven, for a habit of every day."""

AGAIN = 180
"""Minutes: who starts anew so soon was cut off, or changed something, and did not come at another time."""

ROUND = 15
"""Minutes: a time that is told with "about" is told in quarters of an hour."""

_NEVER = datetime(1970, 1, 1)  # noqa: DTZ001 -- of the clock on the wall, in no zone


@dataclass(frozen=True, slots=True)
class Usual:
    """A channel, and when it is likely to start (epoch seconds; good for a quarter of an hour or so)."""

    channel: UserId
    at: float


def usual_next(starts: Iterable[tuple[UserId, float]], now: float, zone: tzinfo) -> Usual | None:
    """The one that comes first, later than `now` and within LOOKED_AHEAD; None where there is no habit.

    `starts`: channels, and when they went live (epoch seconds), in any order.
    """
    of: dict[UserId, set[float]] = {}
    for channel, at in starts:
        if now - LOOKED_BACK <= at <= now:
            of.setdefault(channel, set()).add(at)
    found = ((_next(ats, now, zone), -len(ats), channel) for channel, ats in of.items() if len(ats) >= LEAST)
    first = min(((at, many, channel) for at, many, channel in found if at is not None), default=None)
    return None if first is None else Usual(first[2], first[0])


@dataclass(frozen=True, slots=True)
class _Habit:
    """Starts that agree: in each of `rounds`, at most AGREE minutes after `begin` on a circle of `period` minutes."""

    period: int
    begin: int
    middle: int
    """On the same circle, or past its end."""
    rounds: frozenset[int]

    def holds(self, today: int) -> bool:
        """Whether it is still so."""
        return self.period == WEEK or sum(round_ >= today - 7 for round_ in self.rounds) >= MOST_DAYS

    def expected(self, round_: int) -> bool:
        """Not on a day of the week that was left out, as far as one was seen at all."""
        if self.period == WEEK or min(self.rounds) > round_ - 7:
            return True
        return round_ - 7 in self.rounds or round_ - 14 in self.rounds


def _next(ats: Iterable[float], now: float, zone: tzinfo) -> float | None:
    ordered = sorted(ats)
    clock, last = _apart(ordered, zone), ordered[-1]
    moments = (
        moment
        for period in (DAY, WEEK)
        for habit in _habits(clock, period)
        for moment in _moments(habit, now, zone)
        if moment - last >= AGREE * 60  # else it came a little early, and was that
    )
    return min(moments, default=None)


def _moments(habit: _Habit, now: float, zone: tzinfo) -> Iterator[float]:
    here = _minutes(now, zone)
    today = (here - habit.begin) // habit.period
    if not habit.holds(today):
        return
    for round_ in range(today, today + WEEK // habit.period + 2):
        moment = _moment(round_ * habit.period + habit.middle, zone)
        if now < moment <= now + LOOKED_AHEAD and habit.expected(round_):
            yield moment


def _habits(clock: Sequence[int], period: int) -> Iterator[_Habit]:
    """The firmest first; what lies beside one is no other."""
    left = clock
    while (habit := _firmest(left, period)) is not None:
        yield habit
        begin = habit.begin
        left = [minute for minute in left if (minute - begin + AGREE) % period > 3 * AGREE]


def _firmest(clock: Sequence[int], period: int) -> _Habit | None:
    """Where the most rounds agree; of these the closest together. (No round has two: `_apart` keeps them further apart
    than AGREE.)"""
    around = sorted((minute % period, minute) for minute in clock)
    phases = [phase for phase, _ in around]
    phases += [phase + period for phase in phases]
    ends = [bisect_right(phases, phase + AGREE) for phase in phases[: len(around)]]
    at = max(range(len(ends)), key=lambda at: (ends[at] - at, phases[at] - phases[ends[at] - 1]), default=None)
    if at is None or ends[at] - at < LEAST:
        return None
    begin, middle = phases[at], phases[(at + ends[at] - 1) // 2]
    rounds = frozenset((around[index % len(around)][1] - begin) // period for index in range(at, ends[at]))
    return _Habit(period, begin, (middle + ROUND // 2) // ROUND * ROUND, rounds)


def _apart(ordered: Iterable[float], zone: tzinfo) -> list[int]:
    """Minutes of the clock at which it came, and not only came back."""
    kept: list[int] = []
    last = float("-inf")
    for at in ordered:
        if at - last >= AGAIN * 60:
            kept.append(_minutes(at, zone))
            last = at
    return kept


def _minutes(at: float, zone: tzinfo) -> int:
    there = datetime.fromtimestamp(at, zone).replace(tzinfo=None)
    return (there - _NEVER) // timedelta(minutes=1)


def _moment(minutes: int, zone: tzinfo) -> float:
    """A time that is left out, or comes twice, is read with the offset before the change (PEP 495, fold 0)."""
    return (_NEVER + timedelta(minutes=minutes)).replace(tzinfo=zone).timestamp()
