"""Simulated time for everything below, the two stages, and a look at what is kept from turn to turn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from service_stages import Fakes, Sockets, Stage, stage

from allthepoints.core.observed import Observed
from allthepoints.core.policy import Policy
from allthepoints.service.snapshot import WARNINGS_STAND, Changes, Snapshot, Snapshots
from allthepoints.sim.timelapse import TimelapseLoop

MANY_TURNS = ("test_service_long", "test_service_variants", "test_service_soak", "test_service_week")


@pytest.fixture(autouse=True)
def kept_is_fresh(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """After every turn of every test here, what faces see is what they would see if nothing were kept."""
    if request.node.module.__name__ in MANY_TURNS:
        return
    make = Snapshots.make

    def compared(self: Snapshots, policy: Policy, observed: Observed, now: float) -> tuple[Snapshot, Changes]:
        kept, changes = make(self, policy, observed, now)
        memos = observed.queue, observed.rest, observed.elements.agenda
        observed.queue, observed.rest, observed.elements.agenda = None, None, None
        fresh, _ = make(Snapshots(), policy, observed, now)
        observed.queue, observed.rest, observed.elements.agenda = memos
        shown = {i: replace(row, since=None) for i, row in kept.rows.items()}
        assert shown == {i: replace(row, since=None) for i, row in fresh.rows.items()}
        late = fresh.warnings if now < self._warned[1] + WARNINGS_STAND and now > self._warned[1] else kept.warnings
        assert replace(kept, rows={}, warnings=late) == replace(fresh, rows={})
        return kept, changes

    monkeypatch.setattr(Snapshots, "make", compared)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": TimelapseLoop}


@pytest.fixture(params=["fakes", "sockets"])
async def on(request: pytest.FixtureRequest, anyio_backend: object, tmp_path: Path) -> AsyncIterator[Stage]:
    """Both stages, one after the other."""
    async with stage(request.param, tmp_path) as one:
        yield one


@pytest.fixture
async def fakes(anyio_backend: object, tmp_path: Path) -> AsyncIterator[Fakes]:
    async with stage("fakes", tmp_path) as one:
        assert isinstance(one, Fakes)
        yield one


@pytest.fixture
async def sockets(anyio_backend: object, tmp_path: Path) -> AsyncIterator[Sockets]:
    async with stage("sockets", tmp_path) as one:
        assert isinstance(one, Sockets)
        yield one
