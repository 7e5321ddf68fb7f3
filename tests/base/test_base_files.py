"""Files that are never half written, and damaged ones that are kept."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from allthepoints.base import files
from allthepoints.base.files import set_aside, write_atomically


def test_fc_33_the_content_is_replaced_and_only_we_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "token.json"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.name == "nt" or stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_fc_33_a_write_that_fails_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "token.json"
    write_atomically(path, b"old")

    def full(*_args: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, step, full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_fc_33_a_link_is_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "real", tmp_path / "link"
    target.write_bytes(b"old")
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("no links here")
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_fc_33_what_a_killed_process_left_is_removed_and_a_living_ones_is_not(tmp_path: Path) -> None:
    path = tmp_path / "token[1].json"
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], check=True, capture_output=True)
    dead = tmp_path / f"token[1].json.{int(ended.stdout)}.new"
    living = tmp_path / f"token[1].json.{os.getppid()}.new"
    foreign = tmp_path / "token[1].json.backup.new"
    for leftover in (dead, living, foreign):
        leftover.write_bytes(b"secret")
    write_atomically(path, b"new")
    assert {p.name for p in tmp_path.iterdir()} == {path.name, living.name, foreign.name}


def test_fc_33_a_directory_in_the_way_is_an_error_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "token.json"
    path.mkdir()
    with pytest.raises(OSError, match=r".+"):
        write_atomically(path, b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_fc_33_a_bad_file_is_set_aside_by_name_and_nothing_is_overwritten(tmp_path: Path) -> None:
    names = set()
    for turn in range(3):
        bad = tmp_path / "allthepoints.db"
        bad.write_bytes(b"bad %d" % turn)
        wal = tmp_path / "allthepoints.db-wal"
        wal.write_bytes(b"wal")
        os.utime(bad, (1_700_000_000, 1_700_000_000))
        aside = set_aside(bad, wal, tmp_path / "allthepoints.db-shm")
        assert not bad.exists()
        assert not wal.exists()
        assert aside.read_bytes() == b"bad %d" % turn
        assert aside.with_name(aside.name + "-wal").read_bytes() == b"wal"
        names.add(aside.name)
    stem = "allthepoints.db.unreadable-20231114T221320Z"
    assert names == {stem, f"{stem}-2", f"{stem}-3"}
