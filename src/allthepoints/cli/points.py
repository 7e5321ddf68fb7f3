"""`points`: am I earning? Everything is read from what the service left, whether it runs or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

import typer

from allthepoints.base.errors import UsageError
from allthepoints.base.types import JSON, Login, UserId
from allthepoints.cli import output
from allthepoints.cli.here import Here, here
from allthepoints.cli.known import channel_named, zone_in
from allthepoints.cli.options import AsJson
from allthepoints.core import days
from allthepoints.core.ledger import expected
from allthepoints.core.loyalty import Loyalty
from allthepoints.core.records import Change
from allthepoints.ports import ChannelRow
from allthepoints.storage import lock
from allthepoints.storage.read_points import PointsReader, PointsRow, SessionEarned
from allthepoints.views.columns import wrapped
from allthepoints.views.points import Points, Stay, detail_lines, points_lines, summed
from allthepoints.views.sparkline import in_slots
from allthepoints.views.text import DAY, iso

NOTHING = """No points were read yet.

They are read for the channels in whose chats you are, a few minutes after `allthepoints run` entered them."""


def points(
    context: typer.Context,
    channel: Annotated[
        str | None, typer.Argument(metavar="[CHANNEL]", help="All that is known of this channel's points.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Am I earning? What you have in each channel, what came of it, and why not where nothing comes."""
    where = here(context)
    reader = PointsReader(where.data.database)
    only = None if channel is None else channel_named(reader, channel)
    rows = [row for row in read_points(where, reader) if only in (None, row.id)]
    if as_json:
        output.say_json([as_plain(row) for row in rows])
    elif only is not None:
        _show_one(where, reader, only, rows)
    else:
        _show_all(where, rows)


def read_points(where: Here, reader: PointsReader) -> list[Points]:
    """Every channel that StreamElements has, as far as its points were read; by login.

    The verdicts of a service that does not run are not those of now.
    """
    now, running = where.now(), lock.holder(where.data.lock) is not None
    periods = days.periods(now, zone_in(where))
    today, week, month = reader.earned_each((periods.today, periods.week, periods.month))
    bars, last = _bars(reader, now), reader.last_earned()
    rows = []
    for row in reader.points():
        id_ = row.channel
        earned = (today.get(id_, 0), week.get(id_, 0), month.get(id_, 0))
        quiet = in_slots((), now - DAY, now, known_from=None if row.points is None else now - DAY)
        found = _points(row, earned, bars.get(id_, tuple(quiet)), last.get(id_))
        rows.append(found if running else replace(found, verdict="unknown", causes=()))
    return rows


def as_plain(row: Points) -> dict[str, JSON]:
    """A channel as the contract has it."""
    return {
        "channel": row.login,
        "id": row.id,
        "currency": row.currency,
        "points": row.points,
        "alltime": row.alltime,
        "rank": row.rank,
        "watch_minutes": row.watch_minutes,
        "earned_today": row.earned_today,
        "earned_7d": row.earned_7d,
        "earned_30d": row.earned_30d,
        "earned_total": row.earned_total,
        "rate_per_hour": row.rate_per_hour,
        "verdict": row.verdict,
        "causes": list(row.causes),
        "seen_at": None if row.seen_at is None else iso(row.seen_at),
        "earned_at": None if row.earned_at is None else iso(row.earned_at),
    }


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


def _bars(reader: PointsReader, now: float) -> Mapping[UserId, tuple[int | None, ...]]:
    """What was earned in each part of the last day. Before the first reading is a gap."""
    entries: dict[UserId, list[tuple[float, int]]] = {}
    opened: dict[UserId, float] = {}
    for entry in reader.entries(since=now - DAY):
        of_channel = entries.setdefault(entry.channel, [])
        if entry.change == Change.EARNED:
            of_channel.append((entry.at, entry.delta))
        elif entry.change == Change.OPENING:
            opened.setdefault(entry.channel, entry.at)
    return {
        channel: tuple(in_slots(of_channel, now - DAY, now, known_from=opened.get(channel, now - DAY)))
        for channel, of_channel in entries.items()
    }


def _show_all(where: Here, rows: list[Points]) -> None:
    if not rows:
        output.say(NOTHING)
        return
    now = where.now()
    output.say(summed(rows))
    output.say()
    for line in points_lines(rows, now, output.width(), zone_in(where), output.ascii_only()):
        output.say(line)
    if lock.holder(where.data.lock) is None:
        output.say()
        output.say("Not running, so nothing comes now. Start it with `allthepoints run`.")


def _show_one(where: Here, reader: PointsReader, channel: UserId, rows: list[Points]) -> None:
    now = where.now()
    seen = {row.id: row for row in reader.status().channels}.get(channel)
    _, loyalty = reader.loyalty(channel)
    row = rows[0] if rows else _without(reader, channel, seen)
    row = replace(row, loyalty=loyalty, stay=_stay(reader, channel, loyalty))
    for line in detail_lines(row, now, output.width(), zone_in(where), output.ascii_only()):
        for text in wrapped(line.text, output.width()) if not line.text.startswith(" ") else [line.text]:
            output.say(text)
    if lock.holder(where.data.lock) is None:
        output.say()
        output.say("Not running, so nothing comes now. Start it with `allthepoints run`.")


def _without(reader: PointsReader, channel: UserId, seen: ChannelRow | None) -> Points:
    """A channel of which no points are known."""
    known = {known.id: known for known in reader.channels()}.get(channel)
    if known is None:
        raise UsageError(f"nothing is known of channel {channel}", "`allthepoints channels` lists them.")
    found = Points(known.id, known.login, known.display)
    return found if seen is None else replace(found, verdict=seen.verdict, causes=seen.causes)


def _stay(reader: PointsReader, channel: UserId, loyalty: Loyalty | None) -> Stay | None:
    """The session that goes on now, if one does."""
    going_on = [session for session in reader.sessions_earned(channel) if session.ended_at is None]
    return _of_session(going_on[-1], loyalty) if going_on else None


def _of_session(session: SessionEarned, loyalty: Loyalty | None) -> Stay:
    promised = expected(loyalty, (loyalty or Loyalty()).every, session.present_s)
    return Stay(session.started_at, session.present_s, session.earned, promised)
