"""The worst of days: what the program says of itself is true, and after a ban that it was told of it stays out.

`bench/storms.py` lives through them with the real service; many more seeds than these are run by hand.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from allthepoints.core.policy import ACCOUNT_ROOMS
from allthepoints.irc.pump import MAX_TICK
from allthepoints.irc.session import SessionOptions
from allthepoints.twitch.link import LINGER

STORMS = Path(__file__).resolve().parents[2] / "bench" / "storms.py"

OPTIONS = SessionOptions()

KEEP_ALIVE = OPTIONS.idle_ping + OPTIONS.pong_timeout + MAX_TICK + LINGER
"""Seconds: a connection that died without a word is known to be dead after so long, and what it held is not claimed."""


@pytest.fixture(scope="module")
def days() -> list[dict[str, Any]]:
    """Fixed seeds: seven hours of a day each, at the density of trouble of the long runs and more."""
    options = ("--seeds", "7,55", "--hours", "7", "--extra", "30", "--channels", "15")
    command = [sys.executable, str(STORMS), *options, "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["results"]
    return found


def lengths(day: dict[str, Any], kind: str) -> list[float]:
    return [finding["end"] - finding["begin"] for finding in day["findings"] if finding["kind"] == kind]


def test_days_that_are_bad_enough(days: list[dict[str, Any]]) -> None:
    """Or the other tests would hold of nothing."""
    assert len(days) == 2
    for day in days:
        assert day["reconnects"] > 5
        assert day["capture"] > 0.5
    assert any(lengths(day, "wordless") for day in days)


def test_no_limit_is_broken_and_nothing_is_said(days: list[dict[str, Any]]) -> None:
    for day in days:
        assert (day["violations"], day["lines_said"], day["refresh_reuse"]) == (0, 0, 0), day["faults"]
        assert day["rooms_peak"] <= ACCOUNT_ROOMS


def test_nobody_joins_where_he_was_told_that_he_is_banned(days: list[dict[str, Any]]) -> None:
    for day in days:
        assert day["joins_after_told"] == 0, day["faults"]


def test_presence_is_claimed_no_longer_than_the_keep_alive_can_be_wrong(days: list[dict[str, Any]]) -> None:
    for day in days:
        assert max(lengths(day, "false"), default=0.0) <= KEEP_ALIVE, day["faults"]


def test_every_fault_is_drawn_or_left_out_for_a_reason() -> None:
    script = (
        "import weather; from allthepoints.sim.faults import FAULTS;"
        "drawn, left = set(weather.MENU), set(weather.LEFT_OUT);"
        "assert drawn | left == set(FAULTS), (drawn | left) ^ set(FAULTS);"
        "assert not drawn & left"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=STORMS.parent, timeout=30)
