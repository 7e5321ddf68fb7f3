"""What a line means to somebody who is signed in as `nick` and only listens: at most one event.

A line counts only where the server said it: a NOTICE or a numeric with a user for a source is that user's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from allthepoints.irc import notices
from allthepoints.irc.events import (
    Reconnect,
    RoomJoined,
    RoomParted,
    RoomRefused,
    SessionEvent,
    WeBanned,
    WeTimedOut,
)
from allthepoints.irc.line import Line

_SECONDS = re.compile(r"[0-9]{1,9}")
"""What a duration can be: no more digits than any stream lasts."""

TEXT_LIMIT = 300
"""Characters kept of the server's words."""

FULL_ROOMSTATE = frozenset({"room-id", "subs-only", "slow"})
"""All settings come when we enter; later lines tell only what changed, to whoever is already in."""


def event_of(line: Line, nick: str) -> SessionEvent | None:
    """The event, or None for a line that tells us nothing. `nick` in lower case."""
    handler = _HANDLERS.get(line.command)
    return handler(line, nick) if handler else None


def words(line: Line) -> str:
    """The server's text, made fit for a log."""
    text = line.params[-1][:TEXT_LIMIT] if line.params else ""
    return text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)


def _room(param: str) -> str:
    """The channel's login: lower case, without `#` (which Twitch once forgot)."""
    return param.removeprefix("#").lower()


def _is_own(line: Line, nick: str) -> bool:
    return (line.nick or (line.source or "").lower()) == nick


def _join(line: Line, nick: str) -> SessionEvent | None:
    channel = _room(line.param(0))
    return RoomJoined(channel) if channel and _is_own(line, nick) else None


def _part(line: Line, nick: str) -> SessionEvent | None:
    channel = _room(line.param(0))
    return RoomParted(channel) if channel and _is_own(line, nick) else None


def _end_of_names(line: Line, nick: str) -> SessionEvent | None:
    channel = _room(line.param(1))
    return RoomJoined(channel) if channel and not line.nick and line.param(0).lower() == nick else None


def _roomstate(line: Line, _nick: str) -> SessionEvent | None:
    channel = _room(line.param(0))
    if not channel or line.nick or not line.tags.keys() >= FULL_ROOMSTATE:
        return None
    return RoomJoined(channel, line.tags["room-id"] or None)


def _notice(line: Line, _nick: str) -> SessionEvent | None:
    channel = _room(line.param(0))
    error = notices.CLOSES.get(line.tags.get("msg-id", ""))
    return RoomRefused(channel, error, words(line)) if error and channel and not line.nick else None


def _numeric(line: Line, nick: str) -> SessionEvent | None:
    channel = _room(line.param(1))
    if not channel or line.nick or line.param(0).lower() != nick:
        return None
    return RoomRefused(channel, notices.NUMERICS[line.command], words(line))


def _clearchat(line: Line, nick: str) -> SessionEvent | None:
    """Without tags nobody can tell a ban from a time-out: then the PART that follows a ban is the word to go by."""
    channel = _room(line.param(0))
    if not channel or not line.tags or line.nick or line.param(1).lower() != nick:
        return None
    duration = line.tags.get("ban-duration", "")
    if not duration:
        return WeBanned(channel)
    return WeTimedOut(channel, int(duration) if _SECONDS.fullmatch(duration) else 0)


def _reconnect(line: Line, _nick: str) -> SessionEvent | None:
    return None if line.nick else Reconnect()


_HANDLERS: Mapping[str, Callable[[Line, str], SessionEvent | None]] = {
    "JOIN": _join,
    "PART": _part,
    "366": _end_of_names,
    "ROOMSTATE": _roomstate,
    "NOTICE": _notice,
    "CLEARCHAT": _clearchat,
    "RECONNECT": _reconnect,
    **dict.fromkeys(notices.NUMERICS, _numeric),
}
