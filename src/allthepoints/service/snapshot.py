"""The Snapshot: what faces may see, immutable, made once a turn; and what of it changed, for other processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from allthepoints.base.types import JSON, UserId
from allthepoints.core.apply_redeem import jwt_state
from allthepoints.core.apply_wishes import within_reach
from allthepoints.core.health import warnings
from allthepoints.core.loyalty import JwtState
from allthepoints.core.model import Account
from allthepoints.core.observed import Observed, SignIn
from allthepoints.core.place import Census
from allthepoints.core.policy import JOIN_LIMIT, Policy
from allthepoints.core.warning import Warning
from allthepoints.ports import ChannelRow
from allthepoints.service.rows import Rows

WARNINGS_STAND = 5.0
"""Seconds for which warnings stand if nothing but time goes by: their delays are half a minute and more."""


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
        self._rows = Rows()
        self._warned: tuple[tuple[object, ...], float, tuple[Warning, ...]] = ((), 0.0, ())
        self._service: dict[str, JSON] = {}

    def make(self, policy: Policy, observed: Observed, now: float) -> tuple[Snapshot, Changes]:
        """The snapshot of now, and what changed since the last one."""
        rows, gone = self._rows.look(policy, observed, now)
        snapshot = Snapshot(
            now,
            observed.account,
            observed.sign_in.state is SignIn.GOOD,
            self._rows.census,
            self._rows.by_id,
            self._warnings(policy, observed, now),
            None if observed.points is None else (observed.points.remaining, observed.points.limit),
            within_reach(policy, observed, now),
            _vitals(observed, now),
        )
        return snapshot, Changes(tuple(rows), tuple(gone), self._service_changes(snapshot))

    def _warnings(self, policy: Policy, observed: Observed, now: float) -> tuple[Warning, ...]:
        """What is wrong changes with what is known, and slowly with time."""
        known = policy, observed.changes.count, observed.points, observed.elements.jwt.checked_at
        before, at, shown = self._warned
        if before != known or not at <= now < at + WARNINGS_STAND:
            at, shown = now, warnings(policy, observed, now)
            self._warned = known, at, shown
        return shown

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
