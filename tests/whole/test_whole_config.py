"""The life of a config beside a running service: saved, broken, moved, imported; and the connection stays."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from whole_world import COMMAND, PATIENT, Box, Machine, free_port, sandbox, signed_in, until

UNFOLLOWED = '[[channels]]\nlogin = "delta"\nfollowed = false\n'


def edit(machine: Machine, old: str, new: str) -> None:
    """As an editor saves: another file, renamed over."""
    text = machine.config.read_text()
    assert old in text
    fresh = machine.config.with_name("config.toml~")
    fresh.write_text(text.replace(old, new, 1))
    fresh.replace(machine.config)


def gone(machine: Machine, code: str) -> None:
    """The warning of this code is over."""
    until(lambda: code not in [found["code"] for found in machine.peek()["warnings"]], what=f"no {code}")


def same_connection(box: Box) -> bool:
    tally = box.tally()
    return (tally["logins"], tally["connections"], tally["welcomes"]) == (1, 1, 1)


def test_fc_37_only_differences_act_and_the_connection_stays(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha", "beta", "gamma"]) as box:
        machine = signed_in(tmp_path, box)
        box.on_air("alpha", "beta", "gamma")
        with machine.run() as service:
            until(lambda: len(box.rooms()) == 3)
            assert box.tally()["joins"] == 3

            edit(machine, "[channels]", '[channels]\nexclude = ["gamma"]')
            until(lambda: box.rooms() == ["alpha", "beta"], what="one left")
            edit(machine, "[channels]", '[channels]\npriority = ["beta"]\nmax_rooms = 1')
            until(lambda: box.rooms() == ["beta"], what="the first in the order stays")
            edit(machine, 'live = "500ms"', 'live = "300ms"')
            until(lambda: machine.kinds().count("config_taken") >= 3)
            assert box.rooms() == ["beta"]
            edit(machine, "max_rooms = 1\n", "")
            service.send(signal.SIGHUP)
            until(lambda: box.rooms() == ["alpha", "beta"], what="room again")
            edit(machine, 'exclude = ["gamma"]', "exclude = []")
            until(lambda: len(box.rooms()) == 3)
            assert box.tally()["joins"] == 5, "whoever stayed was not joined again"
            assert same_connection(box)
            assert service.stop() == 0


def test_commands_beside_a_running_service(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha"], scenario=UNFOLLOWED) as box:
        machine = signed_in(tmp_path, box)
        box.on_air("alpha", "delta")
        with machine.run() as service:
            until(lambda: box.rooms() == ["alpha"])
            article = machine.home / "config.json"
            article.write_text(
                json.dumps(
                    {
                        "bot_username": "me",
                        "client_id": "sandbox",
                        "client_secret": "canary-secret",
                        "oauth_token": "oauth:canary-token",
                        "channels": ["#Delta"],
                        "wait_time": 0,
                        "verbose": False,
                    }
                )
            )
            said = machine.do("config", "import", "config.json")
            assert "config.json:1: delta: taken: into channels.include." in said.stdout
            assert "canary" not in said.stdout + said.stderr + machine.config.read_text()
            until(lambda: box.rooms() == ["alpha", "delta"], what="imported, and in")
            machine.do("channels", "pause", "delta")
            until(lambda: box.rooms() == ["alpha"])
            machine.do("channels", "resume", "delta")
            until(lambda: box.rooms() == ["alpha", "delta"])
            machine.do("channels", "priority", "delta", "alpha")
            machine.do("wish", "add", "alpha", "A mug")
            machine.do("channels", "remove", "delta")
            until(lambda: box.rooms() == ["alpha"])
            assert 'priority = ["delta", "alpha"]' in machine.config.read_text()
            assert same_connection(box)
            assert service.stop() == 0


def test_a_bad_config_is_on_every_face_until_a_good_one_comes(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha"]) as box:
        machine, port = signed_in(tmp_path, box), free_port()
        edit(machine, 'listen = ""', f'listen = "127.0.0.1:{port}"')
        good = machine.config.read_text()
        box.on_air("alpha")
        with machine.run() as service:
            until(lambda: box.rooms() == ["alpha"])
            line = good.count("\n", 0, good.index("[channels]")) + 2
            machine.config.write_text(good.replace("[channels]", '[channels]\nexclud = ["alpha"]'))
            where = f"{machine.config}:{line}: channels.exclud: unknown key; did you mean exclude?"

            assert where in machine.warning("config_rejected")["text"]
            assert where in json.dumps(machine.status()["warnings"])
            shown = machine.do("status").stdout
            assert "The changed config is not in use: run `allthepoints config check`." in shown
            assert where in shown
            assert where in service.says()
            for page in ("", "api/status"):
                until(lambda page=page: where in fetch(port, page), what=f"page /{page}")  # type: ignore[misc]
            with watching(machine) as screen:
                until(lambda: "channels.exclud" in screen(), what="the terminal view")
            assert box.rooms() == ["alpha"]

            machine.config.write_text(good)
            gone(machine, "config_rejected")
            until(lambda: "over: The changed config is not in use." in service.says())
            until(lambda: where not in fetch(port, "api/status"))
            assert same_connection(box)
            assert service.stop() == 0


def test_what_waits_for_a_restart_is_named_until_it_is_set_back_or_done(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha"]) as box:
        machine, port = signed_in(tmp_path, box), free_port()
        box.on_air("alpha")
        with machine.run() as service:
            until(lambda: box.rooms() == ["alpha"])
            edit(machine, 'client_id = "sandbox"', 'client_id = "another"')
            edit(machine, 'idle_ping = "2s"', 'idle_ping = "3s"')
            until(lambda: "twitch.client_id, chat.idle_ping" in machine.warning("restart_needed")["text"])
            assert "used from the next start on: twitch.client_id, chat.idle_ping." in machine.do("status").stdout
            until(lambda: "warning: Some of the config waits for a restart." in service.says())
            edit(machine, 'client_id = "another"', 'client_id = "sandbox"')
            edit(machine, 'idle_ping = "3s"', 'idle_ping = "2s"')
            gone(machine, "restart_needed")
            edit(machine, 'listen = ""', f'listen = "127.0.0.1:{port}"')
            assert "dashboard.listen" in machine.warning("restart_needed")["text"]
            assert same_connection(box)
            assert service.stop() == 0
        with machine.run() as service:
            until(lambda: fetch(port, "api/status"), what="the dashboard, after the restart")
            gone(machine, "restart_needed")
            assert service.stop() == 0


def test_files_that_are_emptied_removed_and_linked_elsewhere(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha", "beta"]) as box:
        machine = signed_in(tmp_path, box)
        good = machine.config.read_text()
        box.on_air("alpha", "beta")
        for version, text in (("..1", good), ("..2", good.replace("[channels]", '[channels]\nexclude = ["beta"]'))):
            (machine.home / version).mkdir()
            (machine.home / version / "config.toml").write_text(text)
        (machine.home / "..data").symlink_to("..1")
        machine.config.unlink()
        machine.config.symlink_to("..data/config.toml")
        with machine.run() as service:
            until(lambda: len(box.rooms()) == 2)
            (machine.home / "..tmp").symlink_to("..2")
            os.replace(machine.home / "..tmp", machine.home / "..data")
            until(lambda: box.rooms() == ["alpha"], what="the other version of the config map")

            real = machine.home / "..2" / "config.toml"
            text = real.read_text()
            real.write_text("")
            assert "config.toml:1: the file is empty" in machine.warning("config_rejected")["text"]
            real.write_text(text)
            gone(machine, "config_rejected")
            machine.config.unlink()
            assert "there is no such file any more" in machine.warning("config_rejected")["text"]
            machine.config.write_text(good)
            until(lambda: len(box.rooms()) == 2, what="it is back, and a plain file")
            gone(machine, "config_rejected")
            assert same_connection(box)
            assert service.stop() == 0


def test_a_newcomer_s_config(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "home")
    assert "--client-id ID" in machine.do("config", "init", code=2).stderr
    assert not machine.config.exists()
    machine.do("config", "init", "--client-id", "abc", "--channels", "alpha")
    assert machine.do("config", "check").stdout == f"{machine.config}: can be used.\n"
    assert "is there already" in machine.do("config", "init", "--client-id", "abc", code=2).stderr
    names = "beta\n#Gamma\n# mine\n"
    assert machine.do("config", "import", "-", stdin=names).stdout.endswith("changed, with 2 channels more.\n")
    assert machine.json("config", "show")["channels"]["include"] == ["alpha", "beta", "gamma"]


# -- faces ------------------------------------------------------------------------------------------
def fetch(port: int, path: str) -> str:
    """A page as it reads; "" while nobody answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/{path}", timeout=PATIENT) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


@contextmanager
def watching(machine: Machine) -> Iterator[Callable[[], str]]:
    """`watch` on a terminal of its own; answers what was written there so far."""
    ours, theirs = pty.openpty()
    said = bytearray()
    env = {**machine.environment(), "TERM": "xterm-256color", "COLUMNS": "200", "LINES": "40"}
    with subprocess.Popen(
        [*COMMAND, "watch"], stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
    ) as process:
        os.close(theirs)

        def screen() -> str:
            while select.select([ours], [], [], 0)[0]:
                said.extend(os.read(ours, 65536))
            return said.decode("utf-8", "replace")

        try:
            yield screen
        finally:
            process.kill()
            process.wait()
            os.close(ours)
