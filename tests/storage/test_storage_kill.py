"""FC-33: a process that is killed at any moment loses nothing that it was told is recorded, and leaves nothing half."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from allthepoints.base.clock import Chance
from allthepoints.storage.database import Database
from allthepoints.storage.lock import acquire, holder
from allthepoints.storage.read import Reader
from allthepoints.storage.read_points import PointsReader
from allthepoints.storage.tokenfile import TokenFile

sys.path.insert(0, str(Path(__file__).parent))

import writer

WRITER = Path(__file__).with_name("writer.py")
ROUNDS = 20


def killed_after(folder: Path, lines: int, number: int) -> tuple[int, int]:
    """Run a writer, kill it once it told `lines` lines; answers the last recorded and the last saved number it told."""
    child = subprocess.Popen(
        [sys.executable, str(WRITER), str(folder), str(number)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    try:
        told = [child.stdout.readline() for _ in range(lines)]
        assert holder(folder / "allthepoints.lock") == child.pid
    finally:
        child.send_signal(signal.SIGKILL)
    told += child.stdout.read().split("\n")
    problems = child.stderr.read()
    child.wait()
    child.stdout.close()
    child.stderr.close()
    assert problems == ""
    last = {"recorded": number, "saved": 0}
    for word, _, count in (line.strip().partition(" ") for line in told):
        if count:
            last[word] = int(count)
    return last["recorded"], last["saved"]


def check_database(folder: Path, recorded: int) -> int:
    """What stands there is whole, and all that was recorded is in it; answers the last number found."""
    path = folder / "allthepoints.db"
    before = Reader(path).presence("1", 0.0, 1e9)  # a reader may look before anybody has mended anything
    database = Database(path, 0.0)
    if recorded:
        assert database.warnings == ()
    else:  # the very first file may have been made, and nothing written yet: true, and nothing is lost
        assert all("was empty" in warning for warning in database.warnings)
    assert database._connection.execute("PRAGMA integrity_check").get == "ok"
    restored = database.load()
    database.close()
    numbers = [event.data["number"] for event in Reader(path).events(limit=10**6)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= recorded
    after = Reader(path).presence("1", 0.0, 1e9)
    assert [interval.stream for interval in after] == [f"s{number}" for number in numbers]
    assert all(interval.ended_at is not None for interval in after)
    assert Reader(path).status().service.get("number") == (numbers[-1] if numbers else None)
    assert len(before) == len(after)
    assert restored.redemptions == tuple(writer.sent(number) for number in numbers)  # as SENT: the core decides
    reader = PointsReader(path)
    assert [entry.delta for entry in reader.entries()] == numbers
    assert reader.earned(0.0) == ({writer.ALPHA: sum(numbers)} if numbers else {})
    return len(numbers)


def test_fc_33_kill_at_any_moment(tmp_path: Path) -> None:
    chance, number, saved = Chance(33), 0, 0
    for turn in range(ROUNDS):
        lines = 1 if turn < 3 else 1 + int(chance.draw() * 12)
        recorded, now_saved = killed_after(tmp_path, lines, number)
        saved = now_saved or saved
        file = TokenFile(tmp_path / "tokens.json")
        tokens = file.load()
        assert file.warnings == []
        if saved:
            assert tokens is not None
            assert tokens.access.reveal() in {f"T{saved}", f"T{saved + 1}", f"T{recorded}", f"T{recorded + 1}"}
            assert tokens.refresh is not None
            assert tokens.refresh.reveal() == tokens.access.reveal().replace("T", "R") * 3000
        number = check_database(tmp_path, recorded)
        with acquire(tmp_path / "allthepoints.lock"):  # FC-39: the dead process locks nobody out
            pass
    assert number > ROUNDS
    file.save(tokens)
    assert sorted(path.name for path in tmp_path.iterdir() if ".new" in path.name) == []
