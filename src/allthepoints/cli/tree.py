"""The commands as Typer knows them: for every line that is more than a fast command and its flags, and for help."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from allthepoints.base.errors import UsageError
from allthepoints.cli import globals as g
from allthepoints.cli.exits import Exit
from allthepoints.cli.here import Here

NAME = "allthepoints"

SUMMARY = "Sits in your streamers' Twitch chats while they are live, and proves that the points arrive."


def run(commands: Mapping[str, str], args: Sequence[str], where: Here, helping: bool) -> int:
    """Run the command in `args`, or show its help; answers its exit code. Raises UsageError for a wrong line."""
    name = args[0] if args else None
    helping = helping or name is None
    tree = typer.main.get_command(build(commands, name, helping))
    if helping:
        name_values(tree)
    line = [*args, *(["--help"] if helping else [])]
    try:
        result = tree.main(line, prog_name=NAME, standalone_mode=False, obj=where)
    except TyperException as error:
        about = f"{NAME} {name}" if name in commands else NAME
        raise UsageError(_in_style(error.format_message()), f"`{about} --help` tells what there is.") from None
    return result if isinstance(result, int) else Exit.OK


def build(commands: Mapping[str, str], command: str | None, helping: bool = True) -> typer.Typer:
    """The application with the one `command`; with all of them if that is None or no command.

    `helping`: whether it knows `--help`, which costs the start of a library.
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
    for name in [command] if command is not None and command in commands else commands:
        module, _, attribute = commands[name].partition(":")
        if attribute == "fast":
            full = getattr(import_module(module), "FULL", commands[name])
            module, _, attribute = full.partition(":")
        target = getattr(import_module(module), attribute)
        if isinstance(target, typer.Typer):
            app.add_typer(target, name=name)
        else:
            app.command(name)(_typed(import_module(module)) if attribute == "fast" else target)
    return app


def name_values(command: Any) -> None:
    """Call the values of a command and of those below it by our words: `N`, `csv|json`, `CHANNEL`. Typer's own for a
    bound number is `<int range>`; and it puts a type behind each argument, and brackets around brackets of ours."""
    for parameter in command.params:
        kind = parameter.type_descriptor
        word = "N" if kind.annotation in (int, float) else "TEXT"
        if kind.is_choice:
            word = "|".join(str(choice.value if isinstance(choice, Enum) else choice) for choice in kind.choices or ())
        if parameter.param_type_name == "argument":
            parameter.metavar = (parameter.metavar or parameter.name.upper()).strip("[]").removesuffix("...")
            parameter.display_type_rich = functools.partial(_says, word if kind.is_choice else "")
        elif not parameter.is_flag:
            parameter.metavar = parameter.metavar or word
    for below in getattr(command, "commands", {}).values():
        name_values(below)


def _says(text: str, **_: object) -> str:
    return text


def _typed(module: ModuleType) -> Callable[..., None]:
    """A fast command with its flags as Typer wants to read them."""

    def call(context: typer.Context, **given: bool) -> None:
        module.fast(context.obj, frozenset(flag for flag in module.FLAGS if given[flag.word]))

    kinds: dict[str, Any] = {
        flag.word: Annotated[bool, typer.Option(flag.name, help=flag.help)] for flag in module.FLAGS
    }
    parameters = [
        inspect.Parameter(word, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for word, kind in kinds.items()
    ]
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    call.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]
    call.__annotations__ = {"context": typer.Context, **kinds}
    call.__doc__ = module.fast.__doc__
    return call


def _nothing() -> None:
    """With a callback, one command alone is still called by its name."""


def _in_style(text: str) -> str:
    """The parser's words as ours: no capital at the start, no stop at the end."""
    return text[:1].lower() + text[1:].rstrip(".").replace(": Value error, ", ": ")
