"""Asking for many by name: 100 a call, and what to do when one of them is called malformed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from allthepoints.base.errors import Refused
from allthepoints.base.types import Login, UserId

BATCH = 100
"""Ids and logins of one call together (Get Users counts them together, Get Streams each)."""

DAY = 86_400.0
"""Seconds after which a name that was set aside is asked for again."""

Name = tuple[Literal["id", "login"], str]
"""One channel as it is asked for."""

Batch = tuple[Name, ...]


def names(ids: Iterable[UserId], logins: Iterable[Login]) -> list[Name]:
    """In a steady order, so that a channel is asked for in the same company at every poll."""
    return [("id", value) for value in sorted(ids)] + [("login", value) for value in sorted(logins)]


def batches(wanted: list[Name]) -> list[Batch]:
    """Cut into calls."""
    return [tuple(wanted[at : at + BATCH]) for at in range(0, len(wanted), BATCH)]


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """Cut once more, to find the one that spoils the rest."""
    middle = len(batch) // 2
    return batch[:middle], batch[middle:]


def too_many(no: Refused) -> bool:
    """Whether Helix says that the call held too much. Then the fault is ours, and says nothing about any channel."""
    return re.search(r"less than or equal to 100|100 of each|at most 100|exceed 100", no.message, re.I) is not None


class Aside:
    """Names that Helix called malformed; each is left alone for a day."""

    def __init__(self) -> None:
        self._until: dict[Name, float] = {}

    def add(self, found: Iterable[Name], now: float) -> None:
        """Leave these alone from now on; those that already are keep their time."""
        for name in found:
            self._until.setdefault(name, now + DAY)

    def at(self, now: float) -> frozenset[Name]:
        """Those that are not to be asked for now."""
        self._until = {name: until for name, until in self._until.items() if until > now}
        return frozenset(self._until)
