"""The store's counter: whether a redemption is taken, and taking it, in one step that nothing can come between. Pure.

The order of the checks, and the words where StreamElements' are not known, are our choice: marked so below.
"""

from __future__ import annotations

from collections.abc import Sequence

from allthepoints.sim.elements import Elements, Redemption, SeChannel, StoreItem, guid
from allthepoints.sim.web import Problem
from allthepoints.sim.world import User

TOO_FAST = "You are redeeming too fast"
TOO_POOR = "Sorry you don't have enough points"
SOLD_OUT = "Item is Out of stock"
NOT_ENABLED = "Item is not available"
"""Ours, as are the next three: what StreamElements says is not known."""
NOT_HERE = "Item can not be redeemed on the website"
SUBSCRIBERS = "Item is for subscribers only"
INPUT_MISSING = "Input is missing"


def redeem(
    elements: Elements,
    channel: SeChannel,
    item: StoreItem,
    viewer: User,
    redeemer: str,
    answers: Sequence[str],
    message: str | None,
    now: float,
) -> Redemption:
    """Take points and stock, and write it down; or refuse, and take nothing. Raises Problem 400."""
    _refuse(elements, channel, item, viewer, redeemer, now)
    if len(answers) != len(item.asks) or not all(answer.strip() for answer in answers):
        raise Problem(400, INPUT_MISSING)
    taken = Redemption(
        id=guid("redemption", channel.id, len(channel.redemptions)),
        at=now,
        channel=channel,
        redeemer=redeemer,
        item=item,
        cost=item.cost,
        answers=tuple(answers),
        message=message if item.takes_message else None,
        code=_code(item) if item.kind == "code" else None,
        completed=item.kind == "code",
        updated_at=now,
    )
    elements.purse(channel, viewer).moved -= item.cost
    if item.total != -1:
        item.left -= 1
    elements.note(taken)
    return taken


def _refuse(elements: Elements, channel: SeChannel, item: StoreItem, viewer: User, redeemer: str, now: float) -> None:
    if not item.enabled:
        raise Problem(400, NOT_ENABLED)
    if "website" not in item.sources:
        raise Problem(400, NOT_HERE)
    if item.subscriber_only and not elements.subscribed(channel, viewer):
        raise Problem(400, SUBSCRIBERS)
    if item.sold_out:
        raise Problem(400, SOLD_OUT)
    if now < _cooled_down(channel, item, redeemer):
        raise Problem(400, TOO_FAST)
    if elements.balance(channel, viewer, now) < item.cost:
        raise Problem(400, TOO_POOR)


def _cooled_down(channel: SeChannel, item: StoreItem, redeemer: str) -> float:
    """When the last of its cooldowns is over."""
    never, taken = float("-inf"), channel.taken_at
    return max(
        taken.get(("item", item.id), never) + item.cooldown_global,
        taken.get((redeemer, item.id), never) + item.cooldown_user,
        taken.get(("category", item.category), never) + item.cooldown_category if item.category else never,
    )


def _code(item: StoreItem) -> str:
    return item.codes.pop(0) if item.codes else guid("code", item.id, item.left)[:12].upper()
