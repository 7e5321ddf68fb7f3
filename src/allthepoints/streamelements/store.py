"""StreamElements on the viewer's behalf. `redeem` is the one place that spends points: it sends one POST, once.

Theory. A POST has four ends, and money hangs on telling them apart:

    it never left                  no connection came to be, or we did not even try      NotSent
    StreamElements took it         2xx, and the answer names what was asked for          Bought
    StreamElements said no         4xx, in its own words                                 Refused, Unauthorised
    nobody knows                   all else: time-out, reset, 5xx, 408, a page of the    Unknown
                                   proxy whatever its status, a 200 that cannot be read

Only the third is a no, for only StreamElements knows what it booked. Nothing here sends twice: not after a time-out,
not to where a redirect points, not after a 401 (there is nothing to renew).

The JWT is looked up for each call, so it may be another account's from one call to the next. A token that is not the
one of which `me` told whose it is, is therefore asked that first, before anything is read or sent by it as `own`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any

import msgspec

from allthepoints.base.clock import Clock
from allthepoints.base.errors import NotSent, Refused, Unauthorised, Unknown
from allthepoints.base.secret import Secret
from allthepoints.base.types import JSON, ItemId, SeId
from allthepoints.core.loyalty import Bought, JwtState, Viewer
from allthepoints.ports import JwtUnusable
from allthepoints.streamelements import rows
from allthepoints.streamelements.http import Calls, clear_no
from allthepoints.streamelements.jwt import JwtKeeper
from allthepoints.web import Answer, Client, decode, odd, plain

PATIENCE = 30.0
"""Seconds for the answer to a redemption: a late answer is better than none, and holds the code."""

PAGE = 100
FULL_PAGE = 25
"""Redemptions from which on there may be more, where the answer does not say how many there are."""

MOST = 300
"""Redemptions that are enough, if they come newest first."""

MOST_PAGES = 20

MOST_DOCS = 20_000
"""Rows of one answer. It may hold all that one ever bought; a million would hold up the chat for seconds."""

PAUSE = 1.0
"""Seconds between two pages."""

REDEEMING = "redeeming"

FORBIDDEN = 403
"""What a token of a kind that is not taken is told."""


class ElementsStore:
    """Fulfils `ports.StoreApi`."""

    def __init__(self, client: Client, base: str, clock: Clock, jwt: JwtKeeper) -> None:
        self._calls = Calls(client, base, clock)
        self._clock = clock
        self._jwt = jwt
        self._whose: tuple[Secret, Viewer] | None = None

    @property
    def ahead(self) -> float | None:
        """See `ports.StoreApi`."""
        return self._calls.ahead

    def expires_at(self) -> float | None:
        """See `ports.StoreApi`."""
        return self._jwt.expires_at()

    async def me(self) -> Viewer:
        """See `ports.StoreApi`. The answer holds other secrets of the account: no byte of it is kept or shown."""
        return await self._ask_whose(self._jwt.present())

    async def _ask_whose(self, token: Secret) -> Viewer:
        try:
            answer = await self._calls.get("account", "channels", "me", token=token, confidential=True)
        except Refused as error:
            if error.status != FORBIDDEN:
                raise
            refused = Unauthorised(str(error), error.status, error.message)
        else:
            viewer = _viewer(answer)
            self._whose = token, viewer
            return viewer
        raise refused

    async def _token_of(self, own: SeId) -> Secret:
        """The present JWT, if it is that account's. Raises JwtUnusable, and as `me`."""
        token = self._jwt.present()
        viewer = self._whose[1] if self._whose is not None and self._whose[0] == token else await self._ask_whose(token)
        if viewer.id != own:
            raise JwtUnusable(f"the StreamElements JWT is {viewer.login}'s by now", JwtState.WRONG_ACCOUNT)
        return token

    async def redeem(self, own: SeId, se: SeId, item: ItemId, answers: tuple[str, ...], message: str) -> Bought:
        """See `ports.StoreApi`."""
        token = await self._token_to_send(own)
        if (until := self._calls.waits_until(REDEEMING)) is not None:
            raise NotSent(f"{REDEEMING}: not sent, StreamElements asks to wait {until - self._clock.now():.0f} s more")
        body: dict[str, JSON] = {"input": list(answers)} | ({"message": message} if message else {})
        answer = await self._calls.post(
            REDEEMING, "store", se, "redemptions", item, json=body, token=token, within=PATIENCE
        )
        return _outcome(answer, se, item)

    async def _token_to_send(self, own: SeId) -> Secret:
        """As `_token_of`; whatever fails here, nothing was sent."""
        try:
            return await self._token_of(own)
        except Unknown as error:
            trouble = str(error)
        raise NotSent(f"{REDEEMING}: not sent, for whose the JWT is could not be asked ({trouble})")

    async def history(self, own: SeId) -> tuple[Bought, ...]:
        """See `ports.StoreApi`. Asked for without a limit, which answers all; read on where it did not."""
        token = await self._token_of(own)
        found: dict[str, Bought] = {}
        seen: set[bytes] = set()
        read = 0
        for page in range(MOST_PAGES):
            if page:
                await self._clock.sleep(PAUSE)
            answer = await self._calls.get(
                "redemptions",
                *("store", own, "redemptions", "me"),
                params=(("limit", str(PAGE)), ("offset", str(read))) if page else (),
                token=token,
                confidential=True,
            )
            docs, total = _page(answer)
            known = len(seen)
            seen |= {bytes(raw) for raw in docs}
            read += len(docs)
            found |= {one.id: one for raw in docs if (one := rows.bought(rows.value(raw))) is not None}
            whole = len(docs) < FULL_PAGE if total is None else max(len(seen), len(docs)) >= total
            repeats = len(seen) == known
            if whole or ((repeats or len(seen) >= MOST) and _newest_first(found.values())):
                return tuple(sorted(found.values(), key=lambda one: one.created_at, reverse=True))
            if repeats:
                break
        raise Unknown(f"reading the redemptions: {len(seen)} of them came, in no order, and there are more")


def _viewer(answer: Answer) -> Viewer:
    found = rows.viewer(plain(answer))
    if found is None:
        raise odd(answer, "something that is no account")
    return found


def _outcome(answer: Answer, se: SeId, item: ItemId) -> Bought:
    """Which of the ends this answer is."""
    if (no := clear_no(answer)) is not None:
        raise no
    if not 200 <= answer.status < 300:
        raise odd(answer, "neither a yes nor StreamElements' own no")
    receipt = rows.receipt(plain(answer))
    if receipt is None or not _names(receipt, se, item):
        raise odd(answer, "something that is no redemption of this item")
    return replace(receipt, channel=se, item=item)


def _names(receipt: Bought, se: SeId, item: ItemId) -> bool:
    """Whether it speaks of this item, of this channel, and of no other."""
    told = [(receipt.item, item), (receipt.channel, se)]
    return any(a is not None for a, _ in told) and all(a is None or a.lower() == b.lower() for a, b in told)


class _History(msgspec.Struct):
    docs: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MOST_DOCS)]
    total: Any = None
    _total: Any = None


def _page(answer: Answer) -> tuple[list[msgspec.Raw], int | None]:
    """Redemptions, and how many there are in all where that is told, under one of two names."""
    history = decode(answer, _History)
    total = rows.number(history.total)
    return history.docs, rows.number(history._total) if total is None else total


def _newest_first(docs: Iterable[Bought]) -> bool:
    """Whether the answer's own order says so: then what was not read is older."""
    times = [one.created_at for one in docs]
    return bool(times) and times[0] > times[-1] and times == sorted(times, reverse=True)
