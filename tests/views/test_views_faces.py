"""The two faces of `run`: lines and the live table."""

import io
from dataclasses import replace
from datetime import UTC

import pytest
from rich.cells import cell_len
from rich.console import Console

from allthepoints.base.types import Login, UserId
from allthepoints.core.model import Account
from allthepoints.core.place import Census
from allthepoints.core.warning import Warning
from allthepoints.ports import ChannelRow
from allthepoints.service.snapshot import Snapshot
from allthepoints.views.lines import Changes, line_plain
from allthepoints.views.live import REDRAW, LivePicture

NOW = 1_795_640_400.0
ALPHA = ChannelRow(UserId("1"), Login("alpha"), "Alpha", False, "absent", "offline")
DEAF = Warning("helix_failing", "warning", "Twitch does not say who is live", "Asking Helix fails: 503.", NOW)


def snapshot(*rows: ChannelRow, at: float = NOW, warnings: tuple[Warning, ...] = ()) -> Snapshot:
    return Snapshot(
        at,
        Account(UserId("9"), Login("me")),
        True,
        Census(1, 0, 0, 0, 0),
        {row.id: row for row in rows},
        warnings,
        None,
    )


def texts(changes: Changes, shown: Snapshot) -> list[str]:
    return [change.text for change in changes.between(shown)]


def test_one_line_per_change() -> None:
    changes = Changes()
    assert texts(changes, snapshot(ALPHA)) == ["Your channel is not live."]
    assert texts(changes, snapshot(ALPHA)) == []
    live = replace(ALPHA, live=True, state="waiting", reason="no_slot")
    assert texts(changes, snapshot(live)) == [
        "Alpha is live.",
        "Alpha: waiting (every room is taken).",
        "In 0 of 1 live chat; 1 waiting.",
    ]
    asked = replace(live, state="asked", reason=None)
    assert texts(changes, snapshot(asked)) == ["Alpha: asked.", "In 0 of 1 live chat; 1 asked."]
    present = replace(asked, state="present", title="a new title")
    assert texts(changes, snapshot(present)) == ["Alpha: present.", "In 1 of 1 live chat."]
    assert texts(changes, snapshot(replace(present, title="another title"))) == []
    assert texts(changes, snapshot(ALPHA)) == ["Alpha is offline.", "Alpha: absent.", "Your channel is not live."]


def test_a_row_that_goes_is_told() -> None:
    changes = Changes()
    changes.between(snapshot(ALPHA))
    assert texts(changes, snapshot())[0] == "Alpha: not meant any more."


def test_two_thousand_offline_channels_say_nothing() -> None:
    rows = [replace(ALPHA, id=UserId(str(at)), login=Login(f"c{at}")) for at in range(2000)]
    changes = Changes()
    unknown = [replace(row, live=None, reason=None) for row in rows]
    assert texts(changes, snapshot(*unknown)) == ["Asking which of 2,000 channels are live."]
    assert texts(changes, snapshot(*rows)) == ["None of your 2,000 channels is live."]


def test_warnings_come_and_go() -> None:
    changes = Changes()
    changes.between(snapshot(ALPHA))
    assert texts(changes, snapshot(ALPHA, warnings=(DEAF,))) == [
        "warning: Twitch does not say who is live. Asking Helix fails: 503."
    ]
    assert texts(changes, snapshot(ALPHA, warnings=(DEAF,))) == []
    assert texts(changes, snapshot(ALPHA)) == ["over: Twitch does not say who is live."]


def test_rows_that_are_changed_in_place_are_seen() -> None:
    """The service hands out a view of its own rows."""
    rows = {ALPHA.id: ALPHA}
    shown = replace(snapshot(), rows=rows)
    changes = Changes()
    changes.between(shown)
    rows[ALPHA.id] = replace(ALPHA, live=True, state="present", reason=None)
    assert "Alpha: present." in texts(changes, shown)


def test_lines_are_utc_and_json_is_plain() -> None:
    change = Changes().between(snapshot(replace(ALPHA, live=True, state="present", reason=None)))[1]
    assert change.line == "2026-11-25T21:00:00Z Alpha: present."
    assert line_plain(change) == {
        "at": "2026-11-25T21:00:00.000Z",
        "kind": "state",
        "login": "alpha",
        "id": "1",
        "state": "present",
        "reason": None,
        "text": "Alpha: present.",
    }


# -- the live table ------------------------------------------------------------------------------------------------
def many(count: int) -> list[ChannelRow]:
    return [
        ChannelRow(
            UserId(str(at)),
            Login(f"channel_{at}"),
            f"チャンネル{at}" if at % 3 == 0 else f"Channel_{at}",
            True,
            "present",
            since=NOW - 60,
            live_since=NOW - 3600,
            place=at,
            title="Prestige 4 🌊 휴 " * 8,
        )
        for at in range(count)
    ]


def test_it_says_what_matters() -> None:
    picture = LivePicture()
    picture.take(snapshot(replace(ALPHA, live=True, state="present", reason=None, title="climbing"), warnings=(DEAF,)))
    assert picture.due(NOW)
    assert [line.text for line in picture.lines(80, 24)] == [
        "In 1 of 1 live chat.",
        "",
        "state      channel  about",
        "● present  Alpha    climbing",
        "",
        "warning: Twitch does not say who is live",
        "me; 1 chat connection; 0 channels offline",
    ]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 24), (200, 60), (20, 10), (80, 5), (10, 3), (1, 1)])
@pytest.mark.parametrize("count", [0, 1, 14, 140])
def test_it_fits(width: int, height: int, count: int) -> None:
    picture = LivePicture()
    warnings = tuple(replace(DEAF, code=f"w{at}") for at in range(9))
    picture.take(snapshot(*many(count), warnings=warnings))
    picture.due(NOW)
    lines = picture.lines(width, height)
    assert len(lines) <= height
    assert width < 20 or all(cell_len(line.text) <= width for line in lines)


def test_points_and_verdicts_fit_80_cells() -> None:
    earning = replace(
        ALPHA, live=True, state="present", reason=None, title="climbing", since=NOW - 600, live_since=NOW - 3600,
        points=1845, rate_per_hour=30.0, verdict="earning",
    )  # fmt: skip
    flat = replace(
        earning, id=UserId("2"), login=Login("beta"), display="ベータ", points=0, rate_per_hour=None, verdict="flat",
        causes=("never_typed", "hide_gambling"),
    )  # fmt: skip
    off = replace(flat, id=UserId("3"), login=Login("gamma"), display="Gamma", verdict="not_offered", points=None)
    waiting = replace(earning, id=UserId("4"), login=Login("delta"), display="Delta", state="waiting", reason="no_slot")
    picture = LivePicture(zone=UTC)
    picture.take(snapshot(earning, flat, off, waiting))
    picture.due(NOW)
    assert [line.text for line in picture.lines(120, 24)][:7] == [
        "In 3 of 4 live chats; 1 waiting. Earning in 1; nothing comes in 1; no points in 1.",
        "",
        "state      channel        verdict        points  rate  about                           since  live since",
        "● present  Alpha          ↑ earning       1,845  30/h  climbing                        20:50  20:00",
        "● present  ベータ (beta)  = flat              0        perhaps: you never typed there  20:50  20:00",
        "● present  Gamma          ∅ not offered                climbing                        20:50  20:00",
        "○ waiting  Delta                          1,845        every room is taken             20:50  20:00",
    ]
    narrow = [line.text for line in picture.lines(80, 24)]
    assert "● present  ベータ (beta)  = flat              0        perhaps: you neve…  20:50" in narrow
    assert all(cell_len(text) <= 80 for text in narrow)
    bare = LivePicture(zone=UTC, ascii_only=True)
    bare.take(snapshot(earning))
    bare.due(NOW)
    assert "* present  Alpha    ^ earning   1,845  30/h  climbing  20:50  20:00" in [
        line.text for line in bare.lines(80, 24)
    ]


def test_80x24_shows_how_many_more() -> None:
    picture = LivePicture()
    picture.take(snapshot(*many(30)))
    picture.due(NOW)
    assert "and 13 more" in [line.text for line in picture.lines(79, 23)]


def test_it_is_drawn_only_when_something_changed() -> None:
    picture = LivePicture()
    assert picture.lines(80, 24)[0].text == "Starting."
    picture.take(snapshot(ALPHA))
    assert picture.due(NOW)
    assert not picture.due(NOW + 1)
    assert picture.due(NOW + REDRAW)
    picture.take(snapshot(ALPHA, at=NOW + 99))
    assert not picture.due(NOW + REDRAW + 1), "nothing new is in it"
    picture.take(snapshot(replace(ALPHA, live=True, state="asked", reason=None)))
    assert picture.due(NOW + REDRAW + 2)
    picture.take(snapshot(replace(ALPHA, live=True, state="asked", reason=None), warnings=(DEAF,)))
    assert picture.due(NOW + REDRAW + 3)


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
def test_rich_draws_it_within_the_screen(size: tuple[int, int]) -> None:
    out = io.StringIO()
    console = Console(file=out, width=size[0], height=size[1], force_terminal=True, color_system=None)
    picture = LivePicture()
    picture.take(snapshot(*many(60)))
    picture.due(NOW)
    console.print(picture, end="")
    lines = out.getvalue().splitlines()
    assert len(lines) <= size[1] - 1
    assert all(cell_len(line) < size[0] for line in lines)
