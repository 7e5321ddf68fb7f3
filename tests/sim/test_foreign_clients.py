"""Clients that nobody here wrote hold the sandbox honest: they sign in, join, are acknowledged, answer PING and come
through a RECONNECT."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import irc.client_aio
import pytest
from sandboxes import always_live

from allthepoints.base.clock import SystemClock
from allthepoints.sim.scenario import Scenario
from allthepoints.sim.server import Sandbox

pytestmark = pytest.mark.anyio

DANK = "@mastondzn/dank-twitch-irc"
DANK_VERSION = "7.2.0"
PATIENCE = 60.0
"""Seconds of real time after which a client that says nothing is given up; a healthy one needs a fraction of one."""


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[tuple[Sandbox, int]]:
    box = Sandbox(Scenario(channels=always_live("alpha", "beta")), SystemClock())
    endpoints = await box.start()
    try:
        yield box, int(endpoints.irc.rsplit(":", 1)[1])
    finally:
        await box.stop()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await _turn()


async def _turn() -> None:
    """A hundredth of a second for the sockets."""
    waiter = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.01, waiter.set_result, None)
    await waiter


def came_through(box: Sandbox) -> bool:
    """One connection is left, in both rooms, after one reconnect."""
    ours = box.hub.of(box.account)
    return box.tally().reconnects == 1 and len(ours) == 1 and len(ours[0].rooms) == 2 and ours[0].pongs >= 1


# -- irc (PyPI) --------------------------------------------------------------------------------------------------------
class PyPiClient:
    """The `irc` package's client with the little that every bot on it has: join on welcome, connect again when lost."""

    def __init__(self, port: int, token: str) -> None:
        self.heard: list[tuple[str, str]] = []
        self.stopped = False
        self._port, self._token = port, token
        reactor = irc.client_aio.AioReactor(loop=asyncio.get_running_loop())
        reactor.add_global_handler("all_events", self._on_event)
        self.connection = reactor.server()
        self._connecting: asyncio.Task[Any] | None = None
        self.connect()

    def connect(self) -> None:
        going = self.connection.connect("127.0.0.1", self._port, "me", password=f"oauth:{self._token}")
        self._connecting = asyncio.ensure_future(going)

    def stop(self) -> None:
        self.stopped = True
        self.connection.disconnect()

    def _on_event(self, connection: Any, event: Any) -> None:
        self.heard.append((event.type, str(event.target)))
        if event.type == "welcome":
            connection.cap("REQ", "twitch.tv/tags", "twitch.tv/commands")
            connection.join("#alpha")
            connection.join("#beta")
        elif event.type == "disconnect" and not self.stopped:
            asyncio.get_running_loop().call_soon(self.connect)


async def test_irc_from_pypi() -> None:
    async with listening() as (box, port):
        client = PyPiClient(port, box.issue_tokens().access)
        await until(lambda: box.tally().rooms_now == 2)
        await until(lambda: box.hub.of(box.account)[0].pongs == 1)
        await until(lambda: sum(kind == "roomstate" for kind, _ in client.heard) == 2)
        assert ("join", "#alpha") in client.heard
        assert any(kind == "endofnames" for kind, _ in client.heard)
        box.fault("chat_noise", rate=60, seconds=0, every=10)
        await until(lambda: any(kind == "pubmsg" for kind, _ in client.heard))
        box.fault("reconnect", delay=0.02)
        await until(lambda: came_through(box))
        assert any(kind == "reconnect" for kind, _ in client.heard)
        assert box.tally().protocol_errors == ()
        client.stop()
        await until(lambda: not box.hub.connections)


# -- dank-twitch-irc (npm) ---------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def dank() -> Path:
    """The library's entry, installed by name and version; kept in the environment's folder for the next time."""
    npm, folder = shutil.which("npm"), Path(sys.prefix) / "node" / f"dank-twitch-irc-{DANK_VERSION}"
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed: the sandbox is not tried with dank-twitch-irc")
    entry = folder / "node_modules" / DANK / "dist" / "index.js"
    if not entry.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [
            npm,
            "install",
            "--no-audit",
            "--no-fund",
            "--silent",
            "--prefix",
            str(folder),
            f"{DANK}@{DANK_VERSION}",
        ]
        subprocess.run(command, check=True, timeout=100)
    return entry


@contextlib.asynccontextmanager
async def dank_client(entry: Path, port: int, token: str) -> AsyncIterator[list[dict[str, Any]]]:
    """What the client tells, as it tells it. It is ended on the way out."""
    script = Path(__file__).with_name("dank_client.mjs")
    process = await asyncio.create_subprocess_exec(
        "node", str(script), entry.as_uri(), str(port), "me", token, "alpha,beta",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    told: list[dict[str, Any]] = []

    async def listen() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            told.append(json.loads(line))

    listener = asyncio.ensure_future(listen())
    try:
        yield told
    finally:
        assert process.stdin is not None
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
        await listener


@pytest.mark.node
async def test_dank_twitch_irc_from_npm(dank: Path) -> None:
    async with listening() as (box, port):
        token = box.issue_tokens().access
        async with dank_client(dank, port, token) as told:

            def was_told(what: str, detail: str | None = None) -> bool:
                return any(t["what"] == what and detail in (None, t.get("detail")) for t in told)

            await until(lambda: was_told("settled"))
            assert was_told("globaluserstate", "1001")
            assert was_told("join", "alpha")
            assert was_told("roomstate", box.world.find("alpha").id)
            assert was_told("userstate", "beta")
            box.fault("chat_noise", rate=120, seconds=0, every=10)
            box.fault("timeout_us", channel="alpha")
            await until(lambda: was_told("chat") and was_told("clearchat", "me"))
            box.fault("reconnect", delay=0.02)
            await until(lambda: was_told("reconnect") and came_through(box))
            assert all("RECONNECT command received" in t["detail"] for t in told if t["what"] == "error"), told
            box.fault("ban", channel="beta")
            await until(lambda: box.tally().rooms_now == 1)
            assert box.tally().protocol_errors == ()
            assert box.tally().chat_lines_sent == 0
