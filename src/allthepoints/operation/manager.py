"""What the service manager (systemd) hears of the service: that it stands, how it is, that it lives, that it goes.

Ready is said after the first turn of the loop: then the database is open, what was known is read, and the loop turns.
A sign of life goes along with each turn and with nothing else, so that a loop that hangs is noticed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from allthepoints.base.systemd import Manager
from allthepoints.service.outside import NO_HOOKS, Hooks
from allthepoints.service.snapshot import Snapshot
from allthepoints.views.sentence import Glance, sentence

TURNS = 3
"""Turns within the time of the watchdog: one may be late, and still no harm is done."""

STATUS_EVERY = 2.0
"""Seconds between looks whether the sentence has changed: a turn takes place for each line of chat that concerns us."""

LEAVING = "Leaving every chat."


class Watched:
    """`hooks` go to the service. `turn_within`: seconds within which its loop has to turn; None where nobody looks."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._ready = False
        self._leaving = False
        self._said = ""
        self._said_at = 0.0
        self.hooks = Hooks(self._turned) if manager.there else NO_HOOKS
        self.turn_within = manager.watchdog / TURNS if manager.watchdog else None

    def stop(self, stop_service: Callable[[], None]) -> Callable[[], None]:
        """The same stop, of which the manager is told."""

        def stop() -> None:
            self._leaving = True
            self._manager.stopping(LEAVING)
            stop_service()

        return stop

    def reload(self, reload: Callable[[], None]) -> Callable[[], None]:
        """The same reload, of which the manager is told."""

        def now() -> None:
            if not self._ready:  # the end of a reload would be taken for the end of the start
                reload()
                return
            self._manager.reloading(asyncio.get_running_loop().time())
            try:
                reload()
            finally:
                self._manager.ready()

        return now

    def _turned(self, snapshot: Snapshot) -> None:
        if not self._leaving:
            self._tell(snapshot)
        self._manager.alive()

    def _tell(self, snapshot: Snapshot) -> None:
        if self._ready and 0 <= snapshot.at - self._said_at < STATUS_EVERY:
            return
        self._said_at = snapshot.at
        rows, account = snapshot.rows.values(), snapshot.account is not None
        text = sentence(Glance.of(rows, snapshot.warnings, account, snapshot.wishes), snapshot.at)
        if not self._ready:
            self._ready = True
            self._manager.ready(text)
        elif text != self._said:
            self._manager.status(text)
        self._said = text
