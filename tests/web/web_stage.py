"""A dashboard in this process: a board that is told by hand, its application, and a browser's requests."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
from starlette.types import ASGIApp

from allthepoints.base.clock import Stopwatch, SystemClock
from allthepoints.base.types import JSON, ItemId, Login, SeId, UserId
from allthepoints.config.settings import Dashboard, Settings
from allthepoints.core import records as r
from allthepoints.core.elements import read_key
from allthepoints.core.loyalty import Balance, Item, Loyalty
from allthepoints.core.model import Account, ChannelRef, Stream, StreamKind
from allthepoints.core.place import Census
from allthepoints.core.redeem import Redemption, State
from allthepoints.core.warning import Warning
from allthepoints.ports import ChannelRow
from allthepoints.service.snapshot import Snapshot
from allthepoints.storage.database import Database
from allthepoints.storage.read_points import PointsReader
from allthepoints.testing.clock import ManualClock, settle
from allthepoints.testing.inprocess import InProcess
from allthepoints.views.web.app import Pages, application
from allthepoints.views.web.board import Board, Doings
from allthepoints.views.web.change import Change
from allthepoints.views.web.guard import Rules
from allthepoints.views.web.parts import Fragment
from allthepoints.views.web.password import Password
from allthepoints.views.web.sessions import Door

AT = 1_795_640_400.0
"""2026-11-25T21:00:00Z."""

HOUR, DAY = 3600.0, 86_400.0
ORIGIN = "http://127.0.0.1:7771"
CODE = "AAAA-SECRET-CODE"
HOSTILE = '"><script>alert(1)</script>\u202e{{7*7}}'

SAME: Mapping[str, str] = {"sec-fetch-site": "same-origin", "origin": ORIGIN}
"""What a browser says of a form on a page of ours."""


def row(number: int, **more: Any) -> ChannelRow:
    """Channel number so-and-so, present and earning."""
    given: dict[str, Any] = {
        "live": True,
        "state": "present",
        "since": AT - 600,
        "live_since": AT - HOUR,
        "place": number,
        "title": f"stream {number}",
        "points": 1000 + number,
        "rate_per_hour": 30.0,
        "verdict": "earning",
        **more,
    }
    return ChannelRow(UserId(str(number)), Login(f"c{number}"), f"C{number}", **given)


def snapshot(rows: Iterable[ChannelRow] = (), at: float = AT, **more: Any) -> Snapshot:
    found = {one.id: one for one in rows}
    states = [one.state for one in found.values()]
    census = Census(2, len(found), states.count("present"), states.count("waiting"), states.count("refused"))
    given: dict[str, Any] = {"warnings": (), "helix_points": (700, 800), "wishes": 1, **more}
    return Snapshot(at, Account(UserId("9"), Login("me")), True, census, found, **given)


def worry(code: str = "jwt_missing", severity: str = "warning", title: str = "Worry") -> Warning:
    return Warning(code, severity, title, "What it means, and what to do.", AT - 60)


@dataclass(frozen=True)
class StubPage:
    """Shows what a page is given, through a template of the real environment."""

    path: str = "/stub/{login}"
    template: str = "error.html"
    fails: Exception | None = None

    async def context(self, board: Board, request: Any) -> Mapping[str, Any]:
        if self.fails is not None:
            raise self.fails
        return {"title": HOSTILE, "text": f"{request.path_params.get('login')} {board.sentence()}"}


@dataclass(frozen=True)
class StubAction:
    """Remembers what it was run with."""

    ran: list[Mapping[str, str]] = field(default_factory=list)
    fails: Exception | None = None

    async def run(self, board: Board, form: Mapping[str, str]) -> Fragment:
        if self.fails is not None:
            raise self.fails
        self.ran.append(dict(form))
        await board.ask("look", Login(form.get("login", "")), {})
        return Fragment("<p>done</p>", headers={"HX-Trigger": "done"})


async def stub_fragments(_: Board, change: Change, _topic: str) -> list[tuple[str, str]]:
    told = [("row", f"<i>{one.login}\n{one.points}</i>") for one in change.rows]
    told += [("row", f"gone {id_}") for id_ in change.gone]
    told += [("event", event.kind) for event in change.events]
    if change.warnings is not None:
        told.append(("alerts", ",".join(warning.code for warning in change.warnings)))
    if change.sentence is not None:
        told.append(("sentence", change.sentence))
    return told


class Stage:
    """`asked`: what the service was asked for. `action` is at `POST /act/{login}`, `page` at `/stub/{login}`."""

    def __init__(self, folder: Path, dashboard: Dashboard | None = None, password: str | None = None) -> None:
        self.folder = folder
        self.clock = ManualClock(AT)
        self.asked: list[tuple[str, str | None, Mapping[str, JSON]]] = []
        self.settings = Settings(dashboard=dashboard or Dashboard())
        where = self.settings.dashboard
        self.notified: JSON = None
        doings = Doings(
            lambda kind, login, data: self.asked.append((kind, login, data)),
            lambda: self.settings,
            folder / "c.toml",
            notified=lambda: self.notified,
        )
        self.board = Board(PointsReader(folder / "allthepoints.db"), self.clock, doings, where.base_path)
        self.page, self.action = StubPage(), StubAction()
        self.password = Password(folder / "password.json")
        self.door: Door | None = None
        if password is not None:
            self.password.set(password)
            self.door = Door(self.password, self.clock)
        self.rules = Rules.of(where)
        self.app = self.build()

    def build(self, page: StubPage | None = None, action: StubAction | None = None, pages: Pages | None = None) -> Any:
        """The application with other pages. It stays the same board."""
        self.page, self.action = page or self.page, action or self.action
        found = pages or Pages({"stub": self.page}, {"/act/{login}": self.action}, stub_fragments)
        self.app = application(self.board, found, self.rules, self.door)
        return self.app

    def client(self, base: str = ORIGIN, **more: Any) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=InProcess(self.app), base_url=base, **more)

    def tell(self, rows: Sequence[ChannelRow] = (), **more: Any) -> Snapshot:
        told = snapshot(rows, self.clock.now(), **more)
        self.board.told(told)
        return told

    def token(self, session: str = "") -> dict[str, str]:
        return {"csrf": self.board.token_for(session)}


async def get(stage: Stage, path: str, headers: Mapping[str, str] | None = None, base: str = ORIGIN) -> httpx2.Response:
    async with stage.client(base) as client:
        return await client.get(path, headers=dict(headers or {}))


async def post(
    stage: Stage,
    path: str,
    form: Mapping[str, str] | None,
    headers: Mapping[str, str] | None = None,
    base: str = ORIGIN,
) -> httpx2.Response:
    async with stage.client(base) as client:
        return await client.post(path, data=dict(form or {}), headers=dict(headers or {}))


class Listening:
    """A client of `/events`, without a network. `said` is all that it was sent, as one text."""

    def __init__(self, app: ASGIApp, target: str, headers: Mapping[str, str] | None = None) -> None:
        path, _, query = target.partition("?")
        pairs = {"host": "127.0.0.1:7771", **(headers or {})}
        self._scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in pairs.items()],
            "client": ("127.0.0.1", 1),
        }
        self._app = app
        self._gone = asyncio.Event()
        self.status = 0
        self.said = ""
        self.stuck = False
        self.task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        async def receive() -> Any:
            await self._gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
            else:
                self.said += message.get("body", b"").decode()
            if self.stuck:
                await asyncio.get_running_loop().create_future()

        await self._app(self._scope, receive, send)

    def events(self) -> list[tuple[str, str]]:
        """Name and data of what it was sent since the last call."""
        said, self.said = self.said, ""
        found = []
        for block in said.split("\n\n"):
            name = re.search(r"^event: (.*)$", block, re.M)
            if name:
                found.append((name[1], "\n".join(re.findall(r"^data: (.*)$", block, re.M))))
        return found

    async def hang_up(self) -> None:
        self._gone.set()
        await self.task


async def turns(count: int = 30) -> None:
    """Let tasks go as far as they can."""
    await settle(count)


async def until(look: Callable[[], Awaitable[bool]]) -> None:
    """Look every few milliseconds, for things that happen in real time."""
    clock, watch = SystemClock(), Stopwatch()
    while not await look():
        assert watch.elapsed() < 60
        await clock.sleep(0.005)


# -- what is in the database -----------------------------------------------------------------------------------------
MAP = Item(ItemId("64b0c1d2e3f4a5b6c7d8e9f0"), HOSTILE, 1500, stock=3, asks=("Map name",))
HYDRATE = Item(ItemId("64b0c1d2e3f4a5b6c7d8e9f1"), "Hydrate", 100)


def fill(folder: Path) -> None:
    """A channel with a week of points, a store and two redemptions."""
    alpha = UserId("1")
    ref = ChannelRef(alpha, Login("c1"), HOSTILE)
    stream = Stream("s1", ref, StreamKind.LIVE, HOSTILE, AT - HOUR)  # type: ignore[arg-type]
    kept = Redemption("0a" * 16, alpha, Login("c1"), HYDRATE.id, 100, AT - 2 * HOUR, name="Hydrate", se=SeId("a" * 24))
    earned = [r.LedgerEntry(AT - 5 * DAY + n * 300, alpha, r.Change.EARNED, 5, 1000 + 5 * n) for n in range(1, 1000)]
    database = Database(folder / "allthepoints.db", AT)
    database.load()
    database.record(
        (
            r.ChannelKnown(AT - 9, ref, 0),
            r.Event(AT - 9, r.EventKind.STARTED),
            r.Event(AT - 8, r.EventKind.PRESENT, alpha),
            r.SessionOpened(AT - HOUR, stream),
            r.PresenceOpened(AT - HOUR, alpha, stream.id),
            r.PresenceClosed(AT - HOUR / 2, alpha, "lost"),
            r.PresenceOpened(AT - HOUR / 2, alpha, stream.id),
            r.LoyaltyKnown(AT - 9, alpha, SeId("a" * 24), Loyalty("acorns", amount=5, interval=600.0)),
            r.LedgerEntry(AT - 6 * DAY, alpha, r.Change.OPENING, 0, 1000),
            *earned,
            r.BalanceKnown(AT - 120, alpha, Balance(1845, 615, 212, 1290)),
            r.ItemKnown(AT - DAY, alpha, MAP),
            r.ItemKnown(AT - DAY, alpha, HYDRATE),
            r.Noted(AT - 180, read_key(alpha), str(AT - 180)),
            r.RedemptionKept(
                AT - HOUR,
                replace(kept, state=State.ACCEPTED, sent_at=AT - HOUR - 1, settled_at=AT - HOUR, code=CODE),
            ),
        ),
        AT,
    )
    database.close()
