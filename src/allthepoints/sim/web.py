"""What all of the sandbox's HTTP shares: answers, faults on the way, and a server without ticks."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any, cast

import msgspec
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from allthepoints.base.clock import Clock
from allthepoints.sim.irc import reset
from allthepoints.sim.troubles import Troubles

REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    410: "Gone",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    520: "Unknown Error",
    524: "A timeout occurred",
}

ELEMENTS = "/kappa"
"""Where the paths of StreamElements begin."""

_BROKEN_GZIP = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + b"\xff" * 32
"""A good gzip header, and then no deflate."""

KEEP_ALIVE = 10 * 86400
"""Seconds that an idle HTTP connection stays open: longer than a simulated week, so that none is closed by a timer."""


class Problem(Exception):
    """An error answer, raised where it is found."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def answer(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON."""
    return Response(msgspec.json.encode(content), status, dict(headers or {}), "application/json; charset=utf-8")


def helix_error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """The body that Helix sends with an error."""
    return answer({"error": REASONS.get(status, "Error"), "status": status, "message": message}, status, headers)


def oauth_error(status: int, message: str) -> Response:
    """The body that id.twitch.tv sends with an error."""
    return answer({"status": status, "message": message}, status)


def elements_error(
    status: int, message: str, headers: Mapping[str, str] | None = None, field: tuple[str, str] | None = None
) -> Response:
    """The body that StreamElements sends with an error; without a message where it has none. `field`: what is wrong
    with which parameter."""
    body: dict[str, object] = {"statusCode": status, "error": REASONS.get(status, "Error")}
    if message:
        body["message"] = message
    if field is not None:
        body["details"] = [{"path": [field[0]], "message": field[1]}]
    return answer(body, status, headers)


def page(status: int) -> Response:
    """The page of the proxy in front of a service: not JSON."""
    title = f"{status}: {REASONS.get(status, 'Error')}"
    return Response(
        f"<!DOCTYPE html><html><head><title>api | {title}</title></head><body>{title}</body></html>",
        status,
        media_type="text/html",
    )


_STEPS = {
    "poll": ("GET", "/helix/streams"),
    "refresh": ("POST", "/oauth2/token"),
    "read": ("GET", f"{ELEMENTS}/v2/points/"),
}
"""Of the client, by what it asks for."""


async def troubled(request: Request, troubles: Troubles, clock: Clock) -> Response | None:
    """What a fault answers in place of the real thing; None if there is no fault for this path."""
    path, now = request.scope["path"], clock.now()
    for step, (method, begin) in _STEPS.items():
        if request.method == method and path.startswith(begin):
            troubles.came_to(step)
    if (hang := troubles.take("hang", now, path=path)) is not None:
        await wait_or_gone(request, clock, hang["delay"])
        return page(524) if path.startswith(ELEMENTS) else helix_error(503, "")
    if troubles.take("reset_http", now, path=path) is not None:
        return await cut(request)
    if (status := troubles.take("status", now, path=path)) is not None:
        return _status(status, path, now)
    if path.startswith(ELEMENTS) and (proxy := troubles.take("elements_html", now, path=path)) is not None:
        return page(proxy["code"])
    if (body := troubles.take("body", now, path=path)) is not None:
        return _odd_body(body["kind"], path)
    return None


async def cut(request: Request) -> Response:
    """Reset the connection without an answer. In process, without a socket, it is an exception."""
    transport = request.scope.get("state", {}).get("transport")
    if transport is None:
        raise ConnectionResetError("the sandbox reset the connection")
    reset(transport)
    return Response()


async def wait_or_gone(request: Request, clock: Clock, seconds: float) -> None:
    """Wait so long, or until the client has hung up."""
    waiting = [asyncio.ensure_future(clock.sleep(seconds)), asyncio.ensure_future(_gone(request))]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _status(fault: Mapping[str, Any], path: str, now: float) -> Response:
    code, headers = fault["code"], {}
    if path.startswith(ELEMENTS):
        return _elements_status(fault, now)
    if code == 429 and fault["headers"]:
        reset_at = str(int(now + fault["reset"]) + 1)
        headers = {"Ratelimit-Limit": "800", "Ratelimit-Remaining": "0", "Ratelimit-Reset": reset_at}
    if path.startswith("/oauth2"):
        return oauth_error(code, fault["message"] or REASONS.get(code, "").lower())
    return helix_error(code, fault["message"], headers)


def _elements_status(fault: Mapping[str, Any], now: float) -> Response:
    code, headers = fault["code"], {}
    if code == 429 and fault["headers"]:
        reset_at = str(int((now + fault["reset"]) * 1000))
        headers = {"x-ratelimit-limit": "120", "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset_at}
    if fault["retry_after"] is not None:
        headers["retry-after"] = str(math.ceil(fault["retry_after"]))
    usual = "Not allowed to perform this operation" if code in (401, 403) else ""
    return elements_error(code, fault["message"] or usual, headers)


def _odd_body(kind: str, path: str) -> Response:
    json = "application/json; charset=utf-8"
    if kind == "html":
        return Response("<html><body><h1>502 Bad Gateway</h1></body></html>", 200, media_type="text/html")
    if kind == "broken_gzip":
        return Response(_BROKEN_GZIP, 200, {"content-encoding": "gzip"}, json)
    bodies = {
        "empty": b"",
        "truncated": b'{"data":[{"id":"1","user_id":"2","user_lo',
        "two_values": b'{"a":1}{"b":2}',
        "data_null": b'{"data":null}',
        "foreign": b'{"error":"Unauthorized","status":401,"message":"Invalid OAuth token"}',
    }
    if kind == "foreign" and path.startswith(ELEMENTS):
        return Response(b'{"statusCode":"404","error":"Not Found"}', 200, media_type=json)
    return Response(bodies[kind], 200, media_type=json)


class HttpServer:
    """An ASGI app on loopback, by uvicorn's protocol without its server: no ticks, no signals, no timers that fire."""

    def __init__(self, app: ASGIApp) -> None:
        self._config = uvicorn.Config(
            cast(Any, app),
            http=H11Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            date_header=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
        )
        self._config.load()
        self._state = ServerState()
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> int:
        """Bind 127.0.0.1; 0 takes a free port. Answers the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Http(self._config, self._state), "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close everything; requests under way see their client gone. No socket and no task is left."""
        if self._server is not None:
            self._server.close()
        open_ones = [cast(_Http, one) for one in self._state.connections]
        for one in open_ones:
            one.transport.abort()
        await asyncio.gather(*(one.gone for one in open_ones))
        await asyncio.gather(*self._state.tasks)


class _Http(H11Protocol):
    """Gives its transport to the app, so that a fault can reset it, and says when it is gone."""

    def __init__(self, config: uvicorn.Config, state: ServerState) -> None:
        super().__init__(config, state, {})
        self.gone: asyncio.Future[None] = self.loop.create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {"transport": transport}
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        if not self.gone.done():
            self.gone.set_result(None)
