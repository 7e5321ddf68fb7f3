"""A config that is saved while the service runs.

Theory. A file can be read at a moment at which it does not say what the person means: an editor empties it before it
fills it, a copy over the network comes in pieces, a link leads nowhere for a moment. What is then in it may even be a
config that can be used: an empty file means the defaults. So a file that says only the beginning of what it said
before, or nothing, is given some time to get its end; and no empty or missing file ever takes the place of a config.
Everything else that can be used is taken up, and what cannot is told, and changes nothing.
"""

from __future__ import annotations

import logging

from allthepoints.base.clock import Clock
from allthepoints.base.errors import ConfigError
from allthepoints.config import load, watch
from allthepoints.config.paths import ConfigPath
from allthepoints.config.policy import policy
from allthepoints.config.settings import Settings, waiting
from allthepoints.operation.alerts import Alerts
from allthepoints.service.loop import Service

log = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds that a file gets to be written to its end, if it looks as if it were not."""

TOLD = 3
"""Problems named in a warning. `config check` names all."""


class Reload:
    """A changed config: a good one acts at once, a bad one changes nothing and is told."""

    def __init__(self, service: Service, config: ConfigPath, settings: Settings, alerts: Alerts, clock: Clock) -> None:
        self.settings = settings
        """Those in force."""
        self._runs = settings  # those that the service was put together with
        self._service = service
        self._config = config
        self._alerts = alerts
        self._clock = clock
        self._text = ""
        self._complaint = ""
        self._odd: tuple[str, ...] | None = None

    async def watch(self) -> None:
        """Look at the file now, for it may have been saved since it was read, and at each save; for ever."""
        path = self._config.path
        if path.exists() and not path.is_file() and not path.is_dir():
            return  # a pipe: it is read once, and says nothing twice
        async for _ in watch.saves(path, self._clock):
            if self._half_written():
                await self._clock.sleep(PATIENCE)
            self.now()

    def now(self) -> None:
        """Take up what the file says at this moment."""
        try:
            text, loaded = self._read()
        except ConfigError as error:
            self._reject(error)
            return
        log.debug("read %s, %s", self._config.path, "as it was" if loaded.settings == self.settings else "changed")
        self._text = text
        self._tell_odd(loaded.warnings)
        if loaded.settings != self.settings or self._complaint:
            self.settings, self._complaint = loaded.settings, ""
            self._service.take_policy(policy(self.settings), waiting(self._runs, self.settings))
            self._alerts.take(self.settings)

    def _read(self) -> tuple[str, load.Loaded]:
        path = self._config.path
        text = load.text_of(path)
        if not (text or "").strip() and self.settings != Settings():
            what = f"{path}: there is no such file any more" if text is None else f"{path}:1: the file is empty"
            raise ConfigError(what)
        return text or "", load.parse(text or "", str(path))

    def _half_written(self) -> bool:
        """Whether the file says less than it did, and nothing else: it may be about to say more."""
        try:
            text = load.text_of(self._config.path) or ""
        except ConfigError:
            return False
        return len(text) < len(self._text) and self._text.startswith(text)

    def _reject(self, error: ConfigError) -> None:
        problems = str(error).split("\n")
        more = f"; and {len(problems) - TOLD} more" if len(problems) > TOLD else ""
        complaint = "; ".join(problems[:TOLD]) + more
        if complaint != self._complaint:
            self._complaint = complaint
            self._service.reject_config(complaint)

    def _tell_odd(self, odd: tuple[str, ...]) -> None:
        """What can be used, and can hardly be meant. At the start it was told already."""
        for text in odd if self._odd is not None else ():
            if text not in (self._odd or ()):
                log.warning("%s", text)
        self._odd = odd
