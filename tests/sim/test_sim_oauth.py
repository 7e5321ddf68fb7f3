"""id.twitch.tv: device codes, single-use refresh tokens, validate, revoke, and their faults."""

from __future__ import annotations

import asyncio

import httpx2
import pytest
from sandboxes import Chatter, elapse, headers, http, sandbox, signed_in

from allthepoints.sim.oauth import DEVICE_GRANT
from allthepoints.sim.scenario import AccountPlan, Scenario
from allthepoints.sim.server import Sandbox

pytestmark = pytest.mark.anyio

SCOPES = "chat:read user:read:follows"


async def refresh(client: httpx2.AsyncClient, token: str, **more: str) -> httpx2.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "sandbox", **more}
    return await client.post("/oauth2/token", data=form)


async def device(client: httpx2.AsyncClient) -> dict[str, str]:
    answer = await client.post("/oauth2/device", data={"client_id": "sandbox", "scopes": SCOPES})
    assert answer.status_code == 200
    return dict(answer.json())


async def poll(client: httpx2.AsyncClient, code: str, client_id: str = "sandbox") -> tuple[int, str]:
    form = {"client_id": client_id, "scopes": SCOPES, "device_code": code, "grant_type": DEVICE_GRANT}
    answer = await client.post("/oauth2/token", data=form)
    body = answer.json()
    return answer.status_code, body.get("message") or body["access_token"]


async def test_a_device_code_is_approved_and_exchanged_once() -> None:
    async with sandbox() as box, http(box) as client:
        code = await device(client)
        assert set(code) == {"device_code", "expires_in", "interval", "user_code", "verification_uri"}
        assert code["user_code"] in code["verification_uri"]
        assert await poll(client, code["device_code"]) == (400, "authorization_pending")
        await elapse(box, 5)
        status, token = await poll(client, code["device_code"])
        assert status == 200
        assert await poll(client, code["device_code"]) == (400, "invalid device code")
        whose = (await client.get("/oauth2/validate", headers={"Authorization": f"OAuth {token}"})).json()
        assert whose == {
            "client_id": "sandbox",
            "login": "me",
            "user_id": "1001",
            "scopes": SCOPES.split(),
            "expires_in": 14400,
        }
        assert box.tally().protocol_errors == ()


async def test_device_codes_expire_and_belong_to_their_client() -> None:
    plan = Scenario(device_approve_after=None)
    async with sandbox(scenario=plan) as box, http(box) as client:
        code = await device(client)
        assert await poll(client, code["device_code"], "other") == (400, "invalid device code")
        assert await poll(client, "unknown") == (400, "invalid device code")
        await elapse(box, 1799)
        assert await poll(client, code["device_code"]) == (400, "authorization_pending")
        await elapse(box, 1)
        assert await poll(client, code["device_code"]) == (400, "invalid device code")


async def test_polling_too_fast_is_noted() -> None:
    async with sandbox() as box, http(box) as client:
        code = await device(client)
        for _ in range(2):
            await poll(client, code["device_code"])
            await elapse(box, 1)
        assert box.tally().protocol_errors == ("OAuth: polled for a device code faster than its interval",)


async def test_approval_by_control() -> None:
    plan = Scenario(device_approve_after=None, others=(AccountPlan("bob", "1002"),))
    async with sandbox(scenario=plan) as box, http(box) as client:
        code = await device(client)
        answer = await client.post("/sandbox/approve", json={"user_code": code["user_code"], "account": "bob"})
        assert answer.json() == {"user_code": code["user_code"], "approved": True}
        _, token = await poll(client, code["device_code"])
        whose = await client.get("/oauth2/validate", headers={"Authorization": f"Bearer {token}"})
        assert whose.json()["login"] == "bob"


async def test_fc_19_the_device_flow_goes_wrong() -> None:
    async with sandbox() as box, http(box) as client:
        box.fault("device_missing_code")
        assert "device_code" not in await device(client)
        code = (await device(client))["device_code"]
        box.fault("device_slow_down")
        assert await poll(client, code) == (400, "slow_down")
        box.fault("device_denied")
        await elapse(box, 10)
        assert await poll(client, code) == (400, "invalid device code")
        box.fault("body", path="/oauth2/device", kind="html")
        answer = await client.post("/oauth2/device", data={"client_id": "sandbox", "scopes": SCOPES})
        assert answer.text.startswith("<html>")


async def test_fc_46_a_refresh_token_works_once() -> None:
    async with sandbox() as box, http(box) as client:
        pair = box.issue_tokens()
        answer = await refresh(client, pair.refresh)
        assert answer.status_code == 200
        assert set(answer.json()) == {"access_token", "refresh_token", "expires_in", "scope", "token_type"}
        again = await refresh(client, pair.refresh)
        assert again.status_code == 400
        assert again.json() == {"error": "Bad Request", "status": 400, "message": "Invalid refresh token"}
        assert (box.tally().refreshes, box.tally().refresh_reuse, box.tally().refresh_reuse_early) == (1, 1, 1)
        assert (await refresh(client, answer.json()["refresh_token"])).status_code == 200
        still = await client.get("/oauth2/validate", headers={"Authorization": f"OAuth {pair.access}"})
        assert still.status_code == 200, "the old access token lives on"


async def test_a_refresh_token_lives_thirty_days() -> None:
    async with sandbox() as box, http(box) as client:
        one, two = box.issue_tokens(), box.issue_tokens()
        box.tokens._refresh[one.refresh].expires_at = box.clock.now() + 1
        box.tokens._refresh[two.refresh].expires_at = box.clock.now()
        assert (await refresh(client, one.refresh)).status_code == 200
        assert (await refresh(client, two.refresh)).status_code == 400


async def test_fc_46_refreshes_that_go_wrong() -> None:
    async with sandbox() as box, http(box) as client:
        pair = box.issue_tokens()
        box.fault("refresh_no_pair")
        assert "refresh_token" not in (await refresh(client, pair.refresh)).json()
        box.fault("refresh_invalid")
        assert (await refresh(client, pair.refresh)).json()["message"] == "Invalid refresh token"
        assert box.tally().refresh_reuse == 0
        box.fault("refresh_lost")
        box.fault("expire_token", cut_chat=False)
        with pytest.raises(ConnectionResetError):
            await refresh(client, pair.refresh)
        assert (await refresh(client, pair.refresh)).status_code == 400
        assert (box.tally().refreshes, box.tally().refresh_reuse, box.tally().refresh_reuse_early) == (1, 1, 0)


async def test_fc_46_e_an_app_that_is_not_public() -> None:
    async with sandbox() as box, http(box) as client:
        pair = box.issue_tokens()
        box.fault("refresh_not_public")
        answer = await refresh(client, pair.refresh)
        assert (answer.status_code, answer.json()["message"]) == (400, "missing client secret")
        assert (await refresh(client, pair.refresh)).status_code == 200


@pytest.mark.parametrize(
    ("kind", "login", "scopes"),
    [
        ("account", "somebody_else", SCOPES.split()),
        ("app", None, None),
        ("scope", "me", ["user:read:follows"]),
    ],
)
async def test_fc_18_validate_tells_of_another(kind: str, login: str | None, scopes: object) -> None:
    async with sandbox() as box, http(box) as client:
        mine = headers(box)
        box.fault("validate_as", kind=kind)
        told = (await client.get("/oauth2/validate", headers=mine)).json()
        assert (told.get("login"), told["scopes"]) == (login, scopes)
        again = (await client.get("/oauth2/validate", headers=mine)).json()
        assert (again["login"], again["scopes"]) == ("me", SCOPES.split())


async def test_a_lost_answer_may_hang() -> None:
    async with sandbox() as box, http(box) as client:
        box.fault("refresh_lost", how="hang")
        asked = asyncio.ensure_future(refresh(client, box.issue_tokens().refresh))
        await elapse(box, 60)
        assert not asked.done()
        assert box.tally().refreshes == 1
        await elapse(box, 3600)
        with pytest.raises(ConnectionResetError):
            await asked


async def check_token(box: Sandbox, client: httpx2.AsyncClient, sent: dict[str, str]) -> tuple[int, str]:
    answer = await client.get("/oauth2/validate", headers=sent)
    return answer.status_code, answer.json().get("message", "")


async def test_fc_18_validate() -> None:
    async with sandbox() as box, http(box) as client:
        mine = headers(box)
        assert await check_token(box, client, {}) == (401, "missing authorization token")
        assert await check_token(box, client, {"Authorization": "OAuth x"}) == (401, "invalid access token")
        app = box.tokens.issue_app("sandbox-confidential", box.clock.now())
        whose = (await client.get("/oauth2/validate", headers={"Authorization": f"OAuth {app}"})).json()
        assert "login" not in whose
        assert whose["scopes"] is None
        box.fault("validate_status", code=429, message="slow")
        assert await check_token(box, client, mine) == (429, "slow")
        await elapse(box, 14400)
        assert await check_token(box, client, mine) == (401, "invalid access token")


async def test_expired_and_revoked() -> None:
    async with sandbox() as box, http(box) as client:
        pair = box.issue_tokens()
        sent = {"Authorization": f"OAuth {pair.access}"}
        chatter = await signed_in(box)
        box.fault("expire_token")
        assert (await check_token(box, client, sent))[0] == 401
        assert (await refresh(client, pair.refresh)).status_code == 200
        new = box.issue_tokens()
        box.fault("revoke", cut_chat=True)
        assert (await refresh(client, new.refresh)).status_code == 400
        await chatter.heard()
        assert chatter.lost
        refused = await Chatter(box).say(f"PASS oauth:{new.access}", "NICK me")
        assert "Login authentication failed" in refused[0]


async def test_revoke() -> None:
    async with sandbox() as box, http(box) as client:
        token = box.issue_tokens().access
        form = {"client_id": "sandbox", "token": token}
        assert (await client.post("/oauth2/revoke", data=form)).status_code == 200
        assert (await client.post("/oauth2/revoke", data=form)).status_code == 400
        assert (await check_token(box, client, {"Authorization": f"OAuth {token}"}))[0] == 401


CONFIDENTIAL = {"client_id": "sandbox-confidential", "client_secret": "sandbox-secret"}


@pytest.mark.parametrize(
    ("form", "status", "message", "noted"),
    [
        ({**CONFIDENTIAL, "grant_type": "client_credentials"}, 200, "", False),
        (
            {**CONFIDENTIAL, "client_secret": "no", "grant_type": "client_credentials"},
            403,
            "invalid client secret",
            False,
        ),
        ({"client_id": "sandbox", "grant_type": "client_credentials"}, 403, "invalid client secret", True),
        (
            {"client_id": "sandbox", "client_secret": "x", "grant_type": "refresh_token"},
            403,
            "invalid client secret",
            True,
        ),
        ({"client_id": "sandbox-confidential", "grant_type": "refresh_token"}, 400, "missing client secret", False),
        ({"grant_type": "refresh_token"}, 400, "missing client id", True),
        ({"client_id": "sandbox"}, 400, "missing grant type", True),
        ({"client_id": "sandbox", "grant_type": "password"}, 400, "unsupported grant type", True),
    ],
)
async def test_clients_and_their_secrets(form: dict[str, str], status: int, message: str, noted: bool) -> None:
    async with sandbox() as box, http(box) as client:
        answer = await client.post("/oauth2/token", data=form)
        assert (answer.status_code, answer.json().get("message", "")) == (status, message)
        assert bool(box.tally().protocol_errors) == noted


async def test_a_confidential_clients_refresh_token_lasts() -> None:
    async with sandbox() as box, http(box) as client:
        pair = box.issue_tokens(client_id="sandbox-confidential")
        for _ in range(2):
            assert (await refresh(client, pair.refresh, **CONFIDENTIAL)).status_code == 200
        assert box.tally().refresh_reuse == 0


async def test_tokens_in_the_address_are_noted() -> None:
    async with sandbox() as box, http(box) as client:
        await client.post("/oauth2/token?client_id=sandbox&grant_type=refresh_token&refresh_token=x")
        assert box.tally().protocol_errors == ("OAuth: parameters in the address, where they are logged",)
        assert (await client.get("/oauth2/token")).status_code == 405
        assert (await client.get("/oauth2/nothing")).status_code == 404
