"""Performs what concerns StreamElements: each action is a task that ends in one fact, whatever happens.

The POST of a redemption is here, and it is the only one: `send` is called once for a row that is on the disk.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from allthepoints.base.clock import Chance, Clock
from allthepoints.base.errors import Limited, NotSent, OutsideError, Refused, SignInNeeded, Unauthorised
from allthepoints.base.types import Login, UserId
from allthepoints.core.actions import (
    ElementsRead,
    FindLoyalty,
    ReadBalance,
    ReadHistory,
    ReadItems,
    ReadLoyalty,
    SendRedemption,
)
from allthepoints.core.facts import Fact
from allthepoints.core.facts_points import (
    BalanceRead,
    ElementsFailed,
    HistoryRead,
    ItemsRead,
    JwtSeen,
    JwtUnknown,
    LoyaltyFound,
    LoyaltyRead,
    RedemptionAnswered,
)
from allthepoints.core.loyalty import JwtState
from allthepoints.core.redeem import OF_JWT, Reason
from allthepoints.ports import JwtUnusable, PointsApi, StoreApi
from allthepoints.service.supervise import Tasks

log = logging.getLogger(__name__)

ERROR = 300
"""Characters of an error that are kept."""


class ElementsCalls:
    """What is being asked of StreamElements."""

    def __init__(
        self, points: PointsApi, store: StoreApi, clock: Clock, chance: Chance, put: Callable[[Fact], None]
    ) -> None:
        self._points = points
        self._store = store
        self._clock = clock
        self._chance = chance
        self._put = put
        self._tasks = Tasks()

    def read(self, action: ElementsRead) -> None:
        """Ask. Puts what the action names."""
        match action:
            case FindLoyalty(login):
                self._start("channel", lambda: self._find(login), None, login)
            case ReadLoyalty(channel):
                self._start("loyalty", lambda: self._loyalty(action), channel)
            case ReadBalance(channel):
                self._start("balance", lambda: self._balance(action), channel)
            case ReadItems(channel):
                self._start("items", lambda: self._items(action), channel)
            case ReadHistory():
                self._start("history", lambda: self._history(action), None)

    def check_jwt(self) -> None:
        """Look at the viewer's own token. Puts JwtSeen or JwtUnknown."""
        self._tasks.start("check the JWT", self._check_jwt())

    def send(self, action: SendRedemption) -> None:
        """POST once. Puts RedemptionAnswered."""
        self._tasks.start("redeem", self._send(action))

    async def aclose(self) -> None:
        """Give up what is under way. A redemption that was on its way is doubted at the next start."""
        await self._tasks.cancel()

    # -- reads -----------------------------------------------------------------------------------------------------
    async def _find(self, login: Login) -> Fact:
        found = await self._points.find(login)
        return LoyaltyFound(self._clock.now(), login, found)

    async def _loyalty(self, ask: ReadLoyalty) -> Fact:
        loyalty = await self._points.loyalty(ask.se)
        return LoyaltyRead(self._clock.now(), ask.channel, loyalty)

    async def _balance(self, ask: ReadBalance) -> Fact:
        balance = await self._points.balance(ask.se, ask.viewer)
        return BalanceRead(self._clock.now(), ask.channel, balance, ask.viewer)

    async def _items(self, ask: ReadItems) -> Fact:
        items = await self._points.items(ask.se)
        return ItemsRead(self._clock.now(), ask.channel, items)

    async def _history(self, ask: ReadHistory) -> Fact:
        asked_at = self._clock.now()  # a long list takes its time, and what was booked meanwhile is not in it
        bought = await self._store.history(ask.own)
        return HistoryRead(asked_at, bought, ask.own, self._store.ahead)

    def _start(
        self, what: str, ask: Callable[[], Awaitable[Fact]], channel: UserId | None, login: Login | None = None
    ) -> None:
        self._tasks.start(f"read StreamElements: {what}", self._read(what, ask, channel, login))

    async def _read(
        self, what: str, ask: Callable[[], Awaitable[Fact]], channel: UserId | None, login: Login | None
    ) -> None:
        until: float | None = None
        refused = False
        try:
            self._put(await ask())
            return
        except Limited as error:
            text, until = str(error), error.until
        except Refused as error:
            # What anybody may read, and is not let read, is trouble of theirs; our redemptions need our token.
            text, refused = str(error), what == "history" or not isinstance(error, Unauthorised)
        except SignInNeeded as error:
            text, refused = str(error), True
        except OutsideError as error:
            text = str(error)
        except Exception as error:
            log.exception("reading %s of StreamElements went wrong here, not there", what)
            text = f"internal fault: {type(error).__name__}"
        now, luck = self._clock.now(), self._chance.draw()
        self._put(ElementsFailed(now, what, text[:ERROR], luck, channel, login, until, refused))

    # -- on the viewer's behalf ------------------------------------------------------------------------------------
    async def _check_jwt(self) -> None:
        self._put(await self._jwt())

    async def _jwt(self) -> JwtSeen | JwtUnknown:
        expires_at: float | None = None
        try:
            expires_at = self._store.expires_at()
            viewer = await self._store.me()
        except JwtUnusable as error:
            return JwtSeen(self._clock.now(), error.state, error.expires_at)
        except Refused:
            return JwtSeen(self._clock.now(), JwtState.REFUSED, expires_at)
        except OutsideError as error:
            text = str(error)
        except Exception as error:
            log.exception("the check of the JWT went wrong here, not there")
            text = f"internal fault: {type(error).__name__}"
        else:
            return JwtSeen(self._clock.now(), JwtState.GOOD, expires_at, viewer)
        return JwtUnknown(self._clock.now(), text[:ERROR], self._chance.draw(), expires_at)

    async def _send(self, action: SendRedemption) -> None:
        try:
            bought = await self._store.redeem(action.own, action.se, action.item, action.answers, action.message)
        except NotSent as error:
            answer = RedemptionAnswered(self._clock.now(), action.key, unsent=Reason.NOT_SENT, error=str(error)[:ERROR])
        except JwtUnusable as error:
            reason = OF_JWT.get(error.state, Reason.JWT_MISSING)
            answer = RedemptionAnswered(self._clock.now(), action.key, unsent=reason, error=str(error)[:ERROR])
        except Refused as error:
            words = error.message or str(error)
            answer = RedemptionAnswered(self._clock.now(), action.key, refusal=words[:ERROR])
        except OutsideError as error:
            answer = RedemptionAnswered(self._clock.now(), action.key, error=str(error)[:ERROR])
        except Exception as error:
            log.exception("a redemption went wrong here, not there")
            text = f"internal fault: {type(error).__name__}"
            answer = RedemptionAnswered(self._clock.now(), action.key, error=text)
        else:
            answer = RedemptionAnswered(self._clock.now(), action.key, bought=bought)
        self._put(answer)
