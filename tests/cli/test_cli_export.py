import csv
import io
import json
from pathlib import Path

import pytest
from cli_home import AT, Atp
from points_home import CODE

from allthepoints.cli import here as here_module


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here_module.Here, "now", lambda self: AT)


def test_the_ledger(atp: Atp, earned: Path) -> None:
    result = atp("export", "points")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines()[:6] == [
        "at,channel,channel_id,change,delta,points",
        "2026-10-16T21:00:00.000Z,alpha,1,opening,0,1000",
        "2026-10-21T21:00:00.000Z,alpha,1,earned,700,1700",
        "2026-11-05T21:00:00.000Z,alpha,1,earned,100,1800",
        "2026-11-22T21:00:00.000Z,alpha,1,earned,310,2110",
        "2026-11-23T21:00:00.000Z,alpha,1,spent,-300,1810",
    ]


def test_sessions(atp: Atp, earned: Path) -> None:
    assert atp("export", "sessions").out.splitlines() == [
        "stream,channel,channel_id,title,started_at,ended_at,live_s,present_s,earned,expected",
        "s1,alpha,1,climbing,2026-11-25T20:00:00.000Z,,3600,3600,30,25",
    ]


def test_redemptions_without_their_codes_and_without_formulas(atp: Atp, earned: Path) -> None:
    out = atp("export", "redemptions", "--format", "csv").out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["item"] for row in rows] == ["'=A key", "Hydrate", "Pick the next map 🗺"]
    assert [row["state"] for row in rows] == ["accepted", "rejected", "unknown"]
    assert rows[1]["message"] == "You are redeeming too fast"
    assert CODE not in out + atp("export", "redemptions", "--json").out


@pytest.mark.parametrize("args", [("--json",), ("--format", "json")])
def test_json(atp: Atp, earned: Path, args: tuple[str, ...]) -> None:
    found = json.loads(atp("export", "redemptions", *args).out)
    assert found[0]["item"] == "=A key", "a program gets the text as it is"
    assert (found[0]["cost"], found[0]["auto"], found[0]["reason"]) == (300, False, None)


@pytest.mark.parametrize(
    ("args", "rows"),
    [
        (["--since", "30d"], 7),
        (["--since", "1d"], 4),
        (["--since", "2026-11-25"], 3),
        (["--since", "2026-11-25T20:50:00Z"], 2),
        (["--channel", "#Alpha"], 8),
        (["--channel", "beta", "--since", "30d"], 1),
        (["--channel", "gamma"], 0),
    ],
)
def test_what_is_wanted(atp: Atp, earned: Path, args: list[str], rows: int) -> None:
    assert len(json.loads(atp("export", "points", "--json", *args).out)) == rows
    assert len(atp("export", "points", *args).out.splitlines()) == rows + 1


@pytest.mark.parametrize("since", ["yesterday", "30", "2026-13-01"])
def test_what_is_no_time(atp: Atp, earned: Path, since: str) -> None:
    result = atp("export", "points", "--since", since)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: --since: '{since}' is no age and no date\n")


def test_nothing_yet(atp: Atp, home: Path) -> None:
    assert atp("export", "sessions").out.count("\n") == 1
    assert json.loads(atp("export", "points", "--json").out) == []
