"""The dashboard's pages: what is got, what is done, and what is pushed while one looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from allthepoints.views.web.board import Board, Change
from allthepoints.views.web.pages import activity, channel, health, now, redeem, settings, signing, store
from allthepoints.views.web.pages.kit import health_of, piece
from allthepoints.views.web.pages.known import known
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


async def fragments(board: Board, change: Change) -> Sequence[tuple[str, str]]:
    """What of the pages is different now: names of server-sent events, and HTML. Raises FaultError.

    `row` is one row of the table of Now (one with `data-gone` goes), `rows` all of them; `sentence`, `head`, `alerts`,
    `dot` and `health` each replace what has that id; `activity…` is a line for the lists that follow.
    """
    found: list[tuple[str, str]] = []
    if change.sentence is not None:
        found.append(("sentence", piece(board, "parts/sentence.html", sentence=change.sentence)))
    if change.warnings is not None or change.head:
        found.append(("dot", piece(board, "parts/dot.html", health=health_of(change.snapshot))))
    if change.warnings is not None:
        found.append(("alerts", piece(board, "parts/alerts.html", warnings=change.warnings)))
    if change.rows or change.gone or change.head or change.warnings is not None:
        facts = await known(board)
        found.append(("head", piece(board, "parts/head.html", **now.head(change.snapshot, facts))))
        found.append(("health", piece(board, "parts/health.html", **health.facts(board))))
        moved = {row.id for row in change.rows}
        rows = {row.id: row for row in now.rows_of(change.snapshot, facts, board.now(), moved)} if moved else {}
        if change.whole:
            found.append(("rows", "".join(now.row_html(board, row) for row in rows.values())))
        else:
            found += [("row", now.row_html(board, rows[row.id])) for row in change.rows if row.id in rows]
            found += [("row", f'<tr id="row-{int(id_)}" data-gone></tr>') for id_ in change.gone if id_.isdecimal()]
    return [*found, *activity.pieces(board, change.events)]
