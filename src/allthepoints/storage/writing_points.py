"""Each record about points, stores and redemptions as SQL; for `writing.write_record`, inside its transaction."""

from __future__ import annotations

from typing import assert_never

import apsw

from allthepoints.core import records as r
from allthepoints.storage.nouns import (
    BALANCE,
    ITEM,
    LOYALTY,
    REDEMPTION,
    balance_row,
    item_row,
    loyalty_row,
    redemption_row,
    whole,
)
from allthepoints.storage.text import valid

DAY_MS = 86_400_000

CHANGES = (r.Change.EARNED, r.Change.ADJUSTED, r.Change.SPENT, r.Change.OPENING)
"""What the column `ledger.change` means. Never reordered; the commonest first, for 0 and 1 take no byte."""

EARNED, OPENING = CHANGES.index(r.Change.EARNED), CHANGES.index(r.Change.OPENING)

PointsRecord = r.LoyaltyKnown | r.BalanceKnown | r.LedgerEntry | r.ItemKnown | r.ItemGone | r.RedemptionKept | r.Noted


def write_points(db: apsw.Connection, record: PointsRecord) -> None:
    """One record, by its kind."""
    match record:
        case r.LoyaltyKnown():
            db.execute(_LOYALTY, (record.channel, record.at, *loyalty_row(record.se, record.loyalty)))
        case r.BalanceKnown():
            db.execute(_BALANCE, (record.channel, record.at, *balance_row(record.balance)))
        case r.LedgerEntry():
            _ledger_entry(db, record)
        case r.ItemKnown():
            _item_known(db, record)
        case r.ItemGone():
            db.execute(
                "UPDATE items SET gone_at = ? WHERE channel = ? AND item = ? AND gone_at IS NULL",
                (record.at, record.channel, valid(record.item)),
            )
        case r.RedemptionKept():
            db.execute(_REDEMPTION, (record.at, *redemption_row(record.redemption)))
        case r.Noted():
            _noted(db, record)
        case _:
            assert_never(record)


def milliseconds(at: float) -> int:
    """A time as the ledger has it."""
    return round(at * 1000)


def _marks(columns: str) -> str:
    return ", ".join("?" * len(columns.split(",")))


def _taken(columns: str) -> str:
    return ", ".join(f"{name} = excluded.{name}" for name in columns.split(", "))


_LOYALTY = f"INSERT OR REPLACE INTO loyalty (channel, at, {LOYALTY}) VALUES (?, ?, {_marks(LOYALTY)})"  # noqa: S608

_BALANCE = f"INSERT OR REPLACE INTO balances (channel, seen_at, {BALANCE}) VALUES (?, ?, {_marks(BALANCE)})"  # noqa: S608

_ITEM = (
    f"INSERT INTO items (channel, first_seen, last_changed, {ITEM}) VALUES (?1, ?2, ?2, {_marks(ITEM)})"  # noqa: S608
    f" ON CONFLICT (channel, item) DO UPDATE SET {_taken(ITEM)}, last_changed = ?2, gone_at = NULL"
)

_REDEMPTION = (
    f"INSERT INTO redemptions (at, {REDEMPTION}) VALUES (?, {_marks(REDEMPTION)})"  # noqa: S608
    f" ON CONFLICT (key) DO UPDATE SET at = excluded.at, {_taken(REDEMPTION)}"
)

_LEDGER = (
    "INSERT INTO ledgers (channel, entries, last_at, earned, folded) VALUES (?, 1, ?, ?, ?)"
    " ON CONFLICT (channel) DO UPDATE SET entries = entries + 1, last_at = excluded.last_at,"
    " earned = earned + excluded.earned, folded = min(folded, excluded.folded)"
    " RETURNING no, entries"
)


def _ledger_entry(db: apsw.Connection, entry: r.LedgerEntry) -> None:
    """An entry whose time lies in what was folded already (a clock set back) has that day folded again."""
    at, delta, change = milliseconds(entry.at), whole(entry.delta), CHANGES.index(entry.change)
    earned = delta if change == EARNED else 0
    no, n = db.execute(_LEDGER, (entry.channel, at, earned, at - at % DAY_MS)).fetchall()[0]
    db.execute(
        "INSERT INTO ledger (ledger, at, n, delta, points, change) VALUES (?, ?, ?, ?, ?, ?)",
        (no, at, n, delta, whole(entry.points), change),
    )


def _item_known(db: apsw.Connection, record: r.ItemKnown) -> None:
    key, row = (record.channel, valid(record.item.id)), item_row(record.item)
    before = db.execute("SELECT cost FROM items WHERE channel = ? AND item = ?", key).get
    db.execute(_ITEM, (record.channel, record.at, *row))
    cost = whole(record.item.cost)
    if before != cost:
        db.execute("INSERT INTO prices (channel, item, at, cost) VALUES (?, ?, ?, ?)", (*key, record.at, cost))


def _noted(db: apsw.Connection, record: r.Noted) -> None:
    if record.value is None:
        db.execute("DELETE FROM notes WHERE key = ?", (valid(record.key),))
    else:
        db.execute(
            "INSERT OR REPLACE INTO notes (key, value, at) VALUES (?, ?, ?)",
            (valid(record.key), valid(record.value), record.at),
        )
