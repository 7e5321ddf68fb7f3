"""The Snapshot: what faces may see, immutable, made once a turn; and its rows, which other processes may read.

Theory. Most of 2,000 channels are offline nearly always, and a turn takes place for every line that concerns us. So
rows are looked at only where they can have changed: at every turn those of *busy* channels (live, or with a room) and
of those that are not simply offline; all of them when it changed whom the config means, or what channels are called.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from allthepoints.base.types import JSON, UserId
from allthepoints.core.desired import desired
from allthepoints.core.health import Warning, warnings
from allthepoints.core.model import Account
from allthepoints.core.observed import Channel, Observed, Roster, SignIn, roster
from allthepoints.core.place import Census, Mark, Place, census, place
from allthepoints.core.plan import room_cap
from allthepoints.core.policy import Policy
from allthepoints.ports import ChannelRow


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All a face shows. `rows` by channel id; channels that the config means or bars, or in whose chat we still are."""

    at: float
    account: Account | None
    signed_in: bool
    census: Census
    rows: Mapping[UserId, ChannelRow]
    warnings: tuple[Warning, ...]
    helix_points: tuple[int, int] | None
    """Remaining, limit."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What readers in other processes must be told since the last snapshot."""

    rows: tuple[ChannelRow, ...] = ()
    gone: tuple[UserId, ...] = ()
    service: Mapping[str, JSON] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.rows or self.gone or self.service)


class Snapshots:
    """Makes snapshots, each from the last one and what may have changed."""

    def __init__(self) -> None:
        self._rows: dict[UserId, ChannelRow] = {}
        self._busy: frozenset[UserId] = frozenset()
        self._unsettled: set[UserId] = set()
        """Rows that may change by themselves: not known to be offline, or refused for a time."""
        self._roster: Roster | None = None
        self._users_read_at: float | None = None
        self._service: dict[str, JSON] = {}

    def make(self, policy: Policy, observed: Observed, now: float) -> tuple[Snapshot, Changes]:
        """The snapshot of now, and what changed since the last one."""
        names, rooms = roster(policy, observed), observed.rooms_by_channel()
        wanted = desired(policy, observed, now)
        slots = frozenset(wanted[: room_cap(policy, observed, now)])
        looked_at = self._looked_at(names, observed, rooms.keys())
        places = {
            i: place(policy, observed, observed.channels[i], slots, now, rooms.get(i, ()))
            for i in looked_at
            if i in rooms or i in names.followed or i in names.included
        }
        numbers = {channel: number for number, channel in enumerate(wanted)}
        rows = tuple(self._changed_rows(observed, places, numbers, now))
        gone = tuple(i for i in looked_at if i not in places and i in self._rows)
        self._take(rows, gone)
        counts, worries = census(policy, observed, now, places), warnings(policy, observed, now)
        snapshot = Snapshot(
            now,
            observed.account,
            observed.sign_in.state is SignIn.GOOD,
            counts,
            self._rows,
            worries,
            None if observed.points is None else (observed.points.remaining, observed.points.limit),
        )
        return snapshot, Changes(rows, gone, self._service_changes(observed, counts, worries))

    def _looked_at(self, names: Roster, observed: Observed, rooms: Iterable[UserId]) -> set[UserId]:
        """The channels whose rows may have changed; all that are not absent are among them."""
        busy, before = frozenset((*observed.live, *rooms)), self._busy
        users_read_at = observed.reads["users"].done_at
        self._busy = busy
        if names is self._roster and users_read_at == self._users_read_at:
            return {*busy, *before, *self._unsettled}
        self._roster, self._users_read_at = names, users_read_at
        return {*observed.channels, *self._rows}

    def _take(self, rows: Iterable[ChannelRow], gone: Iterable[UserId]) -> None:
        """Whoever holds the last snapshot keeps the rows of then."""
        if not (rows or gone):
            return
        self._rows = self._rows | {row.id: row for row in rows}
        for channel in gone:
            del self._rows[channel]
            self._unsettled.discard(channel)
        for row in rows:
            if row.live is None or row.state != Mark.ABSENT:
                self._unsettled.add(row.id)
            else:
                self._unsettled.discard(row.id)

    def _changed_rows(
        self, observed: Observed, places: Mapping[UserId, Place], numbers: Mapping[UserId, int], now: float
    ) -> Iterator[ChannelRow]:
        for channel_id, where in places.items():
            before, channel = self._rows.get(channel_id), observed.channels[channel_id]
            number, live = numbers.get(channel_id), None if observed.stale and channel.live else channel.live
            if before is None or not _shows(before, channel, where, number, live):
                since = before.since if before is not None and before.state == where.state else now
                yield _row(channel, where, number, live, since)

    def _service_changes(self, observed: Observed, counts: Census, worries: tuple[Warning, ...]) -> dict[str, JSON]:
        account = observed.account
        service: dict[str, JSON] = {
            "account": None if account is None else {"user_id": account.user_id, "login": account.login},
            "chat": {
                "connections": counts.connections,
                "wanted": counts.wanted,
                "present": counts.present,
                "waiting": counts.waiting,
                "refused": counts.refused,
            },
            "warnings": [
                {"code": w.code, "severity": w.severity, "title": w.title, "text": w.text, "since": w.since}
                for w in worries
            ],
        }
        changed = {key: value for key, value in service.items() if self._service.get(key) != value}
        self._service = service
        return changed


def _shows(row: ChannelRow, channel: Channel, where: Place, number: int | None, live: bool | None) -> bool:
    """Whether the row says all this already; nearly all do, nearly always."""
    stream = channel.stream if channel.live else None
    return (
        row.state == where.state
        and row.reason == where.reason
        and row.live is live
        and row.place == number
        and row.title == (stream.title if stream else None)
        and row.live_since == (stream.started_at if stream else None)
        and row.login == channel.ref.login
        and row.display == channel.ref.display
    )


def _row(channel: Channel, where: Place, number: int | None, live: bool | None, since: float | None) -> ChannelRow:
    stream = channel.stream if channel.live else None
    return ChannelRow(
        id=channel.ref.id,
        login=channel.ref.login,
        display=channel.ref.display,
        live=live,
        state=where.state,
        reason=where.reason,
        since=since,
        live_since=stream.started_at if stream else None,
        place=number,
        title=stream.title if stream else None,
    )
