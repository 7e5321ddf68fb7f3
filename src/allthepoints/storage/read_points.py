"""What other processes read of points, stores and redemptions; opened as in `storage.read`.

Times are epoch seconds. Days are not known here: who wants a day's total asks for all since the moment it began.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import apsw

from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core.loyalty import Item, Loyalty
from allthepoints.core.redeem import Redemption
from allthepoints.storage.nouns import ITEM, LOYALTY, REDEMPTION, item_of, loyalty_of, redemption_of
from allthepoints.storage.read import Reader
from allthepoints.storage.read_sessions import SessionEarned, sessions_earned
from allthepoints.storage.sampling import LEAST, sampled
from allthepoints.storage.text import json_strings
from allthepoints.storage.writing_points import CHANGES, EARNED, OPENING, milliseconds

__all__ = ["ChartPoint", "EntryRow", "PointsReader", "PointsRow", "Price", "SessionEarned", "StoreItem"]


@dataclass(frozen=True, slots=True)
class PointsRow:
    """One channel's points. `points` None: never read. `earned_total`: all that was ever earned.

    `verdict`, `rate_per_hour` and `causes` are those that the last run showed; `unknown` where it showed none.
    `enabled`, `amount`, `interval` (seconds): the loyalty settings; None where they were not read or do not say.
    """

    channel: UserId
    login: Login | None
    display: str | None
    se: SeId | None
    currency: str
    points: int | None
    alltime: int | None
    rank: int | None
    watch_minutes: int | None
    seen_at: float | None
    earned_total: int
    rate_per_hour: float | None = None
    verdict: str = "unknown"
    causes: tuple[str, ...] = ()
    enabled: bool | None = None
    amount: int | None = None
    interval: float | None = None


@dataclass(frozen=True, slots=True)
class StoreItem:
    """An item as it was last seen. `gone_at`: since when it is not in the store any more."""

    item: Item
    first_seen: float
    last_changed: float
    gone_at: float | None = None

    @property
    def gone(self) -> bool:
        return self.gone_at is not None


class Price(NamedTuple):
    """From `at` on it cost `cost`."""

    at: float
    cost: int


class ChartPoint(NamedTuple):
    """From `at` on the balance was `points`, until the next one."""

    at: float
    points: int


class EntryRow(NamedTuple):
    """One entry of a ledger: the balance moved by `delta`, to `points`. `change`: a word of `core.records.Change`."""

    channel: UserId
    login: Login | None
    display: str | None
    at: float
    change: str
    delta: int
    points: int


LATEST = 2**63 - 1
"""After every entry, in milliseconds."""

_NOWHERE: tuple[SeId | None, Loyalty | None] = (None, None)


class PointsReader(Reader):
    """`Reader`, and what there is about points. Where there is no database, all answers are empty."""

    def points(self) -> tuple[PointsRow, ...]:
        """Each channel that is at StreamElements, or of which a balance was read; by login."""
        return self._read(_points, ())

    def loyalty(self, channel: UserId) -> tuple[SeId | None, Loyalty | None]:
        """Where the channel is at StreamElements, and its settings; None for what is not known."""
        return self._read(lambda db: _loyalty(db, channel), _NOWHERE)

    def earned(self, since: float) -> Mapping[UserId, int]:
        """What was earned at `since` or later, for each channel where that is anything."""
        return self.earned_each((since,))[0]

    def earned_each(self, sinces: Sequence[float], channel: UserId | None = None) -> tuple[Mapping[UserId, int], ...]:
        """`earned` for several times at once, which costs about as much as for the earliest. Of one channel: less."""
        return self._read(lambda db: _earned(db, sinces, channel), tuple({} for _ in sinces))

    def earned_between(self, edges: Sequence[float], channel: UserId | None = None) -> Mapping[UserId, Sequence[int]]:
        """What each channel earned from one edge (they ascend) up to the next, and from the last one on. SQLite adds it
        up: a week of hundreds of channels has a hundred thousand entries."""
        times = [milliseconds(edge) for edge in edges]
        return self._read(lambda db: dict(_earned_between(db, times, channel)), {})

    def opened(self, since: float, channel: UserId | None = None) -> Mapping[UserId, float]:
        """When each ledger was opened whose first entry at `since` or later is its opening."""
        return self._read(lambda db: _opened(db, since, channel), {})

    def last_earned(self) -> Mapping[UserId, float]:
        """When something was last earned, for each channel where anything ever was."""
        return self._read(_last_earned, {})

    def chart(self, channel: UserId, begin: float, end: float, most: int = 2000) -> tuple[ChartPoint, ...]:
        """The balance as steps in [begin, end), ascending in time: at most `most` points (one below 5 counts as 5).

        The first is at `begin`, with what the balance was then, where that is known. The first and last entry are
        kept, and the lowest and highest of each stretch.
        """
        return self._read(lambda db: _chart(db, channel, begin, end, most), ())

    def store(self, channel: UserId) -> tuple[StoreItem, ...]:
        """All items that were ever seen there, gone ones too, in the store's order."""
        return self._read(lambda db: _store(db, channel), ())

    def stores(self) -> Mapping[UserId, tuple[StoreItem, ...]]:
        """The same of every channel of which an item was ever seen."""
        return self._read(_stores, {})

    def prices(self, channel: UserId, item: ItemId) -> tuple[Price, ...]:
        """What the item cost, in the order in which it was seen; a price stands until the next one."""
        return self._read(lambda db: _prices(db, channel, item), ())

    def changed_prices(self) -> Mapping[tuple[UserId, ItemId], tuple[Price, ...]]:
        """`prices` of each item that ever cost something else."""
        return self._read(_changed_prices, {})

    def redemptions(self, limit: int = 100, channel: UserId | None = None) -> tuple[Redemption, ...]:
        """The newest `limit`, newest first."""
        return self._read(lambda db: _redemptions(db, limit, channel), ())

    def redemption(self, key: str) -> Redemption | None:
        """The one with this key."""
        return self._read(lambda db: _redemption(db, key), None)

    def sessions_earned(self, channel: UserId | None = None, since: float | None = None) -> tuple[SessionEarned, ...]:
        """Sessions that went on at `since` or later, in the order in which they began, with what came of each."""
        return self._read(lambda db: sessions_earned(db, channel, since), ())

    def entries(self, channel: UserId | None = None, since: float | None = None) -> Iterator[EntryRow]:
        """Entries at `since` or later: channel by channel (by login), each in the order in which they were made.

        They are read as they are asked for; it is all of one moment, which ends with the iterator.
        """
        return self._stream(lambda db: _entries(db, channel, since))

    def notes(self) -> Mapping[str, str]:
        """All notes."""
        return self._read(lambda db: dict(db.execute("SELECT key, value FROM notes ORDER BY key")), {})

    def done_at(self, request: int) -> float | None:
        """When the request with this id was done; None: not yet (or there is none)."""
        return self._read(lambda db: _done_at(db, request), None)


def _points(db: apsw.Connection) -> tuple[PointsRow, ...]:
    rows = db.execute(
        f"SELECT k.id, c.login, c.display, {_of('l', LOYALTY)},"  # noqa: S608
        " b.points, b.alltime, b.rank, b.watch_minutes, b.seen_at, coalesce(g.earned, 0),"
        " s.rate_per_hour, s.verdict, s.causes"
        " FROM (SELECT channel AS id FROM loyalty WHERE se IS NOT NULL UNION SELECT channel FROM balances) k"
        " LEFT JOIN channels c ON c.id = k.id"
        " LEFT JOIN loyalty l ON l.channel = k.id"
        " LEFT JOIN balances b ON b.channel = k.id"
        " LEFT JOIN ledgers g ON g.channel = k.id"
        " LEFT JOIN channel_state s ON s.channel = k.id"
        " ORDER BY c.login, k.id"
    )
    return tuple(_points_row(*row) for row in rows)


def _points_row(*row: Any) -> PointsRow:
    id_, login, display, *rest = row
    se, loyalty = loyalty_of(rest[:7])
    points, alltime, rank, watch_minutes, seen_at, earned, rate, verdict, causes = rest[7:]
    return PointsRow(
        id_,
        login,
        display,
        se,
        loyalty.currency if loyalty else Loyalty().currency,
        points,
        alltime,
        rank,
        watch_minutes,
        seen_at,
        earned,
        rate,
        verdict or "unknown",
        () if causes is None else json_strings(causes),
        loyalty.enabled if loyalty else None,
        loyalty.amount if loyalty else None,
        loyalty.interval if loyalty else None,
    )


def _loyalty(db: apsw.Connection, channel: UserId) -> tuple[SeId | None, Loyalty | None]:
    for row in db.execute(f"SELECT {LOYALTY} FROM loyalty WHERE channel = ?", (channel,)):  # noqa: S608
        return loyalty_of(row)
    return _NOWHERE


def _earned(
    db: apsw.Connection, sinces: Sequence[float], only: UserId | None = None
) -> tuple[Mapping[UserId, int], ...]:
    found: tuple[dict[UserId, int], ...] = tuple({} for _ in sinces)
    times = [milliseconds(since) for since in sinces]
    begins = sorted(set(times))
    places = [begins.index(time) for time in times]
    for channel, totals in _earned_between(db, begins, only):
        for into, place in zip(found, places, strict=True):
            if total := sum(totals[place:]):
                into[channel] = total
    return found


def _earned_between(
    db: apsw.Connection, edges: Sequence[int], only: UserId | None
) -> Iterator[tuple[UserId, Sequence[int]]]:
    """Each sum is of one range of the key, so nothing is sorted and no entry is looked at twice."""
    if not edges:
        return iter(())
    of_range = (
        "(SELECT total(e.delta) FROM ledger e WHERE e.ledger = l.no AND e.at >= ?{0} AND e.at < ?{1} AND e.change = ?1)"
    )
    sums = ", ".join(of_range.format(at, at + 1) for at in range(3, 3 + len(edges)))
    rows = db.execute(
        f"SELECT l.channel, {sums} FROM ledgers l WHERE ?2 IS NULL OR l.channel = ?2 ORDER BY l.no",  # noqa: S608
        (EARNED, only, *edges, LATEST),
    )
    return ((UserId(channel), tuple(map(int, totals))) for channel, *totals in rows)


def _opened(db: apsw.Connection, since: float, only: UserId | None) -> Mapping[UserId, float]:
    rows = db.execute(
        "SELECT l.channel, (SELECT CASE e.change WHEN ?1 THEN e.at END FROM ledger e"
        " WHERE e.ledger = l.no AND e.at >= ?2 ORDER BY e.at, e.n LIMIT 1)"
        " FROM ledgers l WHERE ?3 IS NULL OR l.channel = ?3",
        (OPENING, milliseconds(since), only),
    )
    return {UserId(channel): at / 1000 for channel, at in rows if at is not None}


def _last_earned(db: apsw.Connection) -> Mapping[UserId, float]:
    """Nearly every entry is of something earned, so few are looked at."""
    rows = db.execute(
        "SELECT g.channel,"
        " (SELECT e.at FROM ledger e WHERE e.ledger = g.no AND e.change = ? ORDER BY e.at DESC LIMIT 1)"
        " FROM ledgers g",
        (EARNED,),
    )
    return {UserId(channel): at / 1000 for channel, at in rows if at is not None}


def _chart(db: apsw.Connection, channel: UserId, begin: float, end: float, most: int) -> tuple[ChartPoint, ...]:
    first, last = milliseconds(begin), milliseconds(end)
    no = db.execute("SELECT no FROM ledgers WHERE channel = ?", (channel,)).get
    rows = db.execute(
        "SELECT at, points FROM ledger WHERE ledger = ? AND at >= ? AND at < ? ORDER BY at, n", (no, first, last)
    )
    steps = [(at, points) for at, points in rows]
    before = db.execute(
        "SELECT points FROM ledger WHERE ledger = ? AND at < ? ORDER BY at DESC, n DESC LIMIT 1", (no, first)
    ).get
    head = () if before is None else (ChartPoint(begin, before),)
    return (*head, *(ChartPoint(at / 1000, points) for at, points in sampled(steps, max(LEAST + 1, most) - len(head))))


def _store(db: apsw.Connection, channel: UserId) -> tuple[StoreItem, ...]:
    rows = db.execute(
        f"SELECT {ITEM}, first_seen, last_changed, gone_at FROM items WHERE channel = ? ORDER BY place, item",  # noqa: S608
        (channel,),
    )
    return tuple(StoreItem(item_of(row[:-3]), *row[-3:]) for row in rows)


def _stores(db: apsw.Connection) -> Mapping[UserId, tuple[StoreItem, ...]]:
    found: dict[UserId, list[StoreItem]] = {}
    for channel, *row in db.execute(
        f"SELECT channel, {ITEM}, first_seen, last_changed, gone_at FROM items ORDER BY channel, place, item"  # noqa: S608
    ):
        found.setdefault(UserId(channel), []).append(StoreItem(item_of(row[:-3]), *row[-3:]))
    return {channel: tuple(items) for channel, items in found.items()}


def _prices(db: apsw.Connection, channel: UserId, item: ItemId) -> tuple[Price, ...]:
    rows = db.execute("SELECT at, cost FROM prices WHERE channel = ? AND item = ? ORDER BY id", (channel, item))
    return tuple(Price(*row) for row in rows)


def _changed_prices(db: apsw.Connection) -> Mapping[tuple[UserId, ItemId], tuple[Price, ...]]:
    found: dict[tuple[UserId, ItemId], list[Price]] = {}
    for channel, item, at, cost in db.execute("SELECT channel, item, at, cost FROM prices ORDER BY channel, item, id"):
        found.setdefault((UserId(channel), ItemId(item)), []).append(Price(at, cost))
    return {key: tuple(prices) for key, prices in found.items() if len(prices) > 1}


def _redemptions(db: apsw.Connection, limit: int, channel: UserId | None) -> tuple[Redemption, ...]:
    where, values = ("", ()) if channel is None else ("WHERE channel = ?", (channel,))
    rows = db.execute(
        f"SELECT {REDEMPTION} FROM redemptions {where} ORDER BY id DESC LIMIT ?",  # noqa: S608
        (*values, max(0, limit)),
    )
    return tuple(redemption_of(row) for row in rows)


def _redemption(db: apsw.Connection, key: str) -> Redemption | None:
    for row in db.execute(f"SELECT {REDEMPTION} FROM redemptions WHERE key = ?", (key,)):  # noqa: S608
        return redemption_of(row)
    return None


def _entries(db: apsw.Connection, channel: UserId | None, since: float | None) -> Iterator[EntryRow]:
    ledgers = db.execute(
        "SELECT g.no, g.channel, c.login, c.display FROM ledgers g LEFT JOIN channels c ON c.id = g.channel"
        " WHERE ?1 IS NULL OR g.channel = ?1 ORDER BY c.login, g.channel",
        (channel,),
    )
    begin = -(2**63) if since is None else milliseconds(since)
    for no, id_, login, display in list(ledgers):
        for at, change, delta, points in db.execute(
            "SELECT at, change, delta, points FROM ledger WHERE ledger = ? AND at >= ? ORDER BY n", (no, begin)
        ):
            yield EntryRow(id_, login, display, at / 1000, CHANGES[change].value, delta, points)


def _done_at(db: apsw.Connection, request: int) -> float | None:
    at = db.execute("SELECT done_at FROM requests WHERE id = ?", (request,)).get
    return None if at is None else float(at)


def _of(table: str, columns: str) -> str:
    return ", ".join(f"{table}.{column}" for column in columns.split(", "))
