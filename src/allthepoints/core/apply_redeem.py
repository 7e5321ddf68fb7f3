"""Redemptions in the state: asked, checked, answered, settled. This keeps the books; the rules stand in `core.redeem`,
what readings prove in `core.settling`.

`review` runs at every turn, just before the plan: whatever may not be sent is settled there, so that what is left
CONFIRMED and checked is what the plan may send.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from allthepoints.base.types import ItemId, Login, UserId
from allthepoints.core import redeem
from allthepoints.core.elements import Purse
from allthepoints.core.facts_points import AutoAllowed, RedeemAsked, RedemptionAnswered, RedemptionFact, SettleAsked
from allthepoints.core.loyalty import JwtState
from allthepoints.core.observed import Observed
from allthepoints.core.records import Event, EventKind, Noted, Record, RedemptionKept
from allthepoints.core.redeem import OF_JWT, Reason, Redemption, State
from allthepoints.core.settling import Reading, settle

NOWHERE = UserId("")

AUTO_ALLOWED = "auto_allowed"
"""The note that says that the person knows what an automatic wish means."""


NOBODY_HEARD = "the program ended before the answer came"


def auto_key(channel: UserId, item: ItemId) -> str:
    """The key of the note that counts what was bought of an item without asking: bought, on its way or unclear."""
    return f"auto:{channel}:{item}"


def apply(o: Observed, fact: RedemptionFact) -> Iterator[Record]:
    """One fact of a redemption."""
    match fact:
        case RedeemAsked():
            yield from asked(o, fact)
        case RedemptionAnswered():
            yield from answered(o, fact)
        case SettleAsked():
            yield from said(o, fact)
        case AutoAllowed():
            yield from auto_allowed(o, fact)


def asked(o: Observed, fact: RedeemAsked) -> Iterator[Record]:
    """A confirmed intent. One that is known already is not a second one."""
    if fact.key in o.elements.redemptions or fact.key in o.elements.settled:
        return
    channel = o.addresses.get(fact.login) or o.names.get(fact.login) or NOWHERE
    purse = o.elements.purses.get(channel)
    item = None if purse is None else purse.items.get(fact.item)
    if purse is not None:
        purse.refused.clear()
    o.elements.not_before = min(o.elements.not_before, max(fact.at, o.elements.limited_until))
    o.elements.jwt.not_before = min(o.elements.jwt.not_before, fact.at)
    redemption = Redemption(
        key=fact.key,
        channel=channel,
        login=fact.login,
        item=fact.item,
        cost=fact.cost,
        asked_at=fact.at,
        name=item.name if item is not None else "",
        answers=fact.answers,
        message=fact.message,
        dry=fact.dry,
    )
    yield from confirm(o, redemption)


def confirm(o: Observed, redemption: Redemption) -> Iterator[Record]:
    """The row that comes before everything else. An item that is being bought already is not bought beside it."""
    reason: Reason | None = None
    viewer = o.elements.jwt.viewer
    if viewer is not None and jwt_state(o, redemption.asked_at) is JwtState.GOOD:
        redemption = replace(redemption, account=viewer.id, account_login=viewer.login)
    if redemption.channel == NOWHERE:
        reason = Reason.NOT_AT_STREAMELEMENTS
    elif any(other.item == redemption.item for other in open_in(o, redemption.channel)):
        reason = Reason.IN_PROGRESS
    at = redemption.asked_at
    _forget(o, at)
    yield from keep(o, redemption if reason is None else redeem.forbid(redemption, reason, at), at)


def open_in(o: Observed, channel: UserId) -> Iterator[Redemption]:
    """The redemptions of a channel whose outcome is not known."""
    return (r for r in o.elements.redemptions.values() if r.channel == channel and r.open)


def review(o: Observed, now: float) -> Iterator[Record]:
    """Settle what may not be sent, and doubt what nobody will answer any more."""
    for redemption in list(o.elements.redemptions.values()):
        match redemption.state:
            case State.CONFIRMED:
                yield from _review_confirmed(o, redemption, now)
            case State.SENT if redemption.key not in o.elements.in_flight:
                yield from _unknown(o, redemption, NOBODY_HEARD, now)


def read_since(o: Observed, redemption: Redemption) -> float:
    """Since when everything must have been read: its confirmation, and what else was bought in its channel."""
    others = (r.settled_at for r in o.elements.redemptions.values() if r.channel == redemption.channel and r.sent_at)
    return max([redemption.asked_at, *(at for at in others if at is not None)])


def ready(o: Observed, redemption: Redemption, now: float) -> bool:
    """Whether everything was read anew since it was confirmed, all of one account, and nothing in its channel is
    unclear."""
    purse, viewer = o.elements.purses.get(redemption.channel), o.elements.jwt.viewer
    return (
        purse is not None
        and purse.se is not None
        and min(purse.items_at, purse.balance_at, o.elements.history_at) >= read_since(o, redemption)
        and jwt_state(o, now) is JwtState.GOOD
        and viewer is not None
        and o.elements.history_of == viewer.id
        and is_own(o, purse.viewer)
        and not any(other.state is not State.CONFIRMED for other in open_in(o, redemption.channel))
    )


def jwt_state(o: Observed, now: float) -> JwtState:
    """What the token is worth now: an end that has come needs no check, and we may have learned since who we are."""
    jwt = o.elements.jwt
    if jwt.state is not JwtState.GOOD:
        return jwt.state
    if jwt.expires_at is not None and jwt.expires_at <= now:
        return JwtState.EXPIRED
    if o.account is not None and jwt.viewer is not None:
        user_id, login = jwt.viewer.user_id, jwt.viewer.login.lower()
        if user_id != o.account.user_id and (user_id is not None or login != o.account.login):
            return JwtState.WRONG_ACCOUNT
    return JwtState.GOOD


def viewer_login(o: Observed) -> Login | None:
    """Whose points are read: the account's, or, where none is signed in, those of whom the JWT belongs to."""
    if o.account is not None:
        return o.account.login
    viewer = o.elements.jwt.viewer
    return None if viewer is None else Login(viewer.login.lower())


def is_own(o: Observed, login: Login | None) -> bool:
    """Whether what was read of this login is of the account whose JWT we have."""
    viewer = o.elements.jwt.viewer
    if viewer is None or login is None:
        return False
    same = o.account is not None and viewer.user_id == o.account.user_id
    return login == viewer.login.lower() or (same and login == viewer_login(o))  # a rename is learned late there


def answered(o: Observed, fact: RedemptionAnswered) -> Iterator[Record]:
    """What became of the one POST."""
    elements = o.elements
    elements.in_flight.discard(fact.key)
    redemption = elements.redemptions.get(fact.key)
    if redemption is None or redemption.state is not State.SENT:
        return
    purse = elements.purse(redemption.channel)
    purse.looked_at = max(purse.looked_at, fact.at)  # price, stock and balance have moved, or will not have
    if fact.bought is not None:
        purse.pay(redemption.cost, fact.at)
        yield from keep(o, redeem.accept(redemption, fact.bought, fact.at), fact.at)
    elif fact.refusal is not None:
        yield from keep(o, redeem.refuse(redemption, fact.at, fact.refusal), fact.at)
    elif fact.unsent is not None:
        if fact.unsent in OF_JWT.values():
            elements.jwt.checked_at = 0.0  # it is not the one that was checked any more
        yield from keep(o, redeem.not_left(redemption, fact.at, fact.unsent, fact.error), fact.at)
    else:
        yield from _unknown(o, redemption, fact.error, fact.at)


def earned(o: Observed, channel: UserId, points: int, at: float) -> Iterator[Record]:
    """What stood before a POST that is unclear grows with what is earned, or that would hide the price."""
    for redemption in list(open_in(o, channel)):
        if points > 0 and redemption.points_before is not None:
            grown = replace(redemption, points_before=redemption.points_before + points)
            o.elements.redemptions[redemption.key] = grown
            yield RedemptionKept(at, grown)


def settle_unknown(o: Observed, now: float) -> Iterator[Record]:
    """Our redemptions were read: what was unclear may be clear now. Only as far as it is of the same account."""
    elements = o.elements
    for redemption in [r for r in elements.redemptions.values() if r.state is State.UNKNOWN]:
        purse = elements.purse(redemption.channel)
        sent_at = redemption.sent_at or 0.0
        since = purse.balance is not None and purse.balance_at > sent_at and is_own(o, purse.viewer)
        points = purse.balance.points if purse.balance is not None and since else None
        claimed = {r.bought for r in elements.redemptions.values() if r.bought is not None}
        reading = Reading(
            elements.history_of, elements.history_at, elements.history, points, elements.ahead, purse.balance_at
        )
        settled = settle(redemption, reading, claimed, now)
        if settled is not None:
            yield from _clear(o, settled, now)


def said(o: Observed, fact: SettleAsked) -> Iterator[Record]:
    """The person says what became of one that is unclear. Of any other it changes nothing."""
    redemption = o.elements.redemptions.get(fact.key)
    if redemption is not None and redemption.state is State.SENT and fact.key not in o.elements.in_flight:
        yield from _unknown(o, redemption, NOBODY_HEARD, fact.at)
        redemption = o.elements.redemptions[fact.key]
    if redemption is None or redemption.state is not State.UNKNOWN:
        return
    settled = redeem.say(redemption, fact.taken, fact.at)
    if settled is not None:
        yield from _clear(o, settled, fact.at)


def _clear(o: Observed, settled: Redemption, at: float) -> Iterator[Record]:
    """What was unclear is not any more. What was not taken was not paid."""
    purse = o.elements.purse(settled.channel)
    if settled.state is State.REJECTED:
        purse.spent = max(0, purse.spent - settled.cost)
    yield from keep(o, settled, at)


def auto_allowed(o: Observed, fact: AutoAllowed) -> Iterator[Record]:
    """The person said yes to automatic wishes, or took it back."""
    if fact.allowed:
        o.elements.notes[AUTO_ALLOWED] = "yes"
    else:
        o.elements.notes.pop(AUTO_ALLOWED, None)
    yield Noted(fact.at, AUTO_ALLOWED, "yes" if fact.allowed else None)


_EVENTS = {
    State.ACCEPTED: EventKind.REDEEMED,
    State.REJECTED: EventKind.REDEMPTION_REFUSED,
    State.UNKNOWN: EventKind.REDEMPTION_UNKNOWN,
    State.SENT: EventKind.REDEMPTION_SENT,
}


def keep(o: Observed, redemption: Redemption, at: float) -> Iterator[Record]:
    """Book a redemption as it now stands, and tell of it. Never its code."""
    o.elements.redemptions[redemption.key] = redemption
    yield RedemptionKept(at, redemption)
    if redemption.auto and redemption.state is State.REJECTED:
        key = auto_key(redemption.channel, redemption.item)
        o.elements.notes[key] = count = str(max(0, int(o.elements.notes.get(key, "0")) - 1))
        yield Noted(at, key, count)
    if (kind := _EVENTS.get(redemption.state)) is not None:
        purse = o.elements.purses.get(redemption.channel)
        data: dict[str, str | int | float | None] = {
            "key": redemption.key,
            "login": redemption.login,
            "item": redemption.name or redemption.item,
            "cost": redemption.cost,
            "currency": None if purse is None or purse.loyalty is None else purse.loyalty.currency,
            "reason": redemption.reason,
            "text": redemption.text,
            "auto": int(redemption.auto),
            "by_hand": int(redemption.by_hand),
        }
        yield Event(at, kind, redemption.channel or None, data)


# -- inside --------------------------------------------------------------------------------------------------------
def _forget(o: Observed, now: float) -> None:
    """What was settled long ago. Kept are the last one of each item, from which its cooldown counts, and all of a
    channel where something is unclear, for what is theirs is not taken for that."""
    kept = o.elements.redemptions
    unclear = {r.channel for r in kept.values() if r.open}
    last = {(r.channel, r.item): r.key for r in kept.values() if r.sent_at and r.state is not State.REJECTED}
    for r in list(kept.values()):
        old = now - max(r.asked_at, r.settled_at or r.asked_at) >= redeem.KEPT
        if old and r.channel not in unclear and last.get((r.channel, r.item)) != r.key:
            del kept[r.key]
            if not r.auto:
                o.elements.settled.add(r.key)


def _review_confirmed(o: Observed, redemption: Redemption, now: float) -> Iterator[Record]:
    purse = o.elements.purses.get(redemption.channel)
    reason = _obstacle(o, redemption, purse, now)
    if reason is not None:
        yield from keep(o, redeem.forbid(redemption, reason, now, _why_unchecked(o, reason)), now)
    elif redemption.dry and ready(o, redemption, now):
        yield from keep(o, redeem.checked(redemption, now), now)


def _obstacle(o: Observed, redemption: Redemption, purse: Purse | None, now: float) -> Reason | None:
    """What forbids to send, as far as it was read since the confirmation."""
    since = redemption.asked_at
    if abs(now - since) >= redeem.CHECK_WITHIN:  # it lies ahead where the clock was set back
        return Reason.UNCHECKED
    if purse is not None and purse.nowhere and purse.found_at >= since:
        return Reason.NOT_AT_STREAMELEMENTS
    jwt = jwt_state(o, now)
    if jwt is not JwtState.GOOD and o.elements.jwt.checked_at >= since:
        return OF_JWT[jwt]
    viewer = o.elements.jwt.viewer
    if jwt is JwtState.GOOD and viewer is not None and redemption.account not in (None, viewer.id):
        return Reason.WRONG_ACCOUNT
    if purse is not None and purse.balance is not None and viewer is not None and ready(o, redemption, now):
        item = purse.items.get(redemption.item)
        return redeem.forbidden(redemption, item, purse.balance.points, jwt, viewer.id)
    return None


def _why_unchecked(o: Observed, reason: Reason) -> str:
    if reason is not Reason.UNCHECKED:
        return ""
    return o.elements.error or o.elements.jwt.error


def _unknown(o: Observed, redemption: Redemption, text: str, at: float) -> Iterator[Record]:
    o.elements.purse(redemption.channel).pay(redemption.cost, at)
    yield from keep(o, redeem.vanish(redemption, text), at)
