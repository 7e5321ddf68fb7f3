"""The ledger after a year: how big the file is, how fast a chart and the totals are answered, how long an export takes.

    python bench/ledger.py [--channels N] [--days D] [--share S] [--rounds R] [--exports E] [--json] [--record]

Every channel is live at all hours and read every 5 minutes; of the readings a share S moved the balance (one half, if
everyone is paid every 10 minutes). Nothing is short-cut: every entry goes through `Database.record`, one call for each
round of readings, with the balances that go with them, and what is old is folded on the way, as in a running service.
Only the disk's own slowness is left out (the journal is not synced). The export is the command, from its start to its
last byte, as CSV into nothing.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from allthepoints.base.types import UserId
from allthepoints.core import records as r
from allthepoints.core.loyalty import Balance
from allthepoints.storage.database import Database
from allthepoints.storage.read_points import PointsReader

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import results  # noqa: E402
from results import Figure  # noqa: E402
from table import holds, show, show_json  # noqa: E402

T0 = 1_767_225_600.0
DAY = 86_400.0
EVERY = 300.0
MOST_MB = 60.0
MOST_CHART_MS = 100.0
MOST_POINTS = 2000


@dataclass(frozen=True, slots=True)
class Result:
    """What there is after that time. Lists: each run."""

    made: int
    kept: int
    megabytes: float
    write_us: float
    """CPU for each entry."""
    longest_ms: float
    """Of the calls of `record`."""
    chart_points: int
    chart_ms: list[float]
    """Of the whole time, one channel."""
    month_ms: list[float]
    day_ms: list[float]
    """Totals of a day, all channels; then of 1, 7 and 30 days at once; then for ever, with the balances."""
    days_ms: list[float]
    points_ms: list[float]
    export_s: list[float]
    export_megabytes: float


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


def answers(path: Path, asked: argparse.Namespace, made: int, spent: float, longest: float) -> Result:
    reader, end = PointsReader(path), T0 + asked.days * DAY
    one = reader.points()[0].channel
    sinces = (end - DAY, end - 7 * DAY, end - 30 * DAY)

    def times(question: Callable[[], object]) -> list[float]:
        """Milliseconds, each with the file opened anew."""
        found = []
        for _ in range(asked.rounds):
            start = time.perf_counter()
            question()
            found.append((time.perf_counter() - start) * 1000)
        return found

    exports = [export(path) for _ in range(asked.exports)]
    return Result(
        made=made,
        kept=sum(1 for _ in reader.entries()),
        megabytes=path.stat().st_size / 1e6,
        write_us=spent / max(1, made) * 1e6,
        longest_ms=longest,
        chart_points=len(reader.chart(one, T0, end)),
        chart_ms=times(lambda: reader.chart(one, T0, end)),
        month_ms=times(lambda: reader.chart(one, end - 30 * DAY, end)),
        day_ms=times(lambda: reader.earned(sinces[0])),
        days_ms=times(lambda: reader.earned_each(sinces)),
        points_ms=times(reader.points),
        export_s=[seconds for seconds, _ in exports],
        export_megabytes=exports[-1][1] / 1e6 if exports else 0.0,
    )


def export(path: Path) -> tuple[float, int]:
    """Seconds of `export points`, and how many bytes it wrote."""
    config = path.parent / "none.toml"
    config.touch()
    program = [sys.executable, "-m", "allthepoints", "--config", str(config), "--data-dir", str(path.parent)]
    start, size = time.perf_counter(), 0
    with subprocess.Popen([*program, "export", "points", "--format", "csv"], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        while piece := running.stdout.read(1 << 20):
            size += len(piece)
    took = time.perf_counter() - start
    if running.returncode:
        raise RuntimeError(f"the export ended with {running.returncode}")
    return took, size


def figures(found: Result) -> list[Figure]:
    return [
        Figure("The file", "MB", [found.megabytes], at_most=MOST_MB),
        Figure("Chart of the whole time, one channel", "ms", found.chart_ms, at_most=MOST_CHART_MS),
        Figure("Points in it", "", [found.chart_points], at_most=MOST_POINTS),
        Figure("Chart of 30 days, one channel", "ms", found.month_ms, at_most=MOST_CHART_MS),
        Figure("Totals of a day, all channels", "ms", found.day_ms),
        Figure("Totals of 1, 7 and 30 days at once", "ms", found.days_ms),
        Figure("Balances and totals for ever", "ms", found.points_ms),
        *([Figure("`export points` of it all, as CSV", "s", found.export_s)] if found.export_s else []),
        *([Figure("What it exports", "MB", [found.export_megabytes])] if found.export_s else []),
        Figure("Entries made", "", [found.made]),
        Figure("Entries kept, what is old being folded", "", [found.kept]),
        Figure("CPU to write an entry", "us", [found.write_us]),
        Figure("The longest call that records", "ms", [found.longest_ms]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", type=int, default=100)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=5, help="how often each question is asked")
    parser.add_argument("--exports", type=int, default=3, help="how often all of it is exported")
    parser.add_argument("--json", action="store_true")
    asked = results.argument(parser).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "allthepoints.db"
        made, spent, longest = a_year(path, asked.channels, asked.days, asked.share)
        found = answers(path, asked, made, spent, longest)
    what = f"{asked.channels} channels, {asked.days} days, live at all hours, {asked.share:.0%} of the readings moved"
    if asked.json:
        show_json(asdict(found))
    else:
        report(what, found)
    sys.exit(results.finish(asked, "ledger", f"The ledger: {what}", figures(found)))


def report(what: str, found: Result) -> None:
    chart, month = min(found.chart_ms), min(found.month_ms)
    rows = [
        ("entries made", f"{found.made:,}", ""),
        ("entries kept", f"{found.kept:,}", ""),
        ("file, MB", f"{found.megabytes:.1f}", holds(found.megabytes < MOST_MB)),
        ("bytes an entry kept", f"{found.megabytes * 1e6 / max(1, found.kept):.1f}", ""),
        ("chart of the whole time, one channel, ms", f"{chart:.1f}", holds(chart < MOST_CHART_MS)),
        ("chart of 30 days, one channel, ms", f"{month:.1f}", holds(month < MOST_CHART_MS)),
        ("points in it", f"{found.chart_points:,}", holds(found.chart_points <= MOST_POINTS)),
        ("totals of a day, all channels, ms", f"{min(found.day_ms):.1f}", ""),
        ("totals of 1, 7 and 30 days at once, ms", f"{min(found.days_ms):.1f}", ""),
        ("balances and totals for ever, ms", f"{min(found.points_ms):.1f}", ""),
        *_exported(found),
        ("CPU to write an entry, µs", f"{found.write_us:.1f}", ""),
        ("longest call of record, ms", f"{found.longest_ms:.1f}", ""),
    ]
    show(what, ("", "", "goal"), rows)


def _exported(found: Result) -> Sequence[tuple[str, str, str]]:
    if not found.export_s:
        return ()
    return (
        ("export of it all as CSV, s", f"{min(found.export_s):.1f}", ""),
        ("its MB", f"{found.export_megabytes:.1f}", ""),
    )


if __name__ == "__main__":
    main()
