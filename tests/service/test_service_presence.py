"""In the right chats, and only those, by the sandbox's own word."""

from __future__ import annotations

import pytest
from service_stages import Stage

from allthepoints.core.records import EventKind

pytestmark = pytest.mark.anyio


async def test_live_at_60_is_present_by_75(on: Stage) -> None:
    on.add("alpha", "beta")
    await on.start()
    await on.elapse(60.0)
    assert on.rooms == set()
    on.go_live("alpha")
    # The next poll is at most 30 s away; here it is at 60.
    await on.until(lambda: on.rooms == {"alpha"}, within=31.0)
    assert on.row("alpha").state == "present"
    on.go_offline("alpha")
    await on.until(lambda: not on.rooms, within=30 + 180 + 31)
    await on.elapse(2)
    assert on.row("alpha").state == "absent"
    assert on.row("alpha").reason == "offline"
    assert [e.kind for e in on.events if e.channel] == [
        EventKind.LIVE,
        EventKind.PRESENT,
        EventKind.OFFLINE,
        EventKind.LEFT,
    ]
