"""Days of a person's own time zone, as moments: when today began, and the last 7 and 30 days with it.

Times in epoch seconds. A day lasts 23 or 25 hours where clocks are changed, and begins later than midnight where
midnight is left out; `tzinfo` knows both. What happened is kept in epoch seconds, so another zone needs no migration.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class Periods:
    """When each period began: today; 7 and 30 days, of which today is the last."""

    today: float
    week: float
    month: float


def periods(now: float, zone: tzinfo) -> Periods:
    """The periods that end now."""
    return Periods(day_start(now, zone), day_start(now, zone, 6), day_start(now, zone, 29))


def day_start(now: float, zone: tzinfo, days_back: int = 0) -> float:
    """When the day of `now` in `zone` began, or the day so many days before it.

    A midnight that is left out is read with the offset before the change (PEP 495, fold 0): that is the moment of the
    change, the first of that day.
    """
    day = datetime.fromtimestamp(now, zone).date() - timedelta(days=days_back)
    return datetime.combine(day, time.min, zone).timestamp()
