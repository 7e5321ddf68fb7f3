"""Settings and secrets become a running service: the only module that names concrete classes."""

from __future__ import annotations

import asyncio
import logging
import logging.handlers
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from allthepoints.base.clock import Chance, Clock, SystemClock
from allthepoints.base.secret import Secret
from allthepoints.base.threads import Unawaited
from allthepoints.base.types import JSON, Login
from allthepoints.config.environment import Environment
from allthepoints.config.paths import DataDir
from allthepoints.config.policy import errand_policy, policy, session_options
from allthepoints.config.settings import Settings
from allthepoints.notify.apprise_notifier import AppriseNotifier
from allthepoints.ports import ChatTransport, JwtStore, JwtUnusable, Notifier, StoreApi
from allthepoints.service.loop import Service
from allthepoints.service.outside import NO_HOOKS, Hooks, Outside
from allthepoints.storage.database import SqliteStorage
from allthepoints.storage.jwtfile import JwtFile
from allthepoints.storage.lock import acquire
from allthepoints.storage.tokenfile import TokenFile
from allthepoints.streamelements.jwt import JwtKeeper
from allthepoints.streamelements.points import ElementsPoints
from allthepoints.streamelements.store import ElementsStore
from allthepoints.twitch.chat import TcpChat
from allthepoints.twitch.helix import Helix
from allthepoints.twitch.oauth import OAuth
from allthepoints.twitch.tokens import TokenKeeper
from allthepoints.web import Client

if TYPE_CHECKING:
    pass

log = logging.getLogger(__name__)

ANSWER_WITHIN = 1.0
"""Seconds that the end of the program waits for an answer under way: it may be the only copy of a token."""

ERRAND_LOOKS = 0.05
"""Seconds between looks whether an errand is done."""


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
            keeper.runs_for(storage.account)
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
                await _close(storage, 0.0 if service.disk_owes else ANSWER_WITHIN)
    finally:
        await client.aclose()
        await elements.aclose()


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


async def _close(storage: SqliteStorage, seconds: float) -> None:
    """A disk that hangs does not keep us: what it was given it has, or never takes."""
    try:
        async with asyncio.timeout(seconds):
            await storage.aclose()
    except TimeoutError:
        log.error("the database does not answer, and is left as it is")


def notifier(settings: Settings, clock: Clock) -> Notifier:
    """Who sends to the places of the config. What it needs is loaded when something is sent for the first time."""
    return AppriseNotifier(settings.notify.urls, clock)


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


@dataclass(frozen=True, slots=True)
class Probes:
    """What asks the other side without changing anything there or here: what `doctor` needs."""

    web: Client
    oauth: OAuth
    chat: ChatTransport
    store: StoreApi


@asynccontextmanager
async def probing(
    settings: Settings, given: Given, jwts: JwtStore, clock: Clock, patience: float
) -> AsyncIterator[Probes]:
    """`patience`: seconds for each request. Raises whatever the HTTP library finds wrong with the environment."""
    web, signing = Client(timeout=patience), Client(timeout=patience)  # two: what hangs holds up nothing else
    try:
        yield Probes(
            web,
            OAuth(signing, settings.endpoints.oauth, settings.twitch.client_id, clock),
            TcpChat(settings.endpoints.irc, clock),
            ElementsStore(signing, settings.endpoints.streamelements, clock, JwtKeeper(clock, jwts, given.jwt)),
        )
    finally:
        await web.aclose()
        await signing.aclose()


@asynccontextmanager
async def trying_jwt(settings: Settings, jwt: Secret, clock: Clock) -> AsyncIterator[StoreApi]:
    """StreamElements as the owner of this very JWT sees it: what `login streamelements` needs."""
    client = Client()
    try:
        yield ElementsStore(client, settings.endpoints.streamelements, clock, JwtKeeper(clock, given=jwt))
    finally:
        await client.aclose()
