"""What is said of an item's price: what it was before, and when price and balance were read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from allthepoints.storage.read_points import Price
from allthepoints.views.columns import Column, table
from allthepoints.views.shelf import Shelf
from allthepoints.views.sparkline import sparkline
from allthepoints.views.text import amount, change, clock_time, number, when

COLUMNS = (
    Column("since", keep=3),
    Column("cost", keep=4, right=True),
    Column("change", keep=2, right=True),
    Column("", keep=1),
)


def price_before(prices: Sequence[Price], now: float, zone: tzinfo | None = None) -> str:
    """`It cost 1,200 until 20 Nov.`; empty where it never cost anything else."""
    if len(prices) < 2:
        return ""
    return f"It cost {number(prices[-2].cost)} until {clock_time(prices[-1].at, now, zone)}."


def price_lines(
    prices: Sequence[Price],
    currency: str,
    now: float,
    width: int | None = None,
    zone: tzinfo | None = None,
    ascii_only: bool = False,
) -> list[str]:
    """Every price that was seen, the newest first, each with what it was more or less than the one before."""
    if not prices:
        return ["Its price was not read yet."]
    if len(prices) == 1:
        since = clock_time(prices[0].at, now, zone)
        return [f"It cost {amount(prices[0].cost, currency)} ever since it was first seen, {since}."]
    bars = sparkline([price.cost for price in prices], ascii_only)
    before = [None, *(price.cost for price in prices[:-1])]
    rows = [
        (
            clock_time(price.at, now, zone),
            number(price.cost),
            "" if was is None else change(price.cost - was),
            bar,
        )
        for price, was, bar in zip(prices, before, bars, strict=True)
    ]
    return table(COLUMNS, rows[::-1], width)


def read_when(shelf: Shelf, now: float, zone: tzinfo | None = None) -> str:
    """When the price and what you have were read: `price and balance just now`; empty where neither was."""
    balance_at = None if shelf.row is None else shelf.row.seen_at
    price = None if shelf.read_at is None else when(shelf.read_at, now, zone)
    balance = None if balance_at is None else when(balance_at, now, zone)
    if price is not None and price == balance:
        return f"price and balance {price}"
    parts = [("price", price), ("balance", balance)]
    return ", ".join(f"{word} {text}" for word, text in parts if text is not None)
