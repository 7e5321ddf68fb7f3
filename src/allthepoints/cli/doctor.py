"""`doctor`: looks whether everything that the service needs is as it should be, and says what to do."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from allthepoints.cli import output
from allthepoints.cli.exits import Exit
from allthepoints.cli.here import here
from allthepoints.cli.options import AsJson


def doctor(
    context: typer.Context,
    chat: Annotated[
        bool,
        typer.Option("--chat", help="Sign in to the chat also while the service runs."),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Look whether all is well: config, files, network, TLS, clock, sign-ins, chat. Exit code 1 if there is a fault.

    It asks the configured endpoints and nobody else, writes one probe file and removes it, renews nothing, and shows no
    secret. While no service runs it signs in to the chat once, and enters no room.
    """
    from allthepoints.base.clock import SystemClock
    from allthepoints.config.environment import read_environment
    from allthepoints.config.paths import data_dir
    from allthepoints.core.checkup import is_sound
    from allthepoints.operation.doctor import PATIENCE, examine
    from allthepoints.views.checkup import CHECKUP, lines

    where = here(context)
    data = data_dir(where.data_flag, os.environ)  # not `where.data`, which ends the command where it is a file
    width = output.width()
    if not as_json and width is not None:
        output.note(f"Looking; it takes at most {PATIENCE.whole + PATIENCE.files:.0f} s.")
    findings = asyncio.run(examine(where.config, data, read_environment(os.environ), SystemClock(), chat=chat))
    if as_json:
        output.say_json(CHECKUP.of(findings))
    else:
        for line in lines(findings, width, output.ascii_only()):
            output.say(line)
    return Exit.OK if is_sound(findings) else Exit.FAULT
