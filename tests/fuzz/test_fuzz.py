"""bench/fuzz.py in small, from fixed seeds; and that it sees what it is there to see."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import fuzz_chat
import fuzz_edges
import fuzz_files
import fuzz_web
import pytest

from allthepoints.irc import scan
from allthepoints.irc.session import Session

BENCH = Path(fuzz_chat.__file__).parent


# -- lines ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", [1, 20261126])
def test_lines_tell_what_a_full_parse_tells(seed: int) -> None:
    run = fuzz_chat.Run(seed)
    run.some(40_000)
    assert run.found.lines >= 40_000
    told = {"Welcome", "LoginRefused", "RoomJoined", "RoomParted", "RoomRefused", "WeBanned", "Reconnect", "Ended"}
    assert run.found.kinds.keys() >= told, "what is fed reaches everything"


def found_with(monkeypatch: pytest.MonkeyPatch, line: bytes) -> fuzz_chat.Difference:
    """What is found with another expression in the scanner."""
    monkeypatch.setattr(scan, "_LINE", line)
    scan._expression.cache_clear()
    try:
        with pytest.raises(fuzz_chat.Difference) as caught:
            fuzz_chat.Run(3).some(40_000)
        pieces = fuzz_chat.shrunk(caught.value)
        assert sum(map(len, pieces)) < 80, "small enough to be read"
        with pytest.raises(fuzz_chat.Difference):
            fuzz_chat.replay(pieces, welcomed=caught.value.welcomed)
        return caught.value
    finally:
        scan._expression.cache_clear()


def test_a_scanner_that_takes_users_for_servers_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    found_with(monkeypatch, scan._LINE.replace(b"[^ !]*+", b"[^ ]*+"))


def test_a_scanner_that_misses_something_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "RoomJoined" in found_with(monkeypatch, scan._LINE.replace(b"(?:JOIN|PART)", b"(?:PART)")).text


def test_a_session_that_quotes_our_token_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "_without_token", lambda _self, raw: raw)
    with pytest.raises(fuzz_chat.Difference, match="quotes our token"):
        fuzz_chat.Run(1).some(200_000)


# -- the rest ------------------------------------------------------------------------------------------------------
def test_damaged_answers() -> None:
    found = fuzz_edges.main(seed=20261126, count=1200)
    assert {name.partition(":")[0] for name in found} >= {"follows", "live", "refresh", "items", "redeem", "history"}


def test_damaged_files() -> None:
    found = fuzz_files.main(seed=20261126, count=500)
    assert found.keys() >= {"config: used", "config: refused", "edited: changed", "scenario: begun", "tokens: read"}


def test_odd_requests() -> None:
    found = fuzz_web.main(seed=20261126, count=1200)
    assert {name.partition(": ")[0] for name in found} >= {"GET /", "GET /api/points", "POST /channels/add"}


def test_every_address_is_described() -> None:
    with fuzz_web.desk(1) as desk:
        paths = fuzz_web.described(desk.routes())["paths"]
    assert len(paths) > 30
    assert paths["/channel/{login}"]["get"]["parameters"][0]["in"] == "path"
    assert "requestBody" in paths["/redeem/{login}/{item}"]["post"]


def test_the_command_ends_well_and_shows_a_table() -> None:
    command = [sys.executable, str(BENCH / "fuzz.py"), "lines", "--lines", "2000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "finds" in done.stdout
