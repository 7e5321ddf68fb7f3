"""A page that stays open tells of days and times as they are now, though nothing else happened."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from web_stage import AT, DAY, HOUR, Listening, Stage, fill, get, row, turns, until, worry

from allthepoints.base.types import UserId
from allthepoints.config.settings import Display, Settings
from allthepoints.core import records as r
from allthepoints.storage.database import Database
from allthepoints.views.web import pages
from allthepoints.views.web.app import Pages
from allthepoints.views.web.pages import now

pytestmark = pytest.mark.anyio

MINUTE = 60.0


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    stage.settings = Settings(display=Display(zone="UTC"))
    stage.build(pages=Pages(pages.PAGES, pages.ACTIONS, pages.fragments))
    return stage


async def opened(stage: Stage) -> Listening:
    """A page that shows all there is."""
    since = re.search(r'sse-connect="([^"]+)"', (await get(stage, "/")).text)
    assert since
    listening = Listening(stage.app, unescape(since[1]))

    async def begun() -> bool:
        return stage.board in now._told

    await until(begun)
    await turns()
    return listening


async def told(stage: Stage, listening: Listening) -> list[tuple[str, str]]:
    """What a page is told of this turn."""

    async def all_of_it() -> bool:
        stage.clock.advance(0.3)
        await turns()
        return f"data: {stage.board.version}" in listening.said

    await until(all_of_it)
    return [(name, html) for name, html in listening.events() if name != "version"]


async def test_what_was_yesterday_gets_a_date(stage: Stage) -> None:
    old, new = row(1, since=AT - DAY + 90, live_since=AT - DAY + HOUR), row(2)
    warning = worry()
    stage.tell([old, new], warnings=(warning,))
    listening = await opened(stage)
    stage.clock.advance(MINUTE)
    stage.tell([old, new], warnings=(warning,), wishes=2)
    assert [name for name, _ in await told(stage, listening) if name != "sentence"] == ["head"], "nothing is old yet"
    stage.clock.advance(MINUTE)
    stage.tell([old, new], warnings=(warning,), wishes=3)
    found = [html for name, html in await told(stage, listening) if name == "row"]
    assert len(found) == 1
    assert "since <time" in found[0]
    assert ">24 Nov</time>" in found[0]
    stage.clock.advance(MINUTE)
    stage.tell([old, new], warnings=(warning,), wishes=4)
    assert "row" not in dict(await told(stage, listening)), "it is told once"
    stage.clock.advance(DAY)
    stage.tell([old, new], warnings=(warning,), wishes=5)
    found = await told(stage, listening)
    assert len([name for name, _ in found if name == "row"]) == 2
    assert "since&nbsp;<time" in dict(found)["alerts"]
    assert ">25 Nov</time>" in dict(found)["alerts"]
    await listening.hang_up()


async def test_at_midnight_a_day_begins(stage: Stage) -> None:
    fill(stage.folder)
    database = Database(stage.folder / "allthepoints.db", AT)
    database.record((r.LedgerEntry(AT - HOUR, UserId("1"), r.Change.EARNED, 35, 7000),), AT)
    database.close()
    rest = row(1, live=False, state="absent", reason="offline", live_since=None)
    stage.tell([rest])
    stage.clock.advance(3 * HOUR - 40)
    stage.tell([rest])
    assert "+35" in (await get(stage, "/")).text
    listening = await opened(stage)
    stage.clock.advance(45)
    stage.tell([rest])
    found = await told(stage, listening)
    assert "+35" not in dict(found)["row"]
    assert "<dt>Earned today</dt><dd>0</dd>" in dict(found)["head"]
    await listening.hang_up()


async def test_who_polls_is_told_too(stage: Stage) -> None:
    old = row(1, since=AT - DAY + 30)
    stage.tell([old])
    await (await opened(stage)).hang_up()
    before = stage.board.version
    stage.clock.advance(MINUTE)
    stage.tell([old])
    answer = (await get(stage, f"/poll?of=now&since={before}")).json()
    assert ">24 Nov</time>" in dict(answer["fragments"])["row"]


async def test_who_is_left_out_is_counted_as_it_is_now(stage: Stage) -> None:
    stage.tell([row(1)])
    listening = await opened(stage)
    stage.tell([row(1, live=False, state="absent", reason="offline")])
    assert ("quiet", "1 channel offline.") in await told(stage, listening)
    await listening.hang_up()
