"""The facts of StreamElements and of what is bought there: part of the union in `core/facts.py`, whose words hold."""

from __future__ import annotations

from dataclasses import dataclass

from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core.loyalty import Balance, Bought, Item, JwtState, Loyalty, LoyaltyChannel, Viewer
from allthepoints.core.redeem import Reason


@dataclass(frozen=True, slots=True)
class LoyaltyFound:
    """Channel by name. `found` None: StreamElements has none of that name, or none of Twitch."""

    at: float
    login: Login
    found: LoyaltyChannel | None


@dataclass(frozen=True, slots=True)
class LoyaltyRead:
    """A channel's settings. None: its id is not known there (any more)."""

    at: float
    channel: UserId
    loyalty: Loyalty | None


@dataclass(frozen=True, slots=True)
class BalanceRead:
    """One reading of our balance. None: they do not know us there (which reads as 0), or not the channel.

    `viewer`: whose it is.
    """

    at: float
    channel: UserId
    balance: Balance | None
    viewer: Login | None = None


@dataclass(frozen=True, slots=True)
class ItemsRead:
    """A whole store; what is not in it is gone. None: the channel's id is not known there (any more)."""

    at: float
    channel: UserId
    items: tuple[Item, ...] | None


@dataclass(frozen=True, slots=True)
class HistoryRead:
    """Our own redemptions, over all channels, as StreamElements keeps them; newest first. `at`: when they were asked
    for; what was booked since need not be among them.

    `own`: whose they are. `ahead`: seconds by which StreamElements' clock is ahead of ours, where it tells its time.
    """

    at: float
    bought: tuple[Bought, ...]
    own: SeId | None = None
    ahead: float | None = None


@dataclass(frozen=True, slots=True)
class ElementsFailed:
    """A read of StreamElements brought nothing. `what`: "channel", "loyalty", "balance", "items", "history".

    `until`: they asked us to wait. `refused`: a clear no to this very request; the others go on.
    """

    at: float
    what: str
    error: str
    luck: float
    channel: UserId | None = None
    login: Login | None = None
    until: float | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class JwtSeen:
    """What the viewer's own token is worth. `viewer`: whose it is, where StreamElements said so."""

    at: float
    state: JwtState
    expires_at: float | None = None
    viewer: Viewer | None = None


@dataclass(frozen=True, slots=True)
class JwtUnknown:
    """Whose token it is could not be asked (outage). `expires_at` is what stands in it."""

    at: float
    error: str
    luck: float
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class RedemptionAnswered:
    """What became of the one POST of a redemption.

    `bought`: it was taken. `refusal`: a clear no, in their words. `unsent`: why it never left. None of these: no answer
    that means anything; it may have been taken or not.
    """

    at: float
    key: str
    bought: Bought | None = None
    refusal: str | None = None
    unsent: Reason | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class LookAsked:
    """A person looks at a channel's points and store: they are read anew."""

    at: float
    login: Login


@dataclass(frozen=True, slots=True)
class RedeemAsked:
    """A person confirmed that `item` be bought at `cost`. `key` is the intent's own: the same key is the same intent.

    `dry`: all checks, and nothing is sent.
    """

    at: float
    key: str
    login: Login
    item: ItemId
    cost: int
    answers: tuple[str, ...] = ()
    message: str = ""
    dry: bool = False


@dataclass(frozen=True, slots=True)
class SettleAsked:
    """The person says what became of a redemption whose outcome is unknown."""

    at: float
    key: str
    taken: bool


@dataclass(frozen=True, slots=True)
class AutoAllowed:
    """The person knows what `auto = true` of a wish means while nobody is there, and said yes (or took it back)."""

    at: float
    allowed: bool


@dataclass(frozen=True, slots=True)
class JwtGiven:
    """The person gave another JWT: what it is worth is looked at now."""

    at: float


ElementsFact = (
    LoyaltyFound
    | LoyaltyRead
    | BalanceRead
    | ItemsRead
    | HistoryRead
    | ElementsFailed
    | JwtSeen
    | JwtUnknown
    | LookAsked
    | JwtGiven
)
"""What is known of StreamElements."""

RedemptionFact = RedeemAsked | RedemptionAnswered | SettleAsked | AutoAllowed
"""What becomes of redemptions."""
