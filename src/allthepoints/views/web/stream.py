"""Server-sent events: what changed, as HTML, to each page that listens.

A client that does not read what it is sent is let go; so is one whose session ended. Nothing is queued for anyone
(`board.py` tells why), so a client costs a socket and a task.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from allthepoints.views.web.board import Board
from allthepoints.views.web.telling import Teller

log = logging.getLogger(__name__)

MOST = 24
"""Clients at once. Each page is one; whoever comes too late asks from time to time (`/poll`)."""

CALM = 4
"""Ticks of the pace between two messages to a page on which nobody waits for a single cell."""


class Stream:
    """An ASGI application: everything that changes from `since` on."""

    def __init__(
        self,
        board: Board,
        teller: Teller,
        since: str,
        topic: str,
        still: Callable[[], bool],
        clients: set[object],
    ) -> None:
        self._board = board
        self._teller = teller
        self._since = since
        self._topic = topic
        self._still = still
        self._clients = clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        self._clients.add(self)
        working = [asyncio.ensure_future(self._tell(send)), asyncio.ensure_future(_hung_up(receive))]
        try:
            await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._clients.discard(self)
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
        failed = working[0].exception() if working[0].done() and not working[0].cancelled() else None
        if failed is not None and not isinstance(failed, TimeoutError | OSError):
            log.error("the dashboard could not tell a page what changed", exc_info=failed)
        if not working[1].done() or working[1].cancelled():
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _tell(self, send: Send) -> None:
        async def out(text: str) -> None:
            async with asyncio.timeout(self._board.pace.sent_within):
                await send({"type": "http.response.body", "body": text.encode(), "more_body": True})

        await out(f"retry: 3000\n{_id(self._since)}\n")
        said = self._board.said_to(self._since)
        await self._teller.begin(self._topic, self._since)
        ticks = 1 if self._topic in ("now", "activity") else CALM
        async for change in self._board.changes(self._since, said, ticks):
            if not self._still():
                return
            if change is None:
                await out(": still here\n\n")
                continue
            told = [message(name, html) for name, html in await self._teller.told(self._topic, change)]
            if not told and not change.whole:
                continue
            # Only the last one bears the number: who loses the connection in between is told all of it once more.
            await out("".join(told) + f"event: version\ndata: {change.version}\n{_id(change.version)}\n")


def message(name: str, html: str) -> str:
    """One event. Its data is whatever the lines of `html` are."""
    lines = html.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return f"event: {name}\n" + "".join(f"data: {line}\n" for line in lines) + "\n"


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _id(version: str) -> str:
    return f"id: {version}\n" if version.isprintable() and len(version) < 40 else ""
