"""A request and what comes of it stand on the disk together: a crash never leaves one that is done and did nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from service_stages import Fakes

from allthepoints.base.types import JSON, Login
from allthepoints.core.records import Record, RedemptionKept
from allthepoints.ports import Request
from allthepoints.testing.memory_storage import Memory, MemoryStorage

pytestmark = pytest.mark.anyio

ASKED: dict[str, JSON] = {"key": "k", "item": "0" * 24, "cost": 5}


class Slow(MemoryStorage):
    """A memory whose every write takes a while, and which notes down what each of them was."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory)
        self.clock: Any = None
        self.written: list[tuple[list[int], set[str]]] = []

    async def record(self, records: Sequence[Record], at: float, **more: Any) -> None:
        if self.clock is not None:
            await self.clock.sleep(0.7)
        await super().record(records, at, **more)
        keys = {record.redemption.key for record in records if isinstance(record, RedemptionKept)}
        self.written.append((list(more.get("done", ())), keys))


@pytest.mark.parametrize("busy", [False, True])
async def test_fc_48_a_request_is_done_in_the_very_write_that_has_its_intent(fakes: Fakes, busy: bool) -> None:
    disks: list[Slow] = []

    def make(memory: Memory) -> Slow:
        disks.append(Slow(memory))
        return disks[-1]

    fakes.storage = make
    fakes.requests_every = 1.0
    service = await fakes.start()
    await fakes.elapse(5.5)
    disks[0].clock = fakes.clock
    fakes.memory.asked.append(Request(1, fakes.clock.now(), "redeem", Login("alpha"), ASKED))
    if busy:
        await fakes.elapse(0.4)
        service.ask("allow_auto", None, {"allowed": True})  # its write is on its way while the request is found
    await fakes.elapse(10)
    (keys,) = [keys for done, keys in disks[0].written if 1 in done]
    assert keys == {"k"}
