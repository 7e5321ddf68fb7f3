"""bench/mutation.py: a change that tests see is killed, one that they do not see survives, and no file is touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")

BENCH = Path(__file__).resolve().parent.parent.parent / "bench"

MODULE = """\
from enum import StrEnum

LEAST = 3
UNUSED = 7
NAMES = {"one": 1}


class Kind(StrEnum):
    BIG = "big"


def bigger(number: int) -> bool:
    if number > LEAST:
        return True
    return False


def untested(number: int) -> int:
    return number + 1


def early() -> int:
    return len(NAMES) + 4


TABLE = early()


def countdown(number: int) -> int:
    while number > 0:
        number = number - 1
    return number


class Box:
    @property
    def size(self) -> int:
        return 2 * LEAST
"""

TESTS = """\
import pytest
from tiny.core.sums import NAMES, TABLE, Box, Kind, bigger, countdown


@pytest.mark.parametrize(("number", "big"), [(5, True), (4, True), (2, False)])
def test_bigger(number, big):
    assert bigger(number) is big


def test_the_rest():
    assert (TABLE, NAMES["one"], Box().size, Kind.BIG) == (5, 1, 6, "big")
    assert countdown(3) == 0
"""

ENDS = {
    ("bigger", "if number > LEAST:", "if number >= LEAST:"): "survived",
    ("bigger", "if number > LEAST:", "if ((number > LEAST) and False):"): "killed",
    ("bigger", "return True", "return False"): "killed",
    ("<module>", "LEAST = 3", "LEAST = 4"): "killed",
    ("<module>", "UNUSED = 7", "UNUSED = 8"): "survived",
    ("<module>", 'NAMES = {"one": 1}', 'NAMES = {"one": 2}'): "killed",
    ("Kind", 'BIG = "big"', 'BIG = "XXbigXX"'): "killed",
    ("untested", "return number + 1", "return number - 1"): "no test",
    ("early", "return len(NAMES) + 4", "return len(NAMES) + 5"): "killed",
    ("countdown", "number = number - 1", "number = number + 1"): "hung",
    ("Box.size", "return 2 * LEAST", "return 3 * LEAST"): "killed",
}
"""Where, what was there, what is there now, and what becomes of it."""

DRIVER = """\
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import mutation, mutation_run, mutants
mutation_run.HANGS = 1.0
cold = mutation_run.Grounds._import
def only_what_must(self, mutant, *rest):
    return cold(self, mutant, *rest) if mutant.where == "early" or not mutant.inside else 2  # "broken"
mutation_run.Grounds._import = only_what_must
tree = mutation.Tree(Path(sys.argv[2]), "tiny", ("core",))
asked = json.loads(sys.argv[3])
made = [mutant for mutant in mutants.mutants(tree.source, "core/sums.py") if list(mutant.key[1:]) in asked]
ends = mutation.run(tree, made)
print(json.dumps([[*mutant.key[1:], end] for mutant, end in ends.items()]))
"""


def files(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in found}


def test_what_tests_see_is_killed_and_no_file_is_touched(tmp_path: Path) -> None:
    texts = {
        "pyproject.toml": '[tool.pytest.ini_options]\nfilterwarnings = ["error"]\n',
        "src/tiny/__init__.py": "",
        "src/tiny/core/__init__.py": "",
        "src/tiny/core/sums.py": MODULE,
        "tests/core/test_sums.py": TESTS,
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    before = files(tmp_path)
    driver = [sys.executable, "-c", DRIVER, str(BENCH), str(tmp_path), json.dumps(list(ENDS))]
    done = subprocess.run(driver, check=False, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert files(tmp_path) == before
    ends = {(where, was, now): end for where, was, now, end in json.loads(done.stdout)}
    assert ends == ENDS


REMEMBERS = """\
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import mutation, mutants
folder = Path(sys.argv[2])
module, kept = folder / "sums.py", folder / "known.json"
module.write_text("def least(a, b):\\n    return a < b\\n\\n\\ndef sign(a):\\n    return -a\\n")
killed, survived = mutants.mutants(folder, "sums.py")[:2]
mutation.Known(folder, kept).keep({killed: mutation.KILLED, survived: mutation.SURVIVED})
known = mutation.Known(folder, kept)
assert killed in known
assert survived not in known
module.write_text(module.read_text() + "\\n")
mutation._digest.cache_clear()
assert killed not in mutation.Known(folder, kept), "another text"
nothing = mutation.Known(folder, None)
nothing.keep({killed: mutation.KILLED})
assert killed not in mutation.Known(folder, None)
"""


def test_what_was_killed_is_known_while_its_module_stays(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", REMEMBERS, str(BENCH), str(tmp_path)], check=False, capture_output=True, timeout=100
    )
    assert done.returncode == 0, done.stderr


TELLS_WHAT_IS_LEFT = """
import argparse, json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import mutation, mutants

one = mutants.Mutant("core/x.py", "bigger", True, 1, 1, ("if a:",), ("if not a:",))
other = mutants.Mutant("core/x.py", "<module>", False, 2, 2, ("X = '`'",), ("X = ''",))
some = [(one, mutation.SURVIVED), (other, mutation.NO_TEST)]
more = [mutants.Mutant("core/x.py", "f", True, n, n, (f"a = {n}",), ("a = 0",)) for n in range(30)]
some += [(mutant, mutation.SURVIVED) for mutant in more]
asked = argparse.Namespace(record=True, into=Path(sys.argv[2]), sample=None)
mutation._record({"plan": mutation.Score()}, some, 1.0, 7, 0, asked)
print(json.dumps([mutation.left([]), *mutation.left(some[:2])]))
"""


def test_the_record_lists_what_is_left(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TELLS_WHAT_IS_LEFT, str(BENCH), str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    nothing, two = json.loads(done.stdout)
    assert nothing == []
    assert two.splitlines() == [
        *("2 are left that no test noticed, without a reason:", ""),
        "* `core/x.py`, `bigger`: `if a:` → `if not a:` (survived)",
        "* `core/x.py`, `<module>`: `` X = '`' `` → `X = ''` (no test)",
    ]
    notes = json.loads((tmp_path / "mutation_plan.json").read_text(encoding="utf-8"))["notes"]
    assert any("not tried again, even where tests have changed since" in note for note in notes)
    listed = notes[-1].splitlines()
    assert listed[0].startswith("32 are left")
    assert (len(listed), listed[-1]) == (2 + 30 + 1, "* and 2 more")
