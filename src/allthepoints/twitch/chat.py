"""The chat transport: opens connections to the one endpoint of the config. What runs on them is `twitch.link`."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from typing import Any

from allthepoints.base.addresses import BadAddress, irc_address
from allthepoints.base.clock import Clock
from allthepoints.base.errors import UsageError
from allthepoints.core.model import Lost
from allthepoints.irc.events import SessionEvent
from allthepoints.irc.pump import Pace, PlainPump, Pump, TlsFailed, TlsPump
from allthepoints.irc.session import Session
from allthepoints.twitch.link import WRITE_LIMIT, ChatUnreachable, Link, in_short

TICK = 0.1
"""Seconds between reads of a dense chat: ten wake-ups a second, and a PONG is at most this late."""

HAPPY_EYEBALLS = 0.25
"""Seconds until the next address is tried beside the first (RFC 8305)."""


class TcpChat:
    """Opens chat connections to one endpoint; fulfils `ports.ChatTransport`."""

    def __init__(
        self,
        endpoint: str,
        clock: Clock,
        ssl_context: ssl.SSLContext | None = None,
        tick: float = TICK,
        write_limit: int = WRITE_LIMIT,
    ) -> None:
        """`ssl_context` replaces the default (system's certificates or SSL_CERT_FILE, hostname checked, TLS 1.2 up).

        Raises UsageError for an endpoint that cannot be used.
        """
        try:
            self._endpoint = irc_address(endpoint)
        except BadAddress as error:
            raise UsageError(f"the chat's address cannot be used: {error}") from None
        self._clock = clock
        self._tick = tick
        self._write_limit = write_limit
        self._context = ssl_context
        if self._endpoint.tls and ssl_context is None:
            self._context = ssl.create_default_context()
            self._context.minimum_version = ssl.TLSVersion.TLSv1_2

    async def open(
        self,
        session: Session,
        on_events: Callable[[Sequence[SessionEvent]], None],
        on_lost: Callable[[str], None],
    ) -> Link:
        """Connect, do TLS, tell the session, and drive it until it ends. Raises ChatUnreachable."""
        link = Link(session, self._pump(), self._clock, Pace(self._tick), self._write_limit)
        try:
            await self._connect(link)
            link.adopt(on_events, on_lost)
        except BaseException:
            link.abandon()
            raise
        return link

    async def _connect(self, link: Link) -> None:
        where = f"{self._endpoint.host} port {self._endpoint.port}"
        deadline = link.session.deadline()
        if deadline is None:
            raise ChatUnreachable("the session is over", Lost.OURS)
        try:
            async with asyncio.timeout(max(0.0, deadline - self._clock.now())) as scope:
                await self._dial(link)
                await link.opened
        except TlsFailed as error:
            raise ChatUnreachable(f"{where}: {error}", Lost.TLS) from error
        except OSError as error:
            # TimeoutError is one too: ours where the scope ran out, the kernel's where it gave up.
            if scope.expired():
                lost = Lost.DEADLINE if link.reached else Lost.CONNECT
                raise ChatUnreachable(f"{where}: no connection in time", lost) from error
            raise ChatUnreachable(f"could not connect to {where}: {in_short(error)}", Lost.CONNECT) from error

    async def _dial(self, link: Link) -> None:
        loop = asyncio.get_running_loop()
        # Other loops (uvloop) try the addresses one after the other and do not know the option.
        own = isinstance(loop, asyncio.BaseEventLoop)
        options: dict[str, Any] = {"happy_eyeballs_delay": HAPPY_EYEBALLS} if own else {}
        await loop.create_connection(lambda: link, self._endpoint.host, self._endpoint.port, **options)

    def _pump(self) -> Pump:
        if self._endpoint.tls and self._context is not None:
            return TlsPump(self._context, self._endpoint.host)
        return PlainPump()
