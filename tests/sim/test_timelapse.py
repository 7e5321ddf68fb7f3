"""Time that is simulated stands still while anything is at work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from allthepoints.base.clock import LoopClock, Stopwatch
from allthepoints.sim.timelapse import TimelapseLoop

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T], speed: float | None = None) -> T:
    with asyncio.Runner(loop_factory=lambda: TimelapseLoop(speed)) as runner:
        return runner.run(main)


def test_a_day_goes_by_at_once() -> None:
    async def day() -> float:
        clock = LoopClock(asyncio.get_running_loop(), epoch=1_000.0)
        await clock.sleep(86_400.0)
        return clock.now()

    watch = Stopwatch()
    assert run(day()) == 87_400.0
    assert watch.elapsed() < 20.0  # a real day would be noticed


def test_timers_fire_in_order_at_their_exact_times() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        times: list[float] = []
        for at in (30.0, 10.0, 20.0):
            loop.call_at(at, lambda: times.append(loop.time()))
        await LoopClock(loop, 0.0).sleep(60.0)
        return times

    assert run(main()) == [10.0, 20.0, 30.0]


def test_time_stands_still_while_a_thread_works() -> None:
    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        release = threading.Event()
        loop.call_later(1.0, lambda: None)
        threading.Timer(0.05, release.set).start()
        before = loop.time()
        await loop.run_in_executor(None, release.wait)
        return before, loop.time()

    before, after = run(main())
    assert before == after


def test_bytes_in_flight_arrive_before_a_deadline_fires() -> None:
    async def main() -> int:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                writer.write(line)
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        heard = 0
        for _ in range(300):
            writer.write(b"ping\n")
            async with asyncio.timeout(15.0):
                heard += len(await reader.readline()) == 5
            await LoopClock(asyncio.get_running_loop(), 0.0).sleep(30.0)
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()
        return heard

    assert run(main()) == 300


def test_speed_is_a_limit() -> None:
    async def main() -> None:
        await LoopClock(asyncio.get_running_loop(), 0.0).sleep(100.0)

    watch = Stopwatch()
    run(main(), speed=1_000.0)
    assert watch.elapsed() >= 0.1
