"""Redaction and aliases on their own; what a whole bundle holds is shown through the command (tests/cli)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.base.types import JSON
from allthepoints.operation.aliases import Redaction, aliases
from allthepoints.operation.bundle import Part, manifest, zipped

WORDS, PHRASES = aliases(
    {"71001": ("alpha", "Alpha"), "71002": ("betachan", "ベータ")}, ("wandering_me", "99001"), ("wished", "Alpha")
)
REDACTION = Redaction(("s3cret/key", "s3cret"), {"/home/joe/.data": "<data>", "/home/joe": "~"}, WORDS, PHRASES)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Alpha is live, ALPHA was.", "channel-1 is live, channel-1 was."),
        ("alphabet, alpha_2, my-alpha", "alphabet, alpha_2, my-channel-1"),
        ("JOIN #alpha,#betachan", "JOIN #channel-1,#channel-2"),
        ("ベータ (betachan), 71002", "channel-2 (channel-2), channel-2"),
        ("https://www.twitch.tv/Alpha?x", "https://www.twitch.tv/channel-1?x"),
        ("wandering_me (99001) wants wished", "account (account) wants channel-3"),
        ("/home/joe/.data/x and /home/joe/y", "<data>/x and ~/y"),
        ("key s3cret/key, s3cret", "key ***, ***"),
        ("channel of 64b0c1d2e3f4a5b6c7d8e9f0", "channel of ***"),
        ('<config>:3: channels.include: found "Typed Wrong"', '<config>:3: channels.include: found "…"'),
        ("12 of 345 rooms", "12 of 345 rooms"),
    ],
)
def test_what_is_told_of_a_text(text: str, told: str) -> None:
    assert REDACTION.text(text) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"state": "present", "login": "ALPHA"}, {"state": "present", "login": "channel-1"}),
        ({"alpha": [1, None, True, 2.5, "alpha"]}, {"alpha": [1, None, True, 2.5, "channel-1"]}),
        ({"stream": "55512345"}, {"stream": "***"}),
        ({"id": "71001"}, {"id": "channel-1"}),
    ],
)
def test_what_is_told_of_a_value(value: JSON, told: JSON) -> None:
    assert REDACTION.plain(value) == told


def test_a_channel_that_is_called_as_a_word_of_ours_changes_no_word_of_ours() -> None:
    words, phrases = aliases({"71001": ("present", "live")}, (), ())
    told = Redaction(names=words, phrases=phrases).plain({"state": "present", "kind": "live", "login": "live"})
    assert told == {"state": "present", "kind": "live", "login": "channel-1"}


def test_aliases_stay_while_the_list_grows() -> None:
    before, _ = aliases({"71001": ("a_one",), "71002": ("b_two",)}, (), ())
    after, _ = aliases({"71001": ("a_one", "renamed"), "71002": ("b_two",), "71003": ("c_new",)}, (), ("other",))
    assert before.items() <= after.items()
    assert after["renamed"] == "channel-1"
    assert after["other"] == "channel-4"


NAME = st.from_regex(r"[a-z_]{4,25}", fullmatch=True)


@given(names=st.lists(NAME, min_size=1, unique=True), text=st.text(), data=st.data())
def test_no_name_is_left_as_a_word(names: list[str], text: str, data: st.DataObject) -> None:
    words, phrases = aliases({str(90_000 + at): (name,) for at, name in enumerate(names)}, (), ())
    pieces = data.draw(st.lists(st.sampled_from([*names, *(name.upper() for name in names), " ", "#", "'s", text])))
    told = Redaction(names=words, phrases=phrases).text("".join(pieces))
    assert not {word.lower() for word in re.findall(r"[A-Za-z0-9_]+", told)} & {*names} - {"channel"}


def test_the_zip_is_the_same_in_whatever_order() -> None:
    parts = [Part("b", b"2"), Part("a", b"1" * 1000, "half of it"), Part("logs/ü", b"")]
    assert zipped(parts) == zipped(parts[::-1])
    assert manifest(parts)[1].endswith("      1000  a  (half of it)")
