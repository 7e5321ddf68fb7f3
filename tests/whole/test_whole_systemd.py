"""The real command under a manager that speaks systemd's protocol: a socket of ours in NOTIFY_SOCKET."""

from __future__ import annotations

import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from whole_world import Machine, sandbox, signed_in, until

WATCHDOG = 0.6
"""Seconds."""
WITHOUT_IT = 30.0
"""Seconds, fewer than an idle loop sleeps where nobody watches it; a busy machine may make it late."""


class Notify:
    """What was heard so far, one word an entry."""

    def __init__(self, one: socket.socket, address: str) -> None:
        self._one = one
        self.environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": str(int(WATCHDOG * 1e6))}
        self.words: list[str] = []

    def hear(self, within: float = 0.0) -> bool:
        """All there is; with `within` wait so long for something. Whether there was anything."""
        self._one.settimeout(within)
        before = len(self.words)
        try:
            while True:
                self.words += self._one.recv(4096).decode().split("\n")
                self._one.settimeout(0.0)
        except (TimeoutError, BlockingIOError):
            return len(self.words) > before

    def until(self, word: str) -> None:
        def heard() -> bool:
            self.hear()
            return word in self.words

        until(heard, what=word)


@pytest.fixture
def notify() -> Iterator[Notify]:
    with tempfile.TemporaryDirectory(prefix="atp") as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        address = str(Path(folder) / "notify")  # short: a socket's path has at most 108 bytes
        one.bind(address)
        yield Notify(one, address)


def test_a_whole_life(tmp_path: Path, notify: Notify) -> None:
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = signed_in(tmp_path, box)
        box.on_air("alpha")
        with machine.run(env=notify.environment) as service:
            notify.until("READY=1")
            assert machine.data.joinpath("allthepoints.db").exists(), "ready, so the database is open"
            notify.until("STATUS=In 1 of 1 live chat.")
            machine.config.write_text(
                machine.config.read_text().replace("[channels]", '[channels]\nexclude = ["alpha"]')
            )
            notify.words.clear()
            service.send(signal.SIGHUP)
            notify.until("RELOADING=1")
            notify.until("READY=1")
            assert any(word.startswith("MONOTONIC_USEC=") and word[15:].isdigit() for word in notify.words)
            assert notify.words.index("RELOADING=1") < notify.words.index("READY=1")
            until(lambda: box.rooms() == [], what="the changed config in force")
            assert service.stop() == 0
            notify.hear()
            assert "STOPPING=1" in notify.words
            assert notify.words.count("READY=1") == 1, "a stop is no reload"


def test_while_nothing_happens_the_loop_still_shows_that_it_lives(tmp_path: Path, notify: Notify) -> None:
    """Nobody signed in, so there is nothing to do: without a watchdog the loop would sleep for a minute."""
    machine = idle(tmp_path)
    with machine.run(env=notify.environment) as service:
        notify.until("READY=1")
        while notify.words.count("WATCHDOG=1") < 8:
            assert notify.hear(within=WITHOUT_IT), "systemd would end it by now"
        assert service.stop() == 0


HANGS = """
import signal, threading
from allthepoints.__main__ import main
signal.signal(signal.SIGUSR1, lambda *_: threading.Event().wait())  # in the main thread: the loop's own
main()
"""


def test_a_loop_that_hangs_falls_silent(tmp_path: Path, notify: Notify) -> None:
    machine = idle(tmp_path)
    with machine.run(env=notify.environment, command=(sys.executable, "-c", HANGS)) as service:
        notify.until("READY=1")
        service.send(signal.SIGUSR1)
        until(lambda: not notify.hear(within=WATCHDOG * 1.5), what="silence")
        assert service.code is None
        service.kill()


def test_a_manager_that_is_gone_matters_to_nobody(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = signed_in(tmp_path, box)
        box.on_air("alpha")
        nowhere = {"NOTIFY_SOCKET": str(tmp_path / "gone"), "WATCHDOG_USEC": "600000"}
        with machine.run(env=nowhere) as service:
            until(lambda: box.rooms() == ["alpha"], what="in")
            assert service.stop() == 0
        assert "systemd" not in service.complains()


def idle(folder: Path) -> Machine:
    """A machine where nobody signed in."""
    machine = Machine(folder / "home")
    machine.configure(dict.fromkeys(("helix", "oauth"), "http://127.0.0.1:9") | {"irc": "irc://127.0.0.1:9"})
    return machine
