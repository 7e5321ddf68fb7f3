"""A new user with a fresh checkout and the README alone: install, config, login, run, status, dashboard."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from whole_world import Process, environment, free_port, sandbox, until

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

LEFTOVERS = [line.strip("/").rpartition("/")[2] for line in (ROOT / ".gitignore").read_text().split()] + [".git"]


def words(*line: str) -> list[str]:
    """The line, which must stand in the README as it is."""
    said = " ".join(line)
    assert re.search(rf"`{re.escape(said)}\b|^{re.escape(said)}$", README, re.MULTILINE), f"the README has no {said!r}"
    return [*line]


class Newcomer:
    """A home of their own, and a checkout in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.checkout = home / "allthepoints"
        shutil.copytree(ROOT, self.checkout, ignore=shutil.ignore_patterns(*LEFTOVERS))
        self.env = environment(home)
        self.env.pop("VIRTUAL_ENV", None)

    @property
    def program(self) -> str:
        return str(self.checkout / ".venv" / "bin" / "allthepoints")

    def do(self, *line: str, more: tuple[str, ...] = ()) -> str:
        """A line of the README; `more`: answers that the README says will be asked for, given as options."""
        command = words(*line)
        if command[0] == "allthepoints":
            command[0] = self.program
        done = subprocess.run(
            [*command, *more], cwd=self.checkout, env=self.env, check=False, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def get(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""


@pytest.mark.timeout(900)  # packages are fetched
def test_the_readme_leads_to_the_chats(tmp_path: Path) -> None:
    me = Newcomer(tmp_path / "home")
    me.do("make", "install")
    assert "`.venv/bin/allthepoints`" in README
    assert os.access(me.program, os.X_OK)
    port = free_port()
    with sandbox(tmp_path) as box:
        box.on_air("alpha", "beta")
        answers = ("--client-id", "sandbox", "--dashboard", f"127.0.0.1:{port}")
        me.do("allthepoints", "config", "init", more=answers)
        path = Path(me.do("allthepoints", "config", "path").strip())
        assert path.is_relative_to(me.home)
        # The one thing that a real newcomer does not do: their Twitch is a sandbox.
        places = "".join(f'{name} = "{address}"\n' for name, address in box.endpoints.items() if name != "control")
        path.write_text(f"{path.read_text()}\n[endpoints]\n{places}")
        assert "https://" in me.do("allthepoints", "login")
        with Process(words("allthepoints", "run")[1:], me.home / "run", me.env, (me.program,)) as service:
            until(lambda: box.rooms() == ["alpha", "beta"], what="both live chats")
            until(lambda: "In 2 of 2 live chats" in me.do("allthepoints", "status"))
            status = json.loads(me.do("allthepoints", "status", more=("--json",)))
            assert status["chat"]["present"] == 2
            until(lambda: get(f"http://127.0.0.1:{port}/healthz")[0] == 200, what="a healthy dashboard")
            code, page = get(f"http://127.0.0.1:{port}/")
            assert code == 200
            assert "In 2 of 2 live chats" in page
            assert "alpha" in me.do("allthepoints", "events")
            assert "ok" in me.do("allthepoints", "doctor")
            assert service.stop() == 0, service.complains()
        until(lambda: box.rooms() == [], what="left")
        tally = box.tally()
        assert (tally["protocol_error_count"], tally["join_limit_violations"]) == (0, 0)
