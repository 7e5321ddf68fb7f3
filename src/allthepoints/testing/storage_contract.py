"""What every `ports.Storage` must do. `CASES` are run against each implementation: memory and SQLite.

A case gets `start`: each call answers a storage on the same memory, as a new process would find it. The storage before
may have been closed or not (then the process was killed).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from allthepoints.base.types import Login, StreamId, UserId
from allthepoints.core import records as r
from allthepoints.core.model import ChannelRef, Stream, StreamKind, Why
from allthepoints.ports import Storage

Start = Callable[[], Awaitable[Storage]]

T0 = 1_700_000_000.0
ALPHA = ChannelRef(UserId("1"), Login("alpha"), "Alpha")
BETA = ChannelRef(UserId("2"), Login("beta"), "アルファ 🌊 휴")
S1 = Stream(StreamId("s1"), ALPHA, StreamKind.LIVE, "Prestige 4 🌊 휴", T0 - 60.125)
S2 = Stream(StreamId("s2"), BETA, StreamKind.RERUN, "", T0 - 30.5)


async def nothing_at_first(start: Start) -> None:
    """A fresh memory remembers nothing."""
    storage = await start()
    assert await storage.load() == r.Restored()
    assert await storage.requests() == ()


async def gives_back_what_was_recorded(start: Start) -> None:
    """In the same values, to the last bit of a time and the last sign of a name."""
    storage = await start()
    refusal = r.RefusalSet(T0 + 0.1, BETA.id, Why.BANNED, "You are banned.", StreamId("s2"), T0 + 900.7, 3)
    first: list[r.Record] = [
        r.ChannelKnown(T0, ALPHA, 1),
        r.ChannelKnown(T0 + 1e-6, BETA, 0),
        r.SessionOpened(T0, S1),
        r.SessionOpened(T0 + 1, S2),
        refusal,
        r.AttemptsSpent(T0 + 0.3, "join", 2),
        r.AttemptsSpent(T0 + 0.2, "login", 1),
    ]
    await storage.record(first, T0 + 2, service={"account": {"user_id": "9", "login": "me"}})
    await storage.aclose()
    restored = await (await start()).load()
    assert restored == r.Restored(
        account=UserId("9"),
        channels=(r.ChannelKnown(T0 + 1e-6, BETA, 0), r.ChannelKnown(T0, ALPHA, 1)),
        refusals=(refusal,),
        open_sessions=(r.SessionOpened(T0, S1), r.SessionOpened(T0 + 1, S2)),
        names=((ALPHA.login, ALPHA.id), (BETA.login, BETA.id)),
        joins=(T0 + 0.3, T0 + 0.3),
        logins=(T0 + 0.2,),
        alive_at=T0 + 2,
    )


async def survives_a_kill(start: Start) -> None:
    """What `record` returned from is there, though nobody closed anything."""
    storage = await start()
    await storage.load()
    await storage.record([r.SessionOpened(T0, S1)], T0)
    assert (await (await start()).load()).open_sessions == (r.SessionOpened(T0, S1),)


async def a_closed_session_is_over(start: Start) -> None:
    """And one that is seen again goes on, from its first sight."""
    storage = await start()
    await storage.record([r.SessionOpened(T0, S1), r.SessionClosed(T0 + 5, ALPHA.id, S1.id)], T0 + 5)
    assert (await storage.load()).open_sessions == ()
    await storage.record([r.SessionOpened(T0 + 9, replace(S1, title="again"))], T0 + 9)
    assert (await storage.load()).open_sessions == (r.SessionOpened(T0, replace(S1, title="again")),)


async def a_rename_keeps_the_channel(start: Start) -> None:
    """FC-16. One row, both names, and the open session under the new one."""
    storage = await start()
    new = ChannelRef(ALPHA.id, Login("alpha2"), "Alpha2")
    taker = ChannelRef(UserId("77"), ALPHA.login, "Alpha")
    await storage.record([r.ChannelKnown(T0, ALPHA, None), r.SessionOpened(T0, S1)], T0)
    await storage.record([r.ChannelKnown(T0 + 1, new, None), r.ChannelKnown(T0 + 2, taker, None)], T0 + 2)
    restored = await storage.load()
    assert [known.ref for known in restored.channels] == [new, taker]
    assert restored.names == ((ALPHA.login, ALPHA.id), (new.login, ALPHA.id), (ALPHA.login, taker.id))
    assert [opened.stream.channel for opened in restored.open_sessions] == [new]


async def a_live_alert_is_told_once(start: Start) -> None:
    """FC-22. The last session that was announced is remembered by its stream id."""
    storage = await start()
    live = r.Event(T0, r.EventKind.LIVE, ALPHA.id, {"stream": "s0"})
    await storage.record([live, replace(live, data={"stream": "s1"}), r.Event(T0, r.EventKind.LIVE, BETA.id)], T0)
    assert (await storage.load()).told == ((ALPHA.id, StreamId("s1")),)


async def one_refusal_a_channel(start: Start) -> None:
    """The newer replaces the older; cleared is gone."""
    storage = await start()
    old = r.RefusalSet(T0, ALPHA.id, Why.UNANSWERED, "", None, None)
    new = r.RefusalSet(T0 + 1, ALPHA.id, Why.SUSPENDED, "gone", None, None, 2)
    await storage.record([old, new, replace(old, channel=BETA.id), r.RefusalCleared(T0 + 1, BETA.id)], T0 + 1)
    assert (await storage.load()).refusals == (new,)


async def attempts_are_kept_as_long_as_they_count(start: Start) -> None:
    """Budgets outlive the process, and do not pile up."""
    storage = await start()
    await storage.record([r.AttemptsSpent(T0, "join", 3)], T0)
    await storage.record([r.AttemptsSpent(T0 + 400, "join", 1)], T0 + 400)
    assert (await storage.load()).joins == (T0, T0, T0, T0 + 400)
    await storage.record([], T0 + 900)
    assert (await storage.load()).joins == (T0 + 400,)


async def the_account_may_change(start: Start) -> None:
    """The last one told is the one."""
    storage = await start()
    await storage.record([], T0, service={"account": {"user_id": "9", "login": "me"}, "chat": {"present": 1}})
    await storage.record([], T0, service={"chat": {"present": 2}})
    assert (await storage.load()).account == UserId("9")
    await storage.record([], T0, service={"account": None})
    assert (await storage.load()).account is None


async def odd_orders_are_taken(start: Start) -> None:
    """A record about something that was never told of changes nothing else."""
    storage = await start()
    await storage.record(
        [
            r.PresenceClosed(T0, ALPHA.id, "lost"),
            r.SessionClosed(T0, ALPHA.id, S1.id),
            r.RefusalCleared(T0, ALPHA.id),
            r.PresenceOpened(T0, ALPHA.id, None),
            r.PresenceOpened(T0 - 5, ALPHA.id, S1.id),
            r.PresenceClosed(T0 - 9, ALPHA.id, "lost"),
        ],
        T0 - 9,
        gone=[ALPHA.id],
        done=[17],
    )
    assert await storage.load() == r.Restored(alive_at=T0 - 9)


CASES: tuple[Callable[[Start], Awaitable[None]], ...] = (
    nothing_at_first,
    gives_back_what_was_recorded,
    survives_a_kill,
    a_closed_session_is_over,
    a_rename_keeps_the_channel,
    a_live_alert_is_told_once,
    one_refusal_a_channel,
    attempts_are_kept_as_long_as_they_count,
    the_account_may_change,
    odd_orders_are_taken,
)
