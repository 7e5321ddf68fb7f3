"""The nouns: what an answer that left something out means, what follows from what it says, and what is kept silent."""

from __future__ import annotations

import pytest

from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core.loyalty import Balance, Bought, Item, Loyalty
from allthepoints.core.model import ChannelRef, Why
from allthepoints.core.observed import Channel, Connection, Observed, Phase, Read, Room, RoomCap, SignIn, Standing
from allthepoints.core.policy import Policy
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
@pytest.mark.parametrize(
    ("told", "whole"),
    [
        (Loyalty(), Loyalty("points", True, None, None, 1, frozenset())),
        (Balance(5), Balance(5, None, None, None)),
        (
            Item(ItemId("i"), "Mug", 5),
            Item(ItemId("i"), "Mug", 5, "", "perk", None, 0.0, 0.0, False, True, (), False, NONE, 0),
        ),
        (
            Bought("b", None, None, T),
            Bought("b", None, None, T, "", None, False, False, (), "", None, ""),
        ),
        (Event(T, EventKind.LIVE), Event(T, EventKind.LIVE, None, {})),
        (LoyaltyKnown(T, ID, None), LoyaltyKnown(T, ID, None, None)),
        (RefusalSet(T, ID, Why.OTHER, "", None, None), RefusalSet(T, ID, Why.OTHER, "", None, None, 1)),
        (PurseKept(ID, T, None), PurseKept(ID, T, None, None, None, None, (), (), None, 0.0, 0.0)),
        (Restored(), Restored(None, (), (), (), (), (), (), (), 0.0, (), (), ())),
        (Refusal(Why.OTHER, T, "", None, None), Refusal(Why.OTHER, T, "", None, None, 1)),
        (Rule(Retry.LATER), Rule(Retry.LATER, 0.0, 0.0)),
        (
            Channel(REF),
            Channel(REF, None, None, None, 0.0, None, None, None, 0, 0.0, None, 0.0, None, None, False),
        ),
        (Connection(1), Connection(1, Phase.OPENING, None, False, False, 0, None)),
        (
            Room(1, ALPHA, ID, State.ASKED),
            Room(1, ALPHA, ID, State.ASKED, None, 0.0, 0.0, False, None, True),
        ),
        (Standing(), Standing(SignIn.UNCHECKED, 0.0, False, False, 0.0, 0, None, 0.0, 0, None, "", None)),
        (Read(), Read(False, 0.0, None, False, 0, None, 0.0, "")),
        (RoomCap(9, T + 9, T), RoomCap(9, T + 9, T, 1)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_told_is_nothing(told: object, whole: object) -> None:
    assert told == whole
    assert repr(told) == repr(whole), "0 and False are not the same thing"


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


def test_a_code_is_shown_to_nobody_by_accident() -> None:
    bought = Bought("b", SeId("se"), ItemId("i"), T, code="SECRET")
    assert bought.code == "SECRET"
    assert "SECRET" not in repr(bought)
    assert "code" not in repr(bought)
