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

from allthepoints.base.clock import Stopwatch
from allthepoints.base.errors import AllThePointsError
from allthepoints.base.types import ItemId, Login, UserId
from allthepoints.config.load import load
from allthepoints.config.paths import ConfigPath, DataDir
from allthepoints.config.settings import Settings
from allthepoints.core.redeem import Redemption
from allthepoints.ports import ChannelRow
from allthepoints.storage.read import EventRow
from allthepoints.storage.read_points import PointsReader, Price, SessionEarned
from allthepoints.views.channels import Gain, in_order
from allthepoints.views.chart import Chart, read_chart
from allthepoints.views.earned import read_detail
from allthepoints.views.gains import read_gains
from allthepoints.views.points import Points
from allthepoints.views.report import Report, read_report
from allthepoints.views.shelf import Shelf, shelf_of, shelves
from allthepoints.views.text import DAY
from allthepoints.views.usual import read_usual
from allthepoints.views.zone import MachineZone, zone_of

T = TypeVar("T")

EVENTS = 1_000
"""How many are kept, the newest ones."""

SESSIONS = 20

AGES = 10.0
"""Seconds after which what is dear is read again although nothing was written: days end, and bars move on."""

RESTS = 2.5
"""Seconds for which it is not read again although something was written; what takes long rests longer."""

SHARE = 20.0
"""Of so many seconds, at most one is spent on reading the same again: hundreds of channels on a small machine."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is on the screen, beside what always is."""

    gains: bool = False
    channel: UserId | None = None
    span: str = "today"
    """How much of its past: a name of `chart.RANGES`."""
    stores: bool = False
    redemption: str = ""
    """The key of the one that is waited for."""

    def and_of(self, over: Wanted) -> Wanted:
        """This, and what lies over it."""
        return replace(self, redemption=self.redemption or over.redemption)


@dataclass(frozen=True, slots=True)
class Page:
    """One channel in full. `shelf` None: nothing was ever seen of it."""

    points: Points
    shelf: Shelf
    chart: Chart
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
    gains: Mapping[UserId, Gain] = field(default_factory=dict)
    """As they were when they were last asked for."""
    events: tuple[EventRow, ...] = ()
    """Oldest first."""
    paused: frozenset[Login] = frozenset()
    page: Page | None = None
    shelves: tuple[Shelf, ...] | None = None
    """None: not asked for."""
    prices: Mapping[tuple[UserId, ItemId], tuple[Price, ...]] = field(default_factory=dict)
    """Of items that ever cost something else."""
    redemption: Redemption | None = None
    usual: str = ""
    """Who usually starts next, where no channel is live."""
    fault: str = ""

    @property
    def sentence(self) -> str:
        """The first line of every face; what stands in the way of knowing comes before it."""
        return self.fault or self.report.sentence(self.at, self.usual)

    def row(self, channel: UserId) -> ChannelRow | None:
        return next((row for row in self.report.rows if row.id == channel), None)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was read when `files` were as they were."""

    asked: Hashable
    files: Hashable
    at: float
    answer: Any
    rests: float


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
        self.errand: Callable[[], bool] = lambda: False
        """Whether who holds the lock is ourselves, for an errand."""
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
        report = self._report(at)
        zone = zone_of(self.settings.display.zone)
        page = None
        if wanted.channel is not None:
            asked = (wanted.channel, wanted.span, report.running)
            page = self._dear("page", asked, at, lambda: self._page(asked[0], asked[1], at, zone, asked[2]))
        sold = wanted.stores or wanted.channel is not None
        return Seen(
            at,
            report,
            zone,
            self._dear("gains", None, at, lambda: self._gains(at, zone)) if wanted.gains else self.last.gains,
            self._events(),
            frozenset(self.settings.channels.paused),
            page,
            self._dear("stores", None, at, self._stores) if wanted.stores else None,
            self._dear("prices", None, at, self._reader.changed_prices) if sold else {},
            self._reader.redemption(wanted.redemption) if wanted.redemption else None,
            self._dear("usual", None, at, lambda: self._usual(report, at, zone)) if report.nobody_live else "",
        )

    def _report(self, at: float) -> Report:
        """An errand leaves no rows: then there are the channels that are known, of which nothing is said."""
        report = read_report(self._data, self.errand())
        if report.running or report.rows or report.alive is None:
            return report
        return replace(report, rows=self._dear("known", None, at, self._known))

    def _known(self) -> tuple[ChannelRow, ...]:
        points = {row.channel: row.points for row in self._reader.points()}
        return tuple(
            ChannelRow(known.id, known.login, known.display, None, "absent", points=points.get(known.id))
            for known in self._reader.channels()
        )

    def _usual(self, report: Report, at: float, zone: tzinfo) -> str:
        return read_usual(self._data.database, in_order(report.rows), at, zone)

    def _gains(self, at: float, zone: tzinfo) -> Mapping[UserId, Gain]:
        return read_gains(self._reader, self.settings, at, zone)

    def _dear(self, name: str, asked: Hashable, at: float, read: Callable[[], T]) -> T:
        """What `read` answers; or answered, if that was a moment ago or nothing was written since."""
        asked, files, kept = (asked, self.settings), self._files(), self._kept.get(name)
        if kept is not None and kept.asked == asked:
            age = at - kept.at
            if 0.0 <= age < kept.rests or (kept.files == files and 0.0 <= age < AGES):
                answer: T = kept.answer
                return answer
        took = Stopwatch()
        answer = read()
        self._kept[name] = _Kept(asked, files, at, answer, max(RESTS, SHARE * took.elapsed()))
        return answer

    def _files(self) -> Hashable:
        """What changes when the database does."""
        database = self._data.database
        return _stamp(database), _stamp(database.with_name(f"{database.name}-wal"))

    def _events(self) -> tuple[EventRow, ...]:
        """Those that were known, and the new ones. Where the last one is not there any more, all anew."""
        known = self.last.events
        if not known:
            return self._reader.events(EVENTS)
        new = self._reader.events(EVENTS, known[-1].id - 1)
        if not new or (new[0].id, new[0].at) != (known[-1].id, known[-1].at):
            return self._reader.events(EVENTS)
        return (*known, *new[1:])[-EVENTS:] if len(new) > 1 else known

    def _page(self, channel: UserId, span: str, at: float, zone: tzinfo, running: bool) -> Page | None:
        reader = self._reader
        points = read_detail(reader, channel, at, zone, running)
        if points is None:
            return None
        chart = read_chart(reader, channel, span, at, zone)
        sessions = reader.sessions_earned(channel, min(chart.begin, at - 7 * DAY))
        shelf = shelf_of(reader, channel, self.settings)
        return Page(points, shelf, chart, tuple(reversed(sessions[-SESSIONS:])))

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
