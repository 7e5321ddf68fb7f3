"""Ours against the parsers of other libraries, on the same bytes, each in a process of its own.

    python bench/scan.py [--lines N] [--untagged] [--rounds R] [--seconds S]

Every one gets the same 64 KiB pieces of the feed (bench/feed.py) and has to find the same lines: PING, RECONNECT,
NOTICE, ROOMSTATE, 366, own JOIN and PART, CLEARCHAT that names us. Ours is the whole `Session.receive`, so the lines
that matter are parsed and answered too. What counts is CPU time, the best pass of all rounds. Two floors stand beside:
counting the newlines, and cutting the bytes into lines.

The other libraries live in an environment of their own (.venv-bench), made by this script with pip, because some of
them want other versions of what we use; one that cannot be installed is left out with the reason.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import feed as feeds  # noqa: E402

NICK = feeds.NICK
ENVIRONMENT = HERE.parent / ".venv-bench"
PIECE = 65536
SIMPLE = {"PING", "RECONNECT", "NOTICE", "ROOMSTATE", "366"}
GOAL = 15.0

Found = Counter[str]
Reader = Callable[[list[bytes]], Found | None]


def lines_of(pieces: list[bytes]) -> Iterator[bytes]:
    """The framing for libraries that have none of their own."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\r\n")
        yield from lines


def tally(found: Found, command: str, nick: str, last: str) -> None:
    """Note a line that is not chat."""
    if command in SIMPLE:
        found[command] += 1
    elif command in ("JOIN", "PART"):
        if nick == NICK:
            found["own " + command] += 1
    elif command == "CLEARCHAT" and last == NICK:
        found["own CLEARCHAT"] += 1


# -- floors --------------------------------------------------------------------------------------------------------
def count_newlines(pieces: list[bytes]) -> None:
    for piece in pieces:
        piece.count(b"\n")


def split_lines(pieces: list[bytes]) -> None:
    for _ in lines_of(pieces):
        pass


# -- ours ----------------------------------------------------------------------------------------------------------
def ours() -> Reader:
    from allthepoints.base.secret import Secret
    from allthepoints.irc.events import Reconnect, RoomJoined, RoomParted, RoomRefused, WeTimedOut
    from allthepoints.irc.session import Session

    kinds = {RoomParted: "own PART", RoomRefused: "NOTICE", WeTimedOut: "own CLEARCHAT", Reconnect: "RECONNECT"}

    def read(pieces: list[bytes]) -> Found:
        session = Session(NICK, Secret("none"), 0.0)
        session.connected(0.0)
        session.receive(f":tmi.twitch.tv 001 {NICK} :hi\r\n".encode(), 0.0)
        session.outgoing()
        found: Found = Counter()
        for piece in pieces:
            for event in session.receive(piece, 1.0):
                # A proof of presence is one event, whichever line it came from.
                found["joined" if isinstance(event, RoomJoined) else kinds[type(event)]] += 1
        found["PING"] = session.outgoing().count(b"PONG :tmi.twitch.tv\r\n")
        return found

    return read


def scan_only() -> Reader:
    from allthepoints.irc.scan import Scanner

    def read(pieces: list[bytes]) -> Found:
        scanner = Scanner(NICK)
        return Counter({"lines": sum(len(scanner.feed(piece)) for piece in pieces)})

    return read


# -- theirs --------------------------------------------------------------------------------------------------------
def irctokens() -> Reader:
    library = importlib.import_module("irctokens")

    def read(pieces: list[bytes]) -> Found:
        found: Found = Counter()
        decoder = library.StatefulDecoder()
        for piece in pieces:
            for line in decoder.push(piece) or ():
                if line.command != "PRIVMSG":
                    nick = line.hostmask.nickname if line.source else ""
                    tally(found, line.command, nick, line.params[-1] if line.params else "")
        return found

    return read


def miniirc() -> Reader:
    parse = importlib.import_module("miniirc").ircv3_message_parser

    def read(pieces: list[bytes]) -> Found:
        found: Found = Counter()
        for line in lines_of(pieces):
            command, hostmask, _, args = parse(line.decode())
            if command != "PRIVMSG":
                tally(found, command, hostmask[0], args[-1].removeprefix(":") if args else "")
        return found

    return read


def pydle() -> Reader:
    parse = importlib.import_module("pydle.features.ircv3.tags").TaggedMessage.parse

    def read(pieces: list[bytes]) -> Found:
        found: Found = Counter()
        for line in lines_of(pieces):
            message = parse(line + b"\r\n")
            if message.command != "PRIVMSG":
                nick = (message.source or "").partition("!")[0]
                tally(found, str(message.command), nick, message.params[-1] if message.params else "")
        return found

    return read


def irc() -> Reader:
    client = importlib.import_module("irc.client")
    message = importlib.import_module("irc.message")
    events = importlib.import_module("irc.events")
    match = client._rfc_1459_command_regexp.match
    names = {"endofnames": "366"}

    def read(pieces: list[bytes]) -> Found:
        found: Found = Counter()
        for line in lines_of(pieces):
            group = match(line.decode()).group
            source = client.NickMask.from_group(group("prefix"))
            command = events.Command.lookup(group("command"))
            arguments = message.Arguments.from_group(group("argument"))
            message.Tag.from_group(group("tags"))
            name = names.get(command, command.upper())
            if name != "PRIVMSG":
                tally(found, name, source.nick if source else "", arguments[-1] if arguments else "")
        return found

    return read


def twitchio() -> Reader:
    parse = importlib.import_module("twitchio.parse").parser

    def read(pieces: list[bytes]) -> Found:
        found: Found = Counter()
        for line in lines_of(pieces):
            parsed = parse(line.decode().rstrip(), NICK)
            command = parsed["action"] or str(parsed.get("code") or "")
            if command != "PRIVMSG":
                tally(found, command, parsed.get("user") or "", "")
        return found

    return read


def twitchapi() -> Reader:
    kind = importlib.import_module("twitchAPI.chat").Chat
    chat = kind.__new__(kind)
    chat.logger = logging.getLogger("none")
    chat._channel_command_prefix = {}
    chat._prefix = "!"
    parse = chat._parse_irc_message

    def read(pieces: list[bytes]) -> Found:
        found: Found = Counter()
        for line in lines_of(pieces):
            parsed = parse(line.decode())
            if parsed is not None and parsed["command"]["command"] != "PRIVMSG":
                nick = (parsed["source"] or {}).get("nick") or ""
                tally(found, parsed["command"]["command"], nick.lstrip(":"), parsed["parameters"] or "")
        return found

    return read


def bottom() -> Reader:
    unpack = importlib.import_module("bottom.unpack").unpack_command
    names = {"RPL_ENDOFNAMES": "366"}

    def read(pieces: list[bytes]) -> Found:
        found: Found = Counter()
        for line in lines_of(pieces):
            try:
                command, values = unpack(line.decode())
            except ValueError:
                found["rejected"] += 1
                continue
            if command != "PRIVMSG":
                tally(found, names.get(command, command), values.get("nick", ""), "")
        return found

    return read


OURS: dict[str, Callable[[], Reader]] = {"allthepoints": ours, "its scan alone": scan_only}
FLOORS: dict[str, Callable[[], Reader]] = {
    "(count newlines)": lambda: count_newlines,
    "(split lines)": lambda: split_lines,
}
THEIRS: dict[str, tuple[str, Callable[[], Reader]]] = {
    "miniirc": ("miniirc", miniirc),
    "twitchAPI": ("twitchAPI", twitchapi),
    "irc": ("irc", irc),
    "TwitchIO 2.10": ("twitchio==2.10.0", twitchio),
    "irctokens": ("irctokens", irctokens),
    "pydle": ("pydle", pydle),
    "bottom": ("bottom", bottom),
}


# -- one, in its own process ---------------------------------------------------------------------------------------
def run_one(name: str, path: Path, seconds: float) -> None:
    """Print what one reader did as JSON: its best pass, and what it found."""
    logging.disable(logging.CRITICAL)
    factory = THEIRS[name][1] if name in THEIRS else {**OURS, **FLOORS}[name]
    feed = feeds.read(path)
    pieces = [feed.data[start : start + PIECE] for start in range(0, len(feed.data), PIECE)]
    reader = factory()
    best, spent, found = float("inf"), 0.0, None
    while spent < seconds:
        start = time.process_time()
        found = reader(pieces)
        took = time.process_time() - start
        best, spent = min(best, took), spent + took
    print(json.dumps({"seconds": best, "found": found}))


def is_right(name: str, found: dict[str, int] | None, truth: Counter[str]) -> str:
    """What to say of the findings."""
    if found is None:
        return "-"
    if name == "its scan alone":
        return "yes" if found["lines"] == sum(truth.values()) else "no"
    expected = dict(truth)
    if name == "allthepoints":
        expected["joined"] = sum(expected.pop(kind) for kind in ("own JOIN", "366", "ROOMSTATE"))
    wrong = {
        kind: found.get(kind, 0) - expected.get(kind, 0)
        for kind in {*expected, *found}
        if found.get(kind, 0) != expected.get(kind, 0)
    }
    return "yes" if not wrong else "no: " + ", ".join(f"{kind} {count:+d}" for kind, count in sorted(wrong.items()))


# -- all -----------------------------------------------------------------------------------------------------------
def prepare(packages: Iterable[str]) -> tuple[Path, dict[str, str]]:
    """The interpreter of the environment with the other libraries, and why some are not in it."""
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
    missing: dict[str, str] = {}
    for package in packages:
        name = package.partition("==")[0]
        if subprocess.run([python, "-m", "pip", "show", "-q", name], check=False, capture_output=True).returncode == 0:
            continue
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", package]
        done = subprocess.run(install, check=False, capture_output=True, text=True)
        if done.returncode:
            missing[package] = (done.stderr.strip().splitlines() or ["pip failed"])[-1][:80]
    return python, missing


def measure(args: argparse.Namespace, path: Path) -> tuple[dict[str, dict[str, object]], dict[str, str]]:
    """Best results of all rounds by name, and who is left out and why."""
    python, missing = prepare(package for package, _ in THEIRS.values())
    left_out = {name: missing[package] for name, (package, _) in THEIRS.items() if package in missing}
    results: dict[str, dict[str, object]] = {}
    for _ in range(args.rounds):
        for name in [*FLOORS, *OURS, *THEIRS]:
            if name in left_out:
                continue
            interpreter = str(python) if name in THEIRS else sys.executable
            command = [interpreter, __file__, "--one", name, "--feed", str(path), "--seconds", str(args.seconds)]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.returncode:
                left_out[name] = (done.stderr.strip().splitlines() or ["failed"])[-1][:80]
                continue
            result = json.loads(done.stdout)
            if name not in results or result["seconds"] < results[name]["seconds"]:
                results[name] = result
    return results, left_out


def report(args: argparse.Namespace, feed: feeds.Feed) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feed.bin"
        feeds.write(feed, path)
        results, left_out = measure(args, path)
    own = float(results["allthepoints"]["seconds"])  # type: ignore[arg-type]
    kind = "untagged" if args.untagged else "tagged"
    size, matter = len(feed.data) / feed.lines, sum(feed.truth.values())
    print(f"{feed.lines} {kind} lines of {size:.0f} bytes, {matter} of them matter")
    print(f"{'':18}{'lines/s':>12}{'us a line':>11}{'ours is':>10}  finds the same")
    for name, result in sorted(results.items(), key=lambda item: item[1]["seconds"]):  # type: ignore[arg-type, return-value]
        seconds = float(result["seconds"])  # type: ignore[arg-type]
        right = is_right(name, result["found"], feed.truth)  # type: ignore[arg-type]
        rate, each = feed.lines / seconds, seconds / feed.lines * 1e6
        print(f"{name:18}{rate:12,.0f}{each:11.2f}{seconds / own:9.1f}x  {right}")
    for name, why in left_out.items():
        print(f"{name:18}left out: {why}")
    # One that rejects the lines does not parse them.
    rivals = {
        name: float(result["seconds"])  # type: ignore[arg-type]
        for name, result in results.items()
        if name in THEIRS and not (result["found"] or {}).get("rejected")  # type: ignore[attr-defined]
    }
    if rivals:
        fastest = min(rivals, key=lambda name: rivals[name])
        print(
            f"ours is {rivals[fastest] / own:.1f} times {fastest}, the fastest of the others (goal, tagged: {GOAL:.0f})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Ours against the parsers of other libraries.")
    parser.add_argument("--lines", type=int, default=20000)
    parser.add_argument("--untagged", action="store_true")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU seconds for each, each round")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--feed", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        run_one(args.one, args.feed, args.seconds)
    else:
        report(args, feeds.make(args.lines, tagged=not args.untagged))


if __name__ == "__main__":
    main()
