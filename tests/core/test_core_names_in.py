"""What Helix's other words leave: who is followed, who exists, under which name; and what a read that failed leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_world import T0, follows, ref, stream

from allthepoints.base.types import Login, UserId
from allthepoints.core import facts as f
from allthepoints.core.apply import apply
from allthepoints.core.apply_live import taken_in
from allthepoints.core.model import ChannelRef, Why
from allthepoints.core.observed import Channel, Observed, Read, Room, RoomCap, roster
from allthepoints.core.policy import Policy
from allthepoints.core.presence import State
from allthepoints.core.records import (
    ChannelKnown,
    Event,
    EventKind,
    PresenceOpened,
    Record,
    RefusalCleared,
    RefusalSet,
)
from allthepoints.core.refusals import Refusal
from allthepoints.core.silence import LATEST_ANSWER

ALPHA, BETA, OTHER, NEW = ref(0), ref(1), ref(2), ref(3)
POLICY = Policy()
AT = T0 + 300.0
MOVED = ChannelRef(ALPHA.id, Login("elsewhere"), "Elsewhere")
RENAMED = Event(AT, EventKind.RENAMED, ALPHA.id, {"from": "c0", "to": "elsewhere"})


def state(**alpha: object) -> Observed:
    """Two channels are followed, and a third is known; of the first one thing is said."""
    o = Observed(stale=False)
    for channel, place in ((ALPHA, 0), (BETA, 1), (OTHER, None)):
        o.channels[channel.id] = Channel(channel, place)
        o.names[channel.login] = o.addresses[channel.login] = channel.id
    for name, value in alpha.items():
        setattr(o.channels[ALPHA.id], name, value)
    return o


def users(
    *found: ChannelRef, ids: frozenset[UserId] = frozenset(), logins: frozenset[Login] = frozenset(), at: float = AT
) -> f.UsersRead:
    return f.UsersRead(at, found, ids, logins)


def closed(channel: ChannelRef, why: Why, until: float, at: float = AT) -> list[Record]:
    return [
        RefusalSet(at, channel.id, why, "", None, until, 1),
        Event(at, EventKind.REFUSED, channel.id, {"why": why, "text": ""}),
    ]


# -- reads ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("what", ["follows", "users"])
@pytest.mark.parametrize(("failures", "again"), [(0, False), (2, True), (3, False), (4, True)])
def test_what_an_answer_says_of_its_kind_of_read(what: str, failures: int, again: bool) -> None:
    o = state()
    o.reads[what] = Read(True, T0, T0 - 60, again, failures, T0 - 9, T0 - 2, "timeout")
    fact = follows(AT, 0, 1) if what == "follows" else users()
    back = [Event(AT, EventKind.HELIX_BACK, data={"what": what})] if failures >= 3 else []
    assert apply(o, POLICY, fact) == back
    assert o.reads[what] == Read(False, T0, None if again else AT, False, 0, None, T0 - 2, "")


@pytest.mark.parametrize("what", ["live", "follows", "users"])
@pytest.mark.parametrize("failures", [0, 1, 2, 3])
def test_what_a_failure_leaves(what: str, failures: int) -> None:
    o = state()
    o.stale = True
    o.reads[what] = Read(True, T0, T0 - 60, True, failures, T0 - 9 if failures else None, T0 - 2, "timeout")
    told = [Event(AT, EventKind.HELIX_FAILED, data={"what": what, "error": "502"})] if failures == 2 else []
    assert apply(o, POLICY, f.ReadFailed(AT, what, "502", 0.9)) == told
    pause = POLICY.reread.delay(failures + 1, 0.9)
    since = T0 - 9 if failures else AT
    assert o.reads[what] == Read(False, T0, T0 - 60, True, failures + 1, since, AT + pause, "502")
    assert o.stale is (what != "live" or failures < 2), "better on old knowledge than never"


@pytest.mark.parametrize(("until", "not_before"), [(AT + 60, AT + 60), (AT + 1, AT + 2)])
def test_fc_53_the_later_of_their_time_and_ours(until: float, not_before: float) -> None:
    o = state()
    apply(o, POLICY, f.ReadFailed(AT, "live", "429", 0.5, until))
    assert o.reads["live"].not_before == not_before


# -- the follows ---------------------------------------------------------------------------------------------------
def test_fc_12_what_changed_among_the_follows_is_kept() -> None:
    o = state()
    names = roster(POLICY, o)
    records = apply(o, POLICY, follows(AT, OTHER, MOVED, NEW))
    assert records == [
        ChannelKnown(AT, BETA, None),
        ChannelKnown(AT, OTHER, 0),
        RENAMED,
        ChannelKnown(AT, MOVED, 1),
        ChannelKnown(AT, NEW, 2),
    ]
    assert o.channels == {c.id: Channel(c, place) for c, place in ((MOVED, 1), (BETA, None), (OTHER, 0), (NEW, 2))}
    assert roster(POLICY, o) != names
    assert apply(o, POLICY, follows(AT, OTHER, MOVED, NEW)) == []


@pytest.mark.parametrize(("known", "pending"), [(True, False), (True, True), (False, False), (False, True)])
def test_whoever_is_followed_newly_is_asked_for_at_once(known: bool, pending: bool) -> None:
    o = state()
    o.reads["live"] = Read(pending, T0, T0 - 60)
    apply(o, POLICY, follows(AT, ALPHA, BETA, OTHER if known else NEW))
    assert o.reads["live"] == Read(pending, T0, T0 - 60 if known else None, pending and not known)


def test_an_unfollowed_channel_is_meant_no_longer() -> None:
    o = state()
    assert roster(POLICY, o).followed == {ALPHA.id, BETA.id}
    assert apply(o, POLICY, follows(AT, ALPHA)) == [ChannelKnown(AT, BETA, None)]
    assert roster(POLICY, o).followed == {ALPHA.id}


# -- names ---------------------------------------------------------------------------------------------------------
def test_fc_16_another_name_is_told_and_the_old_one_still_means_it() -> None:
    o = state(unanswered=3, ask_not_before=AT + 60, silent_on=1, silent_at=AT - 9)
    roster(POLICY, o)
    assert apply(o, POLICY, users(MOVED)) == [RENAMED, ChannelKnown(AT, MOVED, 0)]
    assert o.channels[ALPHA.id] == Channel(MOVED, 0)
    assert o.addresses == {MOVED.login: ALPHA.id, BETA.login: BETA.id, OTHER.login: OTHER.id}
    assert o.names == {ALPHA.login: ALPHA.id, MOVED.login: ALPHA.id, BETA.login: BETA.id, OTHER.login: OTHER.id}
    assert o.roster is None


def test_fc_16_whoever_has_lost_its_name_to_another_is_looked_for() -> None:
    o = state()
    taker = ChannelRef(ALPHA.id, BETA.login, "C1")
    told = Event(AT, EventKind.RENAMED, ALPHA.id, {"from": "c0", "to": "c1"})
    assert apply(o, POLICY, users(taker)) == [told, ChannelKnown(AT, taker, 0)]
    assert o.addresses == {BETA.login: ALPHA.id, OTHER.login: OTHER.id}
    assert o.names[BETA.login] == BETA.id, "for the config it keeps its name"
    assert o.channels == {
        ALPHA.id: Channel(taker, 0),
        BETA.id: Channel(BETA, 1, look_up=True),
        OTHER.id: Channel(OTHER),
    }
    moved = ChannelRef(BETA.id, Login("away"), "Away")
    apply(o, POLICY, users(moved))
    assert o.addresses == {BETA.login: ALPHA.id, OTHER.login: OTHER.id, moved.login: BETA.id}, "it left it before"


def test_a_new_way_to_write_a_name_is_no_other_name() -> None:
    o = state(unanswered=3)
    shown = replace(ALPHA, display="アルファ")
    assert apply(o, POLICY, users(shown)) == [ChannelKnown(AT, shown, 0)]
    assert o.channels[ALPHA.id] == Channel(shown, 0, unanswered=3)


def test_who_is_where_it_was_known_to_be_is_nothing_new() -> None:
    o = state()
    names = roster(POLICY, o)
    assert apply(o, POLICY, users(ALPHA, BETA)) == []
    assert o.roster is names
    del o.addresses[ALPHA.login]
    assert apply(o, POLICY, users(ALPHA)) == []
    assert o.addresses[ALPHA.login] == ALPHA.id


@pytest.mark.parametrize(
    ("why", "opens"),
    [(why, why in (Why.NO_SUCH_CHANNEL, Why.UNANSWERED, Why.SUSPENDED)) for why in Why],
)
def test_fc_16_at_its_new_name_a_channel_may_be_asked_if_only_the_old_one_was_wrong(why: Why, opens: bool) -> None:
    said = Refusal(why, T0, "", None, None)
    o = state(refusal=said)
    cleared = [RefusalCleared(AT, ALPHA.id)] if opens else []
    assert apply(o, POLICY, users(MOVED)) == [RENAMED, *cleared, ChannelKnown(AT, MOVED, 0)]
    assert o.channels[ALPHA.id].refusal == (None if opens else said)


# -- who exists ----------------------------------------------------------------------------------------------------
def test_fc_15_who_is_found_is_taken_in_and_who_is_not_is_told_once() -> None:
    gone, back = Login("gone"), BETA.login
    o = state()
    o.not_found = {back: T0, NEW.login: T0}
    assert apply(o, POLICY, users(NEW, BETA, logins=frozenset({gone}))) == [
        ChannelKnown(AT, NEW, None),
        Event(AT, EventKind.NOT_FOUND, data={"login": "gone"}),
    ]
    assert o.channels[NEW.id] == Channel(NEW)
    assert o.not_found == {gone: AT}
    assert apply(o, POLICY, users(logins=frozenset({gone}), at=AT + 60)) == []
    assert o.not_found == {gone: AT + 60}


@pytest.mark.parametrize(
    ("found", "missing", "whole"),
    [
        ([OTHER, NEW], [], True),
        ([OTHER], [NEW], True),
        ([], [OTHER, NEW], True),
        ([OTHER, ALPHA], [], False),
        ([], [NEW], False),
    ],
)
def test_a_look_up_of_all_others_counts_as_their_hourly_one(
    found: list[ChannelRef], missing: list[ChannelRef], whole: bool
) -> None:
    o = state()
    o.channels[NEW.id], o.names[NEW.login], o.addresses[NEW.login] = Channel(NEW), NEW.id, NEW.id
    policy = Policy(include=(OTHER.login, NEW.login))
    apply(o, policy, users(*found, ids=frozenset(channel.id for channel in missing)))
    assert o.users_checked_at == (AT if whole else 0.0)


@pytest.mark.parametrize(
    ("look_up", "unanswered", "present_since", "refused"),
    [(True, 3, None, True), (True, 0, None, False), (True, 3, T0, False), (False, 3, None, False)],
)
def test_who_is_there_and_does_not_answer_is_refused_for_a_while(
    look_up: bool, unanswered: int, present_since: float | None, refused: bool
) -> None:
    o = state(look_up=look_up, unanswered=unanswered, present_since=present_since)
    assert apply(o, POLICY, users(BETA, ALPHA)) == (closed(ALPHA, Why.UNANSWERED, AT + 60) if refused else [])
    alpha = o.channels[ALPHA.id]
    assert (alpha.look_up, alpha.unanswered) == (False, 0 if refused else unanswered)
    assert (alpha.refusal is not None) is refused


def test_a_room_with_another_id_is_ours_if_helix_says_so() -> None:
    o = state(look_up=True, unanswered=3)
    o.rooms[1, ALPHA.login] = Room(1, ALPHA.login, ALPHA.id, State.PRESENT, T0, stranger=UserId("99"))
    there = [PresenceOpened(AT, ALPHA.id, None), Event(AT, EventKind.PRESENT, ALPHA.id)]
    assert apply(o, POLICY, users(ALPHA)) == there
    assert (o.channels[ALPHA.id].settled, o.channels[ALPHA.id].look_up) == (UserId("99"), False)


def test_fc_03_who_does_not_exist_is_refused_if_its_silence_was_why_it_was_asked_for() -> None:
    o = state(look_up=True)
    ids = frozenset({ALPHA.id, BETA.id, UserId("99")})
    assert apply(o, POLICY, users(ids=ids)) == closed(ALPHA, Why.NO_SUCH_CHANNEL, AT + 300)
    assert o.channels[ALPHA.id].look_up is False
    assert o.channels[BETA.id] == Channel(BETA, 1)


def test_whom_a_person_looks_at_is_taken_in() -> None:
    o = state()
    o.not_found = {NEW.login: T0}
    names, count = roster(POLICY, o), o.changes.count
    assert list(taken_in(o, NEW, AT)) == [ChannelKnown(AT, NEW, None)]
    assert o.channels[NEW.id] == Channel(NEW)
    assert (o.names[NEW.login], o.addresses[NEW.login], o.not_found) == (NEW.id, NEW.id, {})
    assert roster(POLICY, o) is not names
    assert o.changes.everybody > count


# -- while nobody is answered --------------------------------------------------------------------------------------
def unheard(rooms: int, answered_at: float) -> Observed:
    """So many live channels that were asked often, and nobody at all was answered since."""
    o = Observed(stale=False, answered_at=answered_at)
    for number in range(rooms):
        channel = Channel(ref(number), number, True, stream(number), unanswered=3, ask_not_before=AT + 60)
        channel.silent_at, channel.look_up = answered_at + 1 + number, number == 0
        o.channels[channel.ref.id] = channel
        o.names[channel.ref.login] = o.addresses[channel.ref.login] = channel.ref.id
        o.live.add(channel.ref.id)
    return o


@pytest.mark.parametrize(
    ("rooms", "cap", "silent_for", "refused"),
    [
        (3, 3, LATEST_ANSWER, False),  # it is the server, and the slot is not wanted
        (3, 2, LATEST_ANSWER - 1, False),  # it may still answer
        (3, 2, LATEST_ANSWER, True),  # another waits for the slot
        (2, 2, 5.0, True),  # too few to tell of the server
    ],
)
def test_a_look_up_says_nothing_of_a_room_while_the_server_answers_nobody(
    rooms: int, cap: int, silent_for: float, refused: bool
) -> None:
    o = unheard(rooms, AT - silent_for)
    apply(o, Policy(max_rooms=cap), users(ALPHA))
    assert (o.channels[ALPHA.id].refusal is not None) is refused


@pytest.mark.parametrize(
    ("closed_until", "full_until", "refused"),
    [(AT, AT + 1, True), (AT + 1, AT + 1, True), (AT, AT, True), (AT + 1, AT, False)],
)
def test_who_waits_for_a_slot_is_told_as_of_that_time(closed_until: float, full_until: float, refused: bool) -> None:
    """Three or four want one, by a refusal that may be over; there are two or three, by a limit that may be over."""
    o = unheard(4, AT - LATEST_ANSWER)
    o.channels[ref(3).id].refusal = Refusal(Why.UNANSWERED, T0, "", None, closed_until)
    o.cap = RoomCap(2, full_until, T0)
    apply(o, POLICY, users(ALPHA))
    assert (o.channels[ALPHA.id].refusal is not None) is refused
