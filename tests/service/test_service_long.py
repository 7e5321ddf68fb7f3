"""A long day with very many channels, on the manual clock, as it is configured by default.

The loop, its decisions, storage (SQLite), the sign-in and every byte of the chat are the real ones. Who is live and
what is paid comes straight out of the sandbox's truth, at the ports: in process, some 35,000 HTTP calls of httpx2 and
Starlette would cost more than all that this is about. The real adapters have their days elsewhere (`tests/whole`,
`test_service_soak`), and `bench/poll.py` counts what they call.
"""

from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from long_world import WorldLive, WorldPoints

from allthepoints import wiring
from allthepoints.base.clock import Chance, LoopClock
from allthepoints.base.secret import Secret
from allthepoints.config.paths import DataDir
from allthepoints.config.policy import policy
from allthepoints.config.settings import Endpoints, Poll, Settings, Twitch
from allthepoints.service.loop import Service
from allthepoints.service.outside import Outside
from allthepoints.service.snapshot import Snapshot
from allthepoints.sim.days import big_day
from allthepoints.sim.server import Sandbox
from allthepoints.sim.tally import Tally, capped
from allthepoints.sim.timelapse import AloneLoop
from allthepoints.storage.database import SqliteStorage
from allthepoints.streamelements.jwt import JwtKeeper
from allthepoints.streamelements.store import ElementsStore
from allthepoints.testing.chat import MemoryChat
from allthepoints.testing.inprocess import InProcess
from allthepoints.web import Client

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(1800)]

HOUR = 3600.0
DAY = 24 * HOUR


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": AloneLoop}


@dataclass
class Lived:
    """What came of the day. `objects`: how many the process held after 8 and after 24 hours."""

    tally: Tally
    snapshot: Snapshot
    polls: int
    balances: int
    objects: tuple[int, int]


async def test_a_day_with_2000_follows_and_140_live(tmp_path: Path) -> None:
    lived = await live_through(tmp_path)
    tally = lived.tally
    assert (tally.join_limit_violations, tally.login_limit_violations) == (0, 0)
    assert tally.protocol_errors == ()
    assert (tally.joins_after_ban, tally.refresh_reuse) == (0, 0)
    assert tally.rooms_peak == 90
    reachable = capped((span for channel in tally.channels for span in channel.live), 90)
    # What is lost: Helix' cache is up to 75 s late at the start and 300 s at the end, the poll 30 s, and the hold-off
    # 180 s, in which a room is kept for whom nobody streams to any more.
    assert tally.present_s >= 0.95 * reachable
    assert 0.95 <= lived.polls / (DAY / Poll().live) <= 1.02
    assert tally.reconnects >= 3
    # A room is read every five minutes, and a fourth as often where nothing is paid.
    assert lived.balances >= 0.8 * tally.present_s / Poll().balance
    read = {row.login: row.points for row in lived.snapshot.rows.values() if row.points}
    has = {channel.login: channel.balance for channel in tally.channels if channel.balance}
    assert sum(read.values()) >= 0.98 * sum(has.values()), "the last readings are some minutes old"
    assert all(points <= has[login] for login, points in read.items())
    early, late = lived.objects
    new = sum(1 for channel in tally.channels if channel.live and channel.live[0][0] > 8 * HOUR)
    assert late - early <= 50 * new, "who was live for the first time is remembered, and nothing else"


async def live_through(folder: Path, wanted: Settings | None = None, follows: int = 2000, live: int = 140) -> Lived:
    """The whole day, with its faults."""
    clock = LoopClock(asyncio.get_running_loop(), 1_800_000_000.0)
    sandbox = Sandbox(big_day(follows, live), clock)
    sandbox.begin()
    pair = sandbox.issue_tokens()
    settings = Settings(
        twitch=Twitch(client_id=sandbox.scenario.client_id), endpoints=Endpoints(oauth="http://127.0.0.1/oauth2")
    )
    data, client, chance = DataDir(folder), Client(InProcess(sandbox.app)), Chance(1)
    given = wiring.Given(Secret(pair.access), Secret(pair.refresh))
    helix, points = WorldLive(sandbox), WorldPoints(sandbox)
    async with wiring.signing_in(settings, given, data, clock, client) as (_, keeper):
        storage = await SqliteStorage.open(data.database, clock.now(), durable=False)
        store = ElementsStore(client, "http://127.0.0.1/kappa/v2", clock, JwtKeeper(clock, wiring.jwt_store(data)))
        chat = MemoryChat(sandbox.connect_chat, clock)
        service = Service(Outside(helix, chat, keeper, points, store, storage, clock, chance), policy(settings))
        running = asyncio.ensure_future(service.run())
        objects = []
        for hours in (8, 16):
            await asyncio.wait({running}, timeout=hours * HOUR)
            gc.collect()
            objects.append(len(gc.get_objects()))
        assert service.snapshot is not None
        lived = Lived(sandbox.tally(), service.snapshot, helix.polls, points.balances, (objects[0], objects[1]))
        service.stop()
        await running
        await storage.aclose()
    await client.aclose()
    await sandbox.stop()
    return lived
