"""What is said where no channel is live: who usually starts next, and when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from pathlib import Path

from allthepoints.base.errors import FaultError
from allthepoints.core.usual import LOOKED_BACK, Usual, usual_next
from allthepoints.ports import ChannelRow
from allthepoints.storage.read_sessions import StartsReader
from allthepoints.views.text import local, name

KEPT = 60.0
"""Seconds for which what was read is said again: habits do not change while nobody is live, but times pass."""


def read_usual(database: Path, rows: Iterable[ChannelRow], now: float, zone: tzinfo) -> str:
    """A sentence, or nothing where no habit is known. Raises FaultError.

    Of the channels whose next session would be one for the account: none that is live already, paused, excluded or
    closed to it.
    """
    return _said(_found(database, rows, now, zone), now, zone)


def _found(database: Path, rows: Iterable[ChannelRow], now: float, zone: tzinfo) -> tuple[Usual, ChannelRow] | None:
    meant = {row.id: row for row in rows if not row.live and row.state != "refused" and row.reason not in _NOT_MEANT}
    found = usual_next(StartsReader(database).starts(tuple(meant), now - LOOKED_BACK), now, zone)
    return None if found is None else (found, meant[found.channel])


def _said(found: tuple[Usual, ChannelRow] | None, now: float, zone: tzinfo) -> str:
    return "" if found is None or found[0].at <= now else usual_line(*found, now, zone)


def usual_line(usual: Usual, row: ChannelRow, now: float, zone: tzinfo) -> str:
    """`Alpha usually starts about 19:00 today.`"""
    there = local(usual.at, zone)
    days = (there.date() - local(now, zone).date()).days
    day = "today" if days <= 0 else "tomorrow" if days == 1 else f"{'on' if days < 7 else 'next'} {there:%A}"
    return f"{name(row.display, row.login)} usually starts about {there:%H:%M} {day}."


class Outlook:
    """The same for a face that stays: read when nobody is live, and anew after a while."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._read_at: float | None = None
        self._found: tuple[Usual, ChannelRow] | None = None

    def said(self, now: float, zone: tzinfo) -> str:
        """What was found last, in the words of now: at midnight "tomorrow" becomes "today"."""
        return _said(self._found, now, zone)

    def due(self, nobody_live: bool, now: float) -> bool:
        """Whether to `look` now; it is due to one that asks. While somebody is live there is nothing to say, and what
        was said is forgotten."""
        if not nobody_live:
            self._read_at = self._found = None
            return False
        if self._read_at is not None and 0.0 <= now - self._read_at < KEPT:
            return False
        self._read_at = now
        return True

    def look(self, rows: Iterable[ChannelRow], now: float, zone: tzinfo) -> None:
        """Read it. A memory that cannot be read says nothing of it: that is told elsewhere."""
        try:
            self._found = _found(self._database, rows, now, zone)
        except FaultError:
            self._found = None


_NOT_MEANT = frozenset({"paused", "excluded"})
