"""FC-32: canary secrets through everything that can go wrong; then every byte that was left behind is searched."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from foreign_twitch import Habits, foreign_twitch
from whole_world import Machine, sandbox, signed_in, until

NAMES = ("ALLTHEPOINTS_TWITCH_TOKEN", "ALLTHEPOINTS_TWITCH_REFRESH_TOKEN", "ALLTHEPOINTS_TWITCH_CLIENT_SECRET")


def left_behind(machine: Machine) -> dict[str, bytes]:
    """Every file in the home, but for the token file, and what every reader says."""
    files = {str(file): file.read_bytes() for file in machine.home.rglob("*") if file.is_file()}
    tokens = machine.data / "tokens.json"
    if files.pop(str(tokens), None) is not None:
        assert stat.S_IMODE(tokens.stat().st_mode) == 0o600
    for command in ("status", "status --json", "events --limit 9999", "events --json --limit 9999", "config show"):
        done = machine.do(*command.split(), "--verbose", code=None)
        files[command] = (done.stdout + done.stderr).encode()
    return files


def check_nothing_leaked(machine: Machine, secrets: Iterable[str]) -> None:
    found = [
        (name, what)
        for name, content in left_behind(machine).items()
        for what in (*secrets, "oauth:")
        if what.encode() in content
    ]
    assert found == []


def test_fc_32_a_life_in_the_sandbox(tmp_path: Path) -> None:
    """Login, start, 401, refresh, login failure, outage in HTML, revocation, refused refresh, logout."""
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = signed_in(tmp_path, box)
        box.on_air("alpha")
        secrets = {box.token, box.refresh_token}
        with machine.run("--verbose") as service:
            until(lambda: box.rooms() == ["alpha"], what="in")
            box.fault("refuse_login", n=1)
            box.fault("reset")
            until(lambda: box.tally()["refreshes"] == 1, what="another token, because the chat refused the first")
            until(lambda: box.rooms() == ["alpha"], what="in again")
            secrets |= held(machine)
            box.fault("expire_token", cut_chat=True)
            until(lambda: box.tally()["refreshes"] == 2, what="the expired token replaced")
            until(lambda: box.rooms() == ["alpha"], what="in once more")
            secrets |= held(machine)
            box.fault("status", path="/helix", code=503, seconds=1.5)
            box.fault("revoke", cut_chat=True)
            machine.warning("sign_in_needed")
            secrets |= held(machine)
            assert service.stop() == 0
        assert machine.do("login", "--verbose").returncode == 0
        secrets |= held(machine)
        check_nothing_leaked(machine, secrets)
        machine.env.clear()
        machine.do("logout", "--verbose")
        check_nothing_leaked(machine, secrets)


def held(machine: Machine) -> set[str]:
    """The tokens in the token file."""
    try:
        stored: Mapping[str, Any] = json.loads((machine.data / "tokens.json").read_bytes())
    except FileNotFoundError:
        return set()
    return {stored[name] for name in ("access", "refresh") if stored.get(name)}


def test_fc_32_a_server_that_throws_our_secrets_back(tmp_path: Path) -> None:
    """Every error text of a hostile or broken server quotes what we sent; none of it is repeated."""
    secrets = dict(zip(NAMES, ("short9token", "canary-refresh-a1b2c3d4e5", "canarysecret0"), strict=True))

    def helix(path: str, query: dict[str, list[str]], said: str) -> tuple[int, Any] | None:
        quoted = f"bad request: {said} {json.dumps(query)}"
        if path == "/oauth2/token":
            return 400, {"status": 400, "message": quoted}
        if path.startswith("/helix"):
            return (500, quoted) if "streams" in path else (400, {"status": 400, "message": quoted})
        return None

    habits = Habits(helix=helix, login_refusal=":tmi.twitch.tv NOTICE * :Login authentication failed: {password}")
    with foreign_twitch(habits) as twitch:
        twitch.live = {"alpha"}
        machine = Machine(tmp_path / "home", secrets)
        machine.configure(twitch.endpoints, 'include = ["alpha"]')
        with machine.run("--verbose") as service:
            until(lambda: machine.peek()["warnings"], what="that something is wrong")
            until(lambda: sum(line.startswith("PASS") for line in twitch.lines) >= 1)
            until(lambda: "disconnected" in machine.kinds())
            machine.do("login", "--verbose", code=None)
            assert service.stop() == 0
        check_nothing_leaked(machine, secrets.values())


def test_fc_32_a_mistake_of_the_program_shows_no_secret(tmp_path: Path) -> None:
    """Our own code is broken on purpose, in the middle of a task that holds the client with its tokens."""
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = signed_in(tmp_path, box)
        box.on_air("alpha")
        with machine.run("--verbose", command=(sys.executable, "-c", BROKEN)) as service:
            until(lambda: "is broken on purpose" in log_of(machine), what="the mistake in the log")
            assert service.stop() == 0
        assert "Traceback" in log_of(machine)
        check_nothing_leaked(machine, {box.token, box.refresh_token})


BROKEN = """
from allthepoints.__main__ import main
from allthepoints.twitch import rows

def broken(found):
    raise ZeroDivisionError("is broken on purpose")

rows.streams = rows.users = rows.follows = broken
main()
"""


def log_of(machine: Machine) -> str:
    log = machine.data / "logs" / "allthepoints.log"
    return log.read_text("utf-8") if log.exists() else ""
