"""What readers in other processes see; bounds, clocks and encodings of what is written."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allthepoints.base.errors import FaultError
from allthepoints.base.types import Login, StreamId, UserId
from allthepoints.core import records as r
from allthepoints.core.model import ChannelRef, Stream, StreamKind, Why
from allthepoints.ports import ChannelRow, Request
from allthepoints.storage import read
from allthepoints.storage.ask import ask
from allthepoints.storage.database import Database, SqliteStorage
from allthepoints.storage.read import PresenceRow, Reader, RefusalRow, SessionRow, Status
from allthepoints.storage.text import BOUND, from_json, to_json

T0 = 1_700_000_000.0
ALPHA = ChannelRef(UserId("1"), Login("alpha"), "Alpha")
BETA = ChannelRef(UserId("2"), Login("beta"), "アルファ 🌊 휴")
S1 = Stream(StreamId("s1"), ALPHA, StreamKind.LIVE, "Prestige 4 🌊 휴", T0 - 60)
ROW = ChannelRow(ALPHA.id, ALPHA.login, "Alpha", True, "present", None, T0, T0 - 60, 0, "Prestige 4 🌊 휴")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "allthepoints.db"


def written(path: Path, *records: r.Record, at: float = T0) -> Reader:
    database = Database(path, at)
    database.record(records, at)
    database.close()
    return Reader(path)


def test_no_file_has_empty_answers(path: Path) -> None:
    reader = Reader(path)
    assert reader.status() == Status()
    assert reader.status().account is None
    assert reader.events() == reader.channels() == reader.refusals() == ()
    assert reader.sessions(ALPHA.id) == reader.presence(ALPHA.id, 0, T0) == ()
    assert reader.named(ALPHA.login) is None
    path.touch()
    assert reader.status() == Status()
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"{}", b"not a database " * 100])
def test_fc_33_a_reader_changes_nothing_in_a_bad_file(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(FaultError, match="not a database"):
        Reader(path).status()
    path.unlink()
    path.mkdir()
    with pytest.raises(FaultError, match="is a folder"):
        Reader(path).status()


def test_status_is_what_the_run_shows(path: Path) -> None:
    database = Database(path, T0)
    unknown = ChannelRow(BETA.id, BETA.login, BETA.display, None, "waiting", "no room free", T0 + 0.5)
    offline = ChannelRow(UserId("3"), Login("gamma"), "Gamma", False, "absent")
    database.record(
        [],
        T0 + 1,
        channel_rows=[unknown, offline, ROW],
        service={"account": {"user_id": "9", "login": "me"}, "chat": {"connections": 2}},
    )
    while_running = Reader(path).status()
    assert while_running.alive == T0 + 1
    assert while_running.account == {"user_id": "9", "login": "me"}
    assert while_running.service["chat"] == {"connections": 2}
    assert while_running.channels == (ROW, unknown, offline)
    database.record([], T0 + 2, channel_rows=[replace(ROW, state="leaving")], gone=[BETA.id, offline.id])
    database.close()
    assert Reader(path).status().channels == (replace(ROW, state="leaving"),)


def test_a_new_run_shows_nothing_of_the_last(path: Path) -> None:
    database = Database(path, T0)
    database.record([], T0, channel_rows=[ROW])
    database.load()
    assert Reader(path).status().channels == ()
    database.close()


def test_a_crashed_presence_ends_at_the_last_sign_of_life(path: Path) -> None:
    database = Database(path, T0)
    database.record([r.PresenceOpened(T0, ALPHA.id, StreamId("s1"))], T0)
    database.record([], T0 + 40)
    again = Database(path, T0 + 5000)
    again.load()
    expected = PresenceRow(ALPHA.id, StreamId("s1"), T0, T0 + 40, "crash")
    assert Reader(path).presence(ALPHA.id, 0, T0 * 2) == (expected,)
    database.close()
    again.close()


def test_fc_34_order_is_that_of_telling_not_of_the_clock(path: Path) -> None:
    """The clock is set back an hour between two records."""
    database = Database(path, T0)
    times = [T0, T0 + 10, T0 - 3590, T0 - 3580]
    for at in times:
        database.record([r.Event(at, r.EventKind.STARTED)], at)
    assert [event.at for event in Reader(path).events()] == times
    assert Reader(path).status().alive == times[-1]
    database.record([r.PresenceOpened(T0, ALPHA.id, None), r.PresenceClosed(T0 - 3600, ALPHA.id, "lost")], T0 - 3600)
    assert Reader(path).presence(ALPHA.id, 0, T0 * 2) == (PresenceRow(ALPHA.id, None, T0, T0, "lost"),)
    database.close()


@pytest.mark.parametrize("zone", ["Europe/Rome", "America/New_York", "UTC"])
def test_fc_34_the_zone_of_a_process_does_not_matter(path: Path, zone: str) -> None:
    """2026-10-25 02:30 happens twice in Rome: the two are an hour apart here, whatever zone the reader runs in."""
    first = 1_792_888_200.0
    written(path, *(r.Event(at, r.EventKind.LIVE) for at in (first, first + 3600)))
    code = (
        "import sys; from pathlib import Path; from allthepoints.storage.read import Reader\n"
        "print([event.at for event in Reader(Path(sys.argv[1])).events()])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, env={"TZ": zone}
    )
    assert done.stdout.strip() == str([first, first + 3600])


def test_fc_35_titles_come_back_as_they_were(path: Path) -> None:
    reader = written(path, r.ChannelKnown(T0, BETA, 0), r.SessionOpened(T0, replace(S1, channel=BETA)))
    assert reader.sessions(BETA.id)[0].title == "Prestige 4 🌊 휴"
    assert reader.channels()[0].display == "アルファ 🌊 휴"


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=700))
def test_fc_35_any_text_can_be_stored(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("text") / "allthepoints.db"
    database = Database(path, T0)
    database._connection.execute("PRAGMA synchronous = OFF")
    records: list[r.Record] = [
        r.SessionOpened(T0, replace(S1, title=text, channel=replace(ALPHA, display=text))),
        r.Event(T0, r.EventKind.HELIX_FAILED, None, {"error": text}),
        r.RefusalSet(T0, ALPHA.id, Why.OTHER, text, None, None),
    ]
    row = replace(ROW, title=text, reason=text)
    database.record(records, T0, channel_rows=[row], service={"warning": text})
    database.close()
    title = Reader(path).sessions(ALPHA.id)[0].title
    assert len(title) <= BOUND
    if len(text) <= BOUND and text.encode("utf-8", "replace").decode() == text:
        assert title == text
        assert Reader(path).events()[0].data == {"error": text}
        assert Reader(path).status().channels == (row,)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    )
)
def test_json_values_come_back(value: object) -> None:
    assert from_json(to_json(value)) == value


def test_events_are_chosen(path: Path) -> None:
    kinds = [r.EventKind.LIVE, r.EventKind.PRESENT, r.EventKind.OFFLINE]
    events = [r.Event(T0 + n, kinds[n % 3], (ALPHA.id, None)[n % 2], {"n": n}) for n in range(12)]
    reader = written(path, r.ChannelKnown(T0, ALPHA, 0), *events)
    assert [event.data["n"] for event in reader.events(limit=3)] == [9, 10, 11]
    after = reader.events()[8].id
    assert [event.data["n"] for event in reader.events(since_id=after)] == [9, 10, 11]
    assert [event.data["n"] for event in reader.events(limit=2, since_id=0)] == [0, 1]
    assert [event.data["n"] for event in reader.events(kinds=["live", "offline"], limit=3)] == [8, 9, 11]
    assert [event.login for event in reader.events(channel=ALPHA.id, limit=2)] == ["alpha", "alpha"]
    assert reader.events(limit=0) == reader.events(limit=-1) == reader.events(kinds=["no such kind"]) == ()


def test_fc_16_a_renamed_channel_is_one_row_with_its_names(path: Path) -> None:
    new = replace(ALPHA, login=Login("alpha2"), display="Alpha2")
    taker = ChannelRef(UserId("77"), ALPHA.login, "Alpha")
    reader = written(
        path,
        r.ChannelKnown(T0, ALPHA, 3),
        r.Event(T0, r.EventKind.LIVE, ALPHA.id),
        r.ChannelKnown(T0 + 1, new, 3),
        r.ChannelKnown(T0 + 2, new, 2),
    )
    assert [(known.id, known.logins, known.first_seen, known.last_seen) for known in reader.channels()] == [
        ("1", ("alpha", "alpha2"), T0, T0 + 2)
    ]
    assert reader.named(Login("alpha")) == reader.named(Login("alpha2")) == ALPHA.id
    assert reader.events()[0].login == "alpha2"
    reader = written(path, r.ChannelKnown(T0 + 3, taker, None))
    assert reader.named(Login("alpha")) == taker.id


def test_refusals_sessions_and_presence(path: Path) -> None:
    reader = written(
        path,
        r.ChannelKnown(T0, ALPHA, 0),
        r.RefusalSet(T0, ALPHA.id, Why.BANNED, "no", None, None),
        r.RefusalSet(T0 + 1, BETA.id, Why.ROOM_LIMIT, "", None, T0 + 60, 2),
        r.SessionOpened(T0, S1),
        r.SessionClosed(T0 + 100, ALPHA.id, S1.id),
        r.SessionOpened(T0 + 200, replace(S1, id=StreamId("s2"), started_at=T0 + 190)),
        r.PresenceOpened(T0, ALPHA.id, S1.id),
        r.PresenceClosed(T0 + 100, ALPHA.id, "offline"),
        r.PresenceOpened(T0 + 200, ALPHA.id, StreamId("s2")),
    )
    assert reader.refusals() == (
        RefusalRow(BETA.id, None, None, T0 + 1, "room_limit", "", T0 + 60, 2),
        RefusalRow(ALPHA.id, ALPHA.login, "Alpha", T0, "banned", "no", None, 1),
    )
    assert reader.sessions(ALPHA.id)[1] == SessionRow(S1.id, ALPHA.id, "live", S1.title, T0 - 60, T0, T0 + 100)
    assert [row.stream for row in reader.sessions(ALPHA.id, limit=1)] == ["s2"]
    cases = {(0, T0): [], (0, T0 + 1): ["s1"], (T0 + 99, T0 + 201): ["s1", "s2"], (T0 + 100, T0 + 200): []}
    for (begin, end), streams in cases.items():
        assert [row.stream for row in reader.presence(ALPHA.id, begin, end)] == streams


def test_a_command_asks_and_the_service_finds_it(path: Path) -> None:
    with pytest.raises(FaultError, match="no database"):
        ask(path, "retry", ALPHA.login, T0)
    database = Database(path, T0)
    first, second = ask(path, "retry", ALPHA.login, T0 + 1), ask(path, "reload", None, T0 + 2)
    assert database.requests() == (
        Request(first, T0 + 1, "retry", ALPHA.login),
        Request(second, T0 + 2, "reload", None),
    )
    database.record([r.Event(T0, r.EventKind.RETRIED)], T0 + 3, done=[first])
    assert [request.id for request in database.requests()] == [second]
    database.close()


@pytest.mark.anyio
async def test_the_event_loop_goes_on_while_the_disk_is_slow(path: Path) -> None:
    storage = await SqliteStorage.open(path, T0)
    blocker = Database(path, T0)
    blocker._connection.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(storage.record([r.Event(T0, r.EventKind.STARTED)], T0))
    turns = 0
    while turns < 1000:
        await asyncio.sleep(0)  # noqa: TID251
        turns += 1
    assert not writing.done()
    blocker._connection.execute("COMMIT")
    await writing
    blocker.close()
    await storage.aclose()
    await storage.aclose()
    assert len(Reader(path).events()) == 1


@pytest.mark.anyio
async def test_calls_are_done_in_the_order_asked_on_one_thread(path: Path) -> None:
    storage = await SqliteStorage.open(path, T0)
    calls = [storage.record([r.Event(T0, r.EventKind.LIVE, None, {"n": n})], T0) for n in range(30)]
    await asyncio.gather(*calls)
    assert [event.data["n"] for event in Reader(path).events()] == list(range(30))
    await storage.aclose()


@pytest.mark.anyio
async def test_all_work_goes_through_the_loops_executor(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event loop on simulated time waits for such jobs, and for no others."""
    loop, jobs = asyncio.get_running_loop(), []
    real = loop.run_in_executor

    def counted(executor: Executor, job: object, *args: object) -> object:
        jobs.append(executor)
        return real(executor, job, *args)

    monkeypatch.setattr(loop, "run_in_executor", counted)
    storage = await SqliteStorage.open(path, T0)
    await storage.load()
    await storage.record([], T0)
    await storage.requests()
    await storage.aclose()
    assert len(jobs) == 5
    assert None not in jobs


@pytest.mark.anyio
async def test_a_database_that_cannot_be_opened_leaves_no_thread(path: Path) -> None:
    with pytest.raises(FaultError, match="is a folder"):
        await SqliteStorage.open(path.parent, T0)
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("storage")]
    for thread in threads:
        thread.join(5)  # it is on its way out; one that waited for work would never end
    assert not any(thread.is_alive() for thread in threads)


def test_readers_start_fast() -> None:
    heavy = "{'httpx2', 'rich', 'typer', 'asyncio', 'ssl', 'allthepoints.irc.session'}"
    code = f"import sys, allthepoints.storage.read_points; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_what_is_made_while_it_is_looked_at_is_not_half_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that starts for the first time makes its tables between two looks of a reader: all of it is from
    before, or all from after."""
    bare = apsw.Connection(str(path))
    bare.execute("PRAGMA journal_mode = wal")
    look, made = read.version_of, []

    def slow(connection: apsw.Connection) -> int:
        have = look(connection)
        if not made:
            made.append(written(path, r.ChannelKnown(T0, ALPHA, 0)))
        return have

    monkeypatch.setattr(read, "version_of", slow)
    assert Reader(path).channels() == ()
    assert [known.login for known in Reader(path).channels()] == ["alpha"]
    bare.close()
