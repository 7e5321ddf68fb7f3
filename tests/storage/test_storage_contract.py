"""The contract of `ports.Storage`, against both implementations; and both against each other."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allthepoints.base.types import ItemId, Login, SeId, StreamId, UserId
from allthepoints.core import records as r
from allthepoints.core.loyalty import Balance, Item, Loyalty
from allthepoints.core.model import ChannelRef, Stream, StreamKind, Why
from allthepoints.core.redeem import Reason, Redemption, State
from allthepoints.ports import Storage
from allthepoints.storage.database import Database, SqliteStorage
from allthepoints.testing.memory_storage import Memory, MemoryStorage
from allthepoints.testing.storage_contract import CASES, T0, Start


@pytest.fixture(params=["memory", "sqlite"])
async def start(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Start]:
    memory, opened = Memory(), list[Storage]()

    async def begin() -> Storage:
        if request.param == "memory":
            opened.append(MemoryStorage(memory))
        else:
            opened.append(await SqliteStorage.open(tmp_path / "allthepoints.db", T0))
        return opened[-1]

    yield begin
    for storage in opened:
        await storage.aclose()


@pytest.mark.anyio
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
async def test_contract(case: Callable[[Start], Awaitable[None]], start: Start) -> None:
    await case(start)


times = st.floats(T0 - 3600, T0 + 3600)
ids = st.sampled_from(["1", "2", "3"]).map(UserId)
streams = st.sampled_from(["s1", "s2", "s3", "s4"]).map(StreamId)
logins = st.sampled_from(["alpha", "beta", "gamma"]).map(Login)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=140)
refs = st.builds(ChannelRef, ids, logins, words)
wholes = st.integers(-(2**31), 2**31)
items = st.builds(
    Item,
    st.sampled_from(["i1", "i2", "i3"]).map(ItemId),
    words,
    wholes,
    stock=st.none() | wholes,
    enabled=st.booleans(),
    asks=st.lists(words, max_size=2).map(tuple),
    sources=st.frozensets(st.sampled_from(["website", "bot", "extension"])),
    order=st.integers(0, 2),
)
redemptions = st.builds(
    Redemption,
    st.sampled_from(["k1", "k2", "k3"]),
    ids,
    logins,
    st.just(ItemId("i1")),
    wholes,
    times,
    st.sampled_from(State),
    answers=st.lists(words, max_size=2).map(tuple),
    message=words,
    known=st.lists(words, max_size=2).map(tuple),
    sent_at=st.none() | times,
    code=st.none() | words,
    reason=st.none() | st.sampled_from(Reason),
    text=words,
    account=st.none() | st.just(SeId("5f")),
    account_login=logins,
    ahead=st.none() | st.floats(-1e5, 1e5),
    by_hand=st.booleans(),
)
loyalties = st.builds(
    Loyalty, words, st.booleans(), st.none() | wholes, st.none() | st.floats(1, 1e6), wholes, st.frozensets(logins)
)
records = st.one_of(
    st.builds(r.Event, times, st.sampled_from(r.EventKind), st.none() | ids, st.just({}) | st.just({"stream": "s1"})),
    st.builds(r.ChannelKnown, times, refs, st.none() | st.integers(0, 5)),
    st.builds(r.SessionOpened, times, st.builds(Stream, streams, refs, st.sampled_from(StreamKind), words, times)),
    st.builds(r.SessionClosed, times, ids, streams),
    st.builds(r.PresenceOpened, times, ids, st.none() | streams),
    st.builds(r.PresenceClosed, times, ids, words),
    st.builds(
        r.RefusalSet,
        times,
        ids,
        st.sampled_from(Why),
        words,
        st.none() | streams,
        st.none() | times,
        st.integers(1, 9),
    ),
    st.builds(r.RefusalCleared, times, ids),
    st.builds(r.AttemptsSpent, times, st.sampled_from(["join", "login"]), st.integers(1, 5)),
    st.builds(r.LoyaltyKnown, times, ids, st.none() | st.just(SeId("5e")), st.none() | loyalties),
    st.builds(r.BalanceKnown, times, ids, st.builds(Balance, wholes, st.none() | wholes, st.none() | wholes)),
    st.builds(r.LedgerEntry, times.map(lambda at: at * 3), ids, st.sampled_from(r.Change), wholes, wholes),
    st.builds(r.ItemKnown, times, ids, items),
    st.builds(r.ItemGone, times, ids, st.sampled_from(["i1", "i2", "i4"]).map(ItemId)),
    st.builds(r.RedemptionKept, times, redemptions),
    st.builds(r.Noted, times, words, st.none() | words),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.lists(records, max_size=8), times), max_size=6))
def test_sqlite_remembers_what_memory_does(batches: list[tuple[Sequence[r.Record], float]]) -> None:
    async def same() -> None:
        memory = MemoryStorage()
        with tempfile.TemporaryDirectory() as folder:
            database = Database(Path(folder) / "allthepoints.db", T0)
            database._connection.execute("PRAGMA synchronous = OFF")
            for batch, at in batches:
                database.record(batch, at)
                await memory.record(batch, at)
            assert database.load() == await memory.load()
            rows = database._connection.execute("SELECT channel, stream, began_at, ended_at, why FROM presence")
            kept = [(i.channel, i.stream, i.began_at, i.ended_at, i.why) for i in memory.memory.presence]
            assert rows.fetchall() == kept
            prices = database._connection.execute("SELECT channel, item, at, cost FROM prices ORDER BY id")
            assert prices.fetchall() == memory.memory.prices
            database.close()

    asyncio.run(same())
