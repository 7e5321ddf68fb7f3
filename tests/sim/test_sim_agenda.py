"""The agenda: order, cancelling, and an earlier entry that comes while it sleeps."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from allthepoints.sim.agenda import Agenda
from allthepoints.testing.clock import ManualClock

pytestmark = pytest.mark.anyio


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[tuple[Agenda, ManualClock]]:
    clock = ManualClock()
    agenda = Agenda(clock)
    task = asyncio.ensure_future(agenda.run())
    try:
        yield agenda, clock
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert clock.sleepers == 0


async def test_things_happen_in_order_and_cancelled_ones_do_not() -> None:
    async with running() as (agenda, clock):
        done: list[str] = []
        agenda.later(20, lambda: done.append("late"))
        agenda.later(10, lambda: done.append("one"))
        agenda.later(10, lambda: done.append("two"))
        agenda.later(5, lambda: done.append("never")).cancel()
        await clock.elapse(9)
        assert done == []
        await clock.elapse(1)
        assert done == ["one", "two"]
        await clock.elapse(10)
        assert done == ["one", "two", "late"]


async def test_an_earlier_entry_wakes_it() -> None:
    async with running() as (agenda, clock):
        done: list[float] = []
        agenda.later(3600, lambda: done.append(3600))
        await clock.elapse(10)
        agenda.later(5, lambda: done.append(15))
        await clock.elapse(5)
        assert done == [15]


async def test_what_happens_may_enter_more() -> None:
    async with running() as (agenda, clock):
        ticks: list[float] = []

        def tick() -> None:
            ticks.append(clock.now())
            agenda.later(60, tick)

        agenda.later(0, tick)
        await clock.elapse(600)
        assert len(ticks) == 11


async def test_it_sleeps_once_for_any_number_of_entries() -> None:
    async with running() as (agenda, clock):
        for second in range(1000):
            agenda.later(100 + second, lambda: None)
        await clock.elapse(1)
        assert clock.sleepers == 1
