"""`support-bundle`: what somebody who helps needs to see, as one file without secrets."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from allthepoints.base.errors import FaultError, UsageError
from allthepoints.cli import output
from allthepoints.cli.here import Here, here
from allthepoints.cli.options import AsJson
from allthepoints.views.plain import Field, Shape

if TYPE_CHECKING:
    from allthepoints.base.types import JSON
    from allthepoints.config.paths import DataDir

NAME = "allthepoints-support.zip"

LOOK = "Look through it before you give it to anybody."

PART: Shape[Any] = Shape(
    "A part of a support bundle",
    "`support-bundle --json`, in `parts`",
    (
        Field("name", "str", "Its name in the zip.", lambda part: part.name),
        Field("bytes", "int", "Its size.", lambda part: len(part.data)),
        Field("sha256", "str", "Its SHA-256.", lambda part: part.sha256),
        Field("problem", "str|null", "Why it is not what it should be.", lambda part: part.problem or None),
    ),
)

BUNDLE: Shape[Any] = Shape(
    "A support bundle",
    "`support-bundle --json`",
    (
        Field("file", "str", "Where it is.", lambda made: str(made[0])),
        Field("parts", "list", "Each part.", lambda made: [PART.of(part) for part in made[1]]),
    ),
)


def support_bundle(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="[FILE]", help="The zip to write.")] = Path(NAME),
    with_names: Annotated[
        bool, typer.Option("--with-names", help="Leave the names of the account and of channels in it.")
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Without what `doctor` finds: it asks the configured servers.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an older file of this name.")] = False,
    as_json: AsJson = False,
) -> None:
    """Gather what helps to find out what is wrong, in one zip without secrets; lists what is in it.

    In it: versions, the config, the state, what `doctor` finds, events, the ends of the logs, the shape of the
    database, and which files there are. Tokens, addresses of notifications and codes are cut out, and names replaced.
    """
    from allthepoints.config.paths import data_dir
    from allthepoints.operation.bundle import Asked, collect, manifest, zipped

    where, file = here(context), file.expanduser().absolute()
    if file.exists() and not force:
        raise UsageError(f"{file} exists already", "Name another file, or add --force.")
    data = data_dir(where.data_flag, os.environ)  # also where it is a file: the bundle tells
    checkup = None if offline else _checkup(where, data)
    parts = collect(Asked(where.config, data, os.environ, checkup, with_names))
    _write(file, zipped(parts))
    if as_json:
        output.say_json(BUNDLE.of((file, parts)))
    else:
        for line in manifest(parts):
            output.say(line)
    output.note(f"{file} is written. {LOOK}")


def _checkup(where: Here, data: DataDir) -> JSON:
    """What the doctor finds; that he failed is something found too."""
    from allthepoints.base.clock import SystemClock
    from allthepoints.config.environment import read_environment
    from allthepoints.operation.doctor import PATIENCE, examine
    from allthepoints.views.checkup import CHECKUP

    if output.width() is not None:
        output.note(f"Looking; it takes at most {PATIENCE.whole + PATIENCE.files:.0f} s.")
    try:
        return CHECKUP.of(asyncio.run(examine(where.config, data, read_environment(os.environ), SystemClock())))
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def _write(file: Path, data: bytes) -> None:
    from allthepoints.base.files import write_atomically

    try:
        write_atomically(file, data)
    except OSError as error:
        raise FaultError(f"{file} cannot be written: {error.strerror}", "Name another file.") from error
