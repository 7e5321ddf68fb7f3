"""What to ask of StreamElements, and when: one read at a time, evenly, and no more than is looked at.

Theory. The limit is not published, so the rule is politeness: reads go out one by one, GAP apart, the most overdue
first; what pays nobody or does not move is read more seldom; where we are not, nothing is read but a last time after we
left. What a person waits for (a look, a redemption) goes first and closer together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import Protocol

from allthepoints.base.types import Login, SeId, UserId
from allthepoints.core.actions import (
    Action,
    CheckJwt,
    FindLoyalty,
    ReadBalance,
    ReadHistory,
    ReadItems,
    ReadLoyalty,
    SendRedemption,
)
from allthepoints.core.apply_redeem import is_own, jwt_state, read_since, ready, viewer_login
from allthepoints.core.apply_wishes import wished
from allthepoints.core.desired import desired, is_meant
from allthepoints.core.elements import Agenda, Due, Firsts, Purse
from allthepoints.core.loyalty import LAG, JwtState
from allthepoints.core.observed import Channel, Observed, roster
from allthepoints.core.policy import Policy
from allthepoints.core.redeem import ABSENT_AFTER, Redemption, State

GAP = 1.5
"""Seconds between two reads: 90 present channels every 5 minutes are one read in 3.3 s."""

GAP_WAITED_FOR = 0.25
"""The same, where a person waits for the answer."""

LOYALTY_EVERY = 3600.0
NOWHERE_EVERY = 86_400.0
"""A streamer sets the loyalty system up, or changes it, rarely."""

SELDOM = 4
"""Times as long between two readings where nothing is paid, or nothing has moved for long."""

LOOKED_FOR = 1800.0
"""Seconds for which a store that somebody looked at is kept fresh."""

JWT_EVERY = 3600.0
JWT_LOOK = 60.0
"""Seconds between two looks whether there is a token now; reads a file, and asks nobody."""
JWT_REFUSED_EVERY = 600.0

SETTLE_EVERY = 20.0
SETTLE_LATER = 600.0
"""Seconds between two reads of our redemptions while an outcome is unclear: at first, and once it has been so for
long."""

SETTLE_BALANCE = 60.0
"""The same for the balance, at least."""


class Draft(Protocol):
    """The plan that is being made."""

    now: float

    def do(self, action: Action) -> None: ...

    def wake(self, at: float) -> None: ...

    def due(self, at: float) -> bool: ...


def plan_points(policy: Policy, o: Observed, draft: Draft) -> None:
    """What StreamElements is asked now."""
    _plan_jwt(o, draft)
    _plan_sending(o, draft)
    elements = o.elements
    if elements.pending or not draft.due(elements.not_before):
        return
    first = _first(policy, o, draft)
    if first is None:
        return
    gap = GAP_WAITED_FOR if first.waited_for else GAP
    if draft.due(max(first.at, elements.asked_at + gap)):
        draft.do(first.action)


def _first(policy: Policy, o: Observed, draft: Draft) -> Due | None:
    """Of what is due, what somebody waits for goes first; of what is not, nothing is in the way of anything."""
    agenda = _agenda(policy, o, draft.now)
    of_channels, other = agenda.firsts
    waited_for = _soonest(due for due in (of_channels, *_looked_up(o), *_for_redemptions(o, draft)) if due is not None)
    if waited_for is None or other is None:
        return waited_for or other
    return waited_for if waited_for.at <= max(draft.now, other.at) else other


def _soonest(dues: Iterable[Due]) -> Due | None:
    return min(dues, key=lambda due: due.at, default=None)


# -- the agenda, and what becomes of it ----------------------------------------------------------------------------
def _agenda(policy: Policy, o: Observed, now: float) -> Agenda:
    """What is due of each channel; worked out anew for those that changed."""
    agenda = o.elements.agenda
    changed: Iterable[UserId]
    if agenda is None or not _holds(agenda, policy, o, now):
        agenda = o.elements.agenda = Agenda(policy, o.changes.count, now, inf, wished(policy, o), {})
        changed = _channels(o, agenda)
    elif agenda.count == o.changes.count:
        return agenda
    else:
        changed = o.changes.since(agenda.count)
        agenda.count = o.changes.count
    for channel_id in changed:
        if channel_id in o.channels:
            _enter(policy, o, agenda, channel_id, now)
    agenda.firsts = _of_all(policy, o, agenda, now)
    return agenda


def _holds(agenda: Agenda, policy: Policy, o: Observed, now: float) -> bool:
    """Whether the agenda is right but for channels that changed since."""
    return agenda.policy is policy and agenda.count >= o.changes.everybody and agenda.at <= now < agenda.until


def _channels(o: Observed, agenda: Agenda) -> set[UserId]:
    """All of which anything may be due."""
    of_purses = {
        i
        for i, purse in o.elements.purses.items()
        if purse.looked_at or purse.items_wanted or purse.left_at > purse.balance_at
    }
    return {*o.live, *of_purses, *agenda.wished}


def _enter(policy: Policy, o: Observed, agenda: Agenda, channel_id: UserId, now: float) -> None:
    dues = list(_of_channel(policy, o, agenda, channel_id, now))
    waited_for = _soonest(due for due in dues if due.waited_for)
    other = _soonest(due for due in dues if not due.waited_for)
    if dues:
        agenda.dues[channel_id] = waited_for, other
    else:
        agenda.dues.pop(channel_id, None)


def _of_all(policy: Policy, o: Observed, agenda: Agenda, now: float) -> Firsts:
    waited_for = [(firsts[0], channel_id) for channel_id, firsts in agenda.dues.items() if firsts[0] is not None]
    other = [(firsts[1], channel_id) for channel_id, firsts in agenda.dues.items() if firsts[1] is not None]
    return _first_of(policy, o, waited_for, now), _first_of(policy, o, other, now)


def _first_of(policy: Policy, o: Observed, dues: Sequence[tuple[Due, UserId]], now: float) -> Due | None:
    """The one that is due first; of several at once (at the start: all), who is wanted most."""
    at = min([due.at for due, _ in dues], default=None)
    tied = [entry for entry in dues if entry[0].at == at]
    if len(tied) > 1:
        places = {channel_id: place for place, channel_id in enumerate(desired(policy, o, now))}
        tied.sort(key=lambda entry: (places.get(entry[1], len(places)), entry[1]))
    return tied[0][0] if tied else None


# -- our token, and what is bought with it -------------------------------------------------------------------------
def _plan_jwt(o: Observed, draft: Draft) -> None:
    jwt = o.elements.jwt
    if jwt.pending or not draft.due(jwt.not_before):
        return
    every = {JwtState.GOOD: JWT_EVERY, JwtState.WRONG_ACCOUNT: JWT_REFUSED_EVERY, JwtState.REFUSED: JWT_REFUSED_EVERY}
    redemptions = o.elements.redemptions.values()
    waited_for = any(r.state is State.CONFIRMED and r.asked_at > jwt.checked_at for r in redemptions)
    state = jwt_state(o, draft.now)
    if (waited_for and state is not JwtState.GOOD) or draft.due(jwt.checked_at + every.get(state, JWT_LOOK)):
        draft.do(CheckJwt())


def _plan_sending(o: Observed, draft: Draft) -> None:
    """One at a time. `core.apply_redeem.review` has just settled what must not be sent."""
    if o.elements.in_flight:
        return
    for r in o.elements.redemptions.values():
        if r.state is State.CONFIRMED and not r.dry and ready(o, r, draft.now):
            se, own = o.elements.purses[r.channel].se, _own(o)
            assert se is not None, "ready says so"
            assert own is not None, "ready says so"
            draft.do(SendRedemption(r.key, own, se, r.item, r.answers, r.message))
            return


# -- reads ---------------------------------------------------------------------------------------------------------
def _of_channel(policy: Policy, o: Observed, agenda: Agenda, channel_id: UserId, now: float) -> Iterator[Due]:
    """All that is due of one channel, in the order in which it is asked for."""
    channel, purse = o.channels[channel_id], o.elements.purses.get(channel_id) or Purse(channel_id)
    yield from _for_a_person(o, purse)
    if purse.se is not None and purse.items_wanted:
        yield Due(_not_refused(purse, "items", 0.0), True, ReadItems(channel_id, purse.se))
    if policy.presence and not o.stale and channel.earns and is_meant(roster(policy, o), channel_id):
        yield from _for_earning(policy, o, channel, purse)
    if purse.left_at > purse.balance_at and channel.present_since is None:
        yield from _balance(o, purse, purse.left_at + LAG, False)
    until = purse.looked_at + LOOKED_FOR
    if looked_at := now < until:
        agenda.until = min(agenda.until, until)
    if looked_at or channel_id in agenda.wished:
        yield from _for_store(policy, o, purse)


def _looked_up(o: Observed) -> Iterator[Due]:
    """Logins that a person looks at and that no channel of ours has."""
    return (Due(at, True, FindLoyalty(login)) for login, at in o.elements.looking_up.items())


def _for_a_person(o: Observed, purse: Purse) -> Iterator[Due]:
    if (looked := purse.looked_at) == 0.0:
        return
    if (purse.found_at < looked and purse.se is None) or _must_find(o, purse):
        yield Due(_not_refused(purse, "channel", looked), True, FindLoyalty(_login(o, purse)))
    elif purse.se is not None:
        if purse.loyalty_at == 0.0 and "loyalty" not in purse.refused:
            yield Due(looked, True, ReadLoyalty(purse.channel, purse.se))
        if purse.balance_at < looked:
            yield from _balance(o, purse, looked, True)
        if purse.items_at < looked and "items" not in purse.refused:
            yield Due(looked, True, ReadItems(purse.channel, purse.se))


def _for_redemptions(o: Observed, draft: Draft) -> Iterator[Due]:
    """What must be read anew before a POST, and what settles an unclear one."""
    for r in o.elements.redemptions.values():
        purse = o.elements.purses.get(r.channel) or Purse(r.channel)
        if r.state is State.CONFIRMED:
            yield from _before_sending(o, r, purse)
        elif r.state is State.UNKNOWN and r.account == _own(o) and jwt_state(o, draft.now) is JwtState.GOOD:
            sent_at = r.sent_at or r.asked_at
            every = SETTLE_EVERY if draft.now < sent_at + 2 * ABSENT_AFTER else SETTLE_LATER
            begin = sent_at + 1.0
            read = purse.balance_at > begin and is_own(o, purse.viewer)
            yield from _balance(o, purse, purse.balance_at + max(every, SETTLE_BALANCE) if read else begin, True)
            again = o.elements.history_at + every if o.elements.history_of == r.account else begin
            yield from _history(o, max(begin, again))


def _before_sending(o: Observed, r: Redemption, purse: Purse) -> Iterator[Due]:
    since = read_since(o, r)
    if purse.se is None or _must_find(o, purse):
        if r.channel in o.channels and (purse.found_at < since or _must_find(o, purse)):
            yield Due(_not_refused(purse, "channel", since), True, FindLoyalty(_login(o, purse)))
        return
    if purse.balance_at < since or not is_own(o, purse.viewer):
        yield from _balance(o, purse, since, True)
    if purse.items_at < since:
        yield Due(_not_refused(purse, "items", since), True, ReadItems(purse.channel, purse.se))
    if o.elements.history_at < since or o.elements.history_of != _own(o):
        yield from _history(o, since)


def _own(o: Observed) -> SeId | None:
    """Who we are at StreamElements."""
    viewer = o.elements.jwt.viewer
    return None if viewer is None else viewer.id


def _history(o: Observed, at: float) -> Iterator[Due]:
    """Our redemptions, once it is known who we are at StreamElements."""
    if (own := o.elements.jwt.viewer) is not None:
        yield Due(max(at, o.elements.history_not_before), True, ReadHistory(own.id))


def _for_earning(policy: Policy, o: Observed, channel: Channel, purse: Purse) -> Iterator[Due]:
    """A live channel that is meant: what it pays is part of who gets a room; what we have, only where we are."""
    if (find := _find(o, purse)) is not None:
        yield find
        return
    assert purse.se is not None
    at = _not_refused(purse, "loyalty", purse.loyalty_at + LOYALTY_EVERY if purse.loyalty_at else 0.0)
    yield Due(at, False, ReadLoyalty(purse.channel, purse.se))
    if channel.present_since is not None:
        every = policy.poll_balance * (SELDOM if _is_still(policy, purse, channel.present_since) else 1)
        yield from _balance(o, purse, purse.balance_at + every if purse.balance_at else 0.0, False)


def _for_store(policy: Policy, o: Observed, purse: Purse) -> Iterator[Due]:
    if (find := _find(o, purse)) is not None:
        yield find
        return
    assert purse.se is not None
    every = policy.poll_store
    items_at = purse.items_at + every if purse.items_at else 0.0
    yield Due(_not_refused(purse, "items", items_at), False, ReadItems(purse.channel, purse.se))
    yield from _balance(o, purse, purse.balance_at + every if purse.balance_at else 0.0, False)


def _find(o: Observed, purse: Purse) -> Due | None:
    """The look-up of a channel whose place at StreamElements is not known, or was "nowhere" a day ago."""
    if _must_find(o, purse):
        return Due(_not_refused(purse, "channel", purse.found_at), False, FindLoyalty(_login(o, purse)))
    if purse.nowhere:
        at = _not_refused(purse, "channel", purse.found_at + NOWHERE_EVERY)
        return Due(at, False, FindLoyalty(_login(o, purse)))
    return None


def _must_find(o: Observed, purse: Purse) -> bool:
    """Whether it was never looked up, was found under a name that it no longer has, or its id is not known there."""
    if purse.found_at == 0.0 or purse.doubted:
        return True
    return purse.login != _login(o, purse)


def _login(o: Observed, purse: Purse) -> Login:
    return o.channels[purse.channel].ref.login


def _balance(o: Observed, purse: Purse, at: float, waited_for: bool) -> Iterator[Due]:
    viewer = viewer_login(o)
    if viewer is not None and purse.se is not None:
        yield Due(_not_refused(purse, "balance", at), waited_for, ReadBalance(purse.channel, purse.se, viewer))


def _not_refused(purse: Purse, what: str, at: float) -> float:
    """`at`, or when a clear no to `what` has rested."""
    return max(at, purse.refused.get(what, at))


def _is_still(policy: Policy, purse: Purse, present_since: float) -> bool:
    """Whether nothing is to be expected: loyalty is off, or nothing has come for long."""
    if purse.loyalty is not None and not purse.loyalty.enabled:
        return True
    rose_at = purse.ledger.rose_at or present_since
    return purse.balance_at - max(rose_at, present_since) > 2 * policy.flat_after
