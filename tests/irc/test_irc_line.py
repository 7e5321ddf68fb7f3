"""Lines with tags: bytes to fields and back."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.irc.line import Line, MalformedLine, escape, parse, parse_tags, serialise, unescape

TAGS = [
    ("emotes=15017:11-16", "emotes", "15017:11-16"),
    ("k=a=b", "k", "a=b"),
    (r"k=a\sb\:c\\d\r\n", "k", "a b;c\\d\r\n"),
    (r"k=\\s", "k", r"\s"),
    (r"k=\\:", "k", r"\:"),
    (r"k=\b", "k", "b"),
    ("k=test\\", "k", "test"),
    ("k", "k", ""),
    ("k=", "k", ""),
    ("k=1;k=2", "k", "2"),
    ("k=1;;x=2", "k", "1"),
    ("+draft/reply=1", "+draft/reply", "1"),
    ("k=é\\sü", "k", "é ü"),
]


@pytest.mark.parametrize(("raw", "key", "value"), TAGS)
def test_fc_26_tags(raw: str, key: str, value: str) -> None:
    assert parse_tags(raw)[key] == value
    assert parse(f"@{raw} PING :x".encode()).tags[key] == value


def test_fc_26_a_key_without_a_value_equals_an_empty_one() -> None:
    assert parse_tags("k") == parse_tags("k=")


def test_a_tag_without_a_name_is_none() -> None:
    assert parse_tags("k=1;;=2;x=3;") == {"k": "1", "x": "3"}


TRAILING = [
    (b":a!a@a.tmi.twitch.tv PRIVMSG #foo :", ("#foo", "")),
    (b":a!a@a.tmi.twitch.tv PRIVMSG #foo :  two spaces  ", ("#foo", "  two spaces  ")),
    (b":a!a@a.tmi.twitch.tv PRIVMSG #foo ::)", ("#foo", ":)")),
    (b":me!me@me JOIN :#foo", ("#foo",)),
    (b":me!me@me JOIN #foo", ("#foo",)),
    (b":a PRIVMSG #foo : :b", ("#foo", " :b")),
    (b":a PRIVMSG #foo :b c :d", ("#foo", "b c :d")),
    (b":a CMD a:b :c", ("a:b", "c")),
]


@pytest.mark.parametrize(("raw", "params"), TRAILING)
def test_fc_27_trailing(raw: bytes, params: tuple[str, ...]) -> None:
    assert parse(raw).params == params
    assert parse(raw + b"\r").params == params


SHAPES = [
    (b"PING", Line("PING")),
    (b"PING :a b", Line("PING", ("a b",))),
    (b"foo bar baz asdf", Line("foo", ("bar", "baz", "asdf"))),
    (b":coolguy foo bar baz :asdf quux", Line("foo", ("bar", "baz", "asdf quux"), "coolguy")),
    (b":coolguy   foo   bar  baz  ", Line("foo", ("bar", "baz"), "coolguy")),
    (b":coolguy foo bar baz :", Line("foo", ("bar", "baz", ""), "coolguy")),
    (b":src JOIN", Line("JOIN", (), "src")),
    (b"@a=b;c :src  CMD  x", Line("CMD", ("x",), "src", {"a": "b", "c": ""})),
    (b"@a=b   CMD x", Line("CMD", ("x",), None, {"a": "b"})),
    (b"@a=b \tCMD x", Line("\tCMD", ("x",), None, {"a": "b"})),
    (b":src \tCMD x", Line("\tCMD", ("x",), "src")),
    (b": CMD x", Line("CMD", ("x",), "")),
    (b":gravel.mozilla.org MODE #tckk +n ", Line("MODE", ("#tckk", "+n"), "gravel.mozilla.org")),
    (b":a!b@c\x02d CMD \x03x\t", Line("CMD", ("\x03x\t",), "a!b@c\x02d")),
    (b"CMD \xff\xfe", Line("CMD", ("\ufffd\ufffd",))),
    (b"CMD a\0b", Line("CMD", ("a\0b",))),
]


@pytest.mark.parametrize(("raw", "line"), SHAPES)
def test_shapes(raw: bytes, line: Line) -> None:
    assert parse(raw) == line


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r",
        b"   ",
        b" PING",
        b"@a=b",
        b"@a=b ",
        b":src",
        b":src ",
        b"@a=b :src",
        b"@ :",
        b":",
        b"@",
        b":src :a b",
    ],
)
def test_no_command(raw: bytes) -> None:
    with pytest.raises(MalformedLine):
        parse(raw)


def test_who_sent_it() -> None:
    assert parse(b":Bob!b@h X").nick == "bob"
    assert parse(b":Bob!b!c@h X").nick == "bob"
    assert parse(b":tmi.twitch.tv X").nick == ""
    assert parse(b":!@.tmi.twitch.tv X").nick == ""
    assert parse(b"X").nick == ""


@pytest.mark.parametrize(
    ("line", "raw"),
    [
        (Line("QUIT"), b"QUIT\r\n"),
        (Line("JOIN", ("#a,#b",)), b"JOIN #a,#b\r\n"),
        (Line("PING", ("a b",)), b"PING :a b\r\n"),
        (Line("X", ("a", "")), b"X a :\r\n"),
        (Line("X", ("a", ":b")), b"X a ::b\r\n"),
        (Line("X", (), ""), b": X\r\n"),
        (Line("X", (), "me!me@h", {"+a/b": "1 2;", "c": ""}), b"@+a/b=1\\s2\\:;c= :me!me@h X\r\n"),
    ],
)
def test_what_is_written(line: Line, raw: bytes) -> None:
    assert serialise(line) == raw


_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_last = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"))
_word = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n "), min_size=1).filter(
    lambda text: not text.startswith(":")
)
_key = st.from_regex(r"\+?([a-z.]{1,5}/)?[A-Za-z0-9-]{1,8}", fullmatch=True)


@given(_text)
def test_fc_26_every_value_survives(value: str) -> None:
    assert unescape(escape(value)) == value
    assert not set(escape(value)) & set("; \r\n")


@given(
    command=st.from_regex(r"[A-Z]{1,8}|[0-9]{3}", fullmatch=True),
    middle=st.lists(_word, max_size=4),
    last=st.none() | _last,
    source=st.none() | _word,
    tags=st.dictionaries(_key, _text, max_size=4),
)
def test_fc_26_every_line_survives(
    command: str, middle: list[str], last: str | None, source: str | None, tags: dict[str, str]
) -> None:
    line = Line(command, tuple(middle) + (() if last is None else (last,)), source, tags)
    raw = serialise(line)
    assert raw.endswith(b"\r\n")
    assert raw.count(b"\n") == 1
    assert parse(raw[:-1]) == line


@given(st.binary(max_size=80).map(lambda raw: raw.replace(b"\n", b"")))
def test_any_bytes_are_a_line_or_malformed(raw: bytes) -> None:
    with contextlib.suppress(MalformedLine):
        parse(raw)


@pytest.mark.parametrize(
    "line",
    [
        Line("A B"),
        Line(""),
        Line("A", ("b c", "d")),
        Line("A", (":b", "c")),
        Line("A", ("", "c")),
        Line("A", ("b\nc",)),
        Line("A", ("b\0c",)),
        Line("A", (), "a b"),
        Line("A", (), None, {"a b": "c"}),
        Line("A", (), None, {"a": "\0"}),
    ],
)
def test_what_cannot_be_one_line_is_not_written(line: Line) -> None:
    with pytest.raises(ValueError, match=r"not|holds|end"):
        serialise(line)


def test_what_is_escaped_in_a_tag_and_how() -> None:
    assert escape("a\\b;c d\re\nf") == r"a\\b\:c\sd\re\nf"
    assert unescape(r"a\\b\:c\sd\re\nf") == "a\\b;c d\re\nf"
    assert unescape("a\\\nb") == "a\nb", "what needs no escape stays, be it a new line"


@pytest.mark.parametrize("key", ["AbZ", "+Draft/x", "example.COM/Key-9"])
def test_a_key_of_a_tag_may_have_large_letters(key: str) -> None:
    line = Line("PING", ("x",), None, {key: "1"})
    assert parse(serialise(line)).tags == {key: "1"}
