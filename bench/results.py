"""How a bench writes down what it found: docs/results/NAME.json, from which docs/results.md is made.

    parser = results.argument(argparse.ArgumentParser(...))       # adds --record and --into
    ...
    figures = [Figure("Capture of what was possible", "%", shares, at_least=95.0)]
    sys.exit(results.finish(args, "chaos", "Stormy days", figures))  # 1 where a goal is missed

A figure is a claim and what was measured for it, run by run; median and spread are worked out here, and so is whether
its goal holds, so that no page says what no run has shown. Beside them stands what is needed to run it again and to
compare: the command, the commit, the machine, how busy it was, the versions, the date.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import re
import shlex
import ssl
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import apsw
import bounded
import revision

from allthepoints import __version__

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "results"

FLAG = "--record"
INTO = "--into"

Recorded = Mapping[str, object]
"""A figure as it stands in the JSON."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One claim. `runs`: what was measured, one number a run, in `unit` ("%", "s", "MiB", "lines/s", "" for counts).

    The goal is judged by the median, or, with `every`, by each run: what must never be must not be once.
    """

    claim: str
    unit: str
    runs: Sequence[float]
    at_least: float | None = None
    at_most: float | None = None
    every: bool = False

    def holds(self) -> bool | None:
        """None: there is no goal."""
        if self.at_least is None and self.at_most is None:
            return None
        judged = self.runs if self.every else [statistics.median(self.runs)]
        low, high = self.at_least, self.at_most
        return all((low is None or value >= low) and (high is None or value <= high) for value in judged)


def code(figures: Iterable[Figure]) -> int:
    """The exit code of a bench: 1 where a goal is missed."""
    return 1 if any(figure.holds() is False for figure in figures) else 0


def argument(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The parser with `--record` and `--into`. From now on the bench is bounded in time, and its commit is known."""
    bounded.begin()
    revision.commit()
    parser.add_argument(FLAG, action="store_true", help="write docs/results/NAME.json, and docs/results.md from it")
    parser.add_argument(INTO, type=Path, default=FOLDER, metavar="DIR", help="write NAME.json there, and no page")
    return parser


def finish(
    asked: argparse.Namespace,
    name: str,
    title: str,
    figures: Sequence[Figure],
    *,
    notes: Sequence[str] = (),
    packages: Sequence[str] = (),
) -> int:
    """The end of a bench: what it found is recorded, if that was asked for, and its exit code is answered."""
    if asked.record:
        record(name, title, figures, notes=notes, packages=packages, folder=asked.into)
    return code(figures)


def record(
    name: str,
    title: str,
    figures: Sequence[Figure | Recorded],
    *,
    notes: Sequence[str] = (),
    packages: Sequence[str] = (),
    command: str | None = None,
    folder: Path = FOLDER,
) -> Path:
    """Write the section `name` of the results, and the page anew. `packages`: others whose versions matter."""
    found = {
        "name": name,
        "title": title,
        "command": command or _command(),
        "commit": revision.commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(packages),
        "notes": list(notes),
        "figures": [recorded(figure) if isinstance(figure, Figure) else figure for figure in figures],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if folder == FOLDER:
        subprocess.run([sys.executable, str(ROOT / "scripts" / "pages.py")], check=True)
    return path


def machine() -> Mapping[str, object]:
    """What it ran on. `load`: how many processes wanted to run in the last minute; above `cores`, it had to wait."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": _memory(),
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def versions(packages: Sequence[str] = ()) -> Mapping[str, str]:
    """Of the program, of what it stands on, and of the packages."""
    return {
        "allthepoints": __version__,
        platform.python_implementation(): platform.python_version(),
        "SQLite": apsw.sqlite_lib_version(),
        "OpenSSL": ssl.OPENSSL_VERSION.split()[1],
        **{package: importlib.metadata.version(package) for package in packages},
    }


def recorded(figure: Figure) -> Recorded:
    """What is written of it."""
    return {
        "claim": figure.claim,
        "unit": figure.unit,
        "runs": len(figure.runs),
        "median": _rounded(statistics.median(figure.runs)),
        "low": _rounded(min(figure.runs)),
        "high": _rounded(max(figure.runs)),
        "goal": _goal(figure),
        "holds": figure.holds(),
    }


def _goal(figure: Figure) -> str:
    bounds = (("at least", figure.at_least), ("at most", figure.at_most))
    words = " and ".join(f"{word} {_rounded(bound)}" for word, bound in bounds if bound is not None)
    return f"{words}, every run" if words and figure.every else words


def _rounded(value: float) -> float | int:
    """Five digits: more are noise."""
    short = float(f"{value:.5g}")
    return int(short) if short.is_integer() else short


def _command() -> str:
    """How it was called, but for where the figures, what is found and what is remembered go."""
    words = list(sys.argv[1:])
    for folder in (INTO, "--found", "--keep", "--known"):
        while folder in words:
            at = words.index(folder)
            del words[at : at + 2]
    return shlex.join(["python", f"bench/{Path(sys.argv[0]).name}", *(word for word in words if word != FLAG)])


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, OSError, ValueError):
        return None
