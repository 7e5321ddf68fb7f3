import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from cli_home import Atp

from allthepoints.cli.events import follow_along
from allthepoints.storage.read import EventRow


def test_nothing_yet(atp: Atp) -> None:
    result = atp("events")
    assert (result.code, result.out, result.err) == (0, "", "Nothing was recorded yet.\n")
    assert json.loads(atp("events", "--json").out) == []


def test_sentences(atp: Atp, recorded: Path) -> None:
    lines = [line.partition("  ")[2] for line in atp("events").out.splitlines()]
    assert lines == [
        "The service started.",
        "Alpha is live.",
        "You are in Alpha's chat.",
        "ベータ (beta)'s chat is closed to you: you are banned from this chat.",
    ]


def test_json(atp: Atp, recorded: Path) -> None:
    events = json.loads(atp("events", "--json").out)
    assert events[1] == {
        "id": 2,
        "at": "2026-11-25T20:59:52.000Z",
        "kind": "live",
        "channel": "alpha",
        "channel_id": "1",
        "data": {"stream": "s1", "started_at": 1_795_636_800.0},
        "text": "Alpha is live.",
    }


@pytest.mark.parametrize(
    ("args", "ids"),
    [
        (["--limit", "2"], [3, 4]),
        (["--since", "2"], [3, 4]),
        (["--since", "1", "--limit", "1"], [2]),
        (["--channel", "#Alpha"], [2, 3]),
        (["--kind", "live", "--kind", "REFUSED"], [2, 4]),
        (["--channel", "alpha", "--kind", "present"], [3]),
        (["--since", "4"], []),
    ],
)
def test_filters(atp: Atp, recorded: Path, args: list[str], ids: list[int]) -> None:
    assert [event["id"] for event in json.loads(atp("events", "--json", *args).out)] == ids


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["--kind", "livee"], "'livee' is no kind of event; did you mean live?"),
        (["--channel", "alphaa"], "no channel alphaa was ever seen here; did you mean alpha?"),
        (["--channel", "アルファ"], "'アルファ' is not a channel: it looks like a display name"),
    ],
)
def test_what_there_is_not(atp: Atp, recorded: Path, args: list[str], text: str) -> None:
    result = atp("events", *args)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {text}")


def test_following_tells_each_event_once(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [EventRow(at, float(at), "started", None, None, None, {}) for at in range(1, 6)]
    turns = iter([2, 2, 5])
    shown = 0

    def read(after: int) -> Sequence[EventRow]:
        return [row for row in rows[:shown] if row.id > after]

    def wait(_: float) -> None:
        nonlocal shown
        try:
            shown = next(turns)
        except StopIteration:
            raise KeyboardInterrupt from None

    follow_along(read, 1, True, wait)
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == [2, 3, 4, 5]


def test_an_empty_database_is_no_error(atp: Atp, home: Path) -> None:
    (home / "data").mkdir()
    (home / "data" / "allthepoints.db").write_bytes(b"")
    assert atp("events").code == 0
