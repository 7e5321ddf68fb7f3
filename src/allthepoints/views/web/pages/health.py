"""Health: what is wrong, what is used of each budget, how long the sign-ins last, and what was read when."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from allthepoints._version import __version__
from allthepoints.core.policy import ACCOUNT_ROOMS, JOIN_LIMIT
from allthepoints.views.text import number
from allthepoints.views.web.board import Board
from allthepoints.views.web.change import Change
from allthepoints.views.web.pages.alerts import alerts_of
from allthepoints.views.web.pages.drawing import gauge
from allthepoints.views.web.pages.kit import View, piece
from allthepoints.views.web.pages.pushed import Look, Part, topics
from allthepoints.views.words import JWT, READS, Sign

SECTIONS = ("wrong", "budgets", "signs", "reads")


async def show(board: Board, _request: Request) -> Mapping[str, Any]:
    """The page. None of it stands in the database."""
    return {"sections": SECTIONS, **facts(board)}


async def look(board: Board, change: Change, _subject: str) -> Look | None:
    """How the page looks now."""
    if not topics(board).concerned("health", change, change.warnings, change.head, change.vitals):
        return None
    return await asyncio.to_thread(lambda: Look([_part(board, section) for section in SECTIONS]))


def _part(board: Board, section: str) -> Part:
    return Part.drawn(section, piece(board, f"parts/health_{section}.html", **facts(board)))


def facts(board: Board) -> dict[str, Any]:
    """All that the page shows."""
    snapshot, settings = board.snapshot(), board.settings()
    vitals = None if snapshot is None else snapshot.vitals
    return {
        "started": snapshot is not None,
        "alerts": alerts_of(snapshot),
        "signed_in": snapshot is not None and snapshot.signed_in,
        "account": None if snapshot is None or snapshot.account is None else snapshot.account.login,
        "vitals": vitals,
        "jwt": None if vitals is None else JWT.get(vitals.jwt, Sign("?", vitals.jwt)),
        "budgets": [] if snapshot is None else _budgets(board),
        "reads": [] if vitals is None else [(_said(what), read) for what, read in vitals.reads.items()],
        "census": None if snapshot is None else snapshot.census,
        "versions": [("allthepoints", __version__), ("Python", platform.python_version())],
        "endpoints": [
            ("Chat", settings.endpoints.irc),
            ("Helix", settings.endpoints.helix),
            ("Twitch's sign-in", settings.endpoints.oauth),
            ("StreamElements", settings.endpoints.streamelements),
        ],
    }


def _budgets(board: Board) -> list[tuple[str, Any, str, str]]:
    snapshot = board.snapshot()
    assert snapshot is not None
    rooms = snapshot.vitals.rooms
    most = board.settings().channels.max_rooms
    found = [
        (
            "Rooms",
            gauge(rooms, most),
            f"{number(rooms)} of {number(most)}",
            f"Your account may be in {ACCOUNT_ROOMS}; the rest is left for your own chat client.",
        ),
        (
            "JOINs",
            gauge(snapshot.vitals.joins, JOIN_LIMIT),
            f"{number(snapshot.vitals.joins)} of {JOIN_LIMIT}",
            "In any 10 seconds.",
        ),
    ]
    if snapshot.helix_points is not None:
        left, limit = snapshot.helix_points
        said = f"{number(limit - left)} of {number(limit)}"
        found.append(("Helix points", gauge(limit - left, limit), said, "They fill up every minute."))
    return found


def _said(what: str) -> str:
    words = {**READS, "elements": "StreamElements"}.get(what, what)
    return words[:1].upper() + words[1:]


PAGE = View("/health", "health.html", show)
