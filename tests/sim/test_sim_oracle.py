"""The oracle: tiny worlds worked out by hand, and a client that does all that can be done, which comes close to it."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandboxes import channel

from allthepoints.base.clock import Chance, LoopClock
from allthepoints.sim.limits import Limits
from allthepoints.sim.oracle import Best, after, both, merged, without
from allthepoints.sim.scenario import AccountPlan, Broadcast, ChannelPlan, FaultPlan, Scenario
from allthepoints.sim.server import Sandbox
from allthepoints.sim.tally import Tally
from allthepoints.sim.timelapse import TimelapseLoop
from allthepoints.testing.clock import settle
from allthepoints.testing.inprocess import InProcess

HOUR = 3600.0


def fault(at: float, name: str, **parameters: Any) -> FaultPlan:
    return FaultPlan(at, name, parameters)


def world(*parts: ChannelPlan | FaultPlan, **more: Any) -> Scenario:
    channels = tuple(part for part in parts if isinstance(part, ChannelPlan))
    faults = tuple(part for part in parts if isinstance(part, FaultPlan))
    return Scenario(channels=channels, faults=faults, **{"duration": HOUR, **more})


def lived(scenario: Scenario) -> tuple[Best, Tally]:
    """What the oracle says when nobody was there at all."""

    async def day() -> tuple[Best, Tally]:
        sandbox = Sandbox(scenario, LoopClock(asyncio.get_running_loop(), 1_000_000.0), chance=Chance(1))
        sandbox.begin()
        await sandbox.clock.sleep(scenario.duration)
        found = sandbox.best(), sandbox.tally()
        await sandbox.stop()
        return found

    with asyncio.Runner(loop_factory=TimelapseLoop) as runner:
        return runner.run(day())


ALPHA = channel("alpha", (0, 2 * HOUR))
LATE = channel("alpha", (600, 2 * HOUR))
MANY = tuple(channel(f"room_{n}", (0, 2 * HOUR)) for n in range(45))
LAGGING = {"online_lag": (90.0, 90.0)}
CUT = fault(1200, "reset", connection="all")

BY_HAND = {
    "nothing goes wrong": (world(ALPHA), {}, HOUR),
    "nobody is live": (world(channel("alpha")), {}, 0.0),
    "a repetition is not live": (world(channel("alpha", (0, HOUR), kind="rerun")), {}, 0.0),
    "who is not followed does not count": (world(channel("alpha", (0, HOUR), followed=False)), {}, 0.0),
    "what comes after the end does not count": (world(channel("alpha", (1800, 3 * HOUR))), {}, 1800.0),
    # Helix
    "Helix notices late": (world(LATE, **LAGGING), {"unknown": 90.0}, 2910.0),
    "Helix notices in time, for it began long ago": (world(channel("alpha", (-300, 2 * HOUR)), **LAGGING), {}, HOUR),
    "once known, always known": (
        world(channel("alpha", (0, 600), (1200, 2 * HOUR)), **LAGGING),
        {"unknown": 90.0},
        600.0 + 2400.0 - 90.0,
    ),
    "over before Helix noticed": (
        world(channel("alpha", (600, 660)), online_lag=(90.0, 90.0)),
        {"unknown": 60.0},
        0.0,
    ),
    "Helix is down": (
        world(LATE, fault(500, "status", path="/helix", code=503, seconds=400.0)),
        {"unknown": 300.0},
        2700.0,
    ),
    "one of two calls that list streams is down": (
        world(LATE, fault(500, "status", path="/helix/streams/followed", code=503, seconds=400.0)),
        {},
        HOUR - 600,
    ),
    "both are, for a while by turns": (
        world(
            LATE,
            fault(500, "hang", path="/helix/streams/followed", seconds=400.0),
            fault(800, "reset_http", path="/helix/streams", seconds=300.0),
        ),
        {"unknown": 0.0},
        HOUR - 600,
    ),
    "three answers fail": (world(LATE, fault(500, "status", path="/helix", code=503, n=3)), {}, HOUR - 600),
    "half of all answers fail": (
        world(LATE, fault(500, "status", path="/helix", code=503, seconds=HOUR, chance=0.5)),
        {},
        HOUR - 600,
    ),
    "the list is empty, and the channel is missing": (
        world(
            LATE,
            fault(500, "empty_streams", seconds=200.0),
            fault(700, "flap", channel="alpha", seconds=100.0),
            fault(700, "flap", channel="beta", seconds=900.0),
            channel("beta"),
        ),
        {"unknown": 200.0},
        2800.0,
    ),
    "Helix is down while all is known": (
        world(ALPHA, fault(500, "status", path="/helix", code=503, seconds=HOUR)),
        {},
        HOUR,
    ),
    # who is shut out
    "a ban": (world(ALPHA, fault(600, "ban", channel="alpha")), {"banned": 3000.0}, 600.0),
    "a ban, and its end": (
        world(ALPHA, fault(600, "put_out", channel="alpha"), fault(1000, "unban", channel="alpha")),
        {"banned": 400.0},
        3200.0,
    ),
    "a bar, and who is in stays": (world(ALPHA, fault(600, "bar", channel="alpha")), {}, HOUR),
    "a bar, and all are cut off": (world(ALPHA, fault(600, "bar", channel="alpha"), CUT), {"cut": 2400.0}, 1200.0),
    "a bar, and its end": (
        world(ALPHA, fault(600, "bar", channel="alpha"), CUT, fault(1500, "bar", channel="alpha", on=False)),
        {"cut": 300.0},
        3300.0,
    ),
    "a bar before Helix tells": (world(LATE, fault(500, "bar", channel="alpha")), {"unknown": 3000.0}, 0.0),
    "another room's bar": (world(ALPHA, channel("beta"), fault(600, "bar", channel="beta"), CUT), {}, HOUR),
    "the chat server is down": (world(ALPHA, fault(600, "chat_down", seconds=40.0)), {"cut": 40.0}, HOUR - 40),
    "another's ban": (
        world(ALPHA, fault(600, "ban", channel="alpha", account="other"), others=(AccountPlan("other", "1002"),)),
        {},
        HOUR,
    ),
    "a new login": (world(ALPHA, fault(600, "rename", channel="alpha", to="beta")), {}, HOUR),
    "a new login while Helix is down": (
        world(
            ALPHA,
            fault(500, "status", path="/helix", code=503, seconds=250.0),
            fault(600, "rename", channel="alpha", to="beta"),
        ),
        {"renamed": 150.0},
        HOUR - 150,
    ),
    "a suspension ends the stream": (world(ALPHA, fault(600, "suspend", channel="alpha")), {}, 600.0),
    "who is deleted is followed no more": (world(ALPHA, fault(600, "delete", channel="alpha")), {}, 0.0),
    # the chat
    "a cut": (world(ALPHA, CUT), {}, HOUR),
    "a cut of one of two": (world(ALPHA, fault(1200, "reset", connection="oldest")), {}, HOUR),
    "a cut, and no login is answered": (
        world(ALPHA, fault(1100, "no_welcome", seconds=400.0), CUT),
        {"cut": 300.0},
        HOUR - 300,
    ),
    "it is healed before its time": (
        world(ALPHA, fault(1100, "refuse_login", seconds=HOUR), CUT, fault(1250, "unban", channel="alpha")),
        {"cut": HOUR - 1200},
        1200.0,
    ),
    "no login is answered, and nobody needs one": (world(ALPHA, fault(1100, "no_welcome", seconds=400.0)), {}, HOUR),
    "three logins fail": (world(ALPHA, fault(1100, "close_after_nick", n=3), CUT), {}, HOUR),
    "the token is gone, and OAuth is down": (
        world(
            ALPHA,
            fault(1000, "status", path="/oauth2", code=503, seconds=500.0),
            fault(1200, "expire_token", cut_chat=True),
        ),
        {"cut": 300.0},
        HOUR - 300,
    ),
    "who revokes has to sign in again": (
        world(ALPHA, fault(1200, "revoke", cut_chat=True)),
        {"cut": HOUR - 1200},
        1200.0,
    ),
    "who revokes keeps the chat until it ends": (
        world(ALPHA, fault(1200, "revoke", cut_chat=False), fault(2000, "reset", connection="all")),
        {"cut": HOUR - 2000},
        2000.0,
    ),
    "it asks to reconnect": (world(ALPHA, fault(1200, "reconnect", connection="all", delay=5.0)), {}, HOUR),
    "it asks to reconnect, at once, and no login is answered": (
        world(
            ALPHA,
            fault(1100, "no_welcome", seconds=400.0),
            fault(1200, "reconnect", connection="all", delay=0.0),
        ),
        {"cut": 300.0},
        HOUR - 300,
    ),
    "a deaf connection is not cut": (
        world(ALPHA, fault(1000, "half_open"), fault(1100, "no_welcome", seconds=400.0), CUT),
        {},
        HOUR,
    ),
    "a deaf connection is given up": (
        world(ALPHA, fault(800, "half_open"), fault(1100, "no_welcome", seconds=400.0), CUT),
        {"cut": 300.0},
        HOUR - 300,
    ),
    # JOINs
    "JOINs are lost": (world(LATE, fault(500, "lose_join", seconds=400.0)), {"unknown": 300.0}, 2700.0),
    "JOINs of another are lost": (
        world(LATE, channel("beta"), fault(500, "lose_join", channel="beta", seconds=400.0)),
        {},
        HOUR - 600,
    ),
    "JOINs are late": (
        world(LATE, fault(500, "late_ack", seconds=400.0, delay=20.0)),
        {"unknown": 20.0},
        HOUR - 620,
    ),
    "JOINs are so late that the next one is sooner": (
        world(LATE, fault(500, "late_ack", seconds=130.0, delay=50.0)),
        {"unknown": 30.0},
        HOUR - 630,
    ),
    "JOINs are lost after a cut": (
        world(ALPHA, fault(1190, "ghost_joins", seconds=60.0), CUT),
        {"cut": 50.0},
        HOUR - 50,
    ),
    "JOINs are lost, and nobody needs one": (world(ALPHA, fault(1190, "lose_join", seconds=60.0)), {}, HOUR),
    # 45 at the start and 45 after the cut: 20 wait for 10 s and 5 for 20 s, each time.
    "forty-five at once": (world(*MANY), {"budget": 300.0}, 45 * HOUR - 300),
    "forty-five again": (world(*MANY, CUT), {"budget": 600.0}, 45 * HOUR - 600),
    "forty-five where nobody counts": (world(*MANY, limits=Limits(join_mode="accept")), {}, 45 * HOUR),
    "those who soon end wait": (
        world(*(channel(f"room_{n}", (0, 5 if n < 4 else 2 * HOUR)) for n in range(25))),
        {"budget": 4 * 5 + 10.0},
        21 * HOUR - 10,
    ),
    # the cap: of 45 rooms 25 may be had, which takes 20 at once and 5 after 10 s
    "twenty-five rooms for forty-five": (
        world(*MANY, limits=Limits(rooms=25)),
        {"budget": 300.0, "cap": 45 * HOUR - 300 - (25 * HOUR - 50)},
        25 * HOUR - 50,
    ),
    "and two that do not count": (
        world(*MANY[:3], account=AccountPlan(moderates=("room_0", "room_1")), limits=Limits(rooms=0)),
        {"cap": HOUR},
        2 * HOUR,
    ),
}


@pytest.mark.parametrize(("scenario", "closed", "possible"), BY_HAND.values(), ids=BY_HAND)
def test_by_hand(scenario: Scenario, closed: dict[str, float], possible: float) -> None:
    found, tally = lived(scenario)
    assert found.possible_s == pytest.approx(possible)
    assert {cause: seconds for cause, seconds in found.closed.items() if seconds} == pytest.approx(
        {cause: seconds for cause, seconds in closed.items() if seconds}
    )
    assert found.live_s == pytest.approx(tally.live_s)
    assert found.live_s - sum(found.closed.values()) == pytest.approx(found.possible_s)


@pytest.mark.parametrize(
    ("trouble", "falls", "cuts"),
    [
        (CUT, [(1200.0, 1200.0, 1200.0)], [1200.0]),
        (fault(1200, "fin", connection="oldest"), [(1200.0, 1200.0, 1200.0)], []),
        (fault(1200, "reconnect", connection="newest", delay=0.0), [(1200.0, 1200.0, 1200.0)], []),
        (fault(1200, "reconnect", connection="all", delay=9.0), [(1200.0, 1209.0, 1209.0)], []),
        (fault(1200, "half_open", connection="all"), [(1200.0, 1515.0, 1200.0)], []),
        (fault(1200, "expire_token", cut_chat=True), [(1200.0, 1200.0, 1200.0)], [1200.0]),
        (fault(1200, "expire_token", cut_chat=False), [], []),
        (fault(1200, "chat_down", seconds=30.0), [(1200.0, 1200.0, 1230.0)], [1200.0]),
    ],
)
def test_a_fall_is_of_any_connection_and_a_cut_of_all(
    trouble: FaultPlan, falls: list[tuple[float, float, float]], cuts: list[float]
) -> None:
    best, _ = lived(world(ALPHA, trouble))
    assert [(round(one.since, 3), round(one.at, 3), round(one.again, 3)) for one in best.falls] == falls
    assert [one.silent for one in best.falls] == [trouble.name == "half_open"] * len(falls)
    assert [round(at, 3) for at, _ in best.cuts] == cuts


def test_a_fault_that_is_healed_ends_there() -> None:
    async def day() -> Best:
        scenario = world(ALPHA, fault(1100, "no_welcome", seconds=HOUR), CUT)
        sandbox = Sandbox(scenario, LoopClock(asyncio.get_running_loop(), 1_000_000.0))
        sandbox.begin()
        await sandbox.clock.sleep(1300.0)
        sandbox.heal("no_welcome")
        await sandbox.clock.sleep(HOUR - 1300.0)
        await sandbox.stop()
        return sandbox.best()

    with asyncio.Runner(loop_factory=TimelapseLoop) as runner:
        assert runner.run(day()).closed["cut"] == pytest.approx(100.0)


# -- intervals -------------------------------------------------------------------------------------------------------
spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6)


def seconds_in(some: Iterable[tuple[float, float]]) -> set[int]:
    return {second for begin, end in some for second in range(int(begin), int(end))}


@given(spans, spans, st.integers(0, 30))
def test_intervals_are_sets_of_seconds(
    one: list[tuple[float, float]], other: list[tuple[float, float]], at: int
) -> None:
    a, b = merged(one), merged(other)
    assert seconds_in(a) == seconds_in(one)
    assert seconds_in(without(a, b)) == seconds_in(one) - seconds_in(other)
    assert seconds_in(both(a, b)) == seconds_in(one) & seconds_in(other)
    assert after(a, at) == next(second for second in range(at, 40) if second not in seconds_in(one))


# -- a client that does all that can be done -------------------------------------------------------------------------
LOOKS = 1.0
"""Seconds between two looks of it at everything."""

SMALL = Limits(joins=3, logins=20, rooms=5)


class Diligent:
    """It looks at Helix every second, sits on two connections, and uses every JOIN that it has. It knows nothing of
    what is to come. It parts from nobody, but where the rooms run out from who is not live."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._http = InProcess(sandbox.app)
        self._token = sandbox.issue_tokens().access
        self._names: dict[str, str] = {}
        self._live: set[str] = set()
        self._joins: deque[float] = deque()
        self._line: Any = None
        self._heard = b""
        self._tried = 0.0

    async def run(self) -> None:
        while True:
            await self._look()
            self._connect()
            await settle(2)
            self._sit()
            await self._sandbox.clock.sleep(LOOKS)

    async def _look(self) -> None:
        raw = [(b"authorization", f"Bearer {self._token}".encode()), (b"client-id", b"sandbox")]
        for path in ("/helix/streams/followed", "/helix/streams"):
            query = f"user_id={self._sandbox.account.id}" if path.endswith("followed") else "first=100"
            status, _, body = await self._http.call("GET", (path, query.encode()), raw, b"")
            try:
                rows = json.loads(body)["data"] if status == 200 else None
            except ValueError:
                rows = None
            if rows:
                self._live = {row["user_id"] for row in rows}
                self._names |= {row["user_id"]: row["user_login"] for row in rows}

    def _connect(self) -> None:
        now = self._sandbox.clock.now()
        if self._line is None and now >= self._tried:
            self._tried = now + LOOKS
            self._heard = b""
            self._line = self._sandbox.connect_chat(self._hear, self._lose)
            self._say(f"PASS oauth:{self._token}", f"NICK {self._sandbox.account.login}")

    def _hear(self, data: bytes) -> None:
        self._heard += data
        if b"PING" in data:
            self._say("PONG :tmi.twitch.tv")

    def _lose(self, _why: str) -> None:
        self._line = None

    def _sit(self) -> None:
        if self._line is None:
            return
        if b" 001 " not in self._heard:
            self._line.close()  # no answer within the same moment: there will be none
            self._line = None
            return
        world, me, now = self._sandbox.world, self._sandbox.account, self._sandbox.clock.now()
        rooms = world.rooms(me.id)
        if len(rooms) >= SMALL.rooms:
            for room in rooms - self._live:
                self._say(f"PART #{self._names[room]}")
        while self._joins and self._joins[0] <= now - SMALL.window:
            self._joins.popleft()
        for room in sorted(self._live - rooms)[: SMALL.joins - len(self._joins)]:
            self._joins.append(now)
            self._say(f"JOIN #{self._names[room]}")

    def _say(self, *lines: str) -> None:
        self._line.send("".join(f"{line}\r\n" for line in lines).encode())


DAY = 300
CHANNELS = 8

times = st.integers(1, DAY)


@st.composite
def broadcasts(draw: st.DrawFn) -> tuple[Broadcast, ...]:
    edges = sorted(draw(st.sets(st.integers(-20, DAY), max_size=4)))
    return tuple(Broadcast(float(a), float(b)) for a, b in zip(edges[::2], edges[1::2], strict=False))


@st.composite
def troubles(draw: st.DrawFn) -> FaultPlan:
    room, seconds = f"room_{draw(st.integers(0, CHANNELS - 1))}", float(draw(st.integers(1, 60)))
    choices: tuple[tuple[str, dict[str, Any]], ...] = (
        ("reset", {"connection": "all"}),
        ("fin", {"connection": "all"}),
        ("no_welcome", {"seconds": seconds}),
        ("close_after_nick", {"seconds": seconds}),
        ("refuse_login", {"seconds": seconds}),
        ("lose_join", {"seconds": seconds}),
        ("lose_join", {"seconds": seconds, "channel": room}),
        ("late_ack", {"seconds": seconds, "delay": 7.0}),
        ("status", {"path": "/helix", "code": 503, "seconds": seconds}),
        ("empty_streams", {"seconds": seconds}),
        ("flap", {"channel": room, "seconds": seconds}),
        ("ban", {"channel": room}),
        ("unban", {"channel": room}),
    )
    name, parameters = draw(st.sampled_from(choices))
    return FaultPlan(float(draw(times)), name, parameters)


@st.composite
def tiny_worlds(draw: st.DrawFn) -> Scenario:
    plans = tuple(ChannelPlan(f"room_{n}", broadcasts=draw(broadcasts())) for n in range(CHANNELS))
    faults = tuple(sorted(draw(st.lists(troubles(), max_size=6)), key=lambda one: one.at))
    return Scenario(channels=plans, faults=faults, limits=SMALL, duration=float(DAY), online_lag=(0.0, 15.0))


def lived_through(scenario: Scenario) -> tuple[Best, Tally]:
    async def day() -> tuple[Best, Tally]:
        sandbox = Sandbox(scenario, LoopClock(asyncio.get_running_loop(), 1_000_000.0), chance=Chance(1))
        sandbox.begin()
        client = asyncio.ensure_future(Diligent(sandbox).run())
        await sandbox.clock.sleep(scenario.duration)
        client.cancel()
        await asyncio.wait({client})
        assert client.cancelled()
        found = sandbox.best(), sandbox.tally()
        await sandbox.stop()
        return found

    with asyncio.Runner(loop_factory=TimelapseLoop) as runner:
        return runner.run(day())


@settings(max_examples=12, deadline=None)
@given(tiny_worlds())
def test_nobody_is_present_for_longer(scenario: Scenario) -> None:
    found, tally = lived_through(scenario)
    assert tally.present_s <= found.possible_s + 1e-6
    assert tally.join_limit_violations == 0


def test_who_is_diligent_comes_close() -> None:
    """Almost: a second until he looks, and JOINs that he spent while all were lost, are between him and the bound."""
    plans = tuple(channel(f"room_{n}", (0, 2 * HOUR)) for n in range(5))
    faults = (
        fault(600, "reset", connection="all"),
        fault(1190, "no_welcome", seconds=120.0),
        CUT,
        fault(2000, "lose_join", seconds=60.0),
        fault(2010, "fin", connection="all"),
    )
    found, tally = lived_through(world(*plans, *faults, limits=SMALL))
    assert 0.995 * found.possible_s <= tally.present_s <= found.possible_s
