"""One channel: what you have there over time, whether you were in the chat while it was live, and what came of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from allthepoints.base.types import Login, NotALogin, as_login
from allthepoints.core.days import periods
from allthepoints.core.loyalty import Loyalty
from allthepoints.ports import ChannelRow
from allthepoints.storage.read import KnownChannel
from allthepoints.storage.read_points import PointsReader, SessionEarned
from allthepoints.views.chart import RANGES
from allthepoints.views.earned import stay_of
from allthepoints.views.points import Stay
from allthepoints.views.shelf import Shelf, shelf_of
from allthepoints.views.text import amount, name, number, verdict
from allthepoints.views.web.board import Board
from allthepoints.views.web.change import Change
from allthepoints.views.web.chart import chart
from allthepoints.views.web.pages.kit import View, login_in_path, piece
from allthepoints.views.web.pages.known import Known, known
from allthepoints.views.web.pages.now import row_of
from allthepoints.views.web.pages.pushed import CHART, Look, Part, topics
from allthepoints.views.web.pages.store import Changed, choices_of, item_parts
from allthepoints.views.web.parts import NotFound
from allthepoints.views.words import CAUSES, VERDICTS, Telling, told

SESSIONS = 30
"""Sessions in the table."""

CHART_ANEW = 300.0
"""Seconds after which the chart is drawn further although nothing came."""


@dataclass(frozen=True, slots=True)
class Session:
    """A row of the table of sessions."""

    earned: SessionEarned
    stay: Stay

    @property
    def share(self) -> int | None:
        """Per cent of its live time that we were there."""
        return round(100 * self.earned.present_s / self.earned.live_s) if self.earned.live_s >= 1 else None


@dataclass(frozen=True, slots=True)
class _Read:
    """What the memory has of a channel."""

    of: KnownChannel
    loyalty: Loyalty | None
    sessions: tuple[SessionEarned, ...]
    shelf: Shelf
    changed: Changed
    month: int
    """What was earned in 30 days."""


async def show(board: Board, request: Request) -> Mapping[str, Any]:
    """The page."""
    login = login_in_path(request)
    chosen = request.query_params.get("range", "7d")
    chosen = chosen if chosen in dict(RANGES) else "7d"
    now, zone = board.now(), board.zone
    facts, read = await known(board), await board.read(lambda reader: _read(reader, login, board))
    if read is None:
        raise NotFound(f"No channel {login} was ever seen here. It appears once it is followed, or added in Settings.")
    drawn = await board.read(lambda reader: chart(reader, read.of.id, chosen, now, zone))
    return {
        **_state(board, read, facts),
        **_sessions(read),
        "choices": choices_of([read.shelf], read.changed, now),
        "channel": read.of,
        "chart": json.dumps(drawn, separators=(",", ":")),
        "has_chart": bool(drawn["points"]),
        "chart_says": _says(drawn["points"], str(drawn["currency"])),
        "range": chosen,
        "ranges": RANGES,
    }


async def look(board: Board, change: Change, subject: str) -> Look | None:
    """How the page looks now. Its chart is got anew by who looks at it, for so long back as is shown."""
    try:
        login = as_login(subject)
    except NotALogin:
        return None
    mine = [row for row in change.rows if row.login == login]
    news = mine, change.gone, change.head, change.read, change.events, change.aged
    if not topics(board).concerned(f"channel/{subject}", change, *news):
        return None
    facts, read = await known(board), await board.read(lambda reader: _read(reader, login, board))
    return None if read is None else await asyncio.to_thread(_look, board, read, facts)


def _look(board: Board, read: _Read, facts: Known) -> Look:
    state, sessions = _state(board, read, facts), _sessions(read)
    row, bought = state["row"], [item for item in read.shelf.items() if item.stock is not None]
    over_time = row.points, row.state, row.live_since, len(read.sessions), tuple(bought), board.now() // CHART_ANEW
    return Look(
        [
            Part.drawn("sums", piece(board, "parts/sums.html", **state)),
            Part.drawn("verdict", piece(board, "parts/verdict.html", **state)),
            Part.drawn("sessions", piece(board, "parts/sessions.html", **sessions)),
            Part("chart", over_time, lambda: str(read.of.login), CHART),
            *item_parts(board, choices_of([read.shelf], read.changed, board.now())),
        ]
    )


def _read(reader: PointsReader, login: Login, board: Board) -> _Read | None:
    channel = _found(reader, login)
    if channel is None:
        return None
    return _Read(
        channel,
        reader.loyalty(channel.id)[1],
        reader.sessions_earned(channel.id),
        shelf_of(reader, channel.id, board.settings()),
        reader.changed_prices(),
        reader.earned_each((periods(board.now(), board.zone).month,), channel.id)[0].get(channel.id, 0),
    )


def _state(board: Board, read: _Read, facts: Known) -> dict[str, Any]:
    """Where it stands, what you have there, and why it pays or does not."""
    snapshot = board.snapshot()
    row = None if snapshot is None else snapshot.rows.get(read.of.id)
    word = row.verdict if row else "unknown"
    return {
        "who": name(read.of.display, read.of.login),
        "row": row_of(row or _absent(read.of), facts, board.now()),
        "points": facts.points.get(read.of.id),
        "month": read.month,
        "loyalty": read.loyalty,
        "judged": verdict(word),
        "verdict": word,
        "verdict_title": told(VERDICTS, word),
        "causes": [_telling(cause) for cause in (row.causes if row else ())],
    }


def _sessions(read: _Read) -> dict[str, Any]:
    found = [Session(one, stay_of(one, read.loyalty)) for one in reversed(read.sessions[-SESSIONS:])]
    return {"sessions": found, "all_sessions": len(read.sessions)}


def _found(reader: PointsReader, login: Login) -> KnownChannel | None:
    id_ = reader.named(login)
    return next((channel for channel in reader.channels() if channel.id == id_), None)


def _absent(of: KnownChannel) -> ChannelRow:
    """A channel that the config does not mean."""
    return ChannelRow(of.id, of.login, of.display, None, "absent")


def _says(steps: Any, currency: str) -> str:
    """The chart in a sentence, for who does not see it."""
    if not steps:
        return "No balance was read in this time."
    return f"Balance over time: from {number(steps[0][1])} to {amount(steps[-1][1], currency)}."


def _telling(cause: str) -> Telling:
    return CAUSES.get(cause, Telling(cause, cause.replace("_", " ") + "."))


PAGE = View("/channel/{login}", "channel.html", show)
