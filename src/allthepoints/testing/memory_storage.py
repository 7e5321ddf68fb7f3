"""A memory that forgets when the process ends: `ports.Storage` in a few dictionaries, for tests of what is above it.

`Memory` is what would be on the disk; `MemoryStorage` is one run on it. What was not recorded is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from allthepoints.base.errors import FaultError
from allthepoints.base.types import JSON, Login, StreamId, UserId
from allthepoints.core import records as r
from allthepoints.ports import ChannelRow, Request

KEPT = 600.0
"""Seconds for which attempts are kept."""


@dataclass(slots=True)
class Interval:
    """One presence."""

    channel: UserId
    stream: StreamId | None
    began_at: float
    ended_at: float | None = None
    why: str | None = None


@dataclass(slots=True)
class Memory:
    """What would be on the disk."""

    channels: dict[UserId, r.ChannelKnown] = field(default_factory=dict)
    names: list[tuple[Login, UserId]] = field(default_factory=list)
    sessions: dict[StreamId, tuple[r.SessionOpened, float | None]] = field(default_factory=dict)
    told: dict[UserId, StreamId] = field(default_factory=dict)
    presence: list[Interval] = field(default_factory=list)
    events: list[r.Event] = field(default_factory=list)
    refusals: dict[UserId, r.RefusalSet] = field(default_factory=dict)
    attempts: list[r.AttemptsSpent] = field(default_factory=list)
    rows: dict[UserId, ChannelRow] = field(default_factory=dict)
    service: dict[str, JSON] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)
    alive: float = 0.0

    def apply(self, record: r.Record) -> None:
        """One record, by its kind."""
        match record:
            case r.Event():
                self._event(record)
            case r.ChannelKnown():
                self.channels[record.ref.id] = record
                if (name := (record.ref.login, record.ref.id)) not in self.names:
                    self.names.append(name)
            case r.SessionOpened():
                self._session(record)
            case r.SessionClosed():
                if known := self.sessions.get(record.stream):
                    self.sessions[record.stream] = (known[0], max(known[0].at, record.at))
            case r.PresenceOpened():
                self.close(record.at, "reopened", record.channel)
                self.presence.append(Interval(record.channel, record.stream, record.at))
            case r.PresenceClosed():
                self.close(record.at, record.why, record.channel)
            case r.RefusalSet():
                self.refusals[record.channel] = record
            case r.RefusalCleared():
                self.refusals.pop(record.channel, None)
            case r.AttemptsSpent():
                self.attempts.append(record)
            case _:
                assert_never(record)

    def close(self, at: float, why: str, channel: UserId | None = None) -> None:
        """End the open interval of `channel`, or of all."""
        for interval in self.presence:
            if interval.ended_at is None and channel in {None, interval.channel}:
                interval.ended_at, interval.why = max(interval.began_at, at), why

    def _event(self, event: r.Event) -> None:
        self.events.append(event)
        stream = event.data.get("stream")
        if event.kind is r.EventKind.LIVE and event.channel is not None and isinstance(stream, str):
            self.told[event.channel] = StreamId(stream)

    def _session(self, record: r.SessionOpened) -> None:
        stream, first = record.stream, record
        if known := self.sessions.get(stream.id):
            old = known[0]
            first = r.SessionOpened(old.at, replace(old.stream, title=stream.title, kind=stream.kind))
        self.sessions[stream.id] = (first, None)


class MemoryStorage:
    """Fulfils `ports.Storage`. `fails` is asked before each write; a text is raised as FaultError."""

    def __init__(self, memory: Memory | None = None, fails: Callable[[], str | None] = lambda: None) -> None:
        self.memory = memory or Memory()
        self.closed = False
        self._fails = fails

    async def load(self) -> r.Restored:
        """See `ports.Storage.load`."""
        m = self.memory
        m.close(m.alive, "crash")
        m.rows.clear()
        account = m.service.get("account")
        user_id = account.get("user_id") if isinstance(account, Mapping) else None
        return r.Restored(
            account=UserId(user_id) if isinstance(user_id, str) else None,
            channels=tuple(sorted(m.channels.values(), key=_by_place)),
            refusals=tuple(m.refusals[channel] for channel in sorted(m.refusals)),
            open_sessions=tuple(sorted(self._open_sessions(), key=lambda s: (s.at, s.stream.id))),
            told=tuple(sorted(m.told.items())),
            names=tuple(m.names),
            joins=self._times("join"),
            logins=self._times("login"),
            alive_at=m.alive,
        )

    async def record(
        self,
        records: Sequence[r.Record],
        at: float,
        *,
        channel_rows: Sequence[ChannelRow] = (),
        gone: Sequence[UserId] = (),
        service: Mapping[str, JSON] | None = None,
        done: Sequence[int] = (),
    ) -> None:
        """See `ports.Storage.record`."""
        if problem := self._fails():
            raise FaultError(problem)
        m = self.memory
        for record in records:
            m.apply(record)
        for channel in gone:
            m.rows.pop(channel, None)
        m.rows.update({row.id: row for row in channel_rows})
        m.service.update(service or {})
        m.asked = [request for request in m.asked if request.id not in done]
        m.attempts = [spent for spent in m.attempts if spent.at >= at - KEPT]
        m.alive = at

    async def requests(self) -> tuple[Request, ...]:
        """See `ports.Storage.requests`."""
        return tuple(self.memory.asked)

    async def aclose(self) -> None:
        """See `ports.Storage.aclose`."""
        self.closed = True

    def _open_sessions(self) -> list[r.SessionOpened]:
        found = []
        for opened, ended_at in self.memory.sessions.values():
            if ended_at is None:
                known = self.memory.channels.get(opened.stream.channel.id)
                ref = known.ref if known else opened.stream.channel
                found.append(replace(opened, stream=replace(opened.stream, channel=ref)))
        return found

    def _times(self, what: str) -> tuple[float, ...]:
        return tuple(sorted(s.at for s in self.memory.attempts if s.what == what for _ in range(s.count)))


def _by_place(known: r.ChannelKnown) -> tuple[bool, int, str]:
    return (known.followed is None, known.followed or 0, known.ref.id)
