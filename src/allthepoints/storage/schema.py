"""The database's schema, version by version. A version that was released is never edited; a change is a new migration.

Times are REAL, epoch seconds in UTC: the number the program thinks in. A float comes back exactly as it was written,
so what a restart restores equals what was recorded; whole milliseconds would round, and move an interval's ends past
each other. Zones are the reader's business.

The order of things told is the order of their ids, never that of their times: a clock may be set back between runs.

There are no foreign keys: facts arrive in the order of the world, and a refusal may be heard before its channel.
"""

from __future__ import annotations

APPLICATION_ID = 0x41745031
"""Marks the file as ours ("AtP1"), so that a foreign database in our place is recognised."""

ALIVE = "alive"
"""The key of the sign of life in `service_state`."""

V1 = """
CREATE TABLE migrations (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    at REAL NOT NULL
) STRICT;

-- Identity is the id. `followed` is the place among the follows (0 is the newest).
CREATE TABLE channels (
    id TEXT PRIMARY KEY,
    login TEXT NOT NULL,
    display TEXT NOT NULL,
    followed INTEGER,
    first_seen REAL NOT NULL,
    last_seen REAL NOT NULL
) STRICT;
CREATE INDEX channels_by_login ON channels (login);

-- A row for the first login of a channel and for each rename.
CREATE TABLE logins (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    login TEXT NOT NULL,
    since REAL NOT NULL
) STRICT;
CREATE INDEX logins_by_channel ON logins (channel, id);
CREATE INDEX logins_by_login ON logins (login, id);

-- One row a stream id. `login` and `display` as they were when it began.
CREATE TABLE sessions (
    stream TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    login TEXT NOT NULL,
    display TEXT NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    started_at REAL NOT NULL,
    first_seen REAL NOT NULL,
    ended_at REAL
) STRICT;
CREATE INDEX sessions_by_channel ON sessions (channel, started_at);
CREATE INDEX sessions_open ON sessions (first_seen) WHERE ended_at IS NULL;

-- The last session of each channel that a person was told of.
CREATE TABLE told (
    channel TEXT PRIMARY KEY,
    stream TEXT NOT NULL
) STRICT;

-- When the server had us in a chat. At most one interval of a channel is open.
CREATE TABLE presence (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    stream TEXT,
    began_at REAL NOT NULL,
    ended_at REAL,
    why TEXT
) STRICT;
CREATE INDEX presence_by_channel ON presence (channel, began_at);
CREATE UNIQUE INDEX presence_open ON presence (channel) WHERE ended_at IS NULL;

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    channel TEXT,
    data TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_channel ON events (channel, id) WHERE channel IS NOT NULL;

CREATE TABLE refusals (
    channel TEXT PRIMARY KEY,
    at REAL NOT NULL,
    why TEXT NOT NULL,
    text TEXT NOT NULL,
    stream TEXT,
    until REAL,
    tries INTEGER NOT NULL
) STRICT;

-- Budget used; only what may still count is kept.
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    what TEXT NOT NULL,
    at REAL NOT NULL,
    count INTEGER NOT NULL
) STRICT;

-- What the present run shows of a channel, for readers in other processes. `live` NULL: unknown.
CREATE TABLE channel_state (
    channel TEXT PRIMARY KEY,
    login TEXT NOT NULL,
    display TEXT NOT NULL,
    live INTEGER,
    state TEXT NOT NULL,
    reason TEXT,
    since REAL,
    live_since REAL,
    place INTEGER,
    title TEXT
) STRICT;

-- What the present run shows of itself, as JSON by key.
CREATE TABLE service_state (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at REAL NOT NULL
) STRICT;

-- What commands ask of the running service.
CREATE TABLE requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    login TEXT,
    done_at REAL
) STRICT;
CREATE INDEX requests_open ON requests (id) WHERE done_at IS NULL;
"""
