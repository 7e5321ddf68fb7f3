"""`backup` and `restore`, as a person and a program see them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cli_home import AT, Atp
from points_home import CODE

from allthepoints.cli import backup as module
from allthepoints.cli import here as here_module
from allthepoints.storage.migrations import LATEST
from allthepoints.storage.read_points import PointsReader


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here_module.Here, "now", lambda self: AT)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.db"


def test_a_backup_says_what_is_in_it_and_what_is_not(atp: Atp, earned: Path, file: Path) -> None:
    result = atp("backup", str(file))
    assert result.code == 0
    assert result.out.startswith(f"{file}: ")
    assert f" kB, schema {LATEST}, 3 channels, 4 events, 3 redemptions, of me.\n" in result.out
    assert result.err == f"{module.NO_TOKENS}\n"
    assert "access codes too" in result.err
    assert CODE in {one.code for one in PointsReader(file).redemptions(10)}
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_backup_for_programs(atp: Atp, earning: Path, file: Path) -> None:
    """While a service runs, too."""
    made = json.loads(atp("backup", str(file), "--json").out)
    assert made == {
        "file": str(file),
        "bytes": file.stat().st_size,
        "schema": LATEST,
        "account": "me",
        "channels": 3,
        "events": 4,
        "redemptions": 3,
        "alive_at": "2026-11-25T21:00:00.000Z",
    }


def test_names_are_those_of_the_folder_one_is_in(
    atp: Atp, earned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert atp("backup", "here.db").code == 0
    assert (tmp_path / "here.db").exists()
    assert atp("backup", "~/there.db").code == 0  # a shell that does not know the sign
    assert (tmp_path / "there.db").exists()


def test_a_file_that_is_there_is_replaced_only_if_it_is_meant(atp: Atp, earned: Path, file: Path) -> None:
    assert atp("backup", str(file)).code == 0
    before = file.stat().st_ino
    result = atp("backup", str(file))
    assert (result.code, result.out) == (3, "")
    assert result.err == (
        f"error: {file} exists already; it is as it was\n\nhint: Name another file, or add --force to replace it.\n"
    )
    assert file.stat().st_ino == before
    assert atp("backup", str(file), "--force").code == 0
    assert file.stat().st_ino != before
    assert sorted(entry.name for entry in file.parent.iterdir() if "part" in entry.name) == []


@pytest.mark.parametrize("name", ["tokens.json", "allthepoints.db", "allthepoints.lock", "streamelements-token.json"])
def test_our_own_files_are_safe_from_it(atp: Atp, earned: Path, name: str) -> None:
    result = atp("backup", str(earned / name), "--force")
    assert result.code == 2
    assert "itself works with" in result.err


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [("nowhere/b.db", 2, "there is no folder"), ("data", 2, "is a folder"), ("b.db", 1, "there is no database at")],
)
def test_what_cannot_be_done_is_told(atp: Atp, home: Path, name: str, code: int, words: str) -> None:
    (home / "data").mkdir()
    result = atp("backup", str(home / name))
    assert (result.code, result.out) == (code, "")
    assert words in result.err
    assert "\n\nhint: " in result.err
    assert not (home / name).is_file()


def test_a_restore_asks_and_tells(atp: Atp, earned: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    atp("backup", str(file))
    assert atp("restore", str(file)).code == 2, "nobody can be asked here"
    monkeypatch.setattr(module, "is_terminal", lambda: True)
    asked: list[str] = []

    def answer(text: str, yes: bool) -> bool:
        asked.append(text)
        return yes

    monkeypatch.setattr(module, "confirmed", lambda text: answer(text, False))
    result = atp("restore", str(file))
    assert (result.code, result.out) == (3, "")
    assert (
        f"{file}: schema {LATEST}, 3 channels, 4 events, 3 redemptions, of me, last written just now.\n" in result.err
    )
    assert result.err.endswith("Nothing was changed.\n")
    assert asked == [f"Put it in the place of {earned / 'allthepoints.db'}, which is kept?"]
    monkeypatch.setattr(module, "confirmed", lambda text: answer(text, True))
    result = atp("restore", str(file))
    kept = earned / "allthepoints.db.before-restore-20261125T210000Z"
    assert result.code == 0
    assert result.out == (
        f"{earned / 'allthepoints.db'} is the backup now: "
        f"schema {LATEST}, 3 channels, 4 events, 3 redemptions, of me.\nThe one from before is kept as {kept}.\n"
    )
    assert kept.exists()
    assert atp("status").code == 0


def test_a_restore_for_programs_on_a_new_machine(
    atp: Atp, earned: Path, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    atp("backup", str(file))
    monkeypatch.setenv("ALLTHEPOINTS_DATA_DIR", str(tmp_path / "new" / "data"))
    result = atp("restore", str(file), "--yes", "--json")
    put = json.loads(result.out)
    database = tmp_path / "new" / "data" / "allthepoints.db"
    assert (put["database"], put["kept"], put["channels"], put["auto_paused"]) == (str(database), None, 3, False)
    assert put["bytes"] == database.stat().st_size
    assert database.parent.stat().st_mode & 0o777 == 0o700
    assert len(json.loads(atp("points", "--json").out)) == 2


def test_a_restore_while_a_service_runs_is_refused_with_its_pid(atp: Atp, earning: Path, file: Path) -> None:
    atp("backup", str(file))
    before = (earning / "allthepoints.db").stat().st_ino
    result = atp("restore", str(file), "--yes")
    assert (result.code, result.out) == (3, "")
    assert result.err == (
        f"error: allthepoints runs on {earning} (process {os.getpid()}); nothing was changed\n\n"
        "hint: Stop it first, and start it again after.\n"
    )
    assert (earning / "allthepoints.db").stat().st_ino == before


def test_automatic_wishes_wait_after_a_restore(atp: Atp, earned: Path, file: Path) -> None:
    from allthepoints.core import records as r
    from allthepoints.storage.database import Database

    database = Database(earned / "allthepoints.db", AT)
    database.record([r.Noted(AT, "auto_allowed", "yes")], AT)
    database.close()
    atp("backup", str(file))
    result = atp("restore", str(file), "--yes", "--json")
    assert json.loads(result.out)["auto_paused"] is True
    assert "until you allow them again: allthepoints wish allow" in result.err
    assert "auto_allowed" not in PointsReader(earned / "allthepoints.db").notes()


@pytest.mark.parametrize("content", ["", "precious"])
def test_what_is_no_backup_is_not_restored(atp: Atp, earned: Path, file: Path, content: str) -> None:
    file.write_text(content)
    result = atp("restore", str(file), "--yes")
    assert (result.code, result.out) == (2, "")
    assert f"{file} is no backup of allthepoints" in result.err
    assert file.read_text() == content
    assert len(list(earned.iterdir())) == len({entry.name.partition("-")[0] for entry in earned.iterdir()})
