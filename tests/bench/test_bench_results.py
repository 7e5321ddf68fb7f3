"""What a bench writes down, and the page that is made of it."""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import bounded  # noqa: E402
import results  # noqa: E402
import revision  # noqa: E402
from results import Figure, record  # noqa: E402

from allthepoints.base.clock import Stopwatch, pause  # noqa: E402

BENCHES = sorted((ROOT / "bench").glob("*.py"))
ENTRIES = [path for path in BENCHES if '__name__ == "__main__"' in path.read_text("utf-8")]

PAGES = runpy.run_path(str(ROOT / "scripts" / "pages_reference.py"))


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (Figure("", "%", [90.0, 96.0, 97.0], at_least=95.0), True),
        (Figure("", "%", [90.0, 96.0, 97.0], at_least=95.0, every=True), False),
        (Figure("", "", [0, 0, 1], at_most=0), True),
        (Figure("", "", [0, 0, 1], at_most=0, every=True), False),
        (Figure("", "s", [5.0], at_least=1.0, at_most=4.0), False),
        (Figure("", "s", [5.0]), None),
    ],
)
def test_a_goal_holds(figure: Figure, expected: bool | None) -> None:
    assert figure.holds() is expected


def test_a_section_tells_all_that_is_needed_to_run_it_again(tmp_path: Path) -> None:
    figures = [Figure("Lines", "lines/s", [1234567.8, 1.0, 2.0], at_least=3.0), Figure("Lost", "", [0], at_most=0)]
    path = record("x", "Speed", figures, notes=["On one core."], packages=["rich"], command="python x", folder=tmp_path)
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["figures"][0] == {
        **{"claim": "Lines", "unit": "lines/s", "runs": 3, "median": 2, "low": 1, "high": 1234600},
        **{"goal": "at least 3", "holds": False},
    }
    assert set(found["machine"]) == {"processor", "cores", "memory_gib", "system", "load"}
    assert {"allthepoints", "SQLite", "OpenSSL", "rich"} < set(found["versions"])

    section = PAGES["_section"](found)
    for text in ("## Speed", "python x", "| Lines | 2 lines/s | 1 – 1,234,600 | 3 | at least 3 | **missed** |"):
        assert text in section
    for text in ("| Lost | 0 |  | 1 | at most 0 | holds |", "On one core.", found["date"]):
        assert text in section


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.invalid", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_commit_is_told_and_whether_it_is_as_committed(tmp_path: Path) -> None:
    assert revision.commit(tmp_path / "none") is None
    git(tmp_path, "init", "-q")
    assert revision.commit(tmp_path) is None, "nothing is committed yet"
    revision.commit.cache_clear()
    for name in ("docs/results/x.json", "README.md", "src/x.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "x")
    found = revision.commit(tmp_path)
    assert found is not None
    assert len(found) == 10
    assert git(tmp_path, "rev-parse", "HEAD").startswith(found)

    for name, expected in (("docs/results/x.json", found), ("README.md", found), ("src/x.py", found + "+")):
        (tmp_path / name).write_text("2\n")
        revision.commit.cache_clear()
        assert revision.commit(tmp_path) == expected, name
    revision.commit.cache_clear()


def test_where_there_is_no_git_no_commit_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", "")
    assert revision.commit(tmp_path) is None


@pytest.mark.parametrize("commit", ["0123456789", "0123456789+", None])
def test_the_commit_stands_beside_the_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commit: str | None) -> None:
    monkeypatch.setattr(revision, "commit", lambda: commit)
    found = json.loads(record("x", "X", [Figure("", "", [0])], command="x", folder=tmp_path).read_text("utf-8"))
    assert found["commit"] == commit
    told = PAGES["_section"](found)
    assert (f"{found['date']}, commit {commit}, {found['machine']['processor']}" in told) is (commit is not None)
    assert PAGES["_section"]({**found, "commit": None}) == PAGES["_section"](
        {key: value for key, value in found.items() if key != "commit"}
    )
    assert "None" not in PAGES["_section"](found).rpartition("\n")[2]


@pytest.mark.parametrize(("value", "expected"), [(1.0, 0), (3.0, 1)])
@pytest.mark.parametrize("asked", [True, False])
def test_a_bench_ends_with_1_where_a_goal_is_missed(tmp_path: Path, value: float, expected: int, asked: bool) -> None:
    args = argparse.Namespace(record=asked, into=tmp_path)
    assert results.finish(args, "x", "X", [Figure("Lost", "", [value], at_most=2)], notes=["n"]) == expected
    assert [path.name for path in tmp_path.iterdir()] == (["x.json"] if asked else [])


OWN_CODE = {"chaos", "mutation", "redeem", "speed"}
"""Benches that end with 1 for reasons of their own, or have no goals."""


@pytest.mark.parametrize("path", [path for path in BENCHES if path.stem not in OWN_CODE], ids=lambda path: path.stem)
def test_what_is_recorded_makes_the_code(path: Path) -> None:
    """`finish` does both."""
    text = path.read_text("utf-8")
    assert not re.search(r"\b(results(_file)?\.)record\(", text) or re.search(r"\bresults(_file)?\.code\(", text)


def test_numbers_of_three_digits() -> None:
    shown = {0: "0", 1234: "1,234", 1234.5: "1,234", 99.53: "99.5", 2.345: "2.35", 0.01234: "0.0123", 123.4: "123"}
    assert {value: PAGES["number"](value) for value in shown} == shown


def test_what_waits_for_ever_is_given_up_and_ends_in_order() -> None:
    script = """
import bounded, time
try:
    bounded.begin(1e-4)
    while True: time.sleep(0.01)
finally: print('ended')
"""
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, cwd=ROOT / "bench", capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "ended\n", "not done within 0.0001 hours: given up\n")


HANGS = """
import multiprocessing, os, signal, sys, time
from pathlib import Path
from concurrent.futures import ProcessPoolExecutor

def hang(stubborn):
    if stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(sys.argv[1], str(os.getpid())).touch()
    time.sleep(600)

if __name__ == "__main__":
    sys.path.insert(0, BENCH)
    import bounded
    bounded.MOMENT, bounded.LAST = 0.5, 20
    pool = ProcessPoolExecutor(2, multiprocessing.get_context("spawn"))
    with pool:
        working = [pool.submit(hang, STUBBORN) for _ in range(2)]
        while len(list(Path(sys.argv[1]).iterdir())) < 2:
            time.sleep(0.01)
        bounded.begin(0.2 / 3600)
        working[0].result()
"""


@pytest.mark.parametrize("stubborn", [False, True])
def test_workers_of_a_pool_that_hang_are_ended(tmp_path: Path, stubborn: bool) -> None:
    script, working = tmp_path / "hangs.py", tmp_path / "working"
    working.mkdir()
    script.write_text(HANGS.replace("BENCH", repr(str(ROOT / "bench"))).replace("STUBBORN", repr(stubborn)))
    command = [sys.executable, str(script), str(working)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    assert "hours: given up" in done.stderr
    workers = [int(path.name) for path in working.iterdir()]
    assert [_is_there(worker) for worker in workers] == [False, False]


def _is_there(process: int) -> bool:
    """And works: one that has ended and is not yet taken note of is gone."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def _wait_for_the_end_of(process: int) -> None:
    watch = Stopwatch()
    while _is_there(process):
        assert watch.elapsed() < 20, "it goes on"
        pause(0.01)


INNER = """
import bounded, os, signal, sys, time
bounded.begin()
try:
    sys.stdin.read()  # it ends when the other one waits for us
    os.kill(os.getppid(), signal.SIGALRM)
    while True: time.sleep(0.01)
finally: print('inner ended', flush=True)
"""

OUTER = """
import bounded, subprocess, sys
stray = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
print(stray.pid, flush=True)
bounded.begin(1)
try: bounded.run([sys.executable, '-c', sys.argv[1]], stdin=subprocess.PIPE)
finally: print('outer ended', flush=True)
"""


def test_a_bench_that_runs_others_ends_them_in_order() -> None:
    command = [sys.executable, "-c", OUTER, INNER]
    done = subprocess.run(command, check=False, cwd=ROOT / "bench", capture_output=True, text=True, timeout=60)
    stray, *ended = done.stdout.split("\n")
    assert (done.returncode, ended) == (1, ["inner ended", "outer ended", ""])
    if Path("/proc/self/task").exists():
        _wait_for_the_end_of(int(stray))  # it has been told to end
    assert done.stderr == "told to end: given up\nnot done within 1 hours: given up\n"


NEVER_ENDS = """
import bounded, subprocess, sys, time
bounded.MOMENT, bounded.LAST = 0.05, 0.05
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
try:
    bounded.begin(1e-4)
    while True: time.sleep(0.01)
finally:
    while True: time.sleep(0.01)
"""


def test_what_does_not_end_in_order_is_left() -> None:
    command = [sys.executable, "-c", NEVER_ENDS]
    done = subprocess.run(command, check=False, cwd=ROOT / "bench", capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, "given up, and it did not end in order\n")
    if Path("/proc/self/task").exists():
        _wait_for_the_end_of(int(done.stdout))  # it has been killed


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: path.stem)
def test_every_entry_is_bounded(path: Path) -> None:
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
    }
    assert called & {"argument", "begin"}


def test_an_alarm_that_is_set_stays() -> None:
    handler, before = signal.getsignal(signal.SIGALRM), signal.setitimer(signal.ITIMER_REAL, 500)
    try:
        bounded.begin()
        assert signal.getsignal(signal.SIGALRM) is handler
        assert signal.getitimer(signal.ITIMER_REAL)[0] <= 500
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)
