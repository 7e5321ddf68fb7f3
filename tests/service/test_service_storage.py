"""What is remembered: before acting, once, in order; and presence that no disk can cost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from service_stages import Fakes, Sockets, Stage

from allthepoints.base.clock import LoopClock
from allthepoints.base.errors import FaultError
from allthepoints.base.types import Login, UserId
from allthepoints.core.facts import Fact, StorageFailed, StorageWorks
from allthepoints.core.records import AttemptsSpent, Event, EventKind, Record
from allthepoints.ports import ChannelRow, Request
from allthepoints.service import recorder as recording
from allthepoints.service.recorder import PATIENCE, STALLED, Batch, Recorder, batch
from allthepoints.sim.timelapse import TimelapseLoop
from allthepoints.testing.memory_storage import Memory, MemoryStorage

pytestmark = pytest.mark.anyio


class Disk(MemoryStorage):
    """A memory whose writes hang while `stuck`, fail while `broken`, or do what `spell` does before they are done."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory, lambda: "the disk is full" if self.broken else None)
        self.broken = False
        self.stuck = False
        self.opened = asyncio.Event()
        self.writes: list[list[Record]] = []
        self.rows: list[str] = []
        self.gone: list[UserId] = []
        self.spell: Callable[[Sequence[Record]], bool] | None = None

    async def record(self, records: Sequence[Record], at: float, **more: Any) -> None:
        if self.stuck:
            await self.opened.wait()
        await super().record(records, at, **more)
        self.writes.append(list(records))
        self.rows += [row.login for row in more.get("channel_rows", ())]
        self.gone += more.get("gone", ())
        if self.spell is not None and self.spell(records):
            await asyncio.Event().wait()

    def release(self) -> None:
        self.stuck = False
        self.opened.set()


@pytest.fixture
def disks(fakes: Fakes) -> list[Disk]:
    """The disks of the fakes' runs."""
    made: list[Disk] = []

    def make(memory: Memory) -> Disk:
        made.append(Disk(memory))
        return made[-1]

    fakes.storage = make
    return made


def _in_order(fakes: Fakes) -> None:
    assert fakes.memory.events == fakes.events


async def test_fc_30_chat_at_5000_lines_a_second_while_the_disk_hangs(fakes: Fakes, disks: list[Disk]) -> None:
    fakes.add("alpha", "beta", "gamma")
    fakes.go_live("alpha")
    await fakes.start()
    await fakes.elapse(5)
    disks[0].stuck = True
    connection = fakes.sandbox.hub.of(fakes.sandbox.account)[0]
    pongs = connection.pongs
    fakes.sandbox.fault("chat_noise", rate=300_000.0, seconds=20.0, every=0.1)
    fakes.go_live("beta")
    await fakes.elapse(10)
    asked_at = fakes.at
    connection.ask_for_life()
    await fakes.until(lambda: connection.pongs > pongs, within=0.2, every=0.05)
    assert fakes.at - asked_at <= 0.2
    fakes.go_live("gamma")
    await fakes.until(lambda: fakes.rooms == {"alpha", "beta", "gamma"}, within=31 + PATIENCE)
    await fakes.elapse(STALLED)
    assert fakes.warned() == {"storage_failing"}
    assert len(fakes.sat("alpha")) == 1
    before = len(fakes.memory.events)
    await fakes.elapse(600)
    assert len(fakes.memory.events) == before
    disks[0].release()
    await fakes.elapse(1)
    assert not fakes.warned()
    _in_order(fakes)


async def test_fc_33_a_full_disk_costs_no_presence_and_is_made_up_for(fakes: Fakes, disks: list[Disk]) -> None:
    fakes.add("alpha", "beta", live=True)
    await fakes.start()
    await fakes.elapse(5)
    disks[0].broken = True
    fakes.go_offline("beta")
    fakes.sandbox.fault("reset")
    await fakes.until(lambda: fakes.rooms == {"alpha"}, within=300)
    await fakes.elapse(1800)
    assert fakes.warned() == {"storage_failing"}
    assert fakes.snapshot.warnings[0].text.count("the disk is full") == 1
    assert len(fakes.sat("alpha")) == 2
    disks[0].broken = False
    await fakes.elapse(12)
    assert not fakes.warned()
    _in_order(fakes)
    assert fakes.stored_rows()["beta"].state == "absent"
    assert Counter(map(repr, fakes.memory.events)).most_common(1)[0][1] == 1


async def test_fc_33_the_last_words_are_written_when_the_disk_is_well_again(fakes: Fakes, disks: list[Disk]) -> None:
    """A stop does not wait for the next try; it tries at once."""
    fakes.add("alpha", live=True)
    await fakes.start()
    await fakes.elapse(5)
    disks[0].broken = True
    fakes.sandbox.fault("reset")
    await fakes.elapse(3)
    disks[0].broken = False
    await fakes.stop()
    _in_order(fakes)
    assert fakes.memory.events[-1].kind is EventKind.STOPPED


async def test_fc_33_a_database_that_cannot_be_read_at_the_start_is_a_fault(fakes: Fakes) -> None:
    class Unreadable(MemoryStorage):
        async def load(self) -> Any:
            raise FaultError("the database cannot be read")

    fakes.storage = Unreadable
    await fakes.start()
    run, fakes.running = fakes.running, None
    assert run is not None
    with pytest.raises(FaultError):
        await run.task


async def test_a_crash_between_record_and_act(fakes: Fakes, disks: list[Disk]) -> None:
    """The next run plans the same, and keeps the JOINs in its budget that may have been written."""
    wanted = {f"c{number}" for number in range(30)}
    fakes.add(*sorted(wanted), live=True)
    await fakes.start()
    # At the moment at which the JOINs are on the disk, and not yet on the wire, the process is gone.
    recorded = asyncio.Event()

    def strike(records: Sequence[Record]) -> bool:
        struck = any(isinstance(record, AttemptsSpent) and record.what == "join" for record in records)
        if struck:
            recorded.set()
        return struck

    disks[0].spell = strike
    await recorded.wait()
    assert fakes.tally.joins == 0
    crashed_at = fakes.at
    await fakes.crash()
    assert fakes.tally.joins == 0
    assert sum(spent.count for spent in fakes.memory.attempts if spent.what == "join") == 20
    await fakes.start()
    await fakes.until(lambda: fakes.rooms == wanted, within=60)
    begins = sorted(fakes.sat(login)[0][0] for login in wanted)
    # 20 were spent by the last run, as far as anybody knows: the first of this one come when those count no more.
    assert begins[0] >= crashed_at + 10
    assert fakes.tally.joins == 30
    assert len(fakes.memory.told) == len(fakes.told(EventKind.LIVE)) == 30


async def test_a_crash_costs_no_more_than_a_minute_of_the_record(on: Stage) -> None:
    on.add("alpha", live=True)
    await on.start()
    await on.elapse(200)
    await on.crash()
    crashed_at = on.at
    await on.elapse(300)
    await on.start()
    await on.until(lambda: on.rooms == {"alpha"}, within=10)
    await on.elapse(1)
    (ended_at,) = [span for span in on.kept("alpha") if span[1] is not None]
    assert ended_at[1] is not None
    assert crashed_at - 61 <= ended_at[1] <= crashed_at


# -- rows for other processes --------------------------------------------------------------------------------------
async def test_only_rows_that_changed_are_written(fakes: Fakes, disks: list[Disk]) -> None:
    fakes.add(*(f"c{number}" for number in range(200)))
    for number in range(5):
        fakes.go_live(f"c{number}")
    await fakes.start()
    await fakes.elapse(40)  # the first poll may be asked before it is known who is followed
    assert set(disks[0].rows) == {f"c{number}" for number in range(200)}
    assert {row.live for row in fakes.stored_rows().values()} == {True, False}
    disks[0].rows.clear()
    writes = len(disks[0].writes)
    await fakes.elapse(3600)
    assert disks[0].rows == []
    assert len(disks[0].writes) - writes <= 61 + 2  # signs of life, and what an hour brings
    fakes.go_live("c77")
    await fakes.elapse(60)
    assert {"c77"} <= set(disks[0].rows) <= {"c77", *(f"c{number}" for number in range(5))}  # places among the live
    assert all(disks[0].rows.count(login) <= 4 for login in disks[0].rows)


async def test_since_is_kept_while_the_state_lasts(on: Stage) -> None:
    on.add("alpha", "beta", live=True)
    service = await on.start()
    await on.elapse(60)
    since = on.row("alpha").since
    on.add("gamma", live=True)
    await on.elapse(600)
    assert on.row("alpha").since == since
    assert on.stored_rows()["alpha"] == on.row("alpha")
    service.take_policy(on.policy)
    await on.elapse(600)
    assert on.row("alpha").since == since


async def test_rows_end_with_what_is_meant(on: Stage) -> None:
    on.add("alpha", "beta", live=True)
    await on.start()
    await on.elapse(60)
    assert set(on.stored_rows()) == {"alpha", "beta"}
    on.unfollow("beta")
    await on.until(lambda: set(on.stored_rows()) == {"alpha"}, within=3700, every=30)
    assert on.rooms == {"alpha"}
    assert set(on.states()) == {"alpha"}


async def test_a_snapshot_stays_as_it_is(on: Stage) -> None:
    on.add("alpha", live=True)
    await on.start()
    await on.elapse(5)
    old = on.snapshot
    rows = dict(old.rows)
    on.go_offline("alpha")
    on.add("beta", live=True)
    await on.elapse(3700)
    assert dict(old.rows) == rows
    assert on.snapshot.rows != rows


async def test_a_quiet_channel_is_shown_as_it_is_known(on: Stage) -> None:
    """Live is unknown before the first poll only, and a refusal that the person lifts is gone at once."""
    on.add("alpha", "beta", live=True)
    on.sandbox.world.find("alpha").banned.add(on.sandbox.account.id)
    service = await on.start()
    await on.elapse(40)
    on.go_offline("alpha")
    await on.elapse(400)
    assert (on.row("alpha").live, on.row("alpha").state) == (False, "refused")
    service.ask("retry", Login("alpha"))
    await on.elapse(1)
    assert (on.row("alpha").state, on.row("alpha").reason) == ("absent", "offline")
    assert on.stored_rows()["alpha"].state == "absent"


# -- what commands ask ---------------------------------------------------------------------------------------------
async def test_a_request_through_the_database_is_answered_once(fakes: Fakes, disks: list[Disk]) -> None:
    fakes.requests_every = 1.0
    fakes.add("alpha", live=True)
    fakes.sandbox.world.find("alpha").banned.add(fakes.sandbox.account.id)
    await fakes.start()
    await fakes.elapse(5)
    assert fakes.tally.joins == 1
    disks[0].broken = True  # so that nobody can note down that it was answered
    fakes.memory.asked += [Request(1, fakes.clock.now(), "retry", Login("alpha")), Request(2, 0.0, "what", None)]
    await fakes.elapse(60)
    assert fakes.tally.joins == 2
    disks[0].broken = False
    await fakes.elapse(15)
    assert fakes.memory.asked == []
    assert fakes.tally.joins == 2


async def test_a_database_that_cannot_be_asked_is_asked_again(fakes: Fakes) -> None:
    class Shy(MemoryStorage):
        asked = 0

        async def requests(self) -> tuple[Request, ...]:
            Shy.asked += 1
            raise FaultError("locked")

    fakes.requests_every = 1.0
    fakes.storage = Shy
    await fakes.start()
    await fakes.elapse(10)
    assert Shy.asked >= 9


# -- the recorder alone --------------------------------------------------------------------------------------------
def _recorder(disk: Disk) -> tuple[Recorder, list[Fact], LoopClock]:
    clock = LoopClock(asyncio.get_running_loop(), 1_000.0)
    told: list[Fact] = []
    return Recorder(disk, clock, told.append), told, clock


def _event(number: int) -> Event:
    return Event(float(number), EventKind.WOKE, data={"n": number})


def _row(channel: str, state: str) -> ChannelRow:
    return ChannelRow(UserId(channel), Login(channel), channel, True, state)


async def test_a_slow_disk_is_waited_for_but_not_for_ever() -> None:
    disk = Disk(Memory())
    recorder, told, clock = _recorder(disk)
    await recorder.keep(batch([_event(1)]))
    assert len(disk.memory.events) == 1
    disk.stuck = True
    begun = clock.now()
    await recorder.keep(batch([_event(2)]))
    assert clock.now() - begun == pytest.approx(PATIENCE)
    await recorder.keep(batch([_event(3)]))
    assert clock.now() - begun == pytest.approx(PATIENCE)  # patience ends once
    assert told == []
    await clock.sleep(STALLED)
    assert [type(fact) for fact in told] == [StorageFailed]
    disk.release()
    await clock.sleep(0.1)
    assert [type(fact) for fact in told] == [StorageFailed, StorageWorks]
    assert [event.data["n"] for event in disk.memory.events] == [1, 2, 3]
    await recorder.keep(batch([_event(4)]))
    assert len(disk.memory.events) == 4
    await recorder.flush(Batch(), 1.0)


async def test_fc_30_the_backlog_is_bounded(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(recording, "BACKLOG", 100)
    disk = Disk(Memory())
    recorder, _, clock = _recorder(disk)
    disk.broken = True
    for number in range(350):
        await recorder.keep(batch([_event(number)]))
    await clock.sleep(60)
    assert recorder._waiting is not None
    assert len(recorder._waiting.records) == 100
    disk.broken = False
    await clock.sleep(11)
    assert [event.data["n"] for event in disk.memory.events] == list(range(250, 350))
    assert sum("250 records were lost" in line for line in caplog.messages) == 1
    assert sum("memory for what it should take" in line for line in caplog.messages) == 1
    await recorder.flush(Batch(), 1.0)


async def test_later_rows_count() -> None:
    disk = Disk(Memory())
    recorder, _, clock = _recorder(disk)
    disk.broken = True
    await recorder.keep(batch(rows=[_row("1", "asked"), _row("2", "asked")], service={"chat": 1, "warnings": []}))
    await recorder.keep(batch(gone=[UserId("1")], rows=[_row("2", "present")], service={"chat": 2}, done=[7]))
    await recorder.keep(batch(rows=[_row("1", "waiting")], gone=[UserId("2")]))
    disk.broken = False
    await clock.sleep(11)
    assert disk.memory.rows == {UserId("1"): _row("1", "waiting")}
    assert disk.memory.service == {"chat": 2, "warnings": []}
    await recorder.flush(Batch(), 1.0)


async def test_a_record_that_cannot_be_written_does_not_stop_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk(Memory())
    recorder, told, _ = _recorder(disk)
    await recorder.keep(batch([_event(1), "no record"]))  # type: ignore[list-item]
    await recorder.keep(batch([_event(2)]))
    assert [event.data["n"] for event in disk.memory.events][-1] == 2
    assert told == []
    assert any("could not be written" in line for line in caplog.messages)
    await recorder.flush(Batch(), 1.0)


async def test_growth_of_the_database_is_what_happened(sockets: Sockets) -> None:
    """A session costs a row of its own, one of presence, four events, and a row for each change of the balance; nothing
    else grows."""
    sockets.add("alpha", "beta")
    sockets.go_live("alpha")
    await sockets.start()
    await sockets.elapse(1800)  # where a channel is at StreamElements, and what it pays, is learned once
    sockets.go_offline("alpha")
    await sockets.elapse(1800)
    before = sockets.counts()
    for _ in range(3):
        sockets.go_live("alpha")
        await sockets.elapse(1800)
        sockets.go_offline("alpha")
        await sockets.elapse(1800)
    after = sockets.counts()
    grown = {table: after[table] - before[table] for table in after if after[table] != before[table]}
    grown.pop("attempts", None)  # forgotten after ten minutes
    assert grown.pop("ledger") <= 3 * 4  # 5 points every 10 minutes, 35 minutes long
    assert grown == {"sessions": 3, "presence": 3, "events": 12}
    assert isinstance(asyncio.get_running_loop(), TimelapseLoop)
