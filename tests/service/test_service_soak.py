"""A week of presence, on simulated time, in which nothing may grow but what is kept on purpose; and what it leaves in
the database, row by row. The whole program, with points, dashboard and notifications: `test_service_week`.

The wiring's own service, Helix adapter, sign-in and SQLite; the chat over loopback sockets, HTTP called in process.
The week has 200 channels, 5,040 sessions (one begins every two minutes and lasts twenty) and 300 ends of the chat.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import httpx2
import pytest

from allthepoints import wiring
from allthepoints.base.clock import Chance, LoopClock
from allthepoints.base.secret import Secret
from allthepoints.config.paths import DataDir
from allthepoints.config.settings import Endpoints, Poll, Settings, Twitch
from allthepoints.core.records import Record
from allthepoints.service.loop import Service
from allthepoints.sim.scenario import Broadcast, ChannelPlan, FaultPlan, Scenario
from allthepoints.sim.server import Sandbox
from allthepoints.storage.database import SqliteStorage
from allthepoints.testing.inprocess import InProcess

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(1800)]

DAY, DAYS = 86_400.0, 7
CHANNELS = 200
SESSION_EVERY, SESSION_LASTS = 120.0, 1200.0
SESSIONS = int(DAYS * DAY / SESSION_EVERY)
ENDS = 300
"""Times that the chat is reset, closed in order, or asked to connect anew, by turns."""

SELDOM = 400 * DAY
"""Balances and stores are not what this is about, and a week has very many of them (`test_service_week` has them)."""

LOOK_AT = 1000.0
"""Seconds into a day: between two polls, two sessions and two ends."""


def the_week() -> Scenario:
    broadcasts: list[list[Broadcast]] = [[] for _ in range(CHANNELS)]
    for number in range(SESSIONS):
        start = number * SESSION_EVERY
        broadcasts[number % CHANNELS].append(Broadcast(start, start + SESSION_LASTS))
    plans = tuple(ChannelPlan(f"c{n}", broadcasts=tuple(mine)) for n, mine in enumerate(broadcasts))
    every = DAYS * DAY / ENDS
    kinds = ("reset", "fin", "reconnect")
    ends = tuple(
        FaultPlan((n + 0.5) * every, kinds[n % 3], {"delay": 30.0} if n % 3 == 2 else {"connection": "all"})
        for n in range(ENDS)
    )
    return Scenario(name="a week", duration=DAYS * DAY, channels=plans, faults=ends)


@dataclass(frozen=True)
class Look:
    """What there is at a moment of each day."""

    rss: int
    sockets: int
    files: int
    tasks: int
    sizes: tuple[int, ...]
    rooms: int


class Wires:
    """Counts what is made on the way: HTTP clients and records."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clients = 0
        self.records: Counter[str] = Counter()
        make, keep, wires = httpx2.AsyncClient.__init__, SqliteStorage.record, self

        def counted(client: httpx2.AsyncClient, *args: Any, **options: Any) -> None:
            wires.clients += 1
            make(client, *args, **options)

        async def noted(storage: SqliteStorage, records: Sequence[Record], at: float, **more: Any) -> None:
            wires.records.update(type(record).__name__ for record in records)
            await keep(storage, records, at, **more)

        monkeypatch.setattr(httpx2.AsyncClient, "__init__", counted)
        monkeypatch.setattr(SqliteStorage, "record", noted)


@pytest.fixture
def wires(monkeypatch: pytest.MonkeyPatch) -> Wires:
    return Wires(monkeypatch)


async def test_fc_45_a_week_in_which_nothing_grows(wires: Wires, tmp_path: Path) -> None:
    clock = LoopClock(asyncio.get_running_loop(), 1_800_000_000.0)
    sandbox = Sandbox(the_week(), clock)
    ends = await sandbox.start()
    pair = sandbox.issue_tokens()
    settings = Settings(
        twitch=Twitch(client_id=sandbox.scenario.client_id),
        poll=Poll(balance=SELDOM, store=SELDOM),
        endpoints=Endpoints(irc=ends.irc, helix=ends.helix, oauth=ends.oauth, streamelements=ends.streamelements),
    )
    data = DataDir(tmp_path)
    async with wiring.assembled(
        settings,
        wiring.Given(Secret(pair.access), Secret(pair.refresh)),
        data,
        clock,
        Chance(1),
        transport=InProcess(sandbox.app),
        durable=False,
    ) as service:
        running = asyncio.ensure_future(service.run())
        looks = []
        for day in range(DAYS):
            await clock.sleep(sandbox.started_at + day * DAY + LOOK_AT - clock.now())
            assert not running.done()
            looks.append(_look(service, sandbox))
        await clock.sleep(sandbox.started_at + DAYS * DAY - clock.now())
        tally = sandbox.tally()
        service.stop()
        await running
    await sandbox.stop()
    assert (tally.reconnects, tally.helix_calls["/streams/followed"]) == (
        ENDS,
        pytest.approx(DAYS * DAY / 30, rel=0.01),
    )
    assert (tally.join_limit_violations, tally.login_limit_violations, tally.protocol_errors) == (0, 0, ())
    assert tally.present_s >= 0.97 * tally.live_s
    assert wires.clients == 2  # one for each of the two hosts
    _is_flat(looks)
    stays = sum(len(channel.sat) for channel in tally.channels)
    _is_as_computed(DataBase(data), wires.records, stays)


def _is_flat(looks: list[Look]) -> None:
    """From the second day on: in the first, each channel is live for the first time."""
    _, first, *others = looks
    for look in others:
        assert (look.tasks, look.sockets, look.files) == (first.tasks, first.sockets, first.files)
        assert (look.sizes, look.rooms) == (first.sizes, first.rooms)
    # The sandbox, in the same process, keeps every interval of the week; that is half a megabyte a day.
    # An allocator takes some more now and then, in a process in which other tests ran; what leaks is there each day.
    assert min(look.rss for look in looks[-3:]) - first.rss <= 8e6, [look.rss for look in looks]


def _is_as_computed(db: DataBase, records: Counter[str], stays: int) -> None:
    """Rows against what happened, and against what was recorded: these, and nothing else."""
    kinds, rows = db.kinds(), db.rows()
    over = SESSIONS - db.ask("SELECT count(*) FROM sessions WHERE ended_at IS NULL")[0][0]
    counted = {
        "live": SESSIONS,
        "offline": over,
        "present": stays,
        "left": stays,
        "connected": ENDS + 1,
        "disconnected": ENDS * 2 // 3,  # who is asked to connect anew leaves the old connection himself
        "reconnect_asked": ENDS // 3,
        "started": 1,
        "stopped": 1,
        "signed_in": 1,
    }
    assert {kind: count for kind, count in kinds.items() if kind != "sign_in_renewed"} == counted
    assert 0 < kinds["sign_in_renewed"] <= DAYS * 8
    assert (records["SessionOpened"], records["SessionClosed"]) == (SESSIONS, over)
    assert (records["PresenceOpened"], records["PresenceClosed"]) == (stays, stays)
    assert rows.pop("attempts") <= 30  # those of the last ten minutes
    assert rows.pop("service_state") <= 6
    assert rows.pop("migrations") > 0
    assert rows.pop("ledger") <= min(records["LedgerEntry"], 2 * SESSIONS)  # what is read again is folded
    assert {table: count for table, count in rows.items() if count} == {
        "channels": CHANNELS,
        "logins": CHANNELS,
        "told": CHANNELS,
        "channel_state": CHANNELS,
        "loyalty": CHANNELS,
        "balances": CHANNELS,
        "ledgers": CHANNELS,
        "sessions": SESSIONS,
        "presence": stays,
        "events": records["Event"],
    }
    assert db.size <= 120 * sum(rows.values())


class DataBase:
    """What stands in the file, after the stop."""

    def __init__(self, data: DataDir) -> None:
        self._path = data.database
        self.size = data.database.stat().st_size

    def ask(self, question: str) -> list[Any]:
        db = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            return list(db.execute(question))
        finally:
            db.close()

    def kinds(self) -> dict[str, int]:
        """Events by kind."""
        return dict(self.ask("SELECT kind, count(*) FROM events GROUP BY kind"))

    def rows(self) -> dict[str, int]:
        """Rows by table."""
        tables = [name for (name,) in self.ask("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: self.ask(f"SELECT count(*) FROM {name}")[0][0] for name in tables if "sqlite" not in name}


def _look(service: Service, sandbox: Sandbox) -> Look:
    """Memory and files are told by Linux only."""
    gc.collect()
    o = service._observed
    held = (o.channels, o.names, o.addresses, o.told, o.live, o.rooms, o.connections, o.reads, o.not_found)
    statm, files = Path("/proc/self/statm"), []
    for name in os.listdir("/proc/self/fd") if statm.exists() else ():
        with suppress(OSError):  # the one with which the folder was read
            files.append(os.readlink(f"/proc/self/fd/{name}"))
    return Look(
        rss=int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0,
        sockets=sum(name.startswith("socket:") for name in files),
        files=len(files),
        tasks=len(asyncio.all_tasks()),
        sizes=tuple(map(len, held)),
        rooms=len(sandbox.world.rooms(sandbox.account.id)),
    )
