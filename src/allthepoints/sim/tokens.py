"""id.twitch.tv's memory: access and refresh tokens, device codes, clients. Pure.

A refresh token of a Public client works once; its second use is counted. Access tokens live on until they expire or are
revoked, also after a refresh.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from allthepoints.base.clock import Chance

REFRESH_LIFE = 30 * 86400.0
"""Seconds that an unused refresh token of a Public client lives."""

DEVICE_LIFE = 1800.0
DEVICE_INTERVAL = 5.0
"""Seconds that a device code lives, and seconds between two polls for it."""

APP_TOKEN_LIFE = 60 * 86400.0

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


class Pair(NamedTuple):
    """An access token and its refresh token ("" for an app token)."""

    access: str
    refresh: str


@dataclass(slots=True)
class AccessToken:
    """`user_id` is None for an app token."""

    text: str
    client_id: str
    user_id: str | None
    scopes: tuple[str, ...]
    expires_at: float
    revoked: bool = False


@dataclass(slots=True)
class RefreshToken:
    """`used`: a Public client's token that has been spent. `access`: the token that was given with it."""

    text: str
    access: str
    client_id: str
    user_id: str
    scopes: tuple[str, ...]
    expires_at: float
    used: bool = False
    revoked: bool = False


@dataclass(slots=True)
class DeviceCode:
    """`approve_at`: when the person will have said yes; None: never by itself."""

    text: str
    user_code: str
    client_id: str
    scopes: tuple[str, ...]
    user_id: str
    expires_at: float
    approve_at: float | None
    denied: bool = False
    used: bool = False
    polled_at: float | None = None


class TokenBook:
    """All tokens. `access_life` in seconds; `confidential`: client id -> secret, every other client is Public."""

    def __init__(self, chance: Chance, access_life: float, confidential: dict[str, str]) -> None:
        self.access_life = access_life
        self.confidential = confidential
        self._chance = chance
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, RefreshToken] = {}
        self._devices: dict[str, DeviceCode] = {}

    # -- tokens ----------------------------------------------------------------------------------------------------
    def issue(self, user_id: str, client_id: str, scopes: Iterable[str], now: float) -> Pair:
        """A new pair for a user."""
        given = tuple(scopes)
        text = self._text(50)
        access = self._issue_access(user_id, client_id, given, now + self.access_life)
        self._refresh[text] = RefreshToken(text, access, client_id, user_id, given, now + REFRESH_LIFE)
        return Pair(access, text)

    def issue_app(self, client_id: str, now: float) -> str:
        """An app token, as client credentials give it."""
        return self._issue_access(None, client_id, (), now + APP_TOKEN_LIFE)

    def valid(self, text: str, now: float) -> AccessToken | None:
        """The access token, if it is good now."""
        token = self._access.get(text)
        return token if token is not None and not token.revoked and now < token.expires_at else None

    def issued(self) -> tuple[str, ...]:
        """Every access and refresh token that was ever given out: what a search for leaks must look for."""
        return (*self._access, *self._refresh)

    def refresh(self, text: str) -> RefreshToken | None:
        """The refresh token, good or not."""
        return self._refresh.get(text)

    def renew(self, refresh: RefreshToken, now: float) -> Pair:
        """A new pair for a refresh token; a Public client's is used up by it."""
        refresh.used = refresh.client_id not in self.confidential
        return self.issue(refresh.user_id, refresh.client_id, refresh.scopes, now)

    def expire(self, user_id: str, now: float) -> None:
        """The access tokens of a user expire now; refresh tokens live."""
        for token in self._of(user_id):
            token.expires_at = min(token.expires_at, now)

    def revoke_user(self, user_id: str) -> None:
        """Everything of a user is void: password changed, or the app disconnected."""
        for token in self._of(user_id):
            token.revoked = True
        for refresh in self._refresh.values():
            refresh.revoked = refresh.revoked or refresh.user_id == user_id

    def revoke(self, text: str) -> bool:
        """Void one access or refresh token; False if there is none such."""
        token = self._access.get(text) or self._refresh.get(text)
        if token is None or token.revoked:
            return False
        token.revoked = True
        return True

    # -- device codes ----------------------------------------------------------------------------------------------
    def begin_device(
        self, client_id: str, scopes: tuple[str, ...], user_id: str, now: float, approve_after: float | None
    ) -> DeviceCode:
        """A new device code; `user_id` is the person who will approve it."""
        code = DeviceCode(
            text=self._text(40),
            user_code="".join(_CODE_LETTERS[self._pick(len(_CODE_LETTERS))] for _ in range(8)),
            client_id=client_id,
            scopes=scopes,
            user_id=user_id,
            expires_at=now + DEVICE_LIFE,
            approve_at=None if approve_after is None else now + approve_after,
        )
        self._devices[code.text] = code
        return code

    def device(self, text: str, now: float) -> DeviceCode | None:
        """The device code, if it can still be exchanged."""
        code = self._devices.get(text)
        return code if code is not None and not code.used and now < code.expires_at else None

    def pending(self, user_code: str | None = None) -> DeviceCode | None:
        """The code that the person sees on the activation page: by its user code, or the newest."""
        codes = [c for c in self._devices.values() if not c.used and user_code in (None, c.user_code)]
        return codes[-1] if codes else None

    def _issue_access(self, user_id: str | None, client_id: str, scopes: tuple[str, ...], expires_at: float) -> str:
        token = AccessToken(self._text(30), client_id, user_id, scopes, expires_at)
        self._access[token.text] = token
        return token.text

    def _of(self, user_id: str) -> list[AccessToken]:
        return [token for token in self._access.values() if token.user_id == user_id]

    def _text(self, length: int) -> str:
        return "".join(_LETTERS[self._pick(len(_LETTERS))] for _ in range(length))

    def _pick(self, count: int) -> int:
        return int(self._chance.draw() * count)
