"""What stands in docs/results/ was measured on a commit that can be checked out, and on nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"

OF_NO_COMMIT: tuple[str, ...] = ()
"""Recorded before a commit was named, or with changes beside it. Who records one of them anew takes it out."""


def test_every_result_names_the_commit_that_was_measured() -> None:
    """No `+` behind it, which says that something was changed and not committed."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")).get("commit") for path in RESULTS.glob("*.json")}
    unclean = [name for name, commit in found.items() if not re.fullmatch(r"[0-9a-f]{10}", commit or "")]
    assert tuple(sorted(unclean)) == OF_NO_COMMIT
