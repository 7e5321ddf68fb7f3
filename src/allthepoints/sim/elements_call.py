"""One call of StreamElements' REST interface: its path and query, read strictly, and Joi's words for what is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.requests import Request

from allthepoints.sim.web import Problem

GUID = re.compile(r"[0-9a-fA-F]{24}\Z")


@dataclass(slots=True)
class Call:
    """One call. `name`: its kind, under which it is counted."""

    request: Request
    name: str
    known: frozenset[str]

    def text(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def number(self, name: str, default: int, lowest: int, highest: int | None = None) -> int:
        """A number of the query. Raises Problem 400."""
        raw = self.request.query_params.get(name)
        if raw is None:
            return default
        if not re.fullmatch(r"-?[0-9]{1,9}", raw):
            raise invalid(name, f'"{name}" must be a number')
        if int(raw) < lowest:
            raise invalid(name, f'"{name}" must be larger than or equal to {lowest}')
        if highest is not None and int(raw) > highest:
            raise invalid(name, f'"{name}" must be less than or equal to {highest}')
        return int(raw)

    def guid(self, name: str) -> str:
        """An id of the path. Raises Problem 400 for what cannot be one."""
        text = self.text(name)
        if not GUID.match(text):
            label = "itemId" if name == "item" else name
            raise invalid(label, f'"{label}" fails to match the required pattern: /^[0-9a-fA-F]{{24}}$/')
        return text.lower()


class Invalid(Problem):
    """What Joi says: with the field."""

    def __init__(self, name: str, message: str, detail: str) -> None:
        super().__init__(400, message)
        self.field = (name, detail)


def invalid(name: str, detail: str) -> Problem:
    """400, as Joi says it."""
    return Invalid(name, f'child "{name}" fails because [{detail}]', detail)


def field_of(problem: Problem) -> tuple[str, str] | None:
    """The field and what is wrong with it, if that is what the problem is."""
    return problem.field if isinstance(problem, Invalid) else None
