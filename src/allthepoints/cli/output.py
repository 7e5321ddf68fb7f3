"""Where words go: data to standard output, everything else to standard error.

A console may know only some signs (cp1252, ASCII): what it cannot write is replaced, never an error. A reader that went
away (`| head`) ends the command quietly.

Other people's words are among what is said: on a terminal, and beside the data anywhere, they steer nothing.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys

from allthepoints.base.errors import AllThePointsError, FaultError
from allthepoints.base.steering import harmless, harmless_json
from allthepoints.base.types import JSON

SIGNS = "●◐◑○✕–…↑∅★▁▂▃▄▅▆▇█"
"""What a console must be able to write; else ASCII stands in."""


class ReaderGone(Exception):
    """Nobody reads our output any more."""


class Unwritable(FaultError):
    """Standard output takes nothing: its disk is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"the output cannot be written: {error.strerror or error}", "Make room where it goes.")


def prepare() -> None:
    """Make both streams unable to fail at a character."""
    for stream, errors in ((sys.stdout, "replace"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def say(text: str = "") -> None:
    """A line of data."""
    try:
        sys.stdout.write((harmless(text) if sys.stdout.isatty() else text) + "\n")
    except BrokenPipeError:
        raise ReaderGone from None
    except OSError as error:
        raise Unwritable(error) from None


def say_json(value: JSON) -> None:
    """One JSON value in one line, in characters that every console and pipe carries whole."""
    say(json_text(value))


def json_text(value: JSON) -> str:
    """The same as text."""
    return harmless_json(json.dumps(value, ensure_ascii=not _is_utf8(), separators=(",", ":")))


def flush() -> None:
    """Hand over what was said: a command that goes on does this after each piece of news."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderGone from None
    except OSError as error:
        raise Unwritable(error) from None


def note(text: str) -> None:
    """A line beside the data. What cannot be told is not told: its reader is gone, or its disk is full."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(harmless(text) + "\n")
        sys.stderr.flush()


def warn(text: str) -> None:
    """Something odd that stops nothing."""
    note(f"warning: {text}")


def complain(text: str, hint: str = "") -> None:
    """Why the command ends, and after a blank line what can be done."""
    note(f"error: {text}" + (f"\n\nhint: {hint}" if hint else ""))


def complain_of(error: AllThePointsError) -> None:
    """The same, of an error of ours."""
    complain(str(error), error.hint)


def drop_stdout() -> None:
    """Nobody reads: what is still to be flushed goes nowhere, so that the interpreter does not complain at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def width() -> int | None:
    """Cells of the terminal; None where output is no terminal and may be as wide as it wants."""
    if not sys.stdout.isatty():
        return None
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def ascii_only() -> bool:
    """Whether the console cannot write our signs."""
    try:
        SIGNS.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return True
    return False


def _is_utf8() -> bool:
    name = (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    return name.replace("-", "").replace("_", "") == "utf8"
