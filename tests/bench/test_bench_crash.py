"""What bench/crash.py holds against the program: its books beside the sandbox's count."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import apsw
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import crash
import results

from allthepoints.storage.database import Database


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


BAN = {"channel": "7", "at": 1.0, "why": "banned", "text": "no"}
TOLD = {"channel": "7", "stream": "s1"}


def attempt(number: int, at: float) -> dict[str, Any]:
    return {"id": number, "what": "join", "at": at, "count": 1}


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
        (state(refusals={("7",): BAN}), state(), ["refusals ('7',) is gone"]),
        (
            state(refusals={("7",): BAN}),
            state(refusals={("7",): BAN | {"why": "put_out"}}),
            ["refusals ('7',): why 'banned' became 'put_out'"],
        ),
        (state(told={("7",): TOLD}), state(told={("7",): TOLD | {"stream": "s2"}}), []),
        (state(told={("7",): TOLD}), state(), ["told ('7',) is gone"]),
        (
            state(attempts={(1,): attempt(1, 1.0), (2,): attempt(2, 1000.0)}),
            state(),
            ["attempts (2,) is gone"],  # the first is of no account any more
        ),
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


def live(number: int, stream: str, channel: str = "7") -> dict[str, Any]:
    return {"id": number, "at": 1.0, "kind": "live", "channel": channel, "data": f'{{"stream": "{stream}"}}'}


@pytest.mark.parametrize(
    ("streams", "remembered", "found"),
    [
        ([], None, []),
        (["s1", "s2"], "s2", []),
        (["s1", "s1"], "s1", ["stream s1 of 7: 2 times"]),
        (["s1"], None, ["7: s1 was the last, None is remembered"]),
        (["s1", "s2"], "s1", ["7: s2 was the last, s1 is remembered"]),
        ([], "s1", ["7: None was the last, s1 is remembered"]),
    ],
)
def test_what_was_told_twice(streams: list[str], remembered: str | None, found: list[str]) -> None:
    events: dict[tuple[Any, ...], dict[str, Any]] = {(n,): live(n, stream) for n, stream in enumerate(streams, start=1)}
    told: dict[tuple[Any, ...], dict[str, Any]] = {("7",): TOLD | {"stream": remembered}} if remembered else {}
    assert list(crash.told_twice(state(events=events | {(99,): EVENT}, told=told))) == found


def test_every_table_that_outlives_a_process_is_looked_at(tmp_path: Path) -> None:
    """All but what only shows the present run, and SQLite's own."""
    path = tmp_path / "history.db"
    Database(path, 1.0).close()
    connection = apsw.Connection(str(path))
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    connection.close()
    shown = {"channel_state", "service_state", "migrations", "sqlite_sequence"}
    assert tables - shown == set(crash.TABLES)


@pytest.mark.parametrize("broken", ["", *crash.BROKEN])
def test_it_ends_with_1_where_something_is_broken(broken: str) -> None:
    found = crash.Outcome(kills=2, bans=1, knew=1, ready_s=[1.0], settled_s=[1.0])
    if broken:
        found.breaks(broken, ["so it was"])
    assert results.code(crash.figures(found)) == bool(broken)


@pytest.mark.parametrize(
    ("written", "stand", "after_told", "found"),
    [
        ({"a": 1, "b": 0}, {"a": 1, "b": 0}, 0, []),
        ({"a": 1, "b": 0}, {"a": 1, "b": 0}, 2, ["2 JOINs after word of a ban had come"]),
        ({"a": 1, "b": 0}, {"a": 1, "b": 1}, 0, ["b: 1 JOINs after its ban was written"]),
        ({"a": 1, "b": 0}, {"a": 1}, 0, ["b has banned us, and no row says so in the end"]),
        ({"a": 1}, {"a": 1}, 0, ["b has banned us, and no row says so in the end"]),
    ],
)
def test_bans_that_were_not_kept(
    written: dict[str, int], stand: dict[str, int], after_told: int, found: list[str]
) -> None:
    assert list(crash.wrong_bans(["a", "b"], written, stand, after_told)) == found


@pytest.mark.parametrize(
    ("times", "early", "found_spent", "breaks"), [(0, 0, 0, 0), (2, 0, 2, 0), (2, 0, 3, 0), (2, 0, 1, 1), (1, 1, 1, 1)]
)
def test_refresh_tokens_that_were_sent_again(times: int, early: int, found_spent: int, breaks: int) -> None:
    assert len(list(crash.reused(times, early, found_spent))) == breaks


@pytest.mark.parametrize(
    ("kills", "renewals", "mid_renewal", "sat_right", "code"),
    [(20, 0, 0, 0, 0), (500, 40, 3, 125, 0), (500, 39, 3, 125, 1), (500, 40, 2, 125, 1), (500, 40, 3, 124, 1)],
)
def test_many_kills_must_have_met_what_they_are_for(
    kills: int, renewals: int, mid_renewal: int, sat_right: int, code: int
) -> None:
    found = crash.Outcome(kills=kills, bans=1, knew=1, sat_right=sat_right, ready_s=[1.0], settled_s=[1.0])
    found.renewals, found.mid_renewal = renewals, mid_renewal
    assert results.code(crash.figures(found)) == code
