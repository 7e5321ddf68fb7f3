"""StreamElements' nouns, as a viewer meets them: a channel's loyalty settings, a balance, a store and what was bought.

Numbers are whole points. Durations in seconds, times in epoch seconds. Whatever an answer left out is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from allthepoints.base.types import ItemId, Login, SeId
from allthepoints.core.model import ChannelRef

INTERVAL = 600.0
"""Seconds from one payment to the next where the settings do not say (StreamElements before 2024-07-25)."""

LAG = 300.0
"""Seconds by which the list of viewers, by which StreamElements pays, may lag behind the chat."""


@dataclass(frozen=True, slots=True)
class LoyaltyChannel:
    """A Twitch channel as StreamElements knows it. `ref`: who it is at Twitch."""

    id: SeId
    ref: ChannelRef


@dataclass(frozen=True, slots=True)
class Loyalty:
    """A channel's settings: `amount` points each `interval` for everyone in the list of viewers."""

    currency: str = "points"
    enabled: bool = True
    amount: int | None = None
    interval: float | None = None
    subscriber_multiplier: int = 1
    ignored: frozenset[Login] = frozenset()
    """Logins that are never paid."""

    @property
    def every(self) -> float:
        """Seconds from one payment to the next."""
        return self.interval or INTERVAL

    @property
    def per_hour(self) -> float | None:
        """Points an hour for one who does not subscribe; None where the amount is not told."""
        return None if self.amount is None else self.amount * 3600.0 / self.every


@dataclass(frozen=True, slots=True)
class Balance:
    """What one viewer has in one channel. `alltime` counts watching only, and may be below `points`."""

    points: int
    alltime: int | None = None
    rank: int | None = None
    watch_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a store. `stock` None: unlimited; `asks`: the questions to be answered, in order."""

    id: ItemId
    name: str
    cost: int
    description: str = ""
    kind: str = "perk"
    stock: int | None = None
    cooldown_user: float = 0.0
    cooldown_global: float = 0.0
    subscriber_only: bool = False
    enabled: bool = True
    asks: tuple[str, ...] = ()
    takes_message: bool = False
    sources: frozenset[str] = frozenset()
    """By which ways it can be had: "website", "bot", "extension"; empty where it is not told."""
    order: int = 0

    @property
    def sold_out(self) -> bool:
        return self.stock is not None and self.stock <= 0

    @property
    def on_website(self) -> bool:
        """Whether the store's page, whose call this program uses, offers it."""
        return not self.sources or "website" in self.sources


@dataclass(frozen=True, slots=True)
class Bought:
    """A redemption as StreamElements keeps it. `code`: the access code, where the item is one."""

    id: str
    channel: SeId | None
    item: ItemId | None
    """None: the item was deleted since."""
    created_at: float
    name: str = ""
    cost: int | None = None
    completed: bool = False
    rejected: bool = False
    answers: tuple[str, ...] = ()
    message: str = ""
    code: str | None = field(default=None, repr=False)
    source: str = ""
    """By which way: "website", "bot", "extension"; empty where it is not told."""


class JwtState(StrEnum):
    """What the viewer's own StreamElements token is worth."""

    MISSING = "missing"
    GOOD = "good"
    EXPIRED = "expired"
    MALFORMED = "malformed"
    """Not a JWT at all."""
    REFUSED = "refused"
    """StreamElements does not take it."""
    WRONG_ACCOUNT = "wrong_account"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whose token it is: `id` at StreamElements, the account at Twitch (`login`, `user_id`) where it has one."""

    id: SeId
    login: str
    user_id: str | None
