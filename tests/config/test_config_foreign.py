"""Files of other programs: what is taken of them, and what is refused."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allthepoints.base.errors import ConfigError
from allthepoints.config.foreign import MOST_BYTES, read_foreign

ARTICLE = {
    "bot_username": "me",
    "client_id": "abc123",
    "client_secret": "canary-secret",
    "oauth_token": "oauth:canary-token",
    "channels": ["alpha", "#Beta"],
    "wait_time": 60,
    "verbose": True,
}


def as_json(**more: object) -> bytes:
    return json.dumps({**ARTICLE, **more}, indent=1).encode()


def outcomes(data: bytes) -> dict[str, str]:
    return {remark.what: remark.outcome for remark in read_foreign(data, "f").remarks}


def test_fc_47_the_article_s_config() -> None:
    found = read_foreign(as_json(), "config.json")
    assert found.client_id == (3, "abc123")
    assert found.live == (10, 60.0)
    assert found.logins == [(7, "alpha"), (8, "beta")]
    assert outcomes(as_json()) == {
        "bot_username": "not_needed",
        "client_secret": "not_taken",
        "oauth_token": "not_taken",
        "verbose": "not_needed",
    }
    assert "canary" not in repr(found)


def test_fc_47_false_zero_and_an_empty_list_are_values() -> None:
    found = read_foreign(as_json(verbose=False, wait_time=0, channels=[]), "f")
    assert found.live == (7, 0.0)
    assert found.logins == []
    said = {remark.what: (remark.outcome, remark.text) for remark in found.remarks}
    assert said["channels"] == ("taken", "the list is empty, so there is nothing to add")
    assert said["verbose"] == ("not_needed", "it says little by itself")


def test_null_and_unknown_keys_are_ignored_and_other_secrets_not_taken() -> None:
    data = as_json(channels=None, colour="canary", refresh_token="canary", **{"odd \x1b[2J key": 1})
    assert outcomes(data) | {"x": ""} == {
        "bot_username": "not_needed",
        "client_secret": "not_taken",
        "oauth_token": "not_taken",
        "verbose": "not_needed",
        "channels": "ignored",
        "colour": "ignored",
        "refresh_token": "not_taken",
        '"odd \\u001b[2J key"': "ignored",
        "x": "",
    }


def test_of_a_key_that_is_there_twice_the_last_one_counts() -> None:
    found = read_foreign(b'{"wait_time": 30,\n"channels": ["a"],\n"channels": ["b"],\n"wait_time": 40}', "f")
    assert found.live == (4, 40.0)
    assert found.logins == [(3, "b")]
    assert [remark.line for remark in found.remarks] == [1, 2]


LISTS = [
    ("alpha\nbeta\n", ["alpha", "beta"]),
    ("\ufeff# my streamers\r\n#Alpha\r\n\r\n  beta  # a friend\r\n", ["alpha", "beta"]),
    ("https://www.twitch.tv/Alpha?x=1, @beta,'gamma',,\ntwitch.tv/delta", ["alpha", "beta", "gamma", "delta"]),
    ("#alpha, #beta,#gamma", ["alpha", "beta", "gamma"]),
    ("#my, favourites\n# a, b\n#\n##\nalpha", ["alpha"]),
    ('["Alpha", "#beta"]', ["alpha", "beta"]),
    ("alpha\nALPHA\n#alpha", ["alpha", "alpha", "alpha"]),
]


@pytest.mark.parametrize(("text", "expected"), LISTS)
def test_fc_07_lists_of_names(text: str, expected: list[str]) -> None:
    assert [login for _, login in read_foreign(text.encode(), "f").logins] == expected


def check(data: bytes, where: str, cure: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_foreign(data, "f")
    assert where in str(caught.value)
    assert cure in caught.value.hint
    assert "canary" not in str(caught.value) + caught.value.hint


HOSTILE = [
    ("huge", b"a" * (MOST_BYTES + 1), "f: this is too large", "one name a line"),
    ("many", b"a\n" * 6000, "f: 6,000 channels", "100 chats"),
    ("binary", b"alpha\n\x00\x01", "f:2: this is not text", "one name a line"),
    ("image", b"\x89PNG\r\n\x1a\n\x00", "f:1: this is not UTF-8", "Save the file as UTF-8"),
    ("latin", "alpha\nmüller".encode("latin-1"), "f:2: this is not UTF-8", "Save the file as UTF-8"),
    ("utf16", "alpha".encode("utf-16"), "f:1: this is UTF-16", "Save the file as UTF-8"),
    ("empty", b" \n", "f: there is nothing in it", "one name a line"),
    ("toml", b"# mine\n[channels]\ninclude = []", "f:2: this is TOML", "--config"),
    ("toml head", b'[twitch]\nclient_id = "x"', "f:1: this is TOML", "--config"),
    ("deep", b"[" * 100_000, "f: this is nested too deeply", "flat"),
    ("deep value", b'{"channels": ' + b"[" * 60_000, "f: this is nested too deeply", "flat"),
    ("cut", b'{"oauth_token": "canary', "f:1: this is not JSON", "double quotes"),
    ("comma", b'{\n"channels": ["a",]\n}', "f:2: this is not JSON", "comma"),
    ("infinite", b'{"wait_time": Infinity}', "f: it holds a number that is none", "60"),
    ("long number", b'{"wait_time": ' + b"9" * 10_000 + b"}", "f: it holds a number that is none", "60"),
    ("no number", b'{"wait_time": 1e999}', "f:1: wait_time: expected seconds", "60"),
    ("negative", b'{"wait_time": -1}', "f:1: wait_time: expected seconds, found -1", "60"),
    ("text", b'{\n"wait_time": "canary"}', "f:2: wait_time: expected seconds, found a text", "60"),
    ("flag", b'{"wait_time": true}', "f:1: wait_time: expected seconds, found true", "60"),
    ("id", b'{"client_id": 5}', "f:1: client_id: expected a client id", "page of your app"),
    ("id text", b'{"client_id": "oauth:canary"}', "f:1: client_id: expected a client id", "page of your app"),
    ("toml in id", b'{"client_id": "a\\"\\n[notify]"}', "f:1: client_id: expected a client id", "page of your app"),
    ("string", b'{"channels": "canary"}', 'f:1: channels: expected a list such as ["alpha"], found a text', ""),
    (
        "numbers",
        b'{"channels": [\n"a",\n5,\n["b"]]}',
        "f:3: channels[2]: expected a name",
        "one name a line",
    ),
    ("toml in name", b'["a\\"]\\nx = 1"]', "f:1: [1]: a setting", "one name a line"),
    ("display", '["アルファ"]'.encode(), "display name", ""),
    ("surrogate", b'["\\ud800"]', "f:1: [1]: ", ""),
    ("token", b"alpha\noauth:canary", "f:2: a setting", "one name a line"),
    ("env", b"TOKEN=canary", "f:1: a setting", "one name a line"),
    ("a token alone", b"canary7canary7canary7canary7canary", "f:1: an entry looks like a secret", "Take it out"),
    ("words", b"alpha beta", 'f:1: "alpha beta" is not a channel', "commas between"),
    ("foreign", b"https://www.youtube.com/x", "not of a Twitch channel", ""),
]


@pytest.mark.parametrize(("data", "where", "cure"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_what_cannot_be_taken_is_refused_with_place_and_cure(data: bytes, where: str, cure: str) -> None:
    check(data, where, cure)


def test_all_that_is_wrong_is_told_at_once_to_a_bound() -> None:
    with pytest.raises(ConfigError) as caught:
        read_foreign(b"a b\n" * 30, "f")
    lines = str(caught.value).split("\n")
    assert (len(lines), lines[-1]) == (21, "f: and 10 more")


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=80).map(str.encode), st.builds(
    lambda value: json.dumps(value).encode(),
    st.dictionaries(
        st.sampled_from([*ARTICLE, "other"]),
        st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=8), st.lists, max_leaves=5),
    ),
)))  # fmt: skip
def test_any_file_is_read_or_a_config_error(data: bytes) -> None:
    with contextlib.suppress(ConfigError):
        read_foreign(data, "f")
