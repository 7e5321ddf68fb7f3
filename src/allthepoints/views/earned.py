"""What came of the channels, read back from the memory: for every face that shows points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import tzinfo

from allthepoints.base.types import Login, UserId
from allthepoints.core import days
from allthepoints.core.ledger import expected
from allthepoints.core.loyalty import Loyalty
from allthepoints.storage.read_points import PointsReader, PointsRow, SessionEarned
from allthepoints.views.points import Points, Stay
from allthepoints.views.sparkline import SLOTS, in_slots, laid
from allthepoints.views.text import DAY


def read_points(
    reader: PointsReader, now: float, zone: tzinfo, running: bool = True, only: UserId | None = None
) -> list[Points]:
    """Every channel that StreamElements has, as far as its points were read; by login. `only`: no other one.

    The verdicts of a service that does not run are not those of now.
    """
    periods = days.periods(now, zone)
    today, week, month = reader.earned_each((periods.today, periods.week, periods.month), only)
    bars, last = _bars(reader, now, only), reader.last_earned()
    rows = []
    for row in reader.points():
        id_ = row.channel
        if only not in (None, id_):
            continue
        earned = (today.get(id_, 0), week.get(id_, 0), month.get(id_, 0))
        found = _points(row, earned, bars.get(id_) or _quiet(row, now), last.get(id_))
        rows.append(found if running else replace(found, verdict="unknown", causes=()))
    return rows


def read_detail(reader: PointsReader, channel: UserId, now: float, zone: tzinfo, running: bool = True) -> Points | None:
    """All that is known of one channel's points, its settings and the session that goes on; None: it was never seen."""
    found = read_points(reader, now, zone, running, channel)
    row = found[0] if found else _without(reader, channel)
    if row is None:
        return None
    _, loyalty = reader.loyalty(channel)
    going_on = [session for session in reader.sessions_earned(channel) if session.ended_at is None]
    return replace(row, loyalty=loyalty, stay=stay_of(going_on[-1], loyalty) if going_on else None)


def stay_of(session: SessionEarned, loyalty: Loyalty | None) -> Stay:
    """What came of a session, and what its time in the chat should have brought."""
    promised = expected(loyalty, (loyalty or Loyalty()).every, session.present_s)
    return Stay(session.started_at, session.present_s, session.earned, promised)


def _points(row: PointsRow, earned: tuple[int, int, int], bars: tuple[int | None, ...], last: float | None) -> Points:
    return Points(
        id=row.channel,
        login=row.login or Login(""),
        display=row.display or "",
        currency=row.currency,
        points=row.points,
        alltime=row.alltime,
        rank=row.rank,
        watch_minutes=row.watch_minutes,
        earned_today=earned[0],
        earned_7d=earned[1],
        earned_30d=earned[2],
        earned_total=row.earned_total,
        rate_per_hour=row.rate_per_hour,
        verdict=row.verdict,
        causes=row.causes,
        seen_at=row.seen_at,
        earned_at=last,
        bars=bars,
    )


def _without(reader: PointsReader, channel: UserId) -> Points | None:
    """A channel of which no points are known."""
    known = {known.id: known for known in reader.channels()}.get(channel)
    if known is None:
        return None
    found = Points(known.id, known.login, known.display)
    seen = {row.id: row for row in reader.status().channels}.get(channel)
    return found if seen is None else replace(found, verdict=seen.verdict, causes=seen.causes)


def _quiet(row: PointsRow, now: float) -> tuple[int | None, ...]:
    """The bars of a channel that earned nothing."""
    return tuple(in_slots((), now - DAY, now, known_from=None if row.points is None else now - DAY))


def _bars(reader: PointsReader, now: float, only: UserId | None) -> Mapping[UserId, tuple[int | None, ...]]:
    """What was earned in each part of the last day. Before the first reading is a gap."""
    found = reader.earned_in_parts(now - DAY, now, SLOTS, only)
    return {
        channel: tuple(laid(of_channel.sums, now - DAY, now, known_from=of_channel.opened_at or now - DAY))
        for channel, of_channel in found.items()
    }
