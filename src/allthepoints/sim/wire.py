"""The sandbox's own reader of IRC lines: strict. What a Twitch client has no business to send is named.

It shares nothing with the client's parser, on purpose. A line that is odd is still read as far as Twitch would read it;
`odd` says what was wrong with it, and the chat server writes that into the tally.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

LINE_LIMIT = 512
"""Bytes of a client's line with its CR LF; Twitch drops longer ones or closes."""

BUFFER_LIMIT = 16 * 1024
"""Bytes without a line end after which the server has had enough."""

_CHANNEL = re.compile(r"#[a-z0-9_]{1,25}\Z")


@dataclass(frozen=True, slots=True)
class ClientLine:
    """A line that a client sent. `odd` lists what was wrong with it, in our words, without the line's own text."""

    command: str
    params: tuple[str, ...]
    odd: tuple[str, ...] = ()


class LineReader:
    """Cuts what arrives into lines, however it was cut on its way."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Every complete line, with its line end."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            yield line + b"\n"

    @property
    def overflown(self) -> bool:
        return len(self._rest) > BUFFER_LIMIT


def read_line(raw: bytes) -> ClientLine | None:
    """The line's command and parameters; None for an empty line."""
    odd = []
    if not raw.endswith(b"\r\n"):
        odd.append("line ends in LF without CR")
    if b"\0" in raw:
        odd.append("NUL in a line")
    try:
        text = raw.rstrip(b"\r\n").decode()
    except UnicodeDecodeError:
        odd.append("line is not UTF-8")
        text = raw.rstrip(b"\r\n").decode(errors="replace")
    if text.startswith("@"):
        _, _, text = text.partition(" ")
        odd.append("client sent tags")
    if text.startswith(":"):
        _, _, text = text.partition(" ")
        odd.append("client sent a prefix")
    if not text.strip():
        return None
    command, params = _split(text)
    if command != command.upper():
        odd.append("command in lower case")
    return ClientLine(command.upper(), params, tuple(odd))


def channel_of(name: str) -> tuple[str, str | None]:
    """The login a JOIN or PART means, and what was wrong with how it was written (None: nothing)."""
    if _CHANNEL.match(name):
        return name[1:], None
    if _CHANNEL.match(name.lower()):
        return name[1:].lower(), "channel name in upper case"
    return "", "not a channel name"


def _split(text: str) -> tuple[str, tuple[str, ...]]:
    head, colon, trailing = text.partition(" :")
    words = head.split(" ")
    params = [word for word in words[1:] if word]
    if colon:
        params.append(trailing)
    return words[0], tuple(params)
