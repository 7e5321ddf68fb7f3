"""The board: all that pages may know and do. It is told each turn of the loop, and tells clients what changed.

Theory. A client that listens is owed the difference between what it was last sent and what is so now, however slow it
is: so nothing is queued for anyone. The board numbers its changes and keeps, for each row, the number with which it
last changed. A client is a number; what it is owed is every row with a higher one. Events are kept in a ring.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from allthepoints.base.clock import Clock
from allthepoints.base.errors import ConfigError, FaultError
from allthepoints.base.types import JSON, Login, UserId
from allthepoints.config.edit import AnyChange, edit
from allthepoints.config.load import load
from allthepoints.config.settings import Settings
from allthepoints.core.records import Event
from allthepoints.core.warning import Warning
from allthepoints.service.snapshot import Snapshot
from allthepoints.storage.read import EventRow
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.channels import in_order
from allthepoints.views.report import notify_troubles
from allthepoints.views.sentence import Glance, sentence
from allthepoints.views.text import MINUTE
from allthepoints.views.usual import Outlook
from allthepoints.views.web.change import Change
from allthepoints.views.web.signing import SignInByCode, Signing
from allthepoints.views.zone import zone_of

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds of the board's own time line (in a demo a second holds many of them)."""

    at_most_every: float = 0.25
    """Between two messages to one client."""
    anew: float = 20.0
    """After which the sentence is looked at again although nothing happened, for there are durations in it; and a
    client is sent a sign of life, for there are proxies between."""

    sent_within: float = 30.0
    """For a client to take a message."""

    def at(self, speed: float) -> Pace:
        """The same where time goes by so many times as fast."""
        return Pace(self.at_most_every * speed, self.anew * speed, self.sent_within * speed)


EVENTS_KEPT = 200
GONE_KEPT = 500
"""A client that was away for more than that is sent everything."""

SESSION = "allthepoints.session"
"""The key of an ASGI scope under which the guard leaves the id of the person's session."""


TryNotify = Callable[[], Awaitable[Sequence[tuple[str, str | None]]]]
"""Sends a test message to each place of the config; answers each one's name, and why it was not sent."""


@dataclass(frozen=True, slots=True)
class Doings:
    """What a board may have done. `ask`: `Service.ask`. `settings`: those of now. `config`: the person's own file.
    `sign_in` None: nobody can sign in from the page (the demo has no need to)."""

    ask: Callable[[str, Login | None, Mapping[str, JSON]], None]
    settings: Callable[[], Settings]
    config: Path
    sign_in: SignInByCode | None = None
    try_notify: TryNotify | None = None
    notified: Callable[[], JSON] = lambda: None
    """How notifications get through: what is left for other processes under `ports.NOTIFY`."""


class Board:
    """What pages may know and do. `told` and `happened` are the hooks that it wants to be called by."""

    def __init__(
        self, reader: PointsReader, clock: Clock, doings: Doings, base_path: str = "", pace: Pace | None = None
    ) -> None:
        self.reader = reader
        self.base_path = base_path
        """What stands before every path in a link; "" or `/something`."""
        self.pace = pace or Pace()
        self._clock = clock
        self._doings = doings
        self._snapshot: Snapshot | None = None
        self._boot = secrets.token_urlsafe(6)
        self._key = secrets.token_bytes(32)
        self._number = 0
        self._changed: dict[UserId, int] = {}
        self._gone: deque[tuple[int, UserId]] = deque(maxlen=GONE_KEPT)
        self._forgotten = 0
        """Who knows less than this cannot be told what it lacks."""
        self._warned = self._headed = self._read = self._lived = self._aged = 0
        self._minute = 0.0
        self._settings: Settings | None = None
        self._in_file: Settings | None = None
        """What the file said when it was last read; None: nothing that can be used."""
        self._said: tuple[Snapshot, tuple[int, str], str] | None = None
        self._outlook = Outlook(reader.path)
        self._events: deque[tuple[int, EventRow]] = deque(maxlen=EVENTS_KEPT)
        self._moved = asyncio.Event()
        self._signing = Signing(doings.sign_in, clock, self._head_moved) if doings.sign_in is not None else None

    # -- knowing ---------------------------------------------------------------------------------------------------
    def snapshot(self) -> Snapshot | None:
        """The latest; None before the first turn."""
        return self._snapshot

    def now(self) -> float:
        """Epoch seconds."""
        return self._clock.now()

    def settings(self) -> Settings:
        """The config as it was last loaded."""
        return self._doings.settings()

    async def fresh_settings(self) -> Settings:
        """The config as it stands in the file: the service takes it up a moment later. Raises ConfigError.

        A page shows what this gives, so another answer than before is a change of the board: else who read the file
        before it was saved would be taken for one who knows it."""
        try:
            found = (await asyncio.to_thread(load, self._doings.config, False)).settings
        except ConfigError:
            self._filed(None)
            raise
        self._filed(found)
        return found

    @property
    def zone(self) -> tzinfo:
        """Of days and times."""
        return zone_of(self.settings().display.zone)

    def sentence(self) -> str:
        """The first line of every face."""
        seen, now = self._snapshot, self.now()
        if seen is None:
            return "Starting."
        usual = self._outlook.said(now, self.zone)
        if self._said is None or self._said[0] is not seen or self._said[1] != (int(now), usual):  # many ask the same
            self._said = seen, (int(now), usual), sentence(_glance(seen), now, usual)
        return self._said[2]

    async def look_ahead(self) -> None:
        """Who usually starts next is a part of the sentence while no channel is live: have it looked up, if due."""
        seen = self._snapshot
        if seen is not None and self._outlook.due(_glance(seen).nobody_live, self.now()):
            rows = in_order(seen.rows.values())
            await asyncio.to_thread(self._outlook.look, rows, self.now(), self.zone)

    @property
    def version(self) -> str:
        """What a page that is made now will know: what it asks `changes` to go on from."""
        return f"{self._boot}.{self._number}"

    @property
    def number(self) -> int:
        """Of the last change."""
        return self._number

    async def read(self, question: Callable[[PointsReader], T]) -> T:
        """Ask the database, on a thread: `await board.read(lambda r: r.points())`. Raises FaultError."""
        try:
            return await asyncio.to_thread(question, self.reader)
        except (ValueError, TypeError, LookupError) as error:
            log.error("%s could not be understood", self.reader.path, exc_info=error)
            raise FaultError(
                f"{self.reader.path}: something in it cannot be understood",
                "If this lasts, stop the service and move the file away; it starts with a fresh one.",
            ) from error

    def csrf(self, request: HTTPConnection) -> str:
        """The token that a form of this person must carry (field `csrf`, or header `X-CSRF-Token`)."""
        return self.token_for(str(request.scope.get(SESSION, "")))

    def token_for(self, session: str) -> str:
        """Bound to the session; without one to this run of the program."""
        return hmac.new(self._key, f"csrf {session}".encode(), hashlib.sha256).hexdigest()

    # -- doing -----------------------------------------------------------------------------------------------------
    async def ask(self, kind: str, login: Login | None = None, data: Mapping[str, JSON] | None = None) -> None:
        """Ask the running service (`service/requests.py`). Raises ValueError for what makes no sense."""
        self._doings.ask(kind, login, data or {})

    async def edit(self, changes: Sequence[AnyChange]) -> tuple[AnyChange, ...]:
        """Change the person's config; the service takes the file up by itself. Raises ConfigError."""
        return await asyncio.to_thread(edit, self._doings.config, changes)

    def sign_in(self) -> Signing | None:
        """Signing in at Twitch by code: `start()` it, and show its `state`; each change of it is a change of the head.
        None: not from here."""
        return self._signing

    async def try_notify(self) -> Sequence[tuple[str, str | None]]:
        """Send a test message to each place: names, and why it was not sent. Raises ValueError where that cannot be."""
        if self._doings.try_notify is None:
            raise ValueError("No notification can be sent from here.")
        return await self._doings.try_notify()

    async def aclose(self) -> None:
        """End what is under way."""
        if self._signing is not None:
            await self._signing.aclose()

    # -- being told ------------------------------------------------------------------------------------------------
    def told(self, snapshot: Snapshot) -> None:
        """A turn ended."""
        beside = notify_troubles(self._doings.notified())
        if beside:  # the loop knows nothing of notifiers
            worries = (Warning(t.code, t.severity, t.title, t.text, t.since) for t in beside)
            snapshot = replace(snapshot, warnings=(*snapshot.warnings, *worries))
        before, self._snapshot = self._snapshot, snapshot
        number = self._number + 1
        if before is None:
            self._changed = dict.fromkeys(snapshot.rows, number)
            self._warned = self._headed = self._read = self._lived = self._aged = number
            self._minute = self.now() // MINUTE
            self._settings = self._in_file = self.settings()
        elif not self._compare(before, snapshot, number) and not self._is_news(number):
            return
        self._number = number
        self._wake()

    def happened(self, event: Event, snapshot: Snapshot) -> None:
        """An event; the snapshot of its turn is told afterwards."""
        row = snapshot.rows.get(event.channel) if event.channel is not None else None
        login, display = (None, None) if row is None else (row.login, row.display)
        told = EventRow(0, event.at, str(event.kind), event.channel, login, display, event.data)
        self._events.append((self._number + 1, told))

    def _compare(self, before: Snapshot, after: Snapshot, number: int) -> bool:
        changed = False
        if before.rows is not after.rows:
            for channel, row in after.rows.items():
                if before.rows.get(channel) is not row:
                    self._changed[channel] = number
                    changed = True
            for channel in before.rows.keys() - after.rows.keys():
                changed = True
                self._changed.pop(channel, None)
                if len(self._gone) == GONE_KEPT:
                    self._forgotten = self._gone[0][0]
                self._gone.append((number, channel))
        if _worries(before) != _worries(after):
            self._warned, changed = number, True
        settings = self.settings()
        if _head(before) != _head(after) or settings is not self._settings:
            self._headed, changed = number, True
        if settings is not self._settings:
            self._settings = self._in_file = settings
        if before.vitals != after.vitals or before.helix_points != after.helix_points:
            self._lived, changed = number, True
        if (minute := self.now() // MINUTE) != self._minute:
            self._minute, self._aged, changed = minute, number, True
        if before.vitals.elements_asked and not (after.vitals.elements_asked and _asked(before) == _asked(after)):
            self._read = number
        return changed

    def _filed(self, found: Settings | None) -> None:
        if found != self._in_file:
            self._in_file = found
            self._head_moved()

    def _head_moved(self) -> None:
        self._number += 1
        self._headed = self._number
        self._wake()

    def _is_news(self, number: int) -> bool:
        return bool(self._events) and self._events[-1][0] == number

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    # -- telling ---------------------------------------------------------------------------------------------------
    def since(self, version: str, said: str | None = None) -> Change | None:
        """What who knows `version` does not know; None before the first turn. `said`: the sentence that it has."""
        seen = self._snapshot
        if seen is None:
            return None
        sentence = now if (now := self.sentence()) != said else None
        known = self._known(version)
        if known is None:
            return Change(
                self.version,
                seen,
                None,
                self._number,
                rows=tuple(seen.rows.values()),
                warnings=seen.warnings,
                sentence=sentence,
                head=True,
                read=True,
                vitals=True,
                aged=True,
                whole=True,
            )
        if known == self._number:
            return Change(self.version, seen, known, known, sentence=sentence)
        return Change(
            self.version,
            seen,
            known,
            self._number,
            rows=tuple(seen.rows[channel] for channel, number in self._changed.items() if number > known),
            gone=tuple(channel for number, channel in self._gone if number > known and channel not in seen.rows),
            warnings=seen.warnings if self._warned > known else None,
            sentence=sentence,
            head=self._headed > known,
            read=self._read > known,
            vitals=self._lived > known,
            aged=self._aged > known,
            events=tuple(event for number, event in self._events if number > known),
        )

    def _known(self, version: str) -> int | None:
        """The number in a version; None for one that is no version of this run, or too old."""
        boot, _, text = version.partition(".")
        if boot != self._boot or not (text.isascii() and text.isdecimal() and len(text) < 16):
            return None
        number = int(text)
        return number if self._forgotten <= number <= self._number else None

    def said_to(self, since: str) -> str | None:
        """The sentence that a page of this version has; None: nobody knows."""
        return self.sentence() if since == self.version else None

    async def changes(self, since: str, said: str | None = None, ticks: int = 1) -> AsyncIterator[Change | None]:
        """Everything that changes from `since` (a `version`) on, for ever; None where for long nothing did. `said`: the
        sentence that it has.

        At most once in so many ticks of the pace. A tick is the same moment for all: who listens to the same is told
        the same, which is then made once.
        """
        version = since
        while True:
            moved = self._moved
            await self.look_ahead()
            change = self.since(version, said)
            if change is not None and change:
                version, said = change.version, change.sentence or said
                yield change
                await self._clock.sleep(_to_tick(self._clock.now(), self.pace.at_most_every * ticks))
            elif not await self._moves(moved):
                yield None

    async def _moves(self, moved: asyncio.Event) -> bool:
        try:
            async with asyncio.timeout(self.pace.anew):
                await moved.wait()
        except TimeoutError:
            return False
        return True


def _glance(seen: Snapshot) -> Glance:
    return Glance.of(seen.rows.values(), seen.warnings, seen.account is not None, seen.wishes)


def _to_tick(now: float, length: float) -> float:
    """Seconds to the next tick but one that is nearly there."""
    wait = length - now % length
    return wait if wait > length / 10 else wait + length


def _asked(snapshot: Snapshot) -> object:
    return snapshot.vitals.reads.get("elements")


def _worries(snapshot: Snapshot) -> tuple[tuple[object, ...], ...]:
    return tuple((w.code, w.severity, w.title, w.text, w.since) for w in snapshot.warnings)


def _head(snapshot: Snapshot) -> tuple[object, ...]:
    return snapshot.account, snapshot.signed_in, snapshot.census, snapshot.wishes
