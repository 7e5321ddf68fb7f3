"""What a restart knows: the whole state, from what storage remembers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from allthepoints.base.types import ItemId, Login, SeId, StreamId, UserId
from allthepoints.core.elements import SHOWS_WITHIN, Elements, Purse
from allthepoints.core.ledger import Ledger, Rise
from allthepoints.core.loyalty import INTERVAL, Balance, Item, Loyalty
from allthepoints.core.model import ChannelRef, Stream, StreamKind, Why
from allthepoints.core.observed import Channel, Observed
from allthepoints.core.policy import JOIN_IN_FLIGHT
from allthepoints.core.records import (
    Change,
    ChannelKnown,
    LedgerEntry,
    PurseKept,
    RefusalSet,
    Restored,
    SessionOpened,
)
from allthepoints.core.redeem import Redemption, State
from allthepoints.core.refusals import Refusal
from allthepoints.core.restore import restore

T = 1_700_000_000.0
A, B, C, GONE = UserId("1"), UserId("2"), UserId("3"), UserId("9")
ALPHA, BETA, OLD = Login("alpha"), Login("beta"), Login("old")
REF_A, REF_B = ChannelRef(A, ALPHA, "Alpha"), ChannelRef(B, BETA, "Beta")
KNOWN = (ChannelKnown(T - 50, REF_A, 3), ChannelKnown(T - 60, REF_B, None))


def two() -> Observed:
    """Two channels, of which nothing more is known."""
    return Observed(
        channels={A: Channel(REF_A, 3), B: Channel(REF_B, None)},
        names={ALPHA: A, BETA: B},
        addresses={ALPHA: A, BETA: B},
    )


def stream(ref: ChannelRef, started_at: float = T - 3600) -> Stream:
    return Stream(StreamId(f"s{ref.id}"), ref, StreamKind.LIVE, "Title", started_at)


# -- channels ------------------------------------------------------------------------------------------------------
def test_of_nothing_nothing_is_known() -> None:
    assert restore(Restored(), T) == Observed()


def test_channels_are_known_by_all_their_names_and_are_at_one() -> None:
    assert restore(Restored(channels=KNOWN), T) == two()
    named = restore(Restored(channels=KNOWN, names=((OLD, A), (BETA, C), (OLD, B), (ALPHA, A))), T)
    assert named == replace(two(), names={OLD: A, BETA: C, ALPHA: A}), "the first that bore a name keeps it"
    assert list(named.names) == [OLD, BETA, ALPHA]


def test_refusals_stand_as_they_did() -> None:
    said = RefusalSet(T - 40, B, Why.ROOM_LIMIT, "full", StreamId("s"), T + 20, 4)
    elsewhere = replace(said, channel=GONE)
    expected = two()
    expected.channels[B].refusal = Refusal(Why.ROOM_LIMIT, T - 40, "full", StreamId("s"), T + 20, 4)
    assert restore(Restored(channels=KNOWN, refusals=(elsewhere, said)), T) == expected


@pytest.mark.parametrize(
    ("opened_at", "alive_at", "seen_at"),
    [
        (T - 900, T - 30, T - 30),
        (T - 900, 0.0, T - 900),
        (T - 900, T + 500, T),  # a clock that was set back
        (T + 60, T - 30, T + 60),
    ],
)
def test_who_was_live_is_taken_to_be_so_as_of_the_last_sign_of_life(
    opened_at: float, alive_at: float, seen_at: float
) -> None:
    unknown = ChannelRef(GONE, Login("gone"), "Gone")
    opened = (SessionOpened(opened_at, stream(unknown)), SessionOpened(opened_at, stream(REF_B)))
    expected = two()
    expected.channels[B] = Channel(REF_B, None, True, stream(REF_B), seen_at)
    expected.live = {B}
    assert restore(Restored(channels=KNOWN, open_sessions=opened, alive_at=alive_at), T) == expected


def test_what_was_told_and_whose_it_is() -> None:
    told = ((A, StreamId("s1")), (B, StreamId("s2")))
    assert restore(Restored(account=UserId("7"), told=told), T) == Observed(last_account=UserId("7"), told=dict(told))


def test_attempts_count_as_late_as_they_could_have_arrived() -> None:
    restored = restore(Restored(joins=(T - 5, T - 1, T + 9), logins=(T - 5, T + 9)), T)
    joins = (T - 5 + JOIN_IN_FLIGHT, T - 1 + JOIN_IN_FLIGHT, T + JOIN_IN_FLIGHT)
    assert restored == Observed(join_times=joins, login_times=(T - 5, T))


# -- points --------------------------------------------------------------------------------------------------------
SE = SeId("se")
MUG, CUP = Item(ItemId("mug"), "Mug", 100), Item(ItemId("cup"), "Cup", 50)
BARE = PurseKept(A, T - 700, SE)


def entries(*rows: tuple[float, Change, int]) -> tuple[LedgerEntry, ...]:
    return tuple(LedgerEntry(T + at, A, change, delta, 0) for at, change, delta in rows)


EARNED = entries((-1500.0, Change.EARNED, 10), (-1200.0, Change.EARNED, 10), (-900.0, Change.EARNED, 10))
ROWS = (Rise(T - 1500, 10, 0.0), Rise(T - 1200, 10, 300.0), Rise(T - 900, 10, 300.0))
FIVES = Loyalty(amount=5)
"""Two payments at each reading."""


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (BARE, Purse(A, SE, ALPHA, T - 700)),
        (replace(BARE, se=None), Purse(A, None, ALPHA, T - 700)),
        (replace(BARE, channel=GONE), Purse(GONE, SE, None, T - 700)),
        (
            replace(BARE, loyalty=Loyalty(amount=5, interval=120.0)),
            Purse(A, SE, ALPHA, T - 700, Loyalty(amount=5, interval=120.0), interval=120.0),
        ),
        (replace(BARE, seen_at=T - 60, entries=EARNED), Purse(A, SE, ALPHA, T - 700, balance_at=T - 60)),
        (
            replace(BARE, balance=Balance(900), seen_at=T - 60, entries=EARNED),
            Purse(
                A,
                SE,
                ALPHA,
                T - 700,
                balance=Balance(900),
                balance_at=T - 60,
                ledger=Ledger(900, T - 60, ROWS),
                interval=300.0,
            ),
        ),
        (
            replace(BARE, balance=Balance(900), seen_at=T - 60, entries=EARNED, loyalty=FIVES),
            Purse(
                A,
                SE,
                ALPHA,
                T - 700,
                FIVES,
                balance=Balance(900),
                balance_at=T - 60,
                ledger=Ledger(900, T - 60, ROWS),
                interval=120.0,
            ),
        ),
        (
            replace(BARE, balance=Balance(900)),
            Purse(A, SE, ALPHA, T - 700, balance=Balance(900), ledger=Ledger(900), interval=INTERVAL),
        ),
        (
            replace(BARE, items=(MUG, CUP), items_at=T - 90, present_s=77.0, left_at=T - 55),
            Purse(
                A,
                SE,
                ALPHA,
                T - 700,
                present_s=77.0,
                left_at=T - 55,
                items={MUG.id: MUG, CUP.id: CUP},
                items_at=T - 90,
            ),
        ),
    ],
)
def test_what_is_remembered_of_a_purse(kept: PurseKept, expected: Purse) -> None:
    o = restore(Restored(channels=KNOWN, purses=(kept,)), T)
    assert o.elements == Elements(purses={kept.channel: expected})


def test_redemptions_and_notes_are_all_there() -> None:
    kept = (redemption("k1", -30.0, 5), redemption("k2", None, 7))
    notes = (("auto_allowed", "yes"), ("flat:2", str(T - 60)), ("flat:1", "9"))
    o = restore(Restored(redemptions=kept, notes=notes), T)
    assert o == Observed(
        elements=Elements(redemptions={"k1": kept[0], "k2": kept[1]}, notes=dict(notes), flat={B: T - 60, A: 9.0})
    )


# -- what is owed --------------------------------------------------------------------------------------------------
READ = -1000.0
"""When the balance was read, of which what is sent may not show yet."""


def redemption(key: str, sent: float | None, cost: int, state: State = State.ACCEPTED, who: UserId = A) -> Redemption:
    at = None if sent is None else T + sent
    return Redemption(key, who, ALPHA, ItemId("mug"), cost, T - 2000, state, sent_at=at)


@pytest.mark.parametrize(
    ("sent", "shown", "owed", "since"),
    [
        ([], entries((-1500.0, Change.SPENT, -60)), 0, None),
        ([redemption("k", -1500.0, 60)], (), 60, -1500.0),
        ([redemption("k", -1500.0, 60, State.UNKNOWN)], (), 60, -1500.0),
        ([redemption("k", -1500.0, 60, State.SENT)], (), 0, None),
        ([redemption("k", -1500.0, 60, State.REJECTED)], (), 0, None),
        ([redemption("k", -1500.0, 60, who=B)], (), 0, None),
        ([redemption("k", None, 60)], (), 0, None),
        ([redemption("k", READ - SHOWS_WITHIN, 60)], (), 60, READ - SHOWS_WITHIN),
        ([redemption("k", READ - SHOWS_WITHIN - 1, 60)], (), 0, None),
        ([redemption("k", -1500.0, 60)], entries((-1500.0, Change.SPENT, -60)), 0, -1500.0),
        ([redemption("k", -1500.0, 60)], entries((-1400.0, Change.SPENT, -20)), 40, -1500.0),
        ([redemption("k", -1500.0, 60)], entries((-1501.0, Change.SPENT, -60)), 60, -1500.0),
        ([redemption("k", -1500.0, 60)], entries((-1400.0, Change.ADJUSTED, -60)), 60, -1500.0),
        ([redemption("k", -1500.0, 60)], entries((-1400.0, Change.EARNED, 5)), 60, -1500.0),
        ([redemption("k", -1500.0, 60)], entries((-1400.0, Change.SPENT, -70)), 0, -1500.0),
        (
            [redemption("k", -1200.0, 60), redemption("m", -1500.0, 7)],
            entries((-1600.0, Change.SPENT, -1), (-1400.0, Change.SPENT, -10), (-1100.0, Change.SPENT, -20)),
            37,
            -1200.0,
        ),
        ([redemption("k", -1500.0, 60), redemption("m", -1200.0, 7)], (), 67, -1200.0),
    ],
)
def test_what_is_owed_after_a_restart(
    sent: list[Redemption], shown: tuple[LedgerEntry, ...], owed: int, since: float | None
) -> None:
    """Paid lately, less what the ledger calls spent since the first of it; and when the last of it was paid."""
    kept = replace(BARE, balance=Balance(900), seen_at=T + READ, entries=shown)
    other = PurseKept(C, T - 700, SE, seen_at=T + READ)
    o = restore(Restored(channels=KNOWN, purses=(kept, other), redemptions=tuple(sent)), T)
    purse = o.elements.purses[A]
    assert (purse.spent, purse.spent_at) == (owed, 0.0 if since is None else T + since)
    assert o.elements.purses[C].spent == 0
