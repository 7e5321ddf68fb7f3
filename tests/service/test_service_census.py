"""The census finds what leaks: a soak in which nothing grows says something only if this does."""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from dataclasses import replace
from typing import Any

import pytest

from allthepoints.base.repeats import Repeats
from allthepoints.core.observed import Observed
from allthepoints.core.redeem import Redemption
from allthepoints.service.supervise import Tasks
from allthepoints.testing.census import grown_kinds, grown_tables, look, tables
from allthepoints.views.web.pages import now

pytestmark = pytest.mark.anyio


class Slotted:
    """As one of the program's own."""

    __module__ = "allthepoints.core.planted"
    __slots__ = ("__kept", "empty", "ring")

    def __init__(self) -> None:
        self.__kept: dict[str, list[int]] = {}
        self.ring: deque[int] = deque(maxlen=9)

    def grow(self) -> None:
        """By three entries."""
        for number in range(3):
            self.__kept[f"{len(self.__kept)}"] = [number]
            self.ring.append(number)


class Theirs(Slotted):
    """As one of the sandbox's."""

    __module__ = "allthepoints.sim.planted"


def found(thing: object) -> dict[str, int]:
    unbounded, _ = tables({"root": thing})
    return {path: count for path, count in unbounded.items() if path.startswith("root") and count}


def test_tables_are_found_by_whatever_leads_to_them() -> None:
    slotted = Slotted()
    slotted.grow()
    assert found(slotted) == {"root._Slotted__kept": 3, "root._Slotted__kept[]": 3}
    assert tables({"root": slotted})[1]["root.ring"] == 3
    assert found([{"a": slotted}])["root[][]._Slotted__kept"] == 3
    assert found(Theirs()) == {}
    observed = Observed()
    observed.elements.notes["key"] = "value"
    assert found(observed)["root.elements.notes"] == 1
    repeats = Repeats()
    repeats.take("key", "what", 1.0)
    assert found(repeats) == {"root._known": 1}


def test_tables_of_modules_are_found() -> None:
    class Board:
        """One to be remembered by."""

    board: Any = Board()
    now._rows[board] = {}
    try:
        assert tables({})[0]["allthepoints.views.web.pages.now:_rows"] >= 1
    finally:
        del now._rows[board]


async def test_what_is_planted_is_told() -> None:
    loop, slotted, sandbox, leaked, tasks = asyncio.get_running_loop(), Slotted(), Theirs(), list[object](), Tasks()

    def seen() -> Any:
        return look({"root": slotted}, (sandbox,))

    seen()
    first = seen()
    assert (grown_kinds(first, seen()), grown_tables(first, seen())) == ({}, {})
    for number in range(30):
        slotted.grow()
        sandbox.grow()
        leaked.append(Redemption(f"{number}", "1", "c", "i", 1, 0.0))  # type: ignore[arg-type]  # plain texts will do
    waits = loop.create_future()

    async def wait_for_ever() -> None:
        await waits

    tasks.start("leaked", wait_for_ever())
    last = seen()
    assert grown_tables(first, last) == {"root._Slotted__kept": "0 to 90", "root._Slotted__kept[]": "0 to 90"}
    kinds = grown_kinds(first, last)
    assert "allthepoints.core.redeem.Redemption" in kinds
    # In a process with very many lists the ninety are within what is taken for work under way.
    before, _, after = kinds.get("builtins.list", "0 to 0").partition(" to ")
    assert int(after) - int(before) < 120, "theirs are not told"
    assert sum(last.tasks.values()) == sum(first.tasks.values()) + 1
    assert grown_tables(first, last, {"root._Slotted__kept": 90, "root._Slotted__kept[]": 90}) == {}
    assert "allthepoints.core.redeem.Redemption" not in grown_kinds(
        first, last, {"allthepoints.core.redeem.Redemption": 10_000}
    )
    await tasks.cancel()
    gc.collect()


async def test_what_stands_in_a_ring_is_bounded() -> None:
    slotted = Slotted()
    slotted.ring.extend(range(5))
    first = look({"root": slotted}, ())
    last = replace(first, tables={**first.tables, "root.ring[]": 400, "root.rings": 400})
    assert grown_tables(first, last) == {"root.rings": "0 to 400"}
