"""The demo, as a newcomer and a program see it."""

from __future__ import annotations

import json
from pathlib import Path

from whole_world import Machine

from allthepoints.cli.demo import wishes_for
from allthepoints.sim.days import demo_day

KEYS = [
    *("simulated_s", "live_s", "present_s", "capture", "points_possible", "points_paid", "rooms_peak"),
    *("join_limit_violations", "reconnects", "redemptions", "double_redemptions"),
]


def test_the_demo_for_a_program(tmp_path: Path) -> None:
    done = Machine(tmp_path / "home").do("demo", "--for", "8s", "--json", "--no-browser")
    last = json.loads(done.stdout.splitlines()[-1])
    assert list(last) == KEYS
    assert last["join_limit_violations"] == 0
    assert last["double_redemptions"] == 0
    assert last["capture"] > 0.8
    assert 0 < last["points_paid"] <= last["points_possible"]
    assert 0 < last["present_s"] <= last["live_s"]
    assert last["rooms_peak"] <= 90
    assert not (tmp_path / "home" / ".local").exists(), "it leaves nothing behind"


def test_the_demo_for_a_person(tmp_path: Path) -> None:
    done = Machine(tmp_path / "home").do("demo", "--for", "3s")
    assert done.stdout.splitlines()[-1].startswith("Captured ")
    assert "Traceback" not in done.stderr


def test_what_the_person_of_the_demo_wants_comes_within_reach() -> None:
    for seed in range(1, 6):
        day = demo_day(seed)
        plans = {plan.login: plan for plan in day.channels}
        wishes = list(wishes_for(day))
        assert wishes, seed
        for wish in wishes:
            cost = next(item.cost for item in plans[wish.channel].store if item.name == wish.item)
            assert cost > plans[wish.channel].balance, "it is not had from the start"


def test_in_the_demo_something_is_bought_once(tmp_path: Path) -> None:
    """Half the usual pace is enough for the first wish."""
    done = Machine(tmp_path / "home").do("demo", "--for", "20s", "--json", "--no-browser")
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["redemptions"] >= 1
    assert last["double_redemptions"] == 0
