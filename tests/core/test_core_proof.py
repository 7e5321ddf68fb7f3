"""Flat is told once, over restarts too, and cleared by a rise; the end of the token is told twice and stops nothing but
redeeming."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_store import Store
from core_world import OWN, T0, Core, at_work, follows, live, logins, ref, signed_in

from allthepoints.base.types import ItemId, SeId
from allthepoints.core import facts as f
from allthepoints.core import facts_points as fp
from allthepoints.core.actions import CheckJwt, ReadBalance, SendRedemption
from allthepoints.core.health import warnings
from allthepoints.core.loyalty import Balance, Item, JwtState, Loyalty, LoyaltyChannel
from allthepoints.core.records import (
    BalanceKnown,
    ChannelKnown,
    Event,
    EventKind,
    LedgerEntry,
    Noted,
    PurseKept,
    Restored,
)
from allthepoints.core.redeem import Reason, State
from allthepoints.core.restore import restore

(A,) = logins(0)
ID, SE = ref(0).id, SeId("se0")
PAYS = Loyalty(amount=5, interval=600.0)
DAY = 86_400.0


def at_home(core: Core, number: int = 0, loyalty: Loyalty = PAYS) -> Core:
    """It is known where the channel is and what it pays, and we are in its chat."""
    now, login = core.now, ref(number).login
    core.turn(f.JoinWritten(now, 1, (login,)), f.Joined(now, 1, login))
    core.turn(fp.LoyaltyFound(now, login, LoyaltyChannel(SeId(f"se{number}"), ref(number))))
    core.turn(fp.LoyaltyRead(now, ref(number).id, loyalty))
    return core


# -- is it earning? ------------------------------------------------------------------------------------------------
def read(core: Core, minute: float, points: int | None) -> None:
    at = T0 + 60 * minute
    core.turn(live(at, 0), fp.BalanceRead(at, ID, None if points is None else Balance(points)))


def told(core: Core) -> list[str]:
    return [e.kind.value for e in core.events(EventKind.FLAT, EventKind.EARNING_AGAIN)]


def restarted(core: Core, at: float) -> Core:
    """A new process, in the same chat again."""
    notes = {r.key: r.value for r in core.records if isinstance(r, Noted)}
    known = [r for r in core.records if isinstance(r, BalanceKnown)][-1]
    kept = PurseKept(ID, T0, SE, PAYS, known.balance, known.at)
    restored = Restored(
        channels=tuple(r for r in core.records if isinstance(r, ChannelKnown))[:1],
        purses=(kept,),
        notes=tuple((key, value) for key, value in notes.items() if value is not None),
    )
    again = Core(core.policy, restore(restored, at), at)
    again.turn(signed_in(at))
    again.turn(follows(at, 0), live(at, 0, asked=[0]))
    again.turn(live(at, 0, asked=[0]))
    again.turn(f.Welcomed(at, 1))
    again.turn(f.JoinWritten(at, 1, (A,)), f.Joined(at, 1, A))
    return again


def test_fc_50_flat_is_told_once_over_restarts_and_cleared_by_a_rise() -> None:
    core = at_home(at_work(0))
    for minute in range(0, 60, 5):
        read(core, minute, 100)
    assert told(core) == ["flat"]
    again = restarted(core, T0 + 3600)
    for minute in range(60, 120, 5):
        read(again, minute, 100)
    assert told(again) == []
    read(again, 125, 105)
    assert told(again) == ["earning_again"]
    last = restarted(again, T0 + 126 * 60)
    for minute in range(126, 190, 5):
        read(last, minute, 105)
    assert told(last) == ["flat"]


def test_fc_50_the_whole_sequence() -> None:
    core = at_home(at_work(0))
    read(core, 0, None)
    assert core.observed.elements.purses[ID].unknown_viewer
    for minute, points in ((5, 100), (10, 105), (15, 105), (20, 110), (25, 110), (30, 115)):
        read(core, minute, points)
    assert told(core) == []
    for minute in range(35, 71, 5):
        read(core, minute, 115)
    assert told(core) == ["flat"]
    read(core, 75, 120)
    assert told(core) == ["flat", "earning_again"]
    read(core, 80, 3)
    entries = [(r.change.value, r.delta) for r in core.records if isinstance(r, LedgerEntry)]
    assert entries[-1] == ("adjusted", -117), "a fall is no negative earning"
    assert sum(delta for change, delta in entries if change == "earned") == 20
    assert told(core) == ["flat", "earning_again"]


def test_a_store_is_kept_by_id() -> None:
    core = at_home(at_work(0))
    mug = Item(ItemId("i"), "Mug", 100)
    core.turn(fp.ItemsRead(T0 + 1, ID, (mug,)))
    core.turn(fp.ItemsRead(T0 + 2, ID, (replace(mug, name="Cup"),)))
    core.turn(fp.ItemsRead(T0 + 3, ID, ()))
    assert [type(r).__name__ for r in core.records if "Item" in type(r).__name__] == ["ItemKnown"] * 2 + ["ItemGone"]


# -- our token -----------------------------------------------------------------------------------------------------
ENDS = T0 + 30 * DAY


def seen(at: float, state: JwtState = JwtState.GOOD, ends: float = ENDS) -> fp.JwtSeen:
    return fp.JwtSeen(at, state, ends, OWN if state is JwtState.GOOD else None)


def ends_told(core: Core) -> list[tuple[str, object]]:
    return [(e.kind.value, e.data.get("days")) for e in core.events(EventKind.JWT_EXPIRES, EventKind.JWT_EXPIRED)]


def test_fc_31_each_threshold_is_told_once_over_restarts() -> None:
    core = at_work(0)
    notes: dict[str, str] = {}
    for hour in range(0, 31 * 24):
        at = T0 + 3600.0 * hour
        if hour % 50 == 0:  # the process dies often
            core.observed.elements.notes = dict(notes)
        core.fold(seen(at, JwtState.GOOD if at < ENDS else JwtState.EXPIRED))
        notes = dict(core.observed.elements.notes)
    assert ends_told(core) == [("jwt_expires", 7), ("jwt_expires", 1), ("jwt_expired", None)]
    core.fold(seen(ENDS + DAY, ends=ENDS + 3 * DAY))
    assert ends_told(core)[3:] == [("jwt_expires", 7)], "another token, which ends soon"


def test_fc_31_an_outage_does_not_hide_the_end() -> None:
    core = at_work(0)
    core.fold(fp.JwtUnknown(T0, "503", 0.5, T0 + 6 * DAY), fp.JwtUnknown(T0 + 9, "503", 0.5, T0 + 6 * DAY))
    assert ends_told(core) == [("jwt_expires", 7)]


def test_fc_31_expired_nothing_is_redeemed_and_balances_go_on() -> None:
    store = Store()
    store.run(5)
    store.jwt = JwtState.EXPIRED
    store.core.observed.elements.jwt.expires_at = store.now
    store.ask("k", "mug")
    store.run(20)
    assert store.redemptions()["k"].reason is Reason.JWT_EXPIRED
    assert store.posts.total() == 0
    store.tell(fp.LookAsked(store.now, A))
    store.run(10)
    assert ReadBalance in [type(action) for _, action in store.reads]
    assert "jwt_expired" in [w.code for w in warnings(store.policy, store.core.observed, store.now)]


@pytest.mark.parametrize("first", ["jwt", "account"])
def test_fc_31_another_users_token_buys_nothing(first: str) -> None:
    """Whichever is known first: whose token it is, or who we are."""
    core, other = Core(), replace(OWN, user_id="77")
    said = [fp.JwtSeen(T0, JwtState.GOOD, ENDS, other), signed_in(T0)]
    core.turn(*(said if first == "jwt" else reversed(said)))
    core.turn(fp.LookAsked(T0, A), fp.LoyaltyFound(T0, A, LoyaltyChannel(SE, ref(0))))
    core.turn(fp.RedeemAsked(T0 + 1, "k", A, ItemId("i"), 5))
    core.turn(fp.BalanceRead(T0 + 2, ID, Balance(9)), fp.ItemsRead(T0 + 2, ID, (Item(ItemId("i"), "Mug", 5),)))
    core.turn(fp.HistoryRead(T0 + 2, ()), fp.JwtSeen(T0 + 3, JwtState.GOOD, ENDS, other))
    one = core.observed.elements.redemptions["k"]
    assert (one.state, one.reason) == (State.REJECTED, Reason.WRONG_ACCOUNT)
    assert core.did(SendRedemption) == []
    assert "jwt_wrong_account" in [w.code for w in warnings(core.policy, core.observed, T0 + 3)]


def test_a_token_that_a_command_has_just_saved_counts_at_once() -> None:
    store = Store()
    store.jwt = JwtState.MISSING
    store.restart()
    store.run(5)
    store.jwt = JwtState.GOOD
    store.ask("k", "mug")
    store.run(12)
    assert store.redemptions()["k"].state is State.ACCEPTED
    assert CheckJwt() in [action for _, action in store.core.done]
    assert not any("C-k" in repr(r) for r in store.core.records if isinstance(r, Event)), "no code in an event"
