"""The dashboard's application: pages, actions, what changed, JSON, metrics; all of it behind the guard."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import PurePosixPath
from typing import Any

from jinja2 import TemplateNotFound
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from allthepoints.base.errors import AllThePointsError, UsageError
from allthepoints.views.web import api, stream
from allthepoints.views.web.board import SESSION, Board
from allthepoints.views.web.guard import CLIENT, COOKIE, FORM, STILL, Guard, Rules, json_no, too_many
from allthepoints.views.web.metrics import MOST_REDEMPTIONS, exposition
from allthepoints.views.web.parts import Action, NotFound, Page, Troubled
from allthepoints.views.web.render import STATIC, fingerprint, render
from allthepoints.views.web.sessions import LONGEST, Door, TooMany
from allthepoints.views.web.telling import Busy, Failing, Fragments, Teller

log = logging.getLogger(__name__)

FOR_EVER = "public, max-age=31536000, immutable"

KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
"""Kinds of static files. The machine's own table is not asked: it differs, and a wrong kind is not run."""

STALE = 180.0
"""Seconds without a turn (there is one every minute) after which the service is not well."""

FAILED = "Something went wrong here. It is in the log file."

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Pages:
    """What `pages.py` brings."""

    pages: Mapping[str, Page]
    actions: Mapping[str, Action]
    fragments: Fragments
    failing: Failing = lambda _board, _error: ()


def application(board: Board, pages: Pages, rules: Rules, door: Door | None = None) -> ASGIApp:
    """The whole of it. `door` None: nobody needs to log in."""
    site = _Site(board, pages, door, Teller(board, pages.fragments, pages.failing))
    inner = Starlette(
        routes=[
            Route("/healthz", site.health, methods=["GET"]),
            Route("/metrics", site.metrics, methods=["GET"]),
            Route("/events", site.events, methods=["GET"]),
            Route("/poll", site.poll, methods=["GET"]),
            Route("/login", site.login, methods=["GET", "POST"]),
            Route("/logout", site.logout, methods=["POST"]),
            Route("/static/{mark}/{name:path}", site.static, methods=["GET"]),
            *api.routes(board),
            *(Route(path, site.acting(action), methods=["POST"]) for path, action in pages.actions.items()),
            *(Route(page.path, site.showing(page), methods=["GET"]) for page in pages.pages.values()),
        ],
        exception_handlers={HTTPException: site.refused, NotFound: site.not_found, Exception: _nothing},
    )
    inner.router.redirect_slashes = False
    return Guard(_Contained(inner, site), board, rules, door)


@dataclass(slots=True)
class _Site:
    board: Board
    pages: Pages
    door: Door | None
    teller: Teller
    clients: set[object] = field(default_factory=set)

    # -- pages and actions -----------------------------------------------------------------------------------------
    def showing(self, page: Page) -> Endpoint:
        async def show(request: Request) -> Response:
            given = self._given(request)  # its version is from before what is read: nothing is lost between
            try:
                context = await page.context(self.board, request)
            except Troubled as trouble:
                if "hx-request" in request.headers:
                    return PlainTextResponse(f"{trouble}\n", 503)
                return HTMLResponse(await self._rendered(trouble.template, {**trouble.context, **given}), 503)
            except (AllThePointsError, ValueError) as error:
                return self.problem(request, 503 if isinstance(error, AllThePointsError) else 400, str(error))
            return HTMLResponse(await self._rendered(page.template, {**context, **given}))

        return show

    def acting(self, action: Action) -> Endpoint:
        async def act(request: Request) -> Response:
            form = {**request.scope[FORM], **{key: str(value) for key, value in request.path_params.items()}}
            try:
                done = await action.run(self.board, form)
            except (AllThePointsError, ValueError) as error:
                return self._told(error)
            return HTMLResponse(done.html, done.status, dict(done.headers))

        return act

    def _given(self, request: Request) -> dict[str, Any]:
        logged_in = bool(request.scope[SESSION])
        return {"version": self.board.version, "csrf": self.board.csrf(request), "logged_in": logged_in}

    async def _rendered(self, template: str, context: Mapping[str, Any]) -> str:
        """On a thread: a page of hundreds of rows is no reason to answer a PING late."""
        return await asyncio.to_thread(lambda: render(self.board, template, **context))

    def _told(self, error: Exception) -> Response:
        """Why something was not done."""
        hint = f" {error.hint}" if isinstance(error, AllThePointsError) and error.hint else ""
        status = 422 if isinstance(error, UsageError | ValueError) else 503
        return HTMLResponse(f'<p class="error" role="alert">{escape(f"{error}{hint}")}</p>', status)

    # -- errors ----------------------------------------------------------------------------------------------------
    def problem(self, request: Request, status: int, text: str) -> Response:
        """A page that says why there is none; to a program in its own way."""
        path = request.scope["path"]
        if path.startswith("/api/"):
            return json_no(status, text)
        if path.startswith("/static/") or "hx-request" in request.headers or status == 405:
            return PlainTextResponse(text + "\n", status)
        title = "There is no such page" if status == 404 else "That did not work"
        try:
            html = render(self.board, "error.html", title=title, text=text, status=status, **self._given(request))
        except TemplateNotFound:
            html = f"<!doctype html><title>{escape(title)}</title><h1>{escape(title)}</h1><p>{escape(text)}</p>"
        return HTMLResponse(html, status)

    async def refused(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        text = {404: "It may have been renamed, or never was.", 405: "That cannot be done here."}
        return self.problem(request, error.status_code, text.get(error.status_code, FAILED))

    async def not_found(self, request: Request, error: Exception) -> Response:
        return self.problem(request, 404, str(error))

    # -- logging in ------------------------------------------------------------------------------------------------
    async def login(self, request: Request) -> Response:
        then = _own_path(request.scope.get(FORM, request.query_params).get("next", ""))
        home = RedirectResponse(self.board.base_path + then, 303)
        if self.door is None or not self.door.locked() or request.scope[SESSION]:
            return home
        if request.method != "POST":
            return await self._login_page(request, then)
        try:
            answer = await self.door.log_in(request.scope[FORM].get("password", ""), request.scope[CLIENT])
        except AllThePointsError as error:
            return await self._login_page(request, then, str(error), 503)
        if isinstance(answer, TooMany):
            refusal = too_many(answer)
            text = f"Too many tries. Try again in {int(answer.wait) + 1} s."
            page = await self._login_page(request, then, text, 429)
            page.headers["Retry-After"] = refusal.headers["Retry-After"]
            return page
        if answer is None:
            return await self._login_page(request, then, "That is not the password.", 403)
        home.set_cookie(
            COOKIE,
            answer,
            max_age=int(LONGEST),
            path=self.board.base_path or "/",
            secure=request.scope["scheme"] == "https",
            httponly=True,
            samesite="strict",
        )
        return home

    async def _login_page(self, request: Request, then: str, error: str = "", status: int = 200) -> Response:
        given = {**self._given(request), "next": then if then != "/" else "", "error": error}
        return HTMLResponse(await self._rendered("login.html", given), status)

    async def logout(self, request: Request) -> Response:
        if self.door is not None:
            self.door.log_out(request.scope[SESSION])
        where = f"{self.board.base_path}/login"
        gone = RedirectResponse(where, 303) if "hx-request" not in request.headers else Response(None, 204)
        if "hx-request" in request.headers:
            gone.headers["HX-Redirect"] = where
        gone.delete_cookie(COOKIE, path=self.board.base_path or "/", httponly=True, samesite="strict")
        return gone

    # -- what changed ----------------------------------------------------------------------------------------------
    async def events(self, request: Request) -> Response:
        """Server-sent events."""
        if len(self.clients) >= stream.MOST:
            return PlainTextResponse("Too many pages listen already.\n", 503, {"Retry-After": "30"})
        since = request.headers.get("last-event-id") or request.query_params.get("since", "")
        still = request.scope[STILL]
        return _Streaming(stream.Stream(self.board, self.teller, since, _topic(request), still, self.clients))

    async def poll(self, request: Request) -> Response:
        """The same for who cannot listen: `{"version", "fragments": [[name, html]]}`; 204 where nothing changed."""
        since = request.query_params.get("since", "")
        await self.board.look_ahead()
        change = self.board.since(since)
        if change is None or change.version == since:
            return Response(None, 204)
        try:
            told = await self.teller.told(_topic(request), change, patient=False)
        except Busy:
            return PlainTextResponse("Too much is asked at once.\n", 503, {"Retry-After": "10"})
        return JSONResponse({"version": change.version, "fragments": [list(pair) for pair in told]})

    # -- for machines ----------------------------------------------------------------------------------------------
    async def health(self, _: Request) -> Response:
        """Only whether all is well: it is told to anybody."""
        seen = self.board.snapshot()
        well = (
            seen is not None
            and self.board.now() - seen.at < STALE
            and not any(warning.severity == "error" for warning in seen.warnings)
        )
        return PlainTextResponse("ok\n" if well else "not ok\n", 200 if well else 503)

    async def metrics(self, request: Request) -> Response:
        try:
            kept = await self.board.read(lambda reader: reader.redemptions(MOST_REDEMPTIONS))
        except AllThePointsError as error:
            return self.problem(request, 503, str(error))
        states = Counter(redemption.state for redemption in kept)
        return Response(
            exposition(self.board.snapshot(), states, len(self.clients), len(asyncio.all_tasks())),
            headers={"Content-Type": CONTENT_TYPE_LATEST},
        )

    async def static(self, request: Request) -> Response:
        """A file of the package. Its address changes with its content, so it may be kept for ever."""
        name, mark = str(request.path_params["name"]), str(request.path_params["mark"])
        if name not in _static_names() or mark != fingerprint(name):
            raise HTTPException(404)
        kind = KINDS.get(PurePosixPath(name).suffix, "application/octet-stream")
        return Response(_content(name), media_type=kind, headers={"Cache-Control": FOR_EVER})


class _Streaming(Response):
    """Starlette's endpoints answer a Response; this one is a stream."""

    def __init__(self, told: stream.Stream) -> None:
        super().__init__()
        self._told = told

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._told(scope, receive, send)


class _Contained:
    """What fails in a page is told in the log, with its trace, and to the browser without."""

    def __init__(self, app: ASGIApp, site: _Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        started = False

        async def watched(message: Any) -> None:
            nonlocal started
            started = True
            if "status" in message:
                log.debug("%s %s: %d", scope.get("method", ""), scope.get("path", "")[:200], message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            log.exception("the dashboard failed at %s %s", scope["method"], scope["path"][:200])
            if not started:
                await self._site.problem(Request(scope), 500, FAILED)(scope, receive, send)


async def _nothing(_: Request, error: Exception) -> Response:
    raise error


def _topic(request: Request) -> str:
    """What the page that asks is about."""
    return request.query_params.get("of", "")[:80]


def _own_path(text: str) -> str:
    """A path of ours to go on to; never another site's."""
    sound = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if sound and len(text) < 2000 else "/"


@cache
def _static_names() -> frozenset[str]:
    return frozenset(str(PurePosixPath(path.relative_to(STATIC))) for path in STATIC.rglob("*") if path.is_file())


@cache
def _content(name: str) -> bytes:
    return (STATIC / name).read_bytes()
