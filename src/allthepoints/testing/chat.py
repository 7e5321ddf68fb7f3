"""A chat transport without sockets: it drives a real session over whatever carries bytes in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from allthepoints.base.clock import Clock
from allthepoints.base.errors import Unknown
from allthepoints.core.model import Lost
from allthepoints.irc.events import End, Ended, SessionEvent
from allthepoints.irc.session import Session


class MemoryWire(Protocol):
    """The client's end of a connection (`sim.irc.MemoryLink` is one)."""

    def send(self, data: bytes) -> None: ...

    def close(self) -> None: ...


Connect = Callable[[Callable[[bytes], None], Callable[[str], None]], MemoryWire]
"""Connects `on_data(bytes)` and `on_lost(text)`."""


class MemoryChat:
    """Fulfils `ports.ChatTransport`. `trouble`: raised by every `open`; `slow`: seconds that connecting takes."""

    def __init__(self, connect: Connect, clock: Clock) -> None:
        self.trouble: Unknown | None = None
        self.slow = 0.0
        self._connect = connect
        self._clock = clock

    async def open(
        self,
        session: Session,
        on_events: Callable[[Sequence[SessionEvent]], None],
        on_lost: Callable[[str], None],
    ) -> MemoryLink:
        if self.slow:
            await self._clock.sleep(self.slow)
        if self.trouble is not None:
            raise self.trouble
        link = MemoryLink(session, self._clock, on_events, on_lost)
        link.connect(self._connect)
        return link


class MemoryLink:
    """Fulfils `ports.ChatLink`."""

    def __init__(
        self,
        session: Session,
        clock: Clock,
        on_events: Callable[[Sequence[SessionEvent]], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self.session = session
        self.lost: Lost | None = None
        self._clock = clock
        self._on_events = on_events
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._wire: MemoryWire | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connect(self, connect: Connect) -> None:
        """The line is up."""
        self._wire = connect(self._heard, self._cut_off)
        self.session.connected(self._clock.now())
        self.flush()

    def flush(self) -> None:
        if self._wire is None or self.lost is not None:
            return
        if data := self.session.outgoing():
            self._wire.send(data)
        if self._timer is not None:
            self._timer.cancel()
        if (at := self.session.deadline()) is not None:
            self._timer = self._loop.call_later(max(0.0, at - self._clock.now()), self._time_passed)

    def close(self) -> None:
        self.flush()
        self._end(Lost.OURS, "closed by us")

    def _heard(self, data: bytes) -> None:
        if self.lost is None:
            self._tell(self.session.receive(data, self._clock.now()))

    def _time_passed(self) -> None:
        self._tell(self.session.tick(self._clock.now()))

    def _cut_off(self, text: str) -> None:
        self.session.receive_eof(self._clock.now())
        self._end(Lost.RESET if text.startswith("reset") else Lost.CLOSED, text)

    def _tell(self, events: Sequence[SessionEvent]) -> None:
        self.flush()
        if events:
            self._on_events(events)
        if events and isinstance(ended := events[-1], Ended):
            self._end(Lost.CLOSED if ended.end is End.CLOSED else Lost(ended.end.value), ended.text)

    def _end(self, lost: Lost, text: str) -> None:
        if self.lost is not None:
            return
        self.lost = lost
        if self._timer is not None:
            self._timer.cancel()
        if self._wire is not None:
            self._wire.close()
        self._loop.call_soon(self._on_lost, text)
