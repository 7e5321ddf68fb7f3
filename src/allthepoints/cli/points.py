"""`points`: am I earning? Everything is read from what the service left, whether it runs or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from allthepoints.base.errors import UsageError
from allthepoints.base.types import UserId
from allthepoints.cli import output
from allthepoints.cli.here import Here, here
from allthepoints.cli.known import channel_named, zone_in
from allthepoints.cli.options import AsJson
from allthepoints.core.loyalty import Loyalty
from allthepoints.ports import ChannelRow
from allthepoints.storage import lock
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.columns import wrapped
from allthepoints.views.earned import read_points, stay_of
from allthepoints.views.plain import points_plain
from allthepoints.views.points import Points, Stay, detail_lines, points_lines, summed

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
    rows = [row for row in read_here(where, reader) if only in (None, row.id)]
    if as_json:
        output.say_json([points_plain(row) for row in rows])
    elif only is not None:
        _show_one(where, reader, only, rows)
    else:
        _show_all(where, rows)


def read_here(where: Here, reader: PointsReader) -> list[Points]:
    """The points of all channels, as of now."""
    return read_points(reader, where.now(), zone_in(where), lock.holder(where.data.lock) is not None)


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
    return stay_of(going_on[-1], loyalty) if going_on else None
