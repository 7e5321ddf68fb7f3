"""What goes wrong at StreamElements, and what its streamers do while one watches."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from sandboxes import DAY, Chatter, elapse, http, sandbox, signed_in

from allthepoints.sim.days import calm_day, demo_day, stormy_day
from allthepoints.sim.faults import check
from allthepoints.sim.scenario import Broadcast, ChannelPlan, ItemPlan, LoyaltyPlan, ScenarioError, parse
from allthepoints.sim.server import Sandbox

pytestmark = pytest.mark.anyio

BASE = "/kappa/v2"
STORE = (ItemPlan("Horn", 10, total=3), ItemPlan("Map", 20))


@dataclass
class Seat:
    """Someone who sits in a chat that pays 5 points every 10 minutes, without lag."""

    box: Sandbox
    client: httpx2.AsyncClient
    chatter: Chatter
    alpha: str

    async def sit(self, minutes: float) -> None:
        for _ in range(round(minutes / 2.5)):
            await elapse(self.box, 150)
            await self.chatter.say("PONG :tmi.twitch.tv")

    async def get(self, path: str) -> httpx2.Response:
        return await self.client.get(f"{BASE}{path}")

    async def points(self) -> Any:
        return (await self.get(f"/points/{self.alpha}/me")).json().get("points")

    async def items(self) -> Any:
        return (await self.get(f"/store/{self.alpha}/items")).json()


@asynccontextmanager
async def seated(balance: int = 100) -> AsyncIterator[Seat]:
    plan = ChannelPlan(
        "alpha", broadcasts=(Broadcast(0, DAY),), balance=balance, store=STORE, loyalty=LoyaltyPlan(lag=0.0)
    )
    async with sandbox(plan, ChannelPlan("beta", elements=False)) as box, http(box) as client:
        chatter = await signed_in(box)
        await chatter.say("JOIN #alpha")
        alpha = box.elements.of(box.world.find("alpha"))
        assert alpha is not None
        yield Seat(box, client, chatter, alpha.id)


# -- points ------------------------------------------------------------------------------------------------------------
async def test_fc_50_points_come_and_go_otherwise() -> None:
    async with seated() as seat:
        seat.box.fault("points_add", channel="alpha", amount=-500)
        assert await seat.points() == 0, "never below none"
        seat.box.fault("points_add", channel="alpha", amount=40)
        await seat.sit(10)
        assert await seat.points() == 45
        seat.box.fault("points_set", channel="alpha", to=7)
        assert await seat.points() == 7
        await seat.sit(10)
        seat.box.fault("points_reset", channel="alpha")
        assert await seat.points() == 0
        await seat.sit(10)
        seat.box.fault("points_restore", channel="alpha")
        assert await seat.points() == 12, "what it was before the reset; what came since is lost"
        reading = (await seat.get(f"/points/{seat.alpha}/me")).json()
        assert (reading["pointsAlltime"], reading["watchtime"]) == (15, 30), "watching only"
        tally = seat.box.tally()
        assert (tally.points_paid, tally.points_possible, tally.channels[0].balance) == (15, 15, 12)


async def test_fc_50_loyalty_off_ignored_and_no_bot() -> None:
    async with seated() as seat:
        await seat.sit(10)
        seat.box.fault("loyalty", channel="alpha", on=False)
        assert (await seat.get(f"/loyalty/{seat.alpha}")).json()["loyalty"]["enabled"] is False
        await seat.sit(20)
        assert await seat.points() == 105
        seat.box.fault("loyalty", channel="alpha", on=True, amount=8)
        await seat.sit(10)
        assert await seat.points() == 113
        seat.box.fault("ignore_us", channel="alpha")
        assert (await seat.get(f"/loyalty/{seat.alpha}")).json()["loyalty"]["ignored"] == ["me"]
        await seat.sit(10)
        seat.box.fault("ignore_us", channel="alpha", on=False)
        seat.box.fault("bot_absent", channel="alpha", seconds=1230)
        await seat.sit(20)
        assert await seat.points() == 113
        await seat.sit(10)
        assert await seat.points() == 121
        tally = seat.box.tally()
        assert (tally.points_paid, tally.points_possible) == (21, 21), "what nobody is paid is not possible either"


@pytest.mark.parametrize(
    ("kind", "value"),
    [("null", None), ("text", "100"), ("float", 100.5), ("negative", -101), ("huge", 2**63), ("missing", "nothing")],
)
async def test_odd_numbers(kind: str, value: object) -> None:
    async with seated() as seat:
        seat.box.fault("odd_points", kind=kind)
        assert (await seat.get(f"/points/{seat.alpha}/me")).json().get("points", "nothing") == value
        assert await seat.points() == 100


def test_a_channel_that_is_not_there_cannot_change() -> None:
    assert check("points_set", {"channel": "beta", "to": 5})["account"] is None
    with pytest.raises(ValueError, match="needs 'amount'"):
        check("points_add", {"channel": "alpha"})


async def test_orders_that_cannot_be_carried_out() -> None:
    async with seated() as seat:
        for name, given, words in (
            ("points_set", {"channel": "beta", "to": 5}, "beta is not at StreamElements"),
            ("price", {"channel": "alpha", "item": "Moon", "cost": 5}, "no item 'Moon' in the store of alpha"),
            ("points_restore", {"channel": "alpha"}, "nothing was reset there"),
        ):
            with pytest.raises(ValueError, match=words):
                seat.box.fault(name, **given)


# -- stores ------------------------------------------------------------------------------------------------------------
async def test_fc_49_a_store_changes() -> None:
    async with seated() as seat:
        horn, moved = (await seat.items())[0], await seat.items()
        await elapse(seat.box, 60)
        seat.box.fault("price", channel="alpha", item="Horn", cost=15)
        seat.box.fault("stock", channel="alpha", item=horn["_id"], left=0)
        changed = (await seat.items())[0]
        assert (changed["cost"], changed["quantity"]) == (15, {"total": 3, "current": 0})
        assert changed["updatedAt"] > horn["updatedAt"]
        seat.box.fault("stock", channel="alpha", item="Horn", left=9)
        assert (await seat.items())[0]["quantity"] == {"total": 9, "current": 9}
        seat.box.fault("stock", channel="alpha", item="Horn", left=-1)
        assert (await seat.items())[0]["quantity"] == {"total": -1, "current": -1}
        seat.box.fault("item_enabled", channel="alpha", on=False)
        assert [one["enabled"] for one in await seat.items()] == [False, False]
        seat.box.fault("item_enabled", channel="alpha", item="Map")
        assert [one["enabled"] for one in await seat.items()] == [False, True]
        seat.box.fault("delete_item", channel="alpha", item="Horn")
        assert [one["_id"] for one in await seat.items()] == [moved[1]["_id"]]


async def test_fc_49_items_with_little_in_them() -> None:
    async with seated() as seat:
        seat.box.fault("odd_items", kind="bare")
        assert set((await seat.items())[0]) == {"_id", "channel", "name", "cost"}
        seat.box.fault("odd_items", kind="old")
        old = (await seat.items())[0]
        assert (old["cooldown"], "quantity" in old, "preview" in old) == (0, False, True)
        assert "quantity" in (await seat.items())[0]


# -- outages -----------------------------------------------------------------------------------------------------------
async def test_the_page_of_the_proxy() -> None:
    async with seated() as seat:
        seat.box.fault("elements_html", seconds=1200.0)
        answer = await seat.get("/channels/alpha")
        assert (answer.status_code, answer.headers["content-type"]) == (520, "text/html; charset=utf-8")
        await elapse(seat.box, 1200)
        assert (await seat.get("/channels/alpha")).status_code == 200
        seat.box.fault("elements_html", code=503, n=1, path="/kappa/v2/store")
        assert (await seat.get("/channels/alpha")).status_code == 200
        assert (await seat.get(f"/store/{seat.alpha}/items")).status_code == 503


async def test_errors_in_streamelements_own_words() -> None:
    async with seated() as seat:
        seat.box.fault("status", path="/kappa", code=429, reset=45.0, retry_after="30s")
        answer = await seat.get(f"/points/{seat.alpha}/me")
        assert answer.json() == {"statusCode": 429, "error": "Too Many Requests"}
        assert answer.headers["x-ratelimit-remaining"] == "0"
        assert int(answer.headers["x-ratelimit-reset"]) == (seat.box.clock.now() + 45) * 1000
        assert answer.headers["retry-after"] == "30"
        seat.box.fault("status", path="/kappa/v2/points", code=401)
        assert (await seat.get("/channels/alpha")).status_code == 200
        assert (await seat.get(f"/points/{seat.alpha}/me")).json()["message"] == "Not allowed to perform this operation"
        seat.box.fault("status", path="/kappa", code=500, message="An internal server error occurred")
        assert (await seat.get("/channels/alpha")).json() == {
            "statusCode": 500,
            "error": "Internal Server Error",
            "message": "An internal server error occurred",
        }
        seat.box.fault("body", path="/kappa", kind="foreign")
        answer = await seat.get("/channels/alpha")
        assert (answer.status_code, answer.json()) == (200, {"statusCode": "404", "error": "Not Found"})
        assert seat.box.tally().elements_limited == 0, "a fault is not the client's"


async def test_trouble_with_streamelements_leaves_twitch_alone() -> None:
    async with seated() as seat:
        seat.box.fault("status", path="/kappa", seconds=600.0)
        assert (await seat.client.get("/oauth2/validate")).status_code == 401
        assert (await seat.client.get("/helix/users")).status_code == 401
        seat.box.fault("status", path="/helix", seconds=600.0)
        seat.box.heal("status")
        assert (await seat.get("/channels/alpha")).status_code == 200


# -- days --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(6))
def test_the_demo_has_all_that_keeps_one_from_being_paid(seed: int) -> None:
    day = demo_day(seed)
    assert sum(not plan.elements for plan in day.channels) == 3
    assert any(plan.elements and not plan.loyalty.enabled for plan in day.channels)
    assert sum("me" in plan.loyalty.ignored for plan in day.channels) == 1
    open_stores = [plan for plan in day.channels if plan.elements]
    assert all(2 <= len(plan.store) <= 4 and plan.balance >= 100 for plan in open_stores)
    assert all(plan.store[0].cost <= plan.balance < plan.store[1].cost for plan in open_stores)
    assert sum(item.type == "code" for plan in open_stores for item in plan.store) >= 5
    names = [fault.name for fault in day.faults]
    assert {"bot_absent", "elements_html", "price", "points_add"} <= set(names)
    assert all(plan.store for plan in calm_day(seed=seed).channels)
    assert "elements_html" in {fault.name for fault in stormy_day(seed=seed).faults}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("build", [demo_day, lambda seed: stormy_day(40, seed)])
async def test_a_whole_day_of_orders_can_be_carried_out(build: Any, seed: int) -> None:
    async with sandbox(scenario=build(seed)) as box:
        await elapse(box, DAY)
        assert sum(box.tally().faults.values()) == len(build(seed).faults)
        assert box.tally().points_possible > 500


GOOD = """
[account]
subscribes = ["alpha"]
[[channels]]
login = "alpha"
balance = 250
loyalty = { currency = "acorns", interval = "5m", subscriber_multiplier = 2, tells_interval = false }
[[channels.store]]
name = "Map"
cost = 300
asks = ["Which?"]
cooldown_user = "10m"
[[channels.store]]
name = "Key"
cost = 50
type = "code"
codes = ["A", "B"]
[[channels]]
login = "beta"
elements = false
"""


def test_stores_stand_in_scenario_files() -> None:
    alpha, beta = parse(GOOD).channels
    assert (alpha.balance, alpha.loyalty.currency, alpha.loyalty.interval) == (250, "acorns", 300)
    assert [(item.name, item.cost, item.cooldown_user) for item in alpha.store] == [("Map", 300, 600), ("Key", 50, 0)]
    assert beta.elements is False


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("name = 'x'", "missing required field `cost`"),
        ("name = 'x'\ncost = -1", "item 'x': cost and total must not be negative"),
        ("name = 'x'\ncost = 1\nid = '12'", "item 'x': an id has 24 hexadecimal digits"),
        ("name = 'x'\ncost = 1\ncodes = ['a']", "codes are for items of type"),
        ("name = 'x'\ncost = 1\nsources = ['moon']", "Invalid enum value 'moon'"),
    ],
)
def test_errors_in_a_store_name_the_item(item: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        parse(f"[[channels]]\nlogin = 'a'\n[[channels.store]]\n{item}")
