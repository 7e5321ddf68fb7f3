"""What a config file may say, and what it is told when it does not."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allthepoints.base.errors import ConfigError
from allthepoints.config.load import Loaded, load, parse
from allthepoints.config.policy import alert_policy
from allthepoints.config.settings import KEYS, SECTIONS, Settings
from allthepoints.config.show import to_plain, to_toml
from allthepoints.core.alerts import AlertPolicy
from allthepoints.core.hours import Hours
from allthepoints.core.news import Kind

LOCAL = '[endpoints]\nhelix = "http://127.0.0.1:8000/helix"\nirc = "irc://localhost:6667"\n'

CONTRACT = """
[twitch]
client_id = "abc123"

[channels]
followed  = false
include   = ["#Alpha", " beta ", "https://www.twitch.tv/Gamma", "ALPHA"]
exclude   = ["delta"]
priority  = ["@beta"]
max_rooms = 80
paused    = ["gamma"]

[poll]
live = "20s"
offline_after = "1m30s"
follows = "2h"
balance = "5m"
store = "15m"

[chat]
read_tick = "25ms"
forced_part_is_ban = false

[endpoints]
irc = "ircs://irc.chat.twitch.tv:6697"
helix = "https://api.twitch.tv/helix/"
streamelements = "http://[::1]:9/kappa/v2"

[dashboard]
listen = ""

[notify]
urls = ["https://hooks.example/T0"]
events = ["live"]
quiet_hours = "23:00-07:30"

[[wish]]
channel = "#Alpha"
item = "Sub Giveaway 🌊"

[[wish]]
channel = "beta"
item = "x"
auto = true
"""


def problem(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text, "config.toml")
    return caught.value


def test_everything_of_the_contract() -> None:
    got = parse(CONTRACT, "config.toml").settings
    assert got.twitch.client_id == "abc123"
    assert got.channels.followed is False
    assert got.channels.max_rooms == 80
    assert (got.poll.live, got.poll.offline_after, got.poll.follows) == (20.0, 90.0, 7200.0)
    assert got.chat.read_tick == 0.025
    assert got.endpoints.helix == "https://api.twitch.tv/helix"
    assert got.endpoints.oauth == "https://id.twitch.tv/oauth2"
    assert got.dashboard.listen == ""
    assert [wish.auto for wish in got.wish] == [False, True]


def test_nothing_is_the_defaults() -> None:
    assert parse("", "config.toml") == Loaded(Settings())


def test_fc_07_names_are_normalised_and_joined_once() -> None:
    channels = parse(CONTRACT, "config.toml").settings.channels
    assert channels.include == ("alpha", "beta", "gamma")
    assert channels.priority == ("beta",)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ('"アルファ"', "display name"),
        ('"a b"', "only a-z, 0-9 and _"),
        ('""', "empty"),
        ('"https://example.org/alpha"', "not of a Twitch channel"),
        ('"abcdefghijklmnopqrstuvwxyz"', "at most 25"),
        ("5", "expected a channel's name, found 5"),
    ],
)
def test_fc_07_what_is_not_a_login_is_named_with_the_reason(entry: str, reason: str) -> None:
    error = problem(f'[channels]\ninclude = [\n  "ok",\n  {entry},\n]\n')
    assert str(error).startswith("config.toml:4: channels.include: ")
    assert reason in str(error)


def test_fc_07_all_that_are_no_logins_are_named_each_with_its_line() -> None:
    error = problem('[channels]\ninclude = [\n  "a b",\n  "ok",\n  "アルファ", 5,\n]\nexclude = [""]\n')
    lines = str(error).splitlines()
    assert [line.partition(": ")[0] for line in lines] == [f"config.toml:{at}" for at in (3, 5, 5, 7)]
    for line, reason in zip(lines, ("only a-z", "display name", "found 5", "empty"), strict=True):
        assert reason in line


def test_fc_11_more_than_100_rooms_is_a_warning() -> None:
    loaded = parse("[channels]\nmax_rooms = 500\n", "config.toml")
    assert loaded.settings.channels.max_rooms == 100
    assert loaded.warnings == (
        "config.toml:2: channels.max_rooms: 500 is more than 100 (Twitch lets an account be in 100 rooms); 100 is used",
    )


@pytest.mark.parametrize("rooms", ["0", "-1", '"90"', "true", "90.0"])
def test_fc_11_no_room_at_all_is_an_error(rooms: str) -> None:
    error = problem(f"[channels]\nmax_rooms = {rooms}\n")
    assert str(error).startswith("config.toml:2: channels.max_rooms: expected a whole number from 1 to 100, found ")


ERRORS = [
    ("[channels]\nmax_room = 5\n", "config.toml:2: channels.max_room: unknown key; did you mean max_rooms?", ""),
    ("[chanels]\n", "config.toml:1: chanels: unknown section; did you mean [channels]?", ""),
    ("max_rooms = 5\n", "config.toml:1: max_rooms: unknown key; max_rooms belongs under [channels]", ""),
    ("[poll]\nmax_rooms = 5\n", "config.toml:2: poll.max_rooms: unknown key; max_rooms belongs under [channels]", ""),
    (
        "[poll]\nzzz = 5\n",
        "config.toml:2: poll.zzz: unknown key",
        "[poll] has: live, offline_after, follows, balance, store.",
    ),
    (
        '[poll]\nlive = "0s"\n',
        'config.toml:2: poll.live: expected a duration from "15s" to "10m", found "0s"',
        "The lowest value is politeness towards the host of endpoints.helix.",
    ),
    (
        LOCAL + '[poll]\nlive = "0s"\n',
        'config.toml:5: poll.live: expected a duration from "15s" to "10m", found "0s"',
        "The lowest value is politeness towards the host of endpoints.helix.",
    ),
    (
        "[poll]\n\nlive = 30\n",
        'config.toml:3: poll.live: expected a duration from "15s" to "10m", found 30',
        'A bare number has no unit: write "30s".',
    ),
    (
        '[poll]\nlive = "half"\n',
        'config.toml:2: poll.live: expected a duration from "15s" to "10m", found "half"',
        'Write "250ms", "30s", "10m", "1h" or "1h30m".',
    ),
    (
        '[poll]\nlive = "14s"\n',
        'config.toml:2: poll.live: expected a duration from "15s" to "10m", found "14s"',
        "The lowest value is politeness towards the host of endpoints.helix.",
    ),
    ('[poll]\nlive = "1d"\n', 'config.toml:2: poll.live: expected a duration from "15s" to "10m", found "1d"', ""),
    ("channels = 5\n", "config.toml:1: channels: expected a table [channels], found 5", ""),
    ("[wish]\n", "config.toml:1: wish: expected tables, each under [[wish]], found a table", ""),
    (
        '[[wish]]\nchannel="a"\nitem="b"\n[[wish]]\nchannel="a"\n',
        "config.toml:4: wish[2]: item is missing: the name or id of an item",
        "",
    ),
    ("[channels]\nfollowed = 1\n", "config.toml:2: channels.followed: expected true or false, found 1", ""),
    (
        '[notify]\nevents = ["live", "afordable"]\n',
        'config.toml:2: notify.events: "afordable" is none of them',
        'Did you mean "affordable"?',
    ),
    (
        '[notify]\nevents = [\n  "live",\n  "moon",\n]\n',
        'config.toml:4: notify.events: "moon" is none of them',
        "There are: live, affordable, cheaper, back, redeemed, flat, refused, sign_in_needed, jwt_expiring, trouble, "
        "digest.",
    ),
    (
        '[notify]\nquiet_hours = "08:00-08:00"\n',
        'config.toml:2: notify.quiet_hours: expected hours such as "23:00-07:30"',
        "",
    ),
    (
        '[notify]\nquiet_hours = "late"\n',
        'config.toml:2: notify.quiet_hours: expected hours such as "23:00-07:30"',
        "",
    ),
]


@pytest.mark.parametrize(("text", "expected", "cure"), ERRORS)
def test_fc_37_errors_name_line_key_and_cure(text: str, expected: str, cure: str) -> None:
    error = problem(text)
    assert (str(error), error.hint) == (expected, cure)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("[poll]\nlive = \n", "config.toml:2: this is not TOML: "),
        ('[channels]\ninclude = ["a"\n', "config.toml:2: this is not TOML: unclosed array"),
        ("a = 1\na = 2\n", "config.toml:2: this is not TOML: cannot overwrite a value"),
        ("[poll\n", "config.toml:1: this is not TOML: "),
        ("a = " + "[" * 5000, "config.toml: this is nested too deeply"),
        ("a = " + "9" * 5000, "config.toml:1: this is not TOML: "),
        ("a = 2026-13-45\n", "config.toml:1: this is not TOML: "),
    ],
)
def test_fc_37_syntax_errors_name_the_line(text: str, start: str) -> None:
    assert str(problem(text)).startswith(start)


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    error = problem('[channels]\nmax_rooms = 0\n\n[endpoints]\nirc = "irc://example.org"\n\n[pol]\n')
    assert [line.split(": ")[1] for line in str(error).splitlines()] == [
        "channels.max_rooms",
        "endpoints.irc",
        "pol",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "channels.max_room = 5",
        "channels = { max_room = 5 }",
        "[ channels ]\n'max_room' = 5",
        '[channels]\n"max_room"=5',
        '# max_room = 1\nx.y = """\nmax_room = 2\n"""\n[channels]\ninclude = [ # max_room\n"max_room"]\nmax_room = 5',
    ],
)
def test_the_line_is_found_however_the_key_is_written(text: str) -> None:
    wanted = text.count("\n") + 1
    assert f"config.toml:{wanted}: channels.max_room: unknown key" in str(problem(text))


def test_lowest_values_do_not_bind_on_this_machine() -> None:
    text = LOCAL + '[poll]\nlive = "500ms"\nfollows = "1s"\n[chat]\nidle_ping = "1s"\n'
    assert parse(text, "config.toml").settings.poll.live == 0.5
    error = problem(LOCAL + '[poll]\nbalance = "1s"\n')
    assert "poll.balance" in str(error)
    assert "endpoints.streamelements" in error.hint


@pytest.mark.parametrize(
    ("key", "url", "reason"),
    [
        ("irc", "irc://irc.chat.twitch.tv", "in clear"),
        ("irc", "irc://localhost.example.org", "in clear"),
        ("irc", "https://irc.chat.twitch.tv", "must begin with ircs://"),
        ("irc", "ircs://", "names no host"),
        ("irc", "ircs://host:6697/room", "path"),
        ("irc", "ircs://host:99999", "no sense"),
        ("irc", "ircs://me:S3CRET@host", "user name"),
        ("helix", "http://10.0.0.1/helix", "in clear"),
        ("helix", "http://127.0.0.1.example.org/", "in clear"),
        ("helix", "http://127.1/", "in clear"),
        ("helix", "http://[::ffff:127.0.0.1]/", "in clear"),
        ("helix", "https://x/?token=S3CRET", "query"),
        ("helix", "https://x/#S3CRET", "fragment"),
        ("helix", "https://S3CRET@x/", "user name"),
        ("helix", "ftp://x/", "must begin with https://"),
        ("oauth", "https://[::1", "no sense"),
        ("oauth", "https://a b/", "space"),
        ("oauth", "", "must begin with"),
    ],
)
def test_endpoints_that_are_refused(key: str, url: str, reason: str) -> None:
    error = problem(f'[endpoints]\n{key} = "{url}"\n')
    assert reason in str(error)
    assert "S3CRET" not in str(error) + error.hint


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x", "http://127.9.9.9", "http://[::1]:80", "http://LOCALHOST:8080/a", "https://any/"]
)
def test_endpoints_that_are_taken(url: str) -> None:
    parse(f'[endpoints]\nhelix = "{url}"\n', "config.toml")


@pytest.mark.parametrize("listen", [":7771", "127.0.0.1", "127.0.0.1:x", "::1:7771", "127.0.0.1:99999", "a..b:80"])
def test_where_the_dashboard_cannot_listen(listen: str) -> None:
    assert "dashboard.listen" in str(problem(f'[dashboard]\nlisten = "{listen}"\n'))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('hosts = ["Points.Example.ORG."]', ("points.example.org",)),
        ('hosts = ["[fd00::1]", "nas"]', ("[fd00::1]", "nas")),
        ('hosts = ["https://points.example.org"]', None),
        ('hosts = ["points.example.org:443"]', None),
        ('hosts = ["*"]', None),
        ('hosts = "nas"', None),
        ('base_path = "/points/"', "/points"),
        ('base_path = "/"', ""),
        ('base_path = "points"', None),
        ('base_path = "/a/../b"', None),
        ('base_path = "//evil.example"', None),
        ('base_path = "/a?b"', None),
    ],
)
def test_the_dashboard_behind_a_proxy(line: str, expected: object) -> None:
    text = f"[dashboard]\n{line}\n"
    if expected is None:
        assert "dashboard." in str(problem(text))
    else:
        assert getattr(parse(text, "t").settings.dashboard, line.partition(" ")[0]) == expected


@pytest.mark.parametrize(
    "text",
    [
        '[twitch]\nclient_secret = "S3CRET"',
        '[twitch]\noauth_token = "S3CRET"',
        '[twitch]\nclient_id = "oauth:S3CRET"',
        'token = "S3CRET"',
        '[auth]\nname = "x"\n[auth.chat]\npassword = "S3CRET"',
        '[streamelements]\njwt = "S3CRET"',
        '[[account]]\naccess_token = "S3CRET"',
        '[channels]\ninclude = ["oauth:S3CRET"]',
        '[channels]\ninclude = "oauth:S3CRET"',
        '[dashboard]\npassword = "S3CRET"',
        '[poll]\nlive = "eyJS3CRET.x"',
        '[[wish]]\nchannel = "a"\nitem = "eyJS3CRET.x"',
        '[notify]\nurls = ["https://hooks/S3CRET", 5]',
        '[notify]\nurls = "https://hooks/S3CRET"',
    ],
)
def test_a_secret_in_the_config_is_refused_and_never_repeated(text: str) -> None:
    error = problem(text)
    assert "S3CRET" not in str(error) + error.hint
    if "notify" not in text and "client_id" not in text and "live" not in text and '= "oauth' not in text:
        assert "ALLTHEPOINTS_TWITCH_TOKEN" in error.hint


def test_addresses_of_notifiers_are_secrets() -> None:
    loaded = parse(CONTRACT, "config.toml")
    everything = repr(loaded) + to_toml(loaded.settings) + repr(to_plain(loaded.settings))
    assert "T0" not in everything
    assert loaded.settings.notify.urls[0].reveal() == "https://hooks.example/T0"


def test_contradictions_are_warnings() -> None:
    text = '[channels]\ninclude = ["a"]\nexclude = ["a"]\n'
    assert parse(text, "x").warnings == ("channels.include: a is also in channels.exclude, which wins",)
    assert "nothing is wanted" in parse("[channels]\nfollowed = false\n", "x").warnings[0]
    assert parse(CONTRACT, "x").warnings == (
        "wish[2]: auto needs max_cost, so that a raised price is not paid unseen; it is told, and not bought",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", AlertPolicy()),
        ('events = ["live", "LIVE", " digest "]', AlertPolicy(frozenset({Kind.LIVE, Kind.DIGEST}))),
        ('quiet_hours = "23:00-07:30"', AlertPolicy(quiet=Hours(1380, 450))),
        ('digest = "08:05"', AlertPolicy(digest=485)),
        ('quiet_hours = ""\ndigest = ""\nevents = []', AlertPolicy()),
    ],
)
def test_what_is_to_be_told(text: str, expected: AlertPolicy) -> None:
    assert alert_policy(parse(f"[notify]\n{text}\n", "x").settings) == expected


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ('digest = "08:00"', "notify: nothing is sent while urls is empty"),
        ('urls = ["a://b"]\nquiet_hours = "23:00-07:30"', None),
        (
            'urls = ["a://b"]\ndigest = "08:00"\nevents = ["live"]',
            'notify.digest: no digest is sent: events does not name "digest"',
        ),
        ('urls = ["a://b"]\ndigest = "08:00"', None),
    ],
)
def test_what_of_notifications_can_hardly_be_meant(text: str, warning: str | None) -> None:
    assert parse(f"[notify]\n{text}\n", "x").warnings == (() if warning is None else (warning,))


def test_a_time_zone_is_known_or_refused() -> None:
    assert parse('[display]\nzone = "Europe/Rome"', "x").settings.display.zone == "Europe/Rome"
    with pytest.raises(ConfigError, match="expected a time zone") as caught:
        parse('[display]\nzone = "Europe/Roma"', "x")
    assert 'Did you mean "Europe/Rom' in caught.value.hint


def test_a_missing_file_is_fine_unless_it_was_named(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert load(path, named=False) == Loaded(Settings())
    with pytest.raises(ConfigError, match="there is no such file"):
        load(path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[poll]\n# \xff\n", ":2: this is not UTF-8"),
        (b"a\x00b = 1\n", ":1: this is not TOML"),
        (b"# " + b"x" * 300_000, "too large"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=words):
        load(path)


def test_fc_35_a_file_from_another_editor(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf[channels]\r\ninclude = ['alpha']\r\n")
    assert load(path).settings.channels.include == ("alpha",)


def test_fc_33_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="folder"):
        load(tmp_path)


def test_fc_33_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.touch()
    assert load(path) == Loaded(Settings())


def test_what_is_shown_says_the_same() -> None:
    text = CONTRACT.replace('urls = ["https://hooks.example/T0"]\n', "")
    got = parse(text, "config.toml").settings
    assert parse(to_toml(got), "shown").settings == got


def test_the_table_of_keys_is_the_settings() -> None:
    plain = to_plain(Settings())
    assert set(plain) == set(SECTIONS) == set(Settings.__struct_fields__)
    for section in SECTIONS:
        names = [key.name for key in KEYS if key.section == section]
        if section != "wish":
            assert tuple(names) == getattr(Settings(), section).__struct_fields__
    assert all(len(key.help) > 10 and key.help.endswith(".") for key in KEYS)
    assert all(key.default is not None for key in KEYS if key.section != "wish")


names = st.sampled_from([*SECTIONS, *(key.name for key in KEYS), "token", "x", "Live", "max_room"])
scalars = st.one_of(
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.sampled_from(["30s", "0s", "1h", "alpha", "oauth:x", "ircs://h", "http://127.0.0.1"]),
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3))


def as_toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {as_toml(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value)
    return repr(value)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(names, st.dictionaries(names, values, max_size=4) | values, max_size=4))
def test_any_document_is_settings_or_a_config_error(document: dict[str, object]) -> None:
    try:
        loaded = parse("\n".join(f"{name} = {as_toml(value)}" for name, value in document.items()), "x")
    except ConfigError:
        return
    assert 1 <= loaded.settings.channels.max_rooms <= 100


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_damage_is_settings_or_a_config_error(data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(CONTRACT)))
    end = data.draw(st.integers(begin, min(len(CONTRACT), begin + 40)))
    put = data.draw(st.text(max_size=8) | st.sampled_from(["\n", '"', "]", "[[wish]]\n", "= 5", "'''", "\x00"]))
    with suppress(ConfigError):
        parse(CONTRACT[:begin] + put + CONTRACT[end:], "x")
