"""Performs what concerns the chat: open, close, join, part. Turns a session's events into facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from allthepoints.base.clock import Chance, Clock
from allthepoints.base.errors import OutsideError, SignInNeeded
from allthepoints.base.types import Login, UserId
from allthepoints.core.facts import (
    Banned,
    ConnectionLost,
    Fact,
    Joined,
    JoinRefused,
    JoinWritten,
    Parted,
    ReconnectAsked,
    TimedOut,
    Welcomed,
)
from allthepoints.core.model import Lost, Why
from allthepoints.irc.events import (
    End,
    Ended,
    LoginRefused,
    Reconnect,
    RoomJoined,
    RoomParted,
    RoomRefused,
    SessionEvent,
    WeBanned,
    Welcome,
    WeTimedOut,
)
from allthepoints.irc.session import Session, SessionOptions
from allthepoints.ports import ChatLink, ChatTransport, Tokens
from allthepoints.service.supervise import Tasks

TEXT = 200
"""Characters of a server's own words that are kept."""


@dataclass(slots=True)
class _Line:
    """One connection as the shell sees it: its link once there is one, and how its session said it ended."""

    link: ChatLink | None = None
    closed: bool = False
    ended: Ended | None = None
    refused: str = ""
    told: bool = False
    early: list[SessionEvent] = field(default_factory=list)
    """What was heard before the transport had handed over the link: nothing can be done about it yet."""


class Connections:
    """The chat connections, by number."""

    def __init__(
        self,
        transport: ChatTransport,
        tokens: Tokens,
        clock: Clock,
        chance: Chance,
        put: Callable[[Fact], None],
        options: SessionOptions,
    ) -> None:
        self._transport = transport
        self._tokens = tokens
        self._clock = clock
        self._chance = chance
        self._put = put
        self._options = options
        self._lines: dict[int, _Line] = {}
        self._tasks = Tasks()

    def open(self, conn: int, nick: Login) -> None:
        """Connect and sign in. Puts Welcomed or ConnectionLost."""
        self._lines[conn] = _Line()
        self._tasks.start(f"chat connection {conn}", self._open(conn, nick))

    def close(self, conn: int) -> None:
        """Let it go. Puts ConnectionLost(OURS)."""
        line = self._lines[conn]
        line.closed = True
        if line.link is not None:
            line.link.session.quit(self._clock.now())
            line.link.flush()
            line.link.close()

    def join(self, conn: int, logins: Sequence[Login]) -> None:
        """Write JOINs. Puts JoinWritten."""
        if (link := self._link(conn)) is not None:
            link.session.join(logins, self._clock.now())
            link.flush()
            self._put(JoinWritten(self._clock.now(), conn, tuple(logins)))

    def part(self, conn: int, logins: Sequence[Login]) -> None:
        """Write PARTs."""
        if (link := self._link(conn)) is not None:
            link.session.part(logins, self._clock.now())
            link.flush()

    async def aclose(self) -> None:
        """Close all of them, and leave no task."""
        for conn in list(self._lines):
            self.close(conn)
        await self._tasks.cancel()

    def _link(self, conn: int) -> ChatLink | None:
        line = self._lines.get(conn)
        return line.link if line is not None and not line.closed and line.ended is None else None

    async def _open(self, conn: int, nick: Login) -> None:
        line = self._lines[conn]
        try:
            session = Session(nick, self._tokens.chat_token(), self._clock.now(), self._options)
            link = await self._transport.open(
                session, lambda events: self._heard(conn, line, events), lambda text: self._lost(conn, line, text)
            )
        except SignInNeeded as error:
            line.ended = Ended(End.LOGIN, str(error))
            self._lost(conn, line, str(error))
        except OutsideError as error:
            self._lost(conn, line, str(error), getattr(error, "lost", Lost.CONNECT))
        else:
            line.link = link
            if line.closed:
                self.close(conn)
            self._heard(conn, line, line.early)

    def _heard(self, conn: int, line: _Line, events: Sequence[SessionEvent]) -> None:
        if line.link is None:
            line.early.extend(events)
            return
        now = self._clock.now()
        for event in events:
            match event:
                case Ended():
                    line.ended = event
                case LoginRefused(text):
                    line.refused = text[:TEXT]
                case _:
                    self._put(_fact(event, conn, now))

    def _lost(self, conn: int, line: _Line, text: str, lost: Lost = Lost.CLOSED) -> None:
        if line.told:
            return
        line.told = True
        for event in line.early:
            if isinstance(event, Ended):
                line.ended = event
            elif isinstance(event, LoginRefused):
                line.refused = event.text[:TEXT]
        self._lines.pop(conn, None)
        if line.closed:
            lost = Lost.OURS
        elif line.ended is not None:
            lost, text = Lost(line.ended.end), line.refused or line.ended.text or text
        self._put(ConnectionLost(self._clock.now(), conn, lost, self._chance.draw(), text[:TEXT]))


def _fact(event: SessionEvent, conn: int, at: float) -> Fact:
    match event:
        case Welcome():
            return Welcomed(at, conn)
        case RoomJoined(channel, room_id):
            return Joined(at, conn, Login(channel), None if room_id is None else UserId(room_id))
        case RoomParted(channel):
            return Parted(at, conn, Login(channel))
        case RoomRefused(channel, error, text):
            return JoinRefused(at, conn, Login(channel), Why(error), text[:TEXT])
        case WeBanned(channel):
            return Banned(at, conn, Login(channel))
        case WeTimedOut(channel, seconds):
            return TimedOut(at, conn, Login(channel), seconds)
        case Reconnect():
            return ReconnectAsked(at, conn)
        case LoginRefused() | Ended():
            raise AssertionError("these end the connection; they are told with its loss")
