"""`redemptions`: everything that was to be bought from here, and how it ended; `settle`: the person's word where no
reading tells."""

from __future__ import annotations

from typing import Annotated

import typer

from allthepoints.base.errors import Refused, UsageError
from allthepoints.cli import output
from allthepoints.cli.confirm import confirmed, is_terminal
from allthepoints.cli.exits import Exit
from allthepoints.cli.fresh import ask
from allthepoints.cli.here import Here, here
from allthepoints.cli.known import channel_named, zone_in
from allthepoints.cli.options import AsJson
from allthepoints.core.redeem import Redemption, State, may_still_come
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.plain import redemption_plain
from allthepoints.views.redemptions import outcome_lines, redemption_lines, settle_lines, short_key
from allthepoints.views.text import clean, duration, name, when

SHORTEST = 4
"""Digits of a key that may stand for it, if they are no other's."""

MOST = 100_000

SETTLE_WITHIN = 10.0
"""Seconds for a person's word to be taken up."""

app = typer.Typer(rich_markup_mode=None, no_args_is_help=False, invoke_without_command=True)


@app.callback()
def redemptions(
    context: typer.Context,
    channel: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this channel.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, metavar="N", help="How many, the newest ones.")] = 50,
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
    show_outcome(found, _names(reader).get(found.channel, found.login), _currency(reader, found))
    _show_times(where, found)


@app.command()
def settle(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its key, as the list has it.")],
    taken: Annotated[bool, typer.Option("--taken", help="You have it, or the points for it are gone.")] = False,
    not_taken: Annotated[bool, typer.Option("--not-taken", help="It was never booked: your points are there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask: it is meant.")] = False,
    as_json: AsJson = False,
) -> int:
    """Say what became of one that is not known, where your redemptions at StreamElements never told. Sends nothing.

    Exit code 0: it is settled as you said; 3: it is not, by you or because it was settled otherwise meanwhile, or may
    still come; 4: the service has not answered.
    """
    where = here(context)
    if taken == not_taken:
        raise UsageError("what became of it?", "Give --taken or --not-taken.")
    reader = PointsReader(where.data.database)
    found = _named(reader, key.strip().lower())
    who = _names(reader).get(found.channel, found.login)
    _see_that_it_can_be_settled(where, found, taken)
    say = output.note if as_json else output.say
    for line in settle_lines(found, who, _currency(reader, found), taken):
        say(line)
    if not yes and not is_terminal():
        raise UsageError("nobody can be asked here, and your word is final", "Add --yes if it is meant.")
    if not yes and not confirmed("It was taken?" if taken else "It was never taken?"):
        output.note("Nothing was changed.")
        return Exit.REFUSED
    outcome = _settled(where, reader, found, taken)
    if as_json:
        output.say_json(redemption_plain(outcome, with_code=True))
    else:
        output.say()
        show_outcome(outcome, who, _currency(reader, outcome))
    if outcome.open:
        output.note(f"It is not settled yet: `allthepoints redemptions show {short_key(outcome)}` tells how it stands.")
        return Exit.UNKNOWN
    return Exit.OK if outcome.state is (State.ACCEPTED if taken else State.REJECTED) else Exit.REFUSED


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
    if found.by_hand:
        said.append("by you")
    if found.auto:
        said.append("by itself, for a wish")
    if found.account_login:
        said.append(f"as {clean(found.account_login)}")
    output.say(f"{', '.join(said)}. Key {found.key}.")


def _see_that_it_can_be_settled(where: Here, found: Redemption, taken: bool) -> None:
    """Raises Refused."""
    if not found.open or found.state is State.CONFIRMED:
        raise Refused("only what is not known can be settled by hand, and this is not", 0)
    left = 0.0 if taken else may_still_come(found, where.now())
    if left > 0.0:
        raise Refused(f"it may still be taken for {duration(left)}: nobody can say now that it was not", 0)


def _settled(where: Here, reader: PointsReader, found: Redemption, taken: bool) -> Redemption:
    """What the service, or this process in its place, made of the person's word."""

    def now_known() -> Redemption:
        return reader.redemption(found.key) or found

    ask(where, "settle", None, {"key": found.key, "taken": taken}, lambda: not now_known().open, SETTLE_WITHIN)
    return now_known()


def _currency(reader: PointsReader, found: Redemption) -> str:
    return next((row.currency for row in reader.points() if row.channel == found.channel), "")


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
