"""What it costs to know who is live: calls a poll, for more and more channels, by the sandbox's count.

    python bench/poll.py [--channels 100,1000,2000] [--minutes 60] [--json] [--record]

Once with the channels followed, and once with the same ones on the include list and nothing followed. All of them are
live all the time, which is the dearest case. The goal is one call for every hundred channels, or fewer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import results as results_file
import rig
import table
from results import Figure

from allthepoints.base.types import Login
from allthepoints.config.settings import Channels, Poll
from allthepoints.sim.scenario import Broadcast, ChannelPlan, Scenario

DAY = 86400.0

SETTLED = 135.0
"""Simulated seconds after which nothing is read for the first time any more; between two polls."""


@dataclass(frozen=True, slots=True)
class Result:
    """`calls` of the endpoints that say who is live, in `polls`. `present`: rooms at the end, so that it is known that
    the answers were read."""

    channels: int
    followed: bool
    polls: int
    calls: int
    present: int

    @property
    def allowed(self) -> int:
        return ceil(self.channels / 100)

    @property
    def each(self) -> float:
        return self.calls / self.polls


async def _measure(count: int, followed: bool, minutes: float) -> Result:
    logins = [f"streamer_{number}" for number in range(count)]
    plans = tuple(ChannelPlan(login, followed=followed, broadcasts=(Broadcast(-60.0, DAY),)) for login in logins)
    wanted = Channels() if followed else Channels(followed=False, include=tuple(map(Login, logins)))
    with tempfile.TemporaryDirectory() as folder:
        async with rig.in_memory(Scenario(channels=plans), Path(folder), wanted) as running:
            await running.pass_time(SETTLED)
            before = _calls(running)
            await running.pass_time(minutes * 60)
            polls = round(minutes * 60 / Poll().live)
            return Result(count, followed, polls, _calls(running) - before, running.sandbox.tally().rooms_now)


def _calls(running: rig.Rig) -> int:
    helix = running.sandbox.journal.helix
    return helix["/streams"] + helix["/streams/followed"]


def measure(counts: list[int], minutes: float) -> list[Result]:
    """Every number of channels, both ways."""
    found = []
    for count in counts:
        for followed in (True, False):
            with rig.without_sockets() as runner:
                found.append(runner.run(_measure(count, followed, minutes)))
    return found


def figures(results: Sequence[Result]) -> list[Figure]:
    """A run is an hour, or however many minutes; the sandbox counts the same each time."""
    return [
        Figure(
            f"Calls a poll, {result.channels:,} channels {'followed' if result.followed else 'included'}, all live",
            "",
            [result.each],
            at_most=result.allowed,
        )
        for result in results
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Calls a poll for more and more channels.")
    parser.add_argument("--channels", default="100,1000,2000")
    parser.add_argument("--minutes", type=float, default=60.0, help="simulated")
    parser.add_argument("--json", action="store_true")
    args = results_file.argument(parser).parse_args()
    results = measure([int(count) for count in args.channels.split(",")], args.minutes)
    if args.json:
        table.show_json([asdict(result) for result in results])
    else:
        show(results, args.minutes)
    title = f"Who is live: what {args.minutes:g} minutes cost"
    sys.exit(results_file.finish(args, "poll", title, figures(results)))


def show(results: Sequence[Result], minutes: float) -> None:
    head = (
        "channels, all live",
        "polls",
        "calls",
        "calls a poll",
        "goal: at most",
        "goal",
        "present",
        "one call each would be",
    )
    rows = [
        [
            f"{r.channels:,} {'followed' if r.followed else 'included'}",
            f"{r.polls:,}",
            f"{r.calls:,}",
            f"{r.each:.2f}",
            str(r.allowed),
            table.holds(r.each <= r.allowed),
            str(r.present),
            f"{r.channels:,}",
        ]
        for r in results
    ]
    table.show(f"Who is live: what {minutes:g} minutes cost", head, rows)


if __name__ == "__main__":
    main()
