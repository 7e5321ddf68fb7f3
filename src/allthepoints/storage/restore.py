"""What the database gives back at start: `core.records.Restored`, in the exact values that were recorded."""

from __future__ import annotations

from collections.abc import Mapping

import apsw

from allthepoints.base.types import Login, StreamId, UserId
from allthepoints.core.model import Account, ChannelRef, Stream, StreamKind, Why
from allthepoints.core.records import ChannelKnown, RefusalSet, Restored, SessionOpened
from allthepoints.ports import Request
from allthepoints.storage import restore_points
from allthepoints.storage.schema import ALIVE
from allthepoints.storage.text import from_json, json_object
from allthepoints.storage.writing import close_presence

CRASHED = "crash"
"""Why an interval ended that nobody closed: the process was gone."""

_REASONS = frozenset(why.value for why in Why)


def settle(db: apsw.Connection) -> None:
    """Close what the last run left open, at its last sign of life, and drop what it showed to readers."""
    close_presence(db, _alive_at(db), CRASHED)
    db.execute("DELETE FROM channel_state")


def restored(db: apsw.Connection) -> Restored:
    """What is remembered, once `settle` has run."""
    alive_at, whose = _alive_at(db), account(db)
    return Restored(
        account=None if whose is None else whose.user_id,
        channels=_channels(db),
        refusals=_refusals(db),
        open_sessions=_open_sessions(db),
        told=_told(db),
        names=_names(db),
        joins=_attempts(db, "join"),
        logins=_attempts(db, "login"),
        alive_at=alive_at,
        purses=restore_points.purses(db),
        redemptions=restore_points.redemptions(db, alive_at),
        notes=restore_points.notes(db),
    )


def account(db: apsw.Connection) -> Account | None:
    """Whom all this is about; None if nobody ever signed in."""
    text = db.execute("SELECT value FROM service_state WHERE key = 'account'").get
    value = None if text is None else from_json(text)
    if not isinstance(value, Mapping) or not isinstance(user_id := value.get("user_id"), str):
        return None
    return Account(UserId(user_id), Login(str(value.get("login") or user_id)))


def open_requests(db: apsw.Connection) -> tuple[Request, ...]:
    """Requests not yet done, oldest first."""
    rows = db.execute("SELECT id, at, kind, login, data FROM requests WHERE done_at IS NULL ORDER BY id")
    return tuple(
        Request(id_, at, kind, None if login is None else Login(login), json_object(data))
        for id_, at, kind, login, data in rows
    )


def _alive_at(db: apsw.Connection) -> float:
    at = db.execute("SELECT at FROM service_state WHERE key = ?", (ALIVE,)).get
    return 0.0 if at is None else float(at)


def _channels(db: apsw.Connection) -> tuple[ChannelKnown, ...]:
    rows = db.execute(
        "SELECT last_seen, id, login, display, followed FROM channels ORDER BY followed IS NULL, followed, id"
    )
    return tuple(
        ChannelKnown(at, ChannelRef(UserId(id_), Login(login), display), followed)
        for at, id_, login, display, followed in rows
    )


def _refusals(db: apsw.Connection) -> tuple[RefusalSet, ...]:
    rows = db.execute("SELECT at, channel, why, text, stream, until, tries FROM refusals ORDER BY channel")
    return tuple(
        RefusalSet(at, UserId(channel), _why(why), text, None if stream is None else StreamId(stream), until, tries)
        for at, channel, why, text, stream, until, tries in rows
    )


def _open_sessions(db: apsw.Connection) -> tuple[SessionOpened, ...]:
    """With the channel as it is called now: a rename does not end a session."""
    rows = db.execute(
        "SELECT s.first_seen, s.stream, s.channel, coalesce(c.login, s.login), coalesce(c.display, s.display),"
        " s.kind, s.title, s.started_at"
        " FROM sessions s LEFT JOIN channels c ON c.id = s.channel"
        " WHERE s.ended_at IS NULL ORDER BY s.first_seen, s.stream"
    )
    return tuple(
        SessionOpened(
            first,
            Stream(
                StreamId(stream),
                ChannelRef(UserId(channel), Login(login), display),
                _kind(kind),
                title,
                started,
            ),
        )
        for first, stream, channel, login, display, kind, title, started in rows
    )


def _told(db: apsw.Connection) -> tuple[tuple[UserId, StreamId], ...]:
    rows = db.execute("SELECT channel, stream FROM told ORDER BY channel")
    return tuple((UserId(channel), StreamId(stream)) for channel, stream in rows)


def _names(db: apsw.Connection) -> tuple[tuple[Login, UserId], ...]:
    rows = db.execute("SELECT login, channel FROM logins GROUP BY login, channel ORDER BY min(id)")
    return tuple((Login(login), UserId(channel)) for login, channel in rows)


def _attempts(db: apsw.Connection, what: str) -> tuple[float, ...]:
    rows = db.execute("SELECT at, count FROM attempts WHERE what = ? ORDER BY at, id", (what,))
    return tuple(at for at, count in rows for _ in range(count))


def _why(text: str) -> Why:
    """A reason that only a later version knows is still a no."""
    return Why(text) if text in _REASONS else Why.OTHER


def _kind(text: str) -> StreamKind:
    """A kind that only a later version knows is not a live stream."""
    return StreamKind.LIVE if text == StreamKind.LIVE.value else StreamKind.RERUN
