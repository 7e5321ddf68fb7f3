"""What a busy chat costs on a real TLS connection: ours, a blocking loop that throws everything away, and readline.

    python bench/net.py [--rates 2000 10000] [--seconds S] [--rounds R] [--json] [--record]

A process sends lines of the feed (bench/feed.py) over loopback at a steady rate, each in a TLS record of its own, as a
server does whose users type. Another process receives; its CPU time is what counts, divided by the lines, and as a
ratio to the blocking loop in the same table. Beside it the time from a PING to its PONG, as the sender sees it.
Receivers are measured in turn, round after round. The table shows the best round of each; what is recorded is each
round's own ratio.

A processor that rests lowers its clock, by nearly a half, and who sleeps most would look the dearest for it: so a
process of the lowest priority (SCHED_IDLE, where there is one) keeps the receiver's core awake, whoever receives.

* blocking discard: `recv_into` in a loop, nothing else. It answers no PING. The least that a reader who wakes for every
  record can spend.
* readline: asyncio's `StreamReader.readline` and a look at each line: what an ordinary client does.
* allthepoints: TcpChat with its default tick, parsing and answering. Also on uvloop, where it is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import json
import os
import select
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import trustme

sys.path.insert(0, str(Path(__file__).resolve().parent))

import feed as feeds
import results
import table
from results import Figure

NICK = feeds.NICK
OURS = "allthepoints"
LIMIT = "blocking discard"
GOALS = {2000: 0.5, 10000: 0.3}
PONG_GOAL = 0.2
PING_EVERY = 0.25
SENDING, RECEIVING = 0, 1
"""Cores."""
AWAKE = b"awake\n"
CAN_STAY_AWAKE = hasattr(os, "SCHED_IDLE") and (os.cpu_count() or 1) > 1


def pin(cpu: int) -> None:
    """Sender and receiver on cores of their own, where that can be said."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {cpu})


@contextlib.contextmanager
def awake() -> Iterator[int | None]:
    """All the while a process, whose id is given, takes what nobody else wants of the receiver's core."""
    if not CAN_STAY_AWAKE:
        yield None
        return
    command = [sys.executable, __file__, "--awake", str(os.getpid())]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline() != AWAKE:
                raise RuntimeError("the receiver's core cannot be kept awake: its process did not start")
            yield process.pid
        finally:
            process.kill()


def keep_awake(asker: int) -> None:
    """Until it is killed, or the process that asked for it is gone."""
    pin(RECEIVING)
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    print(AWAKE.decode(), end="", flush=True)
    while os.getppid() == asker:
        pass


# -- the sender ----------------------------------------------------------------------------------------------------
class Sender:
    """Serves one connection: the lines at the rate, PINGs between them, and how long each PONG took."""

    def __init__(self, sock: ssl.SSLSocket, lines: list[bytes], rate: int, seconds: float) -> None:
        self._sock = sock
        self._lines = lines
        self._rate = rate
        self._count = int(rate * seconds)
        self._pinged: dict[bytes, float] = {}
        self._heard = b""
        self.pongs: list[float] = []

    def run(self) -> None:
        self._sock.sendall(f":tmi.twitch.tv 001 {NICK} :hi\r\n".encode())
        self._listen(0.3)
        start = time.perf_counter()
        sent, next_ping = 0, PING_EVERY
        while sent < self._count:
            now = time.perf_counter() - start
            if now >= next_ping:
                self._ping()
                next_ping += PING_EVERY
            for _ in range(min(self._count, int(now * self._rate) + 1) - sent):
                self._sock.sendall(self._lines[sent % len(self._lines)])
                sent += 1
            self._listen(min(0.0005, max(0.0, start + sent / self._rate - time.perf_counter())))
        self._listen(0.1)

    def _ping(self) -> None:
        token = b"%d" % len(self._pinged)
        self._pinged[token] = time.perf_counter()
        self._sock.sendall(b"PING :" + token + b"\r\n")

    def _listen(self, seconds: float) -> None:
        """Read what the client says for a while."""
        until = time.perf_counter() + seconds
        while True:
            left = max(0.0, until - time.perf_counter())
            if not select.select([self._sock], [], [], left)[0]:
                return
            *lines, self._heard = (self._heard + self._sock.recv(4096)).split(b"\r\n")
            now = time.perf_counter()
            for line in lines:
                if line.startswith(b"PONG :") and (at := self._pinged.pop(line[6:], None)):
                    self.pongs.append(now - at)


def send(args: argparse.Namespace) -> None:
    """The sender's process: prints its port, serves one connection, prints the PONG times."""
    pin(SENDING)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(args.folder / "cert.pem", args.folder / "key.pem")
    lines = feeds.read(args.folder / "feed.bin").data.splitlines(keepends=True)
    # The server's PINGs are ours to time.
    lines = [line for line in lines if not line.startswith(b"PING")]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        accepted, _ = listening.accept()
    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with context.wrap_socket(accepted, server_side=True) as sock:
        sender = Sender(sock, lines, args.rate, args.seconds)
        sender.run()
        with contextlib.suppress(OSError):
            sock.unwrap()
    print(json.dumps(sender.pongs), flush=True)


# -- the receivers: each returns its CPU seconds from the connection to its end ------------------------------------
def blocking_discard(port: int, context: ssl.SSLContext) -> float:
    buffer = memoryview(bytearray(262144))
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1") as sock:
        start = time.process_time()
        while sock.recv_into(buffer):
            pass
        return time.process_time() - start


async def _readline(port: int, context: ssl.SSLContext) -> float:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, limit=262144)
    start = time.process_time()
    own = f":{NICK}!".encode()
    found = 0
    while line := await reader.readline():
        if line[:1] == b"@":
            line = line.partition(b" ")[2]
        source = b""
        if line[:1] == b":":
            source, _, line = line.partition(b" ")
        command, _, rest = line.partition(b" ")
        if command == b"PING":
            writer.write(b"PONG " + rest)
        elif command in (b"NOTICE", b"ROOMSTATE", b"RECONNECT", b"366"):
            found += 1
        elif command in (b"JOIN", b"PART"):
            found += source.startswith(own)
    spent = time.process_time() - start
    writer.close()
    return spent


async def _ours(port: int, context: ssl.SSLContext) -> float:
    from allthepoints.base.clock import SystemClock
    from allthepoints.base.secret import Secret
    from allthepoints.irc.session import Session
    from allthepoints.twitch.chat import TcpChat

    clock = SystemClock()
    lost = asyncio.get_running_loop().create_future()
    session = Session(NICK, Secret("none"), clock.now())
    chat = TcpChat(f"ircs://127.0.0.1:{port}", clock, context)
    await chat.open(session, lambda events: None, lost.set_result)
    start = time.process_time()
    await lost
    return time.process_time() - start


def readline(port: int, context: ssl.SSLContext) -> float:
    return asyncio.run(_readline(port, context))


def ours(port: int, context: ssl.SSLContext) -> float:
    return asyncio.run(_ours(port, context))


def ours_uvloop(port: int, context: ssl.SSLContext) -> float:
    import uvloop

    return float(uvloop.run(_ours(port, context)))


RECEIVERS: dict[str, Callable[[int, ssl.SSLContext], float]] = {
    LIMIT: blocking_discard,
    "readline": readline,
    OURS: ours,
    "allthepoints on uvloop": ours_uvloop,
}


def receive(args: argparse.Namespace) -> None:
    """The receiver's process: prints its CPU seconds."""
    pin(RECEIVING)
    context = ssl.create_default_context(cafile=str(args.folder / "ca.pem"))
    print(RECEIVERS[args.receive](args.port, context))


# -- all -----------------------------------------------------------------------------------------------------------
def one_run(name: str, rate: int, seconds: float, folder: Path) -> tuple[float, list[float]]:
    """CPU microseconds a line, and the PONG times."""
    base = [sys.executable, __file__, "--folder", str(folder)]
    sending = subprocess.Popen(
        [*base, "--send", "--rate", str(rate), "--seconds", str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert sending.stdout is not None
    port = sending.stdout.readline().strip()
    received = subprocess.run([*base, "--receive", name, "--port", port], check=True, capture_output=True, text=True)
    pongs = json.loads(sending.communicate(timeout=60)[0])
    return float(received.stdout) / (rate * seconds) * 1e6, pongs


def prepare(folder: Path, lines: int) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    cert = authority.issue_cert("127.0.0.1")
    cert.private_key_pem.write_to_path(folder / "key.pem")
    for blob in cert.cert_chain_pems:
        blob.write_to_path(folder / "cert.pem", append=True)
    feeds.write(feeds.make(lines), folder / "feed.bin")


@dataclass(frozen=True, slots=True)
class Result:
    """One receiver at one rate, round by round: CPU microseconds a line, and seconds from each PING to its PONG."""

    rate: int
    name: str
    each: list[float]
    pongs: list[list[float]]

    def waits(self) -> list[float]:
        """All rounds' PONGs."""
        return [seconds for times in self.pongs for seconds in times]


def measure(rates: Sequence[int], rounds: int, seconds: float) -> list[Result]:
    """Every receiver that can be had here, at every rate."""
    names = [name for name in RECEIVERS if "uvloop" not in name or importlib.util.find_spec("uvloop")]
    found = [Result(rate, name, [], []) for rate in rates for name in names]
    with tempfile.TemporaryDirectory() as text, awake():
        folder = Path(text)
        prepare(folder, 10000)
        for rate in rates:
            for _ in range(rounds):
                for result in found:
                    if result.rate == rate:
                        each, pongs = one_run(result.name, rate, seconds, folder)
                        result.each.append(each)
                        result.pongs.append(pongs)
    return found


def figures(found: Sequence[Result]) -> list[Figure]:
    """A run is a round; a ratio is to the blocking loop of the same round."""
    limits = {result.rate: result.each for result in found if result.name == LIMIT}
    made = []
    for result in found:
        where = f"{result.name}, {result.rate:,} lines/s"
        own, limit = result.name == OURS, limits[result.rate]
        if result.name != LIMIT:
            ratios = [each / least for each, least in zip(result.each, limit, strict=True)]
            goal = GOALS.get(result.rate) if own else None
            made.append(Figure(f"CPU a line, times that of receive and discard: {where}", "", ratios, at_most=goal))
        if worst := [1000 * max(times) for times in result.pongs if times]:
            most = 1000 * PONG_GOAL if own else None
            made.append(Figure(f"From a PING to its PONG, the longest: {where}", "ms", worst, at_most=most, every=own))
        made.append(Figure(f"CPU a line: {where}", "us", result.each))
    return made


def show(found: Sequence[Result]) -> None:
    head = ("lines/s: receiver", "CPU us a line", "of blocking", "goal", "PONG median", "worst", "goal")
    limits = {result.rate: min(result.each) for result in found if result.name == LIMIT}
    rows = []
    for result in found:
        best, waits = min(result.each), result.waits()
        ratio, own = best / limits[result.rate], result.name == OURS
        goal = GOALS.get(result.rate) if own else None
        rows.append(
            (
                f"{result.rate:,}: {result.name}",
                f"{best:.1f}",
                f"{ratio:.2f}",
                "" if goal is None else f"{goal}: {table.holds(ratio <= goal)}",
                f"{statistics.median(waits) * 1e3:.1f} ms" if waits else "",
                f"{max(waits) * 1e3:.0f} ms" if waits else "",
                f"{PONG_GOAL * 1e3:.0f} ms: {table.holds(max(waits) <= PONG_GOAL)}" if own and waits else "",
            )
        )
    table.show("A busy chat over TLS, a record a line", head, rows, notes(found))


def notes(found: Sequence[Result]) -> list[str]:
    missing = [name for name in RECEIVERS if name not in {result.name for result in found}]
    kept = "kept awake, so that all have the same clock" if CAN_STAY_AWAKE else "not kept awake"
    return [
        f"Not installed, so left out: {'; '.join(missing)}." if missing else "All receivers are here.",
        f"The receiver's core is {kept}.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="What a busy chat costs on a real TLS connection.")
    parser.add_argument("--rates", type=int, nargs="+", default=[2000, 10000])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    for hidden, kind in (("--folder", Path), ("--port", int), ("--rate", int), ("--receive", str), ("--awake", int)):
        parser.add_argument(hidden, type=kind, help=argparse.SUPPRESS)
    parser.add_argument("--send", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    args = results.argument(parser).parse_args()
    if args.send:
        send(args)
    elif args.receive:
        receive(args)
    elif args.awake is not None:
        keep_awake(args.awake)
    else:
        found = measure(args.rates, args.rounds, args.seconds)
        if args.json:
            table.show_json([asdict(result) for result in found])
        else:
            show(found)
        packages = ["uvloop"] if importlib.util.find_spec("uvloop") else []
        title = "A busy chat over TLS: CPU and PONG"
        sys.exit(results.finish(args, "net", title, figures(found), notes=notes(found), packages=packages))


if __name__ == "__main__":
    main()
