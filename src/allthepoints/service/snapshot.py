"""The Snapshot: what faces may see, immutable, made once a turn; and its rows, which other processes may read.

Most of 2,000 channels are offline nearly always, and a row that cannot have changed is not looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from allthepoints.base.types import JSON, UserId
from allthepoints.core.desired import desired, is_meant
from allthepoints.core.health import Warning, warnings
from allthepoints.core.model import Account
from allthepoints.core.observed import Observed, Roster, roster
from allthepoints.core.place import Census, census, place
from allthepoints.core.plan import room_cap
from allthepoints.core.policy import Policy
from allthepoints.ports import ChannelRow


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All a face shows. `rows` by channel id; only channels that the config means."""

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


class Snapshots:
    """Makes snapshots, each from the last one and what may have changed."""

    def __init__(self) -> None:
        self._rows: dict[UserId, ChannelRow] = {}
        self._busy: set[UserId] = set()
        self._roster: Roster | None = None
        self._service: dict[str, JSON] = {}

    def make(self, policy: Policy, observed: Observed, now: float) -> tuple[Snapshot, Changes]:
        """The snapshot of now, and what changed since the last one."""
        names = roster(policy, observed)
        wanted = desired(policy, observed, now)
        slots = set(wanted[: room_cap(policy, observed, now)])
        places = {channel: number for number, channel in enumerate(wanted)}
        rows, gone = self._changed(names, policy, observed, slots, places, now)
        counts = census(policy, observed, now)
        worries = warnings(policy, observed, now)
        service = self._service_changes(observed, counts, worries)
        points = observed.points
        snapshot = Snapshot(
            now,
            observed.account,
            observed.sign_in.state == "good",
            counts,
            MappingProxyType(self._rows),
            worries,
            None if points is None else (points.remaining, points.limit),
        )
        return snapshot, Changes(rows, gone, service)

    def _changed(
        self,
        names: Roster,
        policy: Policy,
        observed: Observed,
        slots: set[UserId],
        places: Mapping[UserId, int],
        now: float,
    ) -> tuple[tuple[ChannelRow, ...], tuple[UserId, ...]]:
        busy = observed.live | {room.channel for room in observed.rooms.values()}
        look_at = busy | self._busy
        if names is not self._roster:
            look_at = look_at | observed.channels.keys() | self._rows.keys()
        rows, gone = [], []
        for channel_id in look_at:
            before = self._rows.get(channel_id)
            if not is_meant(names, channel_id) and channel_id not in busy:
                if before is not None:
                    del self._rows[channel_id]
                    gone.append(channel_id)
                continue
            row = _row(policy, observed, channel_id, slots, places.get(channel_id), before, now)
            if row != before:
                self._rows[channel_id] = row
                rows.append(row)
        self._busy, self._roster = busy, names
        return tuple(rows), tuple(gone)

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


def _row(
    policy: Policy,
    observed: Observed,
    channel_id: UserId,
    slots: set[UserId],
    number: int | None,
    before: ChannelRow | None,
    now: float,
) -> ChannelRow:
    channel = observed.channels[channel_id]
    where = place(policy, observed, channel, slots, now)
    same = before is not None and before.state == where.state and before.reason == where.reason
    stream = channel.stream if channel.live else None
    return ChannelRow(
        id=channel_id,
        login=channel.ref.login,
        display=channel.ref.display,
        live=None if observed.stale and channel.live else channel.live,
        state=where.state,
        reason=where.reason,
        since=before.since if same and before is not None else now,
        live_since=stream.started_at if stream else None,
        place=number,
        title=stream.title if stream else None,
    )
