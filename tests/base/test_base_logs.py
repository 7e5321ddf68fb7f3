"""The log: bounded, private, told once, and in nobody's way."""

from __future__ import annotations

import logging
import os
import re
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allthepoints.base.logfile import BoundedFile, Writer
from allthepoints.base.logs import LONGEST, Log, log_to
from allthepoints.base.redact import cut
from allthepoints.base.repeats import EVERY, FORGET, MOST, More, Repeats

log = logging.getLogger("allthepoints.test")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "allthepoints.log"


@pytest.fixture
def logs(path: Path) -> Iterator[Log]:
    root = logging.getLogger()
    level = root.level
    with log_to(path) as made:
        yield made
    root.setLevel(level)


def said(logs: Log, path: Path) -> list[str]:
    """All lines, once they are written."""
    logs.close()
    return path.read_text("utf-8").splitlines()


# -- the same thing told once ------------------------------------------------------------------------------------------
def test_the_same_is_told_once_and_its_count_every_so_often() -> None:
    repeats, told = Repeats(), list[object]()
    for second in range(2000):
        told += repeats.due(float(second))
        if repeats.take("a", "what", float(second)) is not None:
            told.append(second)
    assert told == [
        0,
        More("a", "what", 599, 1.0, 599.0),
        More("a", "what", 600, 600.0, 1199.0),
        More("a", "what", 600, 1200.0, 1799.0),
    ]
    assert repeats.rest(2000.0) == [More("a", "what", 200, 1800.0, 1999.0)]
    assert repeats.rest(2000.0) == []


def test_something_new_brings_the_counts_of_what_was_before() -> None:
    repeats = Repeats()
    for key in "ababa":
        repeats.take(key, key, 1.0)
    assert repeats.take("c", "c", 2.0) == [More("b", "b", 1, 1.0, 1.0), More("a", "a", 2, 1.0, 1.0)]
    assert repeats.take("c", "c", 3.0) is None


def test_what_was_not_met_for_long_is_told_whole_again() -> None:
    repeats = Repeats()
    assert repeats.take("a", "a", 0.0) == []
    assert repeats.take("a", "a", 1.0) is None
    assert repeats.due(FORGET + 2) == [More("a", "a", 1, 1.0, 1.0)]
    assert repeats.take("a", "a", FORGET + 2) == []


def test_a_clock_that_is_set_back_holds_nothing_up() -> None:
    repeats = Repeats()
    repeats.take("a", "a", 1e6)
    repeats.take("a", "a", 1e6 + 1)
    assert [more.count for more in repeats.due(1e6 - EVERY)] == [1]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3 * MOST), st.floats(0, 500)), max_size=400))
def test_nothing_is_told_twice_or_forgotten(events: list[tuple[int, float]]) -> None:
    repeats, at, whole, counted = Repeats(), 0.0, 0, 0
    for key, later in events:
        at += later
        counted += sum(more.count for more in repeats.due(at))
        before = repeats.take(str(key), "", at)
        whole += before is not None
        counted += sum(more.count for more in before or ())
        assert len(repeats._known) <= MOST
    counted += sum(more.count for more in repeats.rest(at))
    assert whole + counted == len(events)


def test_fc_30_an_exception_is_shown_once_and_then_counted(logs: Log, path: Path) -> None:
    for number in range(42):
        try:
            int(f"no number {number}")
        except ValueError:
            log.exception("reading went wrong, try %d", number)
    log.info("something else")
    log.error("another thing")
    first, *rest = said(logs, path)
    assert first.endswith("ERROR allthepoints.test: reading went wrong, try 0")
    trace = [line for line in rest if line.startswith("  ")]
    assert trace[0] == "  Traceback (most recent call last):"
    assert trace[-1].endswith("ValueError: invalid literal for int() with base 10: 'no number 0'")
    told = [line for line in rest if not line.startswith("  ")]
    assert told[0].partition(" ")[2] == "INFO allthepoints.test: something else"
    assert re.search(
        r"ERROR allthepoints.test: … 41 more times since \S+Z: reading went wrong, try 0 \(ValueErr", told[1]
    )
    assert told[2].endswith("ERROR allthepoints.test: another thing")
    assert len(told) == 3


def test_different_trouble_at_one_place_is_different(logs: Log, path: Path) -> None:
    for error in (OSError(28, "No space left on device"), OSError(30, "Read-only file system"), KeyError("x")):
        for _ in range(2):
            try:
                raise error
            except (OSError, KeyError):
                log.exception("it went wrong")
    text = "\n".join(said(logs, path))
    assert text.count("Traceback") == 3
    assert text.count("1 more time since") == 3


def test_what_happens_is_not_trouble_and_is_always_told(logs: Log, path: Path) -> None:
    for _ in range(3):
        log.info("alpha: present.")
    assert len(said(logs, path)) == 3


def test_who_listens_hears_the_same(logs: Log, path: Path) -> None:
    heard: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(f"{record.levelname} {record.getMessage()}")

    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise ZeroDivisionError

    logs.listen(Broken())
    logs.listen(Listener(logging.WARNING))
    log.info("quiet")
    for _ in range(3):
        log.warning("a token: %s", "oauth:abcdef0123456789")
    assert len(said(logs, path)) == 3
    assert heard[0] == "WARNING a token: oauth:***"
    assert heard[1].startswith("WARNING … 2 more times since ")
    assert len(heard) == 2


# -- secrets -----------------------------------------------------------------------------------------------------------
SMALL = string.ascii_lowercase + string.digits
WORD = string.ascii_letters + string.digits
URLISH = WORD + "-_"


def words(letters: str, shortest: int, longest: int | None = None) -> st.SearchStrategy[str]:
    return st.text(st.sampled_from(letters), min_size=shortest, max_size=longest or shortest + 30).map(str)


TWITCH = words(SMALL, 30, 30) | words(SMALL, 50, 50)
JWT = st.tuples(words(URLISH, 20), words(URLISH, 20), words(URLISH, 20)).map(lambda parts: f"eyJ{'.'.join(parts)}")
ANY = words(WORD, 12).filter(lambda text: any(letter.isdigit() for letter in text))

SHAPES: list[tuple[str, st.SearchStrategy[str]]] = [
    ("{}", TWITCH | JWT),
    ("refused: {}!", TWITCH | JWT),
    ("/{}/", TWITCH | JWT),
    ("oauth:{}", ANY),
    ("PASS oauth:{}\r\n", ANY),
    ("PASS {}", ANY),
    ("Authorization: Bearer {}", ANY),
    ("Authorization: OAuth {}", ANY),
    ("authorization: Basic {}==", ANY),
    ("{{'Authorization': 'Bearer {}', 'Accept': '*/*'}}", ANY),
    ("[(b'Authorization', b'Bearer {}')]", ANY),
    ('{{\\"authorization\\": \\"Bearer {}\\"}}', ANY),
    ("sent with Bearer {} to them", ANY),
    ("Cookie: session={}; other=1", ANY),
    ("https://id.twitch.tv/oauth2/token?client_id=x&refresh_token={}&scope=chat", ANY),
    ("grant_type=refresh_token&refresh_token={}&client_secret=x", ANY),
    ('{{"access_token":"{}","expires_in":1}}', ANY),
    ('{{"jwt": "{}"}}', ANY),
    ("client_secret={}", ANY),
    ("StoredTokens(access_token='{}')", ANY),
    ("Redemption(key='x', code='{}')", ANY),
    ("the token: {}", ANY),
    ("https://me:{}@example.org/path", ANY),
    ("https://{}@example.org/path", ANY),
    ("https://me:pass/{}@example.org/", ANY),
    ("tgram://{}/12345", ANY),
    ("tgram://123:{}/12345/", ANY),
    ("discord://123456789/{}", ANY),
    ("mailtos://me:{}@example.org?to=you@example.org", ANY),
    ("ntfy://{}", ANY),
    ("slack://T/B/{}/#room", ANY),
    ("https://discord.com/api/webhooks/123456/{}", words(URLISH, 40, 68)),
    ("https://hooks.slack.com/services/T000/B000/{}", ANY),
    ("https://api.telegram.org/bot12345:{}/sendMessage", ANY),
    ("https://example.org/{}", words(URLISH, 60, 68).filter(lambda t: re.search("[a-z]", t[:40]) is not None
        and re.search("[A-Z]", t[:40]) is not None and re.search("[0-9]", t[:40]) is not None and t[0] not in "-_")),
]  # fmt: skip

AROUND = st.text(st.sampled_from("abc XYZ 12 .,:;=\n\t\"'/@é🌊"), max_size=20)


@pytest.mark.parametrize("shape", range(len(SHAPES)), ids=[shape for shape, _ in SHAPES])
def test_fc_32_no_canary_gets_through(shape: int) -> None:
    form, canaries = SHAPES[shape]

    @settings(deadline=None, max_examples=15)
    @given(canaries, AROUND, AROUND)
    def check(canary: str, before: str, after: str) -> None:
        once = cut(f"{before} {form.format(canary)} {after}")
        assert canary not in once
        assert "***" in once
        assert cut(once) == once, "what was cut stays as it is"

    check()


PROSE = (
    "alpha: present. Earning 30/h, 1,845 acorns.",
    "the sign-in token has ended; the token: expired",
    "validate the sign-in: answered 401, invalid access token",
    "endpoints.oauth: http:// would send your token in clear",
    "https://api.streamelements.com/kappa/v2/points/64b0c1d2e3f4a5b6c7d8e9f0/me: answered 503",
    "read the store of alpha: no whole answer within 10 s",
    "the dashboard is at http://127.0.0.1:7771/",
    "/var/lib/allthepoints/allthepoints.db.before-restore-20231114T221320Z: the disk is full",
    '  File "/usr/lib/python3.11/site-packages/allthepoints/service/reads.py", line 70, in _read',
    "basic settings, bearer of news, OAuth endpoint, cookie jar",
    "irc://127.0.0.1:6667 closed: Ping timeout: 240 seconds",
    "redemption 64b0c1d2-e3f4-a5b6-c7d8-e9f0a1b2c3d4 is settled, status code=200",
)


@pytest.mark.parametrize("text", PROSE)
def test_what_is_no_secret_stays(text: str) -> None:
    assert cut(text) == text


@pytest.mark.parametrize(
    "text", ["eyJ" * 7000, "eyJ-" * 5000, "a." * 10_000, "token" * 4000, "x" * 20_000, "://" * 6000]
)
def test_no_text_takes_long_to_look_at(text: str) -> None:
    """Each rule looks ahead a bounded way: where it does not, this takes minutes, and the test is ended."""
    assert isinstance(cut(text), str)


@pytest.mark.parametrize("how", ["message", "argument", "error", "cause"])
def test_fc_32_no_secret_reaches_the_file_by_any_way(logs: Log, path: Path, how: str) -> None:
    canary = "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5"
    try:
        try:
            raise ValueError(canary if how == "cause" else "nothing")
        except ValueError as error:
            raise RuntimeError(f"refused {canary}" if how == "error" else "nothing") from error
    except RuntimeError:
        log.exception(
            f"said {canary}" if how == "message" else "said %s",
            *([canary] if how == "argument" else ["x"] if how != "message" else []),
        )
        log.exception("again")
    text = "\n".join(said(logs, path))
    assert "Traceback" in text
    assert canary not in text


# -- lines -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Prestige 4 🌊 휴", "Prestige 4 🌊 휴"),
        ("lone \ud800 surrogate", "lone \\ud800 surrogate"),
        ("two\nlines", "two\n  lines"),
        ("forged\r2026-11-26 INFO x: y", "forged\\x0d2026-11-26 INFO x: y"),
        ("bell \x07 and \x1b[31mred", "bell \\x07 and \\x1b[31mred"),
        ("tab\tstays", "tab\tstays"),
    ],
)
def test_fc_35_lines_are_utf_8_and_only_ours_begin_at_the_left(logs: Log, path: Path, text: str, line: str) -> None:
    log.info("%s", text)
    logs.close()
    whole = path.read_bytes().decode("utf-8")
    assert re.fullmatch(
        rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z INFO allthepoints.test: {re.escape(line)}\n", whole
    )


def test_a_line_is_bounded_and_bad_arguments_are_no_error(logs: Log, path: Path) -> None:
    class Odd:
        def __str__(self) -> str:
            raise ZeroDivisionError

    for message, *more in (("x" * (LONGEST + 5000),), ("two of %s and %s", "one"), ("%s", Odd())):
        logs.handle(logging.LogRecord("allthepoints.test", logging.INFO, "", 0, message, tuple(more), None))
    first, second, third = said(logs, path)
    assert len(first) < LONGEST + 100
    assert second.endswith("two of %s and %s")
    assert third.endswith("%s")
    assert log.handlers == []


def test_details_are_told_of_the_areas_that_were_asked_for(path: Path) -> None:
    with log_to(path, ("allthepoints.test",)) as logs:
        log.debug("of this")
        logging.getLogger("allthepoints.test.below").debug("and below")
        logging.getLogger("allthepoints.other").debug("not of that")
        logging.getLogger("httpx2").info("nor of libraries")
    assert [line.rpartition(": ")[2] for line in said(logs, path)] == ["of this", "and below"]
    assert log.level == logging.NOTSET
    with log_to(path, True) as logs:
        logging.getLogger("allthepoints.other").debug("now it is")
        logging.getLogger("httpx2").debug("still not")
    assert len(said(logs, path)) == 3
    assert logs not in logging.getLogger().handlers


# -- the file ----------------------------------------------------------------------------------------------------------
def sizes(path: Path) -> list[int]:
    return [file.stat().st_size for file in sorted(path.parent.iterdir())]


def test_files_are_rotated_and_bounded_in_total(path: Path) -> None:
    file = BoundedFile(path, most=1000, files=3)
    for number in range(400):
        file.write(f"{number:03} {'x' * 40}\n".encode())
    file.close()
    names = ["allthepoints.log", "allthepoints.log.1", "allthepoints.log.2", "allthepoints.log.3"]
    assert sorted(entry.name for entry in path.parent.iterdir()) == names
    assert sum(sizes(path)) <= 4000
    assert all(entry.stat().st_mode & 0o777 == 0o600 for entry in path.parent.iterdir())
    newest = [line for name in reversed(names) for line in path.with_name(name).read_text().splitlines()]
    assert [int(line[:3]) for line in newest] == list(range(400 - len(newest), 400)), "the newest, in order"


def test_a_line_longer_than_a_file_is_cut(path: Path) -> None:
    file = BoundedFile(path, most=100, files=1)
    file.write(b"y" * 1000)
    file.close()
    assert sizes(path) == [100]


def test_an_older_log_that_is_too_large_goes_with_the_first_line(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"z" * 5000)
    file = BoundedFile(path, most=1000)
    file.write(b"new\n")
    file.close()
    assert path.read_bytes() == b"new\n"


def test_it_stays_bounded_where_it_cannot_be_renamed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = BoundedFile(path, most=1000)
    file.write(b"begin\n")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "in use by another program")

    monkeypatch.setattr(os, "replace", refuse)
    for _ in range(100):
        file.write(b"x" * 99 + b"\n")
    file.close()
    assert sum(sizes(path)) <= 1000


@pytest.mark.parametrize("gone", ["file", "folder", "moved"])
def test_a_file_that_is_taken_away_is_made_again(path: Path, gone: str) -> None:
    file = BoundedFile(path)
    file.write(b"first\n")
    if gone == "moved":
        path.rename(path.with_name("old"))
    else:
        path.unlink()
    if gone == "folder":
        path.parent.rmdir()
    file.write(b"second\n")
    file.close()
    assert path.read_bytes() == b"second\n"


def test_half_a_line_is_taken_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., int] = os.write
    file = BoundedFile(path)
    file.write(b"whole\n")
    left = [4]

    def full(handle: int, data: bytes) -> int:
        if not left:
            raise OSError(28, "No space left on device")
        return real(handle, bytes(data)[: left.pop()])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            file.write(b"not whole\n")
    file.write(b"whole again\n")
    file.close()
    assert path.read_bytes() == b"whole\nwhole again\n"


class Disk(BoundedFile):
    """Takes what it is given, or fails, or hangs."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.broken = False
        self.open_again = Event()
        self.open_again.set()
        self.reached = Event()

    def write(self, data: bytes) -> None:
        self.reached.set()
        self.open_again.wait(10)
        if self.broken:
            raise OSError(28, "No space left on device")
        self.lines += data.decode().splitlines()

    def close(self) -> None:
        self.lines.append("closed")


def until(holds: Callable[[], bool]) -> None:
    """The writer's thread has come so far."""
    for _ in range(10_000):
        if holds():
            return
        Event().wait(0.001)
    raise AssertionError("never")


def test_fc_33_a_full_disk_is_told_once_and_what_is_missing_is_told_when_it_heals() -> None:
    disk, failures = Disk(), list[str]()
    disk.broken = True

    def failed(error: OSError) -> None:
        failures.append(str(error.strerror))

    writer = Writer(disk, failed)
    for number in range(3):
        writer.put(f"lost {number}")
    until(lambda: writer._missed == 3)
    disk.broken = False
    writer.put("kept")
    writer.close(10)
    assert failures == ["No space left on device"]
    assert disk.lines == ["(lines missing here, because they could not be written: 3)", "kept", "closed"]


def test_fc_30_a_disk_that_hangs_holds_nobody_up_and_its_queue_is_bounded() -> None:
    disk = Disk()
    disk.open_again.clear()
    writer = Writer(disk, lambda error: None, waiting=5)
    writer.put("hangs")
    assert disk.reached.wait(10)
    for number in range(100):
        writer.put(str(number))
    assert len(writer._lines) == 5
    writer.close(0.0)  # nor does the end wait for it
    disk.open_again.set()
    writer.close(10)
    assert disk.lines == [
        "hangs",
        "(lines missing here, because they could not be written: 95)",
        *("0", "1", "2", "3", "4"),
        "closed",
    ]


def test_fc_33_a_log_that_cannot_be_written_is_told_to_who_listens(logs: Log, path: Path) -> None:
    heard, told = list[str](), Event()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())
            told.set()

    logs.listen(Listener(logging.WARNING))
    log.info("first")
    until(lambda: path.stat().st_size > 0)
    path.unlink()
    path.mkdir()
    log.info("second")
    assert told.wait(10)
    log.info("third")
    assert heard == ["the log file cannot be written (Is a directory); everything else goes on"]
