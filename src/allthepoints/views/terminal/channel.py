"""One channel in full: its points and verdict with what to do, its balance over time, its sessions and its store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from allthepoints.base.types import ItemId, UserId
from allthepoints.ports import ChannelRow
from allthepoints.storage.read_points import SessionEarned
from allthepoints.views.chart import RANGES, Chart
from allthepoints.views.columns import Column, fit, table
from allthepoints.views.earned import stay_of
from allthepoints.views.points import Points, cause_lines, fact_lines
from allthepoints.views.shelf import Shelf
from allthepoints.views.store import Offer, in_order, store_lines
from allthepoints.views.terminal.doing import ChannelDoing, ItemDoing, priced
from allthepoints.views.terminal.graph import BOUGHT, BOUGHT_PLAIN, Graph, graph_lines
from allthepoints.views.terminal.listing import Row, folded
from allthepoints.views.terminal.page import Frame, Keys
from allthepoints.views.terminal.seen import Page as Detail
from allthepoints.views.terminal.seen import Seen, Wanted
from allthepoints.views.text import (
    STYLES,
    amount,
    change,
    clean,
    clock_time,
    count,
    duration,
    name,
    number,
    per_hour,
    standing,
    verdict,
    when,
)
from allthepoints.views.words import PLACE, told

MOST_BOUGHT = 5
"""Of what was bought, so much is named beneath the chart: the newest."""

TALL = 6
"""Lines of the chart, where the screen has room for them."""

SESSION_COLUMNS = (
    Column("began", keep=6),
    Column("live", keep=3, right=True),
    Column("in chat", keep=5, right=True),
    Column("earned", keep=5, right=True),
    Column("expected", keep=4, right=True),
    Column("title", keep=1, flexible=True),
)


class ChannelPage(ChannelDoing, ItemDoing):
    """Enter on a channel."""

    PLACE = "now"
    FINDS = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "span", show=False),
        Binding("u", "look", show=False),
    ]

    def __init__(self, channel: UserId) -> None:
        super().__init__()
        self.channel = channel
        self.span = 0

    @property
    def wanted(self) -> Wanted:
        return Wanted(channel=self.channel, span=RANGES[self.span][0])

    def chosen(self) -> ChannelRow | None:
        return self.seen.row(self.channel)

    def offered(self) -> tuple[Shelf, Offer] | None:
        page, key = self._page(self.seen), self.listing.key
        if page is None or key is None:
            return None
        return next(((page.shelf, offer) for offer in page.shelf.offers if offer.item.id == ItemId(str(key))), None)

    def lay(self, frame: Frame) -> tuple[Sequence[Row], Sequence[Row]]:
        seen, width = frame.seen, frame.width
        page, row = self._page(seen), seen.row(self.channel)
        if page is None:
            return (), [Row("Reading.")]
        points, ascii_only = page.points, self.face.ascii_only
        rows = [Row(line, "bold") for line in folded(points.who, width)]
        rows += [] if row is None else _state_rows(row, points, seen, width, ascii_only)
        if points.causes:
            rows += [Row(), *(Row(line.text) for line in cause_lines(points, width))]
        tall = max(2, min(TALL, frame.height // 4))
        rows += _section(f"Balance, {_word(self.span)}", self._graph(page, seen, width, tall))
        told = fact_lines(points, seen.at, width, seen.zone, ascii_only, without=("verdict", "rate"))
        rows += _section("Points", [line.text for line in told])
        rows += _section("Sessions", _session_lines(page, seen, width))
        return (), [*rows, *_store_rows(page.shelf, seen, width, ascii_only)]

    def remarks(self, frame: Frame) -> Sequence[Row]:
        """Of the item that is chosen, what it cost before."""
        text = "" if (chosen := self.offered()) is None else priced(*chosen, frame.seen)
        return [*([Row(fit(text, frame.width))] if text else []), *super().remarks(frame)]

    def keys(self) -> Keys:
        seen, row = self.seen, self.chosen()
        keys = [("Esc", "back"), ("d", _word(self.span + 1))]
        if self.offered() is not None:
            keys += [("r", "redeem"), ("w", "wish"), ("h", "prices")]
        if row is not None:
            keys.append(("p", "resume" if row.login in seen.paused else "pause"))
            if row.state == "refused":
                keys.append(("t", "try again"))
        return [*keys, ("u", "read anew")]

    def action_span(self) -> None:
        self.span = (self.span + 1) % len(RANGES)
        self.face.nudge()
        self.lay_out()

    def action_look(self) -> None:
        if (row := self.chosen()) is None:
            return
        who = name(row.display, row.login)
        self.face.tell(f"Reading {who}'s points and store at StreamElements.")
        self.face.do(lambda: self.face.asks.look(row.id, row.login), f"{who}'s points and store were read.")

    def on_listing_chosen(self) -> None:
        self.action_redeem()

    def _page(self, seen: Seen) -> Detail | None:
        return seen.page if seen.page is not None and seen.page.points.id == self.channel else None

    def _graph(self, page: Detail, seen: Seen, width: int, height: int) -> list[str]:
        chart, ascii_only = page.chart, self.face.ascii_only
        until = seen.at if seen.report.running else seen.report.alive or seen.at
        graph = Graph(
            chart.begin,
            chart.end,
            chart.points,
            [(one.started_at, until if one.ended_at is None else one.ended_at) for one in chart.live],
            [(since, until if end is None else end) for since, end in chart.presence],
            [one.at for one in chart.bought],
        )
        lines = graph_lines(graph, width, height, seen.zone, ascii_only)
        return [*lines, *_bought_lines(chart, page.points.currency, seen, width, ascii_only)] if lines else []


def _state_rows(row: ChannelRow, points: Points, seen: Seen, width: int, ascii_only: bool) -> list[Row]:
    """Where it stands, since when, and why; then whether points come."""
    stands = standing(row.state, row.live).shown(ascii_only)
    text = stands if row.since is None else f"{stands} since {clock_time(row.since, seen.at, seen.zone)}"
    parts = [text]
    if row.reason and row.reason != "offline":
        parts.append(told(PLACE, row.reason))
    if row.live and row.live_since is not None:
        parts.append(f"live since {clock_time(row.live_since, seen.at, seen.zone)}")
    if row.title:
        parts.append(clean(row.title))
    rows = [Row(fit("; ".join(parts), width), STYLES.get(row.state, ""), len(stands))]
    judged = verdict(points.verdict).shown(ascii_only)
    rate = f", {per_hour(points.rate_per_hour)} as it really came" if points.rate_per_hour is not None else ""
    return [*rows, Row(fit(f"{judged}{rate}", width))] if row.state == "present" or points.causes else rows


def _word(span: int) -> str:
    """The words for a range, within a sentence."""
    return RANGES[span % len(RANGES)][1].lower()


def _bought_lines(chart: Chart, currency: str, seen: Seen, width: int, ascii_only: bool) -> list[str]:
    """What the marks in the chart stand for, the newest first."""
    sign = BOUGHT_PLAIN if ascii_only else BOUGHT
    lines = [
        fit(f"{sign} {clock_time(one.at, seen.at, seen.zone)}  {clean(one.name)}, {amount(one.cost, currency)}", width)
        for one in reversed(chart.bought[-MOST_BOUGHT:])
    ]
    more = len(chart.bought) - len(lines)
    return [*lines, *([f"  and {count(more, 'more', 'more')}"] if more else [])]


def _section(title: str, lines: Sequence[str]) -> list[Row]:
    return [Row(), Row(title, "bold"), *(Row(line) for line in lines)] if lines else []


def _session_lines(page: Detail, seen: Seen, width: int) -> list[str]:
    return table(SESSION_COLUMNS, [_session(one, page, seen) for one in page.sessions], width)


def _session(one: SessionEarned, page: Detail, seen: Seen) -> tuple[str, ...]:
    stay = stay_of(one, page.points.loyalty)
    return (
        clock_time(one.started_at, seen.at, seen.zone) + (" (now)" if one.ended_at is None else ""),
        duration(one.live_s),
        duration(one.present_s),
        change(one.earned),
        "" if stay.expected is None else number(stay.expected),
        clean(one.title),
    )


def _store_rows(shelf: Shelf, seen: Seen, width: int, ascii_only: bool) -> list[Row]:
    offers = in_order([offer for offer in shelf.offers if not offer.gone])
    head = [Row(), Row("Store", "bold")]
    if not offers:
        text = "Nothing is known of its store: `u` reads it at StreamElements."
        return [*head, *(Row(line) for line in folded(text, width))]
    have = shelf.row.seen_at if shelf.row is not None else None
    if shelf.points is not None:
        read = f" (read {when(have, seen.at, seen.zone)})" if have is not None else ""
        head[1] = Row(fit(f"Store; you have {amount(shelf.points, shelf.currency)}{read}", width), "bold")
    title, *lines = store_lines(offers, shelf.points, width, ascii_only)
    return [*head, Row(title, "dim"), *(Row(line, key=o.item.id) for line, o in zip(lines, offers, strict=True))]
