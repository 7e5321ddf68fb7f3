"""The command line: its commands, and how it ends.

Only the module of the command that was asked for is imported. A fast command (`status`, which other programs call again
and again) tells its flags as plain data, so that a line with nothing but flags needs no parser.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

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
    "status": "allthepoints.cli.status:fast",
    "watch": "allthepoints.cli.watch:watch",
    "channels": "allthepoints.cli.channels:app",
    "points": "allthepoints.cli.points:points",
    "store": "allthepoints.cli.store:store",
    "wish": "allthepoints.cli.wish:app",
    "redeem": "allthepoints.cli.redeem:redeem",
    "redemptions": "allthepoints.cli.redemptions:app",
    "events": "allthepoints.cli.events:events",
    "export": "allthepoints.cli.export:export",
    "dashboard": "allthepoints.cli.dashboard:app",
    "backup": "allthepoints.cli.backup:backup",
    "restore": "allthepoints.cli.backup:restore",
    "config": "allthepoints.cli.config:app",
    "doctor": "allthepoints.cli.doctor:doctor",
    "support-bundle": "allthepoints.cli.support:support_bundle",
    "completion": "allthepoints.cli.completion:fast",
    "notify": "allthepoints.cli.notify:app",
    "simulate": "allthepoints.cli.simulate:simulate",
}
"""Where each command lives: a function, a Typer with commands of its own, or `fast` beside FLAGS: a fast command.

FULL beside them: where a fast command lives for a line that holds more than flags."""


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
    except output.Unwritable as error:
        output.drop_stdout()
        output.complain_of(error)
        return code_of(error)
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


def _run(args: Sequence[str]) -> int:
    given, rest = g.take(args)
    if g.VERSION in given:
        output.say(f"allthepoints {__version__}")
        return Exit.OK
    where = Here(given.get(g.CONFIG), given.get(g.DATA_DIR), _areas(given))
    if g.HELP not in given and _fast(rest, where):
        return Exit.OK
    if rest[:1] == ["run"]:
        from allthepoints.base.early import leave_at_once

        leave_at_once()
    from allthepoints.cli import tree

    return tree.run(COMMANDS, rest, where, g.HELP in given)


def _areas(given: g.Given) -> tuple[str, ...]:
    if g.VERBOSE not in given:
        return ()
    from allthepoints.cli.areas import areas_in

    return areas_in(given[g.VERBOSE])


def _fast(args: Sequence[str], where: Here) -> bool:
    """Run a fast command whose arguments are nothing but its flags. False: this line is none of that kind."""
    module, _, attribute = COMMANDS.get(args[0] if args else "", "").partition(":")
    if attribute != "fast":
        return False
    command = import_module(module)
    flags = {flag.name: flag for flag in command.FLAGS}
    if not all(arg in flags for arg in args[1:]):
        return False
    command.fast(where, frozenset(flags[arg] for arg in args[1:]))
    return True


def _keep_order() -> None:
    """What was said before the error is shown before it."""
    try:
        output.flush()
    except (output.ReaderGone, output.Unwritable):
        output.drop_stdout()


def _own_mistake(error: Exception, args: Sequence[str]) -> None:
    _keep_order()
    if g.is_verbose(args):
        import traceback

        output.note("".join(traceback.format_exception(error)).rstrip())
    output.complain(
        f"this is a mistake of the program: {type(error).__name__}: {error}", "With --verbose it shows where."
    )
