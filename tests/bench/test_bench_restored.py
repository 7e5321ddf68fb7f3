"""What the judge of chaos asks of who was put out of rooms, and what it does not."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import restored
from restored import Cut

from allthepoints.core.model import Why
from allthepoints.sim.oracle import Fall
from allthepoints.sim.scenario import Scenario
from allthepoints.sim.tally import Befallen, ChannelTally

CUT = Fall(600.0, 600.0, 600.0)
TOLD = Fall(600.0, 630.0, 630.0)
SILENT = Fall(600.0, 915.0, 600.0, silent=True)

NOISE = Befallen(1_600.0, "chat_noise", {}, "me")


def test_the_program_cannot_allow_itself_more() -> None:
    """The judge takes the program's waits from the program: whoever makes them longer has to do it here as well."""
    rule = restored.RULES[Why.ROOM_LIMIT]
    assert restored.KEEP_ALIVE <= 41.1
    assert (restored.REDIAL, restored.SELDOM) == (15.0, 120.0)
    assert (rule.first, rule.cap) == (30.0, 300.0)


def room(number: int, *sat: tuple[float, float]) -> ChannelTally:
    whole = ((0.0, 3600.0),)
    return ChannelTally(str(number), f"room_{number}", True, 3600.0, 0.0, 0.0, None, 0, 0, None, whole, sat)


def judged(
    befallen: list[Befallen],
    fall: Fall,
    *rooms: ChannelTally,
    struck: list[tuple[float, str]] | None = None,
) -> list[Cut]:
    return list(restored.judged(*world(befallen, fall, rooms, struck or [])))


def late(befallen: list[Befallen], fall: Fall, *rooms: ChannelTally) -> list[str]:
    return restored.late(*world(befallen, fall, rooms, []))


def world(befallen: list[Befallen], fall: Fall, rooms: Any, struck: Any) -> tuple[Scenario, Any, Any, Any]:
    sandbox = SimpleNamespace(
        started_at=1_000.0,
        journal=SimpleNamespace(befallen=befallen),
        hub=SimpleNamespace(troubles=SimpleNamespace(struck=struck)),
    )
    whole = befallen[0].given.get("connection") in ("all", None) and fall.since == fall.at
    best = SimpleNamespace(
        falls=[fall],
        cuts=[(fall.at, fall.again)] if whole else [],
        reach={one.id: [(0.0, 3600.0)] for one in rooms},
    )
    return Scenario(duration=3600.0), sandbox, SimpleNamespace(channels=rooms), best


RESET = Befallen(1_600.0, "reset", {}, "me")


@pytest.mark.parametrize(
    ("rooms", "expected"),
    [
        ((room(1, (0, 600), (603, 900)), room(2, (0, 600), (603, 900))), []),
        ((room(1, (0, 600), (603, 900)), room(2, (0, 600), (613, 900))), ["2 after a cut at 600.0"]),
        ((room(1, (0, 600), (603, 900)), room(2, (0, 600)), room(3, (604, 900))), []),
        ((room(1, (0, 600)), room(2, (0, 600)), room(3, (604, 900))), ["2 after a cut at 600.0"]),
        ((room(1, (0, 600), (603, 900)), room(2, (0, 600)), room(3, (700, 900))), ["2 after a cut at 600.0"]),
    ],
    ids=["all back", "one late", "another in its place", "one place, two late", "another, but late too"],
)
def test_a_room_is_back_in_time_or_another_has_its_place(
    monkeypatch: pytest.MonkeyPatch, rooms: tuple[ChannelTally, ...], expected: list[str]
) -> None:
    monkeypatch.setattr(restored, "FULL", 2)
    assert late([RESET], CUT, *rooms) == expected


def test_where_rooms_are_to_spare_nobody_takes_the_place_of_another() -> None:
    assert late([RESET], CUT, room(1, (0, 600)), room(2, (604, 900))) == ["1 after a cut at 600.0"]


@pytest.mark.parametrize(("what", "allowed"), [("reset", 604.0), ("expire_token", 610.0)])
def test_a_cut_by_which_the_token_ended_may_take_a_refused_login_longer(what: str, allowed: float) -> None:
    (cut,) = judged([Befallen(1_600.0, what, {}, "me"), NOISE], CUT, room(1, (0, 600), (603, 900)))
    assert (cut.kind, cut.allowed, [one.id for one in cut.rooms]) == ("cut", allowed, ["1"])


def test_of_a_connection_that_ends_its_own_rooms_are_judged() -> None:
    there, elsewhere = room(1, (0, 600), (603, 900)), room(2, (0, 900))
    (cut,) = judged([Befallen(1_600.0, "reset", {"connection": "oldest"}, "me")], CUT, there, elsewhere)
    assert [one.id for one in cut.rooms] == ["1"]


@pytest.mark.parametrize("stays", [600.0, 900.0], ids=["put out too", "on the other connection"])
def test_joins_just_before_have_spent_the_budget(stays: float) -> None:
    lost = [room(number, (0, 600), (613, 900)) for number in range(1, 12)]
    new = [room(number, (595, stays)) for number in range(20, 30)]
    (cut,) = judged([RESET], CUT, *lost, *new)
    assert cut.allowed == 604.0 + restored.WINDOW


@pytest.mark.parametrize(
    ("gone", "allowed"), [(60.0, 679.0), (300.0, 919.0), (400.0, 1124.0)], ids=["a minute", "five", "long"]
)
def test_after_an_outage_the_next_try_is_waited_for(gone: float, allowed: float) -> None:
    down = Befallen(1_600.0, "chat_down", {"seconds": gone}, "me")
    (cut,) = judged([down], Fall(600.0, 600.0, 600.0 + gone), room(1, (0, 600), (1000, 3000)))
    assert (cut.allowed, [one.id for one in cut.rooms]) == (allowed, ["1"])


def test_what_happens_beside_another_fault_is_not_judged() -> None:
    down = Befallen(1_500.0, "chat_down", {"seconds": 80.0}, "me")
    assert not judged([down, RESET], CUT, room(1, (0, 600), (603, 900)))


def test_nor_what_happens_with_another_at_the_same_moment() -> None:
    """A rename that waits for a JOIN comes with the RECONNECT for which all are asked for anew."""
    rooms = (room(1, (0, 600), (603, 900)),)
    assert not judged([RESET, Befallen(1_600.0, "rename", {}, "me")], CUT, *rooms)
    assert judged([RESET, Befallen(1_600.0, "expire_token", {}, "me")], CUT, *rooms)


@pytest.mark.parametrize("which", ["oldest", "all"])
def test_who_is_left_with_a_slow_connection_is_not_judged(which: str) -> None:
    faults = [Befallen(1_600.0, "reset", {"connection": which}, "me"), Befallen(1_300.0, "trickle", {}, "me")]
    assert len(judged(faults, CUT, room(1, (0, 600), (603, 900)))) == (which == "all")


def test_a_fault_that_strikes_as_the_connection_ends_is_no_end_of_an_outage() -> None:
    befallen = [Befallen(1_600.0, "expire_token", {"cut_chat": True}, "me")]
    assert not judged(befallen, CUT, room(1, (0, 600)), struck=[(1_600.0, "refresh_invalid")])


# -- who is told, and who hears nothing ----------------------------------------------------------------------------
SOON = ((0.0, 610.0), (612.0, 1200.0))
BY_HAND = ((0.0, 630.0), (633.0, 1200.0))
MINUTES = ((0.0, 630.0), (930.0, 1200.0))


@pytest.mark.parametrize(
    ("sat", "in_time"),
    [(((0.0, 1200.0),), True), (SOON, True), (BY_HAND, True), (MINUTES, False), (((0.0, 610.0),), False)],
    ids=["moved", "left and back", "back after the end", "five minutes later", "left, and never back"],
)
def test_after_word_of_a_reconnect_a_room_is_moved_or_back_in_time(
    sat: tuple[tuple[float, float], ...], in_time: bool
) -> None:
    word = Befallen(1_600.0, "reconnect", {"connection": "all", "delay": 30.0}, "me")
    (cut,) = judged([word], TOLD, room(1, *sat))
    assert (cut.kind, cut.allowed, [one.id for one in cut.rooms]) == ("told", 634.0, ["1"])
    assert late([word], TOLD, room(1, *sat)) == ([] if in_time else ["1 after word of a RECONNECT at 600.0"])


@pytest.mark.parametrize(
    ("sat", "in_time"),
    [(((0.0, 1500.0),), True), (((0.0, 640.0), (645.0, 1500.0)), True), (((0.0, 915.0), (1000.0, 1500.0)), False)],
    ids=["before the server gave up", "found out by the keep-alive", "never found out"],
)
def test_a_connection_that_fell_silent_is_found_out(sat: tuple[tuple[float, float], ...], in_time: bool) -> None:
    silence = Befallen(1_600.0, "half_open", {"connection": "all"}, "me")
    (cut,) = judged([silence], SILENT, room(1, *sat))
    assert (cut.kind, cut.allowed) == ("silent", 600.0 + restored.KEEP_ALIVE + restored.RESTORED)
    assert late([silence], SILENT, room(1, *sat)) == ([] if in_time else ["1 after a connection fell silent at 600.0"])


def test_what_befalls_a_silent_connection_before_the_server_gives_up_is_not_judged() -> None:
    silence = Befallen(1_600.0, "half_open", {"connection": "all"}, "me")
    assert not judged([silence, Befallen(1_900.0, "reset", {}, "me")], SILENT, room(1, (0, 900)))
    assert judged([silence, Befallen(1_920.0, "reset", {}, "me")], SILENT, room(1, (0, 920)))


def test_who_may_have_been_moved_may_have_cost_a_join() -> None:
    word = Befallen(1_600.0, "reconnect", {"connection": "all", "delay": 30.0}, "me")
    (cut,) = judged([word], TOLD, *(room(number, (0, 1200)) for number in range(21)))
    assert cut.allowed == 634.0 + restored.WINDOW


def test_where_helix_hides_a_channel_for_a_poll_nothing_is_asked_while_there_is_time() -> None:
    word = Befallen(1_600.0, "reconnect", {"connection": "all", "delay": 30.0}, "me")
    assert not judged([word, Befallen(1_610.0, "flap", {}, "me")], TOLD, room(1, (0, 1200)))
    assert judged([RESET, Befallen(1_610.0, "flap", {}, "me")], CUT, room(1, (0, 600), (603, 1200)))


@pytest.mark.parametrize(("hold", "allowed"), [(60.0, 754.0), (400.0, 1304.0)], ids=["doubling", "by the cap"])
def test_where_rooms_still_count_the_next_try_is_waited_for(hold: float, allowed: float) -> None:
    befallen = [RESET, Befallen(1_599.0, "slow_slots", {"hold": hold}, "me")]
    (cut,) = judged(befallen, CUT, room(1, (0, 600), (700, 3000)), struck=[(1_600.0, "slow_slots")])
    assert (cut.kind, cut.allowed, [one.id for one in cut.rooms]) == ("slots", allowed, ["1"])


def test_while_others_still_count_another_cut_is_not_judged() -> None:
    befallen = [RESET, Befallen(1_400.0, "slow_slots", {"hold": 150.0}, "me")]
    assert not judged(befallen, CUT, room(1, (0, 600), (603, 900)), struck=[(1_450.0, "slow_slots")])
    assert judged(befallen, CUT, room(1, (0, 600), (603, 900)))
