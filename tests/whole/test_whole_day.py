"""A whole day in the sandbox, on simulated time and over real sockets: no secret of it is left lying about."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from allthepoints import wiring
from allthepoints.base.clock import Chance, LoopClock
from allthepoints.base.secret import Secret
from allthepoints.config.paths import DataDir
from allthepoints.config.settings import Endpoints, Settings, Twitch
from allthepoints.core.records import Event
from allthepoints.operation.service import logged
from allthepoints.service.outside import Hooks
from allthepoints.service.snapshot import Snapshot
from allthepoints.sim.days import demo_day
from allthepoints.sim.server import Sandbox
from allthepoints.sim.timelapse import TimelapseLoop

DAY = demo_day(seed=3)


async def live_through(folder: Path, told: list[str]) -> Sandbox:
    """The demo's day, with all its trouble; everything a face is told goes to `told`."""
    clock = LoopClock(asyncio.get_running_loop(), 1_795_564_800.0)
    sandbox = Sandbox(DAY, clock, chance=Chance(3))
    ends = await sandbox.start()
    tokens = sandbox.issue_tokens()

    def on_event(event: Event, snapshot: Snapshot) -> None:
        told.append(repr(event))
        told.append(repr(snapshot.warnings))

    settings = Settings(
        twitch=Twitch(client_id=DAY.client_id),
        endpoints=Endpoints(irc=ends.irc, helix=ends.helix, oauth=ends.oauth, streamelements=ends.streamelements),
    )
    given = wiring.Given(Secret(tokens.access), Secret(tokens.refresh))
    hooks = logged(Hooks(on_event=on_event))
    async with wiring.assembled(settings, given, DataDir(folder), clock, Chance(3), hooks=hooks, durable=False) as it:
        running = asyncio.get_running_loop().create_task(it.run())
        await asyncio.wait({running}, timeout=DAY.duration)
        it.stop()
        await running
    await sandbox.stop()
    return sandbox


def test_fc_32_canary_tokens_through_a_whole_day(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    with (
        caplog.at_level(logging.DEBUG),
        asyncio.Runner(loop_factory=lambda: TimelapseLoop(None)) as runner,
    ):
        sandbox = runner.run(live_through(tmp_path, told))
    tally = sandbox.tally()
    secrets = sandbox.tokens.issued()
    assert tally.refreshes >= 5
    assert len(secrets) >= 2 * tally.refreshes
    kept = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p.name != "tokens.json")
    said = "\n".join([*told, caplog.text])
    assert "is live" in said
    assert len(kept) > 100_000
    assert not [s for s in secrets if s in said or s.encode() in kept]
    assert "oauth:" not in said
    assert b"oauth:" not in kept
    assert any(s.encode() in (tmp_path / "tokens.json").read_bytes() for s in secrets), "the last pair is in its file"
    assert (tally.join_limit_violations, tally.login_limit_violations, tally.refresh_reuse) == (0, 0, 0)
    assert tally.chat_lines_sent == tally.joins_after_ban == tally.protocol_error_count == 0
    assert tally.capture > 0.9
