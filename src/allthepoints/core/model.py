"""What the decisions speak about: channels, streams, accounts and the reasons for which a chat may be closed to us."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from allthepoints.base.types import Login, StreamId, UserId


@dataclass(frozen=True, slots=True)
class Account:
    """The one account this service runs for."""

    user_id: UserId
    login: Login


@dataclass(frozen=True, slots=True)
class ChannelRef:
    """A channel as Helix names it: who it is, where it is now, how it wants to be written."""

    id: UserId
    login: Login
    display: str


class StreamKind(StrEnum):
    """What is being sent. Only a live stream earns points."""

    LIVE = "live"
    RERUN = "rerun"


@dataclass(frozen=True, slots=True)
class Stream:
    """One row of Get Streams. `started_at` in epoch seconds; `id` is the identity of the session."""

    id: StreamId
    channel: ChannelRef
    kind: StreamKind
    title: str
    started_at: float


class Why(StrEnum):
    """Why the server will not have us in a chat. The retry rule of each stands in `core.refusals`."""

    BANNED = "banned"
    PUT_OUT = "put_out"
    SUSPENDED = "suspended"
    TOS_BAN = "tos_ban"
    NO_SUCH_CHANNEL = "no_such_channel"
    ROOM_LIMIT = "room_limit"
    UNANSWERED = "unanswered"
    BLOCKED = "blocked"
    ACCOUNT_SUSPENDED = "account_suspended"
    NEEDS_EMAIL = "needs_verified_email"
    NEEDS_PHONE = "needs_verified_phone"
    OTHER = "refused"


class Lost(StrEnum):
    """Why a chat connection ended."""

    CONNECT = "could_not_connect"
    TLS = "tls_failed"
    DEADLINE = "no_welcome_in_time"
    CLOSED = "closed_by_server"
    RESET = "reset"
    SILENT = "no_answer_to_ping"
    OVERFLOW = "line_without_end"
    LOGIN = "login_refused"
    OURS = "closed_by_us"
