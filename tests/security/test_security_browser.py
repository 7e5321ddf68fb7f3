"""A page that means harm, in the same browser or on the same machine, and the dashboard's port."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "web"))

from hostile_texts import BIDI, STEERING
from web_stage import CODE, ORIGIN, SAME, Stage, fill, get, post, row

from allthepoints.base.clock import SystemClock
from allthepoints.views.web import guard, listener, pages
from allthepoints.views.web.app import Pages
from allthepoints.views.web.listener import HttpServer

pytestmark = pytest.mark.anyio

EVIL = "http://evil.example"

FROM_ELSEWHERE: Mapping[str, Mapping[str, str]] = {
    "fetch": {"origin": EVIL, "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
    "fetch without headers of its own": {"origin": EVIL},
    "no-cors fetch": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "empty"},
    "event source": {"origin": EVIL, "accept": "text/event-stream"},
    "event source of another port": {
        "origin": "http://127.0.0.1:3000",
        "accept": "text/event-stream",
        "sec-fetch-site": "same-site",
        "sec-fetch-mode": "cors",
        "sec-fetch-dest": "empty",
    },
    "web socket": {
        "origin": EVIL,
        "connection": "upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
    "script": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"},
    "style": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "style"},
    "picture, whose time is taken": {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "no-cors",
        "sec-fetch-dest": "image",
    },
    "frame": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
    "object": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "object"},
    "sandboxed frame": {"origin": "null"},
    "prefetch": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-purpose": "prefetch"},
}

READABLE = ("/", "/api/status", "/api/points", "/api/redemptions", "/events", "/poll?since=x", "/metrics", "/healthz")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    found = Stage(tmp_path)
    fill(tmp_path)
    found.build(pages=Pages(pages.PAGES, pages.ACTIONS, pages.fragments))
    found.tell([row(1)])
    return found


@pytest.mark.parametrize("how", FROM_ELSEWHERE)
@pytest.mark.parametrize("path", READABLE)
async def test_another_site_reads_nothing(stage: Stage, how: str, path: str) -> None:
    answer = await get(stage, path, FROM_ELSEWHERE[how])
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert len(answer.content) < 60, "nothing is made, so the time that it takes tells nothing of what is known"


@pytest.mark.parametrize("path", [path for path in pages.ACTIONS if "{" not in path])
@pytest.mark.parametrize("how", FROM_ELSEWHERE)
async def test_another_site_does_nothing(stage: Stage, how: str, path: str) -> None:
    """Not even one that had stolen the token."""
    answer = await post(stage, path, stage.token(), FROM_ELSEWHERE[how])
    assert answer.status_code == 403
    assert stage.asked == []


async def test_a_link_from_elsewhere_only_shows(stage: Stage) -> None:
    """Whoever follows a link that a stranger made sees a page; no address does anything by being seen."""
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    config = stage.folder / "c.toml"
    for path in (*pages.PAGES, *pages.ACTIONS):
        at = re.sub(r"\{[a-z_]+\}", "c1", path if path.startswith("/") else f"/{path}")
        for how in (at, f"{at}?key=x&item=x&cost=1&login=c1&csrf=x&_method=POST"):
            assert (await get(stage, how, link)).status_code in {200, 303, 400, 404, 405, 503}
    assert stage.asked == []
    assert not config.exists()


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
async def test_no_header_makes_a_write_of_a_read(stage: Stage, name: str) -> None:
    for path in pages.ACTIONS:
        await get(stage, path.replace("{login}", "c1"), {**SAME, name: "POST"})
    assert stage.asked == []


async def test_json_that_is_loaded_as_a_script_is_not_run(stage: Stage) -> None:
    """Old browsers say nothing of where a request comes from; they heed these."""
    answer = await get(stage, "/api/status")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.content.startswith(b"{"), "an object alone is no script"


async def test_no_page_can_be_framed_or_run_anothers_script(stage: Stage) -> None:
    for path in ("/", "/store", "/activity", "/settings", "/login", "/nowhere", "/api/status"):
        answer = await get(stage, path, SAME)
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert not re.search(r"unsafe|\*|https?:|data:(?!;)[^;]*script", policy)
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|javascript:", answer.text)


async def test_a_name_that_was_made_to_lead_here_is_refused(stage: Stage) -> None:
    """DNS rebinding: the browser takes the page for the same origin, and its name gives it away."""
    for host in ("evil.example", "evil.example:7771", "127.0.0.1.nip.io:7771", "localhost.evil.example"):
        said = {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}
        assert (await get(stage, "/api/status", said)).status_code == 421
        assert (await post(stage, "/channels/add", stage.token(), said)).status_code == 421
    assert stage.asked == []


async def test_what_others_wrote_turns_no_direction_on_a_page(stage: Stage) -> None:
    stage.tell([row(1, title=BIDI + "title"), row(2, reason=BIDI)])
    for path in ("/", "/store?channel=c1&all=1", "/activity", "/channel/c1"):
        text = (await get(stage, path, SAME)).text
        assert not STEERING.search(text.replace("\r\n", "\n")), path


def test_secrets_are_compared_in_even_time() -> None:
    source = Path(guard.__file__).read_text("utf-8")
    assert "hmac.compare_digest(given" in source
    folder = Path(guard.__file__).parent
    assert "hmac.compare_digest" in (folder / "password.py").read_text("utf-8")
    assert "secrets.compare_digest" in (folder / "sessions.py").read_text("utf-8")


# -- on a real socket --------------------------------------------------------------------------------------------------
WHOLE = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


async def exchange(port: int, sent: bytes) -> bytes:
    """What is answered until the other side closes, or has said the head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        async with asyncio.timeout(20):
            return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        return end.partial
    finally:
        await ended(writer)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (
            b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            b"Origin: http://evil.example\r\n\r\n",
            b"403",
        ),
        (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n", b"400"),
        (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"405"),
        (b"GET /static/../../../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"404"),
        (b"GET /static/x/%2e%2e/%2e%2e/app.py HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"404"),
        (b"GET /static/x/%2fetc%2fpasswd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"404"),
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"414"),
    ],
)
async def test_requests_that_no_browser_sends(stage: Stage, sent: bytes, status: bytes) -> None:
    server = HttpServer(stage.app)
    port = await server.start("127.0.0.1", 0)
    try:
        answer = await exchange(port, sent)
        assert answer.split(b" ")[1] == status
        assert b"root:" not in answer
    finally:
        await server.stop()


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
        b"POST /channels/add HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Origin: http://127.0.0.1\r\nContent-Length: 100\r\n\r\ncsrf=",
        WHOLE + b"GET /healthz HTTP/1.1\r\nHost:",  # the second one on a connection
    ],
)
async def test_who_never_ends_a_request_takes_nobodys_place(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(listener, "ARRIVES_WITHIN", 0.02)
    monkeypatch.setattr(listener, "MOST_CONNECTIONS", 3)
    server = HttpServer(stage.app)
    port = await server.start("127.0.0.1", 0)
    closing: list[asyncio.StreamWriter] = []
    try:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        closing.extend(writer for _, writer in silent)
        for reader, writer in silent:
            if begun.startswith(WHOLE):
                writer.write(WHOLE)
                await reader.readuntil(b"\r\n\r\n")
            writer.write(begun.removeprefix(WHOLE))
        async with asyncio.timeout(20):
            for reader, _ in silent:
                with suppress(ConnectionError):
                    await reader.read()  # to its end
        async with httpx2.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code in {200, 503}
    finally:
        for writer in closing:
            await ended(writer)
        await server.stop()


async def ended(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def test_a_page_that_listens_is_not_cut_off(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "ARRIVES_WITHIN", 0.01)
    server = HttpServer(stage.app)
    port = await server.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET /events?since=x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        async with asyncio.timeout(20):
            await reader.readuntil(b"event: version")
            await SystemClock().sleep(0.04)
            assert not reader.at_eof()
            assert reader.exception() is None
    finally:
        await ended(writer)
        await server.stop()


# -- what is known beyond the page -------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", READABLE)
async def test_no_code_that_was_bought_is_in_what_programs_read(stage: Stage, path: str) -> None:
    if path != "/events":
        assert CODE not in (await get(stage, path)).text


async def test_without_a_password_whoever_is_on_this_machine_may_do_it(stage: Stage, tmp_path: Path) -> None:
    """Told as it is in docs/security.md: a port has no owner. With a password it needs that."""
    said = {"origin": ORIGIN}  # what any program can say
    token = re.search(r'"X-CSRF-Token": "(\w+)"', (await get(stage, "/settings")).text)
    assert token is not None
    assert (await post(stage, "/look", {"csrf": token[1], "login": "c1"}, said)).status_code != 403
    (tmp_path / "b").mkdir()
    locked = Stage(tmp_path / "b", password="four random words")
    assert (await get(locked, "/api/status")).status_code == 401
    assert (await post(locked, "/act/c1", locked.token(), said)).status_code == 401
