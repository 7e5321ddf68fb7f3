from datetime import timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from allthepoints.views import text

NOW = 1_795_640_400.0  # 2026-11-25T21:00:00Z
ROME = ZoneInfo("Europe/Rome")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (45.9, "45 s"),
        (59.999, "59 s"),
        (60, "1 min"),
        (20 * 60 + 59, "20 min"),
        (3600, "1 h"),
        (3 * 3600 + 20 * 60, "3 h 20 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d"),
        (2 * 86_400 + 3 * 3600 + 59 * 60, "2 d 3 h"),
    ],
)
def test_durations(seconds: float, expected: str) -> None:
    assert text.duration(seconds) == expected


def test_numbers() -> None:
    assert text.number(12_345) == "12,345"
    assert text.count(1, "channel") == "1 channel"
    assert text.count(2_000, "channel") == "2,000 channels"
    assert text.count(2, "more", "more") == "2 more"


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOW - 1200, "20 min ago"),
        (NOW + 12_000, "in 3 h 20 min"),
        (NOW, "just now"),
        (NOW - 2 * 86_400, "on 2026-11-23 at 22:00"),
        (NOW + 2 * 86_400, "on 2026-11-27 at 22:00"),
    ],
)
def test_times_are_relative_under_a_day(at: float, expected: str) -> None:
    assert text.when(at, NOW, ROME) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [(None, ""), (NOW - 3600, "21:00"), (NOW - 2 * 86_400, "23 Nov"), (NOW - 300 * 86_400, "2026-01-29")],
)
def test_times_in_columns(at: float | None, expected: str) -> None:
    assert text.clock_time(at, NOW, ROME) == expected


def test_fc_34_zones() -> None:
    """02:30 comes twice in Rome on 2026-10-25: UTC tells them apart, the local clock reads the same."""
    first, second = 1_792_888_200.0, 1_792_891_800.0
    assert text.iso(first, "seconds") == "2026-10-25T00:30:00Z"
    assert text.iso(second, "seconds") == "2026-10-25T01:30:00Z"
    assert text.clock_time(first, second, ROME) == text.clock_time(second, second, ROME) == "02:30"
    assert text.clock_time(NOW, NOW, timezone(timedelta(hours=-5))) == "16:00"


def test_programs_get_utc_in_milliseconds() -> None:
    assert text.iso(NOW + 0.25) == "2026-11-25T21:00:00.250Z"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Prestige 4 🌊 휴", "Prestige 4 🌊 휴"),
        ("a\x1b[31mred\x07", "a[31mred"),
        ("two\r\nlines\tand  more ", "two lines and more"),
        ("\u202eesrever", "esrever"),
        ("\x9b2J", "2J"),
        ("family 👨\u200d👩", "family 👨\u200d👩"),
        ("\ud800", ""),
    ],
)
def test_foreign_text_cannot_steer_the_terminal(raw: str, expected: str) -> None:
    assert text.clean(raw) == expected


@pytest.mark.parametrize(
    ("display", "login", "expected"),
    [
        ("Alpha", "alpha", "Alpha"),
        ("アルファ", "alpha", "アルファ (alpha)"),
        ("", "alpha", "alpha"),
        (None, None, "?"),
        ("\x1b[2J", "alpha", "[2J (alpha)"),
    ],
)
def test_fc_07_names_as_twitch_shows_them(display: str | None, login: str | None, expected: str) -> None:
    assert text.name(display, login) == expected


@pytest.mark.parametrize(
    ("state", "live", "sign", "word"),
    [
        ("present", True, "●", "present"),
        ("present", None, "●", "present"),
        ("asked", True, "◐", "asked"),
        ("leaving", False, "◑", "leaving"),
        ("waiting", True, "○", "waiting"),
        ("refused", False, "✕", "refused"),
        ("absent", False, "–", "offline"),
        ("absent", True, "–", "absent"),
        ("absent", None, "?", "unknown"),
        ("from a later version", True, "?", "unknown"),
    ],
)
def test_signs_and_words(state: str, live: bool | None, sign: str, word: str) -> None:
    standing = text.standing(state, live)
    assert (standing.sign, standing.word) == (sign, word)
    assert standing.plain.isascii()
