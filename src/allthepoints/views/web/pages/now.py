"""Now: am I in, am I earning, what can I get? The sentence, what needs you, and one row a channel."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from starlette.requests import Request

from allthepoints.base.types import Login, UserId
from allthepoints.ports import ChannelRow
from allthepoints.service.snapshot import Snapshot
from allthepoints.views.channels import in_order, matters, quiet
from allthepoints.views.text import Standing, clean, name, standing, verdict
from allthepoints.views.web.board import Board
from allthepoints.views.web.pages.drawing import bars
from allthepoints.views.web.pages.kit import View, piece
from allthepoints.views.web.pages.known import Known, known
from allthepoints.views.wished import Wished, wish_when
from allthepoints.views.words import CAUSES, PLACE, told

FILTERS = (
    ("now", "Here now"),
    ("live", "Live"),
    ("earning", "Earning"),
    ("wrong", "Not earning"),
    ("all", "All"),
)
"""What the table can be narrowed to."""

SORTS = ("state", "name", "live", "points", "today", "rate", "last", "next")


@dataclass(frozen=True, slots=True)
class Next:
    """The wish of a channel that can be had first."""

    name: str
    when: str
    now: bool
    eta_s: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One channel, as the table shows it. `tags`: the filters that it passes."""

    id: UserId
    login: Login
    who: str
    title: str
    state: str
    stands: Standing
    reason: str
    since: float | None
    live: bool | None
    live_since: float | None
    points: int | None
    currency: str
    today: int
    rate: float | None
    verdict: str
    judged: Standing | None
    cause: str
    last: float | None
    next: Next | None
    bars: Markup
    tags: str
    rank: int

    def keys(self) -> Mapping[str, str | float]:
        """What each sort goes by; the highest number first, names from A."""
        soon = -1.0 if self.next is None else 1e12 if self.next.now else 1e9 - min(1e9, self.next.eta_s or 9e8)
        return {
            "state": self.rank,
            "name": self.who.casefold(),
            "live": -(self.live_since or 1e12),
            "points": -1 if self.points is None else self.points,
            "today": self.today,
            "rate": -1 if self.rate is None else self.rate,
            "last": self.last or 0,
            "next": soon,
        }


def row_of(channel: ChannelRow, facts: Known, now: float, rank: int = 0) -> Row:
    """What is shown of a channel."""
    points = facts.points.get(channel.id)
    judged = channel.state == "present" and (channel.verdict != "unknown" or channel.points is not None)
    return Row(
        id=channel.id,
        login=channel.login,
        who=name(channel.display, channel.login),
        title=clean(channel.title or ""),
        state=channel.state if channel.state != "absent" or channel.live else "offline",
        stands=standing(channel.state, channel.live),
        reason=told(PLACE, channel.reason) if channel.reason and channel.reason != "offline" else "",
        since=channel.since,
        live=channel.live,
        live_since=channel.live_since if channel.live is not False else None,
        points=channel.points if channel.points is not None else points.points if points is not None else None,
        currency=clean(points.currency) if points is not None else "",
        today=0 if points is None else points.earned_today,
        rate=channel.rate_per_hour if channel.state == "present" else None,
        verdict=channel.verdict if judged else "",
        judged=verdict(channel.verdict) if judged else None,
        cause=_cause(channel) if judged else "",
        last=None if points is None else points.earned_at,
        next=_next(facts.next.get(channel.id), now),
        bars=bars(points.bars) if points is not None else Markup(""),
        tags=" ".join(_tags(channel)),
        rank=rank,
    )


def rows_of(snapshot: Snapshot, facts: Known, now: float, only: Container[UserId] | None = None) -> list[Row]:
    """All channels, those that matter first; or `only` these of them."""
    order = enumerate(in_order(snapshot.rows.values()))
    return [row_of(channel, facts, now, rank) for rank, channel in order if only is None or channel.id in only]


async def show(board: Board, request: Request) -> Mapping[str, Any]:
    """The page."""
    facts, snapshot = await known(board), board.snapshot()
    rows = [] if snapshot is None else rows_of(snapshot, facts, board.now())
    chosen, wanted = request.query_params.get("show", ""), request.query_params.get("q", "")[:80]
    present = {tag for row in rows for tag in row.tags.split()}
    show_ = chosen if chosen in dict(FILTERS) else "now" if "now" in present else "all"
    sort = request.query_params.get("sort", "state")
    return {
        **head(snapshot, facts),
        "rows": sorted_by(rows, sort if sort in SORTS else "state"),
        "filters": FILTERS,
        "counts": counts(rows),
        "show": show_,
        "sort": sort if sort in SORTS else "state",
        "q": wanted,
        "quiet": "" if snapshot is None else quiet(snapshot.rows.values()),
    }


def head(snapshot: Snapshot | None, facts: Known) -> dict[str, Any]:
    """What stands above the table."""
    return {
        "today": facts.today,
        "week": facts.week,
        "earning_channels": sum(1 for row in facts.points.values() if row.earned_today),
        "warnings": () if snapshot is None else snapshot.warnings,
        "started": snapshot is not None,
    }


def counts(rows: Iterable[Row]) -> dict[str, int]:
    """How many rows pass each filter."""
    tags = [row.tags.split() for row in rows]
    return {key: len(tags) if key == "all" else sum(key in of_row for of_row in tags) for key, _ in FILTERS}


def sorted_by(rows: list[Row], sort: str) -> list[Row]:
    """By a key of SORTS."""
    if sort in ("state", "name"):
        return sorted(rows, key=lambda row: row.keys()[sort])
    return sorted(rows, key=lambda row: (-float(row.keys()[sort]), row.rank))


def row_html(board: Board, row: Row) -> str:
    """One row of the table."""
    return piece(board, "parts/row.html", row=row)


def _next(wished: Wished | None, now: float) -> Next | None:
    if wished is None or wished.stands is None or wished.stands.item is None:
        return None
    return Next(
        clean(wished.stands.item.name) or wished.stands.item.id,
        wish_when(wished, now),
        wished.stands.within == "obtainable",
        wished.eta_s,
    )


def _cause(channel: ChannelRow) -> str:
    if channel.verdict not in ("flat", "not_offered") or not channel.causes:
        return ""
    cause = CAUSES.get(channel.causes[0])
    return cause.short if cause else told({}, channel.causes[0])


def _tags(channel: ChannelRow) -> Iterable[str]:
    if matters(channel):
        yield "now"
    if channel.live:
        yield "live"
    if channel.state == "present" and channel.verdict == "earning":
        yield "earning"
    elif channel.live and not (channel.state == "present" and channel.verdict in ("early", "unknown")):
        yield "wrong"


PAGE = View("/", "now.html", show)
