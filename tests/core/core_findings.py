"""What tests of the doctor stand on: a time, a service that runs or rests, and what every finding must be."""

from __future__ import annotations

from allthepoints.core.checkup import NAMES, Finding, Grade
from allthepoints.core.checkup_here import Running

NOW = 1_795_640_400.0
"""2026-11-25T21:00:00Z."""

OK, WARNING, FAULT = Grade.OK, Grade.WARNING, Grade.FAULT
RUNS, RESTS = Running(12, NOW), Running()


def check(finding: Finding | None, name: str, grade: Grade, text: str, cure: str = "") -> None:
    """It is this one, and one that people can use."""
    assert finding == Finding(name, grade, text, cure)
    assert name in NAMES
    assert text.endswith(".")
    assert ".." not in text.replace("before-v…", "")
    assert cure or grade is not FAULT, "a fault tells what to do"
    assert not (cure and grade is OK)
