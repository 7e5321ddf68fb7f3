"""The store on the viewer's behalf: whose token, our redemptions, and every end that one POST can have."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from stub_elements import (
    BASE,
    ITEM,
    NOW,
    OWN,
    SE,
    Elements,
    Raw,
    Reply,
    body,
    doc,
    html,
    knowing,
    make_jwt,
    no,
    receipt,
)

from allthepoints.base.errors import NotSent, OutsideError, Refused, Unauthorised, Unknown
from allthepoints.base.secret import Secret
from allthepoints.core.loyalty import JwtState
from allthepoints.ports import JwtUnusable
from allthepoints.streamelements.jwt import JwtKeeper
from allthepoints.streamelements.store import PATIENCE, PAUSE, ElementsStore
from allthepoints.testing.clock import ManualClock
from allthepoints.web import Client

pytestmark = pytest.mark.anyio

WORDS = "Not allowed to perform this operation"

ENDS: dict[str, tuple[Reply, type[OutsideError]]] = {
    "connect": (httpx2.ConnectError("refused"), NotSent),
    "connect-timeout": (httpx2.ConnectTimeout("slow"), NotSent),
    "pool": (httpx2.PoolTimeout("full"), NotSent),
    "proxy": (httpx2.ProxyError("no"), NotSent),
    "write": (httpx2.WriteError("reset"), Unknown),
    "write-timeout": (httpx2.WriteTimeout("slow"), Unknown),
    "read": (httpx2.ReadError("reset"), Unknown),
    "read-timeout": (httpx2.ReadTimeout("slow"), Unknown),
    "gone": (httpx2.RemoteProtocolError("Server disconnected without sending a response."), Unknown),
    "os": (OSError(5, "io"), Unknown),
    "tls": (ssl.SSLError("bad"), Unknown),
    "half": (httpx2.Response(200, stream=Raw(b'{"_id":"6720', httpx2.ReadTimeout("slow"))), Unknown),
    "half-400": (httpx2.Response(400, stream=Raw(b'{"statusCode":400', httpx2.ReadError("reset"))), Unknown),
    "huge": (httpx2.Response(200, stream=Raw(*[b" " * (1 << 20)] * 6)), Unknown),
    "200-empty": (httpx2.Response(200), Unknown),
    "200-html": (html(200), Unknown),
    "200-cut": (body(json.dumps(receipt()).encode()[:90]), Unknown),
    "200-array": (body([receipt()]), Unknown),
    "200-null": (body(None), Unknown),
    "200-foreign": (body({"ok": True}), Unknown),
    "200-id-alone": (body({"_id": "6720aa11bb22cc33dd44ee55"}), Unknown),
    "200-other-item": (body(receipt(item="000000000000000000000001")), Unknown),
    "200-other-channel": (body(receipt(channel="000000000000000000000001")), Unknown),
    "200-that-says-500": (body({"statusCode": 500, "error": "Internal Server Error"}), Unknown),
    "204": (httpx2.Response(204), Unknown),
    "300": (body(receipt(), 300), Unknown),
    "199": (body(receipt(), 199), Unknown),
    "302": (httpx2.Response(302, headers={"location": "/kappa/v2/again"}), Unknown),
    "307": (httpx2.Response(307, headers={"location": "/kappa/v2/again"}), Unknown),
    "308": (httpx2.Response(308, headers={"location": "https://elsewhere.test/"}), Unknown),
    "500": (no(500, "An internal server error occurred", "Internal Server Error"), Unknown),
    "500-that-says-400": (body({"statusCode": 400, "error": "Bad Request"}, 500), Unknown),
    "502": (html(502), Unknown),
    "503-json": (no(503, "busy", "Service Unavailable", retry_after="5"), Unknown),
    "520": (html(520), Unknown),
    "524": (html(524), Unknown),
    "408": (no(408, "Request Timeout", "Request Timeout"), Unknown),
    "499": (no(499, "closed", "Client Closed Request"), Unknown),
    "400": (no(400, "You are redeeming too fast"), Refused),
    "400-details": (body({"statusCode": 400, "error": "Bad Request", "details": [{"path": ["itemId"]}]}, 400), Refused),
    "400-html": (html(400), Unknown),
    "400-empty": (httpx2.Response(400), Unknown),
    "400-foreign": (body({"message": "no"}, 400), Unknown),
    "400-that-says-500": (body({"statusCode": 500, "message": "x"}, 400), Unknown),
    "401": (no(401, WORDS, "Unauthorized"), Unauthorised),
    "401-html": (html(401), Unknown),
    "403": (no(403, WORDS, "Forbidden"), Refused),
    "403-html": (html(403), Unknown),
    "403-portal": (body({"error": {"code": "captive_portal"}}, 403), Unknown),
    "404": (no(404, None, "Not Found"), Refused),
    "404-html": (html(404), Unknown),
    "409": (no(409, "busy", "Conflict"), Refused),
    "422": (no(422, "no", "Unprocessable Entity"), Refused),
    "429": (no(429, "Too Many Requests", "Too Many Requests"), Refused),
    "429-html": (html(429), Unknown),
    "429-empty": (httpx2.Response(429), Unknown),
    "200-that-says-400": (body({"statusCode": "400", "message": "Item is Out of stock"}), Refused),
}


@pytest.mark.parametrize("name", ENDS)
async def test_fc_48_every_end_of_a_redemption(name: str) -> None:
    reply, expected = ENDS[name]
    elements = Elements(reply)
    with pytest.raises(expected) as caught:
        await elements.store.redeem(OWN, SE, ITEM, (), "")
    assert type(caught.value) is expected
    assert caught.value.__context__ is None
    assert len(elements.calls) == 1


@pytest.mark.parametrize(
    "words", ["You are redeeming too fast", "Sorry you don't have enough points", "Item is Out of stock"]
)
async def test_fc_48_a_refusal_has_their_words(words: str) -> None:
    with pytest.raises(Refused) as caught:
        await Elements(no(400, words)).store.redeem(OWN, SE, ITEM, (), "")
    assert caught.value.message == words


# -- the POST ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answers", "message", "sent"),
    [
        ((), "", {"input": []}),
        (("Dust",), "", {"input": ["Dust"]}),
        (("a", "ü 🗺"), "thanks!", {"input": ["a", "ü 🗺"], "message": "thanks!"}),
    ],
)
async def test_what_is_posted(answers: tuple[str, ...], message: str, sent: dict[str, Any]) -> None:
    elements = Elements(body(receipt()))
    bought = await elements.store.redeem(OWN, SE, ITEM, answers, message)
    assert (bought.id, bought.channel, bought.item, bought.code) == ("6720aa11bb22cc33dd44ee55", SE, ITEM, None)
    (call,) = elements.calls
    assert (call.method, call.path, call.query) == ("POST", f"/store/{SE}/redemptions/{ITEM}", {})
    assert json.loads(call.body) == sent
    assert call.headers["content-type"] == "application/json"
    assert call.headers["authorization"] == f"Bearer {make_jwt()}"
    assert call.patience == PATIENCE


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (receipt(accessCode="AAAA-1111"), 200),
        (receipt(accessCode="AAAA-1111"), 201),
        (receipt(accessCode="AAAA-1111", _id=None), 200),
        (receipt(accessCode="AAAA-1111", item={"_id": ITEM, "name": "A key"}, channel={"_id": SE}), 200),
        (receipt(accessCode="AAAA-1111", item=ITEM.upper(), channel=None), 200),
        ({"channel": SE, "redeemer": OWN, "item": ITEM, "accessCode": "AAAA-1111"}, 200),
    ],
)
async def test_a_code_is_kept_however_the_answer_looks(answer: dict[str, Any], status: int) -> None:
    bought = await Elements(body(answer, status)).store.redeem(OWN, SE, ITEM, (), "")
    assert (bought.code, bought.item, bought.channel) == ("AAAA-1111", ITEM, SE)


async def test_while_they_ask_to_wait_nothing_is_sent() -> None:
    used_up = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(int((NOW + 40) * 1000))}
    elements = Elements(body(receipt(), **used_up))
    await elements.store.redeem(OWN, SE, ITEM, (), "")
    with pytest.raises(NotSent, match=r"^redeeming: not sent, .* wait 40 s"):
        await elements.store.redeem(OWN, SE, ITEM, (), "")
    assert len(elements.calls) == 1
    elements.clock.advance(41)
    await elements.store.redeem(OWN, SE, ITEM, (), "")
    assert len(elements.calls) == 2


@asynccontextmanager
async def server(answer: bytes, *, rst: bool = False) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A real socket on loopback that hears a POST, answers with these bytes and closes, as often as it is asked."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heard.append(head + await reader.readexactly(len(b'{"input":[]}')))
        writer.write(answer)
        await writer.drain()
        if rst:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with running:
        yield f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}", heard


@pytest.mark.parametrize(
    ("answer", "rst"),
    [
        (b"", False),
        (b"", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 300\r\n\r\n{", False),
        (b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", False),
        (b"HTTP/1.1 307 Go\r\nlocation: http://[/\r\ncontent-length: 0\r\n\r\n", False),
        (b"HTTP/1.1 307 Go\r\nlocation: /\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", False),
        (b"HTTP/1.1 503 Busy\r\nretry-after: 0\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nset-cookie: \xff=;;;expires=x\r\ncontent-length: 2\r\n\r\n[]", False),
    ],
)
async def test_fc_48_one_post_over_real_sockets(answer: bytes, rst: bool) -> None:
    clock, client = ManualClock(NOW), Client()
    async with server(answer, rst=rst) as (base, heard):
        store = knowing(ElementsStore(client, base, clock, JwtKeeper(clock, given=Secret(make_jwt()))), make_jwt())
        with pytest.raises(Unknown) as caught:
            await store.redeem(OWN, SE, ITEM, (), "")
        assert not isinstance(caught.value, NotSent)
        assert len(heard) == 1
        assert heard[0].startswith(b"POST /store/")
        assert heard[0].endswith(b'\r\n\r\n{"input":[]}')
    with pytest.raises(NotSent):
        await store.redeem(OWN, SE, ITEM, (), "")
    await client.aclose()


# -- whose token ---------------------------------------------------------------------------------------------------
async def test_whose_token_it_is() -> None:
    account = {"_id": OWN, "username": "quietviewer", "provider": "twitch", "providerId": "1001", "apiToken": "x"}
    elements = Elements(body(account))
    me = await elements.store.me()
    assert (me.id, me.login, me.user_id) == (OWN, "quietviewer", "1001")
    assert [(call.method, call.path) for call in elements.calls] == [("GET", "/channels/me")]


async def test_fc_31_the_wrong_account_is_named() -> None:
    """Whose it should be, the core knows; here it is told whose it is."""
    account = {"_id": OWN, "username": "Somebody", "provider": "youtube", "providerId": "UCx"}
    me = await Elements(body(account)).store.me()
    assert (me.login, me.user_id) == ("somebody", None)


@pytest.mark.parametrize(
    ("status", "expected"), [(401, Unauthorised), (403, Unauthorised), (400, Refused), (404, Refused)]
)
async def test_fc_31_a_token_that_is_not_taken(status: int, expected: type[Refused]) -> None:
    with pytest.raises(expected, match=f"^reading the account: answered {status}") as caught:
        await Elements(no(status, WORDS)).store.me()
    assert type(caught.value) is expected
    assert (caught.value.status, caught.value.message) == (status, WORDS)
    assert caught.value.__context__ is None


# -- our redemptions -----------------------------------------------------------------------------------------------
def page(docs: list[Any], total: int | None = None, key: str = "total") -> httpx2.Response:
    return body({"docs": docs} | ({} if total is None else {key: total}))


def docs(*numbers: int) -> list[dict[str, Any]]:
    """The higher, the newer."""
    return [doc(n, 1_700_000_000_000 + n * 1000) for n in numbers]


async def check_history(expected: list[int] | None, *pages: httpx2.Response, calls: int) -> None:
    elements = Elements(*pages)
    if expected is None:
        with pytest.raises(Unknown):
            await elements.store.history(OWN)
    else:
        assert [int(one.id, 16) for one in await elements.store.history(OWN)] == expected
    assert len(elements.calls) == calls
    assert elements.clock.slept == [PAUSE] * (calls - 1)
    assert {call.path for call in elements.calls} == {f"/store/{OWN}/redemptions/me"}
    read = itertools.accumulate(len(json.loads(page.content)["docs"]) for page in pages[: calls - 1])
    assert [call.query for call in elements.calls] == [{}, *({"limit": "100", "offset": str(n)} for n in read)]


def down(high: int, low: int) -> list[int]:
    return list(range(high, low - 1, -1))


async def test_our_redemptions() -> None:
    await check_history([], page([], 0), calls=1)
    await check_history([], page([]), calls=1)
    await check_history([3, 2, 1], page(docs(3, 2, 1), 3), calls=1)
    await check_history([3, 2, 1], page(docs(1, 3, 2), 3, "_total"), calls=1)
    await check_history(down(30, 1), page(docs(*down(30, 1)), 30, "_total"), calls=1)
    await check_history(down(500, 1), page(docs(*down(500, 1)), 500), calls=1)
    # A server that does not give all at once, with and without saying how many there are.
    await check_history(down(130, 1), page(docs(*down(130, 31)), 130), page(docs(*down(30, 1)), 130), calls=2)
    await check_history(down(40, 1), page(docs(*range(1, 26)), 40), page(docs(*range(26, 41)), 40), calls=2)
    await check_history(down(40, 1), page(docs(*down(40, 16))), page(docs(*down(15, 1))), calls=2)
    # The newest few hundred are enough.
    pages = [page(docs(*down(1000 - n, 901 - n)), 1000) for n in range(0, 1000, 100)]
    await check_history(down(1000, 701), *pages, calls=3)
    # Oldest first, the newest would be missing.
    pages = [page(docs(*range(n, n + 100)), 1000) for n in range(1, 1000, 100)]
    await check_history(down(1000, 1), *pages, calls=10)


async def test_our_redemptions_are_never_a_part_that_proves_nothing() -> None:
    await check_history(None, page([], 5), calls=1)
    await check_history(None, page(docs(1), 5), calls=2)
    await check_history(None, page(docs(1, 2, 3), 5), calls=2)
    for newest_first in ([5, 4, 3], [5, 4]):
        await check_history(newest_first, page(docs(*newest_first), 9), calls=2)
    await check_history([6, 5, 4], page([*docs(6), doc(5, docs(6)[0]["createdAt"]), *docs(4)], 9), calls=2)
    await check_history(None, page([*docs(6), doc(5, docs(6)[0]["createdAt"])], 9), calls=2)
    pages = [page(docs(*range(n, n + 100)), 10_000) for n in range(1, 2100, 100)]
    await check_history(None, *pages, calls=20)
    for odd in (body([]), body({}), body({"total": 0}), body({"docs": None}), html(502)):
        await check_history(None, odd, calls=1)


async def test_a_bad_row_of_ours_spoils_only_itself() -> None:
    assert [one.id for one in await Elements(page([None, None, *docs(1)], 3)).store.history(OWN)] == [f"{1:024x}"]
    good = docs(2)
    assert [one.id for one in await Elements(page([None, 7, doc(1, 0, _id=None), *good], 4)).store.history(OWN)] == [
        good[0]["_id"]
    ]


async def test_an_item_that_is_gone() -> None:
    (one,) = await Elements(page([doc(1, NOW * 1000, item=None)], 1)).store.history(OWN)
    assert (one.item, one.name, one.cost, one.created_at) == (None, "", None, NOW)


# -- as whom -------------------------------------------------------------------------------------------------------
class Changing:
    """A JWT that another command may replace at any time."""

    def __init__(self, jwt: str) -> None:
        self.jwt = jwt

    def load(self) -> Secret:
        return Secret(self.jwt)

    def save(self, jwt: Secret) -> None:
        self.jwt = jwt.reveal()

    def forget(self) -> None:
        raise AssertionError("nobody forgets it here")


def me(id: str = OWN, **more: Any) -> Reply:
    return body({"_id": id, "username": "somebody", "provider": "twitch", "providerId": "1001"} | more)


def changing(*replies: Reply) -> tuple[Elements, ElementsStore, Changing]:
    elements, jwts = Elements(*replies), Changing(make_jwt(sub="a"))
    return elements, ElementsStore(elements.client, BASE, elements.clock, JwtKeeper(elements.clock, jwts)), jwts


async def test_fc_48_a_jwt_that_is_new_is_asked_whose_it_is_before_it_buys() -> None:
    elements, store, jwts = changing(me(), body(receipt()), body(receipt()), me(), body(receipt()))
    for _ in range(2):
        await store.redeem(OWN, SE, ITEM, (), "")
    jwts.jwt = make_jwt(sub="renewed")
    await store.redeem(OWN, SE, ITEM, (), "")
    asked = [(call.method, call.headers["authorization"] == f"Bearer {jwts.jwt}") for call in elements.calls]
    assert asked == [("GET", False), ("POST", False), ("POST", False), ("GET", True), ("POST", True)]


async def test_fc_48_another_accounts_jwt_neither_buys_nor_reads() -> None:
    elements, store, jwts = changing(me())
    await store.me()
    jwts.jwt = make_jwt(sub="another")
    elements.then(me("6" * 24))
    for work in (store.redeem(OWN, SE, ITEM, (), ""), store.history(OWN)):
        with pytest.raises(JwtUnusable, match="somebody's by now") as caught:
            await work
        assert caught.value.state is JwtState.WRONG_ACCOUNT
    assert {(call.method, call.path) for call in elements.calls} == {("GET", "/channels/me")}
    assert len(elements.calls) == 2, "it is asked once"


@pytest.mark.parametrize("reply", [html(502), httpx2.ReadTimeout("t"), no(429, "Too Many Requests", "x"), body([])])
async def test_fc_48_where_nobody_says_whose_it_is_nothing_is_sent(reply: Reply) -> None:
    elements, store, _ = changing(reply)
    with pytest.raises(NotSent, match=r"^redeeming: .* could not be asked \(reading the account: "):
        await store.redeem(OWN, SE, ITEM, (), "")
    assert [call.method for call in elements.calls] == ["GET"]


@pytest.mark.parametrize(
    ("date", "ahead"),
    [
        ("Tue, 14 Nov 2023 22:13:20 GMT", 0.0),
        ("Wed, 15 Nov 2023 00:13:20 GMT", 7200.0),
        ("Tue, 14 Nov 2023 21:13:20 GMT", -3600.0),
        ("Thu, 14 Nov 2013 22:13:20 GMT", None),
        ("soon", None),
        ("", None),
    ],
)
async def test_how_far_their_clock_is_ahead(date: str, ahead: float | None) -> None:
    elements = Elements(body({"total": 0, "docs": []}, date=date))
    assert elements.store.ahead is None
    await elements.store.history(OWN)
    assert elements.store.ahead == ahead
    elements.then(html(502, date="Wed, 15 Nov 2023 00:00:00 GMT"))
    with pytest.raises(Unknown):
        await elements.store.history(OWN)
    assert elements.store.ahead == ahead, "what is no answer tells nothing"
