"""Twitch's sign-in server: device code, refresh, validate, revoke, client credentials.

What is sent and what comes back, no more: which token is in use and when it is renewed is decided in `tokens`.
All methods raise `base.errors.OutsideError`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from allthepoints.base.addresses import may_be_opened
from allthepoints.base.clock import Clock
from allthepoints.base.errors import Limited, Refused, SignInNeeded, Unknown
from allthepoints.base.secret import Secret
from allthepoints.ports import CHAT_SCOPE, FOLLOWS_SCOPE
from allthepoints.twitch.http import request
from allthepoints.web import Answer, Ask, Client, Form, decode, odd

SCOPES = (CHAT_SCOPE, FOLLOWS_SCOPE)

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

DEVICE_LIFE = 1800.0
DEVICE_INTERVAL = 5.0
"""What Twitch answers today, taken where an answer leaves them out (seconds)."""

_CODE = re.compile(r"[A-Za-z0-9-]{1,40}\Z")

SLOW_DOWN = 5.0
"""Seconds added to the interval at each `slow_down` (RFC 8628, 3.5)."""


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """A code that a person types in at `verification_uri`. `expires_in` and `interval` in seconds."""

    device_code: Secret
    user_code: str
    verification_uri: str
    expires_in: float
    interval: float
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grant:
    """Tokens fresh from the server. `expires_in` in seconds, None where it does not say."""

    access: Secret
    refresh: Secret | None
    scopes: tuple[str, ...]
    expires_in: float | None


@dataclass(frozen=True, slots=True)
class Pending:
    """The person has not decided yet."""


@dataclass(frozen=True, slots=True)
class SlowDown:
    """We ask too often."""


@dataclass(frozen=True, slots=True)
class DeviceDead:
    """This code will never be granted; `text` is the server's word for it."""

    text: str


@dataclass(frozen=True, slots=True)
class Validated:
    """A token that lives, as /validate describes it. `login` and `user_id` are None for an app's own token."""

    client_id: str
    login: str | None
    user_id: str | None
    scopes: frozenset[str]
    expires_in: float | None


class OAuth:
    """`base_url` is the endpoint with its `/oauth2`; `client_id` the person's own registered app."""

    def __init__(self, client: Client, base_url: str, client_id: str, clock: Clock) -> None:
        self._client = client
        self._base = base_url.rstrip("/")
        self._clock = clock
        self.client_id = client_id

    async def device_start(self, scopes: Sequence[str] = SCOPES) -> DeviceCode:
        """Ask for a code to show to the person."""
        form = {"client_id": self.client_id, "scopes": " ".join(scopes)}
        answer = await self._post("/device", "asking for a sign-in code", form)
        body = decode(answer, _DeviceBody)
        if not (body.device_code and body.user_code and body.verification_uri):
            raise odd(answer, "a sign-in code that lacks a part")
        if not _CODE.match(body.user_code):
            raise odd(answer, "a sign-in code that nobody can type")
        if not may_be_opened(body.verification_uri, self._base, "twitch.tv"):
            raise odd(answer, "an address for the code that is not its own")
        return DeviceCode(
            body.device_code,
            body.user_code,
            body.verification_uri,
            _seconds(body.expires_in) or DEVICE_LIFE,
            _seconds(body.interval) or DEVICE_INTERVAL,
            tuple(scopes),
        )

    async def device_poll(self, code: DeviceCode) -> Grant | Pending | SlowDown | DeviceDead:
        """Ask whether the person has decided."""
        form: Form = {
            "client_id": self.client_id,
            "scopes": " ".join(code.scopes),
            "device_code": code.device_code,
            "grant_type": DEVICE_GRANT,
        }
        try:
            return await self._grant("asking whether the code was accepted", form)
        except Refused as no:
            return _device_word(no)

    async def refresh(self, refresh: Secret, client_id: str, client_secret: Secret | None = None) -> Grant:
        """Spend a refresh token for a new pair. `client_secret` only for an app that is *Confidential*."""
        form: dict[str, str | Secret] = {
            "grant_type": "refresh_token",
            "refresh_token": refresh,
            "client_id": client_id,
        }
        if client_secret:
            form["client_secret"] = client_secret
        return await self._grant("renewing the sign-in", form)

    async def client_credentials(self, client_secret: Secret) -> Grant:
        """A token for the app itself, which reads what is public."""
        form: Form = {
            "client_id": self.client_id,
            "client_secret": client_secret,
            "grant_type": "client_credentials",
        }
        return await self._grant("asking for an app token", form)

    async def validate(self, token: Secret) -> Validated:
        """Whose token this is, and for what. Raises Unauthorised if it is dead."""
        ask = Ask(
            "GET",
            f"{self._base}/validate",
            "checking the sign-in",
            token=token,
            scheme="OAuth",
        )
        answer = await request(self._client, ask, self._clock.now())
        body = decode(answer, _ValidateBody)
        login, user_id = (body.login or "").lower() or None, str(body.user_id or "") or None
        client_id = body.client_id or (self.client_id if login else "")
        if not client_id or (user_id is not None and not _is_id(user_id)):
            raise odd(answer, "something that describes no token")
        # A server that says nothing of scopes does not say that there are none: chat and Helix will tell.
        scopes = SCOPES if login and body.scopes is msgspec.UNSET else body.scopes or ()
        return Validated(client_id, login, user_id, frozenset(scopes), _seconds(body.expires_in))

    async def revoke(self, token: Secret, client_id: str | None = None) -> None:
        """Make a token worthless. One that already is counts as done."""
        form: Form = {"client_id": client_id or self.client_id, "token": token}
        try:
            await self._post("/revoke", "revoking the sign-in", form)
        except Refused as no:
            if no.status != 400 or "token" not in no.message.lower():
                raise

    async def _grant(self, what: str, form: Form) -> Grant:
        answer = await self._post("/token", what, form)
        body = decode(answer, _GrantBody)
        if not body.access_token:
            raise odd(answer, "no access token")
        return Grant(
            body.access_token,
            body.refresh_token or None,
            tuple(body.scope.split()) if isinstance(body.scope, str) else tuple(body.scope or ()),
            _seconds(body.expires_in),
        )

    async def _post(self, path: str, what: str, form: Form) -> Answer:
        ask = Ask("POST", self._base + path, what, form=form, confidential=True)
        return await request(self._client, ask, self._clock.now())


async def sign_in_by_device(
    oauth: OAuth,
    clock: Clock,
    show: Callable[[DeviceCode], None],
    scopes: Sequence[str] = SCOPES,
) -> Grant:
    """Ask for a code, `show` it, and wait until the person has accepted it.

    Trouble on the way does not end it; the server's no and the code's own end do. Raises SignInNeeded then, and
    OutsideError if no code could be had at all.
    """
    code = await oauth.device_start(scopes)
    ends_at = clock.now() + code.expires_in
    interval = code.interval
    show(code)
    wait = interval
    while (left := ends_at - clock.now()) > 0:
        await clock.sleep(min(wait, left))
        wait = interval
        try:
            answer = await oauth.device_poll(code)
        except Limited as limited:
            wait = max(interval, limited.until - clock.now())
            continue
        except Unknown:
            continue
        match answer:
            case Grant():
                return answer
            case DeviceDead(text):
                raise SignInNeeded(f"the code {code.user_code} was not accepted: {text}", _NEW_CODE)
            case SlowDown():
                wait = interval = interval + SLOW_DOWN
            case Pending():
                pass
    raise SignInNeeded(f"the code {code.user_code} has expired", _NEW_CODE)


_NEW_CODE = "Run `allthepoints login` again for a new code."


class _DeviceBody(msgspec.Struct):
    device_code: Secret | None = None
    user_code: str | None = None
    verification_uri: str | None = None
    expires_in: float | None = None
    interval: float | None = None


class _GrantBody(msgspec.Struct):
    access_token: Secret | None = None
    refresh_token: Secret | None = None
    expires_in: float | None = None
    scope: list[str] | str | None = None


class _ValidateBody(msgspec.Struct):
    client_id: str | None = None
    login: str | None = None
    user_id: str | int | None = None
    scopes: list[str] | msgspec.UnsetType | None = msgspec.UNSET
    expires_in: float | None = None


def _device_word(no: Refused) -> Pending | SlowDown | DeviceDead:
    match no.message.strip().lower().replace(" ", "_"):
        case "authorization_pending":
            return Pending()
        case "slow_down":
            return SlowDown()
        case _:
            return DeviceDead(no.message or f"status {no.status}")


def _seconds(value: float | None) -> float | None:
    """A duration from outside; nothing, zero, less and more than ten years mean that none was told."""
    return value if value is not None and 0 < value < 3.2e8 else None


def _is_id(text: str) -> bool:
    return text.isascii() and (text.isdigit() or not text)
