"""Helix: shapes, pages, limits, errors and the faults on the way."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest
from sandboxes import always_live, channel, elapse, headers, http, sandbox

from allthepoints.sim.scenario import AccountPlan, Limits, Scenario

pytestmark = pytest.mark.anyio

Params = list[tuple[str, str | int | float | bool | None]]


async def test_a_stream_has_the_real_fields() -> None:
    async with sandbox(*always_live("alpha")) as box, http(box) as client:
        answer = await client.get("/helix/streams", params={"user_login": "alpha"}, headers=headers(box))
        (row,) = answer.json()["data"]
        assert answer.json()["pagination"] == {}
        assert set(row) == {
            *("id", "user_id", "user_login", "user_name", "game_id", "game_name", "type", "title", "viewer_count"),
            *("started_at", "language", "thumbnail_url", "tag_ids", "tags", "is_mature"),
        }
        assert (row["user_id"], row["type"], row["is_mature"]) == ("20000000", "live", False)
        assert row["started_at"] == "2023-11-14T22:12:20Z"
        assert box.tally().protocol_errors == ()


async def test_users_by_id_and_login_or_oneself() -> None:
    async with sandbox() as box, http(box) as client:
        mine = headers(box)
        assert (await client.get("/helix/users", headers=mine)).json()["data"][0]["login"] == "me"
        params: Params = [("id", "20000000"), ("login", "beta"), ("login", "Alpha"), ("login", "gone")]
        answer = await client.get("/helix/users", params=params, headers=mine)
        assert [row["login"] for row in answer.json()["data"]] == ["alpha", "beta"]
        box.fault("suspend", channel="alpha")
        answer = await client.get("/helix/users", params=params, headers=mine)
        assert [row["login"] for row in answer.json()["data"]] == ["beta"]


async def all_pages(client: httpx2.AsyncClient, path: str, mine: dict[str, str], **params: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        body = (await client.get(path, params={**params, **cursor}, headers=mine)).json()
        rows += body["data"]
        if "cursor" not in body["pagination"]:
            return rows
        cursor = {"after": body["pagination"]["cursor"]}


MANY = always_live(*(f"c{number}" for number in range(241)))


async def test_fc_12_pages_of_follows_newest_first() -> None:
    async with sandbox(*MANY) as box, http(box) as client:
        mine = headers(box)
        first = (await client.get("/helix/channels/followed?user_id=1001", headers=mine)).json()
        assert (len(first["data"]), first["total"]) == (20, 241)
        assert set(first["data"][0]) == {"broadcaster_id", "broadcaster_login", "broadcaster_name", "followed_at"}
        rows = await all_pages(client, "/helix/channels/followed", mine, user_id="1001", first=100)
        assert [row["broadcaster_login"] for row in rows] == [f"c{number}" for number in range(241)]
        assert box.tally().helix_calls == {"/channels/followed": 4}


async def test_followed_streams_default_to_a_hundred_and_streams_to_twenty() -> None:
    async with sandbox(*MANY, channel("stranger", (-60, 9999), followed=False)) as box, http(box) as client:
        mine = headers(box)
        assert len((await client.get("/helix/streams/followed?user_id=1001", headers=mine)).json()["data"]) == 100
        assert len((await client.get("/helix/streams", headers=mine)).json()["data"]) == 20
        followed = await all_pages(client, "/helix/streams/followed", mine, user_id="1001")
        assert len({row["user_id"] for row in followed}) == 241
        assert len(await all_pages(client, "/helix/streams", mine, first=100)) == 242
        viewers = [row["viewer_count"] for row in followed]
        assert viewers == sorted(viewers, reverse=True)


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/helix/users?login=a b", 400, "Invalid login names, emails or IDs in request"),
        ("/helix/users?id=abc", 400, "Invalid login names, emails or IDs in request"),
        ("/helix/streams?first=101", 400, "the value must be less than or equal to 100"),
        ("/helix/streams?first=0", 400, "the value must be greater than or equal to 1"),
        ("/helix/streams?type=rerun", 400, "value must be one of"),
        ("/helix/streams?after=nonsense", 400, "invalid cursor"),
        ("/helix/streams?" + "&".join(f"user_id={n}" for n in range(101)), 400, "you may only send 100"),
        (
            "/helix/users?" + "&".join(f"id={n}&login=x{n}" for n in range(51)),
            400,
            "sum of ids and logins must not exceed 100",
        ),
        ("/helix/channels/followed", 400, "Missing required parameter 'user_id'"),
        ("/helix/channels/followed?user_id=20000000", 401, "must match the user ID"),
        ("/helix/streams/followed?user_id=20000000", 401, "must match the user ID"),
        ("/helix/teams", 404, ""),
    ],
)
async def test_fc_13_bad_requests_get_the_real_errors(path: str, status: int, message: str) -> None:
    async with sandbox() as box, http(box) as client:
        answer = await client.get(path, headers=headers(box))
        body = answer.json()
        assert (answer.status_code, body["status"]) == (status, status)
        assert message in body["message"]
        assert body["error"]
        assert bool(box.tally().protocol_errors) == (status != 401)


async def test_unknown_parameters_and_methods_are_noted() -> None:
    async with sandbox() as box, http(box) as client:
        assert (await client.get("/helix/streams?user_name=x", headers=headers(box))).status_code == 200
        assert (await client.post("/helix/streams", headers=headers(box))).status_code == 405
        assert box.tally().protocol_errors == (
            "Helix /streams: unknown query parameter 'user_name'",
            "Helix: POST /streams",
        )


@pytest.mark.parametrize(
    ("change", "message", "noted"),
    [
        ({"Authorization": None}, "OAuth token is missing", True),
        ({"Client-Id": None}, "Client ID is missing", True),
        ({"Authorization": "OAuth x"}, "OAuth token is missing", True),
        ({"Authorization": "Bearer x"}, "Invalid OAuth token", False),
        ({"Client-Id": "other"}, "Client ID and OAuth token do not match", True),
    ],
)
async def test_headers_are_needed(change: dict[str, str | None], message: str, noted: bool) -> None:
    async with sandbox() as box, http(box) as client:
        sent = {name: value for name, value in {**headers(box), **change}.items() if value is not None}
        answer = await client.get("/helix/users", headers=sent)
        assert (answer.status_code, answer.json()["message"]) == (401, message)
        assert bool(box.tally().protocol_errors) == noted


async def test_follows_need_their_scope_and_an_app_token_is_nobody() -> None:
    async with sandbox() as box, http(box) as client:
        answer = await client.get("/helix/streams/followed?user_id=1001", headers=headers(box, "chat:read"))
        assert (answer.status_code, answer.json()["message"]) == (401, "Missing scope: user:read:follows")
        token = box.tokens.issue_app("sandbox-confidential", box.clock.now())
        app = {"Authorization": f"Bearer {token}", "Client-Id": "sandbox-confidential"}
        assert len((await client.get("/helix/streams", headers=app)).json()["data"]) == 2
        assert (await client.get("/helix/users", headers=app)).status_code == 400


async def test_an_expired_token_is_401() -> None:
    async with sandbox() as box, http(box) as client:
        mine = headers(box)
        box.fault("expire_token")
        assert (await client.get("/helix/users", headers=mine)).json()["message"] == "Invalid OAuth token"


async def test_fc_53_points_run_out_and_come_back() -> None:
    async with sandbox(limits=Limits(helix_points=3)) as box, http(box) as client:
        mine = headers(box)
        answers = [await client.get("/helix/users", headers=mine) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
        assert answers[0].headers["ratelimit-limit"] == "3"
        reset = int(answers[3].headers["ratelimit-reset"])
        assert 60 <= reset - box.clock.now() <= 61
        await elapse(box, reset - box.clock.now())
        assert (await client.get("/helix/users", headers=mine)).status_code == 200
        assert box.tally().helix_limited == 1


async def test_each_user_has_points_of_its_own() -> None:
    plan = Scenario(others=(AccountPlan("bob", "1002"),), limits=Limits(helix_points=1))
    async with sandbox(scenario=plan) as box, http(box) as client:
        bob = {"Authorization": f"Bearer {box.issue_tokens(account='bob').access}", "Client-Id": "sandbox"}
        for mine in (headers(box), bob):
            assert (await client.get("/helix/users", headers=mine)).status_code == 200
            assert (await client.get("/helix/users", headers=mine)).status_code == 429


async def live(client: httpx2.AsyncClient, mine: dict[str, str]) -> list[str]:
    answer = await client.get("/helix/streams/followed?user_id=1001", headers=mine)
    return sorted(row["user_login"] for row in answer.json()["data"])


async def test_the_day_happens_and_helix_is_late() -> None:
    plan = Scenario(channels=(channel("alpha", (60, 600)),), online_lag=(30, 30), offline_lag=(100, 100))
    async with sandbox(scenario=plan) as box, http(box) as client:
        mine = headers(box)
        seen = []
        for _ in range(30):
            seen.append(await live(client, mine) == ["alpha"])
            await elapse(box, 30)
        assert seen == [30 * n in range(90, 700) for n in range(30)]
        assert box.tally().live_s == 540


async def test_two_streams_in_a_row_are_two_streams() -> None:
    async with sandbox(channel("alpha", (0, 100), (100, 200))) as box, http(box) as client:
        ids = []
        for _ in range(3):
            answer = await client.get("/helix/streams", headers=headers(box))
            ids.append([row["id"] for row in answer.json()["data"]])
            await elapse(box, 100)
        assert ids[0] != ids[1]
        assert ids[2] == []
        assert box.tally().live_s == 200


async def test_fc_08_repetitions() -> None:
    async with sandbox(channel("alpha", (0, 100), kind="rerun")) as box, http(box) as client:
        (row,) = (await client.get("/helix/streams", headers=headers(box))).json()["data"]
        assert row["type"] == "rerun"
        await elapse(box, 200)
        (tally,) = box.tally().channels
        assert (tally.live_s, tally.rerun_s, tally.points_possible) == (0, 100, 0)


async def test_fc_09_a_live_channel_is_missing_from_polls() -> None:
    async with sandbox() as box, http(box) as client:
        mine = headers(box)
        box.fault("flap", channel="alpha", n=2)
        assert [await live(client, mine) for _ in range(3)] == [["beta"], ["beta"], ["alpha", "beta"]]
        box.fault("empty_streams")
        assert [await live(client, mine) for _ in range(2)] == [[], ["alpha", "beta"]]


async def test_fc_08_the_type_may_be_empty() -> None:
    async with sandbox() as box, http(box) as client:
        box.fault("odd_type", channel="alpha")
        rows = (await client.get("/helix/streams", headers=headers(box))).json()["data"]
        assert {row["user_login"]: row["type"] for row in rows} == {"alpha": "", "beta": "live"}


async def test_one_bad_id_fails_its_batch() -> None:
    async with sandbox() as box, http(box) as client:
        mine = headers(box)
        box.fault("bad_id", channel="alpha", seconds=60)
        for path in ("/helix/users?login=alpha&login=beta", "/helix/streams?user_login=alpha"):
            assert (await client.get(path, headers=mine)).status_code == 400
        assert (await client.get("/helix/users?login=beta", headers=mine)).status_code == 200


async def test_cache_lag_for_a_while() -> None:
    async with sandbox(channel("alpha", (10, 20), (3700, 3800))) as box, http(box) as client:
        mine = headers(box)
        box.fault("cache_lag", online=0, offline=600, seconds="1h")
        await elapse(box, 150)
        assert await live(client, mine) == ["alpha"], "ended 130 s ago"
        await elapse(box, 3600 + 60)
        assert await live(client, mine) == []


async def test_fc_12_pages_that_go_wrong() -> None:
    async with sandbox(*MANY) as box, http(box) as client:
        mine = headers(box)
        path = "/helix/channels/followed?user_id=1001&first=100"
        page = (await client.get(path, headers=mine)).json()
        following = f"{path}&after={page['pagination']['cursor']}"
        box.fault("page_fails", path="/helix/channels")
        assert (await client.get(following, headers=mine)).status_code == 500
        box.fault("repeat_row")
        assert (await client.get(following, headers=mine)).json()["data"][0] == page["data"][-1]
        box.fault("repeat_cursor")
        same = (await client.get(following, headers=mine)).json()
        assert same["pagination"] == page["pagination"]


async def test_an_outage() -> None:
    async with sandbox() as box, http(box) as client:
        mine = headers(box)
        box.fault("status", path="/helix", code=503, seconds="20m")
        assert (await client.get("/helix/users", headers=mine)).status_code == 503
        assert (await client.get("/oauth2/validate", headers=mine)).status_code == 200
        await elapse(box, 1200)
        assert (await client.get("/helix/users", headers=mine)).status_code == 200


async def test_fc_53_a_429_names_its_reset() -> None:
    async with sandbox() as box, http(box) as client:
        box.fault("status", path="/helix", code=429, reset=45)
        answer = await client.get("/helix/users", headers=headers(box))
        assert answer.status_code == 429
        assert 45 <= int(answer.headers["ratelimit-reset"]) - box.clock.now() <= 46
        box.fault("status", path="/helix", code=429, headers=False)
        assert "ratelimit-reset" not in (await client.get("/helix/users", headers=headers(box))).headers


@pytest.mark.parametrize("kind", ["empty", "html", "truncated", "two_values", "data_null", "foreign", "broken_gzip"])
async def test_fc_21_bodies_that_are_not_the_ones_expected(kind: str) -> None:
    async with sandbox() as box, http(box) as client:
        box.fault("body", kind=kind)
        if kind == "broken_gzip":
            with pytest.raises(httpx2.DecodingError):
                await client.get("/helix/users", headers=headers(box))
            return
        answer = await client.get("/helix/users", headers=headers(box))
        assert answer.status_code == 200
        if kind in ("data_null", "foreign"):
            assert not answer.json().get("data")
        else:
            with pytest.raises(json.JSONDecodeError):
                answer.json()


async def test_an_answer_hangs_and_a_connection_is_reset() -> None:
    async with sandbox() as box, http(box) as client:
        mine = headers(box)
        box.fault("hang", delay=600)
        asked = asyncio.ensure_future(client.get("/helix/users", headers=mine))
        await elapse(box, 599)
        assert not asked.done()
        await elapse(box, 1)
        assert (await asked).status_code == 503
        box.fault("reset_http")
        with pytest.raises(ConnectionResetError):
            await client.get("/helix/users", headers=mine)


async def test_fc_16_a_rename_shows_at_once() -> None:
    async with sandbox(*always_live("alpha")) as box, http(box) as client:
        mine = headers(box)
        box.fault("rename", channel="alpha", to="alpha2")
        assert await live(client, mine) == ["alpha2"]
        users = (await client.get("/helix/users?login=alpha&id=20000000", headers=mine)).json()["data"]
        assert [user["login"] for user in users] == ["alpha2"]


async def test_fc_15_the_deleted_are_gone_everywhere() -> None:
    async with sandbox(*always_live("alpha")) as box, http(box) as client:
        mine = headers(box)
        box.fault("delete", channel="alpha")
        assert await live(client, mine) == []
        assert (await client.get("/helix/users?id=20000000", headers=mine)).json()["data"] == []
        assert (await client.get("/helix/channels/followed?user_id=1001", headers=mine)).json()["total"] == 0
