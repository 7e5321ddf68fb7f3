"""`doctor` as a person and as a program sees it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_home import Atp
from rich.cells import cell_len
from sandbox_thread import RunningSandbox, running_sandbox

from allthepoints.cli import output
from allthepoints.core.checkup import NAMES, Finding, Grade, fault, ok, warning
from allthepoints.sim.scenario import Scenario
from allthepoints.storage.lock import acquire
from allthepoints.views.checkup import CHECKUP, headline, lines

FINDINGS = (
    ok("config", "/c.toml can be used."),
    warning("data_dir", "Other users may look into it, who have no business there at all, as far as is known here."),
    ok("helix.tcp", "Port 443 answers, by IPv4."),
    fault("token", "You are not\x1b[31m signed in\nto Twitch.", "Sign in with `allthepoints login`."),
)


# -- how it is shown -------------------------------------------------------------------------------------------------
def test_every_line_with_its_cure() -> None:
    assert list(lines(FINDINGS, 60, False)) == [
        "1 fault and 1 warning in 4 checks.",
        "",
        "This machine",
        "  ● ok       config      /c.toml can be used.",
        "  ◐ warning  directory   Other users may look into it, who",
        "                         have no business there at all, as",
        "                         far as is known here.",
        "",
        "Who is live (Helix)",
        "  ● ok       TCP         Port 443 answers, by IPv4.",
        "",
        "Your sign-ins",
        "  ✕ fault    token       You are not[31m signed in to",
        "                         Twitch.",
        "                         Cure: Sign in with `allthepoints",
        "                         login`.",
        "",
        "Faults: token. Warnings: data_dir.",
    ]
    assert list(lines(FINDINGS, None, True))[3:5] == [
        "  * ok       config      /c.toml can be used.",
        "  ~ warning  directory   " + FINDINGS[1].text,
    ]


@pytest.mark.parametrize(
    ("grades", "text"),
    [
        ("oo", "All is well: 2 checks, nothing found."),
        ("ow", "It works, with 1 warning in 2 checks."),
        ("of", "1 fault in 2 checks."),
        ("ffw", "2 faults and 1 warning in 3 checks."),
    ],
)
def test_headline(grades: str, text: str) -> None:
    kinds = {"o": Grade.OK, "w": Grade.WARNING, "f": Grade.FAULT}
    assert headline([Finding("disk", kinds[letter], ".") for letter in grades]) == text


def test_every_name_has_a_place_on_the_screen() -> None:
    shown = list(lines([ok(name, f"<{name}>") for name in NAMES], 80, False))
    assert all(any(f"<{name}>" in line for line in shown) for name in NAMES)


def test_json_shape() -> None:
    assert CHECKUP.of(FINDINGS)["ok"] is False
    assert CHECKUP.of(FINDINGS[:3])["ok"] is True


# -- the command -----------------------------------------------------------------------------------------------------
@pytest.fixture
def box(config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with running_sandbox(Scenario()) as running:
        config.parent.mkdir(parents=True)
        config.write_text(running.config + '[dashboard]\nlisten = ""\n')
        yield running


@pytest.fixture
def given(box: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Good tokens, in the environment."""
    pair = box.call(lambda sandbox: sandbox.issue_tokens())
    tokens = {
        "ALLTHEPOINTS_TWITCH_TOKEN": pair.access,
        "ALLTHEPOINTS_TWITCH_REFRESH_TOKEN": pair.refresh,
        "ALLTHEPOINTS_STREAMELEMENTS_JWT": box.call(lambda sandbox: sandbox.issue_jwt()),
    }
    for name, text in tokens.items():
        monkeypatch.setenv(name, text)
    return tokens


def test_all_is_well(atp: Atp, box: RunningSandbox, given: dict[str, str]) -> None:
    result = atp("doctor")
    assert (result.code, result.err) == (0, ""), result.out
    assert result.out.startswith("All is well: 28 checks, nothing found.\n")
    assert "The chat welcomed me" in result.out
    assert not [text for text in given.values() if text in result.out]


def test_json_and_stable_names(atp: Atp, box: RunningSandbox, given: dict[str, str]) -> None:
    result = atp("doctor", "--json")
    plain = json.loads(result.out)
    assert (result.code, plain["ok"]) == (0, True)
    assert all({*one} == {"name", "grade", "text", "cure"} for one in plain["checks"])
    assert [one["name"] for one in plain["checks"]] == [*NAMES]


def test_a_fault_is_exit_code_1(atp: Atp, box: RunningSandbox) -> None:
    result = atp("doctor", "--json")
    plain = json.loads(result.out)
    assert (result.code, plain["ok"]) == (1, False)
    assert [one["name"] for one in plain["checks"] if one["grade"] == "fault"] == ["token"]


def test_warnings_alone_are_exit_code_0(atp: Atp, box: RunningSandbox, given: dict[str, str], home: Path) -> None:
    (home / "data").mkdir(mode=0o755)
    (home / "data").chmod(0o755)
    result = atp("doctor")
    assert result.code == 0
    assert result.out.startswith("It works, with 1 warning in 28 checks.\n")
    assert f"Cure: chmod 700 {home / 'data'}" in result.out
    assert list((home / "data").iterdir()) == []


def test_a_config_that_cannot_be_used_is_a_fault_like_others(atp: Atp, config: Path, home: Path) -> None:
    config.parent.mkdir(parents=True)
    config.write_text('[twitch]\nclient_secret = "canary"\n')
    result = atp("doctor")
    assert result.code == 1
    assert "✕ fault    config" in result.out
    assert "canary" not in result.out + result.err


def test_a_file_in_the_place_of_the_data_directory(atp: Atp, box: RunningSandbox, home: Path) -> None:
    (home / "data").write_text("x")
    result = atp("doctor", "--json")
    checks = {one["name"]: one for one in json.loads(result.out)["checks"]}
    assert result.code == 1
    assert checks["data_dir"]["text"] == f"{home / 'data'} is a file, where the data directory is expected."


def test_beside_a_running_service(atp: Atp, box: RunningSandbox, given: dict[str, str], home: Path) -> None:
    (home / "data").mkdir(mode=0o700)
    with acquire(home / "data" / "allthepoints.lock"):
        first, second = atp("doctor", "--json"), atp("doctor", "--chat", "--json")
    texts = [
        next(one["text"] for one in json.loads(result.out)["checks"] if one["name"] == "chat.welcome")
        for result in (first, second)
    ]
    assert texts[0].startswith(f"The service (process {os.getpid()}) has not told of its connections.")
    assert texts[1].startswith("The chat welcomed me")
    assert box.call(lambda sandbox: sandbox.tally().logins) == 1


def test_no_secret_is_shown_whatever_fails(
    atp: Atp, box: RunningSandbox, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canaries = {
        "ALLTHEPOINTS_TWITCH_TOKEN": "canary0token0aaaaaaaaaaaaaaaaaa",
        "ALLTHEPOINTS_TWITCH_REFRESH_TOKEN": "canary0refresh0aaaaaaaaaaaaaaaa",
        "ALLTHEPOINTS_TWITCH_CLIENT_SECRET": "canary0client0aaaaaaaaaaaaaaaaa",
        "ALLTHEPOINTS_STREAMELEMENTS_JWT": "canary0jwt.canary0jwt.canary0jwt",
        "HTTPS_PROXY": "http://canary0user:canary0password@127.0.0.1:1",
    }
    for name, text in canaries.items():
        monkeypatch.setenv(name, text)
    (home / "data").mkdir(mode=0o700)
    (home / "data" / "tokens.json").write_text('{"access": "canary0file", "refresh": 7')
    (home / "data" / "streamelements-token.json").write_text('{"jwt": "canary0file"')
    for fault_name in ("", "status", "reset_http", "body"):
        if fault_name:
            box.fault(fault_name, n=20)
        for args in (("doctor",), ("doctor", "--json"), ("doctor", "--chat", "-v")):
            result = atp(*args)
            assert result.code == 1
            assert "canary" not in result.out + result.err


def test_it_fits_80_columns(
    atp: Atp, box: RunningSandbox, given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "width", lambda: 80)
    result = atp("doctor")
    long = [line for line in result.out.splitlines() if cell_len(line) > 80 and not re.search(r"\S{50}", line)]
    assert long == [], "only a path may be longer"
    assert result.err.startswith("Looking; it takes at most 21 s.")
