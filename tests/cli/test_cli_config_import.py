"""`config import`: other programs' files, and what is said of each line."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_home import Atp

ARTICLE = """{
  "bot_username": "me",
  "client_id": "abc123",
  "client_secret": "canary-secret",
  "oauth_token": "oauth:canary-token",
  "channels": ["Alpha", "#beta",
    "https://twitch.tv/gamma"],
  "wait_time": 60,
  "verbose": false
}
"""

MINE = """# mine
[twitch]
client_id = "mine" # my app

[channels]
followed = false # these alone
include = ["beta"]  # a friend
exclude = ["gamma"]

[notify]
urls = ["discord://canary/hook"] # tell me
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def show(atp: Atp) -> Any:
    return json.loads(atp("config", "show", "--json").out)


def test_fc_47_the_article_s_config_becomes_ours(atp: Atp, config: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "config.json", ARTICLE)
    result = atp("config", "import", str(file))
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[:3] == [
        f"{file}:2: bot_username: no longer needed: the sign-in says who you are.",
        f"{file}:3: client_id: taken: as twitch.client_id.",
        f"{file}:4: client_secret: not taken: a secret never stands in the config. An app that is registered as Public "
        "needs none: run `allthepoints login`; for another one give it as ALLTHEPOINTS_TWITCH_CLIENT_SECRET.",
    ]
    assert lines[3].startswith(f"{file}:5: oauth_token: not taken: ")
    assert "ALLTHEPOINTS_TWITCH_TOKEN" in lines[3]
    assert lines[4:10] == [
        f"{file}:6: alpha: taken: into channels.include.",
        f"{file}:6: beta: taken: into channels.include.",
        f"{file}:7: gamma: taken: into channels.include.",
        f'{file}:8: wait_time: taken: as poll.live = "1m".',
        f"{file}:9: verbose: no longer needed: it says little by itself.",
        "",
    ]
    assert lines[10:] == [f"{config}: written, with 3 channels more."]
    assert "canary" not in result.out + result.err + config.read_text()
    assert atp("config", "check").out == f"{config}: can be used.\n"
    shown = show(atp)
    assert shown["twitch"]["client_id"] == "abc123"
    assert shown["channels"]["include"] == ["alpha", "beta", "gamma"]
    assert shown["poll"]["live"] == 60.0
    before = config.read_bytes()
    again = atp("config", "import", str(file))
    assert again.out.endswith(f"\n{config}: nothing to change.\n")
    assert "taken: into" not in again.out
    assert config.read_bytes() == before


def test_it_comes_to_what_is_there_and_comments_stay(atp: Atp, config: Path, tmp_path: Path) -> None:
    write(config, MINE)
    file = write(tmp_path / "config.json", ARTICLE)
    result = atp("config", "import", str(file))
    assert f"{file}:3: client_id: nothing new: twitch.client_id says something else, which stays." in result.out
    assert f"{file}:6: beta: nothing new: in your config already." in result.out
    assert f"{file}:7: gamma: nothing new: your config excludes it, which stays." in result.out
    assert config.read_text() == MINE.replace('["beta"]', '["beta", "alpha"]') + '\n[poll]\nlive = "1m"\n'
    assert "canary" not in result.out + result.err


@pytest.mark.parametrize(("seconds", "live"), [(0, 15.0), (1, 15.0), (15, 15.0), (90.5, 90.5), (86_400, 600.0)])
def test_fc_47_a_time_that_is_not_allowed_becomes_one_that_is(
    atp: Atp, tmp_path: Path, seconds: float, live: float
) -> None:
    file = write(tmp_path / "c.json", json.dumps({"wait_time": seconds, "channels": [], "verbose": False}))
    result = atp("config", "import", str(file))
    assert result.code == 0
    assert show(atp)["poll"]["live"] == live
    assert "the list is empty, so there is nothing to add" in result.out
    assert "names no client id yet" in result.err


def test_of_a_host_on_this_machine_any_time_may_be_asked(atp: Atp, config: Path, tmp_path: Path) -> None:
    write(config, '[endpoints]\nhelix = "http://127.0.0.1:1/helix"\n')
    assert atp("config", "import", str(write(tmp_path / "c.json", '{"wait_time": 0.5}'))).code == 0
    assert show(atp)["poll"]["live"] == 0.5


def test_fc_07_a_plain_list(atp: Atp, config: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "names.txt", "\ufeff# mine\n#Alpha\nbeta, gamma  # friends\n\nhttps://twitch.tv/alpha\n")
    result = atp("config", "import", str(file), "--json")
    plain = json.loads(result.out)
    assert plain.pop("lines") == [
        {"line": 1, "what": "#", "outcome": "ignored", "text": "a comment"},
        {"line": 2, "what": "alpha", "outcome": "taken", "text": "into channels.include"},
        {"line": 3, "what": "beta", "outcome": "taken", "text": "into channels.include"},
        {"line": 3, "what": "gamma", "outcome": "taken", "text": "into channels.include"},
        {"line": 5, "what": "alpha", "outcome": "kept", "text": "named twice"},
    ]
    assert plain == {
        "file": str(file),
        "config": str(config),
        "dry_run": False,
        "written": True,
        "added": ["alpha", "beta", "gamma"],
        "result": None,
    }
    assert "followed = false" in result.err


def test_two_thousand_names(atp: Atp, tmp_path: Path) -> None:
    file = write(tmp_path / "names.txt", "\n".join(f"name{at}" for at in range(2_000)))
    assert "with 2,000 channels more" in atp("config", "import", str(file)).out
    assert len(show(atp)["channels"]["include"]) == 2_000


def test_dry_run_writes_nothing_and_shows_what_it_comes_to(atp: Atp, config: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "config.json", ARTICLE)
    fresh = atp("config", "import", str(file), "--dry-run")
    assert not config.exists()
    assert 'include = ["alpha", "beta", "gamma"]' in fresh.out
    write(config, MINE)
    result = atp("config", "import", str(file), "--dry-run")
    assert result.out.endswith(
        f"Nothing was written. {config} would change so:\n\n"
        '-include = ["beta"]  # a friend\n+include = ["beta", "alpha"]  # a friend\n+\n+[poll]\n+live = "1m"\n'
    )
    assert config.read_text() == MINE
    plain = json.loads(atp("config", "import", str(file), "--dry-run", "--json").out)
    assert (plain["written"], plain["dry_run"], plain["added"]) == (False, True, ["alpha"])
    assert '+live = "1m"' in plain["result"]
    assert "canary" not in fresh.out + result.out + json.dumps(plain)


BAD = [
    ('{\n"channels": ["alpha", 5]}', ":2: channels[2]: expected a name in quotes, found 5", "One name a line"),
    ('{"wait_time": "60"}', ":1: wait_time: expected seconds, found a text", "such as 60"),
    ('{"client_id": "x\\"\\n[notify]\\nurls = []"}', ":1: client_id: expected a client id", "Copy it"),
    ("alpha\nアルファ", ':2: "アルファ" is not a channel: it looks like a display name', ""),
    ("[channels]\n", ":1: this is TOML", "--config"),
    ('{"oauth_token": "canary', ":1: this is not JSON", "double quotes"),
    ("oauth_token=canary\n", ":1: a setting seems to stand here", ""),
    ("", ": there is nothing in it", ""),
]


@pytest.mark.parametrize(("text", "where", "cure"), BAD)
def test_a_file_that_cannot_be_taken_is_refused_whole(
    atp: Atp, config: Path, tmp_path: Path, text: str, where: str, cure: str
) -> None:
    file = write(tmp_path / "bad", text)
    result = atp("config", "import", str(file))
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {file}{where}")
    assert cure.lower() in result.err.lower()
    assert "canary" not in result.err
    assert not config.exists()


def test_files_that_are_none(atp: Atp, config: Path, tmp_path: Path) -> None:
    assert "there is no such file" in atp("config", "import", str(tmp_path / "missing")).err
    assert "this is a folder" in atp("config", "import", str(tmp_path)).err
    assert "too large" in atp("config", "import", "/dev/zero").err
    assert atp("config", "import", "\0").code == 2
    assert atp("config", "import").code == 2
    assert not config.exists()


def test_a_config_that_cannot_be_used_stays_as_it_is(atp: Atp, config: Path, tmp_path: Path) -> None:
    write(config, "[channels\n")
    result = atp("config", "import", str(write(tmp_path / "names", "alpha\n")))
    assert (result.code, result.out) == (2, "")
    assert f"{config}:1: this is not TOML" in result.err
    assert config.read_text() == "[channels\n"


def test_standard_input_and_a_running_service(
    atp: Atp, running: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"alpha\n")))
    result = atp("config", "import", "-")
    assert result.out.startswith("standard input:1: alpha: taken")
    assert "The running service takes it up by itself." in result.err
