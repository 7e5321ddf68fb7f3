"""`dashboard password`, and a service that will not listen without one."""

from __future__ import annotations

import io
import json
import stat
from pathlib import Path

import pytest
from cli_home import Atp

from allthepoints.views.web.password import Password

WORDS = "four random words here"


def pipe(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_it_is_piped_in(atp: Atp, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, f"{WORDS}\n")
    result = atp("dashboard", "password")
    assert (result.code, result.out) == (0, "The dashboard's password is set.\n")
    file = home / "data" / "dashboard-password.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert WORDS not in file.read_text()
    assert Password(file).is_right(WORDS)
    assert not Password(file).is_right(f"{WORDS} ")
    pipe(monkeypatch, "another one\r\n")
    assert "everyone is logged out" in atp("dashboard", "password").out
    assert Password(file).is_right("another one")
    assert json.loads(atp("dashboard", "password", "--remove", "--json").out) == {"set": False}
    assert not file.exists()
    assert atp("dashboard", "password", "--remove").out == "The dashboard had no password.\n"


@pytest.mark.parametrize("text", ["", "\n", "short\n", "x" * 501 + "\n"])
def test_what_is_no_password(atp: Atp, home: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    pipe(monkeypatch, text)
    result = atp("dashboard", "password")
    assert result.code == 2
    assert not (home / "data" / "dashboard-password.json").exists()


def test_the_same_password_from_every_keyboard(tmp_path: Path) -> None:
    kept = Password(tmp_path / "p.json")
    kept.set("pässword ﬁ 1")
    assert kept.is_right("pa\u0308ssword fi 1")


def test_fc_43_the_service_refuses_to_listen_for_others_without_one(atp: Atp, config: Path) -> None:
    config.parent.mkdir(parents=True)
    config.write_text('[dashboard]\nlisten = "0.0.0.0:7771"\n')
    result = atp("run")
    assert (result.code, result.out) == (2, "")
    assert "0.0.0.0:7771" in result.err
    assert "hint: Set one with `allthepoints dashboard password`" in result.err
    assert "Traceback" not in result.err
