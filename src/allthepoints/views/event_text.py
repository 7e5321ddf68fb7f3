"""Every event as a sentence: short, exact, in the second person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from allthepoints.base.types import JSON, UserId
from allthepoints.core.model import Why
from allthepoints.core.records import Event, EventKind
from allthepoints.service.snapshot import Snapshot
from allthepoints.views.text import amount, clean, count, duration, local, name, number
from allthepoints.views.words import ELEMENTS_READS, LEFT, LOST, READS, REASONS, WHY, told


class Happening(Protocol):
    """An event as the core tells it, or as the memory gives it back."""

    @property
    def kind(self) -> str: ...
    @property
    def channel(self) -> UserId | None: ...
    @property
    def data(self) -> Mapping[str, JSON]: ...


def event_text(event: Happening, names: Mapping[UserId, str]) -> str:
    """One sentence. `names`: how to call each channel; one without a name goes by the login that the event tells, else
    by its id."""
    write = _SENTENCES.get(event.kind)
    login = event.data.get("login") or f"channel {event.channel}"
    who = str(names.get(event.channel, login)) if event.channel is not None else ""
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
    return f"Twitch does not say {told(READS, data.text('what'))}; what was known stays. {_why(data)}"


def _elements_failed(_: str, data: _Data) -> str:
    return f"StreamElements does not say {told(ELEMENTS_READS, data.text('what'))}; what was known stays. {_why(data)}"


def _why(data: _Data) -> str:
    """An error's text as a sentence."""
    error = data.text("error").rstrip(".")
    return f"{error[:1].upper()}{error[1:]}."


def _item(who: str, data: _Data) -> str:
    """`Pick the next map in Alpha's store`."""
    return f"{data.text('item') or 'An item'} in {who or 'a channel'}'s store"


def _cost(data: _Data) -> str:
    return amount(int(data.number("cost")), data.text("currency"))


def _cheaper(who: str, data: _Data) -> str:
    was = f", was {number(int(data.number('was')))}" if data.number("was") else ""
    return f"{_item(who, data)} costs less: {_cost(data)} now{was}."


def _redemption_refused(who: str, data: _Data) -> str:
    words = data.text("text")
    quoted = f' StreamElements says: "{words}"' if words else ""
    return f"{_item(who, data)} was not redeemed: {told(REASONS, data.text('reason'))}.{quoted}"


def _redemption_unknown(who: str, data: _Data) -> str:
    return (
        f"Whether {_item(who, data)} was redeemed is not known yet: no clear answer came. It is not sent again; your "
        "redemptions are read until it is certain."
    )


def _jwt_expires(_: str, data: _Data) -> str:
    days, at = int(data.number("days")), data.number("expires_at")
    left = f"in {count(days, 'day')}" if days else "today"
    day = f", on {local(at):%Y-%m-%d}" if at else ""
    return f"Your StreamElements sign-in ends {left}{day}. Run `allthepoints login streamelements`."


def _config_taken(_: str, data: _Data) -> str:
    waits = data.text("restart")
    return "The changed config is in force" + (f", but for {waits}: used from the next start on." if waits else ".")


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
    EventKind.ELEMENTS_FAILED: _elements_failed,
    EventKind.ELEMENTS_BACK: lambda _, __: "StreamElements answers again.",
    EventKind.FLAT: lambda who, _: (
        f"You are in {who}'s chat, and no points come. `allthepoints points` tells what it may be, and what to do."
    ),
    EventKind.EARNING_AGAIN: lambda who, _: f"Points come again from {who}.",
    EventKind.WISH_OBTAINABLE: lambda who, data: f"{_item(who, data)} can be had now, for {_cost(data)}.",
    EventKind.WISH_CHEAPER: _cheaper,
    EventKind.WISH_BACK: lambda who, data: f"{_item(who, data)} is back, for {_cost(data)}.",
    EventKind.WISH_GONE: lambda who, data: f"{_item(who, data)} is not there any more.",
    EventKind.REDEMPTION_SENT: lambda who, data: f"{_item(who, data)} is being redeemed, for {_cost(data)}.",
    EventKind.REDEEMED: lambda who, data: f"You redeemed {_item(who, data)}, for {_cost(data)}.",
    EventKind.REDEMPTION_REFUSED: _redemption_refused,
    EventKind.REDEMPTION_UNKNOWN: _redemption_unknown,
    EventKind.JWT_EXPIRES: _jwt_expires,
    EventKind.JWT_EXPIRED: lambda _, __: (
        "Your StreamElements sign-in has ended: nothing can be redeemed, and points go on. "
        "Run `allthepoints login streamelements`."
    ),
    EventKind.CONFIG_TAKEN: _config_taken,
    EventKind.CONFIG_REJECTED: _config_rejected,
}
