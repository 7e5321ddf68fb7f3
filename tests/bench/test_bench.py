"""Benches that need nothing but the program run, and their tables and JSON have their shape."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).resolve().parent.parent.parent / "bench"


def run(name: str, *arguments: str, ends: tuple[int, ...] = (0,)) -> str:
    command = [sys.executable, str(BENCH / f"{name}.py"), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=90)
    assert done.returncode in ends, done.stderr
    return done.stdout


def as_json(name: str, *arguments: str, ends: tuple[int, ...] = (0,)) -> Any:
    return json.loads(run(name, *arguments, "--json", ends=ends))


@pytest.mark.parametrize(
    "name",
    [
        *("chaos", "chat", "crash", "ledger", "memory", "net", "network", "poll"),
        *("presence", "scan", "soak", "speed", "start", "storms", "turns", "web"),
    ],
)
def test_help(name: str) -> None:
    assert "--json" in run(name, "--help")


def test_poll_costs_one_call_for_each_hundred_channels() -> None:
    for result in as_json("poll", "--channels", "3,201", "--minutes", "5"):
        assert result["calls"] <= result["polls"] * -(-result["channels"] // 100)
        assert result["present"] == min(result["channels"], 90)


def test_poll_prints_a_table() -> None:
    assert "holds" in run("poll", "--channels", "3", "--minutes", "1")


def test_soak_looks_at_the_day_again_and_again() -> None:
    found = as_json("soak", "--days", "1", "--follows", "30", "--live", "5", "--looks", "2", ends=(0, 1))
    assert [look["hours"] for look in found["looks"]] == [12, 24]
    assert found["flat"]["tasks"]
    assert found["capture_of_reachable"] > 0.9


def test_start_sees_the_first_join_and_a_status() -> None:
    found = as_json("start", "--runs", "1", "--channels", "2", ends=(0, 1))
    assert len(found["first_join_s"]) == len(found["status_s"]) == 1


def test_web_pushes_one_row_whatever_the_number() -> None:
    few, more = as_json("web", "--channels", "1,20", "--runs", "2", ends=(0, 1))
    assert more["bytes"] > few["bytes"]
    assert more["pushed_row_bytes"] == few["pushed_row_bytes"]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not tell how much memory is used")
def test_memory_waits_for_the_rooms() -> None:
    found = as_json("memory", "--channels", "2", "--follows", "3", "--seconds", "2")
    assert found["rooms"] == 2
    assert len(found["rss_mb"]) == 2


def test_turns_are_measured_in_parts() -> None:
    found = as_json("turns", "--follows", "5", "--live", "0,2", "--turns", "7", "--minutes", "0")
    assert {len(turn["kept"]) for turn in found["turns"]} == {5}
