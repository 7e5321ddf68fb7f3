"""Asking for something that only the service can do, and waiting until it is done.

A running service is asked through the database. Where none runs, this process takes the lock and runs the same service
for the one errand, without any chat: one code path, one writer, whoever asks.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from allthepoints.base.clock import Stopwatch, pause
from allthepoints.base.errors import AlreadyRunning
from allthepoints.base.types import JSON, Login, UserId
from allthepoints.cli import output
from allthepoints.cli.here import Here
from allthepoints.core.elements import nowhere_key, read_key
from allthepoints.storage import lock
from allthepoints.storage.read_points import PointsReader

LOOK_WITHIN = 15.0
"""Seconds for reading a store anew: channel, settings, balance and items, a second and a half apart."""

EVERY = 0.1
"""Seconds between looks whether it is done."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of reading a channel anew. `channel` None: it is not known here."""

    channel: UserId | None
    fresh: bool
    nowhere: bool = False
    """StreamElements has no such channel."""


def look(where: Here, login: Login) -> Looked:
    """Have a channel's points and store read anew. Not `fresh`: StreamElements did not answer in time."""
    reader = PointsReader(where.data.database)
    before = _seen(reader, login)

    def done() -> bool:
        now = _seen(reader, login)
        return now.nowhere != before.nowhere or (now.items != before.items and now.balance != before.balance)

    output.note(f"Reading {login}'s store at StreamElements.")
    ask(where, "look", login, {}, done, LOOK_WITHIN)
    after = _seen(reader, login)
    nowhere = after.nowhere != before.nowhere and after.items == before.items
    return Looked(after.channel, after.items != before.items, nowhere)


def ask(
    where: Here,
    kind: str,
    login: Login | None,
    data: Mapping[str, JSON],
    until: Callable[[], bool],
    seconds: float,
    key: str | None = None,
) -> bool:
    """Ask for it, and wait until `until()`; False if that did not come true in so many seconds. Raises FaultError.

    The same `key` is the same request, for ever.
    """
    from allthepoints import wiring
    from allthepoints.config.environment import read_environment
    from allthepoints.config.paths import prepare
    from allthepoints.storage.ask import ask as leave

    paths = where.data
    if lock.holder(paths.lock) is None:
        settings, environment = where.load().settings, read_environment(os.environ)
        try:
            asyncio.run(wiring.errand(settings, prepare(paths), environment, kind, login, dict(data), until, seconds))
        except AlreadyRunning:
            pass  # a service was started meanwhile
        else:
            return until()
    leave(paths.database, kind, login, where.now(), data, key)
    return _wait(until, seconds)


def _wait(until: Callable[[], bool], seconds: float) -> bool:
    gone = Stopwatch()
    while not until():
        if gone.elapsed() > seconds:
            return False
        pause(EVERY)
    return True


@dataclass(frozen=True, slots=True)
class _Seen:
    """When each was last read, in the service's time: only that it changes says anything."""

    channel: UserId | None
    items: str | None
    balance: float | None
    nowhere: str | None


def _seen(reader: PointsReader, login: Login) -> _Seen:
    notes, channel = reader.notes(), reader.named(login)
    if channel is None:
        return _Seen(None, None, None, notes.get(nowhere_key(login)))
    balance = next((row.seen_at for row in reader.points() if row.channel == channel), None)
    return _Seen(channel, notes.get(read_key(channel)), balance, notes.get(nowhere_key(login)))
