"""Lists and single keys in the person's own file: what is changed, and what stays beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allthepoints.base.types import Login
from allthepoints.config.edit import Change, Listed, Value, edit, edited
from allthepoints.config.load import load

ALPHA, BETA = Login("alpha"), Login("beta")

ORDERED = """[channels] # whose
# the best
priority = [
    # a friend
    "#Alpha",  # since 2019
    'beta'  # art
    , "gamma", "delta",
    # no more
] # first come first
max_rooms = 50

# how often
[poll]
# live = "30s"
follows = "1h"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_bytes(text.encode())
    return path


def logins(text: str) -> tuple[Login, ...]:
    return tuple(map(Login, text.split()))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (
            "delta alpha new",
            '[\n    "delta",\n    # a friend\n    "#Alpha",  # since 2019\n    "new",\n    # no more\n]',
        ),
        ("beta alpha", "[\n    'beta',  # art\n    # a friend\n    \"#Alpha\",  # since 2019\n    # no more\n]"),
        (
            "alpha beta gamma delta new",
            '[\n    # a friend\n    "#Alpha",  # since 2019\n    \'beta\'  # art\n    , "gamma", "delta",\n'
            '    # no more\n    "new",\n]',
        ),
        ("", "[\n    # no more\n]"),
    ],
)
def test_in_a_list_each_entry_takes_its_comments_along(tmp_path: Path, order: str, expected: str, end: str) -> None:
    path = written(tmp_path, ORDERED.replace("\n", end))
    change = Listed("priority", logins(order))
    assert edit(path, [change]) == (change,)
    head, _, tail = ORDERED.partition("priority = ")
    rest = tail[tail.index(" # first come first") :]
    assert path.read_bytes().decode() == f"{head}priority = {expected}{rest}".replace("\n", end)
    assert load(path).settings.channels.priority == logins(order)
    assert edit(path, [change]) == ()


def test_a_list_that_gets_too_wide_for_a_line_gets_more_lines(tmp_path: Path) -> None:
    path = written(tmp_path, "[channels]\ninclude = ['a'] # mine\n")
    edit(path, [Change("include", Login(f"name{at}")) for at in range(2_000)])
    lines = path.read_text().split("\n")
    assert lines[1:4] == ["include = [", "    'a',", '    "name0",']
    assert lines[-3:] == ['    "name1999",', "] # mine", ""]


def test_what_is_new_stands_with_its_section(tmp_path: Path) -> None:
    path = written(tmp_path, ORDERED)
    made = [Change("paused", ALPHA), Value("poll", "live", '"45s"'), Value("twitch", "client_id", '"abc"')]
    assert len(edit(path, made)) == 3
    after = path.read_text()
    assert 'max_rooms = 50\npaused = ["alpha"]\n\n# how often\n' in after
    assert '# live = "30s"\nlive = "45s"\nfollows' in after
    assert after.endswith('\n\n[twitch]\nclient_id = "abc"\n')
    assert edit(path, made) == ()


@pytest.mark.parametrize(
    "text",
    [
        "channels.priority = ['a']\n",
        "channels = {priority = ['a']}\n",
        "[ 'channels' ]\npriority = ['a']",
        '[notify]\nurls = ["""\n[channels]\n"""]\n',
        '[notify]\nurls = ["""\n[channels]\n"""]\n[channels]\nfollowed = true\n',
    ],
)
def test_a_file_that_is_written_unusually_says_it_all_the_same(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    before = load(path).settings
    edit(path, [Listed("priority", logins("b a")), Change("paused", BETA)])
    after = load(path).settings
    assert (after.channels.priority, after.channels.paused) == (logins("b a"), (BETA,))
    assert (after.twitch, after.notify) == (before.twitch, before.notify)


def test_a_trial_leaves_no_trace(tmp_path: Path) -> None:
    path = written(tmp_path, ORDERED)
    before, after, made = edited(path, [Change("include", ALPHA)])
    assert (before, path.read_text(), len(made)) == (ORDERED, ORDERED, 1)
    assert 'include = ["alpha"]' in after


names = st.lists(st.sampled_from("abcdef").map(Login), unique=True, max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.lists(names, min_size=2, max_size=4), st.sampled_from([",", ", ", ",\n ", " # x\n,"]))
def test_any_order_can_follow_any_other(
    tmp_path_factory: pytest.TempPathFactory, orders: list[list[Login]], between: str
) -> None:
    first = between.join(f'"{name}"' for name in orders[0])
    path = written(tmp_path_factory.mktemp("order"), f"# top\n[channels]\npriority = [{first}] # end\n[poll]\n")
    for order in orders[1:]:
        edit(path, [Listed("priority", tuple(order))])
        assert load(path).settings.channels.priority == tuple(order)
    assert path.read_text().startswith("# top\n")
    assert "] # end\n[poll]\n" in path.read_text()
