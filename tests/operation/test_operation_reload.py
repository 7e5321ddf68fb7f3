"""A config that is saved while the service runs: every way in which files come to say something else."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from allthepoints.base.clock import SystemClock
from allthepoints.config import watch
from allthepoints.config.load import load
from allthepoints.config.paths import ConfigPath
from allthepoints.config.settings import KEYS, Settings
from allthepoints.core.policy import Policy
from allthepoints.operation import reload
from allthepoints.operation.alerts import Alerts
from allthepoints.operation.reload import Reload
from allthepoints.service.loop import Service

pytestmark = pytest.mark.anyio

GOOD = '[twitch]\nclient_id = "abc"\n\n[channels]\ninclude = ["alpha"]\nexclude = ["beta"]\n'
OTHER = GOOD.replace("beta", "gamma")


class Told:
    """What the service and the notifications were told."""

    def __init__(self) -> None:
        self.policies: list[Policy] = []
        self.waits: list[tuple[str, ...]] = []
        self.complaints: list[str] = []
        self.order: list[str] = []

    def take_policy(self, policy: Policy, restart: tuple[str, ...] = ()) -> None:
        self.policies.append(policy)
        self.waits.append(tuple(restart))
        self.order.append("taken")

    def reject_config(self, error: str) -> None:
        self.complaints.append(error)
        self.order.append("rejected")

    def take(self, settings: Settings) -> None:
        self.order.append("alerts")


class Quick(SystemClock):
    """Waits for the end of a file, until `release`; `waited`: how often."""

    def __init__(self) -> None:
        super().__init__()
        self.waited = 0
        self.release = asyncio.Event()
        self.release.set()

    async def sleep(self, seconds: float) -> None:
        if seconds == reload.PATIENCE:
            self.waited += 1
            await self.release.wait()
        await super().sleep(min(seconds, 0.04))


class Stage:
    """A file that is watched."""

    def __init__(self, path: Path, named: bool = False) -> None:
        self.path, self.told, self.clock = path, Told(), Quick()
        settings = load(path, named).settings
        told = self.told
        self.reload = Reload(cast(Service, told), ConfigPath(path, named), settings, cast(Alerts, told), self.clock)
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        self._task = asyncio.create_task(self.reload.watch())
        await settle()

    async def end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def until(self, look: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not look():
                await self.clock.sleep(0.01)

    def excluded(self) -> set[str]:
        return set(self.told.policies[-1].exclude) if self.told.policies else set()


async def settle() -> None:
    for _ in range(5):
        await SystemClock().sleep(0.005)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SETTLE_MS", 30)
    monkeypatch.setattr(watch, "LOOK_EVERY", 0.3)


@pytest.fixture
async def on(tmp_path: Path) -> AsyncIterator[Stage]:
    path = tmp_path / "config.toml"
    path.write_text(GOOD)
    stage = Stage(path)
    await stage.begin()
    yield stage
    await stage.end()


def rename_over(path: Path, text: str) -> None:
    fresh = path.with_name(".config.toml.swp~")
    fresh.write_text(text)
    fresh.replace(path)


async def test_fc_37_rename_over(on: Stage) -> None:
    for name in ("one", "two", "three"):
        rename_over(on.path, GOOD.replace("beta", name))
        await on.until(lambda name=name: on.excluded() == {name})  # type: ignore[misc]
    assert on.told.complaints == []


async def test_fc_37_two_saves_in_50_ms(on: Stage) -> None:
    on.path.write_text(GOOD.replace("beta", "one"))
    await on.clock.sleep(0.01)
    on.path.write_text(GOOD.replace("beta", "two"))
    await on.until(lambda: on.excluded() == {"two"})


async def test_fc_37_emptied_then_filled(on: Stage) -> None:
    on.clock.release.clear()
    on.path.write_text("")
    await on.until(lambda: on.clock.waited)
    on.path.write_text(OTHER)
    on.clock.release.set()
    await on.until(lambda: on.excluded() == {"gamma"})
    assert len(on.told.policies) == 1, "nothing was wanted in between"


async def test_fc_37_half_written_then_written(on: Stage) -> None:
    """What is there of it so far could be used: everybody would be let in again."""
    on.clock.release.clear()
    half = GOOD[: GOOD.index("exclude")]
    on.path.write_text(half)
    await on.until(lambda: on.clock.waited)
    with on.path.open("a") as file:
        file.write('exclude = ["gamma"]\n')
    on.clock.release.set()
    await on.until(lambda: on.excluded() == {"gamma"})
    assert len(on.told.policies) == 1


async def test_what_stays_shorter_was_meant(on: Stage) -> None:
    on.path.write_text(GOOD[: GOOD.index("exclude")])
    await on.until(lambda: on.told.policies)
    assert on.excluded() == set()


async def test_an_empty_file_takes_no_configs_place(on: Stage) -> None:
    on.path.write_text("\n")
    await on.until(lambda: on.told.complaints)
    assert on.told.complaints == [f"{on.path}:1: the file is empty"]
    assert on.told.policies == []


async def test_a_file_that_vanishes_and_comes_back(on: Stage) -> None:
    text = on.path.read_text()
    on.path.unlink()
    await on.until(lambda: on.told.complaints)
    assert on.told.complaints == [f"{on.path}: there is no such file any more"]
    on.path.write_text(text)
    await on.until(lambda: on.told.policies)
    assert on.told.order == ["rejected", "taken", "alerts"]


async def test_a_file_that_is_away_for_a_moment_is_not_missed(on: Stage) -> None:
    on.clock.release.clear()
    on.path.unlink()
    await on.until(lambda: on.clock.waited)
    on.path.write_text(OTHER)
    on.clock.release.set()
    await on.until(lambda: on.excluded() == {"gamma"})
    assert on.told.complaints == []


async def test_a_folder_that_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "config.toml").write_text(GOOD)
    stage = Stage(folder / "config.toml")
    await stage.begin()
    try:
        folder.rename(tmp_path / "old")
        folder.mkdir()
        stage.path.write_text(OTHER)
        await stage.until(lambda: stage.excluded() == {"gamma"})
        rename_over(stage.path, GOOD)
        await stage.until(lambda: stage.excluded() == {"beta"})
    finally:
        await stage.end()


async def test_a_config_map_whose_link_leads_elsewhere(tmp_path: Path) -> None:
    """config.toml -> ..data/config.toml, ..data -> ..1; a change renames another link over ..data."""
    for version, text in (("..1", GOOD), ("..2", OTHER), ("..3", "[chanels]\n")):
        (tmp_path / version).mkdir()
        (tmp_path / version / "config.toml").write_text(text)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "config.toml").symlink_to("..data/config.toml")
    stage = Stage(tmp_path / "config.toml")
    await stage.begin()
    try:
        for version in ("..2", "..3"):
            (tmp_path / "..tmp").symlink_to(version)
            os.replace(tmp_path / "..tmp", tmp_path / "..data")
            await stage.until(lambda: stage.told.order)
            if version == "..2":
                assert stage.excluded() == {"gamma"}
                stage.told.order.clear()
        assert "config.toml:1: chanels: unknown section; did you mean [channels]?" in stage.told.complaints[0]
    finally:
        await stage.end()


async def test_where_a_link_leads_is_watched(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "home").mkdir()
    real = tmp_path / "dotfiles" / "points.toml"
    real.write_text(GOOD)
    (tmp_path / "home" / "config.toml").symlink_to(real)
    stage = Stage(tmp_path / "home" / "config.toml")
    await stage.begin()
    try:
        rename_over(real, OTHER)
        await stage.until(lambda: stage.excluded() == {"gamma"})
    finally:
        await stage.end()


async def test_a_first_config_while_it_runs(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "not" / "there" / "config.toml")
    await stage.begin()
    try:
        stage.path.parent.mkdir(parents=True)
        stage.path.write_text(GOOD)
        await stage.until(lambda: stage.excluded() == {"beta"})
        assert stage.told.complaints == []
        assert stage.told.waits == [("twitch.client_id",)]
    finally:
        await stage.end()


async def test_what_nobody_tells_of_is_seen_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_watches(*_: object, **__: object) -> Any:
        raise OSError("no watches left")

    monkeypatch.setattr(watch.watchfiles, "awatch", no_watches)
    path = tmp_path / "config.toml"
    path.write_text(GOOD)
    stage = Stage(path)
    with caplog.at_level(logging.INFO):
        await stage.begin()
        try:
            path.write_text(OTHER)
            await stage.until(lambda: stage.excluded() == {"gamma"})
        finally:
            await stage.end()
    assert "cannot be watched" in caplog.text


async def test_a_save_before_the_watch_began_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(GOOD)
    stage = Stage(path)
    path.write_text(OTHER)
    await stage.begin()
    await stage.until(lambda: stage.excluded() == {"gamma"})
    await stage.end()


async def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(GOOD)
    stage = Stage(path)
    path.unlink()
    os.mkfifo(path)
    async with asyncio.timeout(60):
        await stage.reload.watch()
    assert stage.told.order == []


# -- at a signal -------------------------------------------------------------------------------------------------------
def still(tmp_path: Path, text: str = GOOD) -> Stage:
    """Nothing is watched: `now` is what SIGHUP calls."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    return Stage(path)


async def test_sighup_without_a_change_changes_nothing(tmp_path: Path) -> None:
    on = still(tmp_path)
    on.reload.now()
    on.path.write_text(GOOD + "# a remark\n")
    on.reload.now()
    assert on.told.order == []


async def test_a_bad_file_is_told_once_with_line_and_key_and_cleared_by_the_next_good_one(tmp_path: Path) -> None:
    on = still(tmp_path)
    on.path.write_text(GOOD.replace("exclude", "exclud"))
    on.reload.now()
    on.reload.now()
    assert on.told.complaints == [f"{on.path}:6: channels.exclud: unknown key; did you mean exclude?"]
    on.path.write_text("[channels\n")
    on.reload.now()
    assert "config.toml:1: this is not TOML" in on.told.complaints[1]
    assert on.reload.settings == load_text(tmp_path, GOOD)
    on.path.write_text(GOOD)
    on.reload.now()
    on.reload.now()
    assert on.told.order == ["rejected", "rejected", "taken", "alerts"]


def load_text(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "other.toml"
    path.write_text(text)
    return load(path).settings


async def test_of_many_problems_a_few_are_told(tmp_path: Path) -> None:
    on = still(tmp_path)
    on.path.write_text("[poll]\n" + "".join(f"a{at} = 1\n" for at in range(6)))
    on.reload.now()
    (said,) = on.told.complaints
    assert said.count("unknown key") == 3
    assert said.endswith("; and 3 more")


@pytest.mark.parametrize(
    ("text", "waits"),
    [
        (GOOD.replace('"abc"', '"def"'), ("twitch.client_id",)),
        (GOOD + '[dashboard]\nlisten = ""\n[chat]\nread_tick = "50ms"\n', ("chat.read_tick", "dashboard.listen")),
        (GOOD + '[endpoints]\nhelix = "http://127.0.0.1:1/helix"\n[poll]\nlive = "1s"\n', ("endpoints.helix",)),
        (OTHER + '[poll]\nlive = "1m"\n[chat]\nask_timeout = "20s"\n', ()),
    ],
)
async def test_keys_that_wait_for_a_restart_are_named_until_they_are_set_back(
    tmp_path: Path, text: str, waits: tuple[str, ...]
) -> None:
    on = still(tmp_path)
    on.path.write_text(text)
    on.reload.now()
    assert on.told.waits == [waits]
    on.path.write_text(text + "[display]\nzone = 'UTC'\n")
    on.reload.now()
    on.path.write_text(OTHER)
    on.reload.now()
    assert on.told.waits == [waits, waits, ()]


async def test_what_is_odd_is_told_once_when_it_comes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    on = still(tmp_path)
    on.reload.now()
    for text in (GOOD.replace("beta", "alpha"), GOOD.replace("beta", "alpha") + "# more\n"):
        on.path.write_text(text)
        on.reload.now()
    assert caplog.text.count("alpha is also in channels.exclude") == 1


def test_every_key_is_taken_up_or_waits() -> None:
    """A key that nothing takes up while the service runs must say so."""
    from allthepoints.config.policy import alert_policy, policy, session_options
    from allthepoints.config.settings import waiting

    base = Settings()
    for key in KEYS:
        if key.section == "wish":
            continue
        section = getattr(base, key.section)
        value = _another(getattr(section, key.name), key.path)
        changed = replace_section(base, key.section, key.name, value)
        taken = (policy(changed), alert_policy(changed), changed.notify.urls, changed.display) != (
            policy(base),
            alert_policy(base),
            base.notify.urls,
            base.display,
        )
        assert (waiting(base, changed) == (key.path,)) is not taken, key.path
        if session_options(changed) != session_options(base):
            assert key.restart


def replace_section(settings: Settings, section: str, name: str, value: object) -> Settings:
    import msgspec

    return msgspec.structs.replace(
        settings, **{section: msgspec.structs.replace(getattr(settings, section), **{name: value})}
    )


def _another(value: object, path: str) -> object:
    special: dict[str, object] = {
        "notify.events": ("live",),
        "notify.quiet_hours": "23:00-07:00",
        "notify.digest": "08:00",
        "notify.urls": ("x",),
    }
    if path in special:
        return special[path]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return ("other",) if isinstance(value, tuple) else f"{value}x"
