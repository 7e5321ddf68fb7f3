"""Simulated time for everything below, and the two stages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from service_stages import Fakes, Sockets, Stage, stage

from allthepoints.sim.timelapse import TimelapseLoop


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
