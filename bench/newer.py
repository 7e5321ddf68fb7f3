"""A newer Python for a bench that needs one, with this project and what it asks for in an environment of its own.

Nothing is downloaded but packages: an interpreter must be here already, on the PATH or among pyenv's.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

MINORS = (12, 13, 14)
"""The Pythons 3.x that are looked for, in this order."""

ASKED = "import sys, venv; print(sys.version_info[1])"


def interpreter() -> Path | None:
    """A Python of `MINORS`. A name on the PATH may be a stand-in for a version that is not installed: each is asked."""
    return next((found for minor in MINORS for found in _named(minor) if _is(found, minor)), None)


def environment(python: Path, folder: str, *packages: str) -> Path:
    """Its interpreter; made or brought up to date first. Raises RuntimeError with what pip said."""
    made = ROOT / folder / "bin" / "python"
    if not made.exists():
        _run([str(python), "-m", "venv", str(ROOT / folder)])
    pip = [str(made), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    _run([*pip, "-c", str(ROOT / "constraints.txt"), "-e", str(ROOT), *packages])
    return made


def _named(minor: int) -> Iterator[Path]:
    name = f"python3.{minor}"
    if on_path := shutil.which(name):
        yield Path(on_path)
    yield from sorted(Path.home().glob(f".pyenv/versions/*/bin/{name}"))


def _is(python: Path, minor: int) -> bool:
    asked = subprocess.run([python, "-c", ASKED], check=False, capture_output=True, text=True)
    return asked.returncode == 0 and asked.stdout.strip() == str(minor)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"{Path(sys.executable).name} failed"])[-1])
