"""The real service in a process of its own, on the sandbox; the view here, on the same database, sees it happen."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from terminal_home import Home, looked, text_of

from allthepoints.base.clock import Stopwatch, SystemClock, pause
from allthepoints.cli.here import Here
from allthepoints.cli.watch import app_for
from allthepoints.config.load import load
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.terminal.app import WatchApp
from allthepoints.views.terminal.asks import Asks
from allthepoints.views.terminal.seen import Looker

WITHIN = 100.0
"""Seconds, for what takes a few."""

SCENARIO = """
[[channels]]
login = "alpha"
display_name = "Alpha"
balance = 1790
broadcasts = [{ start = 0, end = "1d", title = "climbing [red]x[/]" }]
loyalty = { amount = 5, interval = "1s", lag = "0s", currency = "acorns" }
store = [{ name = "A key", type = "code", cost = 300, total = 2, codes = ["AAAA-1", "BBBB-2"] }]
"""

CONFIG = """
[twitch]
client_id = "sandbox"
[poll]
live = "500ms"
balance = "1s"
[dashboard]
listen = ""
[endpoints]
irc = "{irc}"
helix = "{helix}"
oauth = "{oauth}"
streamelements = "{streamelements}"
"""


@contextmanager
def process(*args: str, folder: Path, env: dict[str, str]) -> Iterator[Path]:
    """A command that goes on; answers the file of what it says. It is ended in order."""
    out = folder / f"{args[0]}.out"
    with out.open("w") as file:
        popen = subprocess.Popen(
            [sys.executable, "-m", "allthepoints", *args], stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=env
        )
    try:
        yield out
    finally:
        popen.send_signal(signal.SIGTERM)
        try:
            popen.wait(WITHIN)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait()


@contextmanager
def sandbox(home: Home) -> Iterator[dict[str, str]]:
    """The sandbox, and a config that leads to it; answers what a command finds in its environment."""
    (home.folder / "scenario.toml").write_text(SCENARIO)
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ALLTHEPOINTS_")}
    scenario = str(home.folder / "scenario.toml")
    with process("simulate", "--json", "--scenario", scenario, folder=home.folder, env=clean) as out:
        watch = Stopwatch()
        while "\n" not in out.read_text():
            assert watch.elapsed() < WITHIN, out.read_text()
            pause(0.05)
        hello = json.loads(out.read_text().splitlines()[0])
        home.config.path.write_text(CONFIG.format(**hello["endpoints"]))
        yield {
            **clean,
            "ALLTHEPOINTS_CONFIG": str(home.config.path),
            "ALLTHEPOINTS_DATA_DIR": str(home.data.path),
            "ALLTHEPOINTS_TWITCH_TOKEN": hello["token"],
            "ALLTHEPOINTS_TWITCH_REFRESH_TOKEN": hello["refresh_token"],
            "ALLTHEPOINTS_STREAMELEMENTS_JWT": hello["jwt"],
        }


@contextmanager
def service(home: Home) -> Iterator[None]:
    """The sandbox, and the service on it."""
    with sandbox(home) as env, process("run", folder=home.folder, env=env):
        yield


@pytest.mark.anyio
async def test_where_no_service_runs_a_key_is_redeemed_by_errand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a service left behind is looked at after it ended: nothing else runs, and there is no dead key."""
    home = Home(tmp_path)
    with sandbox(home) as env:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        with process("run", folder=home.folder, env=env):
            watch = Stopwatch()
            while not PointsReader(home.data.database).points():
                assert watch.elapsed() < WITHIN
                pause(0.05)
        app = app_for(Here())
        async with app.run_test(size=(100, 30)) as pilot:

            async def until(*words: str) -> None:
                gone = Stopwatch()
                while not all(word in text_of(app) for word in words):
                    assert gone.elapsed() < WITHIN, f"{words} are not on\n{text_of(app)}"
                    await looked(pilot)

            await until("Not running, so you are in no chat.", "Alpha")
            await pilot.press("enter", "u")
            await until("Alpha's points and store were read.")
            assert "not running" in text_of(app).splitlines()[0]
            await pilot.press("escape")
            await until("Not running", "Alpha")
            await pilot.press("enter", "end")
            await until("A key")
            await pilot.press("r")
            await until("Spend 300 acorns on A key?", "read     ")
            await pilot.press("y")
            await until("Redeemed: A key in Alpha's store, for 300 acorns.", "Access code: AAAA-1")
            await pilot.press("escape", "3")
            await until("You redeemed A key in Alpha's store")
        assert app.return_code is None or app.return_code == 0


@pytest.mark.anyio
async def test_a_channel_becomes_present_its_points_rise_and_a_key_is_redeemed(tmp_path: Path) -> None:
    home, clock = Home(tmp_path), SystemClock()
    with service(home):
        looker = Looker(home.data, home.config, load(home.config.path, True).settings, clock.now)
        app = WatchApp(looker, Asks(home.data, home.config, lambda: looker.settings, clock.now))
        async with app.run_test(size=(100, 30)) as pilot:

            async def until(*words: str) -> None:
                watch = Stopwatch()
                while not all(word in text_of(app) for word in words):
                    assert watch.elapsed() < WITHIN, f"{words} are not on\n{text_of(app)}"
                    await looked(pilot)

            await until("● present  Alpha", "In 1 of 1 live chat")
            assert "climbing [red]x[/]" in text_of(app)
            await until("↑ earning", "+")
            before = app.seen.report.rows[0].points
            watch = Stopwatch()
            while app.seen.report.rows[0].points == before:
                assert watch.elapsed() < WITHIN
                await looked(pilot)
            assert (app.seen.report.rows[0].points or 0) > (before or 0)
            await pilot.press("enter", "u")
            await until("Alpha's points and store were read.")
            await pilot.press("end")
            await until("A key")
            await pilot.press("r")
            await until("Spend 300 acorns on A key?")
            await pilot.press("y")
            await until("Redeemed: A key in Alpha's store, for 300 acorns.", "Access code: AAAA-1")
            await pilot.press("3")
            await until("You redeemed A key in Alpha's store")
        assert app.return_code is None or app.return_code == 0
