"""What really happened, as numbers: the sandbox's own word, against which a client's is judged. Pure.

`Journal` is what the servers note down while they run (attempts, connections, calls, oddities). `Tally` is the sum of
it and of the world's intervals at one moment; `capture` in it is present time while live, divided by live time, over
the followed channels. Only streams of kind "live" count: a repetition earns nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from allthepoints.sim.elements import Elements, Redemption
from allthepoints.sim.limits import AttemptWindow
from allthepoints.sim.world import Span, User, World

MANY = 1_000_000_000

HEALED = "heal"
"""What stands in the journal for faults that were forgotten before their time."""

ERRORS_KEPT = 200
"""Oddities kept in words; the count goes on."""


@dataclass(frozen=True, slots=True)
class ChannelTally:
    """One channel. `live` and `sat` are intervals in seconds from the sandbox's start."""

    id: str
    login: str
    followed: bool
    live_s: float
    present_s: float
    """Present while live."""
    rerun_s: float
    capture: float | None
    """present_s / live_s; None if it was never live."""
    points_paid: int
    points_possible: int
    """What someone in the chat from each stream's start to its end would have got."""
    balance: int | None
    """Points that the account has there now; None: no StreamElements there."""
    live: tuple[tuple[float, float], ...]
    sat: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class JoinAfterBan:
    """One JOIN of a room from which the account was banned. Seconds from the sandbox's start."""

    at: float
    channel: str
    """Its id."""
    told_at: float | None
    """When the account was told of the ban; None: it could not know."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One redemption that StreamElements took: it cost its points. `at` in seconds from the sandbox's start."""

    id: str
    at: float
    channel: str
    """Its id at Twitch."""
    item: str
    name: str
    cost: int
    input: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Tally:
    """The whole, for one account. Seconds of the sandbox's clock."""

    account: str
    simulated_s: float
    live_s: float
    present_s: float
    reachable_s: float
    """Live time that the room cap allows: at no moment more channels than rooms."""
    capture: float
    points_paid: int
    points_possible: int
    connections: int
    """Chat connections that were accepted, anonymous ones and those that never signed in too."""
    logins: int
    """Attempts to sign in to chat."""
    welcomes: int
    reconnects: int
    """Welcomes that took the place of a connection that was lost, closed or told to reconnect."""
    logins_worst: int
    """The most attempts in any 10 s."""
    login_limit_violations: int
    joins: int
    """JOIN attempts; each channel of a comma list is one."""
    joins_worst: int
    join_limit_violations: int
    joins_after_ban: int
    """JOINs of rooms from which the account was banned, whether it could know or not."""
    joins_after_told: int
    """Those of them that came after the server's word of the ban had reached the account."""
    after_ban: tuple[JoinAfterBan, ...]
    rooms_now: int
    rooms_peak: int
    refresh_reuse: int
    """A single-use refresh token that was sent again."""
    refresh_reuse_early: int
    """Those of them that were sent while the access token that had come with it was good."""
    refreshes: int
    helix_calls: dict[str, int]
    oauth_calls: dict[str, int]
    helix_limited: int
    """Calls answered 429 because the points were used up (not those by a fault)."""
    elements_calls: dict[str, int]
    """Calls to StreamElements by kind: points, items, redeem, ..."""
    elements_limited: int
    """Calls answered 429 because there were too many in that minute (not those by a fault)."""
    elements_worst_minute: int
    """The most calls in any 60 s."""
    redemption_calls: int
    """POSTs that asked for a redemption, whatever came of them."""
    redemptions: tuple[Taken, ...]
    """Those that were taken, in order."""
    chat_lines_sent: int
    protocol_errors: tuple[str, ...]
    protocol_error_count: int
    faults: dict[str, int]
    """Faults that were applied or armed, by name."""
    channels: tuple[ChannelTally, ...]


@dataclass(frozen=True, slots=True)
class Befallen:
    """A fault that was ordered. `given`: its parameters in full; a channel by its id, a connection by its number (if
    the fault lies in wait for that one alone). Epoch seconds. HEALED: those of this `name`, or all, are forgotten."""

    at: float
    name: str
    given: Mapping[str, Any]
    whom: str = ""
    """The id of the account that it is about."""


@dataclass(slots=True)
class Attempts:
    """An account's attempts at the chat server."""

    joins: AttemptWindow
    logins: AttemptWindow
    welcomes: int = 0
    unreplaced: int = 0
    """Connections of the account that ended (or were told to) and that no welcome has replaced yet."""
    reconnects: int = 0
    after_ban: list[tuple[float, str, float | None]] = field(default_factory=list)
    """JOINs of rooms from which it was banned: when, the channel's id, and when it had been told (None: never)."""
    told: dict[str, float] = field(default_factory=dict)
    """Bans by channel id, and when the account was told: a CLEARCHAT, a forced PART or a msg_banned was written to a
    connection of its that stood long enough for it to be read."""
    rooms_peak: int = 0
    over_rooms: int = 0
    """JOINs that were refused because it sat, on connections that work, in as many rooms as it may have."""
    slots_held: int = 0
    """JOINs that were refused because rooms of connections that had ended still counted."""
    chat_lines: int = 0

    def welcomed(self) -> None:
        self.welcomes += 1
        if self.unreplaced:
            self.unreplaced -= 1
            self.reconnects += 1


@dataclass(slots=True)
class Journal:
    """What the servers note down. `login_limit` and `join_limit`: attempts in `span` seconds."""

    join_limit: int = 20
    login_limit: int = 20
    span: float = 10.0
    connections: int = 0
    refreshes: int = 0
    refresh_reuse: int = 0
    refresh_reuse_early: int = 0
    helix: Counter[str] = field(default_factory=Counter)
    oauth: Counter[str] = field(default_factory=Counter)
    helix_limited: int = 0
    elements: Counter[str] = field(default_factory=Counter)
    elements_limited: int = 0
    elements_window: AttemptWindow = field(default_factory=lambda: AttemptWindow(MANY, 60.0))
    redemption_calls: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    befallen: list[Befallen] = field(default_factory=list)
    """Every one of these faults, in order."""
    errors: list[str] = field(default_factory=list)
    error_count: int = 0
    _attempts: dict[str, Attempts] = field(default_factory=dict)

    def of(self, user_id: str) -> Attempts:
        """The attempts of an account; `user_id` may also be what an unknown client called itself."""
        if user_id not in self._attempts:
            joins = AttemptWindow(self.join_limit, self.span)
            self._attempts[user_id] = Attempts(joins, AttemptWindow(self.login_limit, self.span))
        return self._attempts[user_id]

    def odd(self, text: str) -> None:
        """A client did what a Twitch client must not. `text` holds no secret and nothing of a chat line."""
        self.error_count += 1
        if len(self.errors) < ERRORS_KEPT:
            self.errors.append(text)

    @property
    def chat_lines(self) -> int:
        return sum(attempts.chat_lines for attempts in self._attempts.values())


def count(
    world: World, elements: Elements, journal: Journal, account: User, started_at: float, now: float, room_cap: int
) -> Tally:
    """The tally of `account` from `started_at` to `now`."""
    followed = world.follows.get(account.id, {})
    channels = tuple(
        _channel(world, elements, channel, account, channel.id in followed, started_at, now)
        for channel in world.users.values()
        if channel.streams or (channel.id, account.id) in world.sat
    )
    own = elements.of(account)
    counted = [channel for channel in channels if channel.followed]
    live_s = sum(channel.live_s for channel in counted)
    present_s = sum(channel.present_s for channel in counted)
    attempts = journal.of(account.id)
    return Tally(
        account=account.login,
        simulated_s=now - started_at,
        live_s=live_s,
        present_s=present_s,
        reachable_s=capped((span for channel in counted for span in channel.live), room_cap),
        capture=present_s / live_s if live_s else 1.0,
        points_paid=sum(channel.points_paid for channel in counted),
        points_possible=sum(channel.points_possible for channel in counted),
        connections=journal.connections,
        logins=attempts.logins.attempts,
        welcomes=attempts.welcomes,
        reconnects=attempts.reconnects,
        logins_worst=attempts.logins.worst,
        login_limit_violations=attempts.logins.violations,
        joins=attempts.joins.attempts,
        joins_worst=attempts.joins.worst,
        join_limit_violations=attempts.joins.violations,
        joins_after_ban=len(attempts.after_ban),
        joins_after_told=sum(told_at is not None for _, _, told_at in attempts.after_ban),
        after_ban=tuple(
            JoinAfterBan(at - started_at, channel, None if told_at is None else told_at - started_at)
            for at, channel, told_at in attempts.after_ban
        ),
        rooms_now=len(world.rooms(account.id)),
        rooms_peak=attempts.rooms_peak,
        refresh_reuse=journal.refresh_reuse,
        refresh_reuse_early=journal.refresh_reuse_early,
        refreshes=journal.refreshes,
        helix_calls=dict(journal.helix),
        oauth_calls=dict(journal.oauth),
        helix_limited=journal.helix_limited,
        elements_calls=dict(journal.elements),
        elements_limited=journal.elements_limited,
        elements_worst_minute=journal.elements_window.worst,
        redemption_calls=journal.redemption_calls,
        redemptions=tuple(_taken(one, started_at) for one in elements.bought_by(own.id if own else "")),
        chat_lines_sent=journal.chat_lines,
        protocol_errors=tuple(journal.errors),
        protocol_error_count=journal.error_count,
        faults=dict(journal.faults),
        channels=channels,
    )


def _taken(one: Redemption, started_at: float) -> Taken:
    return Taken(
        id=one.id,
        at=one.at - started_at,
        channel=one.channel.owner.id,
        item=one.item.id,
        name=one.item.name,
        cost=one.cost,
        input=one.answers,
        message=one.message or "",
    )


def _channel(
    world: World, elements: Elements, channel: User, account: User, followed: bool, started_at: float, now: float
) -> ChannelTally:
    broadcasts: list[Span] = [(s.started_at, s.ended_at) for s in channel.streams if s.kind == "live"]
    repetitions = [(s.started_at, s.ended_at) for s in channel.streams if s.kind != "live"]
    live = clip(broadcasts, started_at, now)
    sat_spans = world.sat.get((channel.id, account.id), [])
    sat = clip(sat_spans, started_at, now)
    live_s, present_s = length(live), overlap(live, sat)
    pays = elements.of(channel)
    return ChannelTally(
        id=channel.id,
        login=channel.login,
        followed=followed,
        live_s=live_s,
        present_s=present_s,
        rerun_s=length(clip(repetitions, started_at, now)),
        capture=present_s / live_s if live_s else None,
        points_paid=0 if pays is None else elements.earned(pays, account, now).points,
        points_possible=0 if pays is None else elements.possible(pays, account, now).points,
        balance=None if pays is None else elements.balance(pays, account, now),
        live=tuple((start - started_at, end - started_at) for start, end in live),
        sat=tuple((start - started_at, end - started_at) for start, end in sat),
    )


# -- arithmetic of intervals: ascending, none overlapping another ------------------------------------------------------
def clip(spans: Iterable[Span], start: float, end: float) -> list[tuple[float, float]]:
    """The parts of the intervals that lie within [start, end]; an open one goes on to the end."""
    cut = ((max(since, start), end if until is None else min(until, end)) for since, until in spans)
    return [(since, until) for since, until in cut if until > since]


def length(spans: Iterable[tuple[float, float]]) -> float:
    """Seconds in all."""
    return sum(until - since for since, until in spans)


def overlap(one: list[tuple[float, float]], other: list[tuple[float, float]]) -> float:
    """Seconds that lie in both."""
    total, i, j = 0.0, 0, 0
    while i < len(one) and j < len(other):
        total += max(0.0, min(one[i][1], other[j][1]) - max(one[i][0], other[j][0]))
        if one[i][1] <= other[j][1]:
            i += 1
        else:
            j += 1
    return total


def capped(spans: Iterable[tuple[float, float]], cap: int) -> float:
    """Seconds under the curve "how many of these go on", cut off at `cap`."""
    edges = sorted(edge for since, until in spans for edge in ((since, 1), (until, -1)))
    total, going_on, before = 0.0, 0, 0.0
    for at, step in edges:
        total += min(going_on, cap) * (at - before)
        going_on, before = going_on + step, at
    return total
