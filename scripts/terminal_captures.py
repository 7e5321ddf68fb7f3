"""Pictures of the terminal view for docs/screenshots, from the same evening as those of the dashboard.

Textual draws what stands on the screen as SVG; no browser is needed. `make screenshots` takes these too. With
`--all FOLDER`: every page in three sizes, to look through.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from screenshots import Lived, live_through
from textual.pilot import Pilot

from allthepoints.base.types import JSON, Login, UserId
from allthepoints.config.edit import edit
from allthepoints.config.load import load
from allthepoints.config.paths import ConfigPath
from allthepoints.config.wishes import WishChange
from allthepoints.core.redeem import State
from allthepoints.sim.timelapse import TimelapseLoop
from allthepoints.storage.database import Database
from allthepoints.storage.lock import acquire
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.shelf import Shelf, shelf_of
from allthepoints.views.terminal.app import WatchApp
from allthepoints.views.terminal.asks import Asks
from allthepoints.views.terminal.seen import Looker

DOCS = Path(__file__).parents[1] / "docs" / "screenshots"

WIDE, USUAL, SMALL = (120, 40), (80, 24), (40, 12)

ELSEWHERE = re.compile(r"\s*@font-face \{.*?\}|<!--.*?-->", re.DOTALL)
"""Fonts of other hosts, and words about them: what looks at a picture asks nobody else. The viewer's own font of even
width stands in."""


@dataclass(frozen=True)
class Shot:
    """One picture. `keys`: pressed before it is taken."""

    name: str
    keys: tuple[str, ...] = ()
    size: tuple[int, int] = USUAL


class Known(Asks):
    """Reads nothing anew: the evening stands still."""

    def look(self, channel: UserId, login: Login, within: float = 0.0) -> Shelf:  # noqa: ARG002
        return shelf_of(self._reader, channel, self._settings())


def leave(lived: Lived) -> ConfigPath:
    """What the running service would have left for other processes at that moment, and its config."""
    seen, path = lived.snapshot, ConfigPath(lived.data.path / "config.toml", True)
    path.path.write_text('[display]\nzone = "UTC"\n')
    for wish in lived.settings.wish:
        bounds = {key: value for key, value in (("auto", wish.auto), ("max_cost", wish.max_cost)) if value}
        edit(path.path, [WishChange(wish.channel, wish.item, bounds)])
    account = None if seen.account is None else {"user_id": seen.account.user_id, "login": seen.account.login}
    service: dict[str, JSON] = {
        "account": account,
        "chat": {key: int(value) for key, value in asdict(seen.census).items()},
        "warnings": [asdict(warning) for warning in seen.warnings],
        "wishes": seen.wishes,
    }
    database = Database(lived.data.database, seen.at)
    database.record((), seen.at, channel_rows=tuple(seen.rows.values()), service=service)
    database.close()
    return path


async def take(lived: Lived, shots: list[Shot], into: Path) -> None:
    """Look at what was lived, and take the pictures."""
    config = leave(lived)
    with acquire(lived.data.lock):
        for shot in shots:
            looker = Looker(lived.data, config, load(config.path, True).settings, lambda: lived.snapshot.at)
            app = WatchApp(looker, Known(lived.data, config, lambda looker=looker: looker.settings, looker.now))  # type: ignore[misc]
            async with app.run_test(size=shot.size) as pilot:
                await looked(app, pilot)
                for key in shot.keys:
                    await pilot.press(key)
                    await looked(app, pilot)
                svg = ELSEWHERE.sub("", app.export_screenshot(title="allthepoints watch"))
                (into / f"{shot.name}.svg").write_text(svg, encoding="utf-8")


async def looked(app: WatchApp, pilot: Pilot[None]) -> None:
    """Until what is known now is on the screen."""
    before = app.looks
    while app.looks < before + 2:
        app.nudge()
        await pilot.pause(0.02)


def channel_keys(login: str) -> tuple[str, ...]:
    """To a channel's page."""
    return ("slash", *login, "enter", "enter")


def shown_channel(lived: Lived) -> str:
    """A channel in which something was bought, where there is one."""
    bought = [one.login for one in PointsReader(lived.data.database).redemptions() if one.state is State.ACCEPTED]
    here = [row.login for row in lived.snapshot.rows.values() if row.state == "present"]
    return next((login for login in bought if login in here), lived.settings.wish[0].channel)


def few(lived: Lived) -> list[Shot]:
    """Those of the documentation."""
    wish = shown_channel(lived)
    return [
        Shot("terminal-now", size=WIDE),
        Shot("terminal-channel", channel_keys(wish), size=WIDE),
        Shot("terminal-store", ("2",)),
        Shot("terminal-redeem", ("2", "r")),
    ]


def every(lived: Lived) -> Iterator[Shot]:
    """All pages, in three sizes."""
    wish = shown_channel(lived)
    flat = next((row.login for row in lived.snapshot.rows.values() if row.verdict == "flat"), wish)
    pages: dict[str, tuple[str, ...]] = {
        "now": (),
        "all": ("o",),
        "channel": channel_keys(wish),
        "channel-end": (*channel_keys(wish), "end"),
        "flat": channel_keys(flat),
        "store": ("2",),
        "prices": ("2", "h"),
        "redeem": ("2", "r"),
        "activity": ("3",),
        "warnings": ("exclamation_mark",),
        "help": ("question_mark",),
    }
    for name, keys in pages.items():
        for width, height in (WIDE, USUAL, SMALL):
            yield Shot(f"{name}-{width}x{height}", keys, (width, height))


def main() -> None:
    """With `--all FOLDER`: everything, to look through."""
    arguments = sys.argv[1:]
    everything = arguments[:1] == ["--all"]
    into = Path(arguments[1]) if everything else DOCS
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="allthepoints-captures-") as folder:
        with asyncio.Runner(loop_factory=TimelapseLoop) as runner:
            lived = runner.run(live_through(Path(folder)))
        asyncio.run(take(lived, list(every(lived)) if everything else few(lived), into))


if __name__ == "__main__":
    main()
