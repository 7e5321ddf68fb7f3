"""Every event as a sentence: short, exact, in the second person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from allthepoints.base.types import JSON, UserId
from allthepoints.core.model import Why
from allthepoints.core.records import Event, EventKind
from allthepoints.service.snapshot import Snapshot
from allthepoints.views.text import clean, duration, name, number
from allthepoints.views.words import LEFT, LOST, READS, WHY, told


class Happening(Protocol):
    """An event as the core tells it, or as the memory gives it back."""

    @property
    def kind(self) -> str: ...
    @property
    def channel(self) -> UserId | None: ...
    @property
    def data(self) -> Mapping[str, JSON]: ...


def event_text(event: Happening, names: Mapping[UserId, str]) -> str:
    """One sentence. `names`: how to call each channel; one without a name goes by its id."""
    write = _SENTENCES.get(event.kind)
    who = names.get(event.channel, f"channel {event.channel}") if event.channel is not None else ""
    if write is None:  # from a later version
        return f"{who}: {event.kind.replace('_', ' ')}." if who else f"{event.kind.replace('_', ' ').capitalize()}."
    return write(clean(who), _Data(event.data))


def event_in(event: Event, snapshot: Snapshot) -> str:
    """The same, with the channel's name as the snapshot has it."""
    row = snapshot.rows.get(event.channel) if event.channel is not None else None
    return event_text(event, {} if row is None else {row.id: name(row.display, row.login)})


class _Data:
    """An event's values as text and numbers, whatever stands there."""

    def __init__(self, values: Mapping[str, JSON]) -> None:
        self._values = values

    def text(self, key: str) -> str:
        value = self._values.get(key)
        return clean(str(value)) if value is not None else ""

    def number(self, key: str) -> float:
        value = self._values.get(key)
        return float(value) if isinstance(value, int | float) else 0.0


def _sign_in_lost(_: str, data: _Data) -> str:
    reason = data.text("reason").rstrip(".")
    return f"You are signed out{f': {reason}' if reason else ''}. Run `allthepoints login`."


def _left(who: str, data: _Data) -> str:
    why = data.text("why")
    if why == "parted":
        return f"You left {who}'s chat."
    return f"You are out of {who}'s chat: {told({**WHY, **LEFT}, why)}."


def _refused(who: str, data: _Data) -> str:
    why, words = data.text("why"), data.text("text")
    if why == Why.ROOM_LIMIT:
        return f"No room for {who}: {told(WHY, why)}, {number(int(data.number('rooms')))} of them from here."
    return f"{who}'s chat is closed to you: {told(WHY, why)}." + (f' Twitch says: "{words}"' if words else "")


def _disconnected(_: str, data: _Data) -> str:
    more = data.text("text")
    return f"Chat connection {data.text('conn')} ended: {told(LOST, data.text('why'))}{f' ({more})' if more else ''}."


def _helix_failed(_: str, data: _Data) -> str:
    error = data.text("error").rstrip(".")
    return f"Twitch does not say {told(READS, data.text('what'))}; what was known stays. {error}."


def _config_rejected(_: str, data: _Data) -> str:
    return f"The changed config cannot be used, and the old one stays. {data.text('error')}"


_SENTENCES: dict[str, Callable[[str, _Data], str]] = {
    EventKind.STARTED: lambda _, __: "The service started.",
    EventKind.STOPPED: lambda _, __: "The service stopped.",
    EventKind.SIGNED_IN: lambda _, data: f"You are signed in as {data.text('login')}.",
    EventKind.SIGN_IN_LOST: _sign_in_lost,
    EventKind.SIGN_IN_RENEWED: lambda _, __: "Your sign-in was renewed.",
    EventKind.LIVE: lambda who, _: f"{who} is live.",
    EventKind.OFFLINE: lambda who, _: f"{who} is offline.",
    EventKind.PRESENT: lambda who, _: f"You are in {who}'s chat.",
    EventKind.LEFT: _left,
    EventKind.REFUSED: _refused,
    EventKind.RETRIED: lambda who, _: f"{who}'s chat may be asked again, as you said.",
    EventKind.TIMED_OUT: lambda who, data: (
        f"{who} timed you out for {duration(data.number('seconds'))}; you stay in the chat."
    ),
    EventKind.RENAMED: lambda _, data: f"{data.text('from')} is now {data.text('to')}.",
    EventKind.NOT_FOUND: lambda _, data: f"Twitch knows no channel {data.text('login')}.",
    EventKind.CONNECTED: lambda _, data: f"Chat connection {data.text('conn')} is open.",
    EventKind.DISCONNECTED: _disconnected,
    EventKind.RECONNECT_ASKED: lambda _, data: (
        f"Twitch will close chat connection {data.text('conn')}; another one takes its place."
    ),
    EventKind.WOKE: lambda _, data: (
        f"This machine slept, or its clock was moved, for {duration(data.number('gap'))}; who is live is read anew."
    ),
    EventKind.HELIX_FAILED: _helix_failed,
    EventKind.HELIX_BACK: lambda _, data: f"Twitch says again {told(READS, data.text('what'))}.",
    EventKind.CONFIG_TAKEN: lambda _, __: "The changed config is in force.",
    EventKind.CONFIG_REJECTED: _config_rejected,
}
