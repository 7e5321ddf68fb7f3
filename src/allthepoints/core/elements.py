"""What we know of StreamElements: a purse for each channel, our token, our redemptions. State only; it decides nothing.

A *purse* is one channel's points as we know them: where the channel is at StreamElements, its loyalty settings, our
balance with its ledger, and its store.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core.ledger import Ledger
from allthepoints.core.loyalty import Balance, Bought, Item, JwtState, Loyalty, Viewer
from allthepoints.core.redeem import Redemption


@dataclass(slots=True)
class Purse:
    """One channel. A time is 0 where nothing was read yet.

    `se` None with `found_at`: StreamElements has no such channel. `login`: under which it was found; a rename makes it
    be looked up again. `read_not_before`: after an answer that was a clear no.
    """

    channel: UserId
    se: SeId | None = None
    login: Login | None = None
    found_at: float = 0.0
    loyalty: Loyalty | None = None
    loyalty_at: float = 0.0
    balance: Balance | None = None
    balance_at: float = 0.0
    unknown_viewer: bool = False
    """StreamElements does not know us there (404), which reads as a balance of 0."""
    ledger: Ledger = field(default_factory=Ledger)
    spent: int = 0
    """Paid for redemptions that the balance, as last read, did not show yet."""
    present_s: float = 0.0
    """Seconds of confirmed, live presence since the last reading but for the interval that is open."""
    flat_told: bool = False
    items: dict[ItemId, Item] = field(default_factory=dict)
    items_at: float = 0.0
    looked_at: float = 0.0
    """When a person last looked at this channel's points or store."""
    refused: dict[str, float] = field(default_factory=dict)
    """What StreamElements said no to ("balance", ...), and until when it is not asked again."""

    @property
    def nowhere(self) -> bool:
        """StreamElements does not have this channel."""
        return self.found_at > 0.0 and self.se is None


@dataclass(slots=True)
class Jwt:
    """The viewer's own token. `viewer`: whose it is, once StreamElements said so."""

    state: JwtState = JwtState.MISSING
    expires_at: float | None = None
    viewer: Viewer | None = None
    checked_at: float = 0.0
    pending: bool = False
    failures: int = 0
    not_before: float = 0.0
    error: str = ""


@dataclass(slots=True)
class Elements:
    """All of it. Reads go out one at a time; `asked_at` is when the last one did."""

    purses: dict[UserId, Purse] = field(default_factory=dict)
    looking_up: dict[Login, float] = field(default_factory=dict)
    """Logins that a person looks at and that no channel of ours has, and since when."""
    nowhere: dict[Login, float] = field(default_factory=dict)
    """Of those, the ones that StreamElements does not have, and when it said so."""
    pending: bool = False
    asked_at: float = 0.0
    failures: int = 0
    failing_since: float | None = None
    not_before: float = 0.0
    error: str = ""
    jwt: Jwt = field(default_factory=Jwt)
    redemptions: dict[str, Redemption] = field(default_factory=dict)
    history: tuple[Bought, ...] = ()
    history_at: float = 0.0
    notes: dict[str, str] = field(default_factory=dict)

    def purse(self, channel: UserId) -> Purse:
        """The channel's purse; a new one if it has none."""
        if channel not in self.purses:
            self.purses[channel] = Purse(channel)
        return self.purses[channel]
