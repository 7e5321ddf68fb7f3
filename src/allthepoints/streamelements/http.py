"""What each of StreamElements' answers means, and when a call must wait.

Theory. StreamElements stands behind a proxy, and both of them answer. What StreamElements itself says is JSON, and its
errors name their status: `{"statusCode": 400, "error": "Bad Request", "message": "..."}`. Only that is a clear no. All
else (the proxy's pages, a captive portal, other people's JSON, half a body, 5xx) is `Unknown`.

Limits are told by `x-ratelimit-*`, whose reset is in epoch milliseconds, and by `Retry-After`. Both are read against
the answer's own `Date`, so that a clock that is wrong here does not wait for hours. A kind of call whose limit is used
up but for one is not sent before the reset: it ends as `Limited` at once.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import msgspec

from allthepoints.base.addresses import check_http
from allthepoints.base.clock import Clock
from allthepoints.base.errors import Limited, OutsideError, Refused, Unauthorised, Unknown
from allthepoints.base.secret import Secret
from allthepoints.base.types import JSON
from allthepoints.web import LONGEST_WAIT, SHORTEST_WAIT, Answer, Ask, Client, cut, excerpt, odd

log = logging.getLogger(__name__)

BELIEVED = 86_400.0
"""Seconds that their clock may differ from ours. A `Date` further off is not of the same time line."""

UNTOLD_WAIT = 60.0
"""Seconds to wait after a 429 that does not say how long: the window of their limit."""

LONGEST_RETRY = 3600.0
"""Seconds that a `Retry-After` may hold us. The proxy shuts out for longer than the API's own window."""

SPARE = 1
"""Calls that are left unused in each window: others on this address may need one too."""

_NO_ANSWER = frozenset({408, 425, 499})
"""4xx that say that the request was not heard to its end: no clear no."""


class Calls:
    """Calls to StreamElements at the base URL `base`: each is sent once, and none while its kind has to wait.

    `kind` is a short name of what is asked for; "reading the <kind>" stands in error texts. Raises BadAddress for a
    base to which no token may be sent: plain HTTP to another machine.
    """

    def __init__(self, client: Client, base: str, clock: Clock) -> None:
        self._client = client
        self._base = check_http(base)
        self._clock = clock
        self._not_before: dict[str, float] = {}
        self.ahead: float | None = None
        """Seconds by which their clock is ahead of ours, by the last good answer; None: it does not tell."""

    async def get(
        self,
        kind: str,
        *path: str,
        params: Sequence[tuple[str, str]] = (),
        token: Secret | None = None,
        confidential: bool = False,
    ) -> Answer:
        """A good answer. Raises Limited, Unauthorised, Refused, NotSent, Unknown."""
        what = f"reading the {kind}"
        if (until := self.waits_until(kind)) is not None:
            raise Limited(f"{what}: not asked, their limit is used up", until)
        ask = Ask("GET", self._url(path), what, params=params, token=token, confidential=confidential)
        answer = checked(await self._send(kind, ask), self._clock.now())
        self.ahead = _ahead(answer.headers, self._clock.now())
        return answer

    async def post(self, kind: str, *path: str, json: JSON, token: Secret, within: float) -> Answer:
        """Whatever came back of a POST whose good answer may hold a secret. Raises NotSent, Unknown."""
        ask = Ask("POST", self._url(path), kind, json=json, token=token, within=within, confidential=True)
        return await self._send(kind, ask)

    def waits_until(self, kind: str) -> float | None:
        """Until when nothing of this kind may be sent; None: now it may."""
        until = self._not_before.get(kind, 0.0)
        return until if until > self._clock.now() else None

    async def _send(self, kind: str, ask: Ask) -> Answer:
        answer = await self._client.send(ask)
        log.debug("%s: answered %d, %d bytes", ask.what, answer.status, len(answer.body))
        until = wait_of(answer, self._clock.now())
        if until is not None:
            self._not_before[kind] = until
        return answer

    def _url(self, path: Sequence[str]) -> str:
        return "/".join((self._base, *(quote(part, safe="") for part in path)))


def checked(answer: Answer, now: float) -> Answer:
    """The answer, if it is a good one.

    Raises Limited (429, or an outage that says when to come back), Unauthorised (401), Refused (other 4xx), the latter
    two only in StreamElements' own words; Unknown for everything else. An error in the body of a 200 counts as what its
    own `statusCode` says.
    """
    words = words_of(answer)
    status = answer.status if words is None or answer.status != 200 else words[0]
    if 200 <= status < 300:
        return answer
    raise _error(answer, status, None if words is None else words[1], now)


def words_of(answer: Answer) -> tuple[int, str] | None:
    """Status and words of an error that is StreamElements' own, what may be a secret cut out; None: it is none."""
    try:
        told = msgspec.json.decode(answer.body, type=_Told)
    except (ValueError, RecursionError):
        return None
    status = _status(told.statusCode)
    if status is None or not 400 <= status < 600:
        return None
    said = [text for text in (told.message, told.error) if isinstance(text, str) and text.strip()]
    return status, cut(said[0], answer.ask) if said else ""


def clear_no(answer: Answer) -> Refused | None:
    """The error, where the answer is StreamElements' own and says that nothing was done; None: it does not say that.

    For calls that change something. A limit counts: what it turns away was not looked at.
    """
    words = words_of(answer)
    status = answer.status if words is None or answer.status != 200 else words[0]
    if words is None or not (400 <= status < 500 and 400 <= words[0] < 500) or {status, words[0]} & _NO_ANSWER:
        return None
    return _refusal(answer, status, words[1])


def wait_of(answer: Answer, now: float) -> float | None:
    """Until when nothing of this kind should be asked any more, on our clock; None: it may go on."""
    headers, words = answer.headers, words_of(answer)
    limited = 429 in (answer.status, words[0] if words and answer.status == 200 else 0)
    if (limited or answer.status == 503) and (seconds := _retry_after(headers, now)) is not None:
        return now + min(max(seconds, SHORTEST_WAIT), LONGEST_RETRY)
    seconds = _reset_in(headers, now)
    if limited:
        return now + (UNTOLD_WAIT if seconds is None else min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT))
    remaining = _number(headers.get("x-ratelimit-remaining"))
    if remaining is None or remaining > SPARE or seconds is None or seconds <= 0:
        return None
    return now + min(seconds, LONGEST_WAIT)


class _Told(msgspec.Struct):
    statusCode: Any = None
    error: Any = None
    message: Any = None


def _error(answer: Answer, status: int, words: str | None, now: float) -> OutsideError:
    what = answer.ask.what
    until = wait_of(answer, now)
    if status == 429:
        return Limited(f"{what}: answered 429, too many requests", until or now + UNTOLD_WAIT)
    if status == 503 and until is not None and _retry_after(answer.headers, now) is not None:
        return Limited(f"{what}: answered 503, come back later", until)
    if not 400 <= status < 500 or status in _NO_ANSWER:
        return Unknown(f"{what}: answered {status}" + (f", {words}" if words else excerpt(answer)))
    if words is None:
        return odd(answer, "something that is not StreamElements'")
    return _refusal(answer, status, words)


def _refusal(answer: Answer, status: int, words: str) -> Refused:
    text = f"{answer.ask.what}: answered {status}" + (f", {words}" if words else "")
    return Unauthorised(text, status, words) if status == 401 else Refused(text, status, words)


def _status(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds, from a number of them or from a date."""
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None or text is None:
        return seconds
    at = _date(text)
    return None if at is None else at - _their_now(headers, now)


def _reset_in(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to the reset. Milliseconds since the epoch as a rule; seconds, and seconds from now, are told apart."""
    reset = _number(headers.get("x-ratelimit-reset"))
    if reset is None or reset <= 0:
        return None
    if reset < 1e8:
        return reset
    return (reset / 1000.0 if reset > 1e11 else reset) - _their_now(headers, now)


def _ahead(headers: Mapping[str, str], now: float) -> float | None:
    at = _date(headers.get("date", ""))
    return None if at is None or abs(at - now) > BELIEVED else at - now


def _their_now(headers: Mapping[str, str], now: float) -> float:
    return now + (_ahead(headers, now) or 0.0)


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
