"""`events`: what happened, once or as it happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Annotated

import typer

from allthepoints.base.clock import pause
from allthepoints.base.errors import UsageError
from allthepoints.cli import output
from allthepoints.cli.here import here
from allthepoints.cli.known import channel_named
from allthepoints.cli.options import AsJson
from allthepoints.core.records import EventKind
from allthepoints.storage.read import EventRow, Reader
from allthepoints.views.plain import event_plain, event_sentence
from allthepoints.views.text import local

LOOK_EVERY = 0.5
"""Seconds between looks with --follow."""

BATCH = 1_000


def events(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, the newest ones.")] = 50,
    since: Annotated[int | None, typer.Option(metavar="ID", min=0, help="Only those after this event.")] = None,
    channel: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this channel.")] = None,
    kind: Annotated[list[str] | None, typer.Option(metavar="KIND", help="Only of this kind; may be repeated.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """What happened, oldest first. With --json a list; with --follow too, one object a line."""
    reader = Reader(here(context).data.database)
    kinds = [_kind(text) for text in kind or ()]
    of = channel_named(reader, channel) if channel is not None else None
    found = reader.events(limit, since, kinds, of)
    if as_json and not follow:
        output.say_json([event_plain(row) for row in found])
        return
    _say(found, as_json)
    if follow:
        last = found[-1].id if found else since if since is not None else _last_id(reader)
        follow_along(lambda after: reader.events(BATCH, after, kinds, of), last, as_json, pause)
    elif not found:
        output.note("Nothing was recorded yet." if not (kinds or of or since) else "No such event.")


def follow_along(
    read: Callable[[int], Sequence[EventRow]], last: int, as_json: bool, wait: Callable[[float], None]
) -> None:
    """Say each event after the one with id `last`, until Ctrl-C. `read` answers those after an id; `wait` waits."""
    try:
        while True:
            output.flush()
            wait(LOOK_EVERY)
            found = read(last)
            _say(found, as_json)
            last = found[-1].id if found else last
    except KeyboardInterrupt:
        return


def _say(rows: Sequence[EventRow], as_json: bool) -> None:
    for row in rows:
        if as_json:
            output.say_json(event_plain(row))
        else:
            output.say(f"{local(row.at):%Y-%m-%d %H:%M:%S}  {event_sentence(row)}")


def _kind(text: str) -> str:
    wanted = text.strip().lower().replace("-", "_")
    kinds = [str(kind) for kind in EventKind]
    if wanted in kinds:
        return wanted
    near = get_close_matches(wanted, kinds, n=1)
    raise UsageError(
        f"{text!r} is no kind of event" + (f"; did you mean {near[0]}?" if near else ""),
        f"There are: {', '.join(kinds)}.",
    )


def _last_id(reader: Reader) -> int:
    newest = reader.events(1)
    return newest[-1].id if newest else 0
