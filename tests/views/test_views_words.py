"""Every word that the core may use has words of ours, in our style."""

import re
from collections.abc import Iterable
from dataclasses import replace

import pytest

from allthepoints.base.types import JSON, UserId
from allthepoints.core import redeem
from allthepoints.core.earning import Cause, Word
from allthepoints.core.health import TABLE
from allthepoints.core.model import Lost, Why
from allthepoints.core.place import Mark, Reason
from allthepoints.core.records import Event, EventKind
from allthepoints.core.warning import Warning
from allthepoints.core.wishes import Hold, Within
from allthepoints.views.event_text import event_text
from allthepoints.views.sentence import _BESIDE, _INSTEAD, Glance, sentence
from allthepoints.views.text import STATES, VERDICTS
from allthepoints.views.wishes import HOLDS, WITHIN
from allthepoints.views.words import (
    CAUSES,
    ELEMENTS_READS,
    LEFT,
    LOST,
    PLACE,
    READS,
    REASONS,
    REDEMPTIONS,
    SIGN_IN_REASONS,
    WHY,
    told,
)

ALPHA = UserId("42")
NAMES = {ALPHA: "Alpha"}

EVENTS: dict[EventKind, tuple[dict[str, JSON], str]] = {
    EventKind.STARTED: ({}, "The service started."),
    EventKind.STOPPED: ({}, "The service stopped."),
    EventKind.SIGNED_IN: ({"login": "me"}, "You are signed in as me."),
    EventKind.SIGN_IN_LOST: (
        {"reason": "it was revoked."},
        "You are signed out: it was revoked. Run `allthepoints login`.",
    ),
    EventKind.SIGN_IN_RENEWED: ({}, "Your sign-in was renewed."),
    EventKind.LIVE: ({"stream": "1", "started_at": 5.0}, "Alpha is live."),
    EventKind.OFFLINE: ({"stream": "1"}, "Alpha is offline."),
    EventKind.PRESENT: ({}, "You are in Alpha's chat."),
    EventKind.LEFT: ({"why": "lost"}, "You are out of Alpha's chat: the connection was lost."),
    EventKind.REFUSED: (
        {"why": "banned", "text": "You are permanently banned from talking in alpha."},
        "Alpha's chat is closed to you: you are banned from this chat. "
        'Twitch says: "You are permanently banned from talking in alpha."',
    ),
    EventKind.RETRIED: ({}, "Alpha's chat may be asked again, as you said."),
    EventKind.TIMED_OUT: ({"seconds": 600}, "Alpha timed you out for 10 min; you stay in the chat."),
    EventKind.RENAMED: ({"from": "alpha", "to": "alpha2"}, "alpha is now alpha2."),
    EventKind.NOT_FOUND: ({"login": "gone"}, "Twitch knows no channel gone."),
    EventKind.CONNECTED: ({"conn": 3}, "Chat connection 3 is open."),
    EventKind.DISCONNECTED: (
        {"conn": 3, "why": "no_answer_to_ping", "text": ""},
        "Chat connection 3 ended: it fell silent.",
    ),
    EventKind.RECONNECT_ASKED: ({"conn": 3}, "Twitch will close chat connection 3; another one takes its place."),
    EventKind.WOKE: (
        {"gap": 28_800},
        "This machine slept, or its clock was moved, for 8 h; who is live is read anew.",
    ),
    EventKind.HELIX_FAILED: (
        {"what": "live", "error": "answered 503"},
        "Twitch does not say who is live; what was known stays. Answered 503.",
    ),
    EventKind.HELIX_BACK: ({"what": "follows"}, "Twitch says again whom you follow."),
    EventKind.ELEMENTS_FAILED: (
        {"what": "balance", "error": "answered 502."},
        "StreamElements does not say what you have; what was known stays. Answered 502.",
    ),
    EventKind.ELEMENTS_BACK: ({"what": "balance"}, "StreamElements answers again."),
    EventKind.FLAT: (
        {},
        "You are in Alpha's chat, and no points come. `allthepoints points` tells what it may be, and what to do.",
    ),
    EventKind.EARNING_AGAIN: ({}, "Points come again from Alpha."),
    EventKind.WISH_OBTAINABLE: (
        {"item": "Pick the next map 🗺", "cost": 1500, "currency": "acorns"},
        "Pick the next map 🗺 in Alpha's store can be had now, for 1,500 acorns.",
    ),
    EventKind.WISH_CHEAPER: (
        {"item": "Hydrate", "cost": 100, "was": 1500},
        "Hydrate in Alpha's store costs less: 100 points now, was 1,500.",
    ),
    EventKind.WISH_BACK: ({"item": "Hydrate", "cost": 100}, "Hydrate in Alpha's store is back, for 100 points."),
    EventKind.WISH_GONE: ({"item": "Hydrate"}, "Hydrate in Alpha's store is not there any more."),
    EventKind.REDEMPTION_SENT: (
        {"item": "Hydrate", "cost": 100},
        "Hydrate in Alpha's store is being redeemed, for 100 points.",
    ),
    EventKind.REDEEMED: ({"item": "Hydrate", "cost": 100}, "You redeemed Hydrate in Alpha's store, for 100 points."),
    EventKind.REDEMPTION_REFUSED: (
        {"item": "Hydrate", "cost": 100, "reason": "refused", "text": "Item is Out of stock"},
        "Hydrate in Alpha's store was not redeemed: StreamElements said no. StreamElements says: \"Item is Out of "
        'stock"',
    ),
    EventKind.REDEMPTION_UNKNOWN: (
        {"item": "Hydrate", "cost": 100},
        "Whether Hydrate in Alpha's store was redeemed is not known yet: no clear answer came. It is not sent again; "
        "your redemptions are read until it is certain.",
    ),
    EventKind.JWT_EXPIRES: (
        {"days": 7, "expires_at": 1_796_212_800.0},
        "Your StreamElements sign-in ends in 7 days, on 2026-12-02. Run `allthepoints login streamelements`.",
    ),
    EventKind.JWT_EXPIRED: (
        {},
        "Your StreamElements sign-in has ended: nothing can be redeemed, and points go on. "
        "Run `allthepoints login streamelements`.",
    ),
    EventKind.CONFIG_TAKEN: ({}, "The changed config is in force."),
    EventKind.CONFIG_REJECTED: (
        {"error": "c.toml:2: poll.liv: unknown key; did you mean live?"},
        "The changed config cannot be used, and the old one stays. c.toml:2: poll.liv: unknown key; did you mean live?",
    ),
}

WITH_CHANNEL = {
    EventKind.LIVE,
    EventKind.OFFLINE,
    EventKind.PRESENT,
    EventKind.LEFT,
    EventKind.REFUSED,
    EventKind.RETRIED,
    EventKind.TIMED_OUT,
    EventKind.RENAMED,
    EventKind.FLAT,
    EventKind.EARNING_AGAIN,
    EventKind.WISH_OBTAINABLE,
    EventKind.WISH_CHEAPER,
    EventKind.WISH_BACK,
    EventKind.WISH_GONE,
    EventKind.REDEMPTION_SENT,
    EventKind.REDEEMED,
    EventKind.REDEMPTION_REFUSED,
    EventKind.REDEMPTION_UNKNOWN,
}


def test_tables_are_complete() -> None:
    assert set(EVENTS) == set(EventKind)
    assert set(WHY) == set(Why)
    assert set(LOST) == set(Lost)
    assert set(PLACE) == set(Why) | {str(reason) for reason in Reason}
    assert set(STATES) == set(Mark)
    assert set(READS) == {"live", "follows", "users"}
    assert set(ELEMENTS_READS) == {"channel", "loyalty", "balance", "items", "history"}
    assert set(CAUSES) == set(Cause)
    assert set(REASONS) == set(redeem.Reason)
    assert set(REDEMPTIONS) == set(redeem.State)
    assert set(VERDICTS) == set(Word)
    assert set(WITHIN) == set(Within)
    assert set(HOLDS) == set(Hold)
    assert set(redeem.Reason) >= SIGN_IN_REASONS


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_event_is_a_sentence(kind: EventKind) -> None:
    data, expected = EVENTS[kind]
    channel = ALPHA if kind in WITH_CHANNEL else None
    assert event_text(Event(1.0, kind, channel, dict(data)), NAMES) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("why", list(Why))
def test_every_refusal_is_told(why: Why) -> None:
    text = event_text(Event(1.0, EventKind.REFUSED, ALPHA, {"why": why}), NAMES)
    assert WHY[why] in text
    assert "Alpha" in text


@pytest.mark.parametrize("lost", list(Lost))
def test_every_loss_is_told(lost: Lost) -> None:
    event = Event(1.0, EventKind.DISCONNECTED, None, {"conn": 1, "why": lost, "text": "more"})
    assert event_text(event, NAMES) == f"Chat connection 1 ended: {LOST[lost]} (more)."


@pytest.mark.parametrize("why", [*LEFT, "banned", "something_new"])
def test_every_leaving_is_told(why: str) -> None:
    assert event_text(Event(1.0, EventKind.LEFT, ALPHA, {"why": why}), NAMES).startswith("You ")


@pytest.mark.parametrize("kind", list(EventKind))
@pytest.mark.parametrize("channel", [None, ALPHA, UserId("unknown")])
def test_odd_events_are_still_sentences(kind: EventKind, channel: UserId | None) -> None:
    odd: dict[str, str | int | float | None] = {"seconds": None, "conn": "x", "why": 7, "gap": "long", "rooms": None}
    for data in ({}, odd):
        assert event_text(Event(1.0, kind, channel, data), {}).endswith((".", ". "))


def test_a_channel_that_is_not_shown_any_more_is_called_by_its_login() -> None:
    gone = Event(
        1.0, EventKind.REDEEMED, UserId("77"), {"item": "Mug", "cost": 5, "currency": "acorns", "login": "gone"}
    )
    assert "gone's store" in event_text(gone, NAMES)
    assert "channel 77's store" in event_text(replace(gone, data={"item": "Mug", "cost": 5}), NAMES)


def test_an_event_of_a_later_version_is_shown_readably() -> None:
    class Later:
        kind = "points_earned"
        channel = ALPHA
        data: dict[str, JSON] = {}  # noqa: RUF012

    assert event_text(Later(), NAMES) == "Alpha: points earned."


def test_room_limit_tells_how_many() -> None:
    text = event_text(Event(1.0, EventKind.REFUSED, ALPHA, {"why": Why.ROOM_LIMIT, "rooms": 62}), NAMES)
    assert text == "No room for Alpha: your account is in as many chats as it may be, 62 of them from here."


def test_unknown_words_are_readable() -> None:
    assert told(WHY, "some_new_reason") == "some new reason"
    assert told(WHY, "") == "no reason was given"


def _all_texts() -> Iterable[str]:
    yield from (*WHY.values(), *LOST.values(), *LEFT.values(), *PLACE.values())
    yield from (*REASONS.values(), *REDEMPTIONS.values(), *ELEMENTS_READS.values(), *WITHIN.values(), *HOLDS.values())
    for cause in CAUSES.values():
        yield from (cause.short, cause.text, cause.cure)
    yield from (expected for _, expected in EVENTS.values())
    for row in TABLE:
        trouble = Warning(row.code, row.severity, row.title, row.text, 0.0)
        for account in (True, False):
            yield sentence(Glance(account, 3, 0, 2, 1, 0, 1, 0, (trouble,)), 1200.0)
            yield sentence(Glance(account, 0, 0, 0, 0, 0, 0, 0, (trouble,)), 1200.0)


@pytest.mark.parametrize("cause", list(Cause))
def test_fc_50_every_cause_is_a_sentence_and_says_what_can_be_done(cause: Cause) -> None:
    telling = CAUSES[cause]
    assert telling.text.endswith(".")
    assert not telling.cure or telling.cure.endswith(".")
    assert len(telling.short) <= 30


def test_fc_50_who_never_typed_is_told_that_this_program_does_not() -> None:
    telling = CAUSES[Cause.NEVER_TYPED]
    assert "This program never types" in telling.text
    assert "one message in this chat by hand" in telling.cure


def test_every_refused_redemption_is_told() -> None:
    for reason in redeem.Reason:
        event = Event(1.0, EventKind.REDEMPTION_REFUSED, ALPHA, {"item": "Hydrate", "reason": reason})
        assert event_text(event, NAMES) == f"Hydrate in Alpha's store was not redeemed: {REASONS[reason]}."


@pytest.mark.parametrize(("days", "text"), [(7, "in 7 days"), (1, "in 1 day"), (0, "today")])
def test_fc_31_the_end_of_the_jwt_is_told(days: int, text: str) -> None:
    event = Event(1.0, EventKind.JWT_EXPIRES, None, {"days": days})
    assert event_text(event, {}) == f"Your StreamElements sign-in ends {text}. Run `allthepoints login streamelements`."


def test_words_are_calm_and_speak_to_you() -> None:
    for text in _all_texts():
        assert "!" not in text
        assert not re.search(r"\b(I|we|our|us|sorry|please|oops|user)\b", text), text


def test_errors_have_a_sentence_each() -> None:
    errors = {row.code for row in TABLE if row.severity == "error"}
    assert set(_INSTEAD) | set(_BESIDE) == errors


def test_what_of_a_config_waits_for_a_restart_is_told() -> None:
    event = Event(1.0, EventKind.CONFIG_TAKEN, None, {"restart": "twitch.client_id, dashboard.listen"})
    assert event_text(event, {}) == (
        "The changed config is in force, but for twitch.client_id, dashboard.listen: used from the next start on."
    )
