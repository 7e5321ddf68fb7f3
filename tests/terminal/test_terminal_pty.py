"""The real command on a real pseudo-terminal: sizes, signals, a line that is cut; the terminal is left as it was."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from terminal_home import Home

from allthepoints.base.clock import Stopwatch

WITHIN = 100.0

ENTERS, LEAVES = b"\x1b[?1049h", b"\x1b[?1049l"
"""The other screen: to it, and back."""


class Terminal:
    """`watch` on the other side of a pseudo-terminal."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self.master = master
        self.process = process
        self.said = b""

    def until(self, word: bytes, since: int = 0) -> None:
        watch = Stopwatch()
        while word not in self.said[since:]:
            assert watch.elapsed() < WITHIN, self.said[-3000:]
            self.read(0.2)

    def read(self, seconds: float) -> bool:
        """Whether there may be more."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            more = os.read(self.master, 65_536)
        except OSError:  # nobody is there any more
            return False
        self.said += more
        return bool(more)

    def size(self, width: int, height: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.process.send_signal(signal.SIGWINCH)  # it is not the terminal's session that is told

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def end(self) -> int:
        watch = Stopwatch()
        while self.read(0.05) and self.process.poll() is None:
            assert watch.elapsed() < WITHIN
        while select.select([self.master], [], [], 0.05)[0] and self.read(0.0):
            pass
        return self.process.wait(10)


@contextmanager
def watching(home: Home, term: str = "xterm-256color", width: int = 90, height: int = 30) -> Iterator[Terminal]:
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("ALLTHEPOINTS_", "COLUMNS", "LINES"))
    }
    env = {
        **kept,
        "TERM": term,
        "ALLTHEPOINTS_CONFIG": str(home.config.path),
        "ALLTHEPOINTS_DATA_DIR": str(home.data.path),
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "allthepoints", "watch"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=env,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(master, process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(master)


def test_sizes_come_and_go_and_q_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    with home.running(), watching(home) as terminal:
        terminal.until(b"Alpha")
        for width, height in ((1, 1), (20, 5), (300, 2), (2, 60), (40, 12)):
            terminal.size(width, height)
            terminal.press(b"2")
            terminal.press(b"1")
        since = len(terminal.said)
        terminal.size(100, 30)
        terminal.until(b"Gamma", since)
        terminal.press(b"q")
        assert terminal.end() == 0
        assert ENTERS in terminal.said
        assert terminal.said.rindex(LEAVES) > terminal.said.rindex(ENTERS)
        assert b"Traceback" not in terminal.said


@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGHUP])
def test_it_ends_when_it_is_told_to(tmp_path: Path, signal_: signal.Signals) -> None:
    home = Home(tmp_path).fill()
    with home.running(), watching(home) as terminal:
        terminal.until(b"Alpha")
        terminal.process.send_signal(signal_)
        code = terminal.end()
        if signal_ is signal.SIGTERM:
            assert code == 0
            assert LEAVES in terminal.said
        assert b"Traceback" not in terminal.said


def test_a_terminal_of_one_cell_from_the_beginning(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    with home.running(), watching(home, width=1, height=1) as terminal:
        terminal.until(ENTERS)
        since = len(terminal.said)
        terminal.size(90, 30)
        terminal.until(b"Alpha", since)
        terminal.press(b"\x03")
        assert terminal.end() == 0


@pytest.mark.parametrize("term", ["dumb", "unknown", ""])
def test_fc_35_a_terminal_that_can_only_be_written_to_is_told_what_does_instead(tmp_path: Path, term: str) -> None:
    with watching(Home(tmp_path).fill(), term) as terminal:
        assert terminal.end() == 2
        assert b"`watch` needs a terminal" in terminal.said
        assert b"`allthepoints status`" in terminal.said
        assert ENTERS not in terminal.said
