"""Durations, paths, the environment, the policy: the small parts of the config."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.base.addresses import IrcAddress, irc_address
from allthepoints.base.errors import UsageError
from allthepoints.config.durations import format_duration, parse_duration
from allthepoints.config.environment import Environment, read_environment
from allthepoints.config.load import parse
from allthepoints.config.paths import DataDir, config_path, data_dir, prepare
from allthepoints.config.policy import policy, session_options
from allthepoints.config.settings import Settings
from allthepoints.core.policy import Policy
from allthepoints.irc.session import SessionOptions


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30.0),
        ("10m", 600.0),
        ("1h", 3600.0),
        ("250ms", 0.25),
        ("1h30m", 5400.0),
        (" 1h 30m ", 5400.0),
        ("1d", 86400.0),
        ("1m5ms", 60.005),
        ("0s", 0.0),
        ("30", None),
        ("", None),
        ("s", None),
        ("1m1h", None),
        ("30 seconds", None),
        ("-5s", None),
        ("1.5h", None),
        ("٣s", None),
        ("9999999999s", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == seconds


@given(st.integers(0, 10**9))
def test_a_duration_is_written_as_it_is_read(thousandths: int) -> None:
    assert parse_duration(format_duration(thousandths / 1000)) == thousandths / 1000


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ircs://irc.chat.twitch.tv:6697", IrcAddress("irc.chat.twitch.tv", 6697, True)),
        ("ircs://irc.chat.twitch.tv/", IrcAddress("irc.chat.twitch.tv", 6697, True)),
        ("irc://[::1]:7000", IrcAddress("::1", 7000, False)),
        ("irc://127.0.0.1", IrcAddress("127.0.0.1", 6667, False)),
        ("irc://localhost", IrcAddress("localhost", 6667, False)),
    ],
)
def test_irc_addresses(url: str, address: IrcAddress) -> None:
    assert irc_address(url) == address


def test_the_defaults_are_the_cores() -> None:
    assert policy(Settings()) == Policy()
    assert session_options(Settings()) == SessionOptions()


def test_the_policy_says_what_the_file_says() -> None:
    text = """
    channels = {followed = false, include = ["a"], exclude = ["b"], priority = ["c"], paused = ["d"], max_rooms = 5}
    poll = {live = "20s", offline_after = "2m", follows = "2h"}
    chat = {rooms_per_connection = 7, ask_timeout = "9s", forced_part_is_ban = false, idle_ping = "11s"}
    """
    got = parse(text, "x").settings
    assert policy(got) == Policy(
        followed=False,
        include=("a",),
        exclude=frozenset({"b"}),
        priority=("c",),
        paused=frozenset({"d"}),
        max_rooms=5,
        poll_live=20.0,
        offline_after=120.0,
        poll_follows=7200.0,
        rooms_per_connection=7,
        ask_timeout=9.0,
        forced_part_is_ban=False,
    )
    assert session_options(got).idle_ping == 11.0


def test_secrets_of_the_environment() -> None:
    got = read_environment(
        {
            "ALLTHEPOINTS_TWITCH_TOKEN": "oauth:T0",
            "ALLTHEPOINTS_TWITCH_REFRESH_TOKEN": " R0\n",
            "ALLTHEPOINTS_TWITCH_CLIENT_SECRET": "",
            "TWITCH_TOKEN": "other",
        }
    )
    assert got.twitch_token is not None
    assert got.twitch_token.reveal() == "T0"
    assert got.twitch_refresh_token is not None
    assert got.twitch_refresh_token.reveal() == "R0"
    assert (got.twitch_client_secret, got.streamelements_jwt) == (None, None)
    assert "T0" not in repr(got)
    assert read_environment({}) == Environment()


def test_places(tmp_path: Path) -> None:
    environ = {"ALLTHEPOINTS_CONFIG": "/e/c.toml", "ALLTHEPOINTS_DATA_DIR": "/e/d"}
    flagged, from_environ, default = (
        config_path("/f/c.toml", environ),
        config_path(None, environ),
        config_path(None, {}),
    )
    assert (flagged.path, flagged.named) == (Path("/f/c.toml"), True)
    assert (from_environ.path, from_environ.named) == (Path("/e/c.toml"), True)
    assert (default.path.name, default.named) == ("config.toml", False)
    assert data_dir(tmp_path, environ).path == tmp_path
    data = data_dir(None, environ)
    assert data.database == Path("/e/d/allthepoints.db")
    assert data.tokens == Path("/e/d/tokens.json")
    assert data.lock == Path("/e/d/allthepoints.lock")
    assert data.log == Path("/e/d/logs/allthepoints.log")
    assert data_dir(None, {}).path.name == "allthepoints"


def test_fc_40_a_missing_data_directory_is_made(tmp_path: Path) -> None:
    data = prepare(DataDir(tmp_path / "a" / "b"))
    assert stat.S_IMODE(data.path.stat().st_mode) == 0o700
    assert prepare(data) == data


def test_fc_40_an_empty_volume_is_enough(tmp_path: Path) -> None:
    assert prepare(DataDir(tmp_path)).path == tmp_path


@pytest.mark.parametrize("below", [".", "data"])
def test_fc_40_a_file_in_its_place(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="file") as caught:
        prepare(DataDir(tmp_path / "file" / below))
    assert "--data-dir" in caught.value.hint


def test_fc_40_another_owners_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kernel would answer to a user without the right; the superuser may write everywhere."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    owner = tmp_path.stat().st_uid
    with pytest.raises(UsageError) as caught:
        prepare(DataDir(tmp_path))
    assert str(caught.value) == f"{tmp_path} belongs to uid {owner} and cannot be written by uid 1000"
    assert f"chown -R 1000 {tmp_path}" in caught.value.hint


def test_fc_40_a_folder_where_none_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(UsageError, match=r"cannot be made by uid \d+: Permission denied"):
        prepare(DataDir(tmp_path / "x"))


def test_the_config_is_cheap_to_import() -> None:
    heavy = "{'httpx2', 'rich', 'typer', 'tomlkit', 'platformdirs', 'apsw', 'asyncio', 'ssl'}"
    code = f"import sys, allthepoints.config.load, allthepoints.config.paths; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
