"""What chaos says of its days, and that what it leaves out is tested elsewhere."""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import chaos
import restored
import results
import weather
from chaos import Outcome
from results import Figure

from allthepoints.sim import faults

ROOT = Path(__file__).resolve().parents[2]

WELL = Outcome(
    "chaos", 1, 9000.0, 8000.0, 7900.0, 10, 2, 1, 3, 5, 60.0, judged={"cut": 4}, joins_worst=9, rooms_peak=14
)
CROWD = replace(WELL, name=weather.CROWD, judged={"cut": 80, "told": 8}, joins_worst=20, rooms_peak=100, joins=400)
SINGLE = replace(WELL, name="reset at join", judged={"cut": 2}, calm_s=30.0)
ENDS = replace(SINGLE, name="revoke at join", present_s=1000.0, ends=True)


def told(days: list[Outcome], singles: list[Outcome]) -> dict[str, Figure]:
    return {figure.claim: figure for figure in chaos.figures(days, singles, {})}


@pytest.mark.parametrize("what", weather.ELSEWHERE)
def test_what_no_day_has_is_tested_elsewhere(what: str) -> None:
    path, name = weather.ELSEWHERE[what]
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


FIELD_CASES = [
    f"FC-{number:02}"
    for first, last in ((1, 13), (15, 23), (25, 27), (29, 35), (37, 40), (42, 46), (48, 50), (53, 53))
    for number in range(first, last + 1)
]
"""What users of such tools reported. Who finds another puts its number here."""

NO_FAULT = {
    "FC-02": "how JOINs are paced: the sandbox counts every window of every day",
    "FC-07": "how names are written",
    "FC-11": "more are live than there are rooms, as in every crowded hour",
    "FC-20": "nobody is live",
    "FC-22": "what is told only once",
    "FC-26": "how tags are read",
    "FC-27": "how a line is read",
    "FC-32": "a way of looking: secrets in what is told (tests/whole/test_whole_secrets.py)",
    "FC-42": "of EventSub, which is not used",
    "FC-43": "what may be asked of the dashboard (tests/web/test_web_guard.py)",
    "FC-44": "much history",
    "FC-45": "a way of looking: what grows (bench/soak.py)",
}
"""Cases that are no fault that a day could have, and what they are."""


def test_every_field_case_is_a_fault_of_a_day_or_tested_elsewhere_or_no_fault() -> None:
    assert len(FIELD_CASES) == 45
    told = " ".join(fault.source for fault in faults.FAULTS.values())
    told += " ".join(f"{what} {name.replace('fc_', 'FC-')}" for what, (_, name) in weather.ELSEWHERE.items())
    named = set(re.findall(r"FC-\d\d", told))
    assert [case for case in FIELD_CASES if case not in named and case not in NO_FAULT] == []
    assert sorted(named | set(NO_FAULT)) == FIELD_CASES, "no other number is in use"
    assert sorted(named & set(NO_FAULT)) == [], "no reason is idle"


def test_nothing_vanishes_and_what_was_counted_is_told() -> None:
    found = told([WELL, CROWD], [SINGLE, ENDS])
    assert list(found["Of what the oracle could have, one fault at one step"].runs) == [98.75]
    assert list(found["Of what the oracle could have, faults after which only the person can go on"].runs) == [12.5]
    assert list(found["Rooms held to be back in time, each crowded hour"].runs) == [88]
    assert list(found["Rooms held to be back in time after a cut, in all"].runs) == [88]
    assert list(found["Rooms held to be back in time after word of a RECONNECT, in all"].runs) == [8]
    assert list(found["JOINs, in all"].runs) == [430]
    assert list(found["JOINs in 10 s, the most ever"].runs) == [20]
    assert list(found["Rooms at once, the most ever"].runs) == [100]
    assert results.code(found.values()) == 0


@pytest.mark.parametrize(
    "day",
    [
        replace(WELL, present_s=7000.0),
        replace(CROWD, present_s=7000.0),
        replace(CROWD, judged={"cut": 19}),
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
    held = dict.fromkeys(restored.KINDS, 50)
    plenty = replace(
        WELL, joins=5000, logins=2000, redemptions=300, refreshes=100, bans_told=10, slots_held=10, judged=held
    )
    assert results.code(told([plenty], [SINGLE]).values()) == 0
    for kind in restored.KINDS:
        assert results.code(told([replace(plenty, judged={**held, kind: 40})], [SINGLE]).values()) == 1, kind
    for few in ("joins", "logins", "redemptions", "refreshes", "bans_told", "slots_held"):
        assert results.code(told([replace(plenty, **{few: 0})], [replace(SINGLE, **{few: 0})]).values()) == 1, few


def test_no_days_no_figures() -> None:
    assert [figure for figure in told([], []).values() if not figure.claim.startswith("Broken")] == []
