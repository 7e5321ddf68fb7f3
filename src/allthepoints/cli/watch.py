"""`watch`: the terminal view of a service that runs in another process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from allthepoints.base.clock import SystemClock
from allthepoints.base.errors import FaultError, UsageError
from allthepoints.cli import output
from allthepoints.cli.here import Here, here

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from allthepoints.base.types import JSON, Login
    from allthepoints.views.terminal.app import WatchApp
    from allthepoints.views.terminal.asks import Errand

DUMB = frozenset({"dumb", "unknown", ""})
"""What a terminal is called that can only be written to line by line."""


def watch(context: typer.Context) -> None:
    """Look at the running service: your channels, stores, what happens; redeem. It goes on when you quit."""
    where = here(context)
    if reason := unfit(sys.platform != "win32"):
        raise UsageError(
            f"`watch` needs a terminal, and {reason}",
            "`allthepoints status` tells the same once, `allthepoints run --plain` each change in a line of its own.",
        )
    asyncio.run(_watch(app_for(where)))


def unfit(named: bool) -> str:
    """Why this is no terminal to draw on; empty: it is one. `named`: terminals have a name here, in TERM."""
    streams = (("input", sys.stdin), ("output", sys.stdout), ("error output", sys.stderr))
    for name, stream in streams:
        if stream is None or not stream.isatty():
            return f"its {name} is none"
    term = os.environ.get("TERM", "")
    return f"TERM is {term!r}" if named and term.lower() in DUMB else ""


def app_for(where: Here) -> WatchApp:
    """The view of what is there. Raises ConfigError."""
    from allthepoints.views.terminal.app import WatchApp
    from allthepoints.views.terminal.asks import Asks
    from allthepoints.views.terminal.seen import Looker

    clock, data, config = SystemClock(), where.data, where.config
    looker = Looker(data, config, where.load().settings, clock.now)
    asks = Asks(data, config, lambda: looker.settings, clock.now, _errand(where))
    plain = getattr(sys.stderr, "encoding", None) or "ascii"
    ascii_only = output.ascii_only()
    return WatchApp(looker, asks, ascii_only=ascii_only, plain=plain if ascii_only else "")


def _errand(where: Here) -> Errand:
    """How this process is the service for one errand, without any chat: as `redeem` and `store` are."""

    def errand(kind: str, login: Login, asked: Mapping[str, JSON], until: Callable[[], bool], seconds: float) -> None:
        from allthepoints import wiring
        from allthepoints.config.environment import read_environment
        from allthepoints.config.paths import prepare

        settings, environment = where.load().settings, read_environment(os.environ)
        data = prepare(where.data)
        try:
            asyncio.run(wiring.errand(settings, data, environment, kind, login, dict(asked), until, seconds))
        except ValueError as error:
            raise FaultError(f"it could not be asked: {error}") from error

    return errand


async def _watch(app: WatchApp) -> None:
    from allthepoints.base.threads import Unawaited

    asyncio.get_running_loop().set_default_executor(Unawaited())  # a disk that hangs does not hold up the end
    with suppress(NotImplementedError):  # Windows
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, app.exit)  # the terminal is left as it was
    await app.run_async()
