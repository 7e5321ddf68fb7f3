"""The doctor: measures side by side, has the measurements judged, and answers the findings in their order.

It asks the endpoints of the config and nobody else, writes nothing but one probe file, and renews nothing. Each step is
bounded in time, and so is the whole: what hangs becomes a fault of that name, and the rest is told.

`doctor_here.py` and `doctor_database.py` measure this machine, `doctor_net.py` and `doctor_tls.py` the network,
`doctor_signin.py` the sign-ins; the grades are given in `core/checkup*.py`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx2

from allthepoints.base.addresses import is_loopback
from allthepoints.base.clock import Clock
from allthepoints.base.threads import Unawaited
from allthepoints.base.types import Login
from allthepoints.config.environment import Environment
from allthepoints.config.paths import ConfigPath, DataDir
from allthepoints.config.settings import Settings
from allthepoints.core import checkup_here, checkup_net, checkup_signin, checkup_tls
from allthepoints.core.checkup import NAMES, Finding, fault, is_sound
from allthepoints.core.checkup_here import Running
from allthepoints.core.checkup_net import Place
from allthepoints.core.checkup_signin import READS_CHAT, Chat, ChatState, Token, TokenState
from allthepoints.core.policy import LOGIN_LIMIT
from allthepoints.operation import doctor_database as memory
from allthepoints.operation import doctor_here as here
from allthepoints.operation import doctor_net as net
from allthepoints.operation import doctor_signin as signin
from allthepoints.operation.doctor_net import Patience, Resolve
from allthepoints.ports import StoredTokens
from allthepoints.wiring import Given, Probes, probing

T = TypeVar("T")

Findings = list[Finding]

PATIENCE = Patience()

LEFT_LOGINS = 5
"""Logins that are left to the service in any window."""


async def examine(
    config: ConfigPath,
    data: DataDir,
    environment: Environment,
    clock: Clock,
    *,
    chat: bool = False,
    resolve: Resolve = net.by_system,
    patience: Patience = PATIENCE,
) -> tuple[Finding, ...]:
    """All that can be found. `chat`: sign in to the chat also while a service runs. Raises nothing on purpose."""
    asyncio.get_running_loop().set_default_executor(Unawaited())
    return await _Examination(config, data, Given.by(environment), clock, chat, resolve, patience).run()


@dataclass(slots=True)
class _Examination:
    config: ConfigPath
    data: DataDir
    given: Given
    clock: Clock
    chat: bool
    resolve: Resolve
    patience: Patience
    found: Findings = field(default_factory=list)
    running: asyncio.Future[tuple[Running, memory.Memory]] = field(init=False)

    async def run(self) -> tuple[Finding, ...]:
        settings = await self._settings()
        self.running = asyncio.ensure_future(self._on_thread(self._who_runs))
        steps = {
            "data_dir": self._told(lambda: checkup_here.folder(here.look_at_folder(self.data.path))),
            "secret_files": self._told(lambda: checkup_here.secret_files(here.look_at_secrets(self.data))),
            "disk": self._told(lambda: checkup_here.disk(here.look_at_disk(self.data.path))),
            "database": self._database(),
            "service": self._service(),
        }
        async with AsyncExitStack() as stack:
            if settings is not None:
                steps["dashboard"] = self._dashboard(settings)
                steps |= await self._outside(settings, stack)
            await self._together(steps)
        return tuple(sorted(self.found, key=lambda finding: _ORDER[finding.name]))

    async def _together(self, steps: dict[str, Coroutine[Any, Any, None]]) -> None:
        """Side by side, each for itself: what hangs or breaks is a fault of that name."""
        tasks = {asyncio.ensure_future(step): name for name, step in steps.items()}
        try:
            done, late = await asyncio.wait(tasks, timeout=self.patience.whole)
            self.found += [_broken(tasks[task], error) for task in done if (error := task.exception()) is not None]
            self.found += [_late(tasks[task]) for task in late]
        finally:
            for task in tasks:
                task.cancel()
            self.running.cancel()
            await asyncio.gather(*tasks, self.running, return_exceptions=True)

    async def _told(self, look: Callable[[], Finding]) -> None:
        self.found.append(await self._on_thread(look))

    async def _on_thread(self, look: Callable[[], T]) -> T:
        async with asyncio.timeout(self.patience.files):
            return await asyncio.to_thread(look)

    # -- this machine ----------------------------------------------------------------------------------------------
    async def _settings(self) -> Settings | None:
        def look() -> tuple[Settings | None, checkup_here.Config]:
            given = self.given.token is not None or self.given.refresh is not None
            return here.look_at_config(self.config, given or signin.stored_tokens(self.data) is not None)

        try:
            settings, seen = await self._on_thread(look)
        except TimeoutError:
            self.found.append(_late("config"))
            return None
        self.found.append(checkup_here.config(seen))
        return settings

    def _who_runs(self) -> tuple[Running, memory.Memory]:
        pid = here.who_runs(self.data)
        left = memory.read_memory(self.data.database, pid is not None, self.clock.now())
        return Running(pid, left.alive if pid is not None else None), left

    async def _service(self) -> None:
        running, _ = await self.running
        self.found.append(checkup_here.running(running, self.clock.now()))

    async def _database(self) -> None:
        running, _ = await self.running
        path, runs = self.data.database, running.pid is not None
        await self._told(lambda: checkup_here.database(memory.look_at_database(path, runs)))

    async def _dashboard(self, settings: Settings) -> None:
        running, _ = await self.running
        where, runs = settings.dashboard, running.pid is not None
        await self._told(lambda: checkup_here.dashboard(here.look_at_port(where, self.data, runs), running))

    # -- the network -----------------------------------------------------------------------------------------------
    async def _outside(self, settings: Settings, stack: AsyncExitStack) -> dict[str, Coroutine[Any, Any, None]]:
        """The steps that need the network; none where the environment is such that nothing could be asked."""
        jwts = signin.JwtAsItIs(self.data)
        try:
            client = probing(settings, self.given, jwts, self.clock, self.patience.answer)
            probes = await stack.enter_async_context(client)
            web, chat = await self._on_thread(_trust)
            held = await self._on_thread(lambda: signin.tokens_held(self.data, self.given, self.clock.now()))
        except (OSError, ValueError, ImportError, httpx2.InvalidURL) as error:
            what = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            self.found.append(checkup_net.proxy(checkup_net.Proxy(unusable=what.lower())))
            return {}
        return {
            "proxy": self._network(settings, probes, held.sendable, web, chat),
            "token": self._sign_ins(settings, probes, held),
        }

    async def _network(
        self,
        settings: Settings,
        probes: Probes,
        held: StoredTokens | None,
        web: ssl.SSLContext,
        chat: ssl.SSLContext,
    ) -> None:
        async def look_at(place: Place) -> tuple[Place, net.Chain, net.Answered | None]:
            if place.name == "chat":
                return place, await net.chain(place, chat, self.resolve, self.patience), None
            chain, answered = await asyncio.gather(
                net.chain(place, web, self.resolve, self.patience),
                net.answer_of(place, settings, probes, held, self.clock, self.patience),
            )
            return place, chain, answered

        seen = await asyncio.gather(*map(look_at, net.places(settings)))
        proxy = net.proxy_of([(place, chain) for place, chain, _ in seen])
        self.found.append(checkup_net.proxy(proxy))
        for place, chain, answered in seen:
            findings = _chain(place, chain, self.clock.now(), bool(proxy.carries))
            self.found += findings
            if answered is not None and is_sound(findings) and not (place.proxy and proxy.failed):
                self.found.append(checkup_net.http(place, answered.http))
        ahead = {place.name: one.ahead for place, _, one in seen if one is not None and one.ahead is not None}
        self.found.append(checkup_net.clock(ahead, all(is_loopback(place.host) for place, _, _ in seen)))

    # -- the sign-ins ----------------------------------------------------------------------------------------------
    async def _sign_ins(self, settings: Settings, probes: Probes, held: signin.Held) -> None:
        running, left = await self.running
        autos = any(wish.auto for wish in settings.wish)
        jwt = asyncio.ensure_future(signin.look_at_jwt(probes.store, left.account, autos))
        try:
            seen, access = await signin.look_at_token(held, left.account, probes, self.clock)
            channels = settings.channels
            self.found.append(checkup_signin.token(seen, self.clock.now(), running))
            if (scopes := checkup_signin.scopes(seen, channels.followed, bool(channels.include))) is not None:
                self.found.append(scopes)
            chat = self._no_chat(seen, running, left)
            if chat is None and access is not None and seen.owner is not None:
                nick = Login(seen.owner[1])
                chat = await signin.sign_in_to_chat(probes.chat, access, nick, self.clock, self.patience)
            self.found.append(checkup_signin.chat(chat or Chat(ChatState.NOBODY), running))
            self.found.append(checkup_signin.jwt(await jwt, self.clock.now()))
        finally:
            jwt.cancel()

    def _no_chat(self, seen: Token, running: Running, left: memory.Memory) -> Chat | None:
        """Why the chat is not signed in to; None: it is."""
        if running.pid is not None and not self.chat:
            return Chat(ChatState.LEFT_TO_SERVICE, connections=left.connections)
        if seen.state is not TokenState.LIVES or READS_CHAT not in seen.scopes:
            return Chat(ChatState.NOBODY)
        if left.logins > LOGIN_LIMIT - LEFT_LOGINS:
            return Chat(ChatState.BUSY, logins=left.logins)
        return None


def _chain(place: Place, chain: net.Chain, now: float, proxy_set: bool) -> Findings:
    """As far as it was gone; what comes behind a fault is left out."""
    steps: Sequence[Callable[[], Finding | None]] = (
        lambda: None if chain.names is None else checkup_net.names(place, chain.names),
        lambda: None if chain.tcp is None else checkup_net.tcp(place, chain.tcp, proxy_set),
        lambda: None if chain.tls is None else checkup_tls.tls(place, chain.tls, now),
    )
    findings: Findings = []
    for step in steps:
        if (finding := step()) is not None:
            findings.append(finding)
        if not is_sound(findings):
            break
    return findings


def _trust() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Whom the HTTP client trusts, and whom the chat trusts: not the same on every system. Raises OSError."""
    return httpx2.create_ssl_context(), ssl.create_default_context()


def _late(name: str) -> Finding:
    return fault(name, "It gave no answer in time.", "A disk or a network folder that hangs is the usual cause.")


def _broken(name: str, error: BaseException) -> Finding:
    if isinstance(error, TimeoutError):
        return _late(name)
    return fault(
        name,
        f"Looking at it went wrong here: {type(error).__name__}.",
        "This is a mistake of the program: please tell its authors.",
    )


_ORDER = {name: place for place, name in enumerate(NAMES)}
