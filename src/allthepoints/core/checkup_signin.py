"""How the doctor judges the sign-ins and the chat's welcome. Pure.

Nothing here renews anything: a refresh token is worth one use, and that is the service's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from allthepoints.core.checkup import Finding, day, fault, ok, span, warning
from allthepoints.core.checkup_here import Running
from allthepoints.core.loyalty import JwtState
from allthepoints.core.policy import LOGIN_LIMIT

READS_CHAT, READS_FOLLOWS = "chat:read", "user:read:follows"

JWT_ENDS_SOON = 7 * 86_400.0
"""Seconds before its end from which on it is told, as the service does."""

LOGIN = "Sign in with `allthepoints login`."
AGAIN = "`allthepoints login`."


class TokenState(StrEnum):
    """What the Twitch token is worth."""

    NONE = "none"
    ONLY_REFRESH = "only_refresh"
    """The environment gives a refresh token and no other: the service gets a pair at its start."""
    UNSENDABLE = "unsendable"
    LIVES = "lives"
    DEAD = "dead"
    UNKNOWN = "unknown"
    """Twitch gave no clear answer; `text` says which."""


@dataclass(frozen=True, slots=True)
class Token:
    """The present sign-in, and what Twitch says of it. `owner`: whose it is, None if it is an app's; `mine`: for whom
    this data directory is kept, both as (user id, login). `ends`: epoch seconds; of a dead one, when it should have
    ended."""

    state: TokenState
    given: bool = False
    """By the environment, not by `login`."""
    owner: tuple[str, str] | None = None
    mine: tuple[str, str] | None = None
    scopes: frozenset[str] = frozenset()
    ends: float | None = None
    refresh: bool = False
    refresh_spent: bool = False
    text: str = ""


def token(seen: Token, now: float, service: Running) -> Finding:
    """Whether it is good, whose it is, and until when."""
    name, whence = "token", "ALLTHEPOINTS_TWITCH_TOKEN" if seen.given else "the stored sign-in"
    renews = "the running service renews it" if service.pid is not None else "the service renews it at its next start"
    match seen.state:
        case TokenState.NONE:
            return fault(name, "You are not signed in to Twitch.", LOGIN)
        case TokenState.UNSENDABLE:
            return fault(name, "The Twitch token holds characters that no token has.", f"Look at {whence}.")
        case TokenState.ONLY_REFRESH:
            text = "There is a refresh token alone; the service gets a token with it at its next start."
            return warning(name, text)
        case TokenState.UNKNOWN:
            return warning(name, f"Whether it is good is not known: {seen.text}.", "Look again in a minute.")
        case TokenState.DEAD:
            return _dead(name, seen, now, renews)
        case TokenState.LIVES:
            return _alive(name, seen, now, renews)


def _dead(name: str, seen: Token, now: float, renews: str) -> Finding:
    if not seen.refresh:
        return fault(name, "The Twitch token has ended, and there is none to renew it with.", LOGIN)
    if seen.refresh_spent:
        text = "The Twitch token has ended, and its refresh token may be used up: a renewal got no answer."
        return warning(name, f"{text} {renews[:1].upper()}{renews[1:]}, if it can.", f"If it cannot: {AGAIN}")
    if seen.ends is not None and seen.ends > now + 60:
        text = "Twitch ended the token before its time: the password was changed, or the app was disconnected"
        return warning(name, f"{text}. {renews[:1].upper()}{renews[1:]}, if it can.", f"If not: {AGAIN}")
    return warning(
        name,
        f"The Twitch token has ended; {renews}. That was not tried: a refresh token may be used once.",
        f"Nothing, if the service then signs in. If not: {AGAIN}",
    )


def _alive(name: str, seen: Token, now: float, renews: str) -> Finding:
    if seen.owner is None:
        return fault(name, "This is an app's token; the chat needs a person's.", LOGIN)
    user, login = seen.owner
    if seen.mine is not None and seen.mine[0] != user:
        return fault(
            name,
            f"The token is {login}'s, but this data directory is {seen.mine[1]}'s.",
            f"Sign in as {seen.mine[1]}, use another --data-dir for {login}, or change over with "
            "`allthepoints login --switch`.",
        )
    ends = "" if seen.ends is None else f", for {span(seen.ends - now)} more"
    if seen.refresh:
        return ok(name, f"Twitch takes it as {login}'s{ends}; then {renews.replace(' at its next start', '')}.")
    return warning(
        name,
        f"Twitch takes it as {login}'s{ends}. There is no refresh token, so it cannot be renewed.",
        "Sign in with `allthepoints login`, which gives both, before it ends.",
    )


def scopes(seen: Token, wants_follows: bool, includes: bool) -> Finding | None:
    """What the token allows; None where that is not known. `includes`: channels are named in the config."""
    if seen.state is not TokenState.LIVES or seen.owner is None:
        return None
    name, again = "scopes", "Sign in again with `allthepoints login`: it asks for what is needed."
    has = ", ".join(sorted(seen.scopes)) or "none"
    if READS_CHAT not in seen.scopes:
        return fault(name, f"{READS_CHAT} is missing, without which no chat can be entered. It has: {has}.", again)
    if wants_follows and READS_FOLLOWS not in seen.scopes:
        text = f"{READS_FOLLOWS} is missing, so whom you follow cannot be read. It has: {has}."
        if includes:
            return warning(name, f"{text} Only channels.include is used.", again)
        return fault(name, text, again)
    if more := sorted(seen.scopes - {READS_CHAT, READS_FOLLOWS}):
        text = f"{has}. More than is needed: {', '.join(more)}; this program has no use for it."
        return ok(name, text)
    return ok(name, f"{has}.")


# -- StreamElements ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Jwt:
    """The viewer's JWT. `owner`: whose StreamElements says that it is, None where it could not be asked. `mine`: as of
    the Twitch token. `ends`: epoch seconds, None where it says nothing. `text`: why it cannot be used, or not be known.
    """

    state: JwtState
    ends: float | None = None
    owner: tuple[str | None, str] | None = None
    mine: tuple[str, str] | None = None
    text: str = ""
    autos: bool = False
    """The config has wishes that are to be redeemed without asking."""


def jwt(seen: Jwt, now: float) -> Finding:
    """Whether items can be redeemed."""
    name, again = "jwt", "Copy it again, and give it to `allthepoints login streamelements`."
    match seen.state:
        case JwtState.MISSING if seen.autos:
            text = "There is none, so the wishes with auto = true are told and not redeemed."
            return warning(name, text, "`allthepoints login streamelements` tells how to get one.")
        case JwtState.MISSING:
            return ok(name, "There is none. Points need none; to redeem, `allthepoints login streamelements`.")
        case JwtState.EXPIRED:
            since = "" if seen.ends is None else f" on {day(seen.ends)}"
            return fault(name, f"The StreamElements JWT ended{since}: nothing can be redeemed.", again)
        case JwtState.MALFORMED:
            return fault(name, f"Nothing can be redeemed: {seen.text}.", again)
        case JwtState.REFUSED:
            return fault(name, "StreamElements does not take the JWT: nothing can be redeemed.", again)
        case JwtState.WRONG_ACCOUNT | JwtState.GOOD:
            return _jwt_owned(name, seen, now, again)


def _jwt_owned(name: str, seen: Jwt, now: float, again: str) -> Finding:
    until = "It does not say when it ends." if seen.ends is None else f"It ends on {day(seen.ends)}."
    if seen.owner is None:
        return warning(name, f"Whose it is could not be asked: {seen.text}. {until}", "Look again in a minute.")
    login = seen.owner[1]
    if seen.mine is not None and not _same(seen.owner, seen.mine):
        return fault(
            name,
            f"The JWT is {login}'s, but this data directory is {seen.mine[1]}'s: nothing is redeemed with it.",
            f"Log in at streamelements.com as {seen.mine[1]}, copy the JWT there, and give it to `allthepoints login "
            "streamelements`.",
        )
    if seen.ends is not None and seen.ends - now < JWT_ENDS_SOON:
        return warning(name, f"StreamElements takes it as {login}'s. It ends in {span(seen.ends - now)}.", again)
    return ok(name, f"StreamElements takes it as {login}'s. {until}")


def _same(owner: tuple[str | None, str], mine: tuple[str, str]) -> bool:
    return owner[0] == mine[0] if owner[0] else owner[1].lower() == mine[1].lower()


# -- the chat's welcome ------------------------------------------------------------------------------------------------
class ChatState(StrEnum):
    """What became of signing in to the chat."""

    WELCOMED = "welcomed"
    REFUSED = "refused"
    FAILED = "failed"
    LATE = "late"
    NOBODY = "nobody"
    """There is no token that would do."""
    BUSY = "busy"
    """Too many logins were made just now."""
    LEFT_TO_SERVICE = "left_to_service"


@dataclass(frozen=True, slots=True)
class Chat:
    """A real login, or why there was none. `connections`: of the running service, None where it has told none."""

    state: ChatState
    nick: str = ""
    seconds: float = 0.0
    text: str = ""
    connections: int | None = None
    logins: int = 0


def chat(seen: Chat, service: Running) -> Finding:
    """Whether the chat lets us in."""
    name = "chat.welcome"
    match seen.state:
        case ChatState.WELCOMED:
            return ok(name, f"The chat welcomed {seen.nick}, in {seen.seconds * 1000:.0f} ms. No room was entered.")
        case ChatState.REFUSED:
            return fault(name, f"The chat refuses the token: {seen.text}.", LOGIN)
        case ChatState.LATE:
            text = "The chat took the connection, and gave no welcome in time."
            return fault(name, text, "Look again in a minute. If it stays so, a firewall may read along.")
        case ChatState.FAILED:
            return fault(name, f"No welcome: {seen.text}.", "Look again in a minute: it may be an outage there.")
        case ChatState.NOBODY:
            return warning(name, "Not tried: there is no token that Twitch takes now.")
        case ChatState.BUSY:
            return warning(
                name,
                f"Not tried: {seen.logins} of the {LOGIN_LIMIT} logins that Twitch allows in 10 s were just used.",
                "Look again in 10 s.",
            )
        case ChatState.LEFT_TO_SERVICE:
            return _left(name, seen, service)


def _left(name: str, seen: Chat, service: Running) -> Finding:
    who = service.who[:1].upper() + service.who[1:]
    why = "No second login was made beside it (--chat makes one)."
    if not seen.connections:
        told = "has no connection to the chat now" if seen.connections == 0 else "has not told of its connections"
        return warning(name, f"{who} {told}. {why}", "`allthepoints status` tells what it waits for.")
    many = f"{seen.connections} connections" if seen.connections > 1 else "1 connection"
    return ok(name, f"{who} is in the chat, over {many}. {why}")
