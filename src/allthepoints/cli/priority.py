"""`channels priority`: who gets a room first when rooms are scarce."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from allthepoints.base.errors import UsageError
from allthepoints.base.types import Login
from allthepoints.cli import output
from allthepoints.cli.here import here, login_of
from allthepoints.cli.options import AsJson
from allthepoints.storage import lock
from allthepoints.views.plain import Field, Shape, same


@dataclass(frozen=True, slots=True)
class Reordered:
    """An order that a person asked for. `changed`: it was another one."""

    path: Path
    changed: bool
    before: Sequence[Login]
    after: Sequence[Login]


ORDER: Shape[Sequence[Login]] = Shape(
    "The order of channels",
    "`channels priority --json`",
    (Field("priority", "list of str", "Logins, who comes first first.", list),),
)

REORDERED: Shape[Reordered] = Shape(
    "A changed order of channels",
    "`channels priority NAME... --json`",
    (
        Field("config", "str", "The config file.", lambda it: str(it.path)),
        same("changed", "bool", "Whether it was changed: the order may have been so already."),
        Field("before", "list of str", "Logins in the order of before.", lambda it: list(it.before)),
        Field("priority", "list of str", "Logins, who comes first first.", lambda it: list(it.after)),
    ),
)


def priority(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME...]", help="Logins, best first.")] = None,
    first: Annotated[bool, typer.Option("--first", help="In front of all others; so it is anyway.")] = False,
    last: Annotated[bool, typer.Option("--last", help="Behind all others in the order.")] = False,
    position: Annotated[int | None, typer.Option(min=1, help="From this place on; 1 is the first.")] = None,
    only: Annotated[bool, typer.Option("--only", help="These are the whole order; others are taken out.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take these out of the order.")] = False,
    as_json: AsJson = False,
) -> None:
    """Who gets a room first when rooms are scarce, best first. Without a name: the order as it is."""
    from allthepoints.config.edit import Listed, edit

    where = here(context)
    places = [first, last, position is not None, only, remove]
    if sum(places) > 1:
        raise UsageError("--first, --last, --position, --only and --remove do not go together", "Give one of them.")
    before = where.load().settings.channels.priority
    logins = tuple(dict.fromkeys(login_of(text) for text in names or ()))
    if not logins:
        if any(places):
            raise UsageError("which channel is meant?", "allthepoints channels priority NAME...")
        _show(before, as_json)
        return
    others = tuple(login for login in before if login not in logins)
    at = len(others) if last else 0 if position is None else position - 1
    after = others if remove else logins if only else (*others[:at], *logins, *others[at:])
    path = where.config.path
    changed = bool(edit(path, [Listed("priority", after)]))
    if as_json:
        output.say_json(REORDERED.of(Reordered(path, changed, before, after)))
        return
    for login in dict.fromkeys((*logins, *(login for login in before if login not in after))):
        output.say(_said(login, before, after))
    output.say(_order(after))
    if changed and lock.holder(where.data.lock) is not None:
        output.note("The running service takes it up by itself.")


def _show(order: Sequence[Login], as_json: bool) -> None:
    if as_json:
        output.say_json(ORDER.of(order))
    elif order:
        for place, login in enumerate(order, 1):
            output.say(f"{place}. {login}")
    else:
        output.say(_order(order))
        output.say("`allthepoints channels priority NAME` puts a channel first.")


def _said(login: Login, before: Sequence[Login], after: Sequence[Login]) -> str:
    if login not in after:
        return f"{login} is not in the order any more." if login in before else f"{login} was not in the order."
    place = after.index(login) + 1
    if login not in before:
        return f"{login} is number {place} now."
    was = before.index(login) + 1
    return f"{login} is number {place} now, and was number {was}." if was != place else f"{login} is number {place}."


def _order(order: Sequence[Login]) -> str:
    return f"The order: {', '.join(order)}." if order else "No channel comes before others."
