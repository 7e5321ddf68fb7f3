"""A StreamElements in memory, and the ports that look at it. They keep the contracts in `testing.contracts_points`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from allthepoints.base.clock import Clock
from allthepoints.base.errors import NotSent, OutsideError, Refused, Unauthorised, Unknown
from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core.loyalty import Balance, Bought, Item, JwtState, Loyalty, LoyaltyChannel, Viewer
from allthepoints.core.model import ChannelRef
from allthepoints.ports import JwtUnusable

JWT_LIFE = 30 * 86_400.0


class Outcome(StrEnum):
    """What becomes of a POST."""

    BOOKED = "booked"
    """Taken, if the store's own rules let it; refused in their words if not."""
    REFUSED = "refused"
    """A clear no, for a reason that nobody could read beforehand."""
    UNKNOWN_BOOKED = "unknown_booked"
    """Taken as above, and the answer is lost; so is the refusal."""
    UNKNOWN_LATE = "unknown_late"
    """The answer is lost, and it is taken `FakeElements.late_by` seconds later."""
    UNKNOWN_LOST = "unknown_lost"
    """It never arrived, and nobody says so."""
    NOT_SENT = "not_sent"
    """No connection came to be."""


@dataclass(frozen=True, slots=True)
class Post:
    """One POST as it left."""

    at: float
    channel: SeId
    item: ItemId
    answers: tuple[str, ...]
    message: str
    outcome: Outcome


@dataclass
class FakeElements:
    """What is true. Set `trouble`, and every call raises it; `outcomes` are used up by `redeem` one by one."""

    clock: Clock
    viewer: Viewer = field(default_factory=lambda: Viewer(SeId("5f0e0d0c0b0a090807060504"), "me", "1001"))
    channels: dict[SeId, LoyaltyChannel] = field(default_factory=dict)
    elsewhere: set[Login] = field(default_factory=set)
    """Names that lead to a channel of another platform."""
    loyalties: dict[SeId, Loyalty] = field(default_factory=dict)
    balances: dict[SeId, Balance] = field(default_factory=dict)
    """The viewer's; no entry: they do not know the viewer there."""
    stores: dict[SeId, dict[ItemId, Item]] = field(default_factory=dict)
    codes: dict[ItemId, list[str]] = field(default_factory=dict)
    """Access codes still to be given out, of items that are lists of codes."""
    bought: list[Bought] = field(default_factory=list)
    """Newest first: what was booked, each of which is one that was paid."""
    jwt: JwtState = JwtState.GOOD
    jwt_expires_at: float | None = None
    trouble: OutsideError | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    late_by: float = 60.0
    posts: list[Post] = field(default_factory=list)
    """Every redemption that was tried, whatever became of it."""
    calls: list[str] = field(default_factory=list)
    """The methods that were called, one after the other."""
    _late: list[Post] = field(default_factory=list)
    _number: int = 0

    def __post_init__(self) -> None:
        if self.jwt_expires_at is None:
            self.jwt_expires_at = self.clock.now() + JWT_LIFE

    def add(
        self, channel: ChannelRef | str, *, points: int | None = None, loyalty: Loyalty | None = None
    ) -> LoyaltyChannel:
        """A channel of StreamElements with an empty store; `points` None: they do not know the viewer there."""
        if isinstance(channel, str):
            channel = ChannelRef(UserId(str(30_000 + self._next())), Login(channel), channel)
        found = LoyaltyChannel(SeId(self._guid()), channel)
        self.channels[found.id] = found
        self.loyalties[found.id] = loyalty or Loyalty(amount=5, interval=600.0, subscriber_multiplier=3)
        self.stores[found.id] = {}
        if points is not None:
            self.set_points(channel.login, points)
        return found

    def find(self, login: str) -> LoyaltyChannel:
        """The channel with this login now. Raises StopIteration if there is none."""
        return next(channel for channel in self.channels.values() if channel.ref.login == login)

    def rename(self, login: str, to: str) -> None:
        """The same channel at another login."""
        old = self.find(login)
        self.channels[old.id] = replace(old, ref=replace(old.ref, login=Login(to), display=to))

    def delete(self, login: str) -> None:
        """StreamElements has it no more."""
        se = self.find(login).id
        for known in (self.channels, self.loyalties, self.balances, self.stores):
            known.pop(se, None)

    def set_loyalty(self, login: str, **changes: Any) -> None:
        """Change its settings."""
        se = self.find(login).id
        self.loyalties[se] = replace(self.loyalties[se], **changes)

    def set_points(self, login: str, points: int) -> None:
        """The viewer's balance there, as if edited."""
        se = self.find(login).id
        self.balances[se] = replace(self.balances.get(se, Balance(0, 0, 1, 0)), points=points)

    def pay(self, login: str, points: int | None = None, minutes: int = 10) -> None:
        """A payment for watching: as many as the settings say, if `points` does not."""
        se = self.find(login).id
        worth = self.loyalties[se].amount or 0 if points is None else points
        old = self.balances.get(se, Balance(0, 0, 1, 0))
        self.balances[se] = replace(
            old,
            points=old.points + worth,
            alltime=(old.alltime or 0) + worth,
            watch_minutes=(old.watch_minutes or 0) + minutes,
        )

    def sell(self, login: str, name: str, cost: int, *, codes: tuple[str, ...] = (), **more: Any) -> Item:
        """A new item in a store; `more` as the fields of `Item`."""
        store = self.stores[self.find(login).id]
        kind: dict[str, Any] = {"kind": "code"} if codes else {}
        item = Item(ItemId(self._guid()), name, cost, order=len(store), **(kind | more))
        store[item.id] = item
        if codes:
            self.codes[item.id] = list(codes)
        return item

    def change(self, item: ItemId, **changes: Any) -> Item:
        """Change an item. Raises KeyError if no store has it."""
        store = self._store_of(item)
        store[item] = replace(store[item], **changes)
        return store[item]

    def remove(self, item: ItemId) -> None:
        """The streamer deletes it; what was bought of it stays, without it."""
        del self._store_of(item)[item]
        self.bought = [replace(one, item=None) if one.item == item else one for one in self.bought]

    def answer_next(self, *outcomes: Outcome) -> None:
        """What becomes of the next POSTs; after them everything is BOOKED."""
        self.outcomes.extend(outcomes)

    def call(self, name: str) -> None:
        """Note a call; what came late has come by then. Raises the trouble."""
        self.calls.append(name)
        due = [post for post in self._late if post.at + self.late_by <= self.clock.now()]
        self._late = [post for post in self._late if post not in due]
        for post in due:
            self._try(post)
        if self.trouble is not None:
            raise self.trouble

    def post(self, se: SeId, item: ItemId, answers: tuple[str, ...], message: str) -> Bought:
        """One redemption arrives."""
        outcome = self.outcomes.pop(0) if self.outcomes else Outcome.BOOKED
        post = Post(self.clock.now(), se, item, answers, message, outcome)
        self.posts.append(post)
        match outcome:
            case Outcome.BOOKED:
                return self._book(post)
            case Outcome.REFUSED:
                raise Refused("redeeming: answered 400, You are redeeming too fast", 400, "You are redeeming too fast")
            case Outcome.NOT_SENT:
                raise NotSent("redeeming: could not connect (connect timeout)")
            case Outcome.UNKNOWN_BOOKED:
                self._try(post)
            case Outcome.UNKNOWN_LATE:
                self._late.append(post)
            case Outcome.UNKNOWN_LOST:
                pass
        raise Unknown("redeeming: no whole answer within 10 s")

    def _try(self, post: Post) -> None:
        with suppress(Refused):
            self._book(post)

    def _book(self, post: Post) -> Bought:
        item = self.stores.get(post.channel, {}).get(post.item)
        if item is None:
            raise Refused("redeeming: answered 404, Not Found", 404, "Not Found")
        balance = self.balances.get(post.channel, Balance(0))
        if words := _refusal(item, balance, post):
            raise Refused(f"redeeming: answered 400, {words}", 400, words)
        self.balances[post.channel] = replace(balance, points=balance.points - item.cost)
        if item.stock is not None:
            self.change(item.id, stock=item.stock - 1)
        codes = self.codes.get(item.id)
        bought = Bought(
            self._guid(),
            post.channel,
            item.id,
            self.clock.now(),
            item.name,
            item.cost,
            answers=post.answers,
            message=post.message,
            code=codes.pop(0) if codes else None,
        )
        self.bought.insert(0, bought)
        return bought

    def _store_of(self, item: ItemId) -> dict[ItemId, Item]:
        for store in self.stores.values():
            if item in store:
                return store
        raise KeyError(item)

    def _guid(self) -> str:
        return f"{0x64B0C1D2E3F4A5B600000000 + self._next():024x}"

    def _next(self) -> int:
        self._number += 1
        return self._number


class FakePointsApi:
    """Fulfils `ports.PointsApi`."""

    def __init__(self, elements: FakeElements) -> None:
        self._elements = elements

    async def find(self, login: Login) -> LoyaltyChannel | None:
        self._elements.call("find")
        found = (channel for channel in self._elements.channels.values() if channel.ref.login == login)
        return None if login in self._elements.elsewhere else next(found, None)

    async def loyalty(self, se: SeId) -> Loyalty | None:
        self._elements.call("loyalty")
        return self._elements.loyalties.get(se)

    async def balance(self, se: SeId, viewer: Login) -> Balance | None:
        self._elements.call("balance")
        return self._elements.balances.get(se) if viewer == self._elements.viewer.login else None

    async def items(self, se: SeId) -> tuple[Item, ...] | None:
        self._elements.call("items")
        store = self._elements.stores.get(se)
        return None if store is None else tuple(store.values())


class FakeStoreApi:
    """Fulfils `ports.StoreApi`."""

    def __init__(self, elements: FakeElements) -> None:
        self._elements = elements
        self.ahead: float | None = None

    def expires_at(self) -> float | None:
        self._usable()
        return self._elements.jwt_expires_at

    async def me(self) -> Viewer:
        self._call("me")
        return self._elements.viewer

    async def history(self, own: SeId) -> tuple[Bought, ...]:
        self._call("history", own)
        # What is a code is told once, in the answer to the redemption itself.
        return tuple(replace(one, code=None) for one in self._elements.bought)

    async def redeem(self, own: SeId, se: SeId, item: ItemId, answers: tuple[str, ...], message: str) -> Bought:
        self._call("redeem", own)
        bought = self._elements.post(se, item, answers, message)
        # The answer is not filled in: it names the item by its id alone.
        return replace(bought, name="", cost=None)

    def _call(self, name: str, own: SeId | None = None) -> None:
        self._usable()
        self._elements.call(name)
        if self._elements.jwt is JwtState.REFUSED:
            words = "Not allowed to perform this operation"
            raise Unauthorised(f"{name}: answered 401, {words}", 401, words)
        if own not in (None, self._elements.viewer.id):
            login = self._elements.viewer.login
            raise JwtUnusable(f"the StreamElements JWT is {login}'s by now", JwtState.WRONG_ACCOUNT)

    def _usable(self) -> None:
        state, expires_at = self._elements.jwt, self._elements.jwt_expires_at
        if state is JwtState.GOOD and expires_at is not None and expires_at <= self._elements.clock.now():
            state = JwtState.EXPIRED
        if state in (JwtState.MISSING, JwtState.MALFORMED, JwtState.EXPIRED):
            raise JwtUnusable(f"the StreamElements token is {state}", state, expires_at=expires_at)


def _refusal(item: Item, balance: Balance, post: Post) -> str:
    """StreamElements' words where a rule of the store speaks against it."""
    if not item.enabled:
        return "Item is disabled"
    if item.sold_out:
        return "Item is Out of stock"
    if balance.points < item.cost:
        return "Sorry you don't have enough points"
    if len(post.answers) != len(item.asks):
        return "Input is missing"
    return ""
