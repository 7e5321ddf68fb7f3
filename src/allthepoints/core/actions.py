"""Actions: everything the program may do to the outside, as one closed union. There is none that speaks in chat."""

from __future__ import annotations

from dataclasses import dataclass

from allthepoints.base.types import Login, UserId


@dataclass(frozen=True, slots=True)
class RenewSignIn:
    """Check the token, refresh it once if it is bad. Answers SignedIn, SignInLost or SignInUnknown."""

    refused: bool = False
    """The chat refused the present token: validation alone proves nothing, refresh first."""


@dataclass(frozen=True, slots=True)
class ReadFollows:
    """Read all pages of the follows. Answers FollowsRead or ReadFailed("follows")."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class ReadLive:
    """Read who is live. Answers LiveRead or ReadFailed("live").

    `followed_by` asks for everything that account follows in one go (`followed` are the ids that this covers);
    `ids` and `logins` are asked for by name, 100 a call.
    """

    followed_by: UserId | None
    followed: frozenset[UserId]
    ids: frozenset[UserId]
    logins: frozenset[Login]


@dataclass(frozen=True, slots=True)
class ReadUsers:
    """Look up who exists and under which login. Answers UsersRead or ReadFailed("users")."""

    ids: frozenset[UserId]
    logins: frozenset[Login]


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """Open a chat connection and sign in. Answers Welcomed or ConnectionLost."""

    conn: int


@dataclass(frozen=True, slots=True)
class CloseConnection:
    """Let a chat connection go. Answers ConnectionLost(OURS)."""

    conn: int


@dataclass(frozen=True, slots=True)
class JoinRooms:
    """Write JOINs. Answers JoinWritten, then for each room Joined, JoinRefused or nothing."""

    conn: int
    logins: tuple[Login, ...]


@dataclass(frozen=True, slots=True)
class PartRooms:
    """Write PARTs. Answers Parted for each room, or nothing."""

    conn: int
    logins: tuple[Login, ...]


Action = RenewSignIn | ReadFollows | ReadLive | ReadUsers | OpenConnection | CloseConnection | JoinRooms | PartRooms
