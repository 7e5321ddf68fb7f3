"""What a chat session tells: one closed union. Channels come as lower-case logins without `#`, lower-cased.

No event carries anybody's chat text: a PRIVMSG is never even decoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class JoinError(StrEnum):
    """Why a JOIN was refused, by NOTICE msg-id (facts: Twitch's list of msg-ids, and what clients handle beside it)."""

    BANNED = "banned"
    SUSPENDED = "suspended"
    TOS_BAN = "tos_ban"
    NO_SUCH_CHANNEL = "no_such_channel"
    ROOM_LIMIT = "room_limit"
    BLOCKED = "blocked"
    ACCOUNT_SUSPENDED = "account_suspended"
    NEEDS_EMAIL = "needs_verified_email"
    NEEDS_PHONE = "needs_verified_phone"
    OTHER = "refused"


class End(StrEnum):
    """Why a session ended by its own judgement."""

    DEADLINE = "no_welcome_in_time"
    SILENT = "no_answer_to_ping"
    OVERFLOW = "line_without_end"
    LOGIN = "login_refused"
    CLOSED = "closed_by_server"


@dataclass(frozen=True, slots=True)
class Welcome:
    """001: the server took our login. `nick` as the server writes it, lower case."""

    nick: str


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """A NOTICE to `*` before the welcome, or an ERROR: the token is of no use here. `text` in the server's words."""

    text: str


@dataclass(frozen=True, slots=True)
class RoomJoined:
    """Own JOIN echo, full ROOMSTATE or 366; told for each proof. Only ROOMSTATE tells the `room_id`."""

    channel: str
    room_id: str | None = None


@dataclass(frozen=True, slots=True)
class RoomParted:
    """Own PART echo, asked for or not."""

    channel: str


@dataclass(frozen=True, slots=True)
class RoomRefused:
    """A NOTICE that closes a room to us."""

    channel: str
    error: JoinError
    text: str


@dataclass(frozen=True, slots=True)
class WeBanned:
    """CLEARCHAT that names us, without a duration."""

    channel: str


@dataclass(frozen=True, slots=True)
class WeTimedOut:
    """CLEARCHAT that names us, with a duration in seconds."""

    channel: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Reconnect:
    """The server will close this connection soon."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over; close the transport. Told once, last."""

    end: End
    text: str = ""


SessionEvent = (
    Welcome | LoginRefused | RoomJoined | RoomParted | RoomRefused | WeBanned | WeTimedOut | Reconnect | Ended
)
