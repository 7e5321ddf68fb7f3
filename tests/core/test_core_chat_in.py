"""What a line of the chat leaves where it is not the usual one: late, overtaken, a stranger's, or of a closed chat.
All records, and the state after them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_room import ALPHA, BETA, ID, OWED, POLICY, T, state
from core_world import stream

from allthepoints.base.types import Login, UserId
from allthepoints.core import facts as f
from allthepoints.core.apply import apply
from allthepoints.core.apply_chat import no_longer_there, settle
from allthepoints.core.closing import close
from allthepoints.core.model import ChannelRef, Why
from allthepoints.core.observed import Channel, Room
from allthepoints.core.policy import JOIN_IN_FLIGHT
from allthepoints.core.presence import State
from allthepoints.core.records import (
    Event,
    EventKind,
    PresenceClosed,
    PresenceOpened,
    Record,
    RefusalCleared,
    RefusalSet,
)
from allthepoints.core.refusals import Refusal

REF = ChannelRef(ID, ALPHA, "Alpha")
ON = stream(REF, started_at=T - 900)
STRANGER = UserId("99")
BANNED = Refusal(Why.BANNED, T - 9, "before", None, None)


def refused(why: Why, text: str = "", until: float | None = None, *, tries: int = 1, told: bool = True) -> list[Record]:
    """The session on the air now is the one in which it was said."""
    event = Event(T, EventKind.REFUSED, ID, {"why": why, "text": text})
    return [RefusalSet(T, ID, why, text, ON.id, until, tries), *([event] if told else [])]


def left(at: float, why: str) -> list[Record]:
    return [PresenceClosed(at, ID, why), Event(at, EventKind.LEFT, ID, {"why": why})]


# -- closed to us --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("before", "why", "records"),
    [
        (None, Why.BANNED, refused(Why.BANNED, "words")),
        (None, Why.SUSPENDED, refused(Why.SUSPENDED, "words")),
        (None, Why.NO_SUCH_CHANNEL, refused(Why.NO_SUCH_CHANNEL, "words", T + 300)),
        (Refusal(Why.UNANSWERED, T - 9, "", None, T, 2), Why.UNANSWERED, None),
        (Refusal(Why.UNANSWERED, T - 9, "", None, T, 2), Why.SUSPENDED, refused(Why.SUSPENDED, "words")),
        (Refusal(Why.SUSPENDED, T - 9, "", ON.id, None), Why.BANNED, refused(Why.BANNED, "words")),
        (Refusal(Why.PUT_OUT, T - 9, "", None, None), Why.BANNED, refused(Why.BANNED, "words")),
        (BANNED, Why.BANNED, refused(Why.BANNED, "words", told=False)),
        (BANNED, Why.PUT_OUT, []),
        (BANNED, Why.SUSPENDED, []),
        (BANNED, Why.UNANSWERED, []),
        (Refusal(Why.PUT_OUT, T - 9, "", None, None), Why.PUT_OUT, []),
    ],
)
def test_what_closes_a_chat_and_how_it_is_told(before: Refusal | None, why: Why, records: list[Record] | None) -> None:
    """A further one for the same reason is told no more; what stands by the streamer's word is not made milder."""
    if records is None:
        records = refused(Why.UNANSWERED, "words", T + 240, tries=3, told=False)
    channel = Channel(REF, live=True, stream=ON, refusal=before, unanswered=3, ask_not_before=T + 60)
    expect = replace(channel)
    assert list(close(channel, why, T, "words")) == records
    if records:
        said = records[0]
        assert isinstance(said, RefusalSet)
        expect.refusal = Refusal(why, T, "words", ON.id, said.until, said.tries)
        expect.unanswered, expect.ask_not_before = 0, 0.0
    assert channel == expect


@pytest.mark.parametrize(
    ("conn", "login", "why", "present", "closes"),
    [
        (1, "alpha", Why.SUSPENDED, False, True),
        (1, "alpha", Why.SUSPENDED, True, False),  # we are in by a newer JOIN
        (1, "alpha", Why.BANNED, True, True),
        (1, "alpha", Why.PUT_OUT, False, True),
        (1, "alpha", Why.ROOM_LIMIT, False, False),  # there may be room by now
        (9, "alpha", Why.SUSPENDED, False, False),  # a connection that is gone
        (1, "nobody", Why.SUSPENDED, False, False),
    ],
)
def test_a_no_to_a_join_that_was_given_up(conn: int, login: str, why: Why, present: bool, closes: bool) -> None:
    o = state()
    channel = o.channels[ID]
    channel.live, channel.stream, channel.present_since = True, ON, T - 50 if present else None
    o.connections[1].unanswered = 2
    records = apply(o, POLICY, f.JoinRefused(T, conn, Login(login), why, "words"))
    assert records == (refused(why, "words") if closes else [])
    assert (channel.refusal is not None) is closes
    assert (o.connections[1].unanswered, o.answered_at) == ((2, 0.0) if conn == 9 else (0, T)), "it is an answer"
    assert o.cap is None


@pytest.mark.parametrize(("owed", "stays"), [(OWED, True), (0.0, False)])
def test_a_room_that_is_refused_stays_while_an_echo_is_out(owed: float, stays: bool) -> None:
    o = state(State.ASKED, part_owed_until=owed, spent=False, stranger=STRANGER)
    apply(o, POLICY, f.JoinRefused(T, 1, ALPHA, Why.SUSPENDED))
    assert o.rooms == ({(1, ALPHA): Room(1, ALPHA, ID, State.ABSENT, part_owed_until=OWED)} if stays else {})
    assert o.join_times == (T,)


def test_a_room_that_is_given_up_is_counted_once() -> None:
    o = state(State.ASKED, part_owed_until=OWED, spent=False)
    apply(o, POLICY, f.Ticked(T + 15))
    assert o.rooms == {(1, ALPHA): Room(1, ALPHA, ID, State.ABSENT, part_owed_until=OWED)}
    assert o.join_times == (T + JOIN_IN_FLIGHT,)
    assert o.join_window(T + 16).times == (T + JOIN_IN_FLIGHT,)


@pytest.mark.parametrize("leaves_by_itself", [True, False])
def test_whoever_is_put_out_is_told_so(leaves_by_itself: bool) -> None:
    o = state(State.LEAVING if leaves_by_itself else State.PRESENT, proven=True)
    channel = o.channels[ID]
    channel.live, channel.stream, channel.present_since = True, ON, T - 50
    records = apply(o, POLICY, f.Parted(T, 1, ALPHA))
    assert records == [*([] if leaves_by_itself else refused(Why.PUT_OUT)), *left(T, "put_out")]
    assert o.rooms == {}


# -- whom a line is about ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("room", "conn", "login", "about"),
    [
        (True, 1, "alpha", ID),  # whoever has that name now
        (True, 2, "alpha", BETA),  # that connection has no such room
        (False, 1, "alpha", BETA),
        (True, 1, "nobody", None),
    ],
)
@pytest.mark.parametrize("banned", [True, False])
def test_a_ban_and_a_timeout_are_of_the_room_they_were_said_in(
    room: bool, conn: int, login: str, about: UserId | None, banned: bool
) -> None:
    o = state(State.PRESENT if room else None)
    o.addresses[ALPHA] = BETA
    fact = f.Banned(T, conn, Login(login)) if banned else f.TimedOut(T, conn, Login(login), 350)
    expect: list[Record] = []
    if about is not None and banned:
        expect = [
            RefusalSet(T, about, Why.BANNED, "", None, None, 1),
            Event(T, EventKind.REFUSED, about, {"why": Why.BANNED, "text": ""}),
        ]
    elif about is not None:
        expect = [Event(T, EventKind.TIMED_OUT, about, {"seconds": 350})]
    assert apply(o, POLICY, fact) == expect
    assert {i for i, channel in o.channels.items() if channel.refusal} == ({about} if about and banned else set())


# -- in, for all we know -------------------------------------------------------------------------------------------
def test_a_presence_is_of_the_session_on_the_air() -> None:
    o = state(State.ASKED, stranger=None)
    o.channels[ID].live, o.channels[ID].stream = True, ON
    o.channels[ID].refusal = Refusal(Why.SUSPENDED, T - 9, "", None, None)
    present = [PresenceOpened(T, ID, ON.id), Event(T, EventKind.PRESENT, ID)]
    assert apply(o, POLICY, f.Joined(T, 1, ALPHA, ID)) == [RefusalCleared(T, ID), *present]
    assert o.rooms == {(1, ALPHA): Room(1, ALPHA, ID, State.PRESENT, T, joined_at=T, proven=True)}


def test_what_a_connection_says_proves_nothing_once_it_is_as_good_as_gone() -> None:
    o = state(State.PRESENT)
    assert list(no_longer_there(o, 2, T, "slept")) == []
    assert list(no_longer_there(o, 1, T, "slept")) == left(T, "slept")
    assert o.rooms == {(1, ALPHA): Room(1, ALPHA, ID, State.PRESENT, T)}
    assert list(no_longer_there(o, 1, T, "slept")) == [], "it has ended already"


def test_a_presence_never_ends_before_it_began() -> None:
    o = state(State.PRESENT)
    assert list(no_longer_there(o, 1, T - 90, "slept")) == left(T - 50, "slept")


@pytest.mark.parametrize("stands", [State.PRESENT, State.LEAVING, State.ASKED])
def test_helix_settles_the_rooms_of_a_stranger_and_no_others(stands: State) -> None:
    o = state(stands, stranger=STRANGER)
    o.channels[ID].present_since = None
    o.rooms[1, ALPHA].proven = False
    o.rooms[2, ALPHA] = Room(2, ALPHA, ID, State.PRESENT, T)
    o.rooms[3, Login("beta")] = Room(3, Login("beta"), BETA, State.PRESENT, T, stranger=UserId("98"))
    others = [replace(room) for room in o.rooms.values() if room.conn > 1]
    there = stands is State.PRESENT
    records = [PresenceOpened(T, ID, None), Event(T, EventKind.PRESENT, ID)] if there else []
    assert list(settle(o, o.channels[ID], T)) == records
    assert o.rooms[1, ALPHA] == Room(1, ALPHA, ID, stands, T, proven=there)
    assert [room for room in o.rooms.values() if room.conn > 1] == others
    assert (o.channels[ID].settled, o.channels[BETA].settled) == (STRANGER, None)


# -- the connection ------------------------------------------------------------------------------------------------
def test_fc_05_a_connection_that_will_be_closed_is_told_of_once() -> None:
    o = state()
    asked = [Event(T, EventKind.RECONNECT_ASKED, data={"conn": 1})]
    assert apply(o, POLICY, f.ReconnectAsked(T, 1)) == asked
    assert o.connections[1].retiring
    assert apply(o, POLICY, f.ReconnectAsked(T + 1, 1)) == []
    assert apply(o, POLICY, f.ReconnectAsked(T + 1, 9)) == []
