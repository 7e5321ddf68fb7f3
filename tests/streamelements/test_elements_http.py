"""What each answer means at StreamElements: a table of statuses and bodies; limits; and that no secret ever shows."""

from __future__ import annotations

import json
import logging
import ssl
from contextlib import suppress

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stub_elements import BASE, HTML, ME, NOW, OWN, SE, Elements, Raw, Reply, body, html, make_jwt, no, points, receipt

from allthepoints.base.addresses import BadAddress
from allthepoints.base.errors import Limited, NotSent, OutsideError, Refused, Unauthorised, Unknown
from allthepoints.base.secret import Secret
from allthepoints.base.types import Login
from allthepoints.streamelements.http import Calls, checked, clear_no, wait_of
from allthepoints.testing.clock import ManualClock
from allthepoints.web import Answer, Ask, Client

TOKEN = make_jwt()
WORDS = "Not allowed to perform this operation"

READS: dict[str, tuple[Reply, type[OutsideError]]] = {
    "connect": (httpx2.ConnectError("refused"), NotSent),
    "connect-timeout": (httpx2.ConnectTimeout("slow"), NotSent),
    "read": (httpx2.ReadError("reset"), Unknown),
    "read-timeout": (httpx2.ReadTimeout("slow"), Unknown),
    "tls": (ssl.SSLError("bad"), Unknown),
    "half": (httpx2.Response(200, stream=Raw(b'{"points":', httpx2.ReadTimeout("slow"))), Unknown),
    "huge": (httpx2.Response(200, stream=Raw(*[b" " * (1 << 20)] * 6)), Unknown),
    "redirect": (httpx2.Response(302, headers={"location": "https://elsewhere.test/"}), Unknown),
    "304": (httpx2.Response(304), Unknown),
    "empty": (httpx2.Response(200), Unknown),
    "204": (httpx2.Response(204), Unknown),
    "html-200": (body(HTML), Unknown),
    "truncated": (body(b'{"points":18'), Unknown),
    "deep": (body(b"[" * 100_000), Unknown),
    "array": (body([]), Unknown),
    "number": (body(7), Unknown),
    "null": (body(None), Unknown),
    "foreign-200": (body({"status": "ok"}), Unknown),
    "text": (httpx2.Response(201, content=b"Created"), Unknown),
    "500": (no(500, "An internal server error occurred", "Internal Server Error"), Unknown),
    "502": (html(502), Unknown),
    "503": (html(503), Unknown),
    "503-later": (html(503, **{"retry-after": "30"}), Limited),
    "520": (html(520), Unknown),
    "524": (html(524), Unknown),
    "408": (no(408, "Request Timeout", "Request Timeout"), Unknown),
    "400": (no(400, 'child "channel" fails because [...]'), Refused),
    "400-html": (html(400), Unknown),
    "401": (no(401, WORDS, "Unauthorized"), Unauthorised),
    "401-html": (html(401), Unknown),
    "401-empty": (httpx2.Response(401), Unknown),
    "403": (no(403, WORDS, "Forbidden"), Refused),
    "403-html": (html(403), Unknown),
    "403-foreign-json": (body({"message": "Forbidden"}, 403), Unknown),
    "404-html": (html(404), Unknown),
    "404-text": (httpx2.Response(404, content=b"404 page not found"), Unknown),
    "404-empty": (httpx2.Response(404), Unknown),
    "404-foreign-json": (body({"detail": "Not Found"}, 404), Unknown),
    "429": (no(429, "Too Many Requests", "Too Many Requests"), Limited),
    "429-html": (html(429), Limited),
    "429-empty": (httpx2.Response(429), Limited),
    "200-that-says-400": (body({"statusCode": 400, "error": "Bad Request", "message": "no"}), Refused),
    "200-that-says-401-in-a-string": (body({"statusCode": "401", "message": WORDS}), Unauthorised),
    "200-that-says-429": (body({"statusCode": 429, "error": "Too Many Requests"}), Limited),
    "200-that-says-503": (body({"statusCode": 503, "error": "Service Unavailable"}), Unknown),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", READS)
async def test_fc_21_every_answer_to_a_read_has_its_meaning(name: str) -> None:
    reply, expected = READS[name]
    elements = Elements(reply)
    with pytest.raises(expected) as caught:
        await elements.points.balance(SE, ME)
    assert type(caught.value) is expected
    assert caught.value.__context__ is None
    assert len(str(caught.value)) < 400
    assert len(elements.calls) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    "reply",
    [no(404, "channel nosuchname was not found", "Not Found"), no(404, None, "Not Found"), body({"statusCode": "404"})],
)
async def test_404_in_their_words_is_none(reply: httpx2.Response) -> None:
    elements = Elements(reply)
    assert await elements.points.find(Login("nosuchname")) is None
    assert await elements.points.loyalty(SE) is None
    assert await elements.points.balance(SE, ME) is None
    assert await elements.points.items(SE) is None


@pytest.mark.anyio
async def test_their_words_are_told() -> None:
    with pytest.raises(Refused, match="reading the points: answered 400, bad") as caught:
        await Elements(no(400, "bad")).points.balance(SE, ME)
    assert (caught.value.status, caught.value.message) == (400, "bad")
    with pytest.raises(Unknown, match=r'answered 520, a web page: "520"$'):
        await Elements(html(520)).points.balance(SE, ME)


# -- where and how -------------------------------------------------------------------------------------------------
@pytest.mark.anyio
async def test_paths_are_encoded_and_nothing_secret_is_in_them() -> None:
    elements = Elements(body(points()))
    await elements.points.balance(SE, Login("MiXed/..?#ä"))
    (call,) = elements.calls
    assert call.path == f"/points/{SE}/mixed%2F..%3F%23%C3%A4"
    assert call.headers["user-agent"].startswith("allthepoints/")
    assert "authorization" not in call.headers
    assert call.headers["accept"] == "application/json"


@pytest.mark.parametrize("base", ["http://api.streamelements.com/kappa/v2", "ftp://localhost", "https://a:b@host"])
def test_fc_31_no_token_goes_where_it_could_be_read(base: str) -> None:
    with pytest.raises(BadAddress):
        Calls(Client(), base, ManualClock())


# -- limits --------------------------------------------------------------------------------------------------------
def check_wait(
    seconds: float | None, status: int = 200, at: float = NOW, content: bytes = b"{}", **headers: str
) -> None:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    until = wait_of(Answer(Ask("GET", BASE, "reading"), status, named, content), at)
    assert (None if until is None else until - at) == (None if seconds is None else pytest.approx(seconds))


def ms(seconds: float) -> str:
    return str(int((NOW + seconds) * 1000))


def test_fc_53_how_long_to_wait() -> None:
    check_wait(None)
    check_wait(None, x_ratelimit_limit="60", x_ratelimit_remaining="2", x_ratelimit_reset=ms(40))
    check_wait(40, x_ratelimit_limit="60", x_ratelimit_remaining="1", x_ratelimit_reset=ms(40))
    check_wait(40, x_ratelimit_remaining="0", x_ratelimit_reset=ms(40))
    check_wait(None, x_ratelimit_remaining="0")
    check_wait(None, x_ratelimit_remaining="0", x_ratelimit_reset=ms(-5))
    check_wait(300, x_ratelimit_remaining="0", x_ratelimit_reset=ms(1e6))
    check_wait(None, x_ratelimit_remaining="x", x_ratelimit_reset=ms(40))
    check_wait(None, x_ratelimit_remaining="nan", x_ratelimit_reset="nan")
    check_wait(60, 429)
    check_wait(40, 429, x_ratelimit_remaining="0", x_ratelimit_reset=ms(40))
    check_wait(2, 429, x_ratelimit_reset=ms(-1000))
    check_wait(300, 429, x_ratelimit_reset=ms(1e6))
    check_wait(60, 429, x_ratelimit_reset="soon")
    check_wait(60, 429, x_ratelimit_reset="1e400")
    check_wait(40, 429, x_ratelimit_reset=str(int(NOW + 40)))
    check_wait(40, 429, x_ratelimit_reset="40")
    check_wait(17, 429, retry_after="17", x_ratelimit_reset=ms(40))
    check_wait(2, 429, retry_after="0")
    check_wait(2, 429, retry_after="-100")
    check_wait(3600, 429, retry_after="86400")
    check_wait(20, 429, retry_after="Tue, 14 Nov 2023 22:13:40 GMT")
    check_wait(60, 429, retry_after="tomorrow")
    check_wait(30, 503, retry_after="30")
    check_wait(None, 503)
    check_wait(None, 200, retry_after="30")
    check_wait(60, 200, content=b'{"statusCode":429}')


def test_fc_53_a_wrong_clock_does_not_wait_for_hours() -> None:
    date = "Tue, 14 Nov 2023 22:13:20 GMT"  # NOW
    for off in (-3600.0, 3600.0):
        check_wait(40, 429, NOW + off, date=date, x_ratelimit_reset=ms(40))
        check_wait(20, 429, NOW + off, date=date, retry_after="Tue, 14 Nov 2023 22:13:40 GMT")
    check_wait(40, 429, date="Wed, 25 Nov 2026 12:00:00 GMT", x_ratelimit_reset=ms(40))  # of another time line


@pytest.mark.anyio
async def test_fc_53_what_is_used_up_is_not_asked() -> None:
    elements = Elements(body(points(), x_ratelimit_remaining="1", x_ratelimit_reset=ms(40)))
    await elements.points.balance(SE, ME)
    with pytest.raises(Limited) as caught:
        await elements.points.balance(SE, ME)
    assert caught.value.until == NOW + 40
    assert len(elements.calls) == 1
    with suppress(Unknown):
        await elements.points.loyalty(SE)  # of another kind
    assert len(elements.calls) == 2
    elements.clock.advance(40)
    await elements.points.balance(SE, ME)
    assert len(elements.calls) == 3


@pytest.mark.anyio
async def test_fc_53_after_a_429_nothing_of_the_kind_is_asked() -> None:
    elements = Elements(html(429, **{"retry-after": "90"}), body(points()))
    for _ in range(3):
        with pytest.raises(Limited) as caught:
            await elements.points.balance(SE, ME)
        assert caught.value.until == NOW + 90
    assert len(elements.calls) == 1
    elements.clock.advance(91)
    await elements.points.balance(SE, ME)


# -- secrets -------------------------------------------------------------------------------------------------------
@pytest.mark.anyio
@pytest.mark.parametrize("status", [200, 400, 401, 500])
@pytest.mark.parametrize("content", ["failed for Bearer %s", '{"x":"%s', '{"statusCode":400,"message":"bad token %s"}'])
async def test_fc_31_no_text_holds_the_jwt(status: int, content: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    elements = Elements(httpx2.Response(status, content=(content % TOKEN).encode()))
    for work in (
        elements.store.me(),
        elements.store.history(OWN),
        elements.store.redeem(OWN, SE, receipt()["item"], (), ""),
    ):
        with pytest.raises(OutsideError) as caught:
            await work
        for text in (str(caught.value), repr(caught.value), getattr(caught.value, "message", ""), caplog.text):
            assert TOKEN not in text
            assert TOKEN.split(".")[1] not in text
    assert all(call.headers["authorization"] == f"Bearer {TOKEN}" for call in elements.calls)
    assert all(TOKEN[:20] not in call.url and TOKEN.encode() not in call.body for call in elements.calls)


@pytest.mark.anyio
@pytest.mark.parametrize("cut", [40, 100, -2])
async def test_fc_32_an_account_and_a_code_are_never_shown(cut: int) -> None:
    account = {"email": "me@example.test", "apiToken": "short1", "accessToken": "short2", "x": ["short3"] * 9}
    secrets = ("me@", "short1", "short2", "short3", "AAAA-1111")
    whole = json.dumps(account | {"accessCode": "AAAA-1111"}).encode()
    for content in (whole, whole[:cut]):
        elements = Elements(body(content))
        for work in (
            elements.store.me(),
            elements.store.redeem(OWN, SE, receipt()["item"], (), ""),
            elements.store.history(OWN),
        ):
            with pytest.raises(Unknown) as caught:
                await work
            assert not [secret for secret in secrets if secret in str(caught.value) + repr(caught.value)]


# -- anything ------------------------------------------------------------------------------------------------------
@given(
    st.integers(100, 599), st.binary(max_size=200), st.dictionaries(st.sampled_from(["retry-after", "date"]), st.text())
)
def test_fc_21_any_status_and_body_is_an_answer_or_our_error(
    status: int, content: bytes, headers: dict[str, str]
) -> None:
    answer = Answer(Ask("GET", BASE, "reading", token=Secret(TOKEN)), status, headers, content)
    with suppress(OutsideError):
        checked(answer, NOW)
    assert clear_no(answer) is None or status == 200 or 400 <= status < 500


STATUSES = st.one_of(st.none(), st.integers(), st.text(max_size=4), st.sampled_from(["404", 400, 429, 500, "401"]))


@given(st.integers(200, 599), STATUSES, st.one_of(st.none(), st.text(), st.integers()))
def test_only_their_own_no_is_clear(status: int, told: object, message: object) -> None:
    content = json.dumps({"statusCode": told, "message": message}).encode()
    error = clear_no(Answer(Ask("POST", BASE, "redeeming"), status, {}, content))
    if error is not None:
        assert str(told) in {str(number) for number in range(400, 500)}
        assert status == 200 or 400 <= status < 500
