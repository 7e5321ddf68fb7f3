"""Ours against the parsers of other libraries, on the same bytes, each in a process of its own.

    python bench/scan.py [--lines N] [--untagged] [--runs N] [--rounds R] [--seconds S] [--json] [--record]

Every one gets the same 64 KiB pieces of the feed (bench/feed.py) and has to find the same lines: PING, RECONNECT,
NOTICE, ROOMSTATE, 366, own JOIN and PART, CLEARCHAT that names us (bench/parsers.py). Ours is the whole
`Session.receive`, so the lines that matter are parsed and answered too. Two floors stand beside: counting the newlines,
and cutting the bytes into lines. Their environment is made with pip (bench/rivals.py).

What counts is CPU time, and of that the best pass of a run, as `timeit` has it: many processors change their speed
within seconds, by nearly a half, so that two passes that follow each other say nothing about who is faster. A run is
some rounds; in each of them all have their turn, so that all meet the processor at its best. Each run is recorded; the
table shows the best of all.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import feed as feeds
import results
import rivals
import table
from parsers import ALONE, FLOORS, OURS, THEIRS, WE
from results import Figure

PARSERS = str(Path(__file__).resolve().parent / "parsers.py")
GOAL = 15.0
"""Times the fastest of the others, with tags."""


@dataclass(frozen=True, slots=True)
class Result:
    """CPU seconds for the feed: the best pass of each run. `wrong`: what it found and was not there, or the reverse,
    by kind; None for what looks for nothing."""

    name: str
    seconds: list[float]
    wrong: dict[str, int] | None
    rejects: bool = False
    """It refuses lines, and so does not parse them."""

    @property
    def best(self) -> float:
        return min(self.seconds)


def measure(
    feed: feeds.Feed, tagged: bool, runs: int, rounds: int, seconds: float
) -> tuple[list[Result], dict[str, str]]:
    """All that can be had here, and who is left out and why."""
    left_out = rivals.prepare(THEIRS)
    found: dict[str, Result] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feed.bin"
        feeds.write(feed, path)
        for run, _ in itertools.product(range(runs), range(rounds)):
            for name in [*FLOORS, *OURS, *THEIRS]:
                if name in left_out:
                    continue
                interpreter = str(rivals.PYTHON) if name in THEIRS else sys.executable
                command = [interpreter, PARSERS, name, str(path), "--seconds", str(seconds)]
                done = subprocess.run(command, check=False, capture_output=True, text=True)
                if done.returncode:
                    if name in OURS:
                        raise RuntimeError(done.stderr)
                    left_out[name] = (done.stderr.strip().splitlines() or ["failed"])[-1][:80]
                    found.pop(name, None)
                    continue
                one = json.loads(done.stdout)
                rejects = bool((one["found"] or {}).get("rejected"))
                result = found.setdefault(
                    name, Result(name, [], wrong(name, one["found"], feed.truth, tagged), rejects)
                )
                before = result.seconds[run:]  # of this run: its best so far, or nothing yet
                result.seconds[run:] = [min([*before, one["seconds"]])]
    return list(found.values()), left_out


def wrong(name: str, found: dict[str, int] | None, truth: Counter[str], tagged: bool) -> dict[str, int] | None:
    if found is None:
        return None
    if name == ALONE:
        return rivals.differences(found, {"lines": sum(truth.values())})
    return rivals.differences(found, rivals.ours(truth, tagged=tagged) if name == WE else truth)


def ratios(found: Sequence[Result]) -> tuple[str, list[float]]:
    """The fastest of the others that parse, and how many times faster ours was in each run. Empty: there is none."""
    named = {result.name: result for result in found}
    others = [result for result in found if result.name in THEIRS and not result.rejects]
    if not others:
        return "", []
    fastest = min(others, key=lambda result: result.best)
    return fastest.name, [theirs / own for theirs, own in zip(fastest.seconds, named[WE].seconds, strict=True)]


def figures(found: Sequence[Result], lines: int, tagged: bool) -> list[Figure]:
    _, times = ratios(found)
    made = []
    if times:
        what = f"Scanning {'tagged' if tagged else 'untagged'} chat, times the fastest of the others"
        made.append(Figure(what, "", times, at_least=GOAL if tagged else None))
    for result in sorted(found, key=lambda result: result.best):
        made.append(
            Figure(f"Lines in a CPU second: {result.name}", "", [lines / seconds for seconds in result.seconds])
        )
        if result.name in OURS:
            missed = sum(map(abs, (result.wrong or {}).values()))
            made.append(Figure(f"Lines missed or made up: {result.name}", "", [missed], at_most=0, every=True))
    return made


def notes(feed: feeds.Feed, tagged: bool, found: Sequence[Result], left_out: Mapping[str, str]) -> list[str]:
    kind = "tagged" if tagged else "untagged"
    size, matter = len(feed.data) / feed.lines, sum(feed.truth.values())
    fastest, _ = ratios(found)
    wrongs = [f"{one.name} ({rivals.told(one.wrong)})" for one in found if one.name in THEIRS and one.wrong]
    return [
        f"{feed.lines:,} {kind} lines of {size:.0f} bytes; {matter:,} of them matter.",
        f"The others: {rivals.versions(rivals.PYTHON, [one.name for one in found if one.name in THEIRS])}.",
        *([f"The fastest of the others: {fastest}."] if fastest else []),
        *([f"Did not find the same: {'; '.join(wrongs)}."] if wrongs else []),
        *(f"{name} is left out: {why}" for name, why in left_out.items()),
    ]


def show(found: Sequence[Result], lines: int, notes: Sequence[str]) -> None:
    rows = rivals.compared({result.name: (result.best / lines * 1e6, result.wrong) for result in found}, WE)
    fastest, times = ratios(found)
    words = [f"Ours is {max(times):.1f} times {fastest} at best, the fastest of the others."] if times else []
    head = ("", "lines/s", "us a line", "ours is", "finds the same")
    table.show("Lines in a CPU second", head, rows, [*notes, *words, f"The goal, tagged: {GOAL:.0f} times."])


def main() -> None:
    parser = argparse.ArgumentParser(description="Ours against the parsers of other libraries.")
    parser.add_argument("--lines", type=int, default=20000)
    parser.add_argument("--untagged", action="store_true")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5, help="of a run; the best pass of all its rounds counts")
    parser.add_argument("--seconds", type=float, default=0.5, help="CPU seconds for each, each round")
    parser.add_argument("--json", action="store_true")
    args = results.argument(parser).parse_args()
    feed, tagged = feeds.make(args.lines, tagged=not args.untagged), not args.untagged
    found, left_out = measure(feed, tagged, args.runs, args.rounds, args.seconds)
    said = notes(feed, tagged, found, left_out)
    if args.json:
        table.show_json({"results": [asdict(result) for result in found], "left_out": left_out})
    else:
        show(found, feed.lines, said)
    title = f"Scanning {'tagged' if tagged else 'untagged'} chat"
    sys.exit(results.finish(args, "scan", title, figures(found, feed.lines, tagged), notes=said))


if __name__ == "__main__":
    main()
