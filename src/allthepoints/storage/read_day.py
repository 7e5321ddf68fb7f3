"""What happened in a stretch of time, summed up: for the day's digest. Opened as in `storage.read`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import apsw

from allthepoints.core.loyalty import Loyalty
from allthepoints.core.redeem import State
from allthepoints.storage.read import Reader
from allthepoints.storage.read_sessions import overlap, present
from allthepoints.storage.schema import ALIVE
from allthepoints.storage.writing_points import EARNED, milliseconds


@dataclass(frozen=True, slots=True)
class Earned:
    """What one channel paid. `login` and `display`: those of today."""

    login: str | None
    display: str | None
    currency: str
    points: int


@dataclass(frozen=True, slots=True)
class Day:
    """Sums of a stretch of time. Durations in seconds.

    `earned`: the most first. `live_s`: of all sessions together, and `present_s` of it we were there. `bought`: how
    many redemptions were accepted. `events`: how often each kind of event was told.
    """

    earned: tuple[Earned, ...] = ()
    live_s: float = 0.0
    present_s: float = 0.0
    sessions: int = 0
    bought: int = 0
    events: Mapping[str, int] | None = None


class DayReader(Reader):
    """`Reader`, and the sums of a stretch of time."""

    def day(self, since: float, until: float) -> Day:
        """What happened in [since, until)."""
        return self._read(lambda db: _day(db, since, until), Day())


def _day(db: apsw.Connection, since: float, until: float) -> Day:
    live_s, present_s, sessions = _live(db, since, until)
    bought = db.execute(
        "SELECT count(*) FROM redemptions WHERE state = ? AND settled_at >= ? AND settled_at < ?",
        (State.ACCEPTED.value, since, until),
    ).get
    events = dict(
        db.execute("SELECT kind, count(*) FROM events WHERE at >= ? AND at < ? GROUP BY kind", (since, until))
    )
    return Day(_earned(db, since, until), live_s, present_s, sessions, bought, events)


def _earned(db: apsw.Connection, since: float, until: float) -> tuple[Earned, ...]:
    rows = db.execute(
        "SELECT c.login, c.display, coalesce(y.currency, ?), total(e.delta) AS points"
        " FROM ledgers l CROSS JOIN ledger e LEFT JOIN channels c ON c.id = l.channel"
        " LEFT JOIN loyalty y ON y.channel = l.channel"
        " WHERE e.ledger = l.no AND e.at >= ? AND e.at < ? AND e.change = ?"
        " GROUP BY l.no HAVING points > 0 ORDER BY points DESC, c.login",
        (Loyalty().currency, milliseconds(since), milliseconds(until), EARNED),
    )
    return tuple(Earned(login, display, currency, int(points)) for login, display, currency, points in rows)


def _live(db: apsw.Connection, since: float, until: float) -> tuple[float, float, int]:
    """Sessions that are not over are counted up to the last sign of life."""
    alive_at = db.execute("SELECT at FROM service_state WHERE key = ?", (ALIVE,)).get or 0.0
    rows = db.execute(
        "SELECT channel, max(started_at, ?1), min(coalesce(ended_at, ?3), ?2) FROM sessions"
        " WHERE started_at < ?2 AND (ended_at IS NULL OR ended_at > ?1)",
        (since, until, alive_at),
    )
    live_s, present_s, sessions = 0.0, 0.0, 0
    for channel, began, ended in list(rows):
        if ended > began:
            sessions += 1
            live_s += ended - began
            present_s += overlap(present(db, channel, began, alive_at), began, ended)
    return live_s, present_s, sessions
