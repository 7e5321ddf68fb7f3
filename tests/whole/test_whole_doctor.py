"""The real `doctor`, beside a real service and after it, and with its own dashboard on the port."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from whole_world import QUICK, Box, Machine, free_port, sandbox, signed_in, until

Checks = dict[str, dict[str, str]]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with sandbox(tmp_path / "sandbox", ["alpha"]) as one:
        yield one


def checks(machine: Machine, *args: str, code: int = 0) -> Checks:
    plain: dict[str, Any] = json.loads(machine.do("doctor", "--json", *args, code=code).stdout)
    assert plain["ok"] is (code == 0)
    return {one["name"]: one for one in plain["checks"]}


def with_dashboard(machine: Machine, box: Box, port: int) -> None:
    endpoints = {**box.endpoints}
    machine.configure(endpoints, quick=QUICK.replace('listen = ""', f'listen = "127.0.0.1:{port}"'))
    with machine.config.open("a") as file:
        file.write(f'streamelements = "{box.endpoints["streamelements"]}"\n')


def test_before_beside_and_after_a_service(tmp_path: Path, box: Box) -> None:
    machine = signed_in(tmp_path, box)
    port = free_port()
    with_dashboard(machine, box, port)
    before = checks(machine)
    assert before["service"]["text"] == "No service runs on this data directory."
    assert before["dashboard"]["text"] == f"127.0.0.1:{port} is free."
    assert before["chat.welcome"]["text"].startswith("The chat welcomed me")
    assert not machine.data.exists()
    box.on_air("alpha")
    with machine.run() as service:
        until(lambda: box.rooms() == ["alpha"])
        until(lambda: machine.peek()["chat"]["connections"] == 1)
        until(lambda: "The dashboard is at" in service.says() + service.complains(), what="its dashboard")
        logins = box.tally()["logins"]
        beside = checks(machine)
        assert beside["service"]["text"].startswith(f"The service (process {service.pid}) runs")
        assert beside["dashboard"]["text"] == f"A dashboard answers on 127.0.0.1:{port}."
        assert beside["chat.welcome"]["grade"] == "ok"
        assert "is in the chat, over 1 connection. No second login" in beside["chat.welcome"]["text"]
        assert beside["database"]["text"].endswith("is whole.")
        assert box.tally()["logins"] == logins
        assert checks(machine, "--chat")["chat.welcome"]["text"].startswith("The chat welcomed me")
        assert box.rooms() == ["alpha"], "the service's place is not touched"
        service.stop()
    after = checks(machine)
    assert after["service"]["text"] == "No service runs on this data directory."
    assert {one["grade"] for one in after.values()} == {"ok"}
    assert box.tally()["protocol_errors"] == []
    assert box.tally()["login_limit_violations"] == 0


def test_another_machines_dashboard_and_a_taken_port(tmp_path: Path, box: Box) -> None:
    machine, other = signed_in(tmp_path, box), signed_in(tmp_path / "other", box)
    port = free_port()
    with_dashboard(machine, box, port)
    with_dashboard(other, box, port)
    with machine.run() as service:
        until(lambda: "The dashboard is at" in service.says() + service.complains(), what="its dashboard")
        assert "Another allthepoints listens" in checks(other, code=1)["dashboard"]["text"]
        service.stop()


def test_nothing_is_there_at_all(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "home")
    port = free_port()
    names = ("helix", "oauth", "streamelements")
    machine.configure({"irc": f"irc://127.0.0.1:{port}", **{one: f"http://127.0.0.1:{port}/{one}" for one in names}})
    with machine.config.open("a") as file:
        file.write(f'streamelements = "http://127.0.0.1:{port}/streamelements"\n')
    done = machine.do("doctor", code=1)
    assert done.stdout.startswith("5 faults and ")
    assert "Faults: chat.tcp, helix.tcp, oauth.tcp, streamelements.tcp, token." in done.stdout
    assert done.stderr == ""
    assert "Traceback" not in done.stdout
