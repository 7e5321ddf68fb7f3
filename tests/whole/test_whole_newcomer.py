"""A new user's path, by the real command: config, login, run, status, channels, events, stop, logout."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

from whole_world import STOPS_WITHIN, Machine, Process, sandbox, signed_in, until

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")


def test_from_an_empty_home_to_the_chats_and_out_again(tmp_path: Path) -> None:
    with sandbox(tmp_path) as box:
        machine = Machine(tmp_path / "home")
        machine.configure(box.endpoints)
        box.on_air("alpha", "beta", title="Prestige 4 🌊 휴")
        _signs_in_without_a_terminal(machine)
        with machine.run() as service:
            until(lambda: box.rooms() == ["alpha", "beta"], what="both live chats")
            until(lambda: machine.peek()["chat"]["present"] == 2)
            _status_has_the_shape_of_the_contract(machine)
            _channels_and_events(machine)
            _faces_say_it_in_words(machine, service)
            assert service.stop(within=STOPS_WITHIN) == 0, service.complains()
        assert "Traceback" not in service.complains() + service.says()
        until(lambda: box.rooms() == [], what="left")
        tally = box.tally()
        assert tally["protocol_error_count"] == 0, tally["protocol_errors"]
        assert (tally["logins"], tally["joins"], tally["join_limit_violations"]) == (1, 2, 0)
        _afterwards_it_says_so(machine)
        assert "signed out" in machine.do("logout").stdout
        assert not (machine.data / "tokens.json").exists()
        assert box.tally()["oauth_calls"]["/revoke"] == 1


def _signs_in_without_a_terminal(machine: Machine) -> None:
    first, last = (json.loads(line) for line in machine.do("login", "--json").stdout.splitlines())
    assert first["user_code"]
    assert first["verification_uri"].startswith("https://")
    assert first["expires_in"] == 1800
    assert TIME.match(first["expires_at"])
    assert (last["login"], last["scopes"]) == ("me", ["chat:read", "user:read:follows"])
    mode = (machine.data / "tokens.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def _status_has_the_shape_of_the_contract(machine: Machine) -> None:
    status = machine.status()
    assert list(status) == ["running", "account", "chat", "channels", "helix", "warnings"]
    assert status["running"] is True
    assert status["account"] == {"login": "me", "user_id": "1001"}
    assert status["chat"] == {"connections": 1, "wanted": 2, "present": 2, "waiting": 0, "refused": 0}
    assert status["warnings"] == []
    assert {row["login"] for row in status["channels"]} == {"alpha", "beta", "gamma"}
    for row in status["channels"]:
        assert list(row) == [
            *("login", "id", "live", "state", "reason", "since"),
            *("points", "rate_per_hour", "verdict"),
        ]
        assert (row["points"], row["rate_per_hour"], row["verdict"]) == (None, None, "unknown")
        assert TIME.match(row["since"])
    rows = {row["login"]: row for row in status["channels"]}
    assert (rows["alpha"]["live"], rows["alpha"]["state"]) == (True, "present")
    assert rows["gamma"]["state"] == "absent"


def _channels_and_events(machine: Machine) -> None:
    rows = {row["login"]: row for row in machine.json("channels")}
    assert rows["alpha"]["followed"]
    assert rows["alpha"]["title"] == "Prestige 4 🌊 휴"
    events = machine.json("events")
    assert {"started", "signed_in", "connected", "live", "present"} <= {event["kind"] for event in events}
    assert [event["id"] for event in events] == sorted(event["id"] for event in events)
    assert all(TIME.match(event["at"]) and event["text"] for event in events)
    mine = machine.json("events", "--channel", "alpha", "--kind", "present")
    assert [event["channel"] for event in mine] == ["alpha"]


def _faces_say_it_in_words(machine: Machine, service: Process) -> None:
    assert machine.do("status").stdout.startswith("In 2 of 2 live chats.\n")
    assert "🌊" in machine.do("status").stdout
    assert "In 2 of 2 live chats." in service.says()
    assert "alpha: present." in service.says()


def _afterwards_it_says_so(machine: Machine) -> None:
    assert machine.do("status").stdout.startswith("Not running, so you are in no chat.")
    status = machine.status()
    assert status["running"] is False
    assert status["chat"] == {"connections": 0, "wanted": 0, "present": 0, "waiting": 0, "refused": 0}
    assert {(row["live"], row["state"]) for row in status["channels"]} == {(None, "absent")}
    assert machine.kinds()[-1] == "stopped"


def test_a_login_while_it_runs_is_taken_up(tmp_path: Path) -> None:
    """Started before anybody signed in, the service waits, says so, and goes on by itself afterwards."""
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = Machine(tmp_path / "home")
        machine.configure(box.endpoints)
        box.on_air("alpha")
        with machine.run("--json") as service:
            assert machine.warning("sign_in_needed")["text"].startswith("Not signed in to Twitch. ")
            machine.do("login")
            kept = (machine.data / "tokens.json").read_bytes()
            until(lambda: box.rooms() == ["alpha"], what="the chat, after the login")
            assert service.stop() == 0
        assert all(json.loads(line)["text"] for line in service.says().splitlines())
        assert (machine.data / "tokens.json").read_bytes() == kept


def test_another_login_while_it_runs_is_looked_at_at_once(tmp_path: Path) -> None:
    """Not at the next hourly check: it may be another account's."""
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = Machine(tmp_path / "home")
        machine.configure(box.endpoints)
        machine.do("login")
        box.on_air("alpha")
        with machine.run() as service:
            until(lambda: box.rooms() == ["alpha"])
            before = box.tally()["oauth_calls"]["/validate"]
            machine.do("login")
            until(lambda: box.tally()["oauth_calls"]["/validate"] == before + 2, what="the command's and the service's")
            machine.do("logout")
            assert "Not signed in" in machine.warning("sign_in_needed")["text"]
            assert service.stop() == 0


def test_commands_before_anything_exists_say_what_to_do(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "home")
    machine.env = {"ALLTHEPOINTS_CONFIG": "", "ALLTHEPOINTS_DATA_DIR": ""}
    assert "`allthepoints login`" in machine.do("status").stdout
    assert machine.status()["running"] is False
    assert "Nothing was recorded yet" in machine.do("events").stderr
    assert machine.json("events") == []
    assert machine.do("config", "path").stdout.strip().endswith("config.toml")
    missing = machine.do("login", code=2)
    assert missing.stderr.startswith("error: there is no client id in the config\n\nhint: ")
    assert machine.do("logout").stdout == "You were not signed in.\n"
    assert list(machine.home.iterdir()) == [], "who only looks leaves nothing behind"


def test_include_and_pause_by_command_reach_the_running_service(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha"]) as box:
        box._call("channel", login="zeta", followed=False)
        box.on_air("alpha", "zeta")
        machine = signed_in(tmp_path, box, "followed = true")
        with machine.run():
            until(lambda: box.rooms() == ["alpha"])
            assert machine.do("channels", "add", "https://www.twitch.tv/Zeta").stdout == "zeta is meant now.\n"
            until(lambda: box.rooms() == ["alpha", "zeta"], what="the added channel")
            machine.do("channels", "pause", "#Alpha")
            until(lambda: box.rooms() == ["zeta"], what="the paused channel left")
            machine.do("channels", "resume", "alpha")
            until(lambda: box.rooms() == ["alpha", "zeta"], what="the resumed channel")
            assert box.tally()["connections"] == 1
