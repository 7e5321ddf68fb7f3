"""`dashboard`: its password, and where it is."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from allthepoints.base.errors import UsageError
from allthepoints.cli import output
from allthepoints.cli.confirm import is_terminal
from allthepoints.cli.here import here
from allthepoints.cli.options import AsJson
from allthepoints.storage import lock
from allthepoints.views.plain import Field, Shape

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

PASSWORD: Shape[bool] = Shape(
    "The dashboard's password",
    "`dashboard password --json`",
    (Field("set", "bool", "Whether there is one now.", lambda there: there),),
)


@app.callback()
def dashboard() -> None:
    """The dashboard's password. It is needed where other machines can reach it, and asked for wherever one is set."""


@app.command()
def password(
    context: typer.Context,
    remove: Annotated[bool, typer.Option("--remove", help="Have none: for this machine only.")] = False,
    as_json: AsJson = False,
) -> None:
    """Set the dashboard's password: typed in unseen, or piped in. Only a hash of it is kept."""
    from allthepoints.config.paths import prepare
    from allthepoints.views.web.password import Password

    where = here(context)
    kept = Password(prepare(where.data).password)
    before = kept.is_set()
    if remove:
        kept.remove()
        said = "The dashboard's password is removed." if before else "The dashboard had no password."
    else:
        kept.set(_given())
        said = "The dashboard's password is set." if not before else "The password is changed; everyone is logged out."
    if as_json:
        output.say_json(PASSWORD.of(not remove))
    else:
        output.say(said)
    if before and remove and lock.holder(where.data.lock) is not None:
        output.note("A running service that others can reach lets nobody in until there is one again.")


def _given() -> str:
    if not is_terminal():
        text = sys.stdin.readline() if sys.stdin is not None else ""
        return _some(text.rstrip("\r\n"))
    first = _some(getpass.getpass("Password (it is not shown): ", sys.stderr))
    if getpass.getpass("Once more: ", sys.stderr) != first:
        raise UsageError("these are two different passwords")
    return first


def _some(text: str) -> str:
    if not text:
        raise UsageError("no password was given", "Type it in, or pipe it in as one line.")
    return text
