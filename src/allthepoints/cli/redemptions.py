"""`redemptions`: everything that was to be bought from here, and how it ended."""

from __future__ import annotations

from typing import Annotated

import typer

from allthepoints.base.errors import UsageError
from allthepoints.cli import output
from allthepoints.cli.here import Here, here
from allthepoints.cli.known import channel_named, zone_in
from allthepoints.cli.options import AsJson
from allthepoints.core.redeem import Redemption, State
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.plain import redemption_plain
from allthepoints.views.redemptions import outcome_lines, redemption_lines
from allthepoints.views.text import clean, name, when

SHORTEST = 4
"""Digits of a key that may stand for it, if they are no other's."""

MOST = 100_000

app = typer.Typer(rich_markup_mode=None, no_args_is_help=False, invoke_without_command=True)


@app.callback()
def redemptions(
    context: typer.Context,
    channel: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this channel.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many, the newest ones.")] = 50,
    as_json: AsJson = False,
) -> None:
    """What you redeemed with this program, newest first, and how it ended."""
    if context.invoked_subcommand is not None:
        return
    where = here(context)
    reader = PointsReader(where.data.database)
    found = reader.redemptions(limit, None if channel is None else channel_named(reader, channel))
    if as_json:
        output.say_json([redemption_plain(redemption) for redemption in found])
        return
    if not found:
        output.say("Nothing was redeemed yet.")
        return
    names = _names(reader)
    lines = redemption_lines(
        found, lambda r: names.get(r.channel, r.login), where.now(), output.width(), zone_in(where)
    )
    for line in lines:
        output.say(line)


@app.command()
def show(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its key, as the list has it.")],
    as_json: AsJson = False,
) -> None:
    """One of them in full, with its access code where it has one."""
    where = here(context)
    reader = PointsReader(where.data.database)
    found = _named(reader, key.strip().lower())
    if as_json:
        output.say_json(redemption_plain(found, with_code=True))
        return
    currency = next((row.currency for row in reader.points() if row.channel == found.channel), "")
    show_outcome(found, _names(reader).get(found.channel, found.login), currency)
    _show_times(where, found)


def show_outcome(redemption: Redemption, channel: str, currency: str) -> None:
    """How it ended, and the code where there is one."""
    for line in outcome_lines(redemption, channel, currency):
        output.say(line)
    if redemption.state is State.ACCEPTED and redemption.code is not None:
        shown = clean(redemption.code)
        output.say(f"Access code: {shown}")
        if shown != redemption.code:
            output.note("It holds signs that a terminal does not show; --json has it whole.")


def _show_times(where: Here, found: Redemption) -> None:
    now, zone = where.now(), zone_in(where)
    said = [f"Asked {when(found.asked_at, now, zone)}"]
    if found.sent_at is not None:
        said.append(f"sent {when(found.sent_at, now, zone)}")
    if found.settled_at is not None:
        said.append(f"settled {when(found.settled_at, now, zone)}")
    if found.auto:
        said.append("by itself, for a wish")
    output.say(f"{', '.join(said)}. Key {found.key}.")


def _named(reader: PointsReader, key: str) -> Redemption:
    """Raises UsageError."""
    exact = reader.redemption(key)
    if exact is not None:
        return exact
    found = [r for r in reader.redemptions(MOST) if r.key.startswith(key)] if len(key) >= SHORTEST else []
    if len(found) == 1:
        return found[0]
    text = f"{len(found)} redemptions have a key that begins with" if found else "there is no redemption with the key"
    raise UsageError(f"{text} {key!r}", "`allthepoints redemptions` lists them; `--json` with their whole keys.")


def _names(reader: PointsReader) -> dict[str, str]:
    return {channel.id: name(channel.display, channel.login) for channel in reader.channels()}
