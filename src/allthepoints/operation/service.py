"""The service until a signal, with all that stands beside it: what `allthepoints run` does."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable

from allthepoints.base.clock import Chance, SystemClock
from allthepoints.base.systemd import Manager
from allthepoints.base.threads import Unawaited
from allthepoints.config.environment import Environment
from allthepoints.config.paths import ConfigPath, DataDir, prepare
from allthepoints.config.settings import Settings
from allthepoints.core.records import Event
from allthepoints.operation.alerts import Alerts
from allthepoints.operation.face import Link, dashboard
from allthepoints.operation.manager import Watched
from allthepoints.operation.reload import Reload
from allthepoints.operation.signals import heed_signals
from allthepoints.service.outside import NO_HOOKS, Hooks, both
from allthepoints.service.snapshot import Snapshot
from allthepoints.service.supervise import Tasks
from allthepoints.storage.lock import acquire
from allthepoints.views.event_text import event_in
from allthepoints.wiring import Given, assembled

log = logging.getLogger(__name__)

LOOK_FOR_REQUESTS = 1.0
"""Seconds between looks for what other commands ask of the running service."""


async def run(
    settings: Settings,
    config: ConfigPath,
    data: DataDir,
    environment: Environment,
    hooks: Hooks = NO_HOOKS,
    say: Callable[[str], None] = log.info,
) -> None:
    """The service, until a signal: what `allthepoints run` does. `config`: where `settings` came from; it is watched.

    `say` is told where the dashboard is. Raises UsageError, AlreadyRunning, FaultError.
    """
    asyncio.get_running_loop().set_default_executor(Unawaited())
    clock, chance, given = SystemClock(), Chance(), Given.by(environment)
    with acquire(prepare(data).lock):
        alerts, link = Alerts(data, clock, chance), Link(settings)
        watched = Watched(Manager.given(os.environ, os.getpid()))
        web = dashboard(settings, config, data, given, clock, link)
        faces = hooks if web is None else both(hooks, web.hooks)
        async with assembled(
            settings,
            given,
            data,
            clock,
            chance,
            hooks=both(both(alerts.hooks, logged(faces)), watched.hooks),
            requests_every=LOOK_FOR_REQUESTS,
        ) as service:
            tasks = Tasks()
            link.alerts = alerts
            link.service, link.reload = service, Reload(service, config, settings, alerts, clock)
            await alerts.start(service, settings, tasks)
            heed_signals(watched.stop(service.stop), watched.reload(link.reload.now))
            if watched.turn_within is not None:
                service.turn_within(watched.turn_within)
            tasks.start("watch the config", link.reload.watch())
            if web is not None:
                tasks.start("dashboard", web.serve(say))
            try:
                await service.run()
            finally:
                await tasks.cancel()


def logged(hooks: Hooks) -> Hooks:
    """The same hooks; what happens is in the log too."""

    def on_event(event: Event, snapshot: Snapshot) -> None:
        log.info("%s", event_in(event, snapshot))
        if hooks.on_event is not None:
            hooks.on_event(event, snapshot)

    return Hooks(hooks.on_snapshot, on_event)
