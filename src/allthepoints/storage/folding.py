"""Old earnings are folded, so that a year of a hundred channels stays small.

Theory. Of the last KEPT seconds every entry stays as it was made. Of what is older, the EARNED entries of one channel
in the same hour (UTC) become one: their sum, with number, time and points of the last of them. All others stay. So
every sum over the ledger, and over any stretch of whole hours, is what it was.

A session's earnings also stay what they were: no fold reaches over the times at which a session's earnings begin and
end.

Folding is done a day of a channel at a time, in the transaction of whatever is recorded next, and at most about AT_ONCE
entries a transaction. `ledgers.folded` tells how far a channel has come.
"""

from __future__ import annotations

from bisect import bisect_right

import apsw

from allthepoints.storage.writing_points import DAY_MS, EARNED, milliseconds

KEPT = 35 * 86_400.0
"""Seconds. More than the 30 days of which a person sees totals that begin at any minute."""

AT_ONCE = 1_000
"""Entries looked at in one transaction: about two milliseconds."""

BOOKED = 900.0
"""Seconds after a session's end in which a rise still counts as earned in it: the list of viewers lags up to 5 minutes,
the next payment comes up to 10 later."""

_HOUR_MS = 3_600_000


def fold(db: apsw.Connection, at: float) -> None:
    """Fold what has become old. Where nothing is due, one look at an index."""
    limit = milliseconds(at - KEPT)
    limit -= limit % DAY_MS
    room = AT_ONCE
    while room > 0 and (due := _due(db, limit)) is not None:
        ledger, channel, begin = due
        first = db.execute(
            "SELECT at FROM ledger WHERE ledger = ? AND at >= ? AND at < ? ORDER BY at LIMIT 1", (ledger, begin, limit)
        ).get
        end = limit if first is None else first - first % DAY_MS + DAY_MS
        if first is not None:
            room -= _fold_day(db, ledger, channel, end - DAY_MS)
        db.execute("UPDATE ledgers SET folded = ? WHERE no = ?", (end, ledger))
        room -= 1


def _due(db: apsw.Connection, limit: int) -> tuple[int, str, int] | None:
    for no, channel, folded in db.execute(
        "SELECT no, channel, folded FROM ledgers WHERE folded < ? ORDER BY folded LIMIT 1", (limit,)
    ):
        return no, channel, folded
    return None


def _fold_day(db: apsw.Connection, ledger: int, channel: str, begin: int) -> int:
    """Fold the day that begins at `begin`; answers how many entries it had."""
    borders, seen = _borders(db, channel, begin, begin + DAY_MS), 0
    hours: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for at, n, delta in db.execute(
        "SELECT at, n, delta FROM ledger WHERE ledger = ? AND at >= ? AND at < ? AND change = ?",
        (ledger, begin, begin + DAY_MS, EARNED),
    ):
        seen += 1
        hours.setdefault((at // _HOUR_MS, bisect_right(borders, at)), []).append((n, at, delta))
    for entries in hours.values():
        if len(entries) > 1:
            _fold_hour(db, ledger, entries)
    return seen


def _fold_hour(db: apsw.Connection, ledger: int, entries: list[tuple[int, int, int]]) -> None:
    last = max(entries)
    db.executemany(
        "DELETE FROM ledger WHERE ledger = ? AND at = ? AND n = ?",
        [(ledger, at, n) for n, at, _ in entries if n != last[0]],
    )
    total = sum(delta for _, _, delta in entries)
    db.execute("UPDATE ledger SET delta = ? WHERE ledger = ? AND at = ? AND n = ?", (total, ledger, last[1], last[0]))


def _borders(db: apsw.Connection, channel: str, begin: int, end: int) -> list[int]:
    """The times in [begin, end) at which a session's earnings begin or end, ascending."""
    times: list[int] = []
    for started_at, ended_at in db.execute(
        "SELECT started_at, ended_at FROM sessions WHERE channel = ? AND started_at < ?"
        " AND (ended_at IS NULL OR ended_at >= ?)",
        (channel, end / 1000, begin / 1000 - BOOKED),
    ):
        times.append(milliseconds(started_at))
        if ended_at is not None:
            times.append(milliseconds(ended_at + BOOKED))
    return sorted(at for at in times if begin <= at < end)
