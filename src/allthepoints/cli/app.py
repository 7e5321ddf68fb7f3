"""The command line: its commands, its global options, and how it ends.

Only the module of the command that was asked for is imported, so that `status` answers at once. The global options may
stand before and after the command's name.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer
from typer.exceptions import TyperException

from allthepoints._version import __version__
from allthepoints.base.errors import AllThePointsError
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

WITH_VALUE = ("--config", "--data-dir")
FLAGS = ("--verbose", "-v", "--version")
"""The global options of `_globals`, for those who write them after the command."""

NAME = "allthepoints"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; answers its exit code."""
    output.prepare()
    args = hoist(sys.argv[1:] if argv is None else argv)
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
    except TyperException as error:
        output.complain(_sentence(error.format_message()), f"{_how(args)} tells what there is.")
        return Exit.USAGE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:
        _own_mistake(error, args)
        return Exit.FAULT
    return code


def hoist(args: Sequence[str]) -> list[str]:
    """`args` with the global options first, wherever they stood; behind `--` nothing is an option."""
    first: list[str] = []
    rest: list[str] = []
    left = list(args)
    while left:
        arg = left.pop(0)
        if arg == "--":
            return [*first, *rest, arg, *left]
        if arg in WITH_VALUE:
            first += [arg, *left[:1]]
            left = left[1:]
        elif arg in FLAGS or arg.startswith(tuple(f"{option}=" for option in WITH_VALUE)):
            first.append(arg)
        else:
            rest.append(arg)
    return [*first, *rest]


def build(command: str | None) -> typer.Typer:
    """The application with the one `command`; with all of them if that is None or no command."""
    app = typer.Typer(
        name=NAME,
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        epilog="The options above may also stand after the command.",
    )
    app.callback()(_globals)
    for name in [command] if command in COMMANDS else COMMANDS:
        module, _, attribute = COMMANDS[name].partition(":")
        target = getattr(import_module(module), attribute)
        if isinstance(target, typer.Typer):
            app.add_typer(target, name=name)
        else:
            app.command(name)(target)
    return app


def _show_version(asked: bool) -> None:
    if asked:
        output.say(f"{NAME} {__version__}")
        raise typer.Exit


def _globals(
    context: typer.Context,
    config: Annotated[
        str | None, typer.Option("--config", metavar="FILE", help="The config file (or ALLTHEPOINTS_CONFIG).")
    ] = None,
    data_dir: Annotated[
        str | None,
        typer.Option(
            "--data-dir", metavar="DIR", help="Where database, token file and logs are (or ALLTHEPOINTS_DATA_DIR)."
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more, in the log too.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Sits in your streamers' Twitch chats while they are live, and proves that it is in."""
    del version  # its callback has answered
    context.obj = Here(config, data_dir, verbose)


def _run(args: list[str]) -> int:
    command = typer.main.get_command(build(_command_in(args)))
    result = command.main(args, prog_name=NAME, standalone_mode=False)
    return result if isinstance(result, int) else Exit.OK


def _command_in(args: Sequence[str]) -> str | None:
    """The command's name in hoisted `args`."""
    at = 0
    while at < len(args) and args[at].startswith("-"):
        at += 2 if args[at] in WITH_VALUE else 1
    return args[at] if at < len(args) else None


def _how(args: Sequence[str]) -> str:
    name = _command_in(args)
    return f"`{NAME} {name} --help`" if name in COMMANDS else f"`{NAME} --help`"


def _sentence(text: str) -> str:
    """The parser's words in our style: no capital at the start, no stop at the end."""
    return text[:1].lower() + text[1:].rstrip(".")


def _keep_order() -> None:
    """What was said before the error is shown before it."""
    try:
        output.flush()
    except output.ReaderGone:
        output.drop_stdout()


def _own_mistake(error: Exception, args: Sequence[str]) -> None:
    _keep_order()
    if "--verbose" in args or "-v" in args:
        output.note("".join(traceback.format_exception(error)).rstrip())
    output.complain(
        f"this is a mistake of the program: {type(error).__name__}: {error}", "With --verbose it shows where."
    )
