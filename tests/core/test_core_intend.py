"""What is booked before an action is done: all that changes of the state, what is written down, and whom it concerns:
what was worked out for them is worked out anew (`core.changes`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy

import pytest
from core_room import ALPHA, BETA, ID, T, state

from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core import actions as do
from allthepoints.core.apply_chat import PART_OWED
from allthepoints.core.intend import intend
from allthepoints.core.loyalty import Viewer
from allthepoints.core.observed import Connection, Observed, Phase, Room
from allthepoints.core.policy import JOIN_IN_FLIGHT
from allthepoints.core.presence import State
from allthepoints.core.records import AttemptsSpent, Record
from allthepoints.core.redeem import Redemption

SE, ME = SeId("se"), UserId("1")
NAME = Login("beta")
EVERYBODY = "everybody"

Change = Callable[[Observed], None]


def check(
    o: Observed,
    action: do.Action,
    change: Change,
    records: Sequence[Record] = (),
    concerns: str | Sequence[UserId] = (),
) -> None:
    """`action`, booked at T + 9, changes of the state what `change` does, and nothing else."""
    expected, count = deepcopy(o), o.changes.count
    change(expected)
    assert intend(o, action, T + 9) == list(records)
    found = EVERYBODY if o.changes.everybody > count else tuple(o.changes.since(count))
    assert found == concerns
    expected.changes = o.changes
    assert o == expected


# -- what is asked of Twitch's and of StreamElements' web ------------------------------------------------------------
def checks_sign_in(o: Observed) -> None:
    o.sign_in.pending = True


def renews_sign_in(o: Observed) -> None:
    o.sign_in.pending = o.sign_in.renewing = True


def reads_live(o: Observed) -> None:
    o.reads["live"].pending, o.reads["live"].begun_at = True, T + 9


def reads_follows(o: Observed) -> None:
    o.reads["follows"].pending = True


def reads_users(o: Observed) -> None:
    o.reads["users"].pending = True


def asks_elements(o: Observed) -> None:
    o.elements.pending, o.elements.asked_at = True, T + 9


def checks_jwt(o: Observed) -> None:
    o.elements.jwt.pending = True


@pytest.mark.parametrize(
    ("action", "change"),
    [
        (do.RenewSignIn(), checks_sign_in),
        (do.RenewSignIn(refused=True), renews_sign_in),
        (do.ReadLive(ME, frozenset(), frozenset(), frozenset()), reads_live),
        (do.ReadFollows(ME), reads_follows),
        (do.ReadUsers(frozenset(), frozenset({ALPHA})), reads_users),
        (do.FindLoyalty(ALPHA), asks_elements),
        (do.ReadLoyalty(ID, SE), asks_elements),
        (do.ReadBalance(ID, SE, Login("me")), asks_elements),
        (do.ReadItems(ID, SE), asks_elements),
        (do.ReadHistory(SE), asks_elements),
        (do.CheckJwt(), checks_jwt),
    ],
)
def test_what_is_asked_for_is_under_way(action: do.Action, change: Change) -> None:
    check(state(), action, change)


# -- connections -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("phase", "since", "then"),
    [
        (Phase.READY, None, None),
        (Phase.CLOSING, None, T + 9),
        (Phase.CLOSING, T - 50, T - 50),
    ],
)
def test_a_connection_is_opened(phase: Phase, since: float | None, then: float | None) -> None:
    """Where none is ready there is an outage, which began when the last one went or begins now."""

    def opened(o: Observed) -> None:
        o.connections[2], o.last_conn, o.disconnected_since = Connection(2), 2, then

    o = state(State.PRESENT)
    o.connections[1].phase, o.disconnected_since = phase, since
    check(o, do.OpenConnection(2), opened, [AttemptsSpent(T + 9, "login", 1)], EVERYBODY)


def test_a_connection_is_closed() -> None:
    """Who waits for a room may wait for a connection now."""

    def closed(o: Observed) -> None:
        o.connections[1].phase = Phase.CLOSING

    check(state(State.PRESENT), do.CloseConnection(1), closed, concerns=EVERYBODY)


# -- rooms -----------------------------------------------------------------------------------------------------------
def asked(o: Observed, owed: float = 0.0) -> None:
    o.rooms[1, ALPHA] = Room(1, ALPHA, ID, State.ASKED, part_owed_until=owed, spent=False)


def test_rooms_are_asked_for() -> None:
    def asked_both(o: Observed) -> None:
        asked(o)
        o.rooms[1, NAME] = Room(1, NAME, BETA, State.ASKED, spent=False)

    o = state()
    o.addresses[NAME] = BETA
    join = do.JoinRooms(1, (ALPHA, NAME))
    check(o, join, asked_both, [AttemptsSpent(T + 9, "join", 2)], (BETA, ID))


def test_a_room_that_is_there_is_asked_for_again() -> None:
    """What is owed of it stays owed; if another had its name before, it concerns both."""
    for before, concerns in ((ID, (ID,)), (BETA, (ID, BETA))):
        o = state(State.ABSENT, T - 20, part_owed_until=T + 40)
        o.rooms[1, ALPHA].channel = before

        def again(o: Observed) -> None:
            asked(o, owed=T + 40)

        check(o, do.JoinRooms(1, (ALPHA,)), again, [AttemptsSpent(T + 9, "join", 1)], concerns)


@pytest.mark.parametrize(
    ("stands", "written", "spent", "then", "counted"),
    [
        (State.PRESENT, T, True, State.LEAVING, []),
        (State.ASKED, T, True, State.LEAVING, []),
        (State.ASKED, T - 2, False, State.LEAVING, [T - 2 + JOIN_IN_FLIGHT]),
        (State.ASKED, None, False, State.LEAVING, [T + 9]),
    ],
)
def test_a_room_is_left(
    stands: State, written: float | None, spent: bool, then: State, counted: Sequence[float]
) -> None:
    """A JOIN on its way counts as late as it may arrive: nobody will tell."""

    def left(o: Observed) -> None:
        room = o.rooms[1, ALPHA]
        room.state, room.written_at, room.spent = then, T + 9, True
        room.part_owed_until = T + 9 + PART_OWED
        o.channels[ID].left = (1, T + 9)
        o.join_times = (T - 30, *counted)

    o = state(stands, written, spent=spent)
    o.join_times = (T - 30,)
    check(o, do.PartRooms(1, (ALPHA,)), left, concerns=(ID,))


# -- what is bought --------------------------------------------------------------------------------------------------
def test_a_purchase_concerns_its_channel_alone() -> None:
    o = state()
    o.elements.purse(ID).se, o.elements.jwt.viewer = SE, Viewer(SE, "me", "1")
    o.elements.redemptions["k"] = Redemption("k", ID, ALPHA, ItemId("mug"), 100, T)
    count = o.changes.count
    intend(o, do.SendRedemption("k", SE, SE, ItemId("mug"), (), ""), T + 9)
    assert (o.changes.since(count), o.changes.everybody, o.changes.chat) == ([ID], 0, 0)
