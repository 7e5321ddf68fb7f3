"""Facts change state: `apply` is the only way in which what happened reaches `Observed`.

It answers the records that must outlive the process. It decides nothing about what to do next; that is `plan`.
"""

from __future__ import annotations

from collections.abc import Iterator

from allthepoints.base.types import UserId
from allthepoints.core import apply_chat, apply_live, apply_points, apply_redeem, apply_wishes
from allthepoints.core.closing import reopen
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
    SignInGiven,
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
from allthepoints.core.facts_points import (
    AutoAllowed,
    BalanceRead,
    ItemsRead,
    JwtSeen,
    LoyaltyFound,
    LoyaltyRead,
    RedeemAsked,
    RedemptionAnswered,
    SettleAsked,
)
from allthepoints.core.model import Why
from allthepoints.core.observed import Observed, SignIn, Standing
from allthepoints.core.policy import Policy
from allthepoints.core.records import Event, EventKind, Record

CHAT_REFUSALS = 1
"""Tokens that validate and that the chat refuses all the same, in a row, before a person is asked."""

RENEWED = 60.0
"""Seconds by which a token must live longer than the one before to be another token: lifetimes are told in seconds."""

SLEPT = 30.0
"""Seconds of sleep after which connections are taken for dead: the server drops a silent one in a few minutes."""


def apply(observed: Observed, policy: Policy, fact: Fact) -> list[Record]:
    """Fold one fact into the state."""
    concerned = _concerned(observed, fact)
    records = list(_changes(observed, policy, fact))
    if concerned is None or (records and isinstance(fact, Ticked)):
        observed.changes.of_everybody()
    elif concerned and isinstance(fact, POINTS):
        observed.changes.of_points(concerned)
    elif concerned:
        observed.changes.of_channel(concerned)
    return records


POINTS = BalanceRead | LoyaltyRead | ItemsRead


def _concerned(o: Observed, fact: Fact) -> UserId | None:
    """The one channel that a fact concerns; NOBODY; None where it may be everybody.

    Asked before it is folded in: who was put out has no room afterwards. Polls, look-ups and time change next to
    nothing of very much, and mark it where they do.
    """
    match fact:
        case Ticked() | LiveRead() | LoyaltyFound() | HelixPoints() | JoinWritten() | TimedOut():
            return apply_live.NOBODY
        case BalanceRead() | LoyaltyRead() | ItemsRead():
            return fact.channel
        case JwtSeen(state=o.elements.jwt.state, viewer=o.elements.jwt.viewer):
            return apply_live.NOBODY
        case Joined() | Parted() | JoinRefused() | Banned() if o.cap is None:
            if isinstance(fact, JoinRefused) and fact.why is Why.ROOM_LIMIT:
                return None
            channel = apply_chat.spoken_of(o, fact.conn, fact.login)
            return apply_live.NOBODY if channel is None else channel.ref.id
        case _:
            return None


def _changes(o: Observed, policy: Policy, fact: Fact) -> Iterator[Record]:  # noqa: PLR0912, PLR0915 -- one arm a fact
    match fact:
        case Ticked():
            yield from apply_chat.expire(o, policy, fact.at)
            yield from apply_wishes.review(o, policy, fact.at)
            yield from apply_redeem.review(o, fact.at)
        case LiveRead():
            yield from apply_live.live_read(o, policy, fact)
        case FollowsRead():
            yield from apply_live.follows_read(o, fact)
        case UsersRead():
            yield from apply_live.users_read(o, policy, fact)
        case ReadFailed():
            yield from apply_live.read_failed(o, policy, fact)
        case Welcomed():
            yield from apply_chat.welcomed(o, fact)
        case JoinWritten():
            apply_chat.join_written(o, fact)
            o.changes.of_chat()
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
        case SignInGiven():
            o.sign_in.checked_at = o.sign_in.not_before = 0.0
        case RetryAsked():
            yield from _retry_asked(o, fact)
        case Woke():
            yield from _woke(o, fact)
        case HelixPoints():
            o.points = fact
        case RedeemAsked() | RedemptionAnswered() | SettleAsked() | AutoAllowed():
            yield from apply_redeem.apply(o, fact)
        case ConfigTaken():
            o.config_error = None
            since = fact.at if o.config_restart is None else o.config_restart[0]
            o.config_restart = (since, fact.restart) if fact.restart else None
            o.roster = None
            apply_live.ask_again(o)
            yield Event(fact.at, EventKind.CONFIG_TAKEN, data=_waits(fact.restart))
        case ConfigRejected():
            o.config_error = (fact.at, fact.error)
            yield Event(fact.at, EventKind.CONFIG_REJECTED, data={"error": fact.error})
        case StorageFailed():
            o.storage_error = o.storage_error or (fact.at, fact.error)
        case StorageWorks():
            o.storage_error = None
        case _:
            yield from apply_points.apply(o, policy, fact)


def _waits(keys: tuple[str, ...]) -> dict[str, str | int | float | None]:
    return {"restart": ", ".join(keys)} if keys else {}


def _sign_in(o: Observed, policy: Policy, fact: SignedIn | SignInLost | SignInUnknown) -> Iterator[Record]:
    standing = o.sign_in
    standing.pending = False
    match fact:
        case SignedIn():
            if standing.state in (SignIn.UNCHECKED, SignIn.LOST):
                yield Event(fact.at, EventKind.SIGNED_IN, data={"login": fact.account.login})
            elif _is_another(standing.expires_at, fact.expires_at):
                yield Event(fact.at, EventKind.SIGN_IN_RENEWED)
            yield from _account(o, fact)
            standing.failures, standing.failing_since = 0, None
            standing.checked_at, standing.expires_at = fact.at, fact.expires_at
            # That a token validates does not answer the doubt of the chat; that it was refreshed does.
            if standing.state is not SignIn.DOUBTED or standing.renewing:
                _enter(standing, SignIn.GOOD, fact.at)
        case SignInLost():
            if standing.state is not SignIn.LOST or standing.text != fact.text:
                yield Event(fact.at, EventKind.SIGN_IN_LOST, data={"reason": fact.text})
            _enter(standing, SignIn.LOST, fact.at, fact.text)
            standing.failures, standing.failing_since, standing.checked_at = 0, None, fact.at
        case SignInUnknown():
            standing.failures += 1
            standing.failing_since = standing.failing_since or fact.at
            standing.text = fact.error
            standing.not_before = fact.at + policy.reread.delay(standing.failures, fact.luck)
            if standing.state is SignIn.UNCHECKED and fact.remembered is not None:
                # The server that checks tokens is down; chat and Helix may well take the one we have.
                yield from _account(o, fact.remembered)
                _enter(standing, SignIn.GOOD, fact.at, fact.error)
                standing.checked_at = fact.at - policy.check_sign_in
    standing.renewing = False


def _is_another(before: float | None, after: float | None) -> bool:
    """Whether these are the ends of two tokens."""
    return before is not None and after is not None and after > before + RENEWED


def _enter(standing: Standing, state: SignIn, at: float, text: str = "") -> None:
    if standing.state is not state:
        standing.since = at
    standing.state, standing.text = state, text


def _account(o: Observed, fact: SignedIn) -> Iterator[Record]:
    """Who we are. Connections of another account are of no use, and its follows are not ours."""
    if o.account is not None and o.account.user_id != fact.account.user_id:
        for connection in o.connections.values():
            connection.doomed = True
            yield from apply_chat.no_longer_there(o, connection.conn, fact.at, "closed")
        o.reads["follows"].done_at = None
    if o.last_account not in (None, fact.account.user_id):
        apply_points.another_account(o)
    o.last_account = fact.account.user_id
    o.account, o.may_read_follows = fact.account, fact.follows


def _retry_asked(o: Observed, fact: RetryAsked) -> Iterator[Record]:
    o.not_found.pop(fact.login, None)
    channel = o.channels.get(o.names.get(fact.login, apply_live.NOBODY))
    if channel is None:
        return
    channel.ask_afresh()
    if channel.refusal is not None:
        yield from reopen(channel, fact.at)
        yield Event(fact.at, EventKind.RETRIED, channel.ref.id)


def _woke(o: Observed, fact: Woke) -> Iterator[Record]:
    """What we knew is old. A long sleep also ended every connection, at its beginning as far as we can tell."""
    o.stale, o.stale_since = True, fact.at
    o.reads["live"].not_before = fact.at
    apply_chat.keep_budgets(o, fact.gap)
    yield Event(fact.at, EventKind.WOKE, data={"gap": round(fact.gap)})
    if fact.gap < SLEPT:
        return
    for connection in o.connections.values():
        connection.doomed = True
        yield from apply_chat.no_longer_there(o, connection.conn, fact.at - fact.gap, "slept")
