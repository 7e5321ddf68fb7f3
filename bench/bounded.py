"""No bench runs for ever. Their work is bounded by counts, so that it is the same each time; this is for the day on
which something in it waits for what never comes.
"""

from __future__ import annotations

import signal
from types import FrameType

HOURS = 6.0
"""The longest one on record took less than half of it."""


def begin(hours: float = HOURS) -> None:
    """From now on so long, then the process ends with 1, in order: what it started is ended. An alarm that somebody
    has set already stays as it is; where there are none (Windows) nothing is done."""
    if not hasattr(signal, "setitimer") or signal.getitimer(signal.ITIMER_REAL)[0]:
        return

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(f"not done within {hours:g} hours: given up")

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, hours * 3600)
