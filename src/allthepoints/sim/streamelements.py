"""StreamElements' REST interface, as far as a viewer uses it: channels, loyalty, points, stores, redemptions.

Strict: no parameter it does not know, no JWT in an address, JSON said to be JSON. Whatever it counts stands in the
journal; what a redemption takes is decided in `store`, in one step.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from allthepoints.base.clock import Clock
from allthepoints.sim import elements_shapes as shapes
from allthepoints.sim.agenda import Agenda
from allthepoints.sim.elements import Elements, SeChannel, StoreItem
from allthepoints.sim.elements_call import GUID, Call, field_of, invalid
from allthepoints.sim.limits import MinuteWindow
from allthepoints.sim.store import redeem
from allthepoints.sim.tally import Journal
from allthepoints.sim.troubles import Troubles
from allthepoints.sim.web import Problem, answer, cut, elements_error, page, troubled, wait_or_gone
from allthepoints.sim.world import User, World

FORBIDDEN = "Not allowed to perform this operation"

PATIENCE = 100.0
"""Seconds after which the proxy in front gives up what is behind it (524)."""

_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.")
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class _Wish(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a redemption."""

    input: tuple[str, ...] = ()
    message: str | None = None


Handler = Callable[[Call], object]


class StreamElements:
    """The endpoints over the world. `per_minute`: calls for points and redemptions; `store_page`: 0 for all."""

    def __init__(
        self,
        world: World,
        elements: Elements,
        journal: Journal,
        troubles: Troubles,
        agenda: Agenda,
        clock: Clock,
        per_minute: int,
        store_page: int,
    ) -> None:
        self._world = world
        self._elements = elements
        self._journal = journal
        self._troubles = troubles
        self._agenda = agenda
        self._clock = clock
        self._window = MinuteWindow(per_minute)
        self._store_page = store_page

    def routes(self) -> list[BaseRoute]:
        """To be mounted under /kappa/v2."""
        paged = ("limit", "offset")
        return [
            self._route("/channels/me", "channels/me", self._me),
            self._route("/channels/{channel}", "channels", self._channel),
            self._route("/users/current", "users/current", self._user),
            self._route("/loyalty/{channel}", "loyalty", self._loyalty),
            self._route("/points/{channel}/top", "points/top", self._top, *paged, limited=True),
            self._route("/points/{channel}/{login}", "points", self._points, limited=True),
            self._route("/points/{channel}/{login}/rank", "points/rank", self._rank, limited=True),
            self._route("/store/{channel}/items", "items", self._items, "source", *paged),
            self._route("/store/{channel}/items/{item}", "item", self._item),
            self._route("/store/{channel}/redemptions/me", "redemptions/me", self._history, *paged, limited=True),
            Route("/store/{channel}/redemptions/{item}", self._redemption, methods=_METHODS),
            Route("/{path:path}", self._unknown, methods=_METHODS),
        ]

    # -- who -------------------------------------------------------------------------------------------------------
    def _channel(self, call: Call) -> object:
        name = call.text("channel")
        found = self._elements.named(name)
        if not GUID.match(name) and name != name.lower():
            self._odd(call.name, "a name that is not in lower case")
        if found is None:
            raise Problem(404, f"channel {name} was not found")
        return shapes.channel(found)

    def _me(self, call: Call) -> object:
        return shapes.own_channel(self._caller(call.request))

    def _user(self, call: Call) -> object:
        return shapes.user(self._caller(call.request))

    def _loyalty(self, call: Call) -> object:
        return shapes.loyalty(self._of_path(call))

    # -- points ----------------------------------------------------------------------------------------------------
    def _points(self, call: Call) -> object:
        channel, viewer = self._of_path(call), self._viewer(call)
        now = self._clock.now()
        earned = self._elements.earned(channel, viewer, now)
        points: Any = self._elements.balance(channel, viewer, now)
        if (odd := self._troubles.take("odd_points", now, channel=channel.owner.id)) is not None:
            points = _odd_number(odd["kind"], points)
        return {
            "channel": channel.id,
            "username": viewer.login,
            **({} if points is msgspec.UNSET else {"points": points}),
            "pointsAlltime": earned.points,
            "watchtime": round(earned.payments * channel.terms.now.interval / 60),
            "rank": self._place(channel, viewer, now),
        }

    def _rank(self, call: Call) -> object:
        channel, viewer = self._of_path(call), self._viewer(call)
        return {"username": viewer.login, "rank": self._place(channel, viewer, self._clock.now())}

    def _top(self, call: Call) -> object:
        channel, now = self._of_path(call), self._clock.now()
        limit, offset = call.number("limit", 100, 1, 1000), call.number("offset", 0, 0)
        ours = [self._world.users[viewer] for viewer in channel.purses]
        mine = [(one.login, self._elements.balance(channel, one, now)) for one in ours]
        rows = sorted([*self._elements.crowd(channel), *mine], key=lambda row: -row[1])
        users = [{"username": login, "points": points} for login, points in rows[offset : offset + limit]]
        return {"_total": len(rows), "users": users}

    def _viewer(self, call: Call) -> User:
        """Whom the path names, if it ever had points in the path's channel. Raises Problem 404."""
        login = call.text("login")
        if login != login.lower():
            self._odd(call.name, "a login that is not in lower case")
        viewer = self._world.by_login(login)
        if viewer is None or not self._elements.knows(self._of_path(call), viewer, self._clock.now()):
            raise Problem(404, "")
        return viewer

    def _place(self, channel: SeChannel, viewer: User, now: float) -> int:
        points = self._elements.balance(channel, viewer, now)
        return 1 + sum(other > points for _, other in self._elements.crowd(channel))

    # -- the store -------------------------------------------------------------------------------------------------
    def _items(self, call: Call) -> object:
        channel = self._of_path(call)
        source = call.request.query_params.get("source", "all")
        if source not in ("all", "website", "bot", "extension"):
            raise invalid("source", '"source" must be one of [website, bot, extension, all]')
        limit, offset = call.number("limit", self._store_page, 1, 1000), call.number("offset", 0, 0)
        shown = [one for one in channel.items.values() if source == "all" or source in one.sources]
        cut_off = shown[offset : offset + limit] if limit else shown[offset:]
        odd = self._troubles.take("odd_items", self._clock.now(), channel=channel.owner.id)
        rows = [shapes.item(channel, one) for one in cut_off]
        return rows if odd is None else [shapes.odd_item(row, odd["kind"]) for row in rows]

    def _item(self, call: Call) -> object:
        caller, channel = self._caller(call.request), self._of_path(call)
        return shapes.item(channel, self._item_of_path(call, channel), for_owner=caller is channel)

    def _history(self, call: Call) -> object:
        """All of the caller's under the caller's own id; under another channel's those of that channel."""
        caller, channel = self._caller(call.request), self._of_path(call)
        bought = self._elements.bought_by(caller.id)
        if channel is not caller:
            bought = [one for one in bought if one.channel is channel]
        limit, offset = call.number("limit", len(bought), 1), call.number("offset", 0, 0)
        return shapes.history(bought[::-1][offset : offset + limit], len(bought))

    # -- a redemption ----------------------------------------------------------------------------------------------
    async def _redemption(self, request: Request) -> Response:
        """The POST, with all that can befall it on its way there and back."""
        call = Call(request, "redeem", frozenset())
        self._count(call)
        if request.method != "POST":
            return await self._served(call, self._not_that_way, limited=True)
        self._journal.redemption_calls += 1
        self._troubles.came_to("redeem")
        now, channel, raw = self._clock.now(), self._channel_id(call), await request.body()
        if (lost := self._troubles.take("lost_before_booking", now, channel=channel)) is not None:
            return await self._lost(request, lost["kind"])
        if (late := self._troubles.take("booked_late", now, channel=channel)) is not None:
            self._agenda.later(late["delay"], lambda: self._book_unheard(call, raw))
            return await self._lost(request, late["kind"])
        silent = self._troubles.take("booked_no_answer", now, channel=channel)
        slow = self._troubles.take("slow_booking", now, channel=channel)
        response = await self._served(call, lambda c: self._book(c, raw), limited=True)
        if slow is not None:
            await wait_or_gone(request, self._clock, slow["delay"])
        return response if silent is None else await self._lost(request, silent["kind"])

    def _book(self, call: Call, raw: bytes) -> object:
        caller = self._caller(call.request)
        channel = self._of_path(call)
        item, wish = self._item_of_path(call, channel), self._wish(call, raw)
        if wish.message is not None and not item.takes_message:
            self._odd(call.name, "a message where none is taken")
        now = self._clock.now()
        return shapes.redemption(
            redeem(self._elements, channel, item, caller.owner, caller.id, wish.input, wish.message, now)
        )

    def _book_unheard(self, call: Call, raw: bytes) -> None:
        try:
            self._book(call, raw)
        except Problem:
            return  # refused, and nobody hears of that either

    def _wish(self, call: Call, raw: bytes) -> _Wish:
        if not raw:
            return _Wish()
        if not call.request.headers.get("content-type", "").startswith("application/json"):
            self._odd(call.name, "a body that is not said to be JSON")
        try:
            return msgspec.json.decode(raw, type=_Wish)
        except msgspec.DecodeError:
            raise invalid("input", '"input" must be an array') from None

    async def _lost(self, request: Request, kind: str) -> Response:
        """An answer that never comes, or says nothing of what happened."""
        if kind == "reset":
            return await cut(request)
        if kind == "hang":
            await wait_or_gone(request, self._clock, PATIENCE)
            return page(524)
        return page(502) if kind == "html" else elements_error(500, "An internal server error occurred")

    def _channel_id(self, call: Call) -> str:
        """At Twitch, for the faults' sake; "" for none."""
        found = self._elements.channels.get(call.text("channel").lower())
        return "" if found is None else found.owner.id

    # -- one call --------------------------------------------------------------------------------------------------
    def _route(self, path: str, name: str, handler: Handler, *known: str, limited: bool = False) -> Route:
        allowed = frozenset(known)

        async def endpoint(request: Request) -> Response:
            call = Call(request, name, allowed)
            self._count(call)
            return await self._served(call, handler if request.method == "GET" else self._not_that_way, limited=limited)

        return Route(path, endpoint, methods=_METHODS)

    async def _served(self, call: Call, handler: Handler, *, limited: bool) -> Response:
        if (response := await troubled(call.request, self._troubles, self._clock)) is not None:
            return response
        now = self._clock.now()
        headers = {"date": formatdate(now, usegmt=True)}
        try:
            if limited:
                allowed = self._window.take(now)
                headers |= self._window.headers(now)
                if not allowed:
                    self._journal.elements_limited += 1
                    raise Problem(429, "Too Many Requests")
            return answer(handler(call), 200, headers)
        except Problem as problem:
            return elements_error(problem.status, problem.message, headers, field_of(problem))

    def _count(self, call: Call) -> None:
        self._journal.elements[call.name] += 1
        self._journal.elements_window.attempt(self._clock.now())
        query = call.request.query_params
        for name in query:
            if name not in call.known:
                self._odd(call.name, f"unknown query parameter {name[:32]!r}")
        if _JWT.search(str(call.request.url)):
            self._odd(call.name, "a JWT in the address")

    def _not_that_way(self, call: Call) -> object:
        self._odd(call.name, f"method {call.request.method}")
        raise Problem(404, "")

    async def _unknown(self, request: Request) -> Response:
        self._count(Call(request, "unknown", frozenset(request.query_params)))
        self._odd("unknown", f"{request.method} of an endpoint that is not there")
        return elements_error(404, "")

    def _caller(self, request: Request) -> SeChannel:
        """Whose JWT it is. Raises Problem 401, and 403 for what is no JWT."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme in ("apikey", "oAuth", "oauth2"):
            self._journal.odd("StreamElements: a token that is not the viewer's JWT")
            raise Problem(403, FORBIDDEN)
        caller = self._elements.whose_jwt(text, self._clock.now()) if scheme == "Bearer" else None
        if caller is None:
            raise Problem(401, FORBIDDEN)
        return caller

    def _of_path(self, call: Call) -> SeChannel:
        found = self._elements.channels.get(call.guid("channel"))
        if found is None:
            raise Problem(404, "")
        return found

    def _item_of_path(self, call: Call, channel: SeChannel) -> StoreItem:
        found = channel.items.get(call.guid("item"))
        if found is None:
            raise Problem(404, "")
        return found

    def _odd(self, name: str, text: str) -> None:
        self._journal.odd(f"StreamElements {name}: {text}")


def _odd_number(kind: str, points: int) -> object:
    """Numbers as nobody should send them."""
    odd: dict[str, object] = {
        "null": None,
        "text": str(points),
        "float": points + 0.5,
        "negative": -points - 1,
        "huge": 2**63,
        "missing": msgspec.UNSET,
    }
    return odd[kind]
