"""The command line as a whole: options anywhere, errors in one style, exit codes."""

import io
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer
from cli_home import AT, Atp

from allthepoints._version import __version__
from allthepoints.base import errors as e
from allthepoints.cli import app, output, status, tree
from allthepoints.cli import globals as g
from allthepoints.cli.areas import AREAS
from allthepoints.cli.exits import Exit, code_of
from allthepoints.cli.here import Here


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (e.UsageError("x"), 2),
        (e.ConfigError("x"), 2),
        (e.FaultError("x"), 1),
        (e.AlreadyRunning("x"), 1),
        (e.SignInNeeded("x"), 3),
        (e.Refused("x", 400), 3),
        (e.Declined("x"), 3),
        (e.Unauthorised("x", 401), 3),
        (e.Unknown("x"), 4),
        (e.Limited("x", 1.0), 4),
        (e.AllThePointsError("x"), 1),
    ],
)
def test_errors_become_exit_codes(error: e.AllThePointsError, code: int) -> None:
    assert code_of(error) == code


def test_every_error_of_ours_has_an_exit_code() -> None:
    found = [e.AllThePointsError]
    for kind in found:
        found += kind.__subclasses__()
    assert len(found) >= 11


@pytest.mark.parametrize(
    ("args", "given", "rest"),
    [
        (["status"], {}, ["status"]),
        (["--config", "c", "status"], {g.CONFIG: "c"}, ["status"]),
        (["status", "--config", "c", "--json"], {g.CONFIG: "c"}, ["status", "--json"]),
        (["status", "--config=c", "-v"], {g.CONFIG: "c", g.VERBOSE: "all"}, ["status"]),
        (["--verbose=chat", "run", "-v=helix,storage"], {g.VERBOSE: "chat,helix,storage"}, ["run"]),
        (["--verbose", "chat"], {g.VERBOSE: "all"}, ["chat"]),
        (["--data-dir", "d", "x", "--", "--config", "c"], {g.DATA_DIR: "d"}, ["x", "--", "--config", "c"]),
        (["--config", "a", "x", "--config", "b"], {g.CONFIG: "b"}, ["x"]),
        (["--version=1"], {}, ["--version=1"]),
    ],
)
def test_global_options_stand_anywhere(args: list[str], given: dict[g.Global, str], rest: list[str]) -> None:
    assert g.take(args) == (given, rest)


@pytest.mark.parametrize("args", [["status", "--config"], ["--data-dir=", "status"], ["status", "--verbose="]])
def test_a_global_option_without_its_value(atp: Atp, args: list[str]) -> None:
    result = atp(*args)
    assert result.code == Exit.USAGE
    assert "expected " in result.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("storge", "--verbose: there is no area 'storge'; did you mean storage?"),
        ("chat,1", "--verbose: there is no area '1'\n"),
        ("zzz", "Areas: chat, helix, signin, streamelements, storage, notify, dashboard, config, plan, all."),
    ],
)
def test_details_of_an_area_that_does_not_exist(atp: Atp, text: str, words: str) -> None:
    result = atp("status", f"--verbose={text}")
    assert (result.code, result.out) == (Exit.USAGE, "")
    assert words in result.err


def test_details_of_areas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALLTHEPOINTS_VERBOSE", raising=False)
    assert Here().loggers is False
    assert Here(verbose=("all",)).loggers is True
    assert Here(verbose=("plan", "storage")).loggers == (
        *("allthepoints.service.loop", "allthepoints.storage", "allthepoints.service.recorder"),
    )
    monkeypatch.setenv("ALLTHEPOINTS_VERBOSE", " Plan,")
    assert Here().loggers == ("allthepoints.service.loop",)
    assert Here(verbose=("all",)).loggers is True, "the line counts, then the environment"
    monkeypatch.setenv("ALLTHEPOINTS_VERBOSE", "plam")
    with pytest.raises(e.UsageError, match="did you mean plan"):
        _ = Here().loggers


def test_the_loggers_of_all_areas_are_modules() -> None:
    for names in AREAS.values():
        for name in names:
            assert find_spec(name) is not None, name


@pytest.mark.parametrize("args", [["--version"], ["status", "--version"]])
def test_version(atp: Atp, args: list[str]) -> None:
    assert atp(*args).out == f"allthepoints {__version__}\n"


@pytest.mark.parametrize(
    ("args", "text", "hint"),
    [
        (["bogus"], "no such command 'bogus'", "`allthepoints --help` tells what there is."),
        (["statu"], "no such command 'statu'", "`allthepoints --help` tells what there is."),
        (["status", "--bogus"], "no such option: --bogus", "`allthepoints status --help` tells what there is."),
        (["config"], "missing command", "`allthepoints config --help` tells what there is."),
        (["channels", "add"], "missing argument", "`allthepoints channels --help` tells what there is."),
        (["events", "--limit", "0"], "invalid value for '--limit'", "`allthepoints events --help` tells"),
        (["events", "--limit", "many"], "invalid value for '--limit'", "`allthepoints events --help` tells"),
        (["login", "youtube"], "invalid value for", "`allthepoints login --help` tells"),
    ],
)
def test_mistakes_in_the_line(atp: Atp, args: list[str], text: str, hint: str) -> None:
    result = atp(*args)
    assert result.code == Exit.USAGE
    assert result.out == ""
    assert result.err.startswith(f"error: {text}")
    assert f"\n\nhint: {hint}" in result.err


def test_help_lists_every_command_and_the_options_of_all(atp: Atp) -> None:
    result = atp()
    assert result.code == Exit.OK
    assert result.out == atp("--help").out == atp("-h").out
    for word in (*app.COMMANDS, *(name for option in g.GLOBALS for name in option.names)):
        assert word in result.out


FOR_EYES = {"watch", "dashboard", "completion"}
"""A view, a question for a password, a script for a shell."""


@pytest.mark.parametrize("name", app.COMMANDS)
def test_every_command_has_help_and_json(atp: Atp, name: str) -> None:
    result = atp(name, "--help")
    assert result.code == Exit.OK
    assert "--json" in result.out or name in {*FOR_EYES, "config", "notify"}
    assert f"Usage: allthepoints {name}" in result.out


@pytest.mark.parametrize("line", ["config show", "config path", "config check", "notify test"])
def test_commands_of_a_group_have_json(atp: Atp, line: str) -> None:
    assert "--json" in atp(*line.split(), "--help").out


def test_a_fast_command_has_the_same_flags_for_both_parsers(
    atp: Atp, running: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Here, "now", lambda self: AT + 30)  # --healthy asks how old the last sign of life is
    for flag in status.FLAGS:
        assert f"{flag.name} " in atp("status", "--help").out
        fast = atp("status", flag.name)
        assert fast.code == Exit.OK
        assert app._fast(["status", flag.name, "x"], Here()) is False
    typed = typer.main.get_command(tree.build(app.COMMANDS, "status", False))
    assert typed.main(["status", "--json"], standalone_mode=False, obj=Here()) in (None, 0)


def test_what_we_raise_is_told_with_its_hint(atp: Atp, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(context: typer.Context) -> None:
        output.say("before")
        raise e.FaultError("the disk is full", "Make room.")

    monkeypatch.setitem(app.COMMANDS, "events", "failing:fail")
    monkeypatch.setitem(sys.modules, "failing", type("failing", (), {"fail": staticmethod(fail)}))
    result = atp("events")
    assert (result.code, result.out) == (1, "before\n")
    assert result.err == "error: the disk is full\n\nhint: Make room.\n"


@pytest.mark.parametrize("verbose", ["", "--verbose", "--verbose=chat"])
def test_a_mistake_of_ours_is_one_line_unless_asked(atp: Atp, monkeypatch: pytest.MonkeyPatch, verbose: str) -> None:
    def fail(context: typer.Context) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setitem(app.COMMANDS, "events", "failing:fail")
    monkeypatch.setitem(sys.modules, "failing", type("failing", (), {"fail": staticmethod(fail)}))
    result = atp("events", *([verbose] if verbose else []))
    assert result.code == Exit.FAULT
    assert ("Traceback" in result.err) is bool(verbose)
    assert "error: this is a mistake of the program: ZeroDivisionError: oops" in result.err


def test_ctrl_c_is_quiet(atp: Atp, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(context: typer.Context) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(app.COMMANDS, "events", "failing:fail")
    monkeypatch.setitem(sys.modules, "failing", type("failing", (), {"fail": staticmethod(interrupted)}))
    result = atp("events")
    assert (result.code, result.out, result.err) == (Exit.INTERRUPTED, "", "")


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "ascii", "utf-8"])
def test_fc_35_no_character_is_an_error(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, errors="strict"))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict"))
    output.prepare()
    title = "Prestige 4 🌊 휴"
    output.say(title)
    output.say_json({"title": title})
    output.note(title)
    output.flush()
    first, second = raw.getvalue().decode(encoding).splitlines()
    assert first.startswith("Prestige 4 ")
    assert json.loads(second) == {"title": title}
    assert output.ascii_only() is (encoding != "utf-8")


def run(*args: str, stdout: int = subprocess.PIPE, **environ: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "allthepoints", *args],
        stdout=stdout,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environ},
        check=False,
    )


def test_fc_35_a_real_process_on_an_ascii_console(running: Path) -> None:
    done = run("status", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert b"* present" in done.stdout


def test_a_reader_that_goes_away_ends_it_quietly(recorded: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = run("events", stdout=write)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("command", ["status", "events"])
def test_an_output_on_a_full_disk_is_told(recorded: Path, command: str) -> None:
    with open("/dev/full", "w") as full:
        done = run(command, stdout=full.fileno())
    assert done.returncode == Exit.FAULT
    assert done.stderr == (
        b"error: the output cannot be written: No space left on device\n\nhint: Make room where it goes.\n"
    )


def test_nobody_reads_what_is_told_beside(recorded: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "allthepoints", "events", "--channel", "nobody"],
            stdout=subprocess.PIPE,
            stderr=full,
            check=False,
        )
    assert done.returncode in {Exit.USAGE, Exit.OK, Exit.FAULT}
    assert b"Traceback" not in done.stdout


def test_status_loads_nothing_heavy(home: Path) -> None:
    """What makes a cold start slow: `python -X importtime` tells."""
    code = "import sys; from allthepoints.cli.app import main; main(['status']); print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    heavy = {
        "asyncio",
        "typer",
        "pydantic",
        "httpx2",
        "rich.console",
        "rich.table",
        "tomlkit",
        "tomllib",
        "logging",
        "ssl",
    }
    assert not heavy & loaded
    assert {"allthepoints.core.plan", "allthepoints.core.facts", "allthepoints.irc.session"}.isdisjoint(loaded)
