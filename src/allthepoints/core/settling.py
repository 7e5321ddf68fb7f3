"""What readings prove of a redemption whose answer never came: it is ours in the list, it was never taken, or nothing.

Theory. Two errors are possible, and they weigh differently. To say "never arrived" of what was booked may be paid
twice, by a person who believes it: so all that might be ours, whatever its time, forbids it. To say "accepted" of what
somebody bought by hand loses one item: so only what fits in item, channel, time, answers and way counts as ours
(`_fits`). What it becomes then, and that it is sent by none of this, stands in `core.redeem`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from allthepoints.base.types import SeId
from allthepoints.core.loyalty import Bought
from allthepoints.core.redeem import ABSENT_AFTER, Redemption, absent, found

CLOCKS = 3600.0
"""Seconds by which StreamElements' clock and ours may differ, where its answers do not tell its time."""

MEASURED = 30.0
"""The same once its answers told: they come in whole seconds, and take some on their way."""

OUR_WAY = "website"
"""How StreamElements calls the way in which this program buys; "bot" is a command in the chat."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of one account. `bought`: its redemptions as they stood at `at`; `ahead` as in `Redemption`.

    `points`: its balance, where that was read after the POST; `points_at`: when.
    """

    account: SeId | None
    at: float
    bought: tuple[Bought, ...]
    points: int | None
    ahead: float | None
    points_at: float


def settle(redemption: Redemption, reading: Reading, claimed: Collection[str], at: float) -> Redemption | None:
    """An unknown outcome, judged by what was read; None: nothing is proven yet.

    `claimed`: ids that other redemptions of ours already are. "Never taken" wants the list and the balance both from a
    time when nothing could come any more. A fall of the balance by the price speaks against "never
    taken", so that is not said then. Nor is it where one of this item came up that was not known, whatever else of it
    does not fit.
    """
    assert redemption.sent_at is not None, "nothing is unknown that was not sent"
    if redemption.account is None or reading.account != redemption.account:
        return None
    new = _new(redemption, reading.bought, claimed)
    if (bought := _likeliest(redemption, new)) is not None:
        return found(redemption, bought, at)
    before, cost, points = redemption.points_before, redemption.cost, reading.points
    paid = before is not None and points is not None and cost > 0 and points <= before - cost
    witnesses = min(reading.at, reading.points_at)
    if points is not None and not paid and not new and _waited(redemption, witnesses, reading.ahead) >= ABSENT_AFTER:
        return absent(redemption, at)
    return None


def _new(redemption: Redemption, history: Iterable[Bought], claimed: Collection[str]) -> list[Bought]:
    """Our redemptions of this item that were not known before the POST, and are no other one of ours."""
    return [
        bought
        for bought in history
        if bought.item == redemption.item
        and bought.channel in (None, redemption.se)
        and bought.id not in redemption.known
        and bought.id not in claimed
    ]


def _likeliest(redemption: Redemption, new: list[Bought]) -> Bought | None:
    """Of those that fit, the one nearest to the POST; one with our very answers before all others."""
    sent = _sent(redemption)
    fitting = [bought for bought in new if _fits(redemption, bought)]
    return min(
        fitting,
        key=lambda bought: (bought.answers != redemption.answers, abs(bought.created_at - sent)),
        default=None,
    )


def _fits(redemption: Redemption, bought: Bought) -> bool:
    """Whether it may be this one: taken by the way that we use, with our answers, and when we sent it."""
    slack = CLOCKS if redemption.ahead is None else MEASURED
    after = bought.created_at - _sent(redemption)
    return (
        bought.source in ("", OUR_WAY)
        and _alike(bought.answers, redemption.answers)
        and _alike((bought.message,), (redemption.message,))
        and (bought.created_at <= 0.0 or -slack <= after <= ABSENT_AFTER + slack)
    )


def _alike(theirs: tuple[str, ...], ours: tuple[str, ...]) -> bool:
    """Whether these may be the same words; a list that does not tell them speaks against nothing."""
    told, sent = ([" ".join(text.split()).casefold() for text in texts] for texts in (theirs, ours))
    return told == sent or not any(told)


def _sent(redemption: Redemption) -> float:
    """When it was sent, on their clock as far as that was told."""
    return (redemption.sent_at or 0.0) + (redemption.ahead or 0.0)


def _waited(redemption: Redemption, at: float, ahead: float | None) -> float:
    """Seconds from the POST to a reading: by their clock where both told it, for ours may have been set meanwhile."""
    gone = at - (redemption.sent_at or 0.0)
    if redemption.ahead is not None and ahead is not None:
        return gone + ahead - redemption.ahead
    return gone
