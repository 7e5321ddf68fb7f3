"""What a room is worth: whether points are to be expected there, and how many an hour."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_room import ID, T, state

from allthepoints.base.types import Login, SeId, StreamId, UserId
from allthepoints.core.elements import Purse
from allthepoints.core.loyalty import Loyalty
from allthepoints.core.model import Account, Stream, StreamKind
from allthepoints.core.observed import Observed
from allthepoints.core.worth import flat_by, flat_key, flat_since, hope, per_hour

ME = Account(UserId("1"), Login("me"))
FOUND = Purse(ID, SeId("se"), found_at=T)
PAYS = replace(FOUND, loyalty=Loyalty(amount=10, interval=600.0))
PAYS_NOBODY = replace(FOUND, loyalty=Loyalty(enabled=False, amount=10, interval=600.0))
IGNORES_US = replace(FOUND, loyalty=Loyalty(amount=10, interval=600.0, ignored=frozenset({ME.login})))


def on_air(purse: Purse | None = None, flat: float | None = None) -> Observed:
    """On the air since T; found to pay nothing at `flat`."""
    o = state()
    o.account = ME
    o.channels[ID].live = True
    o.channels[ID].stream = Stream(StreamId("s"), o.channels[ID].ref, StreamKind.LIVE, "", T)
    if purse is not None:
        o.elements.purses[ID] = replace(purse)
    if flat is not None:
        o.elements.flat[ID] = flat
    return o


YES, UNKNOWN, NO = (0, 0), (2, 0), (3, 1)


@pytest.mark.parametrize(
    ("purse", "flat", "expected", "rate"),
    [
        (None, None, UNKNOWN, 30.0),
        (Purse(ID), None, UNKNOWN, 30.0),
        (FOUND, None, UNKNOWN, 30.0),
        (replace(FOUND, se=None), None, NO, 30.0),
        (PAYS, None, YES, 60.0),
        (replace(PAYS, rate=12.0), None, YES, 12.0),
        (replace(PAYS, rate=0.0), None, YES, 60.0),
        (replace(FOUND, rate=12.0), None, UNKNOWN, 12.0),
        (replace(FOUND, loyalty=Loyalty()), None, YES, 30.0),
        (replace(FOUND, loyalty=Loyalty(amount=0)), None, YES, 0.0),
        (PAYS_NOBODY, None, NO, 60.0),
        (IGNORES_US, None, NO, 60.0),
        (PAYS, T - 1, YES, 60.0),
        (PAYS, T, NO, 60.0),
        (None, T + 1, NO, 30.0),
    ],
)
def test_what_is_to_be_expected(
    purse: Purse | None, flat: float | None, expected: tuple[int, int], rate: float
) -> None:
    """For who is out and for who is in: half as much again and 10 more; nobody in makes way for one that is unknown."""
    o = on_air(purse, flat)
    assert (hope(o, ID, held=False), hope(o, ID, held=True)) == expected
    assert (per_hour(o, ID, held=False), per_hour(o, ID, held=True)) == (rate, rate * 1.5 + 10.0)


def test_nobody_is_ignored_before_we_know_who_we_are() -> None:
    o = on_air(IGNORES_US)
    o.account = None
    assert hope(o, ID, held=False) == 0


def test_what_was_found_of_an_earlier_session_says_nothing_of_this_one() -> None:
    assert [flat_since(on_air(flat=at), ID) for at in (None, T - 1, T, T + 5)] == [None, None, T, T + 5]
    unseen = on_air(flat=T)
    unseen.channels[ID].stream = None
    assert flat_since(unseen, ID) is None
    del unseen.channels[ID]
    assert flat_since(unseen, ID) is None


def test_notes_of_who_pays_nothing_are_read_as_they_were_written() -> None:
    notes = {flat_key(UserId("7")): "1700000000.5", flat_key(UserId("flat:8")): "9", "other": "x"}
    assert notes.keys() == {"flat:7", "flat:flat:8", "other"}
    assert flat_by(notes) == {"7": 1_700_000_000.5, "flat:8": 9.0}
