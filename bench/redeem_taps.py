"""A hand on every step of a redemption: something can be made to happen at a *moment* of it.

"before confirmed", "after confirmed", ...  the write of a row that says so, of any state
"post"                                      the POST is about to leave this machine
"answered"                                  its answer has come back, and nobody has looked at it
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import httpx2
import msgspec

from allthepoints import wiring
from allthepoints.base.errors import FaultError
from allthepoints.core.records import RedemptionKept
from allthepoints.storage.database import SqliteStorage

Action = Callable[[], Awaitable[object]]
"""What happens at a moment. It may raise what the place would raise, or answer what takes the place's answer."""


class Taps:
    """What is to happen when. `dead`: the power is off: nothing is written and nothing leaves the machine."""

    def __init__(self) -> None:
        self.dead = False
        self._planned: dict[tuple[str, str], list[Action]] = {}

    def plan(self, moment: str, key: str, action: Action) -> None:
        """Do it when this redemption comes there, once."""
        self._planned.setdefault((moment, key), []).append(action)

    async def reach(self, moment: str, key: str) -> object:
        """A redemption has come there."""
        said: object = None
        for action in self._planned.pop((moment, key), ()):
            said = await action()
        return said


class TappedStorage:
    """Storage, which may fail, or end everything, at each write of a redemption."""

    def __init__(self, inner: SqliteStorage, taps: Taps) -> None:
        self.warnings, self.account = inner.warnings, inner.account
        self._inner = inner
        self._taps = taps
        self.load, self.aclose = inner.load, inner.aclose

    async def requests(self) -> Any:
        self._see_power()
        return await self._inner.requests()

    async def record(self, records: Sequence[Any], at: float, **more: Any) -> None:
        kept = [(str(one.redemption.state), one.redemption.key) for one in records if isinstance(one, RedemptionKept)]
        for state, key in kept:
            await self._taps.reach(f"before {state}", key)
        self._see_power()
        await self._inner.record(records, at, **more)
        for state, key in kept:
            await self._taps.reach(f"after {state}", key)

    def _see_power(self) -> None:
        if self._taps.dead:
            raise FaultError("the power is off")


class TappedWire(httpx2.AsyncBaseTransport):
    """A transport, with a hand on each POST of a redemption."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, taps: Taps) -> None:
        self._inner = inner
        self._taps = taps

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        key = key_of(await request.aread()) if request.method == "POST" else None
        if key is not None:
            await self._taps.reach("post", key)
        if self._taps.dead:
            raise httpx2.ConnectError("the power is off")
        response = await self._inner.handle_async_request(request)
        other = None if key is None else await self._taps.reach("answered", key)
        if self._taps.dead:
            raise httpx2.ReadError("the power is off")
        return other if isinstance(other, httpx2.Response) else response

    async def aclose(self) -> None:
        await self._inner.aclose()


def tapped(taps: Taps) -> Any:
    """While this is entered, the wiring opens storage with these taps."""

    async def opened(path: Path, now: float, *, durable: bool) -> TappedStorage:
        return TappedStorage(await SqliteStorage.open(path, now, durable=durable), taps)

    return mock.patch.object(wiring, "SqliteStorage", mock.Mock(open=opened))


def key_of(body: bytes) -> str | None:
    """The key in the body of a POST: the first answer."""
    try:
        return str(msgspec.json.decode(body)["input"][0])
    except (ValueError, LookupError, TypeError):
        return None
