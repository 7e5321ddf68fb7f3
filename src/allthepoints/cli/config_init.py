"""`config init`: three questions, and a config with comments."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from allthepoints.base.errors import ConfigError, UsageError
from allthepoints.base.types import Login
from allthepoints.cli import output
from allthepoints.cli.confirm import answer, is_terminal
from allthepoints.cli.here import here
from allthepoints.cli.options import AsJson
from allthepoints.views.plain import Field, Shape

APP = """1 of 3. Twitch wants every program to be registered. Once, in your browser:
  https://dev.twitch.tv/console/apps, "Register Your Application"
  any name; redirect address http://localhost:3000; client type Public.
Its page then shows the Client ID (no secret is needed)."""

CHANNELS = """2 of 3. Whose chats? Enter: everybody that you follow.
Or names, with commas between them: these alone."""

DASHBOARD = """3 of 3. The dashboard, a page for your browser. Enter: for this machine alone, at {default}.
Or another HOST:PORT (then it needs a password), or "off"."""

OFF = "off"
TRIES = 5

T = TypeVar("T")

WRITTEN: Shape[Path] = Shape(
    "A new config",
    "`config init --json`",
    (
        Field("config", "str", "The config file.", str),
        Field("written", "true", "A config that was there is an error.", lambda _: True),
    ),
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whose chats: of all that are followed, or of these alone."""

    followed: bool
    include: tuple[Login, ...]


def init(
    context: typer.Context,
    client_id: Annotated[str | None, typer.Option("--client-id", help="The client id of your own app.")] = None,
    channels: Annotated[
        str | None,
        typer.Option("--channels", metavar="NAMES", help="These alone, commas between them; else all that you follow."),
    ] = None,
    dashboard: Annotated[
        str | None, typer.Option("--dashboard", metavar="HOST:PORT", help='Where the dashboard listens, or "off".')
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a first config, with comments. It asks three questions; what an option says is not asked.

    Without a terminal --client-id must be given, and the other two may be. A config that is there is never replaced.
    """
    from allthepoints.config.starter import starter

    path = here(context).config.path
    _refuse_to_replace(path)
    asks = is_terminal() and not as_json
    if client_id is None and not asks:
        raise UsageError(
            "nobody can be asked here for the client id",
            "Give it: allthepoints config init --client-id ID [--channels a,b] [--dashboard HOST:PORT]",
        )
    app = _settled(client_id, APP, "Client ID:", asks, client_id_of)
    chosen = _settled(channels, CHANNELS, "Channels [all I follow]:", asks, chosen_of)
    default = listen_of("")
    listen = _settled(dashboard, DASHBOARD.format(default=default), f"Dashboard [{default}]:", asks, listen_of)
    _write(path, starter(app, chosen.followed, chosen.include, listen))
    if as_json:
        output.say_json(WRITTEN.of(path))
    else:
        output.say(f"{path}: written.")
    _tell_what_next(app, listen)


# -- answers -------------------------------------------------------------------------------------------------------
def client_id_of(text: str) -> str:
    """A client id; "" leaves it open. Raises UsageError."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,64}", text.strip()):
        raise UsageError("a client id has only letters and digits", "Copy it from the page of your app.")
    return text.strip()


def chosen_of(text: str) -> Chosen:
    """Whose chats are wanted. Raises UsageError."""
    from allthepoints.config.kinds import Bad, login

    try:
        names = dict.fromkeys(Login(login(part)) for part in re.split(r"[,\s]+", text.strip()) if part)
    except Bad as bad:
        raise UsageError(bad.text, "Give logins: the names in the addresses of the channels.") from None
    return Chosen(not names, tuple(names))


def listen_of(text: str) -> str:
    """Where the dashboard listens. Raises UsageError."""
    from allthepoints.base.addresses import BadAddress, check_listen
    from allthepoints.config.settings import Dashboard

    if text.strip().lower() == OFF:
        return ""
    try:
        return check_listen(text.strip()) or Dashboard().listen
    except BadAddress as error:
        raise UsageError(f"the dashboard cannot listen there: {error}", 'Such as 127.0.0.1:7771, or "off".') from None


def _settled(given: str | None, intro: str, question: str, asks: bool, read: Callable[[str], T]) -> T:
    """What an option says, else what the person answers, who gets some tries; else what nothing means."""
    if given is not None or not asks:
        return read(given or "")
    output.note(intro)
    for left in reversed(range(TRIES)):
        try:
            return read(answer(question))
        except UsageError as error:
            if not left:
                raise
            output.note(f"{error}. {error.hint}")
    raise AssertionError("the last try raises or answers")


# -- the file ------------------------------------------------------------------------------------------------------
def _refuse_to_replace(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise UsageError(
            f"{path} is there already, and is not replaced",
            "Edit it; or `allthepoints channels add NAME`, `allthepoints config import FILE`. For a new one rename it.",
        )


def _write(path: Path, text: str) -> None:
    from allthepoints.base.files import write_atomically
    from allthepoints.config.load import parse

    parse(text, str(path))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}", "Choose another --config.") from error


def _tell_what_next(client_id: str, listen: str) -> None:
    from allthepoints.base.addresses import is_loopback

    output.note("")
    if not client_id:
        output.note("Put the client id under [twitch] when you have it.")
    if listen and not is_loopback(listen.rpartition(":")[0].strip("[]")):
        output.note("The dashboard needs a password there: `allthepoints dashboard password`.")
    output.note("Next: `allthepoints login`, then `allthepoints run`.")
