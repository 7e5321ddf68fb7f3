"""Now: am I in, am I earning? The sentence, the channels, and what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from allthepoints.base.types import UserId
from allthepoints.ports import ChannelRow
from allthepoints.views.channels import (
    FILTERS,
    NO_GAIN,
    Gain,
    about,
    channel_lines,
    in_order,
    matters,
    passes,
    quiet,
)
from allthepoints.views.columns import fit
from allthepoints.views.report import stuck
from allthepoints.views.sentence import Worry, trouble_lines
from allthepoints.views.terminal.doing import ChannelDoing
from allthepoints.views.terminal.listing import Listing, Row, folded
from allthepoints.views.terminal.page import Frame, Keys, found
from allthepoints.views.terminal.seen import Seen, Wanted
from allthepoints.views.text import (
    MINUTE,
    STYLES,
    change,
    clean,
    clock_time,
    count,
    name,
    number,
    standing,
    verdict,
    when,
)
from allthepoints.views.words import PLACE, told

SORTS: tuple[tuple[str, Callable[[ChannelRow, Seen], Any] | None], ...] = (
    ("what matters first", None),
    ("by name", lambda row, _: row.login),
    ("most points first", lambda row, _: -(row.points or -1)),
    ("most of today first", lambda row, seen: -_gain(seen, row).today),
    ("best rate first", lambda row, _: -(row.rate_per_hour or 0.0)),
    ("last gain first", lambda row, seen: -(_gain(seen, row).last or 0.0)),
    ("next wish first", lambda row, seen: _gain(seen, row).soon),
    ("longest live first", lambda row, _: row.live_since if row.live and row.live_since else float("inf")),
)

HERE, EVERYTHING = "now", "all"
"""Filters with a key of their own."""

GRAVITY = ("error", "warning", "info")
"""The worst first."""

NOTHING = (
    "Nothing was recorded yet.",
    "",
    "Sign in with `allthepoints login`, then start with `allthepoints run`.",
    "To see it work without an account: `allthepoints demo`.",
)


class NowPage(ChannelDoing):
    """The first page."""

    PLACE = "now"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", show=False),
        Binding("f", "filter", show=False),
        Binding("o", "everything", show=False),
        Binding("exclamation_mark", "warnings", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.sort = 0
        self.filter = HERE
        self.number = 0
        """Of channels that are shown."""

    @property
    def wanted(self) -> Wanted:
        return Wanted(gains=True)

    def chosen(self) -> ChannelRow | None:
        key = self.listing.key
        return None if key is None else self.seen.row(UserId(str(key)))

    def shown(self, seen: Seen) -> list[ChannelRow]:
        """The rows that are meant, in their order."""
        rows = list(seen.report.rows)
        if self.sought:
            rows = [row for row in rows if found(self.sought, *_texts(row))]
        elif seen.report.running:
            rows = [row for row in rows if passes(row, self.filter)]
        _, by = SORTS[self.sort]
        rows = in_order(rows)
        return rows if by is None else sorted(rows, key=lambda row: by(row, seen))

    def lay(self, frame: Frame) -> tuple[Sequence[Row], Sequence[Row]]:
        seen, minute = frame.seen, frame.seen.at // MINUTE  # no time in the table is told in seconds
        how = (frame.width, self.sort, self.filter, self.sought)
        key = (how, minute, seen.zone, seen.report.running, seen.report.rows, seen.gains)
        return self.laid(key, lambda: self._lay(seen, frame.width))

    def _lay(self, seen: Seen, width: int) -> tuple[Sequence[Row], Sequence[Row]]:
        rows = self.shown(seen)
        self.number = len(rows)
        if not rows:
            return (), [Row(line) for text in self._empty(seen) for line in folded(text, width)]
        ascii_only = self.face.ascii_only
        title, *lines = channel_lines(
            rows, seen.at, width=width, zone=seen.zone, ascii_only=ascii_only, gains=seen.gains
        )
        return [Row(title.text, "dim")], [
            _row(line.text, row, ascii_only) for line, row in zip(lines, rows, strict=True)
        ]

    def remarks(self, frame: Frame) -> Sequence[Row]:
        seen, report = frame.seen, frame.seen.report
        rows: list[Row] = []
        row = self.chosen()
        if row is not None and (more := self._untold(row, seen)):
            text = f"{name(row.display, row.login)}: {'; '.join(more)}"
            rows.append(Row(fit(text, frame.width), STYLES.get(row.state, ""), 0))
        worries = [*trouble_lines(sorted(report.troubles, key=_gravity), seen.at)]
        if text := stuck(report, seen.at):
            worries.insert(0, f"warning: {text}.")
        rows += worry_rows(worries, frame.width, max(1, frame.told - 1 - len(rows)))
        return [*rows, Row(fit(self._foot(seen), frame.width), "dim")]

    def _untold(self, row: ChannelRow, seen: Seen) -> list[str]:
        """What is said about a channel, and the table has no room for."""
        line = next((line.text for line in self.listing.rows if line.key == row.id), "")
        gain = _gain(seen, row)
        told = [] if about(row) in line else [about(row)]
        if gain.next and gain.next not in line:
            told.append(f"next wish {gain.next}")
        if gain.last is not None and clock_time(gain.last, seen.at, seen.zone) not in line:
            told.append(f"last gain {when(gain.last, seen.at, seen.zone)}")
        return told

    def keys(self) -> Keys:
        seen, row = self.seen, self.chosen()
        keys = [("Enter", "open"), ("/", "find")]
        if row is not None:
            keys.append(("p", "resume" if row.login in seen.paused else "pause"))
            if row.state == "refused":
                keys.append(("t", "try again"))
        keys.append(("s", "sort"))
        if seen.report.running:
            keys += [("o", "live only" if self.filter == EVERYTHING else "offline too"), ("f", "filter")]
        return [*keys, *([("!", "warnings")] if seen.report.troubles else [])]

    def _foot(self, seen: Seen) -> str:
        """What the table does not show, and how it is sorted."""
        report, parts = seen.report, []
        if self.sought:
            parts.append(f"{count(self.number, 'channel')} with {clean(self.sought)!r}")
        elif report.running and self.filter == HERE:
            if any(not matters(row) for row in report.rows):
                parts.append(quiet(report.rows))
        elif report.running and self.filter != EVERYTHING:
            parts.append(f"{dict(FILTERS)[self.filter]}: {number(self.number)} of {number(len(report.rows))}")
        else:
            parts.append(f"{count(len(report.rows), 'channel')} known")
        if self.sort:
            parts.append(SORTS[self.sort][0])
        if report.running:
            parts.append(count(report.chat.get("connections", 0), "chat connection"))
        today, week = (sum(getattr(gain, of) for gain in seen.gains.values()) for of in ("today", "week"))
        parts += [f"{change(today)} today"] if today else []
        parts += [f"{change(week)} in 7 days"] if week else []
        return "; ".join([*parts, *filter(None, [self.place])])

    def _empty(self, seen: Seen) -> Sequence[str]:
        if self.sought:
            return (f"No channel has {clean(self.sought)!r} in its name, title or state. Escape shows all again.",)
        if not seen.report.rows:
            return NOTHING if seen.report.alive is None else ("No channel yet.",)
        if self.filter not in (HERE, EVERYTHING):
            return (f"{dict(FILTERS)[self.filter]}: no channel now. `f` goes on to the next filter.",)
        return (f"{quiet(seen.report.rows)}: `o` shows them.",)

    def action_sort(self) -> None:
        self.sort = (self.sort + 1) % len(SORTS)
        self.lay_out()

    def action_everything(self) -> None:
        self.filter = HERE if self.filter == EVERYTHING else EVERYTHING
        self.lay_out()

    def action_filter(self) -> None:
        """To the next one in which there is anything."""
        names = [key for key, _ in FILTERS]
        at = names.index(self.filter)
        others = [*names[at + 1 :], *names[:at]]
        rows = self.seen.report.rows
        self.filter = next((key for key in others if any(passes(row, key) for row in rows)), self.filter)
        self.lay_out()

    def action_warnings(self) -> None:
        seen = self.seen
        worries = trouble_lines(sorted(seen.report.troubles, key=_gravity), seen.at)
        self.face.read("Warnings", worries or ["Nothing is wrong."])

    def on_listing_chosen(self, event: Listing.Chosen) -> None:
        self.face.open_channel(UserId(str(event.key)))


def _gain(seen: Seen, row: ChannelRow) -> Gain:
    return seen.gains.get(row.id, NO_GAIN)


def _gravity(trouble: Worry) -> int:
    return GRAVITY.index(trouble.severity) if trouble.severity in GRAVITY else 0


def _texts(row: ChannelRow) -> tuple[str, ...]:
    return (
        row.login,
        row.display,
        row.title or "",
        standing(row.state, row.live).word,
        verdict(row.verdict).word if row.state == "present" else "",
        told(PLACE, row.reason) if row.reason else "",
    )


def _row(text: str, row: ChannelRow, ascii_only: bool) -> Row:
    """A line of the table: its state is coloured, or all of it where nothing happens."""
    if not matters(row):
        return Row(text, "dim", key=row.id)
    return Row(text, STYLES.get(row.state, ""), len(standing(row.state, row.live).shown(ascii_only)), row.id)


def worry_rows(worries: Sequence[str], width: int, most: int) -> list[Row]:
    """Warnings in full as far as so many lines go; what is left is counted."""
    rows: list[Row] = []
    for at, text in enumerate(worries):
        lines = folded(text, width)
        style = "red" if text.startswith("error") else "yellow" if text.startswith("warning") else ""
        room = most - len(rows)
        if len(lines) > room:
            left = len(worries) - at
            if at == 0 and room > 0:
                kept = [*lines[: room - 1], fit(" ".join(lines[room - 1 :]), width)]
                return [Row(line, style) for line in kept]
            more = f"and {count(left, 'more warning')}: ! shows them"
            return [*rows, Row(fit(more, width))] if room > 0 else rows
        rows += [Row(line, style) for line in lines]
    return rows
