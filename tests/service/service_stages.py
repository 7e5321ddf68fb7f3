"""The real service on simulated time, and a Twitch around it whose every truth a test may set.

Two stages, one face: `Fakes` gives the service the fakes of the ports, with a chat in memory; `Sockets` gives it, by
the program's own wiring, the whole sandbox over real sockets, a database and a token file. In both, who sat in which
chat is the sandbox's own word.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

import apsw
from msgspec import structs

from allthepoints import wiring
from allthepoints.base.clock import Chance, LoopClock
from allthepoints.base.errors import Unknown
from allthepoints.base.secret import Secret
from allthepoints.base.types import UserId
from allthepoints.config.paths import DataDir
from allthepoints.config.policy import policy as policy_of
from allthepoints.config.settings import Channels, Endpoints, Settings, Twitch
from allthepoints.core.policy import Policy
from allthepoints.core.records import Event, EventKind
from allthepoints.irc.session import SessionOptions
from allthepoints.operation.service import logged
from allthepoints.ports import ChannelRow, ChatTransport, Storage, StoredTokens
from allthepoints.service.loop import Hooks, Outside, Service
from allthepoints.service.snapshot import Snapshot
from allthepoints.sim.scenario import Limits, Scenario
from allthepoints.sim.server import Sandbox
from allthepoints.sim.tally import Tally
from allthepoints.sim.timelapse import TimelapseLoop
from allthepoints.storage.read import Reader
from allthepoints.storage.tokenfile import TokenFile
from allthepoints.testing.chat import MemoryChat
from allthepoints.testing.fakes import FakeLiveApi, FakeTokens, FakeTwitch
from allthepoints.testing.fakes_points import FakeElements, FakePointsApi, FakeStoreApi
from allthepoints.testing.memory_storage import Memory, MemoryStorage

EPOCH = 1_800_000_000.0

SOON = 1.0
"""Seconds in which nothing is due but what happens at once."""

OUTAGE = ("/helix/streams", "/helix/channels", "/helix/users")


class LeapingClock(LoopClock):
    """Simulated time that can also leap, as when the host slept: then `jumped` tells."""

    def __init__(self, loop: asyncio.AbstractEventLoop, epoch: float) -> None:
        super().__init__(loop, epoch)
        self._leapt = 0.0
        self._untold = 0.0

    def now(self) -> float:
        return super().now() + self._leapt

    def leap(self, seconds: float) -> None:
        """The host slept so long: the loop's timers have not moved."""
        self._leapt += seconds
        self._untold += seconds

    def jumped(self) -> float:
        untold, self._untold = self._untold, 0.0
        return untold


class Steady(Chance):
    """The same luck, always."""

    def __init__(self, luck: float) -> None:
        super().__init__(0)
        self._luck = luck

    def draw(self) -> float:
        return self._luck


@dataclass
class Running:
    """One run of the service. `events` and `snapshot` as its faces were told."""

    service: Service
    task: asyncio.Task[None]
    events: list[Event]
    snapshots: list[Snapshot]
    stack: AsyncExitStack


@dataclass
class Stage:
    """A sandbox, and the service in front of it."""

    settings: Settings
    folder: Path
    clock: LeapingClock
    sandbox: Sandbox
    chance: Chance = field(default_factory=lambda: Chance(1))
    events: list[Event] = field(default_factory=list)
    """All that happened, over all runs."""
    running: Running | None = None
    requests_every: float = 0.0

    # -- running ---------------------------------------------------------------------------------------------------
    async def start(self, chat: ChatTransport | None = None) -> Service:
        """A service that runs, as of a new process on the same disk."""
        events: list[Event] = []
        snapshots: list[Snapshot] = []

        def on_event(event: Event, _: Snapshot) -> None:
            events.append(event)
            self.events.append(event)

        def on_snapshot(snapshot: Snapshot) -> None:
            snapshots[:] = [snapshot]

        stack = AsyncExitStack()
        service = await self._assemble(stack, logged(Hooks(on_snapshot, on_event)), chat)
        task = asyncio.get_running_loop().create_task(service.run(), name="the service")
        self.running = Running(service, task, events, snapshots, stack)
        return service

    async def _assemble(self, stack: AsyncExitStack, hooks: Hooks, chat: ChatTransport | None) -> Service:
        raise NotImplementedError

    async def stop(self) -> float:
        """Stop in order; the seconds that it took."""
        run, before = self._run, self.clock.now()
        run.service.stop()
        await run.task
        took = self.clock.now() - before
        await run.stack.aclose()
        self.running = None
        return took

    async def crash(self) -> None:
        """As if the process was killed: nothing is said any more, and the disk keeps what it has now."""
        for connection in self.sandbox.hub.of(self.sandbox.account):
            connection.reset()
        self.swap_disk()
        await self.stop()

    def swap_disk(self) -> None:
        """The next run finds what is on the disk now, whatever the present one still writes."""
        raise NotImplementedError

    async def aclose(self) -> None:
        if self.running is not None:
            await self.stop()
        await self.sandbox.stop()

    @property
    def _run(self) -> Running:
        assert self.running is not None
        return self.running

    # -- time ------------------------------------------------------------------------------------------------------
    async def elapse(self, seconds: float) -> None:
        """Let time go by. What ends the service ends the test."""
        until = self.clock.now() + seconds
        if self.running is not None:
            await asyncio.wait({self.running.task}, timeout=seconds)
            if self.running.task.done():
                self.running.task.result()
        await self.clock.sleep(until - self.clock.now())

    async def until(self, holds: Callable[[], object], within: float, every: float = 0.25) -> float:
        """Let time go by until it holds; the seconds that took. It is an error if that takes longer than `within`."""
        begun = self.clock.now()
        while not holds():
            assert self.clock.now() - begun <= within, f"not within {within:g} s: {self.picture()}"
            await self.elapse(every)
        return self.clock.now() - begun

    # -- Twitch ----------------------------------------------------------------------------------------------------
    def add(self, *logins: str, live: bool = False) -> None:
        """New channels that the account follows; the first is followed last, as if all were listed newest first."""
        for login in reversed(logins):
            self._add(login)
        for login in logins if live else ():
            self.go_live(login)

    def _add(self, login: str) -> None:
        user = self.sandbox.add_channel(login)
        world = self.sandbox.world
        world.follow(self.sandbox.account.id, user.id, self.sandbox.started_at - 86_400.0 + len(world.users))

    def go_live(self, login: str) -> None:
        self.sandbox.world.go_live(self.sandbox.world.find(login), self.clock.now())

    def go_offline(self, login: str) -> None:
        self.sandbox.world.go_offline(self.sandbox.world.find(login), self.clock.now())

    def unfollow(self, login: str) -> None:
        self.sandbox.world.follows[self.sandbox.account.id].pop(self.sandbox.world.find(login).id)

    def rename(self, login: str, to: str) -> None:
        self.sandbox.fault("rename", channel=login, to=to)

    def outage(self, on: bool) -> None:
        """Helix does not answer."""
        raise NotImplementedError

    def expire_token(self) -> None:
        """The access token is dead, and can be renewed."""
        self.sandbox.fault("expire_token")

    def revoke(self) -> None:
        """The person took the sign-in back."""
        self.sandbox.fault("revoke")

    def sign_in_again(self) -> None:
        """The person signs in anew, by another process."""
        raise NotImplementedError

    def renewals(self) -> int:
        """How often a token was renewed."""
        return self.tally.refreshes

    # -- what is ---------------------------------------------------------------------------------------------------
    @property
    def rooms(self) -> set[str]:
        """Where the account sits, by the sandbox's word."""
        world = self.sandbox.world
        return {world.users[channel].login for channel in world.rooms(self.sandbox.account.id)}

    @property
    def tally(self) -> Tally:
        return self.sandbox.tally()

    def sat(self, login: str) -> list[tuple[float, float | None]]:
        """When the account sat in this chat, in seconds since the sandbox began."""
        world, begun = self.sandbox.world, self.sandbox.started_at
        spans = world.sat.get((world.find(login).id, self.sandbox.account.id), [])
        return [(since - begun, None if until is None else until - begun) for since, until in spans]

    def claimed(self, login: str) -> list[tuple[float, float | None]]:
        """When the service says that it was in this chat, in seconds since the sandbox began."""
        begun, channel = self.sandbox.started_at, self.sandbox.world.find(login).id
        claims: list[tuple[float, float | None]] = []
        for event in self.told(EventKind.PRESENT, EventKind.LEFT):
            if event.channel == channel and event.kind is EventKind.PRESENT:
                claims.append((event.at - begun, None))
            elif event.channel == channel:
                claims[-1] = (claims[-1][0], event.at - begun)
        return claims

    @property
    def at(self) -> float:
        """Seconds since the sandbox began."""
        return self.clock.now() - self.sandbox.started_at

    @property
    def snapshot(self) -> Snapshot:
        snapshot = self._run.service.snapshot
        assert snapshot is not None
        return snapshot

    def row(self, login: str) -> ChannelRow:
        """What the service says of a channel."""
        return next(row for row in self.snapshot.rows.values() if row.login == login)

    def states(self) -> dict[str, str]:
        return {row.login: row.state for row in self.snapshot.rows.values()}

    def warned(self) -> set[str]:
        return {warning.code for warning in self.snapshot.warnings}

    def told(self, *kinds: EventKind) -> list[Event]:
        return [event for event in self.events if event.kind in kinds]

    def picture(self) -> str:
        if self.running is None or self.running.service.snapshot is None:
            return "no service"
        return f"rooms {sorted(self.rooms)}, states {self.states()}, census {self.snapshot.census}, {self.warned()}"

    def stored_rows(self) -> dict[str, ChannelRow]:
        """What another process reads of the channels."""
        raise NotImplementedError

    def kept(self, login: str) -> list[tuple[float, float | None]]:
        """The presence on the disk, in seconds since the sandbox began."""
        begun, channel = self.sandbox.started_at, self.sandbox.world.find(login).id
        spans = self._presence(UserId(channel))
        return [(since - begun, None if until is None else until - begun) for since, until in spans]

    def _presence(self, channel: UserId) -> list[tuple[float, float | None]]:
        raise NotImplementedError

    @property
    def policy(self) -> Policy:
        return policy_of(self.settings)


class _Tokens(FakeTokens):
    """T0, T1, ... as tokens that the sandbox's chat knows."""

    def __init__(self, twitch: FakeTwitch, sandbox: Sandbox) -> None:
        super().__init__(twitch)
        self._sandbox = sandbox
        self._issued: dict[Secret, Secret] = {}

    def chat_token(self) -> Secret:
        number = super().chat_token()
        if number not in self._issued:
            self._issued[number] = Secret(self._sandbox.issue_tokens().access)
        return self._issued[number]


@dataclass
class Fakes(Stage):
    """The ports' fakes; the chat is the sandbox's, in memory."""

    memory: Memory = field(default_factory=Memory)
    storage: Callable[[Memory], Storage] = MemoryStorage

    def __post_init__(self) -> None:
        self.sandbox.begin()
        self.twitch = FakeTwitch(self.clock)
        self.elements = FakeElements(self.clock)
        self.tokens = _Tokens(self.twitch, self.sandbox)
        self.chat = MemoryChat(self.sandbox.connect_chat, self.clock)

    async def _assemble(self, stack: AsyncExitStack, hooks: Hooks, chat: ChatTransport | None) -> Service:
        storage = self.storage(self.memory)
        points, store = FakePointsApi(self.elements), FakeStoreApi(self.elements)
        live, chat = FakeLiveApi(self.twitch), chat or self.chat
        outside = Outside(live, chat, self.tokens, points, store, storage, self.clock, self.chance)
        return Service(outside, self.policy, SessionOptions(), hooks, requests_every=self.requests_every)

    def _add(self, login: str) -> None:
        user = self.sandbox.add_channel(login)
        self.twitch.add(login, user_id=user.id)

    def go_live(self, login: str) -> None:
        super().go_live(login)
        self.twitch.go_live(login)

    def go_offline(self, login: str) -> None:
        super().go_offline(login)
        self.twitch.go_offline(login)

    def unfollow(self, login: str) -> None:
        super().unfollow(login)
        self.twitch.followed.remove(self.twitch.find(login).id)

    def rename(self, login: str, to: str) -> None:
        super().rename(login, to)
        self.twitch.rename(login, to)

    def outage(self, on: bool) -> None:
        self.twitch.trouble = Unknown("Helix is out") if on else None

    def expire_token(self) -> None:
        super().expire_token()
        self.tokens.expire()

    def revoke(self) -> None:
        super().revoke()
        self.tokens.revoke()

    def sign_in_again(self) -> None:
        self.tokens.sign_in_again()

    def renewals(self) -> int:
        return self.tokens.renewals

    def swap_disk(self) -> None:
        self.memory = deepcopy(self.memory)

    def stored_rows(self) -> dict[str, ChannelRow]:
        return {row.login: row for row in self.memory.rows.values()}

    def _presence(self, channel: UserId) -> list[tuple[float, float | None]]:
        return [(one.began_at, one.ended_at) for one in self.memory.presence if one.channel == channel]


@dataclass
class Sockets(Stage):
    """The sandbox over real sockets, by the program's own wiring."""

    chat: ChatTransport | None = None
    """Takes the place of the program's own."""

    async def begin(self) -> None:
        ends = await self.sandbox.start()
        here = Endpoints(irc=ends.irc, helix=ends.helix, oauth=ends.oauth, streamelements=ends.streamelements)
        self.settings = structs.replace(self.settings, endpoints=here)
        self.data = DataDir(self.folder)
        self.sign_in_again()

    async def _assemble(self, stack: AsyncExitStack, hooks: Hooks, chat: ChatTransport | None) -> Service:
        return await stack.enter_async_context(
            wiring.assembled(
                self.settings,
                wiring.Given(),
                self.data,
                self.clock,
                self.chance,
                hooks=hooks,
                chat=chat or self.chat,
                requests_every=self.requests_every,
                durable=False,
            )
        )

    def outage(self, on: bool) -> None:
        for path in OUTAGE if on else ():
            self.sandbox.fault("status", path=path, code=503, seconds=1e9)
        if not on:
            self.sandbox.heal("status")

    def sign_in_again(self) -> None:
        pair, now = self.sandbox.issue_tokens(), self.clock.now()
        tokens = StoredTokens(Secret(pair.access), Secret(pair.refresh), "sandbox", None, None, (), now, now + 14_400)
        TokenFile(self.data.tokens).save(tokens)

    def swap_disk(self) -> None:
        fresh = self.folder / f"disk-{self.clock.now()}"
        copytree(self.data.path, fresh, ignore=ignore_patterns("disk-*"))
        self.data = DataDir(fresh)

    def stored_rows(self) -> dict[str, ChannelRow]:
        return {row.login: row for row in Reader(self.data.database).status().channels}

    def _presence(self, channel: UserId) -> list[tuple[float, float | None]]:
        return self.ask("SELECT began_at, ended_at FROM presence WHERE channel = ? ORDER BY id", channel)

    def ask(self, question: str, *values: str) -> list[Any]:
        """What stands in the database."""
        db = apsw.Connection(str(self.data.database), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            return list(db.execute(question, values))
        finally:
            db.close()

    def counts(self) -> dict[str, int]:
        """Rows by table."""
        tables = [name for (name,) in self.ask("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: self.ask(f"SELECT count(*) FROM {name}")[0][0] for name in tables if "sqlite" not in name}


@asynccontextmanager
async def stage(
    kind: str,
    folder: Path,
    *,
    limits: Limits | None = None,
    ssl_context: ssl.SSLContext | None = None,
    **channels: object,
) -> AsyncIterator[Stage]:
    """A stage of a kind ("fakes" or "sockets"); `channels` are settings of [channels]. The service is not started."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, TimelapseLoop)
    clock = LeapingClock(loop, EPOCH)
    sandbox = Sandbox(Scenario(limits=limits or Limits()), clock, chance=Chance(7), ssl_context=ssl_context)
    settings = Settings(twitch=Twitch(client_id="sandbox"), channels=Channels(**channels))  # type: ignore[arg-type]
    one: Stage
    if kind == "fakes":
        one = Fakes(settings, folder, clock, sandbox)
    else:
        one = Sockets(settings, folder, clock, sandbox)
        await one.begin()
    try:
        yield one
    finally:
        await one.aclose()
