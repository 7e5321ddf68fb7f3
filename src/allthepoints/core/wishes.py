"""Wishes: which item is meant, whether it can be had, what of it is news, and what may be bought without asking.

Theory of the news. A person wants to hear once that an item can be had, has come back, became cheaper or is gone; and
not again each time a store is opened with the stream and closed after it. So what was told is remembered (`Told`), and:

- *obtainable* is told when it becomes so, and again only after something other than a closed store stood in between:
  too few points, sold out, gone, a long cooldown of our own. Points that go up and down around the price tell it once
  an hour at most.
- *back* is told of an item that was sold out or gone. One that was merely disabled was away only if that lasted for
  an hour, and that is told once a week at most: a store that closes every night opens every evening.
- *cheaper* compares with the price as it was last seen while the item could be looked at.
- One look tells one thing: obtainable says more than back, and back more than cheaper.

`Told` fits into a short text, so that a restart tells nothing twice. It changes only when something happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from allthepoints.base.types import ItemId, UserId
from allthepoints.core.loyalty import Item
from allthepoints.core.policy import Wish
from allthepoints.core.records import EventKind

REST = 3600.0
"""Seconds: a shorter closing, cooldown or lack of points is no news when it ends."""

SELDOM = 7 * 86_400.0
"""Seconds between two news of an item for no other reason than that it is enabled again."""


class Within(StrEnum):
    """Whether a wish is within reach, or what stands before it."""

    OBTAINABLE = "obtainable"
    NOT_ENOUGH = "not_enough_points"
    COOLING_DOWN = "cooling_down"
    SOLD_OUT = "sold_out"
    DISABLED = "disabled"
    NOT_ON_WEBSITE = "not_on_website"
    GONE = "gone"
    UNREAD = "unread"
    """The balance was not read yet."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a wish stands. `missing`: points to the price. `ready_at`: the end of our own cooldown (epoch seconds).

    `subscribers_only` is no obstacle, for we may be one: StreamElements knows. It is said, though.
    """

    within: Within
    item: Item | None = None
    missing: int = 0
    ready_at: float | None = None

    @property
    def subscribers_only(self) -> bool:
        return self.item is not None and self.item.subscriber_only


def find(wish: Wish, items: Mapping[ItemId, Item]) -> Item | None:
    """The item that a wish names, by id, else by its exact name. Of several: an enabled one, the cheapest."""
    if (item := items.get(ItemId(wish.item))) is not None:
        return item
    named = (item for item in items.values() if item.name == wish.item)
    return min(named, key=lambda item: (not item.enabled, item.cost, item.id), default=None)


def standing(item: Item | None, points: int | None, now: float, bought_at: float | None = None) -> Standing:
    """How a wish for `item` stands. `points`: our balance, None: not read. `bought_at`: when we last bought it.

    Others' redemptions start an item's global cooldown too, but of those nobody tells us.
    """
    if item is None:
        return Standing(Within.GONE)
    missing = max(0, item.cost - (points or 0))
    cooldown = max(item.cooldown_user, item.cooldown_global)
    ready_at = bought_at + cooldown if bought_at is not None and now < bought_at + cooldown else None
    return Standing(_within(item, points, ready_at), item, missing, ready_at)


def eta(missing: int, rate_per_hour: float | None) -> float | None:
    """Seconds of presence until so many points more are there; None: nobody knows."""
    if missing <= 0:
        return 0.0
    return missing * 3600.0 / rate_per_hour if rate_per_hour else None


# -- news ----------------------------------------------------------------------------------------------------------
class Away(StrEnum):
    """Why an item could not be looked at, or had by anybody."""

    NO = "-"
    DISABLED = "disabled"
    SOLD_OUT = "sold_out"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Told:
    """What a person knows of a wish. Times in whole epoch seconds, 0: never. `cost` -1: never seen.

    `had`: they know that it can be had. `away`: and since when it is so, or last was. `told_at`: when obtainable was
    last told; `opened_at`: when an item was last news only for being enabled again.
    """

    cost: int = -1
    had: bool = False
    away: Away = Away.NO
    away_at: int = 0
    told_at: int = 0
    opened_at: int = 0

    def __str__(self) -> str:
        return f"{self.cost} {self.had:d} {self.away} {self.away_at} {self.told_at} {self.opened_at}"


def note_key(channel: UserId, wish: Wish) -> str:
    """The key of the note that keeps what was told of a wish."""
    return f"wish:{channel}:{wish.item}"


def told(note: str | None) -> Told | None:
    """What a note says was told; None where there is none, or one that cannot be read."""
    try:
        cost, had, away, *times = (note or "").split()
        away_at, told_at, opened_at = map(int, times)
        return Told(int(cost), bool(int(had)), Away(away), away_at, told_at, opened_at)
    except ValueError:
        return None


def changes(before: Told | None, now: float, stands: Standing) -> tuple[Told, EventKind | None]:
    """What is news of a wish as it stands now, and what the person knows thereafter.

    `before` None: nothing was told yet. Until the balance is read nothing of what is in the store is news.
    """
    known = before or Told()
    away = _AWAY.get(stands.within, Away.NO)
    if away is not Away.NO:
        return _gone_away(known, away, int(now))
    if stands.within is Within.UNREAD:
        return known, None
    assert stands.item is not None, "what is gone was answered above"
    cheaper = stands.item.cost < known.cost
    back, opened = _came_back(known, now)
    after = replace(known, cost=stands.item.cost, away=Away.NO)
    if _hidden(stands):
        after = replace(after, had=False)
    if stands.within is Within.OBTAINABLE and (back or not known.had) and (back or _rested(known, now)):
        after = replace(after, had=True, told_at=int(now))
        news: EventKind | None = EventKind.WISH_OBTAINABLE
    else:
        news = EventKind.WISH_BACK if back else EventKind.WISH_CHEAPER if cheaper else None
    return (replace(after, opened_at=int(now)) if opened else after), news


def _within(item: Item, points: int | None, ready_at: float | None) -> Within:
    if not item.on_website:
        return Within.NOT_ON_WEBSITE
    if not item.enabled:
        return Within.DISABLED
    if item.sold_out:
        return Within.SOLD_OUT
    if points is None:
        return Within.UNREAD
    if points < item.cost:
        return Within.NOT_ENOUGH
    return Within.OBTAINABLE if ready_at is None else Within.COOLING_DOWN


_AWAY = {
    Within.GONE: Away.GONE,
    Within.SOLD_OUT: Away.SOLD_OUT,
    Within.DISABLED: Away.DISABLED,
    Within.NOT_ON_WEBSITE: Away.DISABLED,
}

_GRAVITY = list(Away)
"""What says more stays: an item that was sold out and is then disabled was sold out."""


def _gone_away(known: Told, away: Away, now: int) -> tuple[Told, EventKind | None]:
    if _GRAVITY.index(away) <= _GRAVITY.index(known.away):
        return known, None
    news = EventKind.WISH_GONE if away is Away.GONE else None
    had = known.had and away is Away.DISABLED
    return replace(known, had=had, away=away, away_at=now), news


def _came_back(known: Told, now: float) -> tuple[bool, bool]:
    """Whether it is back, and whether only because it is enabled again."""
    if known.away is Away.DISABLED:
        opened = now - known.away_at >= REST and now - known.opened_at >= SELDOM
        return opened, opened
    return known.away is not Away.NO, False


def _hidden(stands: Standing) -> bool:
    """Whether it is out of our own reach, so that its end is news."""
    item = stands.item
    assert item is not None
    slow = max(item.cooldown_user, item.cooldown_global) >= REST
    return stands.within is Within.NOT_ENOUGH or (stands.within is Within.COOLING_DOWN and slow)


def _rested(known: Told, now: float) -> bool:
    """Whether obtainable was not told a moment ago. A clock that was set back does not silence it for long."""
    return not 0 <= now - known.told_at < REST


# -- buying without asking -----------------------------------------------------------------------------------------
class Hold(StrEnum):
    """Why a wish is not bought without asking."""

    NOT_AUTO = "not_auto"
    NO_MAX_COST = "no_max_cost"
    TOO_DEAR = "too_dear"
    COUNT = "count"
    """As many as wanted were bought."""
    PER_DAY = "per_day"
    KEEP = "keep"
    """Fewer points would be left than are to be kept."""
    ASKS = "asks"
    """The item asks something, and only a person can answer."""


def hold(wish: Wish, item: Item, points: int, bought_today: int, bought_count: int) -> Hold | None:
    """Why `item` is not bought for a wish without asking; None: it may be, if it can be had.

    `bought_today`: points that this wish spent in the last 24 hours; `bought_count`: how many it bought in all. Both
    count what is on its way or unclear as bought.
    """
    if not wish.auto:
        return Hold.NOT_AUTO
    if wish.max_cost is None:
        return Hold.NO_MAX_COST
    if item.cost > wish.max_cost:
        return Hold.TOO_DEAR
    if bought_count >= wish.count:
        return Hold.COUNT
    if wish.per_day is not None and bought_today + item.cost > wish.per_day:
        return Hold.PER_DAY
    if points - item.cost < max(0, wish.keep):
        return Hold.KEEP
    return Hold.ASKS if item.asks else None


def may_buy(wish: Wish, item: Item, points: int, bought_today: int, bought_count: int) -> bool:
    """Whether a wish allows that `item` is bought without asking now. Whether it can be had, `standing` says."""
    return hold(wish, item, points, bought_today, bought_count) is None
