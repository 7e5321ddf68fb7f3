"""What every command knows: where the config and the data are, and what time it is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from allthepoints.base.clock import SystemClock
from allthepoints.base.errors import UsageError
from allthepoints.base.types import Login, NotALogin, as_login
from allthepoints.config.paths import ConfigPath, DataDir, config_path, data_dir

if TYPE_CHECKING:
    import typer

    from allthepoints.config.load import Loaded


@dataclass(frozen=True, slots=True)
class Here:
    """The global options. None: not given. `verbose`: areas of which more is said."""

    config_flag: str | None = None
    data_flag: str | None = None
    verbose: tuple[str, ...] = ()

    @property
    def config(self) -> ConfigPath:
        return config_path(self.config_flag, os.environ)

    @property
    def data(self) -> DataDir:
        """Raises UsageError for something that is no directory."""
        data = data_dir(self.data_flag, os.environ)
        if data.path.exists() and not data.path.is_dir():
            raise UsageError(
                f"{data.path} is a file, where the data directory is expected", "Choose another --data-dir."
            )
        return data

    def load(self) -> Loaded:
        """The settings. Raises ConfigError."""
        from allthepoints.config.load import load

        config = self.config
        return load(config.path, config.named)

    @property
    def loggers(self) -> bool | tuple[str, ...]:
        """The loggers of which the log takes details; see `base.logs.log_to`. Raises UsageError."""
        from allthepoints.cli.areas import areas_in, loggers_of

        return loggers_of(self.verbose or areas_in(os.environ.get("ALLTHEPOINTS_VERBOSE", "")))

    def now(self) -> float:
        """Seconds since the epoch."""
        return SystemClock().now()


def here(context: typer.Context) -> Here:
    """What the global options said."""
    return cast(Here, context.obj)


def login_of(text: str) -> Login:
    """The channel that a person named. Raises UsageError with the reason if it cannot be one."""
    try:
        return as_login(text)
    except NotALogin as error:
        raise UsageError(f"{text!r} is not a channel: {error}") from None
