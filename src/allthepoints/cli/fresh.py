"""Asking for something that only the service can do, and waiting until it is done.

A running service is asked through the database. Where none runs, this process takes the lock and runs the same service
for the one errand, without any chat: one code path, one writer, whoever asks.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import suppress

from allthepoints.base.clock import Stopwatch, pause
from allthepoints.base.errors import AlreadyRunning, FaultError
from allthepoints.base.types import JSON, Login
from allthepoints.cli import output
from allthepoints.cli.here import Here
from allthepoints.storage import lock
from allthepoints.storage.freshness import WITHIN, Looked, freshness
from allthepoints.storage.read_points import PointsReader

LOOK_WITHIN = WITHIN

EVERY = 0.1
"""Seconds between looks whether it is done."""


def look(where: Here, login: Login) -> Looked:
    """Have a channel's points and store read anew. Not `fresh`: StreamElements did not answer in time."""
    reader = PointsReader(where.data.database)
    before = freshness(reader, login)

    def done() -> bool:
        return freshness(reader, login).done_since(before)

    output.note(f"Reading {login}'s store at StreamElements.")
    ask(where, "look", login, {}, done, LOOK_WITHIN)
    return freshness(reader, login).since(before)


def tell(where: Here, kind: str) -> None:
    """Tell a running service that there is something new for it. It looks for that hourly by itself; where it cannot be
    told, that is soon enough."""
    from allthepoints.storage.ask import ask as leave

    if lock.holder(where.data.lock) is not None:
        with suppress(FaultError):
            leave(where.data.database, kind, None, where.now())


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
