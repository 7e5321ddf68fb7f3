"""The parts of the service that stand alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from allthepoints.base.clock import LOOK, Chance, LoopClock, SystemClock
from allthepoints.base.errors import SignInNeeded, Unknown
from allthepoints.base.secret import Secret
from allthepoints.base.types import Login, SeId, UserId
from allthepoints.core import facts as f
from allthepoints.core import facts_points as fp
from allthepoints.core.actions import ReadFollows, ReadHistory, ReadLive, ReadUsers
from allthepoints.core.loyalty import Bought
from allthepoints.core.model import Account, Lost
from allthepoints.irc.events import SessionEvent
from allthepoints.irc.session import Session, SessionOptions
from allthepoints.ports import ChatLink
from allthepoints.service.connection import Connections
from allthepoints.service.elements import ElementsCalls
from allthepoints.service.inbox import Inbox
from allthepoints.service.reads import Reads
from allthepoints.service.supervise import Tasks
from allthepoints.testing.fakes import FakeLiveApi, FakeTokens, FakeTwitch
from allthepoints.testing.fakes_points import FakeElements, FakePointsApi, FakeStoreApi

pytestmark = pytest.mark.anyio

ME = Login("me")


@pytest.fixture
async def clock(anyio_backend: object) -> LoopClock:
    return LoopClock(asyncio.get_running_loop(), 1_000.0)


# -- inbox ---------------------------------------------------------------------------------------------------------
async def test_the_inbox_gives_all_there_is_in_order(clock: LoopClock) -> None:
    inbox, facts = Inbox(clock), [f.Ticked(float(n)) for n in range(3)]
    for fact in facts:
        inbox.put(fact)
    assert await inbox.take(clock.now() + 60) == facts
    assert clock.now() == 1_000.0
    assert await inbox.take(clock.now() + 60) == []
    assert clock.now() == pytest.approx(1_060.0)


async def test_a_note_waits_for_the_next_that_wakes(clock: LoopClock) -> None:
    inbox, note, fact = Inbox(clock), f.Ticked(1.0), f.Ticked(2.0)
    asyncio.get_running_loop().call_later(5, inbox.note, note)
    asyncio.get_running_loop().call_later(10, inbox.put, fact)
    assert await inbox.take(clock.now() + 60) == [note, fact]
    assert clock.now() == pytest.approx(1_010.0)
    asyncio.get_running_loop().call_later(5, inbox.knock)
    assert await inbox.take(clock.now() + 60) == []
    assert clock.now() == pytest.approx(1_015.0)


async def test_fc_05_whoever_waits_goes_on_soon_after_the_host_has_slept() -> None:
    """Timers stand still while it sleeps; the wall clock does not."""
    loop, slept = asyncio.get_running_loop(), [0.0]
    clock = SystemClock(loop.time, lambda: 1_000.0 + loop.time() + slept[0])
    inbox = Inbox(clock)

    def sleep() -> None:
        slept[0] = 8 * 3600.0

    loop.call_later(3.0, sleep)
    await inbox.take(clock.now() + 60.0)
    assert loop.time() <= 3.0 + LOOK
    assert clock.jumped() == pytest.approx(8 * 3600.0)


# -- connections ---------------------------------------------------------------------------------------------------
class Wire:
    """A transport whose every step the test decides."""

    def __init__(self, raises: Exception | None = None) -> None:
        self.raises = raises
        self.links: list[WireLink] = []
        self.hold: asyncio.Event | None = None

    async def open(
        self,
        session: Session,
        on_events: Callable[[Sequence[SessionEvent]], None],
        on_lost: Callable[[str], None],
    ) -> ChatLink:
        if self.hold is not None:
            await self.hold.wait()
        if self.raises is not None:
            raise self.raises
        self.links.append(WireLink(session, on_events, on_lost))
        session.connected(0.0)
        return self.links[-1]


class WireLink:
    def __init__(
        self,
        session: Session,
        on_events: Callable[[Sequence[SessionEvent]], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self.session = session
        self.lost: Lost | None = None
        self.sent = b""
        self.closed = 0
        self._on_events = on_events
        self._on_lost = on_lost

    def flush(self) -> None:
        self.sent += self.session.outgoing()

    def close(self) -> None:
        self.closed += 1
        self.flush()

    def hear(self, *lines: str) -> None:
        self._on_events(self.session.receive("".join(f"{line}\r\n" for line in lines).encode(), 0.0))

    def end(self, lost: Lost, text: str) -> None:
        self.lost = lost
        self._on_lost(text)


def connections(wire: Wire, clock: LoopClock) -> tuple[Connections, list[f.Fact]]:
    told: list[f.Fact] = []
    tokens = FakeTokens(FakeTwitch(clock))
    return Connections(wire, tokens, clock, Chance(1), told.append, SessionOptions()), told


WELCOME = ":tmi.twitch.tv 001 me :Welcome, GLHF!"


async def test_nothing_is_joined_on_a_connection_that_is_not_ready(clock: LoopClock) -> None:
    wire = Wire()
    chat, told = connections(wire, clock)
    chat.join(1, [Login("alpha")])
    chat.open(1, ME)
    chat.join(1, [Login("alpha")])
    await clock.sleep(0.1)
    chat.join(1, [Login("alpha")])
    assert told == []
    wire.links[0].hear(WELCOME)
    chat.join(1, [Login("alpha")])
    chat.part(1, [Login("alpha")])
    assert [type(fact) for fact in told] == [f.Welcomed, f.JoinWritten]
    assert wire.links[0].sent.endswith(b"JOIN #alpha\r\nPART #alpha\r\n")
    wire.links[0].hear("ERROR :Closing link")
    chat.join(1, [Login("beta")])
    wire.links[0].end(Lost.CLOSED, "the server closed the connection")
    chat.join(1, [Login("beta")])
    chat.part(1, [Login("beta")])
    chat.close(1)
    assert [type(fact) for fact in told][2:] == [f.ConnectionLost]
    assert isinstance(lost := told[-1], f.ConnectionLost)
    assert (lost.lost, lost.text) == (Lost.CLOSED, "Closing link")
    await chat.aclose(1.0)


async def test_a_connection_that_is_being_opened_is_closed_at_once(clock: LoopClock) -> None:
    wire = Wire()
    wire.hold = asyncio.Event()
    chat, told = connections(wire, clock)
    chat.open(1, ME)
    await clock.sleep(1)
    chat.close(1)
    chat.close(1)
    chat.open(2, ME)
    chat.close(2)  # before it had begun
    await clock.sleep(0)
    assert [(fact.conn, fact.lost) for fact in told if isinstance(fact, f.ConnectionLost)] == [
        (1, Lost.OURS),
        (2, Lost.OURS),
    ]
    wire.hold.set()
    await clock.sleep(1)
    assert wire.links == []
    await chat.aclose(1.0)


@pytest.mark.parametrize(
    ("error", "lost", "text"),
    [
        (Unknown("no route"), Lost.CONNECT, "no route"),
        (SignInNeeded("not signed in"), Lost.LOGIN, "not signed in"),
        (ValueError("secret T0"), Lost.CONNECT, "internal fault: ValueError"),
    ],
    ids=["outside", "sign_in", "our_own"],
)
async def test_every_attempt_ends_in_a_fact(clock: LoopClock, error: Exception, lost: Lost, text: str) -> None:
    chat, told = connections(Wire(error), clock)
    chat.open(1, ME)
    await clock.sleep(0.1)
    assert [(fact.lost, fact.text) for fact in told if isinstance(fact, f.ConnectionLost)] == [(lost, text)]
    await chat.aclose(1.0)


async def test_fc_17_which_token_was_refused_is_known(clock: LoopClock) -> None:
    wire = Wire()
    chat, told = connections(wire, clock)
    chat.open(1, ME)
    await clock.sleep(0.1)
    wire.links[0].hear(":tmi.twitch.tv NOTICE * :Login authentication failed")
    wire.links[0].end(Lost.LOGIN, "login_refused")
    assert chat.refused_token == Secret("T0")
    assert isinstance(lost := told[-1], f.ConnectionLost)
    assert (lost.lost, lost.text) == (Lost.LOGIN, "Login authentication failed")
    await chat.aclose(1.0)


async def test_the_end_waits_for_the_servers_but_not_for_ever(clock: LoopClock) -> None:
    wire = Wire()
    chat, told = connections(wire, clock)
    chat.open(1, ME)
    chat.open(2, ME)
    await clock.sleep(0.1)
    for link in wire.links:
        link.hear(WELCOME)
    asyncio.get_running_loop().call_later(0.5, wire.links[0].end, Lost.OURS, "closed by us")
    begun = clock.now()
    await chat.aclose(2.0)
    assert clock.now() - begun == pytest.approx(2.0)
    assert [link.closed for link in wire.links] == [1, 1]
    assert all(link.sent.endswith(b"QUIT\r\n") for link in wire.links)
    assert sum(isinstance(fact, f.ConnectionLost) for fact in told) == 1


# -- reads ---------------------------------------------------------------------------------------------------------
class Broken(FakeLiveApi):
    """A LiveApi with a bug."""

    async def live(self, ask: ReadLive) -> f.LiveRead:
        raise KeyError("total")

    async def follows(self, user_id: UserId) -> tuple[()]:
        raise SignInNeeded("the sign-in has ended")


async def test_every_read_ends_in_a_fact(clock: LoopClock, caplog: pytest.LogCaptureFixture) -> None:
    twitch = FakeTwitch(clock, Account(UserId("1"), ME))
    told: list[f.Fact] = []
    reads = Reads(Broken(twitch), FakeTokens(twitch), clock, Chance(1), told.append)
    twitch.add("alpha")
    reads.read(ReadLive(None, frozenset(), frozenset(), frozenset({Login("alpha")})))
    reads.read(ReadFollows(UserId("1")))
    reads.read(ReadUsers(frozenset(), frozenset({Login("alpha")})))
    reads.sign_in(None)
    await clock.sleep(1)
    assert [(type(fact), getattr(fact, "what", "")) for fact in told] == [
        (f.ReadFailed, "live"),
        (f.SignInLost, ""),
        (f.ReadFailed, "follows"),
        (f.UsersRead, ""),
        (f.SignedIn, ""),
    ]
    assert isinstance(told[0], f.ReadFailed)
    assert told[0].error == "internal fault: KeyError"
    assert any("went wrong here" in line for line in caplog.messages)
    twitch.trouble = Unknown("out")
    reads.sign_in(Secret("T0"))
    await clock.sleep(1)
    assert isinstance(unknown := told[-1], f.SignInUnknown)
    assert unknown.error == "out"
    assert unknown.remembered is not None
    await reads.aclose()


async def test_reads_under_way_are_given_up_at_the_end(clock: LoopClock) -> None:
    class Slow(FakeLiveApi):
        async def live(self, ask: ReadLive) -> f.LiveRead:
            await asyncio.Event().wait()
            raise AssertionError

    twitch = FakeTwitch(clock)
    told: list[f.Fact] = []
    reads = Reads(Slow(twitch), FakeTokens(twitch), clock, Chance(1), told.append)
    reads.read(ReadLive(None, frozenset(), frozenset(), frozenset()))
    await clock.sleep(1)
    await reads.aclose()
    assert told == []


# -- tasks ---------------------------------------------------------------------------------------------------------
async def test_a_task_that_fails_is_told_of_and_takes_no_other_with_it(
    clock: LoopClock, caplog: pytest.LogCaptureFixture
) -> None:
    tasks = Tasks()

    async def fails() -> None:
        raise RuntimeError("oh")

    async def works() -> None:
        await clock.sleep(10)

    tasks.start("the failing one", fails())
    tasks.start("the working one", works())
    await clock.sleep(1)
    assert len(tasks) == 1
    assert any("the failing one failed" in line for line in caplog.messages)
    await tasks.cancel()
    assert len(tasks) == 0


async def test_fc_48_a_list_that_took_long_proves_nothing_of_what_came_meanwhile(clock: LoopClock) -> None:
    class Slow(FakeStoreApi):
        async def history(self, own: SeId) -> tuple[Bought, ...]:
            await clock.sleep(200.0)
            return await super().history(own)

    inbox, elements = Inbox(clock), FakeElements(clock)
    calls = ElementsCalls(FakePointsApi(elements), Slow(elements), clock, Chance(1), inbox.put)
    calls.read(ReadHistory(elements.viewer.id))
    (fact,) = await inbox.take(clock.now() + 600)
    assert fact == fp.HistoryRead(1_000.0, (), elements.viewer.id)
    assert clock.now() == pytest.approx(1_200.0)
    await calls.aclose()
