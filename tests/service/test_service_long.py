"""Long times: a day with very many channels, and a week in which nothing may grow."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx2
import pytest

from allthepoints import wiring
from allthepoints.base.clock import Chance, LoopClock
from allthepoints.base.secret import Secret
from allthepoints.base.types import JSON, UserId
from allthepoints.config.paths import DataDir
from allthepoints.config.settings import Endpoints, Poll, Settings, Twitch
from allthepoints.core.policy import JOIN_LIMIT, WINDOW, Policy
from allthepoints.core.records import Event, Record, Restored
from allthepoints.ports import ChannelRow, Request
from allthepoints.service.loop import Outside, Service
from allthepoints.sim import timelapse
from allthepoints.sim.days import big_day
from allthepoints.sim.server import Sandbox
from allthepoints.sim.tally import Tally, capped
from allthepoints.testing.chat import MemoryChat
from allthepoints.testing.fakes import FakeLiveApi, FakeTokens, FakeTwitch

pytestmark = pytest.mark.anyio

DAY = 86_400.0

POLL = 120.0
"""Slower than the program's own 30 s, so that the whole takes seconds."""


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
    # What is lost: Helix' cache is up to 75 s late at the start and 300 s at the end, the poll POLL, and the hold-off
    # 180 s, in which a room is kept for whom nobody streams to any more.
    assert tally.present_s >= 0.95 * reachable
    polls = DAY / POLL
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
        poll=Poll(live=POLL),
        endpoints=Endpoints(irc="irc://127.0.0.1:6667", helix=f"{web}/helix", oauth=f"{web}/oauth2"),
    )
    async with wiring.assembled(
        settings,
        wiring.Given(Secret(pair.access), Secret(pair.refresh)),
        DataDir(folder),
        clock,
        Chance(1),
        chat=MemoryChat(sandbox.connect_chat, clock),
        transport=httpx2.ASGITransport(sandbox.app),
        durable=False,
    ) as service:
        running = asyncio.ensure_future(service.run())
        await asyncio.wait({running}, timeout=sandbox.scenario.duration)
        tally = sandbox.tally()
        service.stop()
        await running
    await sandbox.stop()
    return tally


# -- a week --------------------------------------------------------------------------------------------------------
class Ledger:
    """A storage that counts and forgets."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.writes = 0

    async def load(self) -> Restored:
        return Restored()

    async def record(
        self,
        records: Sequence[Record],
        at: float,
        *,
        channel_rows: Sequence[ChannelRow] = (),
        gone: Sequence[UserId] = (),
        service: Mapping[str, JSON] | None = None,
        done: Sequence[int] = (),
    ) -> None:
        self.writes += 1
        self.counts.update(r.kind if isinstance(r, Event) else type(r).__name__ for r in records)

    async def requests(self) -> tuple[Request, ...]:
        return ()

    async def aclose(self) -> None:
        pass


class TinyChat:
    """A chat server that remembers nothing but who is in which room, and the JOINs of the last ten seconds."""

    def __init__(self, clock: LoopClock) -> None:
        self.rooms: set[str] = set()
        self.joins: list[float] = []
        self.worst = 0
        self.logins = 0
        self._clock = clock
        self._lines: list[TinyLine] = []

    def connect(self, on_data: Callable[[bytes], None], on_lost: Callable[[str], None]) -> TinyLine:
        self._lines.append(TinyLine(self, on_data, on_lost))
        return self._lines[-1]

    def reset(self) -> None:
        """All connections."""
        for line in list(self._lines):
            line.drop()
            line.on_lost("reset by the server")

    def forget(self, line: TinyLine) -> None:
        if line in self._lines:
            self._lines.remove(line)

    def joined(self, count: int) -> None:
        now = self._clock.now()
        self.joins = [at for at in self.joins if at > now - WINDOW] + [now] * count
        self.worst = max(self.worst, len(self.joins))


class TinyLine:
    """A client's end of it."""

    def __init__(self, server: TinyChat, on_data: Callable[[bytes], None], on_lost: Callable[[str], None]) -> None:
        self.on_lost = on_lost
        self._server = server
        self._on_data = on_data
        self._rooms: set[str] = set()
        self._loop = asyncio.get_running_loop()

    def send(self, data: bytes) -> None:
        answers = [self._answer(line) for line in data.decode().split("\r\n")]
        if text := "".join(answers):
            self._loop.call_soon(self._on_data, text.encode())

    def close(self) -> None:
        self.drop()

    def drop(self) -> None:
        self._server.forget(self)
        self._server.rooms -= self._rooms
        self._rooms = set()

    def _answer(self, line: str) -> str:
        command, _, rest = line.partition(" ")
        rooms = rest.split(",")
        if command == "NICK":
            self._server.logins += 1
            return f":tmi.twitch.tv 001 {rest} :Welcome, GLHF!\r\n"
        if command == "PING":
            return f":tmi.twitch.tv PONG tmi.twitch.tv {rest}\r\n"
        if command == "JOIN":
            self._server.joined(len(rooms))
            self._rooms.update(rooms)
            self._server.rooms.update(rooms)
        elif command == "PART":
            self._rooms.difference_update(rooms)
            self._server.rooms.difference_update(rooms)
        else:
            return ""
        return "".join(f":me!me@me.tmi.twitch.tv {command} {room}\r\n" for room in rooms)


WEEK = 7
CHANNELS = 200
AT_ONCE = 30
"""Streams begin every hour, so many at a time, and last 40 minutes: 5,040 in the week. The chat is reset twice in each
hour, while they are on."""


async def test_fc_45_a_week_in_which_nothing_grows() -> None:
    clock = LoopClock(asyncio.get_running_loop(), 1_800_000_000.0)
    twitch, chat, ledger = FakeTwitch(clock), TinyChat(clock), Ledger()
    for number in range(CHANNELS):
        twitch.add(f"c{number}")
    outside = Outside(
        FakeLiveApi(twitch), MemoryChat(chat.connect, clock), FakeTokens(twitch), ledger, clock, Chance(1)
    )
    service = Service(outside, Policy(poll_live=POLL))
    running = asyncio.ensure_future(service.run())
    blocks, tasks, sizes, sessions, resets = [], [], [], 0, 0
    for hour in range(24 * WEEK):
        logins = [f"c{(AT_ONCE * hour + n) % CHANNELS}" for n in range(AT_ONCE)]
        for login in logins:
            twitch.go_live(login)
        sessions += len(logins)
        for _ in range(2):
            await clock.sleep(900)
            assert chat.rooms == {f"#{login}" for login in logins}
            chat.reset()
            resets += 1
        await clock.sleep(600)
        for login in logins:
            twitch.go_offline(login)
        await clock.sleep(1200)
        assert not chat.rooms
        if (hour + 1) % 24 == 0:
            twitch.calls.clear()
            gc.collect()
            blocks.append(sys.getallocatedblocks())
            tasks.append(len(asyncio.all_tasks()))
            sizes.append(_sizes(service))
    service.stop()
    await running
    assert sessions == 5040
    assert resets == 336
    # The database grows by this, and by nothing else.
    stays = sessions + AT_ONCE * resets
    once = ("live", "offline", "SessionOpened", "SessionClosed")
    assert [ledger.counts[kind] for kind in once] == [sessions] * 4
    each = ("PresenceOpened", "PresenceClosed", "present", "left")
    assert [ledger.counts[kind] for kind in each] == [stays] * 4
    assert [ledger.counts[kind] for kind in ("connected", "disconnected")] == [resets + 1, resets]
    others = sum(ledger.counts.values()) - 4 * (sessions + stays) - 2 * resets
    assert ledger.counts["AttemptsSpent"] + CHANNELS <= others <= ledger.counts["AttemptsSpent"] + 2 * CHANNELS + 10
    assert chat.worst <= JOIN_LIMIT
    assert chat.logins == resets + 1
    assert max(tasks) == min(tasks)
    assert max(sizes) == min(sizes)
    assert blocks[-1] - blocks[0] <= 2_000, blocks


def _sizes(service: Service) -> tuple[int, ...]:
    o = service._observed
    return (len(o.channels), len(o.names), len(o.addresses), len(o.told), len(o.live), len(o.rooms), len(o.connections))
