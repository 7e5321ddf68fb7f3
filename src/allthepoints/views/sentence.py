"""The first line of every face: am I in, am I earning, what can I get? Or the trouble in the way, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from allthepoints.ports import ChannelRow
from allthepoints.views.text import clean, count, duration, number, when


class Worry(Protocol):
    """A warning of the core, or one that was read back."""

    @property
    def code(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def since(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Trouble:
    """A warning that was read back. `severity`: info, warning or error; `since` in epoch seconds."""

    code: str
    severity: str
    title: str
    text: str
    since: float


_EARNING: dict[str, str] = {
    "earning": "earning in {}",
    "early": "{} joined minutes ago",
    "flat": "nothing comes in {}",
    "not_offered": "no points in {}",
    "unknown": "{} not known yet",
}
"""What is said of so many chats with each verdict."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What the sentence is made of. `live`: chats of live channels that are meant, those that refuse us too."""

    account: bool
    """Whether an account ever signed in."""
    meant: int
    unknown: int
    """Channels of which it is not known whether they are live."""
    live: int
    present: int
    asked: int
    waiting: int
    refused: int
    troubles: tuple[Worry, ...] = ()
    verdicts: tuple[int, ...] = (0,) * len(_EARNING)
    """How many of those present have each verdict of _EARNING."""
    wishes: int = 0
    """Wishes that can be had now."""

    @property
    def nobody_live(self) -> bool:
        """It is known that no channel of those that are meant is live."""
        return self.meant > 0 and self.live == 0 and self.unknown == 0

    @classmethod
    def of(cls, rows: Iterable[ChannelRow], troubles: Sequence[Worry], account: bool = True, wishes: int = 0) -> Glance:
        """From the rows of a service that runs."""
        all_rows = list(rows)
        states = [row.state for row in all_rows if row.live or (row.live is None and row.state in _IN)]
        present, refused, waiting = (states.count(state) for state in ("present", "refused", "waiting"))
        asked = states.count("asked")
        live = present + refused + waiting + asked
        unknown = sum(row.live is None for row in all_rows)
        found = [row.verdict for row in all_rows if row.state == "present"]
        verdicts = tuple(found.count(word) for word in _EARNING)
        return cls(
            account, len(all_rows), unknown, live, present, asked, waiting, refused, tuple(troubles), verdicts, wishes
        )


def sentence(glance: Glance, now: float, usual: str = "") -> str:
    """For example `In 14 of 14 live chats. Earning in 12; 2 joined minutes ago. 3 wishes within reach.`

    A trouble that stops the points is told instead. `usual`: who usually starts next, for where no channel is live.
    """
    errors = [trouble for trouble in glance.troubles if trouble.severity == "error"]
    for trouble in errors:
        if write := _INSTEAD.get(trouble.code):
            return write(glance, trouble, now)
    beside = [_BESIDE.get(trouble.code, _other)(trouble, now) for trouble in errors]
    ahead = (usual,) if usual and glance.nobody_live else ()
    return " ".join((_in(glance), *ahead, *_earning(glance), *_wishes(glance), *beside))


def trouble_lines(troubles: Iterable[Worry], now: float) -> list[str]:
    """Each trouble in full: how bad, what, since when, what it means and what to do."""
    return [
        f"{trouble.severity}: {clean(trouble.title)} ({_since(trouble, now)}). {clean(trouble.text)}"
        for trouble in troubles
    ]


_IN = frozenset({"present", "asked"})


def _in(glance: Glance) -> str:
    if glance.live == 0:
        return _nobody(glance)
    parts = [
        f"{number(amount)} {word}"
        for amount, word in (
            (glance.asked, "asked"),
            (glance.waiting, "waiting"),
            (glance.refused, "closed to you"),
        )
        if amount
    ]
    rest = f"; {', '.join(parts)}" if parts else ""
    return f"In {number(glance.present)} of {count(glance.live, 'live chat')}{rest}."


def _earning(glance: Glance) -> list[str]:
    """Nothing while nothing is known of any chat."""
    if not any(number_ for word, number_ in zip(_EARNING, glance.verdicts, strict=True) if word != "unknown"):
        return []
    parts = [
        text.format(number(amount)) for text, amount in zip(_EARNING.values(), glance.verdicts, strict=True) if amount
    ]
    told = "; ".join(parts)
    return [f"{told[:1].upper()}{told[1:]}."]


def _wishes(glance: Glance) -> list[str]:
    return [f"{count(glance.wishes, 'wish', 'wishes')} within reach."] if glance.wishes else []


def _nobody(glance: Glance) -> str:
    if glance.meant == 0:
        if not glance.account:
            return "Checking the sign-in."
        return "No channel yet: whom you follow is read first; name others with `allthepoints channels add NAME`."
    if glance.unknown:
        return f"Asking which of {count(glance.meant, 'channel')} are live."
    if glance.meant == 1:
        return "Your channel is not live."
    return f"None of your {count(glance.meant, 'channel')} is live."


def _signed_out(glance: Glance, trouble: Worry, now: float) -> str:
    if not glance.account:
        return "Not signed in to Twitch. Run `allthepoints login`."
    return f"Signed out by Twitch {when(trouble.since, now)}. Run `allthepoints login`."


def _chat_refuses(_: Glance, trouble: Worry, now: float) -> str:
    return (
        f"The chat refuses your sign-in, {_since(trouble, now)}. Run `allthepoints logout`, then `allthepoints login`."
    )


def _disconnected(_: Glance, trouble: Worry, now: float) -> str:
    return f"Not connected to the chat, {_since(trouble, now)}. Look whether this machine has a network."


def _not_written(trouble: Worry, now: float) -> str:
    return f"Nothing can be written down, {_since(trouble, now)}: free some space in the data directory."


def _config_rejected(_: Worry, __: float) -> str:
    return "The changed config is not in use: run `allthepoints config check`."


def _other(trouble: Worry, now: float) -> str:
    return f"{clean(trouble.title)}, {_since(trouble, now)}."


def _since(trouble: Worry, now: float) -> str:
    return f"for {duration(now - trouble.since)}"


_INSTEAD: dict[str, Callable[[Glance, Worry, float], str]] = {
    "sign_in_needed": _signed_out,
    "chat_refuses_token": _chat_refuses,
    "chat_disconnected": _disconnected,
}
"""Errors that stop the points."""

_BESIDE: dict[str, Callable[[Worry, float], str]] = {
    "storage_failing": _not_written,
    "config_rejected": _config_rejected,
}
"""Errors beside which the points go on."""
