"""The nouns: what an answer that left something out means, what follows from what it says, and what is kept silent."""

from __future__ import annotations

import pytest

from allthepoints.base.backoff import Backoff
from allthepoints.base.types import ItemId, Login, UserId
from allthepoints.core import facts as f
from allthepoints.core import facts_points as fp
from allthepoints.core.actions import RenewSignIn
from allthepoints.core.loyalty import Balance, Bought, Item, JwtState, Loyalty
from allthepoints.core.model import Account, ChannelRef, Lost, Why
from allthepoints.core.observed import Channel, Connection, Observed, Phase, Read, Room, RoomCap, SignIn, Standing
from allthepoints.core.policy import Policy, Wish
from allthepoints.core.presence import State
from allthepoints.core.records import (
    Event,
    EventKind,
    LoyaltyKnown,
    PurseKept,
    RefusalSet,
    Restored,
)
from allthepoints.core.refusals import Refusal, Retry, Rule
from allthepoints.core.warning import Row

T = 1_700_000_000.0
ID, ALPHA = UserId("7"), Login("alpha")
REF = ChannelRef(ID, ALPHA, "Alpha")
NONE: frozenset[str] = frozenset()


# -- what is left out ----------------------------------------------------------------------------------------------
def check(told: object, whole: object) -> None:
    """What was not told is nothing. By their text too: 0 and False are not the same thing."""
    assert told == whole
    assert repr(told) == repr(whole)


def test_what_streamelements_did_not_tell() -> None:
    item, bought = ItemId("i"), Bought("b", None, None, T, code="SECRET")
    settings, thing = Loyalty(), Item(item, "Mug", 5)
    check(settings, Loyalty("points", True, None, None, 1, frozenset()))
    check(Balance(5), Balance(5, None, None, None))
    check(thing, Item(item, "Mug", 5, "", "perk", None, 0.0, 0.0, False, True, (), False, NONE, 0))
    check(Bought("b", None, None, T), Bought("b", None, None, T, "", None, False, False, (), "", None, ""))
    assert (settings.per_hour, thing.sold_out, thing.on_website) == (None, False, True)
    assert bought.code == "SECRET"
    assert "SECRET" not in repr(bought), "it is shown to nobody by accident"
    assert "code" not in repr(bought)


def test_a_sign_in_is_looked_at_unless_it_was_refused() -> None:
    check(RenewSignIn(), RenewSignIn(refused=False))


def test_a_wish_buys_nothing_by_itself_and_keeps_nothing_back() -> None:
    (wish,) = Policy(wishes=(Wish(ALPHA, "Mug"),)).wishes
    check(wish, Wish(ALPHA, "Mug", False, None, None, 0, 1))


def test_what_is_wanted_of_whom_nobody_asked() -> None:
    """As the config's reference tells it; two full connections would leave no room for a chat client of one's own."""
    policy = Policy()
    assert (policy.followed, policy.include, policy.exclude, policy.priority) == (True, (), NONE, ())
    assert (policy.paused, policy.wishes, policy.presence, policy.forced_part_is_ban) == (NONE, (), True, True)
    assert (policy.max_rooms, policy.rooms_per_connection, policy.ask_tries) == (90, 50, 3)
    assert (policy.poll_live, policy.offline_after, policy.poll_follows, policy.check_sign_in) == (30, 180, 3600, 3600)
    assert (policy.ask_timeout, policy.leave_timeout, policy.stable_after) == (15, 10, 60)
    assert (policy.poll_balance, policy.poll_store, policy.flat_after) == (300, 900, 1800)
    assert policy.reconnect == Backoff(first=1.0, cap=120.0, floor=0.25)
    assert policy.redial == Backoff(first=1.0, cap=15.0, floor=0.25)
    assert policy.redials == 80
    assert policy.reread == Backoff(first=4.0, cap=120.0, floor=1.0)


def test_what_twitch_did_not_say() -> None:
    me = Account(ID, Login("me"))
    check(f.SignedIn(T, me, follows=True), f.SignedIn(T, me, True, None))
    check(f.SignInUnknown(T, "no", 0.5), f.SignInUnknown(T, "no", 0.5, None))
    check(f.ReadFailed(T, "live", "no", 0.5), f.ReadFailed(T, "live", "no", 0.5, None))
    check(f.Joined(T, 1, ALPHA), f.Joined(T, 1, ALPHA, None))
    check(f.LiveRead(T, NONE, NONE, ()), f.LiveRead(T, NONE, NONE, (), NONE, None))
    check(f.JoinRefused(T, 1, ALPHA, Why.OTHER), f.JoinRefused(T, 1, ALPHA, Why.OTHER, ""))
    check(f.ConnectionLost(T, 1, Lost.RESET, 0.5), f.ConnectionLost(T, 1, Lost.RESET, 0.5, ""))
    check(f.ConfigTaken(T), f.ConfigTaken(T, ()))


def test_what_streamelements_and_a_buyer_did_not_say() -> None:
    check(fp.BalanceRead(T, ID, None), fp.BalanceRead(T, ID, None, None))
    check(fp.HistoryRead(T, ()), fp.HistoryRead(T, (), None, None))
    check(fp.ElementsFailed(T, "items", "no", 0.5), fp.ElementsFailed(T, "items", "no", 0.5, None, None, None, False))
    check(fp.JwtSeen(T, JwtState.GOOD), fp.JwtSeen(T, JwtState.GOOD, None, None))
    check(fp.JwtUnknown(T, "no", 0.5), fp.JwtUnknown(T, "no", 0.5, None))
    check(fp.RedemptionAnswered(T, "k"), fp.RedemptionAnswered(T, "k", None, None, None, ""))
    check(fp.RedeemAsked(T, "k", ALPHA, ItemId("i"), 5), fp.RedeemAsked(T, "k", ALPHA, ItemId("i"), 5, (), "", False))


def test_what_a_record_does_not_say() -> None:
    check(Event(T, EventKind.LIVE), Event(T, EventKind.LIVE, None, {}))
    check(LoyaltyKnown(T, ID, None), LoyaltyKnown(T, ID, None, None))
    check(RefusalSet(T, ID, Why.OTHER, "", None, None), RefusalSet(T, ID, Why.OTHER, "", None, None, 1))
    check(PurseKept(ID, T, None), PurseKept(ID, T, None, None, None, None, (), (), None, 0.0, 0.0))
    check(Restored(), Restored(None, (), (), (), (), (), (), (), 0.0, (), (), ()))


def test_a_first_no_without_an_end() -> None:
    refusal = Refusal(Why.OTHER, T, "", None, None)
    check(refusal, Refusal(Why.OTHER, T, "", None, None, 1))
    check(Rule(Retry.LATER), Rule(Retry.LATER, 0.0, 0.0))
    assert refusal.stands(None, T + 1e9)


def test_a_channel_a_connection_a_room_of_which_nothing_happened_yet() -> None:
    channel, connection, room = Channel(REF), Connection(1), Room(1, ALPHA, ID, State.ASKED)
    check(channel, Channel(REF, None, None, None, 0.0, None, None, None, 0, 0.0, None, 0.0, None, None, False))
    check(connection, Connection(1, Phase.OPENING, None, False, False, 0, None))
    check(room, Room(1, ALPHA, ID, State.ASKED, None, 0.0, 0.0, False, None, True))
    check(Standing(), Standing(SignIn.UNCHECKED, 0.0, False, False, 0.0, 0, None, 0.0, 0, None, "", None))
    check(Read(), Read(False, 0.0, None, False, 0, None, 0.0, ""))
    check(RoomCap(9, T + 9, T), RoomCap(9, T + 9, T, 1))
    assert (channel.earns, connection.usable, room.holds_slot) == (False, False, True)


def test_at_first_nothing_is_known() -> None:
    o = Observed()
    assert (o.account, o.may_read_follows, o.sign_in, o.live, o.offline) == (None, False, Standing(), set(), set())
    assert (o.channels, o.names, o.addresses, o.not_found, o.told, o.connections, o.rooms) == ({},) * 7
    assert (o.roster, o.silent, o.queue, o.rest, o.cap, o.points, o.last_account) == (None,) * 7
    assert (o.disconnected_since, o.config_error, o.config_restart, o.storage_error) == (None,) * 4
    assert repr((o.last_conn, o.connect_failures)) == "(0, 0)"
    assert repr((o.open_not_before, o.answered_at, o.users_checked_at, o.stale_since)) == "(0.0, 0.0, 0.0, 0.0)"
    assert (o.join_times, o.login_times) == ((), ())
    assert o.reads == {"live": Read(), "follows": Read(), "users": Read()}
    assert o.stale, "join nobody on old knowledge"
    assert (o.slots_held(), o.usable(), o.silent_now()) == (0, [], frozenset())


def test_a_warning_needs_no_detail_no_delay_and_no_cause() -> None:
    row = Row("code", "info", "Title", "Text.", since=lambda _p, _o, _n: None)
    assert (row.detail(Policy(), Observed(), T), row.delay, row.hidden_by) == ("", 0.0, ())


# -- what follows --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("loyalty", "every", "per_hour"),
    [
        (Loyalty(), 600.0, None),
        (Loyalty(amount=5), 600.0, 30.0),
        (Loyalty(amount=0), 600.0, 0.0),
        (Loyalty(interval=120.0), 120.0, None),
        (Loyalty(amount=7, interval=120.0), 120.0, 210.0),
        (Loyalty(amount=7, interval=0.0), 600.0, 42.0),
        (Loyalty(amount=5, subscriber_multiplier=3), 600.0, 30.0),
    ],
)
def test_what_settings_promise(loyalty: Loyalty, every: float, per_hour: float | None) -> None:
    assert (loyalty.every, loyalty.per_hour) == (every, per_hour)


@pytest.mark.parametrize(("stock", "sold_out"), [(None, False), (2, False), (1, False), (0, True), (-1, True)])
def test_when_an_item_is_sold_out(stock: int | None, sold_out: bool) -> None:
    assert Item(ItemId("i"), "Mug", 5, stock=stock).sold_out is sold_out


@pytest.mark.parametrize(
    ("sources", "there"),
    [(set(), True), ({"website"}, True), ({"bot", "website"}, True), ({"bot"}, False), ({"bot", "extension"}, False)],
)
def test_what_the_page_of_the_store_offers(sources: set[str], there: bool) -> None:
    assert Item(ItemId("i"), "Mug", 5, sources=frozenset(sources)).on_website is there
