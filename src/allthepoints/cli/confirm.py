"""Asking the person, where one is there. Questions are no data: they go to standard error."""

from __future__ import annotations

import sys

from allthepoints.cli import output


def is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def confirmed(text: str) -> bool:
    """Whether the person says yes. Anything else is a no."""
    return answer(f"{text} [y/N]").casefold() in {"y", "yes"}


def answer(text: str) -> str:
    """What the person types after `text`."""
    output.flush()
    sys.stderr.write(f"{text} ")
    sys.stderr.flush()
    return sys.stdin.readline().strip()
