"""The chat server's transports: TCP with or without TLS, and a link in memory for tests that want no sockets."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import Callable
from typing import cast

from allthepoints.sim.chat import ChatConnection
from allthepoints.sim.hub import ChatHub

HANDSHAKE_TIMEOUT = 60.0


class ChatServer:
    """Listens on loopback. With `ssl_context` every connection is TLS."""

    def __init__(self, hub: ChatHub, ssl_context: ssl.SSLContext | None) -> None:
        self.hub = hub
        self.ssl_context = ssl_context
        self.sockets: set[ChatSocket] = set()
        self._server: asyncio.Server | None = None
        self._held: socket.socket | None = None
        """The port, while nobody listens at it."""
        self._shut_until = 0.0
        self._opening: asyncio.Task[None] | None = None
        hub.shut = self.shut

    async def start(self, port: int, host: str = "127.0.0.1") -> int:
        """Bind `host`, an address of loopback; port 0 takes a free one. Answers the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: ChatSocket(self), host, port)
        return int(self._server.sockets[0].getsockname()[1])

    def shut(self, seconds: float) -> None:
        """Refuse new connections for so long, and reset those that are not yet signed in."""
        for one in list(self.sockets):
            one.reset()
        if self._server is not None and self._held is None and not self._is_opening():
            host, port = self._server.sockets[0].getsockname()[:2]
            self._server.close()
            self._held = _bound(host, port)
        self._shut_until = max(self._shut_until, self.hub.clock.now() + seconds)
        self.hub.agenda.later(seconds, self._open_again)

    def _open_again(self) -> None:
        if self._held is not None and self.hub.clock.now() >= self._shut_until:
            held, self._held = self._held, None
            self._opening = asyncio.ensure_future(self._listen(held))

    async def _listen(self, held: socket.socket) -> None:
        self._server = await asyncio.get_running_loop().create_server(lambda: ChatSocket(self), sock=held)

    def _is_opening(self) -> bool:
        return self._opening is not None and not self._opening.done()

    async def stop(self) -> None:
        """Close everything; when it returns, no socket and no task is left."""
        if self._opening is not None:
            await self._opening
        if self._held is not None:
            self._held.close()
        if self._server is not None:
            self._server.close()
        open_ones = list(self.sockets)
        for one in open_ones:
            one.abandon()
        await asyncio.gather(*(one.gone for one in open_ones))


class ChatSocket(asyncio.Protocol):
    """One accepted socket: the `Wire` of one chat connection."""

    def __init__(self, server: ChatServer) -> None:
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._connection: ChatConnection | None = None
        self._handshake: asyncio.Task[None] | None = None
        self._early = b""
        """What came with the end of the TLS handshake, before `_secure` could go on."""

    # -- asyncio.Protocol ------------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._server.sockets.add(self)
        hub = self._server.hub
        hub.troubles.came_to("connect")
        if hub.troubles.take("no_tls_answer", hub.clock.now()) is not None:
            return
        if self._server.ssl_context is None:
            self._connection = hub.connect(self)
        else:
            self._transport.pause_reading()
            self._handshake = asyncio.ensure_future(self._secure(self._transport, self._server.ssl_context))

    def data_received(self, data: bytes) -> None:
        if self._connection is not None:
            self._connection.receive(data)
        elif self._handshake is not None:
            self._early += data

    def connection_lost(self, _exc: Exception | None) -> None:
        self._server.sockets.discard(self)
        if self._connection is not None:
            self._connection.lost()
        if not self.gone.done():
            self.gone.set_result(None)

    # -- Wire ------------------------------------------------------------------------------------------------------
    def send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        if self._transport is not None:
            reset(self._transport)

    def abandon(self) -> None:
        """The server stops."""
        if self._handshake is not None:
            self._handshake.cancel()
        if self._transport is not None:
            self._transport.abort()

    async def _secure(self, transport: asyncio.Transport, context: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        try:
            secured = await loop.start_tls(
                transport, self, context, server_side=True, ssl_handshake_timeout=HANDSHAKE_TIMEOUT
            )
        except (OSError, asyncio.CancelledError):
            transport.abort()
            self.connection_lost(None)
            return
        if secured is None:  # the client went away in the middle
            self.connection_lost(None)
            return
        self._transport = secured
        self._connection = self._server.hub.connect(self)
        self._connection.receive(self._early)


def _bound(host: str, port: int) -> socket.socket:
    """The port is ours, and whoever connects to it is refused.

    The protocol is named because asyncio turns Nagle's delay off only for sockets that name it: a line would wait for
    the acknowledgement of the one before it, some 40 ms, which is minutes of simulated time.
    """
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":  # connections of it may linger
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((host, port))
    return held


class MemoryLink:
    """A client's end of a chat connection without sockets. What is sent arrives at the event loop's next turn.

    `on_data(bytes)` and `on_lost(text)` are called for the client; `on_lost` once, unless the client closes first.
    """

    def __init__(self, hub: ChatHub, on_data: Callable[[bytes], None], on_lost: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_data = on_data
        self._on_lost = on_lost
        self._open = True
        self._connection = hub.connect(_ServerEnd(self))

    def send(self, data: bytes) -> None:
        """Bytes for the server."""
        if self._open:
            self._loop.call_soon(self._connection.receive, data)

    def close(self) -> None:
        """Hang up; what was sent before still arrives."""
        if self._open:
            self._open = False
            self._loop.call_soon(self._connection.lost)

    def deliver(self, data: bytes) -> None:
        """Bytes for the client, from the server's end."""
        self._loop.call_soon(self._deliver, data)

    def hang_up(self, text: str) -> None:
        """The server's end is closed."""
        self._loop.call_soon(self._hang_up, text)

    def _deliver(self, data: bytes) -> None:
        if self._open:
            self._on_data(data)

    def _hang_up(self, text: str) -> None:
        if self._open:
            self._open = False
            self._on_lost(text)


class _ServerEnd:
    """The `Wire` that the server writes to."""

    def __init__(self, link: MemoryLink) -> None:
        self._link = link

    def send(self, data: bytes) -> None:
        self._link.deliver(data)

    def close(self) -> None:
        self._link.hang_up("closed by the server")

    def reset(self) -> None:
        self._link.hang_up("reset by the server")


def reset(transport: asyncio.Transport) -> None:
    """Close with an RST in place of a FIN."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
