"""Each kind of record as SQL. All of it runs inside the one transaction of `Database.record`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import apsw

from allthepoints.base.types import JSON, UserId
from allthepoints.core import records as r
from allthepoints.ports import ChannelRow
from allthepoints.storage.folding import fold
from allthepoints.storage.nouns import whole
from allthepoints.storage.schema import ALIVE
from allthepoints.storage.text import bounded, to_json
from allthepoints.storage.writing_points import write_points

ATTEMPTS_KEPT = 600.0
"""Seconds. Far beyond every window that a limit looks at, and far too little to fill a disk."""

REQUESTS_KEPT = 7 * 86_400.0
"""Seconds for which a request without a key is kept after it was done."""


def write_record(db: apsw.Connection, record: r.Record) -> None:
    """One record, by its kind."""
    match record:
        case r.Event():
            _event(db, record)
        case r.ChannelKnown():
            _channel_known(db, record)
        case r.SessionOpened():
            _session_opened(db, record)
        case r.SessionClosed():
            db.execute("UPDATE sessions SET ended_at = max(first_seen, ?) WHERE stream = ?", (record.at, record.stream))
        case r.PresenceOpened():
            _presence_opened(db, record)
        case r.PresenceClosed():
            close_presence(db, record.at, record.why, record.channel)
        case r.RefusalSet():
            _refusal_set(db, record)
        case r.RefusalCleared():
            db.execute("DELETE FROM refusals WHERE channel = ?", (record.channel,))
        case r.AttemptsSpent():
            db.execute(
                "INSERT INTO attempts (what, at, count) VALUES (?, ?, ?)", (record.what, record.at, record.count)
            )
        case _:
            write_points(db, record)


def close_presence(db: apsw.Connection, at: float, why: str, channel: UserId | None = None) -> None:
    """End the open interval of `channel`, or of all. No interval ends before it began, whatever the clock did."""
    where = "" if channel is None else " AND channel = :channel"
    db.execute(
        f"UPDATE presence SET ended_at = max(began_at, :at), why = :why WHERE ended_at IS NULL{where}",  # noqa: S608
        {"at": at, "why": bounded(why), "channel": channel},
    )


def write_rows(db: apsw.Connection, rows: Iterable[ChannelRow], gone: Iterable[UserId]) -> None:
    """What readers see of channels."""
    db.executemany("DELETE FROM channel_state WHERE channel = ?", ((channel,) for channel in gone))
    db.executemany(
        "INSERT OR REPLACE INTO channel_state"
        " (channel, login, display, live, state, reason, since, live_since, place, title,"
        " points, rate_per_hour, verdict, causes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (_row(row) for row in rows),
    )


def write_service(db: apsw.Connection, service: Mapping[str, JSON], at: float) -> None:
    """What readers see of the service, and the sign of life."""
    db.executemany(
        "INSERT OR REPLACE INTO service_state (key, value, at) VALUES (?, ?, ?)",
        [(key, to_json(value), at) for key, value in service.items()] + [(ALIVE, to_json(at), at)],
    )


def write_done(db: apsw.Connection, done: Sequence[int], at: float) -> None:
    """Requests that need no more answer."""
    db.executemany("UPDATE requests SET done_at = ? WHERE id = ? AND done_at IS NULL", ((at, id_) for id_ in done))


def prune(db: apsw.Connection, at: float) -> None:
    """Forget what cannot count any more, and fold what is old. Bounded work; mostly none."""
    db.execute("DELETE FROM attempts WHERE at < ?", (at - ATTEMPTS_KEPT,))
    db.execute("DELETE FROM requests WHERE done_at IS NOT NULL AND key IS NULL AND done_at < ?", (at - REQUESTS_KEPT,))
    fold(db, at)


def _event(db: apsw.Connection, event: r.Event) -> None:
    data = {key: bounded(value) if isinstance(value, str) else value for key, value in event.data.items()}
    db.execute(
        "INSERT INTO events (at, kind, channel, data) VALUES (?, ?, ?, ?)",
        (event.at, event.kind.value, event.channel, to_json(data)),
    )
    stream = event.data.get("stream")
    if event.kind is r.EventKind.LIVE and event.channel is not None and isinstance(stream, str):
        db.execute("INSERT OR REPLACE INTO told (channel, stream) VALUES (?, ?)", (event.channel, stream))


def _channel_known(db: apsw.Connection, record: r.ChannelKnown) -> None:
    ref = record.ref
    before = db.execute("SELECT login FROM channels WHERE id = ?", (ref.id,)).get
    db.execute(
        "INSERT INTO channels (id, login, display, followed, first_seen, last_seen) VALUES (?1, ?2, ?3, ?4, ?5, ?5)"
        " ON CONFLICT (id) DO UPDATE SET login = ?2, display = ?3, followed = ?4, last_seen = ?5",
        (ref.id, ref.login, bounded(ref.display), record.followed, record.at),
    )
    if before != ref.login:
        db.execute("INSERT INTO logins (channel, login, since) VALUES (?, ?, ?)", (ref.id, ref.login, record.at))


def _session_opened(db: apsw.Connection, record: r.SessionOpened) -> None:
    """A stream id that was thought over and is seen again goes on: it is one session."""
    stream = record.stream
    db.execute(
        "INSERT INTO sessions (stream, channel, login, display, kind, title, started_at, first_seen)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (stream) DO UPDATE SET title = excluded.title, kind = excluded.kind, ended_at = NULL",
        (
            stream.id,
            stream.channel.id,
            stream.channel.login,
            bounded(stream.channel.display),
            stream.kind.value,
            bounded(stream.title),
            stream.started_at,
            record.at,
        ),
    )


def _presence_opened(db: apsw.Connection, record: r.PresenceOpened) -> None:
    """A chat is entered once: an interval still open ends here (a new session began, or its end was not told)."""
    close_presence(db, record.at, "reopened", record.channel)
    db.execute(
        "INSERT INTO presence (channel, stream, began_at) VALUES (?, ?, ?)", (record.channel, record.stream, record.at)
    )


def _refusal_set(db: apsw.Connection, record: r.RefusalSet) -> None:
    db.execute(
        "INSERT OR REPLACE INTO refusals (channel, at, why, text, stream, until, tries) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            record.channel,
            record.at,
            record.why.value,
            bounded(record.text),
            record.stream,
            record.until,
            record.tries,
        ),
    )


def _row(row: ChannelRow) -> tuple[str | int | float | None, ...]:
    return (
        row.id,
        row.login,
        bounded(row.display),
        None if row.live is None else int(row.live),
        row.state,
        None if row.reason is None else bounded(row.reason),
        row.since,
        row.live_since,
        row.place,
        None if row.title is None else bounded(row.title),
        None if row.points is None else whole(row.points),
        row.rate_per_hour,
        row.verdict,
        to_json(row.causes),
    )
