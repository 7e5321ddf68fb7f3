"""Notifications in words: a title that says it all, and a line for each piece of news. Plain text, nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path

from allthepoints.core.alerts import Alert, Message
from allthepoints.core.news import Kind
from allthepoints.core.records import Event, EventKind
from allthepoints.ports import Notice
from allthepoints.service.snapshot import Snapshot
from allthepoints.storage.read_day import Day, DayReader
from allthepoints.views.day import percent
from allthepoints.views.event_text import event_in
from allthepoints.views.text import amount, change, clean, count, duration, local, name, number

LINES = 20
"""Lines of a message; the rest is counted."""

TOP = 5
"""Channels that the digest names."""

OLD = 300.0
"""Seconds after which news is told with its time."""

TITLES: dict[Kind, tuple[str, str]] = {
    Kind.LIVE: ("live", "live"),
    Kind.AFFORDABLE: ("wish within reach", "wishes within reach"),
    Kind.CHEAPER: ("wish cheaper", "wishes cheaper"),
    Kind.BACK: ("wish back", "wishes back"),
    Kind.REDEEMED: ("redemption", "redemptions"),
    Kind.FLAT: ("word on chats that pay", "words on chats that pay"),
    Kind.REFUSED: ("chat closed to you", "chats closed to you"),
    Kind.SIGN_IN_NEEDED: ("sign-in needed", "sign-ins needed"),
    Kind.JWT_EXPIRING: ("word on your StreamElements sign-in", "words on your StreamElements sign-in"),
    Kind.TROUBLE: ("word on troubles", "words on troubles"),
    Kind.DIGEST: ("digest", "digests"),
}
"""What one of a kind is called in a title, and several."""

ALONE: dict[Kind, str] = {
    Kind.LIVE: "Live",
    Kind.AFFORDABLE: "A wish is within reach",
    Kind.CHEAPER: "A wish costs less",
    Kind.BACK: "A wish is back",
    Kind.REDEEMED: "A redemption",
    Kind.FLAT: "Points from a chat",
    Kind.REFUSED: "A chat is closed to you",
    Kind.SIGN_IN_NEEDED: "Sign in to Twitch",
    Kind.JWT_EXPIRING: "Your StreamElements sign-in",
    Kind.TROUBLE: "Trouble",
    Kind.DIGEST: "Your day",
}
"""The title of a message with one piece of news."""

OVER: dict[Kind, str] = {
    Kind.SIGN_IN_NEEDED: "Signed in again",
    Kind.JWT_EXPIRING: "Your StreamElements sign-in works",
    Kind.TROUBLE: "Trouble is over",
}


class AlertWords:
    """Writes for `service.alerting`; `path` is where the database is, `zone` the person's."""

    def __init__(self, path: Path, zone: tzinfo) -> None:
        self._reader = DayReader(path)
        self._zone = zone

    def event(self, event: Event, snapshot: Snapshot) -> str:
        """The sentence that every face has for it; of a stream its title too."""
        row = snapshot.rows.get(event.channel) if event.channel is not None else None
        title = clean(row.title or "") if event.kind is EventKind.LIVE and row is not None else ""
        return event_in(event, snapshot) + (f' "{title}"' if title else "")

    def message(self, message: Message, now: float) -> Notice:
        """One message."""
        return message_notice(message, now, self._zone)

    async def digest(self, since: float, until: float) -> Notice:
        """The day's digest. Raises FaultError."""
        day = await asyncio.get_running_loop().run_in_executor(None, self._reader.day, since, until)
        return digest_notice(day, since, until, self._zone)

    def lost(self, amount: int) -> str:
        """What is said of those that did not get through."""
        return f"{count(amount, 'notification')} before this did not get through."


def message_notice(message: Message, now: float, zone: tzinfo) -> Notice:
    """Every piece of news in a line; where it is not of just now, with its time."""
    alerts = message.alerts
    lines = [_line(alert, now, zone) for alert in alerts]
    if (more := len(lines) - LINES) > 0:
        lines = [*lines[:LINES], f"and {number(more)} more"]
    if message.lost:
        lines.append(f"{number(message.lost)} older ones were too many to keep.")
    return Notice(_title(message), "\n".join(lines), any(alert.urgent for alert in alerts))


def digest_notice(day: Day, since: float, until: float, zone: tzinfo) -> Notice:
    """What was earned, how much of it all was caught, what was bought, and what went wrong."""
    earned = sum(each.points for each in day.earned)
    title = f"Your day: {change(earned)} points" if earned else "Your day: no points"
    lines = [f"Since {local(since, zone):%d %b, %H:%M}, until {local(until, zone):%d %b, %H:%M}."]
    lines += [f"{name(each.display, each.login)}: {amount(each.points, each.currency)}" for each in day.earned[:TOP]]
    if rest := day.earned[TOP:]:
        lines.append(f"{count(len(rest), 'other channel')}: {number(sum(each.points for each in rest))}")
    lines.append(_caught(day))
    if day.bought:
        lines.append(f"{count(day.bought, 'item')} redeemed.")
    lines.append(_troubles(day))
    return Notice(title, "\n".join(line for line in lines if line))


def trial_notice() -> Notice:
    """What `notify test` sends."""
    return Notice("Test", "allthepoints can reach you here. This is how notifications look.")


def _title(message: Message) -> str:
    alerts = message.alerts
    if len(alerts) == 1 and not message.held:
        alert = alerts[0]
        return OVER.get(alert.kind, ALONE[alert.kind]) if alert.over else ALONE[alert.kind]
    counts = {kind: sum(alert.kind is kind for alert in alerts) for kind in Kind}
    told = ", ".join(count(amount, *TITLES[kind]) for kind, amount in counts.items() if amount)
    return f"While it was quiet: {told}" if message.held else told[:1].upper() + told[1:]


def _line(alert: Alert, now: float, zone: tzinfo) -> str:
    text = clean(alert.text)
    if alert.over:
        text = f"Over, after {duration(alert.at - alert.since)}: {text}."
    return f"{local(alert.at, zone):%H:%M} {text}" if now - alert.at >= OLD else text


def _caught(day: Day) -> str:
    if day.live_s <= 0:
        return "No channel was live."
    share = min(1.0, day.present_s / day.live_s)
    return (
        f"In the chat for {duration(day.present_s)} of {duration(day.live_s)} of live time ({percent(share)}), "
        f"in {count(day.sessions, 'session')}."
    )


_TROUBLES: tuple[tuple[EventKind, Callable[[int], str]], ...] = (
    (EventKind.SIGN_IN_LOST, lambda n: f"you were signed out {_times(n)}"),
    (EventKind.REFUSED, lambda n: f"{count(n, 'chat')} closed to you"),
    (EventKind.FLAT, lambda n: f"{count(n, 'chat')} found to pay nothing"),
    (EventKind.DISCONNECTED, lambda n: f"{count(n, 'chat connection')} lost"),
    (EventKind.HELIX_FAILED, lambda n: f"Twitch did not answer {_times(n)}"),
    (EventKind.ELEMENTS_FAILED, lambda n: f"StreamElements did not answer {_times(n)}"),
)


def _troubles(day: Day) -> str:
    found = day.events or {}
    told = [write(found[kind]) for kind, write in _TROUBLES if found.get(kind)]
    return f"Troubles: {'; '.join(told)}." if told else "No troubles."


def _times(number_: int) -> str:
    return "once" if number_ == 1 else "twice" if number_ == 2 else f"{number(number_)} times"
