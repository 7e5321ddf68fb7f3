"""What commands in other processes ask of the running service. They ask through the database: there is nothing else
that both can reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from allthepoints.base.clock import Clock
from allthepoints.base.errors import FaultError
from allthepoints.base.types import JSON, ItemId, Login
from allthepoints.core.facts import Fact, RetryAsked, SignInGiven
from allthepoints.core.facts_points import AutoAllowed, JwtGiven, LookAsked, RedeemAsked, SettleAsked
from allthepoints.ports import Request, Storage


class _Redeem(msgspec.Struct, frozen=True):
    key: str
    item: str
    cost: int
    answers: tuple[str, ...] = ()
    message: str = ""
    dry: bool = False


class _Settle(msgspec.Struct, frozen=True):
    key: str
    taken: bool


class _Allowed(msgspec.Struct, frozen=True):
    allowed: bool


def fact_of(request: Request, now: float) -> Fact:
    """What a request means. Raises ValueError for one that makes no sense.

    "retry" and "look" name a channel; "redeem" too, with `{"key", "item", "cost", "answers", "message", "dry"}`;
    "settle" has `{"key", "taken"}`; "allow_auto" has `{"allowed"}`; "jwt", "sign_in": another one was given.
    """
    match request.kind:
        case "retry":
            return RetryAsked(now, _login(request))
        case "look":
            return LookAsked(now, _login(request))
        case "redeem":
            asked = _read(request.data, _Redeem)
            at = min(request.at, now)  # a confirmation that lay about for long is not one any more
            item, answers, message = ItemId(asked.item), asked.answers, asked.message
            return RedeemAsked(at, asked.key, _login(request), item, asked.cost, answers, message, asked.dry)
        case "settle":
            said = _read(request.data, _Settle)
            return SettleAsked(now, said.key, said.taken)
        case "jwt":
            return JwtGiven(now)
        case "sign_in":
            return SignInGiven(now)
        case "allow_auto":
            return AutoAllowed(now, _read(request.data, _Allowed).allowed)
        case kind:
            raise ValueError(f"nothing is known of {kind!r}")


def _login(request: Request) -> Login:
    if request.login is None:
        raise ValueError("it names no channel")
    return request.login


_T = TypeVar("_T")


def _read(data: Mapping[str, JSON], shape: type[_T]) -> _T:
    return msgspec.convert(data, shape)  # what it raises is a ValueError


class Requests:
    """Looks for requests and hands each to `answer` once, also where the disk cannot be told that it was answered.

    Who answers says on the disk that it is done, together with what came of it: a crash must not come between.
    """

    def __init__(self, storage: Storage, clock: Clock, answer: Callable[[Request], None]) -> None:
        self._storage = storage
        self._clock = clock
        self._answer = answer
        self._answered: set[int] = set()

    async def run(self, every: float) -> None:
        """Look every so many seconds, for ever."""
        while True:
            await self._clock.sleep(every)
            await self.look()

    async def look(self) -> None:
        """Answer what is new."""
        try:
            requests = await self._storage.requests()
        except FaultError:
            return  # the recorder meets the same fault, and tells of it
        new = [request for request in requests if request.id not in self._answered]
        self._answered = {request.id for request in requests}
        for request in new:
            self._answer(request)
