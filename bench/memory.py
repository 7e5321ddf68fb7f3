"""How much memory `allthepoints run` takes, with all the rooms that it may have.

    python bench/memory.py [--channels 100] [--follows 2000] [--seconds 60] [--json] [--record]

Real time. The sandbox runs in this process and the command in another, with its dashboard off. From when all its rooms
are confirmed (which takes what the JOIN budget takes: twenty in ten seconds) its memory is looked at once a second.
bench/soak.py tells whether it stays: a month in which nothing may grow.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import results
import start
import table
from results import Figure

from allthepoints.base.clock import Chance, SystemClock
from allthepoints.config.settings import Channels
from allthepoints.sim.scenario import Broadcast, ChannelPlan, Scenario
from allthepoints.sim.server import Sandbox

LOOK = 1.0
PATIENCE = 120.0
"""Seconds until all rooms must be there."""


@dataclass(frozen=True, slots=True)
class Result:
    """`full_s`: from the start of the process to the last room. Megabytes: look by look. `private_mb`: what no other
    process shares; None where the system does not tell."""

    rooms: int
    full_s: float
    rss_mb: list[float]
    private_mb: list[float] | None


async def measure(channels: int, follows: int, seconds: float, folder: Path) -> Result:
    """Raises RuntimeError where the rooms do not come."""
    on_air = (Broadcast(-600.0, 86400.0),)
    plans = tuple(ChannelPlan(f"streamer_{n}", broadcasts=on_air if n < channels else ()) for n in range(follows))
    sandbox = Sandbox(Scenario(channels=plans), SystemClock(), chance=Chance(1))
    endpoints = await sandbox.start()
    running: asyncio.subprocess.Process | None = None
    try:
        program = start.command(sandbox, endpoints, folder)
        began = time.perf_counter()
        running = await asyncio.create_subprocess_exec(
            *program,
            *("run", "--plain"),
            env=start.environment(sandbox),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wanted = min(channels, Channels().max_rooms)
        while len(sandbox.world.rooms(sandbox.account.id)) < wanted:
            await asyncio.sleep(0.1)
            if running.returncode is not None or time.perf_counter() - began > PATIENCE:
                raise RuntimeError(f"`allthepoints run` did not come to {wanted} rooms")
        full = time.perf_counter() - began
        rss, private = [], []
        for _ in range(max(1, round(seconds / LOOK))):
            await asyncio.sleep(LOOK)
            rss.append(_rss_mb(running.pid))
            private.append(_private_mb(running.pid))
        return Result(wanted, full, rss, None if None in private else [one for one in private if one is not None])
    finally:
        if running is not None:
            await start.end(running)
        await sandbox.stop()


def _rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _private_mb(pid: int) -> float | None:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) * 1024 / 1e6


def figures(found: Result) -> list[Figure]:
    """A run is a look."""
    made = [Figure(f"Memory of `run` with {found.rooms} rooms (RSS)", "MB", found.rss_mb)]
    if found.private_mb:
        made.append(Figure("Of it its own alone", "MB", found.private_mb))
    return [*made, Figure(f"From `run` to {found.rooms} rooms", "s", [found.full_s])]


def main() -> None:
    parser = argparse.ArgumentParser(description="How much memory `run` takes.")
    parser.add_argument("--channels", type=int, default=100, help="live ones")
    parser.add_argument("--follows", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long it is looked at")
    parser.add_argument("--json", action="store_true")
    args = results.argument(parser).parse_args()
    if not Path("/proc/self/statm").exists():
        parser.exit(0, "memory: this system does not tell (no /proc)\n")
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(args.channels, args.follows, args.seconds, Path(folder)))
    what = f"`allthepoints run`, {args.follows:,} follows, {args.channels} of them live"
    if args.json:
        table.show_json(asdict(found))
    else:
        show(what, found)
    sys.exit(results.finish(args, "memory", f"Memory of {what}", figures(found)))


def show(what: str, found: Result) -> None:
    def row(name: str, looks: Sequence[float]) -> tuple[str, ...]:
        return name, f"{statistics.median(looks):.1f} MB", f"{max(looks):.1f} MB"

    rows = [row("RSS", found.rss_mb), *([row("of it its own alone", found.private_mb)] if found.private_mb else [])]
    note = f"{found.rooms} rooms, the last of them {found.full_s:.0f} s after its start."
    table.show(what, ("", "median", "most"), rows, [note])


if __name__ == "__main__":
    main()
