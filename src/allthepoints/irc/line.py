"""One line of IRC with IRCv3 tags: bytes to fields and back.

Reading is lax where servers are known to be odd (several spaces, no text after the tags' key, bytes that are not
UTF-8); writing is strict. The hot path never comes here: `irc.scan` hands over only the few lines that matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class MalformedLine(ValueError):
    """There is no command in it."""


_NO_TAGS: Mapping[str, str] = MappingProxyType({})


class Line(NamedTuple):
    """`:source COMMAND params`, with tags unescaped. `source` is None where the line had none."""

    command: str
    params: tuple[str, ...] = ()
    source: str | None = None
    tags: Mapping[str, str] = _NO_TAGS

    @property
    def nick(self) -> str:
        """The user who sent it, lower case; empty where a server did, whatever the server calls itself."""
        name, mark, _ = (self.source or "").partition("!")
        return name.lower() if mark else ""

    def param(self, index: int) -> str:
        """The parameter at `index`, or nothing: servers leave out what they like."""
        return self.params[index] if index < len(self.params) else ""


def parse(raw: bytes) -> Line:
    """The line in `raw`, given without its LF. Bytes that are not UTF-8 become U+FFFD. Raises MalformedLine."""
    tags, source, command, params = split(raw.decode("utf-8", "replace"))
    return Line(command, tuple(params), source, parse_tags(tags) if tags else _NO_TAGS)


def split(text: str) -> tuple[str, str | None, str, list[str]]:
    """Tags, source, command and parameters as they stand in `text`. Raises MalformedLine."""
    rest = text.rstrip("\r")
    tags, source = "", None
    if rest[:1] == "@":
        tags, _, rest = rest[1:].partition(" ")
        rest = rest.lstrip(" ")
    if rest[:1] == ":":
        source, _, rest = rest[1:].partition(" ")
        rest = rest.lstrip(" ")
    middle, colon, trailing = rest.partition(" :")
    words = middle.split(" ")
    if not words[0] or words[0][0] == ":":
        raise MalformedLine("no command")
    if "" in words:
        words = [word for word in words if word]
    if colon:
        words.append(trailing)
    return tags, source, words[0], words[1:]


def serialise(line: Line) -> bytes:
    """The line as it goes over the wire, with CR LF. Raises ValueError where it cannot be written as one line."""
    parts = []
    if line.tags:
        parts.append("@" + ";".join(f"{_tag_key(key)}={escape(value)}" for key, value in line.tags.items()))
    if line.source is not None:
        parts.append(":" + _word(line.source, empty=True))
    parts.append(_word(line.command))
    *middle, last = line.params or ("",)
    parts += [_word(param) for param in middle]
    if line.params:
        parts.append(last if _is_word(last) else ":" + _text(last))
    return " ".join(parts).encode() + b"\r\n"


# -- tags ----------------------------------------------------------------------------------------------------------
_UNESCAPED = {":": ";", "s": " ", "r": "\r", "n": "\n", "": ""}
_ESCAPED = {"\\": "\\\\", ";": "\\:", " ": "\\s", "\r": "\\r", "\n": "\\n"}
_ESCAPE = re.compile(r"[\\; \r\n]")
_UNESCAPE = re.compile(r"\\(.?)", re.DOTALL)


def parse_tags(text: str) -> dict[str, str]:
    """The tags between `@` and the space. The last of equal keys counts; a key without `=` has the empty value."""
    tags = {}
    for item in text.split(";"):
        key, _, value = item.partition("=")
        if key:
            tags[key] = unescape(value) if "\\" in value else value
    return tags


def escape(value: str) -> str:
    """`value` as a tag's value. NUL cannot be written: ValueError."""
    if "\0" in value:
        raise ValueError("a tag holds no NUL")
    return _ESCAPE.sub(lambda found: _ESCAPED[found[0]], value)


def unescape(value: str) -> str:
    """What a tag's value means. A lone backslash at the end goes away; one before another character stands for it."""
    return _UNESCAPE.sub(lambda found: _UNESCAPED.get(found[1], found[1]), value)


# -- what may be written -------------------------------------------------------------------------------------------
_KEY = re.compile(r"\+?(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9-]+\Z")
_NOT_IN_TEXT = re.compile(r"[\0\r\n]")


def _tag_key(key: str) -> str:
    if not _KEY.match(key):
        raise ValueError("not a tag's key")
    return key


def _is_word(text: str) -> bool:
    return bool(text) and not text.startswith(":") and " " not in text and not _NOT_IN_TEXT.search(text)


def _word(text: str, *, empty: bool = False) -> str:
    if not _is_word(text) and not (empty and not text):
        raise ValueError("not one word")
    return text


def _text(text: str) -> str:
    if _NOT_IN_TEXT.search(text):
        raise ValueError("NUL, CR and LF end a line")
    return text
