-- What a service of schema 1 had written when its machine lost its power: an evening with seven channels.
-- Never edited: it is what people have.
BEGIN;
CREATE TABLE migrations (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    at REAL NOT NULL
) STRICT;
CREATE TABLE channels (
    id TEXT PRIMARY KEY,
    login TEXT NOT NULL,
    display TEXT NOT NULL,
    followed INTEGER,
    first_seen REAL NOT NULL,
    last_seen REAL NOT NULL
) STRICT;
CREATE INDEX channels_by_login ON channels (login);
CREATE TABLE logins (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    login TEXT NOT NULL,
    since REAL NOT NULL
) STRICT;
CREATE INDEX logins_by_channel ON logins (channel, id);
CREATE INDEX logins_by_login ON logins (login, id);
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
CREATE TABLE told (
    channel TEXT PRIMARY KEY,
    stream TEXT NOT NULL
) STRICT;
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
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    what TEXT NOT NULL,
    at REAL NOT NULL,
    count INTEGER NOT NULL
) STRICT;
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
CREATE TABLE service_state (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at REAL NOT NULL
) STRICT;
CREATE TABLE requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    login TEXT,
    done_at REAL
) STRICT;
CREATE INDEX requests_open ON requests (id) WHERE done_at IS NULL;
INSERT INTO migrations VALUES
    (1, 'channels, sessions, presence, events, refusals', 1795564800.0);
INSERT INTO channels VALUES
    ('20000000', 'amber_badger', 'Amber_Badger', 0, 1795564800.0, 1795564800.0),
    ('20000001', 'birch_ibis', 'Birch_Ibis', 1, 1795564800.0, 1795564800.0),
    ('20000002', 'cedar_puffin', 'Cedar_Puffin', 2, 1795564800.0, 1795564800.0),
    ('20000003', 'delta_wren', 'Delta_Wren', 3, 1795564800.0, 1795564800.0),
    ('20000004', 'ember_falcon_tv', '日本 ember_falcon', 4, 1795564800.0, 1795564800.0),
    ('20000005', 'fern_marten', 'Fern_Marten', 5, 1795564800.0, 1795564800.0),
    ('20000006', 'cedar_quail', 'Cedar_Quail', 6, 1795564800.0, 1795564800.0);
INSERT INTO logins VALUES
    (1, '20000000', 'amber_badger', 1795564800.0),
    (2, '20000001', 'birch_ibis', 1795564800.0),
    (3, '20000002', 'cedar_puffin', 1795564800.0),
    (4, '20000003', 'delta_wren', 1795564800.0),
    (5, '20000004', 'ember_falcon', 1795564800.0),
    (6, '20000005', 'fern_marten', 1795564800.0),
    (7, '20000006', 'cedar_quail', 1795564800.0),
    (8, '20000004', 'ember_falcon_tv', 1795596120.0);
INSERT INTO sessions VALUES
    ('40000000001', '20000001', 'birch_ibis', 'Birch_Ibis', 'live', 'first playthrough, no spoilers', 1795560114.0, 1795564800.0, NULL),
    ('40000000002', '20000002', 'cedar_puffin', 'Cedar_Puffin', 'live', 'new map, who dis', 1795565764.0, 1795565850.0, 1795579080.0),
    ('40000000003', '20000005', 'fern_marten', 'Fern_Marten', 'live', 'ranked until it hurts', 1795568546.0, 1795568580.0, 1795582230.0),
    ('40000000004', '20000004', 'ember_falcon', 'Ember_Falcon', 'live', 'building a keyboard', 1795585363.0, 1795585440.0, NULL);
INSERT INTO told VALUES
    ('20000001', '40000000001'),
    ('20000002', '40000000002'),
    ('20000005', '40000000003'),
    ('20000004', '40000000004');
INSERT INTO presence VALUES
    (1, '20000001', '40000000001', 1795564800.0, NULL, NULL),
    (2, '20000002', '40000000002', 1795565850.0, 1795579290.0, 'parted'),
    (3, '20000005', '40000000003', 1795568580.0, 1795582440.0, 'parted'),
    (4, '20000004', '40000000004', 1795585440.0, 1795597920.0, 'parted');
INSERT INTO events VALUES
    (1, 1795564800.0, 'started', NULL, '{}'),
    (2, 1795564800.0, 'signed_in', NULL, '{"login":"me"}'),
    (3, 1795564800.0, 'live', '20000001', '{"stream":"40000000001","started_at":1795560114.0}'),
    (4, 1795564800.0, 'connected', NULL, '{"conn":1}'),
    (5, 1795564800.0, 'present', '20000001', '{}'),
    (6, 1795565850.0, 'live', '20000002', '{"stream":"40000000002","started_at":1795565764.0}'),
    (7, 1795565850.0, 'present', '20000002', '{}'),
    (8, 1795568580.0, 'live', '20000005', '{"stream":"40000000003","started_at":1795568546.0}'),
    (9, 1795568580.0, 'present', '20000005', '{}'),
    (10, 1795569540.0, 'offline', '20000001', '{"stream":"40000000001"}'),
    (11, 1795569540.0, 'left', '20000001', '{"why":"parted"}'),
    (16, 1795579290.0, 'offline', '20000002', '{"stream":"40000000002"}'),
    (17, 1795579290.0, 'left', '20000002', '{"why":"parted"}'),
    (18, 1795582440.0, 'offline', '20000005', '{"stream":"40000000003"}'),
    (19, 1795582440.0, 'left', '20000005', '{"why":"parted"}'),
    (20, 1795585440.0, 'live', '20000004', '{"stream":"40000000004","started_at":1795585363.0}'),
    (21, 1795585440.0, 'present', '20000004', '{}'),
    (23, 1795597920.0, 'left', '20000004', '{"why":"parted"}'),
    (24, 1795597920.0, 'stopped', NULL, '{}');
INSERT INTO refusals VALUES
    ('20000002', 1795594320.0, 'banned', 'You are permanently banned from talking in cedar_puffin.', NULL, NULL, 1);
INSERT INTO attempts VALUES
    (1, 'join', 1795597890.0, 2),
    (2, 'login', 1795597889.0, 1);
INSERT INTO channel_state VALUES
    ('20000006', 'cedar_quail', 'Cedar_Quail', 0, 'absent', 'offline', 1795564800.0, NULL, NULL, NULL),
    ('20000003', 'delta_wren', 'Delta_Wren', 0, 'absent', 'offline', 1795564800.0, NULL, NULL, NULL),
    ('20000000', 'amber_badger', 'Amber_Badger', 0, 'absent', 'offline', 1795564800.0, NULL, NULL, NULL),
    ('20000001', 'birch_ibis', 'Birch_Ibis', 1, 'present', NULL, 1795597020.0, 1795596920.0, NULL, 'Prestige 4 🌊 휴'),
    ('20000002', 'cedar_puffin', 'Cedar_Puffin', 0, 'absent', 'offline', 1795579290.0, NULL, NULL, NULL),
    ('20000005', 'fern_marten', 'Fern_Marten', 0, 'absent', 'offline', 1795582440.0, NULL, NULL, NULL),
    ('20000004', 'ember_falcon', 'Ember_Falcon', 1, 'waiting', 'connecting', 1795597920.0, 1795585363.0, 0, 'building a keyboard');
INSERT INTO service_state VALUES
    ('warnings', '[]', 1795564800.0),
    ('account', '{"user_id":"1001","login":"me"}', 1795564800.0),
    ('chat', '{"connections":0,"wanted":1,"present":0,"waiting":1,"refused":0}', 1795597920.0),
    ('alive', '1795597920.0', 1795597920.0);
INSERT INTO requests VALUES
    (1, 1795597919.0, 'retry', 'cedar_puffin', NULL);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES
    ('logins', 8),
    ('presence', 4),
    ('events', 24),
    ('attempts', 2),
    ('requests', 1);
PRAGMA application_id = 1098141745;
PRAGMA user_version = 1;
COMMIT;
