"""What StreamElements said, folded into the purses: where a channel is, what it pays, what we have, what it sells.

Theory. An answer is good, "not here" (404) or nothing at all. "Not here" of a viewer reads as a balance of 0; of a
channel it makes us look the channel up again, once a day at most. Nothing at all changes nothing but the next try. All
reads share one back-off, because they share one host; a clear no to one request concerns that request alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from allthepoints.base.types import UserId
from allthepoints.core import apply_live, apply_redeem, apply_wishes
from allthepoints.core.earning import Sight, Verdict, Word, verdict
from allthepoints.core.elements import JWT_NOTE, VIEWER_NOTE, Purse, nowhere_key, read_key
from allthepoints.core.facts_points import (
    BalanceRead,
    ElementsFact,
    ElementsFailed,
    HistoryRead,
    ItemsRead,
    JwtGiven,
    JwtSeen,
    JwtUnknown,
    LookAsked,
    LoyaltyFound,
    LoyaltyRead,
)
from allthepoints.core.ledger import Ledger, learned_interval, most_earned, post, rate_per_hour
from allthepoints.core.loyalty import Balance, JwtState
from allthepoints.core.model import StreamKind
from allthepoints.core.observed import Channel, Observed
from allthepoints.core.policy import Policy
from allthepoints.core.records import (
    BalanceKnown,
    Change,
    Event,
    EventKind,
    ItemGone,
    ItemKnown,
    LedgerEntry,
    LoyaltyKnown,
    Noted,
    Record,
)
from allthepoints.core.redeem import State
from allthepoints.core.worth import flat_key, flat_since

TOLD_AFTER = 3
"""Failures in a row before it is an event: one lost read is nothing."""

NO_MEANS = 3600.0
"""Seconds for which a clear no to one request is believed."""

HURRY = 4.0
"""Seconds between two tries while a redemption waits to be checked, unless they ask us to wait."""

HISTORY_RESTS = 600.0
"""The same for our redemptions, which settle what is unclear."""

DAY = 86_400.0

LOYALTY_STALE = 3000.0
"""Seconds by which a channel's settings are called old when more came than they allow."""

EXPIRES_SOON = (7, 1)
"""Days before the end of the JWT at which it is told."""


def apply(o: Observed, policy: Policy, fact: ElementsFact) -> Iterator[Record]:
    """One fact of StreamElements."""
    match fact:
        case LoyaltyFound():
            yield from found(o, fact)
        case LoyaltyRead():
            yield from loyalty_read(o, fact)
        case BalanceRead():
            if fact.viewer not in (None, apply_redeem.viewer_login(o)):
                yield from _answered(o, fact.at)  # asked for another account than the present one
                return
            yield from balance_read(o, policy, fact)
            yield from apply_wishes.look(o, policy, fact.channel, fact.at)
        case ItemsRead():
            yield from items_read(o, fact)
            yield from apply_wishes.look(o, policy, fact.channel, fact.at)
        case HistoryRead():
            yield from history_read(o, fact)
        case ElementsFailed():
            yield from failed(o, policy, fact)
        case JwtSeen():
            yield from jwt_seen(o, fact)
        case JwtUnknown():
            yield from jwt_unknown(o, policy, fact)
        case LookAsked():
            look_asked(o, fact)
        case JwtGiven():
            o.elements.jwt.checked_at = o.elements.jwt.not_before = 0.0


# -- where a channel is, and what it pays --------------------------------------------------------------------------
def found(o: Observed, fact: LoyaltyFound) -> Iterator[Record]:
    """A login was looked up. Its id at Twitch says whose it is: after a rename a name may be somebody else's."""
    yield from _answered(o, fact.at)
    elements = o.elements
    waited_for = elements.looking_up.pop(fact.login, None) is not None
    named = o.addresses.get(fact.login)
    who = fact.found.ref.id if fact.found is not None else named
    if named is not None and named != who:
        yield from _place(o, named, fact, None)
        if who not in o.channels:
            return  # whoever that is: Helix says who is at a login now, and StreamElements' word may be old
    if who is None:
        elements.nowhere[fact.login] = fact.at
        yield note(o, fact.at, nowhere_key(fact.login), f"{fact.at:.3f}")
        return
    if fact.found is not None and who not in o.channels:
        yield from apply_live.taken_in(o, fact.found.ref, fact.at)
    looked_at = elements.purse(who).looked_at
    yield from _place(o, who, fact, fact.found)
    elements.purse(who).looked_at = max(looked_at, fact.at if waited_for or named is None else looked_at)


def _place(o: Observed, channel: UserId, fact: LoyaltyFound, at_home: object) -> Iterator[Record]:
    purse = o.elements.purse(channel)
    se = fact.found.id if at_home is not None and fact.found is not None else None
    moved = purse.se != se
    purse.se, purse.login, purse.found_at, purse.doubted = se, fact.login, fact.at, False
    purse.changed_at = fact.at
    o.changes.of_points(channel)
    if moved:
        purse.loyalty_at = purse.items_at = 0.0
        purse.refused.clear()
    if se is None:
        yield note(o, fact.at, nowhere_key(fact.login), f"{fact.at:.3f}")
    yield LoyaltyKnown(fact.at, channel, se, purse.loyalty if se is not None else None)


def loyalty_read(o: Observed, fact: LoyaltyRead) -> Iterator[Record]:
    """A channel's settings."""
    yield from _answered(o, fact.at)
    purse = o.elements.purse(fact.channel)
    if fact.loyalty is None:
        _not_here(purse, "loyalty", fact.at)
        return
    purse.loyalty_at = purse.changed_at = fact.at
    if purse.loyalty != fact.loyalty:
        purse.loyalty = fact.loyalty
        purse.interval = learned_interval(purse.ledger, fact.loyalty)
        yield LoyaltyKnown(fact.at, fact.channel, purse.se, fact.loyalty)


# -- what we have --------------------------------------------------------------------------------------------------
def balance_read(o: Observed, policy: Policy, fact: BalanceRead) -> Iterator[Record]:
    """A reading of our balance: posted to the ledger, and judged."""
    yield from _answered(o, fact.at)
    purse, channel = o.elements.purse(fact.channel), o.channels[fact.channel]
    balance = fact.balance or Balance(0)
    purse.unknown_viewer = fact.balance is None
    if fact.balance is None and fact.at >= purse.found_at + DAY:
        purse.doubted = True
    purse.forget_spent(fact.at)
    stayed = purse.stayed(channel.present_since, fact.at)
    most = most_earned(purse.loyalty, stayed)
    purse.ledger, postings = post(purse.ledger, fact.at, balance.points, present_s=stayed, spent=purse.spent, most=most)
    purse.spent -= sum(-posting.delta for posting in postings if posting.change is Change.SPENT)
    purse.balance, purse.balance_at, purse.present_s, purse.changed_at = balance, fact.at, 0.0, fact.at
    purse.viewer = fact.viewer
    purse.interval = learned_interval(purse.ledger, purse.loyalty)
    purse.rate = rate_per_hour(purse.ledger, fact.at)
    if stayed and any(posting.change is Change.ADJUSTED and posting.delta > 0 for posting in postings):
        purse.loyalty_at = min(purse.loyalty_at, fact.at - LOYALTY_STALE)  # perhaps more is paid now than we know of
    for posting in postings:
        yield LedgerEntry(fact.at, fact.channel, posting.change, posting.delta, posting.points)
    yield BalanceKnown(fact.at, fact.channel, balance)
    earned = sum(posting.delta for posting in postings if posting.change is Change.EARNED)
    yield from apply_redeem.earned(o, fact.channel, earned, fact.at)
    yield from _tell_flat(o, policy, channel, purse, fact.at)


def judged(o: Observed, policy: Policy, channel: Channel, now: float) -> Verdict:
    """Whether a channel is earning, and if not, why."""
    return verdict(sight(o, channel), now, policy.flat_after, policy.poll_balance)


def sight(o: Observed, channel: Channel) -> Sight:
    """What is known of a channel, as far as a verdict looks at it."""
    purse = o.elements.purses.get(channel.ref.id) or Purse(channel.ref.id)
    stream = channel.stream
    return Sight(
        viewer=None if o.account is None else o.account.login,
        live=channel.live,
        rerun=bool(channel.live) and stream is not None and stream.kind is StreamKind.RERUN,
        present_since=channel.present_since if channel.earns else None,
        found=None if purse.found_at == 0.0 else purse.se is not None,
        loyalty=purse.loyalty,
        read_at=purse.balance_at or None,
        rose_at=purse.ledger.rose_at,
        interval=purse.interval,
        failing=o.elements.failures >= TOLD_AFTER,
        paid_before=purse.balance is not None and purse.balance.points > 0,
    )


def _tell_flat(o: Observed, policy: Policy, channel: Channel, purse: Purse, at: float) -> Iterator[Record]:
    """One event when nothing comes, one when it comes again; remembered over restarts."""
    word = judged(o, policy, channel, at).word
    key = flat_key(purse.channel)
    told = purse.channel in o.elements.flat
    if word is Word.FLAT and flat_since(o, purse.channel) is None:
        if not told:
            yield Event(at, EventKind.FLAT, purse.channel)
        o.elements.flat[purse.channel] = round(at)
        yield note(o, at, key, f"{at:.0f}")  # of this session, from now on
    elif word is Word.EARNING and told:
        del o.elements.flat[purse.channel]
        yield Event(at, EventKind.EARNING_AGAIN, purse.channel)
        yield note(o, at, key, None)


# -- what it sells -------------------------------------------------------------------------------------------------
def items_read(o: Observed, fact: ItemsRead) -> Iterator[Record]:
    """A whole store. What is not in it any more is gone, and its history is kept."""
    yield from _answered(o, fact.at)
    purse = o.elements.purse(fact.channel)
    purse.items_wanted = False
    if fact.items is None:
        _not_here(purse, "items", fact.at)
        return
    purse.items_at = purse.changed_at = fact.at
    yield note(o, fact.at, read_key(fact.channel), f"{fact.at:.3f}")  # who looks from outside waits for this
    before, purse.items = purse.items, {item.id: item for item in fact.items}
    for item in fact.items:
        if before.get(item.id) != item:
            yield ItemKnown(fact.at, fact.channel, item)
    for gone in before.keys() - purse.items.keys():
        yield ItemGone(fact.at, fact.channel, gone)


def history_read(o: Observed, fact: HistoryRead) -> Iterator[Record]:
    """Our own redemptions, which settle what was unclear."""
    yield from _answered(o, fact.at)
    elements = o.elements
    elements.history, elements.history_at = fact.bought, fact.at
    elements.history_of, elements.ahead = fact.own, fact.ahead
    yield from apply_redeem.settle_unknown(o, fact.at)


# -- nothing, or no ------------------------------------------------------------------------------------------------
def failed(o: Observed, policy: Policy, fact: ElementsFailed) -> Iterator[Record]:
    """A read brought nothing. Only the time of the next try changes."""
    elements = o.elements
    elements.pending = False
    if fact.refused:
        yield from _answered(o, fact.at)
        if fact.channel is not None:
            elements.purse(fact.channel).refused[fact.what] = fact.at + NO_MEANS
        elif fact.login is not None:
            elements.looking_up.pop(fact.login, None)
            elements.nowhere[fact.login] = fact.at
            if (channel := o.addresses.get(fact.login)) is not None:
                elements.purse(channel).refused[fact.what] = fact.at + NO_MEANS
        else:
            elements.history_not_before = fact.at + HISTORY_RESTS
            elements.jwt.checked_at = 0.0  # it is read by the token: perhaps that is not taken any more
        return
    elements.failures += 1
    elements.failing_since = elements.failing_since or fact.at
    elements.error = fact.error
    elements.not_before = fact.at + _rest(o, policy, elements.failures, fact.luck)
    if fact.until is not None:
        elements.limited_until = fact.until
        elements.not_before = max(elements.not_before, fact.until)
    if elements.failures == TOLD_AFTER:
        yield Event(fact.at, EventKind.ELEMENTS_FAILED, data={"what": fact.what, "error": fact.error})


def _rest(o: Observed, policy: Policy, failures: int, luck: float) -> float:
    """Seconds until the next try. What was confirmed has a minute to be checked in: it does not sit out a back-off."""
    delay = policy.reread.delay(failures, luck)
    hurry = any(r.state is State.CONFIRMED for r in o.elements.redemptions.values())
    return min(delay, HURRY) if hurry else delay


def _answered(o: Observed, at: float) -> Iterator[Record]:
    elements = o.elements
    elements.pending = False
    if elements.failures >= TOLD_AFTER:
        yield Event(at, EventKind.ELEMENTS_BACK)
    if elements.failures:
        o.changes.of_everybody()
    elements.failures, elements.failing_since, elements.error = 0, None, ""


def _not_here(purse: Purse, what: str, at: float) -> None:
    """404 for a channel whose id we have: it is looked up again, and this read rests meanwhile."""
    purse.refused[what] = at + NO_MEANS
    purse.doubted = at >= purse.found_at + DAY
    purse.changed_at = at


# -- our token -----------------------------------------------------------------------------------------------------
def jwt_seen(o: Observed, fact: JwtSeen) -> Iterator[Record]:
    """What the token is worth. One alert at each threshold of each token's end."""
    jwt = o.elements.jwt
    another = fact.viewer is not None and (jwt.viewer is None or jwt.viewer.id != fact.viewer.id)
    if fact.state is JwtState.GOOD and (another or jwt.state is not JwtState.GOOD):
        o.elements.history_not_before = 0.0
    jwt.state, jwt.expires_at, jwt.viewer = fact.state, fact.expires_at, fact.viewer
    jwt.checked_at, jwt.pending, jwt.failures, jwt.error = fact.at, False, 0, ""
    if fact.viewer is not None and o.account is None and o.elements.notes.get(VIEWER_NOTE) != fact.viewer.id:
        if VIEWER_NOTE in o.elements.notes:
            another_account(o)  # by that one's name balances were read
        yield note(o, fact.at, VIEWER_NOTE, fact.viewer.id)
    if fact.expires_at is not None:
        yield from _tell_end(o, fact.expires_at, fact.at)


def jwt_unknown(o: Observed, policy: Policy, fact: JwtUnknown) -> Iterator[Record]:
    """Whose token it is could not be asked; what was known stands, but for the end that stands in it."""
    jwt = o.elements.jwt
    jwt.pending, jwt.expires_at, jwt.error = False, fact.expires_at, fact.error
    jwt.failures += 1
    jwt.not_before = fact.at + _rest(o, policy, jwt.failures, fact.luck)
    if fact.expires_at is not None:
        yield from _tell_end(o, fact.expires_at, fact.at)


def _tell_end(o: Observed, expires_at: float, at: float) -> Iterator[Record]:
    left = expires_at - at
    if left <= 0.0:
        due, event = "0", Event(at, EventKind.JWT_EXPIRED, data={"expires_at": expires_at})
    else:
        days = min((days for days in EXPIRES_SOON if left <= days * DAY), default=None)
        if days is None:
            if JWT_NOTE in o.elements.notes:  # of an older one
                yield note(o, at, JWT_NOTE, None)
            return
        due, event = str(days), Event(at, EventKind.JWT_EXPIRES, data={"days": days, "expires_at": expires_at})
    told = f"{expires_at:.0f}:{due}"
    if o.elements.notes.get(JWT_NOTE) != told:
        yield event
        yield note(o, at, JWT_NOTE, told)


# -- this machine's person -----------------------------------------------------------------------------------------
def look_asked(o: Observed, fact: LookAsked) -> None:
    """A person looks: what is older than this moment is read anew."""
    channel = o.addresses.get(fact.login) or o.names.get(fact.login)
    o.elements.nowhere.pop(fact.login, None)
    if channel is None:
        o.elements.looking_up[fact.login] = fact.at
        return
    purse = o.elements.purse(channel)
    purse.looked_at = fact.at
    purse.refused.clear()


def note(o: Observed, at: float, key: str, value: str | None) -> Noted:
    """Remember a small thing."""
    if value is None:
        o.elements.notes.pop(key, None)
    else:
        o.elements.notes[key] = value
    return Noted(at, key, value)


def another_account(o: Observed) -> None:
    """What was read of balances was not this account's."""
    for purse in o.elements.purses.values():
        purse.ledger, purse.balance, purse.balance_at = Ledger(), None, 0.0
        purse.present_s, purse.rate, purse.viewer, purse.spent = 0.0, None, None, 0
