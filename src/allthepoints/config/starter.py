"""The file that a newcomer starts with: what most people want to set, each with its help, and the rest named."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from allthepoints.base.types import Login
from allthepoints.config.kinds import quote
from allthepoints.config.settings import Key, Settings, keys_of

_DEFAULTS = Settings()

_HEAD = """# The config of allthepoints. A running service takes up what you save here by itself.
# `allthepoints config check` says whether it can be used, `allthepoints config show` everything that is in force.
# Secrets never stand here: `allthepoints login` keeps them in a file of their own.
"""

_WISH = """# What you want of a store; `allthepoints wish add CHANNEL ITEM` writes it for you.
# [[wish]]
# channel = "a_favourite"
# item = "the name or id of an item"
"""

_OFFERED = {
    "poll": ("live", "offline_after", "balance"),
    "notify": ("urls", "events", "quiet_hours", "digest"),
    "display": ("zone",),
}
"""What is only offered: the default stands there as a comment."""


def starter(
    client_id: str = "",
    followed: bool = True,
    include: tuple[Login, ...] = (),
    listen: str = _DEFAULTS.dashboard.listen,
) -> str:
    """A whole config file. All values must have been checked."""
    channels = {"followed": "true" if followed else "false", "include": _names(include)}
    blocks = [
        _HEAD,
        _block("twitch", {"client_id": quote(client_id)}),
        _block("channels", {**channels, "exclude": "[]", "priority": "[]", "paused": "[]"}, ("max_rooms",)),
        _block("dashboard", {"listen": quote(listen)}),
        *(_block(section, {}, names) for section, names in _OFFERED.items()),
        _WISH,
    ]
    return "\n".join(blocks)


def _block(section: str, values: dict[str, str], offered: Iterable[str] = ()) -> str:
    keys = keys_of(section)
    lines = [f"[{section}]"]
    for name, value in values.items():
        lines += [*_help(keys[name]), f"{name} = {value}"]
    for name in offered:
        lines += [*_help(keys[name]), f"# {name} = {keys[name].default}"]
    return "\n".join(lines) + "\n"


def _help(key: Key) -> list[str]:
    return textwrap.wrap(key.help, 110, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _names(logins: tuple[Login, ...]) -> str:
    line = f"[{', '.join(map(quote, logins))}]"
    return line if len(line) <= 100 else "\n".join(("[", *(f"    {quote(login)}," for login in logins), "]"))
