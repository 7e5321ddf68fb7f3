"""A real hour in busy chats: does anything grow, what does it cost, and is every PING answered in time?

    python bench/busy.py [--seconds 3600] [--rate 5000] [--rooms 90] [--every 30] [--json] [--record]

Nothing is simulated but the servers: the command `allthepoints run` in a process of its own, with its dashboard, sits
in the sandbox's rooms over TLS, and gets so many lines a second there, each in a TLS record of its own, as from people
who type (the chat of bench/feed.py: nearly all PRIVMSG, many of which look like commands). Every so often its own
`/metrics` are read: memory, tasks, open files with sockets, CPU; and a PING is sent, whose PONG is awaited.

What is there at the end is compared with what was there once it had warmed up, after a tenth of the time.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import feed as feeds
import httpx2
import results
import start
import table
import trustme
from prometheus_client.parser import text_string_to_metric_families
from results import Figure

from allthepoints.base.clock import Chance, SystemClock
from allthepoints.config.settings import Channels
from allthepoints.sim.chat import ChatConnection
from allthepoints.sim.replies import HOST
from allthepoints.sim.scenario import Broadcast, ChannelPlan, Scenario
from allthepoints.sim.server import Sandbox

TICK = 0.01
"""Seconds between two goes of the senders."""

PATIENCE = 120.0
"""Seconds until all rooms must be there."""

PONG_WITHIN = 0.2
"""Seconds, for the median: in an hour other things go on on a machine, and they hold up both sides (bench/net.py has
the longest of a short run)."""

GROWTH = 1.05
"""Memory may grow by so much after the warm-up and still be called flat: an allocator's breath."""

AT_WORK = 4
"""Tasks, files more than before that a look may meet: a read, a connection that opens."""


@dataclass(frozen=True, slots=True)
class Look:
    """What there is at a moment. `at`: seconds from the first line; `cpu_s`: since the process began."""

    at: float
    rss_mb: float
    tasks: int
    files: int
    cpu_s: float
    lines: int
    rooms: int
    pong_s: float


class Talk:
    """What the people in the rooms say. It goes to every open connection of the account in turn."""

    def __init__(self, sandbox: Sandbox, lines: Sequence[bytes], rate: int) -> None:
        self._sandbox = sandbox
        self._lines = lines
        self._rate = rate
        self.sent = 0
        self.lost = 0
        """Lines for which nobody was there."""

    async def go_on(self) -> None:
        """For ever."""
        began = time.perf_counter()
        while True:
            due = int((time.perf_counter() - began) * self._rate)
            open_ = self._sandbox.hub.of(self._sandbox.account)
            for number in range(self.sent + self.lost, due):
                if not open_:
                    self.lost += 1
                    continue
                self._say(open_[number % len(open_)], self._lines[number % len(self._lines)])
            await asyncio.sleep(TICK)

    def _say(self, connection: ChatConnection, line: bytes) -> None:
        connection.say(line)
        self.sent += 1


async def measure(seconds: float, rate: int, rooms: int, every: float, folder: Path) -> list[Look]:
    """Looks at equal distances. Raises RuntimeError where it does not get into the rooms, or ends."""
    plans = tuple(ChannelPlan(f"streamer_{n}", broadcasts=(Broadcast(-600.0, 86400.0),)) for n in range(rooms))
    server, trusted = _certificates(folder)
    sandbox = Sandbox(Scenario(channels=plans), SystemClock(), ssl_context=server, chance=Chance(1))
    endpoints = await sandbox.start()
    address = f"127.0.0.1:{_free_port()}"
    running: asyncio.subprocess.Process | None = None
    talking: asyncio.Task[None] | None = None
    try:
        program = start.command(sandbox, endpoints, folder, address)
        running = await asyncio.create_subprocess_exec(
            *program,
            *("run", "--plain"),
            env=start.environment(sandbox) | {"SSL_CERT_FILE": str(trusted)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        await _rooms(sandbox, running, min(rooms, Channels().max_rooms))
        lines = [line for line in feeds.make(20_000).data.splitlines() if b" PRIVMSG #" in line]
        talk = Talk(sandbox, lines, rate)
        talking = asyncio.ensure_future(talk.go_on())
        found, began = [], time.perf_counter()
        async with httpx2.AsyncClient(base_url=f"http://{address}", timeout=30.0) as client:
            while (at := time.perf_counter() - began) < seconds:
                await asyncio.sleep(min(every, seconds - at))
                if talking.done():
                    talking.result()
                if running.returncode is not None:
                    raise RuntimeError("`allthepoints run` ended")
                look = await _look(client, sandbox)
                found.append(replace(look, at=time.perf_counter() - began, lines=talk.sent))
        if talk.lost:
            raise RuntimeError(f"{talk.lost:,} lines met no connection: it was lost meanwhile")
        return found
    finally:
        if talking is not None:
            talking.cancel()
        if running is not None:
            await start.end(running)
        await sandbox.stop()


def _certificates(folder: Path) -> tuple[ssl.SSLContext, Path]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return context, folder / "ca.pem"


async def _rooms(sandbox: Sandbox, running: asyncio.subprocess.Process, wanted: int) -> None:
    began = time.perf_counter()
    while len(sandbox.world.rooms(sandbox.account.id)) < wanted:
        await asyncio.sleep(0.1)
        if running.returncode is not None or time.perf_counter() - began > PATIENCE:
            raise RuntimeError(f"`allthepoints run` did not come to {wanted} rooms")


async def _look(client: httpx2.AsyncClient, sandbox: Sandbox) -> Look:
    pong = await _pong(sandbox)
    answer = await client.get("/metrics")
    said = {
        sample.name: sample.value
        for family in text_string_to_metric_families(answer.raise_for_status().text)
        for sample in family.samples
        if not sample.labels
    }
    return Look(
        at=0.0,
        rss_mb=said["process_resident_memory_bytes"] / 1e6,
        tasks=int(said["allthepoints_tasks"]),
        files=int(said["process_open_fds"]),
        cpu_s=said["process_cpu_seconds_total"],
        lines=0,
        rooms=len(sandbox.world.rooms(sandbox.account.id)),
        pong_s=pong,
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


async def _pong(sandbox: Sandbox) -> float:
    """Seconds from a PING to its PONG; of several connections the longest."""
    return max(await asyncio.gather(*(_pong_of(one) for one in sandbox.hub.of(sandbox.account))))


async def _pong_of(connection: ChatConnection) -> float:
    began, before = time.perf_counter(), connection.pongs
    connection.say(f"PING :{HOST}")
    while connection.pongs == before:
        await asyncio.sleep(0.001)
        if time.perf_counter() - began > PATIENCE:
            raise RuntimeError("a PING was not answered")
    return time.perf_counter() - began


# -- telling -----------------------------------------------------------------------------------------------------------
def figures(looks: Sequence[Look]) -> list[Figure]:
    """A run is a look; what must be flat is the last look against the first after the warm-up."""
    warm = next(look for look in looks if look.at >= looks[-1].at / 10)
    last = looks[-1]
    seconds, lines = last.at - warm.at, last.lines - warm.lines
    after = f"After {last.at / 60:,.0f} min"
    each = (last.cpu_s - warm.cpu_s) / max(1, lines)
    return [
        Figure("Lines a second that it got", "lines/s", [lines / seconds] if seconds else [0.0]),
        Figure("Rooms at each look", "", [look.rooms for look in looks], at_least=warm.rooms, every=True),
        Figure("CPU of one core, in all", "%", [100 * (last.cpu_s - warm.cpu_s) / seconds] if seconds else [0.0]),
        Figure("CPU a line, with all the rest of the program", "us", [1e6 * each]),
        Figure(f"{after}: memory (RSS)", "MB", [last.rss_mb], at_most=warm.rss_mb * GROWTH),
        Figure(f"{after}: tasks", "", [last.tasks], at_most=warm.tasks + AT_WORK),
        Figure(f"{after}: open files and sockets", "", [last.files], at_most=warm.files + AT_WORK),
        Figure("From a PING to its PONG", "ms", [1000 * look.pong_s for look in looks], at_most=1000 * PONG_WITHIN),
    ]


def show(looks: Sequence[Look], title: str) -> None:
    some = looks[:: max(1, len(looks) // 12)]
    rows = [
        (
            f"{look.at / 60:.1f} min",
            f"{look.rss_mb:.1f} MB",
            str(look.tasks),
            str(look.files),
            f"{look.cpu_s:.1f} s",
            f"{look.lines:,}",
            str(look.rooms),
            f"{1000 * look.pong_s:.0f} ms",
        )
        for look in (some if some[-1] is looks[-1] else [*some, looks[-1]])
    ]
    notes = [
        f"{figure.claim}: {statistics.median(figure.runs):.4g} {figure.unit}".rstrip()
        + ("" if figure.holds() is None else f" ({table.holds(bool(figure.holds()))})")
        for figure in figures(looks)
    ]
    table.show(title, ("after", "memory", "tasks", "files", "CPU", "lines", "rooms", "PONG"), rows, notes)


def main() -> None:
    parser = argparse.ArgumentParser(description="A real hour in busy chats.")
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--rate", type=int, default=5000, help="lines a second")
    parser.add_argument("--rooms", type=int, default=90)
    parser.add_argument("--every", type=float, default=30.0, help="seconds between two looks")
    parser.add_argument("--json", action="store_true")
    args = results.argument(parser).parse_args()
    if sys.platform != "linux":
        table.left_out("busy", "this system does not tell what a process holds")
        parser.exit(0)
    with tempfile.TemporaryDirectory() as folder:
        looks = asyncio.run(measure(args.seconds, args.rate, args.rooms, args.every, Path(folder)))
    title = f"{args.seconds / 60:,.0f} minutes at {args.rate:,} lines a second, over TLS"
    if args.json:
        table.show_json([asdict(look) for look in looks])
    else:
        show(looks, title)
    sys.exit(results.finish(args, "busy", title, figures(looks)))


if __name__ == "__main__":
    main()
