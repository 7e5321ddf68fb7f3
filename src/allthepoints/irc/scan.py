"""Find the few lines that matter in a flood of chat, without touching the rest.

Theory. Nearly every byte that arrives is somebody's chat. So one compiled expression runs over the raw buffer, and only
the lines it finds become Python objects.

* It starts with a literal LF, the kind of start that `re` finds fastest. A line of chat cannot hold an LF, so nothing
  in it can look like the start of a line; that is the whole proof that chat cannot forge a command.
* Then it steps over tags and source with `[^ ]*+`: one negated literal is the fastest loop `re` has (a class that also
  excludes LF is four times slower), and possessive, so that it never goes back. On a malformed line (tags, and no
  space) that loop runs on into the next line. A match that ended beyond its own line is therefore thrown away, and
  the search goes on at that line's end: nothing is swallowed, nothing is forged.
* Then it wants a command of the list, said by a server. Own JOIN and PART are told by the source, CLEARCHAT by whom it
  names. A user's line fails at the `!` of its source.
* Before all that, a look ahead turns away what nearly every line is: tags, a source, and a command that begins with PR.
  It says nothing that the rest would not say, only sooner. Where it runs beyond its own line, that line has no command;
  and it does not run far.

What is found is a candidate: the session parses it in full and decides. The bytes given to the expression at a time
are bounded (WINDOW), so that even a server that sends nothing but `@` lines cannot make the loops run into each other
for long.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

Buffer = bytes | bytearray | memoryview
_Search = Callable[[bytes | bytearray, int, int], re.Match[bytes] | None]

WINDOW = 32768
"""Bytes the expression sees at a time. The worst input costs the square of it; ordinary input does not feel it."""

MAX_LINE = 65536
"""Bytes without LF that are kept. Twitch's longest lines (8 kB of tags, 512 of the rest) are far below."""


class Scanner:
    """Takes bytes cut anywhere, gives the raw lines (without LF) that may matter to `nick`, in order.

    `overflowed` turns true when a line has no end within `max_line` bytes; what was kept of it is dropped.
    """

    def __init__(self, nick: str, max_line: int = MAX_LINE) -> None:
        self.overflowed = False
        self._search = _expression(nick)
        self._max_line = max_line
        self._carry = bytearray(b"\n")

    def rename(self, nick: str) -> None:
        """From the next `feed` on we are `nick`."""
        self._search = _expression(nick)

    def feed(self, data: Buffer) -> list[bytes]:
        """The lines that matter among those that `data` completes."""
        if isinstance(data, memoryview):
            data = bytes(data)
        found: list[bytes] = []
        first = data.find(b"\n")
        if first < 0:
            self._keep(data)
            return found
        # Only the line that was begun before is put together; the rest is searched where it lies.
        self._carry += data[: first + 1]
        self._scan(self._carry, 0, found)
        self._scan(data, first, found)
        self._carry = bytearray(b"\n")
        self._keep(data[data.rfind(b"\n") + 1 :])
        return found

    def _keep(self, tail: bytes | bytearray) -> None:
        self._carry += tail
        if len(self._carry) > self._max_line:
            self.overflowed = True
            self._carry = bytearray(b"\n")

    def _scan(self, data: bytes | bytearray, start: int, found: list[bytes]) -> None:
        """Search `data` from the LF at `start` to its last LF, a window of whole lines at a time."""
        search = self._search
        last = data.rfind(b"\n")
        while start < last:
            end = data.rfind(b"\n", start + 1, start + WINDOW)
            if end < 0:
                end = data.find(b"\n", start + 1)
            while match := search(data, start, end + 1):
                line = match.start() + 1
                start = data.find(b"\n", line)
                if match.end() <= start:
                    found.append(bytes(data[line:start]))
            start = end


_NAMES_US = rb"CLEARCHAT[ ]++[^ ]*+[ ]++:?%(own)b"

_COMMANDS = rb"""
    P[IO]NG | NOTICE | R(?:OOMSTATE|ECONNECT) | %(names_us)b | ERROR | 001 | 366 | 4(?:0[35]|3[23]|6[45]|7[1-7])
"""

_LINE = rb"""
\n (?!@[^ ]{,999}+[ ]:[^ ]{,99}+[ ]PR) (?:@[^ ]*+[ ]++)?+
(?:
    : (?:
        %(own)b (?:![^ ]*+)?+ [ ]++ (?:JOIN|PART)
      | [^ !]*+ [ ]++ (?:%(commands)b)    # a server: nobody else has a name without !
      | !@[^ ]*+ [ ]++ %(names_us)b       # a server that forgot its name: Twitch, May 2022
    )
  | %(commands)b
)
(?=[ \r\n])
"""


@lru_cache(maxsize=8)
def _expression(nick: str) -> _Search:
    own = b"(?i:%b)" % re.escape(nick.encode())
    names_us = _NAMES_US % {b"own": own}
    commands = _COMMANDS % {b"names_us": names_us}
    return re.compile(_LINE % {b"own": own, b"names_us": names_us, b"commands": commands}, re.VERBOSE).search
