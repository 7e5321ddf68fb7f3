"""What each of Twitch's answers means, Helix's and OAuth's.

Theory. An answer is good (2xx with JSON), a clear no (4xx in Twitch's own words), or it is nothing at all. Whatever
else comes (an outage, a captive portal's page, half a body, somebody else's JSON) says nothing about the world and
becomes `Unknown`, so that nothing is decided from it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec

from allthepoints.base.errors import Limited, OutsideError, Refused, Unauthorised, Unknown
from allthepoints.web import Answer, Ask, Client, bounded, cut, excerpt, odd

log = logging.getLogger(__name__)


async def request(client: Client, ask: Ask, now: float) -> Answer:
    """`client.send`, and only good answers: what `checked` lets through."""
    return checked(await client.send(ask), now)


def checked(answer: Answer, now: float, *, errors_in_200: bool = False) -> Answer:
    """The answer, if it is a good one.

    Raises Limited (429), Unauthorised (401), Refused (other 4xx in Twitch's words), Unknown (everything else).
    `errors_in_200`: Helix's errors have been seen as the body of a 200; they count as what their own `status` says. Not
    so at the sign-in server, where a no may end a sign-in.
    """
    status = answer.status
    log.debug("%s: answered %d, %d bytes", answer.ask.what, status, len(answer.body))
    told = _told(answer)
    if errors_in_200 and status == 200 and told is not None and told.status is not None and 400 <= told.status < 600:
        status = told.status
    if 200 <= status < 300:
        return answer
    message = None if told is None else told.message if told.message is not None or told.status is None else ""
    raise _error(answer, status, message, now)


def points(headers: Mapping[str, str]) -> tuple[int, int, float] | None:
    """(remaining, limit, reset in epoch seconds) from the rate headers; None if they are not all there and sane."""
    try:
        remaining, limit = int(headers["ratelimit-remaining"]), int(headers["ratelimit-limit"])
        reset = float(int(headers["ratelimit-reset"]))
    except (KeyError, ValueError, OverflowError):
        return None
    return (remaining, limit, reset) if 0 <= remaining <= limit else None


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


def _error(answer: Answer, status: int, message: str | None, now: float) -> OutsideError:
    what, page = answer.ask.what, answer.body.lstrip()[:1] == b"<"
    if status == 429:
        return Limited(f"{what}: answered 429, too many requests", bounded(_reset(answer.headers), now))
    if not 400 <= status < 500:
        trouble = f": {message}" if message else excerpt(answer)
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
