"""Activity: what happened, newest first, and what happens while you look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import Request

from allthepoints.base.types import UserId
from allthepoints.core.records import EventKind as K
from allthepoints.storage.read import EventRow
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.event_text import event_text
from allthepoints.views.text import name
from allthepoints.views.web.board import Board
from allthepoints.views.web.change import Change
from allthepoints.views.web.pages.kit import View, piece
from allthepoints.views.web.pages.pushed import Look

GROUPS: dict[str, tuple[str, frozenset[K]]] = {
    "chats": (
        "Chats",
        frozenset({K.LIVE, K.OFFLINE, K.PRESENT, K.LEFT, K.REFUSED, K.RETRIED, K.TIMED_OUT, K.RENAMED, K.NOT_FOUND}),
    ),
    "points": ("Points", frozenset({K.FLAT, K.EARNING_AGAIN, K.ELEMENTS_FAILED, K.ELEMENTS_BACK})),
    "store": (
        "Wishes and buying",
        frozenset(
            {
                K.WISH_OBTAINABLE,
                K.WISH_CHEAPER,
                K.WISH_BACK,
                K.WISH_GONE,
                K.REDEMPTION_SENT,
                K.REDEEMED,
                K.REDEMPTION_REFUSED,
                K.REDEMPTION_UNKNOWN,
            }
        ),
    ),
}
"""What the list can be narrowed to; what is in none of them is the service's."""

SERVICE = ("service", "Service")

SHOWN, MORE = 100, 1_000

TROUBLE = frozenset({K.REFUSED, K.FLAT, K.SIGN_IN_LOST, K.DISCONNECTED, K.HELIX_FAILED, K.ELEMENTS_FAILED})
TROUBLE |= {K.REDEMPTION_REFUSED, K.REDEMPTION_UNKNOWN, K.JWT_EXPIRED, K.CONFIG_REJECTED, K.TIMED_OUT}
GOOD = frozenset({K.REDEEMED, K.WISH_OBTAINABLE, K.WISH_CHEAPER, K.WISH_BACK, K.EARNING_AGAIN})


async def show(board: Board, request: Request) -> Mapping[str, Any]:
    """The page."""
    query = request.query_params
    group, of = query.get("show", "all"), query.get("channel", "")[:40].lower()
    limit = MORE if query.get("more") == "1" else SHOWN
    group = group if group in GROUPS or group == SERVICE[0] else "all"

    def ask(reader: PointsReader) -> tuple[tuple[EventRow, ...], list[str]]:
        channels = reader.channels()
        only = next((channel.id for channel in channels if channel.login == of), None)
        events = () if of and only is None else reader.events(limit, kinds=sorted(_kinds(group)), channel=only)
        return events, [channel.login for channel in channels]

    events, logins = await board.read(ask)
    return {
        "events": list(reversed(lines(events))),
        "shows": [("all", "All"), *((key, word) for key, (word, _) in GROUPS.items()), SERVICE],
        "show": group,
        "channel": of,
        "logins": logins,
        "more": len(events) == limit and limit < MORE,
        "follow": _name(group, of),
    }


async def look(board: Board, change: Change, _subject: str) -> Look | None:
    """What is new of the page."""
    return Look((), lambda: pieces(board, change.events))


def lines(events: Iterable[EventRow]) -> list[Mapping[str, Any]]:
    """What is shown of each."""
    found: list[Mapping[str, Any]] = []
    for event in events:
        names: dict[UserId, str] = {}
        if event.channel is not None and event.login is not None:
            names[event.channel] = name(event.display, event.login)
        looks = "trouble" if event.kind in TROUBLE else "good" if event.kind in GOOD else ""
        found.append({"at": event.at, "text": event_text(event, names), "looks": looks, "login": event.login})
    return found


def pieces(board: Board, events: Iterable[EventRow]) -> Iterable[tuple[str, str]]:
    """Each event for the pages that follow: all, its group, and both for its channel alone."""
    for event in events:
        html = piece(board, "parts/event.html", event=lines([event])[0])
        group = group_of(event.kind)
        yield "activity", html
        yield f"activity-{group}", html
        if event.login is not None:
            yield f"activity-all-{event.login}", html
            yield f"activity-{group}-{event.login}", html


def group_of(kind: str) -> str:
    """The group of a kind of event."""
    return next((key for key, (_, kinds) in GROUPS.items() if kind in kinds), SERVICE[0])


def _name(group: str, of: str) -> str:
    """The name of the server-sent event that such a list follows."""
    known = "".join(letter for letter in of if letter.isalnum() or letter == "_")
    return f"activity-{group}-{known}" if known else "activity" if group == "all" else f"activity-{group}"


def _kinds(group: str) -> frozenset[K]:
    if group == SERVICE[0]:
        return frozenset(K) - frozenset().union(*(kinds for _, kinds in GROUPS.values()))
    return GROUPS[group][1] if group in GROUPS else frozenset()


PAGE = View("/activity", "activity.html", show)
