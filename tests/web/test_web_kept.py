"""What the dashboard keeps of channels goes when they do."""

from __future__ import annotations

from pathlib import Path

import pytest
from web_stage import Stage, get, row

from allthepoints.views.web import pages
from allthepoints.views.web.app import Pages
from allthepoints.views.web.pages import now

pytestmark = pytest.mark.anyio


async def test_rows_of_channels_that_went_while_nobody_listened_are_forgotten(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.build(pages=Pages(pages.PAGES, pages.ACTIONS, pages.fragments))
    for day in range(20):
        stage.tell([row(10 * day + number) for number in range(5)])
        assert f'id="row-{10 * day}"' in (await get(stage, "/?show=all")).text
    assert set(now._rows[stage.board]) == {f"{190 + number}" for number in range(5)}
