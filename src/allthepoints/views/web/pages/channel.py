"""One channel: what you have there over time, whether you were in the chat while it was live, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from allthepoints.base.types import JSON, Login
from allthepoints.core.loyalty import Loyalty
from allthepoints.ports import ChannelRow
from allthepoints.storage.read import KnownChannel
from allthepoints.storage.read_points import PointsReader, SessionEarned
from allthepoints.views.earned import stay_of
from allthepoints.views.points import Stay
from allthepoints.views.shelf import Shelf, shelf_of
from allthepoints.views.text import amount, name, number, verdict
from allthepoints.views.web.board import Board
from allthepoints.views.web.chart import chart
from allthepoints.views.web.pages.kit import View, login_in_path
from allthepoints.views.web.pages.known import known
from allthepoints.views.web.pages.now import row_of
from allthepoints.views.web.pages.store import choices_of
from allthepoints.views.web.parts import NotFound
from allthepoints.views.words import CAUSES, Telling

RANGES = (("today", "Today"), ("7d", "7 days"), ("30d", "30 days"), ("all", "All"))

SESSIONS = 30
"""Sessions in the table."""


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
    chart: dict[str, JSON]


async def show(board: Board, request: Request) -> Mapping[str, Any]:
    """The page."""
    login = login_in_path(request)
    chosen = request.query_params.get("range", "7d")
    chosen = chosen if chosen in dict(RANGES) else "7d"
    now, zone, settings = board.now(), board.zone, board.settings()
    facts, snapshot = await known(board), board.snapshot()

    def ask(reader: PointsReader) -> _Read | None:
        channel = _found(reader, login)
        if channel is None:
            return None
        return _Read(
            channel,
            reader.loyalty(channel.id)[1],
            reader.sessions_earned(channel.id),
            shelf_of(reader, channel.id, settings),
            chart(reader, channel.id, chosen, now, zone),
        )

    read = await board.read(ask)
    row = None if snapshot is None or read is None else snapshot.rows.get(read.of.id)
    if read is None:
        raise NotFound(f"No channel {login} was ever seen here. It appears once it is followed, or added in Settings.")
    points = facts.points.get(read.of.id)
    return {
        "channel": read.of,
        "who": name(read.of.display, read.of.login),
        "row": row_of(row or _absent(read.of), facts, now),
        "points": points,
        "loyalty": read.loyalty,
        "judged": verdict(row.verdict if row else "unknown"),
        "verdict": row.verdict if row else "unknown",
        "causes": [_telling(cause) for cause in (row.causes if row else ())],
        "sessions": [Session(s, stay_of(s, read.loyalty)) for s in reversed(read.sessions[-SESSIONS:])],
        "all_sessions": len(read.sessions),
        "shelf": read.shelf,
        "choices": choices_of([read.shelf]),
        "chart": json.dumps(read.chart, separators=(",", ":")),
        "has_chart": bool(read.chart["points"]),
        "chart_says": _says(read.chart["points"], str(read.chart["currency"])),
        "range": chosen,
        "ranges": RANGES,
        "paused": login in settings.channels.paused,
    }


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
