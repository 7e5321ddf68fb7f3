"""FC-38: signals, on a loop that takes them and on one that does not (Windows). Each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, os, signal, sys
from allthepoints.operation.signals import heed_signals

class WindowsLoop(asyncio.SelectorEventLoop):
    def add_signal_handler(self, *_):
        raise NotImplementedError

    def __init__(self):
        super().__init__()
        signal.set_wakeup_fd(self._csock.fileno(), warn_on_full_buffer=False)

async def main(*steps):
    stopped = asyncio.Event()
    heed_signals(lambda: (print("stop", flush=True), stopped.set()), lambda: print("reload", flush=True))
    for at, step in enumerate(steps):
        if step == "hang":
            for name in steps[at + 1:]:
                os.kill(os.getpid(), getattr(signal, name))
            while True:
                pass
        os.kill(os.getpid(), getattr(signal, step))
        await asyncio.sleep(0.01)
    await stopped.wait()
    print("out", flush=True)

windows = sys.argv[1] == "windows"
if windows and not hasattr(signal, "SIGBREAK"):
    signal.SIGBREAK = signal.SIGUSR1
with asyncio.Runner(loop_factory=WindowsLoop if windows else asyncio.SelectorEventLoop) as runner:
    runner.run(main(*sys.argv[2:]))
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the test sends signals as Unix does")


def check(platform: str, steps: str, code: int, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, platform, *steps.split()],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert (done.returncode, done.stdout.split()) == (code, said.split()), done.stderr


@pytest.mark.parametrize("platform", ["unix", "windows"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_fc_38_the_first_stops_in_order(platform: str, name: str) -> None:
    check(platform, name, 0, "stop out")


def test_fc_38_ctrl_break_stops_in_order() -> None:
    check("windows", "SIGBREAK", 0, "stop out")


@pytest.mark.parametrize("platform", ["unix", "windows"])
@pytest.mark.parametrize("steps", ["SIGINT SIGINT", "SIGTERM SIGINT", "SIGINT hang SIGTERM"])
def test_fc_38_the_second_ends_it_at_once(platform: str, steps: str) -> None:
    """Whichever it is, and also while the loop hangs."""
    check(platform, steps, 1, "stop")


def test_fc_38_two_at_once_while_the_loop_hangs() -> None:
    check("unix", "hang SIGINT SIGTERM", 1, "")


def test_a_hangup_reloads() -> None:
    check("unix", "SIGHUP SIGHUP SIGTERM", 0, "reload reload stop out")
