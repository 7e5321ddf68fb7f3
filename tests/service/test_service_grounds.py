"""The service's chat, by the same tests, against the sandbox, ngircd and InspIRCd, over TLS and in real time.

The daemons are Debian's packages. Where one is missing its tests are skipped with a reason; in CI they fail. Who is
live is a fake's word; who sits in which room is the server's.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from chat_grounds import CLOCK, WITHIN, DaemonGround, Ground, Relay, SandboxGround, relayed

from allthepoints.base.backoff import Backoff
from allthepoints.base.clock import Chance
from allthepoints.base.secret import Secret
from allthepoints.base.types import Login, UserId
from allthepoints.core.model import Account, Lost
from allthepoints.core.policy import Policy
from allthepoints.core.records import Event, EventKind
from allthepoints.irc.session import SessionOptions
from allthepoints.service.loop import Hooks, Outside, Service
from allthepoints.testing.fakes import FakeLiveApi, FakeTokens, FakeTwitch
from allthepoints.testing.fakes_points import FakeElements, FakePointsApi, FakeStoreApi
from allthepoints.testing.memory_storage import MemoryStorage
from allthepoints.twitch.chat import TcpChat
from allthepoints.twitch.link import Link
from irc_daemons import DAEMONS, installed

pytestmark = pytest.mark.anyio

QUICK = Policy(poll_live=0.1, offline_after=0.2, reconnect=Backoff(first=0.1, cap=0.2))
"""In real time nobody waits for half a minute."""

TWENTY = tuple(f"room{number:02}" for number in range(20))


@pytest.fixture
def anyio_backend() -> str:
    """Other people's daemons live in real time."""
    return "asyncio"


class Tokens(FakeTokens):
    """T0, T1, ... of which the first `dead` are refused by the chat, though they validate."""

    def __init__(self, twitch: FakeTwitch, good: Secret, dead: int) -> None:
        super().__init__(twitch)
        self._good, self._dead = good, dead

    def chat_token(self) -> Secret:
        number = super().chat_token()
        return number if self.renewals < self._dead else self._good


class Chat(TcpChat):
    """Ours, which takes its time on the way into the rooms: a busy machine ends nothing there."""

    link: Link

    async def open(self, *args: Any) -> Link:
        self.link = await super().open(*args)
        return self.link

    def hurry(self) -> None:
        """From now on silence is found out soon."""
        session = self.link.session
        session._options = replace(session._options, idle_ping=0.1, pong_timeout=0.4)
        self.link.flush()


@dataclass
class Scene:
    """The server, the way to it, and the service in front of both."""

    ground: Ground
    relay: Relay
    chat: Chat
    twitch: FakeTwitch
    tokens: Tokens
    service: Service
    storage: MemoryStorage
    events: list[Event]

    def live(self, *logins: str) -> None:
        """These go live; those that nobody knew are followed from now on."""
        for login in logins:
            if login not in {channel.login for channel in self.twitch.channels.values()}:
                self.ground.add(login, self.twitch.add(login).id)
            self.twitch.go_live(login)

    async def in_rooms(self, *rooms: str) -> None:
        """Wait until the account is in these of all rooms, by the server's word and by ours."""
        everyone = [channel.login for channel in self.twitch.channels.values()]
        async with asyncio.timeout(WITHIN):
            while self.present() != set(rooms) or await self.ground.rooms(*everyone) != set(rooms):
                await CLOCK.sleep(0.02)

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(WITHIN):
            while not holds():
                await CLOCK.sleep(0.01)

    def present(self) -> set[str]:
        snapshot = self.service.snapshot
        return {row.login for row in snapshot.rows.values() if row.state == "present"} if snapshot else set()

    def told(self, kind: EventKind) -> list[Event]:
        return [event for event in self.events if event.kind is kind]


@pytest.fixture(params=["sandbox", *(pytest.param(d, id=d.name, marks=pytest.mark.daemon) for d in DAEMONS)])
async def ground(request: pytest.FixtureRequest, anyio_backend: object) -> AsyncIterator[Ground]:
    with tempfile.TemporaryDirectory() as folder:  # not pytest's: the daemons give up root, and could not read that
        yield SandboxGround() if request.param == "sandbox" else DaemonGround(installed(request.param), Path(folder))


@contextlib.asynccontextmanager
async def scene(ground: Ground, dead_tokens: int = 0) -> AsyncIterator[Scene]:
    twitch = FakeTwitch(CLOCK, Account(UserId("1001"), Login("me")))
    storage, tokens, events = MemoryStorage(), Tokens(twitch, ground.token, dead_tokens), list[Event]()
    async with relayed(ground) as relay:
        chat = Chat(f"ircs://127.0.0.1:{relay.port}", CLOCK, ground.context)
        elements = FakeElements(CLOCK)
        points, store = FakePointsApi(elements), FakeStoreApi(elements)
        outside = Outside(FakeLiveApi(twitch), chat, tokens, points, store, storage, CLOCK, Chance(1))
        session = SessionOptions(user_line=ground.user_line, caps=ground.caps)
        service = Service(outside, QUICK, session, Hooks(None, lambda event, _: events.append(event)))
        running = asyncio.ensure_future(service.run())
        try:
            yield Scene(ground, relay, chat, twitch, tokens, service, storage, events)
        finally:
            service.stop()
            await running


async def test_joins_what_is_live_and_leaves_what_is_not(ground: Ground) -> None:
    async with scene(ground) as s:
        s.live("alpha", "beta")
        await s.in_rooms("alpha", "beta")
        s.twitch.go_offline("alpha")
        s.live("gamma")
        await s.in_rooms("beta", "gamma")
        s.live("alpha")
        await s.in_rooms("alpha", "beta", "gamma")
        assert len(s.told(EventKind.CONNECTED)) == 1


async def test_fc_16_a_renamed_channel_is_followed_to_its_new_room(ground: Ground) -> None:
    async with scene(ground) as s:
        s.live("alpha", "beta")
        await s.in_rooms("alpha", "beta")
        s.ground.rename("beta", "delta")
        s.twitch.rename("beta", "delta")
        await s.in_rooms("alpha", "delta")


async def test_fc_02_twenty_rooms_at_once(ground: Ground) -> None:
    async with scene(ground) as s:
        s.live(*TWENTY)
        await s.in_rooms(*TWENTY)
        await s.until(lambda: len(s.told(EventKind.PRESENT)) >= 20)
        assert len(s.told(EventKind.PRESENT)) == 20


async def test_fc_04_what_people_say_changes_nothing(ground: Ground) -> None:
    async with scene(ground) as s:
        s.live("alpha")
        await s.in_rooms("alpha")
        await s.until(lambda: s.told(EventKind.PRESENT))
        heard, told = s.relay.carried, len(s.events)
        for text in (
            "RECONNECT",
            ":tmi.twitch.tv RECONNECT",
            ":tmi.twitch.tv NOTICE * :Login authentication failed",
            ":me!me@me.tmi.twitch.tv PART #alpha",
            "PING :x",
        ):
            await s.ground.talk("alpha", text)
        s.live("beta")
        await s.until(lambda: len(s.told(EventKind.PRESENT)) == 2)
        await s.in_rooms("alpha", "beta")
        assert s.relay.carried == heard
        assert {event.kind for event in s.events[told:]} == {EventKind.LIVE, EventKind.PRESENT}


async def test_fc_05_c_silence_with_the_connection_open(ground: Ground) -> None:
    """Our own PING finds it out."""
    async with scene(ground) as s:
        s.live("alpha", "beta")
        await s.in_rooms("alpha", "beta")
        s.relay.fall_silent()
        s.chat.hurry()
        await s.until(lambda: s.told(EventKind.DISCONNECTED))
        assert s.told(EventKind.DISCONNECTED)[0].data["why"] == Lost.SILENT
        assert not s.present()
        s.relay.cut()  # the server, too, must hear of it before it gives the name to another connection
        await s.in_rooms("alpha", "beta")


async def test_fc_05_e_h_resets_one_after_the_other(ground: Ground) -> None:
    async with scene(ground) as s:
        s.live("alpha", "beta", "gamma")
        for number in range(1, 4):
            await s.in_rooms("alpha", "beta", "gamma")
            s.relay.cut()
            await s.until(lambda number=number: len(s.told(EventKind.LEFT)) == 3 * number)  # type: ignore[misc]
        await s.in_rooms("alpha", "beta", "gamma")
        assert [event.data["why"] for event in s.told(EventKind.DISCONNECTED)[:1]] == [Lost.RESET]


async def test_fc_05_the_server_dies_and_comes_back(ground: Ground) -> None:
    async with scene(ground) as s:
        s.live("alpha", "beta", "gamma")
        await s.in_rooms("alpha", "beta", "gamma")
        await s.ground.kill()
        await s.until(lambda: not s.present())
        s.twitch.go_offline("beta")
        await s.ground.start()
        await s.in_rooms("alpha", "gamma")


async def test_fc_17_a_token_that_the_chat_refuses_is_renewed(ground: Ground) -> None:
    async with scene(ground, dead_tokens=1) as s:
        s.live("alpha")
        await s.in_rooms("alpha")
        assert s.tokens.renewals == 1


async def test_a_stop_leaves_the_rooms(ground: Ground) -> None:
    async with scene(ground) as s:
        s.live("alpha", "beta")
        await s.in_rooms("alpha", "beta")
        s.service.stop()
        await s.until(lambda: all(one.ended_at is not None for one in s.storage.memory.presence))
        async with asyncio.timeout(WITHIN):
            while await s.ground.rooms("alpha", "beta"):
                await CLOCK.sleep(0.02)
