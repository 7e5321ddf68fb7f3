"""What is in `packaging/`: units that systemd takes, and a container whose steps are done here by hand, one by one.

No container engine is needed: the Containerfile is read, held against rules, and its steps are run in a folder.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from whole_world import STOPS_WITHIN, Process, config_text, sandbox, until

from allthepoints.cli.exits import Exit

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
UNITS = {"system": PACKAGING / "allthepoints.service", "user": PACKAGING / "user" / "allthepoints.service"}
STEPS = runpy.run_path(str(ROOT / "scripts" / "container_steps.py"))
CONTAINERFILE = PACKAGING / "Containerfile"


# -- systemd -----------------------------------------------------------------------------------------------------------
def settings(unit: Path) -> dict[str, list[str]]:
    """`Section.Key` to its values, in order. Raises for a line that is none."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in unit.read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"\[(Unit|Service|Install)\]", line):
            section = match[1]
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert section, line
            assert equals, line
            assert re.fullmatch(r"[A-Z][A-Za-z]+", key), line
            found.setdefault(f"{section}.{key}", []).append(value)
    return found


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_a_unit_says_what_the_program_does(unit: Path) -> None:
    said = settings(unit)
    assert said["Service.Type"] == ["notify"]
    assert said["Service.ExecStart"][0].endswith("/bin/allthepoints run --plain")
    assert said["Service.ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert said["Service.WatchdogSec"] == ["60s"]
    assert said["Service.Restart"] == ["on-failure"]
    assert said["Service.RestartPreventExitStatus"] == [str(int(Exit.USAGE))]
    assert int(said["Service.TimeoutStopSec"][0].removesuffix("s")) > STOPS_WITHIN
    assert said["Service.LimitCORE"] == ["0"], "a core dump would hold the tokens"
    for safe in ("NoNewPrivileges", "RestrictNamespaces", "LockPersonality", "MemoryDenyWriteExecute"):
        assert said[f"Service.{safe}"] == ["yes"]
    assert set(said["Service.RestrictAddressFamilies"][0].split()) == {"AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"}
    assert said["Service.SystemCallFilter"] == ["@system-service", "~@privileged @resources"]


def test_the_machines_unit_closes_the_rest() -> None:
    said = settings(UNITS["system"])
    assert said["Service.ProtectSystem"] == ["strict"]
    assert said["Service.StateDirectory"] == ["allthepoints"]
    assert said["Service.StateDirectoryMode"] == ["0700"]
    assert said["Service.UMask"] == ["0077"]
    assert said["Service.CapabilityBoundingSet"] == [""]
    assert said["Service.Environment"][0].split() == [
        "ALLTHEPOINTS_CONFIG=%S/allthepoints/config.toml",
        "ALLTHEPOINTS_DATA_DIR=%S/allthepoints",
    ]
    user = (PACKAGING / "allthepoints.sysusers").read_text(encoding="utf-8").splitlines()[-1].split()
    assert user[:2] == ["u", said["Service.User"][0]]


ANALYZE = shutil.which("systemd-analyze")


@pytest.mark.skipif(ANALYZE is None, reason="no systemd-analyze here")
@pytest.mark.parametrize("kind", UNITS)
def test_systemd_takes_the_unit(tmp_path: Path, kind: str) -> None:
    assert ANALYZE is not None
    text = re.sub(r"(?<=^ExecStart=)\S+", sys.executable, UNITS[kind].read_text(encoding="utf-8"), flags=re.MULTILINE)
    unit = tmp_path / "allthepoints.service"
    unit.write_text(text, encoding="utf-8")
    (tmp_path / "runtime").mkdir(mode=0o700)
    env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path / "runtime"), "SYSTEMD_LOG_LEVEL": "warning"}
    command = [ANALYZE, "verify", "--man=no", *(["--user"] if kind == "user" else []), str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=240, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    if kind == "system":
        command = [ANALYZE, "security", "--offline=yes", "--threshold=20", str(unit)]
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=240, check=False)
        assert done.returncode == 0, f"exposed more than 2.0 of 10\n{done.stdout[-4000:]}"


# -- the container -----------------------------------------------------------------------------------------------------
STAGES = STEPS["read"]()
LAST = STAGES[-1]


def test_images_are_named_and_pinned() -> None:
    for stage in STAGES:
        registry, _, tag = stage.image.partition(":")
        assert registry.count("/") == 2, "which registry, else it is each engine's own guess"
        assert re.fullmatch(r"3\.\d+-slim-[a-z]+", tag)
    assert len({stage.image for stage in STAGES}) == 1, "a venv works with the Python that made it"


def test_what_is_built_with_stays_behind() -> None:
    assert not LAST.all("RUN")
    assert all(step.flags.get("from") == STAGES[0].name for step in LAST.all("COPY"))
    install = next(step for step in STAGES[0].all("RUN") if "pip install" in step.text)
    assert "-c constraints.txt" in install.text
    assert "--no-cache-dir" in install.text


def test_no_secret_and_nothing_that_was_not_named_gets_into_a_layer() -> None:
    text = CONTAINERFILE.read_text(encoding="utf-8")
    assert not re.search(r"(?i)token|secret|password|^ARG|^ADD", re.sub(r"(?m)^#.*", "", text), re.MULTILINE)
    copied = {word for step in STAGES[0].all("COPY") for word in step.words[:-1]}
    assert "." not in copied
    assert all((ROOT / name).exists() for name in copied)
    ignore = (PACKAGING / "Containerfile.dockerignore").read_text(encoding="utf-8").split("\n")
    assert {line[1:] for line in ignore if line.startswith("!")} == copied
    assert ignore.index("*") < ignore.index("!src")


def test_it_runs_as_nobody_in_particular_and_can_be_stopped() -> None:
    assert re.fullmatch(r"([1-9]\d{3,}):\1", LAST.last("USER").text), "numbers: an orchestrator must see it is not root"
    assert LAST.last("VOLUME").words == ["/data"]
    assert LAST.last("STOPSIGNAL").text == "SIGTERM"
    for word in ("ENTRYPOINT", "CMD"):
        assert LAST.last(word).is_exec, "a shell would not pass the signal on"
    for name in ("HOME", "ALLTHEPOINTS_DATA_DIR", "ALLTHEPOINTS_CONFIG"):
        assert LAST.env[name].startswith("/data")


def health() -> list[str]:
    """The command of the health check."""
    words = LAST.last("HEALTHCHECK").text.removeprefix("CMD ")
    command: list[str] = json.loads(words)
    return command


def test_the_compose_example_fits() -> None:
    service = yaml.safe_load((PACKAGING / "compose.yaml").read_text(encoding="utf-8"))["services"]["allthepoints"]
    assert (PACKAGING / service["build"]["context"] / service["build"]["dockerfile"]).resolve() == CONTAINERFILE
    assert service["volumes"] == ["data:/data"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["ports"] == [f"127.0.0.1:{LAST.last('EXPOSE').text}:{LAST.last('EXPOSE').text}"]
    assert int(service["stop_grace_period"].removesuffix("s")) > STOPS_WITHIN
    assert "environment" not in service


USER = 10001


def as_other_user(python: str) -> bool:
    """Whether that user of no name can run this Python, which needs root to be tried."""
    if os.geteuid() != 0 or not Path(python).exists():
        return False
    check = "import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))"
    try:
        done = subprocess.run([python, "-c", check], capture_output=True, user=USER, group=USER, cwd="/", check=False)
    except PermissionError:  # in a folder that is closed to others
        return False
    return done.returncode == 0


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that every user can get into."""
    with tempfile.TemporaryDirectory(prefix="atp-container") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.timeout(600)
def test_its_steps_done_by_hand(folder: Path, tmp_path: Path) -> None:
    """Built from nothing; then it runs as a user who can write in /data and nowhere else, and is looked after."""
    python = next(filter(as_other_user, (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3")), None)
    builder = STEPS["Builder"](STAGES, folder / "root", python=python or sys.executable)
    builder.build()
    for path in [builder.root, *builder.root.rglob("*")]:
        if not path.is_symlink() and builder.place("/data") not in (path, *path.parents):
            path.chmod(path.stat().st_mode & ~0o222)
    assert not list(builder.place("/opt").rglob("pip")), "nothing to install with is left"
    assert not (builder.root / "build").exists()
    env = builder.environment()
    user = USER if python else None

    def ask(command: list[str]) -> subprocess.CompletedProcess[str]:
        where = shutil.which(command[0], path=env["PATH"])
        assert where is not None
        return subprocess.run(
            [where, *command[1:]],
            capture_output=True,
            text=True,
            env=env,
            cwd=env["HOME"],
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            timeout=240,
            check=False,
        )

    entry, command = LAST.last("ENTRYPOINT").words, LAST.last("CMD").words
    assert ask([*entry, *command]).returncode == Exit.USAGE, "no config yet"
    assert ask(health()).returncode == Exit.FAULT
    with sandbox(tmp_path, ["alpha"]) as box:
        config = Path(env["ALLTHEPOINTS_CONFIG"])
        config.write_text(config_text(box.endpoints), encoding="utf-8")
        config.chmod(0o644)
        box.on_air("alpha")
        where = shutil.which(entry[0], path=env["PATH"])
        assert where is not None
        secrets = {"ALLTHEPOINTS_TWITCH_TOKEN": box.token, "ALLTHEPOINTS_TWITCH_REFRESH_TOKEN": box.refresh_token}
        with Process(command, tmp_path / "run", env | secrets, [where], user) as service:
            until(lambda: box.rooms() == ["alpha"] or service.code is not None, what="in")
            until(lambda: ask(health()).returncode == 0, what=f"healthy: {service.complains()}")
            assert service.stop() == 0, service.complains()
        assert ask(health()).returncode == Exit.FAULT
