"""Notifications in words."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from allthepoints.base.types import Login, UserId
from allthepoints.core.alerts import Alert, Message
from allthepoints.core.model import Account
from allthepoints.core.news import Kind
from allthepoints.core.place import Census
from allthepoints.core.records import Event, EventKind
from allthepoints.ports import ChannelRow
from allthepoints.service.snapshot import Snapshot
from allthepoints.storage.read_day import Day, Earned
from allthepoints.views.alert_text import (
    ALONE,
    LINES,
    TITLES,
    AlertWords,
    digest_notice,
    message_notice,
    trial_notice,
)

ROME = ZoneInfo("Europe/Rome")
NOW = datetime(2026, 11, 25, 21, tzinfo=ROME).timestamp()


def alert(kind: Kind = Kind.LIVE, text: str = "Alpha is live.", ago: float = 0.0, **more: object) -> Alert:
    return Alert(kind, NOW - ago, text, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("message", "title", "body"),
    [
        (Message((alert(),)), "Live", "Alpha is live."),
        (
            Message((alert(), alert(text="Beta is live."), alert(Kind.FLAT, "Points come again from Gamma."))),
            "2 live, 1 word on chats that pay",
            "Alpha is live.\nBeta is live.\nPoints come again from Gamma.",
        ),
        (
            Message((alert(ago=3 * 3600), alert(Kind.AFFORDABLE, "A map can be had now.", ago=60)), held=True),
            "While it was quiet: 1 live, 1 wish within reach",
            "18:00 Alpha is live.\nA map can be had now.",
        ),
        (
            Message((alert(Kind.TROUBLE, "Twitch does not say who is live", over=True, since=NOW - 1200),)),
            "Trouble is over",
            "Over, after 20 min: Twitch does not say who is live.",
        ),
        (
            Message((alert(Kind.SIGN_IN_NEEDED, "Sign in. Run `allthepoints login`.", urgent=True),)),
            "Sign in to Twitch",
            "Sign in. Run `allthepoints login`.",
        ),
        (Message((alert(),), lost=3), "Live", "Alpha is live.\n3 older ones were too many to keep."),
        (Message((alert(text="Al\x1bpha\u202e is\nlive."),)), "Live", "Alpha is live."),
    ],
)
def test_a_message(message: Message, title: str, body: str) -> None:
    notice = message_notice(message, NOW, ROME)
    assert (notice.title, notice.body) == (title, body)
    assert notice.urgent is any(one.urgent for one in message.alerts)


def test_a_message_of_hundreds_is_counted() -> None:
    notice = message_notice(Message(tuple(alert(text=f"{n} is live.") for n in range(300))), NOW, ROME)
    assert notice.title == "300 live"
    assert notice.body.splitlines()[-2:] == [f"{LINES - 1} is live.", f"and {300 - LINES} more"]


def test_each_kind_has_words() -> None:
    assert set(TITLES) == set(ALONE) == set(Kind)


def test_a_stream_is_told_with_its_title() -> None:
    row = ChannelRow(UserId("1"), Login("alpha"), "Alpha", True, "present", title="climbing \x1b[31m@everyone")
    snapshot = Snapshot(NOW, Account(UserId("9"), Login("me")), True, Census(0, 0, 0, 0, 0), {row.id: row}, (), None)
    words = AlertWords(Path("nowhere"), ROME)
    assert words.event(Event(NOW, EventKind.LIVE, row.id), snapshot) == 'Alpha is live. "climbing [31m@everyone"'
    assert words.event(Event(NOW, EventKind.FLAT, row.id), snapshot).startswith(
        "You are in Alpha's chat, and no points"
    )
    assert words.event(Event(NOW, EventKind.LIVE, UserId("2")), snapshot) == "channel 2 is live."
    assert words.lost(1) == "1 notification before this did not get through."


def test_the_digest() -> None:
    earned = tuple(Earned(f"ch{n}", f"Ch{n}", "acorns", 1000 - n) for n in range(8))
    day = Day(earned, 7200.0, 7020.0, 3, 2, {"helix_failed": 1, "disconnected": 2, "live": 9})
    notice = digest_notice(day, NOW - 86_400, NOW, ROME)
    assert notice.title == "Your day: +7,972 points"
    assert notice.body.splitlines() == [
        "Since 24 Nov, 21:00, until 25 Nov, 21:00.",
        "Ch0: 1,000 acorns",
        "Ch1: 999 acorns",
        "Ch2: 998 acorns",
        "Ch3: 997 acorns",
        "Ch4: 996 acorns",
        "3 other channels: 2,982",
        "In the chat for 1 h 57 min of 2 h of live time (97.5 %), in 3 sessions.",
        "2 items redeemed.",
        "Troubles: 2 chat connections lost; Twitch did not answer once.",
    ]


def test_the_digest_of_a_day_on_which_nothing_happened() -> None:
    notice = digest_notice(Day(), NOW - 86_400, NOW, ROME)
    assert notice.title == "Your day: no points"
    assert notice.body.splitlines()[1:] == ["No channel was live.", "No troubles."]


@pytest.mark.anyio
async def test_a_digest_without_a_database(tmp_path: Path) -> None:
    notice = await AlertWords(tmp_path / "none.db", ROME).digest(NOW - 86_400, NOW)
    assert notice.title == "Your day: no points"


def test_the_trial() -> None:
    assert trial_notice().title == "Test"
