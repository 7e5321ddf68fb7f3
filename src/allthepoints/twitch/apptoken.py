"""The app's own token, by client credentials: the article's way to read what is public."""

from __future__ import annotations

from allthepoints.base.clock import Clock
from allthepoints.base.errors import Refused, SignInNeeded, Unknown
from allthepoints.base.secret import Secret
from allthepoints.twitch.flight import SingleFlight
from allthepoints.twitch.oauth import OAuth

MARGIN = 60.0
"""Seconds before its end at which a token is not used any more."""

APART = 60.0
"""Seconds between two asks: a token that is refused as soon as it was given will not be mended by another."""


class AppToken:
    """Fetched when first needed, again when it ends or is refused."""

    def __init__(self, oauth: OAuth, clock: Clock, client_secret: Secret) -> None:
        self._oauth = oauth
        self._clock = clock
        self._client_secret = client_secret
        self._token: Secret | None = None
        self._ends_at: float | None = None
        self._asked_at: float | None = None
        self._no: str | None = None
        self._fetches = SingleFlight[Secret]("app-token")

    async def get(self) -> Secret:
        """A token. Raises SignInNeeded if the client secret is not accepted, Unknown if there was no clear answer."""
        if self._no is not None:
            raise SignInNeeded(self._no, _HINT)
        if self._token is not None and (self._ends_at is None or self._clock.now() < self._ends_at - MARGIN):
            return self._token
        return await self._fetches.run(self._fetch)

    def drop(self, refused: Secret) -> bool:
        """Whether `refused` is the app's token; it will not be used again."""
        if self._token is None or self._token != refused:
            return False
        self._token = None
        return True

    async def aclose(self, patience: float) -> None:
        """Let a fetch that is under way end."""
        await self._fetches.aclose(patience)

    async def _fetch(self) -> Secret:
        now = self._clock.now()
        if self._asked_at is not None and now < self._asked_at + APART:
            raise Unknown("the last app token was refused; another is asked for in a minute")
        try:
            grant = await self._oauth.client_credentials(self._client_secret)
        except Refused as no:
            self._no = f"Twitch does not accept the client id with its secret: {no.message or no}"
        else:
            self._asked_at = now
            self._token = grant.access
            self._ends_at = None if grant.expires_in is None else now + grant.expires_in
            return grant.access
        raise SignInNeeded(self._no, _HINT)


_HINT = "Check twitch.client_id and ALLTHEPOINTS_TWITCH_CLIENT_SECRET, or leave the secret away."
