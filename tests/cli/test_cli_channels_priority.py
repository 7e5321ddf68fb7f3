"""`channels priority`: who gets a room first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_home import Atp

from allthepoints.config.load import load

START = '[channels]\npriority = [\n    "alpha",  # the best\n    "beta",\n    "gamma",  # art\n]\n'


@pytest.fixture
def ordered(config: Path) -> Path:
    config.parent.mkdir(parents=True)
    config.write_text(START)
    return config


CASES = [
    ("gamma", "gamma alpha beta", "gamma is number 1 now, and was number 3."),
    ("#Delta https://twitch.tv/gamma", "delta gamma alpha beta", "delta is number 1 now."),
    ("--first beta", "beta alpha gamma", "beta is number 1 now, and was number 2."),
    ("--last alpha", "beta gamma alpha", "alpha is number 3 now, and was number 1."),
    ("--position 2 gamma", "alpha gamma beta", "gamma is number 2 now, and was number 3."),
    ("--position 9 alpha delta", "beta gamma alpha delta", "delta is number 4 now."),
    ("alpha beta gamma", "alpha beta gamma", "alpha is number 1."),
    ("--only gamma alpha", "gamma alpha", "beta is not in the order any more."),
    ("--remove beta", "alpha gamma", "beta is not in the order any more."),
    ("--remove delta", "alpha beta gamma", "delta was not in the order."),
]


@pytest.mark.parametrize(("args", "order", "said"), CASES)
def test_the_order(atp: Atp, ordered: Path, args: str, order: str, said: str) -> None:
    result = atp("channels", "priority", *args.split())
    assert result.code == 0
    assert said in result.out.splitlines()
    assert result.out.endswith(f"The order: {', '.join(order.split())}.\n")
    assert load(ordered).settings.channels.priority == tuple(order.split())
    text = ordered.read_text()
    assert '"gamma",  # art' in text
    assert ('"alpha",  # the best' in text) == ("alpha" in order)
    atp("channels", "priority", *args.split())
    assert ordered.read_text() == text, "the same once more changes nothing"


def test_everybody_out(atp: Atp, ordered: Path) -> None:
    result = atp("channels", "priority", "--remove", "alpha", "beta", "gamma")
    assert result.out.endswith("No channel comes before others.\n")
    assert atp("channels", "priority").out.startswith("No channel comes before others.\n")
    assert atp("channels", "priority", "beta").out == "beta is number 1 now.\nThe order: beta.\n"


def test_without_a_name_it_is_shown(atp: Atp, ordered: Path) -> None:
    assert atp("channels", "priority").out == "1. alpha\n2. beta\n3. gamma\n"
    assert json.loads(atp("channels", "priority", "--json").out) == {"priority": ["alpha", "beta", "gamma"]}
    assert json.loads(atp("channels", "priority", "beta", "--json").out) == {
        "config": str(ordered),
        "changed": True,
        "before": ["alpha", "beta", "gamma"],
        "priority": ["beta", "alpha", "gamma"],
    }
    assert ordered.read_text().startswith("[channels]\n")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ("--first --last alpha", "do not go together"),
        ("--remove", "which channel is meant?"),
        ("--position 0 alpha", "position"),
        ("アルファ", "it looks like a display name"),
    ],
)
def test_what_makes_no_sense_changes_nothing(atp: Atp, ordered: Path, args: str, words: str) -> None:
    result = atp("channels", "priority", *args.split())
    assert (result.code, result.out) == (2, "")
    assert words in result.err
    assert ordered.read_text() == START


def test_a_running_service_takes_it_up(atp: Atp, running: Path) -> None:
    assert atp("channels", "priority", "alpha").err == "The running service takes it up by itself.\n"
    assert atp("channels", "priority", "alpha").err == ""
