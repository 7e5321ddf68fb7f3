"""`points`: am I earning? Everything is read from what the service left, whether it runs or not."""

from __future__ import annotations

from typing import Annotated

import typer

from allthepoints.base.errors import UsageError
from allthepoints.base.types import UserId
from allthepoints.cli import output
from allthepoints.cli.here import Here, here
from allthepoints.cli.known import channel_named, zone_in
from allthepoints.cli.options import AsJson
from allthepoints.storage import lock
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.earned import read_detail, read_points
from allthepoints.views.plain import points_plain
from allthepoints.views.points import Points, detail_lines, points_lines, summed

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
    if only is not None and not as_json:
        _show_one(where, reader, only)
        return
    rows = [row for row in read_here(where, reader) if only in (None, row.id)]
    if as_json:
        output.say_json([points_plain(row) for row in rows])
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


def _show_one(where: Here, reader: PointsReader, channel: UserId) -> None:
    now = where.now()
    row = read_detail(reader, channel, now, zone_in(where), lock.holder(where.data.lock) is not None)
    if row is None:
        raise UsageError(f"nothing is known of channel {channel}", "`allthepoints channels` lists them.")
    for line in detail_lines(row, now, output.width(), zone_in(where), output.ascii_only()):
        output.say(line.text)
    if lock.holder(where.data.lock) is None:
        output.say()
        output.say("Not running, so nothing comes now. Start it with `allthepoints run`.")
