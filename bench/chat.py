"""The whole way of chat, from the socket to what a program is told: ours against other libraries' clients.

    python bench/chat.py [--lines N] [--times T] [--rounds R] [--json] [--record]

A server on loopback sends the feed (bench/feed.py) as fast as it is taken, without TLS: over TCP, or over a WebSocket
to those who know nothing else, in frames of 64 KiB, which is kinder than Twitch. Each client (bench/chat_clients.py)
reads it in a process of its own, by its own connection, framing, parser and dispatch, to handlers of the events that it
has. What counts is CPU time, from being connected to the last line. Beside them a loop that receives and throws away.

Who has nothing to tell of a line (no event for it) has not found it, which is told. `bottom` cannot read tags and never
asks for them: it gets the same chat without. It runs on a newer Python (bench/newer.py), the others on this one.
The fast ones get the feed --times over, so that there is something to measure.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import feed as feeds
import newer
import results
import rivals
import table
from chat_clients import END, HOST, LIMIT, OURS, THEIRS, WE
from results import Figure

CLIENTS = Path(__file__).resolve().parent / "chat_clients.py"
NICK = feeds.NICK
PIECE = 65536
PATIENCE = 120.0
"""Seconds that a client may take."""

BOTTOM = "bottom"
BOTTOM_PACKAGE = "bottom==3.0.0"
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""Of RFC 6455."""


@dataclass(frozen=True, slots=True)
class Result:
    """CPU microseconds a line, round by round. `wrong`: what it told and was not there, or the reverse, by kind."""

    name: str
    lines: int
    each_us: list[float]
    wrong: dict[str, int] | None

    @property
    def best(self) -> float:
        return min(self.each_us)


# -- the server ----------------------------------------------------------------------------------------------------
class Line:
    """The server's end of a connection. It speaks WebSocket if the other end begins with it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._web = False

    def greet(self) -> None:
        """Wait for the first words. Who looks at nothing says nothing: then there is nothing to do."""
        self._sock.settimeout(0.2)
        try:
            first = self._sock.recv(65536)
        except TimeoutError:
            first = b""
        self._sock.settimeout(PATIENCE)
        if first.startswith(b"GET "):
            key = re.search(rb"(?im)^sec-websocket-key: *(\S+)", first)
            assert key is not None, first
            accept = base64.b64encode(hashlib.sha1(key[1] + MAGIC, usedforsecurity=False).digest())
            upgrade = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            self._sock.sendall(upgrade + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
            self._web = True
        self.send(f":tmi.twitch.tv 001 {NICK} :hi\r\n".encode())

    def send(self, data: bytes) -> None:
        """Whole lines, in pieces; a frame ends with a line."""
        start = 0
        while start < len(data):
            end = data.rfind(b"\n", start, start + PIECE) + 1
            piece = data[start:end]
            self._sock.sendall(self._header(len(piece)) + piece if self._web else piece)
            start = end

    def pongs(self) -> int:
        """How many PONGs have come; it waits for no more."""
        self._sock.settimeout(0.2)
        heard = b""
        try:
            while piece := self._sock.recv(65536):
                heard += piece
        except OSError:
            pass
        return heard.count(b"PONG ")

    @staticmethod
    def _header(size: int) -> bytes:
        """Of a text frame."""
        if size < 126:
            return bytes((0x81, size))
        return b"\x81\x7e" + size.to_bytes(2, "big") if size < 65536 else b"\x81\x7f" + size.to_bytes(8, "big")


def one_run(name: str, python: str, data: bytes) -> tuple[float, dict[str, int]]:
    """CPU seconds for the data and the end behind it, and what was told. Raises RuntimeError with what it said."""
    data += f":{NICK}!{NICK}@{NICK}.tmi.twitch.tv PART #{END}\r\n".encode()
    with socket.create_server((HOST, 0)) as listening, _client(name, python, listening, len(data)) as client:
        try:
            listening.settimeout(30.0)
            sock, _ = listening.accept()
        except TimeoutError:
            client.kill()
            raise RuntimeError(_last(client)) from None
        with sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line = Line(sock)
            line.greet()
            assert client.stdout is not None
            if client.stdout.readline().strip() != "ready":
                raise RuntimeError(_last(client))
            try:
                line.send(data)
            except OSError as error:
                raise RuntimeError(f"it left: {error}") from error
            told = client.stdout.readline()
            if not told:
                raise RuntimeError(_last(client))
            found = json.loads(told)
            pongs = line.pongs() if name == WE else 0
    return float(found["seconds"]), found["found"] | ({"PING": pongs} if pongs else {})


@contextmanager
def _client(name: str, python: str, listening: socket.socket, size: int) -> Iterator[subprocess.Popen[str]]:
    port = listening.getsockname()[1]
    command = [python, str(CLIENTS), name, str(port), "--size", str(size)]
    client = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    alarm = threading.Timer(PATIENCE, client.kill)
    alarm.start()
    try:
        yield client
    finally:
        alarm.cancel()
        client.kill()
        client.communicate()


def _last(client: subprocess.Popen[str]) -> str:
    client.kill()
    return (client.communicate()[1].strip().splitlines() or ["it ended"])[-1][:80]


# -- all -----------------------------------------------------------------------------------------------------------
def interpreters() -> tuple[dict[str, str], dict[str, str]]:
    """With which Python each client runs, and why some cannot."""
    mine = [name for name in THEIRS if name != BOTTOM]
    left_out = rivals.prepare(mine)
    found = dict.fromkeys(OURS, sys.executable) | {name: str(rivals.PYTHON) for name in mine if name not in left_out}
    new = newer.interpreter()
    if new is None:
        left_out[BOTTOM] = f"{BOTTOM_PACKAGE} needs Python 3.12 or newer, and none was found"
        return found, left_out
    try:
        found[BOTTOM] = str(newer.environment(new, ".venv-presence", BOTTOM_PACKAGE))
    except RuntimeError as error:
        left_out[BOTTOM] = str(error)
    return found, left_out


def measure(pythons: Mapping[str, str], lines: int, times: int, rounds: int) -> tuple[list[Result], dict[str, str]]:
    """All of these, and who is left out and why."""
    left_out: dict[str, str] = {}
    tagged, bare = feeds.make(lines), feeds.make(lines, tagged=False)
    found: dict[str, Result] = {}
    for _ in range(rounds):
        for name, python in pythons.items():
            if name in left_out:
                continue
            feed, often = (bare if name == BOTTOM else tagged), (times if name in OURS else 1)
            try:
                seconds, told = one_run(name, python, feed.data * often)
            except RuntimeError as error:
                if name in OURS:
                    raise
                left_out[name] = str(error)
                found.pop(name, None)
                continue
            truth = {kind: count * often for kind, count in feed.truth.items()}
            truth = rivals.ours(truth, tagged=True) if name == WE else truth
            wrong = None if name == LIMIT else rivals.differences(told, truth)
            result = found.setdefault(name, Result(name, feed.lines * often, [], wrong))
            result.each_us.append(seconds / result.lines * 1e6)
    return list(found.values()), left_out


def ratios(found: Sequence[Result]) -> dict[str, list[float]]:
    """How many times our CPU each of them took, in each round."""
    own = next(result for result in found if result.name == WE)
    return {
        result.name: [theirs / mine for theirs, mine in zip(result.each_us, own.each_us, strict=True)]
        for result in found
        if result is not own
    }


def figures(found: Sequence[Result]) -> list[Figure]:
    """A run is a round."""
    made = [Figure(f"CPU, times ours: {name}", "", times) for name, times in ratios(found).items()]
    for result in sorted(found, key=lambda result: result.best):
        rates = [1e6 / each for each in result.each_us]
        made.append(Figure(f"Lines in a CPU second: {result.name}", "", rates))
        if result.name == WE:
            missed = sum(map(abs, (result.wrong or {}).values()))
            made.append(Figure("Lines missed or made up by ours", "", [missed], at_most=0, every=True))
    return made


def notes(found: Sequence[Result], left_out: Mapping[str, str], pythons: Mapping[str, str]) -> list[str]:
    """What the others are, what they miss, and who is not there."""
    others = [rivals.versions(pythons[one.name], [one.name]) for one in found if one.name in THEIRS]
    wrongs = [f"{one.name} ({rivals.told(one.wrong)})" for one in found if one.name in THEIRS and one.wrong]
    return [
        *([f"The others: {', '.join(others)}."] if others else []),
        *([f"Not told of, or told of and not there: {'; '.join(wrongs)}."] if wrongs else []),
        *(["bottom gets the chat without tags, and a newer Python."] if BOTTOM not in left_out else []),
        *(f"{name} is left out: {why}." for name, why in left_out.items()),
    ]


def show(found: Sequence[Result], said: Sequence[str]) -> None:
    rows = rivals.compared({result.name: (result.best, result.wrong) for result in found}, WE)
    table.show("From the socket to what is told", ("", "lines/s", "us a line", "ours is", "tells the same"), rows, said)


def main() -> None:
    parser = argparse.ArgumentParser(description="The whole way of chat: ours against other libraries' clients.")
    parser.add_argument("--lines", type=int, default=20000)
    parser.add_argument("--times", type=int, default=20, help="how often ours, and the limit, get them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = results.argument(parser).parse_args()
    pythons, missing = interpreters()
    found, failed = measure(pythons, args.lines, args.times, args.rounds)
    left_out = missing | failed
    said = notes(found, left_out, pythons)
    if args.json:
        table.show_json({"results": [asdict(result) for result in found], "left_out": left_out})
    else:
        show(found, said)
    title = "The whole way of chat, from the socket to what is told"
    sys.exit(results.finish(args, "chat", title, figures(found), notes=said))


if __name__ == "__main__":
    main()
