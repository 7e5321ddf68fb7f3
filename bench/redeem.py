"""Is anything ever paid twice? Redemptions with a fault at every step, against the sandbox's own books.

    python bench/redeem.py [--count N] [--kills N] [--seed S] [--json] [--record]

N confirmed intents, spread evenly over the rows of the table (`redeem_faults`), each with a key that stands in the
sandbox's row if it takes it. The service is the real one, on a real database, over simulated time (`redeem_world`). As
many as --kills go through a process of its own that is ended by SIGKILL, at a named step or at any moment, and
are settled by the next one (`redeem_kills`).

A *double* is a key that was taken, or sent, more than once. A *wrong* verdict is one that says accepted of what was not
taken, or rejected of what was. `unknown`: not settled in the end. `astray`: settled rightly, and yet otherwise than the
fault would have it; then the fault did not strike where it should. The exit code is 1 if there is any of these.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Protocol

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from redeem_faults import Fault, ended_as, table  # noqa: E402
from redeem_kills import play_kills  # noqa: E402
from redeem_world import Intent, World, taken_by  # noqa: E402
from results import Figure, argument, record  # noqa: E402
from rig import without_sockets  # noqa: E402
from table import show, show_json  # noqa: E402

from allthepoints.base.clock import Stopwatch  # noqa: E402
from allthepoints.core.redeem import Redemption, State  # noqa: E402
from allthepoints.sim.server import Sandbox  # noqa: E402
from allthepoints.storage.read_points import PointsReader  # noqa: E402

LANES = 8
"""Channels side by side in a world of local faults."""

AT_ONCE = 200
"""Intents of one such world."""

IN_A_ROW = 40
"""Intents of a world with one fault."""

KILLED = "kill -9 "
"""How the rows of `redeem_kills` begin."""


@dataclass(slots=True)
class Row:
    """One row of the table."""

    fault: str
    confirmed: int = 0
    posts: int = 0
    taken: int = 0
    accepted: int = 0
    rejected: int = 0
    unknown: int = 0
    doubles: int = 0
    wrong: int = 0
    astray: int = 0

    @property
    def good(self) -> bool:
        return not (self.unknown or self.doubles or self.wrong or self.astray)

    def count(self, intent: Intent, ours: Redemption | None, posts: int, taken: int) -> None:
        """One intent: what our books say, and what really happened."""
        state = "unknown" if ours is None else str(ours.state)
        reason = None if ours is None else ours.reason
        self.confirmed += 1
        self.posts += posts
        self.taken += taken
        self.doubles += max(taken, posts) > 1
        if state == State.ACCEPTED:
            self.accepted += 1
            self.wrong += taken == 0
        elif state == State.REJECTED:
            self.rejected += 1
            self.wrong += taken > 0
        else:
            self.unknown += 1
            return
        self.astray += ended_as(reason, state) not in intent.ends

    def add(self, other: Row) -> None:
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))


_NUMBERS = [field.name for field in fields(Row) if field.name != "fault"]


class Played(Protocol):
    """A world: what was asked in it, our books, and the sandbox's."""

    sandbox: Sandbox
    posts: Counter[str]
    intents: list[Intent]
    reader: PointsReader


class Books:
    """All rows, in the order in which they were opened."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._rows = {name: Row(name) for name in names}

    def judge(self, played: Played) -> None:
        """Everything that was asked in a world, which is over."""
        taken, posts = taken_by(played.sandbox), played.posts
        for intent in played.intents:
            ours = played.reader.redemption(intent.key)
            self.row(intent.row).count(intent, ours, posts[intent.key], taken[intent.key])
        assert played.sandbox.journal.redemption_calls == posts.total(), "every POST that came carried a key"
        assert set(taken) <= {intent.key for intent in played.intents}, "nothing was taken that nobody asked for"

    def row(self, name: str) -> Row:
        return self._rows.setdefault(name, Row(name))

    def rows(self) -> list[Row]:
        return [row for row in self._rows.values() if row.confirmed]

    def total(self) -> Row:
        total = Row("all")
        for row in self.rows():
            total.add(row)
        return total


# -- playing -------------------------------------------------------------------------------------------------------
def play(faults: Sequence[Fault], count: int, seed: int, books: Books) -> None:
    """`count` intents or a few more, evenly over the faults, in simulated time."""
    goes = -(-count // sum(fault.asks for fault in faults))
    with without_sockets() as runner:
        local = [fault for _ in range(goes) for fault in faults if fault.local]
        for number, some in enumerate(_cut(local, AT_ONCE)):
            runner.run(_world(some, LANES, seed * 1000 + number, number, books))
        alone = [fault for fault in faults if not fault.local]
        number = 500
        for fault in alone:
            for some in _cut([fault] * goes, max(1, IN_A_ROW // fault.asks)):
                runner.run(_world(some, 3, seed * 1000 + number, number, books))
                number += 1


async def _world(plays: Sequence[Fault], lanes: int, seed: int, number: int, books: Books) -> None:
    """One world: its faults in this order, one after another in each lane. Every kind of service has its turn."""
    with tempfile.TemporaryDirectory() as folder:
        durable, by_request, errand = number % 4 == 0, number % 2 == 1, number % 8 != 3
        world = World(Path(folder), lanes, seed, by_request=by_request, errand=errand, durable=durable)
        async with world:
            side_by_side = lanes if plays[0].local else 1
            await asyncio.gather(*(_lane(world, plays, place, side_by_side) for place in range(side_by_side)))
        books.judge(world)


async def _lane(world: World, plays: Sequence[Fault], place: int, step: int) -> None:
    for number in range(place, len(plays), step):
        lane = world.lanes[number % len(world.lanes)]
        await plays[number].play(world, lane, plays[number].name)


def _cut(plays: Sequence[Fault], size: int) -> Iterator[Sequence[Fault]]:
    for start in range(0, len(plays), size):
        yield plays[start : start + size]


# -- telling -------------------------------------------------------------------------------------------------------
def sentence(total: Row) -> str:
    """What the table says, in words."""
    if total.good:
        return (
            f"Of {total.confirmed:,} confirmed intents {total.taken:,} were taken, each once, and those are the ones "
            f"that are called accepted; the other {total.rejected:,} are called rejected, and were never taken. Every "
            "one ended settled."
        )
    return (
        f"NOT SAFE: of {total.confirmed:,} confirmed intents {total.doubles:,} were doubled, {total.wrong:,} got a "
        f"wrong verdict, {total.unknown:,} were never settled, and {total.astray:,} ended otherwise than they should."
    )


def report(books: Books, seconds: float) -> None:
    head = ("fault", "confirmed", "POSTs", *_NUMBERS[2:])
    rows = [(row.fault, *(f"{getattr(row, name):,}" for name in _NUMBERS)) for row in [*books.rows(), books.total()]]
    show("Redemptions with a fault at every step", head, rows, [sentence(books.total()), f"{seconds:,.0f} s."])


def figures(books: Books) -> list[Figure]:
    total = books.total()
    killed = sum(row.confirmed for row in books.rows() if row.fault.startswith(KILLED))
    never = (
        ("taken or sent twice", total.doubles),
        ("called accepted and not taken, or rejected and taken", total.wrong),
        ("unsettled in the end", total.unknown),
        ("ended otherwise than the fault would have it", total.astray),
    )
    return [
        Figure("Confirmed intents, a fault at every step of the way", "", [total.confirmed]),
        Figure("Of these, in processes ended by SIGKILL", "", [killed]),
        Figure("POSTs", "", [total.posts]),
        Figure("Taken, by the sandbox's own count", "", [total.taken]),
        Figure("Called accepted", "", [total.accepted]),
        *(Figure(f"Confirmed intents {what}", "", [count], at_most=0, every=True) for what, count in never),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="intents in simulated time, at least")
    parser.add_argument("--kills", type=int, default=24, help="processes that are killed beside them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="rows whose name has this in it")
    parser.add_argument("--json", action="store_true")
    asked = argument(parser).parse_args()
    faults = [fault for fault in table() if asked.only in fault.name]
    books, watch = Books(fault.name for fault in faults), Stopwatch()
    if faults and asked.count:
        play(faults, asked.count, asked.seed, books)
    if asked.kills:
        with tempfile.TemporaryDirectory() as folder:
            books.judge(play_kills(Path(folder), asked.kills, asked.seed))
    if asked.json:
        show_json({"rows": [asdict(row) for row in books.rows()], "total": asdict(books.total())})
    else:
        report(books, watch.elapsed())
    if asked.record:
        record(
            "redeem", "Is anything ever paid twice?", figures(books), notes=[sentence(books.total())], folder=asked.into
        )
    sys.exit(0 if books.total().good else 1)


if __name__ == "__main__":
    main()
