"""Who leaves our JOINs unanswered, of several connections and of closed rooms; and how long a no stands."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_room import POLICY, T, state

from allthepoints.base.types import Login, StreamId, UserId
from allthepoints.core.model import ChannelRef, Why
from allthepoints.core.observed import Channel, Connection, Observed, Phase, Room
from allthepoints.core.policy import Policy
from allthepoints.core.presence import State
from allthepoints.core.records import Record, RefusalSet
from allthepoints.core.refusals import RULES, Refusal, delay, refuse
from allthepoints.core.silence import (
    LATEST_ANSWER,
    REFUSED,
    SEVERAL,
    SLOWEST_REASK,
    TIRED,
    answered,
    hush,
    replace_mute,
    unanswered,
)

FIRST = UserId("0")
STREAM = StreamId("s")


def waiting(count: int = SEVERAL) -> Observed:
    """So many live channels, each of which was asked three times; nobody was answered since T - 60."""
    o = state()
    o.channels, o.addresses, o.answered_at = {}, {}, T - 60
    for number in range(count):
        ref = ChannelRef(UserId(str(number)), Login(f"c{number}"), f"C{number}")
        o.channels[ref.id] = Channel(ref, live=True, unanswered=3, ask_not_before=T + 99, silent_at=T - 30 + number)
        o.live.add(ref.id)
    return o


# -- the first answer ----------------------------------------------------------------------------------------------
def refused(why: Why, tries: int = 1, until: float | None = T + 60) -> Refusal:
    return Refusal(why, T - 90, "their words", STREAM, until, tries)


@pytest.mark.parametrize(
    ("refusal", "relents"),
    [
        (None, False),
        (refused(Why.UNANSWERED), True),
        (refused(Why.UNANSWERED, REFUSED), True),
        (refused(Why.UNANSWERED, REFUSED + 1), False),
        (refused(Why.UNANSWERED, until=T), False),
        (refused(Why.UNANSWERED, until=None), False),
        (refused(Why.ROOM_LIMIT), False),
        (refused(Why.NEEDS_EMAIL), False),
        (refused(Why.BANNED, until=None), False),
    ],
)
def test_an_answer_lets_those_ask_again_that_were_not_answered_and_no_others(
    refusal: Refusal | None, relents: bool
) -> None:
    o = waiting()
    o.channels[FIRST].refusal, told, after = refusal, list[Record](), refusal
    if refusal is not None and relents:
        after = replace(refusal, until=T)
        told.append(RefusalSet(T, FIRST, Why.UNANSWERED, "their words", STREAM, T, refusal.tries))
    assert list(answered(o, 1, T)) == told
    assert o.channels[FIRST].refusal == after
    assert [one.ask_not_before for one in o.channels.values()] == [0.0] * SEVERAL
    assert o.answered_at == T


@pytest.mark.parametrize(("silent_at", "waits"), [(T - 61, False), (T - 60, False), (T - 59, True)])
def test_who_was_asked_before_the_last_answer_does_not_wait_in_silence(silent_at: float, waits: bool) -> None:
    o = waiting(SEVERAL + 1)
    o.channels[FIRST].silent_at = silent_at
    assert hush(o, o.live) == ["0"] * waits + ["1", "2", "3"]


# -- several connections -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("since", "answered_at", "mute"),
    [
        ((None, None), T - 6, True),
        ((T - 9, None), T - 6, True),
        ((T - 9, T - 7), T - 6, True),
        ((T - 9, T - 5), T - 6, False),
        ((T - 5, T - 9), T - 6, False),
        ((T - 5, T - 9), T - 5, True),
    ],
)
def test_a_connection_is_suspected_unless_another_was_and_nobody_answered_since(
    since: tuple[float | None, float | None], answered_at: float, mute: bool
) -> None:
    o = waiting(1)
    o.answered_at = answered_at
    for conn, mute_since in enumerate(since, start=2):
        o.connections[conn] = Connection(conn, Phase.READY, T - 600, mute_since=mute_since)
    o.connections[1].unanswered = SEVERAL - 1
    room = o.rooms[1, Login("c0")] = Room(1, Login("c0"), FIRST, State.ASKED, T - 15)
    unanswered(o, POLICY, room, T)
    assert o.connections[1].mute_since == (T if mute else None)
    assert (o.channels[FIRST].silent_at, o.channels[FIRST].silent_on) == (T, 1)


def test_each_connection_that_stayed_mute_is_replaced() -> None:
    """Whatever the ones before it in the row are like."""
    o = state()
    o.answered_at = T
    for conn, since in ((2, T - 5), (3, None), (4, T - 6), (5, T + 1), (6, T - 5)):
        o.connections[conn] = Connection(conn, Phase.READY, T - 600, mute_since=since)
    replace_mute(o, T - 5 + LATEST_ANSWER)
    assert {conn: one.retiring for conn, one in o.connections.items()} == {
        1: False,
        2: True,
        3: False,
        4: True,
        5: False,
        6: True,
    }
    assert {conn: one.mute_since for conn, one in o.connections.items()} == dict.fromkeys(range(1, 7)) | {5: T + 1}


# -- ever more seldom ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("patience", [5.0, 15.0, 300.0])
@pytest.mark.parametrize("before", [2, 3, 5, TIRED, 1_000, 100_000])
def test_a_room_is_asked_ever_more_seldom_whatever_the_patience(patience: float, before: int) -> None:
    o, policy = waiting(1), Policy(ask_timeout=patience)
    o.channels[FIRST].unanswered = before
    room = o.rooms[1, Login("c0")] = Room(1, Login("c0"), FIRST, State.ASKED, T - patience)
    unanswered(o, policy, room, T)
    doubled = patience * 2.0 ** min(before - 2, 99)
    assert o.channels[FIRST].ask_not_before == T + min(doubled, SLOWEST_REASK)
    assert o.channels[FIRST].look_up is ((before + 1) % policy.ask_tries == 0)


# -- refusals ------------------------------------------------------------------------------------------------------
S1, S2 = StreamId("s1"), StreamId("s2")
LATER, ONCE, NEXT, HAND = Why.ROOM_LIMIT, Why.NO_SUCH_CHANNEL, Why.SUSPENDED, Why.BANNED


@pytest.mark.parametrize(
    ("why", "stream", "before", "wait", "tries"),
    [
        (LATER, S1, None, 30.0, 1),
        (LATER, None, (LATER, S1, 1), 60.0, 2),
        (LATER, S2, (LATER, S1, 3), 240.0, 4),
        (LATER, S1, (LATER, S1, 4), 300.0, 5),
        (LATER, S1, (LATER, S1, 5_000), 300.0, 5_001),
        (LATER, S1, (Why.UNANSWERED, S1, 4), 30.0, 1),
        (ONCE, S1, None, 300.0, 1),
        (ONCE, S1, (ONCE, S1, 1), None, 2),
        (ONCE, S1, (ONCE, S1, 2), None, 3),
        (ONCE, S2, (ONCE, S1, 2), 300.0, 1),
        (ONCE, S1, (NEXT, S1, 2), 300.0, 1),
        (NEXT, S1, None, None, 1),
        (NEXT, S1, (NEXT, S1, 1), None, 2),
        (NEXT, S2, (NEXT, S1, 1), None, 1),
        (HAND, S1, None, None, 1),
        (HAND, S1, (HAND, S1, 1), None, 2),
    ],
)
def test_a_no_after_another(
    why: Why, stream: StreamId | None, before: tuple[Why, StreamId, int] | None, wait: float | None, tries: int
) -> None:
    stood = None if before is None else Refusal(before[0], T - 900, "before", before[1], None, before[2])
    until = None if wait is None else T + wait
    assert refuse(why, T, "their words", stream, stood) == Refusal(why, T, "their words", stream, until, tries)


@pytest.mark.parametrize(
    ("why", "until", "stream", "stands"),
    [
        (HAND, None, S2, True),
        (HAND, T, None, True),
        (NEXT, None, S1, True),
        (NEXT, None, S2, False),
        (NEXT, None, None, True),
        (ONCE, T + 1, S1, True),
        (ONCE, T, S1, False),
        (ONCE, T + 1, S2, False),
        (ONCE, T, None, False),
        (LATER, T + 1, S2, True),
        (LATER, T, S1, False),
        (LATER, None, S1, False),
    ],
)
def test_how_long_a_no_stands(why: Why, until: float | None, stream: StreamId | None, stands: bool) -> None:
    assert Refusal(why, T - 9, "", S1, until).stands(stream, T) is stands


def test_no_delay_is_too_long_to_be_told() -> None:
    assert all(delay(rule, 10**9) == rule.cap for rule in RULES.values())
