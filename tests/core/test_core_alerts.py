"""What is news, when it leaves the desk, and that nothing is lost or told twice on the way."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from allthepoints.base.types import JSON, UserId
from allthepoints.core import alerts as a
from allthepoints.core.health import TABLE as WARNINGS
from allthepoints.core.hours import Hours, quiet_until
from allthepoints.core.model import Why
from allthepoints.core.news import Kind
from allthepoints.core.records import Event, EventKind
from allthepoints.core.warning import ERROR, WARNING, Warning

ROME = ZoneInfo("Europe/Rome")
ZONES = [UTC, *map(ZoneInfo, ("Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Beirut"))]
ALPHA = UserId("42")
ALL = a.AlertPolicy(frozenset(Kind))
NIGHT = Hours(23 * 60, 7 * 60 + 30)
QUIET = a.AlertPolicy(frozenset(Kind), NIGHT)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
MIDNIGHT = NOON + 12 * 3600
HOUR = 3600.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def told(kind: Kind = Kind.AFFORDABLE, text: str = "x", now: float = NOON, urgent: bool = False) -> a.Alert:
    return a.Alert(kind, now, text, urgent)


def texts(sent: list[a.Message | a.Digest]) -> list[list[str]]:
    return [[alert.text for alert in message.alerts] for message in sent if isinstance(message, a.Message)]


# -- what is news ----------------------------------------------------------------------------------------------------
NEWS: dict[EventKind, Kind] = {
    EventKind.LIVE: Kind.LIVE,
    EventKind.WISH_OBTAINABLE: Kind.AFFORDABLE,
    EventKind.WISH_CHEAPER: Kind.CHEAPER,
    EventKind.WISH_BACK: Kind.BACK,
    EventKind.REDEEMED: Kind.REDEEMED,
    EventKind.REDEMPTION_REFUSED: Kind.REDEEMED,
    EventKind.REDEMPTION_UNKNOWN: Kind.REDEEMED,
    EventKind.FLAT: Kind.FLAT,
    EventKind.EARNING_AGAIN: Kind.FLAT,
    EventKind.REFUSED: Kind.REFUSED,
    EventKind.JWT_EXPIRES: Kind.JWT_EXPIRING,
    EventKind.JWT_EXPIRED: Kind.JWT_EXPIRING,
}


@pytest.mark.parametrize("kind", EventKind)
def test_which_events_are_news(kind: EventKind) -> None:
    assert a.kind_of(Event(NOON, kind, ALPHA)) is NEWS.get(kind)


@pytest.mark.parametrize("why", Why)
def test_a_refusal_that_is_asked_again_in_minutes_is_no_news(why: Why) -> None:
    found = a.kind_of(Event(NOON, EventKind.REFUSED, ALPHA, {"why": why}))
    assert found is (None if why in (Why.ROOM_LIMIT, Why.UNANSWERED) else Kind.REFUSED)


NOT_SENT = {
    "config_rejected",  # whoever saved the file looks at it
    "restart_needed",
    "helix_points_low",  # nothing is missed yet
    "follows_unreadable",  # how it was set up
    "channel_not_found",
    "redemption_unknown",  # an event is told of it
    "redemption_unknown_elsewhere",  # so it is here; the JWT is the person's own doing
    "channels_flat",
    "channels_refused",
    "jwt_expired",
    "jwt_ends_tomorrow",
    "jwt_ends_soon",
    "waiting_for_rooms",  # an evening like others
    "auto_wishes_wait",
}


def test_each_warning_is_news_or_is_known_not_to_be() -> None:
    sent = {code for row in a.TABLE.values() for code in row.warnings}
    assert not sent & NOT_SENT
    assert {row.code for row in WARNINGS} <= sent | NOT_SENT
    assert sent <= {row.code for row in WARNINGS}


def test_the_table_knows_each_kind_and_each_event_once() -> None:
    assert set(a.TABLE) == set(Kind)
    events = [event for row in a.TABLE.values() for event in row.events]
    assert len(events) == len(set(events))
    assert set(Kind) - a.DEFAULTS == {Kind.LIVE}
    assert {kind for kind, row in a.TABLE.items() if row.urgent} == {Kind.SIGN_IN_NEEDED}


# -- batches ---------------------------------------------------------------------------------------------------------
def test_the_first_waits_for_others_and_all_are_one_message() -> None:
    desk = a.Desk()
    for second in range(5):
        assert a.take(desk, ALL, told(text=str(second)), NOON + second)
    assert a.due(desk, ALL, NOON + 5, UTC) == ([], NOON + a.BATCH)
    sent, wake = a.due(desk, ALL, NOON + a.BATCH, UTC)
    assert (texts(sent), wake) == ([["0", "1", "2", "3", "4"]], None)
    assert a.due(desk, ALL, NOON + 99, UTC) == ([], None)


def test_messages_keep_apart_but_for_what_is_urgent() -> None:
    desk = a.Desk()
    a.take(desk, ALL, told(text="1"), NOON)
    a.due(desk, ALL, NOON + a.BATCH, UTC)
    sent_at = NOON + a.BATCH
    a.take(desk, ALL, told(text="2"), sent_at + 1)
    assert a.due(desk, ALL, sent_at + 1 + a.BATCH, UTC) == ([], sent_at + a.SPACING)
    a.take(desk, ALL, told(Kind.TROUBLE, "3", urgent=True), sent_at + 40)
    sent, _ = a.due(desk, ALL, sent_at + 40, UTC)
    assert texts(sent) == [["2", "3"]], "what waits goes along, in its order"


def test_what_is_not_wanted_is_not_taken() -> None:
    desk = a.Desk()
    assert not a.take(desk, a.AlertPolicy(frozenset({Kind.FLAT})), told(), NOON)
    assert not desk.pending


def test_fc_22_one_session_is_told_once_whatever_happens() -> None:
    """A restart, a reconnect, hours of polls, another title: the same stream."""
    event = Event(NOON, EventKind.LIVE, ALPHA, {"stream": "S1", "started_at": NOON})
    desk = a.Desk()
    assert a.take(desk, ALL, a.alert_of(Kind.LIVE, event, "Alpha is live."), NOON)
    assert not a.take(desk, ALL, a.alert_of(Kind.LIVE, event, "Alpha is live: another title."), NOON + 9)
    a.due(desk, ALL, NOON + a.BATCH, UTC)
    again = a.recalled(json.loads(json.dumps(a.remembered(desk))), NOON + HOUR)
    assert not a.take(again, ALL, a.alert_of(Kind.LIVE, event, "Alpha is live."), NOON + HOUR)
    other = Event(NOON, EventKind.LIVE, ALPHA, {"stream": "S2", "started_at": NOON})
    assert a.take(again, ALL, a.alert_of(Kind.LIVE, other, "Alpha is live."), NOON + HOUR)


def test_a_full_desk_lets_the_oldest_go_and_counts_it() -> None:
    desk = a.Desk()
    a.take(desk, ALL, told(Kind.TROUBLE, "urgent", urgent=True), NOON)
    for number in range(a.ROOM + 9):
        a.take(desk, ALL, told(text=str(number)), NOON)
    [message], _ = a.due(desk, ALL, NOON, UTC)
    assert isinstance(message, a.Message)
    assert (len(message.alerts), message.lost) == (a.ROOM, 10)
    assert [alert.text for alert in message.alerts[:2]] == ["urgent", "10"]


# -- quiet hours -----------------------------------------------------------------------------------------------------
def test_quiet_hours_hold_all_but_the_urgent_and_sum_up_at_their_end() -> None:
    desk = a.Desk()
    a.take(desk, QUIET, told(text="1"), MIDNIGHT)
    a.take(desk, QUIET, told(Kind.TROUBLE, "2", urgent=True), MIDNIGHT + 1)
    a.take(desk, QUIET, told(text="3"), MIDNIGHT + 2)
    end = MIDNIGHT + 7.5 * HOUR
    sent, wake = a.due(desk, QUIET, MIDNIGHT + 2, UTC)
    assert (texts(sent), wake) == ([["2"]], end)
    assert a.due(desk, QUIET, end - 1, UTC) == ([], end)
    [message], wake = a.due(desk, QUIET, end, UTC)
    assert isinstance(message, a.Message)
    assert ([alert.text for alert in message.alerts], message.held, wake) == (["1", "3"], True, None)


def test_what_is_held_outlives_the_process() -> None:
    desk = a.Desk()
    a.take(desk, QUIET, told(text="held"), MIDNIGHT)
    a.due(desk, QUIET, MIDNIGHT, UTC)
    a.take(desk, QUIET, told(text="pending"), MIDNIGHT + 1)
    again = a.recalled(json.loads(json.dumps(a.remembered(desk))), MIDNIGHT + HOUR)
    assert a.due(again, QUIET, MIDNIGHT + HOUR, UTC) == ([], MIDNIGHT + 7.5 * HOUR)
    sent, _ = a.due(again, QUIET, MIDNIGHT + 8 * HOUR, UTC)
    assert texts(sent) == [["held", "pending"]]


plain = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "alerts": plain | st.lists(st.fixed_dictionaries({"kind": plain | st.sampled_from(Kind), "at": plain})),
            "lost": plain,
            "troubles": plain | st.dictionaries(st.just("helix_failing"), plain),
            "told": plain,
            "digest_at": plain,
        },
    )
    | plain
)
def test_nonsense_on_the_disk_is_no_desk(value: JSON) -> None:
    desk = a.recalled(value, NOON)
    assert json.dumps(a.remembered(desk))
    a.due(desk, QUIET, NOON, UTC)


steps = st.lists(st.tuples(st.floats(0.0, 6 * HOUR), st.booleans(), st.booleans()), max_size=40)


@given(steps, st.integers(0, 1439), st.integers(0, 1439), st.sampled_from(ZONES), st.booleans())
def test_nothing_is_lost_or_told_twice_and_the_order_is_kept(
    gaps: list[tuple[float, bool, bool]], begin: int, end: int, zone: ZoneInfo, restarts: bool
) -> None:
    """Whatever the quiet hours: each alert leaves once; those of one urgency in their order; in quiet hours only what
    is urgent; and `due` is asked no more often than it says."""
    assume(begin != end)
    policy = a.AlertPolicy(frozenset(Kind), Hours(begin, end))
    desk, now, sent = a.Desk(), at("2026-03-28T12:00+00:00"), []

    def turn() -> float | None:
        messages, wake = a.due(desk, policy, now, zone)
        for message in messages:
            assert isinstance(message, a.Message)
            assert message.alerts
            if quiet_until(policy.quiet, now, zone) is not None:
                assert all(alert.urgent for alert in message.alerts)
            sent.extend(message.alerts)
        assert wake is None or wake > now
        return wake

    for number, (gap, urgent, restart) in enumerate(gaps):
        until = now + gap
        while (wake := turn()) is not None and wake <= until:
            now = wake
        now = until
        a.take(desk, policy, told(text=f"{number}", now=now, urgent=urgent), now)
        if urgent:
            turn()
            assert sent[-1].urgent, "the urgent left at once"
        if restart and restarts:
            desk = a.recalled(json.loads(json.dumps(a.remembered(desk))), now)
    for _ in range(9):
        if (wake := turn()) is not None:
            now = wake
    for urgency in (True, False):
        numbers = [int(alert.text) for alert in sent if alert.urgent is urgency]
        assert numbers == [number for number, (_, urgent, _) in enumerate(gaps) if urgent is urgency]


@given(st.lists(st.floats(0.0, 100.0), max_size=60))
def test_a_storm_of_news_is_few_messages(gaps: list[float]) -> None:
    desk, now, sent_at = a.Desk(), NOON, []
    for gap in gaps:
        now += gap
        a.take(desk, ALL, told(now=now), now)
        if a.due(desk, ALL, now, UTC)[0]:
            sent_at.append(now)
    assert all(later - earlier >= a.SPACING for earlier, later in pairwise(sent_at))


# -- troubles --------------------------------------------------------------------------------------------------------
def trouble(code: str = "helix_failing", since: float = NOON, severity: str = WARNING) -> Warning:
    return Warning(code, severity, f"Title of {code}", "What to do.", since)


def test_a_trouble_is_told_when_it_lasts_and_when_it_is_over() -> None:
    desk = a.Desk()
    a.watch(desk, [trouble()], NOON)
    assert a.due(desk, ALL, NOON, UTC) == ([], NOON + a.SETTLE)
    now = NOON + a.SETTLE
    a.watch(desk, [trouble()], now)
    a.due(desk, ALL, now, UTC)
    sent, _ = a.due(desk, ALL, now + a.BATCH, UTC)
    assert texts(sent) == [["Title of helix_failing. What to do."]]
    a.watch(desk, [], now + 600)
    a.due(desk, ALL, now + 600 + a.SETTLE, UTC)
    [message], _ = a.due(desk, ALL, now + 600 + a.SETTLE + a.BATCH, UTC)
    assert isinstance(message, a.Message)
    [alert] = message.alerts
    assert (alert.over, alert.text, alert.since, alert.at) == (True, "Title of helix_failing", NOON, now + 600)
    assert not desk.troubles


def test_who_flaps_is_told_of_once() -> None:
    desk, now, sent = a.Desk(), NOON, []
    for _ in range(200):
        now += 45.0
        a.watch(desk, [trouble()], now)
        sent += texts(a.due(desk, ALL, now, UTC)[0])
        now += 45.0
        a.watch(desk, [], now)
        sent += texts(a.due(desk, ALL, now, UTC)[0])
    assert sent == []
    for gone in (False, True) * 100:
        now += 45.0
        a.watch(desk, [] if gone else [trouble()], now)
        for _ in range(2):
            now += 45.0 if not gone else 10.0
            sent += texts(a.due(desk, ALL, now, UTC)[0])
    assert len([line for message in sent for line in message]) == 1


def test_an_error_is_urgent_and_a_missing_sign_in_is_told_at_once() -> None:
    desk = a.Desk()
    a.watch(desk, [trouble("sign_in_needed", severity=ERROR), trouble("storage_failing", severity=ERROR)], MIDNIGHT)
    sent, wake = a.due(desk, QUIET, MIDNIGHT, UTC)
    assert texts(sent) == [["Title of sign_in_needed. What to do."]]
    assert wake == MIDNIGHT + a.SETTLE
    sent, _ = a.due(desk, QUIET, MIDNIGHT + a.SETTLE, UTC)
    assert texts(sent) == [["Title of storage_failing. What to do."]]


def test_fc_22_a_warning_that_stands_over_a_restart_is_not_told_again() -> None:
    desk = a.Desk()
    a.watch(desk, [trouble("sign_in_needed", severity=ERROR)], NOON)
    assert len(a.due(desk, ALL, NOON, UTC)[0]) == 1
    now = NOON + HOUR
    again = a.recalled(json.loads(json.dumps(a.remembered(desk))), now)
    a.watch(again, [], now)
    assert a.due(again, ALL, now + 2 * a.SETTLE, UTC)[0] == [], "it is not over: the new run has not met it yet"
    a.watch(again, [trouble("sign_in_needed", since=now, severity=ERROR)], now + 3 * a.SETTLE)
    assert a.due(again, ALL, now + HOUR, UTC) == ([], None)
    a.watch(again, [], now + HOUR)
    a.due(again, ALL, now + HOUR + a.SETTLE, UTC)
    sent, _ = a.due(again, ALL, now + HOUR + a.SETTLE + a.BATCH, UTC)
    assert texts(sent) == [["Title of sign_in_needed"]]


def test_a_trouble_that_went_while_the_service_was_away_is_over_after_a_while() -> None:
    desk = a.Desk()
    a.watch(desk, [trouble("sign_in_needed", severity=ERROR)], NOON)
    a.due(desk, ALL, NOON, UTC)
    again = a.recalled(json.loads(json.dumps(a.remembered(desk))), NOON + HOUR)
    assert a.due(again, ALL, NOON + HOUR, UTC) == ([], NOON + HOUR + a.RETURN)
    a.due(again, ALL, NOON + HOUR + a.RETURN, UTC)
    sent, _ = a.due(again, ALL, NOON + HOUR + a.RETURN + a.BATCH, UTC)
    assert texts(sent) == [["Title of sign_in_needed"]]


# -- the digest ------------------------------------------------------------------------------------------------------
MORNING = a.AlertPolicy(digest=8 * 60)


def digests(policy: a.AlertPolicy, begin: str, end: str, zone: ZoneInfo) -> list[tuple[str, str]]:
    """Every digest of a service that runs so long, as local times."""
    desk, now, found = a.Desk(), at(begin), []
    while now < at(end):
        sent, wake = a.due(desk, policy, now, zone)
        assert bool(sent) is (now > at(begin)), "it is asked no more often than digests come"
        for one in sent:
            assert isinstance(one, a.Digest)
            assert one.until == now, "it comes at its hour"
            found.append(tuple(f"{datetime.fromtimestamp(t, zone):%d %H:%M}" for t in (one.since, one.until)))
        assert wake is not None
        assert wake > now
        now = wake
    return found


def test_a_digest_comes_once_a_day_and_none_at_the_start() -> None:
    assert digests(MORNING, "2026-11-25T12:00+01:00", "2026-11-28T12:00+01:00", ROME) == [
        ("25 08:00", "26 08:00"),
        ("26 08:00", "27 08:00"),
        ("27 08:00", "28 08:00"),
    ]


@pytest.mark.parametrize(
    ("hour", "begin", "end", "expected"),
    [
        pytest.param(
            2 * 60 + 30,
            "2026-03-28T12:00+01:00",
            "2026-03-30T12:00+02:00",
            [("28 02:30", "29 03:30"), ("29 03:30", "30 02:30")],
            id="the hour is left out",
        ),
        pytest.param(
            2 * 60 + 30,
            "2026-10-24T12:00+02:00",
            "2026-10-26T12:00+01:00",
            [("24 02:30", "25 02:30"), ("25 02:30", "26 02:30")],
            id="the hour comes twice",
        ),
        pytest.param(
            8 * 60,
            "2026-10-24T12:00+02:00",
            "2026-10-26T12:00+01:00",
            [("24 08:00", "25 08:00"), ("25 08:00", "26 08:00")],
            id="a day of 25 hours",
        ),
    ],
)
def test_fc_34_a_digest_where_clocks_are_changed(hour: int, begin: str, end: str, expected: list[object]) -> None:
    assert digests(a.AlertPolicy(digest=hour), begin, end, ROME) == expected


def test_a_digest_missed_while_away_is_sent_once_and_speaks_of_one_day() -> None:
    desk = a.Desk()
    a.due(desk, MORNING, at("2026-11-20T12:00+01:00"), ROME)
    again = a.recalled(a.remembered(desk), at("2026-11-25T12:00+01:00"))
    sent, _ = a.due(again, MORNING, at("2026-11-25T12:00+01:00"), ROME)
    assert sent == [a.Digest(at("2026-11-24T08:00+01:00"), at("2026-11-25T08:00+01:00"))]
    assert a.due(again, MORNING, at("2026-11-25T12:00+01:00"), ROME)[0] == []


def test_a_digest_waits_for_the_end_of_quiet_hours() -> None:
    policy = a.AlertPolicy(quiet=NIGHT, digest=6 * 60)
    desk, begin = a.Desk(), at("2026-11-25T12:00+00:00")
    assert a.due(desk, policy, begin, UTC) == ([], at("2026-11-26T06:00+00:00"))
    assert a.due(desk, policy, at("2026-11-26T06:00+00:00"), UTC) == ([], at("2026-11-26T07:30+00:00"))
    sent, _ = a.due(desk, policy, at("2026-11-26T07:30+00:00"), UTC)
    assert sent == [a.Digest(at("2026-11-25T06:00+00:00"), at("2026-11-26T06:00+00:00"))]


def test_no_digest_where_none_is_wanted() -> None:
    assert a.due(a.Desk(), a.AlertPolicy(digest=None), NOON, UTC) == ([], None)
    assert a.due(a.Desk(), a.AlertPolicy(frozenset({Kind.FLAT}), None, 480), NOON, UTC) == ([], None)
