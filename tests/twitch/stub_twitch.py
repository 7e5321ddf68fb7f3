"""A Twitch of which every test says itself what it answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx2

from allthepoints.base.errors import FaultError
from allthepoints.base.secret import Secret
from allthepoints.ports import StoredTokens
from allthepoints.testing.clock import ManualClock
from allthepoints.twitch.oauth import OAuth
from allthepoints.twitch.tokens import Bearer, TokenKeeper
from allthepoints.web import Client

OAUTH = "https://id.test/oauth2"
HELIX = "https://api.test/helix"

Reply = httpx2.Response | Exception
Handler = Callable[["Call"], Reply]


@dataclass(frozen=True)
class Call:
    """One request as it arrived."""

    method: str
    path: str
    query: list[tuple[str, str]]
    form: dict[str, str]
    headers: dict[str, str]

    def values(self, key: str) -> list[str]:
        return [value for name, value in self.query if name == key]


class Raw(httpx2.AsyncByteStream):
    """A body exactly as given, chunk by chunk; an exception among the chunks is raised."""

    def __init__(self, *chunks: bytes | Exception) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk


def body(value: Any, status: int = 200, **headers: str) -> httpx2.Response:
    """A JSON answer; `_` in names of headers stands for `-`."""
    return httpx2.Response(
        status,
        headers={"content-type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()},
        content=value if isinstance(value, bytes) else json.dumps(value).encode(),
    )


def no(status: int, message: str, **headers: str) -> httpx2.Response:
    """Twitch's own error shape."""
    return body({"status": status, "message": message}, status, **headers)


class Twitch:
    """Answers by path; a list of replies is used up one by one, its last one stays. Counts what it was asked."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._replies: dict[str, Handler | list[Reply]] = {}
        self.transport = httpx2.MockTransport(self._handle)
        self.client = Client(self.transport)
        self.clock = ManualClock()

    def on(self, path: str, *replies: Reply | Handler) -> Twitch:
        self._replies[path] = replies[0] if callable(replies[0]) else [r for r in replies if not callable(r)]
        return self

    def asked(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    def posts(self, grant: str) -> list[Call]:
        return [call for call in self.calls if call.form.get("grant_type") == grant]

    def oauth(self, client_id: str = "c") -> OAuth:
        return OAuth(self.client, OAUTH, client_id, self.clock)

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.removeprefix("/helix").removeprefix("/oauth2")
        call = Call(
            request.method,
            path,
            list(request.url.params.multi_items()),
            dict(parse_qsl(request.content.decode(), keep_blank_values=True)),
            dict(request.headers),
        )
        self.calls.append(call)
        replies = self._replies[path]
        reply = replies(call) if callable(replies) else replies[0] if len(replies) == 1 else replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        if reply.is_stream_consumed:  # a body given whole: answer a fresh copy, to be asked for again
            return httpx2.Response(reply.status_code, headers=reply.headers, stream=Raw(reply.content))
        return reply


@dataclass
class MemoryStore:
    """A token file in memory that can be full. `writes` is what stood in it, one after the other."""

    tokens: StoredTokens | None = None
    full: bool = False
    writes: list[StoredTokens] = field(default_factory=list)

    def load(self) -> StoredTokens | None:
        return self.tokens

    def save(self, tokens: StoredTokens) -> None:
        if self.full:
            raise FaultError("no space left on device")
        self.tokens = tokens
        self.writes.append(tokens)

    def forget(self) -> None:
        self.tokens = None


@dataclass(frozen=True)
class Env:
    token: Secret | None = None
    refresh: Secret | None = None
    client_secret: Secret | None = None


def stored(access: str = "T0", refresh: str | None = "R0", age: float = 3600.0, **more: Any) -> StoredTokens:
    """A sign-in of `me`, an hour old."""
    known = {
        "access": Secret(access),
        "refresh": Secret(refresh) if refresh else None,
        "client_id": "c",
        "login": "me",
        "user_id": "1",
        "scopes": ("chat:read", "user:read:follows"),
        "obtained_at": 1_700_000_000.0 - age,
        "expires_at": None,
    }
    return StoredTokens(**(known | more))


def keeper(twitch: Twitch, store: MemoryStore, env: Env | None = None, **more: Any) -> TokenKeeper:
    return TokenKeeper(twitch.oauth(), store, twitch.clock, client_id="c", environment=env or Env(), **more)


def valid(login: str | None = "me", user_id: str | None = "1", **more: Any) -> httpx2.Response:
    """A good answer of /validate."""
    known = {"client_id": "c", "login": login, "user_id": user_id, "expires_in": 5520}
    return body(known | {"scopes": ["chat:read", "user:read:follows"]} | more)


def validates(*alive: str) -> Handler:
    """/validate that knows which tokens live."""

    def answer(call: Call) -> Reply:
        return valid() if call.headers["authorization"].split()[1] in alive else no(401, "invalid access token")

    return answer


def grant(access: str = "T1", refresh: str | None = "R1", **more: Any) -> httpx2.Response:
    """A good answer of /token."""
    known: dict[str, Any] = {
        "access_token": access,
        "expires_in": 14000,
        "scope": ["chat:read"],
        "token_type": "bearer",
    }
    return body(known | ({"refresh_token": refresh} if refresh else {}) | more)


def row(user_id: int | str, login: str | None = None, stream_id: str | None = None, **more: Any) -> dict[str, Any]:
    """A row of Get Streams."""
    name = login or f"u{user_id}"
    known = {"id": stream_id or f"s{user_id}", "user_id": str(user_id), "user_login": name, "user_name": name.title()}
    rest = {"type": "live", "title": "hello", "started_at": "2023-11-14T22:13:20Z", "tags": ["English"]}
    return known | rest | {"viewer_count": 3} | more


def page(rows: Iterable[Any], cursor: str | None = None, **more: Any) -> httpx2.Response:
    """A page of any list."""
    return body({"data": list(rows), "pagination": {"cursor": cursor} if cursor else {}} | more)


class Signed:
    """A sign-in that is always there; `renew` counts."""

    def __init__(self, app: bool = False, scopes: frozenset[str] | None = None) -> None:
        self.token = 0
        self.renewed = 0
        self._app = app
        self._scopes = scopes

    async def bearer(self, own: bool) -> Bearer:
        return Bearer(Secret(f"canary{self.token}"), "c", self._scopes, app=self._app and not own)

    async def renew(self, refused: Secret) -> None:
        self.renewed += 1
        if refused.reveal() == f"canary{self.token}":
            self.token += 1
