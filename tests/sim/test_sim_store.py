"""Redemptions in the sandbox: what is taken, what is refused with which words, and what can befall one on its way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandboxes import DAY, elapse, http, sandbox

from allthepoints.base.clock import Chance, SystemClock
from allthepoints.sim.elements import Elements, StoreItem
from allthepoints.sim.limits import Limits
from allthepoints.sim.points import Loyalty
from allthepoints.sim.scenario import AccountPlan, Broadcast, ChannelPlan, ItemPlan, Scenario
from allthepoints.sim.server import Sandbox
from allthepoints.sim.store import redeem
from allthepoints.sim.web import Problem
from allthepoints.sim.world import User, World
from allthepoints.testing.clock import settle

pytestmark = pytest.mark.anyio

BASE = "/kappa/v2"
OTHERS = tuple(AccountPlan(f"other{number}", id=str(2000 + number)) for number in range(8))


@dataclass
class Counter:
    """A store, and one who buys there."""

    box: Sandbox
    client: httpx2.AsyncClient
    alpha: str

    def item(self, name: str) -> StoreItem:
        return self.box.elements.channels[self.alpha].item(name)

    async def post(self, name: str, body: Any = None, account: str | None = None) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.box.issue_jwt(account)}"}
        path = f"{BASE}/store/{self.alpha}/redemptions/{self.item(name).id}"
        return await self.client.post(path, headers=headers, json={} if body is None else body)

    async def history(self, path: str = "", account: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.box.issue_jwt(account)}"}
        me = self.box.elements.of(self.box.world.find(account or "me"))
        assert me is not None
        answer = await self.client.get(path or f"{BASE}/store/{me.id}/redemptions/me", headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def balance(self, account: str = "me") -> int:
        viewer = self.box.world.find(account)
        return self.box.elements.balance(self.box.elements.channels[self.alpha], viewer, self.box.clock.now())

    async def said(self, name: str, body: Any = None, status: int = 400) -> str:
        answer = await self.post(name, body)
        assert answer.status_code == status, answer.text
        assert answer.json()["statusCode"] == status
        return str(answer.json().get("message", ""))


@asynccontextmanager
async def counter(
    *items: ItemPlan, balance: int = 1000, account: AccountPlan | None = None, limits: Limits | None = None
) -> AsyncIterator[Counter]:
    plan = ChannelPlan("alpha", broadcasts=(Broadcast(-60, DAY),), balance=balance, store=items)
    scenario = Scenario(
        account=account or AccountPlan(), others=OTHERS, channels=(plan, ChannelPlan("beta")), limits=limits or Limits()
    )
    async with sandbox(scenario=scenario) as box, http(box) as client:
        alpha = box.elements.of(box.world.find("alpha"))
        assert alpha is not None
        yield Counter(box, client, alpha.id)


# -- what is taken -----------------------------------------------------------------------------------------------------
async def test_a_redemption_takes_points_and_stock_and_is_written_down() -> None:
    item = ItemPlan("Map", 300, total=2, asks=("Which?",), takes_message=True)
    async with counter(item) as shop:
        answer = await shop.post("Map", {"input": ["Dust"], "message": "thanks!"})
        assert answer.status_code == 200
        assert "x-ratelimit-reset" in answer.headers
        document = answer.json()
        assert set(document) == {
            *("_id", "channel", "redeemerType", "redeemer", "item", "completed", "source", "input", "message"),
            *("createdAt", "updatedAt"),
        }
        assert (document["channel"], document["item"]) == (shop.alpha, shop.item("Map").id)
        assert (document["input"], document["message"], document["completed"]) == (["Dust"], "thanks!", False)
        assert (shop.balance(), shop.item("Map").left) == (700, 1)
        (taken,) = shop.box.tally().redemptions
        assert (taken.id, taken.cost, taken.input, taken.message) == (document["_id"], 300, ("Dust",), "thanks!")
        assert (taken.channel, taken.name, taken.at) == ("20000000", "Map", 0)
        (row,) = (await shop.history())["docs"]
        assert row["channel"]["username"] == "alpha"
        assert row["item"] == {"_id": taken.item, "name": "Map", "cost": 300, "createdAt": row["item"]["createdAt"]}
        assert {**row, "channel": shop.alpha, "item": taken.item} == document


async def test_bodies_that_are_understood() -> None:
    async with counter(ItemPlan("Horn", 10)) as shop:
        headers = {"Authorization": f"Bearer {shop.box.issue_jwt()}"}
        path = f"{BASE}/store/{shop.alpha}/redemptions/{shop.item('Horn').id}"
        assert (await shop.client.post(path, headers=headers)).status_code == 200
        for body in ({}, {"input": []}, {"input": [], "message": None}):
            assert (await shop.post("Horn", body)).status_code == 200
        assert shop.balance() == 960
        assert shop.box.tally().protocol_errors == ()
        answer = await shop.client.post(path, headers=headers, content=b"{}")
        assert answer.status_code == 200
        assert shop.box.tally().protocol_errors == ("StreamElements redeem: a body that is not said to be JSON",)
        for content in (b"{", b"[]", b'{"input": "x"}', b'{"cost": 0}'):
            answer = await shop.client.post(
                path, headers={**headers, "Content-Type": "application/json"}, content=content
            )
            assert (answer.status_code, answer.json()["details"][0]["path"]) == (400, ["input"])
        assert shop.balance() == 950


async def test_codes_are_given_once_each_and_not_told_again() -> None:
    async with counter(ItemPlan("Key", 5, type="code", codes=("AAA", "BBB"))) as shop:
        documents = [(await shop.post("Key")).json() for _ in range(2)]
        assert [one["accessCode"] for one in documents] == ["AAA", "BBB"]
        assert await shop.said("Key") == "Item is Out of stock"
        rows = (await shop.history())["docs"]
        assert [row["_id"] for row in rows] == [one["_id"] for one in documents][::-1]
        assert not any("accessCode" in row for row in rows)


async def test_history_is_over_all_channels_under_ones_own_id() -> None:
    async with counter(ItemPlan("Horn", 1)) as shop:
        for _ in range(5):
            await shop.post("Horn")
            await elapse(shop.box, 1)
        me, beta = (shop.box.elements.of(shop.box.world.find(name)) for name in ("me", "beta"))
        assert me is not None
        assert beta is not None
        whole = await shop.history()
        assert (whole["total"], len(whole["docs"])) == (5, 5)
        assert [row["createdAt"] for row in whole["docs"]] == sorted(
            (row["createdAt"] for row in whole["docs"]), reverse=True
        )
        page = await shop.history(f"{BASE}/store/{me.id}/redemptions/me?limit=2&offset=3")
        assert (page["total"], page["docs"]) == (5, whole["docs"][3:5])
        assert (await shop.history(f"{BASE}/store/{shop.alpha}/redemptions/me"))["total"] == 5
        assert (await shop.history(f"{BASE}/store/{beta.id}/redemptions/me"))["total"] == 0
        assert (await shop.history(account="other1"))["total"] == 0
        shop.box.fault("delete_item", channel="alpha", item="Horn")
        assert {row["item"] for row in (await shop.history())["docs"]} == {None}
        assert shop.box.tally().redemptions[0].name == "Horn"


async def test_a_streamer_completes_or_rejects() -> None:
    async with counter(ItemPlan("Horn", 100)) as shop:
        await shop.post("Horn")
        shop.box.fault("settle_redemptions", channel="alpha")
        await shop.post("Horn")
        shop.box.fault("settle_redemptions", channel="alpha", how="rejected", refund=True)
        rejected, completed = (await shop.history())["docs"]
        assert (completed["completed"], "rejected" in completed) == (True, False)
        assert (rejected["completed"], rejected["rejected"]) == (False, True)
        assert shop.balance() == 900


# -- what is refused ---------------------------------------------------------------------------------------------------
REFUSALS = (
    pytest.param(ItemPlan("X", 1001), {}, "Sorry you don't have enough points", id="points"),
    pytest.param(ItemPlan("X", 1, total=5, left=0), {}, "Item is Out of stock", id="stock"),
    pytest.param(ItemPlan("X", 1, enabled=False), {}, "Item is not available", id="disabled"),
    pytest.param(ItemPlan("X", 1, sources=("bot",)), {}, "Item can not be redeemed on the website", id="bot"),
    pytest.param(ItemPlan("X", 1, subscriber_only=True), {}, "Item is for subscribers only", id="subscribers"),
    pytest.param(ItemPlan("X", 1, asks=("a", "b")), {"input": ["one"]}, "Input is missing", id="input"),
    pytest.param(ItemPlan("X", 1, asks=("a",)), {"input": [" "]}, "Input is missing", id="empty-input"),
    pytest.param(ItemPlan("X", 1), {"input": ["one"]}, "Input is missing", id="too-much-input"),
)


@pytest.mark.parametrize(("item", "body", "words"), REFUSALS)
async def test_fc_48_a_refusal_takes_nothing(item: ItemPlan, body: Any, words: str) -> None:
    async with counter(item) as shop:
        left = shop.item("X").left
        assert await shop.said("X", body) == words
        tally = shop.box.tally()
        assert (shop.balance(), shop.item("X").left, tally.redemptions) == (1000, left, ())
        assert tally.redemption_calls == 1


async def test_subscribers_may_have_what_is_theirs() -> None:
    account = AccountPlan(subscribes=("alpha",))
    async with counter(ItemPlan("X", 1, subscriber_only=True), account=account) as shop:
        assert (await shop.post("X")).status_code == 200


async def test_a_message_where_none_is_taken_is_dropped_and_noted() -> None:
    async with counter(ItemPlan("X", 1)) as shop:
        assert "message" not in (await shop.post("X", {"message": "hi"})).json()
        assert shop.box.tally().protocol_errors == ("StreamElements redeem: a message where none is taken",)


async def test_fc_48_cooldowns() -> None:
    items = (
        ItemPlan("mine", 1, cooldown_user=60),
        ItemPlan("everybodys", 1, cooldown_global=60),
        ItemPlan("talk", 1, category="talk"),
        ItemPlan("sing", 1, category="talk", cooldown_category=60),
    )
    async with counter(*items) as shop:
        for account in OTHERS[:2]:
            shop.box.fault("points_set", channel="alpha", account=account.login, to=50)
        too_fast = "You are redeeming too fast"
        assert (await shop.post("mine")).status_code == 200
        assert await shop.said("mine") == too_fast
        assert (await shop.post("mine", account="other0")).status_code == 200
        assert (await shop.post("everybodys", account="other0")).status_code == 200
        assert await shop.said("everybodys") == too_fast
        assert (await shop.post("talk")).status_code == 200
        assert await shop.said("sing") == too_fast
        await elapse(shop.box, 60)
        for name in ("mine", "everybodys", "sing"):
            assert (await shop.post(name)).status_code == 200


async def test_who_may_not_and_what_is_not_there() -> None:
    async with counter(ItemPlan("X", 1)) as shop:
        mine = {"Authorization": f"Bearer {shop.box.issue_jwt()}"}
        old = {"Authorization": f"Bearer {shop.box.issue_jwt(expires_in=-5)}"}
        path = f"{BASE}/store/{shop.alpha}/redemptions/"
        answers = [
            await shop.client.post(path + shop.item("X").id, json={}),
            await shop.client.post(path + shop.item("X").id, json={}, headers=old),
            await shop.client.post(path + "nonsense", json={}, headers=mine),
            await shop.client.post(path + "0" * 24, json={}, headers=mine),
            await shop.client.post(f"{BASE}/store/{'0' * 24}/redemptions/{'0' * 24}", json={}, headers=mine),
        ]
        assert [one.status_code for one in answers] == [401, 401, 400, 404, 404]
        assert answers[0].json()["message"] == "Not allowed to perform this operation"
        assert answers[2].json()["message"].startswith('child "itemId" fails because ["itemId" fails to match')
        assert answers[3].json() == {"statusCode": 404, "error": "Not Found"}
        assert (shop.balance(), shop.box.tally().redemption_calls) == (1000, 5)


async def test_too_many_redemptions_in_a_minute() -> None:
    async with counter(ItemPlan("X", 1), limits=Limits(elements_per_minute=2)) as shop:
        assert [(await shop.post("X")).status_code for _ in range(3)] == [200, 200, 429]
        assert (shop.balance(), shop.box.tally().elements_limited) == (998, 1)


# -- many at once ------------------------------------------------------------------------------------------------------
async def test_many_at_once_never_sell_more_than_there_is() -> None:
    items = (ItemPlan("few", 10, total=5), ItemPlan("key", 10, type="code", codes=("A", "B", "C")))
    async with counter(*items, limits=Limits(elements_per_minute=10_000)) as shop:
        buyers = ["me", *(one.login for one in OTHERS)]
        for login in buyers:
            shop.box.fault("points_set", channel="alpha", account=login, to=25)
        shop.box.fault("slow_booking", n=20, delay=3.0)
        posts = [shop.post(name, account=login) for name in ("few", "key") for login in buyers * 3]
        gathered = asyncio.gather(*posts)
        await settle(200)
        await elapse(shop.box, 5)
        answers = await gathered
        assert sum(one.status_code == 200 for one in answers) == 8
        codes = [one.json()["accessCode"] for one in answers if "accessCode" in one.text]
        assert sorted(codes) == ["A", "B", "C"]
        assert (shop.item("few").left, shop.item("key").left) == (0, 0)
        assert all(shop.balance(login) in (5, 15, 25) for login in buyers)
        assert sum(25 - shop.balance(login) for login in buyers) == 80


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y"]), st.integers(0, 40)), max_size=40))
def test_the_books_balance(asked: list[tuple[str, str, int]]) -> None:
    world = World(Chance(1), (0, 0), (0, 0))
    elements = Elements(world, 0.0)
    channel = elements.add(world.add(User("1", "alpha", "Alpha", 0.0)), Loyalty())
    channel.items = {
        "x": StoreItem("x", "x", 7, total=4, left=4, cooldown_user=20.0),
        "y": StoreItem("y", "y", 3, cooldown_global=10.0),
    }
    viewers = {name: world.add(User(f"v{name}", name, name, 0.0)) for name in "abc"}
    for viewer in viewers.values():
        elements.purse(channel, viewer, 20)
    now, before = 0.0, dict.fromkeys(viewers, 20)
    for name, item, seconds in asked:
        now += seconds
        try:
            taken = redeem(elements, channel, channel.items[item], viewers[name], name, (), None, now)
        except Problem:
            assert elements.balance(channel, viewers[name], now) == before[name]
            continue
        before[name] -= taken.cost
        assert elements.balance(channel, viewers[name], now) == before[name] >= 0
    taken_x = [one for one in channel.redemptions if one.item.id == "x"]
    assert channel.items["x"].left == 4 - len(taken_x) >= 0
    assert sum(one.cost for one in channel.redemptions) == 60 - sum(before.values())
    assert len({one.id for one in channel.redemptions}) == len(channel.redemptions)


# -- on the way --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("fault", "booked"), [("booked_no_answer", True), ("lost_before_booking", False)])
@pytest.mark.parametrize(("kind", "status"), [("html", 502), ("error", 500), ("reset", None), ("hang", 524)])
async def test_fc_48_answers_that_say_nothing(fault: str, booked: bool, kind: str, status: int | None) -> None:
    async with counter(ItemPlan("X", 10)) as shop:
        shop.box.fault(fault, channel="alpha", kind=kind)
        posting = asyncio.ensure_future(shop.post("X"))
        await settle(50)
        assert posting.done() == (kind != "hang")
        assert shop.balance() == (990 if booked else 1000)
        await elapse(shop.box, 100)
        if status is None:
            with pytest.raises(ConnectionResetError):
                await posting
        else:
            answer = await posting
            assert answer.status_code == status
            assert ("text/html" in answer.headers["content-type"]) == (kind != "error")
        tally = shop.box.tally()
        assert (tally.redemption_calls, tally.elements_calls["redeem"]) == (1, 1)
        assert len(tally.redemptions) == (await shop.history())["total"] == int(booked)
        assert (await shop.post("X")).status_code == 200, "once, and then no more"


async def test_fc_48_a_redemption_that_is_booked_when_all_have_given_up() -> None:
    async with counter(ItemPlan("X", 10, total=1)) as shop:
        shop.box.fault("booked_late", kind="html", delay=90.0)
        assert (await shop.post("X")).status_code == 502
        await elapse(shop.box, 89)
        assert (await shop.history())["total"] == 0
        await elapse(shop.box, 1)
        assert ((await shop.history())["total"], shop.balance()) == (1, 990)
        shop.box.fault("booked_late", kind="html", delay=90.0)
        await shop.post("X")
        await elapse(shop.box, 90)
        assert (await shop.history())["total"] == 1, "refused, with nobody to hear of it"


async def test_fc_48_a_slow_answer() -> None:
    async with counter(ItemPlan("X", 10)) as shop:
        shop.box.fault("slow_booking", delay=20.0)
        posting = asyncio.ensure_future(shop.post("X"))
        await settle(50)
        assert (posting.done(), shop.balance()) == (False, 990)
        await elapse(shop.box, 20)
        assert (await posting).status_code == 200


async def test_fc_48_a_reset_over_a_socket_after_it_was_booked() -> None:
    plan = ChannelPlan("alpha", balance=50, store=(ItemPlan("X", 10),))
    box = Sandbox(Scenario(channels=(plan,)), SystemClock())
    ends = await box.start()
    try:
        alpha = box.elements.of(box.world.find("alpha"))
        assert alpha is not None
        box.fault("booked_no_answer")
        path = f"{ends.streamelements}/store/{alpha.id}/redemptions/{alpha.item('X').id}"
        async with httpx2.AsyncClient() as client:
            with pytest.raises(httpx2.TransportError):
                await client.post(path, json={}, headers={"Authorization": f"Bearer {box.issue_jwt()}"})
        assert len(box.tally().redemptions) == 1
    finally:
        await box.stop()
