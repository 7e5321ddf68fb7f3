"""What stands on the screen, word for word: each page at several sizes, with everything, with one, with nothing.

The kept screens are in `screens/`; `KEEP_SCREENS=1 pytest tests/terminal` writes them anew, to be looked at.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from terminal_home import ALPHA, AT, RECORDS, ROWS, SERVICE, Home, known, looked, shown, text_of, view

KEPT = Path(__file__).parent / "screens"

PAGES: dict[str, tuple[str, ...]] = {
    "now": (),
    "closed": ("enter",),
    "channel": ("down", "enter"),
    "flat": ("down", "down", "enter"),
    "store": ("2",),
    "activity": ("3",),
    "help": ("question_mark",),
    "warnings": ("exclamation_mark",),
    "dialog": ("2", "r"),
}


def check(name: str, text: str) -> None:
    file = KEPT / f"{name}.txt"
    if os.environ.get("KEEP_SCREENS"):
        KEPT.mkdir(exist_ok=True)
        file.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == file.read_text(encoding="utf-8")


@pytest.mark.anyio
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (40, 12), (20, 5)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_each_page_stands_as_it_was_kept(tmp_path: Path, size: tuple[int, int]) -> None:
    home = Home(tmp_path).fill()
    with home.running():
        for page, keys in PAGES.items():
            app, _ = view(home)
            async with shown(app, *size) as pilot:
                for key in keys:
                    await pilot.press(key)
                    await looked(pilot)
                check(f"{page}-{size[0]}x{size[1]}", text_of(app))


@pytest.mark.anyio
async def test_the_sentence_and_the_rows_are_those_of_status(tmp_path: Path) -> None:
    from allthepoints.config.load import load
    from allthepoints.storage.read_points import PointsReader
    from allthepoints.views.channels import channel_lines, in_order, matters
    from allthepoints.views.gains import read_gains
    from allthepoints.views.report import read_report
    from allthepoints.views.zone import zone_of

    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        report = read_report(home.data)
        async with shown(app, 140, 30):
            lines = text_of(app).splitlines()
    assert lines[2] == report.sentence(AT)
    rows = in_order(filter(matters, report.rows))
    zone = zone_of("UTC")
    gains = read_gains(PointsReader(home.data.database), load(home.config.path, True).settings, AT, zone)
    assert (gains[ALPHA].today, gains[ALPHA].next) == (155, "now: Pick the next map 🗺")
    expected = channel_lines(rows, AT, width=140, zone=zone, gains=gains)
    assert lines[4 : 5 + len(rows)] == [line.text for line in expected]


@pytest.mark.anyio
async def test_nothing_was_ever_recorded(tmp_path: Path) -> None:
    home = Home(tmp_path)
    app, _ = view(home)
    async with shown(app) as pilot:
        text = text_of(app)
        assert "Not running, so you are in no chat. Start it with `allthepoints run`." in text
        assert "Sign in with `allthepoints login`" in text
        assert "`allthepoints demo`" in text
        for key, words in (("2", "No store is known yet."), ("3", "Nothing was recorded yet.")):
            await pilot.press(key)
            await looked(pilot)
            assert words in text_of(app)
    assert os.listdir(tmp_path) == [], "who only looks leaves nothing behind"


@pytest.mark.anyio
async def test_what_is_known_is_shown_where_no_service_runs_and_it_goes_on_looking(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home, now=AT + 300)
    async with shown(app) as pilot:
        check("asleep-80x24", text_of(app))
        with home.running():
            await looked(pilot)
            assert "In 2 of 4 live chats" in text_of(app)
        await looked(pilot)
        assert "Not running" in text_of(app)


@pytest.mark.anyio
async def test_one_channel_and_no_account_yet(tmp_path: Path) -> None:
    home = Home(tmp_path).fill((known(ROWS[4]),), (ROWS[4],), {"account": None, "warnings": []})
    app, _ = view(home)
    with home.running():
        async with shown(app) as pilot:
            assert "Your channel is not live." in text_of(app)
            assert "1 channel offline: `o` shows them." in text_of(app)
            await pilot.press("o")
            assert "– offline  Epsilon      77  20:59" in text_of(app)


@pytest.mark.anyio
async def test_signed_out_is_the_sentence(tmp_path: Path) -> None:
    trouble = {
        "code": "sign_in_needed",
        "severity": "error",
        "title": "Signed out",
        "text": "Sign in.",
        "since": AT - 60,
    }
    home = Home(tmp_path).fill(service={**SERVICE, "warnings": [trouble]})
    app, _ = view(home)
    with home.running():
        async with shown(app):
            assert text_of(app).splitlines()[2] == "Signed out by Twitch 1 min ago. Run `allthepoints login`."


@pytest.mark.anyio
async def test_a_service_without_a_sign_of_life(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home, now=AT + 600)
    with home.running():
        async with shown(app, 120, 40):
            assert "warning: the service runs, but gave no sign of life for 10 min." in text_of(app)


# -- broken ------------------------------------------------------------------------------------------------------------
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no database at all, but long enough to look like one" * 100, "Nothing can be read now"),
        (b"", "Not running, so you are in no chat."),
    ],
)
async def test_a_database_that_cannot_be_read(tmp_path: Path, content: bytes, says: str) -> None:
    home = Home(tmp_path)
    home.data.path.mkdir()
    home.data.database.write_bytes(content)
    app, _ = view(home)
    async with shown(app) as pilot:
        assert says in text_of(app)
        home.data.database.unlink()
        home.fill()
        with home.running():
            await looked(pilot)
            assert "In 2 of 4 live chats" in text_of(app), "it goes on looking"


@pytest.mark.anyio
async def test_a_fault_keeps_what_was_seen(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app) as pilot:
            kept = home.data.database.read_bytes()
            for file in home.data.path.glob("*.db*"):
                file.unlink()
            home.data.database.write_bytes(b"x" * 5000)
            await looked(pilot)
            assert "Nothing can be read now" in text_of(app)
            assert "● present  Alpha" in text_of(app)
            home.data.database.write_bytes(kept)
            await looked(pilot)
            assert "In 2 of 4 live chats" in text_of(app)


@pytest.mark.anyio
async def test_words_of_a_later_version_are_shown_as_they_are(tmp_path: Path) -> None:
    rows = (
        replace(ROWS[0], state="hovering", reason="solar_flare", verdict="quantum", causes=("moon",)),
        replace(ROWS[1], title=None, live=None, points=-5, rate_per_hour=float("inf"), since=None),
    )
    home = Home(tmp_path).fill(rows=rows, service={"warnings": ["?", {"code": 7}], "chat": "x", "wishes": None})
    app, _ = view(home)
    with home.running():
        async with shown(app) as pilot:
            assert "solar flare" in text_of(app)
            await pilot.press("down", "enter")
            await looked(pilot)
            assert "solar flare" in text_of(app)


@pytest.mark.anyio
async def test_a_change_is_on_the_screen_with_the_next_look(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app) as pilot:
            home.write(rows=(replace(ROWS[3], state="present", reason=None, points=3),))
            await looked(pilot)
            assert "In 3 of 4 live chats" in text_of(app)
            assert "● present  Delta" in text_of(app)


@pytest.mark.anyio
async def test_300_channels_and_only_what_changed_is_painted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from allthepoints.base.types import Login, UserId
    from allthepoints.views.terminal.listing import Listing

    rows = [
        replace(ROWS[0], id=UserId(str(n)), login=Login(f"chan{n:03}"), display=f"Chan{n:03}", place=n)
        for n in range(300)
    ]
    home = Home(tmp_path).fill([known(row) for row in rows], rows)
    app, _ = view(home)
    painted: list[int] = []
    with home.running():
        async with shown(app, 100, 30) as pilot:
            assert "1-18 of 300" in text_of(app)
            await pilot.press("end")
            assert "Chan299" in text_of(app)
            await pilot.press("home")
            monkeypatch.setattr(Listing, "refresh_line", lambda self, y: painted.append(y))
            await looked(pilot)
            assert painted == [], "nothing changed"
            home.write(rows=(replace(rows[7], points=9_999), replace(rows[200], points=1)))
            await looked(pilot)
            assert painted == [7], "of what is in sight"
            assert app.page is not None
            assert "9,999" in app.page.listing.rows[7].text


def test_the_fixture_is_whole() -> None:
    assert len(RECORDS) > 40
