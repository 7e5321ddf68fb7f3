"""Programs of other people that a bench compares with: where they are installed, and how their findings are judged.

They live in an environment of their own (.venv-bench), because some of them want other versions of what we use. One
that cannot be installed is left out, with the reason.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import feed as feeds

PACKAGES: Mapping[str, str] = {
    "miniirc": "miniirc",
    "twitchAPI": "twitchAPI",
    "irc": "irc",
    "TwitchIO 2.10": "twitchio==2.10.0",
    "irctokens": "irctokens",
    "pydle": "pydle",
    "bottom": "bottom",
}
"""What pip is asked for, by the name in the tables."""

ENVIRONMENT = Path(__file__).resolve().parent.parent / ".venv-bench"
PYTHON = ENVIRONMENT / "bin" / "python"
"""What they are run by."""
SIMPLE = {"PING", "RECONNECT", "NOTICE", "ROOMSTATE", "366"}
PROOFS = ("own JOIN", "366", "ROOMSTATE")
"""For us a proof of presence is one event, whichever line it came from: `joined`."""

Found = Counter[str]


def prepare(names: Iterable[str]) -> dict[str, str]:
    """Install these for PYTHON; answers why some are not, by name."""
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
    missing: dict[str, str] = {}
    for name in names:
        package = PACKAGES[name]
        there = [str(PYTHON), "-m", "pip", "show", "-q", package.partition("==")[0]]
        if subprocess.run(there, check=False, capture_output=True).returncode == 0:
            continue
        install = [str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", package]
        done = subprocess.run(install, check=False, capture_output=True, text=True)
        if done.returncode:
            missing[name] = (done.stderr.strip().splitlines() or ["pip failed"])[-1][:80]
    return missing


ASKED = "import importlib.metadata, sys; print(*map(importlib.metadata.version, sys.argv[1:]))"


def versions(python: str | Path, names: Iterable[str]) -> str:
    """Which releases these are in that interpreter's environment, in words: `irc 20.5.0, pydle 1.2.0`."""
    packages = [PACKAGES[name].partition("==")[0] for name in names]
    told = subprocess.run([str(python), "-c", ASKED, *packages], check=False, capture_output=True, text=True)
    return ", ".join(map(" ".join, zip(packages, told.stdout.split(), strict=False)))


def tally(found: Found, command: str, nick: str, last: str) -> None:
    """Note a line that is not chat."""
    if command in SIMPLE:
        found[command] += 1
    elif command in ("JOIN", "PART"):
        if nick == feeds.NICK:
            found["own " + command] += 1
    elif command == "CLEARCHAT" and last == feeds.NICK:
        found["own CLEARCHAT"] += 1


def ours(truth: Mapping[str, int], *, tagged: bool) -> dict[str, int]:
    """What we are to tell of it. Without tags a ROOMSTATE is not a full one, so no proof of presence, and a NOTICE has
    no msg-id, so it is no refusal.
    """
    expected = dict(truth)
    bare = () if tagged else ("ROOMSTATE", "NOTICE")
    for kind in bare:
        expected.pop(kind, None)
    expected["joined"] = sum(expected.pop(kind, 0) for kind in PROOFS)
    return expected


def differences(found: Mapping[str, int], truth: Mapping[str, int]) -> dict[str, int]:
    """By kind: how many more than there are (or fewer, below zero). Empty: all and only what is there."""
    return {
        kind: found.get(kind, 0) - truth.get(kind, 0)
        for kind in sorted({*truth, *found})
        if found.get(kind, 0) != truth.get(kind, 0)
    }


def compared(found: Mapping[str, tuple[float, Mapping[str, int] | None]], own: str) -> list[tuple[str, ...]]:
    """Rows of a table, the fastest first: name, lines a second, us a line, times what ours costs, the differences.

    `found`: us a line, and what was missed or made up (None: it tells nothing), by name.
    """
    least = found[own][0]
    ordered = sorted(found.items(), key=lambda entry: entry[1][0])
    return [
        (name, f"{1e6 / us:,.0f}", f"{us:.2f}", f"{us / least:.1f}x", "-" if wrong is None else told(wrong))
        for name, (us, wrong) in ordered
    ]


def told(wrong: Mapping[str, int]) -> str:
    """The differences in words."""
    return ", ".join(f"{kind} {count:+d}" for kind, count in wrong.items()) or "yes"
