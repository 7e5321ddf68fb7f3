"""What is news enough to be sent to a person, and when: one table, and a desk on which alerts wait. Pure.

Theory. An alert is taken (`take`, `watch`), lies on the desk, and leaves it in a message (`due`).
- The first of a batch waits BATCH seconds for others, and messages keep SPACING apart, so that an evening on which ten
  channels go live is two messages and not ten. What is urgent leaves at once, and takes along what waits.
- In quiet hours only what is urgent leaves; the rest is held, and is one message at their end. None is lost: what the
  desk has no room for is counted.
- Warnings of `core.health` are conditions that come and go. One is told when it has stood for a while, and its end when
  it has been gone for a while; whoever flaps in between is told of once (SETTLE).
- The desk outlives the process (`remembered`, `recalled`), so that a restart repeats and loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from allthepoints.base.types import JSON
from allthepoints.core.hours import Hours, last_time, next_time, quiet_until
from allthepoints.core.model import Why
from allthepoints.core.news import Kind
from allthepoints.core.records import Event, EventKind
from allthepoints.core.warning import ERROR, Warning

BATCH = 30.0
"""Seconds that the first of a batch waits for others."""

SPACING = 120.0
"""Seconds between two messages, unless something is urgent."""

ROOM = 500
"""Alerts that a desk has room for. Beyond it the oldest that is not urgent is let go, and counted."""

SETTLE = 60.0
"""Seconds for which a trouble must have stood, or have been gone, before that is told."""

RETURN = 600.0
"""The same for one that was told before a restart: the new run needs a while to meet it again."""

TOLD = 1_000
"""Keys of news that are remembered, so that none is told twice."""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind. `urgent`: it does not wait, not even for the end of quiet hours. `default`: told unless the config
    names others. `events` and `warnings`: what it is made of."""

    urgent: bool
    default: bool
    events: frozenset[EventKind] = frozenset()
    warnings: frozenset[str] = frozenset()


def _of(*events: EventKind) -> frozenset[EventKind]:
    return frozenset(events)


TABLE: dict[Kind, Row] = {
    # Whoever follows hundreds of channels does not want to hear of each; and the program is there anyway.
    Kind.LIVE: Row(False, False, _of(EventKind.LIVE)),
    Kind.AFFORDABLE: Row(False, True, _of(EventKind.WISH_OBTAINABLE)),
    Kind.CHEAPER: Row(False, True, _of(EventKind.WISH_CHEAPER)),
    Kind.BACK: Row(False, True, _of(EventKind.WISH_BACK)),
    Kind.REDEEMED: Row(
        False, True, _of(EventKind.REDEEMED, EventKind.REDEMPTION_REFUSED, EventKind.REDEMPTION_UNKNOWN)
    ),
    Kind.FLAT: Row(False, True, _of(EventKind.FLAT, EventKind.EARNING_AGAIN)),
    Kind.REFUSED: Row(False, True, _of(EventKind.REFUSED)),
    # Not of the event: it comes again with every start, the condition is one.
    Kind.SIGN_IN_NEEDED: Row(True, True, warnings=frozenset({"sign_in_needed"})),
    Kind.JWT_EXPIRING: Row(
        False,
        True,
        _of(EventKind.JWT_EXPIRES, EventKind.JWT_EXPIRED),
        frozenset({"jwt_refused", "jwt_malformed", "jwt_wrong_account"}),
    ),
    # Urgent where it is an error: then the points stop, or what is known of them is lost.
    Kind.TROUBLE: Row(
        False,
        True,
        warnings=frozenset(
            {
                "chat_refuses_token",
                "chat_disconnected",
                "storage_failing",
                "sign_in_unchecked",
                "helix_failing",
                "follows_stale",
                "room_limit",
                "streamelements_failing",
            }
        ),
    ),
    # Sent where the config names an hour for it.
    Kind.DIGEST: Row(False, True),
}

DEFAULTS = frozenset(kind for kind, row in TABLE.items() if row.default)

BY_ITSELF = frozenset({Why.ROOM_LIMIT, Why.UNANSWERED})
"""Refusals that mean nothing yet: they are tried again in minutes; a limit that lasts is a trouble."""

_BY_EVENT = {event: kind for kind, row in TABLE.items() for event in row.events}
_BY_WARNING = {code: kind for kind, row in TABLE.items() for code in row.warnings}


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """What the person wants to hear of. `digest`: at which time of day (minutes after midnight); None: never."""

    kinds: frozenset[Kind] = DEFAULTS
    quiet: Hours | None = None
    digest: int | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """One piece of news. `text`: a sentence; of a trouble its title alone where it is `over`, after having stood since
    `since`. Two with the same `key` are the same news; "" is like no other."""

    kind: Kind
    at: float
    text: str
    urgent: bool = False
    key: str = ""
    over: bool = False
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class Message:
    """What leaves the desk at once, in the order in which it came.

    `held`: it waited for the end of quiet hours, or of a restart. `lost`: so many more there was no room for.
    """

    alerts: tuple[Alert, ...]
    held: bool = False
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Digest:
    """What happened in [since, until) is to be summed up."""

    since: float
    until: float


@dataclass(slots=True)
class Trouble:
    """A condition that goes on. `gone_at`: since when it does not hold any more. `told`: its beginning was told."""

    warning: Warning
    seen_at: float
    gone_at: float | None = None
    told: bool = False


@dataclass(slots=True)
class Desk:
    """Where alerts wait. `opened_at`: when the first of `pending` came."""

    pending: list[Alert] = field(default_factory=list)
    held: list[Alert] = field(default_factory=list)
    lost: int = 0
    opened_at: float = 0.0
    sent_at: float = float("-inf")
    told: dict[str, None] = field(default_factory=dict)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    digest_at: float | None = None
    """The hour of the last digest that was due."""


def kind_of(event: Event) -> Kind | None:
    """Which kind of news an event is; None: it is none."""
    if event.kind is EventKind.REFUSED and event.data.get("why") in BY_ITSELF:
        return None
    return _BY_EVENT.get(event.kind)


def alert_of(kind: Kind, event: Event, text: str) -> Alert:
    """The alert that tells of `event`, which is of this kind. A session is one piece of news, however often it is
    met."""
    stream = event.data.get("stream")
    key = f"{event.kind}:{stream}" if stream else ""
    return Alert(kind, event.at, text, TABLE[kind].urgent, key)


def take(desk: Desk, policy: AlertPolicy, alert: Alert, now: float) -> bool:
    """Lay an alert on the desk. Answers whether it lies there: it is wanted, and was not told before."""
    if alert.kind not in policy.kinds or (alert.key and alert.key in desk.told):
        return False
    if alert.key:
        desk.told[alert.key] = None
        while len(desk.told) > TOLD:
            del desk.told[next(iter(desk.told))]
    if not desk.pending:
        desk.opened_at = now
    desk.pending.append(alert)
    while len(desk.held) + len(desk.pending) > ROOM:
        _let_go(desk)
    return True


def watch(desk: Desk, warnings: Iterable[Warning], now: float) -> None:
    """These warnings stand now, and no others. What of it is worth telling, `due` finds out with time."""
    standing = {w.code: w for w in warnings if w.code in _BY_WARNING}
    for code, warning in standing.items():
        trouble = desk.troubles.get(code)
        if trouble is None:
            desk.troubles[code] = Trouble(warning, now)
        else:
            trouble.gone_at = None
    for code, trouble in list(desk.troubles.items()):
        if code in standing:
            continue
        if not trouble.told:
            del desk.troubles[code]
        elif trouble.gone_at is None:
            trouble.gone_at = now


def due(desk: Desk, policy: AlertPolicy, now: float, zone: tzinfo) -> tuple[list[Message | Digest], float | None]:
    """What is to be sent now, taken off the desk; and when to ask again at the latest, if nothing is taken before."""
    wakes = [*_settle(desk, policy, now)]
    quiet = quiet_until(policy.quiet, now, zone)
    sent: list[Message | Digest] = []
    if quiet is not None:
        sent += _urgent_only(desk, now)
        wakes += [quiet] if desk.held else []
    elif desk.pending or desk.held:
        at = _leaves_at(desk)
        if at <= now:
            sent.append(_all(desk, now))
        else:
            wakes.append(at)
    digest, wake = _digest(desk, policy, now, zone, quiet)
    return [*sent, *digest], min((*wakes, *wake), default=None)


def remembered(desk: Desk) -> dict[str, JSON]:
    """The desk as plain JSON values. A batch that is on its way out is not on it any more."""
    return {
        "alerts": [_plain(alert) for alert in (*desk.held, *desk.pending)],
        "lost": desk.lost,
        "troubles": {
            code: {"title": t.warning.title, "severity": t.warning.severity, "since": t.warning.since}
            for code, t in desk.troubles.items()
            if t.told
        },
        "told": list(desk.told)[-100:],
        "digest_at": desk.digest_at,
    }


def recalled(value: JSON, now: float) -> Desk:
    """The desk of the last run. What makes no sense is left out."""
    desk = Desk()
    if not isinstance(value, Mapping):
        return desk
    desk.held = [alert for entry in _list(value.get("alerts")) if (alert := _alert(entry)) is not None][-ROOM:]
    desk.told = dict.fromkeys(key for key in _list(value.get("told")) if isinstance(key, str))
    digest_at, troubles = _number(value.get("digest_at")), value.get("troubles")
    desk.lost = int(_number(value.get("lost")))
    if 0.0 < digest_at <= now:
        desk.digest_at = digest_at
    for code, entry in troubles.items() if isinstance(troubles, Mapping) else ():
        if code in _BY_WARNING and isinstance(entry, Mapping):
            since = _number(entry.get("since"))
            warning = Warning(code, str(entry.get("severity")), str(entry.get("title") or code), "", since)
            desk.troubles[code] = Trouble(warning, now, gone_at=now + RETURN - SETTLE, told=True)
    return desk


# -- what leaves -----------------------------------------------------------------------------------------------------
def _leaves_at(desk: Desk) -> float:
    if desk.held or any(alert.urgent for alert in desk.pending):
        return float("-inf")
    return max(desk.opened_at + BATCH, desk.sent_at + SPACING)


def _all(desk: Desk, now: float) -> Message:
    message = Message((*desk.held, *desk.pending), bool(desk.held), desk.lost)
    desk.held, desk.pending, desk.lost, desk.sent_at = [], [], 0, now
    return message


def _urgent_only(desk: Desk, now: float) -> list[Message]:
    waiting = (*desk.held, *desk.pending)
    urgent = tuple(alert for alert in waiting if alert.urgent)
    desk.held, desk.pending = [alert for alert in waiting if not alert.urgent], []
    if not urgent:
        return []
    desk.sent_at = now
    return [Message(urgent)]


def _let_go(desk: Desk) -> None:
    for waiting in (desk.held, desk.pending):
        for place, alert in enumerate(waiting):
            if not alert.urgent:
                del waiting[place]
                desk.lost += 1
                return
    del (desk.held or desk.pending)[0]
    desk.lost += 1


def _settle(desk: Desk, policy: AlertPolicy, now: float) -> list[float]:
    """Troubles that have stood for long enough, or have been gone, become alerts. Answers when the next one may."""
    wakes = []
    for code, trouble in list(desk.troubles.items()):
        kind, warning = _BY_WARNING[code], trouble.warning
        row = TABLE[kind]
        if not trouble.told:
            at = trouble.seen_at + (0.0 if row.urgent else SETTLE)
        elif trouble.gone_at is not None:
            at = trouble.gone_at + SETTLE
        else:
            continue
        if now < at:
            wakes.append(at)
        elif not trouble.told:
            trouble.told = True
            urgent = row.urgent or warning.severity == ERROR
            take(desk, policy, Alert(kind, warning.since, f"{warning.title}. {warning.text}", urgent), now)
        else:
            del desk.troubles[code]
            gone_at = min(trouble.gone_at or now, now)
            take(desk, policy, Alert(kind, gone_at, warning.title, over=True, since=warning.since), now)
    return wakes


def _digest(
    desk: Desk, policy: AlertPolicy, now: float, zone: tzinfo, quiet: float | None
) -> tuple[list[Digest], list[float]]:
    if policy.digest is None or Kind.DIGEST not in policy.kinds:
        desk.digest_at = None
        return [], []
    last = last_time(policy.digest, now, zone)
    if desk.digest_at is None:
        desk.digest_at = last
    if last <= desk.digest_at:
        return [], [next_time(policy.digest, now, zone)]
    if quiet is not None:
        return [], [quiet]
    since = max(desk.digest_at, last_time(policy.digest, last - 1.0, zone))
    desk.digest_at = last
    return [Digest(since, last)], [next_time(policy.digest, now, zone)]


# -- plain values ----------------------------------------------------------------------------------------------------
def _plain(alert: Alert) -> dict[str, JSON]:
    return {
        "kind": alert.kind.value,
        "at": alert.at,
        "text": alert.text,
        "urgent": alert.urgent,
        "over": alert.over,
        "since": alert.since,
    }


def _alert(entry: JSON) -> Alert | None:
    if not isinstance(entry, Mapping) or entry.get("kind") not in Kind.__members__.values():
        return None
    kind, text = Kind(str(entry["kind"])), str(entry.get("text") or "")
    urgent, over = entry.get("urgent") is True, entry.get("over") is True
    return Alert(kind, _number(entry.get("at")), text, urgent, "", over, _number(entry.get("since")))


def _list(value: JSON) -> list[JSON]:
    return list(value) if isinstance(value, list | tuple) else []


def _number(value: JSON) -> float:
    """0 for what is none that a time could be."""
    return float(value) if isinstance(value, int | float) and 0 <= value < 2**40 else 0.0
