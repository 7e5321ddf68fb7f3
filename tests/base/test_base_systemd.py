"""The words of sd_notify, on sockets of our own, and what happens where nobody or nothing sensible listens."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from allthepoints.base.systemd import Manager


@contextmanager
def listening(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(address)
        one.setblocking(False)
        yield one


def heard(one: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(one.recv(4096).decode())
        except BlockingIOError:
            return found


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose name leaves room: the path of a socket has at most 108 bytes."""
    with tempfile.TemporaryDirectory(prefix="atp") as folder:
        yield Path(folder)


def given(address: str, **more: str) -> Manager:
    return Manager.given({"NOTIFY_SOCKET": address, **more}, 77)


def test_each_word_at_a_path(short: Path) -> None:
    with listening(str(short / "notify")) as one:
        manager = given(str(short / "notify"), WATCHDOG_USEC="30000000")
        manager.ready("In 2 of 2 live chats.")
        manager.alive()
        manager.status("two\nlines ● one")
        manager.reloading(12.5)
        manager.ready()
        manager.stopping("Leaving every chat.")
        assert heard(one) == [
            "READY=1\nSTATUS=In 2 of 2 live chats.",
            "WATCHDOG=1",
            "STATUS=two lines ● one",
            "RELOADING=1\nMONOTONIC_USEC=12500000",
            "READY=1",
            "STOPPING=1\nSTATUS=Leaving every chat.",
        ]


@pytest.mark.skipif(not Path("/proc/net/unix").exists(), reason="abstract sockets are Linux's")
def test_an_abstract_address() -> None:
    name = f"allthepoints-test-{os.getpid()}"
    with listening(f"\0{name}") as one:
        given(f"@{name}").ready()
        assert heard(one) == ["READY=1"]


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, 0.0),
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "77"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "78"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({"WATCHDOG_USEC": "-5"}, 0.0),
        ({"WATCHDOG_USEC": "¹²"}, 0.0),
    ],
)
def test_whose_watchdog_and_how_long(environ: dict[str, str], seconds: float) -> None:
    assert given("@nobody", **environ).watchdog == seconds


def test_without_a_watchdog_no_life_is_shown(short: Path) -> None:
    with listening(str(short / "notify")) as one:
        given(str(short / "notify")).alive()
        assert heard(one) == []


@pytest.mark.parametrize("address", ["", "@", "/", "notify", "vsock:2:1234", "/not/there", "@nobody-at-all", "/" * 400])
def test_nobody_listens(address: str) -> None:
    manager = given(address, WATCHDOG_USEC="1000000")
    for tell in (manager.ready, manager.alive, manager.stopping):
        tell()
    manager.status("x")
    manager.reloading(1.0)
    assert bool(manager.watchdog) is (len(address) > 1 and address[0] in "/@")


def test_what_could_not_be_said_goes_along_later(short: Path) -> None:
    """The manager is restarted, or its queue is full: nothing waits, and nothing that matters is lost."""
    path = str(short / "notify")
    manager = given(path, WATCHDOG_USEC="1000000")
    manager.status("Asking which of 2 channels are live.")
    manager.reloading(1.0)
    manager.ready("In 1 of 2 live chats.")
    with listening(path) as one:
        manager.alive()
        manager.alive()
        assert heard(one) == ["STATUS=In 1 of 2 live chats.\nREADY=1\nWATCHDOG=1", "WATCHDOG=1"]


def test_a_manager_that_reads_nothing_holds_up_nobody(short: Path) -> None:
    path = str(short / "notify")
    with listening(path) as one:
        manager = given(path, WATCHDOG_USEC="1000000")
        for _ in range(3000):  # far more than the queue of a socket takes
            manager.alive()
        manager.stopping()
        assert 0 < len(heard(one)) < 3000
        manager.alive()
        assert heard(one) == ["WATCHDOG=1\nSTOPPING=1"]
