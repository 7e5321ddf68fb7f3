"""What leaves the chat server on one connection: lax, and as troubled as a fault wants it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from allthepoints.base.clock import Chance
from allthepoints.sim.agenda import Agenda


class Wire(Protocol):
    """One end of a connection, whatever carries it. Its other calls are no-ops once it is closed."""

    def send(self, data: bytes) -> None:
        """Bytes for the client."""
        ...

    def close(self) -> None:
        """End it in order (FIN), after what was sent."""
        ...

    def reset(self) -> None:
        """End it at once (RST)."""
        ...


class Outlet:
    """Collects lines and sends them in one piece, unless told to do worse."""

    def __init__(self, wire: Wire, agenda: Agenda, chance: Chance) -> None:
        self._wire = wire
        self._agenda = agenda
        self._chance = chance
        self._pending = bytearray()
        self._trickling = bytearray()
        self._taken = 0
        """Bytes that were given to the outlet, ever; `_gone`: bytes that the wire took."""
        self._gone = 0
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()
        self.deaf = False
        """Nothing gets through any more, and nobody is told (half-open)."""
        self.duplicates = 0.0
        """Chance of a line to be sent twice."""
        self.reorders = 0.0
        """Chance of a line to overtake the one before it, if they leave in one piece."""
        self._last = 0
        """Where in `_pending` the last line begins."""
        self.split = False
        """Cut what is sent anywhere, into several writes."""
        self.trickle: tuple[int, float] | None = None
        """So many bytes at a time, so many seconds apart."""

    def line(self, line: str | bytes, sent: Callable[[], None] | None = None) -> None:
        """One line for the next flush; its CR LF is added. `sent` is called once the wire took all of it, if ever."""
        raw = (line.encode() if isinstance(line, str) else line) + b"\r\n"
        if self.duplicates and self._chance.draw() < self.duplicates:
            raw *= 2
        overtakes = len(self._pending) > 0 and self.reorders > 0 and self._chance.draw() < self.reorders
        last, self._last = self._last, len(self._pending)
        self.raw(raw)
        if overtakes:
            self._pending[last:] = raw + self._pending[last : self._last]
            self._last = last + len(raw)
            while self._waiting and self._waiting[-1][0] > self._taken - len(self._pending) + last:
                told = self._waiting.pop()[1]  # its line leaves later than it was to
                sent = told if sent is None else _both(told, sent)
        if sent is not None:
            self._waiting.append((self._taken, sent))

    def raw(self, data: bytes) -> None:
        """Bytes as they are, lines or not."""
        self._pending += data
        self._taken += len(data)

    def flush(self) -> None:
        """Send what was collected."""
        data, self._pending = bytes(self._pending), bytearray()
        if not data or self.deaf:
            return
        if self.trickle is not None or self._trickling:
            self._trickle(data)
        elif self.split:
            self._send_cut(data)
        else:
            self._send(data)

    def _send_cut(self, data: bytes) -> None:
        while data:
            cut = 1 + int(self._chance.draw() * min(len(data), 200))
            self._send(data[:cut])
            data = data[cut:]

    def _trickle(self, data: bytes) -> None:
        idle = not self._trickling
        self._trickling += data
        if idle:
            self._drip()

    def _drip(self) -> None:
        size, delay = self.trickle or (len(self._trickling), 0.0)
        drop = bytes(self._trickling[:size])
        del self._trickling[:size]
        if drop and not self.deaf:
            self._send(drop)
        if self._trickling:
            self._agenda.later(delay, self._drip)

    def _send(self, data: bytes) -> None:
        self._wire.send(data)
        self._gone += len(data)
        while self._waiting and self._waiting[0][0] <= self._gone:
            self._waiting.popleft()[1]()


def _both(one: Callable[[], None], other: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        one()
        other()

    return call
