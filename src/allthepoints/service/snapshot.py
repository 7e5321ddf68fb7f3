"""The Snapshot: what faces may see, immutable, made once a turn; and its rows, which other processes may read.

Theory. Most of 2,000 channels are offline nearly always, and a turn takes place for every line that concerns us. So
rows are looked at only where they can have changed: at every turn those of *busy* channels (live, or with a room) and
of those that are not simply offline; all of them when it changed whom the config means, or what channels are called.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from allthepoints.base.types import JSON, UserId
from allthepoints.core.apply_points import TOLD_AFTER, judged
from allthepoints.core.apply_redeem import jwt_state
from allthepoints.core.apply_wishes import within_reach
from allthepoints.core.desired import desired
from allthepoints.core.earning import Verdict
from allthepoints.core.elements import Purse
from allthepoints.core.health import warnings
from allthepoints.core.loyalty import JwtState
from allthepoints.core.model import Account
from allthepoints.core.observed import Channel, Observed, Roster, SignIn, roster
from allthepoints.core.place import Census, Mark, Place, census, place
from allthepoints.core.plan import room_cap
from allthepoints.core.policy import JOIN_LIMIT, Policy
from allthepoints.core.warning import Warning
from allthepoints.ports import ChannelRow

VERDICT_STANDS = 30.0
"""Seconds for which a verdict stands if nothing but time goes by: they turn on minutes."""


@dataclass(frozen=True, slots=True)
class LastRead:
    """When something was last read (None: not yet); since when reading it fails, and why."""

    done_at: float | None = None
    failing_since: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a page of health shows beside the warnings. `reads` by their names; `jwt`: a word of `JwtState`."""

    rooms: int = 0
    joins: int = 0
    """JOINs that count against the budget of the present window."""
    sign_in_ends: float | None = None
    jwt: str = JwtState.MISSING
    jwt_ends: float | None = None
    reads: Mapping[str, LastRead] = field(default_factory=dict)
    elements_asked: bool = False
    """Whether StreamElements owes an answer: with the next one what is known of points and stores may be different."""


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
    wishes: int = 0
    """How many wishes are within reach."""
    vitals: Vitals = field(default_factory=Vitals)


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
        self._at = 0.0
        self._shown: dict[UserId, tuple[object, ...]] = {}
        """What the row of each channel was made of."""
        self._verdicts: dict[UserId, tuple[tuple[object, ...], Verdict]] = {}
        self._service: dict[str, JSON] = {}

    def make(self, policy: Policy, observed: Observed, now: float) -> tuple[Snapshot, Changes]:
        """The snapshot of now, and what changed since the last one."""
        names, rooms = roster(policy, observed), observed.rooms_by_channel()
        wanted = desired(policy, observed, now)
        slots = frozenset(wanted[: room_cap(policy, observed, now)])
        looked_at = self._looked_at(names, observed, rooms.keys())
        looked_at |= {i for i, purse in observed.elements.purses.items() if purse.changed_at >= self._at}
        self._at = now
        places = {
            i: place(policy, observed, observed.channels[i], slots, now, rooms.get(i, ()))
            for i in looked_at
            if i in rooms or i in names.followed or i in names.included
        }
        numbers = {channel: number for number, channel in enumerate(wanted)}
        rows = tuple(self._changed_rows(policy, observed, places, numbers, now))
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
            within_reach(policy, observed, now),
            _vitals(observed, now),
        )
        return snapshot, Changes(rows, gone, self._service_changes(snapshot))

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
            self._shown.pop(channel, None)
            self._unsettled.discard(channel)
        for row in rows:
            if row.live is None or row.state != Mark.ABSENT:
                self._unsettled.add(row.id)
            else:
                self._unsettled.discard(row.id)

    def _changed_rows(
        self,
        policy: Policy,
        observed: Observed,
        places: Mapping[UserId, Place],
        numbers: Mapping[UserId, int],
        now: float,
    ) -> Iterator[ChannelRow]:
        for channel_id, where in places.items():
            before, channel = self._rows.get(channel_id), observed.channels[channel_id]
            number, live = numbers.get(channel_id), None if observed.stale and channel.live else channel.live
            since = before.since if before is not None and before.state == where.state else now
            purse = observed.elements.purses.get(channel_id)
            earning = self._verdict(policy, observed, channel, purse, now)
            shown = (where, channel.ref, number, live, channel.stream, purse and purse.changed_at, earning)
            if self._shown.get(channel_id) != shown:
                self._shown[channel_id] = shown
                row = _row(channel, where, number, live, since, purse, earning)
                if row != before:
                    yield row

    def _verdict(
        self, policy: Policy, observed: Observed, channel: Channel, purse: Purse | None, now: float
    ) -> Verdict:
        """What is judged of a channel changes with what is known of it, and slowly with time."""
        known = (
            purse and purse.changed_at,
            channel.live,
            channel.present_since,
            channel.stream,
            observed.elements.failures >= TOLD_AFTER,
            now // VERDICT_STANDS,
        )
        before = self._verdicts.get(channel.ref.id)
        if before is not None and before[0] == known:
            return before[1]
        verdict = judged(observed, policy, channel, now)
        self._verdicts[channel.ref.id] = known, verdict
        return verdict

    def _service_changes(self, snapshot: Snapshot) -> dict[str, JSON]:
        account, counts = snapshot.account, snapshot.census
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
                for w in snapshot.warnings
            ],
            "wishes": snapshot.wishes,
        }
        changed = {key: value for key, value in service.items() if self._service.get(key) != value}
        self._service = service
        return changed


def _vitals(observed: Observed, now: float) -> Vitals:
    jwt, elements = observed.elements.jwt, observed.elements
    reads = {
        name: LastRead(read.done_at, read.failing_since, read.error if read.failing_since else "")
        for name, read in observed.reads.items()
    }
    failing = elements.failing_since
    reads["elements"] = LastRead(elements.asked_at or None, failing, elements.error if failing else "")
    return Vitals(
        observed.slots_held(),
        JOIN_LIMIT - observed.join_window(now).free(now),
        observed.sign_in.expires_at,
        jwt_state(observed, now),
        jwt.expires_at,
        reads,
        elements.pending,
    )


def _row(
    channel: Channel,
    where: Place,
    number: int | None,
    live: bool | None,
    since: float | None,
    purse: Purse | None,
    earning: Verdict,
) -> ChannelRow:
    stream = channel.stream if channel.live else None
    balance = None if purse is None else purse.balance
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
        points=None if balance is None else balance.points,
        rate_per_hour=None if purse is None or purse.rate is None else round(purse.rate, 1),
        verdict=earning.word,
        causes=tuple(earning.causes),
    )
