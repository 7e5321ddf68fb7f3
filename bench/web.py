"""What the dashboard costs: the page of Now, and one change pushed to the pages that listen.

    python bench/web.py [--channels 1,40,300] [--runs 15] [--json]

The real application, guard and templates, in this process and without sockets; each channel with a day of points in a
real database. Now is told as it comes the first time (the database is read), and again (what was read is still good).
A change: one row of all moves, and the bytes are those that one page is sent. Seconds are the processor's, so that
whatever else the machine does is not in them.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import httpx2
import table

from allthepoints.base.types import Login, SeId, UserId
from allthepoints.config.settings import Dashboard, Settings
from allthepoints.core import records as r
from allthepoints.core.loyalty import Balance, Loyalty
from allthepoints.core.model import Account, ChannelRef
from allthepoints.core.place import Census
from allthepoints.ports import ChannelRow
from allthepoints.service.snapshot import Snapshot
from allthepoints.storage.database import Database
from allthepoints.storage.read_points import PointsReader
from allthepoints.testing.clock import ManualClock
from allthepoints.testing.inprocess import InProcess
from allthepoints.views.web import pages
from allthepoints.views.web.app import Pages, application
from allthepoints.views.web.board import Board, Doings
from allthepoints.views.web.guard import Rules
from allthepoints.views.web.render import compile_all

AT = 1_795_640_400.0
NOW_WITHIN = 0.2
"""The goal: seconds for 300 channels."""


def row(number: int, points: int | None = None) -> ChannelRow:
    return ChannelRow(
        UserId(str(number)),
        Login(f"streamer_{number}"),
        f"Streamer_{number}",
        True,
        "present",
        since=AT - 600,
        live_since=AT - 3600,
        place=number,
        title="a stream with a title of usual length, and a sign 🌊",
        points=1000 + number if points is None else points,
        rate_per_hour=30.0,
        verdict="earning",
    )


def fill(path: Path, channels: int) -> None:
    """A day of a reading each ten minutes for every channel."""
    records: list[r.Record] = []
    for number in range(1, channels + 1):
        id_ = UserId(str(number))
        records.append(r.ChannelKnown(AT, ChannelRef(id_, Login(f"streamer_{number}"), f"Streamer_{number}"), number))
        records.append(r.LoyaltyKnown(AT, id_, SeId(f"{number:024x}"), Loyalty("acorns")))
        records.append(r.LedgerEntry(AT - 86_400, id_, r.Change.OPENING, 0, 1000))
        records += [r.LedgerEntry(AT - n * 600, id_, r.Change.EARNED, 5, 1000) for n in range(143, 0, -1)]
        records.append(r.BalanceKnown(AT, id_, Balance(1000 + number)))
    database = Database(path, AT)
    database.load()
    database.record(records, AT)
    database.close()


def snapshot(rows: dict[UserId, ChannelRow]) -> Snapshot:
    counts = Census(2, len(rows), len(rows), 0, 0)
    return Snapshot(AT, Account(UserId("9"), Login("me")), True, counts, rows, (), (700, 800), 1)


async def measure(channels: int, runs: int, folder: Path) -> dict[str, Any]:
    """Seconds and bytes."""
    path = folder / "allthepoints.db"
    fill(path, channels)
    settings = Settings(dashboard=Dashboard())
    board = Board(PointsReader(path), ManualClock(AT), Doings(lambda *_: None, lambda: settings, folder / "c.toml"))
    rows = {row(n).id: row(n) for n in range(1, channels + 1)}
    board.told(snapshot(rows))
    what = Pages(pages.PAGES, pages.ACTIONS, pages.fragments)
    app = application(board, what, Rules.of(settings.dashboard))
    compile_all()  # as the dashboard does before anybody has opened it
    times = []
    async with httpx2.AsyncClient(transport=InProcess(app), base_url="http://127.0.0.1:7771") as client:
        await client.get("/healthz")  # what is set up once, for all pages
        for _ in range(runs + 1):
            start = time.process_time()
            page = await client.get("/")
            times.append(time.process_time() - start)
            assert page.status_code == 200, page.text
    pushes, sent, moved = [], 0, dict(rows)
    for number in range(runs):
        before = board.version
        moved = moved | {UserId("1"): row(1, points=5000 + number)}
        board.told(snapshot(moved))
        change = board.since(before)
        assert change is not None
        assert len(change.rows) == 1
        start = time.process_time()
        told = await pages.fragments(board, change, "now")
        pushes.append(time.process_time() - start)
        sent = sum(len(html.encode()) for name, html in told if name == "row")
    return {
        "channels": channels,
        "first_s": times[0],
        "now_s": statistics.median(times[1:]),
        "now_worst_s": max(times[1:]),
        "bytes": len(page.content),
        "push_s": statistics.median(pushes),
        "pushed_row_bytes": sent,
    }


async def all_of(counts: list[int], runs: int) -> list[dict[str, Any]]:
    found = []
    for channels in counts:
        with tempfile.TemporaryDirectory() as folder:
            found.append(await measure(channels, runs, Path(folder)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="What the dashboard costs.")
    parser.add_argument("--channels", default="1,40,300", help="how many, as 1,40,300")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = asyncio.run(all_of([int(text) for text in args.channels.split(",")], args.runs))
    if args.json:
        table.show_json(found)
        return
    head = ("channels", "Now, first", "again", "worst", "kB", "a change", "bytes of its row", "both within 200 ms")
    rows = [
        [
            str(one["channels"]),
            _ms(one["first_s"]),
            _ms(one["now_s"]),
            _ms(one["now_worst_s"]),
            f"{one['bytes'] / 1000:.0f}",
            _ms(one["push_s"]),
            str(one["pushed_row_bytes"]),
            table.holds(max(one["first_s"], one["now_s"]) <= NOW_WITHIN),
        ]
        for one in found
    ]
    table.show(f"The dashboard, {args.runs} runs", head, rows)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


if __name__ == "__main__":
    main()
