"""Times of day in a person's own zone, as moments: when it is 08:00 next, and how long the quiet hours go on.

A time of day is in minutes after midnight. Where clocks are changed, a time that is left out comes at the moment of the
change, or as much later as was left out; one that comes twice counts the first time (PEP 495, fold 0). So each day has
each time exactly once, and no quiet hour lasts for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """From `begin` to `end`, on the next day where `end` is earlier. Never the same: such hours would have no end."""

    begin: int
    end: int


def last_time(minutes: int, now: float, zone: tzinfo) -> float:
    """The latest moment, not after `now`, at which it was that time of day."""
    return next(at for at in (_moment(day, minutes, zone) for day in _days(now, zone, (1, 0, -1, -2))) if at <= now)


def next_time(minutes: int, now: float, zone: tzinfo) -> float:
    """The first moment after `now` at which it is that time of day."""
    return next(at for at in (_moment(day, minutes, zone) for day in _days(now, zone, (-1, 0, 1, 2))) if at > now)


def quiet_until(hours: Hours | None, now: float, zone: tzinfo) -> float | None:
    """When the hours that go on at `now` end; None: none go on."""
    if hours is None:
        return None
    for day in _days(now, zone, (-1, 0)):
        begin = _moment(day, hours.begin, zone)
        end = _moment(day if hours.end > hours.begin else day + DAY, hours.end, zone)
        if begin <= now < end:
            return end
    return None


def _days(now: float, zone: tzinfo, away: tuple[int, ...]) -> list[date]:
    today = datetime.fromtimestamp(now, zone).date()
    return [today + days * DAY for days in away]


def _moment(day: date, minutes: int, zone: tzinfo) -> float:
    return datetime.combine(day, time(*divmod(minutes, 60)), zone).timestamp()
