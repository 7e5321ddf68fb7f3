"""One HTTP client for Helix and OAuth, and the rule for what each answer means.

Theory. An answer is good (2xx with JSON), a clear no (4xx in Twitch's own words), or it is nothing at all. Whatever
else comes (an outage, a captive portal's page, half a body, somebody else's JSON) says nothing about the world and
becomes `Unknown`, so that nothing is decided from it.

Tokens travel in the Authorization header or a form body, never in a URL. Texts of errors hold a status and the first
bytes of a body, with everything cut out that we sent as a secret or that looks like one. Errors are raised outside the
`except` block of the library's own, whose objects hold the request with its headers.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypeVar

import httpx2
import msgspec

from allthepoints._version import __version__
from allthepoints.base.errors import Limited, NotSent, OutsideError, Refused, Unauthorised, Unknown
from allthepoints.base.secret import Secret

TIMEOUT = 10.0
"""Seconds from the first byte sent to the last byte read. Twitch answers in well under one."""

KEEP = 40.0
"""Seconds that an idle connection is kept: a poll every 30 s then needs no new TLS handshake."""

MAX_BODY = 4 << 20
"""Bytes of a body. A full page of streams is about 120 kB."""

LONGEST_WAIT = 300.0
"""Seconds that a rate limit may hold us: Twitch refills every minute, so a reset further off is not to be believed."""

SHORTEST_WAIT = 2.0
"""Seconds to wait at least after a 429, also when its reset is already past: no tight loop."""

UNTOLD_WAIT = 30.0
"""Seconds to wait after a 429 that does not say how long."""

EXCERPT = 80
"""Bytes of an odd body that an error text shows."""

Form = Mapping[str, str | Secret]
"""Fields of a form; secrets among them stay hidden until they are sent."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `what` names it in error texts.

    Secrets in it stay `Secret` until they leave for the wire, and are cut out of what comes back: `token` goes into the
    Authorization header behind `scheme`, others into the `form`. `confidential`: a good answer holds tokens, so that no
    byte of it may be shown.
    """

    method: str
    url: str
    what: str
    params: Sequence[tuple[str, str]] = ()
    form: Form | None = None
    token: Secret | None = None
    scheme: str = "Bearer"
    headers: Mapping[str, str] = field(default_factory=dict)
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
    """Sends requests; each is bounded in time and size. Follows no redirect and keeps no cookie.

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
            # Connecting may take half of it, so that an outage is known as one: nothing was sent.
            timeout=httpx2.Timeout(timeout, connect=timeout / 2),
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
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._exchange(ask)
        except httpx2.TransportError as error:
            failure = _failure(ask, error)
        except TimeoutError:
            failure = Unknown(f"{ask.what}: no whole answer within {self._timeout:g} s")
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            failure = Unknown(f"{ask.what}: the answer could not be read ({_kind(error)})")
        except OSError as error:
            failure = Unknown(f"{ask.what}: the connection failed ({_kind(error)})")
        except ValueError as error:
            # A header that cannot be encoded holds a token: its text is not shown.
            failure = NotSent(f"{ask.what}: the request could not be sent ({_kind(error)})")
        else:
            if len(answer.body) <= self._max_body:
                return answer
            failure = Unknown(f"{ask.what}: answered {answer.status} with more than {self._max_body >> 10} KiB")
        raise failure

    async def request(self, ask: Ask, now: float) -> Answer:
        """`send`, and only good answers: what `checked` lets through."""
        return checked(await self.send(ask), now)

    async def aclose(self) -> None:
        """Close what is kept open."""
        await self._http.aclose()

    async def _exchange(self, ask: Ask) -> Answer:
        body = bytearray()
        async with self._http.stream(
            ask.method,
            ask.url,
            params=[*ask.params] or None,
            data=None if ask.form is None else {name: _text(value) for name, value in ask.form.items()},
            headers={**ask.headers, **({"Authorization": f"{ask.scheme} {ask.token.reveal()}"} if ask.token else {})},
        ) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > self._max_body:
                    break
            return Answer(ask, response.status_code, dict(response.headers), bytes(body))


def checked(answer: Answer, now: float, *, errors_in_200: bool = False) -> Answer:
    """The answer, if it is a good one.

    Raises Limited (429), Unauthorised (401), Refused (other 4xx in Twitch's words), Unknown (everything else).
    `errors_in_200`: Helix's errors have been seen as the body of a 200; they count as what their own `status` says. Not
    so at the sign-in server, where a no may end a sign-in.
    """
    status = answer.status
    told = _told(answer)
    if errors_in_200 and status == 200 and told is not None and told.status is not None and 400 <= told.status < 600:
        status = told.status
    if 200 <= status < 300:
        return answer
    message = None if told is None else told.message if told.message is not None or told.status is None else ""
    raise _error(answer, status, message, now)


def decode(answer: Answer, shape: type[T]) -> T:
    """The body as one value of `shape`, whose tokens are `Secret` from the start. Raises Unknown if it is not that."""
    try:
        return msgspec.json.decode(answer.body, type=shape, strict=False, dec_hook=_conceal)
    except (ValueError, RecursionError):
        pass
    raise odd(answer, "something else than was asked for" if answer.body.strip() else "an empty body")


def odd(answer: Answer, trouble: str) -> Unknown:
    """The error for an answer that makes no sense, with its first bytes as far as they may be shown."""
    return Unknown(f"{answer.ask.what}: answered {answer.status} with {trouble}{_excerpt(answer)}")


def points(headers: Mapping[str, str]) -> tuple[int, int, float] | None:
    """(remaining, limit, reset in epoch seconds) from the rate headers; None if they are not all there and sane."""
    try:
        remaining, limit = int(headers["ratelimit-remaining"]), int(headers["ratelimit-limit"])
        reset = float(int(headers["ratelimit-reset"]))
    except (KeyError, ValueError, OverflowError):
        return None
    return (remaining, limit, reset) if 0 <= remaining <= limit else None


def bounded(reset: float | None, now: float) -> float:
    """When to try again after a 429 with this reset: not at once, and not for ever."""
    if reset is None:
        return now + UNTOLD_WAIT
    return min(max(reset, now + SHORTEST_WAIT), now + LONGEST_WAIT)


class _Told(msgspec.Struct):
    status: int | None = None
    message: str | None = None
    error: str | None = None


def _told(answer: Answer) -> _Told | None:
    """Twitch's own error shape, what may be a secret cut out; None if the body is something else."""
    try:
        told = msgspec.json.decode(answer.body, type=_Told)
    except (ValueError, RecursionError):
        return None
    if told.status is None and told.message is None and told.error is None:
        return None
    return _Told(told.status, told.message and cut(told.message, answer.ask))


def _conceal(shape: type, value: object) -> Secret:
    if shape is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError("not a token")


def _error(answer: Answer, status: int, message: str | None, now: float) -> OutsideError:
    what, page = answer.ask.what, answer.body.lstrip()[:1] == b"<"
    if status == 429:
        return Limited(f"{what}: answered 429, too many requests", bounded(_reset(answer.headers), now))
    if not 400 <= status < 500:
        trouble = f": {message}" if message else _excerpt(answer)
        return Unknown(f"{what}: answered {status}{trouble}")
    if page or (message is None and answer.body.strip() and status != 401):
        # Not Twitch's words: a proxy, a portal, a wrong address. It says no for somebody else.
        return odd(answer, "something that is not Twitch's")
    words = message or ""
    text = f"{what}: answered {status}" + (f", {words}" if words else "")
    return Unauthorised(text, status, words) if status == 401 else Refused(text, status, words)


def _reset(headers: Mapping[str, str]) -> float | None:
    try:
        return float(int(headers["ratelimit-reset"]))
    except (KeyError, ValueError, OverflowError):
        return None


def _failure(ask: Ask, error: httpx2.TransportError) -> Unknown:
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout | httpx2.ProxyError):
        return NotSent(f"{ask.what}: could not connect ({_kind(error)})")
    if isinstance(error, httpx2.LocalProtocolError | httpx2.UnsupportedProtocol):
        return NotSent(f"{ask.what}: the request could not be sent ({_kind(error)})")
    return Unknown(f"{ask.what}: the connection failed before the answer was whole ({_kind(error)})")


def _text(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _kind(error: Exception) -> str:
    """The class of an error in words: `ConnectTimeout` is `connect timeout`. Its text may quote a header."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()


def _excerpt(answer: Answer) -> str:
    if not answer.body:
        return ""
    if answer.ask.confidential and answer.status < 400:
        return f" ({len(answer.body)} bytes, not shown: they may hold tokens)"
    text = cut(answer.body[: EXCERPT * 40].decode("utf-8", "replace"), answer.ask)
    return f": {text[:EXCERPT]}"


_NAMED = re.compile(
    r"""("?(?:access_token|refresh_token|device_code|client_secret|id_token|token)"?\s*[:=]\s*"?)[^"&\s,}]+""", re.I
)
_RUN = re.compile(r"(?:oauth|bearer)[: ]\S+|[A-Za-z0-9_-]{24,}", re.I)


def cut(text: str, ask: Ask) -> str:
    """`text` in one line without what may be a secret: what was sent as one, what is named so, what looks like one."""
    for secret in ask.secrets:
        if secret:
            text = text.replace(secret.reveal(), "***")
    text = _RUN.sub("***", _NAMED.sub(r"\1***", text))
    return re.sub(r"[\x00-\x1f\x7f-\x9f\s]+", " ", text).strip()[:300]
