"""Wishes in the state: what is news of them is told once, and what may be bought without asking is confirmed.

Looked at whenever a store or a balance was read. The judgement stands in `core.wishes`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace

from allthepoints.base.types import UserId
from allthepoints.core import apply_redeem, redeem, wishes
from allthepoints.core.elements import Purse
from allthepoints.core.loyalty import Item, JwtState
from allthepoints.core.observed import Observed
from allthepoints.core.policy import Policy, Wish
from allthepoints.core.records import Event, Noted, Record
from allthepoints.core.redeem import Reason, Redemption, State
from allthepoints.core.wishes import Standing, Within

DAY = 86_400.0

FRESH = 10.0
"""Seconds for which a store is fresh enough to confirm something in the person's name. Else it is read first: an old
price would be refused before it is paid, and the refusal rests for long."""

AUTO_RESTS = 1800.0
"""Seconds for which an automatic purchase rests after StreamElements, or we, said no to it."""

AUTO_DOUBTS = DAY
"""The same after it was judged that a POST never arrived. Should that be wrong, because it was taken later than anybody
would think, the next one would pay twice: a person may see it meanwhile, and say so."""


def wished(policy: Policy, o: Observed) -> set[UserId]:
    """The channels that a wish is about, as far as they are known."""
    named = (o.addresses.get(wish.channel) or o.names.get(wish.channel) for wish in policy.wishes)
    return {channel for channel in named if channel is not None}


def of_channel(policy: Policy, o: Observed, channel: UserId) -> Iterator[tuple[Wish, Purse]]:
    """The wishes about a channel whose store was read."""
    purse = o.elements.purses.get(channel)
    if purse is None or purse.items_at == 0.0:
        return
    for wish in policy.wishes:
        if (o.addresses.get(wish.channel) or o.names.get(wish.channel)) == channel:
            yield wish, purse


def stands(o: Observed, wish: Wish, purse: Purse, now: float) -> Standing:
    """How a wish stands now."""
    item = wishes.find(wish, purse.items)
    points = None if purse.balance is None else purse.balance.points
    return wishes.standing(item, points, now, None if item is None else _bought_at(o, purse.channel, item))


def within_reach(policy: Policy, o: Observed, now: float) -> int:
    """How many wishes could be had now."""
    return sum(
        stands(o, wish, purse, now).within is Within.OBTAINABLE
        for channel in wished(policy, o)
        for wish, purse in of_channel(policy, o, channel)
    )


def unmet(policy: Policy, o: Observed, channel: UserId, now: float) -> bool:
    """Whether points of this channel are wanted for something that they do not reach yet."""
    return any(
        stands(o, wish, purse, now).within is Within.NOT_ENOUGH for wish, purse in of_channel(policy, o, channel)
    )


def look(o: Observed, policy: Policy, channel: UserId, now: float) -> Iterator[Record]:
    """A store or a balance was read: what is news, and what is bought."""
    for wish, purse in of_channel(policy, o, channel):
        standing = stands(o, wish, purse, now)
        key = wishes.note_key(channel, wish)
        note = o.elements.notes.get(key)
        told, news = wishes.changes(wishes.told(note), now, standing)
        if str(told) != note:
            o.elements.notes[key] = str(told)
            yield Noted(now, key, str(told))
        if news is not None:
            item = standing.item
            currency = purse.loyalty.currency if purse.loyalty is not None else None
            data: dict[str, str | int | float | None] = {"item": wish.item, "cost": None, "currency": currency}
            if item is not None:
                data |= {"item": item.name, "id": item.id, "cost": item.cost}
            yield Event(now, news, channel, data)
        if wish.auto and standing.item is not None and standing.within is Within.OBTAINABLE:
            yield from _buy(o, wish, purse, standing.item, now)


def review(o: Observed, policy: Policy, now: float) -> Iterator[Record]:
    """Just before it is sent the bounds must hold still: points were spent meanwhile, or the person thought better."""
    for redemption in list(o.elements.redemptions.values()):
        if redemption.auto and redemption.state is State.CONFIRMED and not _holds_still(policy, o, redemption, now):
            yield from apply_redeem.keep(o, redeem.forbid(redemption, Reason.NOT_ALLOWED, now), now)


def _bought_at(o: Observed, channel: UserId, item: Item) -> float | None:
    sent = (
        redemption.sent_at
        for redemption in o.elements.redemptions.values()
        if redemption.channel == channel and redemption.item == item.id and redemption.state is not State.REJECTED
    )
    return max((at for at in sent if at is not None), default=None)


def _buy(o: Observed, wish: Wish, purse: Purse, item: Item, now: float) -> Iterator[Record]:
    """Confirm in the person's name, who allowed it. From here on it is a redemption like any other."""
    elements = o.elements
    if apply_redeem.AUTO_ALLOWED not in elements.notes or apply_redeem.jwt_state(o, now) is not JwtState.GOOD:
        return
    if any(r.open or now < r.asked_at + _rest(r) for r in _mine(o, purse.channel, item)):
        return
    assert purse.balance is not None, "what can be had was paid for by a balance"
    points = purse.balance.points - purse.spent - _promised(o, purse.channel)
    counted = _counted(o, purse.channel, item)
    if not wishes.may_buy(wish, item, points, _spent_today(o, purse.channel, item, now), counted):
        return
    if not 0.0 <= now - purse.items_at <= FRESH:
        purse.items_wanted = True  # its reading looks at the wish again
        return
    count_key = apply_redeem.auto_key(purse.channel, item.id)
    elements.notes[count_key] = str(counted + 1)
    yield Noted(now, count_key, str(counted + 1))
    key = f"auto-{zlib.crc32(f'{purse.channel} {item.id} {now:.3f}'.encode()):08x}-{now * 1000:.0f}"
    yield from apply_redeem.confirm(
        o,
        Redemption(
            key=key,
            channel=purse.channel,
            login=o.channels[purse.channel].ref.login,
            item=item.id,
            cost=item.cost,
            asked_at=now,
            name=item.name,
            auto=True,
        ),
    )


def _rest(redemption: Redemption) -> float:
    """Seconds from one automatic purchase of an item to the next."""
    return AUTO_DOUBTS if redemption.reason is Reason.NEVER_ARRIVED else AUTO_RESTS


def _holds_still(policy: Policy, o: Observed, redemption: Redemption, now: float) -> bool:
    """Whether a wish allows what was confirmed for it. What the store says against it is not looked at here."""
    purse = o.elements.purses.get(redemption.channel)
    if purse is None or purse.balance is None or (item := purse.items.get(redemption.item)) is None:
        return True
    if apply_redeem.AUTO_ALLOWED not in o.elements.notes:
        return False
    asked = replace(item, cost=redemption.cost)
    today = _spent_today(o, purse.channel, item, now)
    counted = _counted(o, purse.channel, item) - 1  # but for this one
    return any(
        wishes.find(wish, purse.items) == item
        and wishes.may_buy(wish, asked, purse.balance.points - purse.spent, today, counted)
        for wish, _ in of_channel(policy, o, purse.channel)
    )


def _mine(o: Observed, channel: UserId, item: Item) -> list[Redemption]:
    """What was confirmed of an item without asking."""
    return [r for r in o.elements.redemptions.values() if r.auto and r.channel == channel and r.item == item.id]


def _promised(o: Observed, channel: UserId) -> int:
    """Points of a channel that what is under way there will cost."""
    under_way = (State.CONFIRMED, State.SENT)
    return sum(r.cost for r in apply_redeem.open_in(o, channel) if r.state in under_way and not r.dry)


def _spent_today(o: Observed, channel: UserId, item: Item, now: float) -> int:
    """What is on its way or unclear keeps the item from being bought at all, so that it need not be counted."""
    mine = [r for r in _mine(o, channel, item) if r.state is State.ACCEPTED]
    return sum(r.cost for r in mine if max(r.asked_at, r.settled_at or 0.0) > now - DAY)


def _counted(o: Observed, channel: UserId, item: Item) -> int:
    return int(o.elements.notes.get(apply_redeem.auto_key(channel, item.id), "0"))
