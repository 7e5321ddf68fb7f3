"""The command line: its commands, and how it ends.

Only the module of the command that was asked for is imported, so that `status` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import typer
from typer.exceptions import TyperException

from allthepoints._version import __version__
from allthepoints.base.errors import AllThePointsError
from allthepoints.cli import globals as g
from allthepoints.cli import output
from allthepoints.cli.exits import Exit, code_of
from allthepoints.cli.here import Here

COMMANDS: dict[str, str] = {
    "demo": "allthepoints.cli.demo:demo",
    "login": "allthepoints.cli.login:login",
    "logout": "allthepoints.cli.login:logout",
    "run": "allthepoints.cli.run:run",
    "status": "allthepoints.cli.status:status",
    "channels": "allthepoints.cli.channels:app",
    "events": "allthepoints.cli.events:events",
    "config": "allthepoints.cli.config:app",
    "simulate": "allthepoints.cli.simulate:simulate",
}
"""Where each command lives: a function, or a Typer with commands of its own."""

NAME = "allthepoints"

SUMMARY = "Sits in your streamers' Twitch chats while they are live, and proves that it is in."


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; answers its exit code."""
    output.prepare()
    args = sys.argv[1:] if argv is None else argv
    try:
        code = _run(args)
        output.flush()
    except output.ReaderGone:
        output.drop_stdout()
        return Exit.OK
    except AllThePointsError as error:
        _keep_order()
        output.complain_of(error)
        return code_of(error)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:
        _own_mistake(error, args)
        return Exit.FAULT
    return code


def build(command: str | None, helping: bool = True) -> typer.Typer:
    """The application with the one `command`; with all of them if that is None or no command.

    `helping`: whether it knows `--help`.
    """
    app = typer.Typer(
        name=NAME,
        help=SUMMARY,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help"] if helping else []},
        epilog="\b\nEvery command also takes:\n  " + "\n  ".join(g.help_lines()),
    )
    app.callback()(_nothing)
    for name in [command] if command in COMMANDS else COMMANDS:
        module, _, attribute = COMMANDS[name].partition(":")
        target = getattr(import_module(module), attribute)
        if isinstance(target, typer.Typer):
            app.add_typer(target, name=name)
        else:
            app.command(name)(target)
    return app


def _run(args: Sequence[str]) -> int:
    given, rest = g.take(args)
    if g.VERSION in given:
        output.say(f"{NAME} {__version__}")
        return Exit.OK
    name = rest[0] if rest else None
    helping = g.HELP in given or name is None
    command = typer.main.get_command(build(name, helping))
    where = Here(given.get(g.CONFIG), given.get(g.DATA_DIR), g.VERBOSE in given)
    try:
        result = command.main(
            [*rest, *(["--help"] if helping else [])], prog_name=NAME, standalone_mode=False, obj=where
        )
    except TyperException as error:
        _keep_order()
        about = f"{NAME} {name}" if name in COMMANDS else NAME
        output.complain(_in_style(error.format_message()), f"`{about} --help` tells what there is.")
        return Exit.USAGE
    return result if isinstance(result, int) else Exit.OK


def _nothing() -> None:
    """With a callback, one command alone is still called by its name."""


def _in_style(text: str) -> str:
    """The parser's words as ours: no capital at the start, no stop at the end."""
    return text[:1].lower() + text[1:].rstrip(".")


def _keep_order() -> None:
    """What was said before the error is shown before it."""
    try:
        output.flush()
    except output.ReaderGone:
        output.drop_stdout()


def _own_mistake(error: Exception, args: Sequence[str]) -> None:
    _keep_order()
    if not set(g.VERBOSE.names).isdisjoint(args):
        import traceback

        output.note("".join(traceback.format_exception(error)).rstrip())
    output.complain(
        f"this is a mistake of the program: {type(error).__name__}: {error}", "With --verbose it shows where."
    )
