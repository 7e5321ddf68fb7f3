"""Turn by turn: all that leaves the desk, and when it is asked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from allthepoints.base.types import UserId
from allthepoints.core import alerts as a
from allthepoints.core import health
from allthepoints.core.hours import Hours
from allthepoints.core.news import Kind
from allthepoints.core.records import Event, EventKind
from allthepoints.core.warning import ERROR, WARNING, Warning

T0 = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
"""Noon."""

HOUR = 3600.0
ALL = a.AlertPolicy(frozenset(Kind))
QUIET = a.AlertPolicy(frozenset(Kind), Hours(11 * 60, 13 * 60))

ONE, TWO, THREE = (a.Alert(Kind.AFFORDABLE, T0, text) for text in ("one", "two", "three"))
URGENT = a.Alert(Kind.TROUBLE, T0, "now", urgent=True)

HELIX = Warning("helix_failing", WARNING, "Helix fails", "Wait.", T0 - 9)
DISK = Warning("storage_failing", ERROR, "The disk fails", "Make room.", T0 - 7)
SIGN_IN = Warning("sign_in_needed", ERROR, "Not signed in", "Sign in.", T0 - 5)
DULL = Warning("channels_flat", WARNING, "Some pay nothing", "See for yourself.", T0 - 3)


def begun(warning: Warning, kind: Kind = Kind.TROUBLE, urgent: bool = False) -> a.Alert:
    return a.Alert(kind, warning.since, f"{warning.title}. {warning.text}", urgent)


def over(warning: Warning, at: float) -> a.Alert:
    return a.Alert(Kind.TROUBLE, T0 + at, warning.title, over=True, since=warning.since)


@dataclass(frozen=True)
class Turn:
    """At so many seconds from noon this came, and these warnings stood; that left, and it is asked again then."""

    at: float
    came: Sequence[a.Alert] = ()
    stand: Sequence[Warning] = ()
    left: Sequence[a.Message | a.Digest] = ()
    again: float | None = None


def message(*alerts: a.Alert, held: bool = False, lost: int = 0) -> a.Message:
    return a.Message(alerts, held, lost)


@pytest.mark.parametrize(
    ("policy", "turns"),
    [
        pytest.param(
            ALL,
            [
                Turn(0, came=[ONE], again=30),
                Turn(29, came=[TWO], again=30),
                Turn(30, left=[message(ONE, TWO)]),
                Turn(31, came=[THREE], again=150),
                Turn(149, again=150),
                Turn(150, left=[message(THREE)]),
            ],
            id="messages keep apart",
        ),
        pytest.param(
            ALL,
            [
                Turn(0, came=[ONE], again=30),
                Turn(1, came=[URGENT], left=[message(ONE, URGENT)]),
                Turn(2, came=[TWO], again=121),
            ],
            id="the urgent does not wait, and the next keeps apart from it",
        ),
        pytest.param(
            QUIET,
            [
                Turn(0, came=[URGENT], left=[message(URGENT)]),
                Turn(1),
                Turn(HOUR - 10, came=[URGENT], left=[message(URGENT)]),
                Turn(HOUR + 1, came=[ONE], again=HOUR + 110),
                Turn(HOUR + 110, left=[message(ONE)]),
            ],
            id="in quiet hours, where nothing is held",
        ),
        pytest.param(
            QUIET,
            [
                Turn(0, came=[ONE], again=HOUR),
                Turn(9, came=[URGENT, TWO], left=[message(URGENT)], again=HOUR),
                Turn(HOUR, left=[message(ONE, TWO, held=True)]),
                Turn(HOUR + 1, came=[THREE], again=HOUR + 120),
            ],
            id="in quiet hours, where something is held",
        ),
        pytest.param(
            ALL,
            [
                Turn(0, came=[ONE], stand=[HELIX, DULL], again=30),
                Turn(30, stand=[HELIX], left=[message(ONE)], again=60),
                Turn(60, stand=[HELIX], again=150),
                Turn(150, stand=[HELIX], left=[message(begun(HELIX))]),
                Turn(400, again=460),
                Turn(460, again=490),
                Turn(490, left=[message(over(HELIX, 400))]),
            ],
            id="a trouble comes and goes",
        ),
        pytest.param(
            ALL,
            [
                Turn(0, stand=[HELIX, DISK], again=60),
                Turn(
                    30,
                    stand=[HELIX, DISK, SIGN_IN],
                    left=[message(begun(SIGN_IN, Kind.SIGN_IN_NEEDED, True))],
                    again=60,
                ),
                Turn(60, stand=[HELIX, SIGN_IN], again=150),
                Turn(150, stand=[HELIX, SIGN_IN], left=[message(begun(HELIX))]),
                Turn(200, stand=[DISK, SIGN_IN], again=260),
                Turn(259, stand=[DISK, HELIX, SIGN_IN], again=260),
                Turn(260, stand=[DISK, HELIX, SIGN_IN], left=[message(begun(DISK, urgent=True))]),
            ],
            id="several troubles, each for itself",
        ),
        pytest.param(
            replace(ALL, digest=12 * 60 + 30),
            [
                Turn(0, again=HOUR / 2),
                Turn(HOUR / 2, left=[a.Digest(T0 - 23.5 * HOUR, T0 + HOUR / 2)], again=24.5 * HOUR),
                Turn(24.5 * HOUR - 5, came=[ONE], again=24.5 * HOUR),
                Turn(24.5 * HOUR, left=[a.Digest(T0 + HOUR / 2, T0 + 24.5 * HOUR)], again=24.5 * HOUR + 25),
                Turn(24.5 * HOUR + 25, left=[message(ONE)], again=48.5 * HOUR),
                Turn(100 * HOUR, left=[a.Digest(T0 + 72.5 * HOUR, T0 + 96.5 * HOUR)], again=120.5 * HOUR),
            ],
            id="digests: after days away, of one day",
        ),
        pytest.param(
            replace(QUIET, digest=12 * 60 + 30),
            [
                Turn(0, again=HOUR / 2),
                Turn(HOUR / 2, again=HOUR),
                Turn(HOUR, left=[a.Digest(T0 - 23.5 * HOUR, T0 + HOUR / 2)], again=24.5 * HOUR),
            ],
            id="a digest waits for the end of quiet hours",
        ),
    ],
)
def test_what_leaves_the_desk_and_when(policy: a.AlertPolicy, turns: Sequence[Turn]) -> None:
    desk = a.Desk()
    for turn in turns:
        now = T0 + turn.at
        for alert in turn.came:
            assert a.take(desk, policy, alert, now)
        a.watch(desk, turn.stand, now)
        sent, wake = a.due(desk, policy, now, UTC)
        assert (turn.at, sent, None if wake is None else wake - T0) == (turn.at, list(turn.left), turn.again)


def test_who_goes_without_digests_for_a_while_gets_none_of_that_time() -> None:
    with_digest = replace(ALL, digest=12 * 60 + 30)
    desk = a.Desk()
    assert a.due(desk, with_digest, T0, UTC) == ([], T0 + HOUR / 2)
    for without in (ALL, replace(with_digest, kinds=frozenset({Kind.FLAT}))):
        assert a.due(desk, without, T0 + HOUR, UTC) == ([], None)
        assert a.due(desk, with_digest, T0 + 2 * HOUR, UTC) == ([], T0 + 24.5 * HOUR)


def test_what_there_was_no_room_for_is_told_once() -> None:
    desk = a.Desk()
    for number in range(a.ROOM + 2):
        a.take(desk, ALL, replace(ONE, text=str(number)), T0)
    [full], _ = a.due(desk, ALL, T0 + 30, UTC)
    a.take(desk, ALL, TWO, T0 + 200)
    assert isinstance(full, a.Message)
    assert (len(full.alerts), full.lost) == (a.ROOM, 2)
    assert a.due(desk, ALL, T0 + 230, UTC) == ([message(TWO)], None)


ALPHA = UserId("42")


@pytest.mark.parametrize(
    ("kind", "event", "alert"),
    [
        (
            Kind.LIVE,
            Event(T0, EventKind.LIVE, ALPHA, {"stream": "S1"}),
            a.Alert(Kind.LIVE, T0, "words", key="live:S1"),
        ),
        (Kind.REDEEMED, Event(T0, EventKind.REDEEMED, ALPHA), a.Alert(Kind.REDEEMED, T0, "words")),
        (Kind.FLAT, Event(T0 + 1, EventKind.FLAT, ALPHA, {"stream": ""}), a.Alert(Kind.FLAT, T0 + 1, "words")),
        (
            Kind.SIGN_IN_NEEDED,
            Event(T0, EventKind.SIGN_IN_LOST),
            a.Alert(Kind.SIGN_IN_NEEDED, T0, "words", urgent=True),
        ),
    ],
)
def test_the_alert_of_an_event(kind: Kind, event: Event, alert: a.Alert) -> None:
    assert a.alert_of(kind, event, "words") == alert


def test_what_is_of_no_session_is_told_each_time() -> None:
    bought = a.alert_of(Kind.REDEEMED, Event(T0, EventKind.REDEEMED, ALPHA), "A mug.")
    desk = a.Desk()
    assert a.take(desk, ALL, bought, T0)
    assert a.take(desk, ALL, bought, T0)
    assert desk.pending == [bought, bought]


def test_what_is_told_unless_the_config_names_others_and_what_never_waits() -> None:
    told = {kind: (row.urgent, row.default) for kind, row in a.TABLE.items()}
    loud, quiet, usual = (True, True), (False, False), (False, True)
    assert repr(told) == repr(
        {kind: {Kind.SIGN_IN_NEEDED: loud, Kind.LIVE: quiet}.get(kind, usual) for kind in a.TABLE}
    )
    assert a.DEFAULTS == frozenset(Kind) - {Kind.LIVE} == frozenset(a.TABLE) - {Kind.LIVE}
    assert a.alert_of(Kind.LIVE, Event(T0, EventKind.LIVE), "up") == a.Alert(Kind.LIVE, T0, "up", urgent=False)


def test_what_is_told_of_stands_among_the_warnings() -> None:
    told = [code for row in a.TABLE.values() for code in row.warnings]
    assert len(told) == len(set(told)), "each is news of one kind"
    assert set(told) <= {row.code for row in health.TABLE}
    assert a.TABLE[Kind.SIGN_IN_NEEDED].warnings == {"sign_in_needed"}
    assert a.TABLE[Kind.JWT_EXPIRING].warnings == {"jwt_refused", "jwt_malformed", "jwt_wrong_account"}
    assert {kind: len(row.warnings) for kind, row in a.TABLE.items() if row.warnings} == {
        Kind.SIGN_IN_NEEDED: 1,
        Kind.JWT_EXPIRING: 3,
        Kind.TROUBLE: 8,
    }
    assert a.kind_of(Event(T0, EventKind.STARTED)) is None


def test_on_a_desk_at_first_there_is_nothing() -> None:
    desk, trouble = a.Desk(), a.Trouble(HELIX, T0)
    assert repr(desk) == repr(a.Desk([], [], 0, 0.0, float("-inf"), {}, {}, None))
    assert repr(trouble) == repr(a.Trouble(HELIX, T0, None, False))
    assert a.kind_of(Event(T0, EventKind.STARTED)) is None
