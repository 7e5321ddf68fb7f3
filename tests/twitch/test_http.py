"""What each answer means: a table of statuses and bodies, and that no token ever shows in a text."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stub_twitch import HELIX, Raw, Reply, Twitch, body, no

from allthepoints.base.errors import Limited, NotSent, OutsideError, Refused, Unauthorised, Unknown
from allthepoints.base.secret import Secret
from allthepoints.twitch.http import checked, points, request
from allthepoints.twitch.rows import Page
from allthepoints.web import Answer, Ask, Client, bounded, cut, decode

NOW = 1_700_000_000.0
CANARY = "canaryT0kenThatNobodyMaySee"

HTML = b"<!DOCTYPE html><html><body>Bad Gateway</body></html>"


def ask(**more: object) -> Ask:
    known = {"token": Secret(CANARY)}
    return Ask("GET", f"{HELIX}/streams", "reading", **(known | more))  # type: ignore[arg-type]


async def read(reply: Reply, **more: object) -> Page:
    twitch = Twitch().on("/streams", reply)
    try:
        return decode(checked(await twitch.client.send(ask(**more)), NOW, errors_in_200=True), Page)
    finally:
        await twitch.client.aclose()


ODD: dict[str, tuple[Reply, type[OutsideError]]] = {
    "connect": (httpx2.ConnectError("refused"), NotSent),
    "connect-timeout": (httpx2.ConnectTimeout("slow"), NotSent),
    "pool": (httpx2.PoolTimeout("full"), NotSent),
    "read": (httpx2.ReadError("reset"), Unknown),
    "write": (httpx2.WriteError("reset"), Unknown),
    "read-timeout": (httpx2.ReadTimeout("slow"), Unknown),
    "protocol": (httpx2.RemoteProtocolError("what?"), Unknown),
    "illegal-header": (httpx2.LocalProtocolError(f"Illegal header value b'Bearer {CANARY}'"), NotSent),
    "bad-url": (httpx2.InvalidURL("no"), Unknown),
    "os": (OSError(5, "io"), Unknown),
    "tls": (ssl.SSLError("bad"), Unknown),
    "after-headers": (httpx2.Response(200, stream=Raw(b'{"data":', httpx2.ReadTimeout("slow"))), Unknown),
    "empty": (httpx2.Response(200), Unknown),
    "blank": (body(b" \n"), Unknown),
    "no-content": (httpx2.Response(204), Unknown),
    "html-200": (body(HTML), Unknown),
    "truncated": (body(b'{"data":[{"id":"1","user_id"'), Unknown),
    "two-values": (body(b'{"a":1}{"b":2}'), Unknown),
    "two-good-values": (body(b'{"data":[]}{"data":[]}'), Unknown),
    "data-null": (body({"data": None}), Unknown),
    "no-data": (body({"pagination": {}}), Unknown),
    "array": (body([]), Unknown),
    "number": (body(b"7"), Unknown),
    "null": (body(b"null"), Unknown),
    "deep": (body(b'{"data":[' + b"[" * 100_000), Unknown),
    "not-utf8": (body(b'{"data":["\xff\xfe"]}x'), Unknown),
    "gzip-broken": (httpx2.Response(200, headers={"content-encoding": "gzip"}, stream=Raw(b"\x1f\x8bnope")), Unknown),
    "gzip-cut": (
        httpx2.Response(
            200, headers={"content-encoding": "gzip"}, stream=Raw(gzip.compress(json.dumps({"data": []}).encode())[:15])
        ),
        Unknown,
    ),
    "huge": (httpx2.Response(200, stream=Raw(*[b" " * (1 << 20)] * 6)), Unknown),
    "redirect": (httpx2.Response(302, headers={"location": "https://elsewhere.test/"}), Unknown),
    "500": (no(500, "Internal Server Error"), Unknown),
    "502-html": (httpx2.Response(502, content=HTML), Unknown),
    "503": (httpx2.Response(503), Unknown),
    "418-html": (httpx2.Response(418, content=HTML), Unknown),
    "403-html": (httpx2.Response(403, content=HTML), Unknown),
    "401-html": (httpx2.Response(401, content=HTML), Unknown),
    "404-foreign-json": (body({"detail": "Not Found"}, 404), Unknown),
    "404-text": (httpx2.Response(404, content=b"404 page not found"), Unknown),
    "429": (no(429, "Too Many Requests", ratelimit_reset=str(int(NOW + 20))), Limited),
    "401": (no(401, "Invalid OAuth token"), Unauthorised),
    "401-empty": (httpx2.Response(401), Unauthorised),
    "200-that-says-401": (
        body({"error": "Unauthorized", "status": 401, "message": "Invalid OAuth token"}),
        Unauthorised,
    ),
    "200-that-says-503": (body({"status": 503, "message": "later"}), Unknown),
    "400": (no(400, "bad"), Refused),
    "403": (no(403, "no"), Refused),
    "404": (no(404, "gone"), Refused),
    "410": (no(410, "gone"), Refused),
    "404-without-words": (body({"error": "Not Found", "status": 404}, 404), Refused),
    "404-empty": (httpx2.Response(404), Refused),
    "echo": (httpx2.Response(500, content=f"failed for Bearer {CANARY}".encode()), Unknown),
    "echo-message": (no(400, f"bad token {CANARY}"), Refused),
    "echo-cut": (body(b'{"x":"' + b"." * 60 + CANARY.encode() + b'"'), Unknown),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", ODD)
async def test_fc_21_every_odd_answer_has_its_meaning(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    reply, expected = ODD[name]
    with pytest.raises(expected) as caught:
        await read(reply)
    assert type(caught.value) is expected
    assert CANARY not in str(caught.value)
    assert CANARY[:12] not in str(caught.value)
    assert CANARY not in caplog.text
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert len(str(caught.value)) < 400


@pytest.mark.anyio
async def test_a_good_answer_is_good() -> None:
    assert (await read(body({"data": [], "pagination": {}, "new_field": 1}))).data == []


@pytest.mark.anyio
async def test_gzip_is_read() -> None:
    packed = gzip.compress(json.dumps({"data": [1]}).encode())
    page = await read(httpx2.Response(200, headers={"content-encoding": "gzip"}, stream=Raw(packed[:9], packed[9:])))
    assert len(page.data) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"error code: 520", "answered 502: error code: 520"),
        (HTML, "answered 502, a web page"),
        (b"\xef\xbb\xbf\r\n<html><TITLE lang=en>Down &amp;\n out</TITLE>", 'answered 502, a web page: "Down & out"'),
        (b"<title>" + b"a b " * 100 + b"</title>", f'answered 502, a web page: "{"a b " * 20}"'),
        (b"<title>token=abcdef</title>", 'answered 502, a web page: "token=***"'),
        (b"<title></title>", "answered 502, a web page"),
        (b"<" * 100_000, "answered 502, a web page"),
        (b"", "answered 502"),
    ],
)
async def test_what_came_is_told_in_words_and_a_page_by_its_title(content: bytes, told: str) -> None:
    with pytest.raises(Unknown) as caught:
        await read(httpx2.Response(502, content=content))
    assert str(caught.value).endswith(told)
    assert "<" not in str(caught.value)


@pytest.mark.anyio
async def test_a_confidential_answer_is_never_shown() -> None:
    with pytest.raises(Unknown) as caught:
        await read(body(b'{"acess_token":"short'), confidential=True)
    assert "short" not in str(caught.value)
    assert "21 bytes" in str(caught.value)


@pytest.mark.anyio
async def test_one_deadline_covers_the_whole_answer() -> None:
    async def never(request: httpx2.Request) -> httpx2.Response:
        await asyncio.Event().wait()
        raise AssertionError

    client = Client(httpx2.MockTransport(never), timeout=0.01)
    with pytest.raises(Unknown, match="no whole answer within") as caught:
        await client.send(ask())
    assert not isinstance(caught.value, NotSent)
    await client.aclose()


@pytest.mark.anyio
async def test_a_token_that_no_header_can_hold() -> None:
    with pytest.raises(NotSent) as caught:
        await read(body({"data": []}), token=Secret("gehéim"))
    assert "gehéim" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.anyio
async def test_no_cookie_no_redirect_and_our_own_name() -> None:
    twitch = Twitch().on("/streams", httpx2.Response(302, headers={"location": "/users", "set-cookie": "a=b"}))
    for _ in range(2):
        with pytest.raises(Unknown):
            await request(twitch.client, ask(), NOW)
    first, second = twitch.calls
    assert first.headers["user-agent"].startswith("allthepoints/")
    assert "cookie" not in second.headers
    await twitch.client.aclose()


OK = b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n"


@asynccontextmanager
async def server(answer: bytes, *, rst: bool = False) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A real socket on loopback that answers with these bytes, then closes."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        if rst:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with running:
        yield f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}", heard


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "rst", "expected"),
    [
        (OK + b'{"data":[]}', False, None),
        (OK + b'{"data"', False, Unknown),
        (OK[:20], False, Unknown),
        (b"", False, Unknown),
        (b"", True, Unknown),
        (b"SSH-2.0-OpenSSH\r\n", False, Unknown),
        (b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", False, Unknown),
    ],
)
async def test_fc_21_real_sockets(
    answer: bytes, rst: bool, expected: type[Unknown] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # nobody's proxy reaches our loopback
    client = Client()
    async with server(answer, rst=rst) as (base, heard):
        work = request(client, Ask("GET", f"{base}/x", "reading", token=Secret(CANARY)), NOW)
        if expected is None:
            assert decode(await work, Page).data == []
            assert b"authorization: bearer" in heard[0].lower()
        else:
            with pytest.raises(expected) as caught:
                await work
            assert type(caught.value) is expected
    with pytest.raises(NotSent):
        await request(client, Ask("GET", f"{base}/x", "reading"), NOW)
    await client.aclose()


@pytest.mark.parametrize(
    ("reset", "until"),
    [
        (NOW + 20, NOW + 20),
        (None, NOW + 30),
        (NOW - 1000, NOW + 2),
        (NOW, NOW + 2),
        (NOW + 1e9, NOW + 300),
        (float("inf"), NOW + 300),
    ],
)
def test_fc_53_a_limit_is_obeyed_within_bounds(reset: float | None, until: float) -> None:
    assert bounded(reset, NOW) == until


@pytest.mark.parametrize("value", ["soon", "", "1e400", "-", "12.5"])
def test_fc_53_a_reset_that_is_no_time(value: str) -> None:
    with pytest.raises(Limited) as caught:
        checked(Answer(ask(), 429, {"ratelimit-reset": value}, b""), NOW)
    assert caught.value.until == NOW + 30


def check_points(expected: tuple[int, int, float] | None, **headers: str) -> None:
    assert points({f"ratelimit-{name}": value for name, value in headers.items()}) == expected


def test_rate_headers() -> None:
    check_points((700, 800, 5.0), remaining="700", limit="800", reset="5")
    check_points(None, remaining="700", limit="800")
    check_points(None, remaining="900", limit="800", reset="5")
    check_points(None, remaining="x", limit="800", reset="5")


@pytest.mark.parametrize(
    "text",
    [
        f'{{"access_token":"{CANARY}"}}',
        "access_token=abc&x=1",
        '{"refresh_token": "abc", "x": 1}',
        '"device_code" : "abc"',
        "PASS oauth:abc",
        "Authorization: Bearer abc",
        "abcdefghijklmnopqrstuvwxyz0123",
    ],
)
def test_fc_32_what_looks_like_a_token_is_cut_out(text: str) -> None:
    shown = cut(text, ask())
    assert "abc" not in shown
    assert CANARY not in shown
    assert "***" in shown


GOOD = json.dumps(
    {"data": [{"id": "s1", "user_id": "1", "user_login": "a", "type": "live"}], "pagination": {"cursor": "x"}}
).encode()


@given(st.integers(100, 599), st.binary(max_size=200))
def test_fc_21_any_status_and_body_is_an_answer_or_our_error(status: int, content: bytes) -> None:
    check_anything(status, content)


@given(
    st.integers(0, len(GOOD)), st.integers(0, len(GOOD)), st.binary(max_size=8), st.sampled_from([200, 400, 401, 500])
)
def test_fc_21_a_mutated_body_is_an_answer_or_our_error(start: int, end: int, patch: bytes, status: int) -> None:
    check_anything(status, GOOD[:start] + patch + GOOD[end:])


def check_anything(status: int, content: bytes) -> None:
    with suppress(OutsideError):
        decode(checked(Answer(ask(), status, {}, content), NOW), Page)
