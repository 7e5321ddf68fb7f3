"""The log and the output of the real command: what a disk, a console, a pipe and a curious person do to them."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from pathlib import Path

from whole_world import COMMAND, PATIENT, Box, Machine, Process, sandbox, signed_in, until


def log_of(machine: Machine) -> Path:
    return machine.data / "logs" / "allthepoints.log"


def text_of(machine: Machine) -> str:
    log = log_of(machine)
    return log.read_bytes().decode("utf-8") if log.is_file() else ""


BROKEN = """
from allthepoints.__main__ import main
from allthepoints.twitch import rows

def broken(found):
    raise ZeroDivisionError("is broken on purpose: oauth:a1b2c3d4e5")

rows.streams = broken
main()
"""


def asked(box: Box) -> int:
    """How often it was asked who is live."""
    return sum(count for path, count in box.tally()["helix_calls"].items() if path.endswith("/streams/followed"))


def test_fc_30_a_mistake_that_comes_again_and_again_is_shown_once_and_counted(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = signed_in(tmp_path, box)
        with machine.run(command=(sys.executable, "-c", BROKEN)) as service:
            until(lambda: asked(box) >= 3, what=f"three calls: {box.tally()['helix_calls']}")
            until(lambda: "is broken on purpose" in text_of(machine))
            assert service.stop() == 0
        text = text_of(machine)
        assert text.count("Traceback") == 1
        ((times, what),) = re.findall(r"… (\d+) more times? since \S+Z: reading live went wrong here.* \((.*)\)", text)
        assert int(times) >= 1
        assert what == "ZeroDivisionError: is broken on purpose: oauth:***"
        assert "a1b2c3d4e5" not in text + service.complains()
        assert service.complains().count("went wrong here, not there") == 2, "once whole, once counted"


def _taken_away(machine: Machine) -> None:
    """The logs with all that is in them, in one step: a line that is just being written must not slip in between."""
    logs = log_of(machine).parent
    logs.rename(logs.with_name("taken away"))


def _replaced_by_a_folder(machine: Machine) -> None:
    log = log_of(machine)
    while not log.is_dir():
        log.unlink(missing_ok=True)
        with contextlib.suppress(FileExistsError):  # a line was just written
            log.mkdir()


def _goes_on(box: Box, service: Process) -> None:
    box.on_air("beta")
    until(lambda: box.rooms() == ["alpha", "beta"], what="in the next one, log or not")
    assert service.code is None


def test_fc_33_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha", "beta", "gamma"]) as box:
        machine = signed_in(tmp_path, box)
        box.on_air("alpha")
        with machine.run() as service:
            until(lambda: "alpha" in text_of(machine))
            _replaced_by_a_folder(machine)
            _goes_on(box, service)
            until(lambda: "the log file cannot be written (Is a directory)" in service.complains())
            _taken_away(machine)
            box.on_air("gamma")
            until(lambda: "gamma" in text_of(machine), what="a folder and a file made anew")
            assert "lines missing here, because they could not be written:" in text_of(machine)
            assert service.stop() == 0
        assert service.complains().count("cannot be written") == 1
        assert log_of(machine).stat().st_mode & 0o777 == 0o600


def test_fc_33_an_output_on_a_full_disk_costs_no_presence(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha", "beta"]) as box:
        machine = signed_in(tmp_path, box)
        box.on_air("alpha")
        shell = ("bash", "-c", 'exec "$@" >/dev/full 2>/dev/full', "run", *COMMAND)
        with machine.run("--verbose", command=shell) as service:
            until(lambda: box.rooms() == ["alpha"])
            _goes_on(box, service)
            assert service.stop() == 0
        assert machine.kinds()[-1] == "stopped"
        assert "Traceback" not in text_of(machine)


def test_fc_35_a_reader_that_goes_away_ends_a_run_in_order(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = signed_in(tmp_path, box)
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", f"{' '.join(COMMAND)} run | head -1"],
            env=machine.environment({"PYTHONIOENCODING": "cp1252"}),
            capture_output=True,
            text=True,
            timeout=PATIENT,
            check=False,
            input=_speak_up(box),
        )
        assert (done.returncode, len(done.stdout.splitlines())) == (0, 1), done.stderr
        assert "Traceback" not in done.stderr + text_of(machine)
        assert machine.kinds()[-1] == "stopped"
        until(lambda: box.rooms() == [], what="left")


def _speak_up(box: Box) -> str:
    """So that there is more than one line to be said."""
    box.on_air("alpha", title="Prestige 4 🌊 휴")
    return ""


def test_details_of_the_areas_that_were_asked_for(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = signed_in(tmp_path, box)
        box.on_air("alpha")
        with machine.run("--verbose=chat,storage") as service:
            until(lambda: box.rooms() == ["alpha"])
            until(lambda: "RoomJoined" in text_of(machine))
            assert service.stop() == 0
        text = text_of(machine)
        named = set(re.findall(r" DEBUG (\S+): ", text))
        assert named == {"allthepoints.service.connection", "allthepoints.storage.database"}
        assert "connection 1: JOIN alpha" in text
        log_of(machine).unlink()
        machine.env["ALLTHEPOINTS_VERBOSE"] = "helix"
        with machine.run() as service:
            until(lambda: "answered 200" in text_of(machine))
            assert service.stop() == 0
        assert set(re.findall(r" DEBUG (\S+): ", text_of(machine))) == {"allthepoints.twitch.http"}
        machine.env["ALLTHEPOINTS_VERBOSE"] = "helx"
        assert "there is no area 'helx'; did you mean helix?" in machine.do("run", code=2).stderr
        assert box.token not in text
