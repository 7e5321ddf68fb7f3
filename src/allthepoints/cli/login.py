"""`login` and `logout`. At Twitch by device code: that needs no terminal, only a browser somewhere.

At StreamElements by the JWT that the person copies there (`cli.jwt`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from allthepoints.base.clock import Clock, SystemClock
from allthepoints.base.errors import UsageError
from allthepoints.cli import output
from allthepoints.cli.fresh import tell
from allthepoints.cli.here import Here, here
from allthepoints.cli.options import AsJson
from allthepoints.ports import FOLLOWS_SCOPE
from allthepoints.views.plain import Field, Shape, same, time
from allthepoints.views.text import duration, local

if TYPE_CHECKING:
    from allthepoints.config.settings import Settings
    from allthepoints.ports import SignIn
    from allthepoints.twitch.oauth import DeviceCode
    from allthepoints.wiring import Given

REGISTER = """To register an app of your own (once, free):
  1. Open https://dev.twitch.tv/console/apps (your account needs two-factor sign-in).
  2. Register an application: any name, redirect address http://localhost:3000,
     category Application Integration, client type Public.
  3. Copy its Client ID into {path}:

     [twitch]
     client_id = "the id you copied"
"""

CONNECTIONS = "https://www.twitch.tv/settings/connections"

CODE: Shape[tuple[DeviceCode, float]] = Shape(
    "A code to confirm",
    "`login --json`: the first line",
    (
        Field("verification_uri", "str", "The page to open.", lambda shown: shown[0].verification_uri),
        Field("user_code", "str", "The code to confirm there.", lambda shown: shown[0].user_code),
        Field("expires_in", "float", "How long it is good.", lambda shown: shown[0].expires_in),
        Field("expires_at", "time", "Until when it is good.", time(lambda shown: shown[1])),
    ),
)

SIGNED_IN: Shape[SignIn] = Shape(
    "A sign-in at Twitch",
    "`login --json`: the last line",
    (
        Field("login", "str", "As whom.", lambda signed_in: signed_in.account.login),
        Field("user_id", "str", "Twitch's id.", lambda signed_in: signed_in.account.user_id),
        Field("scopes", "list of str", "What it is good for.", lambda signed_in: sorted(signed_in.scopes)),
        Field("expires_at", "time|null", "When it has to be renewed.", time(lambda signed_in: signed_in.expires_at)),
    ),
)


@dataclass(frozen=True, slots=True)
class SignedOut:
    """How a sign-out ended. `revoked`: Twitch was told, and said yes."""

    signed_out: bool
    revoked: bool


SIGNED_OUT: Shape[SignedOut] = Shape(
    "A sign-out at Twitch",
    "`logout --json`",
    (
        same("signed_out", "bool", "Whether there was a sign-in to forget."),
        same("revoked", "bool", "Whether Twitch made it worthless."),
    ),
)


class Site(StrEnum):
    """Where to sign in."""

    TWITCH = "twitch"
    STREAMELEMENTS = "streamelements"


def login(
    context: typer.Context,
    site: Annotated[Site, typer.Argument(help="Where to sign in.")] = Site.TWITCH,
    switch: Annotated[bool, typer.Option("--switch", help="Allow another account than the stored one.")] = False,
    as_json: AsJson = False,
) -> None:
    """Sign in. At Twitch: confirm a code in your browser. At StreamElements: give the JWT that you copied there.

    The old sign-in stays until the new one is good.
    """
    where = here(context)
    if site is Site.STREAMELEMENTS:
        from allthepoints.cli import jwt

        jwt.sign_in(where, as_json)
        return
    settings = where.load().settings
    if not settings.twitch.client_id:
        raise UsageError("there is no client id in the config", REGISTER.format(path=where.config.path))
    asyncio.run(sign_in(where, settings, SystemClock(), switch=switch, as_json=as_json))
    tell(where, "sign_in")


def logout(
    context: typer.Context,
    site: Annotated[Site, typer.Argument(help="Where to sign out.")] = Site.TWITCH,
    as_json: AsJson = False,
) -> None:
    """Sign out. At Twitch: revoke the sign-in, and forget it here. At StreamElements: forget the JWT here."""
    where = here(context)
    if site is Site.STREAMELEMENTS:
        from allthepoints.cli import jwt

        jwt.sign_out(where, as_json)
        return
    if not where.data.tokens.exists():
        _say_logout(as_json, signed_out=False, revoked=False)
        return
    revoked = asyncio.run(sign_out(where, where.load().settings, SystemClock()))
    tell(where, "sign_in")
    _say_logout(as_json, signed_out=True, revoked=revoked)


async def sign_in(where: Here, settings: Settings, clock: Clock, *, switch: bool, as_json: bool) -> None:
    """Show a code, wait until it is confirmed, and keep the sign-in once it is good.

    Raises SignInNeeded, OutsideError, FaultError.
    """
    from allthepoints.config.paths import prepare
    from allthepoints.twitch.oauth import sign_in_by_device
    from allthepoints.wiring import signing_in

    data = prepare(where.data)
    async with signing_in(settings, _given(), data, clock) as (oauth, keeper):
        grant = await sign_in_by_device(oauth, clock, _shower(clock, as_json))
        signed_in = await keeper.adopt(grant, switch=switch)
    _say_login(signed_in, settings, as_json)


async def sign_out(where: Here, settings: Settings, clock: Clock) -> bool:
    """Revoke and forget. False: it is forgotten here, but Twitch could not be told."""
    from allthepoints.wiring import Given, signing_in

    # Without the environment's tokens: those are not ours to revoke, and would be back at the next start.
    async with signing_in(settings, Given(), where.data, clock) as (_, keeper):
        return await keeper.sign_out()


def _given() -> Given:
    from allthepoints.config.environment import read_environment
    from allthepoints.wiring import Given

    return Given.by(read_environment(os.environ))


def _shower(clock: Clock, as_json: bool) -> Callable[[DeviceCode], None]:
    def show(code: DeviceCode) -> None:
        ends = clock.now() + code.expires_in
        if as_json:
            output.say_json(CODE.of((code, ends)))
        else:
            output.say(f"Open {code.verification_uri}")
            output.say(f"and confirm the code {code.user_code}")
            output.say(f"The code is good for {duration(code.expires_in)}, until {local(ends):%H:%M}.")
        output.flush()
        output.note("Waiting for you. Ctrl-C stops; a sign-in that you have stays as it is.")

    return show


def _say_login(signed_in: SignIn, settings: Settings, as_json: bool) -> None:
    if as_json:
        output.say_json(SIGNED_IN.of(signed_in))
    else:
        output.say(f"You are signed in as {signed_in.account.login}.")
    if settings.channels.followed and FOLLOWS_SCOPE not in signed_in.scopes:
        output.warn(f"the sign-in lacks the scope {FOLLOWS_SCOPE}, so whom you follow cannot be read")


def _say_logout(as_json: bool, *, signed_out: bool, revoked: bool) -> None:
    if as_json:
        output.say_json(SIGNED_OUT.of(SignedOut(signed_out, revoked)))
    elif not signed_out:
        output.say("You were not signed in.")
    elif revoked:
        output.say("You are signed out: the sign-in is revoked and forgotten.")
    else:
        output.say("You are signed out here.")
    if signed_out and not revoked:
        output.warn(f"Twitch could not be told. To make the old sign-in worthless, disconnect the app at {CONNECTIONS}")
    if os.environ.get("ALLTHEPOINTS_TWITCH_TOKEN"):
        output.warn("ALLTHEPOINTS_TWITCH_TOKEN is still set, and will be used")
