"""One key of a section in the text of a config. What is there keeps its place and its comment; what is new gets a line
beside the keys of its section, and not behind the comments of the next one, where a TOML library would put it."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import tomlkit
import tomlkit.exceptions
import tomlkit.items

from allthepoints.base.types import Login
from allthepoints.config.entries import rewritten
from allthepoints.config.kinds import quote

_ANY_HEAD = re.compile(r"\s*\[")
_IDLE = re.compile(r"\s*(#.*)?\r?\Z")


def with_value(text: str, section: str, key: str, value: str) -> str:
    """`text` where `key` of [section] is `value`, which is TOML. Raises ValueError for a text that cannot be edited."""
    if text_of(text, section, key) is None:
        fresh = _with_line(text, section, key, value)
        if fresh is not None and _says(fresh, _wanted(text, section, key, value)):
            return fresh
    after = _with_item(text, section, key, value)
    if not _says(after, _wanted(text, section, key, value)):
        raise ValueError(section)
    return after


def with_logins(text: str, section: str, key: str, logins: tuple[Login, ...]) -> str:
    """The same of a list of channels, whose entries keep their comments."""
    value = text_of(text, section, key)
    return with_value(text, section, key, rewritten("[]" if value is None else value, logins))


def text_of(text: str, section: str, key: str) -> str | None:
    """The value of the key as the text has it; None where it has none."""
    table: Any = tomlkit.parse(text).get(section)
    if table is None or key not in table:
        return None
    value = table[key]
    if not isinstance(value, tomlkit.items.Item):
        return quote(str(value)) if isinstance(value, str) else None
    return value.as_string()


def _with_line(text: str, section: str, key: str, value: str) -> str | None:
    """With a line in the one block that begins with [section]; None where there is none, or it is not alone."""
    lines = text.split("\n")
    head = re.compile(rf"\s*\[\s*[\"']?{re.escape(section)}[\"']?\s*\]\s*(#.*)?\r?\Z")
    heads = [at for at, line in enumerate(lines) if head.match(line)]
    if len(heads) != 1:
        return None
    end = "\r" if lines[heads[0]].endswith("\r") else ""
    begin = heads[0]
    after = next((at for at in range(begin + 1, len(lines)) if _ANY_HEAD.match(lines[at])), len(lines))
    offered = re.compile(rf"\s*#\s*{re.escape(key)}\s*=")
    place = next((at for at in range(begin + 1, after) if offered.match(lines[at])), None)
    if place is None:  # behind the last of its keys, which may be a list over several lines
        place = max(at for at in range(begin, after) if at == begin or not _IDLE.match(lines[at]))
    value = value.replace("\r\n", "\n").replace("\n", end + "\n")
    lines.insert(place + 1, f"{key} = {value}{end}")
    return "\n".join(lines)


def _with_item(text: str, section: str, key: str, value: str) -> str:
    """With the key in a section that is written in whichever way, or that is new."""
    document = tomlkit.parse(text)
    if section not in document:
        end = "\r\n" if "\r\n" in text else "\n"
        before = text if not text or text.endswith("\n") else text + end
        return before + (end if before else "") + f"[{section}]{end}{key} = {value}{end}"
    table: Any = document[section]
    table[key] = tomlkit.parse(f"x = {value}")["x"]
    return tomlkit.dumps(document)


def _wanted(text: str, section: str, key: str, value: str) -> dict[str, Any]:
    document = tomllib.loads(text)
    document.setdefault(section, {})[key] = tomllib.loads(f"x = {value}")["x"]
    return document


def _says(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except ValueError:
        return False
