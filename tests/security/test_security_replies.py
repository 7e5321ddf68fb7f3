"""An API that means harm, or somebody who speaks in its name: it may be wrong about the world, and nothing more."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx2
import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "streamelements"))

from hostile_texts import ALL, STEERING

from allthepoints.base.addresses import may_be_opened
from allthepoints.base.clock import SystemClock
from allthepoints.base.errors import OutsideError, Unknown
from allthepoints.base.secret import Secret
from allthepoints.base.types import Login, SeId
from allthepoints.streamelements import rows as se_rows
from allthepoints.streamelements.points import ElementsPoints
from allthepoints.testing.clock import ManualClock
from allthepoints.twitch import rows
from allthepoints.twitch.oauth import OAuth
from allthepoints.web import LONGEST_WORDS, MAX_BODY, Answer, Ask, Client, cut, decode, plain

pytestmark = pytest.mark.anyio

TOKEN = Secret("canarytoken0123456789abcdefgh1")
ASK = Ask("GET", "https://api.test/x", "reading x", token=TOKEN)


@asynccontextmanager
async def server(reply: bytes | AsyncIterator[bytes]) -> AsyncIterator[tuple[str, list[bytes]]]:
    """On loopback; answers everything with these bytes, and keeps what it was sent."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            if isinstance(reply, bytes):
                writer.write(reply)
            else:
                async for chunk in reply:
                    writer.write(chunk)
                    await writer.drain()
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", heard
    finally:
        listening.close()


async def asked(url: str, ask: Ask = ASK) -> Answer:
    client = Client(timeout=20.0)
    try:
        return await client.send(replace(ask, url=url))
    finally:
        await client.aclose()


# -- redirects ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("scheme", ["http", "file", "relative"])
async def test_a_redirect_takes_no_token_anywhere(status: int, scheme: str) -> None:
    async with server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as (thief, stolen):
        where = {"http": thief, "file": "file:///etc/passwd", "relative": "//" + thief.partition("//")[2]}[scheme]
        head = f"HTTP/1.1 {status} Found\r\nLocation: {where}/\r\nContent-Length: 0\r\n\r\n".encode()
        async with server(head) as (base, heard):
            form = {"refresh_token": TOKEN, "grant_type": "refresh_token"}
            for ask in (Ask("GET", "", "reading", token=TOKEN), Ask("POST", "", "renewing", form=form)):
                assert (await asked(base, ask)).status == status
        assert len(heard) == 2
        assert TOKEN.reveal().encode() in heard[0]
    assert stolen == []


async def test_a_redirect_is_an_answer_that_says_nothing() -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n"
    async with server(head) as (base, _):
        client = Client()
        oauth = OAuth(client, base, "id", SystemClock())
        with pytest.raises(Unknown):
            await oauth.refresh(TOKEN, "id")
        await client.aclose()


# -- size --------------------------------------------------------------------------------------------------------------
async def endless(head: bytes, chunk: bytes) -> AsyncIterator[bytes]:
    yield head
    while True:
        yield chunk


async def test_a_body_without_end_is_given_up() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n["
    async with server(endless(head, b"1," * 8192)) as (base, _):
        with pytest.raises(Unknown, match="more than 4096 KiB"):
            await asked(base)


async def test_a_head_without_end_is_given_up() -> None:
    async with server(endless(b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"a" * 4096 + b"\r\n")) as (base, _):
        with pytest.raises(OutsideError):
            await asked(base)


def bomb(layers: int) -> bytes:
    """64 MiB of one letter, packed so many times."""
    packer = zlib.compressobj(9, wbits=31)
    data = b"".join(packer.compress(b"a" * (1 << 20)) for _ in range(64)) + packer.flush()
    for _ in range(layers - 1):
        data = gzip.compress(data, 9)
    return data


@pytest.mark.parametrize("layers", [1, 2, 3])
async def test_a_bomb_of_gzip_is_unpacked_no_further_than_the_bound(layers: int) -> None:
    body = bomb(layers)
    coding = ", ".join(["gzip"] * layers)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    async with server(head + body) as (base, _):
        tracemalloc.start()
        try:
            with pytest.raises(Unknown):
                await asked(base)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 6 * MAX_BODY


# -- what is in it -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("body", [b"[" * 1_000_000, b'{"a":' * 500_000, b'{"data":' + b"[" * 500_000])
def test_json_that_is_nested_without_end_is_no_answer(body: bytes) -> None:
    answer = Answer(ASK, 200, {}, body)
    with pytest.raises(Unknown):
        plain(answer)
    with pytest.raises(Unknown):
        decode(answer, rows.Page)


def test_a_million_rows_are_not_looked_at() -> None:
    """They would hold up the loop for half a minute: no PING would be answered."""
    body = b'{"data":[' + b"1," * 999_999 + b"1]}"
    with pytest.raises(Unknown, match="something else"):
        decode(Answer(ASK, 200, {}, body), rows.Page)


async def test_a_million_items_are_not_looked_at() -> None:
    body = b"[" + b"1," * 999_999 + b"1]"
    client = Client(httpx2.MockTransport(lambda _: httpx2.Response(200, content=body)))
    points = ElementsPoints(client, "https://api.test/kappa/v2", ManualClock())
    with pytest.raises(Unknown, match="more items than a store has"):
        await points.items(SeId("a" * 24))
    await client.aclose()


async def test_a_million_redemptions_are_not_looked_at() -> None:
    from stub_elements import OWN, Elements

    body = b'{"docs":[' + b"{}," * 999_999 + b"{}]}"
    with pytest.raises(Unknown):
        await Elements(httpx2.Response(200, content=body)).store.history(OWN)


@pytest.mark.parametrize("word", ["token ", "token" + " " * 50, "bearer ", "a", "-", "\x1b", "\u202e", "oauth:"])
def test_words_without_end_are_cut_before_they_are_searched(word: str) -> None:
    """Four million of them took seconds, in the loop."""
    text = word * (4_000_000 // len(word))
    assert cut(text, ASK) == cut(text[: LONGEST_WORDS + 1], ASK)
    assert len(cut(text, ASK)) <= 300


@pytest.mark.parametrize("before", range(3_900, 4_020, 7))
@pytest.mark.parametrize("blank", [" ", "x ", "canarytoken0123456789abcdefgh1 "])
def test_where_they_are_cut_no_part_of_a_token_is_left(before: int, blank: str) -> None:
    text = (blank * before)[:before] + TOKEN.reveal() * 3
    told = cut(text, ASK)
    assert not [n for n in range(6, 31) if TOKEN.reveal()[:n] in told]


@pytest.mark.parametrize("name", ALL)
def test_words_of_an_answer_steer_nothing(name: str) -> None:
    assert not STEERING.search(cut(ALL[name], ASK))


def test_what_is_remembered_of_rows_is_bounded() -> None:
    """One name of a megabyte in each answer would fill the memory in days."""
    rows._known_ref.cache_clear()
    tracemalloc.start()
    try:
        for number in range(20):
            row = {"id": str(number), "login": f"a{number}", "display_name": "x" * 1_000_000}
            good, _ = rows.users([msgspec.Raw(json.dumps(row).encode())])
            assert good[0].display == "x" * 50
            rows.users([msgspec.Raw(json.dumps(row | {"login": "y" * 1_000_000}).encode())])
        assert tracemalloc.get_traced_memory()[0] < 4_000_000
    finally:
        tracemalloc.stop()


# -- the page on which a code is typed in ------------------------------------------------------------------------------
TWITCH = "https://id.twitch.tv/oauth2"


@pytest.mark.parametrize(
    ("url", "by", "may"),
    [
        ("https://www.twitch.tv/activate?public=true&device-code=ABCDEFGH", TWITCH, True),
        ("https://www.twitch.tv/activate", "http://127.0.0.1:8000/oauth2", True),
        ("http://127.0.0.1:8000/activate", "http://127.0.0.1:8000/oauth2", True),
        ("https://login.example.org/activate", "https://id.example.org/oauth2", True),
        ("http://www.twitch.tv/activate", TWITCH, False),
        ("https://evil.example/activate", TWITCH, False),
        ("https://twitch.tv.evil.example/activate", TWITCH, False),
        ("https://eviltwitch.tv/activate", TWITCH, False),
        ("https://www.twitch.tv@evil.example/", TWITCH, False),
        ("https://evil.example\\@www.twitch.tv/", TWITCH, False),
        ("https://evil.example#www.twitch.tv/", TWITCH, False),
        ("https://xn--twtch-q1a.tv/activate", TWITCH, False),
        ("https://www.tw\u0456tch.tv/activate", TWITCH, False),
        ("https://www.twitch.tv/\x1b]0;x\x07", TWITCH, False),
        ("https://www.twitch.tv/\u202egro.live", TWITCH, False),
        ("https://www.twitch.tv/ x", TWITCH, False),
        ("https://www.twitch.tv/" + "a" * 1000, TWITCH, False),
        ("http://127.0.0.1:8000/activate", TWITCH, False),
        ("http://127.0.0.1.evil.example/", "http://127.0.0.1:8000/oauth2", False),
        ("javascript:alert(1)//https://www.twitch.tv", TWITCH, False),
        ("data:text/html,x", TWITCH, False),
        ("file:///etc/passwd", TWITCH, False),
        ("", TWITCH, False),
    ],
)
def test_only_pages_of_its_own_may_be_shown(url: str, by: str, may: bool) -> None:
    assert may_be_opened(url, by, "twitch.tv") is may


@pytest.mark.parametrize(
    "spoilt",
    [
        {"verification_uri": "javascript:alert(1)"},
        {"verification_uri": "https://evil.example/activate"},
        {"user_code": "\x1b[2JABC"},
        {"user_code": "go to evil.example"},
        {"user_code": "A" * 1000},
        {"user_code": "\u202eABC"},
    ],
)
async def test_no_code_is_shown_that_would_send_a_person_elsewhere(spoilt: dict[str, str]) -> None:
    start = {
        "device_code": "d" * 40,
        "user_code": "ABCDEFGH",
        "verification_uri": "https://www.twitch.tv/activate",
        "expires_in": 1800,
        "interval": 5,
    }
    client = Client(httpx2.MockTransport(lambda _: httpx2.Response(200, json=start | spoilt)))
    with pytest.raises(Unknown) as told:
        await OAuth(client, TWITCH, "id", SystemClock()).device_start()
    assert not STEERING.search(str(told.value))
    assert "evil" not in str(told.value)
    await client.aclose()


# -- ids, prices, codes ------------------------------------------------------------------------------------------------
BAD_IDS = ("../me", "a/../../b", "a?x=1", "a#b", "%2e%2e%2f", "a b", "", "a\r\nHost: evil", "a" * 65, "ä", None, 7, [])


@pytest.mark.parametrize("bad", BAD_IDS)
def test_an_id_that_would_lead_elsewhere_is_none(bad: object) -> None:
    assert se_rows.guid(bad) is None
    assert se_rows.item({"_id": bad, "name": "x", "cost": 1}) is None
    assert rows._id(bad if bad != 7 else "7x") is None


@pytest.mark.parametrize("login", ["../admin", "a/b", "a?b", "a%2fb", "a\nb", "a,b", "-a b"])
async def test_a_login_that_would_lead_elsewhere_is_escaped(login: str) -> None:
    seen: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.raw_path.decode())
        return httpx2.Response(404, json={"statusCode": 404, "error": "Not Found", "message": "no"})

    client = Client(httpx2.MockTransport(answer))
    await ElementsPoints(client, "https://api.test/kappa/v2", ManualClock()).find(Login(login))
    (path,) = seen
    assert path.startswith("/kappa/v2/channels/")
    assert path.count("/") == 4
    assert "?" not in path
    await client.aclose()


@pytest.mark.parametrize("cost", [-1, -(2**80), 2**80, 1e300, "-5", "99999999999999999999999", 0])
def test_a_price_is_a_number_that_the_database_holds(cost: object) -> None:
    found = se_rows.item({"_id": "a" * 24, "name": "x", "cost": cost})
    assert found is not None
    assert 0 <= found.cost <= se_rows.MOST


@pytest.mark.parametrize("cost", ["free", None, [], {}, True, float("inf"), "1e9", "0x10", ""])
def test_a_price_that_is_none_is_no_item(cost: object) -> None:
    assert se_rows.item({"_id": "a" * 24, "name": "x", "cost": cost}) is None


def test_what_comes_with_a_redemption_is_bounded() -> None:
    row = {"_id": "a" * 24, "accessCode": "x" * 4_000_000, "message": "y" * 4_000_000, "input": ["z" * 4_000_000]}
    found = se_rows.bought(row)
    assert found is not None
    assert {len(found.code or ""), len(found.message), len(found.answers[0])} == {se_rows.LONGEST}


def test_a_foreign_id_is_nobodys() -> None:
    raw = [msgspec.Raw(json.dumps({"id": bad, "login": "a"}).encode()) for bad in ("1;2", "-1", 1.5, "٣", "9" * 21)]
    good, doubts = rows.users(raw)
    assert (good, {doubt.id for doubt in doubts}) == ([], {None})
