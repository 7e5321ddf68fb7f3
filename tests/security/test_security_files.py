"""Tokens on this machine: in files, in memory, in the list of processes; and who else is on it."""

from __future__ import annotations

import ast
import copy
import dataclasses
import json
import os
import pickle
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import click
import msgspec
import pytest
import typer.main

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
sys.path.insert(0, str(Path(__file__).parents[1] / "whole"))

import allthepoints
from allthepoints.base.errors import AllThePointsError, FaultError
from allthepoints.base.files import write_atomically
from allthepoints.base.logs import log_to
from allthepoints.base.secret import Secret
from allthepoints.config.load import names_secret
from allthepoints.config.settings import Dashboard
from allthepoints.storage import lock
from allthepoints.storage.backup import back_up
from allthepoints.storage.database import Database
from allthepoints.storage.secretfile import SecretFile

SOURCE = Path(allthepoints.__file__).parent
CANARY = "canarytoken0123456789abcdefgh1"
COMPLETION = ("install_completion", "show_completion")


# -- in memory ---------------------------------------------------------------------------------------------------------
@dataclasses.dataclass(frozen=True)
class Holder:
    token: Secret


@pytest.mark.parametrize(
    "leak",
    [
        repr,
        str,
        lambda held: f"{held.token} {held.token!r} {held.token:>40}",
        lambda held: "%s" % held.token,  # noqa: UP031
        lambda held: json.dumps(held, default=str),
        lambda held: json.dumps({"x": held.token}, default=repr),
        pickle.dumps,
        copy.deepcopy,
        copy.copy,
        dataclasses.asdict,
        msgspec.json.encode,
        msgspec.to_builtins,
        lambda held: vars(held.token),
        ValueError,
        lambda held: held.token.encode(),
    ],
)
def test_a_secret_does_not_come_out_by_accident(leak: Any) -> None:
    try:
        said = leak(Holder(Secret(CANARY)))
    except (TypeError, AttributeError, NotImplementedError) as error:
        said = error
    assert CANARY not in repr(said)
    assert CANARY not in str(said)


def test_a_crash_leaves_no_picture_of_the_memory() -> None:
    """Whatever the machine allows: the command forbids it to itself before it has read a token."""
    code = """
import resource, runpy, sys
sys.argv = ["allthepoints", "--version"]
try:
    runpy.run_module("allthepoints", run_name="__main__")
except SystemExit:
    pass
print(resource.getrlimit(resource.RLIMIT_CORE))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "(0, 0)"


# -- in the list of processes, and in the environment ------------------------------------------------------------------
def every_command() -> Iterator[tuple[str, click.Command]]:
    from allthepoints.cli.app import COMMANDS

    def walk(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        yield name, command
        for key, one in getattr(command, "commands", {}).items():
            yield from walk(f"{name} {key}", one)

    for name, where in COMMANDS.items():
        module, _, attribute = where.partition(":")
        found = getattr(__import__(module, fromlist=["x"]), attribute)
        if isinstance(found, typer.Typer):
            yield from walk(name, typer.main.get_command(found))
        elif attribute != "fast":
            single = typer.Typer()
            single.command()(found)
            yield name, typer.main.get_command(single)


def test_no_secret_is_ever_an_argument() -> None:
    """What stands on a command line, everybody on the machine reads with `ps`."""
    options = [(name, option) for name, command in every_command() for option in command.params]
    assert len(options) > 30
    assert [(name, option.name) for name, option in options if option.name and names_secret(option.name)] == []
    free = [option for name, option in options if name in ("login", "logout", "dashboard password")]
    assert {option.name for option in free} <= {"site", "switch", "as_json", "context", "remove", "help", *COMPLETION}


def test_nothing_is_started_that_would_be_given_the_environment() -> None:
    """Tokens may stand in the environment, and a process that is started is given it."""
    starts = {"subprocess", "os.system", "os.popen", "os.spawn", "os.exec", "os.fork", "os.posix_spawn", "pty"}
    starts |= {"multiprocessing", "asyncio.create_subprocess"}
    found = []
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                names = [f"{node.value.id}.{node.attr}"]
            found += [(file.name, name) for name in names if any(name.startswith(start) for start in starts)]
    assert found == []


# -- in files ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def generous() -> Iterator[None]:
    """A machine on which everybody may read what is made."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("generous")
def test_a_whole_life_leaves_nothing_that_others_may_read(tmp_path: Path) -> None:
    """Started as a person would, with a umask of 0: config, sign-in, a day, a backup, a password, a signing out."""
    from whole_world import Machine, sandbox, until

    with sandbox(tmp_path, ["alpha"]) as box:
        machine = Machine(tmp_path / "home")
        machine.configure(box.endpoints)
        box.on_air("alpha")
        machine.do("login")
        machine.do("dashboard", "password", stdin="four random words here\n")
        with machine.run("--verbose"):
            until(lambda: box.rooms() == ["alpha"], what="in")
            machine.do("backup", str(machine.data / "backup.db"))
            open_while_it_runs = others_may(machine.data)
        machine.do("backup", str(tmp_path / "elsewhere.db"))
        assert (stat.S_IMODE((tmp_path / "elsewhere.db").stat().st_mode)) == 0o600
        assert {"tokens.json", "dashboard-password.json"} <= {entry.name for entry in machine.data.iterdir()}
        open_when_it_is_over = others_may(machine.data)
        machine.do("logout")
    assert open_while_it_runs == open_when_it_is_over == []
    assert others_may(machine.data) == []
    assert stat.S_IMODE(machine.data.stat().st_mode) == 0o700


def others_may(folder: Path) -> list[str]:
    return [f"{entry} {entry.stat().st_mode:o}" for entry in folder.rglob("*") if entry.stat().st_mode & 0o077]


@pytest.mark.usefixtures("generous")
def test_the_files_of_a_secret_are_never_open_not_even_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    real = os.open

    def watched(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        handle = real(path, flags, mode, **more)
        if stat.S_ISREG(os.fstat(handle).st_mode):
            seen.append(stat.S_IMODE(os.fstat(handle).st_mode))
        return handle

    monkeypatch.setattr(os, "open", watched)
    SecretFile(tmp_path / "tokens.json", "token file").replace(CANARY.encode())
    with lock.acquire(tmp_path / "a.lock"), log_to(tmp_path / "logs" / "a.log"):
        pass
    assert seen
    assert set(seen) == {0o600}


def test_a_backup_and_every_export_hold_no_token(tmp_path: Path) -> None:
    from points_home import fill

    data = tmp_path / "data"
    data.mkdir()
    fill(data, {})
    secrets = {}
    for number, name in enumerate(("tokens.json", "streamelements-token.json", "dashboard-password.json")):
        secrets[name] = f"{CANARY}{number}"
        (data / name).write_text(json.dumps({"access": secrets[name], "jwt": secrets[name], "hash": secrets[name]}))
    names = ("TWITCH_TOKEN", "TWITCH_REFRESH_TOKEN", "TWITCH_CLIENT_SECRET", "STREAMELEMENTS_JWT")
    env = {**os.environ, "ALLTHEPOINTS_DATA_DIR": str(data), "HOME": str(tmp_path)}
    for name in names:
        env[f"ALLTHEPOINTS_{name}"] = f"{CANARY}{name}"
    commands = [
        ["backup", str(tmp_path / "backup.db")],
        *(["export", what, *more] for what in ("points", "sessions", "redemptions") for more in ([], ["--json"])),
        ["status", "--json"],
        ["config", "show"],
        ["redemptions", "--json"],
    ]
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "allthepoints", *command], env=env, capture_output=True, check=False
        )
        assert CANARY.encode() not in done.stdout + done.stderr, command
    assert CANARY.encode() not in (tmp_path / "backup.db").read_bytes()


# -- other users -------------------------------------------------------------------------------------------------------
VICTIM = b"what belongs to somebody else\n"


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim"
    path.write_bytes(VICTIM)
    return path


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path, victim: Path) -> None:
    (tmp_path / "allthepoints.lock").symlink_to(victim)
    with pytest.raises(FaultError, match="cannot be opened"):
        lock.acquire(tmp_path / "allthepoints.lock")
    assert lock.holder(tmp_path / "allthepoints.lock") is None
    assert victim.read_bytes() == VICTIM


def test_a_link_in_the_place_of_a_file_that_is_being_made_is_not_followed(tmp_path: Path, victim: Path) -> None:
    """Its name can be guessed: it holds a pid."""
    target = tmp_path / "tokens.json"
    (tmp_path / f"tokens.json.{os.getpid()}.new").symlink_to(victim)
    write_atomically(target, b"ours")
    assert (victim.read_bytes(), target.read_bytes(), target.is_symlink()) == (VICTIM, b"ours", False)


@pytest.mark.parametrize("ending", ["", "-journal"])
def test_a_link_in_the_place_of_a_backup_that_is_being_made_is_not_followed(
    tmp_path: Path, victim: Path, ending: str
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    Database(data / "allthepoints.db", 1.0).close()
    (tmp_path / f"backup.db.{os.getpid()}.part{ending}").symlink_to(victim)
    try:
        back_up(data / "allthepoints.db", tmp_path / "backup.db", ())
    except (AllThePointsError, apsw.Error):
        assert not (tmp_path / "backup.db").exists()
    assert victim.read_bytes() == VICTIM


def test_a_backup_is_written_over_no_link_that_somebody_made(tmp_path: Path, victim: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    Database(data / "allthepoints.db", 1.0).close()
    (tmp_path / "backup.db").symlink_to(victim)
    for force in (False, True):
        with pytest.raises(AllThePointsError):
            back_up(data / "allthepoints.db", tmp_path / "backup.db", (), force=force)
    assert victim.read_bytes() == VICTIM


def test_the_dashboard_is_reached_from_this_machine_alone() -> None:
    assert Dashboard().listen.startswith("127.0.0.1:")


def test_nothing_else_listens() -> None:
    """Only the dashboard and the sandbox open a port."""
    listens = {"create_server", "start_server", "start_unix_server", "create_unix_server", "listen"}
    found = set()
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            call = node.func if isinstance(node, ast.Call) else None
            if isinstance(call, ast.Attribute) and call.attr in listens:
                found.add(str(file.relative_to(SOURCE)))
    assert {name for name in found if not name.startswith(("sim/", "testing/"))} <= {
        "views/web/listener.py",
        "cli/run.py",  # of the log: nothing to do with a network
        "operation/doctor_here.py",
    }
