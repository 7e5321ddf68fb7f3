"""The guard: everything that comes passes here first, and everything that goes out.

Theory. The dashboard can spend points and lies on a port of a machine on which a browser runs, and a browser fetches
what any page in it asks for. So nothing is believed because of where it came from: a name that is not ours (DNS
rebinding) is refused; so is whatever another site makes the browser send, by the browser's own word (Sec-Fetch-Site,
Origin); and a write needs both that word and a token that only a page of ours can have read. What goes out tells the
browser to run no script and show no style but ours, in no frame.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from allthepoints.base.addresses import is_loopback, listen_parts
from allthepoints.config.settings import Dashboard
from allthepoints.views.plain import Field, Shape
from allthepoints.views.web.board import SESSION, Board
from allthepoints.views.web.sessions import Door, TooMany

COOKIE = "allthepoints"
CSRF_HEADER, CSRF_FIELD = "x-csrf-token", "csrf"

FORM = "allthepoints.form"
"""The key of a scope under which the guard leaves what a form had: name to value."""

CLIENT = "allthepoints.client"
"""Whom a request is from: an IP address."""

STILL = "allthepoints.still"
"""A callable: whether the person is still let in."""

LARGEST_BODY = 64 * 1024
MOST_FIELDS = 200
LONGEST_TARGET = 4096

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with "no-referrer" a form of ours would come with the origin "null"
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}

OPEN = frozenset({"/healthz", "/login"})
"""Paths for which nobody needs to be logged in; static files too."""

FOR_PROGRAMS = ("/api/", "/metrics")
"""Where the password may come with the request (HTTP Basic, any user name)."""


@dataclass(frozen=True, slots=True)
class Rules:
    """By which names the dashboard may be called. `addresses`: by any address of this machine, too (a name can be
    made to lead here by whoever owns it, an address cannot)."""

    hosts: frozenset[str]
    addresses: bool = False
    base_path: str = ""
    proxied: frozenset[str] = field(default_factory=frozenset)
    """Of these, those that are a proxy's; where there are any, what a proxy adds of the client is believed."""

    @classmethod
    def of(cls, dashboard: Dashboard) -> Rules:
        """As the config has it."""
        host, _ = listen_parts(dashboard.listen)
        own = {"localhost", "127.0.0.1", "[::1]", f"[{host}]" if ":" in host else host.lower()}
        proxied = frozenset(dashboard.hosts)
        return cls(proxied | own, not is_loopback(host), dashboard.base_path, proxied)

    def know(self, host: str) -> bool:
        """Whether a Host header names us; its port is the browser's own affair (a tunnel has another)."""
        name = _hostname(host)
        return name is not None and (name in self.hosts or (self.addresses and _is_address(name)))

    def own_origin(self, origin: str, host: str) -> bool:
        """Whether a page of ours sent it: the origin is that of this very address, or a proxy's."""
        try:
            parts = urlsplit(origin)
        except ValueError:  # half an IPv6 address: no browser says so
            return False
        if parts.scheme not in {"http", "https"} or parts.path or parts.query:
            return False
        same = parts.netloc.lower() == host.lower()
        return same or (_hostname(parts.netloc) in self.proxied if parts.netloc else False)


class Guard:
    """An ASGI application in front of `app`. `door` None: no password is needed."""

    def __init__(self, app: ASGIApp, board: Board, rules: Rules, door: Door | None) -> None:
        self._app = app
        self._board = board
        self._rules = rules
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            return
        guarded = _with_headers(send)
        scope = dict(scope)
        refusal = self._look_at(scope) or await self._let_in(scope)
        if refusal is None and scope["method"] == "POST":
            refusal = await self._look_at_form(scope, receive)
        await (self._app if refusal is None else refusal)(scope, receive, guarded)

    # -- what it is ------------------------------------------------------------------------------------------------
    def _look_at(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if scope["method"] not in {"GET", "HEAD", "POST"}:
            return _no(405, "This method is not known here.", {"Allow": "GET, HEAD, POST"})
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            return _no(400, "The request must name one host.")
        if not self._rules.know(hosts[0]):
            return _no(
                421,
                "This dashboard is not known by that name. If it is the name of your reverse proxy, add it to "
                "dashboard.hosts in the config.",
            )
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_TARGET:
            return _no(414, "The address is too long.")
        if not self._from_here(scope["method"], headers, hosts[0]):
            return _no(403, "Another site asked for this.")
        scope[CLIENT] = self._client(scope, headers)
        if headers.get("x-forwarded-proto", "").strip().lower() == "https" and self._rules.proxied:
            scope["scheme"] = "https"
        self._strip(scope)
        return None

    def _from_here(self, method: str, headers: Headers, host: str) -> bool:
        """Not what another site makes the browser send. To follow a link to here is all that others may cause."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if origin == "null" and site == "same-origin":
            origin = None  # a browser that keeps it to itself, and vouches for it in the other header
        if origin is not None and not self._rules.own_origin(origin, host):
            return False
        if method == "POST":
            return site == "same-origin" or (site is None and origin is not None)
        navigates = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        return site in {None, "same-origin", "none"} or navigates

    def _client(self, scope: Scope, headers: Headers) -> str:
        peer = scope["client"][0] if scope.get("client") else ""
        said = headers.get("x-forwarded-for", "")
        if said and self._rules.proxied and is_loopback(peer):
            return said.rpartition(",")[2].strip()
        return str(peer)

    def _strip(self, scope: Scope) -> None:
        """Some proxies leave the base path on, some take it off."""
        base, path = self._rules.base_path, scope["path"]
        if base and (path == base or path.startswith(base + "/")):
            scope["path"] = path[len(base) :] or "/"
            scope["raw_path"] = quote(scope["path"]).encode()
        scope["root_path"] = ""

    # -- who it is from --------------------------------------------------------------------------------------------
    async def _let_in(self, scope: Scope) -> Response | None:
        scope[SESSION], scope[STILL] = "", lambda: True
        if self._door is None:
            return None
        door, headers, path = self._door, Headers(scope=scope), scope["path"]
        if not door.locked():
            scope[STILL] = lambda: not door.locked()
            return None
        token = _cookie(headers.get("cookie", ""))
        if door.knows(token):
            scope[SESSION], scope[STILL] = token, lambda: door.knows(token)
            return None
        if path in OPEN or path.startswith("/static/"):
            return None
        if path.startswith(FOR_PROGRAMS) and scope["method"] != "POST":
            return await self._by_header(scope, headers)
        where = f"{self._rules.base_path}/login"
        if "hx-request" in headers:
            return _no(401, "You are logged out.", {"HX-Redirect": where})
        if scope["method"] == "POST" or path in {"/events", "/poll"}:
            return _no(401, "You are logged out.")
        then = path + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
        return RedirectResponse(where if then == "/" else f"{where}?next={quote(then, safe='')}", 303)

    async def _by_header(self, scope: Scope, headers: Headers) -> Response | None:
        assert self._door is not None
        password = _basic(headers.get("authorization", ""))
        if password is not None:
            admitted = await self._door.admits(password, scope[CLIENT])
            if admitted is True:
                return None
            if isinstance(admitted, TooMany):
                return too_many(admitted)
        return _no(401, "The password is needed.", {"WWW-Authenticate": 'Basic realm="allthepoints", charset="UTF-8"'})

    # -- what it wants written -------------------------------------------------------------------------------------
    async def _look_at_form(self, scope: Scope, receive: Receive) -> Response | None:
        headers = Headers(scope=scope)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        body = await _body(headers, receive)
        if body is None:
            return _no(413, "That is too much.")
        if body and kind != "application/x-www-form-urlencoded":
            return _no(415, "Only a form is understood here.")
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
        except ValueError:
            return _no(400, "The form cannot be read.")
        scope[FORM] = form = _joined(pairs)
        given = headers.get(CSRF_HEADER) or form.pop(CSRF_FIELD, "")
        wanted = self._board.token_for(scope[SESSION])
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            return _no(403, "This page is too old. Load it anew, and try again.")
        form.pop(CSRF_FIELD, None)
        return None


def too_many(answer: TooMany) -> Response:
    """What is said to who guesses."""
    wait = int(answer.wait) + 1
    return _no(429, f"Too many tries. Try again in {wait} s.", {"Retry-After": str(wait)})


def _no(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    return PlainTextResponse(text + "\n", status, dict(headers or {}))


ERROR: Shape[str] = Shape(
    "A refusal of the dashboard",
    "`/api/…`, with a status from 400 on. Who may not ask at all is told so in plain text",
    (Field("error", "str", "Why, in words.", lambda text: text),),
)


def json_no(status: int, text: str) -> Response:
    """The same to a program."""
    return JSONResponse(ERROR.of(text), status)


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return guarded


async def _body(headers: Headers, receive: Receive) -> bytes | None:
    """All of it; None if that is too much, or never comes."""
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > LARGEST_BODY:
        return None
    parts, size = [], 0
    while True:
        message: Any = await receive()
        if message["type"] != "http.request":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size > LARGEST_BODY:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """A field that is there several times has its values joined by a line feed."""
    form: dict[str, str] = {}
    for name, value in pairs:
        form[name] = f"{form[name]}\n{value}" if name in form else value
    return form


def _hostname(netloc: str) -> str | None:
    """The name in `name:port`, lower case, an IPv6 address in brackets; None for what is neither."""
    name, colon, port = netloc.lower().rpartition(":")
    if not colon or netloc.endswith("]"):
        name, port = netloc.lower(), ""
    if (port and not port.isdecimal()) or not name or "@" in name or (colon and not port and name != netloc.lower()):
        return None
    return name.removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _basic(header: str) -> str | None:
    kind, _, text = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        return base64.b64decode(text.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return None
