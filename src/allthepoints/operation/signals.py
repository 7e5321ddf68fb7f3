"""What the system's signals mean to the service."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable


def heed_signals(stop_service: Callable[[], None], reload: Callable[[], None]) -> None:
    """The first SIGINT or SIGTERM lets the service leave its rooms; the second ends the process at once."""
    loop = asyncio.get_running_loop()
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if stopping:
            os._exit(1)
        stopping = True
        stop_service()

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
    if hasattr(signal, "SIGHUP"):
        loop.add_signal_handler(signal.SIGHUP, reload)
