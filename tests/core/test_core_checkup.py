"""What the doctor makes of measurements: tables of values and the findings that they are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.core import checkup_here as here
from allthepoints.core import checkup_net as net
from allthepoints.core import checkup_signin as signin
from allthepoints.core.checkup import NAMES, Finding, Grade, fault, is_sound, ok, size, span, warning
from allthepoints.core.checkup_here import DatabaseState, Port, Running
from allthepoints.core.checkup_net import Place, Try, Why
from allthepoints.core.checkup_signin import ChatState, TokenState
from allthepoints.core.checkup_tls import Certificate, Tls, tls
from allthepoints.core.loyalty import JwtState

NOW = 1_795_640_400.0
"""2026-11-25T21:00:00Z."""

OK, WARNING, FAULT = Grade.OK, Grade.WARNING, Grade.FAULT


def check(finding: Finding | None, grade: Grade, *words: str, cure: str = "") -> None:
    assert finding is not None
    assert finding.name in NAMES
    assert finding.grade is grade, finding
    assert all(word in finding.text for word in words), finding.text
    assert cure in finding.cure, finding.cure
    assert finding.text.endswith("."), finding.text
    assert ".." not in finding.text.replace("before-v…", "")
    if grade is FAULT:
        assert finding.cure, "a fault tells what to do"
    if grade is OK:
        assert not finding.cure


def test_only_faults_are_unsound() -> None:
    assert is_sound([ok("disk", "."), warning("disk", ".")])
    assert not is_sound([ok("disk", "."), fault("disk", ".", "do")])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (86400, "1 day"),
        (190000, "2 days"),
    ],
)
def test_span(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 kB"),
        (1, "1 kB"),
        (5000, "5 kB"),
        (1_500_000, "1.5 MB"),
        (82_400_000_000, "82 GB"),
        (3_400_000_000, "3.4 GB"),
    ],
)
def test_size(count: int, text: str) -> None:
    assert size(count) == text


# -- this machine ----------------------------------------------------------------------------------------------------
CONFIG = here.Config("/c.toml")


@pytest.mark.parametrize(
    ("seen", "grade", "words"),
    [
        (CONFIG, OK, ("/c.toml can be used",)),
        (replace(CONFIG, exists=False), OK, ("defaults",)),
        (replace(CONFIG, client_id=False), WARNING, ("no client id",)),
        (replace(CONFIG, warnings=("a is odd", "b too.")), WARNING, ("a is odd. b too.",)),
        (replace(CONFIG, error="x:1: wrong\nx:2: worse"), FAULT, ("x:1: wrong. x:2: worse.", "not looked at")),
    ],
)
def test_config(seen: here.Config, grade: Grade, words: tuple[str, ...]) -> None:
    check(here.config(seen), grade, *words)


FOLDER = here.Folder("/d", owner=7, me=7, mode=0o700)


@pytest.mark.parametrize(
    ("seen", "grade", "word", "cure"),
    [
        (FOLDER, OK, "yours alone", ""),
        (replace(FOLDER, owner=None, me=None, mode=None), OK, "can be written.", ""),
        (here.Folder("/d", False, False, "/", True), OK, "is not there yet", ""),
        (here.Folder("/d", False, False, "/x", False), FAULT, "/x is no folder that you may write", "--data-dir"),
        (here.Folder("/d", True, False), FAULT, "is a file", "--data-dir"),
        (replace(FOLDER, error="read-only file system"), FAULT, "read-only file system", "chmod u+rwx /d"),
        (replace(FOLDER, me=9, error="permission denied"), FAULT, "permission denied", "chown -R 9 /d"),
        (replace(FOLDER, me=0), WARNING, "belongs to uid 7, and you are uid 0", "as its owner"),
        (replace(FOLDER, mode=0o755), WARNING, "may look into it (mode 755)", "chmod 700 /d"),
        (replace(FOLDER, mode=0o770), WARNING, "may change it", "chmod 700 /d"),
    ],
)
def test_data_directory(seen: here.Folder, grade: Grade, word: str, cure: str) -> None:
    check(here.folder(seen), grade, word, cure=cure)


FILE = here.SecretFile("/t.json", "token file", "Sign in anew.", mode=0o600)


@pytest.mark.parametrize(
    ("seen", "grade", "word", "cure"),
    [
        ((replace(FILE, exists=False),), OK, "none yet", ""),
        ((FILE,), OK, "Token file: for its owner only", ""),
        ((FILE, replace(FILE, kind="other")), OK, "Token file, other: for their owner only", ""),
        ((replace(FILE, mode=0o640),), WARNING, "(mode 640)", "chmod 600 /t.json"),
        ((replace(FILE, mode=None),), OK, "for its owner only", ""),
        ((FILE, replace(FILE, error="cannot be understood")), FAULT, "cannot be understood", "Sign in anew"),
    ],
)
def test_secret_files(seen: tuple[here.SecretFile, ...], grade: Grade, word: str, cure: str) -> None:
    check(here.secret_files(seen), grade, word, cure=cure)


DATABASE = here.Database("/a.db", DatabaseState.GOOD, 2, 2, 5_000_000)


@pytest.mark.parametrize(
    ("state", "grade", "word", "cure"),
    [
        (DatabaseState.MISSING, OK, "is not there yet", ""),
        (DatabaseState.EMPTY, OK, "is empty", ""),
        (DatabaseState.GOOD, OK, "/a.db (5.0 MB) is whole", ""),
        (DatabaseState.OLDER, OK, "keeps a copy from before", ""),
        (DatabaseState.FOREIGN, FAULT, "another program", "--data-dir"),
        (DatabaseState.NEWER, FAULT, "schema 2; this program knows schemas up to 2", "newer allthepoints"),
        (DatabaseState.DAMAGED, FAULT, "damaged: rows are missing", "Move the file away"),
        (DatabaseState.UNREADABLE, FAULT, "/a.db: rows are missing", "Move the file away"),
    ],
)
def test_database(state: DatabaseState, grade: Grade, word: str, cure: str) -> None:
    check(here.database(replace(DATABASE, state=state, text="rows are missing")), grade, word, cure=cure)


def test_a_database_too_big_to_be_read_in_time_is_said_to_be_that() -> None:
    check(here.database(replace(DATABASE, whole=False)), OK, "too big to be read whole")


@pytest.mark.parametrize(
    ("free", "grade"), [(10**10, OK), (500 * 10**6, OK), (499 * 10**6, WARNING), (49 * 10**6, FAULT), (0, FAULT)]
)
def test_disk(free: int, grade: Grade) -> None:
    check(here.disk(here.Disk("/d", free, 10**12)), grade, "free where /d is")


def test_a_disk_that_does_not_tell() -> None:
    check(here.disk(here.Disk("/d", error="stale file handle")), WARNING, "stale file handle")


@pytest.mark.parametrize(
    ("seen", "grade", "word"),
    [
        (Running(), OK, "No service runs"),
        (Running(12, NOW - 20), OK, "The service (process 12) runs, last sign of life 20 s ago"),
        (Running(0), OK, "The service runs."),
        (Running(12, NOW - 181), FAULT, "no sign of life for 3 min"),
        (Running(12, NOW + 50), OK, "0 s ago"),
    ],
)
def test_service(seen: Running, grade: Grade, word: str) -> None:
    check(here.running(seen, NOW), grade, word)


RUNS, RESTS = Running(12, NOW), Running()
DASHBOARD = here.Dashboard("127.0.0.1:7771")


@pytest.mark.parametrize(
    ("seen", "service", "grade", "word"),
    [
        (here.Dashboard(""), RESTS, OK, "turned off"),
        (DASHBOARD, RESTS, OK, "is free"),
        (DASHBOARD, RUNS, WARNING, "nobody listens"),
        (replace(DASHBOARD, port=Port.OURS), RUNS, OK, "A dashboard answers"),
        (replace(DASHBOARD, port=Port.OURS), RESTS, FAULT, "Another allthepoints"),
        (replace(DASHBOARD, port=Port.TAKEN), RESTS, FAULT, "Another program"),
        (replace(DASHBOARD, port=Port.TAKEN), RUNS, FAULT, "Another program"),
        (replace(DASHBOARD, port=Port.FORBIDDEN, text="permission denied"), RESTS, FAULT, "may not listen"),
        (replace(DASHBOARD, port=Port.NO_ADDRESS, text="no such"), RESTS, FAULT, "no address of this machine"),
        (replace(DASHBOARD, local=False), RESTS, FAULT, "has no password"),
        (replace(DASHBOARD, local=False, password=True), RESTS, OK, "is free"),
        (replace(DASHBOARD, proxied=True), RESTS, FAULT, "has no password"),
    ],
)
def test_dashboard(seen: here.Dashboard, service: Running, grade: Grade, word: str) -> None:
    check(here.dashboard(seen, service), grade, word)


# -- the network -----------------------------------------------------------------------------------------------------
CHAT = Place("chat", "irc.example", 6697)
HELIX = Place("helix", "api.example", 443)
BEHIND = replace(HELIX, proxy="proxy:3128")
FOUND = net.Names("irc.example", ("52.1.2.3", "52.1.2.4", "52.1.2.5"), ("2600::1",))


@pytest.mark.parametrize(
    ("seen", "grade", "word", "cure"),
    [
        (FOUND, OK, "IPv4 52.1.2.3, 52.1.2.4 and 1 more; IPv6 2600::1", ""),
        (replace(FOUND, v6=()), OK, "no IPv6", ""),
        (replace(FOUND, v4=()), OK, "no IPv4", ""),
        (net.Names("127.0.0.1", ("127.0.0.1",), literal=True), OK, "is an address", ""),
        (net.Names("localhost", ("127.0.0.1",), ("::1",)), OK, "localhost", ""),
        (replace(FOUND, v4=("0.0.0.0",), v6=()), FAULT, "a filter in this network", "Pi-hole"),
        (replace(FOUND, v6=("::",)), FAULT, "leads nowhere (::)", "Pi-hole"),
        (replace(FOUND, v4=("10.0.0.9",), v6=()), WARNING, "10.0.0.9 is an address of your own network", "hosts file"),
        (replace(FOUND, v4=("127.0.0.1",), v6=()), WARNING, "own network or machine", "hosts file"),
        (replace(FOUND, v4=("fe80::1%eth0",), v6=()), WARNING, "fe80::1%eth0", "hosts file"),
        (net.Names("irc.example", failed=Why.NO_NAME), FAULT, "no host named irc.example", "[endpoints]"),
        (net.Names("irc.example", failed=Why.NO_RESOLVER), FAULT, "does not answer", "DNS"),
        (net.Names("irc.example", failed=Why.LATE), FAULT, "in time", "DNS"),
    ],
)
def test_names(seen: net.Names, grade: Grade, word: str, cure: str) -> None:
    check(net.names(CHAT, seen), grade, word, cure=cure)


GOOD4, GOOD6 = Try("52.1.2.3"), Try("2600::1")


def bad(why: Why, address: str = "52.1.2.3", text: str = "") -> Try:
    return Try(address, why, text)


@pytest.mark.parametrize(
    ("place", "tries", "grade", "word", "cure"),
    [
        (CHAT, (GOOD4, GOOD6), OK, "Port 6697 answers, by IPv4 and IPv6.", ""),
        (CHAT, (GOOD4, bad(Why.NO_ROUTE, "2600::1")), OK, "IPv6 does not get through (no route)", ""),
        (CHAT, (bad(Why.LATE), Try("52.1.2.4"), GOOD6), OK, "by IPv4 and IPv6.", ""),
        (CHAT, (bad(Why.REFUSED),), FAULT, "refused", "relay or sandbox"),
        (
            CHAT,
            (bad(Why.LATE), bad(Why.NO_ROUTE, "2600::1")),
            FAULT,
            "IPv4 no answer in time, IPv6 no route",
            "firewall",
        ),
        (CHAT, (bad(Why.NO_ROUTE), bad(Why.NO_ROUTE, "2600::1")), FAULT, ": no route.", "network at all"),
        (CHAT, (bad(Why.OTHER, text="message too long"),), FAULT, "message too long", "firewall"),
        (BEHIND, (GOOD4,), OK, "The proxy proxy:3128 leads to api.example port 443", ""),
    ],
)
def test_tcp(place: Place, tries: tuple[Try, ...], grade: Grade, word: str, cure: str) -> None:
    check(net.tcp(place, net.Tcp(tries)), grade, word, cure=cure)


def test_a_proxy_that_leads_nowhere_and_one_that_is_not_there() -> None:
    refused = net.Tcp((GOOD4,), "it answered 403")
    check(net.tcp(BEHIND, refused), FAULT, "does not lead to api.example port 443: it answered 403", cure="NO_PROXY")
    assert net.tcp(BEHIND, net.Tcp((bad(Why.REFUSED),))) is None, "told once, by the proxy's own line"


def test_chat_does_not_go_through_the_proxy_and_says_so_where_it_fails() -> None:
    check(net.tcp(CHAT, net.Tcp((bad(Why.LATE),)), True), FAULT, cure="Chat does not go through a proxy")


SEEN = Certificate("*.example", "Trusty (CA 1)", NOW + 40 * 86400)


@pytest.mark.parametrize(
    ("seen", "grade", "words", "cure"),
    [
        (
            Tls(SEEN, "TLS 1.3"),
            OK,
            ("TLS 1.3. Certificate of *.example, issued by Trusty (CA 1), good until 2027-01-04.",),
            "",
        ),
        (Tls(replace(SEEN, ends=None), "TLS 1.3"), OK, ("issued by Trusty (CA 1).",), ""),
        (Tls(replace(SEEN, ends=NOW + 86400), "TLS 1.3"), WARNING, ("It ends in 1 day",), "renew"),
        (
            Tls(replace(SEEN, issuer="Firm Inspector"), failed="x", code=20),
            FAULT,
            ("issued by Firm Inspector",),
            "company",
        ),
        (Tls(None, failed="self-signed", code=18), FAULT, ("not trusted",), "SSL_CERT_FILE"),
        (Tls(SEEN, failed="expired", code=10), FAULT, ("has ended, by the clock",), "2026-11-25"),
        (Tls(SEEN, failed="not yet", code=9), FAULT, ("is not good yet",), "clock"),
        (Tls(SEEN, failed="name", code=62), FAULT, ("for another name than irc.example",), "login page"),
        (Tls(failed="wrong version number"), FAULT, ("TLS failed: wrong version number.",), "firewall"),
        (Tls(failed="no answer in time", why=Why.LATE), FAULT, ("TLS got no answer in time.",), "firewall"),
    ],
)
def test_tls(seen: Tls, grade: Grade, words: tuple[str, ...], cure: str) -> None:
    check(tls(CHAT, seen, NOW), grade, *words, cure=cure)


def test_plain_is_for_this_machine_alone() -> None:
    check(tls(replace(CHAT, tls=False), Tls(), NOW), OK, "this machine itself")


@pytest.mark.parametrize(
    ("seen", "grade", "word"),
    [
        (net.Http(401, own=True, seconds=0.0804), OK, "Twitch answers, in 80 ms."),
        (net.Http(503), WARNING, "trouble: it answered 503"),
        (net.Http(502, own=True), WARNING, "502"),
        (net.Http(429, own=True), WARNING, "too often"),
        (net.Http(200), FAULT, "not Twitch's answered 200."),
        (net.Http(302, to="portal.wifi"), FAULT, "answered 302, and leads on to portal.wifi."),
        (net.Http(failed="no whole answer within 5 s"), FAULT, "did not answer: no whole answer within 5 s."),
    ],
)
def test_http(seen: net.Http, grade: Grade, word: str) -> None:
    check(net.http(HELIX, seen), grade, word)


def test_http_names_whom_it_asked() -> None:
    check(net.http(Place("streamelements", "se.example", 443), net.Http(404, own=True)), OK, "StreamElements answers")


@pytest.mark.parametrize(
    ("seen", "grade", "word"),
    [
        (net.Proxy(), OK, "There is none"),
        (net.Proxy("p:1"), OK, "not used for any"),
        (
            net.Proxy("p:1", ("helix", "oauth")),
            OK,
            "HTTPS (helix, oauth) goes through p:1. The chat does not go through it",
        ),
        (net.Proxy("p:1", ("helix",), (bad(Why.REFUSED),)), FAULT, "p:1 cannot be reached: refused"),
        (net.Proxy("p:1", ("helix",), (Try("", Why.NO_NAME),)), FAULT, "no such name"),
        (net.Proxy(unusable="no such file"), FAULT, "no such file"),
    ],
)
def test_proxy(seen: net.Proxy, grade: Grade, word: str) -> None:
    check(net.proxy(seen), grade, word)


@pytest.mark.parametrize(
    ("offsets", "grade", "word"),
    [
        ((0.7, -1.2), OK, "agrees"),
        ((12.0,), OK, "12 s ahead of"),
        ((-45.0,), WARNING, "45 s behind"),
        ((31.0, 29.0), OK, "29 s ahead"),
        ((7200.0, 7201.0), FAULT, "2 h ahead of the servers': ends of tokens"),
        ((-400_000.0, 0.5), OK, "agrees"),
        ((), WARNING, "No server told the time"),
    ],
)
def test_fc_34_clock(offsets: tuple[float, ...], grade: Grade, word: str) -> None:
    check(net.clock({str(at): off for at, off in enumerate(offsets)}), grade, word)


def test_a_sandbox_has_no_other_clock() -> None:
    check(net.clock({}, local=True), OK, "this machine itself")


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=3))
def test_one_server_that_agrees_is_enough(offsets: list[float]) -> None:
    grade = net.clock(dict(zip("abc", offsets, strict=False))).grade
    assert grade is net.clock({"nearest": min(offsets, key=abs)}).grade


# -- the sign-ins ----------------------------------------------------------------------------------------------------
LIVES = signin.Token(
    TokenState.LIVES,
    owner=("1", "me"),
    mine=("1", "me"),
    scopes=frozenset({"chat:read", "user:read:follows"}),
    ends=NOW + 3 * 3600,
    refresh=True,
)
DEAD = replace(LIVES, state=TokenState.DEAD, owner=None, ends=NOW - 60)


@pytest.mark.parametrize(
    ("seen", "service", "grade", "word", "cure"),
    [
        (LIVES, RESTS, OK, "as me's, for 3 h more; then the service renews it.", ""),
        (LIVES, RUNS, OK, "then the running service renews it.", ""),
        (replace(LIVES, mine=None, ends=None), RESTS, OK, "as me's; then", ""),
        (replace(LIVES, refresh=False), RESTS, WARNING, "cannot be renewed", "login"),
        (replace(LIVES, mine=("2", "you")), RESTS, FAULT, "is me's, but this data directory is you's", "--switch"),
        (replace(LIVES, app=True, owner=None), RESTS, FAULT, "app's token", "login"),
        (DEAD, RESTS, WARNING, "the service renews it at its next start. That was not tried", "login"),
        (DEAD, RUNS, WARNING, "the running service renews it", "login"),
        (replace(DEAD, refresh=False), RESTS, FAULT, "none to renew it with", "login"),
        (replace(DEAD, refresh_spent=True), RESTS, WARNING, "may be used up", "login"),
        (replace(DEAD, ends=NOW + 3600), RESTS, WARNING, "before its time", "login"),
        (signin.Token(TokenState.NONE), RESTS, FAULT, "not signed in", "login"),
        (signin.Token(TokenState.ONLY_REFRESH), RESTS, WARNING, "refresh token alone", ""),
        (signin.Token(TokenState.UNSENDABLE, given=True), RESTS, FAULT, "characters", "ALLTHEPOINTS_TWITCH_TOKEN"),
        (signin.Token(TokenState.UNKNOWN, text="answered 500"), RESTS, WARNING, "answered 500", "in a minute"),
    ],
)
def test_fc_18_token(seen: signin.Token, service: Running, grade: Grade, word: str, cure: str) -> None:
    check(signin.token(seen, NOW, service), grade, word, cure=cure)


@pytest.mark.parametrize(
    ("has", "follows", "includes", "grade", "word"),
    [
        ("chat:read user:read:follows", True, False, OK, "chat:read, user:read:follows."),
        ("chat:read", False, False, OK, "chat:read."),
        ("chat:read", True, True, WARNING, "user:read:follows is missing"),
        ("chat:read", True, False, FAULT, "user:read:follows is missing"),
        ("user:read:follows", True, True, FAULT, "chat:read is missing"),
        ("", True, True, FAULT, "It has: none"),
        ("chat:edit chat:read user:read:follows", True, False, OK, "More than is needed: chat:edit"),
    ],
)
def test_scopes(has: str, follows: bool, includes: bool, grade: Grade, word: str) -> None:
    check(signin.scopes(replace(LIVES, scopes=frozenset(has.split())), follows, includes), grade, word)


def test_scopes_of_a_token_that_does_not_live_are_not_known() -> None:
    assert signin.scopes(DEAD, True, False) is None


JWT = signin.Jwt(JwtState.GOOD, NOW + 90 * 86400, ("1", "me"), ("1", "me"))


@pytest.mark.parametrize(
    ("seen", "grade", "word"),
    [
        (JWT, OK, "as me's. It ends on 2027-02-23."),
        (replace(JWT, ends=None), OK, "does not say when it ends"),
        (replace(JWT, ends=1e12), OK, "9999-12-31"),
        (replace(JWT, ends=NOW + 6 * 86400), WARNING, "It ends in 6 days"),
        (replace(JWT, mine=("2", "you")), FAULT, "is me's, but this data directory is you's"),
        (replace(JWT, owner=(None, "Me")), OK, "as Me's"),
        (replace(JWT, owner=(None, "else")), FAULT, "is else's"),
        (replace(JWT, owner=None, asked=False, text="answered 502"), WARNING, "could not be asked: answered 502"),
        (signin.Jwt(JwtState.MISSING), OK, "Points need none"),
        (signin.Jwt(JwtState.MISSING, autos=True), WARNING, "auto = true"),
        (signin.Jwt(JwtState.EXPIRED, NOW - 86400), FAULT, "ended on 2026-11-24"),
        (signin.Jwt(JwtState.MALFORMED, text="this is not a JWT"), FAULT, "this is not a JWT"),
        (signin.Jwt(JwtState.REFUSED), FAULT, "does not take"),
    ],
)
def test_fc_31_jwt(seen: signin.Jwt, grade: Grade, word: str) -> None:
    check(signin.jwt(seen, NOW), grade, word)


@pytest.mark.parametrize(
    ("seen", "service", "grade", "word"),
    [
        (signin.Chat(ChatState.WELCOMED, "me", 0.1), RESTS, OK, "welcomed me, in 100 ms"),
        (signin.Chat(ChatState.REFUSED, text="Login unsuccessful"), RESTS, FAULT, "Login unsuccessful"),
        (signin.Chat(ChatState.LATE), RESTS, FAULT, "no welcome in time"),
        (signin.Chat(ChatState.FAILED, text="closed"), RESTS, FAULT, "closed"),
        (signin.Chat(ChatState.NOBODY), RESTS, WARNING, "Not tried"),
        (signin.Chat(ChatState.BUSY, logins=18), RESTS, WARNING, "18 of the 20 logins"),
        (
            signin.Chat(ChatState.LEFT_TO_SERVICE, connections=1),
            RUNS,
            OK,
            "(process 12) is in the chat, over 1 connection.",
        ),
        (signin.Chat(ChatState.LEFT_TO_SERVICE, connections=2), RUNS, OK, "over 2 connections. No second login"),
        (signin.Chat(ChatState.LEFT_TO_SERVICE, connections=0), RUNS, WARNING, "no connection to the chat now"),
        (signin.Chat(ChatState.LEFT_TO_SERVICE), RUNS, WARNING, "has not told"),
    ],
)
def test_chat_welcome(seen: signin.Chat, service: Running, grade: Grade, word: str) -> None:
    check(signin.chat(seen, service), grade, word)
