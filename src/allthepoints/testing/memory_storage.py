"""A memory that forgets when the process ends: `ports.Storage` in a few dictionaries, for tests of what is above it.

`Memory` is what would be on the disk; `MemoryStorage` is one run on it. What was not recorded is not there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from allthepoints.base.errors import FaultError
from allthepoints.base.types import JSON, ItemId, Login, StreamId, UserId
from allthepoints.core import records as r
from allthepoints.core.ledger import WINDOW
from allthepoints.core.loyalty import Item
from allthepoints.core.redeem import KEPT as LONG
from allthepoints.core.redeem import Redemption
from allthepoints.ports import ChannelRow, Request

KEPT = 600.0
"""Seconds for which attempts are kept."""

REDEMPTIONS_KEPT = LONG
"""Seconds for which settled redemptions are given back; they are kept for ever."""

PointsRecord = r.LoyaltyKnown | r.BalanceKnown | r.LedgerEntry | r.ItemKnown | r.ItemGone | r.RedemptionKept | r.Noted


@dataclass(slots=True)
class Interval:
    """One presence."""

    channel: UserId
    stream: StreamId | None
    began_at: float
    ended_at: float | None = None
    why: str | None = None


@dataclass(slots=True)
class Shelf:
    """An item, when it last changed, and since when it is gone."""

    item: Item
    changed: float
    gone_at: float | None = None


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
    keys: dict[str, int] = field(default_factory=dict)
    """Requests that were left with a key, done or not."""
    numbers: int = 0
    loyalty: dict[UserId, r.LoyaltyKnown] = field(default_factory=dict)
    balances: dict[UserId, r.BalanceKnown] = field(default_factory=dict)
    ledger: dict[UserId, list[r.LedgerEntry]] = field(default_factory=dict)
    items: dict[UserId, dict[ItemId, Shelf]] = field(default_factory=dict)
    prices: list[tuple[UserId, ItemId, float, int]] = field(default_factory=list)
    redemptions: dict[str, Redemption] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
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
                self._points(record)

    def ask(
        self, kind: str, login: Login | None, at: float, data: Mapping[str, JSON] | None = None, key: str | None = None
    ) -> int:
        """Leave a request, as a command does; answers its id."""
        if key is not None and key in self.keys:
            return self.keys[key]
        self.numbers += 1
        self.asked.append(Request(self.numbers, at, kind, login, data or {}))
        if key is not None:
            self.keys[key] = self.numbers
        return self.numbers

    def close(self, at: float, why: str, channel: UserId | None = None) -> None:
        """End the open interval of `channel`, or of all."""
        for interval in self.presence:
            if interval.ended_at is None and channel in {None, interval.channel}:
                interval.ended_at, interval.why = max(interval.began_at, at), why

    def _points(self, record: PointsRecord) -> None:
        match record:
            case r.LoyaltyKnown():
                self.loyalty[record.channel] = record
            case r.BalanceKnown():
                self.balances[record.channel] = record
            case r.LedgerEntry():
                entry = replace(record, at=round(record.at * 1000) / 1000)
                self.ledger.setdefault(record.channel, []).append(entry)
            case r.ItemKnown():
                self._item(record)
            case r.ItemGone():
                shelf = self.items.get(record.channel, {}).get(record.item)
                if shelf is not None and shelf.gone_at is None:
                    shelf.gone_at = record.at
            case r.RedemptionKept():
                self.redemptions[record.redemption.key] = record.redemption
            case r.Noted():
                if record.value is None:
                    self.notes.pop(record.key, None)
                else:
                    self.notes[record.key] = record.value
            case _:
                assert_never(record)

    def _item(self, record: r.ItemKnown) -> None:
        shelves, item = self.items.setdefault(record.channel, {}), record.item
        if item.id not in shelves or shelves[item.id].item.cost != item.cost:
            self.prices.append((record.channel, item.id, record.at, item.cost))
        shelves[item.id] = Shelf(item, record.at)

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
        last = max((known.asked_at for known in m.redemptions.values()), default=m.alive)
        since = min(m.alive, last) - REDEMPTIONS_KEPT
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
            purses=tuple(_purse(m, channel) for channel in sorted({*m.loyalty, *m.balances, *m.ledger, *m.items})),
            redemptions=tuple(known for known in m.redemptions.values() if known.open or known.asked_at >= since),
            notes=tuple(sorted(m.notes.items())),
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


def _purse(m: Memory, channel: UserId) -> r.PurseKept:
    known, balance, shelves = m.loyalty.get(channel), m.balances.get(channel), m.items.get(channel, {})
    entries = m.ledger.get(channel, [])
    seen_at = balance.at if balance else math.inf
    since = [(i.began_at, i.ended_at) for i in m.presence if i.channel == channel and (i.ended_at or 0.0) > seen_at]
    there = sorted((s.item for s in shelves.values() if s.gone_at is None), key=lambda item: (item.order, item.id))
    return r.PurseKept(
        channel,
        known.at if known else 0.0,
        known.se if known else None,
        known.loyalty if known else None,
        balance.balance if balance else None,
        balance.at if balance else None,
        tuple(entry for entry in entries if abs(round((entry.at - entries[-1].at) * 1000)) <= WINDOW * 1000),
        tuple(there),
        max((max(shelf.changed, shelf.gone_at or shelf.changed) for shelf in shelves.values()), default=None),
        sum(ended - max(began, seen_at) for began, ended in since if ended is not None),
        max((ended for _, ended in since if ended is not None), default=0.0),
    )
