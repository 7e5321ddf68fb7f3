"""What other people wrote, made fit to be sent: short enough, and so that it cannot call anybody."""

from __future__ import annotations

import html
import re

MARK = "\u200b"
"""A space without width: it takes the meaning from a sign and is not seen."""

_CALLS = re.compile(r"@(?=everyone|here|channel|all\b)|<(?=[@!#&])", re.IGNORECASE)

_MARKUP = re.compile(r"[*_`~\[\]<>&|\\]")


def inert(text: str) -> str:
    """The same text; nobody is called by it where it is shown (`@everyone`, `<!channel>`)."""
    return _CALLS.sub(lambda found: found.group() + MARK, text)


def plain(text: str) -> str:
    """The same text without any sign that some service may take for markup."""
    return _MARKUP.sub(" ", text)


def shorten(body: str, limit: int, most_lines: int = 0) -> str:
    """At most `limit` characters and `most_lines` lines (0: any number); the last line tells how many are missing.

    A character counts for as many as it takes in HTML, the end of a line for two: services that want it are given it.
    """
    lines = body.split("\n")
    most_lines = most_lines or len(lines)
    if len(lines) <= most_lines and _length(body) <= limit:
        return body
    for kept in range(min(len(lines) - 1, most_lines - 1), 0, -1):
        text = "\n".join((*lines[:kept], f"… and {len(lines) - kept} more"))
        if _length(text) <= limit:
            return text
    return cut(" ".join(lines), limit)


def cut(line: str, limit: int) -> str:
    """At most `limit` characters of a line."""
    if _length(line) <= limit:
        return line
    while line and _length(line) > limit - 1:
        line = line[: min(len(line) - 1, limit - 1)]
    return line.rstrip() + "…" if limit > 0 else ""


def _length(text: str) -> int:
    return len(html.escape(text)) + text.count("\n")
