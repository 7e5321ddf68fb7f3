"""What the service left for other processes to read: the state of it and of each channel, whether it runs or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from allthepoints.base.types import JSON
from allthepoints.config.paths import DataDir
from allthepoints.ports import HELIX, NOTIFY, ChannelRow
from allthepoints.storage import lock
from allthepoints.storage.read import Reader, Status
from allthepoints.views.sentence import Glance, Trouble, sentence
from allthepoints.views.text import count, duration, when

QUIET = 180.0
"""Seconds without a sign of life (one is due every minute) after which a service that runs seems to be stuck."""

COUNTS = ("connections", "wanted", "present", "waiting", "refused")


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of the service. Rows and troubles of one that does not run are not those of now."""

    running: bool
    alive: float | None
    account: Mapping[str, JSON] | None
    chat: Mapping[str, int]
    rows: tuple[ChannelRow, ...]
    troubles: tuple[Trouble, ...]
    helix: Mapping[str, int] | None = None
    wishes: int = 0
    """Those within reach."""

    @property
    def nobody_live(self) -> bool:
        """The service runs and knows that no channel is live."""
        return self.running and self._glance.nobody_live

    def sentence(self, now: float, usual: str = "") -> str:
        """The first line of every face. `usual`: see `sentence.sentence`."""
        if not self.running:
            return asleep(self.alive, now)
        return sentence(self._glance, now, usual)

    @property
    def _glance(self) -> Glance:
        return Glance.of(self.rows, self.troubles, self.account is not None, self.wishes)


def read_report(data: DataDir, errand: bool = False) -> Report:
    """The state as of now. `errand`: who holds the lock is there for an errand, and no service.

    Raises FaultError for a database that cannot be read.
    """
    running = not errand and lock.holder(data.lock) is not None
    seen = Reader(data.database).status()
    if not running:
        rows = tuple(_asleep(row, seen.alive) for row in seen.channels)
        return Report(False, seen.alive, seen.account, dict.fromkeys(COUNTS, 0), rows, ())
    chat = seen.service.get("chat")
    counts = {name: _whole(chat.get(name)) if isinstance(chat, Mapping) else 0 for name in COUNTS}
    return Report(
        True,
        seen.alive,
        seen.account,
        counts,
        seen.channels,
        _troubles(seen),
        _points(seen),
        _whole(seen.service.get("wishes")),
    )


def asleep(alive: float | None, now: float) -> str:
    """The sentence where no service runs. `alive`: its last sign of life."""
    last = f" It was last seen {when(alive, now)}." if alive is not None else ""
    return f"Not running, so you are in no chat.{last} Start it with `allthepoints run`."


def stuck(report: Report, now: float) -> str:
    """What is said of a service that runs and shows no life; else empty."""
    if not report.running or report.alive is None or now - report.alive <= QUIET:
        return ""
    return f"the service runs, but gave no sign of life for {duration(now - report.alive)}"


def _asleep(row: ChannelRow, alive: float | None) -> ChannelRow:
    """What it has been left at is known still: the points."""
    return ChannelRow(row.id, row.login, row.display, None, "absent", since=alive, points=row.points)


def _points(seen: Status) -> Mapping[str, int] | None:
    found = seen.service.get(HELIX)
    if not isinstance(found, Mapping):
        return None
    return {name: _whole(found.get(name)) for name in ("remaining", "limit")}


def _troubles(seen: Status) -> tuple[Trouble, ...]:
    told = (_trouble(entry) for entry in _mappings(seen.service.get("warnings")))
    return (*told, *notify_troubles(seen.service.get(NOTIFY)))


def notify_troubles(shown: JSON) -> tuple[Trouble, ...]:
    """The places to which notifications do not get through, as every face tells it. `shown`: under `ports.NOTIFY`."""
    places = _mappings(shown.get("places")) if isinstance(shown, Mapping) else []
    return tuple(_unreached(place) for place in places if place.get("error"))


def _unreached(place: Mapping[str, JSON]) -> Trouble:
    """A place to which notifications do not get through. The points know nothing of it."""
    lost = _whole(place.get("lost"))
    gone = f" {count(lost, 'of them was', 'of them were')} let go so far." if lost else ""
    text = f"{place.get('error')}.{gone} Points go on. `allthepoints notify test` tries it again."
    title = f"Notifications to {place.get('name')} do not get through"
    return _trouble({**place, "code": "notify_failing", "severity": "warning", "title": title, "text": text})


def _mappings(value: JSON) -> list[Mapping[str, JSON]]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [entry for entry in value if isinstance(entry, Mapping)]


def _trouble(entry: Mapping[str, JSON]) -> Trouble:
    code, severity, title, text = (str(entry.get(key) or "") for key in ("code", "severity", "title", "text"))
    since = entry.get("since")
    return Trouble(code, severity, title, text, float(since) if isinstance(since, int | float) else 0.0)


def _whole(value: JSON) -> int:
    return int(value) if isinstance(value, int | float) else 0
