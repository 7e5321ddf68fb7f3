"""A StreamElements of which every test says itself what it answers."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2

from allthepoints.base.secret import Secret
from allthepoints.base.types import ItemId, Login, SeId
from allthepoints.core.loyalty import Viewer
from allthepoints.streamelements.jwt import JwtKeeper
from allthepoints.streamelements.points import ElementsPoints
from allthepoints.streamelements.store import ElementsStore
from allthepoints.testing.clock import ManualClock
from allthepoints.web import Client

BASE = "https://api.test/kappa/v2"
SE = SeId("61aa0f2c9e4b7d0012c0ffee")
OWN = SeId("5f0e0d0c0b0a090807060504")
ITEM = ItemId("64b0c1d2e3f4a5b6c7d8e9f0")
ME = Login("quietviewer")
DAY = 86_400.0
NOW = 1_700_000_000.0

HTML = (
    b"<!DOCTYPE html><html><head><title>520</title></head><body>Web server is returning an unknown error</body></html>"
)

Reply = httpx2.Response | Exception


class Raw(httpx2.AsyncByteStream):
    """A body exactly as given; an exception among the chunks is raised."""

    def __init__(self, *chunks: bytes | Exception) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk


@dataclass(frozen=True)
class Call:
    """One request as it arrived. `patience`: seconds for which its answer is waited for."""

    method: str
    url: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    patience: float


class Elements:
    """Answers one reply after the other, the last one for ever, and keeps what it was asked."""

    def __init__(self, *replies: Reply, jwt: str | None = None) -> None:
        self.calls: list[Call] = []
        self.clock = SleeplessClock()
        self._replies = list(replies)
        self.client = Client(httpx2.MockTransport(self._handle))
        self.points = ElementsPoints(self.client, BASE, self.clock)
        keeper = JwtKeeper(self.clock, given=Secret(make_jwt() if jwt is None else jwt))
        self.store = knowing(ElementsStore(self.client, BASE, self.clock, keeper), jwt or make_jwt())

    def then(self, *replies: Reply) -> None:
        self._replies = list(replies)

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        query = dict(request.url.params.multi_items())
        path = request.url.raw_path.decode().partition("?")[0].removeprefix("/kappa/v2")
        headers, patience = dict(request.headers), request.extensions["timeout"]["read"]
        self.calls.append(
            Call(request.method, str(request.url), path, query, headers, bytes(request.content), patience)
        )
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if isinstance(reply, Exception):
            raise reply
        if reply.is_stream_consumed:
            return httpx2.Response(reply.status_code, headers=reply.headers, stream=Raw(reply.content))
        return reply


def knowing(store: ElementsStore, jwt: str) -> ElementsStore:
    """As if it had asked whose this JWT is: OWN's."""
    store._whose = Secret(jwt), Viewer(OWN, ME, "1001")
    return store


class SleeplessClock(ManualClock):
    """Whoever sleeps wakes at once, that much later. `slept`: how often, and for how long."""

    def __init__(self) -> None:
        super().__init__(NOW)
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)


def body(value: Any, status: int = 200, **headers: str) -> httpx2.Response:
    """A JSON answer; `_` in names of headers stands for `-`."""
    return httpx2.Response(
        status,
        headers={"content-type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()},
        content=value if isinstance(value, bytes) else json.dumps(value).encode(),
    )


def no(status: int, message: str | None = None, error: str = "Bad Request", **headers: str) -> httpx2.Response:
    """StreamElements' own error shape."""
    words = {} if message is None else {"message": message}
    return body({"statusCode": status, "error": error} | words, status, **headers)


def html(status: int, **headers: str) -> httpx2.Response:
    """The page of the proxy in front."""
    return httpx2.Response(status, headers={"content-type": "text/html", **headers}, content=HTML)


def make_jwt(exp: object = NOW + 30 * DAY, **claims: Any) -> str:
    """A JWT with this end; none if `exp` is None."""
    told = claims if exp is None else claims | {"exp": exp}
    parts = ({"alg": "HS256", "typ": "JWT"}, told)
    return ".".join([*(_part(json.dumps(part).encode()) for part in parts), "c2lnbmF0dXJlT2ZBQ2FuYXJ5"])


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def channel(**more: Any) -> dict[str, Any]:
    return {
        "profile": {"headerImage": "https://cdn.example/h.png", "title": "mossfox's profile"},
        "provider": "twitch",
        "_id": SE,
        "avatar": "https://cdn.example/a.png",
        "username": "mossfox",
        "alias": "mossfox",
        "displayName": "MossFox",
        "providerId": "778899001",
        "isPartner": False,
        "broadcasterType": "affiliate",
        "inactive": False,
        "suspended": False,
    } | more


def points(**more: Any) -> dict[str, Any]:
    known = {"channel": SE, "username": ME, "points": 1840, "pointsAlltime": 615, "watchtime": 1290, "rank": 212}
    return known | more


def item(number: int | None = None, **more: Any) -> dict[str, Any]:
    return {
        "_id": ITEM if number is None else f"{number:024x}",
        "channel": SE,
        "name": "Pick the next map 🗺" if number is None else f"Item {number}",
        "description": "Works once per stream",
        "type": "perk",
        "cost": 1500,
        "enabled": True,
        "featured": False,
        "public": False,
        "subscriberOnly": False,
        "allowMessages": True,
        "userInput": ["Map name"],
        "quantity": {"total": 5, "current": 3},
        "cooldown": {"user": 600, "global": 60, "category": 0},
        "categoryName": "",
        "sources": ["website", "bot"],
        "bot": {"identifier": "pickmap", "sendResponse": True},
        "order": 2,
        "createdAt": "2025-05-01T08:00:00.000Z",
        "updatedAt": "2026-10-11T19:22:03.120Z",
    } | more


def receipt(**more: Any) -> dict[str, Any]:
    """What a redemption is answered."""
    return {
        "_id": "6720aa11bb22cc33dd44ee55",
        "channel": SE,
        "redeemerType": "Channel",
        "redeemer": OWN,
        "item": ITEM,
        "completed": False,
        "source": "website",
        "input": ["Dust"],
        "message": "thanks!",
        "createdAt": "2026-11-25T12:00:00.000Z",
        "updatedAt": "2026-11-25T12:00:00.000Z",
    } | more


def doc(number: int, at: float, **more: Any) -> dict[str, Any]:
    """A redemption as the list has it. `at`: epoch milliseconds."""
    return {
        "_id": f"{number:024x}",
        "channel": {"_id": SE, "username": "mossfox", "displayName": "MossFox", "inactive": False},
        "redeemerType": "Channel",
        "redeemer": OWN,
        "item": {"_id": ITEM, "name": "Pick the next map", "cost": 1500, "createdAt": "2025-05-01T08:00:00.000Z"},
        "completed": False,
        "source": "website",
        "input": ["Dust"],
        "createdAt": at,
        "updatedAt": at,
    } | more
