"""What all findings of the doctor have in common: names to rely on, grades, and words for times and sizes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from allthepoints.core.checkup import NAMES, Finding, Grade, day, fault, is_sound, ok, size, span, warning


def test_a_check_says_whose_it_is() -> None:
    texts = [ok(f"{name}.names", NAMES[f"{name}.names"]).text for name in ("helix", "oauth", "streamelements")]
    of = ("Twitch's Helix", "Twitch's sign-in server", "StreamElements")
    assert texts == [f"The addresses of {who}." for who in of]


def test_a_finding_is_what_its_grade_says() -> None:
    assert ok("disk", "Much.") == Finding("disk", Grade.OK, "Much.", "")
    assert warning("disk", "Little.") == Finding("disk", Grade.WARNING, "Little.", "")
    assert warning("disk", "Little.", "Look.") == Finding("disk", Grade.WARNING, "Little.", "Look.")
    assert fault("disk", "None.", "Make room.") == Finding("disk", Grade.FAULT, "None.", "Make room.")


def test_only_faults_are_unsound() -> None:
    assert is_sound([])
    assert is_sound([ok("disk", "."), warning("disk", ".")])
    assert not is_sound([ok("disk", "."), fault("disk", ".", "do")])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (86_399, "23 h"),
        (86_400, "1 day"),
        (172_799, "1 day"),
        (172_800, "2 days"),
    ],
)
def test_span(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 kB"),
        (1, "1 kB"),
        (1_000, "1 kB"),
        (1_001, "2 kB"),
        (998_001, "999 kB"),
        (1_000_000, "1.0 MB"),
        (1_500_000, "1.5 MB"),
        (10_000_000, "10 MB"),
        (10_900_000, "10 MB"),
        (999_999_999, "999 MB"),
        (1_000_000_000, "1.0 GB"),
        (3_400_000_000, "3.4 GB"),
        (82_400_000_000, "82 GB"),
        (1_234_000_000_000, "1,234 GB"),
    ],
)
def test_size(count: int, text: str) -> None:
    assert size(count) == text


@pytest.fixture
def far_west(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose day ends long after the day in UTC does."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Pacific/Honolulu")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("at", "date"),
    [
        (0.0, "1970-01-01"),
        (1_795_651_199.9, "2026-11-25"),
        (1_795_651_200.0, "2026-11-26"),
        (253_402_214_400.0, "9999-12-31"),
        (1e15, "9999-12-31"),
    ],
)
@pytest.mark.usefixtures("far_west")
def test_a_day_is_one_of_utc_and_of_the_calendar(at: float, date: str) -> None:
    assert day(at) == date
