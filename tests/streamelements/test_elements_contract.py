"""The contracts of `ports.PointsApi` and `ports.StoreApi`, kept by the fakes, and by the adapters on the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from allthepoints.base.errors import Unknown
from allthepoints.base.secret import Secret
from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core.loyalty import JwtState, LoyaltyChannel
from allthepoints.core.model import ChannelRef
from allthepoints.sim.elements import StoreItem, guid
from allthepoints.sim.points import Loyalty as Terms
from allthepoints.sim.scenario import Limits, Scenario
from allthepoints.sim.server import Sandbox
from allthepoints.streamelements.jwt import JwtKeeper
from allthepoints.streamelements.points import ElementsPoints
from allthepoints.streamelements.store import ElementsStore
from allthepoints.testing import contracts_points as contracts
from allthepoints.testing.clock import ManualClock
from allthepoints.testing.contracts_points import PointsStage, StoreStage
from allthepoints.testing.fakes_points import FakeElements, FakePointsApi, FakeStoreApi, Outcome
from allthepoints.web import Client

pytestmark = pytest.mark.anyio


class FakeStage:
    """The fakes."""

    def __init__(self) -> None:
        self.elements = FakeElements(ManualClock())
        self.api = FakePointsApi(self.elements)
        self.store = FakeStoreApi(self.elements)
        self.viewer = Login(self.elements.viewer.login)
        self.add = self.elements.add
        self.remove = self.elements.remove
        self.rename = self.elements.rename
        self.delete = self.elements.delete

    def add_elsewhere(self, login: str) -> None:
        self.elements.elsewhere.add(Login(login))

    def settle(self, login: str, **changes: Any) -> None:
        self.elements.set_loyalty(login, **changes)

    def give(self, login: str, points: int) -> None:
        self.elements.pay(login, points, minutes=0)

    def sell(self, login: str, name: str, cost: int, **more: Any) -> ItemId:
        return self.elements.sell(login, name, cost, **more).id

    def outage(self, on: bool) -> None:
        self.elements.trouble = Unknown("answered 502") if on else None

    def jwt(self, state: JwtState) -> None:
        self.elements.jwt = state

    def lose_answer(self, *, booked: bool) -> None:
        self.elements.answer_next(Outcome.UNKNOWN_BOOKED if booked else Outcome.UNKNOWN_LOST)

    def cut_off(self) -> None:
        self.elements.answer_next(Outcome.NOT_SENT)

    def booked(self) -> int:
        return len(self.elements.bought)


class Hurried:
    """A clock whose sleepers wake at once, that much later."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.now, self.jumped = clock.now, clock.jumped

    async def sleep(self, seconds: float) -> None:
        self._clock.advance(seconds)


class Cuttable(httpx2.AsyncBaseTransport):
    """A network that can be unplugged for one POST."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner
        self.cut_posts = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST" and self.cut_posts:
            self.cut_posts -= 1
            raise httpx2.ConnectError("unplugged")
        return await self._inner.handle_async_request(request)


class Jwts:
    """A store of the JWT in memory."""

    def __init__(self) -> None:
        self.held: Secret | None = None

    def load(self) -> Secret | None:
        return self.held

    def save(self, jwt: Secret) -> None:
        self.held = jwt

    def forget(self) -> None:
        self.held = None


class SandboxStage:
    """The adapters on a sandbox without sockets."""

    def __init__(self, sandbox: Sandbox, clock: ManualClock, client: Client, network: Cuttable) -> None:
        base, hurried = "http://localhost/kappa/v2", Hurried(clock)
        self.jwts = Jwts()
        self.api = ElementsPoints(client, base, hurried)
        self.store = ElementsStore(client, base, hurried, JwtKeeper(hurried, self.jwts))
        self.viewer = Login(sandbox.account.login)
        self._sandbox = sandbox
        self._clock = clock
        self._network = network
        self.jwt(JwtState.GOOD)

    def add(self, login: str) -> LoyaltyChannel:
        user = self._sandbox.add_channel(login)
        se = self._sandbox.elements.channels[guid("twitch", user.id)]
        return LoyaltyChannel(SeId(se.id), ChannelRef(UserId(user.id), Login(user.login), user.display_name))

    def add_elsewhere(self, login: str) -> None:
        user = self._sandbox.add_channel(login)
        self._sandbox.elements.channels.clear()
        self._sandbox.elements.add(user, Terms(), "youtube")

    def settle(self, login: str, **changes: Any) -> None:
        self._sandbox.elements.settle(self._channel(login), self._clock.now(), **changes)

    def give(self, login: str, points: int) -> None:
        self._sandbox.fault("points_add", channel=login, amount=points)

    def sell(self, login: str, name: str, cost: int, **more: Any) -> ItemId:
        channel = self._channel(login)
        codes = list(more.pop("codes", ()))
        stock = more.pop("stock", None)
        item = StoreItem(
            guid("item", channel.id, len(channel.items)),
            name,
            cost,
            kind="code" if codes else "perk",
            total=-1 if stock is None else max(stock, 5),
            left=-1 if stock is None else stock,
            codes=codes,
            **more,
        )
        channel.items[item.id] = item
        return ItemId(item.id)

    def remove(self, item: ItemId) -> None:
        for channel in self._sandbox.elements.channels.values():
            if item in channel.items:
                self._sandbox.fault("delete_item", channel=channel.owner.login, item=str(item))

    def rename(self, login: str, to: str) -> None:
        self._sandbox.fault("rename", channel=login, to=to)

    def delete(self, login: str) -> None:
        del self._sandbox.elements.channels[self._channel(login).id]

    def outage(self, on: bool) -> None:
        if on:
            self._sandbox.fault("elements_html", seconds=1e6, code=520)
        else:
            self._sandbox.heal("elements_html")

    def jwt(self, state: JwtState) -> None:
        match state:
            case JwtState.GOOD:
                self.jwts.held = Secret(self._sandbox.issue_jwt())
            case JwtState.EXPIRED:
                self.jwts.held = Secret(self._sandbox.issue_jwt(expires_in=-60))
            case JwtState.REFUSED:
                self.jwts.held = Secret(self._sandbox.issue_jwt(foreign=True))
            case JwtState.MALFORMED:
                self.jwts.held = Secret("anOverlayToken")
            case _:
                self.jwts.held = None

    def lose_answer(self, *, booked: bool) -> None:
        self._sandbox.fault("booked_no_answer" if booked else "lost_before_booking", kind="html")

    def cut_off(self) -> None:
        self._network.cut_posts = 1

    def booked(self) -> int:
        return sum(len(channel.redemptions) for channel in self._sandbox.elements.channels.values())

    @property
    def odd(self) -> object:
        """What the sandbox found wrong with our requests."""
        return self._sandbox.journal.errors

    def _channel(self, login: str) -> Any:
        found = self._sandbox.elements.of(self._sandbox.world.find(login))
        assert found is not None
        return found


@asynccontextmanager
async def sandboxed(**limits: int) -> AsyncIterator[SandboxStage]:
    clock = ManualClock()
    sandbox = Sandbox(Scenario(limits=replace_limits(limits)), clock)
    sandbox.begin()
    network = Cuttable(httpx2.ASGITransport(app=sandbox.app))
    client = Client(network)
    try:
        yield SandboxStage(sandbox, clock, client, network)
    finally:
        await client.aclose()
        await sandbox.stop()


def replace_limits(changes: dict[str, int]) -> Limits:
    return Limits(**changes)


@pytest.mark.parametrize("case", contracts.POINTS_API, ids=lambda case: case.__name__)
async def test_points_of_the_fakes(case: Callable[[PointsStage], Awaitable[None]]) -> None:
    await case(FakeStage())


@pytest.mark.parametrize("case", contracts.STORE_API, ids=lambda case: case.__name__)
async def test_store_of_the_fakes(case: Callable[[StoreStage], Awaitable[None]]) -> None:
    await case(FakeStage())


@pytest.mark.parametrize("case", contracts.POINTS_API, ids=lambda case: case.__name__)
async def test_points_of_the_sandbox(case: Callable[[PointsStage], Awaitable[None]]) -> None:
    async with sandboxed() as stage:
        await case(stage)
        assert not stage.odd


@pytest.mark.parametrize("case", contracts.STORE_API, ids=lambda case: case.__name__)
async def test_store_of_the_sandbox(case: Callable[[StoreStage], Awaitable[None]]) -> None:
    async with sandboxed() as stage:
        await case(stage)
        assert not stage.odd


@pytest.mark.parametrize("page", [0, 25, 60])
async def test_fc_49_a_store_comes_whole_whatever_the_page(page: int) -> None:
    async with sandboxed(store_page=page) as stage:
        await contracts.a_store_comes_whole(stage)
