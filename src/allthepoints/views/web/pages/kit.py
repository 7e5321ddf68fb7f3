"""What pages are made with: the shapes of the border, filters of the templates, and what every page is given."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from starlette.requests import Request

from allthepoints.base.errors import AllThePointsError
from allthepoints.base.types import Login, NotALogin, as_login
from allthepoints.service.snapshot import Snapshot
from allthepoints.views.text import (
    ClockForm,
    amount,
    as_clock_time,
    change,
    clean,
    clock_form,
    count,
    duration,
    iso,
    local,
    name,
    number,
    per_hour,
    when,
)
from allthepoints.views.web import render as rendering
from allthepoints.views.web.board import Board
from allthepoints.views.web.parts import Fragment, NotFound, Troubled
from allthepoints.views.wishes import bounds

PLACES = (("", "Now"), ("store", "Store"), ("activity", "Activity"), ("health", "Health"), ("settings", "Settings"))
"""The five places of the bar: path and name."""

TOPICS = frozenset({"now", "store", "activity", "health", "settings"})

STREAM = "https://www.twitch.tv/"


@dataclass(frozen=True, slots=True)
class View:
    """A page, made of one function."""

    path: str
    template: str
    make: Callable[[Board, Request], Awaitable[Mapping[str, Any]]]

    async def context(self, board: Board, request: Request) -> Mapping[str, Any]:
        """What the template is given. Raises Troubled where the memory cannot be read."""
        await board.look_ahead()
        given = {**common(board), **_of_request(board, request)}
        try:
            return {**given, **await self.make(board, request)}
        except AllThePointsError as error:
            raise Troubled(told_whole(error), "trouble.html", {**given, **trouble_of(error)}) from error


@dataclass(frozen=True, slots=True)
class Doing:
    """An action, made of one function."""

    do: Callable[[Board, Mapping[str, str]], Awaitable[Fragment]]

    async def run(self, board: Board, form: Mapping[str, str]) -> Fragment:
        """See `parts.Action`."""
        return await self.do(board, form)


def common(board: Board) -> dict[str, Any]:
    """What pages and fragments alike are given."""
    return {"now": board.now(), "zone": board.zone}


def piece(board: Board, template: str, /, **context: Any) -> str:
    """The HTML of a fragment."""
    return rendering.render(board, template, **common(board), **context)


def fragment(board: Board, template: str, /, status: int = 200, **context: Any) -> Fragment:
    """The answer of an action."""
    return Fragment(piece(board, template, **context), status)


def told_whole(error: AllThePointsError) -> str:
    """What is wrong, and what to do."""
    return f"{str(error).rstrip('.')}. {error.hint}".strip()


def trouble_of(error: AllThePointsError | None) -> dict[str, Any]:
    """What is shown where the memory cannot be read; of None, nothing."""
    return {
        "trouble": None if error is None else f"{str(error).rstrip('.')}.",
        "cure": "" if error is None else error.hint,
    }


def login_in(values: Mapping[str, str], key: str = "login") -> Login:
    """The channel that is named. Raises ValueError."""
    text = values.get(key, "")
    try:
        return as_login(text)
    except NotALogin as error:
        raise ValueError(f"{clean(text)[:60] or 'nothing'} is not a channel: {error}") from None


def login_in_path(request: Request) -> Login:
    """The channel of the address. Raises NotFound."""
    try:
        return login_in(request.path_params)
    except ValueError as error:
        raise NotFound(str(error)) from None


def health_of(snapshot: Snapshot | None) -> tuple[str, str]:
    """The dot of the service: a word for its looks, and what it says."""
    if snapshot is None:
        return "asked", "starting"
    worst = {warning.severity for warning in snapshot.warnings}
    if "error" in worst:
        return "refused", "needs you"
    return ("waiting", "running, with a warning") if "warning" in worst else ("present", "running")


def _of_request(board: Board, request: Request) -> dict[str, Any]:
    snapshot = board.snapshot()
    path = request.url.path.removeprefix(board.base_path).strip("/").split("/")[0]
    here = {"channel": "", "redeem": "store", "redemption": "store"}.get(path, path)
    return {
        "bare": request.headers.get("hx-request") == "true" and request.headers.get("hx-target") == "dialog-body",
        "csrf": board.csrf(request),
        "version": board.version,
        "zone_name": board.settings().display.zone,
        "places": PLACES,
        "here": here,
        "sentence": board.sentence(),
        "topic": _topic(path, request),
        **trouble_of(None),
        "health": health_of(snapshot),
        "account": snapshot.account.login if snapshot is not None and snapshot.account is not None else None,
    }


def _topic(path: str, request: Request) -> str:
    """What a page of this address is told the changes of (`fragments`)."""
    if path == "channel":
        return f"channel/{str(request.path_params.get('login', ''))[:40].lower()}"
    return path if path in TOPICS else "" if path else "now"


_TYPED = re.compile(r"`([^`]+)`")


# -- filters -------------------------------------------------------------------------------------------------------
def moment(at: float | None, now: float, zone: tzinfo) -> Markup:
    """`14:20` or `24 Nov`, the exact time in a tooltip and for programs."""
    return Markup("") if at is None else _clock(at, clock_form(at, now), zone)


@pass_context
def _moment(context: Context, at: float | None, empty: str = "") -> str | Markup:
    return empty if at is None else moment(at, context["now"], context["zone"])


@pass_context
def _ago(context: Context, at: float | None, empty: str = "") -> str | Markup:
    """`20 min ago`, the exact time in a tooltip."""
    if at is None:
        return empty
    now, zone = context["now"], context["zone"]
    return _time(at, local(at, zone), when(at, now, zone))


@lru_cache(12_000)
def _clock(at: float, form: ClockForm, zone: tzinfo) -> Markup:
    """A page of 2,000 channels has 6,000, and few of them are different from before."""
    there = local(at, zone)
    return _time(at, there, as_clock_time(there, form))


def _time(at: float, there: datetime, text: str) -> Markup:
    """Made of digits and our own words alone, so nothing is to be escaped."""
    exact = there.replace(microsecond=0, tzinfo=None)
    return Markup(f'<time datetime="{iso(at, "seconds")}" title="{exact}">{text}</time>')  # noqa: S704


def _prose(text: str) -> Markup:
    """A sentence in which what stands between backticks is to be typed."""
    return Markup(_TYPED.sub(r"<code>\1</code>", str(escape(clean(text)))))  # noqa: S704 -- escaped


def _stream(login: str) -> str:
    return STREAM + login


rendering.ENVIRONMENT.filters.update(
    number=number,
    count=count,
    amount=amount,
    change=change,
    clean=clean,
    duration=duration,
    per_hour=per_hour,
    who=name,
    moment=_moment,
    ago=_ago,
    stream=_stream,
    prose=_prose,
    bounds=bounds,
)
