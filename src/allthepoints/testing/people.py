"""The people around a program that lives through simulated days: whoever looks, asks, buys, follows and edits.

Every five minutes something is done, by a plan that is the same for each day.
"""

from __future__ import annotations

import asyncio
import html
import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from allthepoints.base.clock import LoopClock, new_key
from allthepoints.base.types import JSON, Login
from allthepoints.config.paths import DataDir
from allthepoints.operation.face import Link
from allthepoints.sim.elements import SeChannel
from allthepoints.sim.server import Sandbox
from allthepoints.storage.ask import ask
from allthepoints.testing.inprocess import Answer, InProcess
from allthepoints.views.web.server import Dashboard

HOUR, DAY = 3600.0, 86_400.0

EPOCH = 1_800_057_600.0
"""Midnight, UTC."""

STEP = 300.0
"""Seconds between two things that people do."""

STEPS = int(DAY / STEP)

HEADERS = [(b"host", b"127.0.0.1:7771")]
SAME = [(b"sec-fetch-site", b"same-origin"), (b"origin", b"http://127.0.0.1:7771")]


@dataclass
class People:
    """Who looks at the dashboard, asks its API, buys, edits the config, follows and unfollows; by the step of the day.

    `seldom`: how many times less often pages and programs come. `did`: how often what was done, and what came of it.
    """

    app: InProcess
    dashboard: Dashboard
    port: int
    sandbox: Sandbox
    link: Link
    config: Path
    variants: tuple[str, str]
    data: DataDir
    clock: LoopClock
    seldom: int
    did: Counter[str] = field(default_factory=Counter)
    _away: set[asyncio.Task[None]] = field(default_factory=set)

    async def live(self) -> None:
        """For ever."""
        step = 0
        while True:
            await self.clock.sleep(self.sandbox.started_at + step * STEP - self.clock.now())
            await self._step(step % STEPS)
            step += 1

    async def _step(self, step: int) -> None:
        await self._programs(step)
        if 4 <= step < STEPS - 8:
            self._visitors(step)
        await self._person(step)

    async def _programs(self, step: int) -> None:
        if step % self.seldom:
            return
        await self.get("/metrics")
        await self.get("/healthz")
        if step % (6 * self.seldom) == 0:
            one = login(step // 6 % 12)
            for path in ("status", "points", "events", "redemptions", f"store/{one}", f"chart/{one}"):
                await self.get(f"/api/{path}")

    def _visitors(self, step: int) -> None:
        one, step = login(step // 8 % 12), step % (24 * self.seldom)
        paths = ("/", "/", f"/channel/{one}", "/store", "/activity", "/health", "/settings")
        if step % (8 * self.seldom) == 0:
            for path in paths if step == 8 * self.seldom else paths[:3]:
                self._go(self._listen(path, 4 * STEP / self.seldom**0.5))
        if step == 5:
            self._go(self._listen("/", STEP, stuck=True))
        if step == 9:
            self._go(self._keep_alive())
            self._go(self._cut("/events?of=now&since=x"))
            self._go(self._poll())

    async def _person(self, step: int) -> None:
        if step % 72 == 20:
            self._save(self.variants[step // 72 % 2])
        if step == 100:
            self._save("[channels]\nmax_rooms = 1000\n")
        if step == 102:
            self._save(self.variants[1])
        follows = self.sandbox.world.follows[self.sandbox.account.id]
        for n in (9, 10):
            user = self.sandbox.world.find(login(n))
            if step == 36:
                follows.pop(user.id, None)
            if step == 180:
                self.sandbox.world.follow(self.sandbox.account.id, user.id, EPOCH - n)
        if step % 96 in (49, 50):
            await self._buy(login(8 + step // 96), step % 2 == 0)
        if step % 144 == 60:
            one, item = login(11), self.item(login(11), "Cheer")
            ask(self.data.database, "look", Login(one), self.clock.now())
            asked: dict[str, JSON] = {"key": new_key(), "item": item, "cost": 20}
            ask(self.data.database, "redeem", Login(one), self.clock.now(), asked)
            self.did["asked by the database"] += 1

    def _save(self, text: str) -> None:
        self.config.write_text(text, "utf-8")
        self.link.read_config()
        self.did["saved the config"] += 1

    # -- the dashboard -------------------------------------------------------------------------------------------------
    async def get(self, target: str) -> Answer:
        """As a browser or a program asks."""
        path, _, query = target.partition("?")
        found = await self.app.call("GET", (path, query.encode()), HEADERS)
        self.did[f"GET {found[0]}"] += 1
        return found

    async def _buy(self, channel: str, now: bool) -> None:
        """Have the store looked at, and the next time buy."""
        if not now:
            self.link.ask("look", Login(channel), {})
            return
        item = self.item(channel, "Cheer")
        await self.get(f"/redeem/{channel}/{item}")
        board = self.dashboard.board
        form = f"csrf={board.token_for('')}&key={new_key()}&cost=20".encode()
        kind = (b"content-type", b"application/x-www-form-urlencoded")
        target = f"/redeem/{channel}/{item}", b""
        status, _, _ = await self.app.call("POST", target, [*HEADERS, *SAME, kind], form)
        self.did[f"POST {status}"] += 1

    def item(self, channel: str, name: str) -> str:
        found: SeChannel | None = self.sandbox.elements.of(self.sandbox.world.find(channel))
        assert found is not None
        return next(item.id for item in found.items.values() if item.name == name)

    async def _poll(self) -> None:
        """A browser that cannot listen, and one that asks for what there is not: more topics than are remembered."""
        for number in range(50):
            await self.get(f"/poll?of=now&since={self.dashboard.board.version}")
            await self.get(f"/poll?of=channel/nobody_{number}&since=x")
            await self.clock.sleep(1.0)

    async def _listen(self, path: str, seconds: float, stuck: bool = False) -> None:
        """Get a page, listen as it says, and go away. `stuck`: never take what is sent."""
        _, _, body = await self.get(path)
        where = re.search(r'sse-connect="([^"]+)"', body.decode())
        assert where is not None, path
        gone = asyncio.Event()

        async def receive() -> Any:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Mapping[str, Any]) -> None:
            self.did["bytes pushed"] += len(message.get("body", b""))
            self.did["messages pushed"] += 1
            if stuck:
                await asyncio.get_running_loop().create_future()

        path, _, query = html.unescape(where[1]).partition("?")
        listening = asyncio.ensure_future(self.app.stream((path, query.encode()), HEADERS, receive, send))
        await asyncio.wait({listening}, timeout=seconds)
        gone.set()
        if stuck:
            listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        self.did["pages that listened"] += 1

    async def _keep_alive(self) -> None:
        """A browser that asks by the port, and keeps the connection until it is closed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:7771\r\n\r\n")
        data = await reader.read()
        self.did["bytes by the port"] += len(data)
        writer.close()
        await writer.wait_closed()

    async def _cut(self, target: str) -> None:
        """One that listens by the port, and vanishes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:7771\r\n\r\n".encode())
        with suppress(TimeoutError):
            async with asyncio.timeout(STEP):
                while data := await reader.read(65536):
                    self.did["bytes by the port"] += len(data)
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()

    def _go(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._away.add(task)
        task.add_done_callback(self._back)

    def _back(self, task: asyncio.Task[None]) -> None:
        self._away.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.did[f"FAILED {error!r}"] += 1


def login(number: int) -> str:
    """Of a channel."""
    return f"channel_{number}"
