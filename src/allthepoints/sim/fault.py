"""What a fault is, and the parameters that many of them have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from allthepoints.sim.durations import seconds as as_seconds

if TYPE_CHECKING:
    from allthepoints.sim.faults import Desk

REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Parameter:
    """`kind`: duration (seconds or "90s"), number, count, text, flag. None as default: may be left out."""

    kind: str
    default: Any = None
    choices: tuple[str, ...] = ()

    def read(self, name: str, value: object) -> Any:
        """The value in its type. Raises ValueError."""
        if value is None and self.default is None:
            return None
        if self.kind == "duration":
            return as_seconds(value)
        if self.kind == "number" and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if self.kind == "count" and isinstance(value, int) and not isinstance(value, bool):
            return value
        if self.kind == "flag" and isinstance(value, bool):
            return value
        if self.kind == "text" and isinstance(value, str | int) and (not self.choices or value in self.choices):
            return str(value)
        wanted = " or ".join(f'"{choice}"' for choice in self.choices) or self.kind
        raise ValueError(f"{name}: expected {wanted}, got {value!r}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of the table. `apply` is None for armed faults."""

    name: str
    does: str
    source: str
    parameters: Mapping[str, Parameter]
    apply: Callable[[Desk, dict[str, Any]], None] | None = None


def duration(default: Any = None) -> Parameter:
    """A parameter that is a time."""
    return Parameter("duration", default)


def text(default: Any = None, *choices: str) -> Parameter:
    """A parameter that is a word; of these, if some are given."""
    return Parameter("text", default, choices)


NEXT = {"n": Parameter("count"), "seconds": duration(), "chance": Parameter("number", 1.0)}
ON_CALL = {**NEXT, "path": text("/")}
CHANNEL = {"channel": text(REQUIRED)}
WHOM = {**CHANNEL, "account": text()}
ROOM = {"channel": text()}
