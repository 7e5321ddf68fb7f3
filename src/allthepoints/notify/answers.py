"""What services really answered, and when they may be asked again: what Apprise keeps to itself.

Theory. Apprise tells yes or no. Nearly all of its services speak through one class, `requests.Session`, whose `send`
is wrapped here once. Whoever opens `hearing` on a thread has the answers noted that come on this thread; everybody
else is untouched. A service that goes another way (a socket of its own, another library) is not heard; what is known
of it then are the lines of Apprise's log.

How long to wait is told in four ways: `Retry-After` in seconds or as a date, `retry_after` in the JSON of the answer
(Discord; Telegram, under `parameters`), `retry_after_ms` (Matrix). A date is read against the answer's own `Date`, so
that a clock of ours that is wrong does not matter.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import wraps
from typing import Any

LONGEST = 86_400.0
"""Seconds: whoever asks for more is not believed."""

BODY = 20_000
"""Bytes of an answer that are looked into; what tells when to come again is short."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer. `wait`: seconds from when it came until it may be asked again; None: it did not say."""

    status: int
    wait: float | None = None


@contextmanager
def hearing(requests: Any) -> Iterator[list[Heard]]:
    """The answers that come on this thread meanwhile, in their order. `requests`: the module."""
    _listen(requests)
    heard: list[Heard] = []
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


def wait_of(headers: Mapping[str, str], body: bytes) -> float | None:
    """Seconds until a service that gave this answer may be asked again; None: it does not say, or nothing sensible.

    `headers`: read by any case. At most LONGEST.
    """
    seconds = _by_header(headers)
    seconds = _by_body(body) if seconds is None else seconds
    return None if seconds is None else min(max(0.0, seconds), LONGEST)


_heard: ContextVar[list[Heard] | None] = ContextVar("heard", default=None)
_wrapping = threading.Lock()


def _listen(requests: Any) -> None:
    """Wrap `send`, once for each class that is there."""
    with _wrapping:
        session = requests.Session
        if not getattr(session.send, "_allthepoints", False):
            session.send = _noting(session.send)


def _noting(send: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(send)
    def noting(*args: Any, **kwargs: Any) -> Any:
        response = send(*args, **kwargs)
        if (heard := _heard.get()) is not None:
            heard.append(_noted(response, streams=bool(kwargs.get("stream"))))
        return response

    noting._allthepoints = True  # type: ignore[attr-defined]
    return noting


def _noted(response: Any, streams: bool) -> Heard:
    """Never raises: a mistake here must not cost a notice that arrived. A stream is the caller's to read."""
    status = int(response.status_code)
    if status < 400:
        return Heard(status)
    try:
        return Heard(status, wait_of(response.headers, b"" if streams else response.content[:BODY]))
    except Exception:
        return Heard(status)


def _by_header(headers: Mapping[str, str]) -> float | None:
    by_name = {name.lower(): value for name, value in headers.items()}
    text = by_name.get("retry-after", "").strip()
    if not text:
        return None
    if (seconds := _number(text)) is not None:
        return seconds
    until, date = _date(text), _date(by_name.get("date", ""))
    return None if until is None or date is None else until - date


def _by_body(body: bytes) -> float | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    parameters = value.get("parameters")
    found = [value, *([parameters] if isinstance(parameters, dict) else [])]
    for one in found:
        if (seconds := _number(one.get("retry_after"))) is not None:
            return seconds
        if (milliseconds := _number(one.get("retry_after_ms"))) is not None:
            return milliseconds / 1000.0
    return None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
