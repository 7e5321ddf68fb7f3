"""How soon it is there: the first JOIN after `run`, and a cold `status`.

    python bench/start.py [--runs 7] [--channels 40] [--json] [--record]

Real time. The sandbox runs in this process and `allthepoints run` in another, each time with an empty data directory;
the first JOIN is the sandbox's own count, looked at every two milliseconds. `status` is started in turns with
`python -c pass`, on the data that the last run left, and told as a ratio: both pay for the same interpreter.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import results
import table
from results import Figure

from allthepoints.base.clock import Chance, SystemClock
from allthepoints.sim.scenario import Broadcast, ChannelPlan, Scenario
from allthepoints.sim.server import Endpoints, Sandbox

FIRST_JOIN = 2.0
STATUS = 15.0
"""The goals: seconds, and times `python -c pass`."""

LOOK = 0.002
PATIENCE = 30.0
LEAVE = 10.0

PROGRAM = (sys.executable, "-m", "allthepoints")


# -- the first JOIN ----------------------------------------------------------------------------------------------------
async def first_join(channels: int, folder: Path) -> float:
    """Seconds from the start of the process to the first JOIN that the sandbox got."""
    plans = tuple(ChannelPlan(f"streamer_{n}", broadcasts=(Broadcast(-600.0, 86400.0),)) for n in range(channels))
    sandbox = Sandbox(Scenario(channels=plans), SystemClock(), chance=Chance(1))
    endpoints = await sandbox.start()
    running: asyncio.subprocess.Process | None = None
    try:
        program = command(sandbox, endpoints, folder)
        start = time.perf_counter()
        running = await asyncio.create_subprocess_exec(
            *program, "run", "--plain", env=environment(sandbox), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        joins = sandbox.journal.of(sandbox.account.id).joins
        while not joins.attempts:
            await asyncio.sleep(LOOK)
            if running.returncode is not None or time.perf_counter() - start > PATIENCE:
                raise RuntimeError("`allthepoints run` joined nobody")
        return time.perf_counter() - start
    finally:
        if running is not None:
            await end(running)
        await sandbox.stop()


async def end(running: asyncio.subprocess.Process) -> None:
    """Ask it to stop, and do not wait for ever."""
    if running.returncode is None:
        running.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(running.wait(), LEAVE)
        except TimeoutError:
            running.kill()
            await running.wait()


def command(sandbox: Sandbox, endpoints: Endpoints, folder: Path, listen: str = "") -> list[str]:
    """`allthepoints` on the sandbox, with its data in the folder; the words of a command go behind it. `listen`: where
    the dashboard is; nowhere, if empty."""
    config = folder / "config.toml"
    config.write_text(
        f'[twitch]\nclient_id = "{sandbox.scenario.client_id}"\n\n'
        f'[endpoints]\nirc = "{endpoints.irc}"\nhelix = "{endpoints.helix}"\noauth = "{endpoints.oauth}"\n'
        f'streamelements = "{endpoints.streamelements}"\n\n'
        f'[dashboard]\nlisten = "{listen}"\n'
    )
    return [*PROGRAM, "--config", str(config), "--data-dir", str(folder / "data")]


def environment(sandbox: Sandbox) -> dict[str, str]:
    """This one's, signed in at the sandbox."""
    tokens = sandbox.issue_tokens()
    return _clean() | {
        "ALLTHEPOINTS_TWITCH_TOKEN": tokens.access,
        "ALLTHEPOINTS_TWITCH_REFRESH_TOKEN": tokens.refresh,
    }


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("ALLTHEPOINTS_")}


# -- status ------------------------------------------------------------------------------------------------------------
def cold_status(runs: int, folder: Path) -> tuple[list[float], list[float]]:
    """Seconds of `python -c pass` and of `status`, turn by turn."""
    config, data = folder / "config.toml", folder / "data"
    status = [*PROGRAM, "--config", str(config), "--data-dir", str(data), "status"]
    bare, full = [], []
    for _ in range(runs):
        bare.append(_took([sys.executable, "-c", "pass"]))
        full.append(_took(status))
    return bare, full


def _took(words: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(words, check=True, env=_clean(), stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


# -- telling -----------------------------------------------------------------------------------------------------------
def figures(joins: Sequence[float], bare: Sequence[float], full: Sequence[float]) -> list[Figure]:
    """Seconds, in the order in which they were measured: each `status` stands beside the `pass` of its turn."""
    ratios = [cold / nothing for nothing, cold in zip(bare, full, strict=True)]
    return [
        Figure("From `run` to the first JOIN", "s", joins, at_most=FIRST_JOIN),
        Figure("A cold `status`, times `python -c pass`", "", ratios, at_most=STATUS),
        Figure("A cold `status`", "ms", [1000 * seconds for seconds in full]),
        Figure("`python -c pass`", "ms", [1000 * seconds for seconds in bare]),
    ]


# -- all ---------------------------------------------------------------------------------------------------------------
def main() -> None:
    parser = argparse.ArgumentParser(description="The first JOIN after `run`, and a cold `status`.")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--channels", type=int, default=40, help="all of them live")
    parser.add_argument("--json", action="store_true")
    args = results.argument(parser).parse_args()
    joins = []
    with tempfile.TemporaryDirectory() as parent:
        for number in range(args.runs):
            folder = Path(parent) / str(number)
            folder.mkdir()
            joins.append(asyncio.run(first_join(args.channels, folder)))
        bare, full = cold_status(args.runs, folder)
    if args.json:
        ratio = statistics.median(full) / statistics.median(bare)
        table.show_json({"first_join_s": joins, "python_s": bare, "status_s": full, "status_ratio": ratio})
    else:
        show(args, joins, bare, full)
    title = f"Start, with {args.channels} channels live"
    sys.exit(results.finish(args, "start", title, figures(joins, bare, full)))


def show(args: argparse.Namespace, joins: Sequence[float], bare: Sequence[float], full: Sequence[float]) -> None:
    join, ratio = statistics.median(joins), statistics.median(full) / statistics.median(bare)
    head = ("what", "median", "worst", "goal", "")
    rows = [
        ["first JOIN after `run`", f"{join:.2f} s", f"{max(joins):.2f} s", "2 s", table.holds(join <= FIRST_JOIN)],
        ["python -c pass", _ms(statistics.median(bare)), _ms(max(bare)), "", ""],
        ["status, cold", _ms(statistics.median(full)), _ms(max(full)), "", ""],
        ["  times python -c pass", f"{ratio:.1f}", "", f"{STATUS:.0f}", table.holds(ratio <= STATUS)],
    ]
    table.show(f"Start, {args.runs} runs, {args.channels} channels live", head, rows)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


if __name__ == "__main__":
    main()
