"""The dashboard's pages: what is got, what is done, and what is pushed while one looks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from allthepoints.base.errors import AllThePointsError
from allthepoints.views.web.board import Board
from allthepoints.views.web.change import Change
from allthepoints.views.web.pages import activity, channel, health, now, redeem, settings, signing, store
from allthepoints.views.web.pages.kit import health_of, piece, trouble_of
from allthepoints.views.web.pages.pushed import Look, Part, topics, trouble
from allthepoints.views.web.parts import Action, Page

PAGES: Mapping[str, Page] = {
    "now": now.PAGE,
    "channel": channel.PAGE,
    "store": store.PAGE,
    "activity": activity.PAGE,
    "health": health.PAGE,
    "settings": settings.PAGE,
    "signing": signing.PAGE,
    **redeem.PAGES,
}
"""By name."""

ACTIONS: Mapping[str, Action] = {**store.ACTIONS, **redeem.ACTIONS, **settings.ACTIONS, **signing.ACTIONS}
"""By path, as Starlette writes it."""

Looking = Callable[[Board, Change, str], Awaitable[Look | None]]

_LOOKING: Mapping[str, Looking] = {
    "now": now.look,
    "channel": channel.look,
    "store": store.look,
    "health": health.look,
    "settings": settings.look,
    "activity": activity.look,
}
"""How a page of each kind of topic looks; None where nothing happened that could change it. The work is done on
threads."""


async def fragments(board: Board, change: Change, topic: str) -> Sequence[tuple[str, str]]:
    """What of a page of this topic is different now: names of server-sent events, and HTML. Raises FaultError.

    `row` is one row of the table of Now (one with `data-gone` goes), `rows` all of them; `sentence`, `head`, `alerts`,
    `dot` and `trouble` each replace what has that id; `part`, `stale` and `chart`: `pushed.py`. `activity…` is a line
    for the lists that follow.
    """
    kind, _, subject = topic.partition("/")
    owed, more = [*topics(board).owed("", [_dot(board)], change, board.number)], None
    if kind in _LOOKING and bool(subject) is (kind == "channel"):
        try:
            look = await _LOOKING[kind](board, change, subject)
        except AllThePointsError as error:
            look = Look([trouble(board, error)])
        if look is not None:
            more, parts = look.more, list(look.parts)
            if not any(part.key == "trouble" for part in parts):
                parts.append(trouble(board, None))
            owed += topics(board).owed(topic, parts, change, board.number)
    drawn = [(part.event, part.draw) for part in owed]
    return await asyncio.to_thread(lambda: [*((name, draw()) for name, draw in drawn), *(more() if more else ())])


def failing(board: Board, error: AllThePointsError) -> Sequence[tuple[str, str]]:
    """What is told where that cannot be made."""
    return [("trouble", piece(board, "parts/trouble.html", **trouble_of(error)))]


def _dot(board: Board) -> Part:
    said = health_of(board.snapshot())
    return Part("dot", said, lambda: piece(board, "parts/dot.html", health=said), "dot")
