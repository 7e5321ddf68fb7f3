"""Faults that lie in wait: armed by name, taken by the code they trouble. Pure.

Others wait for a step of the client (`STEPS`): they are ordered when it comes there, before it is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from allthepoints.base.clock import Chance

STEPS = ("connect", "login", "join", "poll", "refresh", "read", "redeem")
"""What a client does, as the server sees it: a socket, PASS and NICK, JOIN; it asks who is live, renews its token, asks
for a balance, sends a redemption."""


@dataclass(slots=True)
class Trouble:
    """One armed fault: how often it still strikes (None: as often as asked), and until when."""

    parameters: Mapping[str, Any]
    left: int | None
    until: float | None


class Troubles:
    """All armed faults. `struck`: when each did, and its name."""

    def __init__(self, chance: Chance) -> None:
        self.struck: list[tuple[float, str]] = []
        self._chance = chance
        self._armed: dict[str, list[Trouble]] = {}
        self._waiting: dict[str, list[Callable[[], None]]] = {}

    def arm(self, name: str, parameters: Mapping[str, Any], now: float) -> None:
        """Lie in wait for the next `n`, or for `seconds`, or both; once, if neither is said."""
        times, seconds = parameters.get("n"), parameters.get("seconds")
        left = 1 if times is None and seconds is None else times
        until = None if seconds is None else now + seconds
        self._armed.setdefault(name, []).append(Trouble(parameters, left, until))

    def wait_for(self, step: str, call: Callable[[], None]) -> None:
        """Call it once, when the client next comes to that step."""
        self._waiting.setdefault(step, []).append(call)

    def came_to(self, step: str) -> None:
        """The client is there, and has no answer yet."""
        for call in self._waiting.pop(step, ()):
            call()

    def take(self, name: str, now: float, **scene: object) -> Mapping[str, Any] | None:
        """The parameters of the first such fault that fits the scene, spent once; None if there is none.

        A parameter that is None fits everything; `path` fits every path that it begins.
        """
        armed = self._armed.get(name)
        if not armed:
            return None
        armed[:] = [t for t in armed if t.left != 0 and (t.until is None or now < t.until)]
        for trouble in armed:
            if _fits(trouble.parameters, scene) and self._strikes(trouble):
                if trouble.left is not None:
                    trouble.left -= 1
                self.struck.append((now, name))
                return trouble.parameters
        return None

    def disarm(self, name: str | None = None) -> None:
        """Forget the armed faults of a name, or all."""
        if name is None:
            self._armed.clear()
        else:
            self._armed.pop(name, None)

    def _strikes(self, trouble: Trouble) -> bool:
        chance = trouble.parameters.get("chance", 1.0)
        return bool(chance >= 1.0 or self._chance.draw() < chance)


def _fits(parameters: Mapping[str, Any], scene: Mapping[str, object]) -> bool:
    for key, value in scene.items():
        wanted = parameters.get(key)
        if wanted is None:
            continue
        if key == "path":
            if not str(value).startswith(wanted):
                return False
        elif isinstance(value, frozenset | set | list | tuple):
            if wanted not in value:
                return False
        elif wanted != value:
            return False
    return True
