"""`config import`: what another program's file says, taken into the config, and told line by line."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allthepoints.base.errors import UsageError
from allthepoints.cli import output
from allthepoints.cli.here import Here, here
from allthepoints.cli.options import AsJson
from allthepoints.storage import lock
from allthepoints.views.plain import Field, Shape, one_of, same
from allthepoints.views.text import count

if TYPE_CHECKING:
    from allthepoints.config.foreign import Remark
    from allthepoints.config.importing import Import

OUTCOMES = {
    "taken": "taken",
    "kept": "nothing new",
    "not_needed": "no longer needed",
    "not_taken": "not taken",
    "ignored": "ignored",
}

STDIN = "-"

IMPORT_LINE: Shape[Remark] = Shape(
    "A line of an import",
    "`config import FILE --json`: `lines`",
    (
        same("line", "int", "Which line of the file."),
        same("what", "str", "What stands there; never a secret."),
        same("outcome", one_of(OUTCOMES), "What became of it."),
        same("text", "str", "The same in words, and why."),
    ),
)


@dataclass(frozen=True, slots=True)
class Imported:
    """An import that is carried out (`written`), or was tried only. `name`: the file as the person named it."""

    plan: Import
    name: str
    path: Path
    written: bool
    dry_run: bool


IMPORTED: Shape[Imported] = Shape(
    "An import",
    "`config import FILE --json`",
    (
        Field("file", "str", "The file that was read.", lambda it: it.name),
        Field("config", "str", "The config file.", lambda it: str(it.path)),
        same("dry_run", "bool", "It was tried only."),
        same("written", "bool", "Whether the config file was changed."),
        Field("added", "list of str", "Logins that are wanted now.", lambda it: list(it.plan.added)),
        Field(
            "lines",
            "list",
            "[Line by line](#a-line-of-an-import).",
            lambda it: [IMPORT_LINE.of(remark) for remark in it.plan.remarks],
        ),
        Field(
            "result",
            "str|null",
            "With `--dry-run`: the whole file where it is new, else the lines that go (`-`) and come (`+`).",
            lambda it: it.plan.result if it.dry_run else None,
        ),
    ),
)


def import_file(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file; - reads standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what it would come to, and write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take over another program's file: a bot's config.json, or a list of channels. What the config has already stays.

    A list has one name a line, or commas between them: logins, #names or addresses of channels. Secrets are never
    taken, and never shown.
    """
    from allthepoints.config.foreign import read_foreign
    from allthepoints.config.importing import carried_out, prepared

    where = here(context)
    path = where.config.path
    name = "standard input" if file == STDIN else file
    plan = prepared(read_foreign(_read(file), name), path)
    written = not dry_run and carried_out(plan, path)
    if as_json:
        output.say_json(IMPORTED.of(Imported(plan, name, path, written, dry_run)))
    else:
        _say(plan, name, path, written, dry_run)
    _tell_what_next(where, plan, written)


def _read(file: str) -> bytes:
    from allthepoints.config.foreign import MOST_BYTES

    if file == STDIN:
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    try:
        with Path(file).expanduser().open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"{file}: there is no such file") from None
    except IsADirectoryError:
        raise UsageError(f"{file}: this is a folder, where a file is expected") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _say(plan: Import, name: str, path: Path, written: bool, dry_run: bool) -> None:
    for remark in plan.remarks:
        output.say(f"{name}:{remark.line}: {remark.what}: {OUTCOMES[remark.outcome]}: {remark.text}.")
    output.say()
    if written:
        output.say(f"{path}: {'written' if plan.new_file else 'changed'}{_more(plan)}.")
    elif dry_run and plan.changes:
        output.say(f"Nothing was written. {path} would {'say' if plan.new_file else 'change so'}:")
        output.say()
        output.say(plan.result.rstrip())
    else:
        output.say(f"{path}: nothing to change.")


def _more(plan: Import) -> str:
    return f", with {count(len(plan.added), 'channel')} more" if plan.added else ""


def _tell_what_next(where: Here, plan: Import, written: bool) -> None:
    if plan.client_id_missing:
        output.note(
            "The config names no client id yet: register an app of your own at https://dev.twitch.tv/console/apps "
            "(client type Public), and put its id under [twitch]."
        )
    if plan.added and plan.followed:
        output.note(
            "Channels that you follow are wanted too. To have these alone, set followed = false under [channels]."
        )
    if written and lock.holder(where.data.lock) is not None:
        output.note("The running service takes it up by itself.")
