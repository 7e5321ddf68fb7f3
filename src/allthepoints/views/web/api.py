"""`/api/*`: the JSON of the outside contract, for other programs. It holds what the commands' `--json` holds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from allthepoints.base.errors import AllThePointsError
from allthepoints.base.types import JSON, Login, NotALogin, UserId, as_login
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.earned import read_points
from allthepoints.views.plain import event_plain, offer_plain, points_plain, redemption_plain, status_plain
from allthepoints.views.report import COUNTS, Report
from allthepoints.views.sentence import Trouble
from allthepoints.views.shelf import shelf_of
from allthepoints.views.web.board import Board
from allthepoints.views.web.chart import RANGES, chart
from allthepoints.views.web.guard import json_no
from allthepoints.views.web.parts import NotFound

MOST = 1_000
"""Rows in one answer."""

Question = Callable[[Board, Request], Awaitable[JSON]]


def routes(board: Board) -> list[Route]:
    """All of `/api`."""
    questions: dict[str, Question] = {
        "/api/status": _status,
        "/api/points": _points,
        "/api/store/{login}": _store,
        "/api/redemptions": _redemptions,
        "/api/events": _events,
        "/api/chart/{login}": _chart,
    }
    return [Route(path, _answering(board, question), methods=["GET"]) for path, question in questions.items()]


def report_of(board: Board) -> Report:
    """The state of now, as `status` has it."""
    seen = board.snapshot()
    if seen is None:
        return Report(True, None, None, dict.fromkeys(COUNTS, 0), (), ())
    account, counts = seen.account, seen.census
    return Report(
        True,
        seen.at,
        None if account is None else {"login": account.login, "user_id": account.user_id},
        {name: getattr(counts, name) for name in COUNTS},
        tuple(sorted(seen.rows.values(), key=lambda row: (row.place is None, row.place or 0, row.login))),
        tuple(Trouble(w.code, w.severity, w.title, w.text, w.since) for w in seen.warnings),
        None if seen.helix_points is None else dict(zip(("remaining", "limit"), seen.helix_points, strict=True)),
        seen.wishes,
    )


def _answering(board: Board, question: Question) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            found = await question(board, request)
        except NotFound as error:
            return json_no(404, str(error))
        except ValueError as error:
            return json_no(400, str(error))
        except AllThePointsError as error:
            return json_no(503, str(error))
        return Response(msgspec.json.encode(found), media_type="application/json")

    return answer


async def _status(board: Board, _: Request) -> JSON:
    return status_plain(report_of(board))


async def _points(board: Board, _: Request) -> JSON:
    now, zone = board.now(), board.zone
    return await board.read(lambda reader: [points_plain(row) for row in read_points(reader, now, zone)])


async def _store(board: Board, request: Request) -> JSON:
    login, settings = login_in(request), board.settings()

    def read(reader: PointsReader) -> JSON:
        shelf = shelf_of(reader, channel_of(reader, login), settings)
        there = [offer for offer in shelf.offers if not offer.gone]
        return [offer_plain(offer) for offer in sorted(there, key=lambda offer: offer.item.cost)]

    return await board.read(read)


async def _redemptions(board: Board, request: Request) -> JSON:
    limit, login = _whole(request, "limit", 50, MOST), _asked_channel(request)

    def read(reader: PointsReader) -> JSON:
        channel = None if login is None else channel_of(reader, login)
        return [redemption_plain(redemption) for redemption in reader.redemptions(limit, channel)]

    return await board.read(read)


async def _events(board: Board, request: Request) -> JSON:
    limit, login, kinds = (
        _whole(request, "limit", 50, MOST),
        _asked_channel(request),
        request.query_params.getlist("kind"),
    )
    since = _whole(request, "since", 0, 2**62) if "since" in request.query_params else None

    def read(reader: PointsReader) -> JSON:
        channel = None if login is None else channel_of(reader, login)
        return [event_plain(row) for row in reader.events(limit, since, kinds[:50], channel)]

    return await board.read(read)


async def _chart(board: Board, request: Request) -> JSON:
    login, now, zone = login_in(request), board.now(), board.zone
    span = request.query_params.get("range", "7d")
    if span not in RANGES:
        raise ValueError(f"range is one of {', '.join(RANGES)}")
    return await board.read(lambda reader: chart(reader, channel_of(reader, login), span, now, zone))


def login_in(request: Request) -> Login:
    """The channel in the path. Raises NotFound."""
    return _login(str(request.path_params["login"]))


def channel_of(reader: PointsReader, login: Login) -> UserId:
    """Raises NotFound."""
    found = reader.named(login)
    if found is None:
        raise NotFound(f"no channel {login} was ever seen here")
    return found


def _asked_channel(request: Request) -> Login | None:
    text = request.query_params.get("channel")
    return None if text is None else _login(text)


def _login(text: str) -> Login:
    try:
        return as_login(text)
    except NotALogin as error:
        raise NotFound(f"that is not a channel: {error}") from None


def _whole(request: Request, name: str, default: int, most: int) -> int:
    text: Any = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise ValueError(f"{name} is a whole number")
    return min(int(text), most)
