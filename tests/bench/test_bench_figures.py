"""What the benches make of what they measured: ratios, goals, what has to be flat. And that each of them can record."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "bench"))

import bounded  # noqa: E402
import chat  # noqa: E402
import chat_clients  # noqa: E402
import feed  # noqa: E402
import ledger  # noqa: E402
import net  # noqa: E402
import newer  # noqa: E402
import poll  # noqa: E402
import presence  # noqa: E402
import results  # noqa: E402
import rivals  # noqa: E402
import scan  # noqa: E402
import soak  # noqa: E402
import speed  # noqa: E402
import start  # noqa: E402
from results import Figure  # noqa: E402

LIST = (ROOT / "scripts" / "bench").read_text(encoding="utf-8")
NAMES = " ".join(re.findall(r"^(?:all|apart)=\(([^)]+)\)", LIST, re.MULTILINE)).split()


@pytest.mark.parametrize("name", NAMES)
def test_every_bench_can_record(name: str) -> None:
    command = [sys.executable, str(ROOT / "bench" / f"{name}.py"), "--help"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=90)
    assert {"--record", "--into"} <= set(re.findall(r"--\w+", done.stdout))


def test_the_list_has_all_that_can_record() -> None:
    files = {path.stem for path in (ROOT / "bench").glob("*.py") if "results.argument(" in _text(path)}
    files |= {path.stem for path in (ROOT / "bench").glob("*.py") if "results_file.argument(" in _text(path)}
    assert files - {"results"} <= set(NAMES)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_where_the_figures_went_is_no_part_of_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", ["bench/x.py", "--into", str(tmp_path), "--runs", "3", "--record"])
    path = results.record("x", "X", [Figure("", "", [1])], folder=tmp_path)
    assert '"command": "python bench/x.py --runs 3"' in _text(path)


def by_claim(figures: list[Figure]) -> dict[str, Figure]:
    found = {figure.claim: figure for figure in figures}
    assert len(found) == len(figures), "no claim is made twice"
    return found


# -- ratios ------------------------------------------------------------------------------------------------------------
def test_scan_is_compared_with_the_fastest_that_parses_run_by_run() -> None:
    found = [
        scan.Result(scan.WE, [1.0, 2.0], {}),
        scan.Result(scan.ALONE, [0.5, 1.0], {"lines": -1}),
        scan.Result("irc", [17.0, 40.0], {}),
        scan.Result("pydle", [60.0, 60.0], {}),
        scan.Result("bottom", [2.0, 2.0], {}, rejects=True),
    ]
    assert scan.ratios(found) == ("irc", [17.0, 20.0])
    figures = by_claim(scan.figures(found, 1000, tagged=True))
    assert figures["Scanning tagged chat, times the fastest of the others"].holds()
    assert figures[f"Lines missed or made up: {scan.ALONE}"].holds() is False
    assert figures["Lines in a CPU second: irc"].runs == [1000 / 17, 25.0]
    untagged = by_claim(scan.figures(found, 1000, tagged=False))
    assert untagged["Scanning untagged chat, times the fastest of the others"].holds() is None


def test_scan_takes_the_best_pass_of_all_rounds_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = iter([3.0, 2.0, 4.0, 5.0, 7.0, 6.0])

    def pretended(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        took = next(passes) if command[2] == scan.WE else 1.0
        return subprocess.CompletedProcess(command, 0, json.dumps({"seconds": took, "found": {}}), "")

    monkeypatch.setattr(scan.subprocess, "run", pretended)
    monkeypatch.setattr(scan.rivals, "prepare", lambda names: dict.fromkeys(names, "not asked"))
    found, _ = scan.measure(feed.make(10, tagged=True), True, runs=2, rounds=3, seconds=0.1)
    assert {result.name: result.seconds for result in found} == {
        **{name: [1.0, 1.0] for name in scan.FLOORS},
        scan.WE: [2.0, 5.0],
        scan.ALONE: [1.0, 1.0],
    }


def test_scan_names_the_fastest_of_the_others_beside_its_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """The claim is the same on every machine."""
    monkeypatch.setattr(rivals, "versions", lambda *_: "irc 1")
    ours, theirs = scan.Result(scan.WE, [1.0], {}), scan.Result("irc", [2.0], {})
    some = feed.make(100, tagged=True)
    assert "The fastest of the others: irc." in scan.notes(some, True, [ours, theirs], {})
    assert not [note for note in scan.notes(some, True, [ours], {}) if "fastest" in note]


def test_scan_without_others_has_no_ratio() -> None:
    assert scan.ratios([scan.Result(scan.WE, [1.0], {})]) == ("", [])


def test_net_has_goals_for_ours_alone_and_a_pong_that_is_late_once_misses() -> None:
    found = [
        net.Result(2000, net.LIMIT, [30.0, 40.0], [[], []]),
        net.Result(2000, "readline", [60.0, 60.0], [[0.3], [0.001]]),
        net.Result(2000, net.OURS, [12.0, 24.0], [[0.01, 0.02], [0.01, 0.25]]),
    ]
    figures = by_claim(net.figures(found))
    ratio = figures["CPU a line, times that of receive and discard: allthepoints, 2,000 lines/s"]
    assert (list(ratio.runs), ratio.at_most, ratio.holds()) == ([0.4, 0.6], 0.5, True)
    pong = figures["From a PING to its PONG, the longest: allthepoints, 2,000 lines/s"]
    assert (list(pong.runs), pong.holds()) == ([20.0, 250.0], False)
    theirs = [figure for claim, figure in figures.items() if "readline" in claim]
    assert len(theirs) == 3
    assert {figure.holds() for figure in theirs} == {None}


kept_awake = pytest.mark.skipif(not net.CAN_STAY_AWAKE, reason="no priority that low here, or one core")


@kept_awake
def test_net_keeps_a_core_awake_at_nobodys_cost_and_no_longer_than_asked() -> None:
    with net.awake() as process:
        assert process is not None
        assert os.sched_getscheduler(process) == os.SCHED_IDLE
        assert os.sched_getaffinity(process) == {net.RECEIVING}
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@kept_awake
def test_net_keeps_no_core_awake_for_somebody_who_is_gone() -> None:
    starts = "import os, subprocess, sys; subprocess.Popen([*sys.argv[1:], str(os.getpid())])"
    command = [sys.executable, "-c", starts, sys.executable, net.__file__, "--awake"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "awake\n", "and the pipe is closed: all that had it have ended"


def test_start_compares_with_the_turn_beside_it() -> None:
    figures = by_claim(start.figures([1.0, 3.0, 1.5], [0.01, 0.02], [0.1, 0.4]))
    assert figures["From `run` to the first JOIN"].holds()
    assert figures["A cold `status`, times `python -c pass`"].runs == [10.0, 20.0]


@pytest.mark.parametrize(("calls", "holds"), [(20, True), (21, False)])
def test_poll_allows_one_call_for_each_hundred(calls: int, holds: bool) -> None:
    (figure,) = poll.figures([poll.Result(channels=101, followed=True, polls=10, calls=calls, present=90)])
    assert figure.holds() is holds


# -- what has to be flat -----------------------------------------------------------------------------------------------
def look(hours: float, rss_mb: float | None = 100.0, tasks: int = 5, files: int | None = 10) -> soak.Look:
    return soak.Look(hours, rss_mb, 1, tasks, files, files, 90, hours, hours)


@pytest.mark.parametrize(
    ("last", "flat"),
    [
        (look(192), {"tasks": True, "memory": True, "open files and sockets": True}),
        (look(192, rss_mb=112.4), {"tasks": True, "memory": True, "open files and sockets": True}),
        (look(192, rss_mb=112.6), {"tasks": True, "memory": False, "open files and sockets": True}),
        (look(192, tasks=12, files=11), {"tasks": False, "memory": True, "open files and sockets": False}),
        (look(192, rss_mb=None, files=None), {"tasks": True}),
        (look(36, rss_mb=200.0), {"tasks": True, "open files and sockets": True}),
    ],
)
def test_soak_says_what_grew(last: soak.Look, flat: dict[str, bool]) -> None:
    looks = [look(6, rss_mb=50.0, tasks=7), look(12), look(24), last]
    assert {verdict.what: verdict.flat for verdict in soak.verdicts(looks)} == flat
    figures = by_claim(soak.figures(looks, 0.99))
    assert {what: figures[f"After {last.hours} h: {what}"].holds() for what in flat} == flat
    assert figures["CPU of a simulated day"].runs == [24.0]


def test_soak_says_nothing_of_a_day_that_is_too_short() -> None:
    assert soak.verdicts([look(6)]) == []


@pytest.mark.parametrize(
    ("per_day", "days", "flat"),
    [(0.0, 30, True), (0.17, 30, True), (0.7, 30, False), (0.5, 7, True), (1.0, 7, False)],
)
def test_soak_sees_a_leak_in_the_last_half(per_day: float, days: int, flat: bool) -> None:
    """However much came in the first: 20 MB do so in each of these."""
    looks = [look(6.0 * n, rss_mb=90 + min(n, 10) * 2 + per_day * n / 4) for n in range(1, 4 * days + 1)]
    (late,) = soak.late(looks)
    assert late.flat is flat
    assert late in soak.verdicts(looks)


def test_soak_judges_no_half_by_one_look_or_what_it_could_not_read() -> None:
    assert soak.late([look(24), look(192)]) == []
    assert soak.late([look(24.0 * day, rss_mb=None) for day in range(1, 10)]) == []
    assert [v.what for v in soak.verdicts([look(6.0 * n) for n in range(1, 25)])] == ["tasks", "open files and sockets"]


# -- what was found ----------------------------------------------------------------------------------------------------
TRUTH = {"PING": 2, "own JOIN": 1, "366": 1, "ROOMSTATE": 3, "NOTICE": 4}


@pytest.mark.parametrize(
    ("tagged", "expected"), [(True, {"PING": 2, "NOTICE": 4, "joined": 5}), (False, {"PING": 2, "joined": 2})]
)
def test_what_ours_has_to_tell(tagged: bool, expected: dict[str, int]) -> None:
    assert rivals.ours(TRUTH, tagged=tagged) == expected


def test_differences_go_both_ways() -> None:
    wrong = rivals.differences({"PING": 3, "made up": 1}, {"PING": 2, "NOTICE": 4})
    assert wrong == {"NOTICE": -4, "PING": 1, "made up": 1}
    assert rivals.told(wrong) == "NOTICE -4, PING +1, made up +1"
    assert rivals.told({}) == "yes"


def test_the_whole_way_tells_all_and_nothing_else() -> None:
    found, left_out = chat.measure(dict.fromkeys(chat_clients.OURS, sys.executable), lines=3000, times=2, rounds=1)
    assert left_out == {}
    assert {result.name: result.wrong for result in found} == {chat.LIMIT: None, chat.WE: {}}
    figures = by_claim(chat.figures(found))
    assert figures["Lines missed or made up by ours"].holds()
    assert len(figures[f"CPU, times ours: {chat.LIMIT}"].runs) == 1


def test_the_ledger_is_exported_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "allthepoints.db"
    made, _, _ = ledger.a_year(path, channels=2, days=1, share=0.5)
    seconds, size = ledger.export(path)
    assert seconds > 0
    assert size > made * 40, "a line for each entry"


# -- one table ---------------------------------------------------------------------------------------------------------
def figure(claim: str, **more: Any) -> dict[str, Any]:
    return {"claim": claim, "unit": "", "runs": 1, "median": 1, "low": 1, "high": 1, "goal": "", "holds": None, **more}


def test_speed_takes_the_claims_that_it_names() -> None:
    part = speed.Part("x", "", "", ("The file", "Chart"))
    recorded = {"figures": [figure("The file"), figure("Chart of a day"), figure("Entries")], "notes": ["n"]}
    told = speed.taken(part, recorded)
    assert [one["claim"] for one in told.figures] == ["x: The file", "x: Chart of a day"]
    assert told.notes == ["x: n"]
    with pytest.raises(RuntimeError, match="'Chart'"):
        speed.taken(part, {"figures": [figure("The file")], "notes": []})


def test_speed_goes_on_without_a_part_that_fails() -> None:
    found, failed = speed.all_of([speed.Part("poll", "", "--nonsense")], quick=True)
    assert found == []
    assert failed == ["poll is left out, it failed: poll.py: error: unrecognized arguments: --nonsense"]


@pytest.mark.parametrize(("holds", "code"), [(True, 0), (None, 0), (False, 1)])
def test_speed_ends_with_1_where_a_goal_is_missed(
    monkeypatch: pytest.MonkeyPatch, holds: bool | None, code: int
) -> None:
    told = speed.Told("poll", [figure("poll: Calls", holds=holds)], [])
    monkeypatch.setattr(speed, "all_of", lambda *_: ([told], []))
    monkeypatch.setattr(bounded, "begin", lambda: None)
    for more in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", ["speed.py", "poll", *more])
        with pytest.raises(SystemExit) as ended:
            speed.main()
        assert ended.value.code == code


def test_a_bench_ends_with_1_where_it_misses_its_goal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "begin", lambda: None)
    monkeypatch.setattr(sys, "argv", ["poll.py", "--channels", "3", "--minutes", "1"])
    monkeypatch.setattr(poll, "measure", lambda *_: [poll.Result(101, True, 10, 21, 90)])
    with pytest.raises(SystemExit) as ended:
        poll.main()
    assert ended.value.code == 1


WITHOUT = """
import sys
sys.modules[sys.argv[1]] = None
del sys.argv[1]
sys.path.insert(0, BENCH)
import fuzz
sys.exit(fuzz.main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="fuzz.py asks the system for its memory")
def test_fuzz_does_not_pass_over_what_is_not_installed(tmp_path: Path) -> None:
    script = [sys.executable, "-c", WITHOUT.replace("BENCH", repr(str(ROOT / "bench"))), "schemathesis", "schema"]
    done = subprocess.run([*script, "--count", "1"], check=False, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    assert "not installed" in done.stderr

    recording = [*script, "--count", "1", "--record", "--into", str(tmp_path)]
    done = subprocess.run(recording, check=False, capture_output=True, text=True, timeout=90)
    assert done.returncode == 1, done.stderr
    found = json.loads(_text(tmp_path / "fuzz.json"))
    assert "The part `schema` is left out: what it needs is not installed." in found["notes"]
    assert [one["holds"] for one in found["figures"] if "schemathesis" in one["claim"]] == [False]


def test_fuzz_guided_records_nothing_without_atheris(tmp_path: Path) -> None:
    script = "import sys; sys.modules['atheris'] = None; sys.path.insert(0, BENCH); import fuzz_guided as f; f.main()"
    command = [sys.executable, "-c", script.replace("BENCH", repr(str(ROOT / "bench")))]
    for more, code in (([], 0), (["--record", "--into", str(tmp_path)], 1)):
        done = subprocess.run([*command, *more], check=False, capture_output=True, text=True, timeout=90)
        assert (done.returncode, "left out: fuzz_guided: atheris is not" in done.stderr) == (code, True), done.stderr


BENCH = """
import sys
sys.path.insert(0, FOLDER)
import table
print(sys.argv)
if "poll" in sys.argv[0]:
    table.left_out("poll", "it needs what is not here")
sys.exit("start" in sys.argv[0])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="scripts/bench is for a POSIX shell")
@pytest.mark.parametrize(
    ("names", "code", "last"),
    [
        (["scan", "poll", "net"], 0, ["left out: poll: it needs what is not here"]),
        (["poll", "start"], 1, ["left out: poll: it needs what is not here", "failed, or missed a goal: start"]),
        (["scan"], 0, []),
    ],
)
def test_what_was_left_out_is_said_where_all_has_ended(
    tmp_path: Path, names: list[str], code: int, last: list[str]
) -> None:
    for folder in ("scripts", "bench", ".venv/bin"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    shutil.copy(ROOT / "scripts/bench", tmp_path / "scripts/bench")
    for name in names:
        (tmp_path / f"bench/{name}.py").write_text(BENCH.replace("FOLDER", repr(str(ROOT / "bench"))))
    command = ["bash", str(tmp_path / "scripts/bench"), *names]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=90)
    assert done.returncode == code, done.stderr
    said = [line for line in done.stderr.splitlines() if line]
    assert said[len(said) - len(last) :] == last
    assert len(said) == len(last) + ("poll" in names), "the bench says it, too"


def test_the_articles_bot_is_left_out_aloud(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(newer, "interpreter", lambda: None)
    monkeypatch.setattr(presence, "BOTTOM", "bottom==0")
    runs, note = presence.the_other_bot()
    assert (runs, note) == (
        False,
        "The article's bot is left out: bottom==0 needs Python 3.12 or newer, and none was found.",
    )
    assert capsys.readouterr().err.startswith("left out: the article's bot: bottom==0 needs Python 3.12")


def test_speed_shows_and_records_what_a_bench_recorded(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "bench" / "speed.py"), "web", "ledger", "--quick"]
    command += ["--record", "--into", str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=110)
    assert done.returncode in (0, 1), done.stderr
    assert done.returncode == ("MISSED" in done.stdout), "their goals are of speed, and this machine may be busy"
    assert "left out" not in done.stdout
    for claim in ("ledger: The file", "web: The page of Now, 300 channels, opened first"):
        assert claim in done.stdout
        assert claim in _text(tmp_path / "speed.json")
