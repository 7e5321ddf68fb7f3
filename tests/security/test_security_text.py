"""Strangers' text, in chat, in names and titles, and in what servers say: it is shown, and does nothing."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))

from hostile_texts import ALL, ESCAPES, HTML, LINES, MARKUP, STEERING
from points_home import ALPHA, BOUGHT, MAP, fill

from allthepoints.base.logs import log_to
from allthepoints.base.steering import harmless, harmless_json
from allthepoints.base.types import Login, UserId
from allthepoints.cli import output
from allthepoints.core import records as r
from allthepoints.core.loyalty import Loyalty
from allthepoints.core.model import ChannelRef, Stream, StreamKind
from allthepoints.ports import ChannelRow
from allthepoints.storage.database import Database
from allthepoints.views.web.metrics import exposition

ALL_TEXT = "".join(ALL.values())


# -- the log -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("how", ["message", "argument", "error"])
def test_a_line_of_the_log_cannot_be_forged(
    tmp_path: Path, name: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # a report of these texts would end the worker
    path = tmp_path / "a.log"
    with log_to(path):
        log = logging.getLogger("allthepoints.test")
        match how:
            case "message":
                log.warning(ALL[name].replace("%", "%%"))
            case "argument":
                log.warning("the server said %s", ALL[name])
            case _:
                try:
                    raise ValueError(ALL[name])
                except ValueError:
                    log.exception("it failed")
    text = path.read_text("utf-8")
    assert not STEERING.search(text)
    begun = [line for line in text.splitlines() if not line.startswith("  ")]
    assert len(begun) == 1, "whatever is not ours is set in"


# -- terminals ---------------------------------------------------------------------------------------------------------
@given(st.text())
def test_what_is_harmless_holds_nothing_that_steers(text: str) -> None:
    assert not STEERING.search(harmless(text))
    assert harmless(harmless(text)) == harmless(text)


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
def test_json_is_the_same_value_and_steers_nothing(value: dict[str, object]) -> None:
    text = harmless_json(json.dumps(value, ensure_ascii=False))
    assert not STEERING.search(text)
    assert json.loads(text) == value


@pytest.mark.parametrize("name", ALL)
def test_what_is_said_beside_the_data_steers_nothing(capsys: pytest.CaptureFixture[str], name: str) -> None:
    output.complain(ALL[name], ALL[name])
    output.warn(ALL[name])
    assert not STEERING.search(capsys.readouterr().err)


@pytest.fixture(scope="module")
def hostile_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which every word of others means harm."""
    home = tmp_path_factory.mktemp("home")
    data = home / "data"
    data.mkdir()
    row = ChannelRow(ALPHA, Login("alpha"), ALL_TEXT, True, "refused", ALL_TEXT[:40], 1.0, 1.0, 0, ALL_TEXT)
    warning = {"code": "x", "severity": "error", "title": ALL_TEXT, "text": ALL_TEXT, "since": 1.0}
    service = {
        "account": {"user_id": "9", "login": ALL_TEXT},
        "chat": {"connections": 1, "wanted": 1, "present": 1, "waiting": 0, "refused": 1},
        "warnings": [warning],
    }
    fill(data, service)
    database = Database(data / "allthepoints.db", 1_795_640_400.0)
    ref = ChannelRef(ALPHA, Login("alpha"), ALL_TEXT)
    at = 1_795_640_400.0
    bought = replace(BOUGHT[0], name=ALL_TEXT, text=ALL_TEXT, code=ALL_TEXT, answers=(ALL_TEXT,), message=ALL_TEXT)
    said = replace(BOUGHT[1], name=ALL_TEXT, text=ALL_TEXT)
    hostile = (
        r.ChannelKnown(at, ref, 0),
        r.SessionOpened(at, Stream("s9", ref, StreamKind.LIVE, ALL_TEXT, at)),  # type: ignore[arg-type]
        r.LoyaltyKnown(at, ALPHA, BOUGHT[0].se, Loyalty(ALL_TEXT)),
        r.ItemKnown(at, ALPHA, replace(MAP, name=ALL_TEXT, description=ALL_TEXT, asks=(ALL_TEXT,), kind=ALL_TEXT)),
        r.RedemptionKept(at, bought),
        r.RedemptionKept(at, said),
        *(r.Event(at, kind, ALPHA, dict.fromkeys(("text", "why", "title", "name", "reason", "item"), ALL_TEXT))
          for kind in r.EventKind),
    )  # fmt: skip
    for one in hostile:
        database.record((one,), at, channel_rows=(row,), service=service)
    database.close()
    return home


COMMANDS = (
    "status",
    "status --json",
    "points",
    "points --json",
    "store alpha",
    "store alpha --json",
    "redemptions",
    "redemptions --json",
    f"redemptions show {BOUGHT[0].key}",
    f"redemptions show {BOUGHT[0].key} --json",
    "events --limit 500",
    "events --limit 500 --json",
    "channels",
    "wish list",
    "export redemptions",
    "export sessions",
    "export redemptions --json",
    "export points",
)


@pytest.mark.parametrize("line", COMMANDS)
def test_no_command_steers_the_terminal_it_is_read_on(hostile_home: Path, line: str) -> None:
    said = on_a_terminal(hostile_home, line.split())
    assert not STEERING.search(said.replace("\r\n", "\n")), repr(STEERING.findall(said)[:5])
    assert "this is a mistake of the program" not in said


def on_a_terminal(home: Path, args: list[str]) -> str:
    """All that a command says on a terminal of its own."""
    ours, theirs = pty.openpty()
    env = {key: value for key, value in os.environ.items() if not key.startswith("ALLTHEPOINTS_")}
    env |= {"HOME": str(home), "ALLTHEPOINTS_DATA_DIR": str(home / "data"), "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
    process = subprocess.Popen(
        [sys.executable, "-m", "allthepoints", *args], stdin=theirs, stdout=theirs, stderr=theirs, env=env
    )
    os.close(theirs)
    said = b"".join(chunks(ours))
    process.wait(30)
    os.close(ours)
    return said.decode()


def chunks(handle: int) -> Iterator[bytes]:
    while True:
        try:
            chunk = os.read(handle, 65536)
        except OSError:  # the other end is gone
            return
        if not chunk:
            return
        yield chunk


# -- what others read of us --------------------------------------------------------------------------------------------
def test_an_export_opened_by_a_spreadsheet_runs_nothing(hostile_home: Path) -> None:
    env = {**os.environ, "ALLTHEPOINTS_DATA_DIR": str(hostile_home / "data")}
    for what in ("redemptions", "sessions"):
        command = [sys.executable, "-m", "allthepoints", "export", what]
        text = subprocess.run(command, env=env, capture_output=True, check=True).stdout.decode()
        cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
        assert any("owned" in cell for cell in cells)
        assert not [cell for cell in cells if cell[:1] in ("=", "@", "\t", "\n") or cell[:2] in ("+c", "-c")]


@pytest.mark.parametrize("name", ["html", "lines", "escapes"])
def test_a_label_of_the_metrics_ends_where_it_ends(name: str) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "web"))
    from web_stage import row, snapshot

    login = ALL[name] + '"} 1\nforged_metric 2\n# TYPE x \\'
    seen = snapshot([replace(row(1), login=Login(login), id=UserId("1"))])
    families = list(text_string_to_metric_families(exposition(seen, {}, 0, 1).decode()))
    assert not [family for family in families if "forged" in family.name]
    (found,) = (family for family in families if family.name == "allthepoints_channel_points")
    assert [sample.labels["login"] for sample in found.samples] == [login]


def test_the_live_table_draws_markup_as_text() -> None:
    from rich.console import Console

    sys.path.insert(0, str(Path(__file__).parents[1] / "web"))
    from web_stage import row, snapshot

    from allthepoints.views.live import LivePicture

    picture = LivePicture(ascii_only=False)
    harm = MARKUP + ESCAPES + LINES + HTML
    picture.take(snapshot([replace(row(1), display="[red]D[/]", title=harm, reason=harm)], 1.0))
    console = Console(width=200, height=40, file=io.StringIO(), force_terminal=True, color_system=None)
    console.print(picture)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[red]D[/]" in text
    assert "owned\x07" not in text
    assert "\x1b[2J" not in text
    assert "\x9b" not in text
    assert "]8;" not in text, "no link that a stranger chose"
