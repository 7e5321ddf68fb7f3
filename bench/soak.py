"""Days on end: is what the service holds flat, and what does a day cost?

The week of 5,000 sessions and 300 reconnects is a test (tests/service/test_service_soak.py). This adds what is too long
for one: ten times the follows, more live channels than rooms, as many days as wanted, and the curve of the memory.

    python bench/soak.py [--days 2] [--follows 2000] [--live 140] [--looks 4] [--json] [--record]
    python bench/soak.py --everything [--days 2] [--json] [--record]

The service follows 2,000 channels, of which up to 140 are live at once: more than there are rooms. Simulated time,
sandbox and service in one process and in memory, so that what is counted is both of them; the sandbox itself keeps
every interval of who was live and who sat where, which grows. At midnight all streams end and those of the next day
begin. Memory is the process', counts are taken after a collection.

`--everything`: the whole program, with dashboard, notifications, wishes, log files (everything.py).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent))

import everything
import msgspec
import results
import rig
import table
from results import Figure

from allthepoints.core.policy import ACCOUNT_ROOMS
from allthepoints.sim.days import big_day
from allthepoints.sim.scenario import Broadcast, ChannelPlan, FaultPlan, Scenario
from allthepoints.sim.tally import capped

DAY = 86400.0

IN_MEMORY = (
    "These days run in memory, in simulated time, without sockets; the busy hour (`bench/busy.py`) has real ones."
)

PAUSE = 60.0
"""Simulated seconds without a stream at midnight, so that no channel's streams meet."""

WARM_UP = 12.0
"""Hours after which nothing is met for the first time any more."""

GROWTH = 1.05
"""Memory may grow by so much after warm-up and still be called flat: an allocator's breath."""

LONG = 7.0
"""Days from which on memory is judged: in fewer there is still much that is met for the first time."""

AT_WORK = 4
"""Tasks more than before that a look may meet: reads, a connection that opens, a write."""

PER_DAY = 1.0
"""MB that the sandbox's own memory of a day may take."""

BOTH = (
    "Memory is that of the service and of the sandbox, which keeps every interval of every channel: "
    f"{PER_DAY:.0f} MB a day is allowed for that after the warm-up. What a leak would show in is the last half, in "
    "which nothing is met for the first time."
)

BREATH = 1.01
"""In the last half nothing is new: memory may go up and down by so much between its two quarters."""

LATE_PER_DAY = 0.2
"""MB a day that the sandbox may take in the last half. A month on record rose by some 0.17 there, all in all; with the
breath, 0.35 MB a day of a month still pass, in a week 0.8."""


@dataclass(frozen=True, slots=True)
class Look:
    """What there is at a moment. `rss_mb` None and `files` None where the system does not tell."""

    hours: float
    rss_mb: float | None
    objects: int
    tasks: int
    files: int | None
    sockets: int | None
    rooms: int
    real_s: float
    cpu_s: float


def days_on_end(days: int, follows: int, live: int) -> Scenario:
    """`big_day` after `big_day`, each with its own seed, for the same channels."""
    plans: list[ChannelPlan] = []
    faults: list[FaultPlan] = []
    broadcasts: list[list[Broadcast]] = [[] for _ in range(follows)]
    for number in range(days):
        day = big_day(follows, live, seed=number + 1)
        plans = plans or list(day.channels)
        for mine, plan in zip(broadcasts, day.channels, strict=True):
            mine += [shifted for one in plan.broadcasts if (shifted := _shifted(one, number)) is not None]
        faults += [msgspec.structs.replace(fault, at=fault.at + number * DAY) for fault in day.faults]
    channels = tuple(
        msgspec.structs.replace(plan, broadcasts=tuple(mine)) for plan, mine in zip(plans, broadcasts, strict=True)
    )
    return msgspec.structs.replace(
        big_day(1, 1), name="days on end", duration=days * DAY, channels=channels, faults=tuple(faults)
    )


def _shifted(one: Broadcast, day: int) -> Broadcast | None:
    start = max(one.start, PAUSE) if day else one.start
    end = min(one.end, DAY - PAUSE)
    if end <= start:
        return None
    return msgspec.structs.replace(one, start=start + day * DAY, end=end + day * DAY)


# -- looking -----------------------------------------------------------------------------------------------------------
async def _soak(scenario: Scenario, looks: int, folder: Path) -> tuple[list[Look], float]:
    """Looks at equal distances, and the capture of what the service's rooms allow."""
    async with rig.in_memory(scenario, folder, rig.EVERY_ROOM) as running:
        real, cpu, found = time.perf_counter(), time.process_time(), []
        for _ in range(round(looks * scenario.duration / DAY)):
            await running.pass_time(DAY / looks)
            found.append(_look(running, time.perf_counter() - real, time.process_time() - cpu))
        tally = running.sandbox.tally()
        reachable = capped((span for channel in tally.channels for span in channel.live), ACCOUNT_ROOMS)
        return found, tally.present_s / reachable


def _look(running: rig.Rig, real: float, cpu: float) -> Look:
    gc.collect()
    hours = (running.clock.now() - rig.EPOCH) / 3600
    rooms = len(running.sandbox.world.rooms(running.sandbox.account.id))
    open_files = _open_files()
    return Look(
        hours=hours,
        rss_mb=_rss_mb(),
        objects=len(gc.get_objects()),
        tasks=len(asyncio.all_tasks()),
        files=None if open_files is None else len(open_files),
        sockets=None if open_files is None else sum(target.startswith("socket:") for target in open_files),
        rooms=rooms,
        real_s=real,
        cpu_s=cpu,
    )


def _rss_mb() -> float | None:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _open_files() -> list[str] | None:
    """Where the process' descriptors point to."""
    found = []
    try:
        names = os.listdir("/proc/self/fd")
    except OSError:
        return None
    for name in names:
        try:
            found.append(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:  # the one with which the folder was read
            continue
    return found


# -- judging -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Verdict:
    """Something that must not grow: after the warm-up, at the end, and at most."""

    what: str
    unit: str
    warm: float
    last: float
    allowed: float

    @property
    def flat(self) -> bool:
        return self.last <= self.allowed

    @property
    def way(self) -> str:
        return f"{self.warm:.4g} to {self.last:.4g} {self.unit}".rstrip()


def verdicts(looks: Sequence[Look]) -> list[Verdict]:
    """The last look against the first after the warm-up; nothing where these are the same."""
    warm = next((look for look in looks if look.hours >= WARM_UP), looks[-1])
    last, days = looks[-1], (looks[-1].hours - warm.hours) / 24
    if last is warm:
        return []
    early = max(look.tasks for look in looks if look.hours <= warm.hours)
    found = [Verdict("tasks", "", early, last.tasks, early + AT_WORK)]
    if warm.rss_mb is not None and last.rss_mb is not None and last.hours >= LONG * 24:
        found.append(Verdict("memory", "MB", warm.rss_mb, last.rss_mb, warm.rss_mb * GROWTH + days * PER_DAY))
        found += late(looks)
    if warm.files is not None and last.files is not None:
        found.append(Verdict("open files and sockets", "", warm.files, last.files, warm.files))
    return found


def late(looks: Sequence[Look]) -> list[Verdict]:
    """Memory in the last quarter against that in the one before, by medians: one look says little. A leak that is
    small beside what a day or two first needs shows here. Nothing where a quarter has no look."""
    end = looks[-1].hours
    third = [look.rss_mb for look in looks if end / 2 < look.hours <= end * 3 / 4 and look.rss_mb is not None]
    fourth = [look.rss_mb for look in looks if end * 3 / 4 < look.hours and look.rss_mb is not None]
    if not (third and fourth):
        return []
    before, after = median(third), median(fourth)
    return [Verdict("memory in the last half", "MB", before, after, before * BREATH + end / 24 / 4 * LATE_PER_DAY)]


def figures(looks: Sequence[Look], capture: float) -> list[Figure]:
    """Of service and sandbox together."""
    days = looks[-1].hours / 24
    hours = f"After {looks[-1].hours:,.0f} h"
    found = [Figure(f"{hours}: {v.what}", v.unit, [v.last], at_most=v.allowed) for v in verdicts(looks)]
    if all(look.rss_mb is not None for look in looks):
        found.append(Figure("Memory at each look", "MB", [look.rss_mb for look in looks if look.rss_mb is not None]))
    return [
        *found,
        Figure("Rooms at each look", "", [look.rooms for look in looks], at_most=ACCOUNT_ROOMS, every=True),
        Figure("CPU of a simulated day", "s", [looks[-1].cpu_s / days]),
        Figure("Present, of what its rooms allow", "%", [100 * capture]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Days on end: memory, tasks, sockets, files, and what a day costs.")
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--follows", type=int, default=2000)
    parser.add_argument("--live", type=int, default=140)
    parser.add_argument("--looks", type=int, default=4, help="a day")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--everything", action="store_true", help="the whole program, with a few channels")
    args = results.argument(parser).parse_args()
    if args.everything:
        sys.exit(everything.main(args))
    scenario = days_on_end(args.days, args.follows, args.live)
    with tempfile.TemporaryDirectory() as folder, rig.without_sockets() as runner:
        looks, capture = runner.run(_soak(scenario, args.looks, Path(folder)))
    if args.json:
        table.show_json(
            {
                "looks": [asdict(look) for look in looks],
                "flat": {verdict.what: verdict.flat for verdict in verdicts(looks)},
                "capture_of_reachable": capture,
            }
        )
    else:
        show(args, looks, capture)
    title = f"{args.follows:,} follows, up to {args.live} live, {args.days} days on end"
    sys.exit(results.finish(args, "soak", title, figures(looks, capture), notes=[IN_MEMORY, BOTH]))


def show(args: argparse.Namespace, looks: Sequence[Look], capture: float) -> None:
    head = ("after", "memory", "objects", "tasks", "files", "of them sockets", "rooms", "real time", "CPU time")
    rows = [
        [
            f"{look.hours:.0f} h",
            "-" if look.rss_mb is None else f"{look.rss_mb:.1f} MB",
            f"{look.objects:,}",
            str(look.tasks),
            "-" if look.files is None else str(look.files),
            "-" if look.sockets is None else str(look.sockets),
            str(look.rooms),
            f"{look.real_s:.1f} s",
            f"{look.cpu_s:.1f} s",
        ]
        for look in looks
    ]
    each = looks[-1].real_s / args.days, looks[-1].cpu_s / args.days
    notes = [
        f"A simulated day takes {each[0]:.1f} s, {each[1]:.1f} s of them CPU. Capture of reachable: {capture:.2%}.",
        *(f"{v.what}: {'flat' if v.flat else 'NOT FLAT'} after {WARM_UP:.0f} h ({v.way})" for v in verdicts(looks)),
    ]
    table.show(f"{args.follows:,} follows, up to {args.live} live, {args.days} days", head, rows, notes)


if __name__ == "__main__":
    main()
