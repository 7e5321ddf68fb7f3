"""The service until a signal, with all that stands beside it: what `allthepoints run` does."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
    link, watched = Link(settings), Watched(Manager.given(os.environ, os.getpid()))
    ending = Ending(link)
    heed_signals(watched.stop(ending.now), watched.reload(link.read_config))
    with ending.heeded(), acquire(prepare(data).lock):
        alerts = Alerts(data, clock, chance)
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
            if watched.turn_within is not None:
                service.turn_within(watched.turn_within)
            tasks.start("watch the config", link.reload.watch())
            if web is not None:
                tasks.start("dashboard", web.serve(say))
            try:
                await service.run()
            finally:
                await tasks.cancel()


class Ending:
    """How the service ends when it is told to: in order; while it is being put together, by dropping what there is.

    Before its first turn it has done nothing, and what it waits for may take long: an old database is brought to a new
    schema, or somebody holds it locked. To be made in the task that runs the service.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._task = asyncio.current_task()
        self._dropped = False

    def now(self) -> None:
        service = self._link.service
        if service is not None and service.snapshot is not None:
            service.stop()
        elif self._task is not None:
            self._dropped = True
            self._task.cancel()

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Around the task's work: that it was dropped is a proper end of it."""
        try:
            yield
        except asyncio.CancelledError:
            if not self._dropped or self._task is None or self._task.uncancel():
                raise
            log.info("stopped before it began")


def logged(hooks: Hooks) -> Hooks:
    """The same hooks; what happens is in the log too."""

    def on_event(event: Event, snapshot: Snapshot) -> None:
        log.info("%s", event_in(event, snapshot))
        if hooks.on_event is not None:
            hooks.on_event(event, snapshot)

    return Hooks(hooks.on_snapshot, on_event)
