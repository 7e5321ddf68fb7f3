"""Settings and secrets become a running service: the only module that names concrete classes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import logging.handlers
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from allthepoints.base.clock import Chance, Clock, SystemClock
from allthepoints.base.errors import AllThePointsError, FaultError
from allthepoints.base.secret import Secret
from allthepoints.base.threads import Unawaited
from allthepoints.base.types import JSON, Login
from allthepoints.config import load, watch
from allthepoints.config.environment import Environment
from allthepoints.config.paths import ConfigPath, DataDir, prepare
from allthepoints.config.policy import alert_policy, errand_policy, policy, session_options
from allthepoints.config.settings import Settings
from allthepoints.core.records import Event
from allthepoints.notify.apprise_notifier import AppriseNotifier
from allthepoints.ports import NOTIFY, ChatTransport, JwtStore, JwtUnusable, Notifier, StoreApi
from allthepoints.service.alerting import Alerting, Told
from allthepoints.service.loop import Service
from allthepoints.service.outside import NO_HOOKS, Hooks, Outside, both
from allthepoints.service.snapshot import Snapshot
from allthepoints.service.supervise import Tasks
from allthepoints.storage.database import SqliteStorage
from allthepoints.storage.jwtfile import JwtFile
from allthepoints.storage.lock import acquire
from allthepoints.storage.read import Reader
from allthepoints.storage.read_points import PointsReader
from allthepoints.storage.tokenfile import TokenFile
from allthepoints.streamelements.jwt import JwtKeeper
from allthepoints.streamelements.points import ElementsPoints
from allthepoints.streamelements.store import ElementsStore
from allthepoints.twitch.chat import TcpChat
from allthepoints.twitch.helix import Helix
from allthepoints.twitch.oauth import OAuth, sign_in_by_device
from allthepoints.twitch.tokens import TokenKeeper
from allthepoints.views.alert_text import AlertWords
from allthepoints.views.event_text import event_in
from allthepoints.views.zone import zone_of
from allthepoints.web import Client

if TYPE_CHECKING:
    from allthepoints.views.web.server import Dashboard

log = logging.getLogger(__name__)

LOOK_FOR_REQUESTS = 1.0
"""Seconds between looks for what other commands ask of the running service."""

ANSWER_WITHIN = 1.0
"""Seconds that the end of the program waits for an answer under way: it may be the only copy of a token."""

ERRAND_LOOKS = 0.05
"""Seconds between looks whether an errand is done."""

LOG_BYTES = 1_000_000
LOG_FILES = 3
"""The logs together take at most LOG_BYTES * (LOG_FILES + 1)."""


@dataclass(frozen=True, slots=True)
class Given:
    """The environment's secrets, as the sign-in takes them."""

    token: Secret | None = None
    refresh: Secret | None = None
    client_secret: Secret | None = None
    jwt: Secret | None = None

    @classmethod
    def by(cls, environment: Environment) -> Given:
        """What stands in the environment."""
        return cls(
            environment.twitch_token,
            environment.twitch_refresh_token,
            environment.twitch_client_secret,
            environment.streamelements_jwt,
        )


@asynccontextmanager
async def signing_in(
    settings: Settings, given: Given, data: DataDir, clock: Clock, client: Client | None = None
) -> AsyncIterator[tuple[OAuth, TokenKeeper]]:
    """What `login` and `logout` need, and `assembled` too. A `client` that is given is not closed."""
    own = Client() if client is None else client
    try:
        oauth = OAuth(own, settings.endpoints.oauth, settings.twitch.client_id, clock)
        store = TokenFile(data.tokens)
        keeper = TokenKeeper(oauth, store, clock, client_id=settings.twitch.client_id, environment=given)
        for warning in store.warnings:
            log.warning("%s", warning)
        try:
            yield oauth, keeper
        finally:
            await keeper.aclose(ANSWER_WITHIN)
    finally:
        if client is None:
            await own.aclose()


@asynccontextmanager
async def assembled(
    settings: Settings,
    given: Given,
    data: DataDir,
    clock: Clock,
    chance: Chance,
    *,
    hooks: Hooks = NO_HOOKS,
    chat: ChatTransport | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
    requests_every: float = 0.0,
    durable: bool = True,
    errand: bool = False,
) -> AsyncIterator[Service]:
    """A service that is ready to `run`.

    `chat` and `transport` replace the network of chat and of HTTP. Not `durable`: its data is thrown away. `errand`: it
    is for StreamElements alone.
    """
    client, elements = Client(transport), Client(transport)  # two, so that a host that hangs does not hold up the other
    try:
        async with signing_in(settings, given, data, clock, client) as (_, keeper):
            storage = await SqliteStorage.open(data.database, clock.now(), durable=durable)
            for warning in storage.warnings:
                log.warning("%s", warning)
            chat = chat or TcpChat(settings.endpoints.irc, clock, tick=settings.chat.read_tick)
            helix = Helix(client, settings.endpoints.helix, keeper, clock, lambda fact: service.note(fact))  # noqa: PLW0108 -- made a line later
            points = ElementsPoints(elements, settings.endpoints.streamelements, clock)
            jwt = JwtKeeper(clock, jwt_store(data), given.jwt)
            store = ElementsStore(elements, settings.endpoints.streamelements, clock, jwt)
            outside = Outside(helix, chat, keeper, points, store, storage, clock, chance)
            wanted = errand_policy() if errand else policy(settings)
            service = Service(outside, wanted, session_options(settings), hooks, requests_every)
            try:
                yield service
            finally:
                await _close(storage)
    finally:
        await client.aclose()
        await elements.aclose()


async def run(
    settings: Settings,
    config: ConfigPath,
    data: DataDir,
    environment: Environment,
    hooks: Hooks = NO_HOOKS,
    say: Callable[[str], None] = log.info,
) -> None:
    """The service, until a signal: what `allthepoints run` does. `config`: where `settings` came from; it is watched.

    `say` is told where the dashboard is. Raises UsageError, AlreadyRunning, FaultError.
    """
    asyncio.get_running_loop().set_default_executor(Unawaited())
    clock, chance, given = SystemClock(), Chance(), Given.by(environment)
    with acquire(prepare(data).lock):
        alerts, link = _Alerts(data, clock, chance), _Link(settings)
        web = _dashboard(settings, config, data, given, clock, link)
        faces = hooks if web is None else both(hooks, web.hooks)
        async with assembled(
            settings,
            given,
            data,
            clock,
            chance,
            hooks=both(alerts.hooks, logged(faces)),
            requests_every=LOOK_FOR_REQUESTS,
        ) as service:
            tasks = Tasks()
            link.service, link.reload = service, _Reload(service, config, settings, alerts)
            await alerts.start(service, settings, tasks)
            _heed_signals(service, link.reload)
            if config.path.parent.is_dir():
                tasks.start("watch the config", link.reload.watch())
            if web is not None:
                tasks.start("dashboard", web.serve(say))
            try:
                await service.run()
            finally:
                await tasks.cancel()


async def errand(
    settings: Settings,
    data: DataDir,
    environment: Environment,
    kind: str,
    login: Login | None,
    asked: Mapping[str, JSON],
    until: Callable[[], bool],
    seconds: float,
) -> None:
    """Ask something of a service that runs for this alone, without any chat, until `until()` or so many seconds.

    `kind`, `login` and `asked` as in `service.requests`. Raises AlreadyRunning, FaultError, ValueError.
    """
    asyncio.get_running_loop().set_default_executor(Unawaited())
    clock = SystemClock()
    with acquire(data.lock):
        async with assembled(settings, Given.by(environment), data, clock, Chance(), errand=True) as service:
            running = asyncio.ensure_future(service.run())
            try:
                service.ask(kind, login, asked)
                ends = clock.now() + seconds
                while clock.now() < ends and not running.done() and not until():
                    await clock.sleep(ERRAND_LOOKS)
            finally:
                service.stop()
                await running


class _Link:
    """From the dashboard, which is told by the service's hooks, to the service, which is made with them."""

    def __init__(self, settings: Settings) -> None:
        self.service: Service | None = None
        self.reload: _Reload | None = None
        self._settings = settings

    def settings(self) -> Settings:
        return self._settings if self.reload is None else self.reload.settings

    def ask(self, kind: str, login: Login | None, data: Mapping[str, JSON]) -> None:
        if self.service is None:
            raise ValueError("the service is starting")
        self.service.ask(kind, login, data)


def _dashboard(
    settings: Settings, config: ConfigPath, data: DataDir, given: Given, clock: Clock, link: _Link
) -> Dashboard | None:
    """The web face, if the config has one; it is imported only then. Raises UsageError, FaultError."""
    if not settings.dashboard.listen:
        return None
    from allthepoints.service.alerting import tried  # noqa: PLC0415
    from allthepoints.views.alert_text import trial_notice  # noqa: PLC0415
    from allthepoints.views.web.board import Board, Doings  # noqa: PLC0415 -- some MiB for who has none
    from allthepoints.views.web.server import Dashboard  # noqa: PLC0415

    async def sign_in(show: Callable[[str, str, float], None]) -> Login:
        now = link.settings()
        async with signing_in(now, given, data, clock) as (oauth, keeper):
            grant = await sign_in_by_device(
                oauth, clock, lambda code: show(code.user_code, code.verification_uri, code.expires_in)
            )
            return (await keeper.adopt(grant)).account.login

    async def try_notify() -> list[tuple[str, str | None]]:
        places = notifier(link.settings(), clock)
        return list(zip(places.places, await tried(places, trial_notice()), strict=True))

    doings = Doings(link.ask, link.settings, config.path, sign_in, try_notify)
    board = Board(PointsReader(data.database), clock, doings, settings.dashboard.base_path)
    return Dashboard(board, settings.dashboard, data, clock)


async def _close(storage: SqliteStorage) -> None:
    """A disk that hangs does not keep us: what it was given it has, or never takes."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            await storage.aclose()
    except TimeoutError:
        log.error("the database does not answer, and is left as it is")


def log_to(path: Path, verbose: bool) -> None:
    """Send the log to a file that is rotated and bounded. Uncaught tracebacks go there too, never secrets."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8", errors="backslashreplace"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    for chatty in ("httpx2", "httpcore2", "watchfiles", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def logged(hooks: Hooks) -> Hooks:
    """The same hooks; what happens is in the log too."""

    def on_event(event: Event, snapshot: Snapshot) -> None:
        log.info("%s", event_in(event, snapshot))
        if hooks.on_event is not None:
            hooks.on_event(event, snapshot)

    return Hooks(hooks.on_snapshot, on_event)


class _Reload:
    """A changed config: a good one acts at once, a bad one changes nothing and is told."""

    def __init__(self, service: Service, config: ConfigPath, settings: Settings, alerts: _Alerts) -> None:
        self._service = service
        self._config = config
        self.settings = settings
        self._alerts = alerts
        self._complaint = ""

    async def watch(self) -> None:
        async for _ in watch.saves(self._config.path):
            self.now()

    def now(self) -> None:
        try:
            settings = load.load(self._config.path, self._config.named).settings
        except AllThePointsError as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                self._service.reject_config(self._complaint)
            return
        if settings != self.settings or self._complaint:
            if _built_in(settings) != _built_in(self.settings):
                log.warning(
                    "what changed of twitch, endpoints, dashboard, or the timing of chat is used from the next start on"
                )
            self.settings, self._complaint = settings, ""
            self._service.take_policy(policy(settings))
            self._alerts.take(settings)


class _Alerts:
    """Notifications beside the service: nobody is told before the config names a place."""

    def __init__(self, data: DataDir, clock: Clock, chance: Chance) -> None:
        self._alerting = Alerting(clock, chance)
        self._data = data
        self._clock = clock
        self._urls: tuple[Secret, ...] = ()
        self._notifier: Notifier | None = None
        self.hooks = self._alerting.hooks

    async def start(self, service: Service, settings: Settings, tasks: Tasks) -> None:
        """From here on, until the tasks end. The database is there already."""
        with contextlib.suppress(FaultError):  # then the service itself will tell
            seen = await asyncio.to_thread(Reader(self._data.database).status)
            self._alerting.recall(seen.service.get(NOTIFY))
        self.take(settings)
        self._alerting.show_with(service.show)
        tasks.start("notifications", self._alerting.run())

    def take(self, settings: Settings) -> None:
        """A changed config acts at once. Places whose addresses stay keep what waits for them."""
        urls = settings.notify.urls
        if self._notifier is None or urls != self._urls:
            self._urls, self._notifier = urls, notifier(settings, self._clock)
        zone = zone_of(settings.display.zone)
        words = AlertWords(self._data.database, zone)
        self._alerting.use(Told(alert_policy(settings), zone, words, self._notifier) if urls else None)


def notifier(settings: Settings, clock: Clock) -> Notifier:
    """Who sends to the places of the config. What it needs is loaded when something is sent for the first time."""
    return AppriseNotifier(settings.notify.urls, clock)


def _built_in(settings: Settings) -> tuple[object, ...]:
    """What a running service was put together with, and does not take up."""
    return (
        settings.twitch,
        settings.endpoints,
        session_options(settings),
        settings.chat.read_tick,
        settings.dashboard,
    )


def _heed_signals(service: Service, reload: _Reload) -> None:
    """The first SIGINT or SIGTERM lets the service leave its rooms; the second ends the process at once."""
    loop = asyncio.get_running_loop()
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if stopping:
            os._exit(1)
        stopping = True
        service.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
    if hasattr(signal, "SIGHUP"):
        loop.add_signal_handler(signal.SIGHUP, reload.now)


def jwt_store(data: DataDir) -> JwtStore:
    """Where the viewer's StreamElements JWT is kept."""
    return _TellingJwtFile(data.jwt)


def jwt_ends(data: DataDir, given: Secret | None) -> float | None:
    """What the JWT that would be used says of its own end; None where there is none, or it says nothing."""
    try:
        return JwtKeeper(SystemClock(), jwt_store(data), given).expires_at()
    except JwtUnusable as error:
        return error.expires_at


class _TellingJwtFile(JwtFile):
    """It is read again and again: what had to be done about it is logged once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._told: set[str] = set()

    def load(self) -> Secret | None:
        try:
            return super().load()
        finally:
            for warning in self.warnings:
                if warning not in self._told:
                    log.warning("%s", warning)
            self._told.update(self.warnings)
            self.warnings.clear()


@asynccontextmanager
async def trying_jwt(settings: Settings, jwt: Secret, clock: Clock) -> AsyncIterator[StoreApi]:
    """StreamElements as the owner of this very JWT sees it: what `login streamelements` needs."""
    client = Client()
    try:
        yield ElementsStore(client, settings.endpoints.streamelements, clock, JwtKeeper(clock, given=jwt))
    finally:
        await client.aclose()
