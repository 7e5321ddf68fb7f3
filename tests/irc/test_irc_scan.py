"""The scan finds what matters, wherever the bytes are cut, and no chat text is ever taken for it."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allthepoints.irc import scan
from allthepoints.irc.line import MalformedLine, parse
from allthepoints.irc.scan import Scanner

MATTERS = [
    b"PING :tmi.twitch.tv",
    b"PING",
    b":irc.example.net PING :x",
    b"@time=2026-11-25T12:00:00.000Z PING :x",
    b"@time=2026-11-25T12:00:00.000Z :irc.example.net PING x",
    b":tmi.twitch.tv PONG tmi.twitch.tv :allthepoints-1",
    b":tmi.twitch.tv 001 me :Welcome, GLHF!",
    b"@time=1 :irc.example.net 001 me :Welcome",
    b":tmi.twitch.tv NOTICE * :Login authentication failed",
    b"NOTICE AUTH :*** Looking up your hostname",
    b"@msg-id=msg_banned :tmi.twitch.tv NOTICE #alpha :no",
    b"@msg-id=msg_banned;odd=\x01\x02:;=,\\s\xff :tmi.twitch.tv NOTICE #alpha :no",
    b":me!me@me.tmi.twitch.tv JOIN #alpha",
    b":me!me@me.tmi.twitch.tv JOIN :#alpha",
    b":ME!me@me.tmi.twitch.tv JOIN #alpha",
    b":me JOIN #alpha",
    b"@time=1;account=me :Me!x@127.0.0.1 JOIN :#alpha",
    b":me!me@me.tmi.twitch.tv PART #alpha",
    b"@time=1 :me!x@y PART :#alpha",
    b":me.tmi.twitch.tv 366 me #alpha :End of /NAMES list",
    b":irc.example.net 366 me #a :End",
    b"@time=1 :irc.example.net 366 me #a :End",
    b"@emote-only=0;room-id=1;slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE #alpha",
    b":tmi.twitch.tv ROOMSTATE #alpha",
    b":tmi.twitch.tv RECONNECT",
    b":tmi.twitch.tv RECONNECT #alpha",
    b"@a=b :tmi.twitch.tv RECONNECT",
    b"@ban-duration=1 :tmi.twitch.tv CLEARCHAT #alpha :me",
    b"@room-id=1 :tmi.twitch.tv CLEARCHAT #alpha :Me",
    b":!@.tmi.twitch.tv CLEARCHAT alpha :me",
    b":!@.tmi.twitch.tv CLEARCHAT alpha me",
    b"ERROR :Closing Link",
    b":irc.example.net ERROR :Closing Link",
    *[b":irc.example.net %d me #alpha :no" % code for code in (403, 405, 471, 473, 474, 475, 476, 477)],
    *[b":irc.example.net %d * :no" % code for code in (432, 433, 464, 465)],
]

MATTERS_NOT = [
    b":bob!bob@bob.tmi.twitch.tv JOIN #alpha",
    b":me2!me2@me2.tmi.twitch.tv JOIN #alpha",
    b":xme!xme@xme.tmi.twitch.tv PART #alpha",
    b":tmi.twitch.tv CLEARCHAT #alpha",
    b"@room-id=1 :tmi.twitch.tv CLEARCHAT #alpha :bob",
    b"@room-id=1 :tmi.twitch.tv CLEARCHAT #alpha :me2",
    b":bob!bob@bob.tmi.twitch.tv NOTICE #alpha :x",
    b":bob!bob@bob.tmi.twitch.tv PING :x",
    b":bob!bob@bob.tmi.twitch.tv CLEARCHAT #alpha :me",
    b":me.tmi.twitch.tv 353 me = #alpha :me",
    b":tmi.twitch.tv 3660 me #alpha :x",
    b":tmi.twitch.tv RECONNECTED",
    b":tmi.twitch.tv PINGER",
    b"@a=b :tmi.twitch.tv USERSTATE #alpha",
    b"@a=b :tmi.twitch.tv GLOBALUSERSTATE",
    b"@a=PING;b=RECONNECT :bob!bob@bob PRIVMSG #alpha :PING :x",
    b" PING :x",
    b"",
    b"@",
    b"@a",
    b":",
    b":x",
]


def feed(data: bytes, cuts: list[int] | None = None, nick: str = "me") -> list[bytes]:
    scanner = Scanner(nick)
    edges = [0, *sorted(cuts or []), len(data)]
    return [line for start, end in itertools.pairwise(edges) for line in scanner.feed(data[start:end])]


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
@pytest.mark.parametrize("line", MATTERS)
def test_found(line: bytes, end: bytes) -> None:
    chat = b"@a=b :bob!bob@bob.tmi.twitch.tv PRIVMSG #alpha :hello there" + end
    expected = [line + end[:-1]]
    assert feed(line + end) == expected
    assert feed(chat + line + end + chat) == expected
    data = chat + line + end + chat
    for cut in range(len(data) + 1):
        assert feed(data, [cut]) == expected
    assert feed(data, list(range(len(data)))) == expected


@pytest.mark.parametrize("line", MATTERS_NOT)
def test_not_found(line: bytes) -> None:
    assert feed(line + b"\r\n") == []


@pytest.mark.parametrize(
    "broken",
    [
        *(b"@foo", b":foo", b"@foo=a;b", b"@", b":", b"@\r", b":me!", b"@a :tmi.twitch.tv CLEARCHAT"),
        *(b"@a :", b"@a :tmi.twitch.tv", b"@a :tmi.twitch.tv PR", b"@a :bob!bob@bob PRIVMSG"),
    ],
)
@pytest.mark.parametrize("line", MATTERS)
def test_a_malformed_line_swallows_nothing(broken: bytes, line: bytes) -> None:
    assert feed(broken + b"\n" + line + b"\r\n") == [line + b"\r"]
    assert feed(broken + b"\r\n" + broken + b"\r\n" + line + b"\r\n") == [line + b"\r"]


@pytest.mark.parametrize(
    "pair",
    [
        b"@foo\nx :tmi.twitch.tv RECONNECT\n",
        b"@foo\nx RECONNECT\n",
        b":foo\nbar RECONNECT\n",
        b":me!\nx JOIN #a\n",
        b":tmi.twitch.tv CLEARCHAT #a\nb me\n",
        b":tmi.twitch.tv CLEARCHAT #a\nb :me\n",
        b"@foo\n:bob!bob@bob PRIVMSG #a :x\n",
    ],
)
def test_two_lines_do_not_make_a_command(pair: bytes) -> None:
    assert feed(pair) == []


def test_another_nick() -> None:
    scanner = Scanner("a.b")
    assert scanner.feed(b":axb!x@y JOIN #c\n:a.b!x@y JOIN #c\n") == [b":a.b!x@y JOIN #c"]
    scanner.rename("other")
    assert scanner.feed(b":a.b!x@y JOIN #c\n:Other!x@y JOIN #c\n") == [b":Other!x@y JOIN #c"]


def test_every_kind_of_buffer() -> None:
    for kind in (bytes, bytearray, memoryview):
        scanner = Scanner("me")
        assert scanner.feed(kind(b"PING :a\r\nPI")) == [b"PING :a\r"]
        assert scanner.feed(kind(b"NG :b\r\n")) == [b"PING :b\r"]


def test_fc_30_the_carry_is_bounded() -> None:
    scanner = Scanner("me", max_line=100)
    assert scanner.feed(b"PING :x\r\n" + b"a" * 99) == [b"PING :x\r"]
    assert not scanner.overflowed
    assert scanner.feed(b"a") == []
    assert scanner.overflowed


def test_what_is_worst_for_the_loops_is_bounded() -> None:
    # 256 kB of lines whose tags never end would cost 17 thousand million steps in one piece.
    assert feed(b"@\n" * 131072 + b"PING :x\n") == [b"PING :x"]


# -- properties ----------------------------------------------------------------------------------------------------
_COMMANDS = re.compile(rb"(?:PING|PONG|NOTICE|ROOMSTATE|RECONNECT|ERROR|001|366|403|405|43[23]|46[45]|47[1-7])\Z")


def _matters(raw: bytes) -> bool:
    """The same question, answered slowly and from the parsed line."""
    try:
        line = parse(raw)
    except MalformedLine:
        return False
    if line.command in ("JOIN", "PART"):
        return line.source is not None and (line.nick or line.source.lower()) == "me" and bool(line.params)
    source = line.source or ""
    if "!" in source and not (line.command == "CLEARCHAT" and source.startswith("!@")):
        return False
    if line.command == "CLEARCHAT":
        return line.param(1).lower() == "me"
    return bool(_COMMANDS.match(line.command.encode()))


_pieces = st.sampled_from(
    [
        *[b"PING", b"PRIVMSG", b"RECONNECT", b"JOIN", b"PART", b"NOTICE", b"CLEARCHAT", b"ROOMSTATE", b"366"],
        *[
            b" ",
            b" ",
            b" ",
            b" ",
            b"  ",
            b" :",
            b":",
            b"@",
            b"@a=b",
            b"@a;b=c",
            b"me",
            b"Me",
            b"me!x@y",
            b"bob!b@h",
            b"#a",
        ],
        *[
            b":tmi.twitch.tv",
            b":me!me@me",
            b":bob!b@h",
            b"\r",
            b"\n",
            b"\n",
            b"\r\n",
            b"\0",
            b"\xff",
            "é😂".encode(),
            b"x",
        ],
    ]
)
_stream = st.lists(_pieces, max_size=40).map(b"".join)


@given(_stream, st.lists(st.integers(0, 200), max_size=6))
@example(b"@foo\n@a=b :tmi.twitch.tv RECONNECT\r\n", [])
@example(b":me!x\n:me!x@y JOIN #a\r\n", [3])
@example(b" PING\n", [])
def test_the_scan_finds_what_a_full_parse_finds(data: bytes, cuts: list[int]) -> None:
    lines = data.split(b"\n")[:-1]
    found = feed(data, [min(cut, len(data)) for cut in cuts])
    remaining = iter(lines)
    assert all(line in remaining for line in found), "only whole lines, in order"
    for line in lines:
        if _matters(line):
            assert line in found
    assert sum(map(_matters, lines)) <= len(found)


@given(_stream, st.integers(1, 12))
def test_windows_change_nothing(data: bytes, window: int) -> None:
    whole = feed(data)
    before, scan.WINDOW = scan.WINDOW, window
    try:
        assert feed(data) == whole
    finally:
        scan.WINDOW = before


_forged = st.lists(
    _pieces.filter(lambda piece: b"\n" not in piece) | st.binary(max_size=6).map(lambda raw: raw.replace(b"\n", b"")),
    max_size=12,
).map(b"".join)
_tag_text = _forged.map(lambda raw: raw.replace(b" ", b"\\s"))


@given(
    tags=st.none() | _tag_text,
    head=st.sampled_from(
        [
            b":bob!bob@bob.tmi.twitch.tv PRIVMSG #alpha :",
            b":me!me@me.tmi.twitch.tv PRIVMSG #alpha :",
            b":tmi.twitch.tv USERNOTICE #alpha :",
            b":tmi.twitch.tv CLEARMSG #alpha :",
            b":bob!bob@bob.tmi.twitch.tv WHISPER me :",
        ]
    ),
    text=_forged,
    every=st.integers(1, 50),
)
def test_fc_04_chat_text_is_never_found(tags: bytes | None, head: bytes, text: bytes, every: int) -> None:
    line = (b"" if tags is None else b"@a=" + tags + b" ") + head + text + b"\r\n"
    assert feed(line * 2) == []
    for cut in range(0, len(line), every):
        assert feed(line + line, [cut, cut + len(line)]) == []
