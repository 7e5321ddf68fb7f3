"""Where no channel is live, Now says who usually starts next."""

from pathlib import Path

import pytest
from terminal_home import AT, CONFIG, DAY, EPSILON, HOUR, RECORDS, ROWS, Home, shown, text_of, view

from allthepoints.base.types import Login, StreamId
from allthepoints.core import records as r
from allthepoints.core.model import ChannelRef, Stream, StreamKind

WHO = ChannelRef(EPSILON, Login("epsilon"), "Epsilon")
STARTS = tuple(
    r.SessionOpened(at, Stream(StreamId(f"e{n}"), WHO, StreamKind.LIVE, "", at))
    for n in range(1, 15)
    for at in (AT + HOUR - n * DAY,)
)
SAID = "Your channel is not live. Epsilon usually starts about"


@pytest.mark.anyio
@pytest.mark.parametrize(("zone", "time"), [("UTC", "22:00 today."), ("Asia/Tokyo", "07:00 today.")])
async def test_who_usually_starts_next(tmp_path: Path, zone: str, time: str) -> None:
    config = CONFIG.replace('"UTC"', f'"{zone}"')
    home = Home(tmp_path).fill((*RECORDS, *STARTS), ROWS[4:], config=config)
    app, _ = view(home)
    with home.running():
        async with shown(app, width=120):
            assert f"{SAID} {time}" in text_of(app)


@pytest.mark.anyio
async def test_not_while_one_is_live_nor_where_no_service_runs(tmp_path: Path) -> None:
    home = Home(tmp_path).fill((*RECORDS, *STARTS))
    app, _ = view(home)
    with home.running():
        async with shown(app, width=120):
            assert "usually" not in text_of(app)
    asleep, _ = view(home)
    async with shown(asleep, width=120):
        assert "usually" not in text_of(asleep)
