"""What the terminal view knows: read from the service's memory about once a second, on a thread, and immutable.

Theory. The service writes into its database at least every minute, and at once when something happens; its lock tells
whether it runs. So a look is cheap while nothing happens: the files' sizes and times say that there is nothing new.
What is dear to read (sums of a day, one channel in full, all stores) is read only while it is shown, and not at every
look. A look that fails keeps what was seen before, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from pathlib import Path
from typing import Any, TypeVar

from allthepoints.base.errors import AllThePointsError
from allthepoints.base.types import Login, UserId
from allthepoints.config.load import load
from allthepoints.config.paths import ConfigPath, DataDir
from allthepoints.config.settings import Settings
from allthepoints.core import days
from allthepoints.core.redeem import Redemption
from allthepoints.ports import ChannelRow
from allthepoints.storage.read import EventRow, PresenceRow
from allthepoints.storage.read_points import ChartPoint, PointsReader, SessionEarned
from allthepoints.views.earned import read_detail
from allthepoints.views.points import Points
from allthepoints.views.report import Report, read_report
from allthepoints.views.shelf import Shelf, shelf_of, shelves
from allthepoints.views.text import DAY
from allthepoints.views.zone import MachineZone, zone_of

T = TypeVar("T")

EVENTS = 1_000
"""How many are kept, the newest ones."""

SESSIONS = 20

AGES = 10.0
"""Seconds after which what is dear is read again although nothing was written: days end, and bars move on."""

RESTS = 2.5
"""Seconds for which it is not read again although something was written."""

Span = float
"""How much of the past a chart shows, in seconds."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is on the screen, beside what always is."""

    channel: UserId | None = None
    span: Span = DAY
    stores: bool = False
    redemption: str = ""
    """The key of the one that is waited for."""


@dataclass(frozen=True, slots=True)
class Page:
    """One channel in full. `shelf` None: nothing was ever seen of it."""

    points: Points
    shelf: Shelf
    begin: float
    end: float
    chart: tuple[ChartPoint, ...]
    presence: tuple[PresenceRow, ...]
    sessions: tuple[SessionEarned, ...]
    """Newest first."""


@dataclass(frozen=True, slots=True)
class Seen:
    """All of it, as of `at` (epoch seconds).

    `fault`: why nothing could be read just now; the rest is then what was seen before.
    """

    at: float
    report: Report
    zone: tzinfo = field(default_factory=MachineZone)
    today: Mapping[UserId, int] = field(default_factory=dict)
    events: tuple[EventRow, ...] = ()
    """Oldest first."""
    paused: frozenset[Login] = frozenset()
    page: Page | None = None
    shelves: tuple[Shelf, ...] | None = None
    """None: not asked for."""
    redemption: Redemption | None = None
    fault: str = ""

    @property
    def sentence(self) -> str:
        """The first line of every face; what stands in the way of knowing comes before it."""
        return self.fault or self.report.sentence(self.at)

    def row(self, channel: UserId) -> ChannelRow | None:
        return next((row for row in self.report.rows if row.id == channel), None)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was read when `files` were as they were."""

    asked: Hashable
    files: Hashable
    at: float
    answer: Any


NOTHING = Report(False, None, None, {}, (), ())


class Looker:
    """Looks. One thread at a time. `now`: epoch seconds."""

    def __init__(self, data: DataDir, config: ConfigPath, settings: Settings, now: Callable[[], float]) -> None:
        self.now = now
        self.settings = settings
        """As they were last loaded. A config that cannot be used changes nothing; the service tells of it."""
        self._data = data
        self._config = config
        self._loaded: Hashable = _stamp(config.path)
        self._reader = PointsReader(data.database)
        self._kept: dict[str, _Kept] = {}
        self._database: int | None = None
        self.last = Seen(now(), NOTHING, zone_of(settings.display.zone))
        """What was seen last."""

    def look(self, wanted: Wanted) -> Seen:
        """What there is now. Never raises for what it cannot read."""
        at = self.now()
        try:
            self.last = self._look(wanted, at)
        except AllThePointsError as error:
            self.last = replace(self.last, at=at, fault=f"Nothing can be read now: {error}. {error.hint}".rstrip())
        except Exception as error:  # a row that no version of this program wrote
            text = f"Nothing can be read now, by a mistake of the program: {type(error).__name__}: {error}"
            self.last = replace(self.last, at=at, fault=text)
        return self.last

    def silent(self, fault: str) -> Seen:
        """What was seen before, while a look does not come back."""
        return replace(self.last, at=self.now(), fault=fault)

    def forget(self) -> None:
        """Read everything again at the next look: something was changed from here."""
        self._kept.clear()

    def _look(self, wanted: Wanted, at: float) -> Seen:
        self._load()
        report = read_report(self._data)
        zone = zone_of(self.settings.display.zone)
        page = None
        if wanted.channel is not None:
            asked = (wanted.channel, wanted.span, report.running)
            page = self._dear("page", asked, at, lambda: self._page(asked[0], asked[1], at, zone, asked[2]))
        return Seen(
            at,
            report,
            zone,
            self._dear("today", None, at, lambda: self._reader.earned(days.periods(at, zone).today)),
            self._events(),
            frozenset(self.settings.channels.paused),
            page,
            self._dear("stores", None, at, self._stores) if wanted.stores else None,
            self._reader.redemption(wanted.redemption) if wanted.redemption else None,
        )

    def _dear(self, name: str, asked: Hashable, at: float, read: Callable[[], T]) -> T:
        """What `read` answers; or answered, if that was a moment ago or nothing was written since."""
        asked, files, kept = (asked, self.settings), self._files(), self._kept.get(name)
        if kept is not None and kept.asked == asked:
            age = at - kept.at
            if 0.0 <= age < RESTS or (kept.files == files and 0.0 <= age < AGES):
                answer: T = kept.answer
                return answer
        answer = read()
        self._kept[name] = _Kept(asked, files, at, answer)
        return answer

    def _files(self) -> Hashable:
        """What changes when the database does."""
        database = self._data.database
        return _stamp(database), _stamp(database.with_name(f"{database.name}-wal"))

    def _events(self) -> tuple[EventRow, ...]:
        """Those that were known, and the new ones. Another database begins anew."""
        before, self._database = self._database, _inode(self._data.database)
        known = self.last.events
        if not known or before != self._database:
            return self._reader.events(EVENTS)
        new = self._reader.events(EVENTS, known[-1].id)
        return (*known, *new)[-EVENTS:] if new else known

    def _page(self, channel: UserId, span: Span, at: float, zone: tzinfo, running: bool) -> Page | None:
        reader = self._reader
        points = read_detail(reader, channel, at, zone, running)
        if points is None:
            return None
        sessions = reader.sessions_earned(channel, at - max(span, 7 * DAY))
        return Page(
            points,
            shelf_of(reader, channel, self.settings),
            at - span,
            at,
            reader.chart(channel, at - span, at + 1),
            reader.presence(channel, at - span, at),
            tuple(reversed(sessions[-SESSIONS:])),
        )

    def _stores(self) -> tuple[Shelf, ...]:
        return tuple(shelves(self._reader, self.settings))

    def _load(self) -> None:
        stamp = _stamp(self._config.path)
        if stamp == self._loaded:
            return
        self._loaded = stamp
        try:
            self.settings = load(self._config.path, self._config.named).settings
        except AllThePointsError:
            return


def _stamp(path: Path) -> Hashable:
    """What changes when the file does; None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None
