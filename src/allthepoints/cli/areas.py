"""What `--verbose=AREA` may name: parts of the program in a person's words, and the loggers that speak for each."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from allthepoints.base.errors import UsageError

AREAS: dict[str, tuple[str, ...]] = {
    "chat": (
        "allthepoints.service.connection",
        "allthepoints.irc",
        "allthepoints.twitch.chat",
        "allthepoints.twitch.link",
    ),
    "helix": ("allthepoints.service.reads", "allthepoints.twitch.helix", "allthepoints.twitch.http"),
    "signin": (
        *("allthepoints.twitch.oauth", "allthepoints.twitch.tokens", "allthepoints.twitch.signin"),
        *("allthepoints.twitch.apptoken", "allthepoints.twitch.http"),
    ),
    "streamelements": ("allthepoints.streamelements", "allthepoints.service.elements"),
    "storage": ("allthepoints.storage", "allthepoints.service.recorder"),
    "notify": ("allthepoints.notify", "allthepoints.service.alerting", "allthepoints.operation.alerts"),
    "dashboard": ("allthepoints.views.web", "allthepoints.operation.face"),
    "config": ("allthepoints.config", "allthepoints.operation.reload"),
    "plan": ("allthepoints.service.loop",),
}
"""Each area's loggers; those below them count too."""

ALL = "all"


def areas_in(text: str) -> tuple[str, ...]:
    """The areas that `chat,helix` names, each once. Raises UsageError for one that does not exist."""
    named = [name.strip().casefold() for name in text.split(",") if name.strip()]
    for name in named:
        if name not in AREAS and name != ALL:
            close = get_close_matches(name, [*AREAS, ALL], 1)
            meant = f"; did you mean {close[0]}?" if close else ""
            raise UsageError(f"--verbose: there is no area {name!r}{meant}", f"Areas: {', '.join([*AREAS, ALL])}.")
    return tuple(dict.fromkeys(named))


def loggers_of(areas: Iterable[str]) -> bool | tuple[str, ...]:
    """What `base.logs.log_to` takes: the loggers of these areas; True for all there are, False for none."""
    names = tuple(areas)
    if ALL in names:
        return True
    return tuple(logger for name in names for logger in AREAS[name]) or False
