"""What came of the channels, read back from the memory: for every face that shows points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from itertools import accumulate, pairwise
from typing import NamedTuple

from allthepoints.base.types import Login, UserId
from allthepoints.core import days
from allthepoints.core.ledger import expected
from allthepoints.core.loyalty import Loyalty
from allthepoints.storage.read_points import PointsReader, PointsRow, SessionEarned
from allthepoints.views.points import Points, Stay
from allthepoints.views.sparkline import SLOTS, with_gaps
from allthepoints.views.text import DAY


def read_points(
    reader: PointsReader,
    now: float,
    zone: tzinfo,
    running: bool = True,
    only: UserId | None = None,
    with_month: bool = True,
) -> list[Points]:
    """Every channel that StreamElements has, as far as its points were read; by login. `only`: no other one.

    The verdicts of a service that does not run are not those of now. Who shows no `earned_30d` asks for it not to be
    added up (it stands as 0): it is most of what there is to read.
    """
    periods = days.periods(now, zone)
    sums = _sums(reader, (periods.today, periods.week, *((periods.month,) if with_month else ())), now, only)
    opened, last = reader.opened(now - DAY, only), reader.last_earned()
    rows = []
    for row in reader.points():
        id_ = row.channel
        if only not in (None, id_):
            continue
        since, slots = sums.get(id_, _NOTHING)
        known_from = opened.get(id_, now - DAY if any(slots) or row.points is not None else None)
        today, week, month = (*since, 0)[:3]
        bars = with_gaps(slots, now - DAY, now, known_from)
        found = _points(row, (today, week, month), tuple(bars), last.get(id_))
        rows.append(found if running else replace(found, verdict="unknown", causes=()))
    return rows


class _Sums(NamedTuple):
    """What was earned since each of some times, and in each part of the last day."""

    since: Sequence[int]
    slots: Sequence[int]


_NOTHING = _Sums((0, 0, 0), (0,) * SLOTS)


def _sums(reader: PointsReader, sinces: Sequence[float], now: float, only: UserId | None) -> Mapping[UserId, _Sums]:
    """Of channels that earned anything; read in one pass, whose edges are all of these times."""
    begins = [now - DAY + slot * DAY / SLOTS for slot in range(SLOTS + 1)]
    begins[-1] += 0.001  # what came just now is in the last part
    edges = sorted({*sinces, *begins})
    of_sinces, of_begins = [edges.index(at) for at in sinces], [edges.index(at) for at in begins]
    found = {}
    for channel, between in reader.earned_between(edges, only).items():
        if any(between):
            since = [*accumulate(reversed(between))][::-1]
            slots = [since[begin] - since[end] for begin, end in pairwise(of_begins)]
            found[channel] = _Sums([since[at] for at in of_sinces], slots)
    return found


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
