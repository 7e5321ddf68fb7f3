"""The settings written out again, for a person (TOML) or a program (plain JSON values). Secrets are masked."""

from __future__ import annotations

from typing import Any

from allthepoints.base.secret import Secret
from allthepoints.config.settings import LISTS, SECTIONS, Settings, keys_of


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
    return {section: section_plain(settings, section) for section in SECTIONS}


def section_plain(settings: Settings, section: str) -> Any:
    """The same of one section: an object, or a list of objects where it may stand several times."""
    value = getattr(settings, section)
    tables = [
        {name: _plain(getattr(table, name)) for name in keys_of(section)}
        for table in (value if section in LISTS else (value,))
    ]
    return tables if section in LISTS else tables[0]


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return "***" if isinstance(value, Secret) else value
