"""The dashboard beside the service, in the same loop: where it listens, and how it ends.

Theory. uvicorn's server looks around ten times a second, for ever, and takes the signals. Its protocol does neither,
so only that is used: a socket, and a task for each request. An idle dashboard costs nothing. The dashboard is in
nobody's way: what fails in it is logged, and the service goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, ParamSpec, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from allthepoints.base.addresses import is_loopback, listen_parts
from allthepoints.base.clock import Clock
from allthepoints.base.errors import FaultError, UsageError
from allthepoints.config.paths import DataDir
from allthepoints.config.settings import Dashboard as Where
from allthepoints.service.outside import Hooks
from allthepoints.views.web.app import Pages, application
from allthepoints.views.web.board import Board
from allthepoints.views.web.guard import Rules
from allthepoints.views.web.password import Password
from allthepoints.views.web.sessions import Door

P = ParamSpec("P")

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 200
"""Sockets at once; more are closed as they come."""

KEEP_ALIVE = 75
"""Seconds that an idle connection stays open."""

CLOSE_WITHIN = 0.5
"""Seconds for requests under way when it stops."""

CURE = (
    "Set one with `allthepoints dashboard password`, or listen on this machine only: "
    '[dashboard] listen = "127.0.0.1:7771".'
)


class Dashboard:
    """The web face of one running service. `hooks` go to the service; `start` and `stop` are the owner's.

    Raises UsageError where other machines could reach it and no password is set, and FaultError where the password's
    file cannot be read.
    """

    def __init__(self, board: Board, where: Where, data: DataDir, clock: Clock) -> None:
        self.board = board
        self.hooks = Hooks(_contained(board.told), _contained(board.happened))
        self._where = where
        password = Password(data.password)
        locked = password.is_set()
        host, _ = listen_parts(where.listen)
        if not locked and not is_loopback(host):
            raise UsageError(
                f"the dashboard would listen on {where.listen}, for other machines too, and has no password", CURE
            )
        door = Door(password, clock) if locked else None
        self._server = HttpServer(application(board, _pages(), Rules.of(where), door))

    async def start(self) -> str:
        """Listen; answers the address for a browser. Raises FaultError where that cannot be."""
        host, port = listen_parts(self._where.listen)
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
        except FaultError as error:
            log.warning("%s. %s The service goes on without it.", error, error.hint)
            return
        try:
            await asyncio.Event().wait()
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Close everything, within CLOSE_WITHIN."""
        await self.board.aclose()
        await self._server.stop()


def _pages() -> Pages:
    from allthepoints.views.web import pages  # noqa: PLC0415 -- what it shows knows nothing of the server

    return Pages(pages.PAGES, pages.ACTIONS, pages.fragments)


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


class HttpServer:
    """An ASGI app on a TCP port, by uvicorn's protocol without its server: no ticks and no signals."""

    def __init__(self, app: ASGIApp) -> None:
        self._config = uvicorn.Config(
            cast(Any, app),
            http=H11Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            date_header=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            h11_max_incomplete_event_size=16 * 1024,
        )
        self._config.load()
        logging.getLogger("uvicorn").setLevel(logging.ERROR)  # that someone speaks no HTTP is no news
        self._state = ServerState()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; 0 takes a free port. Answers the port. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Http(self._config, self._state), host, port, backlog=64)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take no more, and end what is open: pages that listen would never end by themselves."""
        if self._server is not None:
            self._server.close()
        for one in list(self._state.connections):
            cast(_Http, one).transport.abort()
        tasks = set(self._state.tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSE_WITHIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class _Http(H11Protocol):
    """Bounded in number."""

    def __init__(self, config: uvicorn.Config, state: ServerState) -> None:
        super().__init__(config, state, {})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
