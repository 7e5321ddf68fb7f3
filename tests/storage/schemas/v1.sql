-- A database of schema 1 with a little of everything in it. Kept as it is, for the tests of later upgrades.
PRAGMA journal_mode = WAL;
BEGIN;
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
PRAGMA application_id = 1098141745;
PRAGMA user_version = 1;
INSERT INTO migrations VALUES (1, 'channels, sessions, presence, events, refusals', 1699991000.0);
INSERT INTO channels VALUES ('1', 'alpha2', 'Alpha2', 0, 1699991000.0, 1699999900.0), ('2', 'beta', 'アルファ', NULL, 1699992000.0, 1699992000.0);
INSERT INTO logins (channel, login, since) VALUES ('1', 'alpha', 1699991000.0), ('2', 'beta', 1699992000.0), ('1', 'alpha2', 1699999900.0);
INSERT INTO sessions VALUES
    ('s1', '1', 'alpha', 'Alpha', 'live', 'first', 1699992000.0, 1699992010.0, 1699994000.0),
    ('s2', '1', 'alpha', 'Alpha', 'live', 'Prestige 4 🌊 휴', 1699999000.0, 1699999010.0, NULL);
INSERT INTO told VALUES ('1', 's2');
INSERT INTO presence (channel, stream, began_at, ended_at, why) VALUES
    ('1', 's1', 1699992020.0, 1699994100.0, 'offline'),
    ('1', 's2', 1699999020.0, NULL, NULL);
INSERT INTO events (at, kind, channel, data) VALUES
    (1699991000.0, 'started', NULL, '{}'),
    (1699999010.0, 'live', '1', '{"stream":"s2","started_at":1699999000.0}');
INSERT INTO refusals VALUES ('2', 1699999500.0, 'banned', 'You are permanently banned from talking in beta.', NULL, NULL, 1);
INSERT INTO attempts (what, at, count) VALUES ('join', 1699999995.0, 2), ('login', 1699999994.0, 1);
INSERT INTO channel_state VALUES ('1', 'alpha2', 'Alpha2', 1, 'present', NULL, 1699999020.0, 1699999000.0, 0, 'Prestige 4 🌊 휴');
INSERT INTO service_state VALUES
    ('account', '{"user_id":"9","login":"me"}', 1699999998.0),
    ('alive', '1699999998.0', 1699999998.0);
INSERT INTO requests (at, kind, login, done_at) VALUES (1699999997.0, 'retry', 'beta', NULL);
COMMIT;
