"""SIGINT and SIGTERM while the service is still being loaded.

Theory. Loading takes a moment, on a small machine some seconds, and a signal that meets no handler kills: with a code
that says so, or, as process 1 of a container, not at all. Nothing has been begun then that a sudden end could break.
"""

from __future__ import annotations

import contextlib
import os
import signal

WORDS = b"Stopped before it began.\n"


def leave_at_once() -> None:
    """From now on both end the process with 0. A hangup is let go by: the config has yet to be read.

    In the main thread.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _leave(*_: object) -> None:
    with contextlib.suppress(OSError):
        os.write(2, WORDS)
    os._exit(0)
