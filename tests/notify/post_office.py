"""A server on loopback that takes notifications, and answers as it was told."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

HANG, RESET, CLOSE, DRIP = "hang", "reset", "close", "drip"

PORTAL = b"<html><body>Please log in</body></html>"


@dataclass
class Answer:
    """What is said to one request: a status, or what is done instead."""

    status: int | str = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Taken:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class PostOffice:
    """`answers` are given one after the other, the last one for ever."""

    def __init__(self) -> None:
        self.port = 0
        self.answers: list[Answer] = [Answer()]
        self.taken: list[Taken] = []
        self.arrived = asyncio.Event()
        self.release = asyncio.Event()
        """Set, and those that hang are answered 200."""

    @property
    def json_url(self) -> str:
        return f"json://127.0.0.1:{self.port}/CANARY-path"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.taken.append(Taken(head[0].split(" ")[1], headers, body))
            self.arrived.set()
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            await self._answer(answer, writer)
        writer.close()

    async def _answer(self, answer: Answer, writer: asyncio.StreamWriter) -> None:
        match answer.status:
            case "hang":
                await self.release.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            case "drip":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
                while not self.release.is_set():
                    writer.write(b" ")
                    await writer.drain()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self.release.wait(), 0.01)
            case "reset":
                raw: socket.socket = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case "close":
                pass
            case status:
                lines = [f"HTTP/1.1 {status} So", f"Content-Length: {len(answer.body)}", "Connection: close"]
                lines += [f"{name}: {value}" for name, value in answer.headers.items()]
                writer.write("\r\n".join([*lines, "", ""]).encode() + answer.body)
        await writer.drain()


@asynccontextmanager
async def post_office() -> AsyncIterator[PostOffice]:
    office = PostOffice()
    serving: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.ensure_future(office.serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        office.release.set()
        server.close()
        await asyncio.gather(*serving, return_exceptions=True)
        await server.wait_closed()
