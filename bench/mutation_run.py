"""Runs tests against mutants: in a copy of the tree, and no mutant is ever written to a file.

Theory. To start pytest for each mutant takes seconds, the tests that can tell take milliseconds. So:

* A *warm* process has collected all tests once. Every mutant is a fork of it, in which the code of one function is
  exchanged (wherever that function is used, it is the same object), and the tests that run its lines are run.
* What is run at import (a table, a default, a class) cannot be exchanged so. Such a mutant is a fork of a *cold*
  process, which has imported what others wrote and nothing of ours; there the module is imported from the changed
  text.
* Which test runs which line is found out first, test by test, each in a fork of its own. A test that takes longer than
  `SLOW` there is left out.

A test that takes far longer than it did is a kill as well: the mutant hangs.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.machinery
import importlib.util
import json
import os
import resource
import shutil
import signal
import sys
import time
import tomllib
import types
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import coverage
import pytest
from mutants import Mutant

SLOW = 2.0
"""Seconds of the processor, measured line by line, above which a test is not run against mutants."""

HANGS = 4.0
"""Seconds of the processor after which a test hangs, and as many times what it took."""
TIMES = 20.0

WAITS = 10.0
"""As many times that on the wall's clock: the machine may have others to serve."""

COLD_START = 300.0
"""Seconds for imports."""

EXAMPLES = 20
"""Of each property: always the same ones."""

MEMORY = 4 * 2**30

KILLED, HUNG, SURVIVED, NO_TEST, BROKEN = "killed", "hung", "survived", "no test", "broken"
"""What became of a mutant. BROKEN: it is no Python."""

_ELSEWHERE = 3
"""How a fork says that the mutant cannot be made in a warm process."""

WARMING = ("hypothesis", "hypothesis.stateful", "hypothesis.strategies", "anyio", "anyio.pytest_plugin", "asyncio")
WARMING += ("msgspec", "msgspec.json", "httpx2", "apsw", "trustme", "jinja2", "starlette.applications", "uvicorn")
WARMING += ("rich", "typer", "tomlkit", "platformdirs", "multiprocessing", "unittest.mock", "zoneinfo", "sqlite3")


@dataclass(frozen=True, slots=True)
class Covered:
    """One test: seconds it took, and which lines of which modules it ran."""

    took: float
    lines: Mapping[str, frozenset[int]]


class Grounds:
    """A copy of the tree, and the tests in it that are asked."""

    def __init__(self, root: Path, folder: Path, package: str, tests: Sequence[str], watched: Sequence[str]) -> None:
        for name in ("src", "tests"):
            shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        options = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
        lists = {name: options.get(name, []) for name in ("filterwarnings", "markers")}
        lists["markers"] = [*lists["markers"], "timeout: of another plugin, which would stand in the way"]
        lists["filterwarnings"] = [*lists["filterwarnings"], "ignore::pytest.PytestAssertRewriteWarning"]  # see WARMING
        ini = "".join(f"{name} =\n" + "".join(f"    {line}\n" for line in lines) for name, lines in lists.items())
        (folder / "pytest.ini").write_text("[pytest]\n" + ini, encoding="utf-8")
        self.folder = folder
        self.name = package
        self.package = folder / "src" / package
        self._watched = watched
        """Folders or modules of the package whose lines are of interest."""
        self.files = [f"tests/{name}" for name in tests]
        os.chdir(folder)
        sys.path.insert(0, str(folder / "src"))
        for name in WARMING:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)

    def path(self, module: str) -> Path:
        return self.package / module

    # -- coverage ------------------------------------------------------------------------------------------------
    def look(self, known: Mapping[str, Covered | None], say: Callable[[str], None]) -> dict[str, Covered | None]:
        """What each test runs; None: it is too slow, or fails without any mutant."""
        found: dict[str, Covered | None] = {}

        def serve(run: _Run, tell: Callable[[object], None]) -> None:
            measured = self._measure()
            measured.start()  # once, for it takes longer than most tests
            for item in run.items.values():
                if item.nodeid not in known:
                    status, words = _in_fork(lambda out, item=item: self._cover(run, measured, item, out))
                    tell([item.nodeid, status, words])
            measured.stop()
            tell(list(run.items))

        there: list[str] = []
        for told in self._warm(serve):
            if told and isinstance(told[1], int):
                test, status, words = told
                if os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGALRM, signal.SIGPROF}:
                    found[test] = None
                elif status != 0:
                    say(f"fails without any mutant, so it is left out: {test}")
                    found[test] = None
                else:
                    took, lines = json.loads(words)
                    found[test] = Covered(took, {name: frozenset(numbers) for name, numbers in lines.items()})
                if len(found) % 200 == 0:
                    say(f"{len(found)} tests looked at")
            else:
                there = list(told)
        return {test: found[test] if test in found else known[test] for test in there}

    def _cover(self, run: _Run, measured: coverage.Coverage, item: pytest.Item, out: int) -> int:
        signal.setitimer(signal.ITIMER_PROF, SLOW)
        signal.setitimer(signal.ITIMER_REAL, WAITS * SLOW)
        start = time.process_time()
        run.one(item)
        measured.stop()
        took = time.process_time() - start
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _write(out, json.dumps([round(took, 4), self._lines(measured)]))
        return int(run.failed)

    def at_import(self) -> dict[str, frozenset[int]]:
        """The lines that run when everything is imported."""

        def look(out: int) -> int:
            measured = self._measure()
            measured.start()
            for path in sorted(self.package.rglob("*.py")):
                name = path.relative_to(self.package.parent).with_suffix("").as_posix().replace("/", ".")
                if not name.endswith("__main__"):
                    importlib.import_module(name.removesuffix(".__init__"))
            measured.stop()
            _write(out, json.dumps(self._lines(measured)))
            return 0

        status, words = _in_fork(look)
        if status:
            raise RuntimeError("the package cannot be imported")
        return {name: frozenset(lines) for name, lines in json.loads(words).items()}

    def _measure(self) -> coverage.Coverage:
        where = [str(self.package / name) + ("" if name.endswith(".py") else "/*") for name in self._watched]
        measured = coverage.Coverage(data_file=None, config_file=False, include=where)
        measured.set_option("run:disable_warnings", ["no-data-collected"])  # a test of a table runs no line
        return measured

    def _lines(self, measured: coverage.Coverage) -> dict[str, list[int]]:
        data = measured.get_data()
        files = {Path(name).relative_to(self.package).as_posix(): name for name in data.measured_files()}
        return {module: sorted(data.lines(name) or ()) for module, name in files.items()}

    # -- mutants -------------------------------------------------------------------------------------------------
    def outcomes(
        self, asked: Iterable[tuple[Mutant, Sequence[str], bool]], took: Mapping[str, float]
    ) -> Iterator[tuple[Mutant, str, str | None]]:
        """What became of each, and which test killed it; in no order. `asked`: with the tests that may tell, and
        whether the function has run at import already."""
        later: list[tuple[Mutant, Sequence[str]]] = []
        soon: list[tuple[Mutant, Sequence[str]]] = []
        for mutant, tests, early in asked:
            if not tests:
                yield mutant, NO_TEST, None
            elif mutant.inside and not early:
                soon.append((mutant, tests))
            else:
                later.append((mutant, tests))
        kills: Counter[str] = Counter()

        def order(tests: Sequence[str]) -> list[str]:
            return sorted(tests, key=lambda test: (-kills[test], took[test], test))

        def serve(run: _Run, tell: Callable[[object], None]) -> None:
            for number, (mutant, tests) in enumerate(soon):
                ordered = order(tests)
                status, words = _in_fork(lambda out, m=mutant, t=ordered: self._exchange(run, m, t, took, out))
                killer = words or None
                if killer:
                    kills[killer] += 1
                tell([number, status, killer])

        for number, status, killer in self._warm(serve) if soon else ():
            mutant, tests = soon[number]
            kills.update([killer] if killer else [])
            if os.WIFEXITED(status) and os.WEXITSTATUS(status) == _ELSEWHERE:
                later.append((mutant, tests))
            else:
                yield mutant, _outcome(status), killer
        for mutant, tests in later:
            ordered = order(tests)
            status, words = _in_fork(lambda out, m=mutant, t=ordered: self._import(m, t, took, out))
            kills.update([words] if words else [])
            yield mutant, _outcome(status), words or None

    def _exchange(self, run: _Run, mutant: Mutant, tests: Sequence[str], took: Mapping[str, float], out: int) -> int:
        """In a fork of the warm process."""
        path = self.path(mutant.module)
        try:
            changed = compile(
                mutant.source(path.read_text(encoding="utf-8")), str(path), "exec", dont_inherit=True, optimize=0
            )
        except (SyntaxError, ValueError):
            return 2
        code = _code_of(changed, mutant.where)
        functions = run.functions.get((str(path), mutant.where), [])
        if code is None or len({function.__code__ for function in functions}) != 1:
            return _ELSEWHERE
        try:
            for function in functions:
                function.__code__ = code
        except ValueError:
            return _ELSEWHERE
        return run.all(tests, took, out)

    def _import(self, mutant: Mutant, tests: Sequence[str], took: Mapping[str, float], out: int) -> int:
        """In a fork of the cold process."""
        path = self.path(mutant.module)
        source = mutant.source(path.read_text(encoding="utf-8"))
        try:
            compile(source, str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return 2
        inner = mutant.module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        sys.meta_path.insert(0, _Changed(f"{self.name}.{inner}", path, source))
        signal.setitimer(signal.ITIMER_REAL, COLD_START)
        first = tests[0].partition("::")[0]
        parts = [[test for test in tests if test.startswith(first + "::")]]
        parts.append([test for test in tests if not test.startswith(first + "::")])
        for part in filter(None, parts):
            ended: list[int] = []
            files = list(dict.fromkeys(test.partition("::")[0] for test in part))
            run = _Run(lambda run, part=part, ended=ended: ended.append(run.all(part, took, out)))
            run.main(files)
            if ended != [0]:
                return 1
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, COLD_START)
        return 0

    def _warm(self, serve: Callable[[_Run, Callable[[object], None]], None]) -> Iterator[list[object]]:
        """What `serve` tells from a process in which all tests are collected."""
        reads, writes = os.pipe()
        if (child := os.fork()) == 0:
            os.close(reads)
            with os.fdopen(writes, "w", encoding="utf-8") as out:

                def tell(value: object) -> None:
                    out.write(json.dumps(value) + "\n")
                    out.flush()

                def ready(run: _Run) -> None:
                    run.functions = _functions(str(self.package))
                    gc.collect()
                    gc.freeze()
                    serve(run, tell)
                    tell(None)

                _quiet()
                _Run(ready).main(self.files)
            os._exit(0)
        os.close(writes)
        told: object = True
        try:
            with os.fdopen(reads, encoding="utf-8") as lines:
                for line in lines:
                    if (told := json.loads(line)) is None:
                        break
                    yield told
        finally:
            if told is not None:  # given up
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        if told is not None:
            raise RuntimeError("the tests could not be collected")


class _Run:
    """pytest in this process, up to where the tests would be run: then `ready` has them."""

    def __init__(self, ready: Callable[[_Run], object]) -> None:
        self._ready = ready
        self.items: dict[str, pytest.Item] = {}
        self.functions: dict[tuple[str, str], list[types.FunctionType]] = {}
        self.failed = False

    def main(self, files: Sequence[str]) -> None:
        options = ["-q", "-p", "no:cacheprovider", "-p", "no:timeout", "-p", "no:schemathesis", "-p", "no:xdist"]
        pytest.main([*options, *files], plugins=[self])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed == 0:
            self.items = {item.nodeid: item for item in session.items}
            for item in session.items:
                _few_examples(item)
            self._ready(self)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed |= report.failed

    def one(self, item: pytest.Item, after: pytest.Item | None = None) -> None:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)

    def all(self, tests: Sequence[str], took: Mapping[str, float], out: int) -> int:
        """1: one of them failed, and its name is written. One that is not there any more is a failure too."""
        for test, after in zip(tests, [*tests[1:], None], strict=True):
            patience = HANGS + TIMES * took[test]
            signal.setitimer(signal.ITIMER_PROF, patience)
            signal.setitimer(signal.ITIMER_REAL, WAITS * patience)
            if (item := self.items.get(test)) is not None:
                self.one(item, self.items.get(after) if after is not None else None)
            if item is None or self.failed:
                _write(out, test)
                return 1
        return 0


class _Changed:
    """Imports one module from a text."""

    def __init__(self, name: str, path: Path, source: str) -> None:
        self._name, self._path, self._source = name, path, source

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if name != self._name:
            return None
        outer = self

        class Loader(importlib.machinery.SourceFileLoader):
            def get_code(self, fullname: str) -> types.CodeType:
                return compile(outer._source, str(outer._path), "exec", dont_inherit=True)

        return importlib.util.spec_from_file_location(name, self._path, loader=Loader(name, str(self._path)))


def _functions(folder: str) -> dict[tuple[str, str], list[types.FunctionType]]:
    """All that were made from files there, by file and name."""
    found: dict[tuple[str, str], list[types.FunctionType]] = {}
    for one in gc.get_objects():
        if isinstance(one, types.FunctionType) and one.__code__.co_filename.startswith(folder):
            found.setdefault((one.__code__.co_filename, one.__code__.co_qualname), []).append(one)
    return found


def _code_of(module: types.CodeType, where: str) -> types.CodeType | None:
    """The code of the function with that name, if there is one and no other."""
    found, left = [], [module]
    while left:
        code = left.pop()
        found += [code] if code.co_qualname == where else []
        left += [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return found[0] if len(found) == 1 else None


def _few_examples(item: pytest.Item) -> None:
    """The same few each time, and no search for the smallest that fails."""
    from hypothesis import HealthCheck, Phase, settings

    def few(old: settings) -> settings:
        most = min(old.max_examples, EXAMPLES)
        steps = min(old.stateful_step_count, EXAMPLES)
        phases = [Phase.explicit, Phase.generate]
        health = list(HealthCheck)
        return settings(
            max_examples=most,
            stateful_step_count=steps,
            phases=phases,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=health,
        )

    function = getattr(item, "obj", None)
    function = getattr(function, "__func__", function)
    if getattr(function, "is_hypothesis_test", False):
        old = getattr(function, "_hypothesis_internal_use_settings", settings.default)
        function._hypothesis_internal_use_settings = few(old or settings.default)
    case = getattr(item, "cls", None)
    if isinstance(getattr(case, "settings", None), settings):
        case.settings = few(case.settings)


def _in_fork(work: Callable[[int], int]) -> tuple[int, str]:
    """How a fork ended that did it, as waitpid says it, and what it wrote."""
    reads, writes = os.pipe()
    if (child := os.fork()) == 0:
        status = 1
        try:
            os.setsid()
            os.close(reads)
            for told in (signal.SIGALRM, signal.SIGPROF):
                signal.signal(told, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            _quiet()
            status = work(writes)
        finally:
            os._exit(status)
    os.close(writes)
    with os.fdopen(reads, "rb") as told:
        words = told.read()
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    return status, words.decode()


def _quiet() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.close(null)


def _write(out: int, text: str) -> None:
    data = text.encode()
    while data:
        data = data[os.write(out, data) :]


def _outcome(status: int) -> str:
    if os.WIFSIGNALED(status):
        return HUNG if os.WTERMSIG(status) in {signal.SIGALRM, signal.SIGPROF} else KILLED
    return {0: SURVIVED, 2: BROKEN}.get(os.WEXITSTATUS(status), KILLED)
