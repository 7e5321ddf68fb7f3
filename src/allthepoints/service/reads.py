"""Performs what concerns Helix and the sign-in: each read is a task that ends in one fact, whatever happens."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from allthepoints.base.clock import Chance, Clock
from allthepoints.base.errors import Limited, OutsideError, SignInNeeded
from allthepoints.base.secret import Secret
from allthepoints.core.actions import ReadFollows, ReadLive, ReadUsers
from allthepoints.core.facts import Fact, FollowsRead, ReadFailed, SignedIn, SignInLost, SignInUnknown
from allthepoints.ports import FOLLOWS_SCOPE, LiveApi, SignIn, Tokens
from allthepoints.service.supervise import Tasks

log = logging.getLogger(__name__)

ERROR = 300
"""Characters of an error that are kept."""


class Reads:
    """What is being asked of Twitch's web interfaces."""

    def __init__(
        self, live: LiveApi, tokens: Tokens, clock: Clock, chance: Chance, put: Callable[[Fact], None]
    ) -> None:
        self._live = live
        self._tokens = tokens
        self._clock = clock
        self._chance = chance
        self._put = put
        self._tasks = Tasks()

    def sign_in(self, refused: Secret | None) -> None:
        """Check the sign-in; a token that the chat has `refused` is renewed first. Puts what RenewSignIn names."""
        self._tasks.start("check the sign-in", self._sign_in(refused))

    def read(self, action: ReadFollows | ReadLive | ReadUsers) -> None:
        """Ask Helix. Puts what the action names."""
        match action:
            case ReadLive():
                self._tasks.start("read who is live", self._read("live", lambda: self._live.live(action)))
            case ReadFollows():
                self._tasks.start("read the follows", self._read("follows", lambda: self._follows(action)))
            case ReadUsers(ids, logins):
                self._tasks.start("look up names", self._read("users", lambda: self._live.users(ids, logins)))

    async def aclose(self) -> None:
        """Give up what is under way."""
        await self._tasks.cancel()

    async def _follows(self, action: ReadFollows) -> FollowsRead:
        channels = await self._live.follows(action.user_id)
        return FollowsRead(self._clock.now(), channels)

    async def _read(self, what: str, ask: Callable[[], Awaitable[Fact]]) -> None:
        until: float | None = None
        try:
            self._put(await ask())
            return
        except Limited as error:
            text, until = str(error), error.until
        except SignInNeeded as error:
            text = str(error)
            self._put(SignInLost(self._clock.now(), text))
        except OutsideError as error:
            text = str(error)
        except Exception as error:
            log.exception("reading %s went wrong here, not there", what)
            text = f"internal fault: {type(error).__name__}"
        self._put(ReadFailed(self._clock.now(), what, text[:ERROR], self._chance.draw(), until))

    async def _sign_in(self, refused: Secret | None) -> None:
        try:
            if refused is not None:
                await self._renew(refused)
            fact: Fact = self._signed_in(await self._tokens.check())
        except SignInNeeded as error:
            fact = SignInLost(self._clock.now(), str(error)[:ERROR])
        except OutsideError as error:
            fact = self._unknown(str(error))
        except Exception as error:
            log.exception("the check of the sign-in went wrong here, not there")
            fact = self._unknown(f"internal fault: {type(error).__name__}")
        self._put(fact)

    async def _renew(self, refused: Secret) -> None:
        """Another token, if there is one to be had. If not, it is for the check to say what the old one is worth: the
        chat refuses good tokens too, in passing."""
        try:
            await self._tokens.renew(refused)
        except OutsideError as error:
            log.info("the refused token is not replaced: %s", error)

    def _signed_in(self, sign_in: SignIn) -> SignedIn:
        return SignedIn(self._clock.now(), sign_in.account, FOLLOWS_SCOPE in sign_in.scopes, sign_in.expires_at)

    def _unknown(self, error: str) -> SignInUnknown:
        remembered = self._tokens.remembered()
        return SignInUnknown(
            self._clock.now(),
            error[:ERROR],
            self._chance.draw(),
            None if remembered is None else self._signed_in(remembered),
        )
