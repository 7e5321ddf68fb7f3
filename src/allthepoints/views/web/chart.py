"""What the chart of a channel is drawn from, as JSON: `views/chart.py` tells what it is."""

from __future__ import annotations

from datetime import tzinfo

from allthepoints.base.types import JSON, UserId
from allthepoints.storage.read_points import PointsReader
from allthepoints.views import chart as views
from allthepoints.views.chart import MOST_POINTS, merged, read_chart

__all__ = ["MOST_POINTS", "RANGES", "chart", "merged"]

RANGES = tuple(name for name, _ in views.RANGES)


def chart(reader: PointsReader, channel: UserId, span: str, now: float, zone: tzinfo) -> dict[str, JSON]:
    """`{"channel", "id", "currency", "range", "begin", "end", "points": [[t, points]], "presence": [[from, to]],
    "live": [[from, to, title]], "bought": [[t, cost, item]]}`; a `to` of null goes on. `span` is one of RANGES.

    At most 2,000 points. Where nothing is known before `begin`, the first point is later.
    """
    known = next((one for one in reader.channels() if one.id == channel), None)
    found = read_chart(reader, channel, span, now, zone)
    _, loyalty = reader.loyalty(channel)
    return {
        "channel": None if known is None else known.login,
        "id": channel,
        "currency": "" if loyalty is None else loyalty.currency,
        "range": span,
        "begin": found.begin,
        "end": found.end,
        "points": [[at, points] for at, points in found.points],
        "presence": [list(band) for band in found.presence],
        "live": [[max(row.started_at, found.begin), row.ended_at, row.title] for row in found.live],
        "bought": [[one.at, one.cost, one.name] for one in found.bought],
    }
