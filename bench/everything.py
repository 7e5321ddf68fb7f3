"""The whole program, day after day: `python bench/soak.py --everything --days 30`.

What runs, and what is counted, is told by the week that is a test (tests/service/test_service_week.py) and by
testing/household.py; here are more channels and more pages, and every setting as it is by default.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import results
import rig
import table
from results import Figure

from allthepoints.testing.census import Look, grown_kinds, grown_tables
from allthepoints.testing.household import days_of, household

CHANNELS, LIVE = 24, 6

WARM_UP = 1
"""Days."""

FULL = 4
"""Days after which what is kept for three days is full."""

PER_DAY = 1.0
"""MB that the sandbox's own memory of a day may take, and what SQLite and the allocator keep."""

ROUND = 1e6


@dataclass(frozen=True, slots=True)
class Lived:
    """`did`: how often what was done by people and programs."""

    looks: Sequence[Look]
    did: Mapping[str, int]
    real_s: float
    cpu_s: float


async def live(days: int, folder: Path) -> Lived:
    """So many days after the warm-up, with a look after each."""
    real, cpu = time.perf_counter(), time.process_time()
    async with household(days_of(days + WARM_UP + 1, CHANNELS, LIVE), folder) as house:
        for day in range(WARM_UP, WARM_UP + days + 1):
            await house.until(day)
            house.look()
        return Lived(house.looks, house.people.did, time.perf_counter() - real, time.process_time() - cpu)


def grown(looks: Sequence[Look]) -> dict[str, str]:
    """What grew: types of objects and tables, from when what is kept for days is full to the end."""
    first = looks[min(FULL, len(looks) - 1)]
    return {**grown_kinds(first, looks[-1]), **grown_tables(first, looks[-1])}


def figures(lived: Lived) -> list[Figure]:
    """Of the program and the sandbox together."""
    first, last = lived.looks[0], lived.looks[-1]
    days = len(lived.looks) - 1
    found = [
        Figure("Tasks at each look", "", [tasks(look) for look in lived.looks], at_most=tasks(first), every=True),
        Figure("Threads at each look", "", [look.threads for look in lived.looks]),
        Figure("Objects at each look, without the sandbox's", "", [objects(look) for look in lived.looks]),
    ]
    if first.rss is not None and last.rss is not None:
        grew = (last.rss - first.rss) / ROUND
        found.append(Figure("Memory that came after the warm-up", "MB", [grew], at_most=days * PER_DAY + 8))
        found.append(Figure("Memory at each look", "MB", [(look.rss or 0) / ROUND for look in lived.looks]))
    if first.files is not None:
        files = [look.files or 0 for look in lived.looks]
        found.append(Figure("Open files and sockets at each look", "", files, at_most=first.files, every=True))
    return [*found, Figure("CPU of a simulated day", "s", [lived.cpu_s / (days + WARM_UP)])]


def tasks(look: Look) -> int:
    return sum(look.tasks.values())


def objects(look: Look) -> int:
    return sum(look.kinds.values())


def main(args: argparse.Namespace) -> int:
    """As `soak.main` parsed it. Answers the exit code."""
    with tempfile.TemporaryDirectory() as folder, rig.simulated() as runner:
        lived = runner.run(live(args.days, Path(folder)))
    if args.json:
        table.show_json({"looks": [_plain(look) for look in lived.looks], "grown": grown(lived.looks)})
    else:
        _show(args.days, lived)
    title = f"The whole program, {CHANNELS} channels, {LIVE} live, {args.days} days after the first"
    return results.finish(args, "everything", title, figures(lived))


def _plain(look: Look) -> dict[str, object]:
    return {
        "rss": look.rss,
        "files": look.files,
        "sockets": look.sockets,
        "threads": look.threads,
        "tasks": tasks(look),
        "objects": objects(look),
    }


def _show(days: int, lived: Lived) -> None:
    head = ("after", "memory", "objects", "tasks", "threads", "files", "of them sockets")
    rows = [
        [
            f"day {WARM_UP + number}",
            "-" if look.rss is None else f"{look.rss / ROUND:.1f} MB",
            f"{objects(look):,}",
            str(tasks(look)),
            str(look.threads),
            "-" if look.files is None else str(look.files),
            "-" if look.sockets is None else str(look.sockets),
        ]
        for number, look in enumerate(lived.looks)
    ]
    each = lived.real_s / (days + WARM_UP), lived.cpu_s / (days + WARM_UP)
    notes = [
        f"A simulated day takes {each[0]:.1f} s, {each[1]:.1f} s of them CPU.",
        f"Done: {', '.join(f'{what} {count:,}' for what, count in sorted(lived.did.items()))}.",
        *(f"GREW: {what}, {how}" for what, how in grown(lived.looks).items()),
    ]
    table.show(f"The whole program, {CHANNELS} channels, {LIVE} live", head, rows, notes)
