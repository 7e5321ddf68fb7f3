"""What other processes read of the memory: read-only, in milliseconds, whether the service runs or not.

Rows are plain values: words that a later version may add (kinds of event, reasons) pass through as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import apsw

from allthepoints.base.errors import FaultError
from allthepoints.base.types import JSON, Login, StreamId, UserId
from allthepoints.ports import ChannelRow
from allthepoints.storage.faults import refuse_folder, told
from allthepoints.storage.migrations import LATEST, refuse_newer, version_of
from allthepoints.storage.schema import ALIVE, APPLICATION_ID
from allthepoints.storage.text import from_json, json_object, json_strings

T = TypeVar("T")

BUSY_MS = 2_000
"""In WAL a reader waits for nobody, except while a crashed service's journal is taken up."""


@dataclass(frozen=True, slots=True)
class Status:
    """What the last run showed. `alive` is its last sign of life; whether it still runs, only the lock can tell."""

    alive: float | None = None
    service: Mapping[str, JSON] = field(default_factory=dict)
    channels: tuple[ChannelRow, ...] = ()

    @property
    def account(self) -> Mapping[str, JSON] | None:
        """`{"user_id", "login"}` of the account it runs for, if one ever signed in."""
        value = self.service.get("account")
        return value if isinstance(value, Mapping) else None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event. `login` and `display` are the channel's of today."""

    id: int
    at: float
    kind: str
    channel: UserId | None
    login: Login | None
    display: str | None
    data: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class KnownChannel:
    """A channel that was ever seen. `logins`: all it ever had, oldest first, the present one last."""

    id: UserId
    login: Login
    display: str
    followed: int | None
    first_seen: float
    last_seen: float
    logins: tuple[Login, ...]


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """A chat that is closed to us."""

    channel: UserId
    login: Login | None
    display: str | None
    at: float
    why: str
    text: str
    until: float | None
    tries: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One stream id. `ended_at` None: not known to be over."""

    stream: StreamId
    channel: UserId
    kind: str
    title: str
    started_at: float
    first_seen: float
    ended_at: float | None


@dataclass(frozen=True, slots=True)
class PresenceRow:
    """An interval in a chat. `ended_at` None: not known to be over."""

    channel: UserId
    stream: StreamId | None
    began_at: float
    ended_at: float | None
    why: str | None


class Reader:
    """Reads the database at `path`. Where there is none, all answers are empty. Raises FaultError.

    Each method opens the file for itself: a reader keeps nothing from being tidied up, and sees a replaced file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def status(self) -> Status:
        """The account, the service and each channel, as of one moment."""
        return self._read(_status, Status())

    def events(
        self, limit: int = 100, since_id: int | None = None, kinds: Sequence[str] = (), channel: UserId | None = None
    ) -> tuple[EventRow, ...]:
        """Events in the order in which they were told.

        The newest `limit` of them; with `since_id` the first `limit` after that one, to follow along.
        """
        return self._read(lambda db: _events(db, limit, since_id, kinds, channel), ())

    def channels(self) -> tuple[KnownChannel, ...]:
        """All channels, followed ones first, in their order."""
        return self._read(_channels, ())

    def named(self, login: Login) -> UserId | None:
        """The channel with this login; if none has it now, the one that had it last."""
        return self._read(lambda db: _named(db, login), None)

    def refusals(self) -> tuple[RefusalRow, ...]:
        """All that stand, newest first."""
        return self._read(_refusals, ())

    def sessions(self, channel: UserId, limit: int = 100) -> tuple[SessionRow, ...]:
        """The newest `limit` sessions of a channel, newest first."""
        return self._read(lambda db: _sessions(db, channel, limit), ())

    def presence(self, channel: UserId, begin: float, end: float) -> tuple[PresenceRow, ...]:
        """Intervals of a channel that touch [begin, end), in the order in which they were told."""
        return self._read(lambda db: _presence(db, channel, begin, end), ())

    def _read(self, question: Callable[[apsw.Connection], T], nothing: T) -> T:
        with self._moment() as connection:
            return nothing if connection is None else question(connection)

    def _stream(self, question: Callable[[apsw.Connection], Iterator[T]]) -> Iterator[T]:
        with self._moment() as connection:
            if connection is not None:
                yield from question(connection)

    @contextmanager
    def _moment(self) -> Iterator[apsw.Connection | None]:
        """One moment for all that is read; None where there is nothing to read."""
        with told(self.path):
            if not self.path.exists():
                yield None
                return
            refuse_folder(self.path)
            with self._connected() as connection:
                connection.execute("BEGIN")  # before all else: a service may be making its tables just now
                yield None if _is_fresh(connection, self.path) else connection

    @contextmanager
    def _connected(self) -> Iterator[apsw.Connection]:
        connection = apsw.Connection(str(self.path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            connection.set_busy_timeout(BUSY_MS)
            yield connection
        finally:
            connection.close()


def _is_fresh(db: apsw.Connection, path: Path) -> bool:
    have = version_of(db)
    mark = db.execute("PRAGMA application_id").get
    if mark == 0 and have == 0 and not db.execute("SELECT count(*) FROM sqlite_schema").get:
        return True
    if mark != APPLICATION_ID:
        raise FaultError(f"{path} belongs to another program", "Choose another --data-dir, or move the file away.")
    refuse_newer(have, LATEST, path)
    if have < LATEST:
        raise FaultError(f"{path} has schema {have}, an older one", "Start the service once: allthepoints run")
    return False


def _status(db: apsw.Connection) -> Status:
    service = {key: from_json(value) for key, value in db.execute("SELECT key, value FROM service_state ORDER BY key")}
    alive = service.pop(ALIVE, None)
    rows = db.execute(
        "SELECT channel, login, display, live, state, reason, since, live_since, place, title,"
        " points, rate_per_hour, verdict, causes"
        " FROM channel_state ORDER BY place IS NULL, place, login, channel"
    )
    channels = tuple(
        ChannelRow(
            UserId(id_),
            Login(login),
            display,
            None if live is None else bool(live),
            state,
            reason,
            since,
            up,
            place,
            title,
            points,
            rate,
            verdict,
            json_strings(causes),
        )
        for id_, login, display, live, state, reason, since, up, place, title, points, rate, verdict, causes in rows
    )
    return Status(float(alive) if isinstance(alive, int | float) else None, service, channels)


def _events(
    db: apsw.Connection, limit: int, since_id: int | None, kinds: Sequence[str], channel: UserId | None
) -> tuple[EventRow, ...]:
    terms: list[str] = ["1"]
    values: list[str | int] = []
    if since_id is not None:
        terms.append("e.id > ?")
        values.append(since_id)
    if kinds:
        terms.append(f"e.kind IN ({', '.join('?' * len(kinds))})")
        values.extend(kinds)
    if channel is not None:
        terms.append("e.channel = ?")
        values.append(channel)
    order = "DESC" if since_id is None else "ASC"
    rows = db.execute(
        "SELECT e.id, e.at, e.kind, e.channel, c.login, c.display, e.data"  # noqa: S608
        " FROM events e LEFT JOIN channels c ON c.id = e.channel"
        f" WHERE {' AND '.join(terms)} ORDER BY e.id {order} LIMIT ?",
        (*values, max(0, limit)),
    )
    found = [
        EventRow(id_, at, kind, of, login, display, json_object(data))
        for id_, at, kind, of, login, display, data in rows
    ]
    return tuple(found if since_id is not None else reversed(found))


def _channels(db: apsw.Connection) -> tuple[KnownChannel, ...]:
    logins: dict[str, list[Login]] = {}
    for channel, login in db.execute("SELECT channel, login FROM logins ORDER BY id"):
        logins.setdefault(channel, []).append(Login(login))
    rows = db.execute(
        "SELECT id, login, display, followed, first_seen, last_seen FROM channels"
        " ORDER BY followed IS NULL, followed, login, id"
    )
    return tuple(
        KnownChannel(id_, login, display, followed, first, last, tuple(logins.get(id_, ())))
        for id_, login, display, followed, first, last in rows
    )


def _named(db: apsw.Connection, login: Login) -> UserId | None:
    now = db.execute("SELECT id FROM channels WHERE login = ? ORDER BY last_seen DESC LIMIT 1", (login,)).get
    once = now or db.execute("SELECT channel FROM logins WHERE login = ? ORDER BY id DESC LIMIT 1", (login,)).get
    return None if once is None else UserId(once)


def _refusals(db: apsw.Connection) -> tuple[RefusalRow, ...]:
    rows = db.execute(
        "SELECT r.channel, c.login, c.display, r.at, r.why, r.text, r.until, r.tries"
        " FROM refusals r LEFT JOIN channels c ON c.id = r.channel ORDER BY r.at DESC, r.channel"
    )
    return tuple(RefusalRow(*row) for row in rows)


def _sessions(db: apsw.Connection, channel: UserId, limit: int) -> tuple[SessionRow, ...]:
    rows = db.execute(
        "SELECT stream, channel, kind, title, started_at, first_seen, ended_at"
        " FROM sessions WHERE channel = ? ORDER BY started_at DESC, rowid DESC LIMIT ?",
        (channel, max(0, limit)),
    )
    return tuple(SessionRow(*row) for row in rows)


def _presence(db: apsw.Connection, channel: UserId, begin: float, end: float) -> tuple[PresenceRow, ...]:
    rows = db.execute(
        "SELECT channel, stream, began_at, ended_at, why FROM presence"
        " WHERE channel = ? AND began_at < ? AND (ended_at IS NULL OR ended_at > ?) ORDER BY id",
        (channel, end, begin),
    )
    return tuple(PresenceRow(*row) for row in rows)
