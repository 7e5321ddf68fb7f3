"""What anybody may read: the calls, and pages of a store."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from stub_elements import ME, SE, Elements, body, channel, html, item, no, points

from allthepoints.base.errors import OutsideError, Unknown
from allthepoints.base.types import Login
from allthepoints.core.loyalty import Balance

pytestmark = pytest.mark.anyio


async def test_each_call_is_one_get() -> None:
    elements = Elements(body(channel()), body({"loyalty": {"amount": 5}}), body(points()), body([]))
    found = await elements.points.find(Login("MossFox"))
    assert found is not None
    assert (found.id, found.ref.id, found.ref.login) == (SE, "778899001", "mossfox")
    loyalty = await elements.points.loyalty(SE)
    assert loyalty is not None
    assert loyalty.every == 600.0
    assert await elements.points.balance(SE, ME) == Balance(1840, 615, 212, 1290)
    assert await elements.points.items(SE) == ()
    paths = ["/channels/mossfox", f"/loyalty/{SE}", f"/points/{SE}/{ME}", f"/store/{SE}/items"]
    assert [(call.method, call.path) for call in elements.calls] == [("GET", path) for path in paths]
    assert not any("authorization" in call.headers for call in elements.calls)


async def test_a_channel_of_another_platform_is_none() -> None:
    assert await Elements(body(channel(provider="youtube", providerId="UCx"))).points.find(Login("mossfox")) is None


@pytest.mark.parametrize("answer", [{}, {"_id": SE}, [channel()], channel(_id=None), channel(providerId=None), "x"])
async def test_what_is_no_channel_is_odd(answer: Any) -> None:
    with pytest.raises(Unknown):
        await Elements(body(answer)).points.find(Login("mossfox"))


async def check_store(count: int, pages: list[Any], calls: int) -> None:
    elements = Elements(*(body(page) for page in pages))
    items = await elements.points.items(SE)
    assert items is not None
    assert [one.name for one in items] == [f"Item {n}" for n in range(count)]
    assert len(elements.calls) == calls
    assert elements.clock.slept == [1.0] * (calls - 1)


def rows(start: int, end: int) -> list[dict[str, Any]]:
    return [item(n) for n in range(start, end)]


async def test_fc_49_a_store_in_pages() -> None:
    await check_store(3, [rows(0, 3)], 1)
    await check_store(100, [rows(0, 100), []], 2)
    await check_store(130, [rows(0, 100), rows(100, 130), []], 3)
    await check_store(60, [rows(0, 25), rows(25, 50), rows(50, 60)], 3)  # a server that gives 25 at most
    await check_store(60, [rows(0, 60), rows(0, 60)], 2)  # one that knows no offset
    await check_store(50, [rows(0, 30), rows(20, 50), []], 3)  # the store changed in between


async def test_fc_49_where_a_page_begins() -> None:
    elements = Elements(body(rows(0, 100)), body(rows(100, 120)))
    await elements.points.items(SE)
    assert [call.query for call in elements.calls] == [
        {"limit": "100", "offset": "0"},
        {"limit": "100", "offset": "100"},
    ]


async def test_fc_49_a_bad_row_spoils_only_itself() -> None:
    page = [
        item(0),
        item(1, _id=None),
        None,
        7,
        item(2, name=None),
        item(3, quantity="?", cooldown=[], cost=2.0),
        item(0),
    ]
    items = await Elements(body(page)).points.items(SE)
    assert items is not None
    assert [one.name for one in items] == ["Item 0", "Item 3"]


@pytest.mark.parametrize(
    "second", [httpx2.ReadError("reset"), html(502), no(500, "oops"), body({"docs": []}), body([{"x": 1}] * 30)]
)
async def test_fc_49_all_of_a_store_or_an_error(second: Any) -> None:
    with pytest.raises(OutsideError):
        await Elements(body(rows(0, 100)), second).points.items(SE)


async def test_fc_49_a_store_without_end_is_an_error() -> None:
    pages = [body(rows(n * 25, n * 25 + 25)) for n in range(60)]
    elements = Elements(*pages)
    with pytest.raises(Unknown, match="no end of it after 1000 items"):
        await elements.points.items(SE)
    assert len(elements.calls) == 40


async def test_fc_49_the_same_name_twice_are_two() -> None:
    items = await Elements(body([item(1, name="VIP"), item(2, name="VIP")])).points.items(SE)
    assert items is not None
    assert len(items) == 2
