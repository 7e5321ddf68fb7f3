"""`login streamelements`: the JWT that the person copies at StreamElements, checked before it is kept."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from typing import TYPE_CHECKING

from allthepoints.base.clock import SystemClock
from allthepoints.base.errors import SignInNeeded, Unauthorised, UsageError
from allthepoints.base.secret import Secret
from allthepoints.cli import output
from allthepoints.cli.confirm import is_terminal
from allthepoints.cli.fresh import tell
from allthepoints.cli.here import Here
from allthepoints.ports import JwtUnusable
from allthepoints.storage.read import Reader
from allthepoints.views.plain import Field, Shape, time
from allthepoints.views.text import count, local, when

if TYPE_CHECKING:
    from allthepoints.core.loyalty import Viewer

PAGE = "https://streamelements.com/dashboard/account/channels"

ENVIRONMENT = "ALLTHEPOINTS_STREAMELEMENTS_JWT"

HOW = f"""To redeem, StreamElements wants your own JWT. Points need none. It is found so:
  1. Log in at https://streamelements.com with Twitch, as the account that sits in the chats.
  2. Your picture (top right), your channel's name, Channels; or at once: {PAGE}
  3. Turn on `Show secrets`, and copy the JWT token.
It is like a password: it goes to StreamElements and into a file that only you can read, nowhere else."""

JWT_KEPT: Shape[tuple[Viewer, float | None]] = Shape(
    "A sign-in at StreamElements",
    "`login streamelements --json`",
    (
        Field("login", "str", "As whom.", lambda kept: kept[0].login),
        Field("user_id", "str|null", "Twitch's id, where that account has one.", lambda kept: kept[0].user_id),
        Field("expires_at", "time|null", "When the JWT ends; `null`: it does not say.", time(lambda kept: kept[1])),
    ),
)

JWT_FORGOTTEN: Shape[bool] = Shape(
    "A sign-out at StreamElements",
    "`logout streamelements --json`",
    (Field("signed_out", "bool", "Whether there was a JWT to forget.", lambda there: there),),
)


def sign_in(where: Here, as_json: bool) -> None:
    """Take the JWT, ask StreamElements whose it is, and keep it if it is yours.

    Raises UsageError, SignInNeeded, OutsideError, FaultError.
    """
    from allthepoints.config.paths import prepare
    from allthepoints.wiring import jwt_store

    jwt = _given()
    try:
        viewer, expires_at = asyncio.run(_whose(where, jwt))
    except Unauthorised as error:
        raise SignInNeeded("StreamElements does not take this JWT", f"Copy it again at {PAGE}.") from error
    except JwtUnusable as error:
        raise SignInNeeded(_unusable(error, where), f"Copy it again at {PAGE}.") from None
    _see_that_it_is_yours(where, viewer)
    jwt_store(prepare(where.data)).save(jwt)
    tell(where, "jwt")
    _say(where, viewer, expires_at, as_json)


def sign_out(where: Here, as_json: bool) -> None:
    """Forget the JWT here. StreamElements has no way to revoke it."""
    from allthepoints.wiring import jwt_store

    there = where.data.jwt.exists()
    if there:
        jwt_store(where.data).forget()
    if as_json:
        output.say_json(JWT_FORGOTTEN.of(there))
    else:
        output.say(
            "The StreamElements JWT is forgotten here." if there else "You were not signed in to StreamElements."
        )
    if there:
        output.note(f"It stays good until its end. To make it worthless at once, renew it at {PAGE}")
    _warn_of_environment("will be used")


async def _whose(where: Here, jwt: Secret) -> tuple[Viewer, float | None]:
    from allthepoints.wiring import trying_jwt

    async with trying_jwt(where.load().settings, jwt, SystemClock()) as store:
        expires_at = store.expires_at()
        return await store.me(), expires_at


def _given() -> Secret:
    """What is typed without an echo, or piped in."""
    if is_terminal():
        output.note(HOW)
        text = getpass.getpass("JWT (it is not shown): ", sys.stderr)
    else:
        text = sys.stdin.readline() if sys.stdin is not None else ""
    if not text.strip():
        raise UsageError("no JWT was given", HOW)
    return Secret(text.strip())


def _unusable(error: JwtUnusable, where: Here) -> str:
    if error.expires_at is None:
        return str(error)
    return f"this JWT ended {when(error.expires_at, where.now())}"


def _see_that_it_is_yours(where: Here, viewer: Viewer) -> None:
    """It must be of the account whose chats these are: points are that account's."""
    account = Reader(where.data.database).status().account
    if account is None:
        return
    same = viewer.user_id == account.get("user_id") if viewer.user_id else viewer.login.lower() == account.get("login")
    if not same:
        raise SignInNeeded(
            f"this JWT is {viewer.login}'s, but this service runs for {account.get('login')}",
            f"Log in at https://streamelements.com as {account.get('login')} and copy the JWT there; where several "
            "accounts are linked, switch to the one of Twitch first.",
        )


def _say(where: Here, viewer: Viewer, expires_at: float | None, as_json: bool) -> None:
    if as_json:
        output.say_json(JWT_KEPT.of((viewer, expires_at)))
    else:
        output.say(f"You are signed in to StreamElements as {viewer.login}.")
        if expires_at is None:
            output.say("The JWT does not say when it ends.")
        else:
            days = int((expires_at - where.now()) // 86_400)
            ends = f"{local(expires_at):%Y-%m-%d}, in {count(days, 'day')}"
            output.say(f"The JWT ends on {ends}; you are told 7 days and 1 day before.")
    _warn_of_environment("wins over this one")


def _warn_of_environment(what: str) -> None:
    if os.environ.get(ENVIRONMENT, "").strip():
        output.warn(f"{ENVIRONMENT} is set, and {what}")
