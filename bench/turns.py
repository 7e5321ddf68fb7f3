"""What a turn of the loop costs, for more and more channels; and a quiet minute of the whole service.

    python bench/turns.py [--follows 300,2000] [--live 0,40,140] [--turns 300] [--minutes 30] [--json] [--record]

First the decision alone: fold facts, plan, book, and make what faces see; no storage, no network. Once as it runs, with
what is kept from turn to turn, and once with nothing kept, every row included, on two states that hear the same. The
turns: time goes by; a balance was read; a poll that tells nothing new; somebody goes live, and off again.

Then the real service in the sandbox, in memory, on simulated time: CPU for a minute of its day, sandbox included.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).resolve().parent))

import results
import rig
import table
from results import Figure

from allthepoints.base.types import Login, SeId, StreamId, UserId
from allthepoints.core import facts as f
from allthepoints.core import facts_points as fp
from allthepoints.core.actions import JoinRooms
from allthepoints.core.apply import apply
from allthepoints.core.intend import intend
from allthepoints.core.loyalty import Balance, Loyalty, LoyaltyChannel
from allthepoints.core.model import Account, ChannelRef, Stream, StreamKind
from allthepoints.core.observed import Observed
from allthepoints.core.plan import plan
from allthepoints.core.policy import Policy
from allthepoints.service.snapshot import Snapshots
from allthepoints.sim.scenario import Broadcast, ChannelPlan, Scenario

T0 = 1_800_000_000.0
ME = Account(UserId("1"), Login("me"))
DAY = 86_400.0
PARTS = 5
"""In so many parts turns are measured, so that it is seen how much they differ."""

SETTLED = 600.0
"""Simulated seconds after which everything has been read once."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Microseconds of a turn, with what is kept and without, each the mean of a part of the turns."""

    follows: int
    live: int
    kind: str
    kept: list[float]
    anew: list[float]


@dataclass(frozen=True, slots=True)
class Minute:
    """CPU milliseconds of a simulated minute, and the peak of memory so far in MiB."""

    follows: int
    live: int
    cpu_ms: float
    peak_mib: float


class Decider:
    """The pure half of the loop. `keeps` False: every turn begins as if nothing had been worked out before."""

    def __init__(self, follows: int, live: int, keeps: bool) -> None:
        self.now = T0
        self.spent = 0.0
        self.live = [self._stream(number) for number in range(live)]
        self.refs = [self._ref(number) for number in range(follows)]
        self.asked = frozenset(ref.id for ref in self.refs)
        self._keeps = keeps
        self._policy = Policy()
        self._observed = Observed()
        self._snapshots = Snapshots()
        self._begin()

    def turn(self, *facts: f.Fact, after: float = 0.0) -> None:
        """One turn, `after` so many seconds."""
        self.now += after
        if not self._keeps:
            o = self._observed
            o.queue, o.rest, o.silent, o.elements.agenda, self._snapshots = None, None, None, None, Snapshots()
        start = time.process_time()
        for fact in (*facts, f.Ticked(self.now)):
            apply(self._observed, self._policy, fact)
        decided = plan(self._policy, self._observed, self.now)
        for action in decided.actions:
            intend(self._observed, action, self.now)
        self._snapshots.make(self._policy, self._observed, self.now)
        self.spent += time.process_time() - start
        for action in decided.actions:
            if isinstance(action, JoinRooms):
                self.turn(*(f.Joined(self.now, action.conn, login) for login in action.logins))

    def poll(self, *streams: Stream) -> f.LiveRead:
        """Who is live."""
        return f.LiveRead(self.now, self.asked, frozenset(), (*self.live, *streams))

    def _begin(self) -> None:
        keeps, self._keeps = self._keeps, True
        self.turn(f.SignedIn(self.now, ME, True))
        self.turn(f.FollowsRead(self.now, tuple(self.refs)), self.poll())
        self.turn(self.poll())
        for conn in (1, 2):
            self.turn(f.Welcomed(self.now, conn), after=1.0)
        for _ in range(12):
            self.turn(after=11.0)  # the rooms, twenty at a time
        for number in range(len(self.live)):
            ref, se = self._ref(number), SeId(f"se{number}")
            self.turn(fp.LoyaltyFound(self.now, ref.login, LoyaltyChannel(se, ref)), after=1.5)
            self.turn(fp.LoyaltyRead(self.now, ref.id, Loyalty(amount=5 + number % 3, interval=600.0)))
            self.turn(self.balance(number, 0))
        self._keeps = keeps

    def balance(self, number: int, points: int) -> fp.BalanceRead:
        """A reading of one channel."""
        return fp.BalanceRead(self.now, self._ref(number).id, Balance(points))

    @staticmethod
    def _ref(number: int) -> ChannelRef:
        return ChannelRef(UserId(str(1000 + number)), Login(f"c{number}"), f"C{number}")

    def stream(self, number: int) -> Stream:
        """A stream that begins now."""
        return Stream(StreamId(f"{number}-{self.now:.0f}"), self._ref(number), StreamKind.LIVE, "a title", self.now)

    def _stream(self, number: int) -> Stream:
        return Stream(StreamId(f"s{number}"), self._ref(number), StreamKind.LIVE, "a title", T0 - 600.0)


# -- what happens ------------------------------------------------------------------------------------------------------
def _time_goes_by(decider: Decider, _number: int) -> None:
    decider.turn(after=1.0)


def _a_balance(decider: Decider, number: int) -> None:
    decider.now += 3.0
    decider.turn(decider.balance(number % max(1, len(decider.live)), number))


def _a_poll(decider: Decider, _number: int) -> None:
    decider.now += 30.0
    decider.turn(decider.poll())


def _somebody_goes_live(decider: Decider, number: int) -> None:
    """Every other poll has one stream more, which the next ones miss."""
    decider.now += 30.0
    decider.turn(decider.poll(*([decider.stream(len(decider.refs) - 1)] if number % 20 == 0 else [])))


KINDS: dict[str, Callable[[Decider, int], None]] = {
    "time goes by": _time_goes_by,
    "a balance": _a_balance,
    "a poll, nothing new": _a_poll,
    "one goes live or off": _somebody_goes_live,
}


def measure_turns(follows: list[int], live: list[int], turns: int) -> list[Turn]:
    """Each kind, for each size."""
    found = []
    for count in follows:
        for on_air in live:
            for kind, happen in KINDS.items():
                if kind == "a balance" and not on_air:
                    continue
                kept = _each(Decider(count, on_air, keeps=True), happen, turns)
                anew = _each(Decider(count, on_air, keeps=False), happen, max(5, turns // 20))
                found.append(Turn(count, on_air, kind, kept, anew))
    return found


def _each(decider: Decider, happen: Callable[[Decider, int], None], turns: int) -> list[float]:
    found = []
    for part in range(PARTS):
        numbers = range(turns * part // PARTS, turns * (part + 1) // PARTS)
        decider.spent = 0.0
        for number in numbers:
            happen(decider, number)
        found += [decider.spent / len(numbers) * 1e6] if numbers else []
    return found


# -- the whole service -------------------------------------------------------------------------------------------------
async def _minute(follows: int, live: int, minutes: float, folder: Path) -> Minute:
    plans = tuple(
        ChannelPlan(f"streamer_{number}", broadcasts=(Broadcast(-60.0, DAY),) if number < live else ())
        for number in range(follows)
    )
    async with rig.in_memory(Scenario(channels=plans), folder) as running:
        await running.pass_time(SETTLED)
        start = time.process_time()
        await running.pass_time(minutes * 60)
        spent = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Minute(follows, live, spent / minutes * 1000, peak)


def measure_minutes(follows: list[int], live: list[int], minutes: float) -> list[Minute]:
    """For each size."""
    found = []
    for count in follows:
        for on_air in live:
            with tempfile.TemporaryDirectory() as folder, rig.without_sockets() as runner:
                found.append(runner.run(_minute(count, on_air, minutes, Path(folder))))
    return found


def figures(turns: Sequence[Turn], minutes: Sequence[Minute]) -> list[Figure]:
    """What is kept from turn to turn is how it runs; nothing kept is what that is worth."""
    found = []
    for turn in turns:
        where = f"{turn.follows:,} follows, {turn.live} live: {turn.kind}"
        found.append(Figure(f"A turn, {where}", "us", turn.kept))
        found.append(Figure(f"The same with nothing kept, {where}", "us", turn.anew))
    return found + [
        Figure(f"CPU of a minute, {one.follows:,} follows, {one.live} live", "ms", [one.cpu_ms]) for one in minutes
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="What a turn costs, and a minute of the service.")
    parser.add_argument("--follows", default="300,2000")
    parser.add_argument("--live", default="0,40,140")
    parser.add_argument("--turns", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=30.0, help="0: the turns alone")
    parser.add_argument("--json", action="store_true")
    args = results.argument(parser).parse_args()
    follows, live = ([int(n) for n in text.split(",")] for text in (args.follows, args.live))
    turns = measure_turns(follows, live, args.turns)
    minutes = measure_minutes(follows, live, args.minutes) if args.minutes else []
    if args.json:
        table.show_json({"turns": [asdict(one) for one in turns], "minutes": [asdict(one) for one in minutes]})
    else:
        show(turns, minutes, args.turns)
    title = "What a turn of the loop decides, and a quiet minute of the service and its sandbox"
    sys.exit(results.finish(args, "turns", title, figures(turns, minutes)))


def show(turns: Sequence[Turn], minutes: Sequence[Minute], count: int) -> None:
    head = ("a turn", "follows", "live", "kept", "anew", "anew / kept")
    rows = [
        [t.kind, str(t.follows), str(t.live), f"{kept:.0f} us", f"{anew:.0f} us", f"{anew / kept:.1f}"]
        for t in turns
        for kept, anew in [(mean(t.kept), mean(t.anew))]
    ]
    table.show(f"What a turn decides, CPU, mean of {count}", head, rows)
    if minutes:
        lines = [["", str(m.follows), str(m.live), f"{m.cpu_ms:.1f} ms", f"{m.peak_mib:.0f} MiB"] for m in minutes]
        table.show("A minute of the service and its sandbox, in memory", ("", "follows", "live", "CPU", "peak"), lines)


if __name__ == "__main__":
    main()
