"""The file that a newcomer starts with."""

from __future__ import annotations

import re

import pytest

from allthepoints.base.types import Login
from allthepoints.config.keys import with_value
from allthepoints.config.load import parse
from allthepoints.config.settings import KEYS, Settings
from allthepoints.config.starter import starter


def test_it_says_what_was_chosen_and_nothing_else() -> None:
    assert parse(starter(), "x").settings == Settings()
    chosen = parse(starter("abc", False, (Login("a"), Login("b")), ""), "x").settings
    assert (chosen.twitch.client_id, chosen.channels.followed, chosen.channels.include) == ("abc", False, ("a", "b"))
    assert chosen.dashboard.listen == ""
    assert parse(starter("abc", False, tuple(Login(f"name{i}") for i in range(500))), "x").warnings == ()


def test_what_is_offered_in_comments_can_be_used() -> None:
    offered = re.sub(r"(?m)^# ([a-z_]+ = )", r"\1", starter()).replace("# [[wish]]", "[[wish]]")
    settings = parse(offered, "x").settings
    assert settings.wish[0].channel == "a_favourite"
    assert settings.poll == Settings().poll


@pytest.mark.parametrize("key", [key for key in KEYS if key.section in ("poll", "notify", "display")])
def test_a_key_that_is_set_later_stands_behind_its_help(key: object) -> None:
    from allthepoints.config.settings import Key

    assert isinstance(key, Key)
    text = with_value(starter(), key.section, key.name, key.default or '""')
    lines = text.split("\n")
    at = lines.index(f"{key.name} = {key.default}")
    assert lines[at - 1] in (f"# {key.name} = {key.default}", f"[{key.section}]")
