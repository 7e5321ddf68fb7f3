"""Where no channel is live, the dashboard says who usually starts next, also to pages that listen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from web_stage import AT, DAY, HOSTILE, HOUR, Listening, Stage, get, row, turns, until

from allthepoints.base.types import StreamId
from allthepoints.config.settings import Display, Settings
from allthepoints.core import records as r
from allthepoints.core.model import ChannelRef, Stream, StreamKind
from allthepoints.ports import ChannelRow
from allthepoints.storage.database import Database
from allthepoints.views.web import pages
from allthepoints.views.web.app import Pages

pytestmark = pytest.mark.anyio

OFFLINE = row(1, live=False, state="absent", reason="offline", place=None)


def remember(stage: Stage, one: ChannelRow = OFFLINE) -> None:
    """It went live at 22:00 (UTC) on each day of the last two weeks."""
    who = ChannelRef(one.id, one.login, one.display)
    streams = [Stream(StreamId(f"s{n}"), who, StreamKind.LIVE, "", AT + HOUR - n * DAY) for n in range(1, 15)]
    database = Database(stage.folder / "allthepoints.db", AT)
    database.record([r.SessionOpened(stream.started_at, stream) for stream in streams], AT)
    database.close()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    stage.settings = Settings(display=Display(zone="UTC"))
    stage.build(pages=Pages(pages.PAGES, pages.ACTIONS, pages.fragments))
    remember(stage)
    return stage


async def test_now_says_it(stage: Stage) -> None:
    stage.tell([OFFLINE])
    assert "Your channel is not live. C1 usually starts about 22:00 today." in (await get(stage, "/")).text
    stage.settings = Settings(display=Display(zone="Asia/Tokyo"))
    stage.clock.advance(61.0)
    assert "C1 usually starts about 07:00 today." in (await get(stage, "/")).text
    stage.tell([row(1)])
    assert "usually" not in (await get(stage, "/")).text


async def test_a_page_that_listens_is_told(stage: Stage) -> None:
    stage.tell([row(1)])
    client = Listening(stage.app, f"/events?of=now&since={stage.board.version}")
    await turns()
    stage.clock.advance(0.3)
    await turns()
    said = ""

    async def told(words: str) -> bool:
        nonlocal said
        stage.clock.advance(0.3)
        said += "".join(html for name, html in client.events() if name == "sentence")
        return words in said

    stage.tell([OFFLINE])
    await until(lambda: told("C1 usually starts about 22:00 today."))
    said = ""
    stage.tell([row(1)])
    await until(lambda: told("In 1 of 1 live chat."))
    assert "usually" not in said
    await client.hang_up()


async def test_a_name_that_means_harm_is_text(stage: Stage) -> None:
    stage.tell([replace(OFFLINE, display=HOSTILE)])
    text = (await get(stage, "/")).text
    assert "usually starts about 22:00 today." in text
    assert "<script>alert" not in text
