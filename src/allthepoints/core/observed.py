"""Observed: everything the program knows, owned by one loop and changed only by `apply` and `intend`.

The classes here hold state and answer questions about it; they decide nothing. Times are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from allthepoints.base.budget import Window
from allthepoints.base.types import Login, StreamId, UserId
from allthepoints.core.changes import Changes
from allthepoints.core.elements import Elements
from allthepoints.core.facts import HelixPoints
from allthepoints.core.model import Account, ChannelRef, Stream, StreamKind
from allthepoints.core.policy import JOIN_IN_FLIGHT, JOIN_LIMIT, LOGIN_LIMIT, WINDOW, WINDOW_MARGIN, Policy
from allthepoints.core.presence import State
from allthepoints.core.refusals import Refusal

UNRANKED = 1_000_000
"""Place among the follows of a channel that Helix listed as followed and live before the follows were read."""


@dataclass(slots=True)
class Channel:
    """One channel. `live` is three-valued: None is unknown. `stream` is the present, or the last, session."""

    ref: ChannelRef
    followed: int | None = None
    live: bool | None = None
    stream: Stream | None = None
    seen_at: float = 0.0
    missed_since: float | None = None
    refusal: Refusal | None = None
    present_since: float | None = None
    unanswered: int = 0
    """JOINs in a row that nobody answered."""
    ask_not_before: float = 0.0
    silent_on: int | None = None
    """The connection on which a JOIN was first left unanswered: a room's silence speaks against one connection only."""
    silent_at: float = 0.0
    """When the last JOIN was given up that nobody answered."""
    left: tuple[int, float] | None = None
    """Our last PART from this chat: on which connection, and when."""
    settled: UserId | None = None
    """An id that the server gave to its room, though Helix has confirmed since that the login is this channel's."""
    look_up: bool = False
    """Its JOINs are not answered, or its login is somebody else's: ask Helix where it is now."""

    def stream_id(self) -> StreamId | None:
        """The session on the air now."""
        return self.stream.id if self.live and self.stream else None

    @property
    def earns(self) -> bool:
        """Whether a live stream is on the air, which alone earns points."""
        return bool(self.live) and self.stream is not None and self.stream.kind is StreamKind.LIVE

    def ask_afresh(self) -> None:
        """Nothing is held against the next JOIN."""
        self.unanswered, self.ask_not_before, self.look_up = 0, 0.0, False
        self.silent_on, self.silent_at = None, 0.0


class Phase(StrEnum):
    """How far a connection is."""

    OPENING = "opening"
    READY = "ready"
    CLOSING = "closing"


@dataclass(slots=True)
class Connection:
    """One chat connection. `retiring`: a replacement must take its rooms. `doomed`: it is certainly dead; close it."""

    conn: int
    phase: Phase = Phase.OPENING
    welcomed_at: float | None = None
    retiring: bool = False
    doomed: bool = False
    unanswered: int = 0
    """JOINs in a row on this connection that nobody answered."""
    mute_since: float | None = None
    """It takes no JOINs any more, it seems; what rooms it has are as good as ever (`core.silence`)."""

    @property
    def stands(self) -> bool:
        """Whether its rooms are to stay."""
        return self.phase is Phase.READY and not self.retiring and not self.doomed

    @property
    def usable(self) -> bool:
        """Whether it may be given rooms."""
        return self.stands and self.mute_since is None


@dataclass(slots=True)
class Room:
    """A channel's chat on one connection; `core.presence` has the states. `written_at`: the JOIN or PART left us."""

    conn: int
    login: Login
    channel: UserId
    state: State
    written_at: float | None = None
    part_owed_until: float = 0.0
    joined_at: float = 0.0
    """When the server last said that we are in."""
    proven: bool = False
    """The server said that we are in, and has not said otherwise since."""
    stranger: UserId | None = None
    """The server gave this id to the room, and it is not our channel's: ours may have moved. Helix is asked."""
    spent: bool = True
    """The JOIN on its way has been booked in the JOIN window."""

    @property
    def holds_slot(self) -> bool:
        return self.state is not State.ABSENT


class SignIn(StrEnum):
    """What we know of our token."""

    UNCHECKED = "unchecked"
    GOOD = "good"
    DOUBTED = "doubted"
    """The chat refused it: refresh before anything else."""
    LOST = "lost"


@dataclass(slots=True)
class Standing:
    """Our sign-in. `since`: when this state began. `pending`: a check is under way; `renewing`: it refreshes first."""

    state: SignIn = SignIn.UNCHECKED
    since: float = 0.0
    pending: bool = False
    renewing: bool = False
    checked_at: float = 0.0
    failures: int = 0
    failing_since: float | None = None
    not_before: float = 0.0
    chat_refusals: int = 0
    """Chat refused a token that validates, in a row."""
    refused_since: float | None = None
    text: str = ""
    expires_at: float | None = None


@dataclass(slots=True)
class Read:
    """One kind of Helix read. `failing_since` is the first failure of the present row of failures."""

    pending: bool = False
    begun_at: float = 0.0
    done_at: float | None = None
    again: bool = False
    """Somebody came to be meant while it was under way: its answer does not speak of all."""
    failures: int = 0
    failing_since: float | None = None
    not_before: float = 0.0
    error: str = ""


@dataclass(slots=True)
class RoomCap:
    """The server said that our rooms are full at `rooms`; until then we believe it, after it we try one more."""

    rooms: int
    until: float
    since: float
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Roster:
    """Whom the policy means: ids by the way in which Helix is asked about them. Recomputed when either changes."""

    policy: Policy
    followed: frozenset[UserId]
    others: frozenset[UserId]
    unresolved: frozenset[Login]
    rank: dict[UserId, int]
    """Place by explicit priority."""
    included: dict[UserId, int]
    """Place in the include list."""
    barred: frozenset[UserId]
    """Excluded or paused."""


Rank = tuple[int, int, bool, float, int, int, UserId]
"""What decides who comes first, from left to right (`core.desired`)."""


@dataclass(slots=True)
class Queue:
    """Who wants a room, best first, as of a count of changes; it holds for this policy and these names, from `at` on,
    until just before `until`."""

    policy: Policy
    names: Roster
    count: int
    at: float
    until: float
    wished: frozenset[UserId]
    ranks: dict[UserId, Rank]
    order: list[UserId]


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing is to be done about connections and rooms, as of a count of changes of the chat, for who has a slot; from
    `at` on, until just before `until` (None: until something happens)."""

    policy: Policy
    count: int
    slots: list[UserId]
    at: float
    until: float | None


@dataclass(slots=True)
class Observed:
    """The whole state."""

    account: Account | None = None
    may_read_follows: bool = False
    sign_in: Standing = field(default_factory=Standing)

    channels: dict[UserId, Channel] = field(default_factory=dict)
    names: dict[Login, UserId] = field(default_factory=dict)
    """Every login by which we ever knew a channel. The first channel that bore a name keeps it for the config's sake:
    whoever takes a freed login is somebody else."""
    addresses: dict[Login, UserId] = field(default_factory=dict)
    """Who is at which login now, by Helix's last word."""
    not_found: dict[Login, float] = field(default_factory=dict)
    """Logins that Helix does not know, and when it said so."""
    live: set[UserId] = field(default_factory=set)
    """Channels with live=True; kept beside them because nearly all channels are offline nearly always."""
    offline: set[UserId] = field(default_factory=set)
    """Channels with live=False, of whom a poll that misses them says nothing new."""
    told: dict[UserId, StreamId] = field(default_factory=dict)
    """The last session of each channel that was announced: it is never announced again."""
    roster: Roster | None = None
    changes: Changes = field(default_factory=Changes)
    silent: tuple[int, frozenset[UserId]] | None = None
    """Live channels whose `look_up` is set, as of a count of changes of the chat."""
    queue: Queue | None = None
    """What `desired` answered last."""
    rest: Rest | None = None
    """What `plan` found last where nothing was to be done in the chat."""

    connections: dict[int, Connection] = field(default_factory=dict)
    rooms: dict[tuple[int, Login], Room] = field(default_factory=dict)
    last_conn: int = 0
    connect_failures: int = 0
    open_not_before: float = 0.0
    disconnected_since: float | None = None
    answered_at: float = 0.0
    """When anybody last answered a JOIN."""
    join_times: tuple[float, ...] = ()
    login_times: tuple[float, ...] = ()
    cap: RoomCap | None = None

    reads: dict[str, Read] = field(default_factory=lambda: {"live": Read(), "follows": Read(), "users": Read()})
    users_checked_at: float = 0.0
    stale: bool = True
    """Nobody was asked who is live since the start, or since the host woke: join nobody on old knowledge."""
    stale_since: float = 0.0
    points: HelixPoints | None = None
    elements: Elements = field(default_factory=Elements)
    last_account: UserId | None = None
    """Whose balances are remembered."""
    config_error: tuple[float, str] | None = None
    config_restart: tuple[float, tuple[str, ...]] | None = None
    """Keys of the config that say something else than what runs, and since when that is so."""
    storage_error: tuple[float, str] | None = None

    def called(self, login: Login) -> Channel | None:
        """The channel that has this login now."""
        channel = self.addresses.get(login)
        return None if channel is None else self.channels[channel]

    def silent_now(self) -> frozenset[UserId]:
        """The live channels of whom Helix is to be asked where they are."""
        if self.silent is None or self.silent[0] != self.changes.chat:
            self.silent = self.changes.chat, frozenset(i for i in self.live if self.channels[i].look_up)
        return self.silent[1]

    def rooms_of(self, channel: UserId) -> Iterator[Room]:
        """The rooms of one channel, over all connections."""
        return (room for room in self.rooms.values() if room.channel == channel)

    def rooms_on(self, conn: int) -> list[Room]:
        """The rooms of one connection; they may be changed and removed on the way."""
        return [room for room in self.rooms.values() if room.conn == conn]

    def rooms_by_channel(self) -> dict[UserId, list[Room]]:
        """The rooms of all channels that have any; one pass, for those who ask about many."""
        rooms: dict[UserId, list[Room]] = {}
        for room in self.rooms.values():
            rooms.setdefault(room.channel, []).append(room)
        return rooms

    def usable(self) -> list[Connection]:
        """Connections that may be given rooms."""
        return [connection for connection in self.connections.values() if connection.usable]

    def slots_held(self) -> int:
        """Rooms that count against the account's limit, each connection's for itself (whether Twitch counts a room on
        two connections once or twice is not known; twice is safe)."""
        return len([room for room in self.rooms.values() if room.state is not State.ABSENT])

    def join_window(self, now: float) -> Window:
        """The JOIN budget, with the JOINs that are still on their way counted at the latest time they could arrive."""
        on_the_way = [arrival(room, now) for room in self.rooms.values() if not room.spent]
        return Window(JOIN_LIMIT, WINDOW + WINDOW_MARGIN, tuple(sorted((*self.join_times, *on_the_way))))

    def login_window(self, now: float) -> Window:
        """The login budget; a connection that is not welcomed yet may log in this very moment."""
        on_the_way = [now for connection in self.connections.values() if connection.welcomed_at is None]
        return Window(LOGIN_LIMIT, WINDOW + WINDOW_MARGIN, tuple(sorted((*self.login_times, *on_the_way))))


def arrival(room: Room, now: float) -> float:
    """The latest time, up to now, at which the server may have counted this room's JOIN."""
    return now if room.written_at is None else min(now, room.written_at + JOIN_IN_FLIGHT)


def roster(policy: Policy, observed: Observed) -> Roster:
    """Whom the policy means among the channels we know."""
    known = observed.roster
    if known is None or known.policy is not policy:
        known = observed.roster = _roster(policy, observed)
    return known


def _roster(policy: Policy, observed: Observed) -> Roster:
    names = observed.names
    barred = frozenset(names[n] for n in (*policy.exclude, *policy.paused) if n in names) | frozenset(
        c.ref.id for c in observed.channels.values() if c.ref.login in policy.exclude or c.ref.login in policy.paused
    )
    included = {names[n]: place for place, n in reversed(list(enumerate(policy.include))) if n in names}
    followed = (
        frozenset(i for i, c in observed.channels.items() if c.followed is not None) if policy.followed else frozenset()
    )
    return Roster(
        policy=policy,
        followed=followed,
        others=frozenset(i for i in included if i not in followed and i not in barred),
        unresolved=frozenset(n for n in policy.include if n not in names),
        rank={names[n]: place for place, n in reversed(list(enumerate(policy.priority))) if n in names},
        included=included,
        barred=barred,
    )
