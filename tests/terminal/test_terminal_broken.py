"""A memory that goes away, is locked, is damaged, comes back; a service that stops and starts: it goes on looking."""

from pathlib import Path

import apsw
import pytest
from terminal_home import AT, Home, looked, shown, text_of, view

from allthepoints.core import records as r
from allthepoints.storage import read

pytestmark = pytest.mark.anyio

PAGES = ("1", "2", "3", "1", "down", "enter")


async def test_a_memory_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app, 100, 30) as pilot:
            home.data.path.rename(tmp_path / "aside")
            for key in PAGES:
                await pilot.press(key)
                await looked(pilot)
                assert app.is_running
            assert "Not running" in text_of(app)
            (tmp_path / "aside").rename(home.data.path)
            await pilot.press("escape", "1")
            await looked(pilot)
            assert "● present  Alpha" in text_of(app)


async def test_a_memory_that_is_locked_keeps_what_was_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "BUSY_MS", 1)
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app, 100, 30) as pilot:
            holder = apsw.Connection(str(home.data.database))
            holder.pragma("journal_mode", "delete")
            holder.execute("BEGIN EXCLUSIVE")
            try:
                for key in PAGES:
                    await pilot.press(key)
                    await looked(pilot)
                    assert "Nothing can be read now" in text_of(app)
                await pilot.press("escape", "1")
                assert "● present  Alpha" in text_of(app)
                await pilot.press("p")
                await looked(pilot)
                assert app.is_running
            finally:
                holder.execute("ROLLBACK")
                holder.close()
            await looked(pilot)
            assert "In 2 of 4 live chats" in text_of(app)


@pytest.mark.parametrize("at", [100, 4096, 9000])
async def test_a_memory_that_is_damaged_while_it_is_watched(tmp_path: Path, at: int) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    kept = home.data.database.read_bytes()
    with home.running():
        async with shown(app, 100, 30) as pilot:
            home.data.database.write_bytes(kept[:at] + b"\xff" * (len(kept) - at))
            app.looker.forget()
            for key in PAGES:
                await pilot.press(key)
                await looked(pilot)
                assert app.is_running
            home.data.database.write_bytes(kept)
            await pilot.press("escape", "1")
            await looked(pilot)
            assert "In 2 of 4 live chats" in text_of(app)
            assert "● present  Alpha" in text_of(app)


async def test_a_service_that_stops_and_starts_again(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    async with shown(app, 100, 30) as pilot:
        for turn in range(3):
            with home.running():
                home.write(r.Event(AT + 2 * turn, r.EventKind.STARTED))
                await looked(pilot)
                assert "In 2 of 4 live chats" in text_of(app)
                await pilot.press("3")
                await looked(pilot)
                assert "The service started." in text_of(app)
                await pilot.press("1")
            home.write(r.Event(AT + 2 * turn + 1, r.EventKind.STOPPED))
            await looked(pilot)
            assert "Not running" in text_of(app)


async def test_another_memory_in_its_place_begins_anew(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app, 100, 30) as pilot:
            for file in home.data.path.glob("*.db*"):
                file.unlink()
            home.fill((), (), {})
            app.looker.forget()
            await pilot.press("3")
            await looked(pilot)
            assert "Nothing was recorded yet." in text_of(app)
