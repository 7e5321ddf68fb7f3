"""A TCP port for the dashboard.

Theory. uvicorn's server looks around ten times a second, for ever, and takes the signals. Its protocol does neither,
so only that is used: a socket, and a task for each request. An idle dashboard costs nothing.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

MOST_CONNECTIONS = 200
"""Sockets at once; more are closed as they come."""

KEEP_ALIVE = 75
"""Seconds that an idle connection stays open."""

ARRIVES_WITHIN = 30.0
"""Seconds from the beginning of a connection or a request to its last byte. Who keeps us waiting would take the place
of others: there are no more than MOST_CONNECTIONS."""

CLOSE_WITHIN = 0.5
"""Seconds for requests under way when it stops."""


class HttpServer:
    """An ASGI app on a TCP port."""

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
    """Bounded in number, and in the time that a request may take to arrive."""

    def __init__(self, config: uvicorn.Config, state: ServerState) -> None:
        super().__init__(config, state, {})
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        """Whether the rest of a request is awaited. Between two of them the other timer runs."""
        awaited = self.conn.their_state in (h11.IDLE, h11.SEND_BODY) and self.timeout_keep_alive_task is None
        if not awaited:
            self._wait_no_more()
        elif self._late is None:
            self._late = self.loop.call_later(ARRIVES_WITHIN, self.transport.abort)

    def _wait_no_more(self) -> None:
        late, self._late = self._late, None
        if late is not None:
            late.cancel()
