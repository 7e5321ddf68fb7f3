"""What is handed on: a wheel and an sdist with what is needed in them and nothing else, and they work where nothing
of this checkout is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from allthepoints._version import __version__

ROOT = Path(__file__).resolve().parents[2]
NAME = f"allthepoints-{__version__}"


def do(*line: str | Path, cwd: Path, within: float = 300) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ALLTHEPOINTS"))}
    done = subprocess.run(
        [*map(str, line)], cwd=cwd, env=clean, check=False, capture_output=True, text=True, timeout=within
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist of this checkout, and the wheel that is built from nothing but that sdist."""
    folder = tmp_path_factory.mktemp("built")
    do(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    with tarfile.open(folder / f"{NAME}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    do(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=folder / NAME)
    return folder


def test_the_wheel_holds_the_program_and_nothing_else(built: Path) -> None:
    with zipfile.ZipFile(built / f"{NAME}-py3-none-any.whl") as wheel:
        names = wheel.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"allthepoints", f"{NAME}.dist-info"}
    assert not [name for name in names if name.startswith("allthepoints/testing")]
    source = ROOT / "src" / "allthepoints"
    kinds = {".py", ".html", ".css", ".js", ".svg", ".txt", ".typed"}
    meant = {
        f"allthepoints/{path.relative_to(source).as_posix()}"
        for path in source.rglob("*")
        if path.is_file() and path.suffix in kinds and "testing" not in path.relative_to(source).parts
    }
    assert {name for name in names if name.startswith("allthepoints/")} == meant


def test_the_sdist_holds_what_the_tests_need_and_no_leftovers(built: Path) -> None:
    with tarfile.open(built / f"{NAME}.tar.gz") as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    assert {"pyproject.toml", "constraints.txt", "Makefile", "README.md", "LICENSE", "tests/conftest.py"} <= set(names)
    assert [name for name in names if re.search(r"__pycache__|\.pyc$|\.venv|docs/_site|\.hypothesis|\.db$", name)] == []


@pytest.mark.timeout(900)  # packages are fetched
def test_it_works_in_a_clean_environment(built: Path, tmp_path: Path) -> None:
    home = tmp_path / "env"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    wheel = built / f"{NAME}-py3-none-any.whl"
    do(python, "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel, cwd=tmp_path)
    program = home / "bin" / "allthepoints"
    assert do(program, "--version", cwd=tmp_path) == f"allthepoints {__version__}\n"
    assert do(home / "bin" / "atp", "--version", cwd=tmp_path) == f"allthepoints {__version__}\n"
    where = do(python, "-c", "import allthepoints; print(allthepoints.__file__)", cwd=tmp_path)
    assert where.startswith(str(home))
    last = json.loads(do(program, "demo", "--for", "5s", "--json", cwd=tmp_path).splitlines()[-1])
    assert last["present_s"] > 0
    assert last["join_limit_violations"] == last["double_redemptions"] == 0
    do(python, "-m", "pip", "check", cwd=tmp_path)
