"""FC-32: `support-bundle`: canaries everywhere, and none of them in any part, whatever is broken."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cli_home import AT, Atp

from allthepoints.base.types import Login, UserId
from allthepoints.core import records as r
from allthepoints.core.model import ChannelRef
from allthepoints.ports import ChannelRow
from allthepoints.storage.database import Database

TOKEN, REFRESH = "c4n4rytok3nc4n4rytok3nc4n4ryto", "Canary.Refresh-short"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJjYW5hcnkiOjF9.CanarySignature-1"
HASH, SALT = "canary0123456789abcdef0123456789", "saltcanary012345"
URL = "tgram://12345:CANARYbotKey/987654"
SECRET, CODE = "canaryclientsecret", "CANARY-CODE-1"
SECRETS = (TOKEN, REFRESH, "CanarySignature", HASH, SALT, "CANARYbotKey", SECRET, CODE)

NAMES = (
    "wandering_me",
    "alphastream",
    "AlphaStream",
    "alpha_before",
    "ベータちゃん",
    "betachan",
    "justwished",
    "gonename",
)
HOST = "points.canary-house.example"

CONFIG = f"""
[channels]
include = ["alphastream", "betachan"]
[dashboard]
hosts = ["{HOST}"]
[notify]
urls = ["{URL}"]
[[wish]]
channel = "justwished"
item = "A mug"
"""

ROWS = (
    ChannelRow(UserId("77001"), Login("alphastream"), "AlphaStream", True, "present", None, AT, AT, 0, "with betachan"),
    ChannelRow(UserId("77002"), Login("betachan"), "ベータちゃん", False, "absent", "offline", AT),
)

RECORDS: tuple[r.Record, ...] = (
    r.ChannelKnown(AT - 90, ChannelRef(UserId("77001"), Login("alpha_before"), "alpha_before"), 0),
    r.ChannelKnown(AT - 80, ChannelRef(UserId("77001"), Login("alphastream"), "AlphaStream"), 0),
    r.ChannelKnown(AT - 70, ChannelRef(UserId("77002"), Login("betachan"), "ベータちゃん"), 1),
    r.Event(AT - 90, r.EventKind.STARTED),
    r.Event(AT - 60, r.EventKind.SIGNED_IN, None, {"login": "wandering_me", "user_id": "99001"}),
    r.Event(AT - 50, r.EventKind.LIVE, UserId("77001"), {"stream": "55512345", "started_at": AT}),
    r.Event(AT - 40, r.EventKind.NOT_FOUND, None, {"login": "gonename"}),
    r.Event(AT - 30, r.EventKind.REFUSED, UserId("77002"), {"why": "banned", "text": "@wandering_me not in #betachan"}),
)

LOG = f"""2026-11-25T20:00:00.000Z INFO allthepoints.operation.service: OlderName is live.
2026-11-25T20:00:00.000Z WARNING allthepoints.wiring: the database was empty; a fresh database was begun
2026-11-25T20:59:30.000Z INFO allthepoints.operation.service: alpha_before is now AlphaStream.
2026-11-25T20:59:31.000Z ERROR allthepoints.service.reads: PASS oauth:{TOKEN} {{"jwt": "{JWT}"}} {URL} {SECRET}
Traceback (most recent call last):
ValueError: refused {REFRESH} of 77001, WANDERING_ME in ベータちゃん's chat
"""


@pytest.fixture
def full(home: Path, config: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory in which everything is, canaries above all."""
    data = home / "data"
    (data / "logs").mkdir(parents=True)
    database = Database(data / "allthepoints.db", AT)
    database.load()
    service = {"account": {"user_id": "99001", "login": "wandering_me"}}
    database.record(RECORDS, AT, channel_rows=ROWS, service=service)
    database.close()
    (data / "tokens.json").write_text(json.dumps({"access": TOKEN, "refresh": REFRESH, "login": "wandering_me"}))
    (data / "streamelements-token.json").write_text(json.dumps({"jwt": JWT}))
    (data / "dashboard-password.json").write_text(json.dumps({"n": 1, "hash": HASH, "salt": SALT}))
    (data / "logs" / "allthepoints.log").write_text(LOG, encoding="utf-8")
    (data / "alphastream.csv").write_text("")
    config.parent.mkdir(parents=True)
    config.write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("ALLTHEPOINTS_TWITCH_CLIENT_SECRET", SECRET)
    monkeypatch.chdir(home)
    return data


def made(atp: Atp, home: Path, *args: str) -> dict[str, str]:
    """The parts of a bundle that is made now."""
    result = atp("support-bundle", "b.zip", "--offline", "--force", *args)
    assert result.code == 0, result.err
    with zipfile.ZipFile(home / "b.zip") as bundle:
        assert bundle.testzip() is None
        return {name: bundle.read(name).decode() for name in bundle.namelist()}


def leaks(parts: dict[str, str], *what: str) -> list[tuple[str, str]]:
    return [(name, one) for name, text in parts.items() for one in what if one.lower() in (name + text).lower()]


def test_fc_32_what_is_in_it_and_what_is_not(atp: Atp, full: Path, home: Path) -> None:
    parts = made(atp, home)
    assert list(parts) == [
        *("MANIFEST.txt", "README.txt", "config.json", "database.json", "events.json", "files.json"),
        *("logs/allthepoints.log", "machine.json", "status.json"),
    ]
    assert leaks(parts, *SECRETS, *NAMES, HOST, "OlderName", "77001", "77002", "99001", "55512345", str(home)) == []
    status: dict[str, Any] = json.loads(parts["status.json"])
    assert [row["login"] for row in status["channels"]] == ["channel-1", "channel-2"]
    assert status["account"] == {"login": "account", "user_id": "account"}
    assert json.loads(parts["config.json"])["channels"]["include"] == ["channel-1", "channel-2"]
    assert [event["channel"] for event in json.loads(parts["events.json"]) if event["channel"]] == [
        "channel-1",
        "channel-2",
    ]
    assert json.loads(parts["database.json"])["rows"]["events"] == 5
    assert json.loads(parts["database.json"])["integrity"] == ["ok"]
    assert {"path": "channel-1.csv", "type": "file", "mode": "0644", "bytes": 0, "mine": True} in json.loads(
        parts["files.json"]
    )
    assert parts["logs/allthepoints.log"].splitlines() == [
        "2026-11-25T20:00:00.000Z WARNING allthepoints.wiring: the database was empty; a fresh database was begun",
        "2026-11-25T20:59:30.000Z INFO allthepoints.operation.service: channel-1 is now channel-1.",
        '2026-11-25T20:59:31.000Z ERROR allthepoints.service.reads: PASS *** {"jwt": "***"} *** ***',
        "Traceback (most recent call last):",
        "ValueError: refused *** of channel-1, account in channel-2's chat",
        "(1 lines are left out: whose names are in them cannot be told. --with-names has them.)",
    ]


def test_fc_32_with_names_there_are_names_and_still_no_secrets(atp: Atp, full: Path, home: Path) -> None:
    parts = made(atp, home, "--with-names")
    assert leaks(parts, *SECRETS, str(home)) == []
    assert {name for _, name in leaks(parts, *NAMES, "OlderName")} == {*NAMES, "OlderName"}


def test_the_same_input_gives_the_same_bytes_and_the_list_is_true(atp: Atp, full: Path, home: Path) -> None:
    said = atp("support-bundle", "one.zip", "--offline")
    assert atp("support-bundle", "two.zip", "--offline", "--json").code == 0
    assert (home / "one.zip").read_bytes() == (home / "two.zip").read_bytes()
    assert (home / "one.zip").stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(home / "one.zip") as bundle:
        assert bundle.read("MANIFEST.txt").decode() == said.out
        for line in said.out.splitlines():
            sha256, size, name = line.split()
            data = bundle.read(name)
            assert (hashlib.sha256(data).hexdigest(), str(len(data))) == (sha256, size)
        assert {line.split()[2] for line in said.out.splitlines()} == {*bundle.namelist()} - {"MANIFEST.txt"}


def test_as_json_and_what_the_doctor_finds(atp: Atp, full: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from allthepoints.operation import doctor

    async def findings(*_: object, **__: object) -> tuple[object, ...]:
        from allthepoints.core.checkup import Finding, Grade

        return (Finding("token", Grade.OK, "Twitch takes it as other_me's until tomorrow.", ""),)

    monkeypatch.setattr(doctor, "examine", findings)
    result = atp("support-bundle", "--json")
    said = json.loads(result.out)
    assert said["file"] == str(home / "allthepoints-support.zip")
    assert all(part["problem"] is None for part in said["parts"])
    with zipfile.ZipFile(said["file"]) as bundle:
        found = bundle.read("doctor.json").decode()
    assert "Twitch takes it as account's until tomorrow." in found
    assert "token" in found


def test_nothing_is_overwritten_unasked(atp: Atp, full: Path, home: Path) -> None:
    (home / "mine.zip").write_text("mine")
    result = atp("support-bundle", "mine.zip", "--offline")
    assert result.code == 2
    assert result.err.endswith("hint: Name another file, or add --force.\n")
    assert (home / "mine.zip").read_text() == "mine"


def test_where_it_cannot_be_written(atp: Atp, full: Path, home: Path) -> None:
    result = atp("support-bundle", "no/such/folder.zip", "--offline")
    assert result.code == 1
    assert "cannot be written: No such file or directory" in result.err


def test_before_anything_was_made(atp: Atp, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    parts = made(atp, home)
    assert json.loads(parts["database.json"]) == {"there": False}
    assert json.loads(parts["files.json"]) == []
    assert json.loads(parts["status.json"])["running"] is False
    assert not (home / "data").exists(), "a reader makes nothing"


BROKEN = """
[channels]
include = ["alphastream", "typed wrong", "Canary_Typo"]
nonsense = "justwished"
[notify]
urls = ["tgram://12345:CANARYbotKey/987654", 7]
"""


@pytest.mark.parametrize("text", [BROKEN, BROKEN + "\n[oh", 'include = ["alphastream'], ids=["keys", "toml", "quote"])
def test_fc_32_a_broken_config(atp: Atp, full: Path, home: Path, config: Path, text: str) -> None:
    config.write_text(text, encoding="utf-8")
    parts = made(atp, home)
    assert leaks(parts, *SECRETS, "alphastream", "justwished", "Canary_Typo", "typed wrong") == []
    assert "<config>:" in json.loads(parts["config.json"])["error"]
    assert "config.json  (<config>:" in parts["MANIFEST.txt"]
    assert len(json.loads(parts["status.json"])["channels"]) == 2


@pytest.mark.parametrize("how", ["no database", "cut", "a page", "foreign", "folder"])
def test_fc_32_a_database_that_cannot_be_read(atp: Atp, full: Path, home: Path, how: str) -> None:
    database = full / "allthepoints.db"
    data = database.read_bytes()
    if how == "folder":
        database.unlink()
        database.mkdir()
    else:
        database.write_bytes(
            {
                "no database": b"hello, I am no database at all, whatever my name is " * 20,
                "cut": data[: len(data) // 3],
                "a page": data[:4096] + b"\xff" * 40_960 + data[45_056:],
                "foreign": b"SQLite format 3\0" + bytes(4080),
            }[how]
        )
    parts = made(atp, home)
    assert leaks(parts, *SECRETS, *NAMES, "OlderName", "77001", "77002") == []
    assert "error" in json.loads(parts["status.json"]) or how == "foreign"
    assert "the database was empty" in parts["logs/allthepoints.log"], "what names nobody is told"
    assert json.loads(parts["config.json"])["channels"]["include"] == ["channel-1", "channel-2"]
    named = made(atp, home, "--with-names")
    assert "OlderName" in named["logs/allthepoints.log"]
    assert leaks(named, *SECRETS) == []


def test_fc_32_while_the_service_runs(atp: Atp, full: Path, home: Path) -> None:
    from allthepoints.storage.lock import acquire

    with acquire(full / "allthepoints.lock"):
        parts = made(atp, home)
    assert json.loads(parts["status.json"])["running"] is True
    assert leaks(parts, *SECRETS, *NAMES) == []
