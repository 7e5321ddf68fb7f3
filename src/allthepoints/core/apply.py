"""Facts change state: `apply` is the only way in which what happened reaches `Observed`.

It answers the records that must outlive the process. It decides nothing about what to do next; that is `plan`.
"""

from __future__ import annotations

from collections.abc import Iterator

from allthepoints.core import apply_chat, apply_live
from allthepoints.core.facts import (
    Banned,
    ConfigRejected,
    ConfigTaken,
    ConnectionLost,
    Fact,
    FollowsRead,
    HelixPoints,
    Joined,
    JoinRefused,
    JoinWritten,
    LiveRead,
    Parted,
    ReadFailed,
    ReconnectAsked,
    RetryAsked,
    SignedIn,
    SignInLost,
    SignInUnknown,
    StorageFailed,
    StorageWorks,
    Ticked,
    TimedOut,
    UsersRead,
    Welcomed,
    Woke,
)
from allthepoints.core.observed import Channel, Observed, SignIn
from allthepoints.core.policy import JOIN_IN_FLIGHT, Policy
from allthepoints.core.records import Event, EventKind, Record, RefusalCleared, Restored
from allthepoints.core.refusals import Refusal

CHAT_REFUSALS = 1
"""Tokens that validate and that the chat refuses all the same, in a row, before a person is asked."""

SLEPT = 30.0
"""Seconds of sleep after which connections are taken for dead: the server drops a silent one in a few minutes."""


def apply(observed: Observed, policy: Policy, fact: Fact) -> list[Record]:
    """Fold one fact into the state."""
    return list(_changes(observed, policy, fact))


def _changes(o: Observed, policy: Policy, fact: Fact) -> Iterator[Record]:  # noqa: PLR0912 -- one arm a fact
    match fact:
        case Ticked():
            yield from apply_chat.expire(o, policy, fact.at)
        case LiveRead():
            yield from apply_live.live_read(o, policy, fact)
        case FollowsRead():
            yield from apply_live.follows_read(o, fact)
        case UsersRead():
            yield from apply_live.users_read(o, fact)
        case ReadFailed():
            yield from apply_live.read_failed(o, policy, fact)
        case Welcomed():
            yield from apply_chat.welcomed(o, fact)
        case JoinWritten():
            apply_chat.join_written(o, fact)
        case Joined():
            yield from apply_chat.joined(o, fact)
        case Parted():
            yield from apply_chat.parted(o, policy, fact)
        case JoinRefused():
            yield from apply_chat.join_refused(o, fact)
        case Banned():
            yield from apply_chat.banned(o, fact)
        case TimedOut():
            yield from apply_chat.timed_out(o, fact)
        case ReconnectAsked():
            yield from apply_chat.reconnect_asked(o, fact)
        case ConnectionLost():
            yield from apply_chat.connection_lost(o, policy, fact)
        case SignedIn() | SignInLost() | SignInUnknown():
            yield from _sign_in(o, policy, fact)
        case RetryAsked():
            yield from _retry_asked(o, fact)
        case Woke():
            yield from _woke(o, fact)
        case HelixPoints():
            o.points = fact
        case ConfigTaken():
            o.config_error = None
            o.roster = None
            yield Event(fact.at, EventKind.CONFIG_TAKEN)
        case ConfigRejected():
            o.config_error = (fact.at, fact.error)
            yield Event(fact.at, EventKind.CONFIG_REJECTED, data={"error": fact.error})
        case StorageFailed():
            o.storage_error = o.storage_error or (fact.at, fact.error)
        case StorageWorks():
            o.storage_error = None


def restore(restored: Restored, now: float) -> Observed:
    """The state at start, from what storage remembers.

    JOINs of the last seconds of the former process are booked as late as they could have arrived.
    """
    o = Observed()
    for known in restored.channels:
        o.channels[known.ref.id] = Channel(known.ref, known.followed)
    for login, channel in restored.names:
        o.names.setdefault(login, channel)
    for known in restored.channels:
        o.names.setdefault(known.ref.login, known.ref.id)
    for said in restored.refusals:
        if channel_ := o.channels.get(said.channel):
            channel_.refusal = Refusal(said.why, said.at, said.text, said.stream, said.until, said.tries)
    for opened in restored.open_sessions:
        if channel_ := o.channels.get(opened.stream.channel.id):
            channel_.stream, channel_.live, channel_.seen_at = opened.stream, True, opened.at
            o.live.add(channel_.ref.id)
    o.told.update(restored.told)
    o.join_times = tuple(min(now, at + JOIN_IN_FLIGHT) for at in restored.joins)
    o.login_times = tuple(min(now, at) for at in restored.logins)
    return o


def _sign_in(o: Observed, policy: Policy, fact: SignedIn | SignInLost | SignInUnknown) -> Iterator[Record]:
    standing = o.sign_in
    standing.pending = False
    match fact:
        case SignedIn():
            if standing.state is not SignIn.GOOD:
                yield Event(fact.at, EventKind.SIGNED_IN, data={"login": fact.account.login})
            o.account, o.may_read_follows = fact.account, fact.follows
            standing.state, standing.text, standing.failures = SignIn.GOOD, "", 0
            standing.checked_at, standing.expires_at = fact.at, fact.expires_at
        case SignInLost():
            if standing.state is not SignIn.LOST or standing.text != fact.text:
                yield Event(fact.at, EventKind.SIGN_IN_LOST, data={"reason": fact.text})
            standing.state, standing.text, standing.checked_at = SignIn.LOST, fact.text, fact.at
        case SignInUnknown():
            standing.failures += 1
            standing.text = fact.error
            standing.not_before = fact.at + policy.reread.delay(standing.failures, fact.luck)
            if standing.state is SignIn.UNCHECKED and fact.remembered is not None:
                # The server that checks tokens is down; chat and Helix may well take the one we have.
                o.account, o.may_read_follows = fact.remembered.account, fact.remembered.follows
                standing.state, standing.checked_at = SignIn.GOOD, fact.at - policy.check_sign_in


def _retry_asked(o: Observed, fact: RetryAsked) -> Iterator[Record]:
    channel = o.channels.get(o.names.get(fact.login, apply_live.NOBODY))
    if channel is None or channel.refusal is None:
        return
    channel.refusal = None
    yield RefusalCleared(fact.at, channel.ref.id)
    yield Event(fact.at, EventKind.RETRIED, channel.ref.id)


def _woke(o: Observed, fact: Woke) -> Iterator[Record]:
    o.stale = True
    o.reads["live"].not_before = fact.at
    if fact.gap >= SLEPT:
        for connection in o.connections.values():
            connection.doomed = True
    yield Event(fact.at, EventKind.WOKE, data={"gap": round(fact.gap)})
