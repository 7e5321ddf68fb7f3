"""No bench runs for ever. Their work is bounded by counts, so that it is the same each time; this is for the day on
which something in it waits for what never comes.

It is given up in steps, each sterner than the one before. First the workers of pools are asked to end and SystemExit is
raised, so that what a bench has started is ended by the bench itself, in its own order: leaving a `with` of a pool
would otherwise wait for a worker that hangs. What is left at the very end is told to end, too. After MOMENT seconds
workers that are still there are killed. After LAST more seconds so is every process that was started here, and then
this one leaves, whatever it is waiting for.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

HOURS = 6.0
"""The longest one on record took less than half of it."""

MOMENT = 5.0
LAST = 60.0


def begin(hours: float = HOURS) -> None:
    """From now on so long, then the process ends with 1, in order: what it started is ended. So it does when it is told
    to end (SIGTERM). An alarm that somebody has set already stays as it is; where there are none (Windows) nothing is
    done."""
    if not hasattr(signal, "setitimer") or signal.getitimer(signal.ITIMER_REAL)[0]:
        return

    def give_up(number: int, _frame: FrameType | None) -> None:
        _next(_kill_workers, MOMENT)
        signal.signal(signal.SIGTERM, lambda *_: None)  # once is enough; SIG_IGN would be handed on to processes
        atexit.register(_end_children)
        for worker in multiprocessing.active_children():
            worker.terminate()
        why = f"not done within {hours:g} hours" if number == signal.SIGALRM else "told to end"
        raise SystemExit(f"{why}: given up")

    signal.signal(signal.SIGALRM, give_up)
    signal.signal(signal.SIGTERM, give_up)
    signal.setitimer(signal.ITIMER_REAL, hours * 3600)


def run(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[Any]:
    """As `subprocess.run`, for a command that is a bench: one that is given up ends it in order, and does not kill it
    at once."""
    process = subprocess.Popen(command, **options)
    try:
        out, err = process.communicate()
    except BaseException:
        process.terminate()
        try:
            process.wait(2 * MOMENT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _kill_workers(_number: int, _frame: FrameType | None) -> None:
    """Raises nothing: what is being tidied up goes on."""
    _next(_leave, LAST)
    for worker in multiprocessing.active_children():
        worker.kill()


def _leave(_number: int, _frame: FrameType | None) -> None:
    for worker in multiprocessing.active_children():
        worker.kill()
    _end_children(signal.SIGKILL)
    print("given up, and it did not end in order", file=sys.stderr, flush=True)
    os._exit(1)


def _end_children(how: signal.Signals = signal.SIGTERM) -> None:
    for child in _children():
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, how)


def _next(step: Callable[[int, FrameType | None], None], seconds: float) -> None:
    signal.signal(signal.SIGALRM, step)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _children() -> Iterator[int]:
    """The processes that this one has started, where the system tells (Linux)."""
    for path in Path("/proc/self/task").glob("*/children"):
        yield from map(int, path.read_text(encoding="ascii").split())
