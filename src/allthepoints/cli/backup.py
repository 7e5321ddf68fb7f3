"""`backup` and `restore`: what is remembered as one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from allthepoints.base.errors import AlreadyRunning, Declined, UsageError
from allthepoints.cli import output
from allthepoints.cli.confirm import confirmed, is_terminal
from allthepoints.cli.exits import Exit
from allthepoints.cli.here import here
from allthepoints.cli.options import AsJson
from allthepoints.config.paths import DataDir, prepare
from allthepoints.storage import lock
from allthepoints.views.plain import Field, Shape, time
from allthepoints.views.text import count, size, when

if TYPE_CHECKING:
    from allthepoints.storage.backup import Content

NO_TOKENS = (
    "It holds no tokens and no password: on another machine, run `allthepoints login` again. It does hold what you "
    "bought, access codes too."
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup's file.")]


def _of_content(name: str) -> Any:
    return lambda told: getattr(told.content, name)


_CONTENT = (
    Field("schema", "int", "The version of the database's schema.", _of_content("schema")),
    Field("account", "str|null", "The login of the account.", _of_content("account")),
    Field("channels", "int", "Channels that were ever seen.", _of_content("channels")),
    Field("events", "int", "Events.", _of_content("events")),
    Field("redemptions", "int", "Redemptions.", _of_content("redemptions")),
    Field("alive_at", "time|null", "The last sign of life of the service.", time(lambda told: told.content.alive_at)),
)

BACKUP: Shape[Any] = Shape(
    "A backup",
    "`backup FILE --json`",
    (
        Field("file", "str", "Where it is.", lambda made: str(made.path)),
        Field("bytes", "int", "Its size.", lambda made: made.size),
        *_CONTENT,
    ),
)

RESTORED: Shape[Any] = Shape(
    "A restored backup",
    "`restore FILE --json`",
    (
        Field("database", "str", "What was replaced.", lambda put: str(put.path)),
        Field("kept", "str|null", "The one from before.", lambda put: None if put.kept is None else str(put.kept)),
        Field("bytes", "int", "Its size.", lambda put: put.size),
        *_CONTENT,
        Field("auto_paused", "bool", "Whether automatic wishes wait to be allowed again.", lambda put: put.paused),
    ),
)


def backup(
    context: typer.Context,
    file: File,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an older backup of this name.")] = False,
    as_json: AsJson = False,
) -> None:
    """Copy everything that was recorded into one file, while the service runs or not. Tokens are not in it."""
    from allthepoints.storage.backup import back_up

    data = here(context).data
    made = back_up(data.database, file.expanduser().absolute(), _ours(data), force=force)
    output.note(NO_TOKENS)
    if as_json:
        output.say_json(BACKUP.of(made))
    else:
        output.say(f"{made.path}: {size(made.size)}, {_told(made.content)}.")


def restore(
    context: typer.Context,
    file: File,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, it is meant.")] = False,
    as_json: AsJson = False,
) -> int:
    """Put a backup in the place of what is recorded here, which is kept beside it. The service must not run."""
    from allthepoints.storage import backup as backups

    where, file = here(context), file.expanduser().absolute()
    content = backups.look_into(file)
    database = where.data.database
    _refuse_running(where.data)
    if not yes:
        if not is_terminal():
            raise UsageError("nobody can be asked here, and nothing is replaced unasked", "Add --yes if it is meant.")
        last = "" if content.alive_at is None else f", last written {when(content.alive_at, where.now())}"
        output.note(f"{file}: {_told(content)}{last}.")
        there = f"in the place of {database}, which is kept" if database.exists() else f"at {database}"
        if not confirmed(f"Put it {there}?"):
            output.note("Nothing was changed.")
            return Exit.REFUSED
    with _held(prepare(where.data)):
        put = backups.restore(file, database, where.now())
    if as_json:
        output.say_json(RESTORED.of(put))
    else:
        output.say(f"{database} is the backup now: {_told(put.content)}.")
        if put.kept is not None:
            output.say(f"The one from before is kept as {put.kept}.")
    if put.paused:
        output.note("Automatic wishes wait until you allow them again: allthepoints wish allow")
    return Exit.OK


def _ours(data: DataDir) -> tuple[Path, ...]:
    return (data.database, data.tokens, data.jwt, data.password, data.lock, data.log)


def _told(content: Content) -> str:
    parts = [f"schema {content.schema}", count(content.channels, "channel"), count(content.events, "event")]
    if content.redemptions:
        parts.append(count(content.redemptions, "redemption"))
    if content.account:
        parts.append(f"of {content.account}")
    return ", ".join(parts)


def _refuse_running(data: DataDir) -> None:
    """Before anybody is asked. The lock is what counts, and is taken after."""
    pid = lock.holder(data.lock)
    if pid is not None:
        raise _running(data, pid)


def _running(data: DataDir, pid: int | None) -> Declined:
    who = f"process {pid}" if pid else "another process"
    return Declined(
        f"allthepoints runs on {data.path} ({who}); nothing was changed", "Stop it first, and start it again after."
    )


def _held(data: DataDir) -> lock.Lock:
    try:
        return lock.acquire(data.lock)
    except AlreadyRunning as error:
        raise _running(data, error.pid) from None
