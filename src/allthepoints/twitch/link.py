"""One chat connection: asyncio's part of it.

Theory. The shell is thin: `irc.pump` does TLS and says how long not to read, `irc.session` says what to send, what
happened and when to look again. What is left here:

* Reading: into one buffer that lives as long as the link. After a read the pump's `Pace` may ask to leave the socket
  alone for a tick, so that a busy chat costs some ten wake-ups a second and not one for every line. Nothing is lost:
  the kernel keeps it. A close is noticed when the tick is over.
* Writing: at once. A peer that takes nothing is let go of before its queue grows.
* Time: one timer at the session's deadline. The deadline moves with every read, the timer only when it fires: then it
  is set again. Waiting is counted in differences of the clock, because an event loop may run on simulated time.
* The end: whatever ends a link, `on_lost` is called once, from `connection_lost`, which asyncio promises.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable, Sequence
from typing import cast

from allthepoints.base.clock import Clock
from allthepoints.base.errors import Unknown
from allthepoints.core.model import Lost
from allthepoints.irc.events import End, Ended, SessionEvent
from allthepoints.irc.pump import Pace, Pump, TlsFailed
from allthepoints.irc.session import Session

READ_SIZE = 524288
"""Bytes taken from the socket at once. At 100 ms a tick this carries 5 MB/s before reads come back full."""

WRITE_LIMIT = 65536
"""Bytes that may wait for a peer. All we ever say (100 JOINs, a PONG) is under 4 kB."""

LINGER = 1.0
"""Seconds between our goodbye and cutting the line: for a server that never closes."""

_NO_LINGER = struct.pack("HH" if os.name == "nt" else "ii", 1, 0)
"""SO_LINGER of no time: closing resets the connection."""


class ChatUnreachable(Unknown):
    """No connection came to be. `lost` says which part failed: CONNECT, TLS or DEADLINE."""

    def __init__(self, text: str, lost: Lost) -> None:
        super().__init__(text)
        self.lost = lost


_LOST = {
    End.DEADLINE: Lost.DEADLINE,
    End.SILENT: Lost.SILENT,
    End.OVERFLOW: Lost.OVERFLOW,
    End.LOGIN: Lost.LOGIN,
    End.CLOSED: Lost.CLOSED,
}


class Link(asyncio.BufferedProtocol):
    """One connection; fulfils `ports.ChatLink`. `lost` says why it ended, from just before `on_lost` is called."""

    def __init__(self, session: Session, pump: Pump, clock: Clock, pace: Pace, write_limit: int) -> None:
        self.session = session
        self.lost: Lost | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self._pump = pump
        self._clock = clock
        self._pace = pace
        self._write_limit = write_limit
        self._buffer = memoryview(bytearray(READ_SIZE))
        self._early = bytearray()
        self._transport: asyncio.Transport | None = None
        self._on_events: Callable[[Sequence[SessionEvent]], None] | None = None
        self._on_lost: Callable[[str], None] | None = None
        self._text = ""
        self._leaving = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._resting: asyncio.TimerHandle | None = None
        self._lingering: asyncio.TimerHandle | None = None

    @property
    def reached(self) -> bool:
        """Somebody took the connection, whatever became of it."""
        return self._transport is not None

    # -- what the service calls ----------------------------------------------------------------------------------------
    def flush(self) -> None:
        """Send what the session wants sent, and look at its deadline again."""
        self._guarded(self._flush)

    def close(self) -> None:
        """Send what is left as far as it goes at once, say goodbye, and be gone within LINGER seconds.

        Goodbye is half a close: the server reads our last lines and closes, where closing with unread chat in the
        socket would reset the connection and could cost it those lines. What still comes in is thrown away.
        """
        transport = self._transport
        if self._leaving or transport is None or transport.is_closing():
            return
        self.flush()
        self._ending(Lost.OURS, "closed by us")
        self._leaving = True
        self._cancel_timers()
        self._pump.close()
        self._write()
        if not transport.is_closing():
            self._lingering = self._loop.call_later(LINGER, transport.abort)
            self._half_close(transport)

    def adopt(self, on_events: Callable[[Sequence[SessionEvent]], None], on_lost: Callable[[str], None]) -> None:
        """The opener takes the link: from here on there is a session to speak of. Raises ChatUnreachable."""
        if self._transport is None or self._transport.is_closing():
            raise ChatUnreachable(self._text or "closed while connecting", self.lost or Lost.CLOSED)
        self._on_events, self._on_lost = on_events, on_lost
        self.session.connected(self._clock.now())
        self.flush()
        if self._early:
            # A server that speaks first. Told a little later, so that nobody hears events of a link he has not got.
            self._loop.call_soon(self._take, memoryview(bytes(self._early)))

    def abandon(self) -> None:
        """Nobody wants this link: cut it, tell nobody."""
        self._leaving = True
        self._on_lost = self._on_events = None
        self.opened.cancel()
        self._cancel_timers()
        if self._transport is not None:
            self._transport.abort()

    # -- what asyncio calls --------------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._leaving:
            self._transport.abort()
            return
        self._guarded(self._pump.start)
        self._write()
        self._shaken()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._leaving:
            return
        self._guarded(self._read, nbytes)
        if not self._leaving and self._on_events is not None:
            self._rest(full=nbytes == len(self._buffer))

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is None:
            self._ending(Lost.CLOSED, "the server closed the connection")
        else:
            self._ending(Lost.RESET, f"the connection broke: {in_short(exc)}")
        self._cancel_timers()
        if not self.opened.done():
            self.opened.set_exception(self._not_opened(exc))
        events = self.session.receive_eof(self._clock.now())
        try:
            self._tell(events)
        finally:
            self._leaving = True
            on_lost, self._on_lost, self._on_events = self._on_lost, None, None
            if on_lost is not None:
                on_lost(self._text)

    # -- bytes ---------------------------------------------------------------------------------------------------------
    def _read(self, count: int) -> None:
        plain = self._pump.feed(self._buffer[:count])
        self._write()
        self._shaken()
        if len(plain):
            self._take(plain)
        if self._pump.closed and not self._leaving:
            self._cut(Lost.CLOSED, "the server closed the connection")

    def _take(self, plain: memoryview) -> None:
        """Give plaintext to the session; before there is one, keep it."""
        if self._leaving:
            return
        if self._on_events is None:
            self._early += plain
            return
        events = self.session.receive(plain, self._clock.now())
        self.flush()
        self._tell(events)

    def _tell(self, events: Sequence[SessionEvent]) -> None:
        if not events or self._leaving:
            return
        ended = events[-1] if isinstance(events[-1], Ended) else None
        if ended:
            self._ending(_LOST[ended.end], ended.text or str(ended.end))
        if self._on_events is not None:
            self._on_events(events)
        if ended:
            self._cut(_LOST[ended.end], ended.text)

    def _flush(self) -> None:
        if self._leaving or self._transport is None or self._transport.is_closing():
            return
        if plain := self.session.outgoing():
            self._pump.send(plain)
        self._write()
        self._set_timer()

    def _write(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if wire := self._pump.outgoing():
            transport.write(wire)
            if transport.get_write_buffer_size() > self._write_limit:
                self._cut(Lost.SILENT, "the server does not read what we send")

    def _half_close(self, transport: asyncio.Transport) -> None:
        if transport.get_write_buffer_size():
            transport.close()  # the peer is slow to read: what it takes within LINGER it gets
            return
        transport.resume_reading()
        try:
            transport.write_eof()
        except OSError:
            transport.abort()  # the server was quicker

    def _shaken(self) -> None:
        if self._pump.open and not self.opened.done():
            self.opened.set_result(None)

    # -- time ----------------------------------------------------------------------------------------------------------
    def _rest(self, *, full: bool) -> None:
        """After a read: leave the socket alone as long as the pace says."""
        pause = self._pace.after_read(self._loop.time(), full=full)
        if pause and self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()
            self._resting = self._loop.call_later(pause, self._transport.resume_reading)

    def _set_timer(self) -> None:
        at = self.session.deadline()
        if at is None or (self._timer is not None and self._timer_at <= at):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_later(max(0.0, at - self._clock.now()), self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        events = self.session.tick(self._clock.now())
        self.flush()
        self._tell(events)

    def _cancel_timers(self) -> None:
        for handle in (self._timer, self._resting, self._lingering):
            if handle is not None:
                handle.cancel()
        self._timer = self._resting = self._lingering = None

    # -- ends ----------------------------------------------------------------------------------------------------------
    def _ending(self, lost: Lost, text: str) -> None:
        """The first reason is the reason."""
        if self.lost is None:
            self.lost, self._text = lost, text

    def _cut(self, lost: Lost, text: str) -> None:
        """There is nothing left to say: no goodbye."""
        self._ending(lost, text)
        self._cancel_timers()
        if self._transport is not None:
            if lost is Lost.SILENT:
                self._take_back(self._transport)
            self._transport.abort()

    def _take_back(self, transport: asyncio.Transport) -> None:
        """Let the kernel forget what the peer has not taken: JOINs of ours that reach it when the network is back would
        come on top of those of the next connection."""
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)

    def _guarded(self, call: Callable[..., None], *args: object) -> None:
        """Run a call that may find TLS broken."""
        try:
            call(*args)
        except TlsFailed as error:
            self._write()  # the alert tells the peer why
            if not self.opened.done():
                self.opened.set_exception(error)
            self._cut(Lost.TLS, str(error))

    def _not_opened(self, exc: Exception | None) -> Exception:
        return TlsFailed(f"closed during the TLS handshake{f' ({in_short(exc)})' if exc else ''}")


def in_short(error: BaseException) -> str:
    """An error of the system in short words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
