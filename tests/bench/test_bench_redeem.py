"""Redemptions with a fault at every step, a small number of them; `scripts/bench redeem` plays as many as wanted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parent.parent.parent / "bench" / "redeem.py"

INTENTS, KILLS = 160, 6


@pytest.mark.timeout(400)
def test_fc_48_a_fault_at_every_step_never_pays_twice_and_every_intent_ends_settled() -> None:
    command = [sys.executable, str(BENCH), "--count", str(INTENTS), "--kills", str(KILLS), "--seed", "7", "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=360)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    trouble = [row for row in found["rows"] if row["doubles"] or row["wrong"] or row["unknown"] or row["astray"]]
    assert trouble == []
    total = found["total"]
    assert total["confirmed"] >= INTENTS + KILLS
    assert total["accepted"] == total["taken"] <= total["posts"] <= total["confirmed"]
    assert total["accepted"] + total["rejected"] == total["confirmed"]
    assert min(row["confirmed"] for row in found["rows"]) >= 1
    assert done.returncode == 0, done.stderr
