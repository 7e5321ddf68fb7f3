"""What came of every channel, and what can be had there next: beside the rows of a table of channels."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING

from allthepoints.base.types import UserId
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.channels import Gain
from allthepoints.views.earned import read_points
from allthepoints.views.points import Points
from allthepoints.views.wished import Wished, first_wishes, how_soon, read_wishes, wish_line

if TYPE_CHECKING:
    from allthepoints.config.settings import Settings


def read_gains(reader: PointsReader, settings: Settings, now: float, zone: tzinfo) -> dict[UserId, Gain]:
    """Of each channel where anything is known. Reads a week of every ledger: dear where channels are many."""
    points = {row.id: row for row in read_points(reader, now, zone, with_month=False)}
    wishes = first_wishes(read_wishes(reader, settings, now))
    return {id_: _gain(points.get(id_), wishes.get(id_), now) for id_ in points | wishes}


def _gain(points: Points | None, wish: Wished | None, now: float) -> Gain:
    next_, soon = ("", Gain().soon) if wish is None else (wish_line(wish, now), how_soon(wish))
    if points is None:
        return Gain(next=next_, soon=soon)
    return Gain(points.earned_today, points.earned_7d, points.earned_at, next_, soon, points.bars)
