"""A redemption's table, what forbids to send, and how an unknown outcome is settled."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core.loyalty import Bought, Item, JwtState, Viewer
from allthepoints.core.redeem import (
    ABSENT_AFTER,
    FINAL,
    FOUND,
    OF_JWT,
    SAID_TAKEN,
    TABLE,
    Input,
    Reason,
    Redemption,
    State,
    accept,
    checked,
    forbid,
    forbidden,
    found,
    may_still_come,
    not_left,
    refuse,
    say,
    send,
    step,
    vanish,
)
from allthepoints.core.settling import CLOCKS, MEASURED, Reading, settle

T = 1_700_000_000.0
SE, MUG = SeId("se1"), ItemId("mug")
ASKED = Redemption("k", UserId("1"), Login("alpha"), MUG, 100, T - 5, se=SE, name="Mug")
ME, OTHER = Viewer(SeId("me"), "me", "1"), Viewer(SeId("other"), "other", "2")
SENT = send(ASKED, T, ["old"], 500, ME)
UNKNOWN = vanish(SENT, "no whole answer within 10 s")


def test_what_is_only_asked_knows_nothing_of_what_comes_later() -> None:
    bare = Redemption("k", UserId("1"), Login("alpha"), MUG, 100, T)
    assert bare.open
    assert (bare.sent_at, bare.settled_at, bare.points_before, bare.ahead) == (None,) * 4
    assert (bare.se, bare.account, bare.bought, bare.code, bare.reason) == (None,) * 5
    assert (bare.name, bare.message, bare.text, bare.account_login) == ("",) * 4
    assert (bare.auto, bare.dry, bare.by_hand) == (False,) * 3


# -- the table -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("state", "what"), list(itertools.product(State, Input)))
def test_fc_48_every_cell(state: State, what: Input) -> None:
    if (state, what) in TABLE:
        assert step(state, what) is TABLE[state, what]
    else:
        with pytest.raises(ValueError, match=f"{state} cannot {what}"):
            step(state, what)


WRITTEN = """
proposed confirmed checked sent accepted rejected unknown
price_changed not_enough_points sold_out disabled no_such_item not_on_website answers_missing takes_no_message
not_at_streamelements jwt_missing jwt_expired jwt_malformed jwt_refused wrong_account in_progress not_allowed unchecked
not_written not_sent refused never_arrived said_not_taken
"""


def test_words_that_stand_in_databases_are_known_for_ever() -> None:
    assert {word.value for word in (*State, *Reason)} >= set(WRITTEN.split())


def test_fc_48_send_stands_in_one_cell() -> None:
    assert [cell for cell in TABLE if cell[1] is Input.SEND] == [(State.CONFIRMED, Input.SEND)]
    assert [cell for cell, after in TABLE.items() if after is State.SENT] == [(State.CONFIRMED, Input.SEND)]


def test_fc_48_nothing_leads_to_sent_twice() -> None:
    """All walks from every state, to their ends: the table has no circle, so there are few."""
    walks: list[tuple[State, ...]] = []

    def walk(path: tuple[State, ...]) -> None:
        assert len(path) <= len(State), "a circle"
        after = [to for (state, _), to in TABLE.items() if state is path[-1]]
        walks.append(path) if not after else None
        for to in after:
            walk((*path, to))

    for state in State:
        walk((state,))
    assert all(path.count(State.SENT) <= 1 for path in walks)
    assert {path[-1] for path in walks} == FINAL, "every walk ends settled"
    assert not any(state in FINAL for state, _ in TABLE), "what is settled stays so"


@pytest.mark.parametrize("state", list(State))
def test_fc_48_only_a_confirmed_one_can_be_sent(state: State) -> None:
    one = replace(ASKED, state=state)
    if state is State.CONFIRMED:
        assert send(one, T, ["b", "a"], 7, ME, 0.5) == replace(
            one,
            state=State.SENT,
            sent_at=T,
            known=("a", "b"),
            points_before=7,
            account=ME.id,
            account_login="me",
            ahead=0.5,
        )
    else:
        with pytest.raises(ValueError, match="cannot send"):
            send(one, T, [], 7, ME)


def test_fc_48_it_is_sent_as_whom_it_was_confirmed() -> None:
    mine = replace(ASKED, account=ME.id)
    assert send(mine, T, [], 500, ME).account == ME.id
    with pytest.raises(ValueError, match="confirmed as"):
        send(mine, T, [], 500, OTHER)
    assert forbidden(mine, ITEM, 500, JwtState.GOOD, ME.id) is None
    assert forbidden(mine, ITEM, 500, JwtState.GOOD, OTHER.id) is Reason.WRONG_ACCOUNT
    assert forbidden(mine, ITEM, 500, JwtState.GOOD, None) is Reason.WRONG_ACCOUNT


def ended(one: Redemption) -> tuple[State, Reason | None, str, float | None]:
    return one.state, one.reason, one.text, one.settled_at


def test_each_way_to_an_end() -> None:
    bought = Bought("b1", SE, MUG, T + 1, code="CODE-1")
    done = accept(SENT, bought, T + 2)
    assert (done.state, done.bought, done.code, done.settled_at) == (State.ACCEPTED, "b1", "CODE-1", T + 2)
    assert "CODE-1" not in repr(done)
    no = refuse(SENT, T + 2, "You are redeeming too fast")
    assert ended(no) == (State.REJECTED, Reason.REFUSED, "You are redeeming too fast", T + 2)
    stayed = not_left(SENT, T + 2, Reason.NOT_SENT, "could not connect")
    assert ended(stayed) == (State.REJECTED, Reason.NOT_SENT, "could not connect", T + 2)
    stopped = forbid(ASKED, Reason.SOLD_OUT, T + 2, "too late")
    assert (*ended(stopped), stopped.sent_at) == (State.REJECTED, Reason.SOLD_OUT, "too late", T + 2, None)
    assert ended(checked(ASKED, T + 2)) == (State.CHECKED, None, "", T + 2)
    assert ended(UNKNOWN) == (State.UNKNOWN, None, "no whole answer within 10 s", None)
    assert ended(found(UNKNOWN, bought, T + 9)) == (State.ACCEPTED, None, FOUND, T + 9)
    assert UNKNOWN.open
    assert not any(one.open for one in (done, no, stayed, stopped, checked(ASKED, T)))


# -- what forbids --------------------------------------------------------------------------------------------------
ITEM = Item(MUG, "Mug", 100, sources=frozenset({"website"}))


@pytest.mark.parametrize(
    ("item", "intent", "points", "jwt", "reason"),
    [
        ({}, {}, 100, JwtState.GOOD, None),
        ({}, {}, 99, JwtState.GOOD, Reason.NOT_ENOUGH),
        ({"cost": 101}, {}, 500, JwtState.GOOD, Reason.PRICE_CHANGED),
        ({"cost": 99}, {}, 500, JwtState.GOOD, Reason.PRICE_CHANGED),
        ({"stock": 0}, {}, 500, JwtState.GOOD, Reason.SOLD_OUT),
        ({"stock": -3}, {}, 500, JwtState.GOOD, Reason.SOLD_OUT),
        ({"stock": 1}, {}, 500, JwtState.GOOD, None),
        ({"enabled": False}, {}, 500, JwtState.GOOD, Reason.DISABLED),
        ({"sources": frozenset({"bot"})}, {}, 500, JwtState.GOOD, Reason.NOT_ON_WEBSITE),
        ({"sources": frozenset()}, {}, 500, JwtState.GOOD, None),
        ({"asks": ("Map?",)}, {}, 500, JwtState.GOOD, Reason.ANSWERS_MISSING),
        ({"asks": ("Map?",)}, {"answers": (" ",)}, 500, JwtState.GOOD, Reason.ANSWERS_MISSING),
        ({"asks": ("Map?",)}, {"answers": ("Dust", "x")}, 500, JwtState.GOOD, Reason.ANSWERS_MISSING),
        ({}, {"answers": ("Dust",)}, 500, JwtState.GOOD, Reason.ANSWERS_MISSING),
        ({"asks": ("Map?",)}, {"answers": ("Dust",)}, 500, JwtState.GOOD, None),
        ({}, {"message": "hi"}, 500, JwtState.GOOD, Reason.NO_MESSAGE),
        ({"takes_message": True}, {"message": "hi"}, 500, JwtState.GOOD, None),
        ({"subscriber_only": True}, {}, 500, JwtState.GOOD, None),
        ({"cost": 0}, {"cost": 0}, 0, JwtState.GOOD, None),
        (None, {}, 500, JwtState.GOOD, Reason.NO_SUCH_ITEM),
        (None, {}, 0, JwtState.EXPIRED, Reason.JWT_EXPIRED),
        *(({}, {}, 500, state, reason) for state, reason in OF_JWT.items()),
    ],
)
def test_fc_48_what_forbids(
    item: dict[str, Any] | None, intent: dict[str, Any], points: int, jwt: JwtState, reason: Reason | None
) -> None:
    there = None if item is None else replace(ITEM, **item)
    assert forbidden(replace(ASKED, **intent), there, points, jwt, ME.id) is reason


def test_every_token_that_is_not_good_has_its_reason() -> None:
    assert OF_JWT.keys() == set(JwtState) - {JwtState.GOOD}
    assert len(set(OF_JWT.values())) == len(OF_JWT)


# -- what settles --------------------------------------------------------------------------------------------------
def row(id: str, at: float = T + 1, **more: Any) -> Bought:
    return replace(Bought(id, SE, MUG, at), **more)


def read(
    history: list[Bought],
    at: float,
    points: int | None = None,
    whose: SeId | None = ME.id,
    ahead: float | None = None,
    points_at: float | None = None,
) -> Reading:
    return Reading(whose, at, tuple(history), points, ahead, at if points_at is None else points_at)


LATEST = ABSENT_AFTER + CLOCKS
EARLY, LATE = T + ABSENT_AFTER - 0.1, T + ABSENT_AFTER
OLD = row("old", T - 9000)


@pytest.mark.parametrize(
    ("history", "read_at", "claimed", "points", "settled"),
    [
        pytest.param([row("new"), OLD], T + 2, (), None, "new", id="it stands among ours"),
        pytest.param([row("new", channel=None)], T + 2, (), None, "new", id="no channel is told"),
        pytest.param([row("new", 0.0)], T + 2, (), None, "new", id="no time is told"),
        pytest.param([row("new", code="C-1")], LATE, (), 500, "new", id="late, and found"),
        pytest.param([OLD], EARLY, (), 500, None, id="absent, too early to tell"),
        pytest.param([OLD], LATE, (), 500, Reason.NEVER_ARRIVED, id="absent"),
        pytest.param([], LATE, (), 450, Reason.NEVER_ARRIVED, id="absent, and less was spent elsewhere"),
        pytest.param([], LATE, (), 401, Reason.NEVER_ARRIVED, id="one point less than the price is missing"),
        pytest.param([], LATE, (), 400, None, id="the balance fell, and no row"),
        pytest.param([], LATE, (), None, None, id="the balance was not read since"),
        pytest.param([row("other")], LATE, ("other",), 500, Reason.NEVER_ARRIVED, id="another redemption's"),
        pytest.param([row("x", item=ItemId("cup"))], LATE, (), 500, Reason.NEVER_ARRIVED, id="another item"),
        pytest.param([row("x", item=None)], LATE, (), 500, Reason.NEVER_ARRIVED, id="a deleted item"),
        pytest.param([row("x", channel=SeId("se2"))], LATE, (), 500, Reason.NEVER_ARRIVED, id="another channel"),
        pytest.param([row("x", T - CLOCKS + 1)], T + 2, (), None, "x", id="clocks differ a little"),
        pytest.param([row("x", T + LATEST - 1)], LATE, (), 500, "x", id="as late as it can come"),
        pytest.param([row("x", T + LATEST + 1)], LATE, (), 500, None, id="bought by hand, much later"),
        pytest.param([row("x", source="website")], T + 2, (), None, "x", id="by our way"),
        pytest.param([row("x", source="bot")], LATE, (), 500, None, id="bought in the chat"),
        pytest.param([row("x", answers=("Nuke",))], LATE, (), 500, None, id="with other answers"),
        pytest.param([row("x", message="hi")], LATE, (), 500, None, id="with a message of somebody's"),
        pytest.param([row("x", T - CLOCKS - 1)], T + 2, (), None, None, id="an old one that slid into the list"),
        pytest.param([row("x", T - CLOCKS - 1)], LATE, (), 500, None, id="or ours, by a wrong clock"),
        pytest.param([row("x", T - 9000), row("y")], T + 2, (), None, "y", id="the new beside one that slid in"),
    ],
)
def test_fc_48_settled_by_reading(
    history: list[Bought], read_at: float, claimed: tuple[str, ...], points: int | None, settled: str | Reason | None
) -> None:
    done = settle(UNKNOWN, read(history, read_at, points), claimed, read_at + 1)
    if settled is None:
        assert done is None
    elif isinstance(settled, Reason):
        assert done is not None
        assert (done.state, done.reason, done.settled_at) == (State.REJECTED, settled, read_at + 1)
    else:
        assert done is not None
        assert (done.state, done.bought, done.reason, done.settled_at) == (State.ACCEPTED, settled, None, read_at + 1)
        assert done.code == next(one.code for one in history if one.id == settled)


def test_fc_48_an_older_balance_proves_nothing() -> None:
    """It was read while the POST could still be booked."""
    assert settle(UNKNOWN, read([], LATE, 500, points_at=EARLY), (), LATE) is None
    assert settle(UNKNOWN, read([], LATE + 60, 500, points_at=LATE), (), LATE + 60) is not None
    assert settle(UNKNOWN, read([], EARLY, 500, points_at=LATE), (), LATE) is None


def test_fc_48_of_two_new_ones_the_same_answers_tell() -> None:
    """The same item bought by hand in the same minute."""
    by_hand, ours = row("hand", T + 1, answers=("Nuke",)), row("ours", T + 2, answers=("Dust",))
    asked = replace(UNKNOWN, answers=("Dust",))
    done = settle(asked, read([ours, by_hand], T + 9), (), T + 9)
    assert done is not None
    assert done.bought == "ours"
    assert settle(asked, read([by_hand], T + 9), (), T + 9) is None
    untold = settle(asked, read([row("untold", T + 1), row("ours", T + 90, answers=(" dust ",))], T + 99), (), T + 99)
    assert untold is not None
    assert untold.bought == "untold", "the nearest, where none has our very answers"
    farther = settle(asked, read([row("untold", T + 1), row("ours", T + 90, answers=("Dust",))], T + 99), (), T + 99)
    assert farther is not None
    assert farther.bought == "ours", "our very answers, though another is nearer"
    alike = settle(UNKNOWN, read([row("c", T - 90), row("b", T + 2), row("a", T + 1)], T + 9), (), T + 9)
    assert alike is not None
    assert alike.bought == "a"


def test_fc_48_a_free_item_is_proven_absent_by_the_list_alone() -> None:
    free = replace(UNKNOWN, cost=0, points_before=0)
    done = settle(free, read([], LATE, 0), (), LATE)
    assert done is not None
    assert done.reason is Reason.NEVER_ARRIVED


def test_fc_48_a_price_of_one_point_can_be_missing_too() -> None:
    cheap = replace(UNKNOWN, cost=1)
    assert settle(cheap, read([], LATE, 499), (), LATE) is None
    assert settle(cheap, read([], LATE, 500), (), LATE) is not None


@pytest.mark.parametrize("state", [state for state in State if state is not State.UNKNOWN])
def test_fc_48_nothing_else_is_settled_by_reading(state: State) -> None:
    with pytest.raises(ValueError, match="cannot found"):
        settle(replace(SENT, state=state), read([row("new")], T + 2), (), T + 2)


HISTORIES = [[row("new")], [OLD], []]


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("points", [None, 500, 0])
@pytest.mark.parametrize(("sent_as", "read_of"), [(ME.id, OTHER.id), (ME.id, None), (None, ME.id), (None, None)])
def test_fc_48_what_another_account_sees_proves_nothing(
    history: list[Bought], points: int | None, sent_as: SeId | None, read_of: SeId | None
) -> None:
    one = replace(UNKNOWN, account=sent_as)
    assert settle(one, read(history, T + 9000, points, read_of), (), T + 9000) is None


HOUR = 3600.0


@pytest.mark.parametrize(
    ("ahead", "at", "fits"),
    [
        (0.0, T + 1, True),
        (0.0, T - MEASURED, True),
        (0.0, T - MEASURED - 1, False),
        (0.0, T + ABSENT_AFTER + MEASURED, True),
        (0.0, T + ABSENT_AFTER + MEASURED + 1, False),
        (2 * HOUR, T + 2 * HOUR + 1, True),
        (2 * HOUR, T + 1, False),
        (-2 * HOUR, T - 2 * HOUR + 1, True),
    ],
)
def test_fc_48_where_their_clock_is_told_the_window_is_narrow(ahead: float, at: float, fits: bool) -> None:
    """Ours may be hours off; what fits in nothing but the time keeps it open all the same."""
    done = settle(replace(UNKNOWN, ahead=ahead), read([row("x", at)], LATE, 500, ahead=ahead), (), LATE)
    assert (done is not None and done.bought == "x") is fits
    assert fits or done is None


@pytest.mark.parametrize(
    ("before", "after", "read_at", "absent"),
    [
        (0.0, 0.0, LATE, True),
        (0.0, -HOUR, LATE, False),
        (0.0, -HOUR, LATE + HOUR, True),
        (0.0, HOUR, T + ABSENT_AFTER - HOUR, True),
        (None, HOUR, EARLY, False),
        (0.0, None, EARLY, False),
        (0.0, None, LATE, True),
    ],
)
def test_fc_48_a_clock_that_is_set_meanwhile_proves_nothing_too_early(
    before: float | None, after: float | None, read_at: float, absent: bool
) -> None:
    done = settle(replace(UNKNOWN, ahead=before), read([], read_at, 500, ahead=after), (), read_at)
    assert (done is not None) is absent


# -- the person's word ---------------------------------------------------------------------------------------------
def test_fc_48_the_person_may_settle_what_readings_never_will() -> None:
    taken = say(UNKNOWN, True, T + 1)
    assert taken is not None
    assert (*ended(taken), taken.by_hand) == (State.ACCEPTED, None, SAID_TAKEN, T + 1, True)
    never = say(UNKNOWN, False, LATE)
    assert never is not None
    assert (*ended(never), never.by_hand) == (State.REJECTED, Reason.SAID_NOT_TAKEN, UNKNOWN.text, LATE, True)


@pytest.mark.parametrize(
    ("at", "left"), [(T, ABSENT_AFTER), (T + 100, 80.0), (LATE - 0.5, 0.5), (LATE, 0.0), (T - 1, 0.0), (T + 9000, 0.0)]
)
def test_fc_48_not_taken_is_not_taken_from_anybody_while_it_may_still_come(at: float, left: float) -> None:
    assert may_still_come(UNKNOWN, at) == pytest.approx(left)
    assert (say(UNKNOWN, False, at) is None) is (left > 0)


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("state", [state for state in State if state is not State.UNKNOWN])
def test_fc_48_only_what_is_unknown_is_the_persons_to_settle(state: State, taken: bool) -> None:
    with pytest.raises(ValueError, match="cannot say"):
        say(replace(SENT, state=state), taken, LATE)


def test_nothing_is_called_never_taken_while_a_proxy_may_still_let_it_through() -> None:
    """Cloudflare gives up after 100 s, and what it let through may be booked a while later."""
    assert 150.0 <= ABSENT_AFTER <= 300.0
