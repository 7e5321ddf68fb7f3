"""Files that a person edits, breaks, moves and fills: config while it runs, the lock, the database, odd consoles."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from whole_world import COMMAND, PATIENT, Machine, sandbox, signed_in, until

from allthepoints.base.clock import Chance, pause


# -- the config, while it runs -----------------------------------------------------------------------------------------
def test_fc_37_edits_while_it_runs(tmp_path: Path) -> None:
    with sandbox(tmp_path) as box:
        machine = signed_in(tmp_path, box)
        box.on_air("alpha", "beta", "gamma")
        good = machine.config.read_text()
        with machine.run() as service:
            until(lambda: len(box.rooms()) == 3)

            _rename_over(machine, good.replace("[channels]", '[channels]\nexclude = ["gamma"]'))
            until(lambda: box.rooms() == ["alpha", "beta"], what="a removed channel left, after rename over")

            machine.config.write_text(good.replace("[channels]", '[channels]\nexclude = ["alpha"]'))
            pause(0.05)
            machine.config.write_text(good.replace("[channels]", '[channels]\nexclude = ["beta"]'))
            until(lambda: box.rooms() == ["alpha", "gamma"], what="the second of two quick saves")

            line = good.count("\n", 0, good.index("[channels]")) + 2
            machine.config.write_text(good.replace("[channels]", '[channels]\nexclud = ["alpha"]'))
            text = machine.warning("config_rejected")["text"]
            assert f"config.toml:{line}: channels.exclud: unknown key; did you mean exclude?" in text
            assert box.rooms() == ["alpha", "gamma"], "the old one stays"

            machine.config.write_text("[channels\n")
            until(lambda: "config.toml:1: this is not TOML" in json.dumps(machine.peek()["warnings"]))
            assert f"{machine.config}:1:" in machine.do("config", "check", code=2).stderr

            machine.config.write_text(good)
            service.send(signal.SIGHUP)
            until(lambda: len(box.rooms()) == 3, what="all again")
            until(lambda: machine.peek()["warnings"] == [])
            assert service.stop() == 0
        tally = box.tally()
        assert (tally["connections"], tally["welcomes"]) == (1, 1), "no edit cost a connection"
        assert {"config_taken", "config_rejected"} <= set(machine.kinds())


def _rename_over(machine: Machine, text: str) -> None:
    fresh = machine.config.with_name("config.toml~")
    fresh.write_text(text)
    fresh.replace(machine.config)


BAD = (
    ("[poll]", ""),
    ("lvie = '30s'", "poll.lvie: unknown key; did you mean live?"),
    ("live = '0s'", 'poll.live: expected a duration from "15s" to "10m"'),
    ("follows = 30", 'poll.follows: expected a duration from "5m" to "1d", found 30'),
    ("[channels]", ""),
    ("followed = 'yes'", "channels.followed: expected true or false"),
    ("include = [", ""),
    ("  'alpha',", ""),
    ("  'アルファ',", "channels.include: "),
    ("]", ""),
    ("[twitch]", ""),
    ("include = ['alpha']", "twitch.include: unknown key; include belongs under [channels]"),
    ("client_secret = 'canary0secret'", "twitch.client_secret: a secret stands here"),
    ("[endpoints]", ""),
    ("irc = 'irc://irc.chat.twitch.tv:6667'", "endpoints.irc: irc:// would send your token in clear"),
    ("helix = 'http://api.twitch.tv/helix'", "endpoints.helix: http:// would send your token in clear"),
    ("[chanels]", "chanels: unknown section; did you mean [channels]?"),
)
"""Lines, and what is wrong with each."""


def test_bad_configs_are_refused_with_file_line_key_and_cure(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "home")
    machine.home.mkdir()
    machine.config.write_text("\n".join(line for line, _ in BAD), encoding="utf-8")
    said = machine.do("run", code=2).stderr
    for number, (_, words) in enumerate(BAD, start=1):
        assert not words or f"{machine.config}:{number}: {words}" in said, said
    assert said.startswith("error: ")
    assert "\n\nhint: " in said
    assert "canary0secret" not in said
    assert "Traceback" not in said
    assert not machine.data.exists(), "a config that cannot be used is told before anything is made"
    for broken, words in (
        (b"[twitch]\nclient_id = abc", ":2: this is not TOML"),
        (b"\n'\xff'", ":2: this is not UTF-8"),
    ):
        machine.config.write_bytes(broken)
        assert f"error: {machine.config}{words}" in machine.do("config", "check", code=2).stderr
    machine.config.write_text("[channels]\nmax_rooms = 500\ninclude = ['#Alpha', ' beta ', 'alpha']\n")
    warned = machine.do("config", "show")
    assert "max_rooms" in warned.stderr
    assert 'include = ["alpha", "beta"]' in warned.stdout


# -- one instance, and its end -----------------------------------------------------------------------------------------
def test_fc_39_a_second_instance_is_refused_with_the_pid_and_a_stale_lock_is_taken_over(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = signed_in(tmp_path, box)
        box.on_air("alpha")
        with machine.run() as first:
            until(lambda: box.rooms() == ["alpha"])
            refused = machine.do("run", code=1)
            assert f"process {first.pid}" in refused.stderr
            assert box.rooms() == ["alpha"], "the first one does not care"
            first.kill()
        until(lambda: machine.peek()["running"] is False)
        with machine.run() as second:
            until(lambda: machine.peek()["running"] and box.rooms() == ["alpha"])
            assert second.stop() == 0


def test_fc_33_killed_again_and_again(tmp_path: Path) -> None:
    """kill -9 at odd moments of a busy run: what was told stays told, and the limits hold over all the lives."""
    logins = [f"room{number}" for number in range(8)]
    chance = Chance(33)
    with sandbox(tmp_path, logins) as box:
        machine = signed_in(tmp_path, box)
        box.on_air(*logins[:4])
        told: list[int] = []
        for life in range(8):
            with machine.run() as service:
                until(lambda: machine.peek()["running"] or service.code is not None)
                box.on_air(logins[4 + life % 4], live=life % 8 < 4)
                pause(chance.draw())
                service.kill()
            told = _nothing_was_lost(machine, told)
        with machine.run() as service:
            until(lambda: len(box.rooms()) >= 4 and machine.peek()["chat"]["waiting"] == 0, what="all again")
            until(lambda: sorted(box.rooms()) == _present(machine))
            assert service.stop() == 0
        _nothing_was_lost(machine, told)
        tally = box.tally()
        assert (tally["join_limit_violations"], tally["login_limit_violations"]) == (0, 0)
        assert tally["joins_worst"] <= 20
        assert not list(machine.data.glob("*.unreadable*")), "no kill damaged a file"


def _nothing_was_lost(machine: Machine, told: list[int]) -> list[int]:
    database = machine.data / "allthepoints.db"
    with sqlite3.connect(database) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        ids = [row[0] for row in connection.execute("SELECT id FROM events ORDER BY id")]
    connection.close()
    assert ids[: len(told)] == told
    return ids


def _present(machine: Machine) -> list[str]:
    return sorted(login for login, state in machine.states().items() if state == "present")


# -- places that are not as they should be -----------------------------------------------------------------------------
def _is_a_file(machine: Machine) -> None:
    machine.data.write_text("")


def _is_below_a_file(machine: Machine) -> None:
    (machine.home / "file").write_text("")
    machine.env["ALLTHEPOINTS_DATA_DIR"] = str(machine.home / "file" / "data")


def _database_is_a_folder(machine: Machine) -> None:
    (machine.data / "allthepoints.db").mkdir(parents=True)


def _tokens_are_a_folder(machine: Machine) -> None:
    (machine.data / "tokens.json").mkdir(parents=True)


def _newer_schema(machine: Machine) -> None:
    machine.data.mkdir(parents=True)
    from allthepoints.storage.schema import APPLICATION_ID

    with sqlite3.connect(machine.data / "allthepoints.db") as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")
        connection.execute("PRAGMA user_version = 999")
        connection.execute("CREATE TABLE events (id INTEGER)")
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (_is_a_file, 2, "is a file, where the data directory is expected"),
        (_is_below_a_file, 2, "a part of its path is a file"),
        (_database_is_a_folder, 1, "is a folder, where a database file is expected"),
        (_tokens_are_a_folder, 1, "is a folder, where the token file is expected"),
        (_newer_schema, 1, "newer"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_fc_40_a_data_directory_that_cannot_be_used(
    tmp_path: Path, spoil: Callable[[Machine], None], code: int, words: str
) -> None:
    machine = Machine(tmp_path / "home")
    machine.configure({"irc": "irc://127.0.0.1:9", "helix": "http://127.0.0.1:9", "oauth": "http://127.0.0.1:9"})
    spoil(machine)
    said = machine.do("run", code=code)
    assert words in said.stderr
    assert said.stderr.startswith("error: ")
    assert "\n\nhint: " in said.stderr
    assert "Traceback" not in said.stderr


AS_SOMEBODY_ELSE = """
import encodings.utf_8_sig, os, sys
import allthepoints.cli.run, allthepoints.config.paths, allthepoints.operation.service
from allthepoints.cli.app import main
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
sys.exit(main(["run"]))
"""
"""The interpreter itself may lie where nobody else may look, so it changes its user late."""


def test_fc_40_a_data_directory_of_another_user(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "home")
    machine.configure({"irc": "irc://127.0.0.1:9", "helix": "http://127.0.0.1:9", "oauth": "http://127.0.0.1:9"})
    machine.data.mkdir(mode=0o500)
    _let_others_look(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", AS_SOMEBODY_ELSE],
        env=machine.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENT,
    )
    uid = 65534 if os.geteuid() == 0 else os.geteuid()
    assert done.returncode == 2, done.stderr
    assert f"{machine.data} belongs to uid {os.geteuid()} and cannot be written by uid {uid}" in done.stderr
    assert f"chown -R {uid} {machine.data}" in done.stderr


def _let_others_look(folder: Path) -> None:
    for one in (folder, folder.parent, folder.parent.parent, folder.parent.parent.parent):
        if one.stat().st_uid == os.geteuid() and one != Path("/"):
            one.chmod(one.stat().st_mode | 0o055)


def test_fc_40_an_empty_volume_is_enough_and_a_foreign_database_is_set_aside_by_name(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = signed_in(tmp_path, box)
        machine.data.mkdir()
        foreign = machine.data / "allthepoints.db"
        with sqlite3.connect(foreign) as connection:
            connection.execute("CREATE TABLE precious (x)")
        connection.close()
        kept = foreign.read_bytes()
        (machine.data / "tokens.json").write_bytes(b"")
        box.on_air("alpha")
        with machine.run() as service:
            until(lambda: box.rooms() == ["alpha"])
            assert service.stop() == 0
        (aside,) = machine.data.glob("allthepoints.db.unreadable-*")
        assert aside.read_bytes() == kept
        assert aside.name in service.complains()
        for private in ("logs", "allthepoints.db", "allthepoints.lock"):
            assert (machine.data / private).stat().st_mode & 0o077 == 0, private


# -- consoles ----------------------------------------------------------------------------------------------------------
def test_fc_35_consoles_that_know_few_signs(tmp_path: Path) -> None:
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = signed_in(tmp_path, box)
        box.on_air("alpha", title="Prestige 4 🌊 휴")
        with machine.run("--verbose", env={"PYTHONIOENCODING": "ascii"}) as service:
            until(lambda: machine.states() == {"alpha": "present"})
            for encoding in ("ascii", "cp1252", "gbk"):
                machine.env["PYTHONIOENCODING"] = encoding
                _every_face_holds(machine, encoding)
            assert service.stop() == 0
        assert "Error" not in service.complains()
        assert "alpha: present." in service.says()
        assert "Traceback" not in (machine.data / "logs" / "allthepoints.log").read_text("utf-8")


def _every_face_holds(machine: Machine, encoding: str) -> None:
    for command in ("status", "events"):
        done = machine.do(command)
        assert "alpha" in done.stdout
        assert "Error" not in done.stderr
    assert "Prestige 4" in machine.do("status").stdout
    raw = subprocess.run(
        [*COMMAND, "channels", "--json"], env=machine.environment(), capture_output=True, timeout=PATIENT, check=True
    )
    assert json.loads(raw.stdout.decode(encoding))[0]["title"] == "Prestige 4 🌊 휴", "JSON loses nothing"


def test_fc_35_readers_that_go_away_and_dumb_terminals(tmp_path: Path) -> None:
    with sandbox(tmp_path, [f"room{number}" for number in range(60)]) as box:
        machine = signed_in(tmp_path, box)
        with machine.run() as service:
            until(lambda: len(machine.peek()["channels"]) == 60)
            for command in ("status --all", "channels", "--help"):
                _read_one_line(machine, command)
            env = {"TERM": "dumb", "NO_COLOR": "1"}
            assert "\x1b" not in machine.do("status", "--all", env=env).stdout
            assert service.stop() == 0


def _read_one_line(machine: Machine, command: str) -> None:
    pipe = f"{' '.join(COMMAND)} {command} | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", pipe],
        capture_output=True,
        text=True,
        env=machine.environment(),
        timeout=PATIENT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), command
    assert done.stdout.strip()
