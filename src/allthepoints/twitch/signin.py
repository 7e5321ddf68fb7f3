"""What makes a sign-in: the environment's tokens, what a validated token is good for. Pure."""

from __future__ import annotations

import hashlib
from typing import Protocol

from allthepoints.base.errors import SignInNeeded
from allthepoints.base.secret import Secret
from allthepoints.base.types import Login, UserId
from allthepoints.core.model import Account
from allthepoints.ports import CHAT_SCOPE, SignIn, StoredTokens
from allthepoints.twitch.oauth import Validated

SIGN_IN = "Sign in with `allthepoints login`."
PUBLIC_APP = (
    "Register the app as *Public* at dev.twitch.tv/console, put its client id in the config, and sign in again."
)


class Environment(Protocol):
    """What the environment may give: ALLTHEPOINTS_TWITCH_TOKEN, …_REFRESH_TOKEN, …_CLIENT_SECRET."""

    @property
    def token(self) -> Secret | None: ...
    @property
    def refresh(self) -> Secret | None: ...
    @property
    def client_secret(self) -> Secret | None: ...


def judge(described: Validated, expected: Account | None) -> Account:
    """The account of a token that will do. Raises SignInNeeded with the reason if it will not."""
    if described.login is None or described.user_id is None:
        raise SignInNeeded("this is an app token: it belongs to an app, and the chat needs a person's", SIGN_IN)
    if expected is not None and described.user_id != expected.user_id:
        raise SignInNeeded(
            f"the token is {described.login}'s, but this service runs for {expected.login}",
            f"Sign in as {expected.login}, use another data directory for {described.login}, or change over with "
            "`allthepoints login --switch`.",
        )
    if CHAT_SCOPE not in described.scopes:
        raise SignInNeeded(f"the token lacks the scope {CHAT_SCOPE}", SIGN_IN)
    return Account(UserId(described.user_id), Login(described.login))


def sign_in(held: StoredTokens, account: Account) -> SignIn:
    """What the rest of the program learns of it."""
    return SignIn(account, frozenset(held.scopes), held.client_id, held.expires_at)


def account_of(stored: StoredTokens | None) -> Account | None:
    """Whose the stored sign-in is, if it was ever validated."""
    if stored is None or stored.user_id is None or stored.login is None:
        return None
    return Account(stored.user_id, stored.login)


def given(environment: Environment, now: float) -> StoredTokens | None:
    """The environment's tokens, whose owner is not known before they are validated."""
    token, refresh = _cleaned(environment.token), _cleaned(environment.refresh)
    if not token and not refresh:
        return None
    return StoredTokens(token, refresh or None, "", None, None, (), now, None, origin=fingerprint(environment))


def in_use(stored: StoredTokens | None, environment: Environment, now: float) -> StoredTokens | None:
    """The tokens that count: the environment's, unless the file's descend from these very ones and are newer."""
    fresh = given(environment, now)
    return stored if stored is not None and (fresh is None or stored.origin == fingerprint(environment)) else fresh


def fingerprint(environment: Environment) -> str:
    """Tells one environment's tokens from another's without holding them; empty if there are none."""
    token, refresh = _cleaned(environment.token), _cleaned(environment.refresh)
    if not token and not refresh:
        return ""
    both = f"{token.reveal()}\0{refresh.reveal()}"
    return hashlib.sha256(both.encode(errors="surrogatepass")).hexdigest()[:16]


def sendable(token: Secret | None) -> bool:
    """Whether it can stand in a header at all."""
    text = token.reveal() if token else ""
    return text.isascii() and text.isprintable() and " " not in text


def later(now: float, seconds: float | None) -> float | None:
    """The time in so many seconds; None stays None."""
    return None if seconds is None else now + seconds


def _cleaned(token: Secret | None) -> Secret:
    """Without the `oauth:` that chat clients write before it."""
    text = token.reveal().strip() if token else ""
    return Secret(text[6:] if text[:6].lower() == "oauth:" else text)
