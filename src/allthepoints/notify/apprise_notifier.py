"""Apprise as a Notifier: some 150 services, each behind an address that is a secret.

Theory. Apprise is synchronous, large (its import takes a second) and sleeps where a service wants it slower. So it is
imported when something is sent for the first time, and every call has a thread that nothing waits for at the end. Who
asks waits SEND_WITHIN seconds; a call that hangs keeps its place to itself, so that a host which never answers costs
one thread, and a call that ends well after all is not made again.

Apprise answers yes or no. What the service really answered is heard beneath it (`answers`); of a service that cannot
be heard, HTTP's status is read from the lines of Apprise's log. These may hold addresses, so they go nowhere. What we
tell is our own words, and a place is called by its schema and its number.
"""

from __future__ import annotations

import asyncio
import html
import logging
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from allthepoints.base.clock import Clock
from allthepoints.base.errors import Limited, Refused, Unknown
from allthepoints.base.secret import Secret
from allthepoints.base.threads import Unawaited
from allthepoints.notify.answers import Heard, hearing
from allthepoints.notify.shorten import cut, inert, plain, shorten
from allthepoints.ports import Notice

SEND_WITHIN = 30.0
"""Seconds. Apprise gives a socket 4 s to connect and 4 s for each read; what takes longer drips, or waits its turn."""

ASKED_TO_WAIT = 60.0
"""Seconds to wait after a 429 that does not say for how long. Who repeats it is asked ever more slowly."""

LONGEST_TITLE = 120
"""Characters of a title, where the service puts it into the text."""

SPARE = 8
"""Characters kept free for what Apprise puts between title and body: many services are given one text."""

_SCHEMA = re.compile(r"([a-z][a-z0-9+.-]{0,19})://", re.IGNORECASE)
_STATUS = re.compile(r"\berror[= ](\d{3})\b")

_CHATTY = ("apprise", "urllib3", "requests", "charset_normalizer")
"""Loggers whose lines may hold an address."""

_SAYS = {
    400: "it refuses the message",
    401: "it does not take the sign-in in its address",
    403: "it does not take the sign-in in its address",
    404: "there is nothing at its address any more",
    410: "there is nothing at its address any more",
    413: "the message is too long for it",
}

FOR_GOOD = range(400, 500)
"""Answers that the same message gets again, but for those that speak of time: 408, 425, 429."""


class AppriseNotifier:
    """The places behind `urls`, in their order. `within`: seconds that a send may take."""

    def __init__(self, urls: Sequence[Secret], clock: Clock, within: float = SEND_WITHIN) -> None:
        self._clock = clock
        self._within = within
        self._threads = Unawaited()
        self._places = [_Place(name_of(url, number), url) for number, url in enumerate(urls, 1)]
        self.places = tuple(place.name for place in self._places)
        for name in _CHATTY:
            _silence(logging.getLogger(name))

    async def send(self, place: int, notice: Notice) -> None:
        """See `ports.Notifier`."""
        there = self._places[place]
        if (flying := there.flying) is not None:
            said, call = flying
            outcome = await self._wait(there, call)
            if said == notice:
                self._judge(outcome)
                return
        call = asyncio.get_running_loop().run_in_executor(self._threads, _send, there, notice)
        there.flying = notice, call
        self._judge(await self._wait(there, call))

    async def _wait(self, place: _Place, call: asyncio.Future[_Outcome]) -> _Outcome:
        """The end of a call; only then is the place free for the next."""
        await asyncio.wait({call}, timeout=self._within)
        if not call.done():
            raise Unknown(f"no answer within {self._within:g} s")
        place.flying = None
        return call.result()

    def _judge(self, outcome: _Outcome) -> None:
        if outcome.sent:
            return
        status, text, wait = outcome.status, outcome.text, outcome.wait
        if status == 429 or (status == 503 and wait is not None):
            said = f" {wait:,.0f} s" if wait is not None else ""
            until = self._clock.now() + (ASKED_TO_WAIT if wait is None else wait)
            raise Limited(f"it asks to wait{said} (HTTP {status})", until)
        if status is not None and status in FOR_GOOD and status not in (408, 425):
            said = _SAYS.get(status, "it refuses the message")
            raise Refused(f"{said} (HTTP {status})", status)
        if outcome.useless:
            raise Refused(text, 0)
        raise Unknown(text if status is None else f"it has trouble of its own (HTTP {status})")


def name_of(url: Secret, number: int) -> str:
    """`discord #1`: by the schema, where there is one; nothing else of an address may be shown."""
    found = _SCHEMA.match(url.reveal())
    return f"{found.group(1).lower() if found else 'address'} #{number}"


@dataclass(slots=True)
class _Place:
    """`service` is made when it is first needed, by the one call that flies."""

    name: str
    url: Secret
    service: Any = None
    flying: tuple[Notice, asyncio.Future[_Outcome]] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How a call ended. `wait`: seconds that the service asks for. `useless`: it will not end otherwise."""

    sent: bool
    status: int | None = None
    text: str = ""
    useless: bool = False
    wait: float | None = None


def _send(place: _Place, notice: Notice) -> _Outcome:
    """On a thread. Never raises: what Apprise raises may hold the address."""
    try:
        import apprise  # noqa: PLC0415 -- see above
    except Exception as error:
        return _Outcome(False, text=f"Apprise cannot be used: {type(error).__name__}", useless=True)
    try:
        if place.service is None:
            place.service = _service(apprise, place.url.reveal())
        if place.service is None:
            return _Outcome(False, text="Apprise knows no service with such an address", useless=True)
        outcome = _notify(apprise, place.service, notice, inert)
        if outcome.status == 400:
            outcome = _again_without_markup(apprise, place.url.reveal(), notice)
    except Exception as error:
        return _Outcome(False, text=f"Apprise failed: {type(error).__name__}")
    return outcome


def _again_without_markup(apprise: Any, url: str, notice: Notice) -> _Outcome:
    """The service may have stumbled over a sign in the text: once more, in its own format and without any."""
    service = _service(apprise, _without_format(url))
    return _notify(apprise, service, notice, lambda text: plain(inert(text)))


def _without_format(url: str) -> str:
    address, _, query = url.partition("?")
    kept = [part for part in query.split("&") if part and not part.lower().startswith("format=")]
    return "?".join((address, "&".join(kept))) if kept else address


def _service(apprise: Any, url: str) -> Any:
    """What Apprise makes of an address; None where it can make nothing of it.

    Nothing is kept on the disk, no picture of another host is shown, and no redirection followed: a portal that wants
    a log-in first would have answered for the service.
    """
    asset = apprise.AppriseAsset(
        app_id="allthepoints",
        app_desc="allthepoints",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask=False,
        async_mode=False,
        interpret_emojis=False,
        http_redirects=False,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        service_timeout=0,
        pgp_autogen=False,
        pem_autogen=False,
    )
    with suppress(TypeError, ValueError, AttributeError, LookupError):  # how it stumbles over addresses that are none
        return _obedient(apprise.Apprise.instantiate(url, asset=asset))
    return None


def _obedient(service: Any) -> Any:
    if service is not None:
        service.optional = False  # `?optional=yes` would call a failure a success
    return service


def _notify(apprise: Any, service: Any, notice: Notice, made: Callable[[str], str]) -> _Outcome:
    import requests  # noqa: PLC0415 -- what Apprise speaks through

    title, body = fitted(service, notice, made)
    sender = apprise.Apprise(asset=service.asset)
    sender.add(service)
    kind = apprise.NotifyType.WARNING if notice.urgent else apprise.NotifyType.INFO
    with hearing(requests) as heard:
        result = sender.notify(body=body, title=title, notify_type=kind, body_format=apprise.NotifyFormat.TEXT)
    return _Outcome(True) if result else _failed(heard, [entry.message for entry in result.logs()])


def fitted(service: Any, notice: Notice, made: Callable[[str], str]) -> tuple[str, str]:
    """Title and body within what the service takes (both together, where it has no titles), also as HTML."""
    most: int = service.body_maxlen
    longest = service.title_maxlen if service.title_maxlen > 0 else min(LONGEST_TITLE, most // 2)
    title = cut(made(notice.title), longest)
    room = max(1, most - len(html.escape(title)) - SPARE)
    return title, shorten(made(notice.body), room, service.body_max_line_count)


def _failed(heard: Sequence[Heard], lines: Sequence[str]) -> _Outcome:
    """The last answer that was no yes tells why; where none was heard, the log does."""
    if (no := next((one for one in reversed(heard) if not 200 <= one.status < 300), None)) is not None:
        return _Outcome(False, no.status, wait=no.wait)
    found = [int(status) for line in lines for status in _STATUS.findall(line)]
    if found:
        return _Outcome(False, found[-1])
    unconnected = any("onnection error" in line for line in lines)
    return _Outcome(False, text="no connection came to be, or it broke" if unconnected else "it was not sent")


def _silence(logger: logging.Logger) -> None:
    """Nothing of it reaches our log. Apprise's own reading of its lines goes on; it reads warnings."""
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
