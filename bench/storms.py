"""Storms: is what the program says of itself true, on days on which everything goes wrong?

    python bench/storms.py [--seeds 1-30] [--extra 50] [--channels 40] [--hours 24] [--trace] [--json]
                           [--record]

Each seed is a stormy day of the sandbox with so many more faults, drawn from its whole table (`weather.py`), lived
through by the real service on simulated time over loopback sockets. Then three witnesses are compared: what the
sandbox counted, who sat where in the sandbox, and the presence intervals in the program's database.

What the columns say:

JOINs after ban    of rooms from which the account is banned. Some cannot be helped: who is banned while he is in no
                   room is told nothing (no PART, no CLEARCHAT), and hears of it only as the answer to his next JOIN.
after told         those of them that came after the server's word of the ban had been read. Must be none, but for a ban
                   that nothing but a PART told: where it crosses our own PART of that room it looks like its echo,
                   and within 10 s of our PART of that room on another connection it is not taken for a ban.
false presence     seconds in which the database says present and the sandbox says not. Apart: rooms that were emptied
                   without a word (renamed, suspended, deleted), of which only Helix can tell: until its next good
                   answer, and `offline_after` more for who is gone. For all others the worst interval of the day is
                   shown; nothing but the connection itself can tell of those, so it is bounded by the keep-alive.
unclaimed          seconds the other way round: sat there, and did not say so. Apart (in `--trace` only), the rooms of
                   strangers: who took the login of a renamed channel, and in whose chat we were until Helix told.

`--trace` lists each of these with its channel and times, and the faults that befell that channel or all just before.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import msgspec
import results as results_file
import rig
import table
import weather
from results import Figure

from allthepoints.base.clock import Chance
from allthepoints.base.types import UserId
from allthepoints.config.paths import DataDir
from allthepoints.config.settings import Channels, Wish
from allthepoints.core.policy import ACCOUNT_ROOMS
from allthepoints.sim import days
from allthepoints.sim.oracle import Best, without
from allthepoints.sim.scenario import Scenario
from allthepoints.sim.server import Sandbox
from allthepoints.sim.tally import Tally
from allthepoints.storage.read import Reader

Spans = list[tuple[float, float]]

SHOWN = 1.0
"""Shorter disagreements are the time in which a line travels and a turn is written."""

BEFORE = 120.0
"""Seconds before a finding in which its cause is looked for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to be traced. Seconds of the day. `kind`: after_ban, after_told, false, wordless, unclaimed, ..."""

    kind: str
    channel: str
    begin: float
    end: float
    note: str = ""

    @property
    def seconds(self) -> float:
        return self.end - self.begin


@dataclass(frozen=True, slots=True)
class Result:
    """A day."""

    seed: int
    extra: int
    capture: float
    of_oracle: float
    """Of what any client could have had."""
    joins: int
    joins_after_ban: int
    joins_after_told: int
    violations: int
    """JOINs and logins over Twitch's limits."""
    lines_said: int
    rooms_peak: int
    reconnects: int
    refresh_reuse: int
    findings: list[Finding]
    faults: list[str]
    """The faults behind the findings, one line each."""

    def sum(self, kind: str) -> float:
        return sum(finding.seconds for finding in self.findings if finding.kind == kind)

    def worst(self, kind: str) -> float:
        """The longest single interval."""
        return max((finding.seconds for finding in self.findings if finding.kind == kind), default=0.0)


# -- one day -----------------------------------------------------------------------------------------------------------
def live_through(seed: int, extra: int, channels: int, hours: float) -> Result:
    """The real service through one day, in this process."""
    day = msgspec.structs.replace(days.stormy_day(channels, seed), duration=hours * 3600.0)
    day = weather.worse(day, extra, Chance(seed))
    sandbox, tally, best, claimed = lived_through(day)
    found = sorted(findings(day, sandbox, tally, claimed), key=lambda finding: finding.begin)
    return Result(
        seed=seed,
        extra=extra,
        capture=tally.capture,
        of_oracle=best.share(tally.present_s),
        joins=tally.joins,
        joins_after_ban=tally.joins_after_ban,
        joins_after_told=tally.joins_after_told,
        violations=tally.join_limit_violations + tally.login_limit_violations,
        lines_said=tally.chat_lines_sent,
        rooms_peak=tally.rooms_peak,
        reconnects=tally.reconnects,
        refresh_reuse=tally.refresh_reuse,
        findings=found,
        faults=[line for finding in found for line in _told(finding, day)],
    )


def lived_through(
    day: Scenario, wishes: tuple[Wish, ...] = (), channels: Channels = rig.EVERYONE
) -> tuple[Sandbox, Tally, Best, dict[str, Spans]]:
    """Any day: the sandbox as it is at the end, what it counted, what could be had, what the database says."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder, rig.simulated() as runner:
        sandbox, tally, best = runner.run(_ours(day, Path(folder), wishes, channels))
        return sandbox, tally, best, _claimed(Path(folder), sandbox, day.duration)


async def _ours(
    day: Scenario, folder: Path, wishes: tuple[Wish, ...], channels: Channels
) -> tuple[Sandbox, Tally, Best]:
    async with rig.by_sockets(day, folder, channels, wishes) as running:
        await running.pass_time(day.duration)
        return running.sandbox, running.sandbox.tally(), running.sandbox.best()


def _claimed(folder: Path, sandbox: Sandbox, until: float) -> dict[str, Spans]:
    """When the database says that we were in each chat, by the channel's id."""
    reader, start = Reader(DataDir(folder).database), sandbox.started_at
    return {
        channel: [
            (row.began_at - start, until if row.ended_at is None else min(until, row.ended_at - start))
            for row in reader.presence(UserId(channel), start, start + until)
        ]
        for channel in sandbox.world.users
    }


# -- what does not fit -------------------------------------------------------------------------------------------------
def findings(day: Scenario, sandbox: Sandbox, tally: Tally, claimed: dict[str, Spans]) -> Iterable[Finding]:
    """In a day whose channels have ids, and whose faults name channels by them."""
    for join in tally.after_ban:
        told = join.told_at is not None
        note = f"told at {join.told_at:.1f}" if told else "could not know"
        yield Finding("after_told" if told else "after_ban", join.channel, join.at, join.at, note)
    attempts, start = sandbox.journal.of(sandbox.account.id), sandbox.started_at
    for kind, window in (("join_limit", attempts.joins), ("login_limit", attempts.logins)):
        yield from (Finding(kind, "", at - start, at - start) for at in window.violated_at)
    sat = {channel.id: list(channel.sat) for channel in tally.channels}
    planned = {channel.id for channel in day.channels}
    befallen = sandbox.journal.befallen
    emptied = [(one.given["channel"], one.at - start) for one in befallen if one.name in weather.WORDLESS]
    for channel, spans in claimed.items():
        truth = sat.get(channel, [])
        for begin, end in without(spans, truth):
            if end - begin >= SHOWN:
                wordless = any(channel == gone and abs(begin - at) < SHOWN for gone, at in emptied)
                yield Finding("wordless" if wordless else "false", channel, begin, end)
        for begin, end in without(truth, spans):
            if end - begin >= SHOWN:
                yield Finding("unclaimed" if channel in planned else "stranger", channel, begin, end)


def _told(finding: Finding, day: Scenario) -> Iterable[str]:
    """The finding in words, with the faults that may be behind it."""
    yield f"{finding.kind} {finding.channel} {finding.begin:.1f}-{finding.end:.1f} {finding.note}".rstrip()
    for fault in day.faults:
        own = fault.parameters.get("channel") == finding.channel
        wide = "channel" not in fault.parameters and finding.begin - BEFORE <= fault.at <= finding.end
        if (own and fault.at <= finding.end) or wide:
            yield f"    {fault.at:.1f} {fault.name} {fault.parameters}"


# -- all ---------------------------------------------------------------------------------------------------------------
def measure(seeds: Sequence[int], extra: int, channels: int, hours: float) -> list[Result]:
    """Each day, in as many processes as there are cores."""
    workers, count = min(len(seeds), os.cpu_count() or 1), len(seeds)
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        found = []
        for result in pool.map(live_through, seeds, [extra] * count, [channels] * count, [hours] * count):
            found.append(result)
            print(f"{len(found)} of {count} days", file=sys.stderr)
        return found


HEAD = (
    *(
        "day",
        "capture",
        "of oracle",
        "JOINs",
        "after ban",
        "after told",
        "over limits",
        "lines said",
        "rooms",
        "reconnects",
    ),
    *("false: worst, s", "sum", "without a word: worst, s", "sum", "unclaimed: worst, s", "sum"),
)


def row(result: Result) -> list[str]:
    pairs = [(result.worst(kind), result.sum(kind)) for kind in ("false", "wordless", "unclaimed")]
    return [
        f"{result.seed}",
        f"{result.capture:.1%}",
        f"{result.of_oracle:.1%}",
        str(result.joins),
        str(result.joins_after_ban),
        str(result.joins_after_told),
        str(result.violations),
        str(result.lines_said),
        str(result.rooms_peak),
        str(result.reconnects),
        *(f"{seconds:.0f}" for pair in pairs for seconds in pair),
    ]


def figures(results: Sequence[Result]) -> list[Figure]:
    """A run is a day."""

    def days(what: Callable[[Result], float]) -> list[float]:
        return [what(result) for result in results]

    never = (
        ("JOINs and logins over Twitch's limits", days(lambda day: day.violations)),
        ("Refresh tokens used twice", days(lambda day: day.refresh_reuse)),
        ("JOINs after word of a ban", days(lambda day: day.joins_after_told)),
        ("Lines said in chat", days(lambda day: day.lines_said)),
    )
    return [
        Figure("Of what the oracle could have", "%", days(lambda day: 100 * day.of_oracle)),
        *(Figure(what, "", counts, at_most=0, every=True) for what, counts in never),
        Figure("Rooms at once", "", days(lambda day: day.rooms_peak), at_most=ACCOUNT_ROOMS, every=True),
        Figure("Presence claimed and not had, the longest of a day", "s", days(lambda day: day.worst("false"))),
        Figure("Presence had and not claimed, the longest of a day", "s", days(lambda day: day.worst("unclaimed"))),
    ]


def seeds_of(text: str) -> list[int]:
    """`1-3,7` as 1, 2, 3, 7. Raises ValueError."""
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Whether what the program says of itself is true on the worst days.")
    parser.add_argument("--seeds", type=seeds_of, default=[1, 2, 3], help="like 1-30 or 1,7,55")
    parser.add_argument("--extra", type=int, default=50, help="faults on top of a stormy day's own")
    parser.add_argument("--channels", type=int, default=40)
    parser.add_argument("--hours", type=float, default=24.0, help="how much of the day")
    parser.add_argument("--trace", action="store_true", help="list each finding with its channel, times and faults")
    parser.add_argument("--json", action="store_true")
    args = results_file.argument(parser).parse_args()
    results = measure(args.seeds, args.extra, args.channels, args.hours)
    if args.json:
        table.show_json({"results": [asdict(result) for result in results]})
    else:
        show(args, results)
    title = f"Stormy days with {args.extra} more faults: is what it says of itself true?"
    sys.exit(results_file.finish(args, "storms", title, figures(results)))


def show(args: argparse.Namespace, results: Sequence[Result]) -> None:
    table.show(f"Stormy days with {args.extra} more faults, {args.channels} channels", HEAD, [row(r) for r in results])
    if args.trace:
        for result in results:
            print(f"day {result.seed}")
            print(*(f"  {line}" for line in result.faults), sep="\n")


if __name__ == "__main__":
    main()
