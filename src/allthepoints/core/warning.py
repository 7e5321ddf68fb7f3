"""A warning, and what makes one: a row of the tables in `core.health` and `core.health_points`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # who only reads warnings starts faster
    from allthepoints.core.observed import Observed
    from allthepoints.core.policy import Policy

INFO, WARNING, ERROR = "info", "warning", "error"


@dataclass(frozen=True, slots=True)
class Warning:
    """`severity`: info, warning or error. `since`: when the condition began, in epoch seconds."""

    code: str
    severity: str
    title: str
    text: str
    since: float


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of warning.

    `since(policy, observed, now)` tells when the condition began, or None where it does not hold. `delay` in seconds.
    `text` may hold `{detail}`, which `detail` fills in.
    """

    code: str
    severity: str
    title: str
    text: str
    since: Callable[[Policy, Observed, float], float | None]
    detail: Callable[[Policy, Observed, float], str] = lambda _p, _o, _n: ""
    delay: float = 0.0
    hidden_by: tuple[str, ...] = ()
