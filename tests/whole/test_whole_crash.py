"""FC-33, FC-39: kill -9 of the real command at random moments of a busy day. `bench/crash.py` does hundreds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(300)
"""The first of them waits for all of it: a minute, or two where others are at work."""

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture(scope="module")
def killed() -> dict[str, Any]:
    command = [sys.executable, str(BENCH / "crash.py"), "--kills", "8", "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=290)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    "what",
    ["integrity", "kept", "consistent", "told twice", "lock", "paid twice", "booked", "ban", "limits", "plan"],
)
def test_fc_33_kill_at_random_moments(killed: dict[str, Any], what: str) -> None:
    assert killed["broken"].get(what, []) == []


def test_it_was_a_busy_day(killed: dict[str, Any]) -> None:
    assert killed["kills"] == 8
    assert killed["bans"] >= 1
    assert killed["knew"] >= 1
    assert killed["asked"] > 2
    assert killed["taken"] > 0
    assert killed["events"] > 10
