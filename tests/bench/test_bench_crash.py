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


def state(**tables: dict[tuple[Any, ...], dict[str, Any]]) -> crash.State:
    return {name: tables.get(name, {}) for name in crash.TABLES}


EVENT = {"id": 1, "at": 1.0, "kind": "x", "channel": None, "data": "{}"}
ASKED = {"id": 1, "at": 1.0, "kind": "redeem", "login": "a", "data": "{}", "key": "k", "done_at": None}


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        (state(events={(1,): EVENT}), state(events={(1,): EVENT}), []),
        (state(events={(1,): EVENT}), state(), ["events (1,) is gone"]),
        (
            state(events={(1,): EVENT}),
            state(events={(1,): EVENT | {"at": 2.0}}),
            ["events (1,): at 1.0 became 2.0"],
        ),
        (state(requests={(1,): ASKED}), state(requests={(1,): ASKED | {"done_at": 2.0}}), []),
        (
            state(requests={(1,): ASKED | {"done_at": 2.0}}),
            state(requests={(1,): ASKED}),
            ["requests (1,): done_at 2.0 became None"],
        ),
        (state(balances={("7",): {"channel": "7"}}), state(), ["balances ('7',) is gone"]),
        ({}, state(), []),
    ],
)
def test_what_is_lost(before: crash.State, now: crash.State, found: list[str]) -> None:
    assert list(crash.lost(before, now)) == found


def test_presence_that_outlives_its_process() -> None:
    spans = {number: {"channel": "7", "began_at": 1.0, "ended_at": end} for number, end in ((1, None), (2, 5.0))}
    before = state(presence={(number,): row for number, row in spans.items()})
    now = state(presence={(1,): spans[1] | {"ended_at": 9.5}, (2,): spans[2]})
    assert list(crash.claimed_dead(before, now, 9.0)) == ["presence (1,) ends 0.500 s after the kill"]
    assert list(crash.claimed_dead(before, now, 9.5)) == []


@pytest.mark.parametrize(
    ("tables", "found"),
    [
        ({"presence": {(1,): {"channel": "7", "began_at": 1.0, "ended_at": 2.0}}}, []),
        (
            {
                "presence": {
                    (1,): {"channel": "7", "began_at": 1.0, "ended_at": 3.0},
                    (2,): {"channel": "7", "began_at": 2.0, "ended_at": None},
                }
            },
            ["presence 2 begins before the one before it has ended"],
        ),
        (
            {"ledger": {(1, 1): {"delta": 5, "points": 5}, (1, 2): {"delta": 5, "points": 11}}},
            ["ledger 1, entry 2: 5 +5 is not 11"],
        ),
    ],
)
def test_what_cannot_all_be_true(tables: dict[str, Any], found: list[str]) -> None:
    assert list(crash.inconsistent(state(**tables))) == found
