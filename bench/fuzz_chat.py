"""Lines through the scanner and the session, and beside them the same lines, each parsed in full.

Theory. The scanner is quick because it looks at almost nothing; a wrong look would forge an event or miss one. So two
sessions are given the same bytes, cut at the same places. One is ours. In the other, every line is parsed in full by
`irc.line`, and judged by `said`, which is written here again and on its own: did a server say this, or is it us? What
the two sessions tell and what they want to send must be the same, piece by piece.

The lines come from tests/wire and from a grammar of what matters and what only looks so, most of them damaged by
chance. Beside what the two tell, each piece must leave the session's memory bounded, its events free of our token, and
nothing in what it sends but PONG, PING and the sign-in.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from pathlib import Path

import fuzz_mutate
from fuzz_mutate import pick

from allthepoints.base.secret import Secret
from allthepoints.irc.events import SessionEvent
from allthepoints.irc.line import Line, MalformedLine, parse
from allthepoints.irc.session import Session, SessionOptions
from allthepoints.irc.states import State

WIRE = Path(__file__).resolve().parent.parent / "tests" / "wire"

NICK = "sk_me"
"""With both ASCII letters that other letters fold to."""
TOKEN = "canarytoken0123456789"
MAX_LINE = 2048
"""Small, so that lines without end happen."""

LARGEST = 6000
"""Bytes of a piece."""


# -- the slow way ------------------------------------------------------------------------------------------------------
_SAID_BY_SERVERS = frozenset(
    (
        *("PING", "PONG", "NOTICE", "ROOMSTATE", "RECONNECT", "ERROR", "001", "366"),
        *("403", "405", "432", "433", "464", "465", "471", "472", "473", "474", "475", "476", "477"),
    )
)


def said(line: Line, nick: str) -> bool:
    """Whether this line can be news: a server says it, and of us where it must be of us."""
    source = line.source
    if line.command in ("JOIN", "PART"):
        return source is not None and _same(source.partition("!")[0], nick)
    if line.command == "CLEARCHAT":
        return ("!" not in (source or "") or (source or "").startswith("!@")) and _same(line.param(1), nick)
    return line.command in _SAID_BY_SERVERS and "!" not in (source or "")


def _same(one: str, nick: str) -> bool:
    """Logins are ASCII: a Kelvin sign is no k."""
    return one.isascii() and one.lower() == nick


class SlowLines:
    """In a scanner's place: cuts at LF and parses everything."""

    def __init__(self, nick: str, max_line: int) -> None:
        self.overflowed = False
        self._nick = nick
        self._most = max_line
        self._carry = b""

    def rename(self, nick: str) -> None:
        self._nick = nick

    def feed(self, data: bytes) -> list[bytes]:
        *lines, self._carry = (self._carry + data).split(b"\n")
        if len(self._carry) + 1 > self._most:
            self.overflowed = True
            self._carry = b""
        return [line for line in lines if self._matters(line)]

    def _matters(self, raw: bytes) -> bool:
        try:
            return said(parse(raw), self._nick)
        except MalformedLine:
            return False


class SlowSession(Session):
    """The same session on top of it."""

    def __init__(self, nick: str, token: Secret, now: float, options: SessionOptions) -> None:
        super().__init__(nick, token, now, options)
        self._scanner = SlowLines(nick, options.max_line)  # type: ignore[assignment]


# -- what is fed -------------------------------------------------------------------------------------------------------
def recorded() -> list[bytes]:
    """Every line that a server sends in tests/wire, to NICK."""
    return [
        re.sub(rb"\bme\b", NICK.encode(), text[3:].encode())
        for path in sorted(WIRE.glob("chat-*.txt"))
        for text in path.read_text(encoding="utf-8").splitlines()
        if text.startswith("<< ")
    ]


_OWN = NICK.encode()
_COMMANDS = tuple(
    b"PING PONG PRIVMSG RECONNECT JOIN JOIN PART PART NOTICE NOTICE CLEARCHAT CLEARCHAT ROOMSTATE ROOMSTATE 001 366 "
    b"353 403 405 464 474 477 CLEARMSG USERNOTICE WHISPER CAP PRIVMSG USERSTATE join 1 0366 PINGX".split()
)
_ENDS = (b"\r\n", b"\r\n", b"\r\n", b"\n", b"\n", b"\r\r\n", b"\n\n")

PIECES: tuple[bytes, ...] = (
    b"ERROR",  # once: it ends the session
    *_COMMANDS,
    *(b" ", b" ", b" ", b"  ", b" :", b":", b"@", b"!", b"!@", b"#", b";", b"=", b",", b"*", b"\\s", b"\\:", b"\\"),
    *(b"\n", b"\n", b"\r\n", b"\r", b"\0", b"\t", b"\x0b", b"\x0c", b"\x85", b"\x1c", b"\xc2\x85", b"\xe2\x80\xa8"),
    *(_OWN, _OWN.title(), _OWN.upper(), _OWN + b"2", b"x" + _OWN, "s\u212a_me".encode(), "\u017fk_me".encode()),
    *(b"#alpha", b"#Alpha", b":" + _OWN + b"!x@y", b":bob!b@h", b":tmi.twitch.tv", b":"),
    *(b"@a=b ", b"@ ", b"@a;b=c ", b"@room-id=1;slow=0;subs-only=0 ", b"@msg-id=msg_banned ", b"@ban-duration=9 "),
    *(b"\xff", b"\xc3", "é".encode(), "🌊".encode(), "\u212a\u017f\u0130\u202e".encode()),
    *(b"x" * 300, b"@" * 50, b":" * 20, b" " * 100, b"oauth:" + TOKEN.encode(), TOKEN.encode()),
)

_HEADS = (
    *(b"", b"", b"@a=b ", b"@a=b;c=\\s ", b"@room-id=1;slow=0;subs-only=0 ", b"@msg-id=msg_banned "),
    *(b"@ban-duration=9 ", b"@"),
)
_SOURCES = (
    *(b"", b":tmi.twitch.tv ", b":tmi.twitch.tv ", b":%b!x@y " % _OWN, b":%b!x@y " % _OWN.upper(), b":%b " % _OWN),
    *(b":%b. " % _OWN, b":bob!bob@bob.tmi.twitch.tv ", b":bob ", b":!@x ", b":!x ", b": ", b":a!b!%b " % _OWN),
    *(b":%b!" % _OWN, ":s\u212a_me!a@b ".encode(), ":\u017fk_me ".encode()),
)
_TAILS = (
    *(b"", b" #alpha", b" :#alpha", b" #alpha :%b" % _OWN, b" %b #alpha :x" % _OWN, b" :%b" % _OWN, b":%b" % _OWN),
    *(b" * :Login authentication failed", b" #alpha %b" % _OWN, b"  #alpha  :%b" % _OWN, b" #alpha :bob", b" x"),
    *(b" #alpha :%b x" % _OWN, b" :x :y", b" alpha :%b" % _OWN, " #alpha :s\u212a_me".encode(), b" other_nick :hi"),
)


class Feed:
    """Bytes without end, from a seed."""

    def __init__(self, seed: int) -> None:
        self._luck = random.Random(seed)
        self._known = recorded()
        self._ahead = b""

    def piece(self) -> bytes:
        """Up to LARGEST bytes, that begin and end anywhere."""
        if not self._ahead:
            self._ahead = self._lines()
        draw = self._luck.random()
        size = 1 + int(self._luck.random() * (40 if draw < 0.3 else 600 if draw < 0.8 else LARGEST))
        piece, self._ahead = self._ahead[:size], self._ahead[size:]
        return piece

    def _lines(self) -> bytes:
        luck = self._luck
        if luck.random() < 0.01:
            return pick(luck, (b"x", b"@", b"@a ", b":b")) * MAX_LINE
        return b"".join(self.line() + pick(luck, _ENDS) for _ in range(60))

    def line(self) -> bytes:
        luck = self._luck
        draw = luck.random()
        if draw < 0.25:
            line = pick(luck, self._known)
        elif draw < 0.8:
            line = pick(luck, _HEADS) + pick(luck, _SOURCES) + pick(luck, _COMMANDS) + pick(luck, _TAILS)
        elif draw < 0.95:
            line = b"".join(luck.choices(PIECES, k=1 + int(luck.random() * 8)))
        else:
            line = luck.randbytes(int(luck.random() * 60))
        return fuzz_mutate.damaged(line, luck, PIECES) if luck.random() < 0.6 else line


# -- both, side by side ------------------------------------------------------------------------------------------------
_SENT = re.compile(rb"(?:PONG(?: :[^\r\n\0]*)?\r\n)*\Z")


class Difference(AssertionError):
    """The two tell different things, or one told what it must not. `pieces` lead there from a new pair."""

    def __init__(self, text: str, pieces: list[bytes], welcomed: bool) -> None:
        super().__init__(text)
        self.text, self.pieces, self.welcomed = text, pieces, welcomed


class Pair:
    """Our session and the slow one."""

    def __init__(self, *, welcomed: bool) -> None:
        options = SessionOptions(max_line=MAX_LINE)
        self.welcomed = welcomed
        self.fed: list[bytes] = []
        self.ours, self._slow = (kind(NICK, Secret(TOKEN), 0.0, options) for kind in (Session, SlowSession))
        for session in (self.ours, self._slow):
            session.connected(0.0)
            session.outgoing()
            if welcomed:
                session.receive(b":tmi.twitch.tv 001 me :hi\r\n", 0.0)

    def feed(self, piece: bytes) -> list[SessionEvent]:
        """What both tell. Raises Difference."""
        self.fed.append(piece)
        events, expected = self.ours.receive(piece, 0.0), self._slow.receive(piece, 0.0)
        sent, to_send = self.ours.outgoing(), self._slow.outgoing()
        if events != expected:
            self._no(f"told {events}, and a full parse {expected}")
        if sent != to_send:
            self._no(f"sends {sent!r}, and a full parse {to_send!r}")
        if not _SENT.match(sent):
            self._no(f"sends {sent!r}")
        if events and TOKEN in repr(events):
            self._no(f"quotes our token: {events}")
        if len(self.ours._scanner._carry) > MAX_LINE:
            self._no(f"keeps {len(self.ours._scanner._carry)} bytes")
        return events

    @property
    def over(self) -> bool:
        return self.ours.state is State.ENDED

    def _no(self, text: str) -> None:
        raise Difference(text, list(self.fed), self.welcomed)


@dataclass
class Found:
    """What a run came to."""

    lines: int = 0
    bytes: int = 0
    sessions: int = 0
    events: int = 0
    kinds: dict[str, int] = field(default_factory=dict)


class Run:
    """Feeds pairs for as long as it is told to."""

    def __init__(self, seed: int) -> None:
        self.found = Found()
        self._luck = random.Random(seed + 1)
        self._feed = Feed(seed)
        self._pair = Pair(welcomed=True)

    def some(self, lines: int) -> None:
        """At least so many lines more. Raises Difference."""
        until = self.found.lines + lines
        while self.found.lines < until:
            piece = self._feed.piece()
            events = self._pair.feed(piece)
            # A piece at whose beginning the session ended was not read to its end: it is not counted.
            self.found.lines += 0 if self._pair.over else piece.count(b"\n")
            self.found.bytes += len(piece)
            self.found.events += len(events)
            for event in events:
                kind = type(event).__name__
                self.found.kinds[kind] = self.found.kinds.get(kind, 0) + 1
            if self._pair.over or len(self._pair.fed) > 300:
                self._pair = Pair(welcomed=self._luck.random() < 0.8)
                self.found.sessions += 1


def replay(pieces: list[bytes], *, welcomed: bool) -> None:
    """The same again. Raises Difference."""
    pair = Pair(welcomed=welcomed)
    for piece in pieces:
        pair.feed(piece)


def shrunk(found: Difference) -> list[bytes]:
    """Fewer and shorter pieces that still differ."""
    pieces = found.pieces
    size = max(1, len(pieces) // 2)
    while size:
        at = 0
        while at < len(pieces):
            fewer = pieces[:at] + pieces[at + size :]
            if fewer and _differs(fewer, found.welcomed):
                pieces = fewer
            else:
                at += size
        size //= 2
    for at, piece in enumerate(pieces):
        pieces[at] = _shorter(pieces, at, piece, found.welcomed)
    return pieces


def _shorter(pieces: list[bytes], at: int, piece: bytes, welcomed: bool) -> bytes:
    size = max(1, len(piece) // 2)
    while size:
        place = 0
        while place < len(piece):
            less = piece[:place] + piece[place + size :]
            if _differs([*pieces[:at], less, *pieces[at + 1 :]], welcomed):
                piece = less
            else:
                place += size
        size //= 2
    return piece


def _differs(pieces: list[bytes], welcomed: bool) -> bool:
    try:
        replay(pieces, welcomed=welcomed)
    except Difference:
        return True
    return False
