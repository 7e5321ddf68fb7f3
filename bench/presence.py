"""Capture: how much of the live time a program sat in the chats, as the sandbox itself counted it.

    python bench/presence.py [--days calm,stormy] [--seeds 3] [--channels 40] [--json] [--record]

Three programs live through the same days, each alone: this one; the article's bot (`article_bot.py`); and the same bot
under a supervisor that starts it again ten seconds after it has died, as systemd would. A seed is a day: who streams
when and what goes wrong when. All run on simulated time with the chat on loopback sockets, without TLS.

Beside what was live stands what could be had: the oracle's count (`sim/oracle.py`), the most that any client could have
been present in that world. That nobody ever has more is checked.

The days are made easier for the article's bot in one point: its chat token never expires. It cannot renew one, and its
article used a kind that lived for two months.

The article's bot runs on bottom 3, which needs Python 3.12. On an older one the whole bench is handed over to a newer
interpreter, where one is found, in an environment of its own (.venv-presence); where none is, the bot's rows are left
out, and why is said.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import importlib.util
import json
import logging
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bounded
import msgspec
import newer
import results as results_file
import rig
import table
from results import Figure

from allthepoints.base.clock import Chance, LoopClock
from allthepoints.sim import days
from allthepoints.sim.oracle import Best
from allthepoints.sim.scenario import FaultPlan, Scenario
from allthepoints.sim.server import Endpoints, Sandbox
from allthepoints.sim.tally import Tally
from allthepoints.testing.inprocess import InProcess

DAYS = {"calm": days.calm_day, "stormy": days.stormy_day}

GOALS = {"calm": 99.0, "stormy": 95.0}
"""Percent of what the oracle could have."""

WAIT_TIME = 60
"""Seconds between two looks of the article's bot, as in its config."""

RESTART = 10.0
"""Seconds until a supervisor starts again what has died."""

TWO_MONTHS = 60 * 86400.0

BOTTOM = "bottom==3.0.0"

ORDER = OURS, ALONE, SUPERVISED = "allthepoints", "the article's bot", "the same, supervised"


@dataclass(frozen=True, slots=True)
class Result:
    """A program's day. Seconds; `last_s` is when it was last in a chat. `deaths`: when, and of what."""

    day: str
    seed: int
    program: str
    live_s: float
    possible_s: float
    """What the oracle says that could be had."""
    present_s: float
    points_paid: int
    points_possible: int
    joins: int
    joins_worst: int
    logins: int
    violations: int
    joins_after_ban: int
    reconnects: int
    helix_calls: int
    last_s: float
    deaths: list[tuple[float, str]] = field(default_factory=list)


# -- one program, one day ----------------------------------------------------------------------------------------------
def live_through(day: str, seed: int, channels: int, program: str) -> Result:
    """Run it, in this process."""
    tally, best, deaths = lived_through(DAYS[day](channels, seed), program)
    return _result(day, seed, program, tally, best, deaths)


def lived_through(scenario: Scenario, program: str) -> tuple[Tally, Best, list[tuple[float, str]]]:
    """The same for any day: what the sandbox counted, what could be had, and of what it died when."""
    logging.disable(logging.CRITICAL)  # what bottom cannot read it would tell line by line
    deaths: list[tuple[float, str]] = []
    with tempfile.TemporaryDirectory() as folder, rig.simulated() as runner:
        runner.get_loop().set_exception_handler(lambda *_: None)  # the same for its tasks
        if program == OURS:
            tally, best = runner.run(_ours(scenario, Path(folder)))
        else:
            tally, best = runner.run(_article(scenario, Path(folder), program == SUPERVISED, deaths))
    assert tally.present_s <= best.possible_s + 1e-3, f"{program} was present for longer than the oracle says"
    return tally, best, deaths


async def _ours(scenario: Scenario, folder: Path) -> tuple[Tally, Best]:
    async with rig.by_sockets(scenario, folder) as running:
        await running.pass_time(scenario.duration)
        return running.sandbox.tally(), running.sandbox.best()


async def _article(
    scenario: Scenario, folder: Path, supervised: bool, deaths: list[tuple[float, str]]
) -> tuple[Tally, Best]:
    clock = LoopClock(asyncio.get_running_loop(), rig.EPOCH)
    eased = with_lasting_token(scenario)
    sandbox = Sandbox(eased, clock, chance=Chance(eased.seed))
    endpoints = await sandbox.start()
    config = _config(sandbox, folder)
    living = asyncio.ensure_future(_lives(sandbox, endpoints, config, supervised, deaths))
    try:
        await clock.sleep(scenario.duration)
        return sandbox.tally(), sandbox.best()
    finally:
        living.cancel()
        await asyncio.wait({living})
        await sandbox.stop()


async def _lives(
    sandbox: Sandbox, endpoints: Endpoints, config: Path, supervised: bool, deaths: list[tuple[float, str]]
) -> None:
    """One life; under a supervisor one after the other."""
    from article_bot import ArticleBot, Where

    http = _calling(sandbox)
    chat = urlsplit(endpoints.irc)
    where = Where(endpoints.helix, endpoints.oauth, chat.hostname or "", chat.port or 0, tls=False)
    while True:
        bot = ArticleBot(config, where, http)
        try:
            await bot.run()
        except Exception as error:
            deaths.append((sandbox.clock.now() - sandbox.started_at, f"{type(error).__name__}"))
        finally:
            bot.end()
        if not supervised:
            return
        await sandbox.clock.sleep(RESTART)


def _calling(sandbox: Sandbox) -> Callable[[str, str, Mapping[str, str], bytes], Awaitable[bytes]]:
    """HTTP for the article's bot: 57,600 requests a day go in process, or the bench would measure them."""
    app = InProcess(sandbox.app)

    async def call(method: str, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
        parts = urlsplit(url)
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        _, _, content = await app.call(method, (parts.path, parts.query.encode()), raw, body)
        return content

    return call


def with_lasting_token(scenario: Scenario) -> Scenario:
    """The same day, but that no access token expires: an `expire_token` that cuts the chat only cuts it."""
    faults = []
    for fault in scenario.faults:
        if fault.name != "expire_token":
            faults.append(fault)
        elif fault.parameters.get("cut_chat"):
            faults.append(FaultPlan(fault.at, "fin", {"connection": "all"}, fault.on))
    return msgspec.structs.replace(scenario, faults=tuple(faults), access_token_life=TWO_MONTHS)


def _config(sandbox: Sandbox, folder: Path) -> Path:
    """The file that the article's bot reads."""
    [client] = sandbox.scenario.clients
    path = folder / "config.json"
    path.write_text(
        json.dumps(
            {
                "bot_username": sandbox.account.login,
                "client_id": client.id,
                "client_secret": client.secret,
                "oauth_token": f"oauth:{sandbox.issue_tokens(client_id=client.id).access}",
                "channels": [channel.login for channel in sandbox.scenario.channels],
                "wait_time": WAIT_TIME,
                "verbose": False,
            }
        )
    )
    return path


def _result(day: str, seed: int, program: str, tally: Tally, best: Best, deaths: list[tuple[float, str]]) -> Result:
    return Result(
        day=day,
        seed=seed,
        program=program,
        live_s=tally.live_s,
        possible_s=best.possible_s,
        present_s=tally.present_s,
        points_paid=tally.points_paid,
        points_possible=tally.points_possible,
        joins=tally.joins,
        joins_worst=tally.joins_worst,
        logins=tally.logins,
        violations=tally.join_limit_violations + tally.login_limit_violations,
        joins_after_ban=tally.joins_after_ban,
        reconnects=tally.reconnects,
        helix_calls=sum(tally.helix_calls.values()),
        last_s=max((end for channel in tally.channels for _, end in channel.sat), default=0.0),
        deaths=deaths,
    )


# -- all ---------------------------------------------------------------------------------------------------------------
def measure(names: Sequence[str], seeds: Sequence[int], channels: int, programs: Sequence[str]) -> list[Result]:
    """Every program through every day, in as many processes as there are cores."""
    days_of = [(day, seed, channels) for day in names for seed in seeds]
    workers = min(len(days_of) * len(programs), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        futures = {(day, p): pool.submit(live_through, *day, p) for day in days_of for p in programs if p != SUPERVISED}
        if SUPERVISED in programs:
            for day in days_of:
                # Where nothing died there is nothing to start again: the day is the same.
                if futures[day, ALONE].result().deaths:
                    futures[day, SUPERVISED] = pool.submit(live_through, *day, SUPERVISED)
        found = {key: future.result() for key, future in futures.items()}
    alone = {day: found[day, ALONE] for day in days_of if ALONE in programs}
    return [
        found.get((day, program)) or replace(alone[day], program=program) for program in programs for day in days_of
    ]


def the_other_bot() -> tuple[bool, str]:
    """Whether the article's bot can be run here, and what to say of that. Does not return where another Python can."""
    version = importlib.metadata.version("bottom") if importlib.util.find_spec("bottom") else ""
    if BOTTOM.endswith(f"=={version}"):
        return True, f"The article's bot runs on bottom {version}, Python {sys.version.split()[0]}."
    found = newer.interpreter()
    if found is None:
        return False, _without(f"{BOTTOM} needs Python 3.12 or newer, and none was found")
    try:
        python = newer.environment(found, ".venv-presence", BOTTOM)
    except RuntimeError as error:
        return False, _without(f"{BOTTOM} could not be installed ({error})")
    sys.stdout.flush()
    sys.exit(bounded.run([python, *sys.argv]).returncode)


def _without(why: str) -> str:
    table.left_out("the article's bot", why)
    return f"The article's bot is left out: {why}."


def rows(results: Sequence[Result]) -> list[list[str]]:
    """A row for each day and program, all seeds together."""
    found = []
    for day, program in sorted({(r.day, r.program) for r in results}, key=lambda pair: (pair[0], ORDER.index(pair[1]))):
        of = [result for result in results if (result.day, result.program) == (day, program)]
        live, possible = sum(r.live_s for r in of), sum(r.possible_s for r in of)
        present = sum(r.present_s for r in of)
        found.append(
            [
                f"{day}: {program}",
                f"{present / live:.2%}",
                f"{present / possible:.2%}",
                f"{sum(r.points_paid for r in of) / max(1, sum(r.points_possible for r in of)):.2%}",
                f"{sum(r.joins for r in of):,}",
                str(max(r.joins_worst for r in of)),
                f"{sum(r.logins for r in of):,}",
                str(sum(r.violations for r in of)),
                str(sum(r.joins_after_ban for r in of)),
                str(sum(r.reconnects for r in of)),
                f"{sum(r.helix_calls for r in of):,}",
                str(sum(len(r.deaths) for r in of)),
                " ".join(_clock(r.last_s) for r in of),
            ]
        )
    return found


def figures(results: Sequence[Result]) -> list[Figure]:
    """A run is a day."""
    found = []
    for day, program in sorted({(r.day, r.program) for r in results}, key=lambda pair: (pair[0], ORDER.index(pair[1]))):
        shares = [100 * r.present_s / r.possible_s for r in results if (r.day, r.program) == (day, program)]
        goal = GOALS[day] if program == OURS else None
        found.append(Figure(f"Of what the oracle could have, {day} day: {program}", "%", shares, at_least=goal))
    return found


HEAD = (
    *("day: program", "capture", "of the oracle", "points", "JOINs", "worst 10 s", "logins", "over limits"),
    *("JOINs after ban", "reconnects", "Helix calls", "deaths", "last in a chat at"),
)


def _clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Capture of this program and of the article's bot.")
    parser.add_argument("--days", default="calm,stormy", help="of calm, stormy")
    parser.add_argument("--seeds", type=int, default=3, help="how many days of each kind")
    parser.add_argument("--channels", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    args = results_file.argument(parser).parse_args()
    names = args.days.split(",")
    if unknown := [name for name in names if name not in DAYS]:
        parser.error(f"--days: {unknown[0]!r} is none of {', '.join(DAYS)}")
    runs, note = the_other_bot()
    programs = [OURS, ALONE, SUPERVISED] if runs else [OURS]
    results = measure(names, list(range(1, args.seeds + 1)), args.channels, programs)
    if args.json:
        table.show_json({"note": note, "results": [asdict(result) for result in results]})
    notes = [
        note,
        "Capture: present while live, divided by live, by the sandbox's count.",
        "Of the oracle: the same divided by the most that any client could have had in that world.",
    ]
    title = f"{args.seeds} days of each kind, {args.channels} channels"
    if not args.json:
        table.show(title, HEAD, rows(results), notes)
    packages = ("bottom",) if runs else ()
    told = figures(results)
    sys.exit(results_file.finish(args, "presence", f"Presence: {title}", told, notes=notes, packages=packages))


if __name__ == "__main__":
    main()
