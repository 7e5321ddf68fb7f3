"""What the database gives back of points at start: purses, redemptions, notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import apsw

from allthepoints.base.types import UserId
from allthepoints.core.ledger import WINDOW
from allthepoints.core.loyalty import Item
from allthepoints.core.records import LedgerEntry, PurseKept
from allthepoints.core.redeem import KEPT, Redemption
from allthepoints.storage.nouns import (
    BALANCE,
    ITEM,
    LOYALTY,
    REDEMPTION,
    balance_of,
    item_of,
    loyalty_of,
    redemption_of,
)
from allthepoints.storage.writing_points import CHANGES, milliseconds

REDEMPTIONS_KEPT = KEPT
"""Seconds before the last sign of life, or before the last redemption where the clock ran ahead since. What was asked
since then is given back even though it is settled: so that a key which comes again is known, and a day's budget counts
what was spent."""

OPEN = "state NOT IN ('accepted', 'rejected', 'checked')"
"""Not settled: in the words of the index `redemptions_open`."""


_PRESENT = (
    "SELECT total(ended_at - max(began_at, ?2)), coalesce(max(ended_at), 0.0) FROM presence"
    " WHERE channel = ?1 AND ended_at > ?2"
)


def purses(db: apsw.Connection) -> tuple[PurseKept, ...]:
    """One for each channel of which anything is remembered, by id."""
    found: dict[str, PurseKept] = {}

    def purse(channel: str) -> PurseKept:
        return found.get(channel) or PurseKept(UserId(channel), 0.0, None)

    for channel, at, *row in db.execute(f"SELECT channel, at, {LOYALTY} FROM loyalty"):  # noqa: S608
        se, loyalty = loyalty_of(row)
        found[channel] = PurseKept(UserId(channel), at, se, loyalty)
    for channel, at, *row in db.execute(f"SELECT channel, seen_at, {BALANCE} FROM balances"):  # noqa: S608
        kept = replace(purse(channel), balance=balance_of(row), seen_at=at)
        for seconds, left_at in db.execute(_PRESENT, (channel, at)):
            found[channel] = replace(kept, present_s=float(seconds), left_at=float(left_at))
    for channel, entries in _entries(db):
        found[channel] = replace(purse(channel), entries=entries)
    items = _items(db)
    for channel, at in db.execute(
        "SELECT channel, max(max(last_changed, coalesce(gone_at, last_changed))) FROM items GROUP BY channel"
    ):
        found[channel] = replace(purse(channel), items=tuple(items.get(channel, ())), items_at=at)
    return tuple(found[channel] for channel in sorted(found))


def redemptions(db: apsw.Connection, alive_at: float) -> tuple[Redemption, ...]:
    """Those that are not settled, and all that were asked lately; in the order in which they were asked.

    None is changed here: what a SENT means after a crash is for the core to say.
    """
    rows = db.execute(
        f"SELECT id, {REDEMPTION} FROM redemptions WHERE {OPEN}"  # noqa: S608
        f" UNION SELECT id, {REDEMPTION} FROM redemptions"
        " WHERE asked_at >= min(?1, (SELECT max(asked_at) FROM redemptions)) - ?2 ORDER BY id",
        (alive_at, REDEMPTIONS_KEPT),
    )
    return tuple(redemption_of(row[1:]) for row in rows)


def notes(db: apsw.Connection) -> tuple[tuple[str, str], ...]:
    """All, by key."""
    return tuple((key, value) for key, value in db.execute("SELECT key, value FROM notes ORDER BY key"))


def _entries(db: apsw.Connection) -> Iterator[tuple[str, tuple[LedgerEntry, ...]]]:
    """Those within WINDOW of each channel's newest one, on both sides: a clock may have been set back since."""
    window = milliseconds(WINDOW)
    for no, channel, last in db.execute("SELECT no, channel, last_at FROM ledgers"):
        rows = db.execute(
            "SELECT at, change, delta, points FROM ledger WHERE ledger = ? AND at BETWEEN ? AND ? ORDER BY n",
            (no, last - window, last + window),
        )
        yield (
            channel,
            tuple(
                LedgerEntry(at / 1000, UserId(channel), CHANGES[change], delta, points)
                for at, change, delta, points in rows
            ),
        )


def _items(db: apsw.Connection) -> dict[str, list[Item]]:
    items: dict[str, list[Item]] = {}
    for channel, *row in db.execute(f"SELECT channel, {ITEM} FROM items WHERE gone_at IS NULL ORDER BY place, item"):  # noqa: S608
        items.setdefault(channel, []).append(item_of(row))
    return items
