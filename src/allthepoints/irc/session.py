"""A chat session: bytes in, events and bytes out. No sockets, no clock: `now` (seconds, never back) is an argument.

    session = Session("me", token, now)        # the welcome deadline runs from here
    session.connected(now)                     # transport is up: CAP, PASS and NICK are queued
    send(session.outgoing())
    events = session.receive(data, now)        # then send(session.outgoing()) again: PINGs were answered
    at = session.deadline()                    # when to call tick(now)

Presence is claimed by the server alone: own JOIN echo, full ROOMSTATE or 366. States and causes: `irc.states`. What can
be said to the server is CAP, PASS, NICK, USER, JOIN, PART, PING, PONG and QUIT; nothing here can speak in chat.

Every call is told the time, also those that have no use for it yet: a caller need not know which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from allthepoints.base.errors import UsageError
from allthepoints.base.secret import Secret
from allthepoints.base.types import as_login
from allthepoints.irc import notices
from allthepoints.irc.events import End, Ended, LoginRefused, SessionEvent, Welcome
from allthepoints.irc.line import Line, MalformedLine, parse, split
from allthepoints.irc.meaning import event_of, words
from allthepoints.irc.scan import MAX_LINE, Buffer, Scanner
from allthepoints.irc.states import Cause, State, after

LINE_LIMIT = 512
"""Bytes of an outgoing line with CR LF: longer ones are dropped, or cost the connection."""

PING_ANYWAY = 300.0
"""Seconds between own PINGs however much comes in: chat may flow on a link on which nothing of ours arrives any more,
and our bytes keep the NAT's entry and the server's own timer alive. The server itself pings about as often."""


_NICK = re.compile(r"[a-z0-9_]+\Z")
_UNSENDABLE = re.compile(r"[\r\0]")


class WrongState(UsageError):
    """The session is not in a state in which that can be done."""


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """Tuning numbers, in seconds and bytes."""

    welcome_timeout: float = 20.0
    """From the session's creation to 001. Sound connections take under a second; a slow resolver and a lost SYN or two
    fit into 20 s, and robust clients use the same."""
    idle_ping: float = 30.0
    """Silence after which we ask. A dead socket costs presence, so ask soon; busy rooms never are silent that long."""
    asked_ping: float = 5.0
    """The same after a JOIN, which is answered within a second. A link that swallows JOINs must not be given more of
    them: what it holds back reaches the server all at once."""
    pong_timeout: float = 10.0
    """How long an answer may take. Anything received proves life. Three retransmissions of a lost packet fit."""
    max_line: int = MAX_LINE
    """Bytes without LF after which the peer is not a chat server."""
    user_line: bool = False
    """Send USER and CAP END: daemons other than Twitch's do not welcome us without."""
    caps: tuple[str, ...] = ("twitch.tv/tags", "twitch.tv/commands")
    """Capabilities to ask for. Not membership: the joins of others are most of the traffic, and prove nothing."""


class Session:
    """One login on one connection. After Ended it answers nothing and wants nothing."""

    def __init__(self, nick: str, token: Secret, now: float, options: SessionOptions = SessionOptions()) -> None:
        """`nick` is our login, `token` the user access token without `oauth:`. Raises NotALogin."""
        self._nick: str = as_login(nick)
        self._token = token
        self._options = options
        self._state = State.CONNECTING
        self._scanner = Scanner(self._nick, options.max_line)
        self._out = bytearray()
        self._late_at = now + options.welcome_timeout
        self._heard_at = now
        self._pinged_at = now
        self._asked_at: float | None = None
        """The first JOIN since which nothing was heard."""
        self._pong_by: float | None = None
        self._pings = 0

    @property
    def state(self) -> State:
        """Where it is."""
        return self._state

    # -- what the transport tells --------------------------------------------------------------------------------------
    def connected(self, now: float) -> None:
        """The transport is up (after TLS): queues CAP REQ, PASS and NICK, once. Raises WrongState."""
        if self._state is not State.CONNECTING:
            raise WrongState(f"connected() in state {self._state}")
        self._move(Cause.CONNECTED)
        self._heard_at = now
        if self._options.caps:
            self._say("CAP REQ :" + " ".join(self._options.caps))
        self._say("PASS oauth:" + self._token.reveal())
        self._say("NICK " + self._nick)
        if self._options.user_line:
            self._say(f"USER {self._nick} 0 * :{self._nick}")
            self._say("CAP END")

    def receive(self, data: Buffer, now: float) -> list[SessionEvent]:
        """Bytes came, cut anywhere. Answers what they mean; PINGs are answered into `outgoing()` at once."""
        events: list[SessionEvent] = []
        if self._state is State.CONNECTING or self._over or not len(data):
            return events
        self._heard_at = now
        self._asked_at = self._pong_by = None
        for raw in self._scanner.feed(data):
            self._line(raw, now, events)
            if self._over:
                return events
        if self._scanner.overflowed:
            events += self._end(Cause.OVERFLOW, End.OVERFLOW, f"a line without end in {self._options.max_line} bytes")
        return events

    def receive_eof(self, now: float) -> list[SessionEvent]:  # noqa: ARG002
        """The server closed, or the link broke. Telling it again changes nothing."""
        return list(self._end(Cause.CLOSED, End.CLOSED))

    def outgoing(self) -> bytes:
        """Takes what wants to be sent."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def deadline(self) -> float | None:
        """When to call `tick`, or None when nothing more will happen by itself. Moves with every `receive`."""
        if self._over:
            return None
        if self._state is not State.READY:
            return self._late_at
        if self._pong_by is not None:
            return self._pong_by
        at = min(self._heard_at + self._options.idle_ping, self._pinged_at + PING_ANYWAY)
        return at if self._asked_at is None else min(at, self._asked_at + self._options.asked_ping)

    def tick(self, now: float) -> list[SessionEvent]:
        """Time passed. Calling it early does nothing."""
        at = self.deadline()
        if at is None or now < at:
            return []
        if self._state is State.QUITTING:
            return list(self._end(Cause.LATE, End.CLOSED, "the server did not close after QUIT"))
        if self._state is not State.READY:
            waited = f"no welcome within {self._options.welcome_timeout:g} s"
            return list(self._end(Cause.LATE, End.DEADLINE, waited))
        if self._pong_by is not None:
            return list(self._end(Cause.SILENT, End.SILENT, f"no answer within {self._options.pong_timeout:g} s"))
        self._pings += 1
        self._say(f"PING :allthepoints-{self._pings}")
        self._pinged_at = now
        self._pong_by = now + self._options.pong_timeout
        return []

    # -- what we want --------------------------------------------------------------------------------------------------
    def join(self, channels: Sequence[str], now: float) -> None:
        """Ask to enter rooms, several to a line. Raises WrongState unless READY, NotALogin."""
        self._rooms("JOIN", channels)
        if self._asked_at is None:
            self._asked_at = now

    def part(self, channels: Sequence[str], now: float) -> None:  # noqa: ARG002
        """Leave rooms, several to a line. Raises WrongState unless READY, NotALogin."""
        self._rooms("PART", channels)

    def quit(self, now: float) -> None:
        """Say QUIT and expect the server to close. Before the transport is up this just ends the session."""
        before = self._state
        if not self._move(Cause.QUIT) or before is State.CONNECTING:
            return
        self._say("QUIT")
        self._late_at = now + self._options.pong_timeout

    def _rooms(self, command: str, channels: Sequence[str]) -> None:
        if self._state is not State.READY:
            raise WrongState(f"{command} in state {self._state}")
        names = dict.fromkeys("#" + as_login(channel) for channel in channels)
        for line in _packed(command, names):
            self._say(line)

    # -- what lines mean -----------------------------------------------------------------------------------------------
    def _line(self, raw: bytes, now: float, events: list[SessionEvent]) -> None:
        try:
            line = parse(self._without_token(raw))
        except MalformedLine:
            return
        if line.command == "PING":
            self._pong(raw)
        elif line.command == "ERROR":
            events += self._error(line)
        elif self._state is State.REGISTERING:
            events += self._registering(line, now)
        elif event := event_of(line, self._nick):
            events.append(event)

    def _without_token(self, raw: bytes) -> bytes:
        """A server may quote what it was sent; its words go into logs and the memory."""
        token = self._token.reveal().encode()
        if not token or token.lower() not in raw.lower():  # in any case: what names a channel is made lower
            return raw
        return re.sub(b"(?:oauth:)?" + re.escape(token), b"***", raw, flags=re.IGNORECASE)

    def _pong(self, raw: bytes) -> None:
        """Answer with the same bytes, whatever their encoding; a CR or NUL among them would end our line."""
        params = split(raw.decode("utf-8", "surrogateescape"))[3]
        text = _UNSENDABLE.split(params[0], maxsplit=1)[0] if params else ""
        self._say(f"PONG :{text}" if text else "PONG")

    def _registering(self, line: Line, now: float) -> Iterator[SessionEvent]:
        if line.command == "001":
            yield from self._welcomed(line, now)
        elif line.command in notices.LOGIN_NUMERICS or (
            line.command == "NOTICE"
            and line.param(0) == "*"
            and not line.nick
            and line.param(1).lower().startswith(notices.LOGIN_TEXTS)
        ):
            yield from self._login_refused(line)

    def _welcomed(self, line: Line, now: float) -> Iterator[SessionEvent]:
        """The server may know us by another nick (renamed, cut short): its word counts, if it is one."""
        nick = line.param(0).lower() if len(line.params) > 1 else ""
        if nick != self._nick and _NICK.match(nick):
            self._nick = nick
            self._scanner.rename(nick)
        self._move(Cause.WELCOMED)
        self._pinged_at = now
        yield Welcome(self._nick)

    def _login_refused(self, line: Line) -> Iterator[SessionEvent]:
        text = words(line)
        yield LoginRefused(text)
        yield from self._end(Cause.REFUSED, End.LOGIN, text)

    def _error(self, line: Line) -> Iterator[SessionEvent]:
        """ERROR comes before the server closes. Only where it speaks of the login is the token to blame."""
        text = line.param(0).lower()
        if self._state is State.REGISTERING and any(word in text for word in notices.LOGIN_ERRORS):
            yield from self._login_refused(line)
        else:
            yield from self._end(Cause.CLOSED, End.CLOSED, words(line))

    # -- hands ---------------------------------------------------------------------------------------------------------
    @property
    def _over(self) -> bool:
        return self._state is State.ENDED

    def _say(self, line: str) -> None:
        self._out += line.encode("utf-8", "surrogateescape") + b"\r\n"

    def _move(self, cause: Cause) -> bool:
        """Follow the table; False where `cause` changes nothing."""
        target = after(self._state, cause)
        if target is None:
            return False
        self._state = target
        return True

    def _end(self, cause: Cause, end: End, text: str = "") -> Iterator[SessionEvent]:
        if self._move(cause):
            self._out.clear()
            yield Ended(end, text)


def _packed(command: str, names: Iterable[str]) -> Iterator[str]:
    """Lines of comma lists, none over LINE_LIMIT."""
    line = ""
    for name in names:
        if line and len(line) + 1 + len(name) + 2 > LINE_LIMIT:
            yield line
            line = ""
        line = f"{line},{name}" if line else f"{command} {name}"
    if line:
        yield line
