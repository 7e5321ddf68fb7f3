"""The settings written out again, for a person (TOML) or a program (plain JSON values). Secrets are masked."""

from __future__ import annotations

from typing import Any

from allthepoints.base.secret import Secret
from allthepoints.config.settings import KEYS, LISTS, SECTIONS, Settings, keys_of


def to_toml(settings: Settings) -> str:
    """A whole config file that says what `settings` say, defaults included."""
    blocks = []
    for section in SECTIONS:
        value = getattr(settings, section)
        tables = value if section in LISTS else (value,)
        head = f"[[{section}]]" if section in LISTS else f"[{section}]"
        for table in tables:
            values = ((key, getattr(table, key.name)) for key in keys_of(section).values())
            lines = [f"{key.name} = {key.kind.write(value)}" for key, value in values if value is not None]
            blocks.append("\n".join((head, *lines)))
    return "\n\n".join(blocks) + "\n"


def to_plain(settings: Settings) -> dict[str, Any]:
    """Plain JSON values; durations in seconds."""
    plain: dict[str, Any] = {section: [] if section in LISTS else {} for section in SECTIONS}
    for key in KEYS:
        value = getattr(settings, key.section)
        if key.section not in LISTS:
            plain[key.section][key.name] = _plain(getattr(value, key.name))
    for section in LISTS:
        names = keys_of(section)
        plain[section] = [
            {name: _plain(getattr(table, name)) for name in names} for table in getattr(settings, section)
        ]
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return "***" if isinstance(value, Secret) else value
