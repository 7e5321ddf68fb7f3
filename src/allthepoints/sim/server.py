"""The sandbox itself: a world, its servers, and the day that happens to it.

    sandbox = Sandbox(demo_day(seed=1), clock)
    endpoints = await sandbox.start()
    access, refresh = sandbox.issue_tokens(("chat:read", "user:read:follows"))
    ...
    await sandbox.stop()
    sandbox.tally()

One clock drives everything. Without sockets, `app` is called through an ASGI transport and chat through `connect_chat`;
then `begin()` takes the place of `start()`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec
from starlette.applications import Starlette
from starlette.routing import Mount

from allthepoints.base.clock import Chance, Clock
from allthepoints.base.types import as_login
from allthepoints.sim.agenda import Agenda
from allthepoints.sim.control import Control
from allthepoints.sim.elements import JWT_LIFE, Elements, SeChannel, StoreItem, guid
from allthepoints.sim.elements_shapes import Secrets
from allthepoints.sim.faults import FAULTS, Desk
from allthepoints.sim.helix import Helix
from allthepoints.sim.hub import ChatHub
from allthepoints.sim.irc import ChatServer, MemoryLink
from allthepoints.sim.oauth import OAuth
from allthepoints.sim.oracle import Best, best
from allthepoints.sim.points import Loyalty
from allthepoints.sim.scenario import (
    FIRST_CHANNEL_ID,
    AccountPlan,
    Broadcast,
    ChannelPlan,
    FaultPlan,
    ItemPlan,
    LoyaltyPlan,
    Scenario,
    check,
    planned_id,
)
from allthepoints.sim.streamelements import StreamElements
from allthepoints.sim.tally import HEALED, Befallen, Journal, Tally, count
from allthepoints.sim.tokens import Pair, TokenBook
from allthepoints.sim.troubles import Troubles
from allthepoints.sim.web import HttpServer
from allthepoints.sim.world import User, World

SCOPES = ("chat:read", "user:read:follows")

_YEAR = 365 * 86400.0


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the sandbox listens: what `[endpoints]` of a config takes. `control` is the address of /sandbox."""

    irc: str
    helix: str
    oauth: str
    streamelements: str
    control: str


class Sandbox:
    """Twitch and StreamElements on loopback. The scenario's time 0 is the clock's now() at `start` or `begin`."""

    def __init__(
        self,
        scenario: Scenario,
        clock: Clock,
        *,
        chance: Chance | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Raises `scenario.ScenarioError` for a scenario that cannot be."""
        check(scenario)
        self.scenario = scenario
        self.clock = clock
        self.started_at = clock.now()
        luck = chance if chance is not None else Chance(scenario.seed)
        self.journal = Journal(scenario.limits.joins, scenario.limits.logins, scenario.limits.window)
        self.world = World(luck, scenario.online_lag, scenario.offline_lag)
        self.elements = Elements(self.world, self.started_at)
        self.account = self._populate()
        secrets = {client.id: client.secret for client in scenario.clients}
        self.tokens = TokenBook(luck, scenario.access_token_life, secrets)
        troubles = Troubles(luck)
        self._agenda = Agenda(clock)
        self.hub = ChatHub(self.world, self.journal, self.tokens, troubles, self._agenda, clock, luck, scenario.limits)
        self._desk = Desk(self.hub, self.account, self.elements)
        points = scenario.limits.helix_points
        helix = Helix(self.world, self.journal, self.tokens, troubles, clock, points)
        approve_after = scenario.device_approve_after
        elements = StreamElements(
            self.world,
            self.elements,
            self.journal,
            troubles,
            self._agenda,
            clock,
            scenario.limits.elements_per_minute,
            scenario.limits.store_page,
        )
        oauth = OAuth(self.world, self.journal, self.tokens, troubles, clock, self.account, approve_after)
        self.app = Starlette(
            routes=[
                Mount("/helix", routes=helix.routes()),
                Mount("/oauth2", routes=oauth.routes()),
                Mount("/kappa/v2", routes=elements.routes()),
                Mount("/sandbox", routes=Control(self).routes()),
            ]
        )
        self._chat_server = ChatServer(self.hub, ssl_context)
        self._http_server = HttpServer(self.app)
        self._running: asyncio.Task[None] | None = None

    # -- running ---------------------------------------------------------------------------------------------------
    async def start(self, irc_port: int = 0, http_port: int = 0) -> Endpoints:
        """Bind 127.0.0.1 (0: a free port) and let the day begin. Raises OSError for a port that is taken."""
        irc = await self._chat_server.start(irc_port)
        http = await self._http_server.start(http_port)
        self.begin()
        chat = f"irc://127.0.0.1:{irc}" if self._chat_server.ssl_context is None else f"ircs://localhost:{irc}"
        base = f"http://127.0.0.1:{http}"
        return Endpoints(
            irc=chat,
            helix=f"{base}/helix",
            oauth=f"{base}/oauth2",
            streamelements=f"{base}/kappa/v2",
            control=f"{base}/sandbox",
        )

    def begin(self) -> None:
        """Let the day begin, without sockets. Needs a running event loop."""
        self.started_at = self.clock.now()
        self.elements.begin(self.started_at)
        self._schedule_day()
        self._agenda.run_due()
        self._running = asyncio.ensure_future(self._agenda.run())

    async def stop(self) -> None:
        """End it: no task and no socket is left. Raises what went wrong inside the day, if anything did."""
        await self._chat_server.stop()
        await self._http_server.stop()
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
            running, self._running = self._running, None
            if not running.cancelled() and (error := running.exception()) is not None:
                raise error

    def connect_chat(self, on_data: Callable[[bytes], None], on_lost: Callable[[str], None]) -> MemoryLink:
        """A connection to the chat server in memory."""
        return MemoryLink(self.hub, on_data, on_lost)

    # -- steering and counting -------------------------------------------------------------------------------------
    def tally(self) -> Tally:
        """What really happened so far."""
        now = self.clock.now()
        rooms = self.scenario.limits.rooms
        return count(self.world, self.elements, self.journal, self.account, self.started_at, now, rooms)

    def best(self) -> Best:
        """The most that any client could have been present so far."""
        limits, now = self.scenario.limits, self.clock.now()
        return best(self.world, self.journal, self.account, limits, self.started_at, now)

    def fault(self, name: str, **parameters: object) -> None:
        """Order a fault of the table in `faults`. Raises ValueError for what is not in it."""
        self._desk.order(name, parameters)

    def heal(self, name: str | None = None) -> None:
        """Forget the armed faults of a name, or all of them: an outage ends now."""
        self.journal.befallen.append(Befallen(self.clock.now(), HEALED, {"name": name}))
        self.hub.troubles.disarm(name)

    def issue_tokens(
        self, scopes: Iterable[str] = SCOPES, *, account: str | None = None, client_id: str | None = None
    ) -> Pair:
        """A fresh (access, refresh) pair, as if the person had signed in."""
        user = self.world.find(account) if account is not None else self.account
        return self.tokens.issue(user.id, client_id or self.scenario.client_id, scopes, self.clock.now())

    def issue_jwt(self, account: str | None = None, expires_in: float = JWT_LIFE, *, foreign: bool = False) -> str:
        """A StreamElements JWT, as the person copies it from the page there. `expires_in` in seconds, also negative;
        `foreign`: signed by nobody we know."""
        user = self.world.find(account) if account is not None else self.account
        return self.elements.issue_jwt(user, self.clock.now(), expires_in, foreign=foreign)

    def secrets(self) -> tuple[str, ...]:
        """Everything that was given out or told of the account and that nobody may find again: tokens, JWTs, and what
        StreamElements tells of its own channel."""
        own = self.elements.of(self.account)
        return (*self.tokens.issued(), *self.elements.jwts, *(Secrets(own).all() if own is not None else ()))

    def add_channel(self, login: str, *, channel_id: str = "", followed: bool = True) -> User:
        """A new channel, offline. Raises ValueError when login or id is taken or cannot be one."""
        now = self.clock.now()
        name = as_login(login)
        user = User(channel_id or str(FIRST_CHANNEL_ID + len(self.world.users)), name, name, now)
        self.world.add(user)
        self.elements.add(user, Loyalty())
        if followed:
            self.world.follow(self.account.id, user.id, now)
        return user

    # -- the day ---------------------------------------------------------------------------------------------------
    def _populate(self) -> User:
        account = self._add_account(self.scenario.account)
        accounts = [(self.scenario.account, account)]
        accounts += [(plan, self._add_account(plan)) for plan in self.scenario.others]
        for place, plan in enumerate(self.scenario.channels):
            user = self._add_planned(plan, place)
            if plan.followed:
                self.world.follow(account.id, user.id, self.started_at - (place + 1) * 86400.0)
        for moderator, user in accounts:
            for login in moderator.moderates:
                self.world.find(login).moderators.add(user.id)
            for login in moderator.subscribes:
                self.elements.subscribe(user, self.world.find(login))
        for plan in self.scenario.channels:
            self._stock(plan, account)
        return account

    def _add_account(self, plan: AccountPlan) -> User:
        created_at = self.started_at - 4 * _YEAR
        user = self.world.add(User(plan.id, plan.login, plan.display_name or plan.login, created_at))
        self.elements.add(user, Loyalty(enabled=False))
        return user

    def _add_planned(self, plan: ChannelPlan, place: int) -> User:
        return self.world.add(
            User(
                id=planned_id(plan, place),
                login=plan.login,
                display_name=plan.display_name or plan.login,
                created_at=self.started_at - 5 * _YEAR,
            )
        )

    def _stock(self, plan: ChannelPlan, account: User) -> None:
        """What StreamElements has of a channel."""
        if not plan.elements:
            return
        channel = self.elements.add(self.world.find(plan.id or plan.login), _loyalty(plan.loyalty), plan.provider)
        self.elements.purse(channel, account, plan.balance)
        for place, item in enumerate(plan.store):
            made = _item(item, channel, place, self.started_at - _YEAR)
            channel.items[made.id] = made

    def _schedule_day(self) -> None:
        """Ends before starts: a stream that follows another at once is a stream of its own."""
        broadcasts = [
            (plan_user, broadcast)
            for plan in self.scenario.channels
            for plan_user in [self.world.find(plan.id or plan.login)]
            for broadcast in plan.broadcasts
        ]
        for user, broadcast in broadcasts:
            self._agenda.at(self.started_at + broadcast.end, lambda u=user: self._go_offline(u))  # type: ignore[misc]
        for user, broadcast in broadcasts:
            at = self.started_at + broadcast.start
            self._agenda.at(at, lambda u=user, b=broadcast: self._go_live(u, b))  # type: ignore[misc]
        for fault in self.scenario.faults:
            self._agenda.at(self.started_at + fault.at, lambda f=fault: self._befall(f))  # type: ignore[misc]

    def _go_live(self, user: User, broadcast: Broadcast) -> None:
        if not user.exists:
            return
        self.world.go_live(
            user,
            self.clock.now(),
            kind=broadcast.kind,
            helix_type=broadcast.helix_type,
            title=broadcast.title,
            tags=broadcast.tags,
            started_at=self.started_at + broadcast.start,
        )

    def _go_offline(self, user: User) -> None:
        self.world.go_offline(user, self.clock.now())

    def _befall(self, fault: FaultPlan) -> None:
        def order() -> None:
            self._desk.order(fault.name, fault.parameters)

        if not fault.on:
            order()
        elif FAULTS[fault.name].apply is None:
            self.hub.troubles.wait_for(fault.on, order)
        else:  # not in the middle of what the server is doing, but next
            self.hub.troubles.wait_for(fault.on, lambda: self._soon(order))

    def _soon(self, call: Callable[[], None]) -> None:
        self._agenda.later(0.0, call)


def _loyalty(plan: LoyaltyPlan) -> Loyalty:
    given = msgspec.structs.asdict(plan)
    return Loyalty(**{**given, "ignored": frozenset(plan.ignored)})


def _item(plan: ItemPlan, channel: SeChannel, place: int, created_at: float) -> StoreItem:
    total = len(plan.codes) if plan.type == "code" and plan.codes else plan.total
    return StoreItem(
        id=plan.id or guid("item", channel.id, place),
        name=plan.name,
        cost=plan.cost,
        kind=plan.type,
        description=plan.description,
        total=total,
        left=total if plan.left is None else plan.left,
        order=place,
        tells_current=plan.tells_current,
        cooldown_user=plan.cooldown_user,
        cooldown_global=plan.cooldown_global,
        cooldown_category=plan.cooldown_category,
        category=plan.category,
        enabled=plan.enabled,
        featured=plan.featured,
        public=plan.public,
        subscriber_only=plan.subscriber_only,
        asks=plan.asks,
        takes_message=plan.takes_message,
        sources=plan.sources,
        keyword=plan.keyword,
        codes=list(plan.codes),
        created_at=created_at,
        updated_at=created_at,
    )
