"""What anybody may read of StreamElements: a channel, its loyalty settings, a viewer's balance, a store."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from allthepoints.base.clock import Clock
from allthepoints.base.errors import Refused, Unknown
from allthepoints.base.types import ItemId, Login, SeId
from allthepoints.core.loyalty import Balance, Item, Loyalty, LoyaltyChannel
from allthepoints.streamelements import rows
from allthepoints.streamelements.http import Calls
from allthepoints.web import Answer, Client, decode, odd, plain

PAGE = 100
"""Items asked for at once. A server that gives fewer is read on."""

SHORT_PAGE = 25
"""A page with fewer items is the last: no server's own default is known to be smaller."""

MOST_PAGES = 40

MOST_ITEMS = 5_000
"""Rows of one answer; a store has some dozens. A million would hold up the chat for seconds."""

NOT_FOUND = 404

PAUSE = 1.0
"""Seconds between two pages."""


class ElementsPoints:
    """Fulfils `ports.PointsApi`."""

    def __init__(self, client: Client, base: str, clock: Clock) -> None:
        self._calls = Calls(client, base, clock)
        self._clock = clock

    async def find(self, login: Login) -> LoyaltyChannel | None:
        """See `ports.PointsApi`."""
        answer = await self._read("channel", "channels", login.lower())
        if answer is None:
            return None
        value = plain(answer)
        if not rows.on_twitch(value):
            return None
        found = rows.channel(value, login)
        if found is None:
            raise odd(answer, "something that is no channel")
        return found

    async def loyalty(self, se: SeId) -> Loyalty | None:
        """See `ports.PointsApi`."""
        answer = await self._read("loyalty settings", "loyalty", se)
        if answer is None:
            return None
        found = rows.loyalty(plain(answer))
        if found is None:
            raise odd(answer, "something that is no loyalty settings")
        return found

    async def balance(self, se: SeId, viewer: Login) -> Balance | None:
        """See `ports.PointsApi`."""
        answer = await self._read("points", "points", se, viewer.lower())
        if answer is None:
            return None
        found = rows.balance(plain(answer))
        if found is None:
            raise odd(answer, "something that is no balance")
        return found

    async def items(self, se: SeId) -> tuple[Item, ...] | None:
        """See `ports.PointsApi`. Page by page until one brings nothing new: all of the store, or an error."""
        found: dict[ItemId, Item] = {}
        seen: set[str] = set()
        read = 0
        for page in range(MOST_PAGES):
            if page:
                await self._clock.sleep(PAUSE)
            window = (("limit", str(PAGE)), ("offset", str(read)))
            answer = await self._read("store", "store", se, "items", params=window)
            if answer is None:
                return None
            listed = decode(answer, list[msgspec.Raw])
            if len(listed) > MOST_ITEMS:
                raise odd(answer, "more items than a store has")
            values = [rows.value(raw) for raw in listed]
            new = {_identity(value) for value in values} - seen
            items = [item for value in values if (item := rows.item(value)) is not None]
            if values and not items:
                raise odd(answer, "a list of something else than items")
            found |= {item.id: item for item in items if item.id not in found}
            seen |= new
            read += len(values)
            if not new or len(values) < SHORT_PAGE:
                return tuple(found.values())
        raise Unknown(f"reading the store: no end of it after {read} items")

    async def _read(self, kind: str, *path: str, params: Sequence[tuple[str, str]] = ()) -> Answer | None:
        """A good answer; None: StreamElements' own 404."""
        try:
            return await self._calls.get(kind, *path, params=params)
        except Refused as error:
            if error.status != NOT_FOUND:
                raise
            return None


def _identity(value: object) -> str:
    return rows.reference(value) or repr(value)
