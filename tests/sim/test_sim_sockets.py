"""The sandbox on real sockets: TLS, resets, half-open, control from outside, and nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator

import httpx2
import pytest
import trustme
from sandboxes import always_live

from allthepoints.base.clock import SystemClock
from allthepoints.sim.scenario import Scenario
from allthepoints.sim.server import Endpoints, Sandbox

pytestmark = pytest.mark.anyio

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def listening(context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[Sandbox, Endpoints]]:
    box = Sandbox(Scenario(channels=always_live("alpha", "beta")), SystemClock(), ssl_context=context)
    before = asyncio.all_tasks()
    endpoints = await box.start()
    try:
        yield box, endpoints
    finally:
        await box.stop()
        assert asyncio.all_tasks() <= before, "a task is left"


def port(address: str) -> int:
    return int(address.rsplit(":", 1)[1])


async def sign_in(box: Sandbox, streams: Streams) -> None:
    reader, writer = streams
    token = box.issue_tokens().access
    writer.write(f"CAP REQ :twitch.tv/tags twitch.tv/commands\r\nPASS oauth:{token}\r\nNICK me\r\n".encode())
    await reader.readuntil(b"PING :tmi.twitch.tv\r\n")
    writer.write(b"PONG :tmi.twitch.tv\r\nJOIN #alpha\r\n")
    await reader.readuntil(b" ROOMSTATE #alpha\r\n")


async def hang_up(streams: Streams) -> None:
    streams[1].close()
    with contextlib.suppress(OSError):
        await streams[1].wait_closed()


async def test_the_chat_servers_port_is_closed_for_a_while() -> None:
    async with listening() as (box, endpoints):
        where = ("127.0.0.1", port(endpoints.irc))
        streams = await asyncio.open_connection(*where)
        await sign_in(box, streams)
        box.fault("chat_down", seconds=0.02)
        box.fault("chat_down", seconds=0.01)
        with pytest.raises(ConnectionResetError):
            await streams[0].read()
        await hang_up(streams)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*where)
        again = None
        while again is None:
            await box.clock.sleep(0.005)
            with contextlib.suppress(ConnectionRefusedError):
                again = await asyncio.open_connection(*where)
        await sign_in(box, again)
        assert box.tally().rooms_now == 1
        (end,) = box._chat_server.sockets
        assert end._transport is not None
        its_socket = end._transport.get_extra_info("socket")
        assert its_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), "a line would wait for the one before it"
        await hang_up(again)
        box.fault("chat_down", seconds=600)  # and the sandbox ends meanwhile


async def test_plain_chat_and_resets() -> None:
    async with listening() as (box, endpoints):
        assert endpoints.irc.startswith("irc://127.0.0.1:")
        streams = await asyncio.open_connection("127.0.0.1", port(endpoints.irc))
        await sign_in(box, streams)
        assert box.tally().rooms_now == 1
        box.fault("reset")
        with pytest.raises(ConnectionResetError):
            await streams[0].read()
        assert box.tally().rooms_now == 0
        await hang_up(streams)
        streams = await asyncio.open_connection("127.0.0.1", port(endpoints.irc))
        await sign_in(box, streams)
        box.fault("fin")
        assert await streams[0].read() == b""
        await hang_up(streams)
        assert box.tally().reconnects == 1


async def test_chat_over_tls() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with listening(context) as (box, endpoints):
        assert endpoints.irc.startswith("ircs://localhost:")
        streams = await asyncio.open_connection("localhost", port(endpoints.irc), ssl=trusting)
        await sign_in(box, streams)
        box.fault("reset")
        with pytest.raises((ConnectionResetError, ssl.SSLError)):
            await streams[0].readexactly(1)
        await hang_up(streams)
        with pytest.raises(ssl.SSLError):
            await asyncio.open_connection("localhost", port(endpoints.irc), ssl=ssl.create_default_context())
        reader, writer = await asyncio.open_connection("127.0.0.1", port(endpoints.irc))
        writer.write(b"this is not TLS\r\n")
        with contextlib.suppress(ConnectionResetError):
            await reader.read()
        await hang_up((reader, writer))


async def test_fc_05_tls_is_never_answered() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    async with listening(context) as (box, endpoints):
        box.fault("no_tls_answer")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await asyncio.open_connection(
                    "127.0.0.1", port(endpoints.irc), ssl=ssl.create_default_context(), server_hostname="localhost"
                )


async def test_fc_05_half_open_swallows_everything() -> None:
    async with listening() as (box, endpoints):
        streams = await asyncio.open_connection("127.0.0.1", port(endpoints.irc))
        await sign_in(box, streams)
        box.fault("half_open")
        streams[1].write(b"PING :x\r\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await streams[0].read(1)
        await hang_up(streams)


async def test_http_resets_and_hangs() -> None:
    async with listening() as (box, endpoints), httpx2.AsyncClient() as client:
        box.fault("reset_http", path="/oauth2/validate")
        with pytest.raises(httpx2.TransportError):
            await client.get(f"{endpoints.oauth}/validate")
        assert (await client.get(f"{endpoints.oauth}/validate")).status_code == 401
        box.fault("hang", path="/helix")
        with pytest.raises(httpx2.ReadTimeout):
            await client.get(f"{endpoints.helix}/users", timeout=0.05)
        box.fault("hang", path="/helix")
        left_hanging = asyncio.ensure_future(client.get(f"{endpoints.helix}/users"))
        while box.tally().helix_calls.get("/users") != 2:
            await asyncio.wait([left_hanging], timeout=0.005)
    with pytest.raises(httpx2.TransportError):
        await left_hanging


async def test_control_from_another_process() -> None:
    async with listening() as (box, endpoints), httpx2.AsyncClient(base_url=endpoints.control) as control:
        assert (await control.post("/channel", json={"login": "Gamma"})).json()["login"] == "gamma"
        stream = (await control.post("/live", json={"channel": "gamma", "live": True, "title": "hi"})).json()
        assert stream["stream_id"]
        assert (await control.get("/state")).json()["live"] == ["alpha", "beta", "gamma"]
        await control.post("/live", json={"channel": "alpha", "live": False})
        assert (await control.get("/state")).json()["live"] == ["beta", "gamma"]
        pair = (await control.post("/tokens", json={"scopes": ["chat:read"]})).json()
        assert box.tokens.valid(pair["access_token"], box.clock.now())
        ordered = await control.post("/fault", json={"name": "ban", "with": {"channel": "alpha"}})
        assert ordered.json() == {"ordered": "ban"}
        assert box.world.find("alpha").banned == {"1001"}
        await control.post("/fault", json={"name": "status", "with": {"code": 500, "seconds": "1h"}})
        assert (await control.get(f"{endpoints.helix}/users")).status_code == 500
        await control.post("/heal", json={"name": "body"})
        assert (await control.get(f"{endpoints.helix}/users")).status_code == 500
        await control.post("/heal")
        assert (await control.get(f"{endpoints.helix}/users")).status_code == 401
        tally = (await control.get("/tally")).json()
        assert tally["faults"] == {"ban": 1, "status": 1}
        assert {"name", "does", "parameters"} <= set((await control.get("/faults")).json()[0])


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/fault", {"name": "bann"}, "did you mean 'ban'?"),
        ("/fault", {"nam": "ban"}, "unknown field `nam`"),
        ("/live", {"channel": "nobody", "live": True}, "no user 'nobody'"),
        ("/approve", {}, "no such device code is pending"),
        ("/channel", {"login": "alpha"}, "is taken"),
        ("/channel", {"login": "no way"}, "a login has only"),
    ],
)
async def test_control_refuses_in_words(path: str, body: dict[str, object], words: str) -> None:
    async with listening() as (_, endpoints), httpx2.AsyncClient(base_url=endpoints.control) as control:
        answer = await control.post(path, json=body)
        assert answer.status_code == 400
        assert words in answer.json()["message"]


async def test_an_error_inside_the_day_is_not_swallowed() -> None:
    box = Sandbox(Scenario(channels=always_live("alpha")), SystemClock())
    box.begin()
    box.fault("rename", channel="alpha", to="beta")
    box.hub.agenda.later(0, lambda: box.fault("rename", channel="alpha", to="gamma"))
    while box._running is not None and not box._running.done():
        await asyncio.wait([box._running], timeout=0.005)
    with pytest.raises(ValueError, match="no user 'alpha'"):
        await box.stop()
