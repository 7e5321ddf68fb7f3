"""A day that shows something, made small: with fewer faults, fewer channels, less time. And a day as TOML.

Delta debugging over the faults (Zeller and Hildebrandt's ddmin), then channels one by one, then time, then faults once
more, until nothing can be taken away or the trials are used up. A day is kept when it still shows the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
import tomlkit

from allthepoints.sim.scenario import Broadcast, ChannelPlan, FaultPlan, Scenario, parse

T = TypeVar("T")

SLACK = 120.0
"""Seconds kept behind the last thing that happens."""

SHORTER = (0.1, 0.25, 0.5, 0.75)
"""What part of a day is tried in place of all of it."""


class _Trials:
    """Asks at most so many times; after that nothing shows anything."""

    def __init__(self, shows: Callable[[Scenario], bool], trials: int) -> None:
        self._shows = shows
        self.left = trials

    def __call__(self, day: Scenario) -> bool:
        if self.left <= 0:
            return False
        self.left -= 1
        return self._shows(day)


def shrink(day: Scenario, shows: Callable[[Scenario], bool], trials: int = 200) -> Scenario:
    """The smallest day found that still `shows` it; the day itself, which is not asked for, if none is smaller."""
    ask = _Trials(shows, trials)
    before = None
    while day != before and ask.left > 0:
        before = day
        day = _shorter(day, ask)
        day = _fewer_faults(day, ask)
        day = _fewer_channels(day, ask)
    return day


def _shorter(day: Scenario, ask: Callable[[Scenario], bool]) -> Scenario:
    for part in SHORTER:
        if ask(cut := until(day, round(day.duration * part))):
            return cut
    last = max((fault.at for fault in day.faults), default=0.0) + SLACK
    if last < day.duration and ask(cut := until(day, round(last))):
        return cut
    return day


def until(day: Scenario, end: float) -> Scenario:
    """Its beginning."""
    faults = tuple(fault for fault in day.faults if fault.at < end)
    channels = tuple(
        msgspec.structs.replace(channel, broadcasts=tuple(b for b in channel.broadcasts if b.start < end))
        for channel in day.channels
    )
    return msgspec.structs.replace(day, duration=float(end), faults=faults, channels=channels)


def _fewer_faults(day: Scenario, ask: Callable[[Scenario], bool]) -> Scenario:
    def with_faults(faults: Sequence[FaultPlan]) -> Scenario:
        return msgspec.structs.replace(day, faults=tuple(faults))

    return with_faults(fewest(day.faults, lambda faults: ask(with_faults(faults))))


def fewest(parts: Sequence[T], shows: Callable[[Sequence[T]], bool]) -> Sequence[T]:
    """ddmin: parts of which none can be left out. In their order."""
    pieces = 2
    while parts:
        size = -(-len(parts) // pieces)
        for begin in range(0, len(parts), size):
            rest = [*parts[:begin], *parts[begin + size :]]
            if shows(rest):
                parts, pieces = rest, max(2, pieces - 1)
                break
        else:
            if size == 1:
                return parts
            pieces = min(len(parts), pieces * 2)
    return parts


def _fewer_channels(day: Scenario, ask: Callable[[Scenario], bool]) -> Scenario:
    """Without the channels that no fault names; each keeps its id, whatever its place."""
    named = {fault.parameters.get("channel") for fault in day.faults}
    needed = [one for one in day.channels if one.id in named or one.login in named]
    others = [one for one in day.channels if one not in needed]

    def with_others(kept: Sequence[ChannelPlan]) -> Scenario:
        channels = tuple(one for one in day.channels if one in needed or one in kept)
        return msgspec.structs.replace(day, channels=channels)

    return with_others(fewest(others, lambda kept: ask(with_others(kept))))


# -- TOML ------------------------------------------------------------------------------------------------------------
def as_toml(day: Scenario, remark: str = "") -> str:
    """What `allthepoints simulate --scenario` takes; what has its usual value is left out. Raises ValueError for a day
    that TOML cannot say."""
    document = tomlkit.document()
    for line in remark.splitlines():
        document.add(tomlkit.comment(line))
    for key, value in _fields(day).items():
        document.add(key, tomlkit.item(value))
    text = tomlkit.dumps(document)
    if parse(text) != day:
        raise ValueError("TOML cannot say all of this day")
    return text


def _fields(value: Any) -> Any:
    """Structs as tables, without what they say anyway; broadcasts and parameters on one line."""
    if isinstance(value, Broadcast):
        return _in_one_line(_own(value))
    if isinstance(value, FaultPlan):
        on = {"on": value.on} if value.on else {}
        return {"at": value.at, "name": value.name, **on, "with": _in_one_line(value.parameters)}
    if isinstance(value, msgspec.Struct):
        return {key: _fields(field) for key, field in _own(value).items()}
    if isinstance(value, list | tuple):
        return [_fields(item) for item in value]
    return value


def _own(value: msgspec.Struct) -> dict[str, Any]:
    """What differs from the usual."""
    found = {}
    for field in msgspec.structs.fields(value):
        usual = field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default
        own = getattr(value, field.name)
        if own != usual:
            found[field.encode_name] = own
    return found


def _in_one_line(values: dict[str, Any]) -> Any:
    table = tomlkit.inline_table()
    table.update({key: list(value) if isinstance(value, tuple) else value for key, value in values.items()})
    return table
