"""HTTP without a network: calls an ASGI app in this process. It does less than httpx2's own transport, and a simulated
week has many calls."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
from starlette.types import ASGIApp, Receive, Send

Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]
"""Status, headers, body."""


class InProcess(httpx2.AsyncBaseTransport):
    """A transport for an `httpx2.AsyncClient`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        target = request.url.path, request.url.query
        status, found, content = await self.call(request.method, target, headers, await request.aread())
        return httpx2.Response(status, headers=found, stream=httpx2.ByteStream(content))

    async def call(self, method: str, target: tuple[str, bytes], headers: Headers, body: bytes = b"") -> Answer:
        """One request, without any library; `target` is path and query."""
        coming = [{"type": "http.request", "body": body, "more_body": False}]
        told: list[Any] = []

        async def receive() -> Any:
            return coming.pop() if coming else await asyncio.get_running_loop().create_future()

        async def send(message: Any) -> None:
            told.append(message)

        await self._app(_scope(method, target, headers), receive, send)
        head, *bodies = told
        return head["status"], head["headers"], b"".join(part.get("body", b"") for part in bodies)

    async def stream(self, target: tuple[str, bytes], headers: Headers, receive: Receive, send: Send) -> None:
        """A GET whose answer goes on and on: it is told as it comes."""
        await self._app(_scope("GET", target, headers), receive, send)


def _scope(method: str, target: tuple[str, bytes], headers: Headers) -> dict[str, Any]:
    path, query = target
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }
