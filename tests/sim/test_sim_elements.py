"""StreamElements in the sandbox: who is there, what is paid, and what is told; every shape and every error."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx2
import pytest
from sandboxes import DAY, channel, elapse, http, sandbox, signed_in

from allthepoints.base.clock import SystemClock
from allthepoints.sim import jwt
from allthepoints.sim.elements import guid
from allthepoints.sim.limits import Limits
from allthepoints.sim.scenario import AccountPlan, Broadcast, ChannelPlan, ItemPlan, LoyaltyPlan, Scenario
from allthepoints.sim.server import Sandbox

pytestmark = pytest.mark.anyio

BASE = "/kappa/v2"
LIVE = (Broadcast(-60, DAY),)
NOT_ALLOWED = {"statusCode": 401, "error": "Unauthorized", "message": "Not allowed to perform this operation"}


def of(box: Sandbox, login: str) -> str:
    """The channel's id here."""
    found = box.elements.of(box.world.find(login))
    assert found is not None
    return found.id


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


async def got(client: httpx2.AsyncClient, path: str, status: int = 200, **kw: Any) -> Any:
    answer = await client.get(BASE + path, **kw)
    assert answer.status_code == status, answer.text
    return answer.json()


# -- who ---------------------------------------------------------------------------------------------------------------
async def test_a_channel_by_name_and_by_id() -> None:
    plan = ChannelPlan("alpha", display_name="Alpha")
    async with sandbox(plan) as box, http(box) as client:
        found = await got(client, "/channels/alpha")
        assert set(found) == {
            *("profile", "provider", "_id", "avatar", "username", "alias", "displayName", "providerId", "isPartner"),
            *("broadcasterType", "inactive", "suspended"),
        }
        assert found["_id"] == guid("twitch", "20000000")
        assert (found["provider"], found["providerId"], found["displayName"]) == ("twitch", "20000000", "Alpha")
        assert await got(client, f"/channels/{found['_id']}") == found
        box.fault("rename", channel="alpha", to="omega")
        assert (await got(client, "/channels/omega"))["_id"] == found["_id"]
        assert await got(client, "/channels/alpha", 404) == {
            "statusCode": 404,
            "error": "Not Found",
            "message": "channel alpha was not found",
        }
        assert box.tally().elements_calls == {"channels": 4}


async def test_not_everybody_is_there_and_a_name_may_be_somebody_elses() -> None:
    plans = (
        ChannelPlan("alpha", elements=False, broadcasts=LIVE),
        ChannelPlan("beta", provider="youtube", broadcasts=LIVE),
    )
    async with sandbox(*plans) as box, http(box) as client:
        await got(client, "/channels/alpha", 404)
        found = await got(client, "/channels/beta")
        assert (found["provider"], found["providerId"] != "20000001") == ("youtube", True)
        chatter = await signed_in(box)
        await chatter.say("JOIN #alpha,#beta")
        await elapse(box, 1260)
        tally = box.tally()
        assert (tally.points_paid, tally.points_possible) == (0, 0)
        assert [one.balance for one in tally.channels] == [None, None]


async def test_suspended_and_deleted_channels_say_so() -> None:
    async with sandbox(ChannelPlan("alpha"), ChannelPlan("beta")) as box, http(box) as client:
        alpha = of(box, "alpha")
        box.fault("suspend", channel="alpha")
        assert (await got(client, "/channels/alpha"))["suspended"] is True
        box.fault("delete", channel="alpha")
        assert (await got(client, f"/channels/{alpha}"))["inactive"] is True
        await got(client, "/channels/alpha", 404)


@pytest.mark.parametrize(("tells", "bonus"), [(True, "raid"), (False, "host")])
async def test_settings_new_and_old(tells: bool, bonus: str) -> None:
    loyalty = LoyaltyPlan(
        amount=7,
        interval=300.0,
        currency="acorns",
        subscriber_multiplier=2,
        ignored=("nightbot",),
        tells_interval=tells,
    )
    async with sandbox(ChannelPlan("alpha", loyalty=loyalty)) as box, http(box) as client:
        settings = await got(client, f"/loyalty/{of(box, 'alpha')}")
        assert set(settings) == {"loyalty", "_id", "channel", "createdAt", "updatedAt"}
        told = settings["loyalty"]
        assert bonus in told.pop("bonuses")
        assert told == {
            "name": "acorns",
            "enabled": True,
            "amount": 7,
            **({"interval": 5} if tells else {}),
            "subscriberMultiplier": 2,
            "ignored": ["nightbot"],
        }
        await got(client, f"/loyalty/{'0' * 24}", 404)


# -- points ------------------------------------------------------------------------------------------------------------
async def test_points_go_to_who_sits_in_the_chat_with_the_lists_lag() -> None:
    plan = ChannelPlan("alpha", broadcasts=(Broadcast(0, DAY),), balance=100)
    async with sandbox(plan) as box, http(box) as client:
        path = f"/points/{of(box, 'alpha')}/me"
        chatter = await signed_in(box)
        assert await got(client, path) == {
            "channel": of(box, "alpha"),
            "username": "me",
            "points": 100,
            "pointsAlltime": 0,
            "watchtime": 0,
            "rank": 41,
        }
        for seconds in (200, 200, 180):
            await elapse(box, seconds)
            await chatter.say("PONG :tmi.twitch.tv")
        await chatter.say("JOIN #alpha")
        await elapse(box, 100)
        assert (await got(client, path))["points"] == 100, "the list by which it was paid is older than the JOIN"
        for _ in range(3):
            await elapse(box, 190)
            await chatter.say("PONG :tmi.twitch.tv")
        later = await got(client, path)
        assert (later["points"], later["pointsAlltime"], later["watchtime"]) == (105, 5, 10)
        assert await got(client, f"{path}/rank") == {"username": "me", "rank": later["rank"]}
        assert box.tally().channels[0].balance == 105
        assert box.tally().protocol_errors == ()


async def test_subscribers_are_paid_more_and_reruns_pay_nothing() -> None:
    loyalty = LoyaltyPlan(amount=5, subscriber_multiplier=3, lag=0.0)
    scenario = Scenario(
        account=AccountPlan(subscribes=("alpha",)),
        channels=(
            ChannelPlan("alpha", broadcasts=(Broadcast(0, DAY),), loyalty=loyalty),
            ChannelPlan("beta", broadcasts=(Broadcast(0, DAY, kind="rerun"),), loyalty=loyalty),
        ),
    )
    async with sandbox(scenario=scenario) as box, http(box) as client:
        chatter = await signed_in(box)
        await chatter.say("JOIN #alpha,#beta")
        for _ in range(4):
            await elapse(box, 151)
            await chatter.say("PONG :tmi.twitch.tv")
        assert (await got(client, f"/points/{of(box, 'alpha')}/me"))["points"] == 15
        assert await got(client, f"/points/{of(box, 'beta')}/me", 404) == {"statusCode": 404, "error": "Not Found"}
        assert (box.tally().points_paid, box.tally().points_possible) == (15, 15)


async def test_a_viewer_without_points_and_a_channel_that_is_not_there_look_alike() -> None:
    async with sandbox(ChannelPlan("alpha")) as box, http(box) as client:
        alpha = of(box, "alpha")
        gone = await got(client, f"/points/{'0' * 24}/me", 404)
        assert await got(client, f"/points/{alpha}/me", 404) == gone
        assert await got(client, f"/points/{alpha}/nobody_at_all", 404) == gone
        wrong = await got(client, "/points/alpha/me", 400)
        assert (wrong["error"], wrong["details"][0]["path"]) == ("Bad Request", ["channel"])
        assert 'child "channel" fails because' in wrong["message"]


async def test_the_best_of_a_channel() -> None:
    async with sandbox(ChannelPlan("alpha", balance=10_000)) as box, http(box) as client:
        path = f"/points/{of(box, 'alpha')}/top"
        top = await got(client, path, params={"limit": 2})
        assert top["_total"] == 41
        assert [one["points"] for one in top["users"]] == [12_000, 10_000]
        assert [one["username"] for one in top["users"]][1] == "me"
        assert len((await got(client, path))["users"]) == 41
        assert len((await got(client, path, params={"offset": 40}))["users"]) == 1
        refused = await got(client, path, 400, params={"limit": 0})
        assert '"limit" must be larger than or equal to 1' in refused["message"]
        await got(client, path, 400, params={"limit": "many"})
        await got(client, path, 400, params={"limit": 1001})


async def test_calls_for_points_are_limited_by_the_minute() -> None:
    plan = ChannelPlan("alpha", balance=5)
    async with sandbox(plan, limits=Limits(elements_per_minute=3)) as box, http(box) as client:
        path = f"{BASE}/points/{of(box, 'alpha')}/me"
        answers = [await client.get(path) for _ in range(4)]
        assert [one.status_code for one in answers] == [200, 200, 200, 429]
        assert [one.headers["x-ratelimit-remaining"] for one in answers] == ["2", "1", "0", "0"]
        assert answers[0].headers["x-ratelimit-limit"] == "3"
        reset = int(answers[3].headers["x-ratelimit-reset"]) / 1000
        assert reset == (box.clock.now() // 60 + 1) * 60
        assert (await client.get(f"{BASE}/channels/alpha")).status_code == 200
        await elapse(box, reset - box.clock.now())
        assert (await client.get(path)).status_code == 200
        tally = box.tally()
        assert (tally.elements_limited, tally.elements_worst_minute) == (1, 6)


# -- JWTs --------------------------------------------------------------------------------------------------------------
async def test_fc_31_a_jwt_in_all_its_states() -> None:
    others = (AccountPlan("other", id="1002"),)
    async with sandbox(scenario=Scenario(others=others)) as box, http(box) as client:
        good = box.issue_jwt()
        header, payload, _ = (base64.urlsafe_b64decode(part + "==") for part in good.split("."))
        assert json.loads(header) == {"alg": "HS256", "typ": "JWT"}
        assert json.loads(payload)["exp"] == int(box.clock.now() + 30 * DAY)
        mine = await got(client, "/channels/me", headers=bearer(good))
        assert (mine["providerId"], mine["username"]) == ("1001", "me")
        assert {mine["apiToken"], mine["accessToken"], mine["email"], good} <= set(box.secrets())
        other = await got(client, "/channels/me", headers=bearer(box.issue_jwt("other")))
        assert other["username"] == "other"
        user = await got(client, "/users/current", headers=bearer(good))
        assert (user["primaryChannel"], user["channels"][0]["lastJWTToken"]) == (mine["_id"], None)
        for bad in ("", "x", "a.b.c", "é.é.é", good[:-2], box.issue_jwt(expires_in=-1), box.issue_jwt(foreign=True)):
            headers = {"Authorization": b"Bearer " + bad.encode()}
            assert await got(client, "/channels/me", 401, headers=headers) == NOT_ALLOWED
        assert await got(client, "/channels/me", 401) == NOT_ALLOWED
        soon = box.issue_jwt(expires_in=6 * DAY)
        await got(client, "/channels/me", headers=bearer(soon))
        await elapse(box, 6 * DAY)
        await got(client, "/channels/me", 401, headers=bearer(soon))
        assert box.tally().protocol_errors == ()


async def test_fc_31_a_jwt_that_is_taken_no_more() -> None:
    others = (AccountPlan("other", id="1002"),)
    async with sandbox(scenario=Scenario(others=others)) as box, http(box) as client:
        old, theirs = box.issue_jwt(), box.issue_jwt("other")
        await got(client, "/channels/me", headers=bearer(old))
        box.fault("void_jwt")
        assert await got(client, "/channels/me", 401, headers=bearer(old)) == NOT_ALLOWED
        await got(client, "/channels/me", headers=bearer(theirs))
        await got(client, "/channels/me", headers=bearer(box.issue_jwt()))


async def test_a_token_of_another_kind_is_forbidden() -> None:
    async with sandbox() as box, http(box) as client:
        refused = await got(client, "/channels/me", 403, headers={"Authorization": "apikey abc"})
        assert refused == {**NOT_ALLOWED, "statusCode": 403, "error": "Forbidden"}
        assert "not the viewer's JWT" in box.tally().protocol_errors[0]


def test_a_jwt_is_what_others_take_for_one() -> None:
    """The example that is in every explanation of HS256."""
    made = jwt.mint({"sub": "1234567890", "name": "John Doe", "iat": 1516239022}, b"your-256-bit-secret")
    assert made == (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ."
        "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
    )
    assert jwt.read(made, 0.0) is None


# -- stores ------------------------------------------------------------------------------------------------------------
STORE = (
    ItemPlan(
        "Pick the next map 🗺",
        1500,
        id="64b0c1d2e3f4a5b6c7d8e9f0",
        description="<script>once</script>",
        total=5,
        left=3,
        asks=("Map name",),
        takes_message=True,
        cooldown_user=600,
        cooldown_global=60,
        keyword="pickmap",
    ),
    ItemPlan("Free", 0, tells_current=False),
    ItemPlan("Free", 5, enabled=False, sources=("bot",), category="talk", cooldown_category=30),
    ItemPlan("Key", 10, type="code", codes=("AAA", "BBB"), subscriber_only=True),
)


async def test_fc_49_a_store_has_all_kinds_of_items() -> None:
    async with sandbox(ChannelPlan("alpha", store=STORE)) as box, http(box) as client:
        alpha = of(box, "alpha")
        first, free, disabled, key = await got(client, f"/store/{alpha}/items")
        assert set(first) == {
            *("_id", "channel", "name", "description", "type", "cost", "enabled", "featured", "public"),
            *("subscriberOnly", "allowMessages", "userInput", "quantity", "cooldown", "categoryName", "sources"),
            *("bot", "alert", "accessLevel", "order", "createdAt", "updatedAt"),
        }
        assert (first["_id"], first["quantity"]) == ("64b0c1d2e3f4a5b6c7d8e9f0", {"total": 5, "current": 3})
        assert first["cooldown"] == {"user": 600, "global": 60}
        assert (first["bot"]["identifier"], first["userInput"], first["order"]) == ("pickmap", ["Map name"], 0)
        assert (free["quantity"], free["cost"]) == ({"total": -1}, 0)
        assert (disabled["name"], disabled["enabled"], disabled["cooldown"]["category"]) == ("Free", False, 30)
        assert (key["type"], key["quantity"], key["subscriberOnly"]) == ("code", {"total": 2, "current": 2}, True)
        assert len({one["_id"] for one in (first, free, disabled, key)}) == 4
        website = await got(client, f"/store/{alpha}/items", params={"source": "website"})
        assert [one["order"] for one in website] == [0, 1, 3]
        assert [one["order"] for one in await got(client, f"/store/{alpha}/items?limit=2&offset=1")] == [1, 2]
        await got(client, f"/store/{alpha}/items?source=moon", 400)
        await got(client, f"/store/{'0' * 24}/items", 404)
        assert await got(client, f"/store/{of(box, 'me')}/items") == []


async def test_fc_49_a_store_may_come_in_pages() -> None:
    store = tuple(ItemPlan(f"Item {number}", 5) for number in range(60))
    async with (
        sandbox(ChannelPlan("alpha", store=store), limits=Limits(store_page=25)) as box,
        http(box) as client,
    ):
        path = f"/store/{of(box, 'alpha')}/items"
        assert [len(await got(client, f"{path}?offset={offset}")) for offset in (0, 25, 50, 75)] == [25, 25, 10, 0]
        assert len(await got(client, f"{path}?limit=1000")) == 60


async def test_one_item_and_its_codes() -> None:
    async with sandbox(ChannelPlan("alpha", store=STORE)) as box, http(box) as client:
        path, mine = f"/store/{of(box, 'alpha')}/items", bearer(box.issue_jwt())
        items = await got(client, path)
        assert await got(client, f"{path}/{items[3]['_id']}", headers=mine) == items[3]
        owner = bearer(box.issue_jwt("alpha"))
        keys = (await got(client, f"{path}/{items[3]['_id']}", headers=owner))["accessCodes"]["keys"]
        assert keys == ["AAA", "BBB"]
        assert await got(client, f"{path}/{items[3]['_id']}", 401) == NOT_ALLOWED
        assert (await got(client, f"{path}/zzz", 400, headers=mine))["details"][0]["path"] == ["itemId"]
        assert await got(client, f"{path}/{'0' * 24}", 404, headers=mine) == {"statusCode": 404, "error": "Not Found"}


# -- strict in reading -------------------------------------------------------------------------------------------------
async def test_what_a_client_must_not_do_is_noted() -> None:
    async with sandbox(channel("alpha"), limits=Limits()) as box, http(box) as client:
        alpha, text = of(box, "alpha"), box.issue_jwt()
        await client.get(f"{BASE}/channels/Alpha")
        await client.get(f"{BASE}/points/{alpha}/ME")
        await client.get(f"{BASE}/loyalty/{alpha}", params={"fields": "all"})
        await client.get(f"{BASE}/channels/me", params={"token": text})
        await client.post(f"{BASE}/points/{alpha}/me")
        await client.get(f"{BASE}/store/{alpha}/redemptions/{alpha}")
        await client.get(f"{BASE}/tips/{alpha}")
        errors = box.tally().protocol_errors
        assert errors == (
            "StreamElements channels: a name that is not in lower case",
            "StreamElements points: a login that is not in lower case",
            "StreamElements loyalty: unknown query parameter 'fields'",
            "StreamElements channels/me: unknown query parameter 'token'",
            "StreamElements channels/me: a JWT in the address",
            "StreamElements points: method POST",
            "StreamElements redeem: method GET",
            "StreamElements unknown: GET of an endpoint that is not there",
        )
        assert text not in "".join(errors)


async def test_control_gives_jwts() -> None:
    async with sandbox() as box, http(box) as client:
        answer = await client.post("/sandbox/jwt", json={"expires_in": 60})
        await got(client, "/channels/me", headers=bearer(answer.json()["jwt"]))
        refused = await client.post("/sandbox/jwt", json={"account": "nobody"})
        assert refused.status_code == 400


async def test_the_address_is_an_endpoint_of_its_own() -> None:
    box = Sandbox(Scenario(), SystemClock())
    ends = await box.start()
    try:
        assert ends.streamelements.endswith("/kappa/v2")
        async with httpx2.AsyncClient() as client:
            answer = await client.get(f"{ends.streamelements}/channels/me", headers=bearer(box.issue_jwt()))
        assert answer.json()["username"] == "me"
    finally:
        await box.stop()
