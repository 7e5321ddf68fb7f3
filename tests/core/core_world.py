"""The loop without its shells, and a small Twitch to play against: what the tests of the core stand on.

`Core` does what `service.loop` does in a turn: facts in, plan out, booked. `World` is a Twitch of our own making, with
time, delays and faults, that answers the actions of a core with facts. It shares nothing with the sandbox on purpose:
two models of one thing rarely err alike.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from allthepoints.base.clock import Chance
from allthepoints.base.types import Login, SeId, StreamId, UserId
from allthepoints.core import facts as f
from allthepoints.core import facts_points as fp
from allthepoints.core.actions import (
    Action,
    CheckJwt,
    CloseConnection,
    ElementsRead,
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
from allthepoints.core.desired import desired, room_cap
from allthepoints.core.intend import intend
from allthepoints.core.loyalty import Balance, JwtState, Loyalty, LoyaltyChannel, Viewer
from allthepoints.core.model import Account, ChannelRef, Lost, Stream, StreamKind, Why
from allthepoints.core.observed import Observed
from allthepoints.core.plan import Plan, plan
from allthepoints.core.plan_points import GAP
from allthepoints.core.policy import JOIN_IN_FLIGHT, JOIN_LIMIT, LOGIN_LIMIT, WINDOW, Policy
from allthepoints.core.presence import State
from allthepoints.core.records import Event, EventKind, Record

T0 = 1_700_000_000.0
ME = Account(UserId("1"), Login("me"))
OWN = Viewer(SeId("5f0e0d0c0b0a090807060504"), "me", "1")


def ref(number: int, login: str = "") -> ChannelRef:
    """Channel 1042 is called c42 unless told otherwise."""
    return ChannelRef(UserId(str(1000 + number)), Login(login or f"c{number}"), login or f"C{number}")


def stream(
    who: int | ChannelRef, session: str = "s1", kind: StreamKind = StreamKind.LIVE, started_at: float = T0
) -> Stream:
    channel = ref(who) if isinstance(who, int) else who
    return Stream(StreamId(f"{channel.id}-{session}"), channel, kind, "a title", started_at)


def signed_in(at: float = T0, follows: bool = True) -> f.SignedIn:
    return f.SignedIn(at, ME, follows)


def live(at: float, *streams: Stream | int, asked: Iterable[int] = (), **more: object) -> f.LiveRead:
    """A poll in which `streams` were live and the others of `asked` were not."""
    rows = tuple(stream(s) if isinstance(s, int) else s for s in streams)
    ids = frozenset(ref(n).id for n in asked) | frozenset(row.channel.id for row in rows)
    return f.LiveRead(at, ids, frozenset(), rows, **more)  # type: ignore[arg-type]


def follows(at: float, *channels: int | ChannelRef) -> f.FollowsRead:
    return f.FollowsRead(at, tuple(ref(c) if isinstance(c, int) else c for c in channels))


class Core:
    """State, policy and time; what was done and what was recorded."""

    def __init__(self, policy: Policy | None = None, observed: Observed | None = None, now: float = T0) -> None:
        self.policy = policy or Policy()
        self.observed = observed or Observed()
        self.now = now
        self.wake_at: float | None = None
        self.done: list[tuple[float, Action]] = []
        self.records: list[Record] = []

    def fold(self, *facts: f.Fact) -> list[Record]:
        """Apply facts and do nothing else. Answers the records of these facts."""
        records = [record for fact in facts for record in apply(self.observed, self.policy, fact)]
        self.records += records
        return records

    def turn(self, *facts: f.Fact, now: float | None = None) -> tuple[Action, ...]:
        """One turn of the loop at `now`, or at the time of the last fact."""
        self.now = now if now is not None else facts[-1].at if facts else self.now
        self.fold(*facts, f.Ticked(self.now))
        decided = plan(self.policy, self.observed, self.now)
        again = plan(self.policy, self.observed, self.now)
        assert decided == again, "plan remembers nothing"
        self._check_kept(decided)
        for action in decided.actions:
            self.records += intend(self.observed, action, self.now)
            self.done.append((self.now, action))
        self.wake_at = decided.wake_at
        assert self.wake_at is None or self.wake_at > self.now
        return decided.actions

    def _check_kept(self, decided: Plan) -> None:
        """What is kept from turn to turn is what would be found anew."""
        o = self.observed
        kept = o.queue, o.rest, o.elements.agenda
        wanted = desired(self.policy, o, self.now)
        o.queue, o.rest, o.elements.agenda = None, None, None
        fresh = plan(self.policy, o, self.now)
        assert fresh.actions == decided.actions, (fresh, decided)
        # What is kept may look again too soon: JOINs on their way count as arriving now, whenever that is.
        assert (decided.wake_at or inf) <= (fresh.wake_at or inf), (fresh, decided)
        assert desired(self.policy, o, self.now) == wanted
        o.queue, o.rest, o.elements.agenda = kept

    def events(self, *kinds: EventKind) -> list[Event]:
        return [r for r in self.records if isinstance(r, Event) and (not kinds or r.kind in kinds)]

    def did(self, kind: type[Action]) -> list[Action]:
        return [action for _, action in self.done if isinstance(action, kind)]

    def states(self) -> dict[tuple[int, str], str]:
        return {(conn, str(login)): room.state.value for (conn, login), room in self.observed.rooms.items()}


def at_work(
    *channels: int | Stream,
    policy: Policy | None = None,
    followed: Sequence[int] | None = None,
    now: float = T0,
    connected: bool = True,
) -> Core:
    """A core that is signed in, knows its follows, has polled, has one connection (1) and has asked for its rooms."""
    core = Core(policy, now=now)
    rows = [stream(c, started_at=now) if isinstance(c, int) else c for c in channels]
    numbers = followed if followed is not None else [int(row.channel.id) - 1000 for row in rows]
    core.turn(signed_in(now))
    polled = live(now, *rows, asked=numbers)
    core.turn(follows(now, *numbers), polled)  # the poll was asked before the follows were known: it is repeated
    core.turn(polled)
    if connected:
        core.turn(f.Welcomed(now, 1))
    return core


def logins(*numbers: int) -> tuple[Login, ...]:
    return tuple(Login(f"c{n}") for n in numbers)


def check(core: Core, facts: Sequence[f.Fact], now: float, expect: Sequence[Action]) -> None:
    """After these facts, each met in a turn of its own, the turn at `now` does exactly `expect`."""
    for fact in facts:
        core.turn(fact)
    assert list(core.turn(now=now)) == list(expect)


# -- a Twitch ------------------------------------------------------------------------------------------------------
@dataclass
class Line:
    """One chat connection as the server sees it."""

    welcomed: bool = False
    rooms: set[Login] = field(default_factory=set)
    mute: bool = False
    """It takes nothing and says nothing any more."""
    deaf_to_joins: bool = False
    gone: bool = False
    heard_until: float = 0.0
    """Lines keep their order: none is delivered before this."""


@dataclass
class Span:
    """When the server may have counted an attempt."""

    earliest: float
    latest: float


class World:
    """Time, a Twitch and a core that plays against it. Everything happens through `run`."""

    def __init__(self, policy: Policy, seed: int = 0, slow: float = 0.4) -> None:
        self.core = Core(policy)
        self.now = T0
        self.chance = Chance(seed)
        self.slow = slow
        """The longest delay of any answer, in seconds."""
        self._events: list[tuple[float, int, Callable[[], Iterable[f.Fact]]]] = []
        self._order = itertools.count()
        # Twitch's side
        self.channels: dict[UserId, ChannelRef] = {}
        self.live: dict[UserId, Stream] = {}
        self.following: list[UserId] = []
        self.lines: dict[int, Line] = {}
        self.banned: set[UserId] = set()
        self.suspended: set[UserId] = set()
        self.silent: set[UserId] = set()
        self.rooms_allowed = 100
        self.ghosts = 0
        """Rooms of dead connections that the server still counts."""
        # faults
        self.lose_joins = 0
        self.lose_part_echoes = 0
        self.chat_down = False
        self.login_refused = False
        self.helix_down = False
        self.elements_down = False
        self.token = "good"
        # what is watched
        self.join_spans: dict[tuple[int, Login], Span] = {}
        self.all_joins: list[Span] = []
        self.all_logins: list[Span] = []
        self.open_logins: dict[int, Span] = {}
        self.told_out: set[UserId] = set()
        self.reads: list[float] = []

    # -- the world changes -----------------------------------------------------------------------------------------
    def add(self, *numbers: int, followed: bool = True) -> None:
        for number in numbers:
            channel = ref(number)
            self.channels[channel.id] = channel
            if followed:
                self.following.append(channel.id)

    def go_live(self, number: int, kind: StreamKind = StreamKind.LIVE) -> None:
        channel = self.channels[ref(number).id]
        self.live[channel.id] = Stream(StreamId(f"s{next(self._order)}"), channel, kind, "", self.now)

    def go_off(self, number: int) -> None:
        self.live.pop(ref(number).id, None)

    def rename(self, number: int, login: str) -> None:
        channel = replace(self.channels[ref(number).id], login=Login(login))
        self.channels[channel.id] = channel
        if channel.id in self.live:
            self.live[channel.id] = replace(self.live[channel.id], channel=channel)

    def owner(self, login: Login) -> UserId | None:
        return next((c.id for c in self.channels.values() if c.login == login), None)

    def sit_in(self) -> list[Login]:
        """Rooms in which the server has us, on connections that stand."""
        return sorted(login for line in self.lines.values() if not line.gone for login in line.rooms)

    # -- time --------------------------------------------------------------------------------------------------------
    def run(self, seconds: float) -> None:
        """Let time go by, from one happening to the next."""
        end = self.now + seconds
        self._turn([])
        while True:
            times = [self._events[0][0]] if self._events else []
            times += [self.core.wake_at] if self.core.wake_at is not None else []
            due = min(times, default=end)
            if due > end:
                break
            self.now = max(self.now, due)
            facts: list[f.Fact] = []
            while self._events and self._events[0][0] <= self.now:
                facts += heapq.heappop(self._events)[2]()
            self._turn(facts)
        self.now = end
        self._turn([])

    def tell(self, *facts: f.Fact) -> None:
        """Something that no answer brings: a turn with these facts, now."""
        self._turn(list(facts))

    def _turn(self, facts: list[f.Fact]) -> None:
        for fact in facts:
            self._watch_fact(fact)
        actions = self.core.turn(*facts, now=self.now)
        self._watch_state()
        for action in actions:
            self._perform(action)

    def _later(self, happen: Callable[[], Iterable[f.Fact]], delay: float | None = None) -> None:
        wait = self.chance.draw() * self.slow if delay is None else delay
        heapq.heappush(self._events, (self.now + wait, next(self._order), happen))

    def _say(self, conn: int, *facts: Callable[[float], f.Fact]) -> None:
        """The server writes lines on a connection: in order, unless it is mute or gone by then."""
        line = self.lines[conn]
        if line.mute or line.gone:
            return
        line.heard_until = max(line.heard_until, self.now + self.chance.draw() * self.slow)

        def heard() -> list[f.Fact]:
            return [] if line.gone or conn not in self.core.observed.connections else [make(self.now) for make in facts]

        self._later(heard, line.heard_until - self.now)

    # -- what is watched -------------------------------------------------------------------------------------------
    def _watch_fact(self, fact: f.Fact) -> None:
        match fact:
            case f.Joined(at, conn, login) | f.JoinRefused(at, conn, login):
                if (span := self.join_spans.pop((conn, login), None)) is not None:
                    span.latest = min(span.latest, at)
            case f.Welcomed(at, conn) | f.ConnectionLost(at, conn):
                if (span := self.open_logins.pop(conn, None)) is not None:
                    span.latest = at
        if isinstance(fact, f.Banned) or (isinstance(fact, f.JoinRefused) and fact.why is Why.BANNED):
            # A NOTICE names a login; while a rename is not known yet, it is taken for whom the core thinks there.
            room = self.core.observed.rooms.get((fact.conn, fact.login))
            if room is not None or isinstance(fact, f.Banned):
                channel = room.channel if room is not None else self.core.observed.addresses.get(fact.login)
                if channel is not None:
                    self.told_out.add(channel)
        if isinstance(fact, f.RetryAsked) and (channel := self.core.observed.names.get(fact.login)) is not None:
            self.told_out.discard(channel)

    def _watch_state(self) -> None:
        o = self.core.observed
        opening = [c for c in o.connections.values() if c.phase == "opening"]
        assert len(opening) <= 1, "one connection is opened at a time"
        # A lowered limit is met by leaving, which takes a moment.
        held, allowed = o.slots_held(), self.core.policy.max_rooms
        assert len(self.sit_in()) <= max(held, allowed)
        assert o.live == {c.ref.id for c in o.channels.values() if c.live}
        for channel in o.channels.values():
            proven = any(room.proven for room in o.rooms_of(channel.ref.id))
            assert (channel.present_since is not None) == proven

    def _watch_join(self, action: JoinRooms) -> None:
        o = self.core.observed
        assert o.slots_held() <= room_cap(self.core.policy, o, self.now), "no JOIN without a room for it"
        for login in action.logins:
            assert self.core.observed.addresses[login] not in self.told_out, "after a ban it stays out"
            self.join_spans[action.conn, login] = span = Span(self.now, self.now + JOIN_IN_FLIGHT)
            self.all_joins.append(span)
        recent = [span for span in self.all_joins if span.latest > self.now - 2 * WINDOW - JOIN_IN_FLIGHT]
        check_window(recent, JOIN_LIMIT)

    # -- Twitch answers ----------------------------------------------------------------------------------------------
    def _perform(self, action: Action) -> None:
        match action:
            case RenewSignIn():
                self._later(self._sign_in)
            case ReadFollows():
                self._later(lambda: [self._read("follows", self._follows)])
            case ReadUsers():
                self._later(lambda: [self._read("users", lambda: self._users(action))])
            case ReadLive():
                self._later(lambda: [self._read("live", lambda: self._live(action))])
            case OpenConnection(conn):
                self._open(conn)
            case CloseConnection(conn):
                self.end(conn, Lost.OURS, freed_late=False)
            case JoinRooms():
                self._watch_join(action)
                self._join(action)
            case PartRooms():
                self._part(action)
            case CheckJwt():
                self._later(lambda: [fp.JwtSeen(self.now, JwtState.GOOD, None, OWN)])
            case FindLoyalty() | ReadLoyalty() | ReadBalance() | ReadItems() | ReadHistory():
                self._watch_read()
                self._later(lambda: [self._elements(action)])
            case SendRedemption():
                raise AssertionError("nobody asked for a redemption")

    def _watch_read(self) -> None:
        """Reads of StreamElements go out one at a time, and never in a rush."""
        self.reads = [at for at in self.reads if at > self.now - 60.0] + [self.now]
        assert len(self.reads) <= 60 / GAP + 2, "far below one a second"

    def _elements(self, action: ElementsRead) -> f.Fact:
        """Every channel is there, and pays the ordinary."""
        if self.elements_down:
            return fp.ElementsFailed(self.now, "any", "502", self.chance.draw())
        match action:
            case FindLoyalty(login):
                owner = self.owner(login)
                found = None if owner is None else LoyaltyChannel(SeId(f"se{owner}"), self.channels[owner])
                return fp.LoyaltyFound(self.now, login, found)
            case ReadLoyalty(channel):
                return fp.LoyaltyRead(self.now, channel, Loyalty(amount=5, interval=600.0))
            case ReadBalance(channel, _, viewer):
                return fp.BalanceRead(self.now, channel, Balance(int(self.now - T0) // 120), viewer)
            case ReadItems(channel):
                return fp.ItemsRead(self.now, channel, ())
            case ReadHistory(own):
                return fp.HistoryRead(self.now, (), own)

    def _sign_in(self) -> list[f.Fact]:
        match self.token:
            case "good":
                return [signed_in(self.now)]
            case "lost":
                return [f.SignInLost(self.now, "the token was revoked")]
            case _:
                return [f.SignInUnknown(self.now, "503", self.chance.draw())]

    def _read(self, what: str, answer: Callable[[], f.Fact]) -> f.Fact:
        if self.helix_down:
            return f.ReadFailed(self.now, what, "502", self.chance.draw())
        return answer()

    def _follows(self) -> f.Fact:
        return f.FollowsRead(self.now, tuple(self.channels[i] for i in self.following))

    def _users(self, ask: ReadUsers) -> f.Fact:
        found = [c for c in self.channels.values() if c.id in ask.ids or c.login in ask.logins]
        return f.UsersRead(
            self.now,
            tuple(found),
            ask.ids - {c.id for c in found},
            ask.logins - {c.login for c in found},
        )

    def _live(self, ask: ReadLive) -> f.Fact:
        covered = set(self.following) if ask.followed_by else set()
        rows = [
            s
            for i, s in self.live.items()
            if i in covered or i in ask.ids or i in ask.followed or s.channel.login in ask.logins
        ]
        return f.LiveRead(self.now, ask.followed | ask.ids, ask.logins, tuple(rows))

    def _open(self, conn: int) -> None:
        self.lines[conn] = line = Line()
        self.open_logins[conn] = span = Span(self.now, self.now + 60.0)
        self.all_logins.append(span)
        check_window([s for s in self.all_logins if s.latest > self.now - 2 * WINDOW - 60], LOGIN_LIMIT)

        def welcome() -> list[f.Fact]:
            if line.gone:
                return []
            if self.chat_down:
                line.gone = True
                return [f.ConnectionLost(self.now, conn, Lost.CONNECT, self.chance.draw())]
            if self.login_refused:
                line.gone = True
                return [f.ConnectionLost(self.now, conn, Lost.LOGIN, self.chance.draw(), "Login authentication failed")]
            line.welcomed = True
            return [f.Welcomed(self.now, conn)]

        self._later(welcome)

    def end(self, conn: int, lost: Lost, freed_late: bool = False, delay: float | None = None) -> None:
        """A connection ends; the core hears of it after a while."""
        line = self.lines[conn]
        if line.gone:
            return
        line.gone = True
        if freed_late:
            rooms = len(line.rooms)
            self.ghosts += rooms
            self._later(lambda: self._free(rooms), 45.0)
        line.rooms.clear()
        self._later(lambda: [f.ConnectionLost(self.now, conn, lost, self.chance.draw())], delay)

    def _free(self, rooms: int) -> list[f.Fact]:
        self.ghosts -= rooms
        return []

    def _join(self, action: JoinRooms) -> None:
        line = self.lines[action.conn]
        self._later(lambda: [f.JoinWritten(self.now, action.conn, action.logins)], 0.0)
        for login in action.logins:
            self._on_line(line, lambda login=login: self._joins(action.conn, line, login))  # type: ignore[misc]

    def _part(self, action: PartRooms) -> None:
        line = self.lines[action.conn]
        for login in action.logins:
            self._on_line(line, lambda login=login: self._parts(action.conn, line, login))  # type: ignore[misc]

    def _on_line(self, line: Line, happen: Callable[[], None]) -> None:
        """What we write arrives in order too."""
        line.heard_until = max(line.heard_until, self.now + self.chance.draw() * self.slow)

        def arrived() -> list[f.Fact]:
            if not line.gone and not line.mute:
                happen()
            return []

        self._later(arrived, line.heard_until - self.now)

    def _joins(self, conn: int, line: Line, login: Login) -> None:
        channel = self.owner(login)
        if self.lose_joins > 0:
            self.lose_joins -= 1
        elif line.deaf_to_joins or channel is None or channel in self.silent:
            pass
        elif channel in self.banned:
            self._say(conn, lambda at: f.JoinRefused(at, conn, login, Why.BANNED))
        elif channel in self.suspended:
            self._say(conn, lambda at: f.JoinRefused(at, conn, login, Why.SUSPENDED))
        elif len(self.sit_in()) + self.ghosts >= self.rooms_allowed:
            self._say(conn, lambda at: f.JoinRefused(at, conn, login, Why.ROOM_LIMIT))
        else:
            line.rooms.add(login)
            self._say(conn, lambda at: f.Joined(at, conn, login))
            self._say(conn, lambda at: f.Joined(at, conn, login, channel))

    def _parts(self, conn: int, line: Line, login: Login) -> None:
        if login not in line.rooms:
            return
        line.rooms.discard(login)
        if self.lose_part_echoes > 0:
            self.lose_part_echoes -= 1
        else:
            self._say(conn, lambda at: f.Parted(at, conn, login))

    def ban(self, number: int) -> None:
        """A streamer bans us: CLEARCHAT and a forced PART wherever we sit."""
        channel = self.channels[ref(number).id]
        self.banned.add(channel.id)
        for conn, line in self.lines.items():
            if not line.gone and channel.login in line.rooms:
                line.rooms.discard(channel.login)
                self._say(conn, lambda at, conn=conn: f.Banned(at, conn, channel.login))  # type: ignore[misc]
                self._say(conn, lambda at, conn=conn: f.Parted(at, conn, channel.login))  # type: ignore[misc]

    def put_out(self, number: int) -> None:
        """Only the forced PART is told."""
        channel = self.channels[ref(number).id]
        for conn, line in self.lines.items():
            if not line.gone and channel.login in line.rooms:
                line.rooms.discard(channel.login)
                self._say(conn, lambda at, conn=conn: f.Parted(at, conn, channel.login))  # type: ignore[misc]


def check_window(spans: Sequence[Span], limit: int) -> None:
    """However the attempts arrived within their spans: no 10 s hold more than `limit`."""
    for first in spans:
        end = first.latest + WINDOW
        within = sum(1 for span in spans if span.earliest <= end and span.latest >= first.latest)
        assert within <= limit, f"{within} attempts may have been counted within {WINDOW} s"


def check_agrees(world: World) -> None:
    """The core thinks what is so."""
    o = world.core.observed
    thinks = {(c, login) for (c, login), room in o.rooms.items() if room.state is State.PRESENT}
    is_so = {(c, login) for c, line in world.lines.items() if not line.gone for login in line.rooms}
    assert thinks == is_so
