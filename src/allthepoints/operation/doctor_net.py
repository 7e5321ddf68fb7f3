"""What the doctor measures of the network: names, TCP, TLS, HTTP, a proxy, and the servers' clocks.

Nothing is sent but handshakes, CONNECT to a proxy, and GETs.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import ssl
import urllib.request
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from socket import AF_INET, AF_INET6, EAI_AGAIN, EAI_FAIL, SOCK_STREAM, AddressFamily, gaierror
from urllib.parse import SplitResult, unquote, urlsplit

from allthepoints.base.addresses import irc_address, is_loopback
from allthepoints.base.clock import Clock
from allthepoints.base.errors import OutsideError, Refused, Unknown
from allthepoints.config.settings import Settings
from allthepoints.core.checkup_net import Http, Names, Place, Proxy, Tcp, Try, Why
from allthepoints.core.checkup_tls import Tls
from allthepoints.operation.doctor_tls import LONGEST, shake_hands
from allthepoints.ports import StoredTokens
from allthepoints.streamelements.http import checked as checked_elements
from allthepoints.twitch.http import checked as checked_twitch
from allthepoints.views.text import clean
from allthepoints.web import Answer, Ask
from allthepoints.wiring import Probes

Resolve = Callable[[str, int, AddressFamily], Awaitable[Sequence[str]]]
"""Host, port and family to addresses. Raises OSError."""

TRIES = 2
"""Addresses of each kind that are tried."""

MOST_HEADERS = 16_384

_GET = {"helix": "/streams?first=1", "oauth": "/validate", "streamelements": "/channels/streamelements"}
"""What is asked of each. Twitch's no to one who has no token is an answer as good as a yes."""

_SCHEMES = {"helix": "Bearer", "oauth": "OAuth"}


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for each step. A chain takes at most names + connect + shake (+ connect through a proxy), a sign-in
    answer + welcome. `whole`: for all that goes side by side, behind the reading of the config."""

    names: float = 3.0
    connect: float = 3.0
    shake: float = 4.0
    answer: float = 5.0
    welcome: float = 7.0
    files: float = 6.0
    whole: float = 15.0


@dataclass(frozen=True, slots=True)
class Chain:
    """What was found on the way to an endpoint; None for steps that were not taken."""

    names: Names | None = None
    tcp: Tcp | None = None
    tls: Tls | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back over HTTP. `ahead`: seconds by which our clock is ahead of its `Date`, where it told one."""

    http: Http
    ahead: float | None = None


@dataclass(frozen=True, slots=True)
class Gateway:
    """A proxy, as the environment names it."""

    url: SplitResult

    @property
    def address(self) -> str:
        """For people: never the user and the password that may stand in it."""
        return f"{self.host}:{self.port}"

    @property
    def host(self) -> str:
        return clean(self.url.hostname or "?")[:LONGEST]

    @property
    def port(self) -> int:
        with suppress(ValueError):
            return self.url.port or (443 if self.url.scheme == "https" else 80)
        return 80

    @property
    def plain(self) -> bool:
        """Whether we can speak to it ourselves: HTTP with CONNECT, the usual kind."""
        return self.url.scheme == "http"

    @property
    def authorization(self) -> str:
        """A header line, or nothing."""
        if not self.url.username:
            return ""
        both = f"{unquote(self.url.username)}:{unquote(self.url.password or '')}"
        return f"Proxy-Authorization: Basic {base64.b64encode(both.encode()).decode()}\r\n"


# -- where to ------------------------------------------------------------------------------------------------------
def places(settings: Settings) -> list[Place]:
    """The endpoints of the config, and which of them are reached through a proxy."""
    chat = irc_address(settings.endpoints.irc)
    found = [Place("chat", chat.host, chat.port, chat.tls)]
    for name in ("helix", "oauth", "streamelements"):
        url = urlsplit(getattr(settings.endpoints, name))
        tls, host = url.scheme == "https", url.hostname or ""
        through = gateway(url.scheme, host)
        found.append(Place(name, host, url.port or (443 if tls else 80), tls, through.address if through else ""))
    return found


def gateway(scheme: str, host: str) -> Gateway | None:
    """The proxy that the HTTP client uses for this host, by the same rules: the environment's, never for ourselves."""
    proxies = urllib.request.getproxies()
    if is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    text = proxies.get(scheme) or proxies.get("all")
    return _gateway(text) if text else None


def proxy_of(seen: Sequence[tuple[Place, Chain]]) -> Proxy:
    """What the environment says of proxies, and whether that one was reached."""
    proxies = urllib.request.getproxies()
    text = proxies.get("https") or proxies.get("all")
    if not text:
        return Proxy()
    through = [(place, chain) for place, chain in seen if place.proxy]
    failed = next((chain.tcp.tries for _, chain in through if chain.tcp and not chain.tcp.reached), ())
    found = _gateway(text)
    return Proxy(found.address if found else "?", tuple(place.name for place, _ in through), failed)


def _gateway(text: str) -> Gateway | None:
    with suppress(ValueError):
        return Gateway(urlsplit(text if "://" in text else f"http://{text}"))
    return None


# -- the chain -----------------------------------------------------------------------------------------------------
async def chain(place: Place, context: ssl.SSLContext, resolve: Resolve, patience: Patience) -> Chain:
    """Names, TCP and TLS of one endpoint, as far as they lead."""
    through = gateway("https" if place.tls else "http", place.host) if place.proxy else None
    if through is not None and not through.plain:
        return Chain()  # a kind that only the HTTP client speaks: its answer tells
    host, port = (place.host, place.port) if through is None else (through.host, through.port)
    found = await look_up(host, port, resolve, patience)
    names = None if through is not None else found
    tries, stream = await _connect((*found.v4[:TRIES], *found.v6[:TRIES]), port, found.failed, patience)
    if stream is None:
        return Chain(names, Tcp(tries) if tries else None)
    reader, writer = stream
    try:
        no = await _through(reader, writer, through, place, patience) if through is not None else ""
        tcp = Tcp(tries, no)
        if no or not place.tls:
            return Chain(names, tcp, None if no else Tls())
        return Chain(names, tcp, await shake_hands(reader, writer, context, place.host, patience.shake))
    finally:
        writer.transport.abort()


async def look_up(host: str, port: int, resolve: Resolve, patience: Patience) -> Names:
    """The addresses of a host, both kinds at once."""
    with suppress(ValueError):
        address = ip_address(host)
        v4, v6 = ((host,), ()) if address.version == 4 else ((), (host,))
        return Names(host, v4, v6, literal=True)
    (found4, no4), (found6, no6) = await asyncio.gather(
        *(_resolved(host, port, family, resolve, patience) for family in (AF_INET, AF_INET6))
    )
    return Names(host, found4, found6, None if found4 or found6 else no4 or no6)


async def by_system(host: str, port: int, family: AddressFamily) -> Sequence[str]:
    """The system's own resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


async def _resolved(
    host: str, port: int, family: AddressFamily, resolve: Resolve, patience: Patience
) -> tuple[tuple[str, ...], Why | None]:
    try:
        async with asyncio.timeout(patience.names):
            return tuple(await resolve(host, port, family)), None
    except TimeoutError:
        return (), Why.LATE
    except gaierror as error:
        return (), Why.NO_RESOLVER if error.errno in {EAI_AGAIN, EAI_FAIL} else Why.NO_NAME
    except (OSError, UnicodeError):
        return (), Why.NO_NAME


_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _connect(
    addresses: Sequence[str], port: int, failed: Why | None, patience: Patience
) -> tuple[tuple[Try, ...], _Stream | None]:
    """All of them at once; the first that is good is kept, the others are closed."""
    if not addresses:
        return (Try("", failed),) if failed is not None else (), None
    results = await asyncio.gather(*(_try(address, port, patience) for address in addresses))
    kept = next((stream for _, stream in results if stream is not None), None)
    for _, stream in results:
        if stream is not None and stream is not kept:
            stream[1].transport.abort()
    return tuple(one for one, _ in results), kept


async def _try(address: str, port: int, patience: Patience) -> tuple[Try, _Stream | None]:
    try:
        async with asyncio.timeout(patience.connect):
            return Try(address), await asyncio.open_connection(address, port)
    except TimeoutError:
        return Try(address, Why.LATE), None
    except OSError as error:
        return Try(address, _WHYS.get(error.errno or 0, Why.OTHER), (error.strerror or str(error)).lower()), None


_WHYS = {
    errno.ECONNREFUSED: Why.REFUSED,
    errno.ENETUNREACH: Why.NO_ROUTE,
    errno.EHOSTUNREACH: Why.NO_ROUTE,
    errno.EADDRNOTAVAIL: Why.NO_ROUTE,
    errno.EAFNOSUPPORT: Why.NO_ROUTE,
    errno.ECONNRESET: Why.CLOSED,
    errno.ETIMEDOUT: Why.LATE,
}


async def _through(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: Gateway, place: Place, patience: Patience
) -> str:
    """Ask the proxy to lead on. Answers why it does not; "" where it does."""
    where = f"{place.host}:{place.port}"
    writer.write(f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n{proxy.authorization}\r\n".encode())
    try:
        async with asyncio.timeout(patience.connect):
            head = await reader.readuntil(b"\r\n\r\n")
    except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as error:
        return "no answer in time" if isinstance(error, TimeoutError) else "it closed the connection"
    status = head.split(b"\r\n", 1)[0].split(b" ", 2)[1:2]
    code = status[0].decode("latin-1") if status else "?"
    if code.startswith("2"):
        return ""
    return "it wants a user and a password (407)" if code == "407" else f"it answered {clean(code)[:3]}"


# -- HTTP ----------------------------------------------------------------------------------------------------------
async def answer_of(
    place: Place, settings: Settings, probes: Probes, held: StoredTokens | None, clock: Clock, patience: Patience
) -> Answered:
    """What an endpoint answers. Twitch is asked with the token that is `held`, as the service would ask it."""
    ask = Ask("GET", getattr(settings.endpoints, place.name) + _GET[place.name], place.name, within=patience.answer)
    if held is not None and held.access and place.name in _SCHEMES:
        client_id = held.client_id or settings.twitch.client_id
        ask = replace(ask, token=held.access, scheme=_SCHEMES[place.name], headers={"Client-Id": client_id})
    began = clock.now()
    try:
        answer = await probes.web.send(ask)
    except Unknown as error:
        return Answered(Http(failed=str(error).removeprefix(f"{place.name}: ")))
    took = clock.now() - began
    to = clean(urlsplit(answer.headers.get("location", "")).hostname or "")[:LONGEST] if answer.status < 400 else ""
    http = Http(answer.status, _is_own(place, answer), to, took)
    return Answered(http, ahead(answer.headers, began + took / 2))


def ahead(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that `now` is ahead of the time that an answer tells; None where it tells none."""
    try:
        told = parsedate_to_datetime(headers["date"]).timestamp()
        age = float(headers.get("age", "0"))
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    return now - (told + 0.5 + age)  # whole seconds are cut off


def _is_own(place: Place, answer: Answer) -> bool:
    """Whether it is in the words of the one that was asked."""
    try:
        checked = checked_elements if place.name == "streamelements" else checked_twitch
        return checked(answer, 0.0).body.lstrip()[:1] == b"{"
    except Refused:
        return True
    except OutsideError:
        return False
