"""`config` and `channels`: reading and changing the settings; and the table of bad input."""

import json
from pathlib import Path

import pytest
from cli_home import AT, Atp

from allthepoints.storage.database import Database


def write(config: Path, text: str) -> Path:
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(text, encoding="utf-8")
    return config


def test_path(atp: Atp, config: Path) -> None:
    result = atp("config", "path")
    assert (result.code, result.out) == (0, f"{config}\n")
    assert "no such file yet" in result.err
    plain = json.loads(atp("config", "path", "--json").out)
    assert plain["config"] == str(config)
    assert plain["exists"] is False
    assert atp("config", "path", "--config", "/elsewhere/c.toml").out == "/elsewhere/c.toml\n"


def test_show_is_a_config_that_says_the_same(atp: Atp, config: Path) -> None:
    write(config, '[channels]\ninclude = ["#Alpha"]\n[poll]\nlive = "45s"\n')
    shown = atp("config", "show")
    assert 'include = ["alpha"]' in shown.out
    assert json.loads(atp("config", "show", "--json").out)["poll"]["live"] == 45.0
    write(config, shown.out)
    assert atp("config", "show").out == shown.out


def test_show_hides_what_is_secret(atp: Atp, config: Path) -> None:
    write(config, '[notify]\nurls = ["discord://canary-T0/hook"]\n')
    for args in (["config", "show"], ["config", "show", "--json"]):
        result = atp(*args)
        assert "canary" not in result.out + result.err
        assert "***" in result.out


def test_check(atp: Atp, config: Path) -> None:
    assert atp("config", "check").out == f"{config}: there is no such file yet; the defaults are used.\n"
    write(config, '[twitch]\nclient_id = "abc"\n')
    result = atp("config", "check")
    assert (result.code, result.out, result.err) == (0, f"{config}: can be used.\n", "")


def test_check_another_file(atp: Atp, tmp_path: Path) -> None:
    other = write(tmp_path / "other.toml", "[poll]\nliv = 1\n")
    result = atp("config", "check", str(other))
    assert (result.code, result.out) == (2, "")
    assert f"{other}:2: poll.liv: unknown key; did you mean live?" in result.err
    missing = atp("config", "check", str(tmp_path / "missing.toml"))
    assert missing.code == 2
    assert "there is no such file" in missing.err


def test_fc_11_check_warns_above_the_account_s_rooms(atp: Atp, config: Path) -> None:
    write(config, "[channels]\nmax_rooms = 300\n")
    result = atp("config", "check")
    assert result.code == 0
    assert result.err == (
        f"warning: {config}:2: channels.max_rooms: 300 is more than 100 (Twitch lets an account be in 100 rooms); "
        "100 is used\n"
    )
    assert json.loads(atp("config", "check", "--json").out)["warnings"]


BAD = [
    ("[poll]\nlive = 30\n", ":2: poll.live: expected a duration", '"30s"'),
    ('[poll]\nlive = "1s"\n', ":2: poll.live: expected a duration", "politeness"),
    ('[pol]\nlive = "1m"\n', ":1: pol: unknown section; did you mean [poll]?", ""),
    ("[channels]\ninclud = []\n", ":2: channels.includ: unknown key; did you mean include?", ""),
    ('[channels]\ninclude = [\n  "alpha",\n  "アルファ",\n]\n', ":4: channels.include", "display name"),
    ('[channels]\ninclude = ["https://www.youtube.com/x"]\n', ":2: channels.include", "not of a Twitch channel"),
    ('[endpoints]\nirc = "irc://irc.chat.twitch.tv:6667"\n', ":2: endpoints.irc", "in clear"),
    ('[endpoints]\nhelix = "http://example.org/helix"\n', ":2: endpoints.helix", "in clear"),
    ('[twitch]\ntoken = "canary"\n', ":2: twitch.token: a secret stands here", "ALLTHEPOINTS_TWITCH_TOKEN"),
    ("[channels\n", ":1: this is not TOML", "quotes"),
]


@pytest.mark.parametrize(("text", "where", "more"), BAD)
@pytest.mark.parametrize("command", [("config", "check"), ("config", "show"), ("channels",), ("run",)])
def test_bad_config_is_told_with_line_key_and_cure(
    atp: Atp, config: Path, command: tuple[str, ...], text: str, where: str, more: str
) -> None:
    write(config, text)
    result = atp(*command)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {config}{where}")
    assert more in result.err
    assert "canary" not in result.err
    assert config.read_text(encoding="utf-8") == text


def test_bad_config_as_json(atp: Atp, config: Path) -> None:
    write(config, '[poll]\nlive = 30\nliv = "1m"\n')
    result = atp("config", "check", "--json")
    plain = json.loads(result.out)
    assert result.code == 2
    assert plain["ok"] is False
    assert len(plain["errors"]) == 2


def test_a_named_config_must_exist(atp: Atp, home: Path) -> None:
    result = atp("channels", "--config", str(home / "nope.toml"))
    assert result.code == 2
    assert "there is no such file" in result.err


# -- channels ------------------------------------------------------------------------------------------------------
def test_fc_07_names_are_understood(atp: Atp, config: Path) -> None:
    result = atp("channels", "add", "#Alpha", " beta ", "https://www.twitch.tv/gamma?x=1", "alpha")
    assert result.code == 0
    assert result.out == "alpha is meant now.\nbeta is meant now.\ngamma is meant now.\n"
    assert 'include = ["alpha", "beta", "gamma"]' in config.read_text()
    assert atp("channels", "add", "ALPHA").out == "alpha was meant already.\n"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("アルファ", "it looks like a display name"),
        ("", "it is empty"),
        ("a b", "a login has only a-z, 0-9 and _"),
        ("x" * 26, "a login has at most 25 characters, this has 26"),
        ("https://example.org/alpha", "it is an address, but not of a Twitch channel"),
    ],
)
@pytest.mark.parametrize("command", ["add", "remove", "pause", "resume"])
def test_what_is_no_login_is_refused_with_the_reason(
    atp: Atp, config: Path, command: str, name: str, reason: str
) -> None:
    result = atp("channels", command, "alpha", name)
    assert (result.code, result.out) == (2, "")
    assert f"{name!r} is not a channel: {reason}" in result.err
    assert not config.exists(), "one bad name, and nothing is changed"


def test_comments_are_kept(atp: Atp, config: Path) -> None:
    write(config, '# mine\n[channels]\ninclude = ["beta"]  # a friend\n')
    atp("channels", "add", "alpha")
    text = config.read_text()
    assert text.startswith("# mine\n")
    assert "# a friend" in text


def test_pause_and_resume(atp: Atp, config: Path) -> None:
    assert atp("channels", "pause", "alpha").out == "alpha is paused.\n"
    assert atp("channels", "pause", "alpha").out == "alpha was paused already.\n"
    assert 'paused = ["alpha"]' in config.read_text()
    plain = json.loads(atp("channels", "resume", "alpha", "--json").out)
    assert plain == {
        "config": str(config),
        "changed": [{"list": "paused", "login": "alpha", "present": False}],
    }
    assert atp("channels", "resume", "alpha").out == "alpha was not paused.\n"


def test_adding_ends_exclusion_and_pause(atp: Atp, config: Path) -> None:
    write(config, '[channels]\nexclude = ["alpha"]\npaused = ["alpha"]\n')
    atp("channels", "add", "alpha")
    text = config.read_text()
    assert "exclude = []" in text
    assert "paused = []" in text


def test_removing_a_followed_channel_tells_what_is_left(atp: Atp, recorded: Path) -> None:
    result = atp("channels", "remove", "alpha")
    assert result.out == "alpha was not in your include list.\n"
    assert "`allthepoints channels pause alpha`" in result.err


def test_fc_03_resume_asks_a_refused_chat_again(atp: Atp, running: Path) -> None:
    result = atp("channels", "resume", "beta", "alpha")
    assert "beta's chat was closed to you; it is asked again." in result.err
    assert "alpha's chat" not in result.err
    database = Database(running / "allthepoints.db", AT)
    requests = database.requests()
    database.close()
    assert [(request.kind, request.login) for request in requests] == [("retry", "beta")]


def test_a_running_service_takes_it_up(atp: Atp, running: Path) -> None:
    assert atp("channels", "add", "delta").err == "The running service takes it up by itself.\n"


def test_list_of_nothing_teaches(atp: Atp) -> None:
    assert "allthepoints channels add NAME" in atp("channels").out
    assert json.loads(atp("channels", "list", "--json").out) == []


def test_list(atp: Atp, running: Path, config: Path) -> None:
    write(config, '[channels]\ninclude = ["gamma", "delta"]\npaused = ["gamma"]\n')
    assert atp("channels").out == atp("channels", "list").out
    assert [line.split("  ")[0] for line in atp("channels").out.splitlines()[1:]] == [
        "✕ refused",
        "● present",
        "? unknown",
        "– offline",
    ]
    plain = {c["login"]: c for c in json.loads(atp("channels", "--json").out)}
    assert set(plain) == {"alpha", "beta", "gamma", "delta"}
    assert plain["alpha"]["followed"] is True
    assert plain["alpha"]["state"] == "present"
    assert (plain["gamma"]["included"], plain["gamma"]["paused"], plain["gamma"]["id"]) == (True, True, "3")
    assert plain["delta"]["id"] is None
    assert plain["delta"]["live"] is None
