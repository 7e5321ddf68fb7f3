"""FC-38: a stop at any moment is in order, in time, and leaves nothing running."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from service_stages import Fakes, Sockets, Stage

from allthepoints.core.records import EventKind, Record
from allthepoints.service.loop import STOP_WITHIN
from allthepoints.testing.memory_storage import Memory, MemoryStorage

pytestmark = pytest.mark.anyio

AT_ONCE = 0.5
"""Seconds for a stop when all answer."""

ALL = 5.0
"""Seconds for a stop, with what the wiring cleans up."""


async def stopped(on: Stage) -> float:
    """Stop it; the seconds of all. No task of the program is left."""
    before = on.clock.now()
    took = await on.stop()
    assert took <= STOP_WITHIN + 0.01
    await on.clock.sleep(0)
    assert not ours()
    return on.clock.now() - before


def ours() -> list[str]:
    """The tasks that the program's own code runs in."""
    files = ((task.get_name(), task.get_coro().cr_code.co_filename) for task in asyncio.all_tasks())  # type: ignore[union-attr]
    return [name for name, file in files if any(f"allthepoints/{floor}/" in file for floor in FLOORS)]


FLOORS = ("service", "twitch", "storage")


async def test_fc_38_rooms_are_left_and_all_is_written(on: Stage) -> None:
    on.requests_every = 1.0
    on.add("alpha", "beta", live=True)
    await on.start()
    await on.elapse(60)
    on.add("gamma", live=True)
    on.sandbox.fault("lose_join", channel="gamma", seconds=600.0)
    await on.elapse(42)
    assert on.rooms == {"alpha", "beta"}
    heard = record_lines(on)
    assert await stopped(on) <= 2  # nobody answers a PART of a room that he has not let us into
    assert on.rooms == set()
    assert {line for line in heard if line.startswith("PART")} == {"PART #alpha,#beta,#gamma"}
    assert "QUIT" in heard
    assert [event.kind for event in on.events][-1] is EventKind.STOPPED
    assert on.claimed("alpha")[-1][1] is not None
    assert {row.state for row in on.stored_rows().values()} == {"waiting"}


def record_lines(on: Stage) -> list[str]:
    """What the sandbox hears from now on, line by line."""
    heard: list[str] = []
    for connection in on.sandbox.hub.of(on.sandbox.account):
        receive = connection.receive

        def listening(data: bytes, receive: Callable[[bytes], None] = receive) -> None:
            heard.extend(data.decode().split("\r\n"))
            receive(data)

        connection.receive = listening  # type: ignore[method-assign]
    return heard


async def test_fc_38_when_the_servers_do_not_answer(on: Stage) -> None:
    on.add("alpha", live=True)
    await on.start()
    await on.elapse(5)
    on.sandbox.fault("half_open", connection="all")
    assert await stopped(on) <= ALL


Moment = Callable[[Stage], Awaitable[None]]


async def before_anything(on: Stage) -> None:
    pass


async def while_connecting(on: Stage) -> None:
    on.sandbox.fault("no_tls_answer", n=5)
    on.sandbox.fault("no_welcome", n=5)
    await on.elapse(3)


async def while_joining(on: Stage) -> None:
    on.sandbox.fault("late_ack", n=9, delay=9.0)
    await on.elapse(3)


async def while_waiting_for_the_next_try(on: Stage) -> None:
    on.sandbox.fault("close_after_nick", n=9)
    await on.elapse(20)


async def in_the_middle_of_a_poll(on: Stage) -> None:
    on.sandbox.fault("hang", path="/helix", seconds=1e6, delay=1e6)
    await on.elapse(3)


async def while_the_sign_in_is_checked(on: Stage) -> None:
    on.sandbox.fault("hang", path="/oauth2", seconds=1e6, delay=1e6)
    await on.elapse(3)


async def while_a_token_is_renewed(on: Stage) -> None:
    on.expire_token()
    on.sandbox.fault("hang", path="/oauth2/token", seconds=1e6, delay=1e6)
    await on.elapse(3)


@pytest.mark.parametrize(
    "moment",
    [
        before_anything,
        while_connecting,
        while_joining,
        while_waiting_for_the_next_try,
        in_the_middle_of_a_poll,
        while_the_sign_in_is_checked,
        while_a_token_is_renewed,
    ],
    ids=lambda moment: f"fc_38_{moment.__name__}",
)
async def test_a_stop_at_any_moment(on: Stage, moment: Moment) -> None:
    on.add("alpha", "beta", live=True)
    arming = asyncio.ensure_future(moment(on))  # faults stand before the service starts
    await on.clock.sleep(0)
    await on.start()
    await arming
    assert await stopped(on) <= ALL
    assert on.rooms == set()


async def test_fc_38_while_tcp_never_answers(fakes: Fakes) -> None:
    fakes.chat.slow = 1e6
    fakes.add("alpha", live=True)
    await fakes.start()
    await fakes.elapse(5)
    assert await stopped(fakes) <= AT_ONCE


@pytest.mark.parametrize("stuck_for", [0.0, 1.0, 30.0], ids=["from_now", "for_1_s", "for_30_s"])
async def test_fc_38_while_the_disk_hangs(fakes: Fakes, stuck_for: float) -> None:
    disks: list[StuckStorage] = []

    def disk(memory: Memory) -> StuckStorage:
        disks.append(StuckStorage(memory))
        return disks[0]

    fakes.storage = disk
    fakes.add("alpha", "beta")
    fakes.go_live("alpha")
    await fakes.start()
    await fakes.elapse(29.5)
    disks[0].stuck.clear()
    fakes.go_live("beta")
    await fakes.elapse(stuck_for)
    assert await stopped(fakes) <= STOP_WITHIN + 0.01
    assert fakes.rooms == set()


class StuckStorage(MemoryStorage):
    """Writes nothing while `stuck` is not set."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory)
        self.stuck = asyncio.Event()
        self.stuck.set()

    async def record(self, records: Sequence[Record], at: float, **more: object) -> None:
        await self.stuck.wait()
        await super().record(records, at, **more)  # type: ignore[arg-type]


async def test_fc_38_a_second_stop_changes_nothing(on: Stage) -> None:
    on.add("alpha", live=True)
    service = await on.start()
    await on.elapse(5)
    service.stop()
    service.stop()
    assert await stopped(on) <= 2


async def test_a_face_that_is_gone_ends_it_in_order(fakes: Fakes) -> None:
    fakes.add("alpha", live=True)
    service = await fakes.start()
    await fakes.elapse(5)

    class Gone(Exception):
        pass

    def raises(_: object) -> None:
        raise Gone

    object.__setattr__(service._hooks, "on_snapshot", raises)
    run, fakes.running = fakes.running, None
    assert run is not None
    fakes.go_offline("alpha")
    with pytest.raises(Gone):
        await run.task
    assert fakes.rooms == set()
    assert fakes.memory.events[-1].kind is EventKind.STOPPED
    await run.stack.aclose()


async def test_fc_38_cancelled_is_stopped_too(sockets: Sockets) -> None:
    sockets.add("alpha", live=True)
    await sockets.start()
    await sockets.elapse(5)
    run, sockets.running = sockets.running, None
    assert run is not None
    run.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run.task
    assert sockets.rooms == set()
    await run.stack.aclose()
