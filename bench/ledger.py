"""The ledger after a year: how big the file is, and how fast a chart and the totals are answered.

    python bench/ledger.py [--channels N] [--days D] [--share S]

Every channel is live at all hours and read every 5 minutes; of the readings a share S moved the balance (one half, if
everyone is paid every 10 minutes). Nothing is short-cut: every entry goes through `Database.record`, one call for each
round of readings, with the balances that go with them, and what is old is folded on the way, as in a running service.
Only the disk's own slowness is left out (the journal is not synced).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from allthepoints.base.types import UserId
from allthepoints.core import records as r
from allthepoints.core.loyalty import Balance
from allthepoints.storage.database import Database
from allthepoints.storage.read_points import PointsReader

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from table import holds, show  # noqa: E402

T0 = 1_767_225_600.0
DAY = 86_400.0
EVERY = 300.0
MOST_MB = 60.0
MOST_CHART_MS = 100.0


def a_year(path: Path, channels: int, days: int, share: float) -> tuple[int, float, float]:
    """Write it; answers how many entries were made, the CPU seconds, and the longest call in milliseconds."""
    database = Database(path, T0, durable=False)
    points, debt, made, longest = [0] * channels, [0.0] * channels, 0, 0.0
    began = time.process_time()
    for turn in range(int(days * DAY / EVERY)):
        at = T0 + turn * EVERY
        batch: list[r.Record] = []
        for number in range(channels):
            channel = UserId(str(100_000_000 + number * 7919))
            debt[number] += share
            if debt[number] >= 1.0:
                debt[number] -= 1.0
                points[number] += 5
                batch.append(r.LedgerEntry(at + number * 2.713, channel, r.Change.EARNED, 5, points[number]))
            batch.append(r.BalanceKnown(at + number * 2.713, channel, Balance(points[number], points[number], 212, 9)))
        made += sum(isinstance(record, r.LedgerEntry) for record in batch)
        start = time.perf_counter()
        database.record(batch, at + EVERY - 1)
        longest = max(longest, time.perf_counter() - start)
    spent = time.process_time() - began
    database.close()
    return made, spent, longest * 1000


def best_ms(question: Callable[[], object], rounds: int = 5) -> float:
    """The best of a few, each with the file opened anew."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        question()
        best = min(best, time.perf_counter() - start)
    return best * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", type=int, default=100)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--share", type=float, default=0.5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "allthepoints.db"
        made, spent, longest = a_year(path, asked.channels, asked.days, asked.share)
        report(path, asked, made, spent, longest)


def report(path: Path, asked: argparse.Namespace, made: int, spent: float, longest: float) -> None:
    reader, end = PointsReader(path), T0 + asked.days * DAY
    one = reader.points()[0].channel
    kept = sum(1 for _ in reader.entries())
    megabytes = path.stat().st_size / 1e6
    chart = best_ms(lambda: reader.chart(one, T0, end))
    month = best_ms(lambda: reader.chart(one, end - 30 * DAY, end))
    sinces = (end - DAY, end - 7 * DAY, end - 30 * DAY)
    rows = [
        ("entries made", f"{made:,}", ""),
        ("entries kept", f"{kept:,}", ""),
        ("file, MB", f"{megabytes:.1f}", holds(megabytes < MOST_MB)),
        ("bytes an entry kept", f"{megabytes * 1e6 / max(1, kept):.1f}", ""),
        ("chart of the whole time, one channel, ms", f"{chart:.1f}", holds(chart < MOST_CHART_MS)),
        ("chart of 30 days, one channel, ms", f"{month:.1f}", holds(month < MOST_CHART_MS)),
        ("points in it", f"{len(reader.chart(one, T0, end)):,}", ""),
        ("totals of a day, all channels, ms", f"{best_ms(lambda: reader.earned(sinces[0])):.1f}", ""),
        ("totals of 1, 7 and 30 days at once, ms", f"{best_ms(lambda: reader.earned_each(sinces)):.1f}", ""),
        ("balances and totals for ever, ms", f"{best_ms(reader.points):.1f}", ""),
        ("CPU to write an entry, µs", f"{spent / max(1, made) * 1e6:.1f}", ""),
        ("longest call of record, ms", f"{longest:.1f}", ""),
    ]
    show(
        f"{asked.channels} channels, {asked.days} days, live at all hours, {asked.share:.0%} of the readings moved",
        ("", "", "goal"),
        rows,
    )


if __name__ == "__main__":
    main()
