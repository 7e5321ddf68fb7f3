"""No bench runs for ever. Their work is bounded by counts, so that it is the same each time; this is for the day on
which something in it waits for what never comes.

It is given up in steps, each sterner than the one before. First the workers of pools are asked to end and SystemExit is
raised, so that what a bench has started is ended by the bench itself, in its own order: leaving a `with` of a pool
would otherwise wait for a worker that hangs. After MOMENT seconds workers that are still there are killed. After LAST
more seconds so is every process that was started here, and then this one leaves, whatever it is waiting for.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

HOURS = 6.0
"""The longest one on record took less than half of it."""

MOMENT = 5.0
LAST = 60.0


def begin(hours: float = HOURS) -> None:
    """From now on so long, then the process ends with 1, in order: what it started is ended. An alarm that somebody
    has set already stays as it is; where there are none (Windows) nothing is done."""
    if not hasattr(signal, "setitimer") or signal.getitimer(signal.ITIMER_REAL)[0]:
        return

    def give_up(_number: int, _frame: FrameType | None) -> None:
        _next(_kill_workers, MOMENT)
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise SystemExit(f"not done within {hours:g} hours: given up")

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, hours * 3600)


def _kill_workers(_number: int, _frame: FrameType | None) -> None:
    """Raises nothing: what is being tidied up goes on."""
    _next(_leave, LAST)
    for worker in multiprocessing.active_children():
        worker.kill()


def _leave(_number: int, _frame: FrameType | None) -> None:
    for worker in multiprocessing.active_children():
        worker.kill()
    for child in _children():
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    print("given up, and it did not end in order", file=sys.stderr, flush=True)
    os._exit(1)


def _next(step: Callable[[int, FrameType | None], None], seconds: float) -> None:
    signal.signal(signal.SIGALRM, step)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _children() -> Iterator[int]:
    """The processes that this one has started, where the system tells (Linux)."""
    for path in Path("/proc/self/task").glob("*/children"):
        yield from map(int, path.read_text(encoding="ascii").split())
