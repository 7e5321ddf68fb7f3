"""Any size, any name, any console: nothing breaks, nothing is steered, every line fits."""

from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from terminal_home import ALPHA, AT, HYDRATE, RECORDS, ROWS, SERVICE, Home, looked, shown, text_of, view

from allthepoints.core import records as r
from allthepoints.core.model import ChannelRef
from allthepoints.views.terminal.app import WatchApp

pytestmark = pytest.mark.anyio

EVIL = (
    "[red]x[/]",
    "[link=javascript:1]y[/link]",
    "[@click=app.quit]z[/]",
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31mC1",
    "\u202eright to left\u2066",
    "a\r\nb\tc\x00d",
    "[/]",
    "{self}%s$x",
    "\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
)

WALK = (
    ("enter",),
    ("escape", "down", "enter"),
    ("d",),
    ("escape", "2"),
    ("3",),
    ("question_mark",),
    ("escape", "1", "exclamation_mark"),
)


async def test_hostile_names_are_only_text(tmp_path: Path) -> None:
    evil = " ".join(EVIL)
    rows = tuple(replace(row, display=f"{evil}{row.login}", title=evil) for row in ROWS)
    trouble = {"code": "x", "severity": evil, "title": evil, "text": evil, "since": AT}
    home = Home(tmp_path).fill(
        (
            *RECORDS,
            r.ChannelKnown(AT, ChannelRef(ALPHA, ROWS[0].login, evil), 0),
            r.ItemKnown(AT, ALPHA, replace(HYDRATE, name=evil, description=evil, asks=(evil,))),
            r.Event(AT, r.EventKind.REFUSED, ALPHA, {"why": evil, "text": evil}),
        ),
        rows,
        {**SERVICE, "warnings": [trouble], "account": {"user_id": "9", "login": "me"}},
    )
    app, _ = view(home)
    with home.running():
        async with shown(app, 200, 40) as pilot:
            assert "[red]x[/] [link=javascript:1]y[/link] [@click=app.quit]z[/]" in text_of(app)
            for keys in (*WALK, ("escape", "2", "r")):
                await pilot.press(*keys)
                await looked(pilot)
                text = text_of(app)
                assert not set(text) & set("\x1b\x07\x9b\r\t\x00\u202e\u2066")
                assert app.is_running


@pytest.mark.parametrize("name", ["チャンネル" * 8, "קול ישראל שלום", "مرحبا", "👩‍👩‍👧‍👦 fam", "ก็็็็", "e\u0301" * 9])
async def test_wide_and_right_to_left_names_fit_their_columns(tmp_path: Path, name: str) -> None:
    home = Home(tmp_path).fill(rows=(replace(ROWS[0], display=name, title=name), *ROWS[1:]))
    app, _ = view(home)
    with home.running():
        for width in (80, 30):
            async with shown(app, width, 24):
                assert all(cell_len(line) <= width for line in text_of(app).splitlines())
            app, _ = view(home)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (20, 5), (5, 20), (80, 1), (1, 24), (300, 4), (10, 3), (13, 9)])
async def test_every_page_at_any_size(tmp_path: Path, size: tuple[int, int]) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app, *size) as pilot:
            for keys in (*WALK, ("escape", "2", "r"), ("y",)):
                await pilot.press(*keys)
                await looked(pilot)
                lines = text_of(app).splitlines()
                assert len(lines) <= size[1]
                assert all(cell_len(line) <= size[0] for line in lines)
            assert app.is_running


async def test_a_line_that_is_typed_takes_one_line(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        for width, height in ((80, 24), (20, 5)):
            app, _ = view(home)
            async with shown(app, width, height) as pilot:
                await pilot.press("slash", *"alph")
                await looked(pilot)
                assert sum("alph" in line for line in text_of(app).splitlines()) >= 1
                assert not set(text_of(app)) & set("▊▔▁▎")


async def test_a_storm_of_sizes(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app) as pilot:
            for turn in range(40):
                await pilot.resize_terminal(1 + turn * 37 % 130, 1 + turn * 17 % 45)
                await pilot.press(("down", "2", "3", "1", "enter", "escape", "slash", "escape")[turn % 8])
            await pilot.resize_terminal(80, 24)
            await pilot.press("escape", "escape", "3", "1")
            await looked(pilot)
            assert "In 2 of 4 live chats" in text_of(app)
            assert "● present  Alpha" in text_of(app)


async def test_a_console_that_has_only_ascii(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home, ascii_only=True, plain="ascii")
    with home.running():
        async with shown(app, 100, 45) as pilot:
            assert "* present  Alpha" in text_of(app)
            for keys in WALK:
                await pilot.press(*keys)
                await looked(pilot)
                assert text_of(app).isascii()


async def test_no_color_is_respected_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def colours(app: WatchApp) -> set[str]:
        """All that are sent to the terminal."""
        shown = [segment for strip in app.screen._compositor.render_strips() for segment in strip]
        for one in app._filters:
            if one.enabled:
                shown = one.apply(shown, app.screen.background_colors[0])
        styles = [segment.style for segment in shown if segment.style]
        return {colour.name for style in styles for colour in (style.color, style.bgcolor) if colour is not None}

    home = Home(tmp_path).fill()
    with home.running():
        app, _ = view(home)
        async with shown(app):
            assert colours(app) > {"red", "green"}, "else it proves nothing"
            coloured = text_of(app)
        monkeypatch.setenv("NO_COLOR", "1")
        app, _ = view(home)
        async with shown(app):
            assert text_of(app) == coloured
            assert colours(app) == {"default"}
