"""Your points, channel by channel: the table, and all that is known of one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from allthepoints.base.types import Login, UserId
from allthepoints.core.loyalty import Loyalty
from allthepoints.views.channels import Line
from allthepoints.views.columns import Column, table, wrapped
from allthepoints.views.sparkline import sparkline
from allthepoints.views.text import (
    amount,
    change,
    clean,
    clock_time,
    count,
    duration,
    name,
    number,
    per_hour,
    verdict,
    when,
)
from allthepoints.views.words import CAUSES, Telling


@dataclass(frozen=True, slots=True)
class Stay:
    """The present session so far: `expected` of whole payments by the settings, where those are known."""

    since: float
    present_s: float
    actual: int
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Points:
    """What is known of one channel's points. Times in epoch seconds; None: not known.

    `live` and the verdict are those of a service that runs. `bars`: what was earned in equal parts of the last day.
    """

    id: UserId
    login: Login
    display: str
    currency: str = ""
    points: int | None = None
    alltime: int | None = None
    rank: int | None = None
    watch_minutes: int | None = None
    earned_today: int = 0
    earned_7d: int = 0
    earned_30d: int = 0
    earned_total: int = 0
    rate_per_hour: float | None = None
    verdict: str = "unknown"
    causes: tuple[str, ...] = ()
    seen_at: float | None = None
    earned_at: float | None = None
    bars: tuple[int | None, ...] = ()
    loyalty: Loyalty | None = None
    stay: Stay | None = None

    @property
    def who(self) -> str:
        return name(self.display, self.login)


COLUMNS = (
    Column("channel", keep=9, flexible=True),
    Column("points", keep=8, right=True),
    Column("currency", keep=2, flexible=True),
    Column("today", keep=6, right=True),
    Column("rate", keep=5, right=True),
    Column("verdict", keep=7),
    Column("earned", keep=3),
    Column("24 h", keep=1),
)
"""Where the terminal is narrow, they go in this order: 24 h, currency, earned, rate, today, verdict."""

FACT = 13
"""Cells before what is said of a fact."""

_FIRST = {"flat": 0, "earning": 1, "early": 2}


def points_lines(
    rows: Iterable[Points], now: float, width: int | None, zone: tzinfo | None = None, ascii_only: bool = False
) -> list[str]:
    """The table: where something is wrong first, then where points come, then the rest by what you have."""
    shown = sorted(rows, key=lambda row: (_FIRST.get(row.verdict, 3), -(row.points or 0), row.login))
    return table(COLUMNS, [_cells(row, now, zone, ascii_only) for row in shown], width)


def summed(rows: Sequence[Points]) -> str:
    """One line for all: `+340 today in 12 of 14 channels.`"""
    today = [row.earned_today for row in rows if row.earned_today]
    if not today:
        return f"Nothing was earned yet today, in {count(len(rows), 'channel')}."
    return f"{change(sum(today))} today, in {number(len(today))} of {count(len(rows), 'channel')}."


def detail_lines(
    row: Points, now: float, width: int | None, zone: tzinfo | None = None, ascii_only: bool = False
) -> list[Line]:
    """All that is known of one channel's points, and what can be done where they do not come."""
    lines = [*(Line(text) for text in wrapped(row.who, width)), *fact_lines(row, now, width, zone, ascii_only)]
    return [*lines, Line(""), *cause_lines(row, width)] if row.causes else lines


def fact_lines(
    row: Points,
    now: float,
    width: int | None,
    zone: tzinfo | None = None,
    ascii_only: bool = False,
    without: Collection[str] = (),
) -> list[Line]:
    """What is known, a word before each; but for these words."""
    facts = [
        ("points", _balance(row, now, zone)),
        ("all time", _alltime(row)),
        ("earned", _earned(row, now, zone)),
        ("last 24 h", sparkline(row.bars, ascii_only).strip() and f"|{sparkline(row.bars, ascii_only)}|"),
        ("pays", _pays(row.loyalty)),
        ("rate", f"{per_hour(row.rate_per_hour)}, as it really came" if row.rate_per_hour is not None else ""),
        ("session", _session(row.stay)),
        ("verdict", verdict(row.verdict).shown(ascii_only)),
    ]
    return [line for word, text in facts if text and word not in without for line in _fact(word, text, width)]


def _fact(word: str, text: str, width: int | None) -> list[Line]:
    """A word and what is said of it, which is wrapped beside it."""
    room = None if width is None or text.startswith("|") else max(1, width - FACT)  # bars stay as they are
    first, *rest = wrapped(text, room)
    return [Line(f"  {word:<9}  {first}"), *(Line(" " * FACT + more) for more in rest)]


def cause_lines(row: Points, width: int | None) -> list[Line]:
    """Why no points come, and what can be done about each cause."""
    head = "Why no points come, the likeliest first:" if len(row.causes) > 1 else "Why no points come:"
    if row.verdict == "early":
        head = "Too early to tell:"
    lines = [Line(head)]
    for at, cause in enumerate(row.causes, 1):
        telling = CAUSES.get(cause, Telling(cause, cause.replace("_", " ") + "."))
        text = f"{telling.text} {telling.cure}".rstrip()
        room = None if width is None else max(1, width - 5)
        first, *rest = wrapped(text, room)
        lines += [Line(f"  {at}. {first}"), *(Line(f"     {more}") for more in rest)]
    return lines


def _balance(row: Points, now: float, zone: tzinfo | None) -> str:
    if row.points is None:
        return "not read yet"
    seen = f" (read {when(row.seen_at, now, zone)})" if row.seen_at is not None else ""
    return f"{amount(row.points, row.currency)}{seen}"


def _alltime(row: Points) -> str:
    """StreamElements' own numbers; "all time" counts watching alone, and may be below what one has."""
    parts = [
        f"{number(row.alltime)} by watching" if row.alltime is not None else "",
        f"rank {number(row.rank)}" if row.rank is not None else "",
        f"{duration(row.watch_minutes * 60)} watched" if row.watch_minutes is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def _earned(row: Points, now: float, zone: tzinfo | None) -> str:
    sums = (
        f"{change(row.earned_today)} today, {change(row.earned_7d)} in 7 days, {change(row.earned_30d)} in 30 days, "
        f"{change(row.earned_total)} in all"
    )
    return sums + (f"; last {when(row.earned_at, now, zone)}" if row.earned_at is not None else "")


def _pays(loyalty: Loyalty | None) -> str:
    if loyalty is None:
        return ""
    if not loyalty.enabled:
        return "nothing: loyalty is off"
    if loyalty.amount is None:
        return ""
    return f"{amount(loyalty.amount, loyalty.currency)} every {duration(loyalty.every)} ({per_hour(loyalty.per_hour)})"


def _session(stay: Stay | None) -> str:
    if stay is None:
        return ""
    of = "" if stay.expected is None else f" of {number(stay.expected)} expected"
    return f"{change(stay.actual)}{of}, in {duration(stay.present_s)} in the chat"


def _cells(row: Points, now: float, zone: tzinfo | None, ascii_only: bool) -> tuple[str, ...]:
    return (
        row.who,
        "" if row.points is None else number(row.points),
        clean(row.currency),
        change(row.earned_today) if row.earned_today else "",
        per_hour(row.rate_per_hour),
        verdict(row.verdict).shown(ascii_only),
        clock_time(row.earned_at, now, zone),
        sparkline(row.bars, ascii_only).rstrip(),
    )
