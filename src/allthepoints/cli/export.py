"""`export`: the ledger, the sessions and the redemptions as CSV or JSON, for spreadsheets and other programs."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from typing import Annotated

import typer

from allthepoints.base.errors import UsageError
from allthepoints.base.types import UserId
from allthepoints.cli import output
from allthepoints.cli.here import here
from allthepoints.cli.known import channel_named
from allthepoints.config.durations import parse_duration
from allthepoints.core.ledger import expected
from allthepoints.core.loyalty import Loyalty
from allthepoints.core.redeem import Redemption
from allthepoints.storage.read_points import EntryRow, PointsReader, SessionEarned
from allthepoints.views.cells import Value, cell
from allthepoints.views.text import iso

MOST = 10_000_000

Row = tuple[Value, ...]


class What(StrEnum):
    """What can be exported."""

    POINTS = "points"
    SESSIONS = "sessions"
    REDEMPTIONS = "redemptions"


class Format(StrEnum):
    """How."""

    CSV = "csv"
    JSON = "json"


COLUMNS: Mapping[What, tuple[str, ...]] = {
    What.POINTS: ("at", "channel", "channel_id", "change", "delta", "points"),
    What.SESSIONS: (
        *("stream", "channel", "channel_id", "title", "started_at", "ended_at", "live_s", "present_s"),
        *("earned", "expected"),
    ),
    What.REDEMPTIONS: (
        *("key", "channel", "channel_id", "item_id", "item", "cost", "state", "reason", "message"),
        *("asked_at", "sent_at", "settled_at", "auto", "dry_run"),
    ),
}
"""Columns, in their order. Access codes are in none of them: files travel."""


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
        _write_json(COLUMNS[what], rows)
    else:
        _write_csv(COLUMNS[what], rows)


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
            yield from map(_entry, reader.entries(channel, since))
        case What.SESSIONS:
            loyalty = {row.channel: reader.loyalty(row.channel)[1] for row in reader.points()}
            for session in reader.sessions_earned(channel, since):
                yield _session(session, loyalty.get(session.channel))
        case What.REDEMPTIONS:
            for redemption in reversed(reader.redemptions(MOST, channel)):
                if since is None or redemption.asked_at >= since:
                    yield _redemption(redemption)


def _entry(row: EntryRow) -> Row:
    return (iso(row.at), row.login, row.channel, row.change, row.delta, row.points)


def _session(row: SessionEarned, loyalty: Loyalty | None) -> Row:
    return (
        row.stream,
        row.login,
        row.channel,
        row.title,
        iso(row.started_at),
        None if row.ended_at is None else iso(row.ended_at),
        round(row.live_s),
        round(row.present_s),
        row.earned,
        expected(loyalty, (loyalty or Loyalty()).every, row.present_s),
    )


def _redemption(r: Redemption) -> Row:
    times = (None if at is None else iso(at) for at in (r.asked_at, r.sent_at, r.settled_at))
    reason = None if r.reason is None else r.reason.value
    return (r.key, r.login, r.channel, r.item, r.name, r.cost, r.state.value, reason, r.text, *times, r.auto, r.dry)


def _write_csv(columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    line = io.StringIO(newline="")
    writer = csv.writer(line, lineterminator="\n")
    for row in chain((columns,), rows):
        writer.writerow([cell(value) for value in row])
        output.say(line.getvalue()[:-1])
        line.seek(0)
        line.truncate()


def _write_json(columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    """One list, one object a line."""
    before = "["
    for row in rows:
        output.say(before + output.json_text(dict(zip(columns, row, strict=True))))
        before = ","
    output.say("[]" if before == "[" else "]")
