"""One HTTP client for whatever is asked on the web, and what can be said of an answer before one knows whose it is.

Theory. A request has one of three ends: it never left (`NotSent`), it was answered (`Answer`, whatever its status), or
nobody knows (`Unknown`): it may have arrived, and done what it was to do. What a status means, the adapters say:
`twitch/http.py`, `streamelements/http.py`.

Tokens travel in the Authorization header or a form body, never in a URL. Texts of errors hold a status and the first
bytes of a body, with everything cut out that we sent as a secret or that looks like one. Errors are raised outside the
`except` block of the library's own, whose objects hold the request with its headers.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx2
import msgspec

from allthepoints._version import __version__
from allthepoints.base.errors import NotSent, Unknown
from allthepoints.base.secret import Secret
from allthepoints.base.steering import harmless
from allthepoints.base.types import JSON

TIMEOUT = 10.0
"""Seconds from the first byte sent to the last byte read. Both sides answer in well under one."""

KEEP = 40.0
"""Seconds that an idle connection is kept: a poll every 30 s then needs no new TLS handshake."""

MAX_BODY = 4 << 20
"""Bytes of a body. A full page of streams is about 120 kB."""

LONGEST_WAIT = 300.0
"""Seconds that a rate limit may hold us: its window is a minute, so a reset further off is not to be believed."""

SHORTEST_WAIT = 2.0
"""Seconds to wait at least after a 429, also when its reset is already past: no tight loop."""

UNTOLD_WAIT = 30.0
"""Seconds to wait after a 429 that does not say how long."""

EXCERPT = 80
"""Bytes of an odd body that an error text shows."""

LONGEST_WORDS = 4_000
"""Characters that are looked at of what is to be told: of four million it would take seconds, and the chat waits."""

LONGEST_PART = 64
"""Characters at the end of these that may be the beginning of a secret; a longer part is seen to be one."""

Form = Mapping[str, str | Secret]
"""Fields of a form; secrets among them stay hidden until they are sent."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `what` names it in error texts.

    Secrets in it stay `Secret` until they leave for the wire, and are cut out of what comes back: `token` goes into the
    Authorization header behind `scheme`, others into the `form`. `json`: the body, where it is no form. `within`:
    seconds that this one may take, if not the client's. `confidential`: a good answer holds secrets, so that no byte of
    it may be shown.
    """

    method: str
    url: str
    what: str
    params: Sequence[tuple[str, str]] = ()
    form: Form | None = None
    json: JSON = None
    token: Secret | None = None
    scheme: str = "Bearer"
    headers: Mapping[str, str] = field(default_factory=dict)
    within: float | None = None
    confidential: bool = False

    @property
    def secrets(self) -> list[Secret]:
        """All that were sent."""
        return [value for value in (self.token, *(self.form or {}).values()) if isinstance(value, Secret)]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole. `headers` has lower-case names."""

    ask: Ask
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Client:
    """Sends requests; each is sent once, and bounded in time and size. Follows no redirect and keeps no cookie.

    `transport` replaces the network in tests and for the sandbox in process.
    """

    def __init__(
        self,
        transport: httpx2.AsyncBaseTransport | None = None,
        *,
        timeout: float = TIMEOUT,
        max_body: int = MAX_BODY,
    ) -> None:
        self._timeout = timeout
        self._max_body = max_body
        self._http = httpx2.AsyncClient(
            transport=transport,
            # A proxy from the environment is the person's own, but nobody's proxy reaches our loopback.
            mounts=None if transport else {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")},
            timeout=self._patience(timeout),
            follow_redirects=False,
            limits=httpx2.Limits(max_connections=4, max_keepalive_connections=2, keepalive_expiry=KEEP),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={
                "User-Agent": f"allthepoints/{__version__}",
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
            },
        )

    async def send(self, ask: Ask) -> Answer:
        """The whole answer, whatever its status. Raises Unknown if none came, NotSent if nothing was sent."""
        within, left = ask.within or self._timeout, _Left()
        try:
            async with asyncio.timeout(within):
                answer = await self._exchange(ask, within, left)
        except httpx2.TransportError as error:
            failure = _failure(ask, error, left)
        except TimeoutError:
            failure = Unknown(f"{ask.what}: no whole answer within {within:g} s")
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            failure = Unknown(f"{ask.what}: the answer could not be read ({_kind(error)})")
        except OSError as error:
            failure = Unknown(f"{ask.what}: the connection failed ({_kind(error)})")
        except ValueError as error:
            # A header that cannot be encoded holds a token: its text is not shown.
            failure = _unsent(ask, error, left)
        else:
            if len(answer.body) <= self._max_body:
                return answer
            failure = Unknown(f"{ask.what}: answered {answer.status} with more than {self._max_body >> 10} KiB")
        raise failure

    async def aclose(self) -> None:
        """Close what is kept open."""
        await self._http.aclose()

    def _patience(self, within: float) -> httpx2.Timeout:
        # Connecting may take half of what is usual, so that an outage is known as one: nothing was sent.
        return httpx2.Timeout(within, connect=self._timeout / 2)

    async def _exchange(self, ask: Ask, within: float, left: _Left) -> Answer:
        body = bytearray()
        headers = dict(ask.headers)
        if ask.token:
            headers["Authorization"] = f"{ask.scheme} {ask.token.reveal()}"
        if ask.json is not None:
            headers["Content-Type"] = "application/json"
        async with self._http.stream(
            ask.method,
            ask.url,
            params=[*ask.params] or None,
            data=None if ask.form is None else {name: _text(value) for name, value in ask.form.items()},
            content=None if ask.json is None else msgspec.json.encode(ask.json),
            headers=headers,
            timeout=self._patience(within),
            extensions={"trace": left},
        ) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > self._max_body:
                    break
            return Answer(ask, response.status_code, dict(response.headers), bytes(body))


def decode(answer: Answer, shape: type[T]) -> T:
    """The body as one value of `shape`, whose tokens are `Secret` from the start. Raises Unknown if it is not that."""
    try:
        return msgspec.json.decode(answer.body, type=shape, strict=False, dec_hook=_conceal)
    except (ValueError, RecursionError):
        pass
    raise odd(answer, "something else than was asked for" if answer.body.strip() else "an empty body")


def plain(answer: Answer) -> object:
    """The body as whatever JSON value it is. Raises Unknown if it is none."""
    try:
        return msgspec.json.decode(answer.body)
    except (ValueError, RecursionError):
        pass
    raise odd(answer, "no JSON" if answer.body.strip() else "an empty body")


def odd(answer: Answer, trouble: str) -> Unknown:
    """The error for an answer that makes no sense, with its first bytes as far as they may be shown."""
    return Unknown(f"{answer.ask.what}: answered {answer.status} with {trouble}{excerpt(answer)}")


def bounded(reset: float | None, now: float) -> float:
    """When to try again after a 429 with this reset: not at once, and not for ever."""
    if reset is None:
        return now + UNTOLD_WAIT
    return min(max(reset, now + SHORTEST_WAIT), now + LONGEST_WAIT)


def excerpt(answer: Answer) -> str:
    """What came, as the end of a sentence and as far as it may be shown: the first words of a body, of a page its title
    alone; "" for an empty one. People read it: markup says nothing to them."""
    if not answer.body:
        return ""
    if answer.ask.confidential and answer.status < 400:
        return f" ({len(answer.body)} bytes, not shown: they may hold secrets)"
    text = answer.body[: EXCERPT * 40].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if text.startswith("<"):
        title = _TITLE.search(text)
        named = "" if title is None else cut(unescape(title[1]), answer.ask)[:EXCERPT]
        return f', a web page: "{named}"' if named else ", a web page"
    return f": {cut(text, answer.ask)[:EXCERPT]}"


def cut(text: str, ask: Ask) -> str:
    """`text` in one line without what may be a secret: what was sent as one, what is named so, what looks like one."""
    whole = len(text) <= LONGEST_WORDS
    text = text[:LONGEST_WORDS]
    for secret in ask.secrets:
        if secret:
            text = text.replace(secret.reveal(), "***")
    text = _RUN.sub("***", _NAMED.sub(r"\1***", text))
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\s]+", " ", text).strip()
    return harmless(text if whole else text[:-LONGEST_PART])[:300]


_TITLE = re.compile(r"<title\b[^>]*>([^<]*)</title", re.I)
_NAMED = re.compile(
    r"""("?(?:access_?token|refresh_?token|api_?token|device_code|client_secret|id_token|jwt|token)"?\s*[:=]\s*"?)"""
    r"""[^"&\s,}]+""",
    re.I,
)
_RUN = re.compile(r"(?:oauth|bearer)[: ]\S+|[A-Za-z0-9_-]{24,}", re.I)


class _Left:
    """Whether a request is on its way, as the library tells it. The network's only: other transports tell nothing."""

    def __init__(self) -> None:
        self.yes = False

    async def __call__(self, name: str, _info: Any) -> None:
        self.yes = self.yes or name.endswith("send_request_headers.complete")


def _failure(ask: Ask, error: httpx2.TransportError, left: _Left) -> Unknown:
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout | httpx2.ProxyError):
        return NotSent(f"{ask.what}: could not connect ({_kind(error)})")
    if isinstance(error, httpx2.LocalProtocolError | httpx2.UnsupportedProtocol):
        return _unsent(ask, error, left)
    return Unknown(f"{ask.what}: the connection failed before the answer was whole ({_kind(error)})")


def _unsent(ask: Ask, error: Exception, left: _Left) -> Unknown:
    if left.yes:
        return Unknown(f"{ask.what}: the answer could not be read ({_kind(error)})")
    return NotSent(f"{ask.what}: the request could not be sent ({_kind(error)})")


def _conceal(shape: type, value: object) -> Secret:
    if shape is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError("not a token")


def _text(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _kind(error: Exception) -> str:
    """The class of an error in words: `ConnectTimeout` is `connect timeout`. Its text may quote a header."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
