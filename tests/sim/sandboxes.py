"""Sandboxes without sockets on a clock moved by hand, and clients for them that know nothing of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from allthepoints.sim.scenario import Broadcast, ChannelPlan, Limits, Scenario
from allthepoints.sim.server import Sandbox
from allthepoints.testing.clock import ManualClock, settle

DAY = 86400.0


def channel(login: str, *spans: tuple[float, float], followed: bool = True, kind: str = "live") -> ChannelPlan:
    broadcasts = tuple(Broadcast(start, end, kind=kind) for start, end in spans)  # type: ignore[arg-type]
    return ChannelPlan(login=login, followed=followed, broadcasts=broadcasts)


def always_live(*logins: str) -> tuple[ChannelPlan, ...]:
    return tuple(channel(login, (-60.0, DAY)) for login in logins)


@asynccontextmanager
async def sandbox(
    *channels: ChannelPlan, limits: Limits | None = None, scenario: Scenario | None = None
) -> AsyncIterator[Sandbox]:
    """Running, without sockets. Its clock is a ManualClock."""
    plan = scenario or Scenario(channels=channels or always_live("alpha", "beta"), limits=limits or Limits())
    box = Sandbox(plan, ManualClock())
    box.begin()
    try:
        yield box
    finally:
        await box.stop()


async def elapse(box: Sandbox, seconds: float) -> None:
    """Let time go by."""
    assert isinstance(box.clock, ManualClock)
    await box.clock.elapse(seconds, turns=6)


class Chatter:
    """A chat client in memory: says lines, keeps what came back."""

    def __init__(self, box: Sandbox) -> None:
        self.chunks: list[bytes] = []
        self.lost: str | None = None
        self._read = 0
        self._link = box.connect_chat(self.chunks.append, self._on_lost)

    def _on_lost(self, text: str) -> None:
        self.lost = text

    async def say(self, *lines: str) -> list[str]:
        """Send lines; what the server has said since the last time."""
        if lines:
            self._link.send("".join(line + "\r\n" for line in lines).encode())
        return await self.heard()

    async def send(self, data: bytes) -> list[str]:
        self._link.send(data)
        return await self.heard()

    async def heard(self) -> list[str]:
        await settle(6)
        new, self._read = b"".join(self.chunks)[self._read :], len(b"".join(self.chunks))
        return new.decode("utf-8", "replace").split("\r\n")[:-1]

    def hang_up(self) -> None:
        self._link.close()


async def signed_in(box: Sandbox, *, caps: str = "twitch.tv/tags twitch.tv/commands", account: str = "me") -> Chatter:
    """A client that was welcomed and has answered the first PING."""
    client = Chatter(box)
    cap = [f"CAP REQ :{caps}"] if caps else []
    token = box.issue_tokens(account=account).access
    lines = await client.say(*cap, f"PASS oauth:{token}", f"NICK {account}", "PONG :tmi.twitch.tv")
    assert any(" 001 " in line for line in lines), lines
    return client


def http(box: Sandbox) -> httpx2.AsyncClient:
    """A client for Helix, OAuth and control, in process."""
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(box.app), base_url="http://sandbox")


def headers(box: Sandbox, *scopes: str) -> dict[str, str]:
    token = box.issue_tokens(scopes or ("chat:read", "user:read:follows")).access
    return {"Authorization": f"Bearer {token}", "Client-Id": "sandbox"}
