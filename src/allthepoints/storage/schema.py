"""The database's schema, version by version. A version that was released is never edited; a change is a new migration.

Times are REAL, epoch seconds in UTC: the number the program thinks in. A float comes back exactly as it was written,
so what a restart restores equals what was recorded; whole milliseconds would round, and move an interval's ends past
each other. Zones are the reader's business. The ledger alone has whole milliseconds: it is the one big table.

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

V2 = """
-- Where a channel is at StreamElements (`se` NULL: nowhere). `currency` NULL: its settings were not read.
-- `interval` in seconds, `ignored` a JSON list of logins.
CREATE TABLE loyalty (
    channel TEXT PRIMARY KEY,
    se TEXT,
    currency TEXT,
    enabled INTEGER,
    amount INTEGER,
    interval REAL,
    multiplier INTEGER,
    ignored TEXT,
    at REAL NOT NULL
) STRICT;

-- The last reading of each balance.
CREATE TABLE balances (
    channel TEXT PRIMARY KEY,
    points INTEGER NOT NULL,
    alltime INTEGER,
    rank INTEGER,
    watch_minutes INTEGER,
    seen_at REAL NOT NULL
) STRICT;

-- One row a channel that has entries. `entries`: how many were ever made, and the number of the newest; `last_at`: its
-- time. `earned`: the sum of all EARNED. All entries before `folded` are folded (see storage/folding.py). Times here
-- and in `ledger`: milliseconds.
CREATE TABLE ledgers (
    no INTEGER PRIMARY KEY,
    channel TEXT NOT NULL UNIQUE,
    entries INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    earned INTEGER NOT NULL,
    folded INTEGER NOT NULL
) STRICT;
CREATE INDEX ledgers_by_folded ON ledgers (folded);

-- Each move of a balance by `delta`, to `points`. `n` numbers the entries of a channel in the order in which they were
-- made. `change`: 0 earned, 1 adjusted, 2 spent, 3 opening (0 and 1 take no byte). About 25 bytes a row.
CREATE TABLE ledger (
    ledger INTEGER NOT NULL,
    at INTEGER NOT NULL,
    n INTEGER NOT NULL,
    delta INTEGER NOT NULL,
    points INTEGER NOT NULL,
    change INTEGER NOT NULL,
    PRIMARY KEY (ledger, at, n)
) STRICT, WITHOUT ROWID;

-- Each item ever seen in a store; `gone_at`: since when it is not there any more. `asks` and `sources` are JSON lists.
CREATE TABLE items (
    channel TEXT NOT NULL,
    item TEXT NOT NULL,
    name TEXT NOT NULL,
    cost INTEGER NOT NULL,
    description TEXT NOT NULL,
    kind TEXT NOT NULL,
    stock INTEGER,
    cooldown_user REAL NOT NULL,
    cooldown_global REAL NOT NULL,
    subscriber_only INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    asks TEXT NOT NULL,
    takes_message INTEGER NOT NULL,
    sources TEXT NOT NULL,
    place INTEGER NOT NULL,
    first_seen REAL NOT NULL,
    last_changed REAL NOT NULL,
    gone_at REAL,
    PRIMARY KEY (channel, item)
) STRICT, WITHOUT ROWID;

-- What an item cost at first sight, and each time it cost something else.
CREATE TABLE prices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    item TEXT NOT NULL,
    at REAL NOT NULL,
    cost INTEGER NOT NULL
) STRICT;
CREATE INDEX prices_by_item ON prices (channel, item, id);

-- Everything that was ever to be bought. Never pruned. `answers` and `known` are JSON lists; `at`: the last change.
CREATE TABLE redemptions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    channel TEXT NOT NULL,
    login TEXT NOT NULL,
    item TEXT NOT NULL,
    cost INTEGER NOT NULL,
    asked_at REAL NOT NULL,
    state TEXT NOT NULL,
    se TEXT,
    name TEXT NOT NULL,
    answers TEXT NOT NULL,
    message TEXT NOT NULL,
    auto INTEGER NOT NULL,
    dry INTEGER NOT NULL,
    sent_at REAL,
    settled_at REAL,
    known TEXT NOT NULL,
    points_before INTEGER,
    bought TEXT,
    code TEXT,
    reason TEXT,
    text TEXT NOT NULL,
    at REAL NOT NULL
) STRICT;
CREATE INDEX redemptions_by_time ON redemptions (asked_at);
CREATE INDEX redemptions_by_channel ON redemptions (channel, id);
CREATE INDEX redemptions_open ON redemptions (id) WHERE state NOT IN ('accepted', 'rejected', 'checked');

-- Small things to be remembered, by key.
CREATE TABLE notes (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at REAL NOT NULL
) STRICT;

ALTER TABLE channel_state ADD COLUMN points INTEGER;
ALTER TABLE channel_state ADD COLUMN rate_per_hour REAL;
ALTER TABLE channel_state ADD COLUMN verdict TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE channel_state ADD COLUMN causes TEXT NOT NULL DEFAULT '[]';

-- `key`: two requests with the same one are the same request, for ever. Those without are forgotten once they are done.
ALTER TABLE requests ADD COLUMN data TEXT NOT NULL DEFAULT '{}';
ALTER TABLE requests ADD COLUMN key TEXT;
CREATE UNIQUE INDEX requests_by_key ON requests (key) WHERE key IS NOT NULL;
CREATE INDEX requests_done ON requests (done_at) WHERE done_at IS NOT NULL AND key IS NULL;
"""

V3 = """
-- As whom it was confirmed and sent: the id at StreamElements, and the name. NULL: not known, as of all before this.
-- `ahead`: seconds by which StreamElements' clock was ahead of ours at the POST. `by_hand`: the person settled it.
ALTER TABLE redemptions ADD COLUMN account TEXT;
ALTER TABLE redemptions ADD COLUMN account_login TEXT NOT NULL DEFAULT '';
ALTER TABLE redemptions ADD COLUMN ahead REAL;
ALTER TABLE redemptions ADD COLUMN by_hand INTEGER NOT NULL DEFAULT 0;
"""
