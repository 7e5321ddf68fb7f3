"""The dashboard beside the service, in the same loop: when it may be, where it listens, and how it ends.

It is in nobody's way: what it is made of is imported on a thread while the service is on its way into the chats, and
what fails in it is logged, and the service goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec

from allthepoints.base.addresses import is_loopback, listen_parts
from allthepoints.base.clock import Clock
from allthepoints.base.errors import FaultError, UsageError
from allthepoints.config.paths import DataDir
from allthepoints.config.settings import Dashboard as Where
from allthepoints.service.outside import Hooks
from allthepoints.views.web.board import Board
from allthepoints.views.web.password import Password
from allthepoints.views.web.sessions import Door

if TYPE_CHECKING:
    from allthepoints.views.web.listener import HttpServer

P = ParamSpec("P")

log = logging.getLogger(__name__)

CURE = (
    "Set one with `allthepoints dashboard password`, or listen on this machine only: "
    '[dashboard] listen = "127.0.0.1:7771".'
)


SETTLED = 3.0
"""Seconds from the start to when what the first page needs is made ready: the chats come first."""


class Dashboard:
    """The web face of one running service. `hooks` go to the service; `start` and `stop` are the owner's.

    Raises UsageError where other machines could reach it and no password is set, and FaultError where the password's
    file cannot be read.
    """

    def __init__(self, board: Board, where: Where, data: DataDir, clock: Clock) -> None:
        self.board = board
        self.hooks = Hooks(_contained(board.told), _contained(board.happened))
        self._where, self._clock = where, clock
        password = Password(data.password)
        locked = password.is_set()
        host, _ = listen_parts(where.listen)
        if not locked and not is_loopback(host):
            raise UsageError(
                f"the dashboard would listen on {where.listen}, for other machines too, and has no password", CURE
            )
        if not locked and where.hosts:
            raise UsageError(
                f"the dashboard would answer to {', '.join(where.hosts)}, through a proxy, and has no password",
                "Set one with `allthepoints dashboard password`, or leave dashboard.hosts empty.",
            )
        # Where there was one it stays needed: that its file is gone opens nothing to others.
        self._door = Door(password, clock, needed=not is_loopback(host) or bool(where.hosts))
        self._server: HttpServer | None = None

    async def start(self) -> str:
        """Listen; answers the address for a browser. Raises FaultError where that cannot be."""
        host, port = listen_parts(self._where.listen)
        self._server = await asyncio.to_thread(self._made)
        try:
            port = await self._server.start(host, port)
        except OSError as error:
            raise FaultError(
                f"the dashboard cannot listen on {self._where.listen}: {error.strerror or error}",
                "Choose another address: [dashboard] listen.",
            ) from error
        shown = "127.0.0.1" if host in {"0.0.0.0", "::", "localhost"} else f"[{host}]" if ":" in host else host  # noqa: S104
        return f"http://{shown}:{port}{self.board.base_path}/"

    async def serve(self, say: Callable[[str], None]) -> None:
        """Until it is cancelled; `say` is told where. If it cannot listen, that is logged, and the service goes on."""
        try:
            say(f"The dashboard is at {await self.start()}")
            await self._clock.sleep(SETTLED)
            await asyncio.to_thread(_made_ready)
            await asyncio.Event().wait()
        except FaultError as error:
            log.warning("%s. %s The service goes on without it.", error, error.hint)
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Close everything, within CLOSE_WITHIN."""
        await self.board.aclose()
        if self._server is not None:
            await self._server.stop()

    def _made(self) -> HttpServer:
        """Takes a quarter of a second, most of it for imports."""
        from allthepoints.views.web import pages  # noqa: PLC0415
        from allthepoints.views.web.app import Pages, application  # noqa: PLC0415
        from allthepoints.views.web.guard import Rules  # noqa: PLC0415
        from allthepoints.views.web.listener import HttpServer  # noqa: PLC0415

        what = Pages(pages.PAGES, pages.ACTIONS, pages.fragments)
        return HttpServer(application(self.board, what, Rules.of(self._where), self._door))


def _contained(tell: Callable[P, None]) -> Callable[P, None]:
    """What a hook raises ends the service: the dashboard is not worth that."""
    failed = False

    def told(*args: P.args, **kwargs: P.kwargs) -> None:
        nonlocal failed
        try:
            tell(*args, **kwargs)
        except Exception:
            if not failed:
                log.exception("the dashboard could not be told what happened")
            failed = True

    return told


def _made_ready() -> None:
    from allthepoints.views.web.render import compile_all  # noqa: PLC0415 -- as above

    compile_all()
