"""What the doctor measures of the sign-ins: it asks whose they are, and changes nothing.

No refresh token is sent: it is worth one use. The chat is signed in to with the token as it is, once, and left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from allthepoints.base.clock import Clock
from allthepoints.base.errors import FaultError, OutsideError, Refused, Unauthorised
from allthepoints.base.secret import Secret
from allthepoints.base.types import Login
from allthepoints.config.paths import DataDir
from allthepoints.core.checkup_signin import Chat, ChatState, Jwt, Token, TokenState
from allthepoints.core.loyalty import JwtState
from allthepoints.irc.events import Ended, LoginRefused, SessionEvent, Welcome
from allthepoints.irc.session import Session, SessionOptions
from allthepoints.operation.doctor_here import read_secret
from allthepoints.operation.doctor_net import Patience
from allthepoints.operation.doctor_tls import LONGEST
from allthepoints.ports import ChatTransport, JwtUnusable, StoreApi, StoredTokens
from allthepoints.storage import jwtfile, tokenfile
from allthepoints.twitch.oauth import Validated
from allthepoints.twitch.signin import account_of, in_use, sendable
from allthepoints.views.text import clean
from allthepoints.wiring import Given, Probes

Account = tuple[str, str]
"""User id and login."""

GOODBYE = 1.5
"""Seconds that the chat's server is given to close."""


class JwtAsItIs:
    """Fulfils `ports.JwtStore` for reading: a file that cannot be used is left as it is, and counts as none."""

    def __init__(self, data: DataDir) -> None:
        self._path = data.jwt

    def load(self) -> Secret | None:
        with suppress(OSError):
            data = read_secret(self._path)
            return None if data is None else jwtfile.decoded(data)
        return None

    def save(self, jwt: Secret) -> None:  # noqa: ARG002
        raise FaultError("the doctor writes nothing")

    def forget(self) -> None:
        raise FaultError("the doctor writes nothing")


def stored_tokens(data: DataDir) -> StoredTokens | None:
    """The stored sign-in, whose file is left as it is; None where there is none that can be used."""
    with suppress(OSError, msgspec.MsgspecError, ValueError, RecursionError):
        found = read_secret(data.tokens)
        return None if found is None else tokenfile.decoded(found)
    return None


# -- Twitch --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Held:
    """The tokens of the file, and those that the service would use."""

    stored: StoredTokens | None
    used: StoredTokens | None

    @property
    def sendable(self) -> StoredTokens | None:
        """Those in use, if they can stand in a header at all."""
        return self.used if self.used is not None and sendable(self.used.access) else None


def tokens_held(data: DataDir, given: Given, now: float) -> Held:
    """What there is. Blocks."""
    stored = stored_tokens(data)
    return Held(stored, in_use(stored, given, now))


async def look_at_token(
    tokens: Held, remembered: Account | None, probes: Probes, clock: Clock
) -> tuple[Token, Secret | None]:
    """The sign-in that would be used, and its token if it lives. `remembered`: the account of the database."""
    stored, held = tokens.stored, tokens.used
    known = account_of(stored)
    mine = (known.user_id, known.login) if known is not None else remembered
    if held is None:
        return Token(TokenState.NONE, mine=mine), None
    by_environment = held is not stored
    if not held.access:
        return Token(TokenState.ONLY_REFRESH, by_environment, mine=mine), None
    if not sendable(held.access):
        return Token(TokenState.UNSENDABLE, by_environment, mine=mine), None
    state, described, text = await _validated(held.access, probes)
    ends = held.expires_at
    if described is not None and described.expires_in is not None:
        ends = clock.now() + described.expires_in
    seen = Token(
        state,
        by_environment,
        _owner(described),
        mine,
        scopes=described.scopes if described is not None else frozenset(),
        ends=ends,
        refresh=bool(held.refresh),
        refresh_spent=held.refresh_spent,
        text=text,
    )
    return seen, held.access if state is TokenState.LIVES else None


async def _validated(access: Secret, probes: Probes) -> tuple[TokenState, Validated | None, str]:
    try:
        return TokenState.LIVES, await probes.oauth.validate(access), ""
    except Unauthorised:
        return TokenState.DEAD, None, ""
    except OutsideError as error:
        return TokenState.UNKNOWN, None, str(error)


def _owner(described: Validated | None) -> Account | None:
    if described is None or described.login is None or described.user_id is None:
        return None
    return described.user_id, described.login


# -- StreamElements ------------------------------------------------------------------------------------------------
async def look_at_jwt(store: StoreApi, mine: Account | None, autos: bool) -> Jwt:
    """The JWT that would be used, and whose StreamElements says that it is."""
    try:
        ends = store.expires_at()
        viewer = await store.me()
    except JwtUnusable as error:
        return Jwt(error.state, error.expires_at, mine=mine, text=str(error), autos=autos)
    except Unauthorised:
        return Jwt(JwtState.REFUSED, mine=mine, autos=autos)
    except (Refused, OutsideError) as error:
        return Jwt(JwtState.GOOD, ends, mine=mine, text=str(error), autos=autos)
    return Jwt(JwtState.GOOD, ends, (viewer.user_id, clean(viewer.login)), mine, autos=autos)


# -- the chat's welcome --------------------------------------------------------------------------------------------
async def sign_in_to_chat(
    transport: ChatTransport, token: Secret, nick: Login, clock: Clock, patience: Patience
) -> Chat:
    """Sign in, wait for the welcome, and leave. No room is entered."""
    loop, began = asyncio.get_running_loop(), clock.now()
    heard: asyncio.Future[Chat] = loop.create_future()
    gone: asyncio.Future[None] = loop.create_future()

    def tell(chat: Chat) -> None:
        if not heard.done():
            heard.set_result(chat)

    def on_events(events: Sequence[SessionEvent]) -> None:
        for event in events:
            match event:
                case Welcome(name):
                    tell(Chat(ChatState.WELCOMED, name, clock.now() - began))
                case LoginRefused(text):
                    tell(Chat(ChatState.REFUSED, text=_words(text)))
                case Ended(_, text) if "no welcome" in text:
                    tell(Chat(ChatState.LATE))
                case _:
                    pass

    def on_lost(text: str) -> None:
        tell(Chat(ChatState.FAILED, text=_words(text)))
        if not gone.done():
            gone.set_result(None)

    session = Session(nick, token, began, SessionOptions(welcome_timeout=patience.welcome))
    try:
        link = await transport.open(session, on_events, on_lost)
    except OutsideError as error:
        return Chat(ChatState.FAILED, text=_words(str(error)))
    try:
        return await heard
    finally:
        session.quit(clock.now())
        link.close()
        await asyncio.wait([gone], timeout=GOODBYE)


def _words(text: str) -> str:
    return clean(text).rstrip(".")[: 2 * LONGEST] or "it gave no reason"
