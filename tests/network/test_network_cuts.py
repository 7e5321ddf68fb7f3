"""The real command on one machine, the sandbox on another, and a wire between them that is cut, resets, loses, is slow.

A connection on which nothing gets through is found out within `idle_ping` + `pong_timeout`, and for no longer than that
is a presence claimed that is none: what the command leaves to be read is held against the sandbox's own list of who
sits where, ten times a second. What the network does to us, we do not pass on to Twitch: no limit is broken.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trustme
from netns import Wire, wired
from network_seconds import BACK, IN, OUT, Tell
from whole_world import HASTY, PATIENT, QUICK, Box, Machine, Process, sandbox, signed_in, until

from allthepoints.base.clock import Stopwatch

KEEP = 3.0
"""Seconds of `idle_ping` and `pong_timeout` in HASTY."""

SPARE = 8.0
"""Seconds for two busy cores: until a timer is heard, a row is written, a look is taken. The usual ten seconds for a
PONG are still more than both."""

CUT = 60.0
"""Seconds of the long cut."""

CHATTY = '[limits]\nping_every = "1s"\npong_within = "1s"\n'
"""A server that finds out for itself."""

IN_TIME = f'{QUICK}pong_timeout = "3s"\n'
"""Where no connection may be given up: a machine that stands still for a second is no silence."""

T = TypeVar("T")


@dataclass
class Stage:
    """Both machines, and what was seen of them."""

    wire: Wire
    box: Box
    machine: Machine
    service: Process
    claimed_falsely: float = 0.0
    """Seconds of the longest time for which a presence was claimed that was none."""
    _since: dict[str, float] = field(default_factory=dict)
    _watch: Stopwatch = field(default_factory=Stopwatch)

    @property
    def chat(self) -> int:
        return int(self.box.endpoints["irc"].rpartition(":")[2])

    @property
    def http(self) -> int:
        return int(self.box.endpoints["helix"].split(":")[2].partition("/")[0])

    def ask(self, call: Callable[[Box], T]) -> T:
        """On the server's machine."""
        with self.wire.server.inside():
            return call(self.box)

    def claimed(self) -> set[str]:
        """Where the command says that it is. Each look is held against where it is."""
        said = {login for login, state in self.machine.states().items() if state == "present"}
        sat, now = set(self.ask(Box.rooms)), self._watch.elapsed()
        self._since = {login: self._since.get(login, now) for login in said - sat}
        self.claimed_falsely = max([self.claimed_falsely, *(now - since for since in self._since.values())])
        return said

    def until_present(self, *logins: str, what: str, within: float = PATIENT) -> float:
        """Claimed, and so. Answers the seconds."""
        watch = Stopwatch()
        until(lambda: self.claimed() == set(logins) == set(self.ask(Box.rooms)), within, what)
        return watch.elapsed()

    def found_out(self, what: str) -> float:
        """Seconds until nothing is claimed any more."""
        watch = Stopwatch()
        until(lambda: not self.claimed(), PATIENT, what)
        return watch.elapsed()

    def silences(self) -> int:
        """How many connections it has given up for their silence, by its own words."""
        told = [event["text"] for event in self.machine.json("events", "--limit", "1000")]
        return sum("no answer within 1 s" in text for text in told)

    def tally(self) -> dict[str, Any]:
        return self.ask(Box.tally)

    def sound(self) -> None:
        """Nothing was claimed for longer than it takes to find out, and no limit was broken."""
        assert self.claimed_falsely < KEEP + SPARE
        tally = self.tally()
        assert (tally["join_limit_violations"], tally["login_limit_violations"]) == (0, 0), tally
        assert (tally["refresh_reuse"], tally["joins_after_ban"]) == (0, 0)
        assert "Traceback" not in self.service.complains()


@contextlib.contextmanager
def staged(tmp_path: Path, *logins: str, scenario: str = "", tls: bool = False, quick: str = HASTY) -> Iterator[Stage]:
    """With the command in all these chats."""
    args, env = [], {}
    if tls:
        authority = trustme.CA()
        pem = tmp_path / "server.pem"
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(pem)
        args, env = ["--cert", str(pem), "--key", str(pem)], {"SSL_CERT_FILE": str(tmp_path / "ca.pem")}
    with wired() as wire, contextlib.ExitStack() as stack:
        with wire.server.inside():
            box = stack.enter_context(sandbox(tmp_path, logins, scenario, args))
        machine = signed_in(tmp_path, box)
        machine.configure(box.endpoints, quick=quick)
        with wire.client.inside():
            service = stack.enter_context(machine.run(env=env))
        stage = Stage(wire, box, machine, service)
        stage.ask(lambda box: box.on_air(*logins))
        stage.until_present(*logins, what="in all chats")
        yield stage
        wire.heal()
        assert service.stop() == 0, service.complains()


def test_fc_05_each_way_alone_and_both(tmp_path: Path, tell: Tell) -> None:
    """TLS, and a server that says nothing of itself: it is our PING that finds out."""
    with staged(tmp_path, "alpha", "beta", tls=True) as stage:
        for ways in (("up",), ("down",), ("up", "down")):
            before = stage.silences()
            stage.wire.drop(stage.chat, *ways)
            tell(cut := f"Cut {' and '.join(ways)}", OUT, found := stage.found_out(f"the cut of {ways}"))
            assert found < KEEP + SPARE
            stage.wire.heal()
            tell(cut, BACK, stage.until_present("alpha", "beta", what=f"both, after the cut of {ways}"))
            assert stage.silences() > before
        stage.sound()


def test_fc_05_resets_of_either_end(tmp_path: Path, tell: Tell) -> None:
    with staged(tmp_path, "alpha", "beta") as stage:
        # Ours: the server still believes in the old connection when we are back.
        stage.wire.reset(stage.chat, "up")
        tell("Reset towards us", OUT, found := stage.found_out("the reset of our side"))
        assert found < KEEP + SPARE
        stage.wire.heal()
        tell("Reset towards us", BACK, stage.until_present("alpha", "beta", what="both, after the first"))
        # The server's: it puts us out, and nobody tells us.
        stage.wire.reset(stage.chat, "down")
        stage.ask(lambda box: box.fault("server_ping"))
        until(lambda: stage.claimed() is not None and not stage.ask(Box.rooms), what="the server has put us out")
        tell("Reset towards the server", OUT, found := stage.found_out("the reset of the server's side"))
        assert found < KEEP + SPARE
        stage.wire.heal()
        tell("Reset towards the server", BACK, stage.until_present("alpha", "beta", what="both, after the second"))
        stage.sound()


@pytest.mark.timeout(300)
def test_a_long_cut_of_everything(tmp_path: Path, tell: Tell) -> None:
    """Chat, Helix and sign-in are gone; the server puts us out meanwhile. All comes back by itself."""
    with staged(tmp_path, "alpha", "beta", scenario=CHATTY) as stage:
        watch = Stopwatch()
        for port in (stage.chat, stage.http):
            stage.wire.drop(port, "up", "down")
        tell(f"Cut of {CUT:g} s", OUT, found := stage.found_out("the cut"))
        assert found < KEEP + SPARE
        until(lambda: stage.claimed() or watch.elapsed() > CUT, CUT + PATIENT, "the end of the cut")
        assert stage.claimed() == set()
        assert stage.ask(Box.rooms) == []
        stage.wire.heal()
        tell(f"Cut of {CUT:g} s", BACK, stage.until_present("alpha", "beta", what="both, after the cut"))
        stage.sound()
        assert stage.tally()["protocol_error_count"] == 0


def test_every_tenth_packet_is_lost(tmp_path: Path, tell: Tell) -> None:
    logins = [f"room{number:02}" for number in range(8)]
    with staged(tmp_path, *logins, scenario=CHATTY) as stage:
        for port in (stage.chat, stage.http):
            stage.wire.drop(port, "up", "down", share=0.1)
        for login in logins[:4]:
            stage.ask(lambda box, login=login: box.on_air(login, live=False))  # type: ignore[misc]
        stage.until_present(*logins[4:], what="out of four")
        stage.ask(lambda box: box.on_air(*logins[:4]))
        tell("10 % of all packets lost", IN, stage.until_present(*logins, what="in all again"))
        stage.sound()


def test_a_wire_that_is_too_slow_for_the_chat(tmp_path: Path, tell: Tell) -> None:
    """More chat than fits through: it comes late, and that is no reason to go."""
    with staged(tmp_path, "alpha", "beta", "gamma", "delta", quick=IN_TIME) as stage:
        stage.ask(lambda box: box.on_air("delta", live=False))
        stage.until_present("alpha", "beta", "gamma", what="out of one")
        stage.wire.slow(200)
        stage.ask(lambda box: box.fault("chat_noise", rate=9_000, seconds=2.0, every=1.0))
        stage.ask(lambda box: box.on_air("delta"))
        rooms = ("alpha", "beta", "gamma", "delta")
        seconds = stage.until_present(*rooms, what="the fourth, behind all that chat")
        assert stage.wire.held_back() > 0
        tell("200 kbit/s, and more chat than that", IN, seconds)
        stage.sound()
        tally = stage.tally()
        assert tally["welcomes"] == 1, "the connection was kept"
        assert tally["protocol_error_count"] == 0, tally["protocol_errors"]
