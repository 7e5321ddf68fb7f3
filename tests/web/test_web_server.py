"""Where the dashboard listens, when it may, and how it ends; with real sockets."""

from __future__ import annotations

import asyncio
import logging
import socket
from pathlib import Path

import httpx2
import pytest
from web_stage import AT, Stage, StubPage, row, snapshot

from allthepoints.base.clock import Stopwatch, SystemClock
from allthepoints.base.errors import UsageError
from allthepoints.config.paths import DataDir
from allthepoints.config.settings import Dashboard as Where
from allthepoints.core.records import Event, EventKind
from allthepoints.views.web.listener import MOST_CONNECTIONS, HttpServer
from allthepoints.views.web.password import Password
from allthepoints.views.web.server import Dashboard

pytestmark = pytest.mark.anyio

ENDS_WITHIN = 20.0
"""Seconds for what takes half a second, on a busy machine; who waits for a page or a request waits for good."""


def dashboard(folder: Path, listen: str) -> Dashboard:
    where = Where(listen)
    stage = Stage(folder, where)
    return Dashboard(stage.board, where, DataDir(folder), SystemClock())


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "192.168.1.5:7771", "nas.local:80"])
async def test_fc_43_for_other_machines_it_needs_a_password(tmp_path: Path, listen: str) -> None:
    with pytest.raises(UsageError) as refused:
        dashboard(tmp_path, listen)
    assert listen in str(refused.value)
    assert "allthepoints dashboard password" in refused.value.hint
    Password(DataDir(tmp_path).password).set("four random words")
    dashboard(tmp_path, listen)


async def test_fc_43_through_a_proxy_it_needs_a_password_too(tmp_path: Path) -> None:
    where = Where("127.0.0.1:0", hosts=("points.example.org",))
    stage = Stage(tmp_path, where)
    with pytest.raises(UsageError, match=r"points\.example\.org, through a proxy, and has no password"):
        Dashboard(stage.board, where, DataDir(tmp_path), SystemClock())
    Password(DataDir(tmp_path).password).set("four random words")
    Dashboard(stage.board, where, DataDir(tmp_path), SystemClock())


async def test_it_serves_and_ends(tmp_path: Path) -> None:
    web = dashboard(tmp_path, "127.0.0.1:0")
    address = await web.start()
    try:
        web.hooks.tell([Event(AT, EventKind.STARTED)], snapshot([row(1)], SystemClock().now()))
        async with httpx2.AsyncClient(base_url=address) as client:
            assert (await client.get("healthz")).text == "ok\n"
            page = await client.get("")
            assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
            async with client.stream("GET", "events", params={"since": "x"}) as listening:
                assert listening.headers["content-type"].startswith("text/event-stream")
                lines = listening.aiter_lines()
                assert (await anext(lines)).startswith("retry:")
                watch = Stopwatch()
                await web.stop()
                assert watch.elapsed() < ENDS_WITHIN
                with pytest.raises(httpx2.HTTPError):
                    async for _ in lines:
                        pass
    finally:
        await web.stop()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(address)


async def test_a_port_that_is_taken_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        web = dashboard(tmp_path, f"127.0.0.1:{taken.getsockname()[1]}")
        with caplog.at_level(logging.WARNING):
            await web.serve(lambda _: pytest.fail("it is not there"))
    assert "cannot listen" in caplog.text
    assert "The service goes on without it." in caplog.text


async def test_a_request_that_hangs_does_not_hold_up_the_end(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    entered = asyncio.Event()

    class Hangs(StubPage):
        async def context(self, board: object, request: object) -> dict[str, object]:
            entered.set()
            await asyncio.get_running_loop().create_future()
            return {}

    server = HttpServer(stage.build(page=Hangs()))
    port = await server.start("127.0.0.1", 0)
    async with httpx2.AsyncClient() as client:
        asked = asyncio.ensure_future(client.get(f"http://127.0.0.1:{port}/stub/a"))
        await entered.wait()
        watch = Stopwatch()
        await server.stop()
        assert watch.elapsed() < ENDS_WITHIN
        with pytest.raises(httpx2.HTTPError):
            await asked


async def test_connections_are_bounded(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.tell([row(1)])
    server = HttpServer(stage.app)
    port = await server.start("127.0.0.1", 0)
    silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_CONNECTIONS + 5)]
    ends = [reader for reader, _ in silent if await closed(reader)]
    assert len(ends) == 5
    for _, writer in silent:
        writer.close()
    await server.stop()


async def closed(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(0.005):
            return await reader.read(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 70_000,
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_no_request(tmp_path: Path, sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage(tmp_path)
    server = HttpServer(stage.app)
    port = await server.start("127.0.0.1", 0)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        async with asyncio.timeout(60):
            answer = await reader.readline()
        assert answer == b"" or answer.split()[1] in {b"400", b"421", b"413"}
        writer.close()
    finally:
        await server.stop()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_board_that_fails_does_not_end_the_service(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    web = dashboard(tmp_path, "127.0.0.1:0")
    broken = snapshot([row(1)])
    object.__setattr__(broken, "rows", None)
    for _ in range(3):
        web.hooks.tell([], broken)
    assert caplog.text.count("could not be told") == 1


async def test_the_first_password_locks_it_at_once(tmp_path: Path) -> None:
    web = dashboard(tmp_path, "127.0.0.1:0")
    address = await web.start()
    try:
        web.hooks.tell([], snapshot([row(1)], SystemClock().now()))
        async with httpx2.AsyncClient(base_url=address) as client:
            assert (await client.get("")).status_code == 200
            async with client.stream("GET", "events", params={"since": web.board.version, "of": "now"}) as listening:
                chunks = listening.aiter_text()
                await anext(chunks)
                Password(DataDir(tmp_path).password).set("four random words")
                web.hooks.tell([], snapshot([row(1, points=424_242)], SystemClock().now()))
                assert "424,242" not in "".join([text async for text in chunks]), "who listened is not told any more"
            assert (await client.get("")).status_code == 303
            assert (await client.get("events")).status_code == 401
            assert (await client.get("api/status")).status_code == 401
            assert (await client.get("api/status", auth=("me", "four random words"))).status_code == 200
            assert (await client.get("login")).status_code == 200
            Password(DataDir(tmp_path).password).remove()
            assert (await client.get("")).status_code == 200, "on this machine alone it may be without"
    finally:
        await web.stop()


async def test_where_others_come_in_a_password_that_is_gone_opens_nothing(tmp_path: Path) -> None:
    where = Where("127.0.0.1:0", hosts=("points.example.org",))
    stage = Stage(tmp_path, where)
    password = Password(DataDir(tmp_path).password)
    password.set("four random words")
    web = Dashboard(stage.board, where, DataDir(tmp_path), SystemClock())
    password.remove()
    address = await web.start()
    try:
        async with httpx2.AsyncClient(base_url=address) as client:
            assert (await client.get("")).status_code == 303
    finally:
        await web.stop()
