"""What the system's signals mean to the service.

Theory. A handler of Python runs in the main thread between two steps of its code, also while the loop hangs in some of
it. So it is the handler that counts: the first SIGINT or SIGTERM is handed to the loop, the second ends the process at
once, whatever the loop does. What wakes a loop that sleeps in the system is its own business: on Unix it does so for
signals that were added to it, on Windows for all.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable

STOPS = ("SIGINT", "SIGTERM", "SIGBREAK")
"""Ctrl-C; a service manager; Ctrl-Break and the closing of the console, which only Windows has."""

FORCED = 1
"""The exit code of a stop that was asked for twice."""


def heed_signals(stop_service: Callable[[], None], reload: Callable[[], None]) -> None:
    """The first of STOPS lets the service leave its rooms; the second ends the process at once. SIGHUP reloads.

    In the main thread only. The loop takes it all back when it is closed.
    """
    loop = asyncio.get_running_loop()
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        if stopping:
            os._exit(FORCED)
        stopping = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: we are on our way out already
            loop.call_soon_threadsafe(stop_service)

    for name in STOPS:
        if number := getattr(signal, name, None):
            with contextlib.suppress(NotImplementedError):  # Windows
                loop.add_signal_handler(number, _nothing)
            signal.signal(number, stop)
    if hasattr(signal, "SIGHUP"):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(signal.SIGHUP, reload)


def _nothing() -> None:
    """For the loop to be woken by."""
