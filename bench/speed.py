"""Every claim about speed, in one table.

    python bench/speed.py [PART ...] [--quick] [--json] [--record]

Runs the benches that measure, one after another, as commands, with sizes that are worth being written down, and takes
from what they record the claims that a person compares by. Nothing is measured here. `--quick` is for seeing that it
works: small sizes, a minute or two. A part that fails is told, and the others go on. Then the exit code is 1, as it is
where a goal is missed.

For the record, run it on a machine that has nothing else to do.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import bounded
import results
import table
from pages_reference import CLAIM, claim_row  # type: ignore[import-not-found]

BENCH = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Part:
    """A bench: its options, those of a quick run, and which of its claims are taken (all that have one of these words
    in them; all, if there are none)."""

    name: str
    full: str
    quick: str
    words: tuple[str, ...] = ()


PARTS = (
    Part("scan", "--runs 3 --rounds 15", "--lines 2000 --rounds 1 --seconds 0.05"),
    Part("chat", "--times 50 --rounds 5", "--lines 1000 --times 5 --rounds 1"),
    Part(
        "net",
        "--seconds 5 --rounds 5",
        "--seconds 0.5 --rounds 1",
        ("times that of receive and discard", "PONG, the longest: allthepoints"),
    ),
    Part("start", "--runs 9", "--runs 1 --channels 5"),
    Part("poll", "--minutes 60", "--minutes 5"),
    Part(
        "ledger",
        "",
        "--channels 5 --days 10 --rounds 2 --exports 1",
        ("The file", "Chart", "Totals", "export", "CPU to write"),
    ),
    Part("web", "--channels 300", "--channels 300 --runs 3 --firsts 1"),
    Part("memory", "", "--channels 10 --follows 100 --seconds 3"),
    Part("soak", "--days 2", "--days 1 --follows 30 --live 5 --looks 2", ("Memory", "tasks", "files", "CPU")),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a bench recorded. `figures`: as in its JSON, those that are taken."""

    part: str
    figures: list[dict[str, Any]]
    notes: list[str]


def run(part: Part, quick: bool) -> Told:
    """Raises RuntimeError with what it said."""
    options = (part.quick if quick else part.full).split()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(BENCH / f"{part.name}.py"), *options, results.FLAG, results.INTO, folder]
        done = bounded.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        path = Path(folder) / f"{part.name}.json"
        if not path.exists():  # one that misses a goal ends with 1, too
            raise RuntimeError((done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1])
        return taken(part, json.loads(path.read_text(encoding="utf-8")))


def taken(part: Part, found: Mapping[str, Any]) -> Told:
    """Of what was recorded. Raises RuntimeError for words that no claim has: the bench tells it otherwise now."""
    claims = [figure["claim"] for figure in found["figures"]]
    if unknown := [word for word in part.words if not any(word in claim for claim in claims)]:
        raise RuntimeError(f"no claim of it has {unknown[0]!r}")
    figures = [
        figure | {"claim": f"{part.name}: {figure['claim']}"}
        for figure in found["figures"]
        if not part.words or any(word in figure["claim"] for word in part.words)
    ]
    return Told(part.name, figures, [f"{part.name}: {note}" for note in found["notes"]])


def all_of(parts: Sequence[Part], quick: bool) -> tuple[list[Told], list[str]]:
    """What was told, and of whom nothing was, with why."""
    found, failed = [], []
    for number, part in enumerate(parts, 1):
        print(f"{number} of {len(parts)}: {part.name} ...", file=sys.stderr, flush=True)
        try:
            found.append(run(part, quick))
        except RuntimeError as error:
            failed.append(f"{part.name} is left out, it failed: {error}")
    return found, failed


def main() -> None:
    parser = argparse.ArgumentParser(description="Every claim about speed, in one table.")
    names = [part.name for part in PARTS]
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(names)}; all of them without")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it work?")
    parser.add_argument("--json", action="store_true")
    args = results.argument(parser).parse_args()
    if unknown := [name for name in args.parts if name not in names]:
        parser.error(f"{unknown[0]!r} is none of {', '.join(names)}")
    found, failed = all_of([part for part in PARTS if part.name in (args.parts or names)], args.quick)
    figures = [figure for told in found for figure in told.figures]
    notes = [note for told in found for note in told.notes] + failed
    missed = [figure["claim"] for figure in figures if figure["holds"] is False]
    if args.json:
        table.show_json({"figures": figures, "notes": notes, "failed": failed})
    elif figures:
        words = f"MISSED: {'; '.join(missed)}." if missed else "Every goal holds."
        table.show("Speed", CLAIM, [_plain(figure) for figure in figures], [*notes, words])
    if args.record and figures:
        results.record("speed", "Speed", figures, notes=notes, folder=args.into)
    sys.exit(1 if failed or missed else 0)


def _plain(figure: Mapping[str, Any]) -> list[str]:
    """As on the page, without its marks."""
    return [cell.replace("**missed**", "MISSED") for cell in claim_row(figure)]


if __name__ == "__main__":
    main()
