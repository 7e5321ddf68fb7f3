"""Performs what concerns the chat: open, close, join, part. Turns a session's events into facts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from allthepoints.base.clock import Chance, Clock
from allthepoints.base.errors import OutsideError, SignInNeeded
from allthepoints.base.secret import Secret
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
from allthepoints.irc.states import State
from allthepoints.ports import ChatLink, ChatTransport, Tokens
from allthepoints.service.supervise import Tasks

log = logging.getLogger(__name__)

TEXT = 200
"""Characters of a server's own words that are kept."""


@dataclass(slots=True)
class _Line:
    """One connection, from the decision to open it to the fact that it is lost."""

    opening: asyncio.Task[None] | None = None
    link: ChatLink | None = None
    token: Secret | None = None
    last_words: str = ""
    """Why it ends, as the server or the session put it."""
    gone: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Connections:
    """The chat connections, by number. `refused_token`: the token that the chat took for bad, last."""

    def __init__(
        self,
        transport: ChatTransport,
        tokens: Tokens,
        clock: Clock,
        chance: Chance,
        put: Callable[[Fact], None],
        options: SessionOptions,
    ) -> None:
        self.refused_token: Secret | None = None
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
        line = self._lines[conn] = _Line()
        line.opening = self._tasks.start(f"open chat connection {conn}", self._open(conn, line, nick))

    def close(self, conn: int) -> None:
        """Let it go. Puts ConnectionLost, unless that is in the inbox already."""
        line = self._lines.get(conn)
        if line is None:
            return
        if line.link is not None:
            line.link.session.quit(self._clock.now())
            line.link.close()
        else:
            assert line.opening is not None
            line.opening.cancel()
            self._lost(conn, line, Lost.OURS, "closed by us")

    def join(self, conn: int, logins: Sequence[Login]) -> None:
        """Write JOINs. Puts JoinWritten, unless the connection is ending."""
        if (link := self._ready(conn)) is not None:
            log.debug("connection %d: JOIN %s", conn, ", ".join(logins))
            link.session.join(logins, self._clock.now())
            link.flush()
            self._put(JoinWritten(self._clock.now(), conn, tuple(logins)))

    def part(self, conn: int, logins: Sequence[Login]) -> None:
        """Write PARTs."""
        if (link := self._ready(conn)) is not None:
            log.debug("connection %d: PART %s", conn, ", ".join(logins))
            link.session.part(logins, self._clock.now())
            link.flush()

    async def aclose(self, patience: float) -> None:
        """Close all of them, wait so many seconds for the servers to let go, and leave no task."""
        ending = [line.gone for line in self._lines.values()]
        for conn in list(self._lines):
            self.close(conn)
        if ending:
            await asyncio.wait(ending, timeout=patience)
        await self._tasks.cancel()

    def _ready(self, conn: int) -> ChatLink | None:
        """The link, if JOIN and PART may be said on it: it may have ended while the plan was written down."""
        line = self._lines.get(conn)
        if line is None or line.link is None or line.link.session.state is not State.READY:
            return None
        return line.link

    async def _open(self, conn: int, line: _Line, nick: Login) -> None:
        try:
            line.token = self._tokens.chat_token()
            session = Session(nick, line.token, self._clock.now(), self._options)
            line.link = await self._transport.open(
                session, lambda events: self._heard(conn, line, events), lambda text: self._ended(conn, line, text)
            )
        except SignInNeeded as error:
            self._lost(conn, line, Lost.LOGIN, str(error))
        except OutsideError as error:
            self._lost(conn, line, getattr(error, "lost", Lost.CONNECT), str(error))
        except Exception as error:
            log.exception("opening a chat connection went wrong here, not there")
            self._lost(conn, line, Lost.CONNECT, f"internal fault: {type(error).__name__}")

    def _heard(self, conn: int, line: _Line, events: Sequence[SessionEvent]) -> None:
        now = self._clock.now()
        for event in events:
            log.debug("connection %d: %s", conn, event)
            match event:
                case LoginRefused(text):
                    self.refused_token, line.last_words = line.token, text
                case Ended(_, text):
                    line.last_words = line.last_words or text
                case _:
                    self._put(_fact(event, conn, now))

    def _ended(self, conn: int, line: _Line, text: str) -> None:
        lost = line.link.lost if line.link is not None else None
        self._lost(conn, line, lost or Lost.CLOSED, line.last_words or text)

    def _lost(self, conn: int, line: _Line, lost: Lost, text: str) -> None:
        log.debug("connection %d: over (%s) %s", conn, lost.value, text[:TEXT])
        line.gone.set_result(None)
        del self._lines[conn]
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
