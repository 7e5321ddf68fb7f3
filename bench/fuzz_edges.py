"""Answers of Twitch and StreamElements, damaged: what our clients make of them.

The sandbox answers each kind of call once, as it should. Then the same calls are made again and again, and each is
given one of these answers with something wrong in it: another value, half a body, no JSON, a status, a header. A call
may tell what it learned, or raise one of the errors that `base.errors` keeps for it; it may not crash, hang or quote a
token. What it learned must be fit for the memory and for the faces: numbers that the database holds, moments that a
calendar has, text that can be written.
"""

from __future__ import annotations

import asyncio
import dataclasses
import math
import random
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import fuzz_mutate
import httpx2
from fuzz_mutate import pick

from allthepoints.base.clock import Chance
from allthepoints.base.errors import NotSent, OutsideError, SignInNeeded
from allthepoints.base.secret import Secret
from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core.actions import ReadLive
from allthepoints.sim.days import demo_day
from allthepoints.sim.server import Sandbox
from allthepoints.streamelements.jwt import JwtKeeper
from allthepoints.streamelements.points import ElementsPoints
from allthepoints.streamelements.store import ElementsStore
from allthepoints.testing.inprocess import InProcess
from allthepoints.twitch.helix import Helix
from allthepoints.twitch.oauth import DeviceCode, OAuth
from allthepoints.twitch.tokens import Bearer
from allthepoints.views.text import iso, local
from allthepoints.web import Client

BASE = "http://127.0.0.1"
REDEMPTION = "POST /kappa/v2/store/*/redemptions/"
AT = 1_795_564_800.0

Call = Callable[[], Awaitable[object]]


class HurriedClock:
    """Sleeping takes no time, and time goes by."""

    def __init__(self) -> None:
        self._now = AT

    def now(self) -> float:
        return self._now

    def jumped(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self._now += max(0.0, seconds)
        await asyncio.sleep(0)


class Damaging(httpx2.AsyncBaseTransport):
    """Lets through what `inner` answers and keeps it; once `luck` is there, answers with damaged copies."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self.luck: random.Random | None = None
        self.last: tuple[str, int, list[tuple[bytes, bytes]], bytes] | None = None
        self.asked: list[str] = []
        """The kinds of requests that arrived here."""
        self._inner = inner
        self._kept: dict[str, list[httpx2.Response]] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        kind = f"{request.method} {_ID.sub('/*', request.url.path)}"
        self.asked.append(kind)
        if trace := request.extensions.get("trace"):
            await trace("http11.send_request_headers.complete", {})  # as the network's own transport tells it
        if self.luck is None:
            answer = await self._inner.handle_async_request(request)
            await answer.aread()
            self._kept.setdefault(kind, []).append(answer)
            return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)
        others = [one for kept in self._kept.values() for one in kept]
        good = pick(self.luck, self._kept.get(kind) or others) if self.luck.random() < 0.97 else pick(self.luck, others)
        if self.luck.random() < 0.35:
            return httpx2.Response(good.status_code, headers=good.headers, content=good.content)
        return self._damaged(request, good, self.luck)

    def _damaged(self, request: httpx2.Request, good: httpx2.Response, luck: random.Random) -> httpx2.Response:
        status, headers, body = good.status_code, list(good.headers.raw), good.content
        if luck.random() < 0.15:
            status = pick(luck, STATUSES)
        if luck.random() < 0.25:
            headers = [*headers, pick(luck, HEADERS)]
        if luck.random() < 0.9:
            body = fuzz_mutate.damaged_json(body, luck)
        elif luck.random() < 0.3:
            body = pick(luck, PAGES)
        headers = [(name, value) for name, value in headers if name.lower() != b"content-length"]
        self.last = (f"{request.method} {request.url.path}", status, headers, body)
        return httpx2.Response(status, headers=headers, stream=httpx2.ByteStream(body))


_ID = re.compile(r"/[0-9a-f]{24}(?![^/])")
STATUSES = (*(200, 200, 201, 204, 206, 301, 302, 304, 400, 400, 401, 403, 404, 404, 408, 409, 410, 418, 422, 425, 429),)
STATUSES += (429, 431, 451, 499, 500, 501, 502, 503, 504, 520, 599, 600, 999)
PAGES = (
    b"",
    b" ",
    b"<html><body>Sign in to the network</body></html>",
    b"null",
    b"0",
    b'""',
    b"[]",
    b"{}",
    b"\x1f\x8b\x08",
)
_NUMBERS = (
    b"",
    b"-1",
    b"0",
    b"1",
    b"1e9",
    b"nan",
    b"inf",
    b"9" * 400,
    b"99999999999999",
    b"1.5",
    b"\xff",
    b"0x1",
    b"1_0",
)
_DATES = (
    b"Wed, 25 Nov 2026 00:00:00 GMT",
    b"Thu, 01 Jan 0001 00:00:00 -2359",
    b"Fri, 31 Dec 9999 23:59:59 -2359",
    b"x",
)
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    *((name, value) for name in (b"Ratelimit-Remaining", b"Ratelimit-Reset", b"Retry-After") for value in _NUMBERS),
    *(
        (name, value)
        for name in (b"x-ratelimit-reset", b"x-ratelimit-remaining", b"Ratelimit-Limit")
        for value in _NUMBERS
    ),
    *((name, value) for name in (b"Date", b"Retry-After", b"Date") for value in _DATES),
    *((b"Content-Type", value) for value in (b"text/html", b"application/json; charset=utf-16", b"", b"\xff")),
    *((b"Content-Encoding", value) for value in (b"gzip", b"br", b"identity", b"gzip, gzip", b"x")),
)


class Edges:
    """Our clients, and the damaging transport beneath. Only inside `opened`."""

    def __init__(self, transport: Damaging, sandbox: Sandbox, clock: HurriedClock) -> None:
        self.transport = transport
        tokens, jwt = sandbox.issue_tokens(), sandbox.issue_jwt()
        self.secrets = (tokens.access, tokens.refresh, jwt)
        self._client = client = Client(transport)
        self._oauth = OAuth(client, f"{BASE}/oauth2", sandbox.scenario.client_id, clock)
        access, self._refresh = Secret(tokens.access), Secret(tokens.refresh)
        self._access = access
        base = f"{BASE}/kappa/v2"
        # New ones for each call: none waits for another's limit.
        self._points = lambda: ElementsPoints(client, base, clock)
        self._store = lambda: ElementsStore(client, base, clock, JwtKeeper(clock, given=Secret(jwt)))
        self._helix = lambda: Helix(client, f"{BASE}/helix", _Auth(access, sandbox.scenario.client_id), clock)
        self._sandbox = sandbox
        self._me = UserId(sandbox.account.id)
        followed = [user for user in sandbox.world.users.values() if user.id != self._me]
        self._ids = frozenset(UserId(user.id) for user in followed)
        self._logins = frozenset(Login(user.login) for user in followed)
        stores = [found for user in followed if (found := sandbox.elements.of(user)) is not None and found.items]
        self._se = SeId(stores[0].id)
        self._item = ItemId(next(iter(stores[0].items)))
        own = sandbox.elements.of(sandbox.account)
        self._own = SeId(own.id if own is not None else "a" * 24)
        self._one = Login(stores[0].owner.login)
        self._code = DeviceCode(Secret("d" * 40), "ABCDEFGH", f"{BASE}/activate", 1800.0, 5.0, ("chat:read",))

    def calls(self) -> dict[str, Call]:
        """All that we ever ask."""
        helix, store, oauth, points = self._helix(), self._store(), self._oauth, self._points()
        everyone = ReadLive(self._me, self._ids, frozenset(), frozenset())
        by_name = ReadLive(None, frozenset(), self._ids, self._logins)
        return {
            "follows": lambda: helix.follows(self._me),
            "live": lambda: helix.live(everyone),
            "live by name": lambda: helix.live(by_name),
            "users": lambda: helix.users(self._ids, frozenset()),
            "users by login": lambda: helix.users(frozenset(), self._logins),
            "device": oauth.device_start,
            "poll": lambda: oauth.device_poll(self._code),
            "validate": lambda: oauth.validate(self._access),
            "refresh": lambda: oauth.refresh(self._refresh, oauth.client_id),
            "find": lambda: points.find(self._one),
            "loyalty": lambda: points.loyalty(self._se),
            "balance": lambda: points.balance(self._se, Login("me")),
            "items": lambda: points.items(self._se),
            "whose": store.me,
            "redeem": lambda: store.redeem(self._own, self._se, self._item, (), ""),
            "history": lambda: store.history(self._own),
            "revoke": lambda: oauth.revoke(self._access),
        }

    async def learn(self) -> None:
        """Every call once, answered as it should be."""
        self._code = await self._oauth.device_start()
        for call in self.calls().values():
            try:
                await call()
            except OutsideError:
                continue

    async def once(self, luck: random.Random) -> str:
        """One call and what came of it: its name, and the error's class if there was one. Raises Odd."""
        self.transport.luck = luck
        self.transport.asked.clear()
        calls = self.calls()
        name = pick(luck, list(calls))
        try:
            found = await calls[name]()
        except (OutsideError, SignInNeeded) as error:
            self._quiet(name, f"{error} {error.hint}")
            if isinstance(error, NotSent) and any(REDEMPTION in kind for kind in self.transport.asked):
                raise Odd(
                    f"{name}: a redemption that was sent is said not to be: {error}", self.transport.last
                ) from None
            return f"{name}: {type(error).__name__}"
        except Exception as error:
            raise Odd(f"{name}: {type(error).__name__}: {error}", self.transport.last) from error
        for trouble in unfit(found):
            raise Odd(f"{name}: {trouble}", self.transport.last)
        return f"{name}: told"

    def _quiet(self, name: str, text: str) -> None:
        if any(secret in text for secret in self.secrets):
            raise Odd(f"{name}: quotes a secret", self.transport.last)

    async def aclose(self) -> None:
        await self._client.aclose()


class Odd(AssertionError):
    """What must not be. `answer`: what led there."""

    def __init__(self, text: str, answer: object) -> None:
        super().__init__(f"{text}\n{answer!r}"[:4000])


class _Auth:
    def __init__(self, token: Secret, client_id: str) -> None:
        self._token, self._client_id = token, client_id

    async def bearer(self, own: bool) -> Bearer:
        return Bearer(self._token, self._client_id, None)

    async def renew(self, refused: Secret) -> None:
        """The sandbox's own token is as good as any."""


def unfit(value: object, name: str = "") -> Iterator[str]:
    """What in it no database or face could take."""
    if isinstance(value, bool | Secret) or value is None:
        return
    if isinstance(value, int | float | str):
        if trouble := _trouble(value, name):
            yield f"{name} {trouble}"
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from unfit(getattr(value, field.name), f"{name}.{field.name}")
    elif isinstance(value, dict):
        yield from unfit((*value.keys(), *value.values()), name)
    elif isinstance(value, tuple | list | frozenset | set):
        for one in value:
            yield from unfit(one, name)


def _trouble(value: float | str, name: str) -> str:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return "cannot be written"
        return f"has {len(value)} characters" if len(value) > 10_000 else ""
    if isinstance(value, int):
        return "" if -(2**63) <= value < 2**63 else f"is {value}"
    if not math.isfinite(value):
        return f"is {value}"
    try:
        if name.endswith("_at"):
            iso(value)
            local(value)
    except (ValueError, OverflowError, OSError) as error:
        return f"is {value}, of which no face can tell: {error}"
    return ""


async def run(seed: int, count: int, found: dict[str, int]) -> None:
    """So many damaged answers; what became of them is counted in `found`. Raises Odd."""
    clock = HurriedClock()
    scenario = demo_day(seed=1)
    sandbox = Sandbox(scenario, clock, chance=Chance(1))
    sandbox.begin()
    edges = Edges(Damaging(InProcess(sandbox.app)), sandbox, clock)
    luck = random.Random(seed)
    try:
        await edges.learn()
        for _ in range(count):
            end = await edges.once(luck)
            found[end] = found.get(end, 0) + 1
    finally:
        await edges.aclose()
        await sandbox.stop()


def main(seed: int, count: int) -> dict[str, Any]:
    found: dict[str, int] = {}
    asyncio.run(run(seed, count, found))
    return found
