"""Pictures of the dashboard for docs/screenshots: the demo's day in the sandbox, stopped in the evening.

The day is lived through in simulated time by the real service; then its pages are served as they were at that moment,
and a headless Chromium looks at them. `make screenshots` is all there is to it; `--all` takes every page in every
width and both colour schemes, to look through, into the folder that is named.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from allthepoints import wiring
from allthepoints.base.clock import Chance, LoopClock, SystemClock
from allthepoints.base.secret import Secret
from allthepoints.cli.demo import BALANCE, EPOCH, wishes_for
from allthepoints.config.kinds import quote
from allthepoints.config.paths import DataDir
from allthepoints.config.settings import Channels, Endpoints, Poll, Settings, Twitch
from allthepoints.config.settings import Dashboard as Where
from allthepoints.core.place import Census
from allthepoints.service.outside import Hooks
from allthepoints.service.snapshot import Snapshot
from allthepoints.sim.days import demo_day
from allthepoints.sim.server import Sandbox
from allthepoints.sim.timelapse import TimelapseLoop
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.web.board import Board, Doings
from allthepoints.views.web.server import Dashboard

CHROMIUM = "/usr/bin/chromium"

HOUR = 3600.0
STOP_AT = 20.6 * HOUR
"""In the evening most are live, and one or the other thing went wrong."""

WIDE, NARROW = (1280, 900), (390, 844)
DOCS = Path(__file__).parents[1] / "docs" / "screenshots"


@dataclass(frozen=True)
class Lived:
    """What the day left."""

    snapshot: Snapshot
    settings: Settings
    data: DataDir


@dataclass(frozen=True)
class Shot:
    """One picture."""

    name: str
    path: str
    size: tuple[int, int] = WIDE
    dark: bool = False
    dialog: bool = False
    whole: bool = False
    of: str = "lived"
    """Which service: that of the day, one that is "new", or one whose database is "broken"."""


class Stopped(SystemClock):
    """It is always the same time; whoever sleeps sleeps."""

    def __init__(self, at: float) -> None:
        super().__init__()
        self._at = at

    def now(self) -> float:
        return self._at


async def live_through(folder: Path) -> Lived:
    """The demo's day until the evening."""
    clock, scenario = LoopClock(asyncio.get_running_loop(), EPOCH), demo_day(1)
    sandbox = Sandbox(scenario, clock, chance=Chance(scenario.seed))
    where = await sandbox.start()
    tokens = sandbox.issue_tokens()
    settings = Settings(
        twitch=Twitch(client_id=scenario.client_id),
        endpoints=Endpoints(where.irc, where.helix, where.oauth, where.streamelements),
        poll=Poll(balance=BALANCE),
        wish=tuple(wishes_for(scenario)),
    )
    last: list[Snapshot] = []
    given = wiring.Given(Secret(tokens.access), Secret(tokens.refresh), jwt=Secret(sandbox.issue_jwt()))
    hooks = Hooks(on_snapshot=lambda snapshot: last.__setitem__(slice(None), [snapshot]))
    try:
        async with wiring.assembled(
            settings, given, DataDir(folder), clock, Chance(1), hooks=hooks, durable=False
        ) as service:
            running = asyncio.ensure_future(service.run())
            await asyncio.sleep(STOP_AT)  # noqa: TID251 -- of the loop's own time
            seen = last[0]
            for row in seen.rows.values():
                service.ask("look", row.login, {})
            await asyncio.sleep(600)  # noqa: TID251
            seen = last[0]
            service.stop()
            await running
    finally:
        await sandbox.stop()
    priority = tuple(wish.channel for wish in settings.wish[:2])
    shown = Settings(
        twitch=settings.twitch,
        poll=settings.poll,
        wish=settings.wish,
        channels=Channels(priority=priority),
        dashboard=Where(listen="127.0.0.1:0"),
    )
    write_config(shown, folder / "config.toml")
    return Lived(seen, shown, DataDir(folder))


async def take(lived: Lived, shots: list[Shot], into: Path) -> None:
    """Serve what was lived, and take the pictures."""
    new, broken = lived.data.path / "new", lived.data.path / "broken"
    for folder in (new, broken):
        folder.mkdir()
    (broken / "allthepoints.db").write_bytes(b"no database " * 1000)
    nobody = replace(lived.snapshot, rows={}, census=Census(0, 0, 0, 0, 0), warnings=(), wishes=0)
    settings = Settings(dashboard=lived.settings.dashboard)
    boards = {
        "lived": serve(lived),
        "new": serve(Lived(nobody, settings, DataDir(new))),
        "broken": serve(Lived(lived.snapshot, lived.settings, DataDir(broken))),
    }
    addresses = {name: (await dashboard.start()).rstrip("/") for name, dashboard in boards.items()}
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for shot in shots:
                await one(browser, addresses[shot.of], shot, into, str(broken))
            await browser.close()
    finally:
        for dashboard in boards.values():
            await dashboard.stop()


def serve(lived: Lived) -> Dashboard:
    """Its dashboard, as it was at that moment."""
    clock = Stopped(lived.snapshot.at)
    doings = Doings(lambda *_: None, lambda: lived.settings, lived.data.path / "config.toml")
    board = Board(PointsReader(lived.data.database), clock, doings)
    board.told(lived.snapshot)
    return Dashboard(board, lived.settings.dashboard, lived.data, clock)


def write_config(settings: Settings, path: Path) -> None:
    """What the settings page shows: an order, wishes, one of them with bounds, and somebody to tell."""
    first, *_ = settings.wish
    lines = ["[channels]", f"priority = [{', '.join(map(quote, settings.channels.priority))}]", "[notify]"]
    lines += ['urls = ["ntfy://example.org/points"]', 'quiet_hours = "23:00-07:30"', 'digest = "20:00"']
    for wish in settings.wish:
        lines += ["[[wish]]", f"channel = {quote(wish.channel)}", f"item = {quote(wish.item)}"]
        lines += ["auto = true", "max_cost = 300", "keep = 500"] if wish is first else []
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


async def one(browser: Browser, address: str, shot: Shot, into: Path, folder: str) -> None:
    """One picture. `folder`: its name is not shown, for it is another one each time."""
    context = await browser.new_context(
        viewport={"width": shot.size[0], "height": shot.size[1]},
        color_scheme="dark" if shot.dark else "light",
        reduced_motion="reduce",
        timezone_id="UTC",
        locale="en-GB",
    )
    page = await context.new_page()
    page.on("console", lambda said: print(f"{shot.name}: {said.text}", file=sys.stderr))
    page.on("pageerror", lambda error: print(f"{shot.name}: {error}", file=sys.stderr))
    await page.goto(address + shot.path)
    await page.wait_for_load_state("load")
    if shot.path.startswith("/channel") and shot.of == "lived":
        await page.wait_for_selector("[data-drawn]", timeout=5000)
    if shot.dialog:
        await page.locator("a[id^=redeem-]").first.click()
        await page.wait_for_selector("dialog[open] form")
    await page.evaluate(
        "([from, to]) => { const box = document.querySelector('main');"
        " if (box.innerHTML.includes(from)) box.innerHTML = box.innerHTML.replaceAll(from, to); }",
        [folder, "/home/me/.local/share/allthepoints"],
    )
    await page.screenshot(path=into / f"{shot.name}.png", full_page=shot.whole)
    wide = await page.evaluate("document.documentElement.scrollWidth")
    if wide > shot.size[0]:
        print(f"{shot.name}: {wide} px wide", file=sys.stderr)
    await context.close()


def every(lived: Lived) -> list[Shot]:
    """All pages, both widths, both schemes."""
    wish = lived.settings.wish[0].channel
    flat = next((row.login for row in lived.snapshot.rows.values() if row.verdict == "flat"), wish)
    places = {
        "now": "/",
        "all": "/?show=all",
        "channel": f"/channel/{wish}?range=today",
        "flat": f"/channel/{flat}?range=today",
        "store": "/store",
        "store-one": f"/store?channel={wish}",
        "activity": "/activity",
        "health": "/health",
        "settings": "/settings",
        "nothing": "/store?q=nosuchitem",
        "error": "/nowhere",
    }
    others = {"new": ("/", "/store", "/settings"), "broken": ("/", "/store", f"/channel/{wish}")}
    looks = [("wide", WIDE), ("narrow", NARROW)]
    shots = [
        Shot(f"{name}-{word}-{'dark' if dark else 'light'}", path, size, dark, whole=True)
        for name, path in places.items()
        for word, size in looks
        for dark in (False, True)
    ]
    shots += [
        Shot(f"{of}-{path.strip('/').split('/')[0] or 'now'}-{word}", path, size, whole=True, of=of)
        for of, paths in others.items()
        for path in paths
        for word, size in looks
    ]
    dialogs = [Shot(f"redeem-{word}", "/store?show=affordable", size, dialog=True) for word, size in looks]
    return shots + dialogs


def few(lived: Lived) -> list[Shot]:
    """Those of the documentation."""
    wish = lived.settings.wish[0].channel
    return [
        Shot("now", "/"),
        Shot("now-dark", "/", dark=True),
        Shot("now-phone", "/", NARROW),
        Shot("channel", f"/channel/{wish}?range=today"),
        Shot("channel-phone-dark", f"/channel/{wish}?range=today", NARROW, dark=True),
        Shot("store", "/store"),
        Shot("store-phone", "/store?show=affordable", NARROW),
        Shot("activity", "/activity?show=store"),
        Shot("health-dark", "/health", dark=True),
        Shot("settings", "/settings", whole=True),
        Shot("empty", "/", of="new"),
        Shot("error", "/store", of="broken"),
        Shot("redeem", "/store?show=affordable", dialog=True),
        Shot("redeem-phone", "/store?show=affordable", NARROW, dialog=True),
    ]


def main() -> None:
    """With `--all FOLDER`: everything, to look through."""
    arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="allthepoints-screenshots-") as folder:
        with asyncio.Runner(loop_factory=TimelapseLoop) as runner:
            lived = runner.run(live_through(Path(folder)))
        into = Path(arguments[1]) if arguments[:1] == ["--all"] else DOCS
        into.mkdir(parents=True, exist_ok=True)
        if arguments[:1] == ["--all"]:
            asyncio.run(take(lived, every(lived), into))
        else:
            asyncio.run(take(lived, few(lived), into))


if __name__ == "__main__":
    main()
