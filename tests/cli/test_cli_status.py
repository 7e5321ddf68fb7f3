import json
from pathlib import Path

import pytest
from cli_home import AT, ROWS, SERVICE, Atp, Result

from allthepoints.base.types import StreamId
from allthepoints.cli import here as here_module
from allthepoints.core import records as r
from allthepoints.core.model import ChannelRef, Stream, StreamKind
from allthepoints.storage.database import Database


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch, utc: None) -> None:
    monkeypatch.setattr(here_module.Here, "now", lambda self: AT + 30)


def test_nothing_yet_teaches_the_next_step(atp: Atp) -> None:
    result = atp("status")
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "Not signed in, and nothing was recorded yet.\n\n"
        "Sign in with `allthepoints login`, then start with `allthepoints run`.\n"
        "To see it work without an account: `allthepoints demo`.\n"
    )


def test_nothing_yet_as_json(atp: Atp, home: Path) -> None:
    assert json.loads(atp("status", "--json").out) == {
        "running": False,
        "account": None,
        "chat": {"connections": 0, "wanted": 0, "present": 0, "waiting": 0, "refused": 0},
        "channels": [],
        "helix": None,
        "warnings": [],
    }
    assert not (home / "data").exists(), "a reader makes nothing"


def test_signed_in_but_never_run(atp: Atp, home: Path) -> None:
    (home / "data").mkdir()
    (home / "data" / "tokens.json").write_text("{}")
    assert atp("status").out == "Not running, so you are in no chat. Start it with `allthepoints run`.\n"


def test_a_running_service(atp: Atp, running: Path) -> None:
    result = atp("status")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        "In 1 of 2 live chats; 1 closed to you.",
        "",
        "state      channel        about                          since  live since",
        "✕ refused  ベータ (beta)  you are banned from this chat  20:59  20:58",
        "● present  Alpha          climbing 🌊                    20:50  20:00",
        "and 1 channel offline (--all shows them)",
        "",
        "info: Some chats are closed to you (for 1 min). 1 live channel will not have this account in the chat.",
        "",
        "Account me, 1 chat connection; 3 channels, 1 wanted, 1 present, 0 waiting, 1 refused.",
    ]
    assert "– offline  Gamma" in atp("status", "--all").out


def test_a_running_service_as_json(atp: Atp, running: Path) -> None:
    result = atp("status", "--json")
    plain = json.loads(result.out)
    assert list(plain) == ["running", "account", "chat", "channels", "helix", "warnings"]
    assert plain["running"] is True
    assert plain["account"] == {"login": "me", "user_id": "9"}
    assert plain["chat"] == {"connections": 1, "wanted": 1, "present": 1, "waiting": 0, "refused": 1}
    assert plain["channels"][:2] == [
        {
            "login": "alpha",
            "id": "1",
            "live": True,
            "state": "present",
            "reason": None,
            "since": "2026-11-25T20:50:00.000Z",
            "points": None,
            "rate_per_hour": None,
            "verdict": "unknown",
        },
        {
            "login": "beta",
            "id": "2",
            "live": True,
            "state": "refused",
            "reason": "banned",
            "since": "2026-11-25T20:59:00.000Z",
            "points": None,
            "rate_per_hour": None,
            "verdict": "unknown",
        },
    ]
    assert plain["warnings"] == [
        {
            "code": "channels_refused",
            "severity": "info",
            "title": "Some chats are closed to you",
            "text": "1 live channel will not have this account in the chat.",
            "since": "2026-11-25T20:59:00.000Z",
        }
    ]


def test_a_stopped_service_claims_nothing(atp: Atp, recorded: Path) -> None:
    plain = json.loads(atp("status", "--json").out)
    assert plain["running"] is False
    assert plain["account"] == {"login": "me", "user_id": "9"}
    assert set(plain["chat"].values()) == {0}
    assert {(c["state"], c["live"], c["reason"]) for c in plain["channels"]} == {("absent", None, None)}
    assert {c["since"] for c in plain["channels"]} == {"2026-11-25T21:00:00.000Z"}
    assert atp("status").out == (
        "Not running, so you are in no chat. It was last seen 30 s ago. Start it with `allthepoints run`.\n\n"
        "Account me, 3 channels known.\n"
    )


def test_a_service_that_seems_stuck(atp: Atp, running: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here_module.Here, "now", lambda self: AT + 600)
    assert atp("status").err == "warning: the service runs, but gave no sign of life for 10 min\n"


def test_a_foreign_database_is_told_and_left_alone(atp: Atp, home: Path) -> None:
    (home / "data").mkdir()
    database = home / "data" / "allthepoints.db"
    database.write_bytes(b"my novel, chapter one" * 100)
    result = atp("status")
    assert (result.code, result.out) == (1, "")
    assert str(database) in result.err
    assert database.read_bytes().startswith(b"my novel")


def test_fc_40_the_data_directory_is_a_file(atp: Atp, home: Path) -> None:
    (home / "data").write_text("")
    result = atp("status")
    assert result.code == 2
    assert result.err == (
        f"error: {home / 'data'} is a file, where the data directory is expected\n\nhint: Choose another --data-dir.\n"
    )


def test_a_health_check_of_nothing_and_of_what_does_not_run(atp: Atp, recorded: Path) -> None:
    result = atp("status", "--healthy")
    assert (result.code, result.out) == (1, "")
    assert result.err == "error: no service runs\n\nhint: Start it with `allthepoints run`.\n"


def test_a_health_check_of_a_service_that_lives(atp: Atp, running: Path) -> None:
    assert atp("status", "--healthy") == Result(0, "", "")
    result = atp("status", "--healthy", "--json")
    assert (result.code, json.loads(result.out)["running"]) == (0, True)


def test_a_health_check_of_a_service_that_hangs(atp: Atp, running: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here_module.Here, "now", lambda self: AT + 600)
    result = atp("status", "--healthy")
    assert result.code == 1
    assert "gave no sign of life for 10 min" in result.err


def rests(data: Path) -> None:
    """Gamma went live at 22:00 (UTC) on each day of the last two weeks. Nobody is live now."""
    gamma = ChannelRef(ROWS[2].id, ROWS[2].login, ROWS[2].display)
    streams = [Stream(StreamId(f"g{n}"), gamma, StreamKind.LIVE, "", AT + 3600 - n * 86_400) for n in range(1, 15)]
    database = Database(data / "allthepoints.db", AT)
    opened = [r.SessionOpened(stream.started_at, stream) for stream in streams]
    database.record(opened, AT, channel_rows=ROWS[2:], gone=[row.id for row in ROWS[:2]], service=SERVICE)
    database.close()


def test_where_nobody_is_live_it_is_said_who_usually_starts_next(atp: Atp, running: Path, config: Path) -> None:
    assert "usually" not in atp("status").out
    rests(running)
    expected = "Your channel is not live. Gamma usually starts about 22:00 today."
    assert atp("status").out.splitlines()[0] == expected
    config.parent.mkdir(parents=True)
    config.write_text('[display]\nzone = "Asia/Tokyo"\n')
    assert atp("status").out.splitlines()[0] == "Your channel is not live. Gamma usually starts about 07:00 today."
    config.write_text("[display\n")
    result = atp("status")
    assert (result.code, result.out.splitlines()[0]) == (0, expected), (
        "a config that cannot be used is no matter of ours"
    )
