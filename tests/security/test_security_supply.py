"""What comes from others: pins, hashes, what each of them is for; and that docs/security.md is true."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PINS = {
    canonicalize_name(line.partition("==")[0]): line.partition("==")[2]
    for line in (ROOT / "constraints.txt").read_text("utf-8").split()
}


def all_of(names: list[str]) -> set[str]:
    """These, and all that they draw in on this machine."""
    found: set[str] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        if name in found or (one.marker is not None and not one.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        try:
            more = requires(name) or []
        except PackageNotFoundError:
            continue
        for text in more:
            requirement = Requirement(text)
            for extra in ("", *one.extras):
                if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                    waiting.append(Requirement(f"{requirement.name}{_extras(requirement)}"))
    return found


def _extras(requirement: Requirement) -> str:
    return f"[{','.join(requirement.extras)}]" if requirement.extras else ""


def test_all_that_runs_is_pinned_and_is_what_is_installed() -> None:
    running = all_of(PROJECT["project"]["dependencies"])
    assert running - PINS.keys() == set()
    assert {name: version(name) for name in running} == {name: PINS[name] for name in running}


def test_what_builds_the_package_is_pinned() -> None:
    """As constraints.txt does not reach into the environment that pip builds in."""
    building = [Requirement(text) for text in PROJECT["build-system"]["requires"]]
    assert building
    for one in building:
        assert str(one.specifier) == f"=={PINS[canonicalize_name(one.name)]}"


def test_every_dependency_has_its_reason() -> None:
    direct = {canonicalize_name(Requirement(text).name) for text in PROJECT["project"]["dependencies"]}
    reasons = re.findall(r"^\| `([a-z0-9_.-]+)` \| [^|]{15,} \| [^|]{5,} \|$", PAGE, re.M)
    assert {canonicalize_name(name) for name in reasons} == direct


def test_no_dependency_is_unused_or_unnamed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deptry", "src"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


# -- hashes ------------------------------------------------------------------------------------------------------------
def wheel(folder: Path, name: str, needs: str = "", content: str = "x = 1\n") -> Path:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    requirement = f"Requires-Dist: {needs}\n" if needs else ""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.py", content)
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requirement}")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return path


def alone(folder: Path) -> dict[str, str]:
    """An environment in which pip knows these wheels, and no network."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    return {**kept, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}


def test_a_list_with_hashes_takes_these_files_and_no_others(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel(wheels, "outer_thing", "inner-thing")
    wheel(wheels, "inner_thing")
    env = alone(wheels)
    script = [sys.executable, str(ROOT / "scripts" / "hashes.py"), "outer-thing"]
    listed = subprocess.run(script, env=env, capture_output=True, text=True, check=True).stdout
    assert re.fullmatch(r"(?:[a-z_-]+==1\.0 --hash=sha256:[0-9a-f]{64}\n){2}", listed)
    (tmp_path / "hashes.txt").write_text(listed)

    def installed() -> subprocess.CompletedProcess[str]:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-cache-dir", "--upgrade"]
        where = ["--target", str(tmp_path / "there"), "-r", str(tmp_path / "hashes.txt")]
        return subprocess.run([*pip, *where], env=env, capture_output=True, text=True, check=False)

    assert installed().returncode == 0
    wheel(wheels, "inner_thing", content="import os  # something else\n")
    refused = installed()
    assert refused.returncode != 0
    assert "DO NOT MATCH THE HASHES" in refused.stderr


# -- the page ----------------------------------------------------------------------------------------------------------
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|") and "test_" in line
]
NAMED = sorted({name for row in ROWS for name in re.findall(r"`([a-z_/]+\.py::test_\w+)`", row[3])})


def test_every_threat_has_what_stops_it_and_a_test() -> None:
    assert len(ROWS) > 60
    for row in ROWS:
        assert len(row) == 4, row
        assert all(row), row
        assert re.search(r"`[a-z_/]+\.py::test_\w+`", row[3]), row


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_is_named_is_there(name: str) -> None:
    file, _, function = name.partition("::")
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert function in {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_no_test_of_this_folder_is_unnamed() -> None:
    """What is shown here stands in the list, too."""
    found = set()
    for file in Path(__file__).parent.glob("test_*.py"):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found.add(f"security/{file.name}::{node.name}")
    about_the_page = {name for name in found if re.search(r"threat|is_named_is_there|unnamed$", name)}
    assert found - about_the_page - set(NAMED) == set()
