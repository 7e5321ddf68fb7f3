"""What every `ports.Storage` must do. `CASES` are run against each implementation: memory and SQLite.

A case gets `start`: each call answers a storage on the same memory, as a new process would find it. The storage before
may have been closed or not (then the process was killed).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from allthepoints.base.types import ItemId, Login, SeId, StreamId, UserId
from allthepoints.core import records as r
from allthepoints.core.loyalty import Balance, Item, Loyalty
from allthepoints.core.model import ChannelRef, Stream, StreamKind, Why
from allthepoints.core.redeem import Reason, Redemption, State
from allthepoints.ports import Storage

Start = Callable[[], Awaitable[Storage]]

T0 = 1_700_000_000.0
ALPHA = ChannelRef(UserId("1"), Login("alpha"), "Alpha")
BETA = ChannelRef(UserId("2"), Login("beta"), "アルファ 🌊 휴")
S1 = Stream(StreamId("s1"), ALPHA, StreamKind.LIVE, "Prestige 4 🌊 휴", T0 - 60.125)
S2 = Stream(StreamId("s2"), BETA, StreamKind.RERUN, "", T0 - 30.5)
DAY = 86_400.0
SE = SeId("61aa0f2c9e4b7d0012c0ffee")
ACORNS = Loyalty("acorns 🌰", True, 5, 600.0, 2, frozenset({Login("nightbot"), Login("moobot")}))
MAP = Item(
    ItemId("64b0c1d2e3f4a5b6c7d8e9f0"),
    "Pick the next <map> 🗺",
    1500,
    "Works once per stream",
    "perk",
    3,
    600.0,
    60.5,
    True,
    True,
    ("Map name", "Why?"),
    True,
    frozenset({"website", "bot"}),
    2,
)
CODE = Item(ItemId("64b0c1d2e3f4a5b6c7d8e9f1"), "A code", 0, kind="code", order=1)
SENT = Redemption(
    "k1",
    ALPHA.id,
    ALPHA.login,
    MAP.id,
    1500,
    T0 + 0.125,
    State.SENT,
    SE,
    MAP.name,
    ("Dust", "x" * 900),
    "thanks! " * 200,
    True,
    False,
    T0 + 1.5,
    None,
    ("r0", "r1"),
    1845,
    account=SeId("5f0e0d0c0b0a090807060504"),
    account_login="quietviewer",
    ahead=-0.25,
)


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


async def a_purse_comes_back(start: Start) -> None:
    """Settings, balance, ledger and store of a channel, each as it was last told."""
    storage = await start()
    opening = r.LedgerEntry(T0 + 0.5, ALPHA.id, r.Change.OPENING, 0, 1840)
    earned = r.LedgerEntry(T0 + 300.25, ALPHA.id, r.Change.EARNED, 5, 1845)
    await storage.record(
        [
            r.LoyaltyKnown(T0, ALPHA.id, SE),
            r.LoyaltyKnown(T0 + 1, ALPHA.id, SE, ACORNS),
            r.LoyaltyKnown(T0 + 2, BETA.id, None),
            r.BalanceKnown(T0 + 0.5, ALPHA.id, Balance(1840, 615, 212, 1290)),
            opening,
            r.ItemKnown(T0 + 3, ALPHA.id, MAP),
            r.ItemKnown(T0 + 4, ALPHA.id, CODE),
            r.BalanceKnown(T0 + 300.3, ALPHA.id, Balance(1845)),
            earned,
        ],
        T0 + 301,
    )
    await storage.aclose()
    assert (await (await start()).load()).purses == (
        r.PurseKept(ALPHA.id, T0 + 1, SE, ACORNS, Balance(1845), T0 + 300.3, (opening, earned), (CODE, MAP), T0 + 4),
        r.PurseKept(BETA.id, T0 + 2, None),
    )


async def a_purse_of_which_little_is_known(start: Start) -> None:
    """Whatever is told first is enough for one."""
    storage = await start()
    entry = r.LedgerEntry(T0, BETA.id, r.Change.ADJUSTED, -7, 3)
    gone = UserId("3")
    await storage.record(
        [
            r.BalanceKnown(T0, ALPHA.id, Balance(0)),
            entry,
            r.ItemGone(T0, ALPHA.id, MAP.id),
            r.ItemKnown(T0, gone, MAP),
            r.ItemGone(T0 + 9, gone, MAP.id),
        ],
        T0,
    )
    assert (await storage.load()).purses == (
        r.PurseKept(ALPHA.id, 0.0, None, balance=Balance(0), seen_at=T0),
        r.PurseKept(BETA.id, 0.0, None, entries=(entry,)),
        r.PurseKept(gone, 0.0, None, items_at=T0 + 9),
    )


async def entries_of_the_last_hours_in_their_order(start: Start) -> None:
    """FC-34. Each channel's last three hours, in the order in which they were made, whatever the clock did."""
    storage = await start()
    times = [T0, T0 + 1.0, T0 + 10_800, T0 + 10_801, T0 + 7_201, T0 + 7_201, T0 + 10_801.4]
    entries = [r.LedgerEntry(at, ALPHA.id, r.Change.EARNED, 5, 5 * n) for n, at in enumerate(times)]
    other = r.LedgerEntry(T0 - 50 * DAY, BETA.id, r.Change.SPENT, -5, 1)
    await storage.record([other, *entries], T0)
    purses = (await storage.load()).purses
    assert [purse.entries for purse in purses] == [tuple(entries[2:]), (other,)]


async def an_item_that_is_gone_may_come_back(start: Start) -> None:
    """FC-49. It is the same item, by its id."""
    storage = await start()
    await storage.record([r.ItemKnown(T0, ALPHA.id, MAP), r.ItemKnown(T0, ALPHA.id, CODE)], T0)
    await storage.record([r.ItemGone(T0 + 1, ALPHA.id, MAP.id), r.ItemGone(T0 + 2, ALPHA.id, MAP.id)], T0)
    assert [(purse.items, purse.items_at) for purse in (await storage.load()).purses] == [((CODE,), T0 + 1)]
    back = replace(MAP, name="again", cost=1)
    await storage.record([r.ItemKnown(T0 + 3, ALPHA.id, back)], T0)
    assert [purse.items for purse in (await storage.load()).purses] == [(CODE, back)]


async def presence_since_the_last_balance_comes_back(start: Start) -> None:
    """What came in that time was earned, whoever reads the balance next."""
    storage = await start()
    who = ALPHA.id
    await storage.record([r.BalanceKnown(T0, who, Balance(100)), r.PresenceOpened(T0 - 60, who, None)], T0)
    await storage.record([r.PresenceClosed(T0 + 300, who, "parted"), r.PresenceOpened(T0 + 400, who, None)], T0 + 400)
    await storage.record([r.PresenceClosed(T0 + 450, who, "parted")], T0 + 460)
    (purse,) = (await storage.load()).purses
    assert (purse.present_s, purse.left_at) == (350.0, T0 + 450)
    await storage.record([r.BalanceKnown(T0 + 500, who, Balance(105))], T0 + 500)
    (purse,) = (await storage.load()).purses
    assert (purse.present_s, purse.left_at) == (0.0, 0.0)


async def redemptions_come_back_to_the_last_letter(start: Start) -> None:
    """FC-48. What was to be sent, what stood there before, the code: nothing is cut, and nothing is decided."""
    storage = await start()
    await storage.record([r.RedemptionKept(T0, replace(SENT, state=State.CONFIRMED, sent_at=None))], T0)
    await storage.record([r.RedemptionKept(T0 + 1.5, SENT)], T0 + 1.5)
    restored = await (await start()).load()
    assert restored.redemptions == (SENT,)
    settled = replace(SENT, state=State.ACCEPTED, settled_at=T0 + 3, bought="r2", code="ABCD-" * 200)
    refused = replace(SENT, key="k2", state=State.REJECTED, reason=Reason.REFUSED, text="Item is Out of stock", se=None)
    await storage.record([r.RedemptionKept(T0 + 3, refused), r.RedemptionKept(T0 + 3, settled)], T0 + 3)
    assert (await storage.load()).redemptions == (settled, refused)


async def redemptions_are_given_back_while_they_matter(start: Start) -> None:
    """Those that are settled for three days, those that are not for ever; all of them are kept."""
    storage = await start()
    last = replace(SENT, key="last", state=State.ACCEPTED, asked_at=T0)
    await storage.record([r.RedemptionKept(T0, last)], T0)
    for state in State:
        old = replace(SENT, key=f"old {state}", state=state, asked_at=T0 - 3 * DAY - 1)
        new = replace(SENT, key=f"new {state}", state=state, asked_at=T0 - 3 * DAY)
        await storage.record([r.RedemptionKept(T0, old), r.RedemptionKept(T0, new)], T0)
    keys = {redemption.key for redemption in (await storage.load()).redemptions}
    assert keys == {"last"} | {f"new {state}" for state in State} | {
        f"old {state}" for state in (State.PROPOSED, State.CONFIRMED, State.SENT, State.UNKNOWN)
    }


async def a_clock_that_ran_ahead_loses_no_day_of_redemptions(start: Start) -> None:
    """A sign of life of next week must not hide what was bought today: a day's budget counts it."""
    storage = await start()
    bought = replace(SENT, state=State.ACCEPTED, asked_at=T0)
    await storage.record([r.RedemptionKept(T0, bought)], T0)
    await storage.record([], T0 + 7 * DAY)
    assert (await (await start()).load()).redemptions == (bought,)


async def notes_are_kept_until_forgotten(start: Start) -> None:
    """The last one told of a key is the one."""
    storage = await start()
    await storage.record([r.Noted(T0, "b", "1"), r.Noted(T0, "a", "0"), r.Noted(T0, "c", "")], T0)
    await storage.record([r.Noted(T0, "b", "2"), r.Noted(T0, "a", None), r.Noted(T0, "none", None)], T0)
    assert (await storage.load()).notes == (("b", "2"), ("c", ""))


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
    a_purse_comes_back,
    a_purse_of_which_little_is_known,
    entries_of_the_last_hours_in_their_order,
    an_item_that_is_gone_may_come_back,
    redemptions_come_back_to_the_last_letter,
    presence_since_the_last_balance_comes_back,
    redemptions_are_given_back_while_they_matter,
    a_clock_that_ran_ahead_loses_no_day_of_redemptions,
    notes_are_kept_until_forgotten,
)
