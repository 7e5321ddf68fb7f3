"""`/metrics`: the state in numbers, for Prometheus. Made anew with each scrape; nothing is counted in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from allthepoints._version import __version__
from allthepoints.core.place import Mark
from allthepoints.core.redeem import State
from allthepoints.service.snapshot import Snapshot

MOST_CHANNELS = 300
"""Channels with a line of their own: a label for each of thousands is a burden to whoever keeps them. Those with the
most points are kept."""

MOST_REDEMPTIONS = 10_000

SEVERITIES = ("info", "warning", "error")

PREFIX = "allthepoints_"


def exposition(snapshot: Snapshot | None, redemptions: Mapping[State, int], listeners: int, tasks: int) -> bytes:
    """The whole page. `redemptions`: how many in each state; `listeners`: pages that are told what changes; `tasks`: of
    the event loop. With what the client library tells of a process, where the system does (Linux)."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(families(snapshot, redemptions, listeners, tasks)))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


def families(snapshot: Snapshot | None, redemptions: Mapping[State, int], listeners: int, tasks: int) -> list[Metric]:
    """What the page says of the program, as values."""
    return [*_always(redemptions, listeners, tasks), *(() if snapshot is None else _of(snapshot))]


class _Once(Collector):
    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found


def _always(redemptions: Mapping[State, int], listeners: int, tasks: int) -> Iterable[Metric]:
    build = InfoMetricFamily(f"{PREFIX}build", "Which program this is.")
    build.add_metric((), {"version": __version__})
    yield build
    yield _gauge("dashboard_listeners", "Pages that are told what changes.", listeners)
    yield _gauge("tasks", "Tasks of the event loop; more and more of them are a fault.", tasks)
    yield _by("redemptions", "Redemptions that are remembered, by state.", "state", _each(State, redemptions))


def _of(snapshot: Snapshot) -> Iterable[Metric]:
    counts, rows = snapshot.census, snapshot.rows.values()
    yield _gauge("last_turn_timestamp_seconds", "When the state was looked at last.", snapshot.at)
    yield _gauge("signed_in", "Whether the sign-in is good.", float(snapshot.signed_in))
    yield _gauge("chat_connections", "Chat connections that are open.", counts.connections)
    yield _gauge("rooms_wanted", "Chats that are wanted.", counts.wanted)
    yield _by("rooms", "Channels by where they stand.", "state", _each(Mark, Counter(row.state for row in rows)))
    yield _gauge("channels_live", "Channels that are known to be live.", sum(row.live is True for row in rows))
    yield _gauge("wishes_within_reach", "Wishes that can be had now.", snapshot.wishes)
    severities = Counter(warning.severity for warning in snapshot.warnings)
    yield _by("warnings", "Warnings that stand, by severity.", "severity", {s: severities[s] for s in SEVERITIES})
    if snapshot.helix_points is not None:
        remaining, limit = snapshot.helix_points
        yield _gauge("helix_points_remaining", "Helix points that are left.", remaining)
        yield _gauge("helix_points_limit", "Helix points for each minute.", limit)
    known = sorted((row for row in rows if row.points is not None), key=lambda row: (-(row.points or 0), row.login))
    points: dict[str, int] = {row.login: row.points or 0 for row in known[:MOST_CHANNELS]}
    yield _by("channel_points", "Points, as they were read last.", "login", points)


def _each(words: type[State] | type[Mark], found: Mapping[State, int] | Mapping[str, int]) -> dict[str, int]:
    """All words, also those of which there is none now: a line that comes and goes is no series."""
    said = {str(word): count for word, count in found.items()}
    return {str(word.value): said.get(str(word.value), 0) for word in words}


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, text, value=value)


def _by(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, text, labels=(label,))
    for word, value in values.items():
        family.add_metric((word,), value)
    return family
