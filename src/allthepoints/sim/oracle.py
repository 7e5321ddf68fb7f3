"""The oracle: the most that any client could have been present in a world, from what really happened in it. Pure.

Theory. A client's presence is the sum over the followed channels of the time for which it sat there while they were
live. `best` bounds that sum from above, for every client that keeps Twitch's limits and enters a chat only once Helix
has shown its channel live. It knows the world and the journal alone, never what a client did.

For each channel some moments are *closed*: no such client can sit there.

* Before Helix could first tell. From the moment at which its cache shows a stream of the channel, at the first instant
  at which one of the calls that list streams is answered. How often to look is the client's own choice (Helix allows
  thirteen calls a second), so nothing is forgiven for it. After that first time the room may be kept for ever.
* From a ban to its end.
* Where a room is barred to the account without a ban, who is in it stays; but no JOIN is taken until the bar's end.
* From a new login until Helix can be asked for it: everybody was put out, and JOIN takes the new name.
* After a *cut*, that is, all connections of the account ended at one moment, until somebody can log in again: the
  logins are answered, and there is a token that is good (one that expired is renewed, once OAuth answers; one that was
  revoked stays so, for no client can sign in for the person).

Whoever has to enter needs a JOIN that is taken: where JOINs are lost or answered late for a while, a closed time lasts
until the first can arrive. What is open and live is the channel's *reach*. The sum of the reaches is still too much, by

* the budget: of those that open at one moment 20 are entered at once, 20 more 10 s later, and so on. Who has to wait is
  chosen best: those whose reach ends first. So at each moment the count is the smaller of "open" and "joined by then";
* the cap: at no moment more rooms than the account may have, but for those that do not count (its own, moderated ones).

It is a bound: each step takes away only what nobody can have. What is given away, always in the client's favour:

* A fault that strikes one connection (the oldest, the newest) costs nothing, for one may sit in each room on two.
* Half-open connections cost nothing: the rooms count until the server gives up, and one may be back before. For as long
  as that may take, a cut is none: the deaf connection is not cut.
* A fault that strikes n times costs nothing: it can be drawn at a time when nothing is at stake.
* RECONNECT costs nothing unless it closes at once: there is time to open another connection first.
* JOINs that are wanted at different moments do not wait for each other. Rooms held by slow slots do not count.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from allthepoints.sim.limits import Limits
from allthepoints.sim.tally import HEALED, Befallen, Journal, capped, clip, length
from allthepoints.sim.world import User, World

Spans = list[tuple[float, float]]
"""Intervals: ascending, none meeting another."""


@dataclass(frozen=True, slots=True)
class Best:
    """Seconds, over the followed channels together. `closed`: live seconds that nobody can have, by cause; where two
    causes meet, the first of the list has it."""

    live_s: float
    possible_s: float
    closed: Mapping[str, float]
    """unknown, banned, renamed, cut; budget and cap."""
    reach: Mapping[str, Spans]
    """By channel id: when it could be sat in while live, but for budget and cap. Seconds from the start."""
    cuts: tuple[tuple[float, float], ...]
    """When all connections were lost, and when one could be had again. Seconds from the start."""
    falls: tuple[Fall, ...]
    """The same of all that lost any connection, at once, with notice or in silence; the oracle forgives nothing for
    those that lost one of two."""

    @property
    def capture(self) -> float:
        """What share of the live time could be had."""
        return self.possible_s / self.live_s if self.live_s else 1.0

    def share(self, present_s: float) -> float:
        """What a client had of what it could have."""
        return present_s / self.possible_s if self.possible_s else 1.0


@dataclass(frozen=True, slots=True)
class Fall:
    """Connections that end, one or all. Seconds from the start."""

    since: float
    """When it could be known: a RECONNECT is told some time before; else the end itself. A connection through which
    nothing gets any more is silent from then on."""
    at: float
    """By then whoever sat on them is out, if the client did nothing."""
    again: float
    """When somebody can log in again."""
    silent: bool = False


def best(world: World, journal: Journal, account: User, limits: Limits, started_at: float, now: float) -> Best:
    """The bound for `account` from `started_at` to `now`."""
    happened = _Happened(journal.befallen, account.id, limits)
    cuts = happened.cuts()
    closed: dict[str, float] = dict.fromkeys(("unknown", "banned", "renamed", "cut"), 0.0)
    rooms = []
    for channel in (world.users[followed] for followed in world.follows.get(account.id, {})):
        live = clip(((s.started_at, s.ended_at) for s in channel.streams if s.kind == "live"), started_at, now)
        room = _Room(channel.id, world.exempt(account.id, channel.id), length(live), live)
        for cause, spans in _closed(channel, happened, cuts, started_at):
            closed[cause] += room.close(spans)
        rooms.append(room)
    reached = sum(length(room.open) for room in rooms)
    entered = _within_budget(rooms, limits)
    joined = sum(map(length, entered.values()))
    possible = sum(length(entered[room.id]) for room in rooms if room.exempt)
    possible += capped((span for room in rooms if not room.exempt for span in entered[room.id]), limits.rooms)
    return Best(
        live_s=sum(room.live_s for room in rooms),
        possible_s=possible,
        closed={**closed, "budget": reached - joined, "cap": joined - possible},
        reach={room.id: [(begin - started_at, end - started_at) for begin, end in room.open] for room in rooms},
        cuts=tuple((begin - started_at, end - started_at) for begin, end in cuts),
        falls=tuple(
            Fall(fall.since - started_at, fall.at - started_at, fall.again - started_at, fall.silent)
            for fall in happened.falls()
        ),
    )


@dataclass(slots=True)
class _Room:
    """A channel's chat. `open`: what of its live time is not closed, parted wherever a JOIN is needed."""

    id: str
    exempt: bool
    live_s: float
    open: Spans
    doors: set[float] = field(default_factory=set)
    """When a closed time ends: whoever sits there from then on has sent a JOIN no earlier."""

    def close(self, spans: Spans) -> float:
        """Nobody sits there then. A time without length puts everybody out all the same. Answers the seconds lost."""
        before = length(self.open)
        for begin, end in spans:
            self.doors.add(end)
            parts = [(since, until) for since, until in self.open if until <= begin or since >= end]
            for since, until in self.open:
                if since < end and begin < until:
                    parts += [part for part in ((since, begin), (end, until)) if part[0] < part[1]]
            self.open = sorted(parts)
        return before - length(self.open)


def _closed(channel: User, happened: _Happened, cuts: Spans, started_at: float) -> Iterable[tuple[str, Spans]]:
    """When nobody can sit in a channel's chat, by cause."""

    def until_joined(spans: Iterable[tuple[float, float]]) -> Spans:
        return [(begin, happened.joined(channel.id, end)) for begin, end in spans]

    shown = (
        happened.told(channel.id, max(one.shown_at, started_at), inf if one.hidden_at is None else one.hidden_at)
        for one in channel.streams
    )
    yield "unknown", until_joined([(-inf, min(shown, default=inf))])
    yield "banned", until_joined(happened.banned(channel.id))
    yield "renamed", until_joined((at, happened.named(at)) for at in happened.renamed(channel.id))
    yield "cut", until_joined(cuts)


# -- what happened ---------------------------------------------------------------------------------------------------
LISTS = ("/helix/streams", "/helix/streams/followed")
"""Calls that tell who is live."""

NAMES = (*LISTS, "/helix/users", "/helix/channels/followed")
"""Calls that tell a channel's login."""

TOKEN = ("/oauth2/token",)

FAILS = ("status", "hang", "reset_http", "body")
"""Faults after which a call tells nothing."""

NO_LOGIN = ("close_after_nick", "refuse_login", "no_welcome")

CUTS = ("reset", "fin", "reconnect", "reconnect_with_channel", "expire_token", "revoke")

SILENT = "half_open"
"""Nothing gets through any more, and nobody is told."""

ALL = ("all", None)
"""Of which connections it says that they end: none says which where all do."""

DOWN = "chat_down"
"""Cuts all, and lets nobody in for a while."""


class _Happened:
    """The journal's faults as times at which something cannot be done. Epoch seconds."""

    def __init__(self, befallen: Sequence[Befallen], account: str, limits: Limits) -> None:
        self._befallen = befallen
        self._account = account
        self._deaf_for = limits.ping_every + limits.pong_within
        self._no_lists = self._without_answer(LISTS)
        self._no_names = self._without_answer(NAMES)
        self._no_token = self._without_answer(TOKEN)
        down = [(one.at, one.at + one.given["seconds"]) for one in befallen if one.name == DOWN]
        self._no_login = merged([*map(self._span, self._outages(*NO_LOGIN)), *down])
        self._lost_joins = self._outages("lose_join", "ghost_joins")
        self._late_joins = self._outages("late_ack")

    def told(self, channel: str, shown_at: float, hidden_at: float) -> float:
        """When Helix can first tell that a stream goes on; inf: never."""
        hides = (self._span(one) for one in self._outages("flap", "empty_streams") if _about(one, channel))
        at = after(merged([*self._no_lists, *hides]), shown_at)
        return at if at < hidden_at else inf

    def named(self, at: float) -> float:
        """When Helix can first be asked for a login."""
        return after(self._no_names, at)

    def joined(self, channel: str, at: float) -> float:
        """When a JOIN that is wanted at that time can first be taken."""
        lost = merged([*(self._span(one) for one in self._lost_joins if _about(one, channel)), *self._barred(channel)])
        late = [(*self._span(one), one.given["delay"]) for one in self._late_joins if _about(one, channel)]
        sent = [after(lost, moment) for moment in (at, *(end for _, end, _ in late if end > at))]
        return min(
            moment + min((delay for begin, end, delay in late if begin <= moment < end), default=0.0) for moment in sent
        )

    def banned(self, channel: str) -> Spans:
        """From each ban to its end."""
        return self._held(channel, {"ban": True, "put_out": True, "unban": False})

    def _barred(self, channel: str) -> Spans:
        """From each bar to its end."""
        return self._held(channel, {"bar": True})

    def _held(self, channel: str, names: Mapping[str, bool]) -> Spans:
        """From what begins it to what ends it: `names` says which does what, but for those that say it themselves."""
        spans: list[tuple[float, float]] = []
        since: float | None = None
        for one in self._befallen:
            if one.name not in names or one.whom != self._account or one.given.get("channel") != channel:
                continue
            if one.given.get("on", names[one.name]):
                since = one.at if since is None else since
            elif since is not None:
                spans.append((since, one.at))
                since = None
        return spans if since is None else [*spans, (since, inf)]

    def renamed(self, channel: str) -> list[float]:
        """When it got another login."""
        return [one.at for one in self._befallen if one.name == "rename" and one.given["channel"] == channel]

    def cuts(self) -> Spans:
        """When all connections ended at once, until somebody can log in again; also those that are over at once."""
        ends = [one for one in self._befallen if self._ends(one) and one.given.get("connection") in ALL]
        return [(one.at, self._logged_in(one.at)) for one in ends if not self._delay(one) and not self._deaf(one)]

    def falls(self) -> list[Fall]:
        """When any connection ends."""
        return [self._fall(one) for one in self._befallen if self._ends(one, SILENT) and not self._deaf(one)]

    def _fall(self, one: Befallen) -> Fall:
        silent = one.name == SILENT
        at = one.at + (self._deaf_for if silent else self._delay(one))
        return Fall(one.at, at, self._logged_in(one.at if silent else at), silent)

    def _ends(self, one: Befallen, *others: str) -> bool:
        if one.name in ("expire_token", "revoke"):
            return bool(one.given["cut_chat"]) and one.whom == self._account
        return one.name in (DOWN, *CUTS, *others)

    def _delay(self, one: Befallen) -> float:
        """Seconds between the word of an end and the end."""
        return float(one.given.get("delay") or 0.0)

    def _deaf(self, one: Befallen) -> bool:
        """Whether a connection that fell silent before may still be there."""
        silent = (other for other in self._befallen if other.name == SILENT and other is not one)
        return any(other.at <= one.at < other.at + self._deaf_for for other in silent)

    def _logged_in(self, at: float) -> float:
        """When somebody without a connection can have one again."""
        expired = [one.at for one in self._befallen if one.name == "expire_token" and one.whom == self._account]
        tokenless = merged((when, after(self._no_token, when)) for when in expired)
        revoked = [(one.at, inf) for one in self._befallen if one.name == "revoke" and one.whom == self._account]
        return after(merged([*self._no_login, *tokenless, *revoked]), at)

    def _without_answer(self, paths: tuple[str, ...]) -> Spans:
        """When none of these calls is answered."""
        down = None
        for path in paths:
            faults = (one for one in self._outages(*FAILS) if path.startswith(one.given["path"]))
            spans = merged(self._span(one) for one in faults)
            down = spans if down is None else both(down, spans)
        return down or []

    def _outages(self, *names: str) -> list[Befallen]:
        """Those that strike at every occasion for a while, whatever connection it is."""
        return [
            one
            for one in self._befallen
            if one.name in names
            and one.given["seconds"] is not None
            and one.given["n"] is None
            and one.given["chance"] >= 1.0
            and one.given.get("connection") is None
        ]

    def _span(self, one: Befallen) -> tuple[float, float]:
        end = one.at + one.given["seconds"]
        heals = (h.at for h in self._befallen if h.name == HEALED and h.given["name"] in (None, one.name))
        return one.at, min((at for at in heals if one.at <= at < end), default=end)


def _about(one: Befallen, channel: str) -> bool:
    return one.given.get("channel") in (None, channel)


# -- budget ---------------------------------------------------------------------------------------------------------
def _within_budget(rooms: Iterable[_Room], limits: Limits) -> dict[str, Spans]:
    """What is open, each beginning moved to when its JOIN can be sent: those of one moment in turn."""
    entered = {room.id: list(room.open) for room in rooms}
    if limits.join_mode == "accept":
        return entered
    waiting: dict[float, list[tuple[float, str, int]]] = defaultdict(list)
    for room in rooms:
        for place, (begin, end) in enumerate(room.open):
            if begin in room.doors:  # else it may have been entered before the stream began
                waiting[begin].append((end, room.id, place))
    for begin, those in waiting.items():
        for turn, (end, channel, place) in enumerate(sorted(those, reverse=True)):
            entered[channel][place] = (min(end, begin + turn // limits.joins * limits.window), end)
    return entered


# -- arithmetic of intervals -----------------------------------------------------------------------------------------
def merged(spans: Iterable[tuple[float, float]]) -> Spans:
    """What lies in any of these, in any order."""
    found: Spans = []
    for begin, end in sorted(spans):
        if begin >= end:
            continue
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def without(spans: Spans, others: Spans) -> Spans:
    """What lies in the first and not in the others."""
    left: Spans = []
    for begin, end in spans:
        at = begin
        for since, until in others:
            if until <= at or since >= end:
                continue
            if since > at:
                left.append((at, since))
            at = max(at, until)
        if at < end:
            left.append((at, end))
    return left


def both(one: Spans, other: Spans) -> Spans:
    """What lies in both."""
    return without(one, without([(-inf, inf)], other))


def after(spans: Spans, at: float) -> float:
    """The first moment from `at` on that lies in none of them. An end belongs to what comes after it."""
    place = bisect_right(spans, (at, inf)) - 1
    return max(at, spans[place][1]) if place >= 0 and spans[place][1] > at else at
