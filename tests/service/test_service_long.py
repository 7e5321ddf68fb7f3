"""A long day with very many channels."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from allthepoints import wiring
from allthepoints.base.clock import Chance, LoopClock
from allthepoints.base.secret import Secret
from allthepoints.config.paths import DataDir
from allthepoints.config.settings import Endpoints, Poll, Settings, Twitch
from allthepoints.sim import timelapse
from allthepoints.sim.days import big_day
from allthepoints.sim.server import Sandbox
from allthepoints.sim.tally import Tally, capped
from allthepoints.testing.chat import MemoryChat
from allthepoints.testing.inprocess import InProcess

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(1800)]

DAY = 86_400.0


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is ever on its way between two sockets: time need not wait for it."""
    monkeypatch.setattr(timelapse, "GRACE", 0.0)


async def test_a_day_with_2000_follows_and_140_live(tmp_path: Path) -> None:
    tally = await _live_through(tmp_path)
    assert (tally.join_limit_violations, tally.login_limit_violations, tally.helix_limited) == (0, 0, 0)
    assert tally.protocol_errors == ()
    assert (tally.joins_after_ban, tally.refresh_reuse) == (0, 0)
    assert tally.rooms_peak == 90
    reachable = capped((span for channel in tally.channels for span in channel.live), 90)
    # What is lost: Helix' cache is up to 75 s late at the start and 300 s at the end, the poll 30 s, and the hold-off
    # 180 s, in which a room is kept for whom nobody streams to any more.
    assert tally.present_s >= 0.95 * reachable
    polls = DAY / Poll().live
    assert tally.helix_calls["/streams/followed"] <= 2.1 * polls
    assert tally.reconnects >= 3


async def _live_through(folder: Path) -> Tally:
    clock = LoopClock(asyncio.get_running_loop(), 1_800_000_000.0)
    sandbox = Sandbox(big_day(), clock)
    sandbox.begin()
    pair = sandbox.issue_tokens()
    web = "http://127.0.0.1"
    settings = Settings(
        twitch=Twitch(client_id=sandbox.scenario.client_id),
        poll=Poll(balance=400 * DAY, store=400 * DAY),  # not what this is about
        endpoints=Endpoints(
            irc="irc://127.0.0.1:6667", helix=f"{web}/helix", oauth=f"{web}/oauth2", streamelements=f"{web}/kappa/v2"
        ),
    )
    async with wiring.assembled(
        settings,
        wiring.Given(Secret(pair.access), Secret(pair.refresh)),
        DataDir(folder),
        clock,
        Chance(1),
        chat=MemoryChat(sandbox.connect_chat, clock),
        transport=InProcess(sandbox.app),
        durable=False,
    ) as service:
        running = asyncio.ensure_future(service.run())
        await asyncio.wait({running}, timeout=sandbox.scenario.duration)
        tally = sandbox.tally()
        service.stop()
        await running
    await sandbox.stop()
    return tally
