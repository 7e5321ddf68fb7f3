"""What is kept of a desk over a restart, word by word: it stands in databases, and a newer program reads it."""

from __future__ import annotations

import pytest

from allthepoints.base.types import JSON
from allthepoints.core import alerts as a
from allthepoints.core.news import Kind
from allthepoints.core.warning import ERROR, WARNING, Warning

NOON = 1_790_000_000.0
HELD = a.Alert(Kind.AFFORDABLE, NOON - 9, "held", key="k")
PENDING = a.Alert(Kind.TROUBLE, NOON - 1, "pending", urgent=True, over=True, since=NOON - 99)
STOOD = a.Trouble(Warning("helix_failing", ERROR, "Helix fails", "Wait.", NOON - 600), NOON - 500, told=True)
YOUNG = a.Trouble(Warning("room_limit", WARNING, "No room", "Wait.", NOON - 6), NOON - 5)

ROW: JSON = {"kind": "affordable", "at": NOON - 9, "text": "held", "urgent": False, "over": False, "since": 0.0}
OTHER: JSON = {"kind": "trouble", "at": NOON - 1, "text": "pending", "urgent": True, "over": True, "since": NOON - 99}
KEPT: dict[str, JSON] = {
    "alerts": [ROW, OTHER],
    "lost": 3,
    "troubles": {"helix_failing": {"title": "Helix fails", "severity": ERROR, "since": NOON - 600}},
    "told": ["live:S1", "live:S2"],
    "digest_at": NOON - 3600,
}


def test_what_is_remembered() -> None:
    """What was held comes first, and a trouble that nobody was told of is met again anyway."""
    desk = a.Desk([PENDING], [HELD], 3, told={"live:S1": None, "live:S2": None}, digest_at=NOON - 3600)
    desk.troubles = {"helix_failing": STOOD, "room_limit": YOUNG}
    assert a.remembered(desk) == KEPT
    assert a.remembered(a.Desk()) == {"alerts": [], "lost": 0, "troubles": {}, "told": [], "digest_at": None}


def test_the_last_hundred_news_are_enough_to_tell_none_twice() -> None:
    desk = a.Desk(told={str(number): None for number in range(150)})
    assert a.remembered(desk)["told"] == [str(number) for number in range(50, 150)]


def test_what_is_recalled() -> None:
    desk = a.recalled(KEPT, NOON)
    held = a.Alert(Kind.AFFORDABLE, NOON - 9, "held")
    warning = Warning("helix_failing", ERROR, "Helix fails", "", NOON - 600)
    trouble = a.Trouble(warning, NOON, gone_at=NOON + a.RETURN - a.SETTLE, told=True)
    expect = a.Desk([], [held, PENDING], 3, told={"live:S1": None, "live:S2": None}, digest_at=NOON - 3600)
    expect.troubles = {"helix_failing": trouble}
    assert desk == expect
    assert list(desk.told) == ["live:S1", "live:S2"]


@pytest.mark.parametrize(
    ("row", "alert"),
    [
        ({"kind": "flat"}, a.Alert(Kind.FLAT, 0.0, "")),
        ({"kind": "flat", "at": 0, "text": None}, a.Alert(Kind.FLAT, 0.0, "")),
        ({"kind": "flat", "at": 2**40 - 1}, a.Alert(Kind.FLAT, 2**40 - 1, "")),
        ({"kind": "flat", "at": 2**40}, a.Alert(Kind.FLAT, 0.0, "")),
        ({"kind": "flat", "at": -1.0, "since": "soon"}, a.Alert(Kind.FLAT, 0.0, "")),
        ({"kind": "flat", "urgent": "yes", "over": 1}, a.Alert(Kind.FLAT, 0.0, "")),
        ({"kind": "unheard of"}, None),
        ({}, None),
        ("flat", None),
        (None, None),
    ],
)
def test_an_alert_that_makes_no_sense_is_left_out(row: JSON, alert: a.Alert | None) -> None:
    assert a.recalled({"alerts": [row]}, NOON).held == ([] if alert is None else [alert])


@pytest.mark.parametrize(
    ("value", "desk"),
    [
        (None, a.Desk()),
        ([KEPT], a.Desk()),
        ({}, a.Desk()),
        ({"lost": 2.0}, a.Desk(lost=2)),
        ({"lost": -2}, a.Desk()),
        ({"told": ["a", 1, None, "b"]}, a.Desk(told={"a": None, "b": None})),
        ({"told": "ab", "alerts": "x"}, a.Desk()),
        ({"digest_at": NOON}, a.Desk(digest_at=NOON)),
        ({"digest_at": NOON + 1}, a.Desk()),  # it would silence the next one
        ({"digest_at": 0}, a.Desk()),
        ({"digest_at": 0.5}, a.Desk(digest_at=0.5)),
        ({"troubles": {"unheard_of": {"title": "x"}}}, a.Desk()),
        ({"troubles": {"helix_failing": "x"}}, a.Desk()),
        ({"troubles": ["helix_failing"]}, a.Desk()),
    ],
)
def test_a_desk_that_makes_no_sense_is_an_empty_one(value: JSON, desk: a.Desk) -> None:
    assert a.recalled(value, NOON) == desk


def test_a_trouble_without_words_goes_by_its_name() -> None:
    desk = a.recalled({"troubles": {"unheard_of": {}, "helix_failing": {"severity": WARNING}}}, NOON)
    assert [(code, t.warning.title, t.warning.since) for code, t in desk.troubles.items()] == [
        ("helix_failing", "helix_failing", 0.0)
    ]


def test_a_desk_takes_no_more_from_the_disk_than_it_has_room_for() -> None:
    rows: list[JSON] = [{"kind": "flat", "text": str(number)} for number in range(a.ROOM + 3)]
    held = a.recalled({"alerts": rows}, NOON).held
    assert (len(held), held[0].text) == (a.ROOM, "3")


def test_a_full_desk_lets_go_of_what_was_held_first_and_of_the_urgent_last() -> None:
    def alert(text: str, urgent: bool = False) -> a.Alert:
        return a.Alert(Kind.FLAT, NOON, text, urgent)

    policy = a.AlertPolicy(frozenset(Kind))
    held = [alert(f"h{number}", urgent=number != 1) for number in range(a.ROOM - 2)]
    desk = a.Desk([alert("p0"), alert("p1", urgent=True)], list(held))
    a.take(desk, policy, alert("new", urgent=True), NOON)
    assert (len(desk.held), desk.lost, held[1] in desk.held) == (a.ROOM - 3, 1, False)
    a.take(desk, policy, alert("newer", urgent=True), NOON)
    assert ([one.text for one in desk.pending], desk.lost) == (["p1", "new", "newer"], 2)
    a.take(desk, policy, alert("newest", urgent=True), NOON)
    assert (desk.held[0].text, len(desk.pending), desk.lost) == ("h2", 4, 3), "all are urgent: the oldest"
    desk = a.Desk([alert(str(number), urgent=True) for number in range(a.ROOM)])
    a.take(desk, policy, alert("new", urgent=True), NOON)
    assert (desk.pending[0].text, desk.pending[-1].text, desk.lost) == ("1", "new", 1)


def test_so_many_news_are_remembered_and_the_oldest_is_forgotten() -> None:
    desk = a.Desk(told={str(number): None for number in range(a.TOLD)})
    assert a.take(desk, a.AlertPolicy(), a.Alert(Kind.FLAT, NOON, "x", key="new"), NOON)
    assert (len(desk.told), "0" in desk.told, "1" in desk.told) == (a.TOLD, False, True)
    assert a.take(desk, a.AlertPolicy(), a.Alert(Kind.FLAT, NOON, "like no other"), NOON)
    assert "1" in desk.told
