"""What `redeem` plays in: the real service on a real database before the sandbox.

Each item of the sandbox's stores asks one question, and the answer to it is the intent's key. So the sandbox's own rows
say which intent was taken, and how often; and the POSTs that reach it are counted by the key that they carry.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from redeem_taps import TappedWire, Taps, key_of, tapped
from rig import EPOCH
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from allthepoints import wiring
from allthepoints.base.clock import Chance, Clock, LoopClock
from allthepoints.base.secret import Secret
from allthepoints.base.types import JSON, ItemId, Login, UserId
from allthepoints.config.paths import DataDir
from allthepoints.config.settings import Endpoints, Settings, Twitch
from allthepoints.core.records import Event, EventKind
from allthepoints.core.redeem import FINAL
from allthepoints.service.loop import Service
from allthepoints.service.outside import Hooks
from allthepoints.sim.elements import SeChannel
from allthepoints.sim.limits import Limits
from allthepoints.sim.scenario import ChannelPlan, ItemPlan, Scenario
from allthepoints.sim.server import Sandbox
from allthepoints.storage.ask import ask
from allthepoints.storage.read_points import PointsReader
from allthepoints.testing.chat import MemoryChat
from allthepoints.testing.inprocess import InProcess

PLENTY = 100_000_000
"""Points in each channel, so that only faults make them scarce."""

SETTLES_WITHIN = 3600.0
"""Seconds of simulated time after which an intent counts as one that never ends."""

LOOK = 60.0
"""Seconds between looks into the database whether an intent has ended; as a rule its event tells."""


class Counted:
    """In front of the sandbox's app: the POSTs that reach it, by the key that they carry."""

    def __init__(self, app: ASGIApp, posts: Counter[str]) -> None:
        self._app = app
        self._posts = posts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and "/redemptions/" in scope["path"]:
            heard = [await receive()]
            while heard[-1].get("more_body"):
                heard.append(await receive())
            self._posts[key_of(b"".join(one.get("body", b"") for one in heard)) or ""] += 1
            receive = _again(heard, receive)
        await self._app(scope, receive, send)


def _again(heard: list[Message], more: Receive) -> Receive:
    left = iter(heard)

    async def receive() -> Message:
        for message in left:
            return message
        return await more()

    return receive


# -- the streets and the shops -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Lane:
    """One channel, whose redemptions come one after another. `items`: two, by id; each asks for the key."""

    login: Login
    channel: UserId
    store: SeChannel
    items: tuple[ItemId, ItemId]

    def cost(self, item: ItemId) -> int:
        """What it costs now."""
        return self.store.items[item].cost


def scenario(lanes: int, seed: int) -> Scenario:
    """Channels that nobody streams on: only what is bought moves the points."""
    ask_key = ("Key",)
    plans = tuple(
        ChannelPlan(
            login=f"lane{place}",
            balance=PLENTY,
            store=(
                ItemPlan("One", 100 + place, asks=ask_key),
                ItemPlan("Other", 40 + place, asks=ask_key, takes_message=True),
            ),
        )
        for place in range(lanes)
    )
    # The limit of calls a minute is not what this is about: each intent comes at once when the one before it is over.
    return Scenario(name="redeem", seed=seed, channels=plans, limits=Limits(elements_per_minute=1_000_000))


def lanes_of(sandbox: Sandbox) -> tuple[Lane, ...]:
    """One for each channel."""
    found = []
    for plan in sandbox.scenario.channels:
        owner = sandbox.world.find(plan.login)
        store = sandbox.elements.of(owner)
        assert store is not None
        one, other = (ItemId(item) for item in store.items)
        found.append(Lane(Login(owner.login), UserId(owner.id), store, (one, other)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Intent:
    """A confirmed intent, and under which row of the table it is counted. `ends`: how it may end."""

    key: str
    row: str
    ends: frozenset[str]


def taken_by(sandbox: Sandbox) -> Counter[str]:
    """How often each key was taken, by the sandbox's own count."""
    return Counter(one.input[0] for one in sandbox.tally().redemptions)


# -- the service in it ---------------------------------------------------------------------------------------------
class World:
    """A sandbox and the service before it, all in this process, on the running loop's simulated time.

    `by_request`: intents come through the requests table, as from a command beside the service; else in process, as in
    an errand. `errand`: the service runs for StreamElements alone.
    """

    def __init__(
        self, folder: Path, lanes: int, seed: int, *, by_request: bool = False, errand: bool = True, durable: bool
    ) -> None:
        self.clock: Clock = LoopClock(asyncio.get_running_loop(), EPOCH)
        self.sandbox = Sandbox(scenario(lanes, seed), self.clock, chance=Chance(seed))
        self.posts: Counter[str] = Counter()
        self.sandbox.app.add_middleware(Counted, posts=self.posts)
        self.taps = Taps()
        self.intents: list[Intent] = []
        self.lanes = lanes_of(self.sandbox)
        self.data = DataDir(folder)
        self.reader = PointsReader(self.data.database)
        self._by_request, self._errand, self._durable = by_request, errand, durable
        self._ended: dict[str, asyncio.Event] = {}
        self._stack = AsyncExitStack()
        self._service: Service | None = None
        self._running: asyncio.Task[None] | None = None
        self._turning = asyncio.Lock()
        self._up = asyncio.Event()

    # -- it runs ---------------------------------------------------------------------------------------------------
    async def __aenter__(self) -> World:
        self.sandbox.begin()
        self.good_jwt()
        await self._start()
        assert self._service is not None
        for lane in self.lanes:
            self._service.ask("look", lane.login)
        while not all(self.reader.store(lane.channel) for lane in self.lanes):
            await self.clock.sleep(1.0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()
        await self.sandbox.stop()

    async def restart(self) -> None:
        """The service that was told to stop, or lost its power, is gone; another one takes up its database."""
        async with self._turning:
            self._up.clear()
            await self._end()
            self.taps.dead = False
            await self._start()

    async def stop(self) -> None:
        """The service is asked to stop, in order. Then `restart`."""
        assert self._service is not None
        self._service.stop()

    async def cut_power(self) -> None:
        """From here on nothing is written and nothing is sent. Then `restart`."""
        self.taps.dead = True
        await self.stop()

    async def ended(self) -> None:
        """The service has stopped by itself."""
        assert self._running is not None
        await asyncio.wait({self._running}, timeout=SETTLES_WITHIN)

    async def _start(self) -> None:
        tokens = self.sandbox.issue_tokens()
        given = wiring.Given() if self._errand else wiring.Given(Secret(tokens.access), Secret(tokens.refresh))
        web = "http://127.0.0.1"
        endpoints = Endpoints(
            irc="irc://127.0.0.1:6667", helix=f"{web}/helix", oauth=f"{web}/oauth2", streamelements=f"{web}/kappa/v2"
        )
        settings = Settings(twitch=Twitch(client_id=self.sandbox.scenario.client_id), endpoints=endpoints)
        with tapped(self.taps):
            self._service = service = await self._stack.enter_async_context(
                wiring.assembled(
                    settings,
                    given,
                    self.data,
                    self.clock,
                    Chance(self.sandbox.scenario.seed),
                    hooks=Hooks(on_event=self._heard),
                    chat=MemoryChat(self.sandbox.connect_chat, self.clock),
                    transport=TappedWire(InProcess(self.sandbox.app), self.taps),
                    requests_every=1.0 if self._by_request else 0.0,
                    durable=self._durable,
                    errand=self._errand,
                )
            )
        self._running = asyncio.ensure_future(service.run())
        self._up.set()

    async def _end(self) -> None:
        assert self._service is not None
        assert self._running is not None
        self._service.stop()
        await self._running
        await self._stack.aclose()

    def _heard(self, event: Event, _: object) -> None:
        if event.kind in (EventKind.REDEEMED, EventKind.REDEMPTION_REFUSED):
            self._ended[str(event.data["key"])].set()

    def _is_final(self, key: str) -> bool:
        found = self.reader.redemption(key)
        return found is not None and found.state in FINAL

    # -- what a person does ----------------------------------------------------------------------------------------
    def intend(self, row: str, *ends: str) -> Intent:
        """A new intent of the table's `row`, which may end as `ends` say: "accepted", or a reason for "rejected"."""
        intent = Intent(f"{self.sandbox.scenario.seed}-{len(self.intents)}", row, frozenset(ends))
        self.intents.append(intent)
        self._ended[intent.key] = asyncio.Event()
        return intent

    async def ask(self, intent: Intent, lane: Lane, item: ItemId | None = None, cost: int | None = None) -> None:
        """Say yes to it. `cost`: the price that was seen, if not the present one."""
        await self._up.wait()
        await self.clock.sleep(0.01)  # what was read up to now was read before the yes
        assert self._service is not None
        item = lane.items[0] if item is None else item
        data: dict[str, JSON] = {
            "key": intent.key,
            "item": item,
            "cost": lane.cost(item) if cost is None else cost,
            "answers": [intent.key],
        }
        if self._by_request:
            ask(self.data.database, "redeem", lane.login, self.clock.now(), data, intent.key)
        else:
            self._service.ask("redeem", lane.login, data)

    async def settled(self, *intents: Intent) -> None:
        """Each is accepted or rejected by our own books, or will never be."""
        end = self.clock.now() + SETTLES_WITHIN
        for intent in intents:
            while not self._is_final(intent.key) and (left := end - self.clock.now()) > 0:
                heard = self._ended[intent.key]
                heard.clear()
                await asyncio.wait([waiting := asyncio.ensure_future(heard.wait())], timeout=min(left, LOOK))
                waiting.cancel()

    # -- what others do --------------------------------------------------------------------------------------------
    def fault(self, name: str, **parameters: object) -> None:
        """See `Sandbox.fault`."""
        self.sandbox.fault(name, **parameters)

    def good_jwt(self) -> None:
        """The person pastes a good one."""
        self.jwt(self.sandbox.issue_jwt())

    def jwt(self, text: str | None) -> None:
        """The person pastes this one; None: signs out."""
        store = wiring.jwt_store(self.data)
        if text is None:
            store.forget()
        else:
            store.save(Secret(text))
