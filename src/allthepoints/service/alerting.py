"""From what happens to notices, and to the places that they go to. It runs beside the loop and is never waited for.

Theory. The hooks are called in the loop's own task: they lay alerts on the desk (`core.alerts`) and return; whatever
goes wrong in them stays in them. One task takes messages off the desk and writes them; each place has a bounded queue
and a task of its own. So a place that hangs, refuses or raises costs the others nothing, and the loop less: presence
does not know that there are notifications. What did not get through is counted, and told with the next that does.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol

from allthepoints.base.backoff import Backoff
from allthepoints.base.clock import Chance, Clock
from allthepoints.base.errors import Limited, OutsideError, Refused
from allthepoints.base.types import JSON
from allthepoints.core import alerts
from allthepoints.core.alerts import AlertPolicy, Desk, Digest, Message
from allthepoints.core.records import Event
from allthepoints.core.warning import Warning
from allthepoints.ports import NOTIFY, Notice, Notifier
from allthepoints.service.outside import Hooks
from allthepoints.service.snapshot import Snapshot
from allthepoints.service.supervise import Tasks

log = logging.getLogger(__name__)

QUEUE = 20
"""Notices that wait for one place. Beyond it the oldest is let go, and counted."""

TRIES = 6
"""How often a notice is given to a place that does not answer clearly: over some 20 minutes, then it is let go."""

AGAIN = Backoff(first=60.0, cap=600.0, floor=15.0)

LONGEST_WAIT = 3_600.0
"""Seconds for which a place that asks to wait is believed."""

MOMENT = 1.0
"""Seconds that a place is left alone longer than it asked for, and at the least."""

PATIENCE = 45.0
"""Seconds for one send. A notifier has a deadline of its own; this is for one that does not keep it."""

DIGEST_WITHIN = 60.0
"""Seconds for reading what is summed up."""

STUMBLED = 60.0
"""Seconds to wait after a mistake of our own."""


class Words(Protocol):
    """Who writes. The views do; they stand above this floor."""

    def event(self, event: Event, snapshot: Snapshot) -> str:
        """An event as a sentence."""
        ...

    def message(self, message: Message, now: float) -> Notice:
        """A whole message."""
        ...

    async def digest(self, since: float, until: float) -> Notice:
        """What happened in [since, until), summed up. May raise anything."""
        ...

    def lost(self, count: int) -> str:
        """A line that says that so many notices did not get through."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """What the config says of notifications: what to tell, to whom, in whose words and zone."""

    policy: AlertPolicy
    zone: tzinfo
    words: Words
    notifier: Notifier


class Alerting:
    """Notifications of one service. It tells nobody before it is given `use` somebody.

    `show(key, value)` is told what readers in other processes may see (`ports.NOTIFY`), and what the next run needs.
    """

    def __init__(self, clock: Clock, chance: Chance, show: Callable[[str, JSON], None] = lambda _, __: None) -> None:
        self.hooks = Hooks(self._on_snapshot, self._on_event)
        self._clock = clock
        self._chance = chance
        self._show = show
        self._told: Told | None = None
        self._desk = Desk()
        self._warnings: tuple[Warning, ...] = ()
        self._places: list[_Place] = []
        self._sending: list[asyncio.Task[None]] = []
        self._tasks = Tasks()
        self._news = asyncio.Event()
        self._stumbled: set[str] = set()

    def recall(self, state: JSON) -> None:
        """Take up what the last run showed under `ports.NOTIFY`."""
        desk = state.get("desk") if isinstance(state, Mapping) else None
        self._desk = alerts.recalled(desk, self._clock.now())

    def show_with(self, show: Callable[[str, JSON], None]) -> None:
        """From now on, show so."""
        self._show = show
        self._tell_readers()

    def use(self, told: Told | None) -> None:
        """From now on, tell so; None: nobody. Places that stay keep what waits for them."""
        same = told is not None and self._told is not None and told.notifier is self._told.notifier
        if told is not None and self._told is not None and told.policy.digest != self._told.policy.digest:
            self._desk.digest_at = None
        self._told = told
        if not same:
            for task in self._sending:
                task.cancel()
            self._places = [] if told is None else self._opened(told)
            self._sending = [self._tasks.start(f"notify {place.name}", place.run()) for place in self._places]
        self._news.set()
        self._tell_readers()

    async def run(self) -> None:
        """Take messages off the desk, for ever; on the way out nothing is waited for."""
        try:
            while True:
                wake_at: float | None = self._clock.now() + STUMBLED
                with self._unharmed("notifications stumbled"):
                    wake_at = await self._turn()
                await self._sleep(wake_at)
        finally:
            self._tell_readers()
            await self._tasks.cancel()

    # -- told by the loop ------------------------------------------------------------------------------------------
    def _on_event(self, event: Event, snapshot: Snapshot) -> None:
        told = self._told
        if told is None:
            return
        with self._unharmed("an event could not be told"):
            kind = alerts.kind_of(event)
            if kind is None or kind not in told.policy.kinds:
                return
            alert = alerts.alert_of(kind, event, told.words.event(event, snapshot))
            if alerts.take(self._desk, told.policy, alert, self._clock.now()):
                self._news.set()

    def _on_snapshot(self, snapshot: Snapshot) -> None:
        if self._told is None or snapshot.warnings == self._warnings:
            return
        with self._unharmed("a warning could not be told"):
            self._warnings = snapshot.warnings
            alerts.watch(self._desk, snapshot.warnings, self._clock.now())
            self._news.set()

    # -- the desk --------------------------------------------------------------------------------------------------
    async def _turn(self) -> float | None:
        self._news.clear()
        told = self._told
        if told is None:
            return None
        sent, wake_at = alerts.due(self._desk, told.policy, self._clock.now(), told.zone)
        for message in sent:
            with self._unharmed("a notification could not be written"):
                notice = await self._written(told, message)
                for place in self._places:
                    place.put(notice)
        self._tell_readers()
        return wake_at

    async def _written(self, told: Told, message: Message | Digest) -> Notice:
        if isinstance(message, Message):
            return told.words.message(message, self._clock.now())
        async with asyncio.timeout(DIGEST_WITHIN):
            return await told.words.digest(message.since, message.until)

    async def _sleep(self, until: float | None) -> None:
        """Until there is news, or that time has come."""
        alarm = None if until is None else asyncio.ensure_future(self._clock.sleep(until - self._clock.now()))
        news = asyncio.ensure_future(self._news.wait())
        waiting = {news} if alarm is None else {news, alarm}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    def _opened(self, told: Told) -> list[_Place]:
        return [
            _Place(name, number, told, self._clock, self._chance, self._tell_readers)
            for number, name in enumerate(told.notifier.places)
        ]

    def _tell_readers(self) -> None:
        with self._unharmed("the state of notifications could not be shown"):
            places: list[JSON] = [place.plain() for place in self._places]
            self._show(NOTIFY, {"places": places, "desk": alerts.remembered(self._desk)})

    @contextmanager
    def _unharmed(self, what: str) -> Iterator[None]:
        """A mistake in here is logged once, and is nobody else's."""
        try:
            yield
        except Exception:
            if what not in self._stumbled:
                self._stumbled.add(what)
                log.exception("%s", what)


class _Place:
    """One place: its queue, and how it stands. `changed` is called when that is another."""

    def __init__(
        self, name: str, number: int, told: Told, clock: Clock, chance: Chance, changed: Callable[[], None]
    ) -> None:
        self.name = name
        self._number = number
        self._notifier = told.notifier
        self._words = told.words
        self._clock = clock
        self._chance = chance
        self._changed = changed
        self._waiting: deque[Notice] = deque()
        self._arrived = asyncio.Event()
        self._error: str | None = None
        self._since: float | None = None
        self._lost = 0
        self._not_before = float("-inf")
        """It asked to be left alone until then: also with the next notice."""

    def put(self, notice: Notice) -> None:
        """Send it when those before it are gone."""
        self._waiting.append(notice)
        if len(self._waiting) > QUEUE:
            self._waiting.popleft()
            self._lost += 1
            self._changed()
        self._arrived.set()

    def plain(self) -> dict[str, JSON]:
        """As readers see it."""
        return {"name": self.name, "error": self._error, "since": self._since, "lost": self._lost}

    async def run(self) -> None:
        """Send, one after the other, for ever."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                await self._deliver(self._waiting.popleft())

    async def _deliver(self, notice: Notice) -> None:
        """Until it is there, is refused, or was tried often enough."""
        counted, given = self._lost, notice
        if counted:
            given = Notice(notice.title, f"{notice.body}\n{self._words.lost(counted)}", notice.urgent)
        for failures in range(1, TRIES + 1):
            await self._let_be()
            error = await self._try(given)
            if error is None:
                self._well(counted)
                return
            self._ill(str(error) or type(error).__name__)
            if isinstance(error, Limited):
                now = self._clock.now()
                self._not_before = min(max(error.until, now + MOMENT), now + LONGEST_WAIT)
            if isinstance(error, Refused) or failures == TRIES:
                break
            if failures > 1 or not isinstance(error, Limited):  # who says when is asked then; who repeats it, later
                await self._clock.sleep(AGAIN.delay(failures, self._chance.draw()))
        self._lost += 1
        self._changed()

    async def _let_be(self) -> None:
        """Until it may be asked again; a moment later, for clocks that differ."""
        if (wait := self._not_before - self._clock.now()) > 0:
            await self._clock.sleep(wait + MOMENT)

    async def _try(self, notice: Notice) -> OutsideError | None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._notifier.send(self._number, notice)
                log.debug("told %s: %s", self.name, notice.title)
        except OutsideError as error:
            return error
        except TimeoutError:
            return OutsideError(f"no answer within {PATIENCE:.0f} s")
        except Exception as error:  # what a library raises may hold the address: its kind is all that is told
            return Refused(f"{type(error).__name__} inside the notifier", 0)
        return None

    def _ill(self, error: str) -> None:
        if self._error is None:
            self._since = self._clock.now()
            log.warning("notifications to %s do not get through: %s", self.name, error)
        if error != self._error:
            self._error = error
            self._changed()

    def _well(self, counted: int) -> None:
        """A notice got through, and so did the news that so many did not."""
        if self._error is not None:
            log.info("notifications to %s get through again", self.name)
        if counted or self._error is not None:
            self._error = self._since = None
            self._lost -= counted
            self._changed()


async def tried(notifier: Notifier, notice: Notice) -> list[str | None]:
    """Send to each place at once, one time; for each, what went wrong, or None."""

    async def one(place: int) -> str | None:
        try:
            async with asyncio.timeout(PATIENCE):
                await notifier.send(place, notice)
        except OutsideError as error:
            return str(error)
        except TimeoutError:
            return f"no answer within {PATIENCE:.0f} s"
        except Exception as error:
            return f"{type(error).__name__} inside the notifier"
        return None

    sends: list[Awaitable[str | None]] = [one(place) for place in range(len(notifier.places))]
    return list(await asyncio.gather(*sends))
