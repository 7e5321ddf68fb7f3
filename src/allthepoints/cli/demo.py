"""`demo`: the real service in the sandbox, a day in less than a minute."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil, inf
from operator import attrgetter
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from allthepoints import wiring
from allthepoints.base.clock import Chance, LoopClock, Stopwatch
from allthepoints.base.errors import UsageError
from allthepoints.base.secret import Secret
from allthepoints.base.types import JSON, Login, UserId
from allthepoints.cli import output
from allthepoints.cli.options import AsJson
from allthepoints.config.durations import parse_duration
from allthepoints.config.paths import DataDir
from allthepoints.config.settings import Dashboard as Where
from allthepoints.config.settings import Endpoints, Poll, Settings, Twitch, Wish
from allthepoints.core.records import Event, EventKind
from allthepoints.service.loop import Service
from allthepoints.service.outside import Hooks, both
from allthepoints.service.snapshot import Snapshot
from allthepoints.sim.days import demo_day
from allthepoints.sim.scenario import ChannelPlan, Scenario
from allthepoints.sim.server import Sandbox
from allthepoints.sim.tally import ChannelTally, Tally
from allthepoints.sim.timelapse import TimelapseLoop
from allthepoints.storage.read_points import PointsReader
from allthepoints.views import day
from allthepoints.views.plain import Field, Shape

if TYPE_CHECKING:
    from allthepoints.views.web.server import Dashboard

EPOCH = 1_795_564_800.0
"""The demo's day is 25 November 2026, UTC."""

LATE = 1.3
"""A machine that is too slow for the speed asked for ends the day when so many times the time asked for is over."""

BALANCE = 600.0
"""Seconds between two readings of a balance: twice the default, because a day has to go by in less than a minute."""

WISHES = 4

ANSWER = "whatever you like"
"""What the person of the demo says where an item asks something."""

FRAME = 0.1
"""Real seconds between two pictures."""


def demo(
    length: Annotated[str, typer.Option("--for", metavar="TIME", help="Real time for the day, as 20s or 2m.")] = "40s",
    seed: Annotated[int, typer.Option(help="The number of the day: the same number, the same day.")] = 1,
    as_json: AsJson = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Stay in the terminal: no dashboard.")] = False,
) -> None:
    """Show a whole day of streams in the sandbox, with the trouble that a day brings. Nothing leaves this machine."""
    seconds = parse_duration(length)
    if seconds is None or seconds < 1.0:
        raise UsageError(f"--for: expected a time of at least 1s, found {length!r}", "Write it as 20s, 90s or 2m.")
    scenario = demo_day(seed)
    face = day.face_for(sys.stderr, quiet=as_json and not sys.stderr.isatty())
    demo = _Demo(scenario, seconds, face, page=not no_browser)
    with (
        asyncio.Runner(loop_factory=lambda: TimelapseLoop(scenario.duration / seconds)) as runner,
        tempfile.TemporaryDirectory(prefix="allthepoints-demo-") as folder,
    ):
        tally = runner.run(demo.live_through(Path(folder)))
    if as_json:
        output.say_json(DEMO.of(Lived(tally, demo.confirmed)))
        return
    channels = [_channel(channel, demo.notes) for channel in tally.channels]
    for line in day.summary(channels, _totals(tally), output.width()):
        output.say(line)


@dataclass(frozen=True, slots=True)
class Lived:
    """The day that is over. `confirmed`: redemptions that the person said yes to."""

    tally: Tally
    confirmed: int


@dataclass(slots=True)
class _Demo:
    scenario: Scenario
    seconds: float
    face: day.Face
    page: bool = False
    """Whether there is a dashboard to look at, while the day lasts."""
    notes: dict[UserId, str] = field(default_factory=dict)
    service: Service | None = None
    confirmed: int = 0
    """Redemptions that the person said yes to."""

    async def live_through(self, folder: Path) -> Tally:
        """Run the day; answers what the sandbox itself counted."""
        loop = asyncio.get_running_loop()
        clock = LoopClock(loop, EPOCH)
        sandbox = Sandbox(self.scenario, clock, chance=Chance(self.scenario.seed))
        endpoints = await sandbox.start()
        tokens = sandbox.issue_tokens()
        settings = Settings(
            twitch=Twitch(client_id=self.scenario.client_id),
            endpoints=Endpoints(endpoints.irc, endpoints.helix, endpoints.oauth, endpoints.streamelements),
            poll=Poll(balance=BALANCE),
            wish=tuple(wishes_for(self.scenario)),
            dashboard=Where(listen="127.0.0.1:0"),
        )
        given = wiring.Given(Secret(tokens.access), Secret(tokens.refresh), jwt=Secret(sandbox.issue_jwt()))
        web = self._dashboard(settings, DataDir(folder), clock) if self.page else None
        told = Hooks(on_event=self._happened)
        try:
            async with wiring.assembled(
                settings,
                given,
                DataDir(folder),
                clock,
                Chance(self.scenario.seed),
                hooks=told if web is None else both(told, web.hooks),
                durable=False,
            ) as self.service:
                if web is not None:
                    _show_page(await web.start())
                return await self._watch(self.service, sandbox, clock)
        finally:
            if web is not None:
                await web.stop()
            await sandbox.stop()

    def _dashboard(self, settings: Settings, data: DataDir, clock: LoopClock) -> Dashboard:
        """The page of this day. What is changed in its settings is written into a file that goes with the day."""
        from allthepoints.views.web.board import Board, Doings, Pace
        from allthepoints.views.web.server import Dashboard

        doings = Doings(self._ask, lambda: settings, data.path / "config.toml")
        pace = Pace().at(self.scenario.duration / self.seconds)
        board = Board(PointsReader(data.database), clock, doings, pace=pace)
        return Dashboard(board, settings.dashboard, data, clock)

    def _ask(self, kind: str, login: Login | None, asked: Mapping[str, JSON]) -> None:
        assert self.service is not None, "the page is shown when there is one"
        self.confirmed += kind == "redeem" and not asked.get("dry")
        self.service.ask(kind, login, asked)

    def _happened(self, event: Event, snapshot: Snapshot) -> None:
        gone = event.at - EPOCH
        self.face.happened(event, snapshot, gone)
        if event.channel is not None and (note := day.note_of(event, gone)) is not None:
            self.notes[event.channel] = note
        row = None if event.channel is None else snapshot.rows.get(event.channel)
        if event.kind is EventKind.WISH_OBTAINABLE and row is not None and not self.confirmed:
            self._say_yes(event, row.login)

    def _say_yes(self, event: Event, login: Login) -> None:
        """The person of the demo has read the price, and confirms, once: what the command `redeem` does."""
        item, cost = str(event.data["id"]), event.data["cost"]
        answers = [ANSWER] * next(
            (
                len(plan.asks)
                for channel in self.scenario.channels
                if channel.login == login
                for plan in channel.store
                if plan.name == event.data["item"]
            ),
            0,
        )
        self.confirmed += 1
        assert self.service is not None
        self.service.ask("redeem", login, {"key": f"demo-{item}", "item": item, "cost": cost, "answers": answers})

    async def _watch(self, service: Service, sandbox: Sandbox, clock: LoopClock) -> Tally:
        watch = Stopwatch()
        running = asyncio.get_running_loop().create_task(service.run(), name="the service")
        frame = FRAME * self.scenario.duration / self.seconds
        try:
            while (gone := clock.now() - EPOCH) < self.scenario.duration and watch.elapsed() < self.seconds * LATE:
                await asyncio.wait({running}, timeout=min(frame, self.scenario.duration - gone))
                if running.done():
                    await running  # it does not end by itself, unless by a fault that is to be seen
                    break
                self._show(service, sandbox, clock)
        finally:
            self.face.close()
            tally = sandbox.tally()
            service.stop()
            await running
        return tally

    def _show(self, service: Service, sandbox: Sandbox, clock: LoopClock) -> None:
        if self.face.wants_frames and service.snapshot is not None:
            tally = sandbox.tally()
            self.face.show(service.snapshot, _totals(tally), clock.now() - EPOCH, self.scenario.duration)


def _show_page(address: str) -> None:
    """Say where the page is, and open it where a person sits before a screen."""
    output.note(f"The dashboard of this day is at {address}")
    screen = sys.platform in {"darwin", "win32"} or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if screen and sys.stdout.isatty() and sys.stderr.isatty():
        import webbrowser

        # A browser that takes its time must not hold up the day.
        Thread(target=webbrowser.open, args=(address,), name="open the browser", daemon=True).start()


def _totals(tally: Tally) -> day.Totals:
    return day.Totals(
        simulated_s=tally.simulated_s,
        live_s=tally.live_s,
        present_s=tally.present_s,
        points_paid=tally.points_paid,
        points_possible=tally.points_possible,
        reconnects=tally.reconnects,
        refreshes=tally.refreshes,
        joins_worst=tally.joins_worst,
        chat_lines_sent=tally.chat_lines_sent,
        redemptions=len(tally.redemptions),
    )


def _channel(channel: ChannelTally, notes: Mapping[UserId, str]) -> day.ChannelDay:
    return day.ChannelDay(
        channel.login,
        channel.live_s,
        channel.present_s,
        channel.points_paid,
        channel.points_possible,
        notes.get(UserId(channel.id), ""),
    )


DEMO: Shape[Lived] = Shape(
    "A day in the sandbox",
    "`demo --json`: the last line",
    (
        Field("simulated_s", "int", "How long the day was.", lambda it: round(it.tally.simulated_s)),
        Field("live_s", "int", "Time that channels were live, added up.", lambda it: round(it.tally.live_s)),
        Field("present_s", "int", "Of it, time you were in their chats.", lambda it: round(it.tally.present_s)),
        Field("capture", "float", "`present_s` divided by `live_s`.", lambda it: round(it.tally.capture, 4)),
        Field(
            "points_possible", "int", "What a viewer without gaps would have had.", attrgetter("tally.points_possible")
        ),
        Field("points_paid", "int", "What the sandbox paid you.", attrgetter("tally.points_paid")),
        Field("rooms_peak", "int", "The most rooms at a time.", attrgetter("tally.rooms_peak")),
        Field(
            "join_limit_violations",
            "int",
            "Spans of 10 s with more than 20 JOINs, by the sandbox's count.",
            attrgetter("tally.join_limit_violations"),
        ),
        Field("reconnects", "int", "Chat connections after the first.", attrgetter("tally.reconnects")),
        Field("redemptions", "int", "What the sandbox took.", lambda it: len(it.tally.redemptions)),
        Field(
            "double_redemptions",
            "int",
            "What it took beyond what was said yes to.",
            lambda it: max(0, len(it.tally.redemptions) - it.confirmed),
        ),
    ),
)


def wishes_for(scenario: Scenario) -> Iterator[Wish]:
    """What the person of the demo wants: items that come within reach that day, the first of them soon."""
    found = []
    for plan in scenario.channels:
        if plan.elements and plan.loyalty.enabled:
            dear = [item for item in plan.store if item.cost > plan.balance]
            if dear:
                item = min(dear, key=lambda item: item.cost)
                at = _reached(plan, item.cost - plan.balance)
                if at < inf:
                    found.append((at, plan.login, item.name))
    found.sort()
    for _, login, name in found[:: max(1, len(found) // WISHES)][:WISHES]:
        yield Wish(Login(login), name)


def _reached(plan: ChannelPlan, missing: int) -> float:
    """When so many points have come in, for one who is always there; never is infinity."""
    needed = ceil(missing / max(1, plan.loyalty.amount)) * plan.loyalty.interval + plan.loyalty.lag
    for one in plan.broadcasts:
        if one.kind == "live":
            if one.end - one.start >= needed:
                return one.start + needed
            needed -= one.end - one.start
    return inf
