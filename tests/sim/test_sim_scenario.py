"""Scenarios: TOML and its errors, and the days that are built."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from allthepoints.sim.days import big_day, calm_day, demo_day, stormy_day
from allthepoints.sim.durations import seconds
from allthepoints.sim.scenario import Scenario, ScenarioError, check, load, parse

GOOD = """
name = "evening"
seed = 7
duration = "6h"
online_lag = ["30s", 90]

[limits]
join_mode = "disconnect"

[[channels]]
login = "alpha"
broadcasts = [
  { start = "-10m", end = "1h30m", title = "climbing", tags = ["English"] },
  { start = "2h", end = "3h", kind = "rerun" },
]
loyalty = { amount = 10, interval = "5m" }

[[faults]]
at = "2h"
name = "reconnect"
with = { delay = "5s" }
"""


def test_a_scenario_is_read(tmp_path: Path) -> None:
    path = tmp_path / "evening.toml"
    path.write_text(GOOD)
    scenario = load(path)
    assert (scenario.name, scenario.seed, scenario.duration, scenario.online_lag) == ("evening", 7, 21600, (30, 90))
    (alpha,) = scenario.channels
    assert [(b.start, b.end, b.kind) for b in alpha.broadcasts] == [(-600, 5400, "live"), (7200, 10800, "rerun")]
    assert (alpha.loyalty.amount, alpha.loyalty.interval) == (10, 300)
    (fault,) = scenario.faults
    assert (fault.at, fault.name, fault.parameters) == (7200, "reconnect", {"delay": "5s"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "x.toml: not TOML"),
        ("nmae = 'x'", "x.toml: Object contains unknown field `nmae`"),
        ("duration = 'long'", 'x.toml: "long" is not a duration; write seconds as a number, or like "90s"'),
        ("[[channels]]\nlogin = 'a'\nbroadcasts = [{start = '1h'}]", "missing required field `end`"),
        ("[[channels]]\nlogin = 'a'\nbroadcasts = [{start = 'x', end = 1}]", "at `$.channels[0].broadcasts[0].start`"),
        ("[[channels]]\nlogin = 'a'\nbroadcasts = [{start = 5, end = 1}]", "channel 'a': broadcasts must be in order"),
        (
            "[[channels]]\nlogin = 'a'\nbroadcasts = [{start = 1, end = 9}, {start = 8, end = 12}]",
            "found 8 s to 12 s",
        ),
        ("[[channels]]\nlogin = 'Alpha'", "login 'Alpha': write 'alpha'"),
        ("[[channels]]\nlogin = 'アルファ'", "it looks like a display name"),
        ("[[channels]]\nlogin = 'me'", "login 'me' is used twice"),
        ("[[faults]]\nat = 5\nname = 'rest'", "fault at 5 s: unknown fault 'rest'; did you mean 'reset'?"),
        ("[[faults]]\nat = 5\nname = 'ban'", "fault at 5 s: fault 'ban' needs 'channel'"),
        ("[[faults]]\nat = 5\nname = 'reset'\nwith = {conection = 1}", "did you mean 'connection'?"),
        ("[limits]\njoin_mode = 'shout'", "Invalid enum value 'shout'"),
        ('account = { moderates = ["nobody"] }', "account 'me': nobody here has the login 'nobody'"),
        ('[[others]]\nlogin = "you"\nid = "7"\nsubscribes = [""]', "account 'you': nobody here has the login ''"),
        ("duration = " + "[" * 2000, "x.toml: nested too deeply"),
    ],
)
def test_errors_name_the_place(text: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(words)):
        parse(text, "x.toml")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"none\.toml: cannot be read"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "value"),
    [(90, 90), ("90s", 90), ("1h30m", 5400), ("-2h", -7200), ("1.5m", 90), ("250ms", 0.25), ("1d", 86400)],
)
def test_durations(text: object, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "h", "1 h", "1x", "1h 5", "--1s", True])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        seconds(text)


def most_live(day: Scenario) -> int:
    broadcasts = [broadcast for one in day.channels for broadcast in one.broadcasts]
    return max(sum(b.start <= at.start < b.end for b in broadcasts) for at in broadcasts)


@pytest.mark.parametrize("seed", range(5))
def test_the_days_are_sound(seed: int) -> None:
    days = (demo_day(seed), calm_day(40, seed), stormy_day(40, seed))
    for day in days:
        check(day)
        assert len(day.channels) == 40
    assert 12 <= most_live(days[0]) <= 25
    assert demo_day(seed) == days[0]
    assert days[1].faults == ()
    assert len(days[2].faults) > 100


def test_a_big_day_has_more_live_than_rooms() -> None:
    day = big_day()
    check(day)
    assert len(day.channels) == 2000
    assert 120 <= most_live(day) <= 140


def test_the_demo_has_its_trouble() -> None:
    names = {fault.name for fault in demo_day().faults}
    assert names >= {"expire_token", "reset", "reconnect", "lose_join", "late_ack", "ban", "rename", "status"}
    assert names >= {"half_open", "flap", "chat_noise"}
