"""Millions of lines, answers, files and requests that are wrong in every way: no crash, no hang, bounded memory.

    python bench/fuzz.py                              all parts, small; a minute
    python bench/fuzz.py lines --lines 10000000       the scanner and the session beside a full parse of every line
    python bench/fuzz.py answers --count 100000       Twitch's and StreamElements' answers, damaged
    python bench/fuzz.py files --count 50000          configs, scenarios, other programs' files, kept secrets
    python bench/fuzz.py web --count 100000           every address of the dashboard
    python bench/fuzz.py schema --count 100           the same by schemathesis, so many requests an address
    python bench/fuzz_guided.py --runs 1000000        lines again, led by coverage (needs `pip install atheris`)

Each part is bounded by a count, never by time, and the same --seed does the same. With --record a part that could not
be run, for what it needs is not installed, ends it with 1. A find ends it with 1 and with what
led there, shrunk where it is lines; it belongs into the tests. Whatever takes over HANG seconds ends it with a trace.
What each part looks for stands at the head of `fuzz_chat.py`, `fuzz_edges.py`, `fuzz_files.py` and `fuzz_web.py`.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import importlib.util
import logging
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import fuzz_chat
import results
from fuzz_chat import Difference, Run
from table import left_out, show, show_json

HANG = 120.0
MOST_MEMORY = 64.0
"""MiB that a part may have grown by after its first piece."""

Found = dict[str, int]


def lines(args: argparse.Namespace) -> Iterator[tuple[int, Found]]:
    """Lines fed so far, and what they told."""
    run = Run(args.seed)
    step = max(1, min(50_000, args.lines // 10))
    while run.found.lines < args.lines:
        run.some(min(step, args.lines - run.found.lines))
        yield run.found.lines, {**run.found.kinds, "sessions": run.found.sessions, "bytes": run.found.bytes}


def answers(args: argparse.Namespace) -> Iterator[tuple[int, Found]]:
    import fuzz_edges

    return _pieces(args, fuzz_edges.main)


def files(args: argparse.Namespace) -> Iterator[tuple[int, Found]]:
    import fuzz_files

    return _pieces(args, fuzz_files.main)


def web(args: argparse.Namespace) -> Iterator[tuple[int, Found]]:
    import fuzz_web

    return _pieces(args, fuzz_web.main)


def schema(args: argparse.Namespace) -> Iterator[tuple[int, Found]]:
    import fuzz_web

    if importlib.util.find_spec("schemathesis") is None:
        left_out("fuzz schema", "schemathesis is not installed (python scripts/install_group.py bench)")
        return
    count = args.count if args.part == "schema" else max(1, args.count // 100)
    for found in fuzz_web.by_schemathesis(args.seed, count):
        yield sum(found.values()), found


def _pieces(args: argparse.Namespace, main: Callable[[int, int], Found]) -> Iterator[tuple[int, Found]]:
    """Piece by piece, each from a seed of its own, so that memory can be compared."""
    pieces = max(10, args.count // 5_000)
    whole: Found = {}
    done = 0
    for piece in range(pieces):
        count = args.count * (piece + 1) // pieces - done
        for name, number in main(args.seed * 100_000 + piece, count).items():
            whole[name] = whole.get(name, 0) + number
        done += count
        yield done, whole


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[tuple[int, Found]]]] = {
    "lines": lines,
    "answers": answers,
    "files": files,
    "web": web,
    "schema": schema,
}


class Outcome:
    """What one part came to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0
        self.found: Found = {}
        self.seconds = 0.0
        self.grown = 0.0
        self.pieces = 0

    @property
    def rate(self) -> float:
        return self.count / self.seconds if self.seconds else 0.0


def carried_out(name: str, args: argparse.Namespace) -> Outcome:
    """Run a part to its end. Raises AssertionError for a find."""
    outcome, began = Outcome(name), time.process_time()
    early = None
    _forget_peak()
    for count, found in PARTS[name](args):
        _alive()
        outcome.count, outcome.found, outcome.seconds = count, found, time.process_time() - began
        outcome.pieces += 1
        early = early if early is not None else _memory()
        outcome.grown = max(outcome.grown, _memory() - early)
    faulthandler.cancel_dump_traceback_later()
    if outcome.grown > MOST_MEMORY:
        raise AssertionError(f"{name}: memory grew by {outcome.grown:.0f} MiB")
    return outcome


def _alive() -> None:
    """So far so good: the next piece has HANG seconds."""
    faulthandler.dump_traceback_later(HANG, exit=True)


def _forget_peak() -> None:
    """A part is not hidden by the peak of the one before it. Linux alone can forget it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _memory() -> float:
    """The most that this process had since the last `_forget_peak`, in MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1024 if sys.platform != "darwin" else most / 2**20


def main() -> int:
    parser = results.argument(argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]))
    parser.add_argument("part", nargs="?", choices=list(PARTS), help="one part; all of them without")
    parser.add_argument("--lines", type=int, default=200_000, help="lines of the part `lines`")
    parser.add_argument("--count", type=int, default=2_000, help="answers, files or requests of the others")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one line of JSON a part")
    args = parser.parse_args()
    logging.lastResort = None  # what it says of damaged files is no news here
    outcomes = []
    for name in PARTS if args.part is None else [args.part]:
        _alive()
        try:
            outcomes.append(carried_out(name, args))
        except Difference as found:
            print(f"{name}: {found.text[:2000]}\nwelcomed={found.welcomed}\npieces = {fuzz_chat.shrunk(found)!r}")
            return 1
        except AssertionError as found:
            print(f"{name}: {found}")
            return 1
        if args.json:
            one = outcomes[-1]
            show_json(
                {"part": name, "count": one.count, "cpu_s": one.seconds, "grown_mib": one.grown, "found": one.found}
            )
    if not args.json:
        _show(outcomes)
    told = outcomes if args.record else [one for one in outcomes if one.count]
    return results.finish(
        args,
        "fuzz",
        "Lines, answers, files and requests that are wrong in every way",
        _figures(told, args),
        notes=[
            "A find ends the run before anything is recorded, and becomes a test.",
            *(f"The part `{one.name}` is left out: what it needs is not installed." for one in told if not one.count),
        ],
    )


def _show(outcomes: list[Outcome]) -> None:
    rows = [
        [
            one.name,
            f"{one.count:,}",
            f"{one.seconds:.0f}",
            f"{one.rate:,.0f}",
            f"{one.grown:.1f}",
            f"{len(one.found)}",
            "0",
        ]
        for one in outcomes
    ]
    show(
        "What was fed, and what came of it",
        ["part", "count", "CPU s", "a second", "MiB grown", "kinds of ends", "finds"],
        rows,
        ["A find would have ended the run. MiB grown: the peak of memory, after the first piece."],
    )


def _figures(outcomes: list[Outcome], args: argparse.Namespace) -> list[results.Figure]:
    """A part that could not be run misses its goal."""
    words = {
        "lines": "Lines through scanner and session, each told as a full parse tells it",
        "answers": "Damaged answers of Twitch and StreamElements",
        "files": "Damaged configs, scenarios and files of other programs",
        "web": "Odd requests to the dashboard",
        "schema": "Requests to the dashboard by schemathesis",
    }
    an_address = args.count if args.part == "schema" else max(1, args.count // 100)
    addresses = sum(one.pieces for one in outcomes if one.name == "schema")
    asked = {"lines": args.lines, "schema": an_address * max(1, addresses)}
    counts = [
        results.Figure(words[one.name], "", [one.count], at_least=asked.get(one.name, args.count)) for one in outcomes
    ]
    grown = results.Figure(
        "Memory grown meanwhile", "MiB", [one.grown for one in outcomes] or [0], at_most=MOST_MEMORY, every=True
    )
    return [*counts, results.Figure("Crashes, hangs, forged or missed events", "", [0], at_most=0, every=True), grown]


if __name__ == "__main__":
    sys.exit(main())
