"""`channels`: who is meant, where each stands, and changing that in the config file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from allthepoints.base.types import Login, UserId
from allthepoints.cli import output
from allthepoints.cli import priority as order
from allthepoints.cli.here import Here, here, login_of
from allthepoints.cli.options import AsJson
from allthepoints.cli.status import read_report
from allthepoints.ports import ChannelRow
from allthepoints.storage import lock
from allthepoints.storage.read import KnownChannel, Reader
from allthepoints.views.channels import in_order
from allthepoints.views.columns import Column, table
from allthepoints.views.plain import CHANNEL, Field, Shape, same, time
from allthepoints.views.text import clock_time, name, standing
from allthepoints.views.words import PLACE, told

if TYPE_CHECKING:
    from pathlib import Path

    from allthepoints.config.edit import Change
    from allthepoints.config.settings import Channels

Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="Logins, or addresses of channels.")]

app = typer.Typer(rich_markup_mode=None, no_args_is_help=False, invoke_without_command=True)


@dataclass(frozen=True, slots=True)
class Meant:
    """A channel, and why it is meant or not."""

    row: ChannelRow
    followed: bool
    included: bool
    excluded: bool
    paused: bool

    @property
    def how(self) -> str:
        words = [word for word in ("excluded", "paused", "included", "followed") if getattr(self, word)]
        return ", ".join(words)


def _of_row(field: Field[ChannelRow]) -> Field[Meant]:
    """A field of the contract. An id that was never seen is none."""
    if field.name == "id":
        return Field("id", "str|null", f"{field.text} `null`: not known yet.", lambda meant: meant.row.id or None)
    return Field(field.name, field.kind, field.text, lambda meant: field.of(meant.row))


MEANT: Shape[Meant] = Shape(
    "A channel of yours",
    "`channels --json`, `channels list --json`: a list",
    (
        *map(_of_row, CHANNEL.fields),
        Field("display", "str", "The name as the channel writes it.", lambda meant: meant.row.display),
        Field("title", "str|null", "What the stream is called.", lambda meant: meant.row.title),
        Field("live_since", "time|null", "When the stream began.", time(lambda meant: meant.row.live_since)),
        Field(
            "place",
            "int|null",
            "Its place in the order for rooms, from 0 on; `null`: it wants none.",
            lambda meant: meant.row.place,
        ),
        same("followed", "bool", "You follow it."),
        same("included", "bool", "It is in the include list."),
        same("excluded", "bool", "It is in the exclude list."),
        same("paused", "bool", "It is paused."),
    ),
)

LIST_CHANGE: Shape[Change] = Shape(
    "A change of a list",
    "`channels add|remove|pause|resume NAME... --json`: `changed`",
    (
        Field("list", '"include|exclude|paused"', "Which list of the config.", lambda change: change.key),
        same("login", "str", "Which channel."),
        same("present", "bool", "Whether it is in the list now."),
    ),
)

LISTS_CHANGED: Shape[tuple[Path, Sequence[Change]]] = Shape(
    "Changed channels",
    "`channels add|remove|pause|resume NAME... --json`",
    (
        Field("config", "str", "The config file.", lambda made: str(made[0])),
        Field(
            "changed",
            "list",
            "[What was changed](#a-change-of-a-list); empty where all was so already.",
            lambda made: [LIST_CHANGE.of(change) for change in made[1]],
        ),
    ),
)


@app.callback()
def channels(context: typer.Context, as_json: AsJson = False) -> None:
    """Your channels, and where you stand with each: all that you follow, and those that the config names."""
    if context.invoked_subcommand is None:
        _list(here(context), as_json)


@app.command("list")
def list_channels(context: typer.Context, as_json: AsJson = False) -> None:
    """The same, by name."""
    _list(here(context), as_json)


@app.command()
def add(context: typer.Context, names: Names, as_json: AsJson = False) -> None:
    """Be in these channels' chats too, whether you follow them or not (the include list of the config)."""
    _change(here(context), names, as_json, _adding, "is meant now", "was meant already")


@app.command()
def remove(context: typer.Context, names: Names, as_json: AsJson = False) -> None:
    """Take these channels out of the include list. Those that you follow stay; to keep out of them: `pause`."""
    where = here(context)
    _change(where, names, as_json, _removing, "is not in your include list any more", "was not in your include list")
    _tell_followed(where, [login_of(text) for text in names])


@app.command()
def pause(context: typer.Context, names: Names, as_json: AsJson = False) -> None:
    """Stay out of these channels' chats until `resume`."""
    _change(here(context), names, as_json, _pausing, "is paused", "was paused already")


@app.command()
def resume(context: typer.Context, names: Names, as_json: AsJson = False) -> None:
    """End a pause, and ask a chat again that was closed to you (a ban, for instance)."""
    where = here(context)
    _change(where, names, as_json, _resuming, "is not paused any more", "was not paused")
    _ask_again(where, [login_of(text) for text in names])


app.command()(order.priority)


def _list(where: Here, as_json: bool) -> None:
    found = _meant(where)
    if as_json:
        output.say_json([MEANT.of(channel) for channel in found])
        return
    if not found:
        output.say("No channel yet.")
        output.say()
        output.say("Followed channels appear once `allthepoints run` has read them; `allthepoints channels add NAME`")
        output.say("means others too.")
        return
    now = where.now()
    ascii_only = output.ascii_only()
    columns = (
        Column("state", keep=5),
        Column("channel", keep=4, flexible=True),
        Column("since", keep=1),
        Column("meant", keep=3),
        Column("reason", keep=2, flexible=True),
    )
    for line in table(columns, [_cells(channel, now, ascii_only) for channel in found], output.width()):
        output.say(line)


def _meant(where: Here) -> list[Meant]:
    """Everything followed or named, each once: by its id where that is known."""
    settings = where.load().settings.channels
    reader = Reader(where.data.database)
    rows = {row.id: row for row in read_report(where).rows}
    known = {channel.id: channel for channel in reader.channels()}
    for channel in known.values():
        if channel.followed is not None and settings.followed and channel.id not in rows:
            rows[channel.id] = _unseen(channel.login, channel)
    ids = {login: channel.id for channel in known.values() for login in channel.logins}
    for login in dict.fromkeys((*settings.include, *settings.exclude, *settings.paused)):
        key = ids.get(login, UserId(f"#{login}"))
        if key not in rows:
            rows[key] = _unseen(login, known.get(key))
    return [_weighed(row, known.get(row.id), settings) for row in in_order(rows.values())]


def _unseen(login: Login, channel: KnownChannel | None) -> ChannelRow:
    if channel is None:
        return ChannelRow(UserId(""), login, login, None, "absent")
    return ChannelRow(channel.id, channel.login, channel.display, None, "absent")


def _weighed(row: ChannelRow, known: KnownChannel | None, settings: Channels) -> Meant:
    logins = {row.login, *(known.logins if known else ())}
    return Meant(
        row,
        followed=known is not None and known.followed is not None,
        included=bool(logins.intersection(settings.include)),
        excluded=bool(logins.intersection(settings.exclude)),
        paused=bool(logins.intersection(settings.paused)),
    )


def _cells(channel: Meant, now: float, ascii_only: bool) -> tuple[str, ...]:
    row = channel.row
    return (
        standing(row.state, row.live).shown(ascii_only),
        name(row.display, row.login),
        clock_time(row.since, now),
        channel.how,
        told(PLACE, row.reason) if row.reason else "",
    )


# -- changing ------------------------------------------------------------------------------------------------------
def _change(
    where: Here,
    names: Sequence[str],
    as_json: bool,
    changes_for: Callable[[Login], list[Change]],
    done: str,
    already: str,
) -> None:
    """Edit the config for all `names`, or, if one of them cannot be a channel, for none."""
    from allthepoints.config.edit import edit

    logins = list(dict.fromkeys(login_of(text) for text in names))
    path = where.config.path
    made = edit(path, [change for login in logins for change in changes_for(login)])
    if as_json:
        output.say_json(LISTS_CHANGED.of((path, made)))
        return
    touched = {change.login for change in made}
    for login in logins:
        output.say(f"{login} {done if login in touched else already}.")
    if made and lock.holder(where.data.lock) is not None:
        output.note("The running service takes it up by itself.")


def _adding(login: Login) -> list[Change]:
    from allthepoints.config.edit import Change

    return [Change("include", login), Change("exclude", login, present=False), Change("paused", login, present=False)]


def _removing(login: Login) -> list[Change]:
    from allthepoints.config.edit import Change

    return [Change("include", login, present=False)]


def _pausing(login: Login) -> list[Change]:
    from allthepoints.config.edit import Change

    return [Change("paused", login)]


def _resuming(login: Login) -> list[Change]:
    from allthepoints.config.edit import Change

    return [Change("paused", login, present=False)]


def _tell_followed(where: Here, logins: Sequence[Login]) -> None:
    followed = {channel.login for channel in Reader(where.data.database).channels() if channel.followed is not None}
    for login in logins:
        if login in followed:
            output.note(f"{login} is followed, and so still meant. To stay out: `allthepoints channels pause {login}`.")


def _ask_again(where: Here, logins: Sequence[Login]) -> None:
    """A running service clears a refusal at once, another one when it starts."""
    from allthepoints.storage.ask import ask

    data = where.data
    refused = {refusal.login for refusal in Reader(data.database).refusals()}
    for login in logins:
        if login in refused:
            ask(data.database, "retry", login, where.now())
            output.note(f"{login}'s chat was closed to you; it is asked again.")
