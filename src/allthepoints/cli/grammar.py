"""All commands as data, read off the commands as they are; and `completion`, which makes scripts for shells of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

import typer

from allthepoints.cli import globals as g
from allthepoints.cli import output
from allthepoints.cli.completion import NAMES
from allthepoints.cli.here import here


class Shell(Enum):
    """Those that a script is made for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@dataclass(frozen=True, slots=True)
class Value:
    """What may stand somewhere: one of `words`, else a `kind`: file, dir, channel, or "" for what nobody can know."""

    kind: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """`value` None: a flag."""

    names: tuple[str, ...]
    help: str
    value: Value | None


@dataclass(frozen=True, slots=True)
class Command:
    """`path`: `channels add`; empty for the program itself. `many`: the last of `values` may be repeated. `options`:
    its own, beside GLOBALS."""

    path: str
    help: str
    options: tuple[Option, ...]
    values: tuple[Value, ...]
    many: bool
    children: tuple[tuple[str, str], ...]
    """Name and help of each."""


def completion(
    context: typer.Context,
    shell: Annotated[Shell, typer.Argument(help="Yours.")] = Shell.BASH,
    names: Annotated[bool, typer.Option(NAMES.name, help=NAMES.help)] = False,
) -> None:
    """Print a script with which your shell completes commands, options, files, and the channels you know.

    \b
    bash  allthepoints completion bash > ~/.local/share/bash-completion/completions/allthepoints
    zsh   allthepoints completion zsh > a folder of $fpath, with the name _allthepoints
    fish  allthepoints completion fish > ~/.config/fish/completions/allthepoints.fish
    or for this shell alone: source <(allthepoints completion bash)
    """
    from allthepoints.cli import shells
    from allthepoints.cli.completion import fast

    if names:
        fast(here(context), frozenset())
        return
    write = {Shell.BASH: shells.bash, Shell.ZSH: shells.zsh, Shell.FISH: shells.fish}[shell]
    output.say(write(grammar()).rstrip("\n"))


def grammar() -> tuple[Command, ...]:
    """All commands, the program itself first."""
    from allthepoints.cli.app import COMMANDS
    from allthepoints.cli.tree import build

    return tuple(_commands(typer.main.get_command(build(COMMANDS, None)), ""))


def _commands(command: Any, path: str) -> Iterator[Command]:
    children = {name: child for name, child in getattr(command, "commands", {}).items() if not child.hidden}
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    yield Command(
        path,
        _first(command.help),
        tuple(_option(path, one) for one in command.params if one.param_type_name == "option"),
        tuple(_value(path, one) for one in arguments),
        bool(arguments) and arguments[-1].nargs == -1,
        tuple((name, _first(child.help)) for name, child in children.items()),
    )
    for name, child in children.items():
        yield from _commands(child, f"{path} {name}".strip())


def _option(path: str, option: Any) -> Option:
    return Option(tuple(option.opts), _first(option.help), None if option.is_flag else _value(path, option))


def _value(path: str, one: Any) -> Value:
    kind = one.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return Value(words=tuple(str(member.value) for member in kind))
    if path == "events" and one.name == "kind":
        from allthepoints.core.records import EventKind

        return Value(words=tuple(EventKind))
    if one.name in {"channel", "names"}:
        return Value("channel")
    return _plain_value(one.metavar or "")


def _plain_value(metavar: str) -> Value:
    return Value({"FILE": "file", "DIR": "dir"}.get(metavar.strip("[]."), ""))


def _first(text: str | None) -> str:
    """The first sentence of a help text, in one line."""
    line = " ".join((text or "").split("\n\n")[0].split())
    return line.partition(". ")[0].rstrip(".")


def _global(one: g.Global) -> Option:
    """A value that is given behind `=` alone takes no word of its own."""
    return Option(one.names, _first(one.help), _plain_value(one.value) if one.value and not one.bare else None)


GLOBALS = tuple(map(_global, g.GLOBALS))
"""What every command takes."""
