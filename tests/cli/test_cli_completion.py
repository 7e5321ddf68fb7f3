"""`completion`: the scripts in the shells themselves, as if somebody typed and pressed TAB."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_home import Atp

from allthepoints.base.clock import Stopwatch
from allthepoints.cli.app import COMMANDS
from allthepoints.cli.grammar import grammar

Complete = Callable[[str], list[str]]
"""What may stand in the place of the last word of a line."""

BASH = """
source {script}
COMP_LINE={line}
read -r -a COMP_WORDS <<<"$COMP_LINE"
[[ $COMP_LINE == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_allthepoints
printf '%s\\n' "${{COMPREPLY[@]}}"
complete -p allthepoints atp >&2
"""


@pytest.fixture
def bin_folder(recorded: Path, home: Path) -> Path:
    """A folder for PATH in which the program is, under both names; and files to be found."""
    folder = home / "bin"
    folder.mkdir()
    for name in ("allthepoints", "atp"):
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m allthepoints "$@"\n')
        (folder / name).chmod(0o755)
    (home / "files").mkdir()
    (home / "files" / "old backup.db").write_text("")
    (home / "files" / "deep").mkdir()
    return folder


def environment(home: Path, folder: Path) -> dict[str, str]:
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(home), "TERM": "dumb"}


@pytest.fixture
def in_bash(home: Path, bin_folder: Path, atp: Atp) -> Complete:
    script = home / "completion.bash"
    script.write_text(atp("completion", "bash").out, encoding="utf-8")

    def complete(line: str) -> list[str]:
        done = subprocess.run(
            ["bash", "--norc", "-c", BASH.format(script=script, line=f'"{line}"')],
            capture_output=True,
            text=True,
            env=environment(home, bin_folder),
            cwd=home,
            timeout=60,
            check=True,
        )
        assert done.stderr == "complete -F _allthepoints allthepoints\ncomplete -F _allthepoints atp\n"
        return done.stdout.split("\n")[:-1] if done.stdout.strip() else []

    return complete


@pytest.fixture
def in_fish(home: Path, bin_folder: Path, atp: Atp) -> Complete:
    if shutil.which("fish") is None:
        pytest.skip("no fish here")
    script = home / "completion.fish"
    script.write_text(atp("completion", "fish").out, encoding="utf-8")

    def complete(line: str) -> list[str]:
        done = subprocess.run(
            ["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"],
            capture_output=True,
            text=True,
            env=environment(home, bin_folder),
            cwd=home,
            timeout=60,
            check=True,
        )
        assert done.stderr == ""
        return [found.partition("\t")[0] for found in done.stdout.splitlines()]

    return complete


@pytest.fixture
def in_zsh(home: Path, bin_folder: Path, atp: Atp) -> Complete:
    if shutil.which("zsh") is None:
        pytest.skip("no zsh here")
    script = home / "completion.zsh"
    script.write_text(atp("completion", "zsh").out, encoding="utf-8")
    setup = f"""
        PS1= PROMPT=; unsetopt zle_bracketed_paste 2>/dev/null; unset zle_bracketed_paste
        autoload -Uz compinit; compinit -u -d {home}/zcompdump; source {script}
        zstyle ':completion:*' list-colors; LISTMAX=10000; setopt no_always_last_prompt
        compadd() {{
            local -a all; builtin compadd -O all "$@"; print -l -- $all >>{home}/found; builtin compadd "$@"
        }}
        done-now() {{ print END >>{home}/found }}; zle -N done-now; bindkey '^X' done-now
        print READY >>{home}/found
    """
    (home / "setup.zsh").write_text(setup, encoding="utf-8")

    def complete(line: str) -> list[str]:
        found = home / "found"
        found.unlink(missing_ok=True)
        handle, theirs = pty.openpty()
        shell = subprocess.Popen(
            ["zsh", "-f", "-i"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment(home, bin_folder),
            cwd=home,
            start_new_session=True,
        )
        os.close(theirs)
        try:
            os.write(handle, f"source {home}/setup.zsh\n".encode())
            _drain_until(handle, lambda: "READY" in _text(found))
            os.write(handle, f"{line}\t\x18".encode())
            _drain_until(handle, lambda: "END" in _text(found))
        finally:
            shell.kill()
            shell.wait()
            os.close(handle)
        return [word for word in _text(found).splitlines() if word not in {"READY", "END", ""}]

    return complete


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def _drain_until(handle: int, done: Callable[[], bool]) -> None:
    watch = Stopwatch()
    while not done():
        assert watch.elapsed() < 60
        if select.select([handle], [], [], 0.05)[0]:
            os.read(handle, 65536)


CASES: list[tuple[str, set[str]]] = [
    ("allthepoints ch", {"channels"}),
    ("allthepoints sta", {"status"}),
    ("allthepoints channels ", {"list", "add", "remove", "pause", "resume", "priority"}),
    ("allthepoints channels re", {"remove", "resume"}),
    ("allthepoints --config files/x channels re", {"remove", "resume"}),
    ("allthepoints --verbose channels re", {"remove", "resume"}),
    ("allthepoints points ", {"alpha", "beta", "gamma"}),
    ("allthepoints channels pause alpha be", {"beta"}),
    ("allthepoints events --json --channel ga", {"gamma"}),
    ("allthepoints events --kind pres", {"present"}),
    ("allthepoints export --format ", {"csv", "json"}),
    ("allthepoints login s", {"streamelements"}),
    ("allthepoints completion ", {"bash", "zsh", "fish"}),
    ("allthepoints status --h", {"--healthy", "--help"}),
    ("allthepoints run --pl", {"--plain"}),
]


@pytest.mark.parametrize(("line", "found"), CASES, ids=[line for line, _ in CASES])
def test_bash(in_bash: Complete, line: str, found: set[str]) -> None:
    assert set(in_bash(line)) == found
    assert set(in_bash(line.replace("allthepoints", "atp", 1))) == found


def test_bash_knows_files_folders_and_what_nobody_can_know(in_bash: Complete) -> None:
    assert in_bash("allthepoints restore files/o") == ["files/old backup.db"]
    assert in_bash("allthepoints --data-dir files/") == ["files/deep"]
    assert in_bash("allthepoints redeem alpha ") == []
    assert in_bash("allthepoints events --limit ") == []
    assert {"run", "status", "support-bundle", "completion"} <= set(in_bash("allthepoints "))


@pytest.mark.parametrize(("line", "found"), CASES, ids=[line for line, _ in CASES])
def test_fish(in_fish: Complete, line: str, found: set[str]) -> None:
    assert set(in_fish(line)) == found
    if not line.endswith(" "):
        assert set(in_fish(line.replace("allthepoints", "atp", 1))) == found


def test_fish_knows_files(in_fish: Complete) -> None:
    assert in_fish("allthepoints restore files/o") == ["files/old backup.db"]


@pytest.mark.parametrize("line", ["allthepoints ch", "atp channels re", "allthepoints points ", "atp export --format "])
def test_zsh(in_zsh: Complete, line: str) -> None:
    expected = {line.replace("atp", "allthepoints"): found for line, found in CASES}[
        line.replace("atp", "allthepoints")
    ]
    assert set(in_zsh(line)) == expected


def test_every_command_is_known() -> None:
    commands = grammar()
    assert [name for name, _ in commands[0].children] == sorted(COMMANDS, key=[*(c.path for c in commands)].index)
    assert {command.path for command in commands if " " not in command.path} == {"", *COMMANDS}
    assert all(command.help for command in commands)


def test_names_where_nothing_is_known_or_can_be_read(atp: Atp, home: Path) -> None:
    assert atp("completion", "--names") == atp("completion", "bash", "--names")
    assert atp("completion", "--names").out == ""
    (home / "data").mkdir()
    (home / "data" / "allthepoints.db").write_text("no database" * 100)
    result = atp("completion", "--names")
    assert (result.code, result.out, result.err) == (0, "", "")


def test_another_shell(atp: Atp) -> None:
    result = atp("completion", "tcsh")
    assert result.code == 2
    assert "tcsh" in result.err
