"""Durations as people write them: `90`, `"90s"`, `"1h30m"`."""

from __future__ import annotations

import re

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(value: object) -> float:
    """So many seconds. Raises ValueError with what would do; a leading minus is understood (before the start)."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    text = str(value).strip()
    sign, bare = (-1.0, text[1:]) if text.startswith("-") else (1.0, text)
    parts = _PART.findall(bare)
    if not parts or "".join(number + unit for number, unit in parts) != bare:
        raise ValueError(f'"{text}" is not a duration; write seconds as a number, or like "90s", "10m", "1h30m"')
    return sign * sum(float(number) * _UNIT[unit] for number, unit in parts)
