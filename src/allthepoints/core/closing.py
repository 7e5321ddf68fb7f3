"""Closing a chat to ourselves: the one way in which a refusal comes to stand, and is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from allthepoints.core.model import Why
from allthepoints.core.observed import Channel
from allthepoints.core.records import Event, EventKind, Record, RefusalCleared, RefusalSet
from allthepoints.core.refusals import RULES, Retry, refuse


def close(channel: Channel, why: Why, at: float, text: str = "") -> Iterator[Record]:
    """The chat is closed to us for `why`.

    What only a person may undo is not made milder by what comes after it (the forced PART that follows a ban, the
    answer to a look-up). A reason that was told is not told again.
    """
    before = channel.refusal
    if only_by_hand(channel) and (RULES[why].retry is not Retry.BY_HAND or why is Why.PUT_OUT):
        return
    channel.refusal = said = refuse(why, at, text, channel.stream_id(), before)
    channel.unanswered, channel.ask_not_before = 0, 0.0
    yield RefusalSet(at, channel.ref.id, why, text, said.stream, said.until, said.tries)
    if before is None or before.why is not why:
        yield Event(at, EventKind.REFUSED, channel.ref.id, {"why": why, "text": text})


def reopen(channel: Channel, at: float) -> Iterator[Record]:
    """Nothing closes the chat any more."""
    if channel.refusal is not None:
        channel.refusal = None
        yield RefusalCleared(at, channel.ref.id)


def relent(channel: Channel, at: float) -> Iterator[Record]:
    """The chat may be asked again now. Should that be in vain, then it was not for the first time."""
    said = channel.refusal
    if said is not None and said.until is not None and at < said.until:
        channel.refusal = replace(said, until=at)
        yield RefusalSet(at, channel.ref.id, said.why, said.text, said.stream, at, said.tries)


def only_by_hand(channel: Channel) -> bool:
    """Whether only the person may ask this chat again."""
    return channel.refusal is not None and RULES[channel.refusal.why].retry is Retry.BY_HAND
