"""The sign-in server: device code, validate, revoke, client credentials."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stub_twitch import Call, Reply, Twitch, body, grant, no, valid

from allthepoints.base.errors import OutsideError, Refused, SignInNeeded, Unauthorised, Unknown
from allthepoints.base.secret import Secret
from allthepoints.twitch.oauth import (
    DEVICE_GRANT,
    SCOPES,
    DeviceCode,
    DeviceDead,
    Grant,
    Pending,
    SlowDown,
    sign_in_by_device,
)

START = {
    "device_code": "D0",
    "user_code": "ABCDEFGH",
    "verification_uri": "https://www.twitch.tv/activate?public=true&device-code=ABCDEFGH",
    "expires_in": 1800,
    "interval": 5,
}

CODE = DeviceCode(Secret("D0"), "ABCDEFGH", "https://x.test", 1800.0, 5.0, ("chat:read",))


# -- starting -----------------------------------------------------------------------------------------------------
@pytest.mark.anyio
async def test_fc_19_a_code_is_asked_for() -> None:
    twitch = Twitch().on("/device", body(START))
    code = await twitch.oauth().device_start()
    assert code.device_code == Secret("D0")
    assert (code.user_code, code.expires_in, code.interval) == ("ABCDEFGH", 1800.0, 5.0)
    assert twitch.calls[0].form == {"client_id": "c", "scopes": "chat:read user:read:follows"}
    assert "D0" not in repr(code)


@pytest.mark.anyio
async def test_fc_19_what_is_left_out_is_taken_as_usual() -> None:
    twitch = Twitch().on("/device", body(START | {"expires_in": None, "interval": 0}))
    code = await twitch.oauth().device_start()
    assert (code.expires_in, code.interval) == (1800.0, 5.0)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("reply", "expected", "words"),
    [
        (no(400, "missing device_code"), Refused, "missing device_code"),
        (no(400, "invalid client"), Refused, "invalid client"),
        (body({k: v for k, v in START.items() if k != "device_code"}), Unknown, "lacks a part"),
        (body(START | {"user_code": None}), Unknown, "lacks a part"),
        (httpx2.Response(503, content=b"<html>down</html>"), Unknown, "503"),
        (body({}), Unknown, "lacks a part"),
        (body(START | {"device_code": 5}), Unknown, "something else"),
    ],
    ids=["400", "client", "no-code", "no-user-code", "503-html", "empty-object", "number"],
)
async def test_fc_19_start_that_fails(reply: Reply, expected: type[OutsideError], words: str) -> None:
    with pytest.raises(expected, match=words) as caught:
        await Twitch().on("/device", reply).oauth().device_start()
    assert "ABCDEFGH" not in str(caught.value)


# -- polling ------------------------------------------------------------------------------------------------------
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("authorization_pending", Pending()),
        ("slow_down", SlowDown()),
        ("Slow Down", SlowDown()),
        ("invalid device code", DeviceDead("invalid device code")),
        ("expired_token", DeviceDead("expired_token")),
        ("access_denied", DeviceDead("access_denied")),
    ],
)
async def test_fc_19_words_of_a_poll(message: str, expected: object) -> None:
    assert await Twitch().on("/token", no(400, message)).oauth().device_poll(CODE) == expected


@pytest.mark.anyio
async def test_fc_19_a_granted_poll() -> None:
    twitch = Twitch().on("/token", grant(scope=None))
    answer = await twitch.oauth().device_poll(CODE)
    assert answer == Grant(Secret("T1"), Secret("R1"), (), 14000.0)
    form = {"client_id": "c", "scopes": "chat:read", "device_code": "D0", "grant_type": DEVICE_GRANT}
    assert twitch.calls[0].form == form


async def drive(twitch: Twitch, seconds: float) -> tuple[list[DeviceCode], asyncio.Task[Grant]]:
    shown: list[DeviceCode] = []
    task = asyncio.create_task(sign_in_by_device(twitch.oauth(), twitch.clock, shown.append))
    await twitch.clock.elapse(seconds)
    return shown, task


def times(twitch: Twitch) -> tuple[list[float], Any]:
    """The replies of /token, noting when each was asked for."""
    at: list[float] = []
    start = twitch.clock.now()

    def on(*replies: Reply) -> None:
        left = list(replies)

        def answer(call: Call) -> Reply:
            at.append(twitch.clock.now() - start)
            return left[0] if len(left) == 1 else left.pop(0)

        twitch.on("/token", answer)

    return at, on


@pytest.mark.anyio
async def test_fc_19_the_interval_is_honoured_and_grows_on_slow_down() -> None:
    twitch = Twitch().on("/device", body(START))
    at, on = times(twitch)
    pending = no(400, "authorization_pending")
    on(pending, no(400, "slow_down"), pending, no(400, "slow_down"), grant())
    shown, task = await drive(twitch, 60)
    assert (await task).access == Secret("T1")
    assert at == [5, 10, 20, 30, 45]
    assert [code.user_code for code in shown] == ["ABCDEFGH"]


@pytest.mark.anyio
async def test_fc_19_trouble_on_the_way_does_not_end_it() -> None:
    twitch = Twitch().on("/device", body(START))
    at, on = times(twitch)
    limited = no(429, "slow", ratelimit_reset=str(int(twitch.clock.now()) + 45))
    on(
        httpx2.ReadError("reset"),
        httpx2.ConnectError("down"),
        httpx2.Response(502, content=b"<html>"),
        body({}),
        limited,
        grant(),
    )
    _, task = await drive(twitch, 60)
    assert (await task).refresh == Secret("R1")
    assert at == [5, 10, 15, 20, 25, 45]


@pytest.mark.anyio
@pytest.mark.parametrize("interval", [5, 0.3, 7, 1000])
async def test_fc_19_it_ends_when_the_code_does_and_offers_another(interval: float) -> None:
    twitch = Twitch().on("/device", body(START | {"expires_in": 30.1, "interval": interval}))
    twitch.on("/token", no(400, "authorization_pending"))
    _, task = await drive(twitch, 31)
    with pytest.raises(SignInNeeded, match="ABCDEFGH has expired") as caught:
        await task
    assert "new code" in caught.value.hint
    assert twitch.clock.sleepers == 0


@pytest.mark.anyio
async def test_fc_19_a_dead_code_ends_it() -> None:
    twitch = Twitch().on("/device", body(START)).on("/token", no(400, "invalid device code"))
    _, task = await drive(twitch, 6)
    with pytest.raises(SignInNeeded, match="invalid device code") as caught:
        await task
    assert "login" in caught.value.hint


# -- validate, revoke, client credentials --------------------------------------------------------------------------
@pytest.mark.anyio
async def test_fc_18_validate() -> None:
    twitch = Twitch().on("/validate", valid("Me"))
    described = await twitch.oauth().validate(Secret("T0"))
    assert (described.login, described.user_id, described.client_id) == ("me", "1", "c")
    assert described.expires_in == 5520
    assert twitch.calls[0].headers["authorization"] == "OAuth T0"
    assert twitch.calls[0].query == []


@pytest.mark.anyio
async def test_validate_that_says_little_of_a_person_leaves_it_to_the_others() -> None:
    described = await Twitch().on("/validate", body({"login": "me", "user_id": 1})).oauth().validate(Secret("T"))
    assert (described.login, described.user_id, described.scopes) == ("me", "1", frozenset(SCOPES))


@pytest.mark.anyio
async def test_fc_18_an_app_token_has_no_login() -> None:
    described = await Twitch().on("/validate", body({"client_id": "c", "scopes": None})).oauth().validate(Secret("T"))
    assert (described.login, described.user_id, described.scopes) == (None, None, frozenset())


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (no(401, "invalid access token"), Unauthorised),
        (no(429, "slow"), Unknown),
        (no(500, "oops"), Unknown),
        (body(b"<html>hello</html>"), Unknown),
        (httpx2.Response(401, content=b"<html>log in to the hotel</html>"), Unknown),
        (body({}), Unknown),
        (body({"status": 401, "message": "Invalid OAuth token"}), Unknown),
        (valid(user_id="one"), Unknown),
        (body({"client_id": "c", "login": 7}), Unknown),
    ],
)
async def test_fc_18_validate_that_fails(reply: Reply, expected: type[OutsideError]) -> None:
    with pytest.raises(expected):
        await Twitch().on("/validate", reply).oauth().validate(Secret("T0"))


@pytest.mark.anyio
async def test_revoke() -> None:
    twitch = Twitch().on("/revoke", httpx2.Response(200), no(400, "Invalid token"), no(400, "invalid client"))
    await twitch.oauth().revoke(Secret("T0"), "other")
    assert twitch.calls[0].form == {"client_id": "other", "token": "T0"}
    await twitch.oauth().revoke(Secret("T0"))
    with pytest.raises(Refused):
        await twitch.oauth().revoke(Secret("T0"))


@pytest.mark.anyio
async def test_client_credentials() -> None:
    twitch = Twitch().on("/token", grant("A0", None, scope=None))
    assert (await twitch.oauth().client_credentials(Secret("sesame"))).refresh is None
    expected = {"client_id": "c", "client_secret": "sesame", "grant_type": "client_credentials"}
    assert twitch.calls[0].form == expected


@pytest.mark.anyio
@pytest.mark.parametrize("scope", [["a", "b"], "a b"])
async def test_scopes_in_either_form(scope: object) -> None:
    answer = await Twitch().on("/token", grant(scope=scope)).oauth().refresh(Secret("R"), "c")
    assert answer.scopes == ("a", "b")


BODIES = [json.dumps(START).encode(), grant("canaryA", "canaryR").content, valid().content]


@given(st.sampled_from(BODIES), st.integers(0, 300), st.integers(0, 300), st.binary(max_size=6), st.booleans())
def test_fc_21_mutated_bodies_never_crash_nor_show_tokens(
    good: bytes, start: int, end: int, patch: bytes, refused: bool
) -> None:
    reply = body(good[:start] + patch + good[end:], 400 if refused else 200)

    async def ask_all() -> None:
        twitch = Twitch().on("/device", reply).on("/token", reply).on("/validate", reply)
        oauth = twitch.oauth()
        for work in (oauth.device_start(), oauth.device_poll(CODE), oauth.refresh(Secret("R"), "c")):
            try:
                await work
            except OutsideError as error:
                if not refused:
                    assert "canary" not in str(error)  # noqa: PT017
        with suppress(OutsideError):
            await oauth.validate(Secret("T0"))

    asyncio.run(ask_all())
