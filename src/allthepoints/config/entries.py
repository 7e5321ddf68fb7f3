"""A list of channels in the text of a config, changed so that every entry keeps its spelling, and its comments.

Theory. In `[ … ]` a comment belongs to the entry in whose line it stands, or, alone in a line, to the next entry. Where
entries only come in at the end, nothing before them is touched; where they change places or go, each takes its comments
along, and a list of several lines has one entry in each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from allthepoints.base.types import Login, NotALogin, as_login
from allthepoints.config.kinds import quote

WIDE = 100
"""Columns that a list of one line may take."""

_TOKEN = re.compile(r"""("(?!"")(?:\\.|[^"\\\n])*"|'(?!'')[^'\n]*')|(\#[^\n]*)|(,)|(\n)|([ \t\r]+)""")


@dataclass(slots=True)
class _Entry:
    """`text` as the file has it, quotes and all. `end`: where in the list it ends."""

    text: str
    end: int
    above: list[str] = field(default_factory=list)
    behind: str = ""

    def means(self) -> Login | None:
        try:
            return as_login(self.text[1:-1])
        except NotALogin:
            return None


def rewritten(raw: str, logins: Sequence[Login]) -> str:
    """The TOML list `raw`, such that it names `logins` in this order. Raises ValueError for an unusual list."""
    entries, below = _read(raw)
    known: dict[Login, _Entry] = {}
    for entry in entries:
        if (login := entry.means()) is not None:
            known.setdefault(login, entry)
    if list(known) == list(logins[: len(entries)]) and len(known) == len(entries):
        return _longer(raw, entries, [quote(login) for login in logins[len(entries) :]])
    kept = [known.get(login) or _Entry(quote(login), 0) for login in logins]
    end, indent = _layout(raw)
    if not end:
        return _short([entry.text for entry in kept])
    lines = [indent + line for entry in kept for line in (*entry.above, _line(entry))] + [indent + t for t in below]
    return end.join(("[", *lines, "]"))


def _read(raw: str) -> tuple[list[_Entry], list[str]]:
    """The entries, and the comments behind the last one."""
    if not (raw.startswith("[") and raw.endswith("]")):
        raise ValueError(raw)
    entries: list[_Entry] = []
    above: list[str] = []
    at, fresh = 1, False
    while at < len(raw) - 1:
        token = _TOKEN.match(raw, at, len(raw) - 1)
        if token is None:
            raise ValueError(raw)
        at = token.end()
        text, comment, _, newline, _ = token.groups()
        if text is not None:
            entries.append(_Entry(text, at, above))
            above, fresh = [], True
        elif comment is not None and fresh:
            entries[-1].behind = comment.rstrip("\r")
        elif comment is not None:
            above.append(comment.rstrip("\r"))
        elif newline is not None:
            fresh = False
    return entries, above


def _longer(raw: str, entries: list[_Entry], more: list[str]) -> str:
    """The same list with more at its end."""
    if not more:
        return raw
    end, indent = _layout(raw)
    if not end:
        return _short([*(entry.text for entry in entries), *more])
    body = raw[:-1].rstrip()
    if entries and not re.match(r"\s*(\#[^\n]*\n\s*)*,", body[entries[-1].end :]):
        body = f"{body[: entries[-1].end]},{body[entries[-1].end :]}"
    return end.join((body, *(f"{indent}{text}," for text in more), raw[:-1].rpartition("\n")[2].strip("\r") + "]"))


def _short(texts: list[str]) -> str:
    """In one line if that is not too wide."""
    line = f"[{', '.join(texts)}]"
    return line if len(line) <= WIDE else "\n".join(("[", *(f"    {text}," for text in texts), "]"))


def _layout(raw: str) -> tuple[str, str]:
    """How its lines end ("" where it has only one), and how far they are set in."""
    if "\n" not in raw:
        return "", "    "
    indents = re.findall(r"\n([ \t]+)[\"'#]", raw)
    return "\r\n" if "\r\n" in raw else "\n", indents[0] if indents else "    "


def _line(entry: _Entry) -> str:
    return f"{entry.text}," + (f"  {entry.behind}" if entry.behind else "")
