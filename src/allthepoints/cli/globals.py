"""The options that every command has. They may stand anywhere in a line, so they are taken out before it is parsed.

Typer knows no such options. It also loads a validation library for every option that is not a plain flag, its own
`--help` among them, which takes longer than all of `status`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from allthepoints.base.errors import UsageError


@dataclass(frozen=True, slots=True)
class Global:
    """One option. `value` is what the help calls its value; a flag has none. `bare`: the value where none is given; it
    is then given behind `=` only, and all that are given count together, with commas between them."""

    names: tuple[str, ...]
    help: str
    value: str = ""
    bare: str = ""

    @property
    def head(self) -> str:
        """Its left side in the help."""
        return ", ".join(self.names) + (f"[={self.value}]" if self.bare else f" {self.value}" if self.value else "")


CONFIG = Global(("--config",), "The config file (or ALLTHEPOINTS_CONFIG).", "FILE")
DATA_DIR = Global(("--data-dir",), "Where database, token file and logs are (or ALLTHEPOINTS_DATA_DIR).", "DIR")
VERBOSE = Global(
    ("--verbose", "-v"),
    "Say more, in the log too (or ALLTHEPOINTS_VERBOSE); of these areas: chat,helix,storage…",
    "AREAS",
    "all",
)
VERSION = Global(("--version",), "Print the version.")
HELP = Global(("--help", "-h"), "Show the help of a command.")

GLOBALS = (CONFIG, DATA_DIR, VERBOSE, VERSION, HELP)


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag of a fast command. `word` is its name in Python."""

    name: str
    word: str
    help: str


JSON_FLAG = Flag("--json", "as_json", "Print JSON, for programs.")

Given = dict[Global, str]
"""The options that were given; a flag's value is "yes"."""


def take(args: Sequence[str]) -> tuple[Given, list[str]]:
    """The global options in `args`, and what is left. Behind `--` nothing is an option. Raises UsageError."""
    given: Given = {}
    rest: list[str] = []
    left = list(args)
    while left:
        arg = left.pop(0)
        name, equals, value = arg.partition("=")
        option = _BY_NAME.get(name)
        if arg == "--":
            return given, [*rest, arg, *left]
        if option is None or (equals and not option.value):
            rest.append(arg)
        elif not option.value:
            given[option] = "yes"
        elif option.bare:
            before = f"{given[option]}," if option in given else ""
            given[option] = before + _behind(option, name, equals, value)
        else:
            given[option] = value if equals else left.pop(0) if left else ""
            if not given[option]:
                raise UsageError(f"{name}: expected a {option.value}", option.help)
    return given, rest


def is_verbose(args: Sequence[str]) -> bool:
    """Whether it was asked for, in a line that may be wrong otherwise."""
    return any(arg.partition("=")[0] in VERBOSE.names for arg in args)


def help_lines() -> list[str]:
    """The options for the end of a help text."""
    heads = [option.head for option in GLOBALS]
    width = max(map(len, heads))
    return [f"{head:<{width}}  {option.help}" for head, option in zip(heads, GLOBALS, strict=True)]


def _behind(option: Global, name: str, equals: str, value: str) -> str:
    if equals and not value:
        raise UsageError(f"{name}: expected {option.value} behind the =", option.help)
    return value or option.bare


_BY_NAME = {name: option for option in GLOBALS for name in option.names}
