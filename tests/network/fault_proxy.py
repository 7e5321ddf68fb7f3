"""A proxy on loopback that does to bytes what networks do: a TCP level between a client and a server, for tests.

    async with faulty(port) as proxy:          # proxy.port leads to 127.0.0.1:port
        proxy.down.step = 1                     # what the server says comes byte by byte
        proxy.up.swallow = True                 # nothing that the client says arrives any more, and nobody is told
        proxy.reset()                           # RST, to both

`up` is the way from the client to the server, `down` the way back; both may be changed at any time, for connections
that are there and for those to come. It knows nothing of what it carries: TLS goes through it as it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from allthepoints.base.clock import Chance, SystemClock

CLOCK = SystemClock()

_NO_LINGER = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Way:
    """One direction. Times in seconds, counts in bytes."""

    delay: float = 0.0
    jitter: float = 0.0
    """Up to so much more, drawn for each piece."""
    step: int = 0
    """Pieces of so many bytes, each in a packet of its own; 0: as it comes."""
    swallow: bool = False
    """Take everything, pass on nothing, the end neither."""
    close_after: int | None = None
    """Both connections end in order once so many bytes of a connection have passed."""
    reset_after: int | None = None
    """The same with an RST."""
    corrupt_after: int | None = None
    """One bit of the byte at this place is another."""


@dataclass(eq=False, slots=True)
class _Pair:
    """A client's connection and ours to the server."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    passed: dict[str, int] = field(default_factory=lambda: {"up": 0, "down": 0})
    ended: set[str] = field(default_factory=set)


class FaultProxy:
    """`met` counts connections; `passed`: bytes that went each way, of all of them."""

    def __init__(self, to: int, chance: Chance | None = None) -> None:
        self.up, self.down = Way(), Way()
        self.met = 0
        self.passed = {"up": 0, "down": 0}
        self.port = 0
        self.mute = False
        """Take connections and do nothing with them: no TLS, no answer, no way on."""
        self._to = to
        self._chance = chance or Chance(1)
        self._server: asyncio.Server | None = None
        self._pairs: set[_Pair] = set()
        self._muted: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    # -- what a test does ----------------------------------------------------------------------------------------------
    @property
    def open(self) -> int:
        """Connections that are there."""
        return len(self._pairs)

    def reset(self) -> None:
        """RST to both sides of every connection."""
        for pair in [*self._pairs]:
            self._end(pair, rst=True)

    def close(self) -> None:
        """A FIN to both."""
        for pair in [*self._pairs]:
            self._end(pair, rst=False)

    def half_close(self, side: str) -> None:
        """A FIN to "client" or "server" alone; the other way stays open."""
        for pair in self._pairs:
            writer: asyncio.StreamWriter = getattr(pair, side)
            with contextlib.suppress(OSError):
                writer.write_eof()

    def heal(self) -> None:
        """As at the beginning. What was swallowed is gone."""
        self.up, self.down, self.mute = Way(), Way(), False

    # -- running -------------------------------------------------------------------------------------------------------
    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.reset()
        for writer in self._muted:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self.met += 1
        if self.mute:
            self._muted.add(client)
            return
        try:
            from_server, server = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            _abort(client)
            return
        pair = _Pair(client, server)
        self._pairs.add(pair)
        for name, source, sink in (("up", reader, server), ("down", from_server, client)):
            task = asyncio.ensure_future(self._carry(pair, name, source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, pair: _Pair, name: str, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                for piece in _pieces(data, self._way(name).step):
                    if not await self._pass(pair, name, piece, sink):
                        return
        except OSError:
            if not self._way(name).swallow:
                self._end(pair, rst=True)
            return
        if not self._way(name).swallow:
            with contextlib.suppress(OSError):
                sink.write_eof()
            pair.ended.add(name)
            if len(pair.ended) == 2:
                self._end(pair, rst=False)

    async def _pass(self, pair: _Pair, name: str, piece: bytes, sink: asyncio.StreamWriter) -> bool:
        """Carry one piece on; False: the connection ended with it."""
        way = self._way(name)
        if way.delay or way.jitter:
            await CLOCK.sleep(way.delay + way.jitter * self._chance.draw())
        elif way.step:
            await CLOCK.sleep(0)
        way = self._way(name)  # it may have changed meanwhile
        if way.swallow:
            return True
        passed = pair.passed[name]
        end = min((at for at in (way.close_after, way.reset_after) if at is not None), default=None)
        if end is not None and passed + len(piece) >= end:
            piece = piece[: max(0, end - passed)]
        if way.corrupt_after is not None and 0 <= (at := way.corrupt_after - passed) < len(piece):
            piece = piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1 :]
        pair.passed[name] += len(piece)
        self.passed[name] += len(piece)
        sink.write(piece)
        await sink.drain()
        if end is not None and pair.passed[name] >= end:
            self._end(pair, rst=way.reset_after is not None)
            return False
        return True

    def _way(self, name: str) -> Way:
        return self.up if name == "up" else self.down

    def _end(self, pair: _Pair, *, rst: bool) -> None:
        self._pairs.discard(pair)
        for writer in (pair.client, pair.server):
            if rst:
                _abort(writer)
            else:
                writer.close()


def _pieces(data: bytes, step: int) -> Iterator[bytes]:
    for start in range(0, len(data), step or len(data)):
        yield data[start : start + (step or len(data))]


def _abort(writer: asyncio.StreamWriter) -> None:
    """RST, where the socket is still there."""
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()


@contextlib.asynccontextmanager
async def faulty(to: int, chance: Chance | None = None) -> AsyncIterator[FaultProxy]:
    """A proxy to that port of this machine, until the end of the block."""
    proxy = FaultProxy(to, chance)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
