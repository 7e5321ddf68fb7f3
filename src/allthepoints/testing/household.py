"""The whole program on simulated time, and the people around it: what a soak lives through.

Put together as `operation.service.run` does it, from the same parts: lock, log files, notifications, dashboard with its
port, config that is read again, service. The sandbox is Twitch and StreamElements. Left out: signals, the service
manager, and the watch on the config's folder, which waits in real time (a save is told as a hangup tells it).

Every five minutes of the simulated time something is done to it (`People`), by a plan that is the same for each day, so
that days can be compared; at LOOK_AT seconds into a day nobody listens, and nothing that began is unfinished.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch

from allthepoints import wiring
from allthepoints.base.clock import Chance, LoopClock
from allthepoints.base.logs import Log, log_to
from allthepoints.base.secret import Secret
from allthepoints.base.threads import Unawaited
from allthepoints.config.load import parse
from allthepoints.config.paths import ConfigPath, DataDir, prepare
from allthepoints.config.settings import Poll, Settings
from allthepoints.operation.alerts import Alerts
from allthepoints.operation.face import Link, dashboard
from allthepoints.operation.reload import Reload
from allthepoints.operation.service import LOOK_FOR_REQUESTS, logged
from allthepoints.ports import Notice, Notifier
from allthepoints.service.loop import Service
from allthepoints.service.outside import both
from allthepoints.service.supervise import Tasks
from allthepoints.sim.scenario import Broadcast, ChannelPlan, FaultPlan, ItemPlan, LoyaltyPlan, Scenario
from allthepoints.sim.server import Endpoints, Sandbox
from allthepoints.storage.lock import acquire
from allthepoints.testing.census import Look, look
from allthepoints.testing.inprocess import InProcess
from allthepoints.testing.people import DAY, EPOCH, HOUR, People, login
from allthepoints.views.web.server import Dashboard

LOOK_AT = 1000.0
"""Seconds into a day."""

LOG_BYTES = 10_000
"""Of one log file: so that files are rotated every few hours."""

HANGS = "hangs"


# -- the world ---------------------------------------------------------------------------------------------------------
def days_of(days: int, channels: int, live: int) -> Scenario:
    """The same day again and again: each of 12 or more channels streams once a day, so that so many are live at once;
    all pay, and all sell something. Each day has its troubles."""
    each = DAY / channels
    plans = tuple(
        ChannelPlan(
            login(n),
            broadcasts=tuple(
                Broadcast(start, start + live * each, title=f"day {day}")
                for day in range(days)
                for start in (day * DAY + n * each + 60.0,)
            ),
            loyalty=LoyaltyPlan(),
            balance=150 + n,
            store=(ItemPlan("Sticker", 60), ItemPlan("Mug", 400), ItemPlan("Cheer", 20), ItemPlan("Car", 90_000)),
        )
        for n in range(channels)
    )
    return Scenario(
        name="days of the whole program",
        duration=days * DAY,
        channels=plans,
        faults=tuple(FaultPlan(day * DAY + at, name, with_) for day in range(days) for at, name, with_ in _TROUBLES),
        online_lag=(20.0, 75.0),
        offline_lag=(60.0, 300.0),
    )


_TROUBLES: tuple[tuple[float, str, dict[str, Any]], ...] = (
    (2.1 * HOUR, "reset", {"connection": "all"}),
    (3.2 * HOUR, "status", {"path": "/helix", "code": 503, "seconds": 600.0}),
    (4.3 * HOUR, "reconnect", {"delay": 10.0}),
    (5.4 * HOUR, "ban", {"channel": login(1)}),
    (6.5 * HOUR, "unban", {"channel": login(1)}),
    (7.1 * HOUR, "price", {"channel": login(3), "item": "Mug", "cost": 50}),
    (8.6 * HOUR, "elements_html", {"code": 520, "seconds": 1200.0}),
    (9.7 * HOUR, "expire_token", {"cut_chat": True}),
    (10.2 * HOUR, "bot_absent", {"channel": login(5), "seconds": 3 * HOUR}),
    (13.9 * HOUR, "fin", {"connection": "all"}),
    (15.1 * HOUR, "price", {"channel": login(3), "item": "Mug", "cost": 50_000}),
    (16.2 * HOUR, "booked_no_answer", {"n": 1}),
    (18.3 * HOUR, "hang", {"path": "/helix", "n": 1, "delay": 400.0}),
    (20.4 * HOUR, "chat_noise", {"rate": 5.0, "seconds": 60.0, "every": 10.0}),
    (21.5 * HOUR, "half_open", {}),
)


def _config(ends: Endpoints, urls: tuple[str, ...], poll_live: float, other: int) -> str:
    """The person's file. Its two variants differ in whatever a service takes up while it runs."""
    paused = login(7 + other)
    wishes = [(login(n), "Sticker", True) for n in range(3)] + [(login(n), "Mug", False) for n in (3, 1, 2 + 2 * other)]
    lines = [
        '[twitch]\nclient_id = "sandbox"',
        f'[endpoints]\nirc = "{ends.irc}"\nhelix = "{ends.helix}"\noauth = "{ends.oauth}"',
        f'streamelements = "{ends.streamelements}"',
        '[dashboard]\nlisten = "127.0.0.1:0"',
        f'[poll]\nlive = "{poll_live:g}s"',
        f'[channels]\npaused = ["{paused}"]\npriority = ["{login(2 + other)}"]\nmax_rooms = {80 + other}',
        f"[notify]\nurls = [{', '.join(f'{chr(34)}{url}{chr(34)}' for url in urls)}]",
        f'quiet_hours = "23:00-0{6 + other}:00"\ndigest = "0{8 + other}:00"',
        '[display]\nzone = "UTC"',
    ]
    for channel, item, auto in wishes:
        more = "auto = true\nmax_cost = 100\ncount = 1000" if auto else "auto = false"
        lines.append(f'[[wish]]\nchannel = "{channel}"\nitem = "{item}"\n{more}')
    return "\n".join(lines) + "\n"


# -- who is notified ---------------------------------------------------------------------------------------------------
class PostOffice:
    """Takes notifications on loopback, on a thread: at one path they are taken, at another refused."""

    def __init__(self) -> None:
        self.answered: Counter[int] = Counter()
        office = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status = 403 if "refuses" in self.path else 200
                office.answered[status] += 1
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="post office", daemon=True)
        self._thread.start()
        at = f"json://127.0.0.1:{self._server.server_address[1]}"
        self.urls = (f"{at}/takes", f"{at}/refuses", f"json://127.0.0.1:9/{HANGS}")

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class OneHangs:
    """Fulfils `ports.Notifier`: the real one, but for the last place, which never answers, in simulated time."""

    def __init__(self, real: Notifier) -> None:
        self.places = real.places
        self._real = real

    async def send(self, place: int, notice: Notice) -> None:
        if place == len(self.places) - 1:
            await asyncio.get_running_loop().create_future()
        await self._real.send(place, notice)


# -- the house ---------------------------------------------------------------------------------------------------------
@dataclass
class Household:
    """All of it, running."""

    service: Service
    alerts: Alerts
    dashboard: Dashboard
    link: Link
    log: Log
    people: People
    post: PostOffice
    sandbox: Sandbox
    clock: LoopClock
    data: DataDir
    running: asyncio.Task[None]
    looks: list[Look] = field(default_factory=list)

    async def until(self, day: int, seconds: float = LOOK_AT) -> None:
        """Let simulated time go by, to so many seconds into a day. Raises what ends the service."""
        left = self.sandbox.started_at + day * DAY + seconds - self.clock.now()
        await asyncio.wait({self.running}, timeout=left)
        if self.running.done():
            self.running.result()
            raise RuntimeError("the service ended by itself")

    def look(self) -> Look:
        """What there is."""
        state = self.dashboard._server._state  # type: ignore[union-attr]  # it is started
        roots = {
            "service": self.service,
            "alerts": self.alerts,
            "dashboard": self.dashboard,
            "app": self.people.app._app,
            "link": self.link,
            "log": self.log,
            "connections": state.connections,
            "requests": state.tasks,
        }
        self.looks.append(look(roots, (self.sandbox, self.people, self.post, self.looks)))
        return self.looks[-1]


@asynccontextmanager
async def household(
    scenario: Scenario,
    folder: Path,
    poll_live: float = Poll().live,
    requests_every: float = LOOK_FOR_REQUESTS,
    seldom: int = 1,
) -> AsyncIterator[Household]:
    """The whole program in a sandbox, and people around it. Wants a loop on simulated time.

    `poll_live` (seconds): as in the config, of which balances and stores keep the defaults. `requests_every`: seconds
    between looks into the database for what commands ask. `seldom`: see `People`.
    """
    loop = asyncio.get_running_loop()
    loop.set_default_executor(Unawaited())
    clock, chance = LoopClock(loop, EPOCH), Chance(scenario.seed)
    sandbox, post, tasks = Sandbox(scenario, clock, chance=Chance(scenario.seed)), PostOffice(), Tasks()
    ends = await sandbox.start()
    data, config = DataDir(folder / "data"), ConfigPath(folder / "config.toml", True)
    more = (*post.urls[:1], *post.urls)
    variants = _config(ends, post.urls, poll_live, 0), _config(ends, more, poll_live, 1)
    config.path.write_text(variants[0], "utf-8")
    settings = parse(variants[0], str(config.path)).settings
    tokens, jwt = sandbox.issue_tokens(), Secret(sandbox.issue_jwt(expires_in=60 * DAY))
    given = wiring.Given(Secret(tokens.access), Secret(tokens.refresh), jwt=jwt)
    link = Link(settings)
    try:
        with _one_hangs(), acquire(prepare(data).lock), _logging(data) as log:
            alerts = Alerts(data, clock, chance)
            web = dashboard(settings, config, data, given, clock, link)
            assert web is not None
            hooks = both(alerts.hooks, logged(web.hooks))
            http = InProcess(sandbox.app)
            async with wiring.assembled(
                settings,
                given,
                data,
                clock,
                chance,
                hooks=hooks,
                transport=http,
                requests_every=requests_every,
                durable=False,
            ) as service:
                link.alerts, link.service = alerts, service
                link.reload = Reload(service, config, settings, alerts, clock)
                await alerts.start(service, settings, tasks)
                port = await _served(web, tasks)
                app = InProcess(web._server._config.app)  # type: ignore[union-attr,arg-type]  # it is started
                people = People(app, web, port, sandbox, link, config.path, variants, data, clock, seldom)
                service.ask("allow_auto", data={"allowed": True})
                running = asyncio.ensure_future(service.run())
                around = asyncio.ensure_future(people.live())
                try:
                    yield Household(service, alerts, web, link, log, people, post, sandbox, clock, data, running)
                    if around.done():
                        around.result()
                finally:
                    around.cancel()
                    await asyncio.gather(around, *people._away, return_exceptions=True)
                    service.stop()
                    await running
                    await tasks.cancel()
    finally:
        post.close()
        await sandbox.stop()


async def _served(web: Dashboard, tasks: Tasks) -> int:
    """Serve the dashboard; its port."""
    said: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    tasks.start("dashboard", web.serve(said.set_result))
    return int((await said).rsplit(":", 1)[1].rstrip("/"))


@contextmanager
def _one_hangs() -> Iterator[None]:
    def made(settings: Settings, clock: LoopClock) -> Notifier:
        return OneHangs(wiring.notifier(settings, clock))

    with patch("allthepoints.operation.alerts.notifier", made):
        yield


@contextmanager
def _logging(data: DataDir) -> Iterator[Log]:
    """Into files and nowhere else: other handlers may keep what they are told."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    root.handlers[:] = []
    try:
        with log_to(data.log, most=LOG_BYTES) as log:
            yield log
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
