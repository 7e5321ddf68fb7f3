"""Connections that end in every way, TLS, and signals: the real command in real time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
import trustme
from foreign_twitch import mute_listener
from whole_world import (
    COMMAND,
    HASTY,
    PATIENT,
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


def test_fc_05_back_after_every_kind_of_loss(tmp_path: Path) -> None:
    """RST, FIN, half open, RECONNECT, a server that stands still: each time all are back, and all is written down."""
    with sandbox(tmp_path) as box:
        machine = signed_in(tmp_path, box)
        machine.configure(box.endpoints, quick=HASTY)
        box.on_air("alpha", "beta")
        with machine.run() as service:
            until(lambda: box.rooms() == ["alpha", "beta"])
            for fault in ("reset", "fin", "half_open"):
                welcomes = box.tally()["welcomes"]
                box.fault(fault)
                until(lambda n=welcomes: box.tally()["welcomes"] > n, what=fault)  # type: ignore[misc]
                until(lambda: machine.peek()["chat"]["present"] == 2, what=f"both, after {fault}")
            welcomes = box.tally()["welcomes"]
            box.fault("reconnect", delay=1.0)
            until(lambda: box.tally()["welcomes"] > welcomes, what="RECONNECT")
            until(lambda: machine.peek()["chat"] == counts(connections=1, wanted=2, present=2), what="RECONNECT over")

            box.process.send(signal.SIGSTOP)
            try:
                until(lambda: machine.peek()["chat"]["present"] == 0, what="no claim on a server that stands still")
            finally:
                box.process.send(signal.SIGCONT)
            until(lambda: machine.peek()["chat"]["present"] == 2, what="both, after the standstill")
            until(lambda: box.rooms() == ["alpha", "beta"])
            assert service.stop() == 0
        kinds = machine.kinds()
        assert kinds.count("live") == 2, "told once, however often the connection went"
        assert kinds.count("disconnected") >= 4
        assert "reconnect_asked" in kinds
        tally = box.tally()
        assert (tally["join_limit_violations"], tally["login_limit_violations"]) == (0, 0)
        assert tally["protocol_error_count"] == 0, tally["protocol_errors"]


def counts(**given: int) -> dict[str, int]:
    return {**dict.fromkeys(("connections", "wanted", "present", "waiting", "refused"), 0), **given}


def test_fc_05_a_chat_that_says_nothing_is_no_presence_and_no_obstacle_to_stopping(tmp_path: Path) -> None:
    """FC-38 during connect: TCP accepts, and nothing is said; Ctrl-C ends it all the same."""
    with sandbox(tmp_path, ["alpha"]) as box, mute_listener() as (port, came):
        machine = signed_in(tmp_path, box)
        machine.configure({**box.endpoints, "irc": f"irc://127.0.0.1:{port}"}, quick=HASTY)
        box.on_air("alpha")
        with machine.run() as service:
            until(lambda: len(came) >= 2, what="a second try after the deadline")
            row = machine.peek()["channels"][0]
            assert (row["live"], row["state"], row["reason"]) == (True, "waiting", "connecting")
            assert service.stop(signal.SIGINT, within=STOPS_WITHIN) == 0, service.complains()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_fc_38_a_signal_leaves_the_chats_and_ends_with_0(tmp_path: Path, number: signal.Signals) -> None:
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = signed_in(tmp_path, box)
        box.on_air("alpha")
        with machine.run() as service:
            until(lambda: box.rooms() == ["alpha"])
            assert service.stop(number, within=STOPS_WITHIN) == 0, service.complains()
        until(lambda: box.rooms() == [], what="left")
        assert machine.kinds()[-2:] == ["left", "stopped"]
        assert "Traceback" not in service.complains()


def test_fc_38_a_second_signal_forces(tmp_path: Path) -> None:
    """The server stands still, so that the first signal has to wait for its answer."""
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = signed_in(tmp_path, box)
        machine.configure(box.endpoints, quick=PATIENT_CHAT)
        box.on_air("alpha")
        try:
            check_two_signals(machine, lambda: box.rooms() == ["alpha"], lambda: box.process.send(signal.SIGSTOP))
        finally:
            box.process.send(signal.SIGCONT)


def test_fc_38_a_reader_that_goes_away_does_not_end_the_service_badly(tmp_path: Path) -> None:
    """`run | head -1`: the service ends in order, out of the chats, without a traceback."""
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = signed_in(tmp_path, box)
        box.on_air("alpha")
        pipe = f"{' '.join(COMMAND)} run 2>err | head -1"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", pipe],
            capture_output=True,
            text=True,
            env=machine.environment(),
            cwd=tmp_path,
            timeout=PATIENT,
            check=False,
        )
        assert done.stdout.count("\n") == 1
        assert "Traceback" not in (tmp_path / "err").read_text()
        assert done.returncode == 0
        until(lambda: box.rooms() == [])
        assert machine.peek()["running"] is False


def test_tls_is_verified_and_never_done_without(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    pem = str(tmp_path / "server.pem")
    with sandbox(tmp_path, ["alpha"], args=["--cert", pem, "--key", pem]) as box:
        assert box.endpoints["irc"].startswith("ircs://localhost:")
        box.on_air("alpha")
        machine = signed_in(tmp_path, box)
        with machine.run() as service:
            until(lambda: "disconnected" in machine.kinds(), what="the certificate refused")
            told = [event for event in machine.json("events") if event["kind"] == "disconnected"]
            assert "certificate" in told[0]["text"]
            assert machine.status()["chat"]["present"] == 0
            assert service.stop() == 0
        assert box.tally()["logins"] == 0, "no token went over a connection that was not verified"
        with machine.run(env={"SSL_CERT_FILE": str(tmp_path / "ca.pem")}) as service:
            until(lambda: machine.states() == {"alpha": "present"})
            assert box.rooms() == ["alpha"]
            assert service.stop() == 0


def test_nobody_there_at_all(tmp_path: Path) -> None:
    """No sign-in server, no Helix, no chat: it waits and says so; nothing is claimed, nothing spins."""
    nobody = f"127.0.0.1:{free_port()}"
    machine = Machine(tmp_path / "home", {"ALLTHEPOINTS_TWITCH_TOKEN": "sometoken"})
    machine.configure(
        {"irc": f"irc://{nobody}", "helix": f"http://{nobody}/helix", "oauth": f"http://{nobody}/oauth2"},
        'include = ["alpha"]',
    )
    with machine.run("--json") as service:
        until(lambda: machine.peek()["running"])
        ticks = os.sysconf("SC_CLK_TCK")
        before = _cpu(service.pid)
        pause(2.0)
        assert (_cpu(service.pid) - before) / ticks < 0.5, "it waits, it does not spin"
        assert machine.peek()["chat"] == counts()
        assert service.stop() == 0
    assert all(json.loads(line) for line in service.says().splitlines())


def _cpu(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
