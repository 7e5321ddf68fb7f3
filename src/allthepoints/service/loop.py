"""The loop: inbox -> apply -> plan -> record -> act. One task owns the state; everything reaches it as a Fact.

A turn takes all facts there are, folds them in, asks for a plan, books it, writes what must be remembered, and then
performs. Then it sleeps until a fact arrives or the plan wants to be asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from allthepoints.base.clock import Chance, Clock
from allthepoints.base.errors import FaultError
from allthepoints.base.types import Login
from allthepoints.core.actions import (
    Action,
    CloseConnection,
    JoinRooms,
    OpenConnection,
    PartRooms,
    ReadFollows,
    ReadLive,
    ReadUsers,
    RenewSignIn,
)
from allthepoints.core.apply import apply, restore
from allthepoints.core.facts import ConfigRejected, ConfigTaken, ConnectionLost, Fact, RetryAsked, Ticked, Woke
from allthepoints.core.intend import intend
from allthepoints.core.model import Lost
from allthepoints.core.observed import Observed, Phase
from allthepoints.core.plan import plan
from allthepoints.core.policy import Policy
from allthepoints.core.presence import State
from allthepoints.core.records import Event, EventKind, Record
from allthepoints.irc.session import SessionOptions
from allthepoints.ports import ChatTransport, LiveApi, Storage, Tokens
from allthepoints.service.connection import Connections
from allthepoints.service.inbox import Inbox
from allthepoints.service.reads import Reads
from allthepoints.service.recorder import Recorder
from allthepoints.service.snapshot import Snapshot, Snapshots
from allthepoints.service.supervise import Tasks

LEAVE_WITHIN = 2.0
"""Seconds that a stop waits for the server to answer our PARTs: rooms left properly are free at once."""

FLUSH_WITHIN = 2.0
"""Seconds that a stop waits for the disk. With LEAVE_WITHIN well below the 5 s in which a stop must be done."""

HEARTBEAT = 60.0
"""A sign of life is written at least so often: what a crash left open is closed there."""


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything beyond the loop that it works with."""

    live: LiveApi
    chat: ChatTransport
    tokens: Tokens
    storage: Storage
    clock: Clock
    chance: Chance


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a face in this process is told, in the loop's own task: the state after each turn, and each event."""

    on_snapshot: Callable[[Snapshot], None] | None = None
    on_event: Callable[[Event], None] | None = None


NO_HOOKS = Hooks()


class Service:
    """A running program for one account.

    `requests_every`: seconds between looks for what commands ask through the database; 0 never looks.
    """

    def __init__(
        self,
        outside: Outside,
        policy: Policy,
        options: SessionOptions | None = None,
        hooks: Hooks = NO_HOOKS,
        requests_every: float = 0.0,
    ) -> None:
        self.policy = policy
        self.snapshot: Snapshot | None = None
        self._clock = outside.clock
        self._storage = outside.storage
        self._hooks = hooks
        self._requests_every = requests_every
        self._inbox = Inbox(outside.clock)
        self._snapshots = Snapshots()
        self._observed = Observed()
        self._recorder = Recorder(outside.storage, outside.clock, self._inbox.put)
        self._reads = Reads(outside.live, outside.tokens, outside.clock, outside.chance, self._inbox.put)
        self._chat = Connections(
            outside.chat, outside.tokens, outside.clock, outside.chance, self._inbox.put, options or SessionOptions()
        )
        self._tasks = Tasks()
        self._stopping = False
        self._wake_at: float | None = None
        self._alive_at = 0.0

    # -- what a face or the wiring may ask -------------------------------------------------------------------------
    def stop(self) -> None:
        """Leave all rooms, write everything, and let `run` return, within 5 s."""
        self._stopping = True
        self._inbox.knock()

    def put(self, fact: Fact) -> None:
        """Something happened that an adapter saw by the way."""
        self._inbox.put(fact)

    def take_policy(self, policy: Policy) -> None:
        """A changed config: from now on this is wanted."""
        self.policy = policy
        self._inbox.put(ConfigTaken(self._clock.now()))

    def reject_config(self, error: str) -> None:
        """A changed config that cannot be used: the old one stays, and every face says so."""
        self._inbox.put(ConfigRejected(self._clock.now(), error))

    def retry(self, login: Login) -> None:
        """The person says that a refused channel may be asked again."""
        self._inbox.put(RetryAsked(self._clock.now(), login))

    async def run(self) -> None:
        """Run until `stop`."""
        self._observed = restore(await self._storage.load(), self._clock.now())
        if self._requests_every:
            self._tasks.start("look for requests", self._answer_requests(self._requests_every))
        await self._turn([], [Event(self._clock.now(), EventKind.STARTED)])
        try:
            while not self._stopping:
                await self._turn(await self._inbox.take(self._next_look()))
        finally:
            await self._shut_down()

    # -- a turn ----------------------------------------------------------------------------------------------------
    async def _turn(self, facts: list[Fact], records: list[Record] | None = None) -> None:
        records = records or []
        if (gap := self._clock.jumped()) > 0.0:
            facts.append(Woke(self._clock.now(), gap))
        now = self._clock.now()
        for fact in (*facts, Ticked(now)):
            records += apply(self._observed, self.policy, fact)
        decided = plan(self.policy, self._observed, now)
        for action in decided.actions:
            records += intend(self._observed, action, now)
        self._wake_at = decided.wake_at
        await self._remember(records, now)
        for action in decided.actions:
            self._perform(action)

    async def _remember(self, records: list[Record], now: float) -> None:
        self.snapshot, changes = self._snapshots.make(self.policy, self._observed, now)
        service = dict(changes.service)
        if records or changes.rows or changes.gone or service or now - self._alive_at >= HEARTBEAT:
            service["alive"] = now
            self._alive_at = now
        await self._recorder.keep(records, changes.rows, changes.gone, service)
        if self._hooks.on_event is not None:
            for record in records:
                if isinstance(record, Event):
                    self._hooks.on_event(record)
        if self._hooks.on_snapshot is not None:
            self._hooks.on_snapshot(self.snapshot)

    def _next_look(self) -> float:
        heartbeat = self._alive_at + HEARTBEAT
        return heartbeat if self._wake_at is None else min(heartbeat, self._wake_at)

    def _perform(self, action: Action) -> None:
        match action:
            case RenewSignIn() | ReadFollows() | ReadLive() | ReadUsers():
                self._reads.perform(action)
            case OpenConnection(conn):
                assert self._observed.account is not None, "the plan opens nothing before it knows who we are"
                self._chat.open(conn, self._observed.account.login)
            case CloseConnection(conn):
                self._chat.close(conn)
            case JoinRooms(conn, logins):
                self._chat.join(conn, logins)
            case PartRooms(conn, logins):
                self._chat.part(conn, logins)

    async def _answer_requests(self, every: float) -> None:
        """Commands in other processes ask through the database; there is nothing else that both can reach."""
        while True:
            await self._clock.sleep(every)
            try:
                requests = await self._storage.requests()
            except FaultError:
                continue  # the recorder meets the same fault, and tells of it
            for request in requests:
                if request.kind == "retry" and request.login is not None:
                    self.retry(request.login)
            if requests:
                await self._recorder.keep(done=[request.id for request in requests])

    # -- the end ---------------------------------------------------------------------------------------------------
    async def _shut_down(self) -> None:
        await self._tasks.cancel()
        await self._reads.aclose()
        await self._leave_all()
        await self._chat.aclose()
        now = self._clock.now()
        facts = await self._inbox.take(now)
        facts += [ConnectionLost(now, conn, Lost.OURS, 0.0) for conn in self._observed.connections]
        records = [record for fact in facts for record in apply(self._observed, self.policy, fact)]
        await self._remember([*records, Event(now, EventKind.STOPPED)], now)
        await self._recorder.flush(FLUSH_WITHIN)
        await self._storage.aclose()

    async def _leave_all(self) -> None:
        """PART every room, and wait a little for the server's answers."""
        now = self._clock.now()
        for conn, connection in self._observed.connections.items():
            rooms = [r for r in self._observed.rooms.values() if r.conn == conn and r.state is not State.ABSENT]
            if connection.phase is Phase.READY and rooms:
                parting = PartRooms(conn, tuple(room.login for room in rooms))
                intend(self._observed, parting, now)
                self._chat.part(conn, parting.logins)
        deadline = now + LEAVE_WITHIN
        while self._observed.slots_held() and self._clock.now() < deadline:
            facts = await self._inbox.take(deadline)
            records = [record for fact in facts for record in apply(self._observed, self.policy, fact)]
            await self._recorder.keep(records)
