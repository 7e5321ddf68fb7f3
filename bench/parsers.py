"""How every parser of bench/scan.py is driven: it gets the pieces of the feed, and counts the lines that matter.

    python bench/parsers.py NAME FEED [--seconds S]

One of them, in this process: prints as JSON its best pass in CPU seconds, and what it found. It is the interpreter of
the other libraries' own environment that runs this for them, so nothing of this project may be needed for it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import bounded
import feed as feeds
from rivals import Found, tally

NICK = feeds.NICK
PIECE = 65536

Reader = Callable[[list[bytes]], Found | None]


def lines_of(pieces: list[bytes]) -> Iterator[bytes]:
    """The framing for libraries that have none of their own."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\r\n")
        yield from lines


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


# -- all -----------------------------------------------------------------------------------------------------------
WE = "allthepoints"
ALONE = "its scan alone"
OURS: dict[str, Callable[[], Reader]] = {WE: ours, ALONE: scan_only}
FLOORS: dict[str, Callable[[], Reader]] = {
    "(count newlines)": lambda: count_newlines,
    "(split lines)": lambda: split_lines,
}
THEIRS: dict[str, Callable[[], Reader]] = {
    "miniirc": miniirc,
    "twitchAPI": twitchapi,
    "irc": irc,
    "TwitchIO 2.10": twitchio,
    "irctokens": irctokens,
    "pydle": pydle,
    "bottom": bottom,
}


def run(name: str, path: Path, seconds: float) -> None:
    """Print what one reader did, passing over the feed for so many CPU seconds."""
    logging.disable(logging.CRITICAL)
    feed = feeds.read(path)
    pieces = [feed.data[start : start + PIECE] for start in range(0, len(feed.data), PIECE)]
    reader = {**OURS, **FLOORS, **THEIRS}[name]()
    best, spent, found = float("inf"), 0.0, None
    while spent < seconds:
        start = time.process_time()
        found = reader(pieces)
        took = time.process_time() - start
        best, spent = min(best, took), spent + took
    print(json.dumps({"seconds": best, "found": found}))


def main() -> None:
    bounded.begin()
    parser = argparse.ArgumentParser(description="One parser over the feed.")
    parser.add_argument("name", choices=[*OURS, *FLOORS, *THEIRS])
    parser.add_argument("feed", type=Path)
    parser.add_argument("--seconds", type=float, default=1.0)
    args = parser.parse_args()
    run(args.name, args.feed, args.seconds)


if __name__ == "__main__":
    main()
