"""Steering a sandbox from another process: JSON under /sandbox, on the same loopback server as Helix."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from allthepoints.sim.elements import JWT_LIFE
from allthepoints.sim.faults import FAULTS
from allthepoints.sim.web import answer

if TYPE_CHECKING:
    from allthepoints.sim.server import Sandbox

T = TypeVar("T")


class _Order(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    parameters: dict[str, Any] = msgspec.field(default_factory=dict, name="with")


class _Healing(msgspec.Struct, forbid_unknown_fields=True):
    name: str | None = None


class _Live(msgspec.Struct, forbid_unknown_fields=True):
    channel: str
    live: bool
    title: str = ""
    kind: str = "live"
    helix_type: str | None = None
    tags: tuple[str, ...] = ()


class _Approval(msgspec.Struct, forbid_unknown_fields=True):
    user_code: str | None = None
    account: str | None = None
    deny: bool = False


class _TokenWish(msgspec.Struct, forbid_unknown_fields=True):
    scopes: tuple[str, ...] = ("chat:read", "user:read:follows")
    account: str | None = None
    client_id: str | None = None


class _JwtWish(msgspec.Struct, forbid_unknown_fields=True):
    account: str | None = None
    expires_in: float = JWT_LIFE
    foreign: bool = False


class _User(msgspec.Struct, forbid_unknown_fields=True):
    login: str
    id: str = ""
    followed: bool = True


class Control:
    """The endpoints. Errors: 400 with a `message`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[BaseRoute]:
        """To be mounted under /sandbox."""
        return [
            Route("/tally", self._tally, methods=["GET"]),
            Route("/state", self._state, methods=["GET"]),
            Route("/faults", self._faults, methods=["GET"]),
            self._post("/fault", _Order, self._fault),
            self._post("/heal", _Healing, self._heal),
            self._post("/live", _Live, self._live),
            self._post("/approve", _Approval, self._approve),
            self._post("/tokens", _TokenWish, self._tokens),
            self._post("/jwt", _JwtWish, self._jwt),
            self._post("/channel", _User, self._channel),
        ]

    async def _tally(self, _request: Request) -> Response:
        """What was counted so far."""
        return answer(self._sandbox.tally())

    async def _state(self, _request: Request) -> Response:
        """Who is live, and where the account sits now."""
        world, me = self._sandbox.world, self._sandbox.account
        rooms = sorted(world.users[room].login for room in world.rooms(me.id))
        live = sorted(user.login for user in world.users.values() if user.on_air)
        connections = len(self._sandbox.hub.of(me))
        now = self._sandbox.clock.now()
        return answer({"now": now, "account": me.login, "live": live, "rooms": rooms, "connections": connections})

    async def _faults(self, _request: Request) -> Response:
        """The table of faults."""
        return answer([{"name": f.name, "does": f.does, "parameters": sorted(f.parameters)} for f in FAULTS.values()])

    def _fault(self, order: _Order) -> object:
        self._sandbox.fault(order.name, **order.parameters)
        return {"ordered": order.name}

    def _heal(self, healing: _Healing) -> object:
        self._sandbox.heal(healing.name)
        return {"healed": healing.name or "all"}

    def _live(self, wish: _Live) -> object:
        world, now = self._sandbox.world, self._sandbox.clock.now()
        channel = world.find(wish.channel)
        if not wish.live:
            world.go_offline(channel, now)
            return {"live": False}
        stream = world.go_live(
            channel, now, kind=wish.kind, helix_type=wish.helix_type, title=wish.title, tags=wish.tags
        )
        return {"live": True, "stream_id": stream.id}

    def _approve(self, approval: _Approval) -> object:
        code = self._sandbox.tokens.pending(approval.user_code)
        if code is None:
            raise LookupError("no such device code is pending")
        if approval.account is not None:
            code.user_id = self._sandbox.world.find(approval.account).id
        code.denied = approval.deny
        code.approve_at = self._sandbox.clock.now()
        return {"user_code": code.user_code, "approved": not approval.deny}

    def _tokens(self, wish: _TokenWish) -> object:
        pair = self._sandbox.issue_tokens(wish.scopes, account=wish.account, client_id=wish.client_id)
        return {"access_token": pair.access, "refresh_token": pair.refresh}

    def _jwt(self, wish: _JwtWish) -> object:
        return {"jwt": self._sandbox.issue_jwt(wish.account, wish.expires_in, foreign=wish.foreign)}

    def _channel(self, wish: _User) -> object:
        user = self._sandbox.add_channel(wish.login, channel_id=wish.id, followed=wish.followed)
        return {"id": user.id, "login": user.login}

    def _post(self, path: str, kind: type[T], handler: Callable[[T], object]) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                return answer(handler(msgspec.json.decode(await request.body() or b"{}", type=kind)))
            except (msgspec.DecodeError, ValueError, LookupError) as error:
                return answer({"message": str(error)}, 400)

        return Route(path, endpoint, methods=["POST"])
