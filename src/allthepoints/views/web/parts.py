"""What a page, an action and a fragment are: the border between the server (`app.py`) and the pages (`pages.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.requests import Request

from allthepoints.views.web.board import Board


class Page(Protocol):
    """Something that is got. `path` as Starlette writes it (`/channel/{login}`), without the base path."""

    @property
    def path(self) -> str: ...
    @property
    def template(self) -> str: ...

    async def context(self, board: Board, request: Request) -> Mapping[str, Any]:
        """What the template is given, beside what `render` gives each. Raises NotFound."""
        ...


@dataclass(frozen=True, slots=True)
class Fragment:
    """What an action answers: HTML that htmx puts in its place. `headers` are htmx's own (`HX-Trigger` ...)."""

    html: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Action(Protocol):
    """Something that is done. It is run only behind the guard: same origin, signed in, with the token."""

    async def run(self, board: Board, form: Mapping[str, str]) -> Fragment:
        """`form`: what was sent and what stands in the path. A ValueError or an AllThePointsError becomes an answer
        that tells it; with a form field that is there several times, the values are joined by a line feed."""
        ...


class Troubled(Exception):
    """A page cannot be made; it is told in `template`, with `context`. `told`: the same in one line of text."""

    def __init__(self, told: str, template: str, context: Mapping[str, Any]) -> None:
        super().__init__(told)
        self.template = template
        self.context = context


class NotFound(Exception):
    """There is no such thing; the text says what."""
