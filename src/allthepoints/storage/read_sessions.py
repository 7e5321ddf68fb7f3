"""What came of each session: how long it went on, how much of it we were there, and what was earned in it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import apsw

from allthepoints.base.types import Login, StreamId, UserId
from allthepoints.core.model import StreamKind
from allthepoints.storage.folding import BOOKED
from allthepoints.storage.read import Reader
from allthepoints.storage.schema import ALIVE
from allthepoints.storage.writing_points import EARNED, milliseconds

Interval = tuple[float, float]

STARTS = (
    "SELECT started_at FROM sessions WHERE channel = ? AND started_at >= ? AND kind <> ?"
    " ORDER BY started_at DESC LIMIT ?"
)

STARTS_EACH, STARTS_ALL = 150, 4_000
"""So many starts are read of a channel, and of all together: more of them would say nothing new."""


@dataclass(frozen=True, slots=True)
class SessionEarned:
    """One session. `login`, `display`: the channel's of today. Durations in seconds.

    `ended_at` None: not known to be over; it is counted up to the last sign of life. `earned`: from its beginning until
    BOOKED after its end, but not beyond the beginning of the channel's next one. `enabled`, `amount` and `interval`
    are the channel's loyalty settings of now; None where they are not known.
    """

    stream: StreamId
    channel: UserId
    login: Login
    display: str
    kind: str
    title: str
    started_at: float
    ended_at: float | None
    live_s: float
    present_s: float
    earned: int
    enabled: bool | None
    amount: int | None
    interval: float | None


@dataclass(frozen=True, slots=True)
class _Session:
    stream: str
    channel: str
    login: str
    display: str
    kind: str
    title: str
    started_at: float
    ended_at: float | None
    enabled: int | None
    amount: int | None
    interval: float | None


class StartsReader(Reader):
    """`Reader`, and when channels went live."""

    def starts(self, channels: Sequence[UserId], since: float) -> tuple[tuple[UserId, float], ...]:
        """Channels, and when their sessions since then began, the newest of each first; re-runs are none.

        At most STARTS_EACH of a channel, and about STARTS_ALL of all: of those named first.
        """
        return self._read(lambda db: _starts(db, channels, since), ())


def sessions_earned(db: apsw.Connection, channel: UserId | None, since: float | None) -> tuple[SessionEarned, ...]:
    """See `PointsReader.sessions_earned`."""
    alive_at = db.execute("SELECT at FROM service_state WHERE key = ?", (ALIVE,)).get or 0.0
    rows = db.execute(
        "SELECT s.stream, s.channel, coalesce(c.login, s.login), coalesce(c.display, s.display), s.kind, s.title,"
        " s.started_at, s.ended_at, l.enabled, l.amount, l.interval"
        " FROM sessions s LEFT JOIN channels c ON c.id = s.channel LEFT JOIN loyalty l ON l.channel = s.channel"
        " WHERE (?1 IS NULL OR s.channel = ?1) AND (?2 IS NULL OR s.ended_at IS NULL OR s.ended_at >= ?2)"
        " ORDER BY s.channel, s.started_at, s.first_seen",
        (channel, since),
    )
    sessions = [_Session(*row) for row in rows]
    found: list[SessionEarned] = []
    for id_, of_channel in groupby(sessions, key=lambda session: session.channel):
        found += _of_channel(db, id_, list(of_channel), alive_at)
    return tuple(sorted(found, key=lambda session: session.started_at))


def _starts(db: apsw.Connection, channels: Sequence[UserId], since: float) -> tuple[tuple[UserId, float], ...]:
    found: list[tuple[UserId, float]] = []
    for channel in channels:
        rows = db.execute(STARTS, (channel, since, StreamKind.RERUN.value, STARTS_EACH))
        found += ((channel, at) for (at,) in rows)
        if len(found) >= STARTS_ALL:
            break
    return tuple(found)


def _of_channel(db: apsw.Connection, channel: str, sessions: list[_Session], alive_at: float) -> list[SessionEarned]:
    there = present(db, channel, sessions[0].started_at, alive_at)
    ledger = db.execute("SELECT no FROM ledgers WHERE channel = ?", (channel,)).get
    found = []
    for session, later in zip(sessions, [*sessions[1:], None], strict=True):
        end = max(session.started_at, alive_at if session.ended_at is None else session.ended_at)
        until = float("inf") if session.ended_at is None else session.ended_at + BOOKED
        until = min(until, later.started_at) if later is not None else until
        found.append(
            SessionEarned(
                StreamId(session.stream),
                UserId(channel),
                Login(session.login),
                session.display,
                session.kind,
                session.title,
                session.started_at,
                session.ended_at,
                end - session.started_at,
                overlap(there, session.started_at, end),
                _earned(db, ledger, session.started_at, until),
                None if session.enabled is None else bool(session.enabled),
                session.amount,
                session.interval,
            )
        )
    return found


def present(db: apsw.Connection, channel: str, since: float, alive_at: float) -> list[Interval]:
    """When we were there, ascending and apart. A clock that was set back may have made intervals that overlap."""
    rows = db.execute(
        "SELECT began_at, coalesce(ended_at, ?3) FROM presence"
        " WHERE channel = ?1 AND (ended_at IS NULL OR ended_at > ?2) ORDER BY began_at",
        (channel, since, alive_at),
    )
    apart: list[Interval] = []
    for began, ended in rows:
        if apart and began <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(apart[-1][1], ended))
        elif ended > began:
            apart.append((began, ended))
    return apart


def overlap(intervals: list[Interval], begin: float, end: float) -> float:
    """How much of [begin, end) the intervals (ascending and apart) cover."""
    total = 0.0
    for index in range(max(0, bisect_right(intervals, (begin, begin)) - 1), len(intervals)):
        began, ended = intervals[index]
        if began >= end:
            break
        total += max(0.0, min(ended, end) - max(began, begin))
    return total


def _earned(db: apsw.Connection, ledger: int | None, begin: float, end: float) -> int:
    last = 2**62 if end == float("inf") else milliseconds(end)
    return int(
        db.execute(
            "SELECT coalesce(sum(delta), 0) FROM ledger WHERE ledger = ? AND at >= ? AND at < ? AND change = ?",
            (ledger, milliseconds(begin), last, EARNED),
        ).get
    )
