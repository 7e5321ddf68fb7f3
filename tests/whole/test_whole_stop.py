"""FC-38: SIGTERM at the worst moments, to the real command. It is gone by itself within 5 s, in order, every time.

The bound is the wait for its end: were it still there, it would be killed and the test would fail. On a machine that is
slower just now it is more, by as much as that is measured to cost (`slower_by`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from foreign_twitch import ForeignTwitch, Habits, foreign_twitch
from whole_world import (
    COMMAND,
    PATIENT_CHAT,
    STOPS_WITHIN,
    Machine,
    check_two_signals,
    free_port,
    sandbox,
    signed_in,
    until,
)

from allthepoints.base.clock import pause
from allthepoints.storage.lock import holder

TOKEN = {"ALLTHEPOINTS_TWITCH_TOKEN": "sometokenofsomebody"}

Talk = Callable[[socket.socket, threading.Event], None]
"""What a server does with a connection, until it is told to end."""


class Server:
    """On loopback, a thread a connection. `met`: how many came; `told`: all that was read."""

    def __init__(self, talk: Talk) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._talk = talk
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._open: list[socket.socket] = []
        self.port: int = self._socket.getsockname()[1]
        self.met = 0
        self._threads[0].start()

    def close(self) -> None:
        self._ends.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                one, _ = self._socket.accept()
            except OSError:
                return
            self.met += 1
            self._open.append(one)
            thread = threading.Thread(target=self._serve, args=(one,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, one: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._talk(one, self._ends)


@contextmanager
def server(talk: Talk) -> Iterator[Server]:
    one = Server(talk)
    try:
        yield one
    finally:
        one.close()


def says_nothing(_: socket.socket, ends: threading.Event) -> None:
    ends.wait()


def welcomes(one: socket.socket) -> None:
    """What a chat says first; then this client is in #alpha."""
    heard = b""
    while b"NICK" not in heard:
        heard += one.recv(4096)
    one.sendall(b":tmi.twitch.tv 001 me :Welcome, GLHF!\r\n")
    while b"JOIN #alpha" not in heard:
        heard += one.recv(4096)
    one.sendall(b":me!me@me.tmi.twitch.tv JOIN #alpha\r\n")


def hears_nothing_any_more(one: socket.socket, ends: threading.Event) -> None:
    """Never reads again; so PART, QUIT and the half close are answered by nobody."""
    welcomes(one)
    ends.wait()


def wants_answers_and_never_reads_them(one: socket.socket, ends: threading.Event) -> None:
    """So many PINGs that the answers fill every buffer on the way, and our writing stands still."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    welcomes(one)
    line = b"PING :" + b"x" * 400 + b"\r\n"
    while not ends.is_set():
        one.sendall(line * 100)


def hangs_up_on_nick(one: socket.socket, _: threading.Event) -> None:
    heard = b""
    while b"NICK" not in heard:
        heard += one.recv(4096)
    one.close()


@contextmanager
def swallows_syn() -> Iterator[int]:
    """A port whose queue is full: the system answers a SYN with nothing at all."""
    with socket.socket() as listening, contextlib.ExitStack() as stack:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port: int = listening.getsockname()[1]
        for _ in range(4):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        yield port


def machine_of(folder: Path, endpoints: Mapping[str, str], more: str = "", quick: str = PATIENT_CHAT) -> Machine:
    machine = Machine(folder / "home", dict(TOKEN))
    machine.configure(endpoints, 'followed = false\ninclude = ["alpha"]', quick)
    with machine.config.open("a", encoding="utf-8") as config:  # behind [endpoints]
        config.write(f'streamelements = "http://127.0.0.1:9"\n{more}')
    return machine


@contextmanager
def with_chat_at(folder: Path, irc: str) -> Iterator[tuple[Machine, ForeignTwitch]]:
    """A Twitch that answers, but for its chat, which is at `irc`. alpha is live."""
    with foreign_twitch(Habits()) as twitch:
        twitch.live = {"alpha"}
        yield machine_of(folder, {**twitch.endpoints, "irc": irc}), twitch


def check_stops(machine: Machine, reached: Callable[[], Any], what: str, command: tuple[str, ...] = COMMAND) -> None:
    """SIGTERM once `reached`; it ends by itself in time, with 0, says so, and left its last words in the database."""
    with machine.run(command=command) as service:
        until(lambda: reached() or service.code is not None, what=what)
        assert service.code is None, service.complains()
        assert service.stop(within=STOPS_WITHIN) == 0, service.complains()
        assert "Stopped; you left every chat." in service.complains()
    assert machine.kinds()[-1] == "stopped"
    assert machine.peek()["running"] is False


@pytest.mark.skipif(sys.platform != "linux", reason="how Linux treats a full queue")
def test_fc_38_while_a_port_swallows_the_syn(tmp_path: Path) -> None:
    with swallows_syn() as port, with_chat_at(tmp_path, f"irc://127.0.0.1:{port}") as (machine, _):
        check_stops(machine, lambda: in_syn_sent(port), "a SYN that nobody answers")


def in_syn_sent(port: int) -> bool:
    """Whether somebody but the four that fill the queue waits for this port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    waiting = [row for row in rows if row[2] == f"0100007F:{port:04X}" and row[3] == "02"]
    sockets = {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_link(fd)}
    return any(f"socket:[{row[9]}]" not in sockets for row in waiting)


def _is_link(fd: str) -> bool:
    return os.path.islink(f"/proc/self/fd/{fd}")


@pytest.mark.parametrize("scheme", ["irc", "ircs"], ids=["before_the_welcome", "in_the_tls_handshake"])
def test_fc_38_while_a_chat_server_says_nothing(tmp_path: Path, scheme: str) -> None:
    with server(says_nothing) as mute, with_chat_at(tmp_path, f"{scheme}://127.0.0.1:{mute.port}") as (machine, _):
        check_stops(machine, lambda: mute.met, "a connection")


@pytest.mark.parametrize("talk", [hears_nothing_any_more, wants_answers_and_never_reads_them])
def test_fc_38_while_a_chat_server_does_not_read(tmp_path: Path, talk: Talk) -> None:
    with server(talk) as deaf, with_chat_at(tmp_path, f"irc://127.0.0.1:{deaf.port}") as (machine, _):
        let_go = talk is wants_answers_and_never_reads_them  # it is: a queue must not grow; then it is met again
        check_stops(machine, lambda: deaf.met > 1 if let_go else "present" in machine.states().values(), "in")


def test_fc_38_while_it_waits_for_the_next_try(tmp_path: Path) -> None:
    with server(hangs_up_on_nick) as rude, with_chat_at(tmp_path, f"irc://127.0.0.1:{rude.port}") as (machine, _):
        check_stops(machine, lambda: rude.met >= 3, "the third try")


@pytest.mark.parametrize("name", ["oauth", "helix"])
def test_fc_38_while_a_web_host_hangs(tmp_path: Path, name: str) -> None:
    with server(says_nothing) as mute, foreign_twitch() as twitch:
        machine = machine_of(tmp_path, {**twitch.endpoints, name: f"http://127.0.0.1:{mute.port}"})
        check_stops(machine, lambda: mute.met, "a request")


NO_NAMES = """
import socket, threading
from allthepoints.__main__ import main

real = socket.getaddrinfo

def hangs(host, *args, **more):
    host = host.decode() if isinstance(host, bytes) else host
    if host in ("127.0.0.1", "localhost", None):
        return real(host, *args, **more)
    open(f"asked-{host}", "w").close()
    threading.Event().wait()

socket.getaddrinfo = hangs
main()
"""


@pytest.mark.parametrize("name", ["helix", "irc"])
def test_fc_38_while_a_name_is_looked_up_and_nobody_answers(tmp_path: Path, name: str) -> None:
    """The system's resolver blocks a thread, and cannot be told to give up."""
    with foreign_twitch() as twitch:
        twitch.live = {"alpha"}
        nowhere = {"helix": "https://helix.invalid/helix", "irc": "ircs://irc.invalid:6697"}[name]
        quick = '[dashboard]\nlisten = ""\n'  # the usual times are meant for this machine only
        machine = machine_of(tmp_path, {**twitch.endpoints, name: nowhere}, quick=quick)
        asked = machine.home / "run1" / f"asked-{name}.invalid"
        check_stops(machine, asked.exists, "a look-up", (sys.executable, "-c", NO_NAMES))


AT_ONCE = """
from allthepoints.__main__ import main
from allthepoints.core import alerts

alerts.BATCH = 0.1  # else news wait for more of them for half a minute
main()
"""


def test_fc_38_while_a_place_of_notifications_hangs(tmp_path: Path) -> None:
    with server(says_nothing) as mute, foreign_twitch() as twitch:
        notify = f'[notify]\nurls = ["json://127.0.0.1:{mute.port}"]\nevents = ["live"]\n'
        machine = machine_of(tmp_path, twitch.endpoints, notify)

        def told() -> int:
            if machine.peek()["channels"]:  # alpha is known to be offline, so that its start is news
                twitch.live = {"alpha"}
            return mute.met

        check_stops(machine, told, "a notification", (sys.executable, "-c", AT_ONCE))


def test_fc_38_while_a_page_listens(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha"]) as box:
        machine, port = signed_in(tmp_path, box), free_port()
        text = machine.config.read_text("utf-8").replace('listen = ""', f'listen = "127.0.0.1:{port}"')
        machine.config.write_text(text, encoding="utf-8")
        box.on_air("alpha")
        pages = contextlib.ExitStack()

        def listening() -> bool:
            try:
                one = pages.enter_context(socket.create_connection(("127.0.0.1", port)))
            except ConnectionRefusedError:
                return False
            one.sendall(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            return one.recv(15) == b"HTTP/1.1 200 OK"

        with pages:
            check_stops(machine, listening, "the stream of a page")
        until(lambda: box.rooms() == [], what="left")


def test_fc_38_in_order_it_has_left_the_rooms_before_it_ends(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha", "beta"]) as box:
        machine = signed_in(tmp_path, box)
        box.on_air("alpha", "beta")
        check_stops(machine, lambda: len(box.rooms()) == 2, "in both")
        until(lambda: box.rooms() == [], what="left")


@pytest.mark.skipif(sys.platform != "linux", reason="what a process listens to is told by Linux")
def test_fc_38_while_it_starts(tmp_path: Path) -> None:
    """Whatever moment it is, from the first line of ours on: 0, and the next start finds nothing broken."""
    with foreign_twitch() as twitch:
        machine = machine_of(tmp_path, twitch.endpoints)
        for moment in range(8):
            with machine.run() as service:
                until(lambda: heeds_sigterm(service.pid) or service.code is not None, what="a process that listens")
                pause(0.05 * moment)  # less than it takes to start, in steps
                assert service.stop(within=STOPS_WITHIN) == 0, service.complains()
        check_stops(machine, lambda: machine.peek()["account"], "a service that is signed in")


def heeds_sigterm(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(mask, 16) >> (signal.SIGTERM - 1) & 1)


SIGNALLED = """
import os, signal, sys
from allthepoints.__main__ import main

when, number = sys.argv.pop(1), getattr(signal, sys.argv.pop(1))

def now():
    os.kill(os.getpid(), number)

class Finder:
    def find_spec(self, name, path, target=None):
        if name == when:
            now()

sys.meta_path.insert(0, Finder())
if when == "opening":
    from allthepoints.storage import database as place
    real = place.open_database
    place.open_database = lambda *args, **more: (now(), real(*args, **more))[1]
if when == "loading":
    from allthepoints.storage import restore as place
    place.settle = lambda *_: now()
main()
"""


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize(
    "when",
    [
        "allthepoints.cli.app",
        "typer",
        "asyncio",
        "allthepoints.config.load",
        "allthepoints.wiring",
        "opening",
        "loading",
    ],
)
def test_fc_38_when_it_has_just_come_so_far(tmp_path: Path, when: str, number: str) -> None:
    with foreign_twitch() as twitch:
        machine = machine_of(tmp_path, twitch.endpoints)
        with machine.run(command=(sys.executable, "-c", SIGNALLED, when, number)) as service:
            until(lambda: service.code is not None, what="it ends by itself")
            assert service.code == 0, service.complains()
            assert service.complains().startswith("Stopped")
            assert service.says() == ""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no hangups here")
def test_fc_38_a_hangup_while_it_starts_is_no_end(tmp_path: Path) -> None:
    with foreign_twitch() as twitch:
        machine = machine_of(tmp_path, twitch.endpoints)
        command = (sys.executable, "-c", SIGNALLED, "allthepoints.wiring", "SIGHUP")
        check_stops(machine, lambda: machine.peek()["account"], "a service that is signed in", command)


def test_fc_33_fc_38_while_somebody_holds_the_database_locked(tmp_path: Path) -> None:
    """Also before its first turn: a start waits ten seconds for the lock."""
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = signed_in(tmp_path, box)
        with machine.run() as service:
            until(lambda: "alpha" in machine.states(), what="a service that runs")
            with locked(machine.data / "allthepoints.db"):
                box.on_air("alpha")
                until(lambda: box.rooms() == ["alpha"], what="in")
                assert service.stop(within=STOPS_WITHIN) == 0, service.complains()
            until(lambda: box.rooms() == [], what="left")
        with locked(machine.data / "allthepoints.db"), machine.run() as service:
            until(lambda: holder(machine.data / "allthepoints.lock") == service.pid, what="it has come to the database")
            pause(0.05)
            assert service.stop(within=STOPS_WITHIN) == 0, service.complains()
        with machine.run() as service:
            until(lambda: machine.peek()["running"], what="the next start")
            assert service.stop(within=STOPS_WITHIN) == 0, service.complains()


@contextmanager
def locked(database: Path) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_fc_38_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    """Nobody answers the PART."""
    with server(hears_nothing_any_more) as deaf, with_chat_at(tmp_path, f"irc://127.0.0.1:{deaf.port}") as (machine, _):
        check_two_signals(machine, lambda: "present" in machine.states().values(), lambda: None)
