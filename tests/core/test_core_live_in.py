"""What a poll of who is live leaves: its records, and the state after it. Sessions, misses, and whom we take in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_world import T0, live, ref, stream

from allthepoints.base.types import Login, StreamId, UserId
from allthepoints.core import facts as f
from allthepoints.core.apply import apply
from allthepoints.core.model import ChannelRef, Stream, StreamKind
from allthepoints.core.observed import UNRANKED, Channel, Observed, Read, roster
from allthepoints.core.policy import Policy
from allthepoints.core.records import ChannelKnown, Event, EventKind, Record, SessionClosed, SessionOpened

ALPHA, BETA, NEW = ref(0), ref(1), ref(2)
POLICY = Policy(offline_after=180.0)
AT = T0 + 300.0
SEEN = T0 + 290.0
"""When who is on was last seen so."""

FIRST = stream(ALPHA, "s1")
NEXT = stream(ALPHA, "s2", started_at=T0 + 280)
AS_OLD = stream(ALPHA, "s2")
OLDER = stream(ALPHA, "s0", started_at=T0 - 50)
RERUN = stream(ALPHA, "s1", StreamKind.RERUN)
NEXT_RERUN = stream(ALPHA, "s2", StreamKind.RERUN, started_at=T0 + 280)
RETITLED = replace(FIRST, title="another title")
EARLIER = replace(FIRST, started_at=T0 - 50)


def state(on: bool | None = None, session: Stream | None = None, told: StreamId | None = None) -> Observed:
    """Two channels are followed, and looked at all the time; one had this session, and is on, off or unknown."""
    o = Observed(stale=False)
    for place, channel in enumerate((ALPHA, BETA)):
        o.channels[channel.id] = Channel(channel, followed=place)
        o.names[channel.login] = o.addresses[channel.login] = channel.id
    alpha = o.channels[ALPHA.id]
    alpha.live, alpha.stream, alpha.seen_at, alpha.unanswered = on, session, SEEN if session else 0.0, 2
    o.live, o.offline = {ALPHA.id} if on else set(), {ALPHA.id} if on is False else set()
    o.told = {ALPHA.id: told} if told else {}
    return o


def marked(o: Observed, count: int) -> str | list[UserId]:
    return "everybody" if o.changes.everybody > count else o.changes.since(count)


def opened(session: Stream) -> Record:
    return SessionOpened(AT, session)


def alert(session: Stream) -> Record:
    data: dict[str, str | int | float | None] = {"stream": session.id, "started_at": session.started_at}
    return Event(AT, EventKind.LIVE, session.channel.id, data)


CLOSED = SessionClosed(SEEN, ALPHA.id, FIRST.id)
OFF = Event(AT, EventKind.OFFLINE, ALPHA.id, {"stream": FIRST.id})


# -- seen ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("on", "before", "told", "seen", "records", "another", "changed"),
    [
        (None, None, None, FIRST, [opened(FIRST), alert(FIRST)], True, True),
        (None, None, None, RERUN, [opened(RERUN)], True, True),
        (None, FIRST, FIRST.id, FIRST, [opened(FIRST)], False, True),
        (False, FIRST, FIRST.id, FIRST, [opened(FIRST)], False, True),  # given up, and there again: told already
        (False, FIRST, FIRST.id, NEXT, [opened(NEXT), alert(NEXT)], True, True),
        (True, FIRST, FIRST.id, FIRST, [], False, False),
        (True, FIRST, FIRST.id, RETITLED, [], False, True),
        (True, FIRST, FIRST.id, EARLIER, [], False, True),
        (True, FIRST, FIRST.id, RERUN, [], False, True),
        (True, RERUN, None, FIRST, [alert(FIRST)], False, True),
        (True, FIRST, FIRST.id, NEXT, [CLOSED, OFF, opened(NEXT), alert(NEXT)], True, True),
        (True, FIRST, FIRST.id, AS_OLD, [CLOSED, OFF, opened(AS_OLD), alert(AS_OLD)], True, True),
        (True, FIRST, FIRST.id, NEXT_RERUN, [CLOSED, OFF, opened(NEXT_RERUN)], True, True),
        (True, RERUN, None, NEXT, [CLOSED, opened(NEXT), alert(NEXT)], True, True),
    ],
)
def test_fc_08_what_a_sight_opens_closes_and_tells(
    on: bool | None,
    before: Stream | None,
    told: StreamId | None,
    seen: Stream,
    records: list[Record],
    another: bool,
    changed: bool,
) -> None:
    o = state(on, before, told)
    o.channels[ALPHA.id].missed_since = T0 + 270
    count = o.changes.count
    assert apply(o, POLICY, live(AT, seen)) == records
    after = Channel(ALPHA, 0, True, seen, AT, unanswered=0 if another else 2)
    assert o.channels == {ALPHA.id: after, BETA.id: Channel(BETA, 1)}
    assert (o.live, o.offline) == ({ALPHA.id}, set())
    last_told = seen.id if seen.kind is StreamKind.LIVE else told
    assert o.told == ({ALPHA.id: last_told} if last_told else {})
    assert marked(o, count) == ([ALPHA.id] if changed else [])


@pytest.mark.parametrize("on", [True, False])
def test_an_answer_out_of_an_old_cache_opens_no_session_that_is_over(on: bool) -> None:
    o = state(on, FIRST, FIRST.id)
    before, count = replace(o.channels[ALPHA.id]), o.changes.count
    assert apply(o, POLICY, live(AT, OLDER)) == []
    assert o.channels[ALPHA.id] == before
    assert marked(o, count) == []


# -- missed --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("missed_since", "seen_at", "gap", "over", "missed_after"),
    [
        (None, SEEN, False, False, AT),
        (AT - 179, SEEN, False, False, AT - 179),
        (AT - 180, SEEN, False, True, None),
        (None, AT - 180, False, False, AT),
        (None, AT - 180, True, True, None),  # nobody looked for so long
        (None, AT - 179, True, False, AT),
        (AT - 179, AT - 179, True, False, AT - 179),
    ],
)
def test_fc_09_how_long_a_session_outlives_its_last_sight(
    missed_since: float | None, seen_at: float, gap: bool, over: bool, missed_after: float | None
) -> None:
    o = state(True, FIRST, FIRST.id)
    channel = o.channels[ALPHA.id]
    channel.missed_since, channel.seen_at = missed_since, seen_at
    o.stale = gap
    count = o.changes.count
    records = apply(o, POLICY, live(AT, asked=[0]))
    assert records == ([SessionClosed(seen_at, ALPHA.id, FIRST.id), OFF] if over else [])
    assert channel == Channel(ALPHA, 0, not over, FIRST, seen_at, missed_after, unanswered=0 if over else 2)
    assert (o.live, o.offline) == ((set(), {ALPHA.id}) if over else ({ALPHA.id}, set()))
    assert o.changes.since(count) == ([ALPHA.id] if over else [])
    assert o.told == {ALPHA.id: FIRST.id}


def test_nothing_is_told_of_the_end_of_what_nobody_was_told_of() -> None:
    o = state(True, RERUN)
    o.channels[ALPHA.id].missed_since = AT - 180
    assert apply(o, POLICY, live(AT, asked=[0])) == [CLOSED]


def test_who_was_never_seen_is_offline_at_the_first_miss() -> None:
    o = state()
    count = o.changes.count
    assert apply(o, POLICY, live(AT, asked=[0, 1, 7])) == []
    assert o.channels == {ALPHA.id: Channel(ALPHA, 0, False, unanswered=2), BETA.id: Channel(BETA, 1, False)}
    assert o.offline == {ALPHA.id, BETA.id}
    assert set(o.changes.since(count)) == {ALPHA.id, BETA.id}
    count = o.changes.count
    assert apply(o, POLICY, live(AT + 900, asked=[0, 1])) == []
    assert o.channels[ALPHA.id] == Channel(ALPHA, 0, False, unanswered=2), "a miss says nothing new"
    assert marked(o, count) == []


def test_fc_21_a_row_that_makes_no_sense_is_no_miss() -> None:
    o = state(True, FIRST)
    before = replace(o.channels[ALPHA.id])
    ids = frozenset({ALPHA.id, BETA.id})
    assert apply(o, POLICY, f.LiveRead(AT, ids, frozenset(), (), frozenset({ALPHA.id}))) == []
    assert o.channels == {ALPHA.id: before, BETA.id: Channel(BETA, 1, False)}


@pytest.mark.parametrize(
    ("policy", "sighted", "kept"),
    [
        (Policy(), False, False),
        (Policy(), True, True),
        (Policy(include=(ALPHA.login,)), False, True),
        (Policy(include=(ALPHA.login,), paused=frozenset({ALPHA.login})), False, False),
    ],
)
def test_of_whom_nobody_asks_any_more_nothing_is_known(policy: Policy, sighted: bool, kept: bool) -> None:
    """The session ended for us when it was last seen; nobody is told that the channel went off, for it did not."""
    o = state(True, FIRST, FIRST.id)
    channel = o.channels[ALPHA.id]
    channel.followed, channel.missed_since = None, AT - 20
    count = o.changes.count
    records = apply(o, policy, live(AT, *([FIRST] if sighted else []), asked=[1]))
    assert records == ([] if kept else [CLOSED])
    assert channel.live is (True if kept else None)
    assert (o.live, o.offline) == ({ALPHA.id} if kept else set(), {BETA.id})
    if not kept:
        assert channel == Channel(ALPHA, None, None, FIRST, SEEN)
        assert o.changes.since(count) == [ALPHA.id, BETA.id]


# -- what was known before -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("stale", "begun_at", "after"),
    [(True, T0 + 1, False), (True, T0, False), (True, T0 - 1, True), (False, T0 - 1, False), (False, T0 + 1, False)],
)
def test_fc_05_a_poll_proves_something_if_it_was_asked_after_the_sleep(
    stale: bool, begun_at: float, after: bool
) -> None:
    o = state()
    o.stale, o.stale_since, o.reads["live"].begun_at = stale, T0, begun_at
    count = o.changes.count
    apply(o, POLICY, live(AT))
    assert o.stale is after
    assert marked(o, count) == ("everybody" if stale and not after else [])


# -- taken in ------------------------------------------------------------------------------------------------------
INCLUDED = Policy(include=(Login("first"), NEW.login))


@pytest.mark.parametrize(
    ("policy", "theirs", "place"),
    [
        (Policy(), NEW.id, UNRANKED),
        (INCLUDED, NEW.id, None),
        (INCLUDED, None, None),
        (INCLUDED, BETA.id, UNRANKED),  # who bears an old name of a channel that is meant is somebody else
        (replace(INCLUDED, followed=False), None, None),
    ],
)
def test_who_is_live_and_unknown_is_taken_in(policy: Policy, theirs: UserId | None, place: int | None) -> None:
    o = state()
    o.not_found = {NEW.login: T0, Login("gone"): T0}
    if theirs is not None:
        o.names[NEW.login] = theirs
    roster(policy, o)
    session = stream(NEW)
    count = o.changes.count
    records = apply(o, policy, live(AT, session))
    assert records == [ChannelKnown(AT, NEW, place), opened(session), alert(session)]
    assert o.channels[NEW.id] == Channel(NEW, place, True, session, AT)
    assert (o.names[NEW.login], o.addresses[NEW.login]) == (theirs or NEW.id, NEW.id)
    assert o.not_found == {Login("gone"): T0}
    assert o.live == {NEW.id}
    names = roster(policy, o)
    assert (NEW.id in names.followed) is (policy.followed and place is not None)
    assert (NEW.id in names.others) is (place is None)
    assert marked(o, count) == "everybody"


@pytest.mark.parametrize(("include", "theirs"), [((), None), ((), NEW.id), ((), BETA.id), (INCLUDED.include, BETA.id)])
def test_who_is_not_meant_is_not_taken_in(include: tuple[Login, ...], theirs: UserId | None) -> None:
    o = state()
    if theirs is not None:
        o.names[NEW.login] = theirs
    count = o.changes.count
    known = live(AT, stream(NEW), stream(BETA))
    assert apply(o, Policy(followed=False, include=(*include, BETA.login)), known) == [
        opened(stream(BETA)),
        alert(stream(BETA)),
    ], "the next one is seen all the same"
    assert list(o.channels) == [ALPHA.id, BETA.id]
    assert marked(o, count) == [BETA.id]


# -- the read itself -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("failures", "again", "error"), [(0, False, None), (1, True, "502"), (2, False, None), (3, True, None)]
)
def test_what_a_poll_that_was_answered_says_of_polls(failures: int, again: bool, error: str | None) -> None:
    o = state()
    o.reads["live"] = Read(True, T0, T0 - 60, again, failures, T0 - 9, T0 - 2, "timeout")
    count = o.changes.count
    records = apply(o, POLICY, f.LiveRead(AT, frozenset(), frozenset(), (), error=error))
    assert records == ([Event(AT, EventKind.HELIX_BACK, data={"what": "live"})] if failures == 3 else [])
    assert o.reads["live"] == Read(False, T0, None if again else AT, False, 0, None, T0 - 2, error or "")
    assert marked(o, count) == ("everybody" if failures else [])


# -- names --------------------------------------------------------------------------------------------------
def test_a_poll_tells_of_another_name_before_it_tells_of_the_session() -> None:
    o = state(True, FIRST, FIRST.id)
    moved = ChannelRef(ALPHA.id, Login("elsewhere"), "Elsewhere")
    renamed = Event(AT, EventKind.RENAMED, ALPHA.id, {"from": "c0", "to": "elsewhere"})
    session = replace(NEXT, channel=moved)
    expect = [renamed, ChannelKnown(AT, moved, 0), CLOSED, OFF, opened(session), alert(session)]
    assert apply(o, POLICY, live(AT, session)) == expect
    assert o.channels[ALPHA.id] == Channel(moved, 0, True, session, AT)


def test_everybody_may_be_different_when_one_is_called_or_found_in_another_way() -> None:
    o = state(True, FIRST, FIRST.id)
    count = o.changes.count
    shown = replace(ALPHA, display="Another Way")
    assert apply(o, POLICY, live(AT, replace(FIRST, channel=shown))) == [ChannelKnown(AT, shown, 0)]
    assert marked(o, count) == "everybody"
    o.addresses[ALPHA.login], count = BETA.id, o.changes.count
    assert apply(o, POLICY, live(AT, replace(FIRST, channel=shown))) == []
    assert o.addresses[ALPHA.login] == ALPHA.id, "it has its name back"
    assert o.channels[BETA.id].look_up
    assert marked(o, count) == "everybody"
