"""The program that allthepoints set out to replace, written again in our own words, on `bottom` 3.

What it does is what its article tells: it signs in to chat, answers PING, and every `wait_time` seconds asks Helix for
each streamer whether he is live, all requests at once. From the last answer and this one it takes the set difference,
and sends JOIN for who came online and PART for who went offline. That a JOIN was answered it does not check. When the
connection is lost it connects again, as bottom's own documentation shows, and signs in; who was live before is not new,
so nobody is joined again. An answer that is not what it expects is an exception, and that is its end.

Where the article leaves something open, the kinder choice was taken: five minutes of patience for an answer, three
seconds before it connects again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import bottom

PATIENCE = 300.0
"""Seconds for an answer of Helix."""

AGAIN = 3.0
"""Seconds before it connects again."""

Http = Callable[[str, str, Mapping[str, str], bytes], Awaitable[bytes]]
"""Method, URL, headers and body of a request; the body of its answer, whatever its status."""

CAPABILITIES = "twitch.tv/membership twitch.tv/tags twitch.tv/commands"


@dataclass(frozen=True, slots=True)
class Where:
    """The other side. URLs without a slash at the end."""

    helix: str
    oauth: str
    host: str
    port: int
    tls: bool = True


class ArticleBot:
    """One life of the program, from its start to its end. `config`: the file that it reads."""

    def __init__(self, config: Path, where: Where, http: Http) -> None:
        self._config = json.loads(config.read_text(encoding="utf-8"))
        self._where = where
        self._http = http
        self._over = False
        self._live: set[str] = set()
        self._client = bottom.Client(where.host, where.port, ssl=where.tls)
        self._client.on("CLIENT_CONNECT", self._sign_in)
        self._client.on("CLIENT_DISCONNECT", self._connect_again)
        self._client.on("PING", self._answer_ping)

    async def run(self) -> None:
        """For ever, or until something goes wrong."""
        token = await self._app_token()
        await self._client.connect()
        while True:
            await self._look(token)
            await asyncio.sleep(self._config["wait_time"])

    def end(self) -> None:
        """What the end of a process does: the socket is closed, and nothing is done any more."""
        self._over = True
        self._client._event_handlers.clear()
        protocol = self._client._protocol
        if protocol is not None:
            protocol.close()

    # -- who is live -----------------------------------------------------------------------------------------------
    async def _look(self, token: str) -> None:
        names = self._config["channels"]
        answers = await asyncio.gather(*(self._is_live(token, name) for name in names))
        live = {name for name, is_live in zip(names, answers, strict=True) if is_live}
        came, went = live - self._live, self._live - live
        self._live = live
        for name in came:
            await self._send("JOIN", channel=f"#{name}")
        for name in went:
            await self._send("PART", channel=f"#{name}")

    async def _is_live(self, token: str, name: str) -> bool:
        headers = {"Client-ID": self._config["client_id"], "Authorization": f"Bearer {token}"}
        url = f"{self._where.helix}/streams?user_login={name}"
        async with asyncio.timeout(PATIENCE):
            answer = await self._http("GET", url, headers, b"")
        return bool(json.loads(answer)["data"])

    async def _app_token(self) -> str:
        form = {
            "client_id": self._config["client_id"],
            "client_secret": self._config["client_secret"],
            "grant_type": "client_credentials",
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await self._http("POST", f"{self._where.oauth}/token", headers, urlencode(form).encode())
        return str(json.loads(answer)["access_token"])

    # -- chat ------------------------------------------------------------------------------------------------------
    async def _sign_in(self, **_: object) -> None:
        await self._send("PASS", password=self._config["oauth_token"])
        await self._send("NICK", nick=self._config["bot_username"])
        await self._client.send_message(f"CAP REQ :{CAPABILITIES}")

    async def _connect_again(self, **_: object) -> None:
        await asyncio.sleep(AGAIN)
        if not self._over:
            await self._client.connect()

    async def _answer_ping(self, message: str, **_: object) -> None:
        await self._send("PONG", message=message)

    async def _send(self, command: str, **words: str) -> None:
        await self._client.send(command, **words)
