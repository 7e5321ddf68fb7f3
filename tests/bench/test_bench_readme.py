"""The README's table of what was measured: of what is not recorded it says so, whatever a bench left out here."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "scripts"))

import pages_readme  # type: ignore[import-not-found]  # noqa: E402

NOT = pages_readme.NOT_MEASURED


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "docs" / "results", tmp_path / "results"))


def rename(folder: Path, name: str, other: Callable[[str], str | None]) -> None:
    """Each claim of a bench becomes another, or goes."""
    path = folder / f"{name}.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    renamed = [{**figure, "claim": other(figure["claim"])} for figure in found["figures"]]
    found["figures"] = [figure for figure in renamed if figure["claim"] is not None]
    path.write_text(json.dumps(found), encoding="utf-8")


def row(folder: Path, begin: str) -> list[str]:
    """What was measured, ours, and what stands beside it."""
    (found,) = [line for line in pages_readme.measured(folder).splitlines() if line.startswith(f"| {begin}")]
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_all_that_is_in_the_table_was_measured_here() -> None:
    assert NOT not in pages_readme.measured()
    assert "…" not in pages_readme.measured()


@pytest.mark.parametrize("rival", ["miniirc, the fastest of the others", "pydle, the fastest of the others"])
def test_whichever_of_the_others_was_the_fastest(recorded: Path, rival: str) -> None:
    now = row(recorded, "scanning")
    rename(recorded, "speed", lambda claim: re.sub("times (.*)the fastest of the others", f"times {rival}", claim))
    assert row(recorded, "scanning") == now
    rename(recorded, "speed", lambda claim: claim.replace(rival, "the fastest of the others"))
    assert row(recorded, "scanning") == now


def test_a_ratio_that_differs_from_run_to_run_is_told_with_its_spread(recorded: Path) -> None:
    path = recorded / "speed.json"
    (figure,) = [one for one in json.loads(path.read_text("utf-8"))["figures"] if "Scanning tagged" in one["claim"]]
    _, ours, _ = row(recorded, "scanning")
    number = pages_readme.number
    assert f"{figure['runs']} runs, from {number(figure['low'])} to {number(figure['high'])}" in ours


def test_without_the_articles_bot(recorded: Path) -> None:
    for name in ("chaos", "presence"):
        rename(recorded, name, lambda claim: None if "article" in claim or "supervised" in claim else claim)
    what, ours, beside = row(recorded, "chat presence in stormy")
    assert NOT not in what + ours
    assert beside == (
        f"a bot that joins and believes: {NOT}; the same, restarted by a supervisor whenever it dies: {NOT}"
    )
    what, ours, beside = row(recorded, "the same in the stormiest")
    assert NOT not in what + ours
    assert beside == f"{NOT}; supervised: {NOT}"
    assert row(recorded, "the same in calm")[2] == NOT


def test_without_crowded_hours(recorded: Path) -> None:
    rename(recorded, "chaos", lambda claim: None if "crowded hours" in claim else claim)
    _, ours, beside = row(recorded, "the same in the stormiest")
    begin = rf"[\d.]+ to [\d.]+ %, in an hour with more live channels than rooms {NOT}; limits broken "
    assert re.match(begin, ours)
    assert re.fullmatch(rf"[\d.]+ to [\d.]+ %, in such hours {NOT}; supervised: [\d.]+ to [\d.]+ %, .* {NOT}", beside)


def test_a_minute_of_busy_chats_is_told_as_a_minute(recorded: Path) -> None:
    assert row(recorded, "60 min in ")[1].endswith(" MB at the end")
    rename(recorded, "busy", lambda claim: claim.replace("After 60 min", "After 1 min"))
    assert row(recorded, "1 min in ")[1].endswith(" MB at the end")


@pytest.mark.parametrize(
    ("part", "begin"),
    [("scan", "scanning"), ("net", "CPU for each"), ("poll", "Helix calls"), ("start", "start to"), ("start", "cold")],
)
def test_a_part_of_speed_that_was_left_out(recorded: Path, part: str, begin: str) -> None:
    rename(recorded, "speed", lambda claim: None if claim.startswith(f"{part}: ") else claim)
    what, ours, _ = row(recorded, begin)
    assert NOT not in what
    assert ours.endswith(NOT)


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "docs" / "results").glob("*.json")))
def test_a_bench_that_has_recorded_nothing_or_only_something_else(recorded: Path, name: str) -> None:
    before = pages_readme.measured(recorded)
    rename(recorded, name, lambda _: None)
    nothing = pages_readme.measured(recorded)
    (recorded / f"{name}.json").unlink()
    assert pages_readme.measured(recorded) == nothing
    told = any(f"{{{name}" in cell for cells in pages_readme.ROWS for cell in cells)
    assert (NOT in nothing) is (nothing != before) is told


def test_no_page_is_written_where_one_cannot_be_made(tmp_path: Path) -> None:
    pages = runpy.run_path(str(ROOT / "scripts" / "pages.py"))

    def cannot() -> str:
        raise ValueError("it cannot")

    pages["PAGES"]["last.md"] = cannot
    with pytest.raises(ValueError, match="it cannot"):
        pages["write"](tmp_path)
    assert list(tmp_path.iterdir()) == []
    pages["PAGES"]["last.md"] = lambda: "made\n"
    pages["PAGES"].pop("../README.md")
    pages["write"](tmp_path)
    assert (tmp_path / "last.md").read_text(encoding="utf-8") == "made\n"
    assert (tmp_path / "results.md").read_text(encoding="utf-8") == (ROOT / "docs" / "results.md").read_text("utf-8")
