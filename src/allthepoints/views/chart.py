"""A channel over time: the balance as steps, when we were in and when it was live, and what was bought.

All on one time axis, in seconds since the epoch, so that the eye sees "live, but not in" at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo

from allthepoints.base.types import UserId
from allthepoints.core import days
from allthepoints.core.redeem import Redemption, State
from allthepoints.storage.read import SessionRow
from allthepoints.storage.read_points import ChartPoint, PointsReader
from allthepoints.views.text import DAY

RANGES = (("today", "Today"), ("7d", "7 days"), ("30d", "30 days"), ("all", "All"))
"""How much of the past may be shown: a name, and the words for it."""

MOST_POINTS = 2_000
MOST_BANDS = 1_000
MOST_BOUGHT = 500

Band = tuple[float, float | None]
"""From, until; None: it goes on."""


@dataclass(frozen=True, slots=True)
class Bought:
    """Something that was redeemed."""

    at: float
    cost: int
    name: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn in [begin, end). `points`: from a time on the balance was so much; where nothing is known before
    `begin`, the first is later. `live`: sessions that touch it, oldest first."""

    begin: float
    end: float
    points: tuple[ChartPoint, ...] = ()
    presence: tuple[Band, ...] = ()
    live: tuple[SessionRow, ...] = ()
    bought: tuple[Bought, ...] = ()


def read_chart(
    reader: PointsReader, channel: UserId, span: str, now: float, zone: tzinfo, most: int = MOST_POINTS
) -> Chart:
    """`span` is a name of RANGES. At most `most` points."""
    begin = _begin(span, now, zone)
    steps = reader.chart(channel, begin or 0.0, now + 1.0, most)
    if begin is None:
        begin = steps[0].at if steps else now - DAY
    presence = [(max(row.began_at, begin), row.ended_at) for row in reader.presence(channel, begin, now + 1.0)]
    sessions = [row for row in reader.sessions(channel, MOST_BANDS) if row.ended_at is None or row.ended_at > begin]
    return Chart(
        begin,
        now,
        steps,
        tuple(merged(presence)[-MOST_BANDS:]),
        tuple(reversed(sessions)),
        tuple(_bought(reader.redemptions(MOST_BOUGHT, channel), begin)),
    )


def merged(bands: Iterable[Band]) -> list[Band]:
    """Bands that touch are one (a room moves from one connection to another, and nobody was away)."""
    found: list[Band] = []
    for begin, end in sorted(bands, key=lambda band: band[0]):
        if found and (found[-1][1] is None or begin <= found[-1][1]):
            last = found[-1][1]
            found[-1] = (found[-1][0], None if last is None or end is None else max(last, end))
        else:
            found.append((begin, end))
    return found


def _begin(span: str, now: float, zone: tzinfo) -> float | None:
    match span:
        case "today":
            return days.periods(now, zone).today
        case "7d":
            return now - 7 * DAY
        case "30d":
            return now - 30 * DAY
        case _:
            return None


def _bought(redemptions: Iterable[Redemption], begin: float) -> list[Bought]:
    """Oldest first."""
    found = [
        Bought(r.settled_at, r.cost, r.name)
        for r in redemptions
        if r.state is State.ACCEPTED and r.settled_at is not None and r.settled_at >= begin
    ]
    return sorted(found, key=lambda one: one.at)
