"""`config init`: three questions, and a config with comments."""

from __future__ import annotations

import io
import json
import stat
import sys
from pathlib import Path

import pytest
from cli_home import Atp

from allthepoints.config.load import load


class Person(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


def answers(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", Person("".join(f"{line}\n" for line in lines)))


def test_three_questions(atp: Atp, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "abc123", "Alpha, #beta", "off")
    result = atp("config", "init")
    assert (result.code, result.out) == (0, f"{config}: written.\n")
    assert [
        text for text in ("1 of 3", "2 of 3", "3 of 3", "dev.twitch.tv/console/apps") if text not in result.err
    ] == []
    settings = load(config).settings
    assert settings.twitch.client_id == "abc123"
    assert (settings.channels.followed, settings.channels.include) == (False, ("alpha", "beta"))
    assert settings.dashboard.listen == ""
    assert config.read_text().count("\n# ") > 20, "it has comments"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    check = atp("config", "check")
    assert (check.code, check.err) == (0, "")


def test_nothing_but_enter(atp: Atp, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "", "", "")
    result = atp("config", "init")
    assert result.code == 0
    assert "Put the client id under [twitch] when you have it." in result.err
    settings = load(config).settings
    assert (settings.channels.followed, settings.dashboard.listen) == (True, "127.0.0.1:7771")


def test_an_answer_that_makes_no_sense_is_asked_again(atp: Atp, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "oauth:abc", "abc", "アルファ", "", "nowhere", "0.0.0.0:80")
    result = atp("config", "init")
    assert result.code == 0
    assert result.err.count("a client id has only letters and digits") == 1
    assert "it looks like a display name" in result.err
    assert "the dashboard cannot listen there" in result.err
    assert "`allthepoints dashboard password`" in result.err
    assert load(config).settings.dashboard.listen == "0.0.0.0:80"


def test_it_does_not_ask_for_ever(atp: Atp, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, *["a b"] * 9)
    assert atp("config", "init").code == 2
    assert not config.exists()


def test_without_a_terminal_options_answer(atp: Atp, config: Path) -> None:
    result = atp("config", "init", "--client-id", "abc", "--channels", "a,b", "--dashboard", "off")
    assert (result.code, result.out) == (0, f"{config}: written.\n")
    assert load(config).settings.channels.include == ("a", "b")
    assert "1 of 3" not in result.err


def test_without_a_terminal_and_options_it_says_what_to_give(atp: Atp, config: Path) -> None:
    result = atp("config", "init")
    assert (result.code, result.out) == (2, "")
    assert "\n\nhint: Give it: allthepoints config init --client-id ID" in result.err
    assert not config.exists()


def test_an_option_is_not_asked(atp: Atp, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "", "")
    result = atp("config", "init", "--client-id", "abc")
    assert "1 of 3" not in result.err
    assert load(config).settings.twitch.client_id == "abc"


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        ("--client-id", 'x"\n[notify]', "a client id has only letters and digits"),
        ("--channels", "a,https://example.org/b", "not of a Twitch channel"),
        ("--dashboard", "here", "the dashboard cannot listen there"),
    ],
)
def test_options_that_make_no_sense_are_refused(atp: Atp, config: Path, option: str, text: str, words: str) -> None:
    given = {"--client-id": "abc", option: text}
    result = atp("config", "init", *[part for pair in given.items() for part in pair])
    assert result.code == 2
    assert words in result.err
    assert not config.exists()


@pytest.mark.parametrize("broken", [False, True])
def test_what_is_there_is_never_replaced(atp: Atp, config: Path, broken: bool) -> None:
    config.parent.mkdir(parents=True)
    if broken:
        config.symlink_to("nowhere")
    else:
        config.write_text("# mine\n")
    result = atp("config", "init", "--client-id", "abc")
    assert (result.code, result.out) == (2, "")
    assert f"{config} is there already, and is not replaced" in result.err
    assert config.is_symlink() if broken else config.read_text() == "# mine\n"


def test_as_json_at_a_named_place(atp: Atp, home: Path) -> None:
    path = home / "deep" / "atp.toml"
    result = atp("config", "init", "--client-id", "abc", "--json", "--config", str(path))
    assert json.loads(result.out) == {"config": str(path), "written": True}
    assert load(path).settings.twitch.client_id == "abc"


def test_what_is_added_later_stands_where_it_belongs(atp: Atp, config: Path) -> None:
    atp("config", "init", "--client-id", "abc")
    before = config.read_text()
    atp("channels", "add", "alpha")
    atp("channels", "priority", "alpha")
    atp("channels", "pause", "beta")
    assert config.read_text() == before.replace("include = []", 'include = ["alpha"]').replace(
        "priority = []", 'priority = ["alpha"]'
    ).replace("paused = []", 'paused = ["beta"]')
    atp("wish", "add", "alpha", "A mug")
    atp("wish", "remove", "alpha", "A mug")
    assert atp("config", "check").code == 0
