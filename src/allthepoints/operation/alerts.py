"""Notifications beside the service, as the config has them at the moment."""

from __future__ import annotations

import asyncio
import contextlib

from allthepoints.base.clock import Chance, Clock
from allthepoints.base.errors import FaultError
from allthepoints.base.secret import Secret
from allthepoints.base.types import JSON
from allthepoints.config.paths import DataDir
from allthepoints.config.policy import alert_policy
from allthepoints.config.settings import Settings
from allthepoints.ports import NOTIFY, Notifier
from allthepoints.service.alerting import Alerting, Told
from allthepoints.service.loop import Service
from allthepoints.service.supervise import Tasks
from allthepoints.storage.read import Reader
from allthepoints.views.alert_text import AlertWords
from allthepoints.views.zone import zone_of
from allthepoints.wiring import notifier


class Alerts:
    """Notifications beside the service: nobody is told before the config names a place."""

    def __init__(self, data: DataDir, clock: Clock, chance: Chance) -> None:
        self._alerting = Alerting(clock, chance)
        self._data = data
        self._clock = clock
        self._urls: tuple[Secret, ...] = ()
        self._notifier: Notifier | None = None
        self.shown: JSON = None
        """How notifications get through, as it is left for other processes under `ports.NOTIFY`."""
        self.hooks = self._alerting.hooks

    async def start(self, service: Service, settings: Settings, tasks: Tasks) -> None:
        """From here on, until the tasks end. The database is there already."""
        with contextlib.suppress(FaultError):  # then the service itself will tell
            seen = await asyncio.to_thread(Reader(self._data.database).status)
            self._alerting.recall(seen.service.get(NOTIFY))
        self.take(settings)

        def show(key: str, value: JSON) -> None:
            self.shown = value
            service.show(key, value)

        self._alerting.show_with(show)
        tasks.start("notifications", self._alerting.run())

    def take(self, settings: Settings) -> None:
        """A changed config acts at once. Places whose addresses stay keep what waits for them."""
        urls = settings.notify.urls
        if self._notifier is None or urls != self._urls:
            self._urls, self._notifier = urls, notifier(settings, self._clock)
        zone = zone_of(settings.display.zone)
        words = AlertWords(self._data.database, zone)
        self._alerting.use(Told(alert_policy(settings), zone, words, self._notifier) if urls else None)
