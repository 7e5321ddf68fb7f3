"""Records: what a fact changed that must outlive the process, as one closed union.

`apply` answers them, storage writes each batch in one transaction, and only then is anything done about the facts.
An `Event` is what a person may want to read later; it holds values, never sentences (`views/text.py` writes those).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from allthepoints.base.types import ItemId, Login, SeId, StreamId, UserId
from allthepoints.core.loyalty import Balance, Item, Loyalty
from allthepoints.core.model import ChannelRef, Stream, Why
from allthepoints.core.redeem import Redemption


class EventKind(StrEnum):
    """What may stand in the list of events."""

    STARTED = "started"
    STOPPED = "stopped"
    SIGNED_IN = "signed_in"
    SIGN_IN_LOST = "sign_in_lost"
    SIGN_IN_RENEWED = "sign_in_renewed"
    LIVE = "live"
    OFFLINE = "offline"
    PRESENT = "present"
    LEFT = "left"
    REFUSED = "refused"
    RETRIED = "retried"
    TIMED_OUT = "timed_out"
    RENAMED = "renamed"
    NOT_FOUND = "not_found"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    RECONNECT_ASKED = "reconnect_asked"
    WOKE = "woke"
    HELIX_FAILED = "helix_failed"
    HELIX_BACK = "helix_back"
    ELEMENTS_FAILED = "elements_failed"
    ELEMENTS_BACK = "elements_back"
    FLAT = "flat"
    EARNING_AGAIN = "earning_again"
    WISH_OBTAINABLE = "wish_obtainable"
    WISH_CHEAPER = "wish_cheaper"
    WISH_BACK = "wish_back"
    WISH_GONE = "wish_gone"
    REDEMPTION_SENT = "redemption_sent"
    REDEEMED = "redeemed"
    REDEMPTION_REFUSED = "redemption_refused"
    REDEMPTION_UNKNOWN = "redemption_unknown"
    JWT_EXPIRES = "jwt_expires"
    JWT_EXPIRED = "jwt_expired"
    CONFIG_TAKEN = "config_taken"
    CONFIG_REJECTED = "config_rejected"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the event list. `data` holds plain JSON values."""

    at: float
    kind: EventKind
    channel: UserId | None = None
    data: dict[str, str | int | float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChannelKnown:
    """A channel as it is now called; `followed` is its place among the follows (0 is the newest), or None."""

    at: float
    ref: ChannelRef
    followed: int | None


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """A stream id was seen for the first time."""

    at: float
    stream: Stream


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """A stream id is over; `at` is when it was last seen live."""

    at: float
    channel: UserId
    stream: StreamId


@dataclass(frozen=True, slots=True)
class PresenceOpened:
    """From now on the server has us in this chat."""

    at: float
    channel: UserId
    stream: StreamId | None


@dataclass(frozen=True, slots=True)
class PresenceClosed:
    """Until now the server had us in this chat. `why` is a short word of ours ("offline", "lost", "parted", ...)."""

    at: float
    channel: UserId
    why: str


@dataclass(frozen=True, slots=True)
class RefusalSet:
    """A chat is closed to us. `until` is the end of a delay; without one, the rule of `core.refusals` decides."""

    at: float
    channel: UserId
    why: Why
    text: str
    stream: StreamId | None
    until: float | None
    tries: int = 1


@dataclass(frozen=True, slots=True)
class RefusalCleared:
    """The chat may be asked again."""

    at: float
    channel: UserId


@dataclass(frozen=True, slots=True)
class AttemptsSpent:
    """Budget used: `what` is "join" or "login". Kept so that a restart does not forget the window."""

    at: float
    what: str
    count: int


@dataclass(frozen=True, slots=True)
class LoyaltyKnown:
    """Where a channel is at StreamElements (`se` None: nowhere), and its settings as far as they were read."""

    at: float
    channel: UserId
    se: SeId | None
    loyalty: Loyalty | None = None


@dataclass(frozen=True, slots=True)
class BalanceKnown:
    """The last reading of a balance. One row a channel: written at every reading, and it grows nothing."""

    at: float
    channel: UserId
    balance: Balance


class Change(StrEnum):
    """Why a balance moved."""

    OPENING = "opening"
    """The first reading: what was there before. No change at all, but what later ones count from."""
    EARNED = "earned"
    SPENT = "spent"
    ADJUSTED = "adjusted"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A balance moved by `delta`, to `points`. A reading that moved nothing makes none. OPENING has delta 0."""

    at: float
    channel: UserId
    change: Change
    delta: int
    points: int


@dataclass(frozen=True, slots=True)
class ItemKnown:
    """An item is new, or something about it changed. A changed cost is also the next row of its price history."""

    at: float
    channel: UserId
    item: Item


@dataclass(frozen=True, slots=True)
class ItemGone:
    """An item is not in the store any more. It is kept, as gone, with its price history."""

    at: float
    channel: UserId
    item: ItemId


@dataclass(frozen=True, slots=True)
class RedemptionKept:
    """A redemption as it now stands. Written before anything is sent, and at each change."""

    at: float
    redemption: Redemption


@dataclass(frozen=True, slots=True)
class Noted:
    """A small thing to be remembered, by key: that something was told once, or allowed. None forgets it."""

    at: float
    key: str
    value: str | None


Record = (
    Event
    | ChannelKnown
    | SessionOpened
    | SessionClosed
    | PresenceOpened
    | PresenceClosed
    | RefusalSet
    | RefusalCleared
    | AttemptsSpent
    | LoyaltyKnown
    | BalanceKnown
    | LedgerEntry
    | ItemKnown
    | ItemGone
    | RedemptionKept
    | Noted
)


@dataclass(frozen=True, slots=True)
class PurseKept:
    """What is remembered of one channel's points. `entries`: of the last hours, oldest first; `items` without those
    that are gone. `seen_at`: when `balance` was read; `present_s`, `left_at`: presence since then, and its end."""

    channel: UserId
    known_at: float
    se: SeId | None
    loyalty: Loyalty | None = None
    balance: Balance | None = None
    seen_at: float | None = None
    entries: tuple[LedgerEntry, ...] = ()
    items: tuple[Item, ...] = ()
    items_at: float | None = None
    present_s: float = 0.0
    left_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Restored:
    """What storage remembers at start. Intervals left open by a crash were closed at the last sign of life."""

    account: UserId | None = None
    channels: tuple[ChannelKnown, ...] = ()
    refusals: tuple[RefusalSet, ...] = ()
    open_sessions: tuple[SessionOpened, ...] = ()
    """Sessions without an end: still on, or ended while we were away. Keeps a live alert from being told twice."""
    told: tuple[tuple[UserId, StreamId], ...] = ()
    """The last session of each channel that was announced (an Event LIVE exists for it)."""
    names: tuple[tuple[Login, UserId], ...] = ()
    """Every login by which a channel was ever known, oldest first: a name in the config outlives a rename."""
    joins: tuple[float, ...] = ()
    logins: tuple[float, ...] = ()
    """Times of the attempts that may still count against the limits."""
    alive_at: float = 0.0
    """The last sign of life; 0 if there is none."""
    purses: tuple[PurseKept, ...] = ()
    redemptions: tuple[Redemption, ...] = ()
    """Those that are not settled, and all of the last days; oldest first."""
    notes: tuple[tuple[str, str], ...] = ()
