"""What leaves the chat server on one connection: lax, and as troubled as a fault wants it."""

from __future__ import annotations

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
        self.deaf = False
        """Nothing gets through any more, and nobody is told (half-open)."""
        self.duplicates = 0.0
        """Chance of a line to be sent twice."""
        self.split = False
        """Cut what is sent anywhere, into several writes."""
        self.trickle: tuple[int, float] | None = None
        """So many bytes at a time, so many seconds apart."""

    def line(self, line: str | bytes) -> None:
        """One line for the next flush; its CR LF is added."""
        raw = line.encode() if isinstance(line, str) else line
        times = 2 if self.duplicates and self._chance.draw() < self.duplicates else 1
        self._pending += (raw + b"\r\n") * times

    def raw(self, data: bytes) -> None:
        """Bytes as they are, lines or not."""
        self._pending += data

    def flush(self) -> None:
        """Send what was collected."""
        data, self._pending = bytes(self._pending), bytearray()
        if not data or self.deaf:
            return
        if self.trickle is not None:
            self._trickle(data)
        elif self.split:
            self._send_cut(data)
        else:
            self._wire.send(data)

    def _send_cut(self, data: bytes) -> None:
        while data:
            cut = 1 + int(self._chance.draw() * min(len(data), 200))
            self._wire.send(data[:cut])
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
            self._wire.send(drop)
        if self._trickling:
            self._agenda.later(delay, self._drip)
