"""Actions: everything the program may do to the outside, as one closed union. There is none that speaks in chat."""

from __future__ import annotations

from dataclasses import dataclass

from allthepoints.base.types import ItemId, Login, SeId, UserId


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


@dataclass(frozen=True, slots=True)
class FindLoyalty:
    """Look a channel up at StreamElements by its login. Answers LoyaltyFound or ElementsFailed("channel")."""

    login: Login


@dataclass(frozen=True, slots=True)
class ReadLoyalty:
    """Read a channel's settings. Answers LoyaltyRead or ElementsFailed("loyalty")."""

    channel: UserId
    se: SeId


@dataclass(frozen=True, slots=True)
class ReadBalance:
    """Read what `viewer` has in a channel. Answers BalanceRead or ElementsFailed("balance")."""

    channel: UserId
    se: SeId
    viewer: Login


@dataclass(frozen=True, slots=True)
class ReadItems:
    """Read a whole store. Answers ItemsRead or ElementsFailed("items")."""

    channel: UserId
    se: SeId


@dataclass(frozen=True, slots=True)
class ReadHistory:
    """Read our own redemptions. Answers HistoryRead or ElementsFailed("history")."""

    own: SeId


@dataclass(frozen=True, slots=True)
class CheckJwt:
    """Look at the viewer's own token: what stands in it, and whose it is. Answers JwtSeen or JwtUnknown."""


@dataclass(frozen=True, slots=True)
class SendRedemption:
    """POST a redemption, once. Only ever performed when the row that says so is on the disk. Answers
    RedemptionAnswered.

    `own`: as whom; with a token of another account nothing is sent.
    """

    key: str
    own: SeId
    se: SeId
    item: ItemId
    answers: tuple[str, ...]
    message: str


Action = (
    RenewSignIn
    | ReadFollows
    | ReadLive
    | ReadUsers
    | OpenConnection
    | CloseConnection
    | JoinRooms
    | PartRooms
    | FindLoyalty
    | ReadLoyalty
    | ReadBalance
    | ReadItems
    | ReadHistory
    | CheckJwt
    | SendRedemption
)

ElementsRead = FindLoyalty | ReadLoyalty | ReadBalance | ReadItems | ReadHistory
"""Reads of StreamElements: one at a time, spread evenly."""
