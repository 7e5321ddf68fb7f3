"""Facts: everything that can happen to the program, as one closed union of frozen values.

`at` is always the time of observation on the clock's time line (epoch seconds). `luck` is a number in [0, 1) drawn by
the shell at that moment: back-off needs chance, and the core has none. `conn` numbers a chat connection; numbers are
given by `plan` and never used twice in a process.
"""

from __future__ import annotations

from dataclasses import dataclass

from allthepoints.base.types import Login, UserId
from allthepoints.core.facts_points import ElementsFact, RedemptionFact
from allthepoints.core.model import Account, ChannelRef, Lost, Stream, Why


# -- who we are ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class SignedIn:
    """The token validates. `follows` tells whether it may read the follows (scope user:read:follows)."""

    at: float
    account: Account
    follows: bool
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class SignInLost:
    """No usable token, and no way to get one without the person. `text` says why, in our words."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class SignInGiven:
    """The person signed in anew, or out: what is kept of it is looked at now."""

    at: float


@dataclass(frozen=True, slots=True)
class SignInUnknown:
    """The token could not be checked (outage). The old knowledge stands."""

    at: float
    error: str
    luck: float
    remembered: SignedIn | None = None
    """What the token file says of the token, where it says anything."""


# -- Helix ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class FollowsRead:
    """All pages of the follows, newest first."""

    at: float
    channels: tuple[ChannelRef, ...]


@dataclass(frozen=True, slots=True)
class LiveRead:
    """One poll of who is live. A channel that was asked for and is not in `streams` was missed.

    `asked` and `asked_logins` hold only what was answered; a batch that failed is left out, and `error` says so.
    `doubtful` are channels whose row came but made no sense (Helix sends an empty type on an internal error): unknown.
    """

    at: float
    asked: frozenset[UserId]
    asked_logins: frozenset[Login]
    streams: tuple[Stream, ...]
    doubtful: frozenset[UserId] = frozenset()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class UsersRead:
    """Get Users: who exists. Missing: Helix answered and did not name it (renamed, suspended, never there)."""

    at: float
    found: tuple[ChannelRef, ...]
    missing_ids: frozenset[UserId]
    missing_logins: frozenset[Login]


@dataclass(frozen=True, slots=True)
class ReadFailed:
    """A Helix read brought nothing: `what` is "live", "follows" or "users". `until`: they asked us to wait."""

    at: float
    what: str
    error: str
    luck: float
    until: float | None = None


@dataclass(frozen=True, slots=True)
class HelixPoints:
    """What the rate headers said. `reset_at` in epoch seconds."""

    at: float
    remaining: int
    limit: int
    reset_at: float


# -- chat ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Welcomed:
    """The server took our login on this connection (001)."""

    at: float
    conn: int


@dataclass(frozen=True, slots=True)
class JoinWritten:
    """JOINs left for the wire; the ack timers start here."""

    at: float
    conn: int
    logins: tuple[Login, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """The server's own word that we are in: own JOIN echo, full ROOMSTATE or 366. `room_id` where the line told it."""

    at: float
    conn: int
    login: Login
    room_id: UserId | None = None


@dataclass(frozen=True, slots=True)
class Parted:
    """The server's word that we are out: own PART echo, asked for or not."""

    at: float
    conn: int
    login: Login


@dataclass(frozen=True, slots=True)
class JoinRefused:
    """The server said no to a JOIN. `text` is its own words, cut short."""

    at: float
    conn: int
    login: Login
    why: Why
    text: str = ""


@dataclass(frozen=True, slots=True)
class Banned:
    """CLEARCHAT without a duration that names us."""

    at: float
    conn: int
    login: Login


@dataclass(frozen=True, slots=True)
class TimedOut:
    """CLEARCHAT with a duration that names us: we may stay, only talking is blocked, and we never talk."""

    at: float
    conn: int
    login: Login
    seconds: int


@dataclass(frozen=True, slots=True)
class ReconnectAsked:
    """The server will close this connection soon."""

    at: float
    conn: int


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """A chat connection ended, or never came to be. `text` tells more for the log."""

    at: float
    conn: int
    lost: Lost
    luck: float
    text: str = ""


# -- this machine and its person -----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Woke:
    """The host slept, or its clock was moved ahead, by `gap` seconds: what we know of who is live is old."""

    at: float
    gap: float


@dataclass(frozen=True, slots=True)
class RetryAsked:
    """The person asks to try a refused channel again."""

    at: float
    login: Login


@dataclass(frozen=True, slots=True)
class ConfigTaken:
    """A changed config was read and is now the policy. `restart`: keys of it that are used from the next start on."""

    at: float
    restart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfigRejected:
    """A changed config could not be used; the old one stays. `error` names file, line and key."""

    at: float
    error: str


@dataclass(frozen=True, slots=True)
class StorageFailed:
    """The database does not take what happened; `error` names it."""

    at: float
    error: str


@dataclass(frozen=True, slots=True)
class StorageWorks:
    """The database takes what happened again."""

    at: float


@dataclass(frozen=True, slots=True)
class Ticked:
    """Nothing but time went by: `plan` asked to be woken."""

    at: float


Fact = (
    SignedIn
    | SignInLost
    | SignInGiven
    | SignInUnknown
    | FollowsRead
    | LiveRead
    | UsersRead
    | ReadFailed
    | HelixPoints
    | Welcomed
    | JoinWritten
    | Joined
    | Parted
    | JoinRefused
    | Banned
    | TimedOut
    | ReconnectAsked
    | ConnectionLost
    | ElementsFact
    | RedemptionFact
    | Woke
    | RetryAsked
    | ConfigTaken
    | ConfigRejected
    | StorageFailed
    | StorageWorks
    | Ticked
)
