"""Which line of a TOML text a key stands in. The parser does not tell, so it is asked again with less of the text.

Theory. A beginning of the text that ends between two statements is a TOML document; one that ends within a statement
(a list over several lines, a long string) is not. So a key's statement begins at the line before which the text parses
without the key, and ends at the first line after which it parses with it. Only lines with the key's name are tried.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

_CANDIDATES = 40
_LINES = 400
"""Lines that one statement may have. Beyond these bounds a message goes without its line number."""

Step = str | int


def line_of(text: str, path: Sequence[Step], entry: str | None = None) -> int | None:
    """The line (1 is the first) of the key at `path`, or of `entry` in the list there; None if it cannot be told."""
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    lines = text.split("\n")
    candidates = [at for at, line in enumerate(lines) if name in line]
    for begin in candidates[:_CANDIDATES]:
        end = _end_of(lines, begin, path)
        if end is not None:
            return _with_entry(lines, begin, end, entry) + 1
    return None


def _end_of(lines: list[str], begin: int, path: Sequence[Step]) -> int | None:
    before = _parsed(lines[:begin])
    if before is None or _holds(before, path):
        return None
    for end in range(begin, min(begin + _LINES, len(lines))):
        after = _parsed(lines[: end + 1])
        if after is not None:
            return end if _holds(after, path) else None
    return None


def _with_entry(lines: list[str], begin: int, end: int, entry: str | None) -> int:
    if entry is not None:
        for at in range(begin, end + 1):
            if f'"{entry}"' in lines[at] or f"'{entry}'" in lines[at]:
                return at
        return next((at for at in range(begin, end + 1) if entry in lines[at]), begin)
    return begin


def _parsed(lines: list[str]) -> dict[str, Any] | None:
    try:
        return tomllib.loads("\n".join(lines) + "\n")
    except (ValueError, RecursionError):
        return None


def _holds(document: Any, path: Sequence[Step]) -> bool:
    node = document
    for step in path:
        if isinstance(step, str):
            if not isinstance(node, dict) or step not in node:
                return False
        elif not isinstance(node, list) or len(node) <= step:
            return False
        node = node[step]
    return True
