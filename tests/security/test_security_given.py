"""Files that come from elsewhere: a config, another program's file, a backup."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from hostile_texts import STEERING
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.base.errors import AllThePointsError, ConfigError
from allthepoints.base.types import Login, UserId
from allthepoints.cli.app import main
from allthepoints.config.foreign import MOST_BYTES, read_foreign
from allthepoints.config.importing import carried_out, prepared
from allthepoints.config.load import load, parse
from allthepoints.core import records as r
from allthepoints.core.model import ChannelRef
from allthepoints.storage.backup import back_up, look_into, restore
from allthepoints.storage.database import Database
from allthepoints.storage.migrations import LATEST

T0 = 1_700_000_000.0


# -- a config ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("key", "url", "owner"),
    [
        ("oauth", "https://id.twitch.tv.evil.example/oauth2", "twitch.tv"),
        ("helix", "https://eviltwitch.tv/helix", "twitch.tv"),
        ("irc", "ircs://irc.evil.example:6697", "twitch.tv"),
        ("streamelements", "https://api.streamelements.com.evil.example/kappa/v2", "streamelements.com"),
    ],
)
def test_a_config_that_would_send_the_sign_in_elsewhere_says_so(key: str, url: str, owner: str) -> None:
    (warning,) = parse(f'[endpoints]\n{key} = "{url}"\n', "config.toml").warnings
    assert warning.startswith(f"endpoints.{key}: ")
    assert f"is not of {owner}, and is sent your sign-in" in warning


def test_the_endpoints_that_are_known_say_nothing() -> None:
    assert (
        parse('[endpoints]\nhelix = "http://127.0.0.1:1/helix"\nirc = "ircs://irc.chat.twitch.tv"', "c").warnings == ()
    )


@pytest.mark.parametrize("key", ["oauth", "helix", "irc", "streamelements"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "0.0.0.0", "2130706433", "localhost.evil"])
def test_no_config_sends_a_token_in_clear(key: str, host: str) -> None:
    plain = "irc" if key == "irc" else "http"
    with pytest.raises(ConfigError, match="in clear"):
        parse(f'[endpoints]\n{key} = "{plain}://{host}"\n', "c")


@pytest.mark.parametrize(
    "text",
    [
        '"\\u001b]0;x\\u0007" = 1',
        '["\\u001b[2J"]\nx = 1',
        '[channels]\ninclude = ["\\u001b[2J\\u202e"]',
        '[poll]\nlive = "\\u009b31m"',
        '[endpoints]\nhelix = "https://\\u001b[2J"',
        '[notify]\nurls = ["\\u001b[2J"]',
        "a = " + "[" * 100_000,
        "a" + ".a" * 50_000 + " = 1",
        "x = " + "9" * 5000,
    ],
)
def test_a_config_that_means_harm_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    assert main(["--config", str(path), "--data-dir", str(tmp_path / "data"), "config", "check"]) in {0, 2}
    said = capsys.readouterr()
    assert not STEERING.search(said.err)
    assert "mistake of the program" not in said.err


# -- another program's file --------------------------------------------------------------------------------------------
EVIL_IMPORT = """{
  "channels": ["alpha"], "client_id": "abc123",
  "endpoints": {"oauth": "https://evil.example"}, "oauth": "https://evil.example", "helix": "https://evil.example",
  "dashboard": {"listen": "0.0.0.0:7771"}, "listen": "0.0.0.0:7771", "notify": {"urls": ["json://evil.example"]},
  "urls": ["json://evil.example"], "wish": [{"channel": "alpha", "item": "x", "auto": true, "max_cost": 999999}],
  "proxy": "http://evil.example", "data_dir": "/etc", "oauth_token": "oauth:canary", "include": ["beta"]
}"""


def test_an_import_brings_names_and_nothing_that_acts(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    carried_out(prepared(read_foreign(EVIL_IMPORT.encode(), "config.json"), path), path)
    text = path.read_text("utf-8")
    settings, before = load(path).settings, parse("", "c").settings
    assert settings.channels.include == (Login("alpha"),)
    for part in ("endpoints", "dashboard", "notify", "wish"):
        assert getattr(settings, part) == getattr(before, part), part
    assert "evil" not in text
    assert "canary" not in text


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"channels":' * 20_000,
        b"x" * (MOST_BYTES + 1),
        b"\x00" * 100,
        b'["' + b"a" * 100_000 + b'"]',
        b'["' + b'","'.join(b"c%d" % n for n in range(20_000)) + b'"]',
        b'{"\\u001b]0;x\\u0007": 1, "channels": ["\\u001b[2J"]}',
        b'["alpha\\"]\\n[endpoints]\\noauth = \\"https://evil.example"]',
        b"alpha\n[endpoints]\noauth = 'https://evil.example'\n",
    ],
)
def test_an_import_that_means_harm_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    file, path = tmp_path / "theirs.json", tmp_path / "config.toml"
    file.write_bytes(data)
    assert main(["--config", str(path), "config", "import", str(file)]) == 2
    said = capsys.readouterr()
    assert not STEERING.search(said.err)
    assert "mistake of the program" not in said.err
    assert not path.exists()


@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_whatever_is_imported_only_names_come_in(data: bytes) -> None:
    try:
        found = read_foreign(data, "x")
    except ConfigError:
        return
    assert all(login.isascii() and login.replace("_", "a").isalnum() for _, login in found.logins)


# -- a backup ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The database that is there."""
    data = tmp_path / "data"
    data.mkdir()
    path = data / "allthepoints.db"
    database = Database(path, T0)
    database.record([r.ChannelKnown(T0, ChannelRef(UserId("1"), Login("alpha"), "Alpha"), 0)], T0)
    database.close()
    return path


REDEEM = "INSERT INTO requests (at, kind, login, data) VALUES (9e9, 'redeem', 'alpha', '{}')"


def run(sql: str) -> Callable[[apsw.Connection], None]:
    return lambda db: [db.execute(part).fetchall() for part in sql.split(";;")] and None


def dressed(db: apsw.Connection) -> None:
    """A trigger that calls itself SQLite's own."""
    db.execute(f"CREATE TRIGGER x AFTER INSERT ON events BEGIN {REDEEM}; END")
    db.execute("PRAGMA writable_schema = ON")
    db.execute("UPDATE sqlite_schema SET name = 'sqlite_stat1' WHERE name = 'x'")


def malformed(db: apsw.Connection) -> None:
    db.execute("PRAGMA writable_schema = ON")
    db.execute("UPDATE sqlite_schema SET sql = 'CREATE TABLE nonsense(' WHERE name = 'events'")


EVIL_SCHEMAS: dict[str, Callable[[apsw.Connection], None]] = {
    "a trigger on what the service writes": run(f"CREATE TRIGGER x AFTER INSERT ON events BEGIN {REDEEM}; END"),
    "a trigger on what the restore does": run(f"CREATE TRIGGER x AFTER UPDATE ON requests BEGIN {REDEEM}; END"),
    "a trigger that allows wishes again": run(
        "CREATE TRIGGER x AFTER DELETE ON notes BEGIN INSERT INTO notes VALUES ('auto_allowed', '1', 1); END"
    ),
    "a trigger in disguise": dressed,
    "a view for a table": run(f"DROP TABLE requests;;CREATE VIEW requests AS SELECT 1 id, 9e9 at, 'redeem' kind"),  # noqa: F541
    "a view without end": run(
        "DROP TABLE events;;CREATE VIEW events AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT i AS id, 1.0 AS at, 'x' AS kind, NULL AS channel, '{}' AS data FROM n"
    ),
    "a table of another kind": run("CREATE VIRTUAL TABLE x USING fts5(a)"),
    "a default that calls": run("ALTER TABLE events ADD COLUMN x TEXT DEFAULT (randomblob(100000000))"),
    "a column that is made anew": run("ALTER TABLE events ADD COLUMN x TEXT AS (hex(zeroblob(100000000))) VIRTUAL"),
    "a table less": run("DROP TABLE refusals"),
    "a column less": run("ALTER TABLE refusals DROP COLUMN tries"),
    "a table without its types": run(
        "DROP TABLE notes;;CREATE TABLE notes (key TEXT PRIMARY KEY, value TEXT NOT NULL, at REAL NOT NULL)"
    ),
    "an index that calls": run("CREATE INDEX x ON events (hex(data))"),
    "a schema that is none": malformed,
    "a version that is not its own": run("PRAGMA user_version = 1"),
    "a version below all": run("PRAGMA user_version = -1"),
    "no version": run("PRAGMA user_version = 0"),
}


@pytest.mark.parametrize("name", EVIL_SCHEMAS)
def test_a_restored_file_brings_nothing_that_acts_by_itself(tmp_path: Path, home: Path, name: str) -> None:
    file = tmp_path / "backup.db"
    back_up(home, file, ())
    db = apsw.Connection(str(file))
    db.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
    EVIL_SCHEMAS[name](db)
    db.close()
    before, names = home.read_bytes(), sorted(os.listdir(home.parent))
    with pytest.raises(AllThePointsError) as told:
        restore(file, home, T0)
    assert not STEERING.search(str(told.value))
    with pytest.raises(AllThePointsError):
        look_into(file)
    assert home.read_bytes() == before
    assert sorted(os.listdir(home.parent)) == names


def test_a_file_that_is_another_one_when_it_is_copied_is_refused_too(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may write where it lies swaps it between the look and the copy."""
    file = tmp_path / "backup.db"
    back_up(home, file, ())
    content = look_into(file)
    db = apsw.Connection(str(file))
    db.execute(f"CREATE TRIGGER x AFTER INSERT ON events BEGIN {REDEEM}; END")
    db.close()
    monkeypatch.setattr("allthepoints.storage.backup.look_into", lambda _: content)
    before = home.read_bytes()
    with pytest.raises(AllThePointsError, match="not as allthepoints makes it"):
        restore(file, home, T0)
    assert home.read_bytes() == before


EVIL_VALUES = {
    "an account that is none": "INSERT INTO service_state VALUES ('account', '{', 1)",
    "an account of nonsense": "INSERT INTO service_state VALUES ('account', '[[[', 1)",
    "a redemption in no state": "UPDATE redemptions SET state = 'paid twice'",
    "answers that are none": "UPDATE redemptions SET answers = '{'",
    "a reason that is none": "UPDATE redemptions SET reason = 'x'",
}


@pytest.mark.parametrize("name", EVIL_VALUES)
def test_values_that_nobody_understands_change_nothing_and_stop_no_service(
    tmp_path: Path, home: Path, name: str
) -> None:
    from allthepoints.base.types import ItemId
    from allthepoints.core.redeem import Redemption, State

    database = Database(home, T0)
    for state in (State.UNKNOWN, State.ACCEPTED):
        one = Redemption(state.value * 4, UserId("1"), Login("alpha"), ItemId("a" * 24), 5, T0, state=state, sent_at=T0)
        database.record([r.RedemptionKept(T0, one)], T0)
    database.close()
    file = tmp_path / "backup.db"
    back_up(home, file, ())
    db = apsw.Connection(str(file))
    db.execute(EVIL_VALUES[name])
    db.close()
    before = home.read_bytes()
    try:
        restore(file, home, T0)
    except AllThePointsError:
        assert home.read_bytes() == before
    else:
        opened = Database(home, T0)
        opened.load()
        opened.close()


def test_our_own_backups_of_every_age_are_still_taken(tmp_path: Path, home: Path) -> None:
    import sys

    sys.path.insert(0, str(Path(__file__).parents[1] / "storage"))
    from old_files import VERSIONS, old_file

    for version in VERSIONS:
        restore(old_file(tmp_path / f"v{version}.db", version), home, T0)
        database = Database(home, T0)
        database.load()
        database.close()
        restore(home, tmp_path / "again.db", T0)
    db = apsw.Connection(str(home))
    db.execute("ANALYZE")
    assert db.execute("PRAGMA user_version").get == LATEST
    db.close()
    restore(home, tmp_path / "analysed.db", T0)
    assert os.path.exists(tmp_path / "analysed.db")
