"""`simulate`: the sandbox alone, in real time on loopback, for this program or for any other."""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allthepoints.base.clock import SystemClock
from allthepoints.base.errors import FaultError, UsageError
from allthepoints.cli import output
from allthepoints.cli.options import AsJson
from allthepoints.cli.tally import ANNOUNCED, HAPPENED, SUMMED_UP, Announced
from allthepoints.views.text import count, duration, local, number

if TYPE_CHECKING:
    from allthepoints.sim.scenario import Scenario
    from allthepoints.sim.server import Endpoints, Sandbox
    from allthepoints.sim.tally import Tally

LOOK_EVERY = 0.5
"""Seconds between looks at what happened in the sandbox."""


class Day(StrEnum):
    """Days that are built in."""

    CALM = "calm"
    STORMY = "stormy"
    DEMO = "demo"


def simulate(
    irc_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the chat; 0 takes a free one.")] = 0,
    http_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of all the rest; 0: a free one.")] = 0,
    scenario: Annotated[Path | None, typer.Option(metavar="FILE", help="A day of your own, in TOML.")] = None,
    day: Annotated[Day, typer.Option(help="A day that is built in.")] = Day.CALM,
    channels: Annotated[int, typer.Option(min=1, max=5000, help="Channels of a calm or stormy day.")] = 40,
    seed: Annotated[int, typer.Option(help="The number of the day: the same number, the same day.")] = 1,
    cert: Annotated[Path | None, typer.Option(metavar="FILE", help="Certificate (PEM): the chat speaks TLS.")] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its key.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run a Twitch and a StreamElements of your own here until Ctrl-C. Prints the config that leads a program there."""
    tls = _tls(cert, key)
    asyncio.run(_serve(_scenario(scenario, day, channels, seed), tls, irc_port, http_port, as_json))


async def _serve(scenario: Scenario, tls: ssl.SSLContext | None, irc_port: int, http_port: int, as_json: bool) -> None:
    from allthepoints.sim.server import Sandbox

    sandbox = Sandbox(scenario, SystemClock(), ssl_context=tls)
    stop = _stop_at_signals()
    try:
        endpoints = await sandbox.start(irc_port, http_port)
    except OSError as error:
        await sandbox.stop()
        raise FaultError(
            f"the sandbox cannot listen: {error.strerror}", "Choose other ports, or 0 for free ones."
        ) from error
    try:
        _announce(sandbox, endpoints, as_json)
        news = News(sandbox)
        while not stop.is_set():
            for text in news.since():
                _say(sandbox, text, as_json)
            output.flush()
            try:
                await asyncio.wait_for(stop.wait(), LOOK_EVERY)
            except TimeoutError:
                continue
    finally:
        await sandbox.stop()
    _sum_up(sandbox.tally(), as_json)


class News:
    """Tells what is new in the sandbox since it was asked last."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._live: frozenset[str] = frozenset()
        self._rooms: frozenset[str] = frozenset()
        self._errors = 0
        self._counts: dict[str, int] = {}

    def since(self) -> Iterator[str]:
        """One sentence each."""
        world, account = self._sandbox.world, self._sandbox.account
        live = frozenset(user.id for user in world.users.values() if user.on_air is not None)
        rooms = frozenset(world.rooms(account.id))
        yield from self._told(live - self._live, "{} is live.")
        yield from self._told(self._live - live, "{} is offline.")
        yield from self._told(rooms - self._rooms, f"{account.login} is in {{}}'s chat.")
        yield from self._told(self._rooms - rooms, f"{account.login} is out of {{}}'s chat.")
        self._live, self._rooms = live, rooms
        yield from self._counted()
        journal = self._sandbox.journal
        fresh = journal.error_count - self._errors
        self._errors = journal.error_count
        for text in journal.errors[-fresh:] if fresh else ():
            yield f"A client did what Twitch would not take: {text}"

    def _told(self, ids: frozenset[str], text: str) -> Iterator[str]:
        for login in sorted(self._sandbox.world.users[channel].login for channel in ids):
            yield text.format(login)

    def _counted(self) -> Iterator[str]:
        journal = self._sandbox.journal
        now = {f"Fault: {name}": amount for name, amount in journal.faults.items()}
        now["A chat connection was opened"] = journal.connections
        now["A redemption was asked for"] = journal.redemption_calls
        now["A sign-in was renewed"] = journal.refreshes
        for text, amount in now.items():
            if amount > self._counts.get(text, 0):
                more = amount - self._counts.get(text, 0)
                yield f"{text}." if more == 1 else f"{text} ({number(more)} times)."
        self._counts = now


def _scenario(file: Path | None, day: Day, channels: int, seed: int) -> Scenario:
    from allthepoints.sim import days
    from allthepoints.sim.scenario import load

    if file is not None:
        return load(file)
    match day:
        case Day.CALM:
            return days.calm_day(channels, seed)
        case Day.STORMY:
            return days.stormy_day(channels, seed)
        case Day.DEMO:
            return days.demo_day(seed)


def _tls(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if cert is None:
        if key is not None:
            raise UsageError("--key was given without --cert", "Give both, or neither for a chat without TLS.")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"the certificate or its key cannot be used: {error}", "Both are PEM files.") from error
    return context


def _stop_at_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number_ in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number_, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number_, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop


def _announce(sandbox: Sandbox, endpoints: Endpoints, as_json: bool) -> None:
    tokens = sandbox.issue_tokens()
    jwt = sandbox.issue_jwt()
    if as_json:
        output.say_json(ANNOUNCED.of(Announced(sandbox, endpoints, tokens.access, tokens.refresh, jwt)))
        return
    day = f"{sandbox.scenario.name}, {count(len(sandbox.scenario.channels), 'channel')}"
    output.say(f"""# The sandbox runs: {day}. Into the config:

[twitch]
client_id = "{sandbox.scenario.client_id}"

[endpoints]
irc = "{endpoints.irc}"
helix = "{endpoints.helix}"
oauth = "{endpoints.oauth}"
streamelements = "{endpoints.streamelements}"

# Signed in as {sandbox.account.login}, for this sandbox only:
# export ALLTHEPOINTS_TWITCH_TOKEN={tokens.access} ALLTHEPOINTS_TWITCH_REFRESH_TOKEN={tokens.refresh}
# export ALLTHEPOINTS_STREAMELEMENTS_JWT={jwt}
# To steer it: {endpoints.control}
""")


def _say(sandbox: Sandbox, text: str, as_json: bool) -> None:
    at = sandbox.clock.now()
    if as_json:
        output.say_json(HAPPENED.of((at, text)))
    else:
        output.say(f"{local(at):%H:%M:%S}  {text}")


def _sum_up(tally: Tally, as_json: bool) -> None:
    if as_json:
        output.say_json(SUMMED_UP.of(tally))
        return
    output.say()
    output.say(
        f"{duration(tally.simulated_s)} went by. {tally.account} was in the chats for {duration(tally.present_s)} of "
        f"{duration(tally.live_s)} of live time ({tally.capture:.1%}), and was paid "
        f"{number(tally.points_paid)} of {number(tally.points_possible)} points."
    )
    spent = sum(taken.cost for taken in tally.redemptions)
    output.say(
        f"{count(tally.redemption_calls, 'redemption')} asked for, {number(len(tally.redemptions))} taken, for "
        f"{count(spent, 'point')}; at most {count(tally.elements_worst_minute, 'call')} to StreamElements in a minute."
    )
    output.say(
        f"{count(tally.joins, 'JOIN')}, at most {number(tally.joins_worst)} in 10 s; {count(tally.logins, 'login')}, "
        f"at most {number(tally.logins_worst)} in 10 s; at most {count(tally.rooms_peak, 'room')}; "
        f"{count(tally.reconnects, 'reconnect')}; {count(tally.protocol_error_count, 'mistake')} of the client."
    )
