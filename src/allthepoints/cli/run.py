"""`run`: the service itself, with a live table on a terminal, else one line per change."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from allthepoints.base.clock import Clock, SystemClock
from allthepoints.base.errors import AllThePointsError, FaultError
from allthepoints.cli import output
from allthepoints.cli.here import Here, here
from allthepoints.cli.options import AsJson

if TYPE_CHECKING:
    from datetime import tzinfo

    from allthepoints.config.load import Loaded
    from allthepoints.core.records import Event
    from allthepoints.service.outside import Hooks
    from allthepoints.service.snapshot import Snapshot
    from allthepoints.views.live import LivePicture
    from allthepoints.views.usual import Outlook

log = logging.getLogger(__name__)

DRAW_EVERY = 0.25
"""Seconds between looks whether the table has to be drawn again: a few times a second at most."""

REMARKS = 20
"""Warnings kept for the end of a table, the newest ones. All stand in the log file."""


def run(
    context: typer.Context,
    plain: Annotated[bool, typer.Option("--plain", help="One line per change, also on a terminal.")] = False,
    as_json: AsJson = False,
) -> None:
    """Be in the chats of your live channels, until Ctrl-C. On a terminal a live table, else one line per change."""
    from allthepoints.base.logs import log_to
    from allthepoints.config.paths import prepare

    where = here(context)
    loaded = where.load()  # a config that cannot be used is told before anything is made
    for warning in loaded.warnings:
        output.warn(warning)
    data = prepare(where.data)
    table = sys.stdout.isatty() and not (as_json or plain)
    remarks, loggers = Remarks(held=table), where.loggers
    try:
        logs = log_to(data.log, loggers)
    except OSError as error:
        raise FaultError(f"{data.log} cannot be written: {error.strerror}", "Make it this user's own.") from error
    with logs:
        for warning in loaded.warnings:
            log.warning("%s", warning)
        logs.listen(remarks)
        try:
            asyncio.run(_with_table(where, loaded) if table else _service(where, loaded, lines_face(as_json)))
        except (AllThePointsError, output.ReaderGone) as error:
            log.info("the end: %s", str(error) or "nobody reads what is said")
            raise
        except Exception:
            log.critical("the end, by a mistake of the program", exc_info=True)
            raise
        finally:
            remarks.let_go()
    output.note("Stopped; you left every chat.")


class Remarks(logging.Handler):
    """Warnings of the log on standard error; while a table is on the screen they are `held` back until `let_go`."""

    def __init__(self, held: bool) -> None:
        super().__init__(logging.WARNING)
        self._kept: deque[str] | None = deque(maxlen=REMARKS) if held else None

    def emit(self, record: logging.LogRecord) -> None:
        """The message alone: a traceback stands in the log file."""
        text = f"{record.levelname.lower()}: {record.getMessage()}"
        if self._kept is None:
            output.note(text)
        else:
            self._kept.append(text)

    def let_go(self) -> None:
        """Tell what was held back."""
        kept, self._kept = self._kept, None
        for text in kept or ():
            output.note(text)


def lines_face(as_json: bool) -> Hooks:
    """What says each change."""
    from allthepoints.views.lines import Changes, line_plain

    changes = Changes()

    def on_snapshot(snapshot: Snapshot) -> None:
        with suppress(output.Unwritable):  # a disk that is full costs lines, and no presence
            for change in changes.between(snapshot):
                if as_json:
                    output.say_json(line_plain(change))
                else:
                    output.say(change.line)
            output.flush()

    return until_stop(on_snapshot)


def until_stop(on_snapshot: Callable[[Snapshot], None]) -> Hooks:
    """A face that is told nothing of the stop: that all chats are left then is no news about them."""
    from allthepoints.core.records import EventKind
    from allthepoints.service.outside import Hooks

    stopped = False

    def on_event(event: Event, _: Snapshot) -> None:
        nonlocal stopped
        stopped |= event.kind is EventKind.STOPPED

    def unless_stopped(snapshot: Snapshot) -> None:
        if not stopped:
            on_snapshot(snapshot)

    return Hooks(unless_stopped, on_event)


async def _service(where: Here, loaded: Loaded, hooks: Hooks, say: Callable[[str], None] = output.note) -> None:
    from allthepoints.config.environment import read_environment
    from allthepoints.operation import service

    await service.run(loaded.settings, where.config, where.data, read_environment(os.environ), hooks, say)


async def _with_table(where: Here, loaded: Loaded) -> None:
    from rich.console import Console
    from rich.live import Live

    import allthepoints.operation.service  # noqa: F401 -- it takes a moment, and heeds signals: not under a table
    from allthepoints.views.live import LivePicture
    from allthepoints.views.usual import Outlook
    from allthepoints.views.zone import zone_of

    picture = LivePicture(ascii_only=output.ascii_only())
    outlook, zone = Outlook(where.data.database), zone_of(loaded.settings.display.zone)
    console = Console()
    # Transient: a table that stays behind after the end would speak of chats that you have left.
    with Live(picture, console=console, auto_refresh=False, transient=True, redirect_stdout=False) as live:
        drawing = asyncio.create_task(
            keep_drawn(picture, live.refresh, SystemClock(), outlook, zone), name="draw the table"
        )
        try:
            await _service(where, loaded, until_stop(picture.take), console.print)
        finally:
            drawing.cancel()
            with suppress(asyncio.CancelledError):
                await drawing


async def keep_drawn(
    picture: LivePicture, draw: Callable[[], None], clock: Clock, outlook: Outlook, zone: tzinfo
) -> None:
    """Draw the picture whenever that is due, for ever.

    While nobody is live it is looked up who usually starts next.
    """
    from allthepoints.views.channels import in_order

    while True:
        if outlook.due(picture.nobody_live, clock.now()) and (seen := picture.snapshot) is not None:
            await asyncio.to_thread(outlook.look, in_order(seen.rows.values()), clock.now(), zone)
        picture.expect(outlook.said(clock.now(), zone))
        if picture.due(clock.now()):
            draw()
        await clock.sleep(DRAW_EVERY)
