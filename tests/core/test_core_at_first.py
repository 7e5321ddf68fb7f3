"""What is known before anything is known: every class of the state as it begins, whole, and the words of its states."""

from __future__ import annotations

from dataclasses import asdict, fields, is_dataclass

import pytest
from core_room import ID, T

from allthepoints.base.types import Login, UserId
from allthepoints.core.elements import (
    JWT_NOTE,
    VIEWER_NOTE,
    Agenda,
    Elements,
    Jwt,
    jwt_ended,
    nowhere_key,
    read_key,
)
from allthepoints.core.health import warnings
from allthepoints.core.ledger import Ledger, Posting, post
from allthepoints.core.loyalty import INTERVAL
from allthepoints.core.model import ChannelRef, Why
from allthepoints.core.observed import Channel, Connection, Observed, Phase, Read, Room, RoomCap, SignIn, Standing
from allthepoints.core.policy import Policy, Wish
from allthepoints.core.presence import Input, State, step
from allthepoints.core.records import Change
from allthepoints.core.refusals import RULES, Refusal, Retry, refuse
from allthepoints.core.warning import ERROR, INFO, WARNING, Row

BETA = Login("beta")
REF = ChannelRef(ID, BETA, "Beta")

PURSE = {
    "channel": ID,
    "se": None,
    "login": None,
    "found_at": 0.0,
    "loyalty": None,
    "loyalty_at": 0.0,
    "balance": None,
    "balance_at": 0.0,
    "viewer": None,
    "unknown_viewer": False,
    "ledger": {"points": None, "at": 0.0, "recent": ()},
    "spent": 0,
    "spent_at": 0.0,
    "present_s": 0.0,
    "left_at": 0.0,
    "rate": None,
    "interval": INTERVAL,
    "items": {},
    "items_at": 0.0,
    "items_wanted": False,
    "looked_at": 0.0,
    "doubted": False,
    "refused": {},
    "changed_at": 0.0,
}
JWT = {
    "state": "missing",
    "expires_at": None,
    "viewer": None,
    "checked_at": 0.0,
    "pending": False,
    "failures": 0,
    "not_before": 0.0,
    "error": "",
}
ELEMENTS = {
    "purses": {},
    "looking_up": {},
    "nowhere": {},
    "agenda": None,
    "pending": False,
    "asked_at": 0.0,
    "failures": 0,
    "failing_since": None,
    "not_before": 0.0,
    "limited_until": 0.0,
    "error": "",
    "jwt": JWT,
    "redemptions": {},
    "settled": set(),
    "in_flight": set(),
    "history": (),
    "history_at": 0.0,
    "history_of": None,
    "ahead": None,
    "history_not_before": 0.0,
    "notes": {},
    "flat": {},
}
STANDING = {
    "state": "unchecked",
    "since": 0.0,
    "pending": False,
    "renewing": False,
    "checked_at": 0.0,
    "failures": 0,
    "failing_since": None,
    "not_before": 0.0,
    "chat_refusals": 0,
    "refused_since": None,
    "text": "",
    "expires_at": None,
}
READ = {
    "pending": False,
    "begun_at": 0.0,
    "done_at": None,
    "again": False,
    "failures": 0,
    "failing_since": None,
    "not_before": 0.0,
    "error": "",
}
OBSERVED = {
    "account": None,
    "may_read_follows": False,
    "sign_in": STANDING,
    "channels": {},
    "names": {},
    "addresses": {},
    "not_found": {},
    "live": set(),
    "offline": set(),
    "told": {},
    "roster": None,
    "changes": {"count": 0, "everybody": 0, "chat": 0, "_last": {}},
    "silent": None,
    "queue": None,
    "rest": None,
    "connections": {},
    "rooms": {},
    "last_conn": 0,
    "connect_failures": 0,
    "open_not_before": 0.0,
    "disconnected_since": None,
    "answered_at": 0.0,
    "join_times": (),
    "login_times": (),
    "cap": None,
    "reads": {"live": READ, "follows": READ, "users": READ},
    "users_checked_at": 0.0,
    "stale": True,
    "stale_since": 0.0,
    "points": None,
    "elements": ELEMENTS,
    "last_account": None,
    "config_error": None,
    "config_restart": None,
    "storage_error": None,
}
CHANNEL = {
    "ref": asdict(REF),
    "followed": None,
    "live": None,
    "stream": None,
    "seen_at": 0.0,
    "missed_since": None,
    "refusal": None,
    "present_since": None,
    "unanswered": 0,
    "ask_not_before": 0.0,
    "silent_on": None,
    "silent_at": 0.0,
    "left": None,
    "settled": None,
    "look_up": False,
}
CONNECTION = {
    "conn": 1,
    "phase": "opening",
    "welcomed_at": None,
    "retiring": False,
    "doomed": False,
    "unanswered": 0,
    "mute_since": None,
}
ROOM = {
    "conn": 1,
    "login": "beta",
    "channel": ID,
    "state": "asked",
    "written_at": None,
    "part_owed_until": 0.0,
    "joined_at": 0.0,
    "proven": False,
    "stranger": None,
    "spent": True,
}
WISH = {
    "channel": "beta",
    "item": "Mug",
    "auto": False,
    "max_cost": None,
    "per_day": None,
    "keep": 0,
    "count": 1,
}


@pytest.mark.parametrize(
    ("begun", "known"),
    [
        (Observed(), OBSERVED),
        (Channel(REF), CHANNEL),
        (Connection(1), CONNECTION),
        (Room(1, BETA, ID, State.ASKED), ROOM),
        (Standing(), STANDING),
        (Read(), READ),
        (RoomCap(90, T + 60, T), {"rooms": 90, "until": T + 60, "since": T, "tries": 1}),
        (Elements().purse(ID), PURSE),
        (Jwt(), JWT),
        (Elements(), ELEMENTS),
        (Ledger(), PURSE["ledger"]),
        (Wish(BETA, "Mug"), WISH),
    ],
    ids=lambda it: type(it).__name__ if is_dataclass(it) else "",
)
def test_how_it_begins(begun: object, known: dict[str, object]) -> None:
    assert (Observed().silent_now(), Elements().purse(ID).nowhere) == (frozenset(), False)
    assert asdict(begun) == known  # type: ignore[call-overload]
    assert begun == type(begun)(*(getattr(begun, f.name) for f in fields(begun))), "what asdict shows is all there is"  # type: ignore[arg-type]


def test_what_is_due_begins_with_nothing() -> None:
    assert Elements().purse(ID).nowhere is False
    assert Agenda(Policy(), 0, T, T, set(), {}).firsts == (None, None)


def test_the_words_of_states_that_the_database_logs_and_diagrams_show() -> None:
    assert step(State.ABSENT, Input.ASK) is State.ASKED
    assert list(State) == ["absent", "asked", "present", "leaving"]
    assert list(Input) == ["ask", "leave", "joined", "parted", "echoed", "refused", "expired"]
    assert Connection(1).stands is False
    assert list(Phase) == ["opening", "ready", "closing"]
    assert list(SignIn) == ["unchecked", "good", "doubted", "lost"]


def test_the_keys_of_notes_that_databases_hold() -> None:
    keys = (VIEWER_NOTE, JWT_NOTE, read_key(UserId("7")), nowhere_key(BETA))
    assert keys == ("jwt_viewer", "jwt", "items:7", "nowhere:beta")
    assert jwt_ended(None) is None


def test_a_first_reading_is_where_counting_begins() -> None:
    after, postings = post(Ledger(), T, 100, present_s=0.0)
    assert (after.points, after.at, after.recent) == (100, T, ())
    assert list(postings) == [Posting(Change.OPENING, 0, 100)]
    assert list(post(after, T + 600, 99, present_s=0.0)[1]) == [Posting(Change.ADJUSTED, -1, 99)], "nothing was spent"


# -- refusals and warnings -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("why", "waits"),
    [
        (Why.ROOM_LIMIT, [30, 60, 120, 240, 300, 300]),
        (Why.UNANSWERED, [60, 120, 240, 480, 600, 600]),
        (Why.ACCOUNT_SUSPENDED, [3_600, 7_200, 14_400, 21_600, 21_600, 21_600]),
        (Why.NEEDS_EMAIL, [3_600, 7_200, 14_400, 21_600, 21_600, 21_600]),
        (Why.NEEDS_PHONE, [3_600, 7_200, 14_400, 21_600, 21_600, 21_600]),
        (Why.NO_SUCH_CHANNEL, [300, None, None, None, None, None]),
        (Why.BANNED, [None] * 6),
        (Why.SUSPENDED, [None] * 6),
    ],
)
def test_how_long_each_reason_closes_a_chat(why: Why, waits: list[float | None]) -> None:
    said: Refusal | None = None
    untils = []
    for _ in waits:
        said = refuse(why, 0.0, "", None, said)
        untils.append(said.until)
    assert untils == waits
    assert Refusal(why, 0.0, "", None, None).tries == 1


def test_only_these_are_asked_again_within_a_session() -> None:
    assert refuse(Why.OTHER, T, "", None, None).until is None
    later = {Why.ROOM_LIMIT, Why.UNANSWERED, Why.ACCOUNT_SUSPENDED, Why.NEEDS_EMAIL, Why.NEEDS_PHONE}
    assert {why for why, rule in RULES.items() if rule.retry is Retry.LATER} == later
    assert {why for why, rule in RULES.items() if rule.retry is Retry.BY_HAND} == {Why.BANNED, Why.PUT_OUT}


def test_a_row_of_the_table_shows_at_once_unless_it_says_otherwise() -> None:
    assert warnings(Policy(), Observed(), T) is not None
    row = Row("code", INFO, "Title", "text", lambda _policy, _observed, now: now)
    assert (row.detail(Policy(), Observed(), T), row.delay, row.hidden_by) == ("", 0.0, ())
    assert (INFO, WARNING, ERROR) == ("info", "warning", "error")
