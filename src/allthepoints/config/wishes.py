"""[[wish]] tables in the text of a config, line by line.

A TOML library hangs a comment that stands before the next table to the end of the table before it, and would take it
away with that one. So tables are added, taken out and given keys as lines of text, and whatever is not a line of a
wish's own stays. Whether the outcome says what it should, `edit` sees by reading it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import tomlkit
import tomlkit.items

from allthepoints.base.errors import ConfigError
from allthepoints.base.types import Login, NotALogin, as_login
from allthepoints.config.kinds import quote


@dataclass(frozen=True, slots=True)
class WishChange:
    """Have a [[wish]] of `item` in `channel`, with these other keys and no more; or not have it.

    `remark`: a comment behind the item, when it is added.
    """

    channel: Login
    item: str
    options: Mapping[str, bool | int] = field(default_factory=dict)
    present: bool = True
    remark: str = ""


_HEAD = re.compile(r"\s*\[\[\s*[\"']?wish[\"']?\s*\]\]\s*(#.*)?\r?\Z")
_ANY_HEAD = re.compile(r"\s*\[")
_IDLE = re.compile(r"\s*(#.*)?\r?\Z")
_WISH = frozenset({"channel", "item"})
"""What makes a wish that wish."""


def changed(document: tomlkit.TOMLDocument, text: str, change: WishChange) -> str | None:
    """`text`, of which `document` was made, with the change; None where it is so already. Raises ConfigError."""
    wishes: Any = document.get("wish")
    places = [at for at, entry in enumerate(wishes or ()) if _is_meant(entry, change)]
    if isinstance(wishes, tomlkit.items.Array):  # wish = [{channel = ...}], as nobody writes it but a program
        return _in_array(document, wishes, places, change)
    blocks = list(_blocks(text.split("\n")))
    if len(blocks) != len(wishes or ()):
        raise ConfigError("its [[wish]] tables cannot be edited", "Edit the config by hand.")
    if not change.present:
        return _without(text, [blocks[at] for at in places]) if places else None
    if not places:
        return _with(text, change)
    has = {key: value for key, value in wishes[places[0]].unwrap().items() if key not in _WISH}
    return _with_keys(text, blocks[places[0]], change.options) if has != dict(change.options) else None


def _is_meant(entry: Any, change: WishChange) -> bool:
    named = str(entry.get("item", "")).strip().casefold() == change.item.casefold()
    try:
        return named and as_login(str(entry.get("channel"))) == change.channel
    except NotALogin:
        return False


def _blocks(lines: list[str]) -> Iterator[tuple[int, int]]:
    """First and last line of each [[wish]]: from its head to its last key. Comments after that are the next table's."""
    for first, line in enumerate(lines):
        if _HEAD.match(line):
            end = next((at for at in range(first + 1, len(lines)) if _ANY_HEAD.match(lines[at])), len(lines))
            yield first, max(at for at in range(first, end) if not _IDLE.match(lines[at]))


def _without(text: str, blocks: list[tuple[int, int]]) -> str:
    lines = text.split("\n")
    for first, last in reversed(blocks):
        blank_before = first == 0 or not lines[first - 1].strip()
        blank_after = last + 1 < len(lines) - 1 and not lines[last + 1].strip()
        del lines[first : last + 1 + (blank_before and blank_after)]
    return "\n".join(lines)


def _with(text: str, change: WishChange) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    remark = f" # {change.remark}" if change.remark else ""
    lines = [
        *("" if not text or text.endswith(end * 2) else end, "" if not text or text.endswith("\n") else end),
        f"[[wish]]{end}channel = {quote(change.channel)}{end}item = {quote(change.item)}{remark}{end}",
        *(f"{_key(key, value)}{end}" for key, value in change.options.items()),
    ]
    return text + "".join(lines)


def _with_keys(text: str, block: tuple[int, int], options: Mapping[str, bool | int]) -> str:
    """A key that stays keeps its place and its comment."""
    lines, (first, last) = text.split("\n"), block
    end = "\r" if lines[first].endswith("\r") else ""
    kept, found = [], set()
    for line in lines[first + 1 : last + 1]:
        key = line.partition("=")[0].strip().strip("\"'")
        if _IDLE.match(line) or key in _WISH:
            kept.append(line)
        elif key in options:
            found.add(key)
            _, comment, after = line.partition("#")
            kept.append(f"{_key(key, options[key])} {comment}{after}" if comment else _key(key, options[key]) + end)
    kept += [_key(key, value) + end for key, value in options.items() if key not in found]
    return "\n".join((*lines[: first + 1], *kept, *lines[last + 1 :]))


def _key(key: str, value: bool | int) -> str:
    return f"{key} = {str(value).lower()}"


def _in_array(document: tomlkit.TOMLDocument, wishes: Any, places: list[int], change: WishChange) -> str | None:
    new: Any = tomlkit.inline_table()
    new.update({"channel": str(change.channel), "item": change.item, **change.options})
    if not change.present:
        if not places:
            return None
        for at in reversed(places):
            del wishes[at]
    elif not places:
        wishes.append(new)
    elif {key: value for key, value in wishes[places[0]].unwrap().items() if key not in _WISH} == dict(change.options):
        return None
    else:
        wishes[places[0]] = new
    return tomlkit.dumps(document)
