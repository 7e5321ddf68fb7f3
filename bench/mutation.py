"""How many small wrong changes the tests notice: made in core/, irc/ and where points are spent, one at a time.

    python bench/mutation.py                              all; hours (see docs/results.md)
    python bench/mutation.py redemption                   one group, or several: redemption plan irc core
    python bench/mutation.py core --sample 600 --seed 1   so many of them, drawn by the seed
    python bench/mutation.py --module core/settling.py    one module, or several; --where settle: one function
    python bench/mutation.py --known FILE                 what FILE calls killed is not tried again; with --trusting
                                                          neither is what is known to be equivalent

The score is killed / (all - equivalent). What is known to be equivalent stands, each with its reason, in
mutation_equivalent.tsv; every survivor is printed as a line for it, for whoever finds a reason. How it is done, and
what is not changed, stands at the head of mutation_run.py and mutants.py. Needs os.fork.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import pickle
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bounded
import mutation_run
import revision
from mutants import Mutant, lines_of, mutants
from mutation_run import BROKEN, HUNG, KILLED, NO_TEST, SURVIVED, Covered, Grounds
from table import show, show_json

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "allthepoints"
EQUIVALENT = Path(__file__).with_name("mutation_equivalent.tsv")

CHOICE = "a choice"
"""So begins the reason where a number could be another: nobody could say that it is wrong."""

CLOSE = ("core", "irc", "streamelements")
CLOSE += tuple(f"service/test_service_{name}.py" for name in ("elements", "parts", "points", "requests"))
"""Tests that are near to what is changed, and quick."""

TOLD = 30
"""Survivors that a record lists."""

WORDS = "test_core_words"
"""The tests that look at all words that go out, wherever they stand: asked of all that is run at import."""

HOURS = 48.0
"""All of it takes long on a slow machine. What is known by then is kept (`--known`)."""

ENOUGH = 25.0
"""Seconds of tests for one mutant, the quickest first. What only later ones would notice counts as unnoticed."""

FLOORS = ("core", "irc", "service", "streamelements")
"""Whose lines are watched. Always the same, so that what was seen can be kept."""

SPENDS = ["core/redeem.py", "core/settling.py", "core/apply_redeem.py", "core/wishes.py", "core/apply_wishes.py"]
SPENDS += ["service/elements.py", "service/requests.py", "streamelements/store.py"]
PLANS = [
    f"core/{name}.py" for name in ("plan", "plan_points", "desired", "intend", "place", "policy", "worth", "hours")
]

Key = tuple[str, str, str, str]


def groups() -> dict[str, list[str]]:
    """The modules of each. `core`: all of it that is in no other."""
    irc, core = (
        [f"{floor}/{path.name}" for path in sorted((Tree().source / floor).glob("*.py"))] for floor in ("irc", "core")
    )
    rest = [name for name in core if name not in SPENDS + PLANS]
    return {"redemption": SPENDS, "plan": PLANS, "irc": irc, "core": rest}


@dataclass(slots=True)
class Score:
    """Of one group or module."""

    outcomes: Counter[str] = field(default_factory=Counter)
    equivalent: int = 0
    choices: int = 0
    """How many of them are numbers that might as well be others, such as how long to wait."""

    @property
    def made(self) -> int:
        return sum(self.outcomes.values()) - self.outcomes[BROKEN]

    @property
    def killed(self) -> int:
        return self.outcomes[KILLED] + self.outcomes[HUNG]

    @property
    def counted(self) -> int:
        return self.made - self.equivalent

    @property
    def percent(self) -> float:
        return 100.0 * self.killed / self.counted if self.counted else 100.0


def main() -> int:
    args = _arguments()
    bounded.begin(HOURS)
    revision.commit()
    start = time.perf_counter()
    chosen = {group: [m for m in modules if m in args.module or not args.module] for group, modules in groups().items()}
    chosen = {group: modules for group, modules in chosen.items() if modules and group in args.groups}
    made = {
        group: [mutant for module in modules for mutant in mutants(Tree().source, module)]
        for group, modules in chosen.items()
    }
    again = None if args.again is None else _keys(args.again)
    for group, all_of_it in made.items():
        wanted = [mutant for mutant in all_of_it if not args.where or mutant.where in args.where]
        wanted = [mutant for mutant in wanted if again is None or mutant.key in again]
        size = min(args.sample or len(wanted), len(wanted))
        made[group] = random.Random(args.seed).sample(wanted, size) if args.sample else wanted
    asked = [mutant for some in made.values() for mutant in some]
    _say(f"{len(asked)} mutants of {sum(map(len, chosen.values()))} modules")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what is known by then is kept
    known = Known(Tree().source, args.known)
    before = {mutant: KILLED for mutant in asked if mutant in known}
    reasons = equivalent() if args.trusting else {}
    trusted = {mutant: SURVIVED for mutant in asked if mutant not in before and _reason(reasons, mutant)}
    ends = before | trusted
    try:
        run(Tree(tests=args.tests), [mutant for mutant in asked if mutant not in ends], args.keep, ends)
    finally:
        known.keep(ends)
    scores, survivors = judge(made, ends)
    minutes = (time.perf_counter() - start) / 60
    for mutant, how in survivors:
        print("\t".join([*mutant.key, how]), file=sys.stderr if args.json else sys.stdout)
    _show(scores, minutes, args)
    if args.record:
        _record(scores, survivors, minutes, len(before), len(trusted), args)
    return 0


def judge(
    made: Mapping[str, Sequence[Mutant]], ends: Mapping[Mutant, str]
) -> tuple[dict[str, Score], list[tuple[Mutant, str]]]:
    """The score of each group, and who is left."""
    reasons = equivalent()
    scores: dict[str, Score] = {}
    left = []
    for group, some in made.items():
        score = scores[group] = Score()
        for mutant in some:
            end = ends[mutant]
            score.outcomes[end] += 1
            if end not in {SURVIVED, NO_TEST}:
                continue
            reason = _reason(reasons, mutant)
            if reason is None:
                left.append((mutant, end))
                continue
            score.equivalent += 1
            score.choices += reason.startswith(CHOICE)
    return scores, left


def _reason(reasons: Mapping[Key, str], mutant: Mutant) -> str | None:
    return reasons.get(mutant.key) or reasons.get((*mutant.key[:3], "*"))


def equivalent() -> dict[Key, str]:
    """Those that no test can tell from the original, and why. What it is now may be `*`: anything."""
    rows = [line.split("\t") for line in EQUIVALENT.read_text(encoding="utf-8").splitlines() if line]
    return {(module, where, was, now): why for module, where, was, now, why in rows}


@dataclass(frozen=True, slots=True)
class Tree:
    """Where the package is, and the tests of it (folders or files below tests/)."""

    root: Path = ROOT
    package: str = PACKAGE
    tests: Sequence[str] = CLOSE

    @property
    def source(self) -> Path:
        return self.root / "src" / self.package


def run(
    tree: Tree, asked: Sequence[Mutant], keep: Path | None = None, ends: dict[Mutant, str] | None = None
) -> dict[Mutant, str]:
    """What became of each, put into `ends` as it comes. `keep`: a file that remembers which test runs which line."""
    ends = {} if ends is None else ends
    here = Path.cwd()
    try:
        with tempfile.TemporaryDirectory() as folder:
            floors = sorted({mutant.module.partition("/")[0] for mutant in asked} | set(FLOORS))
            _run(Grounds(tree.root, Path(folder), tree.package, tree.tests, floors), asked, keep, ends)
            return ends
    finally:
        os.chdir(here)


def _run(grounds: Grounds, asked: Sequence[Mutant], keep: Path | None, ends: dict[Mutant, str]) -> None:
    covered = _looked(grounds, keep)
    early = grounds.at_import()
    took = {test: seen.took for test, seen in covered.items() if seen is not None}
    _say(f"{len(took)} tests, {sum(took.values()):.0f} s; {len(covered) - len(took)} are too slow")
    tells = Tells(grounds.package, covered, early)
    before = len(ends)
    plan = [(mutant, tells.tests(mutant), tells.is_early(mutant)) for mutant in asked]
    for mutant, end, _ in grounds.outcomes(plan, took):
        ends[mutant] = end
        if end in {SURVIVED, NO_TEST}:
            _say("\t".join([*mutant.key, end]))
        if len(ends) % 100 == 0:
            _say(f"{len(ends) - before} of {len(asked)}: {dict(Counter(ends.values()))}")


class Known:
    """Which mutants an earlier run killed, kept in a file. It counts as long as their module is as it was."""

    def __init__(self, source: Path, path: Path | None) -> None:
        self._source = source
        self._path = path
        told = json.loads(path.read_text(encoding="utf-8")) if path is not None and path.exists() else {}
        self._killed: dict[str, set[str]] = {name: set(marks) for name, marks in told.items()}

    def __contains__(self, mutant: Mutant) -> bool:
        return _mark(mutant) in self._of(mutant)

    def keep(self, ends: Mapping[Mutant, str]) -> None:
        """Take these in, and write them down."""
        for mutant, end in ends.items():
            if end in {KILLED, HUNG}:
                self._of(mutant).add(_mark(mutant))
        if self._path is not None:
            told = {name: sorted(marks) for name, marks in self._killed.items()}
            self._path.write_text(json.dumps(told), encoding="utf-8")

    def _of(self, mutant: Mutant) -> set[str]:
        return self._killed.setdefault(f"{mutant.module} {_digest(self._source / mutant.module)}", set())


def _mark(mutant: Mutant) -> str:
    return sha256(repr(mutant).encode()).hexdigest()[:16]


@cache
def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


_NOTHING = Covered(0.0, {})


class Tells:
    """Which tests may tell a mutant from the original."""

    def __init__(
        self, package: Path, covered: Mapping[str, Covered | None], early: Mapping[str, frozenset[int]]
    ) -> None:
        self._package = package
        self._early = early
        self._covered = covered
        self._all = [test for test, seen in covered.items() if seen is not None]
        self._words = {test for test in self._all if WORDS in test}
        self._by_line: dict[tuple[str, int], set[str]] = {}
        for test, seen in covered.items():
            for module, lines in seen.lines.items() if seen is not None else ():
                for line in lines:
                    self._by_line.setdefault((module, line), set()).add(test)

    def is_early(self, mutant: Mutant) -> bool:
        """Whether its line has run when the tests begin."""
        lines = lines_of(_tree(self._package / mutant.module), mutant)
        return bool(lines & self._early.get(mutant.module, frozenset()))

    def tests(self, mutant: Mutant) -> list[str]:
        """Those that run its lines; of what is run at import, those that run lines where its name stands."""
        if mutant.inside and not self.is_early(mutant):
            places = [(mutant.module, line) for line in lines_of(_tree(self._package / mutant.module), mutant)]
        else:
            found = self._uses(mutant)
            if not found:
                return sorted({*self._words, *self._enough(mutant.module)})
            places = found
            near = self._quickest({test for place in places for test in self._by_line.get(place, ())})
            return sorted({*self._words, *near})
        return self._quickest({test for place in places for test in self._by_line.get(place, ())})

    def _enough(self, module: str) -> list[str]:
        """Tests that run anything of the module."""
        near = [test for test in self._all if module in (self._covered[test] or _NOTHING).lines] or self._all
        return self._quickest(near)

    def _quickest(self, tests: Iterable[str]) -> list[str]:
        """As many as are to be had in `ENOUGH`."""
        spent, found = 0.0, []
        for test in sorted(tests, key=lambda test: ((self._covered[test] or _NOTHING).took, test)):
            spent += (self._covered[test] or _NOTHING).took
            if spent < ENOUGH:
                found.append(test)
        return found

    def _uses(self, mutant: Mutant) -> list[tuple[str, int]] | None:
        """None: it is used at import as well, so anything may tell."""
        name = _assigned(_tree(self._package / mutant.module), mutant)
        if name is None or mutant.inside:
            return None
        places = []
        for module, line in _named(self._package, name):
            if module == mutant.module and _spans(mutant, line):
                continue
            if line in self._early.get(module, ()):
                return None
            places.append((module, line))
        return places


def _spans(mutant: Mutant, line: int) -> bool:
    return mutant.first - 1 <= line <= mutant.last + 1


def _assigned(tree: ast.Module, mutant: Mutant) -> str | None:
    """The name that the changed statement of a module, or of an enum, gives."""
    enums = [node for node in tree.body if isinstance(node, ast.ClassDef) and _is_enum(node)]
    for node in (*tree.body, *(inner for outer in enums for inner in outer.body)):
        if node.lineno <= mutant.first <= (node.end_lineno or 0):
            match node:
                case ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)):
                    return name
    return None


def _is_enum(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id.endswith("Enum") for base in node.bases)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _texts(package: Path) -> list[tuple[str, list[str]]]:
    paths = sorted(package.rglob("*.py"))
    return [(path.relative_to(package).as_posix(), path.read_text(encoding="utf-8").splitlines()) for path in paths]


def _named(package: Path, name: str) -> Iterator[tuple[str, int]]:
    word = re.compile(rf"\b{name}\b")
    for module, lines in _texts(package):
        for number, line in enumerate(lines, 1):
            if word.search(line) and not re.match(r"\s*(from|import|#) ?", line):
                yield module, number


def _looked(grounds: Grounds, keep: Path | None) -> dict[str, Covered | None]:
    """What each test runs; of files that are as they were, as `keep` knows it. What is changed below the floors that
    are watched is passed over: forget the file then. What was too slow is tried again."""
    stamps = _stamps(grounds)
    old: dict[str, tuple[str, dict[str, Covered | None]]] = {}
    if keep is not None and keep.exists():
        old = pickle.loads(keep.read_bytes())
    known = {
        test: seen
        for file, (stamp, tests) in old.items()
        if stamps.get(file) == stamp
        for test, seen in tests.items()
        if seen is not None
    }
    found = grounds.look(known, _say)
    if keep is not None:
        new = {
            file: (stamp, {t: s for t, s in found.items() if t.startswith(file + "::")})
            for file, stamp in stamps.items()
        }
        keep.write_bytes(pickle.dumps({**old, **new}))
    return found


def _stamps(grounds: Grounds) -> dict[str, str]:
    def read(paths: Sequence[Path]) -> bytes:
        return b"".join(path.read_bytes() for path in sorted(paths))

    common = [path for floor in FLOORS for path in (grounds.package / floor).rglob("*.py")]
    common += (grounds.folder / "tests").rglob("[!t]*.py")
    stamp = sha256(read(common)).hexdigest()
    tests = [path for name in grounds.files for path in _test_files(grounds.folder / name)]
    return {path.relative_to(grounds.folder).as_posix(): stamp + sha256(read([path])).hexdigest() for path in tests}


def _test_files(path: Path) -> list[Path]:
    return [path] if path.is_file() else list(path.rglob("test_*.py"))


def _keys(path: Path) -> set[Key]:
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    return {(row[0], row[1], row[2], row[3]) for row in rows if len(row) >= 4}


def _show(scores: Mapping[str, Score], minutes: float, args: argparse.Namespace) -> None:
    if args.json:
        shown = {
            group: {"made": s.made, "equivalent": s.equivalent, "killed": s.killed, "percent": round(s.percent, 2)}
            for group, s in scores.items()
        }
        show_json({"groups": shown, "minutes": round(minutes, 1)})
        return
    rows = [
        (
            group,
            str(s.made),
            str(s.outcomes[KILLED]),
            str(s.outcomes[HUNG]),
            str(s.equivalent),
            str(s.counted - s.killed),
            f"{s.percent:.1f} %",
        )
        for group, s in scores.items()
    ]
    head = ("", "mutants", "killed", "hung", "equivalent", "left", "score")
    show("Small wrong changes that the tests notice", head, rows, [f"{minutes:.0f} minutes"])


def _record(
    scores: Mapping[str, Score],
    survivors: Sequence[tuple[Mutant, str]],
    minutes: float,
    before: int,
    trusted: int,
    args: argparse.Namespace,
) -> None:
    import results  # here, for it imports the program, which must be the copy's until now

    figures = [results.Figure(f"Mutants noticed: {group}", "%", [score.percent]) for group, score in scores.items()]
    figures.append(results.Figure("Mutants", "", [sum(score.made for score in scores.values())]))
    figures.append(results.Figure("Of them equivalent", "", [sum(score.equivalent for score in scores.values())]))
    choices = sum(score.choices for score in scores.values())
    notes = [
        "The score is killed / (all - equivalent); each of the equivalent stands with its reason in "
        f"`bench/mutation_equivalent.tsv`. {choices} of them are not equivalent "
        "in the strict sense but a choice, such as for how long something waits: tests go by its name.",
        f"This run took {minutes:.0f} minutes, one process.",
    ]
    if before:
        notes.append(
            f"{before:,} of them had been killed before, and their modules are as they were: not tried again, "
            "even where tests have changed since."
        )
    if trusted:
        notes.append(f"{trusted:,} that stand there as equivalent were not tried again either.")
    if args.sample:
        notes.append(f"Where a group has more than {args.sample:,}, so many of them were drawn, by the seed.")
    notes += left(survivors)
    name = "_".join(["mutation", *(scores if len(scores) < len(groups()) else ())])
    title = f"Small wrong changes that the tests notice: {', '.join(scores)}"
    results.record(name, title, figures, notes=notes, packages=["mutmut", "libcst"], folder=args.into)


def left(survivors: Sequence[tuple[Mutant, str]]) -> list[str]:
    """A note that lists those that nobody has given a reason for, the first TOLD of them."""
    if not survivors:
        return []
    rows = []
    for one, how in survivors[:TOLD]:
        module, where, was, now = one.key
        rows.append(f"* `{module}`, `{where}`: {_quoted(was)} → {_quoted(now)} ({how})")
    more = [f"* and {len(survivors) - TOLD:,} more"] if len(survivors) > TOLD else []
    head = f"{len(survivors):,} are left that no test noticed, without a reason:"
    return ["\n".join([head, "", *rows, *more])]


def _quoted(code: str) -> str:
    """As code on the page, whatever is in it."""
    return f"`` {code} ``" if "`" in code else f"`{code}`"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", help=" ".join(groups()))
    parser.add_argument("--module", action="append", default=[], help="below the package, as core/settling.py")
    parser.add_argument("--where", action="append", default=[], help="a function, as settle or Session.receive")
    parser.add_argument(
        "--tests", action="append", default=[], help=f"folders or files below tests/ ({' '.join(CLOSE)})"
    )
    parser.add_argument("--sample", type=int, help="so many mutants of each group")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--again", type=Path, help="only those whose lines stand in this file: what an earlier run left"
    )
    parser.add_argument("--keep", type=Path, help="a file that remembers which test runs which line")
    parser.add_argument("--known", type=Path, help="a file that remembers what was killed, while its module stays")
    parser.add_argument("--trusting", action="store_true", help="what stands as equivalent is not tried either")
    parser.add_argument(
        "--slow", type=float, default=mutation_run.SLOW, help="seconds from which on a test is left out"
    )
    parser.add_argument("--json", action="store_true")
    # As `results.argument` has them, which must not be imported yet (`_record`).
    parser.add_argument(
        "--record", action="store_true", help="write docs/results/NAME.json, and docs/results.md from it"
    )
    parser.add_argument(
        "--into", type=Path, default=ROOT / "docs" / "results", metavar="DIR", help="write NAME.json there, and no page"
    )
    args = parser.parse_args()
    known = groups()
    if unknown := set(args.groups) - set(known) or set(args.module) - {
        name for some in known.values() for name in some
    }:
        parser.error(f"nothing is known of {' '.join(sorted(unknown))}")
    args.groups = args.groups or list(known)
    args.tests = args.tests or list(CLOSE)
    mutation_run.SLOW = args.slow
    args.keep = args.keep and args.keep.resolve()
    return args


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
