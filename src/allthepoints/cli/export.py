"""`export`: the ledger, the sessions and the redemptions as CSV or JSON, for spreadsheets and other programs."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any, cast

import typer

from allthepoints.base.errors import UsageError
from allthepoints.base.types import JSON, UserId
from allthepoints.cli import output
from allthepoints.cli.here import here
from allthepoints.cli.known import channel_named
from allthepoints.config.durations import parse_duration
from allthepoints.core.ledger import expected
from allthepoints.core.loyalty import Loyalty
from allthepoints.core.records import Change
from allthepoints.core.redeem import Redemption, State
from allthepoints.storage.read_points import EntryRow, PointsReader, SessionEarned
from allthepoints.views.cells import Value, cell
from allthepoints.views.plain import Field, Shape, one_of, same, time

MOST = 10_000_000

Row = dict[str, JSON]


class What(StrEnum):
    """What can be exported."""

    POINTS = "points"
    SESSIONS = "sessions"
    REDEMPTIONS = "redemptions"


class Format(StrEnum):
    """How."""

    CSV = "csv"
    JSON = "json"


ENTRY: Shape[EntryRow] = Shape(
    "An exported change of points",
    "`export points --json`: a list",
    (
        Field("at", "time", "When the balance was read.", time(lambda row: row.at)),
        Field("channel", "str|null", "The login.", lambda row: row.login),
        Field("channel_id", "str", "Twitch's id.", lambda row: row.channel),
        Field("change", one_of(Change), "What it is taken for.", lambda row: row.change),
        same("delta", "int", "By how much the balance moved."),
        same("points", "int", "To where."),
    ),
)

SESSION: Shape[tuple[SessionEarned, Loyalty | None]] = Shape(
    "An exported session",
    "`export sessions --json`: a list",
    (
        Field("stream", "str", "Twitch's id of the stream.", lambda it: it[0].stream),
        Field("channel", "str", "The login.", lambda it: it[0].login),
        Field("channel_id", "str", "Twitch's id.", lambda it: it[0].channel),
        Field("title", "str", "What the stream was called.", lambda it: it[0].title),
        Field("started_at", "time", "When it began.", time(lambda it: it[0].started_at)),
        Field("ended_at", "time|null", "When it ended; `null`: not known to be over.", time(lambda it: it[0].ended_at)),
        Field("live_s", "int", "How long it was live.", lambda it: round(it[0].live_s)),
        Field("present_s", "int", "Of it, how long you were in the chat.", lambda it: round(it[0].present_s)),
        Field("earned", "int", "Points that came in.", lambda it: it[0].earned),
        Field(
            "expected",
            "int|null",
            "Points that should have, by the channel's loyalty settings of today.",
            lambda it: expected(it[1], (it[1] or Loyalty()).every, it[0].present_s),
        ),
    ),
)

REDEEMED: Shape[Redemption] = Shape(
    "An exported redemption",
    "`export redemptions --json`: a list. Access codes are in no export: files travel",
    (
        same("key", "str", "Its key here."),
        Field("channel", "str", "The login.", lambda r: r.login),
        Field("channel_id", "str", "Twitch's id.", lambda r: r.channel),
        Field("item_id", "str", "The item's id.", lambda r: r.item),
        Field("item", "str", "The item's name.", lambda r: r.name),
        same("cost", "int", "The price that was said yes to."),
        Field(
            "state",
            one_of(state for state in State if state is not State.PROPOSED),
            "How far it came.",
            lambda r: r.state.value,
        ),
        Field("reason", "str|null", "Why, in one word.", lambda r: None if r.reason is None else r.reason.value),
        Field("message", "str", "What StreamElements said.", lambda r: r.text),
        Field("asked_at", "time", "When it was asked for.", time(lambda r: r.asked_at)),
        Field("sent_at", "time|null", "When it was sent, once.", time(lambda r: r.sent_at)),
        Field("settled_at", "time|null", "When its end was known.", time(lambda r: r.settled_at)),
        same("auto", "bool", "A wish of yours redeemed it."),
        Field("dry_run", "bool", "It was tried only.", lambda r: r.dry),
    ),
)

SHAPES: Mapping[What, Shape[Any]] = {What.POINTS: ENTRY, What.SESSIONS: SESSION, What.REDEMPTIONS: REDEEMED}
"""Their fields are the columns too, in their order."""


def export(
    context: typer.Context,
    what: Annotated[What, typer.Argument(help="What to export.")],
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.CSV,
    since: Annotated[
        str | None, typer.Option(metavar="AGE|DATE", help='Only what is newer: "30d", or a date in UTC.')
    ] = None,
    channel: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this channel.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Write everything that was recorded to standard output: UTF-8, times in UTC."""
    where = here(context)
    reader = PointsReader(where.data.database)
    begin = None if since is None else since_when(since, where.now())
    of = None if channel is None else channel_named(reader, channel)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    rows = _begun(_rows(reader, what, begin, of))
    if as_json or form is Format.JSON:
        _write_json(rows)
    else:
        _write_csv([field.name for field in SHAPES[what].fields], rows)


def _begun(rows: Iterator[Row]) -> Iterator[Row]:
    """The same rows, the first of them read: what cannot be read writes no file with a head and nothing else."""
    first = next(rows, None)
    return rows if first is None else chain((first,), rows)


def since_when(text: str, now: float) -> float:
    """The moment that `30d`, `12h` or `2026-11-01` means. Raises UsageError."""
    seconds = parse_duration(text)
    if seconds is not None:
        return now - seconds
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"--since: {text!r} is no age and no date", 'Write "30d", "12h" or "2026-11-01".') from None
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()


def _rows(reader: PointsReader, what: What, since: float | None, channel: UserId | None) -> Iterator[Row]:
    match what:
        case What.POINTS:
            yield from map(ENTRY.of, reader.entries(channel, since))
        case What.SESSIONS:
            loyalty = {row.channel: reader.loyalty(row.channel)[1] for row in reader.points()}
            for session in reader.sessions_earned(channel, since):
                yield SESSION.of((session, loyalty.get(session.channel)))
        case What.REDEMPTIONS:
            for redemption in reversed(reader.redemptions(MOST, channel)):
                if since is None or redemption.asked_at >= since:
                    yield REDEEMED.of(redemption)


def _write_csv(columns: Sequence[str], rows: Iterable[Row]) -> None:
    line = io.StringIO(newline="")
    writer = csv.writer(line, lineterminator="\n")
    for values in chain((columns,), (row.values() for row in rows)):
        writer.writerow([cell(cast("Value", value)) for value in values])
        output.say(line.getvalue()[:-1])
        line.seek(0)
        line.truncate()


def _write_json(rows: Iterable[Row]) -> None:
    """One list, one object a line."""
    before = "["
    for row in rows:
        output.say(before + output.json_text(row))
        before = ","
    output.say("[]" if before == "[" else "]")
