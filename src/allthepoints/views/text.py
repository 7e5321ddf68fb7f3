"""How we write numbers, durations, times, names and states. Every face uses it; nothing here does anything else."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Literal

MINUTE, HOUR, DAY = 60, 3_600, 86_400


def number(value: int) -> str:
    """12345 -> `12,345`."""
    return f"{value:,}"


def count(value: int, one: str, many: str | None = None) -> str:
    """`1 channel`, `12,345 channels`."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def amount(value: int, currency: str = "") -> str:
    """`1,500 acorns`: in the channel's own currency, as it is written there; `points` where that is not known."""
    return f"{number(value)} {clean(currency) or 'points'}"


def size(value: int) -> str:
    """Bytes: `812 B`, `12 kB`, `1.2 MB`."""
    found, unit = float(value), "B"
    for larger in ("kB", "MB", "GB"):
        if found >= 999.5:
            found, unit = found / 1000, larger
    return f"{found:,.0f} {unit}" if unit == "B" or found >= 9.95 else f"{found:.1f} {unit}"


def change(value: int) -> str:
    """`+5`, `-1,500`; `0` for none."""
    return f"{value:+,}" if value else "0"


def per_hour(rate: float | None) -> str:
    """`30/h`, `2.5/h`; empty where it is not known."""
    if rate is None:
        return ""
    return f"{rate:,.0f}/h" if rate >= 10 or rate == int(rate) else f"{rate:.1f}/h"


def helix_left(remaining: int, limit: int) -> str:
    """What is left of Helix's points, which fill up every minute."""
    return f"{number(remaining)} of {number(limit)} Helix points left"


def duration(seconds: float) -> str:
    """`45 s`, `20 min`, `3 h 20 min`, `2 d 3 h`: the two largest units, cut off and not rounded up."""
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min"
    if whole < DAY:
        return _two(whole, HOUR, "h", MINUTE, "min")
    return _two(whole, DAY, "d", HOUR, "h")


def when(at: float, now: float, zone: tzinfo | None = None) -> str:
    """Relative under a day (`20 min ago`, `in 3 h`), else the date and time in `zone` (None: this machine's)."""
    away = at - now
    if abs(away) >= DAY:
        return f"on {local(at, zone):%Y-%m-%d at %H:%M}"
    if abs(away) < 1:
        return "just now"
    return f"in {duration(away)}" if away > 0 else f"{duration(-away)} ago"


def clock_time(at: float | None, now: float, zone: tzinfo | None = None) -> str:
    """For a column: `14:20` within a day, else `24 Nov`, with the year if it is far away; empty for no time."""
    return "" if at is None else as_clock_time(local(at, zone), clock_form(at, now))


ClockForm = Literal["time", "day", "date"]


def clock_form(at: float, now: float) -> ClockForm:
    """How much of a time a column shows; it is the same for long."""
    away = abs(at - now)
    return "time" if away < DAY else "day" if away < 180 * DAY else "date"


def as_clock_time(there: datetime, form: ClockForm) -> str:
    """`clock_time` of a local time."""
    if form == "time":
        return f"{there.hour:02}:{there.minute:02}"  # a third of the time of strftime, and there are columns of them
    return f"{there.day} {there:%b}" if form == "day" else f"{there:%Y-%m-%d}"


def iso(at: float, timespec: str = "milliseconds") -> str:
    """UTC, for files and programs: `2026-11-25T20:30:00.000Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec=timespec).removesuffix("+00:00") + "Z"


def local(at: float, zone: tzinfo | None = None) -> datetime:
    """`at` in `zone`; None is this machine's zone as it is set now."""
    return datetime.fromtimestamp(at, UTC).astimezone() if zone is None else datetime.fromtimestamp(at, zone)


def clean(text: str) -> str:
    """Other people's text for a terminal: one line, without anything that could steer it or turn its direction."""
    if text.isprintable():  # nothing of that kind is, and no space but the common one
        return " ".join(text.split())
    kept = (" " if letter.isspace() else letter for letter in text)
    return " ".join("".join(c for c in kept if c == "\u200d" or unicodedata.category(c) not in _STEERING).split())


def name(display: str | None, login: str | None) -> str:
    """As Twitch shows it, with the login where that is another word."""
    shown = clean(display or "") or login or "?"
    return shown if not login or shown.lower() == login else f"{shown} ({login})"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a channel stands: a sign and a word. `plain` is the sign for a console that has only ASCII."""

    sign: str
    plain: str
    word: str

    def shown(self, ascii_only: bool) -> str:
        """Sign and word, as every table has them."""
        return f"{self.plain if ascii_only else self.sign} {self.word}"


STATES: dict[str, Standing] = {
    "present": Standing("●", "*", "present"),
    "asked": Standing("◐", "~", "asked"),
    "leaving": Standing("◑", "~", "leaving"),
    "waiting": Standing("○", "o", "waiting"),
    "refused": Standing("✕", "x", "refused"),
    "absent": Standing("–", "-", "absent"),
}
STYLES = {
    "present": "green",
    "asked": "yellow",
    "leaving": "yellow",
    "waiting": "yellow",
    "refused": "red",
    "absent": "dim",
}
"""Colours of the states: an extra, never the only sign."""

OFFLINE = Standing("–", "-", "offline")
UNKNOWN = Standing("?", "?", "unknown")


def standing(state: str, live: bool | None) -> Standing:
    """The sign and word of a channel. Outside the chat, whether it is live is what matters."""
    if state == "absent":
        if live is None:
            return UNKNOWN
        return STATES[state] if live else OFFLINE
    return STATES.get(state, UNKNOWN)


VERDICTS: dict[str, Standing] = {
    "earning": Standing("↑", "^", "earning"),
    "early": Standing("…", ".", "early"),
    "flat": Standing("=", "=", "flat"),
    "not_offered": Standing("∅", "0", "not offered"),
    "unknown": UNKNOWN,
}


def verdict(word: str) -> Standing:
    """The sign and word of a verdict. One of a later version is shown as it is."""
    return VERDICTS.get(word) or Standing("?", "?", word.replace("_", " "))


_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def _two(whole: int, unit: int, word: str, part: int, part_word: str) -> str:
    first, rest = whole // unit, whole % unit // part
    return f"{first} {word} {rest} {part_word}" if rest else f"{first} {word}"
