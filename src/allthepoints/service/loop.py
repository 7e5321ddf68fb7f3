"""The loop: inbox -> apply -> plan -> record -> act. One task owns the state; everything reaches it as a Fact.

A turn takes all facts there are, folds them in, asks for a plan, books it, writes what must be remembered, and then
performs. Then it sleeps until a fact arrives or the plan wants to be asked again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from allthepoints.base.types import JSON, Login
from allthepoints.core.actions import (
    Action,
    CheckJwt,
    CloseConnection,
    FindLoyalty,
    JoinRooms,
    OpenConnection,
    PartRooms,
    ReadBalance,
    ReadFollows,
    ReadHistory,
    ReadItems,
    ReadLive,
    ReadLoyalty,
    ReadUsers,
    RenewSignIn,
    SendRedemption,
)
from allthepoints.core.apply import apply
from allthepoints.core.facts import ConfigRejected, ConfigTaken, ConnectionLost, Fact, Ticked, Woke
from allthepoints.core.facts_points import RedemptionAnswered
from allthepoints.core.intend import intend
from allthepoints.core.model import Lost
from allthepoints.core.observed import Observed, Phase
from allthepoints.core.plan import plan
from allthepoints.core.policy import Policy
from allthepoints.core.records import Event, EventKind, Record
from allthepoints.core.redeem import Reason
from allthepoints.core.restore import restore
from allthepoints.irc.session import SessionOptions
from allthepoints.ports import HELIX, Request
from allthepoints.service.connection import Connections
from allthepoints.service.elements import ElementsCalls
from allthepoints.service.inbox import Inbox
from allthepoints.service.outside import NO_HOOKS, Hooks, Outside
from allthepoints.service.reads import Reads
from allthepoints.service.recorder import Batch, Recorder, batch
from allthepoints.service.requests import Requests, fact_of
from allthepoints.service.snapshot import Snapshot, Snapshots
from allthepoints.service.supervise import Tasks

log = logging.getLogger(__name__)

STOP_WITHIN = 3.0
"""Seconds for a stop in all. A program must be gone within 5, others clean up behind us, and a machine may be busy."""

LEAVE_WITHIN = 1.5
"""Of these, for the servers' answers to our PARTs: rooms left properly are free at once."""

CLOSE_WITHIN = 1.1
"""And for the servers to let go; a little more than the transport lingers."""

HEARTBEAT = 60.0
"""A sign of life is written at least so often: what a crash left open is closed there."""


class Service:
    """A running program for one account. It does not close what it is given.

    `snapshot`: the last one; None before the first turn. `disk_owes`: whether storage took too long at the end, and may
    never answer. `requests_every`: seconds between looks for what commands ask
    through the database; 0 never looks.
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
        self.disk_owes = False
        clock, chance, storage = outside.clock, outside.chance, outside.storage
        self._clock = clock
        self._storage = storage
        self._hooks = hooks
        self._inbox = inbox = Inbox(clock)
        self._observed = Observed()
        self._snapshots = Snapshots()
        self._beside: dict[str, JSON] = {}
        self._recorder = Recorder(storage, clock, inbox.put)
        self._reads = Reads(outside.live, outside.tokens, clock, chance, inbox.put)
        self._elements = ElementsCalls(outside.points, outside.store, clock, chance, inbox.put)
        self._chat = Connections(outside.chat, outside.tokens, clock, chance, inbox.put, options or SessionOptions())
        self._requests = Requests(storage, clock, self._answer)
        self._answered: list[int] = []  # requests whose facts lie in the inbox
        self._requests_every = requests_every
        self._tasks = Tasks()
        self._stop_asked_at: float | None = None
        self._look_at = 0.0
        self._alive_at = 0.0
        self._turned_at = 0.0
        self._turn_within = HEARTBEAT

    # -- what a face or the wiring may ask -------------------------------------------------------------------------
    def stop(self) -> None:
        """Leave all rooms, write everything, and let `run` return, within STOP_WITHIN seconds."""
        if self._stop_asked_at is None:
            self._stop_asked_at = self._clock.now()
        self._inbox.knock()

    def note(self, fact: Fact) -> None:
        """Something that an adapter saw by the way; it is looked at with the next turn."""
        self._inbox.note(fact)

    def take_policy(self, policy: Policy, restart: Sequence[str] = ()) -> None:
        """A changed config: from now on this is wanted. `restart`: keys of it that wait for the next start."""
        self.policy = policy
        self._inbox.put(ConfigTaken(self._clock.now(), tuple(restart)))

    def reject_config(self, error: str) -> None:
        """A changed config that cannot be used: the old one stays, and every face says so."""
        self._inbox.put(ConfigRejected(self._clock.now(), error))

    def ask(self, kind: str, login: Login | None = None, data: Mapping[str, JSON] | None = None) -> None:
        """What a person asks of the running service: the kinds of `service.requests`, without the detour through the
        database. Raises ValueError for what makes no sense."""
        self._inbox.put(fact_of(Request(0, self._clock.now(), kind, login, data or {}), self._clock.now()))

    def show(self, key: str, value: JSON) -> None:
        """What else readers in other processes may see, under this key of the service's state. It goes along with what
        is written next, a minute from now at the latest."""
        self._beside[key] = value

    def turn_within(self, seconds: float) -> None:
        """Turn at least so often, though nothing happens: who watches over the loop wants to see that it can."""
        self._turn_within = min(seconds, HEARTBEAT)

    async def run(self) -> None:
        """Run until `stop`. Raises FaultError if the memory cannot be read."""
        self._observed = restore(await self._storage.load(), self._clock.now())
        try:
            if self._requests_every:
                self._tasks.start("look for requests", self._requests.run(self._requests_every))
            await self._turn([], [Event(self._clock.now(), EventKind.STARTED)])
            while self._stop_asked_at is None:
                await self._turn(await self._inbox.take(self._next_turn()))
        finally:
            await self._shut_down()

    def _next_turn(self) -> float:
        """When to turn though nothing happened."""
        return min(self._look_at, self._alive_at + HEARTBEAT, self._turned_at + self._turn_within)

    # -- a turn ----------------------------------------------------------------------------------------------------
    async def _turn(self, facts: list[Fact], records: Sequence[Record] = ()) -> None:
        facts = self._with_jump(facts)
        now = self._turned_at = self._clock.now()
        changes = [*records, *self._fold((*facts, Ticked(now)))]
        decided = plan(self.policy, self._observed, now)
        for action in decided.actions:
            log.debug("planned: %s", action)
            changes += intend(self._observed, action, now)
        self._look_at = now + HEARTBEAT if decided.wake_at is None else decided.wake_at
        written = self._picture(changes, now)
        kept = written is None or await self._recorder.keep(written)
        self._tell(changes)
        for action in decided.actions:
            self._perform(action, kept)

    def _with_jump(self, facts: list[Fact]) -> list[Fact]:
        """If the host slept, that comes before what was seen since: a loss seen on waking is as old as the sleep."""
        gap = self._clock.jumped()
        if gap <= 0.0:
            return facts
        now = self._clock.now()
        before = [fact for fact in facts if fact.at <= now - gap]
        return [*before, Woke(now, gap), *(fact for fact in facts if fact.at > now - gap)]

    def _fold(self, facts: Iterable[Fact]) -> list[Record]:
        return [record for fact in facts for record in apply(self._observed, self.policy, fact)]

    def _picture(self, changes: list[Record], now: float) -> Batch | None:
        """Make the snapshot; what has to be written of all this, if anything."""
        self.snapshot, shown = self._snapshots.make(self.policy, self._observed, now)
        answered, self._answered = self._answered, []
        if not (changes or shown or answered or now - self._alive_at >= HEARTBEAT):
            return None
        self._alive_at = now
        # The points change with every answer of Helix: they go along with what is written anyway.
        points = self._observed.points
        told = {} if points is None else {HELIX: {"remaining": points.remaining, "limit": points.limit}}
        beside, self._beside = self._beside, {}
        return batch(changes, shown.rows, shown.gone, {**shown.service, **told, **beside}, answered)

    def _tell(self, changes: Iterable[Record]) -> None:
        assert self.snapshot is not None
        self._hooks.tell(changes, self.snapshot)

    def _perform(self, action: Action, kept: bool = True) -> None:
        """Do it. `kept`: what was decided is on the disk; money is spent on no other ground."""
        match action:
            case RenewSignIn(refused):
                self._reads.sign_in(self._chat.refused_token if refused else None)
            case ReadFollows() | ReadLive() | ReadUsers():
                self._reads.read(action)
            case OpenConnection(conn):
                assert self._observed.account is not None, "the plan opens nothing before it knows who we are"
                self._chat.open(conn, self._observed.account.login)
            case CloseConnection(conn):
                self._chat.close(conn)
            case JoinRooms(conn, logins):
                self._chat.join(conn, logins)
            case PartRooms(conn, logins):
                self._chat.part(conn, logins)
            case FindLoyalty() | ReadLoyalty() | ReadBalance() | ReadItems() | ReadHistory():
                self._elements.read(action)
            case CheckJwt():
                self._elements.check_jwt()
            case SendRedemption() if kept:
                self._elements.send(action)
            case SendRedemption(key):
                now = self._clock.now()
                self._inbox.put(RedemptionAnswered(now, key, unsent=Reason.NOT_WRITTEN))

    def _answer(self, request: Request) -> None:
        self._answered.append(request.id)
        try:
            self._inbox.put(fact_of(request, self._clock.now()))
        except ValueError as error:
            log.warning("request %d (%s) makes no sense: %s", request.id, request.kind, error)
            self._inbox.knock()

    # -- the end ---------------------------------------------------------------------------------------------------
    async def _shut_down(self) -> None:
        now = self._clock.now()
        by = (now if self._stop_asked_at is None else self._stop_asked_at) + STOP_WITHIN
        await self._tasks.cancel()
        await self._reads.aclose()
        await self._elements.aclose()
        changes = await self._leave_rooms(min(now + LEAVE_WITHIN, by - CLOSE_WITHIN))
        await self._chat.aclose(CLOSE_WITHIN)
        now = self._clock.now()
        changes += self._fold(self._inbox.drain())
        changes += self._fold([ConnectionLost(now, conn, Lost.OURS, 0.0) for conn in [*self._observed.connections]])
        changes.append(Event(now, EventKind.STOPPED))
        self.disk_owes = await self._recorder.flush(self._picture(changes, now) or Batch(), by - now)
        self._tell(changes)

    async def _leave_rooms(self, deadline: float) -> list[Record]:
        """PART every room, and wait a little for the servers' answers."""
        for conn, connection in self._observed.connections.items():
            logins = [room.login for room in self._observed.rooms_on(conn) if room.holds_slot]
            if connection.phase is Phase.READY and logins:
                intend(self._observed, parting := PartRooms(conn, tuple(logins)), self._clock.now())
                self._perform(parting)
        changes: list[Record] = []
        while self._observed.slots_held() and self._clock.now() < deadline:
            changes += self._fold(await self._inbox.take(deadline))
        return changes
