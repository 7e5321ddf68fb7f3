"""What is planned, decision by decision, where a whole day in a world does not show which of two rules made it."""

from __future__ import annotations

import pytest
from core_world import T0, Core, at_work, logins, ref, signed_in

from allthepoints.core import facts as f
from allthepoints.core import facts_points as fp
from allthepoints.core.actions import JoinRooms, OpenConnection, PartRooms, ReadLive, RenewSignIn
from allthepoints.core.loyalty import Balance
from allthepoints.core.observed import Observed, RoomCap, SignIn
from allthepoints.core.plan import room_cap
from allthepoints.core.policy import Policy

A, B, C = logins(0, 1, 2)
CALM = Policy(poll_live=9_000.0, poll_follows=9_000.0, check_sign_in=9_000.0)
"""Nothing is due by itself."""


def sitting(*numbers: int, policy: Policy = CALM) -> Core:
    """In all of these rooms, on connection 1."""
    core = at_work(*numbers, policy=policy)
    at = T0
    while asked := [login for (_, login), room in core.observed.rooms.items() if room.written_at is None]:
        core.turn(f.JoinWritten(at, 1, tuple(asked)), *(f.Joined(at, 1, login) for login in asked), now=at)
        core.turn(now=(at := at + 10.5))
    return core


# -- sign-in -------------------------------------------------------------------------------------------------------
def test_signed_out_it_looks_every_15_s_and_asks_nobody_anything() -> None:
    core = sitting(0, policy=Policy())
    core.turn(f.SignInLost(T0 + 20, "revoked"))
    assert core.wake_at == T0 + 35
    core.turn(now=T0 + 34.9)
    assert core.did(RenewSignIn)[1:] == []
    assert RenewSignIn() in core.turn(now=T0 + 35)
    core.turn(f.SignInLost(T0 + 36, "revoked"))
    core.turn(now=T0 + 45)
    assert [at for at, a in core.done if isinstance(a, ReadLive) and at > T0 + 20] == []


@pytest.mark.parametrize(
    ("refusals", "seconds"),
    [
        (1, 0.0),
        (2, 15.0),
        (3, 30.0),
        (4, 60.0),
        (5, 120.0),
        (6, 240.0),
        (7, 480.0),
        (8, 600.0),
        (9, 600.0),
        (2000, 600.0),
    ],
)
def test_fc_17_each_pause_after_a_refusal_of_the_chat_is_twice_the_one_before(refusals: int, seconds: float) -> None:
    core = Core(CALM)
    core.turn(signed_in(T0))
    core.observed.sign_in.state, core.observed.sign_in.chat_refusals = SignIn.DOUBTED, refusals
    if seconds:
        assert RenewSignIn(refused=True) not in core.turn(now=T0 + seconds - 0.1)
    assert RenewSignIn(refused=True) in core.turn(now=T0 + seconds)


# -- how many rooms ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("told", "most", "now", "rooms"),
    [
        (None, 90, T0, 90),
        (RoomCap(3, T0, T0), 90, T0 - 1, 3),
        (RoomCap(3, T0, T0), 90, T0, 4),  # one more is tried
        (RoomCap(3, T0, T0), 2, T0, 2),
        (RoomCap(3, T0, T0), 2, T0 - 1, 2),
    ],
)
def test_how_many_rooms_there_may_be(told: RoomCap | None, most: int, now: float, rooms: int) -> None:
    assert room_cap(Policy(max_rooms=most), Observed(cap=told), now) == rooms


def test_a_full_house_leaves_as_many_as_may_be_asked_and_looks_again_when_more_may() -> None:
    core = sitting(*range(25), policy=Policy(max_rooms=25, poll_live=9_000.0))
    assert core.turn(f.ReconnectAsked(T0 + 40, 1)) == (OpenConnection(2),)
    (left,) = core.turn(f.Welcomed(T0 + 41, 2))
    assert isinstance(left, PartRooms)
    assert len(left.logins) == 20
    assert core.wake_at == T0 + 51.5, "that is when twenty more may be asked"


# -- who is asked --------------------------------------------------------------------------------------------------
def test_who_is_out_is_asked_before_who_must_only_move() -> None:
    """Both connections fell silent for good; a window is nearly spent; c1 still sits in its room on the old one."""
    core = sitting(0, 1, policy=Policy(poll_live=9_000.0))
    core.turn(f.ReconnectAsked(T0 + 40, 1), f.Parted(T0 + 40, 1, A))
    core.turn(f.RetryAsked(T0 + 40.5, A))
    core.observed.join_times = (T0 + 40.9,) * 19
    assert core.turn(f.Welcomed(T0 + 41, 2)) == (JoinRooms(2, (A,)),)
    core = sitting(0, 1, policy=Policy(poll_live=9_000.0))
    core.turn(f.ReconnectAsked(T0 + 40, 1), f.Parted(T0 + 40, 1, B))
    core.turn(f.RetryAsked(T0 + 40.5, B))
    core.observed.join_times = (T0 + 40.9,) * 19
    assert core.turn(f.Welcomed(T0 + 41, 2)) == (JoinRooms(2, (B,)),)


# -- what is kept --------------------------------------------------------------------------------------------------
def test_what_was_found_at_rest_is_not_looked_for_again() -> None:
    """Most turns are about points, or about nothing: they do not look through a hundred rooms."""
    core = sitting(0, 1)
    core.turn(now=T0 + 20)
    found = core.observed.rest
    assert found is not None
    core.turn(now=T0 + 20)
    core.turn(now=T0 + 21)
    core.turn(fp.BalanceRead(T0 + 22, ref(0).id, Balance(10)))
    assert core.observed.rest is found
    core.turn(f.Parted(T0 + 23, 1, A))
    assert core.observed.rest is not found
    found = core.observed.rest
    core.policy = Policy(max_rooms=1)
    core.turn(f.ConfigTaken(T0 + 24))
    assert core.observed.rest is not found
