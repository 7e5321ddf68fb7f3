"""The dashboard's addresses, all of them, asked for in every wrong way.

The routes are the application's own: what is added there is asked for here. A request is a route whose parameters,
query, form and headers are drawn from what pages send and from what means harm. Whatever comes: the answer is one of
the statuses that are meant, it is never "something went wrong here", nothing is written to the log as an error, it
comes, and what the API tells is JSON.

`described` is the same as an OpenAPI document, from which schemathesis makes requests of its own.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fuzz_mutate import pick
from starlette.routing import Route

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests" / "web"))

from web_stage import HYDRATE, MAP, SAME, Stage, fill, row

from allthepoints.views.web import pages
from allthepoints.views.web.app import Pages

NAMES = (
    *("since", "of", "range", "channel", "login", "item", "key", "sort", "q", "show", "name", "kind", "event", "state"),
    *("limit", "to", "from", "next", "password", "cost", "message", "answer", "auto", "max_cost", "per_day", "keep"),
    *("count", "quiet_from", "quiet_to", "digest", "on", "sure", "csrf", "move", "place", "list", "urls", "code"),
)
"""What queries and forms have; and what they might."""

VALUES = (
    *("", "c1", "c2", "C1", "nobody", "0", "1", "-1", "1e9", "nan", "inf", "9" * 400, "١", "on", "yes", "true", "week"),
    *(
        "24h",
        "day",
        "month",
        "year",
        "all",
        "up",
        "down",
        "earned",
        "failed",
        "sent",
        "accepted",
        "08:00",
        "99:99",
        "25",
    ),
    *(
        "/",
        "//evil.example",
        "../../etc/passwd",
        "a\r\nX: y",
        "\0",
        "\x1b[2J",
        "\u202e",
        "é🌊",
        "\udcff",
        "<b>",
        "{{7*7}}",
    ),
    *(
        "%",
        "%00",
        "%ff",
        "' OR 1=1 --",
        "x" * 1000,
        "x" * 5000,
        "[]",
        "{}",
        MAP.id,
        HYDRATE.id,
        "0a" * 16,
        "a.b",
        "#c1",
    ),
    *(
        "https://www.twitch.tv/c1",
        "2026-11-25",
        "channel/c1",
        "store/",
        "now",
        "now/",
        "activity",
        "settings",
        "٣",
        "1_0",
    ),
)

HEADERS = (
    *(("origin", value) for value in ("null", "http://[", "http://127.0.0.1:99999", "https://evil.example", "x", "//")),
    *(("host", value) for value in ("[", "127.0.0.1:7771:1", "[::1", "é", "localhost:", "a" * 300)),
    *(("cookie", value) for value in ("allthepoints=x", "a=b; =; ;;", "allthepoints=\xff", "=" * 500)),
    *(("authorization", value) for value in ("Basic", "Basic x", "Basic " + "QQ" * 200, "Bearer x", "Basic \xff")),
    *(("content-length", value) for value in ("-1", "x", "99999999999999999999", "")),
    *(
        ("content-type", value)
        for value in ("application/json", "multipart/form-data; boundary=x", "", "text/plain; charset=x")
    ),
    *(("x-forwarded-for", value) for value in ("", "x", "::", "1.2.3.4, 5.6.7.8", "[", "\xff")),
    *(("x-forwarded-proto", value) for value in ("https", "x", "")),
    *(("last-event-id", value) for value in ("", "x", "-1", "1-1", "9" * 400, "\xff")),
    *(
        ("hx-request", "true"),
        ("accept", "text/event-stream"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "x"),
    ),
)

MEANT = frozenset({200, 204, 303, 400, 403, 404, 405, 409, 411, 413, 414, 415, 421, 422, 429, 503})
PATIENCE = 20.0
"""Seconds for an answer that takes milliseconds."""


class Odd(AssertionError):
    """What must not be."""


class Answer:
    """Status, headers and body of one."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"")


class Desk:
    """A dashboard with a week of points in it, and somebody who asks it for odd things."""

    def __init__(self, folder: Path, seed: int) -> None:
        fill(folder)
        self.stage = Stage(folder)
        (folder / "c.toml").write_text("[channels]\n")
        self.app = self.stage.build(pages=Pages(pages.PAGES, pages.ACTIONS, pages.fragments))
        self.stage.tell([row(1), row(2, live=False, state="absent")])
        self.found: dict[str, int] = {}
        self.log = _Log()
        self._luck = random.Random(seed)
        self._token = self.stage.token()["csrf"]

    def routes(self) -> list[Route]:
        """All of the application's."""
        inner = self.app._app._app
        return [route for route in inner.routes if isinstance(route, Route)]

    async def once(self) -> None:
        """One request. Raises Odd."""
        luck = self._luck
        route = pick(luck, self.routes())
        method = (
            pick(luck, sorted(route.methods or {"GET"}))
            if luck.random() < 0.93
            else pick(luck, ("PUT", "POST", "HEAD", "OPTIONS"))
        )
        path = re.sub(
            r"\{[^}]*\}",
            lambda _: quote(self._value(), safe="/" if luck.random() < 0.1 else "", errors="surrogateescape"),
            route.path,
        )
        query = self._fields().encode()
        headers = {"host": "127.0.0.1:7771", **SAME}
        body = b""
        if method == "POST":
            fields = self._fields()
            body = (fields + f"&csrf={self._token}" * (luck.random() < 0.85)).encode()
            headers |= {"content-type": "application/x-www-form-urlencoded"}
        for _ in range(pick(luck, (0, 0, 0, 1, 2))):
            name, value = pick(luck, HEADERS)
            headers[name] = value
        answer = await self.ask(method, path, query, headers, body)
        kind = f"{method} {route.path}: {answer.status}"
        self.found[kind] = self.found.get(kind, 0) + 1

    async def ask(self, method: str, path: str, query: bytes, headers: Mapping[str, str], body: bytes) -> Answer:
        """What comes back. Raises Odd."""
        asked = f"{method} {path[:300]}?{query[:300]!r} {headers} {body[:300]!r}"
        answer = Answer()
        try:
            async with asyncio.timeout(PATIENCE):
                await self.app(_scope(method, path, query, headers), _coming(body), answer.send)
        except Exception as error:
            raise Odd(f"{type(error).__name__}: {error}\n{asked}") from error
        if answer.status not in MEANT:
            raise Odd(f"answered {answer.status}\n{asked}\n{answer.body[:500]!r}")
        if self.log.told:
            raise Odd(f"told the log {self.log.told}\n{asked}")
        if "content-security-policy" not in answer.headers:
            raise Odd(f"answered without a policy\n{asked}")
        kind = answer.headers.get("content-type", "")
        if path.startswith("/api/") and answer.status == 200 and kind != "application/json":
            raise Odd(f"answered {kind!r}\n{asked}")
        if kind == "application/json" and answer.body:
            json.loads(answer.body)
        return answer

    def _fields(self) -> str:
        luck = self._luck
        pairs = [(pick(luck, NAMES), self._value()) for _ in range(pick(luck, (0, 0, 1, 1, 2, 4, 10)))]
        text = urlencode(pairs, errors="surrogateescape")
        return (
            text
            if luck.random() < 0.9
            else pick(luck, ("&&&", "=", "a=%", "%ff=%ff", "a=b;c=d", "?" * 50, text + "&" + text))
        )

    def _value(self) -> str:
        luck = self._luck
        value = pick(luck, VALUES)
        return value if luck.random() < 0.95 else value + pick(luck, VALUES)


class _Log(logging.Handler):
    """Keeps errors."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(logging.Formatter().format(record)[-1500:])


def _scope(method: str, path: str, query: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    from urllib.parse import unquote

    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path, errors="replace"),
        "raw_path": path.encode("ascii", "replace"),
        "query_string": query,
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()],
        "server": ("127.0.0.1", 7771),
        "client": ("127.0.0.1", 1),
    }


def _coming(body: bytes) -> Any:
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        await asyncio.sleep(0)
        return parts.pop() if parts else {"type": "http.disconnect"}

    return receive


@contextmanager
def desk(seed: int) -> Iterator[Desk]:
    """With its log listened to."""
    with tempfile.TemporaryDirectory() as folder:
        one = Desk(Path(folder), seed)
        root = logging.getLogger()
        root.addHandler(one.log)
        try:
            yield one
        finally:
            root.removeHandler(one.log)


def main(seed: int, count: int) -> dict[str, int]:
    """What became of so many requests. Raises Odd."""

    async def run(one: Desk) -> None:
        for _ in range(count):
            await one.once()

    with desk(seed) as one:
        asyncio.run(run(one))
        return one.found


# -- as a document -----------------------------------------------------------------------------------------------------
KNOWN: Mapping[str, str] = {"login": "c1", "item": MAP.id, "key": "0a" * 16}
"""What is there, for half of the requests: with random names alone nothing would ever be found."""

ENOUGH = 30
"""Requests of which one at least must find what is there."""


def described(routes: list[Route]) -> dict[str, Any]:
    """OpenAPI for what a dashboard may be asked."""
    paths: dict[str, Any] = {}
    for route in routes:
        if route.path == "/events":
            continue  # it has no end
        named = re.findall(r"\{(\w+)[^}]*\}", route.path)
        there = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for name in named
        ]
        asked = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in NAMES[:16]]
        form = {"type": "object", "properties": {name: {"type": "string"} for name in NAMES}}
        content = {"application/x-www-form-urlencoded": {"schema": form}}
        for method in sorted((route.methods or set()) - {"HEAD"}):
            operation: dict[str, Any] = {"parameters": there + asked, "responses": {"default": {"description": "any"}}}
            if method == "POST":
                operation["requestBody"] = {"content": content}
            paths.setdefault(re.sub(r":\w+\}", "}", route.path), {})[method.lower()] = operation
    return {"openapi": "3.0.3", "info": {"title": "dashboard", "version": "1"}, "paths": paths}


def by_schemathesis(seed: int, count: int) -> Iterator[dict[str, int]]:
    """The same application, asked by schemathesis, `count` requests for each operation; what came of all so far, after
    each. Raises Odd."""
    import hypothesis
    import schemathesis

    with desk(seed) as one:
        schema = schemathesis.openapi.from_dict(described(one.routes()))
        token = {"x-csrf-token": one.stage.token()["csrf"]}
        for result in schema.get_all_operations():
            operation = result.ok()
            known = {place.name: KNOWN.get(place.name, "c2") for place in operation.path_parameters}
            cases = operation.as_strategy()
            if known:
                cases |= operation.as_strategy(path_parameters=known)

            @hypothesis.seed(seed)
            @hypothesis.settings(
                max_examples=count, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
            )
            @hypothesis.given(case=cases)
            def asks(case: Any) -> None:
                answer = case.call(base_url="http://127.0.0.1:7771", app=one.app, headers={**SAME, **token})
                kind = f"{case.method} {case.path}: {answer.status_code}"
                one.found[kind] = one.found.get(kind, 0) + 1
                if answer.status_code not in MEANT or one.log.told:
                    raise Odd(f"answered {answer.status_code}, told {one.log.told}\n{case.as_curl_command()}")

            asks()
            there = operation.method == "get" and known.keys() <= KNOWN.keys()
            if there and count >= ENOUGH and not one.found.get(f"GET {operation.path}: 200"):
                raise Odd(f"of {count} requests none found what is there: {operation.path}")
            yield one.found
