"""Is it earning? The table of verdicts, and FC-50's course of a stay, reading by reading."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.base.types import Login
from allthepoints.core.earning import (
    ROUND,
    RULES,
    SELDOM,
    SILENT,
    Cause,
    Sight,
    Verdict,
    Word,
    _Case,
    turns_at,
    verdict,
)
from allthepoints.core.ledger import Ledger, post
from allthepoints.core.loyalty import LAG, Loyalty

T0 = 1_790_000_000.0
MINUTE = 60.0
POLL = 5 * MINUTE
FLAT_AFTER = 30 * MINUTE
ME = Login("me")
ON = Loyalty(amount=5, interval=600.0, ignored=frozenset({Login("nightbot")}))
OFF = replace(ON, enabled=False)
IGNORED = replace(ON, ignored=frozenset({ME}))

GOOD = Sight(
    viewer=ME,
    live=True,
    rerun=False,
    present_since=T0 - 3600.0,
    found=True,
    loyalty=ON,
    read_at=T0 - MINUTE,
    rose_at=T0 - 6 * MINUTE,
    interval=600.0,
    failing=False,
)
"""An hour in a live chat, and a rise six minutes ago."""
FRESH = replace(GOOD, present_since=T0 - MINUTE, rose_at=None, read_at=None)
"""A minute in the chat."""
BARREN = replace(GOOD, rose_at=None)
"""An hour in the chat, and never a rise."""

EARNING = Verdict(Word.EARNING)
LAGS = Verdict(Word.EARLY, (Cause.LIST_LAGS,))
NEVER = (Cause.NEVER_TYPED, Cause.HIDE_GAMBLING, Cause.BOT_ABSENT, Cause.RERUN)
ONCE = (Cause.BOT_ABSENT, Cause.RERUN, Cause.HIDE_GAMBLING)


def unknown(*causes: Cause) -> Verdict:
    return Verdict(Word.UNKNOWN, causes)


def check(sight: Sight, expect: Verdict, now: float = T0) -> None:
    assert verdict(sight, now, FLAT_AFTER, POLL) == expect


TABLE = {
    "it earns": (GOOD, EARNING),
    "it earns, and Helix does not answer": (replace(GOOD, live=None), EARNING),
    "it earns, and the settings are not read yet": (replace(GOOD, loyalty=None), EARNING),
    # not offered: whatever else
    "no StreamElements": (replace(GOOD, found=False), Verdict(Word.NOT_OFFERED, (Cause.NO_STREAMELEMENTS,))),
    "loyalty off": (replace(GOOD, loyalty=OFF), Verdict(Word.NOT_OFFERED, (Cause.LOYALTY_OFF,))),
    "loyalty off, offline": (replace(GOOD, loyalty=OFF, live=False), Verdict(Word.NOT_OFFERED, (Cause.LOYALTY_OFF,))),
    # nothing can come
    "a re-run": (replace(GOOD, rerun=True), unknown(Cause.RERUN)),
    "a re-run that is not called live": (replace(GOOD, rerun=True, live=False), unknown(Cause.RERUN)),
    "offline": (replace(GOOD, live=False), unknown(Cause.NOT_LIVE)),
    "offline, and ignored": (replace(GOOD, live=False, loyalty=IGNORED), unknown(Cause.NOT_LIVE, Cause.IGNORED)),
    "not in the chat": (replace(GOOD, present_since=None), unknown(Cause.NOT_CONFIRMED)),
    "nothing known at all": (
        Sight(None, None, False, None, None, None, None, None, 600.0, False),
        unknown(Cause.NOT_CONFIRMED),
    ),
    "ignored": (replace(GOOD, loyalty=IGNORED), Verdict(Word.FLAT, (Cause.IGNORED,))),
    "ignored, a minute in the chat": (replace(FRESH, loyalty=IGNORED), Verdict(Word.FLAT, (Cause.IGNORED,))),
    "a list of others": (replace(GOOD, viewer=Login("nightbot")), Verdict(Word.FLAT, (Cause.IGNORED,))),
    "no account known": (replace(GOOD, viewer=None, loyalty=IGNORED), EARNING),
    # not asked, or not answered
    "not asked yet": (replace(FRESH, found=None), unknown(Cause.NOT_READ)),
    "not asked yet, for they do not answer": (replace(FRESH, found=None, failing=True), unknown(Cause.NO_ANSWER)),
    "never read": (replace(BARREN, read_at=None), unknown(Cause.NOT_READ)),
    "not read for long": (replace(GOOD, read_at=T0 - SELDOM * POLL - 1), unknown(Cause.NOT_READ)),
    "read as seldom as where nothing moves": (replace(GOOD, read_at=T0 - 4 * POLL, rose_at=T0 - 4 * POLL), EARNING),
    "no answer for long": (replace(GOOD, read_at=T0 - 11 * MINUTE, failing=True), unknown(Cause.NO_ANSWER)),
    "no answer, and the last one is young": (replace(GOOD, failing=True), EARNING),
    "no answer, a minute in the chat": (replace(FRESH, failing=True), LAGS),
    # early
    "a minute in the chat": (FRESH, LAGS),
    "a rise hours ago, and gone since": (replace(FRESH, rose_at=T0 - 3 * 3600, read_at=T0 - 3 * 3600), LAGS),
    "a payment is not due yet": (replace(BARREN, present_since=T0 - 19 * MINUTE), LAGS),
    "a payment is due this moment": (
        replace(BARREN, present_since=T0 - 20 * MINUTE),
        Verdict(Word.EARLY, (Cause.LIST_LAGS, *NEVER)),
    ),
    "a rise before this stay, and a payment was due since": (
        replace(FRESH, rose_at=T0 - 20 * MINUTE, read_at=T0 - 20 * MINUTE),
        LAGS,
    ),
    "a payment was due": (
        replace(BARREN, present_since=T0 - 21 * MINUTE),
        Verdict(Word.EARLY, (Cause.LIST_LAGS, *NEVER)),
    ),
    "half an hour, but not by the last reading": (
        replace(BARREN, present_since=T0 - 30 * MINUTE, read_at=T0 - MINUTE),
        Verdict(Word.EARLY, (Cause.LIST_LAGS, *NEVER)),
    ),
    # earning
    "the chat was lost for a moment": (replace(GOOD, present_since=T0 - MINUTE), EARNING),
    "a rise just less than half an hour ago": (replace(GOOD, rose_at=T0 - 30 * MINUTE, read_at=T0 - MINUTE), EARNING),
    "a rise in the moment in which the stay began": (
        replace(GOOD, present_since=T0 - 25 * MINUTE, rose_at=T0 - 25 * MINUTE, read_at=T0),
        EARNING,
    ),
    # flat
    "half an hour, and never a rise": (
        replace(BARREN, present_since=T0 - 30 * MINUTE, read_at=T0),
        Verdict(Word.FLAT, NEVER),
    ),
    "never a rise, though points came once": (replace(BARREN, paid_before=True), Verdict(Word.FLAT, ONCE)),
    "half an hour since the last rise": (
        replace(GOOD, rose_at=T0 - 30 * MINUTE, read_at=T0),
        Verdict(Word.FLAT, ONCE),
    ),
    "flat, and no answer for a moment": (replace(BARREN, failing=True), Verdict(Word.FLAT, NEVER)),
}


@pytest.mark.parametrize(("sight", "expect"), [pytest.param(*case, id=name) for name, case in TABLE.items()])
def test_fc_50_the_verdict(sight: Sight, expect: Verdict) -> None:
    check(sight, expect)


def test_every_rule_word_and_cause_is_reached() -> None:
    verdicts = [expect for _, expect in TABLE.values()]
    assert {found.word for found in verdicts} == set(Word)
    assert {cause for found in verdicts for cause in found.causes} == set(Cause)
    cases = [_Case(sight, T0, FLAT_AFTER, POLL) for sight, _ in TABLE.values()]
    assert {next(i for i, (holds, _) in enumerate(RULES) if holds(case)) for case in cases} == set(range(len(RULES)))


@pytest.mark.parametrize("interval", [MINUTE, 10 * MINUTE, 60 * MINUTE])
def test_it_is_never_flat_before_a_payment_was_due(interval: float) -> None:
    due = interval + LAG + POLL
    for minutes in range(int(due / MINUTE)):
        stay = replace(BARREN, interval=interval, present_since=T0 - minutes * MINUTE, read_at=T0)
        assert verdict(stay, T0, FLAT_AFTER, POLL).word is Word.EARLY
    late = replace(BARREN, interval=interval, present_since=T0 - max(due, FLAT_AFTER), read_at=T0)
    assert verdict(late, T0, FLAT_AFTER, POLL).word is Word.FLAT


# -- FC-50, reading by reading -------------------------------------------------------------------------------------
def course(*points: int, lost: int = 0) -> list[Word]:
    """The word at each reading of a stay that began at the first; then at `lost` polls that StreamElements fails."""
    ledger, words = Ledger(), []
    now = T0
    for i, balance in enumerate(points):
        now = T0 + i * POLL
        ledger, _ = post(ledger, now, balance, present_s=POLL, most=30)
        sight = replace(GOOD, present_since=T0, read_at=now, rose_at=ledger.rose_at)
        words.append(verdict(sight, now, FLAT_AFTER, POLL).word)
    for _ in range(lost):
        now += POLL
        sight = replace(GOOD, present_since=T0, read_at=ledger.at, rose_at=ledger.rose_at, failing=True)
        words.append(verdict(sight, now, FLAT_AFTER, POLL).word)
    return words


@pytest.mark.parametrize(
    ("points", "lost", "expect"),
    [
        pytest.param((100, 100, 105, 105, 110), 0, "early early earning earning earning", id="fine"),
        pytest.param((0,) * 8, 0, "early " * 6 + "flat flat", id="404: no points here yet, then flat"),
        pytest.param((100, 105, *(105,) * 7, 110), 0, "early " + "earning " * 6 + "flat flat earning", id="doubt"),
        pytest.param((600, 605, 105, 110), 0, "early earning earning earning", id="falls by 500"),
        pytest.param((100, 105, 5105, 5105), 0, "early earning earning earning", id="a raffle"),
        pytest.param((100, 105), 4, "early earning earning earning unknown unknown", id="SE down"),
        pytest.param((0,) * 8, 3, "early " * 6 + "flat flat flat flat unknown", id="SE down while flat"),
    ],
)
def test_fc_50_is_it_earning(points: tuple[int, ...], lost: int, expect: str) -> None:
    assert course(*points, lost=lost) == [Word(word) for word in expect.split()]


# -- time ----------------------------------------------------------------------------------------------------------
def test_fc_34_times_of_a_clock_that_was_set_back_tell_nothing() -> None:
    ahead = T0 + 3600.0
    check(replace(BARREN, read_at=ahead), unknown(Cause.NOT_READ))
    check(replace(FRESH, rose_at=ahead, read_at=ahead), LAGS)
    check(replace(GOOD, present_since=ahead, rose_at=None), LAGS)


DUE = 20 * MINUTE
"""Within which a payment must have come and been read: the interval, the lag of the list, a poll."""


@pytest.mark.parametrize(
    ("sight", "poll", "at"),
    [
        (GOOD, POLL, T0 - 6 * MINUTE + DUE),  # the rise proves nothing any more, were it of another stay
        (replace(GOOD, failing=True), POLL, T0 - MINUTE + SILENT * POLL),
        (FRESH, POLL, T0 - MINUTE + DUE),
        (replace(FRESH, present_since=T0), POLL, T0 + DUE),
        (replace(FRESH, present_since=T0), 5.0, T0 + ROUND),
        (BARREN, POLL, T0 - MINUTE + SELDOM * POLL),
        (replace(BARREN, read_at=None, present_since=T0 - DUE), POLL, T0),
        (replace(BARREN, read_at=T0 - SELDOM * POLL), POLL, T0),
        (replace(BARREN, read_at=T0 - SELDOM * POLL - 1), POLL, inf),
        (replace(BARREN, present_since=None), POLL, inf),
        (replace(BARREN, present_since=T0 + 1), POLL, T0),
        (replace(BARREN, read_at=T0 + 1), POLL, T0),
        (replace(BARREN, rose_at=T0 + 1), POLL, T0),
        (replace(GOOD, read_at=T0, rose_at=T0), POLL, T0 + DUE),
    ],
)
def test_when_another_verdict_may_come_though_nothing_is_learned(sight: Sight, poll: float, at: float) -> None:
    assert turns_at(sight, T0, poll) == at


moments = st.none() | st.floats(-90_000, 3600).map(lambda ago: T0 + ago)


sights = st.builds(
    Sight,
    viewer=st.sampled_from([None, ME]),
    live=st.sampled_from([None, False, True]),
    rerun=st.booleans(),
    present_since=moments,
    found=st.sampled_from([None, False, True]),
    loyalty=st.sampled_from([None, ON, OFF, IGNORED]),
    read_at=moments,
    rose_at=moments,
    interval=st.sampled_from([60.0, 600.0, 3600.0]),
    failing=st.booleans(),
    paid_before=st.booleans(),
)
polls = st.sampled_from([5.0, POLL, 3600.0])


@given(sights, polls)
def test_there_is_always_one_verdict_and_earning_alone_needs_no_cause(sight: Sight, poll: float) -> None:
    found = verdict(sight, T0, FLAT_AFTER, poll)
    assert (found.word is Word.EARNING) == (not found.causes)
    assert len(set(found.causes)) == len(found.causes)
    if found.word in (Word.EARNING, Word.EARLY, Word.FLAT):
        assert sight.present_since is not None
        assert sight.live is not False
    if found.word is Word.EARNING:
        assert sight.rose_at is not None


@given(sights, polls, st.floats(0.0, 90_000.0))
def test_until_then_the_verdict_stands(sight: Sight, poll: float, later: float) -> None:
    turns = turns_at(sight, T0, poll)
    assert turns >= T0
    if T0 + later < turns:
        assert verdict(sight, T0 + later, FLAT_AFTER, poll) == verdict(sight, T0, FLAT_AFTER, poll)
