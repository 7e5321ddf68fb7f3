"""The real command's memory while it runs: copied, locked by others, on a disk that is full, and put back."""

from __future__ import annotations

import json
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from whole_world import Box, Machine, Process, free_port, sandbox, signed_in, until

from allthepoints.base.clock import Stopwatch
from allthepoints.storage.read import Reader

sys.path.insert(0, str(Path(__file__).parent))

from test_whole_dashboard import fetch


def faced(machine: Machine) -> str:
    """Give it a dashboard: the face that shows what cannot be written down."""
    port = free_port()
    text = machine.config.read_text().replace('listen = ""', f'listen = "127.0.0.1:{port}"')
    machine.config.write_text(text, encoding="utf-8")
    return f"http://127.0.0.1:{port}/api/status"


def seen(address: str) -> dict[str, Any]:
    text = fetch(address)[1]
    found: dict[str, Any] = json.JSONDecoder().raw_decode(text)[0] if text else {"warnings": [], "channels": []}
    return found


def failing(address: str) -> str:
    """What the dashboard says of the memory that takes nothing."""
    return "".join(warning["text"] for warning in seen(address)["warnings"] if warning["code"] == "storage_failing")


def states(address: str) -> dict[str, str]:
    return {row["login"]: row["state"] for row in seen(address)["channels"]}


def presences(machine: Machine, login: str) -> int:
    reader = Reader(machine.data / "allthepoints.db")
    return sum(len(reader.presence(known.id, 0.0, 1e12)) for known in reader.channels() if known.login == login)


def told(machine: Machine, login: str) -> list[str]:
    """The kinds of a channel's events, in order."""
    return [event["kind"] for event in machine.json("events", "--limit", "1000") if event.get("channel") == login]


def test_backup_while_it_runs_and_restore_when_it_does_not(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha", "beta"]) as box:
        machine = signed_in(tmp_path, box)
        machine.do("login")
        box.on_air("alpha")
        backup = tmp_path / "backup.db"
        with machine.run() as service:
            until(lambda: machine.states().get("alpha") == "present")
            done = machine.do("backup", str(backup), "--json")
            made = json.loads(done.stdout)
            assert (made["file"], made["bytes"], made["channels"]) == (str(backup), backup.stat().st_size, 2)
            assert made["account"] == "me"
            assert "It holds no tokens and no password" in done.stderr
            refused = machine.do("backup", str(backup), code=3)
            assert "exists already; it is as it was" in refused.stderr
            box.on_air("beta")
            until(lambda: machine.states().get("beta") == "present")
            running = machine.do("restore", str(backup), "--yes", code=3)
            assert f"(process {service.pid}); nothing was changed" in running.stderr
            assert box.rooms() == ["alpha", "beta"], "the service does not care"
            assert service.stop() == 0
        _holds_no_secret(machine, box, backup)
        assert presences(machine, "beta") == 1
        assert "Add --yes if it is meant." in machine.do("restore", str(backup), code=2).stderr
        put = json.loads(machine.do("restore", str(backup), "--yes", "--json").stdout)
        assert Path(put["kept"]).parent == machine.data
        assert presences(machine, "beta") == 0, "as it was then"
        with machine.run() as service:
            until(lambda: box.rooms() == ["alpha", "beta"])
            until(lambda: machine.states().get("beta") == "present")
            assert service.stop() == 0
        assert "unreadable" not in " ".join(entry.name for entry in machine.data.iterdir())
        machine.do("restore", put["kept"], "--yes")
        assert presences(machine, "beta") == 1, "nothing of it was lost"
        tally = box.tally()
        assert (tally["join_limit_violations"], tally["login_limit_violations"]) == (0, 0)


def _holds_no_secret(machine: Machine, box: Box, backup: Path) -> None:
    content = backup.read_bytes()
    stored = json.loads((machine.data / "tokens.json").read_bytes())
    for secret in (box.token, box.refresh_token, stored["access"], stored["refresh"]):
        assert secret.encode() not in content
    assert backup.stat().st_mode & 0o777 == 0o600


def test_fc_33_a_database_that_somebody_holds_locked_for_more_than_ten_seconds(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha", "beta", "gamma"]) as box:
        machine = signed_in(tmp_path, box)
        address = faced(machine)
        box.on_air("alpha")
        with machine.run() as service:
            until(lambda: presences(machine, "alpha") == 1)
            other = sqlite3.connect(machine.data / "allthepoints.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            watch = Stopwatch()
            box.on_air("beta")
            until(lambda: box.rooms() == ["alpha", "beta"], what="in, although nothing can be written")
            until(lambda: failing(address), what="it is shown")
            assert watch.elapsed() > 9, "a lock of some seconds is no fault yet"
            box.on_air("gamma")
            box.on_air("alpha", live=False)
            until(lambda: box.rooms() == ["beta", "gamma"], what="presence goes on all the time")
            until(lambda: "Nothing can be written down" in service.says(), what="it is said")
            assert machine.do("status").returncode == 0, "readers are not held up"
            assert presences(machine, "beta") == 0
            other.execute("ROLLBACK")
            other.close()
            until(lambda: not failing(address), what="healed by itself")
            until(lambda: machine.states() == {"alpha": "absent", "beta": "present", "gamma": "present"})
            assert service.stop() == 0
        _nothing_is_missing_or_double(machine)


def _nothing_is_missing_or_double(machine: Machine) -> None:
    with sqlite3.connect(machine.data / "allthepoints.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert [presences(machine, login) for login in ("alpha", "beta", "gamma")] == [1, 1, 1]
    assert told(machine, "beta").count("present") == 1
    assert [kind for kind in told(machine, "alpha") if kind in {"live", "present", "offline"}] == [
        *("live", "present", "offline"),
    ]


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="a limit that is set from outside is Linux's")
def test_fc_33_a_disk_that_is_full_for_everything(tmp_path: Path) -> None:
    """Database, journal, log, output and token file: no file of the process takes more than a few bytes."""
    with sandbox(tmp_path, ["alpha", "beta", "gamma"]) as box:
        machine = signed_in(tmp_path, box)
        address = faced(machine)
        box.on_air("alpha")
        with machine.run("--verbose") as service:
            until(lambda: presences(machine, "alpha") == 1)
            until(lambda: states(address).get("alpha") == "present")
            _limit(service, 1000)
            box.on_air("beta")
            until(lambda: box.rooms() == ["alpha", "beta"], what="in, although nothing can be written")
            assert "the disk" in until(lambda: failing(address), what="it is shown")
            box.on_air("gamma")
            box.on_air("alpha", live=False)
            until(lambda: box.rooms() == ["beta", "gamma"], what="presence goes on all the time")
            assert presences(machine, "beta") == 0
            assert machine.do("backup", str(tmp_path / "backup.db")).returncode == 0, "what is there can be read"
            _limit(service, resource.RLIM_INFINITY)
            until(lambda: not failing(address), what="healed by itself")
            until(lambda: machine.states() == {"alpha": "absent", "beta": "present", "gamma": "present"})
            assert service.stop() == 0
        _nothing_is_missing_or_double(machine)
        log = (machine.data / "logs" / "allthepoints.log").read_text("utf-8")
        assert "lines missing here, because they could not be written" in log
        assert all(re_line(line) for line in log.splitlines()), "no half lines"
        assert "Traceback" not in log + service.complains()


def _limit(service: Process, size: int) -> None:
    resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def re_line(line: str) -> bool:
    return line.startswith(("20", "  ", "(lines missing here"))


@contextmanager
def small_disk(folder: Path, size: str = "2m") -> Iterator[None]:
    """A file system of its own, of this size, at `folder`; where this user may not make one, the test is skipped."""
    folder.mkdir(parents=True, mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nobody may mount here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_fc_33_a_disk_that_is_really_full(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha", "beta", "gamma"]) as box, small_disk(tmp_path / "home" / "data"):
        machine = signed_in(tmp_path, box)
        address = faced(machine)
        box.on_air("alpha")
        with machine.run("--verbose") as service:
            until(lambda: presences(machine, "alpha") == 1)
            ballast = machine.data / "ballast"
            _fill(ballast)
            until(lambda: _noise(box) and failing(address), what="it is shown")
            assert "the disk is full" in failing(address)
            full = machine.do("backup", str(machine.data / "backup.db"), code=1)
            assert "the disk is full" in full.stderr
            assert not list(machine.data.glob("backup*"))
            box.on_air("beta", "gamma")
            until(lambda: {"beta", "gamma"} <= set(box.rooms()), what="presence goes on")
            ballast.unlink()
            until(lambda: not failing(address), what="healed by itself")
            until(lambda: machine.states().get("gamma") == "present")
            assert service.stop() == 0
        assert presences(machine, "gamma") == 1
        for database in machine.data.glob("*.db"):
            with sqlite3.connect(database) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            connection.close()


def _fill(file: Path) -> None:
    """Every byte that is left."""
    with suppress(OSError), file.open("wb", buffering=0) as ballast:
        while True:
            ballast.write(b"x" * 1024)


def _noise(box: Box) -> bool:
    """Something to be written down."""
    box.on_air("alpha", live="alpha" not in box.rooms())
    return True


def test_fc_33_everything_that_can_be_damaged_is_set_aside_by_name(tmp_path: Path) -> None:
    """At once, and the service goes on; only the password counts still: a damaged one lets nobody in."""
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = signed_in(tmp_path, box)
        machine.data.mkdir(mode=0o700)
        for name in ("allthepoints.db", "tokens.json", "streamelements-token.json", "dashboard-password.json"):
            (machine.data / name).write_text("no such thing: canary0secret", encoding="utf-8")
        (machine.data / "allthepoints.lock").write_text("no pid")
        box.on_air("alpha")
        with machine.run() as service:
            asides = ("allthepoints.db", "tokens.json", "streamelements-token.json")
            until(lambda: all(f"kept as {name}.unreadable-" in service.complains() for name in asides))
            until(lambda: box.rooms() == ["alpha"])
            until(lambda: machine.states().get("alpha") == "present")
            assert service.stop() == 0
        for name in asides:
            (aside,) = machine.data.glob(f"{name}.unreadable-*")
            assert aside.read_text("utf-8") == "no such thing: canary0secret"
        assert (machine.data / "dashboard-password.json").exists()
        assert "canary0secret" not in service.complains()
