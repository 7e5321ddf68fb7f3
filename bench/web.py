"""What the dashboard costs: the page of Now, and one change pushed to the pages that listen.

    python bench/web.py [--channels 1,40,300] [--runs 15] [--json] [--record]

The real application, guard and templates, in this process and without sockets; each channel with a month of points in
a real database. Now is told as it comes the first time (the database is read; as often as --firsts says, each time to a
board that knows nothing), and again (what was read is still good).
A change: one row of all moves, and the bytes are those that one page is sent. Seconds are the processor's, so that
whatever else the machine does is not in them.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import httpx2
import results
import table
from results import Figure

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
DAY, DAYS, PAYMENTS = 86_400, 30, 144
NOW_WITHIN = 0.2
"""The goal: seconds for 300 channels."""


def row(number: int, points: int | None = None) -> ChannelRow:
    return ChannelRow(
        UserId(str(number)),
        Login(f"streamer_{number}"),
        f"Streamer_{number}",
        True,
        "present",
        since=AT - 600 - number,
        live_since=AT - 3600 - number,
        place=number,
        title="a stream with a title of usual length, and a sign 🌊",
        points=1000 + number if points is None else points,
        rate_per_hour=30.0,
        verdict="earning",
    )


def fill(path: Path, channels: int) -> None:
    """A month of points for every channel: the last day a payment each ten minutes, before it in eight hours of each
    day, which is as much as the 100 rooms of an account can bring to 300 channels."""
    database = Database(path, AT, durable=False)
    database.load()
    for number in range(1, channels + 1):
        database.record(list(_records(number)), AT)
    database.close()


def _records(number: int) -> Iterable[r.Record]:
    id_ = UserId(str(number))
    yield r.ChannelKnown(AT, ChannelRef(id_, Login(f"streamer_{number}"), f"Streamer_{number}"), number)
    yield r.LoyaltyKnown(AT, id_, SeId(f"{number:024x}"), Loyalty("acorns"))
    yield r.LedgerEntry(AT - DAYS * DAY, id_, r.Change.OPENING, 0, 1000)
    for slot in range(DAYS * PAYMENTS - 1, 0, -1):
        if slot < PAYMENTS or slot % PAYMENTS < PAYMENTS // 3:
            yield r.LedgerEntry(AT - slot * DAY / PAYMENTS + number, id_, r.Change.EARNED, 5, 1000)
    yield r.BalanceKnown(AT, id_, Balance(1000 + number))


def snapshot(rows: dict[UserId, ChannelRow]) -> Snapshot:
    counts = Census(2, len(rows), len(rows), 0, 0)
    return Snapshot(AT, Account(UserId("9"), Login("me")), True, counts, rows, (), (700, 800), 1)


@dataclass(frozen=True, slots=True)
class Result:
    """CPU seconds, run by run, and bytes."""

    channels: int
    first_s: list[float]
    now_s: list[float]
    push_s: list[float]
    bytes: int
    pushed_row_bytes: int


async def measure(channels: int, runs: int, firsts: int, folder: Path) -> Result:
    path = folder / "allthepoints.db"
    fill(path, channels)
    rows = {row(n).id: row(n) for n in range(1, channels + 1)}
    first: list[float] = []
    for _ in range(firsts):
        board, app = _opened(path, rows)
        _forget()
        async with httpx2.AsyncClient(transport=InProcess(app), base_url="http://127.0.0.1:7771") as client:
            await client.get("/healthz")  # what is set up once, for all pages
            first.append((await _get(client))[0])
            again = [await _get(client) for _ in range(runs)] if len(first) == firsts else []
    pushes = await _pushes(board, rows, runs)
    return Result(
        channels=channels,
        first_s=first,
        now_s=[seconds for seconds, _ in again],
        push_s=[seconds for seconds, _ in pushes],
        bytes=again[-1][1],
        pushed_row_bytes=pushes[-1][1],
    )


def _opened(path: Path, rows: dict[UserId, ChannelRow]) -> tuple[Board, Any]:
    """A dashboard that nobody has opened yet."""
    settings = Settings(dashboard=Dashboard())
    board = Board(
        PointsReader(path), ManualClock(AT), Doings(lambda *_: None, lambda: settings, path.parent / "c.toml")
    )
    board.told(snapshot(rows))
    app = application(board, Pages(pages.PAGES, pages.ACTIONS, pages.fragments), Rules.of(settings.dashboard))
    compile_all()  # as the dashboard does before anybody has opened it
    return board, app


def _forget() -> None:
    """Empty every cache of ours: an earlier board has drawn the same."""
    for made in gc.get_objects():
        if isinstance(made, functools._lru_cache_wrapper) and made.__module__.startswith("allthepoints."):
            made.cache_clear()


async def _get(client: httpx2.AsyncClient) -> tuple[float, int]:
    """CPU seconds of the page of Now, and its bytes."""
    start = time.process_time()
    page = await client.get("/")
    took = time.process_time() - start
    assert page.status_code == 200, page.text
    return took, len(page.content)


async def _pushes(board: Board, rows: dict[UserId, ChannelRow], runs: int) -> list[tuple[float, int]]:
    """One row of all moves: CPU seconds, and the bytes that one page is sent."""
    found = []
    for number in range(runs):
        before = board.version
        rows = rows | {UserId("1"): row(1, points=5000 + number)}
        board.told(snapshot(rows))
        change = board.since(before)
        assert change is not None
        assert len(change.rows) == 1
        start = time.process_time()
        told = await pages.fragments(board, change, "now")
        took = time.process_time() - start
        found.append((took, sum(len(html.encode()) for name, html in told if name == "row")))
    return found


async def all_of(counts: Sequence[int], runs: int, firsts: int) -> list[Result]:
    found = []
    for channels in counts:
        with tempfile.TemporaryDirectory() as folder:
            found.append(await measure(channels, runs, firsts, Path(folder)))
    return found


def figures(found: Sequence[Result]) -> list[Figure]:
    made = []
    for one in found:
        where = f"{one.channels} channel{'s' * (one.channels != 1)}"
        for what, runs in (("opened first", one.first_s), ("opened again", one.now_s)):
            times = [1000 * seconds for seconds in runs]
            made.append(Figure(f"The page of Now, {where}, {what}", "ms", times, at_most=1000 * NOW_WITHIN))
        made.append(Figure(f"A change pushed, {where}", "ms", [1000 * seconds for seconds in one.push_s]))
        made.append(Figure(f"The row in it, {where}", "bytes", [one.pushed_row_bytes]))
        made.append(Figure(f"The page of Now, {where}", "kB", [one.bytes / 1000]))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description="What the dashboard costs.")
    parser.add_argument("--channels", default="1,40,300", help="how many, as 1,40,300")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--firsts", type=int, default=3, help="how often it is opened for the first time")
    parser.add_argument("--json", action="store_true")
    args = results.argument(parser).parse_args()
    counts = [int(text) for text in args.channels.split(",")]
    found = asyncio.run(all_of(counts, args.runs, args.firsts))
    if args.json:
        table.show_json([asdict(one) for one in found])
    else:
        show(found, args.runs)
    sys.exit(results.finish(args, "web", "What the dashboard costs, in CPU", figures(found)))


def show(found: Sequence[Result], runs: int) -> None:
    head = ("channels", "Now, first", "again", "worst", "kB", "a change", "bytes of its row", "both within 200 ms")
    rows = []
    for one in found:
        first, again = statistics.median(one.first_s), statistics.median(one.now_s)
        rows.append(
            [
                str(one.channels),
                _ms(first),
                _ms(again),
                _ms(max(one.now_s)),
                f"{one.bytes / 1000:.0f}",
                _ms(statistics.median(one.push_s)),
                str(one.pushed_row_bytes),
                table.holds(max(first, again) <= NOW_WITHIN),
            ]
        )
    table.show(f"The dashboard, {runs} runs", head, rows)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


if __name__ == "__main__":
    main()
