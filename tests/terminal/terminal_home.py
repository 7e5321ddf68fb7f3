"""A memory that a service left behind, and the terminal view of it without a terminal: keys in, plain text out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from allthepoints.base.clock import Stopwatch
from allthepoints.base.types import JSON, ItemId, Login, SeId, StreamId, UserId
from allthepoints.config.load import load
from allthepoints.config.paths import ConfigPath, DataDir
from allthepoints.core import records as r
from allthepoints.core.elements import read_key
from allthepoints.core.loyalty import Balance, Item, Loyalty
from allthepoints.core.model import ChannelRef, Stream, StreamKind, Why
from allthepoints.core.redeem import Redemption, State
from allthepoints.ports import ChannelRow
from allthepoints.storage.database import Database
from allthepoints.storage.lock import acquire
from allthepoints.views.intent import Intent
from allthepoints.views.shelf import Shelf
from allthepoints.views.store import Offer
from allthepoints.views.terminal.app import WatchApp
from allthepoints.views.terminal.asks import Asks
from allthepoints.views.terminal.seen import Looker

AT = 1_795_640_400.0
"""2026-11-25T21:00:00Z."""

HOUR, DAY = 3600.0, 86_400.0

ALPHA, BETA, GAMMA, DELTA, EPSILON = (UserId(str(n)) for n in range(1, 6))

MAP = Item(
    ItemId("a" * 24),
    "Pick the next map 🗺",
    1500,
    "The streamer plays it in the next round.",
    stock=3,
    cooldown_user=600.0,
    asks=("Map name", "Mode"),
    takes_message=True,
)
HYDRATE = Item(ItemId("b" * 24), "Hydrate", 100)
VIP = Item(ItemId("c" * 24), "VIP", 5000, subscriber_only=True)
KEY = Item(ItemId("d" * 24), "A game key", 1800, kind="code", stock=2)
GONE = Item(ItemId("e" * 24), "Once", 10)
SOLD = Item(ItemId("f" * 24), "Poster", 300, stock=0)
SONG = Item(ItemId("9" * 24), "Song request", 40)

CODE = "AAAA-BBBB-CCCC"

ROWS = (
    ChannelRow(
        ALPHA, Login("alpha"), "Alpha", True, "present", None, AT - 600, AT - HOUR, 0, "climbing 🌊 with friends",
        1845, 30.0, "earning",
    ),
    ChannelRow(
        BETA, Login("beta"), "ベータ", True, "present", None, AT - 5000, AT - 6000, 1, "art", 12, None, "flat",
        ("never_typed", "hide_gambling"),
    ),
    ChannelRow(GAMMA, Login("gamma"), "Gamma", True, "refused", "banned", AT - 60, AT - 90, None, "speedrun"),
    ChannelRow(DELTA, Login("delta"), "Delta", True, "waiting", "no_slot", AT - 30, AT - 45, 2, "chess"),
    ChannelRow(EPSILON, Login("epsilon"), "Epsilon", False, "absent", "offline", AT - 5, points=77),
)  # fmt: skip

SERVICE: dict[str, JSON] = {
    "account": {"user_id": "9", "login": "me"},
    "chat": {"connections": 1, "wanted": 3, "present": 2, "waiting": 1, "refused": 1},
    "wishes": 1,
    "warnings": [
        {
            "code": "channels_refused",
            "severity": "info",
            "title": "Some chats are closed to you",
            "text": "1 live channel will not have this account in the chat. `allthepoints channels` tells which.",
            "since": AT - 60,
        },
        {
            "code": "jwt_missing",
            "severity": "warning",
            "title": "Not signed in to StreamElements",
            "text": "Nothing can be redeemed. Run `allthepoints login streamelements`.",
            "since": AT - 7200,
        },
    ],
}

STREAM = Stream(
    StreamId("s1"), ChannelRef(ALPHA, Login("alpha"), "Alpha"), StreamKind.LIVE, "climbing 🌊 with friends", AT - HOUR
)
YESTERDAY = replace(STREAM, id=StreamId("s0"), title="warm-up", started_at=AT - 20 * HOUR)


def known(row: ChannelRow, followed: int | None = 0) -> r.ChannelKnown:
    return r.ChannelKnown(AT - 9, ChannelRef(row.id, row.login, row.display), followed)


def earned(at: float, delta: int, points: int, channel: UserId = ALPHA) -> r.LedgerEntry:
    return r.LedgerEntry(at, channel, r.Change.EARNED, delta, points)


def _payments() -> Iterator[r.LedgerEntry]:
    """Two sessions: one of yesterday, in which something was bought, and one that goes on."""
    points = 1790
    for at in range(13):
        points += 10
        yield earned(AT - 20 * HOUR + at * 1200, 10, points)
    yield r.LedgerEntry(AT - 15 * HOUR, ALPHA, r.Change.SPENT, -100, points - 100)
    points -= 100
    for at in range(5):
        points += 5
        yield earned(AT - 3000 + at * 600, 5, points)
    assert points == 1845


BOUGHT = Redemption(
    "0" * 32, ALPHA, Login("alpha"), HYDRATE.id, 100, AT - 15 * HOUR, State.ACCEPTED,
    settled_at=AT - 15 * HOUR, name="Hydrate",
)  # fmt: skip

RECORDS: tuple[r.Record, ...] = (
    *(known(row, number) for number, row in enumerate(ROWS)),
    r.Event(AT - 3700, r.EventKind.STARTED),
    r.Event(AT - 3650, r.EventKind.SIGNED_IN, None, {"login": "me"}),
    r.Event(AT - 3600, r.EventKind.LIVE, ALPHA, {"stream": "s1", "started_at": AT - HOUR}),
    r.Event(AT - 3590, r.EventKind.PRESENT, ALPHA),
    r.RefusalSet(AT - 60, GAMMA, Why.BANNED, "", None, None),
    r.Event(AT - 60, r.EventKind.REFUSED, GAMMA, {"why": "banned", "text": "You are banned from talking in gamma."}),
    r.SessionOpened(AT - 20 * HOUR, YESTERDAY),
    r.PresenceOpened(AT - 20 * HOUR + 60, ALPHA, YESTERDAY.id),
    r.PresenceClosed(AT - 17 * HOUR, ALPHA, "lost"),
    r.PresenceOpened(AT - 16.5 * HOUR, ALPHA, YESTERDAY.id),
    r.PresenceClosed(AT - 15 * HOUR, ALPHA, "parted"),
    r.SessionClosed(AT - 15 * HOUR, ALPHA, YESTERDAY.id),
    r.SessionOpened(AT - HOUR, STREAM),
    r.PresenceOpened(AT - 3590, ALPHA, STREAM.id),
    r.LoyaltyKnown(AT - 9, ALPHA, SeId("a" * 24), Loyalty("acorns", amount=5, interval=600.0)),
    r.LoyaltyKnown(AT - 9, BETA, SeId("b" * 24), Loyalty("=coins")),
    r.LedgerEntry(AT - 21 * HOUR, ALPHA, r.Change.OPENING, 0, 1790),
    *_payments(),
    r.BalanceKnown(AT - 120, ALPHA, Balance(1845, 615, 212, 1290)),
    r.LedgerEntry(AT - 60, BETA, r.Change.OPENING, 0, 12),
    r.BalanceKnown(AT - 60, BETA, Balance(12)),
    r.ItemKnown(AT - 9 * DAY, ALPHA, replace(VIP, cost=4000)),
    r.ItemKnown(AT - 5 * DAY, ALPHA, replace(VIP, cost=4500)),
    r.RedemptionKept(AT - 15 * HOUR, BOUGHT),
    *(r.ItemKnown(AT - DAY, ALPHA, item) for item in (MAP, HYDRATE, VIP, KEY, GONE, SOLD)),
    r.ItemGone(AT - HOUR, ALPHA, GONE.id),
    r.ItemKnown(AT - DAY, BETA, SONG),
    r.Noted(AT - HOUR, read_key(ALPHA), str(AT - HOUR)),
)

CONFIG = """# mine
[channels]
followed = true

[display]
zone = "UTC"

[[wish]]
channel = "alpha"
item = "Pick the next map 🗺"
"""


@dataclass
class Home:
    """A folder with a config and a database."""

    folder: Path

    @property
    def data(self) -> DataDir:
        return DataDir(self.folder / "data")

    @property
    def config(self) -> ConfigPath:
        return ConfigPath(self.folder / "config.toml", True)

    def fill(
        self,
        records: Sequence[r.Record] = RECORDS,
        rows: Sequence[ChannelRow] = ROWS,
        service: Mapping[str, JSON] | None = SERVICE,
        config: str = CONFIG,
        at: float = AT,
    ) -> Home:
        """What a service that ran left behind."""
        self.data.path.mkdir(parents=True, exist_ok=True)
        self.config.path.write_text(config, encoding="utf-8")
        database = Database(self.data.database, at)
        database.load()
        database.record(records, at, channel_rows=rows, service=service)
        database.close()
        return self

    def write(self, *records: r.Record, rows: Sequence[ChannelRow] = (), at: float = AT) -> None:
        """What the service writes now."""
        database = Database(self.data.database, at)
        database.record(records, at, channel_rows=rows)
        database.close()

    @contextmanager
    def running(self) -> Iterator[None]:
        """A service runs there."""
        with acquire(self.data.lock):
            yield


class FakeAsks(Asks):
    """Answers at once, and remembers what it was asked."""

    def __init__(self, home: Home, looker: Looker) -> None:
        super().__init__(home.data, home.config, lambda: looker.settings, looker.now)
        self.home = home
        self.asked: list[tuple[Any, ...]] = []
        self.error: Exception | None = None
        self.shelf: Shelf | None = None
        """What a look answers instead of what is known."""

    def look(self, channel: UserId, login: Login, within: float = 0.0) -> Shelf:
        self.asked.append(("look", login))
        if self.error is not None:
            raise self.error
        from allthepoints.views.shelf import shelf_of

        return self.shelf or shelf_of(self._reader, channel, self._settings())

    def redeem(self, intent: Intent) -> None:
        self.asked.append(("redeem", intent))
        if self.error is not None:
            raise self.error

    def retry(self, login: Login) -> None:
        self.asked.append(("retry", login))


def view(home: Home, now: float = AT, **more: Any) -> tuple[WatchApp, FakeAsks]:
    """The view of what is in `home`."""
    settings = load(home.config.path, home.config.path.exists()).settings
    looker = Looker(home.data, home.config, settings, lambda: now)
    asks = FakeAsks(home, looker)
    return WatchApp(looker, asks, **more), asks


@asynccontextmanager
async def shown(app: WatchApp, width: int = 80, height: int = 24) -> AsyncIterator[Pilot[None]]:
    """The view on a screen of that size, after its first look."""
    async with app.run_test(size=(width, height)) as pilot:
        await looked(pilot)
        yield pilot


async def looked(pilot: Pilot[None]) -> None:
    """What keys began is done, and a look from then on is on the screen."""
    watch = Stopwatch()
    await pilot.pause()
    while any(worker.name != "look" and not worker.is_finished for worker in pilot.app.workers):
        assert watch.elapsed() < 60, "what a key began never ends"
        await pilot.pause(0.005)
    await seen_again(pilot)


async def seen_again(pilot: Pilot[None]) -> None:
    """A look from now on is on the screen, whatever is still being done."""
    app, watch = pilot.app, Stopwatch()
    assert isinstance(app, WatchApp)
    before = app.looks
    app.nudge()
    while app.looks < before + 2:
        assert watch.elapsed() < 60, "nobody looks"
        await pilot.pause(0.005)
        app.nudge()
    await pilot.pause()


def text_of(app: WatchApp) -> str:
    """What stands on the screen, without colours; spaces at the ends of lines are left out."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


__all__ = ["CODE", "Home", "Offer", "looked", "seen_again", "shown", "text_of", "view"]
