"""A redemption from a person's yes to its end: what the service is asked, and what is known until then."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from allthepoints.base.clock import new_key
from allthepoints.base.types import JSON, Login, UserId
from allthepoints.core.loyalty import Item
from allthepoints.core.redeem import Redemption, State
from allthepoints.views.store import Filled

WAIT = 90.0
"""Seconds. Checks are given up after 60, and an answer after 30 more."""

SETTLE = 30.0
"""Seconds more for an unclear outcome: mostly our redemptions, read a moment later, have it."""

UNDER_WAY = frozenset({State.CONFIRMED, State.SENT})


@dataclass(frozen=True, slots=True)
class Intent:
    """One yes. However often it is left for the service, the same `key` is one redemption."""

    channel: UserId
    login: Login
    item: Item
    filled: Filled
    at: float
    dry: bool = False
    key: str = field(default_factory=new_key)

    @property
    def data(self) -> dict[str, JSON]:
        """What the service is asked, with the kind "redeem"."""
        return {
            "key": self.key,
            "item": self.item.id,
            "cost": self.item.cost,
            "answers": list(self.filled.answers),
            "message": self.filled.message,
            "dry": self.dry,
        }

    def outcome(self, found: Redemption | None) -> Redemption:
        """What is known when the waiting is over. A row that is still under way is not known, and so is one that no
        service ever took up."""
        if found is None:
            return replace(self.asked, state=State.UNKNOWN, text="the service did not take it up in time")
        if found.state in UNDER_WAY:
            return replace(found, state=State.UNKNOWN, text=found.text or "it is still under way")
        return found

    @property
    def asked(self) -> Redemption:
        """The redemption before the service has taken it up."""
        return Redemption(
            self.key,
            self.channel,
            self.login,
            self.item.id,
            self.item.cost,
            self.at,
            name=self.item.name,
            answers=self.filled.answers,
            message=self.filled.message,
            dry=self.dry,
        )
