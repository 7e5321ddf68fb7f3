"""Now: am I in, am I earning, what can I get? The sentence, what needs you, and one row a channel."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from markupsafe import Markup, escape
from starlette.requests import Request

from allthepoints.base.errors import AllThePointsError
from allthepoints.base.types import Login, UserId
from allthepoints.ports import ChannelRow
from allthepoints.service.snapshot import Snapshot
from allthepoints.views.channels import FILTERS, NOWHERE, passes, quiet, rank
from allthepoints.views.text import Standing, clean, clock_time, name, number, standing, verdict
from allthepoints.views.web.board import Board
from allthepoints.views.web.change import Change
from allthepoints.views.web.pages.alerts import alerts_of
from allthepoints.views.web.pages.drawing import bars
from allthepoints.views.web.pages.kit import View, moment, piece, trouble_of
from allthepoints.views.web.pages.known import Known, known
from allthepoints.views.web.pages.pushed import Look, Part, topics, trouble
from allthepoints.views.wished import Wished, wish_when
from allthepoints.views.words import CAUSES, PLACE, told

SORTS = ("state", "name", "verdict", "live", "points", "today", "rate", "last", "next")


ASCENDING = ("state", "name", "verdict")
"""Those that begin with the lowest."""


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
            "verdict": _BY_VERDICT.get(self.verdict, len(_BY_VERDICT)),
            "live": -(self.live_since or 1e12),
            "points": -1 if self.points is None else self.points,
            "today": self.today,
            "rate": -1 if self.rate is None else self.rate,
            "last": self.last or 0,
            "next": soon,
        }

    def sort_keys(self) -> Markup:
        """The same as attributes, for the sort in the page. Nothing but a name is to be escaped."""
        keys = {**self.keys(), "name": escape(self.who.casefold())}
        return Markup("".join(f' data-sort-{key}="{value}"' for key, value in keys.items()))  # noqa: S704


class Times(NamedTuple):
    """Those of a row, as they are read now."""

    since: Markup
    live_since: Markup
    last: Markup


def row_of(channel: ChannelRow, facts: Known, now: float) -> Row:
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
        tags=" ".join(key for key, _ in FILTERS if key != "all" and passes(channel, key)),
        rank=_rank(channel),
    )


def rows_of(snapshot: Snapshot, facts: Known, now: float, only: Iterable[ChannelRow] | None = None) -> list[Row]:
    """All channels, those that matter first; or `only` these of them."""
    rows = snapshot.rows.values() if only is None else only
    return sorted((row_of(channel, facts, now) for channel in rows), key=lambda row: (row.rank, row.login))


async def show(board: Board, request: Request) -> Mapping[str, Any]:
    """The page. Where the memory cannot be read, it is shown without what stands there: you are in all the same."""
    (facts, error), snapshot = await _facts(board), board.snapshot()
    rows = [] if snapshot is None else await asyncio.to_thread(rows_of, snapshot, facts, board.now())
    chosen, wanted = request.query_params.get("show", ""), request.query_params.get("q", "")[:80]
    present = {tag for row in rows for tag in row.tags.split()}
    show_ = chosen if chosen in dict(FILTERS) else "now" if "now" in present else "all"
    sort = request.query_params.get("sort", "state")
    return {
        **head(snapshot, None if error else facts),
        **trouble_of(error),
        "alerts": alerts_of(snapshot),
        "rows": await asyncio.to_thread(_html, board, sorted_by(rows, sort if sort in SORTS else "state")),
        "filters": FILTERS,
        "counts": counts(rows),
        "show": show_,
        "sort": sort if sort in SORTS else "state",
        "q": wanted,
        "quiet": "" if snapshot is None else _quiet(snapshot),
    }


def _html(board: Board, rows: Iterable[Row]) -> list[Markup]:
    """Of all channels that there are; what is kept of others goes, for nobody may have listened when they went."""
    drawn = {row.id: row_html(board, row) for row in rows}
    kept = _rows.get(board, {})
    for id_ in set(kept) - set(drawn):
        kept.pop(id_, None)
    return list(drawn.values())


async def look(board: Board, change: Change, _subject: str) -> Look | None:
    """How the page looks now."""
    news = change.rows, change.gone, change.head, change.warnings, change.read, change.sentence, change.aged
    if not topics(board).concerned("now", change, *news):
        return None
    facts, error = await _facts(board)
    above, alerts = head(change.snapshot, None if error else facts), alerts_of(change.snapshot)
    since = [clock_time(alert.since, board.now(), board.zone) for alert in alerts]
    rest = _quiet(change.snapshot)
    parts = [
        trouble(board, error),
        Part("head", tuple(above.values()), lambda: piece(board, "parts/head.html", **above), "head"),
        Part("quiet", rest, lambda: str(escape(rest)), "quiet"),
        Part("alerts", (alerts, since), lambda: piece(board, "parts/alerts.html", alerts=alerts), "alerts"),
    ]
    return Look(parts, lambda: _changed(board, change, facts))


def _changed(board: Board, change: Change, facts: Known) -> Iterable[tuple[str, str]]:
    """The sentence, and rows: those of channels that changed, and those that look different because time went by. One
    with `data-gone` goes."""
    if change.sentence is not None:
        yield "sentence", piece(board, "parts/sentence.html", sentence=change.sentence)
    everyone = change.whole or change.aged or board not in _told
    rows = rows_of(change.snapshot, facts, board.now(), None if everyone else change.rows)
    if change.whole:
        yield "rows", "".join(row_html(board, row) for row in rows)
        return
    owed = _owed(board, change, rows)
    yield from (("row", row_html(board, row)) for row in rows if row.id in owed)
    for id_ in change.gone:
        _rows.get(board, {}).pop(id_, None)
        _told[board].pop(id_, None)
    yield from (("row", f'<tr id="row-{int(id_)}" data-gone></tr>') for id_ in change.gone if id_.isdecimal())


def _owed(board: Board, change: Change, rows: Iterable[Row]) -> set[UserId]:
    """Which of `rows` look different to who knows `change.known`."""
    new = board not in _told
    told = _told.setdefault(board, {})
    # Where nobody listened before, what a page has is known only if nothing happened since it was made.
    number = 0 if new and change.known == change.number else change.number
    for row in rows:
        look, had = _look(board, row), told.get(row.id)
        if had is None or had[0] != look:
            told[row.id] = look, number
    known = change.known or 0
    return {row.id for row in change.rows} | {row.id for row in rows if told[row.id][1] > known}


async def _facts(board: Board) -> tuple[Known, AllThePointsError | None]:
    try:
        return await known(board), None
    except AllThePointsError as error:
        return Known(), error


def head(snapshot: Snapshot | None, facts: Known | None) -> dict[str, Any]:
    """What stands above the table. `facts` None: nobody knows what was earned."""
    account = None if snapshot is None else snapshot.account
    return {
        "signed_in_as": None if account is None else account.login,
        "today": None if facts is None else facts.today,
        "week": None if facts is None else facts.week,
        "earning_channels": 0 if facts is None else sum(1 for row in facts.points.values() if row.earned_today),
        "within": 0 if snapshot is None else snapshot.wishes,
        "live_channels": 0 if snapshot is None else sum(row.live is True for row in snapshot.rows.values()),
        "left_out": "" if snapshot is None else _left_out(snapshot.rows.values()),
        "started": snapshot is not None,
    }


def _quiet(snapshot: Snapshot) -> str:
    return f"{quiet(snapshot.rows.values())}."


def _left_out(rows: Iterable[ChannelRow]) -> str:
    """Which live channels are not meant, and so not among those that the sentence counts."""
    reasons = Counter(row.reason or "absent" for row in rows if row.live and row.state in ("absent", "leaving"))
    said = [f"{number(many)} {_LEFT_OUT.get(reason, 'not meant')}" for reason, many in reasons.most_common()]
    return ", ".join(said)


_LEFT_OUT = {"paused": "paused by you", "excluded": "excluded by you", "rerun": "showing a re-run"}

_BY_VERDICT = {"flat": 0, "not_offered": 1, "early": 2, "earning": 3, "unknown": 4}
"""What needs a look first."""


def _rank(row: ChannelRow) -> int:
    """As one number, for the sort in the page."""
    group, place = rank(row)
    return group * (NOWHERE + 1) + place


def counts(rows: Iterable[Row]) -> dict[str, int]:
    """How many rows pass each filter."""
    tags = [row.tags.split() for row in rows]
    return {key: len(tags) if key == "all" else sum(key in of_row for of_row in tags) for key, _ in FILTERS}


def sorted_by(rows: list[Row], sort: str) -> list[Row]:
    """By a key of SORTS."""
    if sort == "name":
        return sorted(rows, key=lambda row: row.who.casefold())
    if sort in ASCENDING:
        return sorted(rows, key=lambda row: (float(row.keys()[sort]), row.rank))
    return sorted(rows, key=lambda row: (-float(row.keys()[sort]), row.rank))


_rows: WeakKeyDictionary[Board, dict[UserId, tuple[object, Markup]]] = WeakKeyDictionary()
"""As they were drawn last."""

_told: WeakKeyDictionary[Board, dict[UserId, tuple[object, int]]] = WeakKeyDictionary()
"""How the rows look that pages were told, each with the number of the board's change with which it last was different.
They are told one after the other (`telling`)."""


def row_html(board: Board, row: Row) -> Markup:
    """One row of the table; the same as before where it would look the same, for there are hundreds."""
    kept, look = _rows.setdefault(board, {}), _look(board, row)
    had = kept.get(row.id)
    if had is None or had[0] != look:
        html = piece(board, "parts/row.html", row=row, times=look[1])
        had = kept[row.id] = look, Markup(html)  # noqa: S704 -- escaped in there
    return had[1]


def _look(board: Board, row: Row) -> tuple[Row, Times]:
    """All that its looks depend on."""
    now, zone = board.now(), board.zone
    return row, Times(*(moment(at, now, zone) for at in (row.since, row.live_since, row.last)))


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


PAGE = View("/", "now.html", show)
