"""Helix, as far as allthepoints may use it: users, streams, followed streams, followed channels, in their real shapes.

Strict: headers, scopes, whose token it is, at most 100 of a kind, no parameter that Helix does not know.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from allthepoints.base.clock import Clock
from allthepoints.sim.limits import PointBucket
from allthepoints.sim.tally import Journal
from allthepoints.sim.tokens import AccessToken, TokenBook
from allthepoints.sim.troubles import Troubles
from allthepoints.sim.web import Problem, answer, helix_error, troubled
from allthepoints.sim.world import Stream, User, World

_LOGIN = re.compile(r"[A-Za-z0-9_]{1,25}\Z")
_ID = re.compile(r"[0-9]{1,20}\Z")
_AT_MOST = 100

Row = dict[str, object]
T = TypeVar("T")


@dataclass(slots=True)
class Caller:
    """Who calls: a valid token with its client id. `user` is None for an app token."""

    token: AccessToken
    user: User | None

    def must_be(self, user_id: str, scope: str) -> User:
        """The user, if the token has the scope and is that user's. Raises Problem 401."""
        if scope not in self.token.scopes:
            raise Problem(401, f"Missing scope: {scope}")
        if self.user is None or self.user.id != user_id:
            raise Problem(401, "The ID in user_id must match the user ID found in the request's OAuth token.")
        return self.user


class Query:
    """The query parameters of one call; those that the endpoint does not know are noted, and ignored as Helix does."""

    def __init__(self, items: Iterable[tuple[str, str]], known: frozenset[str], odd: Callable[[str], None]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in items:
            if name in known:
                self._values.setdefault(name, []).append(value)
            else:
                odd(f"unknown query parameter {name[:32]!r}")

    def all(self, name: str, form: re.Pattern[str] | None = None) -> list[str]:
        """Every value. Raises Problem 400 for more than 100 or one of the wrong form."""
        values = self._values.get(name, [])
        if len(values) > _AT_MOST:
            raise Problem(400, f"The parameter {name!r} was malformed: you may only send 100 of each parameter")
        if form is not None and not all(form.match(value) for value in values):
            raise Problem(400, "Invalid login names, emails or IDs in request")
        return values

    def one(self, name: str) -> str | None:
        values = self._values.get(name)
        return values[-1] if values else None

    def first(self, default: int) -> int:
        """How many rows a page may have."""
        text = self.one("first")
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or int(text) < 1:
            raise Problem(400, 'The parameter "first" was malformed: the value must be greater than or equal to 1')
        if int(text) > _AT_MOST:
            raise Problem(400, 'The parameter "first" was malformed: the value must be less than or equal to 100')
        return int(text)


Handler = Callable[[Query, Caller, str], object]


class Helix:
    """The endpoints over the world."""

    def __init__(
        self, world: World, journal: Journal, tokens: TokenBook, troubles: Troubles, clock: Clock, points: int
    ) -> None:
        self._world = world
        self._journal = journal
        self._tokens = tokens
        self._troubles = troubles
        self._clock = clock
        self._points = points
        self._buckets: dict[tuple[str, str | None], PointBucket] = {}

    def routes(self) -> list[BaseRoute]:
        """To be mounted under /helix."""
        paged = ("first", "after")
        streams = ("user_id", "user_login", "game_id", "language", "type", "before", *paged)
        return [
            self._route("/users", self._users, "id", "login"),
            self._route("/streams", self._streams, *streams),
            self._route("/streams/followed", self._followed_streams, "user_id", *paged),
            self._route("/channels/followed", self._followed_channels, "user_id", "broadcaster_id", *paged),
            Route("/{path:path}", self._unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ]

    # -- endpoints -------------------------------------------------------------------------------------------------
    def _users(self, query: Query, caller: Caller, _path: str) -> object:
        ids, logins = query.all("id", _ID), query.all("login", _LOGIN)
        if len(ids) + len(logins) > _AT_MOST:
            raise Problem(400, "The sum of ids and logins must not exceed 100")
        self._refuse_bad(ids, logins)
        if not ids and not logins:
            if caller.user is None:
                raise Problem(400, "Must provide an ID, Login or OAuth Token")
            return {"data": [_user_row(caller.user)]}
        found = [self._world.users.get(user_id) for user_id in ids] + [self._world.by_login(name) for name in logins]
        unique = {user.id: user for user in found if user is not None and user.exists}
        return {"data": [_user_row(user) for user in unique.values()]}

    def _streams(self, query: Query, _caller: Caller, path: str) -> object:
        if query.one("type") not in (None, "all", "live"):
            raise Problem(400, 'The parameter "type" was malformed: value must be one of "all" or "live"')
        ids, logins = query.all("user_id", _ID), query.all("user_login", _LOGIN)
        query.all("game_id")
        query.all("language")
        self._refuse_bad(ids, logins)
        wanted_ids, wanted_logins = set(ids), {login.lower() for login in logins}
        shown = self._shown()
        if ids or logins:
            shown = [(user, s) for user, s in shown if user.id in wanted_ids or user.login in wanted_logins]
        return self._page(query, path, shown, 20, self._stream_row)

    def _followed_streams(self, query: Query, caller: Caller, path: str) -> object:
        me = caller.must_be(self._needed(query, "user_id"), "user:read:follows")
        followed = self._world.follows.get(me.id, {})
        shown = [(user, stream) for user, stream in self._shown() if user.id in followed]
        return self._page(query, path, shown, 100, self._stream_row)

    def _followed_channels(self, query: Query, caller: Caller, path: str) -> object:
        me = caller.must_be(self._needed(query, "user_id"), "user:read:follows")
        followed = sorted(self._world.follows.get(me.id, {}).items(), key=lambda item: -item[1])
        rows = [(user, at) for user_id, at in followed if (user := self._world.users[user_id]).exists]
        if (only := query.one("broadcaster_id")) is not None:
            rows = [(user, at) for user, at in rows if user.id == only]
        return {"total": len(rows), **self._page(query, path, rows, 20, _follow_row)}

    async def _unknown(self, request: Request) -> Response:
        self._journal.odd(f"Helix: unknown endpoint {request.method} {request.scope['path'][:64]}")
        return helix_error(404, "")

    # -- one call --------------------------------------------------------------------------------------------------
    def _route(self, path: str, handler: Handler, *known: str) -> Route:
        allowed = frozenset(known)

        async def endpoint(request: Request) -> Response:
            self._journal.helix[path] += 1
            response = await troubled(request, self._troubles, self._clock)
            if response is not None:
                return response
            if request.method != "GET":
                self._journal.odd(f"Helix: {request.method} {path}")
                return helix_error(405, "")
            return self._call(request, path, handler, allowed)

        return Route(path, endpoint, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])

    def _call(self, request: Request, path: str, handler: Handler, known: frozenset[str]) -> Response:
        headers: dict[str, str] = {}
        try:
            caller = self._caller(request)
            bucket = self._bucket(caller.token)
            affordable = bucket.take(self._clock.now())
            headers = bucket.headers(self._clock.now())
            if not affordable:
                self._journal.helix_limited += 1
                raise Problem(429, "Too Many Requests")
            query = Query(request.query_params.multi_items(), known, lambda text: self._odd(path, text))
            return answer(handler(query, caller, path), 200, headers)
        except Problem as problem:
            if problem.status == 400:
                self._odd(path, problem.message)
            return helix_error(problem.status, problem.message, headers)

    def _caller(self, request: Request) -> Caller:
        authorization, client_id = request.headers.get("authorization"), request.headers.get("client-id")
        if authorization is None:
            self._journal.odd("Helix: no Authorization header")
            raise Problem(401, "OAuth token is missing")
        if client_id is None:
            self._journal.odd("Helix: no Client-Id header")
            raise Problem(401, "Client ID is missing")
        scheme, _, text = authorization.partition(" ")
        if scheme != "Bearer":
            self._journal.odd("Helix: Authorization is not Bearer")
            raise Problem(401, "OAuth token is missing")
        token = self._tokens.valid(text, self._clock.now())
        if token is None:
            raise Problem(401, "Invalid OAuth token")
        if token.client_id != client_id:
            self._journal.odd("Helix: Client-Id does not own the token")
            raise Problem(401, "Client ID and OAuth token do not match")
        return Caller(token, self._world.users.get(token.user_id or ""))

    def _bucket(self, token: AccessToken) -> PointBucket:
        """Each client has one for its app tokens, and one for each user."""
        return self._buckets.setdefault((token.client_id, token.user_id), PointBucket(self._points))

    # -- rows and pages --------------------------------------------------------------------------------------------
    def _shown(self) -> list[tuple[User, Stream]]:
        """What the cache shows, most viewers first, without what faults hide."""
        now = self._clock.now()
        if self._troubles.take("empty_streams", now) is not None:
            return []
        shown = [
            (user, stream)
            for user, stream in self._world.shown(now)
            if self._troubles.take("flap", now, channel=user.id) is None
        ]
        return sorted(shown, key=lambda pair: (-pair[1].viewers, pair[0].id))

    def _page(self, query: Query, path: str, rows: list[T], default: int, show: Callable[[T], Row]) -> Row:
        first, offset, now = query.first(default), _offset(query), self._clock.now()
        where = f"/helix{path}"
        if offset and self._troubles.take("page_fails", now, path=where) is not None:
            raise Problem(500, "")
        end = offset + first
        start = offset - 1 if offset and self._troubles.take("repeat_row", now, path=where) is not None else offset
        following = end if end < len(rows) else None
        if following is not None and self._troubles.take("repeat_cursor", now, path=where) is not None:
            following = offset
        pagination = {} if following is None else {"cursor": _cursor(following)}
        return {"data": [show(row) for row in rows[start:end]], "pagination": pagination}

    def _stream_row(self, pair: tuple[User, Stream]) -> Row:
        user, stream = pair
        odd = self._troubles.take("odd_type", self._clock.now(), channel=user.id) is not None
        return {
            "id": stream.id,
            "user_id": user.id,
            "user_login": user.login,
            "user_name": user.display_name,
            "game_id": "509658",
            "game_name": "Just Chatting",
            "type": "" if odd else stream.helix_type,
            "title": stream.title,
            "viewer_count": stream.viewers,
            "started_at": _time(stream.started_at),
            "language": "en",
            "thumbnail_url": f"https://static-cdn.jtvnw.net/previews-ttv/live_user_{user.login}-{{width}}x{{height}}.jpg",
            "tag_ids": [],
            "tags": list(stream.tags),
            "is_mature": False,
        }

    def _refuse_bad(self, ids: list[str], logins: list[str]) -> None:
        """The fault `bad_id`: the whole batch fails for one of its members."""
        members = [user for name in ids if (user := self._world.users.get(name))]
        members += [user for name in logins if (user := self._world.by_login(name))]
        for user in members:
            if self._troubles.take("bad_id", self._clock.now(), channel=user.id) is not None:
                raise Problem(400, "Invalid login names, emails or IDs in request")

    def _needed(self, query: Query, name: str) -> str:
        value = query.one(name)
        if value is None:
            raise Problem(400, f"Missing required parameter {name!r}")
        return value

    def _odd(self, path: str, text: str) -> None:
        self._journal.odd(f"Helix {path}: {text}")


def _user_row(user: User) -> Row:
    return {
        "id": user.id,
        "login": user.login,
        "display_name": user.display_name,
        "type": "",
        "broadcaster_type": "",
        "description": "",
        "profile_image_url": "",
        "offline_image_url": "",
        "view_count": 0,
        "created_at": _time(user.created_at),
    }


def _follow_row(pair: tuple[User, float]) -> Row:
    user, since = pair
    return {
        "broadcaster_id": user.id,
        "broadcaster_login": user.login,
        "broadcaster_name": user.display_name,
        "followed_at": _time(since),
    }


@functools.lru_cache(maxsize=4096)
def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode({"b": None, "a": {"Offset": offset}})).decode()


def _offset(query: Query) -> int:
    """Where the page begins. Raises Problem 400 for a cursor that is not ours."""
    after, before = query.one("after"), query.one("before")
    if after is None and before is None:
        return 0
    try:
        place = msgspec.json.decode(base64.urlsafe_b64decode(after or before or ""))["a"]["Offset"]
        return int(place) if after else max(0, int(place) - query.first(20))
    except (binascii.Error, msgspec.DecodeError, LookupError, TypeError, ValueError):
        raise Problem(400, 'The parameter "after" was malformed: invalid cursor') from None
