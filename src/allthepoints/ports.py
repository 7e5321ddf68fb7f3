"""Floor 2: what the service needs of the outside, in our words and types. Only `wiring` names who fulfils them.

Every method that talks to another machine raises `base.errors.OutsideError` or `SignInNeeded`, never a library's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from allthepoints.base.errors import SignInNeeded
from allthepoints.base.secret import Secret
from allthepoints.base.types import JSON, ItemId, Login, SeId, UserId
from allthepoints.core.model import Account, ChannelRef, Lost

if TYPE_CHECKING:  # readers of the database need the rows above all; they start faster without the rest
    from allthepoints.core.actions import ReadLive
    from allthepoints.core.facts import LiveRead, UsersRead
    from allthepoints.core.loyalty import Balance, Bought, Item, JwtState, Loyalty, LoyaltyChannel, Viewer
    from allthepoints.core.records import Record, Restored
    from allthepoints.irc.events import SessionEvent
    from allthepoints.irc.session import Session


CHAT_SCOPE = "chat:read"
FOLLOWS_SCOPE = "user:read:follows"
"""All that this program ever asks for: to read chats, and to know whom the account follows."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A token that validates: whose, for what, until when (epoch seconds; None where the server does not say)."""

    account: Account
    scopes: frozenset[str]
    client_id: str
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class StoredTokens:
    """What the token file holds. `obtained_at` and `expires_at` in epoch seconds."""

    access: Secret
    refresh: Secret | None
    client_id: str
    login: Login | None
    user_id: UserId | None
    scopes: tuple[str, ...]
    obtained_at: float
    expires_at: float | None
    refresh_spent: bool = False
    """The refresh token was sent and no answer came: it may be used up; not to be sent while the access token lives."""
    origin: str = ""
    """Fingerprint of the environment's tokens from which this pair descends; empty if none were given. A changed
    environment is thereby seen, and wins again. Kept in the file like the rest."""


class TokenStore(Protocol):
    """Where the sign-in is kept between runs. Synchronous: when `save` returns, the pair is on the disk."""

    def load(self) -> StoredTokens | None:
        """The stored sign-in. A file that cannot be read is set aside by name, and this answers None."""
        ...

    def save(self, tokens: StoredTokens) -> None:
        """Replace it atomically (0600, temp + fsync + rename). Raises FaultError."""
        ...

    def forget(self) -> None:
        """Remove it."""
        ...


class Tokens(Protocol):
    """The sign-in. Single-flight: however many ask at once, one request goes out."""

    def chat_token(self) -> Secret:
        """The user token for PASS (without `oauth:`). Raises SignInNeeded when there is none."""
        ...

    def remembered(self) -> SignIn | None:
        """What is stored of the sign-in, unchecked; None where nothing is stored that names an account."""
        ...

    async def check(self) -> SignIn:
        """Validate the present token; if the server calls it invalid, refresh once and validate that.

        Raises SignInNeeded (a person must act) or Unknown (no clear answer: the token is kept).
        """
        ...

    async def renew(self, refused: Secret) -> None:
        """`refused` was not accepted somewhere: make sure that the present token is another one. Raises as `check`."""
        ...


class LiveApi(Protocol):
    """Helix, as far as we need it."""

    async def follows(self, user_id: UserId) -> tuple[ChannelRef, ...]:
        """All channels that the account follows, newest first, each once; all pages or an error."""
        ...

    async def live(self, ask: ReadLive) -> LiveRead:
        """Who is live. Answers what could be learned; raises only if nothing could."""
        ...

    async def users(self, ids: frozenset[UserId], logins: frozenset[Login]) -> UsersRead:
        """Who exists, and under which login. All batches or an error."""
        ...


class PointsApi(Protocol):
    """StreamElements, as far as anybody may read it. None: 404."""

    async def find(self, login: Login) -> LoyaltyChannel | None:
        """The channel of this login. None also for a channel of another platform than Twitch."""
        ...

    async def loyalty(self, se: SeId) -> Loyalty | None:
        """Its settings."""
        ...

    async def balance(self, se: SeId, viewer: Login) -> Balance | None:
        """What `viewer` has there."""
        ...

    async def items(self, se: SeId) -> tuple[Item, ...] | None:
        """The whole store, disabled items too."""
        ...


class JwtUnusable(SignInNeeded):
    """The viewer's JWT is not even tried. `state`: MISSING, MALFORMED, EXPIRED (`expires_at`: since when), or
    WRONG_ACCOUNT."""

    def __init__(self, text: str, state: JwtState, hint: str = "", expires_at: float | None = None) -> None:
        super().__init__(text, hint)
        self.state = state
        self.expires_at = expires_at


class JwtStore(Protocol):
    """Where the viewer's JWT is kept between runs. Synchronous: when `save` returns, it is on the disk."""

    def load(self) -> Secret | None:
        """The stored JWT. A file that cannot be read is set aside by name, and this answers None. Raises FaultError."""
        ...

    def save(self, jwt: Secret) -> None:
        """Replace it atomically (0600, temp + fsync + rename). Raises FaultError."""
        ...

    def forget(self) -> None:
        """Remove it. Raises FaultError."""
        ...


class StoreApi(Protocol):
    """StreamElements on the viewer's behalf, by the viewer's own JWT.

    Each call raises JwtUnusable where there is no JWT, or one that is malformed or past its end; Unauthorised where
    StreamElements does not take it. `own`: as whom. Where the JWT is another account's by now, it raises JwtUnusable
    (WRONG_ACCOUNT), and nothing was asked or sent by it.
    """

    @property
    def ahead(self) -> float | None:
        """Seconds by which StreamElements' clock is ahead of ours, by the last good answer; None: it does not tell."""
        ...

    def expires_at(self) -> float | None:
        """What the JWT itself says of its end; None where it says nothing. Raises JwtUnusable as the calls do."""
        ...

    async def me(self) -> Viewer:
        """Whose JWT it is."""
        ...

    async def history(self, own: SeId) -> tuple[Bought, ...]:
        """Our redemptions over all channels, newest first; the newest few hundred are enough."""
        ...

    async def redeem(self, own: SeId, se: SeId, item: ItemId, answers: tuple[str, ...], message: str) -> Bought:
        """Buy, by one POST that is never repeated in here.

        Raises NotSent if nothing left; Refused for a clear no (nothing was booked); Unknown for everything else: it
        may be booked.
        """
        ...


class ChatLink(Protocol):
    """One open chat connection. Its session is driven by the transport; after a command to the session, `flush()`."""

    session: Session
    lost: Lost | None
    """Why it ended, from just before `on_lost` is told; None while it stands."""

    def flush(self) -> None:
        """Send what the session wants sent."""
        ...

    def close(self) -> None:
        """Send what is left (PART, QUIT) as far as it goes at once, and close. `on_lost` is still told."""
        ...


class ChatTransport(Protocol):
    """Opens chat connections."""

    async def open(
        self,
        session: Session,
        on_events: Callable[[Sequence[SessionEvent]], None],
        on_lost: Callable[[str], None],
    ) -> ChatLink:
        """Connect and drive `session` until it ends.

        The session's own deadline covers connect, TLS and welcome. `on_lost(text)` is called exactly once, when the
        link is gone, whoever ended it, with a text for the log. Nothing is told before this has returned. Raises
        Unknown if no connection came to be (then `on_lost` is not called); where it knows, the error says as `lost`
        which part failed.
        """
        ...


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """What another process may read of a channel: one row of `status`. Times in epoch seconds.

    `live` None: unknown. `state` and `reason` in the words of the outside contract; `since` is when `state` began.
    `place` is the channel's rank among those that want a room (0 is the first), None if it does not want one.
    """

    id: UserId
    login: Login
    display: str
    live: bool | None
    state: str
    reason: str | None = None
    since: float | None = None
    live_since: float | None = None
    place: int | None = None
    title: str | None = None
    points: int | None = None
    """Our balance at StreamElements, as of the last reading."""
    rate_per_hour: float | None = None
    verdict: str = "unknown"
    """A word of the outside contract: earning, early, flat, not_offered, unknown."""
    causes: tuple[str, ...] = ()
    """Why it is not earning, the likeliest first: words of `core.earning.Cause`."""


HELIX = "helix"
"""The key of `Storage.record`'s `service` for `{"remaining", "limit"}`: what is left of Helix's points."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a command asked of the running service, through the database. `kind` is a short word ("retry", ...)."""

    id: int
    at: float
    kind: str
    login: Login | None = None
    data: Mapping[str, JSON] = field(default_factory=dict)
    """What more the kind needs."""


NOTIFY = "notify"
"""The key of `Storage.record`'s `service` for `{"places": [{"name", "error", "since", "lost"}], "desk": {...}}`: how it
stands with each place that is notified (`error` None: well), and what the alerts of the next run need."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is sent to a person: plain text, of one line and of several."""

    title: str
    body: str
    urgent: bool = False


class Notifier(Protocol):
    """Sends to places outside. Their addresses are secrets; `places` are the names by which they may be called."""

    places: tuple[str, ...]

    async def send(self, place: int, notice: Notice) -> None:
        """Send to the place of this number, once, within a deadline of its own.

        Raises Refused (it will not take this, or is no place at all), Limited (not before `until`), Unknown (it may
        have arrived, or not). A notice that was Unknown may be given again: if it did arrive, it is not sent twice as
        far as that can be known.
        """
        ...


class Storage(Protocol):
    """The memory. One writer."""

    async def load(self) -> Restored:
        """What is remembered, with intervals that a crash left open closed at the last sign of life.

        Forgets the rows for readers: they spoke of the last run.
        """
        ...

    async def record(
        self,
        records: Sequence[Record],
        at: float,
        *,
        channel_rows: Sequence[ChannelRow] = (),
        gone: Sequence[UserId] = (),
        service: Mapping[str, JSON] | None = None,
        done: Sequence[int] = (),
    ) -> None:
        """Write all or nothing, durably; `at` is the sign of life. Raises FaultError when the disk does not take it.

        For readers in other processes: `channel_rows` replace the rows of their channels, those of `gone` are removed,
        and each key of `service` replaces that key. `service["account"]` is `{"user_id", "login"}`, and comes back as
        `Restored.account`. `done` are ids of requests that need no more answer.
        """
        ...

    async def requests(self) -> tuple[Request, ...]:
        """What commands asked and was not yet done, oldest first."""
        ...

    async def aclose(self) -> None:
        """Flush and let go."""
        ...
