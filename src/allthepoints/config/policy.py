"""From settings to what the core and the chat sessions ask for."""

from __future__ import annotations

from allthepoints.config.settings import Settings
from allthepoints.core.alerts import DEFAULTS, AlertPolicy
from allthepoints.core.hours import Hours
from allthepoints.core.news import Kind
from allthepoints.core.policy import Policy, Wish
from allthepoints.irc.session import SessionOptions


def policy(settings: Settings) -> Policy:
    """What the person wants, for `core.plan`."""
    channels, poll, chat = settings.channels, settings.poll, settings.chat
    return Policy(
        followed=channels.followed,
        include=channels.include,
        exclude=frozenset(channels.exclude),
        priority=channels.priority,
        paused=frozenset(channels.paused),
        max_rooms=channels.max_rooms,
        poll_live=poll.live,
        offline_after=poll.offline_after,
        poll_follows=poll.follows,
        rooms_per_connection=chat.rooms_per_connection,
        ask_timeout=chat.ask_timeout,
        forced_part_is_ban=chat.forced_part_is_ban,
        poll_balance=poll.balance,
        poll_store=poll.store,
        wishes=tuple(Wish(w.channel, w.item, w.auto, w.max_cost, w.per_day, w.keep, w.count) for w in settings.wish),
    )


def errand_policy() -> Policy:
    """For a command that needs StreamElements alone, while no service runs: no chat, nobody asked who is live."""
    return Policy(followed=False, presence=False)


def session_options(settings: Settings) -> SessionOptions:
    """How a chat session waits."""
    chat = settings.chat
    return SessionOptions(
        welcome_timeout=chat.welcome_timeout, idle_ping=chat.idle_ping, pong_timeout=chat.pong_timeout
    )


def alert_policy(settings: Settings) -> AlertPolicy:
    """What the person wants to hear of, for `core.alerts`."""
    notify = settings.notify
    kinds = frozenset(map(Kind, notify.events)) or DEFAULTS
    begin, _, end = notify.quiet_hours.partition("-")
    quiet = Hours(_minutes(begin), _minutes(end)) if begin else None
    return AlertPolicy(kinds, quiet, _minutes(notify.digest) if notify.digest else None)


def _minutes(text: str) -> int:
    """After midnight, of `HH:MM`."""
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)
