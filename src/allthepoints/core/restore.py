"""The state at start, from what storage remembers."""

from __future__ import annotations

from allthepoints.core.elements import SHOWS_WITHIN, Purse
from allthepoints.core.ledger import learned_interval
from allthepoints.core.ledger import restore as restore_ledger
from allthepoints.core.observed import Channel, Observed
from allthepoints.core.policy import JOIN_IN_FLIGHT
from allthepoints.core.records import Change, LedgerEntry, Restored
from allthepoints.core.redeem import Redemption, State
from allthepoints.core.refusals import Refusal
from allthepoints.core.worth import flat_by


def restore(restored: Restored, now: float) -> Observed:
    """The state at start, from what storage remembers.

    JOINs of the last seconds of the former process are booked as late as they could have arrived.
    """
    o = Observed()
    for known in restored.channels:
        o.channels[known.ref.id] = Channel(known.ref, known.followed)
        o.addresses[known.ref.login] = known.ref.id
    for login, channel_id in restored.names:
        o.names.setdefault(login, channel_id)
    for known in restored.channels:
        o.names.setdefault(known.ref.login, known.ref.id)
    for said in restored.refusals:
        if refused := o.channels.get(said.channel):
            refused.refusal = Refusal(said.why, said.at, said.text, said.stream, said.until, said.tries)
    for opened in restored.open_sessions:
        if channel := o.channels.get(opened.stream.channel.id):
            channel.stream, channel.live = opened.stream, True
            channel.seen_at = max(opened.at, min(now, restored.alive_at))
            o.live.add(channel.ref.id)
    o.told.update(restored.told)
    o.last_account = restored.account
    _points(o, restored)
    o.join_times = tuple(min(now, at) + JOIN_IN_FLIGHT for at in restored.joins)
    o.login_times = tuple(min(now, at) for at in restored.logins)
    return o


def _points(o: Observed, restored: Restored) -> None:
    """What is remembered of points. A redemption that was sent and not answered is doubted by the first review."""
    for kept in restored.purses:
        purse = o.elements.purse(kept.channel)
        purse.se, purse.found_at, purse.loyalty = kept.se, kept.known_at, kept.loyalty
        channel = o.channels.get(kept.channel)
        purse.login = None if channel is None else channel.ref.login
        purse.balance, purse.balance_at = kept.balance, kept.seen_at or 0.0
        purse.present_s, purse.left_at = kept.present_s, kept.left_at
        purse.items, purse.items_at = {item.id: item for item in kept.items}, kept.items_at or 0.0
        if kept.balance is not None:
            purse.ledger = restore_ledger(kept.balance.points, purse.balance_at, kept.entries)
        purse.interval = learned_interval(purse.ledger, purse.loyalty)
    o.elements.redemptions.update({redemption.key: redemption for redemption in restored.redemptions})
    for kept in restored.purses:
        _spent(o.elements.purse(kept.channel), kept.entries, restored.redemptions)
    o.elements.notes.update(restored.notes)
    o.elements.flat.update(flat_by(o.elements.notes))


def _spent(purse: Purse, entries: tuple[LedgerEntry, ...], redemptions: tuple[Redemption, ...]) -> None:
    """What was paid and no balance has shown yet: what was paid lately, less what the ledger calls spent since then.

    A balance that was read just after a redemption need not show it; one that was read much later has, or never will.
    """
    paid = [
        (r.sent_at, r.cost)
        for r in redemptions
        if r.channel == purse.channel
        and r.state in (State.ACCEPTED, State.UNKNOWN)  # of one that is SENT the first review says that it is paid
        and r.sent_at is not None
        and r.sent_at + SHOWS_WITHIN >= purse.balance_at
    ]
    if not paid:
        return
    first = min(at for at, _ in paid)
    shown = sum(-entry.delta for entry in entries if entry.change is Change.SPENT and entry.at >= first)
    purse.spent = max(0, sum(cost for _, cost in paid) - shown)
    purse.spent_at = max(at for at, _ in paid)
