"""What the chart of a channel is drawn from, as JSON: `views/chart.py` tells what it is."""

from __future__ import annotations

from datetime import tzinfo
from typing import NamedTuple

from allthepoints.base.types import JSON, Login, UserId
from allthepoints.storage.read_points import PointsReader
from allthepoints.views import chart as views
from allthepoints.views.chart import MOST_POINTS, Chart, merged, read_chart
from allthepoints.views.plain import Field, Shape, one_of

__all__ = ["MOST_POINTS", "RANGES", "chart", "merged"]

RANGES = tuple(name for name, _ in views.RANGES)


class Drawn(NamedTuple):
    """A chart, and of which channel. `login` None: nobody knows its name."""

    chart: Chart
    channel: UserId
    login: Login | None
    currency: str
    span: str


CHART: Shape[Drawn] = Shape(
    "A channel over time",
    "`/api/chart/LOGIN?range=RANGE`. Times in it are epoch seconds; where an end is `null`, it goes on",
    (
        Field("channel", "str|null", "The login.", lambda drawn: drawn.login),
        Field("id", "str", "Twitch's id.", lambda drawn: drawn.channel),
        Field("currency", "str", "What the channel calls its points; may be empty.", lambda drawn: drawn.currency),
        Field("range", one_of(RANGES), "What was asked for; `7d` where nothing was.", lambda drawn: drawn.span),
        Field("begin", "float", "From when.", lambda drawn: drawn.chart.begin),
        Field("end", "float", "To when.", lambda drawn: drawn.chart.end),
        Field(
            "points",
            "list of [at, points]",
            f"From then on the balance was so much; at most {MOST_POINTS:,}. The first is later than `begin` where "
            "nothing is known before.",
            lambda drawn: [[at, points] for at, points in drawn.chart.points],
        ),
        Field(
            "presence",
            "list of [from, to]",
            "When you were in the chat.",
            lambda drawn: [list(band) for band in drawn.chart.presence],
        ),
        Field(
            "live",
            "list of [from, to, title]",
            "When it was live.",
            lambda drawn: [
                [max(row.started_at, drawn.chart.begin), row.ended_at, row.title] for row in drawn.chart.live
            ],
        ),
        Field(
            "bought",
            "list of [at, cost, item]",
            "What you redeemed.",
            lambda drawn: [[one.at, one.cost, one.name] for one in drawn.chart.bought],
        ),
    ),
)


def chart(reader: PointsReader, channel: UserId, span: str, now: float, zone: tzinfo) -> dict[str, JSON]:
    """CHART of a channel. `span` is one of RANGES."""
    known = next((one for one in reader.channels() if one.id == channel), None)
    _, loyalty = reader.loyalty(channel)
    login, currency = None if known is None else known.login, "" if loyalty is None else loyalty.currency
    return CHART.of(Drawn(read_chart(reader, channel, span, now, zone), channel, login, currency, span))
