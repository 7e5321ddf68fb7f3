"""Calling commands in this process, in a home of their own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_home import AT, RECORDS, ROWS, SERVICE, Atp, Result
from points_home import Errands, fill

from allthepoints import wiring
from allthepoints.cli.app import main
from allthepoints.storage.database import Database
from allthepoints.storage.lock import acquire


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's zone is UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`config.toml` and `data` in it are what the commands use. Neither exists yet."""
    for name in ("TWITCH_TOKEN", "TWITCH_REFRESH_TOKEN", "TWITCH_CLIENT_SECRET", "STREAMELEMENTS_JWT"):
        monkeypatch.delenv(f"ALLTHEPOINTS_{name}", raising=False)
    monkeypatch.delenv("ALLTHEPOINTS_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("ALLTHEPOINTS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def config(home: Path) -> Path:
    """The config file that the commands use."""
    return home / "xdg" / "allthepoints" / "config.toml"


@pytest.fixture
def atp(home: Path, capsys: pytest.CaptureFixture[str]) -> Atp:
    """Calls a command."""

    def call(*args: str) -> Result:
        capsys.readouterr()
        code = main(args)
        captured = capsys.readouterr()
        return Result(int(code), captured.out, captured.err)

    return call


@pytest.fixture
def recorded(home: Path) -> Path:
    """A data directory in which a service ran."""
    data = home / "data"
    data.mkdir()
    database = Database(data / "allthepoints.db", AT)
    database.load()
    database.record(RECORDS, AT, channel_rows=ROWS, service=SERVICE)
    database.close()
    return data


@pytest.fixture
def running(recorded: Path) -> Iterator[Path]:
    """The same, and it runs still."""
    with acquire(recorded / "allthepoints.lock"):
        yield recorded


@pytest.fixture
def earned(home: Path) -> Path:
    """A data directory in which a service ran that read points, a store and redemptions."""
    data = home / "data"
    data.mkdir()
    fill(data, SERVICE)
    return data


@pytest.fixture
def earning(earned: Path) -> Iterator[Path]:
    """The same, and it runs still."""
    with acquire(earned / "allthepoints.lock"):
        yield earned


@pytest.fixture
def errands(earned: Path, monkeypatch: pytest.MonkeyPatch) -> Errands:
    """No service runs, and this stands in for it. There is a JWT."""
    stand_in = Errands(earned)
    monkeypatch.setattr(wiring, "errand", stand_in.run, raising=False)
    monkeypatch.setenv("ALLTHEPOINTS_STREAMELEMENTS_JWT", "a.b.c")
    return stand_in
