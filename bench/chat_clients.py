"""The clients of bench/chat.py: each connects, gets the feed by its own way of reading, and tells what it was told of.

    python bench/chat_clients.py NAME PORT [--size BYTES]

One of them, in this process. It prints `ready` when it is connected; from there to the last line its CPU time counts,
which is printed as JSON with what was told. It is the interpreter of the other libraries' own environments that runs
this for them, so nothing of this project may be needed for it, and none of their modules until its turn comes.

Each is used as its documentation says, with a handler for every event of its own that is of use here. Where a library
would act on what it reads by connecting anew (RECONNECT), it is kept from that, and the call is counted.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import logging
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import bounded
import feed as feeds

NICK = feeds.NICK
HOST = "127.0.0.1"
END = "the_end"
"""Our own PART of this room is the last line."""

WE = "allthepoints"
LIMIT = "(receive and discard)"


class Watch:
    """What was told, and the clock."""

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()
        self.over = threading.Event()
        self.seconds = 0.0
        self.on_end: Callable[[], object] = lambda: None

    def ready(self) -> None:
        print("ready", flush=True)
        self._began = time.process_time()

    def tell(self, kind: str) -> None:
        self.found[kind] += 1

    def moved(self, what: str, nick: str, room: str) -> None:
        """A JOIN or PART of anybody."""
        if nick != NICK:
            return
        if room.lstrip("#") == END:
            self.end()
        else:
            self.tell(f"own {what}")

    def end(self) -> None:
        self.seconds = time.process_time() - self._began
        self.over.set()
        self.on_end()


class Ending(asyncio.Event):
    """Set when the watch is over."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        loop = asyncio.get_running_loop()
        watch.on_end = lambda: loop.call_soon_threadsafe(self.set)


# -- ours, and the limit -------------------------------------------------------------------------------------------
def discard(port: int, size: int, watch: Watch) -> None:
    buffer = memoryview(bytearray(262144))
    with socket.create_connection((HOST, port)) as sock:
        watch.ready()
        while size > 0:
            size -= sock.recv_into(buffer)
        watch.end()


def ours(port: int, _size: int, watch: Watch) -> None:
    asyncio.run(_ours(port, watch))


async def _ours(port: int, watch: Watch) -> None:
    from allthepoints.base.clock import SystemClock
    from allthepoints.base.secret import Secret
    from allthepoints.irc.events import Reconnect, RoomJoined, RoomParted, RoomRefused, WeTimedOut
    from allthepoints.irc.session import Session
    from allthepoints.twitch.chat import TcpChat

    kinds = {RoomRefused: "NOTICE", WeTimedOut: "own CLEARCHAT", Reconnect: "RECONNECT", RoomJoined: "joined"}

    def on_events(events: Any) -> None:
        for event in events:
            if isinstance(event, RoomParted):
                watch.moved("PART", NICK, event.channel)
            elif type(event) in kinds:
                watch.tell(kinds[type(event)])

    clock, ending = SystemClock(), Ending(watch)
    session = Session(NICK, Secret("none"), clock.now())
    await TcpChat(f"irc://{HOST}:{port}", clock).open(session, on_events, lambda _why: ending.set())
    watch.ready()
    await ending.wait()


# -- theirs --------------------------------------------------------------------------------------------------------
def irc(port: int, _size: int, watch: Watch) -> None:
    client = importlib.import_module("irc.client")
    reactor = client.Reactor()

    def moved(_connection: Any, event: Any) -> None:
        watch.moved(event.type.upper(), event.source.nick, event.target)

    def cleared(_connection: Any, event: Any) -> None:
        if event.arguments and event.arguments[-1] == NICK:
            watch.tell("own CLEARCHAT")

    kinds = {"ping": "PING", "reconnect": "RECONNECT", "pubnotice": "NOTICE", "roomstate": "ROOMSTATE"}
    for name, kind in {**kinds, "endofnames": "366"}.items():
        reactor.add_global_handler(name, lambda _connection, _event, kind=kind: watch.tell(kind))
    for name in ("join", "part"):
        reactor.add_global_handler(name, moved)
    reactor.add_global_handler("clearchat", cleared)
    reactor.server().connect(HOST, port, NICK)
    watch.ready()
    while not watch.over.is_set():
        reactor.process_once(0.2)


def bottom(port: int, _size: int, watch: Watch) -> None:
    asyncio.run(_bottom(port, watch))


async def _bottom(port: int, watch: Watch) -> None:
    client = importlib.import_module("bottom").Client(HOST, port, ssl=False)
    ending = Ending(watch)

    @client.on("PING")
    async def ping(message: str, **_: Any) -> None:
        watch.tell("PING")
        await client.send("PONG", message=message)

    @client.on("NOTICE")
    async def notice(**_: Any) -> None:
        watch.tell("NOTICE")

    @client.on("RPL_ENDOFNAMES")
    async def names(**_: Any) -> None:
        watch.tell("366")

    @client.on("JOIN")
    async def join(nick: str, channel: str, **_: Any) -> None:
        watch.moved("JOIN", nick, channel)

    @client.on("PART")
    async def part(nick: str, channel: str, **_: Any) -> None:
        watch.moved("PART", nick, channel)

    await client.connect()
    await client.send("NICK", nick=NICK)
    watch.ready()
    await ending.wait()


def pydle(port: int, _size: int, watch: Watch) -> None:
    asyncio.run(_pydle(port, watch))


async def _pydle(port: int, watch: Watch) -> None:
    library = importlib.import_module("pydle")

    def counts(name: str, kind: str) -> Callable[..., Any]:
        async def handler(self: Any, message: Any) -> None:
            watch.tell(kind)
            await getattr(super(Client, self), name)(message)

        return handler

    class Client(library.Client):  # type: ignore[misc, name-defined]
        RECONNECT_ON_ERROR = False

        async def on_raw_join(self, message: Any) -> None:
            watch.moved("JOIN", message.source.partition("!")[0], message.params[0])
            await super().on_raw_join(message)

        async def on_raw_part(self, message: Any) -> None:
            watch.moved("PART", message.source.partition("!")[0], message.params[0])
            await super().on_raw_part(message)

        async def on_raw_clearchat(self, message: Any) -> None:
            if message.params[-1] == NICK:
                watch.tell("own CLEARCHAT")

    for command in ("PING", "NOTICE", "366"):
        name = f"on_raw_{command.lower()}"
        setattr(Client, name, counts(name, command))
    for command in ("RECONNECT", "ROOMSTATE"):
        setattr(Client, f"on_raw_{command.lower()}", _only(watch, command))
    ending, client = Ending(watch), Client(NICK)
    await client.connect(HOST, port, tls=False)
    watch.ready()
    await ending.wait()


def _only(watch: Watch, kind: str) -> Callable[..., Any]:
    """A handler that counts, and has nothing to pass on."""

    async def handler(*_: Any) -> None:
        watch.tell(kind)

    return handler


def twitchio(port: int, _size: int, watch: Watch) -> None:
    asyncio.run(_twitchio(port, watch))


async def _twitchio(port: int, watch: Watch) -> None:
    library, wire = importlib.import_module("twitchio"), importlib.import_module("twitchio.websocket")
    wire.HOST = f"ws://{HOST}:{port}"

    class Bot(library.Client):  # type: ignore[misc, name-defined]
        async def event_join(self, channel: Any, user: Any) -> None:
            watch.moved("JOIN", user.name, channel.name)

        async def event_part(self, user: Any) -> None:
            watch.moved("PART", user.name, user.channel.name)

        async def event_raw_notice(self, _data: str) -> None:
            watch.tell("NOTICE")

        async def event_error(self, error: Exception, data: str | None = None) -> None:
            """What fails in it is printed otherwise, which would count as reading."""

    ending, bot = Ending(watch), Bot(token="none")
    bot._http.nick = NICK
    bot._http.session = importlib.import_module("aiohttp").ClientSession()
    line = bot._connection
    pong = line._ping

    async def ping(*words: Any) -> None:
        watch.tell("PING")
        await pong(*words)

    line._ping = line._actions["PING"] = ping
    line._actions["RECONNECT"] = _only(watch, "RECONNECT")
    line.event_error = bot.event_error
    await line._connect()
    watch.ready()
    await ending.wait()


def twitchapi(port: int, _size: int, watch: Watch) -> None:
    library = importlib.import_module("twitchAPI.chat")
    events = importlib.import_module("twitchAPI.type").ChatEvent
    timeout = importlib.import_module("aiohttp").ClientTimeout(total=None)

    class Account:
        """As much of a signed-in account as the chat asks for."""

        session_timeout = timeout

        def has_required_auth(self, *_: Any) -> bool:
            return True

        async def get_refreshed_user_auth_token(self) -> str:
            return "none"

    chat = library.Chat(Account(), connection_url=f"ws://{HOST}:{port}")
    chat.username = NICK

    async def joined(event: Any) -> None:
        watch.moved("JOIN", event.user_name, event.room_name)

    async def left(event: Any) -> None:
        watch.moved("PART", event.user_name, event.room_name)

    async def cleared(event: Any) -> None:
        if event.user_name == NICK:
            watch.tell("own CLEARCHAT")

    pong = chat._handle_ping

    async def ping(parsed: Any) -> None:
        watch.tell("PING")
        await pong(parsed)

    chat.register_event(events.JOINED, joined)
    chat.register_event(events.LEFT, left)
    chat.register_event(events.CHAT_CLEARED, cleared)
    chat.register_event(events.NOTICE, _only(watch, "NOTICE"))
    chat.register_event(events.ROOM_STATE_CHANGE, _only(watch, "ROOMSTATE"))
    chat._handle_ping, chat._handle_reconnect = ping, _only(watch, "RECONNECT")
    chat.start()
    watch.ready()
    watch.over.wait()


# -- all -----------------------------------------------------------------------------------------------------------
Client = Callable[[int, int, Watch], None]

OURS: dict[str, Client] = {LIMIT: discard, WE: ours}
THEIRS: dict[str, Client] = {
    "irc": irc,
    "TwitchIO 2.10": twitchio,
    "twitchAPI": twitchapi,
    "pydle": pydle,
    "bottom": bottom,
}


def main() -> None:
    bounded.begin()
    parser = argparse.ArgumentParser(description="One client, fed by bench/chat.py.")
    parser.add_argument("name", choices=[*OURS, *THEIRS])
    parser.add_argument("port", type=int)
    parser.add_argument("--size", type=int, default=0, help="bytes after which the one that looks at nothing ends")
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    watch = Watch()
    {**OURS, **THEIRS}[args.name](args.port, args.size, watch)
    print(json.dumps({"seconds": watch.seconds, "found": watch.found}), flush=True)
    os._exit(0)  # what they have running is of no use any more


if __name__ == "__main__":
    main()
