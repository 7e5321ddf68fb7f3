import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_home import AT, Atp

from allthepoints.cli import here as here_module


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch, utc: None) -> None:
    monkeypatch.setattr(here_module.Here, "now", lambda self: AT)


def test_nothing_yet(atp: Atp, home: Path) -> None:
    result = atp("points")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("No points were read yet.\n")
    assert json.loads(atp("points", "--json").out) == []
    assert not (home / "data").exists(), "a reader makes nothing"


def test_the_table(atp: Atp, earning: Path) -> None:
    result = atp("points")
    assert (result.code, result.err) == (0, "")
    assert (
        result.out.splitlines()
        == [
            "+30 today, in 1 of 2 channels.",
            "",
            "channel        points  currency  today  rate  verdict    earned  24 h",
            "ベータ (beta)      12  =coins                 = flat                        ▁",
            "Alpha           1,845  acorns      +30  30/h  ↑ earning  20:53   ▁▂▁▁▁▁▁▁▁▁▁█",
        ]
        or result.out.splitlines()[3:]
    )
    assert "↑ earning  20:53" in result.out


def test_json_is_the_contracts(atp: Atp, earning: Path) -> None:
    alpha, beta = json.loads(atp("points", "--json").out)
    assert alpha == {
        "channel": "alpha",
        "id": "1",
        "currency": "acorns",
        "points": 1845,
        "alltime": 615,
        "rank": 212,
        "watch_minutes": 1290,
        "earned_today": 30,
        "earned_7d": 345,
        "earned_30d": 445,
        "earned_total": 1145,
        "rate_per_hour": 30.0,
        "verdict": "earning",
        "causes": [],
        "seen_at": "2026-11-25T20:58:00.000Z",
        "earned_at": "2026-11-25T20:53:00.000Z",
    }
    assert (beta["verdict"], beta["causes"]) == ("flat", ["never_typed", "hide_gambling"])
    assert json.loads(atp("points", "#Alpha", "--json").out) == [alpha]


def test_fc_34_today_is_the_configured_zones(atp: Atp, earning: Path, config: Path) -> None:
    """A rise came at 23:00 UTC of yesterday, which is the first moment of today in Paris, and nowhere else of these."""
    config.parent.mkdir(parents=True, exist_ok=True)
    for zone, today in (("Asia/Tokyo", 30), ("UTC", 30), ("Pacific/Honolulu", 30), ("Europe/Paris", 35)):
        config.write_text(f'[display]\nzone = "{zone}"\n')
        assert json.loads(atp("points", "alpha", "--json").out)[0]["earned_today"] == today


def test_one_channel_in_full(atp: Atp, earning: Path) -> None:
    result = atp("points", "Alpha")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        "Alpha",
        "  points     1,845 acorns (read 2 min ago)",
        "  all time   615 by watching, rank 212, 21 h 30 min watched",
        "  earned     +30 today, +345 in 7 days, +445 in 30 days, +1,145 in all; last 7 min ago",
        "  last 24 h  |▁▃▁▁▁▁▁▁▁▁▁█|",
        "  pays       5 acorns every 10 min (30/h)",
        "  rate       30/h, as it really came",
        "  session    +30 of 25 expected, in 1 h in the chat",
        "  verdict    ↑ earning",
    ]


def test_fc_50_a_flat_channel_tells_what_to_do(atp: Atp, earning: Path) -> None:
    out = atp("points", "beta").out
    assert "= flat" in out
    assert "This program never types. Write one message in this chat by hand" in out


def test_a_channel_that_is_not_at_streamelements(atp: Atp, earning: Path) -> None:
    assert atp("points", "gamma").out.endswith("Why no points come:\n  1. StreamElements has no such channel.\n")
    assert json.loads(atp("points", "gamma", "--json").out) == []


def test_an_unknown_channel(atp: Atp, earning: Path) -> None:
    result = atp("points", "alphaa")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: no channel alphaa was ever seen here; did you mean alpha?")


def test_a_stopped_service_claims_no_verdict(atp: Atp, earned: Path) -> None:
    alpha, beta = json.loads(atp("points", "--json").out)
    assert (alpha["points"], alpha["verdict"], beta["verdict"], beta["causes"]) == (1845, "unknown", "unknown", [])
    assert atp("points").out.endswith("Not running, so nothing comes now. Start it with `allthepoints run`.\n")


def test_status_has_points_too(atp: Atp, earning: Path) -> None:
    plain = json.loads(atp("status", "--json").out)
    assert [(c["points"], c["rate_per_hour"], c["verdict"]) for c in plain["channels"][:2]] == [
        (1845, 30.0, "earning"),
        (12, None, "flat"),
    ]
    out = atp("status").out
    assert out.startswith("In 2 of 2 live chats. Earning in 1; nothing comes in 1.")
    assert "● present  Alpha          ↑ earning   1,845  30/h  climbing 🌊                     20:50  20:00" in out
    assert "perhaps: you never typed there" in out


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "gbk", "utf-8"])
@pytest.mark.parametrize(
    "command", ["points", "points beta", "store", "store alpha --cached", "wish", "redemptions", "export redemptions"]
)
def test_fc_35_any_console_and_any_pipe(earned: Path, encoding: str, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "allthepoints", *command.split()],
        env={**os.environ, "PYTHONIOENCODING": encoding, "ALLTHEPOINTS_DATA_DIR": str(earned)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=60,
    )
    text = done.stdout.decode("utf-8" if command.startswith("export") else encoding)
    assert done.stderr == b""
    assert "�" not in text
    if encoding != "utf-8" and not command.startswith("export"):
        assert not set("▁▂▃▄▅▆▇█↑∅★") & set(text), "signs of which the console lacks some are ASCII"
    if command.startswith("export"):
        assert "Pick the next map 🗺" in text, "a file is UTF-8 wherever it is made"
