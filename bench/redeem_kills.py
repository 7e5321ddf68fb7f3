"""Redemptions whose process is ended by SIGKILL: at a named moment, by itself, or at any moment, from outside.

The sandbox is here, on loopback. The service runs in a process of its own, on a database that is synced to the disk.
The next process finds what the last one left. Time, the sandbox's too, sometimes jumps ahead by minutes between two of
them, as if the machine had been off for so long: what is unknown is then settled in seconds of real time.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import httpx2
import msgspec

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import bounded  # noqa: E402
from redeem_taps import TappedWire, Taps, tapped  # noqa: E402

from allthepoints import wiring  # noqa: E402
from allthepoints.base.clock import Chance, SystemClock  # noqa: E402
from allthepoints.base.secret import Secret  # noqa: E402
from allthepoints.base.types import JSON  # noqa: E402
from allthepoints.config.paths import DataDir  # noqa: E402
from allthepoints.config.settings import Endpoints, Settings, Twitch  # noqa: E402
from allthepoints.core.redeem import FINAL  # noqa: E402
from allthepoints.storage.ask import ask  # noqa: E402
from allthepoints.storage.database import Database  # noqa: E402
from allthepoints.storage.lock import acquire  # noqa: E402
from allthepoints.storage.read_points import PointsReader  # noqa: E402

LOOK = 0.05
"""Seconds of real time between looks for requests, and for how things stand."""

AHEAD = (1.0, 1.0, 200.0)
"""By how much time jumps before the next process, in turn. Three minutes settle what never arrived."""

LANES = 16

PATIENCE = 60.0
"""Real seconds for what takes one or two."""

ANY = 1.5
"""Real seconds from the start of a process within which it is killed, where no moment is named."""

MOMENTS = {
    "before confirmed": "before the row CONFIRMED",
    "after confirmed": "after the row CONFIRMED",
    "before sent": "before the row SENT",
    "after sent": "between the row SENT and the POST",
    "post": "at the POST",
    "answered": "between booking and answer",
    "before accepted": "before the row ACCEPTED",
    "after accepted": "after the row ACCEPTED",
}


class Spec(msgspec.Struct, frozen=True):
    """What a process is told. `moment` "": it does not kill itself."""

    folder: str
    streamelements: str
    ahead: float
    moment: str = ""
    key: str = ""


# -- the process that is killed --------------------------------------------------------------------------------------
async def serve(spec: Spec) -> None:
    """The service, until it is told to stop, or comes to the moment at which it kills itself."""
    taps, data = Taps(), DataDir(Path(spec.folder))
    if spec.moment:
        taps.plan(spec.moment, spec.key, _die)
    clock = SystemClock(wall=lambda: time.time() + spec.ahead)
    settings = Settings(twitch=Twitch(client_id="sandbox"), endpoints=Endpoints(streamelements=spec.streamelements))
    wire = TappedWire(httpx2.AsyncHTTPTransport(), taps)
    with acquire(data.lock), tapped(taps):
        async with wiring.assembled(
            settings,
            wiring.Given(),
            data,
            clock,
            Chance(),
            transport=wire,
            requests_every=LOOK,
            durable=True,
            errand=True,
        ) as service:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, service.stop)
            print("ready", flush=True)
            await service.run()


async def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


# -- who kills it ----------------------------------------------------------------------------------------------------
class Kills:
    """The sandbox, the database, and one process after another."""

    def __init__(self, folder: Path, seed: int) -> None:
        from redeem_world import Counted, Intent, lanes_of, scenario  # the processes need nothing of it

        from allthepoints.sim.server import Sandbox

        self._ahead = 0.0
        self.sandbox = Sandbox(scenario(LANES, seed), SystemClock(wall=self._now))
        self.posts: Counter[str] = Counter()
        self.sandbox.app.add_middleware(Counted, posts=self.posts)
        self.intents: list[Intent] = []
        self.lanes = lanes_of(self.sandbox)
        self.data = DataDir(folder)
        self.reader = PointsReader(self.data.database)
        self._intent = Intent
        self._chance = Chance(seed)
        self._streamelements = ""

    async def play(self, kills: int) -> None:
        """All of it."""
        self._streamelements = (await self.sandbox.start()).streamelements
        try:
            Database(self.data.database, time.time()).close()
            wiring.jwt_store(self.data).save(Secret(self.sandbox.issue_jwt()))
            await self._look_around()
            for number in range(kills):
                await self._one(number)
                self._ahead += AHEAD[number % len(AHEAD)]
            self._ahead += AHEAD[-1]
            await self._settle()
        finally:
            await self.sandbox.stop()

    async def _look_around(self) -> None:
        """As `allthepoints store` does for each channel, before anything can be bought there."""
        async with _Process(self._spec()) as process:
            for lane in self.lanes:
                ask(self.data.database, "look", lane.login, self._now())
            await process.until(lambda: all(self.reader.store(lane.channel) for lane in self.lanes))
            await process.end()

    async def _one(self, number: int) -> None:
        named = [*MOMENTS][number // 2 % len(MOMENTS)] if number % 2 == 0 else ""
        lane = self.lanes[number % LANES]
        row = f"kill -9 {MOMENTS[named] if named else 'at any moment'}"
        ends = frozenset({"accepted", "never_arrived", "unchecked", "in_progress"})
        intent = self._intent(f"k{number}", row, ends)
        self.intents.append(intent)
        item = lane.items[0]
        data: dict[str, JSON] = {
            "key": intent.key,
            "item": item,
            "cost": lane.cost(item),
            "answers": [intent.key],
        }
        ask(self.data.database, "redeem", lane.login, self._now(), data, intent.key)
        if not named and number % 4 == 1:
            self.sandbox.fault("slow_booking", channel=lane.channel, delay=0.5)
        async with _Process(self._spec(named, intent.key)) as process:
            if named:
                await process.until(lambda: process.gone or self._is_final(intent.key))
            else:
                await asyncio.sleep(ANY * self._chance.draw())
            process.kill()

    async def _settle(self) -> None:
        async with _Process(self._spec()) as process:
            await process.until(lambda: all(self._is_final(intent.key) for intent in self.intents), fails=False)
            await process.end()

    def _spec(self, moment: str = "", key: str = "") -> Spec:
        return Spec(str(self.data.path), self._streamelements, self._ahead, moment, key)

    def _now(self) -> float:
        return time.time() + self._ahead

    def _is_final(self, key: str) -> bool:
        found = self.reader.redemption(key)
        return found is not None and found.state in FINAL


@dataclass
class _Process:
    """One process, which is gone when this is left."""

    spec: Spec

    async def __aenter__(self) -> _Process:
        self._child = await asyncio.create_subprocess_exec(
            sys.executable, __file__, msgspec.json.encode(self.spec).decode(), stdout=asyncio.subprocess.PIPE
        )
        assert self._child.stdout is not None
        said = await asyncio.wait_for(self._child.stdout.readline(), PATIENCE)
        assert said == b"ready\n", said
        return self

    async def __aexit__(self, *_: object) -> None:
        self.kill()
        await self._child.communicate()

    @property
    def gone(self) -> bool:
        return self._child.returncode is not None

    def kill(self) -> None:
        """SIGKILL."""
        if not self.gone:
            self._child.kill()

    async def end(self) -> None:
        """SIGTERM, and wait."""
        self._child.terminate()
        await asyncio.wait_for(self._child.communicate(), PATIENCE)

    async def until(self, holds: object, *, fails: bool = True) -> None:
        """Wait for that."""
        assert callable(holds)
        end = time.monotonic() + PATIENCE
        while not holds() and time.monotonic() < end:  # noqa: ASYNC110 -- another process knows
            await asyncio.sleep(LOOK)
        assert holds() or not fails, f"not within {PATIENCE:.0f} s"


def play_kills(folder: Path, kills: int, seed: int) -> Kills:
    """So many kills, each with an intent of its own. Answers what was played, which is over."""
    played = Kills(folder, seed)
    asyncio.run(played.play(kills))
    return played


if __name__ == "__main__":
    bounded.begin()
    asyncio.run(serve(msgspec.json.decode(sys.argv[1], type=Spec)))
