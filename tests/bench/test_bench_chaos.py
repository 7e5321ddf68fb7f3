"""What chaos says of its days, and that what it leaves out is tested elsewhere."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import chaos
import results
import weather
from chaos import Cut, Outcome
from results import Figure

from allthepoints.sim.scenario import Scenario
from allthepoints.sim.tally import Befallen, ChannelTally

ROOT = Path(__file__).resolve().parents[2]

WELL = Outcome("chaos", 1, 9000.0, 8000.0, 7900.0, 10, 2, 1, 3, 5, 60.0, judged=4, joins_worst=9, rooms_peak=14)
CROWD = replace(WELL, name=weather.CROWD, judged=88, joins_worst=20, rooms_peak=100, joins=400)
SINGLE = replace(WELL, name="reset at join", judged=2, calm_s=30.0)
ENDS = replace(SINGLE, name="revoke at join", present_s=1000.0, ends=True)


def told(days: list[Outcome], singles: list[Outcome]) -> dict[str, Figure]:
    return {figure.claim: figure for figure in chaos.figures(days, singles, {})}


@pytest.mark.parametrize("what", weather.ELSEWHERE)
def test_what_no_day_has_is_tested_elsewhere(what: str) -> None:
    path, name = weather.ELSEWHERE[what]
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_nothing_vanishes_and_what_was_counted_is_told() -> None:
    found = told([WELL, CROWD], [SINGLE, ENDS])
    assert list(found["Of what the oracle could have, one fault at one step"].runs) == [98.75]
    assert list(found["Of what the oracle could have, faults after which only the person can go on"].runs) == [12.5]
    assert list(found["Rooms held to be back in time after a cut, crowded hours"].runs) == [88]
    assert list(found["Rooms held to be back in time after a cut, other days and faults alone"].runs) == [8]
    assert list(found["JOINs, in all"].runs) == [430]
    assert list(found["JOINs in 10 s, the most ever"].runs) == [20]
    assert list(found["Rooms at once, the most ever"].runs) == [100]
    assert results.code(found.values()) == 0


@pytest.mark.parametrize(
    "day",
    [
        replace(WELL, present_s=7000.0),
        replace(CROWD, present_s=7000.0),
        replace(CROWD, judged=19),
        replace(WELL, broken={"joins": "21 in 10 s"}),
    ],
    ids=["a day below its goal", "a crowd below its goal", "too few rooms judged", "a limit broken"],
)
def test_a_goal_that_is_missed_is_told_by_the_exit_code(day: Outcome) -> None:
    assert results.code(told([day], []).values()) == 1


@pytest.mark.parametrize("single", [replace(SINGLE, present_s=5900.0), replace(SINGLE, calm_s=661.0)])
def test_one_fault_alone_has_goals_too(single: Outcome) -> None:
    assert results.code(told([], [SINGLE]).values()) == 0
    assert results.code(told([], [SINGLE, single]).values()) == 1


def test_one_bad_hour_does_not_hide_among_others() -> None:
    assert results.code(told([CROWD, CROWD, replace(CROWD, present_s=6700.0)], []).values()) == 1


def test_a_whole_run_must_have_bought_renewed_and_been_banned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weather, "PAIRS", (("join", "reset"),))
    plenty = replace(WELL, joins=5000, logins=2000, redemptions=300, refreshes=100, bans_told=10)
    assert results.code(told([plenty], [SINGLE]).values()) == 0
    for few in ("joins", "logins", "redemptions", "refreshes", "bans_told"):
        assert results.code(told([replace(plenty, **{few: 0})], [replace(SINGLE, **{few: 0})]).values()) == 1, few


def test_no_days_no_figures() -> None:
    assert [figure for figure in told([], []).values() if not figure.claim.startswith("Broken")] == []


def room(number: int, *sat: tuple[float, float]) -> ChannelTally:
    whole = ((0.0, 3600.0),)
    return ChannelTally(str(number), f"room_{number}", True, 3600.0, 0.0, 0.0, None, 0, 0, None, whole, sat)


@pytest.mark.parametrize(
    ("rooms", "late"),
    [
        ((room(1, (0, 600), (603, 900)), room(2, (0, 600), (603, 900))), []),
        ((room(1, (0, 600), (603, 900)), room(2, (0, 600), (613, 900))), ["2 after the cut at 600.0"]),
        ((room(1, (0, 600), (603, 900)), room(2, (0, 600)), room(3, (604, 900))), []),
        ((room(1, (0, 600)), room(2, (0, 600)), room(3, (604, 900))), ["2 after the cut at 600.0"]),
        ((room(1, (0, 600), (603, 900)), room(2, (0, 600)), room(3, (700, 900))), ["2 after the cut at 600.0"]),
    ],
    ids=["all back", "one late", "another in its place", "one place, two late", "another, but late too"],
)
def test_a_room_is_back_in_time_or_another_has_its_place(
    monkeypatch: pytest.MonkeyPatch, rooms: tuple[ChannelTally, ...], late: list[str]
) -> None:
    cut = Cut(600.0, 605.0, [one for one in rooms if one.id != "3"])
    monkeypatch.setattr(chaos, "FULL", 2)
    monkeypatch.setattr(chaos, "_judged", lambda *_: [cut])
    tally: Any = SimpleNamespace(channels=rooms)
    unused: Any = None
    assert chaos._late(Scenario(), unused, tally, unused) == late


def test_where_rooms_are_to_spare_nobody_takes_the_place_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = (room(1, (0, 600)), room(2, (604, 900)))
    monkeypatch.setattr(chaos, "_judged", lambda *_: [Cut(600.0, 605.0, [rooms[0]])])
    tally: Any = SimpleNamespace(channels=rooms)
    unused: Any = None
    assert chaos._late(Scenario(), unused, tally, unused) == ["1 after the cut at 600.0"]


@pytest.mark.parametrize(("what", "allowed"), [("reset", 604.0), ("expire_token", 610.0)])
def test_a_cut_by_which_the_token_ended_may_take_a_refused_login_longer(what: str, allowed: float) -> None:
    (cut,) = judged([Befallen(1_600.0, what, {}, "me"), NOISE], (600.0, 600.0), room(1, (0, 600), (603, 900)))
    assert (cut.at, cut.allowed, [one.id for one in cut.rooms]) == (600.0, allowed, ["1"])


NOISE = Befallen(1_600.0, "chat_noise", {}, "me")


def judged(
    befallen: list[Befallen],
    fall: tuple[float, float],
    *rooms: ChannelTally,
    struck: list[tuple[float, str]] | None = None,
) -> list[Cut]:
    troubles = SimpleNamespace(struck=struck or [])
    sandbox: Any = SimpleNamespace(
        started_at=1_000.0, journal=SimpleNamespace(befallen=befallen), hub=SimpleNamespace(troubles=troubles)
    )
    whole = [fall] if befallen[0].given.get("connection") != "oldest" else []
    best: Any = SimpleNamespace(falls=[fall], cuts=whole, reach={one.id: [(0.0, 3600.0)] for one in rooms})
    tally: Any = SimpleNamespace(channels=rooms)
    return list(chaos._judged(Scenario(duration=3600.0), sandbox, tally, best))


def test_of_a_connection_that_ends_its_own_rooms_are_judged() -> None:
    there, elsewhere = room(1, (0, 600), (603, 900)), room(2, (0, 900))
    (cut,) = judged([Befallen(1_600.0, "reset", {"connection": "oldest"}, "me")], (600.0, 600.0), there, elsewhere)
    assert [one.id for one in cut.rooms] == ["1"]


def test_joins_just_before_have_spent_the_budget() -> None:
    lost = [room(number, (0, 600), (613, 900)) for number in range(1, 12)]
    new = [room(number, (595, 900)) for number in range(20, 30)]
    (cut,) = judged([Befallen(1_600.0, "reset", {}, "me")], (600.0, 600.0), *lost, *new)
    assert cut.allowed == 604.0 + chaos.WINDOW


@pytest.mark.parametrize(
    ("gone", "allowed"), [(60.0, 679.0), (300.0, 919.0), (400.0, 1124.0)], ids=["a minute", "five", "long"]
)
def test_after_an_outage_the_next_try_is_waited_for(gone: float, allowed: float) -> None:
    down = Befallen(1_600.0, "chat_down", {"seconds": gone}, "me")
    (cut,) = judged([down], (600.0, 600.0 + gone), room(1, (0, 600), (1000, 3000)))
    assert (cut.allowed, [one.id for one in cut.rooms]) == (allowed, ["1"])


def test_what_happens_beside_another_fault_is_not_judged() -> None:
    down = Befallen(1_500.0, "chat_down", {"seconds": 80.0}, "me")
    assert not judged([down, Befallen(1_600.0, "reset", {}, "me")], (600.0, 600.0), room(1, (0, 600), (603, 900)))


@pytest.mark.parametrize("which", ["oldest", "all"])
def test_who_is_left_with_a_slow_connection_is_not_judged(which: str) -> None:
    faults = [Befallen(1_600.0, "reset", {"connection": which}, "me"), Befallen(1_300.0, "trickle", {}, "me")]
    assert len(judged(faults, (600.0, 600.0), room(1, (0, 600), (603, 900)))) == (which == "all")


def test_a_fault_that_strikes_as_the_connection_ends_is_no_end_of_an_outage() -> None:
    befallen = [Befallen(1_600.0, "expire_token", {"cut_chat": True}, "me")]
    assert not judged(befallen, (600.0, 600.0), room(1, (0, 600)), struck=[(1_600.0, "refresh_invalid")])
