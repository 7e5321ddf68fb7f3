"""Cuts, resets, loss and slowness on a real wire, and what a proxy can do to bytes: how long until it is found out, and
until all rooms are back.

    python bench/network.py [--only EXPRESSION] [--json] [--record]

It runs `tests/network` by pytest and takes down the seconds that the tests tell: two network namespaces with a wire
between them, the real command on one side, the sandbox, ngircd and InspIRCd on the other; and one connection through
a proxy of our own. That needs root, iproute2, iptables and both daemons: where something is missing, tests are skipped,
and then the goal is missed. There is no goal for speed: what must be found out by when is in the tests themselves, for
each its own, and `idle_ping` and `pong_timeout` are far shorter there than the program's defaults.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent))

import results
import table
from results import ROOT, Figure

from allthepoints.irc.session import SessionOptions

TESTS = "tests/network"

HURRIED = (
    f"The tests hurry: whatever is found out by silence takes as long as `idle_ping` and `pong_timeout` say, and these "
    f"are 0.1 to 3 s in each test, where the program has {SessionOptions().idle_ping:.0f} s and "
    f"{SessionOptions().pong_timeout:.0f} s. By the program's own settings it is some 41 s."
)

AS_A_TEST = ("PYTEST_", "COV_")
"""What a pytest of which this is a part would tell the one that is started here."""


@dataclass(slots=True)
class Found:
    """`seconds`: by what was done and what is measured, one for each test that did it (as with TLS and without)."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    took_s: float = 0.0


def run(only: str) -> Found:
    """Raises RuntimeError where no test was run."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(AS_A_TEST)}
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", TESTS, "-q", "-p", "no:cacheprovider", f"--junit-xml={report}"]
        command += ["-o", "junit_family=xunit1", *(["-k", only] if only else [])]
        done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=False)
        cases = list(ET.parse(report).iter("testcase")) if report.exists() else []
    if not cases:
        raise RuntimeError(f"no test was run:\n{done.stdout}")
    found = read(cases)
    found.took_s = time.perf_counter() - start
    return found


def read(cases: Iterable[ET.Element]) -> Found:
    """What is in a report of pytest's."""
    found = Found()
    for case in cases:
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            found.failed.append(name)
        elif (skipped := case.find("skipped")) is not None:
            found.skipped.append(f"{name}: {skipped.get('message')}")
        else:
            found.passed += 1
        for one in case.iter("property"):
            found.seconds.setdefault(str(one.get("name")), []).append(float(str(one.get("value"))))
    return found


def figures(found: Found) -> list[Figure]:
    """A run is a test that did it."""
    return [
        Figure("Tests that passed", "", [found.passed]),
        Figure("Tests that failed", "", [len(found.failed)], at_most=0, every=True),
        Figure("Tests that were skipped", "", [len(found.skipped)], at_most=0, every=True),
        *(Figure(what, "s", seconds) for what, seconds in found.seconds.items()),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="How long until a cut is found out, and all rooms are back.")
    parser.add_argument("--only", default="", metavar="EXPRESSION", help="of the tests, as pytest's -k")
    parser.add_argument("--json", action="store_true")
    args = results.argument(parser).parse_args()
    found = run(args.only)
    if args.json:
        table.show_json(asdict(found))
    else:
        show(found)
    if args.record:
        title = "A network that cuts, resets, loses and is slow"
        results.record("network", title, figures(found), notes=[HURRIED], folder=args.into)
    sys.exit(results.code(figures(found)))


def show(found: Found) -> None:
    def row(what: str, seconds: Sequence[float]) -> tuple[str, ...]:
        return what, f"{median(seconds):.3f} s", f"{max(seconds):.3f} s", str(len(seconds))

    notes = [
        f"{found.passed} tests passed, {len(found.failed)} failed, {len(found.skipped)} were skipped, "
        f"in {found.took_s:.0f} s.",
        *(f"FAILED: {name}" for name in found.failed),
        *(f"SKIPPED: {name}" for name in found.skipped),
    ]
    table.show("Network", ("", "median", "most", "tests"), [row(*one) for one in found.seconds.items()], notes)


if __name__ == "__main__":
    main()
