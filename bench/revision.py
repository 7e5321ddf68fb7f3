"""Which commit is measured. Asked for as a bench begins: hours later there may be others."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

TEXTS = (":(exclude)docs", ":(exclude)README.md")
"""What a record itself changes makes no other program."""


@cache
def commit(root: Path = ROOT) -> str | None:
    """Ten digits of it, with a `+` if anything but the texts is changed; None outside a git repository."""
    if not (root / ".git").exists():
        return None
    try:
        found = _git(root, "rev-parse", "--short=10", "HEAD").strip()
        return found + "+" if _git(root, "status", "--porcelain", "--", ".", *TEXTS).strip() else found
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(root: Path, *words: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(root), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
