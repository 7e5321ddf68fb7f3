"""What we know of StreamElements: a purse for each channel, our token, our redemptions. State only; it decides nothing.

A *purse* is one channel's points as we know them: where the channel is at StreamElements, its loyalty settings, our
balance with its ledger, and its store.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core.actions import ElementsRead
from allthepoints.core.ledger import Ledger
from allthepoints.core.loyalty import INTERVAL, LAG, Balance, Bought, Item, JwtState, Loyalty, Viewer
from allthepoints.core.policy import Policy
from allthepoints.core.redeem import Redemption

SHOWS_WITHIN = 900.0
"""Seconds after which a balance has shown a redemption, if it ever will."""


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
    viewer: Login | None = None
    """Whose `balance` is, as read by this process."""
    unknown_viewer: bool = False
    """StreamElements does not know us there (404), which reads as a balance of 0."""
    ledger: Ledger = field(default_factory=Ledger)
    spent: int = 0
    """Paid for redemptions that the balance, as last read, did not show yet; since `spent_at`."""
    spent_at: float = 0.0
    present_s: float = 0.0
    """Seconds of presence since the last reading, but for the interval that is open."""
    left_at: float = 0.0
    """When the last interval of presence ended."""
    rate: float | None = None
    """Points an hour, as of the last reading."""
    interval: float = INTERVAL
    """Seconds from one payment to the next, told or learned."""
    items: dict[ItemId, Item] = field(default_factory=dict)
    items_at: float = 0.0
    items_wanted: bool = False
    """Something would be bought without asking, if the store, read anew, is still as it was."""
    looked_at: float = 0.0
    """When a person last looked at this channel's points or store."""
    doubted: bool = False
    """StreamElements does not know its id (any more): look it up again."""
    refused: dict[str, float] = field(default_factory=dict)
    """What StreamElements said no to ("balance", ...), and until when it is not asked again."""
    changed_at: float = 0.0
    """When anything here was last learned."""

    @property
    def nowhere(self) -> bool:
        """StreamElements does not have this channel."""
        return self.found_at > 0.0 and self.se is None

    def pay(self, cost: int, at: float) -> None:
        """A redemption was taken, or may have been: a fall by its price is that."""
        self.spent += cost
        self.spent_at = at

    def forget_spent(self, now: float) -> None:
        """What balances do not show for long, they will not show any more; a later fall is something else."""
        if now > self.spent_at + SHOWS_WITHIN and self.balance_at > self.spent_at:
            self.spent = 0

    def left(self, since: float, at: float) -> None:
        """An interval of presence ended."""
        self.present_s += max(0.0, at - max(since, self.balance_at))
        self.left_at = at

    def stayed(self, present_since: float | None, now: float) -> float:
        """Seconds of presence since the last reading, as StreamElements may have seen it: its list of viewers lags."""
        if present_since is not None:
            return self.present_s + max(0.0, now - max(present_since, self.balance_at))
        return self.present_s + max(0.0, min(now, self.left_at + LAG) - max(self.left_at, self.balance_at))


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


@dataclass(frozen=True, slots=True)
class Due:
    """A read that is due at a time; `waited_for`: by a person, or by money."""

    at: float
    waited_for: bool
    action: ElementsRead


Firsts = tuple[Due | None, Due | None]
"""What is due first of what is waited for, and of the rest."""


@dataclass(slots=True)
class Agenda:
    """What is due first of each channel, as of a count of changes; it holds for this policy, from `at` on, until just
    before `until`. `wished`: the channels that a wish is about. `firsts`: of all channels."""

    policy: Policy
    count: int
    at: float
    until: float
    wished: set[UserId]
    dues: dict[UserId, Firsts]
    firsts: Firsts = (None, None)


@dataclass(slots=True)
class Elements:
    """All of it. Reads go out one at a time; `asked_at` is when the last one did."""

    purses: dict[UserId, Purse] = field(default_factory=dict)
    looking_up: dict[Login, float] = field(default_factory=dict)
    """Logins that a person looks at and that no channel of ours has, and since when."""
    nowhere: dict[Login, float] = field(default_factory=dict)
    """Of those, the ones that StreamElements does not have, and when it said so."""
    agenda: Agenda | None = None
    """What is due, as `plan_points` found it last."""
    pending: bool = False
    asked_at: float = 0.0
    failures: int = 0
    failing_since: float | None = None
    not_before: float = 0.0
    limited_until: float = 0.0
    """They asked us to wait until then; nobody is in such a hurry that we do not."""
    error: str = ""
    jwt: Jwt = field(default_factory=Jwt)
    redemptions: dict[str, Redemption] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    """Keys by which a person asked for what is not among `redemptions` any more: a form that is sent again after days
    buys nothing. There are as many as somebody clicked."""
    in_flight: set[str] = field(default_factory=set)
    """Keys of redemptions whose POST this process is performing."""
    history: tuple[Bought, ...] = ()
    history_at: float = 0.0
    history_of: SeId | None = None
    """Whose."""
    ahead: float | None = None
    """Seconds by which StreamElements' clock was ahead of ours when `history` was read; None: it did not tell."""
    history_not_before: float = 0.0
    """After an answer that was a clear no."""
    notes: dict[str, str] = field(default_factory=dict)
    flat: dict[UserId, float] = field(default_factory=dict)
    """The channels that were found not to pay, and when, as their notes say."""

    def purse(self, channel: UserId) -> Purse:
        """The channel's purse; a new one if it has none."""
        if channel not in self.purses:
            self.purses[channel] = Purse(channel)
        return self.purses[channel]


VIEWER_NOTE = "jwt_viewer"
"""The key of the note that says whose JWT it was, by the id at StreamElements, when balances were last read by it."""

JWT_NOTE = "jwt"
"""The key of the note of what was told of the JWT's end: `<end, epoch seconds>:<days before>`, 0 once it is over."""


def jwt_ended(note: str | None) -> float | None:
    """When the service's JWT ended, as its note says; None where it has not."""
    end, _, days = (note or "").partition(":")
    return float(end) if days == "0" else None


def read_key(channel: UserId) -> str:
    """The key of the note that says when a channel's store was last read."""
    return f"items:{channel}"


def nowhere_key(login: Login) -> str:
    """The key of the note that says when StreamElements was last found to have no channel of this login."""
    return f"nowhere:{login}"
