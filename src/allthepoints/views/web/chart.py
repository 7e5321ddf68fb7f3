"""What the chart of a channel is drawn from: the balance as steps, and under it when we were in and when it was live.

All on one time axis, in seconds since the epoch, so that the eye sees "live, but not in" at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from allthepoints.base.types import JSON, UserId
from allthepoints.core import days
from allthepoints.core.redeem import Redemption, State
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.text import DAY

RANGES = ("today", "7d", "30d", "all")

MOST_POINTS = 2_000
MOST_BANDS = 1_000
MOST_BOUGHT = 500


def chart(reader: PointsReader, channel: UserId, span: str, now: float, zone: tzinfo) -> dict[str, JSON]:
    """`{"channel", "id", "currency", "range", "begin", "end", "points": [[t, points]], "presence": [[from, to]],
    "live": [[from, to, title]], "bought": [[t, cost, item]]}`; a `to` of null goes on. `span` is one of RANGES.

    At most 2,000 points. Where nothing is known before `begin`, the first point is later.
    """
    known = next((one for one in reader.channels() if one.id == channel), None)
    begin = _begin(span, now, zone)
    steps = reader.chart(channel, begin or 0.0, now + 1.0, MOST_POINTS)
    if begin is None:
        begin = steps[0].at if steps else now - DAY
    _, loyalty = reader.loyalty(channel)
    presence = [(max(row.began_at, begin), row.ended_at) for row in reader.presence(channel, begin, now + 1.0)]
    sessions = [row for row in reader.sessions(channel, MOST_BANDS) if row.ended_at is None or row.ended_at > begin]
    return {
        "channel": None if known is None else known.login,
        "id": channel,
        "currency": "" if loyalty is None else loyalty.currency,
        "range": span,
        "begin": begin,
        "end": now,
        "points": [[at, points] for at, points in steps],
        "presence": [list(band) for band in merged(presence)][-MOST_BANDS:],
        "live": [[max(row.started_at, begin), row.ended_at, row.title] for row in reversed(sessions)],
        "bought": _bought(reader.redemptions(MOST_BOUGHT, channel), begin),
    }


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


def merged(bands: Iterable[tuple[float, float | None]]) -> list[tuple[float, float | None]]:
    """Bands that touch are one (a room moves from one connection to another, and nobody was away)."""
    found: list[tuple[float, float | None]] = []
    for begin, end in sorted(bands, key=lambda band: band[0]):
        if found and (found[-1][1] is None or begin <= found[-1][1]):
            last = found[-1][1]
            found[-1] = (found[-1][0], None if last is None or end is None else max(last, end))
        else:
            found.append((begin, end))
    return found


def _bought(redemptions: Iterable[Redemption], begin: float) -> list[JSON]:
    found = [
        (r.settled_at, r.cost, r.name)
        for r in redemptions
        if r.state is State.ACCEPTED and r.settled_at is not None and r.settled_at >= begin
    ]
    return [list(one) for one in sorted(found)]
