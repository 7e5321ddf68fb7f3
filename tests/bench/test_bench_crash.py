"""What bench/crash.py holds against the program: its books beside the sandbox's count."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import crash


def row(key: str, state: str, auto: bool = False, channel: str = "7") -> dict[str, Any]:
    return {"key": key, "state": state, "auto": auto, "channel": channel}


@pytest.mark.parametrize(
    ("rows", "by_key", "wished", "found"),
    [
        ([row("k1", "accepted"), row("k2", "rejected"), row("k3", "sent")], {"k1": 1}, {}, []),
        ([row("k1", "accepted")], {}, {}, ["k1 is accepted"]),
        ([row("k1", "rejected")], {"k1": 1}, {}, ["k1 is rejected"]),
        ([], {"k1": 1}, {}, ["k1 was taken, and nothing was written"]),
        ([row("a", "accepted", True), row("b", "unknown", True)], {}, {"7": 1}, []),
        ([row("a", "accepted", True), row("b", "unknown", True)], {}, {"7": 2}, []),
        ([row("a", "accepted", True)], {}, {"7": 2}, ["the wish of 7: 2 taken, 1 accepted, 0 open"]),
        ([row("a", "accepted", True)], {}, {}, ["the wish of 7: 0 taken, 1 accepted, 0 open"]),
        ([], {}, {"7": 1}, ["the wish of 7: 1 taken, 0 accepted, 0 open"]),
    ],
)
def test_books_that_are_not_the_count(
    rows: list[dict[str, Any]], by_key: dict[str, int], wished: dict[str, int], found: list[str]
) -> None:
    assert crash.misbooked(rows, by_key, wished) == found
