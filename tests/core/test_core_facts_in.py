"""What a fact leaves: its records, and the state after it. Here who we are, the person, the host, and who is marked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_room import ALPHA, BETA, ID, POLICY, T, state
from core_world import OWN

from allthepoints.base.types import Login, UserId
from allthepoints.core import facts as f
from allthepoints.core import facts_points as fp
from allthepoints.core.apply import RENEWED, SLEPT, apply
from allthepoints.core.elements import Purse
from allthepoints.core.loyalty import Balance, JwtState
from allthepoints.core.model import Account, Why
from allthepoints.core.observed import Connection, Observed, Phase, Read, Room, RoomCap, SignIn, Standing
from allthepoints.core.presence import State
from allthepoints.core.records import Event, EventKind, PresenceClosed, Record, RefusalCleared
from allthepoints.core.refusals import Refusal

ME, OTHER = Account(UserId("1"), Login("me")), Account(UserId("2"), Login("other"))
OLD = Login("old")
END = T + 3600.0
LONG_AGO = Standing(since=T - 90, pending=True, renewing=True, checked_at=T - 80, failures=2, failing_since=T - 30)
"""A check is under way, and two before it failed."""


def left(channel: UserId, at: float, why: str) -> list[Record]:
    return [PresenceClosed(at, channel, why), Event(at, EventKind.LEFT, channel, {"why": why})]


def both_there() -> Observed:
    """We sit in two chats, on two connections."""
    o = state(State.PRESENT)
    o.connections[2] = Connection(2, Phase.READY, T - 600)
    o.rooms[2, Login("beta")] = Room(2, Login("beta"), BETA, State.PRESENT, T, proven=True)
    o.channels[BETA].present_since = T - 40
    return o


# -- the sign-in ---------------------------------------------------------------------------------------------------
def signs_in(standing: Standing, fact: f.SignedIn | f.SignInLost | f.SignInUnknown) -> list[Record]:
    """The records; `standing` becomes what it is afterwards."""
    return apply(Observed(sign_in=standing), POLICY, fact)


GOOD = Standing(SignIn.GOOD, T - 90, checked_at=T, expires_at=END)
"""As it was since T - 90, and seen to be so just now."""


@pytest.mark.parametrize(
    ("state_before", "renewing", "end_before", "after", "event"),
    [
        (SignIn.UNCHECKED, False, None, replace(GOOD, since=T), EventKind.SIGNED_IN),
        (SignIn.LOST, False, END - 7200, replace(GOOD, since=T), EventKind.SIGNED_IN),
        (SignIn.GOOD, False, END, GOOD, None),
        (SignIn.GOOD, False, None, GOOD, None),
        (SignIn.GOOD, False, END - RENEWED, GOOD, None),  # the same one: ends are told in whole seconds
        (SignIn.GOOD, False, END - RENEWED - 1, GOOD, EventKind.SIGN_IN_RENEWED),
        (SignIn.GOOD, False, END + 7200, GOOD, None),
        (SignIn.DOUBTED, False, END, replace(GOOD, state=SignIn.DOUBTED, text="refused"), None),
        (SignIn.DOUBTED, True, END - 7200, replace(GOOD, since=T), EventKind.SIGN_IN_RENEWED),
    ],
)
def test_a_token_that_validates(
    state_before: SignIn, renewing: bool, end_before: float | None, after: Standing, event: EventKind | None
) -> None:
    standing = replace(LONG_AGO, state=state_before, renewing=renewing, expires_at=end_before, text="refused")
    data: dict[EventKind | None, dict[str, str | int | float | None]] = {EventKind.SIGNED_IN: {"login": "me"}}
    told = [Event(T, event, data=data.get(event, {}))] if event is not None else []
    assert signs_in(standing, f.SignedIn(T, ME, True, END)) == told
    assert standing == after


def test_of_a_token_without_an_end_nobody_says_that_it_is_another() -> None:
    standing = replace(GOOD)
    assert signs_in(standing, f.SignedIn(T, ME, True)) == []
    assert standing == replace(GOOD, expires_at=None)


@pytest.mark.parametrize(
    ("state_before", "text", "since", "told"),
    [
        (SignIn.GOOD, "", T, True),
        (SignIn.GOOD, "revoked", T, True),
        (SignIn.LOST, "expired", T - 90, True),
        (SignIn.LOST, "revoked", T - 90, False),
    ],
)
def test_a_lost_sign_in_is_told_with_its_reason_once(state_before: SignIn, text: str, since: float, told: bool) -> None:
    standing = replace(LONG_AGO, state=state_before, text=text)
    event = Event(T, EventKind.SIGN_IN_LOST, data={"reason": "revoked"})
    assert signs_in(standing, f.SignInLost(T, "revoked")) == ([event] if told else [])
    assert standing == Standing(SignIn.LOST, since, checked_at=T, text="revoked")


@pytest.mark.parametrize("state_before", [SignIn.UNCHECKED, SignIn.GOOD, SignIn.DOUBTED, SignIn.LOST])
@pytest.mark.parametrize("known", [False, True])
def test_a_check_that_fails_leaves_what_is_known(state_before: SignIn, known: bool) -> None:
    """At the start that is what the token file says; it is looked at again as soon as the check may be tried."""
    standing = replace(LONG_AGO, state=state_before)
    remembered = f.SignedIn(T, ME, True) if known else None
    o = Observed(sign_in=standing)
    assert apply(o, POLICY, f.SignInUnknown(T, "502", 0.5, remembered)) == []
    pause = POLICY.reread.delay(3, 0.5)
    failed = Standing(state_before, T - 90, False, False, T - 80, 3, T - 30, T + pause, text="502")
    believed = known and state_before is SignIn.UNCHECKED
    if believed:
        failed = replace(failed, state=SignIn.GOOD, since=T, checked_at=T - POLICY.check_sign_in)
    assert standing == failed
    assert (o.account, o.may_read_follows) == ((ME, True) if believed else (None, False))
    apply(o, POLICY, f.SignInUnknown(T + 9, "503", 0.0))
    assert (standing.failures, standing.failing_since, standing.text) == (4, T - 30, "503")


def test_the_first_check_that_fails_begins_a_row() -> None:
    standing = Standing()
    signs_in(standing, f.SignInUnknown(T, "502", 0.5))
    assert (standing.failures, standing.failing_since) == (1, T)


def test_a_new_sign_in_is_looked_at_at_once() -> None:
    o = Observed(sign_in=replace(LONG_AGO, not_before=T + 60))
    assert apply(o, POLICY, f.SignInGiven(T)) == []
    assert o.sign_in == replace(LONG_AGO, checked_at=0.0, not_before=0.0)


# -- whose it is ---------------------------------------------------------------------------------------------------
def test_another_account_sits_nowhere_and_owns_nothing_yet() -> None:
    o = both_there()
    o.elements.purses[ID] = Purse(ID, balance=Balance(500), balance_at=T - 60, viewer=ME.login)
    apply(o, POLICY, f.SignedIn(T - 10, ME, True))
    o.reads["follows"].done_at = T - 10
    assert apply(o, POLICY, f.SignedIn(T - 9, ME, True)) == []
    assert (o.reads["follows"].done_at, o.elements.purses[ID].balance) == (T - 10, Balance(500))
    assert not any(connection.doomed for connection in o.connections.values())

    assert apply(o, POLICY, f.SignedIn(T, OTHER, False)) == [*left(ID, T, "closed"), *left(BETA, T, "closed")]
    assert (o.account, o.last_account, o.may_read_follows) == (OTHER, OTHER.user_id, False)
    assert o.reads["follows"] == Read()
    assert o.elements.purses[ID].balance is None
    assert all(connection.doomed for connection in o.connections.values())
    assert not any(room.proven for room in o.rooms.values())

    o.elements.purses[ID].balance = Balance(7)
    apply(o, POLICY, f.SignedIn(T + 1, OTHER, False))
    assert o.elements.purses[ID].balance == Balance(7), "that one is its own"


@pytest.mark.parametrize(("before", "kept"), [(None, True), (ME.user_id, True), (OTHER.user_id, False)])
def test_balances_are_remembered_for_the_account_that_owns_them(before: UserId | None, kept: bool) -> None:
    o = Observed(last_account=before)
    o.elements.purses[ID] = Purse(ID, balance=Balance(500))
    apply(o, POLICY, f.SignedIn(T, ME, True))
    assert (o.elements.purses[ID].balance == Balance(500)) is kept


# -- the person and the host ---------------------------------------------------------------------------------------
def test_a_changed_config_is_told_with_what_waits_for_a_restart() -> None:
    o = state()
    o.reads["live"].done_at = T - 5
    assert apply(o, POLICY, f.ConfigRejected(T, "line 3")) == [
        Event(T, EventKind.CONFIG_REJECTED, data={"error": "line 3"})
    ]
    error = o.config_error
    assert error == (T, "line 3")
    taken = apply(o, POLICY, f.ConfigTaken(T + 1, ("web.listen", "log.file")))
    assert taken == [Event(T + 1, EventKind.CONFIG_TAKEN, data={"restart": "web.listen, log.file"})]
    assert (o.config_error, o.config_restart) == (None, (T + 1, ("web.listen", "log.file")))
    assert o.reads["live"].done_at is None
    apply(o, POLICY, f.ConfigTaken(T + 2, ("web.listen",)))
    assert o.config_restart == (T + 1, ("web.listen",)), "it waits since then"
    assert apply(o, POLICY, f.ConfigTaken(T + 3)) == [Event(T + 3, EventKind.CONFIG_TAKEN)]
    assert o.config_restart is None


@pytest.mark.parametrize("refused", [True, False])
def test_who_is_asked_for_again_has_nothing_against_it(refused: bool) -> None:
    o = state()
    o.not_found = {ALPHA: T - 5, OLD: T - 5}
    fresh = replace(o.channels[ID])
    channel = o.channels[ID]
    channel.unanswered, channel.ask_not_before, channel.look_up = 5, T + 60, True
    channel.silent_on, channel.silent_at = 1, T - 3
    channel.refusal = Refusal(Why.BANNED, T - 50, "", None, None) if refused else None
    told = [RefusalCleared(T, ID), Event(T, EventKind.RETRIED, ID)]
    assert apply(o, POLICY, f.RetryAsked(T, ALPHA)) == (told if refused else [])
    assert channel == fresh
    assert o.not_found == {OLD: T - 5}
    assert apply(o, POLICY, f.RetryAsked(T, OLD)) == []
    assert o.not_found == {}


@pytest.mark.parametrize(("gap", "told", "dead"), [(SLEPT - 0.6, 29, False), (SLEPT, 30, True), (3600.4, 3600, True)])
def test_fc_05_a_sleep_ends_what_is_known_and_a_long_one_what_stands(gap: float, told: int, dead: bool) -> None:
    """The presence ended when the sleep began, as far as that can be told, and not before it began itself."""
    o = both_there()
    o.stale = False
    records = apply(o, POLICY, f.Woke(T, gap))
    ends = [*left(ID, max(T - gap, T - 50), "slept"), *left(BETA, max(T - gap, T - 40), "slept")] if dead else []
    assert records == [Event(T, EventKind.WOKE, data={"gap": told}), *ends]
    assert (o.stale, o.stale_since, o.reads["live"].not_before) == (True, T, T)
    assert [connection.doomed for connection in o.connections.values()] == [dead, dead]
    assert [room.written_at for room in o.rooms.values()] == [T + gap, T + gap]


def test_what_storage_fails_with_is_kept_from_the_first_time_on() -> None:
    o = Observed()
    apply(o, POLICY, f.StorageFailed(T, "disk full"))
    apply(o, POLICY, f.StorageFailed(T + 1, "locked"))
    assert o.storage_error == (T, "disk full")
    apply(o, POLICY, f.StorageWorks(T + 2))
    assert o.storage_error is None


# -- who is marked -------------------------------------------------------------------------------------------------
EVERYBODY, CHAT = "everybody", "chat"


@pytest.mark.parametrize(
    ("fact", "capped", "marked"),
    [
        (f.Ticked(T), False, []),
        (f.Ticked(T + 60), False, EVERYBODY),  # a PART that nobody answers ends a presence
        (f.HelixPoints(T, 700, 800, T), False, []),
        (f.JoinWritten(T, 1, (ALPHA,)), False, CHAT),
        (f.TimedOut(T, 1, ALPHA, 60), False, []),
        (f.Joined(T, 1, ALPHA), False, [ID]),
        (f.Joined(T, 1, ALPHA), True, EVERYBODY),  # it tells how many rooms there are
        (f.Joined(T, 1, Login("nobody")), False, []),
        (f.Parted(T, 1, ALPHA), False, [ID]),
        (f.Parted(T, 1, ALPHA), True, EVERYBODY),
        (f.Banned(T, 1, ALPHA), False, [ID]),
        (f.JoinRefused(T, 1, ALPHA, Why.SUSPENDED), False, [ID]),
        (f.JoinRefused(T, 1, ALPHA, Why.SUSPENDED), True, EVERYBODY),
        (f.JoinRefused(T, 1, ALPHA, Why.ROOM_LIMIT), False, EVERYBODY),
        (f.JoinRefused(T, 1, ALPHA, Why.ROOM_LIMIT), True, EVERYBODY),
        (fp.JwtSeen(T, JwtState.MISSING), False, []),  # as before
        (fp.JwtSeen(T, JwtState.REFUSED), False, EVERYBODY),
        (fp.JwtSeen(T, JwtState.MISSING, None, OWN), False, EVERYBODY),
        (f.ConfigTaken(T), False, EVERYBODY),
        (f.Woke(T, 5.0), False, EVERYBODY),
    ],
)
def test_who_may_be_different_after_a_fact(fact: f.Fact, capped: bool, marked: str | list[UserId]) -> None:
    o = state(State.LEAVING, proven=True)
    o.channels[ID].present_since = T - 50
    o.cap = RoomCap(1, T + 60, T - 60) if capped else None
    o.elements.jwt.state = JwtState.MISSING
    o.changes.of_everybody()
    count = o.changes.count
    apply(o, POLICY, fact)
    changes = o.changes
    found: str | list[UserId] = EVERYBODY if changes.everybody > count else changes.since(count)
    assert (CHAT if found == [] and changes.chat > count else found) == marked


def test_a_line_speaks_of_the_room_it_is_for_whoever_has_that_name_now() -> None:
    o = state(State.PRESENT)
    o.addresses[ALPHA] = BETA
    count = o.changes.count
    apply(o, POLICY, f.Parted(T, 1, ALPHA))
    assert o.changes.since(count) == [ID]
