"""Where no channel is live, every face says who usually starts next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from allthepoints.base.types import Login, StreamId, UserId
from allthepoints.core import records as r
from allthepoints.core.model import ChannelRef, Stream, StreamKind
from allthepoints.core.usual import Usual
from allthepoints.ports import ChannelRow
from allthepoints.storage.database import Database
from allthepoints.views.live import LivePicture
from allthepoints.views.sentence import Glance, Trouble, sentence
from allthepoints.views.usual import KEPT, Outlook, read_usual, usual_line

NOW = 1_795_640_400.0
"""2026-11-25T21:00:00Z, a Wednesday."""

HOUR, DAY = 3600.0, 86_400.0
ALPHA = ChannelRow(UserId("1"), Login("alpha"), "Alpha", False, "absent", "offline")
SAID = "Alpha usually starts about 22:00 today."


def remembered(path: Path, row: ChannelRow = ALPHA) -> Path:
    """It went live at 22:00 each day of the last two weeks."""
    of = ChannelRef(row.id, row.login, row.display)
    streams = [Stream(StreamId(f"s{n}"), of, StreamKind.LIVE, "", NOW + HOUR - n * DAY) for n in range(1, 15)]
    database = Database(path, NOW)
    database.record([r.SessionOpened(stream.started_at, stream) for stream in streams], NOW)
    database.close()
    return path


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (1, "about 22:00 today."),
        (2.5, "about 23:30 today."),
        (3, "about 00:00 tomorrow."),
        (24, "about 21:00 tomorrow."),
        (27, "about 00:00 on Friday."),
        (6 * 24, "about 21:00 on Tuesday."),
        (7 * 24 - 1, "about 20:00 next Wednesday."),
    ],
)
def test_the_day_is_told_as_people_do(hours: float, expected: str) -> None:
    usual = Usual(ALPHA.id, NOW + hours * HOUR)
    assert usual_line(usual, ALPHA, NOW, UTC) == f"Alpha usually starts {expected}"


def test_in_the_zone_of_the_person() -> None:
    usual = Usual(ALPHA.id, datetime(2026, 11, 26, 0, 30, tzinfo=UTC).timestamp())
    assert usual_line(usual, ALPHA, NOW, ZoneInfo("America/New_York")) == "Alpha usually starts about 19:30 today."


def test_names_are_other_peoples_text() -> None:
    row = replace(ALPHA, display="Al\x1b[2Jpha\u202e")
    assert usual_line(Usual(row.id, NOW + HOUR), row, NOW, UTC) == "Al[2Jpha (alpha) usually starts about 22:00 today."


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (ALPHA, SAID),
        (replace(ALPHA, reason="paused"), ""),
        (replace(ALPHA, reason="excluded"), ""),
        (replace(ALPHA, state="refused", reason="banned"), ""),
        (replace(ALPHA, live=True, reason="rerun"), ""),
        (replace(ALPHA, id=UserId("2")), ""),
    ],
)
def test_only_what_would_be_a_session_of_ours(tmp_path: Path, row: ChannelRow, said: str) -> None:
    assert read_usual(remembered(tmp_path / "x.db"), (row,), NOW, UTC) == said


def test_without_a_memory_nothing_is_said(tmp_path: Path) -> None:
    assert read_usual(tmp_path / "x.db", (ALPHA,), NOW, UTC) == ""


LIVE = replace(ALPHA, id=UserId("2"), live=True, state="present", reason=None)
OTHER = replace(ALPHA, id=UserId("3"))
UNKNOWN = replace(LIVE, live=None, state="absent")
OFF = Trouble("sign_in_needed", "error", "t", "t", NOW - 1200)


@pytest.mark.parametrize(
    ("rows", "troubles", "wishes", "expected"),
    [
        ((ALPHA,), (), 0, f"Your channel is not live. {SAID}"),
        ((ALPHA, OTHER), (), 2, f"None of your 2 channels is live. {SAID} 2 wishes within reach."),
        ((ALPHA, LIVE), (), 0, "In 1 of 1 live chat."),
        ((ALPHA, UNKNOWN), (), 0, "Asking which of 2 channels are live."),
        ((ALPHA,), (OFF,), 0, "Signed out by Twitch 20 min ago. Run `allthepoints login`."),
    ],
)
def test_it_is_a_part_of_the_sentence(
    rows: tuple[ChannelRow, ...], troubles: tuple[Trouble, ...], wishes: int, expected: str
) -> None:
    assert sentence(Glance.of(rows, troubles, wishes=wishes), NOW, SAID) == expected


def test_a_face_that_stays_looks_now_and_then_and_only_while_nobody_is_live(tmp_path: Path) -> None:
    outlook = Outlook(remembered(tmp_path / "x.db"))
    assert not outlook.due(False, NOW)
    assert outlook.due(True, NOW)
    assert not outlook.due(True, NOW), "one that asks looks"
    outlook.look((ALPHA,), NOW, UTC)
    assert outlook.said(NOW, UTC) == SAID
    assert not outlook.due(True, NOW + KEPT - 1)
    assert outlook.due(True, NOW + KEPT)
    assert outlook.due(True, NOW - 9), "a clock that was set back"
    assert not outlook.due(False, NOW)
    assert outlook.said(NOW, UTC) == ""
    assert outlook.due(True, NOW + 1), "what was before a session is not so after it"


def test_a_memory_that_cannot_be_read_costs_the_face_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"my novel, chapter one" * 100)
    outlook = Outlook(tmp_path / "x.db")
    outlook.look((ALPHA,), NOW, UTC)
    assert outlook.said(NOW, UTC) == ""


def test_what_was_found_is_said_in_the_words_of_now(tmp_path: Path) -> None:
    outlook, tokyo = Outlook(remembered(tmp_path / "x.db")), ZoneInfo("Asia/Tokyo")
    outlook.look((ALPHA,), NOW, UTC)
    assert outlook.said(NOW, tokyo) == "Alpha usually starts about 07:00 today.", "it is another day there"
    outlook.look((ALPHA,), NOW + 2 * HOUR, UTC)
    before = NOW + 3 * HOUR - 1
    assert outlook.said(before, UTC) == "Alpha usually starts about 22:00 tomorrow."
    assert outlook.said(before + 1, UTC) == SAID
    assert outlook.said(NOW + HOUR + DAY, UTC) == "", "and not when its time has come"


def test_the_picture_is_due_when_it_would_say_something_else() -> None:
    picture = LivePicture()
    assert not picture.nobody_live
    picture.expect("")
    assert picture.due(NOW)
    picture.expect(SAID)
    assert picture.due(NOW + 1)
    picture.expect(SAID)
    assert not picture.due(NOW + 2)
