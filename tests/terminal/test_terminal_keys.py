"""Keys, and what they come to."""

from dataclasses import replace
from pathlib import Path

import pytest
from terminal_home import AT, DELTA, GAMMA, ROWS, Home, known, looked, shown, text_of, view

from allthepoints.base.types import Login, UserId
from allthepoints.core import records as r
from allthepoints.core.loyalty import Balance
from allthepoints.storage.read_points import PointsReader


def names(text: str) -> list[str]:
    """The channels in the table, in order."""
    found = ("Alpha", "ベータ", "Gamma", "Delta", "Epsilon")
    lines = [line for line in text.splitlines() if line[:1] in "●◐○✕–?" and line]
    return [name for line in lines for name in found if name in line]


@pytest.mark.anyio
async def test_sort_find_and_offline(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app) as pilot:
            assert names(text_of(app)) == ["Gamma", "Alpha", "ベータ", "Delta"]
            await pilot.press("o")
            assert names(text_of(app))[-1] == "Epsilon"
            await pilot.press("s")
            assert "by name" in text_of(app)
            assert names(text_of(app)) == ["Alpha", "ベータ", "Delta", "Epsilon", "Gamma"]
            await pilot.press("s")
            assert names(text_of(app))[:3] == ["Alpha", "Epsilon", "ベータ"], "most points"
            await pilot.press("s", "s", "s", "o", "slash", *"banned")
            assert names(text_of(app)) == ["Gamma"]
            await pilot.press("enter")
            assert "1 channel with 'banned'" in text_of(app)
            await pilot.press("escape")
            assert len(names(text_of(app))) == 4
            await pilot.press("slash", *"qqq")
            assert "No channel has 'qqq'" in text_of(app)
            await pilot.press("escape")
            assert len(names(text_of(app))) == 4


@pytest.mark.anyio
async def test_the_cursor_stays_with_its_channel(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app) as pilot:
            assert app.page is not None
            assert app.page.listing.key == GAMMA
            home.write(rows=(replace(ROWS[2], state="present", reason=None, place=0),))
            await looked(pilot)
            assert app.page.listing.key == GAMMA
            assert names(text_of(app)) == ["Alpha", "Gamma", "ベータ", "Delta"]
            await pilot.press("down", "down")
            assert app.page.listing.key == DELTA
            home.write(rows=(replace(ROWS[3], state="present", reason=None, place=0),))
            await looked(pilot)
            assert app.page.listing.key == DELTA
            assert names(text_of(app)) == ["Alpha", "Delta", "Gamma", "ベータ"]
            home.write(rows=(replace(ROWS[1], state="refused", reason="banned", place=None),))
            await looked(pilot)
            assert app.page.listing.key == DELTA, "what comes above takes no key from it"
            assert names(text_of(app)) == ["ベータ", "Alpha", "Delta", "Gamma"]


@pytest.mark.anyio
async def test_what_is_closed_is_in_sight_again_after_all_were_asked_anew(tmp_path: Path) -> None:
    """The first of them goes below the others that are asked and comes back; the top of the list comes with it."""
    closed, first = ROWS[2], ROWS[0]
    rows = [
        replace(first, id=UserId(str(100 + n)), login=Login(f"chan{n:02}"), display=f"Chan{n:02}", place=n)
        for n in range(40)
    ]
    home = Home(tmp_path).fill([known(row) for row in (*rows, closed)], rows)
    app, _ = view(home)
    with home.running():
        async with shown(app) as pilot:
            assert app.page is not None
            listing = app.page.listing
            assert listing.key == rows[0].id
            home.write(rows=(closed,))
            await looked(pilot)
            assert "✕ refused  Gamma" in text_of(app)
            home.write(rows=[replace(row, state="asked") for row in rows[1:30]])
            await looked(pilot)
            assert listing.shown[0] > 1, "the list goes with the cursor"
            assert "Gamma" not in text_of(app)
            home.write(rows=rows)
            await looked(pilot)
            assert listing.key == rows[0].id
            assert "✕ refused  Gamma" in text_of(app)


@pytest.mark.anyio
async def test_pause_and_resume_are_written_into_the_config_with_its_comments(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, asks = view(home)
    with home.running():
        async with shown(app) as pilot:
            await pilot.press("down", "p")
            await looked(pilot)
            assert "Alpha is paused. The service leaves its chat by itself." in text_of(app)
            text = home.config.path.read_text()
            assert text.startswith("# mine\n")
            assert 'paused = ["alpha"]' in text
            assert "p resume" in text_of(app)
            await pilot.press("p")
            await looked(pilot)
            assert "Alpha is not paused any more." in text_of(app)
            assert '"alpha"]' not in home.config.path.read_text()
            assert asks.asked == []
            await pilot.press("up", "p")
            await looked(pilot)
            await pilot.press("p")
            await looked(pilot)
            assert asks.asked == [("retry", Login("gamma"))], "to resume a closed one asks it again"


@pytest.mark.anyio
async def test_retry_is_for_chats_that_are_closed(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, asks = view(home)
    with home.running():
        async with shown(app) as pilot:
            await pilot.press("down", "t")
            assert "Alpha's chat is not closed to you." in text_of(app)
            assert "t try again" not in text_of(app)
            await pilot.press("up")
            assert "t try again" in text_of(app)
            await pilot.press("t")
            await looked(pilot)
            assert "Gamma's chat is asked again." in text_of(app)
            assert asks.asked == [("retry", Login("gamma"))]


@pytest.mark.anyio
async def test_a_config_that_cannot_be_edited_is_told_and_nothing_else_happens(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app, 200, 24) as pilot:
            home.config.path.write_text("[channels\n")
            await pilot.press("p")
            await looked(pilot)
            assert "config.toml" in text_of(app)
            assert "● present  Alpha" in text_of(app)
            assert home.config.path.read_text() == "[channels\n"


@pytest.mark.anyio
async def test_a_wish_is_made_and_taken_back(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app) as pilot:
            await pilot.press("2")
            await looked(pilot)
            await pilot.press("down", "w")
            await looked(pilot)
            assert "You wish for Hydrate of Alpha." in text_of(app)
            assert "★  Alpha          Hydrate" in text_of(app)
            assert 'item = "Hydrate"' in home.config.path.read_text()
            await pilot.press("w")
            await looked(pilot)
            assert "You do not wish for Hydrate of Alpha any more." in text_of(app)
            assert "Hydrate" not in home.config.path.read_text()
            assert "★  Alpha          Pick" in text_of(app)


@pytest.mark.anyio
async def test_the_store_and_its_filters(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app) as pilot:
            await pilot.press("2")
            await looked(pilot)
            await pilot.press("a")
            assert "3 items of 6; affordable" in text_of(app)
            assert "Song request" not in text_of(app)
            await pilot.press("i")
            assert "5 items of 6; in stock" in text_of(app)
            assert "Poster" not in text_of(app)
            await pilot.press("v")
            assert "1 item of 6; wished" in text_of(app)
            await pilot.press("v", "slash", *"poster", "enter")
            assert "1 item of 6 with 'poster'" in text_of(app)
            await pilot.press("a")
            assert "No item has 'poster' in it." in text_of(app)


@pytest.mark.anyio
async def test_where_nothing_can_be_had_it_is_told_what_comes_first(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    home.write(r.BalanceKnown(AT, ROWS[0].id, Balance(50)))
    app, _ = view(home)
    with home.running():
        async with shown(app) as pilot:
            await pilot.press("2", "a")
            await looked(pilot)
            assert "Nothing can be had now." in text_of(app)
            assert "First comes Hydrate in Alpha's store, in about 1 h 40 min." in text_of(app)


@pytest.mark.anyio
async def test_activity_follows_until_one_moves_away(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    events = [r.Event(AT + n, r.EventKind.LIVE, ROWS[n % 4].id, {"n": n}) for n in range(30)]
    with home.running():
        async with shown(app) as pilot:
            await pilot.press("3")
            home.write(*events)
            await looked(pilot)
            assert "21-35 of 35" in text_of(app) or "-35 of 35" in text_of(app)
            await pilot.press("up", "up")
            assert "not following" in text_of(app)
            home.write(r.Event(AT + 40, r.EventKind.STOPPED))
            await looked(pilot)
            assert "The service stopped." not in text_of(app)
            await pilot.press("f")
            assert "The service stopped." in text_of(app)
            home.write(r.Event(AT + 41, r.EventKind.STARTED))
            await looked(pilot)
            assert "21:00:41  The service started." in text_of(app)
            await pilot.press("slash", *"gamma banned", "enter")
            assert "1 event with 'gamma banned'" in text_of(app)
            await pilot.press("enter")
            await looked(pilot)
            assert "✕ refused since 20:59; you are banned from this chat" in text_of(app)


@pytest.mark.anyio
async def test_going_from_place_to_place_and_back(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app) as pilot:
            for place in ("[2 Store]", "[3 Activity]", "[1 Now]"):
                await pilot.press("tab")
                assert place in text_of(app)
            await pilot.press("shift+tab")
            assert "[3 Activity]" in text_of(app)
            await pilot.press("1", "down", "enter", "question_mark")
            assert "Where you stand" in "".join(row.text for row in app.page.listing.rows)  # type: ignore[union-attr]
            await pilot.press("escape")
            for words in ("7 days", "30 days", "all", "today"):
                assert f"d {words}" in text_of(app)
                await pilot.press("d")
                await looked(pilot)
                assert f"Balance, {words}" in text_of(app)
            await pilot.press("1")
            assert "state " in text_of(app)
            await pilot.press("escape", "escape")
            assert "[1 Now]" in text_of(app)
            await pilot.press("q")
    assert app.return_code == 0


@pytest.mark.anyio
async def test_the_channel_page_reads_anew(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, asks = view(home)
    with home.running():
        async with shown(app, 100, 40) as pilot:
            await pilot.press("down", "enter", "u")
            await looked(pilot)
            assert asks.asked == [("look", Login("alpha"))]
            assert "Alpha's points and store were read." in text_of(app)
            from allthepoints.base.errors import NotSent

            asks.error = NotSent("alpha's store could not be read at StreamElements within 15 s")
            await pilot.press("u")
            await looked(pilot)
            assert "Alpha's store could not be read at StreamElements within 15 s." in text_of(app)


@pytest.mark.anyio
async def test_a_channel_of_which_nothing_is_known_but_its_name(tmp_path: Path) -> None:
    home = Home(tmp_path).fill((known(ROWS[3]),), (ROWS[3],))
    app, _ = view(home)
    with home.running():
        async with shown(app, 100, 40) as pilot:
            await pilot.press("enter")
            await looked(pilot)
            assert "○ waiting since 20:59; every room is taken" in text_of(app)
            assert "points     not read yet" in text_of(app)
            assert "Nothing is known of its store: `u` reads it at StreamElements." in text_of(app)


def test_asks_are_left_for_the_service(tmp_path: Path) -> None:
    """What `Asks` itself does, without a page."""
    from allthepoints.base.errors import FaultError, NotSent
    from allthepoints.config.settings import Settings
    from allthepoints.views.terminal.asks import Asks

    home = Home(tmp_path).fill()
    asks = Asks(home.data, home.config, Settings, lambda: AT)
    with pytest.raises(FaultError, match="no service runs, so nothing can be read anew"):
        asks.look(ROWS[0].id, Login("alpha"))
    with home.running():
        assert asks.running
        with pytest.raises(NotSent, match="could not be read"):
            asks.look(ROWS[0].id, Login("alpha"), within=0.0)
        asks.retry(Login("gamma"))
    from allthepoints.storage.database import Database

    database = Database(home.data.database, AT)
    assert [(one.kind, one.login) for one in database.requests()] == [("look", "alpha"), ("retry", "gamma")]
    database.close()
    assert PointsReader(home.data.database).named(Login("alpha")) == ROWS[0].id
