"""Edits of the person's own file."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allthepoints.base.errors import ConfigError
from allthepoints.base.types import Login
from allthepoints.config.edit import Change, WishChange, edit
from allthepoints.config.load import load, parse
from allthepoints.config.settings import Wish

ALPHA, BETA = Login("alpha"), Login("beta")

COMMENTED = """# my channels
[channels]   # all of them
include = [
    "#Alpha",  # the first
    "beta",    # the second
]
max_rooms = 50 # leave some

[poll]
live = "30s"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "change", "key", "expected"),
    [
        ("", Change("include", ALPHA), "include", ("alpha",)),
        ("[poll]\nlive = '30s'", Change("paused", ALPHA), "paused", ("alpha",)),
        (COMMENTED, Change("include", Login("gamma")), "include", ("alpha", "beta", "gamma")),
        (COMMENTED, Change("include", ALPHA, present=False), "include", ("beta",)),
        (COMMENTED, Change("exclude", BETA), "exclude", ("beta",)),
        ("channels.include = ['a']\n", Change("include", ALPHA), "include", ("a", "alpha")),
        ("channels = {include = ['a']}\n", Change("include", ALPHA), "include", ("a", "alpha")),
        ("channels = {}\n", Change("priority", ALPHA), "priority", ("alpha",)),
        ("[channels]\ninclude = ['alpha', 'ALPHA']\n", Change("include", ALPHA, present=False), "include", ()),
    ],
)
def test_edits(tmp_path: Path, text: str, change: Change, key: str, expected: tuple[str, ...]) -> None:
    path = written(tmp_path, text)
    assert edit(path, [change]) == (change,)
    assert getattr(load(path).settings.channels, key) == expected
    assert edit(path, [change]) == ()


def test_comments_stay(tmp_path: Path) -> None:
    path = written(tmp_path, COMMENTED)
    edit(path, [Change("include", Login("gamma")), Change("paused", BETA)])
    after = path.read_text()
    assert parse(after, "x").settings.channels.paused == ("beta",)
    for comment in ("# my channels", "# all of them", "# the first", "# the second", "# leave some"):
        assert comment in after
    edit(path, [Change("include", Login("gamma"), present=False), Change("paused", BETA, present=False)])
    assert "# the second" in path.read_text()


def test_a_missing_file_is_made_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    edit(path, [Change("include", ALPHA)])
    assert path.read_text() == '[channels]\ninclude = ["alpha"]\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_mode_a_link_and_the_line_ends_stay(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_bytes(b"\xef\xbb\xbf[channels]\r\ninclude = ['a']\r\n")
    real.chmod(0o640)
    link = tmp_path / "config.toml"
    link.symlink_to(real)
    edit(link, [Change("include", ALPHA)])
    assert link.is_symlink()
    assert real.read_bytes() == b"\xef\xbb\xbf[channels]\r\ninclude = ['a', \"alpha\"]\r\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.toml", "dotfiles.toml"]


@pytest.mark.parametrize("text", ["[channels", "[channels]\ninclude = 5\n", "[chanels]\n", "channels = 5\n"])
def test_a_file_that_cannot_be_used_is_left_alone(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError):
        edit(path, [Change("include", ALPHA)])
    assert path.read_text() == text


def test_a_mounted_file_that_cannot_be_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*args: object) -> None:
        raise OSError(16, "Device or resource busy")

    path = written(tmp_path, COMMENTED)
    monkeypatch.setattr("os.replace", busy)
    with pytest.raises(ConfigError, match="busy") as caught:
        edit(path, [Change("include", Login("gamma"))])
    assert "mount the folder" in caught.value.hint
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.toml"]


changes = st.builds(
    Change,
    st.sampled_from(["include", "exclude", "priority", "paused"]),
    st.sampled_from(["a", "b", "c"]).map(Login),
    st.booleans(),
)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(["", COMMENTED, "channels = {}\n"]), st.lists(changes, max_size=8))
def test_the_file_says_what_was_asked_last(
    tmp_path_factory: pytest.TempPathFactory, text: str, asked: list[Change]
) -> None:
    path = written(tmp_path_factory.mktemp("edit"), text)
    for change in asked:
        edit(path, [change])
    channels = load(path).settings.channels
    last = {(change.key, change.login): change.present for change in asked}
    for (key, login), present in last.items():
        assert (login in getattr(channels, key)) == present


# -- wishes --------------------------------------------------------------------------------------------------------
WISHES = """# mine
[channels]
include = ["alpha"] # the first

# for the next stream
[[wish]]
channel = "Alpha" # yes
item = "Pick the next map"
auto = true # while I sleep
max_cost = 1500

[[wish]]
channel = "beta"
item = "64b0c1d2e3f4a5b6c7d8e9f0" # Hydrate

[poll] # seldom
live = "30s"
"""
MAP, HYDRATE = "Pick the next map", "64b0c1d2e3f4a5b6c7d8e9f0"
FIRST, SECOND = Wish(ALPHA, MAP, True, 1500), Wish(BETA, HYDRATE)


@pytest.mark.parametrize(
    ("text", "change", "expected"),
    [
        ("", WishChange(ALPHA, MAP), (Wish(ALPHA, MAP),)),
        ("", WishChange(ALPHA, MAP, {"auto": True, "keep": 5}), (Wish(ALPHA, MAP, True, keep=5),)),
        ("[poll]\nlive = '30s'", WishChange(ALPHA, MAP), (Wish(ALPHA, MAP),)),
        (WISHES, WishChange(ALPHA, "Hydrate"), (FIRST, SECOND, Wish(ALPHA, "Hydrate"))),
        (WISHES, WishChange(ALPHA, MAP.upper()), (Wish(ALPHA, MAP), SECOND)),
        (WISHES, WishChange(ALPHA, MAP, {"auto": True, "max_cost": 9}), (Wish(ALPHA, MAP, True, 9), SECOND)),
        (WISHES, WishChange(BETA, HYDRATE, {"auto": True}), (FIRST, Wish(BETA, HYDRATE, True))),
        (WISHES, WishChange(ALPHA, MAP, present=False), (SECOND,)),
        (WISHES, WishChange(BETA, HYDRATE, present=False), (FIRST,)),
        ("wish = [{channel = 'alpha', item = 'x'}]\n", WishChange(ALPHA, MAP), (Wish(ALPHA, "x"), Wish(ALPHA, MAP))),
        ("wish = [{channel = 'alpha', item = 'x'}]\n", WishChange(ALPHA, "X", present=False), ()),
        ("wish = []\n", WishChange(ALPHA, MAP), (Wish(ALPHA, MAP),)),
        ("", WishChange(ALPHA, '"; = [x] #\\ 🗺'), (Wish(ALPHA, '"; = [x] #\\ 🗺'),)),
    ],
)
def test_wishes(tmp_path: Path, text: str, change: WishChange, expected: tuple[Wish, ...]) -> None:
    path = written(tmp_path, text)
    assert edit(path, [change]) == (change,)
    assert load(path).settings.wish == expected
    assert edit(path, [change]) == ()
    assert load(path).settings.poll.live == 30.0


def test_what_is_not_wished_cannot_be_taken_away(tmp_path: Path) -> None:
    path = written(tmp_path, WISHES)
    assert edit(path, [WishChange(BETA, MAP, present=False)]) == ()
    assert path.read_text() == WISHES


def test_comments_around_wishes_stay(tmp_path: Path) -> None:
    path = written(tmp_path, WISHES)
    edit(path, [WishChange(BETA, "New", remark="a new one"), WishChange(ALPHA, MAP, {"auto": True, "keep": 1})])
    after = path.read_text()
    comments = ("# mine", "# the first", "# for the next stream", "# yes", "# while I sleep", "# Hydrate", "# seldom")
    for comment in (*comments, "# a new one"):
        assert comment in after
    edit(path, [WishChange(BETA, "New", present=False)])
    for comment in comments:
        assert comment in path.read_text()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_comment_before_the_next_table_is_not_the_wishs(tmp_path: Path, end: str) -> None:
    text = (
        "[[wish]]\nchannel = 'alpha' # A\nitem = 'x'\nauto = true # why\nmax_cost = 5\n\n# how often\n[poll]\n"
        "live = '30s'\n\n# later\n[[wish]]\nchannel = 'beta'\nitem = 'y'\n# the end\n"
    ).replace("\n", end)
    path = written(tmp_path, text)
    edit(path, [WishChange(ALPHA, "x", {"auto": True, "keep": 3})])
    assert path.read_bytes().decode() == text.replace("max_cost = 5", "keep = 3")
    edit(path, [WishChange(ALPHA, "x", {"auto": False})])
    assert f"auto = false # why{end}{end}# how often" in path.read_bytes().decode()
    edit(path, [WishChange(ALPHA, "x", present=False), WishChange(BETA, "y", present=False)])
    assert (
        path.read_bytes().decode()
        == "\n# how often\n[poll]\nlive = '30s'\n\n# later\n# the end\n".replace("\n", end)[len(end) :]
    )


def test_a_wish_that_is_written_in_an_unusual_way_is_not_edited(tmp_path: Path) -> None:
    text = '[[wish]]\nchannel = "alpha"\nitem = """\\\n  x\\\n"""\n'
    path = written(tmp_path, text)
    with pytest.raises(ConfigError, match="cannot be"):
        edit(path, [WishChange(ALPHA, "x", {"auto": True, "keep": 1})])
    assert path.read_text() == text


def test_a_new_wish_reads_well(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    edit(path, [WishChange(ALPHA, HYDRATE, {"auto": True, "max_cost": 100}, remark="Hydrate")])
    assert path.read_text() == (
        f'[[wish]]\nchannel = "alpha"\nitem = "{HYDRATE}" # Hydrate\nauto = true\nmax_cost = 100\n'
    )
    edit(path, [WishChange(BETA, MAP)])
    assert path.read_text().endswith(f'max_cost = 100\n\n[[wish]]\nchannel = "beta"\nitem = "{MAP}"\n')


wish_changes = st.builds(
    WishChange,
    st.sampled_from(["a", "b"]).map(Login),
    st.sampled_from(["x", "Y", "z 🗺"]),
    st.sampled_from([{}, {"auto": True}, {"auto": True, "keep": 7}]),
    st.booleans(),
)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(["", WISHES, "wish = []\n"]), st.lists(wish_changes, max_size=8))
def test_the_wishes_are_those_asked_for_last(
    tmp_path_factory: pytest.TempPathFactory, text: str, asked: list[WishChange]
) -> None:
    path = written(tmp_path_factory.mktemp("edit"), text)
    for change in asked:
        edit(path, [change])
    found = {(wish.channel, wish.item): wish for wish in load(path).settings.wish}
    for key, last in {(change.channel, change.item): change for change in asked}.items():
        assert (key in found) == last.present
        if last.present:
            assert (found[key].auto, found[key].keep) == (bool(last.options.get("auto")), last.options.get("keep", 0))
