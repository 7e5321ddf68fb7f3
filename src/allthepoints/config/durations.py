"""Durations as a person writes them: `"30s"`, `"10m"`, `"1h30m"`, `"250ms"`."""

from __future__ import annotations

import re

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?\Z", re.ASCII)


def parse_duration(text: str) -> float | None:
    """Seconds; None if `text` is not a duration. Larger units first, each at most once, spaces between them allowed."""
    joined = "".join(text.split())
    match = _DURATION.match(joined)
    if not joined or match is None:
        return None
    thousandths = sum(
        int(count) * round(unit * 1000)
        for count, unit in zip(match.groups(), _UNITS.values(), strict=True)
        if count is not None
    )
    return thousandths / 1000


def format_duration(seconds: float) -> str:
    """The shortest way to write it; `parse_duration` gives it back to the millisecond."""
    rest, parts = round(seconds * 1000), []
    for name, unit in _UNITS.items():
        count, rest = divmod(rest, round(unit * 1000))
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts) or "0s"
