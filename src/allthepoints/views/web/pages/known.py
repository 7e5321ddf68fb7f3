"""What pages read of the memory, and keep while nothing of it can have changed.

Many pages may listen, and each turn may change a row of each. What the database says of all channels is read once for
all of them, and anew only when the config changed or a minute went by; of channels whose balance moved, sooner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from weakref import WeakKeyDictionary

from allthepoints.base.types import UserId
from allthepoints.config.settings import Settings
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.earned import read_points
from allthepoints.views.points import Points
from allthepoints.views.web.board import Board
from allthepoints.views.wished import Wished, first_wishes, read_wishes

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Known:
    """Points by channel, without `earned_30d`, and the wishes. `next`: of each channel the wish that can be had
    first."""

    points: Mapping[UserId, Points] = field(default_factory=dict)
    wishes: tuple[Wished, ...] = ()
    next: Mapping[UserId, Wished] = field(default_factory=dict)

    @property
    def today(self) -> int:
        return sum(row.earned_today for row in self.points.values())

    @property
    def week(self) -> int:
        return sum(row.earned_7d for row in self.points.values())


FEW = 8
"""Balances that moved: so many are read one by one, more of them all at once."""


@dataclass(slots=True)
class _Kept:
    key: object = None
    moved: Mapping[UserId, int | None] = field(default_factory=dict)
    """The balance of each channel when it was read."""
    known: Known = field(default_factory=Known)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


_kept: WeakKeyDictionary[Board, _Kept] = WeakKeyDictionary()


async def known(board: Board) -> Known:
    """What the memory knows of all channels. Raises FaultError."""
    kept = _kept.setdefault(board, _Kept())
    async with kept.lock:
        snapshot, settings, now, zone = board.snapshot(), board.settings(), board.now(), board.zone
        rows = () if snapshot is None else snapshot.rows.values()
        balances = {row.id: row.points for row in rows}
        key = None if snapshot is None else snapshot.wishes, settings, now // MINUTE
        moved = [id_ for id_, points in balances.items() if kept.moved.get(id_) != points]
        if kept.key != key or len(moved) > FEW:
            kept.known = await board.read(lambda reader: _read(reader, settings, now, zone))
        elif moved:
            before = kept.known
            kept.known = await board.read(lambda reader: _read_of(reader, moved, before, settings, now, zone))
        kept.key, kept.moved = key, balances
        return kept.known


def _read(reader: PointsReader, settings: Settings, now: float, zone: tzinfo) -> Known:
    points = {row.id: row for row in read_points(reader, now, zone, with_month=False)}
    return _with_wishes(reader, points, settings, now)


def _read_of(
    reader: PointsReader, moved: Iterable[UserId], before: Known, settings: Settings, now: float, zone: tzinfo
) -> Known:
    """A week of hundreds of channels takes long to read, and their balances move one by one."""
    fresh = {row.id: row for id_ in moved for row in read_points(reader, now, zone, only=id_, with_month=False)}
    return _with_wishes(reader, {**before.points, **fresh}, settings, now)


def _with_wishes(reader: PointsReader, points: Mapping[UserId, Points], settings: Settings, now: float) -> Known:
    wishes = tuple(read_wishes(reader, settings, now))
    return Known(points, wishes, first_wishes(wishes))
