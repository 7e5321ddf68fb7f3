"""`redeem`: buy something, once. It shows what is about to happen, asks, and waits until it is known how it ended.

Nothing is sent from here: a confirmed intent is left for the service under a key of its own, and the service (the
running one, or one that runs in this process for this errand) checks everything anew, writes it down, and sends it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from allthepoints.base.clock import Stopwatch
from allthepoints.base.errors import FaultError, NotSent, SignInNeeded, UsageError
from allthepoints.cli import output
from allthepoints.cli.confirm import answer, confirmed, is_terminal
from allthepoints.cli.exits import Exit
from allthepoints.cli.fresh import ask
from allthepoints.cli.here import Here, here
from allthepoints.cli.options import AsJson
from allthepoints.cli.redemptions import show_outcome
from allthepoints.cli.store import item_named, read_shelf
from allthepoints.config.environment import read_environment
from allthepoints.core.elements import JWT_NOTE, jwt_ended
from allthepoints.core.loyalty import Item
from allthepoints.core.redeem import Redemption, State
from allthepoints.storage import lock
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.intent import SETTLE, UNDER_WAY, WAIT, Intent
from allthepoints.views.plain import redemption_plain
from allthepoints.views.shelf import Shelf
from allthepoints.views.store import Filled, proposal, question
from allthepoints.views.text import clean, count, when

if TYPE_CHECKING:
    from collections.abc import Sequence


SIGN_IN = "Run `allthepoints login streamelements`; it tells where the JWT is found."


def redeem(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="Whose store.")],
    item: Annotated[str, typer.Argument(metavar="ITEM", help="The item's id, or its name.")],
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input", metavar="ANSWER", help="The answer to a question of the item; once for each, in order."
        ),
    ] = None,
    message: Annotated[str, typer.Option("--message", help="A message beside it, where the item takes one.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask: it is meant.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Make all checks, and send nothing.")] = False,
    as_json: AsJson = False,
) -> int:
    """Buy something from a channel's store with your points. It cannot be undone.

    Exit code 0: you have it; 3: it was refused, by you or by them, and nothing was spent; 4: it is not known yet.
    """
    where = here(context)
    if not (yes or dry_run or is_terminal()):
        raise UsageError("nobody can be asked here, and points are not spent unasked", "Add --yes if it is meant.")
    _see_that_signed_in(where)
    shelf = _read(where, channel)
    wanted = item_named(shelf, item)
    filled = _filled(wanted, inputs or (), message)
    say = output.note if as_json else output.say
    for line in proposal(wanted, shelf.who, shelf.currency, shelf.points, filled, dry=dry_run):
        say(line)
    if not (yes or dry_run) and not confirmed(question(wanted, shelf.currency)):
        output.note("Nothing was sent.")
        return Exit.REFUSED
    outcome = _carry_out(where, shelf, wanted, filled, dry_run)
    if as_json:
        output.say_json(redemption_plain(outcome, with_code=True))
    else:
        output.say()
        show_outcome(outcome, shelf.who, shelf.currency)
    if outcome.state is State.UNKNOWN and lock.holder(where.data.lock) is None:
        output.note("No service runs, so it stays so until one does: `allthepoints run`.")
    return exit_of(outcome)


def exit_of(redemption: Redemption) -> Exit:
    """How the command ends."""
    match redemption.state:
        case State.ACCEPTED | State.CHECKED:
            return Exit.OK
        case State.REJECTED:
            return Exit.REFUSED
        case _:
            return Exit.UNKNOWN


def _read(where: Here, channel: str) -> Shelf:
    """An outage is a fault here: nothing was bought, so the exit code must not say "unknown"."""
    try:
        return read_shelf(where, channel)
    except NotSent as error:
        raise FaultError(f"{error}; nothing was sent", error.hint) from error


def _see_that_signed_in(where: Here) -> None:
    """Before anything is asked."""
    now = where.now()
    ends = _service_says(where) if lock.holder(where.data.lock) is not None else _own_says(where)
    if ends is not None and ends <= now:
        raise SignInNeeded(f"your StreamElements sign-in ended {when(ends, now)}, so nothing can be redeemed", SIGN_IN)


def _service_says(where: Here) -> float | None:
    """A running service may have its JWT from an environment that is not ours, so its word counts; but not against a
    fresh JWT in the file, which it has not looked at yet."""
    from allthepoints.wiring import jwt_ends

    ended = jwt_ended(PointsReader(where.data.database).notes().get(JWT_NOTE))
    if ended is None or not where.data.jwt.exists():
        return ended
    return jwt_ends(where.data, None)


def _own_says(where: Here) -> float | None:
    """The end of the JWT that this process would use. Raises SignInNeeded where there is none."""
    from allthepoints.wiring import jwt_ends

    given = read_environment(os.environ).streamelements_jwt
    if given is None and not where.data.jwt.exists():
        raise SignInNeeded("you are not signed in to StreamElements, so nothing can be redeemed", SIGN_IN)
    return jwt_ends(where.data, given)


def _filled(item: Item, inputs: Sequence[str], message: str) -> Filled:
    """The answers to the item's questions; those that miss are asked for, where somebody is there."""
    answers = [text.strip() for text in inputs]
    if len(answers) > len(item.asks):
        asked = count(len(item.asks), "question")
        raise UsageError(f"{clean(item.name)} asks {asked}, and --input was given {len(answers)} times")
    if message and not item.takes_message:
        raise UsageError(f"{clean(item.name)} takes no message", "Leave --message out.")
    missing = item.asks[len(answers) :]
    if missing and not is_terminal():
        asked = "; ".join(clean(text) for text in missing)
        raise UsageError(f"{clean(item.name)} asks: {asked}", "Give --input once for each question, in order.")
    answers += [answer(clean(text)) for text in missing]
    if not all(answers):
        raise UsageError("an answer is empty", "Every question of the item wants one.")
    return Filled(tuple(answers), message.strip())


def _carry_out(where: Here, shelf: Shelf, item: Item, filled: Filled, dry: bool) -> Redemption:
    reader = PointsReader(where.data.database)
    intent = Intent(shelf.channel, shelf.login, item, filled, where.now(), dry)
    unclear: list[Stopwatch] = []

    def over() -> bool:
        found = reader.redemption(intent.key)
        if found is None or found.state in UNDER_WAY:
            return False
        if found.state is State.UNKNOWN and not unclear:
            output.note("No clear answer came. It is not sent again; your redemptions are read.")
            unclear.append(Stopwatch())
        return found.state is not State.UNKNOWN or unclear[0].elapsed() >= SETTLE

    try:
        ask(where, "redeem", shelf.login, intent.data, over, WAIT, intent.key)
    except KeyboardInterrupt:
        output.note(f"It may go on without you: `allthepoints redemptions show {intent.key}` tells how it ended.")
        raise
    return intent.outcome(reader.redemption(intent.key))
