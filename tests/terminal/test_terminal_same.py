"""The same Now, Channel and Store as the dashboard: what came, what comes next, what was bought, what it cost."""

from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from terminal_home import AT, DAY, HOUR, ROWS, VIP, Home, looked, shown, text_of, view

from allthepoints.base.types import Login
from allthepoints.config.load import load
from allthepoints.core import records as r
from allthepoints.core.model import ChannelRef
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.channels import COLUMNS, FILTERS, channel_lines, passes
from allthepoints.views.gains import read_gains
from allthepoints.views.zone import zone_of

BOUNDS = """
[[wish]]
channel = "alpha"
item = "Hydrate"
auto = true
max_cost = 150
per_day = 300 # enough
count = 4
"""


@pytest.mark.anyio
async def test_now_tells_the_last_gain_the_next_wish_and_the_day(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app, 170, 24) as pilot:
            title, gamma, alpha = text_of(app).splitlines()[4:7]
            titles = "state channel verdict points today rate about since next wish last 24 h live since"
            assert " ".join(title.split()) == titles
            for cell in ("● present", "↑ earning", "1,845", "+155", "30/h", "20:50", "climbing 🌊 with friends"):
                assert cell in alpha
            assert gamma.startswith("✕ refused  Gamma"), "what is closed comes first"
            assert "now: Pick the next map 🗺" in alpha
            assert " ▁██▃▁▁▁▁▁▁▄" in alpha
            assert alpha.endswith("20:00")
            assert "+155 today; +155 in 7 days" in text_of(app)
            await pilot.press(*"s" * 5)
            assert "last gain first" in text_of(app)
            await pilot.press("s")
            assert "next wish first" in text_of(app)
            assert "Alpha" in text_of(app).splitlines()[5]


def test_columns_go_from_the_right_in_a_fixed_order(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    zone = zone_of("UTC")
    gains = read_gains(PointsReader(home.data.database), load(home.config.path, True).settings, AT, zone)
    titles = [column.title for column in COLUMNS]
    seen = set()
    for width in range(200, 20, -1):
        lines = [line.text for line in channel_lines(ROWS, AT, width=width, zone=zone, gains=gains)]
        assert all(cell_len(line) <= width for line in lines)
        kept = next(n for n in range(len(titles), 0, -1) if lines[0].split() == " ".join(titles[:n]).split())
        seen.add(kept)
    assert seen >= set(range(3, len(titles) + 1))


@pytest.mark.anyio
async def test_the_filters_of_the_dashboard(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app, 120, 30) as pilot:
            for key, words in [*FILTERS[1:], FILTERS[0]]:
                await pilot.press("f")
                shown_rows = {row.key for row in app.page.listing.rows}  # type: ignore[union-attr]
                assert shown_rows == {row.id for row in ROWS if passes(row, key)}, words
                assert key in ("now", "all") or f"{words}: {len(shown_rows)} of 5" in text_of(app)


@pytest.mark.anyio
async def test_what_was_bought_is_marked_in_the_chart_and_named(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app, 100, 40) as pilot:
            await pilot.press("down", "enter")
            await looked(pilot)
            assert "▾ 06:00  Hydrate, 100 acorns" in text_of(app).splitlines()
            lines = text_of(app).splitlines()
            marks = next(line for line in lines if line.startswith("spent "))
            drop = next(line for line in lines if line.startswith(("1,790", "1,9")))
            assert marks.count("▾") == 1
            assert marks.index("▾") == len(drop), "where the balance falls"
            assert "spent" not in next(line for line in lines if " live " in line)


@pytest.mark.anyio
async def test_what_an_item_cost_before(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app, 100, 40) as pilot:
            await pilot.press("2", "down", "down", "down")
            await looked(pilot)
            assert "VIP. It cost 4,500 until 24 Nov. You have 1,845 acorns in Alpha." in text_of(app)
            await pilot.press("h")
            await looked(pilot)
            assert [line for line in text_of(app).splitlines() if line][-5:-1] == [
                "since    cost  change",
                "24 Nov  5,000    +500  █",
                "20 Nov  4,500    +500  █",
                "16 Nov  4,000          ▇",
            ]
            await pilot.press("escape", "up", "h")
            await looked(pilot)
            assert "It cost 1,800 acorns ever since it was first seen, 24 Nov." in text_of(app)


@pytest.mark.anyio
@pytest.mark.parametrize("size", [(90, 30), (40, 12), (20, 6)])
async def test_a_wish_with_bounds_is_not_taken_back_unasked(tmp_path: Path, size: tuple[int, int]) -> None:
    home = Home(tmp_path).fill()
    config = home.config.path.read_text() + BOUNDS
    home.config.path.write_text(config)
    app, _ = view(home)
    with home.running():
        async with shown(app, *size) as pilot:
            await pilot.press("2", "w")
            await looked(pilot)
            if size[1] > 20:
                text = " ".join(text_of(app).split())
                assert "Take back your wish for Hydrate of Alpha?" in text
                assert "redeemed by itself, up to 150 each, at most 300 in 24 hours, 4 in all." in text
                assert "`allthepoints wish add alpha Hydrate --auto --max-cost 150 --per-day 300 --count 4`" in text
            assert "y: take it back" in text_of(app)
            await pilot.press("w", "enter", "r", "n")
            await looked(pilot)
            assert home.config.path.read_text() == config
            assert size[1] < 20 or "Nothing was changed." in text_of(app)
            await pilot.press("w")
            await looked(pilot)
            await pilot.press("y")
            await looked(pilot)
            assert "Hydrate" not in home.config.path.read_text()
            assert "Pick the next map" in home.config.path.read_text()


@pytest.mark.anyio
async def test_no_yes_is_taken_where_nothing_of_it_can_be_read(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    home.config.path.write_text(config := home.config.path.read_text() + BOUNDS)
    app, _ = view(home)
    with home.running():
        async with shown(app, 90, 30) as pilot:
            await pilot.press("2", "w")
            await looked(pilot)
            for width, height in ((1, 1), (15, 5), (80, 4)):
                await pilot.resize_terminal(width, height)
                await pilot.press("y")
                await looked(pilot)
            assert home.config.path.read_text() == config


@pytest.mark.anyio
async def test_a_wish_under_a_former_name_and_one_that_stands_there_by_its_id(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    home.write(r.ChannelKnown(AT, ChannelRef(ROWS[0].id, Login("alpha2"), "Alpha2"), 0))
    text = home.config.path.read_text() + BOUNDS.replace('"Hydrate"', f'"{"b" * 24}"')
    home.config.path.write_text(text)
    app, _ = view(home)
    with home.running():
        async with shown(app, 90, 30) as pilot:
            await pilot.press("2", "w")
            await looked(pilot)
            assert "Take back your wish for Hydrate" in text_of(app)
            await pilot.press("y")
            await looked(pilot)
            assert "b" * 24 not in home.config.path.read_text()


@pytest.mark.anyio
async def test_after_an_errand_the_channels_that_are_known_are_still_there(tmp_path: Path) -> None:
    """Who was the service for a moment left no rows behind."""
    home = Home(tmp_path).fill(rows=(), service={"account": {"user_id": "9", "login": "me"}})
    app, _ = view(home, now=AT + 300)
    async with shown(app, 100, 30):
        assert "? unknown  Alpha" in text_of(app)
        assert "1,845" in text_of(app)


@pytest.mark.anyio
async def test_a_year_in_the_chart_is_all_of_it(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    old = [r.LedgerEntry(AT - n * 30 * DAY - HOUR, ROWS[1].id, r.Change.EARNED, 1, 100 - n) for n in range(20, 0, -1)]
    home.write(*old)
    app, _ = view(home)
    with home.running():
        async with shown(app, 100, 60) as pilot:
            await pilot.press("down", "down", "enter", "d", "d", "d")
            await looked(pilot)
            assert "Balance, all" in text_of(app)
            assert "2025" in text_of(app)
            assert "2026" in text_of(app)


def test_the_fixture_changes_a_price() -> None:
    assert replace(VIP, cost=4000) != VIP
