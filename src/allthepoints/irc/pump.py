"""Bytes of the wire to bytes of the chat and back, without a socket: plain, or TLS over memory buffers.

Theory. At the rates of a real chat wake-ups cost more than parsing: a reader that wakes for every line spends its time
waking. Pausing a transport stops the wake-ups only if the transport is the plain TCP one (asyncio's TLS transport goes
on reading and decrypting while it is paused). So TLS is done here, over `ssl.MemoryBIO`, and `Pace` says for how long
the shell should not read.

A pump is fed ciphertext, gives plaintext, and collects what wants to go out; the shell calls `outgoing()` after every
call. The view that `feed` answers is good until the next `feed`.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Protocol, cast

from allthepoints.base.errors import Unknown
from allthepoints.irc.scan import Buffer

_ReadInto = Callable[[int, memoryview], int]
"""What `SSLObject.read` is where it is given a buffer: it answers how many bytes it put there."""

RECORD = 16384
"""The largest plaintext of one TLS record."""

MAX_TICK = 0.1
"""Seconds. A PONG must never be late because of us; 100 ms are nothing beside a server's minutes."""


class TlsFailed(Unknown):
    """The TLS layer broke: a certificate that does not fit, a peer that does not speak TLS, a damaged record."""


class Pump(Protocol):
    """What the shell knows of either."""

    @property
    def open(self) -> bool:
        """Plaintext may flow: the handshake is done."""
        ...

    @property
    def closed(self) -> bool:
        """The peer said that it sends no more."""
        ...

    def start(self) -> None:
        """TCP is up."""
        ...

    def feed(self, wire: Buffer) -> memoryview:
        """Bytes came; the plaintext in them. Raises TlsFailed, after which only `outgoing` makes sense (the alert)."""
        ...

    def send(self, plain: bytes) -> None:
        """Queue plaintext. Raises TlsFailed."""
        ...

    def close(self) -> None:
        """Say that we send no more."""
        ...

    def outgoing(self) -> bytes:
        """Takes what wants to go on the wire."""
        ...


class PlainPump:
    """No TLS: bytes pass as they are. Only for loopback."""

    open = True
    closed = False

    def __init__(self) -> None:
        self._out = bytearray()

    def start(self) -> None:
        """Nothing to do."""

    def feed(self, wire: Buffer) -> memoryview:
        return memoryview(wire)

    def send(self, plain: bytes) -> None:
        self._out += plain

    def close(self) -> None:
        """Nothing to say."""

    def outgoing(self) -> bytes:
        data = bytes(self._out)
        self._out.clear()
        return data


class TlsPump:
    """The client's side of TLS. Hostname and chain are checked as `context` says."""

    def __init__(self, context: ssl.SSLContext, server_hostname: str) -> None:
        self.open = False
        self.closed = False
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=server_hostname)
        self._plain = bytearray(4 * RECORD)
        self._view = memoryview(self._plain)
        self._unsent = b""

    def start(self) -> None:
        self._shake_hands()

    def feed(self, wire: Buffer) -> memoryview:
        self._in.write(wire)
        if not self.open:
            self._shake_hands()
            if not self.open:
                return self._view[:0]
        got = self._read()
        if self._unsent:
            self.send(b"")
        return self._view[:got]

    def send(self, plain: bytes) -> None:
        self._unsent += plain
        if not self.open or self.closed:
            return
        try:
            while self._unsent:
                self._unsent = self._unsent[self._tls.write(self._unsent) :]
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            raise TlsFailed(_why(error)) from error

    def close(self) -> None:
        try:
            if self.open:
                self._tls.unwrap()
        except ssl.SSLError:
            # It wants the peer's close_notify, for which nobody waits; ours is in the buffer.
            pass

    def outgoing(self) -> bytes:
        return self._out.read()

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        except (ssl.SSLError, ssl.CertificateError) as error:
            raise TlsFailed(_why(error)) from error
        self.open = True

    def _read(self) -> int:
        """Decrypt all whole records into the buffer; how many bytes that made."""
        read = cast(_ReadInto, self._tls.read)
        view, got = self._view, 0
        room = len(view) - RECORD
        try:
            while count := read(RECORD, view[got:]):
                got += count
                if got > room:
                    view = self._grow(got)
                    room = len(view) - RECORD
            self.closed = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.closed = True
        except ssl.SSLError as error:
            raise TlsFailed(_why(error)) from error
        return got

    def _grow(self, got: int) -> memoryview:
        plain = bytearray(2 * len(self._plain))
        plain[:got] = self._view[:got]
        self._plain, self._view = plain, memoryview(plain)
        return self._view


class Pace:
    """How long to leave the socket alone after a read, so that dense traffic is taken by the tick and sparse at once.

    `tick` in seconds, at most MAX_TICK; 0 turns it off. Times are any clock's.
    """

    def __init__(self, tick: float) -> None:
        self._tick = min(max(tick, 0.0), MAX_TICK)
        self._since = float("-inf")

    def after_read(self, now: float, *, full: bool) -> float:
        """Seconds not to read after the read at `now`. `full`: it filled the buffer, so more is waiting."""
        waited = now - self._since
        # Counted from when reading was possible: what has gathered during a pause is there at once.
        pause = 0.0 if full or waited > self._tick else self._tick
        self._since = now + pause
        return pause


def _why(error: ssl.SSLError | ssl.CertificateError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate was not accepted: {error.verify_message}"
    reason = getattr(error, "reason", None)
    return f"TLS failed: {(reason or str(error) or type(error).__name__).replace('_', ' ').lower()}"
