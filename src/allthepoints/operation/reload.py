"""A config that is saved while the service runs."""

from __future__ import annotations

import logging

from allthepoints.base.errors import AllThePointsError
from allthepoints.config import load, watch
from allthepoints.config.paths import ConfigPath
from allthepoints.config.policy import policy, session_options
from allthepoints.config.settings import Settings
from allthepoints.operation.alerts import Alerts
from allthepoints.service.loop import Service

log = logging.getLogger(__name__)


class Reload:
    """A changed config: a good one acts at once, a bad one changes nothing and is told."""

    def __init__(self, service: Service, config: ConfigPath, settings: Settings, alerts: Alerts) -> None:
        self._service = service
        self._config = config
        self.settings = settings
        self._alerts = alerts
        self._complaint = ""

    async def watch(self) -> None:
        async for _ in watch.saves(self._config.path):
            self.now()

    def now(self) -> None:
        try:
            settings = load.load(self._config.path, self._config.named).settings
        except AllThePointsError as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                self._service.reject_config(self._complaint)
            return
        if settings != self.settings or self._complaint:
            if _built_in(settings) != _built_in(self.settings):
                log.warning(
                    "what changed of twitch, endpoints, dashboard, or the timing of chat is used from the next start on"
                )
            self.settings, self._complaint = settings, ""
            self._service.take_policy(policy(settings))
            self._alerts.take(settings)


def _built_in(settings: Settings) -> tuple[object, ...]:
    """What a running service was put together with, and does not take up."""
    return (
        settings.twitch,
        settings.endpoints,
        session_options(settings),
        settings.chat.read_tick,
        settings.dashboard,
    )
