"""`run` and `simulate` as they are called: a real process against a sandbox on real sockets."""

import asyncio
import json
import logging
import os
import re
import signal
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, tzinfo
from pathlib import Path

import pytest
from cli_home import Atp
from processes import read_until, started
from sandbox_thread import RunningSandbox, running_sandbox

from allthepoints.base.clock import SystemClock
from allthepoints.base.types import Login, UserId
from allthepoints.cli import simulate
from allthepoints.cli.run import Remarks, keep_drawn
from allthepoints.core.place import Census
from allthepoints.core.usual import Usual
from allthepoints.ports import ChannelRow
from allthepoints.service.snapshot import Snapshot
from allthepoints.sim.scenario import Broadcast, ChannelPlan, Scenario
from allthepoints.testing.clock import ManualClock
from allthepoints.views.live import LivePicture
from allthepoints.views.text import local
from allthepoints.views.usual import Outlook


def live(login: str) -> ChannelPlan:
    return ChannelPlan(login, broadcasts=(Broadcast(-60.0, 86_400.0, title="Prestige 4 🌊 휴"),))


@pytest.fixture
def box(config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    with running_sandbox(Scenario(channels=(live("alpha"), live("beta"), ChannelPlan("gamma")))) as running:
        config.parent.mkdir(parents=True)
        config.write_text(running.config + '[dashboard]\nlisten = ""\n')
        access, refresh = running.call(lambda sandbox: sandbox.issue_tokens())
        monkeypatch.setenv("ALLTHEPOINTS_TWITCH_TOKEN", f"oauth:{access}")
        monkeypatch.setenv("ALLTHEPOINTS_TWITCH_REFRESH_TOKEN", refresh)
        yield running


def test_fc_38_fc_32_run_says_one_line_per_change_and_leaves_at_ctrl_c(
    atp: Atp, home: Path, box: RunningSandbox
) -> None:
    with started("run") as process:
        lines = read_until(process, "In 2 of 2 live chats.")
        assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", line) for line in lines)
        assert [line[21:] for line in lines if "present" in line] in (
            ["alpha: present.", "beta: present."],
            ["beta: present.", "alpha: present."],
        )

        plain = json.loads(atp("status", "--json").out)
        assert plain["running"] is True
        assert plain["chat"]["present"] == 2

        # FC-39: a second one on the same data is refused, and names the first.
        second = atp("run")
        assert second.code == 1
        assert f"(process {process.pid})" in second.err

        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "waiting" not in out, "it falls silent when it is stopped"
        assert err == "Stopped; you left every chat.\n"
    tally = box.call(lambda sandbox: sandbox.tally())
    assert tally.rooms_now == 0
    assert tally.protocol_errors == ()
    everything = "".join(lines) + out + err
    for file in (home / "data").rglob("*"):
        if file.is_file() and file.name != "tokens.json":
            everything += file.read_bytes().decode("latin-1")
    for name in ("ALLTHEPOINTS_TWITCH_TOKEN", "ALLTHEPOINTS_TWITCH_REFRESH_TOKEN"):
        assert os.environ[name].removeprefix("oauth:") not in everything, "FC-32"


def test_what_is_odd_in_the_config_is_told_once(box: RunningSandbox, home: Path, config: Path) -> None:
    config.write_text(box.config + '[dashboard]\nlisten = ""\n[channels]\nmax_rooms = 200\n')
    with started("run") as process:
        read_until(process, "In 2 of 2 live chats.")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert err.count("200 is more than 100") == 1
    (log,) = (home / "data" / "logs").iterdir()
    assert log.read_text(encoding="utf-8").count("200 is more than 100") == 1


def test_fc_39_a_second_instance_is_refused_with_the_pid(atp: Atp, running: Path) -> None:
    result = atp("run")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"error: allthepoints already runs on {running} (process {os.getpid()})\n\nhint: ")


def test_fc_40_the_log_cannot_be_written(atp: Atp, home: Path) -> None:
    (home / "data").mkdir()
    (home / "data" / "logs").write_text("a file")
    result = atp("run")
    assert (result.code, result.out) == (1, "")
    assert str(home / "data" / "logs") in result.err


@pytest.mark.parametrize("held", [False, True])
def test_warnings_of_the_log_do_not_break_the_table(capsys: pytest.CaptureFixture[str], held: bool) -> None:
    remarks = Remarks(held)
    logger = logging.getLogger("tests.remarks")
    logger.addHandler(remarks)
    try:
        logger.warning("the database %s was set aside", "x.db")
        logger.info("not worth a word")
        assert capsys.readouterr().err == ("" if held else "warning: the database x.db was set aside\n")
        remarks.let_go()
        logger.error("at the end")
        expected = "error: at the end\n"
        assert capsys.readouterr().err == ("warning: the database x.db was set aside\n" if held else "") + expected
    finally:
        logger.removeHandler(remarks)


@pytest.mark.anyio
async def test_the_table_is_drawn_when_due(tmp_path: Path) -> None:
    picture, clock, drawn = LivePicture(), ManualClock(), 0

    def draw() -> None:
        nonlocal drawn
        drawn += 1

    task = asyncio.ensure_future(keep_drawn(picture, draw, clock, Outlook(tmp_path / "x.db"), UTC))
    try:
        await clock.elapse(59.0)
        assert drawn == 1
        await clock.elapse(2.0)
        assert drawn == 2
    finally:
        task.cancel()


@pytest.mark.anyio
async def test_the_table_says_who_usually_starts_next_while_nobody_is_live(tmp_path: Path) -> None:
    class Known(Outlook):
        def look(self, rows: Iterable[ChannelRow], now: float, zone: tzinfo) -> None:
            row = next(iter(rows))
            self._found = Usual(row.id, now + 300.0), row

    resting = ChannelRow(UserId("1"), Login("alpha"), "Alpha", False, "absent", "offline")
    picture, clock = LivePicture(), ManualClock()

    def shown(row: ChannelRow) -> None:
        picture.take(Snapshot(clock.now(), None, True, Census(1, 1, 0, 0, 0), {row.id: row}, (), None))

    shown(resting)
    task = asyncio.ensure_future(keep_drawn(picture, lambda: None, clock, Known(tmp_path / "x.db"), UTC))
    try:
        while "usually" not in picture.lines(80, 24)[0].text:
            await SystemClock().sleep(0.005)  # it is read on a thread
        said = f"Alpha usually starts about {local(clock.now() + 300.0, UTC):%H:%M} today."
        assert picture.lines(80, 24)[0].text == f"Your channel is not live. {said}"
        shown(replace(resting, live=True, state="present", reason=None))
        await clock.elapse(1.0)
        assert picture.lines(80, 24)[0].text == "In 1 of 1 live chat."
    finally:
        task.cancel()


# -- simulate ------------------------------------------------------------------------------------------------------
@pytest.fixture
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox is stopped as soon as it has looked once, however long it took to start."""
    stop: list[asyncio.Event] = []

    def awaited() -> asyncio.Event:
        stop[:] = [asyncio.Event()]
        return stop[0]

    class Once(simulate.News):
        def since(self) -> Iterator[str]:
            yield from super().since()
            stop[0].set()

    monkeypatch.setattr(simulate, "_stop_at_signals", awaited)
    monkeypatch.setattr(simulate, "News", Once)


@pytest.mark.usefixtures("briefly")
def test_simulate_prints_a_config_to_paste(atp: Atp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = tmp_path / "day.toml"
    scenario.write_text('name = "mine"\n[[channels]]\nlogin = "alpha"\nbroadcasts = [{ start = "-1m", end = "1h" }]\n')
    result = atp("simulate", "--scenario", str(scenario))
    assert (result.code, result.err) == (0, "")
    paste, _, rest = result.out.partition("\n\n# Signed in")
    (tmp_path / "pasted.toml").write_text(paste)
    assert tomllib.loads(paste)["endpoints"]["irc"].startswith("irc://127.0.0.1:")
    assert tomllib.loads(paste)["endpoints"]["streamelements"].endswith("/kappa/v2")
    assert atp("config", "check", str(tmp_path / "pasted.toml")).code == 0
    assert "export ALLTHEPOINTS_TWITCH_TOKEN=" in rest
    assert "export ALLTHEPOINTS_STREAMELEMENTS_JWT=eyJ" in rest
    assert "alpha is live." in rest
    assert "me was in the chats for 0 s of" in rest


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize("day", ["calm", "stormy", "demo"])
def test_simulate_as_json(atp: Atp, day: str) -> None:
    result = atp("simulate", "--day", day, "--channels", "5", "--json")
    first, *middle, last = map(json.loads, result.out.splitlines())
    assert set(first) == {"endpoints", "client_id", "account", "token", "refresh_token", "jwt"}
    assert set(first["endpoints"]) == {"irc", "helix", "oauth", "streamelements", "control"}
    assert all(set(line) == {"at", "text"} for line in middle)
    assert last["tally"]["account"] == "me"


def test_simulate_says_what_it_cannot_use(atp: Atp, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[[channels]]\nlogin = 'UPPER'\n")
    bad = atp("simulate", "--scenario", str(tmp_path / "bad.toml"))
    assert bad.code == 2
    assert "bad.toml" in bad.err
    assert atp("simulate", "--key", str(tmp_path / "k.pem")).code == 2
    assert atp("simulate", "--cert", str(tmp_path / "c.pem")).code == 2
    assert atp("simulate", "--day", "sunny").code == 2


@pytest.mark.usefixtures("briefly")
def test_simulate_tells_that_a_port_is_taken(atp: Atp, box: RunningSandbox) -> None:
    port = box.endpoints.irc.rpartition(":")[2]
    result = atp("simulate", "--irc-port", port)
    assert result.code == 1
    assert result.err.startswith("error: the sandbox cannot listen: ")
