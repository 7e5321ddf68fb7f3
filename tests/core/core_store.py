"""A StreamElements of our own making, with faults, for a core that buys there; and what a restart finds of it.

It books, loses answers and fails as real ones do, and watches each POST: that there is one a key, and none on old or
other knowledge than the confirmed one. It shares nothing with the sandbox, as `core_world`'s Twitch.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from core_memory import remembered
from core_world import OWN, T0, Core, ref, signed_in

from allthepoints.base.clock import Chance
from allthepoints.base.types import ItemId, Login, SeId
from allthepoints.core import facts as f
from allthepoints.core import facts_points as fp
from allthepoints.core import records as r
from allthepoints.core.actions import (
    Action,
    CheckJwt,
    ElementsRead,
    FindLoyalty,
    ReadBalance,
    ReadHistory,
    ReadItems,
    ReadLoyalty,
    RenewSignIn,
    SendRedemption,
)
from allthepoints.core.loyalty import Balance, Bought, Item, JwtState, Loyalty, LoyaltyChannel, Viewer
from allthepoints.core.policy import Policy
from allthepoints.core.redeem import Reason, Redemption, State
from allthepoints.core.restore import restore

ALPHA = ref(0)
SE = SeId("se0")
OTHER = Viewer(SeId("6f0e0d0c0b0a090807060504"), "other", "2")
"""The same person's other account."""

LATEST = 100.0
"""Seconds after which a POST without an answer is booked at the latest: then the proxy in front has given up."""


class Outcome(StrEnum):
    """What becomes of a POST."""

    BOOKED = "booked"
    REFUSED = "refused"
    UNKNOWN_BOOKED = "unknown_booked"
    UNKNOWN_LATE = "unknown_late"
    UNKNOWN_LOST = "unknown_lost"
    NOT_SENT = "not_sent"


class Crash(StrEnum):
    """Where in a turn the process dies."""

    BEFORE_WRITE = "before_write"
    AFTER_WRITE = "after_write"
    BETWEEN = "between"


@dataclass
class Seen:
    """What this process knows, and when it was read."""

    items_at: float = 0.0
    items: tuple[Item, ...] = ()
    balance_at: float = 0.0
    points: int = 0
    history_at: float = 0.0
    history_of: SeId | None = None
    viewer: Login | None = None
    jwt: JwtState | None = None


class Store:
    """Time, a StreamElements, and a process that may die at any moment."""

    def __init__(self, seed: int = 0, policy: Policy | None = None, *, signed_in: bool = True) -> None:
        self.now = T0
        self.signed_in = signed_in
        self.chance = Chance(seed)
        self.policy = policy or Policy(presence=False)
        self._events: list[tuple[float, int, int | None, Callable[[], Iterable[f.Fact]]]] = []
        self._order = itertools.count()
        self._life = 0
        # what is true
        self._balances: dict[str, list[tuple[float, int]]] = {"me": [(T0, 1000)], "other": [(T0, 1000)]}
        self.lag = 0.0
        self.ahead = 0.0
        self.tells_time = False
        self.whose = OWN
        self.items = {i: Item(ItemId(i), i, cost) for i, cost in (("mug", 100), ("cup", 250), ("hat", 50))}
        self.jwt = JwtState.GOOD
        self.booked: list[tuple[str, Bought]] = []
        self.booked_as: dict[str, SeId] = {}
        # faults
        self.down = False
        self.disk_fails = False
        self.outcomes: list[Outcome] = []
        self.crash: Crash | None = None
        # what is watched
        self.posts: Counter[str] = Counter()
        self.disk: list[r.Record] = [r.ChannelKnown(T0, ALPHA, None)]
        self.waiting: list[r.Record] = []
        self.reads: list[tuple[float, Action]] = []
        self.restart()

    # -- the process -------------------------------------------------------------------------------------------------
    def restart(self, away: float = 0.0) -> None:
        """The process is gone, with all that it did not write; another starts after a while."""
        self._life += 1
        self.waiting, self.crash, self.pending = [], None, 0
        end = self.now + away
        while self._events and self._events[0][0] <= end:  # the world goes on, and nobody listens
            self.now = max(self.now, self._events[0][0])
            heapq.heappop(self._events)[3]()
        self.now = end
        found = remembered(self.disk)
        self.core = Core(self.policy, restore(found, self.now), self.now)
        self.seen = Seen()
        for purse in found.purses:  # what the former one read it knows, too
            self.seen.items_at, self.seen.items = purse.items_at or 0.0, purse.items
            self.seen.balance_at, self.seen.points = purse.seen_at or 0.0, purse.balance.points if purse.balance else 0
        self._turn([])

    def tell(self, *facts: f.Fact) -> None:
        """A person does something, now."""
        self._turn(list(facts))

    def ask(self, key: str, item: str, cost: int | None = None, dry: bool = False) -> None:
        """A person confirmed; at the price that is true, if none is told."""
        cost = self.items[item].cost if cost is None else cost
        self.tell(fp.RedeemAsked(self.now, key, ALPHA.login, ItemId(item), cost, dry=dry))

    def run(self, seconds: float) -> None:
        """Let time go by."""
        end = self.now + seconds
        self._turn([])
        while True:
            times = [self._events[0][0]] if self._events else []
            times += [self.core.wake_at] if self.core.wake_at is not None else []
            if (due := min(times, default=end + 1)) > end:
                break
            self.now = max(self.now, due)
            facts: list[f.Fact] = []
            while self._events and self._events[0][0] <= self.now:
                *_, life, happen = heapq.heappop(self._events)
                told = list(happen())
                facts += told if life in (None, self._life) else []
            self._turn(facts)
        self.now = end
        self._turn([])

    def _turn(self, facts: list[f.Fact]) -> None:
        for fact in facts:
            self._watch(fact)
        before = len(self.core.records)
        actions = self.core.turn(*facts, now=self.now)
        if self.crash is Crash.BEFORE_WRITE and actions:
            self.restart(3.0)
            return
        self.waiting += self.core.records[before:]
        kept = not self.disk_fails
        if kept:
            self.disk += self.waiting
            self.waiting = []
        if self.crash is Crash.AFTER_WRITE and actions:
            self.restart(3.0)
            return
        for action in actions:
            self._perform(action, kept)
        if self.crash is Crash.BETWEEN and actions:
            self.restart(3.0)

    def _later(self, happen: Callable[[], Iterable[f.Fact]], delay: float, mine: bool = True) -> None:
        event = (self.now + delay, next(self._order), self._life if mine else None, happen)
        heapq.heappush(self._events, event)

    # -- what it is answered -----------------------------------------------------------------------------------------
    def _perform(self, action: Action, kept: bool) -> None:
        wait = 0.05 + self.chance.draw() * 2.0
        match action:
            case RenewSignIn():
                self._later(lambda: [signed_in(self.now) if self.signed_in else f.SignInLost(self.now, "none")], wait)
            case CheckJwt():
                jwt, whose = self.jwt, self.whose if self.jwt is JwtState.GOOD else None
                self._later(lambda: [fp.JwtSeen(self.now, jwt, None, whose)], wait)
            case FindLoyalty() | ReadLoyalty() | ReadBalance() | ReadItems() | ReadHistory():
                assert self.pending == 0, "one at a time"
                self.pending += 1
                self.reads.append((self.now, action))
                answer = self._read(action)  # what is true now; it may not be any more when the answer is here
                self._later(lambda: [answer(self.now)], wait)
            case SendRedemption() if kept:
                self._post(action, wait)
            case SendRedemption(key):
                self._later(lambda: [fp.RedemptionAnswered(self.now, key, unsent=Reason.NOT_WRITTEN)], 0.0)
            case _:
                raise AssertionError(f"nothing else is done without presence: {action}")

    def _read(self, action: ElementsRead) -> Callable[[float], f.Fact]:
        if self.down:
            return lambda at: fp.ElementsFailed(at, "any", "502", 0.5, ALPHA.id)
        items = tuple(self.items.values())
        match action:
            case FindLoyalty(login):
                return lambda at: fp.LoyaltyFound(at, login, LoyaltyChannel(SE, ALPHA))
            case ReadLoyalty(channel):
                return lambda at: fp.LoyaltyRead(at, channel, Loyalty(amount=5, interval=600.0))
            case ReadBalance(channel, _, viewer):
                points = self.balance(viewer, self.now - self.lag)
                return lambda at: fp.BalanceRead(at, channel, Balance(points), viewer)
            case ReadItems(channel):
                return lambda at: fp.ItemsRead(at, channel, items)
            case ReadHistory(own):
                refused = self.jwt is not JwtState.GOOD or self.whose.id != own
                no = fp.ElementsFailed(self.now, "history", "401", 0.5, refused=True)
                bought = [one for _, one in reversed(self.booked) if self.booked_as[one.id] == own]
                hidden, ahead = tuple(replace(one, code=None) for one in bought), self.ahead
                told, asked_at = ahead if self.tells_time else None, self.now
                return lambda at: replace(no, at=at) if refused else fp.HistoryRead(asked_at, hidden, own, told)

    def _watch(self, fact: f.Fact) -> None:
        if isinstance(fact, fp.ElementsFailed | fp.LoyaltyFound | fp.LoyaltyRead | fp.BalanceRead | fp.ItemsRead):
            self.pending -= 1
        match fact:
            case fp.BalanceRead(at, _, balance, viewer):
                self.seen.viewer = viewer
                self.seen.balance_at, self.seen.points = at, 0 if balance is None else balance.points
            case fp.ItemsRead(at, _, items):
                self.seen.items_at, self.seen.items = at, items or ()
            case fp.HistoryRead(at, _, own):
                self.pending -= 1
                self.seen.history_at, self.seen.history_of = at, own
            case fp.JwtSeen(_, state):
                self.seen.jwt = state

    # -- it is bought ------------------------------------------------------------------------------------------------
    def _post(self, action: SendRedemption, wait: float) -> None:
        if self.whose.id != action.own:
            self._answer(action.key, wait, unsent=Reason.WRONG_ACCOUNT)
            return
        self.posts[action.key] += 1
        assert self.posts[action.key] == 1, "one POST an intent, ever"
        self._check_grounds(action.key, action.own)
        match self.outcomes.pop(0) if self.outcomes else Outcome.BOOKED:
            case Outcome.BOOKED:
                bought = self._book(action)
                refusal = None if bought else "Sorry you don't have enough points"
                self._answer(action.key, wait, bought=bought, refusal=refusal)
            case Outcome.REFUSED:
                self._answer(action.key, wait, refusal="You are redeeming too fast")
            case Outcome.NOT_SENT:
                self._answer(action.key, wait, unsent=Reason.NOT_SENT)
            case Outcome.UNKNOWN_BOOKED:
                self._book(action)
                self._answer(action.key, 10.0, error="no whole answer within 10 s")
            case Outcome.UNKNOWN_LATE:
                self._later(lambda: self._books_late(action), self.chance.draw() * LATEST, mine=False)
                self._answer(action.key, 10.0, error="reset")
            case Outcome.UNKNOWN_LOST:
                self._answer(action.key, 10.0, error="reset")

    def _answer(self, key: str, wait: float, **answer: object) -> None:
        self._later(lambda: [fp.RedemptionAnswered(self.now, key, **answer)], wait)  # type: ignore[arg-type]

    def _books_late(self, action: SendRedemption) -> list[f.Fact]:
        self._book(action)
        return []

    def _book(self, action: SendRedemption) -> Bought | None:
        item, login = self.items[action.item], next(v.login for v in (OWN, OTHER) if v.id == action.own)
        if self.balance(login) < item.cost or not item.enabled or item.sold_out:
            return None
        self.move(login, -item.cost)
        if item.stock is not None:
            self.items[action.item] = replace(item, stock=item.stock - 1)
        at = self.now + self.ahead
        bought = Bought(f"b{len(self.booked)}", SE, item.id, at, item.name, item.cost, code=f"C-{action.key}")
        self.booked.append((action.key, bought))
        self.booked_as[bought.id] = action.own
        return bought

    def buys_by_hand(self, item: str) -> None:
        """The person, on the website."""
        self._book(SendRedemption("by hand", self.whose.id, SE, ItemId(item), (), ""))

    def balance(self, login: str, at: float | None = None) -> int:
        """What this account has, or had then."""
        moves = self._balances[login]
        return next((points for since, points in reversed(moves) if at is None or since <= at), moves[0][1])

    def move(self, login: str, by: int) -> None:
        """Points come, or go."""
        self._balances[login].append((self.now, self.balance(login) + by))

    @property
    def points(self) -> int:
        """What the first account has."""
        return self.balance(OWN.login)

    @points.setter
    def points(self, points: int) -> None:
        self.move(OWN.login, points - self.points)

    def _check_grounds(self, key: str, own: SeId) -> None:
        """Everything was read since the yes, by this process, and is as it was confirmed; and the row is written."""
        rows = [one.redemption for one in self.disk if isinstance(one, r.RedemptionKept) and one.redemption.key == key]
        row, seen = rows[-1], self.seen
        assert row.state is State.SENT, "the row that says so is on the disk"
        assert not row.dry
        assert (row.account, seen.history_of) == (own, own), "all of one account"
        assert seen.viewer == next(v.login for v in (OWN, OTHER) if v.id == own)
        others = [one for one in self.redemptions().values() if one.key != key]
        since = max([row.asked_at, *(one.settled_at or 0.0 for one in others if one.sent_at is not None)])
        assert min(seen.items_at, seen.balance_at, seen.history_at) >= since
        assert seen.jwt is JwtState.GOOD
        item = next(one for one in seen.items if one.id == row.item)
        assert item.cost == row.cost
        assert item.enabled
        assert not item.sold_out
        assert seen.points >= item.cost
        assert not any(one.state in (State.SENT, State.UNKNOWN) for one in others), "nothing unclear beside it"

    def redemptions(self) -> dict[str, Redemption]:
        return self.core.observed.elements.redemptions
