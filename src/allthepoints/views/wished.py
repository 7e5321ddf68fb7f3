"""Wishes and how each stands, read back from the memory: for every face that shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from allthepoints.base.types import UserId
from allthepoints.config.policy import policy
from allthepoints.core.loyalty import Item
from allthepoints.core.policy import Wish
from allthepoints.core.redeem import Redemption, State
from allthepoints.core.wishes import Hold, Standing, Within, eta, find, hold, standing
from allthepoints.storage.read_points import PointsReader, PointsRow
from allthepoints.views.plain import Field, Shape, one_of
from allthepoints.views.text import DAY, clean, duration, number, when
from allthepoints.views.wishes import WITHIN
from allthepoints.views.words import told

if TYPE_CHECKING:
    from allthepoints.config.settings import Settings

MOST = 10_000


@dataclass(frozen=True, slots=True)
class Wished:
    """A wish, and how it stands. `channel`, `row` and `stands` None: its channel's store is not known here."""

    wish: Wish
    channel: UserId | None
    stands: Standing | None
    row: PointsRow | None
    held: str | None

    @property
    def eta_s(self) -> float | None:
        """Seconds of presence until the points are there; None: nobody knows, or it is not the points that miss."""
        if self.stands is None or self.stands.within is not Within.NOT_ENOUGH or self.row is None:
            return None
        return eta(self.stands.missing, self.row.rate_per_hour)

    @property
    def item(self) -> Item | None:
        """What is wished for, where its store is known and has it."""
        return None if self.stands is None else self.stands.item


WISHED: Shape[Wished] = Shape(
    "A wish",
    "`wish --json`, `wish list --json`: a list",
    (
        Field("channel", "str", "Whose store: the login, as the config names it.", lambda one: one.wish.channel),
        Field("item", "str", "The item's id or name, as the config names it.", lambda one: one.wish.item),
        Field(
            "item_id", "str|null", "Its id; `null`: not found.", lambda one: None if one.item is None else one.item.id
        ),
        Field("name", "str|null", "Its name in the store.", lambda one: None if one.item is None else one.item.name),
        Field("cost", "int|null", "Its price.", lambda one: None if one.item is None else one.item.cost),
        Field(
            "standing",
            one_of(Within),
            "`obtainable`, or what stands before it. `unread`: its store or your balance was not read yet.",
            lambda one: Within.UNREAD.value if one.stands is None else one.stands.within.value,
        ),
        Field(
            "missing",
            "int|null",
            "Points to the price.",
            lambda one: None if one.stands is None else one.stands.missing,
        ),
        Field(
            "eta_s",
            "int|null",
            "Seconds until they are there at the present rate; `null`: nobody can say.",
            lambda one: None if one.eta_s is None else int(one.eta_s),
        ),
        Field("auto", "bool", "It may be redeemed without asking.", lambda one: one.wish.auto),
        Field("max_cost", "int|null", "Then the most that one may cost.", lambda one: one.wish.max_cost),
        Field("per_day", "int|null", "Then points to spend on it in 24 hours.", lambda one: one.wish.per_day),
        Field("keep", "int", "Then points that are always left.", lambda one: one.wish.keep),
        Field("count", "int", "Then how many in all.", lambda one: one.wish.count),
        Field(
            "held",
            f"{one_of(hold for hold in Hold if hold is not Hold.NOT_AUTO)}|null",
            "Why it is not redeemed without asking, as it is now.",
            lambda one: one.held,
        ),
    ),
)


def read_wishes(reader: PointsReader, settings: Settings, now: float) -> list[Wished]:
    """The config's wishes, in its order."""
    wishes = policy(settings).wishes
    if not wishes:
        return []
    rows = {row.channel: row for row in reader.points()}
    bought = reader.redemptions(MOST)
    found = []
    for wanted in wishes:
        channel = reader.named(wanted.channel)
        store = () if channel is None else reader.store(channel)
        row = None if channel is None else rows.get(channel)
        item = find(wanted, {one.item.id: one.item for one in store if not one.gone})
        mine = [r for r in bought if item is not None and r.channel == channel and r.item == item.id]
        points = None if row is None else row.points
        stands = standing(item, points, now, _last(mine)) if store else None
        found.append(Wished(wanted, channel, stands, row, _held(wanted, item, points, mine, now)))
    return found


def wish_when(one: Wished, now: float) -> str:
    """When a wish can be had: `now`, `in about 3 h 20 min`, or what stands before it."""
    if one.stands is None:
        return "the store was not read yet"
    if one.eta_s is not None:
        return f"in about {duration(one.eta_s)}"
    if one.stands.within is Within.NOT_ENOUGH:
        return f"{number(one.stands.missing)} missing"
    if one.stands.ready_at is not None:
        return f"{when(one.stands.ready_at, now)}"
    return told(WITHIN, one.stands.within)


def first_wishes(wishes: Iterable[Wished]) -> dict[UserId, Wished]:
    """Of each channel the wish that can be had first; those of stores that are not known are left out."""
    first: dict[UserId, Wished] = {}
    for wished in sorted(wishes, key=how_soon):
        if wished.channel is not None and wished.stands is not None:
            first.setdefault(wished.channel, wished)
    return first


def how_soon(wished: Wished) -> tuple[int, float]:
    """The lower the sooner: now, in a time that is known, when so many more points are there, unknown."""
    if wished.stands is None:
        return 3, 0.0
    if wished.stands.within is Within.OBTAINABLE:
        return 0, 0.0
    eta_s = wished.eta_s
    return (1, eta_s) if eta_s is not None else (2, float(wished.stands.missing))


def wish_line(one: Wished, now: float) -> str:
    """When, and what: `now: Hydrate`, `in about 4 d 9 h: VIP`."""
    item = None if one.stands is None else one.stands.item
    what = clean(item.name) or item.id if item is not None else clean(one.wish.item)
    return f"{wish_when(one, now)}: {what}"


def _last(bought: list[Redemption]) -> float | None:
    return max((r.settled_at or r.asked_at for r in bought if r.state is State.ACCEPTED), default=None)


def _held(wanted: Wish, item: Item | None, points: int | None, bought: list[Redemption], now: float) -> str | None:
    """Why it is not redeemed by itself; None: it will be, or nothing can be said."""
    if item is None or not wanted.auto:
        return None
    spent = [r for r in bought if r.auto and r.state not in (State.REJECTED, State.CHECKED)]
    today = sum(r.cost for r in spent if r.asked_at > now - DAY)
    enough = item.cost if points is None else max(points, item.cost + wanted.keep)  # too few points is no refusal
    held = hold(wanted, item, enough, today, len(spent))
    return None if held is None else held.value
