"""Presence is restored: what is asked of a client after connections ended, by the sandbox's own count. Pure.

`judged` says of which ends of connections nothing else can have made rooms late, and until when each room that was put
out can be back; `late` who was not. An end is judged from the moment at which the client could know of it: a RECONNECT
is told some time before, and a connection that fell silent is found out by the keep-alive.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import weather

from allthepoints.core.model import Why
from allthepoints.core.policy import ACCOUNT_ROOMS, Policy
from allthepoints.core.refusals import RULES
from allthepoints.irc.pump import MAX_TICK
from allthepoints.irc.session import SessionOptions
from allthepoints.sim.oracle import CUTS, DOWN, SILENT, Best, Fall, Spans, without
from allthepoints.sim.scenario import Scenario
from allthepoints.sim.server import Sandbox
from allthepoints.sim.tally import ChannelTally, Tally
from allthepoints.twitch.link import LINGER

OPTIONS = SessionOptions()

KEEP_ALIVE = OPTIONS.idle_ping + OPTIONS.pong_timeout + MAX_TICK + LINGER
"""Seconds after which a connection that died without a word is known to be dead."""

RESTORED = 4.0
"""Seconds within which all that the budgets allow is done after a cut: the first wait before connecting again is at
most one, and the login and the JOINs are answered at once."""

WINDOW = 10.5
"""Seconds for 20 JOINs, with our margin."""

QUIET = 60.0
"""Seconds before and after a cut in which nothing else may have gone wrong, if it is to be judged by itself."""

FORGOTTEN = 300.0
"""Seconds after a fault that struck a login or an answer by which no wait before the next try remembers it."""

SLOTS = "slow_slots"

HARMLESS = frozenset(
    (*weather.MONEY, "flap", "timeout_us", "chat_noise", "shared_chat", "long_lines", "server_ping", "ban", "put_out")
)
"""Faults that delay nobody, or nobody who could be sat with."""

WAITING = HARMLESS | {SLOTS}
"""Those that do nothing by being ordered."""

ENDS = frozenset((*CUTS, DOWN, SILENT))
"""Those by which connections end."""

RENEWED = 6.0
"""Seconds more where the token ended with the cut: a login is refused before another is taken, and the waits before
the second and the third try are at most two and four."""

TOKEN = "expire_token"

TRICKLE = "trickle"

SOON_TRIED = 300.0
"""Seconds of an outage after which the next try comes within REDIAL; after a longer one it may be as seldom as SELDOM:
that is so after eighty tries, seven seconds apart by the mean."""

REDIAL = Policy().redial.cap
SELDOM = Policy().reconnect.cap

PUT_OUT = 0.05
"""Seconds within which all rooms of a connection that ends are left, by the sandbox's clock."""

FULL = 0.9 * ACCOUNT_ROOMS
"""From so many rooms on another channel may have the place of one."""

CALM = 660.0
"""Seconds of a single after the last stroke of its blow by which everything must be as it was: who did not answer three
times is left alone for ten minutes."""


def gaps(best: Best, tally: Tally) -> list[tuple[str, tuple[float, float]]]:
    """When a room that could be sat in was not, by the channel's id."""
    sat = {channel.id: list(channel.sat) for channel in tally.channels}
    return [(room, gap) for room, reach in best.reach.items() for gap in without(reach, sat.get(room, []))]


@dataclass(frozen=True, slots=True)
class Cut:
    """Connections end, and by that alone the rooms can be late. `allowed`: until then all can be back, in seconds of
    the day."""

    fall: Fall
    allowed: float
    rooms: list[ChannelTally]
    """Those that were put out, or had to be moved before they were; that could be sat in, and go on being so."""
    held: bool = False
    """Whether the rooms still counted after the end."""

    @property
    def kind(self) -> str:
        """One of KINDS."""
        if self.held:
            return "slots"
        return "silent" if self.fall.silent else "told" if _lasts(self.fall) else "cut"

    def late(self) -> list[ChannelTally]:
        """Who was put out and not back in time."""
        gone = [one for one in self.rooms if _put_out(one, self.fall)]
        return [one for one in gone if not _entered(one, self.fall.since, self.allowed)]


KINDS = {
    "cut": "after a cut",
    "told": "after word of a RECONNECT",
    "silent": "after a connection fell silent",
    "slots": "where the rooms of the old connection still counted",
}


def judged(day: Scenario, sandbox: Sandbox, tally: Tally, best: Best) -> Iterator[Cut]:
    """The ends of connections of which something can be asked."""
    for fall in best.falls:
        held = _held(sandbox, fall)
        calm = (fall.since, max(_known(fall) + held + QUIET, fall.at + PUT_OUT))
        if calm[1] > day.duration or _disturbed(sandbox, fall, calm) or _may_trickle(sandbox, fall, best):
            continue
        lost = _sat_at if _lasts(fall) else _put_out_at
        rooms = [one for one in tally.channels if lost(one, fall.since)]
        allowed = _known(fall) + RESTORED + held + _until_tried(fall) + _budget(fall, rooms, tally)
        allowed += RENEWED * ((fall.at, TOKEN) in _done(sandbox))
        live = (fall.since if _lasts(fall) else fall.again, max(allowed, fall.at) + 1)
        stay = [one for one in rooms if _reaches(best.reach.get(one.id, []), *live)]
        yield Cut(fall, allowed, stay, held > 0)


def late(day: Scenario, sandbox: Sandbox, tally: Tally, best: Best) -> list[str]:
    """Rooms that were back later than they could be."""
    found = []
    for cut in judged(day, sandbox, tally, best):
        since, missing = cut.fall.since, cut.late()
        if sum(_sat_at(one, since) for one in tally.channels) >= FULL:
            # Where more are live than there are rooms, another may have the place and the JOIN of one that was there.
            others = [one for one in tally.channels if one.followed and not _sat_at(one, since)]
            missing = missing[sum(_entered(one, since, cut.allowed) for one in others) :]
        found += [f"{one.id} {KINDS[cut.kind]} at {since:.1f}" for one in missing]
    return found


# -- when it could be known, and what may go by until then ---------------------------------------------------------
def _lasts(fall: Fall) -> bool:
    """Whether there is time between what could be known and the end."""
    return fall.since < fall.at


def _known(fall: Fall) -> float:
    """From when on a client without the connection can do something."""
    return max(fall.again, fall.since + KEEP_ALIVE) if fall.silent else fall.again


def _until_tried(fall: Fall) -> float:
    """Seconds until the next try, where the chat could not be reached for a while."""
    gone = 0.0 if fall.silent else fall.again - fall.at
    return 0.0 if not gone else REDIAL if gone <= SOON_TRIED else SELDOM


def _budget(fall: Fall, rooms: Sequence[ChannelTally], tally: Tally) -> float:
    """Seconds until the last JOIN of these rooms can be sent."""
    before = sum(_entered(one, fall.since - WINDOW, fall.since) for one in tally.channels)
    others = sum(_entered(one, fall.since, fall.at) for one in tally.channels if one not in rooms)
    spent = before + (others if _lasts(fall) else 0)
    return max(0, len(rooms) + spent - 1) // 20 * WINDOW


def _held(sandbox: Sandbox, fall: Fall) -> float:
    """Seconds for which the rooms may be full, where they still counted after the end: they are tried again after
    delays that double."""
    rule = RULES[Why.ROOM_LIMIT]
    holds = [freed - at for at, freed in _slots(sandbox) if fall.at <= at <= fall.at + PUT_OUT]
    return max((min(2 * hold + rule.first, hold + rule.cap) for hold in holds), default=0.0)


# -- what else happened --------------------------------------------------------------------------------------------
def _disturbed(sandbox: Sandbox, fall: Fall, calm: tuple[float, float]) -> bool:
    """Whether something else may have made rooms late."""
    begin, end = calm
    own = [fall.at, fall.again]
    slots = [one for one in _slots(sandbox) if not fall.at <= one[0] <= fall.at + PUT_OUT]
    flaps = [at for at, name in _befallen(sandbox) if name == "flap" and _lasts(fall)]
    near = [at for at, name in _done(sandbox) if at != fall.since or name not in ENDS] + flaps
    remembered = [
        *(at for at, name in _struck(sandbox) if name != SLOTS),
        *(at for one in slots for at in one),
        *(at for at in up(sandbox) if at not in own),
    ]
    return any(begin - QUIET <= at <= end for at in near) or any(begin - FORGOTTEN <= at <= end for at in remembered)


def _may_trickle(sandbox: Sandbox, fall: Fall, best: Best) -> bool:
    """Whether a connection that is kept may let its answers through by the spoonful: it can be long since."""
    if (fall.at, fall.again) in best.cuts:
        return False
    fresh_since = max((cut for cut, _ in best.cuts if cut < fall.at), default=0.0)
    return any(name == TRICKLE and fresh_since <= when <= fall.at for when, name in _done(sandbox))


def _befallen(sandbox: Sandbox) -> list[tuple[float, str]]:
    """When what was ordered. Seconds of the day."""
    return [(one.at - sandbox.started_at, one.name) for one in sandbox.journal.befallen]


def _done(sandbox: Sandbox) -> list[tuple[float, str]]:
    """The same, but for the harmless and what waits."""
    return [(at, name) for at, name in _befallen(sandbox) if name not in WAITING]


def _struck(sandbox: Sandbox) -> list[tuple[float, str]]:
    """When faults met the program, but for the harmless. Seconds of the day."""
    struck = sandbox.hub.troubles.struck
    return [(at - sandbox.started_at, name) for at, name in struck if name not in HARMLESS]


def _slots(sandbox: Sandbox) -> list[tuple[float, float]]:
    """When the rooms of a connection that ended still counted. Seconds of the day."""
    ordered = [one for one in sandbox.journal.befallen if one.name == SLOTS]
    return [
        (at, at + max(one.given["hold"] for one in ordered if one.at <= at + sandbox.started_at))
        for at, name in _struck(sandbox)
        if name == SLOTS
    ]


def up(sandbox: Sandbox) -> list[float]:
    """When the chat was up again. Seconds of the day."""
    downs = [one for one in sandbox.journal.befallen if one.name == DOWN]
    return [one.at + one.given["seconds"] - sandbox.started_at for one in downs]


def last_stroke(sandbox: Sandbox) -> float:
    """Of a single's blow. Seconds of the day."""
    strokes = [at for at, _ in _struck(sandbox)]
    return max((weather.STRIKES_AT, *strokes, *up(sandbox), *(freed for _, freed in _slots(sandbox))))


# -- who sat where -------------------------------------------------------------------------------------------------
def _entered(one: ChannelTally, since: float, until: float) -> bool:
    return any(since <= begin <= until for begin, _ in one.sat)


def _sat_at(one: ChannelTally, at: float) -> bool:
    return any(begin < at <= end for begin, end in one.sat)


def _put_out(one: ChannelTally, fall: Fall) -> bool:
    return any(begin < fall.since <= end <= fall.at + PUT_OUT for begin, end in one.sat)


def _put_out_at(one: ChannelTally, at: float) -> bool:
    return any(begin < at <= end <= at + PUT_OUT for begin, end in one.sat)


def _reaches(reach: Spans, begin: float, end: float) -> bool:
    return any(since <= begin and end <= until for since, until in reach)
