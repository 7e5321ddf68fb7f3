"""Connections that come and fall, one by one: what goes with them, and when the next one is tried."""

from __future__ import annotations

import pytest
from core_room import BETA, ID, POLICY, T, state

from allthepoints.base.types import Login
from allthepoints.core import facts as f
from allthepoints.core.apply_chat import (
    connection_lost,
    welcomed,
)
from allthepoints.core.model import Lost
from allthepoints.core.observed import Connection, Observed, Room, SignIn
from allthepoints.core.policy import JOIN_IN_FLIGHT
from allthepoints.core.presence import State
from allthepoints.core.records import (
    Event,
    EventKind,
    PresenceClosed,
    Record,
)


def lost(o: Observed, why: Lost = Lost.RESET, at: float = T, luck: float = 1.0) -> list[Record]:
    return list(connection_lost(o, POLICY, f.ConnectionLost(at, 1, why, luck, "words")))


def test_a_connection_that_falls_takes_its_rooms_along() -> None:
    o = state(State.PRESENT)
    o.rooms[1, Login("beta")] = Room(1, Login("beta"), BETA, State.ASKED, T - 1, spent=False)
    o.rooms[1, Login("gamma")] = Room(1, Login("gamma"), BETA, State.ASKED, None, spent=False)
    told = lost(o)
    assert (o.rooms, o.connections) == ({}, {})
    assert o.join_times == (T, T - 1 + JOIN_IN_FLIGHT), "now, or the latest time at which it may arrive"
    assert (o.sign_in.state, o.sign_in.chat_refusals) == (SignIn.GOOD, 0)
    assert told == [
        PresenceClosed(T, ID, "lost"),
        Event(T, EventKind.LEFT, ID, {"why": "lost"}),
        Event(T, EventKind.DISCONNECTED, data={"conn": 1, "why": Lost.RESET, "text": "words"}),
    ]
    assert lost(o) == [], "told twice, it is one loss"
    o = state(State.PRESENT)
    assert lost(o, Lost.OURS)[0] == PresenceClosed(T, ID, "closed")
    assert (o.connect_failures, o.open_not_before) == (0, 0.0), "that was no failure"


@pytest.mark.parametrize(
    ("welcomed_at", "newest", "before", "failures"),
    [(T - 60, 1, 5, 1), (T - 59, 1, 5, 6), (T - 600, 2, 5, 6), (None, 1, 0, 1)],
)
def test_how_long_to_wait_before_the_next_one(
    welcomed_at: float | None, newest: int, before: int, failures: int
) -> None:
    o = state()
    o.connections[1].welcomed_at, o.last_conn, o.connect_failures = welcomed_at, newest, before
    lost(o)
    assert o.connect_failures == failures
    assert o.open_not_before == T + POLICY.reconnect.delay(failures, 1.0)
    assert o.login_times == ((T,) if welcomed_at is None else ()), "it may have logged in all the same"


def test_since_when_no_connection_stands() -> None:
    o = state()
    lost(o)
    assert o.disconnected_since == T
    o.connections[1] = Connection(1)
    lost(o, at=T + 9)
    assert o.disconnected_since == T
    o.connections[2] = Connection(2)
    assert list(welcomed(o, f.Welcomed(T + 20, 2))) == [Event(T + 20, EventKind.CONNECTED, data={"conn": 2})]
    assert (o.disconnected_since, o.login_times[-1], o.connections[2].usable) == (None, T + 20, True)
    o.connections[1] = Connection(1)
    lost(o, at=T + 30)
    assert o.disconnected_since is None, "the other one stands"


@pytest.mark.parametrize("before", [SignIn.GOOD, SignIn.LOST, SignIn.UNCHECKED])
def test_fc_17_a_login_that_is_refused_doubts_a_good_sign_in(before: SignIn) -> None:
    o = state()
    o.sign_in.state = before
    lost(o, Lost.LOGIN)
    standing = o.sign_in
    doubted = before is SignIn.GOOD
    assert (standing.state, standing.text) == ((SignIn.DOUBTED, "words") if doubted else (before, ""))
    assert standing.since == (T if doubted else 0.0)
    assert (standing.chat_refusals, standing.refused_since) == (1, T)
    o.connections[1] = Connection(1)
    lost(o, Lost.LOGIN, at=T + 9)
    assert (standing.chat_refusals, standing.refused_since) == (2, T)
    o.connections[2] = Connection(2)
    list(welcomed(o, f.Welcomed(T + 20, 2)))
    assert (standing.chat_refusals, standing.refused_since) == (0, None)
    assert list(welcomed(o, f.Welcomed(T + 21, 2))) == [], "it stands already"
    assert list(welcomed(o, f.Welcomed(T + 21, 9))) == []
