"""What a bench writes down, and the page that is made of it."""

from __future__ import annotations

import json
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import bounded  # noqa: E402
from results import Figure, record  # noqa: E402

PAGES = runpy.run_path(str(ROOT / "scripts" / "pages_reference.py"))


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (Figure("", "%", [90.0, 96.0, 97.0], at_least=95.0), True),
        (Figure("", "%", [90.0, 96.0, 97.0], at_least=95.0, every=True), False),
        (Figure("", "", [0, 0, 1], at_most=0), True),
        (Figure("", "", [0, 0, 1], at_most=0, every=True), False),
        (Figure("", "s", [5.0], at_least=1.0, at_most=4.0), False),
        (Figure("", "s", [5.0]), None),
    ],
)
def test_a_goal_holds(figure: Figure, expected: bool | None) -> None:
    assert figure.holds() is expected


def test_a_section_tells_all_that_is_needed_to_run_it_again(tmp_path: Path) -> None:
    figures = [Figure("Lines", "lines/s", [1234567.8, 1.0, 2.0], at_least=3.0), Figure("Lost", "", [0], at_most=0)]
    path = record("x", "Speed", figures, notes=["On one core."], packages=["rich"], command="python x", folder=tmp_path)
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["figures"][0] == {
        **{"claim": "Lines", "unit": "lines/s", "runs": 3, "median": 2, "low": 1, "high": 1234600},
        **{"goal": "at least 3", "holds": False},
    }
    assert set(found["machine"]) == {"processor", "cores", "memory_gib", "system", "load"}
    assert {"allthepoints", "SQLite", "OpenSSL", "rich"} < set(found["versions"])

    section = PAGES["_section"](found)
    for text in ("## Speed", "python x", "| Lines | 2 lines/s | 1 – 1,234,600 | 3 | at least 3 | **missed** |"):
        assert text in section
    for text in ("| Lost | 0 |  | 1 | at most 0 | holds |", "On one core.", found["date"]):
        assert text in section


def test_numbers_of_three_digits() -> None:
    shown = {0: "0", 1234: "1,234", 1234.5: "1,234", 99.53: "99.5", 2.345: "2.35", 0.01234: "0.0123", 123.4: "123"}
    assert {value: PAGES["number"](value) for value in shown} == shown


def test_what_waits_for_ever_is_given_up_and_ends_in_order() -> None:
    script = (
        "import bounded, signal\nbounded.begin(1e-5)\ntry:\n    while True: signal.pause()\nfinally: print('ended')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, cwd=ROOT / "bench", capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "ended\n", "not done within 1e-05 hours: given up\n")


def test_an_alarm_that_is_set_stays() -> None:
    handler, before = signal.getsignal(signal.SIGALRM), signal.setitimer(signal.ITIMER_REAL, 500)
    try:
        bounded.begin()
        assert signal.getsignal(signal.SIGALRM) is handler
        assert signal.getitimer(signal.ITIMER_REAL)[0] <= 500
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)
