-- What a service of schema 2 had written when its machine lost its power: an evening with seven channels.
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
, points INTEGER, rate_per_hour REAL, verdict TEXT NOT NULL DEFAULT 'unknown', causes TEXT NOT NULL DEFAULT '[]') STRICT;
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
, data TEXT NOT NULL DEFAULT '{}', key TEXT) STRICT;
CREATE INDEX requests_open ON requests (id) WHERE done_at IS NULL;
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
CREATE TABLE balances (
    channel TEXT PRIMARY KEY,
    points INTEGER NOT NULL,
    alltime INTEGER,
    rank INTEGER,
    watch_minutes INTEGER,
    seen_at REAL NOT NULL
) STRICT;
CREATE TABLE ledgers (
    no INTEGER PRIMARY KEY,
    channel TEXT NOT NULL UNIQUE,
    entries INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    earned INTEGER NOT NULL,
    folded INTEGER NOT NULL
) STRICT;
CREATE INDEX ledgers_by_folded ON ledgers (folded);
CREATE TABLE ledger (
    ledger INTEGER NOT NULL,
    at INTEGER NOT NULL,
    n INTEGER NOT NULL,
    delta INTEGER NOT NULL,
    points INTEGER NOT NULL,
    change INTEGER NOT NULL,
    PRIMARY KEY (ledger, at, n)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE prices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    item TEXT NOT NULL,
    at REAL NOT NULL,
    cost INTEGER NOT NULL
) STRICT;
CREATE INDEX prices_by_item ON prices (channel, item, id);
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
CREATE TABLE notes (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at REAL NOT NULL
) STRICT;
CREATE UNIQUE INDEX requests_by_key ON requests (key) WHERE key IS NOT NULL;
CREATE INDEX requests_done ON requests (done_at) WHERE done_at IS NOT NULL AND key IS NULL;
INSERT INTO migrations VALUES
    (1, 'channels, sessions, presence, events, refusals', 1795564800.0),
    (2, 'points, stores, redemptions', 1795564800.0);
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
    (12, 1795576821.0, 'wish_obtainable', '20000005', '{"item":"Shout-out","cost":540,"currency":"sparks","id":"b502af5abd2e442fb62d4352"}'),
    (13, 1795576821.5, 'redemption_sent', '20000005', '{"key":"demo-b502af5abd2e442fb62d4352","item":"Shout-out","cost":540,"currency":"sparks","reason":null,"text":"","auto":0}'),
    (14, 1795576821.5, 'redeemed', '20000005', '{"key":"demo-b502af5abd2e442fb62d4352","item":"Shout-out","cost":540,"currency":"sparks","reason":null,"text":"","auto":0}'),
    (15, 1795579200.0, 'sign_in_renewed', NULL, '{}'),
    (16, 1795579290.0, 'offline', '20000002', '{"stream":"40000000002"}'),
    (17, 1795579290.0, 'left', '20000002', '{"why":"parted"}'),
    (18, 1795582440.0, 'offline', '20000005', '{"stream":"40000000003"}'),
    (19, 1795582440.0, 'left', '20000005', '{"why":"parted"}'),
    (20, 1795585440.0, 'live', '20000004', '{"stream":"40000000004","started_at":1795585363.0}'),
    (21, 1795585440.0, 'present', '20000004', '{}'),
    (22, 1795593600.0, 'sign_in_renewed', NULL, '{}'),
    (23, 1795597920.0, 'left', '20000004', '{"why":"parted"}'),
    (24, 1795597920.0, 'stopped', NULL, '{}');
INSERT INTO refusals VALUES
    ('20000002', 1795594320.0, 'banned', 'You are permanently banned from talking in cedar_puffin.', NULL, NULL, 1);
INSERT INTO attempts VALUES
    (1, 'join', 1795597890.0, 2),
    (2, 'login', 1795597889.0, 1);
INSERT INTO channel_state VALUES
    ('20000006', 'cedar_quail', 'Cedar_Quail', 0, 'absent', 'offline', 1795564800.0, NULL, NULL, NULL, NULL, NULL, 'unknown', '["not_live"]'),
    ('20000003', 'delta_wren', 'Delta_Wren', 0, 'absent', 'offline', 1795564800.0, NULL, NULL, NULL, NULL, NULL, 'unknown', '["not_live"]'),
    ('20000000', 'amber_badger', 'Amber_Badger', 0, 'absent', 'offline', 1795564800.0, NULL, NULL, NULL, 255, NULL, 'unknown', '["not_live"]'),
    ('20000001', 'birch_ibis', 'Birch_Ibis', 1, 'present', NULL, 1795597020.0, 1795596920.0, NULL, 'Prestige 4 🌊 휴', 140, 28.4, 'unknown', '["not_live"]'),
    ('20000002', 'cedar_puffin', 'Cedar_Puffin', 0, 'absent', 'offline', 1795579290.0, NULL, NULL, NULL, 795, 30.0, 'unknown', '["not_live"]'),
    ('20000005', 'fern_marten', 'Fern_Marten', 0, 'absent', 'offline', 1795582440.0, NULL, NULL, NULL, 90, 60.0, 'unknown', '["not_live"]'),
    ('20000004', 'ember_falcon', 'Ember_Falcon', 1, 'waiting', 'connecting', 1795597920.0, 1795585363.0, 0, 'building a keyboard', 650, 30.0, 'unknown', '["not_confirmed"]');
INSERT INTO service_state VALUES
    ('warnings', '[]', 1795564800.0),
    ('account', '{"user_id":"1001","login":"me"}', 1795564800.0),
    ('wishes', '0', 1795576821.5),
    ('chat', '{"connections":0,"wanted":1,"present":0,"waiting":1,"refused":0}', 1795597920.0),
    ('helix', '{"remaining":799,"limit":800}', 1795597920.0),
    ('alive', '1795597920.0', 1795597920.0);
INSERT INTO requests VALUES
    (1, 1795597919.0, 'redeem', 'birch_ibis', NULL, '{"key":"c0de-asked","item":"6bbcbf0dfad7c777655d4732","cost":65,"answers":[],"message":"","dry":false}', 'c0de-asked');
INSERT INTO loyalty VALUES
    ('20000000', 'b3c7bde3d3ea10dc8271ef02', NULL, NULL, NULL, NULL, NULL, NULL, 1795564800.0),
    ('20000001', '7a931d8a2b1766d96827fc1a', 'points', 1, 5, 600.0, 2, '[]', 1795564803.0),
    ('20000002', '2fc17e8d677f36cc735c26dc', 'leaves', 1, 5, 600.0, 2, '[]', 1795565850.0),
    ('20000005', '088e682ce7ea956ad435649f', 'sparks', 1, 10, 600.0, 2, '[]', 1795568580.0),
    ('20000004', '0d81f7540e8545749e1b6228', 'shells', 1, 5, 600.0, 2, '[]', 1795585441.5);
INSERT INTO balances VALUES
    ('20000001', 140, 40, 41, 80, 1795569840.0),
    ('20000005', 90, 220, 41, 220, 1795597140.0),
    ('20000000', 255, 0, 41, 0, 1795597207.5),
    ('20000004', 650, 100, 27, 200, 1795597443.0),
    ('20000002', 795, 105, 24, 210, 1795597590.0);
INSERT INTO ledgers VALUES
    (1, '20000001', 9, 1795569840000, 40, 1795564800000),
    (2, '20000000', 1, 1795564807500, 0, 1795564800000),
    (3, '20000002', 22, 1795578912000, 105, 1795564800000),
    (4, '20000004', 21, 1795597443000, 100, 1795564800000),
    (5, '20000005', 24, 1795582221750, 220, 1795564800000);
INSERT INTO ledger VALUES
    (1, 1795564804500, 1, 0, 100, 3),
    (1, 1795565404500, 2, 5, 105, 0),
    (1, 1795566004500, 3, 5, 110, 0),
    (1, 1795566604500, 4, 5, 115, 0),
    (1, 1795567204500, 5, 5, 120, 0),
    (1, 1795567804500, 6, 5, 125, 0),
    (1, 1795568404500, 7, 5, 130, 0),
    (1, 1795569004500, 8, 5, 135, 0),
    (1, 1795569840000, 9, 5, 140, 0),
    (2, 1795564807500, 1, 0, 255, 3),
    (3, 1795564812000, 1, 0, 690, 3),
    (3, 1795566912000, 2, 5, 695, 0),
    (3, 1795567512000, 3, 5, 700, 0),
    (3, 1795568112000, 4, 5, 705, 0),
    (3, 1795568712000, 5, 5, 710, 0),
    (3, 1795569312000, 6, 5, 715, 0),
    (3, 1795569912000, 7, 5, 720, 0),
    (3, 1795570512000, 8, 5, 725, 0),
    (3, 1795571112000, 9, 5, 730, 0),
    (3, 1795571712000, 10, 5, 735, 0),
    (3, 1795572312000, 11, 5, 740, 0),
    (3, 1795572912000, 12, 5, 745, 0),
    (3, 1795573512000, 13, 5, 750, 0),
    (3, 1795574112000, 14, 5, 755, 0),
    (3, 1795574712000, 15, 5, 760, 0),
    (3, 1795575312000, 16, 5, 765, 0),
    (3, 1795575912000, 17, 5, 770, 0),
    (3, 1795576512000, 18, 5, 775, 0),
    (3, 1795577112000, 19, 5, 780, 0),
    (3, 1795577712000, 20, 5, 785, 0),
    (3, 1795578312000, 21, 5, 790, 0),
    (3, 1795578912000, 22, 5, 795, 0),
    (4, 1795564816500, 1, 0, 550, 3),
    (4, 1795586043000, 2, 5, 555, 0),
    (4, 1795586643000, 3, 5, 560, 0),
    (4, 1795587243000, 4, 5, 565, 0),
    (4, 1795587843000, 5, 5, 570, 0),
    (4, 1795588443000, 6, 5, 575, 0),
    (4, 1795589043000, 7, 5, 580, 0),
    (4, 1795589643000, 8, 5, 585, 0),
    (4, 1795590243000, 9, 5, 590, 0),
    (4, 1795590843000, 10, 5, 595, 0),
    (4, 1795591443000, 11, 5, 600, 0),
    (4, 1795592043000, 12, 5, 605, 0),
    (4, 1795592643000, 13, 5, 610, 0),
    (4, 1795593243000, 14, 5, 615, 0),
    (4, 1795593843000, 15, 5, 620, 0),
    (4, 1795594443000, 16, 5, 625, 0),
    (4, 1795595043000, 17, 5, 630, 0),
    (4, 1795595643000, 18, 5, 635, 0),
    (4, 1795596243000, 19, 5, 640, 0),
    (4, 1795596843000, 20, 5, 645, 0),
    (4, 1795597443000, 21, 5, 650, 0),
    (5, 1795564821000, 1, 0, 410, 3),
    (5, 1795569621000, 2, 10, 420, 0),
    (5, 1795570221000, 3, 10, 430, 0),
    (5, 1795570821000, 4, 10, 440, 0),
    (5, 1795571421000, 5, 10, 450, 0),
    (5, 1795572021000, 6, 10, 460, 0),
    (5, 1795572621000, 7, 10, 470, 0),
    (5, 1795573221000, 8, 10, 480, 0),
    (5, 1795573821000, 9, 10, 490, 0),
    (5, 1795574421000, 10, 10, 500, 0),
    (5, 1795575021000, 11, 10, 510, 0),
    (5, 1795575621000, 12, 10, 520, 0),
    (5, 1795576221000, 13, 10, 530, 0),
    (5, 1795576821000, 14, 10, 540, 0),
    (5, 1795576821750, 15, -540, 0, 2),
    (5, 1795577421750, 16, 10, 10, 0),
    (5, 1795578021750, 17, 10, 20, 0),
    (5, 1795578621750, 18, 10, 30, 0),
    (5, 1795579221750, 19, 10, 40, 0),
    (5, 1795579821750, 20, 10, 50, 0),
    (5, 1795580421750, 21, 10, 60, 0),
    (5, 1795581021750, 22, 10, 70, 0),
    (5, 1795581621750, 23, 10, 80, 0),
    (5, 1795582221750, 24, 10, 90, 0);
INSERT INTO items VALUES
    ('20000000', '6bbcbf0dfad7c777655d4732', 'Airhorn', 65, 'Loud. Once a minute at most.', 'effect', NULL, 0.0, 60.0, 0, 1, '[]', 0, '["bot","website"]', 0, 1795564806.0, 1795564806.0, NULL),
    ('20000000', '8a164adae7155bb432a12cfc', 'Play a round with me', 3020, '', 'perk', 2, 0.0, 0.0, 0, 1, '["Your name in the game"]', 0, '["bot","website"]', 2, 1795564806.0, 1795564806.0, NULL),
    ('20000000', '9266a7924ea8a49c828c1236', 'Shout-out', 345, '', 'perk', NULL, 3600.0, 0.0, 0, 1, '[]', 1, '["bot","website"]', 1, 1795564806.0, 1795564806.0, NULL),
    ('20000002', '4aac74839a066d9d35e4075b', 'A song of your choice', 905, '', 'perk', NULL, 0.0, 300.0, 0, 1, '["Title and artist"]', 1, '["bot","website"]', 1, 1795564810.5, 1795564810.5, NULL),
    ('20000002', '515995f9835dbd4d7f437948', 'Signed postcard', 4760, 'Anywhere in the world.', 'perk', 10, 0.0, 0.0, 0, 1, '["Where to?"]', 0, '["bot","website"]', 2, 1795564810.5, 1795564810.5, NULL),
    ('20000002', 'dd3eb051f828bd888e0e520e', 'Posture check', 170, '', 'perk', NULL, 600.0, 0.0, 0, 1, '[]', 0, '["bot","website"]', 0, 1795564810.5, 1795564810.5, NULL),
    ('20000004', '64a6500404da66e5149f7700', 'Play a round with me', 4200, '', 'perk', 2, 0.0, 0.0, 0, 1, '["Your name in the game"]', 0, '["bot","website"]', 2, 1795564815.0, 1795564815.0, NULL),
    ('20000004', '8b39dd808643118bf7e35eba', 'Pick the next map 🗺', 685, '', 'perk', 5, 600.0, 0.0, 0, 1, '["Which map?"]', 1, '["bot","website"]', 1, 1795564815.0, 1795564815.0, NULL),
    ('20000004', 'e4bd21f462aeae10b4631714', 'Airhorn', 140, 'Loud. Once a minute at most.', 'effect', NULL, 0.0, 60.0, 0, 1, '[]', 0, '["bot","website"]', 0, 1795564815.0, 1795564815.0, NULL),
    ('20000005', '074c0668ce9bb475fb6e14f6', 'Hydrate!', 100, 'A sip of water, on camera.', 'perk', NULL, 300.0, 0.0, 0, 1, '[]', 0, '["bot","website"]', 0, 1795564819.5, 1795564819.5, NULL),
    ('20000005', '2d41ab24ee4ac8c60a26142f', 'Game key', 655, 'A surprise from my library.', 'code', 4, 0.0, 0.0, 0, 1, '[]', 0, '["website"]', 3, 1795564819.5, 1795564819.5, NULL),
    ('20000005', '738ab99f8edb77932860d1ab', 'Choose the hair colour', 3640, '', 'perk', 1, 0.0, 0.0, 0, 1, '[]', 0, '["bot","website"]', 2, 1795564819.5, 1795564819.5, NULL),
    ('20000005', 'b502af5abd2e442fb62d4352', 'Shout-out', 540, '', 'perk', NULL, 3600.0, 0.0, 0, 1, '[]', 1, '["bot","website"]', 1, 1795564819.5, 1795564819.5, NULL);
INSERT INTO prices VALUES
    (1, '20000000', '6bbcbf0dfad7c777655d4732', 1795564806.0, 65),
    (2, '20000000', '9266a7924ea8a49c828c1236', 1795564806.0, 345),
    (3, '20000000', '8a164adae7155bb432a12cfc', 1795564806.0, 3020),
    (4, '20000002', 'dd3eb051f828bd888e0e520e', 1795564810.5, 170),
    (5, '20000002', '4aac74839a066d9d35e4075b', 1795564810.5, 905),
    (6, '20000002', '515995f9835dbd4d7f437948', 1795564810.5, 4760),
    (7, '20000004', 'e4bd21f462aeae10b4631714', 1795564815.0, 140),
    (8, '20000004', '8b39dd808643118bf7e35eba', 1795564815.0, 685),
    (9, '20000004', '64a6500404da66e5149f7700', 1795564815.0, 4200),
    (10, '20000005', '074c0668ce9bb475fb6e14f6', 1795564819.5, 100),
    (11, '20000005', 'b502af5abd2e442fb62d4352', 1795564819.5, 540),
    (12, '20000005', '738ab99f8edb77932860d1ab', 1795564819.5, 3640),
    (13, '20000005', '2d41ab24ee4ac8c60a26142f', 1795564819.5, 655);
INSERT INTO redemptions VALUES
    (1, 'demo-b502af5abd2e442fb62d4352', '20000005', 'fern_marten', 'b502af5abd2e442fb62d4352', 540, 1795576821.0, 'accepted', '088e682ce7ea956ad435649f', 'Shout-out', '[]', '', 0, 0, 1795576821.5, 1795576821.5, '[]', 540, '1ea4f3a568c1224cbec92a0e', NULL, NULL, '', 1795576821.5),
    (2, '7d0c-sent', '20000000', 'amber_badger', '6bbcbf0dfad7c777655d4732', 65, 1795597900.0, 'sent', '5f0c1d2e3f4a5b6c7d8e9f01', 'Airhorn', '[]', '', 0, 0, 1795597902.0, NULL, '[]', NULL, NULL, NULL, NULL, '', 1795597900.0),
    (3, '91ab-confirmed', '20000000', 'amber_badger', '6bbcbf0dfad7c777655d4732', 65, 1795597918.0, 'confirmed', '5f0c1d2e3f4a5b6c7d8e9f01', 'Airhorn', '[]', '', 0, 0, NULL, NULL, '[]', NULL, NULL, NULL, NULL, '', 1795597918.0),
    (4, '33f0-code', '20000000', 'amber_badger', '6bbcbf0dfad7c777655d4732', 65, 1795590920.0, 'accepted', '5f0c1d2e3f4a5b6c7d8e9f01', 'Airhorn', '["Dust"]', '', 0, 0, 1795590921.0, 1795590922.0, '[]', 5000, '64b0c1d2e3f4a5b6c7d8e9f9', 'AAAA-BBBB-CCCC', NULL, '', 1795590922.0);
INSERT INTO notes VALUES
    ('wish:20000000:Shout-out', '345 0 - 0 0 0', 1795564807.5),
    ('wish:20000002:A song of your choice', '905 0 - 0 0 0', 1795564812.0),
    ('wish:20000004:Pick the next map 🗺', '685 0 - 0 0 0', 1795564816.5),
    ('wish:20000005:Shout-out', '540 0 - 0 1795576821 0', 1795576821.75),
    ('items:20000000', '1795597206.000', 1795597206.0),
    ('items:20000002', '1795597210.500', 1795597210.5),
    ('items:20000004', '1795597215.000', 1795597215.0),
    ('items:20000005', '1795597523.250', 1795597523.25),
    ('auto_allowed', 'yes', 1795592920.0);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES
    ('logins', 8),
    ('presence', 4),
    ('events', 24),
    ('prices', 13),
    ('redemptions', 4),
    ('attempts', 2),
    ('requests', 1);
PRAGMA application_id = 1098141745;
PRAGMA user_version = 2;
COMMIT;
